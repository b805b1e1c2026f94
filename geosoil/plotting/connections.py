"""Soil water between the other waters of its region, as in the paper's Fig 5."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from geosoil.plotting.corners import clear_corners, say_empty
from geosoil.plotting.diagram_page import DiagramPage, open_diagram, share_frame
from geosoil.plotting.legends import labels_height, legend_below, plan_legend, wrapped
from geosoil.plotting.line_drawing import LineLook, draw_water_line, equation
from geosoil.plotting.page import panel_title
from geosoil.plotting.strata_looks import (
    ALL,
    StratumLook,
    kind_words,
    stratum_looks,
    stratum_words,
)
from geosoil.plotting.style import (
    AXIS_LABELS,
    INK,
    SMALL,
    WATER_STYLES,
    house_style,
    water_style,
)
from geosoil.plotting.tables import check_columns, ordered_groups, table_periods
from geosoil.tracers.delta import Line
from geosoil.tracers.lines import GMWL, WaterLine

_MEANS = ("period", "by", "stratum", "d18O", "d2H", "d18O_se", "d2H_se")
_LINES = ("slope", "intercept", "reason")
_CENTRAL = (5.0, 95.0)
_GREY = "#888888"
_MARK = 42.0
"""Room beside the words of a legend's entry [pt]."""

_DOWN = 0.42
"""Room for ticks and words between a panel and the legend below it [inch]."""


@dataclass(frozen=True, slots=True)
class _Cell:
    """What one panel shows."""

    by: str
    """Kind of stratum, or "all"."""
    samples: pd.DataFrame
    """Soil samples of the period."""
    means: pd.DataFrame
    """Means and lines of the strata of the period."""
    waters: pd.DataFrame
    """Means of the other waters of the period."""
    looks: dict[str, StratumLook]
    """How each stratum of the kind is drawn, in every period."""


