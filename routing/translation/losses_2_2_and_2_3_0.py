"""What is lost, replaced, assumed or refused between 2.2, 2.2.1 and 2.3.0: a text for each way, read by `losses`.

The form is that of `losses_2_1_1`.
"""

from __future__ import annotations

from typing import Final

_ANY: Final = """\
M-72  lost  any list
An object that cannot be said in the reader's version is left out of a list.
The rest is delivered; `status_message` names up to ten of those that are missing.

M-75  replaced uncounted  status codes
When the receiver rejects the hub's token with 401 or 403, who asked gets 4003.
Who asked sees that the receiver cannot be reached at present, and need not doubt its own token.
"""

_BEYOND_2_1_1: Final = """\
M-71  lost  any answer
`data` is left out of an answer for which the specification defines none.
Who asked gets the status, which is all that was due.

M-73  refused  any message
The receiver's version does not have the module, such as bookings or payments before 2.3.0.
The sender gets 4000, and the message names the module.

M-74  lost  any object
A member that the sender added on its own has the name of one that the receiver's version has, and is overwritten.
The receiver gets what its version means by that name.
"""

_BOTH_WAYS_2_3_0: Final = """\
M-03  refused  Session, CDR, Tariff
An amount of a price is missing, or is not a number.
The sender gets 2001; lists leave the object out, and a CDR the Tariff whose price it is.
"""

_TO_2_3_0: Final = """\
M-02  assumed  Session, CDR
The difference of `incl_vat` and `excl_vat` becomes a tax, named by the setting `default_tax_name` of the owner.
The amounts are exact; the name of the tax is an assumption, and its rate is not stated.

M-04  assumed  Tariff
`tax_included` is `NO`.
The receiver reads the prices as they were meant: before 2.3.0 they are always without tax.

M-42  lost  Token, Session, CDR
The type `OTHER` stays, because the owner has several Tokens of that uid, and any could be the one.
The receiver may not find the Token by uid and type.

M-60  lost uncounted  Credentials, ClientInfo
The role `HUB` is left out, which 2.3.0 does not have.
The receiver sees the parties behind another hub, not that hub.

M-62  assumed uncounted  Credentials
While no other party can be reached, the hub names itself with the role `OTHER`.
The receiver gets the one role that 2.3.0 demands.

M-64  assumed uncounted  Credentials
A party whose business details nobody knows has the name `#NA`.
The receiver takes the name for unknown.
"""

