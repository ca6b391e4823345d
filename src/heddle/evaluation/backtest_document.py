"""models/backtest.json: what a back-test found, in figures and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from heddle.domain.typed import plain
from heddle.evaluation.backtest import Rules
from heddle.evaluation.bands import expected_band, sharpe_difference
from heddle.evaluation.followed import Followed
from heddle.evaluation.forecasts import forecast_scores
from heddle.evaluation.returns import cautions, equity, max_drawdown, sharpe, written
from heddle.evaluation.strategies import BENCHMARK, MODEL, Strategy, since, table_row
from heddle.evaluation.walk_forward import Schedule

__all__ = ["backtest_document", "notice"]

Values = npt.NDArray[np.float64]

_FEWEST_UNSEEN = 60  # sessions that the verdict may rest on
_AS_GOOD = 0.01  # a Sharpe ratio this much higher is another strategy than buy and hold


def backtest_document(
    course: Followed, rules: Rules, schedule: Schedule, *, seed: int, draws: int
) -> dict[str, Any]:
    """Return the content of models/backtest.json (its shape: the step `backtest`)."""
    sessions = course.market.sessions
    traded, unseen = _since(course, sessions[1]), _unseen(course)
    verdict = _verdict(traded, unseen, seed=seed, draws=draws)
    first = course.unseen_from
    count = 0 if first is None else sum(s >= first for s in sessions)
    return {
        "horizon": rules.horizon,
        "rules": plain(rules),
        "schedule": plain(schedule),
        "refits": len(course.said.plan),
        "sessions": {
            "first": str(sessions[0]),
            "last": str(sessions[-1]),
            "count": len(sessions),
            "unseen_from": None if first is None else str(first),
            "unseen": count,
        },
        "edge": verdict,
        "words": _words(course, rules, verdict, count),
        "strategies": [table_row(name, traded) for name in traded],
        "unseen": None if unseen is None else [table_row(name, unseen) for name in unseen],
        "forecasts": _forecasts(course, rules.horizon),
        "years": _years(course),
        "by_refit": _by_refit(course),
        "features": _features(course.said.chosen),
        "bands": expected_band(traded[MODEL].course.net, seed=seed, draws=draws),
    }


def notice(document: Mapping[str, Any]) -> str:
    """Return the verdict of a document in one line."""
    return str(document["words"][0])


def _since(course: Followed, first: Any) -> dict[str, Strategy]:
    sessions = course.market.sessions
    return {name: since(s, sessions, first) for name, s in course.found.items()}


def _unseen(course: Followed) -> dict[str, Strategy] | None:
    first, sessions = course.unseen_from, course.market.sessions
    if first is None or first > sessions[-1]:
        return None
    return _since(course, max(first, sessions[1]))


def _verdict(
    traded: Mapping[str, Strategy], unseen: Mapping[str, Strategy] | None, *, seed: int, draws: int
) -> dict[str, Any]:
    """Compare the model's net Sharpe ratio with buy and hold's, or a better one beside it."""
    found, part = traded, "all"
    if unseen is not None and len(unseen[MODEL].course.net) >= _FEWEST_UNSEEN:
        found, part = unseen, "unseen"
    net = {name: s.course.net for name, s in found.items()}
    ratios = {name: sharpe(values) for name, values in net.items()}
    ahead = [n for n in ratios if n != MODEL and ratios[n] > ratios[BENCHMARK] + _AS_GOOD]
    against = max(ahead, key=lambda name: ratios[name], default=BENCHMARK)
    told = sharpe_difference(net[MODEL], net[against], seed=seed, draws=draws)
    figures = {
        "sharpe": ratios[MODEL],
        "against_sharpe": ratios[against],
        "buy_and_hold_sharpe": ratios[BENCHMARK],
        **told,
    }
    return {
        "edge": bool(told["low"] > 0),
        "part": part,
        "sessions": len(net[MODEL]),
        "against": against,
        **written(figures),
    }


def _words(course: Followed, rules: Rules, verdict: Mapping[str, Any], unseen: int) -> list[str]:
    """Return what a reader has to know, the verdict first."""
    said = [_judged(verdict)]
    if unseen:
        said.append(
            f"sessions before {course.unseen_from} were seen by the search: each refit knew only"
            " its past, but which model and which parameters are refitted was chosen on folds of"
            f" those sessions; only the {unseen:,} sessions since are judged unseen"
        )
    else:
        said.append("the search has seen every session of this back-test: it flatters the model")
    said.append(
        "what is traded was chosen in hindsight: a name known today to have survived and risen"
        " flatters every strategy that holds it (survivorship)"
    )
    if unseen:
        said.append(
            "the band that monitoring holds later sessions against is drawn from all sessions of"
            " the back-test, those that the search saw too: it may promise too much"
        )
    if rules.horizon == 1 and rules.trade_at == "close":
        said.append(
            "a forecast of one session traded at the next close: what is foretold is over when it"
            " is traded"
        )
    said += cautions(verdict["sessions"], horizon=rules.horizon)
    return said


def _judged(verdict: Mapping[str, Any]) -> str:
    """Return the verdict in one line."""
    where = "sessions that no choice had seen" if verdict["part"] == "unseen" else "sessions"
    where = f"on {verdict['sessions']:,} {where}"
    hold = _number(verdict["buy_and_hold_sharpe"])
    if verdict["sharpe"] is None:
        return f"no edge: {where} the model never traded; buy and hold has a Sharpe ratio of {hold}"
    words = (
        f"{'an edge' if verdict['edge'] else 'no edge'}: {where} the Sharpe ratio after costs is"
        f" {_number(verdict['sharpe'])}, that of {verdict['against'].replace('_', ' ')}"
        f" {_number(verdict['against_sharpe'])} (difference {_number(verdict['difference'])},"
        f" 95 % interval {_number(verdict['low'])} to {_number(verdict['high'])})"
    )
    if verdict["against"] != BENCHMARK:
        words += f"; that of buy and hold is {hold}"
    return words


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.2f}"


def _forecasts(course: Followed, horizon: int) -> dict[str, Any]:
    """Return figures of the forecasts whose outcome is known: of all rows, and of those unseen."""
    said, first = course.said, course.unseen_from
    known = np.isfinite(said.actual)
    base = dict(zip(course.market.sessions, course.market.closes.tolist(), strict=True))
    late = np.array([first is not None and s >= first for s in said.sessions])
    told: dict[str, Any] = {"unseen": None}
    for name, rows in (("all", known), ("unseen", known & late)):
        if rows.any():
            prices = [base[s] for s, taken in zip(said.sessions, rows, strict=True) if taken]
            told[name] = written(
                forecast_scores(
                    said.actual[rows],
                    said.predicted[rows],
                    base=prices,
                    drift=said.drift[rows],
                    horizon=horizon,
                )
            )
    return told


def _years(course: Followed) -> list[dict[str, Any]]:
    """Return each calendar year beside buy and hold; [] where sessions are no dates."""
    years = np.array([getattr(s, "year", 0) for s in course.market.sessions])
    said = np.array([getattr(s, "year", 0) for s in course.said.sessions])
    said = np.where(np.isfinite(course.said.actual), said, 0)
    told = []
    for year in sorted({int(y) for y in years} - {0}):
        inside, rows = years == year, said == year
        row: dict[str, Any] = {"year": year, "sessions": int(inside.sum()), "forecasts": None}
        for name in (MODEL, BENCHMARK):
            made = course.found[name].course
            row[name] = {"gross_return": _grown(made.gross[inside]), **_part(made.net[inside])}
        if rows.any():
            found = forecast_scores(course.said.actual[rows], course.said.predicted[rows])
            wanted = ("rows", "rmse", "skill", "directional_accuracy", "up_share", "ic")
            row["forecasts"] = written({key: found[key] for key in wanted})
        told.append(row)
    return told


def _part(net: Values) -> dict[str, float | None]:
    return written(
        {"net_return": _grown(net), "sharpe": sharpe(net), "max_drawdown": max_drawdown(net)}
    )


def _grown(returns: Values) -> float:
    return float(equity(returns)[-1] - 1)


def _by_refit(course: Followed) -> list[dict[str, Any]]:
    """Return each refit with what it learned from and what it was worth until the next one."""
    said, sessions = course.said, list(course.market.sessions)
    made, place = course.found[MODEL].course, {s: i for i, s in enumerate(sessions)}
    first = said.plan[0].predict.start
    starts = [place[said.sessions[r.predict.start - first]] for r in said.plan]
    ends = [*starts[1:], len(sessions)]
    told = []
    for refit, kept, start, end in zip(said.plan, said.chosen, starts, ends, strict=True):
        rows = slice(refit.predict.start - first, refit.predict.stop - first)
        error = said.actual[rows] - said.predicted[rows]
        error = error[np.isfinite(error)]
        told.append(
            {
                "refit": refit.number,
                "from": str(sessions[start]),
                "to": str(sessions[end - 1]),
                "train_rows": len(refit.train),
                "features": len(kept) or None,
                "rmse": float(np.sqrt(np.mean(error**2))) if error.size else None,
                "gross_return": _grown(made.gross[start:end]),
                "net_return": _grown(made.net[start:end]),
            }
        )
    return told


def _features(chosen: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Return how many refits kept each feature, most often first; [] where none selects."""
    count: dict[str, int] = {}
    for kept in chosen:
        for name in kept:
            count[name] = count.get(name, 0) + 1
    order = sorted(count, key=lambda name: (-count[name], name))
    return [{"feature": n, "refits": count[n], "share": count[n] / len(chosen)} for n in order]
