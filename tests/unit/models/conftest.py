from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from heddle.features.price_history import PriceHistory
from heddle.models.assembly import Choices, Clusters, Combination, Features
from heddle.models.features import Selection


@pytest.fixture(scope="session")
def features():
    """Numbers, a category, a ratio that may divide by zero, coordinates."""
    return Features(
        numeric=("east", "north", "rooms", "beds", "homes"),
        categorical=("kind",),
        ratios=(
            Combination(new="rooms_per_home", left="rooms", how="over", right="homes"),
            Combination(new="beds_per_room", left="beds", how="over", right="rooms"),
        ),
        coordinates=("east", "north"),
        min_frequency=5,
    )


@pytest.fixture(scope="session")
def choices():
    return Choices(imputation="median", clusters=Clusters(kind="rbf", k=6, gamma=0.5))


@pytest.fixture(scope="session")
def rows():
    """400 raw rows with integers, gaps, a rare category, a missing one and a zero to divide by."""
    rng = np.random.default_rng(7)
    homes = rng.integers(1, 60, 400)
    rooms = homes * rng.uniform(3, 8, 400)
    kind = rng.choice(["inland", "coast", "bay"], 400).astype(object)
    kind[[5, 50]] = "island"
    kind[9] = None
    beds = rooms / 4 + rng.normal(0, 1, 400)
    beds[::13] = np.nan
    homes[3] = 0
    return pd.DataFrame(
        {
            "kind": kind,
            "homes": homes,
            "rooms": rooms,
            "beds": beds,
            "east": rng.uniform(0, 5, 400),
            "north": rng.uniform(0, 5, 400),
            "extra": "ignored",
        }
    )


@pytest.fixture(scope="session")
def price(rows):
    """A target > 0 that depends on place and size."""
    rng = np.random.default_rng(8)
    place = np.exp(-((rows["east"] - 1) ** 2) - (rows["north"] - 3) ** 2)
    return (50 + 200 * place + rows["rooms"] / 4 + rng.uniform(0, 10, 400)).to_numpy()


@pytest.fixture(scope="session")
def fresh(rows):
    """200 raw rows: gaps where training had none, a category never seen, a missing coordinate."""
    some = rows.sample(200, random_state=1).reset_index(drop=True)
    some["homes"] = some["homes"].astype(float)
    some.loc[0, "rooms"] = np.nan
    some.loc[1, "kind"] = "never seen"
    some.loc[2, "east"] = np.nan
    some.loc[3, "homes"] = np.nan
    some.loc[4, "kind"] = None
    return some


@pytest.fixture(scope="session")
def prices():
    """200 days of a price that goes its way."""
    rng = np.random.default_rng(3)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, 200)))
    low, high = close * (1 - rng.uniform(0, 0.02, 200)), close * (1 + rng.uniform(0, 0.02, 200))
    return pd.DataFrame(
        {
            "session": pd.date_range("2020-01-01", periods=200),
            "open": rng.uniform(low, high),
            "high": high,
            "low": low,
            "close": close,
            "volume": rng.integers(1000, 9000, 200),
        }
    )


@pytest.fixture(scope="session")
def ahead(prices):
    """The return over the next three days; not known of the last three."""
    close = np.log(prices["close"].to_numpy())
    return np.append(close[3:] - close[:-3], [np.nan] * 3)


@pytest.fixture(scope="session")
def on_prices():
    """Features of these prices, of which the fit keeps eight."""
    history = PriceHistory(
        lags=(1, 2), spans=(1, 5), windows=(5, 10), ewm=(3,), macd=(2, 4, 2), settle=2
    )
    history = replace(history, rsi=3, atr=3, bollinger=5)
    return Features(
        numeric=history.names, history=history, selection=Selection(how="from_model", k=8)
    )
