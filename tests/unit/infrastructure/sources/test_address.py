"""Addresses and patience are checked before anything is asked of a server."""

import re

import pytest

from heddle.domain.errors import ConfigError
from heddle.infrastructure.sources.address import read_address
from heddle.infrastructure.sources.patience import Patience


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://host/x", "ingestion.url: scheme 'ftp' is not fetched. Known: http, https"),
        ("/tmp/x.csv", "scheme '' is not fetched"),
        ("https:///x", "ingestion.url: has no host"),
        ("http://host:port/", "is no address"),
    ],
)
def test_an_address_that_is_none_is_refused(url, words):
    """Only http and https, with a host."""
    with pytest.raises(ConfigError, match=re.escape(words)):
        read_address(url)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://h/a/b.csv?x=1", "b.csv"),
        ("https://h/", "download"),
        ("https://h/a/..%2f..%2fetc", "etc"),
        ("https://h/.hidden.csv", "hidden.csv"),
        ("https://[::1]:8/x.zip", "x.zip"),
    ],
)
def test_the_file_name_is_safe(url, name):
    """Whatever the path, the name is a plain one."""
    assert read_address(url).name == name


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"timeout_seconds": 0}, "must be above 0"),
        ({"retries": 21}, "0 <= retries <= 20 must hold, but got 21"),
        ({"backoff_seconds": -1}, "waits must not be negative"),
    ],
)
def test_patience_keeps_its_bounds(values, words):
    """Time-outs are positive and retries few."""
    with pytest.raises(ValueError, match=words):
        Patience(**values)
