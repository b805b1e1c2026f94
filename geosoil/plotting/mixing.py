"""The mixing diagram: soil water between its sources in d18O and d-excess."""

from __future__ import annotations

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from geosoil.plotting.diagram_page import DiagramPage, open_diagram
from geosoil.plotting.legends import labels_height, legend_below
from geosoil.plotting.mixing_groups import (
    ALL,
    draw_group_means,
    draw_kind_rows,
    kind_handles,
    mean_handles,
    point_handle,
)
from geosoil.plotting.mixing_space import (
    Frame,
    draw_mixing_space,
    draw_soil,
    ellipse_handles,
    frame_row,
    member_size,
    mixing_frame,
    space_handles,
    with_treatment,
)
from geosoil.plotting.page import panel_title
from geosoil.plotting.style import (
    SCREEN,
    WATER_STYLES,
    FigurePreset,
    house_style,
    water_style,
)
from geosoil.plotting.tables import (
    check_columns,
    rows_of,
    table_periods,
)

_SOIL = WATER_STYLES["soil"].colour
_MEANS = ("period", "kind", "group", "d18O", "d_excess")
_TOP, _LOWER, _FOOT, _LEFT, _SIDE = 3.1, 2.15, 1.25, 0.6, 0.9


def figure_mixing_diagram(
    samples: pd.DataFrame,
    *,
    end_members: pd.DataFrame,
    group_means: pd.DataFrame | None = None,
    title: str = "",
    note: str | None = None,
    preset: FigurePreset = SCREEN,
) -> Figure:
    """Compose the mixing diagram, one panel a period.

    Parameters
    ----------
    samples : DataFrame
        Soil water: columns ``period``, ``d18O``, ``d_excess`` [permil]; where a
        column ``water`` is present only its "soil" rows are drawn.
    end_members : DataFrame
        Columns ``period``, ``source``, ``d18O``, ``d_excess`` [permil]; with
        ``d18O_sd``, ``d2H_sd``, ``d18O_d2H_cov`` and ``n`` (or ``n_effective``)
        ellipses of samples and means are drawn, with ``d18O_sd``, ``d_excess_sd``
        alone bars; with ``treatment`` (words such as "rain as fallen") each treatment
        gets its own polygon. Three sources or more make a polygon, two a line.
    group_means : DataFrame, optional
        Means of soil water: columns ``period``, ``kind`` (elevation, vegetation and
        so on), ``group``, ``d18O``, ``d_excess``; with the errors of the means,
        ``d18O_se``, ``d2H_se`` and ``d_excess_se`` (or ``d18O_d2H_se_cov``), each gets
        its ellipse of 95 %, by ``n_sites`` where present. Each kind gets a row of
        panels of its own, in a frame that holds the means; the kind "all" stands in
        the first row.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom, for instance that the data are simulated.
    preset : FigurePreset
        For whom the figure is drawn.

    Returns
    -------
    figure : matplotlib.figure.Figure
        One row of panels, and one more for each kind of group.

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
    none = pd.DataFrame({name: [] for name in _MEANS})
    means = none if group_means is None else group_means
    kinds = [str(kind) for kind in dict.fromkeys(means["kind"]) if kind != ALL]
    frame = mixing_frame(soil, [members, means])
    page = DiagramPage(title, note, preset)
    with house_style():
        top_height, lower = (1.9, 1.5) if page.is_narrow else (_TOP, _LOWER)
        lowers = [
            max(lower, 0.75 + labels_height(kind_handles(means[means["kind"] == kind])))
            for kind in kinds
        ]
        height = _FOOT + top_height + sum(lowers)
        width = (_LEFT + _SIDE if kinds else _LEFT) + 2.75 * len(periods)
        figure = open_diagram(page, width=width, height=height)
        panels = figure.subplots(
            1 + len(kinds),
            len(periods),
            squeeze=False,
            height_ratios=[top_height, *lowers],
        )
        top = panels[0]
        for order, (axes, period) in enumerate(zip(top, periods, strict=True)):
            rows = soil[rows_of(soil, period)]
            draw_soil(axes, rows)
            draw_mixing_space(axes, members[members["period"] == period])
            whole = (means["kind"] == ALL) & (means["period"] == period)
            draw_group_means(axes, means[whole])
            words = _count(period, rows, frame)
            if page.is_narrow:
                words = words.partition(" (")[0].replace(", ", "\n")
            panel_title(axes, words, order=order, panels=panels.size)
        frame_row(top, frame)
        if kinds:
            draw_kind_rows(panels[1:], soil, members, means)
        legend_below(figure, *_legend_groups(members, means))
    return figure


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
        check_columns(list(group_means.columns), _MEANS, "table of group means")


def _legend_groups(members: pd.DataFrame, means: pd.DataFrame) -> list[list[Artist]]:
    """Return the legend entries by column: waters, mixing spaces, ellipses."""
    waters: list[Artist] = [point_handle("soil water", "o", _SOIL, 3.5)]
    told = {"d18O_sd", "d_excess_sd"} <= set(members)
    ellipses = ellipse_handles(members)
    bars = " (mean ± sd)" if told and not ellipses else " (mean)"
    for order, source in enumerate(dict.fromkeys(members["source"])):
        style = water_style(str(source), order=order)
        size = 0.75 * member_size(str(source))
        label = f"{style.label}{bars}"
        waters.append(point_handle(label, style.marker, style.colour, size))
    spaces = space_handles(list(dict.fromkeys(members["treatment"])))
    return [waters, spaces, [*ellipses, *mean_handles(means)]]
