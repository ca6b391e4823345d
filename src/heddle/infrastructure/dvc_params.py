"""How DVC reads the params.yaml that Heddle generates: with libyaml, and once."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from heddle.pipeline.generated import HEAD
from heddle.pipeline.yaml_text import load

__all__ = ["read_params_quickly"]


def read_params_quickly() -> None:
    """Let DVC, in this process, read generated YAML as Heddle does: to it, it says the same.

    DVC reads params.yaml some six times for each stage that it runs, with a parser written in
    Python; the larger the project, the more of a run this was. Other files it reads as before.
    """
    from dvc.utils import serialize

    if not isinstance(serialize.LOADERS[".yaml"], _Loader):
        serialize.LOADERS[".yaml"] = _Loader(serialize.LOADERS[".yaml"])


class _Loader:
    """Stands in DVC's table of loaders by suffix; remembers the last generated text."""

    def __init__(self, usual: Any) -> None:
        self._usual = usual
        self._text = b""
        self._found = b""

    def __call__(self, path: Any, fs: Any = None, **more: Any) -> Any:
        if more or getattr(fs, "protocol", "local") != "local":
            return self._usual(path, fs=fs, **more)
        text = Path(path).read_bytes()
        if not text.startswith(HEAD.encode()):
            return self._usual(path, fs=fs)
        if text != self._text:
            self._found = pickle.dumps(load(text))
            self._text = text
        return pickle.loads(self._found)  # noqa: S301 - each reader its own, of our own making
