"""The query of a request in the version it goes to, and the Token its URL means there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from routing.errors import Untranslatable
from routing.modules import Operation, operation_at
from routing.quirks import Quirks
from routing.translation.crossing import Crossing
from routing.translation.queries import query_to, token_type_in
from routing.translation.questions import TokenFacts, TokensOfUid
from routing.vocabulary import InterfaceRole, Party, Version
from tests.routing.translation.crossings import losses_of

from .crossings import CPO, EMSP, crossing

V211, V22, V221, V230 = Version
LIST = operation_at(V221, "locations", InterfaceRole.SENDER, "GET", ())
TOKENS = operation_at(V221, "tokens", InterfaceRole.SENDER, "GET", ())
AUTHORIZE = operation_at(V221, "tokens", InterfaceRole.SENDER, "POST", ("U1", "authorize"))
PUT, PATCH, GET = (
    operation_at(V221, "tokens", InterfaceRole.RECEIVER, method, ("DE", "MSP", "U1"))
    for method in ("PUT", "PATCH", "GET")
)


def known(*types: str, owner: Party = EMSP) -> dict[Any, Any]:
    """The Tokens that were seen with this uid, in the order in which they were."""
    facts = (
        TokenFacts(owner, "U1", token_type, "C1", True, f"2024-01-0{index + 1}T00:00:00Z")
        for index, token_type in enumerate(types)
    )
    return {TokensOfUid(owner, "U1"): tuple(facts)}


def over(source: Version, target: Version, **more: Any) -> Crossing:  # noqa: ANN401 - fields of a Crossing
    """From the eMSP side to the CPO side or back: in these tests the owner is who the path names."""
    return crossing(source, target, **{"owner": EMSP, "object_ids": ("U1",), **more})


def body(token_type: str | None) -> bytes:
    return json.dumps({"uid": "U1"} if token_type is None else {"uid": "U1", "type": token_type}).encode()


# Lists


def test_a_2_1_1_server_is_asked_from_one_second_earlier() -> None:
    query = "date_from=2024-02-01T00:00:00Z&limit=50"

    assert query_to(query, LIST, None, over(V221, V211)) == "date_from=2024-01-31T23:59:59Z&limit=50"


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("2024-02-01T00:00:00", "2024-01-31T23:59:59"),
        ("2024-02-01T00:00:00.250Z", "2024-01-31T23:59:59.250Z"),
        ("2024-02-01T00%3A00%3A00Z", "2024-01-31T23:59:59Z"),
        ("2024-02-01T00:00:00%2B01:00", "2024-01-31T23:59:59%2B01:00"),
        ("2024-02-01T00:00Z", "2024-01-31T23:59:59Z"),
        ("yesterday", "yesterday"),
        ("", ""),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ],
)
def test_the_earlier_moment_is_spelled_as_the_one_asked_for(written: str, asked: str) -> None:
    assert query_to(f"date_from={written}", LIST, None, over(V221, V211)) == f"date_from={asked}"


def test_everything_else_in_a_query_is_left_as_it_came() -> None:
    query = "x=a%2fb+c&&limit=5&date_to=2024-02-01T00%3a00:00.5Z&flag&%6cimit=7"

    assert query_to(query, LIST, None, over(V221, V211)) == query
    assert query_to("", LIST, None, over(V221, V211)) == ""


@pytest.mark.parametrize(("source", "target"), [(V211, V221), (V22, V221), (V221, V230), (V230, V22)])
def test_towards_later_versions_moments_stay(source: Version, target: Version) -> None:
    query = "date_from=2024-02-01T00:00:00Z&date_to=2024-03-01T00:00:00.5Z"

    assert query_to(query, LIST, None, over(source, target)) == query


def test_a_list_of_tokens_is_asked_for_like_any_other() -> None:
    query = "date_from=2024-02-01T00:00:00Z&type=APP_USER"

    assert query_to(query, TOKENS, None, over(V221, V211)) == "date_from=2024-01-31T23:59:59Z&type=APP_USER"


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("date_from=2024-02-01T00:00:00.9Z", "date_from=2024-01-31T23:59:59Z"),
        ("date_to=2024-02-01T00:00:00.1Z", "date_to=2024-02-01T00:00:01Z"),
        ("date_to=2024-02-01T00:00:00.000Z", "date_to=2024-02-01T00:00:00Z"),
        ("date_to=2024-02-01T00%3A00:00Z", "date_to=2024-02-01T00%3A00:00Z"),
    ],
)
def test_without_fractions_the_time_asked_for_grows(query: str, asked: str) -> None:
    assert query_to(query, LIST, None, over(V221, V211, destination=Quirks(no_fraction=True))) == asked


# Tokens that are pushed or read back: from 2.1.1


@pytest.mark.parametrize(
    ("token_type", "query"), [("OTHER", "type=OTHER"), ("RFID", ""), (None, ""), ("A&B", "type=A%26B")]
)
@pytest.mark.parametrize("target", [V22, V221, V230])
def test_a_token_of_2_1_1_is_put_under_its_type(token_type: str | None, query: str, target: Version) -> None:
    way = over(V211, target, owner=CPO)  # who sends it

    assert query_to("", PUT, body(token_type), way) == query
    assert way.losses == []


@pytest.mark.parametrize("operation", [PATCH, GET])
@pytest.mark.parametrize(
    ("seen", "query"), [((), ""), (("RFID",), ""), (("OTHER",), "type=OTHER"), (("RFID", "OTHER"), "type=OTHER")]
)
def test_the_type_of_a_2_1_1_token_is_remembered(operation: Operation, seen: tuple[str, ...], query: str) -> None:
    way = over(V211, V221, owner=CPO, known=known(*seen, owner=CPO))

    assert query_to("", operation, b'{"valid":false}', way) == query


def test_a_patch_of_2_1_1_may_say_the_type_itself() -> None:
    way = over(V211, V221, owner=CPO)

    assert query_to("", PATCH, body("OTHER"), way) == "type=OTHER"
    assert way.asked == []


# ... towards 2.1.1


def test_2_1_1_has_no_type_in_its_urls() -> None:
    way = over(V221, V211)

    assert query_to("a=1&type=APP_USER&b=2", PUT, body("APP_USER"), way) == "a=1&b=2"
    assert losses_of(way) == [("L-77", "?type")]


def test_a_type_that_is_not_there_is_no_loss() -> None:
    way = over(V221, V211)

    assert query_to("", PUT, body("RFID"), way) == ""
    assert (way.losses, way.asked) == ([], [])


@pytest.mark.parametrize(
    ("operation", "query", "pushed", "seen"),
    [
        (PUT, "", "RFID", ("OTHER", "APP_USER")),
        (PUT, "type=APP_USER", "APP_USER", ("APP_USER",)),
        (PUT, "", "APP_USER", ()),
        (PUT, "", "OTHER", ("APP_USER",)),
        (PATCH, "", None, ("RFID", "APP_USER")),
        (PATCH, "", "APP_USER", ("APP_USER",)),
        (PATCH, "type=OTHER", None, ("APP_USER", "OTHER")),
        (GET, "type=AD_HOC_USER", None, ("AD_HOC_USER", "APP_USER")),
        (GET, "", None, ()),
    ],
)
def test_the_token_that_2_1_1_shows_can_be_reached(
    operation: Operation,
    query: str,
    pushed: str | None,
    seen: tuple[str, ...],
) -> None:
    assert query_to(query, operation, body(pushed), over(V221, V211, known=known(*seen))) == ""


@pytest.mark.parametrize(
    ("operation", "query", "pushed", "seen", "http_status"),
    [
        (PUT, "type=APP_USER", "APP_USER", ("RFID",), 200),
        (PUT, "", "APP_USER", ("OTHER",), 200),
        (PUT, "", "AD_HOC_USER", ("APP_USER",), 200),
        (PATCH, "type=APP_USER", None, ("RFID", "APP_USER"), 200),
        (PATCH, "", None, ("APP_USER",), 200),
        (GET, "type=OTHER", None, ("RFID", "OTHER"), 404),
        (GET, "", None, ("OTHER",), 404),
    ],
)
def test_a_token_2_1_1_does_not_show_cannot_be_mistaken_for_another(
    operation: Operation,
    query: str,
    pushed: str | None,
    seen: tuple[str, ...],
    http_status: int,
) -> None:
    with pytest.raises(Untranslatable, match=r"^RF-12") as refused:
        query_to(query, operation, body(pushed), over(V221, V211, known=known(*seen)))
    assert (refused.value.http_status, refused.value.ocpi_status) == (http_status, 4000)


# ... between 2.2.1 and 2.3.0


def test_a_token_type_of_2_3_0_is_other_in_the_url_too() -> None:
    way = over(V230, V221, known=known("EMAID"))

    assert query_to("a=1&type=EMAID", PUT, body("EMAID"), way) == "a=1&type=OTHER"
    assert way.losses == []  # told with the body


def test_without_a_body_the_url_tells_the_loss() -> None:
    way = over(V230, V22)

    assert query_to("type=FOB", GET, None, way) == "type=OTHER"
    assert losses_of(way) == [("M-41", "/type")]


@pytest.mark.parametrize("operation", [PUT, PATCH])
@pytest.mark.parametrize("seen", [("EMAID", "OTHER"), ("FOB",), ("FOB", "EMAID")])
def test_two_tokens_never_share_a_key(operation: Operation, seen: tuple[str, ...]) -> None:
    with pytest.raises(Untranslatable, match=r"^M-43") as refused:
        query_to("type=EMAID", operation, b"{}", over(V230, V221, known=known(*seen)))
    assert refused.value.ocpi_status == 4000


@pytest.mark.parametrize("query", ["", "type=RFID", "type=APP_USER"])
def test_types_that_2_2_1_has_need_no_question(query: str) -> None:
    way = over(V230, V221)

    assert query_to(query, PATCH, b"{}", way) == query
    assert way.asked == []


def test_between_2_2_and_2_2_1_nothing_changes() -> None:
    assert query_to("type=FOB", PUT, body("FOB"), over(V22, V221)) == "type=FOB"


# Authorize


def test_2_1_1_may_call_the_type_by_its_other_name() -> None:
    assert query_to("token_type=RFID&x=1", AUTHORIZE, None, over(V211, V221)) == "type=RFID&x=1"
    assert query_to("token_type=OTHER&type=RFID", AUTHORIZE, None, over(V211, V221)) == "type=RFID"


def test_an_other_of_2_1_1_is_the_one_token_it_can_mean() -> None:
    way = over(V211, V221, known=known("APP_USER", "RFID"))

    assert query_to("type=OTHER", AUTHORIZE, None, way) == "type=APP_USER"


@pytest.mark.parametrize("seen", [(), ("APP_USER", "OTHER"), ("APP_USER", "AD_HOC_USER")])
def test_an_other_of_2_1_1_that_can_mean_several_stays(seen: tuple[str, ...]) -> None:
    way = over(V211, V221, known=known(*seen))

    assert query_to("type=OTHER", AUTHORIZE, None, way) == "type=OTHER"
    assert way.losses == []


@pytest.mark.parametrize("token_type", ["AD_HOC_USER", "APP_USER"])
def test_2_1_1_is_asked_about_app_users_as_others(token_type: str) -> None:
    way = over(V221, V211)

    assert query_to(f"type={token_type}", AUTHORIZE, b"{}", way) == "type=OTHER"
    assert losses_of(way) == [("L-70", "/type")]


def test_2_3_0_asks_2_2_1_about_an_other() -> None:
    way = over(V230, V221)

    assert query_to("type=EMAID", AUTHORIZE, b'{"type":"x"}', way) == "type=OTHER"
    assert losses_of(way) == [("M-40", "/type")]


def test_2_2_1_asks_2_3_0_about_the_one_type_it_can_mean() -> None:
    assert query_to("type=OTHER", AUTHORIZE, None, over(V221, V230, known=known("EMAID"))) == "type=EMAID"
    way = over(V221, V230, known=known("EMAID", "OTHER"))
    assert query_to("type=OTHER", AUTHORIZE, None, way) == "type=OTHER"
    assert losses_of(way) == [("M-42", "/type")]


@pytest.mark.parametrize(("source", "target"), [(V211, V221), (V221, V211), (V230, V221), (V221, V230)])
def test_no_type_stays_no_type(source: Version, target: Version) -> None:
    way = over(source, target, known=known("APP_USER"))

    assert query_to("", AUTHORIZE, None, way) == ""
    assert (way.asked, way.losses) == ([], [])


def test_a_query_names_a_type_by_either_name() -> None:
    assert token_type_in("a=1&type=APP%5FUSER") == "APP_USER"
    assert token_type_in("token_type=OTHER") == "OTHER"
    assert token_type_in("type=") is None
    assert token_type_in("") is None
