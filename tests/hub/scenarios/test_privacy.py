"""Whose driver it is, how much was charged and what it cost is for one party. Everybody else tries to get it here.

Two eMSPs, one of them on 2.1.1, and a CPO want what belongs to another eMSP: they ask for it, push what might turn it
their way, claim to be somebody else, and follow URLs that were made for others. OCPI 2.2.1, "Message Routing":
privacy of what is not to be broadcast; "Sessions", "CDRs" and "Tokens".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from loadtests.simulator import Json, Partner
from routing.vocabulary import InterfaceRole, Party, Version
from tests.conftest import StoreUrls
from tests.hub.forked import ForkedHub
from tests.hub.scenarios.translated import made, new_id
from tests.partners import CPO, EMSP, partner, path_of, registered, token

HUB = Party("EU", "HUB")
V211, V221 = Version.V2_1_1, Version.V2_2_1
RECEIVER = InterfaceRole.RECEIVER
SECRET_UID = "5EC7E7C0FFEE"
SECRET_CONTRACT = "DE-S3C-C00000777-1"
KWH = 77.4242
"""What nobody but the eMSP may learn; no other number in these tests looks like it."""
MARK = str(KWH).encode()
SINCE = {"date_from": "2020-01-01T00:00:00Z"}


class Scene(NamedTuple):
    """Who belongs together, and who wants to know."""

    cpo: Partner
    older_cpo: Partner
    """On 2.1.1: it takes the hub for its one eMSP, and shows it everything."""
    owner: Partner
    """The eMSP whose driver it is."""
    thief: Partner
    older_thief: Partner
    """On 2.1.1."""
    nosy_cpo: Partner

    @property
    def thieves(self) -> tuple[Partner, ...]:
        """All that must not learn anything."""
        return self.thief, self.older_thief, self.nosy_cpo


@pytest.fixture(scope="module")
def scene(stores: StoreUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A driver of the owner has charged at both CPOs; those have told, and still have it."""
    folder = tmp_path_factory.mktemp("privacy")
    parts = (partner(CPO), partner(CPO, V211), partner(EMSP), partner(EMSP), partner(EMSP, V211), partner(CPO))
    settings = {**stores._asdict(), "rate_limit": "off"}
    with ForkedHub(folder, settings) as hub, registered(hub, *parts) as everybody:
        at = Scene(*everybody)
        card = secret_token(at.owner)
        at.owner.hold("tokens", card)
        at.owner.put("tokens", path_of(at.owner.party, SECRET_UID), to=HUB, json=card)
        for each in (at.cpo, at.older_cpo):
            each.received.wait_for("tokens")
            tell(each, at)
        for each in everybody:
            each.received.clear()
        yield at


def secret_token(owner: Partner) -> Json:
    """The driver's card."""
    return token(owner.party, SECRET_UID) | {"contract_id": SECRET_CONTRACT}


def secret_session(cpo: Partner, owner: Partner, session_id: str) -> Json:
    """What the driver charges."""
    return _of_driver(cpo, made(cpo.version, "Session", cpo.party, id=session_id, kwh=KWH), owner)


def secret_cdr(cpo: Partner, owner: Partner, cdr_id: str) -> Json:
    """What the driver pays."""
    return _of_driver(cpo, made(cpo.version, "CDR", cpo.party, id=cdr_id, session_id=None, total_energy=KWH), owner)


def _of_driver(cpo: Partner, body: Json, owner: Partner) -> Json:
    body.pop("authorization_reference", None)
    if cpo.version is V211:
        return body | {"auth_id": SECRET_CONTRACT}
    names = ("country_code", "party_id", "uid", "type", "contract_id")
    return body | {"cdr_token": {name: secret_token(owner)[name] for name in names}}


def tell(cpo: Partner, at: Scene) -> None:
    """The CPO reports a Session and a CDR of the driver; one on 2.1.1 shows both to whoever asks.

    Since 2.2 a CPO is told who asks, and may not do that.
    """
    session, cdr = secret_session(cpo, at.owner, "SECRET-S1"), secret_cdr(cpo, at.owner, "SECRET-C1")
    if cpo is at.older_cpo:
        cpo.hold("sessions", session)
        cpo.hold("cdrs", cdr)
    assert cpo.put("sessions", path_of(cpo.party, "SECRET-S1"), json=session).status_code == 1000
    assert cpo.post("cdrs", json=cdr).status_code == 1000


def asks_an_older_cpo_for_its_lists(at: Scene) -> None:
    for module in ("sessions", "cdrs"):
        for to in (at.older_cpo.party, HUB, None):
            at.thief.get(module, to=to, params=SINCE)
            at.thief.get(module, to=to, params=SINCE | {"offset": "0", "limit": "1"})
        at.older_thief.get(module, params=SINCE)


def asks_for_a_single_session(at: Scene) -> None:
    for each in (at.thief, at.nosy_cpo):
        for cpo in (at.cpo, at.older_cpo):
            path = path_of(cpo.party, "SECRET-S1")
            for to in (at.owner.party, HUB, None):
                each.get("sessions", path, to=to, interface=RECEIVER)
        each.get("sessions", path_of(each.party, "SECRET-S1"), interface=RECEIVER)


