"""Legends below the panels of a diagram, and words in lines that fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from textwrap import wrap

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.legend import Legend

from geosoil.plotting.page import bottom_legend, legend_columns
from geosoil.plotting.style import SMALL

_POINT = 1.0 / 72.0
_HANDLE, _GAP, _SIDES = 2.4 * SMALL, 1.5 * SMALL, 10.0
_MOST_COLUMNS = 6


def text_width(words: str, size: float = SMALL) -> float:
    """Return how wide a line of text is.

    Parameters
    ----------
    words : str
        The text; of several lines the longest counts.
    size : float
        Size of its letters [pt].

    Returns
    -------
    width : float
        Width [pt].

    Examples
    --------
    >>> 30.0 < text_width("soil water") < 50.0
    True
    """
    lines = words.splitlines()
    return size * max((sum(map(_advance, line)) for line in lines), default=0.0)


@cache
def _advance(letter: str) -> float:
    """Return the width of a letter of the house's font, in shares of its size."""
    font = get_font(findfont(FontProperties(family=["DejaVu Sans"])))
    font.set_size(100.0, 72.0)
    advance: int = font.load_char(ord(letter)).linearHoriAdvance
    return advance / 65536.0 / 100.0


def wrapped(words: str, *, width: float, size: float = SMALL) -> str:
    """Break words into lines that fit a width.

    Parameters
    ----------
    words : str
        Words.
    width : float
        Room [pt].
    size : float
        Size of the letters [pt].

    Returns
    -------
    words : str
        The same words, lines kept apart; a word longer than the room is broken.

    Examples
    --------
    >>> wrapped("alpine meadow", width=40.0).splitlines()
    ['alpine', 'meadow']
    """
    found: list[str] = []
    for line in words.splitlines() or [""]:
        most, parts = len(line), [line]
        while most > 1 and any(text_width(part, size) > width for part in parts):
            most -= 1
            parts = wrap(line, most)
        found += parts
    return "\n".join(found)


@dataclass(frozen=True, slots=True)
class LegendPlan:
    """A legend below the panels, before it is drawn."""

    handles: tuple[Artist, ...]
    """Labelled artists, column by column."""
    columns: int
    """Number of columns."""

    @property
    def height(self) -> float:
        """Height of the legend [inch]."""
        least, more = divmod(len(self.handles), max(self.columns, 1))
        start, tallest = 0, 0.0
        for place in range(self.columns):
            stop = start + least + (place < more)
            tallest = max(tallest, labels_height(self.handles[start:stop]))
            start = stop
        return tallest


def labels_height(handles: Sequence[Artist]) -> float:
    """Return how high a column of legend entries is.

    Parameters
    ----------
    handles : sequence of Artist
        Labelled artists, below each other.

    Returns
    -------
    height : float
        Height [inch].

    Examples
    --------
    >>> from matplotlib.lines import Line2D
    >>> round(labels_height([Line2D([], [], label="soil water")]), 2)
    0.17
    """
    lines = sum(str(handle.get_label()).count("\n") + 1 for handle in handles)
    return _POINT * SMALL * (1.25 * lines + 0.5 * len(handles))


def plan_legend(groups: Sequence[Sequence[Artist]], *, width: float) -> LegendPlan:
    """Arrange a legend: a column a group where that fits.

    Parameters
    ----------
    groups : sequence of sequence of Artist
        Labelled artists that belong together; labels too long for the page are broken
        into lines.
    width : float
        Width of the figure [inch].

    Returns
    -------
    plan : LegendPlan
        Entries follow each other where a column a group is too wide.

    Examples
    --------
    >>> from matplotlib.lines import Line2D
    >>> waters, lines = (Line2D([], [], label=name) for name in ("soil", "GMWL"))
    >>> plan_legend([[waters], [lines]], width=3.0).columns
    2
    """
    filled = [list(group) for group in groups if group]
    room = width / _POINT - _SIDES
    for handle in (handle for group in filled for handle in group):
        words = wrapped(str(handle.get_label()), width=room - _HANDLE)
        handle.set_label(words)
    widths = [max(text_width(str(h.get_label())) for h in group) for group in filled]
    needed = sum(widths) + len(filled) * _HANDLE + (len(filled) - 1) * _GAP
    if len(filled) > 1 and needed <= room:
        rows = max(len(group) for group in filled)
        return LegendPlan(tuple(legend_columns(filled, rows=rows)), len(filled))
    flat = [handle for group in filled for handle in group]
    return LegendPlan(tuple(flat), _columns(flat, room))


def _columns(handles: Sequence[Artist], room: float) -> int:
    """Return into how many columns entries fit, filled downward."""
    widths = [text_width(str(handle.get_label())) for handle in handles]
    for columns in range(min(_MOST_COLUMNS, len(widths)), 1, -1):
        # Matplotlib gives the first columns one entry more where they do not divide.
        least, more = divmod(len(widths), columns)
        start, needed = 0, columns * _HANDLE + (columns - 1) * _GAP
        for place in range(columns):
            stop = start + least + (place < more)
            needed += max(widths[start:stop])
            start = stop
        if needed <= room:
            return columns
    return 1


def legend_below(
    figure: Figure, handles: Sequence[Artist], *groups: Sequence[Artist]
) -> Legend:
    """Put a legend below the panels in as many columns as fit.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure with a constrained layout.
    handles, *groups : sequence of Artist
        Labelled artists, each group in a column where that fits, see
        :func:`plan_legend`.

    Returns
    -------
    legend : matplotlib.legend.Legend
        The legend.

    Examples
    --------
    >>> from matplotlib.lines import Line2D
    >>> from geosoil.plotting.page import make_figure
    >>> figure = make_figure(3.0, 2.0)
    >>> names = ["soil water", "river water", "supra-permafrost water", "ground ice"]
    >>> legend = legend_below(figure, [Line2D([], [], label=n) for n in names])
    >>> legend._ncols
    2
    """
    width = float(figure.get_size_inches()[0])
    plan = plan_legend([handles, *groups], width=width)
    return bottom_legend(figure, plan.handles, columns=plan.columns)
