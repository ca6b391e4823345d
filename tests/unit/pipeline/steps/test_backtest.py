"""The stage on an invented price: same bytes again, and nothing known before it happened."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import yaml
from tests.staged import given

from heddle.domain.errors import ConfigError
from heddle.domain.typed import build
from heddle.evaluation.split_plan import Split
from heddle.evaluation.splits import assign
from heddle.infrastructure.memory import MemoryTables, SilentProgress
from heddle.infrastructure.memory_tracking import MemoryTracker
from heddle.pipeline.steps.backtest import Backtest, backtest

HORIZON, DAYS, WARM = 3, 420, 20
HISTORY = {
    "reads": "v1",
    "lags": [1, 2],
    "spans": [1, 3],
    "windows": [3],
    "ewm": [2],
    "settle": 1,
    "rsi": 3,
    "macd": [2, 4, 2],
    "atr": 3,
    "bollinger": 3,
}
CONFIG = {
    "target": "gain",
    "row_key": "session",
    "features": {
        "numeric": "__AUTO__",
        "history": HISTORY,
        "selection": {"how": "kbest", "k": 4},
    },
    "candidates": {
        "ridge": {"estimator": "ridge"},
        "tree": {"estimator": "decision_tree", "fixed": {"max_depth": 3}},
    },
    "horizon": HORIZON,
    "initial_rows": 150,
    "refit_every": 40,
    "draws": 50,
}
BEST = {
    "members": [
        {"candidate": "ridge", "estimator": "ridge", "params": {"alpha": 1.0}},
        {"candidate": "tree", "estimator": "decision_tree", "params": {}},
    ],
    "imputation": "median",
    "clusters": {"kind": "none"},
}
WRITTEN = ("backtest.json", "equity.parquet", "trades.parquet")


def prices(signal=0.0, seed=5):
    """Daily bars; with a signal, a move goes on in the next days."""
    dice = np.random.default_rng(seed)
    shocks = dice.normal(0.0003, 0.015, DAYS)
    moves = shocks.copy()
    for at in range(1, DAYS):
        moves[at] += signal * moves[at - 1]
    close = 20 * np.exp(np.cumsum(moves))
    opening = np.r_[20, close[:-1]] * np.exp(dice.normal(0, 0.001, DAYS))
    wide = 1 + np.abs(dice.normal(0, 0.004, DAYS))
    weekdays = [d for i in range(2 * DAYS) if (d := date(2021, 1, 4) + timedelta(i)).weekday() < 5]
    return pl.DataFrame(
        {
            "session": weekdays[:DAYS],
            "open": opening,
            "high": np.maximum(opening, close) * wide,
            "low": np.minimum(opening, close) / wide,
            "close": close,
            "volume": dice.uniform(1e6, 2e6, DAYS),
        }
    )


def labelled(bars):
    later = pl.col("close").shift(-HORIZON)
    rows = bars.select("session", gain=(later / pl.col("close")).log())
    return rows.slice(WARM).drop_nulls()


def dealt(rows, **changes):
    line = {"column": "session", "purge": HORIZON, "embargo": 2, "valid_periods": 30}
    told = {"strategy": "walk_forward", "row_key": "session", "folds": 3, "time": line, **changes}
    return assign(rows, build(Split, told, where="split"))


class Project:
    def __init__(self, root, bars=None, rows=None, split=None):
        self.root = root
        self.bars = prices() if bars is None else bars
        rows = labelled(self.bars) if rows is None else rows
        self.tables = MemoryTables()
        self.split = dealt(labelled(self.bars)) if split is None else split
        for name, frame in (("v1", self.bars), ("v2", rows), ("split", self.split)):
            self.tables.write(name, frame, {})
        self.tracker, self.progress = MemoryTracker(), SilentProgress()
        (root / "models").mkdir(parents=True)
        (root / "models/best_params.yaml").write_text(yaml.safe_dump(BEST))

    def run(self, cores=1, **changes):
        reads = ("v2", "split", "v1", "models/best_params.yaml")
        context = given(self, "backtest", reads, cores=cores)
        backtest(context, build(Backtest, {**CONFIG, **changes}, where="backtest"))
        return self

    @property
    def bytes(self):
        return {name: (self.root / "models" / name).read_bytes() for name in WRITTEN}

    @property
    def told(self):
        return json.loads((self.root / "models/backtest.json").read_text())

    @property
    def equity(self):
        return pl.read_parquet(self.root / "models/equity.parquet")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("backtest")).run()


def test_another_order_of_rows_gives_equal_bytes(done, tmp_path):
    """What is written depends on the rows alone."""
    mixed = labelled(done.bars).sample(fraction=1, shuffle=True, seed=2)
    split = done.split.sample(fraction=1, shuffle=True, seed=3)
    assert Project(tmp_path, rows=mixed, split=split).run().bytes == done.bytes


@pytest.mark.parametrize("day", [200, 310])
def test_what_happens_later_changes_nothing_before(done, tmp_path, day):
    """Other prices from a session on: no forecast, position or equity up to the one before it."""
    dice = np.random.default_rng(1)
    factor = np.r_[np.ones(day), np.exp(np.cumsum(dice.normal(0, 0.05, DAYS - day)))]
    bars = done.bars.with_columns(
        pl.col(c) * factor for c in ("open", "high", "low", "close", "volume")
    )
    other = Project(tmp_path, bars=bars).run()
    before = pl.col("session") < done.bars["session"][day]
    columns = ["session", "position", "model", "model_gross", "predicted", "refit"]
    one, two = (made.equity.filter(before).select(columns) for made in (done, other))
    assert one.height > 20
    assert one.equals(two)
    assert not done.equity.equals(other.equity)


def test_every_session_from_the_first_forecast_on_is_told(done):
    """To the last price; the last targets are not known, so they are foretold but not scored."""
    told, table = done.told, done.equity
    first = labelled(done.bars)["session"][150]
    assert (
        table["session"].to_list()
        == done.bars.filter(pl.col("session") >= first)["session"].to_list()
    )
    assert told["refits"] == len(told["by_refit"]) == table["refit"].n_unique()
    assert table["predicted"].null_count() == 0
    assert table["actual"].null_count() == HORIZON
    assert table["actual"].tail(HORIZON).null_count() == HORIZON
    assert told["forecasts"]["all"]["rows"] == table.height - HORIZON
    assert sum(year["forecasts"]["rows"] for year in told["years"]) == table.height - HORIZON
    assert told["sessions"]["first"] == str(first)
    assert told["by_refit"][0]["train_rows"] == 150 - HORIZON
    trades = pl.read_parquet(done.root / "models/trades.parquet")
    assert told["strategies"][0]["trades"]["trades"] == trades.height > 0


def test_a_refit_in_the_last_sessions_learns_what_was_known_and_has_no_error_yet(tmp_path):
    """The walk goes on beyond the last target; nothing is invented for it."""
    rows = labelled(prices()).height
    told = Project(tmp_path).run(refit_every=rows - 150 + 1).told
    last = told["by_refit"][-1]
    assert (told["refits"], last["rmse"]) == (2, None)
    assert last["train_rows"] == rows + 1 - HORIZON
    assert last["to"] == str(prices()["session"][-1])


def test_each_refit_selects_its_features(done):
    """Both members choose four; how often each was kept is counted."""
    told = done.told
    assert {row["features"] for row in told["by_refit"]} == {4}
    assert sum(row["refits"] for row in told["features"]) == 4 * told["refits"]


def test_unseen_sessions_are_those_of_the_test_rows_and_after(done):
    """The verdict is about them, and a line says which they are."""
    told = done.told
    since = done.split.filter(pl.col("part") == "test")["session"].min()
    assert told["sessions"]["unseen_from"] == str(since)
    assert told["edge"]["part"] == "unseen"
    assert told["unseen"][0]["net"]["sessions"] == told["sessions"]["unseen"] > 60
    verdict, seen = done.progress.notices
    assert verdict == f"backtest: {told['words'][0]}"
    assert f"sessions before {since} were seen by the search" in seen


def test_a_price_that_goes_on_as_it_went_is_an_edge(tmp_path):
    """Where there is something to be foretold it is found; without test rows all is judged."""
    bars = prices(signal=0.8)
    split = dealt(labelled(bars)).with_columns(part=pl.lit("train"))
    told = Project(tmp_path, bars=bars, split=split).run(rules={"side": "long_short"}).told
    assert told["edge"]["edge"]
    assert told["edge"]["part"] == "all"
    assert told["sessions"]["unseen_from"] is told["unseen"] is None
    assert told["forecasts"]["all"]["ic"] > 0.5
    assert told["strategies"][0]["break_even_bps"] > 100


def test_shuffled_labels_leave_no_skill_in_the_stage(tmp_path):
    """Where moves go on the stage has skill; with its labels shuffled, within what luck shows."""
    bars = prices(signal=0.8)
    rows = labelled(bars)
    mixed = rows.with_columns(pl.col("gain").shuffle(seed=4))
    found = [
        Project(tmp_path / name, bars=bars, rows=table).run().told["forecasts"]["all"]
        for name, table in (("as they are", rows), ("shuffled", mixed))
    ]
    assert found[0]["ic"] > 0.5
    assert abs(found[1]["ic"]) < 1.96 / np.sqrt(found[1]["rows"] - 1)


def test_the_run_is_tracked_and_its_seconds_kept_apart(done):
    """Seconds differ from run to run, so they are no part of the document."""
    (run,) = done.tracker.runs
    assert run.measured["sharpe"] == [(0, done.told["strategies"][0]["net"]["sharpe"])]
    timings = json.loads((done.root / "reports/timings/backtest.json").read_text())
    assert set(timings["parts"]) == {"refits", "accounts"}


def test_a_walk_may_begin_at_a_session_and_roll(tmp_path):
    """The window is as long as the first fit's."""
    made = Project(tmp_path)
    first = labelled(made.bars)["session"][200]
    told = made.run(
        first=str(first),
        window="rolling",
        features={"numeric": ["return_lag_1"], "history": HISTORY},
    ).told
    assert told["sessions"]["first"] == str(first)
    assert {row["train_rows"] for row in told["by_refit"]} == {200 - HORIZON}
    assert told["features"] == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"purge": 2}, "purge 2 is less than the horizon 3: training targets would reach into"),
        ({"first": "1999-01-01"}, "'1999-01-01' is no session with rows before it"),
        ({"rules": {"cap": -1.0}}, "cap > 0 must hold, but got -1.0"),
        ({"rules": {"cots_bps": 1}}, "unknown key 'cots_bps'; did you mean 'costs_bps'"),
        ({"refit_every": 0}, "refit_every >= 1 must hold, but got 0"),
        ({"draws": 0}, "draws >= 1 must hold, but got 0"),
        (
            {"candidates": {"tree": {"estimator": "decision_tree"}}},
            "no candidate 'ridge' is config",
        ),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(tmp_path, changes, words):
    """Before anything is fitted, and nothing is written."""
    made = Project(tmp_path)
    with pytest.raises(ConfigError, match=words):
        made.run(**changes)
    assert not any((tmp_path / "models" / name).exists() for name in WRITTEN)
