"""The composed configuration of a project, as plain data, its mistakes as ConfigErrors."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from heddle.domain.errors import ConfigError
from heddle.infrastructure.yaml_check import check_yaml
from heddle.pipeline.yaml_text import load
from heddle.validation.inherit import inherited

__all__ = ["compose_config"]

_WHOLE_GROUPS = ("transformations", "data_versions", "ml_experiments")
_ENVIRONMENT = ("USER",)


def compose_config(root: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Compose `configs/config.yaml` below `root` with Hydra and resolve it to plain data.

    Of the groups `transformations`, `data_versions` and `ml_experiments` every file is taken, so
    that adding one needs no list elsewhere.

    Raises:
        ConfigError: no such project, a file that is not safe YAML, an unknown group, option or
            key, a missing value, an interpolation that leads nowhere.
    """
    folder = root / "configs"
    if not (folder / "config.yaml").exists():
        raise ConfigError(
            "no configs/config.yaml here",
            where=str(root),
            todo="Change to a project's folder or name it with -C DIR.",
        )
    _check_files(folder)
    wanted = [_one(override, folder) for override in overrides]
    return _composed(folder, [*_whole_groups(folder, wanted), *wanted])


def _one(override: str, folder: Path) -> str:
    """Accept a plus before a key or group that exists: it is a habit, not a mistake."""
    if "=" not in override and not override.startswith("~"):
        raise ConfigError(
            f"{override!r} is neither a stage nor an override",
            todo="Write overrides as key=value.",
        )
    if re.match(r"[+~]*hydra[./=]", override) and "hydra.searchpath=" not in override:
        raise ConfigError(
            f"{override!r} sets what Heddle does not use of Hydra",
            todo="Only hydra.searchpath may be set.",
        )
    key, _, value = override.partition("=")
    if "." not in key and re.search(r"(^|[\[,/])\.\.|^[/~]", value):
        raise ConfigError(
            f"{value!r} leads out of configs/", where=key.lstrip("+~"), todo="Name an option."
        )
    if not override.startswith("+"):
        return override
    plain = override.lstrip("+")
    if _options(folder, key.lstrip("+")):
        return plain if key.lstrip("+") in _default_groups(folder) else f"+{plain}"
    return f"++{plain}"


def _default_groups(folder: Path) -> set[str]:
    """Return the groups of which `config.yaml` takes an option."""
    told = load((folder / "config.yaml").read_bytes())
    named = told.get("defaults") if isinstance(told, Mapping) else None
    return {str(key) for one in named or () if isinstance(one, Mapping) for key in one}


def _whole_groups(folder: Path, overrides: Sequence[str]) -> list[str]:
    """Name every file of the groups that are taken whole, unless an override names some."""
    named = {override.split("=")[0].lstrip("+~") for override in overrides}
    found: list[str] = []
    for group in _WHOLE_GROUPS:
        options = sorted(path.stem for path in (folder / group).glob("*.yaml"))
        if options and group not in named:
            found.append(f"{group}=[{','.join(options)}]")
    return found


def _composed(folder: Path, overrides: list[str]) -> dict[str, Any]:
    from hydra import compose, initialize_config_dir
    from hydra.errors import ConfigCompositionException, OverrideParseException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    OmegaConf.register_new_resolver("oc.env", _environment, replace=True)
    try:
        with initialize_config_dir(version_base="1.3", config_dir=str(folder.resolve())):
            config = compose("config", overrides=overrides)
        _write_out_contracts(config)
        found = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except OverrideParseException as fault:
        raise ConfigError(
            f"override {fault.override!r} cannot be read",
            todo="Write key=value; quote lists and text with spaces: 'key=[a,b]'.",
        ) from None
    except ConfigCompositionException as fault:
        raise _composition(fault, folder, overrides) from None
    except OmegaConfBaseException as fault:
        raise _resolution(fault) from None
    except ValueError as fault:  # Hydra's words for an override of a group that is no option
        raise ConfigError(str(fault).rstrip("."), where="override") from None
    return {str(key): value for key, value in found.items()}  # type: ignore[union-attr]


