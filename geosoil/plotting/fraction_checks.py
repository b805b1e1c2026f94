"""What fraction maps rest on: predictions of sites left out, variograms, variants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from geosoil.errors import InputError
from geosoil.interpolation.variogram import AnyVariogram
from geosoil.plotting.corners import clear_corners, drawn_points, write_corner
from geosoil.plotting.diagram_page import (
    DiagramPage,
    keep_outer_words,
    open_diagram,
    share_frame,
)
from geosoil.plotting.legends import legend_below, wrapped
from geosoil.plotting.page import panel_title
from geosoil.plotting.style import DASH, INK, SCREEN, FigurePreset, house_style
from geosoil.plotting.tables import check_columns

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
_MARKERS = ("o", "s", "^", "D", "v")


def figure_fraction_validation(
    predictions: pd.DataFrame,
    *,
    remarks: Mapping[tuple[str, str], str] | None = None,
    title: str = "",
    note: str | None = None,
    preset: FigurePreset = SCREEN,
) -> Figure:
    """Compose predictions of sites left out by observed fractions, a panel each.

    Parameters
    ----------
    predictions : DataFrame
        One row a site and source: ``period``, ``source``, ``observed``, ``predicted``.
    remarks : mapping of (period, source) to str, optional
        Words in the panel, such as its scores.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom.
    preset : FigurePreset
        For whom the figure is drawn.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Rows are sources, columns periods. Raw fractions that were observed may lie
        outside of 0 to 1, which is shaded; predictions may not.

    Raises
    ------
    InputError
        If a column is missing or there is no row.

    Examples
    --------
    >>> table = pd.DataFrame({"period": "June", "source": ["rain", "ice"],
    ...     "observed": [0.4, 0.6], "predicted": [0.5, 0.5]})
    >>> [axes.get_title(loc="left") for axes in figure_fraction_validation(table).axes]
    ['(a) rain, June', '(b) ice, June']
    """
    names = ["period", "source", "observed", "predicted"]
    check_columns(list(predictions.columns), names, "table of predictions")
    cells = _panels(predictions)
    remarks = remarks or {}
    with house_style():
        page = DiagramPage(title, note, preset)
        figure, panels = _open(cells, page)
        for order, (axes, cell) in enumerate(zip(panels, cells, strict=True)):
            own = _part(predictions, cell).dropna(subset=["observed", "predicted"])
            _draw_scatter(axes, own)
            _name_panel(axes, cell, order, page)
            if cell in remarks:
                lines = remarks[cell].splitlines()
                room = 72.0 * _panel_width(figure, cells)
                write_corner(axes, "\n".join(wrapped(x, width=room) for x in lines))
        keep_outer_words(panels)
        clear_corners(figure)
    return figure


def figure_fraction_variograms(
    variograms: Sequence[tuple[str, str, str, AnyVariogram, float]],
    *,
    title: str = "",
    note: str | None = None,
    preset: FigurePreset = SCREEN,
) -> Figure:
    """Compose the variograms of fractions, a panel a source and period.

    Parameters
    ----------
    variograms : sequence of (period, source, domain, Variogram, noise)
        Fitted variograms with the report of their fit; the domain names the sources
        that are possible; noise is the variance that the error of the mixing takes
        out of the nugget.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom.
    preset : FigurePreset
        For whom the figure is drawn.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Classes of distance and the model, noise included; one colour a domain.

    Raises
    ------
    InputError
        If there is no variogram.

    Examples
    --------
    >>> from geosoil.interpolation.variogram import fit_variogram
    >>> x = np.arange(40.0) * 100.0
    >>> fitted = fit_variogram(np.column_stack([x, 0 * x]), np.sin(x / 500.0))
    >>> figure = figure_fraction_variograms([("June", "rain", "rain, ice", fitted, 0)])
    >>> len(figure.axes[0].lines), len(figure.axes[0].collections)
    (1, 1)
    """
    if not variograms:
        message = "No variograms to draw. Give one or more."
        raise InputError(message)
    keys = pd.DataFrame([v[:2] for v in variograms], columns=["period", "source"])
    cells, domains = _panels(keys), list(dict.fromkeys(v[2] for v in variograms))
    with house_style():
        page = DiagramPage(title, note, preset)
        figure, panels = _open(cells, page)
        for order, (axes, cell) in enumerate(zip(panels, cells, strict=True)):
            for one in variograms:
                if one[:2] == cell:
                    _draw_variogram(axes, one, domains.index(one[2]))
            _name_panel(axes, cell, order, page)
            axes.set_xlabel("distance [km]")
            axes.set_ylabel("semivariance [1]")
            axes.set_xlim(left=0.0)
            axes.set_ylim(0.0, 1.08 * _highest(axes))
            axes.grid(visible=True)
        keep_outer_words(panels)
        handles = [_domain_handle(name, order) for order, name in enumerate(domains)]
        legend_below(figure, handles)
    return figure


def figure_fraction_variants(
    variants: pd.DataFrame,
    *,
    title: str = "",
    note: str | None = None,
    preset: FigurePreset = SCREEN,
) -> Figure:
    """Compose means by elevation band of a map and of what it would be otherwise.

    Parameters
    ----------
    variants : DataFrame
        ``period``, ``variant``, ``elevation_band`` ("all" for the region),
        ``source``, ``fraction``.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom.
    preset : FigurePreset
        For whom the figure is drawn.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Rows are sources, columns periods; a line a variant, bands from low to high and
        the whole region apart.

    Raises
    ------
    InputError
        If a column is missing or there is no row.

    Examples
    --------
    >>> table = pd.DataFrame({"period": "June", "variant": "as mapped",
    ...     "elevation_band": ["all", "3000-4000"], "source": "ice",
    ...     "fraction": [0.2, 0.1]})
    >>> len(figure_fraction_variants(table).axes)
    1
    """
    names = ["period", "variant", "elevation_band", "source", "fraction"]
    check_columns(list(variants.columns), names, "table of variants")
    cells = _panels(variants)
    bands = [b for b in dict.fromkeys(variants["elevation_band"]) if b != "all"]
    kinds = list(dict.fromkeys(variants["variant"]))
    with house_style():
        page = DiagramPage(title, note, preset)
        figure, panels = _open(cells, page, foot=0.9 if page.is_narrow else 0.5)
        for order, (axes, cell) in enumerate(zip(panels, cells, strict=True)):
            own = _part(variants, cell)
            for number, kind in enumerate(kinds):
                _draw_variant(axes, own[own["variant"] == kind], bands, number)
            _name_panel(axes, cell, order, page)
            labels = [*(band.replace("-", DASH) for band in bands), "region"]
            turn = 90.0 if page.is_narrow else 30.0
            axes.set_xticks(range(len(labels)), labels, rotation=turn)
            for label in axes.get_xticklabels():
                label.set(ha="center" if page.is_narrow else "right")
            axes.axvline(len(bands) - 0.5, color="#bbbbbb", linewidth=0.6)
            axes.set_ylim(-0.03, 1.03)
            axes.set_xlabel("elevation band [m]")
            axes.set_ylabel("mean share [1]")
            axes.grid(visible=True, axis="y")
        share_frame(panels)
        panels[0].set(xlim=(-0.5, len(bands) + 0.5), ylim=(-0.03, 1.03))
        handles = [_variant_handle(kind, order) for order, kind in enumerate(kinds)]
        legend_below(figure, handles)
    return figure


def _panels(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the panels that hold something, (period, source), row by row."""
    if table.empty:
        message = "There is nothing to draw: the table has no row."
        raise InputError(message)
    there = set(zip(table["period"], table["source"], strict=True))
    sources, periods = (list(dict.fromkeys(table[c])) for c in ("source", "period"))
    both = ((str(p), str(s)) for s, p in product(sources, periods))
    return [cell for cell in both if cell in there]


