"""The state of a model that predicts rows: what it learned from beside what it is asked now."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heddle.domain.errors import ConfigError, HeddleError
from heddle.domain.typed import build
from heddle.frames.atomic import publish
from heddle.registry.manifest import Manifest, digest, read_manifest

if TYPE_CHECKING:
    from heddle.domain.ports import ModelRegistry
    from heddle.monitoring.answers import Answers, Monitor
    from heddle.monitoring.report import Watched

__all__ = [
    "Meant",
    "document",
    "learned",
    "meant",
    "of_file",
    "of_requests",
    "since_when",
    "written",
    "written_page",
]

_PIN = "manifest_sha256"
_SPANS = {"h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """The model that is looked after, its manifest checked."""

    label: str  # name/number, or the folder
    folder: Path
    pin: str  # sha256 of its manifest
    manifest: Manifest
    registered: datetime | None = None  # None: of a folder, or it is not known


def meant(registry: Callable[[], ModelRegistry], name: str, told: str) -> Meant:
    """Return the model that is named; untold, the one in production, or else in staging.

    Args:
        registry: opened only where it is needed.
        name: of the project's model.
        told: as `heddle.serving.address.read_address` reads it; "" when nothing was said.

    Raises:
        ConfigError: no such model or version.
        IntegrityError: its manifest is not what was registered.
    """
    from heddle.serving.address import read_address

    address = read_address(told, model=name) if told else None
    if address is not None and address.folder is not None:
        manifest = read_manifest(address.folder)
        pin = digest((address.folder / "manifest.json").read_bytes())
        return Meant(label=str(address.folder), folder=address.folder, pin=pin, manifest=manifest)
    known = registry()
    if address is None:
        aliases = {alias for version in known.versions(name) for alias in version.aliases}
        version = known.resolve(name, "production" if "production" in aliases else "staging")
    else:
        version = known.resolve(address.name, address.wanted)
    folder, pin = known.fetch(version), version.tags.get(_PIN, "")
    manifest = read_manifest(folder, expected=pin or None)
    label = f"{version.name}/{version.number}"
    at = datetime.fromisoformat(version.registered_at) if version.registered_at else None
    return Meant(label=label, folder=folder, pin=pin, manifest=manifest, registered=at)


def learned(root: Path, one: Meant) -> Watched:
    """Return what a model learned from, and where in the project its columns come from.

    Args:
        root: the project's folder.
        one: the model.

    Raises:
        ConfigError: it keeps no training rows.
        IntegrityError: they are not those that were kept.
    """
    from heddle.monitoring.ages import Made
    from heddle.monitoring.report import Watched
    from heddle.pipeline.generated import read_params
    from heddle.pipeline.origins import made_by, origins
    from heddle.registry.reference import HELD_OUT
    from heddle.serving.reference import read_reference

    manifest = one.manifest
    reference = read_reference(one.folder, manifest)
    if reference is None:
        raise ConfigError(
            "the model keeps no training rows to set others beside",
            where=one.label,
            todo="Register it again: heddle run STAGE --force, of the stage that registers it.",
        )
    stages = read_params(root)["stages"]
    made = made_by(stages)
    if made.version not in manifest.data:  # the project has gone on since
        made = replace(made, version=next(iter(manifest.data), ""))
    return Watched(
        reference=reference,
        held_out=HELD_OUT,
        target=manifest.target,
        columns=tuple(manifest.columns),
        categories=frozenset(n for n, seen in manifest.seen.items() if "categories" in seen),
        dates=frozenset(n for n, column in manifest.columns.items() if column.type == "date"),
        level=None if manifest.interval is None else manifest.interval.level,
        origins=origins(stages, manifest.columns, made.version, _columns_in(root)),
        made=made,
        age=Made(registered=one.registered, learned_to=manifest.fitted.last or ""),
    )


def of_file(root: Path, one: Meant, source: Path) -> tuple[Answers, str]:
    """Return rows of a file with what the model says of them, and a word on where they are from."""
    from heddle.presentation.trusting import trust_of
    from heddle.serving.answered import answers_of_file
    from heddle.serving.loader import load_folder

    pin, trust = one.pin or None, trust_of(root)
    loaded = load_folder(one.folder, expected=pin, label=one.label, trust=trust)
    return answers_of_file(loaded, source), f"rows of {source.name}"


def of_requests(
    root: Path, one: Meant, since: str, most: int, *, now: datetime
) -> tuple[Answers, str]:
    """Return the latest requests to the model, and a word on where they are from."""
    from heddle.presentation.bootstrap import make_request_log
    from heddle.serving.answered import answers_of_requests

    first = since_when(since, now)
    begin = first.isoformat() if first else None
    found = make_request_log(root).rows(model=one.label, since=begin, limit=most)
    words = f"requests since {first:%Y-%m-%d %H:%M %Z}" if first else "requests"
    return answers_of_requests(found, one.manifest, one.pin), words


def document(
    one: Meant, model: Watched, answers: Answers, cfg: Monitor, *, source: str, now: datetime
) -> dict[str, Any]:
    """Return the report as JSON has it.

    Args:
        one: the model.
        model: what it learned from.
        answers: what it was asked and said.
        cfg: the limits.
        source: where the rows come from, in words.
        now: the time.
    """
    from heddle.monitoring.report import watch

    return {
        "format": 1,
        "model": one.label,
        "model_digest": one.pin,
        "at": now.isoformat(timespec="seconds"),
        "source": source,
        **watch(model, answers, cfg, now=now),
    }


def written(told: Mapping[str, Any], *, project: str, report: Path, page: Path) -> None:
    """Publish a report as JSON and as a page. Raises ResourceError."""
    text = json.dumps(told, indent=2, allow_nan=False, ensure_ascii=False)
    publish(report, (text + "\n").encode())
    written_page(told, project=project, page=page)


def written_page(told: Mapping[str, Any], *, project: str, page: Path) -> None:
    """Publish a report as a page. Raises ResourceError."""
    from heddle.presentation.report.monitoring import monitoring_page

    publish(page, monitoring_page(told, project=project).encode())


def since_when(text: str, now: datetime) -> datetime | None:
    """Return a time: of a day, a moment with its zone, or so long before now.

    >>> now = datetime(2026, 5, 8, 12, tzinfo=UTC)
    >>> str(since_when("7d", now)), str(since_when("2026-05-02", now)), since_when("", now)
    ('2026-05-01 12:00:00+00:00', '2026-05-02 00:00:00+00:00', None)

    Raises:
        ConfigError: none of these.
    """
    told = text.strip()
    if not told:
        return None
    if told[:-1].isdecimal() and told[-1] in _SPANS and len(told) < 7:
        return now - timedelta(**{_SPANS[told[-1]]: int(told[:-1])})
    try:
        if len(told) == len("2026-05-02"):
            return datetime.combine(date.fromisoformat(told), datetime.min.time(), UTC)
        moment = datetime.fromisoformat(told)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ConfigError(
            f"{text!r} is no time",
            where="--since",
            todo="Write 7d, 12h, 2026-05-02 or 2026-05-02T12:00+00:00.",
        )
    return moment


def _columns_in(root: Path) -> Callable[[str], Container[str]]:
    """Return what gives the columns of a data version, none of one that is not there."""
    from heddle.pipeline.generated import read_params
    from heddle.pipeline.world import World
    from heddle.presentation.bootstrap import make_tables

    tables = make_tables(root, build(World, read_params(root)["world"], where="params.yaml"))

    def columns(version: str) -> Container[str]:
        try:
            return tables.info(version).columns
        except HeddleError:
            return ()

    return columns
