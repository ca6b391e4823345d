import json
from dataclasses import replace

import numpy as np
import pytest

from heddle.domain.errors import ConfigError
from heddle.evaluation.edge import Contender, Proof, judged
from heddle.evaluation.metrics import METRICS
from heddle.evaluation.paired import diebold_mariano

ROWS = 600
RNG = np.random.default_rng(0)
SIGNAL = RNG.normal(0, 0.02, ROWS)
ACTUAL = 0.5 * SIGNAL + RNG.normal(0, 0.01, ROWS)
PERIOD = np.arange(ROWS)
PROOF = Proof()


def contender(name, predicted, *, baseline=False, key="rmse", **rest):
    halves = np.array_split(np.arange(ROWS), 2)
    said = np.broadcast_to(np.asarray(predicted, dtype=float), (ROWS,))
    folds = tuple(METRICS[key](ACTUAL[h], said[h]) for h in halves)
    return Contender(name=name, baseline=baseline, folds=folds, predicted=said, **rest)


ZERO = contender("zero", 0.0, baseline=True)
MEAN = contender("mean", 0.001, baseline=True)
GOOD = contender("good", 0.4 * SIGNAL, params={"depth": 3}, trials=7)
NOISE = contender("noise", RNG.normal(0, 0.01, ROWS))


def found(*contenders, scale="return", proof=PROOF, trials=40, metric="rmse"):
    return judged(
        contenders,
        ACTUAL,
        PERIOD,
        metric=metric,
        scale=scale,
        horizon=1,
        proof=proof,
        trials=trials,
        seed=1,
    )


def test_a_real_signal_is_an_edge_with_its_evidence():
    """The table is best first, and each row says what sets it apart from the best baseline."""
    told = found(NOISE, GOOD, MEAN, ZERO)
    assert (told["winner"], told["edge"], told["reasons"]) == ("good", True, [])
    assert told["against"] == min((ZERO, MEAN), key=lambda c: c.mean).name
    means = [row["mean"] for row in told["table"]]
    assert means == sorted(means)
    best, against = told["table"][0], next(c for c in (ZERO, MEAN) if c.name == told["against"])
    expected = diebold_mariano(
        (ACTUAL - GOOD.predicted) ** 2, (ACTUAL - against.predicted) ** 2, horizon=1
    )
    assert best["p_value"] == told["p_value"] == expected.p_value < 0.001
    assert best["p_corrected"] == told["p_corrected"] == 1 / 2001
    assert best["low"] < best["difference"] == expected.mean_difference < best["high"] < 0
    assert best["directional_accuracy"] > 0.7
    assert 0.4 < best["up_share"] < 0.6
    assert best["ic"] > 0.5
    assert told["deflated_sharpe"] == best["deflated_sharpe"] > 0.99
    assert (best["params"], best["trials"], told["trials"]) == ({"depth": 3}, 7, 40)
    assert told["words"].startswith("an edge: good has rmse 0.0")
    assert told["words"].endswith(
        f"deflated Sharpe ratio beyond {told['bets_against']} 1); parameters were chosen on these"
        " rows: p is corrected for 2 candidates, the Sharpe ratio for 40 trials"
    )
    json.dumps(told, allow_nan=False)


def test_noise_is_no_edge_and_every_reason_is_told():
    """It loses, the paired test says nothing for it, and its bets are luck."""
    told = found(NOISE, ZERO)
    assert told["edge"] is False
    assert told["words"].startswith("no edge: noise has rmse")
    assert told["reasons"][0] == "it does not beat the baseline zero"
    assert told["reasons"][1].startswith("paired, the losses differ by ")
    assert "corrected for 1 candidate 1, 95% interval" in told["reasons"][1]
    beyond = f"the deflated Sharpe ratio of its bets beyond {told['bets_against']} is "
    assert told["reasons"][2].startswith(beyond)


def test_the_best_of_many_has_to_be_better_than_the_best_of_chance():
    """Among rivals that are nothing the same candidate has a higher p-value; its own stays."""
    dim = contender("dim", 0.05 * SIGNAL)
    noise = [contender(f"noise{i}", RNG.normal(0, 0.001, ROWS)) for i in range(30)]
    alone, among = found(dim, ZERO), found(dim, *noise, ZERO)
    rows = [next(r for r in told["table"] if r["candidate"] == "dim") for told in (alone, among)]
    assert rows[0]["p_value"] == rows[1]["p_value"]
    assert rows[0]["p_corrected"] <= rows[1]["p_corrected"]
    assert (alone["candidates"], among["candidates"]) == (1, 31)


def test_being_long_in_a_rising_market_is_no_skill():
    """Who says up every time earns what always up earns: nothing is left to be deflated."""
    rising = ACTUAL + 0.02
    said = {
        "high": (0.02 + 0.001 * np.abs(SIGNAL), False),
        "zero": (np.zeros(ROWS), True),
    }
    made = [Contender(name=n, baseline=b, folds=(1.0,), predicted=p) for n, (p, b) in said.items()]
    asked = {"metric": "rmse", "scale": "return", "horizon": 1, "trials": 1, "seed": 1}
    told = judged(made, rising, PERIOD, proof=PROOF, **asked)
    own = next(row for row in told["table"] if row["candidate"] == "high")
    assert told["bets_against"] == "always_up"
    assert own["sharpe"] > 10
    assert own["excess_sharpe"] is own["deflated_sharpe"] is None
    beyond = "the deflated Sharpe ratio of its bets beyond always_up has no value"
    assert told["reasons"][-1] == beyond


