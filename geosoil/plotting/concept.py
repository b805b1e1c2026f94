"""The concept map of soil water's sources: region and strata by period, as in Fig 7."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from geosoil.plotting.corners import lay_out
from geosoil.plotting.diagram_page import DiagramPage, open_diagram
from geosoil.plotting.fraction_marks import structural_zeros
from geosoil.plotting.fractions import KIND_WORDS, fraction_sources
from geosoil.plotting.legends import legend_below, text_width, wrapped
from geosoil.plotting.page import panel_title
from geosoil.plotting.strata_looks import dark
from geosoil.plotting.style import DASH, INK, SMALL, house_style, water_style
from geosoil.plotting.tables import ordered_groups, table_periods

FloatArray = npt.NDArray[np.float64]
Places = dict[tuple[str, str], float]

_UPWARD = ("elevation", "elevation_band")
"""Kinds whose highest class stands at the top, as in the land."""

_TOP, _BAR = -0.40, 0.46
_LANES = (0.16, 0.40)
"""Where the intervals lie below the middle of a bar's row."""
_HEAD = 0.75
_ROW = 0.345
_LONGEST = 92.0
"""Room for names of strata [pt]."""
_MOST_ACROSS = 3
_GREY = "#777777"


@dataclass(frozen=True, slots=True)
class _Bar:
    """One stratum of one period."""

    row: pd.Series
    """Its shares and their bounds."""
    place: float
    """Middle of its row, downward."""
    present: tuple[str, ...]
    """Sources that can take part in it."""


