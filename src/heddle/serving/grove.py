"""Trees side by side: a few rows walk down all of them at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heddle.serving.not_compiled import NotCompiled

__all__ = ["Grove"]

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Flags = NDArray[np.bool_]

_ROWS = 8  # beyond, scikit-learn's loop over rows wins over one call for each tree
_LEAF = -1  # scikit-learn's mark of a node without children


@dataclass(frozen=True, slots=True, kw_only=True)
class Grove:
    """The nodes of all trees in one row of arrays; a leaf leads to itself.

    scikit-learn asks one tree after the other, and the call costs more than the walk. Sums are
    taken in the order of the trees, as the libraries do, so that the bits are the same.
    """

    roots: Places
    column: Places  # of the matrix, that a node asks
    most: Floats  # that goes left
    children: Places  # left and right of each node, in turn
    gaps_left: Flags
    value: NDArray[Any]  # its precision is that of the sum
    depth: int
    start: float = 0.0  # what is there before the first tree

    @classmethod
    def of_trees(cls, trees: Sequence[Any], *, start: float = 0.0, share: float = 1.0) -> Grove:
        """Plant scikit-learn's trees of one target, `share` of what each says being added."""
        return cls._planted(
            columns=[t.feature for t in trees],
            most=[t.threshold for t in trees],
            sides=[(t.children_left, t.children_right) for t in trees],
            leaves=[t.children_left == _LEAF for t in trees],
            gaps=[t.missing_go_to_left for t in trees],
            values=[t.value[:, 0, 0] * share for t in trees],
            start=start,
        )

    @classmethod
    def of_histograms(cls, regressor: Any) -> Grove:
        """Plant the trees of a HistGradientBoostingRegressor.

        Raises:
            NotCompiled: several trees in a round, or a split by category.
        """
        rounds = regressor._predictors  # noqa: SLF001  # there is no public word for them
        if any(len(trees) != 1 for trees in rounds):
            raise NotCompiled("HistGradientBoosting has several targets")
        nodes = [trees[0].nodes for trees in rounds]
        if any(n["is_categorical"].any() for n in nodes):
            raise NotCompiled("HistGradientBoosting splits by category")
        return cls._planted(
            columns=[n["feature_idx"] for n in nodes],
            most=[n["num_threshold"] for n in nodes],
            sides=[(n["left"], n["right"]) for n in nodes],
            leaves=[n["is_leaf"].astype(bool) for n in nodes],
            gaps=[n["missing_go_to_left"] for n in nodes],
            values=[n["value"] for n in nodes],
            start=float(np.ravel(regressor._baseline_prediction)[0]),  # noqa: SLF001
        )

    @classmethod
    def of_xgboost(cls, booster: Any) -> Grove | None:
        """Plant the trees of an XGBoost model of squared errors; None where it holds more.

        XGBoost lays all its nodes out anew at each call, and it compares, and adds, in single
        precision: what is below a threshold goes left.
        """
        told = json.loads(booster.save_raw("json"))["learner"]
        machine = told["gradient_booster"]
        if machine["name"] != "gbtree" or told["objective"]["name"] != "reg:squarederror":
            return None
        trees = machine["model"]["trees"]
        if not trees or any(any(t["split_type"]) for t in trees):
            return None
        numbers = [np.asarray(t["split_conditions"], dtype=np.float32) for t in trees]
        left = [np.asarray(t["left_children"]) for t in trees]
        start = np.asarray(json.loads(told["learner_model_param"]["base_score"])).ravel()
        return cls._planted(
            columns=[np.asarray(t["split_indices"]) for t in trees],
            most=[np.nextafter(n, np.float32(-np.inf)) for n in numbers],
            sides=[(a, np.asarray(t["right_children"])) for a, t in zip(left, trees, strict=True)],
            leaves=[a == _LEAF for a in left],
            gaps=[np.asarray(t["default_left"]) for t in trees],
            values=numbers,
            start=float(start[0]),
        )

    @classmethod
    def _planted(
        cls,
        *,
        columns: list[Any],
        most: list[Any],
        sides: list[tuple[Any, Any]],
        leaves: list[Any],
        gaps: list[Any],
        values: list[Any],
        start: float = 0.0,
    ) -> Grove:
        sizes = [len(tree) for tree in values]
        roots = np.cumsum([0, *sizes[:-1]], dtype=np.int64)
        leaf = np.concatenate(leaves)
        first = np.repeat(roots, sizes)
        own = np.arange(leaf.size)
        both = [np.concatenate([np.asarray(s[i], dtype=np.int64) for s in sides]) for i in (0, 1)]
        children = np.stack([np.where(leaf, own, side + first) for side in both], axis=1)
        return cls(
            roots=roots,
            column=np.where(leaf, 0, np.concatenate(columns)).astype(np.int64),
            most=np.concatenate(most).astype(np.float64),
            children=children.ravel(),
            depth=_depth(roots, children),
            gaps_left=np.concatenate(gaps).astype(np.bool_),
            value=np.concatenate(values),
            start=start,
        )

    def suits(self, rows: int) -> bool:
        """Whether so few rows are faster here than tree by tree."""
        return rows <= _ROWS

    def summed(self, matrix: NDArray[Any]) -> NDArray[Any]:
        """Return for each row the start and what every tree says, added in their order."""
        width = matrix.shape[1]
        flat = np.ascontiguousarray(matrix, dtype=np.float64).ravel()
        begin = (np.arange(len(matrix), dtype=np.int64) * width)[:, None]
        at = np.broadcast_to(self.roots, (len(matrix), self.roots.size))
        gappy = bool(np.isnan(flat).any())
        for _ in range(self.depth):
            value = flat.take(self.column.take(at) + begin)
            right = ~(value <= self.most.take(at))
            if gappy:
                right &= ~(np.isnan(value) & self.gaps_left.take(at))
            at = self.children.take(2 * at + right)
        said = np.empty((len(matrix), self.roots.size + 1), dtype=self.value.dtype)
        said[:, 0] = self.start
        said[:, 1:] = self.value.take(at)
        return np.asarray(np.cumsum(said, axis=1)[:, -1])


def _depth(roots: Places, children: NDArray[np.int64]) -> int:
    """Return the number of steps from a root to the furthest leaf."""
    steps, level = 0, roots
    while (level := level[children[level, 0] != level]).size:
        level = children[level].ravel()
        steps += 1
    return steps
