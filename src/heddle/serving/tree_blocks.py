"""A LightGBM model asked some trees at a time: those of a block stay near the processor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["TreeBlocks", "blocks_when_many"]

Floats = NDArray[np.float64]

_ROWS = 2048  # from so many on it is worth a third of a second for 300 trees, once
_TRIED = 512  # rows of the first matrix, of which both ways must say the same
_TREES = 16  # of a block: best, or within 3 % of it, from 31 leaves a tree to 255
_SUMS = {"regression", "regression_l1", "huber", "fair", "quantile", "mape"}


@dataclass(frozen=True, slots=True)
class TreeBlocks:
    """A model in parts of a few trees, each with the values of their leaves.

    LightGBM walks all trees with one row, then with the next, and reads a large model anew for
    each. Here it says in which leaf of a few trees every row ends, then of the next. Sums are taken
    in the order of the trees, as it takes them, so that the bits are the same. Each block is a
    model of its own: a model that several threads ask about different trees mixes them up.
    """

    blocks: tuple[tuple[Any, tuple[Floats, ...]], ...]

    @classmethod
    def of(cls, booster: Any) -> TreeBlocks | None:
        """Return the blocks of a model that adds what its trees say; None for any other."""
        if not _adds(booster):
            return None
        from lightgbm import Booster

        blocks = []
        for first in range(0, booster.num_trees(), _TREES):
            text = booster.model_to_string(start_iteration=first, num_iteration=_TREES)
            lines = text.splitlines()
            if "is_linear=1" in lines:
                return None
            blocks.append((Booster(model_str=text), tuple(_leaves(lines))))
        return cls(tuple(blocks))

    def summed(self, matrix: Floats) -> Floats:
        """Return for each row what every tree says, added in their order, on one thread."""
        total = np.zeros(len(matrix))
        for booster, trees in self.blocks:
            ends = booster.predict(matrix, pred_leaf=True, num_threads=1)
            for place, values in enumerate(trees):
                total += values.take(ends[:, place])
        return total


def blocks_when_many(booster: Any) -> Callable[[Floats], Floats]:
    """Return a function that predicts on one thread, many rows by blocks of trees.

    The blocks are made when many rows first come, and kept if they say of them, to the last bit,
    what the booster does.
    """
    made: list[TreeBlocks | None] = []
    lock = Lock()

    def plain(matrix: Floats) -> Floats:
        return np.asarray(booster.predict(matrix, num_threads=1))

    def predict(matrix: Floats) -> Floats:
        if len(matrix) < _ROWS:
            return plain(matrix)
        with lock:
            if not made:
                blocks, some = TreeBlocks.of(booster), matrix[:_TRIED]
                agree = blocks is not None and np.array_equal(blocks.summed(some), plain(some))
                made.append(blocks if agree else None)
        return plain(matrix) if made[0] is None else made[0].summed(matrix)

    return predict


def _adds(booster: Any) -> bool:
    """Whether a prediction is no more than the sum of all trees."""
    told = booster.dump_model(num_iteration=1)
    objective = told.get("objective", "").split()
    return (
        objective[:1] != []
        and objective[0] in _SUMS
        and "sqrt" not in objective
        and not told["average_output"]
        and told["num_tree_per_iteration"] == 1
        and booster.best_iteration <= 0
    )


def _leaves(lines: Iterable[str]) -> list[Floats]:
    start = "leaf_value="
    told = [line.removeprefix(start) for line in lines if line.startswith(start)]
    return [np.array(line.split(), dtype=np.float64) for line in told]
