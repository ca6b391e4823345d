"""What a model was asked and said, out of a file of rows or out of the log of requests.

Whatever cannot be read counts as missing here, and is told: a monitor looks at what really comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from heddle.domain.entities import RawFile, RequestRecord
from heddle.domain.errors import ConfigError
from heddle.ingestion.options import ReadOptions
from heddle.ingestion.read import read
from heddle.ingestion.table import RawTable
from heddle.monitoring.answers import Answers
from heddle.registry.manifest import Manifest
from heddle.serving.loader import LoadedModel
from heddle.validation.contract import Column
from heddle.validation.parse import DTYPES, TextRules, fault_words, parse
from heddle.validation.rows import row_findings

__all__ = ["answers_of_file", "answers_of_frame", "answers_of_requests"]

_OUTCOME = Column(type="float", nullable=True)

Values = npt.NDArray[np.float64]


def answers_of_file(
    model: LoadedModel, source: Path, options: ReadOptions | None = None
) -> Answers:
    """Return the rows of a file with what the model says of them.

    Rows that it would refuse have no prediction. If the file has the target, too, it is taken for
    what really came.

    Args:
        model: as loaded.
        source: any format that ingestion reads.
        options: how the file is to be read.

    Raises:
        ConfigError: no such file.
        DataContractError: no table, or a column of the model is missing.
    """
    if not source.is_file():
        folder = source.parent
        there = folder.iterdir() if folder.is_dir() else ()
        near = sorted(p.name for p in there if p.is_file() and not p.name.startswith("."))
        raise ConfigError(f"no file {str(source)!r}", wanted=source.name, known=near)
    options = options or ReadOptions()
    content = source.read_bytes()
    raw = RawFile(
        path=source,
        origin=str(source),
        sha256=sha256(content).hexdigest(),
        size_bytes=len(content),
    )
    table = read(raw, options)
    rules = TextRules(nulls=options.nulls, decimal=options.decimal, thousands=options.thousands)
    made = answers_of_frame(model, table.frame, rules=rules, where=source.name, table=table)
    return replace(made, notes=(*table.notes, *made.notes))


def answers_of_frame(
    model: LoadedModel,
    frame: pl.DataFrame,
    *,
    rules: TextRules | None = None,
    where: str = "rows",
    table: RawTable | None = None,
) -> Answers:
    """Return rows with what the model says of them; arguments as `answers_of_file`.

    Raises:
        DataContractError: a column of the model is missing.
    """
    rules, manifest = rules or TextRules(), model.manifest
    good, faults = row_findings(
        frame, manifest.contract, where=where, rules=rules, line=lambda row: row
    )
    refused = sorted({fault.line for fault in faults if fault.fatal})
    typed, notes = _typed(frame, manifest.columns, rules, table)
    actual = np.full(frame.height, np.nan)
    if manifest.target in frame.columns:
        came, more = _typed(frame, {manifest.target: _OUTCOME}, rules, table)
        actual, notes = _floats(came[manifest.target]), [*notes, *more]
    answered = np.ones(frame.height, dtype=np.bool_)
    answered[refused] = False
    predicted, lower, upper = (np.full(frame.height, np.nan) for _ in range(3))
    if good.height:
        predicted[answered] = said = model.predict(good)
        if manifest.interval is not None:
            lower[answered], upper[answered] = manifest.interval.around(said)
    if refused:
        notes.append(f"{len(refused):,} of {frame.height:,} rows would be refused: not predicted")
    return Answers(
        rows=typed,
        predicted=predicted,
        lower=lower,
        upper=upper,
        actual=actual,
        notes=tuple(notes),
    )


def answers_of_requests(
    records: Iterable[RequestRecord], manifest: Manifest, digest: str
) -> Answers:
    """Return what was written down of requests: what they were asked row by row, their time once.

    Rows of one request were answered at one moment and took the same time.

    Args:
        records: of one version of a model.
        manifest: its manifest.
        digest: of the manifest; requests to another model of the same name are left out.
    """
    found = list(records)
    own = [one for one in found if one.digest == digest]
    hidden = sorted({name for one in own for name in one.redacted} & set(manifest.columns))
    rows: dict[str, pl.Series] = {}
    for name, column in manifest.columns.items():
        if name not in hidden:
            cells = [_plain(one.row.get(name)) for one in own]
            rows[name] = pl.Series(name, cells, dtype=DTYPES[column.type], strict=False)
    notes = [f"column {name!r} is redacted in the log and not compared" for name in hidden]
    if other := len(found) - len(own):
        notes.append(f"{other:,} rows were asked of another model of this name and are left out")
    taken = dict.fromkeys((one.at, one.latency_ms) for one in own)
    return Answers(
        rows=pl.DataFrame(rows),
        predicted=_array([one.prediction for one in own]),
        lower=_array([one.lower for one in own]),
        upper=_array([one.upper for one in own]),
        actual=_array([one.outcome for one in own]),
        latency_ms=_array([each for _, each in taken]),
        last=max((datetime.fromisoformat(one.at) for one in own), default=None),
        notes=tuple(notes),
    )


def _typed(
    frame: pl.DataFrame, columns: Mapping[str, Column], rules: TextRules, table: RawTable | None
) -> tuple[pl.DataFrame, list[str]]:
    """Return columns under their types, and a word on each whose cells cannot all be read."""
    typed: list[pl.Series] = []
    notes: list[str] = []
    for name, column in columns.items():
        if name not in frame.columns:  # an optional one
            typed.append(pl.Series(name, [None] * frame.height, dtype=DTYPES[column.type]))
            continue
        parsed = parse(frame[name], column, rules)
        typed.append(parsed.values.alias(name))
        if parsed.bad.size:
            row = int(parsed.bad[0])
            place = f"row {row + 1}" if table is None else f"{table.unit} {table.line(row)}"
            cells = "1 cell" if parsed.bad.size == 1 else f"{parsed.bad.size:,} cells"
            why = fault_words(frame[name][row], column)
            notes.append(f"{cells} of {name!r} cannot be read and count as missing: {place} {why}")
    return pl.DataFrame(typed), notes


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float)) else None


def _array(values: Sequence[float | None]) -> Values:
    return np.array(values, dtype=np.float64)


def _floats(values: pl.Series) -> Values:
    return np.asarray(values.cast(pl.Float64).fill_null(np.nan).to_numpy(), dtype=np.float64)
