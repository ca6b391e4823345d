"""A model in use on its page: what was asked, what is wrong, and a look at it now."""

import shutil
from datetime import UTC, datetime

import pytest
from tests.saved_project import rows
from tests.shown_page import checked, part, shown, words

from heddle.domain.entities import RequestRecord
from heddle.presentation.bootstrap import make_request_log
from heddle.presentation.dashboard import monitoring
from heddle.presentation.dashboard.place import Place


@pytest.fixture
def project(flats, tmp_path):
    return shutil.copytree(flats, tmp_path / "flats", ignore=shutil.ignore_patterns("predictions"))


def answered(root, count=150):
    """Let the log hold requests of flats that are three times as large as those of training."""
    place = Place(root)
    (version,) = place.registry.versions("flat")
    digest = version.tags["manifest_sha256"]
    log = make_request_log(root)
    log.append(
        [
            RequestRecord(
                id=f"{n:032x}", at=datetime.now(UTC).isoformat(), model="flat/1", digest=digest,
                row={**row, "size": row["size"] * 3, "built": str(row["built"])},
                prediction=row["price"], latency_ms=1.0, outcome=row["price"],
            )
            for n, row in enumerate(rows(4, count).to_dicts())
        ]
    )  # fmt: skip
    log.close()


def test_requests_are_shown_and_traced(project):
    """Counts, ages, times; an id leads back to the model, one that is not kept is told."""
    answered(project)
    page = part(shown(project, "monitoring"), "monitoring_part", "Requests")
    told = {one.label: one.value for one in page.metric}
    assert told["Requests kept"] == "150"
    assert told["Latency p99"] == "1.00 ms"
    assert len(page.dataframe[0].value) == 150
    assert '"localized"' not in page.dataframe[0].proto.columns, "prices of some hundreds"
    page.text_input(key="monitoring_id").set_value(f"{3:032x}").run()
    assert "No longer as it was" in words(checked(page))
    assert "flat/1</code>" in words(page)


def test_a_look_now_writes_the_report_and_tells_alarms(project, tmp_path):
    """Of the log, or of a file; the newest report is what the page begins with."""
    answered(project)
    page = part(shown(project, "monitoring"), "monitoring_part", "Look now")
    checked(page.button(key="monitoring_now").click().run())
    assert "size (" in words(page)
    first = shown(project, "monitoring")
    assert "alarm" in words(first)
    assert "How the values lie" in words(first)
    assert len(first.get("plotly_chart")) >= 1
    rows(5).write_csv(tmp_path / "calm.csv")
    told = monitoring.watch_now(Place(project), tmp_path / "calm.csv", "")
    assert told["source"] == "rows of calm.csv"
    assert "size" not in {alarm["column"] for alarm in told["alarms"]}


def test_before_anything_was_asked_it_says_what_to_run(project):
    """In each part that has nothing to show."""
    page = shown(project, "monitoring")
    assert "`heddle monitor`" in page.info[0].value
    requests = part(page, "monitoring_part", "Requests")
    assert "`heddle serve`" in requests.info[0].value
    assert monitoring.applies(Place(project))
