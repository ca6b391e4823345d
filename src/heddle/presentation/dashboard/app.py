"""What Streamlit runs for each person and click: the menu of the pages that apply, and one page.

Its arguments are the project's folder and the address of an API, which may be empty.
"""

from __future__ import annotations

import sys
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

from heddle.domain.errors import HeddleError

if TYPE_CHECKING:
    from heddle.presentation.dashboard.place import Place

__all__ = ["PAGES", "main", "pages_of", "shown"]

PAGES = (
    *("predict", "batch", "forecast", "backtest"),
    *("leaderboard", "versions", "registry", "monitoring"),
)
_CLOSER = ".stMainBlockContainer{padding-top:3.5rem}p code{display:inline-block}"
_CHOSEN = '[role="radio"][aria-checked="true"],[role="tab"][aria-selected="true"]'
_ROOM = "heddle.presentation.dashboard"


def pages_of(place: Place) -> list[ModuleType]:
    """Return the pages that apply to a project, in the order of the menu; at least one."""
    there = [name for name in PAGES if find_spec(f"{_ROOM}.{name}") is not None]
    modules = [import_module(f"{_ROOM}.{name}") for name in there]
    return [page for page in modules if page.applies(place)] or modules[:1]


def shown(page: ModuleType, place: Place) -> None:
    """Show a page below its heading; a fault is told in its own words."""
    import streamlit as st

    st.title(page.TITLE)
    try:
        page.show(place)
    except HeddleError as fault:
        st.error(str(fault))


def main(root: str, api: str = "") -> None:
    """Show the page that the browser is at."""
    import streamlit as st

    from heddle.presentation.dashboard.place import place_of

    place = place_of(root, api)
    # an icon of our own: one of a page would be fetched from the network for the browser's tab
    st.set_page_config(page_title=f"Heddle · {place.root.name}", page_icon="🧵", layout="wide")
    pages = pages_of(place)
    menu = [
        st.Page(
            partial(shown, page, place),
            title=page.TITLE,
            icon=page.ICON,
            url_path=page.__name__.rpartition(".")[2],
        )
        for page in pages
    ]
    # the address without a name shows the first page, which keeps an address of its own
    first = st.Page(
        partial(shown, pages[0], place),
        title=pages[0].TITLE,
        url_path="start",
        default=True,
        visibility="hidden",
    )
    chosen = st.navigation([first, *menu])
    st.html(f"<style>{_CLOSER}:is({_CHOSEN}){{color:{_accent()}!important}}</style>")
    with st.sidebar:
        st.caption(f"Project **{place.root.name}**", help=str(place.root))
    chosen.run()


def _accent() -> str:
    """Return the colour that stands out from a page in its shade: words on a dark one are light."""
    import streamlit as st

    from heddle.presentation.dashboard.theme import palette

    return palette("dark" if st.context.theme.type == "dark" else "light")["accent"]


if __name__ == "__main__":
    main(*sys.argv[1:3])
