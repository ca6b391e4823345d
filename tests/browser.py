"""Pages as a person sees them: `heddle ui` in a process, headless Chromium before it.

One server for each project and one browser for all tests of a process. Without Chromium on this
machine the tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PATIENCE = 30_000  # milliseconds
# a wide screen, and that of a telephone
WIDE, NARROW = {"width": 1400, "height": 900}, {"width": 420, "height": 860}


def chromium() -> str:
    """Return where Chromium is; skip the test where it is not."""
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    pytest.skip(f"no browser on this machine: looked for {', '.join(_NAMES)}")


@contextmanager
def opened(root: Path, *words: str) -> Iterator[str]:
    """Serve a project's pages while the block runs; give their address."""
    command = [sys.executable, "-m", "heddle.presentation.main", "ui", "-C", str(root)]
    with subprocess.Popen(
        [*command, "--port", "0", "--no-browser", *words],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"},
    ) as process:
        guard = threading.Timer(300, process.kill)
        guard.start()
        try:
            said: list[str] = []
            for line in process.stderr:
                said.append(line)
                if " at http" in line:
                    break
            else:
                pytest.fail("".join(said))
            threading.Thread(target=_drained, args=(process.stderr,), daemon=True).start()
            yield line.rpartition(" at ")[2].partition(";")[0]
        finally:
            guard.cancel()
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()


class Pages:
    """The pages of one server in one browser."""

    def __init__(self, browser: Any, url: str) -> None:
        self.url = url
        self._browser = browser

    @contextmanager
    def open(
        self, name: str, *, size: dict[str, int] = WIDE, scheme: str = "light"
    ) -> Iterator[Any]:
        """Show a page; at the end nothing may have gone wrong on it, or have asked elsewhere."""
        context = self._browser.new_context(
            viewport=size, color_scheme=scheme, accept_downloads=True, locale="en-GB"
        )
        wrong: list[str] = []
        page = context.new_page()
        page.set_default_timeout(_PATIENCE)
        page.on("console", lambda said: wrong.extend(_serious(said)))
        page.on("pageerror", lambda fault: wrong.append(str(fault)))
        page.on("request", lambda one: wrong.append(one.url) if self._elsewhere(one.url) else None)
        try:
            page.goto(f"{self.url}/{name}")
            settled(page)
            yield page
            assert not page.locator("[data-testid=stException]").count(), page.content()[-3000:]
            assert not wrong, wrong
        finally:
            context.close()

    def _elsewhere(self, url: str) -> bool:
        at = urlsplit(url)
        return (
            at.scheme in {"http", "https", "ws", "wss"} and at.netloc != urlsplit(self.url).netloc
        )


def _serious(said: Any) -> list[str]:
    """Return an error of the console; Streamlit looks for its server below each page first."""
    where = said.location.get("url", "")
    probe = "404" in said.text and where.endswith(("/_stcore/health", "/_stcore/host-config"))
    return [f"{said.text} {where}"] if said.type == "error" and not probe else []


def settled(page: Any) -> None:
    """Wait until the script of the page has run to its end, and all of it is drawn."""
    page.locator("h1").first.wait_for()
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')")


def picture(page: Any, folder: Path, name: str) -> Path:
    """Keep what is to be seen of a page, all of its length."""
    settled(page)
    inner = page.locator("[data-testid=stMain]").first
    tall = inner.evaluate("node => node.scrollHeight")
    page.set_viewport_size({"width": page.viewport_size["width"], "height": int(tall) + 40})
    page.wait_for_timeout(400)  # charts are drawn anew
    path = folder / f"{name}.png"
    page.screenshot(path=path)
    return path


@contextmanager
def browser() -> Iterator[Any]:
    """Give headless Chromium while the block runs."""
    from playwright.sync_api import sync_playwright

    where = chromium()
    with sync_playwright() as play:
        made = play.chromium.launch(executable_path=where, args=["--no-sandbox"])
        try:
            yield made
        finally:
            made.close()


def _drained(stream: Any) -> None:
    with suppress(ValueError):
        for _ in stream:
            pass
