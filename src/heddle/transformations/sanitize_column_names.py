"""Column names that are safe everywhere: ASCII, lower case, `_` for the rest."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from heddle.frames.headers import sanitise

__all__ = ["sanitize_column_names"]


def sanitize_column_names(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Rename every column to what `heddle.frames.headers` makes of its name.

    >>> import polars as pl
    >>> table = nw.from_native(pl.LazyFrame({"Net Price (EUR)": [1], "shop-kind": ["a"]}))
    >>> sanitize_column_names(table).collect_schema().names()
    ['net_price_eur', 'shop_kind']

    Raises:
        DataContractError: nothing remains of a name, or two names become one.
    """
    names = frame.collect_schema().names()
    made = sanitise(names, where="sanitize_column_names")
    return frame.rename({old: new for old, new in zip(names, made, strict=True) if old != new})
