"""Sending and fetching many contents at a time, each checked on its way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import TypeVar

from heddle.domain.errors import IntegrityError
from heddle.domain.ports import Progress, ProgressTask
from heddle.frames.atomic import beside
from heddle.infrastructure.interrupts import first_done
from heddle.infrastructure.remotes.store import Content, State, Store, checked, file_parts

__all__ = ["fetch_all", "send_all", "states"]

_AT_A_TIME = 8
_CHANGED = "It changed meanwhile: run the same again."
_DAMAGED = (
    "Nothing of it was used. Whoever has the right bytes pushes again, which replaces it;"
    " or `heddle run` makes it."
)
A = TypeVar("A")
B = TypeVar("B")


def states(store: Store, contents: Sequence[Content], progress: Progress) -> dict[str, State]:
    """Return by key whether contents are on a remote."""
    once = list({content.key: content for content in contents}.values())
    with progress.task("looking at the remote", total=len(once), even=False) as bar:

        def look(content: Content) -> State:
            found = store.state(content)
            bar.advance()
            return found

        found = _each(once, look)
    return {content.key: state for content, state in zip(once, found, strict=True)}


def send_all(
    store: Store, items: Sequence[tuple[Content, Path]], title: str, progress: Progress
) -> None:
    """Put local files on a remote, and look afterwards whether they are there.

    Raises:
        IntegrityError: a file is not what it was, or the remote does not hold what it was given.
    """
    with progress.task(title, total=_bytes(items)) as bar:

        def send(item: tuple[Content, Path]) -> None:
            content, path = item
            store.put(
                content,
                lambda size: checked(file_parts(path, size, bar), content, str(path), _CHANGED),
            )

        _each(items, send)
    found = states(store, [content for content, _ in items], progress)
    for content, _ in items:
        if (state := found[content.key]) != "whole":
            raise IntegrityError(
                "is not there" if state == "absent" else "holds other bytes",
                where=store.where(content.key),
                todo=f"It was sent as {content.name}: run the same again.",
            )


def fetch_all(
    store: Store, items: Sequence[tuple[Content, Path]], title: str, progress: Progress
) -> None:
    """Bring contents of a remote to local paths, each only when its bytes are the recorded ones.

    Raises:
        IntegrityError: naming the content that is missing or damaged; its path is as it was.
    """
    with progress.task(title, total=_bytes(items)) as bar:

        def fetch(item: tuple[Content, Path]) -> None:
            content, path = item
            _fetch(store, content, path, bar)

        _each(items, fetch)


def _fetch(store: Store, content: Content, path: Path, bar: ProgressTask) -> None:
    where = store.where(content.key)
    with beside(path) as part, part.open("wb") as file:
        for chunk in checked(store.parts(content), content, where, _DAMAGED):
            file.write(chunk)
            bar.advance(len(chunk))


def _bytes(items: Iterable[tuple[Content, Path]]) -> int:
    return sum(content.size or 0 for content, _ in items)


def _each(items: Sequence[A], work: Callable[[A], B]) -> list[B]:
    """Return what the work gives for each, several at a time; after a fault no other is begun.

    The first goes alone, so that what is wrong with all of them is said once.
    """
    if not items:
        return []
    done = {0: work(items[0])}
    left = deque(enumerate(items[1:], 1))
    stop = Event()

    def some() -> None:
        while not stop.is_set():
            try:
                number, item = left.popleft()
            except IndexError:
                return
            done[number] = work(item)

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        try:
            _wait_for({pool.submit(some) for _ in range(min(_AT_A_TIME, len(left)))})
        finally:
            stop.set()
    return [done[number] for number in range(len(items))]


def _wait_for(running: set[Future[None]]) -> None:
    while running:
        ended = first_done(running)
        running -= ended
        for future in ended:
            future.result()
