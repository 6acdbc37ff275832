"""What an exchange has to be for the hub to learn from it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hub.lessons import was_taken
from routing.message import Answer, Message
from routing.modules import operation_at
from routing.vocabulary import InterfaceRole, Party, Version

_R = InterfaceRole.RECEIVER


def _command() -> Message:
    operation = operation_at(Version.V2_2_1, "commands", _R, "POST", ("START_SESSION",))
    return Message(Version.V2_2_1, operation, ("START_SESSION",), "", Party("DE", "MSP"), Party("NL", "CPO"), b"{}")


def _answer(data: Any, http_status: int = 200, status: int = 1000) -> Answer:  # noqa: ANN401 - any JSON
    body = msgspec.json.encode({"data": data, "status_code": status, "timestamp": "2026-11-22T08:00:00Z"})
    return Answer(http_status, status, body, None)


@pytest.mark.parametrize("data", [{"result": "ACCEPTED"}, [{"result": "ACCEPTED"}], "ACCEPTED"])
def test_a_command_is_taken_when_the_cpo_accepts_it(data: Any) -> None:  # noqa: ANN401 - any JSON
    assert was_taken(_command(), _answer(data))


@pytest.mark.parametrize("data", [{"result": "REJECTED"}, {}, None, [], 7])
def test_a_command_is_not_taken_when_the_cpo_says_anything_else(data: Any) -> None:  # noqa: ANN401 - any JSON
    assert not was_taken(_command(), _answer(data))


@pytest.mark.parametrize(("http_status", "status"), [(200, 2001), (404, 1000)])
def test_what_fails_is_not_taken(http_status: int, status: int) -> None:
    assert not was_taken(_command(), _answer({"result": "ACCEPTED"}, http_status, status))