_FROM_2_3_0: Final = """\
M-01  lost  Session, CDR
The taxes of a price are added up in `incl_vat`.
The totals are exact; names, rates and account numbers of the taxes are gone.

M-05  lost  Tariff
`tax_included` of `N/A` cannot be said.
The receiver does not learn that no tax exists at all; read back in 2.3.0 it is `NO`.

M-06  replaced  Tariff
A price with tax becomes one without, by its rate, rounded to four decimals.
The price that the receiver shows may differ from the original in the fifth decimal; the CDR has the price that counts.

M-07  lost, refused  Tariff
A price with tax at a rate that nobody states goes on as it is; with the setting `gross_tariff` of `refuse` none does.
The driver sees the right price, and the receiver takes it for one without tax. When refused, the sender gets 4000.

M-08  lost  Tariff
A price without tax has no rate, which before 2.3.0 says that no tax applies.
The driver may have to pay tax on top of the price that the receiver shows.

M-09  refused  Tariff
`tax_included` is none of its three values, or a price or rate that it makes the hub compute with is not a number.
The sender gets 2001; lists leave the Tariff out, and so do CDRs.

M-10  lost  Tariff
`preauthorize_amount` is left out, unless the setting `additive` is `keep`.
The receiver does not know which amount will be reserved on a payment card.

M-11  lost  Tariff
An element for bookings is left out.
The receiver does not know what a booking costs, and does not take that price for one of charging.

M-12  refused  Tariff
The Tariff has elements for bookings only.
The sender gets 4000; lists leave the Tariff out, and so do CDRs.

M-13  assumed  Tariff
A missing `tax_included` is read as `NO`.
Prices that were meant with tax would look like prices without.

M-14  replaced  Tariff
`max_price` without tax is raised to the one with tax, because the prices beside it have tax too (M-07).
The limit holds for what the driver pays.

M-20  lost  Location
`parking_places` is left out, unless the setting `additive` is `keep`.
The receiver does not know the sizes and rules of the parking places.

M-21  lost  Location
`help_phone` is left out, unless the setting `additive` is `keep`.
The receiver cannot show the number to call.

M-22  lost  EVSE
`parking` is left out, unless the setting `additive` is `keep`.
The receiver does not know at which parking place the EVSE is.

M-23  lost  EVSE
`accepted_service_providers` is left out, unless the setting `additive` is `keep`.
The receiver does not know whose customers can charge here.

M-24  lost  Connector
`capabilities` is left out, unless the setting `additive` is `keep`.
The receiver does not offer plug and charge.

M-25  replaced  EVSE
The parking restrictions `EMPLOYEES` and `TENANTS` become `CUSTOMERS`.
The place is not shown as open to all, and whom it is for is less exact.

M-26  lost  EVSE
A parking restriction that the receiver does not know, such as `TAXIS`, is left out.
The place may look open to drivers who must not park there.

M-27  lost  EVSE
A capability that the receiver does not know is left out.
The receiver does not offer it.

M-28  lost  Location
A facility that the receiver does not know is left out.
The receiver does not show it.

M-29  lost  Location
A parking type that the receiver does not know is left out, in a PATCH by null.
The receiver does not know what kind of place it is.

M-30  replaced  Location, EVSE
An image category that the receiver does not know becomes `OTHER`.
The image arrives; what it shows does not.

M-31  lost  Location, Tariff
An environmental impact whose category the receiver does not know is left out.
The receiver does not show it.

M-32  replaced  Connector, CDR
`SAE_J3400` becomes `TESLA_S`, which has the same inlet.
A driver may be led to a plug that fits and a protocol that does not; a receiver that knows J3400 can have it instead.

M-40  replaced  Token, Session, CDR
The type `EMAID` becomes `OTHER`.
The receiver does not know that the Token is a contract id; in what it sends, the hub restores the type where it can.

M-41  replaced  Token, Session, CDR
A type of the sender's own becomes `OTHER`.
The receiver cannot tell it from other Tokens; in what it sends, the hub restores the type where it can.

M-43  refused  Token
Another Token of the same owner and uid has the type that this one would get.
The sender gets 4000, so that neither overwrites the other; lists leave it out.

M-50  lost  CDR
`booking_id` is left out, unless the setting `additive` is `keep`.
The receiver cannot match the CDR with a booking.

M-51  replaced  Session, CDR
The dimension `RESERVATION_EXPIRES` becomes `RESERVATION_TIME`, where the period has none.
The receiver sees the same time under the name that its version has for it.

M-52  lost  Session, CDR
Dimensions of bookings that the receiver does not know are left out, such as `RESERVATION_OVERTIME`.
The receiver sees the cost and not the time it was for.

M-53  assumed  Session, CDR
A charging period that has lost all its dimensions gets the dimension `TIME` of 0.
The period keeps its place between its neighbours, and says nothing else.

M-55  refused  Commands
The command is one that the receiver's version does not have.
The sender gets 1000 with the result `NOT_SUPPORTED`.

M-61  replaced uncounted  Credentials, ClientInfo
The role `PTP` is told as `OTHER` to partners without the payments module.
A payment terminal provider looks like a party without a role of its own.

M-63  lost uncounted  ClientInfo
The id of another hub is not told.
The receiver sees the parties behind that hub as if they were this hub's.

M-65  lost uncounted  ClientInfo
The business details of a party are not told.
The receiver knows the party by its ids.
"""

