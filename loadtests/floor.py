"""The floor of the stack: a bare Litestar mount that reads the request and answers at once. Only `bench` uses it."""

from __future__ import annotations

from litestar import Litestar, asgi
from litestar.types import Receive, Scope, Send

_BODY = b'{"status_code":1000,"timestamp":"2026-11-22T08:00:00Z"}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(_BODY)).encode())]


@asgi("/ocpi", is_mount=True)
async def answer(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - the signature of ASGI
    """Accept whatever it is."""
    while True:
        event = await receive()
        if event["type"] != "http.request" or not event["more_body"]:
            break
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY, "more_body": False})


app = Litestar(route_handlers=[answer], openapi_config=None)
