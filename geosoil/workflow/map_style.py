"""Guess from what a raster says of itself how it is drawn; hear the user first."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from geosoil.errors import InputError
from geosoil.plotting.correlation_captions import in_words
from geosoil.plotting.scales import KINDS, MapKind
from geosoil.plotting.style import PERMIL

CLASSES, DIFFERENCE, PLAIN = "classes", "difference", "plain"

STYLES: tuple[str, ...] = (*KINDS, DIFFERENCE, CLASSES, PLAIN)
"""Names of ``--style``."""

_STATISTICS: tuple[tuple[str, str], ...] = (
    ("sd", r"^sd$|_sd$|\bsd of\b|standard (deviation|error)"),
    ("p_value", r"^(two-sided )?[pq][_ ]values?(\b|_)|_[pq]_value$"),
    ("n", r"^(window_)?n$|^n_effective$|^n(_effective)? of |number of (pairs|data)"),
    (
        "correlation",
        r"^(window_)?r$|_r$|^r of |^rho$|^r_(lower|upper)$|\bcorrelation\b",
    ),
    (
        DIFFERENCE,
        r"\b(difference|anomal(y|ies)|trend|change|bias)\b|\bslope of y on x\b",
    ),
    ("fraction", r"^fraction|\bfraction of\b|\bshare of\b"),
)
"""What a statistic is called wherever it stands: its words name a quantity too."""

_BEGIN = r"^(estimate of |true |(monthly |daily |annual )?(mean |median |maximum )?)"
_QUANTITIES: tuple[tuple[str, str], ...] = (
    ("ndvi", r"ndvi|normali[sz]ed[_ ]difference[_ ]vegetation[_ ]index"),
    ("elevation", r"elevation|dem\b|dem_|surface_altitude|altitude"),
    ("soil_moisture", r"soil[_ ]moisture|volumetric soil|swvl"),
    ("air_temperature", r"air[_ ]temperature|2 m(etre)? temperature|t2m$"),
    ("ground_temperature", r"ground[_ ]temperature"),
    ("precipitation", r"precipitation|rainfall"),
    ("evapotranspiration", r"evapotranspiration"),
)
"""What a quantity is called at the beginning of its words."""

_RANGES = {
    "fraction": (0.0, 1.0),
    "correlation": (-1.0, 1.0),
    "p_value": (0.0, 1.0),
    "ndvi": (-1.0, 1.0),
    "soil_moisture": (0.0, 1.0),
    "elevation": (-12_000.0, 9000.0),
    "air_temperature": (-100.0, 80.0),
    "ground_temperature": (-100.0, 80.0),
}
"""Values that a guess must fit: in percent or in kelvin it is plain."""

_UNITS = {
    "degC": "°C",
    "permil": PERMIL,
    "degree": "°",
    "degrees": "°",
}

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Described:
    """What a raster says of itself."""

    name: str
    """Short name; the file's stem where it has none."""
    description: str
    """Words of the band; "" where it has none."""
    standard_name: str = ""
    """CF standard name."""
    units: str = ""
    """Unit; "" where unknown."""


def check_style(style: str | None) -> list[InputError]:
    """Say that a style is not known, with the nearest names.

    Parameters
    ----------
    style : str or None
        What the user asked for; None for a guess.

    Returns
    -------
    faults : list of InputError
        Empty where the style is known.

    Examples
    --------
    >>> check_style("corelation")[0].args[0][:51]
    "Unknown --style 'corelation'; nearest: correlation,"
    """
    if style is None or style in STYLES:
        return []
    near = difflib.get_close_matches(style.lower(), STYLES, 3, 0.5)
    hint = f"; nearest: {', '.join(near)}" if near else ""
    message = f"Unknown --style '{style}'{hint}. Known: {', '.join(STYLES)}."
    return [InputError(message)]


def guess_style(described: Described, values: xr.DataArray) -> str:
    """Guess the style of a raster of a quantity.

    Parameters
    ----------
    described : Described
        Its names, words and unit.
    values : DataArray
        Its values, NaN where missing.

    Returns
    -------
    style : str
        A name in :data:`STYLES`; "plain" where nothing fits.

    Notes
    -----
    A statistic (standard deviation, r, p, n, difference, fraction) is found first,
    for "fraction of precipitation" is no precipitation; then a quantity at the
    beginning of the name, the standard name or the words. A guess whose range the
    values leave is given up.

    Examples
    --------
    >>> ice = xr.DataArray([0.2, 0.4])
    >>> guess_style(Described("precipitation", "fraction of precipitation"), ice)
    'fraction'
    >>> guess_style(Described("t2m", "air temperature", units="K"), ice + 280)
    'plain'
    """
    own = [described.name, described.standard_name, described.description]
    texts = [text.strip().lower() for text in own if text]
    statistics = [
        style
        for style, pattern in _STATISTICS
        for text in texts
        if re.search(pattern, text)
    ]
    quantities = [
        style
        for text in texts
        for style, pattern in _QUANTITIES
        if re.match(f"{_BEGIN}({pattern})", text)
    ]
    guess = next(iter(statistics + quantities), PLAIN)
    low, high = _RANGES.get(guess, (-np.inf, np.inf))
    slack = 1e-3 * (high - low) if np.isfinite(high - low) else 0.0
    fits = float(values.min()) >= low - slack and float(values.max()) <= high + slack
    return guess if fits else PLAIN


def scale_of(style: str, described: Described) -> MapKind:
    """Return the colours and words of a style for a raster.

    Parameters
    ----------
    style : str
        A name in :data:`STYLES` other than "classes".
    described : Described
        The raster; its unit goes before the usual one of the style.

    Returns
    -------
    scale : MapKind
        Colours, limits and words of the colour bar.

    Examples
    --------
    >>> scale_of("sd", Described("t_sd", "", units="degC")).label
    'standard deviation [°C]'
    >>> scale_of("plain", Described("soil_temperature", "")).label
    'soil temperature'
    """
    name = in_words(described.name)
    if style == PLAIN:
        return MapKind("batlow", _with_unit(name, described.units))
    if style == DIFFERENCE:
        return MapKind("vik", _with_unit(name, described.units), centre=0.0)
    scale = KINDS[style]
    words, _, usual = scale.label.removesuffix("]").partition(" [")
    if described.name.endswith("q_value"):
        words = words.replace("p value", "q value")
    elif described.name.endswith("n_effective"):
        words = "effective number of pairs"
    elif style == "fraction" and "share of" in described.description.lower():
        words = name
    unit = described.units or ("" if style == "sd" else usual)
    return replace(scale, label=_with_unit(words, unit))


def unit_words(units: str) -> str:
    """Write a unit as readers know it.

    Parameters
    ----------
    units : str
        Unit as files state it.

    Returns
    -------
    words : str
        The unit; "" for a pure number.

    Examples
    --------
    >>> unit_words("m3 m-3"), unit_words("(m) / (degC)"), unit_words("1")
    ('m³ m⁻³', '(m) / (°C)', '')
    """
    if units == "1":
        return ""
    named = re.sub(r"[A-Za-z]+", lambda found: _UNITS.get(found[0], found[0]), units)
    return re.sub(
        r"(?<=[A-Za-z])-?\d+\b", lambda found: found[0].translate(_RAISED), named
    )


def _with_unit(words: str, units: str) -> str:
    """Write a unit behind the words of a colour bar."""
    return f"{words} [{unit_words(units) or units}]" if units else words
