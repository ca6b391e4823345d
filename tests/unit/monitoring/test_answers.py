"""Limits that make no sense are refused; intervals and times that cannot be judged say why."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from heddle.domain.typed import build
from heddle.monitoring.answers import Answers, Monitor, coverage_drift, slowness

PROJECTS = Path(__file__).parents[3] / "projects"
NONE = np.full(200, np.nan)


def answers(**changes) -> Answers:
    told = dict.fromkeys(("predicted", "lower", "upper", "actual"), NONE)
    return Answers(rows=pl.DataFrame({"size": np.zeros(200)}), **(told | changes))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"level": 1.0}, "0 < level < 1 must hold, but got 1"),
        ({"psi": 0.0}, "psi must be above 0, but is 0"),
        ({"p95_ms": -1.0}, "p95_ms must be above 0, but is -1"),
        ({"most_rows": 50}, "2 <= least_rows <= most_rows must hold"),
    ],
)
def test_limits_that_make_no_sense_are_refused(values, words):
    """In the words of the configuration."""
    with pytest.raises(ValueError, match=words):
        Monitor(**values)


@pytest.mark.parametrize("project", ["housing", "drg"])
def test_the_limits_of_the_projects_are_read(project):
    """Each file's keys are known and make sense."""
    place = PROJECTS / project / "configs" / "ml_experiments" / "monitor.yaml"
    told = yaml.safe_load(place.read_text())["monitor"]
    assert build(Monitor, told, where="monitor").page == "reports/monitoring.html"


def test_an_interval_that_cannot_be_judged_says_why():
    """None promised, no outcomes, no limit."""
    full = np.zeros(200)
    known = answers(lower=full - 1, upper=full + 1, actual=full)
    assert coverage_drift(known, None, Monitor()) == ("interval", "the model has no interval")
    assert coverage_drift(answers(), 0.9, Monitor())[1] == "0 outcomes are known, 100 are needed"
    told = coverage_drift(known, 0.9, Monitor(coverage=None))
    assert told[1] == "100.0% of 200 outcomes lie in their interval, promised 90%; no limit is set"


def test_times_are_told_without_a_limit_and_not_at_all_without_times():
    """A file of rows has none."""
    assert slowness(answers(), Monitor()) == []
    told = dict(slowness(answers(latency_ms=np.full(200, 3.0)), Monitor()))
    assert told["latency p99"] == "3 ms; no limit is set"
