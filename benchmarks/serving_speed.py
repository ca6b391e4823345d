"""How fast, how many, how soon: the sections of `serving.py` that offer well-meant load."""

from __future__ import annotations

import json
import statistics
import threading
import time
import urllib.request

import numpy as np
from load import PREDICT, Answers, Load, offered
from serving_place import Place, Running, Told, heddle, mlflow, processors

LEAST_TIMES, MOST_SHARE, MOST_MS = 8.0, 0.25, 10.0
MOST_SLOWER, LEAST_GOODPUT, MOST_ALIVE, MOST_GROWTH = 3.0, 0.8, 0.1, 100.0
MOST_START, MOST_APART, MOST_SLOPE = 3.0, 1e-9, 1.0
UNLOADED, TIMES_CAPACITY = 200.0, 4.0
STARTS, REPEATS = 5, 3


def asked(place: Place, server: Running, seconds: float, **more: object) -> Answers:
    """Offer a load from the other processor."""
    told = {"bodies": place.bodies, "processor": processors()[1], **more}
    return offered(Load(port=server.port, seconds=seconds, **told))


def ms(latencies: np.ndarray, percent: float) -> float:
    return float(np.percentile(latencies, percent)) * 1e3 if len(latencies) else float("inf")


def against_mlflow(place: Place, times: float) -> list[Told]:
    """Take turns: eight connections, then one, with each server."""
    found: dict[tuple[str, int], list[tuple[float, float, float, float]]] = {}
    with heddle(place) as ours, mlflow(place) as theirs:
        forms = {"heddle": (ours, {}), "mlflow": (theirs, mlflow_form(place))}
        for name, (server, form) in forms.items():
            asked(place, server, 2 * times, connections=8, **form)  # warm
            found |= {(name, 8): [], (name, 1): []}
        for _ in range(REPEATS):
            for name, (server, form) in forms.items():
                for wide in (8, 1):
                    before = server.seconds
                    got = asked(place, server, 10 * times, connections=wide, **form)
                    if set(got.counts()) != {200}:
                        raise SystemExit(f"{name} answered {got.counts()}")
                    each = (server.seconds - before) / len(got.of()) * 1e6
                    found[name, wide].append((got.rate(), ms(got.of(), 50), ms(got.of(), 99), each))
    return told_of_both({key: np.median(rows, axis=0) for key, rows in found.items()})


def mlflow_form(place: Place) -> dict[str, object]:
    return {"bodies": place.mlflow_bodies, "path": "/invocations"}


def told_of_both(middle: dict[tuple[str, int], np.ndarray]) -> list[Told]:
    told = [
        Told(
            f"{name}, {wide} connections: answers/s, p50 ms, p99 ms, processor us an answer",
            f"{rate:,.0f}, {half:.2f}, {most:.2f}, {each:,.0f}",
        )
        for (name, wide), (rate, half, most, each) in middle.items()
    ]
    times = middle["heddle", 8][0] / middle["mlflow", 8][0]
    share = middle["heddle", 1][1] / middle["mlflow", 1][1]
    return [
        *told,
        Told(
            "answers/s at 8, times MLflow's",
            f"{times:.1f}",
            f">= {LEAST_TIMES:g}",
            times >= LEAST_TIMES,
        ),
        Told("p50 at 1, of MLflow's", f"{share:.3f}", f"<= {MOST_SHARE:g}", share <= MOST_SHARE),
    ]


def steady(place: Place, times: float) -> list[Told]:
    """Ask 200 times a second, whether answered or not; three times."""
    with heddle(place) as server:
        asked(place, server, 2 * times, rate=UNLOADED, connections=32)
        got = [
            asked(place, server, 60 * times, rate=UNLOADED, connections=32) for _ in range(REPEATS)
        ]
    halves, most = ([ms(one.of(), q) for one in got] for q in (50, 99))
    failed = sum(len(one.of(None)) - len(one.of()) for one in got)
    middle, worst = statistics.median(most), max(most)
    return [
        Told("p50 ms, median and worst", f"{statistics.median(halves):.2f}, {max(halves):.2f}"),
        Told("p99 ms, median", f"{middle:.2f}", f"<= {MOST_MS:g}", middle <= MOST_MS),
        Told("p99 ms, worst", f"{worst:.2f}", f"<= {MOST_MS:g}", worst <= MOST_MS),
        Told("not answered with 200", str(failed), "0", not failed),
    ]


