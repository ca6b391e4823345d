"""What a model sees of a row, as a configuration says it; loads no estimator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from heddle.domain.errors import ConfigError
from heddle.domain.typed import build
from heddle.features.price_history import PriceHistory
from heddle.transformations.combine_columns import CombineColumns

__all__ = ["AUTO", "Combination", "Features", "Selection", "read_features"]

AUTO = "__AUTO__"  # in place of a list: every number column that there is


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination(CombineColumns):
    """The configuration of a data stage's `combine_columns`, as it stands, its verb included."""

    uses: Literal["combine_columns"] = "combine_columns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which columns are kept (`heddle.features.selection.SelectFeatures` says what is what)."""

    how: Literal["none", "kbest", "rfecv", "from_model"] = "none"
    k: int | None = None  # columns, for kbest and from_model
    score: Literal["f_regression", "mutual_information"] = "f_regression"  # of kbest
    estimator: Literal["ridge", "lasso", "trees"] = "ridge"  # of from_model and rfecv
    alpha: float = 0.01  # strength of ridge (times the number of rows) or lasso
    threshold: float | Literal["mean", "median"] | None = None  # importance, for from_model
    min_features: int = 5  # fewest of rfecv and from_model
    step: int = 1  # columns that rfecv leaves out at a time
    folds: int = 3  # of rfecv, in order of time
    purge: int = 0  # rows left out before each of them; as many as the target looks ahead
    max_correlation: float | None = None  # of two that correlate more, the first stays

    def __post_init__(self) -> None:
        for key, least in (("min_features", 1), ("step", 1), ("folds", 2), ("purge", 0)):
            if getattr(self, key) < least:
                raise ValueError(f"{key} >= {least} must hold, but got {getattr(self, key)}")
        if self.k is not None and self.k < 1:
            raise ValueError(f"k >= 1 must hold, but got {self.k}")
        if self.how == "kbest" and self.k is None:
            raise ValueError("kbest needs k, the number of columns")
        if self.how == "from_model" and self.k is not None and self.threshold is not None:
            raise ValueError("from_model takes k or threshold, not both")
        if self.how == "rfecv" and self.estimator == "trees":
            raise ValueError("rfecv takes ridge or lasso; trees would take hours")
        if not self.alpha > 0:
            raise ValueError(f"alpha > 0 must hold, but got {self.alpha}")
        if self.max_correlation is not None and not 0 < self.max_correlation <= 1:
            raise ValueError(f"0 < max_correlation <= 1 must hold, but got {self.max_correlation}")

    @property
    def selects(self) -> bool:
        """Whether a column may be left out at all."""
        return self.how != "none" or self.max_correlation is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Which raw columns a model sees, and what is made of them."""

    numeric: tuple[str, ...]  # (AUTO,) until `among` says what there is
    exclude: tuple[str, ...] = ()  # columns that AUTO leaves out
    categorical: tuple[str, ...] = ()
    ratios: tuple[Combination, ...] = ()  # over numeric columns, or earlier ratios
    coordinates: tuple[str, ...] = ()  # two of the numeric columns; () for none
    history: PriceHistory | None = None  # numeric names what is computed from it at run time
    selection: Selection | None = None  # the columns that are kept, learnt anew with every fit
    encoding: Literal["one_hot", "target"] = "one_hot"  # target: for hundreds of categories
    min_frequency: int = 1  # one_hot: categories with fewer training rows share one column
    bounded: bool = False  # predictions stay inside the target's range in training

    def __post_init__(self) -> None:
        named = [*self.numeric, *self.categorical, *(r.new for r in self.ratios)]
        if not self.numeric and not self.categorical:
            raise ValueError("a model needs at least one column")
        if twice := sorted({n for n in named if named.count(n) > 1}):
            raise ValueError(f"named twice: {', '.join(twice)}")
        if len(self.coordinates) not in (0, 2):
            raise ValueError(f"coordinates are two columns or none, not {len(self.coordinates)}")
        if self.min_frequency < 1:
            raise ValueError(f"min_frequency >= 1 must hold, but got {self.min_frequency}")
        if self.encoding == "target" and self.min_frequency > 1:
            raise ValueError("min_frequency is for encoding one_hot; target shrinks by itself")
        if self.exclude and not self.auto:
            raise ValueError(
                f"exclude is for numeric: {AUTO}; a list leaves out what it does not name"
            )
        if self.history is not None and (self.categorical or self.coordinates):
            raise ValueError("a history gives numbers alone: no categorical, no coordinates")
        self._check_order()
        if not self.auto:
            self._check_numeric()

    def _check_order(self) -> None:
        panel = self.history is not None and self.history.by is not None
        if panel and self.selection is not None and self.selection.how == "rfecv":
            raise ValueError("rfecv takes its folds from rows in time; those of a panel are not")

    def _check_numeric(self) -> None:
        if stray := [c for c in self.coordinates if c not in self.numeric]:
            raise ValueError(f"coordinates must be among numeric: {', '.join(stray)}")
        known = set(self.numeric)
        for ratio in self.ratios:
            if stray := [c for c in (ratio.left, ratio.right) if c not in known]:
                raise ValueError(f"ratio {ratio.new} uses {stray[0]!r}, not a numeric column")
            known.add(ratio.new)

    @property
    def selects(self) -> bool:
        """Whether a fit keeps only some of the columns."""
        return self.selection is not None and self.selection.selects

    @property
    def auto(self) -> bool:
        """Whether it is not known yet which number columns there are."""
        return AUTO in self.numeric

    @property
    def raw(self) -> tuple[str, ...]:
        """Columns that raw rows must have; those that are computed from a history, if there is."""
        return (*self.numeric, *self.categorical)

    def among(self, numbers: Sequence[str], *, where: str | None = None) -> Features:
        """Return these features with `__AUTO__` spelt out: all of `numbers`, less `exclude`.

        Categorical columns that hold numbers and columns that a ratio is going to make are left
        out, too. Without `__AUTO__` they are returned as they are.

        Raises:
            ConfigError: an excluded column that does not exist, or nothing is left.
        """
        if not self.auto:
            return self
        for name in self.exclude:
            if name not in numbers:
                raise ConfigError(
                    f"no number column {name!r} to exclude",
                    where=f"{where}.exclude" if where else "exclude",
                    wanted=name,
                    known=numbers,
                )
        out = {*self.exclude, *self.categorical, *(r.new for r in self.ratios)}
        left = tuple(name for name in numbers if name not in out)
        try:
            return replace(self, numeric=left, exclude=())
        except ValueError as fault:
            raise ConfigError(str(fault), where=where) from None

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

    What a history gives is known from its configuration, so that `__AUTO__` is spelt out here;
    that of a table waits for its columns (`Features.among`).

    Raises:
        ConfigError: an unknown key, a ratio that another verb than `combine_columns` makes, or a
            feature that the history does not give.
    """
    ratios = []
    for ratio in values.get("ratios") or ():
        fields = dict(ratio)
        if (verb := fields.pop("uses", "combine_columns")) != "combine_columns":
            raise ConfigError(
                f"a ratio uses combine_columns, not {verb!r}", where=f"{where}.ratios"
            )
        ratios.append(fields)
    told = {**values, "ratios": ratios}
    if told.get("numeric") == AUTO:
        told["numeric"] = [AUTO]
    made = build(Features, told, where=where)
    return made if made.history is None else _of_history(made, made.history.names, where)


def _of_history(features: Features, names: Sequence[str], where: str) -> Features:
    """Spell out `__AUTO__`, or see that the history gives what is named."""
    for name in () if features.auto else features.numeric:
        if name not in names:
            raise ConfigError(
                f"the history gives no feature {name!r}",
                where=f"{where}.numeric",
                wanted=name,
                known=names,
            )
    return features.among(names, where=where)
