"""Which files of a project make another one like it. Run by setup.py too: standard library only."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

__all__ = ["is_project", "template_files"]

# made by `heddle sync` and by runs, out of the rest
_MADE = {"params.yaml", "dvc.yaml", "dvc.lock", "MLproject"}
_NEVER = {"__pycache__", ".git", ".heddle"}
_OF_DVC = {".dvc/config", ".dvc/.gitignore"}


def is_project(folder: Path) -> bool:
    """Tell whether a folder holds a project."""
    return (folder / "configs" / "config.yaml").is_file()


def template_files(project: Path) -> list[str]:
    """Return the files that a new project starts with, relative to the project's folder, sorted.

    They are those that git tracks, but for generated ones. Where git knows nothing of the folder
    (an installed wheel), they are all that the project's own .gitignore does not name.
    """
    tracked = [name for name in _tracked(project) if (project / name).is_file()]
    return sorted(name for name in tracked or _not_ignored(project) if _wanted(name))


def _wanted(name: str) -> bool:
    path = PurePosixPath(name)
    if name in _MADE or _NEVER & set(path.parts):
        return False
    return path.parts[0] != ".dvc" or name in _OF_DVC


def _tracked(project: Path) -> Iterator[str]:
    """Yield what git tracks below a folder, nothing without git or outside a repository."""
    try:
        told = subprocess.run(
            ["git", "ls-files", "-z"], cwd=project, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return
    yield from filter(None, told.stdout.split("\0"))


def _not_ignored(project: Path) -> Iterator[str]:
    listed = project / ".gitignore"
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
    ignored = {line.strip().strip("/") for line in lines if line.strip().endswith("/")}
    yield from _below(project, project, ignored)


def _below(project: Path, folder: Path, ignored: Iterable[str]) -> Iterator[str]:
    for path in folder.iterdir():
        name = path.relative_to(project).as_posix()
        if path.name in _NEVER or name in ignored:
            continue
        if path.is_dir():
            yield from _below(project, path, ignored)
        elif path.is_file():
            yield name
