"""Every operation of every functional module: which path and method means what, and what its body must say.

The tables follow the "Interfaces and endpoints" section of each module's chapter, in all four versions.
A path is matched after the endpoint's URL: `{name}` stands for one segment, anything else for itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from routing.dialects import DIALECTS
from routing.errors import NoSuchPath, WrongMethod
from routing.vocabulary import Face, InterfaceRole, ModuleID, Version

OWNER: Final = ("{country_code}", "{party_id}")
"""The segments that say whose object a client-owned path is about."""
CALLBACK_ID: Final = "{callback_id}"
CDR_PROXY_ID: Final = "{cdr_proxy_id}"
_HUB_IDS: Final = frozenset({CALLBACK_ID, CDR_PROXY_ID})
_ANSWERED: Final = frozenset(
    {
        (ModuleID.BOOKINGS, InterfaceRole.SENDER),
        (ModuleID.CHARGING_PROFILES, InterfaceRole.RECEIVER),
        (ModuleID.COMMANDS, InterfaceRole.RECEIVER),
        (ModuleID.SESSIONS, InterfaceRole.SENDER),
        (ModuleID.TOKENS, InterfaceRole.SENDER),
    }
)
"""Where a request that is no GET is answered with data."""
LONGEST_MODULE: Final = 36
"""Characters of a module identifier that a text for partners repeats."""


class Body(Struct, frozen=True):
    """What the hub checks in the object that a request carries, beyond being JSON."""

    ids: tuple[tuple[str, str], ...] = ()
    """(field of the object, segment of the path) that must name the same id; several rows with one segment are
    alternatives."""
    owner: bool = False
    """`country_code` and `party_id` name the object's owner, who is a party of the sender's platform."""
    required: tuple[str, ...] = ()
    """Fields that must be there."""
    token: bool = False
    """`token` or `tokens` belong to the sender's platform: commands and bookings must not use foreign ones."""
    response_url: bool = False
    """`response_url` says where the result goes."""
    optional: bool = False
    """The body may be absent, empty or null."""
    bare: bool = False
    """The body may be the bare value of an enum: 2.1.1 partners post results like that. OCPI 2.1.1, "Commands"."""


class Operation(Struct, frozen=True, eq=False):
    """One row of the tables."""

    module: str
    interface: InterfaceRole
    method: str
    path: tuple[str, ...]
    body: Body | None = None
    paged: bool = False
    """A list with offset and limit. "Transport and format", Pagination."""

    owned: bool = False
    """Whether the path starts with the owner of the object."""
    hub_made: str | None = None
    """The segment that is an id of the hub's, on URLs that the hub made and keeps the meaning of."""

    @property
    def returns_data(self) -> bool:
        """Whether the chapter asks for `data` in the answer. "Transport and format", Response format."""
        if self.method == "GET":
            return True
        return (self.module, self.interface) in _ANSWERED and self.hub_made is None


class _Row(Struct, frozen=True):
    path: tuple[str, ...]
    methods: dict[str, Body | None]
    paged: bool = False


_LIST: Final = _Row((), {"GET": None}, paged=True)
_LAST_UPDATED: Final = ("last_updated",)


def _pushed(path: tuple[str, ...], methods: str, *ids: str, owner: bool = False, response_url: bool = False) -> _Row:
    """A client-owned object that is read, put and patched; `ids` are the fields that carry the last segment."""
    checked = tuple((field, path[-1]) for field in ids)
    bodies: dict[str, Body | None] = {
        "GET": None,
        "PUT": Body(ids=checked, owner=owner, response_url=response_url),
        "PATCH": Body(ids=checked, owner=owner, response_url=response_url, required=_LAST_UPDATED),
        "DELETE": None,
    }
    return _Row(OWNER + path, {method: bodies[method] for method in methods.split()})


_LOCATION: Final = ("{location_id}",)
_EVSE: Final = (*_LOCATION, "{evse_uid}")
_CONNECTOR: Final = (*_EVSE, "{connector_id}")

