"""Run one stage: read, apply its steps, check what came out, publish it."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import narwhals as nw
import polars as pl

from heddle.domain.errors import ConfigError, DataContractError, HeddleError
from heddle.pipeline.catalog import Catalog, Step
from heddle.pipeline.context import StageContext
from heddle.pipeline.stages import is_path
from heddle.validation.contract import read_contract
from heddle.validation.findings import check

__all__ = ["apply_step", "run_stage"]

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
    read = {version: context.tables.read(version) for version in entry["reads"]}
    tables = [read[version] for version in entry["reads"]]
    written = [version for version in entry["writes"] if not is_path(version)]
    if len(written) != 1:
        raise ConfigError(f"writes {len(written)} data versions, not one", where=context.stage)
    for step, told in steps:
        with _timed("step", name=told["name"]):
            config = step.read_config(told["with"], f"{context.stage}.{told['name']}")
            tables = [apply_step(step, tables, config), *tables[len(step.tables) :]]
    made, version = tables[0], written[0]
    if version in context.contracts:
        with _timed("check", version=version):
            check(made, read_contract(context.contracts[version], version), version, others=read)
    # no more than the stage: a step that changes no row leaves the metadata file as it was
    context.tables.write(version, made, {"stage": context.stage})


@contextmanager
def _timed(part: str, **which: str) -> Iterator[None]:
    """Log the seconds that a part of a stage needs."""
    start = time.perf_counter()
    yield
    seconds = round(time.perf_counter() - start, 3)
    _LOG.info(part, extra={"facts": {**which, "seconds": seconds}})


def apply_step(step: Step, tables: Sequence[pl.DataFrame], config: Any) -> pl.DataFrame:
    """Call a table function with its first tables in the form that it asks for.

    Args:
        step: the function; its annotations say which form (narwhals, polars, pandas).
        tables: at least as many as it takes; the rest is ignored.
        config: its typed configuration, or None when it takes none.

    Returns:
        The table it gives, as polars, columns and rows in its order.

    Raises:
        DataContractError: a column that it needs is not there.
        ConfigError: too few tables, or it gives something that is not a table.
    """
    wanted = step.tables
    if len(tables) < len(wanted):
        raise ConfigError(f"step {step.name!r} takes {len(wanted)} tables, {len(tables)} given")
    pairs = zip(wanted.items(), tables, strict=False)
    given = {parameter: _as(hint, table) for (parameter, hint), table in pairs}
    if step.config:
        given[step.config[0]] = config
    try:
        return _collected(step.function(**given), step.name)
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


def _unknown_column(
    step: str, fault: Exception, tables: Sequence[pl.DataFrame]
) -> DataContractError:
    known = [column for table in tables for column in table.columns]
    words = str(fault.args[0] if fault.args else fault).replace('"', "'").split("\n")[0]
    quoted = words.split("'")
    wanted = quoted[1] if len(quoted) > 1 else words
    return DataContractError(
        f"input has no column {wanted!r}", where=step, wanted=wanted, known=known
    )
