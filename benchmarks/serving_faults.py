"""Exchanges, ends and enemies: the sections of `serving.py` in which something is to go wrong."""

from __future__ import annotations

import gzip
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import numpy as np
from load import ALIVE, LOST, PREDICT, Answers, Load, begun, read
from serving_place import NAME, Place, Running, Told, heddle, processors

SWAPS, RATE, LATE = 20, 100.0, 2.0  # exchanges, requests a second, seconds after the call
MOST_MEMORY, MOST_SLOW = 20.0, 12.0
LARGE, DEEP, BLOCK = 200 * 2**20, 100_000, 65_536
LINGER = 0.9  # seconds for which requests are taken though readiness is gone
SLOW = 50  # connections
HEAD = f"POST {PREDICT} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n".encode()


def swaps(place: Place, times: float) -> list[Told]:
    """Exchange the model twenty times while a hundred requests a second come."""
    seconds = 60 * times
    with TemporaryDirectory(prefix="heddle-load-") as folder:
        door = Path(folder) / "admin"
        with heddle(place, "--admin", str(door)) as server:
            load = Load(
                port=server.port,
                bodies=place.bodies,
                seconds=seconds,
                rate=RATE,
                connections=16,
                processor=processors()[1],
            )
            with begun(load, Path(folder)) as process:
                time.sleep(0.5)
                calls = list(exchanged(place, door, seconds / (SWAPS + 1)))
                process.wait()
        got = read(Path(folder))
    return told_of_swaps(got, calls, place)


def exchanged(place: Place, door: Path, every: float) -> Iterator[tuple[float, float, str]]:
    """Yield when each call began, when it came back, and the digest that serves since."""
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(door)), timeout=60) as client:
        for number in range(SWAPS):
            version = 2 - number % 2
            start = time.monotonic()
            got = client.post("http://admin/admin/swap", json={"model": f"{NAME}/{version}"})
            end = time.monotonic()
            if got.status_code != 200:
                raise SystemExit(f"exchange {number + 1}: {got.text}")
            yield start, end, place.digests[version - 1]
            time.sleep(max(0.0, start + every - time.monotonic()))


def told_of_swaps(got: Answers, calls: list[tuple[float, float, str]], place: Place) -> list[Told]:
    known = [number for number, name in enumerate(got.digests) if name in place.digests]
    failed = int((got.status != 200).sum())
    mixed = int((~np.isin(got.digest, known) & (got.status == 200)).sum())
    old, last = 0, 0.0
    for (_, back, digest), following in zip(calls, [*calls[1:], (np.inf, 0.0, "")], strict=True):
        names = np.array(got.digests)[got.digest]
        wrong = (got.sent > back) & (got.ended < following[0]) & (names != digest)
        old += int((wrong & (got.sent > back + LATE)).sum())
        last = max(last, float((got.sent - back)[wrong].max(initial=0.0)))
    took = [back - start for start, back, _ in calls]
    return [
        Told(
            f"{len(calls)} exchanges: seconds of a call, median and longest",
            f"{np.median(took):.2f}, {max(took):.2f}",
        ),
        Told("requests, failed", f"{len(got.status):,}, {failed}", "0 failed", not failed),
        Told("answers without one digest, the same in head and body", str(mixed), "0", not mixed),
        Told("digests seen", str(len(known)), "2", len(known) == 2),
        Told(
            f"sent later than {LATE:g} s after the call, answered by the old one",
            str(old),
            "0",
            not old,
        ),
        Told("the last of the old one: sent seconds after the call", f"{last:.3f}"),
    ]


def ended(place: Place, times: float) -> list[Told]:
    """Ask it to end while it is asked."""
    seconds = max(4.0, 10 * times)
    with TemporaryDirectory(prefix="heddle-load-") as folder, heddle(place) as server:
        load = Load(
            port=server.port,
            bodies=place.bodies,
            seconds=seconds,
            rate=4 * RATE,
            connections=16,
            processor=processors()[1],
        )
        with begun(load, Path(folder)) as process:
            time.sleep(seconds / 2)
            told_at = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            code = server.ended()
            process.wait()
        got = read(Path(folder))
    lost = got.sent[got.status == LOST] - told_at
    early = int((lost < LINGER).sum())
    return [
        Told("answers by status, -1 when nobody listened any more", str(got.counts())),
        Told(
            f"sent until {LINGER:g} s after the signal, never answered", str(early), "0", not early
        ),
        Told("sent later, at a closing door, never answered", str(len(lost) - early)),
        Told("exit code", str(code), "0", not code),
    ]


