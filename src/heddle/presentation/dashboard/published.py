"""What the stages of a project published, read as the report reads it, once for each change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from heddle.domain.names import inside
from heddle.domain.ports import TableStore
from heddle.presentation.report.inputs import Inputs, read_inputs
from heddle.presentation.report.wording import Wording

if TYPE_CHECKING:
    from heddle.presentation.dashboard.place import Place

__all__ = ["Files", "Stamp", "inputs_of", "settings_of", "stamp", "uses", "wording_of"]

Stamp = tuple[tuple[str, int, int], ...]
_READ = ("dvc.yaml", "models/*.*", "reports/timings/*.json", "data/*/*_metadata.json")
_POINTS = 2000  # most rows that are drawn one by one


@dataclass(frozen=True, slots=True)
class Files:
    """A project's files, seen from outside of its stages: `read_inputs` takes it."""

    root: Path
    tables: TableStore
    reads: Mapping[str, str] = field(default_factory=dict)

    def path(self, relative: str) -> Path:
        """Return a path below the project's folder."""
        return inside(self.root, relative, what="the page")


def stamp(root: Path) -> Stamp:
    """Return what is different as soon as a stage has published something else."""
    found = sorted(path for pattern in _READ for path in root.glob(pattern) if path.is_file())
    told = ((path, path.stat()) for path in found)
    return tuple((str(path), state.st_mtime_ns, state.st_size) for path, state in told)


def inputs_of(place: Place) -> Inputs:
    """Return what the report would show, kept until a file changes. Raises IntegrityError."""
    return _read(place.root, place.tables.kind, stamp(place.root))


@lru_cache(maxsize=4)
def _read(root: Path, kind: Literal["parquet", "csv"], _at: Stamp) -> Inputs:
    from heddle.infrastructure.files import FileTables

    return read_inputs(Files(root, FileTables(root / "data", kind)))


def uses(place: Place, *steps: str) -> bool:
    """Return whether a stage of the project uses one of some steps."""
    if not (place.root / "params.yaml").is_file():
        return False
    return any(settings_of(place.params, step) is not None for step in steps)


def settings_of(params: Mapping[str, Any], step: str) -> dict[str, Any] | None:
    """Return the configuration of the last stage that uses a step, None if none does.

    >>> settings_of({"stages": {"a": {"steps": [{"uses": "report", "with": {"x": 1}}]}}}, "report")
    {'x': 1}
    """
    found: dict[str, Any] | None = None
    for entry in (params.get("stages") or {}).values():
        for each in entry.get("steps") or ():
            if each.get("uses") == step:
                found = dict(each.get("with") or {})
    return found


def wording_of(params: Mapping[str, Any], told: Inputs) -> Wording:
    """Return what the project's numbers are called: as its report has them, else as its models.

    Args:
        params: params.yaml.
        told: what the stages published.
    """
    report = settings_of(params, "report") or {}
    trained = settings_of(params, "register") or settings_of(params, "compete") or {}
    board = told.leaderboard or {}
    return Wording(
        metric=str(report.get("metric") or trained.get("metric") or board.get("metric") or "rmse"),
        target=str(report.get("target") or trained.get("target") or "the target"),
        unit=str(report.get("unit") or ""),
        points=int(report.get("points") or _POINTS),
        scale="return" if told.of_returns else "level",
    )