_DOWN: Final = """\
M-33  lost  Location, EVSE
A Connector whose standard the receiver does not know is left out.
Drivers do not see that plug, which is better than a wrong one; the setting `extra_enum_values` lets it pass.

M-34  lost  Location
An EVSE that has lost all its Connectors is left out.
Drivers do not see that EVSE.

M-35  refused  EVSE, Connector
The Connector, or every Connector of the EVSE, has a standard that the receiver does not know.
The sender gets 4000, and so does who reads it.

M-36  replaced  CDR
A connector standard that the receiver does not know stays, or becomes the setting `cdr_unknown_connector`.
The CDR arrives; a strict receiver may refuse it, and the CPO then sees its answer.
"""

_LENGTHS: Final = """\
M-76  lost  Location
`address` and `state` are cut at 45 and 20 characters for a partner whose setting `lengths` is `original`, as for 2.2.
The end of the text is missing.

M-77  refused uncounted  any object
An id, a URL or a key is longer than the receiver's version allows; so far no member's limit differs.
The sender gets 4000.

M-86  lost  CDR
`signed_data` that is too long for the receiver is left out whole, unless the setting `signed_oversize` is `pass`.
The driver cannot check what the meter signed; a cut signature could not be checked either.
"""

_FROM_2_2: Final = """\
M-80  assumed  Session, CDR
The owner of `cdr_token` is the eMSP of this exchange, or whose Token the hub has seen.
Who bills by the owner relies on the hub; on a platform of several eMSPs it may name the wrong one.

M-81  refused  Session, CDR
Nobody knows who owns the Token in `cdr_token`.
The sender gets 4000; lists leave the object out.
"""

_TO_2_2: Final = """\
M-70  assumed uncounted  status codes
4000 is used, although the 2.2 text does not list it.
Who asked sees a code among those of hubs that it may not know.

M-82  lost  Session, CDR
The owner of `cdr_token`, who is not the eMSP of this exchange, is left out, unless the setting `additive` is `keep`.
The receiver takes the Token for one of its own.

M-83  lost, refused  CDR
`home_charging_compensation` is left out; with the setting `home_compensation` of `refuse` the CDR is not sent.
A CDR that pays a driver for charging at home looks like any other. When refused, the sender gets 4000.

M-84  assumed  CDR
A missing `postal_code` becomes `#NA`.
The receiver takes it for unknown.

M-85  lost  CDR
The `state` of the CDR's location is left out, unless the setting `additive` is `keep`.
The receiver does not learn the state or province of the address.

M-87  lost  StartSession
`connector_id` is left out, unless the setting `additive` is `keep`.
The CPO chooses the Connector; in 2.2 an EVSE with several is several EVSEs.

M-89  lost  EVSE
The capability `START_SESSION_CONNECTOR_REQUIRED` is left out.
The receiver does not know that the CPO wants a Connector named in StartSession.

M-90  replaced  Connector, CDR
Power types of two phases become `AC_1_PHASE`.
The receiver may show less power than there is, never more.
"""

WAYS_2_2_AND_2_3_0: Final = {
    "2.1.1 <-> 2.2.1, 2.2 <-> 2.2.1, 2.2.1 <-> 2.3.0": _ANY,
    "2.2 <-> 2.2.1, 2.2.1 <-> 2.3.0": _BEYOND_2_1_1,
    "2.2.1 <-> 2.3.0": _BOTH_WAYS_2_3_0,
    "2.2.1 -> 2.3.0": _TO_2_3_0,
    "2.3.0 -> 2.2.1": _FROM_2_3_0,
    "2.3.0 -> 2.2.1, 2.2.1 -> 2.2": _DOWN,
    "2.2.1 -> 2.2, 2.2.1 <-> 2.3.0": _LENGTHS,
    "2.2 -> 2.2.1": _FROM_2_2,
    "2.2.1 -> 2.2": _TO_2_2,
}
