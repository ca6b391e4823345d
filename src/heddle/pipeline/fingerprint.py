"""What a step's code says: the step's file and all that it imports from Heddle and the project."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import heddle
from heddle.domain.errors import ConfigError

__all__ = ["Reading", "code_of", "fingerprint", "read_source"]

Import = tuple[int, str, list[str]]  # level, module, names: `from ..module import names`
Reading = tuple[str, list[Import]]  # fingerprint of a source, and what it imports

_LIBRARY = Path(heddle.__file__).resolve().parent
_UNSAID = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER}
_MATERIAL = {".css", ".html", ".j2", ".js", ".sql"}
_LAYOUT = {tokenize.NEWLINE: "\n", tokenize.INDENT: "\x01", tokenize.DEDENT: "\x02"}


def code_of(
    step_file: Path, root: Path, read: Callable[[bytes], Reading] | None = None
) -> Mapping[str, str]:
    """Return `{file: fingerprint}` for a step's file and its imports, followed to the end.

    Imports inside functions count. Libraries from elsewhere do not: their versions are in the
    lock and in every model's manifest.

    Args:
        step_file: where to begin.
        root: the project's folder.
        read: `read_source`, or one that remembers.

    Raises:
        ConfigError: a file that is not Python.
    """
    root, read = root.resolve(), read or read_source
    seen: dict[Path, str] = {}
    waiting = [step_file.resolve()]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            source = path.read_bytes()
            seen |= _material(path)
            try:
                seen[path], imports = read(source)
                waiting += _imported(imports, path, root)
            except (SyntaxError, UnicodeDecodeError, tokenize.TokenError) as fault:
                raise _not_python(fault, _shown(path, root)) from None
    named = {_shown(path, root): mark for path, mark in seen.items()}
    return dict(sorted(named.items()))


def _material(module: Path) -> dict[Path, str]:
    """Return the marks of what is no Python but lies in a module's folder and makes its output."""
    files = (p for p in module.parent.iterdir() if p.suffix in _MATERIAL)
    return {path: sha256(path.read_bytes()).hexdigest()[:12] for path in files}


@lru_cache(maxsize=512)
def fingerprint(source: bytes) -> str:
    r"""Return 12 hex digits of a module's code without comments, docstrings and blank lines.

    What stands inside a text (a blank line, a `#`) counts. The same on every version of Python.

    >>> fingerprint(b"x = 1  # one") == fingerprint(b'"A docstring."\n\nx = 1')
    True
    >>> fingerprint(b"x = 1") == fingerprint(b"x = 2")
    False

    Raises:
        SyntaxError: it is not Python.
    """
    text = _decoded(source)
    unsaid = {(node.lineno, node.col_offset) for node in _docstrings(ast.parse(text))}
    said: list[str] = []
    after_docstring = False
    for token, words in _tokens(text):
        line, column = token.start
        if token.type == tokenize.STRING and (line, _bytes_before(token.line, column)) in unsaid:
            after_docstring = True
        elif not (after_docstring and token.type == tokenize.NEWLINE):
            said.append(words)
            after_docstring = False
        else:
            after_docstring = False
    return sha256("\0".join(said).encode()).hexdigest()[:12]


def _tokens(text: str) -> Iterator[tuple[tokenize.TokenInfo, str]]:
    """Yield what counts; an f-string is one word, as it was before Python 3.12."""
    lines = text.split("\n")
    depth, first = 0, None
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        if kind.endswith("STRING_START"):
            first, depth = first or token, depth + 1
        elif kind.endswith("STRING_END") and first is not None:
            depth -= 1
            if not depth:
                yield first, _between(lines, first.start, token.end)
                first = None
        elif first is None and token.type not in _UNSAID:
            yield token, _LAYOUT.get(token.type, token.string)


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    part = lines[start[0] - 1 : end[0]]
    part[-1] = part[-1][: end[1]]
    part[0] = part[0][start[1] :]
    return "\n".join(part)


def _bytes_before(line: str, column: int) -> int:
    """Return a token's column as `ast` counts it."""
    return len(line[:column].encode())


def _decoded(source: bytes) -> str:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    return source.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")


def _docstrings(tree: ast.AST) -> Iterator[ast.Expr]:
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, owners) and node.body and ast.get_docstring(node, clean=False):
            first = node.body[0]
            if isinstance(first, ast.Expr):
                yield first


@lru_cache(maxsize=512)
def read_source(source: bytes) -> Reading:
    """Return a source's fingerprint and its imports. Raises SyntaxError: it is not Python."""
    found: list[Import] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(0, alias.name, []) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.level, node.module or "", [alias.name for alias in node.names]))
    return fingerprint(source), found


def _imported(imports: list[Import], path: Path, root: Path) -> list[Path]:
    """Return the files of Heddle and of the project that a module in `path` imports."""
    found: set[Path] = set()
    for level, module, parts in imports:
        if level:
            folder = path.parents[level - 1]
        else:
            folder = _LIBRARY.parent if module.split(".")[0] == "heddle" else root
        found.update(_beside(folder, module, parts))
    return sorted(found)


def _beside(folder: Path, module: str, parts: list[str]) -> list[Path]:
    """Return the files that `from module import parts` reads, seen from `folder`."""
    heads = [f"{module}.{part}" for part in parts] if module else parts
    return [path for name in ([module] if module else []) + heads for path in _files(folder, name)]


def _files(folder: Path, module: str) -> list[Path]:
    """Return the files below `folder` that importing a module runs: packages, then itself.

    Heddle's own packages say nothing but a docstring and the version.
    """
    parts = module.split(".")
    places = [folder.joinpath(*parts[: i + 1]) for i in range(len(parts))]
    tried = [place / "__init__.py" for place in places if not place.is_relative_to(_LIBRARY)]
    tried += [places[-1].with_suffix(".py")]
    return [path.resolve() for path in tried if path.is_file()]


def _shown(path: Path, root: Path) -> str:
    if path.is_relative_to(_LIBRARY):
        return f"heddle/{path.relative_to(_LIBRARY).as_posix()}"
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _not_python(fault: Exception, name: str) -> ConfigError:
    if isinstance(fault, SyntaxError):
        line = f":{fault.lineno}" if fault.lineno else ""
        return ConfigError(f"is not Python: {fault.msg}", where=f"{name}{line}")
    return ConfigError(f"is not Python: {fault}", where=name)
