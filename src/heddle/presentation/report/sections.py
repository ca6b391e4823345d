"""The chapters of the report, in the order in which they are read."""

from __future__ import annotations

from heddle.presentation.report.data_versions import data_section
from heddle.presentation.report.inputs import Inputs
from heddle.presentation.report.intervals import interval_section
from heddle.presentation.report.leaderboard import leaderboard_section
from heddle.presentation.report.lineage import lineage_section
from heddle.presentation.report.manifest import manifest_section
from heddle.presentation.report.markup import Section
from heddle.presentation.report.residuals import residual_section
from heddle.presentation.report.row_groups import importance_section, segment_section
from heddle.presentation.report.studies import cluster_section, imputation_section
from heddle.presentation.report.summary import summary_section
from heddle.presentation.report.tuning import tuning_section
from heddle.presentation.report.unseen_rows import trust_section, unseen_section
from heddle.presentation.report.wording import Wording

__all__ = ["sections"]


def sections(told: Inputs, words: Wording) -> list[Section]:
    """Return every chapter; one whose input is missing says so."""
    return [
        summary_section(told, words),
        data_section(told.versions),
        imputation_section(told.imputation),
        cluster_section(told.clusters, words),
        leaderboard_section(told.leaderboard, told.timings.get("compete"), words),
        tuning_section(told.trials, told.best, words),
        unseen_section(told.evaluation, words),
        trust_section(told.evaluation, told.model, words),
        residual_section(told.predictions, words),
        segment_section(told.evaluation, words),
        interval_section(told.evaluation, words),
        importance_section(told.evaluation, words),
        lineage_section(told.graph, told.timings),
        manifest_section(told.model),
    ]
