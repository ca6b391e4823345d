from heddle.registry.evidence import backtest_words, evidence

SELECTION = {
    "edge": False,
    "against": "zero",
    "metric": "rmse",
    "p_value": 0.4,
    "p_corrected": 0.7,
    "interval": [-0.1, 0.2],
    "deflated_sharpe": None,
    "bets_against": "always_up",
    "candidates": 4,
    "trials": 33,
    "horizon": 5,
    "words": "no edge: …",
    "table": [{"candidate": "ridge"}],
}
BACKTEST = {
    "strategies": [
        {"strategy": "buy_and_hold", "net": {"sharpe": 1.2, "max_drawdown": -0.6}},
        {"strategy": "model", "net": {"sharpe": 0.3, "max_drawdown": -0.4, "volatility": 0.2}},
    ],
    "bands": {"window": 60, "sharpe": {"low": -2.0, "high": 2.5}},
    "rules": {"horizon": 5, "side": "long_flat"},
    "edge": {
        "edge": False,
        "part": "unseen",
        "sessions": 1640,
        "against": "buy_and_hold",
        "sharpe": 0.3,
        "difference": -0.9,
        "low": -2.0,
        "high": 0.25,
        "p_value": 0.93,
    },
}


def test_a_manifest_keeps_the_verdict_and_leaves_the_tables_where_they_are():
    """Every figure that a gate or a page asks for; what has no value is null."""
    told = evidence(SELECTION, None)
    assert told == {key: value for key, value in SELECTION.items() if key != "table"}


def test_of_a_back_test_the_model_after_costs_and_its_band_are_kept():
    """Buy and hold is told by the report."""
    told = evidence(SELECTION, BACKTEST)
    assert (told["sharpe"], told["max_drawdown"]) == (0.3, -0.4)
    assert told["band"] == BACKTEST["bands"]
    assert "volatility" not in told
    assert told["rules"] == BACKTEST["rules"]
    verdict = {key: value for key, value in BACKTEST["edge"].items() if key != "sharpe"}
    assert told["backtest"] == verdict
    keys = ("sharpe", "max_drawdown", "band", "rules", "backtest")
    assert evidence(None, BACKTEST) == {key: told[key] for key in keys}


def test_where_nothing_was_read_nothing_is_told():
    """A project without a selection has no evidence at all, rather than a bad one."""
    assert evidence(None, None) == {}


def test_the_verdict_of_the_back_test_is_a_line_of_words():
    """Which sessions, against whom, by how much and how sure; or that nothing was ever traded."""
    found = evidence(None, BACKTEST)
    assert backtest_words(found) == (
        "the back-test on 1,640 unseen sessions: no edge over buy and hold"
        " (difference of the Sharpe ratios -0.90, 95 % interval -2.00 to 0.25)"
    )
    never = {**found["backtest"], "part": "all", "difference": None, "low": None, "high": None}
    assert backtest_words({"backtest": never}) == (
        "the back-test on 1,640 already seen sessions: no edge over buy and hold"
        " (the model never traded)"
    )
    assert backtest_words(evidence(SELECTION, None)) is None
