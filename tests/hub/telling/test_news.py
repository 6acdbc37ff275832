from __future__ import annotations

from hub.store.telling_marks import Place
from hub.telling.news import END, News, place_of
from routing.vocabulary import Party

A, AB, B = Party("NL", "A"), Party("NL", "AB"), Party("NL", "B")


def coming(news: News, told: Place) -> list[tuple[int, Party]]:
    return [(place.revision, party) for place, party in news.coming(told)]


def test_news_come_in_the_order_of_their_changes_and_of_names() -> None:
    news = News(after=5)

    assert news.add([(7, B), (7, AB), (6, B), (7, A)])

    assert coming(news, Place(0)) == [(7, A), (7, AB), (7, B)]


def test_what_changes_again_comes_once_and_later() -> None:
    news = News(after=5)
    news.add([(6, A), (6, B)])
    news.add([(8, A)])

    assert coming(news, Place(5, END)) == [(6, B), (8, A)]
    assert len(news) == 2


def test_what_was_before_and_what_was_heard_of_already_is_no_news() -> None:
    news = News(after=5)

    assert not news.add([(5, A)])
    assert news.add([(6, A)])
    assert not news.add([(6, A), (4, B)])


def test_who_was_told_of_one_role_is_told_of_the_next() -> None:
    news = News(after=5)
    news.add([(6, A), (6, AB), (6, B)])

    assert coming(news, place_of(6, A, "CPO")) == [(6, A), (6, AB), (6, B)]
    assert coming(news, place_of(6, AB, "CPO")) == [(6, AB), (6, B)]
    assert coming(news, Place(6, END)) == []


def test_places_of_a_party_stand_before_those_of_the_next() -> None:
    places = [
        Place(6),
        *(place_of(6, party, role) for party in (A, AB, B) for role in ("", "CPO", "SCSP")),
        Place(6, END),
    ]

    assert places == sorted(places)


def test_a_party_that_changes_all_the_time_takes_no_more_room_than_others() -> None:
    news = News(after=0)
    for revision in range(1, 100):
        news.add([(revision, A)])

    assert coming(news, Place(0)) == [(99, A)]
    assert len(news._order) <= 2


def test_what_everybody_was_told_is_forgotten() -> None:
    news = News(after=5)
    news.add([(6, A), (7, B)])
    news.forget(7)

    assert coming(news, Place(0)) == []
    assert not news.add([(7, B)])
    assert news.add([(8, A)])
