"""Multiply a column, in the unit that a shared module names."""

from dataclasses import dataclass

import polars as pl
from steps.units import UNIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    column: str
    by: float
    words: tuple[str, ...] = ()


def scaled(frame: pl.LazyFrame, cfg: Scaled) -> pl.LazyFrame:
    """Return the table with `cfg.column` times `cfg.by`."""
    return frame.with_columns(pl.col(cfg.column) * cfg.by * UNIT)
