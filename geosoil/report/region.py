"""The region of a study in numbers, what the paper states beside its own."""

from __future__ import annotations

import math

import pandas as pd

from geosoil.report.cells import RowNumbers, known_columns
from geosoil.report.document import (
    Block,
    Cite,
    Code,
    Heading,
    Number,
    Paragraph,
    Piece,
    Section,
    Table,
    Text,
)
from geosoil.report.record import RunRecord, in_words, text_of

BASINS, CLASSES, PLACES, SAMPLES = (
    f"tables/region_{name}.csv" for name in ("basins", "classes", "places", "samples")
)
WHOLE = "whole region"
SIDES = ("south", "north", "west", "east")


def region_section(record: RunRecord) -> Section | None:
    """Return the region in numbers.

    Parameters
    ----------
    record : RunRecord
        Run.

    Returns
    -------
    section : Section or None
        None where the run left no table of its region.
    """
    parts = (
        ("Basins and elevations", "basins", _basins(record)),
        ("Frozen ground, soils and vegetation", "classes", _classes(record)),
        ("Stations and glaciers", "places", _places(record)),
        ("Samples", "samples", _samples(record)),
    )
    blocks: list[Block] = []
    for title, anchor, found in parts:
        if found:
            blocks += [Heading(title, anchor), *found]
    if not blocks:
        return None
    return Section("region", "The region in numbers", tuple(blocks))


def _basins(record: RunRecord) -> list[Block]:
    """Area and elevation of each basin."""
    table = record.table("region_basins", "basin", "area_km2", "share")
    if table is None:
        return []
    heads = {
        "area_km2": "area [km²]",
        "paper_area_km2": "area, paper [km²]",
        "share": "share",
        "paper_share": "share, paper",
        "elevation_lowest": "lowest [m]",
        "elevation_mean": "mean [m]",
        "elevation_highest": "highest [m]",
    }
    shown = known_columns(table, *heads)
    rows: list[tuple[Text, ...]] = []
    for _, row in table.iterrows():
        basin = WHOLE if row["basin"] == "all" else text_of(row["basin"])
        numbers = RowNumbers(row, BASINS, basin)
        cells = [(_basin_number(numbers, name),) for name in shown]
        rows.append(((basin,), *cells))
    caption: Text = (
        "Basins of the region: areas on the ellipsoid (",
        Cite("karney2013"),
        "), elevations of the cells of the study's elevation model, which smooth "
        "summits and gorges. From ",
        Code(BASINS),
        ".",
    )
    columns = ("basin", *(heads[name] for name in shown))
    return [Table(caption, columns, tuple(rows), wide=True), *_bounds(table)]


def _basin_number(numbers: RowNumbers, column: str) -> Number:
    """Return one number of a basin."""
    if "share" in column:
        return numbers.share(column, digits=0 if "paper" in column else 1)
    unit = "km2" if "area" in column else "m"
    return numbers.fixed(column, column.replace("_km2", ""), 0, unit=unit)


def _bounds(table: pd.DataFrame) -> list[Paragraph]:
    """Tell the bounds of the region, and what the paper states of it."""
    whole = table[table["basin"] == "all"]
    if whole.empty or len(known_columns(whole, *SIDES)) < len(SIDES):
        return []
    numbers = RowNumbers(whole.iloc[0], BASINS, WHOLE)
    text: list[Piece] = ["The outline spans ", *_box(numbers, ""), "."]
    if known_columns(whole, "paper_lowest"):
        text += [" The paper (", Cite("li2024"), ") states "]
        text += [*_box(numbers, "paper_"), ", and elevations of "]
        text += [numbers.fixed("paper_lowest", "", 0, unit="m"), " to "]
        text += [numbers.fixed("paper_highest", "", 0, unit="m"), " m."]
    return [Paragraph(tuple(text))]


def _box(numbers: RowNumbers, prefix: str) -> list[Piece]:
    """Write bounds in degrees."""
    south, north, west, east = (
        numbers.fixed(f"{prefix}{side}", unit="degree") for side in SIDES
    )
    return [south, " to ", north, " °N, ", west, " to ", east, " °E"]


