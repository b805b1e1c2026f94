"""Numbers are printed as they are, and the table of numbers holds them all."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.io.spreadsheets import guarded_table
from geosoil.report.document import NAN, Number, Paragraph, Report, Section, Table
from geosoil.report.numbers import (
    COLUMNS,
    all_numbers,
    number_table,
    numbered,
    print_number,
    print_value,
)
from geosoil.workflow.study_report import TEXT_COLUMNS

REAL = st.floats(-1e9, 1e9, allow_nan=False)


def read_back(text: str) -> float:
    """Read a printed number as a person would."""
    plain = text.replace("\u202f", "").replace(" ", "").replace("\N{MINUS SIGN}", "-")
    return float(plain.removesuffix("%"))


@given(value=REAL, digits=st.integers(0, 4))
def test_a_printed_number_is_the_number_to_half_its_last_digit(
    value: float, digits: int
) -> None:
    half = 0.5 * 10.0**-digits * (1 + 1e-9) + abs(value) * 1e-12
    assert abs(read_back(print_value(value, "fixed", digits)) - value) <= half
    assert abs(read_back(print_value(value, "term", digits)) - value) <= half
    percent = read_back(print_value(value, "percent", digits))
    assert abs(percent - 100 * value) <= half + abs(value) * 1e-10


@given(value=REAL.filter(lambda value: abs(value) > 1e-12))
def test_a_short_number_keeps_its_digits(value: float) -> None:
    found = read_back(print_value(value, "short", 3))
    assert found == pytest.approx(value, rel=0.006)


def test_nothing_is_printed_as_a_negative_zero() -> None:
    assert print_value(-0.0001, "fixed", 2) == "0.00"
    assert print_value(-0.0, "percent", 0) == "0\u202f%"


def test_a_number_that_is_missing_is_a_dash_never_a_zero() -> None:
    assert print_number(Number("n", NAN)) == "\N{EN DASH}"
    assert print_number(Number("n", math.inf)) == "\N{EN DASH}"


def test_an_interval_without_a_value_is_told_as_a_range() -> None:
    share = Number("share", NAN, lower=0.1, upper=0.3, form="percent", digits=0)
    assert print_number(share) == "10 to 30\u202f%"


def test_years_are_whole_words_and_areas_are_set_apart() -> None:
    assert print_value(2020.0, "fixed", 0) == "2020"
    assert print_value(158834.9, "fixed", 0) == "158\u202f835"


def report_of(*numbers: Number) -> Report:
    """Report with numbers in a paragraph and in a table."""
    cells = tuple(((f"row {place}",), (one,)) for place, one in enumerate(numbers))
    table = Table(("Caption",), ("a", "b"), cells)
    blocks = (Paragraph(("First ", *numbers)), table)
    return numbered(Report("study", "", "geosoil", (Section("s", "Title", blocks),)))


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=6))
def test_every_number_is_a_row_with_all_its_digits(values: list[float]) -> None:
    report = report_of(*(Number("n", value, group="g") for value in values))
    table = number_table(report)
    assert table["value"].tolist() == values * 2
    assert table["number"].tolist() == [f"n{k + 1}" for k in range(2 * len(values))]
    assert len(all_numbers(report)) == 2 * len(values)
    assert (table["section"] == "Title").all()


def test_the_table_has_its_columns_also_when_it_is_empty() -> None:
    assert tuple(number_table(report_of()).columns) == COLUMNS


def test_a_formula_in_any_text_of_a_number_is_defused() -> None:
    evil = "=1+1"
    table = number_table(report_of(Number(evil, 1.0, evil, evil, evil)))
    table = guarded_table(table, TEXT_COLUMNS)
    for name in ("name", "unit", "group", "source"):
        assert table[name].tolist() == ["'=1+1"] * 2
