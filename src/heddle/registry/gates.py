"""Whether a version may be promoted: pure judgement on recorded figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from heddle.evaluation.baselines import not_beaten
from heddle.evaluation.metrics import METRICS, metric
from heddle.registry.evidence import backtest_words
from heddle.registry.manifest import Manifest

__all__ = ["Decision", "Gates", "decide"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """What a version has to show. Bounds are inclusive."""

    minimum: Mapping[str, float] = field(default_factory=dict)  # metric -> least
    maximum: Mapping[str, float] = field(default_factory=dict)  # metric -> most
    gain: float = 0.0  # share by which the primary metric must be better than the champion's
    baselines: bool = True  # must beat every recorded baseline on the primary metric
    edge: bool = False  # must be shown to be better than the best baseline, beyond chance
    backtest: bool = False  # must have an edge in the back-test, on sessions that no search saw
    same_test: bool = True  # the champion must have been scored on the same rows of the same data

    def __post_init__(self) -> None:
        for key in (*self.minimum, *self.maximum):
            if key not in METRICS:
                raise ValueError(f"{key!r} is no metric; there are {', '.join(METRICS)}")
        if not 0 <= self.gain < 1:
            raise ValueError(f"0 <= gain < 1 must hold, but got {self.gain}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The verdict, every reason for it, and the figures that were set side by side."""

    promoted: bool
    reasons: tuple[str, ...]  # against; when promoted, what it rests on
    comparison: Mapping[str, Any] = field(default_factory=dict)
    todo: str = ""


def decide(challenger: Manifest, champion: Manifest | None, gates: Gates) -> Decision:
    """Judge a challenger by absolute bounds, by baselines and by the champion.

    All gates are looked at, so that one answer names everything that is in the way.
    """
    against = [
        *_bounds(challenger, gates),
        *_baselines(challenger, gates),
        *_edge(challenger, gates),
        *_backtest(challenger, gates),
    ]
    comparison: dict[str, Any] = {
        "metric": challenger.metric,
        "challenger": dict(challenger.metrics),
    }
    todo = _deliberately(challenger, gates) if _edge(challenger, gates) else ""
    if champion is not None:
        comparison |= {
            "champion": dict(champion.metrics),
            "same_test": _test(challenger) == _test(champion)
            and challenger.metric in champion.metrics,
        }
        if comparison["same_test"]:
            against += _gain(challenger, champion, gates)
        elif gates.same_test:
            against.append(_other_test(challenger, champion))
            todo = "Register the champion's parameters on this data again, or set same_test: false"
            todo += " (ml_experiments.promote.gates.same_test=false)."
    if against:
        return Decision(promoted=False, reasons=tuple(against), comparison=comparison, todo=todo)
    rests_on = _rests_on(challenger, champion if comparison.get("same_test") else None, gates)
    return Decision(promoted=True, reasons=rests_on, comparison=comparison)


def _rests_on(challenger: Manifest, champion: Manifest | None, gates: Gates) -> tuple[str, ...]:
    """Say what a version has shown, a line for each gate that it passed."""
    found, key = challenger.metrics, challenger.metric
    said = [f"{k} {found[k]:.4g} is at least {least:.4g}" for k, least in gates.minimum.items()]
    said += [f"{k} {found[k]:.4g} is at most {most:.4g}" for k, most in gates.maximum.items()]
    if gates.baselines:
        others = {name: figures[key] for name, figures in challenger.baselines.items()}
        best = (min if metric(key).direction == "minimise" else max)(others, key=others.__getitem__)
        said.append(f"{key} {found[key]:.4g} beats the best baseline, {best} ({others[best]:.4g})")
    if gates.edge:
        said.append(f"it has an edge over {challenger.evidence.get('against')}")
    if proven := backtest_words(challenger.evidence):
        said.append(proven)
    if champion is not None:
        said.append(f"{key} {found[key]:.6g} beats the champion's {champion.metrics[key]:.6g}")
    return tuple(said or ["no gate is configured"])


def _bounds(challenger: Manifest, gates: Gates) -> list[str]:
    found = challenger.metrics
    against = [f"has no {k}" for k in (*gates.minimum, *gates.maximum) if k not in found]
    for key, least in gates.minimum.items():
        if key in found and not found[key] >= least:
            against.append(f"{key} {found[key]:.4g} is below {least:.4g}")
    for key, most in gates.maximum.items():
        if key in found and not found[key] <= most:
            against.append(f"{key} {found[key]:.4g} is above {most:.4g}")
    return against


def _baselines(challenger: Manifest, gates: Gates) -> list[str]:
    if not gates.baselines:
        return []
    key = challenger.metric
    if not challenger.baselines:
        return ["has no baselines to beat"]
    others = {name: figures[key] for name, figures in challenger.baselines.items()}
    own = challenger.metrics[key]
    return [
        f"{key} {own:.4g} does not beat the baseline {name} ({others[name]:.4g})"
        for name in not_beaten(key, own, others)
    ]


def _deliberately(challenger: Manifest, gates: Gates) -> str:
    """Name every gate that stands in the way of a version without an edge."""
    asked = {"edge": _edge, "backtest": _backtest, "baselines": _baselines}
    shut = [name for name, gate in asked.items() if gate(challenger, gates)]
    words = " ".join(f"ml_experiments.promote.gates.{name}=false" for name in shut)
    return f"Figures: models/selection.json. To promote it all the same: {words}."


def _edge(challenger: Manifest, gates: Gates) -> list[str]:
    told = challenger.evidence
    if not gates.edge or told.get("edge") is True:
        return []
    if "edge" not in told:
        return ["no edge: it was never compared with a baseline, pair by pair"]
    words = {
        "p_value": "p",
        "p_corrected": "corrected p",
        "deflated_sharpe": "deflated Sharpe ratio",
    }
    sizes = [f"{word} {told[key]:.3g}" for key, word in words.items() if told.get(key) is not None]
    trials = f"{told.get('trials', 0)} trials"
    return [f"no edge: not better than {told.get('against')} ({', '.join([*sizes, trials])})"]


def _backtest(challenger: Manifest, gates: Gates) -> list[str]:
    if not gates.backtest:
        return []
    told = challenger.evidence.get("backtest") or {}
    if told.get("edge") is True and told.get("part") == "unseen":
        return []
    return [backtest_words(challenger.evidence) or "no back-test says whether it has an edge"]


def _gain(challenger: Manifest, champion: Manifest, gates: Gates) -> list[str]:
    judge = metric(challenger.metric)
    own, other = challenger.metrics[judge.key], champion.metrics[judge.key]
    step = gates.gain * abs(other)
    wanted = other - step if judge.direction == "minimise" else other + step
    if judge.better(own, other) and (own == wanted or judge.better(own, wanted)):
        return []
    needed = f" by {gates.gain:.2%}" if gates.gain else ""
    return [f"{judge.key} {own:.6g} is not better than the champion's {other:.6g}{needed}"]


def _test(manifest: Manifest) -> tuple[Any, ...]:
    rows = {version: facts.get("content_hash") for version, facts in manifest.data.items()}
    return manifest.target, manifest.split.hash, rows


def _other_test(challenger: Manifest, champion: Manifest) -> str:
    if challenger.target != champion.target:
        return f"the champion predicts {champion.target!r}, not {challenger.target!r}"
    if _test(challenger) == _test(champion):
        return f"the champion has no {challenger.metric} to compare with"
    what = "another split" if challenger.split.hash != champion.split.hash else "other data"
    return f"the champion was tested on {what}, so that the figures cannot be compared"
