"""The fractions of soil water's sources by group, as stacked bars with whiskers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from geosoil.errors import InputError
from geosoil.plotting.page import bottom_legend, make_figure, panel_title, write_title
from geosoil.plotting.style import (
    DASH,
    INK,
    NORMAL,
    SMALL,
    WATER_STYLES,
    house_style,
    water_style,
)
from geosoil.plotting.tables import check_columns, ordered_groups, table_periods

FloatArray = npt.NDArray[np.float64]

_BAR_WIDTH = 0.72
_ZERO_HEIGHT = 1.065
_KIND_GAP = 0.6
_KIND_WORDS = {
    "all": "",
    "elevation": "elevation [m]",
    "vegetation": "vegetation",
    "aspect": "aspect",
    "depth": "depth [cm]",
    "soil_layer": "soil layer [cm]",
}


def figure_fractions_by_group(
    fractions: pd.DataFrame, *, title: str = "", note: str | None = None
) -> Figure:
    """Compose stacked bars of source fractions, a panel a period, a bar a group.

    Parameters
    ----------
    fractions : DataFrame
        One row a period and group: columns ``period``, ``kind`` (all, elevation,
        vegetation, aspect and so on), ``group``, ``n``, one column a source with its
        share, and ``<source>_lower``, ``<source>_upper`` with its 95 % interval. A
        share of exactly 0 without an upper bound above 0 is a structural zero.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom, for instance that the data are simulated.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Panels below each other with common groups; n under the bars.

    Raises
    ------
    InputError
        If a column is missing, there is no source column, or a share lies outside
        0..1.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {
    ...         "period": ["June"], "kind": ["all"], "group": ["all"], "n": [226],
    ...         "precipitation": [0.8], "ground_ice": [0.2],
    ...     }
    ... )
    >>> figure = figure_fractions_by_group(table)
    >>> figure.axes[0].get_ylabel()
    'source fraction [1]'
    """
    sources = fraction_sources(fractions)
    periods = table_periods(fractions, "table of fractions")
    places = _places(fractions)
    with house_style():
        width = max(3.6, 0.7 + 0.6 * (max(places.values()) + 1.0))
        figure = make_figure(width, 0.75 + 1.75 * len(periods), note=note)
        panels = figure.subplots(len(periods), 1, squeeze=False)
        for order, period in enumerate(periods):
            axes = panels[order, 0]
            rows = fractions[fractions["period"] == period]
            draw_fractions(axes, rows, sources=sources, places=places)
            panel_title(axes, period, order=order, panels=len(periods))
        _name_groups(panels[-1, 0], places)
        write_title(figure, title)
        handles = _handles(fractions, sources)
        bottom_legend(figure, handles, columns=min(len(handles), 5))
    return figure


def fraction_sources(fractions: pd.DataFrame) -> list[str]:
    """Return the sources of a table of fractions, those of the vocabulary first.

    Parameters
    ----------
    fractions : DataFrame
        Table as for :func:`figure_fractions_by_group`.

    Returns
    -------
    sources : list of str
        Names of the columns that hold shares.

    Raises
    ------
    InputError
        If a column is missing, there is no source column, or a share lies outside
        0..1.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"period": ["June"], "kind": ["all"], "group": ["all"], "n": [9],
    ...      "ground_ice": [0.2], "precipitation": [0.8]}
    ... )
    >>> fraction_sources(table)
    ['precipitation', 'ground_ice']
    """
    columns = [str(column) for column in fractions.columns]
    check_columns(columns, ["period", "kind", "group", "n"], "table of fractions")
    known = [water for water in WATER_STYLES if water in columns]
    bounded = [
        c for c in columns if f"{c}_lower" in columns and f"{c}_upper" in columns
    ]
    sources = known + [column for column in bounded if column not in known]
    if not sources:
        message = (
            f"The table of fractions has no source column; it has {columns}. Name "
            "columns after sources, with <source>_lower and <source>_upper."
        )
        raise InputError(message)
    shares = fractions[sources].to_numpy(dtype=float)
    wrong = (shares < -1e-9) | (shares > 1 + 1e-9)
    if wrong.any():
        bad = np.flatnonzero(wrong.any(axis=1))
        rows = fractions.index.take(bad).tolist()
        message = (
            f"Shares outside 0..1 in rows {rows[:10]} of the table of fractions "
            f"(such as {shares[wrong][0]:g}). Give fractions, not percent."
        )
        raise InputError(message)
    return sources


def _places(fractions: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Return where each group's bar stands, with a gap between kinds."""
    order = {kind: place for place, kind in enumerate(_KIND_WORDS)}
    kinds = sorted(dict.fromkeys(fractions["kind"]), key=lambda k: order.get(k, 99))
    places: dict[tuple[str, str], float] = {}
    place = 0.0
    for kind in kinds:
        names = fractions.loc[fractions["kind"] == kind, "group"]
        for group in ordered_groups(names):
            places[str(kind), group] = place
            place += 1.0
        place += _KIND_GAP
    return places


