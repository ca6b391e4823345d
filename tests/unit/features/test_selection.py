"""Columns chosen inside a pipeline."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline

from heddle.domain.errors import ConfigError, DataContractError
from heddle.features.selection import SelectFeatures

NAMES = [f"c{i}" for i in range(12)]
CHOICES = [
    {"how": "kbest", "k": 3},
    {"how": "kbest", "k": 3, "score": "mutual_information"},
    {"how": "rfecv", "min_features": 2, "purge": 5},
    {"how": "rfecv", "min_features": 2, "estimator": "lasso", "step": 2},
    {"how": "from_model", "k": 3},
    {"how": "from_model", "estimator": "lasso", "min_features": 1, "alpha": 0.1},
    {"how": "from_model", "estimator": "trees", "min_features": 1},
]


def table(rows=200, seed=0, told=(2, 5, 9)):
    """Twelve columns of which three tell the target, each on a scale of its own."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, len(NAMES)))
    target = values[:, list(told)] @ np.array([3.0, -2.0, 1.5]) + rng.normal(0, 0.5, rows)
    scale = 10.0 ** rng.integers(-3, 4, len(NAMES))
    return pd.DataFrame(values * scale, columns=NAMES), target * 0.01


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_the_columns_that_tell_the_target_are_chosen_whatever_their_unit(choice):
    """And the same ones at a second fit; what comes out is what went in, in its order."""
    rows, target = table()
    step = SelectFeatures(**choice).fit(rows, target)
    assert {"c2", "c5", "c9"} <= set(step.selected_)
    assert len(step.selected_) < 12
    assert step.get_feature_names_out().tolist() == step.selected_
    pd.testing.assert_frame_equal(step.transform(rows), rows[step.selected_])
    again = clone(step).fit(rows.to_numpy(), target)
    assert np.array_equal(again.support_, step.support_)
    assert again.get_feature_names_out(NAMES).tolist() == step.selected_
    assert again.selected_ == [f"x{name[1:]}" for name in step.selected_]
    assert np.array_equal(again.transform(rows.to_numpy()), rows[step.selected_].to_numpy())


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_a_column_that_does_not_vary_or_has_no_values_is_never_chosen(choice):
    """Even where fewer than wanted are left; gaps elsewhere do no harm and stay gaps."""
    rows, target = table()
    rows = rows[["c2", "c5", "c0"]].assign(one=1.0, empty=np.nan)
    rows.loc[::7, "c0"] = np.nan
    fields = {key: 5 for key in ("k", "min_features") if key in choice}
    step = SelectFeatures(**{**choice, **fields}).fit(rows, target)
    assert {"c2", "c5"} <= set(step.selected_) <= {"c2", "c5", "c0"}
    assert step.transform(rows).isna().sum().sum() == rows[step.selected_].isna().sum().sum()
    with pytest.raises(DataContractError) as told:
        SelectFeatures(**{**choice, **fields, **({"k": 1} if "k" in choice else {})}).fit(
            rows[["one", "empty"]], target
        )
    assert str(told.value).startswith("selection: no column varies in the rows of the fit")
    assert told.value.todo == "Bring more rows."


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_the_best_by_a_straight_line_are_those_that_correlate_most(seed, k):
    """A second source: the correlation of NumPy."""
    rows, target = table(60, seed)
    strength = [abs(np.corrcoef(rows[name], target)[0, 1]) for name in NAMES]
    wanted = sorted(np.argsort(strength)[-k:])
    step = SelectFeatures("kbest", k=k).fit(rows, target)
    assert np.flatnonzero(step.support_).tolist() == wanted


def test_a_column_far_from_zero_is_scored_as_well_as_one_around_it():
    """Squares of large numbers would lose what tells the target; what is rounding does not vary."""
    rows, target = table()
    far = rows.assign(c5=rows["c5"] / rows["c5"].std() + 1e9, c0=1 + 1e-15 * np.arange(len(rows)))
    for choice in CHOICES:
        step = SelectFeatures(**choice).fit(far, target)
        assert {"c2", "c5", "c9"} <= set(step.selected_) <= set(NAMES[1:])


def test_mutual_information_sees_what_no_straight_line_does():
    """A parabola: no correlation, full dependence."""
    rows, _ = table(400)
    target = (rows["c4"] / rows["c4"].std()) ** 2
    seen = SelectFeatures("kbest", k=1, score="mutual_information").fit(rows, target)
    assert seen.selected_ == ["c4"]


