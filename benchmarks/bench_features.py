"""Features of prices made at run time: one stock, a thousand of them, and one new day.

usage: bench_features.py [TICKERS [ROWS]]     (1000 5000)
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from workplace import ROOT, run, show

from heddle.features.price_history import PriceHistory, price_features, price_features_at_end

NVDA = ROOT.parent / "shared" / "data" / "prices" / "NVDA.csv"
MOST = {"batch": 0.3, "panel": 60.0, "day": 0.05}  # seconds
MOST_MEGABYTES = 6000
TICKERS, ROWS = 1000, 5000


def main() -> None:
    told = sys.argv[1:]
    if told[:1] == ["panel"]:
        print(json.dumps(panel(int(told[1]), int(told[2]))))
        return
    tickers, rows = (int(told[0]), int(told[1])) if told[1:] else (TICKERS, ROWS)
    source = f"{NVDA.name}"
    if NVDA.exists():
        history = nvda()
    else:
        print(f"{source} is not here: a made path of {ROWS:,} rows stands for it", file=sys.stderr)
        history, source = path(ROWS, 1), "a made path"
    spec = PriceHistory()
    batch = seconds(lambda: price_features(history, spec))
    day = seconds(lambda: price_features_at_end(history, spec))
    peer = seconds(lambda: with_pandas(history, spec))
    many = measured_panel(tickers, rows)
    told_batch = f"{history.height:,} rows of {source}, {len(spec.names)} features"
    table = [
        (told_batch, *_cells(batch, "batch"), "1"),
        ("pandas: rolling and ewm alone", f"{peer:.4f}", "", "", f"{peer / batch:.1f}"),
        ("one new day, from the end of it", *_cells(day, "day"), f"{day / batch:.2f}"),
        (
            f"{tickers:,} tickers x {rows:,} rows, in a fresh process",
            *_cells(many["seconds"], "panel"),
            f"{many['seconds'] / batch / (tickers * rows / history.height):.1f} a row",
        ),
    ]
    show("Features", ("what", "seconds", "target", "of target", "x the first"), table)
    kept = "met" if many["megabytes"] < MOST_MEGABYTES else "MISSED"
    shown = [
        ("rows that came", f"{many['before']:,.0f}", ""),
        ("its peak", f"{many['megabytes']:,.0f}", f"< {MOST_MEGABYTES:,}: {kept}"),
        ("table of features", f"{many['table']:,.0f}", ""),
    ]
    show("Memory of that process, MB", ("what", "MB", "target"), shown)


def seconds(work: Callable[[], object], times: int = 9) -> float:
    """Return the median of several runs, after one that warms up."""
    work()
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def nvda() -> pl.DataFrame:
    """Return the real prices as one adjusts them: all four in the proportion of the close."""
    raw = pl.read_csv(NVDA, try_parse_dates=True)
    part = pl.col("Adj Close") / pl.col("Close")
    prices = {name.lower(): pl.col(name) * part for name in ("Open", "High", "Low")}
    return raw.select(session="Date", **prices, close="Adj Close", volume="Volume")


def path(rows: int, seed: int) -> pl.DataFrame:
    """Return made prices on weekdays."""
    rng = np.random.default_rng(seed)
    close = 50 * np.exp(np.cumsum(rng.normal(0.0005, 0.02, rows)))
    opened = np.append(close[:1], close[:-1]) * np.exp(rng.normal(0, 0.005, rows))
    return pl.DataFrame(
        {
            "session": np.busday_offset(np.datetime64(date(2003, 8, 25)), np.arange(rows)),
            "open": opened,
            "high": np.maximum(opened, close) * 1.01,
            "low": np.minimum(opened, close) * 0.99,
            "close": close,
            "volume": rng.integers(1, 10**8, rows),
        }
    )


def with_pandas(history: pl.DataFrame, spec: PriceHistory) -> pd.DataFrame:
    """Make the rolling and exponential columns as one writes them in pandas, the rest left out."""
    close = pd.Series(history["close"].to_numpy())
    volume = pd.Series(history["volume"].to_numpy().astype(float))
    r = np.log(close).diff()
    made = {}
    for n in spec.windows:
        made |= {f"{kind}_{n}": getattr(r.rolling(n), kind)() for kind in KINDS}
        for name, values in (("close", close), ("volume", volume), ("dollars", close * volume)):
            seen = values.rolling(n)
            made[f"{name}_{n}"] = (values - seen.mean()) / seen.std()
    for span in (12, 26, 27, 27, 27, 20, 9):
        made[f"ewm_{span}_{len(made)}"] = close.ewm(span=span).mean()
    return pd.DataFrame(made)


KINDS = ("mean", "std", "min", "max", "skew")


def measured_panel(tickers: int, rows: int) -> dict[str, float]:
    """Work on the panel in a process of its own, so that its peak is of that work alone."""
    ran = run(Path.cwd(), sys.executable, __file__, "panel", str(tickers), str(rows))
    if ran.code:
        raise SystemExit(ran.code)
    found: dict[str, float] = json.loads(ran.output.splitlines()[-1])
    return found


def panel(tickers: int, rows: int) -> dict[str, float]:
    """Mix the tickers day by day, as a market's table has them, and make their features."""
    history = pl.concat(
        path(rows, seed).with_columns(ticker=pl.lit(f"T{seed:05}")) for seed in range(tickers)
    ).sort("session", "ticker")
    before = _peak()
    start = time.perf_counter()
    made = price_features(history, PriceHistory(by="ticker"))
    took = time.perf_counter() - start
    sizes = {"before": before, "megabytes": _peak(), "table": made.estimated_size("mb")}
    return {"seconds": took, **sizes}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _cells(took: float, what: str) -> tuple[str, str, str]:
    most = MOST[what]
    return (
        f"{took:.4f}",
        f"< {most:g} s: {'met' if took < most else 'MISSED'}",
        f"{took / most:.2f}",
    )


if __name__ == "__main__":
    main()
