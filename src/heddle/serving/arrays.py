"""A fitted pipeline of the house as a function of arrays: the same steps without a frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heddle.serving.encoders import Encoder, encoders
from heddle.serving.not_compiled import NotCompiled, kind
from heddle.serving.predictors import Predictor, beyond, predictor

__all__ = ["OnArrays", "on_arrays"]

Floats = NDArray[np.float64]
Words = Mapping[str, Sequence[str]]
Change = Callable[[Floats], Floats]

_STEPS: Mapping[str, str] = {
    "columns": "heddle.features.columns.SelectColumns",
    "impute": "heddle.features.imputation.Impute",
    "ratios": "heddle.models.ratios.Ratios",
    "matrix": "sklearn.compose._column_transformer.ColumnTransformer",
    "select": "heddle.features.selection.SelectFeatures",
    "model": "heddle.models.target.TargetRegressor",
}
_MAY_LACK = "select"
_IMPUTERS = (
    "heddle.features.imputation.ScaledKNN",
    "sklearn.impute._iterative.IterativeImputer",
)


@dataclass(frozen=True, slots=True)
class _Ratio:
    place: int  # of the new column
    left: int
    how: str
    right: int

    def fill(self, wide: Floats) -> None:
        """Write the column, by the rules of `heddle.models.ratios`: x over 0 is missing."""
        left, right = wide[:, self.left], wide[:, self.right]
        if self.how == "over":
            wide[:, self.place] = np.where(right != 0, left / right, np.nan)
        elif self.how == "plus":
            wide[:, self.place] = left + right
        elif self.how == "minus":
            wide[:, self.place] = left - right
        else:
            wide[:, self.place] = left * right


@dataclass(frozen=True, slots=True)
class _Part:
    """Some columns of the matrix, out of some of the numbers."""

    places: NDArray[np.int64]
    out: slice
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnArrays:
    """One pipeline, as `heddle.models.assembly.assemble` makes it, on plain arrays."""

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    fill: Change | None
    ratios: tuple[_Ratio, ...]
    parts: tuple[_Part, ...]
    words: tuple[Encoder, ...]
    width: int
    kept: NDArray[np.int64] | None
    predict: Predictor
    told: Callable[[Any, Any], NDArray[Any]]

    def of(self, numbers: Floats, words: Words) -> Floats:
        """Return predictions of shape (n_rows,) for numbers in the order of `numeric`."""
        with np.errstate(all="ignore"):  # what overflows is infinite, as in the pipeline
            matrix = self.matrix(numbers, words)
            return np.asarray(self.told(self.predict(matrix), matrix), dtype=np.float64)

    def matrix(self, numbers: Floats, words: Words) -> Floats:
        """Return what the estimator is shown."""
        known = len(self.numeric)
        wide = np.empty((len(numbers), known + len(self.ratios)))
        wide[:, :known] = numbers if self.fill is None else self.fill(numbers)
        for ratio in self.ratios:
            ratio.fill(wide)
        matrix = np.zeros((len(numbers), self.width))
        for part in self.parts:
            values = wide.take(part.places, axis=1)
            if self.kept is not None and part.changes and np.isinf(values).any():
                raise beyond()  # where the estimator might not see it any more
            for change in part.changes:
                values = change(values)
            matrix[:, part.out] = values
        for one in self.words:
            one.fill(matrix, words)
        return matrix if self.kept is None else matrix.take(self.kept, axis=1)


def on_arrays(pipeline: Any) -> OnArrays:
    """Return a fitted pipeline as a function of arrays.

    Raises:
        NotCompiled: naming the step that is not known.
    """
    steps = _steps(pipeline)
    door, model = steps["columns"], steps["model"]
    names = {name: place for place, name in enumerate(door.numeric)}
    ratios = []
    for new, left, how, right in steps["ratios"].combinations:
        ratios.append(_Ratio(len(names), names[left], how, names[right]))
        names[new] = len(names)
    parts, words = _columns(steps["matrix"], names)
    select = steps.get("select")
    return OnArrays(
        numeric=tuple(door.numeric),
        categorical=tuple(door.categorical),
        fill=_filling(steps["impute"], door.numeric),
        ratios=tuple(ratios),
        parts=tuple(parts),
        words=tuple(words),
        width=max(s.stop for s in steps["matrix"].output_indices_.values()),
        kept=None if select is None else np.flatnonzero(select.support_),
        predict=predictor(model.regressor_),
        told=model.told,
    )


def _steps(pipeline: Any) -> dict[str, Any]:
    if kind(pipeline) == "heddle.models.on_history.HistoryModel":
        raise NotCompiled("what it needs of a row is computed from the rows before it")
    if kind(pipeline) != "sklearn.pipeline.Pipeline":
        raise NotCompiled(f"the model is a {type(pipeline).__name__}")
    steps = dict(pipeline.steps)
    for name, step in steps.items():
        if _STEPS.get(name) != kind(step):
            raise NotCompiled(f"step {name!r} is a {type(step).__name__}")
    if list(steps) != [name for name in _STEPS if name in steps or name != _MAY_LACK]:
        raise NotCompiled(f"its steps are {', '.join(steps)}")
    return steps


def _filling(step: Any, numeric: Sequence[str]) -> Change | None:
    """Return what fills the gaps: known numbers, or the fitted imputer where a row has one."""
    if step.imputer_ is None or not step.columns:
        return None
    if tuple(step.columns) != tuple(numeric):
        raise NotCompiled("step 'impute' fills other columns than the numeric ones")
    if kind(step.imputer_) in _IMPUTERS:
        ask = step.imputer_.transform

        def fill(values: Floats) -> Floats:
            gaps = np.isnan(values)
            if not gaps.any():
                return values
            try:
                return np.where(gaps, ask(values), values)
            except ValueError as fault:
                raise beyond() from fault

        return fill
    return _simple(step.imputer_)


def _simple(step: Any) -> Change:
    if kind(step) != "sklearn.impute._base.SimpleImputer":
        raise NotCompiled(f"the imputer is a {type(step).__name__}")
    numbers = np.asarray(step.statistics_, dtype=np.float64)
    if step.add_indicator or np.isnan(numbers).any() or not _is_nan(step.missing_values):
        raise NotCompiled("the imputer drops or adds columns")
    return lambda values: np.where(np.isnan(values), numbers, values)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and np.isnan(value)


def _scaling(step: Any) -> Change:
    middle = 0.0 if step.mean_ is None or not step.with_mean else step.mean_
    size = 1.0 if step.scale_ is None else step.scale_
    return lambda values: np.asarray((values - middle) / size)


def _columns(matrix: Any, names: Mapping[str, int]) -> tuple[list[_Part], list[Encoder]]:
    parts: list[_Part] = []
    words: list[Encoder] = []
    for name, step, columns in matrix.transformers_:
        out = matrix.output_indices_[name]
        if out.stop == out.start:
            continue
        if any(column not in names for column in columns):
            words += encoders(step, tuple(columns), out)
        else:
            places = np.asarray([names[column] for column in columns], dtype=np.int64)
            parts.append(_Part(places, out, tuple(_changes(step))))
    return parts, words


def _changes(step: Any) -> list[Change]:
    known = kind(step)
    if known == "builtins.str" and step == "passthrough":
        return []
    if known == "sklearn.preprocessing._function_transformer.FunctionTransformer":
        if step.func is None:
            return []
        raise NotCompiled("the matrix has a function of its own")
    if known == "sklearn.pipeline.Pipeline":
        return [change for _, part in step.steps for change in _changes(part)]
    if known == "sklearn.preprocessing._data.StandardScaler":
        return [_scaling(step)]
    if known == "heddle.features.clusters.GeoClusters":
        return [step.transform]
    return [_simple(step)]
