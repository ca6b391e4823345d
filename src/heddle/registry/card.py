"""What a registered version says in words and tags."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from heddle.evaluation.metrics import METRICS
from heddle.registry.evidence import backtest_words
from heddle.registry.manifest import Manifest, digest

__all__ = ["about", "card", "needed_libraries", "requirements", "version_tags"]

_ALWAYS = ("heddle-ml", "numpy", "pandas", "polars", "narwhals", "scikit-learn", "scipy", "skops")
_DIGITS = {"mae": 2, "rmse": 2, "mape": 2, "wmape": 2, "r2": 4, "within_10pct": 1}
_OF_ESTIMATOR = {"lightgbm": ("lightgbm",), "xgboost": ("xgboost-cpu", "xgboost")}


def needed_libraries(estimators: Sequence[str]) -> dict[str, str]:
    """Return name -> installed version of what a model of these estimators needs to predict.

    >>> sorted(needed_libraries(["ridge"]))[:2]
    ['heddle-ml', 'narwhals']
    """
    names = [*_ALWAYS, *(n for e in estimators for n in _OF_ESTIMATOR.get(e, ()))]
    found: dict[str, str] = {}
    for name in sorted(set(names)):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # one of two distributions of the same library
            continue
    return found


def requirements(libraries: Mapping[str, str]) -> tuple[str, ...]:
    """Return pip's words for exactly these versions.

    >>> requirements({"skops": "0.16.0"})
    ('skops==0.16.0',)
    """
    return tuple(f"{name}=={number}" for name, number in sorted(libraries.items()))


def version_tags(manifest: Manifest, facts: Mapping[str, Any], *, alias: str) -> dict[str, str]:
    """Return the tags of a version: what it is searched and listed by."""
    digits = {manifest.metric: 4 if METRICS[manifest.metric].unit == "ratio" else 2} | _DIGITS
    found = {k: manifest.metrics[k] for k in digits if k in manifest.metrics}
    small = {k: 6 for k, v in found.items() if METRICS[k].unit == "target" and abs(v) < 1}
    scores = {k: f"{v:.{(digits | small)[k]}f}" for k, v in found.items()}
    return {
        "algorithm": manifest.best_model,
        "framework": "sklearn",
        "primary_metric": manifest.metric,
        **scores,
        "n_features": str(len(manifest.columns)),
        "target": manifest.target,
        "deployment_alias": alias,
        "manifest_sha256": digest(manifest.encoded()),
        "config_hash": manifest.config_hash,
        "split_hash": manifest.split.hash,
        "data_hash": digest(json.dumps(_contents(manifest)).encode()),
        "features_hash": manifest.features_hash,
        "git_commit": str(facts.get("git_commit", "")),
        "git_dirty": str(facts.get("git_dirty")),
        **_beside(manifest),
    }


def _contents(manifest: Manifest) -> list[tuple[str, Any]]:
    return [(version, told.get("content_hash")) for version, told in sorted(manifest.data.items())]


def _beside(manifest: Manifest) -> dict[str, str]:
    """Return tags of what not every model has: a baseline, a window in time, an edge."""
    split, judge = manifest.split, METRICS[manifest.metric]
    others = {name: figures[judge.key] for name, figures in manifest.baselines.items()}
    tags: dict[str, str] = {}
    if others:
        best = (min if judge.direction == "minimise" else max)(others, key=others.__getitem__)
        tags |= {"baseline": best, "baseline_metric": f"{others[best]:.6g}"}
    if manifest.history is not None:
        tags["horizon"] = str(manifest.history.horizon)
    if split.train_from and split.train_to:
        tags |= {"train_from": split.train_from, "train_to": split.train_to}
    if manifest.refit is not None:
        tags["fitted_on"] = manifest.fitted_on
    if "edge" in manifest.evidence:
        tags["edge"] = str(manifest.evidence["edge"]).lower()
    return tags


def about(manifest: Manifest, stage: str) -> str:
    """Return what is true of every version of a model: the registered model's description.

    Args:
        manifest: of the first version.
        stage: that registers the versions.
    """
    data = " and ".join(f"`{version}`" for version in manifest.data)
    return (
        f"`{manifest.name}` predicts `{manifest.target}` from raw rows.\n\n"
        f"Its versions are fitted pipelines that stage `{stage}` of `heddle run` registers, from"
        f" the data versions {data}. Each version's description has its figures; its tags have the"
        " hashes of its manifest, configuration and split, and the commit; its aliases say what"
        " it is used for.\n"
    )


def card(manifest: Manifest) -> str:
    """Return a version's description in markdown."""
    split = manifest.split
    rows = "\n".join(f"| {name} | {_figure(name, v)} |" for name, v in manifest.metrics.items())
    key = manifest.metric
    beside = "\n".join(
        f"| {name} | {_figure(key, figures[key])} |" for name, figures in manifest.baselines.items()
    )
    members = "\n".join(
        f"- `{name}`: {_worded(told)}" for name, told in manifest.parameters.items()
    )
    blocked = (
        f"; {_figure(key, manifest.blocked_cv[key])} where whole blocks were held out"
        if manifest.blocked_cv
        else ""
    )
    found = (manifest.evidence.get("words"), backtest_words(manifest.evidence))
    words = "".join(f"{line}.\n\n" for line in found if line)
    proof = f"## Evidence\n\n{words}" if words else ""
    folds = f"{key} on folds {_figure(key, manifest.cv[key])}{blocked}.\n\n" if manifest.cv else ""
    return (
        f"# {manifest.name}: {manifest.best_model}\n\n"
        f"Predicts `{manifest.target}` from {len(manifest.columns)} columns:"
        f" {', '.join(f'`{c}`' for c in manifest.columns)}.\n\n"
        f"Fitted on {split.train_rows:,} rows, scored once on {split.test_rows:,} rows that nothing"
        f" had seen (split `{split.strategy}`, seed {split.seed}).\n\n{_again(manifest)}"
        f"| metric | test |\n|---|---|\n{rows}\n\n{folds}"
        f"| baseline | {key} |\n|---|---|\n{beside}\n\n{proof}## Parameters\n\n{members}\n"
    )


def _figure(metric: str, value: float) -> str:
    """Return a figure as a person reads it, with its unit where that is not the target's."""
    unit = " %" if metric in METRICS and METRICS[metric].unit == "%" else ""
    return f"{value:,.6g}{unit}"


def _worded(parameters: Mapping[str, Any]) -> str:
    """Return parameters in a line; the manifest has all their digits."""
    told = (
        f"{name} {value:.6g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in parameters.items()
    )
    return ", ".join(told) or "none of its own"


def _again(manifest: Manifest) -> str:
    """Return the paragraph on the second fit, "" where there was none."""
    if manifest.refit is None:
        return ""
    return (
        f"Then the model that is kept was fitted once more, with the same parameters, on all rows"
        f" whose target is known: {manifest.refit.words}. Metrics, baselines and interval are those"
        f" of the judged fit, on {manifest.judged.words}.\n\n"
    )
