"""How long a server is waited for, as an ingestion configuration says it under `patience`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Patience"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a server is waited for, in seconds."""

    timeout_seconds: float = 30.0  # for the connection and for each part that comes
    deadline_seconds: float = 1800.0  # for one whole attempt
    retries: int = 3  # after the first attempt
    backoff_seconds: float = 1.0  # before the first retry; doubled each time
    longest_wait_seconds: float = 60.0  # what a server may ask for by Retry-After

    def __post_init__(self) -> None:
        if min(self.timeout_seconds, self.deadline_seconds) <= 0:
            raise ValueError("timeout_seconds and deadline_seconds must be above 0")
        if not 0 <= self.retries <= 20:
            raise ValueError(f"0 <= retries <= 20 must hold, but got {self.retries}")
        if min(self.backoff_seconds, self.longest_wait_seconds) < 0:
            raise ValueError("waits must not be negative")
