"""A portal's data set against a real server on loopback, faults included."""

import runpy
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest

from heddle.domain.errors import ConfigError, DataContractError, HeddleError
from heddle.infrastructure.memory import SilentProgress
from heddle.infrastructure.sources.patience import Patience
from heddle.infrastructure.sources.socrata import SocrataSource
from heddle.infrastructure.sources.socrata_table import SocrataTable

loopback = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[3] / "loopback.py")))
body, cut, hang_up, status = loopback.body, loopback.cut, loopback.hang_up, loopback.status

FIELDS = {"pfi": "Facility Id", "name": "Facility Name", "cost": "Mean Cost"}
ROWS = [
    {"pfi": f"{n:06d}", "name": None if n % 3 == 2 else f'St. "{n}", é', "cost": f"{n}.5"}
    for n in range(7)
]
EXPECTED = "Facility Id,Facility Name,Mean Cost\n" + "".join(
    f"{r['pfi']},{'' if r['name'] is None else chr(34) + r['name'].replace(chr(34), 2 * chr(34)) + chr(34)},{r['cost']}\n"  # noqa: E501
    for r in ROWS
)


@pytest.fixture
def portal():
    return loopback.Portal([dict(row) for row in ROWS], list(FIELDS))


@pytest.fixture
def server(portal):
    with loopback.serving(portal) as running:
        yield running


def source(server, waits=None, **options):
    patience = {"timeout_seconds": 0.5, "backoff_seconds": 0.5, "retries": 2}
    patience |= options.pop("patience", {})
    outside = {
        k: options.pop(k) for k in ("keep", "sha256", "max_bytes", "token_variable") if k in options
    }
    place = {"site": server.address, "dataset": "abcd-1234", "page_rows": 3, "fields": FIELDS}
    return SocrataSource(
        SocrataTable(**place | options),
        patience=Patience(**patience),
        sleep=(waits if waits is not None else []).append,
        **outside,
    )


def left(folder):
    return [p.name for p in folder.rglob("*")]


@pytest.mark.parametrize("page_format", ["csv", "json"])
def test_all_pages_become_one_csv_file(server, portal, tmp_path, page_format):
    """Names are mapped, nulls are empty cells, zeros lead; both formats give the same bytes."""
    raw = source(server, page_format=page_format).fetch(tmp_path, SilentProgress())
    assert raw.path == tmp_path / "abcd-1234.csv"
    assert raw.path.read_text() == EXPECTED
    assert raw.sha256 == sha256(EXPECTED.encode()).hexdigest()
    assert raw.origin == f"{server.address}/resource/abcd-1234?$order=:id"
    assert portal.pages == [(0, 3), (3, 3), (6, 3)]
    assert left(tmp_path) == ["abcd-1234.csv"]


def test_json_without_a_list_of_fields_finds_them_in_the_rows(server, portal, tmp_path):
    """A field that is null all through a page is there all the same."""
    portal.tells_fields = False
    for row in portal.rows[3:6]:
        row["name"] = None
    raw = source(server, page_format="json").fetch(tmp_path, SilentProgress())
    assert raw.path.read_text().splitlines()[4:7] == ["000003,,3.5", "000004,,4.5", "000005,,5.5"]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (status(500), "the server answered 500 Internal Server Error"),
        (status(502), "the server answered 502 Bad Gateway"),
        (status(503), "the server answered 503 Service Unavailable"),
        (status(504), "the server answered 504 Gateway Timeout"),
        (hang_up, "the connection broke (RemoteDisconnected)"),
        (cut(b"pfi,name,cost\n" * 90, 50), "the connection was cut after 50 of 1,260 bytes"),
        (body(b'"pfi","name","cost"\n"1","b'), "the page at row 3 is no whole CSV"),
        (body(b"pfi,name,cost\n1,b,2\n"), "the page at row 3 has 1 rows, not 3"),
    ],
)
def test_a_passing_fault_is_tried_again(server, portal, tmp_path, fault, why):
    """Only the page that failed is asked for anew, after waits that double."""
    portal.faults = [None, fault, fault]
    waits, progress = [], SilentProgress()
    raw = source(server, waits).fetch(tmp_path, progress)
    assert raw.path.read_text() == EXPECTED
    assert waits == [0.5, 1.0]
    assert why in progress.notices[0]
    assert portal.pages == [(0, 3), (3, 3), (3, 3), (3, 3), (6, 3)]


