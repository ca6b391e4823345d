"""From an ingestion configuration to the source that it means."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from heddle.domain.errors import ConfigError
from heddle.domain.names import checked_name
from heddle.domain.ports import Source
from heddle.domain.typed import build
from heddle.infrastructure.sources.file import FileSource
from heddle.infrastructure.sources.patience import Patience
from heddle.infrastructure.sources.sample import SampleSource

__all__ = ["make_source"]

_WHERE = "ingestion"
_OF_THE_READER = {"options", "time"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Any:
    """What every kind of source may be told."""

    kind: str
    licence: str = "unknown"
    sha256: str | None = None
    max_bytes: int = 2_000_000_000
    asof: str | None = None  # most leave it to the reader, who leaves out later rows

    def __post_init__(self) -> None:
        known = self.sha256 is None or (
            len(self.sha256) == 64 and not set(self.sha256.lower()) - set("0123456789abcdef")
        )
        if not known:
            raise ValueError(f"sha256 must be 64 hex digits or null, not {self.sha256!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _File(_Any):
    path: str = ""

    def source(self, root: Path, keep: Path | None) -> Source:
        del keep
        path = _given(self.path, "path", "FILE.csv")
        return FileSource(path, root=root, **_shared(self), max_bytes=self.max_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Url(_Any):
    url: str = ""
    patience: Patience = dataclasses.field(default_factory=Patience)

    def source(self, root: Path, keep: Path | None) -> Source:
        from heddle.infrastructure.sources.url import UrlSource  # ssl and http take 50 ms

        del root, keep
        url = _given(self.url, "url", "https://HOST/FILE.csv")
        return UrlSource(url, **_shared(self), max_bytes=self.max_bytes, patience=self.patience)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample(_Any):
    generator: str = ""
    rows: int = 5000
    seed: int = 42

    def source(self, root: Path, keep: Path | None) -> Source:
        from heddle.pipeline.catalog import Catalog

        del keep
        name = checked_name(_given(self.generator, "generator", "my_sample"), what="generator")
        function = Catalog(root).step(name).function
        return SampleSource(name, function, rows=self.rows, seed=self.seed, **_shared(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Socrata(_Any):
    site: str = ""
    dataset: str = ""
    page_rows: int = 50_000
    page_format: Literal["csv", "json"] = "csv"
    order: str = ":id"
    where: str = ""
    select: str = ""
    fields: Mapping[str, str] = dataclasses.field(default_factory=dict)
    undeclared: Literal["refuse", "keep"] = "refuse"
    token_variable: str = ""
    patience: Patience = dataclasses.field(default_factory=Patience)

    def source(self, root: Path, keep: Path | None) -> Source:
        from heddle.infrastructure.sources.socrata import SocrataSource
        from heddle.infrastructure.sources.socrata_table import SocrataTable

        del root
        _given(self.site, "site", "https://HOST")
        _given(self.dataset, "dataset", "abcd-1234")
        own = {f.name: getattr(self, f.name) for f in dataclasses.fields(SocrataTable)}
        return SocrataSource(
            SocrataTable(**own),
            token_variable=self.token_variable,
            **_shared(self),
            max_bytes=self.max_bytes,
            patience=self.patience,
            keep=keep,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kaggle(_Any):
    dataset: str = ""
    api: str = ""
    anonymous: bool = False
    patience: Patience = dataclasses.field(default_factory=Patience)

    def source(self, root: Path, keep: Path | None) -> Source:
        from heddle.infrastructure.sources.kaggle import KAGGLE_API, KaggleSource

        del root
        return KaggleSource(
            _given(self.dataset, "dataset", "OWNER/NAME"),
            api=self.api or KAGGLE_API,
            anonymous=self.anonymous,
            **_shared(self),
            max_bytes=self.max_bytes,
            patience=self.patience,
            keep=keep,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remote(_Any):
    url: str = ""
    endpoint: str = ""
    anonymous: bool = False
    patience: Patience = dataclasses.field(default_factory=Patience)

    def source(self, root: Path, keep: Path | None) -> Source:
        url = _given(self.url, "url", "s3://BUCKET/FILE.csv")
        if url.strip().startswith(("http://", "https://")):
            return self._of_the_web(url, root, keep)
        from heddle.infrastructure.sources.remote import RemoteSource
        from heddle.infrastructure.sources.remote_place import RemotePlace

        return RemoteSource(
            RemotePlace(url=url, endpoint=self.endpoint, anonymous=self.anonymous),
            **_shared(self),
            max_bytes=self.max_bytes,
            patience=self.patience,
        )

    def _of_the_web(self, url: str, root: Path, keep: Path | None) -> Source:
        for key in ("endpoint", "anonymous"):
            if getattr(self, key):
                raise ConfigError("is for object stores, not for http(s)", where=f"{_WHERE}.{key}")
        own = {f.name: getattr(self, f.name) for f in dataclasses.fields(_Any)}
        return _Url(url=url, patience=self.patience, **own).source(root, keep)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Yahoo(_Any):
    prices: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    accept_revisions: bool = False
    patience: Patience = dataclasses.field(default_factory=Patience)

    def source(self, root: Path, keep: Path | None) -> Source:
        from heddle.infrastructure.sources.yahoo import Prices, YahooSource

        del keep
        _given(str(self.prices.get("ticker") or ""), "prices.ticker", "TICKER")
        return YahooSource(
            prices=build(Prices, self.prices, where=f"{_WHERE}.prices"),
            snapshots=root / "data" / "raw",
            accept_revisions=self.accept_revisions,
            asof=self.asof,
            **_shared(self),
            max_bytes=self.max_bytes,
            patience=self.patience,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fred(_Any):
    series: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    patience: Patience = dataclasses.field(default_factory=Patience)

    def source(self, root: Path, keep: Path | None) -> Source:
        from heddle.infrastructure.sources.fred import FredSource, Series

        del root, keep
        return FredSource(
            series=build(Series, self.series, where=f"{_WHERE}.series"),
            asof=self.asof,
            **_shared(self),
            max_bytes=self.max_bytes,
            patience=self.patience,
        )


_Kind = _File | _Fred | _Kaggle | _Remote | _Sample | _Socrata | _Url | _Yahoo
_KINDS: Mapping[str, type[_Kind]] = {
    "file": _File,
    "fred": _Fred,
    "kaggle": _Kaggle,
    "remote": _Remote,
    "sample": _Sample,
    "socrata": _Socrata,
    "url": _Url,
    "yahoo": _Yahoo,
}


def make_source(values: Mapping[str, Any], root: Path, keep: Path | None = None) -> Source:
    """Return the source that an ingestion configuration names by `kind`.

    Args:
        values: kind, licence, sha256, max_bytes, asof, and the keys of that kind. `options` and
            `time` are the reader's and are passed over, but for max_bytes.
        root: the project's folder.
        keep: a folder in which what a broken download has brought waits for the next one.

    Raises:
        ConfigError: an unknown kind or key (with the nearest known), a value of another type.
    """
    kind = str(values.get("kind", ""))
    if kind not in _KINDS:
        raise ConfigError(
            f"no kind of source {kind!r}", where=f"{_WHERE}.kind", wanted=kind, known=_KINDS
        )
    options = values.get("options") or {}
    cap = {"max_bytes": options["max_bytes"]} if options.get("max_bytes") else {}
    told = {**cap, **{key: value for key, value in values.items() if key not in _OF_THE_READER}}
    return build(_KINDS[kind], told, where=_WHERE).source(root, keep)


def _shared(config: _Any) -> dict[str, Any]:
    return {"licence": config.licence, "sha256": config.sha256}


def _given(value: str, key: str, example: str) -> str:
    if value:
        return value
    raise ConfigError(
        "is not set", where=f"{_WHERE}.{key}", todo=f"Add {_WHERE}.{key}={example} to the command."
    )