def _classes(record: RunRecord) -> list[Block]:
    """Area and share of each class."""
    table = record.table("region_classes", "layer", "label", "area_km2", "share")
    if table is None:
        return []
    rows: list[tuple[Text, ...]] = []
    for _, row in table.iterrows():
        layer, label = in_words(row["layer"]), text_of(row["label"])
        numbers = RowNumbers(row, CLASSES, f"{layer}, {label}")
        area = numbers.fixed("area_km2", "area", 0)
        rows.append(((layer,), (label,), (area,), (numbers.share("share", digits=1),)))
    caption: Text = (
        "Classes by area within the region, each cell by the class that covers most of "
        "it. From ",
        Code(CLASSES),
        ".",
    )
    columns = ("layer", "class", "area [km²]", "share")
    return [Table(caption, columns, tuple(rows), heads=2)]


def _places(record: RunRecord) -> list[Block]:
    """Stations and glaciers with their positions."""
    table = record.table("region_places", "water", "site_id", "n")
    if table is None:
        return []
    wanted = {
        "longitude": ("longitude [°E]", "longitude", 4, "degree"),
        "latitude": ("latitude [°N]", "latitude", 4, "degree"),
        "elevation": ("elevation [m]", "elevation in the sample table", 1, "m"),
        "elevation_model": ("model [m]", "elevation of the model's cell", 0, "m"),
        "n": ("samples", "samples", 0, "1"),
    }
    shown = known_columns(table, *wanted)
    rows: list[tuple[Text, ...]] = []
    for _, row in table.iterrows():
        site = text_of(row["site_id"])
        numbers = RowNumbers(row, PLACES, site)
        cells = [
            (numbers.fixed(name, words, digits, unit=unit),)
            for name in shown
            for _, words, digits, unit in (wanted[name],)
        ]
        rows.append(((in_words(row["water"]),), (site,), *cells))
    caption: Text = (
        "Places where precipitation and meltwater were sampled. A cell of the model is "
        "kilometres wide: its mean elevation is not that of a station in a valley. "
        "From ",
        Code(PLACES),
        ".",
    )
    columns = ("water", "place", *(wanted[name][0] for name in shown))
    return [Table(caption, columns, tuple(rows), heads=2, wide=True)]


def _samples(record: RunRecord) -> list[Block]:
    """Numbers of samples and sites by water and period."""
    table = record.table("region_samples", "water", "period", "n", "n_sites")
    if table is None:
        return []
    last = ("other", "all")
    periods = list(dict.fromkeys(map(str, table["period"])))
    order = [name for name in periods if name not in last]
    order += [name for name in last if name in periods]
    rows: list[tuple[Text, ...]] = []
    for water, own in table.groupby("water", sort=False):
        found = {text_of(row["period"]): row for _, row in own.iterrows()}
        cells: list[Text] = [(in_words(water),)]
        for period in order:
            group = f"{in_words(water)}, {period}"
            row = found.get(period)
            cells.append(("",) if row is None else _count(row, group))
        rows.append(tuple(cells))
    stated = known_columns(table, "paper_n")
    caption: Text = (
        "Samples (and sites) by water and period",
        "; in square brackets the numbers that the paper states" if stated else "",
        "; “other”: months outside the periods. From ",
        Code(SAMPLES),
        ".",
    )
    return [Table(caption, ("water", *order), tuple(rows), wide=True)]


def _count(row: pd.Series, group: str) -> Text:
    """Count samples and sites of one water and period."""
    numbers = RowNumbers(row, SAMPLES, group)
    text: list[Piece] = [numbers.count("n", "samples"), " ("]
    text += [numbers.count("n_sites", "sites"), ")"]
    for column, what in (("paper_n", "samples"), ("paper_sites", "sites")):
        stated = numbers.count(column, f"{what} stated by the paper")
        if math.isfinite(stated.value):
            text += [" [", stated, f" {what}]" if what == "sites" else "]"]
    return tuple(text)
