"""The simulated land of the built-in study: terrain, vegetation, region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.ndimage import uniform_filter

from geosoil.grids.grid import Grid
from geosoil.grids.terrain import slope_aspect
from geosoil.grids.zones import polygon_mask
from geosoil.simulate.climatology import annual_precipitation
from geosoil.simulate.inputs import read_basins, read_elevation, read_land_cover
from geosoil.simulate.noise import smooth_noise
from geosoil.simulate.relief import simulate_relief

FloatArray = npt.NDArray[np.float64]

BOUNDS = (89.40, 31.55, 102.30, 36.30)
"""Outer edges of the study grid (W, S, E, N) [degree]."""
STUDY_GRID = Grid.from_bounds(BOUNDS, 0.05, "EPSG:4326")
"""The region's outline, snapped outward to the 0.05 degree grid of MODIS."""
FINE_GRID = Grid.from_bounds(BOUNDS, 1 / 120, "EPSG:4326")
"""The same bounds in cells of 30 arc seconds."""
VEGETATION_CODES = {
    0: "none",
    1: "grassland",
    2: "meadow",
    3: "forest",
    4: "scrub",
    5: "desert",
}
"""Class table of the simulated vegetation; 0 is water, ice or outside."""
WATER, SNOW, BARREN = 0, 15, 16
"""Classes of the land cover inside the region, beside grassland."""


@dataclass(frozen=True, slots=True)
class Landscape:
    """Terrain and vegetation of the study area in cells of 30 arc seconds."""

    elevation: xr.DataArray
    """Simulated elevation [m]; means over 5 arc minutes are those of ETOPO5."""
    slope: xr.DataArray
    """Slope [degree]."""
    aspect: xr.DataArray
    """Downslope direction, clockwise from north [degree]; NaN on flat ground."""
    vegetation: xr.DataArray
    """Class of uint8 as in :data:`VEGETATION_CODES`."""
    region: xr.DataArray
    """True inside the Three-Rivers Headwater Region."""


def make_landscape(*, seed: int) -> Landscape:
    """Simulate the land of the built-in study.

    Parameters
    ----------
    seed : int
        Seed of the simulation; the same seed gives the same land.

    Returns
    -------
    landscape : Landscape
        Rasters of 570 x 1548 cells in EPSG:4326 over 89.40-102.30 E and
        31.55-36.30 N.

    Notes
    -----
    ETOPO5 knows elevation every 9 km, too coarse for slopes. Ridges and valleys
    are simulated inside its cells, stronger where the elevation around varies
    more, and the mean of each cell is kept exactly. Vegetation follows elevation,
    rain, exposure and the real land cover of 2019.

    Examples
    --------
    >>> landscape = make_landscape(seed=1)
    >>> landscape.elevation.shape
    (570, 1548)
    """
    terrain_rng, vegetation_rng = (
        np.random.default_rng([seed, stream]) for stream in (101, 102)
    )
    elevation, slope, aspect = _terrain(terrain_rng)
    region = polygon_mask(read_basins(), FINE_GRID).rename("region")
    codes = _vegetation(elevation, slope, aspect, region.values, vegetation_rng)
    words = " ".join(VEGETATION_CODES.values())
    vegetation = FINE_GRID.raster(codes, name="vegetation").assign_attrs(
        units="1",
        long_name="vegetation class (simulated)",
        flag_values=list(VEGETATION_CODES),
        flag_meanings=words,
        nodata=0,
    )
    return Landscape(elevation, slope, aspect, vegetation, region)


def _terrain(
    rng: np.random.Generator,
) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Simulate elevation around the study grid and cut it, slope and aspect out."""
    coarse = read_elevation()
    fine = simulate_relief(coarse.values, factor=10, rng=rng)
    west, south, east, north = Grid.of(coarse).bounds
    around = Grid.from_bounds((west, south, east, north), 1 / 120, "EPSG:4326")
    terrain = slope_aspect(around.raster(fine))
    column, row = round((BOUNDS[0] - west) * 120), round((north - BOUNDS[3]) * 120)
    rows = slice(row, row + FINE_GRID.shape[0])
    columns = slice(column, column + FINE_GRID.shape[1])

    def cut(values: npt.NDArray[np.float64], name: str) -> xr.DataArray:
        return FINE_GRID.raster(values[rows, columns], name=name)

    elevation = cut(fine, "elevation").assign_attrs(
        units="m",
        long_name="elevation (simulated on ETOPO5)",
        standard_name="surface_altitude",
    )
    slope = cut(terrain["slope"].values, "slope").assign_attrs(terrain["slope"].attrs)
    aspect = cut(terrain["aspect"].values, "aspect")
    return elevation, slope, aspect.assign_attrs(terrain["aspect"].attrs)


def _vegetation(
    elevation: xr.DataArray,
    slope: xr.DataArray,
    aspect: xr.DataArray,
    region: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> npt.NDArray[np.uint8]:
    """Simulate the vegetation class of each cell."""
    height = elevation.values
    shape = height.shape
    patches = smooth_noise(rng, shape, length=4.0)
    tracts = smooth_noise(rng, shape, length=30.0)
    longitude, latitude = np.meshgrid(FINE_GRID.x, FINE_GRID.y)
    rain = annual_precipitation(longitude, latitude) + 35.0 * tracts + 25.0 * patches
    # +1 on slopes that face north-east, -1 towards south-west, 0 on flat ground
    shade = np.cos(np.radians(np.nan_to_num(aspect.values) - 45.0))
    shade *= np.clip(slope.values / 8.0, 0.0, 1.0)
    cover = study_land_cover().repeat(6, axis=0).repeat(6, axis=1)
    barren = _share(cover == BARREN) + 0.15 * patches
    codes = np.full(shape, 1, dtype=np.uint8)
    codes[(rain + 30.0 * shade > 350.0) & (height > 3300.0)] = 2
    bushes = 0.7 * shade + 0.7 * patches + (rain - 460.0) / 150.0
    codes[(bushes > 0.9) & (height < 4350.0 + 80.0 * patches)] = 4
    trees = 0.9 * shade + 0.5 * patches + (rain - 470.0) / 120.0
    codes[(trees > 0.9) & (height < 3950.0 + 70.0 * patches)] = 3
    codes[(barren > 0.5) | (height > 5450.0 + 100.0 * patches)] = 5
    codes[(cover == WATER) | (cover == SNOW) | ~region] = 0
    codes[height > 5900.0] = 0
    return codes


def study_land_cover() -> npt.NDArray[np.uint8]:
    """Return the real land cover of the cells of the study grid.

    Returns
    -------
    cover : array, shape (95, 258)
        IGBP class of each cell of 0.05 degrees.

    Examples
    --------
    >>> study_land_cover().shape
    (95, 258)
    """
    cover = read_land_cover()
    west, _, _, north = Grid.of(cover).bounds
    row, column = round((north - BOUNDS[3]) * 20), round((BOUNDS[0] - west) * 20)
    rows, columns = STUDY_GRID.shape
    cut: npt.NDArray[np.uint8] = cover.values[
        row : row + rows, column : column + columns
    ]
    return cut


def _share(mask: npt.NDArray[np.bool_]) -> FloatArray:
    """Return the share of a class in the surroundings of each cell."""
    share: FloatArray = uniform_filter(mask.astype(float), 9)
    return share
