"""Which stages are stale, and why: the plan compared with what the last runs recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from heddle.pipeline.plan import Plan
from heddle.pipeline.stages import Stage

__all__ = ["Evidence", "Recorded", "StageState", "column_changes", "states", "value_changes"]

_SHOWN = 6
_ABSENT: Any = object()  # a key that is not there, which differs from one that is null


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What is known of a stage's last run: digests of what it read and wrote, and its entry."""

    entry: Mapping[str, Any] | None
    reads: Mapping[str, str] = field(default_factory=dict)  # path -> digest
    writes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageState:
    """One stage: fresh, or the reasons for which it would run again."""

    name: str
    reasons: tuple[str, ...] = ()

    @property
    def stale(self) -> bool:
        return bool(self.reasons)


class Evidence(Protocol):
    """What lies in the project now, and what is kept of what lay there."""

    def digest(self, path: str) -> str | None:
        """Digest of a file or folder of the project, None when it is missing."""

    def old_metadata(self, digest: str) -> Mapping[str, Any] | None:
        """A metadata file by its recorded digest, None when it is not kept."""

    def new_metadata(self, path: str) -> Mapping[str, Any] | None:
        """The metadata file at a path as it lies there now."""


def states(
    plan: Plan, recorded: Mapping[str, Recorded], evidence: Evidence
) -> tuple[StageState, ...]:
    """Return the state of every stage, in the plan's order.

    Args:
        plan: the stages as configuration and code declare them now.
        recorded: the last run of each stage that has run.
        evidence: the files.
    """
    found: dict[str, StageState] = {}
    makers = {output: stage.name for stage in plan.stages for output in stage.outputs}
    for stage in plan.stages:
        reasons = tuple(_reasons(plan, stage, recorded.get(stage.name), evidence))
        if not stage.frozen or stage.name not in recorded:
            above = dict.fromkeys(makers[r] for r in stage.reads if found[makers[r]].stale)
            reasons = (*reasons, f"waits for {', '.join(above)}") if above else reasons
        found[stage.name] = StageState(name=stage.name, reasons=reasons)
    return tuple(found.values())


def _reasons(plan: Plan, stage: Stage, last: Recorded | None, evidence: Evidence) -> Iterator[str]:
    if last is None:
        yield "never ran"
    elif not stage.frozen:
        if stage.always_changed:
            yield "declared to run always"
        yield from _entry_reasons(plan.entries[stage.name], last.entry)
        yield from _read_reasons(plan, stage, last, evidence)
        yield from _write_reasons(plan, stage, last, evidence.digest)


def _entry_reasons(now: Mapping[str, Any], then: Mapping[str, Any] | None) -> Iterator[str]:
    if then is None:
        yield "its configuration was not recorded"
        return
    for path, old, new in value_changes(then, now):
        head, _, rest = path.partition(".")
        if head == "code":
            word = "is new" if old is _ABSENT else "is gone" if new is _ABSENT else "changed"
            yield f"code {rest} {word}"
        elif head == "contracts":
            yield f"contract {rest}{_change(old, new)}"
        else:
            yield f"config {_step_key(path)}{_change(old, new)}"


def _step_key(path: str) -> str:
    """Turn `steps[each].with.how` into `each.how`."""
    if not path.startswith("steps["):
        return path
    name, _, rest = path[len("steps[") :].partition("]")
    return f"{name}{rest.removeprefix('.with')}" if rest else f"step {name}"


def _read_reasons(plan: Plan, stage: Stage, last: Recorded, evidence: Evidence) -> Iterator[str]:
    digest = evidence.digest
    for read in stage.reads:
        paths = plan.paths(read)
        changed = [p for p in paths if digest(p) != last.reads.get(p)]
        if not changed:
            continue
        meta = paths[-1]
        if meta.endswith("_metadata.json") and meta not in changed:
            yield f"input {read} was changed by hand: its metadata is as it was"
            continue
        old = (
            evidence.old_metadata(last.reads.get(meta, ""))
            if meta.endswith("_metadata.json")
            else None
        )
        new = evidence.new_metadata(meta) if old is not None else None
        if old is not None and new is not None:
            yield f"input {read}: {'; '.join(column_changes(old, new))}"
        else:
            yield f"input {read} {'is missing' if digest(changed[0]) is None else 'changed'}"
    for path in plan.files[stage.name]:
        if digest(path) != last.reads.get(path):
            yield f"file {path} {'is missing' if digest(path) is None else 'changed'}"
    known = {p for read in stage.reads for p in plan.paths(read)} | set(plan.files[stage.name])
    for path in last.reads:
        if path not in known:
            yield f"no longer reads {path}"


