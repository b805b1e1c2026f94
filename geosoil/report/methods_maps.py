"""The methods of maps and correlations in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from geosoil.report.cells import RowNumbers
from geosoil.report.document import Cite, Piece, Text
from geosoil.report.maps import is_true
from geosoil.report.record import DASH, RunRecord, in_words, text_of
from geosoil.report.settings_numbers import setting_number

COMPARISON = "tables/interpolation_comparison.csv"
METHODS: Mapping[str, Text] = {
    "mean": ("the mean of the sites that can have the same sources",),
    "idw": ("inverse-distance weighting (", Cite("shepard1968"), ")"),
    "kriging": (
        "ordinary kriging (",
        Cite("matheron1963"),
        "; ",
        Cite("cressie1993"),
        ")",
    ),
    "kriging_drift": ("kriging with elevation as external drift",),
    "ilr": (
        "kriging of isometric log-ratios (",
        Cite("egozcue2003"),
        ")",
    ),
}
"""Words for the methods of fraction maps."""
COEFFICIENTS: Mapping[str, Text] = {
    "pearson": ("Pearson's r",),
    "spearman": ("Spearman's rank correlation",),
    "kendall": ("Kendall's tau (", Cite("kendall1938"), ")"),
}
"""Words for the coefficients."""


def interpolation_text(record: RunRecord) -> Text:
    """Return how the fraction maps were made.

    Parameters
    ----------
    record : RunRecord
        Run.

    Returns
    -------
    text : tuple of pieces
        Empty where there is no map.
    """
    table = record.table("interpolation_comparison", "period", "method", "chosen")
    settings = record.setting("interpolation", default={})
    if table is None:
        return ()
    whole = table[table["source"] == "all"] if "source" in table else table
    names = list(dict.fromkeys(map(text_of, whole["method"])))
    text: list[Piece] = [*_grid(record), "Fractions between the sites were mapped by "]
    text += _alternatives(names)
    if settings.get("method", "auto") == "auto":
        first = RowNumbers(whole.iloc[0], COMPARISON, text_of(whole["period"].iloc[0]))
        side = first.fixed("block_km", "side of the blocks", 0)
        text += ["; of these, cross-validation with blocks of sites left out ("]
        text += [Cite("roberts2017"), "; in ", text_of(whole["period"].iloc[0])]
        text += [" blocks of ", side, " km) chose ", *_chosen(whole)]
    text.append(". ")
    if any(name.startswith("kriging") or name == "ilr" for name in names):
        model = settings.get("variogram", "exponential")
        text.append(
            f"Variograms are {model}, fitted to classes of distance by weighted least "
            "squares; the variance that the mixing explains is filtered as error. "
        )
    text += [
        "Uncertainty was carried through the maps by ",
        setting_number(settings, "n_draws", "interpolation", digits=0),
        " draws of the end members, sites and interpolation together.",
        *_limits(settings),
    ]
    return tuple(text)


def _grid(record: RunRecord) -> list[Piece]:
    """Tell the grid of the maps."""
    grid = record.setting("grid", default={})
    if "resolution" not in grid:
        return []
    side = setting_number(grid, "resolution", "grid", unit="")
    crs = text_of(grid.get("crs", ""))
    degrees = "°" if crs.upper() in ("EPSG:4326", "OGC:CRS84") else " units"
    return ["Maps have cells of ", side, f"{degrees} ({crs}). "]


def _alternatives(names: Sequence[str]) -> list[Piece]:
    """Name the methods that were tried."""
    text: list[Piece] = []
    for place, name in enumerate(names):
        between = " or " if place == len(names) - 1 else ", "
        text += [between if place else "", *METHODS.get(name, (in_words(name),))]
    return text


def _chosen(table: pd.DataFrame) -> list[Piece]:
    """Name the method of each period, periods with the same one together."""
    same: dict[str, list[str]] = {}
    for _, row in table[table["chosen"].map(is_true)].iterrows():
        same.setdefault(text_of(row["method"]), []).append(text_of(row["period"]))
    plain = {name: METHODS.get(name, (name,))[0] for name in same}
    parts = [
        f"{str(plain[name]).removesuffix(' (')} in {', '.join(periods)}"
        for name, periods in same.items()
    ]
    return [" and ".join(parts)]


def _limits(settings: Mapping[str, Any]) -> list[Piece]:
    """Tell where the maps do not speak."""
    text: list[Piece] = [" Cells outside the range of elevations sampled"]
    if settings.get("max_distance_km") is not None:
        distance = setting_number(
            settings, "max_distance_km", "interpolation", unit="km", digits=0
        )
        text += [", or farther than ", distance, " km from a site,"]
    masked = settings.get("unsupported") == "mask"
    return [*text, " are left empty." if masked else " are hatched."]


def correlation_text(record: RunRecord) -> Text:
    """Return how the correlations were computed.

    Parameters
    ----------
    record : RunRecord
        Run.

    Returns
    -------
    text : tuple of pieces
        Empty where nothing was correlated.
    """
    table = record.table("correlation_summary", "x", "y", "month")
    settings = record.setting("correlation", default={})
    if table is None:
        return ()
    first = table.iloc[0]
    method = text_of(settings.get("method", "pearson"))
    names = [in_words(name) for name in dict.fromkeys(table["x"])]
    text: list[Piece] = [
        *COEFFICIENTS.get(method, (in_words(method),)),
        f" of {in_words(first['y'])} with {', '.join(names)} was computed cell by cell "
        f"over the years {years(first)}, month by month",
        ", both series without their linear trend" if settings.get("detrend") else "",
        ", on the coarser grid of the two, where at least ",
        setting_number(settings, "min_pairs", "correlation", digits=0),
        " years have both. p values take the years for independent; the effective "
        "number of pairs (",
        Cite("bretherton1999"),
        ") stands beside them. Over each map the false discovery rate (",
        Cite("benjamini1995"),
        ") was kept at ",
        setting_number(settings, "fdr", "correlation"),
        " (",
        Cite("wilks2016"),
        ").",
        *_over_space(record, settings),
        *_ndvi(record, table),
    ]
    return tuple(text)


def years(row: pd.Series) -> str:
    """Return the years of a correlation as readers write them.

    Parameters
    ----------
    row : Series
        With years such as "2001-2020".

    Returns
    -------
    years : str
        With a true dash.
    """
    return text_of(row.get("years", "")).replace("-", DASH)


def _over_space(record: RunRecord, settings: Mapping[str, Any]) -> list[Piece]:
    """Tell the correlation over space."""
    table = record.table("correlation_space", "x", "y", "month")
    if table is None:
        return []
    text: list[Piece] = [
        " Over the cells of one year, p values count neighbours as the fewer cells "
        "that they are worth (",
        Cite("dutilleul1993"),
        ")",
    ]
    if settings.get("window"):
        side = setting_number(settings, "window", "correlation", digits=0)
        text += [", and r was computed in moving windows of ", side, " cells a side"]
    return [*text, "."]


def _ndvi(record: RunRecord, table: pd.DataFrame) -> list[Piece]:
    """Tell where NDVI comes from."""
    if "ndvi" not in set(table["x"]):
        return []
    quality = in_words(record.setting("ndvi", "quality", default="good"))
    return [
        " NDVI is that of the MODIS vegetation index products (",
        Cite("didan2015"),
        f"); pixels of quality “{quality}” were kept.",
    ]
