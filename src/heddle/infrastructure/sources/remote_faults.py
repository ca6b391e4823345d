"""What a store's own errors mean: a mistake in the configuration, or a fault that may pass."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from typing import Any

from heddle.domain.errors import ConfigError
from heddle.infrastructure.sources.remote_place import RemotePlace
from heddle.infrastructure.sources.web import Again

__all__ = ["readable_fault"]

_NO_KEY = {
    "CredentialRetrievalError",
    "DefaultCredentialsError",
    "NoCredentialsError",
    "PartialCredentialsError",
    "ProfileNotFound",
    "TokenRetrievalError",
    "UnauthorizedSSOTokenError",
}
_LASTING = {errno.EINVAL, errno.EPERM, errno.ENAMETOOLONG, errno.ENOSYS, errno.EREMCHG}
_KEYS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in ~/.aws",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or `gcloud auth application-default login`",
}


def readable_fault(fault: Exception, place: RemotePlace, system: Any) -> Exception:
    """Return the error to raise for what a file system raised.

    The words of the store are told without addresses, which may be signed.
    """
    code = getattr(fault, "code", None)
    if isinstance(fault, FileNotFoundError) or code == 404:
        return _missing("no such file", place, system)
    if isinstance(fault, IsADirectoryError):
        return _missing("is a folder, wanted is a file", place, system)
    if any(type(cause).__name__ in _NO_KEY for cause in _causes(fault)):
        return _refused("no credentials were found", place)
    if isinstance(fault, PermissionError) or code in (401, 403):
        return _refused(f"access is refused ({_words(fault)})", place)
    lasting = isinstance(fault, OSError) and fault.errno in _LASTING
    if lasting or isinstance(fault, (ValueError, TypeError, NotImplementedError)):
        todo = f"Check {place.key}.url and {place.key}.endpoint."
        return ConfigError(f"the store says: {_words(fault)}", where=place.shown, todo=todo)
    if isinstance(fault, TimeoutError):
        return Again("the store did not answer in time")
    return Again(f"the store failed ({_words(fault)})")


def _missing(what: str, place: RemotePlace, system: Any) -> ConfigError:
    folder, _, name = place.path.rstrip("/").rpartition("/")
    looked = place.path if what.startswith("is a folder") else folder
    try:
        found = system.ls(looked, detail=False)
    except Exception:  # noqa: BLE001  a store need not allow listing
        found = []
    names = sorted({str(path).rstrip("/").rpartition("/")[2] for path in found} - {""})
    return ConfigError(
        what, where=place.shown, wanted=name, known=names, todo=f"Check {place.key}.url."
    )


def _refused(what: str, place: RemotePlace) -> ConfigError:
    kind = {"s3a": "s3", "gcs": "gs"}.get(place.scheme, place.scheme)
    keys = _KEYS.get(kind, "the credentials that fsspec's documentation names")
    todo = f"Give {keys}; for a public place set {place.key}.anonymous=true."
    if place.anonymous:
        todo = f"{place.key}.anonymous=true asks without credentials. Else give {keys}."
    return ConfigError(what, where=place.shown, todo=todo)


def _causes(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__


def _words(fault: Exception) -> str:
    said = re.sub(r"\b\w+://\S+", "…", str(fault))
    plain = " ".join("".join(c if c.isprintable() else " " for c in said).split())[:200]
    return f"{type(fault).__name__}: {plain}" if plain else type(fault).__name__