def draw_fractions(
    axes: Axes,
    fractions: pd.DataFrame,
    *,
    sources: Sequence[str],
    places: dict[tuple[str, str], float] | None = None,
) -> Axes:
    """Draw the stacked bars of one period.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    fractions : DataFrame
        Rows of one period, see :func:`figure_fractions_by_group`.
    sources : sequence of str
        Columns to stack, from below.
    places : dict, optional
        Position of each (kind, group); by default side by side.

    Returns
    -------
    axes : matplotlib.axes.Axes
        The same panel; bars are stacked, dots and whiskers show each share and its
        interval on the axis' own scale.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"kind": ["all"], "group": ["all"], "n": [9], "precipitation": [1.0]}
    ... )
    >>> axes = draw_fractions(Figure().subplots(), table, sources=["precipitation"])
    >>> len(axes.patches)
    1
    """
    places = places or _places(fractions)
    groups = zip(fractions["kind"], fractions["group"], strict=True)
    x = np.array([places[str(kind), str(group)] for kind, group in groups])
    foot = np.zeros(len(fractions))
    shift = np.linspace(-0.5, 0.5, 2 * len(sources) + 1)[1::2] * _BAR_WIDTH
    for order, source in enumerate(sources):
        style = water_style(source, order=order)
        share = fractions[source].fillna(0.0).to_numpy(dtype=float)
        axes.bar(
            x,
            share,
            _BAR_WIDTH,
            bottom=foot,
            color=style.colour,
            edgecolor="white",
            linewidth=0.5,
            label=style.label,
            zorder=2,
        )
        _draw_intervals(axes, x + shift[order], fractions, source, style.colour)
        zeros = structural_zeros(fractions, source)
        _draw_zeros(axes, x[zeros] + shift[order], style.colour, source)
        foot += share
    axes.set_xlim(min(places.values()) - 0.6, max(places.values()) + 0.6)
    axes.set_xticks(x, [f"n={int(n)}" for n in fractions["n"].fillna(0)])
    return _dress(axes)


def _dress(axes: Axes) -> Axes:
    """Set the axis of shares and take away what bars do not need."""
    axes.set_ylim(0.0, 1.13)
    axes.set_yticks(np.linspace(0.0, 1.0, 6))
    axes.set_ylabel("source fraction [1]")
    axes.tick_params(axis="x", length=0.0, labelsize=SMALL)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _draw_zeros(axes: Axes, x: FloatArray, colour: str, source: str) -> None:
    """Mark groups where a source is absent by rule, above their bars."""
    axes.plot(
        x,
        np.full(x.size, _ZERO_HEIGHT),
        linestyle="none",
        marker="x",
        markersize=4.0,
        markeredgewidth=1.3,
        color=colour,
        zorder=5,
        gid=f"zero {source}",
    )


