"""What the hub answers where the receiver's version has no word for what was asked."""

from __future__ import annotations

from typing import Any

import pytest

from routing.errors import Untranslatable
from routing.modules import custom_operation, operation_at
from routing.quirks import Quirks
from routing.translation.crossing import AnsweredByHub
from routing.translation.stand_ins import stand_in
from routing.vocabulary import InterfaceRole, Version

S, R = InterfaceRole.SENDER, InterfaceRole.RECEIVER
NO_QUIRKS = Quirks()
NOT_SUPPORTED = {"result": "NOT_SUPPORTED", "timeout": 0}


def answer(
    module: str, interface: InterfaceRole, method: str, path: str, target: Version, quirks: Quirks = NO_QUIRKS
) -> tuple[str | None, dict[str, Any]] | None:
    """The rule and the data of the hub's answer, if it answers."""
    segments = tuple(path.split("/")) if path else ()
    try:
        stand_in(operation_at(Version.V2_3_0, module, interface, method, segments), segments, target, quirks)
    except AnsweredByHub as answered:
        return answered.rule, answered.data
    return None


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_2_1_1_cpo_supports_no_charging_profiles(method: str) -> None:
    assert answer("chargingprofiles", R, method, "S1", Version.V2_1_1) == ("RF-08", NOT_SUPPORTED)


@pytest.mark.parametrize(("method", "path"), [("PUT", "S1"), ("POST", "callback/1")])
def test_a_2_1_1_emsp_cannot_be_told_of_charging_profiles(method: str, path: str) -> None:
    with pytest.raises(Untranslatable, match=r"^RF-09: ") as refused:
        answer("chargingprofiles", S, method, path, Version.V2_1_1)
    assert (refused.value.http_status, refused.value.ocpi_status) == (200, 4000)


def test_charging_preferences_of_a_2_1_1_cpos_session_are_not_found() -> None:
    with pytest.raises(Untranslatable) as refused:
        answer("sessions", S, "PUT", "S1/charging_preferences", Version.V2_1_1)
    assert str(refused.value) == "RF-07: charging preferences do not exist in OCPI 2.1.1"
    assert (refused.value.http_status, refused.value.ocpi_status) == (404, 2001)


def test_a_2_1_1_cpo_cannot_cancel_a_reservation() -> None:
    assert answer("commands", R, "POST", "CANCEL_RESERVATION", Version.V2_1_1) == (
        "RF-10",
        NOT_SUPPORTED
        | {"message": [{"language": "en", "text": "RF-10: CANCEL_RESERVATION does not exist in OCPI 2.1.1"}]},
    )


@pytest.mark.parametrize("target", [Version.V2_1_1, Version.V2_2, Version.V2_2_1])
def test_no_partner_before_2_3_0_supports_a_command_of_ones_own(target: Version) -> None:
    assert answer("commands", R, "POST", "SET_LIGHT", target) == ("M-55", NOT_SUPPORTED)


def test_a_command_can_be_agreed_upon() -> None:
    agreed = Quirks(extra_enum_values={"CommandType": ("SET_LIGHT",)})

    assert answer("commands", R, "POST", "SET_LIGHT", Version.V2_2_1, agreed) is None
    assert answer("commands", R, "POST", "SET_MUSIC", Version.V2_2_1, agreed) == ("M-55", NOT_SUPPORTED)


def test_a_2_3_0_partner_says_itself_which_commands_it_knows() -> None:
    assert answer("commands", R, "POST", "SET_LIGHT", Version.V2_3_0) is None


@pytest.mark.parametrize("target", Version)
@pytest.mark.parametrize("command", ["RESERVE_NOW", "START_SESSION", "STOP_SESSION", "UNLOCK_CONNECTOR"])
def test_every_version_has_these_commands(command: str, target: Version) -> None:
    assert answer("commands", R, "POST", command, target) is None


def test_the_result_of_a_command_can_be_told_in_every_version() -> None:
    for command in ("START_SESSION", "SET_LIGHT", "CANCEL_RESERVATION"):
        for target in Version:
            assert answer("commands", S, "POST", f"{command}/1", target) is None


@pytest.mark.parametrize("target", [Version.V2_2, Version.V2_2_1, Version.V2_3_0])
def test_everybody_since_2_2_knows_charging_profiles_and_preferences(target: Version) -> None:
    assert answer("chargingprofiles", R, "PUT", "S1", target) is None
    assert answer("chargingprofiles", S, "PUT", "S1", target) is None
    assert answer("sessions", S, "PUT", "S1/charging_preferences", target) is None
    assert answer("commands", R, "POST", "CANCEL_RESERVATION", target) is None


@pytest.mark.parametrize("target", [Version.V2_1_1, Version.V2_2, Version.V2_2_1])
@pytest.mark.parametrize(
    ("module", "interface", "method"),
    [("bookings", S, "GET"), ("payments", R, "POST"), ("invoicereconciliation", R, "POST")],
)
def test_the_modules_of_2_3_0_are_refused(module: str, interface: InterfaceRole, method: str, target: Version) -> None:
    path = "terminals" if module == "payments" else ""
    with pytest.raises(Untranslatable, match=rf"^M-73: .*{module}"):
        answer(module, interface, method, path, target)


@pytest.mark.parametrize("target", Version)
def test_everything_else_goes_to_the_receiver(target: Version) -> None:
    assert answer("locations", S, "GET", "", target) is None
    assert answer("sessions", S, "GET", "", target) is None
    assert answer("sessions", R, "PUT", "NL/CPO/S1", target) is None
    assert answer("tokens", S, "POST", "U1/authorize", target) is None
    stand_in(custom_operation("meters", S, "GET"), ("1",), target, NO_QUIRKS)
