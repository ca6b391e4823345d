"""Two models set side by side: by the log of requests, or by the rows of a file."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from heddle.domain.entities import RequestRecord
from heddle.domain.errors import ConfigError, DataContractError, HeddleError
from heddle.evaluation.paired_metric import block_of
from heddle.evaluation.side_by_side import Comparison, Said, side_by_side
from heddle.presentation.watched import Meant, meant, since_when

if TYPE_CHECKING:
    from heddle.domain.ports import ModelRegistry, RequestLog
    from heddle.monitoring.answers import Answers
    from heddle.serving.loader import LoadedModel
    from heddle.serving.trust import Trust

__all__ = ["Asked", "compared_in_log", "compared_on_file"]

_ROWS_TIMED = 100
_BLOCKS = 5_000
_HOW = "Serve both: heddle serve NAME@production --shadow NAME@staging."

Registry = Callable[[], "ModelRegistry"]
Pair = tuple[RequestRecord, RequestRecord]
Model = tuple[str, str]  # label and digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which models, of which time; "": the last two that were asked the same."""

    one: str = ""
    other: str = ""
    since: str = ""
    until: str = ""
    beyond: float = 0.05


def compared_in_log(
    log: RequestLog, registry: Registry, name: str, asked: Asked, *, now: datetime
) -> dict[str, Any]:
    """Return the comparison of two models by the requests that both were asked.

    Args:
        log: of requests.
        registry: opened only where it is needed.
        name: of the project's model.
        asked: what is to be compared.
        now: the clock.

    Raises:
        ConfigError: no such model, one model twice, no time.
        DataContractError: no request was asked of both.
    """
    pairs = list(_light(log.pairs(since=_time(asked.since, now), until=_until(asked.until, now))))
    known = {(side.model, side.digest) for pair in pairs for side in pair}
    one, other = (_model(told, known, registry, name) for told in (asked.one, asked.other))
    if one and one == other:
        raise _one_model(one[0], other[0])
    found = _between(pairs, one, other)
    if not found:
        raise _nothing([m[0] for m in (one, other) if m], log.count(), len(pairs))
    models = [(side.model, side.digest) for side in found[-1]]
    manifests = [_manifest(registry, name, model) for model in models]
    first, second = ([pair[at] for pair in found] for at in (0, 1))
    timed = [record.at for record in first if record.outcome is not None]
    cfg = Comparison(
        metric=next((m.manifest.metric for m in manifests if m is not None), "mae"),
        beyond=asked.beyond,
        block=block_of(timed) if timed else 1,
    )
    told = side_by_side(
        _said(models[0][0], first, manifests[0]),
        _said(models[1][0], second, manifests[1]),
        _array(record.outcome for record in first),
        cfg,
    )
    lost = [m[0] for m, told_of in zip(models, manifests, strict=True) if told_of is None]
    return {
        "source": "requests",
        "since": first[0].at,
        "until": first[-1].at,
        "digests": [digest for _, digest in models],
        "answered": [sum(not one.beside for one in side) for side in (first, second)],
        "latency_of": "answers: from request to answer; else reading and predicting alone",
        **told,
        "notes": [f"{label} is not registered as it was: no word of its metric" for label in lost],
    }


def compared_on_file(
    registry: Registry, name: str, asked: Asked, source: Path, trust: Trust | None = None
) -> dict[str, Any]:
    """Return the comparison of two models by rows of a file; no server is asked.

    Raises:
        ConfigError: no such model or file, models of other targets, one model twice.
        DataContractError: no table, a column is missing, no row that both can predict.
        IntegrityError: a model is not what was registered.
    """
    from heddle.serving.answered import answers_of_file
    from heddle.serving.loader import load_folder

    models = [
        meant(registry, name, told or alias)
        for told, alias in ((asked.one, "production"), (asked.other, "staging"))
    ]
    _comparable(*models)
    loaded = [
        load_folder(m.folder, expected=m.pin or None, label=m.label, trust=trust) for m in models
    ]
    answers = [answers_of_file(model, source) for model in loaded]
    both = np.isfinite(answers[0].predicted) & np.isfinite(answers[1].predicted)
    if not both.any():
        todo = "heddle predict says of each row why it is refused."
        raise DataContractError("no row can be predicted by both", where=source.name, todo=todo)
    came = answers[0].actual[both]
    cfg = Comparison(
        metric=models[0].manifest.metric,
        beyond=asked.beyond,
        block=max(math.ceil(np.isfinite(came).sum() / _BLOCKS), 1),
    )
    one, other = (_of_answers(*told, both) for told in zip(models, loaded, answers, strict=True))
    left = int((~both).sum())
    notes = dict.fromkeys(note for told in answers for note in told.notes)
    return {
        "source": f"rows of {source.name}",
        "digests": [model.digest for model in loaded],
        "latency_of": "one row alone, predicted by the model in this process",
        **side_by_side(one, other, came, cfg),
        "notes": [*notes, *([f"{left:,} rows were not predicted by both"] if left else [])],
    }