def _write_out_contracts(config: Any) -> None:
    """Give contracts that are like another their columns, before anything refers to them."""
    from omegaconf import OmegaConf, open_dict

    declared = config.get("data_versions")
    versions = OmegaConf.to_container(declared, resolve=True) if declared else {}
    if isinstance(versions, dict) and any("like" in (told or ()) for told in versions.values()):
        with open_dict(config):
            config.data_versions = inherited({str(key): told for key, told in versions.items()})


def _environment(name: str, default: Any = None) -> Any:
    if name not in _ENVIRONMENT:
        raise ValueError(f"environment variable {name} may not be read by a configuration")
    return os.environ.get(name, default)


def _composition(fault: Exception, folder: Path, overrides: Sequence[str]) -> ConfigError:
    """Word what Hydra found wrong with a group, an option or a key."""
    from hydra.errors import MissingConfigException

    if isinstance(fault, MissingConfigException) and fault.missing_cfg_file:
        group, _, option = str(fault.missing_cfg_file).rpartition("/")
        return ConfigError(
            f"{group or 'configs'} has no option {option!r}",
            where=f"configs/{group}",
            wanted=option,
            known=_options(folder, group),
        )
    found = re.search(r"Could not \w+ '?([^'\n]+?)'?\.?\n", f"{fault}\n")
    if found is None:
        return _unnamed(fault, folder)
    key = getattr(fault.__cause__, "full_key", None) or found[1]
    parent, _, leaf = key.rpartition(".")
    kept = [o for o in overrides if o.split("=")[0].lstrip("+~") != found[1]]
    try:
        here: Any = _composed(folder, kept)
    except ConfigError:
        here = {}
    for part in parent.split(".") if parent else ():
        here = here.get(part, {}) if isinstance(here, Mapping) else {}
    known = sorted(here) if isinstance(here, Mapping) else []
    what = f"no key {key!r}" if parent else f"no key or group {key!r}"
    return ConfigError(what, where="override", wanted=leaf, known=known)


def _unnamed(fault: Exception, folder: Path) -> ConfigError:
    """Word what Hydra found wrong where it names no key."""
    lines = [line for line in (*str(fault).split("\n"), str(fault.__cause__)) if line.strip()]
    found = re.match(r"Could not override '(\w+)'\.", lines[0])
    if found and found[1] in _WHOLE_GROUPS and (folder / found[1]).is_dir():
        return ConfigError(
            f"the defaults do not name the group {found[1]!r}, which has files",
            where="configs/config.yaml",
            todo=f"Add `- {found[1]}: []` to its defaults.",
        )
    return ConfigError(lines[0].rstrip("."), where="configs")


def _resolution(fault: Exception) -> ConfigError:
    lines = str(fault).split("\n")
    key = getattr(fault, "full_key", None) or ""
    if type(fault).__name__ == "MissingMandatoryValue":
        found = re.search(r"(?:value:|Missing mandatory value:?)\s*([\w.\[\]]+)", lines[0])
        key = key or (found[1] if found else "")
        return ConfigError(f"{key} has no value", where="configs", todo=f"Add {key}=… .")
    return ConfigError(lines[0].rstrip("."), where=f"configs: {key}" if key else "configs")


def _options(folder: Path, group: str) -> list[str]:
    import heddle.configs

    places: Iterable[Path] = (folder, *(Path(p) for p in heddle.configs.__path__))
    return sorted({path.stem for place in places for path in (place / group).glob("*.yaml")})


def _check_files(folder: Path) -> None:
    """Refuse files that would blow up or that say one key twice, before anything expands them."""
    for path in sorted(folder.rglob("*.yaml")):
        check_yaml(path, path.relative_to(folder.parent).as_posix())
