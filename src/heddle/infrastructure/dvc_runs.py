"""DVC as the judge of what is stale and the keeper of the lock, in this process."""

from __future__ import annotations

import errno
import fcntl
import gc
import logging
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import chdir, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from heddle.domain.errors import BusyError, ConfigError, HeddleError, InterruptedRun, ResourceError
from heddle.frames.atomic import error_number, sweep
from heddle.infrastructure.dvc_lock import read_lock
from heddle.infrastructure.dvc_mending import keep_good_lock, mend_lock, mend_rwlock
from heddle.infrastructure.dvc_yaml import read_and_write_quickly
from heddle.infrastructure.interrupts import interruptible
from heddle.infrastructure.last_words import forget_words, words_of
from heddle.infrastructure.run_locks import private_folder, project_lock
from heddle.infrastructure.warm_worker import WarmWorker

__all__ = ["DvcRuns", "StageFailed", "can_clone", "private_folder", "project_lock"]

_CLONE = 0x40049409  # FICLONE of linux/fs.h
_REFUSED = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO),
    *(errno.EROFS, errno.EACCES, errno.EPERM),
}


class StageFailed(HeddleError):
    """The stage's process ended with an error: its last words, when it had any."""

    def __init__(self, stage: str, code: int, words: str = "") -> None:
        killed = -code if code < 0 else code - 128 if code > 128 else 0
        if code == InterruptedRun.exit_code or killed in {signal.SIGINT, signal.SIGTERM}:
            super().__init__(f"stage {stage} was interrupted", todo="Run again: it goes on there.")
            self.exit_code = InterruptedRun.exit_code  # type: ignore[misc]
        elif killed:
            what = f"stage {stage} was killed by signal {killed}"
            super().__init__(what, todo="Was memory short? Run again: it goes on there.")
        else:
            failed, todo = f"stage {stage} failed", "Mend it and run again: it goes on there."
            super().__init__(words or failed, todo=None if words else todo)
            self.exit_code = code or 1  # type: ignore[misc]


