from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import count
from time import monotonic
from typing import NamedTuple

import pytest

from hub.fan_out import WAIT_FOR_ALLOWED_S, fan_out
from hub.limits import Buckets, Limits
from hub.setting_types import RateLimit
from hub.trace import Trace
from loadtests.simulator import Answer, Behaviour, Json, Partner, envelope
from loadtests.simulator.messages import Received
from routing.directory import Connection
from routing.errors import ReceiverTimeout, ReceiverUnreachable, TooManyRequests, UnknownToken
from routing.message import Answer as HubAnswer
from routing.message import Message, MessageIds
from routing.modules import operation_at
from routing.receivers import forward
from routing.routes import FanOut
from routing.translation.questions import TokensOfUid
from routing.vocabulary import InterfaceRole, Party, Version
from tests.hub.running_hub import RunningHub
from tests.partners import CPO, EMSP, partner, token

_numbers = count()
NOT_MINE = envelope(status_code=2004, status_message="unknown", http_status=404)


class Asking(NamedTuple):
    """A CPO, and the eMSPs that may know its driver."""

    hub: RunningHub
    cpo: Partner
    emsps: Sequence[Partner]

    def about(self, uid: str, *, in_turn: bool = False, body: bytes | None = None) -> tuple[HubAnswer, Trace]:
        """Ask all of them."""
        hub = self.hub.hub
        operation = operation_at(Version.V2_2_1, "tokens", InterfaceRole.SENDER, "POST", (uid, "authorize"))
        message = Message(Version.V2_2_1, operation, (uid, "authorize"), "", self.cpo.party, None, body)
        directory = hub.directory.snapshot
        route = FanOut(tuple(forward(message, each.party, directory) for each in self.emsps), in_turn)
        trace = Trace(MessageIds("request", f"conversation-{uid}"), Version.V2_2_1, "POST")
        return self.hub.do(fan_out(message, route, self.source(), trace, hub)), trace

    def source(self) -> Connection:
        platform = self.hub.hub.directory.snapshot.platform_of(self.cpo.party)
        assert platform is not None
        return platform.connections[0]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with RunningHub(tmp_path_factory.mktemp("hub"), authorize_timeout_s=5) as running:
        yield running


@pytest.fixture(scope="module")
def everyone(hub: RunningHub) -> Iterator[Asking]:
    versions = (Version.V2_2_1, Version.V2_3_0, Version.V2_1_1)
    partners = [partner(CPO), *(partner(EMSP, version) for version in versions)]
    with ExitStack() as stack:
        for each in partners:
            stack.enter_context(each.running())
            hub.registered(each)
        yield Asking(hub, partners[0], partners[1:])


@pytest.fixture
def asking(everyone: Asking) -> Asking:
    for each in everyone.emsps:
        each.received.clear()
        each.script.clear()
    return everyone


@pytest.fixture
def uid() -> str:
    return f"CARD{next(_numbers)}"


def info(owner: Partner, uid: str, allowed: str = "ALLOWED") -> Answer:
    """What an eMSP says of its card."""
    whole: Json = {"allowed": allowed, "token": token(owner.party, uid)}
    if owner.version is Version.V2_1_1:
        del whole["token"]
    return envelope(whole)


def meets(emsp: Partner, what: Behaviour | Answer) -> None:
    """Whatever the eMSP is asked from now on: a call that was given up may still arrive."""
    emsp.behaves(Behaviour(answer=what) if isinstance(what, Answer) else what)


def requests(emsp: Partner, uid: str) -> list[Received]:
    """What it was asked about this Token."""
    return [request for request in emsp.received if f"/{uid}/" in request.raw_path]


def owners_known(hub: RunningHub, uid: str) -> list[Party]:
    """Who is known to have a Token of this uid."""
    question = TokensOfUid(None, uid)
    known = hub.do(hub.hub.knowledge.answers([question]))[question]
    return [facts.owner for facts in known or ()]


def nothing_is_left(hub: RunningHub) -> None:
    """See that no call is under way any more, nor a task of one."""

    async def look() -> None:
        lanes = hub.hub.partners._lanes.values()
        assert [lane.bulkhead.active for lane in lanes if lane.bulkhead.active] == []
        assert not [task for task in asyncio.all_tasks() if "_ask" in repr(task.get_coro())]

    hub.do(look())


def test_the_one_who_knows_the_token_answers(asking: Asking, uid: str) -> None:
    first, second, third = asking.emsps
    meets(first, NOT_MINE)
    meets(second, Behaviour(delay_s=0.8, answer=info(second, uid)))
    meets(third, envelope(status_code=2000, http_status=404))

    answer, trace = asking.about(uid, body=b'{"location_id": "LOC1"}')

    assert (answer.http_status, answer.ocpi_status, answer.sender) == (200, 1000, second.party)
    assert (trace.receiver, trace.target and trace.target.version) == (second.party, Version.V2_3_0)
    arrived = [request for each in asking.emsps for request in requests(each, uid)]
    assert [request.json() for request in arrived] == [{"location_id": "LOC1"}] * 3
    assert {request.header("x-correlation-id") for request in arrived} == {f"conversation-{uid}"}
    assert len({request.header("x-request-id") for request in arrived}) == 3
    assert trace.upstream_request_id == arrived[1].header("x-request-id")
    assert owners_known(asking.hub, uid) == [second.party]
    nothing_is_left(asking.hub)