def figure_source_concept(
    fractions: pd.DataFrame,
    *,
    interval: str = "95 % interval",
    page: DiagramPage | None = None,
) -> Figure:
    """Compose the shares of each source by stratum, a panel a period.

    Parameters
    ----------
    fractions : DataFrame
        As for `geosoil.plotting.fractions.figure_fractions_by_group`.
    interval : str
        Words for the interval that ``<source>_lower`` and ``_upper`` bound.
    page : DiagramPage, optional
        Title, note and preset.

    Returns
    -------
    figure : matplotlib.figure.Figure
        A row a stratum, below the region's: a stacked bar with its percentages, and
        below it the interval of each source from 0. A source that cannot take part,
        its share and upper bound exactly 0, is left out; one that may but was found
        to give nothing keeps its interval and its 0. A stratum without samples in a
        period says so.

    Raises
    ------
    InputError
        If a column is missing, there is no source column, or a share lies outside
        0..1.

    Examples
    --------
    >>> table = pd.DataFrame({"period": ["June"], "kind": "all", "group": "all",
    ...     "n": 226, "precipitation": 0.8, "ground_ice": 0.2})
    >>> figure = figure_source_concept(table)
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['80', '20']
    """
    sources = fraction_sources(fractions)
    page = page or DiagramPage()
    periods = table_periods(fractions, "table of fractions")
    places, heads = _places(fractions)
    across = min(len(periods), _MOST_ACROSS)
    rows = -(-len(periods) // across)
    with house_style():
        tall = 0.62 + _ROW * (max(places.values()) + 1.2)
        figure = open_diagram(
            page, width=1.1 + 2.65 * across, height=0.45 + tall * rows
        )
        panels = figure.subplots(rows, across, squeeze=False)
        drawn: list[tuple[Axes, list[_Bar]]] = []
        for order, axes in enumerate(panels.flat):
            if order >= len(periods):
                axes.remove()
                continue
            own = fractions[fractions["period"] == periods[order]]
            drawn.append((axes, _draw_period(axes, own, sources, places)))
            panel_title(axes, periods[order], order=order, panels=len(periods))
            _dress(axes, places, heads, names=order % across == 0)
        legend_below(figure, _handles(fractions, sources, interval))
        lay_out(figure)
        for axes, bars in drawn:
            width = 72.0 * axes.get_window_extent().width / figure.dpi
            for bar in bars:
                _write_percent(axes, bar, sources, width)
    return figure


def _places(fractions: pd.DataFrame) -> tuple[Places, dict[str, float]]:
    """Return the row of each stratum, from the top, and of each kind's heading."""
    order = {kind: place for place, kind in enumerate(KIND_WORDS)}
    kinds = sorted(dict.fromkeys(fractions["kind"]), key=lambda k: order.get(k, 99))
    places: Places = {}
    heads: dict[str, float] = {}
    at = 0.0
    for kind in map(str, kinds):
        words = KIND_WORDS.get(kind, kind.replace("_", " "))
        if words:
            heads[words] = at
            at += _HEAD
        names = ordered_groups(fractions.loc[fractions["kind"] == kind, "group"])
        for group in reversed(names) if kind in _UPWARD else names:
            places[kind, group] = at
            at += 1.0
    return places, heads


def _draw_period(
    axes: Axes, fractions: pd.DataFrame, sources: Sequence[str], places: Places
) -> list[_Bar]:
    """Draw bars and intervals of one period; return the bars."""
    table = fractions.set_index(["kind", "group"])
    bars: list[_Bar] = []
    for key, place in places.items():
        if key not in table.index:
            _say(axes, place, "no samples")
            continue
        found = table.loc[[key]]
        shares = found[list(sources)].to_numpy(dtype=float)
        if not np.nansum(shares) > 0:
            _say(axes, place, "no answer")
            continue
        present = tuple(s for s in sources if not structural_zeros(found, s)[0])
        bar = _Bar(found.iloc[0], place, present)
        _draw_bar(axes, bar, sources)
        bars.append(bar)
    return bars


def _draw_bar(axes: Axes, bar: _Bar, sources: Sequence[str]) -> None:
    """Draw the stacked shares of a stratum and, below them, their intervals."""
    start = 0.0
    lanes = np.linspace(*_LANES, max(len(sources), 2))
    for order, source in enumerate(sources):
        if source not in bar.present:
            continue
        colour = water_style(source, order=order).colour
        share = 100.0 * float(bar.row[source])
        axes.barh(
            bar.place + _TOP,
            share,
            _BAR,
            left=start,
            align="edge",
            color=colour,
            edgecolor="white",
            linewidth=0.5,
            gid=f"bar {source}",
        )
        start += share
        _draw_interval(axes, bar, source, (bar.place + float(lanes[order]), colour))


def _draw_interval(axes: Axes, bar: _Bar, source: str, look: tuple[float, str]) -> None:
    """Draw the interval of a share as a line with a dot, on the scale of the axis."""
    bounds = [bar.row.get(f"{source}_{end}", np.nan) for end in ("lower", "upper")]
    low, high = (100.0 * float(value) for value in bounds)
    if not np.isfinite(low + high):
        return
    y, colour = look
    axes.plot(
        [low, high],
        [y, y],
        color=colour,
        linewidth=1.3,
        solid_capstyle="butt",
        gid=f"interval {source}",
        clip_on=False,
    )
    axes.plot(
        [100.0 * float(bar.row[source])],
        [y],
        marker="o",
        markersize=3.6,
        color=colour,
        markeredgecolor=INK,
        markeredgewidth=0.4,
        gid=f"share {source}",
        clip_on=False,
        zorder=4,
    )


def _write_percent(axes: Axes, bar: _Bar, sources: Sequence[str], width: float) -> None:
    """Write the shares [%]: into the bar, or behind it where they are too narrow."""
    low, high = axes.get_xlim()
    start, after = 0.0, 3.0
    y = bar.place + _TOP + _BAR / 2.0
    for order, source in enumerate(sources):
        if source not in bar.present:
            continue
        share = 100.0 * float(bar.row[source])
        words = f"{share:.0f}"
        colour = water_style(source, order=order).colour
        if text_width(words) + 3.0 > width * share / (high - low):
            _write_behind(axes, words, (100.0, y, after), dark(colour))
            after += text_width(words) + 4.0
        else:
            middle = start + share / 2.0
            text = axes.text(middle, y, words, color=_on(colour), fontsize=SMALL)
            text.set(ha="center", va="center_baseline")
        start += share


def _write_behind(
    axes: Axes, words: str, where: tuple[float, float, float], colour: str
) -> None:
    """Write a percentage behind its bar, in the colour of its source."""
    x, y, off = where
    axes.annotate(
        words,
        (x, y),
        (off, 0.0),
        textcoords="offset points",
        va="center_baseline",
        color=colour,
        fontsize=SMALL,
        fontweight="bold",
        gid="behind",
    )


def _on(colour: str) -> str:
    """Return the colour of letters that can be read on another colour."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in to_rgb(colour)
    ]
    luminance = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
    return INK if luminance > 0.18 else "white"


def _say(axes: Axes, place: float, words: str) -> None:
    axes.text(
        1.0,
        place,
        words,
        va="center",
        fontsize=SMALL,
        fontstyle="italic",
        color=_GREY,
        gid=words,
    )


def _dress(axes: Axes, places: Places, heads: dict[str, float], *, names: bool) -> None:
    """Set the axes of a panel: percent below, strata and their kinds at the left."""
    axes.set_ylim(max(places.values()) + 0.55, -0.55)
    axes.set_xlim(0.0, 118.0)
    axes.set_xticks([0, 25, 50, 75, 100], ["0", "", "50", "", "100"])
    axes.set_xlabel("share [%]")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines["bottom"].set_bounds(0.0, 100.0)
    axes.tick_params(axis="y", length=0.0)
    for end in (25, 50, 75, 100):
        axes.axvline(end, color="#dddddd", linewidth=0.5, zorder=0)
    ticks = {place: _name(group) for (_, group), place in places.items()}
    ticks |= {place: words for words, place in heads.items()}
    labels = list(ticks.values()) if names else [""] * len(ticks)
    axes.set_yticks(list(ticks), labels)
    for tick, place in zip(axes.get_yticklabels(), ticks, strict=True):
        if place in heads.values():
            tick.set_fontweight("bold")


def _name(group: str) -> str:
    if group == "all":
        return "whole region"
    return wrapped(group.replace("-", DASH).replace("_", " "), width=_LONGEST)


def _handles(
    fractions: pd.DataFrame, sources: Sequence[str], interval: str
) -> list[Artist]:
    """Return the legend entries: sources that are drawn, and the interval."""
    handles: list[Artist] = []
    for order, source in enumerate(sources):
        if structural_zeros(fractions, source).all():
            continue
        style = water_style(source, order=order)
        handles.append(Patch(color=style.colour, label=style.label))
    if any(f"{source}_lower" in fractions for source in sources):
        words = f"share and its {interval}, from 0"
        look = {"color": _GREY, "marker": "o", "markersize": 3.6}
        handles.append(Line2D([], [], **look, linewidth=1.3, label=words))  # type: ignore[arg-type]  # kinds differ
    return handles
