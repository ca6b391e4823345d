"""Made-up prices in which something is foretold: what finds an edge has to find this one."""

from __future__ import annotations

import polars as pl
from steps.price_sample import price_sample

__all__ = ["price_sample_with_edge"]

_SIGNAL = 0.5  # standard deviations of a day, for one of trade above its usual size


def price_sample_with_edge(rows: int, seed: int) -> pl.DataFrame:
    """Return what `price_sample` returns, but busy days foretell rising prices."""
    return price_sample(rows, seed, _SIGNAL)
