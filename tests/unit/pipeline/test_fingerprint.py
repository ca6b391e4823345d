"""What counts as a change of code."""

from __future__ import annotations

import pytest

from heddle.domain.errors import ConfigError
from heddle.pipeline.fingerprint import code_of, fingerprint

CODE = '''"""Doc."""

import os


class A:
    """Doc."""

    def f(self, x):
        """Doc of
        two lines."""
        return f"#{x} {x!r:>10}" + "# no comment" + """a

b"""


async def g():
    return 1
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Doc."""\n\nimport', "import"),
        ("import os", "import os  # why"),
        ("import os", "# -*- a comment -*-\n\n\nimport os"),
        ("Doc of\n        two", "Other\n        words of two"),
        ("return 1", "return   1"),
        ("\n", "\r\n"),
    ],
)
def test_what_says_nothing_changes_nothing(old, new):
    """Comments, docstrings, blank lines, spaces between words, line ends."""
    changed = CODE.replace(old, new)
    assert changed != CODE
    assert fingerprint(changed.encode()) == fingerprint(CODE.encode())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return 1", "return 2"),
        ("# no comment", "# no remark"),
        ("#{x}", "#{y}"),
        (":>10", ":>11"),
        ("a\n\nb", "a\nb"),
        ("a\n\nb", "a \n\nb"),
        ("    return 1", "    pass\n    return 1"),
        ("async def", "def"),
        ("import os", "import sys"),
    ],
)
def test_what_says_something_changes_the_mark(old, new):
    """Also inside texts, where a blank line or a # is no layout."""
    assert old in CODE
    assert fingerprint(CODE.replace(old, new).encode()) != fingerprint(CODE.encode())


def test_code_beside_a_docstring_counts():
    """One line may hold both; other letters before it do not shift the place."""
    for code in ('def f(): "doc"; return {}', 'ä = 1; "no doc"\nclass A: "döc"; x = {}'):
        assert fingerprint(code.format(1).encode()) != fingerprint(code.format(2).encode())


def test_form_feeds_and_odd_line_ends_do_not_shift_lines():
    """Text may hold what some take for a line end."""
    one = 's = "\u2028"\nx = 1  # a\ny = 2\n\x0c\nz = 3'
    assert fingerprint(one.encode()) == fingerprint(one.replace("# a", "").encode())
    assert fingerprint(one.encode()) != fingerprint(one.replace("y = 2", "y = 3").encode())


def test_encodings_are_those_that_python_reads():
    """A byte-order mark, a declared latin-1."""
    assert fingerprint("\ufeffx = 1".encode()) == fingerprint(b"x = 1")
    assert fingerprint(b"# coding: latin-1\nx = '\xe9'") == fingerprint("x = 'é'".encode())


def test_imports_are_followed_to_the_end(tmp_path):
    """From the project, from Heddle, relative ones, packages, those inside functions, circles."""
    steps = tmp_path / "steps"
    (steps / "deep").mkdir(parents=True)
    (steps / "a.py").write_text(
        "from steps.b import x\nfrom . import c\ndef a():\n    from steps.deep import y\n"
        "    import shared\n    from heddle.domain.names import natural\n    import polars\n"
    )
    (steps / "b.py").write_text("import steps.a\nx = 1")
    (steps / "c.py").write_text("from .deep.d import z")
    (steps / "deep" / "__init__.py").write_text("y = 1")
    (steps / "deep" / "d.py").write_text("z = 1")
    (tmp_path / "shared.py").write_text("s = 1")
    found = code_of(steps / "a.py", tmp_path)
    assert list(found) == [
        *("heddle/domain/errors.py", "heddle/domain/names.py", "shared.py", "steps/a.py"),
        *("steps/b.py", "steps/c.py", "steps/deep/__init__.py", "steps/deep/d.py"),
    ]
    (steps / "deep" / "d.py").write_text("z = 2")
    assert {k for k, v in code_of(steps / "a.py", tmp_path).items() if v != found[k]} == {
        "steps/deep/d.py"
    }


@pytest.mark.parametrize("text", [b"def f(:", b"x = (", b"x = '\xe9'", b"if 1:\nx = 1"])
def test_what_is_not_python_is_told(tmp_path, text):
    """With the file."""
    (tmp_path / "a.py").write_bytes(text)
    with pytest.raises(ConfigError, match=r"a\.py.*is not Python"):
        code_of(tmp_path / "a.py", tmp_path)
