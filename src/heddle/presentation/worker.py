"""The warm worker of a run: `heddle worker`, started by the run, never by hand.

It has loaded what stages of tables need, works on one stage at a time, and keeps the tables that
it wrote last. It ends when a stage fails, when the process that handed the work over ends before
it is done, and with the run.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

from heddle.domain.errors import InterruptedRun
from heddle.infrastructure.kept_tables import KeptTables
from heddle.infrastructure.warm_worker import DOOR
from heddle.presentation.hand_over import BEGUN, peer
from heddle.presentation.stage import end_with_driver, interrupt_on_sigterm, work

__all__ = ["serve"]

_LARGEST = 1 << 20  # bytes of an order


def serve(arguments: list[str]) -> int:
    """Work on the stages that come through the door given; return the exit code."""
    end_with_driver()
    interrupt_on_sigterm()
    kept = KeptTables()
    try:
        with socket.socket(fileno=int(arguments[0])) as door:
            door.set_inheritable(False)
            _load()
            while True:
                call, _ = door.accept()
                with call:
                    if peer(call)[1] == os.getuid() and _one(call, kept):
                        break
    except KeyboardInterrupt:
        pass
    sys.stderr.flush()
    os._exit(InterruptedRun.exit_code)  # threads of a stage that failed are not waited for


def _load() -> None:
    """Import what every stage of tables needs, while the run does other things."""
    for name in ("narwhals", "pyarrow", "heddle.pipeline.run_step", f"{__package__}.bootstrap"):
        importlib.import_module(name)


def _one(call: socket.socket, kept: KeptTables) -> int:
    """Work on the stage that a call orders; return its exit code once the caller knows it."""
    text, handles, _, _ = socket.recv_fds(call, _LARGEST, 2)
    if not text:
        return 0
    order = json.loads(text)
    call.send(BEGUN)
    done = threading.Event()
    threading.Thread(target=_watch, args=(call, done), daemon=True).start()
    with _in_place_of(order, handles):
        code = _worked(order["stage"], kept)
    done.set()
    with contextlib.suppress(OSError):
        call.send(str(code).encode())
    return code


def _watch(call: socket.socket, done: threading.Event) -> None:
    """Interrupt the work when the caller asks for it; end with the caller, publishing nothing."""
    told = True
    while told:
        try:
            told = bool(call.recv(16))
        except OSError:
            told = False
        if done.is_set():
            return
        if told:
            os.kill(os.getpid(), signal.SIGTERM)
    os._exit(InterruptedRun.exit_code)


def _worked(stage: str, kept: KeptTables) -> int:
    try:
        return work(stage, kept)
    except KeyboardInterrupt:
        return InterruptedRun.exit_code
    except SystemExit as fault:
        return fault.code if isinstance(fault.code, int) else int(fault.code is not None)
    except BaseException:  # noqa: BLE001 - what Polars raises in a panic is no Exception
        traceback.print_exc()
        return 1


@contextlib.contextmanager
def _in_place_of(order: Mapping[str, Any], handles: list[int]) -> Iterator[None]:
    """Stand in for the caller: its folder, its environment, its standard output and error."""
    os.chdir(order["folder"])
    told = {key: value for key, value in order["environ"].items() if key != DOOR}
    for key in os.environ.keys() - told.keys():
        del os.environ[key]
    for key, value in told.items():
        if os.environ.get(key) != value:
            os.environ[key] = value
    before = [os.dup(number) for number in (1, 2)]
    try:
        _set_out(handles)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        _set_out(before)


def _set_out(handles: list[int]) -> None:
    for number, handle in zip((1, 2), handles, strict=True):
        os.dup2(handle, number)
        os.close(handle)
