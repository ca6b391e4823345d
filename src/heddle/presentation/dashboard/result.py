"""What the model said of a row: the number, how sure, which model, beside rows that are alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from heddle.presentation.dashboard.asking import Answer, Asked
from heddle.presentation.dashboard.entries import as_json
from heddle.presentation.dashboard.marked import amount, plain, remark
from heddle.presentation.dashboard.nearby import Nearby, nearby
from heddle.presentation.dashboard.theme import coloured

if TYPE_CHECKING:
    import polars as pl

    from heddle.presentation.dashboard.place import Place

__all__ = ["beside_others", "command", "described", "result", "unit_of"]

_NOTICED = "http://127.0.0.1:8080"  # where `heddle serve` listens unless told otherwise


def result(place: Place, asked: Asked, answer: Answer, reference: pl.DataFrame | None) -> None:
    """Draw what became of a row."""
    import streamlit as st

    if answer.trouble:
        st.error(plain(answer.trouble))
    if answer.faults:
        count = len(answer.faults)
        which = "one field cannot be taken" if count == 1 else f"{count} fields cannot be taken"
        st.warning(f"Refused: {which}; why stands below each.")
    told = answer.told
    if told is None:
        return
    left, right = st.columns([2, 3])
    with left, st.container(border=True):
        _card(place, asked, answer, told)
    with right:
        _alike(asked, answer, reference, unit=unit_of(place, asked.target))
    _to_copy(place, asked, answer)


def unit_of(place: Place, target: str) -> str:
    """Return the target's unit as the report is told it, "" where it has none.

    Raises:
        ConfigError: params.yaml cannot be read.
    """
    stages = (place.document("params.yaml") or {}).get("stages") or {}
    for step in (step for stage in stages.values() for step in stage.get("steps") or ()):
        told = step.get("with") or {}
        if told.get("target") == target and told.get("unit"):
            return str(told["unit"])
    return ""


def described(place: Place, target: str) -> str:
    """Return what the project's contracts say of the target, "" when they do not."""
    folder = place.root / "configs" / "data_versions"
    for path in sorted(folder.glob("*.yaml")):
        for version in (place.document(f"configs/data_versions/{path.name}") or {}).values():
            column = (version.get("columns") or {}).get(target) or {}
            if column.get("description"):
                return str(column["description"])
    return ""


def command(api: str, row: Mapping[str, Any]) -> str:
    """Return the line that asks the same over HTTP; what the shell would read is quoted."""
    body = json.dumps({"instances": [row]}, ensure_ascii=False).replace("'", "'\\''")
    return (
        f"curl -s {api or _NOTICED}/api/v1/predict \\\n"
        f"  -H 'content-type: application/json' \\\n  -d '{body}'"
    )


def beside_others(found: Nearby, told: Mapping[str, Any], *, target: str) -> dict[str, Any]:
    """Return the chart of what similar rows came to, the prediction and its interval marked."""
    value = told["prediction"]
    quiet = {"gridcolor": "var(--grid)", "zeroline": False}
    return {
        "data": [
            {
                "type": "histogram",
                "x": found.targets.tolist(),
                "nbinsx": 30,
                "marker": {"color": "var(--series-1)"},
                "hovertemplate": "%{y} rows around %{x}<extra></extra>",
            }
        ],
        "layout": {
            "height": 300,
            "margin": {"l": 8, "r": 8, "t": 26, "b": 8},
            "bargap": 0.05,
            "showlegend": False,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"color": "var(--muted)"},
            "shapes": _marks(value, told["interval"]),
            "annotations": [
                {
                    "text": "prediction",
                    "x": value,
                    "y": 1.0,
                    "yref": "paper",
                    "yanchor": "bottom",
                    "showarrow": False,
                    "font": {"color": "var(--series-2)"},
                }
            ],
            "xaxis": {"title": {"text": target}, "automargin": True, **quiet},
            "yaxis": {"title": {"text": "training rows"}, "automargin": True, **quiet},
        },
    }


