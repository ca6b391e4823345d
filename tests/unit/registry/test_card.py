"""What a version says of itself in words, tags and requirements."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from heddle.evaluation.intervals import Interval
from heddle.evaluation.metrics import METRICS
from heddle.registry.card import about, card, needed_libraries, requirements, version_tags
from heddle.registry.manifest import HistoryFacts, Manifest, Split, digest
from heddle.validation.contract import Column

FIGURES = dict.fromkeys(METRICS, 12.3456789)


def manifest(metric: str = "wmape", **changes) -> Manifest:
    told = {
        "name": "price",
        "best_model": "tree + ridge",
        "parameters": {"tree": {"depth": 3}, "ridge": {"alpha": 1.0}},
        "target": "y",
        "columns": {"b": Column(type="float"), "a": Column(type="float")},
        "seen": {},
        "metric": metric,
        "metrics": FIGURES,
        "interval": Interval(level=0.9, half=0.2),
        "split": Split(hash="s1", strategy="random", seed=42, train_rows=8000, test_rows=2000),
        "data": {"v1": {"content_hash": "d1"}, "split": {"content_hash": "d2"}},
        "config_hash": "c",
        "libraries": {},
        "cv": FIGURES,
        "baselines": {"mean": dict.fromkeys(METRICS, 40.0)},
    }
    return Manifest(**(told | changes))


@pytest.mark.parametrize("key", METRICS)
def test_the_primary_metric_is_among_the_tags(key):
    """By its name and with its figure, whichever it is."""
    tags = version_tags(manifest(key), {"git_commit": "abc", "git_dirty": False}, alias="staging")
    assert tags["primary_metric"] == key
    assert float(tags[key]) == pytest.approx(12.35, abs=0.06)
    assert tags.keys() >= {"mae", "rmse", "mape", "wmape", "r2", "within_10pct", "algorithm"}
    assert (tags["r2"], tags["within_10pct"]) == ("12.3457", "12.3")
    assert tags["manifest_sha256"] == digest(manifest(key).encoded())
    assert (tags["git_commit"], tags["git_dirty"], tags["n_features"]) == ("abc", "False", "2")


BACKTEST = {"edge": False, "part": "unseen", "sessions": 640, "against": "buy_and_hold",
            "difference": -0.3, "low": -1.0, "high": 0.4, "p_value": 0.7}  # fmt: skip


def test_a_forecast_of_returns_has_tags_of_its_own():
    """Horizon, window, baseline, edge, hashes; small figures with digits that can be told apart."""
    made = manifest(
        "rmse",
        metrics={"rmse": 0.0512345, "mae": 0.04},
        baselines={"zero": {"rmse": 0.0511}, "mean": {"rmse": 0.0522}},
        history=HistoryFacts(lookback=60, time="session", horizon=5),
        evidence={"edge": False, "words": "no edge: it is luck", "backtest": BACKTEST},
        features_hash="f00",
        split=Split(
            hash="s",
            strategy="walk_forward",
            seed=1,
            train_rows=9,
            test_rows=3,
            train_from="2010-01-04",
            train_to="2020-12-31",
        ),
    )
    tags = version_tags(made, {}, alias="staging")
    assert (tags["horizon"], tags["edge"], tags["features_hash"]) == ("5", "false", "f00")
    assert (tags["train_from"], tags["train_to"]) == ("2010-01-04", "2020-12-31")
    assert (tags["baseline"], tags["baseline_metric"]) == ("zero", "0.0511")
    assert (tags["rmse"], len(tags["data_hash"])) == ("0.051235", 64)
    assert "mape" not in tags
    told = card(made)
    assert "## Evidence\n\nno edge: it is luck.\n\nthe back-test on 640 unseen sessions: no" in told
    assert "## Evidence\n\nno edge: it is luck.\n" in card(made)
    plain = version_tags(manifest(), {}, alias="staging")
    assert not {"horizon", "edge", "train_from"} & set(plain)
    assert "## Evidence" not in card(manifest())


def test_the_card_tells_what_was_fitted_on_what_and_how_good_it_is():
    """Columns, rows, every figure, the baselines and each member's parameters."""
    said = card(manifest(blocked_cv=FIGURES))
    assert said.startswith("# price: tree + ridge\n\nPredicts `y` from 2 columns: `b`, `a`.")
    assert "Fitted on 8,000 rows, scored once on 2,000 rows" in said
    assert "| wmape | 12.3457 % |" in said
    assert "wmape on folds 12.3457 %; 12.3457 % where whole blocks were held out." in said
    assert "| mean | 40 % |" in said
    assert "- `ridge`: alpha 1\n" in said
    assert "on folds" not in card(manifest(cv={}))


def test_a_model_is_told_in_what_all_its_versions_share():
    """No figure, no number: those are each version's."""
    said = about(manifest(), "register")
    assert said.startswith("`price` predicts `y` from raw rows.")
    assert "stage `register`" in said
    assert "from the data versions `v1` and `split`." in said
    assert "12.3" not in said


def test_the_libraries_are_those_of_the_estimators_as_they_are_installed():
    """One of two distributions of the same library is enough, an absent one is left out."""
    plain, boosted = needed_libraries(["ridge"]), needed_libraries(["lightgbm"])
    assert set(boosted) == {*plain, "lightgbm"}
    assert boosted["lightgbm"] == version("lightgbm")
    assert requirements({"b": "2", "a": "1"}) == ("a==1", "b==2")
