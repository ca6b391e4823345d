"""From a model's version to the run, commit and files that it came from."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from heddle.domain.entities import ModelVersion
from heddle.domain.errors import IntegrityError
from heddle.domain.ports import ModelRegistry
from heddle.infrastructure.facts import git_state, stages_hash
from heddle.infrastructure.mlflow_rows import MlflowRows
from heddle.infrastructure.mlflow_store import database_file
from heddle.pipeline.world import World
from heddle.pipeline.yaml_text import load
from heddle.presentation.bootstrap import tracking_uri
from heddle.presentation.data_links import Link, State
from heddle.registry.manifest import MANIFEST, Manifest, digest, read_manifest

__all__ = [
    "PIN",
    "RECORD",
    "commit_link",
    "files_link",
    "folder_link",
    "project_links",
    "version_links",
]

PIN = "manifest_sha256"
RECORD = "models/model_config.yaml"  # what the project says of the model that it registered last


def version_links(
    root: Path, registry: ModelRegistry, world: World, version: ModelVersion, asked: str
) -> tuple[Manifest | None, list[Link]]:
    """Return a registered version's manifest and the links around it.

    Args:
        root: the project's folder.
        registry: that holds it.
        world: of the project.
        version: the one that is meant.
        asked: sha256 of the manifest that an answer names; "" without an answer.
    """
    label, pin = f"{version.name}/{version.number}", version.tags.get(PIN, "")
    facts = {"aliases": list(version.aliases), "registered_at": version.registered_at}
    other = bool(asked) and asked != pin
    says = f"registered {version.registered_at or 'at an unknown time'}"
    if version.aliases:
        says += f", now {' and '.join(version.aliases)}"
    if other:
        says += f"; its manifest is {pin[:16] or 'unknown'}, the answer came from {asked[:16]}"
    registered = Link(
        kind="registry", name=label, state="changed" if other else "same", says=says, facts=facts
    )
    manifest, files = files_link(registry, version)
    links = [registered, files, _run(root, world, version), commit_link(root, version.tags)]
    return manifest, links


def files_link(registry: ModelRegistry, version: ModelVersion) -> tuple[Manifest | None, Link]:
    """Return the manifest, None if it is not that which was registered, and what its files are."""
    try:
        return folder_link(registry.fetch(version), version.tags.get(PIN) or None)
    except IntegrityError as fault:
        label = f"{version.name}/{version.number}"
        return None, Link(kind="files", name=label, state="gone", says=fault.what)


def folder_link(folder: Path, pin: str | None) -> tuple[Manifest | None, Link]:
    """Return the manifest of a folder and whether the files beside it are those that it names."""
    try:
        manifest = read_manifest(folder, expected=pin)
    except IntegrityError as fault:
        return None, Link(kind="files", name=str(folder), state="changed", says=fault.what)
    wrong = []
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file() or digest(path.read_bytes()) != expected:
            wrong.append(name)
    found = digest((folder / MANIFEST).read_bytes())
    says = f"manifest {found[:16]}; {len(manifest.files)} files as it names them"
    if wrong:
        says = f"manifest {found[:16]}; not as it names them: {', '.join(wrong)}"
    state: State = "changed" if wrong else "same"
    facts = {"manifest_sha256": found, "files": dict(manifest.files)}
    return manifest, Link(kind="files", name=str(folder), state=state, says=says, facts=facts)


def project_links(
    root: Path, params: Mapping[str, Any], manifest: Manifest, pin: str
) -> list[Link]:
    """Return whether the project's own record and configuration are those of the model."""
    return [_record(root, pin), _configuration(root, params, manifest)]


def commit_link(root: Path, tags: Mapping[str, str]) -> Link:
    """Return the commit that the model was made at, and whether that is what is checked out."""
    commit, dirty = tags.get("git_commit", ""), tags.get("git_dirty") == "True"
    facts = {"git_commit": commit, "git_dirty": dirty}
    if not commit:
        return Link(kind="commit", name="?", state="gone", says="none was recorded", facts=facts)
    asked = ["git", "-C", str(root), "cat-file", "-e", f"{commit}^{{commit}}"]
    known = subprocess.run(asked, capture_output=True, check=False).returncode == 0
    now = git_state(root)
    words = ["files differed from it then"] if dirty else []
    if not known:
        words.append("it is not in this repository")
    elif now["git_commit"] != commit:
        words.append(f"checked out is {now['git_commit'][:12]}")
    elif now["git_dirty"]:
        words.append("files differ from it now")
    same = known and now["git_commit"] == commit and not dirty and not now["git_dirty"]
    state: State = "same" if same else "changed" if known else "gone"
    says = "; ".join(words) or "checked out, as it is"
    return Link(kind="commit", name=commit, state=state, says=says, facts=facts)


def _run(root: Path, world: World, version: ModelVersion) -> Link:
    run = version.run_id
    if not run:
        other = version.tags.get("tracker_run_id", "")
        says = "of another tracker" if other else "none was recorded"
        return Link(kind="run", name=other or "?", state="recorded" if other else "gone", says=says)
    file = database_file(tracking_uri(root, world))
    rows = MlflowRows(file) if file is not None else None
    if rows is None or not rows.known():
        return Link(kind="run", name=run, state="recorded", says="the tracker was not asked")
    status = rows.run_status(run)
    if status is None:
        return Link(kind="run", name=run, state="gone", says="the tracker has no such run")
    return Link(kind="run", name=run, state="same", says=status.lower())


def _record(root: Path, pin: str) -> Link:
    name = RECORD
    try:
        told = load((root / name).read_bytes())["model"]
        found, version = str(told["manifest_sha256"]), f"{told['name']}/{told['version']}"
    except FileNotFoundError:
        return Link(kind="record", name=name, state="gone", says="it is not here")
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return Link(kind="record", name=name, state="changed", says="it cannot be read")
    if found == pin:
        return Link(kind="record", name=name, state="same", says="it is about this model")
    return Link(kind="record", name=name, state="changed", says=f"it is about {version} now")


def _configuration(root: Path, params: Mapping[str, Any], manifest: Manifest) -> Link:
    now, was = stages_hash(root, params["stages"]), manifest.config_hash
    says = "params.yaml is as it was" if now == was else f"params.yaml is {now} now"
    state: State = "same" if now == was else "changed"
    return Link(kind="configuration", name=was, state=state, says=says)
