"""Write what a run found at points and in basins as one GeoPackage with symbols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from geosoil import __version__
from geosoil.config import config_hash
from geosoil.grids.sample_join import JoinResult
from geosoil.io.geopackage import write_geopackage
from geosoil.io.samples import sample_issues
from geosoil.io.vector_styles import (
    Marker,
    MarkerClass,
    MarkerRange,
    Shape,
    class_markers,
    outlines,
    range_markers,
    single_marker,
)
from geosoil.plotting.scales import colour_stops
from geosoil.plotting.style import DASH, INK, water_style
from geosoil.tracers.quality import check_quality
from geosoil.workflow.figures import StudyResults
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.named_places import MOST_PLACES, named_places, on_the_map
from geosoil.workflow.region_numbers import geodesic_area
from geosoil.workflow.simulated import simulated_tag

FILE = "results.gpkg"
"""Name of the file."""

DESCRIPTIONS = {
    "samples": "every water sample as read, with what the quality rules say of it",
    "joined": "every water sample with the values of all rasters in its cell and month",
    "fractions_sites": "source fractions of soil water at its sites, 95 % intervals",
    "stations": "places where precipitation was sampled, with the number of samples",
    "basins": "parts of the study region, with their geodesic area in km2",
    "water_lines": "lines of soil water by period and stratum (d2H over d18O)",
    "fractions_regional": "source fractions of the region by period and way of mixing",
    "sample_issues": "what was read otherwise than written, or looks wrong, by row of "
    "the file",
    "joined_provenance": "where the columns of the layer joined come from",
    "about": "what this file is, how it was made and what it lacks",
}
"""What each layer is."""

_SHAPES: dict[str, tuple[Shape, float, float]] = {
    "o": ("circle", 0.0, 2.2),
    "v": ("triangle", 180.0, 2.6),
    "^": ("triangle", 0.0, 2.6),
    "s": ("square", 0.0, 2.1),
    "D": ("diamond", 0.0, 2.6),
    "*": ("star", 0.0, 3.6),
    "P": ("cross_fill", 0.0, 2.8),
}
"""Shapes of the figures' markers, their turn, and their width for the same area."""

_CLASSES = 5


def write_results_package(
    inputs: StudyInputs,
    results: StudyResults,
    joined: JoinResult,
    folder: Path,
) -> Path:
    """Write samples, sites, basins and tables of a run as one GeoPackage.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    results : StudyResults
        What the run computed.
    joined : JoinResult
        Samples joined to the rasters.
    folder : Path
        Folder of the results.

    Returns
    -------
    path : Path
        ``results.gpkg``: the layers of :data:`DESCRIPTIONS` in degrees, each with the
        symbols that QGIS draws it with. What the study does not have is left out, and
        the table ``about`` says why.

    Raises
    ------
    GeosoilError
        If the file cannot be written.
    """
    sources = source_names(results)
    layers: dict[str, gpd.GeoDataFrame | pd.DataFrame] = {
        "samples": flagged_samples(inputs.samples),
        "joined": joined.table,
        "fractions_sites": sites_with_intervals(results.fractions.sites, sources),
    }
    stations = on_the_map(named_places(inputs.samples, "precipitation"))
    if stations is not None:
        drop = ["longitude", "latitude"]
        layers["stations"] = stations.drop(columns=drop, errors="ignore")
    if inputs.region is not None:
        areas = geodesic_area(inputs.region.geometry)
        layers["basins"] = inputs.region.assign(area_km2=areas)
    layers = {name: _in_degrees(table) for name, table in layers.items()}
    layers |= {
        "water_lines": results.fractions.lines,
        "fractions_regional": results.fractions.regional,
        "sample_issues": sample_issues(inputs.samples),
        "joined_provenance": joined.provenance,
        "about": _about(inputs, results, tuple(layers)),
    }
    tag = simulated_tag(inputs.config.study.simulated)
    return write_geopackage(
        layers,
        folder / FILE,
        styles=_styles(layers, sources),
        descriptions={
            name: f"{DESCRIPTIONS[name]}; simulated: {tag}" for name in layers
        },
    )


def source_names(results: StudyResults) -> tuple[str, ...]:
    """Return the sources of a study, in the order of its end members.

    Parameters
    ----------
    results : StudyResults
        What the run computed.

    Returns
    -------
    sources : tuple of str
        Their names.
    """
    return tuple(map(str, results.fractions.end_members["source"].drop_duplicates()))


