"""The operation tables, row by row against the interfaces of the specification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from routing import modules
from routing.dialects import DIALECTS
from routing.errors import NoSuchPath, WrongMethod
from routing.modules import FACE_MODULES, Operation, custom_operation, interfaces_of, operation_at, structured
from routing.vocabulary import CONFIGURATION_MODULES, Face, InterfaceRole, ModuleID, Version
from tests.ocpi import Schema, load

SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER
OWN_WAYS = CONFIGURATION_MODULES | {"versions"}
SCHEMAS = {version: load(version if version != "2.3.0" else "2.3.0+bookings+payments") for version in Version}

URLS_HANDED_OVER = {
    # The specification only says that the URL comes from the other side. Those that the hub hands over look like this.
    (ModuleID.CDRS, RECEIVER, "GET"): ("{cdr_proxy_id}",),
    (ModuleID.COMMANDS, SENDER, "POST"): ("{command}", "{callback_id}"),
    (ModuleID.CHARGING_PROFILES, SENDER, "POST"): ("callback", "{callback_id}"),
    (ModuleID.BOOKINGS, SENDER, "POST"): ("callback", "{callback_id}"),
}

Row = tuple[Version, str, InterfaceRole, str, tuple[str, ...]]


def interface_of(entry: Mapping[str, Any]) -> InterfaceRole:
    """2.1.1 names the side; a hub that poses as that side offers exactly its interfaces."""
    if entry["interface"] in {"CPO", "EMSP"}:
        return FACE_MODULES[Face(entry["interface"].lower())][entry["module"]]
    return InterfaceRole(entry["interface"])


def path_of(entry: Mapping[str, Any]) -> tuple[str, ...]:
    if entry["path"] is None:
        return URLS_HANDED_OVER[entry["module"], interface_of(entry), entry["method"]]
    return tuple(entry["path"].split("/")) if entry["path"] else ()


def described() -> Iterator[tuple[Row, Mapping[str, Any]]]:
    """Every functional operation of the specification."""
    for version, schema in SCHEMAS.items():
        for entry in schema.interfaces:
            if entry["module"] not in OWN_WAYS:
                row = (version, entry["module"], interface_of(entry), entry["method"], path_of(entry))
                yield row, entry


def shape(path: tuple[str, ...]) -> tuple[str, ...]:
    """The path without the names of its placeholders."""
    return tuple("{}" if part.startswith("{") else part for part in path)


def segments_of(path: tuple[str, ...]) -> tuple[str, ...]:
    """An example of the path."""
    return tuple(f"x{number}" if part.startswith("{") else part for number, part in enumerate(path))


def is_open(version: Version, operation: Operation) -> bool:
    """CommandType is an open enumeration since 2.3.0, so every name is a command."""
    return (version, operation.module, operation.path) == (Version.V2_3_0, ModuleID.COMMANDS, ("{command}",))


def operations() -> Iterator[tuple[Version, Operation]]:
    """Every operation of the tables."""
    for (version, _, _), endpoint in modules._ENDPOINTS.items():
        for rows in endpoint.by_length.values():
            for _, by_method in rows:
                for operation in by_method.values():
                    yield version, operation


DESCRIBED = list(described())


def _name(row: Row, entry: Mapping[str, Any]) -> str:
    return " ".join((*row[:4], "/".join(row[4]) or ".", str(entry["request"])))


EACH = [pytest.param(row, entry, id=_name(row, entry)) for row, entry in DESCRIBED]
EACH_WITH_A_BODY = [pytest.param(row, entry, id=_name(row, entry)) for row, entry in DESCRIBED if entry["request"]]


@pytest.mark.parametrize(("row", "entry"), EACH)
def test_every_operation_of_the_specification_is_found(row: Row, entry: Mapping[str, Any]) -> None:
    version, module, interface, method, path = row

    operation = operation_at(version, module, interface, method, segments_of(path))

    assert (operation.module, operation.interface, operation.method) == (module, interface, method)
    assert shape(operation.path) == shape(path) or is_open(version, operation)
    assert operation.owned == (path[:2] == ("{country_code}", "{party_id}"))
    assert operation.paged == entry["paginated"]
    # The one body that the specification does not have is tolerated: a deactivation is a POST, and many send {}.
    assert (operation.body is not None) == (entry["request"] is not None or path[-1:] == ("deactivate",))
    if operation.body is not None and entry["request"] is not None:
        assert operation.body.optional == entry.get("request_optional", False)
    if method == "PATCH":
        assert operation.body is not None
        assert operation.body.required == tuple(entry.get("request_required", ()))


def test_no_operation_exists_that_the_specification_does_not_have() -> None:
    known = {(*row[:4], shape(row[4])) for row, _ in DESCRIBED}
    found = {
        (version, o.module, o.interface, o.method, shape(o.path))
        for version, o in operations()
        if not is_open(version, o)
    }

    # Bookings have no results that come later, but tools that name a response_url all the same.
    assert found - known == {(Version.V2_3_0, ModuleID.BOOKINGS, SENDER, "POST", ("callback", "{}"))}


def _fields(schema: Schema, entry: Mapping[str, Any]) -> dict[str, Any]:
    return dict(schema.objects[entry["request"]].fields) if entry["request"] in schema.objects else {}


@pytest.mark.parametrize(("row", "entry"), EACH_WITH_A_BODY)
def test_what_is_checked_in_a_body_is_in_the_object_that_the_specification_puts_there(
    row: Row, entry: Mapping[str, Any]
) -> None:
    version, module, interface, method, path = row
    rule = operation_at(version, module, interface, method, segments_of(path)).body
    assert rule is not None
    fields = _fields(SCHEMAS[version], entry)

    assert {field for field, _ in rule.ids} <= fields.keys()
    assert set(rule.required) <= fields.keys()
    if path[:2] == ("{country_code}", "{party_id}"):
        assert rule.ids
        assert {segment for _, segment in rule.ids} == {path[-1]} or module == "invoicereconciliation"
    if version is not Version.V2_1_1:
        owned = "country_code" in fields and fields["country_code"].owner is not None
        # The party in a Terminal is the CPO it belongs to, while a payment terminal provider speaks of it.
        assert rule.owner == (owned and module != ModuleID.PAYMENTS)


def test_every_body_that_has_a_response_url_is_known_to_have_one() -> None:
    for (version, module, interface, method, path), entry in DESCRIBED:
        if "response_url" in _fields(SCHEMAS[version], entry):
            rule = operation_at(version, module, interface, method, segments_of(path)).body
            assert rule is not None
            assert rule.response_url


@pytest.mark.parametrize("version", Version)
def test_the_modules_of_a_version_are_those_of_its_tables(version: Version) -> None:
    routed = {(row[1], row[2]) for row, _ in DESCRIBED if row[0] is version}

    assert set(interfaces_of(version)) == routed
    assert {module for module, _ in interfaces_of(version)} == DIALECTS[version].modules
    assert interfaces_of(version) == sorted(interfaces_of(version))


@pytest.mark.parametrize("face", Face)
def test_a_face_has_one_interface_of_each_2_1_1_module(face: Face) -> None:
    assert FACE_MODULES[face].keys() == DIALECTS[Version.V2_1_1].modules
    assert FACE_MODULES[face] != FACE_MODULES[Face.CPO if face is Face.EMSP else Face.EMSP]


@pytest.mark.parametrize(
    ("version", "module", "interface", "method", "path", "allowed"),
    [
        ("2.2", "tariffs", RECEIVER, "PATCH", "NL/ABC/T1", "GET, PUT, DELETE"),
        ("2.2.1", "tariffs", RECEIVER, "PATCH", "NL/ABC/T1", "GET, PUT, DELETE"),
        ("2.3.0", "tariffs", RECEIVER, "PATCH", "NL/ABC/T1", "GET, PUT, DELETE"),
        ("2.2.1", "tokens", RECEIVER, "DELETE", "NL/ABC/U1", "GET, PUT, PATCH"),
        ("2.1.1", "tokens", RECEIVER, "DELETE", "NL/ABC/U1", "GET, PUT, PATCH"),
        ("2.2.1", "locations", RECEIVER, "POST", "NL/ABC/L1", "GET, PUT, PATCH"),
        ("2.2.1", "locations", SENDER, "PUT", "L1", "GET"),
        ("2.2.1", "locations", SENDER, "HEAD", "", "GET"),
        ("2.2.1", "cdrs", RECEIVER, "GET", "", "POST"),
        ("2.2.1", "cdrs", RECEIVER, "PUT", "C1", "GET"),
        ("2.2.1", "commands", RECEIVER, "GET", "START_SESSION", "POST"),
        ("2.2.1", "commands", RECEIVER, "get", "START_SESSION", "POST"),
        ("2.3.0", "payments", SENDER, "GET", "terminals/activate", "POST"),
        ("2.3.0", "invoicereconciliation", RECEIVER, "PATCH", "NL/ABC/I1", "GET, PUT, DELETE"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    version: str, module: str, interface: InterfaceRole, method: str, path: str, allowed: str
) -> None:
    segments = tuple(path.split("/")) if path else ()

    with pytest.raises(WrongMethod) as caught:
        operation_at(Version(version), module, interface, method, segments)

    assert caught.value.answer_headers() == {"Allow": allowed}


@pytest.mark.parametrize(
    ("version", "module", "interface", "method", "path"),
    [
        ("2.2.1", "tariffs", SENDER, "GET", "T1"),
        ("2.3.0", "tariffs", SENDER, "GET", "T1"),
        ("2.2.1", "sessions", SENDER, "GET", "S1"),
        ("2.2.1", "commands", RECEIVER, "POST", "FLY_AWAY"),
        ("2.2.1", "commands", RECEIVER, "POST", "start_session"),
        ("2.2.1", "commands", RECEIVER, "POST", ""),
        ("2.1.1", "commands", RECEIVER, "POST", "CANCEL_RESERVATION"),
        ("2.2.1", "locations", RECEIVER, "GET", ""),
        ("2.2.1", "locations", RECEIVER, "GET", "NL/ABC"),
        ("2.2.1", "locations", SENDER, "GET", "L1/E1/C1/more"),
        ("2.2.1", "sessions", SENDER, "PUT", "S1/charging_preference"),
        ("2.1.1", "sessions", SENDER, "PUT", "S1/charging_preferences"),
        ("2.1.1", "chargingprofiles", RECEIVER, "PUT", "S1"),
        ("2.2.1", "bookings", SENDER, "GET", ""),
        ("2.2.1", "payments", SENDER, "GET", "terminals"),
        ("2.2.1", "credentials", SENDER, "GET", ""),
        ("2.2.1", "hubclientinfo", SENDER, "GET", ""),
        ("2.2.1", "nltnm-tokens", SENDER, "GET", ""),
    ],
)
def test_what_a_version_does_not_have_is_not_found(
    version: str, module: str, interface: InterfaceRole, method: str, path: str
) -> None:
    with pytest.raises(NoSuchPath):
        operation_at(Version(version), module, interface, method, tuple(path.split("/")) if path else ())


def test_a_command_nobody_has_heard_of_is_a_command_since_2_3_0() -> None:
    operation = operation_at(Version.V2_3_0, "commands", RECEIVER, "POST", ("FLY_AWAY",))

    assert operation.body == operation_at(Version.V2_2_1, "commands", RECEIVER, "POST", ("START_SESSION",)).body


@pytest.mark.parametrize(
    ("module", "interface", "method", "path", "expected"),
    [
        ("payments", SENDER, "POST", "terminals/activate", ("terminals", "activate")),
        ("payments", SENDER, "GET", "terminals/T1", ("terminals", "{terminal_id}")),
        ("chargingprofiles", SENDER, "POST", "callback/1", ("callback", "{callback_id}")),
        ("bookings", SENDER, "GET", "booking_locations/B1", ("booking_locations", "{booking_location_id}")),
    ],
)
def test_a_literal_segment_is_tried_before_a_placeholder(
    module: str, interface: InterfaceRole, method: str, path: str, expected: tuple[str, ...]
) -> None:
    operation = operation_at(Version.V2_3_0, module, interface, method, tuple(path.split("/")))

    assert operation.path == expected


def test_only_urls_that_the_hub_made_end_in_an_id_of_the_hub() -> None:
    made = {(o.module, o.interface, o.method, o.hub_made) for _, o in operations() if o.hub_made is not None}

    assert made == {(*key, path[-1]) for key, path in URLS_HANDED_OVER.items()}


@pytest.mark.parametrize(
    ("method", "carries"), [("GET", False), ("POST", True), ("PUT", True), ("PATCH", True), ("DELETE", False)]
)
def test_a_custom_module_has_every_method_and_its_bodies_are_carried(method: str, carries: bool) -> None:
    operation = custom_operation("nltnm-tokens", SENDER, method)

    assert (operation.body is not None) == carries
    assert not operation.owned
    assert operation.hub_made is None


@pytest.mark.parametrize("method", ["TRACE", "HEAD", "OPTIONS", "CONNECT", "PROPFIND"])
def test_a_custom_module_has_no_method_that_ocpi_does_not_have(method: str) -> None:
    with pytest.raises(WrongMethod):
        custom_operation("nltnm-tokens", SENDER, method)


def test_a_long_module_name_is_not_repeated_in_full() -> None:
    with pytest.raises(NoSuchPath) as caught:
        operation_at(Version.V2_2_1, "x" * 4000, SENDER, "GET", ())

    assert len(str(caught.value)) < 150


# --- paths that are written in two ways


@pytest.mark.parametrize(
    ("interface", "written", "structure"),
    [
        (RECEIVER, "bookinglocations/NL/INF/BL0123", "NL/INF/booking_locations/BL0123"),
        (RECEIVER, "bookinglocations/NL/INF/BL0123/C0123", "NL/INF/booking_locations/BL0123/C0123"),
        (RECEIVER, "booking_locations/NL/INF/BL0123", "NL/INF/booking_locations/BL0123"),
        (RECEIVER, "NL/INF/booking_locations/BL0123", "NL/INF/booking_locations/BL0123"),
        (RECEIVER, "NL/INF/B0123", "NL/INF/B0123"),
        (SENDER, "bookinglocations/BL01", "booking_locations/BL01"),
        (SENDER, "booking_locations/BL01/23423", "booking_locations/BL01/23423"),
        (SENDER, "", ""),
    ],
)
def test_paths_of_the_examples_mean_those_of_the_structure(
    interface: InterfaceRole, written: str, structure: str
) -> None:
    segments = tuple(filter(None, written.split("/")))

    found = structured(Version.V2_3_0, "bookings", interface, segments)

    assert found == tuple(filter(None, structure.split("/")))
    assert operation_at(Version.V2_3_0, "bookings", interface, "GET", found).method == "GET"


def test_paths_of_other_modules_are_only_themselves() -> None:
    segments = ("bookinglocations", "NL", "INF", "BL1")

    assert structured(Version.V2_3_0, "locations", RECEIVER, segments) == segments
    assert structured(Version.V2_2_1, "bookings", RECEIVER, segments) == segments


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH"])
def test_no_booking_is_called_as_the_segment_for_its_locations(method: str) -> None:
    with pytest.raises(NoSuchPath):
        operation_at(Version.V2_3_0, "bookings", RECEIVER, method, ("NL", "INF", "booking_locations"))


@pytest.mark.parametrize(("row", "entry"), [*described()], ids=str)
def test_what_is_answered_with_data_is_known(row: Row, entry: Mapping[str, Any]) -> None:
    version, module, interface, method, path = row
    operation = operation_at(version, module, interface, method, segments_of(path))

    assert operation.returns_data == (entry["response"] is not None)
