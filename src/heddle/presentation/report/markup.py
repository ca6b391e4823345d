"""HTML that cannot be injected into: text is escaped unless this module made it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

__all__ = [
    "Column",
    "Html",
    "Section",
    "absent",
    "code",
    "el",
    "folded",
    "join",
    "lines",
    "note",
    "para",
    "table",
    "tiles",
    "tone",
    "trusted",
]

_VOID = {"meta", "br", "wbr"}


class Html(str):
    """Text that is markup already. Only this room makes it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A chapter of the page."""

    title: str
    anchor: str
    html: Html


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its head, whether it holds numbers, a longer word for its head."""

    head: str
    number: bool = False
    hint: str = ""


def el(tag: str, /, *children: object, **attributes: object) -> Html:
    """Return an element. Children that are not Html are escaped; None and False are left out.

    A trailing underscore of an attribute is dropped, inner ones become hyphens.

    >>> el("p", "1 < 2 ", el("b", "yes"), class_="note")
    '<p class="note">1 &lt; 2 <b>yes</b></p>'
    """
    told = "".join(_attribute(key, value) for key, value in attributes.items())
    if tag in _VOID:
        return Html(f"<{tag}{told}>")
    return Html(f"<{tag}{told}>{join(children)}</{tag}>")


def _attribute(key: str, value: object) -> str:
    if value is None or value is False:
        return ""
    word = key.rstrip("_").replace("_", "-")
    return f" {word}" if value is True else f' {word}="{escape(str(value))}"'


def join(children: Iterable[object]) -> Html:
    """Return children one after the other, escaped where they are plain."""
    kept = (child for child in children if child is not None and child is not False)
    return Html("".join(c if isinstance(c, Html) else escape(str(c)) for c in kept))


def trusted(text: str) -> Html:
    """Return text of the package's own files (stylesheet, script) as it is."""
    return Html(text)


def para(*children: object) -> Html:
    """Return a paragraph."""
    return el("p", *children)


def note(*children: object) -> Html:
    """Return a paragraph that stands out a little."""
    return el("p", *children, class_="note")


def absent(*children: object) -> Html:
    """Return the sentence that stands where an input is missing."""
    return el("p", *children, class_="absent")


def code(text: object, title: object = None) -> Html:
    """Return text in a fixed-width face; `title` shows on hovering."""
    return el("code", text, title=title)


def tone(word: str, text: object) -> Html:
    """Return a small label: good, warn or quiet."""
    return el("span", text, class_=f"tone {word}")


def lines(items: Iterable[object]) -> Html:
    """Return a list with one point a line."""
    return el("ul", *(el("li", item) for item in items))


def folded(summary: str, *children: object, opened: bool = False) -> Html:
    """Return a part that opens on a click."""
    return el("details", el("summary", summary), *children, open=opened)


def tiles(figures: Sequence[tuple[str, object, object]]) -> Html:
    """Return key figures: (name, figure, what it says)."""
    made = (
        el("div", el("dt", name), el("dd", value, class_="figure"), el("dd", says, class_="says"))
        for name, value, says in figures
    )
    return el("dl", *made, class_="tiles")


def table(
    caption: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[object]],
    *,
    strong: Iterable[int] = (),
    pairs: bool = False,
) -> Html:
    """Return a table that scrolls by itself on a narrow screen.

    Args:
        caption: what it holds; read aloud, and shown above it.
        columns: heads, in order.
        rows: cells, each row as long as `columns`; the first cell names the row.
        strong: positions of the rows that stand out.
        pairs: two columns, a name and what it means; the heads are only read aloud.
    """
    marked = set(strong)
    head = el(
        "tr",
        *(el("th", c.head, scope="col", class_=_kind(c), title=c.hint or None) for c in columns),
    )
    body = (
        el(
            "tr",
            *(
                _cell(i == 0, column, cell)
                for i, (column, cell) in enumerate(zip(columns, row, strict=True))
            ),
            class_="strong" if place in marked else None,
        )
        for place, row in enumerate(rows)
    )
    made = el(
        "table",
        el("caption", caption),
        el("thead", head),
        el("tbody", *body),
        class_="pairs" if pairs else None,
    )
    return el("div", made, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _cell(first: bool, column: Column, cell: object) -> Html:
    name = "th" if first else "td"
    return el(name, cell, scope="row" if first else None, class_=_kind(column))


def _kind(column: Column) -> str | None:
    return "number" if column.number else None
