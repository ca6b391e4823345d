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


ORDINARY = {"HOME": "/home/of", "GIT_AUTHOR_NAME": "heddle"}


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
        ("world.remote.secret_key=abc KAGGLE_KEY=zzzzzz", "world.remote.secret_key=… KAGGLE_KEY=…"),
        ("X-Api-Key: abc account_key=abc", "X-Api-Key: … account_key=…"),
        ("row_key=id key=b split.sort_key: c", "row_key=id key=b split.sort_key: c"),
        ("heddle run by me", "heddle run by me"),
        (
            "token_variable=NAME https://host.example/a/b",
            "token_variable=NAME https://host.example/a/b",
        ),
    ],
)
def test_secrets_are_taken_out_and_nothing_else(said, left):
    """Of addresses, of what stands behind a telling name, and of the environment."""
    redaction = Redaction({"KAGGLE_API_TOKEN": "KGAT_0123", "MY_KEY": "a", **ORDINARY})
    assert redaction.of(said) == left
    assert redaction.of({"a": [said]}) == {"a": [left]}


@pytest.mark.parametrize("name", ["HTTP_AUTHORIZATION", "PROXY_AUTH", "MY_KEY", "GITHUB_PAT"])
def test_the_value_of_a_variable_that_names_a_secret_is_taken_out(name):
    """Where it is six letters or longer: a shorter one may be an ordinary word."""
    assert Redaction({name: "abc123"}).of("it is abc123") == "it is …"
    assert Redaction({name: "abc12"}).of("it is abc12") == "it is abc12"


def test_a_key_that_names_a_secret_hides_its_text():
    """Not a number, and not the name of a variable."""
    hidden = dict.fromkeys(("password", "token", "secret_key", "KAGGLE_KEY"), "…")
    told = {"max_tokens": 3, "token_variable": "NAME", "key": ["a"], "row_key": "id"}
    assert Redaction({}).of({**told, **dict.fromkeys(hidden, "x")}) == {**told, **hidden}
