"""A fitted regressor as a function of a matrix: its library's own predictor, on one thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heddle.domain.errors import DataContractError
from heddle.serving.grove import Grove
from heddle.serving.not_compiled import NotCompiled, kind
from heddle.serving.tree_blocks import blocks_when_many

__all__ = ["beyond", "predictor"]

Floats = NDArray[np.float64]
Predictor = Callable[[Floats], NDArray[Any]]

_NEAR = 300_000  # numbers that stay near the processor while one tree after the other reads them
_FEW_ROWS = 512  # for which a call for each tree would cost too much


def predictor(regressor: Any) -> Predictor:
    """Return what `regressor.predict` gives for a C-ordered float64 matrix, with less ado.

    The same numbers as from `predict`, to the last bit but for the sums of linear models over
    many rows; on one thread whatever the process allows. What `predict` refuses, a value beyond
    its range, is refused with a DataContractError.

    Raises:
        NotCompiled: a regressor, or a setting of it, that is not known.
    """
    make = _KNOWN.get(kind(regressor))
    if make is None:
        raise NotCompiled(f"the estimator is a {type(regressor).__name__}")
    return make(regressor)


def _lightgbm(regressor: Any) -> Predictor:
    return blocks_when_many(regressor.booster_)


def _xgboost(regressor: Any) -> Predictor:
    booster = regressor.get_booster()
    if regressor.booster not in (None, "gbtree", "dart"):
        raise NotCompiled(f"XGBoost's booster is {regressor.booster}")
    if booster.attr("best_iteration") is not None:
        raise NotCompiled("XGBoost stopped early")
    booster.set_param({"nthread": 1})
    missing = regressor.missing
    grove = Grove.of_xgboost(booster) if np.isnan(missing) else None

    def predict(matrix: Floats) -> NDArray[Any]:
        if grove is not None and grove.suits(len(matrix)):
            single = matrix.astype(np.float32)
            if not np.isinf(single).any():
                return grove.summed(single)
        try:
            said = booster.inplace_predict(matrix, missing=missing, validate_features=False)
        except ValueError as fault:
            raise beyond() from fault
        return np.asarray(said)

    return predict


def _histograms(regressor: Any) -> Predictor:
    if regressor._preprocessor is not None:  # noqa: SLF001  # there is no public word for it
        raise NotCompiled("HistGradientBoosting was told of categories")
    link = regressor._loss.link  # noqa: SLF001
    grove = Grove.of_histograms(regressor)

    def predict(matrix: Floats) -> NDArray[Any]:
        if grove.suits(len(matrix)):
            said = grove.summed(matrix)
        else:
            raw = regressor._raw_predict  # noqa: SLF001
            size = max(_FEW_ROWS, _NEAR // matrix.shape[1])
            pieces = [matrix[first : first + size] for first in range(0, len(matrix), size)]
            said = np.concatenate([raw(piece, n_threads=1).ravel() for piece in pieces])
        return np.asarray(link.inverse(said))

    return predict


def _forest(regressor: Any) -> Predictor:
    if regressor.n_outputs_ != 1:
        raise NotCompiled("the forest has several targets")
    trees = [one.tree_ for one in regressor.estimators_]
    allow_nan = _takes_gaps(regressor.estimators_[0])
    grove = Grove.of_trees(trees)

    def predict(matrix: Floats) -> NDArray[Any]:
        single = _single(matrix, allow_nan=allow_nan)
        if grove.suits(len(single)):
            return grove.summed(single) / len(trees)
        total = np.zeros(len(single))
        for tree in trees:
            total += tree.predict(single)[:, 0]
        total /= len(trees)
        return total

    return predict


def _tree(regressor: Any) -> Predictor:
    if regressor.n_outputs_ != 1:
        raise NotCompiled("the tree has several targets")
    tree, allow_nan = regressor.tree_, _takes_gaps(regressor)
    return lambda matrix: np.asarray(tree.predict(_single(matrix, allow_nan=allow_nan))[:, 0])


def _boosted_trees(regressor: Any) -> Predictor:
    if kind(regressor.init_) != "sklearn.dummy.DummyRegressor":
        raise NotCompiled(f"GradientBoosting starts from a {type(regressor.init_).__name__}")
    trees = [one.tree_ for one in regressor.estimators_[:, 0]]
    start = float(np.ravel(regressor.init_.constant_)[0])
    grove = Grove.of_trees(trees, start=start, share=regressor.learning_rate)

    def predict(matrix: Floats) -> NDArray[Any]:
        single = _single(matrix, allow_nan=False)
        if grove.suits(len(single)):
            return grove.summed(single)
        return np.asarray(regressor.predict(matrix))

    return predict


def _linear(regressor: Any) -> Predictor:
    weights, start = regressor.coef_, regressor.intercept_
    if np.ndim(weights) != 1:
        raise NotCompiled("the linear model has several targets")

    def predict(matrix: Floats) -> NDArray[Any]:
        if not np.isfinite(matrix).all():
            raise beyond()
        return np.asarray(matrix @ weights + start)

    return predict


def _constant(regressor: Any) -> Predictor:
    constant = np.ravel(regressor.constant_)
    if constant.size != 1:
        raise NotCompiled("the constant has several targets")
    return lambda matrix: np.full(len(matrix), constant[0])


def _own(regressor: Any) -> Predictor:
    return lambda matrix: np.asarray(regressor.predict(matrix))


def _takes_gaps(tree: Any) -> bool:
    return bool(tree.__sklearn_tags__().input_tags.allow_nan)


def _single(matrix: Floats, *, allow_nan: bool) -> NDArray[np.float32]:
    """Return the matrix as scikit-learn's trees read it, or refuse what they refuse."""
    single = matrix.astype(np.float32)
    fine = ~np.isinf(single) if allow_nan else np.isfinite(single)
    if not fine.all():
        raise beyond()
    return single


def beyond() -> DataContractError:
    """Return what is said where scikit-learn or XGBoost refuse a number for its size."""
    return DataContractError(
        "a value, or what is made of it, is beyond the numbers that the model can take"
    )


_KNOWN: Mapping[str, Callable[[Any], Predictor]] = {
    "lightgbm.sklearn.LGBMRegressor": _lightgbm,
    "xgboost.sklearn.XGBRegressor": _xgboost,
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingRegressor": (
        _histograms
    ),
    "sklearn.ensemble._forest.RandomForestRegressor": _forest,
    "sklearn.tree._classes.DecisionTreeRegressor": _tree,
    "sklearn.ensemble._gb.GradientBoostingRegressor": _boosted_trees,
    "sklearn.linear_model._base.LinearRegression": _linear,
    "sklearn.linear_model._ridge.Ridge": _linear,
    "sklearn.linear_model._coordinate_descent.Lasso": _linear,
    "sklearn.dummy.DummyRegressor": _constant,
    "heddle.models.naive.NaiveColumn": _own,
}
