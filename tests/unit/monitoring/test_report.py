"""One document about a model: silent on rows like its own, alarms with name and place otherwise."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from heddle.monitoring.ages import Made
from heddle.monitoring.answers import Answers, Monitor
from heddle.monitoring.report import Origin, Watched, watch

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ROWS = 1000


def table(seed: int, n: int = ROWS) -> pl.DataFrame:
    """Raw rows, the target, and held-out predictions that are off by about 10."""
    rng = np.random.default_rng(seed)
    size = rng.lognormal(4, 0.4, n)
    price = size * 3 + rng.normal(0, 10, n)
    return pl.DataFrame(
        {
            "size": size,
            "code": rng.integers(1, 5, n),
            "shore": rng.choice(["far", "near"], n),
            "price": price,
            "said": size * 3,
        }
    )


MODEL = Watched(
    reference=table(1),
    held_out="said",
    target="price",
    columns=("size", "code", "shore"),
    categories=frozenset({"code", "shore"}),
    level=0.9,
    origins={"size": Origin(version="v0", stage="fetch")},
    made=Origin(version="v1", stage="register"),
)


def answers(rows: pl.DataFrame, **changes) -> Answers:
    """Answers of the model to rows, with outcomes and intervals that cover 90 %."""
    said = rows["said"].to_numpy()
    made = Answers(
        rows=rows.select("size", "code", "shore"),
        predicted=said,
        lower=said - 16.45,
        upper=said + 16.45,
        actual=rows["price"].to_numpy(),
        latency_ms=np.random.default_rng(0).exponential(2.0, rows.height),
        last=NOW - timedelta(hours=1),
    )
    return replace(made, **changes)


def report(rows: pl.DataFrame, cfg: Monitor | None = None, **changes) -> dict:
    return watch(MODEL, answers(rows, **changes), cfg or Monitor(), now=NOW)


def alarms(found: dict) -> set[tuple[str, str]]:
    return {(one["column"], one["what"]) for one in found["alarms"]}


def test_rows_like_those_of_training_are_no_alarm():
    """Every column and check is told, none alarms; codes are categories."""
    found = report(table(2))
    assert found["alarms"] == []
    assert {c["column"]: c["kind"] for c in found["columns"]} == {
        "size": "number",
        "code": "category",
        "shore": "category",
        "the prediction": "number",
    }
    states = {c["name"]: c["state"] for c in found["checks"]}
    assert states == {
        "error": "ok",
        "interval": "ok",
        "latency p50": "unknown",
        "latency p95": "unknown",
        "latency p99": "unknown",
        "requests": "unknown",
    }
    assert found["outcomes"] == ROWS
    assert not any("histogram" in column for column in found["columns"])


def test_an_alarm_names_column_data_version_and_stage():
    """A column that moved: where it comes from, in fields and in words, and how it lies."""
    found = report(table(2).with_columns(pl.col("size") / 10))
    first = found["alarms"][0]
    assert (first["column"], first["data_version"], first["stage"]) == ("size", "v0", "fetch")
    assert first["words"].startswith("size (v0 of stage fetch): 9")
    assert "rows outside [13.2034, 244.852]" in first["words"]
    assert first["p_value"] < 0.01
    size = found["columns"][0]
    assert set(size["alarms"]) == {"distribution", "unseen"}
    assert sum(size["histogram"]["current"]) == pytest.approx(1)


def test_a_new_code_is_an_alarm_of_a_category():
    """Also where codes are whole numbers."""
    found = report(table(2).with_columns(pl.col("code").replace(4, 9)))
    assert ("code", "unseen") in alarms(found)
    code = next(c for c in found["columns"] if c["column"] == "code")
    assert "9" in code["histogram"]["labels"]


def test_days_of_a_file_that_are_text_are_days():
    """A CSV has no dates; those of training were read as such, and neither is a category."""
    days = pl.date(2024, 1, 1) + pl.duration(days=pl.int_range(ROWS) % 300)
    then, now = table(1).with_columns(day=days), table(2).with_columns(day=days.dt.offset_by("1y"))
    model = replace(
        MODEL,
        reference=then,
        columns=("day", "size"),
        categories=frozenset({"day"}),
        dates=frozenset({"day"}),
    )
    rows = now.select("size", pl.col("day").dt.to_string("%Y-%m-%d"))
    assert watch(model, replace(answers(now), rows=rows), Monitor(), now=NOW)["alarms"] == []
    bad = rows.with_columns(
        day=pl.when(pl.int_range(ROWS) % 4 > 0).then("day").otherwise(pl.lit("?"))
    )
    told = watch(model, replace(answers(now), rows=bad), Monitor(), now=NOW)
    assert alarms(told) == {("day", "missing")}


def test_predictions_that_moved_are_an_alarm_of_the_model():
    """By the stage that made it."""
    found = report(table(2), predicted=table(2)["said"].to_numpy() + 100, actual=np.full(ROWS, 0.0))
    first = next(one for one in found["alarms"] if one["column"] == "the prediction")
    assert (first["data_version"], first["stage"]) == ("v1", "register")


def test_outcomes_that_changed_are_an_alarm_of_error_and_interval():
    """The inputs are as they were: only what really came tells."""
    found = report(table(2), actual=table(2)["price"].to_numpy() * 1.3)
    assert alarms(found) == {("error", "error"), ("interval", "coverage")}
    words = {one["column"]: one["words"] for one in found["alarms"]}
    assert words["error"].startswith("error (v1 of stage register): mean absolute error ")
    assert words["interval"].endswith("of 1,000 outcomes lie in their interval, promised 90%")


def test_slow_answers_are_an_alarm_where_a_limit_is_set():
    """Percentiles by themselves, of no data; sure only where chance is no likely reason."""
    cfg = Monitor(p50_ms=5.0, p95_ms=2.0, p99_ms=10.0)
    found = report(table(2), cfg)
    assert alarms(found) == {("latency p95", "latency")}
    first = found["alarms"][0]
    assert (first["data_version"], first["stage"]) == ("", "")
    assert re.fullmatch(
        r"latency p95: \S+ ms, limit 2 ms; \d+ of 1,000 requests took longer", first["words"]
    )


def test_old_requests_are_an_alarm_where_a_limit_is_set():
    """A server that nobody asks any more."""
    assert alarms(report(table(2), Monitor(age_hours=2))) == set()
    found = report(table(2), Monitor(age_hours=2), last=NOW - timedelta(hours=3))
    assert alarms(found) == {("requests", "age")}
    assert found["alarms"][0]["words"] == "requests: the last one was 3.0 hours ago, limit 2 hours"


def test_an_old_model_is_an_alarm_where_a_limit_is_set():
    """The rows to compare with are as old as the model that keeps them."""
    old = replace(MODEL, age=Made(registered=NOW - timedelta(days=45), learned_to="2025"))
    found = watch(old, answers(table(2)), Monitor(model_days=30), now=NOW)
    assert alarms(found) == {("model", "age")}
    told = found["alarms"][0]
    assert (told["data_version"], told["stage"]) == ("v1", "register")
    assert told["words"] == (
        "model (v1 of stage register): registered 45.0 days ago with its training rows,"
        " which end with 2025, limit 30 days"
    )
    free = watch(old, answers(table(2)), Monitor(), now=NOW)
    assert not free["alarms"]
    assert free["checks"][-1]["words"].endswith("; no limit is set")


def test_few_rows_are_said_and_no_alarm():
    """Nothing is judged on them."""
    found = report(table(2).with_columns(pl.col("size") * 100).head(99))
    assert (found["alarms"], found["columns"]) == ([], [])
    assert found["notes"] == ["99 rows are too few to compare: it takes 100; wait for more"]
    words = {c["name"]: c["words"] for c in found["checks"]}
    assert words["error"] == "99 outcomes are known, 100 are needed"
    assert words["latency p95"] == "99 requests were timed, 100 are needed"


def test_all_questions_are_one_family():
    """A question more makes each p-value larger: 20 fresh reports hold at most one alarm."""
    one = report(table(2), latency_ms=np.empty(0), actual=np.full(ROWS, np.nan))
    all_ = report(table(2), Monitor(p50_ms=9.0, p95_ms=20.0, p99_ms=30.0))
    pairs = zip(one["columns"], all_["columns"], strict=True)
    assert all(a["p_value"] <= b["p_value"] for a, b in pairs)
    assert sum(bool(report(table(100 + seed))["alarms"]) for seed in range(20)) <= 1
