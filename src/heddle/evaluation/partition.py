"""Dealing rows out to parts: pure functions over positions, the same seed always the same deal."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "deal_groups",
    "deal_rows",
    "deal_strata",
    "draw_groups",
    "draw_rows",
    "draw_strata",
    "forward_folds",
]

Ints = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]


def draw_rows(rows: int, share: float, *, seed: int) -> Marks:
    """Mark the test rows exactly as scikit-learn's `train_test_split` would.

    >>> int(draw_rows(10, 0.2, seed=42).sum())
    2
    """
    marks = np.zeros(rows, dtype=bool)
    marks[_rng(seed).permutation(rows)[: math.ceil(share * rows)]] = True
    return marks


def deal_rows(rows: int, folds: int, *, seed: int) -> Ints:
    """Return the fold of each row exactly as scikit-learn's shuffled `KFold` would."""
    out = np.empty(rows, dtype=np.int64)
    for fold, positions in enumerate(np.array_split(_rng(seed).permutation(rows), folds)):
        out[positions] = fold
    return out


def draw_strata(strata: Ints, share: float, *, seed: int) -> Marks:
    """Mark `share` of each stratum; the remainders go to the strata that lost most by rounding."""
    names, inverse, counts = np.unique(strata, return_inverse=True, return_counts=True)
    exact = counts * share
    take = np.floor(exact).astype(np.int64)
    missing = math.ceil(share * len(strata)) - int(take.sum())
    take[np.argsort(take - exact, kind="stable")[:missing]] += 1
    marks = np.zeros(len(strata), dtype=bool)
    rng = _rng(seed)
    for index in range(len(names)):
        marks[rng.permutation(np.flatnonzero(inverse == index))[: take[index]]] = True
    return marks


def deal_strata(strata: Ints, folds: int, *, seed: int) -> Ints:
    """Return folds of sizes that differ by at most one, overall and within each stratum."""
    rng = _rng(seed)
    order = np.concatenate(
        [rng.permutation(np.flatnonzero(strata == s)) for s in np.unique(strata)]
    )
    out = np.empty(len(strata), dtype=np.int64)
    out[order] = np.arange(len(order)) % folds
    return out


def draw_groups(groups: Ints, share: float, *, keep: int, seed: int) -> Marks:
    """Mark whole groups, in random order, while that brings the marked rows nearer to `share`.

    At least one group is marked and at least `keep` groups are not.
    """
    names, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    wanted, taken = share * len(groups), 0
    chosen: list[int] = []
    for name in _rng(seed).permutation(len(names)):
        if len(names) - len(chosen) <= keep:
            break
        if abs(taken + counts[name] - wanted) < abs(taken - wanted):
            chosen.append(int(name))
            taken += int(counts[name])
    if not chosen:
        chosen = [int(np.argmin(counts))]
    return np.asarray(np.isin(inverse, chosen))


def deal_groups(groups: Ints, folds: int, *, seed: int) -> Ints:
    """Return the fold of each row; groups stay whole and folds are as even as greed makes them.

    The largest group first, each to the fold with the fewest rows; equal sizes in random order.
    """
    names, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    shuffled = _rng(seed).permutation(len(names))
    order = shuffled[np.argsort(-counts[shuffled], kind="stable")]
    filled = np.zeros(folds, dtype=np.int64)
    home = np.empty(len(names), dtype=np.int64)
    for name in order:
        home[name] = int(np.argmin(filled))
        filled[home[name]] += counts[name]
    return np.asarray(home[inverse])


def forward_folds(
    periods: int, folds: int, *, size: int | None, gap: int, window: int | None
) -> list[tuple[range, range]]:
    """Return (train, valid) ranges of period numbers 0 … periods-1; train ends before valid starts.

    >>> forward_folds(6, 2, size=1, gap=1, window=2)
    [(range(1, 3), range(4, 5)), (range(2, 4), range(5, 6))]

    Args:
        periods: how many there are.
        folds: how many are validated, the last ones.
        size: periods per validation; None: periods // (folds + 1), so that the first share of
            the time is only trained on.
        gap: periods left out between train and valid.
        window: longest train range; None: all that is past.

    Raises:
        ValueError: the first fold would have nothing to train on.
    """
    each = max(periods // (folds + 1), 1) if size is None else size
    made = []
    for fold in range(folds):
        start = periods - (folds - fold) * each
        end = start - gap
        if end < 1:
            needed = folds * each + gap + 1
            raise ValueError(f"{folds} folds need {needed} periods, there are {periods}")
        first = 0 if window is None else max(end - window, 0)
        made.append((range(first, end), range(start, start + each)))
    return made


def _rng(seed: int) -> Any:
    return np.random.RandomState(seed)  # scikit-learn's, for the same splits
