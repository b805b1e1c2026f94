"""Groups of samples and their lines in d18O and d2H, as in the paper's Figs 4 and 5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from geosoil.plotting.corners import clear_corners, say_empty, write_corner
from geosoil.plotting.diagram_page import (
    DiagramPage,
    add_panels,
    open_diagram,
    panel_rows,
    share_frame,
)
from geosoil.plotting.legends import legend_below, plan_legend, text_width
from geosoil.plotting.line_drawing import (
    LineLook,
    draw_water_line,
    line_reach,
    line_words,
    meteoric_handles,
)
from geosoil.plotting.page import panel_title
from geosoil.plotting.strata_looks import (
    ALL,
    StratumLook,
    kind_words,
    stratum_looks,
    stratum_words,
)
from geosoil.plotting.style import AXIS_LABELS, INK, MINUS, SMALL, house_style
from geosoil.plotting.tables import check_columns, rows_of, table_periods
from geosoil.tracers.delta import Line
from geosoil.tracers.lines import GMWL, WaterLine

_MOST_ACROSS = 3
_MOST_NAMES, _WIDEST = 5, 62.0
"""Strata, and width of their names [pt], that have room in a panel with their lines."""


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
    page: DiagramPage | None = None,
) -> Figure:
    """Compose groups and their lines: a row a kind of group, a column a period.

    On a narrow page the panels follow each other, two a row.

    Parameters
    ----------
    samples : DataFrame
        Samples of one water: ``period``, ``d18O``, ``d2H`` [permil] and the columns
        of ``by``.
    lines : DataFrame
        Rows of `geosoil.tracers.group_table.group_table`: ``period``, ``by``,
        ``stratum``, ``slope``, ``intercept``, ``reason``. Where they tell the line of
        all samples, with ``r_squared`` and ``n``, it stands in every panel.
    by : sequence of str
        Rows of the figure: ``["soil_layer"]`` as in Fig 4 of the paper, ``["all",
        "elevation_band", "vegetation"]`` as in Fig 5.
    lmwl : object with slope and intercept
        Local meteoric water line, drawn with its band where its errors are known.
    page : DiagramPage, optional
        Title, note and preset.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Panels with common axes that hold every sample; the lines of the groups stand
        in each panel, reaching as far as their samples.

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
    page = page or DiagramPage()
    periods = table_periods(samples, "sample table")
    cells = [(name, period) for name in by for period in periods]
    crowded = [name for name in by if _is_crowded(lines, name)]
    legend = _legend_groups(lines, by, lmwl, crowded)
    with house_style():
        figure, panels = _open(page, (len(by), len(periods)), legend)
        for order, (axes, cell) in enumerate(zip(panels, cells, strict=True)):
            name, period = cell
            here = lines[lines["period"] == period]
            chosen = here[here["by"] == name]
            panel = _Panel(name, samples[rows_of(samples, period)], chosen)
            handles = _draw_panel(axes, panel, lmwl)
            if handles and name not in crowded:
                _write_legend(axes, handles)
            if name != ALL:
                _draw_whole(axes, panel.samples, here[here["by"] == ALL])
            words = f"{period}, {kind_words(name)}" if len(by) > 1 else period
            panel_title(axes, words, order=order, panels=len(cells))
        share_frame(panels)
        legend_below(figure, *legend)
        return clear_corners(figure)


def _is_crowded(lines: pd.DataFrame, by: str) -> bool:
    """Say whether a kind has too many or too long names for legends in its panels."""
    names = lines.loc[lines["by"] == by, "stratum"].astype(str).unique()
    widest = max((text_width(stratum_words(by, name)) for name in names), default=0.0)
    return len(names) > _MOST_NAMES or widest > _WIDEST


def _legend_groups(
    lines: pd.DataFrame, by: Sequence[str], lmwl: Line, crowded: Sequence[str]
) -> list[list[Artist]]:
    """Return the legend's entries: lines, then the strata of crowded kinds."""
    handles = meteoric_handles({"GMWL": GMWL, "LMWL": lmwl})
    if any(name != ALL for name in by) and (lines["by"] == ALL).any():
        words = "LEL of all samples"
        handles.append(Line2D([], [], color=INK, ls="--", lw=1.0, label=words))
    groups = [handles]
    for name in crowded:
        strata = [str(s) for s in lines.loc[lines["by"] == name, "stratum"].unique()]
        looks = stratum_looks(strata)
        groups.append([_entry(looks[s], stratum_words(name, s)) for s in strata])
    return groups


