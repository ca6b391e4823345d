"""Where a project keeps its tables, runs and models, and how much of the machine it may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from heddle.domain.names import checked_name

__all__ = ["Engine", "Remote", "Serving", "Storage", "Tracking", "World"]


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
class Serving:
    """How predictions are served over HTTP; the options of `heddle serve` go before it."""

    host: str = "127.0.0.1"  # another one needs keys
    port: int = 8080
    keys: str = ""  # file of hashed keys, a relative one in the project; "": anybody may ask
    rate: float = 200.0  # requests per second of a key whose line names no other rate
    burst: int = 400  # of such a key, at once
    outside: Literal["flag", "refuse"] = "flag"  # numbers beyond those of the training rows
    categories: Literal["flag", "refuse"] = "refuse"  # text that no contract names
    most_rows: int = 10_000  # of a request
    timeout: float = 10.0  # seconds of an answer
    origins: tuple[str, ...] = ()  # whose pages may ask from a browser: https://HOST
    watch: float = 1.0  # seconds between looks at the alias; 0: never
    log: bool = True  # keep what is asked and answered
    redact: Mapping[str, Literal["drop", "hash"]] = field(default_factory=dict)  # by column
    keep_days: float | None = None  # of that log; null: all of them
    docs: bool = True  # /docs and /openapi.json

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise ValueError(f"port must be 0 to 65535, not {self.port}")
        for name in ("rate", "burst", "most_rows", "timeout", "keep_days"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be above 0, not {value:g}")
        if not self.watch >= 0:
            raise ValueError(f"watch must be at least 0, not {self.watch:g}")


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
    serving: Serving = Serving()
    signing_key: str = ""  # file of the key that signs what is registered; $HEDDLE_SIGNING_KEY
    trusted_keys: str = ""  # file of the keys whose models are served; $HEDDLE_TRUST

    def __post_init__(self) -> None:
        for name in filter(None, (self.project, self.model)):
            checked_name(name, what="project or model")
        if self.cores < 1:
            raise ValueError(f"cores must be at least 1, not {self.cores}")
