"""Slope and aspect of arrays of elevation by Horn's weighted differences."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def horn_gradient(
    elevation: FloatArray, width: FloatArray, height: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the eastward and northward gradient of each inner cell.

    Parameters
    ----------
    elevation : array, shape (rows, columns)
        Elevation, rows north to south and columns west to east [m].
    width, height : array, shape (rows, 1)
        Size of the cells of each row [m].

    Returns
    -------
    eastward, northward : array, shape (rows, columns)
        Gradient [m/m]; NaN in the outermost cells and beside NaN.
    """
    z = elevation
    eastward = np.full(z.shape, np.nan)
    northward = np.full(z.shape, np.nan)
    side = z[:-2] + 2.0 * z[1:-1] + z[2:]
    eastward[1:-1, 1:-1] = (side[:, 2:] - side[:, :-2]) / (8.0 * width[1:-1])
    along = z[:, :-2] + 2.0 * z[:, 1:-1] + z[:, 2:]
    northward[1:-1, 1:-1] = (along[:-2] - along[2:]) / (8.0 * height[1:-1])
    hole = np.isnan(z[1:-1, 1:-1])
    eastward[1:-1, 1:-1][hole] = np.nan
    northward[1:-1, 1:-1][hole] = np.nan
    return eastward, northward


def slope_and_aspect(
    eastward: FloatArray, northward: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the steepest slope and the direction it faces.

    Parameters
    ----------
    eastward, northward : array, shape (rows, columns)
        Gradient of elevation [m/m].

    Returns
    -------
    slope : array, shape (rows, columns)
        Slope [degree].
    aspect : array, shape (rows, columns)
        Downslope direction, clockwise from north, 0 <= aspect < 360 [degree];
        NaN on flat ground.
    """
    slope = np.degrees(np.arctan(np.hypot(eastward, northward)))
    aspect = np.degrees(np.arctan2(-eastward, -northward)) % 360.0
    aspect[aspect == 360.0] = 0.0
    aspect[(eastward == 0.0) & (northward == 0.0)] = np.nan
    return slope, aspect
