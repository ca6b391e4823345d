"""Series from a server that answers as the St. Louis Fed does, well or badly."""

import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from heddle.domain.errors import ConfigError, DataContractError, HeddleError
from heddle.domain.typed import build
from heddle.infrastructure.memory import SilentProgress
from heddle.infrastructure.sources.fred import FredSource, Series
from heddle.infrastructure.sources.patience import Patience

loopback = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[3] / "loopback.py")))

VIX = b"observation_date,VIXCLS\n2024-01-01,\n2024-01-02,13.20\n2024-01-03,14.04\n"
TEN = b"DATE,DGS10\n2024-01-02,3.95\n2024-01-03,.\n2024-01-04,3.99\n"


def csv(content):
    return loopback.body(content, "application/csv")


@pytest.fixture
def server():
    with loopback.serving(csv(VIX), csv(TEN)) as running:
        yield running


@pytest.fixture
def fetch(server, tmp_path):
    def run(ids=("VIXCLS",), progress=None, **options):
        series = Series(ids=ids, api=server.address, **options.pop("series", {}))
        source = FredSource(
            series=series,
            patience=Patience(timeout_seconds=1, retries=1),
            sleep=lambda _: None,
            **options,
        )
        return source.fetch(tmp_path, progress or SilentProgress())

    return run


def test_series_become_columns_of_one_table(fetch, server):
    """All days of any of them, sorted; a dot and an empty cell are no value."""
    raw = fetch(("VIXCLS", "DGS10"), licence="public domain")
    assert raw.path.read_text() == (
        "date,vixcls,dgs10\n"
        "2024-01-01,,\n"
        "2024-01-02,13.2,3.95\n"
        "2024-01-03,14.04,\n"
        "2024-01-04,,3.99\n"
    )
    assert raw.origin == f"{server.address}/graph/fredgraph.csv?id=VIXCLS,DGS10"
    assert raw.licence == "public domain"


def test_days_are_asked_for(fetch, server):
    """Only those that were configured stand in the address."""
    fetch(series={"start": "2024-01-01", "end": "2024-02-01"})
    fetch(("DGS10",))
    assert [path for path, _ in server.requests] == [
        "/graph/fredgraph.csv?id=VIXCLS&cosd=2024-01-01&coed=2024-02-01",
        "/graph/fredgraph.csv?id=DGS10",
    ]


@pytest.mark.parametrize("code", [400, 404])
def test_an_unknown_series_is_named(fetch, server, code):
    """With what to do."""
    server.answers = [loopback.body(b"<html>no</html>", "text/html", code)]
    with pytest.raises(ConfigError, match=r"series\.ids: there is no series 'VIX': .* Look the id"):
        fetch(("VIX",))


def test_an_error_page_is_refused(fetch, server):
    """A page for people, with a good status."""
    server.answers = [loopback.body(b"<html>no</html>", "text/html")]
    with pytest.raises(ConfigError, match=r"fredgraph\.csv, VIXCLS: answered with a web page"):
        fetch()


def test_a_passing_fault_is_tried_again_and_a_lasting_one_told(fetch, server):
    """A limit, a row that was cut."""
    server.answers = [loopback.status(429), csv(VIX), csv(VIX[:-9] + b",,,"), csv(VIX)]
    progress = SilentProgress()
    assert fetch(progress=progress) == fetch(progress=progress)
    assert "429 Too Many Requests" in progress.notices[0]
    assert "the answer row 3 has 4 cells, the header 2" in progress.notices[1]
    server.answers = [loopback.status(503)]
    with pytest.raises(HeddleError, match="gave up after 2 attempts"):
        fetch()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"DATE,DGS10\n2024-01-02,1\n", "with the columns DATE, DGS10, not with a day and VIXCLS"),
        (b"DATE,VIXCLS\n2024-01-02,high\n", "VIXCLS: 'high' of '2024-01-02' is no number of a day"),
        (b"DATE,VIXCLS\n2024-01-02,NaN\n", "VIXCLS: 'NaN' of '2024-01-02' is no number of a day"),
        (b"DATE,VIXCLS\n02.01.2024,1\n", "VIXCLS: '1' of '02.01.2024' is no number of a day"),
        (b"DATE,VIXCLS\n2024-01-02,1\n2024-01-02,2\n", "VIXCLS has a day twice"),
        (b"DATE,VIXCLS\n", "VIXCLS has no value. Check ingestion.series"),
    ],
)
def test_an_answer_that_is_no_series_is_refused(fetch, server, content, words):
    """At once: asking again does not mend it."""
    server.answers = [csv(content)]
    with pytest.raises(DataContractError, match=re.escape(words)) as caught:
        fetch()
    assert "/graph/fredgraph.csv" in caught.value.where
    assert caught.value.todo
    assert len(server.requests) == 1


def test_as_of_a_day_the_values_are_those_of_today_and_that_is_told(fetch):
    """Nobody takes them for what was known then."""
    progress = SilentProgress()
    fetch(asof="2024-01-02", progress=progress)
    (words,) = progress.notices
    assert words == (
        "VIXCLS: values as they are told today, revised since 2024-01-02 or not: asof leaves out "
        "later days, and knows no earlier vintage"
    )


def test_too_large_an_answer_is_refused(fetch):
    """Nobody fills the memory."""
    with pytest.raises(DataContractError, match="is larger than 20 bytes"):
        fetch(max_bytes=20)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"ids": []}, "ids must name at least one series"),
        ({"ids": ["vixcls"]}, "ids must be capitals, digits and _, not 'vixcls'"),
        ({"ids": ["A", "A"]}, "names a series twice"),
        ({"ids": ["A"], "start": "2024"}, "start must be a date as 2024-02-29"),
        ({"ids": ["A"], "start": "2024-02-02", "end": "2024-02-01"}, "start .* is after end"),
    ],
)
def test_a_question_that_is_none_is_refused(values, words):
    """Before anything is asked."""
    with pytest.raises(ConfigError, match=words):
        build(Series, values, where="ingestion.series")
