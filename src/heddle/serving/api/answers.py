"""From the columns of a request to the bytes of its answer, and to what is kept of it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heddle.domain.entities import Prediction, RequestRecord
from heddle.serving.api.refused import Refused
from heddle.serving.live import Serving

__all__ = ["document", "encoded", "history_document", "records"]

Floats = NDArray[np.float64]
_DIGITS = 10  # significant ones; the last bits depend on the company that a row is predicted in


def document(serving: Serving, said: Floats, remarks: Sequence[str]) -> dict[str, Any]:
    """Return the answer for rows that are predicted from themselves alone.

    Raises:
        Refused: 422, the model has no number for a row.
    """
    if not np.isfinite(said).all():
        places = np.flatnonzero(~np.isfinite(said))
        faults = [(f"instances[{place}]", "the model has no number for it") for place in places]
        raise Refused(422, "the model has no number for some rows", faults)
    interval = serving.model.manifest.interval
    level = None if interval is None or not math.isfinite(interval.half) else interval.level
    if interval is None or level is None:
        bounds: list[Any] = [None] * len(said)
    else:
        bounds = [
            {"lower": _rounded(low), "upper": _rounded(high), "level": level}
            for low, high in zip(*(side.tolist() for side in interval.around(said)), strict=True)
        ]
    names = os.urandom(16 * len(said)).hex()
    return _about(serving) | {
        "predictions": [
            {
                "id": names[32 * place : 32 * place + 32],
                "prediction": _rounded(value),
                "interval": bounds[place],
                "flags": remarks[place].split(";") if remarks[place] else [],
            }
            for place, value in enumerate(said.tolist())
        ],
    }


def history_document(serving: Serving, prediction: Prediction, remark: str) -> dict[str, Any]:
    """Return the answer for the last row of a history."""
    interval = serving.model.manifest.interval
    told = {
        "id": os.urandom(16).hex(),
        "prediction": prediction.predicted_return,
        "interval": None
        if interval is None or prediction.lower_return is None
        else {
            "lower": prediction.lower_return,
            "upper": prediction.upper_return,
            "level": interval.level,
        },
        "flags": remark.split(";") if remark else [],
        "as_of": prediction.as_of.isoformat(),
        "target_session": prediction.target_session.isoformat(),
        "horizon": prediction.horizon,
        "price": prediction.price,
        "predicted_price": prediction.predicted_price,
        "lower_price": prediction.lower_price,
        "upper_price": prediction.upper_price,
        "direction": prediction.direction,
    }
    return _about(serving) | {"predictions": [told]}


def records(
    serving: Serving,
    columns: Mapping[str, Sequence[Any]],
    answer: Mapping[str, Any],
    *,
    seconds: float,
) -> list[RequestRecord]:
    """Return what is kept of an answer: a record for each prediction, the last rows' values."""
    told = answer["predictions"]
    rows = len(next(iter(columns.values())))
    at = datetime.now(UTC).isoformat()
    return [
        RequestRecord(
            id=one["id"],
            at=at,
            model=serving.model.label,
            digest=serving.digest,
            row={
                name: _plain(values[rows - len(told) + place]) for name, values in columns.items()
            },
            prediction=one["prediction"],
            lower=one["interval"] and one["interval"]["lower"],
            upper=one["interval"] and one["interval"]["upper"],
            flags=";".join(one["flags"]),
            latency_ms=round(seconds * 1e3, 3),
        )
        for place, one in enumerate(told)
    ]


def encoded(answer: Mapping[str, Any]) -> bytes:
    """Return an answer as JSON."""
    return json.dumps(answer, separators=(",", ":"), allow_nan=False).encode()


def _about(serving: Serving) -> dict[str, Any]:
    return {
        "predictions": [],
        "model_version": serving.model.label,
        "model_digest": serving.digest,
    }


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
