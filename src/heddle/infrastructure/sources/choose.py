"""From an ingestion configuration to the source that it means."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heddle.domain.errors import ConfigError
from heddle.domain.names import checked_name
from heddle.domain.ports import Source
from heddle.domain.typed import build
from heddle.infrastructure.sources.file import FileSource
from heddle.infrastructure.sources.patience import Patience
from heddle.infrastructure.sources.sample import SampleSource

__all__ = ["make_source"]

_WHERE = "ingestion"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Any:
    """What every kind of source may be told."""

    kind: str
    licence: str = "unknown"
    sha256: str | None = None
    max_bytes: int = 2_000_000_000

    def __post_init__(self) -> None:
        known = self.sha256 is None or (
            len(self.sha256) == 64 and not set(self.sha256.lower()) - set("0123456789abcdef")
        )
        if not known:
            raise ValueError(f"sha256 must be 64 hex digits or null, not {self.sha256!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _File(_Any):
    path: str = ""

    def source(self, root: Path) -> Source:
        path = _given(self.path, "path", "FILE.csv")
        return FileSource(path, root=root, **_shared(self), max_bytes=self.max_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Url(_Any):
    url: str = ""
    patience: Patience = dataclasses.field(default_factory=Patience)

    def source(self, root: Path) -> Source:
        from heddle.infrastructure.sources.url import UrlSource  # ssl and http take 50 ms

        del root
        url = _given(self.url, "url", "https://HOST/FILE.csv")
        return UrlSource(url, **_shared(self), max_bytes=self.max_bytes, patience=self.patience)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample(_Any):
    generator: str = ""
    rows: int = 5000
    seed: int = 42

    def source(self, root: Path) -> Source:
        from heddle.pipeline.catalog import Catalog

        name = checked_name(_given(self.generator, "generator", "my_sample"), what="generator")
        function = Catalog(root).step(name).function
        return SampleSource(name, function, rows=self.rows, seed=self.seed, **_shared(self))


_KINDS: Mapping[str, type[_File | _Url | _Sample]] = {
    "file": _File,
    "sample": _Sample,
    "url": _Url,
}


def make_source(values: Mapping[str, Any], root: Path) -> Source:
    """Return the source that an ingestion configuration names by `kind`.

    Args:
        values: kind, licence, sha256, max_bytes; `path` of a file; `url` and `patience` of an
            address; `generator`, `rows` and `seed` of a sample. `options` is the reader's and is
            passed over, but for its max_bytes.
        root: the project's folder.

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
    told = {**cap, **{key: value for key, value in values.items() if key != "options"}}
    return build(_KINDS[kind], told, where=_WHERE).source(root)


def _shared(config: _Any) -> dict[str, Any]:
    return {"licence": config.licence, "sha256": config.sha256}


def _given(value: str, key: str, example: str) -> str:
    if value:
        return value
    raise ConfigError(
        "is not set", where=f"{_WHERE}.{key}", todo=f"Add {_WHERE}.{key}={example} to the command."
    )
