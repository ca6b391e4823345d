"""The data versions: how large they are, who makes them of what, how two of them differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from heddle.presentation.dashboard.versions_told import (
    first_rows,
    keeps_contract,
    states_of,
    version_rows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from heddle.domain.entities import TableInfo
    from heddle.presentation.dashboard.place import Place
    from heddle.presentation.report.pipeline_graph import StageNode

__all__ = ["ICON", "TITLE", "applies", "contracts_of", "show"]

TITLE = "Data versions"
ICON = ":material/table_chart:"
_PARTS = ("Versions", "Lineage", "Compare", "Rows")
_HEAD = 50
_NONE_YET = "No data version has been published yet: `heddle run` makes them."


def applies(_place: Place) -> bool:
    """Every project has data."""
    return True


def show(place: Place) -> None:
    """Show versions, lineage, differences, or the first rows of one."""
    import streamlit as st

    from heddle.presentation.dashboard.drawn import chosen, dressed
    from heddle.presentation.report.data_page import in_order
    from heddle.presentation.report.pipeline_graph import read_graph

    graph = read_graph(place.document("dvc.yaml"))
    infos = in_order([place.tables.info(name) for name in place.tables.versions()], graph)
    dressed()
    part = chosen("versions_part", _PARTS)
    if part == "Lineage":
        _lineage(place, graph)
    elif not infos:
        st.info(_NONE_YET)
    elif part == "Versions":
        _versions(place, infos, graph)
    elif part == "Compare":
        _compare(infos)
    else:
        _rows(place, infos)


def contracts_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the contract of each data version that has one.

    >>> contracts_of({"stages": {"a": {"contracts": {"v1": {"columns": {}}}}}})
    {'v1': {'columns': {}}}
    """
    found: dict[str, Any] = {}
    for entry in (params.get("stages") or {}).values():
        found |= {name: told for name, told in (entry.get("contracts") or {}).items() if told}
    return found


def _versions(place: Place, infos: Sequence[TableInfo], graph: Sequence[StageNode]) -> None:
    import streamlit as st

    from heddle.presentation.dashboard.drawn import draw, draw_section
    from heddle.presentation.report.data_page import size_sections
    from heddle.presentation.report.data_versions import column_parts, origin

    stale, contracts = _stale(place), contracts_of(place.params)
    rows = version_rows(infos, graph, stale, contracts)
    numbers = {name: st.column_config.NumberColumn(format="localized") for name in _COUNTS}
    sizes = {"MB": st.column_config.NumberColumn(format="%.2f", help="on disk")}
    st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        key="versions_table",
        column_config={**numbers, **sizes},
    )
    st.caption(
        "A contract is checked before a version is published; `changed since` means that what is "
        "declared now is not what was checked then."
    )
    if (words := origin(infos[0].made_by)) is not None:
        draw(words, "versions")
    st.subheader("Columns")
    draw(column_parts(infos), "versions")
    for part in size_sections(infos):
        draw_section(part, "versions")


_COUNTS = ("Rows", "Columns", "Missing cells")


def _lineage(place: Place, graph: Sequence[StageNode]) -> None:
    from heddle.presentation.dashboard.drawn import draw_section
    from heddle.presentation.dashboard.published import inputs_of
    from heddle.presentation.report.lineage import lineage_section

    told = lineage_section(graph, inputs_of(place).timings, _stale(place))
    draw_section(told, "versions", heading=False)


def _stale(place: Place) -> Mapping[str, Sequence[str]]:
    import streamlit as st

    with st.spinner("Looking at the stages…"):
        return states_of(place.root)


def _compare(infos: Sequence[TableInfo]) -> None:
    import streamlit as st

    from heddle.frames.compare import compare
    from heddle.presentation.dashboard.drawn import draw, plain
    from heddle.presentation.report.data_page import change_table

    known = {info.version: info for info in infos}
    if len(known) < 2:
        st.info("One data version has none to be compared with: `heddle run` makes the others.")
        return
    names = list(known)
    one, other = st.columns(2)
    before = one.selectbox("Before", names, key="versions_before")
    after = other.selectbox("After", names, index=1, key="versions_after")
    found = compare(known[before], known[after])
    if found.equal:
        st.success(f"{plain(before)} and {plain(after)} hold the same {found.rows[0]:,} rows.")
        return
    left, middle, right = st.columns(3)
    more = found.rows[1] - found.rows[0]
    left.metric("Rows", f"{found.rows[1]:,}", f"{more:+,}" if more else None)
    middle.metric("Columns that differ", f"{len(found.changes):,}")
    right.metric("Columns unchanged", f"{len(found.same):,}")
    draw(change_table(found), "versions")
    if found.reordered:
        st.caption("The columns that both have stand in another order.")
    st.caption("Shift: how far quantiles moved, in widths of the middle 90 % of the values.")


def _rows(place: Place, infos: Sequence[TableInfo]) -> None:
    import streamlit as st

    from heddle.presentation.dashboard.drawn import plain

    names = [info.version for info in infos]
    name = st.selectbox("Data version", names, key="versions_head")
    (info,) = (info for info in infos if info.version == name)
    shown = min(_HEAD, info.rows)
    st.caption(f"The first {shown:,} of {info.rows:,} rows, {len(info.columns):,} columns.")
    st.dataframe(first_rows(place.tables.path(name), _HEAD), width="stretch", key="versions_rows")
    declared = contracts_of(place.params).get(name)
    if declared is None:
        st.caption("No contract is declared: `configs/data_versions` is where one would stand.")
        return
    if st.button("Check its contract now", key="versions_check", icon=":material/rule:"):
        broken = keeps_contract(place.tables, name, declared)
        for words in broken:
            st.error(words)
        if not broken:
            st.success(f"{plain(name)} keeps its contract: {info.rows:,} rows were looked at.")
    with st.expander("The contract"):
        st.code(yaml.safe_dump(declared, sort_keys=False, allow_unicode=True), language="yaml")
