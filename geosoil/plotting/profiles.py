"""Depth profiles: the mean water of each soil layer and its standard error."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from geosoil.plotting.diagram_page import DiagramPage, open_diagram
from geosoil.plotting.legends import legend_below
from geosoil.plotting.page import panel_title
from geosoil.plotting.strata_looks import stratum_words
from geosoil.plotting.style import AXIS_LABELS, SCREEN, FigurePreset, house_style
from geosoil.plotting.tables import check_columns, table_periods
from geosoil.strata import OUTSIDE

VALUES: tuple[str, ...] = ("d18O", "d2H", "d_excess")
"""Values of the three panels."""

_LOOKS = (
    ("#0072b2", "o"),
    ("#d55e00", "s"),
    ("#009e73", "^"),
    ("#cc79a7", "D"),
    ("#e69f00", "v"),
)
_SHIFT = 0.07


def figure_depth_profiles(
    layers: pd.DataFrame,
    *,
    title: str = "",
    note: str | None = None,
    preset: FigurePreset = SCREEN,
) -> Figure:
    """Compose depth profiles: a panel a value, a line a period.

    Parameters
    ----------
    layers : DataFrame
        A row a period and soil layer, as of `geosoil.tracers.group_table.group_table`
        with ``by`` "soil_layer": ``period``, ``stratum`` and, for d18O, d2H and
        d_excess, mean and ``_se`` [permil]; layers from the surface down.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom.
    preset : FigurePreset
        For whom the figure is drawn.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Panels with the surface at the top; bars are one standard error. A layer
        without samples is left out of its line.

    Raises
    ------
    InputError
        If a column is missing or no row has a period.

    Examples
    --------
    >>> table = pd.DataFrame({"period": "June", "stratum": ["0-20", "20-40"],
    ...     "d18O": [-12.0, -12.4], "d2H": [-90.0, -92.7], "d_excess": [6.0, 6.6],
    ...     "d18O_se": 0.2, "d2H_se": 1.5, "d_excess_se": 0.4})
    >>> figure = figure_depth_profiles(table)
    >>> len(figure.axes), len(figure.axes[0].get_yticklabels())
    (3, 2)
    """
    needed = ["period", "stratum", *VALUES, *(f"{name}_se" for name in VALUES)]
    check_columns(list(layers.columns), needed, "table of layers")
    rows = layers[layers["stratum"].notna() & (layers["stratum"] != OUTSIDE)]
    periods = table_periods(rows, "table of layers")
    depths = list(dict.fromkeys(map(str, rows["stratum"])))
    with house_style():
        page = DiagramPage(title, note, preset)
        figure = open_diagram(page, width=0.9 + 2.4 * len(VALUES), height=3.4)
        panels = figure.subplots(1, len(VALUES), sharey=True)
        for order, (axes, name) in enumerate(zip(panels, VALUES, strict=True)):
            for place, period in enumerate(periods):
                own = rows[rows["period"] == period].set_index("stratum")
                shift = (place - (len(periods) - 1) / 2.0) * _SHIFT
                _draw_profile(axes, own.reindex(depths), name, (place, shift))
            axes.set_xlabel(AXIS_LABELS[name])
            axes.grid(visible=True, axis="x")
            axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
            words = AXIS_LABELS[name].partition(" [")[0]
            panel_title(axes, words, order=order, panels=len(VALUES))
        panels[0].set_ylim(len(depths) - 0.5, -0.5)
        ticks = [stratum_words("soil_layer", depth) for depth in depths]
        panels[0].set_yticks(range(len(depths)), ticks)
        legend_below(figure, [_handle(at, name) for at, name in enumerate(periods)])
    return figure


def _draw_profile(
    axes: Axes, layers: pd.DataFrame, name: str, place: tuple[int, float]
) -> None:
    """Draw one period's profile, moved a little so that bars do not hide each other."""
    order, shift = place
    colour, marker = _LOOKS[order % len(_LOOKS)]
    mean = layers[name].to_numpy(dtype=float)
    there = np.isfinite(mean)
    axes.errorbar(
        mean[there],
        np.flatnonzero(there) + shift,
        xerr=np.nan_to_num(layers[f"{name}_se"].to_numpy(dtype=float)[there]),
        color=colour,
        marker=marker,
        markersize=4.0,
        linewidth=1.0,
        elinewidth=0.8,
        capsize=2.0,
    )


def _handle(order: int, period: str) -> Line2D:
    colour, marker = _LOOKS[order % len(_LOOKS)]
    return Line2D(
        [], [], color=colour, marker=marker, markersize=4.0, label=f"{period} ± SE"
    )
