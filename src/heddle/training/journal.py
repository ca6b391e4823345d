"""A journal of JSON lines that outlives the process that wrote it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from heddle.domain.errors import BusyError, IntegrityError

__all__ = ["held", "mend"]


@contextmanager
def held(journal: Path) -> Iterator[None]:
    """Hold a journal for this process alone; a killed process holds nothing.

    Raises:
        BusyError: another process holds it.
    """
    journal.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(journal.with_name(journal.name + ".held"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        os.close(handle)
        raise BusyError(
            "another process is searching with this journal",
            where=str(journal),
            todo="Wait for it, or end it.",
        ) from fault
    try:
        yield
    finally:
        os.close(handle)  # and with it the lock


def mend(journal: Path) -> str | None:
    """Cut a journal back to its last whole record, as a kill or a full disk may leave a part.

    What is cut is kept beside it with the suffix `.torn`. A last record that lacks only its line
    end gets one.

    Returns:
        What was done, in one line; None when nothing had to be.

    Raises:
        IntegrityError: a record before the last one is damaged; nothing is changed.
    """
    if not journal.exists():
        return None
    content = journal.read_bytes()
    whole, tail = _split(content)
    if not tail:
        return None
    if _is_record(tail):
        with journal.open("ab") as file:
            file.write(b"\n")
        return f"{journal.name}: the line end of the last record was missing and was added"
    if any(_is_record(line) for line in tail.splitlines()[1:]):
        raise IntegrityError(
            f"record {len(whole.splitlines()) + 1} is damaged, but later ones are not",
            where=str(journal),
            todo="Remove the file to search again from the start.",
        )
    torn = journal.with_name(journal.name + ".torn")
    torn.write_bytes(tail)
    os.truncate(journal, len(whole))
    return f"{journal.name}: {len(tail)} bytes of a torn record were cut off, kept in {torn.name}"


def _split(content: bytes) -> tuple[bytes, bytes]:
    """Return the leading run of whole records and what follows it."""
    end = 0
    while (stop := content.find(b"\n", end)) >= 0 and _is_record(content[end:stop]):
        end = stop + 1
    return content[:end], content[end:]


def _is_record(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
