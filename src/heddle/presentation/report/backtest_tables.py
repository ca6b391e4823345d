"""Figures of strategies, years, refits and trades in tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from heddle.presentation.report.charts import SERIES, bars, chart
from heddle.presentation.report.markup import Column, Html, el, folded, join, para, table
from heddle.presentation.report.wording import finite, number, plural, rate, share, value

if TYPE_CHECKING:
    import polars as pl

__all__ = ["features_kept", "last_trades", "refits", "strategy_tables", "years"]

Document = Mapping[str, Any]
Figures = tuple[tuple[Column, Callable[[Any], str], tuple[str, ...]], ...]
_TOP = 20
_TRADES = 15
_HOW = "How it traded: turnover and costs a year, break-even in bps of each side"


def _figure(head: str, write: Callable[[Any], str], *path: str, hint: str = "") -> Any:
    return Column(head, number=True, hint=hint), write, path


_EARNED: Figures = (
    _figure("Gross a year", rate, "gross", "annual_return", hint="before costs, compound"),
    _figure("Net", rate, "net", "annual_return", hint="a year after costs, compound"),
    _figure("Volatility", rate, "net", "volatility", hint="of a year"),
    _figure("Sharpe gross", number, "gross", "sharpe", hint="before costs"),
    _figure("Net", number, "net", "sharpe", hint="Sharpe ratio after costs"),
    _figure("Sortino", number, "net", "sortino", hint="after costs"),
    _figure("Calmar", number, "net", "calmar", hint="after costs"),
    _figure("Drawdown", rate, "net", "max_drawdown", hint="the deepest, after costs"),
    _figure("Length", number, "net", "max_drawdown_sessions", hint="its sessions below the peak"),
)
_TRADED: Figures = (
    _figure("Turnover", number, "annual_turnover", hint="a year, in capitals, both ways"),
    _figure("Costs", rate, "annual_costs", hint="a year: turnover times costs and slippage"),
    _figure("Break-even", number, "break_even_bps", hint="bps per side that leave nothing"),
    _figure("Exposure", rate, "exposure", hint="sessions with a position"),
    _figure("Position", rate, "mean_position", hint="on average"),
    _figure("Trades", number, "trades", "trades"),
    _figure("Hits", rate, "trades", "hit_rate", hint="trades that gained after costs"),
    _figure("Profit factor", number, "trades", "profit_factor", hint="gained over lost"),
)
_RISK: Figures = (
    _figure("VaR 95", rate, "net", "value_at_risk_95", hint="of a session"),
    _figure("CVaR 95", rate, "net", "expected_shortfall_95", hint="of a session"),
    _figure("Alpha", rate, "net", "alpha", hint="a year, against buy and hold"),
    _figure("Beta", number, "net", "beta", hint="against buy and hold"),
    _figure("Information ratio", number, "net", "information_ratio", hint="to buy and hold"),
)


def strategy_tables(found: Document) -> list[Html | None]:
    """Return the figures of every strategy, of all sessions and of those that were unseen."""
    rules, days = found.get("rules") or {}, found.get("sessions") or {}
    cost = sum(finite(rules.get(key)) or 0.0 for key in ("costs_bps", "slippage_bps")) / 1e4
    since = value(days.get("unseen_from"))
    spans = (
        ("All sessions", found.get("strategies")),
        (f"Unseen sessions, from {since}", found.get("unseen")),
    )
    made: list[Html | None] = []
    for span, rows in spans:
        told = [_with_costs(row, cost) for row in rows or ()]
        if told:
            made += [
                el("h3", span),
                _strategies("What each strategy earned", _EARNED, told),
                _strategies(_HOW, _TRADED, told),
                folded("Risk, and beside buy and hold", _strategies("After costs", _RISK, told)),
            ]
    return made


def _with_costs(row: Document, cost: float) -> Document:
    turnover = finite(row.get("annual_turnover"))
    return {**row, "annual_costs": None if turnover is None else turnover * cost}


def _strategies(caption: str, figures: Figures, rows: Sequence[Document]) -> Html:
    strong = [i for i, row in enumerate(rows) if row.get("strategy") == "model"]
    named = [([_name(row)], row) for row in rows]
    return _figures(caption, ("Strategy",), named, figures, strong=strong)


def _figures(
    caption: str,
    names: Sequence[str],
    rows: Sequence[tuple[Sequence[object], Document]],
    figures: Figures,
    *,
    strong: Sequence[int] = (),
) -> Html:
    """Return a table: what names each row, then its figures."""
    heads = [*map(Column, names), *(head for head, _, _ in figures)]
    cells = [
        [*named, *(write(_at(row, path)) for _, write, path in figures)] for named, row in rows
    ]
    return table(caption, heads, cells, strong=strong)


def _name(row: Document) -> str:
    return value(row.get("strategy")).replace("_", "\N{NO-BREAK SPACE}")


def _at(row: Any, path: Sequence[str]) -> Any:
    for key in path:
        row = row.get(key) if isinstance(row, Mapping) else None
    return row


def years(rows: Sequence[Document]) -> Html | None:
    """Return what each calendar year brought, beside buy and hold."""
    if not rows:
        return None
    figures: Figures = (
        _figure("Sessions", number, "sessions"),
        _figure("Gross", rate, "model", "gross_return", hint="of the model, before costs"),
        _figure("Net", rate, "model", "net_return", hint="of the model, after costs"),
        _figure("Buy and hold", rate, "buy_and_hold", "net_return", hint="after costs"),
        _figure("Sharpe", number, "model", "sharpe", hint="of the model, after costs"),
        _figure("Of holding", number, "buy_and_hold", "sharpe", hint="of buy and hold"),
        _figure("Drawdown", rate, "model", "max_drawdown", hint="the deepest, after costs"),
        _figure("Direction", rate, "forecasts", "directional_accuracy", hint="foretold right"),
        _figure("Rises", rate, "forecasts", "up_share", hint="base rate of the direction"),
        _figure("IC", number, "forecasts", "ic"),
    )
    pairs = [[finite(_at(r, (n, "net_return"))) for n in ("model", "buy_and_hold")] for r in rows]
    ahead = sum(a is not None and b is not None and a > b for a, b in pairs)
    of = plural(len(rows), "year")
    said = f"After costs the model was ahead of buy and hold in {ahead} of {of}."
    named = [([value(row.get("year"))], row) for row in rows]
    told = _figures("Calendar years", ("Year",), named, figures)
    return join([el("h3", "Year by year"), para(said), told])


def features_kept(found: Document) -> Html | None:
    """Return how many refits kept each feature; None where none was chosen."""
    rows = [r for r in found.get("features") or () if finite(r.get("refits")) is not None]
    if not rows:
        return None
    top = rows[:_TOP]
    names = [value(r.get("feature")) for r in top]
    refitted = int(finite(found.get("refits")) or 0)
    data, layout, height = bars(
        names,
        [r["refits"] for r in top],
        title="Refits",
        colours=[SERIES[0]] * len(top),
        said=[f"{n}: {number(r['refits'])} of {refitted}" for n, r in zip(names, top, strict=True)],
    )
    layout["xaxis"] |= {"nticks": 4}  # long names leave little room on a narrow screen
    always = sum(r["refits"] == refitted for r in rows)
    says = (
        f"How many of {plural(refitted, 'refit')} kept it: {plural(len(rows), 'feature')} at least "
        f"once, {always} each time. What is kept now and then stands for little."
    )
    heads = (Column("Feature"), Column("Refits", number=True), Column("Share", number=True))
    cells = [
        [value(r.get("feature")), number(r["refits"]), share(r["refits"], refitted)] for r in rows
    ]
    return join(
        [
            chart(
                "backtest-features", "Features that were kept", says, data, layout, height=height
            ),
            folded(plural(len(rows), "feature"), table("All features", heads, cells)),
        ]
    )


def refits(rows: Sequence[Document]) -> Html | None:
    """Return each refit with what it was worth until the next one."""
    if not rows:
        return None
    figures: Figures = (
        _figure("Rows learnt from", number, "train_rows"),
        _figure("Features", number, "features"),
        _figure("RMSE", number, "rmse"),
        _figure("Gross", rate, "gross_return", hint="return before costs"),
        _figure("Net", rate, "net_return", hint="return after costs"),
    )
    named = [([_day(r.get("from")), _day(r.get("to"))], r) for r in rows]
    told = _figures("From each refit to the next", ("From", "To"), named, figures)
    return folded(plural(len(rows), "refit"), told)


def last_trades(trades: pl.DataFrame | None) -> Html | None:
    """Return the trades that were entered last, the last one on top."""
    if trades is None or trades.is_empty() or "entry" not in trades.columns:
        return None
    rows = trades.sort("entry", descending=True, maintain_order=True).head(_TRADES).to_dicts()
    heads = (
        Column("Entry"),
        Column("Exit"),
        Column("Side"),
        Column("Share of capital", number=True),
        Column("Gross", number=True, hint="return before costs"),
        Column("Net", number=True, hint="return after costs"),
    )
    cells = [
        [
            _day(r["entry"]),
            _day(r.get("exit")) if r.get("closed", True) else "still held",
            value(r.get("side")),
            rate(r.get("size")),
            rate(r.get("gross")),
            rate(r.get("net")),
        ]
        for r in rows
    ]
    made = table(f"The last {len(rows)} of {plural(trades.height, 'trade')}", heads, cells)
    return folded("Last trades", made, opened=True)


def _day(given: Any) -> Html:
    return el("span", str(given)[:10], class_="day")
