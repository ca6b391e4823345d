"""What has to be shown before a difference is called an edge, and the words for what was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heddle.evaluation.metrics import METRICS

__all__ = ["Case", "Proof", "reasons", "words"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What has to be shown before the difference to a baseline is called an edge."""

    level: float = 0.05  # the corrected p-value must lie below; the interval covers the rest
    deflated: float = 0.95  # that the deflated Sharpe ratio must exceed; for returns alone
    block: int | None = (
        None  # periods of a bootstrap's block, at least the horizon; null: four times it
    )
    draws: int = 2000  # of the bootstrap
    tie: float = 0.0  # share of the best figure within which candidates are as good
    year: int = 252  # periods of a year, for the Sharpe ratio that is shown

    def __post_init__(self) -> None:
        if self.draws < 1 or self.year < 1 or (self.block is not None and self.block < 1):
            raise ValueError("block, draws and year must be at least 1")
        if not (0 < self.level < 1 and 0 <= self.deflated < 1):
            raise ValueError("0 < level < 1 and 0 <= deflated < 1 must hold")
        if not 0 <= self.tie < 1:
            raise ValueError(f"0 <= tie < 1 must hold, but got {self.tie}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The winner's figures beside the best baseline's, and how much was searched for them."""

    metric: str
    winner: str
    mean: float  # the winner's primary metric over the folds
    against: str
    least: float  # the best baseline's
    row: Mapping[str, Any]  # of the winner in the table
    candidates: int
    trials: int
    bets_against: str | None  # None: the target is no return, there are no bets


def reasons(case: Case, proof: Proof) -> list[str]:
    """Return what speaks against an edge; nothing, and there is one."""
    found, row = [], case.row
    if not METRICS[case.metric].better(case.mean, case.least):
        found.append(f"it does not beat the baseline {case.against}")
    p_value, low, high = row["p_corrected"], row["low"], row["high"]
    if p_value is None:
        found.append("there are too few rows for a paired test")
    elif not (row["difference"] < 0 and p_value < proof.level and high < 0):
        found.append(
            f"paired, the losses differ by {row['difference']:.3g} (p {row['p_value']:.3g},"
            f" corrected for {_many(case.candidates, 'candidate')} {p_value:.3g},"
            f" {1 - proof.level:.0%} interval {low:.3g} to {high:.3g})"
        )
    if case.bets_against is not None:
        sure = row["deflated_sharpe"]
        if sure is None or not sure > proof.deflated:
            said = (
                "has no value" if sure is None else f"is {sure:.3g}, not above {proof.deflated:g}"
            )
            found.append(f"the deflated Sharpe ratio of its bets beyond {case.bets_against} {said}")
    return found


def words(case: Case, against_it: Sequence[str]) -> str:
    """Return the verdict in one line, the last part of which says what was chosen on these rows."""
    scores = (
        f"{case.winner} has {case.metric} {case.mean:.4g},"
        f" the best baseline {case.against} {case.least:.4g}"
    )
    if against_it:
        return f"no edge: {scores}; {'; '.join(against_it)}; {_chosen(case)}"
    shown = f"corrected p {case.row['p_corrected']:.3g}"
    if case.bets_against is not None:
        sure = case.row["deflated_sharpe"]
        shown += f", deflated Sharpe ratio beyond {case.bets_against} {sure:.3g}"
    return f"an edge: {scores} ({shown}); {_chosen(case)}"


def _chosen(case: Case) -> str:
    candidates, trials = _many(case.candidates, "candidate"), _many(case.trials, "trial")
    rest = "not for" if case.bets_against is None else "the Sharpe ratio for"
    return f"parameters were chosen on these rows: p is corrected for {candidates}, {rest} {trials}"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
