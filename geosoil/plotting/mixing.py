"""The mixing diagram: soil water between its sources in d18O and d-excess."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from geosoil.plotting.mixing_space import (
    draw_mixing_space,
    member_size,
    space_handles,
    with_treatment,
)
from geosoil.plotting.page import (
    bottom_legend,
    legend_columns,
    make_figure,
    panel_title,
    write_title,
)
from geosoil.plotting.style import (
    AXIS_LABELS,
    DASH,
    WATER_STYLES,
    house_style,
    water_style,
)
from geosoil.plotting.tables import (
    check_columns,
    ordered_groups,
    rows_of,
    table_periods,
)

FloatArray = npt.NDArray[np.float64]
Frame = tuple[float, float, float, float]

_SOIL = WATER_STYLES["soil"].colour


@dataclass(frozen=True, slots=True)
class _Point:
    """Marker and colour of one group's mean."""

    marker: str
    colour: str


_LEGEND_ROWS = 4
_UNITS = {"elevation": " m", "depth": " cm", "soil_layer": " cm"}
_KIND_MARKERS = ("o", "s", "^", "D", "v", "P")
_GROUP_COLOURS = (
    "#332288",
    "#88ccee",
    "#44aa99",
    "#117733",
    "#999933",
    "#ddcc77",
    "#cc6677",
    "#882255",
    "#aa4499",
)


