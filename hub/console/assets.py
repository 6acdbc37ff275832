"""The console's own files, each under a name that changes with its content, so that browsers may keep it for ever."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from hub.operator.roles import OPEN

_FOLDER: Final = Path(__file__).parent / "static"
_TYPES: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_FILES: Final = {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}
_DIGESTS: Final = {name: hashlib.blake2b(content, digest_size=8).hexdigest() for name, content in _FILES.items()}
_FOR_EVER: Final = "public, max-age=31536000, immutable"


def asset(name: str) -> str:
    """Where a page finds this file."""
    return f"/assets/{_DIGESTS[name]}/{name}"


@get("/assets/{digest:str}/{name:str}", opt=OPEN, include_in_schema=False, sync_to_thread=False)
def show_asset(digest: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """One file."""
    if _DIGESTS.get(name) != digest:
        raise NotFoundException(detail="There is no such file")
    return Response(_FILES[name], media_type=_TYPES[Path(name).suffix], headers={"Cache-Control": _FOR_EVER})
