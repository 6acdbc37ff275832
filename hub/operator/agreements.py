"""`/api/v1/agreements`: who may talk to whom, and about what."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

import structlog
from litestar import Controller, Response, delete, get, patch, post
from litestar.datastructures import ResponseHeader
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter, RawBody
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import asdict

from hub.hub import Hub
from hub.observability import FilteringBoundLogger
from hub.operator.agreement_effects import AgreementEffectView, effect_of, new_between
from hub.operator.agreement_terms import BadFile, BadTerms, TermsReader, csv_of
from hub.operator.etags import ETAG, IfMatch, check, tag_of_agreement
from hub.operator.platforms import Cursor, DryRun, Limit, TheHub
from hub.operator.problems import Conflict, Fault, Faulty, Unacceptable, documented
from hub.operator.resources import ModuleName, PartyText
from hub.operator.roles import FOR_ADMINS, FOR_AUDITORS, audited_read, may_be_tried
from hub.store.agreements import AlreadyAgreed, Terms
from routing.agreements import Agreement, Sending
from routing.vocabulary import Party

log: FilteringBoundLogger = structlog.get_logger()

AgreementID = FromPath[str]
OfParty = Annotated[str | None, QueryParameter(max_length=20, description="NL*ABC: only agreements of this party.")]
PartyName = Annotated[str, Meta(max_length=20, description="Country code and party id.", examples=["NL*ABC"])]
Modules = Annotated[list[ModuleName], Meta(min_length=1, max_length=100, description="Only these; null means all.")]

MOST_FILE_BYTES: Final = 8 * 1024 * 1024
_CSV: Final = "text/csv"
_SHOWN: Final = 20
_WOULD: Final = {
    int(HTTPStatus.OK): ResponseSpec(AgreementEffectView, description="Of a dry run.", generate_examples=False)
}
_NO_CONTENT: Final = {int(HTTPStatus.NO_CONTENT): ResponseSpec(None, description="It has ended.")}
_LOCATION: Final = ResponseHeader(name="Location", description="The new agreement.", documentation_only=True)


class NewAgreement(Struct, frozen=True, forbid_unknown_fields=True):
    """Two parties, which the hub need not know yet, and what they may do."""

    a: PartyName
    b: PartyName
    modules: Modules | None = None
    direction: Sending = Sending.BOTH
    """Who may send: both, or only a to b. Answers go back in any case."""


class AgreementChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different; the rest stays."""

    modules: Modules | UnsetType | None = UNSET
    direction: Sending | UnsetType = UNSET


class AgreementView(Struct, frozen=True):
    """What two parties may do."""

    id: str
    a: PartyText
    a_name: str | None
    """Of the platform that the party is on, or behind; null when there is none now."""
    b: PartyText
    b_name: str | None
    modules: tuple[str, ...] | None
    """Null means all."""
    direction: Sending
    created_at: datetime


class AgreementsView(Struct, frozen=True):
    """Part of the list of agreements."""

    items: tuple[AgreementView, ...]
    next_cursor: str | None


class ImportView(Struct, frozen=True):
    """What a file did to the agreements; of a dry run, what it would do."""

    added: int
    changed: int
    ended: int
    unchanged: int
    dry_run: bool


@dataclass
class _TakesFile(Operation):
    """An operation whose body is a CSV file, which the framework has no type for."""

    def __post_init__(self) -> None:
        file = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
        text = "A line of column names, `a,b,modules,direction`, and one line for each pair."
        self.request_body = RequestBody(content={_CSV: file}, description=text, required=True)


