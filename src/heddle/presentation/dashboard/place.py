"""A project as its pages see it: where it is, its models, its data, its logs."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import yaml

from heddle.domain.errors import ConfigError, HeddleError

if TYPE_CHECKING:
    import polars as pl

    from heddle.domain.ports import ModelRegistry, PredictionLog, RequestLog
    from heddle.infrastructure.files import FileTables
    from heddle.pipeline.world import World
    from heddle.registry.manifest import Manifest
    from heddle.serving.live import Live, Serving
    from heddle.serving.loader import LoadedModel
    from heddle.serving.logged import Logged

__all__ = ["Place", "place_of"]


class Place:
    """One project, for as long as its pages are open. Every page is given it; threads share it.

    Args:
        root: the project's folder.
        api: address of a running API that is to be asked for predictions; "" asks the model here.
        look: seconds between looks at what an alias means.
    """

    def __init__(self, root: Path, api: str = "", *, look: float = 2.0) -> None:
        self.root = root
        self._every = look
        self.api = api
        self.moves = True  # whether a page may move an alias; not where others can come
        self._turn = Lock()
        self._looked = float("-inf")
        self._why_not = ""
        self._rows: tuple[str, pl.DataFrame | None] | None = None
        self._documents: dict[str, tuple[int, Any]] = {}

    @property
    def params(self) -> Mapping[str, Any]:
        """What params.yaml says now. Raises ConfigError before the first run or sync."""
        from heddle.pipeline.generated import read_params

        path = self.root / "params.yaml"
        if not path.is_file():
            return read_params(self.root)  # which says why there is none
        told: Mapping[str, Any] = self._kept(path, lambda: read_params(self.root))
        return told

    @property
    def world(self) -> World:
        """Where models and tables are kept, and how."""
        from heddle.domain.typed import build
        from heddle.pipeline.world import World

        return build(World, self.params["world"], where="params.yaml: world")

    @cached_property
    def registry(self) -> ModelRegistry:
        """The models of the project."""
        from heddle.presentation.bootstrap import make_registry

        return make_registry(self.root, self.world)

    @property
    def tables(self) -> FileTables:
        """The data versions of the project."""
        from heddle.presentation.bootstrap import make_tables

        return make_tables(self.root, self.world)

    @property
    def requests(self) -> RequestLog | None:
        """What served models were asked and answered; None when nothing ever was."""
        from heddle.presentation.bootstrap import REQUESTS, make_request_log

        return make_request_log(self.root) if (self.root / REQUESTS).is_file() else None

    @cached_property
    def served(self) -> Mapping[str, Any]:
        """What the project's configuration says of serving: it holds for pages, too."""
        from heddle.presentation.served import declared

        return declared(self.root)

    @cached_property
    def logged(self) -> Logged | None:
        """The queue in front of that log, for predictions made here; None where none is kept."""
        from heddle.domain.typed import build
        from heddle.presentation.bootstrap import make_logged
        from heddle.serving.logged import LogSettings

        told = self.served
        if not told.get("log", True):
            return None
        hidden = dict(word.split("=", 1) for word in told.get("redact", ()))
        values = {"redact": hidden, "keep_days": told.get("keep_days")}
        settings = build(LogSettings, values, where="params.yaml: world.serving")
        return make_logged(self.root, settings, lambda _: None)

    @property
    def predictions(self) -> PredictionLog:
        """Forecasts of models on a history."""
        from heddle.presentation.daily import kept_log

        return kept_log(self.root)

    @cached_property
    def live(self) -> Live:
        """The holder of the model in production, or in staging before any is."""
        from heddle.presentation.trusting import trust_of
        from heddle.serving.address import Address
        from heddle.serving.cascade import Cascade
        from heddle.serving.live import Live

        address = Address(name=self.world.model, wanted="production")
        return Live(
            Cascade(self.registry, trust=trust_of(self.root)), address, allow_schema_change=True
        )

    @property
    def serving(self) -> Serving | None:
        """The model in charge now, verified; its alias is followed."""
        with self._turn:
            if time.monotonic() - self._looked >= self._every:
                try:
                    self._look()
                    self._why_not = ""
                except HeddleError as fault:
                    self._why_not = str(fault)
                self._looked = time.monotonic()
            live = self.__dict__.get("live")
            return None if live is None else live.current

    @property
    def model(self) -> LoadedModel | None:
        """That model; None when none is registered or it cannot be verified."""
        serving = self.serving
        return None if serving is None else serving.model

    @property
    def manifest(self) -> Manifest | None:
        """What that model says of itself."""
        model = self.model
        return None if model is None else model.manifest

    def reference(self, digest: str) -> pl.DataFrame | None:
        """Return training rows of the model of a digest, None where it is another or keeps none.

        Raises:
            IntegrityError: they were changed since the model was loaded.
        """
        model = self.model
        if model is None or model.digest != digest:
            return None
        if self._rows is None or self._rows[0] != digest:
            self._rows = (digest, model.reference())
        return self._rows[1]

    @property
    def why_not(self) -> str:
        """Why there is no model, or why the one that is meant now was not taken; else ""."""
        return self._why_not

    def document(self, relative: str) -> Any | None:
        """Return the content of a JSON or YAML file of the project, None when it is not there.

        Raises:
            ConfigError: it cannot be read.
        """
        path = self.root / relative
        if not path.is_file():
            return None
        read = json.loads if path.suffix == ".json" else yaml.safe_load
        try:
            return self._kept(path, lambda: read(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, yaml.YAMLError) as fault:
            raise ConfigError(
                f"cannot be read: {fault}", where=relative, todo="Run the stage that writes it."
            ) from None

    def close(self) -> None:
        """Write down what was asked and is not in the log yet."""
        logged = self.__dict__.get("logged")
        if logged is not None:
            logged.close()

    def _look(self) -> None:
        """Let the model be the one that its alias means; another alias may be in charge by now."""
        from dataclasses import replace

        live = self.live
        versions = self.registry.versions(live.address.name)
        aliases = {alias for one in versions for alias in one.aliases}
        wanted = "production" if "production" in aliases else "staging"
        address = replace(live.address, wanted=wanted)
        version = self.registry.resolve(address.name, wanted)
        label = f"{version.name}/{version.number}"
        if live.current is None or live.current.model.label != label:
            live.move(address)

    def _kept(self, path: Path, read: Any) -> Any:
        """Return what was read of a file before, unless the file has changed."""
        stamp = path.stat().st_mtime_ns
        known = self._documents.get(str(path))
        if known is None or known[0] != stamp:
            known = self._documents[str(path)] = (stamp, read())
        return known[1]


@cache
def place_of(root: str, api: str = "") -> Place:
    """Return the project of a folder, the same one for every page and person."""
    return Place(Path(root), api)
