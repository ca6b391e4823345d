"""What really came, from a file: id and outcome in each row, checked one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import polars as pl

from heddle.domain.entities import RawFile
from heddle.domain.errors import ConfigError, DataContractError
from heddle.ingestion.options import ReadOptions
from heddle.ingestion.read import read
from heddle.validation.contract import Column, Contract
from heddle.validation.parse import TextRules
from heddle.validation.rows import RowFault, row_findings

__all__ = ["ReadOutcomes", "bad_outcomes", "read_outcomes"]

_SHOWN = 5  # bad rows named in an error


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOutcomes:
    """The rows of a file of outcomes."""

    pairs: tuple[tuple[str, float], ...]
    faults: tuple[RowFault, ...]  # of the rows that are not among the pairs, by line
    unit: str  # what a fault's line counts
    notes: tuple[str, ...]  # guesses of the reader


def read_outcomes(
    source: Path, *, id_column: str = "id", outcome_column: str = "outcome"
) -> ReadOutcomes:
    """Return ids and outcomes of a file, and what is wrong with its other rows.

    Args:
        source: csv or Parquet, as ingestion reads it; other columns are left out.
        id_column: of the ids that came with the answers.
        outcome_column: of finite numbers, in the unit of the predictions.

    Raises:
        ConfigError: no such file, or both columns are one.
        DataContractError: no table, or one of the columns is missing.
    """
    if id_column == outcome_column:
        raise ConfigError(f"ids and outcomes cannot both stand in column {id_column!r}")
    if not source.is_file():
        folder = source.parent
        there = folder.iterdir() if folder.is_dir() else ()
        near = sorted(p.name for p in there if p.is_file() and not p.name.startswith("."))
        raise ConfigError(f"no file {str(source)!r}", wanted=source.name, known=near)
    content = source.read_bytes()
    raw = RawFile(
        path=source,
        origin=str(source),
        sha256=sha256(content).hexdigest(),
        size_bytes=len(content),
    )
    options = ReadOptions(headers="keep")
    table = read(raw, options)
    contract = Contract(
        columns={id_column: Column(type="string"), outcome_column: Column(type="float")},
        extra="keep",
    )
    good, found = row_findings(
        table.frame,
        contract,
        where=source.name,
        rules=TextRules(nulls=options.nulls, decimal=options.decimal, thousands=options.thousands),
        line=table.line,
    )
    return ReadOutcomes(
        pairs=tuple(_stripped(good, id_column, outcome_column)),
        faults=tuple(fault for fault in found if fault.fatal),
        unit=table.unit,
        notes=table.notes,
    )


def bad_outcomes(source: Path, told: ReadOutcomes) -> DataContractError:
    """Word the refusal of a file for its bad rows."""
    shown = [f"{told.unit} {f.line}: {f.column} {f.reason}" for f in told.faults[:_SHOWN]]
    more = f" and {len(told.faults) - _SHOWN} more" if len(told.faults) > _SHOWN else ""
    return DataContractError(
        f"{len({f.line for f in told.faults}):,} bad rows; {'; '.join(shown)}{more}",
        where=source.name,
        todo="Nothing was written. Mend them, or leave them out with --on-error skip.",
    )


def _stripped(
    good: pl.DataFrame, id_column: str, outcome_column: str
) -> Sequence[tuple[str, float]]:
    ids = good[id_column].str.strip_chars().str.to_lowercase()
    return list(zip(ids.to_list(), good[outcome_column].to_list(), strict=True))
