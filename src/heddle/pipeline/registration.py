"""What is kept of a registered model: its files, the same on every rerun, and its version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heddle.domain.typed import plain
from heddle.pipeline.context import StageContext

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from heddle.domain.entities import ModelVersion
    from heddle.domain.ports import TrackedRun
    from heddle.features.price_history import PriceHistory
    from heddle.models.assembly import Features
    from heddle.models.candidates import Candidate
    from heddle.pipeline.steps.register import Register
    from heddle.registry.final_model import FinalFit
    from heddle.registry.manifest import Fit, Manifest, Split
    from heddle.registry.verdict import Verdict
    from heddle.training.dataset import Dataset, Part

__all__ = ["Found", "Ready", "Saved", "add_version", "write_files"]

_FOLDER = "models/model"
_ARTIFACTS = {
    **dict.fromkeys(("model_config.yaml", "model/manifest.json", "best_params.yaml"), "config"),
    **dict.fromkeys(("evaluation.json", "predictions.parquet"), "evaluation"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The configuration, read."""

    features: Features
    candidates: tuple[Candidate, ...]
    best: Mapping[str, Any]
    versions: tuple[str, str]  # rows, split


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was fitted and seen, and on which rows."""

    fit: FinalFit
    verdict: Verdict
    importances: Mapping[str, Any]
    data: Dataset
    test: Part
    model: Any  # that is kept
    known: Part | None = None  # rows that it was fitted on, if it is not the one that was judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """The model as it is kept: raw rows in, predictions out."""

    model: Any
    manifest: Manifest
    example: pd.DataFrame  # a few raw rows
    figures: Mapping[str, float]  # those of metrics.json


def write_files(ctx: StageContext, cfg: Register, ready: Ready, found: Found) -> Saved:
    """Write models/model, evaluation.json, predictions.parquet and metrics.json."""
    from heddle.frames.atomic import beside
    from heddle.models.trusted import TRUSTED_TYPES
    from heddle.registry.model_files import save_model

    fit, manifest = found.fit, _manifest(ctx, cfg, ready, found)
    model, sample, reference = _kept(ctx, cfg, ready, found, manifest)
    place = ctx.path(_FOLDER)
    made = save_model(place, model, manifest, sample, TRUSTED_TYPES, reference=reference)
    told = found.verdict.document
    ctx.write_json(
        "models/evaluation.json",
        {
            **told,
            "cv": fit.cv,
            "blocked_cv": fit.blocked_cv,
            **found.importances,
            **_fits(made),
            "test_opened": {
                "rows": len(found.test.target),
                "split_hash": manifest.split.hash,
                "times": 1,
            },
        },
    )
    with beside(ctx.path("models/predictions.parquet")) as part:
        found.verdict.predictions.write_parquet(part)
    figures = _figures(found.verdict)
    ctx.write_json("models/metrics.json", figures)
    return Saved(model=model, manifest=made, example=sample.to_pandas(), figures=figures)


def _kept(
    ctx: StageContext, cfg: Register, ready: Ready, found: Found, manifest: Manifest
) -> tuple[Any, pl.DataFrame, bytes | None]:
    """Return the model that takes raw rows, a few such rows, and training rows to take along."""
    import polars as pl

    from heddle.models.on_history import with_history
    from heddle.registry.histories import warmed_up
    from heddle.registry.reference import encoded, reference_rows

    data, history, columns = found.data, ready.features.history, manifest.columns
    if history is None:
        drawn = reference_rows(data, found.fit.held_out, columns, target=cfg.target, seed=cfg.seed)
        return found.model, pl.from_pandas(data.train[list(columns)].head(5)), encoded(drawn)
    learnt = (found.known or data).keys
    sample = warmed_up(ctx.tables.read(history.reads), history, learnt)
    return with_history(found.model, ready.features), sample, None


def add_version(ctx: StageContext, cfg: Register, saved: Saved, run: TrackedRun) -> ModelVersion:
    """Tell the tracker and the registry, then write model_config.yaml with what they answered."""
    from heddle.domain.entities import ModelPackage
    from heddle.registry.card import about, card, requirements, version_tags
    from heddle.registry.manifest import model_config
    from heddle.registry.openings import openings, same_model

    manifest, facts = saved.manifest, ctx.facts()
    run.params({"best_model": manifest.best_model, "seed": cfg.seed, **manifest.parameters})
    judged = {"": saved.figures, "cv.": manifest.cv, "blocked_cv.": manifest.blocked_cv}
    run.metrics({f"{at}{key}": v for at, found in judged.items() for key, v in found.items()})
    package = ModelPackage(
        name=cfg.model,
        folder=ctx.path(_FOLDER),
        model=saved.model,
        example=saved.example,
        run_id=run.id,
        requirements=requirements(manifest.libraries),
        description=card(manifest),
        about=about(manifest, ctx.stage),
        tags=version_tags(manifest, facts, alias=cfg.alias),
    )
    package = replace(package, tags={**package.tags, **_signed(ctx, package.folder)})
    known = same_model(ctx.registry, cfg.model, package.tags)
    added = known or ctx.registry.add(package)
    ctx.registry.point(cfg.model, cfg.alias, added.number)
    version = ctx.registry.resolve(cfg.model, str(added.number))
    told = model_config(manifest, version, alias=cfg.alias, facts=facts, path=_FOLDER)
    told["model"]["split"]["test_opened"] = times = openings(ctx.registry, version)
    if times > 1:
        ctx.progress.notice(f"these test rows have judged {times} models: choose by the folds")
    ctx.write_yaml("models/model_config.yaml", told)
    for name, folder in _ARTIFACTS.items():
        run.artifact(ctx.path(f"models/{name}"), folder)
    return version


def _signed(ctx: StageContext, folder: Path) -> dict[str, str]:
    """Sign the folder if the project has a key to sign with; return the tag that says which."""
    from heddle.registry.signatures import sign_folder

    return {} if ctx.signing_key is None else {"signed_by": sign_folder(folder, ctx.signing_key)}


def _manifest(ctx: StageContext, cfg: Register, ready: Ready, found: Found) -> Manifest:
    from heddle.registry.card import needed_libraries
    from heddle.registry.evidence import evidence
    from heddle.registry.histories import history_columns, history_facts
    from heddle.registry.inputs import input_columns
    from heddle.registry.manifest import Manifest
    from heddle.registry.verdict import seen

    facts, members, features = ctx.facts(), ready.best["members"], ready.features
    prices, named = features.history, json.dumps(plain(features), sort_keys=True)
    versions = (*ready.versions, *((prices.reads,) if prices else ()))
    rows = found.data.train if found.known is None else found.known.rows
    return Manifest(
        name=cfg.model,
        best_model=" + ".join(m["candidate"] for m in members),
        parameters={m["candidate"]: dict(m["params"]) for m in members},
        target=cfg.target,
        columns=history_columns(cfg.contract, prices)
        if prices
        else input_columns(cfg.contract, features, ready.versions[0]),
        seen=seen(rows, features.numeric, features.categorical),
        metric=cfg.metric,
        metrics=found.verdict.metrics,
        interval=found.verdict.interval,
        split=_split(ctx, cfg, ready, found),
        data={v: ctx.tables.info(v).identity for v in versions},
        config_hash=str(facts.get("config_hash", "")),
        libraries=needed_libraries([m["estimator"] for m in members]),
        python=str(facts.get("python", "")),
        cv=found.fit.cv,
        blocked_cv=found.fit.blocked_cv,
        baselines=found.verdict.baselines,
        history=history_facts(prices, horizon=cfg.horizon, calendar=cfg.calendar)
        if prices
        else None,
        evidence=evidence(_read(ctx, "selection.json"), _read(ctx, "backtest.json")),
        features_hash=sha256(named.encode()).hexdigest(),
        refit=_refit(found.known, prices),
    )


def _split(ctx: StageContext, cfg: Register, ready: Ready, found: Found) -> Split:
    from heddle.registry.manifest import Split

    first, last = _window(found.data.keys, ready.features.history)
    return Split(
        hash=ctx.tables.info(ready.versions[1]).content_hash,
        strategy=str(cfg.split.get("strategy", "")),
        seed=int(cfg.split.get("seed", 0)),
        train_rows=len(found.data.target),
        test_rows=len(found.test.target),
        train_from=first,
        train_to=last,
    )


def _refit(known: Part | None, history: PriceHistory | None) -> Fit | None:
    from heddle.registry.manifest import Fit

    if known is None:
        return None
    first, last = _window(known.keys, history)
    return Fit(rows=len(known.target), first=first, last=last)


def _window(keys: pl.DataFrame, history: PriceHistory | None) -> tuple[str | None, str | None]:
    """Return the first and the last session, where rows have one."""
    if history is None:
        return None, None
    days = keys[history.time]
    return str(days.min()), str(days.max())


def _fits(manifest: Manifest) -> dict[str, Any]:
    """Say of which fit the figures are, where another one is kept."""
    if manifest.refit is None:
        return {}
    return {"judged_fit": plain(manifest.judged), "registered_fit": plain(manifest.refit)}


def _figures(verdict: Verdict) -> dict[str, float]:
    """Return the figures of metrics.json: those of the target, and of prices where there are."""
    reach = verdict.document["interval"] or {}
    covered = {"coverage": reach["coverage"]} if reach else {}
    beside = verdict.document.get("forecast") or {}
    more = {k: v for k, v in beside.items() if v is not None and k != "rows"}
    return {**more, **verdict.metrics, **covered}


def _read(ctx: StageContext, name: str) -> Mapping[str, Any] | None:
    """Return a document that the stage reads, None where it does not."""
    place = next((read for read in ctx.reads.values() if Path(read).name == name), None)
    found: Mapping[str, Any] | None = None if place is None else ctx.read_json(place)
    return found
