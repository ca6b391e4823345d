"""A session to come: which one is meant, what the model says of it, and what came of that."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Literal

import polars as pl

from heddle.domain.entities import Outcome, Prediction
from heddle.domain.errors import ConfigError, DataContractError
from heddle.domain.ports import Progress
from heddle.frames.content import content_hash
from heddle.frames.sessions import is_session, last_session, session_after, session_before, sessions
from heddle.registry.manifest import HistoryFacts
from heddle.serving.loader import LoadedModel
from heddle.validation.rows import row_findings

__all__ = ["last_price", "outcomes", "predict_sessions", "session_asked", "sessions_between"]

_CHUNK = 64  # sessions predicted at a time
_DIGITS = 10  # significant ones; the last bits of a sum depend on where its rows lie in memory
_SHOWN = 5


def session_asked(calendar: str, wanted: date | None, now: datetime) -> tuple[date, str]:
    """Return the session whose close is the last thing known, and what a person should know of it.

    Args:
        calendar: of the exchange.
        wanted: a day; on one without trade the session before it is meant. None: the last session
            that has closed.
        now: with its zone.

    Raises:
        ConfigError: the day lies ahead, or its session goes on; or as
            `heddle.frames.sessions.sessions`.
    """
    last = last_session(calendar, now)
    if wanted is None or wanted == last:
        return last, ""
    todo = f"The last session that has closed is {last}."
    if wanted > max(last, now.astimezone(UTC).date()):
        raise ConfigError(f"{wanted} lies in the future", where="--asof", todo=todo)
    if not is_session(calendar, wanted):
        before = min(session_before(calendar, wanted), last)
        return before, f"{wanted} is no session of {calendar}; the one before it is {before}"
    if wanted > last:
        raise ConfigError(f"session {wanted} has not closed yet", where="--asof", todo=todo)
    return wanted, ""


def sessions_between(calendar: str, first: date, last: date, now: datetime) -> list[date]:
    """Return the sessions from `first` to `last` that have closed. Raises ConfigError: none."""
    end = min(last, last_session(calendar, now))
    found = sessions(calendar, first, end) if first <= end else []
    if not found:
        raise ConfigError(
            f"no session of {calendar} that has closed lies from {first} to {last}",
            where="--from, --to",
        )
    return found


def last_price(history: pl.DataFrame, facts: HistoryFacts, day: date, *, asked: bool) -> date:
    """Return the last session up to `day` that the history has a price of.

    Args:
        history: rising by session.
        facts: the model's.
        day: a session that has closed.
        asked: that session and no other is meant.

    Raises:
        DataContractError: there is none, or not of the session that is meant.
    """
    known = history.filter(pl.col(facts.time) <= day)[facts.time]
    if known.len() and (not asked or known[-1] == day):
        found: date = known[-1]
        return found
    there = f"{history[facts.time][0]} to {history[facts.time][-1]}" if history.height else "none"
    raise DataContractError(
        f"there is no price of session {day}",
        where="history",
        todo=f"The source gave sessions from {there}." if history.height else "It is empty.",
    )


def predict_sessions(
    model: LoadedModel,
    history: pl.DataFrame,
    days: Sequence[date],
    *,
    series: str,
    now: datetime,
    progress: Progress | None = None,
) -> list[Prediction]:
    """Return what the model says at the close of each day, knowing the rows up to it alone.

    Args:
        model: with a history.
        history: one series of raw prices, rising by session; later rows are not looked at.
        days: rising; the history has a row of each.
        series: what the prices are of.
        now: when it is said.
        progress: where a bar is shown when there is more than one day.

    Raises:
        DataContractError: a session told twice, too few rows before a day, a cell that breaks the
            model's contract, or a day that the model has no number for.
    """
    facts = _facts(model)
    rows = history.select(list(model.manifest.columns))
    places = {day: place for place, day in enumerate(rows[facts.time].to_list())}
    if len(places) < rows.height:
        raise DataContractError(
            f"{rows.height - len(places):,} sessions are told twice",
            where=series,
            todo="One series is predicted at a time, with a row for each session.",
        )
    _enough(rows, facts, days[0], places, series)
    made: list[Prediction] = []
    for part in _parts(days, progress):
        first = places[part[0]] - facts.lookback
        window = rows.slice(first, places[part[-1]] - first + 1)
        _sound(window, model, series, facts)
        predicted = model.predict(window)
        for day in part:
            place = places[day] - first
            known = window.slice(place - facts.lookback, facts.lookback + 1)
            made.append(_prediction(model, known, float(predicted[place]), series, now))
    return made


def outcomes(
    predictions: Iterable[Prediction], history: pl.DataFrame, facts: HistoryFacts, now: datetime
) -> list[Outcome]:
    """Return what became of predictions whose target session the history has a price of.

    The return is taken within the history as it is now, so that a split since then does not
    matter; the realised price is told in the unit in which the prediction was.
    """
    prices = dict(zip(history[facts.time].to_list(), history[facts.base].to_list(), strict=True))
    return [
        Outcome(
            id=one.id,
            realised_return=(
                came := _round(math.log(prices[one.target_session] / prices[one.as_of]))
            ),
            realised_price=_round(one.price * math.exp(came)),
            realised_at=now,
        )
        for one in predictions
        if one.realised_at is None and one.target_session in prices and one.as_of in prices
    ]


def _facts(model: LoadedModel) -> HistoryFacts:
    facts = model.manifest.history
    if facts is None:
        raise ConfigError(
            f"{model.label} predicts rows of a table, not sessions to come",
            todo="Give it a file: heddle predict INPUT -o OUTPUT.",
        )
    return facts


def _enough(
    rows: pl.DataFrame, facts: HistoryFacts, day: date, places: dict[date, int], series: str
) -> None:
    needs, has = facts.lookback + 1, places[day] + 1
    if has < needs:
        can = (
            f"The first session that can be predicted from is {rows[facts.time][needs - 1]}."
            if rows.height >= needs
            else "Let the source begin earlier."
        )
        raise DataContractError(
            f"too few sessions up to {day}: the model needs {needs}, the history has {has}",
            where=series,
            todo=can,
        )


def _sound(window: pl.DataFrame, model: LoadedModel, series: str, facts: HistoryFacts) -> None:
    """Refuse rows that break the contract of the model's input, naming their sessions."""
    days = window[facts.time].to_list()
    _, found = row_findings(window, model.manifest.contract, where=series, line=lambda row: row)
    bad = [fault for fault in found if fault.fatal]
    if bad:
        shown = "; ".join(f"{days[f.line]}, {f.column!r}: {f.reason}" for f in bad[:_SHOWN])
        more = f"; and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        raise DataContractError(
            f"prices that cannot be predicted from: {shown}{more}",
            where=series,
            todo="Nothing was predicted.",
        )


