"""What a killed DVC leaves: a torn dvc.lock, a torn or orphaned list of who reads and writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from heddle.frames.atomic import publish
from heddle.infrastructure.dvc_lock import parse_lock, read_lock

__all__ = ["keep_good_lock", "mend_lock", "mend_rwlock"]


def keep_good_lock(root: Path, copy: Path) -> None:
    """Keep a copy of dvc.lock, which DVC does not replace atomically."""
    path = root / "dvc.lock"
    content = path.read_bytes() if path.exists() else b""
    if content and parse_lock(content) is not None:
        publish(copy, content)


def mend_lock(root: Path, copy: Path) -> list[str]:
    """Restore a torn dvc.lock from the last good copy; return what was done, in words."""
    path = root / "dvc.lock"
    if read_lock(path) is not None:
        return []
    if copy.exists():
        publish(path, copy.read_bytes())
        return ["dvc.lock was torn by a kill: restored from the last good copy"]
    path.unlink()
    return ["dvc.lock was torn by a kill: removed, stages are judged anew"]


def mend_rwlock(root: Path) -> list[str]:
    """Remove DVC's list of readers and writers when it is torn or nobody in it can be alive."""
    path = root / ".dvc" / "tmp" / "rwlock"
    if not path.exists():
        return []
    written = path.stat().st_mtime
    try:
        pids = _pids(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError, AttributeError):
        path.unlink()
        return ["DVC's lock file was torn by a kill: removed"]
    if pids and not any(_may_hold(pid, written) for pid in pids):
        path.unlink()
    return []


def _pids(held: Any) -> list[int]:
    """Return who is noted: one for each written path, several for a read one."""
    readers = [info for infos in (held.get("read") or {}).values() for info in infos]
    return [int(info["pid"]) for info in (*(held.get("write") or {}).values(), *readers)]


def _may_hold(pid: int, written: float) -> bool:
    """Tell whether a process lives that was there when the file was: numbers come again."""
    import psutil

    try:
        return bool(psutil.Process(pid).create_time() <= written)
    except psutil.Error:
        return False
