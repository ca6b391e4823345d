"""The state of a project's predictions: log, prices, manifest and limits, put together."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from heddle.domain.entities import ModelVersion, Prediction
from heddle.domain.errors import IntegrityError
from heddle.domain.ports import ModelRegistry, PredictionLog
from heddle.domain.typed import build, plain
from heddle.frames.atomic import publish
from heddle.presentation.computed_features import features_check
from heddle.presentation.daily import in_charge, kept_log, prices_of
from heddle.registry.promotion import utc_now

if TYPE_CHECKING:
    from heddle.monitoring.timely import InTime
    from heddle.monitoring.track_record import Band, Check, Watch
    from heddle.registry.manifest import HistoryFacts, Manifest

__all__ = ["Report", "last_asked", "monitored"]

_LAST_MINUTE = time(23, 59, tzinfo=UTC)
_PIN = "manifest_sha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found."""

    model: str
    digest: str  # sha256 of its manifest
    at: datetime
    predictions: tuple[Prediction, ...]  # that are judged
    series: str  # what they are of; "" before the first
    told: InTime  # which were made in time
    looked_back: bool  # the others are judged, too
    checks: tuple[Check, ...]
    limits: Watch
    place: Path  # where it is written down

    @property
    def alarms(self) -> tuple[str, ...]:
        """Names of the checks that are alarms."""
        return tuple(one.name for one in self.checks if one.state == "alarm")

    @property
    def matured(self) -> int:
        """How many predictions have an outcome."""
        return _matured(self.predictions)

    @property
    def title(self) -> str:
        """One line on what was looked at."""
        found = f"{len(self.predictions)} predictions, {self.matured} matured"
        back = len(self.told.looked_back)
        if self.looked_back and back:
            found += f"; {back} OF THEM LOOK BACK: this is no record of what was foretold"
        elif back:
            found += f"; {back} that look back are not judged"
        return f"{self.series or 'nothing yet'} by {self.model}: {found}"

    @property
    def document(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {
            "format": 1,
            "model": self.model,
            "model_digest": self.digest,
            "at": self.at.isoformat(timespec="seconds"),
            "predictions": len(self.predictions),
            "matured": self.matured,
            "looked_back": {
                "predictions": len(self.told.looked_back),
                "matured": _matured(self.told.looked_back),
                "why": dict(self.told.why),
                "judged": self.looked_back,
            },
            "checks": [plain(one) for one in self.checks],
            "alarms": list(self.alarms),
            "limits": plain(self.limits),
        }


def monitored(
    root: Path,
    registry: ModelRegistry,
    overrides: Sequence[str],
    told: str,
    *,
    asof: date | None = None,
    looked_back: bool = False,
    now: Callable[[], datetime] = utc_now,
) -> Report:
    """Judge the kept predictions of a model, and write the report.

    Args:
        root: the project's folder.
        registry: of models.
        overrides: of `ml_experiments.monitor`.
        told: which model, as `heddle.presentation.daily.in_charge` takes it. "" means the one that
            was asked last.
        asof: what came to be known after this day is left out. None: nothing is.
        looked_back: judge predictions that were made in hindsight like those made in time.
        now: the clock.

    Raises:
        ConfigError: no such model, or limits that make no sense.
        IntegrityError: the log or the prices cannot be read.
    """
    from heddle.domain.names import inside

    cfg, model = _limits(root, overrides)
    log = kept_log(root)
    version, manifest = in_charge(registry, model, told or last_asked(log))
    at = now() if asof is None else min(now(), datetime.combine(asof, _LAST_MINUTE))
    made = _made(log, version, at)
    prices = _prices(prices_of(root, made[-1].series), _facts(manifest), at) if made else None
    found = _in_time(made, manifest, at)
    judged = tuple(made) if looked_back else found.judged
    checks = _checks(prices, judged, manifest, cfg, at)
    loaded = partial(_pipeline, root, registry, version)
    checks += (features_check(root, loaded, manifest, prices, cfg),)
    checks += () if looked_back else tuple(_apart(found, cfg))
    report = Report(
        model=f"{version.name}/{version.number}",
        digest=version.tags.get(_PIN, ""),
        at=at,
        predictions=judged,
        series=made[-1].series if made else "",
        told=found,
        looked_back=looked_back,
        checks=checks,
        limits=cfg,
        place=inside(root.resolve(), cfg.report, what="ml_experiments.monitor.report"),
    )
    text = json.dumps(report.document, indent=2, allow_nan=False)
    publish(report.place, (text + "\n").encode())
    return report


def last_asked(log: PredictionLog) -> str:
    """Return the model of the last prediction that was made, "" without any."""
    last = max(log.all(), key=lambda one: one.generated_at, default=None)
    return f"{last.model_name}@{last.model_version}" if last else ""


def _made(log: PredictionLog, version: ModelVersion, at: datetime) -> list[Prediction]:
    """Return what a version has predicted by a time, of the series that it predicted last."""
    key = (version.name, str(version.number), version.tags.get(_PIN, ""))
    found = [
        _known(one, at)
        for one in log.all()
        if (one.model_name, one.model_version, one.model_digest) == key and one.as_of <= at.date()
    ]
    last = max(found, key=lambda one: one.generated_at).series if found else ""
    return [one for one in found if one.series == last]


def _in_time(made: Sequence[Prediction], manifest: Manifest, at: datetime) -> InTime:
    from heddle.frames.sessions import opening, session_after
    from heddle.monitoring.timely import in_time

    facts, fitted_to = _facts(manifest), manifest.fitted.last
    return in_time(
        made,
        at,
        fitted_to=None if fitted_to is None else date.fromisoformat(fitted_to),
        opens_after=lambda day: opening(facts.calendar, session_after(facts.calendar, day)),
    )


def _apart(told: InTime, cfg: Watch) -> list[Check]:
    from heddle.monitoring.timely import hindsight

    return hindsight(told, cfg)


def _pipeline(root: Path, registry: ModelRegistry, version: ModelVersion) -> Any:
    from heddle.presentation.trusting import trust_of
    from heddle.serving.loader import load_registered

    number = str(version.number)
    return load_registered(registry, version.name, number, trust=trust_of(root)).pipeline


def _matured(predictions: Sequence[Prediction]) -> int:
    return sum(one.realised_at is not None for one in predictions)


def _checks(
    prices: pl.DataFrame | None,
    made: Sequence[Prediction],
    manifest: Manifest,
    cfg: Watch,
    at: datetime,
) -> tuple[Check, ...]:
    from heddle.monitoring.track_record import Promises, accuracy, performance, staleness

    level = None if manifest.interval is None else manifest.interval.level
    promised = Promises(rmse=manifest.metrics.get("rmse"), level=level)
    return (
        *accuracy(made, promised, cfg),
        *performance(_earned(prices, made, manifest), _band(manifest), cfg),
        *staleness(_ages(_facts(manifest), prices, made, at), cfg),
    )


def _limits(root: Path, overrides: Sequence[str]) -> tuple[Watch, str]:
    """Return the configured limits, and the name of the project's model."""
    from heddle.infrastructure.hydra_config import compose_config
    from heddle.monitoring.track_record import Watch
    from heddle.presentation.added_keys import refuse_unread

    words = list(overrides)
    config = compose_config(root.resolve(), words)
    refuse_unread(root.resolve(), words, read="ml_experiments.monitor.")
    told = (config.get("ml_experiments") or {}).get("monitor") or {}
    return build(Watch, told, where="ml_experiments.monitor"), str(config["world"]["model"])


def _facts(manifest: Manifest) -> HistoryFacts:
    facts = manifest.history
    assert facts is not None  # `in_charge` gives no other
    return facts


def _prices(place: Path, facts: HistoryFacts, at: datetime) -> pl.DataFrame | None:
    """Return the prices that the last prediction left, None before the first."""
    if not place.is_file():
        return None
    try:
        return pl.read_parquet(place).filter(pl.col(facts.time) <= at.date())
    except pl.exceptions.PolarsError as fault:
        words = str(fault).splitlines()[0]
        todo = "Predict again: it is written anew."
        raise IntegrityError(f"cannot be read: {words}", where=str(place), todo=todo) from None


def _known(one: Prediction, at: datetime) -> Prediction:
    """Return a prediction as it was known at a time."""
    if one.realised_at is None or one.target_session <= at.date():
        return one
    return replace(one, realised_return=None, realised_price=None, realised_at=None)


def _earned(prices: pl.DataFrame | None, made: Sequence[Prediction], manifest: Manifest) -> Any:
    from heddle.evaluation.backtest import Rules
    from heddle.monitoring.followed import followed

    facts = _facts(manifest)
    if prices is None or not made:
        return []
    by_sign = {"horizon": facts.horizon, "side": "long_short", "trade_at": "close"}
    rules = build(Rules, manifest.evidence.get("rules") or by_sign, where="manifest: rules")
    opening = "open" if rules.trade_at == "open" and "open" in prices.columns else ""
    return followed(prices, made, rules, time=facts.time, price=facts.base, opening=opening)


def _band(manifest: Manifest) -> Band | None:
    from heddle.monitoring.track_record import Band

    told = manifest.evidence.get("band")
    if not told:
        return None
    lows = {name: (told.get(name) or {}).get("low") for name in ("sharpe", "drawdown")}
    return Band(**lows, window=int(told["window"]))


def _ages(
    facts: HistoryFacts, prices: pl.DataFrame | None, made: Sequence[Prediction], at: datetime
) -> dict[str, tuple[date | None, int | None]]:
    """Return the day of the last price and prediction, and the sessions closed since."""
    from heddle.frames.sessions import last_session, sessions

    last = last_session(facts.calendar, at)
    days = {
        "price": prices[facts.time].max() if prices is not None and prices.height else None,
        "prediction": made[-1].as_of if made else None,
    }

    def age(day: Any) -> tuple[date | None, int | None]:
        if day is None:
            return None, None
        return day, max(len(sessions(facts.calendar, day, last)) - 1, 0) if day < last else 0

    return {what: age(day) for what, day in days.items()}
