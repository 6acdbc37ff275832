"""What the specification objects to in an object.

- Null is absence where a field is optional, a problem where it is required. `*` may be null, absent or empty.
- A PATCH body is partial on its top level only: a nested object or a list element has to be complete.
- 16.0 is an int, `true` is no number, a URL needs a scheme and no blanks, `+00:00` ends no DateTime.
- In 2.1.1 `string` is printable ASCII, as its "Types" say; many partners send UTF-8.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from tests.ocpi.schema import Enum, Field, ObjectType, Schema, load

Kind = Literal[
    "missing", "null", "type", "length", "charset", "format", "range", "enum", "cardinality", "rule", "unknown"
]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at `path`, for example `evses[0].connectors[1].standard`. The object itself is the empty path."""

    path: str
    kind: Kind
    message: str

    def __str__(self) -> str:
        return f"{self.path or '(object)'}: {self.message}"


def check(version: str, class_name: str, value: Any, partial: bool = False, strict: bool = False) -> list[Problem]:
    """All that the specification objects to in `value`, in the order of the tables; an empty list means valid.

    `value` is parsed JSON. With `partial` (PATCH) required fields may be absent and rules between fields are not
    applied, but what is present has to be right and complete, and `last_updated` has to be there where the version
    demands it. With `strict` a field that the class does not have is a problem too.
    """
    schema = load(version)
    if not schema.has(class_name):
        raise KeyError(f"OCPI {version} has no class {class_name!r}")
    return list(_Checker(schema, strict, in_cdr=class_name == "CDR").value("", class_name, value, partial))


