"""The chapters of the report, in the order in which they are read."""

from __future__ import annotations

from heddle.presentation.report.backtest import backtest_section
from heddle.presentation.report.data_versions import data_section
from heddle.presentation.report.forecast import forecast_section
from heddle.presentation.report.inputs import Inputs
from heddle.presentation.report.intervals import interval_section
from heddle.presentation.report.leaderboard import leaderboard_section
from heddle.presentation.report.lineage import lineage_section
from heddle.presentation.report.manifest import manifest_section
from heddle.presentation.report.markup import Section
from heddle.presentation.report.residuals import residual_section
from heddle.presentation.report.row_groups import importance_section, segment_section
from heddle.presentation.report.selection import selection_section
from heddle.presentation.report.studies import cluster_section, imputation_section
from heddle.presentation.report.summary import summary_section
from heddle.presentation.report.tuning import tuning_section
from heddle.presentation.report.unseen_rows import trust_section, unseen_section
from heddle.presentation.report.wording import Wording

__all__ = ["sections", "sections_of_test_rows"]


def sections(told: Inputs, words: Wording) -> list[Section]:
    """Return every chapter; one whose input is missing says so.

    Chapters of returns are there only where their documents are, and a project of returns has
    those of studies only where it made such studies.
    """
    spent = told.timings.get("compete") or told.timings.get("tune")
    trials = told.trials or (told.leaderboard or {}).get("trials") or ()
    studies = [
        (told.imputation, imputation_section(told.imputation)),
        (told.clusters, cluster_section(told.clusters, words)),
    ]
    made = [
        summary_section(told, words),
        data_section(told.versions),
        *(part for document, part in studies if document or not told.of_returns),
        leaderboard_section(told.leaderboard, spent, words),
        tuning_section(trials if told.of_returns else told.trials, told.best, words),
        selection_section(told.selection, words),
        backtest_section(told, words),
        *sections_of_test_rows(told, words),
        lineage_section(told.graph, told.timings),
        manifest_section(told.model),
    ]
    return [part for part in made if part is not None]


def sections_of_test_rows(told: Inputs, words: Wording) -> list[Section | None]:
    """Return the chapters on what the model says of rows that it has not seen."""
    return [
        unseen_section(told.evaluation, words),
        forecast_section(told.evaluation, told.predictions, told.horizon),
        trust_section(told.evaluation, told.model, words),
        residual_section(told.predictions, words),
        segment_section(told.evaluation, words),
        interval_section(told.evaluation, words),
        importance_section(told.evaluation, words),
    ]
