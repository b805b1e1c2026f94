"""The maps of a study: pictures, how they were made and whether they can be trusted."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from geosoil.report.cells import RowNumbers
from geosoil.report.document import (
    Block,
    Cite,
    Code,
    Heading,
    Paragraph,
    Piece,
    Section,
    Table,
    Text,
)
from geosoil.report.record import RunRecord, in_words, text_of

COMPARISON = "tables/interpolation_comparison.csv"
METHODS = {
    "mean": "the mean",
    "idw": "inverse distances",
    "kriging": "ordinary kriging",
    "kriging_drift": "kriging with elevation",
    "ilr": "kriging of log-ratios",
}
"""Short words for the methods of fraction maps."""
SUPPORT, MEANS = "tables/fraction_support.csv", "tables/fraction_means.csv"


def figures_section(record: RunRecord) -> Section | None:
    """Return every picture of the run with its caption.

    Parameters
    ----------
    record : RunRecord
        Run.

    Returns
    -------
    section : Section or None
        None where the run drew none.
    """
    if not record.pictures:
        return None
    blocks = tuple(
        replace(picture, label=f"Figure {place}", anchor=f"figure-{place}")
        for place, picture in enumerate(record.pictures, start=1)
    )
    return Section("figures", "Maps and diagrams", blocks)


def validation_section(record: RunRecord) -> Section | None:
    """Return how the fraction maps were chosen, checked and where they hold.

    Parameters
    ----------
    record : RunRecord
        Run.

    Returns
    -------
    section : Section or None
        None where the run made no such map.
    """
    blocks: list[Block] = []
    for title, anchor, found in (
        ("Does a map beat the mean?", "choice", _choice(record)),
        ("Where the sites support the maps", "support", _support(record)),
        ("Means of the sites and of the maps", "means-of-maps", _means(record)),
    ):
        if found:
            blocks += [Heading(title, anchor), *found]
    if not blocks:
        return None
    title = "Interpolation: choice and validation"
    return Section("validation", title, tuple(blocks))


def _choice(record: RunRecord) -> list[Block]:
    """Set the cross-validation of the methods side by side."""
    table = record.table(
        "interpolation_comparison", "period", "method", "source", "rmse", "chosen"
    )
    if table is None:
        return []
    whole = table[table["source"] == "all"]
    blocks: list[Block] = [
        Paragraph(_verdict(rows, str(period), record))
        for period, rows in whole.groupby("period", sort=False)
    ]
    rows = tuple(_score(row) for _, row in whole.iterrows())
    caption: Text = (
        "Cross-validation with blocks of sites left out (",
        Cite("roberts2017"),
        "): root mean squared distance of the sites' raw fractions from the "
        "prediction, all sources together, and the difference of the squared distance "
        "from that of the mean ± one standard error, sites compared pair by pair. By "
        "source: ",
        Code(COMPARISON),
        ".",
    )
    heads = ("period", "method", "error", "difference to the mean", "taken", "remark")
    blocks.append(Table(caption, heads, rows, 2, wide=True))
    return [*blocks, *_calibration(table)]


def _verdict(rows: pd.DataFrame, period: str, record: RunRecord) -> Text:
    """Say in words whether any map predicts better than the mean."""
    taken = rows[rows["chosen"].map(is_true)]
    method = "" if taken.empty else text_of(taken["method"].iloc[0])
    asked = text_of(record.setting("interpolation", "method", default="auto"))
    words = f"{period}: the map is made by {METHODS.get(method, in_words(method))}"
    if method == "mean":
        words += ", so that it shows no pattern but the zero rules"
    why = _choice_words(record, period)
    if asked != "auto":
        why = "the settings name that method"
    numbers = RowNumbers(rows.iloc[0], COMPARISON, f"{period}, all sources")
    return (
        f"{words}",
        f". Why: {why}" if why else "",
        *_better(rows, period),
        ". (",
        numbers.count("n", "sites"),
        " sites in ",
        numbers.count("folds", "blocks"),
        " blocks of ",
        numbers.fixed("block_km", "side of the blocks", 0),
        " km.)",
    )


def _choice_words(record: RunRecord, period: str) -> str:
    """Return why the method of a period was taken."""
    table = record.table("map_choices", "period", "choice")
    if table is None:
        return ""
    own = table[table["period"] == period]
    return "" if own.empty else text_of(own["choice"].iloc[0])


def _better(rows: pd.DataFrame, period: str) -> list[Piece]:
    """Name the methods that predict better than the mean and were not taken."""
    text: list[Piece] = []
    for _, row in rows.iterrows():
        numbers = RowNumbers(row, COMPARISON, f"{period}, {in_words(row['method'])}")
        gap = numbers.fixed("difference_to_mean")
        error = numbers.fixed("difference_se", "error of the difference")
        if not gap.value + error.value < 0.0 or is_true(row["chosen"]):
            continue
        name = METHODS.get(text_of(row["method"]), in_words(row["method"]))
        text += [f"; {name} differs from the mean by ", gap, " ± ", error]
    return text


def is_true(value: object) -> bool:
    """Return whether a cell of a table says true.

    Parameters
    ----------
    value : object
        Value of the cell.

    Returns
    -------
    true : bool
        Whether it does.

    Examples
    --------
    >>> is_true("True"), is_true(False)
    (True, False)
    """
    return str(value).strip().lower() in ("true", "1", "1.0")


def _score(row: pd.Series) -> tuple[Text, ...]:
    """Cells of one method."""
    period, method = text_of(row["period"]), text_of(row["method"])
    method = METHODS.get(method, in_words(method))
    numbers = RowNumbers(row, COMPARISON, f"{period}, {method}")
    return (
        (period,),
        (method,),
        (numbers.fixed("rmse", "cross-validation error"),),
        numbers.with_error("difference_to_mean", "difference_se"),
        ("yes" if is_true(row["chosen"]) else "",),
        (text_of(row.get("note", "")),),
    )


def _calibration(table: pd.DataFrame) -> list[Block]:
    """Tell whether the intervals of the map that was taken hold what they promise."""
    if "picp90" not in table:
        return []
    taken = table[table["chosen"].map(is_true) & table["picp90"].notna()]
    rows: list[tuple[Text, ...]] = []
    for _, row in taken.iterrows():
        period, source = text_of(row["period"]), in_words(row["source"])
        numbers = RowNumbers(row, COMPARISON, f"{period}, {source}, {row['method']}")
        held = "share of sites within their 90 % interval"
        rows.append(
            (
                (period,),
                (source,),
                (numbers.fixed("mean_error"),),
                (numbers.fixed("mae", "mean absolute error"),),
                (numbers.fixed("msdr", "squared error over variance"),),
                (numbers.share("picp90", held),),
            )
        )
    if not rows:
        return []
    caption: Text = (
        "The method that was taken, at sites left out: mean error, mean absolute "
        "error, squared error over the predicted variance (near 1 where the "
        "uncertainty is right), and the share of sites within their 90 % interval. "
        "From ",
        Code(COMPARISON),
        ".",
    )
    heads = (
        *("period", "source", "mean error", "absolute error", "error/variance"),
        "in 90 % interval",
    )
    return [Table(caption, heads, tuple(rows), 2, wide=True)]


def _support(record: RunRecord) -> list[Block]:
    """Area that the sites support, and why not the rest."""
    table = record.table("fraction_support", "period", "reason", "area_km2", "share")
    if table is None:
        return []
    rows: list[tuple[Text, ...]] = []
    for _, row in table[table["area_km2"] > 0].iterrows():
        period = text_of(row["period"])
        words = text_of(row.get("words", "")) or in_words(row["reason"])
        numbers = RowNumbers(row, SUPPORT, f"{period}, {words}")
        area, part = numbers.fixed("area_km2", "area", 0), numbers.share("share")
        rows.append(((period,), (words,), (area,), (part,)))
    caption: Text = (
        "Ground that the sites support, and ground where the maps extrapolate, by "
        "reason; a cell can have several reasons. From ",
        Code(SUPPORT),
        ".",
    )
    heads = ("period", "ground", "area [km²]", "share")
    return [Table(caption, heads, tuple(rows), 2)]


def _means(record: RunRecord) -> list[Block]:
    """Means of sites, declustered means and means of maps side by side."""
    table = record.table("fraction_means", "period", "mean_of", "source", "fraction")
    if table is None:
        return []
    sources = list(dict.fromkeys(map(text_of, table["source"])))
    rows: list[tuple[Text, ...]] = []
    for (period, kind), own in table.groupby(["period", "mean_of"], sort=False):
        found = {text_of(row["source"]): row for _, row in own.iterrows()}
        cells: list[Text] = [(str(period),), (str(kind),)]
        for source in sources:
            if source not in found:
                cells.append(("",))
                continue
            group = f"{period}, {kind}, {in_words(source)}"
            numbers = RowNumbers(found[source], MEANS, group)
            cells.append((numbers.share("fraction", "mean", ("p05", "p95")),))
        rows.append(tuple(cells))
    caption: Text = (
        "Means that answer different questions: of the sites; of the sites weighted by "
        "the ground they stand for; and of the maps by area, with 90 % intervals. "
        "From ",
        Code(MEANS),
        ".",
    )
    heads = ("period", "mean of", *map(in_words, sources))
    return [Table(caption, heads, tuple(rows), 2, wide=True)]
