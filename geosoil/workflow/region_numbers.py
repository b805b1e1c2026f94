"""The region in numbers: basins, elevations, classes, places and samples."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import Geod
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from geosoil.errors import InputError
from geosoil.grids.grid import BoolArray, FloatArray
from geosoil.grids.points import values_at_points
from geosoil.grids.zonal import zonal_statistics
from geosoil.grids.zones import cell_area
from geosoil.io.geotiff import read_geotiff
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.named_places import named_places
from geosoil.workflow.published import (
    AREAS,
    EXTENT,
    is_paper_region,
    published_counts,
    published_lines,
    published_means,
    published_sites,
)

ELLIPSOID = Geod(ellps="WGS84")

PLACES = ("precipitation", "snowmelt")
"""Waters that are sampled at a few named places, stations and glaciers."""

ALL = "all"


def region_numbers(inputs: StudyInputs) -> dict[str, pd.DataFrame]:
    """Describe the region of a study in tables.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.

    Returns
    -------
    tables : dict of str to DataFrame
        ``region_basins``: basin ("all": the region), area_km2 on the ellipsoid,
        share, lowest, mean and highest elevation [m], west, south, east, north
        [degree], paper_area_km2, paper_share and other ``paper_`` columns.
        ``region_classes``: layer, label, area_km2, share of the region.
        ``region_places``: water, site_id, longitude, latitude, elevation of the table
        and elevation_model [m], n. ``region_samples``: water, period ("all", "other"),
        n, n_sites, paper_n, paper_sites. ``sample_rows``: sample_id and row of the
        file. Where the region is that of Li et al. (2024), ``published_means`` and
        ``published_lines``, too. Tables without a row are left out. What the paper
        states is NaN for any other region.

    Raises
    ------
    GeosoilError
        If the elevation model cannot be read.

    References
    ----------
    Karney (2013), Algorithms for geodesics, Journal of Geodesy 87,
    doi:10.1007/s00190-012-0578-z.
    """
    paper = is_paper_region(inputs.region)
    tables = {
        "region_basins": _basins(inputs, paper=paper),
        "region_classes": _classes(inputs),
        "region_places": _places(inputs),
        "region_samples": _samples(inputs, paper=paper),
        "sample_rows": _rows(inputs),
    }
    if paper:
        tables |= {
            "published_means": published_means(),
            "published_lines": published_lines(),
        }
    return {name: table for name, table in tables.items() if not table.empty}


def geodesic_area(polygons: gpd.GeoSeries) -> pd.Series:
    """Measure polygons on the ellipsoid.

    Parameters
    ----------
    polygons : GeoSeries
        Polygons with a CRS.

    Returns
    -------
    area : Series
        Area [km2], edges being geodesics of WGS 84.

    Raises
    ------
    InputError
        If the polygons have no CRS.

    Examples
    --------
    >>> from shapely.geometry import box
    >>> cell = gpd.GeoSeries([box(0, 0, 1, 1)], crs="EPSG:4326")
    >>> geodesic_area(cell).round(2).tolist()
    [12308.78]
    """
    if polygons.crs is None:
        message = "The polygons have no CRS. Set one, such as EPSG:4326."
        raise InputError(message)
    measured = [_area(shape) for shape in polygons.to_crs(4326)]
    return pd.Series(measured, index=polygons.index, dtype=float)


def _area(shape: BaseGeometry) -> float:
    """Area of a polygon, or of several [km2]."""
    # Rings that run the wrong way round would count with the wrong sign.
    parts: list[Polygon] = list(getattr(shape, "geoms", [shape]))
    return (
        sum(abs(ELLIPSOID.geometry_area_perimeter(orient(p))[0]) for p in parts) / 1e6
    )


def _basins(inputs: StudyInputs, *, paper: bool) -> pd.DataFrame:
    """Area, bounds and elevations of the basins and of the whole region."""
    region = inputs.region
    if region is None:
        return pd.DataFrame()
    shapes = _named(region)
    table = pd.DataFrame({"basin": shapes["basin"].to_numpy(dtype=object)})
    table["area_km2"] = geodesic_area(shapes.geometry).to_numpy()
    whole = float(table.loc[table["basin"] == ALL, "area_km2"].iloc[0])
    table["share"] = table["area_km2"] / whole
    elevations = _elevations(inputs, shapes)
    for name, column in (("min", "lowest"), ("mean", "mean"), ("max", "highest")):
        table[f"elevation_{column}"] = elevations[name].to_numpy()
    for side, values in shapes.bounds.items():
        table[SIDES[str(side)]] = values.to_numpy()
    for place, column in enumerate(("paper_area_km2", "paper_share")):
        table[column] = [
            AREAS.get(str(basin), (np.nan, np.nan))[place] if paper else np.nan
            for basin in table["basin"]
        ]
    of_region = table["basin"] == ALL
    for name, stated in EXTENT.items():
        table[f"paper_{name}"] = np.where(of_region & paper, stated, np.nan)
    return table


SIDES = {"minx": "west", "miny": "south", "maxx": "east", "maxy": "north"}


def _named(region: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Polygons of the region by name, those of one name together, and all of them."""
    shapes = region.to_crs(4326)
    whole = gpd.GeoDataFrame(
        {"basin": [ALL]}, geometry=[shapes.geometry.union_all()], crs=4326
    )
    if "name" not in shapes or shapes["name"].dropna().nunique() < 2:
        return whole
    named = shapes[shapes["name"].notna()][["name", "geometry"]]
    basins = named.dissolve(by="name", sort=False).reset_index()
    basins = basins.rename(columns={"name": "basin"})
    return gpd.GeoDataFrame(pd.concat([basins, whole], ignore_index=True), crs=4326)


