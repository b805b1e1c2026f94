"""Write a STAC collection with an item a raster, as files that need no server."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import rasterio
from pyproj import CRS, Transformer
from rasterio.errors import RasterioError

from geosoil.errors import FileFormatError, InputError
from geosoil.io._atomic import write_text
from geosoil.io._sniff import check_kind
from geosoil.io.geotiff import grid_of_file
from geosoil.io.provenance import file_entry

EXTENSIONS = {
    name: f"https://stac-extensions.github.io/{name}/v{version}/schema.json"
    for name, version in (
        ("file", "2.1.0"),
        ("processing", "1.1.0"),
        ("projection", "2.0.0"),
        ("raster", "2.0.0"),
    )
}
"""Extensions of STAC 1.1 whose fields are written."""

MEDIA_TYPES = {
    ".tif": "image/tiff; application=geotiff",
    ".gpkg": "application/geopackage+sqlite3",
    ".nc": "application/netcdf",
    ".qgz": "application/vnd.qgis.project",
    ".qml": "application/xml",
}
"""Media types of files by their ending."""

COLLECTION = "collection.json"
"""Name of the collection's file."""

_COG = "; profile=cloud-optimized"
_SHA2_256 = "1220"
"""Multihash: algorithm 0x12, 0x20 bytes."""


@dataclass(frozen=True, slots=True)
class RasterItem:
    """One raster of a collection."""

    path: Path
    """GeoTIFF."""
    title: str
    """Words for a list."""
    description: str
    """What it is and how it was made."""
    start: datetime
    """First instant it stands for, with a time zone."""
    end: datetime
    """Last instant."""
    keywords: tuple[str, ...] = ()
    """Words to find it by."""
    lineage: str = ""
    """How it was made."""
    software: Mapping[str, str] = field(default_factory=dict)
    """Versions of the programs that made it, by name."""
    is_classes: bool = False
    """Whether its numbers are codes, whose mean says nothing."""
    style: Path | None = None
    """Style of QGIS beside it."""


@dataclass(frozen=True, slots=True)
class CollectionWords:
    """What a collection says of itself."""

    id: str
    """Short name: letters, digits, - and _."""
    title: str
    """Words for a list."""
    description: str
    """What it is."""
    keywords: tuple[str, ...]
    """Words to find it by."""
    license: str = "other"
    """SPDX name, or "other"."""


def write_collection(
    words: CollectionWords,
    items: Sequence[RasterItem],
    folder: str | os.PathLike[str],
    *,
    files: Sequence[Path] = (),
) -> list[Path]:
    """Write a self-contained STAC collection.

    Parameters
    ----------
    words : CollectionWords
        What it says of itself.
    items : sequence of RasterItem
        Its rasters, in order; the item of ``r.tif`` is called "r".
    folder : path
        Where ``collection.json`` and ``items/<id>.json`` go.
    files : sequence of Path
        Other files of the collection, which become its assets.

    Returns
    -------
    paths : list of Path
        The files written; the same rasters give the same bytes.

    Raises
    ------
    InputError
        If there is no item, or two rasters have the same name.
    FileFormatError
        If a raster cannot be read.
    GeosoilError
        If a file cannot be written.

    Notes
    -----
    Every raster is an item of its own, with one asset "data": it has its own title,
    unit, statistics, lineage and time, and clients list and search items, not assets.
    All links are relative, so that the folder may be moved or served as it is.

    References
    ----------
    SpatioTemporal Asset Catalog, version 1.1.0; extensions file 2.1.0,
    processing 1.1.0, projection 2.0.0, raster 2.0.0.
    """
    place = Path(folder).absolute()
    made = [_item(item, place) for item in items]
    names = [item.id for item in made]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not made:
        message = (
            f"Cannot write a collection to '{folder}': "
            f"{'rasters of the same name ' + ', '.join(twice) if twice else 'no item'}."
        )
        raise InputError(message)
    collection = _collection(words, made, place)
    for file in files:
        collection.add_asset(file.stem, _asset(file, place / COLLECTION, file.name))
    return [
        write_text(
            _json(thing), Path(folder) / Path(thing.self_href).relative_to(place)
        )
        for thing in (collection, *made)
    ]


