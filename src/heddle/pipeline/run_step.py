"""Run one stage: read, apply its steps, check what came out, publish it."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeGuard

import narwhals as nw
import polars as pl

from heddle.domain.errors import ConfigError, DataContractError, HeddleError
from heddle.domain.ports import Progress
from heddle.frames.engines import TableEngine, fetched
from heddle.pipeline.catalog import Catalog, Step
from heddle.pipeline.context import StageContext
from heddle.pipeline.stages import is_path
from heddle.validation.contract import Contract, RowRange, read_contract
from heddle.validation.findings import check

__all__ = ["apply_step", "run_stage"]

Table = pl.DataFrame | nw.LazyFrame[Any]

_LOG = logging.getLogger(__name__)


def run_stage(entry: Mapping[str, Any], context: StageContext) -> None:
    """Run a stage as params.yaml describes it.

    A stage of table functions reads its versions, chains its steps and writes one version; a step
    that asks for the StageContext reads and writes by itself.

    Args:
        entry: `steps`, `reads`, `writes`, `contracts` of params.yaml.
        context: the world to run it in.

    Raises:
        HeddleError: of the kind that fits; nothing was published then.
    """
    catalog = Catalog(context.root)
    steps = [(catalog.step(told["uses"]), told) for told in entry["steps"]]
    own = [step for step, _ in steps if step.context]
    if own and len(steps) > 1:
        raise ConfigError(
            f"step {own[0].name!r} works on its own and cannot be chained", where=context.stage
        )
    if own:
        _call_with_context(steps[0][0], steps[0][1], context)
    else:
        _call_on_tables(steps, entry, context)


def _call_with_context(step: Step, told: Mapping[str, Any], context: StageContext) -> None:
    given: dict[str, Any] = {str(step.context): context}
    if step.config:
        given[step.config[0]] = step.read_config(told["with"], f"{context.stage}.{told['name']}")
    step.function(**given)


def _call_on_tables(
    steps: Sequence[tuple[Step, Mapping[str, Any]]],
    entry: Mapping[str, Any],
    context: StageContext,
) -> None:
    written = [version for version in entry["writes"] if not is_path(version)]
    if len(written) != 1:
        raise ConfigError(f"writes {len(written)} data versions, not one", where=context.stage)
    version = written[0]
    declared = context.contracts.get(version)
    contract = None if declared is None else read_contract(declared, version)
    made, others = _made(steps, entry, context, contract)
    if contract:
        with _timed("check", version=version):
            check(made, contract, version, others=others)
    # no more than the stage: a step that changes no row leaves the metadata file as it was
    context.tables.write(version, made, {"stage": context.stage})


def _made(
    steps: Sequence[tuple[Step, Mapping[str, Any]]],
    entry: Mapping[str, Any],
    context: StageContext,
    contract: Contract | None,
) -> tuple[pl.DataFrame, Mapping[str, pl.DataFrame]]:
    """Return what the steps make of the versions that are read, and what counts these."""
    with context.engine() as engine:
        begin = engine if steps and _for_engines(steps[0][0]) else None
        read = {v: _read(v, context, begin) for v in entry["reads"]}
        tables = [read[v] for v in entry["reads"]]
        for step, told in steps:
            with _timed("step", name=told["name"]):
                config = step.read_config(told["with"], f"{context.stage}.{told['name']}")
                if engine and not _for_engines(step):
                    words = f"step {told['name']!r} works on Polars, not on {engine.name}"
                    context.progress.notice(f"{context.stage}: {words}")
                made = _applied(step, tables, config, engine, context.progress)
                tables = [made, *tables[len(step.tables) :]]
        rows = contract.rows if contract else None
        return _here(tables[0], engine), {v: _counted(v, read[v], rows) for v in read}


def _read(version: str, context: StageContext, engine: TableEngine | None) -> Table:
    """Return a version, for the engine if there is one."""
    file = context.tables.file(version) if engine else None
    return engine.of_file(file) if engine and file else context.tables.read(version)


def _counted(version: str, table: Table, rows: RowRange | None) -> pl.DataFrame:
    """Return as much of a version as its rows and groups take to count: nothing if none asks."""
    if isinstance(table, pl.DataFrame):
        return table
    if not rows or version not in rows.versions:
        return pl.DataFrame()
    known = table.collect_schema().names()
    return fetched(table.select([name for name in known if name in rows.by] or known[:1]))


def _for_engines(step: Step) -> bool:
    """Tell whether a step is written for all engines."""
    return all(getattr(h, "__origin__", h) is nw.LazyFrame for h in step.tables.values())


def _applied(
    step: Step,
    tables: Sequence[Table],
    config: Any,
    engine: TableEngine | None,
    progress: Progress,
) -> Table:
    """Call a table function on the engine if it can; what comes out is not computed yet there."""
    if engine is None or not _for_engines(step):
        return apply_step(step, [_here(table, engine) for table in tables], config, progress)
    put = [engine.of_frame(t) if isinstance(t, pl.DataFrame) else t for t in tables]
    try:
        return _called(step, put, config, progress)
    except Exception:
        # what Polars cannot do either, such as find a column, is told in its words
        apply_step(step, [fetched(table.head(0)) for table in put], config, progress)
        raise


def _here(table: Table, engine: TableEngine | None = None) -> pl.DataFrame:
    if isinstance(table, pl.DataFrame):
        return table
    return engine.fetch(table) if engine else fetched(table)


@contextmanager
def _timed(part: str, **which: str) -> Iterator[None]:
    """Log the seconds that a part of a stage needs."""
    start = time.perf_counter()
    yield
    seconds = round(time.perf_counter() - start, 3)
    _LOG.info(part, extra={"facts": {**which, "seconds": seconds}})


def apply_step(
    step: Step, tables: Sequence[pl.DataFrame], config: Any, progress: Progress | None = None
) -> pl.DataFrame:
    """Call a table function with its first tables in the form that it asks for.

    Args:
        step: the function; its annotations say which form (narwhals, polars, pandas).
        tables: at least as many as it takes; the rest is ignored.
        config: its typed configuration, or None when it takes none.
        progress: for a step that has something to say.

    Returns:
        The table it gives, as polars, columns and rows in its order.

    Raises:
        DataContractError: a column that it needs is not there.
        ConfigError: too few tables, or it gives something that is not a table.
    """
    return _here(_called(step, tables, config, progress))


def _called(
    step: Step, tables: Sequence[Table], config: Any, progress: Progress | None = None
) -> Table:
    wanted = step.tables
    if len(tables) < len(wanted):
        raise ConfigError(f"step {step.name!r} takes {len(wanted)} tables, {len(tables)} given")
    pairs = zip(wanted.items(), tables, strict=False)
    given = {
        name: _as(hint, table) if isinstance(table, pl.DataFrame) else table
        for (name, hint), table in pairs
    }
    if step.config:
        given[step.config[0]] = config
    if step.progress:
        given[step.progress] = progress
    try:
        made = step.function(**given)
        return made if _on_sql(made) else _collected(made, step.name)
    except HeddleError:
        raise
    except (pl.exceptions.ColumnNotFoundError, nw.exceptions.ColumnNotFoundError) as fault:
        raise _unknown_column(step.name, fault, tables) from fault
    except KeyError as fault:
        if not fault.args or not isinstance(fault.args[0], str):
            raise
        raise _unknown_column(step.name, fault, tables) from fault


def _as(hint: Any, table: pl.DataFrame) -> Any:
    origin = getattr(hint, "__origin__", hint)
    if origin is nw.LazyFrame:
        return nw.from_native(table.lazy())
    if origin is nw.DataFrame:
        return nw.from_native(table, eager_only=True)
    if origin is pl.LazyFrame:
        return table.lazy()
    if inspect.isclass(origin) and origin.__module__.startswith("pandas"):
        return table.to_pandas()
    return table


def _on_sql(made: object) -> TypeGuard[nw.LazyFrame[Any]]:
    return isinstance(made, nw.LazyFrame) and made.implementation.is_duckdb()


def _collected(made: object, name: str) -> pl.DataFrame:
    if isinstance(made, (nw.LazyFrame, nw.DataFrame)):
        return _collected(made.to_native(), name)
    if isinstance(made, pl.LazyFrame):
        # the streaming engine adds floats up in the order in which threads come by
        return made.collect(engine="in-memory")
    if isinstance(made, pl.DataFrame):
        return made
    if type(made).__module__.startswith("pandas"):
        table: pl.DataFrame = pl.from_pandas(made)  # type: ignore[call-overload]
        return table
    raise ConfigError(f"step {name!r} gave {type(made).__name__}, not a table")


def _unknown_column(step: str, fault: Exception, tables: Sequence[Table]) -> DataContractError:
    known = [column for table in tables for column in table.collect_schema().names()]
    words = str(fault.args[0] if fault.args else fault).replace('"', "'").split("\n")[0]
    quoted = words.split("'")
    wanted = quoted[1] if len(quoted) > 1 else words
    return DataContractError(
        f"input has no column {wanted!r}", where=step, wanted=wanted, known=known
    )