def test_retry_after_is_honoured(server, portal, tmp_path):
    """The portal's wish is the wait."""
    portal.faults = [status(429, Retry_After="7")]
    waits = []
    source(server, waits).fetch(tmp_path, SilentProgress())
    assert waits == [7.0]


@pytest.mark.parametrize("fault", [status(503), hang_up])
def test_a_broken_download_goes_on_after_the_last_whole_page(server, portal, tmp_path, fault):
    """Nothing lies in the folder; pages are kept apart, and the next fetch asks for the rest."""
    portal.faults = [None, *[fault] * 3]
    keep = tmp_path / "keep"
    make = partial(source, server, keep=keep)
    with pytest.raises(HeddleError, match=r"gave up after 3 attempts. Run again later: finished"):
        make().fetch(tmp_path / "raw", SilentProgress())
    assert not (tmp_path / "raw").exists()
    portal.pages.clear()
    progress = SilentProgress()
    raw = make().fetch(tmp_path / "raw", progress)
    assert portal.pages == [(3, 3), (6, 3)]
    assert raw.path.read_text() == EXPECTED
    assert progress.notices == [f"{raw.origin}: 1 of 3 pages were there already"]
    assert left(keep) == []


def test_kept_pages_serve_only_the_same_question(server, portal, tmp_path):
    """Another page size, order or part begins anew and sweeps the old pages."""
    portal.faults = [None, *[status(500)] * 3]
    keep = tmp_path / "keep"
    with pytest.raises(HeddleError):
        source(server, keep=keep).fetch(tmp_path / "raw", SilentProgress())
    portal.pages.clear()
    raw = source(server, keep=keep, page_rows=4).fetch(tmp_path / "raw", SilentProgress())
    assert portal.pages == [(0, 4), (4, 4)]
    assert raw.path.read_text() == EXPECTED
    assert left(keep) == []


def test_pages_of_an_older_state_are_dropped(server, portal, tmp_path):
    """A day later the portal says another time of the last change: all is read anew."""
    portal.faults = [None, *[status(500)] * 3]
    keep = tmp_path / "keep"
    with pytest.raises(HeddleError):
        source(server, keep=keep).fetch(tmp_path / "raw", SilentProgress())
    portal.changed = "Wed, 27 Apr 2016 23:01:08 GMT"
    portal.rows[0]["cost"] = "9"
    portal.pages.clear()
    progress = SilentProgress()
    raw = source(server, keep=keep).fetch(tmp_path / "raw", progress)
    assert len(portal.pages) == 3
    assert "it changed since pages were kept; starting anew" in progress.notices[0]
    assert raw.path.read_text().splitlines()[1].endswith(",9")


def adding_a_row(portal):
    def fault(handler):
        portal.rows.insert(0, {"pfi": "x", "name": "x", "cost": "0"})
        portal.send(handler, portal.csv(portal.rows[3:6]), "csv")

    return fault


@pytest.mark.parametrize("changed", ["", "Tue, 26 Apr 2016 23:01:08 GMT"])
def test_a_row_added_between_pages_is_told(server, portal, tmp_path, changed):
    """The counts before and after differ: nothing is published, nothing kept."""
    portal.changed = changed
    portal.faults = [None, adding_a_row(portal)]
    words = r"the data set changed while it was read \(7 rows before, 8 now\)\. Run again"
    with pytest.raises(DataContractError, match=words):
        source(server, keep=tmp_path / "keep").fetch(tmp_path / "raw", SilentProgress())
    assert left(tmp_path) == ["keep"]


