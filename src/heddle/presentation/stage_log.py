"""What a stage's process leaves in the log of its run: `logs/runs/<time>/<stage>.log`."""

from __future__ import annotations

import logging
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO

import heddle
from heddle.domain.errors import HeddleError
from heddle.infrastructure.facts import config_hash
from heddle.infrastructure.files import sha256_of
from heddle.infrastructure.log_files import LogFile, place_of_stage, remove_old
from heddle.pipeline.log_settings import LogSettings
from heddle.pipeline.stages import is_path

__all__ = ["stage_log"]

_LOG = logging.getLogger(__name__)
_OURS = ("heddle", "steps")  # their loggers are heard from the level that is asked for
_WARNINGS = "py.warnings"


@contextmanager
def stage_log(
    root: Path,
    stage: str,
    entry: Mapping[str, Any],
    *,
    ordered: Callable[[], bool] = lambda: True,
    words: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Log what happens inside: by Heddle, by the project's steps, and what libraries warn of.

    Args:
        root: the project's folder.
        stage: its name.
        entry: what params.yaml says of it.
        ordered: tells whether it is wanted yet; if it never is, nothing was.
        words: where and how to log; those of the environment by default.

    Raises:
        ConfigError: the environment asks for what there is not.
    """
    folder, settings = place_of_stage(root, os.environ if words is None else words)
    if folder is None:
        yield
        return
    new = not folder.exists()
    file = _StageFile(folder / f"{stage}.log", settings, notice=_notice, ready=ordered)
    with _heard(file, settings.number):
        start = time.perf_counter()
        _begin(root, stage, entry)
        if new:
            remove_old(folder.parent, settings.keep)
        try:
            yield
        except BaseException as fault:
            _failed(stage, start, fault)
            raise
        _documents(root, "wrote", entry["writes"])
        _LOG.info("done", extra={"facts": {"stage": stage, "seconds": _since(start)}})


def _begin(root: Path, stage: str, entry: Mapping[str, Any]) -> None:
    told = {key: _said(entry[key]) for key in ("steps", "reads", "writes")}
    facts = {"stage": stage, "heddle": heddle.__version__, "code": config_hash(entry["code"])}
    _LOG.info("begin", extra={"facts": {**facts, **told}})
    _LOG.debug("contracts", extra={"facts": {"contracts": entry["contracts"]}})
    _documents(root, "read", entry["reads"])


def _said(value: Any) -> Any:
    """Return a configuration without the keys that nobody has set."""
    if isinstance(value, Mapping):
        return {key: _said(item) for key, item in value.items() if item is not None}
    return [_said(item) for item in value] if isinstance(value, (list, tuple)) else value


def _failed(stage: str, start: float, fault: BaseException) -> None:
    facts: dict[str, Any] = {"stage": stage, "seconds": _since(start)}
    if isinstance(fault, KeyboardInterrupt):
        _LOG.warning("interrupted", extra={"facts": facts})
        return
    facts["error"] = str(fault) or type(fault).__name__
    if isinstance(fault, HeddleError):
        facts["exit_code"] = fault.exit_code
    _LOG.error("failed", exc_info=fault, extra={"facts": facts})


def _documents(root: Path, event: str, names: list[str]) -> None:
    """Log the files that are no data versions; those are logged where they are read and written."""
    for name in filter(is_path, names):
        if _LOG.isEnabledFor(logging.INFO) and (root / name).is_file():
            path = root / name
            size = path.stat().st_size
            facts = {"path": name, "bytes": size, "sha256": sha256_of(path)}
            _LOG.info(event, extra={"facts": facts})


class _StageFile(LogFile):
    """Hears everybody; what nobody else hears goes on to standard error, as without a log."""

    def __init__(self, path: Path, settings: LogSettings, **more: Any) -> None:
        super().__init__(path, settings, **more)
        self._from, self.level = self.level, logging.NOTSET

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= self._from:
            super().emit(record)
        last = logging.lastResort
        told = record.name.split(".")[0] == "heddle" or record.name == _WARNINGS
        if last and not told and record.levelno >= last.level and self._alone(record.name):
            last.handle(record)

    def _alone(self, name: str) -> bool:
        logger: logging.Logger | None = logging.getLogger(name)
        while logger is not None:
            if any(handler is not self for handler in logger.handlers):
                return False
            logger = logger.parent if logger.propagate else None
        return True


@contextmanager
def _heard(file: LogFile, level: int) -> Iterator[None]:
    """Let a file hear what is logged and warned of inside."""
    root = logging.getLogger()
    loggers = [logging.getLogger(name) for name in _OURS]
    with ExitStack() as after:
        after.callback(file.close)
        root.addHandler(file)
        after.callback(root.removeHandler, file)
        for logger in loggers:
            after.callback(logger.setLevel, logger.level)
            logger.setLevel(level)
        after.enter_context(_warnings_logged())
        yield


@contextmanager
def _warnings_logged() -> Iterator[None]:
    """Log Python's warnings, too; they are shown as ever."""
    shown = warnings.showwarning

    def show(  # noqa: PLR0917 - as Python declares it
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        words = (category.__name__, message, filename, lineno)
        logging.getLogger(_WARNINGS).warning("%s: %s (%s, line %s)", *words)
        shown(message, category, filename, lineno, file, line)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = shown


def _notice(text: str) -> None:
    if "HEDDLE_DRIVER" not in os.environ:  # the run says it once for all its stages
        print(f"  note: {text}", file=sys.stderr, flush=True)


def _since(start: float) -> float:
    return round(time.perf_counter() - start, 3)
