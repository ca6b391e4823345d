"""Two models on the same rows, in figures and in words."""

import json
import math

import numpy as np
import pytest

from heddle.evaluation.side_by_side import Comparison, Said, side_by_side

NONE = np.empty(0)


def said(label, predicted, *, half=10.0, latency=NONE):
    middle = np.asarray(predicted, dtype=np.float64)
    return Said(
        label=label,
        predicted=middle,
        lower=middle - half,
        upper=middle + half,
        latency_ms=np.asarray(latency),
        level=0.9,
    )


def two(rows, *, better, seed=1):
    rng = np.random.default_rng(seed)
    actual = rng.uniform(5_000, 9_000, rows)
    error = rng.normal(0, 400, rows)
    other = actual + error * (1 - better) + rng.normal(0, 30, rows)
    return said("m/1", actual + error), said("m/2", other), actual


def test_the_better_one_is_named_with_the_interval_and_the_outcomes():
    """Whichever side it stands on."""
    one, other, actual = two(812, better=0.4)
    actual = np.append(actual, np.nan)
    sides = [said(s.label, np.append(s.predicted, 7_000.0)) for s in (one, other)]
    told = side_by_side(*sides, actual, Comparison())
    words = told["verdict"]
    assert words.startswith("m/2 is better by 1")
    assert words.endswith(" on 812 outcomes")
    assert " of mean absolute error (95 %: 1" in words
    assert (told["rows"], told["outcomes"]) == (813, 812)
    back = side_by_side(*sides[::-1], actual, Comparison())
    assert back["verdict"] == words
    assert back["error"]["difference"] == -told["error"]["difference"]
    assert (back["error"]["low"], back["error"]["high"]) == (
        -told["error"]["high"],
        -told["error"]["low"],
    )
    assert back["predictions"]["mean"] == -told["predictions"]["mean"]
    assert back["predictions"]["share_beyond"] == told["predictions"]["share_beyond"]
    assert back["intervals"] == told["intervals"][::-1]
    json.dumps(told, allow_nan=False)


def test_the_unit_of_a_metric_in_percent_is_points():
    """And its name is the project's."""
    told = side_by_side(*two(200, better=0.5), Comparison(metric="mape"))
    assert "m/2 is better by 2." in told["verdict"]
    assert " points of mape (95 %: " in told["verdict"]


def test_what_cannot_be_told_yet_says_how_many_outcomes_it_would_take():
    """Two digits of them."""
    told = side_by_side(*two(60, better=0.0, seed=1), Comparison(metric="rmse"))
    needed = told["error"]["outcomes_needed"]
    assert needed > 60
    assert told["verdict"].startswith("cannot tell yet: rmse of m/2 less that of m/1, 95 %: ")
    assert told["verdict"].endswith(" outcomes more would be needed")
    number = int(told["verdict"].rsplit("about ", 1)[1].split()[0].replace(",", ""))
    assert number == pytest.approx(needed, rel=0.06)


def test_what_cannot_be_told_at_all_says_why():
    """Too few outcomes; models that say the same."""
    one, _, actual = two(40, better=0.1)
    none = side_by_side(one, one, np.full(40, math.nan), Comparison())
    assert none["verdict"] == "cannot tell: what came is known of 0 rows, 30 are needed"
    assert none["error"] is None
    assert none["intervals"] == [None, None]
    same = side_by_side(one, one, actual, Comparison())
    assert same["verdict"] == "cannot tell: both err alike on 40 outcomes"
    long = side_by_side(*two(40, better=0.1), Comparison(block=30))
    assert long["verdict"] == "cannot tell: 40 outcomes are too few in blocks of 30"


def test_predictions_are_set_apart_whatever_came():
    """By how much the second is above the first; beyond a share of their mean size."""
    one, other = said("m/1", [100.0, 100.0, 0.0, -100.0]), said("m/2", [104.0, 110.0, 0.0, -90.0])
    told = side_by_side(one, other, np.full(4, math.nan), Comparison())["predictions"]
    assert told["mean"] == 6.0
    assert told["quantiles"]["0.5"] == 7.0
    assert told["share_beyond"] == 0.5


def test_intervals_and_times_of_both():
    """Of the outcomes that are known, and of the answers that were timed."""
    one = said("m/1", [100.0, 100.0, 100.0], latency=[1.0, 2.0, 3.0])
    other = said("m/2", [100.0, 100.0, 100.0], half=50.0)
    told = side_by_side(one, other, [105.0, 140.0, math.nan], Comparison())
    assert [i["covered"] for i in told["intervals"]] == [0.5, 1.0]
    assert [i["mean_width"] for i in told["intervals"]] == [20.0, 100.0]
    assert told["intervals"][0]["promised"] == 0.9
    assert told["latency_ms"][0]["p50"] == 2.0
    assert told["latency_ms"][1] is None


def test_what_cannot_be_paired_is_refused():
    """Other lengths, a prediction that is none, limits without sense."""
    one = said("m/1", [1.0])
    with pytest.raises(ValueError, match="of 1 and 2 rows cannot be paired"):
        side_by_side(one, said("m/2", [1.0, 2.0]), [1.0], Comparison())
    with pytest.raises(ValueError, match="every prediction must be finite"):
        side_by_side(one, said("m/2", [math.nan]), [1.0], Comparison())
    for wrong in ({"beyond": -1}, {"level": 1}, {"draws": 0}, {"least": 1}):
        with pytest.raises(ValueError, match="must hold"):
            Comparison(**wrong)
