"""End members and the space they span in a mixing diagram."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from geosoil.plotting.ellipses import (
    ONE_SD,
    Spread,
    draw_ellipse,
    mean_covariance,
    row_covariance,
    row_units,
)
from geosoil.plotting.style import AXIS_LABELS, INK, WATER_STYLES, water_style

FloatArray = npt.NDArray[np.float64]
Frame = tuple[float, float, float, float]

_SOIL = WATER_STYLES["soil"].colour
_NARROW = 1.9
"""Width of a page for each of its panels below which axes have few numbers [inch]."""


@dataclass(frozen=True, slots=True)
class _Look:
    """How one treatment of rain is drawn."""

    dashes: str
    colour: str
    fill: float


_TREATMENTS = (_Look("--", "#777777", 0.0), _Look("-", INK, 0.08), _Look(":", INK, 0.0))


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
    >>> from matplotlib.figure import Figure
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


def mixing_frame(soil: pd.DataFrame, others: Sequence[pd.DataFrame]) -> Frame:
    """Return axis limits that hold sources, means and 96 % of the soil samples.

    Parameters
    ----------
    soil : DataFrame
        Columns ``d18O``, ``d_excess`` [permil].
    others : sequence of DataFrame
        Tables of sources and means, with ``<tracer>_sd`` where they have a width.

    Returns
    -------
    frame : tuple = (W, E, S, N)
        Limits of d18O, then of d-excess [permil].

    Examples
    --------
    >>> soil = pd.DataFrame({"d18O": [-12.0, -11.0], "d_excess": [6.0, 8.0]})
    >>> ends = pd.DataFrame({"d18O": [-16.0], "d_excess": [2.0], "d18O_sd": [4.0]})
    >>> [round(limit, 2) for limit in mixing_frame(soil, [ends])]
    [-20.54, -10.48, 1.64, 8.32]
    """
    limits: list[float] = []
    for tracer in ("d18O", "d_excess"):
        values = soil[tracer].dropna().to_numpy(dtype=float)
        ends = [np.percentile(values, [2.0, 98.0]) if values.size else np.empty(0)]
        for table in others:
            if tracer not in table:
                continue
            centre = table[tracer].to_numpy(dtype=float)
            spread = np.zeros(centre.size)
            if f"{tracer}_sd" in table:
                spread = table[f"{tracer}_sd"].fillna(0.0).to_numpy(dtype=float)
            ends += [centre - spread, centre + spread]
        low, high = np.nanmin(np.concatenate(ends)), np.nanmax(np.concatenate(ends))
        margin = 0.06 * (high - low) or 1.0
        limits += [float(low - margin), float(high + margin)]
    return limits[0], limits[1], limits[2], limits[3]


def frame_row(panels: Iterable[Axes], frame: Frame, *, labels: bool = True) -> None:
    """Give a row of panels one frame, and words to its outer axes alone.

    Parameters
    ----------
    panels : iterable of Axes
        The row, from the left.
    frame : tuple = (W, E, S, N)
        Limits of d18O, then of d-excess [permil].
    labels : bool
        Whether d18O is named below the row.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> row = Figure().subplots(1, 2)
    >>> frame_row(row, (-20.0, -5.0, -10.0, 20.0))
    >>> row[1].get_xlim()[0], row[1].get_ylabel()
    (np.float64(-20.0), '')
    """
    row = list(panels)
    for order, axes in enumerate(row):
        axes.set(xlim=frame[:2], ylim=frame[2:])
        page = float(axes.get_figure(root=True).get_size_inches()[0])  # type: ignore[union-attr]  # never None
        ticks = 6 if page / len(row) > _NARROW else 4
        axes.xaxis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
        axes.set_xlabel(AXIS_LABELS["d18O"] if labels else "")
        axes.set_ylabel("" if order else AXIS_LABELS["d_excess"])
        axes.tick_params(labelleft=not order)


BOTH: tuple[Spread, Spread] = ("samples", "mean")
"""Both ellipses of an end member."""

MEAN: tuple[Spread] = ("mean",)
"""The ellipse of an end member's mean alone."""


def draw_mixing_space(
    axes: Axes, end_members: pd.DataFrame, *, spread: Collection[Spread] = BOTH
) -> Axes:
    """Draw end members with their ellipses, and what they span.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    end_members : DataFrame
        Columns ``source``, ``d18O``, ``d_excess`` [permil], optionally those that
        tell of ellipses (see `row_covariance` and `mean_covariance`), ``d18O_sd``,
        ``d_excess_sd`` and ``treatment``, see :func:`figure_mixing_diagram`.
    spread : collection of {"samples", "mean"}
        "samples" draws a thin ellipse of one standard deviation of the samples, or
        bars where their covariance is not told; "mean" a thick one that holds the
        mean with 95 %.

    Returns
    -------
    axes : matplotlib.axes.Axes
        The same panel.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> sources = pd.DataFrame(
    ...     {
    ...         "source": ["precipitation", "ground_ice", "snowmelt"],
    ...         "d18O": [-11.0, -15.0, -18.0],
    ...         "d_excess": [8.0, 2.0, 12.0],
    ...     }
    ... )
    >>> len(draw_mixing_space(Figure().subplots(), sources).patches)
    1
    """
    members = with_treatment(end_members)
    treatments = list(dict.fromkeys(members["treatment"]))
    for order, treatment in enumerate(treatments):
        rows = members[members["treatment"] == treatment]
        look = _TREATMENTS[order % len(_TREATMENTS)]
        _draw_span(axes, rows[["d18O", "d_excess"]].to_numpy(dtype=float), look)
        filled = order > 0 or len(treatments) == 1
        for place, row in enumerate(rows.to_dict("records")):
            _draw_ellipses(axes, row, spread, order=place, filled=filled)
            wide = "samples" in spread
            bars = wide and row_covariance(row, "samples") is None
            _draw_end_member(axes, row, order=place, filled=filled, bars=bars)
            if not wide:
                axes.lines[-1].set_markersize(0.7 * member_size(str(row["source"])))
    return axes


