"""A name that cannot be is refused with one that can."""

from __future__ import annotations

import ast
import builtins
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.domain.errors import ConfigError
from heddle.presentation.new.step_names import TAKEN, checked_step_name, class_name, plain_word


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Cap-Rooms", "use lower-case letters, digits and single underscores. 'cap_rooms'"),
        ("../evil", "'evil' would do."),
        ("2nd", "'step_2nd' would do."),
        ("größe", "'grosse' would do."),
        ("日本", "'my_step' would do."),
        ("", "'my_step' would do."),
        ("a__b", "'a_b' would do."),
        ("a" * 41, f"use at most 40 characters. {'a' * 40!r} would do."),
        ("class", "Python, or a step's own code, has that word already. 'class_step' would do."),
        ("match", "'match_step' would do."),
        ("filter", "'filter_step' would do."),
        ("value_error", "'value_error_step' would do."),  # its class would be ValueError
        ("table", "'table_step' would do."),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_one_that_can(name, words):
    """One line, and the exit code of a usage error."""
    with pytest.raises(ConfigError, match="cannot name a step") as told:
        checked_step_name(name)
    assert words in str(told.value)
    assert told.value.exit_code == 2


@given(st.text(max_size=30))
def test_what_is_proposed_is_itself_accepted(name):
    """Whatever was typed."""
    near = plain_word(name)
    assert not near or len(near) > 40 or checked_step_name(near) == near


def test_the_words_of_the_template_are_taken():
    """A step of that name would hide what its own module stands on."""
    text = files("heddle.presentation.new").joinpath("step.py.template").read_text()
    tree = ast.parse(text.replace("$name", "lag").replace("$Class", "Lag"))
    docstring = next(n for n in tree.body if isinstance(n, ast.FunctionDef))
    example = [line[4:] for line in ast.get_docstring(docstring).splitlines() if ">>>" in line]
    used = set()
    for node in (*ast.walk(tree), *ast.walk(ast.parse("\n".join(example)))):
        used |= {node.id} if isinstance(node, ast.Name) else set()
        used |= {node.arg} if isinstance(node, ast.arg) else set()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            used |= {alias.asname or alias.name for alias in node.names}
    assert len(used) > 8
    assert used - {"lag", "Lag", "__all__"} <= {*TAKEN, *dir(builtins)}


def test_the_class_of_a_step_is_its_name_in_camel_case():
    """As the library's own."""
    assert class_name("lag_2_columns") == "Lag2Columns"