_LOCATIONS_SENDER: Final = (
    _LIST,
    _Row(_LOCATION, {"GET": None}),
    _Row(_EVSE, {"GET": None}),
    _Row(_CONNECTOR, {"GET": None}),
)
_LOCATIONS_RECEIVER: Final = (
    _pushed(_LOCATION, "GET PUT PATCH", "id", owner=True),
    _pushed(_EVSE, "GET PUT PATCH", "uid"),
    _pushed(_CONNECTOR, "GET PUT PATCH", "id"),
)
_TARIFFS_RECEIVER: Final = (_pushed(("{tariff_id}",), "GET PUT DELETE", "id", owner=True),)
_SESSIONS_SENDER: Final = (_LIST, _Row(("{session_id}", "charging_preferences"), {"PUT": Body()}))
_SESSIONS_RECEIVER: Final = (_pushed(("{session_id}",), "GET PUT PATCH", "id", owner=True),)
_CDRS_RECEIVER: Final = (_Row((), {"POST": Body(owner=True)}), _Row((CDR_PROXY_ID,), {"GET": None}))
_TOKENS_SENDER: Final = (_LIST, _Row(("{token_uid}", "authorize"), {"POST": Body(optional=True)}))
_TOKENS_RECEIVER: Final = (_pushed(("{token_uid}",), "GET PUT PATCH", "uid", owner=True),)
_COMMAND: Final = Body(token=True, response_url=True, required=("response_url",))
_COMMANDS_SENDER: Final = (_Row(("{command}", CALLBACK_ID), {"POST": Body()}),)
_PROFILES_SENDER: Final = (
    _Row(("callback", CALLBACK_ID), {"POST": Body()}),
    _Row(("{session_id}",), {"PUT": Body()}),
)
_PROFILES_RECEIVER: Final = (_Row(("{session_id}",), {"GET": None, "PUT": Body(response_url=True), "DELETE": None}),)
_RECONCILIATION_RECEIVER: Final = (
    _Row((), {"POST": Body(owner=True)}),
    _pushed(("{record_id}",), "GET PUT DELETE", "id", owner=True),
)
_TERMINALS: Final = ("terminals",)
_CONFIRMATIONS: Final = ("financial-advice-confirmations",)
_PAYMENTS_SENDER: Final = (
    _Row(_TERMINALS, {"GET": None}, paged=True),
    _Row((*_TERMINALS, "activate"), {"POST": Body()}),
    _Row((*_TERMINALS, "{terminal_id}", "deactivate"), {"POST": Body(optional=True)}),
    _Row((*_TERMINALS, "{terminal_id}"), {"GET": None, "PUT": Body(), "PATCH": Body()}),
    _Row(_CONFIRMATIONS, {"GET": None}, paged=True),
    _Row((*_CONFIRMATIONS, "{confirmation_id}"), {"GET": None}),
)
_PAYMENTS_RECEIVER: Final = (
    _Row(_TERMINALS, {"POST": Body()}),
    _Row((*_TERMINALS, "{terminal_id}"), {"GET": None}),
    _Row(_CONFIRMATIONS, {"POST": Body()}),
    _Row((*_CONFIRMATIONS, "{confirmation_id}"), {"GET": None}),
)
BOOKING_LOCATIONS: Final = "booking_locations"
"""The segment behind which a booking module has its BookingLocations; no Booking has that id."""
_AS_IN_EXAMPLES: Final = frozenset({"bookinglocations", BOOKING_LOCATIONS})
_BOOKING_LOCATION: Final = (BOOKING_LOCATIONS, "{booking_location_id}")
_CALENDAR: Final = (*_BOOKING_LOCATION, "{calendar_id}")
_BOOKINGS_SENDER: Final = (
    _Row((), {"GET": None, "POST": Body(owner=True, response_url=True, token=True)}, paged=True),
    _Row(("booking_locations",), {"GET": None}, paged=True),
    _Row(_BOOKING_LOCATION, {"GET": None}),
    _Row(_CALENDAR, {"GET": None}),
    # The chapter has no results that come later. Tools that expect them find them treated as those of commands.
    _Row(("callback", CALLBACK_ID), {"POST": Body()}),
)
_BOOKINGS_RECEIVER: Final = (
    _pushed(_BOOKING_LOCATION, "GET PUT PATCH", "id", owner=True),
    _pushed(_CALENDAR, "GET PUT PATCH", "id"),
    _pushed((BOOKING_LOCATIONS,), ""),
    _pushed(("{booking_id}",), "GET PUT PATCH", "id", "request_id", owner=True, response_url=True),
)

_METHODS: Final[dict[str, Body | None]] = {
    "GET": None,
    "POST": Body(optional=True),
    "PUT": Body(optional=True),
    "PATCH": Body(optional=True),
    "DELETE": None,
}
"""Every method of OCPI, and whether it carries a body in a module that the hub does not know."""
_COMMAND_NAMES: Final = ("CANCEL_RESERVATION", "RESERVE_NOW", "START_SESSION", "STOP_SESSION", "UNLOCK_CONNECTOR")


