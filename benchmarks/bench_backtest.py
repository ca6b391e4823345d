"""The back-test on real prices: its time, what it finds, and that shuffled labels show no skill.

usage: bench_backtest.py [SHUFFLES [SESSIONS_BETWEEN_REFITS]]     (20 504)

Nothing is tuned here: a booster with ordinary settings walks through the prices, as the stage does,
and chooses its features anew at each refit. The timed walk refits every month; the shuffled ones
every two years, or as often as is asked for: monthly ones take 24 times as many fits.
"""

from __future__ import annotations

import json
import math
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import yaml
from workplace import ROOT, show

from heddle.domain.typed import build
from heddle.evaluation.forecasts import information_coefficient
from heddle.evaluation.metrics import METRICS
from heddle.evaluation.split_plan import Split
from heddle.evaluation.splits import assign
from heddle.evaluation.walk_forward import Refit, Schedule, refits
from heddle.features.price_history import PriceHistory, price_features
from heddle.infrastructure.memory import MemoryTables, SilentProgress
from heddle.infrastructure.memory_tracking import MemoryTracker
from heddle.models.candidates import read_candidates
from heddle.models.features import read_features
from heddle.pipeline.context import StageContext
from heddle.pipeline.steps.backtest import Backtest, backtest
from heddle.registry.final_model import builder
from heddle.training.walk import walk
from heddle.training.workers import workers

NVDA = ROOT.parent / "shared" / "data" / "prices" / "NVDA.csv"
HORIZON, CORES, MOST_SECONDS, SHUFFLES, MONTH, RARELY = 5, 2, 90.0, 20, 21, 504
LEAST = 0.025  # chance below which too few shuffles lie inside their band
FIRST = pl.date(2010, 10, 18)  # of the reference's rows
SELECTION = {"how": "from_model"}
THEIR_ROWS, LATER_SPLIT = 3_773, 10  # to 2025-10-16, in prices after the split of June 2024
# What the reference's rows give: horizon -> MAPE in percent and RMSE, of validation and of test.
THEIRS = {
    1: {"val": (2.63, 0.81), "test": (2.26, 3.48)},
    5: {"val": (5.88, 1.75), "test": (5.28, 7.30)},
    20: {"val": (13.69, 4.00), "test": (9.85, 13.78)},
}
THEIR_FOLDS = (5.7, 9.1, 10.6)  # MAPE, 20 sessions ahead, three folds in time inside train
BOOSTER = {
    "n_estimators": 200,
    "learning_rate": 0.03,
    "num_leaves": 15,
    "min_child_samples": 40,
    "colsample_bytree": 0.5,
    "reg_lambda": 1.0,
}
BEST: dict[str, Any] = {
    "members": [{"candidate": "lightgbm", "estimator": "lightgbm", "params": BOOSTER}],
    "imputation": "median",
    "clusters": {"kind": "none"},
}
CANDIDATES = {"lightgbm": {"estimator": "lightgbm"}}
PLAN = {
    "strategy": "walk_forward",
    "row_key": "session",
    "test_share": 0.15,
    "folds": 5,
    "time": {"column": "session", "purge": HORIZON, "embargo": 5, "valid_periods": 250},
}


def main() -> None:
    if not NVDA.exists():
        print("skipped: the real prices are not here", file=sys.stderr)
        return
    shuffles = int(sys.argv[1]) if sys.argv[1:] else SHUFFLES
    bars = prices()
    persistence(bars)
    walked(bars)
    if shuffles:
        shuffled(bars, shuffles, every=int(sys.argv[2]) if sys.argv[2:] else RARELY)


def prices() -> pl.DataFrame:
    """Return the bars, all four adjusted in the proportion of the close."""
    raw = pl.read_csv(NVDA, try_parse_dates=True)
    part = pl.col("Adj Close") / pl.col("Close")
    adjusted = {name.lower(): pl.col(name) * part for name in ("Open", "High", "Low")}
    return raw.select(session="Date", **adjusted, close="Adj Close", volume="Volume")


def labelled(bars: pl.DataFrame) -> pl.DataFrame:
    later = pl.col("close").shift(-HORIZON)
    rows = bars.select("session", forward_return=(later / pl.col("close")).log())
    return rows.slice(PriceHistory().lookback).drop_nulls()


