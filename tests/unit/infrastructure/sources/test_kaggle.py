"""A Kaggle data set against a real server on loopback, faults included."""

import io
import re
import runpy
import zipfile
from base64 import b64encode
from pathlib import Path
from types import SimpleNamespace

import pytest

from heddle.domain.errors import ConfigError, DataContractError, HeddleError
from heddle.infrastructure.memory import SilentProgress
from heddle.infrastructure.sources.kaggle import KaggleSource
from heddle.infrastructure.sources.patience import Patience

loopback = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[3] / "loopback.py")))
body, cut, ranged, status = loopback.body, loopback.cut, loopback.ranged, loopback.status


def packed(text="a,b\n1,x\n"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("deep/table.csv"), text * 3000)
    return out.getvalue()


CONTENT = packed()


@pytest.fixture
def server():
    with loopback.serving(ranged(CONTENT)) as running:
        yield running


@pytest.fixture(autouse=True)
def key(monkeypatch, tmp_path):
    monkeypatch.setenv("KAGGLE_USERNAME", "me")
    monkeypatch.setenv("KAGGLE_KEY", "s3cret")


def source(server, waits=None, **options):
    patience = {"timeout_seconds": 0.5, "backoff_seconds": 0.5, "retries": 2}
    return KaggleSource(
        "some-one/a-table",
        api=f"{server.address}/api/v1",
        patience=Patience(**patience),
        sleep=(waits if waits is not None else []).append,
        **options,
    )


def left(folder):
    return [p.name for p in folder.rglob("*")]


def test_the_zip_comes_with_the_key(server, tmp_path):
    """Basic auth of the user's own key; origin and name are the data set's."""
    raw = source(server).fetch(tmp_path, SilentProgress())
    assert raw.path == tmp_path / "a-table.zip"
    assert raw.path.read_bytes() == CONTENT
    assert raw.origin == f"{server.address}/api/v1/datasets/download/some-one/a-table"
    path, headers = server.requests[0]
    assert path == "/api/v1/datasets/download/some-one/a-table"
    assert headers["Authorization"] == "Basic " + b64encode(b"me:s3cret").decode()
    assert left(tmp_path) == ["a-table.zip"]


def test_kaggle_sends_elsewhere_and_the_key_stays(server, tmp_path):
    """The file lies with a store behind a redirect: the range goes along, the key does not."""
    elsewhere = status(302, Location="/store/archive.zip?signature=x")
    cut_there = cut(CONTENT, 1000, ETag='"v1"')
    server.answers = [elsewhere, cut_there, elsewhere, ranged(CONTENT)]
    raw = source(server).fetch(tmp_path, SilentProgress())
    assert raw.path.read_bytes() == CONTENT
    assert [headers.get("Range") for _, headers in server.requests] == [
        *(None, None),
        *("bytes=1000-", "bytes=1000-"),
    ]
    assert ["Authorization" in headers for _, headers in server.requests] == [
        *(True, False),
        *(True, False),
    ]
    assert "signature" not in raw.origin


def test_a_cut_download_goes_on(server, tmp_path):
    """Within one fetch: the second request asks for the rest of the same file."""
    server.answers.insert(0, cut(CONTENT, 1000, ETag='"v1"'))
    waits, progress = [], SilentProgress()
    raw = source(server, waits).fetch(tmp_path, progress)
    assert raw.path.read_bytes() == CONTENT
    assert server.requests[1][1]["Range"] == "bytes=1000-"
    assert server.requests[1][1]["If-Range"] == '"v1"'
    assert waits == [0.5]
    assert f"the connection was cut after 1,000 of {len(CONTENT):,} bytes" in progress.notices[0]


def test_the_next_fetch_goes_on_too(server, tmp_path):
    """What came before the end of patience waits in the kept folder."""
    server.answers = [cut(CONTENT, 100, ETag='"v1"'), *[status(503)] * 2]
    keep = tmp_path / "keep"
    with pytest.raises(HeddleError, match="gave up after 3 attempts"):
        source(server, keep=keep).fetch(tmp_path / "raw", SilentProgress())
    assert not (tmp_path / "raw").exists()
    server.answers += [ranged(CONTENT)]
    raw = source(server, keep=keep).fetch(tmp_path / "raw", SilentProgress())
    assert server.requests[-1][1]["Range"] == "bytes=100-"
    assert raw.path.read_bytes() == CONTENT
    assert left(keep) == []


