"""The model that answers now, and its exchange for another while requests come in.

A request takes `current` once and answers from it: the exchange is one assignment, so that no
answer is of two models. What replaces it was verified before; if that fails, the old one stays.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from heddle.domain.errors import ConfigError, InterruptedRun
from heddle.serving.address import Address
from heddle.serving.cascade import Cascade, Found, worded
from heddle.serving.loader import LoadedModel
from heddle.serving.same_contract import refuse_another_contract

__all__ = ["Live", "Serving"]

_AGAIN_AFTER = 30.0  # seconds until a model that was refused is tried once more


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What answers: a verified model, where it came from, since when."""

    model: LoadedModel
    source: str
    since: datetime
    notices: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The sha256 of the manifest, and so of every file."""
        return self.model.digest


class Live:
    """The holder of the model that serves.

    Args:
        cascade: where models come from.
        address: what to serve; an alias is followed when it moves.
        notice: where a line for a person goes: exchanges, refusals, a registry out of reach.
        clock: seconds that only rise.
        allow_schema_change: whether a model may ask for other rows than the one that serves.
    """

    def __init__(
        self,
        cascade: Cascade,
        address: Address,
        *,
        notice: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        allow_schema_change: bool = False,
    ) -> None:
        self.address = address
        self.draining = False  # no new work is wanted; what was admitted is answered
        self.swaps = 0  # models that began to serve, the first included
        self.swapped: Counter[str] = Counter()  # of them, by alias or number
        self.refused = 0  # models that could not be verified
        self.fault = ""  # why what the address means does not serve; "" when it does
        self._cascade = cascade
        self._notice = notice
        self._clock = clock
        self._allow_schema_change = allow_schema_change
        self._current: Serving | None = None
        self._turn = threading.Lock()  # one exchange at a time
        self._stopped = threading.Event()
        self._watcher: threading.Thread | None = None
        self._failed = ("", -_AGAIN_AFTER)  # digest and time of the last refusal
        self._said = ""

    @property
    def current(self) -> Serving | None:
        """What answers now, None before a model was loaded. Take it once per request."""
        return self._current

    @property
    def ready(self) -> bool:
        """Whether requests should be sent here."""
        return self._current is not None and not self.draining

    def load(self) -> Serving:
        """Load what the address means now and let it serve. Raises as `Cascade.load`."""
        return self.move(self.address)

    def move(self, address: Address, *, strict: bool = False) -> Serving:
        """Serve another address from now on; after an error nothing has changed.

        Args:
            address: what to serve, and to follow if it is an alias.
            strict: take it from the first place or not at all.

        Raises:
            HeddleError: it cannot be loaded or verified.
        """
        with self._turn:
            try:
                found = self._cascade.load(address, strict=strict)
                if (here := self._current) is not None and not self._allow_schema_change:
                    comes = found.model
                    refuse_another_contract(here.model.manifest, comes.manifest, label=comes.label)
            except InterruptedRun:
                raise
            except Exception:
                self.refused += 1
                raise
            self.address = address
            return self._exchanged(found)

    def admit(self, address: Address) -> Serving:
        """Serve another version of the model that is served, from the registry: no other place.

        Raises:
            ConfigError: another model, or a folder.
            HeddleError: as `move`.
        """
        if address.folder is not None or address.name != self.address.name:
            raise ConfigError(
                f"only versions of {self.address.name or 'the folder'!r} can be served here",
                todo="Start another server for another model.",
            )
        return self.move(address, strict=True)

    def look(self) -> bool:
        """Exchange the model if its address means another one by now; return whether it did.

        Never raises: the reason goes to `notice`, once, and the old model stays.
        """
        try:
            meant = self._cascade.pointed(self.address)
        except Exception as fault:  # noqa: BLE001 whatever a registry raises
            meant = ""
            self._failing(f"cannot look where {self.address} points: {worded(fault)}")
        if self._turn.locked():  # an exchange is under way
            return False
        here = self._current
        if here is not None and meant == here.digest:
            self.fault = ""
        if (here is not None and meant in {"", here.digest}) or self._tried(meant):
            return False
        try:
            now = self.load()
        except InterruptedRun as fault:  # of the model nothing is known: the next look tries it
            self._say(str(fault))
            return False
        except Exception as fault:  # noqa: BLE001 whatever a registry raises
            self._failed = (meant, self._clock())
            self._failing(f"{self.address} was not taken: {worded(fault)}")
            return False
        return here is None or now.digest != here.digest

    def watch(self, every: float = 1.0) -> None:
        """Look in a thread, every so many seconds, until `stop`."""
        self._watcher = threading.Thread(
            target=self._watch, args=(every,), name="heddle-watch", daemon=True
        )
        self._watcher.start()

    def stop(self) -> None:
        """End the watching."""
        self._stopped.set()
        if self._watcher is not None:
            self._watcher.join(timeout=5)

    def _watch(self, every: float) -> None:
        while not self._stopped.wait(every):
            self.look()

    def _tried(self, digest: str) -> bool:
        failed, at = self._failed
        return failed == digest and self._clock() - at < _AGAIN_AFTER

    def _exchanged(self, found: Found) -> Serving:
        for text in found.notices:
            self._say(text)
        if found.model.notice:
            self._say(f"{found.model.label}: {found.model.notice}")
        self._current = Serving(
            model=found.model,
            source=found.source,
            since=datetime.now(UTC),
            notices=found.notices,
        )
        self.swaps += 1
        self.swapped[self.address.wanted or "folder"] += 1
        self.fault = ""
        self._say(f"{found.model.label} serves, from the {found.source}, digest {found.digest}")
        return self._current

    def _failing(self, text: str) -> None:
        self.fault = text
        self._say(text)

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._notice(text)
