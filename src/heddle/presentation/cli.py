"""The commands: each parses, calls, shows."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from heddle.domain.errors import ConfigError, HeddleError

__all__ = ["app", "run"]

app = typer.Typer(
    name="heddle",
    help="Machine learning on tables, from the raw file to predictions in use, reproducibly.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
out = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
err = Console(stderr=True, highlight=False)

_INTERRUPTED = 130  # what the parser makes of Ctrl-C

Folder = Annotated[Path, typer.Option("-C", "--project", help="The project's folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[STAGE…] [OVERRIDES…]", help="Stages, then overrides key=value."),
]
Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[OVERRIDES…]", help="Overrides key=value.")
]


def run(arguments: list[str]) -> int:
    """Run a command line; return its exit code."""
    from heddle.presentation.stage_commands import meant, stages_told

    app.info.epilog = stages_told(arguments)
    try:
        ended = app(meant(arguments, _commands()), prog_name="heddle", standalone_mode=False)
    except HeddleError as fault:
        print(f"error: {fault}", file=sys.stderr)
        return fault.exit_code
    except ModuleNotFoundError as fault:
        from heddle.presentation.not_installed import lacking

        if (told := lacking(fault)) is None:
            raise
        print(f"error: {told}", file=sys.stderr)
        return told.exit_code
    except (KeyboardInterrupt, typer.Abort):
        ended = _INTERRUPTED
    except Exception as fault:
        if (code := _usage(fault)) is None:
            raise
        return code
    if ended == _INTERRUPTED:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 7
    return ended if isinstance(ended, int) else 0


def _commands() -> list[str]:
    """Return the names of the commands, in the order of `--help`."""
    return [str(command.name) for command in app.registered_commands]


def _usage(fault: Exception) -> int | None:
    """Word what the parser refused; None when it was not the parser."""
    message = getattr(fault, "format_message", None)
    if message is None:
        return None
    if message().strip():  # nothing was said when help was shown instead
        print(f"error: {message()} See `heddle --help`.", file=sys.stderr)
    return 2


def words_apart(root: Path, words: list[str] | None) -> tuple[list[str], list[str]]:
    """Return stages and overrides; files named in overrides are meant from where the user is."""
    names = [w for w in words or () if "=" not in w and not w.startswith(("~", "+"))]
    return names, [_anchored(root, w) for w in words or () if w not in names]


def only_overrides(root: Path, words: list[str] | None, command: str) -> list[str]:
    """Return the overrides of a command that takes nothing else."""
    names, overrides = words_apart(root, words)
    if names:
        raise ConfigError(
            f"`heddle {command}` takes overrides key=value, not {names[0]!r}",
            todo=f"Leave it out; `heddle {command} --help` shows what there is.",
        )
    return overrides


def _anchored(root: Path, override: str) -> str:
    """Turn a path relative to the current folder into one relative to the project."""
    key, _, value = override.partition("=")
    here = Path(value)
    if not key.endswith(".path") or not value or here.is_absolute():
        return override
    if Path.cwd().resolve() == root.resolve() or not here.exists():
        return override
    import os

    return f"{key}={os.path.relpath(here.resolve(), root.resolve())}"


def show_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    if version:
        import heddle

        print(heddle.__version__)
        raise typer.Exit


# each module adds its commands to `app`
from heddle.presentation import (  # noqa: E402
    cli_compare,  # noqa: F401
    cli_flow,  # noqa: F401
    cli_models,  # noqa: F401
    cli_monitor,  # noqa: F401
    cli_new,  # noqa: F401
    cli_pipeline,  # noqa: F401
    cli_predict,  # noqa: F401
    cli_remotes,  # noqa: F401
    cli_serve,  # noqa: F401
    cli_trace,  # noqa: F401
    cli_trust,  # noqa: F401
    cli_ui,  # noqa: F401
)
