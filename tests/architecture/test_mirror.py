"""The tests mirror the tree: where the tests of a module stand can be told from its path."""

from __future__ import annotations

from pathlib import Path

import pytest

import heddle

TESTS = Path(__file__).parents[1]
SRC = Path(heddle.__file__).parent
MODULES = {
    path.relative_to(SRC).as_posix()
    for path in SRC.rglob("*.py")
    if path.stem != "__init__" and "__pycache__" not in path.parts
}

# Modules whose tests stand elsewhere: those of a port in its contract suite, stages and commands
# where they are run as a whole, parts of one idea where the idea is tested.
COVERED_BY = {
    "domain/entities.py": "contract/test_tracker.py",
    "domain/ports.py": "contract/test_tracker.py",
    **dict.fromkeys(
        (
            *("infrastructure/memory_tracking.py", "infrastructure/several_trackers.py"),
            "infrastructure/wandb_tracking.py",
        ),
        "contract/test_tracker.py",
    ),
    **dict.fromkeys(
        (
            *("infrastructure/memory_registry.py", "infrastructure/mlflow_registry.py"),
            "infrastructure/mlflow_rows.py",
        ),
        "contract/test_model_registry.py",
    ),
    **dict.fromkeys(
        ("infrastructure/memory_predictions.py", "infrastructure/sqlite_predictions.py"),
        "contract/test_prediction_log.py",
    ),
    **dict.fromkeys(
        tuple(
            f"infrastructure/{part}.py"
            for part in ("memory_requests", "request_file", "sqlite_requests")
        ),
        "contract/test_request_log.py",
    ),
    **dict.fromkeys(
        ("infrastructure/memory_source.py", "infrastructure/sources/sample.py"),
        "contract/test_source.py",
    ),
    **dict.fromkeys(
        tuple(f"infrastructure/{part}.py" for part in ("files", "logged_tables", "memory")),
        "contract/test_table_store.py",
    ),
    **dict.fromkeys(
        (
            *("pipeline/steps/imputation_study.py", "pipeline/steps/cluster_study.py"),
            *("pipeline/steps/compete.py", "pipeline/steps/tune.py"),
            *("training/arena.py", "training/documents.py"),
        ),
        "integration/test_training_steps.py",
    ),
    **dict.fromkeys(
        (
            *("pipeline/steps/register.py", "pipeline/registration.py", "registry/verdict.py"),
            *("registry/final_model.py", "registry/leanings.py"),
        ),
        "integration/test_register_step.py",
    ),
    **dict.fromkeys(
        ("pipeline/steps/select_model.py", "training/contenders.py"),
        "integration/test_select_step.py",
    ),
    **dict.fromkeys(
        ("infrastructure/last_words.py", "presentation/main.py", "presentation/project.py"),
        "integration/test_runs.py",
    ),
    **dict.fromkeys(
        ("infrastructure/warm_worker.py", "presentation/call.py"),
        "unit/presentation/test_worker.py",
    ),
    **dict.fromkeys(
        ("presentation/cli.py", "presentation/cli_pipeline.py"), "integration/test_cli_pipeline.py"
    ),
    "presentation/cli_models.py": "e2e/test_housing.py",
    **dict.fromkeys(
        ("presentation/cli_serve.py", "presentation/served.py"), "integration/test_serve.py"
    ),
    **dict.fromkeys(
        (
            *("presentation/cli_ui.py", "presentation/dashboard/opened.py"),
            "presentation/dashboard/server.py",
        ),
        "integration/test_ui.py",
    ),
    **dict.fromkeys(
        ("presentation/dashboard/form.py", "presentation/dashboard/result.py"),
        "unit/presentation/dashboard/test_predict.py",
    ),
    "serving/same_prices.py": "integration/test_predict_daily.py",
    "serving/trial.py": "unit/serving/test_hostile_models.py",
    **dict.fromkeys(
        ("presentation/adopting.py", "presentation/cli_trust.py"), "integration/test_adopt.py"
    ),
    **dict.fromkeys(
        (
            *("serving/formats/lightgbm_text.py", "serving/formats/numbers.py"),
            *("serving/formats/onnx_file.py", "serving/formats/pickled.py"),
            *("serving/formats/skops_file.py", "serving/formats/xgboost_file.py"),
        ),
        "unit/serving/formats/test_known.py",
    ),
    "serving/sinks.py": "unit/serving/test_shadow.py",
    **dict.fromkeys(
        tuple(
            f"presentation/{part}.py"
            for part in ("cli_trace", "data_links", "describe_trace", "model_links", "traced")
        ),
        "integration/test_trace.py",
    ),
    **dict.fromkeys(
        (
            *("presentation/cli_predict.py", "presentation/daily.py"),
            *("presentation/describe_predictions.py", "presentation/monitored.py"),
        ),
        "integration/test_predict_daily.py",
    ),
    **dict.fromkeys(
        (
            *("presentation/cli_monitor.py", "presentation/describe_drift.py"),
            *("presentation/watched.py", "serving/answered.py"),
        ),
        "integration/test_monitor_rows.py",
    ),
    **dict.fromkeys(
        tuple(
            f"presentation/{part}.py"
            for part in ("cli_compare", "compared", "describe_comparison", "shadowed")
        ),
        "integration/test_shadow.py",
    ),
    **dict.fromkeys(
        tuple(
            f"infrastructure/remotes/{part}.py"
            for part in ("errand", "runs", "runs_pull", "runs_push", "s3")
        ),
        "contract/test_remotes.py",
    ),
    "infrastructure/remotes/data.py": "unit/infrastructure/remotes/test_recorded.py",
    **dict.fromkeys(
        ("presentation/cli_remotes.py", "presentation/errands.py"),
        "integration/test_cli_remotes.py",
    ),
    **dict.fromkeys(
        (
            *("infrastructure/prefect_flow.py", "infrastructure/prefect_tasks.py"),
            *("presentation/cli_flow.py", "presentation/flow.py", "presentation/flow_project.py"),
        ),
        "integration/test_flow.py",
    ),
    **dict.fromkeys(
        ("evaluation/partition.py", "evaluation/split_plan.py"), "unit/evaluation/test_splits.py"
    ),
    "infrastructure/dvc_mending.py": "unit/infrastructure/test_dvc_lock.py",
    **dict.fromkeys(
        ("infrastructure/interrupts.py", "infrastructure/run_locks.py"),
        "unit/infrastructure/test_dvc_runs.py",
    ),
    **dict.fromkeys(
        ("infrastructure/mlflow_liveness.py", "infrastructure/mlflow_store.py"),
        "unit/infrastructure/test_mlflow_tracking.py",
    ),
    "infrastructure/yaml_check.py": "unit/infrastructure/test_hydra_config.py",
    **dict.fromkeys(
        (
            *("infrastructure/sources/landing.py", "infrastructure/sources/patience.py"),
            "infrastructure/sources/web.py",
        ),
        "unit/infrastructure/sources/test_url.py",
    ),
    "infrastructure/sources/resuming.py": "unit/infrastructure/sources/test_kaggle.py",
    **dict.fromkeys(
        (
            *("ingestion/delimited.py", "ingestion/options.py", "ingestion/records.py"),
            *("ingestion/table.py", "ingestion/unpack.py"),
        ),
        "unit/ingestion/test_read.py",
    ),
    **dict.fromkeys(
        ("models/average.py", "models/ratios.py"),
        "unit/models/test_assembly.py",
    ),
    "pipeline/generated.py": "unit/pipeline/test_plan.py",
    **dict.fromkeys(
        tuple(
            f"presentation/report/{part}.py"
            for part in (
                *("data_versions", "inputs", "intervals", "leaderboard", "manifest"),
                *("residuals", "row_groups", "studies", "summary", "tuning", "unseen_rows"),
            )
        ),
        "unit/presentation/report/test_sections.py",
    ),
    "presentation/report/lineage.py": "unit/presentation/report/test_pipeline_graph.py",
    "presentation/steps/report.py": "unit/presentation/report/test_page.py",
    "presentation/steps/watch_drift.py": "integration/test_watch_drift.py",
    **dict.fromkeys(
        tuple(
            f"serving/api/{part}.py"
            for part in ("answers", "doors", "fields", "meters", "reading", "refused", "settings")
        ),
        "unit/serving/api/test_app.py",
    ),
    **dict.fromkeys(
        ("serving/api/responses.py", "serving/api/schema.py"),
        "unit/serving/api/test_described.py",
    ),
    **dict.fromkeys(
        tuple(
            f"serving/{part}.py"
            for part in ("escape", "journal", "keys", "parts", "predicted", "refused")
        ),
        "unit/serving/test_batch.py",
    ),
    **dict.fromkeys(
        tuple(f"ingestion/{part}_pieces.py" for part in ("delimited", "parquet", "text")),
        "unit/ingestion/test_stream.py",
    ),
    "ingestion/pieces.py": "unit/ingestion/test_stream.py",
    **dict.fromkeys(
        tuple(
            f"serving/{part}.py" for part in ("arrays", "encoders", "not_compiled", "predictors")
        ),
        "unit/serving/test_compiled.py",
    ),
    **dict.fromkeys(("training/search.py", "training/trial.py"), "unit/training/test_tuning.py"),
    **dict.fromkeys(
        ("transformations/add_row_key.py", "transformations/combine_columns.py"),
        "unit/transformations/test_steps.py",
    ),
    "validation/finding.py": "unit/validation/test_findings.py",
}


def own(module: str) -> Path:
    """Return where the tests of a module belong."""
    path = Path(module)
    return TESTS / "unit" / path.parent / f"test_{path.name}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_has_tests_of_its_name_or_says_where_they_are(module):
    """`src/heddle/a/b.py` is tested in `tests/unit/a/test_b.py`, or `COVERED_BY` names where."""
    elsewhere = COVERED_BY.get(module)
    if own(module).exists():
        assert elsewhere is None, f"{own(module).relative_to(TESTS)} is there: do not name another"
    else:
        assert elsewhere, f"write {own(module).relative_to(TESTS)}, or name what covers it"
        assert (TESTS / elsewhere).exists(), elsewhere


def test_the_list_names_no_module_that_is_gone():
    """What was renamed or removed is taken off the list."""
    assert set(COVERED_BY) <= MODULES


def test_no_test_mirrors_a_module_that_is_gone():
    """A test of the tree's shape belongs to a module or a folder, or tells a whole idea."""
    rooms = {Path(module).parent for module in MODULES}
    for path in (TESTS / "unit").rglob("test_*.py"):
        room = path.parent.relative_to(TESTS / "unit")
        assert room in rooms or room == Path("projects"), path
