"""Means of groups in the mixing diagram: a row of panels for each kind of group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D

from geosoil.plotting.ellipses import (
    confidence_radius,
    draw_ellipse,
    mean_covariance,
    row_covariance,
    row_units,
)
from geosoil.plotting.fractions import KIND_WORDS
from geosoil.plotting.legends import wrapped
from geosoil.plotting.mixing_space import (
    MEAN,
    draw_mixing_space,
    draw_soil,
    frame_row,
    mixing_frame,
)
from geosoil.plotting.page import panel_title
from geosoil.plotting.style import DASH, INK, SMALL
from geosoil.plotting.tables import ordered_groups, rows_of, table_periods

ALL = "all"
"""Kind of the mean of all samples of a period."""


@dataclass(frozen=True, slots=True)
class _Point:
    """Marker and colour of one group's mean."""

    marker: str
    colour: str


_POINTS = (
    _Point("o", "#117733"),
    _Point("s", "#332288"),
    _Point("^", "#ee7733"),
    _Point("D", "#aa4499"),
    _Point("v", "#88ccee"),
    _Point("P", "#000000"),
)

_WHOLE = _Point("o", INK)
_WIDEST = 3.5
_WORDS = 62.0
"""Room for the name of a group beside the panels [pt]."""


def draw_group_means(
    axes: Axes, means: pd.DataFrame, *, looks: dict[str, _Point] | None = None
) -> Axes:
    """Draw means of groups, each with the ellipse that holds it with 95 %.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    means : DataFrame
        Columns ``group``, ``d18O``, ``d_excess`` [permil], and the errors of the mean
        where an ellipse is wanted, see :func:`row_covariance`.
    looks : dict, optional
        Marker and colour by group; by default made from the table.

    Returns
    -------
    axes : matplotlib.axes.Axes
        The same panel.

    Notes
    -----
    Means of fewer than three sites have no ellipse.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> means = pd.DataFrame({"group": ["N"], "d18O": [-12.0], "d_excess": [6.0]})
    >>> draw_group_means(Figure().subplots(), means).lines[0].get_label()
    'N'
    """
    looks = looks or _looks(means)
    for row in means.to_dict("records"):
        group = str(row["group"])
        point = looks[group]
        centre = (float(row["d18O"]), float(row["d_excess"]))
        covariance, units = row_covariance(row, "mean"), row_units(row)
        if covariance is not None and (units is None or units > 2):
            style = {
                "edgecolor": point.colour,
                "facecolor": to_rgba(point.colour, 0.10),
                "linewidth": 0.9,
                "zorder": 4.5,
                "gid": f"group {group}",
            }
            draw_ellipse(axes, centre, covariance, n_units=units, style=style)
        axes.plot(
            *([value] for value in centre),
            linestyle="none",
            marker=point.marker,
            markersize=4.5,
            color=point.colour,
            markeredgecolor="white",
            markeredgewidth=0.5,
            label=group,
            zorder=5,
        )
    return axes


def draw_kind_rows(
    panels: npt.NDArray[np.object_],
    soil: pd.DataFrame,
    end_members: pd.DataFrame,
    means: pd.DataFrame,
) -> None:
    """Draw a row of panels for each kind of group, in one frame that holds the means.

    Parameters
    ----------
    panels : array of Axes, shape (kind, period)
        The panels, below a first row of as many.
    soil, end_members, means : DataFrame
        As for :func:`figure_mixing_diagram`; kinds and periods in the order there.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> soil = pd.DataFrame({"period": ["June"], "d18O": [-12.0], "d_excess": [6.0]})
    >>> ends = soil.assign(source="ice")
    >>> means = soil.assign(kind="aspect", group="N")
    >>> panels = Figure().subplots(1, 1, squeeze=False)
    >>> draw_kind_rows(panels, soil, ends, means)
    >>> panels[0, 0].get_legend().get_title().get_text()
    'aspect'
    """
    periods = table_periods(end_members, "table of end members")
    kinds = [str(kind) for kind in dict.fromkeys(means["kind"]) if kind != ALL]
    ends = _reach(end_members, source=True)
    groups = _reach(means[means["kind"] != ALL], source=False)
    frame = mixing_frame(soil.iloc[:0], [ends, groups])
    for place, (kind, row) in enumerate(zip(kinds, panels, strict=True), start=1):
        own = means[means["kind"] == kind]
        looks = _looks(own)
        words = KIND_WORDS.get(kind, kind.replace("_", " "))
        for order, (axes, period) in enumerate(zip(row, periods, strict=True)):
            draw_soil(axes, soil[rows_of(soil, period)])
            here = end_members[end_members["period"] == period]
            draw_mixing_space(axes, here, spread=MEAN)
            draw_group_means(axes, own[own["period"] == period], looks=looks)
            count = panels.size + len(periods)
            panel_title(axes, period, order=place * len(periods) + order, panels=count)
        frame_row(row, frame, labels=place == len(kinds))
        row[-1].legend(
            handles=kind_handles(own),
            title=words,
            title_fontproperties={"size": SMALL, "weight": "bold"},
            loc="center left",
            bbox_to_anchor=(1.0, 0.5),
            alignment="left",
            handletextpad=0.2,
            fontsize=SMALL,
        )


