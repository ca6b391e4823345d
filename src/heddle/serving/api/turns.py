"""Requests take turns at the model: a bounded queue, emptied in one go.

Requests that wait together are predicted together, for ten rows cost a model little more than one.
What takes long is done in a thread, so that the event loop turns meanwhile; what does not, is not,
for a thread costs more than a compiled model's answer of a row.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heddle.serving.api.refused import Refused
from heddle.serving.loader import LoadedModel

__all__ = ["Turns", "too_many"]

Floats = NDArray[np.float64]
Columns = Mapping[str, Sequence[Any]]

_TOGETHER = 256  # rows that requests are gathered to
_SHORT = 64  # rows that a compiled model predicts within a millisecond


def too_many() -> Refused:
    """Return the refusal of a request that finds no room."""
    return Refused(503, "too many requests wait", headers={"retry-after": "1"})


@dataclass(slots=True, eq=False)
class _Job:
    model: LoadedModel
    columns: Columns
    rows: int
    future: asyncio.Future[Floats]


class Turns:
    """The queue before the model.

    Args:
        most: requests that may wait; further ones are refused at once.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.refused = 0
        self._jobs: deque[_Job] = deque()
        self._outside = 0  # tasks in the thread, or before it
        self._due = False
        self._busy = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="heddle-model")

    @property
    def waiting(self) -> int:
        """How many requests have not had their turn to the end."""
        return len(self._jobs) + self._outside

    @property
    def full(self) -> bool:
        """Whether a further request would be refused."""
        return self.waiting >= self.most

    def refuse(self) -> Refused:
        """Return the refusal of a request that finds no room, counted."""
        self.refused += 1
        return too_many()

    async def predict(self, model: LoadedModel, columns: Columns, rows: int) -> Floats:
        """Return the model's predictions of shape (rows,).

        Raises:
            Refused: 503, too many wait.
        """
        self._room()
        loop = asyncio.get_running_loop()
        job = _Job(model, columns, rows, loop.create_future())
        self._jobs.append(job)
        if not self._due and not self._busy:
            self._due = True
            loop.call_soon(self._serve)
        return await job.future

    async def run(self, work: Callable[[], Any]) -> Any:
        """Return what work that is neither short nor a plain prediction returns; in the thread.

        Raises:
            Refused: 503, too many wait.
        """
        self._room()
        self._outside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._outside -= 1

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _room(self) -> None:
        if self.full:
            raise self.refuse()

    def _serve(self) -> None:
        """Predict what waits: short work here, other work in the thread, then go on."""
        self._due = False
        while self._jobs and not self._busy:
            batch = self._next()
            if not batch:
                continue
            if _short(batch):
                _answer(batch, _predicted(batch))
                continue
            self._busy = True
            self._outside += len(batch)
            loop = asyncio.get_running_loop()
            done = loop.run_in_executor(self._thread, _predicted, batch)
            done.add_done_callback(partial(self._came, batch))

    def _came(self, batch: list[_Job], told: asyncio.Future[list[Floats | Exception]]) -> None:
        self._busy = False
        self._outside -= len(batch)
        if told.cancelled():
            for job in batch:
                job.future.cancel()
            return
        _answer(batch, told.result())
        self._serve()

    def _next(self) -> list[_Job]:
        """Take the next jobs of one model; those that nobody waits for any more are left out."""
        batch: list[_Job] = []
        rows = 0
        while self._jobs and (not batch or rows + self._jobs[0].rows <= _TOGETHER):
            if batch and self._jobs[0].model is not batch[0].model:
                break
            job = self._jobs.popleft()
            if not job.future.done():
                batch.append(job)
                rows += job.rows
        return batch


def _short(batch: list[_Job]) -> bool:
    compiled = batch[0].model.compiled
    fast = compiled is not None and compiled.how == "compiled"
    return fast and sum(job.rows for job in batch) <= _SHORT


def _predicted(batch: list[_Job]) -> list[Floats | Exception]:
    """Return each job's predictions, or its own fault: none suffers for another."""
    if len(batch) == 1:
        return [_one(batch[0])]
    try:
        said = batch[0].model.predict_values(_joined(batch))
    except Exception:  # noqa: BLE001 whatever a model raises; each is asked alone below
        return [_one(job) for job in batch]
    ends = np.cumsum([job.rows for job in batch])[:-1]
    return list(np.split(said, ends))


def _joined(batch: list[_Job]) -> dict[str, list[Any]]:
    names = batch[0].columns
    return {name: list(chain.from_iterable(job.columns[name] for job in batch)) for name in names}


def _one(job: _Job) -> Floats | Exception:
    try:
        return job.model.predict_values(job.columns)
    except Exception as fault:  # noqa: BLE001 it is raised where the request is answered
        return fault


def _answer(batch: list[_Job], told: list[Floats | Exception]) -> None:
    for job, said in zip(batch, told, strict=True):
        if job.future.done():
            continue
        if isinstance(said, Exception):
            job.future.set_exception(said)
        else:
            job.future.set_result(said)
