"""Keys as text, and their digests: equal on every engine, machine and version."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import md5
from typing import Any

import narwhals as nw
import polars as pl

from heddle.domain.errors import DataContractError
from heddle.frames.engines import engine_of, fetched, quoted, with_sql

__all__ = ["key_text", "with_digest"]

_NULL = "-"


def key_text(frame: nw.LazyFrame[Any], by: Sequence[str], *, where: str) -> nw.Expr:
    """Return a row's key as one text; two keys have one text only if they are equal.

    >>> table = nw.from_native(pl.LazyFrame({"shop": ["a", None], "year": [2009, 2010]}))
    >>> text = key_text(table, ["shop", "year"], where="test")
    >>> table.select(text.alias("key")).collect()["key"].to_list()
    ['1:a,4:2009,', '-,4:2010,']

    Raises:
        DataContractError: a key column is neither whole numbers, text, dates nor true and false:
            engines write others, such as fractions, differently.
    """
    schema = frame.collect_schema()
    parts: list[nw.Expr] = []
    for name in by:
        kind, column = schema[name], nw.col(name)
        if kind == nw.Boolean:
            text: nw.Expr = nw.when(column).then(nw.lit("true")).otherwise(nw.lit("false"))
        elif kind.is_integer() or kind in (nw.String, nw.Date, nw.Categorical, nw.Enum):
            text = column.cast(nw.String())
        else:
            raise DataContractError(
                f"column {name!r} is {kind}, which is no key",
                where=where,
                todo="Use whole numbers, text, dates, or true and false.",
            )
        length = text.str.len_chars().cast(nw.String())
        whole = nw.concat_str(length, text, separator=":")
        parts += [nw.when(~column.is_null()).then(whole).otherwise(nw.lit(_NULL)), nw.lit(",")]
    return nw.concat_str(*parts)


def with_digest(frame: nw.LazyFrame[Any], new: str, column: str) -> nw.LazyFrame[Any]:
    """Add the MD5 of a text column as 32 hex digits: scattered like chance, but the same always.

    >>> table = nw.from_native(pl.LazyFrame({"key": ["a"]}))
    >>> with_digest(table, "digest", "key").collect()["digest"].to_list()
    ['0cc175b9c0f1b6a831c399e269772661']
    """
    engine = engine_of(frame)
    if engine != "polars":
        return with_sql(frame, {new: f"md5({quoted(column, engine)})"})
    rows = fetched(frame)
    digests = [md5(text.encode(), usedforsecurity=False).hexdigest() for text in rows[column]]
    return nw.from_native(rows.with_columns(pl.Series(new, digests, dtype=pl.String)).lazy())
