"""The course of strategies over sessions: wealth, drawdown, rolling Sharpe, position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from heddle.evaluation.returns import drawdowns, equity
from heddle.presentation.report.charts import BASE, FAINT, INK, SERIES, axis, chart, days, line
from heddle.presentation.report.course import rolling_mean, rolling_sharpe, thinned
from heddle.presentation.report.markup import Html, join
from heddle.presentation.report.wording import number, percent

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Values = npt.NDArray[np.float64]

__all__ = ["Earned", "Sessions", "earned_charts", "over_sessions"]

_WIDTH = 60  # sessions of a rolling figure
_OTHERS = (BASE, SERIES[2], SERIES[1], SERIES[3], SERIES[5])
_DASHES = ("solid", "solid", "dash", "dot", "dashdot")  # lines may lie on each other


@dataclass(frozen=True, slots=True)
class Earned:
    """What one strategy earned each session, as a share of its wealth."""

    name: str
    net: Values
    gross: Values | None = None
    position: Values | None = None


@dataclass(frozen=True, slots=True)
class Sessions:
    """The days of a course, the first one that no choice had seen, and how many are drawn."""

    days: Sequence[str]  # ISO dates, ascending
    unseen: str | None = None
    most: int = 2000

    def trace(
        self, values: Values, colour: str, name: str, *, keep: Sequence[int] = (), **stroke: Any
    ) -> dict[str, Any]:
        """Return a line over the days; hovering tells day and value. `keep` are drawn for sure."""
        at = thinned(len(self.days), self.most, keep)
        along, heights = [self.days[i] for i in at], [float(values[i]) for i in at]
        made = line(along, heights, colour, name=name, **stroke)
        return made | {"hoverinfo": "all", "hovertemplate": "%{x|%Y-%m-%d}: %{y:,.4~g}"}


def over_sessions(sessions: Sessions) -> dict[str, Any]:
    """Return the part of a layout that has days along x; those that are unseen lie in a shade."""
    made = {"xaxis": days("Session")}
    first, last = sessions.unseen, sessions.days[-1] if sessions.days else ""
    if first is None or first > last:
        return made
    tall = {"xref": "x", "yref": "paper", "x0": first, "y0": 0, "y1": 1}
    shade = {"type": "rect", "x1": last, "fillcolor": SERIES[4], "opacity": 0.12, "layer": "below"}
    rule = {"type": "line", "x1": first, "line": {"color": INK, "width": 1, "dash": "dot"}}
    word = {
        "text": "unseen \N{RIGHTWARDS ARROW}",
        "font": {"color": INK, "size": 11.5},
        "showarrow": False,
        "xref": "x",
        "x": first,
        "xanchor": "right",
        "xshift": -3,
        "yref": "paper",
        "y": 0,
        "yanchor": "bottom",
    }
    return made | {
        "shapes": [tall | shade | {"line": {"width": 0}}, tall | rule],
        "annotations": [word],
    }


def earned_charts(model: Earned, others: Sequence[Earned], sessions: Sessions) -> Html:
    """Return the drawings; `others` best known first, for the first one stands in all of them."""
    return join(
        [
            _wealth(model, others, sessions),
            _drawdown(model, others[:1], sessions),
            _sharpe(model, others[:1], sessions),
            _position(model, sessions),
        ]
    )


def _net(model: Earned, others: Sequence[Earned]) -> list[tuple[str, Values, str]]:
    """Return name, net returns and colour of each line, the model first."""
    beside = zip(others, _OTHERS, strict=False)
    return [("model, net", model.net, SERIES[0]), *((o.name, o.net, c) for o, c in beside)]


def _on_top(trace: dict[str, Any], order: int) -> dict[str, Any]:
    """Return a line that is drawn above those of a lower order, wherever the legend has it."""
    return trace | {"zorder": order}


def _layout(sessions: Sessions, title: str, **more: Any) -> dict[str, Any]:
    return over_sessions(sessions) | {"yaxis": axis(title, **more)}


def _wealth(model: Earned, others: Sequence[Earned], sessions: Sessions) -> Html:
    moving = [other for other in others if other.net.any()]  # who never trades stays at 1
    paths = [(name, equity(net), colour) for name, net, colour in _net(model, moving)]
    data = [
        _on_top(sessions.trace(wealth, colour, name, dash=dash), order)
        for order, ((name, wealth, colour), dash) in enumerate(zip(paths, _DASHES, strict=False))
    ]
    data[0] = _on_top(data[0], len(data) + 1)
    data[0]["line"]["width"] = 2.2
    if model.gross is not None:
        whole = equity(model.gross)
        before = sessions.trace(whole, SERIES[0], "model, before costs", dash="dot")
        data.insert(1, _on_top(before, len(data)))
    ends = "; ".join(f"{name} {number(float(wealth[-1]))}" for name, wealth, _ in paths)
    says = f"One unit at the start became: {ends}. The axis is logarithmic."
    layout = _layout(sessions, "Wealth, start = 1", type="log", nticks=6)
    return chart("backtest-wealth", "Wealth", says, data, layout, height=420)


def _drawdown(model: Earned, others: Sequence[Earned], sessions: Sessions) -> Html:
    data, deepest = [], []
    for name, net, colour in _net(model, others):
        fallen = drawdowns(net) * 100
        low = int(fallen.argmin())
        data.append(sessions.trace(fallen, colour, name, keep=[low]))
        deepest.append(f"{name} {percent(float(fallen[low]) / 100)} on {sessions.days[low]}")
    data[0] = _on_top(data[0], 1)
    says = f"How far below the highest wealth so far; deepest: {'; '.join(deepest)}."
    layout = _layout(sessions, "Below the peak (%)")
    return chart("backtest-drawdown", "Drawdown", says, data, layout, height=280)


def _sharpe(model: Earned, others: Sequence[Earned], sessions: Sessions) -> Html:
    data = [
        sessions.trace(rolling_sharpe(net, _WIDTH), colour, name)
        for name, net, colour in _net(model, others)
    ]
    data[0] = _on_top(data[0], 1)
    says = (
        f"Of the last {_WIDTH} sessions, per year, after costs. So short a stretch says little: "
        "without any worth a strategy lies within ±4 nineteen times of twenty."
    )
    layout = _layout(sessions, "Sharpe ratio", zeroline=True)
    title = f"Sharpe ratio over {_WIDTH} sessions"
    return chart("backtest-sharpe", title, says, data, layout, height=280)


def _position(model: Earned, sessions: Sessions) -> Html | None:
    if model.position is None:
        return None
    held = float((model.position != 0).mean())
    mean = float(model.position.mean())
    data = [
        sessions.trace(model.position, FAINT, "position", shape="hv", width=0.8) | {"opacity": 0.5},
        sessions.trace(
            rolling_mean(model.position, _WIDTH), SERIES[0], f"mean of {_WIDTH} sessions", width=2.2
        ),
    ]
    says = (
        f"Share of the wealth that is invested, below 0 sold short. It was other than 0 on "
        f"{percent(held)} of the sessions, and {percent(mean)} on average."
    )
    layout = _layout(sessions, "Position (share of wealth)", zeroline=True)
    return chart("backtest-position", "Position", says, data, layout, height=280)
