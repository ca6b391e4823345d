"""Google's store by gcsfs itself, against a server that words its JSON API on loopback."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from heddle.domain.errors import ConfigError
from heddle.infrastructure.memory import SilentProgress
from heddle.infrastructure.sources.patience import Patience
from heddle.infrastructure.sources.remote import RemoteSource
from heddle.infrastructure.sources.remote_place import RemotePlace

pytest.importorskip("gcsfs", reason="gcsfs is an extra that is not installed")

loopback = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[3] / "loopback.py")))
CONTENT = b"a,b\n" + b"1,x\n" * 2_000_000  # two parts
OBJECT = {
    "kind": "storage#object",
    "id": "shelf/deep/x.csv/1",
    "name": "deep/x.csv",
    "bucket": "shelf",
    "generation": "1",
    "size": str(len(CONTENT)),
    "etag": "CAE=",
    "timeCreated": "2016-04-26T23:01:08.000Z",
    "updated": "2016-04-26T23:01:08.000Z",
}


def store(handler):
    """Metadata of one object, its bytes by range, and a listing of it."""
    parts = urlsplit(handler.path)
    path = unquote(parts.path)
    if path.endswith("/b/shelf/o"):
        prefix = parse_qs(parts.query).get("prefix", [""])[0]
        items = [OBJECT] if OBJECT["name"].startswith(prefix) else []
        found = {"kind": "storage#objects", "items": items}
        loopback.body(json.dumps(found).encode(), "application/json")(handler)
    elif not path.endswith("/o/deep/x.csv"):
        loopback.status(404, "No such object")(handler)
    elif "alt=media" in parts.query:
        first, last = map(int, handler.headers["Range"].removeprefix("bytes=").split("-"))
        told = f"bytes {first}-{last}/{len(CONTENT)}"
        loopback.body(CONTENT[first : last + 1], code=206, Content_Range=told)(handler)
    else:
        loopback.body(json.dumps(OBJECT).encode(), "application/json")(handler)


def source(endpoint, url):
    place = RemotePlace(url=url, endpoint=endpoint, anonymous=True)
    return RemoteSource(place, patience=Patience(retries=0, timeout_seconds=2))


def test_an_object_comes_whole(tmp_path):
    """Anonymously, in ranges, byte for byte."""
    with loopback.serving(store) as server:
        url = "gs://shelf/deep/x.csv"
        raw = source(server.address, url).fetch(tmp_path, SilentProgress())
        assert all("Authorization" not in headers for _, headers in server.requests)
    assert raw.path.read_bytes() == CONTENT
    assert raw.origin == url


def test_a_missing_object_is_told(tmp_path):
    """With what is there."""
    words = r"gs://shelf/deep/xx\.csv: no such file; did you mean 'x\.csv'\? Known: x\.csv"
    with loopback.serving(store) as server, pytest.raises(ConfigError, match=words):
        source(server.address, "gs://shelf/deep/xx.csv").fetch(tmp_path, SilentProgress())
