"""Write the correlations of a study as rasters that say how they were made."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from geosoil import __version__
from geosoil.config import StudyConfig, config_hash
from geosoil.io.geotiff import write_geotiff
from geosoil.workflow.correlation_space import SpaceMap
from geosoil.workflow.inputs import climate_files

OVER_TIME = ("r", "p_value", "q_value", "n", "n_effective")
"""Results over time that are written as rasters."""

IN_WINDOWS = ("r", "n")
"""Results over space that are written as rasters."""


def write_over_time(
    result: xr.Dataset, folder: Path, key: tuple[str, str], config: StudyConfig
) -> list[Path]:
    """Write the correlation over the years of one pair and month.

    Parameters
    ----------
    result : Dataset
        r, p_value, q_value, n and n_effective with attributes on the method.
    folder : Path
        Where rasters go.
    key : tuple = (x, month name)
        Variable and month.
    config : StudyConfig
        Settings of the study.

    Returns
    -------
    paths : list of Path
        Files written.
    """
    x, month = key
    y, attrs = config.correlation.y, result.attrs
    detrended = ", lines over the years taken out" if config.correlation.detrend else ""
    tags = {
        "method": f"{attrs['method']} r over time, the {month}s of {attrs['years']}, "
        f"cell by cell{detrended}",
        "fdr": f"{attrs['rule']}, p* = {attrs['p_star']:.4g}",
        "period": month,
        **_tags(attrs, (x, y), config),
    }
    return [
        _write(
            result[name],
            folder / f"correlation_{x}_{y}_{month}_{name}.tif",
            f"{name} of {x} and {y} over time, {month} {attrs['years']}",
            tags,
        )
        for name in OVER_TIME
    ]


def write_window(
    found: SpaceMap, folder: Path, key: tuple[str, str], config: StudyConfig
) -> list[Path]:
    """Write the correlation in a moving window of one pair and month.

    Parameters
    ----------
    found : SpaceMap
        What was found over space; nothing is written without a window.
    folder : Path
        Where rasters go.
    key : tuple = (x, month name)
        Variable and month.
    config : StudyConfig
        Settings of the study.

    Returns
    -------
    paths : list of Path
        Files written.
    """
    if found.window is None:
        return []
    x, month = key
    y, attrs = config.correlation.y, found.window.attrs
    where = f"{month} {attrs['year']}"
    tags = {
        "method": f"{attrs['method']} r over space, in a moving window of "
        f"{attrs['window']} x {attrs['window']} cells, {where}",
        "region": f"r {found.r:.4g} over {found.n_cells} cells, p {found.p_value:.4g} "
        f"(Dutilleul, {found.n_effective:.1f} effective cells)",
        "period": month,
        **_tags({**found.row(), **attrs}, (x, y), config),
    }
    return [
        _write(
            found.window[name],
            folder / f"correlation_{x}_{y}_{month}_window_{name}.tif",
            f"{name} of {x} and {y} in a window of {attrs['window']} cells, {where}",
            tags,
        )
        for name in IN_WINDOWS
    ]


def _tags(
    attrs: dict[str, object], pair: tuple[str, str], config: StudyConfig
) -> dict[str, object]:
    """Return what every raster of a correlation says."""
    return {
        "variables": ", ".join(pair),
        "source": "; ".join(f"{name}: {_source(name, config)}" for name in pair),
        "support_x": attrs["support_x"],
        "support_y": attrs["support_y"],
        "simulated": attrs["simulated"],
        "software": f"geosoil {__version__}",
        "config_hash": config_hash(config),
    }


def _source(name: str, config: StudyConfig) -> str:
    """Name the files that a variable is read from."""
    if name == "ndvi":
        return config.ndvi.monthly.name if config.ndvi.monthly else ""
    return ", ".join(file.name for file in climate_files(config.climate[name]))


def _write(
    raster: xr.DataArray, path: Path, description: str, tags: dict[str, object]
) -> Path:
    """Write one raster."""
    layer = raster.astype("float32")
    layer.attrs = {"units": "1", "long_name": description}
    return write_geotiff(layer, path, description=description, tags=tags)
