"""The formats that are read at all, told by a file's name and its first bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from heddle.domain.errors import ConfigError, HeddleError, IntegrityError
from heddle.registry.manifest import Manifest

__all__ = ["FORMATS", "Format", "check_start", "format_among", "read_model"]

Reader = Callable[[bytes, Manifest], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way in which a model is kept."""

    name: str
    starts: tuple[bytes, ...]  # one of which every such file begins with
    reader: str  # module of this package
    native: bool = False  # read by a library that damaged bytes may crash
    unsafe: bool = False  # reading it runs whatever its maker wanted


FORMATS: Mapping[str, Format] = {  # by the name that the manifest gives the file
    "model.skops": Format(name="skops", starts=(b"PK\x03\x04",), reader="skops_file"),
    "model.txt": Format(
        name="LightGBM text", starts=(b"tree\nversion=",), reader="lightgbm_text", native=True
    ),
    "model.ubj": Format(name="XGBoost UBJSON", starts=(b"{L",), reader="xgboost_file", native=True),
    "model.json": Format(name="XGBoost JSON", starts=(b"{",), reader="xgboost_file", native=True),
    "model.onnx": Format(name="ONNX", starts=(b"\x08",), reader="onnx_file", native=True),
    "model.pkl": Format(
        name="pickle", starts=(b"\x80", b"\x78", b"\x1f\x8b"), reader="pickled", unsafe=True
    ),
}


def format_among(names: Iterable[str]) -> str:
    """Return the name of the one file among these that is a model of a known format.

    Raises:
        ValueError: none of them is, or several are.
    """
    there = sorted(set(names) & set(FORMATS))
    if len(there) != 1:
        found = " and ".join(there) or "none"
        raise ValueError(f"{found} of {', '.join(FORMATS)} in the folder, expected one")
    return there[0]


def read_model(name: str, content: bytes, manifest: Manifest, *, where: str) -> Any:
    """Return the model that a file holds: raw rows in, predictions out.

    Args:
        name: of the file, which decides who reads it.
        content: its verified bytes.
        manifest: of the same folder.
        where: what to call the file in an error.

    Raises:
        IntegrityError: the bytes are of another format, or not a model of these columns.
        ConfigError: the library that reads the format is not installed.
    """
    check_start(name, content, where=where)
    reader: Reader = import_module(f"{__package__}.{FORMATS[name].reader}").read
    try:
        return reader(content, manifest)
    except ConfigError:
        raise
    except HeddleError as fault:
        words = fault.what
    except Exception as fault:  # noqa: BLE001 whatever a foreign file makes of the reader
        words = f"cannot be read as a model: {type(fault).__name__}: {fault}"
    raise _refused(words, where)


def check_start(name: str, content: bytes, *, where: str) -> None:
    """Refuse a file that does not begin as its name says; IntegrityError tells how it does."""
    kind = FORMATS[name]
    if content.startswith(kind.starts):
        return
    told = {b"\x80": "a pickle", b"\x1f\x8b": "packed by gzip", b"PK": "an archive"}
    found = next((words for start, words in told.items() if content.startswith(start)), "")
    words = f"is not a {kind.name} file: it begins with {content[:4].hex() or 'nothing'}"
    raise _refused(f"{words}{f', as {found}' if found else ''}", where)


def _refused(words: str, where: str) -> IntegrityError:
    return IntegrityError(words[:500], where=where, todo="Nothing was loaded.")