def kind_handles(means: pd.DataFrame) -> list[Line2D]:
    """Return the legend entries of the groups of one kind.

    Parameters
    ----------
    means : DataFrame
        Means of one kind of group.

    Returns
    -------
    handles : list of Line2D
        One a group, its name in lines that fit beside the panels.

    Examples
    --------
    >>> kind_handles(pd.DataFrame({"group": ["N"]}))[0].get_label()
    'N'
    """
    return [
        point_handle(_name(group), look.marker, look.colour, 4.5)
        for group, look in _looks(means).items()
    ]


def mean_handles(means: pd.DataFrame) -> list[Artist]:
    """Return the legend entries of the means of soil water.

    Parameters
    ----------
    means : DataFrame
        Means of groups; may be empty.

    Returns
    -------
    handles : list of Artist
        The mean of all samples, and the ellipse of means, where they are drawn.

    Examples
    --------
    >>> mean_handles(pd.DataFrame({"kind": []}))
    []
    """
    handles: list[Artist] = []
    rows = means.to_dict("records")
    if any(row["kind"] == ALL for row in rows):
        look = _WHOLE
        label = "mean of all soil samples"
        handles.append(point_handle(label, look.marker, look.colour, 4.5))
    if any(row_covariance(row, "mean") is not None for row in rows):
        label = "soil: 95 % of its mean (by site)"
        line = Line2D([], [], color=INK, lw=0.9, marker="o", ms=2.5, label=label)
        handles.append(line)
    return handles


def point_handle(label: str, marker: str, colour: str, size: float) -> Line2D:
    """Return a legend entry that is a marker.

    Parameters
    ----------
    label, marker, colour : str
        Words, matplotlib marker and colour.
    size : float
        Size of the marker [pt].

    Returns
    -------
    handle : matplotlib.lines.Line2D
        The entry.

    Examples
    --------
    >>> point_handle("soil water", "o", "k", 3.0).get_label()
    'soil water'
    """
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


def _looks(means: pd.DataFrame) -> dict[str, _Point]:
    """Return marker and colour of every group of one kind."""
    names = ordered_groups(means["group"])
    if ALL in set(means.get("kind", [])):
        return dict.fromkeys(names, _WHOLE)
    count = len(_POINTS)
    return {
        # Past the first round the colours move on, so that no two groups look alike.
        name: _Point(
            _POINTS[place % count].marker,
            _POINTS[(place + place // count) % count].colour,
        )
        for place, name in enumerate(names)
    }


def _name(group: str) -> str:
    return wrapped(group.replace("-", DASH).replace("_", " "), width=_WORDS)


def _reach(table: pd.DataFrame, *, source: bool) -> pd.DataFrame:
    """Means with the half width of their ellipses as spread, for the frame."""
    reach = table[["d18O", "d_excess"]].copy()
    widths = np.zeros((len(table), 2))
    for place, row in enumerate(table.to_dict("records")):
        covariance = mean_covariance(row) if source else row_covariance(row, "mean")
        units = row_units(row)
        if covariance is not None and (units is None or units > 2):
            radius = min(confidence_radius(0.95, n_units=units), _WIDEST)
            widths[place] = radius * np.sqrt(np.diag(covariance))
    reach["d18O_sd"], reach["d_excess_sd"] = widths.T
    return reach
