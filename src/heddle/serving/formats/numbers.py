"""Frames as what models made elsewhere take: numbers in the order of the manifest's columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heddle.domain.errors import IntegrityError
from heddle.registry.manifest import Manifest

__all__ = ["ForeignModel", "numeric_columns"]

Floats = NDArray[np.float64]
_NUMBERS = ("float", "int", "bool")


@dataclass(frozen=True, slots=True)
class ForeignModel:
    """A model that is shown an array: one row for each row, one column for each name."""

    columns: tuple[str, ...]
    ask: Callable[[Floats], Any]

    def predict(self, frame: Any) -> Floats:
        """Return predictions of shape (n_rows,) for a pandas or Polars frame; nulls are NaN.

        Raises:
            ValueError: the model says more, or less, than a number for each row.
        """
        if not len(frame):
            return np.empty(0)
        shown = np.empty((len(frame), len(self.columns)))
        for place, name in enumerate(self.columns):
            shown[:, place] = _cells(frame[name])
        said = np.asarray(self.ask(shown), dtype=np.float64)
        if said.size != len(shown):
            raise ValueError(f"says {said.size:,} numbers of {len(shown):,} rows, expected as many")
        return said.reshape(len(shown))


def numeric_columns(manifest: Manifest, names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the columns that such a model is shown, in its order.

    Args:
        manifest: its columns are what a row brings.
        names: what the model itself calls them; None if it does not say.

    Raises:
        IntegrityError: they are others, or not numbers.
    """
    columns = tuple(manifest.columns)
    words = [name for name in columns if manifest.columns[name].type not in _NUMBERS]
    if words:
        kind = manifest.columns[words[0]].type
        raise IntegrityError(f"takes numbers, and column {words[0]!r} is a {kind} column")
    if names is not None and tuple(names) != columns:
        raise IntegrityError(
            f"asks for {', '.join(names)}, the manifest's columns are {', '.join(columns)}"
        )
    return columns


def _cells(values: Any) -> Any:
    """Return a column of either kind of frame as floats, what is missing as NaN."""
    if hasattr(values, "to_list"):  # polars, and pandas
        return np.array([np.nan if v is None else v for v in values.to_list()], dtype=np.float64)
    return np.asarray(values, dtype=np.float64)