def eliminated(values, target, folds, purge, least):
    """Slow: in each fold drop the weakest one by one; the best number; then so on all rows."""

    def strength(x, y):
        z = (x - x.mean(axis=0)) / x.std(axis=0)
        penalty = 0.01 * len(values) * np.eye(x.shape[1])
        return z, np.linalg.solve(z.T @ z + penalty, z.T @ (y - y.mean()))

    def sets(x, y):
        kept = list(range(x.shape[1]))
        while True:
            yield list(kept)
            if len(kept) == least:
                return
            kept.pop(int(np.argmin(np.abs(strength(x[:, kept], y)[1]))))

    held, errors = len(values) // (folds + 1), {}
    for number in range(folds):
        start = len(values) - (folds - number) * held
        x, y = values[: start - purge], target[: start - purge]
        after = slice(start, start + held)
        for kept in sets(x, y):
            slope = strength(x[:, kept], y)[1]
            z = (values[after][:, kept] - x[:, kept].mean(axis=0)) / x[:, kept].std(axis=0)
            wrong = target[after] - y.mean() - z @ slope
            errors[len(kept)] = errors.get(len(kept), 0) + np.sqrt(np.mean(wrong**2))
    best = min(sorted(errors), key=errors.get)
    return next(sorted(kept) for kept in sets(values, target) if len(kept) == best)


def test_elimination_is_what_its_definition_says():
    """Folds in order of time, `purge` rows apart, whose number and width change the choice."""
    found = []
    for seed in range(6):
        values, target = (np.asarray(part) for part in table(90, seed))
        target = target + np.random.default_rng(seed).normal(0, 0.05, 90)
        values = values / values.std(axis=0)
        for folds, purge in ((3, 0), (3, 20), (5, 4)):
            step = SelectFeatures("rfecv", folds=folds, purge=purge, min_features=2)
            chosen = np.flatnonzero(step.fit(values, target).support_).tolist()
            assert chosen == eliminated(values, target / target.std(), folds, purge, 2)
            found.append(tuple(chosen))
    assert any(found[i] != found[i + 1] for i in range(0, 18, 3)), "the gap matters"


def test_thresholds_are_of_importances():
    """Mean, median, a number; the fewest columns are kept, the strongest first."""
    rows, target = table()
    model = {"how": "from_model", "min_features": 1}
    for estimator in ("ridge", "trees"):
        fit = {**model, "estimator": estimator}
        mean, median = (SelectFeatures(**fit, threshold=t).fit(rows, target) for t in MIDDLES)
        assert mean.selected_ == ["c2", "c5", "c9"]
        assert len(median.selected_) == 6
    none = SelectFeatures("from_model", estimator="lasso", alpha=9.0, min_features=2)
    assert none.fit(rows, target).selected_ == ["c2", "c5"], "lasso left nothing: a line decides"
    high = SelectFeatures(**model, threshold=0.6).fit(rows, target)
    assert high.selected_ == ["c2"]


MIDDLES = ("mean", "median")


def test_of_columns_that_say_the_same_the_first_stays():
    """Whatever the sign, and also where nothing else is chosen."""
    rows, target = table()
    noise = np.random.default_rng(5).normal(size=len(rows))
    rows = rows.assign(again=rows["c2"] * -4 + 1, near=rows["c2"] / rows["c2"].std() + noise / 5)
    alone = SelectFeatures(max_correlation=0.9).fit(rows.assign(one=1.0))
    assert alone.selected_ == NAMES
    assert SelectFeatures(max_correlation=0.99).fit(rows).selected_ == [*NAMES, "near"]
    turned = rows[["near", "again", *NAMES]]
    best = SelectFeatures("kbest", k=3, max_correlation=0.9).fit(turned, target)
    assert best.selected_ == ["near", "c5", "c9"]


