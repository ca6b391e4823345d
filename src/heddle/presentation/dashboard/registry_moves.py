"""Moving an alias from a page: what the commands do, behind a question that has to be ticked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from heddle.domain.errors import HeddleError
from heddle.presentation.dashboard.registry_told import ways_back
from heddle.registry.promotion import Judged, Promote, judged, promote, rollback

if TYPE_CHECKING:
    from heddle.domain.entities import ModelVersion
    from heddle.presentation.dashboard.place import Place

__all__ = ["asked_of", "moves", "told_decision"]

_ASKED = "registry_asked"  # of the session: which question is open
_TOLD = "registry_told"  # what was done last
_ELSEWHERE = (
    "Others can reach these pages, so that they move no alias: `heddle promote` and"
    " `heddle rollback` do."
)


def moves(place: Place, versions: Sequence[ModelVersion], version: ModelVersion) -> None:
    """Offer to promote a version or to point an alias back.

    Args:
        place: the project.
        versions: all of the model.
        version: the one that is looked at.
    """
    import streamlit as st

    if not place.moves:
        st.caption(_ELSEWHERE)
        return
    if said := st.session_state.pop(_TOLD, None):
        st.success(said)
    back = ways_back(versions)
    line = st.container(horizontal=True)
    icon = ":material/publish:"
    if line.button(f"Promote version {version.number}…", key="registry_promote", icon=icon):
        st.session_state[_ASKED] = "promote"
    if line.button(
        "Roll back…",
        key="registry_rollback",
        icon=":material/undo:",
        disabled=not back,
        help=None if back else "No alias of this model has meant another version before.",
    ):
        st.session_state[_ASKED] = "rollback"
    asked = st.session_state.get(_ASKED)
    if asked == "promote":
        _open("Promote", lambda: _promotion(place, version))
    elif asked == "rollback" and back:
        _open("Roll back", lambda: _way_back(place, version.name, back))


def asked_of(place: Place, version: ModelVersion) -> tuple[Promote, Path]:
    """Return the promotion of a version as configured, and where its report goes."""
    from heddle.presentation.dashboard.versions_told import COMPOSING
    from heddle.presentation.promoting import promotion_of

    with COMPOSING:
        wanted, report = promotion_of(place.root, (), {"model": version.name})
    if wanted.from_alias in version.aliases:
        return wanted, report
    with COMPOSING:
        asked = {"model": version.name, "from_alias": str(version.number)}
        return promotion_of(place.root, (), asked)


def told_decision(found: Judged, wanted: Promote) -> None:
    """Show what the gates say."""
    import streamlit as st

    number, decision = found.challenger.number, found.decision
    held = "no version" if found.holder is None else f"version {found.holder.number}"
    st.markdown(f"`{wanted.to_alias}` means {held} now.")
    if decision.promoted:
        st.success(f"The gates let version {number} pass.", icon=":material/check:")
    else:
        st.error(f"The gates refuse version {number}.", icon=":material/block:")
    for reason in decision.reasons:
        st.text(f"• {reason}")
    if decision.todo:
        st.caption(decision.todo)


def _open(title: str, inside: Callable[[], None]) -> None:
    import streamlit as st

    def closed() -> None:
        st.session_state.pop(_ASKED, None)

    st.dialog(title, on_dismiss=closed)(inside)()


def _promotion(place: Place, version: ModelVersion) -> None:
    """Ask whether a version is to be promoted; where the gates refuse, there is nothing to tick."""
    import streamlit as st

    try:
        wanted, report = asked_of(place, version)
        found = judged(place.registry, wanted)
        told_decision(found, wanted)
        if not found.decision.promoted:
            st.caption("No alias was moved; `heddle promote` would refuse in the same words.")
            return
        if found.holder is not None and found.holder.number == version.number:
            return
        words = f"From now on `{wanted.to_alias}` means version {version.number}"
        if not _confirmed(words, "Promote"):
            return
        promote(place.registry, wanted, report=report)
    except HeddleError as fault:
        st.error(str(fault))
        return
    _done(f"`{wanted.to_alias}` of {wanted.model} is version {version.number}.")


def _way_back(place: Place, name: str, back: dict[str, list[int]]) -> None:
    """Ask whether an alias is to be pointed back."""
    import streamlit as st

    aliases = sorted(back, key=lambda alias: alias != "production")
    alias = st.selectbox("Alias", aliases, key="registry_back")
    try:
        now = place.registry.resolve(name, alias).number
        st.markdown(f"`{alias}` means version {now} now; before, it meant {back[alias][0]}.")
        words = f"From now on `{alias}` means version {back[alias][0]} again"
        if not _confirmed(words, "Roll back"):
            return
        version = rollback(place.registry, name, alias)
    except HeddleError as fault:
        st.error(str(fault))
        return
    _done(f"`{alias}` of {name} is version {version.number} again.")


def _confirmed(words: str, verb: str) -> bool:
    """Return whether somebody has ticked that this is meant, and pressed the button then."""
    import streamlit as st

    meant = st.checkbox(words, key="registry_meant")
    pressed = st.button(verb, key="registry_do", type="primary", disabled=not meant)
    return bool(pressed and meant)


def _done(said: str) -> None:
    import streamlit as st

    st.session_state.pop(_ASKED, None)
    st.session_state[_TOLD] = said
    st.rerun()
