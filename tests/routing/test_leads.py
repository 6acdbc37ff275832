"""What leads to the receiver of a message that names none: one line for each lead, and for what tells several apart."""

from __future__ import annotations

import msgspec
import pytest

from routing.clues import Index, Way
from routing.errors import (
    UnknownReceiver,
)
from routing.message import Message
from routing.vocabulary import Party
from tests.routing.open_messages import (
    C1,
    C2,
    E1,
    E2,
    HUB,
    OTHER,
    PTP,
    RECEIVER,
    SCSP,
    SENDER,
    Known,
    leads,
    message,
    of,
    receiver,
    session,
    way,
)

BOOKING_REQUEST = {"request_id": "r1", "booking_location_id": "bl1", "location_id": "loc1"}
OF_C2 = {"country_code": "nl", "party_id": "cp2"}
TERMINAL = {"terminal_id": "t1", "reference": "serial1", "location_ids": ["loc1", "loc2"]}
READ_LOCATION = message(E1, "locations", SENDER, "GET", "Loc1")
START = message(E1, "commands", RECEIVER, "POST", "START_SESSION", body={"location_id": "loc1", "evse_uid": "ev1"})
LOCATION_OF_C1 = leads(Index.LOCATION, "LOC1", to=C1)


@pytest.mark.parametrize(
    ("sent", "known", "expected"),
    [
        # Locations
        (READ_LOCATION, LOCATION_OF_C1, C1),
        (message(E1, "locations", SENDER, "GET", "lo%631/EV1"), LOCATION_OF_C1, C1),
        (message(E1, "locations", SENDER, "GET", "LOC1/EV1/1"), LOCATION_OF_C1, C1),
        # Commands
        (START, LOCATION_OF_C1, C1),
        (message(E1, "commands", RECEIVER, "POST", "RESERVE_NOW", body={"location_id": "LOC1"}), LOCATION_OF_C1, C1),
        (
            message(E1, "commands", RECEIVER, "POST", "UNLOCK_CONNECTOR", body={"location_id": "LOC1"}),
            LOCATION_OF_C1,
            C1,
        ),
        (message(E1, "commands", RECEIVER, "POST", "WASH_CAR", body={"location_id": "LOC1"}), LOCATION_OF_C1, C1),
        (
            message(E1, "commands", RECEIVER, "POST", "STOP_SESSION", body={"session_id": "s1"}),
            leads(Index.SESSION_SHOWN, *of(E1, "S1"), to=C2),
            C2,
        ),
        (
            message(E1, "commands", RECEIVER, "POST", "CANCEL_RESERVATION", body={"reservation_id": "res-a"}),
            leads(Index.RESERVATION, *of(E1, "RES-A"), to=C2),
            C2,
        ),
        # Sessions, and their charging profiles
        (
            message(E1, "sessions", SENDER, "PUT", "s1/charging_preferences", body={}),
            leads(Index.SESSION_SHOWN, *of(E1, "S1"), to=C2),
            C2,
        ),
        (message(C1, "sessions", RECEIVER, "GET", "NL/CP1/s1"), session(C1, "s1", E2), E2),
        (
            message(SCSP, "chargingprofiles", RECEIVER, "GET", "s1", query="duration=900"),
            leads(Index.SESSION_SHOWN, *of(SCSP, "S1"), to=E1),
            E1,
        ),
        (
            message(E1, "chargingprofiles", RECEIVER, "PUT", "s1", body={}),
            leads(Index.SESSION_SHOWN, *of(E1, "S1"), to=C2),
            C2,
        ),
        (
            message(E1, "chargingprofiles", RECEIVER, "DELETE", "s1"),
            leads(Index.SESSION_SHOWN, *of(E1, "S1"), to=C2),
            C2,
        ),
        (
            message(C1, "chargingprofiles", SENDER, "PUT", "s1", body={}),
            leads(Index.PROFILE, *of(C1, "S1"), to=[Way(SCSP), Way(E1)]),
            SCSP,
        ),
        # Invoices
        (
            message(C1, "invoicereconciliation", RECEIVER, "GET", "NL/CP1/i1"),
            leads(Index.RECONCILIATION, *of(C1, "I1"), to=E1),
            E1,
        ),
        (
            message(E1, "invoicereconciliation", RECEIVER, "DELETE", "NL/MS1/i1"),
            leads(Index.RECONCILIATION, *of(E1, "I1"), to=C2),
            C2,
        ),
        (
            message(C1, "invoicereconciliation", RECEIVER, "PUT", "NL/CP1/i1", body={"cdrs": ["d1"]}),
            leads(Index.RECONCILIATION, *of(C1, "I1"), to=E1) | leads(Index.CDR, *of(C1, "D1"), to=E2),
            E1,
        ),
        (
            message(C1, "invoicereconciliation", RECEIVER, "PUT", "NL/CP1/i1", body={"cdrs": ["d1"]}),
            leads(Index.CDR, *of(C1, "D1"), to=E2),
            E2,
        ),
        (
            message(C1, "invoicereconciliation", RECEIVER, "POST", body={"cdrs": ["d1", "d2"]}),
            leads(Index.CDR, *of(C1, "D1"), to=E1) | leads(Index.CDR, *of(C1, "D2"), to=[Way(E2), Way(E1)]),
            E1,
        ),
        (
            message(E1, "invoicereconciliation", RECEIVER, "POST", body={"cdrs": ["d1"]}),
            leads(Index.CDR_GOT, *of(E1, "D1"), to=C2),
            C2,
        ),
        # Payments
        *(
            (
                message(C1, "payments", SENDER, method, path, body=body),
                leads(Index.TERMINAL, *of(C1, "T1"), to=PTP),
                PTP,
            )
            for method, path, body in (
                ("GET", "terminals/t1", None),
                ("POST", "terminals/t1/deactivate", None),
                ("PUT", "terminals/t1", {}),
                ("PATCH", "terminals/t1", {}),
            )
        ),
        (message(C1, "payments", SENDER, "POST", "terminals/activate", body={}), {}, PTP),
        (
            message(C1, "payments", SENDER, "GET", "financial-advice-confirmations/f1"),
            leads(Index.CONFIRMATION, *of(C1, "F1"), to=PTP),
            PTP,
        ),
        (
            message(PTP, "payments", RECEIVER, "GET", "terminals/t1"),
            leads(Index.TERMINAL, *of(PTP, "T1"), to=C2),
            C2,
        ),
        (
            message(PTP, "payments", RECEIVER, "GET", "financial-advice-confirmations/f1"),
            leads(Index.CONFIRMATION, *of(PTP, "F1"), to=C2),
            C2,
        ),
        (
            message(
                PTP,
                "payments",
                RECEIVER,
                "POST",
                "terminals",
                body=TERMINAL | OF_C2,
            ),
            leads(Index.TERMINAL, *of(PTP, "SERIAL1"), to=C1),
            C2,
        ),
        (
            message(PTP, "payments", RECEIVER, "POST", "terminals", body=TERMINAL),
            leads(Index.TERMINAL, *of(PTP, "SERIAL1"), to=C1) | leads(Index.LOCATION, "LOC1", to=C2),
            C1,
        ),
        (
            message(PTP, "payments", RECEIVER, "POST", "terminals", body=TERMINAL),
            leads(Index.LOCATION, "LOC1", to=C2) | leads(Index.LOCATION, "LOC2", to=[Way(C1), Way(C2)]),
            C2,
        ),
        (
            message(
                PTP,
                "payments",
                RECEIVER,
                "POST",
                "financial-advice-confirmations",
                body={"authorization_reference": "a1"},
            ),
            leads(Index.AUTHORIZATION, *of(PTP, "A1"), to=C2),
            C2,
        ),
        # Bookings
        (
            message(E1, "bookings", SENDER, "GET", "booking_locations/bl1"),
            leads(Index.BOOKING_LOCATION, "BL1", to=C2),
            C2,
        ),
        (
            message(E1, "bookings", SENDER, "GET", "booking_locations/bl1/cal1"),
            leads(Index.BOOKING_LOCATION, "BL1", to=C2),
            C2,
        ),
        (
            message(E1, "bookings", SENDER, "POST", body=BOOKING_REQUEST),
            leads(Index.BOOKING_LOCATION, "BL1", to=C2) | leads(Index.LOCATION, "LOC1", to=C1),
            C2,
        ),
        (
            message(E1, "bookings", SENDER, "POST", body=BOOKING_REQUEST),
            leads(Index.BOOKING, *of(E1, "R1"), to=C2) | leads(Index.LOCATION, "LOC1", to=C1),
            C2,
        ),
        (message(E1, "bookings", SENDER, "POST", body=BOOKING_REQUEST), LOCATION_OF_C1, C1),
        (message(C1, "bookings", RECEIVER, "GET", "NL/CP1/b1"), leads(Index.BOOKING, *of(C1, "B1"), to=E2), E2),
        (
            message(C1, "bookings", RECEIVER, "PUT", "NL/CP1/b1", body={"request_id": "r1"}),
            leads(Index.BOOKING, *of(C1, "R1"), to=E2),
            E2,
        ),
        (
            message(C1, "bookings", RECEIVER, "PATCH", "NL/CP1/b1", body={"last_updated": "x"}),
            leads(Index.BOOKING, *of(C1, "B1"), to=E2),
            E2,
        ),
        (
            message(
                C1,
                "bookings",
                RECEIVER,
                "PUT",
                "NL/CP1/b1",
                body={"booking_requests": [{"booking_request": {"country_code": "NL", "party_id": "MS2"}}]},
            ),
            {},
            E2,
        ),
        (
            message(
                C1,
                "bookings",
                RECEIVER,
                "PUT",
                "NL/CP1/b1",
                body={"booking_tokens": [{"country_code": "NL", "party_id": "MS2"}], "booking_requests": [7]},
            ),
            {},
            E2,
        ),
    ],
)
def test_what_is_known_of_the_ids_in_a_message_leads_to_its_receiver(
    sent: Message, known: Known, expected: Party
) -> None:
    assert receiver(sent, known) == expected
    if sent.operation.method != "GET" or sent.operation.interface is SENDER:
        assert receiver(msgspec.structs.replace(sent, receiver=HUB), known) == expected


