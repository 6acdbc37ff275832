"""A thread, a port and an HTTP client of one partner, or of many who share them."""

from __future__ import annotations

import asyncio
import ssl

import httpx
import uvloop

from loadtests.simulator.server import LOOPBACK, Listener, Loop
from loadtests.simulator.site import App, Receive, Scope, Send
from loadtests.simulator.trust import usual_authorities


class Premises:
    """Where partners are found: each below a path of its own, a single one at the root.

    A thread, an event loop, a port and a TLS context are what makes a partner dear; a path costs nothing.
    """

    def __init__(
        self,
        name: str,
        *,
        tls: ssl.SSLContext | None = None,
        host: str = LOOPBACK,
        port: int = 0,
        origin: str = "",
        is_busy: bool = False,
    ) -> None:
        """`origin` is what its URLs begin with, where that is not the `host` that it listens on.

        `is_busy` is for many partners under load: a message takes a fifth less CPU time.
        """
        self.loop = Loop(name, make=uvloop.new_event_loop if is_busy else asyncio.new_event_loop)
        self.listener = Listener(self, tls, host=host, port=port)
        self._scheme = "http" if tls is None else "https"
        self._host, self._origin = host, origin
        self._tenants: dict[str, App] = {}
        self._closing = False

    @property
    def origin(self) -> str:
        """What all URLs begin with."""
        return self._origin or f"{self._scheme}://{self._host}:{self.listener.port}"

    def open(self) -> None:
        """Begin to listen. Raises OSError when the port is taken."""
        try:
            self.loop.run(self._open())
        except OSError:
            self.loop.close()
            raise

    def close(self) -> None:
        """Stop listening, and break what is under way."""
        self._closing = True
        self.loop.run(self.listener.close())
        self.loop.run(self.http.aclose())
        self.loop.close()

    def let(self, path: str, app: App) -> str:
        """Have `app` answer everything below this path, a segment or empty; returns the URL it is found at."""
        self._tenants[path] = app
        return f"{self.origin}/{path}".rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, to whom it is for; the rest of its path is what that one sees."""
        try:
            await self._tenant(scope)(scope, receive, send)
        except asyncio.CancelledError:
            if not self._closing:  # or the server would tell of every request that it does not answer any more
                raise

    def _tenant(self, scope: Scope) -> App:
        alone = self._tenants.get("")
        if alone is not None:
            return alone
        _, path, *rest = scope["raw_path"].split(b"/", 2)
        scope["raw_path"] = b"/" + b"".join(rest)
        return self._tenants.get(path.decode("latin-1"), _nobody)

    async def _open(self) -> None:
        await self.listener.open()
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
        self.http = httpx.AsyncClient(
            verify=usual_authorities(), trust_env=False, timeout=30, follow_redirects=False, limits=limits
        )


async def _nobody(_: Scope, __: Receive, send: Send) -> None:
    """Nobody is found at this path."""
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})
