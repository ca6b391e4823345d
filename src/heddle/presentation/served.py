"""A model over HTTP: the registry, the log and the doors joined, until a signal ends it."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heddle.domain.errors import ConfigError, HeddleError
from heddle.domain.typed import build

if TYPE_CHECKING:
    import socket

    from heddle.domain.ports import ModelRegistry
    from heddle.serving.address import Address
    from heddle.serving.api.settings import Settings
    from heddle.serving.cascade import Cascade
    from heddle.serving.live import Live
    from heddle.serving.logged import Logged

__all__ = ["Served", "declared", "needs_serve", "new_key", "served"]

_GIVES_WAY = 0.0005  # seconds
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What is to be served, and how; as the command's options."""

    model: str = ""
    host: str = "127.0.0.1"
    port: int = 8080
    keys: Path | None = None
    admin: str = ""  # path of a Unix socket, or a port of the loopback
    admin_keys: Path | None = None
    strict: bool = False
    remote: str = ""
    folder: Path | None = None
    digest: str = ""
    watch: float = 1.0
    outside: str = "flag"
    categories: str = "refuse"
    most_rows: int = 10_000
    timeout: float = 10.0
    rate: float = 200.0
    burst: int = 400
    origin: tuple[str, ...] = ()
    redact: tuple[str, ...] = ()
    keep_days: float | None = None
    log: bool = True
    docs: bool = True
    degraded: bool = False
    shadow: str = ""  # a second model, asked once an answer is given
    mirror: str = ""  # where figures of the answers go, too: wandb
    signatures: str = ""  # require | warn | off; "": required as soon as keys are named
    trust: Path | None = None
    allow_unsafe_pickle: bool = False
    allow_schema_change: bool = False


def needs_serve() -> None:
    """Raise ConfigError unless the extra `serve` is installed."""
    missing = [name for name in ("fastapi", "uvicorn") if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"serving needs {' and '.join(missing)}", todo="pip install 'heddle-ml[serve]'"
        )


def declared(root: Path) -> dict[str, Any]:
    """Return what a project's configuration says of serving, as fields of `Served`.

    Raises:
        ConfigError: params.yaml cannot be read, or what it says is wrong.
    """
    from heddle.domain.typed import plain
    from heddle.pipeline.generated import read_params
    from heddle.pipeline.world import Serving

    place = root / "params.yaml"
    if not place.is_file():
        return {}
    told = read_params(root)["world"].get("serving", {})
    said: dict[str, Any] = plain(build(Serving, told, where=f"{place}: world.serving"))
    keys, origins, redact = (said.pop(name) for name in ("keys", "origins", "redact"))
    pairs = tuple(f"{column}={how}" for column, how in redact.items())
    more = {"origin": tuple(origins), "redact": pairs}
    return said | {"keys": root / keys if keys else None, **more}


def new_key(name: str) -> tuple[str, str]:
    """Return a key and the line that lets it in."""
    from heddle.domain.names import checked_name
    from heddle.serving.api.keys import new_key as made

    return made(checked_name(name, what="key"))


def served(root: Path, told: Served, *, say: Say) -> None:
    """Serve until a signal ends it.

    Raises:
        ConfigError: usage: an option, an address that is open to all without keys.
        IntegrityError: the model cannot be verified.
        BusyError: somebody listens there already.
    """
    needs_serve()
    _one_thread()
    from heddle.presentation.shadowed import asked_aside, mirrored, sinks_of, strangers_told
    from heddle.serving.api.app import make_app
    from heddle.serving.api.listening import check_host, listen
    from heddle.serving.api.server import Server

    check_host(told.host, keys=told.keys is not None)
    settings = _settings(told)
    with ExitStack() as open_until_end:
        door = open_until_end.enter_context(listen(told.host, told.port))
        live = _live(root, told, say)
        logged = open_until_end.enter_context(_logged(root, told, say))
        mirror = open_until_end.enter_context(mirrored(root, told.mirror, say))
        sinks, shadow = sinks_of(_second(root, told, say), logged, mirror)
        application = make_app(live, settings, sinks, shadow=shadow, notice=say)
        open_until_end.enter_context(_administered(live, told, say))
        _first(live, told, say)
        strangers_told(live, told.redact, say)
        open_until_end.enter_context(asked_aside(shadow, told.watch, say))
        if told.watch > 0 and live.address.folder is None:
            live.watch(told.watch)
            open_until_end.callback(live.stop)
        host, port = door.getsockname()[:2]
        say(f"listening on http://{f'[{host}]' if ':' in host else host}:{port}")
        _settled()
        Server(application, live).run(sockets=[door])
    say("ended; what was admitted has been answered")


