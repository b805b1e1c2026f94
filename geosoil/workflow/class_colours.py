"""Colours of classes in the files of a run: a code looks the same in all of them."""

from __future__ import annotations

import numpy as np
import xarray as xr

from geosoil.plotting.scales import class_hues

NOTHING = "#ecece6"
"""Pale colour of the code 0, which says that there is nothing to say."""


def free_colours(number: int) -> list[str]:
    """Return colours that are told apart, the first of them first.

    Parameters
    ----------
    number : int
        How many.

    Returns
    -------
    colours : list of str
        As #rrggbb; beyond 100 they come again.

    Examples
    --------
    >>> len(set(free_colours(20)))
    20
    """
    hues = class_hues()
    return [hues[order % len(hues)] for order in range(number)]


def flag_colours(raster: xr.DataArray) -> dict[int, str] | None:
    """Return the colour table of a raster of reasons.

    Parameters
    ----------
    raster : DataArray of uint8
        Codes, with the CF attributes ``flag_values`` or ``flag_masks``; of masks each
        code is the sum of those that hold.

    Returns
    -------
    colours : dict of int to str, or None
        One as #rrggbb for each code that occurs but the missing one; None for rasters
        that are no flags.

    Examples
    --------
    >>> codes = xr.DataArray(np.array([0, 3, 255], dtype=np.uint8))
    >>> flagged = codes.assign_attrs(flag_masks=[1, 2], nodata=255)
    >>> sorted(flag_colours(flagged)), flag_colours(codes)
    ([0, 3], None)
    """
    if raster.dtype != np.uint8 or not {"flag_values", "flag_masks"} & set(
        raster.attrs
    ):
        return None
    missing = raster.attrs.get("nodata")
    found = [int(code) for code in np.unique(raster.to_numpy()) if code != missing]
    hues = free_colours(max(found, default=0))
    return {code: hues[code - 1] if code else NOTHING for code in found}
