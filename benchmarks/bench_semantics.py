"""What each model of the hospital project is worth by the correct semantics and the reference's.

usage: bench_semantics.py [ROWS [TRIALS]]     (raw rows of the sample, and trials per candidate)

Both are judged on the same years, 2012 to 2015, each predicted from the years before it. The
targets differ (a true total, and the total that is weighted twice), so figures of the two
columns compare only by skill: the share of the error of persistence that a model avoids.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

import polars as pl
from workplace import fresh_project, run, show

ROWS, TRIALS = 60_000, 2
SEMANTICS = ("correct", "reference")


def main() -> None:
    rows, trials = (*map(int, sys.argv[1:]), *(ROWS, TRIALS)[len(sys.argv) - 1 :])
    boards = {name: _board(name, rows, trials) for name in SEMANTICS}
    found = {name: {e["candidate"]: e for e in b["entries"]} for name, b in boards.items()}
    names = list(dict.fromkeys(c for entries in found.values() for c in entries))
    head = ["candidate"]
    for name, board in boards.items():
        head += [f"{name}: {board['metric']}", "skill"]
    table = [[c, *(cell for f in found.values() for cell in _cells(f.get(c)))] for c in names]
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    show(f"Two semantics: {rows:,} raw rows, {trials} trials; {load}", head, table)
    sizes = [[name, *board["told"]] for name, board in boards.items()]
    show("What they were judged on", ("semantics", "target", "training rows", "seconds"), sizes)


def _board(semantics: str, rows: int, trials: int) -> dict[str, Any]:
    told = (
        *("tracking=none", f"semantics={semantics}", f"ingestion.rows={rows}"),
        *(f"ml_experiments.compete.trials={trials}", "model_candidates=full"),
    )
    with fresh_project("drg") as project:
        ran = run(project, "heddle", "run", "compete", *told)
        if ran.code:
            raise SystemExit(ran.code)
        board: dict[str, Any] = json.loads((project / "models/leaderboard.json").read_text())
        split = pl.read_parquet(project / "data/split/split.parquet")
    training = split.filter(pl.col("part") == "train").height
    target = "sum_total_mean_profit" if semantics == "correct" else "w_total_median_profit"
    return board | {"told": [target, f"{training:,}", f"{ran.seconds:.0f}"]}


def _cells(entry: Mapping[str, Any] | None) -> list[str]:
    if entry is None:
        return ["", ""]
    return [f"{entry['mean']:.2f} ± {entry['sd']:.2f}", f"{entry['skill']:+.3f}"]


if __name__ == "__main__":
    main()
