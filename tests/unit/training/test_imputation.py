"""The study of gaps: hidden cells stay hidden, units do not vote."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError
from heddle.domain.typed import build
from heddle.training.imputation import impute_study, masks
from heddle.training.plans import ImputationPlan

CHEAP = {"methods": ("mean", "median", "iterative"), "candidates": ("mean", "median", "iterative")}


def table(rows=300, seed=0):
    """`twice` follows `x`, `noise` follows nothing; both have gaps."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    frame = pd.DataFrame({"x": x, "twice": 2 * x + rng.normal(0, 0.1, rows)})
    frame["noise"] = rng.normal(0, 1000, rows)
    frame.loc[rng.random(rows) < 0.1, "twice"] = np.nan
    frame.loc[rng.random(rows) < 0.1, "noise"] = np.nan
    return frame


def test_a_column_is_never_filled_from_itself():
    """Nothing tells of `noise`: no method may come below its own spread."""
    found = impute_study(table(), ImputationPlan(**CHEAP, masked=60))
    assert found.columns == ("twice", "noise")
    for method in found.methods:
        assert method.per_column["noise"] > 700


def test_the_winner_is_told_by_shares_not_by_units():
    """In dollars the mean of `noise` would decide; relative to it the gain on `twice` does."""
    found = impute_study(table(), ImputationPlan(**CHEAP, masked=60))
    scores = {m.method: m for m in found.methods}
    assert found.winner == found.choice == "iterative"
    assert scores["mean"].relative == pytest.approx(1.0)
    assert scores["iterative"].relative < 0.6
    assert [m.relative for m in found.methods] == sorted(m.relative for m in found.methods)


def test_the_mean_agrees_with_its_definition_read_aloud():
    frame = table()
    plan = ImputationPlan(**CHEAP, masked=60, repeats=2)
    values = frame.to_numpy()
    wanted = []
    for hidden in masks(values, [1, 2], plan):
        per_column = []
        for column in (1, 2):
            rows = np.flatnonzero(hidden[:, column])
            left = np.delete(values[:, column], rows)
            guess = left[~np.isnan(left)].mean()
            per_column.append(np.sqrt(((values[rows, column] - guess) ** 2).mean()))
        wanted.append(per_column)
    found = {m.method: m for m in impute_study(frame, plan).methods}["mean"]
    assert list(found.per_column.values()) == pytest.approx(np.mean(wanted, axis=0))
    assert found.rmse == pytest.approx(np.mean(wanted))
    assert found.sd == pytest.approx(np.std(np.mean(wanted, axis=1), ddof=1))


@settings(max_examples=40)
@given(st.integers(0, 99), st.integers(1, 40), st.floats(0.05, 0.6))
def test_masks_hide_known_cells_only_and_leave_each_column_something(seed, masked, share):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(40, 4))
    values[:, :3][rng.random((40, 3)) < share] = np.nan
    columns = [i for i in range(4) if np.isnan(values[:, i]).any()]
    for hidden in masks(values, columns, ImputationPlan(masked=masked)):
        assert not (hidden & np.isnan(values)).any()
        assert not hidden[:, 3].any()
        assert (~np.isnan(np.where(hidden, np.nan, values))).any(axis=0).all()
        assert all(hidden[:, c].any() for c in columns)


def test_columns_that_are_missing_together_are_hidden_together():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(200, 3))
    values[:20, 1:] = np.nan
    for hidden in masks(values, [1, 2], ImputationPlan(masked=30)):
        assert (hidden[:, 1] == hidden[:, 2]).all()


def test_the_same_seed_gives_the_same_study():
    plan = ImputationPlan(methods=("knn", "iterative_forest"), candidates=("knn",), masked=30)
    assert impute_study(table(), plan) == impute_study(table(), plan)


@pytest.mark.parametrize(
    ("wanted", "candidates", "choice"),
    [
        ("auto", ("mean", "median"), "mean"),
        ("median", ("mean",), "median"),
        ("none", ("mean",), "none"),
        ("knn", ("mean",), "knn"),
        ("iterative", ("mean",), "iterative"),
        ("iterative", ("mean", "iterative"), "iterative"),
    ],
)
def test_the_configuration_has_the_last_word(wanted, candidates, choice):
    frame = table(seed=3)
    found = impute_study(
        frame,
        ImputationPlan(
            imputation=wanted, methods=CHEAP["methods"], candidates=candidates, masked=60
        ),
    )
    if wanted != "auto":
        assert found.choice == choice
    else:
        best = next(m.method for m in found.methods if m.method in candidates)
        assert found.choice == best
    assert found.winner == "iterative"


@pytest.mark.parametrize(
    ("values", "note"),
    [([1.0, 2.0, 3.0], "no missing values"), ([np.nan] * 3, "no column has both gaps and values")],
)
def test_nothing_to_learn_from_keeps_the_safe_choice(values, note):
    found = impute_study(pd.DataFrame({"x": values}), ImputationPlan())
    assert (found.note, found.choice, found.winner, found.methods) == (note, "median", None, ())


def test_a_constant_column_with_gaps_is_no_division_by_zero():
    frame = pd.DataFrame({"x": np.arange(50.0), "c": [np.nan] + [3.0] * 49})
    found = impute_study(frame, ImputationPlan(**CHEAP))
    assert all(m.relative == pytest.approx(1.0) for m in found.methods)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"methods": ["meen"]}, r"study.methods\[0\].*'meen'"),
        ({"methods": []}, r"methods must name at least one method"),
        ({"methods": ["mean"], "candidates": ["knn"]}, r"candidate 'knn' is not among the methods"),
        ({"repeats": 0}, r"repeats and masked must be at least 1"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(wrong, words):
    with pytest.raises(ConfigError, match=words):
        build(ImputationPlan, wrong, where="study")


def test_a_column_without_gaps_is_studied_when_the_plan_names_it() -> None:
    """A column that may be missing later gets a measured choice though no training row lacks it."""
    rng = np.random.default_rng(3)
    base = rng.normal(size=300)
    table = pd.DataFrame({"a": base, "b": 2 * base + rng.normal(scale=0.01, size=300)})
    plan = ImputationPlan(
        methods=("mean", "iterative"), candidates=("mean", "iterative"), columns=("b",)
    )

    found = impute_study(table, plan)

    assert found.columns == ("b",)
    assert found.choice == "iterative"


def test_a_named_column_that_does_not_exist_is_refused() -> None:
    """The error names the column and the nearest one."""
    with pytest.raises(ConfigError, match="'bb' is no number column of the model"):
        impute_study(pd.DataFrame({"b": [1.0, 2.0]}), ImputationPlan(columns=("bb",)))
