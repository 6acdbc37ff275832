"""What is lost, replaced, assumed or refused between 2.1.1 and 2.2.1: a text for each way, read by `losses`.

A rule is three lines: its id, what it does and to which objects; what happens; what that means for who gets it, or,
where nothing is sent, for who sent it. `uncounted` rules belong to parts of the hub that do not report losses.
"""

from __future__ import annotations

from typing import Final

_BOTH_WAYS: Final = """\
L-01  lost  any object
A member that only the receiver's version has is left out when its value is not valid there, or would name the owner.
The receiver gets the object as if the member had never been there.

L-02  replaced  any object
Digits of a moment's fraction go: those beyond 25 characters, or with the setting `no_fraction` all of them.
Moments are less exact; a `last_updated` that is read back may be a fraction of a second earlier than the one sent.

L-04  replaced  Location, CDR
A text for people that is too long for the receiver's version is cut, such as an `address` at 45 characters.
The end of the text is missing. Ids, URLs and codes are never cut.

L-05  assumed  any object
A text that must be there and that nobody knows is written `#NA`.
The receiver gets a complete object, and takes `#NA` for unknown.

L-10  replaced  Location, EVSE, CDR
An id that is too long for the receiver's version is replaced by a shorter alias, with the setting `id_alias`.
The receiver knows the object by the alias; the hub puts the id back wherever the receiver uses it.

L-14  lost  Location, CDR
`state` is left out, and a CDR from 2.1.1 never has one.
The receiver does not learn the state or province of an address.

L-41  replaced  Session, CDR
A charging period that has lost all its dimensions gets the dimension `TIME` of 0.
The period keeps its place between its neighbours, and says nothing else.

L-42  lost, assumed  Session, CDR
The `tariff_id` of a charging period is left out for 2.1.1; for 2.2.1 it is derived from the tariffs or the connector.
2.1.1 cannot tell which tariff held when; in 2.2.1 the id is the hub's conclusion, and missing when there is none.

L-50  lost  CDR
`session_id` is left out for 2.1.1; for 2.2.1 it is there only when exactly one known session fits the CDR.
The receiver may have to match CDR and session by itself: by start, token and place.

L-63  lost, assumed  Tariff
The `vat` of a price is left out for 2.1.1; for 2.2.1 it is the setting `default_vat_pct` of the owner, or missing.
2.1.1 has prices without VAT; in 2.2.1 a missing `vat` reads as if no VAT applied.

L-90  lost  any answer
`data` is left out of an answer for which the specification defines none.
Who asked gets the status, which is all that was due.

RF-01  refused  any object
An id is longer than the receiver's version allows, and the setting `id_alias` is off.
The sender gets 4000, in 2.1.1 3000.

RF-02  refused  any object
A member that the receiver must have is neither in the message nor known, and has no default.
The sender gets 2001 and should send the object again, complete.

RF-13  refused uncounted  any message
The receiver has no endpoint for the module.
The sender gets 4000, in 2.1.1 3000.

RF-15  refused uncounted  any message
The sender's version does not have this method at this endpoint, such as PATCH on Tariffs in 2.2.1.
The sender gets HTTP 405 with 2000.
"""

