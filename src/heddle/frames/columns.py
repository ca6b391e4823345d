"""What a step asks of the columns that it is given, before it touches a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import narwhals as nw

from heddle.domain.errors import ConfigError, DataContractError

__all__ = ["as_number", "ending_with", "refuse_taken", "require", "require_whole"]


def require(frame: nw.LazyFrame[Any], names: Iterable[str], *, where: str) -> None:
    """Refuse a table that lacks one of the columns.

    Raises:
        DataContractError: naming the first that is not there, and what is.
    """
    known = frame.collect_schema().names()
    for name in names:
        if name not in known:
            raise DataContractError(
                f"input has no column {name!r}", where=where, wanted=name, known=known
            )


def refuse_taken(frame: nw.LazyFrame[Any], made: Sequence[str], *, where: str) -> None:
    """Refuse new columns whose name the table has already, or which would share one.

    Raises:
        ConfigError: naming the first such column.
    """
    known = set(frame.collect_schema().names())
    for name in made:
        if name in known:
            raise ConfigError(
                f"column {name!r} exists already",
                where=where,
                todo="Give the new one another name.",
            )
        known.add(name)


def ending_with(frame: nw.LazyFrame[Any], ending: str, *, where: str) -> list[str]:
    """Return the columns whose name ends with `ending`, in their order.

    Raises:
        DataContractError: there is none.
    """
    known = frame.collect_schema().names()
    if found := [name for name in known if name.endswith(ending)]:
        return found
    raise DataContractError(f"no column ends with {ending!r}", where=where, known=known)


def as_number(frame: nw.LazyFrame[Any], name: str, *, where: str) -> nw.Expr:
    """Return a column as Int64 if it is whole, as Float64 if not: sums of it then cannot differ.

    Raises:
        DataContractError: it holds no numbers.
    """
    kind = frame.collect_schema()[name]
    if not kind.is_numeric():
        raise DataContractError(f"column {name!r} is {kind}, not a number", where=where)
    return nw.col(name).cast(nw.Int64() if kind.is_integer() else nw.Float64())


def require_whole(frame: nw.LazyFrame[Any], name: str, *, where: str) -> None:
    """Refuse a column that does not count something, such as a year.

    Raises:
        DataContractError: it holds no whole numbers.
    """
    kind = frame.collect_schema()[name]
    if not kind.is_integer():
        raise DataContractError(f"column {name!r} is {kind}, not a whole number", where=where)
