"""A remote that is a bucket of Amazon's S3, or of a store that speaks its protocol."""

from __future__ import annotations

import hashlib
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property, partial
from typing import Any, TypeVar

from heddle.domain.errors import ConfigError, IntegrityError
from heddle.infrastructure.remotes.store import Content, Parts, State
from heddle.infrastructure.sources.patience import Patience
from heddle.infrastructure.sources.remote_faults import readable_fault
from heddle.infrastructure.sources.remote_place import RemotePlace, file_system
from heddle.infrastructure.sources.web import Again, patiently

__all__ = ["S3Store"]

_PART = 16 << 20  # bytes in one request
_MOST_PARTS = 9_000  # of an object; S3 allows 10,000
_LARGEST_DOCUMENT = 1 << 28
_PATIENCE = Patience(timeout_seconds=20, retries=4, backoff_seconds=0.5)
_FIRST = Patience(timeout_seconds=20, retries=1, backoff_seconds=0.5)
# codes of the protocol
_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict", "412"}
_NOT_OFFERED = {"NotImplemented", "501"}
_CUT = {"BadDigest", "IncompleteBody", "RequestTimeout", "XAmzContentSHA256Mismatch"}
_AGAIN = "Run the same again later: what has been sent stays, and it goes on there."

T = TypeVar("T")