_TO_2_2_1: Final = """\
L-07  assumed  any object
A PATCH without `last_updated` gets the time at which the hub received it.
The receiver accepts the PATCH, which its version would otherwise refuse; the time is the hub's.

L-11  lost  Location
The type `OTHER` or `UNKNOWN` becomes no `parking_type` at all.
The receiver does not know what kind of place it is; nor did the sender say.

L-17  assumed  Location
A missing `time_zone` comes from the setting `default_time_zone`, the country, or the nearest zone of the country.
Opening hours and tariff times are read in a zone that the owner never named.

L-18  assumed  Location
`publish` is true, because in 2.1.1 every Location is public.
The receiver may show the Location to everybody.

L-25  assumed  Location
A missing `twentyfourseven` follows from the hours that are given; hours beside a true one are left out.
The receiver gets one rule for the opening times where the sender gave none, or two.

L-26  replaced  Location, Session, CDR
A country in two letters becomes its code of three.
The receiver gets what both versions ask for.

L-31  assumed  Session, CDR
`cdr_token` is made from `auth_id` and what the hub has seen of the eMSP's Tokens.
Uid and type are the hub's conclusion; `#NA` and `OTHER` say that it knows no Token of that contract.

L-34  lost  Session
Of the embedded Location only the ids of Location, EVSE and Connector remain.
The receiver finds the rest in the Locations module.

L-39  lost  Session, CDR
The dimension `FLAT` of a charging period is left out.
No measurement is missing: a flat fee is part of the cost.

L-45  replaced  Session, CDR
Of several embedded EVSEs one is chosen, the one that is charging or else the first; of several Connectors the first.
The record may name another EVSE or Connector than the one that was used.

L-57  lost  CDR
The embedded Location is reduced to the members that a CdrLocation has.
Address, coordinates, EVSE and Connector arrive; operator, opening times, images and the like do not.

L-59  assumed  CDR
A Connector that the CDR does not describe is a type 2 socket with one phase.
With a `connector_id` of `#NA` the three members about the Connector mean nothing.

L-74  lost  LocationReferences
`connector_ids` is left out of a question for authorization.
The eMSP decides by Location and EVSE.

L-76  assumed  AuthorizationInfo
The `token` of the answer is what the hub has seen of it, or else what the question says.
Contract and issuer may be `#NA`; `whitelist` is then `NEVER`, so that the answer holds for this once.

L-83  assumed  CommandResponse
`timeout` is the setting `command_timeout_s` of a CPO that accepts the command, and 0 of one that does not.
The eMSP waits that long for the result; the CPO has not promised it.

L-84  replaced  CommandResponse
The answer `TIMEOUT` becomes `REJECTED`, and `message` says so.
The eMSP sees a refusal where the CPO gave up waiting for the station.

L-86  replaced  CommandResult
The result `UNKNOWN_SESSION` becomes `FAILED`, and `message` says so.
The eMSP learns the reason from `message` only.

RF-11  refused  Tariff
A PATCH of a Tariff, which 2.2.1 does not have, cannot be completed, because the Tariff is nowhere to be found.
The CPO gets HTTP 404 with 2000 and should send the whole Tariff with PUT.

RF-17  refused  Session
A PATCH has `charging_periods`, and the receiver's copy of the Session, which they change, cannot be read.
The CPO gets HTTP 404 with 2000 and should send the whole Session with PUT.

RF-20  refused  Session, CDR
A list of a 2.1.1 CPO has an object whose contract is known to be another eMSP's.
Who reads the list gets it without that object: a 2.1.1 CPO has one list for all eMSPs behind a hub.
"""

