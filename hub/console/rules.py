"""What one rule of translation does."""

from __future__ import annotations

from urllib.parse import quote

from litestar import get
from litestar.params import FromPath
from litestar.response import Template

from hub.console.api import Api, PageRequest
from hub.console.frame import Same, page
from hub.operator.roles import FOR_PARTNERS


@get("/rules/{rule_id:str}", opt=FOR_PARTNERS, include_in_schema=False)
async def show_rule(request: PageRequest, rule_id: FromPath[str]) -> Template:
    """The page."""
    rule = await Api(request).get(f"/rules/{quote(rule_id, safe='')}")
    return await page(request, "rule.html", at="messages", same=Same(f"GET /api/v1/rules/{rule['id']}"), rule=rule)
