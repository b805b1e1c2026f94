"""Colours, markers and words of strata: the same in every diagram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.colors import to_hex, to_rgb

from geosoil.plotting.scales import colour_map
from geosoil.plotting.style import DASH, WATER_STYLES
from geosoil.strata import OUTSIDE

ALL = "all"
"""Name of the stratum of every sample."""

_UNITS = {"elevation_band": " m", "elevation": " m", "soil_layer": " cm"}
_WORDS = {
    ALL: "all samples",
    "elevation_band": "elevation",
    "soil_layer": "soil layer",
}
_COLOURS = {
    ALL: WATER_STYLES["soil"].colour,
    "grassland": "#999933",
    "meadow": "#117733",
    "forest": "#332288",
    "scrub": "#882255",
    "desert": "#ddcc77",
    "N": "#332288",
    "E": "#44aa99",
    "S": "#aa4466",
    "W": "#ddaa33",
    "flat": "#222222",
}
"""Colours of known strata (Tol 2021, muted), other than those of the waters."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""Markers of strata, in their order."""

_OUTER = "#999999"


class StratumLook(NamedTuple):
    """How a stratum is drawn."""

    marker: str
    """Matplotlib marker."""
    colour: str
    """Colour as #rrggbb."""


def stratum_looks(strata: Sequence[str]) -> dict[str, StratumLook]:
    """Return marker and colour of each stratum of one kind.

    Parameters
    ----------
    strata : sequence of str
        Strata in their order; what lies outside of every class is grey.

    Returns
    -------
    looks : dict of str to StratumLook
        One a stratum.

    Examples
    --------
    >>> stratum_looks(["meadow", "outside"])["meadow"]
    StratumLook(marker='o', colour='#117733')
    """
    kept = [name for name in strata if name != OUTSIDE]
    colours = dict(zip(kept, group_colours(kept), strict=True)) | {OUTSIDE: _OUTER}
    return {
        name: StratumLook(MARKERS[place % len(MARKERS)], colours[name])
        for place, name in enumerate(strata)
    }


def kind_words(by: str) -> str:
    """Write a kind of stratum for people.

    Parameters
    ----------
    by : str
        Kind of stratum, a column.

    Returns
    -------
    words : str
        Such as "soil layer".

    Examples
    --------
    >>> kind_words("elevation_band")
    'elevation'
    """
    return _WORDS.get(by, by.replace("_", " "))


def group_colours(strata: Sequence[str]) -> list[str]:
    """Return a colour for each stratum of one kind.

    Parameters
    ----------
    strata : sequence of str
        Strata in their order.

    Returns
    -------
    colours : list of str
        Own colours of vegetation and aspect; else a scale from dark to light.

    Examples
    --------
    >>> group_colours(["meadow", "forest"])
    ['#117733', '#332288']
    """
    if all(name in _COLOURS for name in strata):
        return [_COLOURS[name] for name in strata]
    places = np.linspace(0.05, 0.82, max(len(strata), 1))
    return [to_hex(colour_map("batlow")(place)) for place in places]


def stratum_words(by: str, stratum: str) -> str:
    """Write a stratum for people.

    Parameters
    ----------
    by : str
        Kind of stratum, a column.
    stratum : str
        Its label.

    Returns
    -------
    words : str
        With a dash and a unit where the label is a range.

    Examples
    --------
    >>> stratum_words("soil_layer", "0-20") == f"0{DASH}20 cm"
    True
    """
    if by == ALL:
        return _WORDS[ALL]
    low, dash, high = stratum.partition("-")
    if dash and low.isdigit() and high.isdigit():
        return f"{low}{DASH}{high}{_UNITS.get(by, '')}"
    return stratum.replace("_", " ")


def dark(colour: str) -> str:
    """Return a colour dark enough for small letters on white.

    Parameters
    ----------
    colour : str
        Colour as #rrggbb.

    Returns
    -------
    colour : str
        The same hue, darker.

    Examples
    --------
    >>> dark("#56b4e9")
    '#357090'
    """
    red, green, blue = to_rgb(colour)
    return str(to_hex((0.62 * red, 0.62 * green, 0.62 * blue)))