def file_fields(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return size and checksum of a file in the words of the file extension.

    Parameters
    ----------
    path : path
        A file.

    Returns
    -------
    fields : dict
        ``file:size`` [byte] and ``file:checksum``, its SHA-256 as a multihash.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a"
    ...     _ = file.write_bytes(b"abc")
    ...     file_fields(file)["file:checksum"][:12]
    '1220ba7816bf'
    """
    entry = file_entry(Path(path))
    checksum = f"{_SHA2_256}{entry['sha256']}"
    return {"file:size": entry["bytes"], "file:checksum": checksum}


@dataclass(frozen=True, slots=True)
class _Described:
    """What a GeoTIFF says of its grid and its bands."""

    bbox: list[float]
    """West, south, east and north in degrees."""
    projection: dict[str, Any]
    """Fields of the projection extension."""
    bands: list[dict[str, Any]]
    """Bands with type, nodata, unit and statistics."""
    is_cog: bool
    """Whether it is laid out for reading over the web."""


def _describe(path: Path, *, is_classes: bool) -> _Described:
    """Read a GeoTIFF's grid and bands."""
    check_kind(path, "tiff", needed="a GeoTIFF")
    try:
        with rasterio.open(path, driver="GTiff") as file:
            grid = grid_of_file(file, path)[0]
            bands = [
                _band(file, number, is_classes=is_classes)
                for number in range(1, file.count + 1)
            ]
            layout = file.tags(ns="IMAGE_STRUCTURE").get("LAYOUT")
    except RasterioError as error:
        message = f"'{path}' cannot be read as a GeoTIFF: {error}."
        raise FileFormatError(message) from error
    to_degrees = Transformer.from_crs(grid.crs, 4326, always_xy=True)
    return _Described(
        bbox=[round(end, 7) for end in to_degrees.transform_bounds(*grid.bounds)],
        projection={
            **_crs_fields(grid.crs),
            "proj:bbox": [float(end) for end in grid.bounds],
            "proj:shape": [int(side) for side in grid.shape],
            "proj:transform": [float(number) for number in grid.transform[:6]],
        },
        bands=bands,
        is_cog=layout == "COG",
    )


def _crs_fields(crs: CRS) -> dict[str, Any]:
    """Name a CRS by its code, or write it out where it has none."""
    authority = crs.to_authority(min_confidence=100)
    if authority:
        return {"proj:code": ":".join(authority)}
    return {"proj:code": None, "proj:wkt2": crs.to_wkt("WKT2_2019")}


def _band(file: Any, number: int, *, is_classes: bool) -> dict[str, Any]:  # noqa: ANN401
    """Describe a band in the words of STAC."""
    band: dict[str, Any] = {"data_type": str(file.dtypes[number - 1])}
    nodata = file.nodatavals[number - 1]
    if nodata is not None:
        band["nodata"] = "nan" if np.isnan(nodata) else float(nodata)
    named = {
        "description": file.descriptions[number - 1],
        "unit": file.units[number - 1],
    }
    band |= {key: text for key, text in named.items() if text}
    found = file.read(number, masked=True)
    values = found.compressed().astype(np.float64)
    values = values[np.isfinite(values)]
    statistics = {"valid_percent": 100.0 * values.size / found.size}
    if values.size and not is_classes:
        statistics |= {
            "minimum": float(values.min()),
            "maximum": float(values.max()),
            "mean": float(values.mean()),
            "stddev": float(values.std()),
        }
    band["statistics"] = statistics
    return band


def _item(raster: RasterItem, place: Path) -> pystac.Item:
    """Make the item of a raster."""
    found = _describe(raster.path, is_classes=raster.is_classes)
    west, south, east, north = found.bbox
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    item = pystac.Item(
        id=raster.path.stem,
        geometry={"type": "Polygon", "coordinates": [ring]},
        bbox=found.bbox,
        datetime=None,
        start_datetime=raster.start,
        end_datetime=raster.end,
        properties={
            "title": raster.title,
            "description": raster.description,
            **({"keywords": list(raster.keywords)} if raster.keywords else {}),
            **found.projection,
            **({"processing:lineage": raster.lineage} if raster.lineage else {}),
            "processing:software": dict(raster.software),
        },
        stac_extensions=list(EXTENSIONS.values()),
    )
    item.set_self_href(str(place / "items" / f"{item.id}.json"))
    data = _asset(raster.path, Path(item.self_href), raster.title)
    data.media_type = f"{data.media_type}{_COG if found.is_cog else ''}"
    data.extra_fields |= {"bands": found.bands, "raster:sampling": "area"}
    item.add_asset("data", data)
    if raster.style is not None:
        style = _asset(raster.style, Path(item.self_href), "style for QGIS")
        style.roles = ["metadata"]
        item.add_asset("style", style)
    return item


def _asset(file: Path, owner: Path, title: str) -> pystac.Asset:
    """Make the asset of a file, its place told from its owner's."""
    suffix = ".tif" if file.suffix.lower() == ".tiff" else file.suffix.lower()
    # Written with / on every system, as links are.
    place = Path(os.path.relpath(file.absolute(), owner.parent)).as_posix()
    return pystac.Asset(
        href=place,
        title=title,
        media_type=MEDIA_TYPES.get(suffix, "application/octet-stream"),
        roles=["data"],
        extra_fields=file_fields(file),
    )


def _collection(
    words: CollectionWords, items: Sequence[pystac.Item], place: Path
) -> pystac.Collection:
    """Make the collection of items."""
    boxes = np.array([item.bbox for item in items])
    box = [*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()]
    starts = [item.common_metadata.start_datetime for item in items]
    ends = [item.common_metadata.end_datetime for item in items]
    times = [min(t for t in starts if t), max(t for t in ends if t)]
    collection = pystac.Collection(
        id=words.id,
        title=words.title,
        description=words.description,
        extent=pystac.Extent(
            pystac.SpatialExtent([box]), pystac.TemporalExtent([[times[0], times[1]]])
        ),
        stac_extensions=[EXTENSIONS["file"]],
        catalog_type=pystac.CatalogType.SELF_CONTAINED,
        license=words.license,
        keywords=list(words.keywords),
    )
    collection.set_self_href(str(place / COLLECTION))
    for item in items:
        collection.add_item(item, title=str(item.properties["title"]))
        item.set_self_href(str(place / "items" / f"{item.id}.json"))
    return collection


def _json(thing: pystac.STACObject) -> str:
    """Return the text of a file."""
    told = thing.to_dict(include_self_link=False, transform_hrefs=True)
    return json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
