"""What the environment may say: the types of settings, read from text."""

from __future__ import annotations

import ipaddress
import re
from enum import StrEnum
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from routing.vocabulary import Secret

_HOST = re.compile(r"[A-Za-z0-9_.:-]{1,253}")
_RATE = re.compile(r"(\d+(?:\.\d+)?)/s burst (\d+)")


class RateLimit(NamedTuple):
    """A token bucket: refilled with `per_second` tokens each second, never fuller than `burst`."""

    per_second: float
    burst: int


def _secret(value: object) -> Secret:
    if isinstance(value, Secret):
        return value
    text = str(value)
    if not all("!" <= char <= "~" for char in text):
        raise ValueError("only visible ASCII characters without spaces are allowed")
    return Secret(text)


def _rate_limit(value: object) -> RateLimit | None:
    if value is None or isinstance(value, RateLimit):
        return value
    text = str(value).strip().lower()
    if text == "off":
        return None
    match = _RATE.fullmatch(text)
    if match is None:
        raise ValueError("neither a rate with a burst nor off")
    limit = RateLimit(float(match[1]), int(match[2]))
    if limit.per_second <= 0 or limit.burst < 1:
        raise ValueError("rate and burst must be more than nothing")
    return limit


def _proxies(value: object) -> object:
    if not isinstance(value, str):
        return value
    hosts = tuple(host.strip() for host in value.split(","))
    for host in hosts:
        try:
            ipaddress.ip_network(host)
        except ValueError:
            raise ValueError(f"{host[:60]!r} is neither an address nor a network") from None
    return hosts


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


Proxies = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_proxies)]
Port = Annotated[int, Field(ge=1, le=65535)]
Host = Annotated[str, Field(pattern=f"^{_HOST.pattern}$")]
Seconds = Annotated[float, Field(gt=0, le=300, allow_inf_nan=False)]
Notice = Annotated[float, Field(ge=0, le=300, allow_inf_nan=False)]
Pause = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
CountryCode = Annotated[str, BeforeValidator(_upper), Field(pattern="^[A-Z]{2}$")]
PartyID = Annotated[str, BeforeValidator(_upper), Field(pattern="^[A-Z0-9]{1,3}$")]
SecretText = Annotated[Secret, BeforeValidator(_secret)]
Rate = Annotated[RateLimit | None, NoDecode, BeforeValidator(_rate_limit)]
InLowerCase: Final = BeforeValidator(_lower)
LogFormat = Annotated[Literal["console", "json"], InLowerCase]
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], InLowerCase]


class Source(StrEnum):
    """Where a setting comes from."""

    DEFAULT = "default"
    ENVIRONMENT = "environment"
    DOTENV = ".env"
    FROM_FILE = "file"
    """The file that `HUB_…_FILE` names."""
    GENERATED = "generated"
    """By the hub, into a file below `var/`."""


class Shown(NamedTuple):
    """A setting as anybody may see it."""

    field: str
    value: str | None
    """None of a secret, and where there is none. What may be a secret within is `***`."""
    default: str | None
    """None where there is none, or it follows from other settings."""
    is_secret: bool
    is_set: bool
    source: Source


def written(value: object) -> str:
    """A value as one writes it, without what may be a secret in it."""
    match value:
        case None:
            return "off"
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:g}"
        case RateLimit():
            return f"{value.per_second:g}/s burst {value.burst}"
        case tuple():
            return ",".join(map(str, value))
        case _:
            return _without_passwords(str(value))


def _without_passwords(text: str) -> str:
    """The same, of a URL with whatever may be a secret in it as `***`."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        return text
    place, question, query = rest.partition("?")
    user, at, host = place.rpartition("@")
    names = (each.partition("=")[0] + "=***" for each in query.split("&"))
    hidden = f"{user.partition(':')[0]}:***" if user else ""
    return f"{scheme}{separator}{hidden}{at}{host}{question}{'&'.join(names) if question else ''}"