def figure_connections(
    soil: pd.DataFrame,
    strata: pd.DataFrame,
    waters: pd.DataFrame,
    *,
    lmwl: Line,
    page: DiagramPage | None = None,
) -> Figure:
    """Compose soil water beside other waters: a row a period, a column a kind.

    Parameters
    ----------
    soil : DataFrame
        Soil samples: ``period``, ``d18O``, ``d2H`` [permil] and the columns of
        strata.
    strata : DataFrame
        Soil water's rows of `geosoil.tracers.group_table.group_table`: ``period``,
        ``by``, ``stratum``, means and ``_se`` of d18O and d2H, ``slope``,
        ``intercept``, ``reason``. Each kind in ``by`` gets a column of panels.
    waters : DataFrame
        The same columns of means for other waters; ``stratum`` is the water.
    lmwl : object with slope and intercept
        Local meteoric water line.
    page : DiagramPage, optional
        Title, note and preset.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Means with bars of one standard error, lines of evaporation as far as the
        central 90 % of the samples reach, samples as faint points. The frame, common
        to all panels, holds every mean with its bars and the central samples.

    Raises
    ------
    InputError
        If a column is missing or no row has a period.

    Examples
    --------
    >>> soil = pd.DataFrame({"period": "June", "d18O": [-12.0, -9.0],
    ...     "d2H": [-90.0, -70.0]})
    >>> means = pd.DataFrame({"period": ["June"], "by": "all", "stratum": "all",
    ...     "d18O": -10.5, "d2H": -80.0, "d18O_se": 0.3, "d2H_se": 2.0, "slope": 6.67,
    ...     "intercept": -10.0, "reason": ""})
    >>> waters = means.assign(by="water", stratum="river", d18O=-12.0, d2H=-86.0)
    >>> figure = figure_connections(soil, means, waters, lmwl=GMWL)
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['June']
    """
    kinds = _checked(soil, strata, waters)
    page = page or DiagramPage()
    periods = table_periods(strata, "table of strata")
    looks = {kind: _looks(strata, kind) for kind in kinds}
    width = min(0.6 + 2.8 * len(kinds), page.preset.page)
    room = 72.0 * width / len(kinds) - _MARK
    entries = {kind: _entries(kind, own, room) for kind, own in looks.items()}
    handles = _handles(waters, lmwl)
    with house_style():
        height = 0.95 + (1.75 if page.is_narrow else 2.35) * len(periods)
        height += max(labels_height(own) for own in entries.values())
        height += plan_legend([handles], width=width).height
        figure = open_diagram(page, width=width, height=height)
        panels = figure.subplots(len(periods), len(kinds), squeeze=False)
        for place, axes in enumerate(panels.flat):
            period, kind = periods[place // len(kinds)], kinds[place % len(kinds)]
            here = strata[(strata["period"] == period) & (strata["by"] == kind)]
            others = waters[waters["period"] == period]
            own = soil[soil["period"] == period]
            _draw_cell(axes, _Cell(kind, own, here, others, looks[kind]), lmwl)
            words = period
            if not page.is_narrow and kind != ALL:
                words = f"{period}, {kind_words(kind)}"
            panel_title(axes, words, order=place, panels=panels.size)
        share_frame(list(panels.flat))
        _frame(panels[0, 0], soil, pd.concat([strata, waters]))
        for axes, kind in zip(panels[-1], kinds, strict=True):
            _legend_of_kind(axes, kind, entries[kind])
        legend_below(figure, handles)
        return clear_corners(figure)


def _checked(
    soil: pd.DataFrame, strata: pd.DataFrame, waters: pd.DataFrame
) -> list[str]:
    """Raise where columns are missing; return the kinds of strata."""
    check_columns(list(strata.columns), [*_MEANS, *_LINES], "table of strata")
    check_columns(list(waters.columns), _MEANS, "table of waters")
    kinds = [str(kind) for kind in dict.fromkeys(strata["by"])]
    needed = ["period", "d18O", "d2H", *(kind for kind in kinds if kind != ALL)]
    check_columns(list(soil.columns), needed, "sample table")
    return kinds


def _looks(strata: pd.DataFrame, kind: str) -> dict[str, StratumLook]:
    """Return how a kind's strata are drawn; those without any sample are left out."""
    own = strata[(strata["by"] == kind) & np.isfinite(strata["d18O"].astype(float))]
    return stratum_looks(ordered_groups(own["stratum"]))


def _draw_cell(axes: Axes, cell: _Cell, lmwl: Line) -> None:
    """Draw the lines, samples and means of one panel."""
    told = cell.means[np.isfinite(cell.means["d18O"].astype(float))]
    x = np.array(_reach(cell.samples["d18O"], told["d18O"], cell.waters["d18O"]))
    reach = (float(x[0]), float(x[1]))
    draw_water_line(axes, GMWL, reach=reach, look=LineLook("GMWL", _GREY, ":"))
    draw_water_line(axes, lmwl, reach=reach, look=LineLook("LMWL", INK))
    for _, row in told.iterrows():
        name = str(row["stratum"])
        rows = cell.samples
        if cell.by != ALL:
            rows = rows[rows[cell.by].astype(str) == name]
        look = cell.looks[name]
        _draw_samples(axes, rows, look)
        _draw_line(axes, rows, row, look)
        _draw_mean(axes, row, look, size=4.5, gid=f"soil {name}")
    for order, (_, row) in enumerate(cell.waters.iterrows()):
        style = water_style(str(row["stratum"]), order=order)
        look = StratumLook(style.marker, style.colour)
        size = 7.0 if row["stratum"] == "snowmelt" else 5.0
        _draw_mean(axes, row, look, size=size, gid=f"water {row['stratum']}")
    if told.empty:
        say_empty(axes, "no soil samples")
    axes.set_xlabel(AXIS_LABELS["d18O"])
    axes.set_ylabel(AXIS_LABELS["d2H"])
    axes.grid(visible=True)


def _draw_samples(axes: Axes, rows: pd.DataFrame, look: StratumLook) -> None:
    axes.scatter(
        rows["d18O"],
        rows["d2H"],
        s=4.0,
        marker=look.marker,
        c=look.colour,
        alpha=0.25,
        linewidths=0.0,
        zorder=1.6,
        gid="samples",
    )


def _draw_line(
    axes: Axes, rows: pd.DataFrame, row: pd.Series, look: StratumLook
) -> None:
    """Draw a line of evaporation as far as the central samples reach."""
    if row["reason"] or not np.isfinite(row["slope"]) or rows.empty:
        return
    line = WaterLine.stated(float(row["slope"]), float(row["intercept"]))
    low, high = np.nanpercentile(rows["d18O"].to_numpy(dtype=float), _CENTRAL)
    own = LineLook("", look.colour, "--", width=1.1)
    draw_water_line(axes, line, reach=(float(low), float(high)), look=own)


def _draw_mean(
    axes: Axes, row: pd.Series, look: StratumLook, *, size: float, gid: str
) -> None:
    """Draw a mean with bars of one standard error where they are known."""
    errors = [float(row[f"{name}_se"]) for name in ("d18O", "d2H")]
    bars = [[error] if np.isfinite(error) else None for error in errors]
    drawn = axes.errorbar(
        [float(row["d18O"])],
        [float(row["d2H"])],
        xerr=bars[0],
        yerr=bars[1],
        fmt=look.marker,
        color=look.colour,
        markersize=size,
        markeredgecolor="white",
        markeredgewidth=0.5,
        elinewidth=0.9,
        capsize=1.5,
        zorder=5,
    )
    drawn.lines[0].set_gid(gid)


def _reach(*columns: pd.Series) -> tuple[float, float]:
    """Return the lowest and highest d18O of several columns, a permil wider."""
    values = pd.concat([column.astype(float) for column in columns])
    return float(values.min()) - 1.0, float(values.max()) + 1.0


def _frame(axes: Axes, soil: pd.DataFrame, means: pd.DataFrame) -> None:
    """Set limits that hold the means with their bars and the central samples."""
    for name, set_limits in (("d18O", axes.set_xlim), ("d2H", axes.set_ylim)):
        centre = means[name].to_numpy(dtype=float)
        bar = np.nan_to_num(means[f"{name}_se"].to_numpy(dtype=float))
        samples = soil[name].dropna().to_numpy(dtype=float)
        ends = [centre - bar, centre + bar]
        ends += [np.percentile(samples, _CENTRAL)] if samples.size else []
        found = np.concatenate(ends)
        low, high = float(np.nanmin(found)), float(np.nanmax(found))
        margin = 0.06 * (high - low) or 1.0
        set_limits(low - margin, high + margin)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))


