"""What is told of a model in use: reports, requests, times."""

import json
import os

from heddle.domain.entities import RequestRecord
from heddle.presentation.dashboard.monitoring_told import latencies, reports_of, request_rows

REPORT = {"model": "flat/1", "alarms": [], "checks": [], "limits": {}}


def test_reports_are_found_wherever_they_are_the_newest_first(tmp_path):
    """Other files, and those that are torn, are left out."""
    for at, name in enumerate(("old", "new")):
        path = tmp_path / "reports" / name / "told.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(REPORT | {"model": name}))
        os.utime(path, (at, at))
    (tmp_path / "reports/promotion_report.json").write_text('{"promoted": true}')
    (tmp_path / "reports/torn.json").write_text("{")
    (tmp_path / "reports/list.json").write_text("[]")
    assert list(reports_of(tmp_path)) == ["reports/new/told.json", "reports/old/told.json"]


def test_requests_stand_with_the_latest_first_and_their_columns_last():
    """Percentiles are those of their milliseconds."""
    told = [
        RequestRecord(
            id=f"{n}", at=f"2026-01-02T03:04:0{n}+00:00", model="flat/1", digest="d",
            row={"size": n}, prediction=1.0 * n, latency_ms=float(n),
        )
        for n in range(5)
    ]  # fmt: skip
    rows = request_rows(told)
    assert [row["Id"] for row in rows] == ["4", "3", "2", "1", "0"]
    assert list(rows[0])[-1] == "size"
    assert rows[0]["At (UTC)"] == "2026-01-02 03:04:04"
    assert latencies(told) == {"p50": 2.0, "p95": 3.8, "p99": 3.96}
