"""A project that runs, out of one that Heddle ships."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

import heddle
from heddle.domain.errors import ConfigError
from heddle.domain.names import checked_name
from heddle.presentation.new.template_files import is_project, template_files
from heddle.presentation.new.written import Made

__all__ = ["new_project", "renamed", "template_named", "unlinked"]

_NAMES = ("project", "experiment", "model")  # keys whose value is the project's name, or begins so


def template_named(name: str) -> Path:
    """Return a shipped project: one in the wheel, or in the repository that is installed.

    Raises:
        ConfigError: no such template; the nearest name is told.
    """
    library = Path(heddle.__file__).resolve().parent
    shipped, source = library / "templates", library.parents[1] / "projects"
    home = shipped if shipped.is_dir() else source
    found = sorted(home.iterdir()) if home.is_dir() else []
    known = {folder.name: folder for folder in found if is_project(folder)}
    if name not in known:
        raise ConfigError(f"no template {name!r}", wanted=name, known=known)
    return known[name]


def new_project(parent: Path, name: str, template: Path) -> Made:
    """Write a project called `name` below `parent`, out of another one: all of it, or nothing.

    Raises:
        ConfigError: a bad name, no such parent, a folder in the way, or a template that is not
            whole.
        ResourceError: it cannot be written.
    """
    _check_project_name(name)
    folder = parent.resolve() / name
    _check_place(folder)
    with _in_place(folder) as part:
        files = _copy(template, part, name)
        files += _synced(part)
    notices = _repository(folder)
    readme = {"README.md": "what the project does"}
    return Made(
        what=f"project {name}",
        folder=folder,
        written=_counted(files),
        edit=readme if "README.md" in files else {},
        run={
            "heddle run": "every stage; again, and only what changed",
            "heddle status": "what would run, and why",
            "heddle new step NAME": "a step of your own",
        },
        notices=notices,
    )


def renamed(text: str, old: str, new: str) -> str:
    r"""Return a configuration file that names another project, the rest of it left as it is.

    >>> renamed("world:\n  project: housing  # me\n  model: housing_price\n", "housing", "shop")
    'world:\n  project: shop  # me\n  model: shop_price\n'
    """
    from heddle.pipeline.yaml_text import dump

    root = yaml.compose(text, Loader=yaml.SafeLoader)
    for node in sorted(_named(root, old), key=lambda node: -node.start_mark.index):
        value = dump(new + node.value.removeprefix(old)).splitlines()[0]
        text = text[: node.start_mark.index] + value + text[node.end_mark.index :]
    return text


def _named(node: yaml.Node | None, old: str) -> Iterator[yaml.ScalarNode]:
    """Yield the values, below a key that names a project or model, that begin with its name."""
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            yield from _named(child, old)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if not isinstance(value, yaml.ScalarNode):
                yield from _named(value, old)
            elif key.value in _NAMES and re.fullmatch(rf"{re.escape(old)}([_-].*)?", value.value):
                yield value


def _check_project_name(name: str) -> None:
    head, _, last = name.replace(os.sep, "/").rstrip("/").rpartition("/")
    if head and last:
        raise ConfigError(
            f"{name!r} is a path, not the name of a project",
            todo=f"Name the folder that it is to lie in: heddle new {last} -C {head}",
        )
    near = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._-")[:64]
    try:
        checked_name(name, what="project")
    except ConfigError as fault:
        hint = f" {near!r} would do." if near else ""
        raise ConfigError(fault.what, todo=f"{fault.todo}{hint}") from None


def _check_place(folder: Path) -> None:
    if not folder.parent.is_dir():
        raise ConfigError("no such folder", where=str(folder.parent), todo="Make it first.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        what = "exists and is not empty" if folder.is_dir() else "exists and is a file"
        raise ConfigError(
            what, where=str(folder), todo="Choose another name, or another folder with -C DIR."
        )


@contextmanager
def _in_place(folder: Path) -> Iterator[Path]:
    """Give a folder beside the one that is wanted, and put it there once it is whole."""
    from heddle.domain.errors import ResourceError

    part = folder.with_name(f".{folder.name}.{os.getpid()}.heddle-part")
    try:
        part.mkdir()
        yield part
        part.rename(folder)
    except OSError as fault:
        raise ResourceError(f"cannot write: {fault.strerror}", where=str(folder)) from fault
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _copy(source: Path, target: Path, name: str) -> list[str]:
    files, old = template_files(source), _name_of(source)
    for file in files:
        made = target / file
        made.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / file, made)
        if made.suffix == ".yaml" and made.is_relative_to(target / "configs"):
            text = made.read_bytes().decode("utf-8")
            made.write_bytes(renamed(text, old, name).encode())
        elif made.suffix == ".md":
            made.write_bytes(unlinked(made.read_bytes().decode("utf-8")).encode())
    return files


def unlinked(text: str) -> str:
    """Return Markdown whose links out of the project, which lead nowhere now, are plain words.

    >>> unlinked("see [why](../../docs/adr/1.md) and [how](steps/README.md)")
    'see why and [how](steps/README.md)'
    """
    return re.sub(r"\[([^\]]+)\]\(\.\./[^)]*\)", r"\1", text)


def _name_of(project: Path) -> str:
    """Return what a project's configuration calls it."""
    from heddle.pipeline.yaml_text import load

    world = load((project / "configs" / "config.yaml").read_bytes()).get("world") or {}
    return str(world.get("project") or project.name)


def _synced(root: Path) -> list[str]:
    from heddle.presentation.project import Project

    return Project(root).sync()


def _repository(folder: Path) -> tuple[str, ...]:
    """Make a git repository unless there is one around; DVC needs it. Return what to say of it."""
    if any((place / ".git").exists() for place in folder.parents):
        return ()
    try:
        told = subprocess.run(
            ["git", "init", "--quiet", str(folder)], capture_output=True, text=True, check=False
        )
    except OSError:
        return ("git is not installed, and `heddle run` needs a git repository around a project",)
    if told.returncode:
        return (f"`git init` failed, run it in {folder}: {told.stderr.strip()}",)
    return (f"{folder} was in no git repository: `git init` made one",)


def _counted(files: list[str]) -> dict[str, str]:
    """Return the files by folder, and those at the top by name."""
    tops: dict[str, list[str]] = {}
    for file in sorted(files):
        head, slash, rest = file.partition("/")
        tops.setdefault(f"{head}{slash}", []).append(rest)
    return {
        top: f"{len(rest)} {'file' if len(rest) == 1 else 'files'}" if top.endswith("/") else ""
        for top, rest in tops.items()
    }
