"""What dvc.lock records, file by file, and where its bytes lie here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heddle.domain.errors import BusyError, HeddleError, IntegrityError
from heddle.domain.names import natural
from heddle.infrastructure.dvc_lock import Digests
from heddle.infrastructure.dvc_runs import DvcRuns
from heddle.infrastructure.remotes.store import Content

__all__ = ["Output", "RecordedData", "object_key", "oid_of", "versions_of"]


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a stage, or one file or folder that is tracked by itself."""

    path: str  # relative to the project's folder
    oid: str  # DVC's md5, with `.dir` for a folder
    size: int | None
    cached: bool  # False: DVC leaves it to others to keep


class RecordedData:
    """The outputs that DVC has records of, and its cache.

    Args:
        root: the project's folder.
        digests: of the project's files.
    """

    def __init__(self, root: Path, digests: Digests) -> None:
        self.root = root
        self.digests = digests
        self._runs = DvcRuns(root)

    def outputs(self) -> list[Output]:
        """Return what is recorded, in the order of its paths."""
        with _worded():
            found = [_output(self.root, out) for out in self._runs.repo.index.outs]
        return sorted((o for o in found if o is not None), key=lambda output: output.path)

    def cache_path(self, oid: str) -> Path:
        """Return where DVC's cache keeps an object."""
        return Path(self._runs.repo.cache.local.oid_to_path(oid))

    def cached(self, oid: str) -> Path | None:
        """Return an object of the cache whose bytes are the right ones."""
        path = self.cache_path(oid)
        return path if path.is_file() and self._digest(path) == oid.partition(".")[0] else None

    def here(self, content: Content) -> Path | None:
        """Return a file of the project, in its cache or at its place, that has these bytes."""
        oid = oid_of(content)
        if (path := self.cached(oid)) is not None:
            return path
        place = self.root / content.name
        return place if place.is_file() and self._digest(place) == content.digest else None

    def contents(self, output: Output) -> Iterator[Content]:
        """Give the objects of an output: its own, and if it is a folder those of its files.

        Raises:
            IntegrityError: the listing of a folder is not in the cache.
        """
        digest, _, folder = output.oid.partition(".")
        if not folder:
            yield Content(object_key(output.oid), "md5", digest, output.size, output.path)
            return
        listing = self.cached(output.oid)
        if listing is None:
            what = "the list of its files is not in DVC's cache"
            todo = "`heddle run` makes it again."
            raise IntegrityError(what, where=output.path, todo=todo)
        yield Content(object_key(output.oid), "md5", digest, listing.stat().st_size, output.path)
        for item in json.loads(listing.read_bytes()):
            oid, place = str(item["md5"]), f"{output.path}/{item['relpath']}"
            kept = self.cache_path(oid)
            size = kept.stat().st_size if kept.is_file() else None
            yield Content(object_key(oid), "md5", oid, size, place)

    def unsaved(self, outputs: list[Output]) -> list[str]:
        """Return files of outputs that hold what neither dvc.lock nor DVC's cache knows."""
        found = []
        for output in outputs:
            place = self.root / output.path
            files = [p for p in place.rglob("*") if p.is_file()] if place.is_dir() else [place]
            known = {content.name: content.digest for content in self.contents(output)}
            for path in filter(Path.is_file, files):
                name, digest = path.relative_to(self.root).as_posix(), self._digest(path)
                if digest != known.get(name) and self.cached(digest) is None:
                    found.append(name)
        return found

    def checkout(self, outputs: list[Output]) -> None:
        """Put cached outputs at their places."""
        targets = [output.path for output in outputs if output.cached]
        if targets:
            with _worded(), chdir(self.root):
                self._runs.repo.checkout(targets=targets, force=True)

    def _digest(self, path: Path) -> str:
        return self.digests.files.of(path)


def object_key(oid: str) -> str:
    """Return where a remote keeps an object: where DVC's own push would put it.

    >>> object_key("d41d8cd98f00b204e9800998ecf8427e")
    'data/files/md5/d4/1d8cd98f00b204e9800998ecf8427e'
    """
    return f"data/files/md5/{oid[:2]}/{oid[2:]}"


def versions_of(paths: list[str]) -> str:
    """Name the data versions, and the other files, that paths belong to.

    >>> versions_of(["data/v10/v10.parquet", "data/v2/v2_metadata.json", "models/trials.json"])
    'v2, v10, models/trials.json'
    """
    parts = [path.split("/") for path in paths]
    versions = {p[1] for p in parts if p[0] == "data" and len(p) > 2}
    others = sorted("/".join(p) for p in parts if p[0] != "data" or len(p) < 3)
    return ", ".join([*natural(versions), *others])


def oid_of(content: Content) -> str:
    """Return what DVC calls an object."""
    head, tail = content.key.split("/")[-2:]
    return head + tail


def _output(root: Path, out: Any) -> Output | None:
    """Return what DVC knows of an output; None where nothing is recorded, or not for a remote."""
    info = out.hash_info
    if not info or info.name != "md5" or not out.can_push or out.stage.is_repo_import:
        return None
    path = Path(out.fs_path)
    if out.protocol != "local" or not path.is_relative_to(root):
        return None
    folder = info.value.endswith(".dir")
    size = None if folder or out.meta is None else out.meta.size
    return Output(path.relative_to(root).as_posix(), info.value, size, bool(out.use_cache))


@contextmanager
def _worded() -> Iterator[None]:
    from dvc.exceptions import DvcException
    from dvc.lock import LockError

    try:
        yield
    except LockError:
        raise BusyError("another DVC process is at work here", todo="Try again.") from None
    except DvcException as fault:
        line = next((line for line in str(fault).splitlines() if line.strip()), "")
        raise HeddleError(line.rstrip(".") or type(fault).__name__, where="DVC") from fault
