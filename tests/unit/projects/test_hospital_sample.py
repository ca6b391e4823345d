"""The made-up hospital rows keep the contract, look like the real file, and remember the past."""

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from heddle.infrastructure.hydra_config import compose_config
from heddle.pipeline.catalog import Catalog
from heddle.validation.contract import read_contract
from heddle.validation.findings import check, findings

DRG = Path(__file__).parents[3] / "projects" / "drg"
HEADERS = [
    *("Year", "Facility Id", "Facility Name", "APR DRG Code", "APR Severity of Illness Code"),
    *("APR DRG Description", "APR Severity of Illness Description"),
    *("APR Medical Surgical Code", "APR Medical Surgical Description"),
    *("Discharges", "Mean Charge", "Median Charge", "Mean Cost", "Median Cost"),
]
KEY = ["Year", "Facility Id", "APR DRG Code"]
KIND = "APR Medical Surgical Code"


@pytest.fixture(scope="module")
def sample():
    before = list(sys.path)
    yield Catalog(DRG).step("hospital_sample").function
    sys.path[:] = before


@pytest.fixture(scope="module")
def full(sample):
    """As many rows as the real file has: a second and a half."""
    return sample(1_081_672, 42)


@pytest.fixture(scope="module")
def v0():
    return read_contract(compose_config(DRG)["data_versions"]["v0"], "v0")


def test_the_same_arguments_give_the_same_rows(sample):
    """Another seed gives others."""
    assert sample(3000, 42).equals(sample(3000, 42))
    assert not sample(3000, 42).equals(sample(3000, 43))


@pytest.mark.parametrize("count", [1, 2, 7, 50, 999, 20_000])
def test_exactly_as_many_rows_come_as_are_asked_for(sample, count):
    """From one on; the headers are those of the raw file, in its order."""
    for seed in (0, 1):
        frame = sample(count, seed)
        assert frame.height == count
        assert frame.columns == HEADERS


@pytest.mark.parametrize(("count", "seed"), [(60, 0), (2000, 3), (50_000, 42)])
def test_the_rows_keep_the_contract_of_v0(sample, v0, count, seed):
    """Types, ranges, a key that stands once, cost below charge nearly always."""
    assert [f for f in findings(sample(count, seed), v0) if f.severity == "refuse"] == []


def common(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of DRGs with more than 5000 discharges."""
    return frame.filter(pl.col("Discharges").sum().over("APR DRG Code") > 5000)


@pytest.mark.parametrize(("count", "least", "most"), [(2000, 0.0, 0.15), (50_000, 0.02, 0.08)])
def test_a_small_file_has_rare_drgs_too(sample, count, least, most):
    """About as large a share of them as the full one, so that the threshold means the same."""
    frame = sample(count, 42)
    assert least <= 1 - common(frame).height / count <= most
    series = common(frame).unique(KEY).group_by(KEY[1:]).len()
    assert 5.5 < series["len"].mean() < 8.5


def test_the_full_file_has_the_sizes_of_the_real_one(full, v0):
    """Rows kept, groups, series and their length, unknown kinds: near those that are known."""
    assert full.height == 1_081_672
    check(full, v0, "v0")
    kept = common(full)
    assert kept.height == pytest.approx(1_039_994, rel=0.01)
    groups = kept.unique(KEY)
    assert groups.height == pytest.approx(358_435, rel=0.03)
    series = groups.group_by(KEY[1:]).len()
    assert series.height == pytest.approx(48_751, rel=0.03)
    assert series["len"].mean() == pytest.approx(7.35, rel=0.02)
    assert 100 <= full[KIND].null_count() <= 999
    assert not kept[KIND].null_count()
    assert full["Year"].unique().sort().to_list() == list(range(2009, 2018))
    above = float((full["Mean Cost"] > full["Mean Charge"]).mean())
    assert 0.0005 < above < 0.02


def test_series_have_holes_and_hospitals_open_close_and_change_their_name(full):
    """A row before need not be of the year before."""
    series = common(full).unique(KEY).group_by(KEY[1:]).agg(pl.col("Year"))
    spans = series.select(
        holes=pl.col("Year").list.max() - pl.col("Year").list.min() + 1 - pl.col("Year").list.len()
    )["holes"]
    assert float((spans > 0).mean()) > 0.1
    last = full.group_by("Facility Id").agg(
        pl.col("Year").max(), pl.col("Facility Name").n_unique()
    )
    assert (last["Year"] < 2017).any()
    assert (last["Facility Name"] > 1).any()
    assert (last["Facility Name"] <= 2).all()


def test_the_tails_are_heavy(full):
    """A few cells hold most cases, a few charges are far above the rest."""
    cases = full["Discharges"].sort(descending=True)
    assert cases.head(full.height // 10).sum() > 0.5 * cases.sum()
    charge = full["Mean Charge"]
    assert charge.max() > 20 * charge.quantile(0.5)


def test_the_year_before_tells_this_year(full):
    """Log profit of a series hangs together from year to year, much more than between series."""
    profit = (pl.col("Median Charge") - pl.col("Median Cost")) * pl.col("Discharges")
    yearly = (
        common(full).group_by(KEY).agg(profit.sum().alias("profit")).filter(pl.col("profit") > 0)
    )
    before = yearly.with_columns(pl.col("Year") + 1)
    pairs = yearly.join(before, on=KEY, suffix="_before")
    logs = np.log(pairs.select("profit", "profit_before").to_numpy().T)
    assert 0.85 < float(np.corrcoef(logs)[0, 1]) < 0.99
