"""The key result of a study: regional source fractions with their intervals."""

from __future__ import annotations

import math

import pandas as pd

from geosoil.report.cells import RowNumbers, known_columns
from geosoil.report.document import (
    NAN,
    Bar,
    BarChart,
    Block,
    Code,
    Heading,
    Paragraph,
    Piece,
    Section,
    Table,
    Text,
)
from geosoil.report.record import RunRecord, in_words, number_of, text_of

REGIONAL, GROUPS = "fractions_regional", "fractions_groups"
FILE, GROUP_FILE = "tables/fractions_regional.csv", "tables/fractions_groups.csv"
LISTED = ("period", "source", "answer", "fraction", "lower", "upper")
BOUNDS = ("lower", "upper")
BESIDE = {"paper": "paper", "truth": "truth of the simulation"}
"""Columns of shares to compare with, and their heads."""
KINDS = {
    "elevation_band": "elevation band [m]",
    "vegetation": "vegetation",
    "aspect": "aspect",
    "soil_layer": "soil layer [cm]",
    "exposure": "exposure",
    "basin": "basin",
}
"""Words for the kinds of strata."""
GREY = "#555555"


def main_answer(record: RunRecord) -> str:
    """Return the answer that the fractions of the strata rest on.

    Parameters
    ----------
    record : RunRecord
        Run.

    Returns
    -------
    answer : str
        Its name; "" where the run solved no fractions.
    """
    groups = record.table(GROUPS, "answer")
    if groups is not None:
        return text_of(groups["answer"].iloc[0])
    table = record.table(REGIONAL, *LISTED)
    return "" if table is None else text_of(table["answer"].iloc[0])


def results_section(record: RunRecord) -> Section | None:
    """Return the key result: shares of the sources by period.

    Parameters
    ----------
    record : RunRecord
        Run.

    Returns
    -------
    section : Section or None
        None where the run solved no fractions.
    """
    table = record.table(REGIONAL, *LISTED)
    if table is None:
        return None
    answer = main_answer(record)
    own = table[table["answer"] == answer]
    blocks: list[Block] = [
        *_sentences(own, answer),
        _chart(record, own, answer),
        _answers(table),
        *_explanations(record, table),
    ]
    strata = _strata(record)
    if strata:
        blocks += [Heading("Shares by stratum", "strata"), *strata]
    return Section("result", "Key result: sources of soil water", tuple(blocks))


def _sentences(rows: pd.DataFrame, answer: str) -> list[Paragraph]:
    """Write one sentence a period."""
    if rows.empty:
        return []
    found = [
        Paragraph(
            (
                f"Shares of the mean soil water of each period by the answer "
                f"“{answer}”, with 95 % intervals:",
            )
        )
    ]
    for period, own in rows.groupby("period", sort=False):
        text: list[Piece] = [f"{period}: "]
        for place, (_, row) in enumerate(own.iterrows()):
            source = in_words(row["source"])
            numbers = RowNumbers(row, FILE, f"{period}, {source}, {answer}")
            share = numbers.share("fraction", bounds=BOUNDS)
            text += [", " if place else "", f"{source} ", share]
        reason = text_of(own.iloc[0].get("reason", ""))
        text.append(f"; {reason}." if reason else ".")
        found.append(Paragraph(tuple(text), "key"))
    return found


def _chart(record: RunRecord, rows: pd.DataFrame, answer: str) -> BarChart:
    """Draw the answer as bars, the published share marked beside them."""
    groups = []
    for period, own in rows.groupby("period", sort=False):
        bars = tuple(
            Bar(
                in_words(row["source"]),
                number_of(row["fraction"]),
                number_of(row["lower"]),
                number_of(row["upper"]),
                number_of(row.get("paper", NAN)),
                record.colours.get(text_of(row["source"]), GREY),
            )
            for _, row in own.iterrows()
        )
        groups.append((str(period), bars))
    published = any(math.isfinite(b.reference) for _, bars in groups for b in bars)
    title = f"Shares of the sources of soil water by period ({answer}), 95 % interval"
    mark = "share stated by the paper" if published else ""
    return BarChart(title, tuple(groups), mark)


