"""Scoring a file: rows checked one by one, predictions with intervals, written as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

import polars as pl

from heddle.domain.entities import RawFile
from heddle.domain.errors import ConfigError, DataContractError
from heddle.domain.ports import Progress
from heddle.frames.atomic import beside
from heddle.ingestion.options import ReadOptions
from heddle.ingestion.read import read
from heddle.ingestion.table import RawTable
from heddle.serving.escape import escaped
from heddle.serving.flags import counted, flags
from heddle.serving.loader import LoadedModel
from heddle.validation.parse import TextRules
from heddle.validation.rows import RowFault, row_findings

__all__ = ["Summary", "check_places", "predict_file", "predict_rows"]

OnError = Literal["fail", "skip"]
_CHUNK = 50_000  # rows that are checked and predicted at a time
_DIGITS = 10  # significant ones; the last bits of a sum depend on where its rows lie in memory
_SHOWN = 5  # bad rows named in an error
_SCHEMA = {
    "line": pl.Int64,
    "prediction": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "model": pl.String,
    "flags": pl.String,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What became of a file."""

    rows: int
    predicted: int
    bad: int  # rows left out
    flagged: int  # rows predicted with a remark
    flags: Mapping[str, int]  # remark -> rows that have it, the most frequent first
    out: Path
    errors: Path | None  # the list of bad rows, when there are any
    notes: tuple[str, ...]  # guesses of the reader


def predict_file(
    model: LoadedModel,
    source: Path,
    out: Path,
    *,
    on_error: OnError = "fail",
    options: ReadOptions | None = None,
    progress: Progress | None = None,
    chunk: int = _CHUNK,
) -> Summary:
    """Predict every row of a file and write line, prediction, interval, model and flags.

    The same file and model give the same bytes. Columns that the model does not use, the target
    among them, may be there or not.

    Args:
        model: as loaded.
        source: any format that ingestion reads; its cells are checked against the model's input.
        out: a .parquet or .csv file.
        on_error: what a bad row does: `fail` writes nothing, `skip` leaves it out and lists it in
            OUT.errors.csv.
        options: how the file is to be read.
        progress: where a bar and the reader's guesses are shown.
        chunk: rows at a time.

    Raises:
        ConfigError: no such file, an output of another kind, or the input itself.
        DataContractError: no table, a missing column, bad rows (`fail`), or only bad rows.
        ResourceError: the disk is full or read-only; an old output is as it was.
    """
    check_places(source, out)
    options = options or ReadOptions()
    table = read(_raw(source), options)
    if progress is not None:
        for note in table.notes:
            progress.notice(note)
    good, faults = _scored(model, table, options, progress=progress, chunk=chunk, where=source.name)
    bad = [fault for fault in faults if fault.fatal]
    lines = len({fault.line for fault in bad})
    if bad and (on_error == "fail" or lines == table.frame.height):
        raise _refused(bad, lines, table, source.name, on_error)
    errors = out.with_name(f"{out.name}.errors.csv")
    _write_errors(errors, bad, table.unit)
    _write(out, good)
    return Summary(
        rows=table.frame.height,
        predicted=good.height,
        bad=lines,
        flagged=int((good["flags"] != "").sum()),
        flags=counted(good["flags"]),
        out=out,
        errors=errors if bad else None,
        notes=table.notes,
    )


def predict_rows(model: LoadedModel, rows: pl.DataFrame, lines: Sequence[int]) -> pl.DataFrame:
    """Return line, prediction, lower, upper, model and flags for rows that keep the contract.

    Numbers have ten significant digits, so that the same row gives the same text in any company.

    Args:
        model: as loaded.
        rows: typed, with the manifest's columns.
        lines: a number for each row.
    """
    if not rows.height:
        return pl.DataFrame(schema=_SCHEMA)
    predicted = model.predict(rows)
    interval = model.manifest.interval
    lower, upper = (None, None) if interval is None else interval.around(predicted)
    return pl.DataFrame(
        {
            "line": lines,
            "prediction": predicted,
            "lower": lower,
            "upper": upper,
            "model": model.label,
            "flags": flags(rows, model.manifest.seen),
        },
        schema=_SCHEMA,
    ).with_columns(pl.col("prediction", "lower", "upper").round_sig_figs(_DIGITS))


