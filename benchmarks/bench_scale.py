"""The chain of hospital data versions at ten times the rows: seconds and memory grow how much?

usage: bench_scale.py [ROWS [FACTOR [ENGINE…]]]     (1081672 10 polars duckdb)
"""

from __future__ import annotations

import importlib
import os
import resource
import sys
from dataclasses import dataclass

from workplace import Ran, fresh_project, run, show

ROWS, FACTOR = 1_081_672, 10
LAST = "v12_drop_non_lag_columns"
MOST_MEGABYTES = 8000


def main() -> None:
    told = sys.argv[1:]
    rows = int(told[0]) if told else ROWS
    factor = int(told[1]) if told[1:] else FACTOR
    table = []
    for engine in told[2:] or ("polars", "duckdb"):
        small, large = (cold(engine, rows * times) for times in (1, factor))
        table += [
            _row(engine, rows, small, small, 1),
            _row(engine, rows * factor, large, small, factor),
        ]
    head = ("engine", "rows", "load before", "seconds", "x", "core seconds", "x", "peak memory")
    show("heddle run, v0 to v13 from a raw CSV", (*head, "target"), table)


@dataclass(frozen=True)
class Cold:
    """A run where nothing had run."""

    load: float
    ran: Ran
    core_seconds: float  # of all its processes: what others do on the machine is not in it


def cold(engine: str, rows: int) -> Cold:
    """Run the chain in a project in which nothing has run."""
    with fresh_project("drg") as project:
        source = project.parent / "raw.csv"
        sys.path.insert(0, str(project / "steps"))
        importlib.import_module("hospital_sample").hospital_sample(rows, 42).write_csv(source)
        load, before = os.getloadavg()[0], _core_seconds()
        told = (f"ingestion.path={source}", "ingestion=file", "tracking=none", f"engine={engine}")
        ran = run(project, "heddle", "run", LAST, *told, watch=True)
    if ran.code:
        raise SystemExit(ran.code)
    return Cold(load, ran, _core_seconds() - before)


def _core_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _row(engine: str, rows: int, cold: Cold, small: Cold, factor: int) -> tuple[str, ...]:
    times = cold.ran.seconds / small.ran.seconds
    work = cold.core_seconds / small.core_seconds
    peak = cold.ran.peak_megabytes
    kept = times <= factor and peak < MOST_MEGABYTES
    target = f"<= {factor} x, < {MOST_MEGABYTES:,} MB: {'met' if kept else 'MISSED'}"
    seconds = (f"{cold.ran.seconds:.1f}", f"{times:.1f}", f"{cold.core_seconds:.1f}", f"{work:.1f}")
    shown = (f"{rows:,}", f"{cold.load:.1f}", *seconds, f"{peak:,.0f} MB")
    return (engine, *shown, target if factor > 1 else "")


if __name__ == "__main__":
    main()