def test_a_row_removed_between_pages_is_told(server, portal, tmp_path):
    """A page that is short asks for the count at once."""

    def removing(handler):
        del portal.rows[4:]
        portal.send(handler, portal.csv(portal.rows[3:6]), "csv")

    portal.faults = [None, removing]
    with pytest.raises(DataContractError, match="7 rows before, 4 now"):
        source(server).fetch(tmp_path / "raw", SilentProgress())
    assert len(portal.pages) == 2


def test_a_value_edited_between_pages_is_told(server, portal, tmp_path):
    """Equal counts do not hide it: the portal says when the data changed last."""

    def editing(handler):
        portal.changed = "Wed, 27 Apr 2016 08:00:00 GMT"
        portal.send(handler, portal.csv(portal.rows[3:6]), "csv")

    portal.faults = [None, editing]
    words = r"on Wed, 27 Apr 2016 08:00:00 GMT, before that on Tue, 26 Apr 2016 23:01:08 GMT"
    with pytest.raises(DataContractError, match=words):
        source(server).fetch(tmp_path / "raw", SilentProgress())


def test_a_portal_with_smaller_pages_is_told_how_to_ask(server, portal, tmp_path):
    """Rows are never skipped: a page of fewer rows than asked for is no whole page."""
    portal.faults = [lambda handler: portal.send(handler, portal.csv(portal.rows[:2]), "csv")] * 3
    with pytest.raises(HeddleError, match="has 2 rows, not 3; gave up") as caught:
        source(server).fetch(tmp_path / "raw", SilentProgress())
    assert "set ingestion.page_rows below 3" in caught.value.todo


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            status(403, "Invalid app_token specified"),
            r"the server answered 403 Forbidden \(Invalid app_token specified\)\. Check the app",
        ),
        (status(401), "401 Unauthorized. Check the app token"),
        (
            status(400, "No such column: yeer"),
            r"400 Bad Request \(No such column: yeer\)\. Check ingestion\.select, where and order",
        ),
        (
            body(b"<!DOCTYPE html><html>", "text/html; charset=utf-8"),
            "answered with a web page, no data. Check ingestion.site",
        ),
    ],
)
def test_a_refusal_is_not_tried_again(server, portal, tmp_path, fault, words):
    """The portal's own words are told, and what to look at."""
    portal.faults = [fault]
    with pytest.raises(ConfigError, match=words):
        source(server).fetch(tmp_path / "raw", SilentProgress())
    assert len(portal.pages) == 1
    assert left(tmp_path) == ["raw"]


def test_an_unknown_data_set_is_told(server, tmp_path):
    """The count is asked for first, so that nothing else is."""
    words = r"404 Not Found \(Dataset '_wxyz-9999' was not found\)\. Check ingestion\.site and"
    with pytest.raises(ConfigError, match=words):
        source(server, dataset="wxyz-9999").fetch(tmp_path / "raw", SilentProgress())
    assert len(server.requests) == 1


@pytest.mark.parametrize("page_format", ["csv", "json"])
def test_fields_are_judged_by_the_first_page(server, portal, tmp_path, page_format):
    """A wrong name or an undeclared field is told before the rest is fetched."""
    wrong = {"pif": "Facility Id", "name": "Facility Name", "cost": "Mean Cost"}
    with pytest.raises(ConfigError, match=r"no field 'pif' came; did you mean 'pfi'?"):
        source(server, fields=wrong, page_format=page_format).fetch(tmp_path, SilentProgress())
    fields = {key: FIELDS[key] for key in ("pfi", "name")}
    with pytest.raises(ConfigError, match=r"the field 'cost' is not declared\. Known: pfi, name"):
        source(server, fields=fields, page_format=page_format).fetch(tmp_path, SilentProgress())
    assert portal.pages == [(0, 3), (0, 3)]