def overlapping(dice, annual, *, rows=400, horizon=5):
    """Returns of `horizon` sessions of a market that rises, and their mean."""
    daily = dice.normal(annual * 0.02 / 252**0.5, 0.02, rows + horizon - 1)
    return np.convolve(daily, np.ones(horizon), "valid"), horizon * annual * 0.02 / 252**0.5


def verdict(dice, signal, *, rivals=20):
    """Return whether drift and noise, and a share of the truth in the first, pass as an edge."""
    actual, drift = overlapping(dice, 2.0)
    said = {"zero": np.zeros(len(actual)), "drift": np.full(len(actual), drift)}
    for i in range(rivals):
        said[f"noise{i}"] = drift + dice.normal(0, 0.0003, len(actual))
    said["noise0"] += signal * (actual - drift)
    made = [
        Contender(
            name=name,
            baseline=not name.startswith("noise"),
            folds=tuple(METRICS["rmse"](actual[h], p[h]) for h in np.array_split(PERIOD[:400], 4)),
            predicted=p,
        )
        for name, p in said.items()
    ]
    asked = {"metric": "rmse", "scale": "return", "horizon": 5, "trials": rivals, "seed": 1}
    return judged(made, actual, PERIOD[:400], proof=Proof(draws=200), **asked)


def test_noise_in_a_rising_market_hardly_ever_passes_and_a_signal_does():
    """Size and power of the whole verdict, with twenty candidates and a Sharpe ratio of 2.

    Plain p-values below 0.05 are what the search alone makes of one run in five or more.
    """
    dice = np.random.default_rng(7)
    nothing = [verdict(dice, 0.0) for _ in range(30)]
    plain = [t["p_value"] < 0.05 and t["interval"][1] < 0 for t in nothing]
    assert np.mean(plain) > 0.15
    assert np.mean([t["p_corrected"] < 0.05 for t in nothing]) <= 0.1
    assert sum(t["edge"] for t in nothing) <= 2
    assert sum(verdict(dice, 0.3)["edge"] for _ in range(5)) >= 4


def test_a_baseline_that_takes_no_side_has_no_figures_of_bets():
    """The forecast 0 has no direction, no rank and no ratio: null, and the file can be written."""
    row = next(r for r in found(GOOD, ZERO)["table"] if r["candidate"] == "zero")
    keys = ("directional_accuracy", "ic", "sharpe", "deflated_sharpe", "p_value", "difference")
    assert [row[key] for key in keys] == [None] * 6


def test_the_more_was_tried_the_less_a_ratio_is_worth():
    """The number of all trials deflates it."""
    weak = contender("weak", 0.02 * SIGNAL + RNG.normal(0, 0.02, ROWS))
    few, many = (found(weak, ZERO, trials=n)["deflated_sharpe"] for n in (1, 500))
    assert many < few


def test_the_simpler_one_wins_a_tie():
    """Candidates within the tie are as good; the first that was declared is taken."""
    twin = replace(GOOD, name="twin", folds=tuple(f * 0.999 for f in GOOD.folds))
    assert found(GOOD, twin, ZERO)["winner"] == "twin"
    assert found(GOOD, twin, ZERO, proof=replace(PROOF, tie=0.01))["winner"] == "good"


def test_rows_of_one_period_count_once():
    """A panel in which every day has the same row three times proves no more than one row a day."""
    told = found(GOOD, ZERO)
    panel = [replace(c, predicted=np.repeat(c.predicted, 3)) for c in (GOOD, ZERO)]
    thrice = judged(
        panel,
        np.repeat(ACTUAL, 3),
        np.repeat(PERIOD, 3),
        metric="rmse",
        scale="return",
        horizon=1,
        proof=PROOF,
        trials=40,
        seed=1,
    )
    assert thrice["p_value"] == pytest.approx(told["p_value"])
    assert thrice["deflated_sharpe"] == pytest.approx(told["deflated_sharpe"])
    assert (thrice["rows"], thrice["periods"]) == (3 * ROWS, ROWS)


def test_a_level_is_judged_by_the_paired_test_alone():
    """No direction, no Sharpe ratio; a metric that is to be great is handled, too."""
    good, zero = (
        contender(c.name, c.predicted, baseline=c.baseline, key="r2") for c in (GOOD, ZERO)
    )
    told = found(zero, good, scale="level", metric="r2")
    assert told["edge"]
    assert told["deflated_sharpe"] is told["table"][0]["skill"] is None
    assert [row["candidate"] for row in told["table"]] == ["good", "zero"]
    assert "sharpe" not in told["table"][0]


def test_too_few_rows_prove_nothing():
    """Four rows that overlap over five periods have no test: no edge, whatever they look like."""
    few = [replace(c, predicted=c.predicted[:4]) for c in (GOOD, ZERO)]
    asked = {
        "metric": "rmse",
        "scale": "level",
        "horizon": 5,
        "proof": Proof(),
        "trials": 1,
        "seed": 0,
    }
    told = judged(few, ACTUAL[:4], PERIOD[:4], **asked)
    assert told["edge"] is False
    assert told["reasons"] == ["there are too few rows for a paired test"]
    assert told["interval"] is None


def test_both_sides_are_needed():
    """A choice without a baseline, or of baselines alone, is none."""
    for alone in ((GOOD, NOISE), (ZERO, MEAN)):
        with pytest.raises(ConfigError, match="needs a candidate and a baseline to beat"):
            found(*alone)
