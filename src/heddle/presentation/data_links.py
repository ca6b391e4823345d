"""From the data that a model was made of to the raw file: what is known, what is here still."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from heddle.infrastructure.dvc_lock import Digests, read_lock, recorded_stages
from heddle.infrastructure.dvc_runs import private_folder
from heddle.pipeline.lineage import Recorded, value_changes
from heddle.pipeline.stages import is_path

__all__ = ["Link", "State", "data_links"]

State = Literal["same", "changed", "gone", "recorded"]  # recorded: not looked at from here

_SHOWN = 3  # names or changes that are told
_OTHER = "what follows is of the data that is here now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One step of the way from an answer back to the raw file."""

    kind: str  # registry | files | record | run | commit | configuration | data | stage | raw
    name: str
    state: State
    says: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def data_links(
    root: Path,
    params: Mapping[str, Any],
    data: Mapping[str, Mapping[str, Any]],
    *,
    made: str = "",
) -> list[Link]:
    """Return the versions that a model was made of, the stages that made them, and the raw file.

    Args:
        root: the project's folder.
        params: its params.yaml.
        data: version -> content_hash, sha256 and rows, as the model's manifest has them.
        made: a file that the model's last stage wrote, if the stages of the project are still
            those that made this model.
    """
    lock = read_lock(root / "dvc.lock")
    if lock is None:
        torn = Link(kind="stage", name="dvc.lock", state="gone", says="it cannot be read")
        return [*(_version(root, name, data[name]) for name in data), torn]
    way = _Way(root, params, recorded_stages(lock))
    return list(way.back(data, made))


class _Way:
    def __init__(
        self, root: Path, params: Mapping[str, Any], recorded: Mapping[str, Recorded]
    ) -> None:
        self.root, self.params, self.recorded = root, params, recorded
        self.digests = Digests(root, private_folder(root) / "digests.json")
        self.makers = {
            str(name): stage
            for stage, last in recorded.items()
            for name in (last.entry or {}).get("writes") or ()
        }

    def back(self, data: Mapping[str, Mapping[str, Any]], made: str) -> Iterator[Link]:
        """Yield versions and stages, each once, each after all that were made of it."""
        told: set[str] = set()
        for name in self._order([*data, *([made] if made in self.makers else [])]):
            if not is_path(name):
                yield _version(self.root, name, data.get(name))
            stage = self.makers.get(name)
            if stage is None:
                says = f"no run of a stage that writes {name} is recorded in dvc.lock"
                yield Link(kind="stage", name="?", state="gone", says=says)
            elif stage not in told:
                told.add(stage)
                yield self._stage(stage)
                yield from self._raw(name, stage)

    def _order(self, names: list[str]) -> list[str]:
        """Return these versions and all that they were made of, the last ones made first."""
        found: dict[str, None] = {}

        def visit(name: str, above: tuple[str, ...]) -> None:
            if name in found or name in above:
                return
            last = self.recorded.get(self.makers.get(name, ""))
            for read in (last.entry or {}).get("reads") or () if last else ():
                visit(str(read), (*above, name))
            found[name] = None

        for name in names:
            visit(name, ())
        return list(reversed(found))

    def _stage(self, name: str) -> Link:
        last = self.recorded[name]
        entry: Mapping[str, Any] = last.entry or {}
        now = self.params["stages"].get(name)
        files = {**last.reads, **last.writes}
        words = [f"{p} is another" for p, was in files.items() if self.digests.digest(p) != was]
        if now is None:
            words.append("it is not declared any more")
        else:
            words += [f"{path} changed" for path, _, _ in value_changes(entry, now)]
        told = f"{_few(entry.get('reads') or ['the source'])} -> {_few(entry.get('writes') or ())}"
        return Link(
            kind="stage",
            name=name,
            state="changed" if words else "same",
            says=f"{told}; {_few(words)}" if words else told,
            facts={"reads": dict(last.reads), "writes": dict(last.writes)},
        )

    def _raw(self, version: str, stage: str) -> Iterator[Link]:
        made_by = (_metadata(self.root, version) or {}).get("made_by") or {}
        if "origin" not in made_by:
            return
        state: State = "recorded"
        says = f"sha256 {str(made_by.get('sha256'))[:16]}, licence {made_by.get('licence')}"
        if made_by.get("kind") == "file":
            place = self._place(str(made_by["origin"]), stage)
            state = _same_bytes(place, str(made_by.get("sha256")))
            says += {"changed": "; the file there is another", "gone": "; it is not there"}.get(
                state, ""
            )
        facts = {key: made_by.get(key) for key in ("kind", "sha256", "size_bytes", "licence")}
        yield Link(kind="raw", name=str(made_by["origin"]), state=state, says=says, facts=facts)

    def _place(self, origin: str, stage: str) -> Path:
        """Return where a raw file lies; of one outside the project its origin is the name only."""
        steps = (self.recorded[stage].entry or {}).get("steps") or ()
        for step in steps:
            path = (step.get("with") or {}).get("path")
            if path and Path(str(path)).name == Path(origin).name:
                return self.root / Path(str(path)).expanduser()
        return self.root / origin


def _few(words: Sequence[str]) -> str:
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return f"{', '.join(map(str, words[:_SHOWN]))}{more}"


def _version(root: Path, name: str, was: Mapping[str, Any] | None) -> Link:
    """Return a data version: as the model had it, where that is known, beside what is here."""
    now = _metadata(root, name)
    told = was or now or {}
    says = f"{told.get('rows', '?')} rows, content {str(told.get('content_hash', '?'))[:16]}"
    keys = ("rows", "content_hash", "sha256")
    facts: dict[str, Any] = {key: told.get(key) for key in keys}
    if now is None:
        return Link(
            kind="data", name=name, state="gone", says=f"{says}; it is not here", facts=facts
        )
    if was is None or now.get("content_hash") == was.get("content_hash"):
        if was is not None and now.get("sha256") != was.get("sha256"):
            says += "; the same rows in another file"
        return Link(kind="data", name=name, state="same", says=says, facts=facts)
    here = f"{now.get('rows')} rows, content {str(now.get('content_hash'))[:16]}"
    facts["here"] = {key: now.get(key) for key in keys}
    return Link(
        kind="data", name=name, state="changed", says=f"{says}; here: {here}; {_OTHER}", facts=facts
    )


def _metadata(root: Path, version: str) -> Mapping[str, Any] | None:
    from heddle.infrastructure.file_hashes import read_mapping

    return read_mapping(root / "data" / version / f"{version}_metadata.json")


def _same_bytes(place: Path, sha256: str) -> Literal["same", "changed", "gone"]:
    if not place.is_file():
        return "gone"
    with place.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return "same" if found == sha256 else "changed"
