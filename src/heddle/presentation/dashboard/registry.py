"""The registered models: what each is, where it came from, and moving an alias on or back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heddle.presentation.dashboard.marked import large
from heddle.presentation.dashboard.registry_told import (
    figure_words,
    links_table,
    lowered,
    model_rows,
    tag_rows,
    version_words,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heddle.domain.entities import ModelVersion
    from heddle.presentation.dashboard.place import Place

__all__ = ["ICON", "TITLE", "applies", "show"]

TITLE = "Registry"
ICON = ":material/inventory_2:"
_PARTS = ("Card", "Gates", "Lineage", "Manifest", "Tags")
_NONE_YET = "No model is registered yet: `heddle run` ends with one."


def applies(place: Place) -> bool:
    """Return whether the project registers models."""
    from heddle.presentation.dashboard.published import uses

    return uses(place, "register") or (place.root / "mlruns").is_dir()


def show(place: Place) -> None:
    """Show the versions of a model, and one of them from all sides."""
    import streamlit as st

    from heddle.presentation.dashboard.drawn import chosen, dressed, plain
    from heddle.presentation.dashboard.registry_moves import moves

    names = place.registry.models()
    if not names:
        st.info(_NONE_YET)
        return
    dressed()
    name = names[0]
    if len(names) > 1:
        own = names.index(place.world.model) if place.world.model in names else 0
        name = st.selectbox("Model", names, index=own, key="registry_model")
    versions = place.registry.versions(name)
    st.subheader(plain(name))
    _table(versions)
    version = _version(versions)
    moves(place, versions, version)
    part = chosen("registry_part", _PARTS)
    {
        "Card": _card,
        "Gates": _gates,
        "Lineage": _lineage,
        "Manifest": _manifest,
        "Tags": _tags,
    }[part](place, version)


def _table(versions: Sequence[ModelVersion]) -> None:
    import streamlit as st

    rows = model_rows(versions)
    figures = [key for key, value in rows[0].items() if value is None or isinstance(value, float)]
    apart = large(rows, figures)
    st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        key="registry_versions",
        column_config={
            key: st.column_config.NumberColumn(
                figure_words(key),
                format="localized" if key in apart else None,
                help="on the test rows",
            )
            for key in figures
        },
    )


def _version(versions: Sequence[ModelVersion]) -> ModelVersion:
    import streamlit as st

    by_number = {version.number: version for version in versions}
    number = st.selectbox(
        "Version",
        list(by_number),
        format_func=lambda chosen: version_words(by_number[chosen]),
        key="registry_version",
    )
    return by_number[number]


def _card(_place: Place, version: ModelVersion) -> None:
    import streamlit as st

    st.markdown(lowered(version.description) or "This version has no card.")


def _gates(place: Place, version: ModelVersion) -> None:
    import streamlit as st

    from heddle.presentation.dashboard.registry_moves import asked_of, told_decision
    from heddle.registry.promotion import judged

    wanted, _ = asked_of(place, version)
    st.caption(
        f"What `heddle promote` would say of letting `{wanted.to_alias}` mean version "
        f"{version.number} now. The gates stand in `configs/ml_experiments/promote.yaml`."
    )
    told_decision(judged(place.registry, wanted), wanted)
    last = place.document("reports/promotion_report.json")
    if last:
        with st.expander("The last promotion that was asked for"):
            st.json(last)


def _lineage(place: Place, version: ModelVersion) -> None:
    import streamlit as st

    from heddle.presentation.dashboard.drawn import draw
    from heddle.presentation.traced import traced

    asked = f"{version.name}/{version.number}"
    with st.spinner("Walking back to the raw file…"):
        trace = traced(place.root, asked, place.registry, place.world, place.params)
    if trace.broken:
        st.warning(f"No longer as it was: {', '.join(trace.broken)}.")
    else:
        st.success("Every link that can be looked at from here is as it was.")
    draw(links_table(trace.links), "registry")
    st.caption(f"The same as `heddle trace {asked}`.")


def _manifest(place: Place, version: ModelVersion) -> None:
    import streamlit as st

    from heddle.domain.typed import plain
    from heddle.registry.manifest import read_manifest

    pin = version.tags.get("manifest_sha256")
    st.caption(f"sha256 of the manifest: `{pin or 'not recorded'}`")
    st.json(plain(read_manifest(place.registry.fetch(version), expected=pin)), expanded=1)


def _tags(_place: Place, version: ModelVersion) -> None:
    import streamlit as st

    st.dataframe(tag_rows(version), hide_index=True, width="stretch", key="registry_tags")
