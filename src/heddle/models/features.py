"""What a model sees of a row, as a configuration says it; loads no estimator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from heddle.domain.errors import ConfigError
from heddle.domain.typed import build
from heddle.transformations.combine_columns import CombineColumns

__all__ = ["Combination", "Features", "read_features"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination(CombineColumns):
    """The configuration of a data stage's `combine_columns`, as it stands, its verb included."""

    uses: Literal["combine_columns"] = "combine_columns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Which raw columns a model sees, and what is made of them."""

    numeric: tuple[str, ...]
    categorical: tuple[str, ...] = ()
    ratios: tuple[Combination, ...] = ()  # over numeric columns, or earlier ratios
    coordinates: tuple[str, ...] = ()  # two of the numeric columns; () for none
    encoding: Literal["one_hot", "target"] = "one_hot"  # target: for hundreds of categories
    min_frequency: int = 1  # one_hot: categories with fewer training rows share one column
    bounded: bool = False  # predictions stay inside the target's range in training

    def __post_init__(self) -> None:
        named = [*self.numeric, *self.categorical, *(r.new for r in self.ratios)]
        if not self.numeric and not self.categorical:
            raise ValueError("a model needs at least one column")
        if twice := sorted({n for n in named if named.count(n) > 1}):
            raise ValueError(f"named twice: {', '.join(twice)}")
        if stray := [c for c in self.coordinates if c not in self.numeric]:
            raise ValueError(f"coordinates must be among numeric: {', '.join(stray)}")
        if len(self.coordinates) not in (0, 2):
            raise ValueError(f"coordinates are two columns or none, not {len(self.coordinates)}")
        if self.min_frequency < 1:
            raise ValueError(f"min_frequency >= 1 must hold, but got {self.min_frequency}")
        if self.encoding == "target" and self.min_frequency > 1:
            raise ValueError("min_frequency is for encoding one_hot; target shrinks by itself")
        known = set(self.numeric)
        for ratio in self.ratios:
            if stray := [c for c in (ratio.left, ratio.right) if c not in known]:
                raise ValueError(f"ratio {ratio.new} uses {stray[0]!r}, not a numeric column")
            known.add(ratio.new)

    @property
    def raw(self) -> tuple[str, ...]:
        """Columns that raw rows must have."""
        return (*self.numeric, *self.categorical)

    def only(self, columns: Sequence[str], *, where: str | None = None) -> Features:
        """Return these features as one sees them who is shown `columns` alone; none named: all.

        Raises:
            ConfigError: a column that is not among the raw ones.
        """
        if not columns:
            return self
        for name in columns:
            if name not in self.raw:
                raise ConfigError(f"no feature {name!r}", where=where, wanted=name, known=self.raw)
        return replace(
            self,
            numeric=tuple(c for c in self.numeric if c in columns),
            categorical=tuple(c for c in self.categorical if c in columns),
            ratios=(),
            coordinates=(),
        )


def read_features(values: Mapping[str, Any], *, where: str) -> Features:
    """Return the features of a configuration; a ratio may be that of a data stage, word for word.

    Raises:
        ConfigError: an unknown key, or a ratio that another verb than `combine_columns` makes.
    """
    ratios = []
    for ratio in values.get("ratios") or ():
        fields = dict(ratio)
        if (verb := fields.pop("uses", "combine_columns")) != "combine_columns":
            raise ConfigError(
                f"a ratio uses combine_columns, not {verb!r}", where=f"{where}.ratios"
            )
        ratios.append(fields)
    return build(Features, {**values, "ratios": ratios}, where=where)
