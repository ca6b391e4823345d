"""From configuration to the right source, or to the right word."""

import re

import polars as pl
import pytest

from heddle.domain.errors import ConfigError
from heddle.infrastructure.memory import SilentProgress
from heddle.infrastructure.sources.choose import make_source
from heddle.infrastructure.sources.file import FileSource
from heddle.infrastructure.sources.fred import FredSource
from heddle.infrastructure.sources.kaggle import KaggleSource
from heddle.infrastructure.sources.remote import RemoteSource
from heddle.infrastructure.sources.socrata import SocrataSource
from heddle.infrastructure.sources.url import UrlSource
from heddle.infrastructure.sources.yahoo import YahooSource

GENERATOR = """
import polars as pl

def tiny(rows: int, seed: int) -> pl.DataFrame:
    return pl.DataFrame({"a": list(range(rows)), "seed": [seed] * rows})
"""


PORTAL = {"kind": "socrata", "site": "https://h", "dataset": "abcd-1234"}


def test_each_kind_is_made(tmp_path):
    """`kind` decides, the shared keys reach the source."""
    file = make_source(
        {"kind": "file", "path": "x.csv", "licence": "MIT", "options": {"max_bytes": 7}}, tmp_path
    )
    assert isinstance(file, FileSource)
    assert (file.licence, file.max_bytes, file.path) == ("MIT", 7, tmp_path / "x.csv")
    url = make_source(
        {"kind": "url", "url": "https://h/x.csv", "patience": {"retries": 9}}, tmp_path
    )
    assert isinstance(url, UrlSource)
    assert url.patience.retries == 9


def test_prices_and_series_are_made(tmp_path):
    """Prices keep snapshots in the project and know `asof`; `time` is passed over."""
    told = {"kind": "yahoo", "prices": {"ticker": "ABC"}, "asof": "2024-01-02", "time": "session"}
    prices = make_source({**told, "accept_revisions": True}, tmp_path)
    assert isinstance(prices, YahooSource)
    assert (prices.prices.ticker, prices.asof, prices.accept_revisions) == (
        "ABC",
        "2024-01-02",
        True,
    )
    assert prices.snapshots == tmp_path / "data" / "raw"
    series = make_source({"kind": "fred", "series": {"ids": ["DGS10"]}, "asof": "x"}, tmp_path)
    assert isinstance(series, FredSource)
    assert (series.series.ids, series.asof) == (("DGS10",), "x")


def test_the_network_kinds_are_made(tmp_path):
    """Their own keys reach them, and where a broken download is kept."""
    keep = tmp_path / "keep"
    portal = make_source({**PORTAL, "fields": {"a": "A"}, "order": "a"}, tmp_path, keep)
    assert isinstance(portal, SocrataSource)
    assert (portal.table.fields, portal.table.order, portal.keep) == ({"a": "A"}, "a", keep)
    kaggle = make_source({"kind": "kaggle", "dataset": "me/x", "anonymous": True}, tmp_path, keep)
    assert isinstance(kaggle, KaggleSource)
    assert kaggle.address.target == "https://www.kaggle.com/api/v1/datasets/download/me/x"
    assert (kaggle.anonymous, kaggle.keep) == (True, keep)
    store = make_source({"kind": "remote", "url": "s3://b/x.csv", "endpoint": "http://h"}, tmp_path)
    assert isinstance(store, RemoteSource)
    assert store.place.endpoint == "http://h"


def test_a_remote_address_of_the_web_is_an_address(tmp_path):
    """http(s) goes the way of kind url: its redirects and retries are the safer ones."""
    values = {"kind": "remote", "url": "https://h/x.csv", "options": {"max_bytes": 7}}
    source = make_source(values, tmp_path)
    assert isinstance(source, UrlSource)
    assert source.max_bytes == 7


def test_a_sample_comes_from_the_project_itself(tmp_path):
    """The generator is a function of the project's steps, called with rows and seed."""
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "tiny.py").write_text(GENERATOR)
    values = {"kind": "sample", "generator": "tiny", "rows": 3, "seed": 5}
    raw = make_source(values, tmp_path).fetch(tmp_path / "raw", SilentProgress())
    assert raw.origin == "sample:tiny?rows=3&seed=5"
    assert pl.read_csv(raw.path).rows() == [(0, 5), (1, 5), (2, 5)]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "fil"}, "ingestion.kind: no kind of source 'fil'; did you mean 'file'? Known"),
        ({}, "no kind of source ''. Known: file, fred, kaggle, remote, sample, socrata, url"),
        ({"kind": "yahoo"}, "ingestion.prices.ticker: is not set. Add ingestion.prices.ticker="),
        ({"kind": "yahoo", "prices": {"ticker": "a b"}}, "ingestion.prices: ticker must be"),
        ({"kind": "fred"}, "ingestion.series: key 'ids' is missing. Known: ids, start, end, api"),
        ({"kind": "file"}, "ingestion.path: is not set. Add ingestion.path=FILE.csv"),
        ({"kind": "url", "url": ""}, "ingestion.url: is not set. Add ingestion.url=https://"),
        ({"kind": "file", "pth": "x"}, "ingestion: unknown key 'pth'; did you mean 'path'?"),
        ({"kind": "file", "path": 3}, "ingestion.path: must be text, not 3 (int)"),
        ({"kind": "file", "path": "x", "sha256": "abc"}, "sha256 must be 64 hex digits or null"),
        ({"kind": "url", "url": "http://h/x", "patience": {"retries": -1}}, "retries <= 20 must"),
        ({"kind": "socrata"}, "ingestion.site: is not set. Add ingestion.site=https://HOST"),
        ({"kind": "socrata", "site": "https://h"}, "ingestion.dataset: is not set. Add"),
        ({**PORTAL, "page_format": "xml"}, "'xml' is not a choice. Known: csv, json"),
        ({**PORTAL, "fields": {"a": 3}}, "ingestion.fields.a: must be text, not 3 (int)"),
        ({**PORTAL, "page_rows": 10**6}, "ingestion.page_rows: 1 <= page_rows <= 50,000 must"),
        ({"kind": "kaggle"}, "ingestion.dataset: is not set. Add ingestion.dataset=OWNER/NAME"),
        ({"kind": "kaggle", "dataset": "x"}, "ingestion.dataset: 'x' is no Kaggle data set"),
        ({"kind": "remote"}, "ingestion.url: is not set. Add ingestion.url=s3://BUCKET/FILE.csv"),
        (
            {"kind": "remote", "url": "https://h/x.csv", "anonymous": True},
            "ingestion.anonymous: is for object stores, not for http(s)",
        ),
        ({"kind": "sample", "generator": "tinny"}, "no step 'tinny'; did you mean 'tiny'?"),
        ({"kind": "sample", "generator": "../x"}, "'../x' is not a generator name"),
        ({"kind": "sample", "generator": "tiny", "rows": 0}, "rows >= 1 and seed >= 0 must hold"),
    ],
)
def test_a_mistake_is_answered(tmp_path, values, words):
    """Unknown kind or key, nothing set, a wrong type: where, and what exists."""
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "tiny.py").write_text(GENERATOR)
    with pytest.raises(ConfigError, match=re.escape(words)):
        make_source(values, tmp_path)
