from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from msgspec.structs import replace

from routing.client_info import ClientInfo, Page, client_infos, page_of, read_client_info
from routing.dialects import DIALECTS
from routing.directory import (
    Connection,
    CredentialsRole,
    FormerRole,
    PartyDirectory,
    PartyEntry,
    Platform,
    PlatformPart,
)
from routing.errors import InvalidParameters
from routing.paging import read_page_request
from routing.quirks import Quirks
from routing.vocabulary import ConnectionStatus, InterfaceRole, ModuleID, Party, Role, Secret, Version

LIST = "https://hub.example/ocpi/2.2.1/hubclientinfo"
START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
VIEWER = Party("DE", "ROM")
CONNECTED = ConnectionStatus.CONNECTED
PLANNED = ConnectionStatus.PLANNED


def connection(platform_id: str, *modules: str) -> Connection:
    return Connection(
        id=f"connection of {platform_id}",
        platform_id=platform_id,
        platform_name=platform_id,
        version=Version.V2_3_0,
        face=None,
        versions_url="https://partner.example/versions",
        endpoints=MappingProxyType({(module, InterfaceRole.SENDER): "https://partner.example/x" for module in modules}),
        hosts=frozenset(),
        authorization=Secret("Token x"),
        quirks=Quirks(),
    )


def part(platform_id: str, *entries: PartyEntry, modules: tuple[str, ...] = ()) -> PlatformPart:
    parties = tuple(entry.party for entry in entries)
    platform = Platform(
        platform_id, platform_id, CONNECTED, parties, (connection(platform_id, *modules),), Quirks(), is_hub=False
    )
    return PlatformPart(platform, entries, MappingProxyType({}))


def entry(
    platform_id: str, party: Party, *roles: Role, status: ConnectionStatus = CONNECTED, age_s: float = 0.0
) -> PartyEntry:
    created = START - timedelta(seconds=age_s)
    return PartyEntry(party, platform_id, status, tuple(CredentialsRole(role, {}) for role in roles), created, created)


def directory(*parts: PlatformPart, viewer_modules: tuple[str, ...] = ()) -> PartyDirectory:
    viewer = part("viewer", entry("viewer", VIEWER, Role.EMSP), modules=viewer_modules)
    return PartyDirectory.of(1, [viewer, *parts])


def shown(known: PartyDirectory, version: Version = Version.V2_2_1, query: str = "") -> Page:
    rows = client_infos(known, known.platform("viewer"), DIALECTS[version])
    return page_of(rows, read_page_request(query, 100), LIST)


def names(page: Page) -> list[str]:
    return [f"{each['role']} {each['country_code']}*{each['party_id']} {each['status']}" for each in page.items]


def test_the_parties_of_others_are_listed_the_oldest_first_one_row_for_each_role() -> None:
    known = directory(
        part("new", entry("new", Party("NL", "NEW"), Role.CPO, age_s=1)),
        part(
            "old",
            entry("old", Party("NL", "OLD"), Role.EMSP, Role.CPO, age_s=9),
            entry("old", Party("NL", "AAA"), Role.CPO, status=PLANNED, age_s=5),
        ),
    )

    assert names(shown(known)) == [
        "CPO NL*OLD CONNECTED",
        "EMSP NL*OLD CONNECTED",
        "CPO NL*AAA PLANNED",
        "CPO NL*NEW CONNECTED",
    ]


def test_a_client_info_says_who_in_which_role_how_and_since_when() -> None:
    known = directory(part("volt", entry("volt", Party("NL", "VLT"), Role.CPO)))

    assert shown(known).items == [
        {
            "party_id": "VLT",
            "country_code": "NL",
            "role": "CPO",
            "status": "CONNECTED",
            "last_updated": "2026-01-01T12:00:00.000Z",
        }
    ]


def test_a_caller_without_parties_sees_nobody() -> None:
    known = PartyDirectory.of(1, [part("viewer"), part("volt", entry("volt", Party("NL", "VLT"), Role.CPO))])

    assert shown(known).items == []


@pytest.mark.parametrize(("version", "listed"), [(Version.V2_2_1, 1), (Version.V2_2, 1), (Version.V2_3_0, 0)])
def test_a_peer_hub_is_not_listed_to_2_3_0_which_has_no_such_role(version: Version, listed: int) -> None:
    known = directory(part("hub", entry("hub", Party("DE", "KNO"), Role.HUB)))

    assert len(shown(known, version).items) == listed


@pytest.mark.parametrize(
    ("version", "modules", "role"),
    [
        (Version.V2_3_0, (ModuleID.PAYMENTS,), "PTP"),
        (Version.V2_3_0, (ModuleID.LOCATIONS,), "OTHER"),
        (Version.V2_2_1, (ModuleID.PAYMENTS,), "OTHER"),
    ],
)
def test_a_payment_terminal_provider_is_other_to_who_does_not_publish_payments(
    version: Version, modules: tuple[str, ...], role: str
) -> None:
    known = directory(part("terminal", entry("terminal", Party("NL", "PAY"), Role.PTP)), viewer_modules=modules)

    assert [each["role"] for each in shown(known, version).items] == [role]


# --- roles a party had


def with_former(now: PartyEntry, *roles: Role) -> PartyDirectory:
    former = (FormerRole(role, START + timedelta(seconds=60 + n), 7 + n) for n, role in enumerate(roles))
    return directory(part(now.platform_id, replace(now, former_roles=tuple(former))))


