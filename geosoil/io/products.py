"""What is known of MODIS products: their layers, scales and cells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from geosoil.errors import FileFormatError
from geosoil.io.granule_names import short_name

_OFFSET_LAST = re.compile(r"\*\s*scale_factor\s*\+\s*add_offset", re.IGNORECASE)
_VEGETATION_INDEX = re.compile(r"M[OY]D13")
_SURFACE_TEMPERATURE = re.compile(r"M[OY]D(11|21)")
_DEGREE_CELLS = {"C1": 0.05, "C2": 0.05}
_METRE_CELLS = {"Q1": 231.656358, "A1": 463.312717, "A2": 926.625433, "A3": 926.625433}


Quality = Literal["good", "keep_snow", "all"]
"""Presets of the cells of a vegetation index that are kept."""


@dataclass(frozen=True, slots=True)
class ProductLayer:
    """What the product page says of a layer, for files that say it wrong or not."""

    fill: float
    """Number that stands for no data."""
    valid_range: tuple[float, float]
    """Smallest and largest stored number."""
    divisor: float = 1.0
    """Stored number over quantity; a file that says another is refused."""


_INDEX = ProductLayer(-3000, (-2000, 10000), 10000)
_SPREAD = ProductLayer(-3000, (0, 10000), 10000)
_REFLECTANCE = ProductLayer(-1000, (0, 10000), 10000)
_COUNT = ProductLayer(255, (0, 36))
VEGETATION_LAYERS: dict[str, ProductLayer] = {
    "ndvi": _INDEX,
    "evi": _INDEX,
    "vi_quality": ProductLayer(65535, (0, 65534)),
    "red_reflectance": _REFLECTANCE,
    "nir_reflectance": _REFLECTANCE,
    "blue_reflectance": _REFLECTANCE,
    "mir_reflectance": _REFLECTANCE,
    "ndvi_std_dev": _SPREAD,
    "evi_std_dev": _SPREAD,
    "1km_pix_used": _COUNT,
    "1km_pix_30deg_vz": _COUNT,
    "pixel_reliability": ProductLayer(-1, (0, 4)),
    "composite_day_of_the_year": ProductLayer(-1, (1, 366)),
}
"""Layers of the MOD13 and MYD13 products by their short names."""


@dataclass(frozen=True, slots=True)
class Packing:
    """How stored numbers become quantities."""

    fill: tuple[float, ...]
    """Numbers that stand for no data."""
    valid_range: tuple[float, float] | None
    """Smallest and largest stored number that counts."""
    divisor: float
    """Stored number over quantity."""
    offset: float
    """Subtracted from the stored number, or added to the quantity."""
    offset_last: bool
    """Whether the offset is added after scaling (CF) instead of subtracted before."""

    def unpack(self, stored: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Mask, then scale.

        Parameters
        ----------
        stored : array
            Numbers as they stand in the file.

        Returns
        -------
        values : array of float32, float64 from 32-bit integers
            Quantities; NaN for fill and outside the valid range.
        """
        wide = stored.dtype.itemsize > 2 and stored.dtype != np.float32
        kind = np.float64 if wide else np.float32
        missing = np.zeros(stored.shape, dtype=bool)
        for fill in self.fill:
            missing |= stored == fill
        if self.valid_range is not None:
            missing |= (stored < self.valid_range[0]) | (stored > self.valid_range[1])
        values: npt.NDArray[Any]
        if self.offset == 0:
            values = stored.astype(kind)
            if self.divisor != 1:
                values /= kind(self.divisor)
        elif self.offset_last:
            values = (stored / self.divisor + self.offset).astype(kind)
        else:
            values = ((stored - self.offset) / self.divisor).astype(kind)
        values[missing] = np.nan
        return values


