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

from heddle.domain.errors import ConfigError, HeddleError, IntegrityError
from heddle.domain.ports import ModelRegistry
from heddle.serving.address import Address
from heddle.serving.loader import PIN, LoadedModel, load_folder, load_registered

__all__ = ["Cascade", "Found"]

Place = Literal["registry", "remote", "folder"]

_MOST_FILES = 8
_LARGEST = 2 * 2**30  # bytes of a remote copy
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
    """

    def __init__(
        self,
        registry: ModelRegistry | None = None,
        *,
        remote: str = "",
        folder: Path | None = None,
        pin: str | None = None,
        strict: bool = False,
    ) -> None:
        self._registry = registry
        self._remote = remote
        self._folder = folder
        self._pin = pin
        self._strict = strict

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
            HeddleError: strict, as the first place; else IntegrityError with every place's reason.
        """
        if address.folder is not None:
            return self._from_folder(address.folder, self._pin, "", address)
        strict = strict or self._strict
        pin, label, notices = self._pin, "", []
        for place in self._places(strict):
            try:
                if place == "registry":
                    pin, label = self._resolved(address)
                found = self._from(place, address, pin, label)
            except Exception as fault:
                if strict:
                    raise
                notices.append(f"{place}: {_words(fault)}")
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
            model = load_registered(self._registry, address.name, number)
            return Found(model=model, source="registry")
        if place == "folder":
            assert self._folder is not None
            return self._from_folder(self._folder, pin, label, address)
        with _downloaded(self._remote) as folder:
            return replace(self._from_folder(folder, pin, label, address), source="remote")

    def _from_folder(self, folder: Path, pin: str | None, label: str, address: Address) -> Found:
        if not folder.is_dir():
            raise ConfigError("there is no such folder", where=str(folder))
        model = load_folder(folder, expected=pin)
        named = model.manifest.name
        if address.name and named != address.name:
            raise IntegrityError(f"holds model {named!r}, not {address.name!r}", where=str(folder))
        label = label or f"{named}@{model.digest[:12]}"  # a folder's path is nobody's business
        notices = () if pin else (f"{folder}: {_ITSELF}",)
        return Found(model=replace(model, label=label), source="folder", notices=notices)


@contextmanager
def _downloaded(url: str) -> Iterator[Path]:
    """Fetch a copy of a model's folder; it is gone when the model is in memory."""
    import fsspec

    files, root = fsspec.core.url_to_fs(url)
    entries: list[dict[str, Any]] = files.ls(root, detail=True)
    names = [str(entry["name"]).rstrip("/").rpartition("/")[2] for entry in entries]
    plain = all(entry["type"] == "file" for entry in entries) and ".." not in names
    size = sum(int(entry.get("size") or 0) for entry in entries)
    if not plain or not 0 < len(entries) <= _MOST_FILES or size > _LARGEST:
        raise IntegrityError("is no copy of a model's folder", where=_without_password(url))
    with TemporaryDirectory(prefix="heddle-remote-") as place:
        for entry, name in zip(entries, names, strict=True):
            files.get_file(entry["name"], str(Path(place) / name))
        yield Path(place)


def _without_password(url: str) -> str:
    head, mark, rest = url.partition("://")
    return f"{head}{mark}{rest.rpartition('@')[2]}" if mark else url


def _words(fault: Exception) -> str:
    return str(fault) if isinstance(fault, HeddleError) else f"{type(fault).__name__}: {fault}"