def _write_reasons(
    plan: Plan, stage: Stage, last: Recorded, digest: Callable[[str], str | None]
) -> Iterator[str]:
    for output in stage.outputs:
        for path in plan.paths(output):
            found = digest(path)
            if found is None:
                yield f"output {path} is missing"
            elif path not in last.writes:
                yield f"output {path} was not recorded"
            elif found != last.writes[path]:
                yield f"output {path} was changed by hand"


def column_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Say in words how two descriptions of a data version differ.

    >>> column_changes({"rows": 3, "columns": {"a": {"hash": "1"}}},
    ...                {"rows": 3, "columns": {"a": {"hash": "2"}, "b": {"hash": "3"}}})
    ['new column b', 'column a changed']
    """
    then, now = old.get("columns", {}), new.get("columns", {})
    said: list[str] = []
    if old.get("rows") != new.get("rows"):
        said.append(f"rows {old.get('rows'):,} -> {new.get('rows'):,}")
    said += _named("new column", [c for c in now if c not in then])
    said += _named("column gone:", [c for c in then if c not in now])
    both = [c for c in now if c in then]
    retyped = [c for c in both if then[c].get("type") != now[c].get("type")]
    said += [f"column {c}: {then[c]['type']} -> {now[c]['type']}" for c in retyped]
    changed = [c for c in both if c not in retyped and then[c]["hash"] != now[c]["hash"]]
    if changed and len(changed) == len(both) and len(both) > 1:
        said.append("every column changed")
    elif changed:
        said.append(f"{_named('column', changed)[0]} changed")
    if not said and old.get("content_hash") != new.get("content_hash"):
        said.append("the same values in other rows")
    return said or ["the file was written anew, its content is the same"]


def _named(word: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    plural = "s" if len(names) > 1 and not word.endswith(":") else ""
    return [f"{word}{plural} {', '.join(names[:_SHOWN])}{more}"]


def value_changes(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield (path, old, new) for each leaf in which two nested plain values differ.

    A key that one side lacks counts as different from one that is null.

    >>> list(value_changes({"a": {"b": 1}}, {"a": {"b": 2}}))
    [('a.b', 1, 2)]
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*old, *new)):
            yield from value_changes(
                old.get(key, _ABSENT), new.get(key, _ABSENT), f"{path}.{key}" if path else key
            )
    elif _named_items(old) and _named_items(new):
        then, now = ({item["name"]: item for item in items} for items in (old, new))
        for name in dict.fromkeys((*then, *now)):
            a, b = then.get(name, _ABSENT), now.get(name, _ABSENT)
            yield from value_changes(a, b, f"{path}[{name}]")
        if list(then) != [n for n in now if n in then] and set(then) == set(now):
            yield f"{path} order", list(then), list(now)
    elif isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)):
        if len(old) == len(new):
            for index, (a, b) in enumerate(zip(old, new, strict=True)):
                yield from value_changes(a, b, f"{path}[{index}]")
        else:
            yield path, old, new
    elif old != new or type(old) is not type(new):
        yield path, old, new


def _named_items(value: Any) -> bool:
    """Tell a list of mappings that each have a name of their own."""
    if not isinstance(value, (list, tuple)) or not value:
        return False
    names = [item.get("name") for item in value if isinstance(item, Mapping)]
    return len(names) == len(value) == len(set(names)) and None not in names


def _change(old: Any, new: Any) -> str:
    """Say what became of a value, never by printing a whole mapping."""
    if old is _ABSENT and isinstance(new, Mapping):
        return " is new"
    if new is _ABSENT and isinstance(old, Mapping):
        return " is gone"
    if isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)):
        gone, more = ([v for v in one if v not in other] for one, other in ((old, new), (new, old)))
        told = [
            f"{word} {', '.join(map(_short, of))}"
            for word, of in (("no longer", gone), ("now", more))
            if of
        ]
        if told:
            return f": {'; '.join(told)}"
    return f": {_short(old)} -> {_short(new)}"


def _short(value: Any) -> str:
    text = "nothing" if value is _ABSENT else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