def figure_mixing_diagram(
    samples: pd.DataFrame,
    *,
    end_members: pd.DataFrame,
    group_means: pd.DataFrame | None = None,
    title: str = "",
    note: str | None = None,
) -> Figure:
    """Compose the mixing diagram, one panel a period.

    Parameters
    ----------
    samples : DataFrame
        Soil water: columns ``period``, ``d18O``, ``d_excess`` [permil]; where a
        column ``water`` is present only its "soil" rows are drawn.
    end_members : DataFrame
        Columns ``period``, ``source``, ``d18O``, ``d_excess`` [permil]; with
        ``d18O_sd``, ``d_excess_sd`` bars are drawn; with ``treatment`` (words such
        as "rain as fallen") each treatment gets its own polygon. Three sources or
        more make a polygon, two a line.
    group_means : DataFrame, optional
        Means of soil water: columns ``period``, ``kind`` (elevation, vegetation and
        so on), ``group``, ``d18O``, ``d_excess``.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom, for instance that the data are simulated.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Panels with common axes and one legend.

    Raises
    ------
    InputError
        If a column is missing or no end member has a period.

    Examples
    --------
    >>> soil = pd.DataFrame({"period": ["June"], "d18O": [-12.0], "d_excess": [6.0]})
    >>> sources = pd.DataFrame(
    ...     {
    ...         "period": ["June", "June"],
    ...         "source": ["precipitation", "ground_ice"],
    ...         "d18O": [-11.0, -15.0],
    ...         "d_excess": [8.0, 2.0],
    ...     }
    ... )
    >>> figure = figure_mixing_diagram(soil, end_members=sources)
    >>> figure.axes[0].get_ylabel()
    'd-excess [‰]'
    """
    _check_tables(samples, end_members, group_means)
    soil = samples[samples["water"] == "soil"] if "water" in samples else samples
    members = with_treatment(end_members)
    periods = table_periods(members, "table of end members")
    groups = _group_looks(group_means)
    frame = _mixing_frame(
        soil, [members] + ([] if group_means is None else [group_means])
    )
    with house_style():
        figure = make_figure(0.6 + 2.75 * len(periods), 4.6, note=note)
        panels = figure.subplots(
            1, len(periods), squeeze=False, sharex=True, sharey=True
        )
        for order, period in enumerate(periods):
            axes = panels[0, order]
            rows = soil[rows_of(soil, period)]
            draw_soil(axes, rows)
            if group_means is not None:
                here = group_means[group_means["period"] == period]
                draw_group_means(axes, here, looks=groups)
            draw_mixing_space(axes, members[members["period"] == period])
            axes.set(xlim=frame[:2], ylim=frame[2:])
            axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
            axes.label_outer()
            words = _count(period, rows, frame)
            panel_title(axes, words, order=order, panels=len(periods))
        write_title(figure, title)
        handles = legend_columns(_legend_groups(members, groups), rows=_LEGEND_ROWS)
        bottom_legend(figure, handles, columns=len(handles) // _LEGEND_ROWS)
    return figure


def _mixing_frame(soil: pd.DataFrame, others: list[pd.DataFrame]) -> Frame:
    """Return axis limits that hold sources, means and 96 % of the soil samples."""
    limits: list[float] = []
    for tracer in ("d18O", "d_excess"):
        values = soil[tracer].dropna().to_numpy(dtype=float)
        core = np.percentile(values, [2.0, 98.0]) if values.size else np.empty(0)
        ends = [core]
        for table in others:
            centre = table[tracer].to_numpy(dtype=float)
            spread = np.zeros(centre.size)
            if f"{tracer}_sd" in table:
                spread = table[f"{tracer}_sd"].fillna(0.0).to_numpy(dtype=float)
            ends += [centre - spread, centre + spread]
        low, high = np.nanmin(np.concatenate(ends)), np.nanmax(np.concatenate(ends))
        margin = 0.06 * (high - low) or 1.0
        limits += [float(low - margin), float(high + margin)]
    return limits[0], limits[1], limits[2], limits[3]


def _count(period: str, soil: pd.DataFrame, frame: Frame) -> str:
    """Write a period, its number of samples, and how many lie beyond the axes."""
    inside = soil["d18O"].between(*frame[:2]) & soil["d_excess"].between(*frame[2:])
    beyond = len(soil) - int(inside.sum())
    words = f"{period}, n = {len(soil)}"
    return f"{words} ({beyond} beyond axes)" if beyond else words


def _check_tables(
    samples: pd.DataFrame, end_members: pd.DataFrame, group_means: pd.DataFrame | None
) -> None:
    """Raise when a table of the mixing diagram lacks columns."""
    tracers = ["period", "d18O", "d_excess"]
    check_columns(list(samples.columns), tracers, "sample table")
    needed = [*tracers, "source"]
    check_columns(list(end_members.columns), needed, "table of end members")
    if group_means is not None:
        needed = [*tracers, "kind", "group"]
        check_columns(list(group_means.columns), needed, "table of group means")


def _group_looks(group_means: pd.DataFrame | None) -> dict[tuple[str, str], _Point]:
    """Return marker and colour of every group: a marker a kind."""
    if group_means is None:
        return {}
    looks: dict[tuple[str, str], _Point] = {}
    kinds = list(dict.fromkeys(group_means["kind"]))
    for order, kind in enumerate(kinds):
        names = ordered_groups(group_means.loc[group_means["kind"] == kind, "group"])
        marker = _KIND_MARKERS[order % len(_KIND_MARKERS)]
        for place, group in enumerate(names):
            shift = (place * 2 + order) % len(_GROUP_COLOURS)
            looks[kind, group] = _Point(marker, _GROUP_COLOURS[shift])
    return looks


def draw_soil(axes: Axes, soil: pd.DataFrame) -> Axes:
    """Draw soil samples as faint points.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    soil : DataFrame
        Columns ``d18O``, ``d_excess`` [permil].

    Returns
    -------
    axes : matplotlib.axes.Axes
        The same panel.

    Examples
    --------
    >>> soil = pd.DataFrame({"d18O": [-12.0], "d_excess": [6.0]})
    >>> len(draw_soil(Figure().subplots(), soil).collections)
    1
    """
    axes.scatter(
        soil["d18O"],
        soil["d_excess"],
        s=7.0,
        c=_SOIL,
        alpha=0.28,
        linewidths=0.0,
        zorder=1.5,
        label="soil water",
    )
    axes.set_xlabel(AXIS_LABELS["d18O"])
    axes.set_ylabel(AXIS_LABELS["d_excess"])
    axes.grid(visible=True)
    return axes


def draw_group_means(
    axes: Axes,
    means: pd.DataFrame,
    *,
    looks: dict[tuple[str, str], _Point] | None = None,
) -> Axes:
    """Draw means of groups, a marker for each kind of group.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    means : DataFrame
        Columns ``kind``, ``group``, ``d18O``, ``d_excess`` [permil].
    looks : dict, optional
        Marker and colour by kind and group; by default made from the table.

    Returns
    -------
    axes : matplotlib.axes.Axes
        The same panel.

    Examples
    --------
    >>> means = pd.DataFrame(
    ...     {"kind": ["aspect"], "group": ["N"], "d18O": [-12.0], "d_excess": [6.0]}
    ... )
    >>> draw_group_means(Figure().subplots(), means).lines[0].get_label()
    'N'
    """
    looks = looks or _group_looks(means)
    for row in means.to_dict("records"):
        point = looks[str(row["kind"]), str(row["group"])]
        axes.plot(
            [float(row["d18O"])],
            [float(row["d_excess"])],
            linestyle="none",
            marker=point.marker,
            markersize=5.0,
            color=point.colour,
            markeredgecolor="white",
            markeredgewidth=0.5,
            label=str(row["group"]),
            zorder=3,
        )
    return axes


def _legend_groups(
    members: pd.DataFrame, groups: dict[tuple[str, str], _Point]
) -> list[list[Artist]]:
    """Return the legend entries by column: waters, mixing spaces, each kind."""
    waters: list[Artist] = [_marker("soil water", "o", _SOIL, 3.5)]
    for order, source in enumerate(dict.fromkeys(members["source"])):
        style = water_style(str(source), order=order)
        size = 0.75 * member_size(str(source))
        label = f"{style.label} (mean ± sd)"
        waters.append(_marker(label, style.marker, style.colour, size))
    columns = [waters, space_handles(list(dict.fromkeys(members["treatment"])))]
    for kind in dict.fromkeys(kind for kind, _ in groups):
        column: list[Artist] = []
        for (other, group), point in groups.items():
            if other == kind:
                unit = _UNITS.get(kind, "")
                name = "all samples" if group == "all" else group
                label = f"{name.replace('-', DASH)}{unit}"
                column.append(_marker(label, point.marker, point.colour, 4.5))
        columns.append(column)
    return columns


def _marker(label: str, marker: str, colour: str, size: float) -> Line2D:
    """Return a legend entry that is a marker."""
    return Line2D(
        [],
        [],
        ls="none",
        marker=marker,
        color=colour,
        markersize=size,
        markeredgewidth=0.0,
        label=label,
    )