def _open(
    page: DiagramPage, shape: tuple[int, int], legend: Sequence[Sequence[Artist]]
) -> tuple[Figure, list[Axes]]:
    """Make the figure and its panels, kind by kind."""
    kinds, periods = shape
    width = min(0.6 + 2.8 * periods, page.preset.page)
    if page.is_narrow or periods > _MOST_ACROSS:
        width = page.preset.page
        rows = panel_rows(kinds * periods, page)
        height = 0.85 + 1.85 * rows + plan_legend(legend, width=width).height
        figure = open_diagram(page, width=width, height=height)
        return figure, add_panels(figure, kinds * periods, page)
    height = 0.85 + 2.6 * kinds + plan_legend(legend, width=width).height
    figure = open_diagram(page, width=width, height=height)
    return figure, list(figure.subplots(kinds, periods, squeeze=False).flat)


def _draw_panel(axes: Axes, panel: _Panel, lmwl: Line) -> list[Line2D]:
    """Draw groups, their lines and the meteoric lines; return legend entries."""
    reach = line_reach(panel.samples)
    look = LineLook("GMWL", "#888888", ":")
    draw_water_line(axes, GMWL, reach=reach, look=look)
    draw_water_line(axes, lmwl, reach=reach, look=LineLook("LMWL", INK))
    looks = stratum_looks([str(name) for name in panel.lines["stratum"]])
    handles = []
    for _, row in panel.lines.iterrows():
        name = str(row["stratum"])
        rows = panel.samples
        if panel.by != ALL:
            rows = rows[rows[panel.by].astype(str) == name]
        if rows.empty:
            continue
        _draw_group(axes, rows, looks[name])
        handles.append(_draw_line(axes, rows, row, looks[name]))
        handles[-1].set_label(_group_label(panel.by, row))
    if not handles:
        say_empty(axes)
    axes.set_xlabel(AXIS_LABELS["d18O"])
    axes.set_ylabel(AXIS_LABELS["d2H"])
    axes.grid(visible=True)
    return handles


def _write_legend(axes: Axes, handles: list[Line2D]) -> None:
    """Put the groups of a panel, with their lines, into its lower right corner."""
    axes.legend(
        handles=handles,
        loc="lower right",
        fontsize=SMALL,
        handlelength=1.6,
        handletextpad=0.4,
        borderaxespad=0.2,
        labelspacing=0.25,
    )


def _draw_whole(axes: Axes, samples: pd.DataFrame, lines: pd.DataFrame) -> None:
    """Draw the line of all samples of the period, with its equation in the corner."""
    told = lines[lines["reason"] == ""]
    if told.empty or samples.empty:
        return
    row = told.iloc[0]
    line = WaterLine.stated(float(row["slope"]), float(row["intercept"]))
    if "r_squared" in row and "n" in row:
        line = replace(line, r_squared=float(row["r_squared"]), n=int(row["n"]))
    reach = float(samples["d18O"].min()), float(samples["d18O"].max())
    look = LineLook("LEL", INK, "--", width=1.0)
    draw_water_line(axes, line, reach=reach, look=look)
    write_corner(axes, line_words("LEL", line))


def _draw_group(axes: Axes, rows: pd.DataFrame, look: StratumLook) -> None:
    axes.scatter(
        rows["d18O"],
        rows["d2H"],
        s=7.0,
        marker=look.marker,
        c=look.colour,
        alpha=0.5,
        edgecolors="none",
        zorder=2,
    )


def _draw_line(
    axes: Axes, rows: pd.DataFrame, row: pd.Series, look: StratumLook
) -> Line2D:
    """Draw a group's line as far as its samples reach; return its legend entry."""
    if np.isfinite(row["slope"]):
        line = WaterLine.stated(float(row["slope"]), float(row["intercept"]))
        low, high = float(rows["d18O"].min()), float(rows["d18O"].max())
        own = LineLook("", look.colour, width=1.4)
        draw_water_line(axes, line, reach=(low, high), look=own)
    return _entry(look, "")


def _entry(look: StratumLook, label: str) -> Line2D:
    """Return the legend entry of a group: its mark on its line."""
    entry = Line2D([], [], color=look.colour, marker=look.marker, label=label)
    entry.set(markersize=3.5, linewidth=1.4)
    return entry


def _group_label(by: str, row: pd.Series) -> str:
    words = stratum_words(by, str(row["stratum"]))
    if row["reason"]:
        return f"{words}: no line"
    sign = MINUS if row["intercept"] < 0 else "+"
    slope = f"{row['slope']:.2f}".replace("-", MINUS)
    return f"{words}: {slope} δ¹⁸O {sign} {abs(row['intercept']):.2f}"
