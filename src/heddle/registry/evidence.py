"""What speaks for a model besides its figures: the selection among rivals, and the back-test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["evidence"]

_CHOSEN = (
    *("edge", "against", "metric", "p_value", "interval", "deflated_sharpe", "trials"),
    *("horizon", "words"),
)
_TRADED = ("sharpe", "max_drawdown")


def evidence(
    selection: Mapping[str, Any] | None, backtest: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return what a manifest keeps of both documents; {} of neither.

    >>> told = evidence({"edge": False, "against": "zero", "table": []}, None)
    >>> told["edge"], told["against"], "table" in told
    (False, 'zero', False)

    Args:
        selection: models/selection.json.
        backtest: models/backtest.json; the strategy's net figures, the band in which chance
            leaves them (`heddle.evaluation.bands`) and the rules by which it trades are kept.
    """
    told = {} if selection is None else {k: selection[k] for k in _CHOSEN if k in selection}
    if backtest is None:
        return told
    rows = {row["strategy"]: row for row in backtest["strategies"]}
    net = rows["model"]["net"]
    figures = {key: net.get(key) for key in _TRADED}
    return {**told, **figures, "band": backtest["bands"], "rules": backtest.get("rules", {})}
