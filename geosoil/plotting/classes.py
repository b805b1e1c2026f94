"""Classes on maps: their colours, their ranks in a legend, and their cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import rioxarray  # noqa: F401  registers the accessor .rio
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

from geosoil.grids.grid import Grid
from geosoil.plotting.layers import MOST_CELLS, draw_raster
from geosoil.plotting.scales import class_hues
from geosoil.plotting.style import MISSING

FloatArray = npt.NDArray[np.float64]

MOST_CLASSES = 30
"""Classes that a legend names; the rarer ones beyond share a line."""

SHARED = "#808080"
"""Colour of the rarer classes that share a line."""


@dataclass(frozen=True, slots=True)
class MapClass:
    """A class on a map."""

    label: str
    """Words for the legend."""
    colour: str | None = None
    """Colour as #rrggbb; None takes a free one."""


def thinned(plane: xr.DataArray) -> xr.DataArray:
    """Take the middle cell of each block, so that a picture can show the classes.

    Parameters
    ----------
    plane : DataArray with dims y, x
        Class codes, CRS set.

    Returns
    -------
    thin : DataArray with dims y, x
        At most :data:`geosoil.plotting.layers.MOST_CELLS` rows and columns.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:4326")
    >>> thinned(grid.raster([[1.0, 3.0]])).shape
    (1, 2)
    """
    step = -(-max(plane.shape) // MOST_CELLS)
    if step <= 1:
        return plane
    crs = Grid.of(plane).crs
    middle = slice(step // 2, None, step)
    thin = plane.isel(y=middle, x=middle).drop_vars("spatial_ref", errors="ignore")
    placed: xr.DataArray = thin.rio.write_crs(crs)
    return placed


def ranked_classes(
    codes: FloatArray, classes: Mapping[int, MapClass], *, most: int = MOST_CLASSES
) -> tuple[FloatArray, list[MapClass]]:
    """Give the classes that are present the numbers 0, 1, ... of the legend.

    Parameters
    ----------
    codes : array
        Class codes, NaN where there is none.
    classes : mapping of int to MapClass
        What the codes mean, in the order of the legend; a code that is not in it is
        named by its number.
    most : int
        Number of classes that are told apart; the rarer ones share a line.

    Returns
    -------
    numbers : array of the same shape
        Rank of each cell's class, NaN where there is none.
    known : list of MapClass
        The classes that are present, each with a colour.

    Examples
    --------
    >>> codes = np.array([3.0, 1.0, 3.0, np.nan])
    >>> numbers, known = ranked_classes(codes, {3: MapClass("meadow", "#7fb86b")})
    >>> numbers.tolist(), [one.label for one in known]
    ([0.0, 1.0, 0.0, nan], ['meadow', '1'])
    """
    found, counts = np.unique(codes[np.isfinite(codes)], return_counts=True)
    common = found[np.argsort(-counts, kind="stable")][:most].tolist()
    order = [code for code in classes if code in common]
    order += [int(code) for code in sorted(common) if int(code) not in classes]
    free = _free_colours([classes.get(code) for code in order])
    numbers = np.full(codes.shape, np.nan)
    known = []
    for rank, code in enumerate(order):
        numbers[codes == code] = rank
        one = classes.get(code, MapClass(str(code)))
        known.append(MapClass(one.label, one.colour or free[rank]))
    rare = np.isfinite(codes) & np.isnan(numbers)
    if rare.any():
        numbers[rare] = len(known)
        known.append(MapClass(f"{len(found) - len(order)} more classes", SHARED))
    return numbers, known


def _free_colours(given: Sequence[MapClass | None]) -> list[str]:
    """Return a colour of its own for each class that has none."""
    taken = {one.colour for one in given if one is not None}
    return [colour for colour in class_hues() if colour not in taken][: len(given)]


def draw_classes(
    axes: Axes, plane: xr.DataArray, numbers: FloatArray, known: Sequence[MapClass]
) -> Axes:
    """Draw the cells of ranked classes on a map panel.

    Parameters
    ----------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The panel.
    plane : DataArray with dims y, x
        Raster of the codes; it says where the cells lie.
    numbers : array, shape (rows, columns)
        Ranks of :func:`ranked_classes`.
    known : sequence of MapClass
        The classes, by rank.

    Returns
    -------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The same panel.

    Examples
    --------
    >>> import cartopy.crs
    >>> from matplotlib.figure import Figure
    >>> panel = Figure().add_subplot(projection=cartopy.crs.Mercator())
    >>> plane = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:4326").raster([[7.0, 9.0]])
    >>> ranked = ranked_classes(plane.to_numpy(), {})
    >>> draw_classes(panel, plane, *ranked).collections[0].get_clim()
    (-0.5, 1.5)
    """
    colours = ListedColormap([str(one.colour) for one in known])
    return draw_raster(
        axes,
        Grid.of(plane).raster(numbers),
        colours=colours.with_extremes(bad=MISSING),
        limits=(-0.5, len(known) - 0.5),
    )


def class_handles(known: Sequence[MapClass]) -> list[Artist]:
    """Return the legend entries of the classes.

    Parameters
    ----------
    known : sequence of MapClass
        Classes with their colours.

    Returns
    -------
    handles : list of Artist
        Labelled patches.

    Examples
    --------
    >>> [one.get_label() for one in class_handles([MapClass("meadow", "#7fb86b")])]
    ['meadow']
    """
    return [
        Patch(fc=str(one.colour), ec="#777777", lw=0.3, label=one.label)
        for one in known
    ]
