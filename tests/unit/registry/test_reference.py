"""Training rows that go with a model: which ones, under which types, in which bytes."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from heddle.domain.errors import ConfigError
from heddle.registry.reference import HELD_OUT, encoded, reference_rows
from heddle.training.dataset import Dataset
from heddle.validation.contract import Column

COLUMNS = {
    "beds": Column(type="int", nullable=True),
    "shore": Column(type="string"),
}
ROWS = 50


@pytest.fixture
def data():
    """Training rows with a gap among whole numbers, as pandas keeps them."""
    beds = [None if n == 3 else float(n) for n in range(ROWS)]
    train = pd.DataFrame({"other": 0.5, "shore": ["far", "near"] * (ROWS // 2), "beds": beds})
    return Dataset(
        train=train,
        target=np.arange(ROWS) * 10.0,
        keys=pl.DataFrame({"row_id": range(ROWS)}),
        folds=(),
        blocks=(),
    )


def test_all_rows_are_kept_where_they_are_few(data):
    """Raw columns under their own types, target, and what a model said that had not seen them."""
    held_out = np.where(np.arange(ROWS) < 5, np.nan, np.arange(ROWS) * 9.0)
    rows = reference_rows(data, held_out, COLUMNS, target="price", seed=1)
    assert rows.schema == {
        "beds": pl.Int64,
        "shore": pl.String,
        "price": pl.Float64,
        HELD_OUT: pl.Float64,
    }
    assert rows.row(3) == (None, "near", 30.0, None)
    assert rows.row(7) == (7, "near", 70.0, 63.0)
    assert rows.height == ROWS


def test_a_draw_keeps_the_order_and_depends_on_the_seed_alone(data):
    """No row twice; the same seed draws the same rows and gives the same bytes."""
    made = [
        reference_rows(data, data.target, COLUMNS, target="price", seed=seed, most=20)
        for seed in (1, 1, 2)
    ]
    prices = made[0]["price"].to_list()
    assert len(set(prices)) == 20
    assert prices == sorted(prices)
    assert encoded(made[0]) == encoded(made[1]) != encoded(made[2])


def test_a_column_that_is_called_like_the_target_is_refused(data):
    """Two columns of one name could not be told apart."""
    with pytest.raises(ConfigError, match="a column cannot be called 'beds'"):
        reference_rows(data, data.target, COLUMNS, target="beds", seed=1)
