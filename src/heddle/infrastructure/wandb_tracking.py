"""Runs mirrored to Weights & Biases: files on disk when offline, sent later by `wandb sync`."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from heddle.domain.entities import TrialRecord
from heddle.infrastructure.tracked_values import Faults, GuardedRun, ended, flat

__all__ = ["WandbTracker"]


class WandbTracker:
    """Writes runs as W&B does; its own faults become notices.

    W&B has no runs below runs: a run and its children share a group, named after the first. Trials
    are rows of the history of the run that they belong to (a run each would cost 0.1 s and more).

    Args:
        project: W&B project.
        folder: where W&B puts its files (it adds a folder `wandb`).
        notice: where a fault of the tracker is told.
        mode: `offline` opens no connection; `online` needs an account.
    """

    def __init__(
        self,
        project: str,
        *,
        folder: Path,
        notice: Callable[[str], None],
        mode: Literal["offline", "online"] = "offline",
    ) -> None:
        self._project = project
        self._folder = folder
        self._notice = notice
        self._mode = mode

    @contextmanager
    def run(self, name: str, tags: Mapping[str, str] | None = None) -> Iterator[_Run]:
        """Open a run; an exception inside ends it as failed and goes on up."""
        faults = Faults("wandb", self._notice)
        with _opened(self._begin, faults, name, tags or {}, "") as run:
            yield run

    def _begin(self, name: str, tags: Mapping[str, str], group: str) -> Any:
        import wandb

        quiet = {"silent": True, "console": "off", "disable_git": True, "disable_code": True}
        unmeasured = {"x_disable_stats": True, "x_disable_meta": True}
        self._folder.mkdir(parents=True, exist_ok=True)
        run_id = uuid.uuid4().hex[:8]
        return wandb.init(
            project=self._project,
            name=name,
            id=run_id,
            group=group or run_id,
            dir=self._folder,
            mode=self._mode,
            reinit="create_new",
            config={f"tag.{name}": word for name, word in tags.items()},
            settings=wandb.Settings(**quiet, **unmeasured),
        )


@contextmanager
def _opened(
    begin: Callable[[str, Mapping[str, str], str], Any],
    faults: Faults,
    name: str,
    tags: Mapping[str, str],
    group: str,
) -> Iterator[_Run]:
    opened = faults.guard(f"run {name!r}", lambda: begin(name, tags, group), None)
    run = _Run(begin, opened, faults, group)
    with ended(run.end):
        yield run


class _Run(GuardedRun):
    """One open run."""

    def __init__(
        self,
        begin: Callable[[str, Mapping[str, str], str], Any],
        opened: Any,
        faults: Faults,
        group: str,
    ) -> None:
        super().__init__(faults, "" if opened is None else str(opened.id))
        self._begin = begin
        self._opened = opened
        self._group = group or self.id
        self._params: dict[str, str] = {}

    def params(self, values: Mapping[str, Any]) -> None:
        """Record what was chosen; the first value of a name stays."""
        self._params = flat(values) | self._params
        self._try("parameters", lambda: self._opened.config.update(self._params))

    @contextmanager
    def child(self, name: str, tags: Mapping[str, str] | None = None) -> Iterator[_Run]:
        """Open a run of the same group."""
        with _opened(self._begin, self._faults, name, tags or {}, self._group) as run:
            yield run

    def _log_metrics(self, values: Mapping[str, float], step: int) -> None:
        """Write a row of the history with a column `step`."""
        self._opened.log({**values, "step": step})

    def _log_tags(self, values: Mapping[str, str]) -> None:
        """Write words as configuration `tag.<name>`."""
        words = {f"tag.{name}": str(word) for name, word in values.items()}
        self._opened.config.update(words, allow_val_change=True)

    def _log_trial(self, record: TrialRecord) -> None:
        """Write a row of the history."""
        self._opened.log(_row(record))

    def _log_artifact(self, path: Path, folder: str) -> None:
        target = Path(self._opened.dir) / folder / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(path, target)
        pattern = f"{target}/**" if path.is_dir() else str(target)
        self._opened.save(pattern, base_path=self._opened.dir, policy="now")

    def _end(self, status: str) -> None:
        """Close the run with an exit code: 0, 1 (failed) or 255 (killed)."""
        self._opened.finish(exit_code={"FINISHED": 0, "FAILED": 1}.get(status, 255))


def _row(record: TrialRecord) -> dict[str, Any]:
    row: dict[str, Any] = {"number": record.number, "state": record.state}
    row |= {f"params.{name}": value for name, value in flat(record.params).items()}
    row |= {f"fold.{i}": value for i, value in enumerate(record.folds)}
    row |= {f"scores.{name}": value for name, value in record.scores.items()}
    row |= {"seconds": record.seconds}
    row |= {} if record.value is None else {"value": record.value}
    row |= {"note": record.note} if record.note else {}
    return {f"trial.{name}": value for name, value in row.items()}
