"""Gather what the stages published into one HTML file that opens anywhere."""

from __future__ import annotations

from dataclasses import dataclass

from heddle.pipeline.context import StageContext

__all__ = ["Report", "report"]

_PLACE = "reports/report.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the report cannot read from the files of earlier stages."""

    title: str
    project: str
    model: str  # its name, for the time before it is registered
    metric: str  # primary metric
    target: str
    unit: str = ""  # of the target, "USD" for example
    points: int = 2000  # most rows drawn one by one; tables and bars are always of all rows

    def __post_init__(self) -> None:
        if self.points < 1:
            raise ValueError(f"points must be at least 1, not {self.points}")


def report(ctx: StageContext, cfg: Report) -> None:
    """Write reports/report.html: the same inputs give the same bytes.

    Reads the data versions that the stage declares, the files below models/ and reports/timings/,
    and dvc.yaml. What is not there leaves a sentence in its place.

    Raises:
        ConfigError: an unknown metric.
        IntegrityError: a file of an earlier stage that is not what its name says.
    """
    from heddle.evaluation.metrics import metric
    from heddle.frames.atomic import publish
    from heddle.presentation.report.inputs import read_inputs
    from heddle.presentation.report.page import page
    from heddle.presentation.report.sections import sections
    from heddle.presentation.report.summary import model_facts
    from heddle.presentation.report.wording import Wording

    metric(cfg.metric, where=f"{ctx.stage}.metric")
    told = read_inputs(ctx)
    words = Wording(
        metric=cfg.metric,
        target=cfg.target,
        unit=cfg.unit,
        points=cfg.points,
        scale="return" if told.of_returns else "level",
    )
    made = sections(told, words)
    facts = model_facts(told, words, cfg.model)
    content = page(made, title=cfg.title, project=cfg.project, facts=facts)
    place = next((path for path in ctx.writes if path.endswith(".html")), _PLACE)
    publish(ctx.path(place), content.encode())
    ctx.progress.notice(f"{ctx.stage}: open {ctx.path(place)}")
