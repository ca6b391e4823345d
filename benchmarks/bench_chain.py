"""The chain of hospital data versions: all of them, beside one program that makes the last one.

usage: bench_chain.py [ROWS]     (1081672, as many as the real file has)
"""

from __future__ import annotations

import importlib
import json
import statistics
import sys
import time
from pathlib import Path

import polars as pl
from workplace import Ran, fresh_project, run, show

ROWS = 1_081_672
LAST = "v12_drop_non_lag_columns"
MORE = ("v13_sample_series", "split")  # nineteen stages with those
REFERENCE = Path(__file__).with_name("chain_reference.py")
KEY = ["facility_id", "apr_drg_code", "year"]
SAMPLE = 15  # seconds for it
DIGITS = 1e-12  # of a float, relative: sums are taken in another order


def main() -> None:
    rows = int(sys.argv[1]) if sys.argv[1:] else ROWS
    with fresh_project("drg") as project:
        source, made = project.parent / "raw.csv", project.parent / "v13.parquet"
        begun = _write_rows(project, rows, source)
        told = ("ingestion=file", f"ingestion.path={source}", "tracking=none")
        plain = [_checked(run(project, sys.executable, REFERENCE, source, made, watch=True))]
        cold = _checked(run(project, "heddle", "run", LAST, *told, watch=True))
        plain += [_checked(run(project, sys.executable, REFERENCE, source, made)) for _ in "12"]
        _compare(pl.read_parquet(made), pl.read_parquet(project / "data/v13/v13.parquet"))
        _checked(run(project, "heddle", "run", LAST, *MORE, *told))
        nothing = _checked(run(project, "heddle", "run", LAST, *MORE, *told))
        alone = _checked(run(project, "heddle", "stage", LAST))
        other = "transformations.drop_rows_without_history.how=any"
        late = _checked(run(project, "heddle", "run", LAST, *told, other, "--json"))
    _show(rows, begun, plain, cold, {"nothing": nothing, "alone": alone, "late": late})


def _write_rows(project: Path, rows: int, path: Path) -> tuple[float, float]:
    """Write the sample; return the seconds in which it was made, and made and written."""
    sys.path.insert(0, str(project / "steps"))
    step = importlib.import_module("hospital_sample")
    start = time.perf_counter()
    made = step.hospital_sample(rows, 42)
    seconds = time.perf_counter() - start
    made.write_csv(path)
    return seconds, time.perf_counter() - start


def _checked(ran: Ran) -> Ran:
    if ran.code:
        raise SystemExit(ran.code)
    return ran


def _compare(one: pl.DataFrame, other: pl.DataFrame) -> None:
    """Refuse a difference in any cell: whole numbers and nulls exactly, floats at 12 digits."""
    if set(one.columns) != set(other.columns) or one.height != other.height:
        raise SystemExit(f"the reference has {one.shape}, v13 has {other.shape}")
    one, other = (frame.sort(KEY) for frame in (one, other))
    for name in one.columns:
        a, b = one[name], other[name]
        larger = pl.select(pl.max_horizontal(a.abs(), b.abs())).to_series()
        near = (a - b).abs() <= DIGITS * larger
        same = near | (a.is_null() & b.is_null())
        if not same.fill_null(value=False).all() or a.is_null().ne(b.is_null()).any():
            raise SystemExit(f"column {name} differs in {(~same).sum():,} rows")


def _show(
    rows: int, begun: tuple[float, float], plain: list[Ran], cold: Ran, after: dict[str, Ran]
) -> None:
    one = statistics.median(ran.seconds for ran in plain)
    ran = [r["name"] for r in json.loads(after["late"].output) if r["outcome"] == "ran"]
    rest = after["late"].seconds - after["alone"].seconds
    peak = max(cold.peak_megabytes, 0.0)
    made, written = begun
    table = [
        ("the sample made", f"{made:.1f} s", "", f"< {SAMPLE} s: {_met(made < SAMPLE)}"),
        (
            "made and written as csv",
            f"{written:.1f} s",
            "",
            f"< {SAMPLE} s: {_met(written < SAMPLE)}",
        ),
        ("one Polars program, v13 only", f"{one:.1f} s", "1.0", ""),
        _row("heddle run, cold: v0 to v13", cold.seconds, one, 3 * one),
        ("its peak memory", f"{peak:,.0f} MB", "", f"< 2,000 MB: {_met(peak < 2000)}"),
        ("the program's peak memory", f"{plain[0].peak_megabytes:,.0f} MB", "", ""),
        _row("heddle run, nothing to do, 19 stages", after["nothing"].seconds, one, 3),
        (f"heddle stage {LAST}", f"{after['alone'].seconds:.1f} s", "", ""),
        (
            f"heddle run, {' and '.join(ran)} changed",
            f"{after['late'].seconds:.1f} s",
            "",
            f"<= that + 2 s: {_met(rest <= 2)}",
        ),
    ]
    show(f"{rows:,} rows, v13 compared cell by cell", ("what", "measured", "x", "target"), table)


def _row(what: str, seconds: float, one: float, bar: float) -> tuple[str, str, str, str]:
    target = f"<= {bar:.1f} s: {_met(seconds <= bar)}"
    return what, f"{seconds:.1f} s", f"{seconds / one:.1f}", target


def _met(kept: bool) -> str:
    return "met" if kept else "MISSED"


if __name__ == "__main__":
    main()
