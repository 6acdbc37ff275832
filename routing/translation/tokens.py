"""Token, and its type wherever it occurs. OCPI 2.1.1, 2.2.1 and 2.3.0, "Tokens". 2.2 has it as 2.2.1 does.

======================  ================  ==============================  ======================
member                  2.1.1             2.2, 2.2.1                      2.3.0
======================  ================  ==============================  ======================
owner                   in the URL only   `country_code` and `party_id`   the same
contract                `auth_id`         `contract_id`                   the same
`type`                  `RFID`, `OTHER`   and `AD_HOC_USER`, `APP_USER`   open, and `EMAID`
`group_id`              -                 optional                        the same
`default_profile_type`  -                 optional                        the same
`energy_contract`       -                 optional                        the same
key, within its owner   `uid`             `uid` and `type`                the same
======================  ================  ==============================  ======================

A type that the older version does not have becomes `OTHER` there. That touches the key: two Tokens of one uid could
become one. Whoever sends a Token, or asks for one, is refused when it would be the wrong one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from routing.errors import Untranslatable
from routing.translation.crossing import Crossing, Json
from routing.translation.enums import VALUES, extra
from routing.translation.fields import add_last_updated, drop, in_ascii, moments, only_valid, renamed, replace
from routing.translation.questions import TokensOfUid
from routing.vocabulary import Party, Version

RFID: Final = "RFID"
"""The type that is meant where none is named."""
OTHER: Final = "OTHER"
_EMAID: Final = "EMAID"
_ENUM: Final = "TokenType"
_TYPES: Final = VALUES[_ENUM][Version.V2_2_1]
TYPE_IN_2_1_1: Final[Mapping[str, str]] = {"AD_HOC_USER": OTHER, "APP_USER": OTHER}
"""By the type of 2.2.1: the one of 2.1.1 that stands for it. The contract and `whitelist` stay what they were."""
_NEWER_NAMES: Final = {"auth_id": "contract_id"}
_OLDER_NAMES: Final = {"contract_id": "auth_id"}
_LOST_IN_2_1_1: Final = {
    "country_code": "L-06",
    "party_id": "L-06",
    "group_id": "L-71",
    "default_profile_type": "L-72",
    "energy_contract": "L-73",
}
_MOMENTS: Final = ("last_updated",)
_TEXTS: Final = ("visual_number", "issuer")
_PROFILE_TYPES: Final = frozenset({"CHEAP", "FAST", "GREEN", "REGULAR"})
_LONGEST_ID: Final = 36


def _is_id(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is str and len(value) <= _LONGEST_ID


def _is_profile_type(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is str and value in _PROFILE_TYPES


def _is_energy_contract(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is dict and type(value.get("supplier_name")) is str


_NEWER_MEMBERS: Final = {
    "group_id": _is_id,
    "default_profile_type": _is_profile_type,
    "energy_contract": _is_energy_contract,
}


# Between 2.1.1 and 2.2.1


def from_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.1.1 to 2.2.1: the Token gets the owner that its URL, or whoever sends it, says it has."""
    token = renamed(body, _NEWER_NAMES)
    only_valid(token, _NEWER_MEMBERS, crossing)
    if not crossing.patch:
        token["country_code"], token["party_id"] = crossing.owner
    restore_type(token, crossing, crossing.owner, _uid(token, crossing))
    moments(token, _MOMENTS, crossing)
    add_last_updated(token, crossing)
    return token


def to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.1.1, as the object of a request or an answer. Requests are judged by their URL, in `queries`.

    Raises:
        Untranslatable: it is in a list, and another Token is shown under its uid.
    """
    token_type = body.get("type")
    if _is_listed(crossing) and type(token_type) is str:
        refuse_unless_shown(token_type, crossing, _uid(body, crossing), is_there=True)
    return embedded_to_2_1_1(body, crossing)


def embedded_to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.1.1, inside of another object."""
    token = renamed(body, _OLDER_NAMES)
    replace(token, "type", TYPE_IN_2_1_1, "L-70", crossing)
    drop(token, _LOST_IN_2_1_1, crossing, "token")
    moments(token, _MOMENTS, crossing)
    in_ascii(token, _TEXTS, crossing)
    return token


def refuse_unless_shown(
    token_type: str, crossing: Crossing, uid: str | None, *, is_there: bool, http_status: int = 200
) -> None:
    """Towards 2.1.1, where a uid stands for one Token: refuse one that is not the one shown there.

    Shown is the one of type RFID, else of type OTHER, else the one seen first. `is_there` says that the message itself
    proves that there is such a Token, as that of a PUT does.

    Raises:
        Untranslatable: another Token of this owner is shown under this uid.
    """
    if uid is None or (is_there and token_type == RFID):
        return
    known = [_in_2_2_1(token.type) for token in crossing.ask(TokensOfUid(crossing.owner, uid)) or ()]
    if not known:
        return
    wanted = _in_2_2_1(token_type)
    candidates = [*known, wanted] if is_there else known
    shown = next((value for value in (RFID, OTHER) if value in candidates), candidates[0])
    if wanted != shown:
        reason = f"OCPI 2.1.1 has one Token per uid, and this uid stands for one of type {shown} there"
        raise Untranslatable("RF-12", reason, http_status=http_status)


