"""NetCDF copies of MODIS layers, as OPeNDAP servers and AppEEARS hand them out."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import numpy.typing as npt
from affine import Affine
from pyproj import CRS
from pyproj.exceptions import CRSError

from geosoil.errors import FileFormatError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.io._granule import check_index
from geosoil.io._screening import (
    QUALITY_LAYERS,
    Screening,
    applied_quality,
    kept_cells,
    needed_quality,
)
from geosoil.io._window import Bounds, Window, part_of, touched_window
from geosoil.io.granule_names import (
    checked_origin,
    plain_name,
    short_name,
)
from geosoil.io.modis_geotiff import Copy
from geosoil.io.products import Packing, layer_of, packing_of
from geosoil.io.structmetadata import EosGrid, parse_structmetadata

_EVEN = 1e-3
_METRES = {"m", "meter", "meters", "metre", "metres"}
_NAMES = {
    "y": ("lat", "latitude", "ydim", "y"),
    "x": ("lon", "longitude", "xdim", "x"),
}


def open_opendap_copy(
    path: Path, *, layer: str, bbox: Bounds | None, screening: Screening
) -> Copy:
    """Read a window of a layer of a NetCDF copy of a MODIS file.

    Parameters
    ----------
    path : Path
        A NetCDF file (classic or NetCDF-4) with the layer over (time,) y, x.
    layer : str
        Name in the file or short name.
    bbox : tuple = (W, S, E, N) or None
        Box in degrees.
    screening : Screening
        Which cells are kept, where the file has quality layers.

    Returns
    -------
    copy : Copy
        Dates, grid and values.

    Raises
    ------
    FileFormatError
        If the file is no NetCDF, lacks the layer, or its cells are uneven.
    MissingCRSError
        If nothing says where its cells lie.
    InputError
        If the box lies outside.

    Notes
    -----
    Servers hand out the ``scale_factor`` of MOD13 as 0.0001 where the HDF4 file has
    10000: both mean the same. The stored numbers are unpacked by the rules of the
    product, never by those of NetCDF.
    """
    try:
        with netCDF4.Dataset(path) as file:
            file.set_auto_maskandscale(False)
            return _copy(path, file, layer, bbox, screening)
    except (OSError, RuntimeError) as error:
        if isinstance(error, FileFormatError):
            raise
        message = (
            f"'{path}' cannot be read as NetCDF: {error}. It is damaged, cut short or "
            "an HDF5 file of another kind; download it again."
        )
        raise FileFormatError(message) from error


def _copy(
    path: Path,
    file: Any,  # noqa: ANN401
    layer: str,
    bbox: Bounds | None,
    screening: Screening,
) -> Copy:
    """Read from an open file."""
    variable = _chosen(path, file, layer)
    name = short_name(variable.name)
    origin = checked_origin(path, _globals(file))
    grid, turned = _grid(path, file, variable)
    window = touched_window(grid, bbox, source=str(path))
    dates = _dates(path, file, variable) or (origin.date,)
    stored = _stored(variable, window, turned, grid)
    attributes = {key: _plain(variable.getncattr(key)) for key in variable.ncattrs()}
    place = f"'{path}', dataset '{variable.name}'"
    known = layer_of(origin.product, variable.name, dtype=stored.dtype.name)
    # Classic NetCDF has no unsigned numbers: a copy may store them wider.
    dtype = known.dtype if known else stored.dtype.name
    packing = _packing(place, attributes, variable.name, origin.product, dtype)
    values = packing.unpack(stored)
    if name in ("ndvi", "evi"):
        check_index(values, place=place)
    companions = _companions(file, variable)
    if name not in QUALITY_LAYERS:
        needed = needed_quality(companions, screening)
        ranks = {n: _stored(companions[n], window, turned, grid) for n in needed}
        kept = kept_cells(ranks, screening, place=place)
        if kept is not None:
            values[~kept] = np.nan
    scaled = "scale_factor" in attributes or (known is not None and known.divisor != 1)
    return Copy(
        product=origin.product,
        collection=origin.collection,
        dates=dates,
        grid=part_of(grid, window),
        stack=values,
        units=str(attributes.get("units", known.units if known else "")),
        quality=applied_quality(companions, screening, layer=name),
        layer=variable.name,
        content="code" if stored.dtype.kind in "iu" and not scaled else "quantity",
    )


def _packing(
    place: str,
    attributes: dict[str, Any],
    layer: str,
    product: str | None,
    dtype: str,
) -> Packing:
    """Return how the numbers are stored; errors name the place."""
    try:
        return packing_of(attributes, layer=layer, product=product, dtype=dtype)
    except FileFormatError as error:
        message = f"{place}: {error}"
        raise FileFormatError(message) from error


def _companions(file: Any, variable: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the layers over the same dimensions by their short names."""
    return {
        short_name(other.name): other
        for other in file.variables.values()
        if other.dimensions == variable.dimensions
    }


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Return an attribute as numbers, text and lists."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _globals(file: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return global attributes, under the names that HDF-EOS2 gives them."""
    found = {key: _plain(file.getncattr(key)) for key in file.ncattrs()}
    # Servers write CoreMetadata_0, and some put them in a group of their own.
    names = ("StructMetadata", "CoreMetadata")
    for variable in file.variables.values():
        if variable.name.startswith(names) and variable.dtype in (str, "S1"):
            text = variable[...]
            found[variable.name] = (
                str(netCDF4.chartostring(text)) if variable.dtype == "S1" else str(text)
            )
    return {
        (
            f"{key[:-2]}.{key[-1]}" if key.startswith(names) and key[-2] == "_" else key
        ): v
        for key, v in found.items()
    }


