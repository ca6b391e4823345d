"""What generating anew would change: found, told as a diff, refused where it is not wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from heddle.domain.errors import ConfigError

__all__ = ["Change", "changes", "diff", "refuse_changes", "refuse_edited"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A generated file that holds something else than configuration and code give now."""

    name: str
    old: str | None  # None: there is no such file yet
    new: str
    by_hand: bool = False  # it holds what neither Heddle wrote nor git has


def changes(
    root: Path, files: Mapping[str, str], known: Callable[[str, bytes], bool]
) -> tuple[Change, ...]:
    """Return the files that generating would change.

    Args:
        root: the project's folder.
        files: what would be written, name -> text.
        known: tells whether bytes found in a file were generated once.
    """
    found: list[Change] = []
    for name, new in files.items():
        path = root / name
        content = path.read_bytes() if path.exists() else None
        if content == new.encode():
            continue
        old = None if content is None else content.decode("utf-8", errors="replace")
        by_hand = content is not None and not known(name, content)
        found.append(Change(name=name, old=old, new=new, by_hand=by_hand))
    return tuple(found)


def diff(change: Change) -> str:
    r"""Return a unified diff from what is there to what would be; a new file is only named.

    >>> print(diff(Change(name="dvc.yaml", old="stages: {}\n", new="stages:\n  a: 1\n")))
    --- dvc.yaml
    +++ dvc.yaml, generated
    @@ -1 +1,2 @@
    -stages: {}
    +stages:
    +  a: 1
    """
    new = change.new.splitlines()
    if change.old is None:
        return f"{change.name} is new: {len(new)} lines"
    head = (change.name, f"{change.name}, generated")
    return "\n".join(unified_diff(change.old.splitlines(), new, *head, n=2, lineterm=""))


def refuse_edited(found: Sequence[Change], root: Path) -> None:
    """Refuse to overwrite what was edited by hand.

    Raises:
        ConfigError: naming the file and the first line that would be lost.
    """
    edited = [change for change in found if change.by_hand]
    if not edited:
        return
    lines = [line for line in diff(edited[0]).splitlines()[2:] if line.startswith("-")]
    first = f" (line {lines[0][1:].strip()!r})" if lines else ""
    raise ConfigError(
        f"{_names(edited)} {'was' if len(edited) == 1 else 'were'} edited by hand{first}",
        where=str(root),
        todo="Say it in configs/ instead, or drop the edit with `heddle sync`; "
        "pipeline.skip_generation=true runs the files as they stand.",
    )


def refuse_changes(found: Sequence[Change], root: Path) -> None:
    """Refuse to replace files by others, when that is not allowed; a new one replaces none.

    Raises:
        ConfigError: naming the files, and how many lines come and go.
    """
    replaced = [change for change in found if change.old is not None]
    if not replaced:
        return
    told = [line for change in replaced for line in diff(change).splitlines()[2:]]
    plus, minus = (sum(line.startswith(sign) for line in told) for sign in "+-")
    raise ConfigError(
        f"{_names(replaced)} would change (+{plus} -{minus} lines), "
        "which pipeline.allow_dvc_changes=false forbids",
        where=str(root),
        todo="See the difference above; allow it with pipeline.allow_dvc_changes=true, "
        "or `heddle sync` and commit.",
    )


def _names(found: Sequence[Change]) -> str:
    return ", ".join(change.name for change in found)