# ------------------------------------------------------------------------------------------------------------- several


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        (READ_LOCATION, leads(Index.LOCATION, "LOC1", to=[Way(C1), Way(C2)])),
        (
            message(E1, "locations", SENDER, "GET", "LOC1/EV1"),
            leads(Index.LOCATION, "LOC1", to=[Way(C1, "EV1"), Way(C2, "EV1")]),
        ),
        (START, leads(Index.LOCATION, "LOC1", to=[Way(C1, "EV2"), Way(C2)])),
        (
            message(E1, "commands", RECEIVER, "POST", "STOP_SESSION", body={"session_id": "s1"}),
            leads(Index.SESSION_SHOWN, *of(E1, "S1"), to=[Way(C1), Way(C2)]),
        ),
        (
            message(E1, "commands", RECEIVER, "POST", "STOP_SESSION", body={"session_id": "s1"}),
            leads(Index.SESSION_SHOWN, *of(E1, "S1"), to=[Way(C1), Way(C2)])
            | session(C1, "s1", E1)
            | session(C2, "s1", E1),
        ),
        (
            message(C1, "payments", SENDER, "GET", "terminals/t1"),
            leads(Index.TERMINAL, *of(C1, "T1"), to=[Way(PTP), Way(OTHER)]),
        ),
        (
            message(C1, "invoicereconciliation", RECEIVER, "POST", body={"cdrs": ["d1", "d2"]}),
            leads(Index.CDR, *of(C1, "D1"), to=E1) | leads(Index.CDR, *of(C1, "D2"), to=E2),
        ),
        (
            message(
                C1,
                "bookings",
                RECEIVER,
                "PUT",
                "NL/CP1/b1",
                body={
                    "booking_tokens": [
                        {"country_code": "NL", "party_id": "MS1"},
                        {"country_code": "NL", "party_id": "MS2"},
                    ]
                },
            ),
            {},
        ),
        (
            message(PTP, "payments", RECEIVER, "POST", "terminals", body=TERMINAL),
            leads(Index.LOCATION, "LOC1", to=C2) | leads(Index.LOCATION, "LOC2", to=C1),
        ),
    ],
)
def test_when_several_may_be_meant_nobody_is(sent: Message, known: Known) -> None:
    with pytest.raises(UnknownReceiver, match="More than one"):
        way(sent, known)


