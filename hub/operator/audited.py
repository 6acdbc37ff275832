"""What the audit log says of a request: its name, its object, and what it changed. Free of secrets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from hub.plain_text import readable

Json = dict[str, Any]

_SECRET_NAMES: Final = ("token", "secret", "password", "authorization")
_NOT_SECRET: Final = frozenset({"tokens_since", "token_age_d", "auth_encoding", "token_hash", "token_type"})
_CHANGES_BY_ITSELF: Final = frozenset({"last_seen", "last_updated", "health", "circuit"})
_VERBS: Final = {"POST": "add", "PUT": "set", "PATCH": "change", "DELETE": "remove", "GET": "read"}
_LONGEST: Final = 16_384
_REASON: Final = 500


def action_of(method: str, template: str) -> str:
    """What a route does, in words with dots: `platform.suspend` for POST /platforms/{platform_id}/suspend."""
    parts = template.strip("/").split("/")
    if method == "GET" and "." in parts[-1]:
        return f"{_singular(parts[-1].partition('.')[0])}.export"
    words = [_singular(part) for part in parts if not _is_name(part)]
    is_verb = not _is_name(parts[-1]) and _singular(parts[-1]) == parts[-1]
    return ".".join(words if method == "POST" and is_verb else [*words, _VERBS.get(method, method.lower())])


def resource_of(path: str, template: str) -> str:
    """The object a request is about: its path up to the last name in it."""
    parts, shapes = path.strip("/").split("/"), template.strip("/").split("/")
    last = max((at for at, shape in enumerate(shapes) if _is_name(shape)), default=len(shapes) - 1)
    return "/".join(parts[: last + 1])


def object_path(path: str, template: str, readable_templates: Collection[str]) -> str | None:
    """Where the object that a request is about can be read; None where it cannot, or is made by the request."""
    parts, shapes = path.strip("/").split("/"), template.strip("/").split("/")
    for size in range(len(shapes), 0, -1):
        if _is_name(shapes[size - 1]) and "/" + "/".join(shapes[:size]) in readable_templates:
            return "/" + "/".join(parts[:size])
    return None


def masked(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same without secrets."""
    match value:
        case dict():
            return {name: "***" if _is_secret(name, item) else masked(item) for name, item in value.items()}
        case list():
            return [masked(item) for item in value]
        case str():
            return readable(value)
        case _:
            return value


def as_text(value: Json | None) -> str | None:
    """JSON for the log; of what is too long only the names are left."""
    if value is None:
        return None
    text = msgspec.json.encode(value).decode()
    if len(text) <= _LONGEST:
        return text
    return msgspec.json.encode(dict.fromkeys(list(value)[:100], "(too long to be kept)")).decode()


def changes(before: Json | None, after: Json | None) -> tuple[Json | None, Json | None]:
    """What differs, as it was and as it is; the whole, of an object that came or went."""
    if before is None or after is None:
        return before, after
    was: Json = {}
    now: Json = {}
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if name in _CHANGES_BY_ITSELF or old == new:
            continue
        was[name], now[name] = changes(old, new) if isinstance(old, dict) and isinstance(new, dict) else (old, new)
    return was, now


def found_wrong(answer: Json | None) -> str | None:
    """Of a look at a partner that did not answer as it should, why; the look itself was done. None of all else."""
    if answer is None or answer.get("answered") is not False:
        return None
    reasons = dict.fromkeys(str(each["reason"]) for each in answer.get("connections", ()) if each.get("reason"))
    return "; ".join(reasons) or None


def reason_of(header: str | None, query: str | None, body: Mapping[str, Any] | None) -> str | None:
    """Why somebody did it, as far as they said so: in the header Hub-Reason, the query or the body."""
    said = None if header is None else header.encode("latin-1").decode("utf-8", "replace")
    said = said or query or (body or {}).get("reason")
    return readable(said, _REASON) if isinstance(said, str) and said.strip() else None


def _is_name(part: str) -> bool:
    return part.startswith("{")


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _is_secret(name: str, value: object) -> bool:
    lowered = name.lower()
    if lowered in _NOT_SECRET or not isinstance(value, str):
        return False
    return any(word in lowered for word in _SECRET_NAMES)
