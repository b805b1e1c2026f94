"""One simulated variable as a CF NetCDF file."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import netCDF4
import numpy as np
import numpy.typing as npt

from geosoil.io._atomic import atomic_path
from geosoil.simulate.anomalies import CLIMATE_GRID, YEARS
from geosoil.variables import variable

DECIMALS = {
    "air_temperature": 2,
    "ground_temperature": 2,
    "precipitation": 1,
    "evapotranspiration": 1,
    "soil_moisture": 4,
}
"""Decimals kept of each variable."""
SUMS = ("precipitation", "evapotranspiration")
"""Variables that are sums over the month; the others are means."""
FILL = -9999.0


def write_monthly(
    field: npt.NDArray[np.float64], path: Path, *, name: str, seed: int
) -> Path:
    """Write one variable of all months.

    Parameters
    ----------
    field : array, shape (240, 48, 129)
        Values, NaN where missing.
    path : Path
        File to write, whole or not at all.
    name : str
        Variable.
    seed : int
        Seed, kept in the global attributes.

    Returns
    -------
    path : Path
        The file written.

    Raises
    ------
    GeosoilError
        If the file cannot be written.
    """
    entry = variable(name)
    with atomic_path(path) as part, netCDF4.Dataset(part, "w") as file:
        file.setncatts(
            {
                "Conventions": "CF-1.11",
                "title": f"Simulated {entry.long_name} of the built-in study",
                "source": "simulated",
                "comment": "Invented by geosoil.simulate; not observed, not modelled.",
                "seed": np.int32(seed),
            }
        )
        _write_axes(file)
        data = file.createVariable(
            name,
            "f4",
            ("time", "lat", "lon"),
            zlib=True,
            complevel=1,
            shuffle=True,
            fletcher32=True,
            fill_value=np.float32(FILL),
            chunksizes=(60, *CLIMATE_GRID.shape),
        )
        data.setncatts(
            {
                "standard_name": entry.standard_name or name,
                "long_name": entry.long_name,
                "units": entry.units,
                "cell_methods": f"time: {'sum' if name in SUMS else 'mean'}",
                "grid_mapping": "crs",
            }
        )
        data[:] = np.where(np.isnan(field), FILL, np.round(field, DECIMALS[name]))
    return path


def _write_axes(file: netCDF4.Dataset) -> None:
    """Write time with its bounds, latitude, longitude and the CRS."""
    origin = dt.date(YEARS[0], 1, 1)
    starts = [dt.date(year, month, 1) for year in YEARS for month in range(1, 13)]
    starts.append(dt.date(YEARS[-1] + 1, 1, 1))
    days = np.array([(start - origin).days for start in starts], dtype="i4")
    file.createDimension("bnds", 2)
    axes = {
        "time": (days[:-1], "i4", f"days since {origin} 00:00:00"),
        "lat": (np.round(CLIMATE_GRID.y, 6), "f8", "degrees_north"),
        "lon": (np.round(CLIMATE_GRID.x, 6), "f8", "degrees_east"),
    }
    words = {"time": "time", "lat": "latitude", "lon": "longitude"}
    for name, (values, kind, units) in axes.items():
        file.createDimension(name, len(values))
        axis = file.createVariable(name, kind, (name,))
        axis.setncatts(
            {
                "standard_name": words[name],
                "long_name": words[name],
                "units": units,
                "axis": {"time": "T", "lat": "Y", "lon": "X"}[name],
            }
        )
        axis[:] = values
    file["time"].setncatts({"calendar": "standard", "bounds": "time_bnds"})
    bounds = file.createVariable("time_bnds", "i4", ("time", "bnds"))
    bounds[:] = np.column_stack([days[:-1], days[1:]])
    crs = file.createVariable("crs", "i4")
    attributes = CLIMATE_GRID.crs.to_cf()
    crs.setncatts({key: value for key, value in attributes.items() if value != ""})
