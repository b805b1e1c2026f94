"""The fractions of soil water's sources by group, as stacked bars with whiskers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.text import Annotation

from geosoil.errors import InputError
from geosoil.plotting.diagram_page import DiagramPage, open_diagram
from geosoil.plotting.fraction_marks import (
    draw_intervals,
    draw_unanswered,
    draw_zeros,
    mark_handle,
    structural_zeros,
)
from geosoil.plotting.legends import legend_below, text_width, wrapped
from geosoil.plotting.page import panel_title
from geosoil.plotting.style import (
    DASH,
    NORMAL,
    SCREEN,
    SMALL,
    WATER_STYLES,
    FigurePreset,
    house_style,
    water_style,
)
from geosoil.plotting.tables import check_columns, ordered_groups, table_periods

FloatArray = npt.NDArray[np.float64]

_BAR_WIDTH = 0.72
_KIND_GAP = 0.6
_LONGEST = 92.0
_TURNED_COUNT = 34.0
KIND_WORDS = {
    "all": "",
    "elevation": "elevation [m]",
    "vegetation": "vegetation",
    "aspect": "aspect",
    "depth": "depth [cm]",
    "soil_layer": "soil layer [cm]",
    "weighting": "weighted by",
}
"""Words for kinds of groups, with their unit."""


def figure_fractions_by_group(
    fractions: pd.DataFrame,
    *,
    title: str = "",
    note: str | None = None,
    preset: FigurePreset = SCREEN,
    interval: str = "95 % interval",
) -> Figure:
    """Compose stacked bars of source fractions, a panel a period, a bar a group.

    Parameters
    ----------
    fractions : DataFrame
        One row a period and group: columns ``period``, ``kind`` (all, elevation,
        vegetation, aspect and so on), ``group``, ``n``, one column a source with its
        share, and ``<source>_lower``, ``<source>_upper`` with its interval. A share
        of exactly 0 without an upper bound above 0 is a structural zero; a group
        without any share has no answer, and says so.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom, for instance that the data are simulated.
    preset : FigurePreset
        For whom the figure is drawn.
    interval : str
        Words for the interval that the whiskers show.

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
    page = DiagramPage(title, note, preset)
    with house_style():
        width = max(4.0, 0.7 + 0.6 * (max(places.values()) + 1.0))
        handles = _handles(fractions, sources, interval)
        step = (min(width, preset.page) - 0.7) / (max(places.values()) + 1.2)
        turned = 72.0 * step < _widest(fractions, places)
        foot = 0.75 + (0.9 if turned else 0.0)
        tall = 2.1 if turned else 1.75
        figure = open_diagram(page, width=width, height=foot + tall * len(periods))
        panels = figure.subplots(len(periods), 1, squeeze=False)
        for order, period in enumerate(periods):
            axes = panels[order, 0]
            rows = fractions[fractions["period"] == period]
            draw_fractions(axes, rows, sources=sources, places=places)
            panel_title(axes, period, order=order, panels=len(periods))
            if turned:
                axes.tick_params(axis="x", rotation=90.0)
        _name_groups(panels[-1, 0], places, turned=turned)
        legend_below(figure, handles)
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
    order = {kind: place for place, kind in enumerate(KIND_WORDS)}
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
    shares = fractions[list(sources)].fillna(0.0).to_numpy(dtype=float)
    answered = shares.sum(axis=1) > 0
    draw_unanswered(axes, x[~answered])
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
        look = {"source": source, "colour": style.colour}
        draw_intervals(axes, x + shift[order], fractions, **look)
        zeros = structural_zeros(fractions, source) & answered
        draw_zeros(axes, x[zeros] + shift[order], **look)
        foot += share
    axes.set_xlim(min(places.values()) - 0.6, max(places.values()) + 0.6)
    counts = [f"n={int(n)}" if n > 0 else "" for n in fractions["n"]]
    axes.set_xticks(x, counts)
    return _dress(axes)


def _dress(axes: Axes) -> Axes:
    """Set the axis of shares and take away what bars do not need."""
    axes.set_ylim(0.0, 1.13)
    axes.set_yticks(np.linspace(0.0, 1.0, 6))
    axes.set_ylabel("source fraction [1]")
    axes.tick_params(axis="x", length=0.0, labelsize=SMALL)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _widest(fractions: pd.DataFrame, places: dict[tuple[str, str], float]) -> float:
    """Return the width of the widest words below a bar [pt]."""
    names = [_words(group) for _, group in places]
    counts = [f"n={int(n)}" for n in fractions["n"].dropna()]
    return max(text_width(words) for words in [*names, *counts]) + 3.0


def _words(group: str) -> str:
    """Write a group for people, in lines that fit below a bar."""
    if group == "all":
        return "all samples"
    return wrapped(group.replace("-", DASH).replace("_", " "), width=_LONGEST)


def _name_groups(
    axes: Axes, places: dict[tuple[str, str], float], *, turned: bool
) -> None:
    """Write names of groups and their kinds below the lowest panel."""
    first = _TURNED_COUNT if turned else 15.0
    names = {place: _words(group) for (_, group), place in places.items()}
    longest = max(text_width(words) for words in names.values())
    lines = max(words.count("\n") for words in names.values())
    second = first + (longest + 5.0 if turned else 12.0 + 1.2 * SMALL * lines)
    for place, words in names.items():
        label = _write_below(axes, place, words, first)
        label.set(fontsize=SMALL, rotation=90.0 if turned else 0.0)
    for kind in dict.fromkeys(kind for kind, _ in places):
        spots = [place for (other, _), place in places.items() if other == kind]
        words = KIND_WORDS.get(kind, kind.replace("_", " "))
        if words:
            middle = (min(spots) + max(spots)) / 2.0
            heading = _write_below(axes, middle, words, second)
            heading.set(fontsize=NORMAL, fontweight="bold")


def _write_below(axes: Axes, place: float, words: str, down: float) -> Annotation:
    """Write words below a panel, some points down."""
    return axes.annotate(
        words,
        (place, 0.0),
        xytext=(0.0, -down),
        xycoords=axes.get_xaxis_transform(),
        textcoords="offset points",
        ha="center",
        va="top",
    )


def _handles(
    fractions: pd.DataFrame, sources: Sequence[str], interval: str
) -> list[Artist]:
    """Return the legend entries: sources, whisker, structural zero."""
    handles: list[Artist] = []
    for order, source in enumerate(sources):
        style = water_style(source, order=order)
        handles.append(Patch(color=style.colour, label=style.label))
    if any(f"{source}_lower" in fractions for source in sources):
        label = f"share and its {interval}, from 0"
        handles.append(mark_handle("o", label, line="-"))
    if any(structural_zeros(fractions, source).any() for source in sources):
        label = "structural zero (colour of the source)"
        handles.append(mark_handle("x", label, line="none"))
    return handles
