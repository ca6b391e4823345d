"""Made-up delivery rounds, so that the project runs before it has a file of its own."""

from __future__ import annotations

import numpy as np
import polars as pl

__all__ = ["deliveries_sample"]

_MINUTES_PER_KM = {"bike": 4.0, "van": 2.5, "truck": 3.0}


def deliveries_sample(rows: int, seed: int) -> pl.DataFrame:
    """Return `rows` delivery rounds; the same arguments give the same rows.

    >>> deliveries_sample(2, seed=1).columns
    ['vehicle', 'weekday', 'distance_km', 'stops', 'load_kg', 'minutes']

    Args:
        rows: how many, at least 1.
        seed: of the drawing.

    Returns:
        The columns that `configs/data_versions/v0.yaml` declares; some loads are not known.
    """
    draw = np.random.default_rng(seed)
    vehicle = draw.choice(list(_MINUTES_PER_KM), rows, p=[0.3, 0.5, 0.2])
    weekday = draw.integers(1, 8, rows)
    distance = np.round(draw.gamma(3.0, 7.0, rows) + 1.0, 1)
    stops = draw.integers(1, 31, rows)
    load = np.round(draw.gamma(2.0, 60.0, rows), 0)
    pace = np.vectorize(_MINUTES_PER_KM.__getitem__)(vehicle)
    busy = np.where(weekday <= 5, 1.0, 0.8)  # roads are emptier at the weekend
    crawl = 0.6 + 0.8 * np.exp(-distance / stops)  # between near stops nobody drives fast
    minutes = busy * crawl * pace * distance + 3.5 * stops + 0.02 * load
    minutes += draw.normal(0.0, 4.0, rows)
    unknown = np.flatnonzero(draw.random(rows) < 0.05)
    return pl.DataFrame({
        "vehicle": vehicle,
        "weekday": weekday,
        "distance_km": distance,
        "stops": stops,
        "load_kg": pl.Series(load).scatter(unknown, None),
        "minutes": np.round(np.maximum(minutes, 5.0), 1),
    })  # fmt: skip
