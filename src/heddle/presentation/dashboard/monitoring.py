"""A model in use: whether what it is asked and answers is still what it learned from."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heddle.presentation.dashboard.marked import large
from heddle.presentation.dashboard.monitoring_told import (
    age_words,
    latencies,
    reports_of,
    request_rows,
)

if TYPE_CHECKING:
    from heddle.domain.entities import RequestRecord
    from heddle.presentation.dashboard.place import Place

__all__ = ["ICON", "TITLE", "applies", "show", "watch_now"]

TITLE = "Monitoring"
ICON = ":material/monitor_heart:"
_PARTS = ("Report", "Requests", "Look now")
_FIGURES = ("Prediction", "Lower", "Upper", "Outcome")
_LATEST = 500  # requests that are shown
_KINDS = ["csv", "tsv", "parquet", "json", "jsonl", "gz"]


def applies(place: Place) -> bool:
    """Return whether there is, or can be, a model that is asked."""
    from heddle.presentation.dashboard.published import uses

    return uses(place, "register", "watch_drift") or (place.root / "mlruns").is_dir()


def show(place: Place) -> None:
    """Show the newest report, what was asked, or look at it now."""
    from heddle.presentation.dashboard.drawn import chosen, dressed

    dressed()
    part = chosen("monitoring_part", _PARTS)
    if part == "Report":
        _report(place)
    elif part == "Requests":
        _requests(place)
    else:
        _look(place)


def watch_now(place: Place, file: Path | None, since: str) -> Mapping[str, Any]:
    """Write the report that `heddle monitor` would write now, and return it.

    Args:
        place: the project.
        file: rows as they come in; None: what the log holds.
        since: of the requests of the log; "" takes all.

    Raises:
        HeddleError: as the command.
    """
    from heddle.presentation.daily import kept_log
    from heddle.presentation.dashboard.versions_told import COMPOSING
    from heddle.presentation.monitored import last_asked, monitored
    from heddle.presentation.watched import meant, written_page
    from heddle.presentation.watching import Watching, watched_now

    asked = "" if file else last_asked(kept_log(place.root))
    one = meant(lambda: place.registry, place.world.model, asked)
    with COMPOSING:
        if one.manifest.history is None or file is not None:
            told, _ = watched_now(
                place.root, one, place.world.project, Watching(file=file, since=since)
            )
            return told
        report = monitored(place.root, place.registry, (), asked)
        page = report.place.with_suffix(".html")
        written_page(report.document, project=place.world.project, page=page)
        return report.document


def _report(place: Place) -> None:
    import streamlit as st

    told = reports_of(place.root)
    if not told:
        st.info("Nothing has been looked at yet: `heddle monitor`, or “Look now” above, does.")
        return
    name = next(iter(told))
    if len(told) > 1:
        name = st.selectbox("Report", list(told), key="monitoring_report")
    _chapters(told[name])


def _chapters(told: Mapping[str, Any]) -> None:
    from heddle.presentation.dashboard.drawn import draw, draw_section
    from heddle.presentation.report.markup import para
    from heddle.presentation.report.monitoring import monitoring_facts, monitoring_sections

    draw(para(monitoring_facts(told)), "monitoring")
    for at, part in enumerate(monitoring_sections(told)):
        draw_section(part, "monitoring", heading=at > 0)


def _requests(place: Place) -> None:
    import streamlit as st

    from heddle.registry.promotion import utc_now

    log = place.requests
    count = 0 if log is None else log.count()
    if log is None or not count:
        st.info("No request has been answered yet: `heddle serve` answers, and writes them down.")
        return
    latest = list(log.rows(limit=_LATEST))
    known = sum(one.outcome is not None for one in latest)
    facts = {
        "Requests kept": f"{count:,}",
        "Last one ago": age_words(latest[-1].at, utc_now()),
        "Outcomes known": f"{known:,} of {len(latest):,}",
        **{f"Latency {name}": f"{ms:,.2f} ms" for name, ms in latencies(latest).items()},
    }
    for first in range(0, len(facts), 3):
        pairs = list(facts.items())[first : first + 3]
        for column, (label, value) in zip(st.columns(3), pairs, strict=False):
            column.metric(label, value)
    st.caption(f"Outcomes and latency are of the latest {len(latest):,} requests.")
    st.subheader("Where an answer came from")
    asked = st.text_input("Id of an answer", key="monitoring_id", placeholder=latest[-1].id)
    if asked.strip():
        _trace(place, asked.strip())
    st.subheader("Latest requests")
    _table(latest)


def _table(latest: Sequence[RequestRecord]) -> None:
    import streamlit as st

    from heddle.presentation.report.wording import NONE

    rows = request_rows(latest)
    figures = large(rows, _FIGURES)
    st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        key="monitoring_requests",
        column_config={key: st.column_config.NumberColumn(format="localized") for key in figures},
        placeholder=NONE,
    )


def _trace(place: Place, asked: str) -> None:
    import streamlit as st

    from heddle.presentation.dashboard.drawn import draw
    from heddle.presentation.dashboard.registry_told import links_table
    from heddle.presentation.traced import traced

    trace = traced(place.root, asked, place.registry, place.world, place.params)
    if trace.broken:
        st.warning(f"No longer as it was: {', '.join(trace.broken)}.")
    else:
        st.success("Every link that can be looked at from here is as it was.")
    draw(links_table(trace.links), "monitoring")
    with st.expander("The answer, its row and its model"):
        st.json({"answer": trace.answer, "model": trace.model}, expanded=1)


def _look(place: Place) -> None:
    import streamlit as st

    st.markdown(
        "Sets rows beside those that the model learned from, as `heddle monitor` does, and writes "
        "the same report."
    )
    given = st.file_uploader("Rows as they come in", type=_KINDS, key="monitoring_file")
    since = ""
    if given is None:
        since = st.text_input(
            "Requests of the log since",
            key="monitoring_since",
            placeholder="7d, 12h or 2026-05-02; empty takes all",
        )
    if not st.button("Look at them", key="monitoring_now", type="primary"):
        return
    with st.spinner("Looking…"):
        if given is None:
            told = watch_now(place, None, since)
        else:
            with tempfile.TemporaryDirectory(prefix="heddle-ui-") as folder:
                file = Path(folder) / Path(given.name).name
                file.write_bytes(given.getbuffer())
                told = watch_now(place, file, "")
    _chapters(told)
