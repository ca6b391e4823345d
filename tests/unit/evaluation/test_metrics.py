import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from heddle.domain.errors import ConfigError
from heddle.evaluation.metrics import METRICS, metric, score

ACTUAL = np.array([100.0, 200.0, 400.0, 50.0])
PREDICTED = np.array([104.0, 180.0, 400.0, 60.0])


@pytest.mark.parametrize(
    ("key", "by_hand"),
    [
        ("mae", (4 + 20 + 0 + 10) / 4),
        ("rmse", ((16 + 400 + 0 + 100) / 4) ** 0.5),
        ("r2", 1 - 516 / 73_593.75 * 1.0),
        ("mape", (0.04 + 0.10 + 0 + 0.20) / 4 * 100),
        ("smape", (4 / 102 + 20 / 190 + 0 + 10 / 55) / 4 * 100),
        ("wmape", 34 / 750 * 100),
        ("median_ape", 7.0),
        ("within_5pct", 50.0),
        ("within_10pct", 50.0),
        ("within_15pct", 75.0),
    ],
)
def test_every_metric_is_what_its_formula_says(key, by_hand):
    """Each figure is written out by hand for four rows."""
    if key == "r2":
        by_hand = 1 - 516 / np.sum((ACTUAL - 187.5) ** 2)
    assert score(ACTUAL, PREDICTED)[key] == pytest.approx(by_hand)


def test_within_is_strict():
    """An error of exactly the share does not count as within it."""
    assert score([100.0, 100.0], [110.0, 109.9])["within_10pct"] == 50.0


def test_an_actual_of_zero_is_divided_by_a_tiny_number_and_both_zero_is_no_error():
    """MAPE keeps its guard of 1e-8; SMAPE counts 0 against 0 as exact."""
    found = score([0.0, 1.0], [1.0, 1.0])
    assert found["mape"] == pytest.approx(1e8 * 100 / 2)
    assert score([0.0, 1.0], [0.0, 1.0])["smape"] == 0.0


def test_wmape_is_mae_over_the_mean_size():
    """The two ways of writing wMAPE agree."""
    found = score(ACTUAL, PREDICTED)
    assert found["wmape"] == pytest.approx(found["mae"] / np.abs(ACTUAL).mean() * 100)


@given(
    st.lists(
        st.tuples(st.floats(1, 1e6), st.floats(1, 1e6)), min_size=2, max_size=40, unique_by=(id,)
    )
)
def test_the_usual_metrics_agree_with_scikit_learn(rows):
    """MAE, RMSE, R2, MAPE and median agree with a second source on random columns."""
    actual, predicted = np.array(rows).T
    found = score(actual, predicted)
    assert found["mae"] == pytest.approx(reference.mean_absolute_error(actual, predicted))
    assert found["rmse"] == pytest.approx(reference.root_mean_squared_error(actual, predicted))
    expected = reference.mean_absolute_percentage_error(actual, predicted) * 100
    assert found["mape"] == pytest.approx(expected)
    if np.ptp(actual) > 1e-3:
        assert found["r2"] == pytest.approx(reference.r2_score(actual, predicted))
    assert 0 <= found["smape"] <= 200
    assert found["within_5pct"] <= found["within_10pct"] <= found["within_15pct"] <= 100


def test_a_constant_actual_has_an_r2_of_zero_or_one():
    """Where nothing varies nothing can be explained, unless it is met exactly."""
    assert score([2.0, 2.0], [2.0, 3.0])["r2"] == 0.0
    assert score([2.0, 2.0], [2.0, 2.0])["r2"] == 1.0


def test_directions_say_which_of_two_is_better():
    """Errors are minimised, shares within and R2 maximised; NaN is never better."""
    up = {k for k, m in METRICS.items() if m.direction == "maximise"}
    assert up == {"r2", "within_5pct", "within_10pct", "within_15pct"}
    assert METRICS["rmse"].better(1.0, 2.0)
    assert METRICS["r2"].better(0.9, 0.8)
    assert not METRICS["rmse"].better(float("nan"), 2.0)


def test_some_metrics_can_be_asked_for_alone():
    """Keys choose, in their order; an unknown one is an error with the nearest name."""
    assert list(score(ACTUAL, PREDICTED, ["rmse", "mape"])) == ["rmse", "mape"]
    with pytest.raises(ConfigError, match="no metric 'wmap'; did you mean 'wmape'"):
        metric("wmap")


@pytest.mark.parametrize(
    ("actual", "predicted", "words"),
    [
        ([], [], "no rows to score"),
        ([1.0], [1.0, 2.0], "are not of one length"),
        ([1.0, np.nan], [1.0, 2.0], "must be finite"),
        ([1.0, 2.0], [1.0, np.inf], "must be finite"),
    ],
)
def test_what_cannot_be_scored_is_refused(actual, predicted, words):
    """No rows, other lengths and missing values are errors, not figures."""
    with pytest.raises(ValueError, match=words):
        score(actual, predicted)
