"""The command that shows a project as pages in a browser: ui."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from heddle.presentation.cli import Folder, app, err

HERE = Path()
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port; 0 takes a free one.")]
Api = Annotated[
    str, typer.Option("--api", metavar="URL", help="A running `heddle serve` that is to predict.")
]
Browser = Annotated[bool, typer.Option("--browser/--no-browser", help="Open one.")]


@app.command("ui")
def ui_command(
    host: Host = "127.0.0.1",
    port: Port = 8501,
    api: Api = "",
    browser: Browser = True,
    project: Folder = HERE,
) -> None:
    """Show a project as pages in a browser: predict, compare models, follow data and drift.

    Predictions are made here, by the code of `heddle serve`, from the version
    in production, or in staging before any is; --api asks a running server
    instead, with the key in HEDDLE_API_KEY if it wants one.

    Ctrl-C ends it.

    Example: heddle ui -C projects/housing
    """
    from heddle.domain.typed import build
    from heddle.presentation.dashboard.opened import Opened, opened

    def say(text: str) -> None:
        err.print(text, markup=False, soft_wrap=True)

    told = {"host": host, "port": port, "api": api.rstrip("/"), "browser": browser}
    opened(project.resolve(), build(Opened, told, where="ui"), say=say)
