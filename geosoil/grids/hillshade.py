"""Hillshade: how brightly the sun lights the ground of a map."""

from __future__ import annotations

import numpy as np
import xarray as xr

from geosoil.errors import InputError
from geosoil.grids.terrain import gradient


def hillshade(
    elevation: xr.DataArray,
    *,
    azimuth: float = 315.0,
    altitude: float = 45.0,
    z_factor: float = 1.0,
) -> xr.DataArray:
    r"""Compute the light that ground receives from a low sun.

    Parameters
    ----------
    elevation : DataArray with dims y, x
        Elevation [m], CRS set, on longitude and latitude or projected.
    azimuth : float
        Direction of the sun, clockwise from the top of the map [degree].
    altitude : float
        Height of the sun above the horizon, above 0 to 90 [degree].
    z_factor : float
        Elevation is multiplied by it, above 0: more makes gentle relief visible.

    Returns
    -------
    light : DataArray with dims y, x
        0 in the shade to 1 where the sun stands at right angles to the ground. NaN in
        the outermost cells and beside missing elevation. Ground throws no shadow on
        other ground.

    Raises
    ------
    InputError
        If the raster is not two-dimensional (y, x) or smaller than 3 x 3, or an angle
        or the factor is out of range.
    MissingCRSError
        If the raster has no CRS.

    Notes
    -----
    With the eastward and northward gradients p and q times the factor, the azimuth A
    and the altitude h of the sun,

    .. math:: L = \max\left(0,\ \frac{\sin h - \cos h\,(p \sin A + q \cos A)}
              {\sqrt{1 + p^2 + q^2}}\right)

    References
    ----------
    Horn, B. K. P. (1981). Hill shading and the reflectance map. Proceedings of the
    IEEE 69(1), 14-47. doi:10.1109/PROC.1981.11918

    Examples
    --------
    >>> from geosoil.grids.grid import Grid
    >>> grid = Grid.from_bounds((0, 0, 300, 300), 100, "EPSG:32647")
    >>> flat = grid.raster(np.full((3, 3), 4000.0))
    >>> float(hillshade(flat, altitude=30.0)[1, 1])
    0.5
    """
    faults = [
        f"{name} {value}: {rule}"
        for name, value, fine, rule in (
            ("azimuth", azimuth, np.isfinite(azimuth), "a number"),
            ("altitude", altitude, 0.0 < altitude <= 90.0, "above 0 to 90 degrees"),
            ("z_factor", z_factor, 0.0 < z_factor < np.inf, "above 0"),
        )
        if not fine
    ]
    if faults:
        message = f"Invalid light for the hillshade. Give {'; '.join(faults)}."
        raise InputError(message)
    eastward, northward, grid = gradient(elevation)
    p, q = z_factor * eastward, z_factor * northward
    sun, height = np.radians(azimuth), np.radians(altitude)
    towards = np.sin(height) - np.cos(height) * (p * np.sin(sun) + q * np.cos(sun))
    light = np.maximum(towards / np.sqrt(1.0 + p**2 + q**2), 0.0)
    attrs = {"units": "1", "long_name": f"hillshade, sun {azimuth:g}/{altitude:g} deg"}
    return grid.raster(light, name="hillshade").assign_attrs(attrs)
