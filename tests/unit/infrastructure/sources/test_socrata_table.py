"""What is asked of a portal, and what its fields become."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from heddle.domain.errors import ConfigError
from heddle.infrastructure.sources.socrata_table import SocrataTable


def table(**values):
    return SocrataTable(**{"site": "https://h.example", "dataset": "abcd-1234"} | values)


def asked(address):
    return {key: values[0] for key, values in parse_qs(urlsplit(address.target).query).items()}


def test_pages_are_windows_in_a_stable_order():
    """Limit, offset and an order that ends in the row's id, so that no row is twice or missing."""
    place = table(page_rows=10, order="year", where="year > '2009'", select="year,name")
    assert urlsplit(place.page(2).target).path == "/resource/abcd-1234.csv"
    assert asked(place.page(2)) == {
        "$select": "year,name",
        "$where": "year > '2009'",
        "$order": "year,:id",
        "$limit": "10",
        "$offset": "20",
    }
    assert asked(place.count()) == {"$select": "count(*)", "$where": "year > '2009'"}
    assert urlsplit(place.count().target).path == "/resource/abcd-1234.json"
    assert place.origin == (
        "https://h.example/resource/abcd-1234?"
        "$select=year,name&$where=year > '2009'&$order=year,:id"
    )


@pytest.mark.parametrize(
    ("order", "sent"),
    [("", ":id"), (":id", ":id"), (":id DESC", ":id DESC"), ("a, :id", "a, :id"), ("a", "a,:id")],
)
def test_the_order_is_always_unique(order, sent):
    """The row's id is added unless it is there."""
    assert asked(table(order=order).page(0))["$order"] == sent


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"site": "h.example"}, "ingestion.site: scheme '' is not fetched"),
        ({"dataset": "../x"}, "ingestion.dataset: '../x' is no id of a data set. It stands in"),
        ({"page_rows": 50_001}, "ingestion.page_rows: 1 <= page_rows <= 50,000 must hold, but got"),
        ({"page_rows": 0}, "but got 0"),
        ({"fields": {"a": "x", "b": "x"}}, "ingestion.fields: two fields become 'x'"),
    ],
)
def test_a_mistake_is_answered(values, words):
    """Before anything is asked of a portal."""
    with pytest.raises(ConfigError, match=re.escape(words)):
        table(**values)


def test_declared_fields_come_first_and_in_their_order():
    """Others follow under their own names, where they are kept at all."""
    place = table(fields={"b": "Bee", "a": "Aye"}, undeclared="keep")
    assert list(place.columns(["x", "a", "b"]).items()) == [("b", "Bee"), ("a", "Aye"), ("x", "x")]
    assert table().columns(["x", "a"]) == {"x": "x", "a": "a"}
    assert table(fields={"a": "A", "z": "Z"}).columns(["a"], partly=True) == {"a": "A", "z": "Z"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"fields": {"pif": "P"}}, "no field 'pif' came; did you mean 'pfi'? Known: pfi, year"),
        ({"fields": {"pfi": "P"}}, "the field 'year' is not declared. Known: pfi. Declare it"),
        (
            {"fields": {"pfi": "year"}, "undeclared": "keep"},
            "two fields become 'year', one of them undeclared",
        ),
    ],
)
def test_fields_that_do_not_fit_are_answered(values, words):
    """What came, what was declared, what to do."""
    with pytest.raises(ConfigError, match=re.escape(f"ingestion.fields: {words}")):
        table(**values).columns(["pfi", "year"])
