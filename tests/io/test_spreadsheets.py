"""No text that is written is a formula for a spreadsheet."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from geosoil.io.spreadsheets import FORMULA, guarded_table, spreadsheet_text


@given(text=st.text(max_size=12))
def test_what_begins_as_a_formula_is_a_number(text: str) -> None:
    safe = spreadsheet_text(text)
    assert safe.removeprefix("'") == text or safe == text
    if safe.startswith(FORMULA):
        float(safe.replace(",", ".", 1))


def test_a_sum_that_begins_with_a_number_is_defused() -> None:
    assert spreadsheet_text("-2+3+cmd|' /C calc'!A0").startswith("'")
    assert spreadsheet_text("-12,5") == "-12,5"


def test_other_columns_and_the_table_itself_stay() -> None:
    table = pd.DataFrame({"found": ["=1", "a"], "rule": ["=1", "b"], "n": [-1, 2]})
    safe = guarded_table(table, ["found"])
    assert safe["found"].tolist() == ["'=1", "a"]
    pd.testing.assert_frame_equal(
        table, pd.DataFrame({"found": ["=1", "a"], "rule": ["=1", "b"], "n": [-1, 2]})
    )
    pd.testing.assert_frame_equal(safe[["rule", "n"]], table[["rule", "n"]])
