"""Hatching of map cells whose correlation is not significant."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path

from geosoil.errors import GridMismatchError
from geosoil.plotting.projection import (
    cell_corners,
    drawable,
    map_projection,
    plain_raster,
)

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

HATCH, HATCH_COLOUR = "//////", "#222222"
"""Pattern and colour of the strokes."""

HALO_COLOUR, HALO_WIDTH, STROKE_WIDTH = "#ffffff", 1.1, 0.45
"""Light edges, by which strokes are seen on dark ground, and widths [pt]."""

FINEST = 600
"""Rows or columns beyond which cells are finer than strokes show."""


def draw_hatching(
    axes: Axes, raster: xr.DataArray, *, p_values: xr.DataArray, alpha: float = 0.05
) -> Axes:
    """Hatch the cells of a raster whose p value is not below a level.

    Parameters
    ----------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The panel.
    raster : DataArray with dims y, x
        The raster drawn below; cells without a value stay free.
    p_values : DataArray with dims y, x
        p values on the same grid.
    alpha : float
        Level of significance; cells with p >= alpha are hatched.

    Returns
    -------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The same panel.

    Raises
    ------
    InputError
        If the axes are no map panel.
    GridMismatchError
        If the p values have another shape than the raster.

    Examples
    --------
    >>> import cartopy.crs
    >>> from matplotlib.figure import Figure
    >>> from geosoil.grids.grid import Grid
    >>> panel = Figure().add_subplot(projection=cartopy.crs.Mercator())
    >>> grid = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:4326")
    >>> r, p = grid.raster([[0.9, 0.1]]), grid.raster([[0.01, 0.8]])
    >>> len(draw_hatching(panel, r, p_values=p).patches)
    1
    """
    plane, level = plain_raster(raster), plain_raster(p_values)
    if plane.shape != level.shape:
        message = (
            f"p values of shape {level.shape} for a raster of shape {plane.shape}. "
            "Bring them onto one grid with geosoil.align."
        )
        raise GridMismatchError(message)
    weak = (level.to_numpy() >= alpha) & np.isfinite(plane.to_numpy())
    return hatch_cells(axes, plane.copy(data=weak), label=f"p ≥ {alpha:g}")


def hatch_cells(axes: Axes, marked: xr.DataArray, *, label: str = "") -> Axes:
    """Hatch the marked cells of a map panel.

    Parameters
    ----------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The panel.
    marked : DataArray with dims y, x
        True, or 1, where a cell is hatched; its CRS must be set. Of more than
        :data:`FINEST` rows or columns, the blocks are hatched that are marked by half.
    label : str
        Words of the strokes.

    Returns
    -------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The same panel. Dark strokes have light edges, so that they are seen on any
        colour.

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
    >>> panel = Figure().add_subplot(projection=cartopy.crs.Mercator())
    >>> grid = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:4326")
    >>> panel = hatch_cells(panel, grid.raster([[1, 0]]), label="q > 0.1")
    >>> [patch.get_label() for patch in panel.patches]
    ['q > 0.1']
    """
    projection = map_projection(axes)
    values, grid = drawable(plain_raster(marked), most_cells=FINEST)
    cells = values >= 0.5
    if cells.any():
        path = _cells_path(cells, *cell_corners(grid, projection))
        axes.add_artist(_Strokes(path, zorder=1.5, label=label, **_hatch_look()))
    return axes


class _Strokes(PathPatch):
    """Hatched cells whose strokes have light edges."""

    def draw(self, renderer: RendererBase) -> None:
        """Draw the light edges, and the strokes upon them."""
        looks = (HALO_COLOUR, HALO_WIDTH), (HATCH_COLOUR, STROKE_WIDTH)
        for colour, width in looks:
            self.set_hatchcolor(colour)
            self.set_hatch_linewidth(width)
            super().draw(renderer)


def _hatch_look() -> dict[str, Any]:
    """Return the look of hatched cells: no fill, no outline, thin strokes."""
    return {
        "facecolor": "none",
        "edgecolor": HATCH_COLOUR,
        "hatch": HATCH,
        "linewidth": 0.0,
    }


def _cells_path(mask: BoolArray, x: FloatArray, y: FloatArray) -> Path:
    """Return one path around the runs of true cells in every row of a mask."""
    runs: list[Path] = []
    for row, cells in enumerate(mask):
        change = np.flatnonzero(np.diff(np.r_[False, cells, False].astype(np.int8)))
        for first, last in zip(change[::2], change[1::2], strict=True):
            run = slice(first, last + 1)
            ring_x = np.r_[x[row, run], x[row + 1, run][::-1], x[row, first]]
            ring_y = np.r_[y[row, run], y[row + 1, run][::-1], y[row, first]]
            runs.append(Path(np.column_stack([ring_x, ring_y]), closed=True))
    return Path.make_compound_path(*runs)


def hatch_handle(words: str = "not significant (p ≥ 0.05)") -> Artist:
    """Return the legend entry of hatched cells.

    Parameters
    ----------
    words : str
        What the strokes say.

    Returns
    -------
    handle : Artist
        A labelled patch.

    Examples
    --------
    >>> hatch_handle("not significant after FDR (q > 0.1)").get_label()
    'not significant after FDR (q > 0.1)'
    """
    return Patch(label=words, **{**_hatch_look(), "linewidth": 0.4})
