"""What is the same for all messages of one kind between two partners is worked out once."""

from __future__ import annotations

import gc
from weakref import ref

from hub.passages import Passages
from routing.directory import Connection, PartyDirectory, PlatformPart
from routing.message import Message
from routing.modules import operation_at
from routing.routes import Forward
from routing.vocabulary import InterfaceRole, ModuleID, Party, Role, Version
from tests.routing.directories import company

CPO, OTHER_CPO, EMSP = Party("NL", "CPO"), Party("NL", "TWO"), Party("DE", "MSP")
CPOS = company("cpos", {CPO: [Role.CPO], OTHER_CPO: [Role.CPO]}, Version.V2_1_1)
EMSPS = company("emsps", {EMSP: [Role.EMSP]})


def session(owner: Party = CPO, session_id: str = "S1") -> Message:
    path = (*owner, session_id)
    operation = operation_at(Version.V2_1_1, ModuleID.SESSIONS, InterfaceRole.RECEIVER, "PUT", path)
    return Message(Version.V2_1_1, operation, path, "", CPO, EMSP, b"{}")


def way_to(part: PlatformPart) -> Forward:
    return Forward(EMSP, part.platform.connections[0], "")


def source() -> Connection:
    return CPOS.platform.connections[0]


def test_it_is_the_same_for_every_object_of_one_owner_and_another_for_those_of_another() -> None:
    passages, directory = Passages(), PartyDirectory.of(1, [CPOS, EMSPS])
    first = passages.of(session(), way_to(EMSPS), source(), directory)

    assert (first.owner, first.sides, first.people.emsp) == (CPO, (CPO, EMSP), EMSP)
    assert passages.of(session(session_id="S2"), way_to(EMSPS), source(), directory) is first
    assert passages.of(session(OTHER_CPO), way_to(EMSPS), source(), directory).owner == OTHER_CPO


def test_it_is_worked_out_anew_once_the_directory_has_changed() -> None:
    passages, directory = Passages(), PartyDirectory.of(1, [CPOS, EMSPS])
    assert passages.of(session(), way_to(EMSPS), source(), directory).people.emsp == EMSP

    no_emsp = company("emsps", {EMSP: [Role.CPO]})
    assert passages.of(session(), way_to(EMSPS), source(), directory.replacing(2, [no_emsp])).people.emsp is None


def test_a_directory_that_was_replaced_is_not_kept_for_it() -> None:
    passages, directory = Passages(), PartyDirectory.of(1, [CPOS, EMSPS])
    passages.of(session(), way_to(EMSPS), source(), directory)
    replaced = ref(directory)
    del directory
    gc.collect()

    assert replaced() is None


def test_the_oldest_are_forgotten_where_there_are_too_many() -> None:
    passages, directory = Passages(most=1), PartyDirectory.of(1, [CPOS, EMSPS])
    first = passages.of(session(), way_to(EMSPS), source(), directory)
    passages.of(session(OTHER_CPO), way_to(EMSPS), source(), directory)

    assert passages.of(session(), way_to(EMSPS), source(), directory) is not first
