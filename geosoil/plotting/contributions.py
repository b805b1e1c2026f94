"""End-element diagrams: mean soil water between its sources, as in Fig 6."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from geosoil.plotting.contribution_labels import STEPS, label_contributions
from geosoil.plotting.corners import lay_out, say_empty
from geosoil.plotting.diagram_page import (
    DiagramPage,
    add_panels,
    open_diagram,
    panel_rows,
)
from geosoil.plotting.ellipses import mean_covariance
from geosoil.plotting.legends import legend_below, plan_legend
from geosoil.plotting.mixing_space import member_size
from geosoil.plotting.page import panel_title
from geosoil.plotting.strata_looks import ALL, group_colours, stratum_words
from geosoil.plotting.style import AXIS_LABELS, INK, house_style, water_style
from geosoil.plotting.tables import check_columns, ordered_groups, table_periods

FloatArray = npt.NDArray[np.float64]
Looks = dict[tuple[str, str], tuple[str, str]]

_AXES = ("d18O", "d_excess")
_KIND_MARKERS = ("o", "s", "^", "D", "v", "P")


def figure_contributions(
    means: pd.DataFrame,
    *,
    end_members: pd.DataFrame,
    page: DiagramPage | None = None,
) -> Figure:
    """Compose mean soil waters between their sources, a panel a period.

    Parameters
    ----------
    means : DataFrame
        Means of soil water: ``period``, ``kind`` ("all", "elevation", ...),
        ``group``, ``d18O``, ``d_excess`` [permil], and ``d18O_se``, ``d_excess_se``,
        the standard errors, where they are known.
    end_members : DataFrame
        Sources: ``period``, ``source``, ``d18O``, ``d_excess`` [permil]; with what
        tells the error of their means (see `geosoil.plotting.ellipses`) they get bars
        too.
    page : DiagramPage, optional
        Title, note and preset.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Three sources span a triangle with lines of equal share every 20 %, two a line
        with ticks every 20 %; four or more a polygon without lines. Bars are one
        standard error. Every panel holds its sources and means with their bars.

    Raises
    ------
    InputError
        If a column is missing or no end member has a period.

    Examples
    --------
    >>> means = pd.DataFrame({"period": ["June"], "kind": "all", "group": "all",
    ...     "d18O": -12.0, "d_excess": 6.0})
    >>> ends = pd.DataFrame({"period": "June", "source": ["rain", "ice"],
    ...     "d18O": [-11.0, -15.0], "d_excess": [8.0, 2.0]})
    >>> figure = figure_contributions(means, end_members=ends)
    >>> figure.axes[0].get_title(loc="left")
    'June: two end elements'
    """
    needed = ["period", "kind", "group", *_AXES]
    check_columns(list(means.columns), needed, "table of means")
    needed = ["period", "source", *_AXES]
    check_columns(list(end_members.columns), needed, "table of end members")
    page = page or DiagramPage()
    periods = table_periods(end_members, "table of end members")
    means = means.dropna(subset=list(_AXES))
    looks = _looks(means)
    with house_style():
        rows = panel_rows(len(periods), page)
        width = 9.0 if page.is_narrow else 0.7 + 2.8 * min(3, len(periods))
        width = min(width, page.preset.page)
        legend = _legend_groups(end_members, looks)
        tall = 2.0 if page.is_narrow else 2.35
        height = 0.6 + tall * rows + plan_legend(legend, width=width).height
        figure = open_diagram(page, width=width, height=height)
        panels = add_panels(figure, len(periods), page)
        spans = []
        for order, (axes, period) in enumerate(zip(panels, periods, strict=True)):
            ends = end_members[end_members["period"] == period]
            here = means[means["period"] == period]
            spans.append(draw_contributions(axes, ends))
            _draw_means(axes, here, looks)
            _frame(axes, [ends, here])
            words = f"{period}: {_count_words(len(ends))}"
            panel_title(axes, words, order=order, panels=len(periods))
        legend_below(figure, *legend)
        lay_out(figure)
        for axes, (sources, corners) in zip(panels, spans, strict=True):
            label_contributions(axes, sources, corners)
    return figure


def draw_contributions(
    axes: Axes, end_members: pd.DataFrame
) -> tuple[list[str], FloatArray]:
    """Draw the sources of a period, what they span, and lines of equal share.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    end_members : DataFrame
        Sources of one period, see :func:`figure_contributions`.

    Returns
    -------
    sources : list of str
        Their names.
    corners : array, shape (source, 2)
        Their d18O and d-excess [permil].

    Notes
    -----
    Mixtures with the share f of source A lie at f A + (1 - f) X, X on the side of the
    other two: a line parallel to that side.

    Examples
    --------
    >>> ends = pd.DataFrame({"source": ["rain", "ice", "snow"],
    ...     "d18O": [-11.0, -15.0, -18.0], "d_excess": [8.0, 2.0, 12.0]})
    >>> axes = Figure().subplots()
    >>> _ = draw_contributions(axes, ends)
    >>> sum(line.get_gid() == "share rain" for line in axes.lines)
    4
    """
    sources = [str(name) for name in end_members["source"]]
    corners = end_members[list(_AXES)].to_numpy(dtype=float)
    _draw_span(axes, corners)
    if len(sources) == 3:
        for place, source in enumerate(sources):
            others = [corners[other] for other in range(3) if other != place]
            colour = water_style(source, order=place).colour
            for share in STEPS:
                ends = [share * corners[place] + (1.0 - share) * end for end in others]
                axes.plot(
                    *np.transpose(ends),
                    color=colour,
                    linewidth=0.5,
                    zorder=1.5,
                    gid=f"share {source}",
                )
    if len(sources) == 2:
        if not np.allclose(corners[0], corners[1]):
            first, second = ((float(x), float(y)) for x, y in corners)
            beyond = axes.axline(first, second, color="#999999", linestyle=":")
            beyond.set(linewidth=0.7, zorder=1.4, gid="beyond")
        ticks = [share * corners[1] + (1.0 - share) * corners[0] for share in STEPS]
        axes.plot(
            *np.transpose(ticks),
            linestyle="none",
            marker="|",
            markersize=5.0,
            color=INK,
            zorder=2.5,
            gid=f"share {sources[1]}",
        )
    for place, row in enumerate(end_members.to_dict("records")):
        _draw_source(axes, row, place)
    axes.set_xlabel(AXIS_LABELS["d18O"])
    axes.set_ylabel(AXIS_LABELS["d_excess"])
    axes.grid(visible=True)
    return sources, corners


def _draw_span(axes: Axes, corners: FloatArray) -> None:
    """Draw the sides between the sources."""
    if len(corners) == 3:
        axes.fill(*corners.T, facecolor=(0.1, 0.1, 0.1, 0.04), zorder=1.2)
    for first, second in combinations(corners, 2):
        axes.plot(*np.c_[first, second], color=INK, linewidth=0.9, zorder=2)


def _draw_source(axes: Axes, row: dict[Hashable, Any], order: int) -> None:
    """Draw a source with bars of one standard error of its mean."""
    source = str(row["source"])
    style = water_style(source, order=order)
    error = _source_error(row)
    drawn = axes.errorbar(
        [float(row["d18O"])],
        [float(row["d_excess"])],
        xerr=None if error is None else [error[0]],
        yerr=None if error is None else [error[1]],
        fmt=style.marker,
        markersize=member_size(source),
        color=style.colour,
        markeredgecolor=INK,
        markeredgewidth=0.6,
        elinewidth=0.9,
        capsize=2.0,
        zorder=4,
    )
    drawn.lines[0].set_gid(f"source {source}")


def _source_error(row: Mapping[Hashable, Any]) -> tuple[float, float] | None:
    """Return the errors of a source's mean, where the table tells them."""
    covariance = mean_covariance(row)
    if covariance is None:
        return None
    errors = np.sqrt(np.diag(covariance))
    return float(errors[0]), float(errors[1])


