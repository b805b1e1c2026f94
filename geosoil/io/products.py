"""What is known of MODIS products: their layers, scales and cells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from geosoil.errors import FileFormatError
from geosoil.io.granule_names import short_name

_OFFSET_LAST = re.compile(r"\*\s*scale_factor\s*\+\s*add_offset", re.IGNORECASE)
_VEGETATION_INDEX = re.compile(r"M[OY]D13")
_SURFACE_TEMPERATURE = re.compile(r"M[OY]D(11|21)")
_DEGREE_CELLS = {"C1": 0.05, "C2": 0.05}
_METRE_CELLS = {"Q1": 231.656358, "A1": 463.312717, "A2": 926.625433, "A3": 926.625433}
_SCALED_UNITS = {
    "k", "kelvin", "degc", "celsius", "reflectance", "ndvi", "evi", "kg/m^2/8day",
    "kg/m^2/yr", "kg/m^2", "j/m^2/day", "w/m^2", "m^2/m^2", "kgc/m^2", "kg_c/m^2",
}  # fmt: skip
"""Units of quantities that no product stores in whole steps."""
_SINGLE = 1e-6
"""Relative difference by which 0.0001 kept in 32 bits may be off."""


@dataclass(frozen=True, slots=True)
class ProductLayer:
    """What the product page says of a layer, for files that say it wrong or not."""

    fill: float | None
    """Number that stands for no data; None where every number counts."""
    valid_range: tuple[float, float]
    """Smallest and largest stored number."""
    divisor: float = 1.0
    """Stored number over quantity; a file that says another is refused."""
    dtype: str = "int16"
    """Type of the stored numbers."""
    offset: float = 0.0
    """Added to the quantity after scaling."""
    units: str = "1"
    """Unit of the quantity."""
    quality: str | None = None
    """Layer of the product that says how good a cell is."""


_INDEX = ProductLayer(-3000, (-2000, 10000), 10000, quality="pixel_reliability")
_SPREAD = ProductLayer(-3000, (0, 10000), 10000)
_REFLECTANCE = ProductLayer(-1000, (0, 10000), 10000, quality="pixel_reliability")
_COUNT = ProductLayer(255, (0, 36), dtype="uint8")
VEGETATION_LAYERS: dict[str, ProductLayer] = {
    "ndvi": _INDEX,
    "evi": _INDEX,
    "vi_quality": ProductLayer(65535, (0, 65534), dtype="uint16"),
    "red_reflectance": _REFLECTANCE,
    "nir_reflectance": _REFLECTANCE,
    "blue_reflectance": _REFLECTANCE,
    "mir_reflectance": _REFLECTANCE,
    "ndvi_std_dev": _SPREAD,
    "evi_std_dev": _SPREAD,
    "avg_sun_zen_angle": ProductLayer(-10000, (-9000, 9000), 100, units="degree"),
    "1km_pix_used": _COUNT,
    "1km_pix_30deg_vz": _COUNT,
    "pixel_reliability": ProductLayer(-1, (0, 4), dtype="int8"),
    "composite_day_of_the_year": ProductLayer(-1, (1, 366)),
}
"""Layers of the MOD13 and MYD13 products by their short names."""

_DAY = ProductLayer(0, (7500, 65535), 50, "uint16", units="K", quality="qc_day")
_NIGHT = ProductLayer(0, (7500, 65535), 50, "uint16", units="K", quality="qc_night")
_EMISSIVITY = ProductLayer(0, (1, 255), 500, "uint8", offset=0.49)
_ET = ProductLayer(32767, (-32767, 32700), 10, units="kg m-2", quality="et_qc_500m")
# Latent heat is stored in steps of 10,000 J m-2: the attribute 10000 multiplies here.
_HEAT = ProductLayer(32767, (-32767, 32700), 1e-4, units="J m-2", quality="et_qc_500m")
_SURFACE = ProductLayer(-28672, (-100, 16000), 10000, quality="state")
_TABLE: tuple[tuple[str, str, ProductLayer], ...] = (
    (r"M[OY]D11(A|B|C)", r"lst_day_.*", _DAY),
    (r"M[OY]D11(A|B|C)", r"lst_night_.*", _NIGHT),
    (r"M[OY]D11(A|B|C)", r"emis_\d+(_.*)?", _EMISSIVITY),
    (r"M[OY]D16A2", r"p?et_500m", _ET),
    (r"M[OY]D16A2", r"p?le_500m", _HEAT),
    (r"M[OY]D09(A1|Q1|GA|GQ|CMG)", r"sur_refl_b0\d(_.*)?", _SURFACE),
    (r"MCD12Q1", r"lc_type1", ProductLayer(255, (1, 17), dtype="uint8", quality="qc")),
    (r"MCD12Q1", r"lc_type[2-5]", ProductLayer(255, (0, 17), dtype="uint8")),
    (
        r"MCD12C1",
        r"majority_land_cover_type_[1-3]",
        ProductLayer(255, (0, 17), dtype="uint8"),
    ),
)
"""Layers of other products: patterns of the product and of the short name."""


def layer_of(product: str | None, layer: str, *, dtype: str) -> ProductLayer | None:
    """Return what is known of a layer of a product.

    Parameters
    ----------
    product : str or None
        Product, for instance "MOD11A2"; None is taken for a vegetation index.
    layer : str
        Name of the layer, in the file or short.
    dtype : str
        NumPy name of its stored type; floating point is never packed.

    Returns
    -------
    known : ProductLayer or None
        Fill, valid range, scale, unit and quality layer.

    Examples
    --------
    >>> layer_of("MOD11A2", "LST_Day_1km", dtype="uint16").divisor
    50
    >>> layer_of("MOD13C1", "CMG 0.05 Deg 16 days NDVI", dtype="int16").divisor
    10000
    """
    if "int" not in dtype:
        return None
    name = short_name(layer)
    if _VEGETATION_INDEX.match(product or "MOD13"):
        return VEGETATION_LAYERS.get(name)
    for products, layers, known in _TABLE:
        if re.match(products, product or "") and re.fullmatch(layers, name):
            return known
    return None


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
        If the scale is no positive number, is not the one of the product, or is not
        known: neither the file nor the table of products gives one for a layer of
        integers with a physical unit.

    Notes
    -----
    A ``scale_factor`` above 1 divides, one below 1 multiplies; the offset is subtracted
    first, as the HDF4 library defines it [1]_. Surface temperature products add it
    last and say so in an attribute of the layer. Latent heat of MOD16 is the one
    layer known here whose factor above 1 multiplies.

    References
    ----------
    .. [1] The HDF Group: HDF User's Guide, SDgetcal, "y = cal * (y' - cal_offset)".

    Examples
    --------
    >>> packing = packing_of({"scale_factor": 10000.0}, layer="NDVI", product="MOD13C1",
    ...                      dtype="int16")
    >>> packing.divisor, packing.fill, packing.valid_range
    (10000, (-3000,), (-2000, 10000))
    """
    known = layer_of(product, layer, dtype=dtype)
    given = _number(attributes.get("scale_factor"))
    _check_scale_known(attributes, known=known, given=given, dtype=dtype)
    if known and known.divisor != 1 and dtype != known.dtype:
        message = (
            f"its numbers are {dtype}, but {product or 'the product'} stores this "
            f"layer as {known.dtype}. The file was changed; download the original."
        )
        raise FileFormatError(message)
    divisor = known.divisor if known and given is None else _divisor(given)
    if re.match(r"range(_|$)", short_name(layer)) and given is not None:
        # The slant range of MOD09 counts in steps of 25 m: this one multiplies.
        divisor = 1 / given
    if known and known.divisor != 1 and given is not None:
        if not _same_scale(given, known.divisor):
            message = (
                f"its scale_factor is {given:g}, but {product or 'the product'} stores "
                f"{known.divisor:g} times the quantity. The file is not what its name "
                "says or was changed; download it again."
            )
            raise FileFormatError(message)
        divisor = known.divisor
    fill = [_number(attributes.get("_FillValue")), known.fill if known else None]
    texts = [text for text in attributes.values() if isinstance(text, str)]
    offset = _number(attributes.get("add_offset"))
    if offset is None:
        offset = known.offset if known else 0.0
    return Packing(
        fill=tuple({value for value in fill if value is not None}),
        valid_range=_valid_range(attributes, dtype)
        or (known.valid_range if known else None),
        divisor=divisor,
        offset=offset,
        offset_last=bool(_SURFACE_TEMPERATURE.match(product or ""))
        or any(_OFFSET_LAST.search(text) for text in texts),
    )


def _check_scale_known(
    attributes: Mapping[str, Any],
    *,
    known: ProductLayer | None,
    given: float | None,
    dtype: str,
) -> None:
    """Raise if integers stand for a quantity and nothing says in which steps."""
    if known is not None or given is not None or "int" not in dtype:
        return
    units = str(attributes.get("units", "")).strip("\x00 ").lower()
    if units in _SCALED_UNITS:
        message = (
            f"its scale is unknown: the integers stand for '{units}', but the file has "
            "no scale_factor and the layer is in no table of products. Download the "
            "original file, or write the quantities as a GeoTIFF of floating point."
        )
        raise FileFormatError(message)


def _same_scale(given: float, divisor: float) -> bool:
    """Whether a scale_factor says what the product does, in either convention."""
    return any(
        abs(scale / divisor - 1) < _SINGLE
        for scale in (given, 1 / given if given else 0.0)
        if np.isfinite(scale)
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