def _draw_ellipses(
    axes: Axes,
    row: dict[Hashable, Any],
    spread: Collection[Spread],
    *,
    order: int,
    filled: bool,
) -> None:
    """Draw what is known of one end member's spread as ellipses."""
    centre = (float(row["d18O"]), float(row["d_excess"]))
    source = str(row["source"])
    look = {
        "edgecolor": water_style(source, order=order).colour,
        "linestyle": "-" if filled else (0, (4, 2)),
    }
    samples = row_covariance(row, "samples")
    if "samples" in spread and samples is not None:
        style = {**look, "linewidth": 0.8, "gid": f"samples {source}"}
        draw_ellipse(axes, centre, samples, confidence=ONE_SD, style=style)
    mean, units = mean_covariance(row), row_units(row)
    if "mean" in spread and mean is not None and (units is None or units > 2):
        style = {**look, "linewidth": 2.0, "zorder": 3.5, "gid": f"mean {source}"}
        draw_ellipse(axes, centre, mean, n_units=units, style=style)


def _draw_span(axes: Axes, corners: FloatArray, look: _Look) -> None:
    """Draw the polygon or the line that end members span."""
    if len(corners) > 2:
        centre = corners.mean(axis=0)
        turn = np.arctan2(*(corners - centre).T[::-1])
        corners = corners[np.argsort(turn)]
        axes.fill(
            *corners.T,
            facecolor=(0.1, 0.1, 0.1, look.fill),
            edgecolor=look.colour,
            linestyle=look.dashes,
            linewidth=1.0,
            zorder=2,
        )
    else:
        axes.plot(*corners.T, color=look.colour, ls=look.dashes, lw=1.0, zorder=2)


def _draw_end_member(
    axes: Axes, row: dict[Hashable, Any], *, order: int, filled: bool, bars: bool
) -> None:
    """Draw one end member, with its bars where they are wanted."""
    style = water_style(str(row["source"]), order=order)
    axes.errorbar(
        [float(row["d18O"])],
        [float(row["d_excess"])],
        xerr=_bar(row, "d18O_sd") if bars else None,
        yerr=_bar(row, "d_excess_sd") if bars else None,
        fmt=style.marker,
        markersize=member_size(str(row["source"])),
        color=style.colour,
        markerfacecolor=style.colour if filled else "white",
        markeredgecolor=INK if filled else style.colour,
        markeredgewidth=0.6 if filled else 1.2,
        elinewidth=0.9,
        capsize=2.0,
        zorder=4,
    )


def _bar(row: dict[Hashable, Any], column: str) -> list[float] | None:
    """Return the length of a bar, or None where the table has no spread."""
    value = row.get(column)
    return None if value is None or not np.isfinite(float(value)) else [float(value)]


def member_size(source: str) -> float:
    """Return the size of an end member's marker.

    Parameters
    ----------
    source : str
        The source.

    Returns
    -------
    size : float
        Size [pt]; stars look small and get more.

    Examples
    --------
    >>> member_size("ground_ice")
    7.5
    """
    return 11.0 if source == "snowmelt" else 7.5


def with_treatment(end_members: pd.DataFrame) -> pd.DataFrame:
    """Return end members with a treatment column, empty where there is none.

    Parameters
    ----------
    end_members : DataFrame
        Table of end members.

    Returns
    -------
    end_members : DataFrame
        The table with the column ``treatment``.

    Examples
    --------
    >>> with_treatment(pd.DataFrame({"source": ["snowmelt"]}))["treatment"].tolist()
    ['']
    """
    if "treatment" in end_members:
        return end_members
    return end_members.assign(treatment="")


def space_handles(treatments: list[str]) -> list[Artist]:
    """Return the legend entries of the mixing spaces.

    Parameters
    ----------
    treatments : list of str
        Treatments of rain, in the order of drawing.

    Returns
    -------
    handles : list of Artist
        One labelled line a treatment.

    Examples
    --------
    >>> space_handles([""])[0].get_label()
    'mixing space'
    """
    handles: list[Artist] = []
    for order, treatment in enumerate(treatments):
        look = _TREATMENTS[order % len(_TREATMENTS)]
        words = f"mixing space, {treatment}" if treatment else "mixing space"
        if order == 0 and len(treatments) > 1:
            words += " (open)"
        handles.append(
            Line2D([], [], color=look.colour, ls=look.dashes, lw=1.0, label=words)
        )
    return handles


def ellipse_handles(end_members: pd.DataFrame) -> list[Artist]:
    """Return the legend entries of the end members' ellipses that are drawn.

    Parameters
    ----------
    end_members : DataFrame
        Table of end members.

    Returns
    -------
    handles : list of Artist
        One labelled line for ellipses of samples, one for those of means.

    Examples
    --------
    >>> ellipse_handles(pd.DataFrame({"source": ["ice"], "d18O": [-14.0]}))
    []
    """
    rows = end_members.to_dict("records")
    handles: list[Artist] = []
    if any(row_covariance(row, "samples") is not None for row in rows):
        label = "source: 1 sd of its samples"
        handles.append(Line2D([], [], color="#777777", lw=0.8, label=label))
    if any(mean_covariance(row) is not None for row in rows):
        label = "source: 95 % of its mean"
        handles.append(Line2D([], [], color="#777777", lw=2.0, label=label))
    return handles
