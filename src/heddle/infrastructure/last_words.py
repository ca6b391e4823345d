"""What a stage's process says before it fails, left where the run that waits for it finds it."""

from __future__ import annotations

from pathlib import Path

from heddle.infrastructure.run_locks import private_folder

__all__ = ["forget_words", "leave_words", "words_of"]


def leave_words(root: Path, stage: str, words: str) -> bool:
    """Keep the words of a stage that fails; return whether that was possible."""
    try:
        _place(root, stage).write_text(words, encoding="utf-8")
    except OSError:
        forget_words(root, stage)
        return False
    return True


def words_of(root: Path, stage: str) -> str:
    """Return what the stage said when it failed last; "" if it said nothing."""
    try:
        return _place(root, stage).read_text(encoding="utf-8")
    except OSError:
        return ""


def forget_words(root: Path, stage: str) -> None:
    """Remove what an earlier run of the stage left."""
    _place(root, stage).unlink(missing_ok=True)


def _place(root: Path, stage: str) -> Path:
    return private_folder(root) / f"{stage}.failed"
