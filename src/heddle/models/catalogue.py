"""The estimators that may compete, each made so that the same seed gives the same model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from heddle.domain.errors import ConfigError

__all__ = ["ESTIMATORS", "Traits", "available", "check_names", "learns", "make", "traits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What an estimator needs of its input."""

    scaled: bool  # columns of one size
    complete: bool  # no missing value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Estimator:
    home: str  # module that holds the class
    kind: str  # the class
    traits: Traits
    preset: Mapping[str, Any] = field(default_factory=dict)  # may be overridden
    forced: Mapping[str, Any] = field(default_factory=dict)  # may not
    seed: str | None = None  # name of the parameter that takes the seed
    threads: str | None = None  # name of the parameter that takes the number of threads
    more: tuple[str, ...] = ()  # parameters that the class takes without naming them
    learns: bool = True  # from several columns, so that it matters which it is shown
    extra: str | None = None  # of this distribution, if the library is not always there


_LINEAR = Traits(scaled=True, complete=True)
_TREE = Traits(scaled=False, complete=False)
_FILLED = Traits(scaled=False, complete=True)

_ENTRIES: Mapping[str, _Estimator] = {
    "zero": _Estimator(
        home="sklearn.dummy",
        kind="DummyRegressor",
        traits=_TREE,
        forced={"strategy": "constant", "constant": 0.0},
        learns=False,
    ),
    "mean": _Estimator(
        home="sklearn.dummy",
        kind="DummyRegressor",
        traits=_TREE,
        forced={"strategy": "mean"},
        learns=False,
    ),
    "median": _Estimator(
        home="sklearn.dummy",
        kind="DummyRegressor",
        traits=_TREE,
        forced={"strategy": "median"},
        learns=False,
    ),
    "naive": _Estimator(home="heddle.models.naive", kind="NaiveColumn", traits=_TREE, learns=False),
    "linear": _Estimator(home="sklearn.linear_model", kind="LinearRegression", traits=_LINEAR),
    "ridge": _Estimator(
        home="sklearn.linear_model", kind="Ridge", traits=_LINEAR, seed="random_state"
    ),
    "lasso": _Estimator(
        home="sklearn.linear_model",
        kind="Lasso",
        traits=_LINEAR,
        preset={"max_iter": 20_000, "precompute": True},  # many rows, few columns: 50 times faster
        seed="random_state",
    ),
    "decision_tree": _Estimator(
        home="sklearn.tree", kind="DecisionTreeRegressor", traits=_TREE, seed="random_state"
    ),
    "random_forest": _Estimator(
        home="sklearn.ensemble",
        kind="RandomForestRegressor",
        traits=_TREE,
        seed="random_state",
        threads="n_jobs",
    ),
    "gradient_boosting": _Estimator(
        home="sklearn.ensemble",
        kind="GradientBoostingRegressor",
        traits=_FILLED,
        seed="random_state",
    ),
    "hist_gradient_boosting": _Estimator(
        home="sklearn.ensemble",
        kind="HistGradientBoostingRegressor",
        traits=_TREE,
        preset={"early_stopping": False},
        seed="random_state",
    ),
    "lightgbm": _Estimator(
        home="lightgbm",
        kind="LGBMRegressor",
        traits=_TREE,
        forced={"deterministic": True, "force_row_wise": True, "verbose": -1},
        seed="random_state",
        threads="n_jobs",
        more=(
            "extra_trees",
            "feature_fraction_bynode",
            "max_bin",
            "min_data_in_bin",
            "path_smooth",
        ),
        extra="lightgbm",
    ),
    "xgboost": _Estimator(
        home="xgboost",
        kind="XGBRegressor",
        traits=_TREE,
        forced={"tree_method": "hist", "device": "cpu", "verbosity": 0},
        seed="random_state",
        threads="n_jobs",
        extra="xgboost",
    ),
}

ESTIMATORS: tuple[str, ...] = tuple(_ENTRIES)


def available(estimator: str) -> str | None:
    """Return why `estimator` cannot be used here, or None when it can.

    >>> available("ridge") is None
    True

    Raises:
        ConfigError: no such estimator.
    """
    entry = _entry(estimator)
    if entry.extra is None or find_spec(entry.home) is not None:
        return None
    return f"{entry.home} is not installed; pip install 'heddle-ml[{entry.extra}]'"


def traits(estimator: str, *, where: str | None = None) -> Traits:
    """Return what `estimator` needs of its input. Raises ConfigError: no such estimator."""
    return _entry(estimator, where).traits


def learns(estimator: str) -> bool:
    """Whether it matters to `estimator` which columns it is shown.

    >>> learns("ridge"), learns("zero")
    (True, False)
    """
    return _entry(estimator).learns


def check_names(estimator: str, names: Iterable[str], *, where: str | None = None) -> None:
    """Refuse parameters that `estimator` does not have or that are not the user's to set.

    The parameters of an estimator whose library is absent cannot be checked, and are not.

    Raises:
        ConfigError: an unknown estimator or parameter (with the nearest known name), or one that
            Heddle sets itself so that the same seed gives the same model.
    """
    entry = _entry(estimator, where)
    if available(estimator) is not None:
        return
    known = {*_load(entry)().get_params(), *entry.more}
    ours = {*entry.forced, entry.seed, entry.threads} - {None}
    free = sorted(known - ours)
    for name in names:
        if name in ours:
            raise ConfigError(f"{name!r} of {estimator} is set by Heddle, not here", where=where)
        if name not in free:
            raise ConfigError(
                f"{estimator} has no parameter {name!r}", where=where, wanted=name, known=free
            )


def make(estimator: str, params: Mapping[str, Any], *, seed: int, threads: int = 1) -> Any:
    """Return an unfitted scikit-learn regressor.

    Args:
        estimator: a name of `ESTIMATORS`.
        params: its own parameters; what is not named keeps its default.
        seed: everything random in it starts here.
        threads: of its fit; 1 or more. Scores are bit-equal only for the same number.

    >>> make("ridge", {"alpha": 2.0}, seed=1)
    Ridge(alpha=2.0, random_state=1)

    Raises:
        ConfigError: an unknown estimator or parameter, a value the estimator refuses, or a
            library that is not installed.
    """
    entry = _entry(estimator)
    if reason := available(estimator):
        raise ConfigError(reason)
    check_names(estimator, params)
    chosen = {**entry.preset, **params, **entry.forced}
    if entry.seed:
        chosen[entry.seed] = seed
    if entry.threads:
        chosen[entry.threads] = threads
    made = _load(entry)(**chosen)
    try:  # scikit-learn's own check of types and ranges, before any time is spent on a fit
        made._validate_params()  # noqa: SLF001  # what its fit calls first
    except AttributeError:
        pass  # another library's class
    except ValueError as fault:
        raise ConfigError(str(fault), where=estimator) from None
    return made


def _entry(estimator: str, where: str | None = None) -> _Estimator:
    if estimator not in _ENTRIES:
        raise ConfigError(
            f"no estimator {estimator!r}", where=where, wanted=estimator, known=_ENTRIES
        )
    return _ENTRIES[estimator]


def _load(entry: _Estimator) -> Any:
    return getattr(import_module(entry.home), entry.kind)
