"""Where a message goes: the table of `routing.decision`, row by row, and the URL that it goes to."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.bodies import read_members
from routing.clues import Clues
from routing.decision import check_object, check_owner, check_sender
from routing.decision import decide as decide_with
from routing.directory import PartyDirectory, PlatformPart
from routing.errors import (
    ForeignSender,
    HubError,
    InvalidParameters,
    NoSuchPath,
    NotRoutable,
    ReceiverUnreachable,
    SuspendedSender,
    UnknownReceiver,
    UnreadableBody,
)
from routing.message import NO_ROUTING, Message, RoutingHeaders
from routing.modules import FACE_MODULES, custom_operation, interfaces_of, operation_at
from routing.open_routing import Rules
from routing.quirks import Quirks
from routing.receivers import connected, url_at
from routing.routes import Forward
from routing.translation.crossing import AnsweredByHub
from routing.vocabulary import ConnectionStatus, Face, InterfaceRole, Party, Version
from tests.routing.directories import connection, part

SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER
HUB = Party("EU", "HUB")
CPO, SIBLING, EMSP, OLDER, BOTH = (Party("NL", name) for name in ("CPO", "SIB", "MSP", "OLD", "TWO"))
PLANNED, OFFLINE, SUSPENDED, NOBODY = (Party("DE", name) for name in ("PLA", "OFF", "SUS", "XXX"))


def decide(message: Message, directory: PartyDirectory, hub: Party) -> Forward:
    """The way of a message that goes to one party; nothing is known of earlier ones."""
    platform_of_sender = directory.platform_of(message.sender)
    own = () if platform_of_sender is None else platform_of_sender.parties
    route = decide_with(message, {}, own, directory, hub, Rules(), Clues({}))
    assert isinstance(route, Forward)
    return route


def endpoints(version: Version, base: str, *interfaces: InterfaceRole) -> dict[tuple[str, InterfaceRole], str]:
    """An endpoint for everything that the version has."""
    return {
        (module, interface): f"{base}/{interface.lower()}/{module}"
        for module, interface in interfaces_of(version)
        if interface in interfaces
    }


def platform(
    platform_id: str, *parties: Party, version: Version = Version.V2_2_1, quirks: Quirks | None = None
) -> PlatformPart:
    """A connected platform that offers both sides of everything."""
    offered = endpoints(version, f"https://{platform_id}.example/ocpi", SENDER, RECEIVER)
    return part(
        platform_id,
        *parties,
        connections=(connection(platform_id, version, offered, quirks=quirks),),
        quirks=quirks,
    )


def of_two_faces(platform_id: str, party: Party) -> PlatformPart:
    """A 2.1.1 company that is a CPO on one connection and an eMSP on another."""
    # What the hub calls at a partner is what the hub would offer if it posed as that partner.
    ways = tuple(
        connection(
            platform_id,
            Version.V2_1_1,
            {key: f"https://{partner}.example/{key[0]}" for key in FACE_MODULES[partner].items()},
            face=face,
        )
        for face, partner in ((Face.EMSP, Face.CPO), (Face.CPO, Face.EMSP))
    )
    return part(platform_id, party, connections=ways)


DIRECTORY = PartyDirectory.of(
    1,
    [
        platform("cpo", CPO, SIBLING),
        platform("emsp", EMSP),
        platform("older", OLDER, version=Version.V2_1_1),
        of_two_faces("both", BOTH),
        part("planned", PLANNED, status=ConnectionStatus.PLANNED),
        part("offline", OFFLINE, status=ConnectionStatus.OFFLINE, connections=platform("offline").platform.connections),
        part("suspended", SUSPENDED, status=ConnectionStatus.SUSPENDED),
    ],
)


def message(
    receiver: Party | None,
    *,
    sender: Party = EMSP,
    version: Version = Version.V2_2_1,
    module: str = "locations",
    interface: InterfaceRole = SENDER,
    method: str = "GET",
    path: str = "",
    query: str = "",
) -> Message:
    """A message to this party, about locations if nothing else is said."""
    segments = tuple(path.split("/")) if path else ()
    operation = operation_at(version, module, interface, method, segments)
    return Message(version, operation, segments, query, sender, receiver, None)


# ---------------------------------------------------------------------------------------------------------- the table


@pytest.mark.parametrize("receiver", [CPO, SIBLING, EMSP])
def test_a_message_goes_to_the_party_it_names(receiver: Party) -> None:
    route = decide(message(receiver), DIRECTORY, HUB)

    platform_of_receiver = DIRECTORY.platform_of(receiver)
    assert platform_of_receiver is not None
    assert route.receiver == receiver
    assert route.connection is platform_of_receiver.connections[0]
    assert route.url == f"https://{platform_of_receiver.id}.example/ocpi/sender/locations"


@pytest.mark.parametrize(
    ("receiver", "error", "status"),
    [
        (NOBODY, UnknownReceiver, 4001),
        (PLANNED, ReceiverUnreachable, 4003),
        (OFFLINE, ReceiverUnreachable, 4003),
        (SUSPENDED, ReceiverUnreachable, 4003),
    ],
    ids=str,
)
def test_a_message_that_cannot_be_carried_says_why(receiver: Party, error: type[HubError], status: int) -> None:
    with pytest.raises(error) as caught:
        decide(message(receiver), DIRECTORY, HUB)

    assert (caught.value.http_status, caught.value.ocpi_status) == (200, status)


def test_a_party_that_is_hidden_reads_like_one_that_does_not_exist() -> None:
    unknown_sender = message(CPO, sender=NOBODY)  # nobody may see anybody
    errors = []
    for each in (message(NOBODY), unknown_sender):
        with pytest.raises(UnknownReceiver) as caught:
            decide(each, DIRECTORY, HUB)
        errors.append((str(caught.value), caught.value.answer_headers()))

    assert errors[0] == errors[1]
    assert "CPO" not in errors[0][0]


def test_a_message_to_a_sibling_of_the_same_platform_is_delivered() -> None:
    route = decide(message(SIBLING, sender=CPO), DIRECTORY, HUB)

    assert (route.receiver, route.connection.platform_id) == (SIBLING, "cpo")


def test_a_receiver_without_the_interface_is_not_routable() -> None:
    only_tokens = connection("few", endpoints={("tokens", RECEIVER): "https://few.example/tokens"})
    few = Party("NL", "FEW")
    directory = DIRECTORY.replacing(2, [part("few", few, connections=(only_tokens,))])

    with pytest.raises(NotRoutable, match="SENDER interface of the module locations"):
        decide(message(few), directory, HUB)
    with pytest.raises(NotRoutable, match="SENDER interface of the module tokens"):
        decide(message(few, module="tokens"), directory, HUB)
    route = decide(message(few, module="tokens", interface=RECEIVER, path="NL/MSP/U1"), directory, HUB)
    assert route.url == "https://few.example/tokens/NL/MSP/U1"


@pytest.mark.parametrize("version", [Version.V2_1_1, Version.V2_2, Version.V2_3_0])
def test_a_receiver_of_another_version_is_called_in_its_own(version: Version) -> None:
    route = decide(message(CPO, version=version), DIRECTORY, HUB)

    assert route.connection.version is Version.V2_2_1


@pytest.mark.parametrize(
    ("module", "interface", "method", "path"),
    [("chargingprofiles", RECEIVER, "PUT", "S1"), ("commands", RECEIVER, "POST", "CANCEL_RESERVATION")],
)
def test_what_the_version_of_the_receiver_has_no_word_for_is_answered_by_the_hub(
    module: str, interface: InterfaceRole, method: str, path: str
) -> None:
    older = Party("NL", "OLD")
    directory = DIRECTORY.replacing(2, [platform("older", older, version=Version.V2_1_1)])

    with pytest.raises(AnsweredByHub) as answered:
        decide(message(older, module=module, interface=interface, method=method, path=path), directory, HUB)
    assert answered.value.data["result"] == "NOT_SUPPORTED"


@pytest.mark.parametrize("version", Version)
def test_the_same_version_is_routable(version: Version) -> None:
    same = Party("NL", "SAM")
    directory = DIRECTORY.replacing(2, [platform("same", same, version=version)])

    assert decide(message(same, version=version), directory, HUB).connection.version is version


@pytest.mark.parametrize(
    ("module", "interface", "method", "path", "role"),
    [
        ("locations", SENDER, "GET", "L1", Face.CPO),
        ("tokens", RECEIVER, "PUT", "NL/MSP/U1", Face.CPO),
        ("commands", RECEIVER, "POST", "STOP_SESSION", Face.CPO),
        ("sessions", SENDER, "GET", "", Face.CPO),
        ("locations", RECEIVER, "PUT", "NL/MSP/L1", Face.EMSP),
        ("tokens", SENDER, "POST", "U1/authorize", Face.EMSP),
        ("cdrs", RECEIVER, "POST", "", Face.EMSP),
        ("tariffs", RECEIVER, "DELETE", "NL/MSP/T1", Face.EMSP),
    ],
)
def test_of_two_connections_the_one_with_the_interface_is_called(
    module: str, interface: InterfaceRole, method: str, path: str, role: Face
) -> None:
    path = path.replace("NL/MSP", "NL/OLD")
    asked = message(
        BOTH, version=Version.V2_1_1, module=module, interface=interface, method=method, path=path, sender=OLDER
    )

    route = decide(asked, DIRECTORY, HUB)

    assert route.url.startswith(f"https://{role}.example/{module}")
    assert route.connection.face is not role


def test_a_party_that_is_connected_is_found() -> None:
    assert connected(CPO, DIRECTORY).id == "cpo"
    with pytest.raises(UnknownReceiver):
        connected(NOBODY, DIRECTORY)
    with pytest.raises(ReceiverUnreachable):
        connected(OFFLINE, DIRECTORY)


# ------------------------------------------------------------------------------------------------------------- the URL

SEGMENT = st.text(alphabet="Az09-._~!$&'()*+,;=:@", min_size=1, max_size=8) | st.sampled_from(
    ["%2F", "A%20B%c3%b6%231"]
)
QUERY = st.text(alphabet="Az09=&%[]'\"?/+:;", max_size=20)


@given(SEGMENT, SEGMENT, QUERY, st.booleans())
def test_path_and_query_reach_the_receiver_as_they_came(a: str, b: str, query: str, slash: bool) -> None:
    quirks = Quirks(trailing_slash=slash)
    way = connection("cpo", endpoints={("locations", SENDER): "https://cpo.example/x"}, quirks=quirks)

    url = url_at(way, message(CPO, path=f"{a}/{b}", query=query))

    assert url == f"https://cpo.example/x/{a}/{b}{'/' if slash else ''}{'?' if query else ''}{query}"


@pytest.mark.parametrize("endpoint", ["https://cpo.example/x", "https://cpo.example/x/"])
def test_an_endpoint_is_called_as_it_was_registered_and_joined_with_one_slash(endpoint: str) -> None:
    way = connection("cpo", endpoints={("locations", SENDER): endpoint})

    assert url_at(way, message(CPO, path="", query="limit=5")) == f"{endpoint}?limit=5"
    assert url_at(way, message(CPO, path="L1", query="")) == "https://cpo.example/x/L1"


@pytest.mark.parametrize(
    ("path", "query", "plain", "with_slash"),
    [
        ("", "", "https://cpo.example/x", "https://cpo.example/x/"),
        ("", "limit=5", "https://cpo.example/x?limit=5", "https://cpo.example/x/?limit=5"),
        ("L1", "", "https://cpo.example/x/L1", "https://cpo.example/x/L1/"),
        ("L1", "a=/", "https://cpo.example/x/L1?a=/", "https://cpo.example/x/L1/?a=/"),
    ],
)
def test_some_partners_want_a_slash_at_the_end(path: str, query: str, plain: str, with_slash: str) -> None:
    found = {("locations", SENDER): "https://cpo.example/x"}
    asked = message(CPO, path=path, query=query)

    assert url_at(connection("cpo", endpoints=found), asked) == plain
    assert url_at(connection("cpo", endpoints=found, quirks=Quirks(trailing_slash=True)), asked) == with_slash


@pytest.mark.parametrize(
    "registered",
    [
        "https://ptp.example/payments",
        "https://ptp.example/payments/terminals",
        "https://ptp.example/payments/financial-advice-confirmations",
    ],
)
@pytest.mark.parametrize("path", ["terminals", "terminals/T1", "financial-advice-confirmations/F1"])
def test_payments_are_found_below_whatever_url_was_registered(registered: str, path: str) -> None:
    way = connection("ptp", Version.V2_3_0, {("payments", SENDER): registered})

    url = url_at(way, message(CPO, version=Version.V2_3_0, module="payments", path=path))

    assert url == f"https://ptp.example/payments/{path}"


def test_only_payments_have_endpoints_below_their_endpoint() -> None:
    way = connection("cpo", endpoints={("locations", SENDER): "https://cpo.example/terminals"})

    assert url_at(way, message(CPO, path="L1")) == "https://cpo.example/terminals/L1"


def test_a_custom_module_is_called_like_any_other() -> None:
    way = connection("cpo", endpoints={("nltnm-tokens", SENDER): "https://cpo.example/custom"})
    operation = custom_operation("nltnm-tokens", SENDER, "POST")
    asked = Message(Version.V2_2_1, operation, ("a", "b"), "c=d", EMSP, CPO, b"{}")

    assert url_at(way, asked) == "https://cpo.example/custom/a/b?c=d"


# ---------------------------------------------------------------------------------------------------------- the sender


def sender_of(addresses: RoutingHeaders, each: PlatformPart, version: Version = Version.V2_2_1) -> Party:
    through = connection(each.platform.id, version, quirks=each.platform.quirks)
    return check_sender(addresses, through, DIRECTORY.replacing(2, [each]))


@pytest.mark.parametrize("party", [CPO, SIBLING])
def test_a_platform_speaks_for_each_of_its_parties(party: Party) -> None:
    assert sender_of(RoutingHeaders(EMSP, party), platform("cpo", CPO, SIBLING)) == party


def test_the_one_party_of_a_platform_need_not_be_named() -> None:
    assert sender_of(NO_ROUTING, platform("emsp", EMSP)) == EMSP
    assert sender_of(RoutingHeaders(CPO, None), platform("emsp", EMSP)) == EMSP


@pytest.mark.parametrize(
    "each",
    [
        platform("cpo", CPO, SIBLING),
        platform("emsp", EMSP, quirks=Quirks(infer_from=False)),
        platform("empty"),
    ],
    ids=["two parties", "not wanted", "no party"],
)
def test_a_sender_that_cannot_be_guessed_is_missing(each: PlatformPart) -> None:
    with pytest.raises(InvalidParameters, match="OCPI-from"):
        sender_of(NO_ROUTING, each)


def test_a_version_without_routing_headers_means_its_one_party_whatever_is_wanted_of_others() -> None:
    each = platform("emsp", EMSP, quirks=Quirks(infer_from=False))

    assert sender_of(NO_ROUTING, each, Version.V2_1_1) == EMSP


def test_a_party_that_was_given_up_does_not_count_beside_the_one_that_is_left() -> None:
    both = platform("cpo", CPO, SIBLING)
    gone = msgspec.structs.replace(both.parties[0], status=ConnectionStatus.SUSPENDED)

    assert sender_of(NO_ROUTING, msgspec.structs.replace(both, parties=(gone, both.parties[1]))) == SIBLING


@pytest.mark.parametrize("party", [CPO, NOBODY, HUB, PLANNED])
def test_nobody_speaks_for_a_party_of_somebody_else(party: Party) -> None:
    with pytest.raises(ForeignSender) as caught:
        sender_of(RoutingHeaders(CPO, party), platform("emsp", EMSP))

    assert (caught.value.http_status, caught.value.ocpi_status) == (403, 2001)
    assert party.party_id not in str(caught.value)


@pytest.mark.parametrize("addresses", [RoutingHeaders(CPO, SUSPENDED), NO_ROUTING])
def test_a_suspended_party_does_not_speak(addresses: RoutingHeaders) -> None:
    with pytest.raises(SuspendedSender) as caught:
        sender_of(addresses, part("suspended", SUSPENDED, status=ConnectionStatus.SUSPENDED))

    assert (caught.value.http_status, caught.value.ocpi_status) == (403, 2001)


def test_a_party_that_is_not_heard_of_for_a_while_speaks() -> None:
    assert sender_of(NO_ROUTING, part("offline", OFFLINE, status=ConnectionStatus.OFFLINE)) == OFFLINE


# ---------------------------------------------------------------------------------------------------- whose object

OWN = (CPO, SIBLING)


def owner_checked(each: Message) -> None:
    """Nothing, if it is one the sender may push."""
    check_owner(each, OWN, DIRECTORY, HUB, Clues({}))


@pytest.mark.parametrize("path", ["NL/CPO/L1", "nl/cpo/L1", "NL/SIB/L1", "N%4C/CP%4f/L1", "NL/CPO/L1/E1/1"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH"])
def test_a_platform_pushes_objects_of_its_own_parties(path: str, method: str) -> None:
    owner_checked(message(EMSP, sender=CPO, interface=RECEIVER, method=method, path=path))


@pytest.mark.parametrize("path", ["NL/MSP/L1", "DE/CPO/L1", "XX/XXX/L1", "NL/CPO%2F/L1", "NL%2FCPO/L1/E1", "EU/HUB/L1"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH"])
def test_an_object_of_somebody_else_is_not_found(path: str, method: str) -> None:
    with pytest.raises(NoSuchPath):
        owner_checked(message(EMSP, sender=CPO, interface=RECEIVER, method=method, path=path))


def test_a_path_without_an_owner_has_nothing_to_check() -> None:
    owner_checked(message(CPO, path="NL/MSP"))
    owner_checked(message(CPO, module="tokens", interface=SENDER, method="POST", path="U1/authorize"))


def check(each: Message, body: str | dict[str, Any]) -> None:
    rule = each.operation.body
    assert rule is not None
    text = body if isinstance(body, str) else json.dumps(body)
    check_object(each, OWN, read_members(text.encode()), rule)


CDR = message(EMSP, sender=CPO, module="cdrs", interface=RECEIVER, method="POST")
OLD_CDR = message(EMSP, sender=CPO, version=Version.V2_1_1, module="cdrs", interface=RECEIVER, method="POST")
INVOICE = message(
    EMSP, sender=CPO, version=Version.V2_3_0, module="invoicereconciliation", interface=RECEIVER, method="POST"
)
BOOKING = message(EMSP, sender=CPO, version=Version.V2_3_0, module="bookings", method="POST")
COMMAND = message(EMSP, sender=CPO, module="commands", interface=RECEIVER, method="POST", path="START_SESSION")
TERMINAL = message(EMSP, sender=CPO, version=Version.V2_3_0, module="payments", method="PUT", path="terminals/T1")
RESPONSE_URL = {"response_url": "https://cpo.example/1"}


@pytest.mark.parametrize("posted", [CDR, INVOICE, BOOKING], ids=["cdr", "invoice", "booking"])
def test_a_posted_object_belongs_to_its_sender(posted: Message) -> None:
    check(posted, {"id": "1", "country_code": "nl", "party_id": "cpo"})
    check(posted, {"id": "1", "country_code": "NL", "party_id": "SIB"})
    check(posted, {"id": "1"})
    for country_code, party_id in (("NL", "MSP"), ("DE", "CPO"), ("EU", "HUB"), (7, ["CPO"])):
        with pytest.raises(InvalidParameters, match="another platform"):
            check(posted, {"id": "1", "country_code": country_code, "party_id": party_id})


def test_a_cdr_of_2_1_1_does_not_say_whose_it_is() -> None:
    check(OLD_CDR, {"id": "1", "auth_id": "U1"})


@pytest.mark.parametrize("posted", [COMMAND], ids=["command"])
def test_only_own_tokens_may_be_used(posted: Message) -> None:
    own = {"uid": "U1", "country_code": "NL", "party_id": "SIB"}
    foreign = own | {"party_id": "MSP"}

    check(posted, RESPONSE_URL | {"token": own})
    check(posted, RESPONSE_URL | {"token": {"uid": "U1"}})
    check(posted, RESPONSE_URL | {"tokens": [own, own]})
    for tokens in ({"token": foreign}, {"tokens": [own, foreign]}, {"token": own, "tokens": [foreign]}):
        with pytest.raises(InvalidParameters, match="another platform"):
            check(posted, RESPONSE_URL | tokens)


def test_a_token_with_two_owners_is_no_way_to_use_a_foreign_one() -> None:
    token = '{"uid":"U1","country_code":"NL","party_id":"MSP","party_id":"CPO"}'

    with pytest.raises(UnreadableBody):
        check(COMMAND, f'{{"response_url":"https://cpo.example/1","token":{token}}}')


def test_the_party_in_a_terminal_is_not_its_owner() -> None:
    check(TERMINAL, {"terminal_id": "T1", "country_code": "NL", "party_id": "MSP"})


def test_a_pushed_object_is_compared_with_its_path() -> None:
    pushed = message(EMSP, sender=CPO, interface=RECEIVER, method="PUT", path="NL/CPO/L1")

    check(pushed, {"id": "L1", "country_code": "NL", "party_id": "CPO"})
    for other in ({"id": "L2"}, {"country_code": "DE"}, {"party_id": "SIB"}):
        with pytest.raises(InvalidParameters, match="URL"):
            check(pushed, other)
