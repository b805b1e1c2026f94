"""Whether soil water lies between its sources, and which samples do not."""

from __future__ import annotations

import math

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

SAMPLES, ROWS = "tables/fractions_samples.csv", "tables/sample_rows.csv"
ENDS = "tables/end_members_used.csv"
REGION, CONNECTION = "tables/mixing_region.csv", "tables/hydraulic_connection.csv"
FARTHEST = 10
"""Samples outside the mixing space that each period's table tells."""


def mixing_section(record: RunRecord) -> Section | None:
    """Return the end members, and the samples outside the space that they span.

    Parameters
    ----------
    record : RunRecord
        Run.

    Returns
    -------
    section : Section or None
        None where the run solved no mixture.
    """
    blocks: list[Block] = [*_end_members(record), *_outside(record), *_regions(record)]
    blocks += _connection(record)
    if not blocks:
        return None
    return Section("mixing", "End members and mixing space", tuple(blocks))


def _end_members(record: RunRecord) -> list[Block]:
    """End members of each answer."""
    table = record.table("end_members_used", "period", "source", "d18O", "d2H")
    if table is None:
        return []
    rows: list[tuple[Text, ...]] = []
    for _, row in table.iterrows():
        answer, source = text_of(row.get("answer", "")), in_words(row["source"])
        numbers = RowNumbers(row, ENDS, f"{row['period']}, {source}, {answer}")
        rows.append(
            (
                (text_of(row["period"]),),
                (source,),
                (answer,),
                numbers.with_error("d18O", "d18O_sd", "end member d18O"),
                numbers.with_error("d2H", "d2H_sd", "end member d2H"),
                (numbers.count("n", "samples"),),
                (text_of(row.get("note", "")),),
            )
        )
    caption: Text = (
        "End members: mean ± standard deviation of single samples [‰, VSMOW]. From ",
        Code(ENDS),
        ".",
    )
    heads = ("period", "source", "answer", "δ¹⁸O", "δ²H", "samples", "note")
    ends = Table(caption, heads, tuple(rows), 3, wide=True)
    return [Heading("End members", "end-members"), ends]


def outside_samples(record: RunRecord) -> pd.DataFrame | None:
    """Return the soil samples that no mixture of the end members can be.

    Parameters
    ----------
    record : RunRecord
        Run.

    Returns
    -------
    table : DataFrame or None
        Samples with reason and, where known, the row of the file; None without
        samples.
    """
    table = record.table("fractions_samples", "sample_id", "period", "reason")
    if table is None:
        return None
    reasons = table["reason"].map(text_of)
    found = table[reasons.str.contains("outside|misfit", regex=True)]
    rows = record.table("sample_rows", "sample_id", "row")
    if rows is None:
        return found
    places = rows.drop_duplicates("sample_id").set_index("sample_id")["row"]
    return found.assign(row=found["sample_id"].map(places))


def _outside(record: RunRecord) -> list[Block]:
    """Tell how many samples lie outside, and which."""
    outside = outside_samples(record)
    whole = record.table("fractions_samples", "sample_id", "period", "reason")
    if outside is None or whole is None:
        return []
    text: list[Piece] = ["Soil samples outside the mixing space of their sources: "]
    periods = list(dict.fromkeys(map(text_of, whole["period"])))
    for place, period in enumerate(periods):
        counts = pd.Series(
            {
                "outside": float((outside["period"] == period).sum()),
                "of": float((whole["period"] == period).sum()),
            }
        )
        numbers = RowNumbers(counts, SAMPLES, period)
        text += [", " if place else "", f"{period} "]
        text += [numbers.count("outside", "samples outside"), " of "]
        text.append(numbers.count("of", "samples"))
    text.append(
        ". Such a sample was given the nearest possible shares. Measurement error, "
        "evaporation and a source that was not sampled can each be the cause. A "
        "single sample's share is uncertain by tens of percent: read the means of "
        "groups."
    )
    blocks: list[Block] = [
        Heading("Samples outside the mixing space", "outside"),
        Paragraph(tuple(text)),
    ]
    if not outside.empty:
        blocks += [_farthest(outside), _every_sample(outside, periods)]
    return blocks


