"""Lines of a log, for people and for programs, without secrets."""

from __future__ import annotations

import json
import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.infrastructure.log_lines import LogLines, Redaction

FACTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def record(event: str, facts: object = None, name: str = "heddle.x", **more) -> logging.LogRecord:
    made = logging.LogRecord(
        name, logging.INFO, "x.py", 1, event, more.get("args"), more.get("exc")
    )
    made.facts = facts or {}
    made.created = 1795251901.25
    return made


def test_a_line_for_people_names_its_facts():
    """Empty ones are left out, a list of words is one word, nested ones follow below."""
    facts = {"rows": 3, "where": "", "why": ["a b", "c"], "steps": [{"name": "x"}], "no": False}
    assert LogLines("text").format(record("read", facts)) == (
        '2026-11-21T09:05:01.250Z INFO    read rows=3 why="a b; c" no=False\n'
        "    steps:\n    - name: x"
    )


def test_a_line_for_programs_is_one_object():
    """Lists stay lists; whose word it is stands beside what libraries say."""
    line = LogLines("json").format(record("3 %s", {"why": ["a"]}, "other", args=("is much",)))
    assert json.loads(line) == {
        "time": "2026-11-21T09:05:01.250Z",
        "level": "INFO",
        "event": "3 is much",
        "logger": "other",
        "why": ["a"],
    }


@pytest.mark.parametrize("kind", ["text", "json"])
def test_a_traceback_follows_its_words(kind):
    """Indented, so that each line at the margin begins with a time; or as a field."""
    try:
        int("from https://me:it@host.example/")
    except ValueError:
        line = LogLines(kind).format(record("failed", exc=sys.exc_info()))
    assert "Traceback (most recent call last)" in line
    assert "https://…@host.example/" in line
    assert all(more.startswith("    ") for more in line.split("\n")[1:])
    assert (kind == "json") == ("\n" not in line)


@given(st.text(), st.dictionaries(st.text(), FACTS, max_size=4))
def test_whatever_is_said_stays_one_record(event, facts):
    """A line of JSON, or a first line and indented ones; no control character gets through."""
    said = record(event.replace("%", ""), facts)
    line = LogLines("json").format(said)
    assert len(line.splitlines()) >= 1
    assert "\n" not in line
    assert isinstance(json.loads(line), dict)
    text = LogLines("text").format(said)
    assert all(more.startswith("    ") for more in text.split("\n")[1:])
    assert not {"\x1b", "\r", "\x00"} & set(text)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("http://me:pa/ss@w@host.example/a", "http://…@host.example/a"),
        ("s3://key@bucket/a", "s3://…@bucket/a"),
        (
            "see https://host.example/a?token=abc&x=1#b.",
            "see https://host.example/a?token=…&x=…#b.",
        ),
        ("postgresql+psycopg://u:p@h:5432/db", "postgresql+psycopg://…@h:5432/db"),
        ("Authorization: Bearer abcdefgh.ijk", "Authorization: Bearer …"),
        ("db.password=it 'api_key': 'it', secret: it", "db.password=… 'api_key': '…', secret: …"),
        ("KGAT_0123 is wrong", "… is wrong"),
        (
            "token_variable=NAME https://host.example/a/b",
            "token_variable=NAME https://host.example/a/b",
        ),
    ],
)
def test_secrets_are_taken_out_and_nothing_else(said, left):
    """Of addresses, of what stands behind a telling name, and of the environment."""
    redaction = Redaction({"KAGGLE_API_TOKEN": "KGAT_0123", "HOME": "/root/of", "MY_KEY": "a"})
    assert redaction.of(said) == left
    assert redaction.of({"a": [said]}) == {"a": [left]}


def test_a_key_that_names_a_secret_hides_its_text():
    """Not a number, and not the name of a variable."""
    told = {"password": "x", "token": "y", "max_tokens": 3, "token_variable": "NAME", "key": ["a"]}
    assert Redaction({}).of(told) == {**told, "password": "…", "token": "…"}
