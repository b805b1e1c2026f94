"""Numbers beside the lines of equal share in an end-element diagram."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.patheffects import withStroke

from geosoil.plotting.strata_looks import dark
from geosoil.plotting.style import SMALL, water_style

FloatArray = npt.NDArray[np.float64]

STEPS = (0.2, 0.4, 0.6, 0.8)
"""Shares of a source at which lines or ticks stand."""

_LEAST_STEP = 13.0
"""Smallest distance between labels of steps [pt]."""
_OFF = (7.5, 13.0, 19.0)
"""Distances of a label from its side, tried in turn [pt]."""
_CLEAR = (7.0, 5.5)
"""Half width and height of the room that a label takes [pt]."""
_TURN = [(0, 1), (1, 2), (2, 0)]


def label_contributions(axes: Axes, sources: list[str], corners: FloatArray) -> None:
    """Write the shares [%] beside the lines or ticks, where they find room.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        A panel whose figure was laid out.
    sources : list of str
        Sources.
    corners : array, shape (source, 2)
        Their place [permil].

    Notes
    -----
    The lines of a source end on two sides of the triangle; of the two ways to give
    each source a side of its own, the one that hides fewer data is taken. A number
    that would hide a mark or bar moves outward, and is left out where that is no help.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> axes.set(xlim=(0, 1), ylim=(0, 1))
    [(0.0, 1.0), (0.0, 1.0)]
    >>> label_contributions(axes, ["rain", "ice"], np.array([[0.1, 0.1], [0.9, 0.9]]))
    >>> [text.get_text() for text in axes.texts]
    ['20', '40', '60', '80']
    """
    if len(sources) not in (2, 3):
        return
    ways = [[(1, 0)]] if len(sources) == 2 else [_TURN, [(b, a) for a, b in _TURN]]
    taken = _points(axes, drawn_marks(axes))
    shown = _points(axes, corners)
    found = [[_settled(label, taken) for label in _labels(shown, way)] for way in ways]
    best = max(found, key=lambda labels: sum(spot is not None for *_, spot in labels))
    for place, share, spot in best:
        if spot is not None:
            colour = dark(water_style(sources[place], order=place).colour)
            _write_share(axes, share, spot, colour)


def _points(axes: Axes, data: FloatArray) -> FloatArray:
    """Return where data lie on the page, from the panel's lower left corner [pt]."""
    dots = axes.transData.transform(data) - axes.bbox.min
    found: FloatArray = 72.0 * axes.figure.dpi_scale_trans.inverted().transform(dots)
    return found


def _labels(
    corners: FloatArray, sides: list[tuple[int, int]]
) -> list[tuple[int, float, FloatArray]]:
    """Return source, share and places [pt] of each label along the sides."""
    middle = corners.mean(axis=0)
    labels: list[tuple[int, float, FloatArray]] = []
    for place, other in sides:
        side = corners[place] - corners[other]
        length = float(np.hypot(*side))
        if length * 0.2 < _LEAST_STEP:
            continue
        normal = np.array([-side[1], side[0]]) / length
        outward = float(normal @ ((corners[place] + corners[other]) / 2.0 - middle))
        flipped = outward < 0 or (len(corners) == 2 and normal[1] < 0)
        normal = -normal if flipped else normal
        for share in STEPS:
            foot = share * corners[place] + (1.0 - share) * corners[other]
            labels.append((place, share, foot + np.outer(_OFF, normal)))
    return labels


def _settled(
    label: tuple[int, float, FloatArray], taken: FloatArray
) -> tuple[int, float, FloatArray | None]:
    """Return the first place of a label that hides no mark or bar, or None."""
    place, share, spots = label
    for spot in spots:
        away = np.abs(taken - spot)
        if not bool(((away[:, 0] < _CLEAR[0]) & (away[:, 1] < _CLEAR[1])).any()):
            return place, share, spot
    return place, share, None


def drawn_marks(axes: Axes) -> FloatArray:
    """Return the data of a panel that labels must not hide: marks and their bars.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        A panel.

    Returns
    -------
    marks : array, shape (n, 2)
        Places along every error bar, and the marks [permil].

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> bars = axes.errorbar([1.0], [2.0], yerr=[1.0])
    >>> drawn_marks(axes)[[0, -1]].tolist()
    [[1.0, 1.0], [1.0, 2.0]]
    """
    parts = [np.empty((0, 2))]
    along = np.linspace(0.0, 1.0, 9)[:, None]
    for container in axes.containers:
        if not isinstance(container, ErrorbarContainer):
            continue
        mark, _, bars = container.lines
        for bar in bars:
            for low, high in bar.get_segments():
                parts.append(low + along * (high - low))
        if mark is not None:
            parts.append(np.asarray(mark.get_xydata(), dtype=float))
    found: FloatArray = np.concatenate(parts)
    return found


def _write_share(axes: Axes, share: float, spot: FloatArray, colour: str) -> None:
    text = axes.annotate(
        f"{100 * share:.0f}",
        (float(spot[0]), float(spot[1])),
        xycoords="axes points",
        ha="center",
        va="center",
        fontsize=SMALL,
        color=colour,
        path_effects=[withStroke(linewidth=1.5, foreground="white")],
        zorder=3,
        gid="share",
    )
    text.set_in_layout(False)
