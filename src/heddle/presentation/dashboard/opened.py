"""The pages served on this machine until a signal ends them: where, for whom, in which colours."""

from __future__ import annotations

import logging
import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from heddle.domain.errors import ConfigError

if TYPE_CHECKING:
    from heddle.presentation.dashboard.place import Place

__all__ = ["Opened", "needs_ui", "opened"]

UPLOAD_MB = 200  # of a file that is given to a page
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Where pages are to be opened, as the command's options."""

    host: str = "127.0.0.1"
    port: int = 8501
    api: str = ""
    browser: bool = True

    def __post_init__(self) -> None:
        told = urlsplit(self.api)
        if self.api and (told.scheme not in {"http", "https"} or not told.hostname):
            raise ValueError(f"--api is an address such as http://127.0.0.1:8080, not {self.api!r}")


def needs_ui(*, api: bool) -> None:
    """Raise ConfigError unless the libraries of the pages are installed.

    Args:
        api: whether another process predicts; what an API needs is not needed here then.
    """
    wanted = ["streamlit"] if api else ["streamlit", "fastapi"]
    if missing := [name for name in wanted if find_spec(name) is None]:
        raise ConfigError(
            f"pages need {' and '.join(missing)}", todo="pip install 'heddle-ml[ui,serve]'"
        )


def opened(root: Path, told: Opened, *, say: Say) -> None:
    """Serve a project's pages until a signal ends it.

    Raises:
        ConfigError: a library is missing, no project, no such address.
        BusyError: somebody listens there already.
    """
    needs_ui(api=bool(told.api))
    _is_project(root)
    from heddle.presentation.dashboard.place import place_of
    from heddle.presentation.dashboard.server import PageServer
    from heddle.serving.api.listening import is_loopback, listen

    with listen(told.host, told.port) as door:
        host, port = door.getsockname()[:2]
        own = is_loopback(host)
        if not own:
            say(
                f"warning: anybody who reaches {host}:{port} sees this project and asks its models;"
                " there are no keys, and no alias is moved there"
            )
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        _configure(told.host)

        place = place_of(str(root), told.api)
        place.moves = own

        def ready() -> None:
            say(f"pages of {root.name} at {address}; Ctrl-C ends them")
            threading.Thread(target=_warm, args=[place], daemon=True).start()
            if told.browser:
                threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()

        try:
            PageServer(_pages(root, told), ready).run(sockets=[door])
        finally:
            place.close()
    say("ended")


def _warm(place: Place) -> None:
    """Load the model before somebody waits for it; what is wrong with it is told by its page."""
    with suppress(Exception):
        _ = place.serving


def _is_project(root: Path) -> None:
    if not (root / "configs").is_dir() and not (root / "params.yaml").is_file():
        raise ConfigError(
            "is no project: there is neither configs/ nor params.yaml",
            where=str(root),
            todo="Name its folder: `heddle ui -C DIR`.",
        )


def _configure(host: str) -> None:
    """Tell Streamlit how to behave; files of its own configuration do not weigh against it."""
    from streamlit.web import bootstrap

    from heddle.presentation.dashboard.theme import options
    from heddle.serving.api.listening import is_loopback

    told: dict[str, Any] = {
        "browser.gatherUsageStats": False,
        "client.showErrorDetails": "none",  # a trace is for the terminal
        "client.showErrorLinks": False,
        "client.toolbarMode": "minimal",
        "global.developmentMode": False,
        "server.fileWatcherType": "none",
        "server.headless": True,
        "server.maxUploadSize": UPLOAD_MB,
        **options(),
    }
    if is_loopback(host):  # a page from elsewhere cannot pretend to be this one
        told["server.allowedHosts"] = ["localhost", "127.0.0.1", "[::1]", "::1"]
    bootstrap.load_config_options(told)
    logging.getLogger("streamlit").setLevel(logging.WARNING)


def _pages(root: Path, told: Opened) -> Any:
    """Return what answers: Streamlit, with our script and its arguments."""
    from streamlit.starlette import App

    from heddle.presentation.dashboard import app

    script = str(Path(app.__file__).resolve())
    sys.argv = [script, str(root), told.api]
    return App(script)
