"""HDF-EOS2 grids with the structure of the MODIS vegetation index products."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pyhdf import V as _vgroup_interface  # noqa: F401, N811  makes HDF.vgstart work
from pyhdf.HDF import HC, HDF
from pyhdf.SD import SD, SDC

from geosoil.simulate._hdf4_elements import rename_group, replace_streams
from geosoil.simulate._zlib_rows import (
    ConstantRows,
    constant_rows,
    stream_around,
)

SHAPE = (3600, 7200)
"""Rows and columns of the global 0.05 degree grid."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One data set of a product."""

    suffix: str
    """Its name after the product's prefix."""
    dtype: str
    """Type of the values."""
    fill: int
    """Value of missing cells."""
    valid_range: tuple[int, int]
    """Smallest and largest valid value."""
    units: str
    """Unit as the product writes it."""
    scale_factor: float | None = None
    """Divisor that gives the physical value, where there is one."""


@dataclass(frozen=True, slots=True)
class Product:
    """One MODIS vegetation index product on the climate modelling grid."""

    name: str
    """Short name, for instance MOD13C1."""
    grid: str
    """Name of its grid."""
    prefix: str
    """What the names of its data sets begin with."""


LAYERS = (
    Layer("NDVI", "int16", -3000, (-2000, 10000), "NDVI", 10000.0),
    Layer("VI Quality", "uint16", 65535, (0, 65534), "bit field"),
    Layer("pixel reliability", "int8", -1, (0, 4), "rank"),
)
"""Data sets that the study writes; the products hold more."""
SIXTEEN_DAYS = Product("MOD13C1", "MODIS_Grid_16Day_VI_CMG", "CMG 0.05 Deg 16 days")
MONTHLY = Product("MOD13C2", "MOD_Grid_monthly_CMG_VI", "CMG 0.05 Deg Monthly")

_SDC = {"int16": SDC.INT16, "uint16": SDC.UINT16, "int8": SDC.INT8}
_DFNT = {"int16": "DFNT_INT16", "uint16": "DFNT_UINT16", "int8": "DFNT_INT8"}


@dataclass(frozen=True, slots=True)
class GridTemplate:
    """What all files of a product share."""

    content: bytes
    """A complete file in which every value is missing."""
    streams: tuple[ConstantRows, ...]
    """Compressed rows without data of each of :data:`LAYERS`."""


def grid_template(product: Product, *, rows: slice, comment: str) -> GridTemplate:
    """Prepare many files of one product that differ in a band of rows.

    Parameters
    ----------
    product : Product
        Product to imitate.
    rows : slice
        Rows that hold data; all others are missing.
    comment : str
        Global attribute ``comment`` of every file.

    Returns
    -------
    template : GridTemplate
        Template for :func:`grid_file`.

    Notes
    -----
    One file full of missing values is written with the HDF4 library. Each further
    file is that file with other compressed streams: the rows without data, 97 % of
    the grid, are compressed once, not in every file, which makes a file in
    hundredths of a second instead of one second.
    """
    streams = tuple(
        constant_rows(
            np.full(SHAPE[1], layer.fill, np.dtype(layer.dtype).newbyteorder(">")),
            before=rows.start,
            after=SHAPE[0] - rows.stop,
        )
        for layer in LAYERS
    )
    return GridTemplate(_template(product, comment), streams)


def grid_file(template: GridTemplate, layers: tuple[npt.NDArray[Any], ...]) -> bytes:
    """Return the bytes of a file.

    Parameters
    ----------
    template : GridTemplate
        What the files of the product share.
    layers : tuple of array, shape (rows, 7200)
        Values of the rows that hold data, one array for each of :data:`LAYERS`.

    Returns
    -------
    content : bytes
        A complete HDF4 file.
    """
    streams = [
        stream_around(rows, np.ascontiguousarray(values, rows.dtype))
        for rows, values in zip(template.streams, layers, strict=True)
    ]
    return replace_streams(template.content, streams)


