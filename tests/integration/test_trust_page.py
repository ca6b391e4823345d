"""What the page on trust shows is what happens."""

import json
import shlex
import shutil
import subprocess
from pathlib import Path

from tests.e2e.test_docs import ROOT, script
from tests.saved_model import saved_model

from heddle.presentation.cli import run


def test_every_command_of_the_page_on_trust_works(tmp_path, monkeypatch, capsys):
    """A key, a signature, a check; then another key, and the old one is trusted no more."""
    root = tmp_path / "project"
    _, digest = saved_model(root / "models" / "model")
    monkeypatch.chdir(root)
    lines = []
    for command in script(ROOT / "docs/how-to/trust.md").splitlines():
        words, _, file = command.partition(" >> ")
        if not words.startswith("heddle "):
            subprocess.run(command, shell=True, check=True)
            continue
        assert run(shlex.split(words)[1:]) == 0, command  # in this process: a second less each
        said = capsys.readouterr().out
        if file:
            with Path(file).open("a") as trusted:
                trusted.write(said)
        lines += [line for line in said.splitlines() if line.startswith("price, ")]
    assert lines == [
        f"price, skops, signed by release-{year}, digest {digest}" for year in (2027, 2028)
    ]
    assert [p.stat().st_mode & 0o777 for p in (tmp_path / "keys").iterdir()] == [0o600] * 2


def test_a_copy_that_was_changed_is_not_verified(tmp_path, capsys):
    """Exit code 4 and the reason; without a key to trust it is what it is."""
    folder, digest = saved_model(tmp_path / "model")
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    place = ["-C", str(tmp_path)]
    assert run(["verify", str(copy), "--digest", digest, "--json", *place]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["signature"], told["digest"], told["warnings"]) == ("unsigned", digest, [])
    assert run(["sign", str(copy), *place]) == 2
    assert "no key to sign with. Name its file: --key FILE" in capsys.readouterr().err
    (copy / "golden.json").write_text("{}")
    assert run(["verify", str(copy), "--digest", digest, *place]) == 4
    assert "golden.json: differs from its manifest: sha256" in capsys.readouterr().err
