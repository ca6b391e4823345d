"""Predictions in memory: the double for tests, with the contract's behaviour."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from heddle.domain.entities import Outcome, Prediction
from heddle.domain.errors import ConfigError

__all__ = ["MemoryPredictions", "filled", "in_order", "unknown_prediction"]


class MemoryPredictions:
    """PredictionLog in a dictionary."""

    def __init__(self) -> None:
        self._kept: dict[str, Prediction] = {}

    def add(self, predictions: Sequence[Prediction]) -> int:
        """Keep those that are new."""
        before = len(self._kept)
        for one in predictions:
            self._kept.setdefault(one.id, one)
        return len(self._kept) - before

    def find(self, id: str) -> Prediction | None:  # noqa: A002 the port calls it so
        """The prediction of this id."""
        return self._kept.get(id)

    def all(self) -> Sequence[Prediction]:
        """Every prediction in order."""
        return in_order(self._kept.values())

    def fill(self, outcomes: Sequence[Outcome]) -> int:
        """Write down what really came."""
        unknown = [one.id for one in outcomes if one.id not in self._kept]
        if unknown:
            raise unknown_prediction(unknown[0])
        open_ones = [one for one in outcomes if self._kept[one.id].realised_at is None]
        for one in open_ones:
            if self._kept[one.id].realised_at is None:
                self._kept[one.id] = filled(self._kept[one.id], one)
        return len({one.id for one in open_ones})


def filled(prediction: Prediction, outcome: Outcome) -> Prediction:
    """Return the prediction with what became of it."""
    told = dataclasses.asdict(outcome)
    del told["id"]
    return dataclasses.replace(prediction, **told)


def in_order(predictions: Iterable[Prediction]) -> list[Prediction]:
    """Return predictions by session, series and age."""
    return sorted(predictions, key=lambda p: (p.as_of, p.series, p.generated_at, p.id))


def unknown_prediction(name: str) -> ConfigError:
    """Word the error for an id that was never kept."""
    return ConfigError(
        f"no prediction {name!r} is kept", todo="`heddle predict` makes and keeps them."
    )
