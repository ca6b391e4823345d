"""One order to the warm worker: who gave it, and how the worker stands in for its process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence

from heddle.domain.errors import InterruptedRun
from heddle.infrastructure.warm_worker import DOOR, FOLLOWING
from heddle.presentation.hand_over import BEGUN, peer

__all__ = ["Call", "next_call", "say_into"]

_LARGEST = 1 << 20  # bytes of an order


def next_call(door: socket.socket) -> Call:
    """Wait for an order of this user's and return it."""
    while True:
        line, _ = door.accept()
        if peer(line)[1] == os.getuid():
            with contextlib.suppress(OSError):  # its process has ended already
                order, handles, _, _ = socket.recv_fds(line, _LARGEST, 2)
                if order:
                    return Call(line, json.loads(order), handles)
        line.close()


class Call:
    """An order that came: a stage, and the process that waits for it.

    Args:
        line: to that process.
        order: `stage`, `folder`, `environ`.
        handles: its standard output and error.
    """

    def __init__(
        self, line: socket.socket, order: Mapping[str, object], handles: Sequence[int]
    ) -> None:
        self.stage = str(order["stage"])
        self.code: int | None = None  # once it is done
        self._folder = str(order["folder"])
        self._environ: dict[str, str] = dict(order["environ"])  # type: ignore[call-overload]
        self._line = line
        self._handles = handles

    @property
    def following(self) -> str:
        """The stage that the run means to order next, if it can be begun ahead."""
        return self._environ.get(FOLLOWING, "")

    def begin(self, said: Sequence[int] = ()) -> None:
        """Take the order on: from now on nothing is published if its process ends.

        Args:
            said: files with what the stage has said already, on standard output and error.
        """
        with contextlib.suppress(OSError):
            self._line.send(BEGUN)
        threading.Thread(target=self._watch, daemon=True).start()
        os.chdir(self._folder)
        told = {key: value for key, value in self._environ.items() if key not in {DOOR, FOLLOWING}}
        for key in os.environ.keys() - told.keys():
            del os.environ[key]
        for key, value in told.items():
            if os.environ.get(key) != value:
                os.environ[key] = value
        say_into(self._handles)
        for text, handle in zip(said, self._handles, strict=False):
            os.write(handle, os.pread(text, os.fstat(text).st_size, 0))

    def end(self, code: int) -> None:
        """Tell the exit code."""
        self.code = code
        for handle in self._handles:
            os.close(handle)
        with contextlib.suppress(OSError):
            self._line.send(str(code).encode())

    def _watch(self) -> None:
        """Interrupt the work when it is asked for; end with the caller, publishing nothing."""
        told = True
        while told:
            try:
                told = bool(self._line.recv(16))
            except OSError:
                told = False
            if self.code is not None:
                self._line.close()
                return
            if told:
                os.kill(os.getpid(), signal.SIGTERM)
        os._exit(InterruptedRun.exit_code)


def say_into(handles: Sequence[int]) -> None:
    """Let standard output and error go there from now on."""
    sys.stdout.flush()
    sys.stderr.flush()
    for number, handle in zip((1, 2), handles, strict=True):
        os.dup2(handle, number)
