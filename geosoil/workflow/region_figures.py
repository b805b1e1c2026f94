"""Draw the region of a study: classes of its ground, its terrain, its sites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import geopandas as gpd
import xarray as xr

from geosoil.io.class_tables import read_classes
from geosoil.io.layers import read_lines, read_polygons
from geosoil.plotting.classes import MapClass
from geosoil.plotting.correlation_captions import in_words
from geosoil.plotting.layers import Overlays
from geosoil.plotting.picture import Draw
from geosoil.plotting.places import Places
from geosoil.plotting.region_maps import (
    ClassMap,
    MapSheet,
    figure_class_maps,
    figure_terrain,
)
from geosoil.plotting.sites import figure_sampling_sites
from geosoil.simulate.inputs import data_folder
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.named_places import named_places, on_the_map
from geosoil.workflow.simulated import SIMULATED

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "permafrost": "Frozen ground",
        "soil": "Soil types",
        "vegetation": "Vegetation types",
    }
)
"""Titles of well-known layers, in the order of their panels; others follow."""

PLACES: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "precipitation": ("precipitation stations", "^", "#0072b2"),
        "snowmelt": ("snowmelt sites", "*", "#cc79a7"),
    }
)
"""Waters that are sampled at a few named places: words, marker and colour."""

CAPTION = "Each cell has the class that covers most of it; grey cells have none."

MOST_PLACES = 12
"""More places than these crowd a map."""


def open_sheet(inputs: StudyInputs) -> MapSheet:
    """Open what the maps of a study have in common.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.

    Returns
    -------
    sheet : MapSheet
        Outlines, waters, the few places where rain and meltwater were sampled, land
        for the locator, and the note where the study is simulated.
    """
    return MapSheet(
        overlays=open_overlays(inputs),
        places=sampled_places(inputs.samples),
        land=read_polygons(data_folder() / "region" / "land.geojson"),
        note=SIMULATED if inputs.config.study.simulated else None,
    )


def open_overlays(inputs: StudyInputs) -> Overlays:
    """Open the outlines and waters that maps show.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.

    Returns
    -------
    overlays : Overlays
        Region, its parts, rivers and lakes; what the settings do not name is absent.
    """
    study = inputs.config.study
    region = inputs.region
    return Overlays(
        region=region,
        basins=region if region is not None and len(region) > 1 else None,
        rivers=read_lines(study.rivers) if study.rivers else None,
        lakes=read_polygons(study.lakes) if study.lakes else None,
    )


def sampled_places(samples: gpd.GeoDataFrame) -> tuple[Places, ...]:
    """Return the few places where rain and meltwater were sampled.

    Parameters
    ----------
    samples : GeoDataFrame
        Samples with ``water`` and ``site_id``.

    Returns
    -------
    places : tuple of Places
        One a kind of water; a kind with more than :data:`MOST_PLACES` places has no
        stations.

    Examples
    --------
    >>> import shapely
    >>> rain = gpd.GeoDataFrame(
    ...     {"water": ["precipitation"] * 2, "site_id": ["Maduo"] * 2},
    ...     geometry=[shapely.Point(98.2, 34.9)] * 2,
    ...     crs="EPSG:4326",
    ... )
    >>> [(one.label, len(one.points)) for one in sampled_places(rain)]
    [('precipitation stations', 1)]
    """
    found = []
    for water, (label, marker, colour) in PLACES.items():
        sites = on_the_map(named_places(samples, water, most=MOST_PLACES))
        if sites is not None:
            points = sites.rename(columns={"site_id": "name"})[["name", "geometry"]]
            found.append(Places(points, label, marker, colour))
    return tuple(found)


def region_figures(inputs: StudyInputs, sheet: MapSheet) -> Iterator[tuple[str, Draw]]:
    """Name the figures of the region, and say how each is drawn.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    sheet : MapSheet
        What its maps have in common.

    Yields
    ------
    name, draw : str, callable
        ``region_<layers>`` of all layers of classes, as in the paper's Fig. 1;
        ``terrain``; and ``sampling_sites`` by month, as in its Fig. 3. A study without
        layers, elevation or places leaves the figure out.
    """
    names = [name for name in TITLES if name in inputs.layers]
    names += [name for name in inputs.layers if name not in TITLES]
    if names:
        title = f"The region: {', '.join(in_words(name) for name in names)}"
        yield (
            f"region_{'_'.join(names)}",
            lambda preset: figure_class_maps(
                {_title(name): class_map(inputs, name) for name in names},
                sheet=replace(sheet, preset=preset),
                title=title,
                caption=CAPTION,
            ),
        )
    if inputs.elevation is not None:
        yield from _ground_figures(inputs, inputs.elevation, sheet)


def _ground_figures(
    inputs: StudyInputs, elevation: xr.DataArray, sheet: MapSheet
) -> Iterator[tuple[str, Draw]]:
    """Name the figures that lie over the terrain."""
    title = f"Terrain: {inputs.config.study.name}"
    yield (
        "terrain",
        lambda preset: figure_terrain(
            elevation, sheet=replace(sheet, preset=preset), title=title
        ),
    )
    wanted = inputs.samples["period"].isin(inputs.config.tracers.sources)
    places = inputs.samples.geometry
    located = inputs.samples[wanted & places.notna() & ~places.is_empty]
    if not located.empty:
        yield (
            "sampling_sites",
            lambda preset: figure_sampling_sites(
                located,
                elevation=elevation,
                overlays=sheet.overlays,
                title="Sampling sites",
                note=sheet.note,
                preset=preset,
            ),
        )


def _title(name: str) -> str:
    """Return the title of a layer's panel."""
    words = in_words(name)
    return TITLES.get(name, words[:1].upper() + words[1:])


def class_map(inputs: StudyInputs, name: str) -> ClassMap:
    """Return a layer of classes as it is drawn: within the region, in its colours.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    name : str
        Name of the layer in the settings.

    Returns
    -------
    classes : ClassMap
        Codes, labels and the colours that its class table names.
    """
    layer = inputs.layers[name]
    table = inputs.config.layers[name].table
    colours = (
        {one.code: one.colour for one in read_classes(table).classes} if table else {}
    )
    return ClassMap(
        layer.codes.where(inputs.mask),
        {
            code: MapClass(words, colours.get(code))
            for code, words in layer.labels.items()
        },
    )
