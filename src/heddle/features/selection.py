"""Which columns an estimator is shown, learned anew from the rows of each fit."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import RFECV, mutual_info_regression, r_regression
from sklearn.linear_model import Lasso, Ridge
from sklearn.model_selection import TimeSeriesSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from heddle.domain.errors import ConfigError, DataContractError

__all__ = ["ESTIMATORS", "HOWS", "SCORES", "SelectFeatures"]

HOWS = ("none", "kbest", "rfecv", "from_model")
SCORES = ("f_regression", "mutual_information")
ESTIMATORS = ("ridge", "lasso", "trees")

_WHERE = "selection"
_ROUNDING = 1e-12  # of its largest value: a column that varies by less does not vary
_NONZERO = 1e-10  # a coefficient of lasso below is one that it took for zero
_TREES: dict[str, Any] = {"n_estimators": 100, "min_samples_leaf": 20, "max_features": 0.3}

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class SelectFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Keep some of the columns of a matrix, in their order; the rows of the fit decide which.

    It stands behind imputation and scaling and before the estimator, so that every fold, every
    refit and the final model choose from their own rows alone; the same rows choose the same. A
    column that does not vary is never chosen. For the choice, columns are standardised and the
    target is divided by its standard deviation, and a gap counts as its column's median; what is
    handed on is as it came.

    - `none`: every column, whether or not it varies.
    - `kbest`: the `k` columns with the highest `score` against the target, one by one.
    - `rfecv`: leave out the least important columns, `step` at a time, and keep the set with the
      least root mean squared error over `folds` folds in order of time, `purge` rows apart. The
      rows of the fit must come in that order.
    - `from_model`: the columns whose importance to one fitted `estimator` reaches `threshold`, or
      the `k` most important ones; never fewer than `min_features` while so many are left.

    Args:
        how: none | kbest | rfecv | from_model.
        k: how many, for kbest and from_model; where fewer vary, these.
        score: f_regression (straight line) | mutual_information (any dependence; seeded).
        estimator: ridge | lasso | trees; its importances are the sizes of the coefficients, or
            what the splits of 100 trees gained (they sum to 1). rfecv takes ridge or lasso.
        alpha: strength of ridge (times the number of rows) or lasso; no matter for trees.
        threshold: a number, mean or median (of the importances), for from_model; null: what lasso
            left above zero, of others mean.
        min_features: fewest columns of rfecv and of from_model.
        step: columns that rfecv leaves out at a time.
        folds: of rfecv.
        purge: rows left out before each held-out fold: as many as the target looks ahead.
        max_correlation: of two columns that correlate more than this, whatever the sign, the first
            stays; done before all else, also with `none`. null: not asked.
        seed: of trees and of mutual information.
    """

    def __init__(
        self,
        how: str = "none",
        *,
        k: int | None = None,
        score: str = "f_regression",
        estimator: str = "ridge",
        alpha: float = 0.01,
        threshold: float | str | None = None,
        min_features: int = 5,
        step: int = 1,
        folds: int = 3,
        purge: int = 0,
        max_correlation: float | None = None,
        seed: int = 42,
    ) -> None:
        self.how = how
        self.k = k
        self.score = score
        self.estimator = estimator
        self.alpha = alpha
        self.threshold = threshold
        self.min_features = min_features
        self.step = step
        self.folds = folds
        self.purge = purge
        self.max_correlation = max_correlation
        self.seed = seed

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803  # scikit-learn's word
        """Choose.

        Raises:
            ConfigError: a parameter that is unknown or out of bounds, more columns wanted than
                there are, no target where one is needed, too few rows for the folds of rfecv.
            DataContractError: no column varies.
        """
        columns = getattr(X, "columns", None)
        values = np.array(X, dtype=np.float64)
        self._check(values)
        self.n_features_in_ = values.shape[1]
        if columns is not None:
            self.feature_names_in_ = np.asarray([str(c) for c in columns], dtype=object)
        self.support_ = np.ones(values.shape[1], dtype=np.bool_)
        if self.how != "none" or self.max_correlation is not None:
            with threadpool_limits(limits=1):  # the same bits on any number of cores
                self.support_ = self._chosen(_filled(values), y)
        self.selected_ = [str(name) for name in self.get_feature_names_out()]
        return self

    def transform(self, X: Any) -> Any:  # noqa: N803  # scikit-learn's word
        """Return the chosen columns: of a frame a frame, of an array an array.

        Raises:
            DataContractError: more or fewer columns than at fit.
        """
        if X.shape[1] != self.n_features_in_:
            said = f"{X.shape[1]} columns came; {self.n_features_in_} were there at fit"
            raise _unfit(said, "Bring those columns, or fit again.")
        if hasattr(X, "loc"):
            return X.loc[:, self.support_]
        # in rows, as matrices come: sums over columns laid out otherwise round otherwise
        return np.ascontiguousarray(np.asarray(X)[:, self.support_])

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:
        """Names of the chosen: out of `input_features`, of those of the fit, or `x0`, `x1`."""
        names = input_features
        if names is None:
            made = [f"x{i}" for i in range(self.n_features_in_)]
            names = getattr(self, "feature_names_in_", made)
        return np.asarray(names, dtype=object)[self.support_]

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "support_")

    def _chosen(self, values: Floats, y: Any) -> Flags:
        spread = values.max(axis=0) - values.min(axis=0)
        support = np.asarray(spread > _ROUNDING * np.abs(values).max(axis=0))
        if not support.any():
            raise _unfit("no column varies in the rows of the fit", "Bring more rows.")
        if self.max_correlation is not None:
            support[support] = _unlike(values[:, support], self.max_correlation)
        if self.how == "none":
            return support
        if y is None:
            raise ConfigError(f"{self.how} needs a target to select by", where=_WHERE)
        target = np.asarray(y, dtype=np.float64).ravel()
        target = target / (target.std() or 1.0)
        choose = {"kbest": self._best, "rfecv": self._eliminated, "from_model": self._important}
        standard = StandardScaler().fit_transform(values[:, support])
        support[support] = choose[self.how](standard, target)
        return support

    def _best(self, values: Floats, target: Floats) -> Flags:
        if self.score == "mutual_information":
            told = mutual_info_regression(values, target, random_state=self.seed)
            return _first(told, self.k or 0)
        return _first(_straight(values, target), self.k or 0)

    def _eliminated(self, values: Floats, target: Floats) -> Flags:
        rows = len(values)
        held = rows // (self.folds + 1)
        if held < 1 or rows - self.folds * held - self.purge < 2:
            raise ConfigError(
                f"{rows} rows are too few for {self.folds} folds that are {self.purge} rows apart",
                where=_WHERE,
            )
        search = RFECV(
            self._model(rows),
            step=self.step,
            min_features_to_select=min(self.min_features, values.shape[1]),
            cv=TimeSeriesSplit(self.folds, gap=self.purge),
            scoring="neg_root_mean_squared_error",
            importance_getter="named_steps.model.coef_",
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # good enough to rank columns by
            return np.asarray(search.fit(values, target).support_)

    def _important(self, values: Floats, target: Floats) -> Flags:
        model = self._model(len(values))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            last = model.fit(values, target).named_steps["model"]
        trees = self.estimator == "trees"
        weight = last.feature_importances_ if trees else np.abs(last.coef_)
        # among columns that the model does not tell apart, as lasso's zeros, the straight line does
        order = np.lexsort((-_straight(values, target), -weight))
        if self.k is not None:
            kept = self.k
        else:
            kept = max(int((weight >= self._least(weight)).sum()), self.min_features)
        return _flags(order[:kept], len(weight))

    def _least(self, weight: Floats) -> float:
        usual = _NONZERO if self.estimator == "lasso" else "mean"
        wanted = usual if self.threshold is None else self.threshold
        if isinstance(wanted, str):
            return float(np.mean(weight) if wanted == "mean" else np.median(weight))
        return float(wanted)

    def _model(self, rows: int) -> Pipeline:
        if self.estimator == "trees":
            from sklearn.ensemble import ExtraTreesRegressor

            model: Any = ExtraTreesRegressor(**_TREES, random_state=self.seed, n_jobs=1)
        elif self.estimator == "lasso":
            model = Lasso(alpha=self.alpha)
        else:
            model = Ridge(alpha=self.alpha * rows)
        return Pipeline([("scale", StandardScaler()), ("model", model)])

    def _check(self, values: Floats) -> None:
        for key, known in (("how", HOWS), ("score", SCORES), ("estimator", ESTIMATORS)):
            _among(key, getattr(self, key), known)
        if self.how == "rfecv":
            _among("estimator", self.estimator, ("ridge", "lasso"))
        if isinstance(self.threshold, str):
            _among("threshold", self.threshold, ("mean", "median"))
        for key, least in (("min_features", 1), ("step", 1), ("folds", 2), ("purge", 0)):
            if getattr(self, key) < least:
                raise ConfigError(
                    f"{key} >= {least} must hold, but got {getattr(self, key)}", where=_WHERE
                )
        if not self.alpha > 0:
            raise ConfigError(f"alpha > 0 must hold, but got {self.alpha}", where=_WHERE)
        if self.max_correlation is not None and not 0 < self.max_correlation <= 1:
            raise ConfigError(
                f"0 < max_correlation <= 1 must hold, but got {self.max_correlation}", where=_WHERE
            )
        self._check_k(values.shape[1])

    def _check_k(self, columns: int) -> None:
        if self.how == "kbest" and self.k is None:
            raise ConfigError("kbest needs k, the number of columns", where=_WHERE)
        if self.how == "from_model" and self.k is not None and self.threshold is not None:
            raise ConfigError("from_model takes k or threshold, not both", where=_WHERE)
        if self.k is not None and self.how in ("kbest", "from_model"):
            if self.k < 1:
                raise ConfigError(f"k >= 1 must hold, but got {self.k}", where=_WHERE)
            if self.k > columns:
                raise ConfigError(
                    f"k is {self.k}, but there are {columns} columns",
                    where=_WHERE,
                    todo=f"Set k to {columns} or less.",
                )


def _among(key: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ConfigError(f"no {key} {value!r}", where=_WHERE, wanted=str(value), known=known)


def _unfit(what: str, todo: str) -> DataContractError:
    return DataContractError(what, where=_WHERE, todo=todo)


def _filled(values: Floats) -> Floats:
    """Return the values with the median of its column for each gap; 0 in a column of gaps only."""
    gaps = ~np.isfinite(values)
    for column in np.flatnonzero(gaps.any(axis=0)):
        known = values[~gaps[:, column], column]
        values[gaps[:, column], column] = np.median(known) if len(known) else 0.0
    return values


def _unlike(values: Floats, most: float) -> Flags:
    """Return which columns correlate with no column kept before them by more than `most`."""
    alike = np.abs(np.atleast_2d(np.corrcoef(values, rowvar=False))) > most
    kept: list[int] = []
    for column in range(values.shape[1]):
        kept += [] if alike[column, kept].any() else [column]
    return _flags(kept, values.shape[1])


def _straight(values: Floats, target: Floats) -> Floats:
    """Return |r|: it ranks as F does, which may fall below zero where a column is the target."""
    return np.abs(np.asarray(r_regression(values, target), dtype=np.float64))


def _first(score: Floats, k: int) -> Flags:
    """Return the `k` highest; among equals the first."""
    ranked = np.where(np.isnan(score), -np.inf, score)
    return _flags(np.argsort(-ranked, kind="stable")[:k], len(score))


def _flags(places: Any, length: int) -> Flags:
    flags = np.zeros(length, dtype=np.bool_)
    flags[places] = True
    return flags
