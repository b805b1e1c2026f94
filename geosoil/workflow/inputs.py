"""Open and check every input of a study before anything is computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from pyproj import Transformer

from geosoil.config import ClimateFile, StudyConfig
from geosoil.errors import GeosoilError, InputError, MissingFileError
from geosoil.grids.align import align
from geosoil.grids.grid import Grid
from geosoil.grids.points import values_at_points
from geosoil.grids.zones import polygon_mask
from geosoil.io.end_member_tables import read_end_members
from geosoil.io.geotiff import read_geotiff
from geosoil.io.layers import read_polygons
from geosoil.io.samples import read_numbered_samples
from geosoil.workflow.class_inputs import ClassLayer, open_class_layer

Opened = TypeVar("Opened")


@dataclass(frozen=True, slots=True)
class StudyInputs:
    """Everything a study reads at the start."""

    config: StudyConfig
    """Settings."""
    samples: gpd.GeoDataFrame
    """Water samples."""
    end_members: pd.DataFrame | None
    """Table of end members, where the settings name one."""
    grid: Grid
    """Study grid."""
    region: gpd.GeoDataFrame | None
    """Study region in EPSG:4326."""
    mask: xr.DataArray
    """True in cells of the region."""
    elevation: xr.DataArray | None
    """Mean elevation of the cells [m]."""
    layers: dict[str, ClassLayer]
    """Class layers by name."""
    covariates: xr.Dataset | None = None
    """Quantities of [interpolation.covariates] on the study grid."""
    rows: tuple[int, ...] = ()
    """Row in the file of each sample, counted from 1."""

    @property
    def bounds_degrees(self) -> tuple[float, float, float, float]:
        """Bounds of the grid as (W, S, E, N) in degrees."""
        return _degrees(self.grid)


class _Faults:
    """Collects the errors of many files, so that all are told at once."""

    def __init__(self) -> None:
        self.found: list[GeosoilError] = []

    def attempt(self, read: Callable[[], Opened]) -> Opened | None:
        """Call a reader and keep its error."""
        try:
            return read()
        except GeosoilError as error:
            self.found.append(error)
            return None

    def raise_all(self) -> None:
        """Raise what was found: the error itself, or one that lists them all."""
        if len(self.found) == 1:
            raise self.found[0]
        if self.found:
            message = f"{len(self.found)} inputs cannot be used:\n" + "\n".join(
                f"  - {error}" for error in self.found
            )
            absent = all(isinstance(e, MissingFileError) for e in self.found)
            raise (MissingFileError if absent else InputError)(message)


def open_inputs(config: StudyConfig) -> StudyInputs:
    """Open and check the inputs of a study.

    Parameters
    ----------
    config : StudyConfig
        Settings with absolute paths.

    Returns
    -------
    inputs : StudyInputs
        What the study computes on.

    Raises
    ------
    GeosoilError
        If an input cannot be used; several faults are listed in one message.
    """
    faults = _Faults()
    grid = Grid.from_bounds(config.grid.bounds, config.grid.resolution, config.grid.crs)
    read = faults.attempt(
        lambda: read_numbered_samples(
            config.samples.path,
            columns=config.samples.columns,
            crs=config.samples.crs,
            dates=config.samples.dates,
        )
    )
    samples, rows = read or (None, ())
    table, area = config.tracers.end_members, config.study.region
    end_members = faults.attempt(lambda: read_end_members(table)) if table else None
    region = faults.attempt(lambda: read_polygons(area).to_crs(4326)) if area else None
    path = config.elevation
    elevation = faults.attempt(lambda: _open_quantity(path, grid)) if path else None
    layers = {
        name: faults.attempt(partial(open_class_layer, layer, grid, _degrees(grid)))
        for name, layer in config.layers.items()
    }
    covariates = _covariates(config, grid, faults)
    _find_series(config, faults)
    if elevation is not None and samples is not None and path is not None:
        faults.attempt(partial(_check_ground, elevation, samples, path))
    faults.raise_all()
    if samples is None:  # pragma: no cover  raise_all has raised
        raise faults.found[0]
    known = {name: layer for name, layer in layers.items() if layer is not None}
    mask = _region_mask(region, grid)
    return StudyInputs(
        config,
        samples,
        end_members,
        grid,
        region,
        mask,
        elevation,
        known,
        covariates,
        rows,
    )


def _find_series(config: StudyConfig, faults: _Faults) -> None:
    """Look for the files of all series."""
    for pattern, key in (
        (config.ndvi.monthly, "ndvi.monthly"),
        (config.ndvi.composites, "ndvi.composites"),
    ):
        if pattern:
            faults.attempt(partial(matching_files, pattern, key))
    for file in config.climate.values():
        faults.attempt(partial(climate_files, file))


def matching_files(pattern: Path | None, key: str) -> list[Path]:
    """Return the files that a glob of the settings names.

    Parameters
    ----------
    pattern : Path
        Glob, absolute.
    key : str
        Where it stands in the settings.

    Returns
    -------
    files : list of Path
        Sorted by name.

    Raises
    ------
    MissingFileError
        If no file matches.
    """
    files = []
    if pattern is not None:
        files = sorted(
            Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor)))
        )
    if not files:
        message = (
            f"No file matches '{pattern}' ({key} in the settings). Check the folder "
            "and the pattern, for instance 'ndvi/MOD13C2*.hdf'."
        )
        raise MissingFileError(message)
    return files


def climate_files(file: ClimateFile) -> list[Path]:
    """Return the files of a climate variable.

    Parameters
    ----------
    file : ClimateFile
        Path, or a pattern such as ``t2m_*.nc`` of files that follow each other.

    Returns
    -------
    files : list of Path
        Sorted by name.

    Raises
    ------
    MissingFileError
        If there is none.
    """
    if set(str(file.path)) & set("*?["):
        return matching_files(file.path, "climate")
    if not file.path.is_file():
        message = f"File '{file.path}' named in the settings does not exist."
        raise MissingFileError(message)
    return [file.path]


def _degrees(grid: Grid) -> tuple[float, float, float, float]:
    """Bounds of a grid as (W, S, E, N) in degrees."""
    transformer = Transformer.from_crs(grid.crs, 4326, always_xy=True)
    west, south, east, north = transformer.transform_bounds(*grid.bounds)
    return west, south, east, north


def _covariates(config: StudyConfig, grid: Grid, faults: _Faults) -> xr.Dataset | None:
    """Open the covariates of the maps; None where there are none."""
    found = {
        name: faults.attempt(partial(_open_quantity, path, grid, name))
        for name, path in config.interpolation.covariates.items()
    }
    layers = {name: layer for name, layer in found.items() if layer is not None}
    return xr.Dataset(layers) if layers else None


def _open_quantity(path: Path, grid: Grid, name: str = "elevation") -> xr.DataArray:
    """Elevation or another quantity on the study grid, by area-weighted averages."""
    values = read_geotiff(path, classes=False, bbox=_degrees(grid))
    return align(values, grid, method="area_average").rename(name)


def _check_ground(
    elevation: xr.DataArray, samples: gpd.GeoDataFrame, path: Path
) -> None:
    """Raise where samples within the study grid have no ground in the model."""
    located = samples[~(samples.geometry.isna() | samples.geometry.is_empty)]
    found = values_at_points(elevation.rename("value"), located)
    bare = found["value"].isna() & (found["reason"] != "outside")
    if bare.any():
        names = located.loc[bare, "sample_id"].astype(str).tolist()
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        message = (
            f"The elevation model '{path}' does not cover {int(bare.sum())} samples "
            f"within the study grid: {shown}. Give a model of the whole region."
        )
        raise InputError(message)


def _region_mask(region: gpd.GeoDataFrame | None, grid: Grid) -> xr.DataArray:
    """Cells of the region; the whole grid where no region is named."""
    if region is None:
        return grid.raster(np.ones(grid.shape, dtype=bool), name="region")
    mask = polygon_mask(region, grid)
    if not bool(mask.any()):
        message = (
            f"The region's polygons {tuple(region.total_bounds.round(2))} do not touch "
            f"the grid {grid.bounds}. Mend [grid] bounds or [study] region."
        )
        raise InputError(message)
    return mask
