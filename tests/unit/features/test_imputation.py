import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from heddle.domain.errors import ConfigError
from heddle.features.imputation import METHODS, Impute, ScaledKNN

NAMES = ("rooms", "beds", "age")


def table(rows=120, seed=0, gaps=True):
    rng = np.random.default_rng(seed)
    rooms = rng.uniform(10, 1000, rows)
    out = pd.DataFrame({"rooms": rooms, "beds": rooms / 5, "age": rng.uniform(1, 50, rows)})
    if gaps:
        out.loc[::10, "beds"] = np.nan
    return out.assign(kind="a")


@pytest.mark.parametrize("how", [m for m in METHODS if m != "none"])
@pytest.mark.parametrize("gaps", [True, False], ids=["gaps in training", "whole in training"])
def test_every_gap_is_filled_and_nothing_else_changes(how, gaps):
    """Known values stay to the bit, also where training had no gap; other columns pass."""
    fresh = table(seed=1, gaps=False)
    fresh.loc[3, "rooms"] = np.nan
    fresh.loc[[4, 5], "beds"] = np.nan
    before = fresh.copy(deep=True)
    filled = clone(Impute(NAMES, how)).fit(table(gaps=gaps)).transform(fresh)
    assert not filled[list(NAMES)].isna().any(axis=None)
    known = ~before.isna()
    pd.testing.assert_frame_equal(filled.where(known), before.where(known))
    pd.testing.assert_frame_equal(fresh, before)


@pytest.mark.parametrize("how", ["knn", "iterative", "iterative_forest"])
def test_methods_that_look_at_other_columns_come_nearer_than_the_median(how):
    """Bedrooms follow rooms: whoever sees that is at least twice as near."""
    train, truth = table(400, 0), table(100, 1, gaps=False)
    holed = truth.assign(beds=np.nan)
    errors = {
        m: np.abs(Impute(NAMES, m).fit(train).transform(holed)["beds"] - truth["beds"]).mean()
        for m in (how, "median")
    }
    assert errors[how] < errors["median"] / 2


def test_mean_and_median_are_those_of_the_training_rows():
    """A second source: pandas."""
    train, holed = table(), table(3, 1).assign(beds=np.nan)
    for how in ("mean", "median"):
        found = Impute(NAMES, how).fit(train).transform(holed)["beds"]
        assert found.tolist() == [pytest.approx(getattr(train["beds"], how)())] * 3


def test_scaled_knn_is_the_mean_of_the_nearest_rows_after_scaling():
    """A slow reference: standardise, measure, average the five nearest."""
    train = table(60, gaps=False)[list(NAMES)]
    values, fresh = train.to_numpy(), np.array([[500.0, np.nan, 20.0]])
    scale = values.std(axis=0)
    nearest = np.argsort((((values - fresh) / scale)[:, [0, 2]] ** 2).sum(axis=1))[:5]
    found = ScaledKNN().fit(values).transform(fresh)
    assert found[0, 1] == pytest.approx(values[nearest, 1].mean())


def test_none_leaves_gaps_open():
    """For estimators that read missing values themselves."""
    rows = table()
    assert Impute(NAMES, "none").fit(rows).transform(rows) is rows


@pytest.mark.parametrize("how", ["mean", "knn", "iterative"])
def test_a_column_of_nothing_but_gaps_keeps_its_place(how):
    """It is filled with 0 instead of disappearing, so that the matrix keeps its width."""
    rows = table().assign(age=np.nan)
    filled = Impute(NAMES, how).fit(rows).transform(rows)
    assert filled["age"].tolist() == [0.0] * len(rows)


def test_the_same_seed_fills_alike():
    """Two fits give the same bits."""
    rows = table()
    one, two = (Impute(NAMES, "iterative_forest", seed=3).fit(rows).transform(rows) for _ in "ab")
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_an_unknown_method_is_named_with_the_nearest():
    """The message knows what was meant."""
    with pytest.raises(ConfigError, match="no imputation 'iterativ'; did you mean 'iterative'"):
        Impute(NAMES, "iterativ").fit(table())
