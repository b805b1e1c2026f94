"""The page of a diagram: its words, its width by preset, its panels and legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from geosoil.plotting.page import (
    make_figure,
    write_title,
)
from geosoil.plotting.picture import name_figure
from geosoil.plotting.style import SCREEN, FigurePreset

_MOST_ACROSS = 3
_NARROW = 6.0
"""Pages below this width [inch] have no room for three panels with words in them."""


@dataclass(frozen=True, slots=True)
class DiagramPage:
    """What surrounds the panels of a diagram."""

    title: str = ""
    """Title; a preset for journals keeps it out of the drawing."""
    note: str | None = None
    """Small text at the bottom, for instance that the data are simulated."""
    preset: FigurePreset = SCREEN
    """For whom the diagram is drawn."""
    caption: str = ""
    """Paragraph that explains it, kept with the figure."""

    @property
    def is_narrow(self) -> bool:
        """Whether its panels must share a page narrower than a screen's."""
        return self.preset.page < _NARROW


def open_diagram(page: DiagramPage, *, width: float, height: float) -> Figure:
    """Make the empty figure of a diagram.

    Parameters
    ----------
    page : DiagramPage
        Its words and preset.
    width : float
        Wanted width [inch]; the figure is never wider than the preset's page.
    height : float
        Height [inch].

    Returns
    -------
    figure : matplotlib.figure.Figure
        Titled where the preset draws titles; it keeps its words in any case.

    Examples
    --------
    >>> from geosoil.plotting.style import HESS
    >>> figure = open_diagram(DiagramPage("Waters", preset=HESS), width=9.0, height=3.0)
    >>> round(float(figure.get_size_inches()[0]) * 2.54, 2), figure.get_suptitle()
    (12.0, '')
    """
    figure = make_figure(min(width, page.preset.page), height, note=page.note)
    name_figure(figure, page.title, page.caption)
    if page.preset.titled:
        write_title(figure, page.title)
    return figure


def panel_rows(count: int, page: DiagramPage) -> int:
    """Return how many rows a diagram needs for its panels.

    Parameters
    ----------
    count : int
        Number of panels.
    page : DiagramPage
        The page.

    Returns
    -------
    rows : int
        Three panels a row; on a narrow page up to three below each other, more of
        them two a row.

    Examples
    --------
    >>> panel_rows(3, DiagramPage())
    1
    """
    return -(-count // _across(count, page))


def _across(count: int, page: DiagramPage) -> int:
    """Return how many panels stand side by side."""
    if page.is_narrow:
        return 1 if count <= _MOST_ACROSS else 2
    return min(count, _MOST_ACROSS)


def share_frame(panels: Sequence[Axes]) -> None:
    """Give panels common axes that hold all data, and words to the outer ones alone.

    Parameters
    ----------
    panels : sequence of matplotlib.axes.Axes
        Panels of one figure; a panel keeps its words unless another stands right
        below it.

    Examples
    --------
    >>> left, right = Figure().subplots(1, 2)
    >>> for axes in (left, right):
    ...     _ = axes.set_ylabel("depth")
    >>> share_frame([left, right])
    >>> right.yaxis.get_tick_params()["labelleft"]
    False
    """
    limits = [_limits(panels, axis) for axis in (0, 1)]
    keep_outer_words(panels)
    for axes in panels:
        if axes is not panels[0]:
            axes.sharex(panels[0])
            axes.sharey(panels[0])
        axes.tick_params(
            labelbottom=bool(axes.get_xlabel()), labelleft=bool(axes.get_ylabel())
        )
    panels[0].set(xlim=limits[0], ylim=limits[1])


def keep_outer_words(panels: Sequence[Axes]) -> None:
    """Take the words of axes away from panels that have a neighbour below or left.

    Parameters
    ----------
    panels : sequence of matplotlib.axes.Axes
        Named panels of one grid; their numbers stay.

    Examples
    --------
    >>> left, right = Figure().subplots(1, 2)
    >>> for axes in (left, right):
    ...     _ = axes.set_ylabel("depth")
    >>> keep_outer_words([left, right])
    >>> left.get_ylabel(), right.get_ylabel()
    ('depth', '')
    """
    places = [axes.get_subplotspec() for axes in panels]
    spans = [(s.rowspan.start, s.colspan.start) for s in places if s is not None]
    for axes, (row, column) in zip(panels, spans, strict=True):
        if (row + 1, column) in spans:
            axes.set_xlabel("")
        if any(own == row and other < column for own, other in spans):
            axes.set_ylabel("")


def _limits(panels: Sequence[Axes], axis: int) -> tuple[float, float]:
    """Return limits that hold what all panels show, with a margin."""
    ends = [axes.dataLim.get_points()[:, axis] for axes in panels]
    known = [end for pair in ends for end in pair if isfinite(end)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    margin = 0.04 * (high - low) or 1.0
    return low - margin, high + margin


def add_panels(figure: Figure, count: int, page: DiagramPage) -> list[Axes]:
    """Add the panels of a diagram in reading order.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure.
    count : int
        Number of panels.
    page : DiagramPage
        The page.

    Returns
    -------
    panels : list of matplotlib.axes.Axes
        One a period, in the rows of :func:`panel_rows`.

    Examples
    --------
    >>> len(add_panels(Figure(), 3, DiagramPage()))
    3
    """
    across = _across(count, page)
    grid = figure.add_gridspec(panel_rows(count, page), across)
    return [
        figure.add_subplot(grid[place // across, place % across])
        for place in range(count)
    ]
