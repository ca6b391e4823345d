"""Made-up block groups of California with the census file's schema, gaps and kind of signal.

Not census data: towns, coast and prices are drawn from a small invented model. What it shares with
the real file is what a pipeline meets: ten columns, 1 % of bedrooms not known, ages and prices that
are capped, a category of a few rows, and prices that hang on income and, in patches, on place.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["housing_sample"]

Array = NDArray[np.float64]

_ISLANDS = 5 / 20_640
_UNKNOWN_BEDROOMS = 207 / 20_640
_PRICE_CAP, _PRICE_FLOOR, _AGE_CAP = 500_001.0, 14_999.0, 52.0
_NOISE = 0.165  # of log price: no model can do better than about 13 % MAPE

# The coast from south to north: latitude, longitude.
_COAST = np.array([
    (32.54, -117.12), (33.00, -117.28), (33.60, -117.90), (33.75, -118.40), (34.00, -118.50),
    (34.03, -118.80), (34.27, -119.30), (34.40, -119.70), (34.45, -120.45), (35.10, -120.63),
    (35.60, -121.15), (36.00, -121.50), (36.60, -121.93), (36.95, -122.05), (37.50, -122.50),
    (37.80, -122.52), (38.30, -123.05), (39.00, -123.70), (40.00, -124.05), (40.44, -124.35),
    (41.00, -124.12), (41.95, -124.21),
])  # fmt: skip

# Longitude, latitude, weight, spread in degrees, premium of log price.
_TOWNS = np.array([
    (-118.28, 34.04, 12.0, 0.10, 0.00), (-118.45, 34.05, 5.0, 0.07, 0.45),
    (-118.47, 34.21, 7.0, 0.10, 0.10), (-118.12, 34.10, 6.0, 0.09, 0.10),
    (-118.15, 33.85, 7.0, 0.10, 0.05), (-118.37, 33.86, 3.0, 0.05, 0.40),
    (-117.85, 33.75, 9.0, 0.13, 0.15), (-117.35, 34.03, 6.0, 0.18, -0.30),
    (-117.12, 32.80, 8.0, 0.13, 0.10), (-117.25, 33.15, 2.5, 0.10, 0.10),
    (-119.15, 34.25, 2.5, 0.12, 0.10), (-119.72, 34.43, 1.2, 0.08, 0.40),
    (-120.60, 35.20, 1.2, 0.15, 0.10), (-119.02, 35.37, 2.5, 0.18, -0.50),
    (-119.77, 36.75, 4.0, 0.25, -0.55), (-121.65, 36.70, 1.5, 0.12, 0.10),
    (-121.89, 37.32, 6.5, 0.10, 0.25), (-122.22, 37.50, 3.0, 0.09, 0.45),
    (-122.44, 37.76, 3.5, 0.04, 0.50), (-122.22, 37.80, 5.0, 0.08, 0.10),
    (-122.02, 37.95, 3.5, 0.12, 0.10), (-122.55, 38.05, 1.5, 0.08, 0.40),
    (-122.70, 38.45, 1.5, 0.12, 0.05), (-121.43, 38.58, 6.0, 0.18, -0.35),
    (-121.20, 37.85, 3.5, 0.25, -0.45), (-122.37, 40.58, 1.0, 0.30, -0.55),
    (-124.12, 40.80, 0.6, 0.10, -0.45), (-121.75, 39.60, 1.5, 0.30, -0.50),
    (-116.45, 33.78, 1.5, 0.20, -0.25), (-117.30, 34.50, 1.0, 0.20, -0.45),
    (-120.40, 38.80, 1.5, 0.50, -0.35), (-115.55, 32.90, 0.6, 0.20, -0.65),
])  # fmt: skip


def housing_sample(rows: int, seed: int) -> pl.DataFrame:
    """Return `rows` block groups; the same arguments give the same rows.

    Args:
        rows: how many, at least 1.
        seed: of the drawing; the land itself (towns, dear and cheap quarters) is always the same.

    Returns:
        The ten columns of the census file, numbers as floats; `total_bedrooms` holds nulls.
    """
    draw = np.random.default_rng(seed)
    lon, lat, premium, urban = _places(rows, draw)
    islands = draw.choice(rows, min(rows, max(2, round(rows * _ISLANDS))), replace=False)
    lon[islands] = np.round(draw.uniform(-118.48, -118.32, islands.size), 2)
    lat[islands] = np.round(draw.uniform(33.33, 33.43, islands.size), 2)
    sea = _degrees_to_coast(lon, lat)
    quarter = _quarters(lon, lat)
    place = premium + quarter - 0.22 * np.minimum(sea, 1.5)

    log_income = 1.26 + 0.40 * draw.standard_normal(rows) + 0.35 * (place - place.mean())
    income = np.round(np.clip(np.exp(log_income), 0.4999, 15.0001), 4)
    age = np.clip(np.round(24 + 11 * urban + 12.5 * draw.standard_normal(rows)), 1, _AGE_CAP)
    people = _people(log_income, draw)
    price = _price(log_income, place, age, people, draw)
    nearness = _nearness(lon, lat, sea)
    nearness[islands] = "ISLAND"

    bedrooms = pl.Series("total_bedrooms", people["total_bedrooms"])
    unknown = np.flatnonzero(draw.random(rows) < _UNKNOWN_BEDROOMS)
    return pl.DataFrame({
        "longitude": lon,
        "latitude": lat,
        "housing_median_age": age,
        "total_rooms": people["total_rooms"],
        "total_bedrooms": bedrooms.scatter(unknown, None),
        "population": people["population"],
        "households": people["households"],
        "median_income": income,
        "median_house_value": price,
        "ocean_proximity": nearness,
    })  # fmt: skip


def _places(rows: int, draw: np.random.Generator) -> tuple[Array, Array, Array, Array]:
    """Longitude, latitude, premium of the town, and how urban it is (0 to 1)."""
    weight = _TOWNS[:, 2] / _TOWNS[:, 2].sum()
    town = _TOWNS[draw.choice(len(_TOWNS), rows, p=weight)]
    reach = town[:, 3] * np.where(draw.random(rows) < 0.15, 2.5, 1.0)  # some live outside
    lon = town[:, 0] + 1.1 * reach * draw.standard_normal(rows)
    lat = np.clip(town[:, 1] + 0.9 * reach * draw.standard_normal(rows), 32.54, 41.95)
    shore = np.interp(lat, _COAST[:, 0], _COAST[:, 1])
    lon = np.where(lon < shore, 2 * shore - lon, lon)  # nobody lives in the sea
    apart = np.hypot(lon - town[:, 0], lat - town[:, 1]) / town[:, 3]
    urban = np.exp(-0.5 * apart**2) * (town[:, 3] < 0.16)
    premium = town[:, 4] * np.exp(-0.1 * apart)
    return np.round(np.clip(lon, -124.35, -114.31), 2), np.round(lat, 2), premium, urban


def _degrees_to_coast(lon: Array, lat: Array) -> Array:
    """How far east of the coast, in degrees."""
    return np.maximum(lon - np.interp(lat, _COAST[:, 0], _COAST[:, 1]), 0.0)


def _quarters(lon: Array, lat: Array) -> Array:
    """Dear and cheap patches some ten kilometres wide: what only the exact place tells."""
    land = np.random.default_rng(1990)
    town = _TOWNS[land.choice(len(_TOWNS), 160, p=_TOWNS[:, 2] / _TOWNS[:, 2].sum())]
    x = town[:, 0] + 1.3 * town[:, 3] * land.standard_normal(160)
    y = town[:, 1] + 1.1 * town[:, 3] * land.standard_normal(160)
    height = 0.30 * land.standard_normal(160)
    width = land.uniform(0.05, 0.14, 160)
    total = np.zeros_like(lon)
    for bump in range(160):
        apart = ((lon - x[bump]) ** 2 + (lat - y[bump]) ** 2) / (2 * width[bump] ** 2)
        total += height[bump] * np.exp(-apart)
    return total


def _people(log_income: Array, draw: np.random.Generator) -> dict[str, Array]:
    rows = log_income.size
    households = np.clip(np.round(np.exp(draw.normal(5.98, 0.70, rows))), 1, 6082)
    rooms = np.exp(1.63 + 0.30 * (log_income - 1.24) + draw.normal(0, 0.20, rows))
    bedrooms = np.exp(0.06 + draw.normal(0, 0.12, rows))
    persons = np.exp(1.04 - 0.10 * (log_income - 1.24) + draw.normal(0, 0.26, rows))
    total_rooms = np.clip(np.round(households * rooms), 2, 39_320)
    return {
        "households": households,
        "total_rooms": total_rooms,
        "total_bedrooms": np.clip(
            np.round(households * bedrooms), 1, np.minimum(total_rooms, 6445)
        ),
        "population": np.clip(np.round(households * persons), 3, 35_682),
    }


def _price(
    log_income: Array,
    place: Array,
    age: Array,
    people: dict[str, Array],
    draw: np.random.Generator,
) -> Array:
    crowd = np.log(people["population"] / people["households"])
    small = np.log(people["total_bedrooms"] / people["total_rooms"])
    log_price = (
        12.14
        + 0.62 * (log_income - 1.24)
        + 0.95 * place
        - 0.35 * (crowd - 1.04)
        + 0.12 * (small + 1.58)
        + 0.004 * (age - 28)
        + draw.normal(0, _NOISE, log_income.size)
    )
    price = np.round(np.exp(log_price), -2)
    return np.where(price > _PRICE_CAP - 1, _PRICE_CAP, np.maximum(price, _PRICE_FLOOR))


def _nearness(lon: Array, lat: Array, sea: Array) -> NDArray[np.object_]:
    bay = (lat > 37.35) & (lat < 38.2) & (lon > -122.6) & (lon < -122.0)
    coast = sea < 0.13
    commute = (sea < 0.80) & (lat < 38.9)
    names = np.select(
        [bay & (sea > 0.05), coast, commute], ["NEAR BAY", "NEAR OCEAN", "<1H OCEAN"], "INLAND"
    )
    return names.astype(object)
