"""The page that predicts a file: given, checked row by row, predicted, and taken away again."""

from __future__ import annotations

import re
import shutil
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from heddle.presentation.dashboard.marked import large, plain
from heddle.presentation.dashboard.opened import UPLOAD_MB

if TYPE_CHECKING:
    import polars as pl

    from heddle.presentation.dashboard.place import Place
    from heddle.serving.batch import Summary
    from heddle.serving.loader import LoadedModel

__all__ = ["ICON", "TITLE", "Work", "applies", "columns_of", "head", "predicted", "show"]

TITLE = "Batch"
ICON = ":material/table_view:"
_ENDINGS = ("csv", "parquet")
_FIGURES = ("prediction", "lower", "upper")
_SHOWN = 200  # rows of a table
_WORK = "batch_work"
_ESCAPED = r"^'([=+\-@])"  # for a spreadsheet; here it is only read
_NO_WORD = re.compile(r"[^\w.-]+")
_LONGEST = 80  # characters of a file's name


@dataclass
class Work:
    """A file that was given, in a folder that goes with the session."""

    name: str
    told: str  # Streamlit's name of the upload: another one is another file
    folder: Path = field(default_factory=lambda: Path(mkdtemp(prefix="heddle-")))
    done: Summary | None = None
    notes: list[str] = field(default_factory=list)  # what a person should know of it
    model: str = ""

    def __post_init__(self) -> None:
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    @property
    def source(self) -> Path:
        """Where the file lies, under a name that is safe and still its own."""
        path = Path(self.name)
        stem = _NO_WORD.sub("_", path.stem)[:_LONGEST] or "file"
        return self.folder / f"{stem}{path.suffix.lower()}"


def applies(place: Place) -> bool:
    """Whether there is a model that predicts rows from themselves alone."""
    manifest = place.manifest
    return manifest is not None and manifest.history is None


def show(place: Place) -> None:
    """Take a file, predict it, and give back what became of each row."""
    import streamlit as st

    model = place.model
    if model is None:
        st.info(f"There is no model to ask: {plain(place.why_not)}")
        return
    told = (
        f"A CSV or Parquet file with the columns of **{plain(model.label)}**; others may be there."
    )
    if place.api:
        told += " Files are predicted here, not by the API."
    st.markdown(told)
    with st.expander("The columns"):
        _asked_for(model)
    given = st.file_uploader(
        f"A file of at most {UPLOAD_MB} MB; larger ones go through `heddle predict FILE -o OUT`",
        type=list(_ENDINGS),
        key="batch_file",
        max_upload_size=UPLOAD_MB,
    )
    if given is None:
        st.session_state.pop(_WORK, None)
        return
    work = st.session_state.get(_WORK)
    if work is None or work.told != given.file_id:
        work = st.session_state[_WORK] = Work(given.name, given.file_id)
        with work.source.open("wb") as file:
            file.write(given.getbuffer())
    _worked(model, work)


def columns_of(source: Path) -> Sequence[str]:
    """Return the columns of a file. Raises as `heddle.ingestion.stream.stream`."""
    from heddle.ingestion.stream import stream

    return stream(source).columns


def predicted(
    model: LoadedModel, work: Work, ending: str, keys: Sequence[str], progress: Any = None
) -> Summary:
    """Predict the rows of the file that can be, and list the others; as `heddle predict` does.

    Raises:
        HeddleError: the file is no table, lacks a column, or has no good row.
    """
    from heddle.serving.batch import Batch, predict_file

    folder = work.folder / "out"
    folder.mkdir(exist_ok=True)
    out = folder / f"predictions.{ending}"
    told = Batch(on_error="skip", keys=tuple(keys))
    return predict_file(model, work.source, out, told, progress=progress)


def head(path: Path) -> pl.DataFrame:
    """Return the first rows of a table that was written."""
    import polars as pl

    if path.suffix == ".parquet":
        return pl.scan_parquet(path).head(_SHOWN).collect()
    rows = pl.read_csv(path, n_rows=_SHOWN, infer_schema_length=_SHOWN, null_values=[""])
    return rows.with_columns(pl.col(pl.String).fill_null(""))


