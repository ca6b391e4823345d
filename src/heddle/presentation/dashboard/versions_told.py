"""What is told of data versions: rows, hashes, contracts, and which stages would run again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from heddle.presentation.dashboard.published import Stamp, stamp

if TYPE_CHECKING:
    import polars as pl

    from heddle.domain.entities import TableInfo
    from heddle.domain.ports import TableStore
    from heddle.presentation.report.pipeline_graph import StageNode

__all__ = [
    "COMPOSING",
    "contract_words",
    "first_rows",
    "keeps_contract",
    "states_of",
    "version_rows",
]

COMPOSING = Lock()  # Hydra composes one configuration at a time
_DECLARED = ("configs/**/*.yaml", "steps/**/*.py", "dvc.lock", "params.yaml")


def states_of(root: Path) -> Mapping[str, tuple[str, ...]]:
    """Return why each stage would run again, as `heddle status` says; none if it is up to date.

    Raises:
        ConfigError: the configuration makes no sense.
    """
    declared = sorted(p for pattern in _DECLARED for p in root.glob(pattern))
    told = tuple((str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in declared)
    return _states(root, told + stamp(root))


@lru_cache(maxsize=4)
def _states(root: Path, _at: Stamp) -> Mapping[str, tuple[str, ...]]:
    from heddle.presentation.project import Project

    with COMPOSING:
        work = Project(root, Project(root).last_overrides)
        return {state.name: state.reasons for state in work.states()}


def version_rows(
    infos: Sequence[TableInfo],
    graph: Sequence[StageNode],
    stale: Mapping[str, Sequence[str]],
    contracts: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Return a row for each data version.

    Args:
        infos: what is known of them, in the order in which they are shown.
        graph: the stages.
        stale: why each stage would run again.
        contracts: the versions that have one.
    """
    maker = {name: node.name for node in graph for name in node.writes}
    return [
        {
            "Version": info.version,
            "Made by": maker.get(info.version) or str(info.made_by.get("stage") or ""),
            "Rows": info.rows,
            "Columns": len(info.columns),
            "Missing cells": sum(int(facts.get("nulls") or 0) for facts in info.columns.values()),
            "MB": info.size_bytes / 1e6,
            "Contract": contract_words(
                info.version in contracts, stale.get(maker.get(info.version, ""))
            ),
            "Stage": _state(stale.get(maker.get(info.version, ""))),
            "Content hash": info.content_hash[:12],
        }
        for info in infos
    ]


def contract_words(declared: bool, reasons: Sequence[str] | None) -> str:
    """Return what is known of a version's contract, which was checked before it was published.

    >>> contract_words(True, ()), contract_words(True, ["contract rows 1 -> 2"])
    ('kept', 'changed since')
    """
    if not declared:
        return "none"
    if reasons is None:
        return "not known"
    return "changed since" if any(r.startswith("contract ") for r in reasons) else "kept"


def _state(reasons: Sequence[str] | None) -> str:
    if reasons is None:
        return "not a stage's"
    return "would run" if reasons else "up to date"


def keeps_contract(tables: TableStore, version: str, declared: Mapping[str, Any]) -> list[str]:
    """Return every way in which a version breaks its contract now; [] if it keeps it.

    Args:
        tables: that hold it.
        version: its name.
        declared: its contract.

    Raises:
        IntegrityError: the table is not what was published.
    """
    from heddle.validation.contract import read_contract
    from heddle.validation.findings import findings

    contract = read_contract(declared, version)
    others = {name: tables.read(name) for name in (contract.rows.versions if contract.rows else ())}
    found = findings(tables.read(version), contract, others=others)
    return [one.words for one in found if one.severity == "refuse"]


def first_rows(file: Path, most: int) -> pl.DataFrame:
    """Return the first rows of a table's file; no more of it is read than they take.

    Raises:
        IntegrityError: it cannot be read.
    """
    import polars as pl

    from heddle.domain.errors import IntegrityError

    scan = pl.scan_parquet if file.suffix == ".parquet" else pl.scan_csv
    try:
        return scan(file).head(most).collect()
    except (pl.exceptions.PolarsError, OSError) as fault:
        words = str(fault).splitlines()[0]
        todo = "Make it again: `heddle run STAGE --force`."
        raise IntegrityError(f"cannot be read: {words}", where=str(file), todo=todo) from None
