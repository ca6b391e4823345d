"""Counts of categories on two sides, the rare ones together, so that a test can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

__all__ = ["counts_of", "pooled"]

_EXPECTED = 5  # rows in a cell below which chi-square cannot be trusted


def counts_of(series: pl.Series) -> Mapping[str, int]:
    """Return how often each category stands in a column; missing values are left out."""
    counted = series.drop_nulls().cast(pl.String).value_counts()
    return dict(counted.iter_rows())


def pooled(
    then: Mapping[str, int], now: Mapping[str, int], *, expected: int = _EXPECTED
) -> tuple[list[str], list[list[int]]]:
    """Return names and the counts of both sides; neighbours in rarity stand together.

    A cell holds as many categories as it takes for `expected` rows on the smaller side if both
    were alike. New categories have a cell of their own where they are enough, else they stand with
    the rarest.

    >>> pooled({"a": 80, "b": 30, "c": 10}, {"a": 80, "b": 30, "c": 7, "d": 1})
    (['a', 'b', 'c and 1 rarer'], [[80, 30, 10], [80, 30, 8]])

    Args:
        then: category -> rows.
        now: likewise.
        expected: rows of a cell.
    """
    sizes = sum(then.values()), sum(now.values())
    share = min(sizes) / max(sum(sizes), 1)
    ordered = sorted(then, key=lambda name: (-then[name], name))
    told = [(name, then[name], now.get(name, 0)) for name in ordered]
    fresh = sum(rows for name, rows in now.items() if name not in then)
    own = fresh * share >= expected
    cells: list[list[tuple[str, int, int]]] = []
    for one in told if own or not fresh else [*told, ("new ones", 0, fresh)]:
        if not cells or _rows(cells[-1]) * share >= expected:
            cells.append([])
        cells[-1].append(one)
    if len(cells) > 1 and _rows(cells[-1]) * share < expected:
        last = cells.pop()
        cells[-1] += last
    if own and _rows(cells[0]) * share >= expected:
        cells.append([("new ones", 0, fresh)])
    elif own:
        cells[0].append(("new ones", 0, fresh))
    before = [sum(rows for _, rows, _ in cell) for cell in cells]
    after = [sum(rows for _, _, rows in cell) for cell in cells]
    return [_named(cell) for cell in cells], [before, after]


def _rows(cell: Sequence[tuple[str, int, int]]) -> int:
    return sum(then + now for _, then, now in cell)


def _named(cell: Sequence[tuple[str, int, int]]) -> str:
    return cell[0][0] if len(cell) == 1 else f"{cell[0][0]} and {len(cell) - 1} rarer"
