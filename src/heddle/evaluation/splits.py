"""Which rows train, which rows test, and in which fold each train row is held out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

import numpy as np
import polars as pl

from heddle.domain.errors import ConfigError, DataContractError
from heddle.evaluation import partition
from heddle.evaluation.split_plan import Cells, Split, Strata, Timeline

__all__ = ["Cells", "Split", "Strata", "Timeline", "assign", "check_columns", "pairs"]

Pairs = list[tuple[partition.Ints, partition.Ints]]


def assign(frame: pl.DataFrame, cfg: Split) -> pl.DataFrame:
    """Return (row key, part, fold, block) for each row, in the order of `frame`.

    part is `train`, `test` or, with purge and embargo, `gap` (neither). fold and block are Int8,
    0 … folds-1, null outside train. The random strategy follows the order of rows: it is
    `train_test_split(test_size=test_share, random_state=seed)` of scikit-learn over the table, and
    its folds a shuffled `KFold` over the train rows. All others depend on the rows alone, not on
    their order.

    The strategies with time add period (Int32, 0 for the earliest), train_from and train_to: a row
    held out in a fold is predicted from train rows with train_from <= period <= train_to, all
    before it. Train rows that are never held out have no fold. With walk_groups time tells only
    which rows test: a train row's period is the place of its group in ascending order, so that
    blocks of as many groups are predicted from the groups before them, all years mixed.

    Raises:
        ConfigError: a column that the table does not have.
        DataContractError: the row key repeats itself or has gaps, a value is missing where the
            strategy needs it, an empty stratum, fewer rows, groups or periods than folds need.
    """
    _check(frame, cfg)
    ordered = frame.select(cfg.columns).with_row_index("_at")
    if cfg.strategy != "random":
        ordered = ordered.sort(cfg.key)
    if cfg.time and cfg.strategy in ("time", "walk_forward", "walk_groups"):
        out = _forward(ordered, cfg.time, cfg)
    else:
        out = _dealt(ordered, cfg)
    made = out.with_columns(block=_blocks(ordered, out["part"], cfg))
    names = [*cfg.key, "part", "fold", "block"]
    names += [c for c in ("period", "train_from", "train_to") if c in made.columns]
    return made.sort("_at").select(names)


def check_columns(known: Iterable[str], cfg: Split) -> None:
    """Refuse a split by columns that the table does not have.

    Raises:
        ConfigError: naming the first such column and those that exist.
    """
    there = tuple(known)
    for name in cfg.columns:
        if name not in there:
            raise ConfigError(f"no column {name!r}", where="split", wanted=name, known=there)


def pairs(split: pl.DataFrame, by: Literal["fold", "block"] = "fold") -> Pairs:
    """Return (train, valid) row positions within `split`, one pair per fold.

    Pass the rows of part train (others are never among the positions).

    Raises:
        DataContractError: no fold, or one without rows on either side.
    """
    training = (split["part"] == "train").to_numpy()
    held = split[by].to_numpy() if split[by].null_count() == 0 else _filled(split[by])
    numbers = sorted({int(n) for n in held[training] if n >= 0})
    if not numbers:
        raise DataContractError(f"the split has no column of {by}s", todo="Configure it in split.")
    made = []
    for number in numbers:
        valid = training & (held == number)
        if by == "fold" and "period" in split.columns:
            first, last = (int(split[c].to_numpy()[valid][0]) for c in ("train_from", "train_to"))
            period = split["period"].to_numpy()
            train = training & (period >= first) & (period <= last)
        else:
            train = training & ~valid
        if not train.any():
            raise DataContractError(f"{by} {number} has nothing to train on")
        made.append((np.flatnonzero(train), np.flatnonzero(valid)))
    return made


def _dealt(rows: pl.DataFrame, cfg: Split) -> pl.DataFrame:
    if cfg.strategy == "random":
        test = partition.draw_rows(rows.height, cfg.test_share, seed=cfg.seed)
        fold = partition.deal_rows(int((~test).sum()), cfg.folds, seed=cfg.seed)
    elif cfg.strategy == "stratified" and cfg.strata:
        strata = _strata(rows, cfg.strata)
        test = partition.draw_strata(strata, cfg.test_share, seed=cfg.seed)
        fold = partition.deal_strata(strata[~test], cfg.folds, seed=cfg.seed)
    else:
        groups = _groups(rows, cfg.groups or Cells(columns=cfg.key))
        _enough(len(np.unique(groups)), cfg.folds + 1, "groups")
        test = partition.draw_groups(groups, cfg.test_share, keep=cfg.folds, seed=cfg.seed)
        fold = partition.deal_groups(groups[~test], cfg.folds, seed=cfg.seed)
    _enough(int((~test).sum()), cfg.folds, "train rows")
    return rows.with_columns(
        part=pl.Series(np.where(test, "test", "train")), fold=_column(fold, ~test)
    )


def _forward(rows: pl.DataFrame, line: Timeline, cfg: Split) -> pl.DataFrame:
    _known(rows, [line.column])
    values = rows[line.column].unique().sort()
    gap = line.purge + line.embargo
    cut = _first_test(values, line, cfg)
    period = rows[line.column].rank("dense").cast(pl.Int32).to_numpy() - 1
    part = np.where(period >= cut, "test", np.where(period < cut - gap, "train", "gap"))
    if cfg.strategy == "walk_groups" and cfg.groups:
        training = part == "train"
        groups = _groups(rows.filter(training), cfg.groups)
        found = len(np.unique(groups))
        _enough(found, cfg.folds + 1, "groups")
        plan = partition.forward_folds(found, cfg.folds, size=None, gap=0, window=None)
        period = np.full(rows.height, -1)
        period[training] = groups
    else:
        plan = _folds_in_time(cut - gap, line, cfg)
    fold = np.full(rows.height, -1)
    bounds = np.full((rows.height, 2), -1)
    for number, (train, valid) in enumerate(plan):
        held = (period >= valid.start) & (period < valid.stop)
        fold[held], bounds[held] = number, (train.start, train.stop - 1)
    validated = fold >= 0
    return rows.with_columns(
        part=pl.Series(part),
        fold=_column(fold[validated], validated),
        period=_column(period, np.ones(rows.height, dtype=bool), pl.Int32),
        train_from=_column(bounds[validated, 0], validated, pl.Int32),
        train_to=_column(bounds[validated, 1], validated, pl.Int32),
    )


def _folds_in_time(periods: int, line: Timeline, cfg: Split) -> list[tuple[range, range]]:
    walks = cfg.strategy == "walk_forward"
    try:
        return partition.forward_folds(
            periods,
            cfg.folds,
            size=line.valid_periods if walks else None,
            gap=line.purge + line.embargo,
            window=line.train_periods if walks else None,
        )
    except ValueError as fault:
        raise DataContractError(
            f"{fault} ({line.column}s)",
            where="split.time",
            todo="Bring more history, or lower split.folds or split.time.valid_periods.",
        ) from None


def _first_test(values: pl.Series, line: Timeline, cfg: Split) -> int:
    if line.test_from is None:
        return len(values) - int(np.ceil(cfg.test_share * len(values)))
    named = line.test_from
    try:
        if isinstance(named, str) and values.dtype.is_temporal():
            named = datetime.fromisoformat(named)
        cut = int((values < pl.Series([named]).cast(values.dtype)[0]).sum())
    except (pl.exceptions.PolarsError, TypeError, ValueError):
        raise ConfigError(
            f"{line.test_from!r} is not a value of column {line.column!r} ({values.dtype})",
            where="split.time.test_from",
        ) from None
    if not 0 < cut < len(values):
        raise DataContractError(
            f"test_from {line.test_from} leaves {cut} periods before and {len(values) - cut} after",
            where="split.time",
            todo=f"Column {line.column!r} runs from {values[0]} to {values[-1]}.",
        )
    return cut


def _blocks(rows: pl.DataFrame, part: pl.Series, cfg: Split) -> pl.Series:
    training = (part == "train").to_numpy()
    if cfg.blocks is None:
        return pl.Series([None] * rows.height, dtype=pl.Int8)
    by_key = rows.with_columns(_train=training).sort(cfg.key)
    kept = by_key["_train"].to_numpy()
    groups = _groups(by_key, cfg.blocks)[kept]
    _enough(len(np.unique(groups)), cfg.folds, "blocks")
    dealt = _column(partition.deal_groups(groups, cfg.folds, seed=cfg.seed), kept)
    return by_key.with_columns(block=dealt).sort("_at")["block"][rows["_at"].to_numpy()]


def _strata(rows: pl.DataFrame, cfg: Strata) -> partition.Ints:
    _known(rows, [cfg.column])
    values = rows[cfg.column].to_numpy().astype(np.float64)
    strata = np.searchsorted(np.asarray(cfg.edges), values, side="left") - 1
    outside = int(((strata < 0) | (strata >= len(cfg.edges) - 1)).sum())
    if outside:
        raise DataContractError(
            f"{outside} rows of {cfg.column!r} lie outside {list(cfg.edges)}", where="split.strata"
        )
    empty = sorted(set(range(len(cfg.edges) - 1)) - set(strata.tolist()))
    if empty:
        low, high = cfg.edges[empty[0]], cfg.edges[empty[0] + 1]
        raise DataContractError(
            f"no row of {cfg.column!r} lies in ({low:g}, {high:g}]", where="split.strata"
        )
    return strata.astype(np.int64)


def _groups(rows: pl.DataFrame, cfg: Cells) -> partition.Ints:
    _known(rows, cfg.columns)
    size = cfg.size
    cells = rows.select(
        pl.col(c) if size is None else (pl.col(c) / size).floor() for c in cfg.columns
    )
    names = cells.unique().sort(cells.columns).with_row_index("_group")
    joined = cells.join(names, on=cells.columns, how="left", maintain_order="left")
    return joined["_group"].to_numpy().astype(np.int64)


def _known(rows: pl.DataFrame, columns: Iterable[str]) -> None:
    for name in columns:
        series = rows[name]
        gone = series.null_count()
        if series.dtype.is_float():
            gone += int(series.is_nan().fill_null(value=False).sum())
        if gone:
            raise DataContractError(f"{gone} rows have no {name!r}", where="split")


def _check(frame: pl.DataFrame, cfg: Split) -> None:
    check_columns(frame.columns, cfg)
    _enough(frame.height, cfg.folds + 1, "rows")
    _known(frame, cfg.key)
    if frame.select(cfg.key).n_unique() != frame.height:
        named = ", ".join(cfg.key)
        raise DataContractError(f"row key {named!r} repeats itself", where="split")


def _enough(found: int, needed: int, what: str) -> None:
    if found < needed:
        raise DataContractError(
            f"{found} {what} are too few: the folds need {needed}",
            where="split",
            todo="Lower split.folds or bring more rows.",
        )


def _column(values: Any, where: Any, kind: Any = pl.Int8) -> pl.Series:
    full = np.full(len(where), -1)
    full[where] = values
    return pl.Series(full).replace(-1, None).cast(kind)


def _filled(series: pl.Series) -> partition.Ints:
    return series.fill_null(-1).to_numpy().astype(np.int64)