def _commands(names: Iterable[str]) -> tuple[_Row, ...]:
    return tuple(_Row((name,), {"POST": _COMMAND}) for name in names)


_Table = dict[tuple[str, InterfaceRole], tuple[_Row, ...]]
_S: Final = InterfaceRole.SENDER
_R: Final = InterfaceRole.RECEIVER

_TABLE_2_2: Final[_Table] = {
    (ModuleID.LOCATIONS, _S): _LOCATIONS_SENDER,
    (ModuleID.LOCATIONS, _R): _LOCATIONS_RECEIVER,
    (ModuleID.TARIFFS, _S): (_LIST,),
    (ModuleID.TARIFFS, _R): _TARIFFS_RECEIVER,
    (ModuleID.SESSIONS, _S): _SESSIONS_SENDER,
    (ModuleID.SESSIONS, _R): _SESSIONS_RECEIVER,
    (ModuleID.CDRS, _S): (_LIST,),
    (ModuleID.CDRS, _R): _CDRS_RECEIVER,
    (ModuleID.TOKENS, _S): _TOKENS_SENDER,
    (ModuleID.TOKENS, _R): _TOKENS_RECEIVER,
    (ModuleID.COMMANDS, _S): _COMMANDS_SENDER,
    (ModuleID.COMMANDS, _R): _commands(_COMMAND_NAMES),
    (ModuleID.CHARGING_PROFILES, _S): _PROFILES_SENDER,
    (ModuleID.CHARGING_PROFILES, _R): _PROFILES_RECEIVER,
}
_TABLE_2_3_0: Final[_Table] = _TABLE_2_2 | {
    # CommandType is open since 2.3.0: any name is a command.
    (ModuleID.COMMANDS, _R): _commands([*_COMMAND_NAMES, "{command}"]),
    (ModuleID.INVOICE_RECONCILIATION, _S): (_LIST,),
    (ModuleID.INVOICE_RECONCILIATION, _R): _RECONCILIATION_RECEIVER,
    (ModuleID.PAYMENTS, _S): _PAYMENTS_SENDER,
    (ModuleID.PAYMENTS, _R): _PAYMENTS_RECEIVER,
    (ModuleID.BOOKINGS, _S): _BOOKINGS_SENDER,
    (ModuleID.BOOKINGS, _R): _BOOKINGS_RECEIVER,
}


def _without_required(row: _Row) -> _Row:
    """2.1.1 asks no last_updated of a PATCH."""
    patch = row.methods.get("PATCH")
    if patch is None:
        return row
    return _Row(row.path, row.methods | {"PATCH": Body(ids=patch.ids, owner=patch.owner)}, row.paged)


_TABLE_2_1_1: Final[_Table] = {
    (ModuleID.LOCATIONS, _S): _LOCATIONS_SENDER,
    (ModuleID.LOCATIONS, _R): tuple(map(_without_required, _LOCATIONS_RECEIVER)),
    (ModuleID.TARIFFS, _S): (_LIST,),
    (ModuleID.TARIFFS, _R): (_without_required(_pushed(("{tariff_id}",), "GET PUT PATCH DELETE", "id")),),
    (ModuleID.SESSIONS, _S): (_LIST,),
    (ModuleID.SESSIONS, _R): tuple(map(_without_required, _SESSIONS_RECEIVER)),
    (ModuleID.CDRS, _S): (_LIST,),
    (ModuleID.CDRS, _R): _CDRS_RECEIVER,
    (ModuleID.TOKENS, _S): _TOKENS_SENDER,
    (ModuleID.TOKENS, _R): tuple(map(_without_required, _TOKENS_RECEIVER)),
    (ModuleID.COMMANDS, _S): (_Row(("{command}", CALLBACK_ID), {"POST": Body(bare=True)}),),
    (ModuleID.COMMANDS, _R): _commands(name for name in _COMMAND_NAMES if name != "CANCEL_RESERVATION"),
}

_TABLES: Final[dict[Version, _Table]] = {
    Version.V2_1_1: _TABLE_2_1_1,
    Version.V2_2: _TABLE_2_2,
    Version.V2_2_1: _TABLE_2_2,
    Version.V2_3_0: _TABLE_2_3_0,
}

