"""A project's own dvc.yaml template: rendered without rights, and held to what is declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from heddle.domain.errors import ConfigError
from heddle.domain.names import inside
from heddle.pipeline.yaml_text import dump, load

__all__ = ["Template", "read_template", "rendered"]

_KEY = "pipeline.template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A Jinja template for dvc.yaml; it is given `stages`, name -> fields as DVC reads them."""

    name: str  # path below the project
    text: str


def read_template(named: Any, root: Path) -> Template | None:
    """Return the template that `pipeline.template` names, None when it names none.

    Raises:
        ConfigError: it is no text, lies outside the project, or is not there.
    """
    if named is None:
        return None
    if not isinstance(named, str):
        raise ConfigError(f"must be a path, not {named!r}", where=_KEY)
    path = inside(root, named, what=_KEY)
    try:
        return Template(name=named, text=path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as fault:
        told = fault.strerror if isinstance(fault, OSError) else "it is not utf-8 text"
        raise ConfigError(f"cannot read {named!r}: {told}", where=_KEY) from None


def rendered(template: Template, stages: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text that the template makes of the stages.

    What it adds beside `stages` (plots, artifacts, comments) is free; the stages themselves must
    be the declared ones, field by field.

    >>> stages = {"a": {"cmd": "heddle stage a"}}
    >>> print(rendered(Template(name="t", text="stages: {{ stages | tojson }}"), stages))
    stages: {"a": {"cmd": "heddle stage a"}}

    Raises:
        ConfigError: it cannot be rendered, gives no YAML, or other stages.
    """
    from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    room = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    room.filters["yaml"] = dump
    try:
        text = room.from_string(template.text).render(stages=stages)
    except TemplateSyntaxError as fault:
        raise ConfigError(f"{fault.message}", where=f"{template.name}:{fault.lineno}") from None
    except (TemplateError, TypeError, ValueError, OverflowError) as fault:
        raise ConfigError(f"cannot be rendered: {fault}", where=template.name) from None
    _check(_parsed(text, template.name), stages, template.name)
    return text


def _parsed(text: str, name: str) -> Mapping[str, Any]:
    try:
        found = load(text.encode())
    except yaml.YAMLError as fault:
        words = " ".join(str(fault).split())
        raise ConfigError(f"gives no YAML: {words}", where=name) from None
    if not isinstance(found, Mapping) or not isinstance(found.get("stages"), Mapping):
        raise ConfigError("gives no mapping `stages`", where=name)
    return found


def _check(found: Mapping[str, Any], declared: Mapping[str, Mapping[str, Any]], name: str) -> None:
    made: Mapping[str, Any] = found["stages"]
    for stage in (*declared, *made):
        if stage not in made:
            raise ConfigError(f"leaves out the stage {stage!r}", where=name)
        if stage not in declared:
            raise ConfigError(
                f"makes a stage {stage!r} that is not declared",
                where=name,
                todo="Declare it in configs/pipeline.",
            )
        one, other = made[stage], declared[stage]
        if not isinstance(one, Mapping):
            raise ConfigError(f"stage {stage!r} is {one!r}, not a mapping", where=name)
        for key in (*other, *one):
            if one.get(key) != other.get(key):
                raise ConfigError(
                    f"stage {stage!r} has {key} {one.get(key)!r}, declared is {other.get(key)!r}",
                    where=name,
                )
