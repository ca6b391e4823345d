"""A load for a server, offered from a process of its own, and what became of it.

At a constant rate each request has its instant, whether the ones before are answered or not, and
its latency counts from that instant: a server that stalls is charged for all that would have come
meanwhile. Instants are of the system's monotonic clock, which other processes share.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

GENERATOR = Path(__file__).with_name("load_generator.py")
PREDICT, ALIVE = "/api/v1/predict", "/health/live"
LOST, UNREACHED = 0, -1  # in place of a status: no whole answer; nobody listened


@dataclass(frozen=True, kw_only=True)
class Load:
    """What is asked, how often, for how long."""

    port: int
    bodies: list[str]  # in turn
    seconds: float
    connections: int = 8
    rate: float = 0.0  # a second; 0: each connection asks again once it is answered
    path: str = PREDICT
    probed: float = 0.0  # a second, of /health/live on a connection of its own
    processor: int | None = None
    out: str = ""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """One entry for each request, in the order of their ends."""

    due: np.ndarray  # when it was to be sent
    sent: np.ndarray
    ended: np.ndarray
    status: np.ndarray
    digest: np.ndarray  # of the model that answered, as a number into `digests`
    probe: np.ndarray  # whether it asked for health
    digests: list[str]
    seconds: float

    def of(self, status: int | None = 200) -> np.ndarray:
        """Return latencies in seconds of what was answered so; None: however."""
        told = ~self.probe if status is None else ~self.probe & (self.status == status)
        return (self.ended - self.due)[told]

    def rate(self, status: int = 200) -> float:
        """Return answers a second."""
        return len(self.of(status)) / self.seconds

    def counts(self) -> dict[int, int]:
        """Return how many were answered with each status."""
        told, many = np.unique(self.status[~self.probe], return_counts=True)
        return dict(zip(told.tolist(), many.tolist(), strict=True))

    @property
    def probes(self) -> np.ndarray:
        """Seconds that each look at health took; a failed one took forever."""
        took = np.where(self.status == 200, self.ended - self.due, np.inf)
        return took[self.probe]


def offered(load: Load) -> Answers:
    """Offer a load from another process and return what became of it."""
    with TemporaryDirectory(prefix="heddle-load-") as folder:
        with begun(load, Path(folder)) as process:
            process.wait()
        return read(Path(folder))


def begun(load: Load, folder: Path) -> subprocess.Popen[bytes]:
    """Start to offer a load; `read` its answers from the folder once it has ended."""
    told = folder / "load.json"
    told.write_text(json.dumps(asdict(load) | {"out": str(folder / "answers.npz")}))
    return subprocess.Popen([sys.executable, str(GENERATOR), str(told)])


def read(folder: Path) -> Answers:
    """Return the answers that a finished process left."""
    with np.load(folder / "answers.npz") as told:
        kept = {name: told[name] for name in told.files}
    digests, seconds = kept.pop("digests").tolist(), float(kept.pop("seconds"))
    return Answers(**kept, digests=digests, seconds=seconds)
