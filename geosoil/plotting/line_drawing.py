"""Water lines in d18O and d2H: how they are drawn, and their equations in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from geosoil.plotting.style import INK, MINUS, WATER_STYLES
from geosoil.tracers.bands import CLOSED, confidence_band
from geosoil.tracers.delta import Line
from geosoil.tracers.lines import WaterLine

_LOOKS: dict[str, tuple[str, str]] = {
    "GMWL": ("#888888", ":"),
    "LMWL": (INK, "-"),
    "LEL": (WATER_STYLES["soil"].colour, "--"),
}
METEORIC = ("GMWL", "LMWL")
"""Lines whose equations stand in the legend of the figure."""


def equation(name: str, line: Line) -> str:
    """Write the equation of a water line.

    Parameters
    ----------
    name : str
        Short name of the line.
    line : object with slope and intercept
        The line.

    Returns
    -------
    text : str
        Such as "LMWL: δ²H = 7.90 δ¹⁸O + 12.43", with true minus signs.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> equation("GMWL", SimpleNamespace(slope=8.0, intercept=10.0))
    'GMWL: δ²H = 8.00 δ¹⁸O + 10.00'
    """
    sign = MINUS if line.intercept < 0 else "+"
    slope = f"{line.slope:.2f}".replace("-", MINUS)
    return f"{name}: δ²H = {slope} δ¹⁸O {sign} {abs(line.intercept):.2f}"


def line_words(name: str, line: Line) -> str:
    """Write a line with how well it fits.

    Parameters
    ----------
    name : str
        Short name of the line.
    line : object with slope and intercept
        The line; a `WaterLine` also tells ``r_squared`` and ``n``.

    Returns
    -------
    words : str
        The equation; below it R² and n where they are known.

    Examples
    --------
    >>> from geosoil.tracers.lines import fit_water_line
    >>> fitted = fit_water_line([-12.0, -11.0, -9.0], [-82.0, -75.0, -61.0])
    >>> print(line_words("LEL", fitted))
    LEL: δ²H = 7.00 δ¹⁸O + 2.00
    R² = 1.00, n = 3
    """
    parts = []
    if isinstance(line, WaterLine):
        if np.isfinite(line.r_squared):
            parts.append(f"R² = {line.r_squared:.2f}")
        if line.n > 0:
            parts.append(f"n = {line.n}")
    return "\n".join([equation(name, line), ", ".join(parts)]).strip()


def line_look(name: str, line: Line) -> LineLook:
    """Return how a line is drawn by its short name.

    Parameters
    ----------
    name : str
        GMWL, LMWL, LEL, or another name.
    line : object with slope and intercept
        The line.

    Returns
    -------
    look : LineLook
        Colours, and the equation as words.

    Examples
    --------
    >>> from geosoil.tracers.lines import GMWL
    >>> line_look("GMWL", GMWL).dashes
    ':'
    """
    colour, dashes = _LOOKS.get(name, ("#332288", "-."))
    words = equation(name, line) if name in METEORIC else line_words(name, line)
    return LineLook(words, colour, dashes)


def meteoric_handles(lines: Mapping[str, Line]) -> list[Artist]:
    """Return the legend entries of the meteoric lines.

    Parameters
    ----------
    lines : mapping of str to object with slope and intercept
        Lines by their short names.

    Returns
    -------
    handles : list of Artist
        One labelled line each.

    Examples
    --------
    >>> from geosoil.tracers.lines import GMWL
    >>> [handle.get_label() for handle in meteoric_handles({"GMWL": GMWL})]
    ['GMWL: δ²H = 8.00 δ¹⁸O + 10.00']
    """
    handles: list[Artist] = []
    for name, line in lines.items():
        look = line_look(name, line)
        handles.append(
            Line2D([], [], color=look.colour, ls=look.dashes, label=look.label)
        )
    return handles


def line_reach(samples: pd.DataFrame) -> tuple[float, float]:
    """Return the d18O between which lines are drawn.

    Parameters
    ----------
    samples : DataFrame
        Column ``d18O`` [permil].

    Returns
    -------
    reach : tuple = (lowest, highest)
        One permil beyond the samples; -25 to 0 without any.

    Examples
    --------
    >>> line_reach(pd.DataFrame({"d18O": [-12.0, np.nan, -9.0]}))
    (-13.0, -8.0)
    """
    d18O = samples["d18O"].to_numpy(dtype=float)
    d18O = d18O[np.isfinite(d18O)]
    if d18O.size == 0:
        return -25.0, 0.0
    return float(d18O.min()) - 1.0, float(d18O.max()) + 1.0


@dataclass(frozen=True, slots=True)
class LineLook:
    """How a water line is drawn."""

    label: str
    """Words for the legend."""
    colour: str
    """Colour of line and band."""
    dashes: str = "-"
    """Line style."""
    width: float = 1.1
    """Line width [pt]."""


def draw_water_line(
    axes: Axes, line: Line, *, reach: tuple[float, float], look: LineLook
) -> Line2D:
    """Draw a water line, with its 95 % confidence band where its errors are known.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    line : object with slope and intercept
        The line; the band is that of a `WaterLine` fitted by a method that has one
        in closed form.
    reach : tuple = (lowest, highest)
        d18O between which it is drawn [permil].
    look : LineLook
        Words and colours.

    Returns
    -------
    drawn : matplotlib.lines.Line2D
        The line, for a legend.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from geosoil.tracers.lines import GMWL
    >>> look = LineLook("GMWL", "#888888", ":")
    >>> axes = Figure().subplots()
    >>> draw_water_line(axes, GMWL, reach=(-20.0, 0.0), look=look).get_ydata().tolist()
    [-150.0, 10.0]
    """
    if isinstance(line, WaterLine) and _has_band(line):
        band = confidence_band(line, np.linspace(*reach, 60))
        axes.fill_between(
            band.d18O,
            band.lower,
            band.upper,
            color=look.colour,
            alpha=0.18,
            linewidth=0.0,
            zorder=1.5,
            gid="band",
        )
    ends = np.array(reach)
    (drawn,) = axes.plot(
        ends,
        line.slope * ends + line.intercept,
        color=look.colour,
        linestyle=look.dashes,
        linewidth=look.width,
        label=look.label,
        zorder=4,
    )
    return drawn


def _has_band(line: WaterLine) -> bool:
    return line.n > 2 and line.method in CLOSED and bool(np.isfinite(line.covariance))
