"""Open the time series of a study as its settings say."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from geosoil.config import ClimateFile, NdviSettings
from geosoil.errors import InputError
from geosoil.grids.grid import Grid, check_same_grid
from geosoil.io.climate import open_climate
from geosoil.io.modis import open_modis
from geosoil.io.modis_options import ModisOptions
from geosoil.io.quality_bits import Quality, QualityRule
from geosoil.workflow.inputs import StudyInputs, climate_files

Box = tuple[float, float, float, float]


def open_study_climate(inputs: StudyInputs, name: str) -> xr.DataArray:
    """Open a climate variable of a study within its grid.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    name : str
        Key of the settings' [climate].

    Returns
    -------
    series : DataArray with dims (time, y, x)
        On the file's own grid.
    """
    return open_climate_file(inputs.config.climate[name], name, inputs.bounds_degrees)


def open_climate_file(file: ClimateFile, name: str, box: Box) -> xr.DataArray:
    """Open a climate variable as its settings say, from one file or several.

    Parameters
    ----------
    file : ClimateFile
        Path or pattern, and what the files do not say themselves.
    name : str
        Variable.
    box : tuple = (W, S, E, N)
        Box in degrees.

    Returns
    -------
    series : DataArray with dims (time, y, x)
        On the files' own grid, in order of time.

    Raises
    ------
    GridMismatchError
        If files lie on different grids.
    InputError
        If files differ in their steps or units, or hold a date twice.
    """
    files = climate_files(file)
    parts = [
        open_climate(path, name, bbox=box, assume_crs=file.crs, assume_start=file.start)
        for path in files
    ]
    return parts[0] if len(parts) == 1 else _one_series(files, parts, name)


def _one_series(
    files: list[Path], parts: list[xr.DataArray], name: str
) -> xr.DataArray:
    """Join parts of a series of one grid and kind in order of time."""
    first = parts[0]
    for path, part in zip(files[1:], parts[1:], strict=True):
        pair = f"climate files '{files[0]}' and '{path}' of {name}"
        check_same_grid(Grid.of(first), Grid.of(part), what=pair)
        for key in ("step", "units"):
            if first.attrs.get(key) != part.attrs.get(key):
                message = (
                    f"The {pair} differ in their {key}: '{first.attrs.get(key)}' and "
                    f"'{part.attrs.get(key)}'. Give files of one kind."
                )
                raise InputError(message)
    joined = xr.concat(parts, dim="time", join="override").sortby("time")
    days = joined.indexes["time"]
    if not days.is_unique:
        twice = sorted({str(day)[:10] for day in days[days.duplicated()]})
        held = [
            f"'{path}'"
            for path, part in zip(files, parts, strict=True)
            if part.indexes["time"].isin(days[days.duplicated()]).any()
        ]
        message = (
            f"Climate files of {name} hold {len(twice)} dates twice, first {twice[0]}: "
            f"{', '.join(held)}. Leave out the files that repeat others."
        )
        raise InputError(message)
    changes = [change for part in parts for change in part.attrs.get("changes", [])]
    return joined.assign_attrs(first.attrs | {"changes": list(dict.fromkeys(changes))})


def open_study_ndvi(inputs: StudyInputs, files: list[Path]) -> xr.DataArray:
    """Open the vegetation index of a study within its grid.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    files : list of Path
        MODIS files.

    Returns
    -------
    series : DataArray with dims (time, y, x)
        On the files' own grid.
    """
    return open_ndvi_files(files, inputs.config.ndvi, inputs.bounds_degrees)


def open_ndvi_files(
    files: list[Path], settings: NdviSettings, box: Box
) -> xr.DataArray:
    """Open vegetation index files as settings say.

    Parameters
    ----------
    files : list of Path
        MODIS files.
    settings : NdviSettings
        Quality and checksums.
    box : tuple = (W, S, E, N)
        Box in degrees.

    Returns
    -------
    series : DataArray with dims (time, y, x)
        On the files' own grid.
    """
    quality: Quality | QualityRule = "good"
    if settings.rule is not None:
        quality = QualityRule(**settings.rule.model_dump())
    elif settings.quality != "custom":
        quality = settings.quality
    options = ModisOptions(checksums=settings.checksums)
    return open_modis(files, "ndvi", bbox=box, quality=quality, options=options)
