"""One HDF-EOS2 granule: its layers, their grid, and their values in a window."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from geosoil.errors import FileFormatError
from geosoil.io._hdf4 import Contents, Dataset, describe, read_window
from geosoil.io._screening import QUALITY_LAYERS, Screening, kept_cells, needed_quality
from geosoil.io._window import Window
from geosoil.io.granule_names import (
    checked_origin,
    plain_name,
    short_name,
)
from geosoil.io.products import check_cell_size, layer_of, packing_of
from geosoil.io.structmetadata import EosGrid, parse_structmetadata

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Layer:
    """One two-dimensional array on a grid."""

    grid: EosGrid
    """Grid on which it lies."""
    dataset: Dataset
    """The array in the file."""

    @property
    def label(self) -> str:
        """GRID:LAYER."""
        return f"{self.grid.name}:{self.dataset.name}"


@dataclass(frozen=True, slots=True)
class Granule:
    """An HDF-EOS2 file that was looked into, without its values."""

    path: Path
    """The file."""
    product: str | None
    """Product, for instance "MOD13C1"."""
    date: np.datetime64 | None
    """First day."""
    collection: str | None
    """Collection, for instance "061"."""
    layers: tuple[Layer, ...]
    """All arrays with two dimensions that lie on a grid."""


def open_granule(path: Path, *, layer: str) -> Granule:
    """Look into an HDF-EOS2 file.

    Parameters
    ----------
    path : Path
        An HDF4 file.
    layer : str
        Layer that is looked for, for messages about damaged files.

    Returns
    -------
    granule : Granule
        Product, date and layers.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FileFormatError
        If it is damaged or holds no HDF-EOS2 grid.
    """
    contents = describe(path, dataset=layer)
    texts = _structure(contents)
    names = ", ".join(dict.fromkeys(item.name for item in contents.datasets))
    try:
        grids = parse_structmetadata(texts)
    except FileFormatError as error:
        message = f"'{path}', StructMetadata: {error}"
        raise FileFormatError(message) from error
    if not grids:
        why = "describes no grid" if texts else "is missing"
        message = (
            f"'{path}' is HDF4 but no HDF-EOS grid: its StructMetadata {why}, so its "
            f"arrays cannot be placed on Earth. It holds: {names or 'nothing'}. Give a "
            "gridded product (level 3), for instance MOD13C1."
        )
        raise FileFormatError(message)
    origin = checked_origin(path, contents.attributes)
    return Granule(
        path=path,
        product=origin.product,
        date=origin.date,
        collection=origin.collection,
        layers=_layers(contents, grids),
    )


def choose_layer(granule: Granule, wanted: str) -> Layer:
    """Return the layer that a name means.

    Parameters
    ----------
    granule : Granule
        An opened file.
    wanted : str
        Name in the file, short name such as "ndvi", or GRID:LAYER.

    Returns
    -------
    layer : Layer
        The one layer of that name.

    Raises
    ------
    FileFormatError
        If no layer or more than one has that name, or its shape is not its grid's.
    """
    grid, _, rest = wanted.partition(":")
    grids = {plain_name(layer.grid.name) for layer in granule.layers}
    name = rest if rest and plain_name(grid) in grids else wanted
    candidates = [
        layer
        for layer in granule.layers
        if name is wanted or plain_name(layer.grid.name) == plain_name(grid)
    ]
    found: list[Layer] = []
    for same in (str, plain_name, short_name):
        found = [c for c in candidates if same(c.dataset.name) == same(name)]
        if found:
            break
    if len(found) != 1:
        raise FileFormatError(_choice_message(granule, wanted, found))
    _check_shape(granule, found[0])
    return found[0]


def read_layer(
    granule: Granule, layer: Layer, *, window: Window, screening: Screening
) -> npt.NDArray[Any]:
    """Read a layer in a window: masked, scaled and screened by quality.

    Parameters
    ----------
    granule : Granule
        An opened file.
    layer : Layer
        One of its layers.
    window : Window
        Rows from the north, columns from the west.
    screening : Screening
        Which cells are kept.

    Returns
    -------
    values : array, shape (rows, columns)
        Quantities, NaN where missing, north up.

    Raises
    ------
    FileFormatError
        If the layer cannot be read, its scale is wrong or unknown, NDVI leaves -0.2
        to 1, or a rule asks for bits that the file does not have.
    """
    dataset = layer.dataset
    try:
        packing = packing_of(
            dataset.attributes,
            layer=dataset.name,
            product=granule.product,
            dtype=dataset.dtype,
        )
    except FileFormatError as error:
        message = f"'{granule.path}', dataset '{dataset.name}': {error}"
        raise FileFormatError(message) from error
    values = packing.unpack(_stored(granule, layer, window))
    if short_name(dataset.name) in ("ndvi", "evi"):
        check_index(values, place=f"'{granule.path}', dataset '{dataset.name}'")
    if short_name(dataset.name) not in QUALITY_LAYERS:
        kept = _kept(granule, layer, window, screening)
        if kept is not None:
            values[~kept] = np.nan
    return values


def is_code(layer: Layer, *, product: str | None) -> bool:
    """Return whether a layer holds ranks, counts or bits instead of a quantity.

    Parameters
    ----------
    layer : Layer
        A layer of a granule.
    product : str or None
        Product of the granule.

    Returns
    -------
    is_code : bool
        True for integers that the file does not scale.
    """
    dataset = layer.dataset
    known = layer_of(product, dataset.name, dtype=dataset.dtype)
    scaled = "scale_factor" in dataset.attributes
    scaled |= known is not None and known.divisor != 1
    return "int" in dataset.dtype and not scaled


def check_index(values: npt.NDArray[Any], *, place: str) -> None:
    """Raise if a vegetation index leaves its range.

    Parameters
    ----------
    values : array
        NDVI or EVI, NaN where missing.
    place : str
        File and dataset for the message.

    Raises
    ------
    FileFormatError
        If a value is below -0.2 or above 1.
    """
    low, high = np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)
    if low < -0.2 - 1e-6 or high > 1 + 1e-6:
        message = (
            f"{place}: the index runs from {low:g} to {high:g} after scaling, but must "
            "lie in -0.2 to 1. Its scale or its type is not that of the product."
        )
        raise FileFormatError(message)


def _structure(contents: Contents) -> str:
    """Return the StructMetadata text, which long files split into parts."""
    parts = {
        int(number): value
        for key, value in contents.attributes.items()
        for name, _, number in [key.partition(".")]
        if name == "StructMetadata" and number.isdecimal() and isinstance(value, str)
    }
    return "".join(parts[number] for number in sorted(parts))


def _layers(contents: Contents, grids: tuple[EosGrid, ...]) -> tuple[Layer, ...]:
    """Find the grid of each two-dimensional array."""
    linked: dict[int, EosGrid] = {}
    for dataset in contents.datasets:
        owners = {name.partition(":")[2].strip() for name in dataset.dimensions}
        for grid in grids:
            if grid.name in owners:
                linked[dataset.index] = grid
    taken = {
        (linked[d.index].name, d.name) for d in contents.datasets if d.index in linked
    }
    for dataset in contents.datasets:
        if dataset.index in linked:
            continue
        # Writers that name no dimensions leave the list in StructMetadata.
        free = [
            grid
            for grid in grids
            if dataset.name in grid.fields and (grid.name, dataset.name) not in taken
        ]
        fitting = [grid for grid in free if grid.grid.shape == dataset.shape] or free
        if fitting:
            linked[dataset.index] = fitting[0]
            taken.add((fitting[0].name, dataset.name))
    return tuple(
        Layer(linked[dataset.index], dataset)
        for dataset in contents.datasets
        if dataset.index in linked
        and len(dataset.shape) == 2
        and dataset.dtype != "char"
    )


def _is_transposed(layer: Layer) -> bool:
    """Whether the file stores columns first."""
    listed = layer.grid.fields.get(layer.dataset.name, ())
    names = listed if len(listed) == 2 else layer.dataset.dimensions
    return names[0].startswith("XDim") and names[1].startswith("YDim")


def _check_shape(granule: Granule, layer: Layer) -> None:
    """Raise unless an array has the size and the cells that its grid should have."""
    rows, columns = layer.grid.grid.shape
    expected = (columns, rows) if _is_transposed(layer) else (rows, columns)
    place = f"'{granule.path}', dataset '{layer.dataset.name}'"
    if layer.dataset.shape != expected:
        message = (
            f"{place}: its shape is {layer.dataset.shape}, but StructMetadata gives "
            f"grid '{layer.grid.name}' XDim={columns}, YDim={rows}. The file is "
            "damaged or was changed; download it again."
        )
        raise FileFormatError(message)
    try:
        check_cell_size(layer.grid.grid.resolution, product=granule.product)
    except FileFormatError as error:
        message = f"{place}: {error}"
        raise FileFormatError(message) from error


def _choice_message(granule: Granule, wanted: str, found: list[Layer]) -> str:
    """Say which layers there are."""
    if found:
        labels = ", ".join(f"'{layer.label}'" for layer in found)
        return (
            f"'{granule.path}': the layer '{wanted}' is ambiguous. Ask for one of: "
            f"{labels}."
        )
    several = len({layer.grid.name for layer in granule.layers}) > 1
    names = ", ".join(
        f"'{layer.label if several else layer.dataset.name}'"
        for layer in granule.layers
    )
    return (
        f"'{granule.path}' ({granule.product or 'unknown product'}) has no layer "
        f"'{wanted}'. It has: {names or 'no layer with two dimensions'}."
    )


def _stored(granule: Granule, layer: Layer, window: Window) -> npt.NDArray[Any]:
    """Read stored numbers in a window, turned north up."""
    rows, columns = layer.grid.grid.shape
    row, column = window.row, window.column
    if layer.grid.rows_reversed:
        row = rows - window.row - window.rows
    if layer.grid.columns_reversed:
        column = columns - window.column - window.columns
    start, count = (row, column), (window.rows, window.columns)
    transposed = _is_transposed(layer)
    if transposed:
        start, count = start[::-1], count[::-1]
    stored = read_window(granule.path, layer.dataset, start=start, count=count)
    if transposed:
        stored = stored.T
    if layer.grid.rows_reversed:
        stored = stored[::-1]
    return stored[:, ::-1] if layer.grid.columns_reversed else stored


def companions_of(granule: Granule, layer: Layer) -> dict[str, Layer]:
    """Return the layers on the same cells by their short names.

    Parameters
    ----------
    granule : Granule
        An opened file.
    layer : Layer
        One of its layers.

    Returns
    -------
    companions : dict of Layer
        Itself among them.
    """
    return {
        short_name(other.dataset.name): other
        for other in granule.layers
        if other.grid.name == layer.grid.name
        and other.dataset.shape == layer.dataset.shape
    }


def _kept(
    granule: Granule, layer: Layer, window: Window, screening: Screening
) -> BoolArray | None:
    """Return the cells that a screening keeps, None where all are."""
    companions = companions_of(granule, layer)
    stored = {
        name: _stored(granule, companions[name], window)
        for name in needed_quality(companions, screening)
    }
    place = f"'{granule.path}', dataset '{layer.dataset.name}'"
    return kept_cells(stored, screening, place=place)
