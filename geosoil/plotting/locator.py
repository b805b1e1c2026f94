"""The small map that shows where on its continent a region lies."""

from __future__ import annotations

import cartopy.crs as ccrs
import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from geosoil.plotting.furniture import draw_graticule
from geosoil.plotting.layers import area_paths
from geosoil.plotting.panels import map_panel
from geosoil.plotting.style import INK

LAND_COLOUR, SEA_COLOUR, HERE_COLOUR = "#d3d3d3", "#f7fafc", "#d55e00"
"""Colours of land, sea and the region."""

REACH = 38.0
"""Degrees of longitude shown on each side of the region's middle."""


def draw_locator(
    figure: Figure,
    box: tuple[float, float, float, float],
    region: gpd.GeoDataFrame,
    *,
    land: gpd.GeoDataFrame | None = None,
) -> Axes:
    """Draw where on its continent a region lies.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure to draw in.
    box : tuple = (left, bottom, width, height)
        Place of the map in parts of the figure, without its labels.
    region : GeoDataFrame
        Polygons of the region, CRS set.
    land : GeoDataFrame, optional
        Polygons of land in longitude and latitude; without them only the graticule
        tells where the region lies.

    Returns
    -------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The small map in plain degrees, its scale true at the region.

    Examples
    --------
    >>> here = gpd.GeoDataFrame(geometry=[shapely.box(90, 31, 102, 36)], crs=4326)
    >>> figure = Figure(figsize=(4.0, 4.0))
    >>> axes = draw_locator(figure, (0.2, 0.2, 0.7, 0.7), here)
    >>> [label.get_text() for label in axes.get_yticklabels()]
    ['10°N', '20°N', '30°N', '40°N', '50°N', '60°N']
    """
    west, south, east, north = region.to_crs(4326).total_bounds.tolist()
    middle = (west + east) / 2.0, (south + north) / 2.0
    width, height = (float(size) for size in figure.get_size_inches())
    shrink = float(np.cos(np.radians(middle[1])))
    along = REACH * shrink * (box[3] * height) / (box[2] * width)
    projection = ccrs.PlateCarree(central_longitude=middle[0])
    low = min(max(middle[1] - along, -90.0), 90.0 - 2.0 * along)
    extent = (-REACH, REACH, low, low + 2.0 * along)
    axes = map_panel(figure, box, extent, projection)
    axes.set_aspect(1.0 / shrink)
    axes.set_facecolor(SEA_COLOUR if land is not None else "white")
    axes.set_label("locator")
    axes.spines["geo"].set_linewidth(0.4)
    if land is not None:
        _fill(axes, _shifted(land, middle[0]), LAND_COLOUR, 0.3, 1.0)
    _fill(axes, _shifted(region.dissolve(), middle[0]), HERE_COLOUR, 0.5, 2.0)
    draw_graticule(axes)
    axes.tick_params(length=1.5, pad=1.5)
    return axes


def _shifted(polygons: gpd.GeoDataFrame, middle: float) -> npt.NDArray[np.object_]:
    """Return polygons in degrees from a middle longitude, once for each turn."""
    shapes = polygons.to_crs(4326).geometry.to_numpy()
    points = shapely.get_coordinates(shapes)
    turns = [
        shapely.set_coordinates(shapes.copy(), points - (middle + turn, 0.0))
        for turn in (-360.0, 0.0, 360.0)
    ]
    whole: npt.NDArray[np.object_] = np.concatenate(turns)
    return whole


def _fill(
    axes: Axes,
    shapes: npt.NDArray[np.object_],
    colour: str,
    edge: float,
    zorder: float,
) -> None:
    """Fill polygons on the map."""
    parts = shapely.get_parts(shapes)
    polygons = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
    axes.add_collection(
        PathCollection(area_paths(polygons), fc=colour, ec=INK, lw=edge, zorder=zorder),
        autolim=False,
    )