class DvcRuns:
    """Runs stages one by one through DVC."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._good_lock = private_folder(root) / "dvc.lock"
        self._repo: Any = None
        self.worker: WarmWorker | None = None  # works on the stages that it is for

    def check(self) -> None:
        """Refuse what cannot run, before anything is written.

        Raises:
            ConfigError: there is no git repository around it.
        """
        if not any((folder / ".git").exists() for folder in (self.root, *self.root.parents)):
            raise ConfigError(
                "is not in a git repository",
                where=str(self.root),
                todo="Run `git init` in it (or above), then this again.",
            )

    def prepare(self, folders: Iterable[str] = ("data", "models", "reports")) -> list[str]:
        """Mend what a killed run left; return what was mended, in words.

        Args:
            folders: those that stages write into.
        """
        said = [*mend_lock(self.root, self._good_lock), *mend_rwlock(self.root)]
        left = sum(sweep(self.root / name) for name in folders)
        left += sum(sweep(top, deep=False) for top in (self.root, private_folder(self.root)))
        if left:
            files = "file" if left == 1 else "files"
            said.append(f"removed {left} half-written {files} of something that was killed")
        return said

    def reproduce(self, stage: str, *, force: bool) -> bool:
        """Let DVC run a stage if it finds it changed; return whether it ran or was restored.

        DVC removes a stage's outputs before it runs it: if it fails, the recorded ones come back.

        Raises:
            StageFailed: with the exit code of the stage's process.
            KeyboardInterrupt: a signal came; the stage's processes have ended.
            ResourceError: the disk is full.
        """
        words = self.worker.surroundings(stage) if self.worker else {}
        from dvc.exceptions import DvcException, ReproductionError
        from dvc.stage.exceptions import StageCmdFailedError

        forget_words(self.root, stage)
        try:
            with _heddle_on_path(words), chdir(self.root):
                done = interruptible(lambda: self._once_free(stage, force))
        except ReproductionError as fault:
            cause = fault.__cause__
            failed = isinstance(cause, StageCmdFailedError)
            code = int(cause.args[0].rsplit(" ", 1)[-1]) if failed else 0
            if words and self.worker:
                code = self.worker.fate(code)
            self._restore(stage)
            if failed:
                raise StageFailed(stage, code, words_of(self.root, stage)) from None
            raise _worded(cause or fault, stage) from fault
        except KeyboardInterrupt:
            self._restore(stage)
            raise
        except (DvcException, OSError, sqlite3.Error) as fault:
            raise _worded(fault, stage) from fault
        self.keep_good_lock()
        return bool(done)

    def keep_good_lock(self) -> None:
        """Keep a copy of dvc.lock, which DVC does not replace atomically."""
        keep_good_lock(self.root, self._good_lock)

    def digest(self, path: Path) -> str | None:
        """Return the digest by which DVC knows the file that lies there now, if it hashed it."""
        if self._repo is None or not path.is_file():
            return None
        _, found = self._repo.state.get(str(path), self._repo.fs)
        return str(found.value) if found and found.name == "md5" else None

    @property
    def repo(self) -> Any:
        """DVC's repository; its folder is made when the project has none."""
        if self._repo is None:
            logging.getLogger("dvc").setLevel(logging.ERROR)
            from dvc.repo import Repo

            if not (self.root / ".dvc" / "config").is_file():
                shutil.rmtree(self.root / ".dvc", ignore_errors=True)  # an `init` that was killed
                Repo.init(str(self.root), subdir=not (self.root / ".git").exists()).close()
            read_and_write_quickly()
            self._repo = Repo(str(self.root))
            if not self._repo.config["cache"].get("type") and not can_clone(self.root / ".dvc"):
                self._repo.close()
                self._repo = Repo(str(self.root), config={"cache": {"type": "copy"}})
            gc.freeze()  # DVC parses much YAML: what is loaded by now need not be looked at again
        return self._repo

    def _once_free(self, stage: str, force: bool) -> Any:
        """Try again while another DVC process holds the repository for a moment."""
        from dvc.lock import LockError

        for left in reversed(range(20)):
            try:
                return self.repo.reproduce(targets=[stage], single_item=True, force=force)
            except LockError as fault:
                if not left:
                    raise BusyError("another DVC process is at work here", where=stage) from fault
                time.sleep(0.5)
        raise AssertionError

    def _restore(self, stage: str) -> None:
        """Put the outputs of the stage's last good run back, as far as DVC's cache has them."""
        from dvc.exceptions import DvcException

        recorded = (read_lock(self.root / "dvc.lock") or {}).get(stage) or {}
        if recorded.get("outs"):
            with suppress(DvcException, OSError), chdir(self.root):
                self.repo.checkout(targets=[f"dvc.yaml:{stage}"], force=True)


def can_clone(folder: Path) -> bool:
    """Tell whether files there can share their blocks (Linux: btrfs, xfs and such).

    Where they cannot, DVC copies each output into its cache and, as long as it may hope to clone,
    back again: it has to be told.
    """
    with TemporaryFile(dir=folder) as one, TemporaryFile(dir=folder) as other:
        one.write(b"?")
        one.flush()
        try:
            fcntl.ioctl(other, _CLONE, one.fileno())
        except OSError:
            return False
    return True


@contextmanager
def _heddle_on_path(words: Mapping[str, str]) -> Iterator[None]:
    """Let the stages' `heddle` be the one that is running now; `words` are for them too."""
    before = os.environ.get("PATH", "")
    here = str(Path(sys.executable).parent)
    if shutil.which("heddle") != str(Path(here) / "heddle"):
        os.environ["PATH"] = os.pathsep.join([here, before])
    told = {**words, "HEDDLE_DRIVER": str(os.getpid())}
    os.environ.update(told)
    try:
        yield
    finally:
        os.environ["PATH"] = before
        for key in told:
            os.environ.pop(key, None)


def _worded(fault: BaseException, stage: str) -> HeddleError:
    if isinstance(fault, HeddleError):
        return fault
    cause: BaseException | None = fault
    while cause is not None:
        if (number := error_number(cause)) in _REFUSED:
            return ResourceError(
                f"cannot write: {os.strerror(number)}",
                where=stage,
                todo="Free space or permissions, then run again.",
            )
        cause = cause.__cause__ or cause.__context__
    lines = [line for line in str(fault).split("\n") if line.strip()]
    return HeddleError(lines[0] if lines else type(fault).__name__, where=f"{stage} (DVC)")
