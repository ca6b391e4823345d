"""Compare ways of filling gaps on the training rows, and choose one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from heddle.models.features import read_features
from heddle.pipeline.context import StageContext
from heddle.training.plans import ImputationPlan

__all__ = ["ImputationStudy", "imputation_study"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputationStudy(ImputationPlan):
    """The plan, and the columns that it is about."""

    target: str  # left out of all that is compared
    row_key: str | tuple[str, ...]
    features: Mapping[str, Any]  # fields of `heddle.models.features.Features`

    def __post_init__(self) -> None:
        super(ImputationStudy, self).__post_init__()  # slots make another class of this one
        read_features(self.features, where="features")


def imputation_study(ctx: StageContext, cfg: ImputationStudy) -> None:
    """Write models/imputation_study.json; the test rows stay closed.

    Reads the rows and the split (the first two data versions that the stage reads).
    """
    from heddle.features.columns import SelectColumns
    from heddle.training.dataset import read_dataset
    from heddle.training.documents import imputation_document
    from heddle.training.imputation import impute_study

    begin = time.perf_counter()
    features = read_features(cfg.features, where=f"{ctx.stage}.features")
    data = read_dataset(
        ctx.tables, ctx.reads, target=cfg.target, row_key=cfg.row_key, features=features
    )
    features = data.features or features
    table = SelectColumns(features.numeric).fit_transform(data.train)
    steps = cfg.repeats * len(cfg.methods)
    with ctx.progress.task("imputation", total=steps, even=False) as bar, ctx.run() as run:
        result = impute_study(table, cfg, on_step=lambda method: bar.advance(note=method))
        run.params({"columns": list(result.columns), "choice": result.choice})
        run.metrics({f"rmse_{m.method}": m.rmse for m in result.methods})
    if result.note:
        ctx.progress.notice(f"{ctx.stage}: {result.note}; gaps to come: {result.choice}")
    ctx.write_json("models/imputation_study.json", imputation_document(result))
    ctx.write_timings(begin, result.seconds)
