"""The hub's own URLs, and the paths that partners ask for below them."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from routing.dialects import DIALECTS
from routing.errors import InvalidParameters, NoSuchPath
from routing.modules import FACE_MODULES, interfaces_of
from routing.paths import ENTRANCES, Entrance, check_query, endpoint_path, read_path
from routing.vocabulary import Face, InterfaceRole, Version


@pytest.mark.parametrize(
    ("path", "module", "segments"),
    [
        ("/locations", "locations", ()),
        ("/locations/", "locations", ()),
        ("/locations/L1", "locations", ("L1",)),
        ("/locations/L1/", "locations", ("L1",)),
        ("/locations/NL/ABC/L1/E1/1", "locations", ("NL", "ABC", "L1", "E1", "1")),
        ("/tokens/A%20B%2F%C3%B6%231/authorize", "tokens", ("A%20B%2F%C3%B6%231", "authorize")),
        ("/locations/%c3%b6", "locations", ("%c3%b6",)),
        ("/locations/a-._~!$&'()*+,;=:@b", "locations", ("a-._~!$&'()*+,;=:@b",)),
        ("/locations/...", "locations", ("...",)),
        ("/locations/.hidden", "locations", (".hidden",)),
        ("/locations/a..b", "locations", ("a..b",)),
        ("/locations/1.5", "locations", ("1.5",)),
        ("/locations/a%2Fb", "locations", ("a%2Fb",)),
        ("/locations/%252e%252e", "locations", ("%252e%252e",)),
    ],
)
def test_a_path_is_a_module_and_segments_as_they_came(path: str, module: str, segments: tuple[str, ...]) -> None:
    assert read_path(path) == (module, segments)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//",
        "locations",
        "x/locations",
        "//locations",
        "/locations//",
        "/locations//L1",
        "/locations/NL//L1",
        "/locations/L1//",
        "/.",
        "/..",
        "/locations/.",
        "/locations/..",
        "/locations/../credentials",
        "/locations/./L1",
        "/locations/%2e%2E/credentials",
        "/locations/.%2e/credentials",
        "/locations/%2e",
        "/locations/..%2Fcredentials",
        "/locations/..%2f..%2fcredentials",
        "/locations/L1%2F..%2Fcredentials",
        "/locations/L1%2f%2e%2e",
        "/locations/..%5Ccredentials",
        "/locations/L1%5c..",
        "/locations/..;/credentials",
        "/locations/..;x=1/credentials",
        "/locations/L1%",
        "/locations/L1%2",
        "/locations/L1%zz",
        "/locations/a b",
        "/locations/a\tb",
        "/locations/a\nb",
        "/locations/a\x00b",
        "/locations/ö",
        "/locations/\xff",
        '/locations/"',
        "/locations/<b>",
        "/locations/a\\b",
        "/locations/a^b",
        "/locations/a|b",
        "/locations/{location_id}",
        "/locations/a?b",
        "/locations/a#b",
        "/locations/L1\n",
    ],
)
def test_what_is_no_path_or_climbs_is_not_found(path: str) -> None:
    with pytest.raises(NoSuchPath) as caught:
        read_path(path)

    assert caught.value.http_status == 404


@given(st.text(alphabet="/.%2eEfF5cCaA;~ö ", max_size=25).map("/".__add__))
@example("/a/..%2F..")
def test_no_path_that_is_read_climbs_for_anybody(path: str) -> None:
    try:
        module, segments = read_path(path)
    except NoSuchPath:
        return

    assert "/".join(("", module, *segments)) == path.removesuffix("/")
    # A server may decode slashes before it splits, take either slash, and cut what follows a semicolon.
    seen = {part.partition(";")[0] for part in unquote(path).replace("\\", "/").split("/")}
    assert not seen & {".", ".."}


@pytest.mark.parametrize("query", ["", "limit=5", "date_from=2026-01-01T00:00:00%2B01:00&x=%23", "a=b&&=&a[]='\"<>"])
def test_a_query_stays_as_it_came(query: str) -> None:
    assert check_query(query) == query


@pytest.mark.parametrize("query", ["a b", "a\tb", "a\nb", "a\r\nX-Evil: 1", "a\x00", "a=ö", "a=\x7f", "a#b", "a\n"])
def test_a_query_that_cannot_be_put_into_a_url_is_wrong(query: str) -> None:
    with pytest.raises(InvalidParameters):
        check_query(query)


def test_partners_enter_by_interface_and_those_of_2_1_1_by_face() -> None:
    assert sorted(entrance.path for entrance in ENTRANCES) == [
        "/ocpi/2.1.1/cpo",
        "/ocpi/2.1.1/emsp",
        "/ocpi/2.2.1/receiver",
        "/ocpi/2.2.1/sender",
        "/ocpi/2.2/receiver",
        "/ocpi/2.2/sender",
        "/ocpi/2.3.0/receiver",
        "/ocpi/2.3.0/sender",
    ]


@pytest.mark.parametrize("entrance", ENTRANCES, ids=lambda entrance: str(entrance.path))
def test_every_endpoint_leads_to_its_interface(entrance: Entrance) -> None:
    for module, interface in interfaces_of(entrance.version):
        if entrance.interface_of(module) is interface:
            assert endpoint_path(entrance.version, module, interface, entrance.face) == f"{entrance.path}/{module}"
        else:
            assert entrance.face is None or FACE_MODULES[entrance.face][module] is not interface


@pytest.mark.parametrize("face", Face)
def test_a_face_has_no_module_that_2_1_1_does_not_have(face: Face) -> None:
    for module in ("chargingprofiles", "credentials", "hubclientinfo", "x" * 4000):
        with pytest.raises(NoSuchPath) as caught:
            Entrance(Version.V2_1_1, None, face).interface_of(module)
        assert len(str(caught.value)) < 150


@pytest.mark.parametrize("interface", InterfaceRole)
def test_an_interface_is_the_same_for_every_module(interface: InterfaceRole) -> None:
    for version, dialect in DIALECTS.items():
        if dialect.interface_roles:
            assert Entrance(version, interface, None).interface_of("anything") is interface


def test_the_endpoint_of_a_face_has_no_interface_in_it() -> None:
    path = endpoint_path(Version.V2_1_1, "tokens", InterfaceRole.RECEIVER, Face.CPO)

    assert path == "/ocpi/2.1.1/cpo/tokens"
