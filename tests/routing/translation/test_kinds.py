"""What an operation carries there and back."""

import pytest

from routing.modules import operation_at
from routing.translation.kinds import Kind, carried_by
from routing.vocabulary import InterfaceRole, Version

_S, _R = InterfaceRole.SENDER, InterfaceRole.RECEIVER


@pytest.mark.parametrize(
    ("module", "interface", "method", "path", "request_kind", "answer_kind"),
    [
        ("locations", _S, "GET", "", None, Kind.LOCATION),
        ("locations", _S, "GET", "L1", None, Kind.LOCATION),
        ("locations", _S, "GET", "L1/E1", None, Kind.EVSE),
        ("locations", _S, "GET", "L1/E1/1", None, Kind.CONNECTOR),
        ("locations", _R, "PATCH", "NL/CPO/L1/E1", Kind.EVSE, None),
        ("locations", _R, "GET", "NL/CPO/L1/E1/1", None, Kind.CONNECTOR),
        ("sessions", _R, "PUT", "NL/CPO/S1", Kind.SESSION, None),
        (
            "sessions",
            _S,
            "PUT",
            "S1/charging_preferences",
            Kind.CHARGING_PREFERENCES,
            Kind.CHARGING_PREFERENCES_RESPONSE,
        ),
        ("cdrs", _R, "POST", "", Kind.CDR, None),
        ("cdrs", _R, "GET", "some-id", None, Kind.CDR),
        ("tariffs", _R, "DELETE", "NL/CPO/T1", Kind.TARIFF, None),
        ("tokens", _S, "POST", "U1/authorize", Kind.LOCATION_REFERENCES, Kind.AUTHORIZATION_INFO),
        ("tokens", _R, "PUT", "DE/MSP/U1", Kind.TOKEN, None),
        ("commands", _R, "POST", "RESERVE_NOW", Kind.RESERVE_NOW, Kind.COMMAND_RESPONSE),
        ("commands", _S, "POST", "RESERVE_NOW/id", Kind.COMMAND_RESULT, None),
        ("chargingprofiles", _R, "PUT", "S1", Kind.SET_CHARGING_PROFILE, Kind.CHARGING_PROFILE_RESPONSE),
        ("chargingprofiles", _R, "DELETE", "S1", None, Kind.CHARGING_PROFILE_RESPONSE),
        ("chargingprofiles", _S, "POST", "callback/id", Kind.CHARGING_PROFILE_RESULT, None),
        ("chargingprofiles", _S, "PUT", "S1", Kind.ACTIVE_CHARGING_PROFILE, None),
    ],
)
def test_an_operation_carries_what_its_chapter_says(
    module: str, interface: InterfaceRole, method: str, path: str, request_kind: Kind | None, answer_kind: Kind | None
) -> None:
    segments = tuple(path.split("/")) if path else ()
    operation = operation_at(Version.V2_2_1, module, interface, method, segments)
    assert carried_by(operation, segments) == (request_kind, answer_kind)


def test_a_command_that_only_two_partners_know_carries_something_unknown() -> None:
    operation = operation_at(Version.V2_3_0, "commands", _R, "POST", ("X_OPEN_HOOD",))
    assert carried_by(operation, ("X_OPEN_HOOD",)) == (None, Kind.COMMAND_RESPONSE)


def test_modules_that_are_never_translated_carry_nothing_known() -> None:
    operation = operation_at(Version.V2_3_0, "payments", _S, "GET", ("terminals",))
    assert carried_by(operation, ("terminals",)) == (None, None)