def _open(
    cells: list[tuple[str, str]], page: DiagramPage, *, foot: float = 0.0
) -> tuple[Figure, list[Axes]]:
    """Make a figure with a row a source and a column a period.

    The foot [inch] is room for words below every row that ends a column.
    """
    sources = list(dict.fromkeys(source for _, source in cells))
    periods = list(dict.fromkeys(period for period, _ in cells))
    rows, columns = len(sources), len(periods)
    tall = 1.75 if page.is_narrow else 2.4
    lowest = {max(sources.index(s) for p, s in cells if p == own) for own in periods}
    height = 1.0 + tall * rows + foot * len(lowest)
    figure = open_diagram(page, width=0.6 + 2.8 * columns, height=height)
    grid = figure.add_gridspec(rows, columns)
    panels = [
        figure.add_subplot(grid[sources.index(source), periods.index(period)])
        for period, source in cells
    ]
    return figure, panels


def _panel_width(figure: Figure, cells: list[tuple[str, str]]) -> float:
    """Return about how wide a panel is [inch]."""
    columns = len({period for period, _ in cells})
    return float(figure.get_size_inches()[0]) / columns - 0.55


def _name_panel(
    axes: Axes, cell: tuple[str, str], order: int, page: DiagramPage
) -> None:
    """Write source and period above a panel, on two lines where it is narrow."""
    period, source = cell
    words = f"{source},\n{period}" if page.is_narrow else f"{source}, {period}"
    count = len(axes.get_figure(root=True).axes)  # type: ignore[union-attr]  # never None
    panel_title(axes, words.replace("_", " "), order=order, panels=count)