class S3Store:
    """Contents as objects; each request is tried anew by itself.

    Credentials are those that AWS's own tools find (environment, profile, instance).

    Args:
        place: bucket and prefix.
        notice: hears of requests that are tried anew.
        sleep: waits between attempts.
    """

    def __init__(
        self,
        place: RemotePlace,
        *,
        notice: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._place = place
        self._notice = notice
        self._sleep = sleep
        bucket, _, prefix = place.path.partition("://")[2].strip("/").partition("/")
        self._bucket, self._prefix = bucket, f"{prefix}/" if prefix else ""

    def where(self, key: str) -> str:
        """The address of a key."""
        return f"s3://{self._bucket}/{self._prefix}{key}"

    def reach(self) -> None:
        """Refuse at once a store that does not answer, or not to these credentials."""
        self._head("runs/manifest.json", _FIRST)

    def state(self, content: Content) -> State:
        """Whether it is there, by its size and, where the store tells one, its digest."""
        head = self._head(content.key, ChecksumMode="ENABLED")
        if head is None:
            return "absent"
        if content.size not in (None, head["ContentLength"]):
            return "other"
        if content.algorithm == "sha256":
            told = head.get("ChecksumSHA256", "")
            return "whole" if told in ("", _base64(content.digest)) or "-" in told else "other"
        return "whole" if _tagged(head) in ("", content.digest) else self._reread(content)

    def parts(self, content: Content) -> Iterator[bytes]:
        """The bytes that lie under its key. Raises IntegrityError when there are none."""
        start, size = 0, content.size
        if size is None and (head := self._head(content.key)) is not None:
            size = head["ContentLength"]
        while size is None or start < size:
            part = self._try(partial(self._range, content.key, start, size))
            if part is None:
                what = f"{self.lacks} {content.key}, recorded as {content.name}"
                raise IntegrityError(what, where=self.where(""))
            yield part
            start += len(part)

    def put(self, content: Content, parts: Parts) -> None:
        """Keep bytes under its key: all of them, or nothing when `parts` raises."""
        size = max(_PART, (content.size or 0) // _MOST_PARTS + 1)
        if content.size is not None and content.size <= size:
            self._call("put_object", content.key, Body=b"".join(parts(size)), **_proof(content))
            return
        told = self._call("create_multipart_upload", content.key)
        upload = {"UploadId": told["UploadId"]}
        try:
            sent = []
            for number, body in enumerate(parts(size), 1):
                part = self._call(
                    "upload_part", content.key, **upload, PartNumber=number, Body=body
                )
                sent.append({"PartNumber": number, "ETag": part["ETag"]})
            whole = {"Parts": sent}
            self._call("complete_multipart_upload", content.key, **upload, MultipartUpload=whole)
        except BaseException:
            with suppress(Exception):  # the store drops unfinished parts; no object is touched
                self._system.call_s3("abort_multipart_upload", **self._names(content.key), **upload)
            raise

    def read(self, key: str) -> bytes | None:
        """A document, None when there is none."""
        head = self._head(key)
        if head is None:
            return None
        if head["ContentLength"] > _LARGEST_DOCUMENT:
            raise IntegrityError("is too large for what it should be", where=self.where(key))
        return self._try(lambda: self._system.cat_file(self.where(key)))

    def swap(self, key: str, before: bytes | None, after: bytes) -> bool:
        """Replace a document that still is `before`; say whether it was. The store compares."""
        head = self._head(key)
        if self.read(key) != before:
            return False
        kept = {"IfMatch": head["ETag"]} if head else {"IfNoneMatch": "*"}
        try:
            self._call("put_object", key, Body=after, **kept)
        except _Changed:
            return self.read(key) == after  # when it was written, and its answer was lost
        except _NotOffered:
            self._call("put_object", key, Body=after)
        return True

    @cached_property
    def _system(self) -> Any:
        return file_system(self._place, _PATIENCE)

    @property
    def lacks(self) -> str:
        """The verb for what is absent, as far as this user can tell."""
        return "lacks, or hides from strangers," if self._place.anonymous else "lacks"

    def _names(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}{key}"}

    def _head(
        self, key: str, patience: Patience | None = None, **more: Any
    ) -> dict[str, Any] | None:
        ask = partial(self._system.call_s3, "head_object", **self._names(key), **more)
        return self._try(ask, patience)

    def _reread(self, content: Content) -> State:
        """Read the bytes of an object whose tag is not their md5, as some stores' never is."""
        digest = hashlib.new(content.algorithm, usedforsecurity=False)
        for part in self.parts(content):
            digest.update(part)
        return "whole" if digest.hexdigest() == content.digest else "other"

    def _range(self, key: str, start: int, size: int | None) -> bytes:
        end = start + _PART if size is None else min(size, start + _PART)
        part: bytes = self._system.cat_file(self.where(key), start=start, end=end)
        if len(part) < end - start:
            raise Again(f"the connection was cut after {start + len(part):,} bytes")
        return part

    def _call(self, method: str, key: str, **more: Any) -> dict[str, Any]:
        """Ask the store to do something to a key that needs no key to be there."""
        ask = partial(self._system.call_s3, method, **self._names(key), **more)
        told: dict[str, Any] | None = self._try(ask)
        if told is None:
            what = f"no such bucket: {self._bucket!r}"
            raise ConfigError(what, where=self.where(""), todo="Make it, or mend the address.")
        return told

    def _try(self, ask: Callable[[], T], patience: Patience | None = None) -> T | None:
        """Return what was answered, None when there is no such object."""

        def attempt() -> T | None:
            try:
                return ask()
            except FileNotFoundError:
                return None
            except Again:
                raise
            except Exception as fault:  # noqa: BLE001  the store's own kinds, and its library's
                if self._hidden(fault):
                    return None
                raise _worded(fault, self._place, self._system) from None

        return patiently(
            attempt,
            where=self.where(""),
            patience=patience or _PATIENCE,
            notice=self._notice,
            sleep=self._sleep,
            todo=_AGAIN,
        )

    def _hidden(self, fault: Exception) -> bool:
        """Tell the refusal that strangers get for what is not there: a bucket may hide its list."""
        return self._place.anonymous and isinstance(fault, PermissionError)


def _proof(content: Content) -> dict[str, str]:
    """Return what lets the store itself refuse other bytes, and tell their digest later."""
    if content.algorithm == "md5":
        return {"ContentMD5": _base64(content.digest)}
    return {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": _base64(content.digest)}


def _base64(digest: str) -> str:
    return b64encode(bytes.fromhex(digest)).decode()


def _tagged(head: Mapping[str, Any]) -> str:
    """Return the md5 that S3 tags an object with; "" where its tag is none by rule."""
    tag = str(head.get("ETag", "")).strip('"')
    encrypted = str(head.get("ServerSideEncryption") or "").startswith("aws:kms")
    return "" if encrypted or len(tag) != 32 else tag


class _Changed(Exception):
    """The document is no longer what it was."""


class _NotOffered(Exception):
    """The store does not know this part of the protocol."""


def _worded(fault: Exception, place: RemotePlace, system: Any) -> Exception:
    answer = getattr(fault.__cause__, "response", None) or {}
    code = str(answer.get("Error", {}).get("Code", ""))
    if code in _CHANGED:
        return _Changed()
    if code in _NOT_OFFERED:
        return _NotOffered()
    if code in _CUT:
        return Again(f"an upload was cut ({code})")
    return readable_fault(fault, place, system)
