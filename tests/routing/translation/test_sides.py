"""Who is who in an exchange."""

import pytest

from routing.modules import operation_at
from routing.translation.sides import BothSides, owner_of, sides_of
from routing.vocabulary import InterfaceRole, Party, Version

SENDER, RECEIVER = Party("AA", "SND"), Party("BB", "RCV")
_S, _R = InterfaceRole.SENDER, InterfaceRole.RECEIVER


@pytest.mark.parametrize(
    ("module", "interface", "method", "path", "cpo"),
    [
        ("locations", _R, "PUT", "NL/CPO/L1", SENDER),
        ("locations", _S, "GET", "", RECEIVER),
        ("tokens", _R, "PUT", "DE/MSP/T1", RECEIVER),
        ("tokens", _S, "POST", "T1/authorize", SENDER),
        ("commands", _R, "POST", "STOP_SESSION", RECEIVER),
        ("commands", _S, "POST", "STOP_SESSION/1", SENDER),
        ("chargingprofiles", _R, "PUT", "S1", RECEIVER),
        ("cdrs", _R, "POST", "", SENDER),
    ],
)
def test_who_offers_a_cpos_interface_is_the_cpo(
    module: str, interface: InterfaceRole, method: str, path: str, cpo: Party
) -> None:
    segments = tuple(path.split("/")) if path else ()
    operation = operation_at(Version.V2_2_1, module, interface, method, segments)
    assert sides_of(operation, SENDER, RECEIVER).cpo == cpo


def test_the_owner_is_the_one_in_the_path() -> None:
    segments = ("NL", "CPO", "L1")
    operation = operation_at(Version.V2_2_1, "locations", _R, "PUT", segments)
    assert owner_of(operation, segments, BothSides(SENDER, RECEIVER)) == Party("NL", "CPO")


@pytest.mark.parametrize(("module", "owner"), [("locations", SENDER), ("tokens", RECEIVER)])
def test_lists_belong_to_who_plays_the_part_that_owns_them(module: str, owner: Party) -> None:
    operation = operation_at(Version.V2_2_1, module, _S, "GET", ())
    assert owner_of(operation, (), BothSides(cpo=SENDER, emsp=RECEIVER)) == owner
