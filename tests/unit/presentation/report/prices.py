"""What the stages of an invented price project published, made by the library's own functions."""

import json
import re
from datetime import date, timedelta

import numpy as np
import polars as pl

from heddle.evaluation.backtest import Rules
from heddle.evaluation.backtest_document import backtest_document
from heddle.evaluation.edge import Contender, Proof, judged
from heddle.evaluation.followed import Said, equity_table, followed
from heddle.evaluation.forecasts import forecast_scores
from heddle.evaluation.metrics import score
from heddle.evaluation.scale import meaningful
from heddle.evaluation.strategies import Market
from heddle.evaluation.walk_forward import Schedule, refits

HORIZON = 5
MODELS = ("ridge", "boosting")
BASELINES = ("persistence", "drift")
KEYS = meaningful("return")
RULES = Rules(horizon=HORIZON)
SCHEDULE = Schedule(initial_rows=100, refit_every=40, purge=HORIZON)


def weekdays(rows):
    days = (date(2015, 1, 1) + timedelta(days=i) for i in range(2 * rows))
    return [day for day in days if day.weekday() < 5][:rows]


def outcomes(rows, seed=3):
    """Returns of overlapping horizons, with forecasts that are noise."""
    dice = np.random.default_rng(seed)
    daily = dice.normal(0.001, 0.02, rows + HORIZON)
    actual = np.array([daily[i + 1 : i + 1 + HORIZON].sum() for i in range(rows)])
    said = {
        "ridge": dice.normal(0.004, 0.006, rows),
        "boosting": dice.normal(0.004, 0.012, rows),
        "persistence": np.zeros(rows),
        "drift": np.full(rows, 0.005),
    }
    return actual, said


def skilled(actual, said):
    """The same forecasts, but those of ridge know something."""
    return said | {"ridge": 0.6 * actual + said["ridge"]}


def folds(actual, said):
    parts = zip(np.array_split(actual, 5), np.array_split(said, 5), strict=True)
    return tuple(score(*part)["rmse"] for part in parts)


def selection(*, edge=False, rows=500):
    actual, said = outcomes(rows)
    said = skilled(actual, said) if edge else said
    made = [
        Contender(
            name=name,
            baseline=name in BASELINES,
            folds=folds(actual, said[name]),
            predicted=said[name],
            params={} if name in BASELINES else {"alpha": 0.5},
            trials=1 if name in BASELINES else 8,
        )
        for name in (*BASELINES, *MODELS)
    ]
    facts = {"metric": "rmse", "scale": "return", "horizon": HORIZON, "trials": 16, "seed": 1}
    return judged(made, actual, np.arange(rows), proof=Proof(draws=200), **facts)


def leaderboard():
    kept = ("candidate", "baseline", "mean", "sd", "folds", "params", "trials", "skill")
    entries = [{key: row[key] for key in kept} for row in selection()["table"]]
    trials = [
        {"study": name, "number": i, "state": "complete", "params": {"alpha": 0.1 * i + 0.1},
         "value": 0.045 + 0.001 * (i - 3) ** 2, "folds": [0.04, 0.05]}
        for name in MODELS for i in range(8)
    ]  # fmt: skip
    return {"metric": "rmse", "direction": "minimise", "skill_against": "drift",
            "entries": entries, "skipped": [], "trials": trials}  # fmt: skip


def predictions(rows=400):
    actual, said = outcomes(rows, seed=8)
    return pl.DataFrame(
        {
            "session": weekdays(rows),
            "actual": actual,
            "predicted": said["ridge"],
            "lower": said["ridge"] - 0.08,
            "upper": said["ridge"] + 0.08,
        }
    )


def evaluation(made):
    actual, predicted = made["actual"].to_numpy(), made["predicted"].to_numpy()
    base = 100 * np.exp(np.cumsum(np.r_[0.0, actual[:-1] / HORIZON]))

    inside = float(np.mean(np.abs(actual - predicted) <= 0.08))
    return {
        "test": score(actual, predicted, KEYS),
        "forecast": forecast_scores(actual, predicted, base=base, drift=0.005, horizon=HORIZON),
        "cv": score(actual, predicted, KEYS),
        "blocked_cv": {},
        "baselines": {
            name: score(actual, predicted * 0 + level, KEYS)
            for name, level in (("persistence", 0.0), ("drift", 0.005))
        },
        "segments": [],
        "capped": {},
        "importances": [
            {"feature": f"close_std_{n}", "mean": 1e-3 / n, "sd": 1e-4} for n in (5, 20)
        ],
        "interval": {"level": 0.9, "coverage": inside, "mean_width": 0.16,
                     "calibration": [{"level": v, "coverage": v - 0.01} for v in (0.5, 0.8, 0.9)]},
        "test_opened": {"rows": len(actual), "split_hash": "5eed" * 8, "times": 1},
    }  # fmt: skip


def walk(rows=420, unseen=300, seed=8):
    """A walk through time as the stage makes it, with forecasts that are noise."""
    actual, said = outcomes(rows, seed)
    plan = refits(SCHEDULE, rows, horizon=HORIZON)
    first, days = plan[0].predict.start, weekdays(rows)
    closes = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0.001, 0.02, rows)))
    market = Market(
        sessions=tuple(days[first:]), opens=closes[first:] * 1.001, closes=closes[first:]
    )
    made = Said(
        sessions=tuple(days[first:]),
        predicted=said["ridge"][first:],
        actual=actual[first:],
        drift=said["drift"][first:],
        refit=tuple(r.number for r in plan for _ in r.predict),
        plan=plan,
        chosen=tuple(("close_std_20", f"return_lag_{1 + r.number % 3}") for r in plan),
    )
    return followed(made, market, RULES, days[unseen])


def publish(project):
    """Write what the stages from the search to the registered model leave behind."""
    made, course = predictions(), walk()
    project.write("models/selection.json", selection())
    project.write("models/leaderboard.json", leaderboard())
    project.write("models/evaluation.json", evaluation(made))
    project.write(
        "models/backtest.json", backtest_document(course, RULES, SCHEDULE, seed=1, draws=50)
    )
    made.write_parquet(project.root / "models/predictions.parquet")
    equity_table(course).write_parquet(project.root / "models/equity.parquet")
    course.found["model"].trades.write_parquet(project.root / "models/trades.parquet")
    return project


def plain(section):
    """The words of a chapter, without tags and drawings."""
    text = re.sub(r"<script.*?</script>", " ", section.html, flags=re.DOTALL)
    text = re.sub(r"<[^>]+>", " ", text).replace("\N{NO-BREAK SPACE}", " ")
    return " ".join(text.split())


def spec(section, anchor):
    """What Plotly is given."""
    return json.loads(re.search(rf'id="{anchor}-spec">(.*?)</script>', section.html)[1])
