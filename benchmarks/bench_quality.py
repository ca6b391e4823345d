"""The whole job on the real housing file: how good, how long, how much memory."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from workplace import HOUSING_CSV, Ran, fresh_project, run, show

# what the earlier system reached at its best, and what we set out for
_BARS = {
    "mape": (16.55, 15.5, "<="),
    "wmape": (14.27, 13.6, "<="),
    "rmse": (45_076.0, 44_000.0, "<="),
    "r2": (0.8449, 0.852, ">="),
    "within_10pct": (46.9, 48.0, ">="),
}


def main() -> None:
    if not HOUSING_CSV.exists():
        print("skipped: the real housing file is not here", file=sys.stderr)
        return
    for split in sys.argv[1:] or ["random", "stratified"]:
        with fresh_project() as project:
            ran = run(
                project,
                *("heddle", "run", "ingestion=file", f"ingestion.path={HOUSING_CSV}"),
                f"split={split}",
                watch=True,
            )
            if ran.code:
                raise SystemExit(ran.code)
            _show(split, project, ran)


def _show(split: str, project: Path, ran: Ran) -> None:
    found = json.loads((project / "models" / "metrics.json").read_text())
    told = json.loads((project / "models" / "evaluation.json").read_text())
    blocked = told["blocked_cv"]
    rows = [
        (
            name,
            f"{old:g}",
            f"{bar:g}",
            f"{found[name]:.4g}" if name != "rmse" else f"{found[name]:,.0f}",
            "met" if (found[name] <= bar if sign == "<=" else found[name] >= bar) else "MISSED",
            f"{told['cv'].get(name, float('nan')):.4g}",
            f"{blocked.get(name, float('nan')):.4g}",
        )
        for name, (old, bar, sign) in _BARS.items()
    ]
    head = ("metric", "earlier system", "bar", "test, opened once", "", "CV", "blocked CV")
    show(f"Quality on the real file, split={split}", head, rows)
    fast, small = ran.seconds <= 600, ran.peak_megabytes < 2000
    cost = [
        ("fresh full run", f"{ran.seconds:.0f} s", f"<= 600 s: {_met(fast)}"),
        (
            "peak memory of all its processes",
            f"{ran.peak_megabytes:,.0f} MB",
            f"< 2,000 MB: {_met(small)}",
        ),
    ]
    show(f"Cost of that run, split={split}", ("what", "measured", "target"), cost)
    parts = {
        path.stem: json.loads(path.read_text())["seconds"]
        for path in (project / "reports" / "timings").glob("*.json")
    }
    show("Seconds of the stages", tuple(parts), [[f"{s:.0f}" for s in parts.values()]])
    board = json.loads((project / "models" / "leaderboard.json").read_text())
    leaders = [
        (e["candidate"], f"{e['mean']:.3f}", f"{e['sd']:.3f}", e["trials"])
        for e in board["entries"]
    ]
    head = ("candidate", board["metric"], "sd", "trials")
    show(f"Leaderboard, split={split}", head, leaders)


def _met(kept: bool) -> str:
    return "met" if kept else "MISSED"


if __name__ == "__main__":
    main()
