import json
import math
from datetime import date, timedelta

import numpy as np
import pytest

from heddle.evaluation import returns as r
from heddle.evaluation.backtest import Rules
from heddle.evaluation.backtest_document import backtest_document, notice
from heddle.evaluation.followed import Said, followed
from heddle.evaluation.strategies import Market
from heddle.evaluation.walk_forward import Schedule, refits

ROWS, BEGIN = 700, 200
PLAN = Schedule(initial_rows=BEGIN, refit_every=50)
DAYS = tuple(date(2020, 1, 1) + timedelta(days=i) for i in range(ROWS + 1))


def walked(knows=0.0, unseen=DAYS[500], chosen=None):
    """Forecasts that know a part of what comes in the session after they are traded."""
    dice = np.random.default_rng(1)
    daily = dice.normal(0.0003, 0.02, ROWS + 1)
    closes = 50 * np.exp(np.cumsum(daily))
    plan = refits(PLAN, ROWS, horizon=1)
    said = Said(
        sessions=DAYS[BEGIN:ROWS],
        predicted=(knows * np.r_[daily[2:], 0] + dice.normal(0, 0.01, ROWS))[BEGIN:],
        actual=daily[1:][BEGIN:],
        drift=np.full(ROWS - BEGIN, 0.0003),
        refit=tuple(f.number for f in plan for _ in f.predict),
        plan=plan,
        chosen=chosen or ((),) * len(plan),
    )
    market = Market(sessions=DAYS[BEGIN:], opens=closes[BEGIN:], closes=closes[BEGIN:])
    return followed(said, market, Rules(trade_at="close"), unseen)


def document(**changes):
    return backtest_document(walked(**changes), Rules(trade_at="close"), PLAN, seed=1, draws=200)


def test_noise_has_no_edge_and_the_document_says_so_first():
    """On what no choice had seen; with what was seen, and survivorship, after it."""
    told = document()
    assert not told["edge"]["edge"]
    assert told["edge"]["part"] == "unseen"
    assert told["edge"]["sessions"] == told["sessions"]["unseen"] == ROWS + 1 - 500
    assert notice(told).startswith(
        "no edge: on 201 sessions that no choice had seen the Sharpe ratio after costs is "
    )
    assert "sessions before 2021-05-15 were seen by the search" in told["words"][1]
    assert "only the 201 sessions since are judged unseen" in told["words"][1]
    assert "survivorship" in told["words"][2]
    assert (
        "is drawn from all sessions of the back-test, those that the search saw" in told["words"][3]
    )


def test_a_forecast_that_knows_what_comes_has_an_edge():
    """Its Sharpe ratio lies above that of buy and hold beyond chance."""
    told = document(knows=1.0)
    assert told["edge"]["edge"]
    assert told["edge"]["low"] > 0
    assert notice(told).startswith("an edge: on 201 sessions")
    assert told["strategies"][0]["net"]["alpha"] > 0.5


def test_a_model_that_never_trades_is_told_in_words():
    """Persistence as the winner: no ratio, no interval, no edge."""
    rules = Rules(threshold=9.0)
    made = walked()
    still = followed(made.said, made.market, rules, made.unseen_from)
    told = backtest_document(still, rules, PLAN, seed=1, draws=20)
    assert not told["edge"]["edge"]
    assert told["edge"]["p_value"] is None
    assert notice(told).startswith(
        "no edge: on 201 sessions that no choice had seen the model never traded; buy and hold has"
    )


def test_the_figures_are_those_of_the_courses():
    """All sessions but the first, in which nothing happens; the unseen ones apart."""
    made, told = walked(), document()
    net = made.found["model"].course.net
    assert told["strategies"][0]["net"]["sharpe"] == r.sharpe(net[1:])
    assert told["unseen"][0]["net"]["sharpe"] == r.sharpe(net[500 - BEGIN :])
    assert [row["strategy"] for row in told["strategies"]] == list(made.found)
    assert told["forecasts"]["all"]["rows"] == ROWS - BEGIN
    assert told["forecasts"]["unseen"]["rows"] == ROWS - 500


@pytest.mark.parametrize("part", ["years", "by_refit"])
def test_the_parts_multiply_to_the_whole(part):
    """Years and refits leave no session out and count none twice."""
    told = document()
    rows = [row["model"] if part == "years" else row for row in told[part]]
    for key in ("gross", "net"):
        grown = math.prod(1 + row[f"{key}_return"] for row in rows)
        assert grown - 1 == pytest.approx(told["strategies"][0][key]["total_return"])


def test_a_forecast_that_is_over_when_it_is_traded_is_told():
    """One session ahead, traded at the next close: what was foretold has happened by then."""
    assert "what is foretold is over when it is traded" in document()["words"][-1]
    rules = Rules(trade_at="open")
    told = backtest_document(walked(), rules, PLAN, seed=1, draws=20)
    assert not any("is over when" in line for line in told["words"])


def test_without_test_rows_the_verdict_is_on_what_the_search_has_seen():
    """And that is said."""
    told = document(unseen=None)
    assert told["unseen"] is told["forecasts"]["unseen"] is None
    assert told["edge"]["part"] == "all"
    assert told["words"][1].startswith("the search has seen every session of this back-test")


def test_a_handful_of_unseen_sessions_is_no_ground_for_a_verdict():
    """Fewer than 60 are shown, but all sessions are judged."""
    told = document(unseen=DAYS[ROWS - 20])
    assert told["edge"]["part"] == "all"
    assert told["sessions"]["unseen"] == 21
    assert told["unseen"][0]["net"]["sessions"] == 21


def test_how_often_a_feature_was_kept_is_counted_over_refits():
    """Most often first, then by name."""
    kept = [("a", "b"), ("b",), *[("b", "c")] * 8]
    told = document(chosen=tuple(kept))
    assert [(row["feature"], row["refits"]) for row in told["features"]] == [
        ("b", 10), ("c", 8), ("a", 1)
    ]  # fmt: skip
    assert told["by_refit"][0]["features"] == 2
    assert document()["by_refit"][0]["features"] is None


def test_the_document_holds_no_infinity_and_is_the_same_again():
    """JSON without NaN, byte for byte."""
    one, two = (json.dumps(document(), sort_keys=True, allow_nan=False) for _ in range(2))
    assert one == two