def claims_the_uid(at: Scene) -> None:
    for each in (at.thief, at.older_thief):
        card = token(each.party, SECRET_UID) | {"contract_id": SECRET_CONTRACT, "auth_id": SECRET_CONTRACT}
        each.put("tokens", path_of(each.party, SECRET_UID), json=card)
    again(at)


def commands_with_the_token(at: Scene) -> None:
    place = {"location_id": "LOC1", "response_url": f"{at.thief.base}/results/1"}
    for card in (secret_token(at.owner), token(at.thief.party, SECRET_UID) | {"contract_id": SECRET_CONTRACT}):
        at.thief.post("commands", "START_SESSION", to=at.cpo.party, json=place | {"token": card})
        at.thief.post("commands", "START_SESSION", to=at.older_cpo.party, json=place | {"token": card})
    stop = {"session_id": "SECRET-S1", "response_url": f"{at.thief.base}/results/1"}
    for to in (None, HUB):
        at.thief.post("commands", "STOP_SESSION", to=to, json=stop)
    again(at)


def says_it_is_the_owner(at: Scene) -> None:
    for each in (at.thief, at.nosy_cpo):
        each.get("sessions", sender=at.owner.party, to=at.older_cpo.party, params=SINCE, interface=InterfaceRole.SENDER)
        each.get("cdrs", sender=at.owner.party, to=HUB, params=SINCE, interface=InterfaceRole.SENDER)


def follows_pages_that_were_made_for_the_owner(at: Scene) -> None:
    at.older_cpo.hold("cdrs", secret_cdr(at.older_cpo, at.owner, "SECRET-C2"))
    for to in (at.older_cpo.party, HUB):
        page = at.owner.get("cdrs", to=to, params=SINCE | {"limit": "1"})
        if page.next_url:
            at.thief.get(page.next_url, to=to)
            at.thief.get(page.next_url)


def reads_a_cdr_where_another_may(at: Scene) -> None:
    answer = at.cpo.post("cdrs", json=secret_cdr(at.cpo, at.owner, "SECRET-C3"))
    url = answer.header("location")
    assert url is not None
    for each in (at.thief, at.nosy_cpo):
        each.get(url)


def broadcasts_what_is_not_for_all(at: Scene) -> None:
    session = secret_session(at.cpo, at.owner, "SECRET-S3")
    at.cpo.put("sessions", path_of(at.cpo.party, "SECRET-S3"), to=HUB, json=session)
    at.cpo.patch("sessions", path_of(at.cpo.party, "SECRET-S3"), to=HUB, json=session)
    at.cpo.post("cdrs", to=HUB, json=secret_cdr(at.cpo, at.owner, "SECRET-C4"))


def leaves_out_whose_token_it_is(at: Scene) -> None:
    """Two have pushed that uid and contract by now: nobody may be guessed."""
    claims_the_uid(at)
    cdr = secret_cdr(at.cpo, at.owner, new_id("SECRET-C"))
    cdr["cdr_token"] |= {"country_code": "ZZ", "party_id": "NUL"}
    at.cpo.post("cdrs", json=cdr)
    at.older_cpo.post("cdrs", json=secret_cdr(at.older_cpo, at.owner, new_id("SECRET-C")))


def changes_a_session_of_another(at: Scene) -> None:
    change = {"kwh": 1, "cdr_token": token(at.thief.party), "last_updated": "2026-11-22T09:00:00Z"}
    for each in (at.nosy_cpo, at.thief):
        for owner in (at.cpo.party, each.party):
            each.patch("sessions", path_of(owner, "SECRET-S1"), json=change, interface=RECEIVER)
            each.put("sessions", path_of(owner, "SECRET-S1"), json=change | {"id": "SECRET-S1"}, interface=RECEIVER)
    again(at)


def again(at: Scene) -> None:
    """After whatever was tried, both CPOs go on reporting what the driver does."""
    for cpo in (at.cpo, at.older_cpo):
        session = secret_session(cpo, at.owner, new_id("SECRET-S"))
        cpo.put("sessions", path_of(cpo.party, session["id"]), json=session)
        cpo.post("cdrs", json=secret_cdr(cpo, at.owner, new_id("SECRET-C")))


ATTEMPTS = (
    asks_an_older_cpo_for_its_lists,
    asks_for_a_single_session,
    says_it_is_the_owner,
    follows_pages_that_were_made_for_the_owner,
    reads_a_cdr_where_another_may,
    broadcasts_what_is_not_for_all,
    changes_a_session_of_another,
    commands_with_the_token,
    claims_the_uid,
    leaves_out_whose_token_it_is,
)


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.__name__)
def test_nobody_learns_what_a_driver_of_another_does(scene: Scene, attempt: Callable[[Scene], None]) -> None:
    before = [len(each.sent) for each in scene.thieves]

    attempt(scene)

    for each, sent in zip(scene.thieves, before, strict=True):
        seen = [request.body for request in each.received] + [one.answer.body for one in each.sent[sent:]]
        assert not [body for body in seen if MARK in body], each.name


def test_the_owner_of_the_token_does_get_it(scene: Scene) -> None:
    """So that the attempts above do not fail because nothing goes anywhere."""
    lists = [scene.owner.get(module, to=scene.older_cpo.party, params=SINCE) for module in ("sessions", "cdrs")]

    assert all(MARK in answer.body for answer in lists)
