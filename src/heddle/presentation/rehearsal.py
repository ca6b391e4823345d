"""A data version made anew in memory, by the stages that make it, with nothing published.

Training published a version; what a prediction needs is the same made of what the source says
today. Running the stages for real would put today's rows in the place of those that the model was
trained on, and everything after them would be stale. So the same stages run, by the same function,
with the same configuration and contracts, on tables that are kept in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from heddle.domain.errors import ConfigError
from heddle.domain.ports import ModelRegistry, Progress
from heddle.infrastructure.facts import run_facts
from heddle.infrastructure.memory import MemoryTables
from heddle.infrastructure.several_trackers import SeveralTrackers
from heddle.infrastructure.sources.choose import make_source
from heddle.pipeline.context import StageContext
from heddle.pipeline.run_step import run_stage

__all__ = ["makers", "rehearsed"]

Entries = Mapping[str, Mapping[str, Any]]


def rehearsed(
    root: Path, params: Mapping[str, Any], version: str, *, registry: ModelRegistry, told: Progress
) -> pl.DataFrame:
    """Return a data version as its stages would make it now.

    Args:
        root: the project's folder, of which nothing is changed but what a source keeps for itself.
        params: `stages` and `world`, as params.yaml has them.
        version: of the data.
        registry: of models; stages that ask for one get it.
        told: hears of what a run of the stages would say.

    Raises:
        HeddleError: as the run of a stage.
    """
    tables, entries = MemoryTables(), params["stages"]
    with TemporaryDirectory(prefix="heddle-") as folder:
        for name in makers(entries, version):
            entry = entries[name]
            context = StageContext(
                stage=name,
                root=root,
                reads={read: read for read in entry["reads"]},
                writes=tuple(entry["writes"]),
                contracts=entry["contracts"],
                tables=tables,
                tracker=SeveralTrackers(),
                registry=registry,
                progress=told,
                source=partial(make_source, root=root),
                cores=int(params["world"].get("cores", 1)),
                scratch=Path(folder) / name,
                facts=partial(run_facts, root, params, tables),
            )
            run_stage(entry, context)
    return tables.read(version)


def makers(entries: Entries, version: str) -> list[str]:
    """Return the stages that it takes to make a data version, in an order that works.

    Raises:
        ConfigError: no stage writes it; or one of them makes or reads a file of the project.
    """
    writers = {output: name for name, entry in entries.items() for output in entry["writes"]}
    found: list[str] = []

    def visit(output: str) -> None:
        if output not in writers:
            raise ConfigError(f"no stage makes {output!r}", wanted=output, known=writers)
        name = writers[output]
        files = [
            told for told in (*entries[name]["reads"], *entries[name]["writes"]) if "/" in told
        ]
        if files:
            raise ConfigError(
                f"stage {name!r} works with {files[0]}, which cannot be made in memory",
                where=version,
                todo="Let the history be made of data versions alone.",
            )
        for read in entries[name]["reads"]:
            visit(read)
        if name not in found:
            found.append(name)

    visit(version)
    return found
