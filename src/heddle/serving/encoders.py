"""Categories as numbers without a frame: what the fitted encoder says of each word, looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from heddle.serving.not_compiled import NotCompiled, kind

__all__ = ["Encoder", "encoders"]

Floats = NDArray[np.float64]
Words = Mapping[str, Sequence[str]]


class Encoder(Protocol):
    """Writes its columns of the matrix."""

    def fill(self, matrix: Floats, words: Words) -> None:
        """Write what the words of each row mean into a matrix of zeros."""


@dataclass(frozen=True, slots=True)
class _OneHot:
    column: str
    places: Mapping[str, int]  # word -> column of the matrix
    other: int  # of a word never heard; -1 for none

    def fill(self, matrix: Floats, words: Words) -> None:
        get, other = self.places.get, self.other
        places = np.asarray([get(word, other) for word in words[self.column]], dtype=np.int64)
        known = np.flatnonzero(places >= 0)
        matrix[known, places[known]] = 1.0


@dataclass(frozen=True, slots=True)
class _Number:
    column: str
    place: int
    numbers: Mapping[str, float]
    other: float  # of a word never heard

    def fill(self, matrix: Floats, words: Words) -> None:
        get, other = self.numbers.get, self.other
        matrix[:, self.place] = [get(word, other) for word in words[self.column]]


def encoders(step: Any, columns: Sequence[str], out: slice) -> list[Encoder]:
    """Return a fitted one-hot or target encoder, column by column; they write the matrix at `out`.

    Raises:
        NotCompiled: neither of them.
    """
    if kind(step) == "sklearn.preprocessing._encoders.OneHotEncoder":
        return _one_hot(step, columns, out)
    inner = step.steps[0][1] if kind(step) == "sklearn.pipeline.Pipeline" else step
    if kind(inner) != "sklearn.preprocessing._target_encoder.TargetEncoder":
        raise NotCompiled(f"the categories are encoded by a {type(inner).__name__}")
    if inner.target_type_ != "continuous":
        raise NotCompiled("the target is a class")
    return _means(step, inner, columns, out)


def _one_hot(step: Any, columns: Sequence[str], out: slice) -> list[Encoder]:
    if step.drop is not None:
        raise NotCompiled("the one-hot encoder drops a category")
    rare = getattr(step, "infrequent_categories_", [None] * len(columns))
    made: list[Encoder] = []
    start = out.start
    for column, known, few in zip(columns, step.categories_, rare, strict=True):
        scarce = set() if few is None else set(few)
        places: dict[str, int] = {}
        for word in known:
            if word not in scarce:
                places[word] = start + len(places)
        end = start + len(places)
        places |= dict.fromkeys(scarce, end)
        ignored = step.handle_unknown == "ignore" or not scarce
        made.append(_OneHot(column, places, -1 if ignored else end))
        start = end + bool(scarce)
    if start != out.stop or step.handle_unknown not in ("ignore", "infrequent_if_exist"):
        raise NotCompiled("the one-hot encoder has settings that are not known")
    return made


def _means(step: Any, inner: Any, columns: Sequence[str], out: slice) -> list[Encoder]:
    """Ask the fitted encoder about every word of each column, and about one never heard."""
    import pandas as pd

    longest = max(len(known) for known in inner.categories_) + 1
    asked = {}
    for column, known in zip(columns, inner.categories_, strict=True):
        strange = "?" * (1 + max((len(word) for word in known), default=0))
        asked[column] = [*known, *[strange] * (longest - len(known))]
    said = np.asarray(step.transform(pd.DataFrame(asked, dtype=object)), dtype=np.float64)
    if said.shape[1] != len(columns) or out.stop - out.start != len(columns):
        raise NotCompiled("the target encoder makes several columns of one")
    return [
        _Number(
            column,
            out.start + place,
            dict(zip(known, said[:, place].tolist(), strict=False)),
            float(said[-1, place]),
        )
        for place, (column, known) in enumerate(zip(columns, inner.categories_, strict=True))
    ]
