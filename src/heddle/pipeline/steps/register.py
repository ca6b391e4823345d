"""Fit the chosen model, open the test rows once, and register what came of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from heddle.pipeline.context import StageContext
from heddle.training.plans import check_names

if TYPE_CHECKING:
    from heddle.domain.entities import ModelVersion
    from heddle.domain.ports import TrackedRun
    from heddle.models.assembly import Features
    from heddle.models.candidates import Candidate
    from heddle.registry.final_model import FinalFit
    from heddle.registry.manifest import Manifest
    from heddle.registry.verdict import Verdict
    from heddle.training.dataset import Dataset, Part

__all__ = ["Register", "register"]

_FOLDER = "models/model"
_ARTIFACTS = {
    **dict.fromkeys(("model_config.yaml", "model/manifest.json", "best_params.yaml"), "config"),
    **dict.fromkeys(("evaluation.json", "predictions.parquet"), "evaluation"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """What is registered, under which name, and how the test rows are looked at."""

    model: str  # name in the registry
    target: str
    row_key: str | tuple[str, ...]
    metric: str  # primary metric
    features: Mapping[str, Any]  # fields of `heddle.models.features.Features`
    candidates: Mapping[str, Any]  # name -> fields of `heddle.models.candidates.Candidate`
    contract: Mapping[str, Any]  # of the rows' data version: types, ranges, categories
    split: Mapping[str, Any]  # strategy and seed, for the record
    seed: int = 42
    alias: str = "staging"
    level: float = 0.9  # share of new rows that an interval is to cover
    relative: bool = True  # intervals grow with the prediction
    segments: tuple[Mapping[str, Any], ...] = ()  # column, and edges for a number column
    cap: float | None = None  # targets at or above are censored; in the target's unit
    importance_rows: int = 1000  # per fold
    importance_repeats: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise ValueError(f"0 < level < 1 must hold, but got {self.level}")
        if self.importance_rows < 1 or self.importance_repeats < 1:
            raise ValueError("importance_rows and importance_repeats must be at least 1")
        check_names(self.metric, self.features, self.candidates)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """The configuration, read."""

    features: Features
    candidates: tuple[Candidate, ...]
    best: Mapping[str, Any]
    versions: tuple[str, str]  # rows, split


def register(ctx: StageContext, cfg: Register) -> None:
    """Write everything that is known of the final model, and add it to the registry.

    Reads the rows, the split (the first two data versions) and models/best_params.yaml. Writes
    models/metrics.json, evaluation.json, predictions.parquet, model/ and model_config.yaml.

    Raises:
        ConfigError: a member, column or segment that does not exist.
        DataContractError, IntegrityError: as `heddle.training.dataset.dataset`.
    """
    began = time.perf_counter()
    ready = _ready(ctx, cfg)
    data, test = _data(ctx, cfg, ready)
    with (
        ctx.run({"model": cfg.model}) as run,
        ctx.progress.task("register", total=4 + len(data.folds + data.blocks), even=False) as bar,
    ):
        fit = _fit(ctx, cfg, ready, data, lambda part: bar.advance(note=part))
        importances = _importances(run, cfg, ready, data, fit)
        bar.advance(note="importances")
        verdict = _verdict(cfg, ready, fit, data, test)
        bar.advance(note="test rows")
        manifest = _write(ctx, cfg, ready, (fit, verdict, importances), (data, test))
        version = _add(ctx, cfg, fit, manifest, (run, data))
        bar.advance(note=f"{version.name} {version.number}")
    ctx.progress.notice(f"registered {version.name} {version.number} as {cfg.alias}")
    ctx.write_timings(began)


def _ready(ctx: StageContext, cfg: Register) -> _Ready:
    from heddle.domain.errors import ConfigError
    from heddle.evaluation.metrics import metric
    from heddle.models.candidates import read_candidates
    from heddle.models.features import read_features

    metric(cfg.metric, where=f"{ctx.stage}.metric")
    versions = [name for name in ctx.reads.values() if "/" not in name]
    if len(versions) < 2:
        raise ConfigError("register reads the rows and the split, in this order", where=ctx.stage)
    return _Ready(
        features=read_features(cfg.features, where=f"{ctx.stage}.features"),
        candidates=read_candidates(cfg.candidates, where="model_candidates"),
        best=ctx.read_yaml("models/best_params.yaml"),
        versions=(versions[0], versions[1]),
    )


def _data(ctx: StageContext, cfg: Register, ready: _Ready) -> tuple[Dataset, Part]:
    from heddle.domain.errors import DataContractError
    from heddle.training.dataset import read_dataset

    opened = read_dataset(
        ctx.tables,
        ctx.reads,
        target=cfg.target,
        row_key=cfg.row_key,
        columns=ready.features.raw,
        open_test=True,
    )
    test = opened.test
    if test is None or not len(test.target):
        raise DataContractError("the split keeps no test rows", where=ready.versions[1])
    return replace(opened, test=None), test  # what fits and chooses holds no test row


def _fit(ctx: StageContext, cfg: Register, ready: _Ready, data: Dataset, on_part: Any) -> FinalFit:
    from heddle.registry.final_model import builder, fit_final
    from heddle.training.workers import workers

    build = builder(ready.best, ready.features, ready.candidates, seed=cfg.seed)
    with workers(ctx.cores) as pool:
        return fit_final(build, data, pool, on_part=on_part)


def _importances(
    run: TrackedRun, cfg: Register, ready: _Ready, data: Dataset, fit: FinalFit
) -> dict[str, Any]:
    from heddle.registry.leanings import leanings, record

    found = leanings(
        fit,
        data,
        [member["candidate"] for member in ready.best["members"]],
        columns=ready.features.raw,
        key=cfg.metric,
        seed=cfg.seed,
        repeats=cfg.importance_repeats,
        most_rows=cfg.importance_rows,
    )
    record(run, found)
    return found


def _verdict(cfg: Register, ready: _Ready, fit: FinalFit, data: Dataset, test: Part) -> Verdict:
    from heddle.domain.typed import build
    from heddle.evaluation.segments import Segment
    from heddle.registry.final_model import naive_models
    from heddle.registry.verdict import Judgement, baseline_predictions, judge

    how = Judgement(
        level=cfg.level,
        relative=cfg.relative,
        by=tuple(build(Segment, s, where="register.segments") for s in cfg.segments),
        cap=cfg.cap,
    )
    naive = naive_models(ready.best, ready.features, ready.candidates, seed=cfg.seed)
    said = baseline_predictions(data, test, naive)
    return judge(fit, data, test, said, how)


def _write(
    ctx: StageContext,
    cfg: Register,
    ready: _Ready,
    found: tuple[FinalFit, Verdict, dict[str, Any]],
    rows: tuple[Dataset, Part],
) -> Manifest:
    """Write the files that are the same on every rerun."""
    import polars as pl

    from heddle.frames.atomic import beside
    from heddle.models.trusted import TRUSTED_TYPES
    from heddle.registry.model_files import save_model

    fit, verdict, importances = found
    manifest = _manifest(ctx, cfg, ready, (fit, verdict), rows)
    sample = pl.from_pandas(rows[0].train[list(manifest.columns)].head(5))
    made = save_model(ctx.path(_FOLDER), fit.model, manifest, sample, TRUSTED_TYPES)
    opened = {"rows": len(rows[1].target), "split_hash": manifest.split.hash, "times": 1}
    ctx.write_json(
        "models/evaluation.json",
        {
            **verdict.document,
            "cv": fit.cv,
            "blocked_cv": fit.blocked_cv,
            **importances,
            "test_opened": opened,
        },
    )
    with beside(ctx.path("models/predictions.parquet")) as part:
        verdict.predictions.write_parquet(part)
    reach = verdict.document["interval"] or {}
    covered = {"coverage": reach["coverage"]} if reach else {}
    ctx.write_json("models/metrics.json", {**verdict.metrics, **covered})
    return made


def _manifest(
    ctx: StageContext,
    cfg: Register,
    ready: _Ready,
    found: tuple[FinalFit, Verdict],
    rows: tuple[Dataset, Part],
) -> Manifest:
    from heddle.registry.card import needed_libraries
    from heddle.registry.inputs import input_columns
    from heddle.registry.manifest import Manifest, Split
    from heddle.registry.verdict import seen

    (fit, verdict), (data, test) = found, rows
    facts, members = ctx.facts(), ready.best["members"]
    split, features = ctx.tables.info(ready.versions[1]), ready.features
    return Manifest(
        name=cfg.model,
        best_model=" + ".join(m["candidate"] for m in members),
        parameters={m["candidate"]: dict(m["params"]) for m in members},
        target=cfg.target,
        columns=input_columns(cfg.contract, features, ready.versions[0]),
        seen=seen(data.train, features.numeric, features.categorical),
        metric=cfg.metric,
        metrics=verdict.metrics,
        interval=verdict.interval,
        split=Split(
            hash=split.content_hash,
            strategy=str(cfg.split.get("strategy", "")),
            seed=int(cfg.split.get("seed", 0)),
            train_rows=len(data.target),
            test_rows=len(test.target),
        ),
        data={v: ctx.tables.info(v).identity for v in ready.versions},
        config_hash=str(facts.get("config_hash", "")),
        libraries=needed_libraries([m["estimator"] for m in members]),
        python=str(facts.get("python", "")),
        cv=fit.cv,
        blocked_cv=fit.blocked_cv,
        baselines=verdict.baselines,
    )


def _add(
    ctx: StageContext,
    cfg: Register,
    fit: FinalFit,
    manifest: Manifest,
    rest: tuple[TrackedRun, Dataset],
) -> ModelVersion:
    """Tell the tracker and the registry, then write model_config.yaml with what they answered."""
    from heddle.domain.entities import ModelPackage
    from heddle.registry.card import about, card, requirements, version_tags
    from heddle.registry.manifest import model_config
    from heddle.registry.openings import openings, same_model

    run, data = rest
    facts = ctx.facts()
    run.params({"best_model": manifest.best_model, "seed": cfg.seed, **manifest.parameters})
    judged = {"": manifest.metrics, "cv.": manifest.cv, "blocked_cv.": manifest.blocked_cv}
    run.metrics({f"{at}{key}": v for at, found in judged.items() for key, v in found.items()})
    package = ModelPackage(
        name=cfg.model,
        folder=ctx.path(_FOLDER),
        model=fit.model,
        example=data.train[list(manifest.columns)].head(5),
        run_id=run.id,
        requirements=requirements(manifest.libraries),
        description=card(manifest),
        about=about(manifest, ctx.stage),
        tags=version_tags(manifest, facts, alias=cfg.alias),
    )
    known = same_model(ctx.registry, cfg.model, package.tags["manifest_sha256"])
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
