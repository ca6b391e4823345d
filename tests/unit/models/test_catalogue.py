import pytest
from sklearn.base import clone

from heddle.domain.errors import ConfigError
from heddle.models import catalogue
from heddle.models.catalogue import ESTIMATORS, available, check_names, learns, make, traits

HERE = [name for name in ESTIMATORS if available(name) is None]


@pytest.mark.parametrize("name", HERE)
def test_every_estimator_is_made_and_clones(name):
    """The names of the catalogue all lead to a regressor that keeps its parameters."""
    made = make(name, {}, seed=3, threads=2)
    assert clone(made).get_params() == made.get_params()


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("lightgbm", {"deterministic": True, "force_row_wise": True, "n_jobs": 2}),
        ("xgboost", {"tree_method": "hist", "n_jobs": 2, "random_state": 3}),
        ("random_forest", {"n_jobs": 2, "random_state": 3}),
        ("hist_gradient_boosting", {"early_stopping": False, "random_state": 3}),
        ("median", {"strategy": "median"}),
    ],
)
def test_what_makes_a_model_repeatable_is_set(name, flags):
    """Seeds, threads and deterministic flags are not left to chance."""
    params = make(name, {}, seed=3, threads=2).get_params()
    assert {key: params[key] for key in flags} == flags


def test_an_unknown_estimator_is_named_with_the_nearest():
    """For making, for asking whether it is there, and for its traits."""
    for call in (lambda n: make(n, {}, seed=1), available, traits):
        with pytest.raises(ConfigError, match="no estimator 'lightgbn'; did you mean 'lightgbm'"):
            call("lightgbn")


def test_an_unknown_parameter_is_named_with_the_nearest():
    """Typing errors in YAML are found before any fit."""
    with pytest.raises(ConfigError, match="ridge has no parameter 'alfa'; did you mean 'alpha'"):
        make("ridge", {"alfa": 1.0}, seed=1)
    with pytest.raises(ConfigError, match=r"^full\.lgb: lightgbm has no parameter 'leaves'"):
        check_names("lightgbm", ["leaves"], where="full.lgb")
    check_names("lightgbm", ["max_bin", "num_leaves"])


def test_what_heddle_sets_cannot_be_set_by_the_user():
    """Otherwise the same seed would not give the same model."""
    for name, key in (("ridge", "random_state"), ("xgboost", "n_jobs"), ("lightgbm", "verbose")):
        with pytest.raises(ConfigError, match=f"'{key}' of {name} is set by Heddle"):
            make(name, {key: 1}, seed=1)


def test_a_value_that_scikit_learn_refuses_is_a_mistake_of_configuration():
    """Before the fit, with scikit-learn's own words."""
    with pytest.raises(ConfigError, match=r"^ridge: The 'alpha' parameter of Ridge must be"):
        make("ridge", {"alpha": -1.0}, seed=1)


def test_an_absent_library_is_a_reason_and_then_an_error(monkeypatch):
    """What competes without it can say why it was skipped."""
    monkeypatch.setattr(catalogue, "find_spec", lambda _: None)
    reason = "xgboost is not installed; pip install 'heddle-ml[xgboost]'"
    assert available("xgboost") == reason
    assert available("ridge") is None
    with pytest.raises(ConfigError, match="xgboost is not installed"):
        make("xgboost", {}, seed=1)
    check_names("xgboost", ["anything"])


def test_zero_says_zero_whatever_it_was_taught():
    """The return of a price that stays as it is; nobody may set another constant."""
    fitted = make("zero", {}, seed=1).fit([[1.0], [2.0]], [3.0, 5.0])
    assert fitted.predict([[7.0], [8.0]]).tolist() == [0.0, 0.0]
    with pytest.raises(ConfigError, match="'constant' of zero is set by Heddle"):
        check_names("zero", ["constant"])


def test_who_looks_at_no_column_or_at_one_does_not_care_which_it_is_shown():
    assert [name for name in ESTIMATORS if not learns(name)] == ["zero", "mean", "median", "naive"]
