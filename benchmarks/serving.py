"""Predictions over HTTP: every figure that serving promises, in one run.

usage: serving.py [SECTION …] [--times 1.0] [--soak MINUTES]

One fitted pipeline, housing's LightGBM on sample rows, registered twice; one worker; the load comes
from a process of its own on the other processor. `--times 0.1` shortens every load. Sections:
mlflow, steady, swaps, end, overload, hostile, start, equality, soak (one minute unless said).
Rows per second of whole files are `bench_batch`'s.
"""

from __future__ import annotations

import argparse
import resource
from collections.abc import Callable
from functools import partial

from serving_faults import ended, hostile, swaps
from serving_place import Place, Told, made_place, versions
from serving_speed import against_mlflow, equality, overload, soak, start, steady
from workplace import show

Section = Callable[[Place, float], list[Told]]
HEAD = ("what", "figure", "target", "")
SECTIONS: dict[str, tuple[str, Section]] = {
    "mlflow": ("Beside `mlflow models serve`, same version, one row a request", against_mlflow),
    "steady": ("200 requests a second, latency from the instant each was due", steady),
    "swaps": ("Exchanges under load", swaps),
    "end": ("SIGTERM under load", ended),
    "overload": ("More than it can do", overload),
    "hostile": ("What nobody should send", hostile),
    "start": ("From the command to readiness", start),
    "equality": ("What it answers and what the pipeline says", equality),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION")
    parser.add_argument("--times", type=float, default=1.0)
    parser.add_argument("--soak", type=float, default=1.0, metavar="MINUTES")
    told = parser.parse_args()
    there = SECTIONS | {
        "soak": ("Half of its capacity, for long", partial(soak, minutes=told.soak))
    }
    if unknown := [name for name in told.sections if name not in there]:
        raise SystemExit(f"no section {unknown[0]!r}; there are {', '.join(there)}")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print(versions())
    missed = 0
    with made_place() as place:
        for name in told.sections or there:
            title, section = there[name]
            figures = section(place, told.times)
            show(f"{name}: {title}", HEAD, [one.cells() for one in figures])
            missed += sum(one.met is False for one in figures)
    print(f"\n{missed} not met" if missed else "\nall met")


if __name__ == "__main__":
    main()
