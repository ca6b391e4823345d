"""How DVC reads and writes YAML in this process: as ever, but without parsing in Python.

DVC reads params.yaml some six times for each stage that it runs, and dvc.lock once more to replace
the stage's entry, with a parser written in Python that keeps comments: most of what a small stage
cost. What a machine wrote needs no such care. Where a text might be read in another way, or DVC
has changed, DVC does it by itself.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from heddle.pipeline.generated import HEAD
from heddle.pipeline.yaml_text import load

__all__ = ["LockWriter", "ParamsLoader", "read_and_write_quickly"]

# ruamel, in which DVC writes, loses digits of numbers with an exponent when it keeps their look
_EXPONENT = re.compile(rb"(?m)(?:^|[:-] )[-+]?[\d.]+[eE][-+]?\d+$")


def read_and_write_quickly() -> None:
    """Let DVC read generated parameters, and replace entries of its lock, as Heddle does."""
    from dvc import dvcfile
    from dvc.utils import serialize

    if not isinstance(serialize.LOADERS[".yaml"], ParamsLoader):
        serialize.LOADERS[".yaml"] = ParamsLoader(serialize.LOADERS[".yaml"])
    usual = getattr(dvcfile, "modify_yaml", None)
    if usual is not None and not isinstance(usual, LockWriter):
        dvcfile.modify_yaml = LockWriter(usual)


class ParamsLoader:
    """Stands in DVC's table of loaders by suffix; remembers the last generated text."""

    def __init__(self, usual: Any) -> None:
        self._usual = usual
        self._text = b""
        self._found = b""

    def __call__(self, path: Any, fs: Any = None, **more: Any) -> Any:
        if more or not _here(fs):
            return self._usual(path, fs=fs, **more)
        text = Path(path).read_bytes()
        if not text.startswith(HEAD.encode()):
            return self._usual(path, fs=fs)
        if text != self._text:
            self._found = pickle.dumps(load(text))
            self._text = text
        return pickle.loads(self._found)  # noqa: S301 - each reader its own, of our own making


class LockWriter:
    """Stands where DVC changes a YAML file; a plain dvc.lock is changed quickly.

    The bytes are those that DVC would write: it still writes them.
    """

    def __init__(self, usual: Any) -> None:
        self._usual = usual

    @contextmanager
    def __call__(self, path: Any, fs: Any = None) -> Iterator[Any]:
        place = Path(path)
        text = place.read_bytes() if place.name == "dvc.lock" and place.exists() else b""
        if not (_here(fs) and is_plain(text)):
            with self._usual(path, fs=fs) as data:
                yield data
            return
        from dvc.utils.serialize import dump_yaml

        data = load(text)
        yield data
        dump_yaml(path, data, fs=fs)


def is_plain(text: bytes) -> bool:
    """Tell a lock that reads the same with and without regard to looks: no comment, no escape.

    >>> is_plain(b"schema: '2.0'"), is_plain(b"a: 1e-5"), is_plain(b"a: 1 # one")
    (True, False, False)
    """
    if not text or b"#" in text or b"\\" in text or _EXPONENT.search(text):
        return False
    return text.decode("utf-8", "replace").replace("\n", "").isprintable()


def _here(fs: Any) -> bool:
    return getattr(fs, "protocol", "local") == "local"
