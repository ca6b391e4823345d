"""The stocks project's data stages run in this process, on small files."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import yaml

_runs = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "in_process.py")))

STOCKS = _runs.PROJECTS / "stocks"
REAL = Path(__file__).parents[3] / "shared" / "data" / "prices"
_STAGES = yaml.safe_load((STOCKS / "configs/pipeline/base.yaml").read_text())["stages"]
from_file = _runs.from_file
DATA = ("fetch", "prices", "labels")
ALONE = tuple(f"~pipeline.stages.{name}" for name in _STAGES if name not in DATA)


def copied(folder: Path) -> Path:
    """Return a copy of the project in which nothing has run."""
    made: Path = _runs.copied("stocks", folder)
    return made


def versions(root: Path, *overrides: str, last: str = "labels") -> dict[str, pl.DataFrame]:
    """Run the data stages up to `last`; return every version that they made.

    Args:
        root: a copy of the project, where the data goes.
        overrides: of the configuration.
        last: the last stage to run.
    """
    plan = _runs.planned("stocks", *ALONE, *overrides)
    made: dict[str, pl.DataFrame] = _runs.run_to(root, plan, last)
    return made


def sample(rows: int, seed: int = 42) -> pl.DataFrame:
    """Return made-up prices."""
    made: pl.DataFrame = _runs.sample("stocks", "price_sample", rows, seed)
    return made
