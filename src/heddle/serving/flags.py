"""What is unusual about a row that is predicted all the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import polars as pl

__all__ = ["counted", "flags"]


def flags(rows: pl.DataFrame, seen: Mapping[str, Mapping[str, Any]]) -> pl.Series:
    """Return for each row its remarks, joined by `;`, "" without any.

    `unknown_category:COLUMN`: no training row had this category. `outside_training:COLUMN`: the
    number lies beyond those of the training rows, where a model knows nothing.

    >>> rows = pl.DataFrame({"size": [5.0, 99.0], "kind": ["a", "z"]})
    >>> seen = {"size": {"min": 1, "max": 9}, "kind": {"categories": ["a", "b"]}}
    >>> flags(rows, seen).to_list()
    ['', 'outside_training:size;unknown_category:kind']

    Args:
        rows: typed.
        seen: column -> {"min", "max"} or {"categories"}.
    """
    remarks = [_remark(name, seen[name]) for name in rows.columns if name in seen]
    if not remarks:
        return pl.Series("flags", [""] * rows.height, dtype=pl.String)
    joined = pl.concat_str(remarks, separator=";", ignore_nulls=True)
    return rows.select(joined.fill_null("").alias("flags"))["flags"]


def counted(remarks: pl.Series) -> dict[str, int]:
    """Return how many rows have each remark, the most frequent first, then by name.

    >>> counted(pl.Series(["", "a:x", "b:y;a:x"]))
    {'a:x': 2, 'b:y': 1}
    """
    found: Counter[str] = Counter()
    for joined, rows in remarks.value_counts().iter_rows():
        found.update(dict.fromkeys(joined.split(";") if joined else (), rows))
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _remark(name: str, known: Mapping[str, Any]) -> pl.Expr:
    column = pl.col(name)
    if "categories" in known:
        strange = column.is_not_null() & ~column.cast(pl.String).is_in(list(known["categories"]))
        word = f"unknown_category:{name}"
    else:
        strange = ~column.is_between(known["min"], known["max"])
        word = f"outside_training:{name}"
    return pl.when(strange).then(pl.lit(word))
