"""Every library step gives the same table on Polars, DuckDB and Spark.

What that table must be is told by each step's own tests, which run on Polars.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl
import pytest

import heddle.transformations
from heddle.domain.errors import ConfigError, DataContractError
from heddle.domain.typed import build
from heddle.frames.engines import engine_of, fetched
from heddle.infrastructure.memory import SilentProgress

pytestmark = [
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]

ROWS = pl.DataFrame(
    {
        "Shop Id": [2, 1, 1, 2, 1, 2, 1, 2, 2, 1, 3, 3, None, 3, 1],
        "year": [5, 1, 2, 1, 4, 2, 7, 4, 6, 3, 2, 1, 1, 9, 8],
        "ware": ["b", "a", "b", "a", None, "c", "a", "é", "b", "a", "c", None, "a", "a", "c"],
        "grade": [1, 2, 1, 2, 3, None, 1, 2, 2, 1, 1, 1, 2, 0, 2],
        "cases": [3, 1, 1, 2, 0, 4, None, 5, 2, 1, 0, 0, 7, 1, 1],
        "part": [0.1, 0.2, 0.3, 0.1, 0.1, 0.5, 0.2, None, 0.3, 0.1, 0.0, 0.0, 0.7, 0.1, 0.4],
        "cost": [2.5, None, 1.0, 7.0, 9.0, 1.25, 4.0, 3.0, None, 6.0, 8.0, 5.0, 1.0, 1.5, 2.0],
        "price": [7, 3, 3, None, 9, 2, 5, 4, 4, 8, 1, 6, 2, 2, 9],
        "opened": [date(2020, 1, 1 + day) for day in (1, 0, 0, 1, 0, 1, 0, 1, 1, 0, 2, 2, 3, 2, 0)],
    }
)
ROWS = ROWS.with_columns(
    votes=pl.Series([2_000_000_000 + k for k in range(14)] + [None], dtype=pl.Int32),
    light=pl.Series([0.1 + k for k in range(14)] + [None], dtype=pl.Float32),
    small=pl.Series([100 + k for k in range(14)] + [None], dtype=pl.Int8),
)
LISTED = pl.DataFrame({"ware": ["b", "é", "b", None], "grade": [1, 2, 1, 2]})
PUBLISHED = pl.DataFrame(
    {
        "told": [date(2019, 12, 28), date(2020, 1, 2), date(2019, 12, 31), date(2020, 1, 3)],
        "rate": [1.0, 3.0, 2.0, None],
        "note": ["a", None, None, "d"],
    }
)
MIDDLES = {"means": ["cost"], "medians": ["price", "part", "opened"]}
AGGREGATE = {"by": ["ware", "grade"], "weight": "cases", "total": "all", **MIDDLES}
SERIES = {"columns": ["cost", "price", "ware"], "by": ["Shop Id"], "time": "year"}
NUMBERS = {**SERIES, "columns": ["cost", "price"]}

AHEAD = {"price": "price", "time": "year", "new": "next", "least": 0}

PRICES = {
    "open": "price",
    "high": "votes",
    "low": "part",
    "close": "cost",
    "adjusted": "light",
    "time": "year",
    "volume": "small",
    "keep": "kept",
}
KNOWN = {
    "time": "opened",
    "by": ["Shop Id", "year", "ware"],
    "observed": "told",
    "columns": ["rate", "note"],
    "lag": 1,
    "largest_age": 1,
}

# step, configuration, the columns that name a row of what comes out
CASES: list[tuple[str, dict[str, Any] | None, list[str]]] = [
    ("sanitize_column_names", None, ["shop_id", "year"]),
    ("drop_columns", {"names": ["ware"], "ending": "e"}, ["Shop Id", "year"]),
    ("combine_columns", {"new": "n", "left": "cost", "how": "over", "right": "cases"}, []),
    ("frequent_values", {"column": "ware", "weight": "cases", "more_than": 4}, ["ware"]),
    (
        "frequent_values",
        {"column": "Shop Id", "weight": "part", "more_than": 0.3, "time": "year", "until": 4},
        ["Shop Id"],
    ),
    ("keep_listed", {"columns": ["ware", "grade"]}, []),
    ("aggregate_weighted", AGGREGATE, ["ware", "grade"]),
    (
        "aggregate_weighted",
        {
            **AGGREGATE,
            "by": ["ware"],
            "portions": {"column": "grade", "values": [1, 2], "name": "at {}"},
            "sums": {"plain": "cost", "whole": "price"},
            "null_weight": "count",
            "prefix": "mid ",
            "index": "no",
        },
        ["ware"],
    ),
    (
        "aggregate_weighted",
        {**AGGREGATE, "weight": "part", "means": ["price"], "medians": ["cost"]},
        ["ware", "grade"],
    ),
    (
        "aggregate",
        {"by": {"k": "ware"}, "rows": "n", "sums": {"s": "cost"}, "medians": {"m": "price"}},
        ["k"],
    ),
    (
        "distinct_ratio",
        {
            "count": "ware",
            "within": ["Shop Id", "grade"],
            "against": ["grade"],
            "within_count": "here",
            "against_count": "anywhere",
            "ratio": "share",
        },
        [],
    ),
    (
        "quantile_bins",
        {"value": "price", "total_by": ["Shop Id", "grade"], "within": ["grade"], "new": "bin"},
        [],
    ),
    ("quantile_bins", {"value": "cost", "total_by": ["year"], "within": [], "new": "bin"}, []),
    ("lag_columns", {**SERIES, "since": "since"}, []),
    ("lag_columns", {**SERIES, "periods": 3, "order": "row"}, []),
    ("lag_columns", {**SERIES, "by": ["Shop Id", "ware"], "periods": 2, "columns": ["opened"]}, []),
    ("rolling_columns", NUMBERS, []),
    ("rolling_columns", {**NUMBERS, "window": 3, "periods": 2, "min_periods": 2}, []),
    ("rolling_columns", {**NUMBERS, "window": 3, "order": "row", "suffix": "_last{}"}, []),
    ("drop_missing", {}, []),
    ("drop_missing", {"columns": ["part"], "ending": "e", "how": "all"}, []),
    ("sample_groups", {"by": ["Shop Id", "ware", "opened"], "groups": 4, "seed": 7}, []),
    ("sample_groups", {"by": ["year"], "fraction": 0.4, "seed": 1}, []),
    ("forward_return", {**AHEAD, "by": ["Shop Id"], "horizon": 2, "keep": ["ware"]}, []),
    (
        "forward_return",
        {**AHEAD, "by": ["Shop Id", "ware"], "horizon": 1, "warm_up": 1},
        ["Shop Id", "ware", "year"],
    ),
    ("adjust_prices", PRICES, []),
    ("join_published", KNOWN, []),
    (
        "check_sessions",
        {"time": "opened", "by": ["Shop Id", "year", "ware"], "calendar": "24/7"},
        [],
    ),
]
# columns of few bits, whose sums need more: of whole numbers past 2**31, of floats past 24 bits
NARROW = [
    ("frequent_values", {"column": "ware", "weight": "votes", "more_than": 2**31}, ["ware"]),
    ("quantile_bins", {"value": "light", "total_by": ["ware"], "within": [], "new": "bin"}, []),
    ("aggregate", {"by": {"k": "ware"}, "sums": {"v": "votes", "l": "light"}}, ["k"]),
    (
        "aggregate",
        {"by": {"k": "ware"}, "means": {"v": "votes"}, "medians": {"l": "light", "s": "small"}},
        ["k"],
    ),
    ("aggregate_weighted", {**AGGREGATE, "weight": "votes", "means": ["light"]}, ["ware", "grade"]),
    (
        "aggregate_weighted",
        {**AGGREGATE, "weight": "light", "medians": ["small"], "sums": {"plain": "votes"}},
        ["ware", "grade"],
    ),
]
CASES += NARROW
GROUPED = [case for case in CASES if case[0].startswith(("aggregate", "frequent", "quantile"))]
NAMES = [f"{step}-{i}" for i, (step, _, _) in enumerate(CASES)]

Tables = Callable[..., list[nw.LazyFrame[Any]]]


def on_polars(*tables: pl.DataFrame) -> list[nw.LazyFrame[Any]]:
    return [nw.from_native(table.lazy()) for table in tables]


@pytest.fixture(scope="module")
def on_duckdb() -> Iterator[Tables]:
    """Return a function that puts tables into one DuckDB in memory."""
    duckdb = pytest.importorskip("duckdb", reason="duckdb is an extra that is not installed")
    with duckdb.connect() as door:
        yield lambda *tables: [nw.from_native(door.from_arrow(t.to_arrow())) for t in tables]


@pytest.fixture(scope="module")
def on_spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """Return a function that puts tables into one small Spark of this process."""
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not here")
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is an extra that is not installed")
    small = {
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.driver.memory": "512m",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.default.parallelism": "1",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
        "spark.log.level": "ERROR",
    }
    session = sql.SparkSession.builder.master("local[1]").config(map=small).getOrCreate()
    yield lambda *tables: [nw.from_native(session.createDataFrame(t.to_arrow())) for t in tables]
    session.stop()


@pytest.fixture(params=["duckdb", "spark"])
def engine(request: pytest.FixtureRequest) -> Tables:
    """Return a function that puts tables into a SQL engine."""
    made: Tables = request.getfixturevalue(f"on_{request.param}")
    return made


def run(name: str, settings: dict[str, Any] | None, tables: list[nw.LazyFrame[Any]]) -> Any:
    module = import_module(f"heddle.transformations.{name}")
    step = getattr(module, name)
    given = [tables[at] for at in {"keep_listed": (0, 1), "join_published": (0, 2)}.get(name, (0,))]
    if settings is None:
        return step(*given)
    config = build(getattr(module, name.title().replace("_", "")), settings, where=name)
    said = [SilentProgress()] if name == "check_sessions" else []
    return step(*given, config, *said)


def rounded(value: object) -> object:
    return float(f"{value:.12g}") if isinstance(value, float) and math.isfinite(value) else value


def sorted_rows(table: pl.DataFrame, key: list[str]) -> list[tuple[object, ...]]:
    ordered = table.sort(key or ["Shop Id", "year", "ware"])
    return [tuple(map(rounded, row)) for row in ordered.rows()]


@pytest.mark.parametrize(("step", "settings", "key"), CASES, ids=NAMES)
def test_a_step_gives_the_same_table_on_every_engine(step, settings, key, engine):
    """Column names, their order and types, and the values to 12 digits."""
    wanted = fetched(run(step, settings, on_polars(ROWS, LISTED, PUBLISHED)))
    made = fetched(run(step, settings, engine(ROWS, LISTED, PUBLISHED)))
    assert wanted.height
    assert made.schema == wanted.schema
    assert sorted_rows(made, key) == sorted_rows(wanted, key)


@pytest.mark.parametrize(("step", "settings", "key"), CASES, ids=NAMES)
def test_an_empty_table_stays_one_on_every_engine(step, settings, key, on_duckdb):
    """With the columns that the step would have made."""
    none = [table.clear() for table in (ROWS, LISTED, PUBLISHED)]
    wanted = fetched(run(step, settings, on_polars(*none)))
    full = fetched(run(step, settings, on_polars(ROWS, LISTED, PUBLISHED)))
    made = fetched(run(step, settings, on_duckdb(*none)))
    assert wanted.is_empty()
    assert made.is_empty()
    assert made.schema == wanted.schema == full.schema


@pytest.mark.parametrize("step", ["lag_columns", "rolling_columns"])
def test_a_duplicate_key_is_named_on_every_engine(step, engine):
    """And so is a time that is null."""
    twice = pl.concat([ROWS, ROWS.filter(pl.col("year") == 6)])
    with pytest.raises(DataContractError, match=r"key \(Shop Id=2, year=6\) stands in 2 rows"):
        run(step, NUMBERS, engine(twice))
    timeless = ROWS.with_columns(pl.col("year").replace(9, None))
    with pytest.raises(DataContractError, match="column 'year' is null in 1 row"):
        run(step, NUMBERS, engine(timeless))


def test_a_negative_weight_is_refused_on_every_engine(engine):
    """The least one is told."""
    owed = ROWS.with_columns(pl.col("cases") * -1)
    with pytest.raises(DataContractError, match="column 'cases' is a weight but goes down to -7"):
        run("aggregate_weighted", AGGREGATE, engine(owed))


def test_an_engine_without_windows_is_refused():
    """Rather than being given something half right."""
    frame = nw.from_native(ROWS.to_arrow()).lazy()
    with pytest.raises(ConfigError, match="no engine 'pyarrow' for this step"):
        engine_of(frame)


def test_every_library_step_is_in_the_contract():
    """`add_row_key` hashes the rows of a table in memory and is for Polars alone."""
    folder = Path(heddle.transformations.__file__).parent
    steps = {path.stem for path in folder.glob("[!_]*.py")}
    assert steps - {step for step, _, _ in CASES} == {"add_row_key"}


@pytest.mark.parametrize(("step", "settings", "key"), GROUPED)
def test_groups_are_right_when_rows_come_in_an_order_of_chance(step, settings, key):
    """A lazy table may give its rows in another order each time: it is looked at once."""
    looks = iter(range(100))

    def shuffled(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.sample(fraction=1.0, shuffle=True, seed=next(looks))

    wanted = fetched(run(step, settings, on_polars(ROWS)))
    unsteady = ROWS.lazy().map_batches(shuffled, projection_pushdown=False)
    made = fetched(run(step, settings, [nw.from_native(unsteady)]))
    assert sorted_rows(made, key) == sorted_rows(wanted, key)