def packing_of(
    attributes: Mapping[str, Any], *, layer: str, product: str | None, dtype: str
) -> Packing:
    """Return how the numbers of a layer are stored.

    Parameters
    ----------
    attributes : mapping
        Attributes of the layer in the file.
    layer : str
        Its name in the file.
    product : str or None
        Product, for instance "MOD13C1".
    dtype : str
        NumPy name of the stored type.

    Returns
    -------
    packing : Packing
        Fill, valid range, divisor and offset.

    Raises
    ------
    FileFormatError
        If the scale is no positive number, or not the one of the product.

    Notes
    -----
    A ``scale_factor`` above 1 divides, one below 1 multiplies; the offset is subtracted
    first, as the HDF4 library defines it [1]_. Surface temperature products add it
    last and say so in an attribute of the layer.

    References
    ----------
    .. [1] The HDF Group: HDF User's Guide, SDgetcal, "y = cal * (y' - cal_offset)".
    """
    name = short_name(layer)
    is_vegetation = bool(_VEGETATION_INDEX.match(product or "MOD13"))
    is_vegetation &= "int" in dtype
    known = VEGETATION_LAYERS.get(name) if is_vegetation else None
    given = _number(attributes.get("scale_factor"))
    divisor = known.divisor if known and given is None else _divisor(given)
    if re.match(r"range(_|$)", name) and given is not None:
        # The slant range of MOD09 counts in steps of 25 m: this one multiplies.
        divisor = 1 / given
    if known and known.divisor > 1 and abs(divisor / known.divisor - 1) > 1e-6:
        message = (
            f"its scale_factor is {given:g}, but {product or 'the product'} stores "
            f"{known.divisor:g} times the quantity. The file is not what its name says "
            "or was changed; download it again."
        )
        raise FileFormatError(message)
    fill = [_number(attributes.get("_FillValue")), known.fill if known else None]
    texts = [text for text in attributes.values() if isinstance(text, str)]
    return Packing(
        fill=tuple({value for value in fill if value is not None}),
        valid_range=_valid_range(attributes, dtype)
        or (known.valid_range if known else None),
        divisor=divisor,
        offset=_number(attributes.get("add_offset")) or 0.0,
        offset_last=bool(_SURFACE_TEMPERATURE.match(product or ""))
        or any(_OFFSET_LAST.search(text) for text in texts),
    )


def check_cell_size(resolution: tuple[float, float], *, product: str | None) -> None:
    """Raise if cells are not of the size that a vegetation-index product has.

    Parameters
    ----------
    resolution : tuple of float
        Width and height of a cell, in degrees or metres.
    product : str or None
        Product; others than MOD13 and MYD13 are not checked.

    Raises
    ------
    FileFormatError
        If the size is another: the corners or the number of cells are wrong.
    """
    if not product or not _VEGETATION_INDEX.match(product):
        return
    expected = _DEGREE_CELLS.get(product[5:], _METRE_CELLS.get(product[5:]))
    if expected and any(abs(side / expected - 1) > 1e-3 for side in resolution):
        message = (
            f"its cells are {resolution[0]:.9g} x {resolution[1]:.9g}, but those of "
            f"{product} are {expected:g}. Corners or size in StructMetadata are wrong; "
            "download the file again."
        )
        raise FileFormatError(message)


def _divisor(scale: float | None) -> float:
    """Turn either convention of scale_factor into a divisor."""
    if scale is None:
        return 1.0
    if not 0 < scale < np.inf:
        message = f"its scale_factor is {scale:g}; it must be a positive number."
        raise FileFormatError(message)
    if scale >= 1:
        return scale
    # 0.0001 kept in 32 bits is 9.99999974e-05: the whole number is meant.
    nearest = round(1 / scale)
    return float(nearest) if abs(scale * nearest - 1) < 1e-6 else 1 / scale


def _number(value: object) -> float | None:
    """Return an attribute as a number, None where it holds none."""
    if isinstance(value, list | tuple):
        value = value[0] if len(value) == 1 else None
    if not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _valid_range(
    attributes: Mapping[str, Any], dtype: str
) -> tuple[float, float] | None:
    """Return the valid range of stored numbers, None where none is given."""
    found = attributes.get("valid_range")
    if isinstance(found, str):
        numbers = re.findall(r"[-+]?\d+(?:\.\d+)?", found)
        # Some products keep the two bounds as two characters.
        found = numbers if len(numbers) == 2 else [ord(letter) for letter in found]
    if found is None:
        found = [attributes.get("valid_min"), attributes.get("valid_max")]
    pair = [_number(value) for value in found] if isinstance(found, list) else []
    if len(pair) != 2 or pair[0] is None or pair[1] is None:
        return None
    low, high = pair[0], pair[1]
    if low > high and dtype.startswith("uint"):
        # Bounds of unsigned numbers that were kept as signed ones.
        high += float(2 ** (8 * np.dtype(dtype).itemsize))
    return (low, high) if low <= high else None
