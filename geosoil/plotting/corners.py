"""Corners of panels: limits give way until no data lie behind a legend or words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from geosoil.plotting.style import SMALL

FloatArray = npt.NDArray[np.float64]

CORNER = "corner"
"""Mark (gid) of words that stand in a corner of a panel."""

_MARGIN = 0.015
_MOST = 0.6
_ROUNDS = 12
_BETWEEN = 41


def clear_corners(figure: Figure) -> Figure:
    """Widen the upright axes of a figure until legends and words hide no data.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        A composed figure. Panels that share their upright axis are widened together;
        corners are legends of panels and texts with the gid :data:`CORNER`.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The same figure. A corner takes 60 % of the height at most.

    Notes
    -----
    A corner box of a panel covers the lowest share t of its height (or the highest).
    With limits L and H and the lowest datum m in its columns, m - L >= t (H - L), so
    L <= (m - t H) / (1 - t).

    Examples
    --------
    >>> axes = Figure().subplots()
    >>> line = axes.plot([0.0, 1.0], [0.0, 0.0], label="a line")
    >>> legend = axes.legend(loc="lower right")
    >>> bool(clear_corners(axes.figure).axes[0].get_ylim()[0] < -0.005)
    True
    """
    lay_out(figure)
    done: set[Axes] = set()
    for axes in figure.axes:
        if axes in done:
            continue
        shared = list(axes.get_shared_y_axes().get_siblings(axes))
        done.update(shared)
        _widen([panel for panel in figure.axes if panel in shared])
    return figure


def lay_out(figure: Figure) -> Figure:
    """Give the panels of a figure their places, without drawing it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        A composed figure.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The same figure; what is measured on its page is then true.

    Examples
    --------
    >>> figure = Figure(layout="constrained")
    >>> axes = figure.subplots()
    >>> bool(lay_out(figure).axes[0].get_position().x0 < 0.1)
    True
    """
    FigureCanvasAgg(figure)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    return figure


def _widen(panels: list[Axes]) -> None:
    """Find the limits of panels that share them."""
    needs = [need for axes in panels for need in _needs(axes)]
    low, high = panels[0].get_ylim()
    for _ in range(_ROUNDS):
        for share, lowest, highest, at_foot in needs:
            if at_foot:
                low = min(low, (lowest - share * high) / (1.0 - share))
            else:
                high = max(high, (highest - share * low) / (1.0 - share))
    panels[0].set_ylim(low, high)


def _needs(axes: Axes) -> Iterator[tuple[float, float, float, bool]]:
    """Give each corner's share of the height, the data beside it, and its side."""
    points = drawn_points(axes)
    for box in corner_boxes(axes):
        left, right = axes.transData.inverted().transform(
            axes.transAxes.transform([[box.x0 - _MARGIN, 0.0], [box.x1 + _MARGIN, 0.0]])
        )[:, 0]
        inside = (points[:, 0] >= left) & (points[:, 0] <= right)
        if not inside.any():
            continue
        at_foot = bool(box.y0 + box.y1 < 1.0)
        share = min(_MOST, (box.y1 if at_foot else 1.0 - box.y0) + _MARGIN)
        y = points[inside, 1]
        yield share, float(y.min()), float(y.max()), at_foot


def corner_boxes(axes: Axes) -> list[Bbox]:
    """Return the boxes of a panel's legend and corner words.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        A panel of a figure that was laid out.

    Returns
    -------
    boxes : list of Bbox
        In shares of the panel's width and height; those beyond the panel left out.

    Examples
    --------
    >>> axes = Figure().subplots()
    >>> text = axes.text(0.1, 0.9, "n = 3", transform=axes.transAxes, gid=CORNER)
    >>> len(corner_boxes(axes))
    1
    """
    artists = [text for text in axes.texts if text.get_gid() == CORNER]
    legend = axes.get_legend()
    found = [artist.get_window_extent() for artist in artists]
    if legend is not None and legend.get_texts():
        found.append(legend.get_window_extent())
    boxes = [Bbox(axes.transAxes.inverted().transform(box)) for box in found]
    return [box for box in boxes if box.x0 < 1.0 and box.x1 > 0.0 and box.y0 < 1.0]


def drawn_points(axes: Axes) -> FloatArray:
    """Return the data of a panel: its scattered points and places along its lines.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.

    Returns
    -------
    points : array, shape (n, 2)
        In data coordinates; lines are followed between their corners.

    Examples
    --------
    >>> axes = Figure().subplots()
    >>> line = axes.plot([0.0, 1.0], [2.0, 4.0])
    >>> drawn_points(axes)[[0, -1]].tolist()
    [[0.0, 2.0], [1.0, 4.0]]
    """
    parts = [np.empty((0, 2))]
    for cloud in axes.collections:
        if isinstance(cloud, PathCollection):
            parts.append(
                np.ma.filled(np.ma.asarray(cloud.get_offsets(), dtype=float), np.nan)
            )
    for line in axes.lines:
        if line.get_transform() == axes.transData:
            parts.append(_followed(np.asarray(line.get_xydata(), dtype=float)))
    points = np.concatenate(parts)
    whole: FloatArray = points[np.isfinite(points).all(axis=1)]
    return whole


def _followed(corners: FloatArray) -> FloatArray:
    """Add places between the corners of a line."""
    if len(corners) < 2:
        return corners
    at = np.linspace(0.0, 1.0, _BETWEEN)[:, None]
    pieces = [a + at * (b - a) for a, b in pairwise(corners)]
    return np.concatenate(pieces)


def say_empty(axes: Axes, words: str = "no samples") -> Axes:
    """Write into a panel that there is nothing to draw.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    words : str
        What is missing.

    Returns
    -------
    axes : matplotlib.axes.Axes
        The same panel.

    Examples
    --------
    >>> say_empty(Figure().subplots()).texts[0].get_text()
    'no samples'
    """
    axes.text(
        0.97,
        0.05,
        words,
        transform=axes.transAxes,
        ha="right",
        fontsize=SMALL,
        color="#666666",
        gid=CORNER,
    )
    return axes


def write_corner(axes: Axes, words: str) -> Axes:
    """Write words into the upper left corner of a panel, where waters never lie.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    words : str
        The words.

    Returns
    -------
    axes : matplotlib.axes.Axes
        The same panel.

    Examples
    --------
    >>> write_corner(Figure().subplots(), "n = 12").texts[0].get_gid()
    'corner'
    """
    axes.text(
        0.02,
        0.97,
        words,
        transform=axes.transAxes,
        va="top",
        fontsize=SMALL,
        linespacing=1.3,
        gid=CORNER,
    )
    return axes
