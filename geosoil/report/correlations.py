"""Correlations of a study over time and over space, with what survives their number."""

from __future__ import annotations

import pandas as pd

from geosoil.report.cells import RowNumbers
from geosoil.report.document import (
    Block,
    Cite,
    Code,
    Heading,
    Paragraph,
    Section,
    Table,
    Text,
)
from geosoil.report.methods_maps import years
from geosoil.report.record import RunRecord, in_words, text_of

TIME, SPACE = "tables/correlation_summary.csv", "tables/correlation_space.csv"
POINTS = "tables/correlation_points.csv"
SHARES = {
    "share_positive": "r > 0",
    "share_significant_positive": "p < 0.05, r > 0",
    "share_significant_negative": "p < 0.05, r < 0",
    "share_fdr_positive": "after control, r > 0",
    "share_fdr_negative": "after control, r < 0",
}
"""Shares of the area, and their heads."""


def correlations_section(record: RunRecord) -> Section | None:
    """Return the correlations.

    Parameters
    ----------
    record : RunRecord
        Run.

    Returns
    -------
    section : Section or None
        None where the run correlated nothing.
    """
    blocks: list[Block] = [*_over_time(record), *_over_space(record), *_points(record)]
    if not blocks:
        return None
    return Section("correlation", "Correlations", tuple(blocks))


def _numbers(row: pd.Series, file: str) -> RowNumbers:
    """Numbers of a pair of variables in a month."""
    pair = f"{in_words(row['x'])} and {in_words(row['y'])}"
    return RowNumbers(row, file, f"{pair}, {row['month']}")


def _over_time(record: RunRecord) -> list[Block]:
    """Summarise the maps over time."""
    table = record.table("correlation_summary", "x", "y", "month", "median_r")
    if table is None:
        return []
    first = table.iloc[0]
    rate = RowNumbers(first, TIME, "all maps").fixed("fdr", "false discovery rate")
    intro: Text = (
        f"{text_of(first.get('method', '')).capitalize()} correlation over the years "
        f"{years(first)}, cell by cell. A map is thousands of "
        "tests: “after control” is the share of the area that stays significant when "
        "the false discovery rate over the map is kept at ",
        rate,
        " (",
        Cite("benjamini1995"),
        "; ",
        Cite("wilks2016"),
        ").",
    )
    rows = tuple(_month(row) for _, row in table.iterrows())
    caption: Text = (
        f"Correlation of {in_words(first['y'])} with each variable over time: median "
        "over the area, cells, effective pairs, and shares of the area. From ",
        Code(TIME),
        ".",
    )
    heads = ("variable", "month", "median r", "cells", "effective pairs")
    return [
        Heading("Over time, cell by cell", "over-time"),
        Paragraph(intro),
        Table(caption, (*heads, *SHARES.values()), rows, 2, wide=True),
    ]


def _month(row: pd.Series) -> tuple[Text, ...]:
    """Cells of one map over time."""
    numbers = _numbers(row, TIME)
    shares = [
        (numbers.share(name, f"share of the area, {head}"),)
        for name, head in SHARES.items()
    ]
    return (
        (in_words(row["x"]),),
        (text_of(row["month"]),),
        (numbers.fixed("median_r"),),
        (numbers.count("cells"),),
        (numbers.fixed("median_n_effective", "median effective pairs", 1),),
        *shares,
    )


def _over_space(record: RunRecord) -> list[Block]:
    """Summarise the correlations over the cells of the region."""
    table = record.table("correlation_space", "x", "y", "month", "r", "p_value")
    if table is None:
        return []
    rows: list[tuple[Text, ...]] = []
    for _, row in table.iterrows():
        numbers = _numbers(row, SPACE)
        windows = "share of windows with r above 0"
        rows.append(
            (
                (in_words(row["x"]),),
                (text_of(row["month"]),),
                (numbers.fixed("r", "r over space"),),
                (numbers.short("p_value", "p value (Dutilleul)"),),
                (numbers.short("q_value"),),
                (numbers.fixed("n_effective", "effective cells", 1),),
                (numbers.fixed("median_window_r", "median r of the windows"),),
                (numbers.share("share_positive_windows", windows),),
                (text_of(row.get("reason", "")),),
            )
        )
    when = ", ".join(dict.fromkeys(text_of(year) for year in table.get("year", ())))
    caption: Text = (
        f"Correlation with {in_words(table['y'].iloc[0])} over the cells of the region "
        f"in {when}: r with the p value of ",
        Cite("dutilleul1993"),
        ", which counts neighbours as the fewer cells that they are worth; q over all "
        "pairs and months; and r in moving windows. From ",
        Code(SPACE),
        ".",
    )
    heads = (
        *("variable", "month", "r", "p", "q", "effective cells", "median window r"),
        *("windows r > 0", "remark"),
    )
    return [
        Heading("Over space", "over-space"),
        Table(caption, heads, tuple(rows), 2, wide=True),
    ]


def _points(record: RunRecord) -> list[Block]:
    """Set values measured at the sites against the cells that they lie in."""
    table = record.table("correlation_points", "period", "soil_layer", "driver", "r")
    if table is None:
        return []
    rows: list[tuple[Text, ...]] = []
    for _, row in table[table["soil_layer"] == "all"].iterrows():
        period = text_of(row["period"])
        measured, driver = in_words(row.get("measured", "")), in_words(row["driver"])
        numbers = RowNumbers(row, POINTS, f"{period}, {measured} and {driver}")
        rows.append(
            (
                (measured,),
                (driver,),
                (period,),
                (numbers.fixed("r", "r at the sites"),),
                (numbers.short("q_value"),),
                (numbers.count("n_cells", "distinct cells"),),
            )
        )
    if not rows:
        return []
    caption: Text = (
        "Values measured at the sites against the grid cells that they lie in, "
        "profiles averaged. By soil layer: ",
        Code(POINTS),
        ".",
    )
    heads = ("measured", "driver", "period", "r", "q", "cells")
    return [
        Heading("At the sampled sites", "at-sites"),
        Table(caption, heads, tuple(rows), 3, wide=True),
    ]
