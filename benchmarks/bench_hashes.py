"""The hospital chain made again: fresh, on one thread, on two, by another engine. Same tables?

usage: bench_hashes.py [ROWS]     (1081672, as many as the real file has)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs
from workplace import fresh_project, run, show

from heddle.frames.content import content_hash

ROWS = 1_081_672
LAST = "v12_drop_non_lag_columns"
WAYS = (
    ("first run", "", ""),
    ("second fresh run", "", ""),
    ("POLARS_MAX_THREADS=1, world.cores=1", "1", "world.cores=1"),
    ("POLARS_MAX_THREADS=2, world.cores=2", "2", "world.cores=2"),
    ("engine=duckdb", "", "engine=duckdb"),
)
Marks = dict[str, tuple[str, str, str]]  # version -> of its file, of its table, of it at 12 digits


def main() -> None:
    rows = int(sys.argv[1]) if sys.argv[1:] else ROWS
    made = [(name, _made(rows, threads, more)) for name, threads, more in WAYS]
    _, first = made[0]
    table = []
    for name, marks in made[1:]:
        same = [sum(marks[v][i] == first[v][i] for v in first) for i in range(3)]
        said = [f"{count} of {len(first)}" for count in same]
        met = "met" if {*same, len(marks)} == {len(first)} else "MISSED"
        table.append((name, *said, f"all files and tables equal: {met}"))
    head = ("as the first run", "files", "content hashes", "floats at 12 digits", "target")
    show(f"versions v0 to v13 of {rows:,} rows that are the same", head, table)


def _made(rows: int, threads: str, more: str) -> Marks:
    """Run the chain where nothing has run; return what names each version that came out."""
    with fresh_project("drg") as project:
        told = [f"ingestion.rows={rows}", "tracking=none", *([more] if more else [])]
        limit = [f"POLARS_MAX_THREADS={threads}"] if threads else []
        ran = run(project, "env", *limit, "heddle", "run", LAST, *told)
        if ran.code:
            raise SystemExit(ran.code)
        found = sorted((project / "data").glob("*/*_metadata.json"))
        return {path.parent.name: _marks(path) for path in found}


def _marks(path: Path) -> tuple[str, str, str]:
    info: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    frame = pl.read_parquet(path.with_name(f"{path.parent.name}.parquet"))
    rounded = frame.with_columns(cs.float().round_sig_figs(12))
    if content_hash(frame) != info["content_hash"]:
        raise SystemExit(f"{path}: the recorded content hash is not that of the table")
    return info["sha256"], info["content_hash"], content_hash(rounded)


if __name__ == "__main__":
    main()
