"""How far a batch run has come: parts beside the output, and a journal that says of what."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from glob import escape
from pathlib import Path
from typing import Any

from heddle.domain.errors import BusyError, ResourceError
from heddle.frames.atomic import publish
from heddle.ingestion.stream import sha256_of

__all__ = ["Desk", "Input", "Part", "desk_of"]

_JOURNAL, _DONE = "journal.jsonl", "done.json"

Pins = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """The file that is predicted, as it was when the run began."""

    path: str
    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some rows of the input that are done with."""

    rows: int
    good: int
    bad: int
    flagged: int
    flags: Mapping[str, int]
    files: Mapping[str, str] = field(default_factory=dict)  # name -> sha256


@dataclass(frozen=True, slots=True)
class Desk:
    """The folder beside an output in which its parts lie, held by one process."""

    out: Path
    folder: Path

    def input_of(self, source: Path) -> Input:
        """Return what the file is; it is read only if its size or time is not as it was."""
        path, stat = str(source.resolve()), source.stat()
        for known in (self._done().get("input"), self._head().get("input")):
            if known and (known["path"], known["size"], known["mtime_ns"]) == (
                path,
                stat.st_size,
                stat.st_mtime_ns,
            ):
                return Input(**known)
        return Input(
            path=path,
            size=stat.st_size,
            mtime_ns=stat.st_mtime_ns,
            sha256=sha256_of(source),
        )

    def done(self, pins: Pins, files: Sequence[Path]) -> Mapping[str, Any] | None:
        """Return what was said of a run with the same pins, if its files are as it left them."""
        told = self._done()
        same = told.get("pins") == pins and told.get("files", {}).keys() <= {f.name for f in files}
        if same and all(_stamp(f) == told["files"].get(f.name) for f in files):
            return dict(told["summary"])
        return None

    def resume(self, pins: Pins, given: Input, say: Callable[[str], None]) -> list[Part]:
        """Return the parts of an interrupted run with the same pins; sweep those of another."""
        told = self._head()
        if told and told["pins"] != pins:
            other = ", ".join(key for key in pins if told["pins"].get(key) != pins[key])
            say(f"{self.out.name}: swept the parts of an interrupted run of other {other}")
        parts = self._sound() if told.get("pins") == pins else []
        kept = {name for part in parts for name in part.files}
        self.sweep(kept)
        head = json.dumps({"pins": pins, "input": asdict(given)})
        lines = [head, *(json.dumps(asdict(part)) for part in parts)]
        publish(self.folder / _JOURNAL, ("\n".join(lines) + "\n").encode())
        return parts

    def add(self, part: Part) -> None:
        """Note a part whose files are written. Raises ResourceError: the disk is full."""
        path = self.folder / _JOURNAL
        try:
            with path.open("a") as file:
                file.write(json.dumps(asdict(part)) + "\n")
        except OSError as fault:
            raise _unwritable(path, fault) from fault

    def finish(
        self, pins: Pins, given: Input, files: Sequence[Path], summary: Mapping[str, Any]
    ) -> None:
        """Note that the output is published, and remove the parts."""
        told = {
            "pins": pins,
            "input": asdict(given),
            "files": {file.name: _stamp(file) for file in files if file.exists()},
            "summary": summary,
        }
        publish(self.folder / _DONE, (json.dumps(told, indent=1) + "\n").encode())
        self.sweep()

    def sweep(self, kept: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        """Remove journal and parts but those named, and what a killed run left half written."""
        for path in self.folder.iterdir():
            if path.name not in {_DONE, *kept}:
                path.unlink()
        for name in (self.out.name, f"{self.out.name}.errors.csv"):
            for left in self.out.parent.glob(f".{escape(name)}.*.heddle-part"):
                left.unlink(missing_ok=True)

    def _sound(self) -> list[Part]:
        """Return the parts up to the first that is not as it was noted."""
        parts: list[Part] = []
        for line in (self.folder / _JOURNAL).read_text().splitlines()[1:]:
            try:
                part = Part(**json.loads(line))
            except (TypeError, ValueError):  # half a line
                break
            if any(not self._is(name, sha256) for name, sha256 in part.files.items()):
                break
            parts.append(part)
        return parts

    def _is(self, name: str, sha256: str) -> bool:
        path = self.folder / name
        return path.is_file() and sha256_of(path) == sha256

    def _head(self) -> dict[str, Any]:
        with suppress(OSError, ValueError, IndexError):
            return dict(json.loads((self.folder / _JOURNAL).read_text().splitlines()[0]))
        return {}

    def _done(self) -> dict[str, Any]:
        with suppress(OSError, ValueError):
            return dict(json.loads((self.folder / _DONE).read_text()))
        return {}


@contextmanager
def desk_of(out: Path) -> Iterator[Desk]:
    """Hold the folder beside an output; it goes when nothing is left in it.

    Raises:
        BusyError: another process predicts into the same output.
        ResourceError: the folder cannot be made.
    """
    folder = out.with_name(f".{out.name}.heddle-predict")
    try:
        folder.mkdir(exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as fault:
        raise _unwritable(folder, fault) from fault
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BusyError(
                "another process is predicting into this file",
                where=str(out),
                todo="Wait for it, or name another output.",
            ) from None
        yield Desk(out, folder)
    finally:
        with suppress(OSError):
            folder.rmdir()
        os.close(handle)


def _unwritable(path: Path, fault: OSError) -> ResourceError:
    todo = "Free space or permissions, then run again: it goes on from here."
    return ResourceError(f"cannot write: {fault.strerror}", where=str(path), todo=todo)


def _stamp(path: Path) -> list[int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return [stat.st_size, stat.st_mtime_ns]
