"""The made-up rows keep the contract, look like the census file, and carry its kind of signal."""

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from heddle.pipeline.catalog import Catalog
from heddle.validation.contract import read_contract
from heddle.validation.findings import check, findings

HOUSING = Path(__file__).parents[3] / "projects" / "housing"
REAL = Path(__file__).parents[4] / "shared" / "data" / "housing" / "housing.csv"


@pytest.fixture(scope="module")
def sample():
    before = list(sys.path)
    yield Catalog(HOUSING).step("housing_sample").function
    sys.path[:] = before


@pytest.fixture(scope="module")
def rows(sample):
    return sample(5000, 42)


def contract(version):
    text = (HOUSING / "configs" / "data_versions" / f"{version}.yaml").read_text()
    return read_contract(yaml.safe_load(text)[version], version)


def test_the_same_arguments_give_the_same_rows(sample, rows):
    """Another seed gives others."""
    assert sample(5000, 42).equals(rows)
    assert not sample(5000, 43).equals(rows)


@pytest.mark.parametrize(("count", "seed"), [(100, 0), (5000, 42), (20_640, 7)])
def test_the_rows_keep_the_contract_of_v0(sample, count, seed):
    """Any number of rows passes what the real file passes."""
    frame = sample(count, seed)
    assert frame.height == count
    check(frame, contract("v0"), "v0")


def test_few_rows_can_be_made(sample):
    """One row is a sample too."""
    assert sample(1, 0).shape == (1, 10)


def test_gaps_caps_and_rare_rows_are_those_of_the_census_file(rows):
    """About 1 % of bedrooms unknown, 4.7 % of prices capped, ages capped, a few islanders."""
    assert 0.005 < rows["total_bedrooms"].null_count() / rows.height < 0.016
    value, age = rows["median_house_value"], rows["housing_median_age"]
    assert 0.035 < float((value == 500_001).mean()) < 0.06
    assert value.max() == 500_001
    assert age.max() == 52
    assert 0.02 < float((age == 52).mean()) < 0.1
    shares = dict(rows["ocean_proximity"].value_counts(normalize=True).iter_rows())
    assert set(shares) == {"<1H OCEAN", "INLAND", "NEAR OCEAN", "NEAR BAY", "ISLAND"}
    assert shares["ISLAND"] < 0.002
    assert shares["<1H OCEAN"] > shares["INLAND"] > shares["NEAR OCEAN"] > shares["NEAR BAY"] * 0.9


def test_the_price_hangs_on_income_and_on_place(rows):
    """A ladder of models: each that knows more errs clearly less, the best by 13 to 20 %."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.linear_model import LinearRegression

    price = rows["median_house_value"].to_numpy()
    known = rows.drop("median_house_value", "ocean_proximity").fill_null(500.0).to_numpy()
    train, test = slice(0, 4000), slice(4000, 5000)

    def error(guess):
        return float(np.mean(np.abs(guess - price[test]) / price[test]))

    def boosted(columns):
        model = HistGradientBoostingRegressor(max_iter=200, learning_rate=0.08, random_state=0)
        model.fit(known[train][:, columns], np.log(price[train]))
        return error(np.exp(model.predict(known[test][:, columns])))

    median = error(np.full(1000, np.median(price[train])))
    linear = error(LinearRegression().fit(known[train], price[train]).predict(known[test]))
    blind, sighted = boosted(list(range(2, 8))), boosted(list(range(8)))
    assert 0.13 < sighted < 0.20
    assert sighted < 0.8 * blind
    assert sighted < 0.7 * linear < 0.7 * median


def test_v1_declares_v0_the_ratios_and_a_key():
    """The second version keeps every column of the first."""
    first, second = contract("v0").columns, contract("v1").columns
    assert {name: second[name] for name in first} == first
    assert set(second) - set(first) == {
        "rooms_per_household", "population_per_household", "bedrooms_per_room", "row_id",
    }  # fmt: skip
    assert contract("v1").key == ("row_id",)


@pytest.mark.skipif(not REAL.exists(), reason="the real housing file is not on this machine")
def test_the_real_file_keeps_the_contract_of_v0():
    """The census file has no findings at all, not even a notice."""
    types = {"ocean_proximity": pl.String}
    frame = pl.read_csv(REAL, schema_overrides=types)
    assert findings(frame, contract("v0")) == []
