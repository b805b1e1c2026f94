"""Whiskers, structural zeros and missing answers on the bars of source fractions."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from geosoil.plotting.style import INK, SMALL

FloatArray = npt.NDArray[np.float64]

_ZERO_HEIGHT = 1.065


def draw_zeros(axes: Axes, x: FloatArray, *, colour: str, source: str) -> None:
    """Mark groups where a source is absent by rule, above their bars.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    x : array, shape (n,)
        Where the marks stand.
    colour, source : str
        Colour and name of the source.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> draw_zeros(axes, np.array([0.0]), colour="k", source="snowmelt")
    >>> axes.lines[0].get_gid()
    'zero snowmelt'
    """
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


def draw_intervals(
    axes: Axes, x: FloatArray, fractions: pd.DataFrame, *, source: str, colour: str
) -> None:
    """Draw each share and its interval as a dot and a whisker on the axis' scale.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    x : array, shape (n,)
        Where the whiskers stand.
    fractions : DataFrame
        Columns ``<source>``, ``<source>_lower``, ``<source>_upper``.
    source, colour : str
        Name and colour of the source.

    Examples
    --------
    >>> table = pd.DataFrame({"ice": [0.2], "ice_lower": [0.1], "ice_upper": [0.4]})
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> draw_intervals(axes, np.array([0.0]), table, source="ice", colour="k")
    >>> axes.lines[-1].get_gid()
    'share ice'
    """
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


def mark_handle(marker: str, label: str, *, line: Literal["-", "none"]) -> Line2D:
    """Return a legend entry that is a mark, alone or on a whisker.

    Parameters
    ----------
    marker, label : str
        Matplotlib marker, and words.
    line : {"-", "none"}
        Whether there is a whisker.

    Returns
    -------
    handle : matplotlib.lines.Line2D
        The entry.

    Examples
    --------
    >>> mark_handle("x", "structural zero", line="none").get_label()
    'structural zero'
    """
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


def draw_unanswered(axes: Axes, x: FloatArray) -> None:
    """Write into the place of a bar that its group has no answer.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    x : array, shape (n,)
        Where the bars would stand.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> draw_unanswered(axes, np.array([0.0]))
    >>> axes.texts[0].get_text()
    'no answer'
    """
    for place in x:
        axes.text(
            float(place),
            0.5,
            "no answer",
            rotation=90.0,
            ha="center",
            va="center",
            fontsize=SMALL,
            color="#777777",
            gid="no answer",
        )