def check_places(source: Path, out: Path) -> None:
    """Refuse an input that is not there and an output that cannot be. Raises ConfigError."""
    if not source.is_file():
        folder = source.parent
        near = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
        raise ConfigError(f"no file {str(source)!r}", wanted=source.name, known=near)
    if out.suffix not in {".parquet", ".csv"}:
        raise ConfigError(
            f"predictions are written as .parquet or .csv, not as {out.suffix or 'a bare name'!r}",
            where=str(out),
            todo="Give the output one of these endings.",
        )
    if not out.resolve().parent.is_dir():
        raise ConfigError(
            "there is no such folder", where=str(out.parent), todo="Make it, or name another."
        )
    if out.resolve() == source.resolve():
        raise ConfigError("the output would replace the input", where=str(out))


def _raw(source: Path) -> RawFile:
    content = source.read_bytes()
    return RawFile(
        path=source,
        origin=str(source),
        sha256=sha256(content).hexdigest(),
        size_bytes=len(content),
    )


def _scored(
    model: LoadedModel,
    table: RawTable,
    options: ReadOptions,
    *,
    progress: Progress | None,
    chunk: int,
    where: str,
) -> tuple[pl.DataFrame, list[RowFault]]:
    rules = TextRules(nulls=options.nulls, decimal=options.decimal, thousands=options.thousands)
    parts: list[pl.DataFrame] = [pl.DataFrame(schema=_SCHEMA)]
    faults: list[RowFault] = []
    for start, piece in _pieces(table.frame, chunk, progress):
        numbers = [table.line(start + row) for row in range(piece.height)]
        good, found = row_findings(
            piece, model.manifest.contract, where=where, rules=rules, line=numbers.__getitem__
        )
        gone = {fault.line for fault in found if fault.fatal}
        parts.append(predict_rows(model, good, [n for n in numbers if n not in gone]))
        faults += found
    return pl.concat(parts), faults


def _pieces(
    frame: pl.DataFrame, chunk: int, progress: Progress | None
) -> Iterator[tuple[int, pl.DataFrame]]:
    starts = range(0, frame.height, chunk)
    if progress is None:
        yield from ((start, frame.slice(start, chunk)) for start in starts)
        return
    with progress.task("predict", total=frame.height) as bar:
        for start in starts:
            piece = frame.slice(start, chunk)
            yield start, piece
            bar.advance(piece.height, f"{start + piece.height:,} rows")


def _refused(
    bad: Sequence[RowFault], lines: int, table: RawTable, where: str, on_error: OnError
) -> DataContractError:
    shown = "; ".join(
        f"{table.unit} {fault.line}, column {fault.column!r}: {fault.reason}"
        for fault in bad[:_SHOWN]
    )
    more = f"; and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    rows = "row" if lines == 1 else "rows"
    todo = "Mend them, or leave them out with --on-error skip. Nothing was written."
    if on_error == "skip":
        todo = "No row is left to predict. Nothing was written."
    return DataContractError(
        f"{lines:,} of {table.frame.height:,} {rows} cannot be predicted: {shown}{more}",
        where=where,
        todo=todo,
    )


def _write(out: Path, frame: pl.DataFrame) -> None:
    with beside(out) as part:
        if out.suffix == ".parquet":
            frame.write_parquet(part)
        else:
            frame.write_csv(part)


def _write_errors(path: Path, bad: Sequence[RowFault], unit: str) -> None:
    """Write the list of bad rows for a person; without any, remove one of an earlier run."""
    if not bad:
        if path.exists():
            path.unlink()
        return
    rows = [(fault.line, escaped(fault.column), escaped(fault.reason)) for fault in bad]
    frame = pl.DataFrame(rows, schema=[unit, "column", "reason"], orient="row")
    with beside(path) as part:
        frame.write_csv(part)
