"""The hospital project run stage by stage in this process, on small files."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import polars as pl

from heddle.pipeline.plan import Plan

_runs = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "in_process.py")))

DRG = _runs.PROJECTS / "drg"
REAL = Path(__file__).parents[3] / "shared" / "data" / "ny-hospital"
KEY = ["year", "facility_id", "apr_drg_code"]
MEASURES = [
    *("sum_discharges", *(f"severity_{k}_portion" for k in (1, 2, 3, 4))),
    *("w_mean_charge", "w_mean_cost", "w_mean_profit", "w_total_mean_profit"),
    *("w_total_mean_cost", "w_median_charge", "w_median_cost", "w_median_profit"),
    *("w_total_median_profit", "w_total_median_cost"),
]
TARGET = "w_total_median_profit"
stage, from_file = _runs.stage, _runs.from_file


def copied(folder: Path) -> Path:
    """Return a copy of the project in which nothing has run."""
    made: Path = _runs.copied("drg", folder)
    return made


def planned(*overrides: str) -> Plan:
    """Return the plan of the project with these overrides, no run being tracked."""
    made: Plan = _runs.planned("drg", *overrides)
    return made


def versions(root: Path, *overrides: str, last: str = "v13") -> dict[str, pl.DataFrame]:
    """Run all that the version `last` needs; return every version that this made.

    Args:
        root: a copy of the project, where the data goes.
        overrides: of the configuration.
        last: the last version to make.
    """
    plan = planned(*overrides)
    maker = next(s.name for s in plan.stages if last in s.outputs)
    made: dict[str, pl.DataFrame] = _runs.run_to(root, plan, maker)
    return made


def sample(rows: int, seed: int = 42) -> pl.DataFrame:
    """Return made-up rows under the raw file's headers."""
    made: pl.DataFrame = _runs.sample("drg", "hospital_sample", rows, seed)
    return made