def _draw_means(axes: Axes, means: pd.DataFrame, looks: Looks) -> None:
    """Draw each stratum's mean with bars of one standard error."""
    if means.empty:
        say_empty(axes)
    for row in means.to_dict("records"):
        marker, colour = looks[str(row["kind"]), str(row["group"])]
        errors = [float(row.get(f"{name}_se", np.nan)) for name in _AXES]
        bars = [[error] if np.isfinite(error) else None for error in errors]
        drawn = axes.errorbar(
            [float(row["d18O"])],
            [float(row["d_excess"])],
            xerr=bars[0],
            yerr=bars[1],
            fmt=marker,
            color=colour,
            markersize=6.0 if row["kind"] == ALL else 4.5,
            markeredgecolor="white",
            markeredgewidth=0.5,
            elinewidth=0.8,
            capsize=1.5,
            zorder=5 + (row["kind"] == ALL),
        )
        drawn.lines[0].set_gid(f"{row['kind']} {row['group']}")


def _frame(axes: Axes, tables: list[pd.DataFrame]) -> None:
    """Set limits that hold sources and means with their bars."""
    limits = []
    for name in _AXES:
        ends: list[float] = []
        for table in tables:
            for row in table.to_dict("records"):
                told = _source_error(row) if "source" in row else None
                bar = row.get(f"{name}_se", 0.0)
                if told is not None:
                    bar = told[_AXES.index(name)]
                reach = float(np.nan_to_num(float(bar)))
                ends += [float(row[name]) - reach, float(row[name]) + reach]
        low, high = min(ends), max(ends)
        margin = 0.1 * (high - low) or 1.0
        limits.append((low - margin, high + margin))
    axes.set(xlim=limits[0], ylim=limits[1])
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))


