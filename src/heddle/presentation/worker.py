"""The warm worker of a run: `heddle worker`, started by the run, never by hand.

It has loaded what stages of tables need, works on one stage at a time, and keeps the tables that
it wrote last. While DVC records a stage it begins with the one that is to come, up to the point
where the table would be published. It ends when a stage fails, when the process that handed the
work over ends before it is done, and with the run.
"""

from __future__ import annotations

import importlib
import logging
import os
import socket
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from heddle.domain.errors import InterruptedRun
from heddle.infrastructure.kept_tables import KeptTables
from heddle.infrastructure.run_locks import stage_alive
from heddle.presentation.call import Call, next_call, say_into
from heddle.presentation.hand_over import interrupt_once
from heddle.presentation.stage import end_with_driver, outcome, run_named

__all__ = ["serve"]

_LOG = logging.getLogger(__name__)


def serve(arguments: list[str]) -> int:
    """Work on the stages that come through the door given; return the exit code."""
    end_with_driver()
    interrupt_once()
    try:
        with socket.socket(fileno=int(arguments[0])) as door:
            door.set_inheritable(False)
            _load()
            _Worker(door).serve()
    except KeyboardInterrupt:
        pass
    sys.stderr.flush()
    os._exit(InterruptedRun.exit_code)  # threads of a stage that failed are not waited for


def _load() -> None:
    """Import what every stage of tables needs, while the run does other things."""
    for name in ("narwhals", "pyarrow", "heddle.pipeline.run_step", f"{__package__}.stage_log"):
        importlib.import_module(name)


class _Another(BaseException):
    """What was begun ahead is not what was ordered."""


class _Worker:
    """Stage after stage, until one fails."""

    def __init__(self, door: socket.socket) -> None:
        self._door = door
        self._kept = KeptTables()
        self._out = [os.dup(1), os.dup(2)]

    def serve(self) -> None:
        """Return after a stage that failed."""
        call = next_call(self._door)
        while True:
            if call.code is None:
                call.begin()
                self._end(call, lambda stage: run_named(stage, self._kept))
            if call.code:
                return
            call = self._ahead(call.following) if call.following else next_call(self._door)

    def _end(self, call: Call, work: Callable[[str], None]) -> None:
        code = _code(call.stage, work)
        say_into(self._out)
        call.end(code)

    def _ahead(self, stage: str) -> Call:
        """Begin with a stage before it is ordered; return the call that came.

        What fails before it is ordered is forgotten: it is done again, and told, when it is.
        """
        said = [os.memfd_create(name) for name in ("out", "err")]
        gate = _Gate(self._door, stage, said)
        say_into(said)
        fault: BaseException | None = None
        self._kept.gate = gate
        try:
            with stage_alive(Path.cwd()):
                run_named(stage, self._kept, lambda: gate.passed)
        except BaseException as raised:  # noqa: BLE001 - what Polars raises in a panic is no Exception
            fault = raised
            traceback.clear_frames(fault.__traceback__)  # they hold tables
        self._kept.gate = None
        for file in said:
            os.close(file)
        if gate.passed and gate.call:
            self._end(gate.call, lambda _: _raise(fault))
        elif isinstance(fault, KeyboardInterrupt):
            raise fault
        say_into(self._out)
        return gate.call or next_call(self._door)


class _Gate:
    """Where a stage that was begun ahead waits, its table ready, until it is ordered."""

    def __init__(self, door: socket.socket, stage: str, said: list[int]) -> None:
        self.call: Call | None = None
        self.passed = False
        self._door = door
        self._stage = stage
        self._said = said
        self._params = _params()

    def __call__(self, unchanged: Callable[[], bool]) -> None:
        """Return when the stage is ordered; `unchanged` tells whether its inputs still are."""
        ready = time.perf_counter()
        self.call = next_call(self._door)
        if self.call.stage != self._stage or self._params != _params() or not unchanged():
            raise _Another
        self.call.begin(self._said)
        self.passed = True
        waited = round(time.perf_counter() - ready, 3)
        _LOG.info("ordered", extra={"facts": {"ready_before_seconds": waited}})


def _params() -> bytes:
    return Path("params.yaml").read_bytes()


def _code(stage: str, work: Callable[[str], None]) -> int:
    try:
        return outcome(stage, work)
    except SystemExit as fault:
        return fault.code if isinstance(fault.code, int) else int(fault.code is not None)
    except BaseException:  # noqa: BLE001 - as above
        traceback.print_exc()
        return 1


def _raise(fault: BaseException | None) -> None:
    if fault is not None:
        raise fault
