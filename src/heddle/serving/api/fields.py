"""One column of a request: which values it takes, why not, and what is unusual about them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from heddle.validation.contract import Column

__all__ = ["Field", "field_of"]

Policy = Literal["flag", "refuse"]
Bad = list[tuple[int, str]]  # row, reason

_EXACT = 2**53  # beyond it, not every whole number is a float
_WORDS = 8  # categories that a reason names


class _Wrong(ValueError):
    """A value that a column cannot take; the words say what it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A column of the model's input, ready to read values."""

    name: str
    column: Column
    read: Callable[[Any], Any]  # one value, or _Wrong
    seen: Mapping[str, Any]
    outside: Policy
    known: frozenset[str] | None = None  # categories of the training rows
    strict: bool = True  # whether text that the declaration does not name is refused

    @property
    def bounds(self) -> tuple[Any, Any]:
        """The least and the most that is taken, None where there is no such bound."""
        column, whole = self.column, self.column.type == "int"
        least = [bound for bound in (column.min, -(2**63) if whole else None) if bound is not None]
        most = [bound for bound in (column.max, 2**63 - 1 if whole else None) if bound is not None]
        if self.outside == "refuse" and "min" in self.seen:
            least, most = [*least, self.seen["min"]], [*most, self.seen["max"]]
        return max(least, default=None), min(most, default=None)

    def values(self, told: list[Any]) -> tuple[list[Any], Bad]:
        """Return the values as the model takes them, and why some cannot be taken."""
        made: list[Any] = []
        bad: Bad = []
        for row, value in enumerate(told):
            if value is None:
                made.append(None)
                if not self.column.nullable:
                    bad.append((row, "must not be null"))
                continue
            try:
                made.append(self.read(value))
            except _Wrong as fault:
                made.append(None)
                bad.append((row, str(fault)))
        if self.outside == "refuse":
            bad += [(row, "lies outside the training rows") for row in self.strange(made)]
        return made, bad

    def strange(self, values: Iterable[Any]) -> list[int]:
        """Return the rows whose value no training row was like, as `heddle.serving.flags`."""
        if self.known is not None:
            return [
                row
                for row, value in enumerate(values)
                if value is not None and _as_text(value) not in self.known
            ]
        if "min" not in self.seen or self.column.type == "date":
            return []
        least, most = self.seen["min"], self.seen["max"]
        return [
            row
            for row, value in enumerate(values)
            if value is not None and not least <= value <= most
        ]

    @property
    def remark(self) -> str:
        """What a strange value is called."""
        word = "unknown_category" if self.known is not None else "outside_training"
        return f"{word}:{self.name}"


def field_of(
    name: str, column: Column, seen: Mapping[str, Any], *, outside: Policy, categories: Policy
) -> Field:
    """Return how a column of a request is read.

    Args:
        name: of the column.
        column: its declaration; what it rules out is refused.
        seen: what training rows held: min and max, or categories; {} when nothing is known.
        outside: what becomes of values that no training row was like.
        categories: what becomes of text that the declaration does not name.
    """
    known = frozenset(map(str, seen["categories"])) if "categories" in seen else None
    spelled = _spelled([*column.categories, *(known or ())])
    return Field(
        name=name,
        column=column,
        read=_reader(column, spelled, strict=categories == "refuse"),
        seen=seen,
        outside=outside,
        known=known,
        strict=categories == "refuse",
    )


def _spelled(words: Iterable[str]) -> dict[str, str]:
    """Return how a word is written, by its small letters; not where two words share them."""
    different = set(words)
    folded = [word.casefold() for word in different]
    return {word.casefold(): word for word in different if folded.count(word.casefold()) == 1}


def _reader(column: Column, spelled: Mapping[str, str], *, strict: bool) -> Callable[[Any], Any]:
    if column.type == "float":
        return _bounded(_float, column)
    if column.type == "int":
        return _bounded(_int, column)
    if column.type == "bool":
        return _bool
    if column.type == "date":
        return _date
    return _text(column, spelled, strict=strict)


def _bounded(read: Callable[[Any], Any], column: Column) -> Callable[[Any], Any]:
    least, most, above = column.min, column.max, column.above
    if least is most is above is None:
        return read

    def bounded(value: Any) -> Any:
        number = read(value)
        if least is not None and number < least:
            raise _Wrong(f"is below {least:g}")
        if above is not None and number <= above:
            raise _Wrong(f"is not above {above:g}")
        if most is not None and number > most:
            raise _Wrong(f"is above {most:g}")
        return number

    return bounded


def _float(value: Any) -> float:
    kind = type(value)
    if kind is float:
        if not math.isfinite(value):
            raise _Wrong("must be finite")
        return float(value)
    if kind is not int:
        raise _Wrong("must be a number")
    if not -_EXACT <= value <= _EXACT and (
        value.bit_length() > 1_023 or int(float(value)) != value
    ):
        raise _Wrong("is too large for a float without loss (2^53)")
    return float(value)


def _int(value: Any) -> int:
    kind = type(value)
    if kind is float and value.is_integer() and abs(value) <= _EXACT:
        return int(value)
    if kind is not int:
        raise _Wrong("must be a whole number")
    if not -(2**63) <= value < 2**63:
        raise _Wrong("is too large for 64 bits")
    return int(value)


def _bool(value: Any) -> bool:
    if type(value) is not bool:
        raise _Wrong("must be true or false")
    return value


def _date(value: Any) -> date:
    if type(value) is str and len(value) == 10 and value.isascii():
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise _Wrong("must be a date, as 2024-02-29")


def _text(column: Column, spelled: Mapping[str, str], *, strict: bool) -> Callable[[Any], str]:
    declared = frozenset(column.categories)
    shown = ", ".join(map(repr, column.categories[:_WORDS]))
    shown += f" and {len(declared) - _WORDS} more" if len(declared) > _WORDS else ""

    def text(value: Any) -> str:
        if type(value) is not str:
            raise _Wrong("must be text")
        word = value if value in declared else spelled.get(value.casefold(), value)
        if declared and strict and word not in declared:
            raise _Wrong(f"is none of {shown}")
        if not value.isascii():
            _encodable(value)
        return word

    return text


def _encodable(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _Wrong("must be text that can be written as UTF-8") from None


def _as_text(value: Any) -> str:
    return str(value).lower() if type(value) is bool else str(value)
