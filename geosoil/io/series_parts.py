"""Parts of one series of rasters, joined in order of time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import xarray as xr

from geosoil.errors import GridMismatchError, InputError
from geosoil.grids.grid import Grid, check_same_grid


def join_parts(
    files: Sequence[Path], parts: Sequence[xr.DataArray], what: str
) -> xr.DataArray:
    """Join parts of a series on one grid in order of time.

    Parameters
    ----------
    files : sequence of Path
        Files, for messages.
    parts : sequence of DataArray with dims (time, y, x)
        What each file holds.
    what : str
        What the files are, for messages.

    Returns
    -------
    series : DataArray with dims (time, y, x)
        In order of time; attributes that differ are left out.

    Raises
    ------
    GridMismatchError
        If parts lie on other grids than the first; all are named.
    InputError
        If a date is held twice.

    Examples
    --------
    >>> part = xr.DataArray(
    ...     [[[1.0]]], dims=("time", "y", "x"), coords={"time": [2001]}
    ... )
    >>> join_parts([Path("a.tif")], [part], "GeoTIFFs").sizes["time"]
    1
    """
    faults = []
    for file, part in zip(files[1:], parts[1:], strict=True):
        pair = f"{what} '{files[0]}' and '{file}'"
        try:
            check_same_grid(Grid.of(parts[0]), Grid.of(part), what=pair)
        except GridMismatchError as error:
            faults.append(str(error))
    if faults:
        raise GridMismatchError("\n".join(faults))
    series = xr.concat(
        parts, dim="time", join="override", combine_attrs="drop_conflicts"
    ).sortby("time")
    days = series.indexes["time"]
    if not days.is_unique:
        twice = sorted({str(day)[:10] for day in days[days.duplicated()]})
        held = [
            f"'{file}'"
            for file, part in zip(files, parts, strict=True)
            if part.indexes["time"].isin(days[days.duplicated()]).any()
        ]
        message = (
            f"{what[:1].upper()}{what[1:]} hold {len(twice)} dates twice, first "
            f"{twice[0]}: {', '.join(held)}. Leave out the files that repeat others."
        )
        raise InputError(message)
    return series


def join_climate(
    files: Sequence[Path], parts: Sequence[xr.DataArray], name: str
) -> xr.DataArray:
    """Join parts of a climate series of one grid and kind in order of time.

    Parameters
    ----------
    files : sequence of Path
        Files, for messages.
    parts : sequence of DataArray with dims (time, y, x)
        What each file holds, as from `geosoil.io.climate.open_climate`.
    name : str
        Variable, for messages.

    Returns
    -------
    series : DataArray with dims (time, y, x)
        In order of time; a single part as it is. ``attrs["changes"]`` lists the
        changes of all parts.

    Raises
    ------
    GridMismatchError
        If parts lie on different grids.
    InputError
        If parts differ in their steps or units, or hold a date twice.

    Examples
    --------
    >>> part = xr.DataArray([[[1.0]]], dims=("time", "y", "x"))
    >>> join_climate([Path("a.nc")], [part], "precipitation").sizes["time"]
    1
    """
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    for path, part in zip(files[1:], parts[1:], strict=True):
        for key in ("step", "units"):
            if first.attrs.get(key) != part.attrs.get(key):
                message = (
                    f"The climate files '{files[0]}' and '{path}' of {name} differ in "
                    f"their {key}: '{first.attrs.get(key)}' and "
                    f"'{part.attrs.get(key)}'. Give files of one kind."
                )
                raise InputError(message)
    joined = join_parts(files, parts, f"climate files of {name}")
    changes = [change for part in parts for change in part.attrs.get("changes", [])]
    return joined.assign_attrs(first.attrs | {"changes": list(dict.fromkeys(changes))})
