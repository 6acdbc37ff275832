"""The environment, read once, as one frozen object.

Every setting is a variable `HUB_…`, from the environment or from `.env` in the working directory; the
environment wins. A setting that is or contains a secret may also be given as `HUB_…_FILE`, the path of
a file that holds it. An empty variable counts as absent.

Whatever is wrong, an unknown `HUB_…` name included, is a `SettingsError`: one line that names the
variable, the fault and an example, and never shows a secret.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, PrivateAttr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from hub.secret_files import FILE_SUFFIX, SettingsError, file_example, kept_secret, read_secret_file
from hub.setting_types import (
    CountryCode,
    Host,
    InLowerCase,
    LogFormat,
    LogLevel,
    Notice,
    PartyID,
    Pause,
    Port,
    Proxies,
    Rate,
    RateLimit,
    Seconds,
    SecretText,
    Share,
    Shown,
    Source,
    written,
)
from routing.agreements import AgreementRules
from routing.vocabulary import Party, Secret

__all__ = ["VAR_DIR", "Settings", "SettingsError"]

VAR_DIR = Path("var")
"""Where the hub keeps what it generates, relative to the working directory."""

_PREFIX = "HUB_"
_READABLE_FROM_FILE = ("operator_token", "secret_key", "other_secret_key", "database_url", "redis_url")
_SECRETS = frozenset({"operator_token", "secret_key", "other_secret_key"})
_GENERATED = ("operator_token", "secret_key")
_NOT_FOR_THE_HUB = frozenset({"HUB_DEMO_STAY"})
"""Names that start like settings and belong to a command beside the hub."""

_URL_HOST = re.compile(r"[a-z0-9_.-]{1,253}|\[[0-9a-f:.]+\]")
_URL_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_LONGEST_PUBLIC_URL = 128  # the hub adds paths to it and OCPI's URL type ends at 255 characters
_WILDCARD_HOSTS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - recognised here, not bound
_SHORTEST_EXPOSED_TOKEN = 16
_SHORTEST_KEY = 16

_EXAMPLES = {
    "public_url": "https://hub.example.com",
    "host": "127.0.0.1",
    "port": "8000",
    "operator_host": "127.0.0.1",
    "operator_port": "8001",
    "console_url": "https://hub-console.example.com",
    "country_code": "NL",
    "party_id": "HUB",
    "name": "'Example roaming hub'",
    "database_url": "postgresql+asyncpg://hub:password@db.example.com/hub",
    "redis_url": "redis://redis.example.com:6379/0",
    "workers": "1",
    "allow_private_partners": "false",
    "trusted_proxies": "10.1.2.3,172.30.0.0/16",
    "forward_timeout_s": "30",
    "connect_timeout_s": "5",
    "authorize_timeout_s": "10",
    "alive_after_s": "300",
    "offline_probe_every_s": "60",
    "offline_after_failures": "2",
    "agreements": "required",
    "no_agreement_view": "hidden",
    "get_all_partial": "allow",
    "open_broadcast": "true",
    "authorize_fanout": "true",
    "page_max": "100",
    "max_body_bytes": "2097152",
    "rate_limit": "'50/s burst 200'",
    "drain_notice_s": "10",
    "journal_days": "90",
    "traces_url": "http://127.0.0.1:4318/v1/traces",
    "traces_ratio": "0.1",
    "log_format": "json",
    "log_level": "info",
    "operator_token": "$(openssl rand -hex 32)",
    "secret_key": "$(openssl rand -hex 32)",
    "other_secret_key": "$(cat old-secret-key)",
}
"""A good value of each setting, as one writes it in a shell."""


class Settings(BaseSettings):
    """Everything an operator can choose before the start. Durations are seconds, sizes are bytes.

    The order of the fields matters: a rule that concerns two of them is checked at the later one, and
    secrets are generated last, when everything else is known to be right.
    """

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",  # unknown names are refused by `load`, in words that help
        frozen=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
    )

    public_url: str = "http://127.0.0.1:8000"
    """Origin, and prefix if any, under which partners reach the hub; without a slash at the end."""
    host: Host = "127.0.0.1"
    """Address of the partner listener."""
    port: Port = 8000
    """Port of the partner listener."""
    operator_host: Host = "127.0.0.1"
    """Address of the operator listener."""
    operator_port: Port = 8001
    """Port of the operator listener."""
    console_url: str | None = None
    """Origin under which operators open the console, when it is not met under a loopback name."""
    country_code: CountryCode = "EU"
    """Country code of the party that the hub itself is."""
    party_id: PartyID = "HUB"
    """Party id of the party that the hub itself is."""
    name: Annotated[str, Field(min_length=1, max_length=100)] = "OCPI hub"
    """Name of the hub in its business details."""
    database_url: str = Field(default="sqlite+aiosqlite:///var/hub.db", repr=False)
    """The database: PostgreSQL, or a file of SQLite."""
    redis_url: str | None = Field(default=None, repr=False)
    """Redis, or a cluster of it. Absent: the directory lives in the one process there is."""
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    """Processes of the partner listener."""
    allow_private_partners: bool = Field(default_factory=lambda values: _is_loopback_url(values["public_url"]))
    """Whether partners may have http, any port and private addresses."""
    trusted_proxies: Proxies = ("127.0.0.1", "::1")
    """Addresses and networks that are believed when they say whose request they hand on."""
    forward_timeout_s: Seconds = 30
    """How long a partner may take to answer a message."""
    connect_timeout_s: Seconds = 5
    """How long a connection to a partner may take."""
    authorize_timeout_s: Seconds = 10
    """How long a partner may take to answer a real-time authorization."""
    alive_after_s: Pause = 300
    """A platform that was silent for so long is looked at."""
    offline_probe_every_s: Pause = 60
    """Between two looks at a platform that is OFFLINE."""
    offline_after_failures: Annotated[int, Field(ge=1, le=100)] = 2
    """Looks in a row that find no answer before a platform is OFFLINE."""
    agreements: Annotated[Literal["open", "required"], InLowerCase] = "open"
    """Whether two parties without an agreement may send each other everything, or nothing."""
    no_agreement_view: Annotated[Literal["hidden", "planned"], InLowerCase] = "hidden"
    """How a party is shown to one that may not send to it."""
    get_all_partial: Annotated[Literal["allow", "reject"], InLowerCase] = "allow"
    """What becomes of a list of everybody's when somebody's is missing; a platform may have it otherwise."""
    open_broadcast: bool = True
    """Whether a push of what everybody may know is broadcast when it names no receiver."""
    authorize_fanout: bool = True
    """Whether all eMSPs are asked about a Token that nobody is known to have."""
    page_max: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """The longest page of all modules, instead of each module's own."""
    max_body_bytes: Annotated[int, Field(ge=1024, le=16 * 1024 * 1024)] | None = None
    """One limit for the bodies of all modules, instead of each module's own."""
    rate_limit: Rate = RateLimit(50, 200)
    """Messages of one platform; `off` lifts every limit of this kind."""
    drain_notice_s: Notice = 0
    """How long messages are taken as before after it was said that the hub goes out of service."""
    journal_days: Annotated[int, Field(ge=1, le=3650)] = 90
    """How long the journal keeps what happened to a message."""
    traces_url: str | None = None
    """Where an OpenTelemetry collector takes spans, by OTLP/HTTP; absent, none are made."""
    traces_ratio: Share = 1
    """The part of the traces that is kept, of those that begin here."""
    log_format: LogFormat = Field(default_factory=lambda: "console" if sys.stderr.isatty() else "json")
    """How lines of the log look: `json`, or `console` for people."""
    log_level: LogLevel = "info"
    """The least level of what is logged."""
    operator_token: SecretText = Field(default_factory=lambda _: _generated_operator_token())
    """Bearer token of the operator API, whose holder is the admin `operator`."""
    secret_key: SecretText = Field(default_factory=lambda values: _generated_key(values["database_url"]))
    """Material for the keys that hash inbound tokens and encrypt outbound ones."""
    other_secret_key: SecretText | None = None
    """While one key replaces another: the one that nothing is written with."""

    _sources: dict[str, Source] = PrivateAttr(default_factory=dict)

    @classmethod
    def load(cls) -> Self:
        """The settings of this process, from its environment and `.env`.

        Raises:
            SettingsError: something in there is wrong, or a generated secret cannot be kept.
        """
        try:
            settings = cls()
            settings._sources = _sources_of(cls)
        except ValidationError as error:
            raise SettingsError(_first_fault(error)) from None
        except UnicodeDecodeError:
            raise SettingsError(
                ".env is not UTF-8 text; write for example HUB_PORT=8000, one variable a line"
            ) from None
        except OSError as error:
            raise SettingsError(f".env cannot be read ({error.strerror}); allow it with chmod u+r .env") from None
        return settings

    @classmethod
    def of_parent(cls, texts: Mapping[str, str]) -> Self:
        """The settings that `texts` of another process are of, whatever environment and `.env` say now."""
        return cls.model_validate(texts)

    @property
    def texts(self) -> dict[str, str]:
        """Each setting that has a value, as one writes it. Secrets are in clear."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: _text(value) for name, value in values.items() if value is not None or name == "rate_limit"}

    @property
    def shown(self) -> dict[str, Shown]:
        """Each setting by its variable, as anybody may see it."""
        return {_variable(name): self._shown(name) for name in type(self).model_fields}

    def _shown(self, name: str) -> Shown:
        value, field = getattr(self, name), type(self).model_fields[name]
        is_secret = name in _SECRETS
        plain = None if field.default_factory is not None or field.default is None else written(field.default)
        return Shown(
            field=name,
            value=None if is_secret or (value is None and name != "rate_limit") else written(value),
            default=plain,
            is_secret=is_secret,
            is_set=value is not None,
            source=self._sources.get(name, Source.DEFAULT),
        )

    def changed(self, other: Settings) -> list[str]:
        """The variables that are different there."""
        return [_variable(name) for name in type(self).model_fields if getattr(self, name) != getattr(other, name)]

    @property
    def agreement_rules(self) -> AgreementRules:
        """What the operator decided about agreements as such."""
        return AgreementRules(self.agreements == "required", self.no_agreement_view == "planned")

    @property
    def hub_party(self) -> Party:
        """The party the hub itself is."""
        return Party(self.country_code, self.party_id)

    @property
    def var_dir(self) -> Path:
        """Where generated secrets and the embedded database are kept."""
        return VAR_DIR

    @classmethod
    def settings_customise_sources(  # noqa: D102 - pydantic-settings' hook
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - part of the hook's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        sources = [init_settings]
        for source in (env_settings, dotenv_settings):
            if isinstance(source, EnvSettingsSource):
                _refuse_unknown(source.env_vars)
                sources += [source, _SecretFiles(settings_cls, source.env_vars)]
        return tuple(sources)

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str) -> str:
        url = _split(value.strip())
        host = (url.netloc.rpartition(":")[0] if url.port is not None else url.netloc).lower()
        if url.scheme not in {"http", "https"} or not _URL_HOST.fullmatch(host):
            raise ValueError("not an http or https URL with a host")
        path = url.path.rstrip("/")
        if url.query or url.fragment or not _URL_PATH.fullmatch(path):
            raise ValueError("only scheme, host, port and a plain path prefix are allowed")
        if url.scheme == "http" and not _is_loopback_url(value):
            raise ValueError("https is required unless the host is loopback")
        if len(value) > _LONGEST_PUBLIC_URL:
            raise ValueError(f"longer than {_LONGEST_PUBLIC_URL} characters")
        return f"{url.scheme}://{url.netloc.lower()}{path}"

    @field_validator("operator_port")
    @classmethod
    def _check_operator_port(cls, value: int, info: ValidationInfo) -> int:
        hosts = {info.data.get("host"), info.data.get("operator_host")}
        if value == info.data.get("port") and (len(hosts) == 1 or hosts & _WILDCARD_HOSTS):
            raise ValueError("the partner listener has this host and port (HUB_HOST, HUB_PORT)")
        return value

    @field_validator("console_url")
    @classmethod
    def _check_console_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        url = _split(value.strip())
        host = (url.netloc.rpartition(":")[0] if url.port is not None else url.netloc).lower()
        if url.scheme not in {"http", "https"} or not _URL_HOST.fullmatch(host):
            raise ValueError("not an http or https URL with a host")
        if url.path.rstrip("/") or url.query or url.fragment:
            raise ValueError("only scheme, host and port are allowed")
        if url.scheme == "http" and not _is_loopback_url(value):
            raise ValueError("https is required unless the host is loopback")
        return f"{url.scheme}://{url.netloc.lower()}"

    @field_validator("name")
    @classmethod
    def _check_name(cls, value: str) -> str:
        if not value.isprintable() or not value.strip():
            raise ValueError("not printable text")
        return value.strip()

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: str) -> str:
        url = _split(value)
        if url.scheme not in {"sqlite+aiosqlite", "postgresql+asyncpg"}:
            raise ValueError("the URL must start with sqlite+aiosqlite:/// or postgresql+asyncpg://")
        if len(url.path) <= 1:
            raise ValueError("the URL names no database")
        return value

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, value: str | None) -> str | None:
        url = _split(value) if value is not None else None
        if url is not None and (url.scheme not in {"redis", "rediss"} or not url.hostname):
            raise ValueError("not a redis:// or rediss:// URL with a host")
        return value

    @field_validator("traces_url")
    @classmethod
    def _check_traces_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        url = _split(value)
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise ValueError("not an http or https URL with a host")
        if url.username is not None:
            raise ValueError("what the collector asks for goes into OTEL_EXPORTER_OTLP_HEADERS")
        if not _has_open_telemetry():
            raise ValueError("its packages are not installed; do that with pip install 'ocpi-hub[otel]'")
        return value

    @field_validator("workers")
    @classmethod
    def _check_workers(cls, value: int, info: ValidationInfo) -> int:
        if value > 1 and info.data.get("redis_url") is None:
            raise ValueError("more than one worker needs HUB_REDIS_URL")
        if value > 1 and _is_sqlite(info.data.get("database_url", "")):
            raise ValueError("more than one worker needs PostgreSQL in HUB_DATABASE_URL")
        return value

    @field_validator("operator_token")
    @classmethod
    def _check_operator_token(cls, value: Secret, info: ValidationInfo) -> Secret:
        exposed = not _is_loopback(info.data.get("operator_host", ""))
        if exposed and len(value.reveal()) < _SHORTEST_EXPOSED_TOKEN:
            raise ValueError(
                f"at least {_SHORTEST_EXPOSED_TOKEN} characters are needed when HUB_OPERATOR_HOST is not loopback"
            )
        return value

    @field_validator("secret_key", "other_secret_key")
    @classmethod
    def _check_secret_key(cls, value: Secret | None, info: ValidationInfo) -> Secret | None:
        if value is not None and len(value.reveal()) < _SHORTEST_KEY:
            raise ValueError(f"at least {_SHORTEST_KEY} characters are needed")
        if value is not None and value == info.data.get("secret_key"):
            raise ValueError("it is HUB_SECRET_KEY itself")
        return value


class _SecretFiles(PydanticBaseSettingsSource):
    """The settings given as `HUB_…_FILE` among these variables (names in lower case)."""

    def __init__(self, settings_cls: type[BaseSettings], variables: Mapping[str, str | None]) -> None:
        super().__init__(settings_cls)
        self._variables = variables

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - the base's signature
        name = _variable(field_name)
        path = self._variables.get((name + FILE_SUFFIX).lower())
        if field_name not in _READABLE_FROM_FILE or path is None:
            return None, field_name, False
        if self._variables.get(name.lower()) is not None:
            raise SettingsError(
                f"{name} and {name}{FILE_SUFFIX} are both given; keep one, for example {file_example(name)}"
            )
        return read_secret_file(Path(path), name), field_name, False

    def __call__(self) -> dict[str, Any]:
        values = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in values.items() if value is not None}


def _generated_operator_token() -> Secret:
    return kept_secret(VAR_DIR / "operator-token", "HUB_OPERATOR_TOKEN")


def _generated_key(database_url: str) -> Secret:
    if not _is_sqlite(database_url):
        raise SettingsError(
            "HUB_SECRET_KEY is required when HUB_DATABASE_URL is not SQLite; "
            "for example HUB_SECRET_KEY=$(openssl rand -hex 32)"
        )
    return kept_secret(VAR_DIR / "secret-key", "HUB_SECRET_KEY")


def _refuse_unknown(variables: Mapping[str, str | None]) -> None:
    known = {_variable(field) for field in Settings.model_fields}
    known |= {_variable(field) + FILE_SUFFIX for field in _READABLE_FROM_FILE}
    for name, value in variables.items():
        shown = name.upper()
        if not shown.startswith(_PREFIX):
            continue
        if value is None:
            raise SettingsError(f"{shown} in .env has no value; for example HUB_PORT=8000")
        if shown not in known | _NOT_FOR_THE_HUB:
            near = difflib.get_close_matches(shown, sorted(known), n=1, cutoff=0.75)
            hint = f"did you mean {near[0]}" if near else "for example HUB_PORT=8000"
            raise SettingsError(f"{shown} is not a setting; {hint}")


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False)[0]
    field = str(fault["loc"][0])
    text = fault["msg"].removeprefix("Value error, ")
    shown = "" if field in _READABLE_FROM_FILE else f"={str(fault['input'])[:60]!r}"
    return f"{_variable(field)}{shown}: {text}; for example {_variable(field)}={_EXAMPLES[field]}"


def _has_open_telemetry() -> bool:
    """Whether the extra is installed, without loading it."""
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False


def _sources_of(cls: type[Settings]) -> dict[str, Source]:
    """Where each setting that is not as it is by default comes from. What comes first wins."""
    environment, file = EnvSettingsSource(cls).env_vars, DotEnvSettingsSource(cls).env_vars
    found = dict.fromkeys(_GENERATED, Source.GENERATED)
    for variables, source in ((file, Source.DOTENV), (environment, Source.ENVIRONMENT)):
        for name in cls.model_fields:
            variable = _variable(name).lower()
            if variables.get(variable) is not None:
                found[name] = source
            elif variables.get(variable + FILE_SUFFIX.lower()) is not None:
                found[name] = Source.FROM_FILE
    return found


def _text(value: object) -> str:
    match value:
        case None:
            return "off"
        case Secret():
            return value.reveal()
        case RateLimit():
            return f"{value.per_second:.9f}/s burst {value.burst}"
        case tuple():
            return ",".join(map(str, value))
        case _:
            return str(value)


def _variable(field: str) -> str:
    return f"{_PREFIX}{field}".upper()


def _split(url: str) -> SplitResult:
    """`urlsplit`, refusing what it lets through: bad ports, user names in odd places stay the caller's business."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("not a URL")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("not a URL: its host or port cannot be read") from None
    return parts


def _is_sqlite(database_url: str) -> bool:
    return database_url.startswith("sqlite")


def _is_loopback_url(url: str) -> bool:
    return _is_loopback(urlsplit(url).hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
