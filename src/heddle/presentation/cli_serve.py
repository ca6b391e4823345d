"""The command that answers over HTTP: serve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from heddle.presentation.cli import Folder, app, err

HERE = Path()


def _option(words: str, metavar: str | None = None) -> typer.models.OptionInfo:
    made: typer.models.OptionInfo = typer.Option(help=words, metavar=metavar)
    return made


Model = Annotated[
    str, typer.Argument(metavar="[MODEL]", help="NAME@ALIAS, NAME/VERSION, ALIAS or ./FOLDER.")
]
Host = Annotated[str | None, _option("Address to listen on.")]
Port = Annotated[int | None, _option("Port; 0 takes a free one.")]
Keys = Annotated[Path | None, _option("Hashed keys of those who may ask.", "FILE")]
Strict = Annotated[bool, typer.Option("--strict", help="From the registry or not at all.")]
Remote = Annotated[str, _option("A copy to use when the registry has none.", "URL")]
Copy = Annotated[Path | None, _option("A copy here to use after that.", "DIR")]
Digest = Annotated[str, _option("Of the manifest; nothing else is loaded.", "SHA256")]
Admin = Annotated[str, _option("Where models are exchanged by hand.", "SOCKET|PORT")]
AdminKeys = Annotated[Path | None, _option("Keys of an admin PORT.", "FILE")]
Watch = Annotated[float | None, _option("Between looks at the alias; 0: never.", "SECONDS")]
Outside = Annotated[str | None, _option("Rows unlike those of training: 'flag' or 'refuse'.")]
Categories = Annotated[str | None, _option("Text that is not declared: 'refuse' or 'flag'.")]
MostRows = Annotated[int | None, _option("Of a request.")]
Timeout = Annotated[float | None, _option("Of an answer.", "SECONDS")]
Origins = Annotated[list[str] | None, _option("Whose pages may ask; repeatable.", "URL")]
Redact = Annotated[
    list[str] | None, _option("Not to be kept as asked; repeatable.", "COLUMN=drop|hash")
]
KeepDays = Annotated[float | None, _option("Of the log of requests.", "DAYS")]
Log = Annotated[
    bool | None, typer.Option("--log/--no-log", help="Keep what is asked and answered.")
]
Docs = Annotated[
    bool | None, typer.Option("--docs/--no-docs", help="Serve /docs and /openapi.json.")
]
Degraded = Annotated[
    bool, typer.Option("--degraded", help="Start without a model, and wait for one.")
]
Shadow = Annotated[str, _option("A model to ask, too; its answers go into the log.", "MODEL")]
Mirror = Annotated[str, _option("Figures of the answers go there, too: 'wandb'.")]
Signatures = Annotated[
    str, _option("Of models: 'require', 'warn' or 'off'; required once keys are trusted.")
]
Trusted = Annotated[Path | None, _option("Public keys of those who sign models.", "FILE")]
Pickle = Annotated[
    bool,
    typer.Option("--allow-unsafe-pickle", help="Read pickles, which run what their maker wants."),
]
NewSchema = Annotated[
    bool, typer.Option("--allow-schema-change", help="Follow to a model of other columns.")
]
NewKey = Annotated[str, _option("Print a new key and its line, then end.", "NAME")]


@app.command("serve")
def serve_command(
    model: Model = "",
    host: Host = None,
    port: Port = None,
    keys: Keys = None,
    strict: Strict = False,
    remote: Remote = "",
    folder: Copy = None,
    digest: Digest = "",
    admin: Admin = "",
    admin_keys: AdminKeys = None,
    watch: Watch = None,
    outside: Outside = None,
    categories: Categories = None,
    most_rows: MostRows = None,
    timeout: Timeout = None,
    origin: Origins = None,
    redact: Redact = None,
    keep_days: KeepDays = None,
    log: Log = None,
    docs: Docs = None,
    degraded: Degraded = False,
    shadow: Shadow = "",
    mirror: Mirror = "",
    signatures: Signatures = "",
    trust: Trusted = None,
    allow_unsafe_pickle: Pickle = False,
    allow_schema_change: NewSchema = False,
    new_key: NewKey = "",
    project: Folder = HERE,
) -> None:
    """Answer requests for predictions; the version an alias means is followed.

    Without MODEL the version in production is served, or the one in staging
    before any is. A version that cannot be verified is not served: the old one
    stays, or the command ends with 4.

    --shadow: a second model is asked the same once the answer is given, and
    what it says is kept beside it; `heddle compare` sets the two side by side.

    What no option says is as configs/serving/ of the project has it.

    SIGTERM: readiness goes first, then what was admitted is answered.

    Example: heddle serve housing_price@production --port 8080
    """
    told = dict(locals())  # the options by their names, which are those of `Served`
    if new_key:
        _show_key(new_key)
    else:
        _serve(project, told)


def _serve(project: Path, told: dict[str, Any]) -> None:
    from dataclasses import fields

    from heddle.domain.typed import build
    from heddle.presentation.served import Served, declared, served

    def say(text: str) -> None:
        err.print(text, markup=False, soft_wrap=True)

    root = project.resolve()
    told |= {name: tuple(told[name]) if told[name] else None for name in ("origin", "redact")}
    options = {field.name: told.get(field.name) for field in fields(Served)}
    said = {name: value for name, value in options.items() if value is not None}
    served(root, build(Served, declared(root) | said, where="serve"), say=say)


def _show_key(name: str) -> None:
    from heddle.presentation.served import needs_serve
    from heddle.presentation.served import new_key as made

    needs_serve()
    key, line = made(name)
    err.print("[dim]the key, shown this once; the line below belongs into the file of keys[/]")
    print(key)
    print(line)
