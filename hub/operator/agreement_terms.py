"""What an operator writes down of an agreement, as JSON or as a line of a CSV file, and what it means.

A file has a line of column names, `a,b,modules,direction`, and one line for each pair. Only `a` and `b` are needed;
modules are parted by spaces. Spreadsheets of some countries write semicolons for commas, which is the same here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

from hub.store.agreements import Terms
from routing.agreements import Agreement, Sending
from routing.dialects import DIALECTS
from routing.directory import PartyDirectory
from routing.vocabulary import Party

COLUMNS: Final = ("a", "b", "modules", "direction")
_NEEDED: Final = ("a", "b")
_PARTY: Final = re.compile(r"[A-Za-z]{2}\*[!-.0-~]{1,3}")
_ROUTED: Final = frozenset[str]().union(*(dialect.modules for dialect in DIALECTS.values()))
_SHOWN: Final = 40


class BadTerms(Exception):
    """Nobody can agree on this. The message says why."""


class BadLine(NamedTuple):
    """A line of a file that cannot be taken over, and why."""

    number: int
    """The first is 1."""
    why: str


class BadFile(Exception):
    """A file that cannot be taken over."""

    def __init__(self, lines: list[BadLine]) -> None:
        super().__init__(f"{len(lines)} lines cannot be taken over")
        self.lines = lines


class TermsReader:
    """Reads what is written down. It looks up who has which custom modules in `directory`."""

    def __init__(self, directory: PartyDirectory, hub_party: Party) -> None:
        self._directory = directory
        self._hub_party = hub_party

    def terms(self, a: str, b: str, modules: Collection[str] | None, direction: str) -> Terms:
        """The terms that these words mean.

        Raises:
            BadTerms: there can be no such agreement.
        """
        one, other = self._party(a), self._party(b)
        if one == other:
            raise BadTerms(f"a and b are both {one}, which needs no agreement with itself")
        if direction not in list(Sending):
            raise BadTerms(f"direction {direction[:_SHOWN]!r} is neither both nor a_to_b")
        if modules is not None and not modules:
            raise BadTerms("modules is empty; name at least one, or leave it out for all")
        known = None if modules is None else self._known(one, other)
        return Terms(
            a=one,
            b=other,
            modules=None if modules is None else frozenset(_module(each, known or {}) for each in modules),
            sending=Sending(direction),
        )

    def file(self, content: bytes) -> list[Terms]:
        """The terms of every line of a CSV file.

        Raises:
            BadFile: at least one of them means nothing.
        """
        found: dict[str, tuple[int, Terms]] = {}
        bad: list[BadLine] = []
        for number, line in _lines(content):
            try:
                terms = self._of_line(line)
            except BadTerms as error:
                bad.append(BadLine(number, str(error)))
                continue
            first, _ = found.setdefault(terms.pair, (number, terms))
            if first != number:
                bad.append(BadLine(number, f"{terms.a} and {terms.b} are on line {first} already"))
        if bad:
            raise BadFile(bad)
        return [terms for _, terms in found.values()]

    def _of_line(self, line: dict[str, str]) -> Terms:
        modules = line.get("modules", "").split()
        return self.terms(line["a"], line["b"], modules or None, line.get("direction") or Sending.BOTH)

    def _party(self, text: str) -> Party:
        if not _PARTY.fullmatch(text) or text[3:] in {".", ".."}:
            raise BadTerms(f"{text[:_SHOWN]!r} is no party; one is written like NL*ABC")
        party = Party.read(text[:2], text[3:])
        if party == self._hub_party:
            raise BadTerms(f"{party} is this hub, with which nobody needs an agreement")
        return party

    def _known(self, *parties: Party) -> dict[str, str]:
        """Every module the parties can agree on, by its name in lower case."""
        platforms = map(self._directory.platform_of, parties)
        custom = (each for platform in platforms if platform is not None for each in platform.quirks.custom_modules)
        return {each.lower(): each for each in (*_ROUTED, *custom)}


def _module(name: str, known: dict[str, str]) -> str:
    module = known.get(name.lower())
    if module is None:
        raise BadTerms(
            f"{name[:_SHOWN]!r} is no module that messages are routed in; these are {', '.join(sorted(_ROUTED))}, and "
            "what the setting custom_modules of either platform names"
        )
    return module


def _lines(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Each line that has anything on it, by the names of its columns.

    Raises:
        BadFile: it is no such file.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile([BadLine(content[: error.start].count(b"\n") + 1, "not in UTF-8")]) from error
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in head else ",", strict=True)
    names: list[str] | None = None
    try:
        for cells in reader:
            line = [cell.strip() for cell in cells]
            if names is None:
                names = _checked_names(line)
            elif any(line):
                yield reader.line_num, _by_name(names, line, reader.line_num)
    except csv.Error as error:
        raise BadFile([BadLine(reader.line_num, f"no CSV: {error}")]) from error
    if names is None:
        raise BadFile([BadLine(1, f"the names of the columns are missing: {','.join(COLUMNS)}")])


def _checked_names(line: list[str]) -> list[str]:
    names = [name.lower() for name in line]
    odd = next((name for name in names if name not in COLUMNS or names.count(name) > 1), None)
    if odd is not None or not set(_NEEDED) <= set(names):
        why = f"the columns are {','.join(COLUMNS)}, of which a and b are needed; this line has {','.join(names)}"
        raise BadFile([BadLine(1, why[:200])])
    return names


def _by_name(names: list[str], line: list[str], number: int) -> dict[str, str]:
    if len(line) != len(names):
        raise BadFile([BadLine(number, f"{len(line)} cells, where the first line names {len(names)} columns")])
    return dict(zip(names, line, strict=True))


def csv_of(agreements: Iterable[Agreement]) -> bytes:
    """A file that means these agreements."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for each in agreements:
        modules = "" if each.modules is None else " ".join(sorted(each.modules))
        writer.writerow((str(each.a), str(each.b), modules, each.sending.value))
    return file.getvalue().encode()
