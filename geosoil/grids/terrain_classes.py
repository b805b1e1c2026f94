"""Classes of terrain as rasters: sectors of aspect and bands of elevation."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.errors import GridMismatchError, InputError
from geosoil.strata import ELEVATION_EDGES, class_labels, classify

Sectors = Literal[4, 8]
SECTORS: dict[int, tuple[str, ...]] = {
    4: ("N", "E", "S", "W"),
    8: ("N", "NE", "E", "SE", "S", "SW", "W", "NW"),
}
"""Labels of the sectors, clockwise from north."""

FLAT = "flat"
"""Label of ground without a direction."""


def aspect_sectors(
    aspect: xr.DataArray,
    slope: xr.DataArray,
    *,
    sectors: Sectors = 8,
    flat_below: float = 2.0,
) -> xr.DataArray:
    """Divide aspect into sectors and flat ground.

    Parameters
    ----------
    aspect : DataArray
        Aspect, clockwise from north, 0 to 360; NaN on level ground [degree].
    slope : DataArray of the same shape
        Slope; NaN is missing [degree].
    sectors : {8, 4}
        Number of sectors.
    flat_below : float
        Slope below which ground counts as flat [degree].

    Returns
    -------
    codes : DataArray of uint8
        1 for N, then clockwise; the last code is flat ground; 0, also in
        ``attrs["nodata"]``, where the slope is missing. ``attrs`` hold the CF
        ``flag_values`` and ``flag_meanings``.

    Raises
    ------
    InputError
        If there are other than 4 or 8 sectors, or an aspect lies outside 0 to 360.
    GridMismatchError
        If aspect and slope lie on different coordinates.

    Notes
    -----
    Sectors are half-open and centred on their direction: of eight, N is
    [337.5, 22.5), NE is [22.5, 67.5) and so on; of four, N is [315, 45), E is
    [45, 135), S is [135, 225) and W is [225, 315).

    Examples
    --------
    >>> aspect = xr.DataArray([350.0, 22.5, 180.0, np.nan])
    >>> codes = aspect_sectors(aspect, xr.DataArray([9.0, 9.0, 1.5, 0.0]))
    >>> codes.values.tolist(), codes.flag_meanings
    ([1, 2, 9, 9], 'N NE E SE S SW W NW flat')
    """
    if sectors not in SECTORS:
        message = f"Invalid number of sectors {sectors}. Give 4 or 8."
        raise InputError(message)
    try:
        xr.align(aspect, slope, join="exact")
    except ValueError as error:
        message = (
            "Aspect and slope lie on different coordinates. Give those of one DEM."
        )
        raise GridMismatchError(message) from error
    degrees = np.asarray(aspect.values, dtype=float)
    steepness = np.asarray(slope.values, dtype=float)
    if ((degrees < 0.0) | (degrees > 360.0)).any():
        message = (
            f"Aspects run from 0 to 360 degrees; found {np.nanmin(degrees):g} to "
            f"{np.nanmax(degrees):g}."
        )
        raise InputError(message)
    # Comparing with the edges, not dividing, keeps them exact to the last digit.
    edges = 360.0 / sectors * (np.arange(sectors) + 0.5)
    codes = np.searchsorted(edges, degrees, side="right") % sectors + 1
    codes[np.isnan(degrees) | (steepness < flat_below)] = sectors + 1
    codes[np.isnan(steepness)] = 0
    name = f"{sectors} sectors of aspect, flat below {flat_below:g} degrees"
    return _classes(aspect, codes, (*SECTORS[sectors], FLAT), name, "aspect_sector")


def elevation_bands(
    elevation: xr.DataArray, *, edges: tuple[float, ...] = ELEVATION_EDGES
) -> xr.DataArray:
    """Divide elevation into half-open bands.

    Parameters
    ----------
    elevation : DataArray
        Elevation; NaN, and the ``attrs["nodata"]`` of integers, is missing [m].
    edges : tuple of float
        Edges of the bands, rising [m]; a band owns its lower edge, as in
        :func:`geosoil.strata.classify`.

    Returns
    -------
    codes : DataArray of uint8
        1, 2, ... from the lowest band; 0, also in ``attrs["nodata"]``, beyond the
        edges and where elevation is missing. ``attrs`` hold the CF ``flag_values``
        and ``flag_meanings``.

    Raises
    ------
    InputError
        If the edges do not rise, or make more than 255 bands.

    Examples
    --------
    >>> ground = xr.DataArray([2999.0, 3000.0, 5099.0, 5100.0])
    >>> codes = elevation_bands(ground)
    >>> codes.values.tolist(), codes.flag_meanings
    ([0, 1, 4, 0], '3000-3500 3500-4000 4000-4500 4500-5100')
    """
    classify([], edges)
    labels = class_labels(edges)
    if len(labels) > 255:
        message = f"{len(labels)} elevation bands are too many. Give at most 255."
        raise InputError(message)
    metres = np.asarray(elevation.values, dtype=float)
    nodata = elevation.attrs.get("nodata")
    if nodata is not None and elevation.dtype.kind in "iu":
        metres = np.where(metres == nodata, np.nan, metres)
    codes = np.searchsorted(np.asarray(edges, dtype=float), metres, side="right")
    codes[np.isnan(metres) | (codes > len(labels))] = 0
    return _classes(elevation, codes, labels, "elevation band [m]", "elevation_band")


def _classes(
    like: xr.DataArray,
    codes: npt.NDArray[np.int64],
    labels: tuple[str, ...],
    long_name: str,
    name: str,
) -> xr.DataArray:
    """Label codes 1, 2, ... with their meanings in the way of CF."""
    result = like.copy(data=codes.astype(np.uint8)).rename(name)
    result.attrs = {
        "units": "1",
        "long_name": long_name,
        "nodata": 0,
        "flag_values": np.arange(1, len(labels) + 1, dtype=np.uint8),
        "flag_meanings": " ".join(labels),
    }
    return result
