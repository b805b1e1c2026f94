"""Answers with the labels of the points or cells that they belong to."""

from __future__ import annotations

from typing import TypeAlias

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from geosoil.grids.grid import Grid

FloatArray = npt.NDArray[np.float64]
Points: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | npt.ArrayLike


def by_point(answers: dict[str, FloatArray], points: Points) -> xr.Dataset:
    """Label answers by the index of their points.

    Parameters
    ----------
    answers : dict of str to array, shape (m,)
        Answers by name.
    points : GeoDataFrame, GeoSeries, or array, shape (m, 2)
        The points.

    Returns
    -------
    dataset : Dataset with dim point
        The answers; the coordinate is the index, or the rows of an array.

    Examples
    --------
    >>> by_point({"estimate": np.array([3.0])}, [[0.0, 0.0]])["point"].values.tolist()
    [0]
    """
    labels: npt.NDArray[np.generic] = np.arange(len(next(iter(answers.values()))))
    if isinstance(points, gpd.GeoDataFrame | gpd.GeoSeries | pd.DataFrame):
        labels = labels if points.index.nlevels > 1 else points.index.to_numpy()
    return xr.Dataset(
        {name: ("point", values) for name, values in answers.items()},
        coords={"point": labels},
    )


def by_cell(answers: dict[str, FloatArray], grid: Grid) -> xr.Dataset:
    """Lay answers at the centres of cells on their grid.

    Parameters
    ----------
    answers : dict of str to array, shape (cells,)
        Answers by name, row by row from the north.
    grid : Grid
        The grid.

    Returns
    -------
    dataset : Dataset with dims y, x
        The answers.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:32647")
    >>> by_cell({"estimate": np.array([3.0, 4.0])}, grid)["estimate"].values.tolist()
    [[3.0, 4.0]]
    """
    return xr.Dataset(
        {name: grid.raster(v.reshape(grid.shape)) for name, v in answers.items()}
    )
