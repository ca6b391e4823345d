"""A download that goes on where it was cut, if the server still has the same file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from heddle.domain.ports import Progress
from heddle.frames.atomic import publish
from heddle.infrastructure.sources.landing import too_large
from heddle.infrastructure.sources.patience import Patience
from heddle.infrastructure.sources.web import Again, Refused, parts_of

__all__ = ["PartialFile", "go_on"]

_CHUNK = 1 << 20
_RANGE_NOT_THERE = 416


class PartialFile:
    """What has come of a file so far, and a mark of which file it is.

    The mark is the server's: a strong ETag, else the time of the last change. Without one nothing
    is resumed, for the rest of another file would be appended unseen.

    Args:
        path: of the bytes; the mark lies beside it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mark = path.with_name(f"{path.name}.mark.json")

    def wish(self) -> dict[str, str]:
        """Return the headers that ask for the rest."""
        size, mark = self._size(), self._marked()
        return {"Range": f"bytes={size}-", "If-Range": mark} if size and mark else {}

    def accept(self, answer: Any) -> int:
        """Return at which byte the answer goes on: the end of what is there, or 0.

        Raises:
            Again: the rest of another file comes; what was there is dropped.
        """
        size, mark = self._size(), _mark_of(answer.headers)
        if answer.status == 206:
            said = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range") or "")
            if not size or not said or int(said[1]) != size or mark != self._marked():
                self.drop()
                raise Again("the file is another one by now; starting anew", wait=0.0)
            return size
        self.drop()
        publish(self._mark, json.dumps(mark).encode())
        return 0

    def parts(self) -> Iterator[bytes]:
        """Give the bytes that are there."""
        with self.path.open("rb") as file:
            while part := file.read(_CHUNK):
                yield part

    def drop(self) -> None:
        """Forget what is there."""
        self.path.unlink(missing_ok=True)
        self._mark.unlink(missing_ok=True)

    def _size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def _marked(self) -> str:
        try:
            return str(json.loads(self._mark.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return ""


def go_on(
    part: PartialFile,
    asked: Callable[[Mapping[str, str]], Any],
    *,
    name: str,
    origin: str,
    max_bytes: int,
    patience: Patience,
    progress: Progress,
) -> None:
    """Bring a partial file to its end, in one attempt.

    Args:
        part: what is there already.
        asked: from headers to an open answer.
        name: on the bar.
        origin: in the words of an error.
        max_bytes: the most that is taken.
        patience: time-out and deadline are used.
        progress: shows a bar of bytes.

    Raises:
        Again: the answer broke; what came of it stays in the partial file.
        DataContractError: it is too large.
    """
    try:
        answer = asked(part.wish())
    except Refused as fault:
        if fault.code != _RANGE_NOT_THERE:
            raise
        part.drop()
        raise Again("the file is another one by now; starting anew", wait=0.0) from None
    with answer:
        came = part.accept(answer)
        total = None if answer.length is None else came + answer.length
        if total is not None and total > max_bytes:
            raise too_large(origin, max_bytes)
        with (
            progress.task(f"downloading {name}", total=total) as bar,
            part.path.open("ab") as file,
        ):
            bar.advance(came)
            for piece in parts_of(answer, patience):
                came += len(piece)
                if came > max_bytes:
                    raise too_large(origin, max_bytes)
                file.write(piece)
                bar.advance(len(piece))


def _mark_of(headers: Any) -> str:
    etag = headers.get("ETag") or ""
    return etag if etag.startswith('"') else headers.get("Last-Modified") or ""