def _light(pairs: Iterable[Pair]) -> Iterable[Pair]:
    """Yield pairs without their rows, those left out in which a prediction is no number."""
    for one, other in pairs:
        if math.isfinite(one.prediction) and math.isfinite(other.prediction):
            yield replace(one, row={}), replace(other, row={})


def _one_model(one: str, other: str) -> ConfigError:
    return ConfigError(f"{one} and {other} are one model", todo="Name another.")


def _nothing(labels: Sequence[str], requests: int, pairs: int) -> DataContractError:
    models = [*labels, "another", "a second"][:2] if labels else ["two models"]
    return DataContractError(
        f"no request was asked of {' and '.join(models)}:"
        f" the log holds {requests:,}, of which {pairs:,} were asked of two",
        todo=_HOW,
    )


def _between(pairs: Sequence[Pair], one: Model | None, other: Model | None) -> list[Pair]:
    """Return the pairs of two models, theirs in this order, whichever of them answered.

    A model that is not told is that of the last pair which has the other.
    """
    if one is None or other is None:
        for first, second in reversed(pairs):
            sides = (first.model, first.digest), (second.model, second.digest)
            if one in {None, sides[0]} and other in {None, sides[1]}:
                one, other = sides
                break
            if one in {None, sides[1]} and other in {None, sides[0]}:
                other, one = sides
                break
        else:
            return []
    found: list[Pair] = []
    for pair in pairs:
        sides = (pair[0].model, pair[0].digest), (pair[1].model, pair[1].digest)
        if sides == (one, other):
            found.append(pair)
        elif sides == (other, one):
            found.append((pair[1], pair[0]))
    return found


def _model(told: str, known: set[Model], registry: Registry, name: str) -> Model | None:
    """Return label and digest of what is named: as it stands in the log, or as registered."""
    from heddle.serving.address import read_address

    if not told:
        return None
    same = [model for model in known if told == model[0] or _is_digest(told, model[1])]
    if len(same) == 1:
        return same[0]
    address = read_address(told, model=name)
    if address.folder is not None:
        one = meant(registry, name, told)
        return next((model for model in known if model[1] == one.pin), (one.label, one.pin))
    version = registry().resolve(address.name, address.wanted)
    return f"{version.name}/{version.number}", version.tags.get("manifest_sha256", "")


def _is_digest(told: str, digest: str) -> bool:
    return len(told) >= 8 and digest.startswith(told)


def _manifest(registry: Registry, name: str, model: Model) -> Meant | None:
    """Return what a model says of itself; None if it is not at hand as it was."""
    try:
        found = meant(registry, name, model[0])
    except HeddleError:
        return None
    return found if found.pin == model[1] else None


def _said(label: str, records: Sequence[RequestRecord], one: Meant | None) -> Said:
    return Said(
        label=label,
        predicted=_array(record.prediction for record in records),
        lower=_array(record.lower for record in records),
        upper=_array(record.upper for record in records),
        latency_ms=_array(record.latency_ms for record in records),
        level=_level(one),
    )


def _of_answers(one: Meant, model: LoadedModel, answers: Answers, both: Any) -> Said:
    rows = answers.rows.filter(both)
    return Said(
        label=one.label,
        predicted=answers.predicted[both],
        lower=answers.lower[both],
        upper=answers.upper[both],
        latency_ms=np.array(_timed(model, rows.head(_ROWS_TIMED).to_dicts())),
        level=_level(one),
    )


def _timed(model: LoadedModel, rows: Sequence[dict[str, Any]]) -> list[float]:
    """Return the milliseconds that each row takes, the first one, which is slow, left out."""
    taken = []
    for row in [*rows[:1], *rows]:
        start = time.perf_counter()
        model.predict_values({name: [value] for name, value in row.items()})
        taken.append((time.perf_counter() - start) * 1e3)
    return taken[1:]


def _comparable(one: Meant, other: Meant) -> None:
    if one.pin == other.pin:
        raise _one_model(one.label, other.label)
    for model in (one, other):
        if model.manifest.history is not None:
            raise ConfigError(
                "a model that looks back over a history is not compared by rows of a file",
                where=model.label,
                todo="heddle monitor judges its kept predictions.",
            )
    targets = one.manifest.target, other.manifest.target
    if targets[0] != targets[1]:
        raise ConfigError(
            f"{one.label} predicts {targets[0]!r}, {other.label} {targets[1]!r}:"
            " that cannot be compared"
        )


def _level(one: Meant | None) -> float | None:
    interval = None if one is None else one.manifest.interval
    return None if interval is None else interval.level


def _time(text: str, now: datetime) -> str | None:
    found = since_when(text, now)
    return found.isoformat() if found else None


def _until(text: str, now: datetime) -> str | None:
    try:
        return _time(text, now)
    except ConfigError as fault:
        raise ConfigError(fault.what, where="--until", todo=fault.todo) from None


def _array(values: Iterable[float | None]) -> Any:
    return np.array(list(values), dtype=np.float64)
