"""What `serving.py` asks: a project with two registered versions, its server, and MLflow's."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import polars as pl
import psutil
from bench_batch import sample, saved
from bench_one_row import COLUMNS
from workplace import BIN, fresh_project, run

from heddle.domain.entities import ModelPackage
from heddle.domain.typed import build
from heddle.pipeline.generated import read_params
from heddle.pipeline.world import World
from heddle.presentation.bootstrap import make_registry
from heddle.registry.card import needed_libraries
from heddle.registry.manifest import digest
from heddle.serving.loader import load_folder

NAME, ASKED = "housing_price", 500  # rows that requests take in turn
MLFLOW_READY = 120.0  # seconds
_MB = 2**20


@dataclass(frozen=True)
class Place:
    """A project whose registry holds two versions of one fitted pipeline."""

    root: Path
    pipeline: Any
    rows: pl.DataFrame  # that requests bring
    digests: tuple[str, str]
    logged: Path  # version 1 as MLflow keeps it

    @property
    def bodies(self) -> list[str]:
        return [json.dumps({"instances": [row]}) for row in self.rows.to_dicts()]

    @property
    def mlflow_bodies(self) -> list[str]:
        """The same rows as MLflow's server takes them."""
        return [json.dumps({"dataframe_records": [row]}) for row in self.rows.to_dicts()]


@contextmanager
def made_place() -> Iterator[Place]:
    """Fit the housing project's LightGBM pipeline on sample rows and register it twice."""
    with fresh_project() as root:
        if run(root, "heddle", "sync").code:
            raise SystemExit("the project could not be synchronised")
        first, second = root / "models/one", root / "models/two"
        saved(first)
        shutil.copytree(first, second)
        told = json.loads((second / "manifest.json").read_text())
        (second / "manifest.json").write_text(json.dumps(told | {"config_hash": "d"}))
        pipeline = load_folder(first).compiled.pipeline
        world = build(World, read_params(root)["world"], where="params.yaml: world")
        registry = make_registry(root, world)
        for folder in (first, second):
            registry.add(package(folder, pipeline))
        registry.point(NAME, "production", 1)
        yield Place(
            root,
            pipeline,
            sample(ASKED, 7).select(list(COLUMNS)),
            (told_digest(first), told_digest(second)),
            registry.fetch(registry.resolve(NAME, "1")).parents[1],
        )


def package(folder: Path, pipeline: Any) -> ModelPackage:
    example = sample(5, 42).select(list(COLUMNS)).to_pandas()
    return ModelPackage(
        name=NAME,
        folder=folder,
        model=pipeline,
        example=example,
        run_id="",
        requirements=tuple(f"{k}=={v}" for k, v in needed_libraries(["lightgbm"]).items()),
        description="",
        tags={"manifest_sha256": told_digest(folder)},
    )


def told_digest(folder: Path) -> str:
    return digest((folder / "manifest.json").read_bytes())


@dataclass
class Running:
    """A server that was started, and what its process takes."""

    process: psutil.Process
    port: int
    ready: float  # seconds from its start until it said so
    ended: Callable[[], int]  # waits for its end and returns its exit code

    @property
    def seconds(self) -> float:
        """Seconds of the processor so far."""
        times = [one.cpu_times() for one in self._all()]
        return sum(one.user + one.system for one in times)

    @property
    def megabytes(self) -> float:
        return sum(one.memory_info().rss for one in self._all()) / _MB

    @property
    def peak(self) -> float:
        """The most megabytes that it has held."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

    def pin(self, processor: int | None) -> None:
        if processor is None:
            return
        for one in self._all():
            for thread in one.threads():
                with suppress(OSError):
                    os.sched_setaffinity(thread.id, {processor})

    def _all(self) -> Sequence[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


def processors() -> tuple[int | None, int | None]:
    """Return where the server and where its load are to run; None: anywhere."""
    here = sorted(os.sched_getaffinity(0))
    return (here[0], here[1]) if len(here) > 1 else (None, None)


@contextmanager
def heddle(place: Place, *options: str, pinned: bool = True) -> Iterator[Running]:
    """Serve version `production` with the command, until the block ends."""
    port = free_port()
    words = [str(BIN / "heddle"), "serve", f"{NAME}@production", "--port", str(port), *options]
    with started(words, place.root, port, "/health/ready", pinned=pinned) as made:
        yield made


@contextmanager
def mlflow(place: Place) -> Iterator[Running]:
    """Serve version 1 with `mlflow models serve`, one worker, in this environment."""
    port = free_port()
    model = ["-m", str(place.logged), "--env-manager", "local"]
    more = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    words = [str(BIN / "mlflow"), "models", "serve", *model, *more]
    with started(words, place.root, port, "/ping") as made:
        yield made


@contextmanager
def started(
    words: list[str], root: Path, port: int, ready: str, *, pinned: bool = True
) -> Iterator[Running]:
    """Start a server in a group of its own, wait until it is ready, end it with the block."""
    path = os.pathsep.join([str(BIN), os.environ.get("PATH", "")])
    with TemporaryFile("w+") as said:
        start = time.perf_counter()
        process = subprocess.Popen(
            words, cwd=root, env=os.environ | {"PATH": path}, stdout=said, stderr=said
        )
        try:
            seconds = waited(process, port, ready, start, said)
            made = Running(psutil.Process(process.pid), port, seconds, process.wait)
            made.pin(processors()[0] if pinned else None)
            yield made
        finally:
            with suppress(psutil.Error):
                for one in psutil.Process(process.pid).children(recursive=True):
                    one.terminate()
            process.terminate()
            process.wait(timeout=60)


def waited(process: Any, port: int, ready: str, start: float, said: Any) -> float:
    """Return after how many seconds a server was ready."""
    url = f"http://127.0.0.1:{port}{ready}"
    while time.perf_counter() - start < MLFLOW_READY:
        with suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return time.perf_counter() - start
        if process.poll() is not None:
            break
        time.sleep(0.01)
    said.seek(0)
    raise SystemExit(f"the server did not come: {re.sub(chr(10) + '+', chr(10), said.read())}")


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


@dataclass(frozen=True)
class Told:
    """One figure beside its target."""

    what: str
    figure: str
    target: str = ""
    met: bool | None = None  # None: it has none

    def cells(self) -> tuple[str, str, str, str]:
        return (
            self.what,
            self.figure,
            self.target,
            {None: "", True: "met", False: "NOT MET"}[self.met],
        )


def versions() -> str:
    """Return what the figures hang on besides the machine."""
    from importlib.metadata import version

    names = ("mlflow", "fastapi", "uvicorn", "httptools", "uvloop", "lightgbm")
    told = ", ".join(f"{name} {version(name)}" for name in names)
    return f"Python {sys.version.split()[0]}, {told}, load {os.getloadavg()[0]:.1f}"