def test_no_rows_are_told(server, portal, tmp_path):
    """A condition that fits nothing is a mistake."""
    portal.rows.clear()
    with pytest.raises(DataContractError, match=r"holds no rows. Check ingestion.where"):
        source(server, where="year = 1").fetch(tmp_path / "raw", SilentProgress())


@pytest.mark.parametrize("cap", [60, 150])
def test_too_much_is_refused(server, tmp_path, cap):
    """By the page or by all pages; nothing is kept."""
    with pytest.raises(DataContractError, match=f"is larger than {cap} bytes"):
        source(server, max_bytes=cap, keep=tmp_path / "keep").fetch(tmp_path, SilentProgress())
    assert left(tmp_path) == ["keep"]


def test_another_hash_drops_the_pages(server, portal, tmp_path):
    """What is not the declared file is not kept for the next run either."""
    with pytest.raises(DataContractError, match=r"configured is f{64}"):
        source(server, sha256="f" * 64, keep=tmp_path / "keep").fetch(tmp_path, SilentProgress())
    assert left(tmp_path) == ["keep"]


def test_the_token_is_sent_and_never_shown(server, portal, tmp_path, monkeypatch):
    """It is read from the environment when it is used, and stands in no record or message."""
    monkeypatch.setenv("TEST_APP_TOKEN", "hush-hush")
    portal.faults = [status(500), status(403, "Invalid app_token specified")]
    progress = SilentProgress()
    made = source(server, token_variable="TEST_APP_TOKEN", keep=tmp_path / "keep")
    with pytest.raises(ConfigError) as caught:
        made.fetch(tmp_path / "raw", progress)
    assert [headers["X-App-Token"] for _, headers in server.requests] == ["hush-hush"] * 3
    assert "($TEST_APP_TOKEN)" in str(caught.value)
    kept = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()).decode()
    assert "hush" not in " ".join([str(caught.value), *progress.notices, kept, repr(made.__dict__)])


def test_without_the_variable_it_goes_without_a_token(server, tmp_path, monkeypatch):
    """The token is a courtesy, not a condition."""
    monkeypatch.delenv("TEST_APP_TOKEN", raising=False)
    source(server, token_variable="TEST_APP_TOKEN").fetch(tmp_path, SilentProgress())
    assert all("X-App-Token" not in headers for _, headers in server.requests)


def test_the_token_does_not_follow_a_redirect(server, portal, tmp_path, monkeypatch):
    """Another host gets the question, not the token."""
    monkeypatch.setenv("TEST_APP_TOKEN", "hush-hush")
    to = f"{server.address}/resource/abcd-1234.csv?%24limit=3&%24offset=0"
    portal.faults = [status(302, Location=to)]
    source(server, token_variable="TEST_APP_TOKEN").fetch(tmp_path, SilentProgress())
    assert "X-App-Token" not in server.requests[2][1]
    assert server.requests[3][1]["X-App-Token"] == "hush-hush"


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "app_token", "APP_TOKEN_2", "X Y"])
def test_another_secret_is_never_taken_for_a_token(server, name):
    """A configuration from elsewhere cannot send away what is none of its business."""
    with pytest.raises(ConfigError, match=r"is no name for an app token. Name a variable whose"):
        source(server, token_variable=name)


@pytest.mark.parametrize(
    ("site", "token"), [("http://h.example", "x"), ("https://h.example", "x\ny")]
)
def test_a_token_is_not_sent_where_others_can_read_it(monkeypatch, tmp_path, site, token):
    """Nor one that would become two headers."""
    monkeypatch.setenv("TEST_APP_TOKEN", token)
    made = source(SimpleNamespace(address=site), token_variable="TEST_APP_TOKEN")
    with pytest.raises(ConfigError, match=r"the app token in \$TEST_APP_TOKEN is not sent"):
        made.fetch(tmp_path, SilentProgress())
