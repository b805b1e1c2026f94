"""Open a series of rasters by where it lies: a file or pattern, and its variable."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from geosoil.errors import FileFormatError, InputError, MissingFileError
from geosoil.io.climate import open_climate
from geosoil.io.climate_time import TimeRange
from geosoil.io.dated_geotiffs import open_dated_geotiffs
from geosoil.io.lazy_climate import open_climate_lazily
from geosoil.io.modis import open_modis
from geosoil.io.series_parts import join_climate

Box = tuple[float, float, float, float]

GEOTIFF = (".tif", ".tiff")
GRIB = (".grib", ".grb")
CLIMATE = (".nc", ".nc4", ".cdf", ".zarr", *GRIB)
MODIS = (".hdf", ".h4", ".hdf4")


@dataclass(frozen=True, slots=True)
class SeriesPlace:
    """Where a series of rasters lies.

    Examples
    --------
    >>> SeriesPlace.of("era5/*.nc:tp")
    SeriesPlace(pattern='era5/*.nc', variable='tp')
    >>> SeriesPlace.of("ndvi_*.tif").variable
    ''
    """

    pattern: str
    """File, folder of a Zarr store, or pattern of files."""
    variable: str
    """Variable or layer in them; "" where none is named."""

    @classmethod
    def of(cls, place: str) -> SeriesPlace:
        """Split a place at the colon before its variable.

        Parameters
        ----------
        place : str
            ``path`` or ``path:variable``; the path may hold colons of its own.

        Returns
        -------
        place : SeriesPlace
            Path and variable.
        """
        path, _, variable = place.rpartition(":")
        known = (*GEOTIFF, *CLIMATE, *MODIS)
        if path and Path(path).suffix.lower() in known and "/" not in variable:
            return cls(path, variable)
        return cls(place, "")

    def files(self) -> list[Path]:
        """Return the files meant, sorted by name.

        Returns
        -------
        files : list of Path
            At least one.

        Raises
        ------
        MissingFileError
            If there is none.
        """
        if Path(self.pattern).exists():
            return [Path(self.pattern)]
        found = sorted(Path(file) for file in glob.glob(self.pattern, recursive=True))  # noqa: PTH207  patterns may be absolute
        if not found:
            message = (
                f"No file matches '{self.pattern}'. Check the folder and the pattern; "
                "quote a pattern, so that the shell hands it on."
            )
            raise MissingFileError(message)
        return found


def open_series(
    place: str,
    *,
    bbox: Box | None = None,
    time: TimeRange | None = None,
    lazy: bool = False,
) -> xr.DataArray:
    """Open a series of rasters of any kind that geosoil reads.

    Parameters
    ----------
    place : str
        ``file.nc:variable``, also a GRIB file, a Zarr store or a pattern of such that
        follow each other; a GeoTIFF with a band a date, or a pattern of dated GeoTIFFs;
        or a pattern of MODIS files, ``"MOD13C2*.hdf:ndvi"``. A file of one variable
        needs no name.
    bbox : tuple = (W, S, E, N), optional
        Box in degrees; every cell that it touches is read.
    time : tuple = (first, last), optional
        First and last date, both included; ``"2020-08"`` means the whole month.
    lazy : bool
        Whether NetCDF files and Zarr stores become dask arrays, read block by block
        when they are computed.

    Returns
    -------
    series : DataArray with dims (time, y, x), or (y, x) for a GeoTIFF without a date
        In order of time, NaN where missing, CRS set, named by its variable or file.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FileFormatError
        If a file is of another kind, damaged or without the variable.
    InputError
        If dates are missing or held twice, or nothing lies in the range of time.
    """
    asked = SeriesPlace.of(place)
    files = asked.files()
    suffix = files[0].suffix.lower()
    if suffix in MODIS:
        series = open_modis(files, asked.variable or "ndvi", bbox=bbox)
        series = series.rename(asked.variable or "ndvi")
    elif suffix in GEOTIFF:
        series = _geotiffs(asked, files, bbox)
    elif suffix in CLIMATE:
        opened = open_climate_lazily if lazy and suffix not in GRIB else open_climate
        parts = [opened(file, asked.variable, bbox=bbox) for file in files]
        series = join_climate(files, parts, asked.variable or files[0].name)
    else:
        message = (
            f"'{files[0]}' is no series that is read here. Give a GeoTIFF (.tif), "
            "NetCDF (.nc), GRIB (.grib), Zarr (.zarr) or MODIS (.hdf) file, store or "
            "pattern."
        )
        raise FileFormatError(message)
    return _within(series, time, place)


def _geotiffs(place: SeriesPlace, files: list[Path], bbox: Box | None) -> xr.DataArray:
    """Open GeoTIFFs, named by their file where they do not tell."""
    if place.variable:
        message = (
            f"'{place.pattern}:{place.variable}': a GeoTIFF has no variables. Leave "
            f"':{place.variable}' out."
        )
        raise InputError(message)
    series = open_dated_geotiffs(files, bbox=bbox)
    if series.name:
        return series
    stem = Path(place.pattern).stem.replace("*", "").strip("_-. ")
    return series.rename(stem or files[0].stem)


def _within(series: xr.DataArray, time: TimeRange | None, place: str) -> xr.DataArray:
    """Take the dates of a range, both ends included."""
    if time is None or "time" not in series.dims:
        return series
    first, last = (str(end) for end in time)
    try:
        chosen = series.sel(time=slice(first, last))
    except (KeyError, ValueError) as error:
        message = f"Invalid range of time '{first}' to '{last}': {error}."
        raise InputError(message) from error
    if chosen.sizes["time"] == 0:
        axis = series["time"].to_numpy().astype("datetime64[D]")
        message = (
            f"'{place}' has no date from {first} to {last}; it runs from {axis[0]} to "
            f"{axis[-1]}."
        )
        raise InputError(message)
    return chosen
