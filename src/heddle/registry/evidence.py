"""What speaks for a model besides its figures: the selection among rivals, and the back-test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["backtest_words", "evidence"]

_CHOSEN = (
    *("edge", "against", "metric", "p_value", "p_corrected", "interval", "deflated_sharpe"),
    *("bets_against", "candidates", "trials", "horizon", "words"),
)
_PROVEN = ("edge", "part", "sessions", "against", "difference", "low", "high", "p_value")
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
        backtest: models/backtest.json; its verdict (as `backtest`), the strategy's net figures, the
            band in which chance leaves them (`heddle.evaluation.bands`) and the rules by which it
            trades are kept.
    """
    told = {} if selection is None else {k: selection[k] for k in _CHOSEN if k in selection}
    if backtest is None:
        return told
    rows = {row["strategy"]: row for row in backtest["strategies"]}
    net = rows["model"]["net"]
    figures = {key: net.get(key) for key in _TRADED}
    proven = {k: backtest["edge"][k] for k in _PROVEN if k in backtest.get("edge", {})}
    kept = {"band": backtest["bands"], "rules": backtest.get("rules", {})}
    return {**told, **figures, **kept, **({"backtest": proven} if proven else {})}


def backtest_words(told: Mapping[str, Any]) -> str | None:
    """Return what the back-test found, in one line; None where a manifest's evidence has none.

    >>> found = {"edge": False, "part": "unseen", "sessions": 640, "against": "buy_and_hold"}
    >>> backtest_words({"backtest": found | {"difference": -0.31, "low": -1.0, "high": 0.4}})
    'the back-test on 640 unseen sessions: no edge over buy and hold (difference of the Sharpe \
ratios -0.31, 95 % interval -1.00 to 0.40)'
    """
    found = told.get("backtest")
    if not found:
        return None
    which = "unseen" if found["part"] == "unseen" else "already seen"
    head = (
        f"the back-test on {found['sessions']:,} {which} sessions:"
        f" {'an edge' if found['edge'] else 'no edge'} over {found['against'].replace('_', ' ')}"
    )
    if found.get("difference") is None:
        return f"{head} (the model never traded)"
    sizes = [f"{found[key]:.2f}" for key in ("difference", "low", "high")]
    return (
        f"{head} (difference of the Sharpe ratios {sizes[0]}, 95 % interval {sizes[1]} to"
        f" {sizes[2]})"
    )
