"""From raw rows to a price in one fitted pipeline: impute, combine, encode, select, estimate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from heddle.domain.errors import ConfigError
from heddle.domain.typed import plain
from heddle.features.categories import category_encoder, target_encoder
from heddle.features.clusters import GeoClusters
from heddle.features.columns import SelectColumns
from heddle.features.imputation import METHODS, Impute
from heddle.features.selection import SelectFeatures
from heddle.models.average import Average
from heddle.models.candidates import TARGETS, Candidate
from heddle.models.catalogue import Traits, learns, make, traits
from heddle.models.features import Combination, Features
from heddle.models.ratios import Ratios
from heddle.models.target import TargetRegressor

__all__ = [
    "Choices",
    "Clusters",
    "Combination",
    "Features",
    "assemble",
    "average",
    "estimator",
    "offset_place",
    "preprocess",
    "seen_by",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """What is made of the coordinates (`heddle.features.clusters`)."""

    kind: Literal["none", "labels", "rbf"] = "none"
    k: int = 10
    gamma: float = 1.0

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"k >= 1 must hold, but got {self.k}")
        if not self.gamma > 0:
            raise ValueError(f"gamma > 0 must hold, but got {self.gamma}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the studies found to be best for this data."""

    imputation: str = "median"
    clusters: Clusters = field(default_factory=Clusters)

    def __post_init__(self) -> None:
        if self.imputation not in METHODS:
            raise ValueError(f"imputation is one of {', '.join(METHODS)}, not {self.imputation!r}")


def preprocess(features: Features, choices: Choices, needs: Traits, *, seed: int) -> Pipeline:
    """Return the first half of a pipeline: raw rows in, float64 matrix out.

    It depends on the candidate only through `needs`, so that a search may fit it once per fold
    and share the matrices. Where an estimator needs complete rows, what imputation `none` and a
    division by zero leave open is filled with the median. A selection is the last step, so that
    it is learnt from imputed, scaled rows, from the target, and from training rows alone.
    """
    numbers = [*features.numeric, *(r.new for r in features.ratios)]
    parts: list[tuple[str, Any, list[str]]] = [("numeric", _numbers(needs), numbers)]
    if features.coordinates and choices.clusters.kind != "none":
        c = choices.clusters
        place = GeoClusters(kind=c.kind, k=c.k, gamma=c.gamma, seed=seed)
        parts.append(("place", place, list(features.coordinates)))
    if features.categorical:
        parts.append(("categories", _categories(features, needs, seed), list(features.categorical)))
    ratios = tuple((r.new, r.left, r.how, r.right) for r in features.ratios)
    steps: list[tuple[str, Any]] = [
        ("columns", SelectColumns(features.numeric, features.categorical)),
        ("impute", Impute(features.numeric, how=choices.imputation, seed=seed)),
        ("ratios", Ratios(ratios)),
        ("matrix", ColumnTransformer(parts, verbose_feature_names_out=False)),
    ]
    if features.selection is not None and features.selects:
        steps.append(("select", SelectFeatures(**plain(features.selection), seed=seed)))
    return Pipeline(steps)


def estimator(
    candidate: Candidate,
    params: Mapping[str, Any],
    *,
    seed: int,
    threads: int = 1,
    bounded: bool = False,
    offset: int | None = None,
) -> TargetRegressor:
    """Return the second half: matrix in, target out. `params` go over `candidate.fixed`.

    `offset` is what `offset_place` says of the candidate and the features behind the matrix.

    Raises:
        ConfigError: as `heddle.models.catalogue.make`.
    """
    chosen = {**candidate.fixed, **params}
    target = chosen.pop("target", candidate.target)
    if target not in TARGETS:
        raise ConfigError(
            f"no target transform {target!r}",
            where=candidate.name,
            wanted=str(target),
            known=TARGETS,
        )
    inner = make(candidate.estimator, chosen, seed=seed, threads=threads)
    return TargetRegressor(inner, target, bounded=bounded, threads=threads, offset=offset)


def seen_by(candidate: Candidate, features: Features) -> Features:
    """Return the features as a candidate sees them: its columns, a selection where it matters.

    Raises:
        ConfigError: a column that is no feature.
    """
    seen = features.only(candidate.columns, where=candidate.name)
    return seen if learns(candidate.estimator) else replace(seen, selection=None)


def offset_place(features: Features, candidate: Candidate) -> int | None:
    """Return where the matrix of `preprocess` holds the candidate's offset, None without one.

    Raises:
        ConfigError: no number column that the candidate sees, or a selection might drop it.
    """
    if candidate.offset is None:
        return None
    if features.selects:
        raise ConfigError(
            f"the offset {candidate.offset!r} and a selection do not go together",
            where=candidate.name,
            todo="Set features.selection to none, or leave the offset out.",
        )
    seen = features.only(candidate.columns, where=candidate.name).numeric
    if candidate.offset not in seen:
        raise ConfigError(
            f"the offset {candidate.offset!r} is no number column that it sees",
            where=candidate.name,
            wanted=candidate.offset,
            known=seen,
        )
    return seen.index(candidate.offset)


def assemble(
    features: Features,
    choices: Choices,
    candidate: Candidate,
    params: Mapping[str, Any],
    *,
    seed: int,
    threads: int = 1,
) -> Pipeline:
    """Return an unfitted pipeline that takes raw rows and predicts the target in its own unit.

    `fit` and `predict` take a pandas or polars frame: extra columns are ignored, the order of
    columns is irrelevant, numbers and categories may be missing, categories may be new.

    Raises:
        ConfigError: as `heddle.models.catalogue.make`, or a column that is no feature.
    """
    seen = seen_by(candidate, features)
    first = preprocess(seen, choices, traits(candidate.estimator), seed=seed)
    last = estimator(
        candidate,
        params,
        seed=seed,
        threads=threads,
        bounded=features.bounded,
        offset=offset_place(features, candidate),
    )
    return Pipeline([*first.steps, ("model", last)])


def average(members: Sequence[tuple[str, Any]]) -> Any:
    """Return one regressor that predicts the equal-weight mean of `members`, (name, pipeline) each.

    A single member is returned as it is. Raises ConfigError: no member, or one name twice.
    """
    names = [name for name, _ in members]
    if not members or len(set(names)) != len(names):
        raise ConfigError(f"an average needs members with names of their own, not {names}")
    return members[0][1] if len(members) == 1 else Average(list(members))


def _categories(features: Features, needs: Traits, seed: int) -> Any:
    if features.encoding == "one_hot":
        return category_encoder(features.min_frequency)
    means = target_encoder(seed)
    return make_pipeline(means, StandardScaler()) if needs.scaled else means


def _numbers(needs: Traits) -> Any:
    steps: list[tuple[str, Any]] = []
    if needs.complete:
        steps.append(("fill", SimpleImputer(strategy="median", keep_empty_features=True)))
    if needs.scaled:
        steps.append(("scale", StandardScaler()))
    return Pipeline(steps) if steps else "passthrough"
