"""A model registry in memory: the double for tests, with the contract's behaviour."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from heddle.domain.entities import ModelPackage, ModelVersion
from heddle.registry.aliases import alias_name, choose, unknown_model

__all__ = ["MemoryRegistry"]


class MemoryRegistry:
    """Versions in memory; their files are copied below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._models: dict[str, list[ModelVersion]] = {}

    def add(self, package: ModelPackage) -> ModelVersion:
        """Keep a package as the next version."""
        known = self._models.setdefault(package.name, [])
        number = len(known) + 1
        place = self._folder / package.name / str(number)
        shutil.copytree(package.folder, place)
        version = ModelVersion(
            name=package.name,
            number=number,
            aliases=(),
            tags=dict(package.tags),
            description=package.description,
            run_id=package.run_id,
            uri=f"memory:/{package.name}/{number}",
            registered_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )
        known.append(version)
        return version

    def models(self) -> Sequence[str]:
        """Names of registered models, sorted."""
        return sorted(self._models)

    def versions(self, name: str) -> Sequence[ModelVersion]:
        """Versions of a model, newest first."""
        if name not in self._models:
            raise unknown_model(name, self.models())
        return list(reversed(self._models[name]))

    def resolve(self, name: str, alias_or_number: str) -> ModelVersion:
        """The version that an alias, a stage name or a number means."""
        return choose(self.versions(name), name, alias_or_number)

    def point(self, name: str, alias: str, number: int) -> None:
        """Let an alias mean this version and no other."""
        meant, alias = self.resolve(name, str(number)).number, alias_name(alias)
        for index, version in enumerate(self._models[name]):
            aliases = set(version.aliases) - {alias}
            aliases |= {alias} if version.number == meant else set()
            self._models[name][index] = dataclasses.replace(version, aliases=tuple(sorted(aliases)))

    def tag(self, name: str, number: int, tags: Mapping[str, str]) -> None:
        """Add or replace tags of a version."""
        version = self.resolve(name, str(number))
        tagged = dataclasses.replace(version, tags={**version.tags, **tags})
        self._models[name][version.number - 1] = tagged

    def fetch(self, version: ModelVersion) -> Path:
        """The folder that holds the version's files."""
        return self._folder / version.name / str(version.number)
