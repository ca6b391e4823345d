"""A data version made in memory: the same table, and nothing else is touched."""

from __future__ import annotations

import pytest

from heddle.domain.errors import ConfigError, DataContractError
from heddle.infrastructure.files import FileTables
from heddle.infrastructure.memory import SilentProgress
from heddle.infrastructure.memory_registry import MemoryRegistry
from heddle.pipeline.generated import read_params
from heddle.presentation.rehearsal import makers, rehearsed


def made(root, version):
    progress, registry = SilentProgress(), MemoryRegistry(root / "models")
    return rehearsed(root, read_params(root), version, registry=registry, told=progress)


def test_the_version_is_that_of_a_run(finished):
    """By the stages that it takes, and by no other."""
    assert made(finished, "both").equals(FileTables(finished / "data").read("both"))
    assert makers(read_params(finished)["stages"], "left") == ["read", "left"]


def test_what_was_published_stays(done, hashes):
    """Although the source says something else now."""
    before, then = hashes(done), made(done, "v0")
    cases = done / "cases.csv"
    lines = cases.read_text().splitlines()
    cases.write_text("\n".join(lines[:-1]) + "\n")
    assert made(done, "v0").height == then.height - 1
    assert hashes(done) == before
    cases.write_text("\n".join([*lines, lines[-1].replace(",", ",,")]) + "\n")
    with pytest.raises(DataContractError):
        made(done, "v0")
    assert hashes(done) == before


def test_what_cannot_be_made_in_memory_is_refused(finished):
    """A version that no stage makes; a stage that writes a file."""
    entries = read_params(finished)["stages"]
    with pytest.raises(ConfigError, match="no stage makes 'bth'; did you mean 'both'"):
        makers(entries, "bth")
    with pytest.raises(ConfigError, match=r"'said' works with reports/said\.json, which cannot"):
        makers(entries, "reports/said.json")
