"""A fitted pipeline without frames: the same predictions of one row in a hundredth of the time.

Nearly all the time of a one-row prediction goes into frames and their checks. Here the fitted steps
work on arrays, and the estimator's own library predicts, on one thread. What cannot be told apart
from the pipeline is used; what can is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from heddle.domain.errors import DataContractError, HeddleError
from heddle.registry.manifest import Manifest
from heddle.serving.arrays import OnArrays, on_arrays
from heddle.serving.made_rows import made_rows
from heddle.serving.not_compiled import NotCompiled, kind
from heddle.serving.plain_values import Words, read_values
from heddle.validation.contract import Column
from heddle.validation.parse import DTYPES

__all__ = ["Compiled", "checked", "compile_model"]

Floats = NDArray[np.float64]

_CLOSE = 1e-6  # relative
_MADE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A model that answers requests and frames, the fast way or by its pipeline."""

    pipeline: Any
    columns: Mapping[str, Column]  # what a row brings
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    members: tuple[OnArrays, ...] = ()  # (): the pipeline answers
    reason: str = ""  # why it does

    @property
    def how(self) -> Literal["compiled", "pipeline"]:
        """Who answers."""
        return "compiled" if self.members else "pipeline"

    def predict(self, columns: Mapping[str, Sequence[Any]]) -> Floats:
        """Return predictions of shape (n_rows,) for columns of plain values.

        Columns, not rows: each is read in one go whatever the number of rows, and a request of
        one row is a dict of lists of one. None is a missing value; further columns are ignored.

        Raises:
            DataContractError: as `heddle.serving.plain_values.read_values`, or a number that the
                estimator cannot take.
        """
        if not self.members:
            return np.asarray(self.pipeline.predict(self._frame(columns)), dtype=np.float64)
        return self._of(*read_values(columns, self.numeric, self.categorical))

    def predict_frame(self, rows: Any) -> Floats:
        """Return predictions of shape (n_rows,) for a pandas or Polars frame.

        Raises:
            DataContractError: as the pipeline does.
        """
        if not self.members:
            return np.asarray(self.pipeline.predict(rows), dtype=np.float64)
        from heddle.features.columns import SelectColumns

        known = SelectColumns(self.numeric, self.categorical).transform(rows)
        numbers = np.empty((len(known), len(self.numeric)))
        for place, name in enumerate(self.numeric):
            numbers[:, place] = known[name].to_numpy()
        return self._of(numbers, {name: known[name].tolist() for name in self.categorical})

    def _of(self, numbers: Floats, words: Words) -> Floats:
        if not len(numbers):
            return np.empty(0)
        first, *others = [one.of(self._seen_by(one, numbers), words) for one in self.members]
        for said in others:  # one by one, as the average adds them
            first = first + said
        return first / len(self.members) if others else first

    def _seen_by(self, one: OnArrays, numbers: Floats) -> Floats:
        if one.numeric == self.numeric:
            return numbers
        return numbers.take([self.numeric.index(name) for name in one.numeric], axis=1)

    def _frame(self, columns: Mapping[str, Sequence[Any]]) -> pl.DataFrame:
        for name in self.columns:
            if name not in columns:
                raise DataContractError(
                    f"rows have no column {name!r}", wanted=name, known=map(str, columns)
                )
        schema = {name: DTYPES[column.type] for name, column in self.columns.items()}
        try:
            return pl.DataFrame({name: columns[name] for name in schema}, schema=schema)
        except (TypeError, pl.exceptions.PolarsError) as fault:
            raise DataContractError(f"the values are not of the model's types: {fault}") from None


def compile_model(pipeline: Any, manifest: Manifest) -> Compiled:
    """Return a fitted model as a function of plain values; its pipeline where a step is unknown.

    Args:
        pipeline: as `heddle.models.assembly` makes it, one or an average, fitted.
        manifest: names the columns of a row, and their types.
    """
    slow = Compiled(pipeline=pipeline, columns=manifest.columns)
    try:
        members = _members(pipeline, manifest)
    except NotCompiled as reason:
        return replace(slow, reason=str(reason))
    return replace(
        slow,
        members=members,
        numeric=_each(one.numeric for one in members),
        categorical=_each(one.categorical for one in members),
    )


def _members(pipeline: Any, manifest: Manifest) -> tuple[OnArrays, ...]:
    average = kind(pipeline) == "heddle.models.average.Average"
    members = [one for _, one in pipeline.members_] if average else [pipeline]
    made = tuple(on_arrays(one) for one in members)
    if days := [name for name, one in manifest.columns.items() if one.type == "date"]:
        raise NotCompiled(f"a row brings a date, {days[0]!r}")
    return made


def checked(compiled: Compiled, manifest: Manifest, golden: pl.DataFrame) -> Compiled:
    """Return the compiled model if it cannot be told from its pipeline, else the pipeline.

    They are compared on the golden rows and on 1,000 made from what the manifest says of the
    training rows, as requests and as a frame.
    """
    if not compiled.members:
        return compiled
    made = made_rows(manifest, _MADE)
    rows = pl.concat([golden.select(made.columns), made])
    try:
        expected = np.asarray(compiled.pipeline.predict(rows), dtype=np.float64)
        ways = {
            "as a request": compiled.predict(rows.to_dict(as_series=False)),
            "as a frame": compiled.predict_frame(rows),
        }
    except (HeddleError, ValueError) as fault:
        return _refused(compiled, f"the check failed: {fault}")
    for way, said in ways.items():
        if words := _difference(expected, said):
            return _refused(compiled, f"{way}, {words}")
    return compiled


def _difference(expected: Floats, said: Floats) -> str:
    """Return where they are furthest apart, "" when nowhere too far."""
    if said.shape != expected.shape:
        return f"{len(said)} predictions come of {len(expected)} rows"
    same = (said == expected) | (np.isnan(said) & np.isnan(expected))
    with np.errstate(all="ignore"):
        apart = np.abs(said - expected) / np.maximum(np.abs(said), np.abs(expected))
    apart = np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))
    worst = int(apart.argmax())
    if apart[worst] <= _CLOSE:
        return ""
    return (
        f"row {worst + 1} of {len(apart):,} is {said[worst]:.10g} compiled"
        f" and {expected[worst]:.10g} from the pipeline"
    )


def _refused(compiled: Compiled, reason: str) -> Compiled:
    return replace(compiled, members=(), numeric=(), categorical=(), reason=reason)


def _each(names: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for several in names for name in several))
