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


def test_what_a_regressor_cannot_reach_its_offset_does():
    """A tree that is flat between its leaves follows a line that it is given to begin with."""
    begin = np.array([1.0, 20.0, 300.0, 4000.0, 5e4, 6e5]).reshape(-1, 1)
    stump = DecisionTreeRegressor(max_depth=1, random_state=0)
    for way in ("none", "log", "asinh"):
        grown = TargetRegressor(stump, way, offset=0).fit(begin, 0.9 * begin[:, 0])
        plain = TargetRegressor(stump, way).fit(begin, 0.9 * begin[:, 0])
        off = [np.abs(m.predict(begin) - 0.9 * begin[:, 0]).sum() for m in (grown, plain)]
        assert off[0] < off[1]
    np.testing.assert_allclose(
        TargetRegressor(stump, "log", offset=0).fit(begin, 0.9 * begin[:, 0]).predict([[7.0]]),
        [6.3],
    )


def test_an_offset_that_is_missing_counts_as_the_median_target():
    """So that a row without a past has a forecast too."""
    begin = np.array([[2.0], [4.0], [6.0], [np.nan]])
    made = TargetRegressor(DummyRegressor(), offset=0).fit(begin, [3.0, 5.0, 7.0, 5.0])
    np.testing.assert_allclose(made.predict([[10.0], [np.nan]]), [10.75, 5.75])


def test_a_logarithm_of_an_offset_below_the_least_target_is_that_of_the_least():
    """A loss in the past does not make a forecast impossible."""
    begin = np.array([[1.0], [2.0], [4.0]])
    made = TargetRegressor(DummyRegressor(), "log", offset=0).fit(begin, [1.0, 2.0, 4.0])
    np.testing.assert_allclose(made.predict([[-5.0], [3.0]]), [1.0, 3.0])
