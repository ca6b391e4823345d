"""The process of one stage: `heddle stage NAME`, the command in dvc.yaml. It needs no Hydra."""

from __future__ import annotations

import ctypes
import errno
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from heddle.domain.errors import ConfigError, HeddleError, ResourceError
from heddle.frames.atomic import error_number
from heddle.infrastructure.last_words import leave_words
from heddle.infrastructure.run_locks import stage_alive
from heddle.presentation.hand_over import interrupt_once

if TYPE_CHECKING:
    from heddle.infrastructure.kept_tables import KeptTables

__all__ = ["end_with_driver", "ended", "main", "outcome", "run_named"]


def main(arguments: list[str]) -> int:
    """Run the stage named in `arguments` in the current folder; return the exit code."""
    if len(arguments) != 1:
        print("error: usage: heddle stage NAME", file=sys.stderr)
        return 2
    end_with_driver()
    interrupt_once()
    return outcome(arguments[0], run_named)


def outcome(name: str, work: Callable[[str], None]) -> int:
    """Work on a stage in the current folder; return the exit code. A fault of our own is raised."""

    def alive() -> None:
        with stage_alive(Path.cwd()):
            work(name)

    return ended(name, alive)


def ended(name: str, work: Callable[[], None]) -> int:
    """Do some work; say how it failed, and return the exit code. A fault of our own is raised.

    Args:
        name: of the stage or step, in what is said.
        work: raises what went wrong.
    """
    try:
        work()
    except HeddleError as fault:
        _tell(name, str(fault))
        return fault.exit_code
    except MemoryError:
        _tell(name, "out of memory; use fewer rows or cores")
        return ResourceError.exit_code
    except KeyboardInterrupt:
        if "HEDDLE_DRIVER" not in os.environ:  # the run says it for all its stages
            print(f"{name} was interrupted; run again to go on", file=sys.stderr)
        return 7
    except Exception as fault:
        if error_number(fault) not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}:
            raise
        _tell(name, f"{fault}; free space, then run again")
        return ResourceError.exit_code
    return 0


def _tell(name: str, words: str) -> None:
    """Leave the fault to the run that waits for this stage; without one, say it here."""
    line = f"{name}: {words}"
    if not (os.environ.get("HEDDLE_DRIVER") and leave_words(Path.cwd(), name, line)):
        print(f"error: {line}", file=sys.stderr)


def run_named(
    name: str, kept: KeptTables | None = None, ordered: Callable[[], bool] = lambda: True
) -> None:
    """Run a stage of the current folder, and log it.

    Args:
        name: the stage.
        kept: the tables that this process wrote last, if it works on several stages.
        ordered: tells whether it is wanted yet; one that never is leaves no log.

    Raises:
        HeddleError: of the kind that fits.
    """
    from heddle.pipeline.generated import read_params
    from heddle.pipeline.run_step import run_stage
    from heddle.presentation.bootstrap import stage_context
    from heddle.presentation.stage_log import stage_log

    root = Path.cwd()
    params = read_params(root)
    if name not in params["stages"]:
        raise ConfigError(f"no stage {name!r}", wanted=name, known=params["stages"])
    entry = params["stages"][name]
    with stage_log(root, name, entry, ordered=ordered):
        run_stage(entry, stage_context(root, name, entry, params, kept))


def end_with_driver() -> None:
    """Die when the process that drives the run dies, so that no late orphan publishes anything."""
    driver = os.environ.get("HEDDLE_DRIVER", "")
    if not driver.isdigit() or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: the parent may be a shell
    try:
        handle = os.pidfd_open(int(driver))
    except ProcessLookupError:
        os._exit(7)

    def watch() -> None:
        select.select([handle], [], [])
        os._exit(7)

    threading.Thread(target=watch, daemon=True).start()
