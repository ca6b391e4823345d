"""A request for predictions, from its bytes to those of its answer: one model all along."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from heddle.domain.errors import ConfigError, DataContractError
from heddle.serving.api.answers import document, encoded, history_document, records
from heddle.serving.api.meters import Meters
from heddle.serving.api.reading import read_json
from heddle.serving.api.refused import Refused
from heddle.serving.api.rows import RowReader
from heddle.serving.api.settings import Settings
from heddle.serving.api.turns import Turns
from heddle.serving.live import Live, Serving

if TYPE_CHECKING:
    from heddle.serving.sinks import RequestSink

__all__ = ["Predicting"]

_LONG = 16_384  # bytes of a body beyond which the event loop does none of the work
_SERIES = "instances"
Columns = dict[str, list[Any]]
Answer = tuple[Columns, dict[str, Any], bytes]


class Predicting:
    """Answers requests from the model that `live` holds when they come.

    Args:
        live: the model.
        settings: limits and policies.
        turns: the queue before the model.
        meters: where rows are counted.
        logged: where records go, or None.
    """

    def __init__(
        self,
        live: Live,
        settings: Settings,
        turns: Turns,
        meters: Meters,
        logged: RequestSink | None = None,
    ) -> None:
        self._live = live
        self._settings = settings
        self._turns = turns
        self._meters = meters
        self._logged = logged
        self._ready: tuple[Serving, RowReader] | None = None

    def ready(self) -> tuple[Serving, RowReader] | None:
        """Return the model that serves now and the reader of its rows, None without a model."""
        serving = self._live.current
        if serving is None:
            return None
        made = self._ready
        if made is None or made[0] is not serving:
            made = self._ready = (serving, RowReader(serving.model.manifest, self._settings))
        return made

    async def answer(self, request: Request) -> Response:
        """Return the answer to a request.

        Raises:
            Refused: as `read_json`, `RowReader.read` and `Turns`; 415, not JSON; 503, no model.
        """
        start = time.perf_counter()
        ready = self.ready()
        if ready is None:
            raise Refused(
                503, "no model is loaded yet", headers={"retry-after": "5"}, reason="no_model"
            )
        _check_type(request.headers.get("content-type", ""))
        serving, reader = ready
        body = await request.body()
        try:
            if len(body) > _LONG or reader.history is not None:
                whole = partial(_whole, serving, reader, body)
                columns, told, content = await self._turns.run(whole)
            else:
                columns, told, content = await self._short(serving, reader, body)
        except DataContractError:
            raise Refused(422, "the model cannot take these rows") from None
        if self._logged is not None:
            seconds = time.perf_counter() - start
            self._logged.offer(records(serving, columns, told, seconds=seconds))
        self._meters.rows += len(told["predictions"])
        self._meters.flagged += sum(bool(one["flags"]) for one in told["predictions"])
        return self._response(serving, content)

    async def _short(self, serving: Serving, reader: RowReader, body: bytes) -> Answer:
        columns = reader.read(read_json(body))
        rows = len(next(iter(columns.values())))
        said = await self._turns.predict(serving.model, columns, rows)
        told = document(serving, said, reader.remarks(columns, rows))
        return columns, told, encoded(told)

    def _response(self, serving: Serving, content: bytes) -> Response:
        headers = {
            "x-model-version": serving.model.label.encode("ascii", "replace").decode(),
            "x-model-digest": serving.digest,
            "x-model-source": serving.source,
        }
        if serving.model.unsafe:
            headers["x-model-warning"] = "unsafe-pickle"
        if self._live.draining:
            headers["connection"] = "close"
        return Response(content, media_type="application/json", headers=headers)


def _whole(serving: Serving, reader: RowReader, body: bytes) -> Answer:
    """Do all the work of a request that takes long; for the model's thread."""
    columns = reader.read(read_json(body))
    if reader.history is not None:
        told = _next_session(serving, reader, columns)
    else:
        rows = len(next(iter(columns.values())))
        said = serving.model.predict_values(columns)
        told = document(serving, said, reader.remarks(columns, rows))
    return columns, told, encoded(told)


def _next_session(serving: Serving, reader: RowReader, columns: Columns) -> dict[str, Any]:
    """Return the answer for the last row of a history, as `heddle predict` gives it."""
    import polars as pl

    from heddle.frames.sessions import is_session
    from heddle.serving.next_session import predict_sessions
    from heddle.validation.parse import DTYPES

    facts = reader.history
    assert facts is not None
    day = columns[facts.time][-1]
    at = f"instances[{len(columns[facts.time]) - 1}].{facts.time}"
    schema = {name: DTYPES[field.column.type] for name, field in reader.fields.items()}
    rows = pl.DataFrame(columns, schema=schema)
    try:
        if not is_session(facts.calendar, day):
            raise Refused(422, "one fault", [(at, f"is no session of {facts.calendar}")])
        now = datetime.now(UTC)
        (said,) = predict_sessions(serving.model, rows, [day], series=_SERIES, now=now)
    except ConfigError:
        if find_spec("exchange_calendars") is None:  # a fault of ours, not of the request
            raise
        words = f"lies outside of what calendar {facts.calendar} knows"
        raise Refused(422, "one fault", [(at, words)]) from None
    last = {name: values[-1:] for name, values in columns.items()}
    return history_document(serving, said, reader.remarks(last, 1)[0])


def _check_type(told: str) -> None:
    kind, _, rest = told.partition(";")
    charset = rest.strip().lower().replace('"', "")
    if kind.strip().lower() != "application/json" or charset not in {"", "charset=utf-8"}:
        raise Refused(415, "the body must be application/json, in UTF-8")