def _one_thread() -> None:
    """Keep numeric libraries from starting threads for single rows; before they are loaded."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def _settled() -> None:
    """Let nothing beside the event loop hold it up for long.

    A thread that writes the log gives way after half a millisecond, not five; garbage is looked for
    again, where `main` has put that off, but never in what is loaded by now.
    """
    sys.setswitchinterval(_GIVES_WAY)
    if not gc.isenabled():
        gc.freeze()  # else a look at all of it would stop requests for a tenth of a second
        gc.enable()


def _settings(told: Served) -> Settings:
    from heddle.serving.api.settings import Settings

    values: dict[str, Any] = {
        "outside": told.outside,
        "categories": told.categories,
        "most_rows": told.most_rows,
        "timeout_s": told.timeout,
        "origins": told.origin,
        "keys": told.keys,
        "rate": told.rate,
        "burst": told.burst,
        "docs": told.docs,
    }
    return build(Settings, values, where="serve")


def _live(root: Path, told: Served, say: Say) -> Live:
    from heddle.serving.live import Live

    registry, address = _place(root, told.model)
    own: dict[str, Any] = {"remote": told.remote, "folder": told.folder, "strict": told.strict}
    cascade = _cascade(root, told, registry, **own, pin=told.digest or None)
    return Live(cascade, address, notice=say, allow_schema_change=told.allow_schema_change)


def _second(root: Path, told: Served, say: Say) -> Live | None:
    """Return the second model, verified as the first; a copy or a hash is of the first alone."""
    from heddle.serving.live import Live

    if not told.shadow:
        return None
    registry, address = _place(root, told.shadow)
    cascade = _cascade(root, told, registry, strict=True)

    def told_apart(text: str) -> None:
        say(f"shadow: {text}")

    # a row that does not fit its columns is counted, and harms nobody
    return Live(cascade, address, notice=told_apart, allow_schema_change=True)


def _cascade(root: Path, told: Served, registry: ModelRegistry | None, **own: Any) -> Cascade:
    """Return the places that a model is taken from, under the rules that hold for both."""
    from heddle.presentation.trusting import trust_of
    from heddle.serving.cascade import Cascade

    trust = trust_of(
        root,
        signatures=told.signatures,
        trust=told.trust,
        unsafe_pickle=told.allow_unsafe_pickle,
    )
    return Cascade(registry, **own, trust=trust)


def _place(root: Path, told: str) -> tuple[ModelRegistry | None, Address]:
    """Return the project's registry and what is to be served of it; a folder needs neither."""
    from heddle.presentation.cli_models import registry_of, world_of
    from heddle.serving.address import Address, read_address

    if told.startswith(("/", "./", "../", "~")):
        return None, read_address(told)
    world = world_of(root)
    registry = registry_of(root, world)
    if told:
        return registry, read_address(told, model=world.model)
    try:
        aliases = {alias for one in registry.versions(world.model) for alias in one.aliases}
    except HeddleError:  # it may come later, or from a copy
        aliases = {"production"}
    return registry, Address(
        name=world.model, wanted="production" if "production" in aliases else "staging"
    )


def _first(live: Live, told: Served, say: Say) -> None:
    """Load the first model; without one it ends here, unless it may wait."""
    try:
        live.load()
    except HeddleError as fault:
        if not told.degraded:
            raise
        say(f"no model yet: {fault}")


@contextmanager
def _logged(root: Path, told: Served, say: Say) -> Iterator[Logged | None]:
    from heddle.presentation.bootstrap import make_logged
    from heddle.serving.logged import LogSettings

    if not told.log or not (root / "params.yaml").is_file():
        yield None
        return
    pairs = [word.partition("=") for word in told.redact]
    values = {"redact": {name: how for name, _, how in pairs}, "keep_days": told.keep_days}
    made = make_logged(root, build(LogSettings, values, where="--redact, --keep-days"), say)
    try:
        yield made
    finally:
        if not made.close():
            say("not every answer could be written to the log of requests")


@contextmanager
def _administered(live: Live, told: Served, say: Say) -> Iterator[None]:
    """Open the other door while the block runs."""
    from heddle.serving.api.admin import make_admin
    from heddle.serving.api.listening import listen, listen_unix
    from heddle.serving.api.server import served_aside

    if not told.admin:
        yield
        return
    door: socket.socket
    path: Path | None = None
    if told.admin.isdecimal():
        if told.admin_keys is None:
            raise ConfigError(
                "an admin port needs keys of its own",
                where="--admin",
                todo="Give --admin-keys FILE, or a path: a socket that only you can open.",
            )
        door = listen("127.0.0.1", int(told.admin))
    else:
        path = Path(told.admin)
        door = listen_unix(path)
    try:
        with door, served_aside(make_admin(live, keys=told.admin_keys, notice=say), door):
            say(f"models are exchanged at {path or f'127.0.0.1:{door.getsockname()[1]}'}")
            yield
    finally:
        if path is not None:
            path.unlink(missing_ok=True)
