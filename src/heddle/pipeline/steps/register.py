"""Fit the chosen model, open the test rows once, and register what came of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from heddle.evaluation.scale import Scale, meaningful
from heddle.pipeline.context import StageContext
from heddle.pipeline.registration import Found, Ready, add_version, write_files
from heddle.training.plans import check_names

if TYPE_CHECKING:
    from heddle.domain.ports import TrackedRun
    from heddle.registry.final_model import FinalFit
    from heddle.registry.verdict import Verdict
    from heddle.training.dataset import Dataset, Part

__all__ = ["Register", "register"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """What is registered, under which name, and how the test rows are looked at."""

    model: str  # name in the registry
    target: str
    row_key: str | tuple[str, ...]
    metric: str  # primary metric
    features: Mapping[str, Any]  # fields of `heddle.models.features.Features`
    candidates: Mapping[str, Any]  # name -> fields of `heddle.models.candidates.Candidate`
    contract: Mapping[str, Any]  # of the rows that come in: of their version, or the history's
    split: Mapping[str, Any]  # strategy and seed, for the record
    seed: int = 42
    alias: str = "staging"
    scale: Scale = "level"  # return: no percentages, but direction, rank and prices
    horizon: int = 0  # periods from a row to the moment at which its target is known
    calendar: str = "XNYS"  # of the exchange whose sessions a history has (ISO 10383)
    level: float = 0.9  # share of new rows that an interval is to cover
    relative: bool = True  # intervals grow with the prediction
    segments: tuple[Mapping[str, Any], ...] = ()  # column, and edges for a number column
    cap: float | None = None  # targets at or above are censored; in the target's unit
    refit: bool = False  # once judged, fit the model that is kept on all rows with a known target
    importance_rows: int = 1000  # per fold
    importance_repeats: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise ValueError(f"0 < level < 1 must hold, but got {self.level}")
        if self.importance_rows < 1 or self.importance_repeats < 1:
            raise ValueError("importance_rows and importance_repeats must be at least 1")
        if self.scale == "return":
            if self.relative:
                raise ValueError("errors do not grow with a return: say relative: false")
            if self.metric not in meaningful(self.scale):
                raise ValueError(f"{self.metric} says nothing of returns, which lie around 0")
        check_names(self.metric, self.features, self.candidates, horizon=self.horizon)


def register(ctx: StageContext, cfg: Register) -> None:
    """Write everything that is known of the final model, and add it to the registry.

    Reads the rows, the split (the first two data versions) and models/best_params.yaml; the data
    version of a history where the features have one; models/selection.json and backtest.json where
    the stage reads them, as evidence. Writes models/metrics.json, evaluation.json,
    predictions.parquet, model/ and model_config.yaml. With a history the model that is registered
    takes raw prices, and computes the features itself.

    With `refit` the same parameters are fitted once more when the test rows have judged: on all
    rows whose target is known, columns chosen anew inside. That model is saved and registered;
    figures, interval and predictions stay those of the fit that was judged, and its manifest
    tells the rows of both.

    Raises:
        ConfigError: a member, column or segment that does not exist.
        DataContractError, IntegrityError: as `heddle.training.dataset.dataset`.
    """
    began = time.perf_counter()
    ready = _ready(ctx, cfg)
    ready, data, test, known = _data(ctx, cfg, ready)
    with (
        ctx.run({"model": cfg.model}) as run,
        ctx.progress.task("register", total=_parts(data, cfg), even=False) as bar,
    ):
        fit = _fit(ctx, cfg, ready, data, lambda part: bar.advance(note=part))
        importances = _importances(run, cfg, ready, data, fit)
        bar.advance(note="importances")
        verdict = _verdict(ctx, cfg, ready, (data, test), fit)
        bar.advance(note="test rows")
        model = fit.model
        if known is not None:
            model = _fit_again(cfg, ready, known)
            bar.advance(note="all known rows")
        found = Found(
            fit=fit,
            verdict=verdict,
            importances=importances,
            data=data,
            test=test,
            model=model,
            known=known,
        )
        saved = write_files(ctx, cfg, ready, found)
        version = add_version(ctx, cfg, saved, run)
        bar.advance(note=f"{version.name} {version.number}")
    ctx.progress.notice(f"registered {version.name} {version.number} as {cfg.alias}")
    ctx.write_timings(began)


def _ready(ctx: StageContext, cfg: Register) -> Ready:
    from heddle.domain.errors import ConfigError
    from heddle.evaluation.metrics import metric
    from heddle.models.candidates import read_candidates
    from heddle.models.features import read_features

    metric(cfg.metric, where=f"{ctx.stage}.metric")
    versions = [name for name in ctx.reads.values() if "/" not in name]
    if len(versions) < 2:
        raise ConfigError("register reads the rows and the split, in this order", where=ctx.stage)
    return Ready(
        features=read_features(cfg.features, where=f"{ctx.stage}.features"),
        candidates=read_candidates(cfg.candidates, where="model_candidates"),
        best=ctx.read_yaml("models/best_params.yaml"),
        versions=(versions[0], versions[1]),
    )


def _data(
    ctx: StageContext, cfg: Register, ready: Ready
) -> tuple[Ready, Dataset, Part, Part | None]:
    from heddle.domain.errors import DataContractError
    from heddle.training.dataset import read_dataset

    opened = read_dataset(
        ctx.tables,
        ctx.reads,
        target=cfg.target,
        row_key=cfg.row_key,
        features=ready.features,
        horizon=cfg.horizon,
        open_test=True,
        open_known=cfg.refit,
    )
    test = opened.test
    if test is None or not len(test.target):
        raise DataContractError("the split keeps no test rows", where=ready.versions[1])
    spelt = replace(ready, features=opened.features or ready.features)
    closed = replace(opened, test=None, known=None)  # what fits and chooses holds no test row
    return spelt, closed, test, opened.known


def _parts(data: Dataset, cfg: Register) -> int:
    return 4 + len(data.folds + data.blocks) + cfg.refit


def _fit(ctx: StageContext, cfg: Register, ready: Ready, data: Dataset, on_part: Any) -> FinalFit:
    from heddle.registry.final_model import builder, fit_final
    from heddle.training.workers import workers

    build = builder(ready.best, ready.features, ready.candidates, seed=cfg.seed)
    with workers(ctx.cores) as pool:
        return fit_final(build, data, pool, keys=meaningful(cfg.scale), on_part=on_part)


def _fit_again(cfg: Register, ready: Ready, known: Part) -> Any:
    from heddle.registry.final_model import builder

    build = builder(ready.best, ready.features, ready.candidates, seed=cfg.seed)
    return build().fit(known.rows, known.target)


def _importances(
    run: TrackedRun, cfg: Register, ready: Ready, data: Dataset, fit: FinalFit
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


def _verdict(
    ctx: StageContext, cfg: Register, ready: Ready, rows: tuple[Dataset, Part], fit: FinalFit
) -> Verdict:
    from heddle.domain.typed import build
    from heddle.evaluation.segments import Segment
    from heddle.registry.final_model import naive_models
    from heddle.registry.histories import base_prices
    from heddle.registry.verdict import Judgement, baseline_predictions, judge

    how = Judgement(
        level=cfg.level,
        relative=cfg.relative,
        by=tuple(build(Segment, s, where="register.segments") for s in cfg.segments),
        cap=cfg.cap,
        scale=cfg.scale,
        horizon=max(cfg.horizon, 1),
    )
    naive = naive_models(ready.best, ready.features, ready.candidates, seed=cfg.seed)
    (data, test), history = rows, ready.features.history
    base = base_prices(ctx.tables.read(history.reads), history, test.keys) if history else None
    return judge(fit, data, test, baseline_predictions(data, test, naive), how, base=base)
