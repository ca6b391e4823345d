"""Where a project keeps its tables, runs and models, and how much of the machine it may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from heddle.domain.names import checked_name

__all__ = ["Engine", "Remote", "Storage", "Tracking", "World"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """How data versions are kept."""

    kind: Literal["parquet", "csv"] = "parquet"
    written_as: Literal["heddle", "pandas"] = "heddle"  # csv: pandas' own bytes, to compare with


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What works on the tables of steps that are written once for all engines."""

    kind: Literal["polars", "duckdb"] = "polars"
    memory_gb: float | None = None  # duckdb: what it holds before it works on disk

    def __post_init__(self) -> None:
        if self.memory_gb is not None and not self.memory_gb > 0:
            raise ValueError(f"memory_gb must be above 0, not {self.memory_gb:g}")
        if self.memory_gb is not None and self.kind == "polars":
            raise ValueError("memory_gb is for engine=duckdb; polars works in memory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """Where runs and models are written down."""

    kinds: tuple[Literal["mlflow", "wandb"], ...] = ("mlflow",)  # none: empty
    uri: str = "sqlite:///mlruns/mlflow.db"  # MLflow's; a relative file lies in the project
    experiment: str = "heddle"
    wandb_folder: str = "logs/wandb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """Where data and runs are pushed to and pulled from."""

    url: str = ""  # a folder, or s3://BUCKET/PREFIX; nowhere: empty
    anonymous: bool = False  # ask without keys: enough to pull from a public bucket
    endpoint: str = ""  # of a store that speaks S3 and is not Amazon's

    def __post_init__(self) -> None:
        for key in ("url", "endpoint"):
            head, found, rest = str(getattr(self, key)).partition("://")
            if found and "@" in rest.partition("/")[0]:
                raise ValueError(
                    f"{key} holds a user or password, which would stand in params.yaml; "
                    "leave them to AWS's own environment, profile or instance"
                )
            if key == "endpoint" and (head or found) and head not in {"http", "https"}:
                raise ValueError("endpoint must be http://… or https://…")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What may change without changing a single number."""

    project: str
    model: str = ""  # the registered model's name
    cores: int = 2
    storage: Storage = Storage()
    engine: Engine = Engine()
    tracking: Tracking = Tracking()
    remote: Remote = Remote()
    signing_key: str = ""  # file of the key that signs what is registered; $HEDDLE_SIGNING_KEY
    trusted_keys: str = ""  # file of the keys whose models are served; $HEDDLE_TRUST

    def __post_init__(self) -> None:
        for name in filter(None, (self.project, self.model)):
            checked_name(name, what="project or model")
        if self.cores < 1:
            raise ValueError(f"cores must be at least 1, not {self.cores}")