def overload(place: Place, times: float) -> list[Told]:
    """Offer four times what it can, and then 200 connections that never pause."""
    with heddle(place) as server:
        asked(place, server, 2 * times, connections=8)
        runs = [asked(place, server, 5 * times, connections=8).rate() for _ in range(REPEATS)]
        capacity = statistics.median(runs)
        calm = asked(place, server, 20 * times, rate=UNLOADED, connections=32)
        usual, before = ms(calm.of(), 99), server.megabytes
        told = [
            Told("capacity, answers/s at 8", f"{capacity:,.0f}"),
            Told(f"p99 ms at {UNLOADED:g}/s", f"{usual:.2f}"),
        ]
        forms = {
            f"{TIMES_CAPACITY:g} times": {"rate": TIMES_CAPACITY * capacity, "connections": 2_000},
            "200 connections": {"connections": 200},
        }
        for name, form in forms.items():
            used = server.seconds
            got = asked(place, server, 30 * times, probed=20.0, **form)
            each = (server.seconds - used) / len(got.of(None)) * 1e6
            told += told_of_overload(name, got, usual, capacity, each)
        growth = server.megabytes - before
    flat = growth <= MOST_GROWTH
    return [*told, Told("memory, MiB more", f"{growth:.0f}", f"<= {MOST_GROWTH:g}", flat)]


def told_of_overload(
    name: str, got: Answers, usual: float, capacity: float, each: float
) -> list[Told]:
    slower, good = ms(got.of(), 99) / usual, got.rate() / capacity
    alive, counts = float(got.probes.max()), got.counts()
    known = set(counts) <= {200, 429, 503}
    return [
        Told(
            f"{name}: offered/s, processor us each",
            f"{len(got.of(None)) / got.seconds:,.0f}, {each:.0f}",
        ),
        Told(f"{name}: statuses", str(counts), "200, 429 or 503", known),
        Told(f"{name}: admitted p50, p99 ms", f"{ms(got.of(), 50):.2f}, {ms(got.of(), 99):.2f}"),
        Told(
            f"{name}: p99, times unloaded",
            f"{slower:.1f}",
            f"<= {MOST_SLOWER:g}",
            slower <= MOST_SLOWER,
        ),
        Told(
            f"{name}: goodput of capacity",
            f"{good:.2f}",
            f">= {LEAST_GOODPUT:g}",
            good >= LEAST_GOODPUT,
        ),
        Told(
            f"{name}: health, slowest s", f"{alive:.3f}", f"<= {MOST_ALIVE:g}", alive <= MOST_ALIVE
        ),
    ]


def start(place: Place, times: float) -> list[Told]:
    """Start it five times, each until a look at readiness is answered with 200."""
    del times
    seconds = []
    for _ in range(STARTS):
        with heddle(place, pinned=False) as server:
            seconds.append(server.ready)
    middle = statistics.median(seconds)
    told = f"{middle:.2f} ({min(seconds):.2f} to {max(seconds):.2f})"
    return [Told("seconds to ready, median", told, f"<= {MOST_START:g}", middle <= MOST_START)]


def equality(place: Place, times: float) -> list[Told]:
    """Compare what it answers with what the fitted pipeline says of the same rows."""
    del times
    body = json.dumps({"instances": place.rows.to_dicts()}).encode()
    with heddle(place) as server:
        url, head = f"http://127.0.0.1:{server.port}{PREDICT}", {"content-type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(url, body, head), timeout=30) as got:
            said = np.array([one["prediction"] for one in json.load(got)["predictions"]])
    expected = np.asarray(place.pipeline.predict(place.rows))
    apart = float(np.max(np.abs(said - expected) / np.abs(expected)))
    return [
        Told(
            f"{len(said)} rows, furthest apart",
            f"{apart:.1e}",
            f"<= {MOST_APART:g}",
            apart <= MOST_APART,
        )
    ]


def soak(place: Place, times: float, minutes: float) -> list[Told]:
    """Ask at half of its capacity for long, and see whether its memory grows."""
    del times
    with heddle(place) as server:
        capacity = asked(place, server, 5, connections=8).rate()
        asked(place, server, 30, rate=capacity / 2, connections=64)
        sizes: list[tuple[float, float]] = []
        ended = threading.Event()
        watched = threading.Thread(target=watch, args=(server, sizes, ended))
        watched.start()
        got = []
        until = time.monotonic() + 60 * minutes
        while (left := until - time.monotonic()) > 1:
            got.append(asked(place, server, min(left, 60), rate=capacity / 2, connections=64))
        ended.set()
        watched.join()
    slope = float(np.polyfit(*np.array(sizes).T, 1)[0]) * 60
    failed = sum(len(one.of(None)) - len(one.of()) for one in got)
    worst = max(ms(one.of(), 99) for one in got)
    return [
        Told(
            f"{minutes:g} minutes at {capacity / 2:,.0f}/s: p99 ms of the worst minute",
            f"{worst:.2f}",
        ),
        Told("memory, MiB a minute", f"{slope:.2f}", f"<= {MOST_SLOPE:g}", slope <= MOST_SLOPE),
        Told("not answered with 200", str(failed), "0", not failed),
    ]


def watch(server: Running, sizes: list[tuple[float, float]], ended: threading.Event) -> None:
    while not ended.wait(1.0):
        sizes.append((time.monotonic(), server.megabytes))
