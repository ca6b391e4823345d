import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from heddle.domain.errors import ConfigError, DataContractError
from heddle.models.target import TargetRegressor

X = np.arange(6.0).reshape(-1, 1)
Y = np.exp(0.5 * X[:, 0] + 1)


def test_a_logarithmic_target_is_predicted_in_its_own_unit():
    """Exponential growth is a straight line to the regressor."""
    made = TargetRegressor(LinearRegression(), "log").fit(X, Y)
    np.testing.assert_allclose(made.predict(X), Y)
    assert not hasattr(made.regressor, "coef_")


def test_a_heavy_tail_of_either_sign_is_bent_and_bent_back():
    """asinh takes zero and losses, and gives every value back."""
    tailed = np.array([-3e6, -2.0, 0.0, 5.0, 400.0, 9e7])
    tree = DecisionTreeRegressor(random_state=0)
    np.testing.assert_allclose(
        TargetRegressor(tree, "asinh").fit(X, tailed).predict(X), tailed, rtol=1e-12, atol=1e-9
    )
    constant = TargetRegressor(DummyRegressor(), "asinh").fit(X, tailed)
    assert abs(constant.predict(X)[0]) < tailed.mean()


def test_a_target_that_is_mostly_zero_keeps_its_own_unit():
    """The median size is 0 then, and nothing is divided by it."""
    zeros = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 2.0])
    tree = DecisionTreeRegressor(random_state=0)
    np.testing.assert_allclose(TargetRegressor(tree, "asinh").fit(X, zeros).predict(X), zeros)


@pytest.mark.parametrize(
    ("target", "values", "words"),
    [
        (
            "log",
            [1, 2, 3, 4, 5, 0],
            "log needs a target > 0; the least is 0. Use target: none or asinh",
        ),
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
