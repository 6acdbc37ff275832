"""What all tables are made of: their base, types of columns, and constraints.

Table models do not validate what they are given, and SQLite ignores lengths, so every limit that
matters is a CHECK constraint as well. Times are aware and come back in UTC (SQLModel's own column
type; an explicit DateTime column would lose the zone on SQLite). There are no relationships: what is
not selected is not loaded.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from sqlalchemy import CheckConstraint, MetaData, String, Text
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel
from sqlmodel._compat import SQLModelConfig

from routing.vocabulary import Party

ID_LENGTH = 32
NAME_LENGTH = 100
MODULE_LENGTH = 100
PARTY_LENGTH = 6
CORRELATION_ID_LENGTH = 128
_WORD_LENGTH = 20
_HASH_BYTES = 32

Word = TypeVar("Word", bound=StrEnum)


class Row(
    SQLModel,
    registry=registry(
        metadata=MetaData(
            naming_convention={
                "pk": "pk_%(table_name)s",
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
            }
        )
    ),
):
    """What all tables share: one metadata whose constraints have predictable names."""

    model_config: ClassVar[SQLModelConfig] = SQLModelConfig(arbitrary_types_allowed=True)


class Words(TypeDecorator[Word], Generic[Word]):
    """A column of one of the specification's words."""

    impl = String(_WORD_LENGTH)
    cache_ok = True

    def __init__(self, words: type[Word]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: Word | None, dialect: Dialect) -> str | None:  # noqa: ARG002  SQLAlchemy's signature
        """What the column holds."""
        return None if value is None else value.value

    def process_result_value(self, value: str | None, dialect: Dialect) -> Word | None:  # noqa: ARG002  SQLAlchemy's signature
        """The word again."""
        return None if value is None else self.words(value)


class Json(TypeDecorator[Any]):
    r"""A column of JSON text that reads back as the given msgspec type.

    Text, not JSONB: PostgreSQL refuses `\u0000` in JSONB, and the hub never looks inside with SQL.
    """

    impl = Text
    cache_ok = True

    def __init__(self, content: Any) -> None:  # noqa: ANN401  any type msgspec can read
        super().__init__()
        self.content = content

    def process_bind_param(self, value: object, dialect: Dialect) -> str | None:  # noqa: ARG002  SQLAlchemy's signature
        """What the column holds."""
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ANN401, ARG002  what __init__ was given; SQLAlchemy's signature
        """The value again."""
        return None if value is None else msgspec.json.decode(value, type=self.content)


class PartyName(TypeDecorator[Party]):
    """A column with a party in one piece: `NL*ABC`."""

    impl = String(PARTY_LENGTH)
    cache_ok = True

    def process_bind_param(self, value: Party | None, dialect: Dialect) -> str | None:  # noqa: ARG002  SQLAlchemy's signature
        """What the column holds."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Party | None:  # noqa: ARG002  SQLAlchemy's signature
        """The party again."""
        return None if value is None else Party(value[:2], value[3:])


def at_most(column: str, length: int) -> CheckConstraint:
    """Limit the length of a text."""
    return CheckConstraint(f"length({column}) <= {length}", name=f"{column}_length")


def between(column: str, least: int, most: int) -> CheckConstraint:
    """Limit the length of a text from both sides."""
    return CheckConstraint(f"length({column}) BETWEEN {least} AND {most}", name=f"{column}_length")


def one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    """Allow nothing but the words of an enum."""
    listed = ", ".join(f"'{word.value}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_word")


def hash_of_32_bytes() -> CheckConstraint:
    """Limit `token_hash` to what a token's hash is."""
    return CheckConstraint(f"length(token_hash) = {_HASH_BYTES}", name="token_hash_length")


def party_spelling() -> tuple[CheckConstraint, ...]:
    """Limit `country_code` and `party_id` to how parties are written here."""
    return (
        CheckConstraint("length(country_code) = 2", name="country_code_length"),
        CheckConstraint("length(party_id) BETWEEN 1 AND 3", name="party_id_length"),
        CheckConstraint("country_code = upper(country_code) AND party_id = upper(party_id)", name="upper_case"),
    )
