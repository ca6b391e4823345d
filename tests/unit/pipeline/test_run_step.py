"""Calling step functions with the tables that they ask for."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any

import narwhals as nw
import pandas as pd
import polars as pl
import pytest

from heddle.domain.errors import ConfigError, DataContractError
from heddle.domain.ports import Progress
from heddle.infrastructure.duckdb_engine import duckdb_at_work
from heddle.infrastructure.files import FileTables
from heddle.infrastructure.memory import MemoryTables, SilentProgress
from heddle.pipeline.catalog import Step
from heddle.pipeline.context import StageContext
from heddle.pipeline.run_step import apply_step, run_stage

TABLE = pl.DataFrame({"a": [2, 1], "b": ["x", None], "c": [0.5, None]})


def step(function: Any, **hints: Any) -> Step:
    return Step(function.__name__, function, hints)


def test_a_step_that_has_something_to_say_is_given_the_progress():
    """By its annotation, as a step that is more than a table function is given the context."""

    def looked_at(frame, progress):
        progress.notice(f"{frame.height} rows")
        return frame

    heard = SilentProgress()
    looking = step(looked_at, frame=pl.DataFrame, progress=Progress)
    assert list(looking.tables) == ["frame"]
    assert apply_step(looking, [TABLE], None, heard).equals(TABLE)
    assert heard.notices == ["2 rows"]


@pytest.mark.parametrize(
    ("hint", "kind"),
    [
        (pl.DataFrame, pl.DataFrame),
        (pl.LazyFrame, pl.LazyFrame),
        (pd.DataFrame, pd.DataFrame),
        (nw.LazyFrame[Any], nw.LazyFrame),
        (nw.DataFrame[Any], nw.DataFrame),
    ],
)
def test_a_step_gets_the_kind_of_table_that_it_names(hint, kind):
    """And whatever kind it gives back, the runner has the same polars table, rows in order."""
    seen = []

    def same(frame):
        seen.append(type(frame))
        return frame

    made = apply_step(step(same, frame=hint), [TABLE], None)
    assert seen == [kind]
    assert made.equals(TABLE)


def test_several_inputs_go_to_parameters_in_order_and_others_are_left():
    """Left, right; a third table is not for this step."""

    def joined(left, right):
        return left.join(right, on="a")

    other = pl.DataFrame({"a": [1], "d": [9]})
    hints = {"left": pl.DataFrame, "right": pl.DataFrame}
    assert apply_step(step(joined, **hints), [TABLE, other, TABLE], None).rows() == [
        (1, None, None, 9)
    ]
    with pytest.raises(ConfigError, match="step 'joined' takes 2 tables, 1 given"):
        apply_step(step(joined, **hints), [TABLE], None)


@pytest.mark.parametrize(
    ("hint", "call"),
    [
        (pl.DataFrame, lambda f: f.select("aa")),
        (pl.LazyFrame, lambda f: f.select(pl.col("aa") + 1)),
        (pd.DataFrame, lambda f: f[["a"]].assign(z=f["aa"])),
        (nw.LazyFrame, lambda f: f.with_columns(nw.col("aa"))),
        (nw.DataFrame, lambda f: f.with_columns(nw.col("aa") * 2)),
    ],
)
def test_an_unknown_column_is_told_with_the_known_ones(hint, call):
    """The same words on every engine."""

    def wrong(frame):
        return call(frame)

    with pytest.raises(DataContractError) as caught:
        apply_step(step(wrong, frame=hint), [TABLE], None)
    assert "wrong: input has no column 'aa'" in str(caught.value)
    assert "Known: a, b, c" in str(caught.value)


@pytest.mark.parametrize("made", [None, [1], {"a": [1]}])
def test_what_is_not_a_table_is_refused(made):
    """By the name of the step."""

    def odd(frame):
        return made

    with pytest.raises(ConfigError, match=r"step 'odd' gave .*, not a table"):
        apply_step(step(odd, frame=pl.DataFrame), [TABLE], None)


def test_other_faults_of_a_step_go_up_as_they_are():
    """A bug keeps its traceback."""

    def broken(frame):
        return {}[3]

    with pytest.raises(KeyError):
        apply_step(step(broken, frame=pl.DataFrame), [TABLE], None)


RATIO = {"new": "each", "left": "c", "how": "over", "right": "a"}
CHAIN = [
    {"name": "ratio", "uses": "combine_columns", "with": RATIO},
    {"name": "row", "uses": "add_row_key", "with": {"new": "row"}},
    {"name": "lean", "uses": "drop_columns", "with": {"names": ["c"]}},
]


def on_duckdb(root, tables, steps, reads=("v1",), engine=duckdb_at_work, **contract):
    pytest.importorskip("duckdb", reason="duckdb is an extra that is not installed")
    progress = SilentProgress()
    context = StageContext(
        stage="make",
        root=root,
        reads={version: version for version in reads},
        writes=("v2",),
        contracts={"v2": {"columns": {"a": {"type": "int"}}, "extra": "keep", **contract}}
        if contract
        else {},
        tables=tables,
        tracker=None,
        registry=None,
        progress=progress,
        source=None,
        cores=1,
        scratch=root,
        facts=dict,
        engine=partial(engine, root / "spill", 1.0),
    )
    run_stage({"steps": steps, "reads": list(reads), "writes": ["v2"]}, context)
    return tables.read("v2"), progress.notices


@pytest.mark.parametrize("kind", ["parquet", "csv", "memory"])
def test_a_step_without_a_form_for_the_engine_runs_on_polars_and_says_so(tmp_path, kind):
    """Those before and after it run on the engine; the table is the one that Polars makes."""
    tables = MemoryTables() if kind == "memory" else FileTables(tmp_path / "data", kind)
    tables.write("v1", TABLE, {})
    made, notices = on_duckdb(tmp_path, tables, CHAIN, rows={"same_as": "v1"})
    assert made.drop("row").rows() == [(2, "x", 0.25), (1, None, None)]
    assert made.columns == ["a", "b", "each", "row"]
    assert notices == ["make: step 'row' works on Polars, not on duckdb"]


def test_the_engine_refuses_in_the_same_words(tmp_path):
    """A column that is not there; a contract whose rows hang on groups of what was read."""
    tables = FileTables(tmp_path / "data")
    tables.write("v1", TABLE, {})
    wrong = [{**CHAIN[0], "with": {**RATIO, "left": "cc"}}]
    with pytest.raises(
        DataContractError, match=r"no column 'cc'; did you mean 'c'\? Known: a, b, c"
    ):
        on_duckdb(tmp_path, tables, wrong)
    groups = {"groups_of": "v1", "by": ["b"], "min": 1}
    assert on_duckdb(tmp_path, tables, CHAIN[:1], rows=groups)[0].height == 2
    tables.write("other", TABLE.head(1), {})
    rows = {"same_as": "other"}
    with pytest.raises(DataContractError, match="has 2 rows, other has 1: as many are declared"):
        on_duckdb(tmp_path, tables, CHAIN[:1], ("v1", "other"), rows=rows)
    assert not (tmp_path / "spill").exists()


@contextmanager
def with_a_column_that_fails(spill, memory_gb):
    """DuckDB, whose tables of files begin with a column that cannot be computed."""
    with duckdb_at_work(spill, memory_gb) as engine:
        sour = nw.col("b").cast(nw.Int64()).alias("sour")
        yield SimpleNamespace(
            name=engine.name,
            of_file=lambda path: engine.of_file(path).select(sour, nw.all()),
            of_frame=engine.of_frame,
            fetch=engine.fetch,
        )


@pytest.mark.parametrize("contract", [{}, {"rows": {"min": 1}}, {"rows": {"same_as": "other"}}])
def test_what_was_read_is_counted_only_where_the_contract_names_it(tmp_path, contract):
    """A query of the engine for each version that it names, and for no other."""
    tables = FileTables(tmp_path / "data")
    tables.write("v1", TABLE, {})
    tables.write("other", TABLE.select("a").with_columns(b=pl.lit("5")), {})
    lean = [{"name": "lean", "uses": "drop_columns", "with": {"names": ["sour"]}}]
    run = partial(on_duckdb, tmp_path, tables, lean, ("v1", "other"), with_a_column_that_fails)
    assert run(**contract)[0].equals(TABLE)
    with pytest.raises(DataContractError, match=r"DuckDB cannot do this .*Could not convert"):
        run(rows={"same_as": "v1"})