def _template(product: Product, comment: str) -> bytes:
    """Write a file without data and return its bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.hdf"
        references = _write_data_sets(path, product, comment)
        _write_groups(path, product, references)
        return rename_group(path.read_bytes(), str(path), f"{product.name}.hdf")


def _write_data_sets(path: Path, product: Product, comment: str) -> list[int]:
    """Write the compressed data sets and the global attributes."""
    file = SD(str(path), SDC.WRITE | SDC.CREATE | SDC.TRUNC)
    file.HDFEOSVersion = "HDFEOS_V2.19"
    file.attr("StructMetadata.0").set(SDC.CHAR, _structure(product))
    file.attr("comment").set(SDC.CHAR, comment)
    references = []
    for layer in LAYERS:
        name, kind = f"{product.prefix} {layer.suffix}", _SDC[layer.dtype]
        data = file.create(name, kind, SHAPE)
        data.dim(0).setname(f"YDim:{product.grid}")
        data.dim(1).setname(f"XDim:{product.grid}")
        data.setcompress(SDC.COMP_DEFLATE, 1)
        data.attr("long_name").set(SDC.CHAR, name)
        data.attr("units").set(SDC.CHAR, layer.units)
        data.attr("valid_range").set(kind, list(layer.valid_range))
        data.attr("_FillValue").set(kind, layer.fill)
        if layer.scale_factor is not None:
            data.attr("scale_factor").set(SDC.FLOAT64, layer.scale_factor)
            data.attr("scale_factor_err").set(SDC.FLOAT64, 0.0)
            data.attr("add_offset").set(SDC.FLOAT64, 0.0)
            data.attr("add_offset_err").set(SDC.FLOAT64, 0.0)
            data.attr("calibrated_nt").set(SDC.INT32, 5)
        data[:] = np.full(SHAPE, layer.fill, layer.dtype)
        references.append(int(data.ref()))
        data.endaccess()
    file.end()
    return references


def _write_groups(path: Path, product: Product, references: list[int]) -> None:
    """Write the groups by which readers know an HDF-EOS grid."""
    file = HDF(str(path), HC.WRITE)
    groups = file.vgstart()
    grid = groups.create(product.grid)
    grid._class = "GRID"
    fields = groups.create("Data Fields")
    fields._class = "GRID Vgroup"
    attributes = groups.create("Grid Attributes")
    attributes._class = "GRID Vgroup"
    for reference in references:
        fields.add(HC.DFTAG_NDG, reference)
    grid.insert(fields)
    grid.insert(attributes)
    for group in (fields, attributes, grid):
        group.detach()
    groups.end()
    file.close()


def _structure(product: Product) -> str:
    """Return the text that describes the grid and its fields."""
    fields = "".join(
        f"\t\t\tOBJECT=DataField_{number}\n"
        f'\t\t\t\tDataFieldName="{product.prefix} {layer.suffix}"\n'
        f"\t\t\t\tDataType={_DFNT[layer.dtype]}\n"
        '\t\t\t\tDimList=("YDim","XDim")\n'
        "\t\t\t\tCompressionType=HDFE_COMP_DEFLATE\n"
        "\t\t\t\tDeflateLevel=1\n"
        f"\t\t\tEND_OBJECT=DataField_{number}\n"
        for number, layer in enumerate(LAYERS, start=1)
    )
    return (
        "GROUP=SwathStructure\nEND_GROUP=SwathStructure\n"
        "GROUP=GridStructure\n\tGROUP=GRID_1\n"
        f'\t\tGridName="{product.grid}"\n'
        f"\t\tXDim={SHAPE[1]}\n\t\tYDim={SHAPE[0]}\n"
        "\t\tUpperLeftPointMtrs=(-180000000.000000,90000000.000000)\n"
        "\t\tLowerRightMtrs=(180000000.000000,-90000000.000000)\n"
        "\t\tProjection=GCTP_GEO\n\t\tGridOrigin=HDFE_GD_UL\n"
        "\t\tGROUP=Dimension\n\t\tEND_GROUP=Dimension\n"
        f"\t\tGROUP=DataField\n{fields}\t\tEND_GROUP=DataField\n"
        "\t\tGROUP=MergedFields\n\t\tEND_GROUP=MergedFields\n"
        "\tEND_GROUP=GRID_1\nEND_GROUP=GridStructure\n"
        "GROUP=PointStructure\nEND_GROUP=PointStructure\nEND\n"
    )