_TO_2_1_1: Final = """\
L-03  replaced  any object
Texts for people are spelled in ASCII, with the setting `ascii_only`.
Accents are gone, and a letter that has no spelling in ASCII is a question mark.

L-06  lost  Location, Session, CDR, Tariff, Token
`country_code` and `party_id` are left out of the object.
In a push the URL names the owner; in lists and CDRs nothing does, unless the setting `keep_fields` keeps the two.

L-08  replaced uncounted  status codes
A status code that 2.1.1 does not have becomes the nearest one that it has; `status_message` begins with the original.
Programs can tell success, their own mistake and a fault of the hub apart; an unknown Token is HTTP 404.

L-09  lost uncounted  headers
The routing headers are left out.
No header says who is talking: to a 2.1.1 partner the hub itself is the other side.

L-12  replaced  Location
`ALONG_MOTORWAY` and `ON_DRIVEWAY` become `OTHER`, a missing `parking_type` becomes `UNKNOWN`.
The receiver does not know what kind of place it is.

L-13  assumed  Location, Session, CDR
A missing `postal_code` becomes `#NA`.
The receiver takes it for unknown.

L-15  replaced  Location, Session, CDR
Coordinates are written with exactly six decimals.
The place moves by a few centimetres at most.

L-16  lost  Location
Facilities that 2.1.1 does not have are left out: bike sharing, tram stop, metro station, parking lot.
The receiver does not show them.

L-19  lost  Location
`publish` and `publish_allowed_to` are left out.
A 2.1.1 partner shows every Location it gets; those it must not show are not sent, see RF-03.

L-20  lost  EVSE
Capabilities that 2.1.1 does not have are left out, such as payment by debit card or charging preferences.
The receiver does not offer them.

L-21  lost  Location, EVSE
A Connector whose standard 2.1.1 does not have is left out, and with it an EVSE that has no other.
Drivers do not see that plug, which is better than a wrong one.

L-22  replaced  Connector, Session, CDR
Power types of two phases become `AC_1_PHASE`.
The receiver may show less power than there is, never more.

L-23  lost  Connector
`max_electric_power` is left out.
What the receiver computes from volts and amperes may be more than the Connector can give.

L-24  lost  Connector
Of several `tariff_ids` one remains: the price of a card or an app without further wishes, never an ad hoc price.
The receiver shows one price where there are several.

L-27  assumed  Location, Session, CDR
A missing `operator` is filled with the business details of the owner, unless the setting `fill_operator` is off.
The receiver sees whose station it is, and does not take the hub for its operator.

L-30  lost  Session, CDR
Of `cdr_token` only the contract id remains, as `auth_id`.
The receiver cannot tell which of the contract's Tokens was used.

L-32  replaced  Session, CDR
The auth method `COMMAND` becomes `AUTH_REQUEST`.
A session that the eMSP started by command looks like one it was asked about.

L-33  lost  Session, CDR, StartSession, ReserveNow, AuthorizationInfo
`authorization_reference` is left out.
A CPO need not repeat it, the hub does so for it; an eMSP cannot match its sessions by it.

L-35  assumed  Session
The Location is the one its owner has now, reduced to the EVSE and the Connector in use.
It may have changed since the session began.

L-36  assumed  Session
A Location, EVSE or Connector that cannot be found is a placeholder: `#NA`, coordinates of 0, 0 volts.
Only its ids are real; the receiver should show nothing else of it.

L-37  lost  Session, CDR
The `incl_vat` of a price is left out.
The receiver gets amounts without VAT, as everywhere in 2.1.1.

L-38  replaced  Session
The status `RESERVATION` becomes `PENDING`.
A reservation looks like a session that is about to begin.

L-40  lost  Session, CDR
Dimensions that 2.1.1 does not have are left out, such as `POWER`, `STATE_OF_CHARGE` and `RESERVATION_TIME`.
Energy, time, parking and current arrive; what else was measured does not.

L-43  lost  Session
`charging_periods` is left out of a PATCH when the receiver's copy of the Session, to which they belong, is unreadable.
The receiver keeps the periods it has, and misses the new ones until the Session is sent whole.

L-44  lost  Session
The id of an EVSE or Connector is left out of a PATCH when nobody knows the Location it belongs to.
The receiver goes on showing the former one until the Session is sent whole.

L-51  lost  CDR
`signed_data` is left out, unless the setting `keep_fields` keeps `cdr.signed_data`.
The driver cannot check what the meter signed, which some countries demand.

L-52  lost  CDR
The costs of energy, time, parking and reservation, and the fixed costs, are left out.
The receiver gets the total, and cannot explain it part by part.

L-53  lost  CDR
`invoice_reference_id` is left out.
The receiver cannot match the CDR with an invoice by it.

L-54  lost  CDR
`home_charging_compensation` is left out.
A CDR that pays a driver for charging at home looks like any other.

L-55  lost  CDR
`credit` and `credit_reference_id` are left out, of a credit only with the setting `credit_as_negative`.
A credit is told by its negative total and its remark only.

L-56  assumed  CDR
The Location is made from the CDR's; what 2.1.1 must have beyond it is unknown, 0, or the time of the start.
Id, address and Connector are real; status, kind of place, volts and amperes may not be.

L-58  replaced  Session, CDR
A connector standard that 2.1.1 does not have becomes type 2, with DC the combo of type 2.
The record arrives, and names another plug than the one that was used.

L-60  lost  Tariff
`type` is left out.
An ad hoc price, or the price of a preference, looks like everybody's.

L-61  lost  Tariff
`min_price` and `max_price` are left out.
What the receiver expects a session to cost may be too low or too high; the CDR has the price.

L-62  lost  Tariff
`start_date_time` and `end_date_time` are left out.
The receiver cannot tell a Tariff of the past or the future from one that holds now.

L-64  lost  Tariff
An element that is restricted by current is left out, with the setting `strict_tariffs` off.
The price that the receiver shows may be lower than the one in the CDR.

L-65  lost  Tariff
An element for reservations is left out.
The receiver does not know what a reservation costs; prices for charging are complete.

L-66  lost  Tariff, CDR
A Tariff that 2.1.1 cannot express is left out of a list or of a CDR.
The receiver has no price for it, which is better than a wrong one.

L-70  replaced  Token
The types `AD_HOC_USER` and `APP_USER` become `OTHER`.
The receiver cannot tell an app from other Tokens that are no cards.

L-71  lost  Token
`group_id` is left out.
A session cannot be stopped with another Token of the group.

L-72  lost  Token
`default_profile_type` is left out.
The CPO does not know the charging preference of the driver.

L-73  lost  Token
`energy_contract` is left out.
The CPO cannot use the driver's own supplier of energy.

L-75  lost  AuthorizationInfo
The `token` of the answer is left out.
The CPO knows the uid it asked about; contract and type the hub keeps for the Session and the CDR.

L-77  lost  Token
The `type` in the URL of a Token is left out.
Two Tokens of one uid cannot be told apart; the second one is not sent, see RF-12.

L-80  replaced  ReserveNow
A `reservation_id` that is no number, or a number another eMSP uses at this CPO, is replaced by a number of the hub.
The CPO shows a number that the eMSP does not know; the same reservation always has the same.

L-81  lost  StartSession
`connector_id` is left out.
The CPO chooses the Connector of the EVSE.

L-82  lost  CommandResponse
`timeout` and `message` are left out.
The eMSP does not learn how long to wait, nor why the command was refused.

L-85  replaced  CommandResult
Results that 2.1.1 does not have, such as `EVSE_OCCUPIED` and `FAILED`, become `REJECTED`.
The eMSP learns that it did not work, and not why.

L-87  lost  CommandResult
`message` is left out.
The eMSP cannot show the driver what the CPO says about it.

RF-03  refused  Location, EVSE, Connector
The Location is not public, and 2.1.1 would show it to everybody; the setting `forward_unpublished` sends it anyway.
The sender gets 4000; who reads it gets HTTP 404 with 2003; lists leave it out.

RF-04  refused  EVSE, Connector
The pushed Connector, or every Connector of the pushed EVSE, has a standard that 2.1.1 does not have.
The sender gets 4000.

RF-05  refused  CDR
A credit would be booked as a further charge, as 2.1.1 has no mark for it; the setting `credit_as_negative` sends it.
The sender gets 4000; lists leave it out; the parties have to settle it among themselves.

RF-06  refused  Tariff
No element of the Tariff can be said in 2.1.1, or, with the setting `strict_tariffs` on, one depends on current.
The sender gets 4000; lists and CDRs leave it out; a copy that the receiver was sent before is deleted there.

RF-07  refused  ChargingPreferences
The session is one of a 2.1.1 CPO, whose version has no charging preferences.
The sender gets HTTP 404 with 2001, as for an EVSE that cannot take them.

RF-08  refused  ChargingProfiles
The session is one of a 2.1.1 CPO, whose version has no charging profiles.
The sender gets 1000 with the result `NOT_SUPPORTED`.

RF-09  refused  ChargingProfiles
A charging profile, or a result about one, is for a partner whose version does not have the module.
The sender gets 4000.

RF-10  refused  CancelReservation
The CPO's version cannot cancel a reservation.
The sender gets 1000 with the result `NOT_SUPPORTED`.

RF-12  refused  Token
The uid belongs to another Token too, and the URL of 2.1.1 cannot say which: a blocked card could be unblocked.
The sender gets 4000; who reads it gets HTTP 404 with 4000; lists leave it out.

RF-14  refused  ReserveNow
The number for the reservation cannot be kept.
The sender gets 1000 with the result `REJECTED`.

RF-18  refused  CDR
The session was credited and the receiver could not be told (RF-05): a further CDR would bill it twice.
The sender gets 4000 and lists leave it out, until the parties have settled it and an operator says so.

RF-19  refused  Location
A PATCH makes a Location public, and the Location cannot be read to send it whole.
The CPO gets HTTP 404 with 2000 and should send the whole Location with PUT.
"""

WAYS_2_1_1: Final = {
    "2.1.1 <-> 2.2.1": _BOTH_WAYS,
    "2.1.1 -> 2.2.1": _TO_2_2_1,
    "2.2.1 -> 2.1.1": _TO_2_1_1,
}