@pytest.mark.parametrize(
    ("sent", "known", "expected"),
    [
        (
            message(E1, "locations", SENDER, "GET", "LOC1/ev%31"),
            leads(Index.LOCATION, "LOC1", to=[Way(C1, "EV2"), Way(C2, "EV1"), Way(C2)]),
            C2,
        ),
        (START, leads(Index.LOCATION, "LOC1", to=[Way(C1), Way(C2, "EV1")]), C2),
        (
            START,
            leads(Index.LOCATION, "LOC1", to=[Way(C1, "EV1"), Way(C2, "EV1")])
            | leads(Index.CUSTOMER_AT, *of(E1, "LOC1"), to=C2),
            C2,
        ),
        (
            READ_LOCATION,
            leads(Index.LOCATION, "LOC1", to=[Way(C1), Way(C2)]) | leads(Index.CUSTOMER_AT, *of(E1, "LOC1"), to=C1),
            C1,
        ),
        (
            message(E1, "commands", RECEIVER, "POST", "STOP_SESSION", body={"session_id": "s1"}),
            leads(Index.SESSION_SHOWN, *of(E1, "S1"), to=[Way(C1), Way(C2)])
            | session(C1, "s1", E2)
            | session(C2, "s1", E1, "COMPLETED"),
            C2,
        ),
        (
            message(E1, "chargingprofiles", RECEIVER, "PUT", "s1", body={}),
            leads(Index.SESSION_SHOWN, *of(E1, "S1"), to=[Way(C1), Way(C2)])
            | session(C1, "s1", E1, "COMPLETED")
            | session(C2, "s1", E1, "ACTIVE"),
            C2,
        ),
        (
            message(E1, "sessions", SENDER, "PUT", "s1/charging_preferences", body={}),
            leads(Index.SESSION_SHOWN, *of(E1, "S1"), to=[Way(C1), Way(C2)])
            | session(C1, "s1", E1, "PENDING")
            | session(C2, "s1", E1, "INVALID"),
            C1,
        ),
        (
            message(E1, "bookings", SENDER, "POST", body=BOOKING_REQUEST),
            leads(Index.BOOKING_LOCATION, "BL1", to=[Way(C1), Way(C2)]) | LOCATION_OF_C1,
            C1,
        ),
    ],
)
def test_what_is_known_beyond_the_id_tells_several_apart(sent: Message, known: Known, expected: Party) -> None:
    assert receiver(sent, known) == expected
