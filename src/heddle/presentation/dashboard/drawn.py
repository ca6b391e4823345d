"""Chapters of the report on a page: the same words, tables and charts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from heddle.presentation.dashboard.chapters import (
    Drawing,
    Fold,
    Picture,
    Piece,
    Words,
    pieces,
)
from heddle.presentation.dashboard.theme import Kind, coloured, palette
from heddle.presentation.report.markup import Html, Section, el

__all__ = ["chosen", "draw", "draw_section", "dressed", "plain", "stylesheet"]

_COLUMNS = 3  # most charts beside each other


def dressed() -> None:
    """Bring the report's style onto the page: once, before anything of the report is drawn."""
    import streamlit as st

    st.html(f"<style>{stylesheet(_kind())}</style>")


@cache
def stylesheet(kind: Kind) -> str:
    """Return the report's style for what stands within an element of class `heddle`, and no more.

    >>> stylesheet("dark").startswith(".heddle{--paper:")
    True
    """
    own = "color:var(--ink);font-size:0.95rem;line-height:1.5"
    report = files("heddle.presentation.report").joinpath("report.css").read_text(encoding="utf-8")
    return f".heddle{{{_named(kind)}{own}}}\n.heddle{{{report}{_SMALLER}}}"


def _named(kind: Kind) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in palette(kind).items())


def chosen(key: str, parts: Sequence[str]) -> str:
    """Let a person choose which part of a page is shown; only that one is made."""
    import streamlit as st

    told = st.segmented_control(
        "Part", parts, default=parts[0], key=key, label_visibility="collapsed", required=True
    )
    return told or parts[0]


def draw_section(part: Section | None, page: str, *, heading: bool = True) -> None:
    """Draw a chapter below its heading; nothing where there is none.

    Args:
        part: the chapter.
        page: name of the page, so that charts of two pages are told apart.
        heading: False where the page has said already what this is.
    """
    import streamlit as st

    if part is None:
        return
    if heading:
        st.subheader(part.title, anchor=part.anchor)
    draw(part.html, page)


def draw(html: Html, page: str) -> None:
    """Draw what the report made of something."""
    for part in pieces(html):
        _drawn(part, page)


def _drawn(part: Piece, page: str) -> None:
    import streamlit as st

    if isinstance(part, Words):
        st.html(f'<div class="heddle">{part.html}</div>')
    elif isinstance(part, Drawing):
        _chart(part, page)
    elif isinstance(part, Picture):
        _picture(part)
    elif isinstance(part, Fold):
        with st.expander(plain(part.title), expanded=part.opened):
            for each in part.inside:
                _drawn(each, page)
    else:
        _beside(part.inside, page)


def _beside(inside: Sequence[Piece], page: str) -> None:
    import streamlit as st

    width = min(len(inside), _COLUMNS)
    for first in range(0, len(inside), width):
        columns = st.columns(width)
        for column, part in zip(columns, inside[first : first + width], strict=False):
            with column:
                _drawn(part, page)


def _chart(part: Drawing, page: str) -> None:
    import streamlit as st

    spec = coloured(part.spec, _kind())
    with st.container(border=True):
        _words("h3", part.title)
        st.plotly_chart(
            spec,
            theme=None,
            width="stretch",
            key=f"{page}_{part.anchor}",
            config={"displayModeBar": False, "responsive": True},
            alt=f"{part.title}. {part.says}",
        )
        _words("figcaption", part.says)


def _picture(part: Picture) -> None:
    """Show a drawing as an image, which needs its colours within itself."""
    import streamlit as st

    style = f"<style>svg{{{_named(_kind())}}}{_PICTURE}</style>"
    head, _, rest = part.svg.partition(">")
    head = head.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    with st.container(border=True):
        _words("h3", part.title)
        st.image(f"{head}>{style}{rest}")
        _words("figcaption", part.says)


def _words(tag: str, text: str) -> None:
    import streamlit as st

    st.html(f'<div class="heddle">{el("div", el(tag, text), class_="figure-words")}</div>')


def plain(text: str) -> str:
    r"""Return text that Streamlit does not read as Markdown.

    >>> print(plain("a_b [c]"))
    a\_b \[c\]
    """
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>#|~$:" else sign for sign in text)


def _kind() -> Kind:
    import streamlit as st

    return "dark" if st.context.theme.type == "dark" else "light"


# Streamlit has a heading of its own above, and space around each part.
_SMALLER = (
    "p{max-width:52rem}.scroll{margin:0.2rem 0}dl.tiles{margin:0.2rem 0}h3{margin:0}"
    "figcaption{color:var(--muted);font-size:0.9rem;line-height:1.45}"
)
_PICTURE = """
.box{fill:var(--paper);stroke:var(--line)}
.stage{fill:var(--ink);font-weight:600}
.gives{fill:var(--muted)}
text{font-family:system-ui,sans-serif}
.lane{fill:none;stroke-width:1.75}
.stale .box{stroke:var(--warn);stroke-width:2}
.stale .gives{fill:var(--warn)}
"""
