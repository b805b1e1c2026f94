"""Open a NetCDF variable that is larger than memory, packed values as float32."""

from __future__ import annotations

import math
import os
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.errors import FileFormatError, MissingFileError

CHUNK_BYTES = 16 * 2**20
"""Small chunks that follow each other are read together up to this size as float32."""

PART_OF_STEP = 0.01
"""float32 is used where it rounds by less than this part of a packed step."""

PACKING = ("scale_factor", "add_offset", "_FillValue", "missing_value")


@dataclass(frozen=True, slots=True)
class _Packing:
    """How packed integers become numbers."""

    scale: float
    offset: float
    missing: tuple[int, ...]
    dtype: type[np.float32 | np.float64]

    def unpack(self, packed: npt.NDArray[Any]) -> npt.NDArray[np.floating]:
        """Return the numbers of a block, NaN where missing."""
        values: npt.NDArray[np.floating] = packed.astype(self.dtype)
        values *= self.dtype(self.scale)
        if self.offset:
            values += self.dtype(self.offset)
        for code in self.missing:
            values[packed == code] = np.nan
        return values


def open_netcdf_lazily(path: str | os.PathLike[str], variable: str) -> xr.DataArray:
    """Open a variable as a dask array of the file's own chunks.

    Parameters
    ----------
    path : path
        NetCDF file.
    variable : str
        Variable in it.

    Returns
    -------
    raster : DataArray of a dask array
        In the file's chunks, several of the first dimension together where they are
        small. Values as the file means them, NaN where missing; read when computed.
        Close it with ``.close()``. Integers of 8 or 16 bits that are packed become
        float32 where that rounds by less than a hundredth of a packed step, else
        float64; all else is what xarray makes of it.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FileFormatError
        If it is no NetCDF, or lacks the variable.

    Notes
    -----
    value = packed * scale_factor + add_offset, by blocks and in any thread, while
    another thread reads. A variable that its file does not hold in chunks is read
    in blocks of whole fields of its first dimension.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> ndvi = xr.Dataset({"ndvi": ("x", [0.25, np.nan, 0.75])})
    >>> packed = {"dtype": "int16", "scale_factor": 1e-4, "_FillValue": -3000}
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "ndvi.nc"
    ...     _ = ndvi.to_netcdf(file, engine="netcdf4", encoding={"ndvi": packed})
    ...     with open_netcdf_lazily(file, "ndvi") as raster:
    ...         print(raster.dtype, raster.values)
    float32 [0.25  nan 0.75]
    """
    blocks, packing = _look(Path(path), variable)
    dataset = xr.open_dataset(
        path,
        engine="netcdf4",
        chunks=blocks,
        mask_and_scale={variable: packing is None},
    )
    raster = dataset[variable]
    if packing is not None:
        unpacked = raster.data.map_blocks(packing.unpack, dtype=packing.dtype)
        kept = {key: v for key, v in raster.attrs.items() if key not in PACKING}
        raster = raster.copy(data=unpacked)
        raster.attrs = kept
    raster.set_close(dataset.close)
    return raster


def _look(
    path: Path, variable: str
) -> tuple[dict[Hashable, int | str], _Packing | None]:
    """Return sizes of the blocks, and the packing if there is one that is simple."""
    if not path.is_file():
        message = f"There is no file '{path}'. Check the path."
        raise MissingFileError(message)
    try:
        dataset = xr.open_dataset(path, engine="netcdf4", decode_cf=False)
    except (OSError, ValueError) as error:
        message = f"'{path}' cannot be read as NetCDF: {error}. Write it anew."
        raise FileFormatError(message) from error
    with dataset:
        if variable not in dataset.data_vars:
            known = ", ".join(sorted(map(str, dataset.data_vars))) or "none"
            message = (
                f"'{path}' has no variable '{variable}'. It has: {known}. Name one of "
                "them."
            )
            raise FileFormatError(message)
        raster = dataset[variable]
        return _blocks(raster), _packing(raster)


def _blocks(raster: xr.DataArray) -> dict[Hashable, int | str]:
    """Return whole chunks of the file, several of the first dimension where small."""
    if not raster.ndim:
        return {}
    own = raster.encoding.get("chunksizes") or (1, *raster.shape[1:])
    most = CHUNK_BYTES // max(4 * math.prod(own), 1)
    sizes = (own[0] * max(most, 1), *own[1:])
    return dict(zip(raster.dims, sizes, strict=True))


def _packing(raster: xr.DataArray) -> _Packing | None:
    """Return the packing of small integers; None where xarray does as well."""
    attrs = raster.attrs
    small = raster.dtype.kind in "iu" and raster.dtype.itemsize <= 2
    if not small or not set(PACKING) & set(attrs) or "_Unsigned" in attrs:
        return None
    scale = float(attrs.get("scale_factor", 1.0))
    offset = float(attrs.get("add_offset", 0.0))
    codes = np.concatenate(
        [np.ravel(attrs[key]) for key in PACKING[2:] if key in attrs] or [np.zeros(0)]
    )
    limits = np.iinfo(raster.dtype)
    largest = max(abs(float(end) * scale + offset) for end in (limits.min, limits.max))
    fine = largest * float(np.finfo(np.float32).eps) <= PART_OF_STEP * abs(scale)
    dtype = np.float32 if fine else np.float64
    return _Packing(scale, offset, tuple(sorted({int(c) for c in codes})), dtype)