def hostile(place: Place, times: float) -> list[Told]:
    """Send what nobody should, and see what is answered and how much memory it took."""
    del times
    cases = {
        "a body of 200 MB": (HEAD + b"content-length: %d\r\n\r\n" % LARGE, blocks(), {413}),
        "a chunked body without length": (
            HEAD + b"transfer-encoding: chunked\r\n\r\n",
            chunks(),
            {413},
        ),
        "a gzip bomb": (*bomb(), {415}),
        f"JSON {DEEP:,} deep": (*whole(b"[" * DEEP + b"]" * DEEP), {400}),
        f"objects {DEEP:,} deep": (*whole(b'{"a":' * DEEP + b"1" + b"}" * DEEP), {400}),
    }
    told = []
    with heddle(place) as server:
        for _ in range(50):  # so that what is loaded on first use is there
            answered(server, *whole(place.bodies[0].encode()))
        before = server.peak
        for name, (head, body, wanted) in cases.items():
            status, seconds = answered(server, head, body)
            figure = f"{status} after {seconds:.2f} s, {server.peak - before:.1f} MiB"
            told.append(Told(name, figure, " or ".join(map(str, wanted)), status in wanted))
        told += slowly(server)
        growth = server.peak - before
    return [
        *told,
        Told(
            "memory at its most, MiB more",
            f"{growth:.1f}",
            f"<= {MOST_MEMORY:g}",
            growth <= MOST_MEMORY,
        ),
    ]


def whole(body: bytes) -> tuple[bytes, Iterator[bytes]]:
    return HEAD + b"content-length: %d\r\n\r\n" % len(body), iter([body])


def blocks() -> Iterator[bytes]:
    block = b" " * BLOCK
    return (block for _ in range(LARGE // BLOCK))


def chunks() -> Iterator[bytes]:
    return (b"%x\r\n%s\r\n" % (len(block), block) for block in blocks())


def bomb() -> tuple[bytes, Iterator[bytes]]:
    packed = gzip.compress(b" " * (20 * 2**20))
    head, body = whole(packed)
    return head.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n"), body


def answered(server: Running, head: bytes, body: Iterator[bytes]) -> tuple[int, float]:
    """Return the status that a request is answered with, 0 for none, and after how long."""
    start = time.perf_counter()
    got: list[bytes] = []
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as wire:
        heard = threading.Thread(target=hear, args=(wire, got))
        heard.start()
        with suppress(OSError):
            wire.sendall(head)
            for part in body:
                if got:
                    break
                wire.sendall(part)
        heard.join(timeout=30)
    return (int(got[0][9:12]) if got else 0), time.perf_counter() - start


def hear(wire: socket.socket, got: list[bytes]) -> None:
    with suppress(OSError):
        if data := wire.recv(4096):
            got.append(data)


def slowly(server: Running) -> list[Told]:
    """Send heads a byte at a time over many connections; health is looked at meanwhile."""
    took: list[float] = []
    threads = [threading.Thread(target=trickle, args=(server, took)) for _ in range(SLOW)]
    for thread in threads:
        thread.start()
    alive = []
    while any(thread.is_alive() for thread in threads):
        start = time.perf_counter()
        httpx.get(f"http://127.0.0.1:{server.port}{ALIVE}").raise_for_status()
        alive.append(time.perf_counter() - start)
        time.sleep(0.2)
    slowest = max(took)
    return [
        Told(
            f"{SLOW} slow heads: the last closed after s",
            f"{slowest:.1f}",
            f"<= {MOST_SLOW:g}",
            slowest <= MOST_SLOW,
        ),
        Told("health meanwhile, slowest s", f"{max(alive):.3f}"),
    ]


def trickle(server: Running, took: list[float]) -> None:
    start = time.perf_counter()
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.4) as wire:
        for byte in HEAD * 10:
            try:
                wire.send(bytes([byte]))
                if wire.recv(100) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    took.append(time.perf_counter() - start)
