"""A project whose stages have all run, small and invented."""

import json
import runpy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from heddle.infrastructure.files import FileTables
from heddle.infrastructure.memory import SilentProgress
from heddle.pipeline.context import StageContext
from heddle.presentation.steps.report import Report, report

# Test modules are imported by path, so that this folder is no package to import from.
published, of_prices = (
    SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name(name))))
    for name in ("published.py", "prices.py")
)


class Project:
    """The folder, and the context that a stage would be given in it."""

    def __init__(self, root):
        self.root = root
        self.tables = FileTables(root / "data")
        self.config = Report(
            title="Prices", project="demo", model="price", metric="wmape", target="price",
            unit="USD", points=300,
        )  # fmt: skip
        self.progress = SilentProgress()

    def write(self, path, value):
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        dump = json.dumps if place.suffix == ".json" else yaml.safe_dump
        place.write_text(dump(value), encoding="utf-8")

    def fill(self):
        made = published.predictions()
        told = published.evaluation(made)
        first = published.frame(1200)
        self.tables.write("v0", first, {"step": "ingest", "origin": "sample:demo", "licence": "CC0",
                                        "sha256": "e" * 64})  # fmt: skip
        self.tables.write("v1", first.with_row_index("row_id"), {"steps": ["ratios"]})
        self.write("models/imputation_study.json", published.imputation())
        self.write("models/cluster_study.json", published.clusters())
        self.write("models/leaderboard.json", published.leaderboard())
        self.write("models/trials.json", {"trials": published.trials()})
        self.write("models/best_params.yaml", published.best())
        self.write("models/evaluation.json", told)
        self.write("models/metrics.json", told["test"])
        self.write("models/model_config.yaml", published.model_config(told["test"]))
        made.write_parquet(self.root / "models/predictions.parquet")
        self.write("dvc.yaml", published.dvc_yaml())
        for stage, value in published.timings().items():
            self.write(f"reports/timings/{stage}.json", value)
        return self

    def context(self, reads=("v0", "v1")):
        return StageContext(
            stage="report",
            root=self.root,
            reads={name: name for name in reads},
            writes=("reports/report.html",),
            contracts={},
            tables=self.tables,
            tracker=None,
            registry=None,
            progress=self.progress,
            source=None,
            cores=1,
            scratch=self.root / "scratch",
            facts=dict,
        )

    def run(self, **changes):
        report(self.context(), replace(self.config, **changes))
        return (self.root / "reports/report.html").read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@pytest.fixture
def complete(project):
    return project.fill()


@pytest.fixture
def price_project(project):
    """The same folder after the stages of a price project."""
    project.config = replace(project.config, metric="rmse", target="forward_return", unit="")
    return of_prices.publish(project)


@pytest.fixture
def prices():
    """What stages of a price project publish, and how a chapter is read."""
    return of_prices