def _asked_for(model: LoadedModel) -> None:
    import streamlit as st

    rows = [
        {
            "column": name,
            "type": column.type,
            "may be empty": column.nullable,
            "may be missing": column.optional,
            "what it is": column.description,
        }
        for name, column in model.manifest.columns.items()
    ]
    st.dataframe(rows, hide_index=True, width="stretch", key="batch_columns")


def _worked(model: LoadedModel, work: Work) -> None:
    """Draw what can be chosen, the button, and what came of it."""
    import streamlit as st

    known = list(columns_of(work.source))
    ending = st.segmented_control(
        "Predictions as", _ENDINGS, default=_ENDINGS[0], key="batch_ending", required=True
    )
    keys = st.multiselect(
        "Columns to copy to the predictions",
        known,
        key="batch_keys",
        help="Such as the one that names the row. The number of the line is always there.",
    )
    if st.button("Predict the file", type="primary", key="batch_ask", icon=":material/bolt:"):
        work.done = None
        work.notes.clear()
        with _shown(work.notes) as progress:
            work.done = predicted(model, work, ending or _ENDINGS[0], keys, progress)
        work.model = model.label
    if work.done is not None:
        _told(work, work.done)


def _told(work: Work, done: Summary) -> None:
    import polars as pl
    import streamlit as st

    stem = Path(work.name).stem
    counts = {"rows": done.rows, "predicted": done.predicted, "left out": done.bad}
    counts["flagged"] = done.flagged
    with st.container(horizontal=True):
        for word, count in counts.items():
            st.metric(word.capitalize(), f"{count:,}", width="content")
    st.caption(f"By {plain(work.model)}.")
    for note in work.notes:
        st.caption(plain(note))
    st.subheader("Predictions")
    rows = head(done.out)
    apart = large(rows.to_dicts(), [name for name in _FIGURES if name in rows.columns])
    st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        key="batch_head",
        column_config={name: st.column_config.NumberColumn(format="localized") for name in apart},
    )
    if done.predicted > _SHOWN:
        st.caption(f"The first {_SHOWN} of {done.predicted:,} rows.")
    with st.container(horizontal=True):
        _taken(done.out, f"{stem}.predictions{done.out.suffix}", "Take the predictions")
        if done.errors is not None:
            _taken(done.errors, f"{stem}.errors.csv", "Take the rows left out")
    if done.flags:
        st.subheader("Flags")
        flags = [{"flag": flag, "rows": rows} for flag, rows in done.flags.items()]
        st.dataframe(flags, hide_index=True, width="stretch", key="batch_flags")
    if done.errors is not None:
        st.subheader("Rows left out")
        shown = head(done.errors).with_columns(pl.col("reason").str.replace(_ESCAPED, "$1"))
        st.dataframe(shown, hide_index=True, width="stretch", key="batch_bad")


def _taken(path: Path, name: str, words: str) -> None:
    import streamlit as st

    st.download_button(
        words,
        path.read_bytes,  # only when it is asked for
        file_name=name,
        key=f"batch_take_{path.suffix}_{words}",
        on_click="ignore",
        icon=":material/download:",
    )


@contextmanager
def _shown(notes: list[str]) -> Iterator[_Shown]:
    """Show progress while the block runs; notices are kept for after it."""
    import streamlit as st

    place = st.empty()
    yield _Shown(place, notes)
    place.empty()


class _Shown:
    def __init__(self, place: Any, notes: list[str]) -> None:
        self._place, self._notes = place, notes
        self._done, self._total = 0.0, 1.0

    @contextmanager
    def task(
        self, title: str, total: float | None = None, *, even: bool = True
    ) -> Iterator[_Shown]:
        del title, even
        self._total = total or 1.0
        self._place.progress(0.0)
        yield self

    def advance(self, steps: float = 1, note: str = "") -> None:
        self._done += steps
        self._place.progress(min(1.0, self._done / self._total), note or None)

    def notice(self, text: str) -> None:
        self._notes.append(text)