def _chosen(path: Path, file: Any, layer: str) -> Any:  # noqa: ANN401
    """Return the variable that a name means."""
    wanted = layer.rpartition(":")[2]
    fields = [v for v in file.variables.values() if v.ndim in (2, 3)]
    for same in (str, plain_name, short_name):
        found = [v for v in fields if same(v.name) == same(wanted)]
        if len(found) == 1:
            return found[0]
    held = ", ".join(f"'{v.name}'" for v in fields) or "no layer with two dimensions"
    message = f"'{path}' has no layer '{wanted}', or several. It has: {held}."
    raise FileFormatError(message)


def _grid(
    path: Path,
    file: Any,  # noqa: ANN401
    variable: Any,  # noqa: ANN401
) -> tuple[Grid, tuple[bool, bool]]:
    """Return the north-up grid, and whether rows and columns are stored reversed."""
    down = _axis(file, variable.dimensions[-2], "y")
    across = _axis(file, variable.dimensions[-1], "x")
    if down is None or across is None:
        grid = _structured(path, file, variable)
        return grid.grid, (grid.rows_reversed, grid.columns_reversed)
    (y, units), (x, _) = down, across
    crs = _crs(path, file, variable, units)
    steps = [_step(path, variable.name, values) for values in (y, x)]
    north, west = max(y[0], y[-1]), min(x[0], x[-1])
    height, width = abs(steps[0]), abs(steps[1])
    left, top = west - width / 2, north + height / 2
    if crs.is_geographic:
        left, top = round(left, 10), round(top, 10)
        width, height = round(width, 10), round(height, 10)
    transform = Affine(width, 0.0, left, 0.0, -height, top)
    return Grid(crs, transform, (y.size, x.size)), (steps[0] > 0, steps[1] < 0)


def _axis(
    file: Any,  # noqa: ANN401
    dimension: str,
    axis: str,
) -> tuple[npt.NDArray[np.float64], str] | None:
    """Return the cell centres along a dimension and their unit, None if absent."""
    for variable in file.variables.values():
        if variable.dimensions != (dimension,):
            continue
        name = variable.name.lower()
        if name == dimension.lower() or name.startswith(_NAMES[axis]):
            units = str(getattr(variable, "units", "")).lower()
            return np.asarray(variable[:], dtype=np.float64), units
    return None


