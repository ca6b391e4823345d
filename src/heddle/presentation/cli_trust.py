"""Commands on whom to trust: key, sign, verify, adopt."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from heddle.presentation.cli import Folder, Json, app, err, out, show_json
from heddle.presentation.cli_models import HERE, registry_of, world_of


@app.command("key")
def key_command(
    name: Annotated[str, typer.Argument(help="What the key is called where it is trusted.")],
    to: Annotated[
        Path | None, typer.Option("--out", help="File of the private key; else ~/.config/heddle.")
    ] = None,
) -> None:
    """Make a key that signs models, and print the line that trusts it.

    The private key is for its owner alone (0600) and belongs into no project.

    Example: heddle key release-2027 >> configs/trusted_keys
    """
    from heddle.registry.signatures import new_key

    path = to or Path.home() / ".config" / "heddle" / f"{name}.key"
    made = new_key(name, path)
    err.print(f"[dim]the private key: {path}; the line below belongs where it is trusted[/]")
    print(made.line)


@app.command("sign")
def sign_command(
    folder: Annotated[Path, typer.Argument(help="A model's folder, with its manifest.json.")],
    key: Annotated[Path | None, typer.Option("--key", help="File of the private key.")] = None,
    project: Folder = HERE,
) -> None:
    """Sign a model's folder: manifest.sig beside its manifest, in place of an older one.

    Everything in the folder is verified first, as before it is served.

    Example: heddle sign models/model --key ~/.config/heddle/release-2027.key
    """
    from heddle.domain.errors import ConfigError
    from heddle.presentation.trusting import signing_key
    from heddle.registry.signatures import sign_folder
    from heddle.serving.loader import load_folder

    if key is None and (project / "params.yaml").is_file():
        key = signing_key(project.resolve(), world_of(project))
    if key is None:
        raise ConfigError("no key to sign with", todo="Name its file: --key FILE.")
    load_folder(folder)
    out.print(f"{folder} is signed by key {sign_folder(folder, key)}", soft_wrap=True)


@app.command("verify")
def verify_command(
    folder: Annotated[Path, typer.Argument(help="A model's folder, or a copy of one.")],
    trust: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Public keys of those who sign models.")
    ] = None,
    signatures: Annotated[str, typer.Option(help="'require', 'warn' or 'off'.")] = "",
    digest: Annotated[str, typer.Option(metavar="SHA256", help="Of the manifest.")] = "",
    project: Folder = HERE,
    as_json: Json = False,
) -> None:
    """Verify a model's folder as before it is served; exit 4 and the reason if it is not.

    Example: heddle verify models/model --trust configs/trusted_keys
    """
    from heddle.presentation.trusting import trust_of
    from heddle.serving.loader import load_folder

    trusted = trust_of(project.resolve(), signatures=signatures, trust=trust)
    found = load_folder(folder, expected=digest or None, trust=trusted)
    told = {
        "name": found.manifest.name,
        "format": found.format,
        "digest": found.digest,
        "signature": found.signature,
        "warnings": list(found.warnings),
    }
    if as_json:
        show_json(told)
        return
    words = f"{told['name']}, {told['format']}, {told['signature']}, digest {told['digest']}"
    out.print(words, markup=False, soft_wrap=True)
    for warning in found.warnings:
        err.print(f"warning: {warning}", markup=False, soft_wrap=True)


@app.command("adopt")
def adopt_command(
    file: Annotated[
        Path, typer.Argument(help="A booster (.txt, .ubj, .json), .onnx, .skops or .pkl.")
    ],
    rows: Annotated[
        Path, typer.Option(help="CSV or Parquet: its columns in the model's order, and the target.")
    ],
    target: Annotated[str, typer.Option(help="The column that is predicted.")],
    name: Annotated[str, typer.Option(help="Of the registered model.")],
    alias: Annotated[str, typer.Option(help="That means it from now on.")] = "staging",
    allow_unsafe_pickle: Annotated[
        bool,
        typer.Option("--allow-unsafe-pickle", help="Read a pickle, which runs its maker's code."),
    ] = False,
    project: Folder = HERE,
    as_json: Json = False,
) -> None:
    """Register a model that was made elsewhere, to be served as any other.

    Example: heddle adopt price.ubj --rows sample.csv --target price --name price
    """
    from heddle.domain.typed import plain
    from heddle.presentation.adopting import Adopted, adopt
    from heddle.presentation.trusting import signing_key

    world = world_of(project)
    told = Adopted(
        file=file,
        rows=rows,
        target=target,
        name=name,
        alias=alias,
        unsafe_pickle=allow_unsafe_pickle,
    )
    key = signing_key(project.resolve(), world)
    version = adopt(told, registry_of(project, world), key)
    if as_json:
        show_json(plain(version))
        return
    out.print(f"[green]{alias}[/] of {version.name} is version {version.number}")
