"""Groups of samples and their lines in d18O and d2H, as in the paper's Figs 4 and 5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from geosoil.plotting.isotopes import LineLook, draw_water_line, equation, line_reach
from geosoil.plotting.page import bottom_legend, make_figure, panel_title, write_title
from geosoil.plotting.scales import colour_map
from geosoil.plotting.style import (
    AXIS_LABELS,
    DASH,
    INK,
    MINUS,
    SMALL,
    WATER_STYLES,
    house_style,
)
from geosoil.plotting.tables import check_columns, rows_of, table_periods
from geosoil.strata import OUTSIDE
from geosoil.tracers.delta import Line
from geosoil.tracers.lines import GMWL, WaterLine

ALL = "all"
"""Name of the stratum of every sample."""

_UNITS = {"elevation_band": " m", "soil_layer": " cm"}
_WORDS = {
    ALL: "all samples",
    "elevation_band": "elevation",
    "soil_layer": "soil layer",
}
_COLOURS = {
    ALL: WATER_STYLES["soil"].colour,
    "grassland": "#e69f00",
    "meadow": "#009e73",
    "forest": "#0072b2",
    "scrub": "#cc79a7",
    "desert": "#d55e00",
    "N": "#0072b2",
    "E": "#009e73",
    "S": "#d55e00",
    "W": "#e69f00",
    "flat": "#999999",
}
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")


@dataclass(frozen=True, slots=True)
class _Panel:
    """What one panel shows."""

    by: str
    """Column of the strata, or "all"."""
    samples: pd.DataFrame
    """Samples of the period."""
    lines: pd.DataFrame
    """Lines of the period and of ``by``, in order."""


def figure_isotope_groups(
    samples: pd.DataFrame,
    lines: pd.DataFrame,
    *,
    by: Sequence[str],
    lmwl: Line,
    title: str = "",
    note: str | None = None,
) -> Figure:
    """Compose groups and their lines: a row a kind of group, a column a period.

    Parameters
    ----------
    samples : DataFrame
        Samples of one water: ``period``, ``d18O``, ``d2H`` [permil] and the columns
        of ``by``.
    lines : DataFrame
        Rows of `geosoil.tracers.group_table.group_table`: ``period``, ``by``,
        ``stratum``, ``slope``, ``intercept``, ``reason``.
    by : sequence of str
        Rows of the figure: ``["soil_layer"]`` as in Fig 4 of the paper, ``["all",
        "elevation_band", "vegetation"]`` as in Fig 5.
    lmwl : object with slope and intercept
        Local meteoric water line, drawn with its band where its errors are known.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Panels with common axes; the lines of the groups stand in each panel, reaching
        as far as their samples.

    Raises
    ------
    InputError
        If a column is missing or no sample has a period.

    Examples
    --------
    >>> from geosoil.tracers.lines import GMWL
    >>> table = pd.DataFrame({"period": "June", "d18O": [-12.0, -9.0],
    ...     "d2H": [-90.0, -70.0]})
    >>> lines = pd.DataFrame({"period": ["June"], "by": "all", "stratum": "all",
    ...     "slope": 6.67, "intercept": -10.0, "reason": ""})
    >>> figure = figure_isotope_groups(table, lines, by=["all"], lmwl=GMWL)
    >>> figure.axes[0].get_legend().get_texts()[0].get_text().partition(":")[0]
    'all samples'
    """
    columns = [name for name in by if name != ALL]
    needed = ["period", "d18O", "d2H", *columns]
    check_columns(list(samples.columns), needed, "sample table")
    needed = ["period", "by", "stratum", "slope", "intercept", "reason"]
    check_columns(list(lines.columns), needed, "table of lines")
    periods = table_periods(samples, "sample table")
    shape = (len(by), len(periods))
    with house_style():
        figure = make_figure(0.6 + 2.75 * shape[1], 1.0 + 2.6 * shape[0], note=note)
        panels = figure.subplots(*shape, squeeze=False, sharex=True, sharey=True)
        for place, axes in enumerate(panels.flat):
            name, period = by[place // shape[1]], periods[place % shape[1]]
            chosen = lines[(lines["by"] == name) & (lines["period"] == period)]
            panel = _Panel(name, samples[rows_of(samples, period)], chosen)
            _draw_panel(axes, panel, lmwl)
            words = f"{period}, {_WORDS.get(name, name.replace('_', ' '))}"
            panel_title(axes, words, order=place, panels=shape[0] * shape[1])
            axes.label_outer()
        write_title(figure, title)
        bottom_legend(figure, _meteoric_handles(lmwl), columns=2)
    return figure


def group_colours(strata: Sequence[str]) -> list[str]:
    """Return a colour for each stratum of one kind.

    Parameters
    ----------
    strata : sequence of str
        Strata in their order.

    Returns
    -------
    colours : list of str
        Own colours of vegetation and aspect; else a scale from dark to light.

    Examples
    --------
    >>> group_colours(["meadow", "forest"])
    ['#009e73', '#0072b2']
    """
    if all(name in _COLOURS for name in strata):
        return [_COLOURS[name] for name in strata]
    places = np.linspace(0.05, 0.82, max(len(strata), 1))
    return [to_hex(colour_map("batlow")(place)) for place in places]


def stratum_words(by: str, stratum: str) -> str:
    """Write a stratum for people.

    Parameters
    ----------
    by : str
        Kind of stratum, a column.
    stratum : str
        Its label.

    Returns
    -------
    words : str
        With a dash and a unit where the label is a range.

    Examples
    --------
    >>> stratum_words("soil_layer", "0-20") == f"0{DASH}20 cm"
    True
    """
    if by == ALL:
        return _WORDS[ALL]
    low, dash, high = stratum.partition("-")
    if dash and low.isdigit() and high.isdigit():
        return f"{low}{DASH}{high}{_UNITS.get(by, '')}"
    return stratum.replace("_", " ")


def _draw_panel(axes: Axes, panel: _Panel, lmwl: Line) -> None:
    """Draw the groups of one panel with their lines and the meteoric lines."""
    reach = line_reach(panel.samples)
    look = LineLook("GMWL", "#888888", ":")
    draw_water_line(axes, GMWL, reach=reach, look=look)
    draw_water_line(axes, lmwl, reach=reach, look=LineLook("LMWL", INK))
    strata = [str(name) for name in panel.lines["stratum"]]
    kept = [name for name in strata if name != OUTSIDE]
    looks = dict(zip(kept, group_colours(kept), strict=True)) | {OUTSIDE: "#999999"}
    handles = []
    for place, (_, row) in enumerate(panel.lines.iterrows()):
        name = str(row["stratum"])
        rows = panel.samples
        if panel.by != ALL:
            rows = rows[rows[panel.by].astype(str) == name]
        if rows.empty:
            continue
        marker = _MARKERS[place % len(_MARKERS)]
        _draw_group(axes, rows, marker, looks[name])
        handles.append(_draw_line(axes, rows, row, (marker, looks[name])))
        handles[-1].set_label(_group_label(panel.by, row))
    axes.legend(
        handles=handles,
        loc="lower right",
        fontsize=SMALL,
        handlelength=1.6,
        handletextpad=0.4,
        borderaxespad=0.2,
        labelspacing=0.25,
    )
    axes.set_xlabel(AXIS_LABELS["d18O"])
    axes.set_ylabel(AXIS_LABELS["d2H"])
    axes.grid(visible=True)


def _draw_group(axes: Axes, rows: pd.DataFrame, marker: str, colour: str) -> None:
    axes.scatter(
        rows["d18O"],
        rows["d2H"],
        s=7.0,
        marker=marker,
        c=colour,
        alpha=0.5,
        edgecolors="none",
        zorder=2,
    )


def _draw_line(
    axes: Axes, rows: pd.DataFrame, row: pd.Series, look: tuple[str, str]
) -> Line2D:
    """Draw a group's line as far as its samples reach; return its legend entry."""
    marker, colour = look
    if np.isfinite(row["slope"]):
        line = WaterLine.stated(float(row["slope"]), float(row["intercept"]))
        low, high = float(rows["d18O"].min()), float(rows["d18O"].max())
        own = LineLook("", colour, width=1.4)
        draw_water_line(axes, line, reach=(low, high), look=own)
    return Line2D([], [], color=colour, marker=marker, markersize=3.5, linewidth=1.4)


def _group_label(by: str, row: pd.Series) -> str:
    words = stratum_words(by, str(row["stratum"]))
    if row["reason"]:
        return f"{words}: no line"
    sign = MINUS if row["intercept"] < 0 else "+"
    slope = f"{row['slope']:.2f}".replace("-", MINUS)
    return f"{words}: {slope} δ¹⁸O {sign} {abs(row['intercept']):.2f}"


def _meteoric_handles(lmwl: Line) -> list[Line2D]:
    return [
        Line2D([], [], color="#888888", linestyle=":", label=equation("GMWL", GMWL)),
        Line2D([], [], color=INK, label=equation("LMWL", lmwl)),
    ]