class _Checker:
    def __init__(self, schema: Schema, strict: bool, in_cdr: bool) -> None:
        self._schema = schema
        self._strict = strict
        self._in_cdr = in_cdr

    def value(self, path: str, type_name: str, value: Any, partial: bool = False) -> Iterator[Problem]:
        if type_name in self._schema.objects:
            yield from self._object(path, self._schema.objects[type_name], value, partial)
        elif type_name in self._schema.enums:
            yield from self._enum(path, self._schema.enums[type_name], value)
        else:
            yield from self._scalar(path, Field(name="", type=type_name, card="1"), value)

    def _object(self, path: str, cls: ObjectType, value: Any, partial: bool) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(path, "type", f"{cls.name} is a JSON object, not {_json_name(value)}")
            return
        for field in cls.fields.values():
            yield from self._field(f"{path}.{field.name}" if path else field.name, cls, field, value, partial)
        for name in value:
            if self._strict and name not in cls.fields:
                yield Problem(f"{path}.{name}" if path else name, "unknown", f"{cls.name} has no such field")
        for rule in () if partial else cls.rules:
            if message := _broken(rule, value):
                yield Problem(path, "rule", message)

    def _field(
        self, path: str, cls: ObjectType, field: Field, value: dict[str, Any], partial: bool
    ) -> Iterator[Problem]:
        if field.name not in value:
            if field.name in cls.patch_required if partial else field.required:
                yield Problem(path, "missing", "required, but absent")
        elif value[field.name] is None:
            if field.required:
                yield Problem(path, "null", "required, but null")
        elif field.many:
            yield from self._list(path, field, value[field.name])
        else:
            yield from self._item(path, field, value[field.name])

    def _list(self, path: str, field: Field, value: Any) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield Problem(path, "type", f"a list of {field.type}, not {_json_name(value)}")
            return
        if field.required and not value:
            yield Problem(path, "cardinality", "at least one element is required")
        for index, item in enumerate(value):
            yield from self._item(f"{path}[{index}]", field, item)

    def _item(self, path: str, field: Field, value: Any) -> Iterator[Problem]:
        if field.type in self._schema.scalars:
            yield from self._scalar(path, field, value)
        else:
            yield from self.value(path, field.type, value)

    def _enum(self, path: str, enum: Enum, value: Any) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem(path, "type", f"{enum.name} is a JSON string, not {_json_name(value)}")
        elif value not in enum.values and not (enum.open and value):
            yield Problem(path, "enum", f"{value!r} is not a {enum.name}")
        elif self._in_cdr and value in enum.session_only:
            yield Problem(path, "rule", f"{value} may be used in a Session only")

    def _scalar(self, path: str, field: Field, value: Any) -> Iterator[Problem]:
        scalar = self._schema.scalars[field.type]
        wanted: Literal["string", "number", "integer", "boolean"] = scalar["json"]
        match wanted:
            case "string":
                if not isinstance(value, str):
                    yield Problem(path, "type", f"{field.type} is a JSON string, not {_json_name(value)}")
                else:
                    yield from self._string(path, field, scalar, value)
            case "number" | "integer":
                if not _is_number(value) or (wanted == "integer" and value != int(value)):
                    yield Problem(path, "type", f"{field.type} is a JSON {wanted}, not {_json_name(value)}")
                else:
                    yield from self._number(path, field, value)
            case "boolean":
                if not isinstance(value, bool):
                    yield Problem(path, "type", f"boolean is true or false, not {_json_name(value)}")

    def _string(self, path: str, field: Field, scalar: Mapping[str, Any], value: str) -> Iterator[Problem]:
        longest = field.max_length or scalar.get("max_length")
        if longest is not None and len(value) > longest:
            yield Problem(path, "length", f"{len(value)} characters, at most {longest} are allowed")
        if field.min_length is not None and len(value) < field.min_length:
            yield Problem(path, "length", f"{len(value)} characters, at least {field.min_length} are required")
        if not _printable(value, ascii_only=scalar.get("charset") == "ascii"):
            allowed = "printable ASCII" if scalar.get("charset") == "ascii" else "printable"
            yield Problem(path, "charset", f"only {allowed} characters are allowed")
        if field.pattern is not None and not re.fullmatch(field.pattern, value):
            yield Problem(path, "format", f"{value!r} does not match {field.pattern}")
        if field.type == "DateTime" and not _is_date_time(value, scalar["pattern"]):
            yield Problem(path, "format", f"{value!r} is not a DateTime in UTC")
        if field.type == "URL" and not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:\S+", value):
            yield Problem(path, "format", f"{value!r} is not an absolute URL")

    def _number(self, path: str, field: Field, value: float) -> Iterator[Problem]:
        if field.max_digits is not None and len(str(abs(int(value)))) > field.max_digits:
            yield Problem(path, "length", f"{value} has more than {field.max_digits} digits")
        if (field.min is not None and value < field.min) or (field.max is not None and value > field.max):
            yield Problem(path, "range", f"{value} is outside {field.min} to {field.max}")
        if field.decimals is not None and abs(round(value, field.decimals) - value) > 1e-9:
            yield Problem(path, "format", f"{value} has more than {field.decimals} decimals")


def _broken(rule: Mapping[str, Any], value: Mapping[str, Any]) -> str | None:
    """Why `value` breaks `rule`, or None. A field counts as set when it is there and neither null nor an empty list."""
    if "at_least_one" in rule:
        names = rule["at_least_one"]
        return None if any(_is_set(value, name) for name in names) else f"one of {', '.join(names)} has to be set"
    if not applies(rule, value):
        return None
    condition = f"{rule['when']} is {json.dumps(rule['is'])}" if "is" in rule else f"{rule['when']} is set"
    if absent := [name for name in rule.get("needs", ()) if not _is_set(value, name)]:
        return f"{', '.join(absent)} has to be set when {condition}"
    if present := [name for name in rule.get("without", ()) if _is_set(value, name)]:
        return f"{', '.join(present)} may not be set when {condition}"
    return None


def applies(rule: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    """Whether the condition of a `when` rule holds for `value`."""
    return value.get(rule["when"]) == rule["is"] if "is" in rule else _is_set(value, rule["when"])


def _is_set(value: Mapping[str, Any], name: str) -> bool:
    return value.get(name) not in (None, [])


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_date_time(value: str, pattern: str) -> bool:
    if not re.fullmatch(pattern, value):
        return False
    try:
        datetime.fromisoformat(value[:19])
    except ValueError:
        return False
    return True


def _printable(value: str, ascii_only: bool) -> bool:
    if value.isascii():
        return value.isprintable()
    return not ascii_only and not any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in value)


def _json_name(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return f"the number {value}"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"
