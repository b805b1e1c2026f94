"""The dual-isotope diagram: waters of each period with their lines and bands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from geosoil.plotting.page import bottom_legend, make_figure, panel_title, write_title
from geosoil.plotting.style import (
    AXIS_LABELS,
    INK,
    MINUS,
    SMALL,
    WATER_STYLES,
    house_style,
    water_style,
)
from geosoil.plotting.tables import check_columns, panel_periods, rows_of
from geosoil.tracers.bands import CLOSED, confidence_band
from geosoil.tracers.delta import Line
from geosoil.tracers.lines import WaterLine

_LOOKS: dict[str, tuple[str, str]] = {
    "GMWL": ("#888888", ":"),
    "LMWL": (INK, "-"),
    "LEL": (WATER_STYLES["soil"].colour, "--"),
}
_DRAWN_FIRST = ("soil", "supra_permafrost", "river", "precipitation")


def equation(name: str, line: Line) -> str:
    """Write the equation of a water line.

    Parameters
    ----------
    name : str
        Short name of the line.
    line : object with slope and intercept
        The line.

    Returns
    -------
    text : str
        Such as "LMWL: δ²H = 7.90 δ¹⁸O + 12.43", with true minus signs.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> equation("GMWL", SimpleNamespace(slope=8.0, intercept=10.0))
    'GMWL: δ²H = 8.00 δ¹⁸O + 10.00'
    """
    sign = MINUS if line.intercept < 0 else "+"
    slope = f"{line.slope:.2f}".replace("-", MINUS)
    return f"{name}: δ²H = {slope} δ¹⁸O {sign} {abs(line.intercept):.2f}"


def draw_dual_isotope(
    axes: Axes, samples: pd.DataFrame, *, lines: Mapping[str, Line]
) -> Axes:
    """Draw waters and water lines in d18O and d2H, equations in the legend.

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
        The same panel.

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
    >>> axes.get_legend().get_texts()[0].get_text()
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
    handles = []
    for name, line in lines.items():
        colour, dashes = _LOOKS.get(name, ("#332288", "-."))
        look = LineLook(equation(name, line), colour, dashes)
        handles.append(draw_water_line(axes, line, reach=reach, look=look))
    axes.legend(
        handles=handles,
        loc="lower right",
        fontsize=SMALL,
        handlelength=1.8,
        handletextpad=0.4,
        borderaxespad=0.2,
        labelspacing=0.3,
    )
    axes.set_xlabel(AXIS_LABELS["d18O"])
    axes.set_ylabel(AXIS_LABELS["d2H"])
    axes.grid(visible=True)
    return axes


def _drawing_order(samples: pd.DataFrame) -> list[str]:
    """Return the waters of a table, the most crowded kinds first (below)."""
    waters = [str(water) for water in samples["water"].dropna().unique()]
    first = [water for water in _DRAWN_FIRST if water in waters]
    return first + [water for water in waters if water not in first]


def line_reach(samples: pd.DataFrame) -> tuple[float, float]:
    """Return the d18O between which lines are drawn.

    Parameters
    ----------
    samples : DataFrame
        Column ``d18O`` [permil].

    Returns
    -------
    reach : tuple = (lowest, highest)
        One permil beyond the samples; -25 to 0 without any.

    Examples
    --------
    >>> line_reach(pd.DataFrame({"d18O": [-12.0, np.nan, -9.0]}))
    (-13.0, -8.0)
    """
    d18O = samples["d18O"].to_numpy(dtype=float)
    d18O = d18O[np.isfinite(d18O)]
    if d18O.size == 0:
        return -25.0, 0.0
    return float(d18O.min()) - 1.0, float(d18O.max()) + 1.0


@dataclass(frozen=True, slots=True)
class LineLook:
    """How a water line is drawn."""

    label: str
    """Words for the legend."""
    colour: str
    """Colour of line and band."""
    dashes: str = "-"
    """Line style."""
    width: float = 1.1
    """Line width [pt]."""


def draw_water_line(
    axes: Axes, line: Line, *, reach: tuple[float, float], look: LineLook
) -> Line2D:
    """Draw a water line, with its 95 % confidence band where its errors are known.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    line : object with slope and intercept
        The line; the band is that of a `WaterLine` fitted by a method that has one
        in closed form.
    reach : tuple = (lowest, highest)
        d18O between which it is drawn [permil].
    look : LineLook
        Words and colours.

    Returns
    -------
    drawn : matplotlib.lines.Line2D
        The line, for a legend.

    Examples
    --------
    >>> from geosoil.tracers.lines import GMWL
    >>> look = LineLook("GMWL", "#888888", ":")
    >>> axes = Figure().subplots()
    >>> draw_water_line(axes, GMWL, reach=(-20.0, 0.0), look=look).get_ydata().tolist()
    [-150.0, 10.0]
    """
    if isinstance(line, WaterLine) and _has_band(line):
        band = confidence_band(line, np.linspace(*reach, 60))
        axes.fill_between(
            band.d18O,
            band.lower,
            band.upper,
            color=look.colour,
            alpha=0.18,
            linewidth=0.0,
            zorder=1.5,
            gid="band",
        )
    ends = np.array(reach)
    (drawn,) = axes.plot(
        ends,
        line.slope * ends + line.intercept,
        color=look.colour,
        linestyle=look.dashes,
        linewidth=look.width,
        label=look.label,
        zorder=4,
    )
    return drawn


def _has_band(line: WaterLine) -> bool:
    return line.n > 2 and line.method in CLOSED and bool(np.isfinite(line.covariance))


def figure_dual_isotope(
    samples: pd.DataFrame,
    *,
    lmwl: Line,
    gmwl: Line,
    lines_by_period: Mapping[str, Line],
    title: str = "",
    note: str | None = None,
) -> Figure:
    """Compose the dual-isotope diagram, one panel a period.

    Parameters
    ----------
    samples : DataFrame
        Columns ``water``, ``period``, ``d18O``, ``d2H`` [permil]. Rows without a
        period are drawn in every panel.
    lmwl, gmwl : object with slope and intercept
        Local and global meteoric water line.
    lines_by_period : mapping of str to object with slope and intercept
        Local evaporation line of soil water by period; a period may be absent.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom, for instance that the data are simulated.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Panels with common axes, equations in each, one legend of the waters.

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
    >>> figure = figure_dual_isotope(table, lmwl=line, gmwl=line, lines_by_period={})
    >>> len(figure.axes)
    1
    """
    needed = ["water", "period", "d18O", "d2H"]
    check_columns(list(samples.columns), needed, "sample table")
    periods = panel_periods(samples)
    with house_style():
        figure = make_figure(0.6 + 2.75 * len(periods), 3.9, note=note)
        panels = figure.subplots(
            1, len(periods), squeeze=False, sharex=True, sharey=True
        )
        for order, period in enumerate(periods):
            lines = {"GMWL": gmwl, "LMWL": lmwl}
            if period in lines_by_period:
                lines["LEL"] = lines_by_period[period]
            rows = samples[rows_of(samples, period)]
            axes = draw_dual_isotope(panels[0, order], rows, lines=lines)
            axes.label_outer()
            text = f"{period}, n = {len(rows)}"
            panel_title(axes, text, order=order, panels=len(periods))
        write_title(figure, title)
        handles = _water_handles(samples)
        bottom_legend(figure, handles, columns=min(len(handles), 6))
    return figure


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
