"""A table of equal map panels: words left of its rows, bars and caption below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from geosoil.errors import InputError
from geosoil.plotting.page import fitting_columns, write_note
from geosoil.plotting.panel_layout import (
    PanelTable,
    TableLayout,
    footer_room,
    legend_bottom,
    note_room,
    remark_text,
    table_layout,
    title_rows,
    title_text,
)
from geosoil.plotting.panels import MapFrame, draw_colour_bar, draw_legend, map_panel
from geosoil.plotting.picture import name_figure
from geosoil.plotting.projection import Extent
from geosoil.plotting.scales import MapKind, colour_map
from geosoil.plotting.style import INK, LARGE, NORMAL, SMALL

__all__ = [
    "PanelTable",
    "draw_panel_table",
    "draw_row_bar",
    "draw_table_bar",
    "draw_table_legend",
    "with_legend",
]

_BAR_TOP, _REMARK_LINE, _WORDS_LINE = 0.13, 9.0, 0.125
_STEPS = (1, 2, 2.5, 5, 10)
_TICK_ROOM = 0.42
"""Width of the number at a tick of a horizontal colour bar [inch]."""


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
    layout = table_layout(table, aspect)
    width, height = layout.size
    figure = name_figure(Figure(figsize=layout.size), table.title, table.caption)
    panels = []
    for order in range(len(table.titles)):
        row, column = divmod(order, table.columns)
        x, y = layout.lefts[column], height - layout.tops[row] - layout.panel[1]
        box = (x / width, y / height, *_shares(layout.panel, layout.size))
        panels.append(map_panel(figure, box, extent, projection))
    _write_titles(panels, table, layout)
    _write_rows(figure, layout)
    _write_words(figure, table)
    return figure, panels


def _shares(
    size: tuple[float, float], whole: tuple[float, float]
) -> tuple[float, float]:
    """Return a width and a height as parts of those of the figure."""
    return size[0] / whole[0], size[1] / whole[1]


def _write_titles(panels: list[Axes], table: PanelTable, layout: TableLayout) -> None:
    """Write titles and remarks above the panels, in one line where they fit."""
    remarks = [*table.remarks, *[""] * len(panels)]
    for order, axes in enumerate(panels):
        lines = title_rows(table, order // table.columns, layout.panel[0])
        title = title_text(table.lettered[order], layout.panel[0])
        remark = remark_text(remarks[order], layout.panel[0])
        left = axes.set_title(title, loc="left", pad=4.0)
        small = axes.set_title(remark, loc="right", pad=4.0, fontweight="normal")
        small.set_fontsize(SMALL)
        # The pad of a title is that of all titles of its panel, so it is moved last.
        up = (4.0 + _REMARK_LINE * lines.count("remark")) / 72.0
        scale = axes.figure.dpi_scale_trans
        left.set_transform(axes.transAxes + ScaledTranslation(0.0, up, scale))


def _write_rows(figure: Figure, layout: TableLayout) -> None:
    """Write the words of the rows, upright along them or above them."""
    width, height = layout.size
    side = 0.09 + _WORDS_LINE * max(t.count("\n") + 1 for t in (*layout.words, "")) / 2
    places = zip(layout.words, layout.tops, layout.heads, strict=False)
    for text, top, head in places:
        middle = 1.0 - (top + layout.panel[1] / 2) / height
        above = 1.0 - head / height
        if text and layout.upright:
            figure.text(
                side / width, middle, text, rotation=90, ha="center", va="center",
                multialignment="center", fontsize=NORMAL, fontweight="bold",
            )  # fmt: skip
        elif text:
            figure.text(
                layout.lefts[0] / width, above, text, ha="left", va="bottom",
                fontsize=NORMAL, fontweight="bold",
            )  # fmt: skip


def _write_words(figure: Figure, table: PanelTable) -> None:
    """Write title, caption and note."""
    width, height = (float(size) for size in figure.get_size_inches())
    if table.drawn_title:
        figure.suptitle(
            table.drawn_title,
            fontsize=LARGE,
            x=0.1 / width,
            y=1.0 - 0.06 / height,
            ha="left",
            va="top",
        )
    if table.drawn_caption:
        figure.text(
            0.1 / width,
            note_room(table) / height,
            "\n".join(table.drawn_caption),
            ha="left",
            va="bottom",
            fontsize=SMALL,
            color=INK,
            linespacing=1.15,
            gid="caption",
        )
    write_note(figure, table.note)


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
    bottom = footer_room(table) - _BAR_TOP
    middle = (left + right) / 2.0
    box = (
        (middle - length / 2) / width,
        bottom / height,
        length / width,
        0.11 / height,
    )
    bar = figure.axes[-1]
    bar.set_position(box)
    bar.xaxis.set_major_locator(
        MaxNLocator(_ticks(length / _TICK_ROOM, 9), steps=_STEPS)
    )
    return figure


def draw_table_legend(
    figure: Figure, handles: Sequence[Artist], *, table: PanelTable
) -> Figure:
    """Draw the legend of a table of panels, in as many columns as fit its width.

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
    columns = fitting_columns(handles, table.width)
    draw_legend(figure, handles, frame=MapFrame(), columns=columns)
    height = float(figure.get_size_inches()[1])
    if handles:
        place = (0.5, (legend_bottom(table) + 0.03) / height)
        figure.legends[-1].set_bbox_to_anchor(place)
    return figure