def test_a_role_that_a_party_had_is_suspended_from_then_on() -> None:
    known = with_former(entry("both", Party("NL", "TWO"), Role.EMSP), Role.CPO)

    assert names(shown(known)) == ["EMSP NL*TWO CONNECTED", "CPO NL*TWO SUSPENDED"]
    assert [each["last_updated"] for each in shown(known).items] == [
        "2026-01-01T12:00:00.000Z",
        "2026-01-01T12:01:00.000Z",
    ]
    assert names(shown(known, query="date_from=2026-01-01T12:01:00Z")) == ["CPO NL*TWO SUSPENDED"]


@pytest.mark.parametrize(
    ("now", "former", "listed"),
    [
        (Role.OTHER, [Role.PTP], ["OTHER CONNECTED"]),
        (Role.CPO, [Role.PTP, Role.OTHER], ["CPO CONNECTED", "OTHER SUSPENDED"]),
        (Role.CPO, [Role.HUB], ["CPO CONNECTED"]),
    ],
)
def test_a_former_role_is_told_once_and_not_beside_one_that_is_called_the_same(
    now: Role, former: list[Role], listed: list[str]
) -> None:
    known = with_former(entry("p", Party("NL", "PAY"), now), *former)

    assert [f"{each['role']} {each['status']}" for each in shown(known, Version.V2_3_0).items] == listed


# --- pages


def five() -> PartyDirectory:
    return directory(*(part(f"p{n}", entry(f"p{n}", Party("NL", f"P{n}"), Role.CPO, age_s=9 - n)) for n in range(5)))


def test_following_the_links_gives_every_entry_once() -> None:
    known, query, pages = five(), "limit=2", []
    while query:
        page = shown(known, query=query)
        pages.append(names(page))
        assert page.headers()["X-Total-Count"] == "5"
        assert page.headers()["X-Limit"] == "2"
        query = urlsplit(page.link.partition(">")[0].removeprefix("<")).query if page.link else ""

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [name for page in pages for name in page] == names(shown(known))


def test_the_last_page_has_no_link_and_one_beyond_it_is_empty() -> None:
    assert "Link" not in shown(five()).headers()
    assert "Link" not in shown(five(), query="offset=3&limit=2").headers()
    beyond = shown(five(), query="offset=70")
    assert (beyond.items, beyond.total, beyond.link) == ([], 5, None)


def test_the_link_repeats_the_filters() -> None:
    page = shown(five(), query="date_from=2026-01-01T00:00:00Z&limit=1&colour=dark%20red")

    assert page.link is not None
    assert page.link.startswith(f"<{LIST}?")
    assert page.link.endswith('>; rel="next"')
    assert dict(parse_qsl(urlsplit(page.link[1:].partition(">")[0]).query)) == {
        "offset": "1",
        "limit": "1",
        "date_from": "2026-01-01T00:00:00Z",
        "colour": "dark red",
    }


def test_a_limit_above_the_most_is_the_most() -> None:
    assert read_page_request("limit=5000", 100).limit == 100
    assert read_page_request("", 100).limit == 100


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=-1", "limit=ten", "limit=", "limit=1.5", "limit=1&limit=2"),
        *("offset=-1", "offset=x", "offset=" + "9" * 30),
        *("date_from=yesterday", "date_to=", "date_from=2026-13-01T00:00:00Z"),
    ],
)
def test_parameters_that_cannot_be_read_are_refused(query: str) -> None:
    with pytest.raises(InvalidParameters) as refused:
        read_page_request(query, 100)

    assert refused.value.ocpi_status == 2001


# --- dates


def updated_at(*moments: datetime) -> PartyDirectory:
    entries: list[Any] = [
        PartyEntry(Party("NL", f"P{n}"), "p", CONNECTED, (CredentialsRole(Role.CPO, {}),), START, moment)
        for n, moment in enumerate(moments)
    ]
    return directory(part("p", *entries))


SPELLINGS = ["2026-01-01T12:00:00Z", "2026-01-01T12:00:00", "2026-01-01T12:00:00.000Z", "2026-01-01T13:00:00%2B01:00"]


@pytest.mark.parametrize("text", [*SPELLINGS, "2026-01-01T12:00:00+00:00"])
def test_date_from_is_inclusive_and_date_to_exclusive_in_every_spelling(text: str) -> None:
    known = updated_at(START - timedelta(seconds=1), START, START + timedelta(seconds=1))

    assert [each["party_id"] for each in shown(known, query=f"date_from={text}").items] == ["P1", "P2"]
    assert [each["party_id"] for each in shown(known, query=f"date_to={text}").items] == ["P0"]


def test_a_shown_last_updated_can_be_asked_for_again() -> None:
    known = updated_at(START + timedelta(microseconds=1999))
    shown_moment = shown(known).items[0]["last_updated"]

    assert shown(known, query=f"date_from={shown_moment}").total == 1
    assert shown(known, query=f"date_to={shown_moment}").total == 0


# --- what hubs announce

INFO = {
    "country_code": "nl",
    "party_id": "vlt",
    "role": "CPO",
    "status": "OFFLINE",
    "last_updated": "2026-01-01T00:00:00Z",
}


def test_a_client_info_is_read() -> None:
    assert read_client_info(INFO) == ClientInfo(Party("NL", "VLT"), Role.CPO, ConnectionStatus.OFFLINE)


@pytest.mark.parametrize(
    "broken",
    [
        *({name: value} for name in INFO for value in (None, "", 7, "no such thing")),
        {"role": "cpo"},
        {"country_code": "NLD"},
        {"party_id": "A/B"},
        {"party_id": ".."},
    ],
)
def test_what_is_no_client_info_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameters):
        read_client_info(INFO | broken)


@pytest.mark.parametrize("what", [None, [], "text", 7])
def test_a_client_info_is_an_object(what: object) -> None:
    with pytest.raises(InvalidParameters):
        read_client_info(what)
