"""Starts one platform made of `extrawest_ocpi`. Runs in the environment of that library, not in ours.

The library leaves three things to its user: where objects are kept, which tokens are good, and how objects become
OCPI's. Here these are a dict that is also written to a file, two lists, and the library's own adapter. What it leaves
out altogether is small and at the end: routing headers, the commands of a 2.1.1 CPO, and reading a partner's lists.
"""

from __future__ import annotations

import json
import os
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from py_ocpi.core.adapter import BaseAdapter  # type: ignore[import-not-found]  # not in our environment
from py_ocpi.core.authentication.authenticator import Authenticator  # type: ignore[import-not-found]  # not our venv
from py_ocpi.core.crud import Crud  # type: ignore[import-not-found]  # not in our environment
from py_ocpi.core.endpoints import ENDPOINTS  # type: ignore[import-not-found]  # not in our environment
from py_ocpi.core.endpoints.v_2_1_1.utils import cpo_generator  # type: ignore[import-not-found]  # as above
from py_ocpi.core.enums import Action, ModuleID, RoleEnum  # type: ignore[import-not-found]  # not in our environment
from py_ocpi.core.utils import encode_string_base64  # type: ignore[import-not-found]  # not in our environment
from py_ocpi.main import get_application  # type: ignore[import-not-found]  # not in our environment
from py_ocpi.modules.versions.enums import VersionNumber  # type: ignore[import-not-found]  # not in our environment

CONFIG: dict[str, Any] = json.loads(os.environ["EXTRAWEST"])
VERSION = VersionNumber(CONFIG["version"])


class Store(Crud):  # type: ignore[misc]  # the base class is unknown to our environment
    """Objects by module and id, in whatever case the library spells it."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = CONFIG["objects"]
        self.registration: dict[str, Any] | None = None
        self._save()

    async def get(self, module: str, _role: str, id: object, *_: object, **told: Any) -> object:  # noqa: A002, ANN401 - its name, and what the library tells
        if module == ModuleID.credentials_and_registration:
            return CONFIG["credentials"] if self.registration else None
        if module == ModuleID.commands:  # what became of it
            return {"result": CONFIG["command_results"].get(_name(told["command"]), "ACCEPTED")}
        things = self.objects.get(_name(module), {})
        return next((thing for key, thing in things.items() if key.lower() == str(id).lower()), None)

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
        self._keep(module, str(data.get("id") or data.get("uid")), data)
        return data

    async def update(self, module: str, role: str, data: dict[str, Any], *_: object, **__: object) -> object:
        return await self.create(module, role, data)

    async def delete(self, module: str, _role: str, id: str, *_: object, **__: object) -> None:  # noqa: A002 - its name
        if module == ModuleID.credentials_and_registration:
            self.registration = None
        self.objects.get(_name(module), {}).pop(id, None)
        self._save()

    async def do(
        self,
        module: str,
        role: str | None,
        action: str,
        command_data: dict[str, Any] | None = None,
        *,
        data: dict[str, Any] | None = None,
        **told: Any,  # noqa: ANN401 - what the library tells
    ) -> object:
        if action == Action.get_client_token:
            return token_for_the_hub()
        if action == Action.send_command and command_data is not None:
            self._keep(module, _name(told["command"]), command_data)
            return {"result": "ACCEPTED"}
        if action == Action.authorize_token and data is not None:
            self._keep("authorizations", data["token_uid"], data)
            return {"allowed": "ALLOWED", "token": await self.get("tokens", role or "", data["token_uid"])}
        return {}

    def _keep(self, module: object, key: str, thing: dict[str, Any]) -> None:
        things = self.objects.setdefault(_name(module), {})
        known = next((each for each in things if each.lower() == key.lower()), key)
        things[known] = thing
        self._save()

    def _save(self) -> None:
        content = {"objects": self.objects, "registration": self.registration}
        unfinished = Path(CONFIG["store"] + ".new")
        unfinished.write_text(json.dumps(content))
        unfinished.rename(CONFIG["store"])


STORE = Store()


class Tokens(Authenticator):  # type: ignore[misc]  # the base class is unknown to our environment
    """TOKEN_A until the hub has registered, TOKEN_C from then on."""

    @classmethod
    async def get_valid_token_a(cls) -> list[str]:
        return [] if STORE.registration else [CONFIG["token_a"]]

    @classmethod
    async def get_valid_token_c(cls) -> list[str]:
        return [CONFIG["credentials"]["token"]] if STORE.registration else []


def token_for_the_hub() -> str:
    """What the hub gave it."""
    if STORE.registration is None:
        raise RuntimeError("the hub has not registered")
    return str(STORE.registration["credentials"]["token"])


def _name(thing: object) -> str:
    return str(getattr(thing, "value", thing))


# It knows nothing of hubs: it names neither sender nor receiver in any version, and there is no way to tell it to. So
# whoever asks it to push puts the routing headers into that request, and from there they get into what it sends then.
# Results of commands go out as the library sends them, without any.
ROUTING: ContextVar[dict[str, str]] = ContextVar("ROUTING", default={})  # noqa: B039 - nobody changes it


class RoutingHeaders:
    """ASGI middleware: the routing headers of a request to push or to pull are those of what it sends then."""

    def __init__(self, application: Any) -> None:  # noqa: ANN401 - any ASGI application
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: object, send: object) -> None:
        if scope.get("path", "").startswith(("/push/", "/pull/")):
            lines = {name.decode(): value.decode() for name, value in scope["headers"]}
            ROUTING.set({name: value for name, value in lines.items() if name.startswith("ocpi-")})
        await self.application(scope, receive, send)


class Client(httpx.AsyncClient):
    """The library makes its clients by the name of this class."""

    def __init__(self) -> None:
        super().__init__(headers=ROUTING.get())


httpx.AsyncClient = Client  # type: ignore[misc,assignment]  # there is no other way to add headers

# It has the commands of a 2.1.1 CPO, and does not tell its partners where.
ENDPOINTS[VersionNumber.v_2_1_1][RoleEnum.cpo][ModuleID.commands] = cpo_generator.generate_endpoint(ModuleID.commands)

MODULES = ("credentials", "locations", "tokens", "sessions", "cdrs", "tariffs", "commands")
library = get_application(
    version_numbers=[VERSION],
    roles=[RoleEnum(CONFIG["role"])],
    crud=STORE,
    modules=[ModuleID(name) for name in MODULES],
    authenticator=Tokens,
    http_push=True,
)

# It cannot read the lists of a partner. This reads the first page of one, with the library's own idea of the objects.
READERS = {"locations": BaseAdapter.location_adapter, "tariffs": BaseAdapter.tariff_adapter}


async def pull(module: str, url: str) -> list[Any]:
    """The objects at this URL of the hub, each as the library understands it."""
    async with httpx.AsyncClient() as client:
        answer = await client.get(url, headers={"authorization": f"Token {encode_string_base64(token_for_the_hub())}"})
    return [READERS[module](thing, VERSION).dict() for thing in answer.json()["data"]]


library.add_api_route("/pull/{module}", pull)

if __name__ == "__main__":
    uvicorn.run(RoutingHeaders(library), host="127.0.0.1", port=CONFIG["port"], log_level="warning")