def _step(path: Path, name: str, centres: npt.NDArray[np.float64]) -> float:
    """Return the distance of cell centres; raise where they are uneven."""
    if centres.size < 2:
        message = f"'{path}', dataset '{name}': one row or column has no cell size."
        raise FileFormatError(message)
    step = float(centres[-1] - centres[0]) / (centres.size - 1)
    if step == 0 or np.abs(np.diff(centres) / step - 1).max() > _EVEN * centres.size:
        message = (
            f"'{path}', dataset '{name}': its cell centres are not evenly spaced. Ask "
            "the server for the native grid."
        )
        raise FileFormatError(message)
    return step


def _crs(
    path: Path,
    file: Any,  # noqa: ANN401
    variable: Any,  # noqa: ANN401
    units: str,
) -> CRS:
    """Return the CRS of a variable's cells."""
    if units.startswith("degree"):
        return CRS.from_epsg(4326)
    mapping = file.variables.get(getattr(variable, "grid_mapping", ""))
    if mapping is not None:
        described = {key: _plain(mapping.getncattr(key)) for key in mapping.ncattrs()}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return CRS.from_cf(described)
        except (CRSError, KeyError):
            units = f"{units}, grid_mapping '{mapping.name}' not understood"
    message = (
        f"'{path}', dataset '{variable.name}' has no coordinate reference system: its "
        f"axes are in '{units or 'no unit'}' and no grid_mapping says of which "
        "projection. Ask the server for 'crs' too, or download the HDF4 file."
    )
    raise MissingCRSError(message)


def _structured(path: Path, file: Any, variable: Any) -> EosGrid:  # noqa: ANN401
    """Return the grid of StructMetadata, where a copy has no axes."""
    attributes = _globals(file)
    text = "".join(
        str(attributes[key]) for key in sorted(attributes) if "StructMetadata" in key
    )
    shape = variable.shape[-2:]
    try:
        grids = parse_structmetadata(text)
    except FileFormatError as error:
        message = f"'{path}', StructMetadata: {error}"
        raise FileFormatError(message) from error
    fitting = [grid for grid in grids if grid.grid.shape == shape]
    if len(fitting) != 1:
        message = (
            f"'{path}', dataset '{variable.name}' has no coordinate reference system: "
            "the copy has neither axes nor a StructMetadata of its size. Ask the "
            "server for latitude and longitude too, or download the HDF4 file."
        )
        raise MissingCRSError(message)
    return fitting[0]


def _dates(
    path: Path,
    file: Any,  # noqa: ANN401
    variable: Any,  # noqa: ANN401
) -> tuple[np.datetime64, ...] | None:
    """Return the dates of the first dimension, None where there is none."""
    if variable.ndim == 2:
        return None
    axis = file.variables.get(variable.dimensions[0])
    try:
        numbers: Any = netCDF4.num2date(
            axis[:],
            axis.units,
            calendar=getattr(axis, "calendar", "standard"),
            only_use_cftime_datetimes=False,
        )
        stamps = [np.datetime64(f"{n:%Y-%m-%d}") for n in np.atleast_1d(numbers)]
    except (AttributeError, TypeError, ValueError) as error:
        if variable.shape[0] == 1:
            return None
        message = (
            f"'{path}', dataset '{variable.name}': no dates are given for its "
            f"{variable.shape[0]} fields."
        )
        raise FileFormatError(message) from error
    return tuple(stamps)


def _stored(
    variable: Any,  # noqa: ANN401
    window: Window,
    turned: tuple[bool, bool],
    grid: Grid,
) -> npt.NDArray[Any]:
    """Read stored numbers in a window, turned north up."""
    row, column = window.row, window.column
    if turned[0]:
        row = grid.shape[0] - row - window.rows
    if turned[1]:
        column = grid.shape[1] - column - window.columns
    part = (slice(row, row + window.rows), slice(column, column + window.columns))
    values = np.asarray(variable[(..., *part)])
    values = values.reshape(-1, window.rows, window.columns)
    if getattr(variable, "_Unsigned", "false") == "true" and values.dtype.kind == "i":
        values = values.view(f"u{values.dtype.itemsize}")
    values = values[:, ::-1] if turned[0] else values
    return values[:, :, ::-1] if turned[1] else values