def structural_zeros(fractions: pd.DataFrame, source: str) -> npt.NDArray[np.bool_]:
    """Say in which rows a source is absent by rule, not by chance.

    Parameters
    ----------
    fractions : DataFrame
        Table as for :func:`figure_fractions_by_group`.
    source : str
        The source.

    Returns
    -------
    zeros : array of bool, shape (n,)
        True where the share is exactly 0 and no upper bound lies above 0, and where
        the share is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"snowmelt": [0.0, 0.1], "snowmelt_upper": [0.0, 0.2]})
    >>> structural_zeros(table, "snowmelt").tolist()
    [True, False]
    """
    share = fractions[source].fillna(0.0).to_numpy(dtype=float)
    upper = fractions.get(f"{source}_upper")
    above = np.zeros(share.size)
    if upper is not None:
        above = upper.fillna(0.0).to_numpy(dtype=float)
    zeros: npt.NDArray[np.bool_] = (share == 0.0) & ~(above > 0.0)
    return zeros


def _draw_intervals(
    axes: Axes, x: FloatArray, fractions: pd.DataFrame, source: str, colour: str
) -> None:
    """Draw each share and its interval as a dot and a whisker on the axis' scale."""
    if f"{source}_lower" not in fractions or f"{source}_upper" not in fractions:
        return
    share = fractions[source].to_numpy(dtype=float)
    lower = fractions[f"{source}_lower"].to_numpy(dtype=float)
    upper = fractions[f"{source}_upper"].to_numpy(dtype=float)
    drawn = np.isfinite(lower + upper + share) & ~structural_zeros(fractions, source)
    if not drawn.any():
        return
    halo = [withStroke(linewidth=2.2, foreground="white")]
    axes.errorbar(
        x[drawn],
        share[drawn],
        yerr=np.clip([share - lower, upper - share], 0.0, None)[:, drawn],
        fmt="none",
        ecolor=INK,
        elinewidth=0.9,
        capsize=2.0,
        capthick=0.9,
        zorder=4,
        path_effects=halo,
    )
    axes.plot(
        x[drawn],
        share[drawn],
        linestyle="none",
        marker="o",
        markersize=4.0,
        color=colour,
        markeredgecolor="white",
        markeredgewidth=0.7,
        zorder=6,
        gid=f"share {source}",
    )


def _name_groups(axes: Axes, places: dict[tuple[str, str], float]) -> None:
    """Write names of groups and their kinds below the lowest panel."""
    down = axes.get_xaxis_transform()
    for (_, group), place in places.items():
        axes.annotate(
            "all samples" if group == "all" else group.replace("-", DASH),
            (place, 0.0),
            xytext=(0.0, -15.0),
            xycoords=down,
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=SMALL,
        )
    for kind in dict.fromkeys(kind for kind, _ in places):
        spots = [place for (other, _), place in places.items() if other == kind]
        words = _KIND_WORDS.get(kind, kind.replace("_", " "))
        if words:
            axes.annotate(
                words,
                ((min(spots) + max(spots)) / 2.0, 0.0),
                xytext=(0.0, -27.0),
                xycoords=down,
                textcoords="offset points",
                ha="center",
                va="top",
                fontsize=NORMAL,
                fontweight="bold",
            )


def _handles(fractions: pd.DataFrame, sources: Sequence[str]) -> list[Artist]:
    """Return the legend entries: sources, whisker, structural zero."""
    handles: list[Artist] = []
    for order, source in enumerate(sources):
        style = water_style(source, order=order)
        handles.append(Patch(color=style.colour, label=style.label))
    if any(f"{source}_lower" in fractions for source in sources):
        label = "share and its 95 % interval, from 0"
        handles.append(_mark("o", label, line="-"))
    if any(structural_zeros(fractions, source).any() for source in sources):
        label = "structural zero (colour of the source)"
        handles.append(_mark("x", label, line="none"))
    return handles


def _mark(marker: str, label: str, *, line: Literal["-", "none"]) -> Line2D:
    """Return a legend entry that is a mark, alone or on a whisker."""
    return Line2D(
        [],
        [],
        linestyle=line,
        linewidth=0.9,
        marker=marker,
        label=label,
        markersize=4.0,
        markeredgewidth=1.2,
        color=INK,
    )