@pytest.mark.parametrize(
    "second",
    [
        ranged(packed("other"), etag='"v2"'),  # a whole new file, as If-Range demands
        body(CONTENT[1000:], code=206, ETag='"v2"', Content_Range="bytes 1000-9/9"),
        body(CONTENT[900:], code=206, ETag='"v1"', Content_Range="bytes 900-9/9"),
        body(CONTENT[900:], code=206, ETag='"v1"'),
        status(416),
    ],
)
def test_the_rest_of_another_file_is_never_appended(server, tmp_path, second):
    """A new version in between, or a server that answers another range: all anew."""
    expected = packed("other")
    server.answers = [
        *(cut(CONTENT, 1000, ETag='"v1"'), second),
        ranged(expected, etag='"v2"'),
    ]
    raw = source(server).fetch(tmp_path, SilentProgress())
    assert raw.path.read_bytes() == expected
    assert left(tmp_path) == ["a-table.zip"]


@pytest.mark.parametrize("headers", [{}, {"ETag": 'W/"v1"'}])
def test_without_a_mark_nothing_is_resumed(server, tmp_path, headers):
    """The server does not say which file it is: the whole is asked for again."""
    server.answers.insert(0, cut(CONTENT, 1000, **headers))
    raw = source(server).fetch(tmp_path, SilentProgress())
    assert "Range" not in server.requests[1][1]
    assert raw.path.read_bytes() == CONTENT


def test_the_time_of_the_last_change_is_a_mark_too(server, tmp_path):
    """Where there is no ETag."""
    server.answers.insert(0, cut(CONTENT, 1000, Last_Modified="Tue, 26 Apr 2016 23:01:08 GMT"))
    source(server).fetch(tmp_path, SilentProgress())
    assert server.requests[1][1]["If-Range"] == "Tue, 26 Apr 2016 23:01:08 GMT"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (status(401), "the server answered 401 Unauthorized. The key is not Kaggle's: make"),
        (status(403, "Permission denied"), "403 Forbidden (Permission denied). Open the data"),
        (status(404, "Not found"), "404 Not Found (Not found). Check ingestion.dataset: OWNER/"),
        (body(b"<html>", "text/html"), "answered with a web page, no data. Check ingestion.data"),
    ],
)
def test_a_refusal_is_not_tried_again(server, tmp_path, fault, words):
    """Said at once, in Kaggle's words and ours, without the key."""
    server.answers = [fault]
    with pytest.raises(ConfigError, match=re.escape(words)) as caught:
        source(server, keep=tmp_path / "keep").fetch(tmp_path / "raw", SilentProgress())
    assert len(server.requests) == 1
    assert "s3cret" not in str(caught.value)
    assert left(tmp_path) == ["keep"]


@pytest.mark.parametrize("announced", [True, False])
def test_too_much_is_refused(server, tmp_path, announced):
    """By the announced length, or as soon as too much has come."""
    if not announced:

        def endless(handler):
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.write(CONTENT)

        server.answers = [endless]
    with pytest.raises(DataContractError, match="is larger than 50 bytes"):
        source(server, max_bytes=50, keep=tmp_path / "keep").fetch(tmp_path, SilentProgress())
    assert left(tmp_path) == ["keep"]


def test_another_hash_drops_what_came(server, tmp_path):
    """The next run fetches anew."""
    with pytest.raises(DataContractError, match=r"configured is f{64}"):
        source(server, sha256="f" * 64, keep=tmp_path / "keep").fetch(tmp_path, SilentProgress())
    assert left(tmp_path) == ["keep"]


def test_asked_without_a_key(server, tmp_path, monkeypatch):
    """Where Kaggle allows it."""
    monkeypatch.delenv("KAGGLE_USERNAME")
    monkeypatch.delenv("KAGGLE_KEY")
    source(server, anonymous=True).fetch(tmp_path, SilentProgress())
    assert "Authorization" not in server.requests[0][1]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"dataset": "one"}, "'one' is no Kaggle data set. Write OWNER/NAME"),
        ({"dataset": "a/../b"}, "is no Kaggle data set"),
        ({"api": "https://evil.example/api/v1"}, "'evil.example' is not told a Kaggle key. Use"),
        ({"api": "https://notkaggle.com"}, "'notkaggle.com' is not told a Kaggle key"),
        ({"api": "http://www.kaggle.com"}, "ingestion.api: 'www.kaggle.com' is not told"),
    ],
)
def test_a_mistake_is_answered(values, words):
    """Nobody but Kaggle is told the key, and it only where others cannot read it."""
    with pytest.raises(ConfigError, match=re.escape(words)):
        KaggleSource(**{"dataset": "a/b"} | values)
