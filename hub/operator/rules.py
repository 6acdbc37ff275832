"""`/api/v1/rules/{id}`: what a rule of translation does, as docs/translation.md says it."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.params import FromPath
from msgspec import Meta, Struct

from hub.operator.problems import documented
from hub.operator.roles import FOR_PARTNERS
from routing.errors import NoSuchPath
from routing.translation.losses import CATALOGUE, WITHDRAWN, Effect
from routing.vocabulary import Version


class WayView(Struct, frozen=True):
    """From one version to a neighbouring one; a longer journey takes several."""

    source_version: Version
    target_version: Version


class RuleView(Struct, frozen=True):
    """One entry of the catalogue."""

    id: Annotated[str, Meta(examples=["L-24"])]
    ways: tuple[WayView, ...]
    effects: tuple[Effect, ...]
    """More than one where the way, or a setting, decides."""
    objects: tuple[str, ...]
    """Names of OCPI's objects, or in plain words what else it is about."""
    happens: str
    means: str
    """For the receiver; for the sender where nothing is sent."""
    counted: bool
    """Whether messages to which it happened can be found by it."""


@get(
    "/rules/{rule_id:str}",
    tags=["messages"],
    responses=documented(404),
    opt=FOR_PARTNERS,
    sync_to_thread=False,
)
def show_rule(rule_id: FromPath[str]) -> RuleView:
    """One rule, such as L-24: what it does between which versions, and what that means."""
    name = rule_id.upper()
    rule = CATALOGUE.get(name)
    if rule is None:
        raise NoSuchPath(
            f"{name} was withdrawn, and will not be used again"
            if name in WITHDRAWN
            else "There is no rule of this id; docs/translation.md has them all"
        )
    ways = tuple(WayView(way.source, way.target) for way in rule.ways)
    return RuleView(rule.id, ways, rule.effects, rule.objects, rule.happens, rule.means, rule.counted)
