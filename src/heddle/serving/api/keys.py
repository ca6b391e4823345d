"""Who may ask: keys kept as hashes in a file that is read again when it changes.

A line is `NAME SHA256 [rate=50] [burst=100]`; `#` begins a remark. A name may stand on several
lines: while a key is exchanged the old and the new one are both good, and share one rate.
"""

from __future__ import annotations

import hmac
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe

from heddle.domain.errors import ConfigError
from heddle.serving.api.refused import Refused

__all__ = ["Keys", "new_key", "read_keys"]

_LINE = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]{0,63})\s+(?P<hash>[0-9a-f]{64})"
    r"(\s+rate=(?P<rate>\d+(\.\d+)?))?(\s+burst=(?P<burst>\d+))?"
)
_RATE, _BURST = 200.0, 400  # requests per second, and at once
_LONGEST = 512  # characters of a key
_EACH = 1.0  # seconds between two looks at the file


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    name: str
    hashed: str
    rate: float
    burst: int


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


def new_key(name: str) -> tuple[str, str]:
    """Return a new key and the line of the file that lets it in. Only the line is to be kept."""
    key = token_urlsafe(32)
    return key, f"{name} {sha256(key.encode()).hexdigest()}"


def read_keys(path: Path, rate: float = _RATE, burst: int = _BURST) -> tuple[_Key, ...]:
    """Return the keys of a file.

    Args:
        path: of the file.
        rate: requests per second of a key whose line names no other.
        burst: of such a key, at once.

    Raises:
        ConfigError: no such file, no key in it, or a line of another form.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(f"the keys cannot be read: {fault}", where=str(path)) from None
    keys: list[_Key] = []
    for number, line in enumerate(lines, start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        found = _LINE.fullmatch(text)
        if found is None:
            raise ConfigError(
                "is no key",
                where=f"{path}, line {number}",
                todo="Write NAME SHA256 [rate=50] [burst=100]; `heddle serve --new-key NAME`.",
            )
        keys.append(
            _Key(
                name=found["name"],
                hashed=found["hash"],
                rate=float(found["rate"] or rate),
                burst=max(int(found["burst"] or burst), 1),
            )
        )
    if not keys:
        raise ConfigError(
            "holds no key", where=str(path), todo="`heddle serve --new-key NAME` makes one."
        )
    return tuple(keys)


@dataclass(slots=True)
class Keys:
    """The keys of a file, and how much each has asked of late.

    Args:
        path: of the file; a change is seen within a second. One that cannot be read changes
            nothing and is told.
        notice: where such a fault goes.
        clock: seconds that only rise.
        rate: requests per second of a key whose line names no other.
        burst: of such a key, at once.
    """

    path: Path
    notice: Callable[[str], None] = lambda _: None
    clock: Callable[[], float] = time.monotonic
    rate: float = _RATE
    burst: int = _BURST
    _keys: tuple[_Key, ...] = ()
    _stamp: tuple[int, int, int] = (0, 0, 0)
    _looked: float = -math.inf
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._stamp = _stamp(self.path)
        self._keys = read_keys(self.path, self.rate, self.burst)

    def admit(self, headers: Mapping[str, str]) -> str:
        """Return the name of the key that a request brings.

        Raises:
            Refused: 401 without a good key; 429 when it has asked too often.
        """
        self._reread()
        told = headers.get("x-api-key", "")
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if not told and scheme.lower() == "bearer":
            told = bearer.strip()
        hashed = sha256(told[:_LONGEST].encode("utf-8", "replace")).hexdigest()
        found: _Key | None = None
        for key in self._keys:  # all of them, whichever is right
            if hmac.compare_digest(hashed, key.hashed):
                found = key
        if found is None or not told or len(told) > _LONGEST:
            raise Refused(401, "a key is needed", headers={"www-authenticate": "Bearer"})
        self._spend(found)
        return found.name

    def _spend(self, key: _Key) -> None:
        now = self.clock()
        bucket = self._buckets.setdefault(key.name, _Bucket(key.burst, now))
        bucket.tokens = min(key.burst, bucket.tokens + (now - bucket.at) * key.rate)
        bucket.at = now
        if bucket.tokens < 1:
            wait = (1 - bucket.tokens) / key.rate if key.rate else 3600.0
            after = str(max(1, math.ceil(wait)))
            raise Refused(429, "this key asks too often", headers={"retry-after": after})
        bucket.tokens -= 1

    def _reread(self) -> None:
        now = self.clock()
        if now - self._looked < _EACH:
            return
        self._looked = now
        stamp = _stamp(self.path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._keys = read_keys(self.path, self.rate, self.burst)
        except ConfigError as fault:
            self.notice(f"the keys stay as they were: {fault}")


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        told = path.stat()
    except OSError:
        return (0, 0, 0)
    return (told.st_mtime_ns, told.st_size, told.st_ino)
