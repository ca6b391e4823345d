"""Steps by name: function `foo` of module `<package>.foo`, in declared packages, nowhere else."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from importlib.machinery import ModuleSpec
from importlib.metadata import entry_points
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import Any

from heddle.domain.errors import ConfigError, HeddleError
from heddle.domain.ports import Progress
from heddle.domain.typed import build
from heddle.pipeline.context import StageContext

__all__ = ["Catalog", "Step"]

_LIBRARY = ("heddle.transformations", "heddle.pipeline.steps", "heddle.presentation.steps")


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """A step function, and what its annotations say that it wants."""

    name: str
    function: Callable[..., Any]
    hints: Mapping[str, Any]  # parameter -> annotation

    @property
    def config(self) -> tuple[str, type] | None:
        """Parameter and class of its configuration, if it has one."""
        found = [(p, h) for p, h in self.hints.items() if _is_config(h)]
        return found[0] if found else None

    @property
    def context(self) -> str | None:
        """The parameter that takes the StageContext, if any."""
        return next((p for p, h in self.hints.items() if h is StageContext), None)

    @property
    def progress(self) -> str | None:
        """The parameter that takes the Progress, if any: of a table function with notices."""
        return next((p for p, h in self.hints.items() if h is Progress), None)

    @property
    def tables(self) -> Mapping[str, Any]:
        """The parameters that take tables, with the kind of table wanted."""
        skipped = {self.context, self.progress, self.config[0] if self.config else None}
        return {p: h for p, h in self.hints.items() if p not in skipped}

    def read_config(self, values: Mapping[str, Any] | None, where: str) -> Any:
        """Return the typed configuration. Raises ConfigError naming `where` and the key."""
        if self.config is None:
            if values:
                raise ConfigError(f"step {self.name!r} takes no configuration", where=where)
            return None
        if values is None:
            raise ConfigError(
                f"step {self.name!r} has no configuration",
                where=where,
                todo=f"Write configs/transformations/{self.name}.yaml with the key {self.name!r}.",
            )
        return build(self.config[1], values, where=where)


class Catalog:
    """The steps that a project can name: its own, Heddle's, and those of installed collections."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    @cached_property
    def packages(self) -> tuple[str, ...]:
        """Packages that are looked into, the project's own first."""
        others = entry_points(group="heddle.transformations")
        return ("steps", *_LIBRARY, *(e.value for e in others))

    @property
    def names(self) -> list[str]:
        """Names of all steps, sorted."""
        return sorted({name for files in self._modules.values() for name in files})

    def home(self, name: str) -> Path:
        """Return the file of a step without importing it.

        Raises:
            ConfigError: no such step (the nearest name is told), or two of that name.
        """
        homes = {p: files[name] for p, files in self._modules.items() if name in files}
        if len(homes) == 1:
            return next(iter(homes.values()))
        if not homes:
            raise ConfigError(f"no step {name!r}", wanted=name, known=self.names)
        raise ConfigError(
            f"step {name!r} stands in {' and in '.join(homes)}", todo="Rename or remove one."
        )

    def package(self, name: str) -> str:
        """Return the package in which a step stands."""
        self.home(name)
        return next(p for p, files in self._modules.items() if name in files)

    def step(self, name: str) -> Step:
        """Import a step. Raises ConfigError as `home` does, or if the module lacks the function."""
        path, package = self.home(name), self.package(name)
        if package == "steps":
            self._own_the_name_steps()
        try:
            with _no_bytecode():
                module = importlib.import_module(f"{package}.{name}")
        except HeddleError:
            raise
        except Exception as fault:
            if package in _LIBRARY:
                raise
            place = f"{package}/{path.name}"
            raise ConfigError(f"{type(fault).__name__}: {fault}", where=place) from fault
        function = getattr(module, name, None)
        if not callable(function):
            raise ConfigError(f"defines no function {name!r}", where=path.name)
        return Step(name, function, _hints(function, path))

    @cached_property
    def _modules(self) -> Mapping[str, Mapping[str, Path]]:
        return {package: _files(self._folder(package)) for package in self.packages}

    def _folder(self, package: str) -> Path | None:
        if package == "steps":
            return self.root / "steps"
        spec = find_spec(package)
        places = list(spec.submodule_search_locations or []) if spec else []
        return Path(places[0]) if places else None

    def _own_the_name_steps(self) -> None:
        """Let `steps` mean this project's folder, also after another project was worked on."""
        folder = str(self.root / "steps")
        loaded = sys.modules.get("steps")
        if loaded is not None and list(loaded.__path__) == [folder]:
            return
        for name in [n for n in sys.modules if n == "steps" or n.startswith("steps.")]:
            del sys.modules[name]
        spec = ModuleSpec("steps", None, is_package=True)
        spec.submodule_search_locations = [folder]
        sys.modules["steps"] = module_from_spec(spec)
        importlib.invalidate_caches()
        if str(self.root) not in sys.path:  # for other modules of the project
            sys.path.insert(0, str(self.root))


@contextmanager
def _no_bytecode() -> Iterator[None]:
    """Import from source: Python takes cached bytecode for fresh if the second and size agree."""
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def _hints(function: Callable[..., Any], path: Path) -> dict[str, Any]:
    try:
        hints = typing.get_type_hints(function)
    except (NameError, TypeError) as fault:
        raise ConfigError(f"an annotation cannot be read: {fault}", where=path.name) from None
    for name, parameter in inspect.signature(function).parameters.items():
        if name not in hints and parameter.default is parameter.empty:
            raise ConfigError(
                f"parameter {name!r} of {path.stem!r} has no annotation",
                where=path.name,
                todo="Annotate it: a kind of table, a configuration class or StageContext.",
            )
    hints.pop("return", None)
    return hints


def _files(folder: Path | None) -> Mapping[str, Path]:
    if folder is None or not folder.is_dir():
        return {}
    found = sorted(folder.glob("*.py"))
    return {p.stem: p for p in found if not p.stem.startswith("_")}


def _is_config(hint: Any) -> bool:
    return dataclasses.is_dataclass(hint) and hint is not StageContext
