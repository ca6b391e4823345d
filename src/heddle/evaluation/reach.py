"""Whether what a model learns from reaches into what it is judged by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from heddle.domain.errors import DataContractError

__all__ = ["check_reach"]

Pair = tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]


def check_reach(split: pl.DataFrame, folds: Sequence[Pair], horizon: int) -> None:
    """Refuse a split in which the target of a training row is made of what is held out.

    The target of period t with a horizon h is known at t + h. So between a period that trains and
    the first one that is held out after it there must be h others: `purge` takes them out.

    Args:
        split: rows of all parts.
        folds: (train, valid) positions within its rows of part train.
        horizon: h, in periods; 0: a target is known at once, and nothing is looked at.

    Raises:
        DataContractError: a split that is not in time, or one with a smaller gap.
    """
    if horizon < 1:
        return
    if "period" not in split.columns:
        raise DataContractError(
            f"targets that are known {horizon} periods later need a split in time",
            where="split.strategy",
            todo="Use walk_forward or time, with purge >= horizon.",
        )
    training, testing = (
        split.filter(pl.col("part") == part)["period"].to_numpy() for part in ("train", "test")
    )
    parts = [(f"fold {n}", training[one], training[other]) for n, (one, other) in enumerate(folds)]
    for name, trains, held in (*parts, ("the test part", training, testing)):
        between = int(held.min()) - int(trains.max()) - 1 if held.size else horizon
        if between < horizon:
            raise DataContractError(
                f"{name} begins {max(between, 0)} periods after the rows that it is predicted from,"
                f" whose targets reach {horizon} periods ahead",
                where="split.time.purge",
                todo=f"Set purge to {horizon} or more and run the split stage again.",
            )