class Agreements(Controller):
    """Agreements, by id."""

    path = "/agreements"
    tags = ("agreements",)

    @post(
        responses=documented(409, 413, 422, 503) | _WOULD,
        response_headers=[_LOCATION, ETAG],
        opt=may_be_tried(FOR_ADMINS),
    )
    async def add_agreement(
        self, hub: TheHub, data: JSONBody[NewAgreement], dry_run: DryRun = False
    ) -> Response[AgreementView | AgreementEffectView]:
        """Let two parties talk to each other. Two parties have one agreement, which says all there is between them."""
        terms = _terms(hub, data.a, data.b, data.modules, data.direction)
        try:
            if dry_run:
                return Response(await effect_of(hub, terms, new_between(hub, terms)), status_code=HTTPStatus.OK)
            made = await hub.agreements.add(terms)
        except AlreadyAgreed as error:
            raise Conflict(detail=str(error)) from error
        log.info("agreement_added", **_named(made))
        return Response(_view(made, hub), headers=_tag_of(made) | {"Location": f"/api/v1/agreements/{made.id}"})

    @get(responses=documented(422, 503), opt=FOR_AUDITORS)
    async def list_agreements(
        self, hub: TheHub, party: OfParty = None, limit: Limit = 100, cursor: Cursor = None
    ) -> AgreementsView:
        """Every agreement, in the order in which they were made."""
        of = None if party is None else _party(party)
        page = await hub.agreements.list(party=of, limit=limit, cursor=cursor)
        return AgreementsView(tuple(_view(each, hub) for each in page.items), page.next_cursor)

    @get("/{agreement_id:str}", responses=documented(404, 503), response_headers=[ETAG], opt=FOR_AUDITORS)
    async def show_agreement(self, hub: TheHub, agreement_id: AgreementID) -> Response[AgreementView]:
        """One agreement."""
        held = await hub.agreements.get(agreement_id)
        return Response(_view(held, hub), headers=_tag_of(held))

    @patch(
        "/{agreement_id:str}",
        responses=documented(404, 412, 413, 422, 503),
        response_headers=[ETAG],
        opt=may_be_tried(FOR_ADMINS),
    )
    async def change_agreement(
        self,
        hub: TheHub,
        agreement_id: AgreementID,
        data: JSONBody[AgreementChange],
        if_match: IfMatch = None,
        dry_run: DryRun = False,
    ) -> Response[AgreementView | AgreementEffectView]:
        """Change what two parties may do, from now on."""

        def terms(held: Agreement) -> Terms:
            check(if_match, tag_of_agreement(held))
            return _changed(hub, held, data)

        if dry_run:
            held = await hub.agreements.get(agreement_id)
            return Response(await effect_of(hub, terms(held), held))
        changed = await hub.agreements.change(agreement_id, terms)
        log.info("agreement_changed", **_named(changed))
        return Response(_view(changed, hub), headers=_tag_of(changed))

    @delete(
        "/{agreement_id:str}",
        status_code=HTTPStatus.OK,
        responses=documented(404, 412, 503) | _NO_CONTENT,
        opt=may_be_tried(FOR_ADMINS),
    )
    async def remove_agreement(
        self, hub: TheHub, agreement_id: AgreementID, if_match: IfMatch = None, dry_run: DryRun = False
    ) -> Response[AgreementEffectView | None]:
        """End an agreement. What was accepted before is still answered."""
        if dry_run:
            held = await hub.agreements.get(agreement_id)
            terms = Terms(held.a, held.b, held.modules, held.sending)
            return Response(await effect_of(hub, terms, held, ends=True))
        ended = await hub.agreements.end(agreement_id, lambda held: check(if_match, tag_of_agreement(held)))
        log.info("agreement_ended", **_named(ended))
        return Response(None, status_code=HTTPStatus.NO_CONTENT)

    @post(
        "/import",
        status_code=HTTPStatus.OK,
        responses=documented(413, 422, 503),
        request_max_body_size=MOST_FILE_BYTES,
        operation_class=_TakesFile,
        opt=may_be_tried(FOR_ADMINS),
    )
    async def import_agreements(
        self, hub: TheHub, body: RawBody, replace: FromQuery[bool] = False, dry_run: DryRun = False
    ) -> ImportView:
        """Take over the agreements of a CSV file, all of them or none.

        What the file says of a pair holds from then on. With `replace` the agreements that are not in it end.
        """
        try:
            # In a thread: a file of 100,000 lines takes seconds, which messages must not wait for.
            listed = await asyncio.to_thread(_reader(hub).file, body)
        except BadFile as error:
            raise _faulty(error) from error
        effect = await hub.agreements.take_over(listed, replace=replace, dry_run=dry_run)
        log.info("agreements_imported", **asdict(effect), replace=replace, dry_run=dry_run)
        return ImportView(**asdict(effect), dry_run=dry_run)


@get("/agreements.csv", tags=["agreements"], media_type=_CSV, responses=documented(503), opt=audited_read(FOR_AUDITORS))
async def export_agreements(hub: TheHub) -> Response[bytes]:
    """All agreements as a CSV file, which `/agreements/import` takes."""
    agreements = await hub.agreements.everything()
    headers = {"Content-Disposition": 'attachment; filename="agreements.csv"'}
    return Response(await asyncio.to_thread(csv_of, agreements), media_type=_CSV, headers=headers)


def _reader(hub: Hub) -> TermsReader:
    return TermsReader(hub.directory.snapshot, hub.party)


def _terms(hub: Hub, a: str, b: str, modules: list[str] | None, direction: Sending) -> Terms:
    try:
        return _reader(hub).terms(a, b, modules, direction)
    except BadTerms as error:
        raise Unacceptable(detail=str(error)) from error


def _changed(hub: Hub, held: Agreement, change: AgreementChange) -> Terms:
    modules = held.modules if change.modules is UNSET else change.modules
    direction = held.sending if change.direction is UNSET else change.direction
    return _terms(hub, str(held.a), str(held.b), None if modules is None else sorted(modules), direction)


def _party(text: str) -> Party:
    return Party.read(text[:2], text[3:])


def _faulty(error: BadFile) -> Faulty:
    """Every line that is wrong, by its number; the detail has the first ones."""
    some = "; ".join(f"line {line.number}: {line.why}" for line in error.lines[:_SHOWN])
    return Faulty(f"Nothing was taken over. {some}", [Fault(line.why, f"line {line.number}") for line in error.lines])


def _tag_of(agreement: Agreement) -> dict[str, str]:
    return {"ETag": tag_of_agreement(agreement)}


def _view(agreement: Agreement, hub: Hub) -> AgreementView:
    a, b = map(hub.directory.snapshot.platform_of, (agreement.a, agreement.b))
    return AgreementView(
        id=agreement.id,
        a=str(agreement.a),
        a_name=None if a is None else a.name,
        b=str(agreement.b),
        b_name=None if b is None else b.name,
        modules=None if agreement.modules is None else tuple(sorted(agreement.modules)),
        direction=agreement.sending,
        created_at=agreement.created_at,
    )


def _named(agreement: Agreement) -> dict[str, str]:
    return {"agreement_id": agreement.id, "a": str(agreement.a), "b": str(agreement.b)}
