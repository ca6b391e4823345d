"""Where an answer came from: found by its id, and walked back to the raw file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from heddle.domain.entities import ModelVersion
from heddle.domain.errors import ConfigError
from heddle.domain.ports import ModelRegistry
from heddle.domain.typed import plain
from heddle.pipeline.world import World
from heddle.presentation.bootstrap import REQUESTS, make_request_log
from heddle.presentation.daily import kept_log, written
from heddle.presentation.data_links import Link, data_links
from heddle.presentation.model_links import PIN, RECORD, folder_link, project_links, version_links
from heddle.registry.manifest import MANIFEST, Manifest

__all__ = ["Trace", "traced"]

_MODEL = re.compile(r"([^@/]+)[@/]([^@/]+)")
_DAILY = "predictions/predictions.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What is known of an answer or a model."""

    asked: str
    kind: Literal["request", "daily", "model"]
    answer: Mapping[str, Any] | None  # the request or the prediction; None of a model
    model: Mapping[str, Any]
    links: tuple[Link, ...]  # from the registry to the raw file

    @property
    def broken(self) -> tuple[str, ...]:
        """The links that no longer match, as kind and name."""
        states = {"changed", "gone"}
        return tuple(f"{one.kind} {one.name}" for one in self.links if one.state in states)

    @property
    def document(self) -> dict[str, Any]:
        """The trace as JSON has it."""
        return {**plain(self), "broken": list(self.broken)}


def traced(
    root: Path, asked: str, registry: ModelRegistry, world: World, params: Mapping[str, Any]
) -> Trace:
    """Return where an answer or a model came from; nothing is written.

    Args:
        root: the project's folder.
        asked: id of a request or of a daily prediction, NAME@ALIAS or NAME/VERSION.
        registry: of models.
        world: of the project.
        params: its params.yaml.

    Raises:
        ConfigError: no such model or version, or an id that is kept nowhere.
        IntegrityError: a log cannot be read.
    """
    walk = _Walk(root, registry, world, params)
    if model := _MODEL.fullmatch(asked.strip()):
        version = registry.resolve(*model.groups())
        return walk.trace(asked, "model", None, version, "")
    requests, daily, wanted = make_request_log(root), kept_log(root), asked.strip().lower()
    if wanted.isascii():
        if request := requests.find(wanted):
            told = plain(request)
            return walk.answered(wanted, "request", told, request.model, request.digest)
        if one := daily.find(wanted):
            label = f"{one.model_name}/{one.model_version}"
            return walk.answered(wanted, "daily", written(one), label, one.model_digest)
    raise ConfigError(
        f"no answer {asked!r} is kept: {REQUESTS} holds {requests.count():,} requests,"
        f" {_DAILY} {len(daily.all()):,} predictions",
        where=str(root),
        todo="An id is in the answer of `heddle serve` or `heddle predict --json`;"
        " a model is asked for as NAME@ALIAS or NAME/VERSION.",
    )


class _Walk:
    def __init__(
        self, root: Path, registry: ModelRegistry, world: World, params: Mapping[str, Any]
    ) -> None:
        self.root, self.registry, self.world, self.params = root, registry, world, params

    def answered(
        self,
        asked: str,
        kind: Literal["request", "daily"],
        answer: Mapping[str, Any],
        label: str,
        digest: str,
    ) -> Trace:
        """Return the trace of an answer by the model of a label: name/version, or a folder."""
        folder, words = Path(label).expanduser(), ""
        if model := _MODEL.fullmatch(label):
            try:
                version = self.registry.resolve(*model.groups())
                return self.trace(asked, kind, answer, version, digest)
            except ConfigError as fault:
                words = fault.what
        links, manifest = [], None
        if (self.root / folder / MANIFEST).is_file():
            manifest, link = folder_link(self.root / folder, digest)
            links.append(link)
        else:
            says = words or "it is neither registered nor a folder that is here"
            links.append(Link(kind="registry", name=label, state="gone", says=says))
        known = {"name": label, "digest": digest, **_figures(manifest)}
        links += self._back(manifest, digest)
        return Trace(asked=asked, kind=kind, answer=answer, model=known, links=tuple(links))

    def trace(
        self,
        asked: str,
        kind: Literal["request", "daily", "model"],
        answer: Mapping[str, Any] | None,
        version: ModelVersion,
        digest: str,
    ) -> Trace:
        """Return the trace of a registered version."""
        manifest, links = version_links(self.root, self.registry, self.world, version, digest)
        pin = version.tags.get(PIN, "")
        model = {
            "name": version.name,
            "version": str(version.number),
            "aliases": list(version.aliases),
            "registered_at": version.registered_at,
            "digest": digest or pin,
            "run_id": version.run_id or version.tags.get("tracker_run_id", ""),
            "git_commit": version.tags.get("git_commit", ""),
            "git_dirty": version.tags.get("git_dirty", ""),
            **_figures(manifest),
        }
        links += self._back(manifest, pin)
        return Trace(asked=asked, kind=kind, answer=answer, model=model, links=tuple(links))

    def _back(self, manifest: Manifest | None, pin: str) -> list[Link]:
        if manifest is None:
            return []
        found = project_links(self.root, self.params, manifest, pin)
        made = RECORD if found[0].state == "same" else ""
        return [*found, *data_links(self.root, self.params, manifest.data, made=made)]


def _figures(manifest: Manifest | None) -> dict[str, Any]:
    """Return what a manifest tells of a model; nothing without one."""
    if manifest is None:
        return {}
    return {
        "algorithm": manifest.best_model,
        "target": manifest.target,
        "primary_metric": manifest.metric,
        "test": dict(manifest.metrics),
        "test_rows": manifest.split.test_rows,
        "split": manifest.split.hash,
        "data": plain(manifest.data),
        "config_hash": manifest.config_hash,
        "libraries": dict(manifest.libraries),
    }
