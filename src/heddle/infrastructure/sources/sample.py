"""Made-up rows with the schema of the real file: everything runs without a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from heddle.domain.entities import RawFile
from heddle.domain.errors import ConfigError
from heddle.domain.ports import Progress
from heddle.infrastructure.sources.landing import land

if TYPE_CHECKING:
    import polars as pl

__all__ = ["SampleSource"]

Generator = Callable[[int, int], "pl.DataFrame"]  # (rows, seed)


class SampleSource:
    """Source of what a project's generator makes, as a CSV file, so that the reader reads it.

    Args:
        name: of the generator; origin and file are called after it.
        generate: rows and seed to a frame; the same arguments give the same frame.
        rows: how many.
        seed: of the generator.
        licence: under which the data may be used.
        sha256: what the file must hash to, if that is known.
    """

    def __init__(
        self,
        name: str,
        generate: Generator,
        *,
        rows: int = 5000,
        seed: int = 42,
        licence: str = "CC0-1.0",
        sha256: str | None = None,
    ) -> None:
        if rows < 1 or seed < 0:
            what = f"rows >= 1 and seed >= 0 must hold, but got {rows} and {seed}"
            raise ConfigError(what, where="ingestion")
        self.name = name
        self.generate = generate
        self.rows = rows
        self.seed = seed
        self.licence = licence
        self.sha256 = sha256

    def fetch(self, folder: Path, progress: Progress) -> RawFile:
        """Write the rows below `folder`; raises as the port says."""
        frame = self.generate(self.rows, self.seed)
        content = BytesIO()
        frame.write_csv(content)
        data = content.getvalue()
        with progress.task(f"making {self.name}", total=len(data)) as bar:
            return land(
                _once(data),
                folder / f"{self.name}.csv",
                origin=f"sample:{self.name}?rows={self.rows}&seed={self.seed}",
                licence=self.licence,
                expected=self.sha256,
                max_bytes=len(data),
                bar=bar,
            )


def _once(data: bytes) -> Iterator[bytes]:
    yield data