def _farthest(outside: pd.DataFrame) -> Table:
    """List the samples of each period that lie farthest outside."""
    ranked = outside
    if "distance" in outside:
        ranked = outside.sort_values("distance", ascending=False, kind="stable")
    rows = tuple(
        _sample(row)
        for period in dict.fromkeys(outside["period"])
        for _, row in ranked[ranked["period"] == period].head(FARTHEST).iterrows()
    )
    caption: Text = (
        "The samples of each period that lie farthest outside, at most ten, with their "
        "row in the sample table. Distance: to the nearest mixture, in the units of "
        "the tracers. From ",
        Code(SAMPLES),
        ".",
    )
    heads = ("period", "sample", "row", "δ¹⁸O [‰]", "d-excess [‰]", "distance")
    return Table(caption, heads, rows, 2, wide=True)


def _sample(row: pd.Series) -> tuple[Text, ...]:
    """Cells of one sample."""
    name = text_of(row["sample_id"])
    numbers = RowNumbers(row, SAMPLES, name)
    return (
        (text_of(row["period"]),),
        (name,),
        (_row_number(row),),
        (numbers.fixed("d18O"),),
        (numbers.fixed("d_excess"),),
        (numbers.fixed("distance", "distance to the mixing space"),),
    )


def _row_number(row: pd.Series) -> Number:
    """Return the row of the file that a sample was read from."""
    numbers = RowNumbers(row, ROWS, text_of(row["sample_id"]))
    return numbers.count("row", "row in the sample table")


def _every_sample(outside: pd.DataFrame, periods: list[str]) -> Listing:
    """List every sample outside with its row."""
    blocks = []
    for period in periods:
        own = outside[outside["period"] == period]
        text: list[Piece] = [f"{period}: "]
        for place, (_, row) in enumerate(own.iterrows()):
            text += [", " if place else "", text_of(row["sample_id"])]
            line = _row_number(row)
            if math.isfinite(line.value):
                text += [" (", line, ")"]
        if not own.empty:
            blocks.append(Paragraph((*text, ".")))
    words = "Every sample outside the mixing space, with its row in the sample table"
    return Listing(words, tuple(blocks))


def _regions(record: RunRecord) -> list[Block]:
    """Tell the share of samples within their sources, by period."""
    table = record.table("mixing_region", "period", "by", "n_tested", "share_inside")
    if table is None:
        return []
    rows: list[tuple[Text, ...]] = []
    for _, row in table[table["by"] == "all"].iterrows():
        period = text_of(row["period"])
        numbers = RowNumbers(row, REGION, period)
        mean = "probability that the mean lies inside"
        rows.append(
            (
                (period,),
                (numbers.count("n_tested", "samples tested"),),
                (numbers.share("share_inside"),),
                (numbers.share("share_probable", "share probably inside"),),
                (numbers.share("mean_inside_probability", mean),),
            )
        )
    caption: Text = (
        "The mixing-space test in δ¹⁸O and δ²H against the end members of the whole "
        "period, while each sample above was solved with those of its stratum where "
        "the study has such: samples within the mean end members; samples within them "
        "when their spread is drawn; and the probability that the mean water lies "
        "inside. By stratum: ",
        Code(REGION),
        ".",
    )
    heads = ("period", "tested", "inside", "probably inside", "mean inside")
    return [Table(caption, heads, tuple(rows))]


def _connection(record: RunRecord) -> list[Block]:
    """Tell how alike soil, supra-permafrost and river water are."""
    table = record.table("hydraulic_connection", "period", "first", "second", "overlap")
    if table is None:
        return []
    rows: list[tuple[Text, ...]] = []
    for _, row in table.iterrows():
        pair = f"{in_words(row['first'])} and {in_words(row['second'])}"
        numbers = RowNumbers(row, CONNECTION, f"{row['period']}, {pair}")
        rows.append(
            (
                (text_of(row["period"]),),
                (pair,),
                (numbers.fixed("energy_distance"),),
                (numbers.short("p_holm", "p value after Holm"),),
                (numbers.fixed("overlap", "overlap of the ellipses"),),
            )
        )
    caption: Text = (
        "How unlike waters are in δ¹⁸O and δ²H: energy distance [pooled standard "
        "deviations], its permutation p after Holm, and the overlap of their 95 % "
        "ellipses. From ",
        Code(CONNECTION),
        ".",
    )
    heads = ("period", "waters", "energy distance", "p", "overlap")
    return [
        Heading("Connection of soil water with other waters", "connection"),
        Table(caption, heads, tuple(rows), 2),
    ]
