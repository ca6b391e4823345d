"""The page around the sections: header, contents, style, script, and what it may not do."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files

from heddle.presentation.report.markup import Html, Section, el, trusted

__all__ = ["page"]

_VIEW = "width=device-width, initial-scale=1"


def page(made: Sequence[Section], *, title: str, project: str, facts: Html) -> str:
    """Return the whole document: nothing in it is fetched from anywhere.

    Its security policy lets only its own two scripts run, known by their hashes, and forbids
    every connection, so that not even a flaw here could make it call out.
    """
    plotly, script = _plotly(), _own("report.js")
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_policy(plotly, script)),
        el("meta", name="viewport", content=_VIEW),
        el("title", f"{title} · {project}"),
        el("style", trusted(_own("report.css"))),
    )
    body = el(
        "body",
        el(
            "div",
            _header(title, project, facts),
            _contents(made),
            el("main", *(_chapter(part) for part in made)),
            el(
                "footer",
                "Made by Heddle from the files of the stages; the same files give the same page.",
            ),
            class_="page",
        ),
        el("script", trusted(plotly)),
        el("script", trusted(script)),
    )
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"


def _header(title: str, project: str, facts: Html) -> Html:
    return el(
        "header",
        el("p", f"Project {project}", class_="project"),
        el("h1", title),
        el("p", facts, class_="facts"),
        el(
            "noscript",
            el(
                "p", "The charts need JavaScript; every number is in the tables too.", class_="note"
            ),
        ),
        class_="top",
    )


def _contents(made: Sequence[Section]) -> Html:
    links = (el("li", el("a", part.title, href=f"#{part.anchor}")) for part in made)
    return el("nav", el("ol", *links), class_="contents", aria_label="Contents")


def _chapter(part: Section) -> Html:
    heading = f"{part.anchor}-heading"
    return el(
        "section",
        el("h2", part.title, id=heading),
        part.html,
        id=part.anchor,
        aria_labelledby=heading,
    )


def _policy(*scripts: str) -> str:
    hashes = (base64.b64encode(sha256(text.encode()).digest()).decode() for text in scripts)
    allowed = " ".join(f"'sha256-{mark}'" for mark in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _own(name: str) -> str:
    return files("heddle.presentation.report").joinpath(name).read_text(encoding="utf-8")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    return script.replace("</script", "<\\/script")
