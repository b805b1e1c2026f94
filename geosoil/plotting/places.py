"""Named places on maps, such as stations: marks, and names that have room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from geosoil.plotting.projection import map_projection, panel_width
from geosoil.plotting.style import INK, SMALL

_HALO = [withStroke(linewidth=1.6, foreground="white")]
_LETTER, _LINE, _OFF = 0.054, 0.11, 0.05
"""Width of a letter, height of a line, and distance from the mark [inch]."""

_SIZES = {"*": 8.0}
"""Sizes of markers that look small [pt]."""

_SIDES = (
    ("left", "center", 1.0, 0.0),
    ("right", "center", -1.0, 0.0),
    ("center", "bottom", 0.0, 1.0),
    ("center", "top", 0.0, -1.0),
)
"""Where a name may stand, the best first: alignments, and the way from the mark."""

_Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Places of one kind."""

    points: gpd.GeoDataFrame
    """Points, CRS set; a column ``name`` gives their names."""
    label: str
    """Words for the legend."""
    marker: str = "^"
    """Matplotlib marker."""
    colour: str = INK
    """Colour as #rrggbb."""


def draw_places(axes: Axes, places: Sequence[Places], *, named: int = 12) -> Axes:
    """Draw places on a map panel, with their names where these are few.

    Parameters
    ----------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The panel, its extent set.
    places : sequence of Places
        Kinds of places.
    named : int
        Most places whose names are written; 0 writes none. A name that has no room
        beside its mark is left out.

    Returns
    -------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The same panel.

    Examples
    --------
    >>> import cartopy.crs, shapely
    >>> from matplotlib.figure import Figure
    >>> panel = Figure().add_subplot(projection=cartopy.crs.PlateCarree())
    >>> panel.set_extent((90, 102, 31, 37), crs=cartopy.crs.PlateCarree())
    >>> where = {"name": ["Maduo"], "geometry": [shapely.Point(98.2, 34.9)]}
    >>> stations = Places(gpd.GeoDataFrame(where, crs="EPSG:4326"), "stations")
    >>> [text.get_text() for text in draw_places(panel, [stations]).texts]
    ['Maduo']
    """
    projection = map_projection(axes)
    found: list[tuple[float, float, str]] = []
    for kind in places:
        points = kind.points.geometry.to_crs(projection)
        x, y = points.x.to_numpy(), points.y.to_numpy()
        axes.plot(x, y, zorder=4, scalex=False, scaley=False, **_look(kind))
        names = kind.points.get("name", [""] * len(x))
        found += [
            (float(one), float(other), str(name))
            for one, other, name in zip(x, y, names, strict=True)
        ]
    if len(found) <= named:
        _write_names(axes, found)
    return axes


def _look(kind: Places) -> dict[str, Any]:
    """Return how places of a kind are marked."""
    return {
        "linestyle": "none",
        "marker": kind.marker,
        "markersize": _SIZES.get(kind.marker, 5.0),
        "markerfacecolor": kind.colour,
        "markeredgecolor": "white",
        "markeredgewidth": 0.5,
        "label": kind.label,
    }


def _write_names(axes: Axes, found: Sequence[tuple[float, float, str]]) -> None:
    """Write names beside their marks, each clear of marks and other names."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    unit = (right - left) / panel_width(axes)
    taken = [_around(x, y, 0.04 * unit) for x, y, _ in found]
    for order, (x, y, name) in enumerate(found):
        if not (left < x < right and bottom < y < top) or not name:
            continue
        others = [box for place, box in enumerate(taken) if place != order]
        for across, along, east, north in _SIDES:
            anchor = (x + east * _OFF * unit, y + north * _OFF * unit)
            size = (_LETTER * len(name) * unit, _LINE * unit)
            box = _box(anchor, size, (east, north))
            inside = left < box[0] and box[1] < right
            inside &= bottom < box[2] and box[3] < top
            if inside and not any(_touch(box, other) for other in others):
                axes.text(
                    *anchor, name, ha=across, va=along, fontsize=SMALL, color=INK,
                    path_effects=_HALO, zorder=5,
                )  # fmt: skip
                taken.append(box)
                break


def _around(x: float, y: float, reach: float) -> _Box:
    """Return the box around a mark as (left, right, bottom, top)."""
    return x - reach, x + reach, y - reach, y + reach


def _box(
    anchor: tuple[float, float], size: tuple[float, float], way: tuple[float, float]
) -> _Box:
    """Return the box of a name from where it is anchored and which way it goes."""
    x = anchor[0] + size[0] * (way[0] - 1.0) / 2.0
    y = anchor[1] + size[1] * (way[1] - 1.0) / 2.0
    return x, x + size[0], y, y + size[1]


def _touch(one: _Box, other: _Box) -> bool:
    """Say whether two boxes share ground."""
    across = min(one[1], other[1]) - max(one[0], other[0])
    along = min(one[3], other[3]) - max(one[2], other[2])
    return across > 0 and along > 0


def places_in_frame(axes: Axes, places: Sequence[Places]) -> list[Places]:
    """Return the kinds of places of which a panel shows any.

    Parameters
    ----------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The panel, its extent set.
    places : sequence of Places
        Kinds of places.

    Returns
    -------
    shown : list of Places
        Those with a point inside.

    Examples
    --------
    >>> import cartopy.crs
    >>> from matplotlib.figure import Figure
    >>> places_in_frame(Figure().add_subplot(projection=cartopy.crs.Mercator()), [])
    []
    """
    shown = []
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    for kind in places:
        points = kind.points.geometry.to_crs(map_projection(axes))
        if not points.cx[left:right, bottom:top].empty:
            shown.append(kind)
    return shown


def place_handles(places: Sequence[Places]) -> list[Artist]:
    """Return the legend entries of kinds of places.

    Parameters
    ----------
    places : sequence of Places
        Kinds of places.

    Returns
    -------
    handles : list of Artist
        Labelled marks.

    Examples
    --------
    >>> place_handles([])
    []
    """
    return [Line2D([], [], **_look(kind)) for kind in places]
