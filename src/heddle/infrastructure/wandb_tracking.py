"""Runs mirrored to Weights & Biases: files on disk when offline, sent later by `wandb sync`."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

from heddle.domain.entities import TrialRecord
from heddle.infrastructure.tracked_values import Faults, flat, missing, split_metrics

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
    try:
        yield run
    except BaseException as fault:
        run.end("FAILED" if isinstance(fault, Exception) else "KILLED")
        raise
    run.end("FINISHED")


class _Run:
    """One open run; when W&B could not open it, it records nothing."""

    def __init__(
        self,
        begin: Callable[[str, Mapping[str, str], str], Any],
        opened: Any,
        faults: Faults,
        group: str,
    ) -> None:
        self.id = "" if opened is None else str(opened.id)
        self._begin = begin
        self._opened = opened
        self._faults = faults
        self._group = group or self.id
        self._params: dict[str, str] = {}
        self._trials: set[int] = set()

    def params(self, values: Mapping[str, Any]) -> None:
        """Record what was chosen; the first value of a name stays."""
        self._params = flat(values) | self._params
        self._try("parameters", lambda: self._opened.config.update(self._params))

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Record what was measured, as a row with a column `step`; NaN and infinity as tags."""
        finite, words = split_metrics(values)
        if finite:
            self._try("metrics", lambda: self._opened.log({**finite, "step": step}))
        if words:
            self.tags(words)

    def tags(self, values: Mapping[str, str]) -> None:
        """Record words, as configuration `tag.<name>`."""
        words = {f"tag.{name}": str(word) for name, word in values.items()}
        self._try("tags", lambda: self._opened.config.update(words, allow_val_change=True))

    def artifact(self, path: Path, folder: str = "") -> None:
        """Keep a copy of a file or folder among the run's files."""
        if not path.exists():
            self._faults.say(missing(path))
            return
        self._try(f"artefact {path.name!r}", lambda: self._copy(path, folder))

    @contextmanager
    def child(self, name: str, tags: Mapping[str, str] | None = None) -> Iterator[_Run]:
        """Open a run of the same group."""
        with _opened(self._begin, self._faults, name, tags or {}, self._group) as run:
            yield run

    def trials(self, records: Sequence[TrialRecord]) -> None:
        """Record finished trials as rows of this run's history, each number once."""
        for record in records:
            if record.number not in self._trials:
                self._trials.add(record.number)
                self._try(f"trial {record.number}", partial(self._log_trial, record))

    def end(self, status: str) -> None:
        """Close the run: exit code 0, 1 (failed) or 255 (killed)."""
        code = {"FINISHED": 0, "FAILED": 1}.get(status, 255)
        self._try("the end", lambda: self._opened.finish(exit_code=code))

    def _log_trial(self, record: TrialRecord) -> None:
        self._opened.log(_row(record))

    def _copy(self, path: Path, folder: str) -> None:
        target = Path(self._opened.dir) / folder / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(path, target)
        pattern = f"{target}/**" if path.is_dir() else str(target)
        self._opened.save(pattern, base_path=self._opened.dir, policy="now")

    def _try(self, what: str, call: Callable[[], Any]) -> None:
        if self._opened is not None:
            self._faults.guard(what, call, None)


def _row(record: TrialRecord) -> dict[str, Any]:
    row: dict[str, Any] = {"number": record.number, "state": record.state}
    row |= {f"params.{name}": value for name, value in flat(record.params).items()}
    row |= {f"fold.{i}": value for i, value in enumerate(record.folds)}
    row |= {"seconds": record.seconds}
    row |= {} if record.value is None else {"value": record.value}
    row |= {"note": record.note} if record.note else {}
    return {f"trial.{name}": value for name, value in row.items()}
