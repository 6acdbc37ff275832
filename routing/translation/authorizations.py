"""AuthorizationInfo and LocationReferences, of real-time authorization. OCPI 2.1.1, 2.2.1 and 2.3.0, "Tokens".

===========================  ==========================  ==============================  ====================
member                       2.1.1                       2.2, 2.2.1                      2.3.0
===========================  ==========================  ==============================  ====================
AuthorizationInfo
`token`                      -                           the Token that was asked about  its `type` is open
`authorization_reference`    -                           optional                        the same
LocationReferences
`location_id`, `evse_uids`   up to 39 characters         up to 36                        the same
`connector_ids`              optional                    -                               -
===========================  ==========================  ==============================  ====================
"""

from __future__ import annotations

from typing import Any, Final

from routing.timestamps import write_seconds
from routing.translation import tokens
from routing.translation.crossing import NO_DATA, Crossing, Json
from routing.translation.fields import display_text_in_ascii, drop, inside, is_absent, only_valid, renamed
from routing.translation.identifiers import check_id
from routing.translation.questions import TokenFacts, TokensOfUid

_LONGEST_ID: Final = 36
_LOST_IN_2_1_1: Final = {"token": "L-75", "authorization_reference": "L-33"}
_LOST_REFERENCES: Final = {"connector_ids": "L-74"}
_INVALID: Final = ("BLOCKED", "EXPIRED")
"""The answers that say that the Token itself is no good, not only that it may not be used now or here."""
_REQUIRED_OF_TOKEN: Final = frozenset({"uid", "type", "issuer", "valid", "whitelist", "last_updated"})


def _is_token(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is dict and value.keys() >= _REQUIRED_OF_TOKEN and ("contract_id" in value or "auth_id" in value)


def _is_reference(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is str and len(value) <= _LONGEST_ID


_NEWER_MEMBERS: Final = {"token": _is_token, "authorization_reference": _is_reference}


def references_from_2_1_1(body: Json, crossing: Crossing) -> Json:
    """LocationReferences, 2.1.1 to 2.2.1.

    Raises:
        Untranslatable: an id is too long.
    """
    references = body.copy()
    check_id(references, "location_id", _LONGEST_ID, crossing, crossing.cpo)
    uids = references.get("evse_uids")
    if type(uids) is list:
        numbered = {str(index): uid for index, uid in enumerate(uids)}
        references["evse_uids"] = [*crossing.nested(_checked, numbered, "/evse_uids").values()]
    drop(references, _LOST_REFERENCES, crossing)
    return references


def _checked(ids: Json, crossing: Crossing) -> Json:
    for name in ids:
        check_id(ids, name, _LONGEST_ID, crossing, crossing.cpo)
    return ids


def from_2_1_1(body: Json, crossing: Crossing) -> Json:
    """AuthorizationInfo, 2.1.1 to 2.2.1: it names the Token that was asked about, with what is known of it.

    Raises:
        Untranslatable: an id in `location` is too long.
    """
    info = renamed(body)
    only_valid(info, _NEWER_MEMBERS, crossing)
    inside(info, "location", references_from_2_1_1, crossing)
    if is_absent(info, "token"):
        crossing.lose("L-76", "/token")
        info["token"] = _token_asked_about(info, crossing)
    else:
        inside(info, "token", tokens.from_2_1_1, crossing)
    return info


def _token_asked_about(info: Json, crossing: Crossing) -> Json:
    """The least that 2.2.1 demands of a Token. `whitelist` is NEVER: nobody gave leave to remember the answer."""
    uid = crossing.uid_asked or NO_DATA
    known = _known(uid, crossing)
    country_code, party_id = crossing.owner
    token = {
        "country_code": country_code,
        "party_id": party_id,
        "uid": uid,
        "type": crossing.type_asked or tokens.RFID,
        "contract_id": known.contract_id if known else NO_DATA,
        "issuer": (known and known.issuer) or _business_name(crossing),
        "valid": known.valid if known else info.get("allowed") not in _INVALID,
        "whitelist": "NEVER",
        "last_updated": crossing.answered_at or write_seconds(crossing.now),
    }
    for name in ("uid", "contract_id", "issuer"):
        if token[name] == NO_DATA:
            crossing.lose("L-05", f"/token/{name}")
    return token


def _known(uid: str, crossing: Crossing) -> TokenFacts | None:
    found = crossing.ask(TokensOfUid(crossing.owner, uid)) or ()
    token_type = crossing.type_sent or tokens.RFID
    return next((token for token in found if token.type == token_type), None)


def _business_name(crossing: Crossing) -> str:
    name = (crossing.owner_details or {}).get("name")
    return name if type(name) is str and name else NO_DATA


def to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """AuthorizationInfo, 2.2.1 to 2.1.1. The references it gives to EVSEs are the same in both."""
    info = renamed(body)
    drop(info, _LOST_IN_2_1_1, crossing, "authorization_info")
    if crossing.destination.quirks.ascii_only:
        inside(info, "info", display_text_in_ascii, crossing)
    return info


def from_2_3_0(body: Json, crossing: Crossing) -> Json:
    """AuthorizationInfo, 2.3.0 to 2.2.1."""
    info = renamed(body)
    inside(info, "token", tokens.embedded_from_2_3_0, crossing)
    return info


def to_2_3_0(body: Json, crossing: Crossing) -> Json:
    """AuthorizationInfo, 2.2.1 to 2.3.0: the Token has the type that was asked for."""
    info = renamed(body)
    inside(info, "token", tokens.to_2_3_0, crossing)
    return info
