"""Where a model is taken from: the registry, else a remote copy, else a local folder.

What the registry pinned binds the other places too: a copy of another version is not a copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from heddle.domain.errors import ConfigError, HeddleError, IntegrityError, InterruptedRun
from heddle.domain.ports import ModelRegistry
from heddle.registry.manifest import MANIFEST
from heddle.registry.model_files import GOLDEN, REFERENCE
from heddle.registry.plain_files import most_bytes
from heddle.registry.signatures import SIGNATURE
from heddle.serving.address import Address
from heddle.serving.formats.known import FORMATS
from heddle.serving.loader import PIN, LoadedModel, load_folder, load_registered
from heddle.serving.trust import Trust

__all__ = ["Cascade", "Found", "worded"]

Place = Literal["registry", "remote", "folder"]

_KNOWN = frozenset({*FORMATS, MANIFEST, GOLDEN, REFERENCE, SIGNATURE})
_MOST_FILES = 5
_PIECE = 1 << 20  # bytes
_ITSELF = "no hash is known from elsewhere: the files only agree among themselves"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A verified model and where it came from."""

    model: LoadedModel
    source: Place
    notices: tuple[str, ...] = ()  # places that failed before, and what was not checked

    @property
    def digest(self) -> str:
        """The sha256 of the manifest, and so of every file."""
        return self.model.digest


class Cascade:
    """Places to take models from, in a fixed order.

    Args:
        registry: asked first.
        remote: a copy of a model's folder, any address that fsspec knows; "" for none.
        folder: a copy on this machine; None for none.
        pin: sha256 that the manifest must have wherever it comes from.
        strict: only the first place counts.
        trust: whose signatures are asked for, wherever a model comes from.
    """

    def __init__(
        self,
        registry: ModelRegistry | None = None,
        *,
        remote: str = "",
        folder: Path | None = None,
        pin: str | None = None,
        strict: bool = False,
        trust: Trust | None = None,
    ) -> None:
        self._registry = registry
        self._remote = remote
        self._folder = folder
        self._pin = pin
        self._strict = strict
        self._trust = trust

    def pointed(self, address: Address) -> str:
        """Return the digest that the address means in the registry now, "" when it has none.

        Cheap: one question to the registry, no file is read.

        Raises:
            HeddleError: the registry knows no such model or version.
        """
        if self._registry is None or address.folder is not None:
            return ""
        version = self._registry.resolve(address.name, address.wanted)
        return version.tags.get(PIN, "")

    def load(self, address: Address, *, strict: bool = False) -> Found:
        """Return the first model that can be verified; `strict` as for the whole cascade.

        Raises:
            ConfigError: there is no place to look in.
            HeddleError: of the only place; else IntegrityError with every place's reason.
        """
        if address.folder is not None:
            return self._from_folder(address.folder, self._pin, "", address)
        strict = strict or self._strict
        pin, label, notices = self._pin, "", []
        places = self._places(strict)
        for place in places:
            try:
                if place == "registry":
                    pin, label = self._resolved(address)
                found = self._from(place, address, pin, label)
            except InterruptedRun:  # no word on the place
                raise
            except Exception as fault:
                if len(places) == 1:
                    raise
                notices.append(f"{place}: {worded(fault)}")
                continue
            return replace(found, notices=(*notices, *found.notices))
        raise IntegrityError(
            f"no place gave a model that can be used: {'; '.join(notices)}", where=str(address)
        )

    def _places(self, strict: bool) -> list[Place]:
        there: dict[Place, bool] = {
            "registry": self._registry is not None,
            "remote": bool(self._remote),
            "folder": self._folder is not None,
        }
        places = [place for place, is_there in there.items() if is_there]
        if not places:
            raise ConfigError("no place to take a model from", todo="Name a folder: ./FOLDER.")
        return places[:1] if strict else places

    def _resolved(self, address: Address) -> tuple[str | None, str]:
        """Return the pin and the label of the version that the registry means."""
        assert self._registry is not None
        version = self._registry.resolve(address.name, address.wanted)
        label = f"{version.name}/{version.number}"
        pinned = version.tags.get(PIN)
        if self._pin and pinned != self._pin:
            raise IntegrityError(
                f"is pinned to {pinned}, expected {self._pin}",
                where=label,
                todo="Name the version that the hash belongs to.",
            )
        return pinned, label

    def _from(self, place: Place, address: Address, pin: str | None, label: str) -> Found:
        if place == "registry":
            assert self._registry is not None
            number = label.rpartition("/")[2]  # what was resolved, wherever the alias goes now
            model = load_registered(self._registry, address.name, number, trust=self._trust)
            return Found(model=model, source="registry", notices=_about(model))
        if place == "folder":
            assert self._folder is not None
            return self._from_folder(self._folder, pin, label, address)
        with _downloaded(self._remote) as folder:
            return replace(self._from_folder(folder, pin, label, address), source="remote")

    def _from_folder(self, folder: Path, pin: str | None, label: str, address: Address) -> Found:
        if not folder.is_dir():
            raise ConfigError("there is no such folder", where=str(folder))
        model = load_folder(folder, expected=pin, trust=self._trust)
        named = model.manifest.name
        if address.name and named != address.name:
            raise IntegrityError(f"holds model {named!r}, not {address.name!r}", where=str(folder))
        label = label or f"{named}@{model.digest[:12]}"  # a folder's path is nobody's business
        vouched = bool(pin) or model.signature.startswith("signed by")
        notices = () if vouched else (f"{folder}: {_ITSELF}",)
        model = replace(model, label=label)
        return Found(model=model, source="folder", notices=(*notices, *_about(model)))


@contextmanager
def _downloaded(url: str) -> Iterator[Path]:
    """Fetch a copy of a model's folder; it is gone when the model is in memory."""
    import fsspec

    files, root = fsspec.core.url_to_fs(url)
    entries: list[dict[str, Any]] = files.ls(root, detail=True)
    names = [str(entry["name"]).rstrip("/").rpartition("/")[2] for entry in entries]
    plain = all(entry["type"] == "file" and not entry.get("islink") for entry in entries)
    told = _without_password(url)
    if not plain or not 0 < len(entries) <= _MOST_FILES or set(names) - _KNOWN:
        held = ", ".join(sorted(names)[: 2 * _MOST_FILES])
        raise IntegrityError(f"is no copy of a model's folder: it holds {held}", where=told)
    with TemporaryDirectory(prefix="heddle-remote-") as place:
        for entry, name in zip(entries, names, strict=True):
            _fetch(files, entry, Path(place) / name, f"{told}/{name}")
        yield Path(place)


def _fetch(files: Any, entry: dict[str, Any], path: Path, where: str) -> None:
    """Copy a file piece by piece: what is listed of its size need not be true."""
    most, size = most_bytes(path.name), int(entry.get("size") or 0)
    with files.open(entry["name"], "rb") as source, path.open("wb") as copy:
        while size <= most and (piece := source.read(_PIECE)):
            copy.write(piece)
            size = max(size, copy.tell())
    if size > most:
        raise IntegrityError(f"has {size:,} bytes, expected at most {most:,}", where=where)


def _about(model: LoadedModel) -> tuple[str, ...]:
    return tuple(f"{model.label}: {words}" for words in model.warnings)


def _without_password(url: str) -> str:
    head, mark, rest = url.partition("://")
    return f"{head}{mark}{rest.rpartition('@')[2]}" if mark else url


def worded(fault: Exception) -> str:
    """Return what a fault says; of one that is none of ours, its kind too."""
    return str(fault) if isinstance(fault, HeddleError) else f"{type(fault).__name__}: {fault}"
