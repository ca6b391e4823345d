"""What a competition and a deeper search stand on: checked, read and made ready once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from heddle.domain.ports import TableStore
from heddle.domain.typed import plain
from heddle.evaluation.metrics import metric
from heddle.evaluation.scale import meaningful
from heddle.models.assembly import Choices
from heddle.models.candidates import Candidate, read_candidates
from heddle.models.features import read_features
from heddle.training.dataset import read_dataset
from heddle.training.documents import choices_of
from heddle.training.matrices import FoldMatrices, FoldObjective
from heddle.training.plans import Contest
from heddle.training.scratch import question, resumable
from heddle.training.workers import workers

__all__ = ["Arena", "Place", "arena", "stands_on"]

C = TypeVar("C", bound=Contest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arena(Generic[C]):
    """Everything that a search needs."""

    contest: C  # with a number of jobs
    candidates: tuple[Candidate, ...]
    choices: Choices
    matrices: FoldMatrices
    pool: Executor
    folder: Path  # for journals; survives a kill

    def objective(self, candidate: Candidate) -> FoldObjective:
        """Return what the trials of a candidate run."""
        return self.matrices.objective(
            candidate,
            metric=self.contest.metric,
            threads=self.contest.threads,
            keys=meaningful(self.contest.scale),
        )

    def selected(self, name: str) -> tuple[tuple[str, ...], ...]:
        """Return the columns that a selection kept for a candidate, per fold; () without one."""
        return next(self.matrices.selected(c) for c in self.candidates if c.name == name)


class Place(Protocol):
    """What an arena needs to know of the stage that it is in."""

    @property
    def stage(self) -> str:
        """Its name, for messages."""

    @property
    def cores(self) -> int:
        """Those of the machine."""

    @property
    def tables(self) -> TableStore:
        """The data versions."""

    @property
    def reads(self) -> Mapping[str, str]:
        """Rows, split (the first two without a slash) and the documents of both studies."""

    @property
    def root(self) -> Path:
        """Folder of the documents."""

    @property
    def scratch(self) -> Path:
        """A folder of the stage's own, for work that a kill interrupts."""


@contextmanager
def arena(contest: C, place: Place) -> Iterator[Arena[C]]:
    """Check the contest, read the training rows and the studies, start the processes.

    Raises:
        ConfigError: an unknown metric, column, candidate or parameter; more threads than cores;
        DataContractError, IntegrityError: as `heddle.training.dataset.dataset`.
    """
    contest = contest.within(place.cores)
    metric(contest.metric, where=f"{place.stage}.metric")
    candidates = read_candidates(contest.candidates, where="model_candidates")
    features = read_features(contest.features, where=f"{place.stage}.features")
    tables, reads = place.tables, place.reads
    data = read_dataset(
        tables,
        reads,
        target=contest.target,
        row_key=contest.row_key,
        features=features,
        horizon=contest.horizon,
    )
    imputation = _document(place.root, reads, "imputation_study.json")
    choices = choices_of(imputation, _document(place.root, reads, "cluster_study.json"))
    asked = question(plain(contest), reads, tables, place.root)
    with (
        resumable(place.scratch, asked) as folder,
        workers(contest.jobs or 1, threads=contest.threads) as pool,
    ):
        matrices = FoldMatrices(
            data,
            data.features or features,
            choices,
            seed=contest.seed,
            pool=pool,
            folder=folder / "folds" if (contest.jobs or 1) > 1 else None,
        )
        yield Arena(
            contest=contest,
            candidates=candidates,
            choices=choices,
            matrices=matrices,
            pool=pool,
            folder=folder,
        )


def stands_on(ready: Arena[Any]) -> dict[str, Any]:
    """Return what a record of a search has to name: seed, target, features, folds, budget."""
    contest, folds = ready.contest, ready.matrices.sizes
    return {
        "metric": contest.metric,
        "seed": contest.seed,
        "target": contest.target,
        "horizon": contest.horizon,
        "features": plain(ready.matrices.features),
        "imputation": ready.choices.imputation,
        "folds": len(folds),
        "fold_rows": [f"{train} then {valid}" for train, valid in folds],
        "trials": contest.trials,
        "pruning": contest.pruning.enabled,
    }


def _document(root: Path, reads: Mapping[str, str], name: str) -> Mapping[str, Any] | None:
    """Return what a study found, None when the stage does not read that study."""
    for read in reads.values():
        if Path(read).name == name:
            found: Mapping[str, Any] = json.loads((root / read).read_text(encoding="utf-8"))
            return found
    return None
