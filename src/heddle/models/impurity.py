"""Which columns the trees of a fitted model were split on: what its training rows say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["impurity_importances"]

Shares = npt.NDArray[np.float64]


def impurity_importances(members: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return {"members": [name], "offsets": [column], "columns": [{"feature", "share"}]}.

    Columns come with the largest share first. A column's share is that of the loss which splits on
    it took away, summed over the trees (Breiman et al. 1984, section 5.3.4). It is computed on the
    rows that the trees were grown on, so it favours columns of many values and columns that a model
    learnt by heart; permutation on held-out rows is what to trust. Columns that one raw column
    became (one of 0 and 1 for each category) count together; a ratio stands for itself, and what
    clusters made of coordinates under both their names. Shares of several members are averaged.

    A column that a member begins with (its `offset`) is named beside them: its trees were grown on
    what is to be added to it, and their shares say nothing of what it brings.

    Args:
        members: (name, fitted pipeline of `heddle.models.assembly`) each. Those whose regressor
            tells no such figure (linear models, scikit-learn's histogram trees, a model that
            did not split) are left out.

    Returns:
        Lists that are empty when no member has any.
    """
    found = {name: told for name, pipeline in members if (told := _of(pipeline))}
    begun = {_begun(pipeline) for name, pipeline in members if name in found} - {""}
    names = dict.fromkeys(column for told in found.values() for column in told)
    shares = {c: float(np.mean([t.get(c, 0.0) for t in found.values()])) for c in names}
    ranked = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return {
        "members": list(found),
        "offsets": sorted(begun),
        "columns": [{"feature": name, "share": share} for name, share in ranked],
    }


def _of(pipeline: Any) -> Mapping[str, float]:
    """Return raw column -> share of one pipeline, {} without any."""
    values = _taken(pipeline[-1].regressor_)
    if values is None or not values.sum() > 0:
        return {}
    total: dict[str, float] = {}
    names = _origins(pipeline["matrix"])
    if "select" in pipeline.named_steps:
        names = list(pipeline["select"].get_feature_names_out(names))
    for name, value in zip(names, values / values.sum(), strict=True):
        total[name] = total.get(name, 0.0) + float(value)
    return total


def _begun(pipeline: Any) -> str:
    place = pipeline[-1].offset
    return "" if place is None else _origins(pipeline["matrix"])[place]


def _taken(regressor: Any) -> Shares | None:
    """Return the loss that splits on each column of the matrix took away, in any unit."""
    if hasattr(regressor, "booster_"):  # LightGBM, whose own attribute counts splits
        return np.asarray(regressor.booster_.feature_importance("gain"), dtype=np.float64)
    if hasattr(regressor, "get_booster"):  # XGBoost, whose own is the mean of a split
        told = regressor.get_booster().get_score(importance_type="total_gain")
        count = regressor.n_features_in_
        return np.array([told.get(f"f{i}", 0.0) for i in range(count)], dtype=np.float64)
    if hasattr(regressor, "feature_importances_"):
        return np.asarray(regressor.feature_importances_, dtype=np.float64)
    return None


def _origins(matrix: Any) -> list[str]:
    """Return the raw column behind each column that a fitted `ColumnTransformer` gives."""
    names: list[str] = []
    for part, made, columns in matrix.transformers_:
        place = matrix.output_indices_[part]
        width = place.stop - place.start
        if not width:
            continue
        if hasattr(made, "centers_"):  # of clusters
            names += [", ".join(columns)] * width
        elif width == len(columns):
            names += columns
        else:
            for column, count in zip(columns, _widths(made), strict=True):
                names += [column] * count
    return names


def _widths(encoder: Any) -> list[int]:
    """Return how many columns of 0 and 1 each category became; the rare ones share one."""
    rare = getattr(encoder, "infrequent_categories_", [None] * len(encoder.categories_))
    return [
        len(all_) if few is None else len(all_) - len(few) + 1
        for all_, few in zip(encoder.categories_, rare, strict=True)
    ]
