"""The process that asks: an epoll loop that never waits for an answer.

usage: load_generator.py SPECIFICATION     (JSON of `load.Load`; `load.offered` starts it)
"""

from __future__ import annotations

import json
import os
import resource
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from load import ALIVE, LOST, UNREACHED, Load

_SPIN = 0.0015  # seconds before an instant in which nobody sleeps: epoll counts milliseconds
_PATIENCE = 15.0  # seconds for the last answers


@dataclass(slots=True)
class Wire:
    """One connection, and the request that it waits for."""

    requests: list[bytes]
    probe: bool = False
    sock: socket.socket | None = None
    got: bytes = b""
    due: float = 0.0
    sent: float = 0.0
    busy: bool = False
    asked: int = 0


@dataclass
class Generator:
    """The load as it is offered: an epoll loop without anything that could wait."""

    load: Load
    ended: list[tuple[float, float, float, int, str, bool]] = field(default_factory=list)
    wires: dict[int, Wire] = field(default_factory=dict)
    idle: list[Wire] = field(default_factory=list)
    backlog: deque[float] = field(default_factory=deque)
    busy: int = 0  # wires that wait for an answer

    def run(self) -> None:
        self.poll = select.epoll()
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2
        )
        load = self.load
        asked = [request(load.path, body) for body in load.bodies]
        wires = [Wire(asked, asked=number) for number in range(load.connections)]
        for wire in wires:
            self.opened(wire)
        self.idle = wires[::-1]
        self.prober = Wire([request(ALIVE, None)], probe=True)
        if load.probed:
            self.opened(self.prober)
        self.start = time.monotonic() + 0.05
        self.end = self.start + load.seconds
        plans = [self.planned(load.rate, probe=False), self.planned(load.probed, probe=True)]
        if not load.rate:
            for wire in self.idle:
                self.send(wire, time.monotonic())
            self.idle = []
        self.turn([plan for plan in plans if plan is not None])

    def planned(self, rate: float, *, probe: bool) -> Iterator[tuple[float, bool]] | None:
        if not rate:
            return None
        many = int(self.load.seconds * rate)
        return ((self.start + number / rate, probe) for number in range(many))

    def turn(self, plans: list[Iterator[tuple[float, bool]]]) -> None:
        """Send what is due, take what comes, until all is answered or patience ends."""
        coming = sorted(
            (due, probe, n) for n, plan in enumerate(plans) for due, probe in [next(plan)]
        )
        while True:
            now = time.monotonic()
            while coming and coming[0][0] <= now:
                due, probe, number = coming.pop(0)
                self.ask(due, probe=probe)
                if (later := next(plans[number], None)) is not None:
                    coming = sorted([*coming, (*later, number)])
            over = not coming and now >= self.end
            if over and (not (self.busy or self.backlog) or now >= self.end + _PATIENCE):
                break
            self.take(coming[0][0] - now if coming else 0.05)
            while self.backlog and self.idle:
                self.send(self.idle.pop(), self.backlog.popleft())
        for wire in list(self.wires.values()):
            if wire.busy:
                self.done(wire, LOST)

    def ask(self, due: float, *, probe: bool) -> None:
        if probe:
            if not self.prober.busy:
                self.send(self.prober, due)
        elif self.idle:
            self.send(self.idle.pop(), due)
        else:
            self.backlog.append(due)

    def take(self, until: float) -> None:
        pause = until - _SPIN
        for number, _ in self.poll.poll(max(0, pause)):
            if (wire := self.wires.get(number)) is not None:
                self.receive(wire)

    def send(self, wire: Wire, due: float) -> None:
        wire.due, wire.busy, wire.sent = due, True, time.monotonic()
        self.busy += 1
        told = wire.requests[wire.asked % len(wire.requests)]
        wire.asked += 1
        if wire.sock is None and not self.opened(wire):
            self.done(wire, UNREACHED)
            return
        try:
            whole = wire.sock.send(told) == len(told)
        except OSError:
            whole = False
        if not whole:
            self.lost(wire)

    def receive(self, wire: Wire) -> None:
        try:
            data = wire.sock.recv(262_144)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.lost(wire)
            return
        wire.got = wire.got + data if wire.got else data
        told = parsed(wire.got)
        if told is None:
            return
        status, digest, closes = told
        wire.got = b""
        if closes:
            self.closed(wire)
        self.done(wire, status, digest)

    def done(self, wire: Wire, status: int, digest: str = "") -> None:
        now = time.monotonic()
        self.ended.append((wire.due, wire.sent, now, status, digest, wire.probe))
        wire.busy = False
        self.busy -= 1
        if wire.probe:
            return
        if self.load.rate or now >= self.end or status == UNREACHED:
            self.idle.append(wire)  # if nobody is there, do not knock forever
        else:
            self.send(wire, now)

    def lost(self, wire: Wire) -> None:
        """Close a connection that ended; what waited on it is lost."""
        self.closed(wire)
        if wire.busy:
            self.done(wire, LOST)

    def closed(self, wire: Wire) -> None:
        if wire.sock is not None:
            self.wires.pop(wire.sock.fileno(), None)
            wire.sock.close()
        wire.sock, wire.got = None, b""

    def opened(self, wire: Wire) -> bool:
        try:
            sock = socket.create_connection(("127.0.0.1", self.load.port), timeout=5)
        except OSError:
            return False
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        self.poll.register(sock.fileno(), select.EPOLLIN)
        self.wires[sock.fileno()], wire.sock = wire, sock
        return True

    def save(self) -> None:
        due, sent, ended, status, digest, probe = (
            zip(*self.ended, strict=True) if self.ended else [()] * 6
        )
        digests = sorted(set(digest))
        place = {name: number for number, name in enumerate(digests)}
        np.savez(
            self.load.out,
            due=np.array(due, float),
            sent=np.array(sent, float),
            ended=np.array(ended, float),
            status=np.array(status, int),
            digest=np.array([place[name] for name in digest], int),
            probe=np.array(probe, bool),
            digests=np.array(digests),
            seconds=self.load.seconds,
        )


def request(path: str, body: str | None) -> bytes:
    """Return a request as it goes over the wire."""
    if body is None:
        return f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode()
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body.encode())}\r\n\r\n{body}".encode()


def parsed(got: bytes) -> tuple[int, str, bool] | None:
    """Return status, digest and whether the connection ends; None while the answer is not whole."""
    end = got.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = got[: end + 2].lower()
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        raise SystemExit(f"an answer without a length: {head!r}")
    if len(got) - end - 4 < int(head[at + 17 : head.index(b"\r\n", at + 2)]):
        return None
    digest = b""
    if (at := head.find(b"\r\nx-model-digest: ")) >= 0:
        digest = head[at + 18 : head.index(b"\r\n", at + 2)]
        if got.find(digest, end) < 0:
            digest = b"not that of the body"
    return int(head[9:12]), digest.decode(), b"\r\nconnection: close\r\n" in head


def main() -> None:
    load = Load(**json.loads(Path(sys.argv[1]).read_text()))
    if load.processor is not None:
        with suppress(OSError):
            os.sched_setaffinity(0, {load.processor})
    made = Generator(load)
    made.run()
    made.save()


if __name__ == "__main__":
    main()
