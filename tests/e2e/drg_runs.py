"""The hospital project run stage by stage in this process: no DVC, no tracker, small files."""

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

DRG = Path(__file__).parents[2] / "projects" / "drg"
REAL = Path(__file__).parents[3] / "shared" / "data" / "ny-hospital"
KEY = ["year", "facility_id", "apr_drg_code"]
MEASURES = [
    *("sum_discharges", *(f"severity_{k}_portion" for k in (1, 2, 3, 4))),
    *("w_mean_charge", "w_mean_cost", "w_mean_profit", "w_total_mean_profit"),
    *("w_total_mean_cost", "w_median_charge", "w_median_cost", "w_median_profit"),
    *("w_total_median_profit", "w_total_median_cost"),
]
TARGET = "w_total_median_profit"


def copied(folder: Path) -> Path:
    """Return a copy of the project in which nothing has run."""
    for part in ("configs", "steps", ".dvc"):
        left_out = shutil.ignore_patterns("__pycache__", "cache", "tmp")
        shutil.copytree(DRG / part, folder / part, ignore=left_out)
    return folder


@cache
def planned(*overrides: str) -> Plan:
    """Return the plan of the project with these overrides, no run being tracked."""
    return make_plan(compose_config(DRG, ["tracking=none", *overrides]), DRG)


def versions(root: Path, *overrides: str, last: str = "v13") -> dict[str, pl.DataFrame]:
    """Run all that the version `last` needs; return every version that this made.

    Args:
        root: a copy of the project, where the data goes.
        overrides: of the configuration.
        last: the last version to make.
    """
    plan = planned(*overrides)
    maker = next(s.name for s in plan.stages if last in s.outputs)
    made: dict[str, pl.DataFrame] = {}
    for wanted in wanted_stages(plan.stages, [maker]):
        made |= stage(root, plan, wanted.name)
    return made


def stage(root: Path, plan: Plan, name: str) -> dict[str, pl.DataFrame]:
    """Run one stage on what lies in the project; return the versions that it writes."""
    entry = plan.entries[name]
    context = stage_context(root, name, entry, params(plan))
    run_stage(entry, context)
    return {v: context.tables.read(v) for v in context.writes if "/" not in v}


def sample(rows: int, seed: int = 42) -> pl.DataFrame:
    """Return made-up rows under the raw file's headers."""
    made: pl.DataFrame = Catalog(DRG).step("hospital_sample").function(rows, seed)
    return made


def from_file(root: Path, frame: pl.DataFrame) -> list[str]:
    """Write raw.csv in the project; return the overrides that read it."""
    frame.write_csv(root / "raw.csv")
    return ["ingestion=file", "ingestion.path=raw.csv"]
