import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression

from heddle.domain.errors import ConfigError, DataContractError
from heddle.models.target import TargetRegressor

X = np.arange(6.0).reshape(-1, 1)
Y = np.exp(0.5 * X[:, 0] + 1)


def test_a_logarithmic_target_is_predicted_in_its_own_unit():
    """Exponential growth is a straight line to the regressor."""
    made = TargetRegressor(LinearRegression(), "log").fit(X, Y)
    np.testing.assert_allclose(made.predict(X), Y)
    assert not hasattr(made.regressor, "coef_")


def test_smearing_lifts_the_median_to_the_mean():
    """With a constant in logarithms the smeared prediction is the mean of the target."""
    noisy = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    plain = TargetRegressor(DummyRegressor(), "log").fit(X, noisy).predict(X)
    smeared = TargetRegressor(DummyRegressor(), "log", smear=True).fit(X, noisy).predict(X)
    assert plain[0] == pytest.approx(np.exp(np.log(noisy).mean()))
    assert smeared[0] == pytest.approx(noisy.mean())


@pytest.mark.parametrize(
    ("target", "values", "words"),
    [
        ("log", [1, 2, 3, 4, 5, 0], "log needs a target > 0; the least is 0. Use target: none"),
        ("none", [1, 2, 3, 4, 5, np.nan], "the target is missing or infinite in 1 of 6 rows"),
        ("none", [1, 2, np.inf, 4, 5, np.nan], "missing or infinite in 2 of 6 rows"),
    ],
)
def test_a_target_that_cannot_be_learnt_is_refused(target, values, words):
    """Before the regressor sees it."""
    with pytest.raises(DataContractError, match=words):
        TargetRegressor(LinearRegression(), target).fit(X, np.array(values, dtype=float))


def test_an_unknown_transform_is_refused():
    """There are two."""
    with pytest.raises(ConfigError, match=r"no target transform 'sqrt'\. Known: none, log"):
        TargetRegressor(LinearRegression(), "sqrt").fit(X, Y)
