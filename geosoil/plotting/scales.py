"""Colour scales of maps: which colours, limits and words each kind of raster gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.colors import Colormap, ListedColormap, Normalize, to_hex

from geosoil.errors import InputError
from geosoil.plotting.style import MISSING

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MapKind:
    """How a kind of raster is coloured and named."""

    palette: str
    """Name of a scientific colour map (Crameri 2018), ``_r`` for the reverse."""
    label: str
    """Words and unit for the colour bar."""
    limits: tuple[float, float] | None = None
    """Smallest and largest value of the scale; None takes them from the data."""
    centre: float | None = None
    """Value that gets the middle colour, where the data set the limits."""
    from_zero: bool = False
    """Whether a scale set by the data starts at zero."""
    bounds: tuple[float, float] = (-np.inf, np.inf)
    """Values that a scale set by the data never leaves."""
    least_span: float = 0.0
    """Smallest width of a scale set by the data."""


KINDS: dict[str, MapKind] = {
    "fraction": MapKind(
        "batlow", "source fraction [1]", bounds=(0.0, 1.0), least_span=0.2
    ),
    "correlation": MapKind("vik", "correlation coefficient r [1]", (-1.0, 1.0), 0.0),
    "sd": MapKind("lajolla_r", "standard deviation [1]", from_zero=True),
    "ndvi": MapKind("bamako_r", "NDVI [1]", (0.0, 1.0)),
    "elevation": MapKind("batlow", "elevation [m]"),
    "soil_moisture": MapKind("davos_r", "soil moisture [m³ m⁻³]"),
    "air_temperature": MapKind("vik", "air temperature [°C]", centre=0.0),
    "ground_temperature": MapKind("vik", "ground temperature [°C]", centre=0.0),
    "precipitation": MapKind("devon_r", "precipitation [mm]", from_zero=True),
    "evapotranspiration": MapKind("acton_r", "evapotranspiration [mm]"),
    "p_value": MapKind("batlow", "p value [1]", (0.0, 1.0)),
    "n": MapKind("batlow", "number of pairs [1]", from_zero=True),
}
"""Kinds of rasters that have a scale of their own."""


def map_kind(kind: str | MapKind) -> MapKind:
    """Return the scale of a kind of raster.

    Parameters
    ----------
    kind : str or MapKind
        A name in :data:`KINDS`, or a scale of your own.

    Returns
    -------
    scale : MapKind
        Colours, limits and words.

    Raises
    ------
    InputError
        If the name is unknown.

    Examples
    --------
    >>> map_kind("correlation").palette
    'vik'
    """
    if isinstance(kind, MapKind):
        return kind
    try:
        return KINDS[kind]
    except KeyError:
        message = (
            f"Unknown kind of map '{kind}'. Known kinds: {', '.join(KINDS)}. Give "
            "a MapKind for a scale of your own."
        )
        raise InputError(message) from None


@cache
def colour_map(palette: str) -> Colormap:
    """Return a scientific colour map, with light grey for missing cells.

    The table of colours is read from the package cmcrameri without importing it,
    because its import starts pyplot.

    Parameters
    ----------
    palette : str
        Name such as "batlow", "vik" or "lajolla_r".

    Returns
    -------
    colours : matplotlib.colors.Colormap
        Colours of 256 steps.

    Raises
    ------
    InputError
        If there is no colour map of that name.

    References
    ----------
    Crameri, F. (2018), Scientific colour maps, Zenodo, doi:10.5281/zenodo.1243862.

    Examples
    --------
    >>> colour_map("batlow").N
    256
    """
    name = palette.removesuffix("_r")
    spec = find_spec("cmcrameri")
    folders = (spec.submodule_search_locations if spec else None) or []
    files = [Path(folder) / "cmaps" / f"{name}.txt" for folder in folders]
    found = next((file for file in files if file.is_file()), None)
    if found is None:
        message = (
            f"Unknown colour map '{palette}'. Give the name of one of Crameri's maps "
            "such as batlow, vik or lajolla."
        )
        raise InputError(message)
    table = np.loadtxt(found)
    ordered = table[::-1] if palette.endswith("_r") else table
    colours = ListedColormap(ordered.tolist(), name=palette)
    return colours.with_extremes(bad=MISSING)


def class_hues() -> list[str]:
    """Return colours for classes, those that are told apart best first.

    Returns
    -------
    hues : list of str
        100 colours as #rrggbb.

    References
    ----------
    Crameri, F. (2018), Scientific colour maps, Zenodo, doi:10.5281/zenodo.1243862.

    Examples
    --------
    >>> hues = class_hues()
    >>> len(hues), hues[0]
    (100, '#011959')
    """
    table = colour_map("batlowS")
    return [to_hex(table(order)) for order in range(table.N)]


def colour_limits(
    arrays: Sequence[npt.ArrayLike], kind: str | MapKind
) -> tuple[float, float]:
    """Return the limits of the colour scale that several rasters share.

    Parameters
    ----------
    arrays : sequence of array
        Values of every panel; NaN is passed over.
    kind : str or MapKind
        Kind of raster.

    Returns
    -------
    limits : tuple = (smallest, largest)
        The kind's own limits, else round numbers that hold the 1 % to 99 % range of
        the data; symmetric about the centre where the kind has one.

    Examples
    --------
    >>> colour_limits([[0.02, 0.07], [0.13, float("nan")]], "sd")
    (0.0, 0.13)
    >>> colour_limits([[-3.0, 8.0]], "air_temperature")
    (-8.0, 8.0)
    """
    scale = map_kind(kind)
    if scale.limits is not None:
        return scale.limits
    flat = np.concatenate(
        [np.ravel(np.asarray(array, dtype=float)) for array in arrays]
    )
    finite = flat[np.isfinite(flat)]
    if finite.size == 0:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(finite, [1.0, 99.0]))
    if scale.centre is not None:
        reach = max(abs(high - scale.centre), abs(low - scale.centre))
        low, high = scale.centre - reach, scale.centre + reach
    elif scale.from_zero and low >= 0.0:
        low, high = 0.0, high if high > 0.0 else 1.0
    if high - low < scale.least_span:
        slack = (scale.least_span - high + low) / 2.0
        low, high = low - slack, high + slack
    low, high = _round_outward(low, high)
    return max(low, scale.bounds[0]), min(high, scale.bounds[1])


def _round_outward(low: float, high: float) -> tuple[float, float]:
    """Move two limits outward to whole multiples of a round step."""
    size = max(abs(low), abs(high))
    if high - low <= 1e-9 * max(size, 1.0):
        margin = max(0.05 * size, 1e-6) if size > 1e-9 else 0.5
        low, high = low - margin, high + margin
    step = round_step((high - low) / 10.0)
    decimals = 6 - int(np.floor(np.log10(step)))
    first = np.floor(low / step + 1e-9) * step
    last = np.ceil(high / step - 1e-9) * step
    return round(float(first), decimals), round(float(last), decimals)


def round_step(size: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that is not above a size.

    Parameters
    ----------
    size : float
        A positive number.

    Returns
    -------
    step : float
        A round number.

    Examples
    --------
    >>> round_step(287.0), round_step(0.05)
    (200.0, 0.05)
    """
    power = 10.0 ** np.floor(np.log10(size) + 1e-9)
    factors = [
        factor for factor in (1.0, 2.0, 5.0) if factor * power <= size * (1 + 1e-9)
    ]
    return float(max(factors, default=1.0) * power)


def colour_stops(
    kind: str | MapKind, limits: tuple[float, float], *, n_stops: int = 11
) -> list[tuple[float, str]]:
    """Return a colour scale as (value, colour) for the styles of other programs.

    Parameters
    ----------
    kind : str or MapKind
        Kind of raster.
    limits : tuple = (smallest, largest)
        Ends of the scale, see :func:`colour_limits`.
    n_stops : int
        Number of stops, 2 or more.

    Returns
    -------
    stops : list of (float, str)
        Value and colour as #rrggbb, evenly spaced.

    Raises
    ------
    InputError
        If fewer than two stops are asked for.

    Examples
    --------
    >>> colour_stops("correlation", (-1.0, 1.0), n_stops=3)[0]
    (-1.0, '#001261')
    """
    if n_stops < 2:
        message = f"Invalid number of colour stops {n_stops}. Give 2 or more."
        raise InputError(message)
    colours = colour_map(map_kind(kind).palette)
    values = np.linspace(limits[0], limits[1], n_stops)
    share = np.asarray(Normalize(*limits)(values), dtype=float)
    return [
        (float(value), to_hex(colours(float(place))))
        for value, place in zip(values, share, strict=True)
    ]
