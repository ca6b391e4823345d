"""The prediction of the day: prices made anew, one answer kept for each session and model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import polars as pl

from heddle.domain.entities import ModelVersion, Prediction
from heddle.domain.errors import ConfigError
from heddle.domain.ports import ModelRegistry, PredictionLog, Progress
from heddle.frames.atomic import beside
from heddle.registry.aliases import named_version
from heddle.registry.manifest import HistoryFacts, Manifest, read_manifest
from heddle.registry.promotion import utc_now

if TYPE_CHECKING:
    from heddle.serving.loader import LoadedModel

__all__ = [
    "Answer",
    "Asked",
    "daily",
    "in_charge",
    "kept_log",
    "prices_of",
    "series_of",
    "written",
]

_LOG = "predictions/predictions.db"
_GIVE = "Give it a file: heddle predict INPUT -o OUTPUT."


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which sessions are to be predicted from: the last, the one of a day, or all of a range."""

    asof: date | None = None
    first: date | None = None
    last: date | None = None

    def __post_init__(self) -> None:
        if self.asof and (self.first or self.last):
            raise ConfigError("--asof names one day, --from and --to several", todo="Choose one.")
        if (self.first is None) != (self.last is None):
            raise ConfigError("--from and --to go together", todo="Give both days.")
        if self.first and self.last and self.first > self.last:
            raise ConfigError(f"--from {self.first} comes after --to {self.last}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was predicted, and what became of it in the log."""

    model: str
    predictions: tuple[Prediction, ...]  # as they are kept
    new: int  # of them
    filled: int  # outcomes of this and earlier predictions
    notices: tuple[str, ...]


def kept_log(root: Path) -> PredictionLog:
    """Return the project's log of predictions."""
    from heddle.infrastructure.sqlite_predictions import SqlitePredictions

    return SqlitePredictions(root / _LOG)


def prices_of(root: Path, series: str) -> Path:
    """Return where the history stands that the last predictions of a series were made of."""
    return root / "predictions" / f"prices_{quote(series, safe='')}.parquet"


def in_charge(
    registry: ModelRegistry, name: str, told: str, *, todo: str = _GIVE
) -> tuple[ModelVersion, Manifest]:
    """Return the version that predicts from a history, and its manifest.

    Args:
        registry: of models.
        name: of the model, unless `told` has another.
        told: alias, number, NAME@ALIAS or NAME/NUMBER; "" means the one in production.
        todo: what to do about a model that predicts rows of a table.

    Raises:
        ConfigError: there is none, nothing is in production, or it predicts rows of a table.
    """
    named, wanted = named_version(told)
    name = named or name
    aliases = {alias for version in registry.versions(name) for alias in version.aliases}
    promoted = bool(wanted) or "production" in aliases
    fallback = "production" if promoted or "staging" not in aliases else "staging"
    version = registry.resolve(name, wanted or fallback)
    manifest = read_manifest(registry.fetch(version), expected=version.tags.get("manifest_sha256"))
    if manifest.history is None:
        raise ConfigError(f"{name!r} predicts rows of a table, not sessions to come", todo=todo)
    if not promoted:
        raise _nothing_promoted(version, manifest)
    return version, manifest


def _nothing_promoted(version: ModelVersion, manifest: Manifest) -> ConfigError:
    edge = manifest.evidence.get("edge")
    why = "; no edge, nothing promoted" if edge is False else ""
    todo = "Predict with --model staging to see what it says."
    if edge is not False:
        todo = f"Promote it: heddle promote. {todo}"
    return ConfigError(
        f"no version of {version.name!r} is in production{why}: version {version.number} is in"
        " staging",
        todo=todo,
    )


def daily(
    model: LoadedModel,
    asked: Asked,
    prices: Callable[[], pl.DataFrame],
    log: PredictionLog,
    *,
    series: str,
    progress: Progress,
    place: Path | None = None,
    now: Callable[[], datetime] = utc_now,
) -> Answer:
    """Predict the sessions that are asked for, keep what is new, fill in what has come.

    Args:
        model: with a history.
        asked: which sessions.
        prices: gives the history as the source has it now; called once days are known to be sane.
        log: where predictions are kept; a prediction that is there already is the answer.
        series: what the prices are of.
        progress: where a bar is shown for several sessions.
        place: file in which the history is kept for `heddle monitor`; None: nowhere.
        now: the clock.

    Raises:
        ConfigError, DataContractError: as `heddle.serving.next_session`, as the stages that make
            the history, or a history that is not the model's (`heddle.serving.same_prices`).
    """
    from heddle.serving.next_session import outcomes, predict_sessions
    from heddle.serving.same_prices import refuse_others

    facts = model.manifest.history
    if facts is None:
        raise ConfigError(f"{model.label} predicts rows of a table")
    at = now()
    days, notices = _wanted(facts, asked, at)
    history, early = _closed(prices().sort(facts.time), facts, at)
    refuse_others(model, history)
    days, more = _known(history, facts, days, asked)
    said = predict_sessions(model, history, days, series=series, now=at, progress=progress)
    new = log.add(said)
    waiting = [one for one in log.all() if one.series == series]
    filled = log.fill(outcomes(waiting, history, facts, at))
    if place is not None:
        with beside(place) as part:
            history.write_parquet(part)
    kept = tuple(log.find(one.id) or one for one in said)
    notices = (*notices, *early, *more, *_there_already(said, kept, new))
    return Answer(model=model.label, predictions=kept, new=new, filled=filled, notices=notices)


def written(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction as JSON has it: dates and times in ISO 8601, the id first."""
    told = {"id": prediction.id, **asdict(prediction)}
    return {k: v.isoformat() if isinstance(v, date) else v for k, v in told.items()}


def _wanted(facts: HistoryFacts, asked: Asked, at: datetime) -> tuple[list[date], tuple[str, ...]]:
    from heddle.serving.next_session import session_asked, sessions_between

    if asked.first and asked.last:
        return sessions_between(facts.calendar, asked.first, asked.last, at), ()
    day, notice = session_asked(facts.calendar, asked.asof, at)
    return [day], (notice,) if notice else ()


def _closed(
    history: pl.DataFrame, facts: HistoryFacts, at: datetime
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Leave out rows of sessions that have not closed: their prices will change."""
    from heddle.frames.sessions import last_session

    last = last_session(facts.calendar, at)
    closed = history.filter(pl.col(facts.time) <= last)
    left = history.height - closed.height
    words = f"rows after {last}, the last session that has closed, are left out: {left:,}"
    return closed, (words,) if left else ()


def _known(
    history: pl.DataFrame, facts: HistoryFacts, days: Sequence[date], asked: Asked
) -> tuple[list[date], tuple[str, ...]]:
    """Return the sessions that there are prices of, and a word on those that there are not."""
    from heddle.frames.sessions import sessions
    from heddle.serving.next_session import last_price

    if not asked.first:
        last = last_price(history, facts, days[0], asked=asked.asof is not None)
        if last == days[0]:
            return [last], ()
        age = len(sessions(facts.calendar, last, days[0])) - 1
        plural = "session has" if age == 1 else "sessions have"
        return [last], (f"the last price is of {last}: {age} {plural} closed since",)
    there = set(history[facts.time].to_list())
    found = [day for day in days if day in there]
    if not found:
        last_price(history, facts, days[0], asked=True)  # says so
    lost = [day for day in days if day not in there]
    if not lost:
        return found, ()
    return found, (f"{len(lost)} sessions have no price: {lost[0]} to {lost[-1]}",)


def _there_already(
    said: Sequence[Prediction], kept: Sequence[Prediction], new: int
) -> tuple[str, ...]:
    if new == len(said):
        return ()
    if len(said) == 1:
        one = f"this prediction was made at {kept[0].generated_at:%Y-%m-%d %H:%M} UTC; it stays"
        notices = [one]
    else:
        notices = [
            f"{len(said) - new:,} of {len(said):,} predictions were there already; they stay"
        ]
    changed = [a.as_of for a, b in zip(said, kept, strict=True) if a.data_hash != b.data_hash]
    if changed:
        several = f"{changed[0]}" if len(changed) == 1 else f"{changed[0]} to {changed[-1]}"
        notices.append(f"the prices that predictions of {several} stand on have changed since")
    return tuple(notices)


def series_of(params: Mapping[str, Any]) -> str:
    """Return what the prices are of: a source's ticker, else what makes them up, else the project.

    Made-up prices are a series of their own, so that real ones never fill in their outcomes.
    """
    told = [s["with"] or {} for entry in params["stages"].values() for s in entry["steps"]]
    tickers = ((one.get("prices") or {}).get("ticker") for one in told)
    samples = (one.get("generator") for one in told if one.get("kind") == "sample")
    named = [*filter(None, tickers), *filter(None, samples), params["world"]["project"]]
    return str(named[0])
