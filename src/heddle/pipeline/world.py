"""Where a project keeps its tables, runs and models, and how much of the machine it may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from heddle.domain.names import checked_name

__all__ = ["Storage", "Tracking", "World"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """How data versions are kept."""

    kind: Literal["parquet", "csv"] = "parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """Where runs and models are written down."""

    kinds: tuple[Literal["mlflow", "wandb"], ...] = ("mlflow",)  # none: empty
    uri: str = "sqlite:///mlruns/mlflow.db"  # MLflow's; a relative file lies in the project
    experiment: str = "heddle"
    wandb_folder: str = "logs/wandb"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What may change without changing a single number."""

    project: str
    model: str = ""  # the registered model's name
    cores: int = 2
    storage: Storage = Storage()
    tracking: Tracking = Tracking()

    def __post_init__(self) -> None:
        for name in filter(None, (self.project, self.model)):
            checked_name(name, what="project or model")
        if self.cores < 1:
            raise ValueError(f"cores must be at least 1, not {self.cores}")