def test_without_a_choice_everything_passes():
    """As it came, with what does not vary."""
    rows = table()[0].assign(one=1.0)
    step = SelectFeatures().fit(rows)
    assert step.selected_ == [*NAMES, "one"]
    pd.testing.assert_frame_equal(step.transform(rows), rows)


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_a_choice_knows_the_rows_of_its_fit_only(choice):
    """In each fold it is that of the fold's rows; other rows, other columns."""
    early, late = table(120, 1), table(120, 2, told=(0, 3, 7))
    rows, target = pd.concat([early[0], late[0]]), np.append(early[1], late[1])
    folds = [(np.arange(120), np.arange(120, 240)), (np.arange(120, 240), np.arange(120))]
    model = make_pipeline(SelectFeatures(**choice), LinearRegression())
    fitted = cross_validate(model, rows, target, cv=folds, return_estimator=True)["estimator"]
    alone = [SelectFeatures(**choice).fit(*part).selected_ for part in (early, late)]
    assert [fold[0].selected_ for fold in fitted] == alone
    assert {"c2", "c5"} <= set(alone[0])
    assert {"c0", "c3"} <= set(alone[1])


def test_noise_has_no_skill_when_it_is_chosen_inside():
    """Chosen on all rows beforehand, the best of 500 columns of noise seem to tell noise."""
    rng = np.random.default_rng(3)
    values, target = rng.normal(size=(80, 500)), rng.normal(size=80)
    best = SelectFeatures("kbest", k=10)
    inside = cross_val_score(make_pipeline(best, LinearRegression()), values, target, cv=5)
    before = best.fit(values, target).transform(values)
    outside = cross_val_score(LinearRegression(), before, target, cv=5)
    assert inside.mean() < 0
    assert outside.mean() > 0.1


def test_a_saved_selection_holds_its_class_alone():
    """No estimator that was only asked stays in the model."""
    rows, target = table()
    name = "heddle.features.selection.SelectFeatures"
    for choice in CHOICES:
        data = skops.io.dumps(SelectFeatures(**choice).fit(rows, target))
        assert skops.io.get_untrusted_types(data=data) == [name]
        again = skops.io.loads(data, trusted=[name])
        assert again.selected_ == SelectFeatures(**again.get_params()).fit(rows, target).selected_


REFUSED = {
    "no how 'kbst'; did you mean 'kbest'? Known: none, kbest, rfecv, from_model": {"how": "kbst"},
    "no score 'r2'. Known: f_regression, mutual_information": {"score": "r2"},
    "no estimator 'laso'; did you mean 'lasso'? Known: ridge, lasso, trees": {"estimator": "laso"},
    "no estimator 'trees'. Known: ridge, lasso": {"how": "rfecv", "estimator": "trees"},
    "no threshold 'men'; did you mean 'mean'? Known: mean, median": {"threshold": "men"},
    "k is 13, but there are 12 columns. Set k to 12 or less.": {"how": "kbest", "k": 13},
    "k >= 1 must hold, but got 0": {"how": "from_model", "k": 0},
    "kbest needs k, the number of columns": {"how": "kbest"},
    "from_model takes k or threshold, not both": {"how": "from_model", "k": 2, "threshold": 0.1},
    "min_features >= 1 must hold, but got 0": {"min_features": 0},
    "folds >= 2 must hold, but got 1": {"folds": 1},
    "purge >= 0 must hold, but got -1": {"purge": -1},
    "alpha > 0 must hold, but got 0": {"alpha": 0},
    "0 < max_correlation <= 1 must hold, but got 1.5": {"max_correlation": 1.5},
    "200 rows are too few for 3 folds that are 50 rows apart": {"how": "rfecv", "purge": 50},
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_cannot_be_chosen_by_is_refused(said):
    """At fit, before anything is computed."""
    with pytest.raises(ConfigError) as told:
        SelectFeatures(**REFUSED[said]).fit(*table())
    assert str(told.value) == f"selection: {said}"


def test_a_target_and_the_columns_of_the_fit_are_needed():
    """Said before scikit-learn says something else."""
    rows, target = table()
    with pytest.raises(ConfigError, match="selection: kbest needs a target to select by"):
        SelectFeatures("kbest", k=2).fit(rows)
    with pytest.raises(
        DataContractError, match="selection: 11 columns came; 12 were there at fit"
    ) as told:
        SelectFeatures("kbest", k=2).fit(rows, target).transform(rows[NAMES[1:]])
    assert told.value.todo == "Bring those columns, or fit again."


def test_a_column_that_is_the_target_comes_first():
    """Its r rounds to a little above 1 for some of them, where F would be below zero."""
    for seed in range(20):
        rows, _ = table(seed=seed)
        for name in ("c0", "c7"):
            step = SelectFeatures(how="kbest", k=1).fit(rows, rows[name])
            assert step.selected_ == [name]