def _in_2_2_1(token_type: str) -> str:
    return token_type if token_type in _TYPES else OTHER


# Between 2.2.1 and 2.3.0


def from_2_3_0(body: Json, crossing: Crossing) -> Json:
    """2.3.0 to 2.2.1, as the object of a request or an answer. Requests are judged by their URL, in `queries`.

    Raises:
        Untranslatable: it is in a list, and another Token of its uid already stands for OTHER.
    """
    token_type = body.get("type")
    if _is_listed(crossing) and type(token_type) is str:
        refuse_unless_alone(token_type, crossing, _uid(body, crossing))
    return embedded_from_2_3_0(body, crossing)


def embedded_from_2_3_0(body: Json, crossing: Crossing) -> Json:
    """2.3.0 to 2.2.1, inside of another object."""
    token = body.copy()
    older_type(token, crossing)
    return token


def to_2_3_0(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.3.0, on its own and inside of another object."""
    token = body.copy()
    newer_type(token, crossing, _owner(token, crossing), _uid(token, crossing))
    return token


def refuse_unless_alone(token_type: str, crossing: Crossing, uid: str | None) -> None:
    """Towards 2.2 and 2.2.1: refuse a Token that would become OTHER where another one of its uid is OTHER already.

    A Token that is pushed has to be the only such one. Of those in a list one stays: a genuine OTHER, else the first.

    Raises:
        Untranslatable: two Tokens would share a key.
    """
    if uid is None or _is_taken(token_type, crossing):
        return
    known = [token.type for token in crossing.ask(TokensOfUid(crossing.owner, uid)) or ()]
    as_other = [value for value in known if value == OTHER or not _is_taken(value, crossing)]
    if crossing.answer:
        as_other = [OTHER] if OTHER in as_other else as_other[:1]
    if any(value != token_type for value in as_other):
        raise Untranslatable("M-43", "another Token of this uid has the type OTHER for the receiver already")


# The type, wherever it occurs


def older_type(body: Json, crossing: Crossing) -> None:
    """2.3.0 to 2.2.1, of everything that has a TokenType as `type`: one that 2.2.1 does not have becomes OTHER."""
    token_type = body.get("type")
    if type(token_type) is str and not _is_taken(token_type, crossing):
        body["type"] = OTHER
        crossing.lose("M-40" if token_type == _EMAID else "M-41", "/type")


def _is_taken(token_type: str, crossing: Crossing) -> bool:
    """Whether a receiver of 2.2.1 gets this type as it is."""
    if token_type in _TYPES:
        return True
    return crossing.destination.quirks.enum_passthrough or token_type in extra(_ENUM, crossing)


def newer_type(body: Json, crossing: Crossing, owner: Party, uid: str | None) -> None:
    """2.2.1 to 2.3.0: put back the type that OTHER stands for, as far as that is known.

    It is the type that was asked for, or the one type among this owner's Tokens of this uid that had to become OTHER.
    """
    if not restore_type(body, crossing, owner, uid):
        crossing.lose("M-42", "/type")


def restore_type(body: Json, crossing: Crossing, owner: Party, uid: str | None) -> bool:
    """Put back the type that OTHER stands for. False when it may stand for one, and cannot be said for which."""
    if body.get("type") != OTHER or uid is None:
        return True
    asked = crossing.type_asked
    if asked is not None and uid.upper() == (crossing.uid_asked or "").upper() and _had_to_change(asked, crossing):
        body["type"] = asked
        return True
    if owner == crossing.origin.party:
        return True  # its owner says so itself
    types = {token.type for token in crossing.ask(TokensOfUid(owner, uid)) or ()}
    changed = [value for value in types if _had_to_change(value, crossing)]
    if len(changed) == 1 and OTHER not in types:
        body["type"] = changed[0]
        return True
    return not changed


def _had_to_change(token_type: str, crossing: Crossing) -> bool:
    """Whether the one this body comes from can know such a Token only as OTHER."""
    quirks = crossing.origin.quirks
    if quirks.enum_passthrough or token_type in quirks.extra_enum_values.get(_ENUM, ()):
        return False
    return token_type not in VALUES[_ENUM][crossing.origin.version]


# Whose, and which


def _is_listed(crossing: Crossing) -> bool:
    return crossing.answer and crossing.uid_asked is None


def _owner(token: Json, crossing: Crossing) -> Party:
    country_code, party_id = token.get("country_code"), token.get("party_id")
    if type(country_code) is str and type(party_id) is str:
        return Party.read(country_code, party_id)
    return crossing.owner


def _uid(token: Json, crossing: Crossing) -> str | None:
    """The uid it names; a PATCH has it in the URL."""
    uid = token.get("uid")
    if type(uid) is str:
        return uid
    return crossing.uid_asked or (crossing.object_ids[0] if crossing.object_ids else None)
