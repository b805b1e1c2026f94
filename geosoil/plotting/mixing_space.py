"""End members and the space they span in a mixing diagram."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from geosoil.plotting.style import INK, water_style

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Look:
    """How one treatment of rain is drawn."""

    dashes: str
    colour: str
    fill: float


_TREATMENTS = (_Look("--", "#777777", 0.0), _Look("-", INK, 0.08), _Look(":", INK, 0.0))


def draw_mixing_space(axes: Axes, end_members: pd.DataFrame) -> Axes:
    """Draw end members with bars of one standard deviation, and what they span.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    end_members : DataFrame
        Columns ``source``, ``d18O``, ``d_excess`` [permil], optionally ``d18O_sd``,
        ``d_excess_sd`` and ``treatment``, see :func:`figure_mixing_diagram`.

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
            _draw_end_member(axes, row, order=place, filled=filled)
    return axes


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
    axes: Axes, row: dict[Hashable, Any], *, order: int, filled: bool
) -> None:
    """Draw one end member with its bars."""
    style = water_style(str(row["source"]), order=order)
    axes.errorbar(
        [float(row["d18O"])],
        [float(row["d_excess"])],
        xerr=_bar(row, "d18O_sd"),
        yerr=_bar(row, "d_excess_sd"),
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
