"""Blocks of land: neighbouring places under one label."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geosoil.errors import InputError

IntArray = npt.NDArray[np.intp]

EARTH_RADIUS = 6371.0088
"""Mean radius of the Earth [km]."""


def block_labels(
    longitude: npt.ArrayLike, latitude: npt.ArrayLike, *, side: float
) -> IntArray:
    """Return the number of the block of land that each place lies in.

    Parameters
    ----------
    longitude, latitude : array, shape (n,)
        Places [degree].
    side : float
        Side of a block [km].

    Returns
    -------
    labels : array of int, shape (n,)
        Equal for places of one block, counted from 0.

    Raises
    ------
    InputError
        If coordinates are missing or out of range, or the side is not above 0.

    Notes
    -----
    Belts of latitude as wide as ``side`` are cut into blocks that are ``side`` wide
    in the middle of their belt: the columns of two belts are not in line.

    Examples
    --------
    >>> block_labels([95.0, 95.1, 97.0], [33.0, 33.0, 33.0], side=50.0).tolist()
    [0, 0, 1]
    """
    x, y = np.asarray(longitude, dtype=float), np.asarray(latitude, dtype=float)
    if x.ndim != 1 or x.shape != y.shape:
        message = f"Longitudes have shape {x.shape}, latitudes {y.shape}. Give pairs."
        raise InputError(message)
    if not (np.isfinite(side) and side > 0):
        message = f"Invalid side of a block {side}. Give kilometres above 0."
        raise InputError(message)
    bad = np.flatnonzero(~((np.abs(x) <= 360) & (np.abs(y) <= 90)))
    if bad.size:
        message = (
            f"{bad.size} places have coordinates that are missing or out of range, the "
            f"first in row {bad[0]} ({x[bad[0]]:g}, {y[bad[0]]:g}). Give degrees."
        )
        raise InputError(message)
    degree = np.pi * EARTH_RADIUS / 180.0
    belt = np.floor(y * degree / side)
    middle = np.deg2rad((belt + 0.5) * side / degree)
    column = np.floor(x * degree * np.maximum(np.cos(middle), 0.0) / side)
    pairs = np.stack([belt, column], axis=1)
    _, labels = np.unique(pairs, axis=0, return_inverse=True)
    return np.asarray(labels, dtype=np.intp).reshape(-1)
