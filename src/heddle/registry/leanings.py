"""What the registered model leans on: by rows that it has not seen, and by those it learnt from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from heddle.domain.ports import TrackedRun
from heddle.evaluation.importances import permutation_importances
from heddle.models.impurity import impurity_importances
from heddle.registry.final_model import FinalFit
from heddle.training.dataset import Dataset

__all__ = ["leanings", "record"]

_TOP = 10  # shares that become metrics


def leanings(
    fit: FinalFit,
    data: Dataset,
    members: Sequence[str],
    *,
    columns: Sequence[str],
    key: str,
    seed: int,
    repeats: int,
    most_rows: int,
) -> dict[str, Any]:
    """Return the part of evaluation.json that says which columns matter.

    `importances` is by permutation on held-out folds, `impurity_importances` by the splits of
    the trees among the members, on all training rows.

    Args:
        fit: the fitted model and those of the folds.
        data: training rows and folds.
        members: names of what the model is made of.
        columns: raw columns to shuffle.
        key: a metric.
        seed: of the rows drawn and of the shuffles.
        repeats: shuffles per column and fold.
        most_rows: rows used per fold.
    """
    parts = getattr(fit.model, "members_", None) or [(members[0], fit.model)]
    return {
        "importances": permutation_importances(
            fit.fold_models,
            data.train,
            data.target,
            [valid for _, valid in data.folds],
            columns=columns,
            key=key,
            seed=seed,
            repeats=repeats,
            most_rows=most_rows,
        ),
        "impurity_importances": impurity_importances(parts),
    }


def record(run: TrackedRun, found: Mapping[str, Any]) -> None:
    """Give a run both tables as CSV below `importances`, and the largest shares as metrics."""
    splits = found["impurity_importances"]["columns"]
    run.metrics({f"impurity_importance.{row['feature']}": row["share"] for row in splits[:_TOP]})
    with TemporaryDirectory() as place:
        folder = Path(place) / "importances"
        folder.mkdir()
        for name, rows in (
            ("permutation_importances", found["importances"]),
            ("impurity_importances", splits),
        ):
            if rows:
                pl.DataFrame(rows).write_csv(folder / f"{name}.csv")
        run.artifact(folder)
