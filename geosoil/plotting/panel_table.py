"""A table of equal map panels: words left of its rows, bars and caption below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill, wrap
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from geosoil.errors import InputError
from geosoil.plotting.page import title_lines, write_note
from geosoil.plotting.panels import MapFrame, draw_colour_bar, draw_legend, map_panel
from geosoil.plotting.projection import Extent
from geosoil.plotting.scales import MapKind
from geosoil.plotting.style import INK, LARGE, NORMAL, SMALL

_LEFT, _RIGHT, _WORDS, _GAP, _ROW_GAP = 0.45, 0.2, 0.22, 0.24, 0.1
_SUPTITLE, _TITLE_LINE, _TITLE, _TICKS = 0.26, 0.17, 0.24, 0.2
_BAR, _BAR_TOP, _LEGEND, _LINE, _NOTE, _EDGE = 0.5, 0.13, 0.19, 0.125, 0.17, 0.06
_LETTER, _BOLD_LETTER = 0.051, 0.08
_WIDTHS = {1: 5.5, 2: 8.5, 3: 11.0}
_WIDE, _HIGHEST = 2.9, 15.0
"""Width of a panel among four or more, and height of all panels, in inches."""


@dataclass(frozen=True, slots=True)
class PanelTable:
    """What surrounds a table of map panels.

    Examples
    --------
    >>> table = PanelTable(("June", "August", "", ""), columns=2, rows=("rain", "NDVI"))
    >>> table.n_rows, table.has_titles(0), table.has_titles(1)
    (2, True, False)
    """

    titles: tuple[str, ...]
    """Title of each panel, row by row; "" for none."""
    columns: int = 3
    """Number of columns."""
    rows: tuple[str, ...] = ()
    """Words left of each row."""
    remarks: tuple[str, ...] = ()
    """Small words above the right end of each panel, row by row."""
    title: str = ""
    """Title of the figure."""
    caption: str = ""
    """Paragraphs below the panels; they are broken into lines."""
    note: str | None = None
    """Small text at the bottom, for instance that the data are simulated."""
    legend: bool = True
    """Whether a line of legend lies below the colour bar."""

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return -(-len(self.titles) // self.columns)

    def has_titles(self, row: int) -> bool:
        """Say whether a panel of a row has a title or a remark.

        Parameters
        ----------
        row : int
            Row, from 0.

        Returns
        -------
        has_titles : bool
            Whether there is one.
        """
        part = slice(row * self.columns, (row + 1) * self.columns)
        return any(self.titles[part]) or any(self.remarks[part])


def draw_panel_table(
    extent: Extent,
    projection: Any,  # noqa: ANN401  cartopy has no types
    *,
    table: PanelTable,
) -> tuple[Figure, list[Axes]]:
    """Make a figure of a table of map panels that fit their extent without bands.

    Parameters
    ----------
    extent : tuple = (left, right, bottom, top)
        Frame of every panel in map coordinates [m].
    projection : cartopy.crs.Projection
        Projection of the panels.
    table : PanelTable
        Panels, words and caption.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure, with title, words, caption and note, and room for a colour bar
        and a legend.
    panels : list of cartopy.mpl.geoaxes.GeoAxes
        Its panels, row by row.

    Raises
    ------
    InputError
        If there is no panel.

    Examples
    --------
    >>> from geosoil.plotting.projection import projection_for
    >>> figure, panels = draw_panel_table(
    ...     (0.0, 2.0, 0.0, 1.0),
    ...     projection_for((89.4, 31.55, 102.3, 36.3)),
    ...     table=PanelTable(("June", "August", "September"), rows=("NDVI",)),
    ... )
    >>> len(panels), [text.get_text() for text in figure.texts]
    (3, ['NDVI'])
    """
    if not table.titles:
        message = "No panels to draw. Give one or more."
        raise InputError(message)
    aspect = (extent[1] - extent[0]) / (extent[3] - extent[2])
    row_words, left = _row_words(table, aspect)
    width, panel_width = _widths(table, aspect, left)
    panel_height = panel_width / aspect
    tops = _tops(table, width, panel_height)
    height = tops[-1] + panel_height + _TICKS + _footer(table, width)
    figure = Figure(figsize=(width, height))
    panels = []
    for order, title in enumerate(table.titles):
        row, column = divmod(order, table.columns)
        x, y = left + column * (panel_width + _GAP), height - tops[row] - panel_height
        box = (x / width, y / height, panel_width / width, panel_height / height)
        panels.append(map_panel(figure, box, extent, projection))
        panels[-1].set_title(title, loc="left", pad=4.0)
    for axes, remark in zip(panels, table.remarks, strict=False):
        small = axes.set_title(remark, loc="right", pad=4.0, fontweight="normal")
        small.set_fontsize(SMALL)
    for row, text in enumerate(row_words):
        middle = 1.0 - (tops[row] + panel_height / 2) / height
        _write(figure, (0.09 / width, middle), text)
    _write_words(figure, table)
    return figure, panels


def _row_words(table: PanelTable, aspect: float) -> tuple[list[str], float]:
    """Break the words of the rows into lines; return them and the room for them."""
    if not any(table.rows):
        return [], _LEFT
    _, panel_width = _widths(table, aspect, _LEFT + _WORDS)
    most = max(6, int(panel_width / aspect / _BOLD_LETTER))
    words = [fill(text, most) for text in table.rows]
    lines = 1 + max(text.count("\n") for text in words)
    return words, _LEFT + _WORDS + (lines - 1) * _LINE


def _widths(table: PanelTable, aspect: float, left: float) -> tuple[float, float]:
    """Return the width of the figure and of a panel [inch]."""
    count = table.columns
    between = left + _RIGHT + (count - 1) * _GAP
    width = _WIDTHS.get(count, between + count * _WIDE)
    panel = (width - between) / count
    panel = min(panel, _HIGHEST / table.n_rows * aspect)
    return max(between + count * panel, _WIDTHS[1]), panel


def _tops(table: PanelTable, width: float, panel_height: float) -> list[float]:
    """Return how far below the upper edge each row of panels starts [inch]."""
    title = title_lines(table.title, width=width)
    top = _SUPTITLE + _TITLE_LINE * title.count("\n") if title else _EDGE
    tops = []
    for row in range(table.n_rows):
        top += _TITLE if table.has_titles(row) else _ROW_GAP
        tops.append(top)
        top += panel_height
    return tops


def _write(figure: Figure, place: tuple[float, float], words: str) -> None:
    """Write the words of a row upright along it."""
    if words:
        figure.text(
            *place,
            words,
            rotation=90,
            ha="left",
            va="center",
            multialignment="center",
            fontsize=NORMAL,
            fontweight="bold",
        )


def _write_words(figure: Figure, table: PanelTable) -> None:
    """Write title, caption and note."""
    width, height = (float(size) for size in figure.get_size_inches())
    if table.title:
        figure.suptitle(
            title_lines(table.title, width=width),
            fontsize=LARGE,
            x=0.1 / width,
            y=1.0 - 0.06 / height,
            ha="left",
            va="top",
        )
    if table.caption:
        figure.text(
            0.1 / width,
            _note_room(table) / height,
            "\n".join(_caption_lines(table, width)),
            ha="left",
            va="bottom",
            fontsize=SMALL,
            color=INK,
            linespacing=1.15,
            gid="caption",
        )
    write_note(figure, table.note)


def _caption_lines(table: PanelTable, width: float) -> list[str]:
    """Break the caption into lines that fit."""
    most = max(20, int((width - 0.2) / _LETTER))
    paragraphs = table.caption.splitlines()
    return [line for paragraph in paragraphs for line in wrap(paragraph, most)]


def _note_room(table: PanelTable) -> float:
    """Return the room of the note [inch]."""
    return _EDGE + (_NOTE if table.note else 0.0)


def _below_legend(table: PanelTable, width: float) -> float:
    """Return the room below the legend [inch]."""
    lines = len(_caption_lines(table, width))
    return _note_room(table) + (_LINE * lines + 0.05 if lines else 0.0)


def _footer(table: PanelTable, width: float) -> float:
    """Return the room below the panels' ticks [inch]."""
    return _BAR + (_LEGEND if table.legend else 0.0) + _below_legend(table, width)