def _answers(table: pd.DataFrame) -> Table:
    """Set every answer side by side."""
    answers = [str(answer) for answer in dict.fromkeys(table["answer"])]
    beside = known_columns(table, *BESIDE)
    rows: list[tuple[Text, ...]] = []
    for (period, source), own in table.groupby(["period", "source"], sort=False):
        group = f"{period}, {in_words(source)}"
        first = RowNumbers(own.iloc[0], FILE, group)
        cells: list[Text] = [(str(period),), (in_words(source),)]
        cells += [
            (
                first.share(
                    name,
                    f"fraction, {BESIDE[name]}",
                    digits=1 if name == "truth" else 0,
                ),
            )
            for name in beside
        ]
        cells += [_answer(own, answer, group) for answer in answers]
        rows.append(tuple(cells))
    caption: Text = (
        "Regional shares of the sources of soil water, with 95 % intervals. The "
        "answers differ in what they assume of evaporation, as told below. An asterisk "
        "marks an answer outside the mixing space, for which the nearest possible "
        "shares are given; a range without a value, shares that are not identifiable. "
        "From ",
        Code(FILE),
        ".",
    )
    columns = ("period", "source", *(BESIDE[name] for name in beside), *answers)
    return Table(caption, columns, tuple(rows), heads=2, wide=True)


def _answer(own: pd.DataFrame, answer: str, group: str) -> Text:
    """Return one cell: an answer's share, or its range."""
    rows = own[own["answer"] == answer]
    if rows.empty:
        return ("",)
    row = rows.iloc[0]
    star = "*" if "outside" in text_of(row.get("reason", "")) else ""
    numbers = RowNumbers(row, FILE, f"{group}, {answer}")
    return (numbers.share("fraction", bounds=BOUNDS), star)


def _explanations(record: RunRecord, table: pd.DataFrame) -> list[Paragraph]:
    """Say what each answer means."""
    names = [str(answer) for answer in dict.fromkeys(table["answer"])]
    return [
        Paragraph((f"{name}: {record.words[name]}",), "note")
        for name in names
        if name in record.words
    ]


def _strata(record: RunRecord) -> list[Block]:
    """Shares by stratum, one table a kind of strata."""
    table = record.table(GROUPS, "period", "by", "stratum", "n")
    if table is None:
        return []
    lower = [str(name) for name in table.columns if str(name).endswith("_lower")]
    sources = [name.removesuffix("_lower") for name in lower]
    found: list[Block] = []
    for by, rows in table.groupby("by", sort=False):
        if by == "all":
            continue
        kind = KINDS.get(str(by), in_words(by))
        caption: Text = (
            f"Shares of the sources by {kind}, with 95 % intervals. From ",
            Code(GROUP_FILE),
            ".",
        )
        cells = tuple(_stratum(row, sources, kind) for _, row in rows.iterrows())
        columns = ("period", kind, "samples (sites)", *map(in_words, sources), "remark")
        found.append(Table(caption, columns, cells, heads=2, wide=True))
    return found


def _stratum(row: pd.Series, sources: list[str], kind: str) -> tuple[Text, ...]:
    """Cells of one stratum."""
    group = f"{text_of(row['period'])}, {kind} {in_words(row['stratum'])}"
    numbers = RowNumbers(row, GROUP_FILE, group)
    cells: list[Text] = [(text_of(row["period"]),), (in_words(row["stratum"]),)]
    cells.append((numbers.count("n", "samples"), " (", numbers.count("n_sites"), ")"))
    for source in sources:
        of_source = RowNumbers(row, GROUP_FILE, f"{group}, {in_words(source)}")
        bounds = f"{source}_lower", f"{source}_upper"
        cells.append((of_source.share(source, "fraction", bounds),))
    cells.append((text_of(row.get("reason", "")),))
    return tuple(cells)
