"""Price files that are not what was declared: refused in one line, or noticed and used."""

from __future__ import annotations

import runpy
import subprocess
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from heddle.domain.errors import DataContractError
from heddle.domain.typed import build
from heddle.features.price_history import PriceHistory
from heddle.infrastructure.hydra_config import compose_config
from heddle.presentation.cli import run

pytest.importorskip("exchange_calendars", reason="the extra `calendars` is not installed")

stocks = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("stocks_runs.py"))))

ROWS = 450
MEND = "Mend the data, or its contract in configs/data_versions."


@pytest.fixture(scope="module")
def good() -> pl.DataFrame:
    return stocks.sample(ROWS)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return stocks.copied(tmp_path)


def cell(column: str, value: object, row: int = 2) -> object:
    """Put a value into one row, the third by default: line 4 of the file."""
    here = pl.when(pl.int_range(pl.len()) == row)
    kind = pl.String if isinstance(value, str) else None

    def changed(frame: pl.DataFrame) -> pl.DataFrame:
        there = pl.col(column).cast(kind or frame.schema[column])
        return frame.with_columns(here.then(pl.lit(value)).otherwise(there).alias(column))

    return changed


def without(first: int, count: int) -> object:
    """Leave out some rows."""
    return lambda f: f.with_row_index("n").filter(
        ~pl.col("n").is_between(first, first + count - 1)
    ).drop("n")  # fmt: skip