def test_the_first_who_allows_wins_and_the_others_are_not_waited_for(asking: Asking, uid: str) -> None:
    blocking, silent, allowing = asking.emsps
    meets(blocking, info(blocking, uid, "BLOCKED"))
    meets(silent, Behaviour(silent=True))
    meets(allowing, Behaviour(delay_s=0.3, answer=info(allowing, uid)))
    began = monotonic()

    answer, _ = asking.about(uid)

    assert answer.sender == allowing.party
    assert 0.3 <= monotonic() - began < 4, "and not the 5 s for the silent one"
    assert blocking.party not in owners_known(asking.hub, uid)
    nothing_is_left(asking.hub)


def test_who_is_given_up_can_be_called_again(asking: Asking, uid: str) -> None:
    allowing, silent, _ = asking.emsps
    for number in range(3):
        meets(allowing, info(allowing, f"{uid}-{number}"))
        meets(silent, Behaviour(silent=True))
        assert asking.about(f"{uid}-{number}")[0].sender == allowing.party
    meets(silent, info(silent, uid))
    meets(allowing, NOT_MINE)

    assert asking.about(uid)[0].sender == silent.party
    nothing_is_left(asking.hub)


def test_a_token_that_is_known_and_not_allowed_waits_a_second_for_somebody_who_allows_it(
    asking: Asking, uid: str
) -> None:
    blocking, silent, _ = asking.emsps
    meets(blocking, info(blocking, uid, "BLOCKED"))
    meets(silent, Behaviour(silent=True))
    meets(asking.emsps[2], NOT_MINE)
    began = monotonic()

    answer, _ = asking.about(uid)

    assert answer.sender == blocking.party
    assert WAIT_FOR_ALLOWED_S <= monotonic() - began < 4, "and not the 5 s for the silent one"


def test_who_knows_too_little_is_heard_when_nobody_knows_more(asking: Asking, uid: str) -> None:
    unsure = asking.emsps[1]
    for each in asking.emsps:
        meets(each, NOT_MINE)
    meets(unsure, envelope(status_code=2002))

    answer, _ = asking.about(uid)

    assert (answer.http_status, answer.ocpi_status, answer.sender) == (200, 2002, unsure.party)


def test_nobody_knows_the_token(asking: Asking, uid: str) -> None:
    first, second, third = asking.emsps
    meets(first, NOT_MINE)
    meets(second, envelope(status_code=2004))
    meets(third, Behaviour(reset=True))

    with pytest.raises(UnknownToken) as error:
        asking.about(uid)

    assert (error.value.http_status, error.value.ocpi_status) == (404, 2004)


def test_an_error_is_handed_on_when_there_is_nothing_else(asking: Asking, uid: str) -> None:
    for each in asking.emsps:
        meets(each, Behaviour(reset=True))
    meets(asking.emsps[0], envelope(status_code=3000))

    answer, _ = asking.about(uid)

    assert (answer.ocpi_status, answer.sender) == (3000, asking.emsps[0].party)


def test_nobody_answers_in_time(asking: Asking, uid: str) -> None:
    for each in asking.emsps:
        meets(each, Behaviour(silent=True))
    began = monotonic()

    with pytest.raises(ReceiverTimeout):
        asking.about(uid)

    assert monotonic() - began < 10
    nothing_is_left(asking.hub)


def test_nobody_can_be_reached(asking: Asking, uid: str) -> None:
    for each in asking.emsps:
        meets(each, Behaviour(reset=True))
    meets(asking.emsps[1], Behaviour(silent=True))

    with pytest.raises(ReceiverUnreachable):
        asking.about(uid)


def test_what_one_of_them_sends_does_not_harm_the_answer_of_another(
    asking: Asking, uid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = asking.emsps
    for each, answer in ((first, envelope([])), (second, envelope({"allowed": 5, "token": 7})), (third, None)):
        meets(each, answer or envelope("x"))
    assert asking.about(uid)[0].ocpi_status == 1000

    meets(first, info(first, uid))
    monkeypatch.setattr("hub.delivery.Translation.of", lambda *_: 1 / 0)
    with pytest.raises(ReceiverUnreachable):
        asking.about(uid)


def test_those_who_are_known_to_have_the_token_are_asked_one_after_the_other(asking: Asking, uid: str) -> None:
    first, second, third = asking.emsps
    meets(first, NOT_MINE)
    meets(second, info(second, uid, "EXPIRED"))

    answer, _ = asking.about(uid, in_turn=True)

    assert answer.sender == second.party
    assert [len(requests(each, uid)) for each in asking.emsps] == [1, 1, 0]

    meets(second, Behaviour(silent=True))
    meets(first, NOT_MINE)
    with pytest.raises(UnknownToken):
        asking.about(uid, in_turn=True)
    assert not requests(third, uid)


def test_a_platform_may_ask_everybody_five_times_a_second(
    asking: Asking, uid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = Limits(RateLimit(1000, 1000))
    assert limits._fan_outs is not None
    limits._fan_outs = Buckets(limits._fan_outs.limit, lambda: 0.0)  # on a busy machine five take longer than a second
    monkeypatch.setattr(asking.hub, "hub", replace(asking.hub.hub, limits=limits))
    for _ in range(5):
        for each in asking.emsps:
            meets(each, NOT_MINE)
        with pytest.raises(UnknownToken):
            asking.about(uid)
    with pytest.raises(TooManyRequests) as refusal:
        asking.about(uid)

    assert refusal.value.answer_headers() == {"Retry-After": "1"}
    assert [len(requests(each, uid)) for each in asking.emsps] == [5, 5, 5]
