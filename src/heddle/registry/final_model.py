"""The model that is registered: fitted on all training rows, judged on folds and blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from heddle.domain.errors import ConfigError
from heddle.evaluation.metrics import METRICS, score
from heddle.models.assembly import Choices, Clusters, Features, assemble, average
from heddle.models.candidates import Candidate
from heddle.training.dataset import Dataset, Pair

__all__ = ["FinalFit", "builder", "choices_from", "fit_final", "naive_models"]

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalFit:
    """What came of fitting; nothing here has seen a test row."""

    model: Any  # fitted on all training rows
    held_out: Values  # shape (n_rows,): each by the fold's model that has not seen the row, or NaN
    fold_models: tuple[Any, ...]
    cv: Mapping[str, float]  # mean over folds
    blocked_cv: Mapping[str, float]  # mean over blocks; {} without blocks


def choices_from(best: Mapping[str, Any]) -> Choices:
    """Return the imputation and clusters that best_params.yaml names."""
    told = {key: value for key, value in best["clusters"].items() if value is not None}
    return Choices(imputation=best["imputation"], clusters=Clusters(**told))


def builder(
    best: Mapping[str, Any], features: Features, candidates: Sequence[Candidate], *, seed: int
) -> Callable[[], Any]:
    """Return what makes an unfitted model out of best_params.yaml.

    It fits with one thread, so that its bytes do not depend on the number of cores.

    Raises:
        ConfigError: a member whose candidate is not configured.
    """
    named = {candidate.name: candidate for candidate in candidates}
    choices = choices_from(best)
    for member in best["members"]:
        if member["candidate"] not in named:
            raise ConfigError(
                f"no candidate {member['candidate']!r} is configured, but best_params.yaml has it",
                wanted=member["candidate"],
                known=named,
                todo="Run the tune stage again.",
            )

    def build() -> Any:
        return average(
            [
                (
                    member["candidate"],
                    assemble(
                        features, choices, named[member["candidate"]], member["params"], seed=seed
                    ),
                )
                for member in best["members"]
            ]
        )

    return build


def naive_models(
    best: Mapping[str, Any], features: Features, candidates: Sequence[Candidate], *, seed: int
) -> dict[str, Any]:
    """Return the baselines among the candidates, unfitted, by name."""
    choices = choices_from(best)
    return {c.name: assemble(features, choices, c, {}, seed=seed) for c in candidates if c.baseline}


def fit_final(
    build: Callable[[], Any],
    data: Dataset,
    pool: Executor,
    *,
    keys: Sequence[str] = tuple(METRICS),
    on_part: Callable[[str], object] = lambda _: None,
) -> FinalFit:
    """Fit on all training rows, on each fold and on each block; the longest first.

    Args:
        build: makes an unfitted model.
        data: training rows, folds and blocks.
        pool: processes for the fits.
        keys: metrics of the folds and blocks.
        on_part: told the name of each finished part.
    """
    rows, target = data.train, data.target
    whole = pool.submit(_fitted, build(), rows, target)
    parts = [("fold", n, pair) for n, pair in enumerate(data.folds, 1)]
    parts += [("block", n, pair) for n, pair in enumerate(data.blocks, 1)]
    waiting = [pool.submit(_judged, build(), rows, target, pair) for _, _, pair in parts]
    model = whole.result()
    on_part("all training rows")
    done: list[tuple[Any, Values]] = []
    for (kind, number, _), future in zip(parts, waiting, strict=True):
        done.append(future.result())
        on_part(f"{kind} {number}")
    folds, blocks = done[: len(data.folds)], done[len(data.folds) :]
    held_out = np.full(len(target), np.nan)
    for (_, valid), (_, predicted) in zip(data.folds, folds, strict=True):
        held_out[valid] = predicted
    return FinalFit(
        model=model,
        held_out=held_out,
        fold_models=tuple(fitted for fitted, _ in folds),
        cv=_mean(target, data.folds, [p for _, p in folds], keys),
        blocked_cv=_mean(target, data.blocks, [p for _, p in blocks], keys),
    )


def _fitted(model: Any, rows: pd.DataFrame, target: Values) -> Any:
    return model.fit(rows, target)


def _judged(model: Any, rows: pd.DataFrame, target: Values, pair: Pair) -> tuple[Any, Values]:
    train, valid = pair
    model.fit(rows.iloc[train], target[train])
    return model, np.asarray(model.predict(rows.iloc[valid]), dtype=np.float64)


def _mean(
    target: Values, pairs: Sequence[Pair], predicted: Sequence[Values], keys: Sequence[str]
) -> dict[str, float]:
    scores = [score(target[v], p, keys) for (_, v), p in zip(pairs, predicted, strict=True)]
    return {key: float(np.mean([s[key] for s in scores])) for key in keys} if scores else {}
