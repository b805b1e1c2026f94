"""Waters traced back along a slope of evaporation to the meteoric line."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from geosoil.errors import InputError
from geosoil.plotting.corners import clear_corners, say_empty
from geosoil.plotting.diagram_page import (
    DiagramPage,
    add_panels,
    open_diagram,
    panel_rows,
    share_frame,
)
from geosoil.plotting.legends import legend_below
from geosoil.plotting.line_drawing import (
    LineLook,
    draw_water_line,
    equation,
    line_reach,
)
from geosoil.plotting.page import panel_title
from geosoil.plotting.style import (
    AXIS_LABELS,
    INK,
    SCREEN,
    WATER_STYLES,
    FigurePreset,
    house_style,
)
from geosoil.plotting.tables import check_columns, rows_of, table_periods
from geosoil.tracers.delta import Line, lc_excess
from geosoil.tracers.lines import GMWL

_SOURCE = WATER_STYLES["precipitation"].colour
_WATER = WATER_STYLES["soil"].colour


def draw_trajectories(
    axes: Axes, samples: pd.DataFrame, *, lmwl: Line, slope: float
) -> Axes:
    """Draw arrows from waters to where they started on the meteoric line.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    samples : DataFrame
        Columns ``d18O``, ``d2H`` [permil], such as the mean water of each site.
    lmwl : object with slope and intercept
        Local meteoric water line.
    slope : float
        Slope of evaporation, below that of the meteoric line.

    Returns
    -------
    axes : matplotlib.axes.Axes
        The same panel. Waters above the line get no arrow: they have not evaporated.

    Raises
    ------
    InputError
        If a column is missing or the slope is not below the meteoric line's.

    Notes
    -----
    x0 = x + lc / (a_L - S), lc the line-conditioned excess; y0 on the line.

    References
    ----------
    Benettin et al. (2018), HESS 22, 2881-2890, doi:10.5194/hess-22-2881-2018.

    Examples
    --------
    >>> from geosoil.tracers.lines import GMWL
    >>> table = pd.DataFrame({"d18O": [-10.0], "d2H": [-80.0]})
    >>> axes = draw_trajectories(Figure().subplots(), table, lmwl=GMWL, slope=3.0)
    >>> axes.collections[-1].get_offsets().tolist()
    [[-12.0, -86.0]]
    """
    check_columns(list(samples.columns), ["d18O", "d2H"], "sample table")
    if not slope < lmwl.slope:
        message = (
            f"Invalid slope of evaporation {slope:g}: it must be below that of the "
            f"meteoric line, {lmwl.slope:g}."
        )
        raise InputError(message)
    d18O, d2H = (samples[name].to_numpy(dtype=float) for name in ("d18O", "d2H"))
    excess = lc_excess(d18O, d2H, lmwl)
    below = excess < 0
    start = d18O[below] + excess[below] / (lmwl.slope - slope)
    on_line = lmwl.slope * start + lmwl.intercept
    axes.scatter(d18O, d2H, s=9.0, c=_WATER, edgecolors="none", alpha=0.8, zorder=3)
    axes.quiver(
        d18O[below],
        d2H[below],
        start - d18O[below],
        on_line - d2H[below],
        angles="xy",
        scale_units="xy",
        scale=1.0,
        color=_WATER,
        alpha=0.4,
        width=0.003,
        headwidth=4.0,
        zorder=2,
    )
    axes.scatter(
        start, on_line, s=9.0, facecolors="white", edgecolors=_SOURCE, lw=0.7, zorder=5
    )
    return axes


def figure_trajectories(
    samples: pd.DataFrame,
    *,
    lmwl: Line,
    slopes: Mapping[str, float],
    title: str = "",
    note: str | None = None,
    preset: FigurePreset = SCREEN,
) -> Figure:
    """Compose waters traced back to the meteoric line, one panel a period.

    Parameters
    ----------
    samples : DataFrame
        Columns ``period``, ``d18O``, ``d2H`` [permil].
    lmwl : object with slope and intercept
        Local meteoric water line.
    slopes : mapping of str to float
        Slope of evaporation of each period; a period without one has no arrows and
        says so.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom.
    preset : FigurePreset
        For whom the figure is drawn.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Panels with common axes.

    Raises
    ------
    InputError
        If a column is missing, no sample has a period or a slope is not below the
        meteoric line's.

    Examples
    --------
    >>> from geosoil.tracers.lines import GMWL
    >>> table = pd.DataFrame({"period": ["June"], "d18O": [-10.0], "d2H": [-80.0]})
    >>> figure = figure_trajectories(table, lmwl=GMWL, slopes={"June": 3.0})
    >>> figure.axes[0].get_title(loc="left")
    'June, slope 3.00'
    """
    needed = ["period", "d18O", "d2H"]
    check_columns(list(samples.columns), needed, "sample table")
    periods = table_periods(samples, "sample table")
    with house_style():
        page = DiagramPage(title, note, preset)
        rows = panel_rows(len(periods), page)
        width = 9.0 if page.is_narrow else 0.6 + 2.8 * min(3, len(periods))
        tall = 1.85 if page.is_narrow else 2.7
        figure = open_diagram(page, width=width, height=0.9 + tall * rows)
        panels = add_panels(figure, len(periods), page)
        for order, period in enumerate(periods):
            axes = panels[order]
            own = samples[rows_of(samples, period)]
            words = period
            if period in slopes:
                draw_trajectories(axes, own, lmwl=lmwl, slope=slopes[period])
                words = f"{period}, slope {slopes[period]:.2f}"
            else:
                axes.scatter(own["d18O"], own["d2H"], s=9.0, c=_WATER, zorder=3)
                say_empty(axes, "no slope of evaporation")
            reach = line_reach(samples)
            draw_water_line(
                axes, GMWL, reach=reach, look=LineLook("GMWL", "#888888", ":")
            )
            draw_water_line(axes, lmwl, reach=reach, look=LineLook("LMWL", INK))
            axes.set_xlabel(AXIS_LABELS["d18O"])
            axes.set_ylabel(AXIS_LABELS["d2H"])
            axes.grid(visible=True)
            panel_title(axes, words, order=order, panels=len(periods))
        share_frame(panels)
        legend_below(figure, _handles(lmwl))
        return clear_corners(figure)


def _handles(lmwl: Line) -> list[Line2D]:
    sampled = Line2D([], [], color=_WATER, label="water sampled")
    before = Line2D([], [], color=_SOURCE, mfc="white", label="before evaporation")
    for dot in (sampled, before):
        dot.set(linestyle="none", marker="o", markersize=4.0)
    return [
        Line2D([], [], color="#888888", linestyle=":", label=equation("GMWL", GMWL)),
        Line2D([], [], color=INK, label=equation("LMWL", lmwl)),
        sampled,
        before,
    ]
