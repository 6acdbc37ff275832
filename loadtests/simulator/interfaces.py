"""How a well-behaved partner answers on its functional modules, as sender and as receiver."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import msgspec

from loadtests.simulator.messages import Answer, Json, Received, envelope
from loadtests.simulator.objects import Page, Shelf
from loadtests.simulator.shapes import endpoint_path
from routing.vocabulary import InterfaceRole, ModuleID, Version

_LATEST = Version.V2_3_0


class Interfaces:
    """The functional modules of one partner."""

    def __init__(self, shelf: Shelf, base: Callable[[], str]) -> None:
        self.page_size = 50
        """Objects in a page at most."""
        self.ignored: set[str] = set()
        """Parameters of lists that it does not know, such as `date_from`; `to` is whose list is asked for."""
        self.counts = True
        """Say how long a list is."""
        self.command_response: Json = {"result": "ACCEPTED", "timeout": 30}
        """What a command or a charging profile is answered with at once."""
        self._shelf = shelf
        self._base = base

    def answer(self, request: Received) -> Answer:
        """The proper answer to a message; it changes what the partner holds."""
        try:
            if request.place.interface is InterfaceRole.SENDER:
                return self._as_sender(request)
            return self._as_receiver(request)
        except (ValueError, msgspec.MsgspecError) as error:
            return envelope(status_code=2001, status_message=str(error))

    def _as_sender(self, request: Received) -> Answer:
        match request.module, request.method, request.place.path:
            case _, "GET", ():
                return self._page(request)
            case module, "GET", path:
                return _found(self._shelf.find(module, path), module)
            case ModuleID.TOKENS, "POST", (uid, "authorize"):
                return self._authorize(request, uid)
            case ModuleID.SESSIONS, "PUT", (_, "charging_preferences"):
                return envelope("ACCEPTED")
            case ModuleID.COMMANDS | ModuleID.CHARGING_PROFILES, "POST" | "PUT", _:
                return envelope()
            case _, "POST" | "PUT" | "PATCH" | "DELETE", _:
                return envelope()
            case _:
                return _wrong_method()

    def _as_receiver(self, request: Received) -> Answer:
        match request.module, request.method, request.place.path:
            case ModuleID.CDRS, "POST", ():
                return self._take_cdr(request)
            case ModuleID.CDRS, "GET", (cdr_id,):
                return _found(self._shelf.pushed.get("cdrs", {}).get((cdr_id,)), "cdrs")
            case ModuleID.COMMANDS | ModuleID.CHARGING_PROFILES, "POST" | "GET" | "PUT" | "DELETE", (_,):
                return envelope(self._command_response(request))
            case module, "GET", path:
                return _found(self._shelf.find_pushed(module, path), module)
            case module, "PUT" | "PATCH" as method, path:
                known = self._shelf.push(module, path, request.json(), partial=method == "PATCH")
                return envelope() if known else _missing(module)
            case module, "DELETE", path:
                return envelope() if self._shelf.drop(module, path) else _missing(module)
            case _, "POST", _:
                return envelope()
            case _:
                return _wrong_method()

    def _page(self, request: Received) -> Answer:
        owner = None if "to" in self.ignored else request.receiver
        params = {name: value for name, value in request.params.items() if name not in self.ignored}
        page = self._shelf.page(request.module, params, owner=owner, most=self.page_size)
        headers = {"x-limit": str(page.limit)}
        if self.counts:
            headers["x-total-count"] = str(page.total)
        if page.next_offset is not None:
            headers["link"] = f'<{self._next_url(request, page)}>; rel="next"'
        return envelope(page.items, headers=headers)

    def _next_url(self, request: Received, page: Page) -> str:
        params = request.params | {"offset": str(page.next_offset), "limit": str(page.limit)}
        return f"{self._base()}{request.raw_path}?{urlencode(params)}"

    def _take_cdr(self, request: Received) -> Answer:
        cdr = request.json()
        self._shelf.pushed.setdefault("cdrs", {})[(str(cdr["id"]),)] = cdr
        path = endpoint_path(request.place.version or _LATEST, "cdrs", request.place.interface)
        return envelope(http_status=201, headers={"location": f"{self._base()}{path}/{cdr['id']}"})

    def _authorize(self, request: Received, uid: str) -> Answer:
        """OCPI 2.2.1, "Real-time authorization": 404 and 2004 for a token we do not know."""
        token = self._shelf.find("tokens", (uid,))
        if token is None:
            code = 2000 if request.place.version is Version.V2_1_1 else 2004
            return envelope(status_code=code, status_message="Unknown token", http_status=404)
        info: Json = {"allowed": "ALLOWED" if token.get("valid", True) else "BLOCKED"}
        if request.place.version is not Version.V2_1_1:
            info |= {"token": token, "authorization_reference": f"AUTH-{uid}"}
        return envelope(info)

    def _command_response(self, request: Received) -> Json:
        if request.place.version is Version.V2_1_1:
            return {"result": self.command_response["result"]}
        return self.command_response


def _found(thing: Json | None, module: str) -> Answer:
    return _missing(module) if thing is None else envelope(thing)


def _missing(module: str) -> Answer:
    code = 2003 if module == ModuleID.LOCATIONS else 2000
    return envelope(status_code=code, status_message="Not found", http_status=404)


def _wrong_method() -> Answer:
    return envelope(status_code=2000, status_message="Method not allowed", http_status=405)
