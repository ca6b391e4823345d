"""The chain of hospital data versions at ten times the rows: seconds and memory grow how much?

usage: bench_scale.py [ROWS [FACTOR [ENGINE…]]]     (1081672 10 polars duckdb)
"""

from __future__ import annotations

import importlib
import os
import sys

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
    title = f"heddle run, v0 to v13 from a raw CSV (load before the last: {LOAD[-1]:.1f})"
    show(title, ("engine", "rows", "seconds", "x", "peak memory", "target"), table)


LOAD: list[float] = []


def cold(engine: str, rows: int) -> Ran:
    """Run the chain in a project in which nothing has run."""
    with fresh_project("drg") as project:
        source = project.parent / "raw.csv"
        sys.path.insert(0, str(project / "steps"))
        importlib.import_module("hospital_sample").hospital_sample(rows, 42).write_csv(source)
        LOAD.append(os.getloadavg()[0])
        told = (f"ingestion.path={source}", "ingestion=file", "tracking=none", f"engine={engine}")
        ran = run(project, "heddle", "run", LAST, *told, watch=True)
    if ran.code:
        raise SystemExit(ran.code)
    return ran


def _row(engine: str, rows: int, ran: Ran, small: Ran, factor: int) -> tuple[str, ...]:
    times, peak = ran.seconds / small.seconds, ran.peak_megabytes
    kept = times <= factor and peak < MOST_MEGABYTES
    target = f"<= {factor} x, < {MOST_MEGABYTES:,} MB: {'met' if kept else 'MISSED'}"
    shown = (f"{ran.seconds:.1f}", f"{times:.1f}", f"{peak:,.0f} MB")
    return (engine, f"{rows:,}", *shown, target if factor > 1 else "")


if __name__ == "__main__":
    main()