def _elevations(inputs: StudyInputs, shapes: gpd.GeoDataFrame) -> pd.DataFrame:
    """Lowest, mean and highest elevation within polygons, in cells of the model."""
    path = inputs.config.elevation
    if path is None:
        return pd.DataFrame(np.nan, index=shapes.index, columns=["min", "mean", "max"])
    west, south, east, north = shapes.total_bounds
    model = read_geotiff(path, classes=False, bbox=(west, south, east, north))
    return zonal_statistics(
        model.astype(float), shapes, stats=("min", "mean", "max"), weights="area"
    )


def _classes(inputs: StudyInputs) -> pd.DataFrame:
    """Area and share of each class of each layer within the region."""
    area = cell_area(inputs.grid).where(inputs.mask, 0.0).to_numpy()
    whole = float(area.sum())
    rows = []
    for name, layer in inputs.layers.items():
        codes = layer.codes.to_numpy()
        found = {
            label: _area_of(area, codes == code) for code, label in layer.labels.items()
        }
        found["no class"] = _area_of(area, ~np.isfinite(codes))
        rows += [
            {"layer": name, "label": label, "area_km2": size, "share": size / whole}
            for label, size in found.items()
            if size > 0
        ]
    return pd.DataFrame(rows)


def _area_of(area: FloatArray, cells: BoolArray) -> float:
    """Area of some cells [km2]."""
    return float(area[cells].sum())


def _places(inputs: StudyInputs) -> pd.DataFrame:
    """Stations and glaciers: the few places where rain and meltwater were sampled."""
    found = {water: named_places(inputs.samples, water) for water in PLACES}
    parts = [
        _place_rows(places, inputs).assign(water=water, n=places["n"])
        for water, places in found.items()
        if places is not None
    ]
    if not parts:
        return pd.DataFrame()
    table = pd.concat(parts, ignore_index=True)
    return table[["water", *(name for name in table if name != "water")]]


def _place_rows(first: pd.DataFrame, inputs: StudyInputs) -> pd.DataFrame:
    """Position and elevation of places, from the table and from the model."""
    named = [name for name in ("longitude", "latitude", "elevation") if name in first]
    table = first[["site_id", *named]].copy()
    table["elevation_model"] = np.nan
    if inputs.elevation is not None and {"longitude", "latitude"} <= set(named):
        points = gpd.GeoDataFrame(
            table,
            geometry=gpd.points_from_xy(table["longitude"], table["latitude"]),
            crs=4326,
        )
        located = points[table["longitude"].notna() & table["latitude"].notna()]
        found = values_at_points(inputs.elevation.rename("value"), located)["value"]
        table.loc[located.index, "elevation_model"] = found.to_numpy(dtype=float)
    return table


def _samples(inputs: StudyInputs, *, paper: bool) -> pd.DataFrame:
    """Count samples and sites by water and period."""
    samples = inputs.samples
    periods = list(inputs.config.tracers.sources)
    sites = samples["site_id"] if "site_id" in samples else samples["sample_id"]
    known = samples["period"].isin(periods)
    frame = pd.DataFrame(
        {
            "water": samples["water"],
            "period": samples["period"].where(known, "other"),
            "site": sites,
        }
    )
    both = pd.concat([frame, frame.assign(period=ALL)], ignore_index=True)
    grouped = both.groupby(["water", "period"], sort=False)["site"]
    table = grouped.agg(n="size", n_sites="nunique").reset_index()
    order = {period: place for place, period in enumerate([*periods, "other", ALL])}
    waters = {water: place for place, water in enumerate(dict.fromkeys(table["water"]))}
    table = table.sort_values(
        ["water", "period"], key=lambda c: c.map(waters if c.name == "water" else order)
    ).reset_index(drop=True)
    table[["paper_n", "paper_sites"]] = np.nan
    return _with_paper_counts(table) if paper else table


def _with_paper_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Set the paper's counts beside those of the study."""
    stated = published_counts().groupby(["water", "period"])["paper_n"].sum()
    months = stated.drop(ALL, level="period").groupby("water").sum()
    sites = published_sites()
    for place, row in table.iterrows():
        key = (row["water"], row["period"])
        whole = months.get(row["water"], np.nan) if row["period"] == ALL else np.nan
        table.loc[place, "paper_n"] = stated.get(key, whole)
        if row["water"] == "soil":
            table.loc[place, "paper_sites"] = sites.get(row["period"], np.nan)
    return table


def _rows(inputs: StudyInputs) -> pd.DataFrame:
    """Row of the file that each sample was read from."""
    if len(inputs.rows) != len(inputs.samples):
        return pd.DataFrame()
    return pd.DataFrame(
        {"sample_id": inputs.samples["sample_id"], "row": list(inputs.rows)}
    )
