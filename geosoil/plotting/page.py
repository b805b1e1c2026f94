"""The page of a figure: its size, title, note, panel letters and legend."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase
from textwrap import fill, wrap

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from geosoil.plotting.style import LARGE, SMALL

_NOTE_ROOM = 0.22
_TITLE_LETTER, _LETTER = 0.08, 0.052
_ENTRY, _BETWEEN = 0.27, 0.14
"""Mark of a legend's entry, and room between columns of entries [inch]."""


def make_figure(width: float, height: float, *, note: str | None = None) -> Figure:
    """Make an empty figure whose parts are kept from overlapping.

    Parameters
    ----------
    width, height : float
        Size [inch].
    note : str, optional
        Small text at the bottom, for instance that the data are simulated.

    Returns
    -------
    figure : matplotlib.figure.Figure
        A figure outside of pyplot.

    Examples
    --------
    >>> make_figure(4.0, 3.0).get_size_inches().tolist()
    [4.0, 3.0]
    """
    bottom = _NOTE_ROOM / height if note else 0.02 / height
    engine = ConstrainedLayoutEngine(
        rect=(0.0, bottom, 1.0, 1.0 - bottom), w_pad=0.05, h_pad=0.05
    )
    figure = Figure(figsize=(width, height), layout=engine)
    write_note(figure, note)
    return figure


def write_title(figure: Figure, title: str) -> Figure:
    """Write a figure's title into its upper left corner.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure made by :func:`make_figure`.
    title : str
        The title; "" writes nothing.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The same figure.

    Examples
    --------
    >>> write_title(make_figure(4.0, 3.0), "Soil water").get_suptitle()
    'Soil water'
    """
    if title:
        width = float(figure.get_size_inches()[0])
        words = title_lines(title, width=width)
        figure.suptitle(words, x=0.1 / width, ha="left", fontsize=LARGE)
    return figure


def write_note(figure: Figure, note: str | None) -> Figure:
    """Write small grey text into the lower right corner of a figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure to write on.
    note : str or None
        The text; None or "" writes nothing.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The same figure.

    Examples
    --------
    >>> figure = write_note(Figure(), "simulated data")
    >>> figure.texts[0].get_text()
    'simulated data'
    """
    if note:
        width, height = (float(size) for size in figure.get_size_inches())
        figure.text(
            1.0 - 0.06 / width,
            0.05 / height,
            "\n".join(note_lines(note, width=width)),
            ha="right",
            va="bottom",
            fontsize=SMALL,
            fontstyle="italic",
            color="#666666",
            gid="note",
        )
    return figure


def note_lines(note: str | None, *, width: float) -> list[str]:
    """Break the note at the bottom of a figure into lines that fit.

    Parameters
    ----------
    note : str or None
        The text.
    width : float
        Width of the figure [inch].

    Returns
    -------
    lines : list of str
        None for no note.

    Examples
    --------
    >>> note_lines("simulated data", width=3.0), note_lines(None, width=3.0)
    (['simulated data'], [])
    """
    return wrap(note or "", max(12, int((width - 0.15) / _LETTER)))


def title_lines(text: str, *, width: float) -> str:
    """Break a figure's title into even lines that fit.

    Parameters
    ----------
    text : str
        The title.
    width : float
        Width of the figure [inch].

    Returns
    -------
    title : str
        The same words, with line breaks.

    Examples
    --------
    >>> title_lines("Sources of soil water", width=1.2).splitlines()
    ['Sources of', 'soil water']
    """
    most = max(8, int((width - 0.2) / _TITLE_LETTER))
    count = len(wrap(text, most))
    even = next(w for w in range(1, most + 1) if len(wrap(text, w)) <= count)
    return fill(text, even)


