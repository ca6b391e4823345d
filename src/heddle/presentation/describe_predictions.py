"""Tables of what was predicted, and of what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from heddle.domain.entities import Prediction
from heddle.monitoring.track_record import Check

__all__ = ["checks_table", "predictions_table"]

_MARKS = {"ok": "[green]ok[/]", "alarm": "[red]alarm[/]", "unknown": "[dim]-[/]"}


def predictions_table(predictions: Sequence[Prediction]) -> Table:
    """Return a row for each prediction: dates, prices, interval, direction, and what came."""
    table = Table("as of", "target", box=None, pad_edge=False)
    for word in ("close", "predicted", "interval", "return"):
        table.add_column(word, justify="right")
    table.add_column("direction")
    table.add_column("came", justify="right")
    table.add_column("model")
    for one in predictions:
        table.add_row(
            str(one.as_of),
            str(one.target_session),
            _price(one.price),
            _price(one.predicted_price),
            _interval(one),
            f"{one.predicted_return:+.2%}",
            one.direction,
            "" if one.realised_price is None else _price(one.realised_price),
            f"{one.model_name}/{one.model_version}",
        )
    return table


def checks_table(title: str, checks: Sequence[Check]) -> Table:
    """Return a row for each check."""
    table = Table("check", "", box=None, pad_edge=False, title=escape(title), title_justify="left")
    for word in ("value", "limit"):
        table.add_column(word, justify="right")
    table.add_column("what it says")
    for one in checks:
        row = (_MARKS[one.state], _number(one.value), _number(one.limit), escape(one.words))
        table.add_row(one.name, *row)
    return table


def _interval(one: Prediction) -> str:
    if one.lower_price is None or one.upper_price is None:
        return ""
    return f"{_price(one.lower_price)} to {_price(one.upper_price)}"


def _price(value: float) -> str:
    return f"{value:,.2f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
