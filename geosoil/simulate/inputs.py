"""The small real inputs of the built-in study: where they lie and how they are read."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import xarray as xr
from pyproj import CRS

from geosoil.errors import MissingFileError
from geosoil.grids.grid import Grid

ELEVATION = "elevation/etopo5_trhr.tif"
LAND_COVER = "landcover/mcd12c1_2019_trhr.tif"


def data_folder() -> Path:
    """Return the folder of the real inputs.

    Returns
    -------
    folder : Path
        ``geosoil/data`` in an installed package, else ``data`` of the repository.

    Raises
    ------
    MissingFileError
        If neither holds the inputs.

    Examples
    --------
    >>> (data_folder() / "region" / "trhr_basins.geojson").exists()
    True
    """
    package = Path(__file__).resolve().parents[1]
    candidates = (package / "data", package.parent / "data")
    for folder in candidates:
        if (folder / ELEVATION).is_file():
            return folder
    places = " and ".join(str(folder) for folder in candidates)
    message = (
        f"The inputs of the built-in study are absent: {ELEVATION} was looked for "
        f"in {places}. Install geosoil again, or work in a full checkout."
    )
    raise MissingFileError(message)


def read_basins() -> gpd.GeoDataFrame:
    """Read the headwater basins that make up the region.

    Returns
    -------
    basins : GeoDataFrame in EPSG:4326
        Four polygons with columns name and area_km2; their union is the
        Three-Rivers Headwater Region.

    Examples
    --------
    >>> len(read_basins())
    4
    """
    return _read_vector("trhr_basins.geojson")


def read_rivers() -> gpd.GeoDataFrame:
    """Read the rivers in and around the region.

    Returns
    -------
    rivers : GeoDataFrame in EPSG:4326
        Lines with column length_km, the longest first.

    Examples
    --------
    >>> bool(read_rivers().geom_type.isin(["LineString"]).all())
    True
    """
    return _read_vector("rivers.geojson")


def read_lakes() -> gpd.GeoDataFrame:
    """Read the lakes in and around the region.

    Returns
    -------
    lakes : GeoDataFrame in EPSG:4326
        Polygons with columns name and area_km2, the largest first.

    Examples
    --------
    >>> read_lakes().name.iloc[0]
    'Qinghai Hu'
    """
    return _read_vector("lakes.geojson")


def read_elevation() -> xr.DataArray:
    """Read the ETOPO5 elevation around the region.

    Returns
    -------
    elevation : DataArray with dims y, x
        Elevation of cells of 5 arc minutes [m], each centred on its node.

    Examples
    --------
    >>> read_elevation().shape
    (81, 179)
    """
    elevation = _read_raster(ELEVATION).astype(float)
    return elevation.rename("elevation").assign_attrs(
        units="m", long_name="ETOPO5 elevation", standard_name="surface_altitude"
    )


def read_land_cover() -> xr.DataArray:
    """Read the IGBP land cover classes of 2019 around the region.

    Returns
    -------
    land_cover : DataArray of uint8 with dims y, x
        IGBP class on the 0.05 degree climate modelling grid; 255 is missing.
        Inside the region the classes are 0 water, 10 grassland, 15 snow and
        ice, 16 barren.

    Notes
    -----
    The product names the Clarke 1866 ellipsoid; its cells are those of the
    climate modelling grid, taken here as EPSG:4326.

    Examples
    --------
    >>> read_land_cover().shape
    (135, 298)
    """
    cover = _read_raster(LAND_COVER).rename("land_cover")
    return cover.assign_attrs(long_name="IGBP land cover class", units="1", nodata=255)


def read_stations() -> gpd.GeoDataFrame:
    """Read the five precipitation stations of the paper.

    Returns
    -------
    stations : GeoDataFrame in EPSG:4326
        Columns name, basin, latitude_printed, longitude_printed, latitude,
        longitude, elevation [m], note; points at the corrected position.

    Examples
    --------
    >>> read_stations().name.tolist()
    ['Zhimenda', 'Tuotuohe', 'Zaduo', 'Dari', 'Maduo']
    """
    return _read_points("stations.csv")


def read_glaciers() -> gpd.GeoDataFrame:
    """Read the five glaciers whose meltwater the paper sampled.

    Returns
    -------
    glaciers : GeoDataFrame in EPSG:4326
        Columns as those of :func:`read_stations`.

    Examples
    --------
    >>> len(read_glaciers())
    5
    """
    return _read_points("glaciers.csv")


def read_paper_table(name: str) -> pd.DataFrame:
    """Read one of the paper's tables in tidy form.

    Parameters
    ----------
    name : str
        Name of the table, for instance ``"table1_means"``.

    Returns
    -------
    table : DataFrame
        The table as printed; known misprints are listed in ``"issues"``.

    Raises
    ------
    MissingFileError
        If there is no table of that name; the message lists all.

    Examples
    --------
    >>> read_paper_table("table1_means").period.unique().tolist()
    ['June', 'August', 'September']
    """
    folder = data_folder() / "paper"
    path = folder / f"{name}.csv"
    if not path.is_file():
        known = ", ".join(sorted(table.stem for table in folder.glob("*.csv")))
        message = f"There is no paper table '{name}'. The tables are: {known}."
        raise MissingFileError(message)
    return pd.read_csv(path)


def _read_vector(name: str) -> gpd.GeoDataFrame:
    """Read one vector file of the region."""
    frame: gpd.GeoDataFrame = gpd.read_file(data_folder() / "region" / name)
    return frame


def _read_points(name: str) -> gpd.GeoDataFrame:
    """Read one table of named places."""
    table = pd.read_csv(data_folder() / "region" / name)
    points = gpd.points_from_xy(table["longitude"], table["latitude"])
    return gpd.GeoDataFrame(table, geometry=points, crs="EPSG:4326")


def _read_raster(name: str) -> xr.DataArray:
    """Read a single-band clip with its grid."""
    with rasterio.open(data_folder() / name, driver="GTiff") as dataset:
        values = np.asarray(dataset.read(1))
        grid = Grid(CRS.from_epsg(4326), dataset.transform, values.shape)
    return grid.raster(values)
