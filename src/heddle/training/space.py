"""What can be said of a search space without searching it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from heddle.models.candidates import Dimension

__all__ = ["edges", "points", "size", "start"]

_NEAR = 0.01  # share of a range that counts as lying on its bound


def start(
    space: Mapping[str, Dimension], declared: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """Return the point a search begins at: declared values, else the middle, else the first choice.

    The middle of a logarithmic dimension is its geometric mean.

    >>> start({"rate": Dimension(type="float", low=0.01, high=1.0, log=True)})
    {'rate': 0.1}
    """
    middle = {k: _middle(d) for k, d in space.items() if k not in declared}
    return {k: declared[k] if k in declared else middle[k] for k in space}


def size(space: Mapping[str, Dimension]) -> int | None:
    """Return how many points a space has; None when one of its dimensions is continuous.

    >>> size({"depth": Dimension(type="int", low=2, high=4)})
    3
    """
    counts = [_count(dimension) for dimension in space.values()]
    known = [c for c in counts if c is not None]
    return math.prod(known) if len(known) == len(counts) else None


def points(space: Mapping[str, Dimension], first: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Give every point of a finite space once in a fixed order, `first` before the others."""
    yield dict(first)
    for values in itertools.product(*(_values(d) for d in space.values())):
        point = dict(zip(space, values, strict=True))
        if point != first:
            yield point


def edges(space: Mapping[str, Dimension], params: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the parameters that lie on a bound of the space: the optimum may lie beyond it.

    A number counts as on the bound within 1 % of its range, measured on its own scale (linear or
    logarithmic). Categories have no bound, nor has a dimension of one point.

    >>> rate = Dimension(type="float", low=0.01, high=0.2, log=True)
    >>> edges({"rate": rate}, {"rate": 0.1999})
    ('rate lies at its upper bound 0.2 (0.1999): widen the space',)
    """
    found = []
    for name, dimension in space.items():
        side = _side(dimension, params[name]) if name in params else None
        if side:
            bound = dimension.low if side == "lower" else dimension.high
            found.append(
                f"{name} lies at its {side} bound {bound:g} ({params[name]:.4g}): widen the space"
            )
    return tuple(found)


def _ends(dimension: Dimension) -> tuple[float, float]:
    if dimension.low is None or dimension.high is None:
        raise ValueError(f"a dimension of type {dimension.type} needs low and high")
    return dimension.low, dimension.high


def _middle(dimension: Dimension) -> Any:
    if dimension.type == "categorical":
        return dimension.choices[0]
    low, high = _ends(dimension)
    middle = math.sqrt(low * high) if dimension.log else (low + high) / 2
    step = dimension.step or (1 if dimension.type == "int" else None)
    if step:
        middle = low + round((middle - low) / step) * step
        middle -= step if middle > high else 0
    return round(middle) if dimension.type == "int" else float(middle)


def _count(dimension: Dimension) -> int | None:
    if dimension.type == "categorical":
        return len(dimension.choices)
    low, high = _ends(dimension)
    if low == high:
        return 1
    step = dimension.step or (1 if dimension.type == "int" else None)
    return None if step is None else math.floor((high - low) / step + 1e-9) + 1


def _values(dimension: Dimension) -> list[Any]:
    if dimension.type == "categorical":
        return list(dimension.choices)
    low, _ = _ends(dimension)
    step = dimension.step or 1
    kind = int if dimension.type == "int" else float
    return [kind(low + i * step) for i in range(_count(dimension) or 1)]


def _side(dimension: Dimension, value: Any) -> str | None:
    if dimension.type == "categorical":
        return None
    low, high = _ends(dimension)
    at = float(value)
    if dimension.log:
        low, high, at = math.log(low), math.log(high), math.log(at)
    if high <= low:
        return None
    share = (at - low) / (high - low)
    if share <= _NEAR:
        return "lower"
    return "upper" if share >= 1 - _NEAR else None