def persistence(bars: pl.DataFrame) -> None:
    """Print the error of the price that stays beside that of the reference's rows."""
    since = bars.filter(pl.col("session") >= FIRST)
    close, days = since["close"].to_numpy() / LATER_SPLIT, since["session"]
    table = []
    for ahead, theirs in THEIRS.items():
        rows = THEIR_ROWS - ahead
        same = ("the same", slice(int(0.7 * rows), int(0.85 * rows)))
        own = len(close) - ahead
        ours = {
            "val": ("70-85 % of this file", slice(int(0.7 * own), int(0.85 * own))),
            "test": ("85-100 % of this file", slice(int(0.85 * own), own)),
        }
        for part, (what, cut) in (("val", same), *ours.items()):
            after, now = close[ahead:][cut], close[:-ahead][cut]
            mape, rmse = METRICS["mape"](after, now), METRICS["rmse"](after, now)
            told = theirs[part]
            table.append(
                (
                    *(ahead, part, what, f"{days[cut][0]} to {days[cut][-1]}"),
                    *(f"{mape:.2f}", f"{told[0]:.2f}", f"{rmse:.2f}", f"{told[1]:.2f}"),
                    _near(mape, told[0]) if what == "the same" else "other sessions",
                )
            )
    head = ("sessions ahead", "part", "rows", "from to", "MAPE %", "theirs", "RMSE", "theirs", "")
    show("Persistence, in prices after the split of 2024", head, table)
    print(
        f"\nTheirs are {THEIR_ROWS:,} sessions to 2025-10-16; this file ends {days[-1]}. Their"
        " validation part lies inside it, so those rows are the same sessions; their test part"
        " lies after it, so no row of it is here. RMSE is in dollars and follows the price."
    )
    found = _folds(close)
    cells = [f"{a:.2f} / {b:.1f}" for a, b in zip(found, THEIR_FOLDS, strict=True)]
    kept = all(abs(a - b) <= 0.1 for a, b in zip(found, THEIR_FOLDS, strict=True))
    show("Persistence, 20 ahead, MAPE % of three folds in time (ours / theirs)",
         ("fold 1", "fold 2", "fold 3", "within 0.1"), [(*cells, _met(kept))])  # fmt: skip


def _folds(close: np.ndarray) -> list[float]:
    """Cut the first 70 % of the reference's rows as three growing folds do."""
    rows = int(0.7 * (THEIR_ROWS - 20))
    each = rows // 4
    starts = [rows - (3 - i) * each for i in range(3)]
    return [METRICS["mape"](close[20:][s : s + each], close[:-20][s : s + each]) for s in starts]


