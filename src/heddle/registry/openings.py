"""What a registry remembers of a model and of the rows that judged it."""

from __future__ import annotations

from collections.abc import Mapping

from heddle.domain.entities import ModelVersion
from heddle.domain.ports import ModelRegistry

__all__ = ["openings", "same_model"]


def same_model(registry: ModelRegistry, name: str, tags: Mapping[str, str]) -> ModelVersion | None:
    """Return the version that was registered from these very files, None if there is none.

    One that another key signed, or none, is another: its copies would not be believed.

    A registration that a kill cut short, or a change that was taken back, finds its version again
    instead of adding its double.
    """
    versions = registry.versions(name) if name in registry.models() else ()
    found = (
        version
        for version in versions
        if version.tags.get("manifest_sha256") == tags["manifest_sha256"]
        and tags.get("signed_by") in {None, version.tags.get("signed_by")}
    )
    return min(found, key=lambda version: version.number, default=None)


def openings(registry: ModelRegistry, version: ModelVersion) -> int:
    """Return how many models up to this version were judged on the same test rows, it included."""
    split = version.tags.get("split_hash")
    earlier = (v for v in registry.versions(version.name) if v.number < version.number)
    return 1 + sum(v.tags.get("split_hash") == split for v in earlier)
