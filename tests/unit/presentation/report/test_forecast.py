"""Forecasts of returns beside the unchanged price, and whether they order the outcomes."""

import numpy as np
import polars as pl
import pytest

from heddle.evaluation.forecasts import price_scores
from heddle.evaluation.metrics import score
from heddle.presentation.report.forecast import forecast_section
from heddle.presentation.report.residuals import residual_section
from heddle.presentation.report.unseen_rows import unseen_section
from heddle.presentation.report.wording import Wording

WORDS = Wording(metric="rmse", target="forward_return", scale="return", points=300)


@pytest.fixture
def made(prices):
    return prices.predictions()


def test_figures_in_prices_stand_beside_the_unchanged_price(prices, made):
    """And those of returns beside what always up gets right."""
    evaluation = prices.evaluation(made)
    words = prices.plain(forecast_section(evaluation, made, 5))
    assert "Figure model unchanged price" in words
    assert "R² on prices would be near 1 for all" in words
    assert "always saying the more frequent one is right in" in words
    assert "so it is no better." in words


def test_the_figures_of_the_unchanged_price_are_those_of_predicting_0(prices, made):
    """Though the document has only the model's: RMSE by its skill, percentages from outcomes."""
    told = prices.evaluation(made)["forecast"]
    actual = made["actual"].to_numpy()
    base = 100 * np.exp(np.cumsum(np.r_[0.0, actual[:-1] / 5]))
    still = price_scores(actual, actual * 0, base)
    words = prices.plain(forecast_section({"forecast": told}, made, 5))
    for name, key in (
        ("RMSE of the price", "price_rmse"),
        ("MAPE of the price, %", "price_mape"),
        ("sMAPE of the price, %", "price_smape"),
    ):
        assert f"{name} {told[key]:.2f} {still[key]:.2f}" in words


def test_mase_and_the_loss_of_the_interval_stand_beside_the_naive_ones(prices, made):
    """Scaled by the training rows; the naive interval is the quantiles of their returns."""
    told = prices.evaluation(made)["forecast"]
    told |= {"mase": told["mae"] / 0.04, "pinball": 0.0071, "pinball_naive": 0.0062}
    still = np.abs(made["actual"].to_numpy()).mean() / 0.04
    words = prices.plain(forecast_section({"forecast": told}, made, 5))
    assert f"MASE {told['mase']:.3f} {still:.3f}" in words
    assert "Pinball loss of the interval 0.00710 0.00620" in words
    assert "MASE" not in prices.plain(forecast_section(prices.evaluation(made), made, 5))


def test_noise_lies_within_the_band_of_luck(prices, made):
    """The band counts that returns overlap; forecasts that know the outcome lie beyond it."""
    evaluation = prices.evaluation(made)
    section = forecast_section(evaluation, made, 5)
    assert "within what forecasts without any worth would show" in prices.plain(section)
    drawn = prices.spec(section, "forecasts-correlation")["data"]
    assert [len(trace["x"]) for trace in drawn] == [len(drawn[0]["x"])] * 4
    assert drawn[2]["y"][-1] == pytest.approx(1.96 / (400 / 5) ** 0.5, rel=1e-4)
    knows = made.with_columns(predicted=pl.col("actual") * 0.1)
    words = prices.plain(forecast_section(evaluation, knows, 5))
    assert "it is 1.000, beyond what luck alone would show" in words


def test_forecasts_that_are_all_the_same_have_no_correlation(prices, made):
    """As those of persistence: nothing is drawn wrongly."""
    flat = made.with_columns(predicted=pl.lit(0.0))
    words = prices.plain(forecast_section(prices.evaluation(made), flat, 5))
    assert "it is \N{EN DASH}, within" in words


@pytest.mark.parametrize("lost", ["session", "rows", "file"])
def test_without_sessions_there_are_tables_alone(prices, made, lost):
    """No dates, too few rows, no file of predictions."""
    kept = {"session": made.drop("session"), "rows": made.head(50), "file": None}[lost]
    section = forecast_section(prices.evaluation(made), kept, 5)
    assert "figure-block" not in section.html
    assert "Theil" in section.html


def test_without_figures_of_forecasts_there_is_no_chapter(made):
    """Other projects do not hear of it."""
    assert forecast_section({"test": {"rmse": 1.0}}, made, 1) is None
    assert forecast_section(None, made, 1) is None


def test_percentages_of_a_return_are_not_shown(prices, made):
    """A share of nearly nothing says nothing; the sign does."""
    scores = score(made["actual"].to_numpy(), made["predicted"].to_numpy())
    words = prices.plain(unseen_section({"test": scores}, WORDS))
    assert "MAPE" not in words
    assert "Within" not in words
    assert "RMSE" in words
    words = prices.plain(residual_section(made, WORDS))
    assert "of the rows have the sign that was predicted" in words
    assert "10 % off" not in words
