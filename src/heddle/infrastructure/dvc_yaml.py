"""How DVC reads and writes YAML in this process: as ever, but without parsing in Python.

DVC reads params.yaml some six times for each stage that it runs, and dvc.lock once more to replace
the stage's entry, with a parser written in Python that keeps comments: most of what a small stage
cost. What a machine wrote needs no such care. Where a text might be read in another way, or DVC
has changed, DVC does it by itself.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from heddle.infrastructure.lock_text import HEAD, entries, read_entry
from heddle.pipeline.generated import HEAD as GENERATED
from heddle.pipeline.yaml_text import load

__all__ = ["LockWriter", "ParamsLoader", "read_and_write_quickly"]


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
        if not text.startswith(GENERATED.encode()):
            return self._usual(path, fs=fs)
        if text != self._text:
            self._found = pickle.dumps(load(text))
            self._text = text
        return pickle.loads(self._found)  # noqa: S301 - each reader its own, of our own making


class LockWriter:
    """Stands where DVC changes a YAML file; of a plain dvc.lock only the changed stage is written.

    The bytes are those that DVC would write: it still writes that stage's.
    """

    def __init__(self, usual: Any) -> None:
        self._usual = usual

    @contextmanager
    def __call__(self, path: Any, fs: Any = None) -> Iterator[Any]:
        place = Path(path)
        text = place.read_bytes() if place.name == "dvc.lock" and place.exists() else b""
        lines = entries(text) if _here(fs) else None
        if lines is None:
            with self._usual(path, fs=fs) as data:
                yield data
            return
        before = {name: read_entry(block) for name, block in lines.items()}
        data = {"schema": "2.0", "stages": dict(before)}
        yield data
        _write(place, data, lines, before)


def _write(place: Path, data: Any, lines: Mapping[str, bytes], before: Mapping[str, Any]) -> None:
    """Write the lock, taking over the lines of those stages that are the very same objects."""
    from dvc.utils.serialize import dump_yaml, dumps_yaml

    stages = data.get("stages")
    changed = [n for n, said in (stages or {}).items() if n not in before or said is not before[n]]
    if list(data) != ["schema", "stages"] or not stages or len(changed) > 1:
        dump_yaml(place, data)
        return
    new = {n: dumps_yaml({"stages": {n: stages[n]}}).partition("\n")[2].encode() for n in changed}
    place.write_bytes(HEAD + b"".join(new.get(name) or lines[name] for name in stages))


def _here(fs: Any) -> bool:
    return getattr(fs, "protocol", "local") == "local"
