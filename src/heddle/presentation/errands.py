"""What `heddle push` and `heddle pull` do, joined from the project's world and its remote."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from heddle.domain.errors import ConfigError
from heddle.domain.ports import Progress
from heddle.infrastructure.dvc_lock import Digests
from heddle.infrastructure.dvc_runs import DvcRuns, private_folder, project_lock
from heddle.infrastructure.file_hashes import FileHashes
from heddle.infrastructure.interrupts import sigterm_interrupts
from heddle.infrastructure.mlflow_store import database_file
from heddle.infrastructure.remotes.data import DataPull, DataPush
from heddle.infrastructure.remotes.errand import Errand, Load
from heddle.infrastructure.remotes.place import open_remote
from heddle.infrastructure.remotes.recorded import RecordedData
from heddle.infrastructure.remotes.run_files import RunFiles
from heddle.infrastructure.remotes.runs import RunsHere
from heddle.infrastructure.remotes.runs_pull import RunsPull
from heddle.infrastructure.remotes.runs_push import RunsPush
from heddle.infrastructure.remotes.seen import Seen
from heddle.infrastructure.remotes.store import Store
from heddle.infrastructure.sources.address import read_address
from heddle.pipeline.world import World
from heddle.presentation.bootstrap import tracking_uri

__all__ = ["Asked", "Errands"]

Direction = Literal["push", "pull"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the user wants."""

    direction: Direction
    kinds: tuple[str, ...] = ()  # data, runs; none named: both, as far as there are any
    overwrite: bool = False


class Errands:
    """The pushes or pulls of one command.

    Args:
        root: the project's folder.
        world: where it keeps its runs, and its remote.
        asked: what the user wants.
        progress: shows how far it is.
    """

    def __init__(self, root: Path, world: World, asked: Asked, progress: Progress) -> None:
        self._root = root
        self._world = world
        self._asked = asked
        self._progress = progress
        self._digests = Digests(root, private_folder(root) / "digests.json")
        self._sha256 = FileHashes(private_folder(root) / "sha256.json", "sha256")
        self.store: Store = open_remote(
            world.remote,
            root,
            hashes={"md5": self._digests.files, "sha256": self._sha256},
            notice=progress.notice,
        )
        if asked.direction == "push" and world.remote.anonymous:
            what = "who is anonymous may pull, not push"
            raise ConfigError(what, where="world.remote.anonymous")

    @contextmanager
    def planned(self) -> Iterator[list[tuple[Errand | None, Load]]]:
        """Give what has to go; None in the place of an errand where there is nothing to carry.

        A pull holds the project to its end; a push only while it looks what there is.

        Raises:
            ConfigError: there is nothing to push or pull.
            BusyError: a run is at work on the project.
        """
        with sigterm_interrupts(), ExitStack() as meanwhile:
            self.store.reach()
            with ExitStack() as looking:
                pulls = self._asked.direction == "pull"
                (meanwhile if pulls else looking).enter_context(project_lock(self._root))
                scratch = private_folder(self._root) / "remote"
                if not pulls:
                    scratch = Path(meanwhile.enter_context(_own_folder(scratch)))
                plans = self._plans(scratch)
            yield plans

    def _plans(self, scratch: Path) -> list[tuple[Errand | None, Load]]:
        kinds = self._asked.kinds or ("data", "runs")
        plans = [
            self._data(scratch / "data") if kind == "data" else self._runs(scratch / "runs")
            for kind in kinds
        ]
        reasons = [load.nothing for _, load in plans if load.nothing]
        if reasons and (self._asked.kinds or len(reasons) == len(kinds)):
            raise ConfigError(f"nothing to {self._asked.direction}: {'; '.join(reasons)}")
        return plans

    def _data(self, scratch: Path) -> tuple[Errand | None, Load]:
        runs = DvcRuns(self._root)
        runs.check()
        for said in runs.prepare():
            self._progress.notice(said)
        data = RecordedData(self._root, self._digests)
        overwrite = self._asked.overwrite
        errand: Errand = (
            DataPush(data, self.store, self._progress)
            if self._asked.direction == "push"
            else DataPull(data, self.store, self._progress, scratch=scratch, overwrite=overwrite)
        )
        return errand, errand.plan()

    def _runs(self, scratch: Path) -> tuple[Errand | None, Load]:
        uri = tracking_uri(self._root, self._world)
        file = database_file(uri)
        if file is None:
            web = uri.startswith(("http://", "https://"))
            shown = read_address(uri, "tracking uri").shown if web else uri.partition(":")[0]
            return None, Load(what="runs", nothing=f"runs are on a server already ({shown})")
        here = RunsHere(
            files=RunFiles(file, self._world.tracking.experiment),
            hashes=self._sha256,
            seen=Seen(private_folder(self._root) / "seen_runs.json"),
            scratch=scratch,
        )
        kind = RunsPush if self._asked.direction == "push" else RunsPull
        errand = kind(here, self.store, self._progress, overwrite=self._asked.overwrite)
        return errand, errand.plan()


def _own_folder(parent: Path) -> TemporaryDirectory[str]:
    """Return a folder of this process; those of processes that were killed are removed."""
    import psutil

    parent.mkdir(exist_ok=True)
    for left in parent.glob("push-*"):
        if not psutil.pid_exists(int(left.name.split("-")[1])):
            shutil.rmtree(left, ignore_errors=True)
    return TemporaryDirectory(dir=parent, prefix=f"push-{os.getpid()}-")
