import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold, cross_val_predict

from heddle.domain.errors import ConfigError
from heddle.evaluation.baselines import constant_baselines, not_beaten
from heddle.evaluation.folds import cross_validate
from heddle.evaluation.importances import permutation_importances
from heddle.evaluation.metrics import score
from heddle.evaluation.segments import Segment, capped_rows, segments

RNG = np.random.default_rng(5)
ROWS = pd.DataFrame(RNG.normal(size=(200, 3)), columns=["strong", "weak", "noise"])
TARGET = (10 + 5 * ROWS["strong"] + ROWS["weak"]).to_numpy()
FOLDS = list(KFold(4, shuffle=True, random_state=0).split(ROWS))


def test_out_of_fold_predictions_agree_with_scikit_learn():
    """Each row is predicted by the model of the fold that held it out."""
    made = cross_validate(LinearRegression, ROWS, TARGET, FOLDS)
    expected = cross_val_predict(LinearRegression(), ROWS, TARGET, cv=FOLDS)
    np.testing.assert_array_equal(made.predicted, expected)
    assert made.folds[0] == score(TARGET[FOLDS[0][1]], expected[FOLDS[0][1]])
    assert made.mean["mae"] == pytest.approx(np.mean([f["mae"] for f in made.folds]))
    assert made.sd["mae"] == pytest.approx(np.std([f["mae"] for f in made.folds], ddof=1))
    assert made.models == ()


def test_rows_that_no_fold_holds_out_have_no_prediction():
    """They are NaN, so that nobody scores them by accident; the bar is told of each fold."""
    seen = []
    made = cross_validate(DummyRegressor, ROWS, TARGET, FOLDS[:2], on_fold=seen.append)
    assert np.isnan(made.predicted).sum() == 100
    assert seen == [0, 1]
    with pytest.raises(ValueError, match="two folds or more, not 1"):
        cross_validate(DummyRegressor, ROWS, TARGET, FOLDS[:1])


def test_importances_agree_with_shuffling_one_column_at_a_time():
    """The stacked prediction gives what a plain loop with the same shuffles gives."""
    models = cross_validate(LinearRegression, ROWS, TARGET, FOLDS, keep=True).models
    held = [valid for _, valid in FOLDS]
    names = ["noise", "strong", "weak"]
    table = permutation_importances(
        models, ROWS, TARGET, held, columns=names, key="mae", seed=3, repeats=2, most_rows=30
    )
    slow = {name: [] for name in names}
    for number, (model, positions) in enumerate(zip(models, held, strict=True)):
        rng = np.random.default_rng([3, number])
        kept = np.sort(rng.permutation(positions)[:30])
        base = np.abs(TARGET[kept] - model.predict(ROWS.iloc[kept])).mean()
        for name in names:
            for order in [rng.permutation(30) for _ in range(2)]:
                mixed = ROWS.iloc[kept].copy()
                mixed[name] = mixed[name].to_numpy()[order]
                slow[name].append(np.abs(TARGET[kept] - model.predict(mixed)).mean() - base)
    assert [row["feature"] for row in table] == ["strong", "weak", "noise"]
    for row in table:
        assert row["mean"] == pytest.approx(np.mean(slow[row["feature"]]))
        assert row["sd"] == pytest.approx(np.std(slow[row["feature"]]))


def test_importances_are_losses_also_of_a_metric_that_is_maximised():
    """A useful column has a positive figure under R2 too."""
    models = cross_validate(LinearRegression, ROWS, TARGET, FOLDS, keep=True).models
    table = permutation_importances(
        models, ROWS, TARGET, [v for _, v in FOLDS], columns=["strong"], key="r2", seed=1
    )
    assert table[0]["mean"] > 0.5


def test_segments_score_their_own_rows_only():
    """Values, bins and the missing are segments; each row counts once per column."""
    rows = pd.DataFrame({"kind": ["a", "b", None, "a"], "size": [1.0, 2.0, 3.0, np.nan]})
    actual, predicted = np.array([1.0, 2.0, 4.0, 5.0]), np.array([1.0, 3.0, 4.0, 4.0])
    by = [Segment(column="kind"), Segment(column="size", edges=(1.0, 2.0))]
    table = segments(rows, actual, predicted, by)
    seen = [(r["by"], r["segment"], r["rows"], r["mae"]) for r in table]
    assert seen == [
        ("kind", "a", 2, 0.5),
        ("kind", "b", 1, 1.0),
        ("kind", "(missing)", 1, 0.0),
        ("size", "(-inf, 1]", 1, 0.0),
        ("size", "(1, 2]", 1, 1.0),
        ("size", "(2, inf)", 1, 0.0),
        ("size", "(missing)", 1, 1.0),
    ]
    with pytest.raises(ConfigError, match="no column 'knd'; did you mean 'kind'"):
        segments(rows, actual, predicted, [Segment(column="knd")])
    with pytest.raises(ValueError, match="edges must ascend"):
        Segment(column="size", edges=(2.0, 1.0))


def test_capped_rows_are_those_at_the_cap():
    """Rows at the cap and below it are scored apart; a side without rows is left out."""
    found = capped_rows([1.0, 5.0, 5.0], [1.0, 4.0, 5.0], cap=5.0)
    assert {k: (v["rows"], v["mae"]) for k, v in found.items()} == {
        "capped": (2, 0.5),
        "uncapped": (1, 0.0),
    }
    assert set(capped_rows([1.0], [1.0], cap=5.0)) == {"uncapped"}


def test_constant_baselines_are_what_scikit_learns_dummies_predict():
    """A second source for the mean and the median."""
    made = constant_baselines(TARGET, 2)
    for name, values in made.items():
        dummy = DummyRegressor(strategy=name).fit(ROWS, TARGET)
        np.testing.assert_allclose(values, dummy.predict(ROWS[:2]))
    with pytest.raises(ValueError, match="finite in every row"):
        constant_baselines([1.0, np.nan], 1)


def test_a_baseline_that_is_as_good_is_not_beaten():
    """Equal counts for the baseline, in both directions of a metric."""
    assert not_beaten("r2", 0.5, {"mean": 0.0, "linear": 0.5, "other": 0.6}) == ("other", "linear")
    assert not_beaten("rmse", 1.0, {"mean": 2.0}) == ()