def panel_title(axes: Axes, text: str, *, order: int, panels: int) -> Axes:
    """Write the title of a panel, with its letter when there are several panels.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    text : str
        Its title.
    order : int
        Place of the panel, from 0.
    panels : int
        Number of panels in the figure; one panel gets no letter.

    Returns
    -------
    axes : matplotlib.axes.Axes
        The same panel.

    Examples
    --------
    >>> axes = panel_title(Figure().subplots(), "August", order=1, panels=3)
    >>> axes.get_title(loc="left")
    '(b) August'
    """
    letter = ascii_lowercase[order % len(ascii_lowercase)]
    axes.set_title(f"({letter}) {text}" if panels > 1 else text, loc="left", pad=4.0)
    return axes


def bottom_legend(figure: Figure, handles: Sequence[Artist], *, columns: int) -> Legend:
    """Put one legend below the panels of a figure made by :func:`make_figure`.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure with a constrained layout.
    handles : sequence of Artist
        Labelled artists.
    columns : int
        Number of columns.

    Returns
    -------
    legend : matplotlib.legend.Legend
        The legend, outside of every panel.

    Examples
    --------
    >>> from matplotlib.lines import Line2D
    >>> line = Line2D([], [], label="soil water")
    >>> legend = bottom_legend(make_figure(3.0, 2.0), [line], columns=1)
    >>> [text.get_text() for text in legend.get_texts()]
    ['soil water']
    """
    has_note = any(text.get_gid() == "note" for text in figure.texts)
    return figure.legend(
        handles=list(handles),
        loc="outside lower center",
        ncols=columns,
        fontsize=SMALL,
        handletextpad=0.4,
        columnspacing=1.4,
        borderpad=0.1,
        borderaxespad=_NOTE_ROOM * 72.0 / SMALL if has_note else 0.5,
    )


def fitting_columns(handles: Sequence[Artist], width: float) -> int:
    """Return the largest number of columns of a legend that fits a figure.

    Parameters
    ----------
    handles : sequence of Artist
        Labelled artists.
    width : float
        Width of the figure [inch].

    Returns
    -------
    columns : int
        Number of columns, from 1.

    Examples
    --------
    >>> lines = [Line2D([], [], label="soil water") for _ in range(6)]
    >>> fitting_columns(lines, 9.0), fitting_columns(lines, 3.3)
    (6, 3)
    """
    for rows in range(1, len(handles)):
        if legend_width(handles, rows=rows) <= width - 0.1:
            return -(-len(handles) // rows)
    return 1


def legend_width(handles: Sequence[Artist], *, rows: int) -> float:
    """Return about how wide a legend is.

    Parameters
    ----------
    handles : sequence of Artist
        Labelled artists, column by column.
    rows : int
        Number of rows.

    Returns
    -------
    width : float
        Width [inch].

    Examples
    --------
    >>> lines = [Line2D([], [], label="soil water") for _ in range(2)]
    >>> round(legend_width(lines, rows=1), 2), round(legend_width(lines, rows=2), 2)
    (1.72, 0.79)
    """
    sizes = [_ENTRY + _LETTER * len(str(handle.get_label())) for handle in handles]
    parts = [sizes[start : start + rows] for start in range(0, len(sizes), rows)]
    return sum(max(part) for part in parts) + _BETWEEN * (len(parts) - 1)


def legend_columns(groups: Sequence[Sequence[Artist]], *, rows: int) -> list[Artist]:
    """Order legend entries so that each group starts a column of its own.

    Parameters
    ----------
    groups : sequence of sequence of Artist
        Labelled artists that belong together.
    rows : int
        Number of rows of the legend; longer groups fill several columns.

    Returns
    -------
    handles : list of Artist
        The entries, with empty ones that fill the columns; a whole multiple of rows.

    Examples
    --------
    >>> from matplotlib.lines import Line2D
    >>> one, two = Line2D([], [], label="soil"), Line2D([], [], label="rivers")
    >>> [artist.get_label() for artist in legend_columns([[one], [two]], rows=2)]
    ['soil', ' ', 'rivers', ' ']
    """
    handles: list[Artist] = []
    for group in groups:
        handles.extend(group)
        handles.extend(
            Line2D([], [], linestyle="none", label=" ")
            for _ in range(-len(group) % rows)
        )
    return handles
