"""Write docs/reference from the source: each step with its keys, each module with its names.

usage: make_reference.py [--check]     (--check writes nothing, and fails if a page is out of date)
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "heddle"
PAGES = ROOT / "docs" / "reference"
STEPS = ("transformations", "pipeline/steps", "presentation/steps")
MADE = "<!-- made by `make format` from src/: do not edit -->"

_FACTORY = re.compile(r"field\(default_factory=(\w+)\)")

_BAR = "\\|"

Described = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module


def main(arguments: list[str]) -> int:
    pages = {PAGES / "steps.md": steps_page(), PAGES / "python.md": python_page()}
    old = [p for p, text in pages.items() if not p.exists() or p.read_text("utf-8") != text]
    if arguments == ["--check"]:
        for path in old:
            told = f"{path.relative_to(ROOT)} is not what src/ says. Run `make format`."
            print(f"error: {told}", file=sys.stderr)
        return int(bool(old))
    for path in old:
        path.write_text(pages[path], "utf-8")
    return 0


def steps_page() -> str:
    """Return every step of the library: what it does, its keys, what it refuses."""
    files = sorted((p for room in STEPS for p in _modules(SOURCE / room)), key=lambda p: p.stem)
    about = "What a stage can name as `step:`. A project's own steps stand in its `steps/`."
    parts = [f"# Steps\n\n{MADE}\n\n{about}\n"]
    for path in files:
        named = {node.name: node for node in _named(ast.parse(path.read_text("utf-8")))}
        if path.stem in named:
            parts.append(f"## `{path.stem}`\n\n{_without_examples(named[path.stem])}\n")
            parts += [_keys(*found) for found in _configurations(named, path)]
    return "\n".join(parts)


def python_page() -> str:
    """Return every module with what its `__all__` promises."""
    parts = [f"# Python\n\n{MADE}\n"]
    for path in sorted(p for p in SOURCE.rglob("*.py") if p.name != "__init__.py"):
        tree = ast.parse(path.read_text("utf-8"))
        promised = _promised(tree)
        if not promised:
            continue
        named = {node.name: node for node in _named(tree)}
        module = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
        parts.append(f"## `{module}`\n\n{_first_line(tree)}\n")
        parts += [
            f"- `{name}`: {_first_line(named[name])}" if name in named else f"- `{name}`"
            for name in promised
        ]
        parts.append("")
    return "\n".join(parts)


def _modules(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*.py") if path.name != "__init__.py"]


def _named(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node


def _configurations(
    named: Mapping[str, ast.FunctionDef | ast.ClassDef], path: Path
) -> Iterator[tuple[ast.ClassDef, Path]]:
    """Give the class that the step's function asks for, its bases, and what its keys are made of.

    Each comes with the file in which it stands.
    """
    step = named[path.stem]
    assert isinstance(step, ast.FunctionDef)
    waiting: list[tuple[ast.AST, Path]] = [(step.args, path)]
    seen = {"StageContext"}
    while waiting:
        asking, place = waiting.pop(0)
        parts = [*asking.bases, *asking.body] if isinstance(asking, ast.ClassDef) else [asking]
        names = [n.id for part in parts for n in ast.walk(part) if isinstance(n, ast.Name)]
        for name in dict.fromkeys(names):
            found = _class(name, place)
            if found and name not in seen:
                seen.add(name)
                waiting.append(found)
                yield found


def _class(name: str, path: Path) -> tuple[ast.ClassDef, Path] | None:
    """Return a dataclass of a module, or one that it imports from Heddle to build upon."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name and node.decorator_list:
            return node, path
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("heddle."):
            home = SOURCE.parent.joinpath(*str(node.module).split(".")).with_suffix(".py")
            if name in {alias.name for alias in node.names} and home.is_file():
                return _class(name, home)
    return None


def _promised(tree: ast.Module) -> list[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def _first_line(node: Described) -> str:
    return (ast.get_docstring(node) or "").partition("\n")[0]


def _without_examples(node: Described) -> str:
    """Return a docstring as Markdown, its doctests left out, its sections as paragraphs."""
    kept: list[str] = []
    example = False
    for line in (ast.get_docstring(node) or "").splitlines():
        example = line.startswith(">>>") or (example and bool(line.strip()))
        if not example and (line.strip() or (kept and kept[-1])):
            kept.append(f"**{line}**\n" if line in {"Raises:", "Args:", "Returns:"} else line)
    return "\n".join(line.removeprefix("    ") for line in kept).strip()


def _keys(config: ast.ClassDef, path: Path) -> str:
    """Return a table of a configuration's keys; a key's remark stands behind it in the source."""
    lines = path.read_text("utf-8").splitlines()
    rows = []
    for node in config.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            value = _FACTORY.sub(r"\1()", ast.unparse(node.value)) if node.value else ""
            remark = lines[(node.end_lineno or 1) - 1].partition("  # ")[2]
            code = (node.target.id, ast.unparse(node.annotation), value)
            cells = (*(f"`{text}`" if text else "" for text in code), remark)
            rows.append(f"| {' | '.join(cell.replace('|', _BAR) for cell in cells)} |")
    if not rows:
        return ""
    bases = [f"`{ast.unparse(base)}`" for base in config.bases]
    more = f" And the keys of {', '.join(bases)}:" if bases else ""
    told = f"`{config.name}`: {_first_line(config)}{more}"
    return "\n".join([told, "", "| key | type | default | |", "|---|---|---|---|", *rows, ""])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
