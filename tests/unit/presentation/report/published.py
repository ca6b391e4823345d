"""What the stages of an invented project published, by the schemas that stages hand on."""

import math

import numpy as np
import polars as pl

from heddle.evaluation.metrics import score

LETTERS = ("plain", "<1H & more", "far")
STUDIES = ("boosting", "forest")


def frame(rows):
    dice = np.random.default_rng(3)
    size = dice.lognormal(4, 0.6, rows)
    return pl.DataFrame(
        {
            "size": size,
            "age": [None if i % 17 == 0 else float(i % 60) for i in range(rows)],
            "kind": [LETTERS[i % 3] for i in range(rows)],
            "price": 2000 * size * dice.lognormal(0, 0.2, rows),
        }
    )


def folds(mean, place):
    return [mean * (1 + 0.05 * math.sin(place + i)) for i in range(5)]


def imputation():
    errors = {"iterative": 71.7, "knn": 153.2, "mean": 438.5, "median": 459.6}
    return {
        "columns": ["age"],
        "metric": "rmse",
        "winner": "iterative",
        "choice": "iterative",
        "methods": [
            {"method": m, "rmse": e, "sd": e / 9, "relative": e / 438.5, "per_column": {"age": e}}
            for m, e in errors.items()
        ],
        "note": None,
    }


def clusters():
    def row(kind, k, gamma, mean):
        return {
            "kind": kind,
            "k": k,
            "gamma": gamma,
            "mean": mean,
            "sd": 0.4,
            "folds": folds(mean, k or 0),
        }

    tried = [row("none", None, None, 15.3), row("labels", 10, None, 15.1)]
    tried += [row("labels", 30, None, 14.8)]
    tried += [
        row("rbf", k, gamma, 14.9 - k / 100 + abs(gamma - 1) / 4)
        for gamma in (0.3, 1.0, 3.0)
        for k in (20, 60, 100)
    ]
    return {
        "columns": ["north", "east"],
        "geometry": [
            {
                "k": k,
                "inertia": 9e4 / k,
                "silhouette": 0.6 - k / 100,
                "davies_bouldin": 0.5 + 1 / k,
                "calinski_harabasz": 2e4 + 500 * math.sin(k),
            }
            for k in range(2, 21)
        ],
        "metric": "wmape",
        "cv": tried,
        "choice": {"kind": "rbf", "k": 100, "gamma": 1.0},
    }


def trial(study, number, state, value, **params):
    return {
        "study": study,
        "number": number,
        "state": state,
        "params": params,
        "value": value,
        "folds": [] if value is None else folds(value, number),
    }


def trials():
    dice = np.random.default_rng(5)
    rows = []
    for study in STUDIES:
        for number in range(24):
            rate = float(10 ** dice.uniform(-2.5, -0.5))
            value = 13.4 + 1.5 * abs(math.log10(rate) + 1.3) + float(dice.normal(0, 0.15))
            state = "pruned" if number % 7 == 5 else "complete"
            if number == 11:
                state, value = "failed", None
            if number == 3:
                value = 44.0
            rows.append(
                trial(
                    study,
                    number,
                    state,
                    value,
                    learning_rate=rate,
                    leaves=int(dice.integers(8, 128)),
                    target="log" if number % 3 else "none",
                )
            )
    return rows


def leaderboard():
    means = {"boosting": 13.9, "forest": 15.2, "ridge": 21.6, "linear": 21.9, "median": 43.7}
    return {
        "metric": "wmape",
        "direction": "minimise",
        "entries": [
            {
                "candidate": name,
                "baseline": name in {"linear", "median"},
                "mean": mean,
                "sd": mean / 30,
                "folds": folds(mean, i),
                "params": {} if name in {"linear", "median"} else {"alpha": 0.18, "depth": 8},
                "trials": 1 if name in {"linear", "median"} else 6,
            }
            for i, (name, mean) in enumerate(means.items())
        ],
        "skipped": [{"candidate": "xgboost", "reason": "xgboost is not installed"}],
        "trials": trials()[:6],
    }


def best():
    return {
        "metric": "wmape",
        "value": 13.35,
        "members": [
            {
                "candidate": study,
                "estimator": study,
                "value": 13.5,
                "params": {"learning_rate": 0.05, "leaves": 40},
            }
            for study in STUDIES
        ],
        "imputation": "iterative",
        "clusters": {"kind": "rbf", "k": 100, "gamma": 1.0},
        "bounds": ["boosting.learning_rate lies at its upper bound 0.2"],
    }


