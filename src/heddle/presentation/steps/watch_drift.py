"""Set a data version beside the rows that a model learned from, as a stage of the pipeline."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from heddle.monitoring.answers import Monitor
from heddle.pipeline.context import StageContext

if TYPE_CHECKING:
    import polars as pl

    from heddle.serving.loader import LoadedModel

__all__ = ["WatchDrift", "watch_drift"]

_FOLDER = "models/model"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchDrift(Monitor):
    """The limits of `heddle monitor`, and what an alarm does to the run."""

    fail: bool = True  # an alarm stops the run with exit code 3; false: it is only told
    model: str = _FOLDER  # folder of the model; or name it among what the stage reads


def watch_drift(ctx: StageContext, cfg: WatchDrift) -> None:
    """Compare the first data version that the stage reads with the model's training rows.

    Reads a data version with the model's columns, and the folder of a model. If the version has
    the target, too, it is taken for what really came. Writes the report as JSON and, where the
    stage writes a path that ends in .html, as a page.

    Raises:
        ConfigError: the stage reads no data version, or the model keeps no training rows.
        DataContractError: a column of the model is missing; or an alarm, with `fail`.
        IntegrityError: the model is not what was saved.
    """
    from heddle.domain.errors import ConfigError, DataContractError
    from heddle.presentation.watched import Meant, document, learned, written
    from heddle.serving.answered import answers_of_frame
    from heddle.serving.loader import load_folder

    version = next((name for name in ctx.reads.values() if "/" not in name), None)
    if version is None:
        raise ConfigError("watch_drift reads a data version and models/model", where=ctx.stage)
    model = load_folder(ctx.path(cfg.model), label=cfg.model)
    one = Meant(
        label=cfg.model,
        folder=ctx.path(cfg.model),
        pin=model.digest,
        manifest=model.manifest,
    )
    answers = answers_of_frame(model, _plain(ctx.tables.read(version), model), where=version)
    limits = Monitor(**{field.name: getattr(cfg, field.name) for field in fields(Monitor)})
    told = document(
        one, learned(ctx.root, one), answers, limits, source=f"rows of {version}", now=ctx.now()
    )
    told.pop("at")  # the same rows and model give the same bytes
    paths = {path.rpartition(".")[2]: path for path in ctx.writes}
    report = ctx.path(paths.get("json", cfg.report))
    page = ctx.path(paths.get("html", cfg.page))
    written(told, project=ctx.root.name, report=report, page=page)
    for words in (*told["notes"], *(alarm["words"] for alarm in told["alarms"])):
        ctx.progress.notice(f"{ctx.stage}: {words}")
    if told["alarms"] and cfg.fail:
        rest = len(told["alarms"]) - 1
        more = f"; and {rest} more" if rest else ""
        raise DataContractError(f"{told['alarms'][0]['words']}{more}", where=ctx.stage)


def _plain(rows: pl.DataFrame, model: LoadedModel) -> pl.DataFrame:
    wanted = {*model.manifest.columns, model.manifest.target}
    return rows.select(name for name in rows.columns if name in wanted)