def flagged_samples(samples: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Add to each sample what the quality rules say of it.

    Parameters
    ----------
    samples : GeoDataFrame
        Samples; their own columns stay as they are.

    Returns
    -------
    flagged : GeoDataFrame
        With the columns ``quality_rules`` and ``quality_reasons``, "" where fine; the
        same without isotopes.

    Examples
    --------
    >>> waters = gpd.GeoDataFrame(
    ...     {"d18O": [14.23, -12.42], "d2H": [-108.14, -92.72]},
    ...     geometry=gpd.points_from_xy([95, 96], [34, 34]), crs=4326)
    >>> list(flagged_samples(waters).columns[-2:])
    ['quality_rules', 'quality_reasons']
    """
    flagged = samples.copy()
    words = {"quality_rules": "rule", "quality_reasons": "reason"}
    for column in words:
        flagged[column] = ""
    if not {"d18O", "d2H"} <= set(samples.columns):
        return flagged
    plain = pd.DataFrame(samples.drop(columns=samples.geometry.name))
    plain.attrs = {}
    found = check_quality(plain)
    found = found[found["row"].notna()]
    for column, part in words.items():
        joined = found.groupby("row", sort=False)[part].agg(
            lambda texts: "; ".join(dict.fromkeys(map(str, texts)))
        )
        flagged.loc[joined.index, column] = joined.to_numpy()
    return flagged


def sites_with_intervals(
    sites: pd.DataFrame, sources: Sequence[str]
) -> gpd.GeoDataFrame:
    """Place the fractions of sites, with the 95 % interval of each.

    Parameters
    ----------
    sites : DataFrame
        One row a site and period: longitude, latitude, ``fraction_<source>`` and its
        ``_sd``.
    sources : sequence of str
        Sources.

    Returns
    -------
    placed : GeoDataFrame
        With ``fraction_<source>_lower`` and ``_upper``: 1.96 standard deviations
        around the raw fraction, which hold the fraction itself, cut to 0 and 1.

    Examples
    --------
    >>> sites = pd.DataFrame({
    ...     "longitude": [95.0], "latitude": [34.0], "fraction_rain": [0.9],
    ...     "fraction_rain_raw": [0.9], "fraction_rain_sd": [0.1]})
    >>> placed = sites_with_intervals(sites, ["rain"])
    >>> placed[["fraction_rain_lower", "fraction_rain_upper"]].round(3).values.tolist()
    [[0.704, 1.0]]
    """
    places = gpd.points_from_xy(sites["longitude"], sites["latitude"], crs=4326)
    placed = gpd.GeoDataFrame(sites.copy(), geometry=places)
    for source in sources:
        name = f"fraction_{source}"
        if f"{name}_sd" not in sites:
            continue
        centre, half = sites[f"{name}_raw"], 1.96 * sites[f"{name}_sd"]
        low = np.minimum(centre - half, sites[name])
        high = np.maximum(centre + half, sites[name])
        placed[f"{name}_lower"] = np.maximum(low, 0.0)
        placed[f"{name}_upper"] = np.minimum(high, 1.0)
    return placed


def _in_degrees(table: gpd.GeoDataFrame | pd.DataFrame) -> gpd.GeoDataFrame:
    """Return a layer in EPSG:4326."""
    placed = gpd.GeoDataFrame(table)
    return placed if placed.crs == 4326 else placed.to_crs(4326)


def _styles(
    layers: Mapping[str, gpd.GeoDataFrame | pd.DataFrame], sources: Sequence[str]
) -> dict[str, str]:
    """Symbols of each layer of points or polygons."""
    by_water = class_markers("water", _water_markers(layers["samples"]["water"]))
    first = f"fraction_{sources[0]}"
    styles = {
        "samples": by_water,
        "joined": by_water,
        "fractions_sites": range_markers(first, _fraction_markers()),
        "stations": single_marker(Marker(INK, "triangle", size=4.0)),
        "basins": outlines(INK),
    }
    return {name: style for name, style in styles.items() if name in layers}


def _water_markers(waters: pd.Series) -> list[MarkerClass]:
    """Marker of each kind of water, as in the figures."""
    markers = []
    for order, water in enumerate(waters.dropna().astype(str).drop_duplicates()):
        style = water_style(water, order=order)
        marker = Marker(style.colour, *_SHAPES[style.marker])
        markers.append(MarkerClass(water, style.label, marker))
    return markers


def _fraction_markers() -> list[MarkerRange]:
    """Markers of fifths of a fraction, in the colours of its maps."""
    stops = colour_stops("fraction", (0.0, 1.0), n_stops=_CLASSES)
    return [
        MarkerRange(
            lower := round(number / _CLASSES, 1),
            upper := round((number + 1) / _CLASSES, 1),
            f"{lower:g}{DASH}{upper:g}",
            Marker(colour, size=3.0),
        )
        for number, (_, colour) in enumerate(stops)
    ]


def _about(
    inputs: StudyInputs, results: StudyResults, layers: Sequence[str]
) -> pd.DataFrame:
    """Words on the file, the study and how its numbers were found."""
    config = inputs.config
    words = {
        "study": config.study.name,
        "simulated": simulated_tag(config.study.simulated),
        "software": f"geosoil {__version__}",
        "config_hash": config_hash(config),
        "samples": f"{config.samples.path.name}, {len(inputs.samples)} rows",
        "seed": str(config.study.seed),
        "tracers": ", ".join(config.tracers.names),
        "sources": ", ".join(source_names(results)),
        "line method": config.tracers.method,
    }
    for period, one in results.maps.periods.items():
        words[f"map of {period}"] = str(one.maps.attrs["method"])
        words[f"choice for {period}"] = str(one.maps.attrs["choice"])
    for period, reason in results.maps.skipped.items():
        words[f"no map of {period}"] = reason
    words |= {f"layer {name}": DESCRIPTIONS[name] for name in layers}
    if "stations" not in layers:
        words["no layer stations"] = (
            "no sample of precipitation names a site with a position, or more than "
            f"{MOST_PLACES} sites are named"
        )
    if "basins" not in layers:
        words["no layer basins"] = "the settings name no region"
    return pd.DataFrame({"subject": list(words), "words": list(words.values())})
