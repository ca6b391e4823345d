"""Results as the plain values of the files that stages hand on.

No seconds, no ids, no time stamps: equal results give equal bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from heddle.domain.entities import TrialRecord
from heddle.domain.typed import plain
from heddle.evaluation.baselines import skill
from heddle.models.assembly import Choices, Clusters
from heddle.models.candidates import Candidate
from heddle.training.clusters import ClusterScore, Geometry
from heddle.training.competition import Leaderboard
from heddle.training.finalists import Team
from heddle.training.imputation import ImputationResult

__all__ = [
    "best_params",
    "choices_of",
    "cluster_document",
    "imputation_document",
    "leaderboard_document",
    "record_of",
    "trial_row",
]


def imputation_document(result: ImputationResult) -> dict[str, Any]:
    """Return imputation_study.json."""
    document: dict[str, Any] = plain(result)
    del document["seconds"]
    return document


def cluster_document(
    columns: Sequence[str],
    shapes: Sequence[Geometry],
    scores: Sequence[ClusterScore],
    best: ClusterScore | None,
    *,
    metric: str,
) -> dict[str, Any]:
    """Return cluster_study.json; no `best` means no clusters."""
    return {
        "columns": list(columns),
        "geometry": plain(tuple(shapes)),
        "metric": metric,
        "cv": plain(tuple(scores)),
        "choice": {
            "kind": best.kind if best else "none",
            "k": best.k if best else None,
            "gamma": best.gamma if best else None,
        },
    }


def choices_of(imputation: Mapping[str, Any] | None, clusters: Mapping[str, Any] | None) -> Choices:
    """Return what the studies chose, from their documents; without one, the plain choice."""
    told = {} if clusters is None else clusters["choice"]
    made = Clusters(**{name: value for name, value in told.items() if value is not None})
    return (
        Choices(clusters=made)
        if imputation is None
        else Choices(imputation=imputation["choice"], clusters=made)
    )


def leaderboard_document(
    board: Leaderboard,
    candidates: Sequence[Candidate],
    skill_against: str | None = None,
    selected: Mapping[str, Sequence[Sequence[str]]] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return leaderboard.json: entries best first, trials in the order of `candidates`.

    With `skill_against`, the name of an entry, each entry has its skill against that one. An entry
    that is named in `selected` says which columns it kept, fold by fold.
    """
    entries = plain(board.entries)
    reference = next((e["mean"] for e in entries if e["candidate"] == skill_against), None)
    for entry in entries:
        del entry["seconds"]
        if reference is not None:
            entry["skill"] = skill(entry["mean"], reference)
        if entry["candidate"] in selected:
            entry["selected"] = [list(names) for names in selected[entry["candidate"]]]
    return {
        "metric": board.metric,
        "direction": board.direction,
        **({"skill_against": skill_against} if reference is not None else {}),
        "entries": entries,
        "skipped": [{"candidate": c, "reason": r} for c, r in board.skipped.items()],
        "trials": [
            trial_row(c.name, record)
            for c in candidates
            if c.name in board.studies
            for record in board.studies[c.name].trials
        ],
    }


def best_params(
    team: Team, choices: Choices, bounds: Sequence[str], *, metric: str
) -> dict[str, Any]:
    """Return best_params.yaml, in the order in which a person reads it."""
    clusters = choices.clusters
    return {
        "metric": metric,
        "value": team.value,
        "members": [
            {
                "candidate": member.candidate.name,
                "estimator": member.candidate.estimator,
                "value": member.value,
                "params": dict(member.params),
            }
            for member in team.members
        ],
        "imputation": choices.imputation,
        "clusters": {
            "kind": clusters.kind,
            "k": None if clusters.kind == "none" else clusters.k,
            "gamma": clusters.gamma if clusters.kind == "rbf" else None,
        },
        "bounds": list(bounds),
    }


def trial_row(study: str, record: TrialRecord) -> dict[str, Any]:
    """Return a trial of a study; a note only where there is one."""
    row = {
        "study": study,
        "number": record.number,
        "state": record.state,
        "params": dict(record.params),
        "value": record.value,
        "folds": list(record.folds),
    }
    return row | ({"note": record.note} if record.note else {})


def record_of(row: Mapping[str, Any]) -> TrialRecord:
    """Return the trial of a row; its seconds are not known any more."""
    return TrialRecord(
        number=row["number"],
        state=row["state"],
        params=dict(row["params"]),
        value=row["value"],
        folds=tuple(row["folds"]),
        note=row.get("note", ""),
    )
