"""Open the time series of a study as its settings say."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from geosoil.config import ClimateFile, NdviSettings
from geosoil.io.climate import open_climate
from geosoil.io.modis import open_modis
from geosoil.io.modis_options import ModisOptions
from geosoil.io.quality_bits import Quality, QualityRule
from geosoil.io.series_parts import join_climate
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
    return join_climate(files, parts, name)


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
