"""What a reader needs around a map: graticule, scale bar and north arrow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Polygon, Rectangle
from matplotlib.patheffects import withStroke
from pyproj import Geod

from geosoil.plotting.projection import (
    FloatArray,
    map_projection,
    panel_size,
    panel_width,
    transformer,
)
from geosoil.plotting.scales import round_step
from geosoil.plotting.style import INK, SMALL

Corner = Literal["lower left", "lower right", "upper left", "upper right"]
_Projector = Callable[[npt.ArrayLike, npt.ArrayLike], tuple[FloatArray, FloatArray]]

_GEOD = Geod(ellps="WGS84")
_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
_LETTER, _LINE, _OVERHANG = 0.055, 0.1, 0.09
"""Width of a letter and height of a line of labels, and how far one may reach beyond
its panel [inch]."""

_BETWEEN = {"x": 0.08, "y": 0.02}
"""Room between two labels [inch]."""

_BAR_OF_TWO, _BAR_OF_THREE = 0.35, 0.75
"""Scale bars that are longer have two and three numbers [inch]."""

_LEAST_ARROW = 0.13
"""Least height of the north arrow [inch]."""

_HALO = [withStroke(linewidth=1.8, foreground="white")]


def draw_graticule(axes: Axes, *, left: bool = True, bottom: bool = True) -> Axes:
    """Draw meridians and parallels, with upright labels on the left and below.

    Call it after the extent of the panel is set.

    Parameters
    ----------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The panel.
    left, bottom : bool
        Whether latitudes are written on the left and longitudes below.

    Returns
    -------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The same panel.

    Examples
    --------
    >>> import cartopy.crs
    >>> from matplotlib.figure import Figure
    >>> panel = Figure().add_subplot(projection=cartopy.crs.PlateCarree())
    >>> panel.set_extent((90, 102, 31, 37), crs=cartopy.crs.PlateCarree())
    >>> panel = draw_graticule(panel)
    >>> [label.get_text() for label in panel.get_yticklabels()]
    ['32°N', '33°N', '34°N', '35°N', '36°N']
    """
    west, east, south, north = geographic_bounds(axes)
    longitudes, latitudes = _lines(west, east), _lines(south, north)
    to_map = _to_map(axes)
    along_x = np.linspace(west - 1.0, east + 1.0, 200)
    along_y = np.linspace(max(south - 1.0, -89.9), min(north + 1.0, 89.9), 200)
    meridians = [to_map(np.full_like(along_y, value), along_y) for value in longitudes]
    parallels = [to_map(along_x, np.full_like(along_x, value)) for value in latitudes]
    axes.add_collection(
        LineCollection(
            [np.column_stack(line) for line in [*meridians, *parallels]],
            colors="#777777",
            linewidths=0.3,
            linestyles=(0, (4, 4)),
            zorder=1.8,
        ),
        autolim=False,
    )
    (x_low, x_high), (y_low, y_high) = axes.get_xlim(), axes.get_ylim()
    x_ticks = [float(np.interp(y_low, y, x)) for x, y in meridians]
    y_ticks = [float(np.interp(x_low, x, y)) for x, y in parallels]
    _write_ticks(axes, "x", x_ticks, [_degrees(v, "EW") for v in longitudes], bottom)
    _write_ticks(axes, "y", y_ticks, [_degrees(v, "NS") for v in latitudes], left)
    axes.set_xlim(x_low, x_high)
    axes.set_ylim(y_low, y_high)
    return axes


def geographic_bounds(axes: Axes) -> tuple[float, float, float, float]:
    """Return the longitudes and latitudes that a map panel spans.

    Parameters
    ----------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The panel.

    Returns
    -------
    bounds : tuple = (W, E, S, N)
        Smallest and largest longitude and latitude on its frame [degree].

    Examples
    --------
    >>> import cartopy.crs
    >>> from matplotlib.figure import Figure
    >>> panel = Figure().add_subplot(projection=cartopy.crs.PlateCarree())
    >>> panel.set_extent((90, 102, 31, 37), crs=cartopy.crs.PlateCarree())
    >>> [round(value) for value in geographic_bounds(panel)]
    [90, 102, 31, 37]
    """
    (x_low, x_high), (y_low, y_high) = axes.get_xlim(), axes.get_ylim()
    share = np.linspace(0.0, 1.0, 50)
    x = x_low + (x_high - x_low) * np.r_[share, share, 0 * share, 0 * share + 1]
    y = y_low + (y_high - y_low) * np.r_[0 * share, 0 * share + 1, share, share]
    degrees = transformer(map_projection(axes), "EPSG:4326")
    longitude, latitude = degrees.transform(x, y)
    return (
        float(np.min(longitude)),
        float(np.max(longitude)),
        float(np.min(latitude)),
        float(np.max(latitude)),
    )


def _lines(low: float, high: float) -> FloatArray:
    """Return the round degrees between two ends, about three to six of them."""
    step = next((s for s in _STEPS if (high - low) / s <= 7.5), _STEPS[-1])
    first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    return np.round(np.arange(first, last + 1) * step, 6)


def _to_map(axes: Axes) -> _Projector:
    """Return the function from degrees to map coordinates of a panel."""
    to_plane = transformer("EPSG:4326", map_projection(axes))

    def project(
        longitude: npt.ArrayLike, latitude: npt.ArrayLike
    ) -> tuple[FloatArray, FloatArray]:
        x, y = to_plane.transform(longitude, latitude)
        return np.asarray(x, dtype=float), np.asarray(y, dtype=float)

    return project


def _degrees(value: float, letters: str) -> str:
    """Write degrees with the letter of their hemisphere."""
    letter = "" if value == 0 else letters[0] if value > 0 else letters[1]
    return f"{abs(value):g}°{letter}"


def _write_ticks(
    axes: Axes,
    which: Literal["x", "y"],
    places: list[float],
    labels: list[str],
    show: bool,
) -> None:
    """Set upright tick labels at the places that lie on the frame."""
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    margin = 0.01 * (high - low)
    found = [
        (place, label)
        for place, label in zip(places, labels, strict=True)
        if low + margin <= place <= high - margin
    ]
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_visible(True)
    written = _uncrowded(axes, which, found) if show else []
    axis.set_ticks([place for place, _ in written])
    if show:
        axis.set_ticklabels([word for _, word in written], rotation=0, fontsize=SMALL)


def _uncrowded(
    axes: Axes, which: Literal["x", "y"], found: list[tuple[float, str]]
) -> list[tuple[float, str]]:
    """Leave out labels that lie over one another or reach far beyond the panel."""
    (x_low, x_high), (y_low, y_high) = axes.get_xlim(), axes.get_ylim()
    wide, tall = panel_size(axes)
    low, high = (x_low, x_high) if which == "x" else (y_low, y_high)
    unit = (high - low) / (wide if which == "x" else tall)
    widest = max((len(label) for _, label in found), default=0)
    size = _LETTER * widest if which == "x" else _LINE
    reach = (size / 2 - _OVERHANG) * unit
    inside = [one for one in found if low <= one[0] - reach and one[0] + reach <= high]
    apart = np.diff([place for place, _ in inside])
    closest = float(np.min(np.abs(apart))) / unit if apart.size else np.inf
    return inside[:: int(np.ceil((size + _BETWEEN[which]) / closest)) or 1]


def emptiest_corner(
    axes: Axes, points: FloatArray, *, among: Sequence[Corner]
) -> Corner:
    """Return the corner of a panel that holds the fewest points.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel, its extent set.
    points : array, shape (n, 2)
        Points in map coordinates, for instance cells with a value.
    among : sequence of str
        Corners to choose from; the first wins a tie.

    Returns
    -------
    corner : str
        Such as "lower left".

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> panel = Figure().subplots()
    >>> emptiest_corner(
    ...     panel, np.array([[0.1, 0.1]]), among=("lower left", "lower right")
    ... )
    'lower right'
    """
    (x_low, x_high), (y_low, y_high) = axes.get_xlim(), axes.get_ylim()
    x = (points[:, 0] - x_low) / (x_high - x_low)
    y = (points[:, 1] - y_low) / (y_high - y_low)

    def crowd(corner: Corner) -> int:
        across = x < 0.2 if corner.endswith("left") else x > 0.8
        along = y < 0.25 if corner.startswith("lower") else y > 0.75
        return int(np.count_nonzero(across & along))

    return min(among, key=crowd)


def draw_scale_bar(
    axes: Axes, *, corner: Corner = "lower left", length: float | None = None
) -> Axes:
    """Draw a bar of a round length, true along the ellipsoid where it lies.

    Parameters
    ----------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The panel, its extent set.
    corner : str
        Corner for the bar.
    length : float, optional
        Length [km]; by default a round length near a quarter of the panel.

    Returns
    -------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The same panel.

    References
    ----------
    Karney, C. F. F. (2013), Algorithms for geodesics, J. Geodesy 87,
    doi:10.1007/s00190-012-0578-z.

    Examples
    --------
    >>> import cartopy.crs
    >>> from matplotlib.figure import Figure
    >>> panel = Figure().add_subplot(projection=cartopy.crs.PlateCarree())
    >>> panel.set_extent((90, 102, 31, 37), crs=cartopy.crs.PlateCarree())
    >>> [text.get_text() for text in draw_scale_bar(panel).texts]
    ['0', '100', '200 km']
    """
    (x_low, x_high), (y_low, y_high) = axes.get_xlim(), axes.get_ylim()
    width, height = x_high - x_low, y_high - y_low
    upper, right = corner.startswith("upper"), corner.endswith("right")
    y = y_low + height * (0.88 if upper else 0.05)
    start, sign = (x_high - 0.07 * width, -1) if right else (x_low + 0.04 * width, 1)
    if length is None:
        length = round_step(_geodesic(axes, start, start + sign * 0.25 * width, y))
    reach = _reach(axes, start, y, length, sign)
    left = start + min(reach, 0.0)
    half, thick = abs(reach) / 2.0, 0.014 * height
    for order, fill in enumerate((INK, "white")):
        piece = Rectangle(
            (left + order * half, y),
            half,
            thick,
            facecolor=fill,
            edgecolor=INK,
            linewidth=0.6,
            zorder=5,
            gid="scale bar",
        )
        axes.add_patch(piece)
    inches = 2.0 * half / width * panel_width(axes)
    whole = f"{length:g} km"
    middle = f"{length / 2:g}" if inches > _BAR_OF_THREE else ""
    texts = ("0", middle, whole) if inches > _BAR_OF_TWO else ("", whole)
    for order, text in enumerate(texts):
        place = _kept_inside(axes, left + order * half, text)
        _write(axes, (place, y + thick + 0.015 * height), text)
    return axes


def _kept_inside(axes: Axes, x: float, text: str) -> float:
    """Return where a text stands whole in a panel, near a place."""
    low, high = axes.get_xlim()
    reach = (_LETTER * len(text) / 2.0 + 0.03) * (high - low) / panel_width(axes)
    return min(max(x, low + reach), high - reach)


def _write(
    axes: Axes, place: tuple[float, float], text: str, *, bold: bool = False
) -> None:
    """Write small text that stays readable over any colours."""
    axes.text(
        *place,
        text,
        ha="center",
        va="bottom",
        fontsize=SMALL,
        fontweight="bold" if bold else "normal",
        color=INK,
        path_effects=_HALO,
        zorder=5,
    )


def _geodesic(axes: Axes, start: float, end: float, y: float) -> float:
    """Return the distance on the ellipsoid between two places of one row [km]."""
    degrees = transformer(map_projection(axes), "EPSG:4326")
    longitude, latitude = degrees.transform([start, end], [y, y])
    return float(_GEOD.line_length(longitude, latitude)) / 1000.0


def _reach(axes: Axes, start: float, y: float, length: float, sign: int) -> float:
    """Return the signed map length of a bar of a true length [km]."""
    (x_low, x_high) = axes.get_xlim()
    reach = sign * 0.25 * (x_high - x_low)
    for _ in range(8):
        reach *= length / _geodesic(axes, start, start + reach, y)
    return reach


def draw_north_arrow(axes: Axes, *, corner: Corner = "upper right") -> Axes:
    """Draw an arrow that points to true north at the place where it stands.

    Parameters
    ----------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The panel, its extent set.
    corner : str
        Corner for the arrow.

    Returns
    -------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The same panel.

    Examples
    --------
    >>> import cartopy.crs
    >>> from matplotlib.figure import Figure
    >>> panel = Figure().add_subplot(projection=cartopy.crs.PlateCarree())
    >>> panel.set_extent((90, 102, 31, 37), crs=cartopy.crs.PlateCarree())
    >>> draw_north_arrow(panel).texts[0].get_text()
    'N'
    """
    (x_low, x_high), (y_low, y_high) = axes.get_xlim(), axes.get_ylim()
    unit = (x_high - x_low) / panel_width(axes)
    size = max(0.13 * min(x_high - x_low, y_high - y_low), _LEAST_ARROW * unit)
    x = x_high - size * 0.8 if corner.endswith("right") else x_low + size * 0.8
    y = y_high - 2.0 * size if corner.startswith("upper") else y_low + size * 0.5
    east, north = _north(axes, x, y)
    turn = np.array([[north, -east], [east, north]])
    shape = size * np.array([[0.0, 1.0], [0.28, 0.0], [0.0, 0.22], [-0.28, 0.0]])
    corners = shape @ turn + (x, y)
    axes.add_patch(
        Polygon(corners, closed=True, fc=INK, ec="white", lw=0.6, zorder=5, gid="north")
    )
    tip = np.array([0.0, 1.12 * size]) @ turn + (x, y)
    _write(axes, (float(tip[0]), float(tip[1])), "N", bold=True)
    return axes


def _north(axes: Axes, x: float, y: float) -> tuple[float, float]:
    """Return the unit vector on the map that points north at a place."""
    crs = map_projection(axes)
    longitude, latitude = transformer(crs, "EPSG:4326").transform(x, y)
    step_x, step_y = _to_map(axes)(longitude, latitude + 0.01)
    east, north = float(step_x) - x, float(step_y) - y
    size = float(np.hypot(east, north))
    return east / size, north / size
