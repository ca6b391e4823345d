"""A request that is not answered with a prediction: why, without a word of what it held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["Refused"]

_SHOWN = 20
_REASONS = {  # as they are counted
    400: "unreadable",
    401: "no_key",
    408: "too_slow",
    413: "too_large",
    415: "not_json",
    422: "invalid_rows",
    429: "too_often",
    431: "large_head",
    500: "fault",
    503: "no_room",
    504: "too_long",
}


class Refused(Exception):
    """Why a request is refused.

    Args:
        status: of HTTP.
        error: the fault as a whole.
        faults: (field, reason) pairs, the field as a path such as `instances[0].size`.
        headers: of the answer.
        reason: as it is counted; "": that of the status.
    """

    def __init__(
        self,
        status: int,
        error: str,
        faults: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        *,
        reason: str = "",
    ) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.faults = tuple(faults)
        self.headers = dict(headers or {})
        self.reason = reason or _REASONS.get(status, "other")

    def document(self) -> dict[str, object]:
        """Return the answer's body; of many faults the first twenty.

        >>> Refused(422, "one fault", [("instances[0].size", "is missing")]).document()
        {'error': 'one fault', 'detail': [{'field': 'instances[0].size', 'reason': 'is missing'}]}
        """
        detail = [{"field": field, "reason": reason} for field, reason in self.faults[:_SHOWN]]
        more = len(self.faults) - _SHOWN
        told: dict[str, object] = {"error": self.error, "detail": detail}
        return told | {"more": more} if more > 0 else told
