"""Scoring a file of any size: rows checked, predicted and written block by block, shown as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import polars as pl

from heddle import __version__
from heddle.domain.errors import ConfigError, DataContractError, IntegrityError
from heddle.domain.ports import Progress
from heddle.domain.typed import plain
from heddle.ingestion.options import ReadOptions
from heddle.ingestion.pieces import Piece, Streamed, blocks
from heddle.ingestion.stream import held_whole, sha256_of, stream
from heddle.serving.escape import escaped
from heddle.serving.flags import counted
from heddle.serving.journal import Desk, Input, Part, desk_of
from heddle.serving.keys import copied_keys, key_columns
from heddle.serving.loader import LoadedModel
from heddle.serving.parts import assemble, write_part
from heddle.serving.predicted import SCHEMA, predict_rows
from heddle.serving.refused import Refused
from heddle.validation.parse import TextRules
from heddle.validation.rows import Checked, checked_rows

__all__ = ["Batch", "Summary", "check_places", "predict_file", "predict_rows"]

OnError = Literal["fail", "skip"]
_ROWS = 131_072  # of a block: checked and predicted at a time, a row group of the output
_CELLS = 8_000_000  # of a block, at most: fewer rows where they are wide
_READ = {"parquet": 65_536}  # rows that are read at a time; of a text bytes
_BYTES = 8 << 20
_LARGE = 100_000_000  # bytes of a file that is held whole, above which that is said


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """How a file is to be predicted."""

    on_error: OnError = "fail"  # of a bad row: write nothing, or leave it out and list it
    keys: tuple[str, ...] = ()  # columns that are copied to the output
    options: ReadOptions = field(default_factory=ReadOptions)
    force: bool = False  # though it is done already, and without the parts of an earlier run
    read: int | None = None  # rows of Parquet, bytes of a text at a time; changes no result
    rows: int | None = None  # of a block, and so of a row group of a Parquet output

    def __post_init__(self) -> None:
        if min(self.read or 1, self.rows or 1) < 1:
            raise ValueError("read and rows are at least 1")


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
    resumed: int = 0  # rows that an interrupted run had done with
    done: bool = False  # an earlier run had done all of it


def predict_file(
    model: LoadedModel,
    source: Path,
    out: Path,
    batch: Batch | None = None,
    *,
    progress: Progress | None = None,
) -> Summary:
    """Predict every row of a file and write line, keys, prediction, interval, model and flags.

    The same file and model give the same bytes. Columns that the model does not use, the target
    among them, may be there or not. CSV and Parquet of any size take the same memory. A run that
    was stopped goes on where it stopped, and one that is done is not done again.

    Args:
        model: as loaded.
        source: any format that ingestion reads; its cells are checked against the model's input.
        out: a .parquet or .csv file. Bad rows that are skipped are listed in OUT.errors.csv.
        batch: what to do with bad rows, which columns to copy.
        progress: where a bar, the reader's guesses and a model's slowness are shown.

    Raises:
        ConfigError: no such file or key, an output of another kind, or the input itself.
        DataContractError: no table, a missing column, bad rows (`fail`), or only bad rows.
        IntegrityError: the file was changed meanwhile.
        BusyError: another process predicts into the same output.
        ResourceError: the disk is full or read-only; an old output is as it was.
    """
    check_places(source, out)
    with desk_of(out) as desk:
        return _Run(model, source, out, batch or Batch(), progress, desk).summary()


def check_places(source: Path, out: Path) -> None:
    """Refuse an input that is not there and an output that cannot be. Raises ConfigError."""
    if not source.is_file():
        folder = source.parent
        there = folder.iterdir() if folder.is_dir() else ()
        near = sorted(p.name for p in there if p.is_file() and not p.name.startswith("."))
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


@dataclass(frozen=True, slots=True)
class _Run:
    model: LoadedModel
    source: Path
    out: Path
    batch: Batch
    progress: Progress | None
    desk: Desk

    @property
    def errors(self) -> Path:
        return self.out.with_name(f"{self.out.name}.errors.csv")

    def summary(self) -> Summary:
        """Do what is left to do."""
        given = self.desk.input_of(self.source)
        pins = self._pins(given.sha256)
        if not self.batch.force and (told := self.desk.done(pins, [self.out, self.errors])):
            return self._told(told, done=True)
        if held_whole(self.source, self.batch.options) and given.size > _LARGE:
            self._say(
                f"{self.source.name}: has {given.size:,} bytes and is held in memory as a whole;"
                " CSV and Parquet are not"
            )
        table = stream(self.source, self.batch.options, sha256=given.sha256)
        for note in (*table.notes, *filter(None, [self.model.notice])):
            self._say(note)
        keys = key_columns(self.batch.keys, table.columns, self.source.name)
        if self.batch.force:
            self.desk.sweep()
        parts = self.desk.resume(pins, given, self._say)
        before = sum(part.rows for part in parts)
        if before:
            self._say(f"{self.out.name}: goes on after row {before:,} of {table.rows:,}")
        try:
            self._work(table, keys, parts)
            self._unchanged(given)
        except (DataContractError, IntegrityError, ConfigError):
            self.desk.sweep()
            raise
        self._publish(parts, ["line", *keys, *list(SCHEMA)[1:]], table.unit)
        told = _summed(parts) | {"notes": table.notes}
        self.desk.finish(pins, given, [self.out, self.errors], told)
        return self._told(told, resumed=before)

    def _pins(self, sha256: str) -> dict[str, Any]:
        """Return what decides every byte of the output."""
        batch = self.batch
        return {
            "input": sha256,
            "model": [self.model.label, self.model.digest],
            "options": [batch.on_error, list(batch.keys), batch.rows, plain(batch.options)],
            "version": __version__,
        }

    def _work(self, table: Streamed, keys: Sequence[str], parts: list[Part]) -> None:
        """Add the parts that are left, or refuse the file for its bad rows."""
        where, options = self.source.name, self.batch.options
        contract = self.model.manifest.contract
        rules = TextRules(nulls=options.nulls, decimal=options.decimal, thousands=options.thousands)
        header = pl.DataFrame(schema=dict.fromkeys(table.columns, pl.String))
        checked_rows(header, contract, where=where)
        wanted = [name for name in table.columns if name in contract.columns or name in keys]
        size = self.batch.rows or max(1024, min(_ROWS, _CELLS // max(1, len(wanted))))
        skip = sum(part.rows for part in parts)
        pieces = table.pieces(wanted, skip, self.batch.read or _READ.get(table.format, _BYTES))
        bad = Refused(lines=sum(part.bad for part in parts))
        with self._bar(table.rows, skip) as advance:
            for block in blocks(pieces, size):
                checked = checked_rows(block.frame, contract, where=where, rules=rules)
                faults = checked.faults.with_columns(
                    pl.Series("row", block.lines).gather(checked.faults["row"])
                )
                bad.add(faults)
                if not bad.lines or self.batch.on_error == "skip":
                    parts.append(self._part(len(parts), block, checked, faults, keys))
                    self.desk.add(parts[-1])
                advance(block.frame.height)
        if bad.lines and (self.batch.on_error == "fail" or bad.lines == table.rows):
            raise bad.error(table, where, skipped=self.batch.on_error == "skip")

    def _part(
        self, number: int, block: Piece, checked: Checked, faults: pl.DataFrame, keys: Sequence[str]
    ) -> Part:
        """Predict the good rows of a block, and write them and what is wrong with the others."""
        good = predict_rows(self.model, checked.good, block.lines[checked.kept])
        if keys:
            copied = copied_keys(block.frame.select(keys).filter(pl.Series(checked.kept)))
            good = pl.concat([good[:, :1], copied, good[:, 1:]], how="horizontal")
        rows = self.desk.folder / f"{number:06}.rows"
        write_part(rows, good, self.out.suffix)
        names = [rows]
        if faults.height:
            names.append(self.desk.folder / f"{number:06}.bad")
            write_part(names[1], _safe(faults), ".csv")
        return Part(
            rows=block.frame.height,
            good=good.height,
            bad=block.frame.height - good.height,
            flagged=int((good["flags"] != "").sum()),
            flags=counted(good["flags"]),
            files={name.name: sha256_of(name) for name in names},
        )

    def _publish(self, parts: Sequence[Part], columns: Sequence[str], unit: str) -> None:
        files = [self.desk.folder / name for part in parts for name in part.files]
        if any(part.bad for part in parts):
            bad = [file for file in files if file.suffix == ".bad"]
            assemble(self.errors, bad, [unit, "column", "reason"])
        assemble(self.out, [file for file in files if file.suffix == ".rows"], columns)
        if not any(part.bad for part in parts):
            self.errors.unlink(missing_ok=True)

    def _unchanged(self, given: Input) -> None:
        stat = self.source.stat()
        if (stat.st_size, stat.st_mtime_ns) != (given.size, given.mtime_ns):
            raise IntegrityError(
                "was changed while it was read",
                where=self.source.name,
                todo="Nothing was written; run again.",
            )

    def _told(self, told: Mapping[str, Any], *, resumed: int = 0, done: bool = False) -> Summary:
        return Summary(
            **{**told, "notes": tuple(told["notes"])},
            out=self.out,
            errors=self.errors if told["bad"] else None,
            resumed=resumed,
            done=done,
        )

    def _say(self, text: str) -> None:
        if self.progress is not None:
            self.progress.notice(text)

    @contextmanager
    def _bar(self, rows: int, skip: int) -> Iterator[Callable[[int], None]]:
        if self.progress is None:
            yield lambda _: None
            return
        done = skip
        with self.progress.task("predict", total=rows) as bar:

            def advance(more: int) -> None:
                nonlocal done
                done += more
                bar.advance(more, f"{done:,} rows")

            if skip:
                bar.advance(skip)
            yield advance


def _summed(parts: Sequence[Part]) -> dict[str, Any]:
    flags: Counter[str] = Counter()
    for part in parts:
        flags.update(part.flags)
    return {
        "rows": sum(part.rows for part in parts),
        "predicted": sum(part.good for part in parts),
        "bad": sum(part.bad for part in parts),
        "flagged": sum(part.flagged for part in parts),
        "flags": dict(sorted(flags.items(), key=lambda pair: (-pair[1], pair[0]))),
    }


def _safe(faults: pl.DataFrame) -> pl.DataFrame:
    """Return the list of bad rows for a person who opens it in a spreadsheet."""
    return faults.with_columns(
        pl.Series(name, [escaped(text) for text in faults[name]], dtype=pl.String)
        for name in ("column", "reason")
    )
