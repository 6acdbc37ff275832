"""What an object is after it has been in another version and has come back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec import structs

from routing.errors import Untranslatable
from routing.quirks import Quirks
from routing.translation.crossing import Crossing, Json
from routing.translation.kinds import Kind
from routing.translation.questions import ResidueOf
from routing.translation.residue import residue_of, with_residue
from routing.translation.steps import translate
from routing.vocabulary import Version
from tests.routing.translation.generated import Sent, changed, leaves, meant, objects, patches, sent

SOME: Final = settings(max_examples=60, deadline=None)
V211, V22, V221, V230 = Version
LATER: Final = ((V22, V221), (V221, V230))
SAME_IN_2_1_1: Final = (
    Kind.CONNECTOR,
    Kind.EVSE,
    Kind.RESERVE_NOW,
    Kind.START_SESSION,
    Kind.STOP_SESSION,
    Kind.TARIFF,
    Kind.TOKEN,
    Kind.UNLOCK_CONNECTOR,
)


class Trip:
    """There, back, and there again. Nothing is known of the owner, so nothing can be filled in."""

    def __init__(self, message: Sent) -> None:
        self.there, self.back = nobody_knows(message), nobody_knows(message.back({}))
        try:
            self.away = translate(message.body, message.kind, self.there)
            self.home = translate(self.away, message.kind, self.back)
            self.away_again = translate(self.home, message.kind, nobody_knows(message))
        except Untranslatable:
            assume(False)


def nobody_knows(message: Sent) -> Crossing:
    """The crossing of a message whose owner has no business details."""
    crossing = message.crossing()
    crossing.owner_details = None
    return crossing


# ---------------------------------------------------------------------------------------------- 2.1.1, 2.2.1 and back


@SOME
@given(sent(V211, V221, SAME_IN_2_1_1))
def test_what_2_1_1_says_comes_back_as_it_was(message: Sent) -> None:
    assert meant(Trip(message).home) == meant(message.body)


@SOME
@given(sent(V211, V221, [Kind.LOCATION]))
def test_a_location_of_2_1_1_comes_back_with_what_2_2_1_demands_of_it(message: Sent) -> None:
    home, body = meant(Trip(message).home), meant(message.body)

    if body["type"] == "OTHER":
        body["type"] = "UNKNOWN"
    body.setdefault("time_zone", home.get("time_zone"))
    if hours := body.get("opening_times"):
        hours.setdefault("twentyfourseven", not (hours.get("regular_hours") or hours.get("exceptional_openings")))
        if hours["twentyfourseven"]:
            hours.pop("regular_hours", None)
    assert home == meant(body)


@SOME
@given(sent(V211, V221, [Kind.SESSION]))
def test_a_session_of_2_1_1_comes_back_but_for_what_its_location_is_like(message: Sent) -> None:
    home, body = meant(Trip(message).home), meant(message.body)

    assert places(home.pop("location")) <= places(body.pop("location"))
    assert without_flat(home) == without_flat(body)


@SOME
@given(sent(V211, V221, [Kind.CDR]))
def test_a_cdr_of_2_1_1_comes_back_but_for_what_its_location_is_like(message: Sent) -> None:
    home, body = meant(Trip(message).home), meant(message.body)

    there, here = home.pop("location"), body.pop("location")
    assert places(there) <= places(here)
    for name in ("name", "address", "city", "postal_code", "country", "coordinates"):
        assert there.get(name) == here.get(name)
    assert without_flat(home) == without_flat(body)


@SOME
@given(sent(V211, V221, [Kind.AUTHORIZATION_INFO, Kind.LOCATION_REFERENCES]))
def test_an_authorization_of_2_1_1_comes_back_but_for_its_connectors(message: Sent) -> None:
    expected = changed(message.body, lambda body: [part.pop("connector_ids", None) for _, part in objects(body)])

    assert meant(Trip(message).home) == meant(expected)


@SOME
@given(patches(V211, V221))
def test_a_patch_of_2_1_1_comes_back_with_the_time_it_was_received(message: Sent) -> None:
    trip = Trip(message)
    expected = {"last_updated": "2024-06-01T12:00:00Z", **message.body}
    if expected.get("type") == "OTHER" and message.kind is Kind.LOCATION:
        expected["type"] = "UNKNOWN"

    assume(not trip.there.put)
    for name in ("charging_periods", "location", "opening_times"):
        expected.pop(name, None)
        trip.home.pop(name, None)
    assert trip.home == expected


@SOME
@given(sent(V221, V211))
def test_2_1_1_gives_back_nothing_that_was_not_given(message: Sent) -> None:
    trip = Trip(message)
    had = {part for path, _ in leaves(message.body) for part in path}
    has = {part for path, _ in leaves(trip.home) for part in path}

    assert has - had <= {"publish", "tariff_id", "timeout", "token", "cdr_token", *OF_A_TOKEN, *OF_A_LOCATION}


@SOME
@given(sent(V211, V221, [Kind.CONNECTOR, Kind.EVSE, Kind.LOCATION, Kind.TARIFF, Kind.TOKEN]))
def test_the_second_trip_to_2_2_1_is_as_the_first(message: Sent) -> None:
    trip = Trip(message)

    assert meant(trip.away_again) == meant(trip.away)


@SOME
@given(sent(V221, V211, [Kind.CONNECTOR, Kind.EVSE, Kind.LOCATION, Kind.TARIFF, Kind.TOKEN]))
def test_the_second_trip_to_2_1_1_is_as_the_first(message: Sent) -> None:
    trip = Trip(message)

    if trip.away.get("type") == "OTHER" and message.kind is Kind.LOCATION:
        trip.away["type"] = "UNKNOWN"
    assert meant(trip.away_again) == meant(trip.away)


@SOME
@given(sent(V221, V211, [Kind.CONNECTOR, Kind.EVSE, Kind.LOCATION, Kind.TARIFF, Kind.TOKEN]))
def test_an_owner_that_wants_it_reads_back_what_it_pushed(message: Sent) -> None:
    trip = Trip(message)
    owner, reader = trip.there.origin, trip.there.destination
    question = ResidueOf(trip.there.owner, message.kind, message.path_ids, reader.party)
    asked_back = structs.replace(
        trip.back,
        origin=reader,
        destination=structs.replace(owner, quirks=Quirks(residue=True)),
        known={question: residue_of(message.body, trip.away, trip.there.losses)},
    )
    home = with_residue(trip.away, trip.home, message.kind, asked_back)

    plain = {name: value for name, value in message.body.items() if not isinstance(value, list | dict)}
    assert meant({name: home.get(name) for name in plain}) == meant(plain)


# ------------------------------------------------------------------------------------------ 2.2, 2.2.1, 2.3.0 and back


@SOME
@given(sent(V221, V230))
def test_what_2_2_1_says_comes_back_from_2_3_0_as_it_was(message: Sent) -> None:
    trip = Trip(message)

    assert meant(trip.home) == meant(message.body)
    assert {loss.id for loss in trip.back.losses} <= {"M-08"}


@SOME
@given(sent(V22, V221))
def test_what_2_2_says_comes_back_from_2_2_1_as_it_was(message: Sent) -> None:
    trip = Trip(message)

    assert meant(trip.home) == meant(message.body)
    assert {loss.id for loss in trip.back.losses} <= {"M-84"}


@pytest.mark.parametrize(("older", "newer"), LATER)
@SOME
@given(data=st.data())
def test_what_the_older_version_can_say_comes_back_to_the_newer(
    older: Version, newer: Version, data: st.DataObject
) -> None:
    message = data.draw(sent(newer, older))
    trip = Trip(message)

    assume(not trip.there.losses)
    expected = meant(message.body)
    for _, part in objects(expected):
        if older is V22 and part.get("home_charging_compensation") is False:
            del part["home_charging_compensation"]
    assert meant(trip.home) == expected


@pytest.mark.parametrize(("older", "newer"), LATER)
@SOME
@given(data=st.data())
def test_what_is_in_the_older_version_already_stays(older: Version, newer: Version, data: st.DataObject) -> None:
    message = data.draw(sent(newer, older))
    first = translated(message)

    assert meant(translated(structs.replace(message, body=first))) == meant(first)


@pytest.mark.parametrize(("source", "target"), [(V221, V230), (V230, V221), (V221, V22), (V22, V221)])
@SOME
@given(data=st.data(), kind=st.sampled_from([Kind.CONNECTOR, Kind.EVSE, Kind.SESSION, Kind.TOKEN]))
def test_a_patch_changes_the_same_in_both_versions(
    source: Version, target: Version, kind: Kind, data: st.DataObject
) -> None:
    whole = data.draw(sent(source, target, [kind]))
    patch = structs.replace(
        data.draw(patches(source, target, [kind])), cpo=whole.cpo, emsp=whole.emsp, path_ids=whole.path_ids
    )
    merged = structs.replace(whole, body=merge(whole.body, patch.body))

    assert meant(translated(merged)) == meant(merge(translated(whole), translated(patch)))


@pytest.mark.parametrize(("source", "target"), [(V221, V230), (V230, V221), (V221, V22), (V22, V221)])
@SOME
@given(data=st.data())
def test_no_list_gets_a_value_twice(source: Version, target: Version, data: st.DataObject) -> None:
    message = data.draw(sent(source, target) | patches(source, target))

    for _, part in objects(translated(message)):
        for values in part.values():
            if isinstance(values, list) and all(isinstance(value, str) for value in values):
                assert len(values) == len(set(values))


@SOME
@given(sent(V221, V230, [Kind.CDR, Kind.SESSION]))
def test_taxes_add_up_to_what_was_above_the_net_amount(message: Sent) -> None:
    after = translated(message)

    for path, price in objects(message.body):
        if price.get("incl_vat") is not None and path[0] != "tariffs":
            taxes = at(after, path)["taxes"]
            assert sum(tax["amount"] for tax in taxes) == price["incl_vat"] - price["excl_vat"]


@SOME
@given(sent(V230, V221, [Kind.TARIFF]))
def test_a_net_price_is_the_gross_one_but_for_rounding(message: Sent) -> None:
    assume(message.body["tax_included"] == "YES")
    after = translated(message)

    for net, gross in zip(components(after), components(message.body), strict=True):
        rate = 1 + Decimal(gross.get("vat") or 0) / 100
        assert abs(net["price"] * rate - gross["price"]) <= Decimal("0.00005") * rate


OF_A_TOKEN: Final = (
    "auth_id",
    "contract_id",
    "country_code",
    "issuer",
    "party_id",
    "type",
    "uid",
    "valid",
    "whitelist",
)
OF_A_LOCATION: Final = ("time_zone", "operator", "name", "twentyfourseven", "last_updated")


def translated(message: Sent) -> Json:
    """What becomes of a message that can be said."""
    try:
        return message.translated()
    except Untranslatable:
        assume(False)
        raise


def places(location: Json) -> set[tuple[str, ...]]:
    """The ids that say where in a 2.1.1 Location somebody may have charged."""
    return {
        (location["id"], evse.get("uid"), connector.get("id"))
        for evse in location.get("evses") or [{}]
        for connector in evse.get("connectors") or [{}]
    }


def without_flat(record: Json) -> Json:
    """A Session or CDR without the dimension that 2.2 removed as meaningless."""
    for period in record.get("charging_periods", []):
        kept = [dimension for dimension in period["dimensions"] if dimension["type"] not in ("FLAT", "TIME")]
        period["dimensions"] = kept
    return record


def merge(body: Json, patch: Json) -> Json:
    """The object after a PATCH: members are replaced, charging periods are appended, null takes away."""
    merged = {**body, **patch}
    if "charging_periods" in patch:
        merged["charging_periods"] = [*(body.get("charging_periods") or []), *(patch["charging_periods"] or [])]
    return {name: value for name, value in merged.items() if value is not None}


def components(tariff: Json) -> list[Json]:
    """All prices of a Tariff."""
    return [component for element in tariff["elements"] for component in element["price_components"]]


def at(value: Any, path: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - any JSON
    """What is at a place."""
    for step in path:
        value = value[step]
    return value