def draw_table_bar(
    figure: Figure,
    *,
    table: PanelTable,
    kind: MapKind,
    limits: tuple[float, float],
    beyond: tuple[bool, bool] = (False, False),
    under: Sequence[Axes] = (),
) -> Figure:
    """Draw a colour bar below a table of panels.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure made by :func:`draw_panel_table`.
    table : PanelTable
        What surrounds its panels.
    kind : MapKind
        Colours and words.
    limits : tuple = (smallest, largest)
        Ends of the scale.
    beyond : tuple of bool
        Whether values lie below and above the scale; draws pointed ends.
    under : sequence of Axes
        Panels whose middle the bar lies under; all without them.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The same figure.

    Examples
    --------
    >>> from geosoil.plotting.projection import projection_for
    >>> from geosoil.plotting.scales import KINDS
    >>> table = PanelTable(("June",), columns=1)
    >>> figure, _ = draw_panel_table(
    ...     (0.0, 2.0, 0.0, 1.0), projection_for((90.0, 31.0, 102.0, 36.0)), table=table
    ... )
    >>> kind = KINDS["correlation"]
    >>> figure = draw_table_bar(figure, table=table, kind=kind, limits=(-1.0, 1.0))
    >>> figure.axes[-1].get_xlabel()
    'correlation coefficient r [1]'
    """
    width, height = (float(size) for size in figure.get_size_inches())
    boxes = [axes.get_position(original=True) for axes in under or figure.axes]
    left, right = min(b.x0 for b in boxes) * width, max(b.x1 for b in boxes) * width
    draw_colour_bar(figure, kind=kind, limits=limits, frame=MapFrame(), beyond=beyond)
    length = min(4.0, 0.75 * (right - left))
    bottom = _footer(table, width) - _BAR_TOP
    middle = (left + right) / 2.0
    box = (
        (middle - length / 2) / width,
        bottom / height,
        length / width,
        0.11 / height,
    )
    figure.axes[-1].set_position(box)
    return figure


def draw_table_legend(
    figure: Figure, handles: Sequence[Artist], *, table: PanelTable
) -> Figure:
    """Draw the one line of legend of a table of panels.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure made by :func:`draw_panel_table`.
    handles : sequence of Artist
        Labelled artists; none draws nothing.
    table : PanelTable
        What surrounds its panels.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The same figure.

    Examples
    --------
    >>> from matplotlib.lines import Line2D
    >>> line = Line2D([], [], label="rivers")
    >>> figure = draw_table_legend(Figure(), [line], table=PanelTable(("June",)))
    >>> figure.legends[0].get_texts()[0].get_text()
    'rivers'
    """
    draw_legend(figure, handles, frame=MapFrame(), columns=len(handles))
    width, height = (float(size) for size in figure.get_size_inches())
    for legend in figure.legends:
        legend.set_bbox_to_anchor((0.5, (_below_legend(table, width) + 0.03) / height))
    return figure
