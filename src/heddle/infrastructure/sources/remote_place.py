"""Where a remote file is, and the file system that reads it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePosixPath
from typing import Any

from heddle.domain.errors import ConfigError
from heddle.infrastructure.sources.address import read_address
from heddle.infrastructure.sources.patience import Patience

__all__ = ["RemotePlace", "file_system"]

_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs"}
# Without it gcsfs asks by gRPC first what sort of bucket it is, which waits a minute for stores
# and networks that have none. Who has a zonal bucket sets it.
_GRPC = "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"
_HERE = ("file", "local")  # what ingestion=file is for


@dataclass(frozen=True, slots=True, kw_only=True)
class RemotePlace:
    """An address that fsspec reads, checked; credentials are never part of it."""

    url: str
    endpoint: str = ""  # of a store that is not the provider's own (s3 and gs)
    anonymous: bool = False  # ask without credentials, as public buckets allow
    key: str = "ingestion"  # what holds it in the configuration, for the words of an error

    def __post_init__(self) -> None:
        scheme, found, rest = self.url.strip().partition("://")
        if not found or not rest.strip("/") or "::" in self.url:
            raise ConfigError(
                "is no address of a remote file",
                where=f"{self.key}.url",
                todo="Write s3://BUCKET/FILE.csv, gs://BUCKET/FILE.csv or https://HOST/FILE.csv.",
            )
        if scheme in _HERE:
            todo = "For a file on this machine use ingestion=file ingestion.path=…."
            raise ConfigError("is on this machine", where=f"{self.key}.url", todo=todo)
        if "@" in rest.partition("/")[0] or "@" in self.endpoint.partition("?")[0]:
            raise ConfigError(
                "holds a user or password",
                where=f"{self.key}.url",
                todo="Leave them to the store's own tools: environment, profile or instance.",
            )
        if self.endpoint:
            read_address(self.endpoint, f"{self.key}.endpoint")
            if scheme not in _EXTRAS:
                what = f"an endpoint is for s3 and gs, not for {scheme!r}"
                raise ConfigError(what, where=f"{self.key}.endpoint")

    @property
    def scheme(self) -> str:
        """The protocol."""
        return self.url.strip().partition("://")[0]

    @property
    def path(self) -> str:
        """The address as it is asked for."""
        return self.url.strip()

    @property
    def shown(self) -> str:
        """The address, safe to record: without the values of a query."""
        bare, mark, query = self.path.partition("?")
        keys = [pair.partition("=")[0] for pair in query.split("&") if "=" in pair]
        if not mark or not keys:
            return self.path
        return f"{bare}?{'&'.join(f'{key}=…' for key in keys)}"

    @property
    def name(self) -> str:
        """A file name for what comes."""
        name = PurePosixPath(self.path.partition("://")[2].partition("?")[0]).name
        return name.lstrip(".").replace("\\", "_") or "download"


def file_system(place: RemotePlace, patience: Patience) -> Any:
    """Return fsspec's file system for a place; nothing is connected yet.

    Raises:
        ConfigError: the protocol is unknown, or what reads it is not installed.
    """
    import fsspec

    try:
        kind = fsspec.get_filesystem_class(place.scheme)
    except ValueError:
        raise ConfigError(
            f"scheme {place.scheme!r} is not read",
            where=f"{place.key}.url",
            wanted=place.scheme,
            known=["s3", "gs", "http", "https", *_others(fsspec.available_protocols())],
        ) from None
    except ImportError as fault:
        extra = _EXTRAS.get(place.scheme)
        todo = f'pip install "heddle-ml[{extra}]"' if extra else f"{fault}"
        what = f"what reads {place.scheme}:// is not installed"
        raise ConfigError(what, where=f"{place.key}.url", todo=f"Run: {todo}") from None
    if _EXTRAS.get(place.scheme) == "gs" and _GRPC not in os.environ:
        kind = import_module("gcsfs.core").GCSFileSystem  # asks by https alone
    system = kind(**_options(place, patience), skip_instance_cache=True, use_listings_cache=False)
    if hasattr(system, "retries"):
        system.retries = 1  # we are the ones who try anew, and say so
    return system


def _options(place: RemotePlace, patience: Patience) -> dict[str, Any]:
    told: dict[str, Any] = {"endpoint_url": place.endpoint} if place.endpoint else {}
    kind = _EXTRAS.get(place.scheme)
    if kind == "s3":
        waits = {"connect_timeout": patience.timeout_seconds, "retries": {"max_attempts": 0}}
        config = {**waits, "read_timeout": patience.timeout_seconds}
        return {**told, "anon": place.anonymous, "config_kwargs": config}
    if kind == "gs":
        seconds = patience.timeout_seconds
        waits = import_module("aiohttp").ClientTimeout(sock_connect=seconds, sock_read=seconds)
        anonymous = {"token": "anon"} if place.anonymous else {}
        return {**told, **anonymous, "requests_timeout": waits}
    return {"anon": True} if place.anonymous and place.scheme in ("abfs", "abfss", "az") else {}


def _others(protocols: list[str]) -> list[str]:
    return sorted(p for p in protocols if p in ("abfs", "az", "ftp", "hdfs", "sftp", "webdav"))
