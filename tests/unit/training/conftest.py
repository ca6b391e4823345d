"""A small table with a hill in it, for whatever needs rows."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from heddle.evaluation.split_plan import Split, Timeline
from heddle.evaluation.splits import assign
from heddle.models.assembly import Features
from heddle.training.dataset import dataset
from heddle.transformations.combine_columns import CombineColumns


@pytest.fixture(scope="session")
def rows():
    rng = np.random.default_rng(0)
    count = 200
    east, north = rng.uniform(0, 3, count), rng.uniform(0, 3, count)
    size = rng.uniform(20, 200, count)
    price = 50 + size * (1 + 2 * np.exp(-((east - 1) ** 2) - (north - 2) ** 2))
    return pl.DataFrame(
        {
            "id": [f"r{i:04d}" for i in range(count)],
            "east": east,
            "north": north,
            "size": size,
            "rooms": [None if i % 9 == 0 else float(i % 7) for i in range(count)],
            "kind": rng.choice(["a", "b", "c"], count),
            "price": price + rng.normal(0, 5, count),
        }
    )


@pytest.fixture(scope="session")
def split(rows):
    return assign(rows, Split(strategy="random", row_key="id", folds=3))


@pytest.fixture(scope="session")
def data(rows, split):
    return dataset(rows, split, target="price", row_key="id")


@pytest.fixture(scope="session")
def features():
    return Features(
        numeric=("east", "north", "size", "rooms"),
        categorical=("kind",),
        coordinates=("east", "north"),
        ratios=(CombineColumns(new="crowd", left="size", how="over", right="rooms"),),
    )


@pytest.fixture(scope="session")
def prices():
    """120 days of a price that goes its way."""
    rng = np.random.default_rng(3)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, 120)))
    low, high = close * (1 - rng.uniform(0, 0.02, 120)), close * (1 + rng.uniform(0, 0.02, 120))
    return pl.DataFrame(
        {
            "session": [date(2020, 1, 3) + timedelta(days=n) for n in range(120)],
            "open": rng.uniform(low, high),
            "high": high,
            "low": low,
            "close": close,
            "volume": rng.integers(1000, 9000, 120),
        }
    )


@pytest.fixture(scope="session")
def walked():
    """A split that walks forward over the sessions of some rows."""

    def split(rows, purge=4):
        time = Timeline(column="session", purge=purge, valid_periods=8)
        cfg = Split(strategy="walk_forward", row_key="session", folds=3, time=time)
        return assign(rows, cfg)

    return split
