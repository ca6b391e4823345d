"""What a competition and a deeper search stand on: checked, read and made ready once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from heddle.domain.ports import TableStore
from heddle.domain.typed import plain
from heddle.evaluation.metrics import metric
from heddle.models.assembly import Choices
from heddle.models.candidates import Candidate, read_candidates
from heddle.models.features import read_features
from heddle.training.dataset import read_dataset
from heddle.training.documents import choices_of
from heddle.training.matrices import FoldMatrices, FoldObjective
from heddle.training.plans import Contest
from heddle.training.scratch import question, resumable
from heddle.training.workers import workers

__all__ = ["Arena", "arena"]

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
            candidate, metric=self.contest.metric, threads=self.contest.threads
        )


@contextmanager
def arena(
    contest: C,
    *,
    stage: str,
    cores: int,
    tables: TableStore,
    reads: Mapping[str, str],
    root: Path,
    scratch: Path,
) -> Iterator[Arena[C]]:
    """Check the contest, read the training rows and the studies, start the processes.

    Args:
        contest: the configuration.
        stage: for messages.
        cores: of the machine.
        tables: the data versions.
        reads: rows, split (the first two without a slash) and the documents of both studies.
        root: folder of the documents.
        scratch: folder of the stage's own, for work that a kill interrupts.

    Raises:
        ConfigError: an unknown metric, column, candidate or parameter; more threads than cores;
        DataContractError, IntegrityError: as `heddle.training.dataset.dataset`.
    """
    contest = contest.within(cores)
    metric(contest.metric, where=f"{stage}.metric")
    candidates = read_candidates(contest.candidates, where="model_candidates")
    features = read_features(contest.features, where=f"{stage}.features")
    data = read_dataset(
        tables, reads, target=contest.target, row_key=contest.row_key, columns=features.raw
    )
    imputation = _document(root, reads, "imputation_study.json")
    choices = choices_of(imputation, _document(root, reads, "cluster_study.json"))
    asked = question(plain(contest), reads, tables, root)
    with (
        resumable(scratch, asked) as folder,
        workers(contest.jobs or 1, threads=contest.threads) as pool,
    ):
        matrices = FoldMatrices(
            data,
            features,
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


def _document(root: Path, reads: Mapping[str, str], name: str) -> Mapping[str, Any] | None:
    """Return what a study found, None when the stage does not read that study."""
    for read in reads.values():
        if Path(read).name == name:
            found: Mapping[str, Any] = json.loads((root / read).read_text(encoding="utf-8"))
            return found
    return None
