"""The dual-isotope diagram: waters of each period with their lines and bands."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from geosoil.plotting.corners import clear_corners, write_corner
from geosoil.plotting.diagram_page import (
    DiagramPage,
    add_panels,
    open_diagram,
    panel_rows,
    share_frame,
)
from geosoil.plotting.legends import legend_below
from geosoil.plotting.line_drawing import (
    METEORIC,
    draw_water_line,
    line_look,
    line_reach,
    meteoric_handles,
)
from geosoil.plotting.page import panel_title
from geosoil.plotting.style import (
    AXIS_LABELS,
    SCREEN,
    WATER_STYLES,
    FigurePreset,
    house_style,
    water_style,
)
from geosoil.plotting.tables import check_columns, panel_periods, rows_of
from geosoil.tracers.delta import Line
from geosoil.tracers.lines import GMWL

_DRAWN_FIRST = ("soil", "supra_permafrost", "river", "precipitation")


def draw_dual_isotope(
    axes: Axes, samples: pd.DataFrame, *, lines: Mapping[str, Line]
) -> Axes:
    """Draw waters and water lines in d18O and d2H.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel; its limits are kept where they are already set by other panels.
    samples : DataFrame
        Columns ``water``, ``d18O``, ``d2H`` [permil].
    lines : mapping of str to object with slope and intercept
        Lines by their short names (GMWL, LMWL, LEL); a fitted `WaterLine` gets its
        95 % confidence band.

    Returns
    -------
    axes : matplotlib.axes.Axes
        The same panel; the equation of the LEL, with R² and n where they are known,
        stands in its corner.

    Raises
    ------
    InputError
        If a column is missing.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> table = pd.DataFrame({"water": ["soil"], "d18O": [-12.0], "d2H": [-90.0]})
    >>> line = SimpleNamespace(slope=8.0, intercept=10.0)
    >>> axes = draw_dual_isotope(Figure().subplots(), table, lines={"GMWL": line})
    >>> axes.lines[0].get_label()
    'GMWL: δ²H = 8.00 δ¹⁸O + 10.00'
    """
    check_columns(list(samples.columns), ["water", "d18O", "d2H"], "sample table")
    for order, water in enumerate(_drawing_order(samples)):
        rows = samples[samples["water"] == water]
        style = water_style(water, order=order)
        size = 22.0 if water == "snowmelt" else 8.0
        axes.scatter(
            rows["d18O"],
            rows["d2H"],
            s=size,
            marker=style.marker,
            c=style.colour,
            alpha=0.75,
            edgecolors="white",
            linewidths=0.2,
            label=style.label,
            zorder=2 + 0.1 * order,
        )
    reach = line_reach(samples)
    for name, line in lines.items():
        look = line_look(name, line)
        draw_water_line(axes, line, reach=reach, look=look)
        if name not in METEORIC:
            write_corner(axes, look.label)
    axes.set_xlabel(AXIS_LABELS["d18O"])
    axes.set_ylabel(AXIS_LABELS["d2H"])
    axes.grid(visible=True)
    return axes


def _drawing_order(samples: pd.DataFrame) -> list[str]:
    """Return the waters of a table, the most crowded kinds first (below)."""
    waters = [str(water) for water in samples["water"].dropna().unique()]
    first = [water for water in _DRAWN_FIRST if water in waters]
    return first + [water for water in waters if water not in first]


def figure_dual_isotope(
    samples: pd.DataFrame,
    *,
    lmwl: Line,
    lines_by_period: Mapping[str, Line],
    title: str = "",
    note: str | None = None,
    preset: FigurePreset = SCREEN,
) -> Figure:
    """Compose the dual-isotope diagram, one panel a period.

    Parameters
    ----------
    samples : DataFrame
        Columns ``water``, ``period``, ``d18O``, ``d2H`` [permil]. Rows without a
        period are drawn in every panel.
    lmwl : object with slope and intercept
        Local meteoric water line, drawn beside the global one.
    lines_by_period : mapping of str to object with slope and intercept
        Local evaporation line of soil water by period; a period may be absent.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom, for instance that the data are simulated.
    preset : FigurePreset
        For whom the figure is drawn.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Panels with common axes that hold every sample, the equation of its LEL in
        each, one legend of waters and meteoric lines.

    Raises
    ------
    InputError
        If a column is missing or no sample has a period.

    References
    ----------
    Craig, H. (1961), Isotopic variations in meteoric waters, Science 133,
    doi:10.1126/science.133.3465.1702.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> table = pd.DataFrame(
    ...     {"water": ["soil"], "period": ["June"], "d18O": [-12.0], "d2H": [-90.0]}
    ... )
    >>> line = SimpleNamespace(slope=8.0, intercept=10.0)
    >>> figure = figure_dual_isotope(table, lmwl=line, lines_by_period={})
    >>> len(figure.axes)
    1
    """
    needed = ["water", "period", "d18O", "d2H"]
    check_columns(list(samples.columns), needed, "sample table")
    periods = panel_periods(samples)
    page = DiagramPage(title, note, preset)
    meteoric = {"GMWL": GMWL, "LMWL": lmwl}
    with house_style():
        rows = panel_rows(len(periods), page)
        width = 9.0 if page.is_narrow else 0.6 + 2.8 * min(3, len(periods))
        tall = 1.85 if page.is_narrow else 2.9
        figure = open_diagram(page, width=width, height=1.0 + tall * rows)
        panels = add_panels(figure, len(periods), page)
        for order, (axes, period) in enumerate(zip(panels, periods, strict=True)):
            lines = dict(meteoric)
            if period in lines_by_period:
                lines["LEL"] = lines_by_period[period]
            own = samples[rows_of(samples, period)]
            draw_dual_isotope(axes, own, lines=lines)
            text = f"{period}, n = {len(own)}"
            panel_title(axes, text, order=order, panels=len(periods))
        share_frame(panels)
        legend_below(figure, [*_water_handles(samples), *meteoric_handles(meteoric)])
        return clear_corners(figure)


def _water_handles(samples: pd.DataFrame) -> list[Artist]:
    """Return one legend entry for each kind of water in a table."""
    present = set(samples["water"].dropna())
    waters = [water for water in WATER_STYLES if water in present]
    waters += sorted(str(water) for water in present - set(WATER_STYLES))
    handles: list[Artist] = []
    for order, water in enumerate(waters):
        style = water_style(water, order=order)
        handles.append(
            Line2D(
                [],
                [],
                linestyle="none",
                marker=style.marker,
                color=style.colour,
                markersize=6.5 if water == "snowmelt" else 4.5,
                markeredgewidth=0.0,
                label=style.label,
            )
        )
    return handles
