"""`heddle stage NAME` in a run that has a warm worker: it hands the work over and waits.

Nothing but the standard library is loaded here: this process costs a few hundredths of a second.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import struct

__all__ = ["BEGUN", "INTERRUPT", "hand_over", "interrupt_once", "peer"]

BEGUN, INTERRUPT = b"begun", b"interrupt"
_PATIENCE_SECONDS = 10


def hand_over(stage: str, token: str) -> int | None:
    """Return the exit code of a stage that the worker behind a door worked on.

    None means that nothing has been done: there is no worker, and the work is this process's own.
    A worker that ends in the midst of it is told by the run, which knows what ended it.
    """
    interrupt_once()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as call:
        try:
            call.connect(f"\0heddle-{token}")
            if str(peer(call)[0]) != os.environ.get("HEDDLE_DRIVER"):
                return None
            order = {"stage": stage, "folder": os.getcwd(), "environ": dict(os.environ)}  # noqa: PTH109
            socket.send_fds(call, [json.dumps(order).encode()], [1, 2])
            return _code(call) if call.recv(16) == BEGUN else None
        except OSError:
            return None
        except KeyboardInterrupt:
            return _interrupted(call)


def interrupt_once() -> None:
    """Let the first SIGINT or SIGTERM raise KeyboardInterrupt, and nothing disturb what follows.

    A terminal sends SIGINT to every process of a run, and the run asks each of them to end, too.
    """
    told = False

    def interrupted(number: int, frame: object) -> None:
        nonlocal told
        del number, frame
        if not told:  # SIG_IGN instead would make Python speak of a signal that is pending
            told = True
            raise KeyboardInterrupt

    for signalled in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signalled, interrupted)


def peer(call: socket.socket) -> tuple[int, int]:
    """Return process and user at the other end; of a door, those that opened it."""
    told = call.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, user, _ = struct.unpack("3i", told)
    return pid, user


def _code(call: socket.socket) -> int:
    try:
        return int(call.recv(16) or b"1")
    except OSError:
        return 1


def _interrupted(call: socket.socket) -> int:
    """Pass a signal on, and let the worker take back what it has begun."""
    try:
        call.settimeout(_PATIENCE_SECONDS)
        call.send(INTERRUPT)
        call.recv(16)
    except OSError:
        pass  # leaving ends the worker
    return 7