def _parts(days: Sequence[date], progress: Progress | None) -> Iterator[Sequence[date]]:
    parts = [days[start : start + _CHUNK] for start in range(0, len(days), _CHUNK)]
    if progress is None or len(days) == 1:
        yield from parts
        return
    with progress.task("predict", total=len(days)) as bar:
        for part in parts:
            yield part
            bar.advance(len(part), str(part[-1]))


def _prediction(
    model: LoadedModel, known: pl.DataFrame, said: float, series: str, now: datetime
) -> Prediction:
    """Return what is kept of one number. `known` are the rows that it stands on."""
    facts = _facts(model)
    day: date = known[facts.time][-1]
    if not math.isfinite(said):
        raise DataContractError(f"the model has no number for session {day}", where=series)
    price, said = float(known[facts.base][-1]), _round(said)
    interval = model.manifest.interval
    bounds = (None, None) if interval is None else [float(b[0]) for b in interval.around([said])]
    lower, upper = (None if b is None or not math.isfinite(b) else _round(b) for b in bounds)
    name, _, version = model.label.rpartition("/")
    return Prediction(
        series=series,
        as_of=day,
        target_session=session_after(facts.calendar, day, facts.horizon),
        horizon=facts.horizon,
        price=price,
        predicted_return=said,
        predicted_price=_round(price * math.exp(said)),
        lower_return=lower,
        upper_return=upper,
        lower_price=None if lower is None else _round(price * math.exp(lower)),
        upper_price=None if upper is None else _round(price * math.exp(upper)),
        direction=_direction(said),
        model_name=name,
        model_version=version,
        model_digest=model.digest,
        data_hash=content_hash(known),
        generated_at=now,
    )


def _direction(said: float) -> Literal["up", "down", "flat"]:
    return "flat" if said == 0 else "up" if said > 0 else "down"


def _round(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
