"""From the address of a remote to what speaks to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from heddle.domain.errors import ConfigError
from heddle.infrastructure.file_hashes import FileHashes
from heddle.infrastructure.remotes.folder import FolderStore
from heddle.infrastructure.remotes.s3 import S3Store
from heddle.infrastructure.remotes.store import Store
from heddle.infrastructure.sources.remote_place import RemotePlace
from heddle.pipeline.world import Remote

__all__ = ["open_remote"]

_KEY = "world.remote"
_KNOWN = "a folder, or s3://BUCKET/PREFIX"


def open_remote(
    remote: Remote,
    root: Path,
    *,
    hashes: Mapping[str, FileHashes],
    notice: Callable[[str], None],
) -> Store:
    """Return the remote that the configuration names; nothing is connected yet.

    Args:
        remote: its address.
        root: the project's folder, which a relative folder is meant from.
        hashes: of files that were read before, by algorithm.
        notice: hears of requests that are tried anew.

    Raises:
        ConfigError: no address, or one of another kind.
    """
    url = remote.url.strip()
    scheme, found, rest = url.partition("://")
    if not url:
        raise ConfigError(
            "no remote is configured",
            todo=f"Give --remote ({_KNOWN}), or write it into the configuration: remote=folder"
            " remote.url=….",
        )
    if found and scheme == "s3":
        if not rest.strip("/"):
            raise ConfigError(
                "has no bucket", where=f"{_KEY}.url", todo="Write s3://BUCKET/PREFIX."
            )
        place = RemotePlace(url=url, endpoint=remote.endpoint, anonymous=remote.anonymous, key=_KEY)
        return S3Store(place, notice=notice)
    if found and scheme != "file":
        raise ConfigError(f"{scheme}:// is no remote", where=f"{_KEY}.url", todo=f"Name {_KNOWN}.")
    folder = Path(rest if found else url).expanduser()
    return FolderStore((root / folder).resolve(), hashes)
