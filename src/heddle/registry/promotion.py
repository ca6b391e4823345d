"""Moving an alias on, when the gates agree, and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from heddle.domain.entities import ModelVersion
from heddle.domain.errors import ConfigError, GateRefused
from heddle.domain.ports import ModelRegistry
from heddle.frames.atomic import publish
from heddle.registry.aliases import alias_name
from heddle.registry.gates import Decision, Gates, decide
from heddle.registry.manifest import Manifest, read_manifest

__all__ = ["Judged", "Promote", "judged", "promote", "rollback", "utc_now", "way_back"]

_PIN = "manifest_sha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promote:
    """How a version gets from one alias to the next."""

    model: str
    from_alias: str = "staging"
    to_alias: str = "production"
    report: str = "reports/promotion_report.json"
    gates: Gates = field(default_factory=Gates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the gates say of a promotion that is asked for."""

    challenger: ModelVersion
    holder: ModelVersion | None  # the version that the alias means now
    decision: Decision


def utc_now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)


def promote(
    registry: ModelRegistry, cfg: Promote, *, report: Path, now: Callable[[], datetime] = utc_now
) -> Decision:
    """Let `to_alias` mean the version that `from_alias` means, if it passes the gates.

    The report is written whatever the verdict. The versions that held the alias before are kept in
    a tag, newest first, for `rollback`.

    Raises:
        ConfigError: no such model or alias.
        GateRefused: the reasons; no alias was moved.
        IntegrityError: the files of a version are not those that were registered.
    """
    found = judged(registry, cfg)
    challenger, holder, decision = found.challenger, found.holder, found.decision
    to_alias = alias_name(cfg.to_alias)
    _write(report, cfg, (challenger, holder), decision, now())
    if not decision.promoted:
        raise GateRefused(
            f"version {challenger.number} of {cfg.model!r} is not promoted to {to_alias}: "
            + "; ".join(decision.reasons),
            todo=decision.todo or f"The figures are in {report.name}; no alias was moved.",
        )
    if holder is None or holder.number != challenger.number:
        before = [] if holder is None else [holder.number, *_history(holder, to_alias)]
        _move(registry, challenger, to_alias, before)
        if holder is not None:
            registry.tag(cfg.model, holder.number, {"deployment_alias": "archived"})
    return decision


def judged(registry: ModelRegistry, cfg: Promote) -> Judged:
    """Return what the gates say of the version that `from_alias` means; nothing is written.

    Raises:
        ConfigError: no such model or alias.
        IntegrityError: the files of a version are not those that were registered.
    """
    to_alias = alias_name(cfg.to_alias)
    challenger = registry.resolve(cfg.model, cfg.from_alias)
    holder = _holder(registry, cfg.model, to_alias)
    decision = _decision(registry, challenger, holder, cfg, to_alias)
    return Judged(challenger=challenger, holder=holder, decision=decision)


def way_back(version: ModelVersion, alias: str) -> list[int]:
    """Return the versions that an alias meant before it meant this one, the last one first."""
    return _history(version, alias)


def rollback(registry: ModelRegistry, name: str, alias: str = "production") -> ModelVersion:
    """Let an alias mean the version that held it before the last promotion; return that one.

    Called again, it goes one promotion further back, until the first. What was rolled back stays
    registered and can be promoted again.

    Raises:
        ConfigError: no such model or alias, or nothing to go back to.
    """
    alias = alias_name(alias)
    current = registry.resolve(name, alias)
    history = _history(current, alias)
    if not history:
        raise ConfigError(
            f"version {current.number} of {name!r} is the first that {alias} meant",
            todo="There is nothing to go back to; promote another version instead.",
        )
    previous = registry.resolve(name, str(history[0]))
    told = {f"rolled_back_{alias}": f"to {previous.number}", "deployment_alias": "archived"}
    registry.tag(name, current.number, told)
    _move(registry, previous, alias, history[1:])
    return registry.resolve(name, alias)


def _holder(registry: ModelRegistry, name: str, alias: str) -> ModelVersion | None:
    return next((v for v in registry.versions(name) if alias in v.aliases), None)


def _decision(
    registry: ModelRegistry,
    challenger: ModelVersion,
    holder: ModelVersion | None,
    cfg: Promote,
    alias: str,
) -> Decision:
    if holder is not None and holder.number == challenger.number:
        return Decision(promoted=True, reasons=(f"holds {alias} already",))
    champion = None if holder is None else _manifest(registry, holder)
    return decide(_manifest(registry, challenger), champion, cfg.gates)


def _manifest(registry: ModelRegistry, version: ModelVersion) -> Manifest:
    return read_manifest(registry.fetch(version), expected=version.tags.get(_PIN))


def _move(registry: ModelRegistry, version: ModelVersion, alias: str, history: list[int]) -> None:
    """Write down the way back first: a kill in between leaves the alias where it was."""
    told = {f"history_{alias}": " ".join(map(str, history)), "deployment_alias": alias}
    registry.tag(version.name, version.number, told)
    registry.point(version.name, alias, version.number)


def _history(version: ModelVersion, alias: str) -> list[int]:
    return [int(number) for number in version.tags.get(f"history_{alias}", "").split()]


def _write(
    path: Path,
    cfg: Promote,
    versions: tuple[ModelVersion, ModelVersion | None],
    decision: Decision,
    at: datetime,
) -> None:
    challenger, holder = versions
    own = decision.comparison.get("challenger", {})
    report: dict[str, Any] = {
        "promoted": decision.promoted,
        "model_name": cfg.model,
        "from_stage": cfg.from_alias,
        "to_stage": cfg.to_alias,
        "candidate_version": str(challenger.number),
        "previous_version": None if holder is None else str(holder.number),
        "reason": "; ".join(decision.reasons),
        "reasons": list(decision.reasons),
        "r2": own.get("r2", _number(challenger, "r2")),
        "mape": own.get("mape", _number(challenger, "mape")),
        "promoted_at": at.astimezone(UTC).isoformat(timespec="seconds"),
        "comparison": dict(decision.comparison),
    }
    text = json.dumps(report, indent=2, allow_nan=False)
    publish(path, (text + "\n").encode())


def _number(version: ModelVersion, key: str) -> float | None:
    try:
        return float(version.tags[key])
    except (KeyError, ValueError):
        return None
