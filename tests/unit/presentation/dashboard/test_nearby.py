"""Training rows like another."""

import numpy as np
import polars as pl
from tests.saved_project import COLUMNS, rows

from heddle.presentation.dashboard.nearby import coordinates, nearby
from heddle.validation.contract import Column

MODEL = {name: Column(**told) for name, told in COLUMNS.items()}


def test_similar_rows_are_those_that_are_near_in_every_column():
    """The row itself is the nearest; the share below counts them."""
    table = rows(1, 500)
    row = table.row(7, named=True)
    found = nearby(table, row, MODEL, target="price", prediction=row["price"])
    assert len(found.targets) == 50
    assert row["price"] in found.targets
    assert found.below == np.mean(found.targets < row["price"])
    low, high = found.middle_half
    assert table["price"].min() < low < row["price"] + 60
    assert low < high


def test_what_is_nearest_agrees_with_a_slow_look():
    """One column at a time, squared distances on its own scale, words equal or not."""
    table = rows(2, 60)
    row = table.row(3, named=True)
    slow = []
    for other in table.iter_rows(named=True):
        total = 0.0
        for name, column in MODEL.items():
            if column.type in {"string", "bool"}:
                total += other[name] != row[name]
            else:
                number = (lambda v: v.toordinal()) if column.type == "date" else float
                spread = np.std([number(v) for v in table[name]], ddof=1)
                total += ((number(other[name]) - number(row[name])) / spread) ** 2
        slow.append((total, other["price"]))
    wanted = sorted(price for _, price in sorted(slow)[:20])
    found = nearby(table, row, MODEL, target="price", prediction=0.0)
    assert found.targets.tolist() == wanted
    assert found.below == 0.0


def test_a_row_may_lack_values_and_have_new_words():
    """They are as far from every row."""
    table = rows(1, 100)
    row = table.row(7, named=True) | {"beds": None, "shore": "isle", "built": None}
    assert nearby(table, row, MODEL, target="price", prediction=1.0) is not None


def test_few_rows_are_no_comparison():
    """Nor are rows whose target is not known."""
    table = rows(1, 100).with_columns(price=pl.lit(None, pl.Float64))
    assert nearby(table, {}, MODEL, target="price", prediction=1.0) is None


def test_a_pair_of_coordinates_is_told_by_name_and_range():
    """One without the other, or two of a kind, are none."""
    lat, lon = {"min": 50.0, "max": 54.0}, {"min": 5.0, "max": 179.0}
    assert coordinates({"latitude": lat, "longitude": lon}) == ("longitude", "latitude")
    assert coordinates({"shop_lat": lat, "shop_lon": lon}) == ("shop_lon", "shop_lat")
    assert coordinates({"latitude": lat}) is None
    assert coordinates({"lat": lat, "latitude": lat, "lon": lon}) is None
    assert coordinates({"flat": lat, "longitude": lon}) is None
    assert coordinates({"latitude": {"categories": ["a"]}, "longitude": lon}) is None