def in_zone(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Write days as moments: midnight in a time zone, with its offset."""
    midnight = pl.col("session").cast(pl.Datetime).dt.replace_time_zone(zone)
    return frame.with_columns(midnight.dt.strftime("%Y-%m-%d %H:%M:%S%:z").alias("session"))


def mixed(frame: pl.DataFrame) -> pl.DataFrame:
    """The first half written by somebody in New York, the second by somebody in London."""
    half = frame.height // 2
    return pl.concat([
        in_zone(frame.head(half), "America/New_York"), in_zone(frame.tail(-half), "UTC"),
    ])  # fmt: skip


REFUSED = {
    "a day twice": (
        lambda f: pl.concat([f.head(10), f.slice(9)]), "raw.csv: key session is not unique: ",
        "stands again in line 12 (1 such row)", MEND,
    ),
    "newest first": (
        lambda f: f.reverse(), "raw.csv: rows are not in order of session: 2025-12-30 in line 3",
        "stands after 2025-12-31 (449 such rows)", MEND,
    ),
    "a day to come": (
        cell("session", date(2049, 1, 4), ROWS - 1), "check_sessions: later than ",
        "the last session of XNYS that has closed: 2049-01-04. Drop the rows",
    ),
    "a Saturday": (
        cell("session", date(2026, 1, 3), ROWS - 1), "check_sessions: no sessions of XNYS:",
        " 2026-01-03. Mend the dates",
    ),
    "a price of nothing": (
        cell("close", 0.0), "raw.csv: column 'close' goes down to 0, must be above 0 (1 row, first",
        "in line 4)", MEND,
    ),
    "a negative price": (
        cell("low", -3.5), "raw.csv: column 'low' goes down to -3.5, must be above 0", "line 4",
    ),
    "the high below the low": (
        lambda f: f.with_columns(high="low", low="high"),
        "raw.csv: column 'low' is above 'open' in",
        "column 'close' is above 'high' in", "none may be",
    ),
    "a gap of six sessions": (
        without(100, 6), "check_sessions: a gap of 6 sessions between",
        "at most 5 may be missing in a row. Fill the gap",
    ),
    "time zones mixed": (
        mixed, "raw.csv: column 'session', line 227:", "+00:00' is ",
        "in America/New_York, not midnight: it is not clear which day is meant (225 such cells)",
    ),
    "volume not a number": (
        cell("volume", "NaN"), "raw.csv: column 'volume', line 4: 'NaN' is not finite", "Mend",
    ),
    "volume not known": (
        cell("volume", ""), "raw.csv: column 'volume' is missing and not nullable", "line 4", MEND,
    ),
    "less than nothing traded": (
        cell("volume", -1), "raw.csv: column 'volume' goes down to -1, least is 0", "line 4",
    ),
    "a price not known": (cell("open", ""), "raw.csv: column 'open' is missing and not", "line 4"),
    "no adjusted close": (
        lambda f: f.drop("adj_close"), "raw.csv: column 'adj_close' is missing, there are session",
    ),
    "too little history": (
        lambda f: f.tail(400), "forward_return: 428 rows are needed, there are 400: 173 for the",
        "5 ahead for the target, 250 to learn from. Fetch more history",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_file_is_refused_and_its_version_is_not_published(project, good, name):
    """Where, what, how many, what to do: in one line."""
    change, begins, *said = REFUSED[name]
    with pytest.raises(DataContractError) as caught:
        stocks.versions(project, *stocks.from_file(project, change(good)))
    words = str(caught.value)
    assert caught.value.exit_code == 3
    assert words.startswith(begins), words
    assert "\n" not in words
    for part in said:
        assert part in words, words
    unmade = {"raw.csv": "v0", "check_sessions": "v1", "forward_return": "v2"}
    assert not (project / "data" / unmade[words.partition(":")[0]]).exists()


def test_a_split_that_is_not_adjusted_is_told_with_date_and_ratio(project, good, capsys):
    """And so are a few sessions without a row; the file is used."""
    change = without(100, 5)
    frame = change(good.with_columns(adj_close="close"))
    made = stocks.versions(project, *stocks.from_file(project, frame))
    told = " ".join(capsys.readouterr().err.split())
    assert "check_sessions: adj_close at 2024-12-31 is 0.24" in told
    assert "times that of the row before: a split of 4 for 1 that is not adjusted?" in told
    gone = ", ".join(map(str, good["session"][100:105].to_list()))
    assert f"check_sessions: sessions without a row: {gone}" in told
    assert made["v2"].height == ROWS - 5 - 178


def test_the_adjusted_sample_has_nothing_to_tell(project, capsys):
    """Its split and its dividends are adjusted; no session is missing."""
    made = stocks.versions(project, f"ingestion.rows={ROWS}")
    assert capsys.readouterr().err.strip() == ""
    assert {name: frame.shape for name, frame in made.items()} == {
        "v0": (ROWS, 7), "v1": (ROWS, 7), "v2": (ROWS - 178, 3),
    }  # fmt: skip
    jumps = (made["v1"]["close"] / made["v1"]["close"].shift(1)).log().abs().max()
    assert jumps < 0.4


def test_another_engine_makes_the_same_versions(project):
    """To the last digit of a logarithm."""
    pytest.importorskip("duckdb", reason="duckdb is an extra that is not installed")
    wanted = stocks.versions(project, f"ingestion.rows={ROWS}")
    made = stocks.versions(project, f"ingestion.rows={ROWS}", "engine=duckdb")
    assert all(made[version].equals(frame) for version, frame in wanted.items())


def test_midnights_of_the_exchange_are_its_days(project, good):
    """As pandas writes an index with a zone: offsets change with the summer, days do not."""
    frame = in_zone(good, "America/New_York").rename({"session": "Date", "adj_close": "Adj Close"})
    assert frame["Date"].str.slice(-6).n_unique() == 2
    made = stocks.versions(project, *stocks.from_file(project, frame), last="fetch")
    plain = stocks.versions(project, *stocks.from_file(project, good), last="fetch")
    assert made["v0"].equals(plain["v0"])


def test_as_of_a_day_nothing_later_is_known(project, good):
    """Neither rows nor targets, nor dividends: prices are as a download of that day tells them."""
    source = stocks.sample(700)
    overrides = stocks.from_file(project, source)
    made = stocks.versions(project, *overrides, "asof=2025-03-14")
    assert made["v1"]["session"][-1] == date(2025, 3, 14)
    assert made["v2"]["session"][-1] == date(2025, 3, 7)
    then = source.filter(pl.col("session") <= date(2025, 3, 14))
    last = then.row(-1, named=True)
    assert last["adj_close"] != last["close"], "something was paid, or split, later"
    scaled = pl.col("adj_close") * (last["close"] / last["adj_close"])
    download = then.with_columns(scaled)
    alike = stocks.versions(project, *stocks.from_file(project, download))
    for version in ("v1", "v2"):
        for name, values in made[version].to_dict().items():
            told = alike[version][name]
            same = values.equals(told) if name == "session" else None
            assert same or values.to_list() == pytest.approx(told.to_list(), rel=1e-9, abs=1e-12)
    assert made["v1"].row(-1, named=True)["close"] == pytest.approx(last["close"])
    whole = stocks.versions(project, *overrides)["v2"]
    targets = whole.filter(pl.col("session") <= date(2025, 3, 7))["forward_return"]
    assert made["v2"]["forward_return"].to_list() == pytest.approx(targets.to_list(), abs=1e-12)


def test_the_warm_up_is_what_the_features_look_back():
    """A row of v2 has every feature; and no row that has is left out."""
    told = compose_config(stocks.STOCKS, [*stocks.ALONE])
    spec = build(PriceHistory, told["ml_experiments"]["features"]["history"], where="history")
    assert told["transformations"]["forward_return"]["warm_up"] == spec.lookback
    assert told["transformations"]["forward_return"]["horizon"] == told["ml_experiments"]["horizon"]


def test_economic_series_stand_beside_the_prices_once_they_are_published(project, good):
    """By three lines of configuration; the value of a day is known on the next, for ten days."""
    last = good["session"][-1]
    about = [last - timedelta(days=30), last - timedelta(days=1), last]
    frame = pl.DataFrame({"date": about, "vixcls": [11.5, 12.5, 13.5], "dgs10": [4.0, None, 4.5]})
    frame.write_csv(project / "macro.csv")
    overrides = (
        "+macro={kind: file, path: macro.csv}",
        "+pipeline.stages.macro={step: ingest, config: macro, writes: macro}",
        "pipeline.stages.prices.step=[check_sessions,adjust_prices,join_macro]",
        "pipeline.stages.prices.reads=[v0,macro]",
        f"ingestion.rows={ROWS}",
    )
    v1 = stocks.versions(project, *overrides, last="prices")["v1"]
    assert v1.drop("vixcls", "dgs10").equals(
        stocks.versions(project, f"ingestion.rows={ROWS}")["v1"]
    )
    assert v1.row(-1, named=True)["vixcls"] == 12.5
    assert v1.row(-1, named=True)["dgs10"] is None
    known = v1.filter(pl.col("dgs10").is_not_null())["session"]
    assert (known.min(), known.max()) == (date(2025, 12, 2), date(2025, 12, 12))
    assert v1.filter(pl.col("session") < known.min())["vixcls"].null_count() == v1.height - 21


@pytest.mark.skipif(not stocks.REAL.exists(), reason="the real prices are not on this machine")
@pytest.mark.parametrize(
    ("ticker", "rows"), [("NVDA", 5035), ("AAPL", 1259), ("AMZN", 1259), ("GOOG", 1259)]
)
def test_real_prices_go_through(project, capsys, ticker, rows):
    """Under the headers that the file has; nothing is told, as nothing is odd about them."""
    path = stocks.REAL / f"{ticker}.csv"
    made = stocks.versions(project, "ingestion=file", f"ingestion.path={path}")
    assert capsys.readouterr().err.strip() == ""
    assert [made[v].height for v in ("v0", "v1", "v2")] == [rows, rows, rows - 178]
    last = made["v0"].row(-1, named=True)
    adjusted = made["v0"]["adj_close"] * (last["close"] / last["adj_close"])
    assert made["v1"]["close"].equals(adjusted)
    assert made["v1"].columns == ["session", "open", "high", "low", "close", "volume", "raw_close"]
    later = made["v1"]["close"].shift(-5) / made["v1"]["close"]
    wanted = later.log()[173:-5]
    assert made["v2"]["forward_return"].to_list() == pytest.approx(wanted.to_list(), abs=1e-12)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # pygtrie under DVC
def test_by_command_a_bad_file_ends_in_one_line_and_exit_code_3(project, good, capfd):
    """No traceback, nothing published."""
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    command = ["run", "-C", str(project), "fetch", "tracking=none", *stocks.ALONE]
    assert run([*command, *stocks.from_file(project, good.reverse())]) == 3
    told = capfd.readouterr().err
    assert "Traceback" not in told
    lines = [line for line in told.splitlines() if line.startswith("error")]
    assert len(lines) == 1
    assert lines[0].startswith("error: fetch: raw.csv: rows are not in order of session: ")
    assert not (project / "data/v0").exists()
