"""From where the data is to v0: fetched, read, typed, checked, and only then published."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from heddle.domain.entities import RawFile
from heddle.domain.errors import ConfigError
from heddle.domain.typed import plain
from heddle.ingestion.asof import read_day, rows_known_on
from heddle.ingestion.options import ReadOptions
from heddle.ingestion.read import read
from heddle.ingestion.table import RawTable
from heddle.pipeline.context import StageContext
from heddle.validation.cast import cast
from heddle.validation.contract import Contract, read_contract
from heddle.validation.findings import findings, refuse
from heddle.validation.parse import TextRules

__all__ = ["Ingest", "ingest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """One file of `configs/ingestion/`: where the data is, and how it is to be read.

    What is None was not said; which keys a kind of source takes is for the source to judge.
    """

    kind: str
    path: str | None = None  # file: absolute, or relative to the project's folder
    url: str | None = None  # url: http or https; remote: s3, gs, … too
    endpoint: str | None = None  # remote: of a store that is not the provider's own
    anonymous: bool | None = None  # remote, kaggle: ask without credentials
    dataset: str | None = None  # socrata: abcd-1234; kaggle: OWNER/NAME
    api: str | None = None  # kaggle: base address, when it is another
    site: str | None = None  # socrata: https://HOST
    page_rows: int | None = None  # socrata
    page_format: str | None = None  # socrata: csv or json
    order: str | None = None  # socrata
    where: str | None = None  # socrata
    select: str | None = None  # socrata
    fields: Mapping[str, str] | None = None  # socrata: the portal's name -> the column's
    undeclared: str | None = None  # socrata: refuse or keep, a field that is not in `fields`
    token_variable: str | None = None  # socrata: the environment's name for the app token
    patience: Mapping[str, Any] | None = None  # network sources: time-outs and retries
    generator: str | None = None  # sample: a function of the project's `steps`
    rows: int | None = None  # sample
    seed: int | None = None  # sample
    prices: Mapping[str, Any] | None = None  # yahoo: ticker, start, end, calendar …
    accept_revisions: bool | None = None  # yahoo: take a history that is otherwise than before
    series: Mapping[str, Any] | None = None  # fred: ids, start, end …
    asof: str | None = None  # a date: only what was known on that day
    time: str | None = None  # the column of days, which `asof` is compared with
    licence: str = "unknown"
    sha256: str | None = None  # of the raw file, when only those bytes will do
    options: ReadOptions = field(default_factory=ReadOptions)

    def __post_init__(self) -> None:
        for key in ("url", "site", "api", "endpoint"):
            address = getattr(self, key) or ""
            if "@" in address.partition("://")[2].partition("/")[0]:
                raise ValueError(
                    f"{key} holds a user or password, which would stand in params.yaml; "
                    "put them into ~/.netrc for that host"
                )
        if self.asof is not None:
            read_day(self.asof, "asof")

    @property
    def files(self) -> tuple[str, ...]:
        """Files from outside that decide what comes out."""
        return (self.path,) if self.kind == "file" and self.path else ()

    @property
    def uses(self) -> tuple[str, ...]:
        """Steps of the project that decide what comes out."""
        return (self.generator,) if self.kind == "sample" and self.generator else ()

    def place(self) -> Mapping[str, Any]:
        """Return what the source is told."""
        return {key: value for key, value in plain(self).items() if value is not None}


def ingest(ctx: StageContext, cfg: Ingest) -> None:
    """Publish the raw file as the data version that the stage writes.

    The raw file lies in the stage's scratch folder meanwhile; afterwards origin, licence, sha256
    and size of it are in the version's metadata.

    Raises:
        ConfigError: the source cannot be read as configured, or the version has no contract.
        DataContractError: the file is damaged, or not what the contract declares.
    """
    version = _version(ctx)
    contract = read_contract(ctx.contracts[version], version)
    folder = ctx.scratch / "raw"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        raw = ctx.source(cfg.place()).fetch(folder, ctx.progress)
        table = read(raw, cfg.options)
        for note in table.notes:
            ctx.progress.notice(note)
        frame = _typed(table, contract, raw.path.name, cfg.options)
        frame, rows = _known(frame, cfg, ctx)
        found = findings(frame, contract, place=_place(table, rows))
        refuse(found, raw.path.name)
        for finding in found:
            ctx.progress.notice(f"{version}: {finding.words}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    ctx.tables.write(version, frame, _made_by(cfg, raw, table))


def _version(ctx: StageContext) -> str:
    if len(ctx.writes) != 1:
        raise ConfigError(
            f"ingest writes one data version, not {len(ctx.writes)}",
            where=f"pipeline.stages.{ctx.stage}.writes",
        )
    version = ctx.writes[0]
    if version not in ctx.contracts:
        raise ConfigError(
            f"data version {version!r} has no contract",
            where=ctx.stage,
            wanted=version,
            known=ctx.contracts,
            todo=f"Write configs/data_versions/{version}.yaml: types are declared, never guessed.",
        )
    return version


def _typed(table: RawTable, contract: Contract, name: str, options: ReadOptions) -> pl.DataFrame:
    rules = TextRules(nulls=options.nulls, decimal=options.decimal, thousands=options.thousands)
    return cast(table.frame, contract, where=name, rules=rules, line=table.line, unit=table.unit)


def _known(
    frame: pl.DataFrame, cfg: Ingest, ctx: StageContext
) -> tuple[pl.DataFrame, pl.Series | None]:
    """Return the rows that were known on the configured day, and their numbers in the table."""
    if cfg.asof is None:
        return frame, None
    day = read_day(cfg.asof, "asof")
    known, words = rows_known_on(frame, day, time=cfg.time, today=ctx.now().date())
    if words:
        ctx.progress.notice(words)
    return frame.filter(known), known.arg_true()


def _place(table: RawTable, rows: pl.Series | None) -> Callable[[int], str]:
    at = table.line if rows is None else lambda row: table.line(int(rows[row]))
    return lambda row: f"{table.unit} {at(row)}"


def _made_by(cfg: Ingest, raw: RawFile, table: RawTable) -> Mapping[str, Any]:
    read_as: dict[str, Any] = {
        "format": table.format,
        "member": table.member,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "nulls": list(cfg.options.nulls),
        "decimal": cfg.options.decimal,
        "thousands": cfg.options.thousands,
        "headers": list(table.headers),
        **({"names": dict(cfg.options.names)} if cfg.options.names else {}),
    }
    return {
        "step": "ingest",
        "kind": cfg.kind,
        **({"asof": cfg.asof} if cfg.asof else {}),
        "origin": raw.origin,
        "licence": raw.licence,
        "sha256": raw.sha256,
        "size_bytes": raw.size_bytes,
        "read_as": read_as,
    }
