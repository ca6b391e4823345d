"""Whether a history is that of what a model learned, before it is asked what comes next."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from heddle.domain.errors import DataContractError
from heddle.registry.model_files import GOLDEN, golden_frame
from heddle.registry.plain_files import read_document, read_recorded
from heddle.serving.loader import LoadedModel

__all__ = ["refuse_others"]

_APART = 0.01  # of a logarithmic return: dividends and corrections move it less
_SHARE = 0.2  # of the sessions that may be apart


def refuse_others(model: LoadedModel, history: pl.DataFrame) -> None:
    """Refuse a history that moved otherwise than the one whose last rows the model brought along.

    Compared is how the price moved from session to session, which a later split does not change.
    Sessions that only one of them has say nothing.

    Raises:
        DataContractError: the first session of those that are apart, and both moves.
        IntegrityError: the model's rows are not those that were registered.
    """
    facts = model.manifest.history
    if facts is None or model.folder is None:
        return
    own = _moves(_rows(model, model.folder), facts.time, facts.base)
    both = own.join(_moves(history, facts.time, facts.base), on=facts.time, suffix="_now")
    apart = both.filter((pl.col("move") - pl.col("move_now")).abs() > _APART).sort(facts.time)
    if apart.height <= _SHARE * both.height:
        return
    day, then, now = apart.row(0)
    raise DataContractError(
        f"these are not the prices that the model learned: on {day} they moved by {now:+.1%},"
        f" those by {then:+.1%}, and so apart in {apart.height} of {both.height} sessions",
        where=model.label,
        todo="Name the source of the model's own prices, or train a model on these.",
    )


def _rows(model: LoadedModel, folder: Path) -> pl.DataFrame:
    content = read_recorded(folder, GOLDEN, model.manifest.files[GOLDEN])
    return golden_frame(read_document(content)["rows"], model.manifest.columns)


def _moves(rows: pl.DataFrame, time: str, price: str) -> pl.DataFrame:
    return rows.sort(time).select(time, move=pl.col(price).log().diff()).drop_nulls()
