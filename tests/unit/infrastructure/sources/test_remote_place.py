"""Addresses of remote files are checked before anything is asked of a store."""

import re
import sys
from importlib import import_module

import pytest

from heddle.domain.errors import ConfigError
from heddle.infrastructure.sources.patience import Patience
from heddle.infrastructure.sources.remote_place import RemotePlace, file_system


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": "bucket/x.csv"}, "is no address of a remote file. Write s3://BUCKET/FILE.csv"),
        ({"url": "s3://"}, "is no address of a remote file"),
        ({"url": "simplecache::s3://b/x"}, "is no address of a remote file"),
        ({"url": "file:///etc/passwd"}, "is on this machine. For a file on this machine use"),
        ({"url": "local:///etc/passwd"}, "is on this machine"),
        ({"url": "ftp://me:pw@h/x"}, "holds a user or password. Leave them to the store's own"),
        ({"url": "s3://b/x", "endpoint": "http://me@h"}, "holds a user or password"),
        ({"url": "s3://b/x", "endpoint": "h:9000"}, "ingestion.endpoint: scheme 'h' is not"),
        ({"url": "ftp://h/x", "endpoint": "http://h"}, "an endpoint is for s3 and gs, not for"),
    ],
)
def test_a_mistake_is_answered(values, words):
    """Where, what, and what to write instead; no password is repeated."""
    with pytest.raises(ConfigError, match=re.escape(words)) as caught:
        RemotePlace(**values)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "name", "shown"),
    [
        ("s3://b/a/x.csv", "x.csv", "s3://b/a/x.csv"),
        ("s3://b/a/x.csv?versionId=7", "x.csv", "s3://b/a/x.csv?versionId=…"),
        ("s3://b/what?.csv", "what", "s3://b/what?.csv"),
        ("gs://b/.hidden", "hidden", "gs://b/.hidden"),
    ],
)
def test_the_file_name_is_plain_and_a_query_is_not_shown(url, name, shown):
    """What is recorded holds no value of a query."""
    place = RemotePlace(url=url)
    assert (place.name, place.shown) == (name, shown)


def test_an_unknown_protocol_is_told():
    """With the nearest that is known."""
    words = r"scheme 'gss' is not read; did you mean 'gs'\? Known: s3, gs, http, https, "
    with pytest.raises(ConfigError, match=words):
        file_system(RemotePlace(url="gss://b/x"), Patience())


@pytest.mark.parametrize(
    ("url", "module", "todo"),
    [
        ("s3://b/x", "s3fs", 'Run: pip install "heddle-ml[s3]"'),
        ("gs://b/x", "gcsfs", 'Run: pip install "heddle-ml[gs]"'),
    ],
)
def test_a_missing_extra_is_named(monkeypatch, url, module, todo):
    """Not the module that could not be imported, but what to install."""
    scheme = url.partition("://")[0]
    monkeypatch.delitem(import_module("fsspec.registry")._registry, scheme, raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError) as caught:
        file_system(RemotePlace(url=url), Patience())
    assert caught.value.todo == todo
    assert caught.value.what == f"what reads {scheme}:// is not installed"
