"""How the values of a column lie, then and now, in bins that both share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = ["histogram"]

_BINS = 20
_CATEGORIES = 12  # shown by name
_TAIL = 0.005  # share of values at each end that may lie beyond the outer bins' edges


def histogram(reference: pl.Series, current: pl.Series) -> dict[str, Any]:
    """Return shares of rows per bin or category on both sides, and of those without a value.

    Numbers: `edges`, one more than the shares; the outer bins hold all that lies beyond. Text:
    `labels`, the most frequent first, the rest together under "other".

    >>> told = histogram(pl.Series(["a", "a", "b"]), pl.Series(["a", None, "c"]))
    >>> told["labels"], [round(share, 2) for share in told["current"]], round(told["missing"][1], 2)
    (['a', 'c', 'b'], [0.33, 0.33, 0.0], 0.33)
    """
    if reference.dtype.is_numeric():
        told, counts = _numbers(reference, current)
    else:
        told, counts = _categories(reference, current)
    sides = (reference, current)
    shares = [(c / max(s.len(), 1)).tolist() for c, s in zip(counts, sides, strict=True)]
    gone = [(s.len() - int(c.sum())) / max(s.len(), 1) for c, s in zip(counts, sides, strict=True)]
    return {
        **told,
        "reference": shares[0],
        "current": shares[1],
        "missing": gone,
    }


Counts = list[npt.NDArray[np.intp]]


def _numbers(reference: pl.Series, current: pl.Series) -> tuple[dict[str, Any], Counts]:
    sides = [s.cast(pl.Float64).drop_nulls().drop_nans().to_numpy() for s in (reference, current)]
    known = [side for side in sides if side.size]
    ends = [np.quantile(side, (_TAIL, 1 - _TAIL)) for side in known]
    low = float(min((end[0] for end in ends), default=0.0))
    high = float(max((end[1] for end in ends), default=1.0))
    edges = np.linspace(low, high, _BINS + 1) if high > low else np.array([low - 0.5, low + 0.5])
    counts = [np.histogram(np.clip(side, edges[0], edges[-1]), edges)[0] for side in sides]
    return {"edges": edges.tolist()}, counts


def _categories(reference: pl.Series, current: pl.Series) -> tuple[dict[str, Any], Counts]:
    sides = [
        dict(s.drop_nulls().cast(pl.String).value_counts().iter_rows())
        for s in (reference, current)
    ]
    sizes = [max(sum(side.values()), 1) for side in sides]

    def largest(name: str) -> tuple[float, str]:
        most = max(side.get(name, 0) / size for side, size in zip(sides, sizes, strict=True))
        return -most, name

    names = sorted({*sides[0], *sides[1]}, key=largest)
    shown, rest = names[:_CATEGORIES], names[_CATEGORIES:]
    counts = [[side.get(name, 0) for name in shown] for side in sides]
    if rest:
        for side, row in zip(sides, counts, strict=True):
            row.append(sum(side.get(name, 0) for name in rest))
    labels = [*shown, f"{len(rest)} others"] if rest else shown
    return {"labels": labels}, [np.asarray(row, dtype=np.intp) for row in counts]
