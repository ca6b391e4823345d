"""Rows joined with features that are computed from a whole history, in memory, for this once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from heddle.domain.errors import ConfigError, DataContractError, IntegrityError
from heddle.domain.ports import TableStore
from heddle.features.price_history import PriceHistory, price_features
from heddle.models.features import Features

__all__ = ["read_rows", "with_features"]

_PLACE = "rows of the history before this one"


def read_rows(
    tables: TableStore, reads: Mapping[str, str], features: Features, *, own: Sequence[str]
) -> tuple[pl.DataFrame, Features]:
    """Return the rows with all that is made of a history, and the features, every column named.

    The rows are those of the first data version that is read.

    Args:
        tables: the data versions.
        reads: what the stage reads; the data version of the history has to be among it.
        features: as they are configured.
        own: target and key, which are no features.

    Raises:
        ConfigError: the history is not read, or as `Features.among`.
        DataContractError, IntegrityError: as `with_features`.
    """
    versions = [name for name in reads.values() if "/" not in name]
    rows = tables.read(versions[0])
    if features.history is not None:
        if (name := features.history.reads) not in versions:
            raise ConfigError(
                f"the history is {name!r}, which this stage does not read",
                where="features.history.reads",
                wanted=name,
                known=versions,
                todo="Name it among the stage's reads, after the rows and the split.",
            )
        rows = with_features(rows, tables.read(name), features)
    numbers = [c for c, kind in rows.schema.items() if kind.is_numeric() and c not in own]
    return rows, features.among(numbers, where="features")


def with_features(rows: pl.DataFrame, history: pl.DataFrame, features: Features) -> pl.DataFrame:
    """Return the rows, in their order, with the features of their moment.

    They are computed once, on the full history, so that the first row of a fold has its whole
    past behind it: nothing is computed within a slice. A feature of one moment knows nothing of
    those after it (`heddle.features.price_history`).

    Raises:
        ConfigError: the rows have no column of the moments, or one of the features already.
        DataContractError: as `price_features`, or rows whose features are not all known.
        IntegrityError: rows of moments that are not in the history.
    """
    spec = features.history
    if spec is None:
        return rows
    keys = [spec.time] if spec.by is None else [spec.by, spec.time]
    place = pl.int_range(pl.len()) if spec.by is None else pl.int_range(pl.len()).over(spec.by)
    made = price_features(history, spec).select(*keys, *features.numeric, place.alias(_PLACE))
    _check_columns(rows, made, features, keys)
    joined = rows.join(made, on=keys, how="left", maintain_order="left")
    if lost := joined[_PLACE].null_count():
        raise IntegrityError(
            f"{lost} of {rows.height} rows are not in the history {spec.reads!r}",
            where=", ".join(keys),
            todo="Run the stage that makes the rows again.",
        )
    _check_known(joined, features, spec)
    return joined.drop(_PLACE)


def _check_columns(
    rows: pl.DataFrame, made: pl.DataFrame, features: Features, keys: list[str]
) -> None:
    for name in keys:
        if name not in rows.columns:
            raise ConfigError(
                f"no column {name!r}", where="the rows", wanted=name, known=rows.columns
            )
        if rows.schema[name] != made.schema[name]:
            raise DataContractError(
                f"is {rows.schema[name]} in the rows and {made.schema[name]} in the history",
                where=name,
            )
    if taken := [name for name in features.numeric if name in rows.columns]:
        raise ConfigError(
            f"the rows have a column {taken[0]!r}, which the history gives, too",
            where="features.history",
            todo="Exclude it from the features, or leave it out of the rows.",
        )


def _check_known(joined: pl.DataFrame, features: Features, spec: PriceHistory) -> None:
    bad = joined.filter(pl.any_horizontal(pl.col(features.numeric).is_null()))
    if bad.is_empty():
        return
    early = bad.filter(pl.col(_PLACE) < spec.lookback)
    said = f"of {joined.height} rows have features that are not all known"
    if early.height:
        raise DataContractError(
            f"{early.height} {said}: a window looks back {spec.lookback} rows, and the first row "
            f"has {early[_PLACE].sort()[0]} before it",
            where=str(early[spec.time].sort()[0]),
            todo=f"Raise warm_up of the stage that makes the rows to {spec.lookback}.",
        )
    name = next(n for n in features.numeric if bad[n].null_count())
    raise DataContractError(
        f"{bad.height} {said}, though their windows are full: {name} is missing first",
        where=str(bad[spec.time].sort()[0]),
        todo="Mend the history, or exclude the feature.",
    )
