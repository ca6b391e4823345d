"""Sources are taken apart once."""

from __future__ import annotations

import json

import pytest

from heddle.pipeline.code_memory import CodeMemory
from heddle.pipeline.fingerprint import read_source

SOURCE = b"from os import path\nimport json\nfrom .near import a, b\n"


def test_what_is_remembered_is_what_was_read(tmp_path) -> None:
    """The second process gets the same answer from the file."""
    first = CodeMemory(tmp_path / "code.json")
    told = first.read(SOURCE)
    first.save()
    assert told == read_source(SOURCE)
    assert CodeMemory(tmp_path / "code.json").read(SOURCE) == told
    assert len(json.loads((tmp_path / "code.json").read_text())["sources"]) == 1


@pytest.mark.parametrize("kept", ["", "{", "[]", '{"reader": "another", "sources": {"a": 1}}'])
def test_a_torn_or_foreign_memory_is_forgotten(tmp_path, kept: str) -> None:
    """Nothing in it is believed."""
    (tmp_path / "code.json").write_text(kept)
    assert CodeMemory(tmp_path / "code.json").read(SOURCE) == read_source(SOURCE)


def test_what_is_no_python_is_refused(tmp_path) -> None:
    """And it is not remembered."""
    memory = CodeMemory(tmp_path / "code.json")
    with pytest.raises(SyntaxError):
        memory.read(b"def")
    memory.save()
    assert not (tmp_path / "code.json").exists()


def test_a_memory_that_cannot_be_kept_costs_only_time(tmp_path) -> None:
    """Its folder cannot be made: nothing is raised, and the next process reads again."""
    (tmp_path / "file").touch()
    memory = CodeMemory(tmp_path / "file" / "below" / "code.json")
    told = memory.read(SOURCE)
    memory.save()
    assert told == read_source(SOURCE)