def walked(bars: pl.DataFrame) -> None:
    """Run the stage on all sessions, print its seconds and what it found."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "models").mkdir()
        (root / "models/best_params.yaml").write_text(yaml.safe_dump(BEST))
        context = _context(root, bars)
        config = {
            "target": "forward_return",
            "row_key": "session",
            "horizon": HORIZON,
            "features": {
                "numeric": "__AUTO__",
                "history": {"reads": "v1"},
                "selection": SELECTION,
            },
            "candidates": CANDIDATES,
            "refit_every": MONTH,
        }
        already, start = _cpu_seconds(), time.perf_counter()
        backtest(context, build(Backtest, config, where="bench"))
        took, spent = time.perf_counter() - start, _cpu_seconds() - already
        told = json.loads((root / "models/backtest.json").read_text())
        size = sum(path.stat().st_size for path in (root / "models").iterdir()) / 1e6
    features = len(PriceHistory().names)
    kept = np.mean([row["features"] for row in told["by_refit"]])
    what = (
        f"{bars.height:,} sessions, {features} features, {told['refits']} monthly refits that"
        f" choose {kept:.0f} of them on average"
    )
    line = (what, f"{took:.1f}", f"< {MOST_SECONDS:g} s: {_met(took < MOST_SECONDS)}")
    rest = (f"{spent:.1f}", f"{os.getloadavg()[0]:.1f}", f"{size:.1f}")
    head = ("walk-forward, LightGBM", "seconds", f"target on {CORES} cores")
    show("Time", (*head, "of CPU", "load of the machine", "MB written"), [(*line, *rest)])
    _found(told)


def _found(told: dict[str, Any]) -> None:
    for part, rows in (("all sessions", told["strategies"]), ("unseen", told["unseen"])):
        table = [
            (
                row["strategy"],
                *(_number(row[side][key], 100) for side in ("gross", "net")
                  for key in ("annual_return",)),
                *(_number(row["net"][key], scale) for key, scale in
                  (("sharpe", 1), ("max_drawdown", 100))),
                *(_number(row[key], 1) for key in ("annual_turnover", "break_even_bps")),
                row["trades"]["trades"],
            )
            for row in rows
        ]  # fmt: skip
        count = rows[0]["net"]["sessions"]
        head = ("strategy", "gross a year, %", "net", "Sharpe, net", "deepest fall, %",
                "turnover a year", "break-even, bps", "trades")  # fmt: skip
        show(f"Untuned back-test, {part}: {count:,} sessions", head, table)
    said = told["forecasts"]["unseen"]
    shown = ("rows", "skill", "oos_r2", "directional_accuracy", "up_share", "ic", "ic_t",
             "pesaran_timmermann_p", "price_mape")  # fmt: skip
    show("Its forecasts, unseen", shown, [[_number(said[key], 1) for key in shown]])
    print("\n" + "\n".join(f"- {line}" for line in told["words"]))


def shuffled(bars: pl.DataFrame, shuffles: int, *, every: int) -> None:
    """Shuffle the labels and walk again: whatever skill is left would be a leak."""
    rows = labelled(bars)
    features = price_features(bars, PriceHistory())
    names = list(PriceHistory().names)
    seen = rows.join(features, on="session", how="left").select(names).to_pandas()
    target = rows["forward_return"].to_numpy()
    plan = refits(
        Schedule(initial_rows=756, refit_every=every, purge=HORIZON), len(target), horizon=HORIZON
    )
    begin = plan[0].predict.start
    dice = np.random.default_rng(0)
    began = time.perf_counter()
    found = [_skill(seen, dice.permutation(target), plan) for _ in range(shuffles)]
    each = (time.perf_counter() - began) / shuffles
    # what a leak would look like: the rows that are forecast are among those learned from
    leaky = tuple(
        Refit(number=r.number, train=range(r.predict.stop), predict=r.predict) for r in plan
    )
    leak = _skill(seen, dice.permutation(target), leaky)
    rows_told = len(target) - begin
    one = 1.96 / math.sqrt(rows_told - 1)
    inside = sum(abs(value) <= one for value in found)
    chance = _at_most(inside, shuffles, 0.95)
    mean, band = float(np.mean(found)), one / math.sqrt(len(found))
    table = [
        ("mean IC", f"{mean:+.4f}", f"within ±{band:.4f}: {_met(abs(mean) <= band)}"),
        (
            f"shuffles inside their own band (±{one:.4f}, 95 %)",
            f"{inside} of {shuffles}",
            f"chance of no more, without skill, {chance:.2g} >= {LEAST:g}: {_met(chance >= LEAST)}",
        ),
        ("largest |IC|", f"{max(map(abs, found)):.4f}", ""),
        ("with the forecast rows learned from", f"{leak:+.4f}", "shows that a leak would be seen"),
    ]
    show(
        f"Labels shuffled {shuffles} times, {rows_told:,} rows forecast, {len(plan)} refits every"
        f" {every} sessions, features chosen anew, {each:.1f} s each",
        ("", "", "target"),
        table,
    )


def _at_most(count: int, of: int, chance: float) -> float:
    """Return how likely at most `count` successes are."""
    return sum(math.comb(of, k) * chance**k * (1 - chance) ** (of - k) for k in range(count + 1))


def _skill(rows: pd.DataFrame, target: np.ndarray, plan: tuple[Refit, ...]) -> float:
    told = {"numeric": list(rows.columns), "selection": SELECTION}
    features = read_features(told, where="bench")
    make = builder(BEST, features, read_candidates(CANDIDATES, where="bench"), seed=1)
    with workers(CORES) as pool:
        made = walk(make, rows, target, plan, pool)
    known = np.isfinite(made.predicted)
    return information_coefficient(target[known], made.predicted[known])[0]


def _context(root: Path, bars: pl.DataFrame) -> StageContext:
    tables, rows = MemoryTables(), labelled(bars)
    split = assign(rows, build(Split, PLAN, where="bench"))
    for name, frame in (("v1", bars), ("v2", rows), ("split", split)):
        tables.write(name, frame, {})
    return StageContext(
        stage="backtest",
        root=root,
        reads={name: name for name in ("v2", "split", "v1", "models/best_params.yaml")},
        writes=(),
        contracts={},
        tables=tables,
        tracker=MemoryTracker(),
        registry=None,
        progress=SilentProgress(),
        source=None,
        cores=CORES,
        scratch=root / ".scratch",
        facts=dict,
    )


def _cpu_seconds() -> float:
    """Return what this process and its ended children have spent."""
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(whose) for whose in both]
    return sum(u.ru_utime + u.ru_stime for u in used)


def _near(one: float, other: float) -> str:
    return f"within 0.02: {_met(abs(one - other) <= 0.02)}"


def _number(value: float | None, scale: float) -> str:
    return "-" if value is None else f"{value * scale:,.3g}"


def _met(kept: bool) -> str:
    return "met" if kept else "MISSED"


if __name__ == "__main__":
    main()
