"""Where runs are logged: `logs/runs/<time in UTC>/`, the newest ones kept."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from heddle.domain.typed import build
from heddle.infrastructure.log_lines import LogLines
from heddle.pipeline.log_settings import LogSettings

__all__ = ["LogFile", "log_folder", "place_of_stage", "remove_old", "words_for_stages"]

# the environment's words for a stage's process
_FOLDER, _LEVEL, _FORMAT = "HEDDLE_LOG_FOLDER", "HEDDLE_LOG_LEVEL", "HEDDLE_LOG_FORMAT"
_KEEP = "HEDDLE_LOG_KEEP"
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z")
_ABOVE = 3  # a stage's shell, DVC, and what started that


class LogFile(logging.Handler):
    """A file that is made with its first line. It never fails what it tells of.

    Args:
        path: where it is wanted; what is there is added to.
        settings: level and format.
        notice: hears once that the file cannot be written.
        ready: tells whether lines may be written yet; until then they wait.

    Attributes:
        failed: it could not be written; nothing more is tried.
    """

    def __init__(
        self,
        path: Path,
        settings: LogSettings,
        *,
        notice: Callable[[str], None] = lambda text: None,  # noqa: ARG005
        ready: Callable[[], bool] = lambda: True,
    ) -> None:
        super().__init__(settings.number)
        self.path = path
        self.setFormatter(LogLines(settings.format))
        self._notice, self._ready = notice, ready
        self._waiting: list[str] = []
        self._file: IO[str] | None = None
        self.failed = False

    def emit(self, record: logging.LogRecord) -> None:
        if self.failed:
            return
        try:
            self._waiting.append(self.format(record))
        except Exception:  # noqa: BLE001 - what another library means to say may not be sayable
            return
        if self._ready():
            self._write()

    def close(self) -> None:
        super().close()
        if self._file is not None:
            with suppress(OSError):  # a full disk was told
                self._file.close()

    def _write(self) -> None:
        try:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("a", encoding="utf-8", errors="backslashreplace")
            self._file.write("".join(f"{line}\n" for line in self._waiting))
            self._file.flush()
        except OSError as fault:
            self.failed = True
            self._notice(f"no log is kept: {self.path}: {fault.strerror or fault}")
        self._waiting.clear()


def log_folder(root: Path, begun: datetime) -> Path:
    """Return where a run that began then is logged.

    >>> log_folder(Path("p"), datetime(2026, 11, 21, 9, 5, 1, 250_000, UTC)).as_posix()
    'p/logs/runs/2026-11-21T09-05-01.250Z'
    """
    stamp = begun.astimezone(UTC).strftime("%Y-%m-%dT%H-%M-%S")
    return root / "logs" / "runs" / f"{stamp}.{begun.microsecond // 1000:03d}Z"


def remove_old(runs: Path, keep: int | None) -> None:
    """Remove the logs of all but the newest runs; what is no log of a run stays. None: keep all."""
    if keep is None:
        return
    with suppress(OSError):
        stamped = [path for path in runs.iterdir() if _STAMP.fullmatch(path.name)]
        folders = [path for path in stamped if path.is_dir() and not path.is_symlink()]
        for folder in sorted(folders)[:-keep]:
            with suppress(OSError):
                for file in folder.glob("*.log"):
                    file.unlink()
                folder.rmdir()


def words_for_stages(folder: Path | None, settings: LogSettings) -> dict[str, str]:
    """Return what a run tells the processes of its stages; no folder: that nothing is logged."""
    return {
        _FOLDER: str(folder or ""),
        _LEVEL: str(settings.number),
        _FORMAT: settings.format,
        _KEEP: str(settings.keep or ""),
    }


def place_of_stage(root: Path, environment: Mapping[str, str]) -> tuple[Path | None, LogSettings]:
    """Return in which folder a stage's process logs, and how; None: it does not.

    Without a run that says it, the folder is named after the beginning of the DVC above, so that
    the stages of one `dvc repro` are found together. Where nobody says how many runs are kept, all
    are: the configuration, which is not read here, may want more than the default.

    Raises:
        ConfigError: a level or format that there is not, a number of runs that is none.
    """
    told = {"level": environment.get(_LEVEL), "format": environment.get(_FORMAT)}
    said: dict[str, Any] = {key: value for key, value in told.items() if value}
    keep = environment.get(_KEEP) or None
    said["keep"] = int(keep) if keep and keep.isdecimal() else keep
    settings = build(LogSettings, said, where="HEDDLE_LOG_*")
    folder = environment.get(_FOLDER)
    if folder is None:
        return log_folder(root, _dvc_began()), settings
    return (Path(folder) if folder else None), settings


def _dvc_began() -> datetime:
    import psutil

    own = psutil.Process()
    with suppress(psutil.Error, OSError):
        for above in own.parents()[:_ABOVE]:
            if any(Path(word).stem == "dvc" for word in above.cmdline()[:3]):
                return datetime.fromtimestamp(above.create_time(), UTC)
    return datetime.fromtimestamp(own.create_time(), UTC)
