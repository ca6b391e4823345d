"""Files of what really came."""

import math

import polars as pl
import pytest

from heddle.domain.errors import ConfigError, DataContractError
from heddle.serving.outcomes import bad_outcomes, read_outcomes

A, B = "a" * 32, "b" * 32


def test_ids_and_outcomes_are_read_whatever_stands_beside_them(tmp_path):
    """Ids as they were given out, be there blanks around them or capital letters."""
    file = tmp_path / "sold.csv"
    file.write_text(f"agent;Request;Price \nx;{A.upper()};1.5\ny; {B} ;2e5\n")
    told = read_outcomes(file, id_column="Request", outcome_column="Price")
    assert told.pairs == ((A, 1.5), (B, 2e5))
    assert told.faults == ()


def test_parquet_is_read(tmp_path):
    """With numbers as they are stored; no outcome is taken for a missing one."""
    file = tmp_path / "sold.parquet"
    pl.DataFrame(
        {"id": [A, B, A, None], "outcome": [0.1 + 0.2, math.nan, None, 1.0]}
    ).write_parquet(file)
    told = read_outcomes(file)
    assert told.pairs == ((A, 0.1 + 0.2),)
    assert [(f.line, f.column) for f in told.faults] == [(2, "outcome"), (3, "outcome"), (4, "id")]


@pytest.mark.parametrize("cell", ["", "nan", "inf", "-inf", "12 000", "1,5", "soon", "true"])
def test_what_is_no_finite_number_is_a_bad_row(tmp_path, cell):
    """It is named with its line, and no other row is lost."""
    file = tmp_path / "sold.csv"
    file.write_text(f'id,outcome\n{A},1\n{B},"{cell}"\n')
    told = read_outcomes(file)
    assert told.pairs == ((A, 1.0),)
    (fault,) = told.faults
    assert (fault.line, fault.column) == (3, "outcome")
    with pytest.raises(DataContractError, match=r"sold.csv: 1 bad rows; line 3: outcome .*Nothing"):
        raise bad_outcomes(file, told)


def test_many_bad_rows_are_counted(tmp_path):
    """The first are named."""
    file = tmp_path / "sold.csv"
    file.write_text("id,outcome\n" + "".join(f"{i},x\n" for i in range(8)))
    words = str(bad_outcomes(file, read_outcomes(file)))
    assert words.startswith("sold.csv: 8 bad rows; line 2: outcome ")
    assert "line 6: " in words
    assert " and 3 more. Nothing was written. Mend them, or leave them out with --on-error" in words


def test_a_file_that_cannot_be_meant_is_refused(tmp_path):
    """No such file, a missing column, one column for both."""
    file = tmp_path / "sold.csv"
    file.write_text("id,price\na,1\n")
    (tmp_path / ".out.heddle-predict").mkdir()
    with pytest.raises(DataContractError, match="'outcome'"):
        read_outcomes(file)
    with pytest.raises(ConfigError, match=r"no file .*; did you mean 'sold.csv'\? Known: sold.csv"):
        read_outcomes(tmp_path / "sold.cvs")
    with pytest.raises(ConfigError, match="ids and outcomes cannot both stand in column 'id'"):
        read_outcomes(file, outcome_column="id")
