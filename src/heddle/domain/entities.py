"""Plain values that rooms hand to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

__all__ = [
    "JoinedOutcomes",
    "ModelPackage",
    "ModelVersion",
    "Outcome",
    "Prediction",
    "RawFile",
    "RequestRecord",
    "TableInfo",
    "TrialRecord",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFile:
    """A file as its publisher gave it, and where it came from."""

    path: Path
    origin: str  # path or address, without credentials
    sha256: str  # of the bytes at `path`
    size_bytes: int
    licence: str = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableInfo:
    """What is known of a data version; nothing in it changes while the data does not."""

    version: str
    rows: int
    columns: Mapping[str, Mapping[str, Any]]  # name -> type, nulls, distinct, min, max, hash …
    content_hash: str  # of schema and rows, whatever their order or the file format
    sha256: str  # of the file
    size_bytes: int
    made_by: Mapping[str, Any]

    @property
    def identity(self) -> dict[str, Any]:
        """What names the data in a record of something made from it."""
        return {"content_hash": self.content_hash, "sha256": self.sha256, "rows": self.rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """One finished trial of a search, as a tracker writes it down."""

    number: int
    state: str  # complete | pruned | failed
    params: Mapping[str, Any]
    value: float | None  # mean of the primary metric over the folds seen
    folds: tuple[float, ...] = ()  # the primary metric per fold
    seconds: float = 0.0
    note: str = ""  # why it failed
    scores: Mapping[str, float] = field(default_factory=dict)  # other metrics, means likewise


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPackage:
    """A fitted pipeline and all that has to be kept with it."""

    name: str
    folder: Path  # holds the saved model and its manifest, as `heddle.registry` wrote them
    model: Any  # the fitted scikit-learn pipeline: raw rows in, predictions out
    example: Any  # pandas frame: a few raw rows
    run_id: str  # "" without tracking
    requirements: tuple[str, ...]  # name==version, explicit
    description: str  # markdown
    about: str = ""  # markdown; describes the model as a whole when this is its first version
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """One numbered version of a registered model."""

    name: str
    number: int
    aliases: tuple[str, ...]
    tags: Mapping[str, str]
    description: str
    run_id: str
    uri: str
    registered_at: str = ""  # ISO 8601, UTC; "" where it is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a model said at the close of a session of one to come; later, what became of it."""

    series: str  # what is predicted: a ticker
    as_of: date  # the session whose close was the last thing known
    target_session: date
    horizon: int  # sessions between the two
    price: float  # at the close of `as_of`
    predicted_return: float  # log(price at the target session / price)
    predicted_price: float
    lower_return: float | None  # None: the model has no interval
    upper_return: float | None
    lower_price: float | None
    upper_price: float | None
    direction: Literal["up", "down", "flat"]
    model_name: str
    model_version: str
    model_digest: str  # sha256 of the manifest
    data_hash: str  # of the rows that the prediction stands on
    generated_at: datetime  # with its zone
    realised_return: float | None = None  # None: the target session has not been seen yet
    realised_price: float | None = None  # in the unit of `price`, whatever was split since
    realised_at: datetime | None = None  # when it was filled in

    @property
    def id(self) -> str:
        """16 hex digits that name series, session and model: whoever asks again gets the same."""
        model = (self.model_name, self.model_version, self.model_digest)
        key = "\n".join((self.series, self.as_of.isoformat(), *model))
        return sha256(key.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What really came, of one prediction."""

    id: str  # of the prediction
    realised_return: float
    realised_price: float
    realised_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """One row that a served model was asked about, and its answer; later, what really came."""

    id: str  # 32 hex digits
    at: str  # when it was answered: ISO 8601 with its zone, as `datetime.now(UTC).isoformat()`
    model: str  # name/version
    digest: str  # sha256 of the model's manifest
    row: Mapping[str, Any]  # column -> value as it was asked
    prediction: float
    lower: float | None = None  # None: the model has no interval
    upper: float | None = None
    flags: str = ""  # remarks on the row, "" when there are none
    latency_ms: float = 0.0
    outcome: float | None = None  # in the unit of the prediction; None: not known yet
    redacted: tuple[str, ...] = ()  # columns that are hashed in `row`, or left out of it
    beside: str = ""  # id of the request that another model answered; "": this is the answer


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedOutcomes:
    """What became of outcomes that were told to a log of requests."""

    joined: int  # of requests that had none
    known: int  # told before, with the same value
    replaced: int  # told before with another value, which this one replaced
    unknown: tuple[str, ...] = ()  # ids that the log does not hold: nothing was kept of them
    differing: tuple[str, ...] = ()  # ids told before with another value, which stays