def predictions(rows=900):
    dice = np.random.default_rng(7)
    actual = dice.lognormal(12, 0.5, rows)
    predicted = actual * dice.lognormal(0.01, 0.15, rows)
    return pl.DataFrame(
        {
            "row_id": [f"{i:05d}" for i in range(rows)],
            "actual": actual,
            "predicted": predicted,
            "lower": predicted * 0.75,
            "upper": predicted * 1.25,
        }
    )


def evaluation(made):
    actual, predicted = made["actual"].to_numpy(), made["predicted"].to_numpy()
    test = score(actual, predicted)
    parts = [actual < 1e5, actual < 2e5, actual >= 2e5]
    return {
        "test": test,
        "cv": {k: v * 1.01 for k, v in test.items()},
        "blocked_cv": {k: v * (0.8 if k == "r2" else 1.4) for k, v in test.items()},
        "baselines": {
            name: score(actual, predicted * 0 + level)
            for name, level in (("mean", actual.mean()), ("median", np.median(actual)))
        },
        "segments": [
            {"by": "kind", "segment": name, "rows": int(p.sum()), **score(actual[p], predicted[p])}
            for name, p in zip(LETTERS, parts, strict=True)
        ],
        "capped": {
            "capped": {"rows": 40, **score(actual[:40], predicted[:40])},
            "uncapped": {"rows": 860, **score(actual[40:], predicted[40:])},
        },
        "importances": [
            {"feature": "size", "mean": 14.2, "sd": 0.7},
            {"feature": "kind", "mean": 2.1, "sd": 0.3},
            {"feature": "age", "mean": -0.02, "sd": 0.05},
        ],
        "impurity_importances": {
            "members": ["forest"],
            "offsets": ["age"],
            "columns": [{"feature": "size", "share": 0.75}, {"feature": "age", "share": 0.25}],
        },
        "interval": {
            "level": 0.9,
            "coverage": 0.893,
            "mean_width": 88123.4,
            "calibration": [
                {"level": v, "coverage": v - 0.02} for v in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
            ],
        },
        "test_opened": {"rows": len(actual), "split_hash": "5eed" * 8, "times": 1},
    }


def model_config(test):
    return {
        "model": {
            "name": "price",
            "version": "3",
            "stage": "staging",
            "best_model": "boosting + forest",
            "parameters": {"boosting": {"learning_rate": 0.05}, "forest": {"depth": 8}},
            "primary_metric": "wmape",
            "metrics": test,
            "target_variable": "price",
            "num_features": 3,
            "split": {
                "hash": "5eed" * 8,
                "strategy": "stratified",
                "seed": 42,
                "train_rows": 3600,
                "test_rows": 900,
                "test_opened": 1,
            },
            "data": {"v1": {"content_hash": "ab" * 16, "sha256": "cd" * 32, "rows": 1200}},
            "config_hash": "0123456789abcdef",
            "git_commit": "f" * 40,
            "git_dirty": False,
            "libraries": {"numpy": "2.4.0", "scikit-learn": "1.9.1"},
            "python": "3.11.9",
            "manifest_sha256": "9" * 64,
            "files": {"model.skops": "8" * 64},
        }
    }


STAGES = {
    "ingest": ([], ["v0"]),
    "ratios": (["v0"], ["v1"]),
    "split": (["v1"], ["split"]),
    "imputation_study": (["v1", "split"], ["models/imputation_study.json"]),
    "cluster_study": (["v1", "split"], ["models/cluster_study.json"]),
    "compete": (
        ["v1", "split", "models/imputation_study.json", "models/cluster_study.json"],
        ["models/leaderboard.json", "reports/timings/compete.json"],
    ),
    "tune": (
        ["v1", "split", "models/leaderboard.json"],
        ["models/best_params.yaml", "models/trials.json"],
    ),
    "register": (
        ["v1", "split", "models/best_params.yaml"],
        ["models/evaluation.json", "models/predictions.parquet"],
    ),
    "report": (
        ["v0", "v1", "split", "models/trials.json", "models/evaluation.json"],
        ["reports/report.html"],
    ),
}


def files(names):
    both = ("data/{0}/{0}.parquet", "data/{0}/{0}_metadata.json")
    return [p for n in names for p in ([n] if "/" in n else [form.format(n) for form in both])]


def dvc_yaml():
    return {
        "stages": {
            name: {
                "desc": f"What {name} does.",
                "cmd": f"heddle stage {name}",
                "deps": files(reads),
                "outs": [{p: {"cache": True}} if i else p for i, p in enumerate(files(writes))],
            }
            for name, (reads, writes) in STAGES.items()
        }
    }


def timings():
    parts = {"boosting": 42.98, "forest": 191.0, "ridge": 0.16, "linear": 0.06, "median": 0.03}
    return {name: {"seconds": 131.5, "parts": parts} for name in ("compete", "tune")}
