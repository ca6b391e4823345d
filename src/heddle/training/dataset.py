"""The rows that may be learned from, and the folds they are judged on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from heddle.domain.errors import ConfigError, DataContractError, IntegrityError
from heddle.domain.names import key_columns
from heddle.domain.ports import TableStore
from heddle.evaluation.reach import check_reach
from heddle.evaluation.splits import pairs
from heddle.features.columns import as_pandas
from heddle.models.features import Features
from heddle.training.computed import read_rows

__all__ = ["Dataset", "Part", "dataset", "read_dataset"]

Key = str | tuple[str, ...]
Pair = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Rows with their target, ordered by row key."""

    rows: pd.DataFrame  # raw columns, without the target and a key of one column
    target: npt.NDArray[np.float64]  # shape (n_rows,), finite
    keys: pl.DataFrame  # the columns that name a row, shape (n_rows, n_key_columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """What a search may see. Rows are ordered by row key, whatever the order of the table."""

    train: pd.DataFrame  # raw columns, without the target and a key of one column
    target: npt.NDArray[np.float64]  # shape (n_rows,), finite, in its own unit
    keys: pl.DataFrame  # the columns that name a row, shape (n_rows, n_key_columns)
    folds: tuple[Pair, ...]  # (train, valid) positions, by fold number
    blocks: tuple[Pair, ...]  # the same for spatial or grouped folds; () when there are none
    test: Part | None = None  # only where it was opened
    known: Part | None = None  # every row whose target is known, likewise
    features: Features | None = None  # those that were asked for, every column of them named


def read_dataset(
    tables: TableStore,
    reads: Mapping[str, str],
    *,
    target: str,
    row_key: Key,
    columns: Sequence[str] = (),
    features: Features | None = None,
    horizon: int = 0,
    open_test: bool = False,
    open_known: bool = False,
) -> Dataset:
    """Read the first two data versions among `reads` (rows, then split) as a `Dataset`.

    Give the `features` or, where there are none, the `columns` that are used. Features with a
    history are computed here, on the whole of the data version that it names, which is read, too.
    `__AUTO__` is spelt out in the data set's `features`: for a table it means every number column
    of the rows but target and key.

    Raises:
        ConfigError: fewer than two data versions are read, or as `read_rows`.
        DataContractError, IntegrityError: as `dataset` and `read_rows`.
    """
    versions = [name for name in reads.values() if "/" not in name]
    if len(versions) < 2:
        raise ConfigError(
            f"reads {len(versions)} data versions; it needs the rows and the split, in this order"
        )
    if features is None:
        rows = tables.read(versions[0])
    else:
        rows, features = read_rows(tables, reads, features, own=(target, *key_columns(row_key)))
    made = dataset(
        rows,
        tables.read(versions[1]),
        target=target,
        row_key=row_key,
        columns=features.raw if features else columns,
        horizon=horizon,
        open_test=open_test,
        open_known=open_known,
    )
    return replace(made, features=features)


def dataset(
    rows: pl.DataFrame,
    split: pl.DataFrame,
    *,
    target: str,
    row_key: Key,
    columns: Sequence[str] = (),
    horizon: int = 0,
    open_test: bool = False,
    open_known: bool = False,
) -> Dataset:
    """Join rows and split by their key.

    Args:
        rows: a data version with the target and the key.
        split: as `heddle.evaluation.splits.assign` made it.
        target: name of a number column.
        row_key: name or names of the key in both.
        columns: raw columns that models will use; they must exist and differ between rows.
        horizon: periods from a row to the moment at which its target is known; no row that trains
            may reach into what is held out.
        open_test: also take the test rows. Only who registers a model does.
        open_known: also take all rows whose target is known, whatever part they are of: training,
            test, or neither. Only who fits a judged model once more does.

    Raises:
        ConfigError: a column that does not exist.
        IntegrityError: rows and split do not hold the same keys, each once.
        DataContractError: a target that is missing, infinite, text or the same everywhere, a
            column of one value, no row to train on, a target that reaches into what is held out.
    """
    key = key_columns(row_key)
    _columns(rows, [*key, target, *columns])
    _columns(split, [*key, "part", "fold"])
    _same_keys(rows, split, key)
    ordered = split.sort(key)
    training = ordered.filter(pl.col("part") == "train")
    part = _part(rows, training, target, key)
    _teaches(part, columns, target)
    folds = tuple(pairs(training, "fold"))
    check_reach(ordered, folds, horizon)
    has_blocks = "block" in training.columns and training["block"].null_count() < training.height
    return Dataset(
        train=part.rows,
        target=part.target,
        keys=part.keys,
        folds=folds,
        blocks=tuple(pairs(training, "block")) if has_blocks else (),
        test=_part(rows, ordered.filter(pl.col("part") == "test"), target, key)
        if open_test
        else None,
        known=_known(rows, ordered, target, key) if open_known else None,
    )


def _columns(frame: pl.DataFrame, wanted: Sequence[str]) -> None:
    for name in wanted:
        if name not in frame.columns:
            raise ConfigError(f"no column {name!r}", wanted=name, known=frame.columns)


def _same_keys(rows: pl.DataFrame, split: pl.DataFrame, key: Sequence[str]) -> None:
    named = ", ".join(key)
    for name, frame in (("rows", rows), ("split", split)):
        if repeated := frame.height - frame.select(key).n_unique():
            raise IntegrityError(f"{repeated} keys of the {name} are repeated", where=named)
    for what, one, other in (
        ("the split has {} keys that the rows do not have", split, rows),
        ("the rows have {} keys that the split does not have", rows, split),
    ):
        if lost := one.join(other, on=key, how="anti").height:
            todo = "Run the split stage again on these rows."
            raise IntegrityError(what.format(lost), where=named, todo=todo)


def _part(rows: pl.DataFrame, chosen: pl.DataFrame, target: str, key: Sequence[str]) -> Part:
    joined = chosen.select(key).join(rows, on=key, how="left", maintain_order="left")
    surrogate = key if len(key) == 1 else ()  # several columns say something of the row themselves
    if not joined[target].dtype.is_numeric():
        raise DataContractError(
            f"the target must be numbers, not {joined[target].dtype}", where=target
        )
    values = joined[target].cast(pl.Float64).to_numpy()
    if bad := int((~np.isfinite(values)).sum()):
        raise DataContractError(
            f"the target is missing or infinite in {bad} of {len(values)} rows",
            where=target,
            todo="Drop these rows in a stage before the split.",
        )
    return Part(
        rows=as_pandas(joined.drop(target, *surrogate)),
        target=np.array(values, dtype=np.float64),
        keys=joined.select(key),
    )


def _known(rows: pl.DataFrame, ordered: pl.DataFrame, target: str, key: Sequence[str]) -> Part:
    told = pl.col(target).is_not_null()
    if rows[target].dtype.is_float():
        told &= pl.col(target).is_finite()
    chosen = ordered.join(rows.filter(told), on=key, how="semi").sort(key)
    return _part(rows, chosen, target, key)


def _teaches(part: Part, columns: Sequence[str], target: str) -> None:
    if part.target.size == 0:
        raise DataContractError("the split has no row to train on")
    if part.target.size > 1 and part.target.min() == part.target.max():
        raise DataContractError(
            f"the target is {part.target[0]:g} in every training row", where=target
        )
    for name in columns:
        if part.rows[name].nunique(dropna=False) < 2:
            raise DataContractError(
                f"has the same value in all {len(part.rows)} training rows",
                where=name,
                todo="Leave it out of the features: nothing can be learned from it.",
            )
