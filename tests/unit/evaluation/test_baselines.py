"""What a model has to beat."""

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor

from heddle.evaluation.baselines import constant_baselines, not_beaten

TARGET = np.random.default_rng(5).normal(10, 5, 200)


def test_constant_baselines_are_what_scikit_learns_dummies_predict():
    """A second source for the mean and the median."""
    made = constant_baselines(TARGET, 2)
    for name, values in made.items():
        dummy = DummyRegressor(strategy=name).fit(np.zeros((200, 1)), TARGET)
        np.testing.assert_allclose(values, dummy.predict(np.zeros((2, 1))))
    with pytest.raises(ValueError, match="finite in every row"):
        constant_baselines([1.0, np.nan], 1)


def test_a_baseline_that_is_as_good_is_not_beaten():
    """Equal counts for the baseline, in both directions of a metric."""
    assert not_beaten("r2", 0.5, {"mean": 0.0, "linear": 0.5, "other": 0.6}) == ("other", "linear")
    assert not_beaten("rmse", 1.0, {"mean": 2.0}) == ()
