"""The page that describes the API: made of files of ours alone, so that it needs no network."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

__all__ = ["add_docs"]

_PARTS = ("css", "js")


def add_docs(app: FastAPI) -> None:
    """Let an app answer `/docs` with a form made from its `/openapi.json`."""

    @app.get("/docs", include_in_schema=False, response_class=HTMLResponse)
    async def docs() -> HTMLResponse:
        """Return the page."""
        text, headers = _page()
        return HTMLResponse(text, headers=headers)


@cache
def _page() -> tuple[str, dict[str, str]]:
    """Return the page, and the headers under which a browser runs nothing but what is in it."""
    place = files("heddle.serving.api") / "page"
    text = (place / "docs.html").read_text("utf-8")
    allowed = {}
    for part in _PARTS:
        told = (place / f"docs.{part}").read_text("utf-8")
        text = text.replace(f"/*{part}*/", told)
        allowed[part] = b64encode(sha256(told.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{allowed['js']}'; "
        f"style-src 'sha256-{allowed['css']}'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return text, {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
    }
