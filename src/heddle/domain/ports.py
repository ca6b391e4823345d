"""What the house needs of the world outside, as small Protocols.

Each has one contract suite in `tests/contract`, passed by every adapter and by its double, which is
shipped: `heddle.infrastructure.memory*`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import polars as pl

    from heddle.domain.entities import (
        JoinedOutcomes,
        ModelPackage,
        ModelVersion,
        Outcome,
        Prediction,
        RawFile,
        RequestRecord,
        TableInfo,
        TrialRecord,
    )

__all__ = [
    "ModelRegistry",
    "PredictionLog",
    "Progress",
    "ProgressTask",
    "RequestLog",
    "Source",
    "TableStore",
    "TrackedRun",
    "Tracker",
]


class ProgressTask(Protocol):
    """One bar."""

    def advance(self, steps: float = 1, note: str = "") -> None:
        """Move the bar on; `note` is a word beside it (a candidate, a score)."""


class Progress(Protocol):
    """Where long work says how far it is, and what a person should know."""

    def task(
        self, title: str, total: float | None = None, *, even: bool = True
    ) -> AbstractContextManager[ProgressTask]:
        """Open a bar of `total` steps (None: unknown).

        `even`: the steps cost about the same, so that the time left can be told from those done.
        """

    def notice(self, text: str) -> None:
        """Say one line that is not an error (a guess that was made, a part that was skipped)."""


class Source(Protocol):
    """Where a raw file comes from."""

    def fetch(self, folder: Path, progress: Progress) -> RawFile:
        """Put the raw file below `folder` and tell its origin.

        The same source fetched twice gives the same bytes. After an error nothing is left.

        Raises:
            ConfigError: the place named in configuration does not exist or cannot be read as told.
            DataContractError: what came is not what was declared (hash, size, archive members).
        """


class TableStore(Protocol):
    """The data versions of a project."""

    def versions(self) -> Sequence[str]:
        """Names of the versions that exist, in natural order."""

    def info(self, version: str) -> TableInfo:
        """What is known of a version. Raises ConfigError naming the known ones."""

    def read(self, version: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The table. Raises ConfigError (no such version) or IntegrityError (hash differs)."""

    def file(self, version: str) -> Path | None:
        """The Parquet file that holds the table, None if none does. Raises as `read`."""

    def write(self, version: str, frame: pl.DataFrame, made_by: Mapping[str, Any]) -> TableInfo:
        """Publish `frame` as `version`: all of it or nothing. Raises ResourceError."""


class TrackedRun(Protocol):
    """One run of an experiment, open for writing; leaving the context ends it."""

    @property
    def id(self) -> str:
        """The tracker's own id ("" when nothing is tracked)."""

    def params(self, values: Mapping[str, Any]) -> None:
        """Record what was chosen; nested mappings become dotted names."""

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Record what was measured; NaN and infinity are kept as tags, not as numbers."""

    def tags(self, values: Mapping[str, str]) -> None:
        """Record words to search by."""

    def artifact(self, path: Path, folder: str = "") -> None:
        """Keep a copy of a file or folder with the run."""

    def child(
        self, name: str, tags: Mapping[str, str] | None = None
    ) -> AbstractContextManager[TrackedRun]:
        """Open a run below this one."""

    def trials(self, records: Sequence[TrialRecord]) -> None:
        """Record finished trials as runs below this one, each once (known numbers are skipped)."""


class Tracker(Protocol):
    """Where runs are written down. It never fails a training: its own faults become notices."""

    def run(
        self, name: str, tags: Mapping[str, str] | None = None
    ) -> AbstractContextManager[TrackedRun]:
        """Open a run; an exception inside ends it as failed and goes on up."""


class ModelRegistry(Protocol):
    """Numbered versions of models, and the aliases that point at them."""

    def add(self, package: ModelPackage) -> ModelVersion:
        """Keep a fitted pipeline as the next version; numbers start at 1, without gaps."""

    def models(self) -> Sequence[str]:
        """Names of registered models, sorted."""

    def versions(self, name: str) -> Sequence[ModelVersion]:
        """Versions of a model, newest first. Raises ConfigError naming the known models."""

    def resolve(self, name: str, alias_or_number: str) -> ModelVersion:
        """The version meant. Raises ConfigError listing the known aliases and numbers."""

    def point(self, name: str, alias: str, number: int) -> None:
        """Let an alias mean this version; an alias means one version at a time."""

    def tag(self, name: str, number: int, tags: Mapping[str, str]) -> None:
        """Add or replace tags of a version."""

    def fetch(self, version: ModelVersion) -> Path:
        """A local folder that holds the version's files (model, manifest); read only."""


class PredictionLog(Protocol):
    """What was predicted, each prediction once, and what became of it. Nothing is overwritten."""

    def add(self, predictions: Sequence[Prediction]) -> int:
        """Keep all of them or none; one whose id is there already stays as it was.

        Returns how many were new. Raises ResourceError, IntegrityError.
        """

    def find(self, id: str) -> Prediction | None:  # noqa: A002 it is called so
        """The prediction of this id, if there is one."""

    def all(self) -> Sequence[Prediction]:
        """Every prediction, the earliest session first, then by series and age."""

    def fill(self, outcomes: Sequence[Outcome]) -> int:
        """Write down what really came, all of it or nothing; what was written first stays.

        Returns how many were new. Raises ConfigError for an id that is not there.
        """


class RequestLog(Protocol):
    """What served models were asked and answered, row by row, and what really came.

    Rows are only ever added, until `sweep` forgets the old ones. Several processes may add at once.
    What a second model would have said is a record of its own beside the answer: it shares the
    answer's outcome, and is no request.
    """

    def append(self, records: Sequence[RequestRecord]) -> int:
        """Keep all of them or none; one whose id is there already stays as it was.

        Returns how many were new. Raises ConfigError (a time without its zone, a value that
        cannot be kept), ResourceError, IntegrityError, BusyError.
        """

    def find(self, id: str) -> RequestRecord | None:  # noqa: A002 it is called so
        """The request of this id, with its outcome, if there is one."""

    def rows(
        self,
        *,
        model: str | None = None,
        since: str | None = None,
        until: str | None = None,
        limit: int | None = None,
    ) -> Iterator[RequestRecord]:
        """Requests with their outcomes, the earliest first; and what stands beside them.

        Args:
            model: name/version, or the name for all its versions; None means every model.
            since: first moment, as `RequestRecord.at`.
            until: the moment before which they lie.
            limit: the latest so many of them.
        """

    def pairs(
        self, *, since: str | None = None, until: str | None = None
    ) -> Iterator[tuple[RequestRecord, RequestRecord]]:
        """Requests, each with what stands beside it; the earliest first, others are left out.

        Args:
            since: first moment, as `RequestRecord.at`.
            until: the moment before which they lie.
        """

    def count(self) -> int:
        """How many requests are held."""

    def add_outcomes(
        self, pairs: Iterable[tuple[str, float]], *, replace: bool = False
    ) -> JoinedOutcomes:
        """Write down what really came, all of it or nothing; ids that are not there are counted.

        Args:
            pairs: id of a request and outcome.
            replace: let an outcome replace one that was told before with another value; without
                it what was told first stays, and the id is named.

        Raises:
            ConfigError: an outcome is no finite number.
        """

    def sweep(self, before: str) -> int:
        """Forget requests older than this moment, and what is beside them; return how many rows."""

    def close(self) -> None:
        """Give back what is held open; the next call opens it again."""
