"""The text of a dvc.lock, stage by stage."""

from __future__ import annotations

import pytest
from dvc.utils.serialize import dumps_yaml
from hypothesis import given
from hypothesis import strategies as st

from heddle.infrastructure.lock_text import entries, read_entry
from heddle.pipeline.yaml_text import load

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
ODD = st.sampled_from(["no", "010", "a: b", "- x", "stages", " a", "? k", "word " * 40, "k" * 200])
LEAVES = st.none() | st.booleans() | st.integers() | WORDS | ODD
SAID = st.recursive(
    LEAVES, lambda v: st.lists(v, max_size=3) | st.dictionaries(WORDS | ODD, v, max_size=3)
)


@given(st.dictionaries(WORDS | ODD, SAID, min_size=1, max_size=4))
def test_the_stages_say_by_themselves_what_they_say_together(stages):
    """Property: where the text is taken apart, nothing is lost, added or changed."""
    text = dumps_yaml({"schema": "2.0", "stages": stages}).encode()
    found = entries(text)
    if found is not None:
        assert {name: read_entry(block) for name, block in found.items()} == load(text)["stages"]


def test_the_usual_lock_is_taken_apart():
    """The property above is not kept by refusing everything."""
    stages = {"a": {"cmd": "x", "deps": [{"path": "p", "size": 1}]}, "010": {"cmd": "y"}}
    found = entries(dumps_yaml({"schema": "2.0", "stages": stages}).encode())
    assert {name: read_entry(block) for name, block in found.items()} == stages


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"schema: '2.0'\nstages: {}\n",
        b"schema: '2.0'\nstages:\n  a: 1 # mine\n",
        b"schema: '2.0'\nstages:\n  a:\n    cmd: x",
        b"schema: '2.0'\nstages:\n  a: &x\n    cmd: x\n  b: *x\n",
        b"schema: '2.0'\nstages:\n  a:\n    cmd: x\ndatasets: []\n",
        b"schema: '2.0'\nstages:\n  a:\n    cmd: x\n  a:\n    cmd: y\n",
        b"stages:\n  a:\n    cmd: x\nschema: '2.0'\n",
    ],
)
def test_what_is_not_the_usual_lock_is_left_whole(text):
    """Empty, commented, cut, with anchors, with more than stages, with a name twice."""
    assert entries(text) is None


def test_each_reader_gets_its_own():
    """DVC may change what it was given."""
    block = b"  a:\n    deps: [1]\n"
    read_entry(block)["deps"].append(2)
    assert read_entry(block) == {"deps": [1]}
