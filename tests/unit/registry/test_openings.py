"""How often the same test rows have judged, and which version is the same model again."""

from __future__ import annotations

import pytest

from heddle.domain.entities import ModelPackage
from heddle.infrastructure.memory_registry import MemoryRegistry
from heddle.registry.openings import openings, same_model


@pytest.fixture
def registry(tmp_path) -> MemoryRegistry:
    """Four versions on two splits, the last of them the files of the first."""
    made = MemoryRegistry(tmp_path / "registry")
    (tmp_path / "model").mkdir()
    for sha256, split in (("a", "s1"), ("b", "s1"), ("c", "s2"), ("a", "s1")):
        made.add(
            ModelPackage(
                name="price",
                folder=tmp_path / "model",
                model=None,
                example=None,
                run_id="",
                requirements=(),
                description="",
                tags={"manifest_sha256": sha256, "split_hash": split},
            )
        )
    return made


def test_each_earlier_version_of_the_split_was_a_look(registry):
    """Itself included; those of another split and those that came later are none."""
    looks = [openings(registry, registry.resolve("price", n)) for n in "1234"]
    assert looks == [1, 2, 1, 3]


def test_the_same_files_are_the_first_version_of_them(registry):
    """Others, and models that are not there, are none."""
    assert same_model(registry, "price", {"manifest_sha256": "a"}).number == 1
    assert same_model(registry, "price", {"manifest_sha256": "z"}) is None
    assert same_model(registry, "rent", {"manifest_sha256": "a"}) is None


def test_a_version_that_another_key_signed_is_another(registry):
    """Whoever signs now registers it once more; without a key any will do."""
    signed = {"manifest_sha256": "a", "signed_by": "k"}
    assert same_model(registry, "price", signed) is None
    registry.tag("price", 4, {"signed_by": "k"})
    assert same_model(registry, "price", signed).number == 4
    assert same_model(registry, "price", {"manifest_sha256": "a"}).number == 1
