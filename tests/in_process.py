"""A project of `projects/` run stage by stage in this process: no DVC, no tracker."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

import polars as pl

from heddle.infrastructure.hydra_config import compose_config
from heddle.pipeline.catalog import Catalog
from heddle.pipeline.generated import params
from heddle.pipeline.plan import Plan, make_plan
from heddle.pipeline.run_step import run_stage
from heddle.pipeline.stages import wanted_stages
from heddle.presentation.bootstrap import stage_context

PROJECTS = Path(__file__).parents[1] / "projects"


def copied(project: str, folder: Path) -> Path:
    """Return a copy of a project in which nothing has run."""
    for part in ("configs", "steps", ".dvc"):
        left_out = shutil.ignore_patterns("__pycache__", "cache", "tmp")
        shutil.copytree(PROJECTS / project / part, folder / part, ignore=left_out)
    return folder


@cache
def planned(project: str, *overrides: str) -> Plan:
    """Return the plan of a project with these overrides, no run being tracked."""
    root = PROJECTS / project
    return make_plan(compose_config(root, ["tracking=none", *overrides]), root)


def run_to(root: Path, plan: Plan, last: str) -> dict[str, pl.DataFrame]:
    """Run the stage `last` and all that it needs; return every version that this made."""
    made: dict[str, pl.DataFrame] = {}
    for wanted in wanted_stages(plan.stages, [last]):
        made |= stage(root, plan, wanted.name)
    return made


def stage(root: Path, plan: Plan, name: str) -> dict[str, pl.DataFrame]:
    """Run one stage on what lies in the project; return the versions that it writes."""
    entry = plan.entries[name]
    context = stage_context(root, name, entry, params(plan))
    run_stage(entry, context)
    return {v: context.tables.read(v) for v in context.writes if "/" not in v}


def sample(project: str, step: str, rows: int, seed: int) -> pl.DataFrame:
    """Return rows that a project's own step makes up."""
    made: pl.DataFrame = Catalog(PROJECTS / project).step(step).function(rows, seed)
    return made


def from_file(root: Path, frame: pl.DataFrame) -> list[str]:
    """Write raw.csv in the project; return the overrides that read it."""
    frame.write_csv(root / "raw.csv")
    return ["ingestion=file", "ingestion.path=raw.csv"]