FACE_MODULES: Final[dict[Face, dict[str, InterfaceRole]]] = {
    Face.CPO: {
        ModuleID.CDRS: _S,
        ModuleID.COMMANDS: _R,
        ModuleID.LOCATIONS: _S,
        ModuleID.SESSIONS: _S,
        ModuleID.TARIFFS: _S,
        ModuleID.TOKENS: _R,
    },
    Face.EMSP: {
        ModuleID.CDRS: _R,
        ModuleID.COMMANDS: _S,
        ModuleID.LOCATIONS: _R,
        ModuleID.SESSIONS: _R,
        ModuleID.TARIFFS: _R,
        ModuleID.TOKENS: _S,
    },
}
"""Which interface of each module the hub offers a 2.1.1 peer under a face: "CPO Interface", "eMSP Interface"."""


_Literals = tuple[tuple[int, str], ...]
"""The segments of a path that stand for themselves, and where they are."""


class _Endpoint(Struct, frozen=True, eq=False):
    """One module interface of one version, indexed for matching: operations by method, rows by length of path."""

    by_length: dict[int, tuple[tuple[_Literals, dict[str, Operation]], ...]]


def _endpoint(module: str, interface: InterfaceRole, rows: tuple[_Row, ...]) -> _Endpoint:
    by_length: dict[int, list[tuple[_Literals, dict[str, Operation]]]] = {}
    # Literal segments are tried before placeholders, so that `terminals/activate` is no terminal id.
    for row in sorted(rows, key=lambda row: sum(part.startswith("{") for part in row.path)):
        owned, hub_made = row.path[:2] == OWNER, next(iter(_HUB_IDS.intersection(row.path)), None)
        operations = {
            method: Operation(module, interface, method, row.path, body, row.paged and method == "GET", owned, hub_made)
            for method, body in row.methods.items()
        }
        literals = tuple((index, part) for index, part in enumerate(row.path) if not part.startswith("{"))
        by_length.setdefault(len(row.path), []).append((literals, operations))
    return _Endpoint({length: tuple(found) for length, found in by_length.items()})


_ENDPOINTS: Final = {
    (version, module, interface): _endpoint(module, interface, rows)
    for version, table in _TABLES.items()
    for (module, interface), rows in table.items()
}


def operation_at(
    version: Version, module: str, interface: InterfaceRole, method: str, segments: tuple[str, ...]
) -> Operation:
    """What this method on this path of the module's interface means in this version.

    Raises:
        NoSuchPath: the version has no such module or path.
        WrongMethod: it has the path, but not with this method.
    """
    endpoint = _ENDPOINTS.get((version, module, interface))
    if endpoint is None:
        raise NoSuchPath(f"OCPI {version} has no {interface} interface of a module {module[:LONGEST_MODULE]!r} here")
    for literals, operations in endpoint.by_length.get(len(segments), ()):
        if not literals or _matches(literals, segments):
            if not operations:
                break  # no object has such an id
            operation = operations.get(method)
            if operation is None:
                raise WrongMethod(f"{method} does not exist on this path", tuple(operations))
            return operation
    raise NoSuchPath(f"The module {module} has no such path")


def structured(
    version: Version, module: str, interface: InterfaceRole | None, segments: tuple[str, ...]
) -> tuple[str, ...]:
    """The path as the structure definitions of the chapters have it.

    Examples in 2.3.0, "Bookings", have `bookinglocations` in front of the owner.
    """
    if module != ModuleID.BOOKINGS or module not in DIALECTS[version].modules:
        return segments
    if not segments or segments[0].lower() not in _AS_IN_EXAMPLES:
        return segments
    owner = segments[1:3] if interface is InterfaceRole.RECEIVER else ()
    return (*owner, BOOKING_LOCATIONS, *segments[1 + len(owner) :])


def custom_operation(module: str, interface: InterfaceRole, method: str) -> Operation:
    """An operation of a module that only its two partners understand. OCPI 2.2.1, "Custom Modules".

    Raises:
        WrongMethod: no module of OCPI has such a method.
    """
    if method not in _METHODS:
        raise WrongMethod(f"{method} does not exist on this path", tuple(_METHODS))
    return Operation(module, interface, method, (), _METHODS[method])


def _matches(literals: _Literals, segments: tuple[str, ...]) -> bool:
    for index, literal in literals:  # noqa: SIM110 - a generator would cost every message more than the comparing
        if segments[index] != literal:
            return False
    return True


def interfaces_of(version: Version) -> list[tuple[str, InterfaceRole]]:
    """Every (module, interface) the hub routes in this version, in a stable order."""
    return sorted((module, interface) for module, interface in _TABLES[version] if module in DIALECTS[version].modules)
