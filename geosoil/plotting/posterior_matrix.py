"""Draws of source fractions as a matrix of pairs with their correlations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from geosoil.errors import InputError
from geosoil.plotting.diagram_page import DiagramPage, open_diagram
from geosoil.plotting.posterior import (
    check_fraction_draws,
    finite_draws,
    fraction_density,
)
from geosoil.plotting.style import (
    INK,
    MINUS,
    NORMAL,
    SCREEN,
    FigurePreset,
    WaterStyle,
    house_style,
    water_style,
)
from geosoil.tracers.draws import FractionDraws

FloatArray = npt.NDArray[np.float64]

_MOST_DOTS = 1500


def figure_posterior_matrix(
    draws: FractionDraws,
    row: int,
    *,
    title: str = "",
    note: str | None = None,
    preset: FigurePreset = SCREEN,
) -> Figure:
    """Compose a matrix of pairs of source fractions with their correlations.

    Parameters
    ----------
    draws : FractionDraws
        The draws.
    row : int
        Row of ``draws.table``, from 0.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom, for instance that the data are simulated.
    preset : FigurePreset
        For whom the figure is drawn.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Densities on the diagonal, draws below it (1500 at most, evenly thinned), and
        Pearson's correlation of all draws above. Strongly negative pairs are sources
        that the tracers cannot tell apart. Sources that do not vary are left out.

    Raises
    ------
    InputError
        If the row does not exist or has no answer, fewer than two sources vary, or
        fractions lie outside 0..1.

    Examples
    --------
    >>> import pandas as pd
    >>> values = np.random.default_rng(1).dirichlet([8.0, 4.0, 2.0], size=(500, 1))
    >>> draws = FractionDraws(
    ...     pd.DataFrame({"period": ["June"]}), ("rain", "ice", "snow"), values, ("",),
    ...     "bayes",
    ... )
    >>> len(figure_posterior_matrix(draws, 0).axes)
    9
    """
    check_fraction_draws(draws)
    values = _row_values(draws, row)
    places = np.flatnonzero(np.ptp(values, axis=0) > 0.0)
    if len(places) < 2:
        message = (
            f"Only {len(places)} of the sources {', '.join(draws.sources)} varies in "
            f"row {row}. A matrix of pairs needs two."
        )
        raise InputError(message)
    values = values[:, places]
    styles = [water_style(draws.sources[place], order=int(place)) for place in places]
    size = len(places)
    shown = values[:: -(-len(values) // _MOST_DOTS)]
    correlation = np.atleast_2d(np.corrcoef(values, rowvar=False))
    with house_style():
        side = min(0.7 + 1.35 * size, preset.page)
        page = DiagramPage(title, note, preset)
        figure = open_diagram(page, width=side, height=side + 0.25)
        panels = figure.subplots(size, size, squeeze=False)
        limits = [_limits(shown[:, one]) for one in range(size)]
        for down in range(size):
            for across in range(size):
                axes = panels[down, across]
                if down == across:
                    _draw_diagonal(axes, values[:, down], styles[down])
                elif down > across:
                    _draw_pair(axes, shown[:, [across, down]])
                    axes.set_ylim(*limits[down])
                else:
                    _write_correlation(axes, float(correlation[down, across]))
                axes.set_xlim(*limits[across])
                _dress(axes, down, across, styles)
    return figure


def _row_values(draws: FractionDraws, row: int) -> FloatArray:
    rows = len(draws.table)
    if not 0 <= row < rows:
        message = f"Invalid row {row}. The draws have the rows 0 to {rows - 1}."
        raise InputError(message)
    values = finite_draws(draws, row)
    if not len(values):
        why = draws.reason[row] or "no finite draw"
        message = f"Row {row} has no answer: {why}. Choose another row."
        raise InputError(message)
    return values


def _limits(share: FloatArray) -> tuple[float, float]:
    lower, upper = float(share.min()), float(share.max())
    margin = 0.05 * (upper - lower)
    return max(lower - margin, -0.02), min(upper + margin, 1.02)


def _draw_diagonal(axes: Axes, share: FloatArray, style: WaterStyle) -> None:
    x, density = fraction_density(share)
    axes.fill_between(x, density, color=style.colour, alpha=0.25, linewidth=0.0)
    axes.plot(x, density, color=style.colour, linewidth=1.2, label=style.label)
    axes.set_ylim(0.0, 1.08 * float(density.max()))


def _draw_pair(axes: Axes, pairs: FloatArray) -> None:
    axes.plot(
        *pairs.T,
        linestyle="none",
        marker="o",
        markersize=1.6,
        markeredgewidth=0.0,
        color=INK,
        alpha=0.35,
        rasterized=True,
    )


def _write_correlation(axes: Axes, correlation: float) -> None:
    words = f"{correlation:.2f}".replace("-", MINUS)
    axes.text(
        0.5,
        0.5,
        f"r = {words}",
        transform=axes.transAxes,
        ha="center",
        va="center",
        fontsize=NORMAL,
        fontweight="bold" if abs(correlation) >= 0.7 else "normal",
    )


def _dress(axes: Axes, down: int, across: int, styles: Sequence[WaterStyle]) -> None:
    """Name the axes at the edge of the matrix and clear the ones within."""
    last = len(styles) - 1
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.yaxis.set_major_locator(MaxNLocator(3))
    if down < across:
        axes.set_axis_off()
        return
    axes.spines[["top", "right"]].set_visible(False)
    if down == last:
        axes.set_xlabel(f"{styles[across].label} [1]")
    else:
        axes.tick_params(labelbottom=False)
    if down == across:
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
    elif across == 0:
        axes.set_ylabel(f"{styles[down].label} [1]")
    else:
        axes.tick_params(labelleft=False)
