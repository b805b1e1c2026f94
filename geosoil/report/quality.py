"""Data quality: what was changed or left out, and why."""

from __future__ import annotations

import pandas as pd

from geosoil.report.cells import RowNumbers
from geosoil.report.document import (
    Block,
    Code,
    Heading,
    Listing,
    Number,
    Paragraph,
    Piece,
    Section,
    Table,
    Text,
)
from geosoil.report.record import RunRecord, in_words, text_of

ISSUES, LAYERS = "tables/sample_issues.csv", "tables/joined_provenance.csv"
SEVERITIES = {
    "change": "read otherwise than written",
    "suspect": "kept as written, but doubtful",
    "error": "cannot be used",
}
"""Words for the severities of issues."""
MOST_ROWS = 500
"""Issues that the page lists; the table of the run has all."""


def quality_section(record: RunRecord) -> Section:
    """Return what the run changed, left out or doubted.

    Parameters
    ----------
    record : RunRecord
        Run.

    Returns
    -------
    section : Section
        Issues of the sample table, gaps of layers, strata without an answer.
    """
    blocks: list[Block] = [
        Heading("The sample table", "issues"),
        *_issues(record),
        *_layers(record),
        *_unanswered(record),
    ]
    return Section("quality", "Data quality", tuple(blocks))


def _issues(record: RunRecord) -> list[Block]:
    """Issues by rule, then one by one."""
    table = record.table("sample_issues", "row", "column", "found", "read_as", "rule")
    if table is None:
        return [Paragraph(("Nothing in the sample table was changed or doubted.",))]
    whole = Number("issues", float(len(table)), "1", "sample table", ISSUES, digits=0)
    intro: Text = (
        "Nothing is corrected by guess. Every cell that was read otherwise than it was "
        "written, or that looks wrong, is listed: ",
        whole,
        " in all. No sample was dropped silently.",
    )
    blocks: list[Block] = [Paragraph(intro), _by_rule(table)]
    shown = table.head(MOST_ROWS)
    blocks.append(_one_by_one(shown))
    if len(shown) < len(table):
        listed = Number(
            "issues listed", float(len(shown)), "1", "sample table", ISSUES, digits=0
        )
        rest: Text = ("The first ", listed, " are listed; all: ", Code(ISSUES), ".")
        blocks.append(Paragraph(rest, "note"))
    return blocks


def _by_rule(table: pd.DataFrame) -> Table:
    """Count the issues of each rule."""
    severity = table.get("severity", "")
    counts = table.assign(severity=severity).groupby(
        ["rule", "severity", "column"], sort=False, dropna=False
    )
    rows: list[tuple[Text, ...]] = []
    for (rule, kind, column), own in counts:
        words, place = text_of(rule), text_of(column)
        count = Number("issues", float(len(own)), "1", f"{words} ({place})", ISSUES)
        whole = Number(count.name, count.value, "1", count.group, ISSUES, digits=0)
        told = SEVERITIES.get(text_of(kind), text_of(kind))
        rows.append(((words,), (place,), (told,), (whole,)))
    heads = ("rule", "column", "consequence", "cells")
    return Table(("Issues by rule.",), heads, tuple(rows))


def _one_by_one(table: pd.DataFrame) -> Listing:
    """List every issue."""
    rows: list[tuple[Text, ...]] = []
    for _, row in table.iterrows():
        numbers = RowNumbers(row, ISSUES, text_of(row["column"]))
        names = ("column", "found", "read_as", "rule")
        cells: list[Text] = [(text_of(row[name]),) for name in names]
        rows.append(((numbers.count("row", "row in the sample table"),), *cells))
    caption: Text = ("Every issue of the sample table. From ", Code(ISSUES), ".")
    heads = ("row", "column", "found", "read as", "rule")
    table_of = Table(caption, heads, tuple(rows), wide=True)
    return Listing("Every issue, with row and column", (table_of,))


def _layers(record: RunRecord) -> list[Block]:
    """Count the samples for which a layer has no value, and say why."""
    table = record.table("joined_provenance", "column", "source", "n", "n_missing")
    if table is None:
        return []
    rows: list[tuple[Text, ...]] = []
    for _, row in table.iterrows():
        numbers = RowNumbers(row, LAYERS, in_words(row["column"]))
        rows.append(
            (
                (in_words(row["column"]),),
                (text_of(row["source"]),),
                (text_of(row.get("method", "")),),
                (numbers.count("n", "samples with a value"),),
                (numbers.count("n_missing", "samples without a value"),),
                (text_of(row.get("reasons", "")),),
            )
        )
    caption: Text = (
        "What each layer holds at the samples, and why it holds nothing. From ",
        Code(LAYERS),
        ".",
    )
    heads = ("quantity", "layer", "joined by", "with value", "without", "reasons")
    return [
        Heading("Layers at the samples", "layers"),
        Table(caption, heads, tuple(rows), wide=True),
    ]


NO_ANSWER = ("fractions_groups", "water_lines", "correlation_space")
"""Tables whose rows can lack an answer, with the reason."""


def _unanswered(record: RunRecord) -> list[Block]:
    """Count the answers that were withheld or marked, by reason."""
    rows: list[tuple[Text, ...]] = []
    for name in (*NO_ANSWER, "fractions_samples"):
        table = record.table(name, "reason")
        if table is None:
            continue
        reasons = table["reason"].map(text_of)
        file = f"tables/{name}.csv"
        for reason, count in reasons[reasons != ""].value_counts(sort=False).items():
            group = f"{in_words(name)}: {reason}"
            number = Number("rows", float(count), "1", group, file, digits=0)
            cell: list[Piece] = [number]
            rows.append(((Code(file),), (str(reason),), tuple(cell)))
    if not rows:
        return []
    caption: Text = (
        "Answers that were withheld or marked, by reason: a number that cannot be "
        "honest is left empty.",
    )
    return [
        Heading("Answers withheld or marked", "withheld"),
        Table(caption, ("table", "reason", "rows"), tuple(rows)),
    ]
