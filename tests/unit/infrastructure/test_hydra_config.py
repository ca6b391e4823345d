"""What a configuration may say, and how its mistakes are told."""

from __future__ import annotations

import pytest

from heddle.domain.errors import ConfigError
from heddle.infrastructure.hydra_config import compose_config

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{c}: &{c} [{','.join([f'*{b}'] * 9)}]\n" for b, c in zip("abcdefgh", "bcdefghi", strict=True)
)


def refused(root, text: str | bytes = "", *overrides: str) -> str:
    if text:
        path = root / "configs/transformations/odd.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        compose_config(root, overrides)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("data_storag=csv", "no key or group 'data_storag'; did you mean 'data_storage'?"),
        ("data_storage=csvv", "data_storage has no option 'csvv'; did you mean 'csv'?"),
        ("engine=duckbd", "engine has no option 'duckbd'; did you mean 'duckdb'?"),
        ("world.core=3", "no key 'world.core'; did you mean 'cores'?"),
        ("transformations.scaled.colum=a", "did you mean 'column'?"),
        ("a=[1,", "override 'a=[1,' cannot be read"),
        ("=3", "override: "),
        ("fish", "'fish' is neither a stage nor an override"),
        ("transformations=[scaled,nope]", "transformations has no option 'nope'"),
        ("world.project=${shell:touch X}", "Unsupported interpolation type shell"),
        ("world.project=${oc.env:PATH}", "environment variable PATH may not be read"),
        ("world.project=${nowhere.x}", "nowhere"),
        ("world.project=???", "world.project"),
    ],
)
def test_a_wrong_override_is_told(tiny, override, said):
    """With what exists."""
    assert said in refused(tiny, "", override)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("q: {a: [1,\nb: 2", "configs/transformations/odd.yaml:3: is not YAML"),
        ("q: {a: 1, a: 2}", "odd.yaml:1: key 'a' is said twice"),
        ("q: 1\n\nq: 2", "odd.yaml:3: key 'q' is said twice"),
        ("- 1", "must hold a mapping"),
        ("7", "must hold a mapping"),
        ("q: 1\n---\nr: 2", "is not YAML"),
        ("q: !!python/object/apply:os.system [touch X]", "python/object/apply:os.system' is not"),
        ("q: !include x", "the tag '!include' is not read"),
        (BOMB, "has more than 20,000 values"),
        ("q: " + "[" * 5000 + "]" * 5000, "is nested more than 40 levels deep"),
        ("q: &q {a: *q}", "an alias stands inside what it names"),
        ("q: {a: é}".encode("latin-1"), "is not YAML"),
        (b"q: 'a\0'", "is not YAML"),
        ("q: {null: 1}", "Incompatible key type"),
        ("#" * 1_000_001, "is larger than 1,000,000 bytes"),
        ("q: {a: '???'}", "q.a has no value"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(tiny, text, said):
    """Before anything is built from it: a bomb does not explode."""
    assert said in refused(tiny, text)


def test_the_bomb_is_small():
    """307 bytes that some loaders unfold for minutes."""
    assert len(BOMB) < 320


def test_a_group_that_the_defaults_do_not_name_is_told(tiny):
    """Not as an override that nobody wrote."""
    folder = tiny / "configs/ml_experiments"
    folder.mkdir()
    (folder / "a.yaml").write_text("a: 1")
    assert "Add `- ml_experiments: []` to its defaults" in refused(tiny)


def test_no_project_here(tmp_path):
    """The way to one is told."""
    assert "no configs/config.yaml here" in refused(tmp_path)


def test_what_is_allowed(tiny, monkeypatch):
    """Every file of the whole groups, a plus before what is known, named environment variables."""
    monkeypatch.setenv("USER", "someone")
    words = ["+world.project=${oc.env:USER}", "+data_storage=csv", "+remote=none"]
    found = compose_config(tiny, words)
    assert found["remote"] == {"url": ""}  # a group that the defaults do not name
    assert found["world"]["project"] == "someone"
    assert found["world"]["storage"] == {"kind": "csv"}
    assert set(found["transformations"]) == {"scaled", "each", "side_by_side"}
    assert "hydra" not in found


def test_contracts_that_are_like_another_are_written_out_for_all_who_refer_to_them(tiny):
    """Also for an interpolation elsewhere in the configuration."""
    versions = tiny / "configs" / "data_versions"
    (versions / "v7.yaml").write_text("v7: {like: v0, columns: {extra: {type: int}}}\n")
    (tiny / "configs/transformations/odd.yaml").write_text(
        "odd: {contract: '${data_versions.v7}'}\n"
    )
    config = compose_config(tiny)
    columns = config["data_versions"]["v0"]["columns"] | {"extra": {"type": "int"}}
    assert config["data_versions"]["v7"] == {"columns": columns}
    assert config["transformations"]["odd"]["contract"] == {"columns": columns}
    said = refused(tiny, "", "data_versions.v7.like=v9")
    assert "data_versions.v7: like 'v9', which is not declared. Known: v0, v7" in said