def _entries(kind: str, looks: dict[str, StratumLook], room: float) -> list[Line2D]:
    """Return the legend entries of a kind's strata, in lines that fit a column."""
    return [
        Line2D(
            [],
            [],
            color=look.colour,
            marker=look.marker,
            linestyle="--",
            linewidth=1.1,
            markersize=4.5,
            label=wrapped(_name(kind, name), width=room),
        )
        for name, look in looks.items()
    ]


def _legend_of_kind(axes: Axes, kind: str, handles: list[Line2D]) -> None:
    """Name the strata of a column of panels below it."""
    figure = axes.figure
    down = ScaledTranslation(0.0, -_DOWN, figure.dpi_scale_trans)
    axes.legend(
        handles=handles,
        title="" if kind == ALL else kind_words(kind),
        title_fontproperties={"size": SMALL, "weight": "bold"},
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        bbox_transform=axes.transAxes + down,
        borderaxespad=0.0,
        borderpad=0.0,
        handletextpad=0.4,
        labelspacing=0.25,
        fontsize=SMALL,
    )


def _name(kind: str, stratum: str) -> str:
    return "all soil water" if kind == ALL else stratum_words(kind, stratum)


def _handles(waters: pd.DataFrame, lmwl: Line) -> list[Artist]:
    """Return the legend entries of the other waters and of the meteoric lines."""
    present = list(dict.fromkeys(map(str, waters["stratum"])))
    ordered = [name for name in WATER_STYLES if name in present]
    ordered += [name for name in present if name not in ordered]
    handles: list[Artist] = []
    for order, water in enumerate(ordered):
        style = water_style(water, order=order)
        size = 6.5 if water == "snowmelt" else 4.5
        look = {"ls": "none", "marker": style.marker, "color": style.colour}
        handles.append(Line2D([], [], **look, ms=size, mew=0.0, label=style.label))  # type: ignore[arg-type]  # kinds differ
    handles += [
        Line2D([], [], color=_GREY, ls=":", label=equation("GMWL", GMWL)),
        Line2D([], [], color=INK, label=equation("LMWL", lmwl)),
        Line2D([], [], color="#555555", ls="--", lw=1.1, label="LEL of soil water"),
        Line2D([], [], ls="none", marker="+", color=INK, label="mean ± SE (by site)"),
    ]
    return handles
