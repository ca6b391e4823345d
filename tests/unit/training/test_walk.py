import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

from heddle.evaluation.forecasts import information_coefficient
from heddle.evaluation.walk_forward import Refit, Schedule, refits
from heddle.models.candidates import read_candidates
from heddle.models.features import read_features
from heddle.registry.final_model import builder
from heddle.training.walk import walk
from heddle.training.workers import workers

ROWS = pd.DataFrame({"at": np.arange(40.0)})
TARGET = np.arange(40.0) ** 2
PLAN = refits(Schedule(initial_rows=20, refit_every=8, purge=3, embargo=1), 40, horizon=3)


class Newest(RegressorMixin, BaseEstimator):
    """Say the last target that was learned from, and the number of rows."""

    def __init__(self, slow=0.0):
        self.slow = slow

    def fit(self, X, y):
        time.sleep(self.slow if len(X) == len(PLAN[0].train) else 0)
        self.said_ = 1000 * len(X) + y[-1]
        return self

    def predict(self, X):
        return np.full(len(X), self.said_)


def test_each_row_is_told_by_the_refit_before_it_from_what_was_known():
    """By hand: the fit of session 20 knows targets up to that of session 15."""
    with workers(1) as pool:
        made = walk(lambda: make_pipeline(Newest()), ROWS, TARGET, PLAN, pool)
    assert np.isnan(made.predicted[:20]).all()
    assert made.predicted[20:28].tolist() == [16_000 + 15**2] * 8
    assert made.predicted[28:36].tolist() == [24_000 + 23**2] * 8
    assert made.predicted[36:].tolist() == [32_000 + 31**2] * 4
    assert made.drift[20] == TARGET[:16].mean()
    assert np.isnan(made.drift[19])
    assert made.chosen == ((), (), ())


def test_refits_are_told_one_by_one_in_their_order():
    """For the bar that a person looks at."""
    seen = []
    with workers(1) as pool:
        walk(lambda: make_pipeline(Newest()), ROWS, TARGET, PLAN, pool, on_refit=seen.append)
    assert [refit.number for refit in seen] == [1, 2, 3]


def test_who_is_done_first_changes_nothing():
    """Two at a time, the first one the slowest."""
    with ThreadPoolExecutor(2) as several, workers(1) as one:
        found = [
            walk(lambda slow=slow: make_pipeline(Newest(slow=slow)), ROWS, TARGET, PLAN, pool)
            for pool, slow in ((several, 0.05), (one, 0.0))
        ]
    assert found[0].predicted[20:].tolist() == found[1].predicted[20:].tolist()
    assert found[0].chosen == found[1].chosen


def test_shuffled_labels_leave_no_skill_but_where_the_forecast_rows_are_learned_from():
    """The walk leaks nothing; one that did would be found out."""
    dice = np.random.default_rng(3)
    rows = pd.DataFrame(dice.normal(size=(600, 4)), columns=list("abcd"))
    target = dice.permutation(rows["a"].to_numpy() + dice.normal(0, 0.1, 600))
    honest = refits(Schedule(initial_rows=200, refit_every=100, purge=3), 600, horizon=3)
    leaky = [Refit(number=r.number, train=range(r.predict.stop), predict=r.predict) for r in honest]
    found = []
    for plan in (honest, leaky):
        with workers(1) as pool:
            made = walk(
                lambda: make_pipeline(DecisionTreeRegressor(random_state=1)),
                rows,
                target,
                plan,
                pool,
            )
        found.append(information_coefficient(target[200:], made.predicted[200:])[0])
    assert abs(found[0]) < 1.96 / np.sqrt(399)
    assert found[1] > 0.99


def test_what_selects_features_does_so_at_each_refit():
    """The column that matters changes half-way, and so does what is kept."""
    dice = np.random.default_rng(0)
    rows = pd.DataFrame(dice.normal(size=(400, 3)), columns=["a", "b", "c"])
    target = np.where(np.arange(400) < 200, rows["a"], 5 * rows["b"]) + dice.normal(0, 0.1, 400)
    told = {"numeric": ["a", "b", "c"], "selection": {"how": "kbest", "k": 1}}
    best = {
        "members": [{"candidate": "ridge", "estimator": "ridge", "params": {}}],
        "imputation": "median",
        "clusters": {"kind": "none"},
    }
    build = builder(
        best,
        read_features(told, where="test"),
        read_candidates({"ridge": {"estimator": "ridge"}}, where="test"),
        seed=1,
    )
    plan = refits(
        Schedule(initial_rows=150, refit_every=240, window="rolling", window_rows=100),
        400,
        horizon=1,
    )
    with workers(1) as pool:
        made = walk(build, rows, np.asarray(target), plan, pool)
    assert made.chosen == (("a",), ("b",))
