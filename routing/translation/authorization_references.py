"""The reference an eMSP gave its authorization, which 2.2.1 asks a CPO to repeat and 2.1.1 has no place for.

OCPI 2.2.1, "Sessions" and "CDRs", `authorization_reference`.
"""

from __future__ import annotations

from typing import Final

from routing.translation.crossing import NO_DATA, Crossing, Json
from routing.translation.questions import AuthorizationReference
from routing.vocabulary import Party

_LONGEST: Final = 36


def refer_to_authorization(body: Json, session_id: str | None, location_id: str | None, crossing: Crossing) -> None:
    """On a complete Session or CDR that came from 2.1.1 and has its `cdr_token`: repeat the reference, if one is known.

    A sender that already gives one itself is believed.
    """
    given = body.get("authorization_reference")
    if given is not None:
        if type(given) is not str or len(given) > _LONGEST:
            del body["authorization_reference"]
            crossing.lose("L-01", "/authorization_reference")
        return
    start, token = body.get("start_date_time"), body["cdr_token"]
    if type(start) is not str or token["uid"] == NO_DATA:
        return
    reference = crossing.ask(
        AuthorizationReference(
            cpo=crossing.owner,
            emsp=Party.read(token["country_code"], token["party_id"]),
            token_uid=token["uid"],
            token_type=token["type"],
            session_id=session_id,
            start_date_time=start,
            location_id=location_id,
        )
    )
    if reference is not None:
        body["authorization_reference"] = reference
