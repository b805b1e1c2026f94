"""What lies on a map panel: a raster, outlines, rivers and lakes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Colormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path

from geosoil.errors import MissingCRSError
from geosoil.plotting.projection import (
    cell_corners,
    drawable,
    map_projection,
    panel_width,
    plain_raster,
)
from geosoil.plotting.style import INK, MISSING

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

REGION_COLOUR, BASIN_COLOUR, RIVER_COLOUR = INK, "#555555", "#1f5fa8"
LAKE_FILL = "#a6cee3"

MOST_CELLS = 1200
"""Rows or columns beyond which a raster is finer than a picture shows."""


@dataclass(frozen=True, slots=True, eq=False)
class Overlays:
    """Outlines and waters drawn over a map; each may be absent.

    Panels of one projection share the work of bringing them there, so the layers are
    not to be changed in place.
    """

    region: gpd.GeoDataFrame | None = None
    """Polygons of the study region, drawn as one bold outline."""
    basins: gpd.GeoDataFrame | None = None
    """Polygons of basins, drawn as thin outlines."""
    rivers: gpd.GeoDataFrame | None = None
    """Lines of rivers."""
    lakes: gpd.GeoDataFrame | None = None
    """Polygons of lakes."""


def draw_raster(
    axes: Axes, raster: xr.DataArray, *, colours: Colormap, limits: tuple[float, float]
) -> Axes:
    """Draw the cells of a raster on a map panel, each at its true place.

    Parameters
    ----------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The panel.
    raster : DataArray with dims y, x
        Values; its CRS must be set. NaN gets the colour map's colour for bad values.
        More than :data:`MOST_CELLS` rows or columns are drawn as block means.
    colours : matplotlib.colors.Colormap
        Colours.
    limits : tuple = (smallest, largest)
        Ends of the colour scale.

    Returns
    -------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The same panel.

    Raises
    ------
    InputError
        If the axes are no map panel or the raster has other dimensions.
    MissingCRSError
        If the raster has no CRS.

    Examples
    --------
    >>> import cartopy.crs
    >>> from matplotlib.figure import Figure
    >>> from geosoil.grids.grid import Grid
    >>> from geosoil.plotting.scales import colour_map
    >>> panel = Figure().add_subplot(projection=cartopy.crs.Mercator())
    >>> grid = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:4326")
    >>> panel = draw_raster(
    ...     panel, grid.raster([[1, 2]]), colours=colour_map("vik"), limits=(0, 2)
    ... )
    >>> panel.collections[0].get_clim()
    (0.0, 2.0)
    """
    projection = map_projection(axes)
    plane = plain_raster(raster)
    values, grid = drawable(plane, most_cells=MOST_CELLS)
    x, y = cell_corners(grid, projection)
    axes.pcolormesh(
        x,
        y,
        np.ma.masked_invalid(values),
        cmap=colours,
        vmin=float(limits[0]),
        vmax=float(limits[1]),
        shading="flat",
        rasterized=True,
        zorder=1,
    )
    return axes


def draw_overlays(axes: Axes, overlays: Overlays) -> Axes:
    """Draw lakes, rivers, basins and the region's outline on a map panel.

    Parameters
    ----------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The panel.
    overlays : Overlays
        Layers in any coordinate reference system.

    Returns
    -------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The same panel.

    Raises
    ------
    InputError
        If the axes are no map panel.
    MissingCRSError
        If a layer has no CRS.

    Examples
    --------
    >>> import cartopy.crs
    >>> from matplotlib.figure import Figure
    >>> panel = Figure().add_subplot(projection=cartopy.crs.Mercator())
    >>> square = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:4326")
    >>> len(draw_overlays(panel, Overlays(region=square)).collections)
    1
    """
    lines = _prepared(overlays, map_projection(axes))
    thin = float(np.clip(panel_width(axes) / 4.5, 0.6, 1.0))
    for path in lines.lakes:
        axes.add_artist(
            PathPatch(path, fc=LAKE_FILL, ec=RIVER_COLOUR, lw=0.35 * thin, zorder=2)
        )
    _add_lines(axes, lines.rivers, colour=RIVER_COLOUR, width=0.6 * thin, zorder=2.1)
    _add_lines(axes, lines.basins, colour=BASIN_COLOUR, width=0.5 * thin, zorder=2.2)
    _add_lines(axes, lines.region, colour=REGION_COLOUR, width=1.0 * thin, zorder=2.3)
    return axes


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Overlays as they are drawn in one projection."""

    lakes: list[Path]
    """Polygons with their holes."""
    rivers: list[FloatArray]
    """Lines; as those of basins and region, arrays of shape (n, 2) [m]."""
    basins: list[FloatArray]
    """Outlines of the basins."""
    region: list[FloatArray]
    """Outline of the region as a whole."""