def _ticks(room: float, most: int) -> int:
    """Return how many steps a colour bar has between its ticks."""
    return max(2, min(most, int(room)))


def with_legend(table: PanelTable, handles: Sequence[Artist]) -> PanelTable:
    """Return a table of panels with room for a legend.

    Parameters
    ----------
    table : PanelTable
        What surrounds the panels.
    handles : sequence of Artist
        Labelled artists of the legend; none takes no room.

    Returns
    -------
    table : PanelTable
        The same with the rows of the legend.

    Examples
    --------
    >>> from matplotlib.lines import Line2D
    >>> lines = [Line2D([], [], label="not significant") for _ in range(9)]
    >>> with_legend(PanelTable(("June",), columns=1), lines).legend_rows
    3
    """
    columns = fitting_columns(handles, table.width)
    rows = -(-len(handles) // columns)
    return replace(table, legend=bool(handles), legend_rows=max(rows, 1))


def draw_row_bar(
    figure: Figure,
    row: Sequence[Axes],
    *,
    kind: MapKind,
    limits: tuple[float, float],
    beyond: tuple[bool, bool] = (False, False),
) -> Axes:
    """Draw the upright colour bar of a row of panels right of it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure made by :func:`draw_panel_table`.
    row : sequence of Axes
        Panels of the row.
    kind : MapKind
        Colours and words.
    limits : tuple = (smallest, largest)
        Ends of the scale.
    beyond : tuple of bool
        Whether values lie below and above the scale; draws pointed ends.

    Returns
    -------
    bar : matplotlib.axes.Axes
        The bar.

    Examples
    --------
    >>> from geosoil.plotting.projection import projection_for
    >>> from geosoil.plotting.scales import KINDS
    >>> figure, row = draw_panel_table(
    ...     (0.0, 2.0, 0.0, 1.0),
    ...     projection_for((90.0, 31.0, 102.0, 36.0)),
    ...     table=PanelTable(("June",), columns=1, beside=0.6, bar=False),
    ... )
    >>> bar = draw_row_bar(figure, row, kind=KINDS["ndvi"], limits=(0.0, 1.0))
    >>> bar.get_ylabel()
    'NDVI [1]'
    """
    width, height = (float(size) for size in figure.get_size_inches())
    box = row[-1].get_position(original=True)
    tall = 0.92 * box.height
    place = (box.x1 + 0.07 / width, box.y0 + 0.04 * box.height, 0.08 / width, tall)
    bar = figure.add_axes(place, label="colour bar")
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}
    colours = figure.colorbar(
        ScalarMappable(Normalize(*limits), colour_map(kind.palette)),
        cax=bar,
        extend=extend.get(beyond, "neither"),
    )
    colours.set_label(kind.label, fontsize=SMALL, labelpad=1.5)
    bar.tick_params(labelsize=SMALL, pad=1.5)
    bar.yaxis.set_major_locator(
        MaxNLocator(_ticks(tall * height / 0.2, 6), steps=_STEPS)
    )
    return bar
