"""Figures of end-member mixing by principal components: the space and residuals."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from geosoil.errors import InputError
from geosoil.plotting.diagram_page import (
    DiagramPage,
    add_panels,
    open_diagram,
    panel_rows,
)
from geosoil.plotting.legends import legend_below
from geosoil.plotting.mixing_space import member_size
from geosoil.plotting.page import panel_title
from geosoil.plotting.style import (
    INK,
    SCREEN,
    SMALL,
    WATER_STYLES,
    FigurePreset,
    house_style,
    water_style,
)
from geosoil.plotting.tables import check_columns
from geosoil.tracers.emma_residuals import residual_diagnostics
from geosoil.tracers.emma_space import Emma
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.mixing_solver import OUTSIDE

FloatArray = npt.NDArray[np.float64]

_SOIL = WATER_STYLES["soil"].colour
_OUTSIDE = "#777777"
_MARKERS = ("v", "s", "*", "D", "^", "P")
_COLOURS = ("#0072b2", "#009e73", "#cc79a7", "#e69f00", "#332288", "#882255")
_PANEL = 1.45


def figure_emma_space(
    space: Emma,
    end_members: EndMembers,
    *,
    candidates: EndMembers | None = None,
    title: str = "",
    note: str | None = None,
    preset: FigurePreset = SCREEN,
) -> Figure:
    """Compose the mixing diagram of principal components.

    Parameters
    ----------
    space : Emma
        Mixtures, with two components or more.
    end_members : EndMembers
        As many sources as components and one more, of one stratum.
    candidates : EndMembers, optional
        Other waters to show, drawn open and not joined.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom, for instance that the data are simulated.
    preset : FigurePreset
        For whom the figure is drawn.

    Returns
    -------
    figure : matplotlib.figure.Figure
        One panel a pair of components, up to the third; mixtures inside of all end
        members are full points and those outside open ones.

    Raises
    ------
    InputError
        If one component is kept, which has no plane to draw.
    MixingError
        If the end members cannot be solved for, see `Emma.fractions`.

    Examples
    --------
    >>> from geosoil.tracers.emma import emma
    >>> soil = pd.DataFrame({"Ca": [3., 4, 4, 5], "Mg": [4., 3, 5, 4],
    ...                      "Na": [3., 3, 2, 2]})
    >>> ends = EndMembers.from_table(pd.DataFrame({"source": ["rain", "ice", "bog"],
    ...     "Ca": [0., 9, 3], "Mg": [1., 2, 9], "Na": [5., 2, 1]}))
    >>> space = emma(soil, tracers=["Ca", "Mg", "Na"], n_components=2)
    >>> len(figure_emma_space(space, ends).axes)
    1
    """
    if space.n_components < 2:
        message = (
            "One component is kept: its mixtures lie on a line and make no plane. "
            "Keep two or more, or look at fractions alone."
        )
        raise InputError(message)
    outside = (space.fractions(end_members)["reason"] == OUTSIDE).to_numpy()
    inside = space.components.sound & ~outside
    pairs = list(combinations(space.scores.columns[:3], 2))
    members = space.project(end_members)
    others = None if candidates is None else space.project(candidates)
    with house_style():
        page = DiagramPage(title, note, preset)
        rows = panel_rows(len(pairs), page)
        width = 4.6 if len(pairs) == 1 else 0.6 + 2.9 * len(pairs)
        tall = 2.6 if page.is_narrow else 3.3
        figure = open_diagram(page, width=width, height=1.1 + tall * rows)
        panels = add_panels(figure, len(pairs), page)
        for order, (axes, pair) in enumerate(zip(panels, pairs, strict=True)):
            _draw_mixtures(axes, space.scores[list(pair)], inside, outside)
            _draw_members(axes, members[list(pair)], joined=True)
            if others is not None:
                _draw_members(axes, others[list(pair)], joined=False)
            _label(axes, space, pair)
            if len(pairs) > 1:
                words = f"{pair[0]} and {pair[1]}"
                panel_title(axes, words, order=order, panels=len(pairs))
        counts = int(inside.sum()), int(outside.sum())
        legend_below(figure, _space_handles(members, others, counts))
    return figure


def figure_hooper_residuals(
    residuals: pd.DataFrame,
    *,
    title: str = "",
    note: str | None = None,
    preset: FigurePreset = SCREEN,
) -> Figure:
    """Compose residual against observed: a row a rank, a column a tracer.

    Parameters
    ----------
    residuals : DataFrame
        Columns ``rank``, ``tracer``, ``observed``, ``residual`` and ``projected``,
        such as `Emma.residuals` gives.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom.
    preset : FigurePreset
        For whom the figure is drawn.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Small panels, the residual in standard deviations of the tracer; above each
        the share of the residuals' variance that goes with the observed, r^2, which
        is the share of the tracer's variance that the rank leaves.

    Raises
    ------
    InputError
        If a column is missing or no row has values.

    References
    ----------
    Hooper (2003), Water Resour. Res. 39, 1055, doi:10.1029/2002WR001528.

    Examples
    --------
    >>> from geosoil.tracers.emma import emma
    >>> soil = pd.DataFrame({"Ca": [3., 4, 4, 5], "Mg": [4., 3, 5, 4],
    ...                      "Na": [3., 3, 2, 2]})
    >>> space = emma(soil, tracers=["Ca", "Mg", "Na"])
    >>> len(figure_hooper_residuals(space.residuals()).axes)
    6
    """
    needed = ["rank", "tracer", "observed", "projected", "residual"]
    check_columns(list(residuals.columns), needed, "table of residuals")
    table = residuals.dropna(subset=["observed", "residual"])
    if table.empty:
        message = "No row of the table of residuals has values. Give Emma.residuals()."
        raise InputError(message)
    ranks, tracers = list(table["rank"].unique()), list(table["tracer"].unique())
    spread = table[table["rank"] == ranks[0]].groupby("tracer")["observed"].std()
    scaled = table.assign(residual=table["residual"] / table["tracer"].map(spread))
    shares = residual_diagnostics(table).set_index(["rank", "tracer"])
    with house_style():
        size = 0.7 + _PANEL * len(tracers), 0.8 + 1.25 * len(ranks)
        page = DiagramPage(title, note, preset)
        figure = open_diagram(page, width=size[0], height=size[1])
        panels = figure.subplots(
            len(ranks), len(tracers), squeeze=False, sharex="col", sharey="row"
        )
        for line, rank in enumerate(ranks):
            for place, tracer in enumerate(tracers):
                axes = panels[line, place]
                chosen = (scaled["rank"] == rank) & (scaled["tracer"] == tracer)
                _draw_residuals(axes, scaled[chosen])
                r = shares.loc[(rank, tracer), "r"]
                share = f"r² = {r**2:.2f}" if np.isfinite(r) else "no residual"
                name = f"{tracer}\n" if line == 0 else ""
                axes.set_title(f"{name}{share}", fontsize=SMALL, loc="left", pad=3.0)
            plural = "" if rank == 1 else "s"
            panels[line, 0].set_ylabel(f"{rank} component{plural}")
        for axes in panels[-1]:
            axes.set_xlabel("observed [own unit]", fontsize=SMALL)
        figure.supylabel("projected less observed [sd]", fontsize=SMALL)
    return figure


def _draw_mixtures(
    axes: Axes,
    points: pd.DataFrame,
    inside: npt.NDArray[np.bool_],
    outside: npt.NDArray[np.bool_],
) -> None:
    x, y = points.to_numpy(dtype=float).T
    axes.scatter(
        x[inside], y[inside], s=9.0, c=_SOIL, alpha=0.5, linewidths=0.0, zorder=1.6
    )
    axes.scatter(
        x[outside],
        y[outside],
        s=9.0,
        facecolors="none",
        edgecolors=_OUTSIDE,
        linewidths=0.5,
        zorder=1.5,
    )


def _draw_members(axes: Axes, members: pd.DataFrame, *, joined: bool) -> None:
    corners = members.to_numpy(dtype=float)
    if joined:
        if len(corners) == 3:
            axes.fill(*corners.T, facecolor=(0.1, 0.1, 0.1, 0.06), zorder=1.2)
        for first, second in combinations(corners, 2):
            axes.plot(*np.c_[first, second], color=INK, lw=0.9, zorder=2)
    for order, (source, point) in enumerate(zip(members.index, corners, strict=True)):
        marker, colour, _ = _look(str(source), order, joined=joined)
        axes.plot(
            *point[:, None],
            linestyle="none",
            marker=marker,
            markersize=member_size(str(source)),
            color=colour,
            markerfacecolor=colour if joined else "white",
            markeredgecolor=INK if joined else colour,
            markeredgewidth=0.6 if joined else 1.2,
            zorder=4,
        )


def _look(source: str, order: int, *, joined: bool) -> tuple[str, str, str]:
    """Give marker, colour and words of a source."""
    style = water_style(source, order=order)
    if source in WATER_STYLES:
        return style.marker, style.colour, style.label
    place = order if joined else order + 3
    return _MARKERS[order % len(_MARKERS)], _COLOURS[place % len(_COLOURS)], style.label


def _label(axes: Axes, space: Emma, pair: tuple[str, str]) -> None:
    words = [
        f"{name} ({100 * space.explained[name]:.1f} % of variance)" for name in pair
    ]
    axes.set_xlabel(words[0])
    axes.set_ylabel(words[1])
    axes.axhline(0.0, color="#dddddd", lw=0.6, zorder=0.5)
    axes.axvline(0.0, color="#dddddd", lw=0.6, zorder=0.5)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))


def _space_handles(
    members: pd.DataFrame, others: pd.DataFrame | None, counts: tuple[int, int]
) -> list[Artist]:
    """Return the legend entries: mixtures, then end members, then candidates."""
    handles: list[Artist] = [
        _entry(f"mixtures inside, n = {counts[0]}", "o", _SOIL, full=True, size=3.5),
        _entry(
            f"mixtures outside, n = {counts[1]}", "o", _OUTSIDE, full=False, size=3.5
        ),
    ]
    for table, joined in ((members, True), (others, False)):
        for order, source in enumerate([] if table is None else table.index):
            marker, colour, words = _look(str(source), order, joined=joined)
            name = words if joined else f"{words} (candidate)"
            size = 0.75 * member_size(str(source))
            handles.append(_entry(name, marker, colour, full=joined, size=size))
    return handles


def _entry(label: str, marker: str, colour: str, *, full: bool, size: float) -> Line2D:
    return Line2D(
        [],
        [],
        linestyle="none",
        marker=marker,
        markersize=size,
        color=colour,
        markerfacecolor=colour if full else "white",
        label=label,
    )


def _draw_residuals(axes: Axes, rows: pd.DataFrame) -> None:
    axes.axhline(0.0, color=INK, lw=0.6, zorder=1)
    axes.scatter(
        rows["observed"],
        rows["residual"],
        s=4.0,
        c=_SOIL,
        alpha=0.45,
        linewidths=0.0,
        zorder=2,
    )
    axes.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes.label_outer()
