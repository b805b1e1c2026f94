"""Frozen ground, soil, vegetation and elevation of the study as map layers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import rioxarray  # noqa: F401  registers the accessor .rio
import shapely
import xarray as xr
from rasterio.features import shapes
from shapely.geometry import shape

from geosoil.io._atomic import write_csv
from geosoil.io.geopackage import write_geopackage
from geosoil.io.geotiff import write_geotiff
from geosoil.simulate.climate import monthly_ground_temperature
from geosoil.simulate.landscape import STUDY_GRID, VEGETATION_CODES, Landscape
from geosoil.simulate.noise import smooth_noise
from geosoil.simulate.relief import block_mean

FloatArray = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]

DAYS = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
"""Days of the calendar months."""


@dataclass(frozen=True, slots=True)
class ClassTable:
    """Labels and colours of the classes of a layer; code 0 is outside."""

    name: str
    """Name of the layer and of its files."""
    long_name: str
    """Words for the legend."""
    classes: tuple[tuple[str, str], ...]
    """Label and colour of the codes 1, 2, ...; any two colours of a layer differ for
    eyes without red, green or blue cones as well."""


PERMAFROST = ClassTable(
    "permafrost",
    "frozen ground (simulated)",
    (("permafrost", "#6a9fc4"), ("seasonally frozen ground", "#e3c77b")),
)
SOIL = ClassTable(
    "soil",
    "soil type (simulated)",
    (
        ("alpine desert soil", "#ddcc77"),
        ("alpine meadow soil", "#44aa99"),
        ("alpine steppe soil", "#999933"),
        ("mountain meadow soil", "#88ccee"),
        ("grey-cinnamon soil", "#cc6677"),
        ("castanozems", "#882255"),
        ("mountain forest soil", "#117733"),
    ),
)
VEGETATION = ClassTable(
    "vegetation",
    "vegetation type (simulated)",
    tuple(
        zip(
            tuple(VEGETATION_CODES.values())[1:],
            ("#e8d98a", "#5fbf9f", "#14532d", "#8a7a1f", "#d98a6a"),
            strict=True,
        )
    ),
)


def write_layers(landscape: Landscape, folder: str | Path, *, seed: int) -> list[Path]:
    """Derive and write the layers of the study.

    Parameters
    ----------
    landscape : Landscape
        The land.
    folder : path
        Folder to write to; made when absent.
    seed : int
        Seed of the simulation, kept in the files' tags.

    Returns
    -------
    paths : list of Path
        ``elevation.tif`` (means over 0.05 degrees) and ``elevation_fine.tif``
        (30 arc seconds); and for permafrost, soil and vegetation the class raster
        ``.tif`` on the study grid, the polygons ``.gpkg`` with columns code and
        label, and the class table ``.csv`` with columns code, label and colour.

    Raises
    ------
    GeosoilError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from geosoil.simulate.landscape import make_landscape
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = write_layers(make_landscape(seed=1), folder, seed=1)
    >>> [path.name for path in paths[2:5]]
    ['permafrost.tif', 'permafrost.gpkg', 'permafrost.csv']
    """
    target = Path(folder)
    tags = {"source": "simulated", "simulated": "yes", "seed": str(seed)}
    coarse = STUDY_GRID.raster(
        block_mean(landscape.elevation.values, factor=6), name="elevation"
    ).assign_attrs(landscape.elevation.attrs)
    fine = landscape.elevation.round().astype(np.int16)
    fine = fine.assign_attrs(landscape.elevation.attrs, nodata=-32768)
    paths = [
        write_geotiff(coarse, target / "elevation.tif", tags=tags),
        write_geotiff(
            fine, target / "elevation_fine.tif", tags=tags, overviews="average"
        ),
    ]
    inside = block_mean(landscape.region.to_numpy().astype(float), factor=6) > 0.5
    rng = np.random.default_rng([seed, 114])
    layers = (
        (PERMAFROST, frozen_ground(landscape, rng=rng)),
        (SOIL, _majority(soil_types(landscape), len(SOIL.classes))),
        (VEGETATION, _majority(landscape.vegetation.values, len(VEGETATION.classes))),
    )
    for table, codes in layers:
        raster = STUDY_GRID.raster(np.where(inside, codes, 0).astype(np.uint8))
        paths += _write_classes(raster, table, target, tags)
    return paths


def frozen_ground(landscape: Landscape, *, rng: np.random.Generator) -> Codes:
    r"""Tell permafrost from seasonally frozen ground by the frost number.

    Parameters
    ----------
    landscape : Landscape
        The land.
    rng : Generator
        Source of the small differences that snow and soil make.

    Returns
    -------
    codes : array, shape (95, 258)
        1 permafrost, 2 seasonally frozen ground.

    Notes
    -----
    From the degree-days of frost and of thaw at the ground surface,

    .. math:: F = \frac{\sqrt{DDF}}{\sqrt{DDF} + \sqrt{DDT}}

    with permafrost where F > 0.5. A smooth deviation of 0.4 K stands for what
    elevation does not tell.

    References
    ----------
    Nelson, F. E. and Outcalt, S. I. (1987). A computational method for prediction and
    regionalization of permafrost. Arctic and Alpine Research 19(3), 279-288.
    doi:10.2307/1551363
    """
    elevation = block_mean(landscape.elevation.values, factor=6)
    place = np.meshgrid(STUDY_GRID.x, STUDY_GRID.y)
    ground = monthly_ground_temperature(*place, elevation)
    ground = ground + 0.4 * smooth_noise(rng, STUDY_GRID.shape, length=4.0)
    codes: Codes = np.where(frost_number(ground) > 0.5, 1, 2).astype(np.uint8)
    return codes


def frost_number(temperature: FloatArray) -> FloatArray:
    """Return the frost number of monthly temperatures.

    Parameters
    ----------
    temperature : array, shape (12, ...)
        Mean temperature of each calendar month [degC].

    Returns
    -------
    frost_number : array
        0 where it never freezes, 1 where it never thaws.

    Examples
    --------
    >>> float(frost_number(np.array([-5.0] * 6 + [5.0] * 6)).__round__(2))
    0.5
    """
    days = DAYS.reshape(12, *[1] * (temperature.ndim - 1))
    frost = np.sqrt((np.maximum(-temperature, 0.0) * days).sum(axis=0))
    thaw = np.sqrt((np.maximum(temperature, 0.0) * days).sum(axis=0))
    number: FloatArray = frost / (frost + thaw)
    return number


def soil_types(landscape: Landscape) -> Codes:
    """Derive the soil type of each fine cell from vegetation and elevation.

    Parameters
    ----------
    landscape : Landscape
        The land.

    Returns
    -------
    codes : array, shape (570, 1548)
        Codes 1 to 7 in the order of :data:`SOIL`, from high to low as in section 2.1
        of Li et al. (2024); 0 where there is no vegetation class.

    Examples
    --------
    >>> from geosoil.simulate.landscape import make_landscape
    >>> int(soil_types(make_landscape(seed=1)).max())
    7
    """
    codes = landscape.vegetation.to_numpy()
    elevation = landscape.elevation.to_numpy()
    grassland, meadow, forest, scrub, desert = (codes == k for k in range(1, 6))
    choices = {
        1: desert,
        2: (meadow & (elevation >= 4000.0)) | (scrub & (elevation >= 4200.0)),
        3: grassland & (elevation >= 3900.0),
        4: meadow & (elevation < 4000.0),
        5: scrub & (elevation < 4200.0),
        6: grassland & (elevation < 3900.0),
        7: forest,
    }
    return np.select(
        list(choices.values()), [np.uint8(code) for code in choices], np.uint8(0)
    ).astype(np.uint8)


def _majority(codes: Codes, count: int) -> Codes:
    """Return the commonest class of each study cell; 0 only where all are 0."""
    shares = np.stack(
        [block_mean((codes == k).astype(float), factor=6) for k in range(1, count + 1)]
    )
    winner = shares.argmax(axis=0) + 1
    majority: Codes = np.where(shares.max(axis=0) > 0, winner, 0).astype(np.uint8)
    return majority


def _write_classes(
    raster: xr.DataArray, table: ClassTable, folder: Path, tags: dict[str, str]
) -> list[Path]:
    """Write one layer as raster, polygons and class table."""
    labels = [label for label, _ in table.classes]
    colours = {code: c for code, (_, c) in enumerate(table.classes, start=1)}
    named = raster.rename(table.name).assign_attrs(
        units="1",
        long_name=table.long_name,
        nodata=0,
        flag_values=np.array(list(colours), dtype=np.uint8),
        flag_meanings=" ".join(label.replace(" ", "_") for label in labels),
    )
    frame = pd.DataFrame(
        {
            "code": list(colours),
            "label": labels,
            "colour": list(colours.values()),
        }
    )
    polygons = class_polygons(named, dict(zip(frame.code, labels, strict=True)))
    package = folder / f"{table.name}.gpkg"
    write_geopackage({table.name: polygons}, package)
    raster_file = folder / f"{table.name}.tif"
    return [
        write_geotiff(named, raster_file, tags=tags, colours=colours),
        package,
        write_csv(frame, folder / f"{table.name}.csv"),
    ]


def class_polygons(classes: xr.DataArray, labels: dict[int, str]) -> gpd.GeoDataFrame:
    """Outline the classes of a raster.

    Parameters
    ----------
    classes : DataArray of uint8 with dims y, x
        Class codes; 0 is outside.
    labels : dict of int to str
        Label of each code.

    Returns
    -------
    polygons : GeoDataFrame
        One multipolygon a class present, with columns code and label, along the
        edges of the cells.

    Examples
    --------
    >>> grid = STUDY_GRID.from_bounds((0, 0, 2, 1), 1, "EPSG:4326")
    >>> raster = grid.raster(np.array([[1, 2]], dtype=np.uint8))
    >>> class_polygons(raster, {1: "low", 2: "high"}).label.tolist()
    ['low', 'high']
    """
    parts: dict[int, list[Any]] = {}
    transform = classes.rio.transform()
    codes = classes.to_numpy()
    for outline, code in shapes(codes, codes > 0, 4, transform):
        parts.setdefault(int(code), []).append(shape(outline))
    present = sorted(parts)
    return gpd.GeoDataFrame(
        {"code": present, "label": [labels[code] for code in present]},
        geometry=[shapely.multipolygons(parts[code]) for code in present],
        crs=classes.rio.crs,
    )
