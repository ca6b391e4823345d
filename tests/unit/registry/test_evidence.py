from heddle.registry.evidence import evidence

SELECTION = {
    "edge": False,
    "against": "zero",
    "metric": "rmse",
    "p_value": 0.4,
    "interval": [-0.1, 0.2],
    "deflated_sharpe": None,
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
    keys = ("sharpe", "max_drawdown", "band", "rules")
    assert evidence(None, BACKTEST) == {key: told[key] for key in keys}


def test_where_nothing_was_read_nothing_is_told():
    """A project without a selection has no evidence at all, rather than a bad one."""
    assert evidence(None, None) == {}