def _part(table: pd.DataFrame, cell: tuple[str, str]) -> pd.DataFrame:
    """Rows of one panel."""
    return table[(table["period"] == cell[0]) & (table["source"] == cell[1])]


def _draw_scatter(axes: Axes, own: pd.DataFrame) -> None:
    """Draw predicted by observed fractions, and where they are equal."""
    low = min(0.0, float(own["observed"].min())) if len(own) else 0.0
    high = max(1.0, float(own["observed"].max())) if len(own) else 1.0
    margin = 0.04 * (high - low)
    limits = (low - margin, high + margin)
    axes.axvspan(limits[0], 0.0, color="#eeeeee", zorder=0)
    axes.axvspan(1.0, limits[1], color="#eeeeee", zorder=0)
    axes.plot([0.0, 1.0], [0.0, 1.0], color=INK, linewidth=0.8, ls="--", zorder=1)
    axes.scatter(
        own["observed"],
        own["predicted"],
        s=9.0,
        c=_COLOURS[0],
        edgecolors="none",
        alpha=0.6,
        zorder=3,
    )
    # Room above 1 for the remark.
    axes.set(xlim=limits, ylim=(-0.04, 1.3), yticks=np.linspace(0.0, 1.0, 6))
    axes.set_xlabel("raw site fraction")
    axes.set_ylabel("predicted without its block")
    axes.grid(visible=True)


def _draw_variogram(
    axes: Axes, one: tuple[str, str, str, AnyVariogram, float], order: int
) -> None:
    """Draw the classes and the model of one domain."""
    _, _, _, fitted, noise = one
    colour, classes = _COLOURS[order % len(_COLOURS)], None
    if fitted.fit is not None:
        classes = fitted.fit.classes
    longest = fitted.range_ if classes is None else float(classes["distance"].max())
    if classes is not None and len(classes):
        share = classes["n"].to_numpy(dtype=float) / float(classes["n"].max())
        axes.scatter(
            classes["distance"] / 1000.0,
            classes["gamma"],
            s=6.0 + 30.0 * share,
            color=colour,
            marker=_MARKERS[order % len(_MARKERS)],
            alpha=0.8,
            linewidths=0.0,
            zorder=3,
        )
    h = np.linspace(longest * 1e-6, longest * 1.03, 200)
    axes.plot(h / 1000.0, fitted.gamma(h) + noise, color=colour, linewidth=1.2)


def _highest(axes: Axes) -> float:
    """Return the highest semivariance drawn, above 0."""
    points = drawn_points(axes)
    return float(points[:, 1].max()) if len(points) else 1.0


def _domain_handle(name: str, order: int) -> Artist:
    return Line2D(
        [],
        [],
        color=_COLOURS[order % len(_COLOURS)],
        marker=_MARKERS[order % len(_MARKERS)],
        markersize=4.0,
        label=f"where {name.replace('_', ' ')} can be",
    )


def _draw_variant(axes: Axes, own: pd.DataFrame, bands: list[str], order: int) -> None:
    """Draw the means of one variant: its bands joined, the region apart."""
    found = own.set_index("elevation_band")["fraction"]
    # Beside each other, so that equal answers do not hide one another.
    shift = 0.08 * (order - 1.5)
    x = np.arange(len(bands)) + shift
    look = {
        "color": _COLOURS[order % len(_COLOURS)],
        "marker": _MARKERS[order % len(_MARKERS)],
        "markersize": 4.0,
        "linewidth": 1.0,
    }
    axes.plot(x, found.reindex(bands).to_numpy(dtype=float), **look)  # type: ignore[arg-type]  # kinds differ
    whole = found.reindex(["all"]).to_numpy(dtype=float)
    axes.plot([len(bands) + shift], whole, **look)  # type: ignore[arg-type]  # kinds differ


def _variant_handle(kind: str, order: int) -> Artist:
    return Line2D(
        [],
        [],
        color=_COLOURS[order % len(_COLOURS)],
        marker=_MARKERS[order % len(_MARKERS)],
        markersize=4.0,
        linewidth=1.0,
        label=kind,
    )