def _marks(value: float, interval: Mapping[str, float] | None) -> list[dict[str, Any]]:
    """Return the line of the prediction and the shade of its interval."""
    marks: list[dict[str, Any]] = [
        {
            "type": "line",
            "x0": value,
            "x1": value,
            "y0": 0,
            "y1": 1,
            "yref": "paper",
            "line": {"color": "var(--series-2)", "width": 3},
        }
    ]
    if interval:
        ends = {"x0": interval["lower"], "x1": interval["upper"], "y0": 0, "y1": 1}
        shade = {"fillcolor": "var(--series-2)", "opacity": 0.14, "line": {"width": 0}}
        marks.append({"type": "rect", **ends, "yref": "paper", "layer": "below", **shade})
    return marks


def _card(place: Place, asked: Asked, answer: Answer, told: Mapping[str, Any]) -> None:
    import streamlit as st

    unit = unit_of(place, asked.target)
    st.metric(plain(asked.target), f"{amount(told['prediction'])} {unit}".rstrip())
    if not unit and (words := described(place, asked.target)):
        st.caption(plain(words))
    if interval := told["interval"]:
        ends = f"{amount(interval['lower'])} and {amount(interval['upper'])} {plain(unit)}".rstrip()
        st.markdown(f"In {interval['level']:.0%} of cases the truth lies between **{ends}**.")
    else:
        st.markdown("The model tells no interval.")
    for flag in told["flags"]:
        st.warning(remark(flag, dict(asked.seen.get(flag.partition(":")[2], {}))))
    version, digest = answer.document["model_version"], answer.document["model_digest"]
    st.markdown(
        f"Model **{plain(version)}**, from the {plain(asked.source)}  \n"
        f"digest `{digest[:16]}`  \nanswered in {answer.seconds * 1000:,.1f} ms"
    )
    st.caption("Where it came from, back to the raw file:")
    st.code(f"heddle trace {told['id']}", language="bash", wrap_lines=True)


def _alike(asked: Asked, answer: Answer, reference: pl.DataFrame | None, *, unit: str) -> None:
    import streamlit as st

    found, told = None, answer.told
    assert told is not None  # there is a prediction to set others beside
    if reference is not None:
        row, value = answer.row, told["prediction"]
        found = nearby(reference, row, asked.columns, target=asked.target, prediction=value)
    if found is None:
        st.caption("The model brought no training rows along that this one could be set beside.")
        return
    low, high = found.middle_half
    ends = f"{amount(low)} to {amount(high)} {plain(unit)}".rstrip()
    st.markdown(
        f"Of the **{len(found.targets):,} training rows most like this one**, half came to"
        f" {ends}; {found.below:.0%} lie below the prediction."
    )
    target = f"{asked.target} ({unit})" if unit else asked.target
    figure = coloured(beside_others(found, told, target=target), shade())
    st.plotly_chart(figure, width="stretch", key="predict_alike", config={"displayModeBar": False})


def shade() -> Any:
    """Return whether the browser shows the light or the dark page."""
    import streamlit as st

    return "dark" if st.context.theme.type == "dark" else "light"


def _to_copy(place: Place, asked: Asked, answer: Answer) -> None:
    import streamlit as st

    sent = as_json(answer.row, asked.columns)
    row, said, line = st.tabs(["The row", "The answer as JSON", "The same from a shell"])
    with row:
        rows = [{"column": name, "value": str(value)} for name, value in sent.items()]
        st.dataframe(rows, hide_index=True, width="stretch", key="predict_row")
    with said:
        whole = json.dumps(answer.document, indent=2, ensure_ascii=False)
        st.code(whole, language="json", wrap_lines=True)
    with line:
        if not place.api:
            st.caption("Once `heddle serve` runs:")
        st.code(command(place.api, sent), language="bash", wrap_lines=True)
