"""The rows of a request, read strictly: what the manifest declares, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heddle.domain.errors import closest
from heddle.registry.manifest import Manifest
from heddle.serving.api.fields import Field, field_of
from heddle.serving.api.reading import shown
from heddle.serving.api.refused import Refused
from heddle.serving.api.settings import Settings

__all__ = ["RowReader"]

Faults = list[tuple[str, str]]


class RowReader:
    """Reads the rows that one model is asked about.

    Args:
        manifest: of the model.
        settings: how many rows, and what becomes of unusual ones.
    """

    def __init__(self, manifest: Manifest, settings: Settings) -> None:
        self.fields: dict[str, Field] = {
            name: field_of(
                name,
                column,
                manifest.seen.get(name, {}),
                outside=settings.outside,
                categories=settings.categories,
            )
            for name, column in manifest.columns.items()
        }
        self.history = manifest.history
        self.most = settings.most_rows
        self.least = 1 if self.history is None else self.history.lookback + 1
        self._names = self.fields.keys()
        self._needed = {n for n, f in self.fields.items() if not f.column.optional}

    def read(self, document: Any) -> dict[str, list[Any]]:
        """Return the columns of `{"instances": [row, …]}`, typed.

        Raises:
            Refused: 422, with the path and the reason of each fault.
        """
        rows = self._rows(document)
        faults: Faults = []
        for place, row in enumerate(rows):
            if type(row) is not dict:
                faults.append((f"instances[{place}]", "must be an object"))
            elif row.keys() != self._names:
                faults += self._misnamed(place, row)
        if faults:
            raise _invalid(faults)
        columns: dict[str, list[Any]] = {}
        for name, field in self.fields.items():
            told = [row.get(name) for row in rows] if field.column.optional else None
            values = [row[name] for row in rows] if told is None else told
            columns[name], bad = self._typed(field, values, rows)
            faults += [(f"instances[{place}].{name}", reason) for place, reason in bad]
        if faults:
            raise _invalid(faults)
        if self.history is not None:
            self._rising(columns[self.history.time], self.history.time)
        return columns

    def remarks(self, columns: Mapping[str, list[Any]], rows: int) -> list[str]:
        """Return for each row what is unusual about it, joined by `;`, "" without any.

        The words are those of `heddle.serving.flags.flags`.
        """
        found: dict[int, list[str]] = {}
        for name, field in self.fields.items():
            for place in field.strange(columns[name]):
                found.setdefault(place, []).append(field.remark)
        return [";".join(found.get(place, ())) for place in range(rows)] if found else [""] * rows

    def _rows(self, document: Any) -> list[Any]:
        if type(document) is not dict:
            raise _invalid([("", "the body must be an object with `instances`")])
        faults = [(shown(key), "is unknown") for key in document if key != "instances"]
        rows = document.get("instances")
        if "instances" not in document:
            faults.append(("instances", "is missing"))
        elif type(rows) is not list:
            faults.append(("instances", "must be a list of rows"))
        elif not rows:
            faults.append(("instances", "must hold at least one row"))
        elif len(rows) > self.most:
            faults.append(("instances", f"must hold at most {self.most:,} rows"))
        elif len(rows) < self.least:
            words = f"must hold at least {self.least:,} rows: the model looks back so far"
            faults.append(("instances", words))
        if faults:
            raise _invalid(faults)
        assert isinstance(rows, list)
        return rows

    def _misnamed(self, place: int, row: dict[str, Any]) -> Faults:
        at = f"instances[{place}]"
        missing = [
            (f"{at}.{n}", "is missing") for n in self._names if n in self._needed - row.keys()
        ]
        unknown: Faults = []
        for name in row.keys() - self._names:
            meant = closest(shown(name), self._names)
            words = f"is unknown; did you mean {meant!r}?" if meant else "is unknown"
            unknown.append((f"{at}.{shown(name)}", words))
        return [*missing, *sorted(unknown)]

    @staticmethod
    def _typed(
        field: Field, values: list[Any], rows: list[dict[str, Any]]
    ) -> tuple[list[Any], list[tuple[int, str]]]:
        made, bad = field.values(values)
        if field.column.optional:  # what was left out is not a null that was written
            bad = [(place, reason) for place, reason in bad if field.name in rows[place]]
        return made, bad

    @staticmethod
    def _rising(days: list[Any], name: str) -> None:
        for place in range(1, len(days)):
            if not days[place - 1] < days[place]:
                raise _invalid(
                    [(f"instances[{place}].{name}", "must be later than the one before")]
                )


def _invalid(faults: Faults) -> Refused:
    count = len(faults)
    return Refused(422, "one fault" if count == 1 else f"{count:,} faults", faults)
