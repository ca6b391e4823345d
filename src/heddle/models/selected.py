"""Which columns a fitted model kept."""

from __future__ import annotations

from typing import Any

__all__ = ["selected"]


def selected(model: Any) -> tuple[str, ...]:
    """Return the names of the columns that the selection of a fitted model kept, in their order.

    Of several members, each column once, those of the first member first.

    Args:
        model: a pipeline of `heddle.models.assembly` or its first half, an average of pipelines,
            or one of them on a history; fitted.

    Returns:
        () where nothing is selected.
    """
    inner = getattr(model, "model_", None)  # on a history
    if inner is not None:
        return selected(inner)
    members = getattr(model, "members_", None)  # of an average
    if members is not None:
        return tuple(dict.fromkeys(name for _, member in members for name in selected(member)))
    if "select" not in model.named_steps:
        return ()
    columns = model["matrix"].get_feature_names_out()
    return tuple(str(name) for name in model["select"].get_feature_names_out(columns))
