"""Gates: every reason at once, bounds inclusive, champions only on equal rows."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.evaluation.intervals import Interval
from heddle.evaluation.metrics import METRICS
from heddle.registry.gates import Gates, decide
from heddle.registry.manifest import Manifest, Split
from heddle.validation.contract import Column

CHALLENGER = Manifest(
    name="price",
    best_model="ridge",
    parameters={},
    target="y",
    columns={"a": Column(type="float")},
    seen={"a": {"min": 0.0, "max": 1.0}},
    metric="wmape",
    metrics={"wmape": 12.0, "r2": 0.85, "mape": 14.0},
    interval=Interval(level=0.9, half=0.2),
    split=Split(hash="s1", strategy="random", seed=42, train_rows=80, test_rows=20),
    data={"v1": {"content_hash": "d1"}},
    config_hash="c",
    libraries={},
    baselines={"mean": {"wmape": 40.0}, "linear": {"wmape": 25.0}},
)


def champion(**metrics):
    return replace(CHALLENGER, metrics={**CHALLENGER.metrics, **metrics})


def test_the_first_version_is_judged_without_a_champion():
    """Bounds and baselines alone decide."""
    found = decide(CHALLENGER, None, Gates(minimum={"r2": 0.85}, maximum={"mape": 14.0}))
    assert found.promoted
    assert found.reasons == (
        "r2 0.85 is at least 0.85",
        "mape 14 is at most 14",
        "wmape 12 beats the best baseline, linear (25)",
    )
    assert found.comparison == {"metric": "wmape", "challenger": CHALLENGER.metrics}


def test_what_was_not_asked_is_not_claimed():
    """Without gates nothing is said to have been passed; against a champion, its figure is."""
    none = Gates(baselines=False)
    assert decide(CHALLENGER, None, none).reasons == ("no gate is configured",)
    told = decide(CHALLENGER, champion(wmape=13.0), none).reasons
    assert told == ("wmape 12 beats the champion's 13",)


def test_a_version_without_an_edge_is_refused_where_one_is_asked_for():
    """The words say what was compared and how to promote it deliberately."""
    evidence = {"edge": False, "against": "zero", "p_value": 0.4321, "trials": 33}
    evidence["p_corrected"] = 0.7
    version = replace(CHALLENGER, evidence=evidence | {"deflated_sharpe": 0.51234})
    asked = decide(version, None, Gates(edge=True))
    assert asked.reasons == (
        (
            "no edge: not better than zero"
            " (p 0.432, corrected p 0.7, deflated Sharpe ratio 0.512, 33 trials)"
        ),
    )
    assert asked.todo.endswith("all the same: ml_experiments.promote.gates.edge=false.")
    beaten = replace(version, baselines={"zero": {CHALLENGER.metric: -1e9}})
    both = decide(beaten, None, Gates(edge=True))
    assert both.todo.endswith(
        "ml_experiments.promote.gates.edge=false ml_experiments.promote.gates.baselines=false."
    )
    unknown = evidence | {"p_value": None, "p_corrected": None}
    few = decide(replace(CHALLENGER, evidence=unknown), None, Gates(edge=True))
    assert few.reasons == ("no edge: not better than zero (33 trials)",)
    never = decide(CHALLENGER, None, Gates(edge=True))
    assert never.reasons == ("no edge: it was never compared with a baseline, pair by pair",)
    assert decide(version, None, Gates()).promoted


BACKTEST = {"edge": True, "part": "unseen", "sessions": 640, "against": "buy_and_hold",
            "difference": 0.9, "low": 0.1, "high": 1.7, "p_value": 0.01}  # fmt: skip
BEYOND = (
    "the back-test on 640 unseen sessions: an edge over buy and hold"
    " (difference of the Sharpe ratios 0.90, 95 % interval 0.10 to 1.70)"
)


def test_what_the_back_test_found_is_told_and_may_be_asked_for():
    """Always among the reasons of a promotion; a gate where it is wanted, on unseen sessions."""
    version = replace(CHALLENGER, evidence={"backtest": BACKTEST})
    for gates in (Gates(), Gates(backtest=True)):
        found = decide(version, None, gates)
        assert (found.promoted, found.reasons[-1]) == (True, BEYOND)
    none = replace(CHALLENGER, evidence={"backtest": BACKTEST | {"edge": False}})
    said = BEYOND.replace("an edge", "no edge")
    assert decide(none, None, Gates()).reasons[-1] == said
    assert decide(none, None, Gates(backtest=True)).reasons == (said,)
    seen = replace(CHALLENGER, evidence={"backtest": BACKTEST | {"part": "all"}})
    refused = decide(seen, None, Gates(backtest=True))
    assert refused.reasons == (BEYOND.replace("unseen", "already seen"),)
    never = decide(CHALLENGER, None, Gates(backtest=True))
    assert never.reasons == ("no back-test says whether it has an edge",)


def test_an_edge_is_what_a_promotion_rests_on():
    """Beside the other gates."""
    version = replace(CHALLENGER, evidence={"edge": True, "against": "zero"})
    found = decide(version, None, Gates(edge=True))
    assert (found.promoted, found.todo) == (True, "")
    assert found.reasons[-1] == "it has an edge over zero"


@pytest.mark.parametrize("key", METRICS)
def test_any_metric_may_be_the_primary_one(key):
    """Refused and promoted in its own name and direction, by baselines and champion alike."""
    good, bad = (1.0, 2.0) if METRICS[key].direction == "minimise" else (2.0, 1.0)
    one = replace(CHALLENGER, metric=key, metrics={key: good}, baselines={"mean": {key: bad}})
    worse = replace(one, metrics={key: bad}, baselines={"mean": {key: good}})
    assert decide(one, worse, Gates()).reasons == (
        f"{key} {good:g} beats the best baseline, mean ({bad:g})",
        f"{key} {good:g} beats the champion's {bad:g}",
    )
    assert decide(worse, one, Gates()).reasons == (
        f"{key} {bad:g} does not beat the baseline mean ({good:g})",
        f"{key} {bad:g} is not better than the champion's {good:g}",
    )


def test_a_champion_without_the_metric_cannot_be_compared():
    """That is what is said, not that its test was another."""
    other = replace(CHALLENGER, metrics={"r2": 0.9})
    assert decide(CHALLENGER, other, Gates()).reasons == (
        "the champion has no wmape to compare with",
    )


def test_every_reason_is_named_at_once():
    """Two bounds, a baseline and the champion: four reasons in one answer."""
    bad = replace(CHALLENGER, metrics={"wmape": 30.0, "r2": 0.3, "mape": 35.0})
    gates = Gates(minimum={"r2": 0.4}, maximum={"mape": 30.0}, gain=0.01)
    assert decide(bad, champion(), gates).reasons == (
        "r2 0.3 is below 0.4",
        "mape 35 is above 30",
        "wmape 30 does not beat the baseline linear (25)",
        "wmape 30 is not better than the champion's 12 by 1.00%",
    )


def test_a_bound_on_a_metric_that_was_not_measured_refuses():
    """A missing figure is a failure, not a pass."""
    found = decide(CHALLENGER, None, Gates(maximum={"rmse": 1.0}))
    assert found.reasons == ("has no rmse",)


def test_no_recorded_baselines_refuse():
    """A model that was compared with nothing has beaten nothing."""
    alone = replace(CHALLENGER, baselines={})
    assert decide(alone, None, Gates()).reasons == ("has no baselines to beat",)
    assert decide(alone, None, Gates(baselines=False)).promoted


def test_an_equal_model_is_no_gain():
    """Without any gain the champion stays."""
    assert not decide(CHALLENGER, champion(), Gates()).promoted


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"split": replace(CHALLENGER.split, hash="s2")}, "tested on another split"),
        ({"data": {"v1": {"content_hash": "d2"}}}, "tested on other data"),
        ({"target": "z"}, "the champion predicts 'z', not 'y'"),
    ],
)
def test_a_champion_of_other_rows_refuses_and_says_what_to_do(change, word):
    """Figures of different rows are not compared, unless the gates say that it is meant."""
    other = replace(champion(wmape=99.0), **change)
    found = decide(CHALLENGER, other, Gates())
    assert not found.promoted
    assert word in found.reasons[0]
    assert "set same_test: false (ml_experiments.promote.gates.same_test=false)." in found.todo
    meant = decide(CHALLENGER, other, Gates(same_test=False))
    assert meant.promoted
    assert meant.comparison["same_test"] is False


@given(
    own=st.floats(0.1, 100),
    other=st.floats(0.1, 100),
    gain=st.floats(0, 0.5),
    key=st.sampled_from(["wmape", "r2"]),
)
def test_the_gain_is_what_it_says(own, other, gain, key):
    """Promoted exactly when the figure is strictly better, and by the share that was asked."""
    one = replace(CHALLENGER, metric=key, metrics={key: own}, baselines={"mean": {key: 0.0}})
    two = replace(one, metrics={key: other})
    found = decide(one, two, Gates(gain=gain, baselines=False))
    if key == "wmape":
        expected = own < other and own <= other - gain * other
    else:
        expected = own > other and own >= other + gain * other
    assert found.promoted == expected


def test_unknown_metrics_and_gains_are_refused():
    """Typing errors in gates are found when they are read."""
    with pytest.raises(ValueError, match="'mpae' is no metric; there are mape"):
        Gates(maximum={"mpae": 1.0})
    with pytest.raises(ValueError, match=r"0 <= gain < 1 must hold, but got 1\.0"):
        Gates(gain=1.0)
