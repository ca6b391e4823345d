"""What earlier stages published, as far as it is there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import yaml

from heddle.domain.entities import TableInfo
from heddle.domain.errors import HeddleError, IntegrityError
from heddle.domain.ports import TableStore
from heddle.pipeline.stages import is_path
from heddle.presentation.report.pipeline_graph import StageNode, read_graph

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Inputs", "Published", "read_inputs"]

Document = Mapping[str, Any]


class Published(Protocol):
    """Where the files of the stages stand: a stage's context, or a project seen from outside."""

    @property
    def reads(self) -> Mapping[str, str]:
        """The data versions that are meant, among paths; without any, all of them."""

    @property
    def tables(self) -> TableStore:
        """The data versions."""

    def path(self, relative: str) -> Path:
        """A path below the project's folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Documents by the schemas of the stages that wrote them; None or empty where absent."""

    versions: Sequence[TableInfo] = ()
    imputation: Document | None = None
    clusters: Document | None = None
    leaderboard: Document | None = None
    best: Document | None = None
    trials: Sequence[Document] = ()
    evaluation: Document | None = None
    metrics: Document | None = None
    model: Document = field(default_factory=dict)  # what stands under `model` in model_config.yaml
    predictions: pl.DataFrame | None = None
    selection: Document | None = None
    backtest: Document | None = None
    equity: pl.DataFrame | None = None
    trades: pl.DataFrame | None = None
    timings: Mapping[str, Document] = field(default_factory=dict)  # stage -> seconds, parts
    graph: Sequence[StageNode] = ()

    @property
    def of_returns(self) -> bool:
        """Whether the project foretells returns of prices, which lie around 0."""
        return bool(self.selection or self.backtest or self.model.get("history"))

    @property
    def horizon(self) -> int:
        """Sessions that a forecast looks ahead, 1 where that is not said."""
        told = (self.model.get("history") or {}, self.backtest or {}, self.selection or {})
        return next((int(t["horizon"]) for t in told if t.get("horizon")), 1)


def read_inputs(ctx: Published) -> Inputs:
    """Return all that the project holds of what a report shows.

    Raises:
        IntegrityError: a file that is there and cannot be read as what it should be.
    """
    graph = read_graph(_document(ctx, "dvc.yaml", yaml.safe_load))
    config = _document(ctx, "models/model_config.yaml", yaml.safe_load) or {}
    trials = _document(ctx, "models/trials.json", json.loads) or {}
    return Inputs(
        versions=_versions(ctx),
        imputation=_document(ctx, "models/imputation_study.json", json.loads),
        clusters=_document(ctx, "models/cluster_study.json", json.loads),
        leaderboard=_document(ctx, "models/leaderboard.json", json.loads),
        best=_document(ctx, "models/best_params.yaml", yaml.safe_load),
        trials=trials.get("trials") or (),
        evaluation=_document(ctx, "models/evaluation.json", json.loads),
        metrics=_document(ctx, "models/metrics.json", json.loads),
        model=config.get("model") or {},
        predictions=_table(ctx, "models/predictions.parquet", {"actual", "predicted"}),
        selection=_document(ctx, "models/selection.json", json.loads),
        backtest=_document(ctx, "models/backtest.json", json.loads),
        equity=_table(ctx, "models/equity.parquet", {"session"}),
        trades=_table(ctx, "models/trades.parquet", set()),
        timings=_timings(ctx, [node.name for node in graph]),
        graph=graph,
    )


def _document(ctx: Published, relative: str, read: Callable[[str], Any]) -> Document | None:
    path = ctx.path(relative)
    if not path.is_file():
        return None
    try:
        told = read(path.read_text(encoding="utf-8"))
    except (ValueError, yaml.YAMLError) as fault:
        words = str(fault).splitlines()[0]
        raise IntegrityError(f"cannot be read: {words}", where=relative, todo=_AGAIN) from None
    if not isinstance(told, Mapping):
        raise IntegrityError("is not a mapping", where=relative, todo=_AGAIN)
    return told


def _versions(ctx: Published) -> list[TableInfo]:
    """Return what is known of the declared versions; of all of them when none is declared."""
    declared = [name for name in ctx.reads.values() if not is_path(name)]
    found = []
    for name in declared or ctx.tables.versions():
        try:
            found.append(ctx.tables.info(name))
        except IntegrityError:
            raise
        except HeddleError:
            continue  # not made yet
    return found


def _table(ctx: Published, relative: str, needed: set[str]) -> pl.DataFrame | None:
    import polars as pl

    path = ctx.path(relative)
    if not path.is_file():
        return None
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as fault:
        words = str(fault).splitlines()[0]
        raise IntegrityError(f"cannot be read: {words}", where=relative, todo=_AGAIN) from None
    if missing := needed - set(frame.columns):
        raise IntegrityError(
            f"has no column {min(missing)!r}", where=relative, known=frame.columns, todo=_AGAIN
        )
    return frame


def _timings(ctx: Published, stages: Sequence[str]) -> dict[str, Document]:
    folder = ctx.path("reports/timings")
    names = stages or sorted(path.stem for path in folder.glob("*.json"))
    told = {name: _document(ctx, f"reports/timings/{name}.json", json.loads) for name in names}
    return {name: document for name, document in told.items() if document is not None}


_AGAIN = "Make it again with `heddle run STAGE --force`."
