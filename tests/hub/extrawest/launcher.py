"""Starts one platform made of `extrawest_ocpi`. Runs in the environment of that library, not in ours.

The library leaves three things to its user: where objects are kept, which tokens are good, and how objects become
OCPI's. Here these are a dict that is also written to a file, two lists, and the library's own adapter. It knows
nothing of hubs, so its pushes get the routing headers from outside.
"""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from py_ocpi.core.authentication.authenticator import Authenticator  # type: ignore[import-not-found]  # not our venv
from py_ocpi.core.crud import Crud  # type: ignore[import-not-found]  # not in our environment
from py_ocpi.core.enums import ModuleID, RoleEnum  # type: ignore[import-not-found]  # not in our environment
from py_ocpi.main import get_application  # type: ignore[import-not-found]  # not in our environment
from py_ocpi.modules.versions.enums import VersionNumber  # type: ignore[import-not-found]  # not in our environment

CONFIG: dict[str, Any] = json.loads(os.environ["EXTRAWEST"])


class Store(Crud):  # type: ignore[misc]  # the base class is unknown to our environment
    """Objects by module and id."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = CONFIG["objects"]
        self.registration: dict[str, Any] | None = None
        self._save()

    async def get(self, module: str, _role: str, id: str | None, *_: object, **__: object) -> object:  # noqa: A002 - its name
        if module == ModuleID.credentials_and_registration:
            return CONFIG["credentials"] if self.registration else None
        return self.objects.get(_name(module), {}).get(str(id))

    async def list(
        self, module: str, _role: str, _filters: object, *_: object, **__: object
    ) -> tuple[list[Any], int, bool]:
        things = list(self.objects.get(_name(module), {}).values())
        return things, len(things), True

    async def create(self, module: str, _role: str, data: dict[str, Any], *_: object, **__: object) -> object:
        if module == ModuleID.credentials_and_registration:
            self.registration = data
            self._save()
            return CONFIG["credentials"]
        self.objects.setdefault(_name(module), {})[str(data.get("id") or data.get("uid"))] = data
        self._save()
        return data

    async def update(self, module: str, role: str, data: dict[str, Any], *_: object, **__: object) -> object:
        return await self.create(module, role, data)

    async def delete(self, module: str, _role: str, id: str, *_: object, **__: object) -> None:  # noqa: A002 - its name
        if module == ModuleID.credentials_and_registration:
            self.registration = None
        self.objects.get(_name(module), {}).pop(id, None)
        self._save()

    async def do(self, *_: object, **__: object) -> object:
        return {}

    def _save(self) -> None:
        content = {"objects": self.objects, "registration": self.registration}
        Path(CONFIG["store"]).write_text(json.dumps(content))


STORE = Store()


class Tokens(Authenticator):  # type: ignore[misc]  # the base class is unknown to our environment
    """TOKEN_A until the hub has registered, TOKEN_C from then on."""

    @classmethod
    async def get_valid_token_a(cls) -> list[str]:
        return [] if STORE.registration else [CONFIG["token_a"]]

    @classmethod
    async def get_valid_token_c(cls) -> list[str]:
        return [CONFIG["credentials"]["token"]] if STORE.registration else []


def _name(module: object) -> str:
    return str(getattr(module, "value", module))


# The library makes its clients by this name, and leaves no other way to add headers.
httpx.AsyncClient = partial(httpx.AsyncClient, headers=CONFIG["headers"])  # type: ignore[misc,assignment]  # as above
MODULES = ("credentials", "locations", "tokens", "sessions", "cdrs", "tariffs")
app = get_application(
    version_numbers=[VersionNumber(CONFIG["version"])],
    roles=[RoleEnum(CONFIG["role"])],
    crud=STORE,
    modules=[ModuleID(name) for name in MODULES],
    authenticator=Tokens,
    http_push=True,
)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=CONFIG["port"], log_level="warning")
