"""The one place that joins ports and adapters."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from heddle.domain.ports import ModelRegistry, Progress, RequestLog, TableStore, Tracker
from heddle.domain.typed import build
from heddle.frames.engines import TableEngine
from heddle.infrastructure.duckdb_engine import check_duckdb, duckdb_at_work
from heddle.infrastructure.dvc_runs import private_folder
from heddle.infrastructure.facts import config_hash, run_facts
from heddle.infrastructure.files import FileTables
from heddle.infrastructure.kept_tables import KeptTables
from heddle.infrastructure.logged_tables import LoggedTables
from heddle.infrastructure.sources.choose import make_source
from heddle.infrastructure.sources.file import FileSource
from heddle.pipeline.context import StageContext
from heddle.pipeline.world import World
from heddle.presentation.progress import LoggedProgress, progress_for
from heddle.presentation.trusting import signing_key

if TYPE_CHECKING:
    from heddle.serving.logged import Logged, LogSettings

__all__ = [
    "check_engine",
    "check_sources",
    "make_engine",
    "make_logged",
    "make_registry",
    "make_request_log",
    "make_tables",
    "make_tracker",
    "stage_context",
]

REQUESTS = "predictions/requests.db"  # below the project
_MEMORY_GB = 2.0  # of an engine that works on disk beyond it


def check_sources(root: Path, steps: Iterable[Mapping[str, Any]]) -> None:
    """Refuse a source that cannot be read as it is configured; nothing is fetched.

    Raises:
        ConfigError: as `make_source`, or there is no such file.
    """
    for step in steps:
        if step["uses"] == "ingest":
            told = {key: value for key, value in step["with"].items() if value is not None}
            source = make_source(told, root)
            if isinstance(source, FileSource):
                source.check()


def make_tables(root: Path, world: World, kept: KeptTables | None = None) -> FileTables:
    """Return the project's data versions; `kept` are those that this process wrote last."""
    told = world.storage
    return FileTables(
        root / "data", told.kind, cores=world.cores, kept=kept, written_as=told.written_as
    )


def check_engine(world: World) -> None:
    """Raise ConfigError if the engine that is configured is not installed."""
    if world.engine.kind == "duckdb":
        check_duckdb()


def make_engine(
    world: World, scratch: Path
) -> Callable[[], AbstractContextManager[TableEngine | None]]:
    """Return what opens the engine for a stage; Polars needs no opening."""
    if world.engine.kind == "polars":
        return nullcontext
    return partial(duckdb_at_work, scratch / "spill", world.engine.memory_gb or _MEMORY_GB)


def make_tracker(root: Path, world: World, progress: Progress) -> Tracker:
    """Return the trackers that the configuration names, as one."""
    from heddle.infrastructure.several_trackers import SeveralTrackers

    made: list[Tracker] = []
    for kind in world.tracking.kinds:
        if kind == "mlflow":
            from heddle.infrastructure.mlflow_tracking import MlflowTracker

            uri = tracking_uri(root, world)
            experiment = world.tracking.experiment
            made.append(MlflowTracker(uri, experiment=experiment, notice=progress.notice))
        else:
            from heddle.infrastructure.wandb_tracking import WandbTracker

            folder = root / world.tracking.wandb_folder
            project = world.tracking.experiment
            made.append(WandbTracker(project, folder=folder, notice=progress.notice))
    return SeveralTrackers(*made)


def make_registry(root: Path, world: World) -> ModelRegistry:
    """Return the registry of models."""
    from heddle.infrastructure.mlflow_registry import MlflowRegistry
    from heddle.models.trusted import TRUSTED_TYPES

    uri = tracking_uri(root, world)
    return MlflowRegistry(uri, experiment=world.tracking.experiment, trusted=TRUSTED_TYPES)


def make_request_log(root: Path) -> RequestLog:
    """Return the project's log of what its served models were asked and answered."""
    from heddle.infrastructure.sqlite_requests import SqliteRequests

    return SqliteRequests(root / REQUESTS)


def make_logged(root: Path, settings: LogSettings, notice: Callable[[str], None]) -> Logged:
    """Return the queue in front of that log, with the project's secret where columns are hashed.

    Raises:
        ResourceError: the secret can neither be read nor written.
    """
    from heddle.infrastructure.request_file import redaction_key
    from heddle.serving.logged import Logged

    hashed = "hash" in settings.redact.values()
    key = redaction_key((root / REQUESTS).with_suffix(".key")) if hashed else b""
    return Logged(make_request_log(root), settings, key=key, notice=notice)


def tracking_uri(root: Path, world: World) -> str:
    """Return where MLflow keeps runs and models: the environment's word, else the project's.

    It is read where it is used and stands in no file, for it may hold a password. What `mlflow
    run` tells the process that it starts is about that process, not about this project.
    """
    told = os.environ.get("MLFLOW_TRACKING_URI", "")
    if told and "MLFLOW_RUN_ID" not in os.environ:
        return told
    return absolute_uri(root, world.tracking.uri)


def absolute_uri(root: Path, uri: str) -> str:
    """Anchor a relative SQLite file at the project's folder."""
    head = "sqlite:///"
    if uri.startswith(head) and not uri.startswith("sqlite:////"):
        return f"{head}{(root / uri.removeprefix(head)).resolve()}"
    return uri


def stage_context(
    root: Path,
    name: str,
    entry: Mapping[str, Any],
    params: Mapping[str, Any],
    kept: KeptTables | None = None,
) -> StageContext:
    """Return the world of one stage as params.yaml describes it."""
    world = build(World, params["world"], where="params.yaml: world")
    progress = LoggedProgress(progress_for(Console(stderr=True)))
    tables: TableStore = LoggedTables(make_tables(root, world, kept))
    scratch = _scratch(private_folder(root) / "scratch" / name, entry)
    return StageContext(
        stage=name,
        root=root,
        reads={read: read for read in entry["reads"]},
        writes=tuple(entry["writes"]),
        contracts=entry["contracts"],
        tables=tables,
        tracker=make_tracker(root, world, progress),
        registry=make_registry(root, world),
        progress=progress,
        source=partial(make_source, root=root, keep=scratch / "unfinished"),
        cores=world.cores,
        scratch=scratch,
        facts=partial(run_facts, root, params, tables),
        engine=make_engine(world, scratch),
        signing_key=signing_key(root, world),
    )


def _scratch(folder: Path, entry: Mapping[str, Any]) -> Path:
    """Return a folder for work that this stage's code began; what other code began is removed."""
    mine = folder / config_hash(entry["code"])
    for other in folder.iterdir() if folder.is_dir() else ():
        if other != mine:
            shutil.rmtree(other, ignore_errors=True)
    mine.mkdir(parents=True, exist_ok=True)
    return mine
