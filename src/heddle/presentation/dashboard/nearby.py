"""Training rows like a row that is predicted: which they are, and what they came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from heddle.validation.contract import Column

__all__ = ["Nearby", "coordinates", "nearby"]

_MOST = 200  # rows that are called similar, and at most a tenth of all
_LEAST = 20
_ON_A_MAP = {  # words in names, and between which numbers such columns lie
    "latitude": (frozenset({"lat", "latitude"}), 90.0),
    "longitude": (frozenset({"lon", "lng", "long", "longitude"}), 180.0),
}


@dataclass(frozen=True, slots=True)
class Nearby:
    """What similar training rows came to."""

    targets: NDArray[np.float64]  # in ascending order
    below: float  # share of them below the prediction

    @property
    def middle_half(self) -> tuple[float, float]:
        """Between which values half of them lie."""
        low, high = np.quantile(self.targets, (0.25, 0.75))
        return float(low), float(high)


def nearby(
    reference: pl.DataFrame,
    row: Mapping[str, Any],
    columns: Mapping[str, Column],
    *,
    target: str,
    prediction: float,
) -> Nearby | None:
    """Return what the training rows most like a row came to, None where there are too few.

    Numbers are compared on their scale in the training rows, and words by being the same: a
    person's rule of thumb, which no model uses.
    """
    rows = reference.filter(pl.col(target).is_not_null())
    if rows.height < _LEAST:
        return None
    distance = np.zeros(rows.height)
    for name, column in columns.items():
        if name in rows.columns:
            distance += _apart(rows[name], row.get(name), column)
    most = min(_MOST, max(_LEAST, rows.height // 10))
    nearest = np.argsort(distance, kind="stable")[:most]
    targets = np.sort(rows[target].cast(pl.Float64).to_numpy()[nearest])
    return Nearby(targets, float(np.mean(targets < prediction)))


def coordinates(seen: Mapping[str, Mapping[str, Any]]) -> tuple[str, str] | None:
    """Return the columns of longitude and latitude, told by name and range, None without a pair.

    >>> coordinates({"Lat": {"min": 32.5, "max": 41.9}, "lng": {"min": -124, "max": -114}})
    ('lng', 'Lat')
    >>> coordinates({"lat": {"min": 0, "max": 900}, "lng": {"min": 0, "max": 9}})
    """
    found: dict[str, list[str]] = {"longitude": [], "latitude": []}
    for name, told in seen.items():
        for kind, (words, most) in _ON_A_MAP.items():
            parts = name.lower().replace("-", "_").split("_")
            fits = "min" in told and -most <= told["min"] < told["max"] <= most
            if words & set(parts) and fits:
                found[kind].append(name)
    if len(found["longitude"]) == len(found["latitude"]) == 1:
        return found["longitude"][0], found["latitude"][0]
    return None


def _apart(values: pl.Series, value: Any, column: Column) -> NDArray[np.float64]:
    """Return how far each training row is from a value, in this column alone."""
    if column.type in {"string", "bool"}:
        other = (values != value).fill_null(value is not None)
        return np.asarray(other.to_numpy(), dtype=np.float64)
    numbers = values.to_physical().cast(pl.Float64)
    spread = numbers.std() or 0.0
    if value is None or not isinstance(spread, float) or spread == 0:
        return np.where(numbers.is_null().to_numpy(), 0.0, float(value is None))
    here = float(pl.Series([value], dtype=values.dtype).to_physical()[0])
    far = ((numbers - here) / spread) ** 2
    return np.asarray(far.fill_null(1.0).to_numpy(), dtype=np.float64)
