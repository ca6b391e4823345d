"""A chapter of the report taken apart, so that a page can lay out its parts itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any

from heddle.presentation.report.markup import Html

__all__ = ["Beside", "Drawing", "Fold", "Picture", "Piece", "Words", "pieces"]

_VOID = frozenset({"meta", "br", "wbr"})


@dataclass(frozen=True, slots=True)
class Words:
    """Markup that needs no script: paragraphs, lists, tables."""

    html: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart: its anchor, its title, the sentence below it, and the Plotly values."""

    anchor: str
    title: str
    says: str
    spec: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing in SVG."""

    title: str
    says: str
    svg: str


@dataclass(frozen=True, slots=True)
class Fold:
    """A part that opens on a click."""

    title: str
    inside: tuple[Piece, ...]
    opened: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """Parts that stand beside each other where there is room."""

    inside: tuple[Piece, ...]


Piece = Words | Drawing | Picture | Fold | Beside


def pieces(html: Html) -> tuple[Piece, ...]:
    """Return the parts of what the report made, in the order in which they are read.

    >>> from heddle.presentation.report.markup import folded, join, para
    >>> first, second = pieces(join([para("1 < 2"), folded("more", para("b"))]))
    >>> first, second.title, second.inside
    (Words(html='<p>1 &lt; 2</p>'), 'more', (Words(html='<p>b</p>'),))
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return tuple(_parts(reader.root.children))


@dataclass(slots=True)
class _Node:
    """An element, with the words of its tags as they were written."""

    tag: str = ""
    opening: str = ""
    attributes: dict[str, str | None] = field(default_factory=dict)
    children: list[_Node | str] = field(default_factory=list)

    @property
    def kinds(self) -> list[str]:
        return (self.attributes.get("class") or "").split()

    def all(self) -> Iterator[_Node]:
        yield self
        for child in self.children:
            if isinstance(child, _Node):
                yield from child.all()

    def __str__(self) -> str:
        closing = "" if self.tag in _VOID else f"</{self.tag}>"
        return f"{self.opening}{self.inner}{closing}"

    @property
    def inner(self) -> str:
        return "".join(map(str, self.children))

    def find(self, tag: str) -> _Node | None:
        return next((node for node in self.all() if node.tag == tag), None)


class _Reader(HTMLParser):
    """Reads markup that is well-formed, for the report writes no other."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.root = _Node()
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = _Node(tag, self.get_starttag_text() or "", dict(attrs))
        self._open[-1].children.append(node)
        if tag not in _VOID:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 asked so
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")


def _parts(children: Sequence[_Node | str]) -> Iterator[Piece]:
    """Yield the parts among children; markup that follows on markup is one part."""
    words: list[str] = []
    for child in children:
        found = _part(child) if isinstance(child, _Node) else None
        if found is None:
            words.append(str(child))
            continue
        if "".join(words).strip():
            yield Words("".join(words))
        words = []
        yield from found
    if "".join(words).strip():
        yield Words("".join(words))


def _part(node: _Node) -> list[Piece] | None:
    """Return the parts that an element is, None if it is markup alone."""
    if node.tag == "details":
        rest = [child for child in node.children if not _is(child, "summary")]
        return [Fold(_said(node, "summary"), tuple(_parts(rest)), "open" in node.attributes)]
    if node.tag == "figure":
        return [_figure(node)]
    if not any(each.tag in {"figure", "details"} for each in node.all()):
        return None
    inside = list(_parts(node.children))
    return [Beside(tuple(inside))] if {"pair", "many"} & set(node.kinds) else inside


def _figure(node: _Node) -> Piece:
    title, says = _said(node, "h3"), _said(node, "figcaption")
    picture, script = node.find("svg"), node.find("script")
    if picture is not None:
        return Picture(title, says, str(picture))
    if script is None:
        return Words(str(node))
    anchor = (script.attributes.get("id") or "").removesuffix("-spec")
    return Drawing(anchor, title, says, json.loads(script.inner))


def _said(node: _Node, tag: str) -> str:
    found = node.find(tag)
    return unescape(found.inner) if found is not None else ""


def _is(child: _Node | str, tag: str) -> bool:
    return isinstance(child, _Node) and child.tag == tag
