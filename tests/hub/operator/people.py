"""Who calls the operator API in tests, with tokens and addresses of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from typing import Any

import httpx

from loadtests.hub_process import HubProcess

_numbers = count(2)
_names = count(1)


def from_elsewhere() -> str:
    """An address of this machine that has not presented a wrong token yet."""
    number = next(_numbers)
    return f"127.{1 + number // 60000}.{number // 250 % 240}.{2 + number % 250}"


@contextmanager
def client_from_elsewhere(hub: HubProcess) -> Iterator[httpx.Client]:
    """A client without a token, from an address of its own."""
    transport = httpx.HTTPTransport(local_address=from_elsewhere())
    with closing(httpx.Client(base_url=hub.operator.url, transport=transport, timeout=30)) as client:
        yield client


def new_token(hub: HubProcess, role: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401  members of the body
    """A token of this role, as it was created."""
    body = {"name": f"{role}-{next(_names)}", "role": role, **more}
    made: dict[str, Any] = hub.operator.ask("POST", "/api/v1/tokens", json=body)
    return made


@contextmanager
def somebody(hub: HubProcess, role: str, **more: Any) -> Iterator[httpx.Client]:  # noqa: ANN401  members of the body
    """A client with a token of this role."""
    headers = {"authorization": f"Bearer {new_token(hub, role, **more)['token']}"}
    with httpx.Client(base_url=hub.operator.url, headers=headers, trust_env=False, timeout=30) as client:
        yield client
