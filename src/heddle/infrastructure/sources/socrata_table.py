"""Which table of a Socrata portal is meant, how it is asked for, and what its fields become."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlencode

from heddle.domain.errors import ConfigError
from heddle.infrastructure.sources.address import Address, read_address

__all__ = ["SocrataTable"]

_MOST_ROWS = 50_000  # that a portal gives in one page
_ROW_ID = ":id"  # the portal's own, unique field


@dataclass(frozen=True, slots=True, kw_only=True)
class SocrataTable:
    """A data set of a portal, and which part of it is wanted in which order."""

    site: str  # https://HOST
    dataset: str  # four letters or digits, a dash, four more
    page_rows: int = _MOST_ROWS
    page_format: Literal["csv", "json"] = "csv"
    order: str = _ROW_ID  # made unique by the row's id, so that pages neither overlap nor miss
    where: str = ""
    select: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)  # the portal's name -> the column's
    undeclared: Literal["refuse", "keep"] = "refuse"  # a field that is not in `fields`

    def __post_init__(self) -> None:
        read_address(self.site, "ingestion.site")
        if not re.fullmatch(r"[a-z0-9]{4}-[a-z0-9]{4}", self.dataset):
            raise ConfigError(
                f"{self.dataset!r} is no id of a data set",
                where="ingestion.dataset",
                todo="It stands in the page's address: 4 letters or digits, a dash, 4 more.",
            )
        if not 1 <= self.page_rows <= _MOST_ROWS:
            what = f"1 <= page_rows <= {_MOST_ROWS:,} must hold, but got {self.page_rows}"
            raise ConfigError(what, where="ingestion.page_rows")
        names = list(self.fields.values())
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ConfigError(f"two fields become {twice!r}", where="ingestion.fields")

    @property
    def origin(self) -> str:
        """What was asked for, fit to be recorded."""
        parts = {"$select": self.select, "$where": self.where, "$order": self._order}
        told = "&".join(f"{key}={value}" for key, value in parts.items() if value)
        return f"{self._resource}?{told}"

    @property
    def key(self) -> str:
        """What pages depend on: those of another key are of no use."""
        return f"{self.origin}&$limit={self.page_rows}&format={self.page_format}"

    def page(self, number: int) -> Address:
        """Return the address of a page, counted from 0."""
        window = {"$limit": self.page_rows, "$offset": number * self.page_rows}
        chosen = {"$select": self.select, "$where": self.where, "$order": self._order}
        return self._address(self.page_format, {**chosen, **window})

    def count(self) -> Address:
        """Return the address that tells how many rows there are."""
        return self._address("json", {"$select": "count(*)", "$where": self.where})

    def columns(self, seen: Iterable[str], *, partly: bool = False) -> dict[str, str]:
        """Return field to column for the fields that came: declared ones first, in that order.

        Args:
            seen: the fields that came.
            partly: others may still come, so that none is missed yet.

        Raises:
            ConfigError: a declared field did not come, or another one came.
        """
        came = list(dict.fromkeys(seen))
        missing = next((name for name in self.fields if name not in came), None)
        if missing and not partly:
            raise ConfigError(
                f"no field {missing!r} came",
                where="ingestion.fields",
                wanted=missing,
                known=came,
                todo="Field names stand on the data set's API page.",
            )
        others = [name for name in came if name not in self.fields]
        if others and self.fields and self.undeclared == "refuse":
            raise ConfigError(
                f"the field {others[0]!r} is not declared",
                where="ingestion.fields",
                known=self.fields,
                todo="Declare it, leave it out by ingestion.select, "
                "or set ingestion.undeclared=keep.",
            )
        columns = dict(self.fields)
        for name in others:
            if name in columns.values():
                what = f"two fields become {name!r}, one of them undeclared"
                raise ConfigError(what, where="ingestion.fields")
            columns[name] = name
        return columns

    @property
    def _order(self) -> str:
        if re.search(rf"(^|[\s,]){_ROW_ID}\b", self.order):
            return self.order
        return f"{self.order},{_ROW_ID}" if self.order else _ROW_ID

    @property
    def _resource(self) -> str:
        site = read_address(self.site, "ingestion.site").shown.partition("?")[0].rstrip("/")
        return f"{site}/resource/{self.dataset}"

    def _address(self, suffix: str, query: Mapping[str, object]) -> Address:
        told = urlencode({key: value for key, value in query.items() if value != ""})
        return read_address(f"{self.site.rstrip('/')}/resource/{self.dataset}.{suffix}?{told}")
