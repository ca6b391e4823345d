"""What a model computes of the latest sessions, beside that of the sessions it learned from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from heddle.monitoring.track_record import Check, Watch
    from heddle.registry.manifest import Manifest

__all__ = ["features_check"]


def features_check(
    root: Path,
    pipeline: Callable[[], Any],
    manifest: Manifest,
    prices: pl.DataFrame | None,
    cfg: Watch,
) -> Check:
    """Judge the features of the sessions since training; nothing has to be kept for that.

    The history that the last prediction left begins with the training sessions: what was computed
    of them then is computed again.

    Args:
        root: the project's folder; its params.yaml tells which stage makes the history.
        pipeline: gives the model; asked only when there are sessions enough.
        manifest: of the model, which has a history.
        prices: the history, by session.
        cfg: the limits.
    """
    from heddle.monitoring.track_record import Check
    from heddle.monitoring.window_drift import window_drift

    facts, fit = manifest.history, manifest.fitted
    words = "there is no prediction yet" if prices is None else ""
    if not words and fit.last is None:
        words = "the model does not tell which sessions it was fitted on"
    if words or prices is None or facts is None or fit.last is None:
        return Check(name="features", state="unknown", value=None, limit=None, words=words)
    first = date.fromisoformat(fit.first) if fit.first else date.min
    day, last = prices[facts.time], date.fromisoformat(fit.last)
    since = int((day > last).sum())
    if since < cfg.window:
        words = f"{since} sessions since those of training, {cfg.window} are needed"
        return Check(name="features", state="unknown", value=None, limit=None, words=words)
    model = pipeline()
    made = pl.from_pandas(model.builder.transform(prices))
    made = made.select(model.columns or made.columns)
    origin = f"computed from {facts.reads}{_stage(root, facts.reads)}"
    learned = made.filter((day >= first) & (day <= last))
    return window_drift(learned, made.filter(day > last), cfg, origin=origin)


def _stage(root: Path, version: str) -> str:
    """Return a word on the stage that makes a data version, "" where none does."""
    from heddle.pipeline.generated import read_params

    stages = read_params(root)["stages"]
    return next((f" of stage {n}" for n, s in stages.items() if version in s["writes"]), "")