@lru_cache(maxsize=16)
def _prepared(overlays: Overlays, projection: Any) -> _Prepared:  # noqa: ANN401
    """Bring the overlays into a projection, once for all panels of a study."""
    region = _projected(overlays.region, "region", projection)
    whole = np.array([shapely.boundary(shapely.union_all(region))], dtype=object)
    basins = _projected(overlays.basins, "basins", projection)
    return _Prepared(
        lakes=area_paths(_projected(overlays.lakes, "lakes", projection)),
        rivers=_parts(_projected(overlays.rivers, "rivers", projection)),
        basins=_parts(shapely.boundary(basins)),
        region=_parts(whole),
    )


def _parts(shapes: npt.NDArray[np.object_]) -> list[FloatArray]:
    """Return the coordinates of every part of lines."""
    parts = shapely.get_parts(shapes)
    return [shapely.get_coordinates(part) for part in parts if not part.is_empty]


def _projected(
    layer: gpd.GeoDataFrame | None,
    name: str,
    projection: Any,  # noqa: ANN401  cartopy has no types
) -> npt.NDArray[np.object_]:
    """Return the shapes of a layer in the map's projection."""
    if layer is None or layer.empty:
        return np.empty(0, dtype=object)
    if layer.crs is None:
        message = (
            f"Layer '{name}' has no coordinate reference system. Set it with "
            ".set_crs, for instance 'EPSG:4326'."
        )
        raise MissingCRSError(message)
    shapes = layer.geometry.to_crs(projection).to_numpy()
    kept = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    return cast("npt.NDArray[np.object_]", shapes[kept])


def area_paths(shapes: Iterable[Any]) -> list[Path]:
    """Return one path a polygon, its holes included.

    Parameters
    ----------
    shapes : iterable of Polygon or MultiPolygon
        Polygons.

    Returns
    -------
    paths : list of matplotlib.path.Path
        One a polygon.

    Examples
    --------
    >>> len(area_paths([shapely.box(0, 0, 1, 1)]))
    1
    """
    paths = []
    for polygon in shapely.get_parts(np.asarray(shapes, dtype=object)):
        rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(polygon)]
        whole = [Path(ring, closed=True) for ring in rings]
        paths.append(Path.make_compound_path(*whole))
    return paths


def _add_lines(
    axes: Axes,
    lines: list[FloatArray],
    *,
    colour: str,
    width: float,
    zorder: float,
) -> None:
    """Add lines to a panel without changing its extent."""
    if lines:
        axes.add_collection(
            LineCollection(lines, colors=colour, linewidths=width, zorder=zorder),
            autolim=False,
        )


def map_frame(overlays: Overlays) -> gpd.GeoDataFrame | None:
    """Return the polygons that a map of the overlays has to hold.

    Parameters
    ----------
    overlays : Overlays
        Layers of the map.

    Returns
    -------
    frame : GeoDataFrame or None
        The region, else the basins, else None.

    Examples
    --------
    >>> map_frame(Overlays()) is None
    True
    """
    return overlays.region if overlays.region is not None else overlays.basins


def overlay_handles(overlays: Overlays) -> list[Artist]:
    """Return the legend entries of the layers that are present.

    Parameters
    ----------
    overlays : Overlays
        Layers of the map.

    Returns
    -------
    handles : list of Artist
        Labelled lines and patches.

    Examples
    --------
    >>> overlay_handles(Overlays())
    []
    """
    handles: list[Artist] = []
    if overlays.region is not None:
        handles.append(Line2D([], [], color=REGION_COLOUR, lw=1.0, label="region"))
    if overlays.basins is not None:
        handles.append(Line2D([], [], color=BASIN_COLOUR, lw=0.5, label="basins"))
    if overlays.rivers is not None:
        handles.append(Line2D([], [], color=RIVER_COLOUR, lw=0.6, label="rivers"))
    if overlays.lakes is not None:
        handles.append(Patch(fc=LAKE_FILL, ec=RIVER_COLOUR, lw=0.35, label="lakes"))
    return handles


def missing_handle() -> Artist:
    """Return the legend entry of cells without a value.

    Returns
    -------
    handle : Artist
        A labelled patch.

    Examples
    --------
    >>> missing_handle().get_label()
    'no value'
    """
    return Patch(fc=MISSING, ec="#777777", lw=0.35, label="no value")