def _looks(means: pd.DataFrame) -> Looks:
    """Return marker and colour of every group: a marker a kind."""
    kinds = [str(kind) for kind in dict.fromkeys(means["kind"]) if kind != ALL]
    looks: Looks = {}
    for place, kind in enumerate(kinds):
        names = ordered_groups(means.loc[means["kind"] == kind, "group"])
        marker = _KIND_MARKERS[place % len(_KIND_MARKERS)]
        for name, colour in zip(names, group_colours(names), strict=True):
            looks[kind, name] = (marker, colour)
    for name in means.loc[means["kind"] == ALL, "group"]:
        looks[ALL, str(name)] = ("X", INK)
    return looks


def _count_words(count: int) -> str:
    names = {1: "one end element", 2: "two end elements", 3: "three end elements"}
    return names.get(count, f"{count} end elements")


def _legend_groups(end_members: pd.DataFrame, looks: Looks) -> list[list[Artist]]:
    """Return the legend entries: sources and lines, then the strata by kind."""
    first: list[Artist] = []
    for order, source in enumerate(dict.fromkeys(map(str, end_members["source"]))):
        style = water_style(source, order=order)
        size = 0.75 * member_size(source)
        first.append(_entry(style.label, style.marker, style.colour, size))
    second: list[Artist] = []
    if any(kind == ALL for kind, _ in looks):
        second.append(_entry("mean of all soil water", "X", INK, 5.0))
    second.append(_entry("bars: ± 1 standard error", "+", INK, 6.0))
    words = "lines: 20 % steps of a source"
    second.append(Line2D([], [], color="#777777", linewidth=0.6, label=words))
    groups = [first, second]
    for kind in dict.fromkeys(kind for kind, _ in looks if kind != ALL):
        names = [name for other, name in looks if other == kind]
        groups.append(
            [_entry(stratum_words(kind, n), *looks[kind, n], 4.5) for n in names]
        )
    return groups


def _entry(label: str, marker: str, colour: str, size: float) -> Line2D:
    return Line2D(
        [],
        [],
        linestyle="none",
        marker=marker,
        color=colour,
        markersize=size,
        markeredgewidth=1.0 if marker == "+" else 0.0,
        label=label,
    )
