"""What is told of registered models: figures, files, the way back to the raw file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from heddle.domain.entities import ModelVersion
from heddle.evaluation.metrics import METRICS
from heddle.presentation.data_links import Link
from heddle.presentation.report.markup import Column, Html, code, table, tone
from heddle.presentation.report.wording import Wording, finite
from heddle.registry.promotion import way_back

__all__ = [
    "figure_words",
    "links_table",
    "lowered",
    "model_rows",
    "tag_rows",
    "version_words",
    "ways_back",
]

_FIGURES = 4  # most metrics that are shown
_HEADING = re.compile(r"^(#{1,3} )", re.MULTILINE)
_SHOWN = 40  # letters of a name
_MARKS = {"same": "as it was", "changed": "changed", "gone": "gone", "recorded": "recorded"}
_TONES = {"same": "good", "changed": "warn", "gone": "warn", "recorded": "quiet"}


def model_rows(versions: Sequence[ModelVersion]) -> list[dict[str, Any]]:
    """Return a row for each version; the primary metrics come first among the figures."""
    tags = [version.tags for version in versions]
    primary = [told["primary_metric"] for told in tags if "primary_metric" in told]
    known = [key for key in (*primary, *METRICS) if any(key in told for told in tags)]
    shown = list(dict.fromkeys(known))[:_FIGURES]
    return [
        {
            "Version": version.number,
            "Aliases": ", ".join(version.aliases),
            "Algorithm": version.tags.get("algorithm", ""),
            **{key: _number(version.tags.get(key)) for key in shown},
            "Registered": version.registered_at[:16].replace("T", " "),
            "Run": version.run_id[:8],
        }
        for version in versions
    ]


def figure_words(key: str) -> str:
    """Return what stands above a metric's figures.

    >>> figure_words("wmape"), figure_words("r2"), figure_words("own")
    ('wMAPE (%)', 'R²', 'own')
    """
    unit = " (%)" if key in METRICS and METRICS[key].unit == "%" else ""
    return f"{Wording(metric=key, target='').named(key)}{unit}"


def version_words(version: ModelVersion) -> str:
    """Return a version with its aliases, to choose it by."""
    held = f" · {', '.join(version.aliases)}" if version.aliases else ""
    return f"version {version.number}{held}"


def ways_back(versions: Sequence[ModelVersion]) -> dict[str, list[int]]:
    """Return, for each alias that can be pointed back, the versions that it meant before."""
    found = {alias: way_back(version, alias) for version in versions for alias in version.aliases}
    return {alias: history for alias, history in found.items() if history}


def links_table(links: Sequence[Link]) -> Html:
    """Return a line for each step of the way from a model back to the raw file."""
    heads = [Column(head) for head in ("Link", "What", "State", "What it says")]
    rows = [
        [one.kind, _end(one.name), tone(_TONES[one.state], _MARKS[one.state]), one.says]
        for one in links
    ]
    return table("From the model back to the raw file", heads, rows)


def _end(name: str) -> Html:
    return code(name if len(name) <= _SHOWN else f"…{name[1 - _SHOWN :]}", title=name)


def tag_rows(version: ModelVersion) -> list[dict[str, str]]:
    """Return the tags of a version, those without a value left out."""
    return [{"Tag": key, "Value": value} for key, value in version.tags.items() if value]


def lowered(card: str) -> str:
    """Return Markdown with smaller headings, for it stands below those of a page.

    >>> lowered("# a"), lowered("## b # c")
    ('#### a', '##### b # c')
    """
    return _HEADING.sub(r"###\1", card)


def _number(text: str | None) -> float | None:
    try:
        return finite(float(text)) if text is not None else None
    except ValueError:
        return None
