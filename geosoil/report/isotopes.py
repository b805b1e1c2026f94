"""Isotopes of soil water by stratum: means as in Table 1, lines as in Table 2."""

from __future__ import annotations

import math

import pandas as pd

from geosoil.report.cells import UNITS, RowNumbers
from geosoil.report.document import (
    NAN,
    Block,
    Cite,
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
from geosoil.report.numbers import MINUS
from geosoil.report.record import RunRecord, in_words, number_of, text_of
from geosoil.report.results import KINDS
from geosoil.tracers.excess_regression import d_excess_regressions

FILE, SAMPLES = "tables/water_lines.csv", "tables/fractions_samples.csv"
OF_MEANS = ("all", "soil_layer", "aspect", "vegetation", "elevation_band")
"""Strata of Table 1, in its order; then those that it does not have."""
OF_LINES = ("all", "elevation_band", "vegetation", "aspect", "soil_layer")
"""Strata of Table 2, in its order; then those that it does not have."""
ISOTOPES = ("d18O", "d2H", "d_excess")
SIGNS = {"d18O": "δ¹⁸O", "d2H": "δ²H", "d_excess": "d-excess"}
EXCESS = f"δ²H {MINUS} 8 δ¹⁸O"
Key = tuple[str, ...]


def isotopes_section(record: RunRecord) -> Section | None:
    """Return the means and lines of soil water.

    Parameters
    ----------
    record : RunRecord
        Run.

    Returns
    -------
    section : Section or None
        None where the run fitted no line.
    """
    table = record.table("water_lines", "period", "by", "stratum", "d18O", "slope")
    if table is None:
        return None
    published = _published(record)
    blocks: list[Block] = [
        *_meteoric(record),
        Heading("Means by stratum (as Table 1 of the paper)", "means"),
        _means(record, table),
        Heading("Water lines by stratum (as Table 2 of the paper)", "lines"),
        _lines(table),
        *([published] if published else []),
        *_flags(table),
    ]
    return Section("isotopes", "Isotopes of soil water", tuple(blocks))


def _meteoric(record: RunRecord) -> list[Paragraph]:
    """Tell the local meteoric water line beside the global one."""
    table = record.table("meteoric_line", "slope", "intercept")
    if table is None:
        return []
    line = RowNumbers(table.iloc[0], "summary.json lmwl", "local meteoric water line")
    whole = pd.Series({"slope": 8.0, "intercept": 10.0})
    of_all = RowNumbers(whole, "Craig (1961)", "global meteoric water line")
    text: Text = (
        "Local meteoric water line of the precipitation samples: δ²H = ",
        line.fixed("slope"),
        " δ¹⁸O ",
        line.term("intercept"),
        " ‰ (R² ",
        line.fixed("r_squared", "R2"),
        ", n ",
        line.count("n", "samples"),
        "). The global meteoric water line (",
        Cite("craig1961"),
        ") is δ²H = ",
        of_all.count("slope"),
        " δ¹⁸O ",
        of_all.term("intercept", digits=0),
        " ‰.",
    )
    return [Paragraph(text)]


def _ordered(table: pd.DataFrame, order: tuple[str, ...]) -> list[tuple[str, str]]:
    """Kinds and labels of the strata of a table, kinds in the order given."""
    pairs = dict.fromkeys(
        (text_of(row["by"]), text_of(row["stratum"])) for _, row in table.iterrows()
    )
    places = {kind: place for place, kind in enumerate(order)}
    return sorted(pairs, key=lambda pair: places.get(pair[0], len(places)))


def _label(by: str, stratum: str) -> str:
    """Words for a stratum."""
    if by == "all":
        return "all soil water"
    return f"{KINDS.get(by, in_words(by))}: {in_words(stratum)}"


def _by_stratum(table: pd.DataFrame) -> dict[Key, pd.Series]:
    """Rows by period, kind and label of the stratum."""
    return {
        (text_of(row["period"]), text_of(row["by"]), text_of(row["stratum"])): row
        for _, row in table.iterrows()
    }


def _means(record: RunRecord, table: pd.DataFrame) -> Table:
    """Mean d18O, d2H and d-excess, and d-excess against d18O."""
    periods = list(dict.fromkeys(map(str, table["period"])))
    rows, excess = _by_stratum(table), _regressions(record)
    cells: list[tuple[Text, ...]] = []
    for by, stratum in _ordered(table, OF_MEANS):
        label = _label(by, stratum)
        line: list[Text] = [(label,)]
        if excess:
            line.append(_excess_line(excess.get((by, stratum)), label))
        for period in periods:
            row = rows.get((period, by, stratum), pd.Series(dtype=float))
            numbers = RowNumbers(row, FILE, f"{period}, {label}")
            line += [(numbers.fixed(i, f"mean {in_words(i)}"),) for i in ISOTOPES]
        cells.append(tuple(line))
    heads = [f"{period} {SIGNS[i]}" for period in periods for i in ISOTOPES]
    relation = ("d-excess on δ¹⁸O (R²)",) if excess else ()
    caption: Text = (
        f"Means of soil water [‰, VSMOW]; d-excess = {EXCESS} (",
        Cite("dansgaard1964"),
        ")",
        ", with its regression on x = δ¹⁸O over all periods" if excess else "",
        ". Means and their standard errors: ",
        Code(FILE),
        *(("; regressions of the samples of ", Code(SAMPLES)) if excess else ()),
        ".",
    )
    return Table(caption, ("soil water", *relation, *heads), tuple(cells), wide=True)


def _regressions(record: RunRecord) -> dict[Key, pd.Series]:
    """Regressions of d-excess on d18O, all periods together, by stratum."""
    samples = record.table("fractions_samples", "d18O", "d2H")
    if samples is None:
        return {}
    found: dict[Key, pd.Series] = {
        ("all", "all"): d_excess_regressions(samples, by=[]).iloc[0]
    }
    for by in OF_MEANS[1:]:
        if by not in samples:
            continue
        labelled = samples[samples[by].map(text_of) != ""]
        if labelled.empty:
            continue
        for _, row in d_excess_regressions(labelled, by=[by]).iterrows():
            found[by, text_of(row[by])] = row
    return found


def _excess_line(row: pd.Series | None, label: str) -> Text:
    """Write the regression of a stratum as an equation."""
    if row is None or not math.isfinite(number_of(row["slope"])):
        return ("",)
    numbers = RowNumbers(row, SAMPLES, f"d-excess on d18O, {label}")
    r_squared = numbers.fixed("r_squared", "R2", 3)
    intercept = numbers.term("intercept")
    return (numbers.fixed("slope"), " x ", intercept, " (", r_squared, ")")


def _lines(table: pd.DataFrame) -> Table:
    """Slope and intercept of each line with their errors."""
    rows = _by_stratum(table)
    periods = list(dict.fromkeys(map(str, table["period"])))
    cells: list[tuple[Text, ...]] = []
    for by, stratum in _ordered(table, OF_LINES):
        label = _label(by, stratum)
        for period in periods:
            row = rows.get((period, by, stratum))
            if row is not None:
                numbers = RowNumbers(row, FILE, f"{period}, {label}")
                cells.append(((label,), (period,), *_line(numbers)))
    caption: Text = (
        "Lines δ²H = slope · δ¹⁸O + intercept of soil water, ± standard error, and the "
        "crossing with the local meteoric water line with its 95 % interval (",
        Cite("fieller1954"),
        "), which is the water before evaporation only where samples evaporated from "
        "one water; an unbounded interval is left out. From ",
        Code(FILE),
        ".",
    )
    heads = ("slope", "intercept [‰]", "R²", "samples (sites)", "crossing δ¹⁸O [‰]")
    return Table(caption, ("soil water", "period", *heads), tuple(cells), 2, wide=True)


def _line(numbers: RowNumbers) -> tuple[Text, ...]:
    """Cells of one line."""
    row = numbers.row
    crossing = Number(
        "crossing with the meteoric line, d18O",
        number_of(row.get("initial_d18O", NAN)),
        "permil",
        numbers.group,
        f"{FILE} (initial_d18O)",
        number_of(row.get("initial_lower", NAN)),
        number_of(row.get("initial_upper", NAN)),
        digits=1,
    )
    n, sites = numbers.count("n", "samples"), numbers.count("n_sites", "sites")
    return (
        numbers.with_error("slope", "slope_standard_error"),
        numbers.with_error("intercept", "intercept_standard_error"),
        (numbers.fixed("r_squared", "R2"),),
        (n, " (", sites, ")"),
        (crossing,),
    )


def _published(record: RunRecord) -> Listing | None:
    """Return the values that the paper prints, with the differences from them."""
    means = record.table("published_means", "period", "by", "stratum", *ISOTOPES)
    lines = record.table("published_lines", "kind", "period", "by", "stratum", "slope")
    own = record.table("water_lines", "period", "by", "stratum")
    if means is None or lines is None or own is None:
        return None
    rows = _by_stratum(own)
    first: Text = (
        "Means printed in Table 1 of the paper (",
        Cite("li2024"),
        ") [‰], and in brackets this study's less the paper's. Two lost minus signs "
        f"are mended; d-excess is {EXCESS} throughout, though the paper prints other "
        "values for August.",
    )
    second: Text = (
        "Lines printed in Table 2 of the paper (",
        Cite("li2024"),
        "), and in brackets this study's less the paper's.",
    )
    evaporation = lines[lines["kind"] == "evaporation line"]
    tables = (
        _beside(means, rows, ISOTOPES, first, "tables/published_means.csv"),
        _beside(
            evaporation,
            rows,
            ("slope", "intercept", "r_squared"),
            second,
            "tables/published_lines.csv",
        ),
    )
    return Listing("The paper's Tables 1 and 2 beside these", tables)


def _beside(
    stated: pd.DataFrame,
    own: dict[Key, pd.Series],
    columns: tuple[str, ...],
    caption: Text,
    file: str,
) -> Table:
    """Set values of the paper beside the study's differences from them."""
    cells: list[tuple[Text, ...]] = []
    for key, row in _by_stratum(stated).items():
        label = _label(key[1], key[2])
        numbers = RowNumbers(row, file, f"{key[0]}, {label}")
        pairs = [_pair(numbers, own.get(key), name) for name in columns]
        cells.append(((label,), (key[0],), *pairs))
    signs = SIGNS | {"intercept": "intercept [‰]", "r_squared": "R²"}
    heads = (signs.get(name, name) for name in columns)
    return Table(caption, ("soil water", "period", *heads), tuple(cells), 2, wide=True)


def _pair(stated: RowNumbers, own: pd.Series | None, name: str) -> Text:
    """Return a value of the paper and the difference of the study's from it."""
    words = in_words(name)
    value = stated.fixed(name, f"{words} stated by the paper")
    text: list[Piece] = [value]
    if own is not None and math.isfinite(number_of(own.get(name, NAN))):
        difference = Number(
            f"{words} less the paper's",
            number_of(own[name]) - value.value,
            UNITS.get(name, "1"),
            stated.group,
            f"{FILE} less {value.source}",
        )
        text += [" (", difference, ")"]
    return tuple(text)


def _flags(table: pd.DataFrame) -> list[Block]:
    """Say for which crossings caution is due, and why."""
    groups: dict[str, list[str]] = {}
    for _, row in table.iterrows():
        words = text_of(row.get("flags", "")) or text_of(row.get("reason", ""))
        if words:
            label = _label(text_of(row["by"]), text_of(row["stratum"]))
            groups.setdefault(words, []).append(f"{row['period']} ({label})")
    return [
        Paragraph((f"Caution, {words}: {'; '.join(own)}.",), "note")
        for words, own in groups.items()
    ]
