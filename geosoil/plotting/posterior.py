"""Draws of source fractions as curves of density."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from scipy.ndimage import gaussian_filter1d

from geosoil.errors import InputError
from geosoil.plotting.diagram_page import DiagramPage, open_diagram
from geosoil.plotting.legends import legend_below
from geosoil.plotting.page import panel_title
from geosoil.plotting.style import (
    DASH,
    INK,
    NORMAL,
    SCREEN,
    SMALL,
    FigurePreset,
    WaterStyle,
    house_style,
    water_style,
)
from geosoil.tracers.draws import FractionDraws

FloatArray = npt.NDArray[np.float64]

_BINS = 400
_NARROWEST = 0.008
_MOST_LETTERS = 26
_CUT = 5.0
_COLUMNS, _PANEL_WIDTH, _PANEL_HEIGHT = 4, 1.95, 1.35
_TITLE_CHARACTERS = 22
_NO_LABEL = ("n", "n_sites", "kind")


def figure_posterior_densities(
    draws: FractionDraws,
    *,
    prior: FractionDraws | None = None,
    labels: Sequence[str] | None = None,
    title: str = "",
    note: str | None = None,
    preset: FigurePreset = SCREEN,
) -> Figure:
    """Compose the densities of every source's fraction, a panel a row of the draws.

    Parameters
    ----------
    draws : FractionDraws
        Draws of one or more mixtures or groups.
    prior : FractionDraws, optional
        Draws before the data were seen, drawn dashed: one row for all panels, or a
        row each in the same order.
    labels : sequence of str, optional
        Columns of ``draws.table`` that name the panels; by default those with words.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom, for instance that the data are simulated.
    preset : FigurePreset
        For whom the figure is drawn.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Small panels, four a row; a panel without an answer says why.

    Raises
    ------
    InputError
        If there is no row, a label column is missing, the prior does not fit, or
        fractions lie outside 0..1.

    Examples
    --------
    >>> table = pd.DataFrame({"period": ["June"]})
    >>> values = np.random.default_rng(1).dirichlet([8.0, 4.0], size=(500, 1))
    >>> draws = FractionDraws(table, ("rain", "ground_ice"), values, ("",), "bayes")
    >>> figure = figure_posterior_densities(draws)
    >>> figure.axes[0].get_title(loc="left")
    'June'
    """
    check_fraction_draws(draws)
    if prior is not None:
        _check_prior(prior, draws)
    names = _panel_names(draws.table, labels)
    count = len(names)
    page = DiagramPage(title, note, preset)
    columns = min(2 if page.is_narrow else _COLUMNS, count)
    rows = -(-count // columns)
    with house_style():
        width = max(3.6, 0.45 + _PANEL_WIDTH * columns)
        height = 0.95 + _PANEL_HEIGHT * rows
        figure = open_diagram(page, width=width, height=height)
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for order, axes in enumerate(panels):
            if order >= count:
                axes.remove()
                continue
            draw_posterior_density(axes, draws, order, prior=prior)
            letters = count if count <= _MOST_LETTERS else 1
            panel_title(axes, names[order], order=order, panels=letters)
            if order + columns < count:
                axes.tick_params(labelbottom=False)
            else:
                axes.set_xlabel("source fraction [1]")
        figure.supylabel("probability density [1]", fontsize=NORMAL)
        legend_below(figure, _handles(draws, prior=prior))
    return figure


def draw_posterior_density(
    axes: Axes, draws: FractionDraws, row: int, *, prior: FractionDraws | None = None
) -> Axes:
    """Draw the density of each source's fraction in one mixture or group.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    draws : FractionDraws
        The draws.
    row : int
        Row of ``draws.table``, from 0.
    prior : FractionDraws, optional
        Draws before the data were seen, drawn dashed.

    Returns
    -------
    axes : matplotlib.axes.Axes
        The same panel. A source that is 0 in every draw is a cross at 0; a curve more
        than five times as high as another runs out at the top.

    Examples
    --------
    >>> values = np.random.default_rng(1).dirichlet([8.0, 4.0], size=(500, 1))
    >>> draws = FractionDraws(
    ...     pd.DataFrame({"period": ["June"]}), ("rain", "ice"), values, ("",), "bayes"
    ... )
    >>> axes = draw_posterior_density(Figure().subplots(), draws, 0)
    >>> [line.get_label() for line in axes.lines]
    ['rain', 'ice']
    """
    axes.set_xlim(-0.02, 1.02)
    axes.set_xticks([0.0, 0.25, 0.5, 0.75, 1.0], ["0", "0.25", "0.5", "0.75", "1"])
    axes.spines[["top", "right"]].set_visible(False)
    values = finite_draws(draws, row)
    if not len(values):
        return _say_reason(axes, draws.reason[row])
    peaks: list[float] = []
    for order, source in enumerate(draws.sources):
        style = water_style(source, order=order)
        share = values[:, order]
        if not share.any():
            _mark_zero(axes, style, source)
            continue
        x, density = fraction_density(share)
        axes.fill_between(x, density, color=style.colour, alpha=0.15, linewidth=0.0)
        axes.plot(x, density, color=style.colour, linewidth=1.2, label=style.label)
        peaks.append(float(density.max()))
        if prior is not None:
            _draw_prior(axes, prior, min(row, len(prior.table) - 1), order)
    axes.set_ylim(0.0, 1.08 * min(max(peaks), _CUT * min(peaks)))
    axes.yaxis.set_major_locator(MaxNLocator(3))
    return axes


def check_fraction_draws(draws: FractionDraws) -> None:
    """Raise when draws cannot be drawn on a scale of 0..1.

    Parameters
    ----------
    draws : FractionDraws
        The draws.

    Raises
    ------
    InputError
        If there is no row, or fractions lie outside 0..1.

    Examples
    --------
    >>> values = np.array([[[0.7, 0.3]]])
    >>> table = pd.DataFrame({"period": ["June"]})
    >>> check_fraction_draws(FractionDraws(table, ("rain", "ice"), values, ("",), ""))
    """
    if draws.table.empty:
        message = "The draws have no row. Give one mixture or group or more."
        raise InputError(message)
    values = draws.values  # noqa: PD011  a plain array
    values = values[np.isfinite(values)]
    outside = (values < -1e-9) | (values > 1.0 + 1e-9)
    if outside.any():
        message = (
            f"{int(outside.sum())} of the drawn fractions lie outside 0..1 (such as "
            f"{values[outside][0]:g}). Give constrained fractions, not percent."
        )
        raise InputError(message)


def finite_draws(draws: FractionDraws, row: int) -> FloatArray:
    """Return the draws of one row that have all fractions.

    Parameters
    ----------
    draws : FractionDraws
        The draws.
    row : int
        Row of ``draws.table``, from 0.

    Returns
    -------
    values : array, shape (draw, source)
        Fractions; no draw where the row has no answer.

    Examples
    --------
    >>> values = np.array([[[0.7, 0.3]], [[np.nan, np.nan]]])
    >>> table = pd.DataFrame({"period": ["June"]})
    >>> finite_draws(FractionDraws(table, ("a", "b"), values, ("",), ""), 0).tolist()
    [[0.7, 0.3]]
    """
    values = draws.values[:, row, :]  # noqa: PD011  a plain array
    return values[np.isfinite(values).all(axis=1)]


def fraction_density(share: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Smooth the draws of one fraction into a density on 0..1.

    Parameters
    ----------
    share : array, shape (draw,)
        Draws of a fraction.

    Returns
    -------
    x : array, shape (400,)
        Places in 0..1.
    density : array, shape (400,)
        Density there; it integrates to 1.

    Notes
    -----
    Gaussian kernel with reflection at 0 and 1, and a width of 1.06 min(SD, IQR / 1.34)
    S^(-1/5), 0.008 or more.

    References
    ----------
    Silverman (1986), Density Estimation for Statistics and Data Analysis, chapter 3,
    doi:10.1201/9781315140919.

    Examples
    --------
    >>> share = np.random.default_rng(1).beta(8.0, 4.0, size=4000)
    >>> x, density = fraction_density(share)
    >>> round(float(density.mean()), 9), bool(0.6 < x[density.argmax()] < 0.8)
    (1.0, True)
    """
    lower, upper = np.quantile(share, [0.25, 0.75])
    spreads = [s for s in (share.std(), (upper - lower) / 1.34) if s > 0.0]
    width = 1.06 * min(spreads, default=0.0) * len(share) ** -0.2
    counts, edges = np.histogram(np.clip(share, 0.0, 1.0), _BINS, (0.0, 1.0))
    smooth = gaussian_filter1d(
        counts.astype(float), max(width, _NARROWEST) * _BINS, mode="reflect"
    )
    return (edges[:-1] + edges[1:]) / 2.0, smooth * _BINS / len(share)


def _check_prior(prior: FractionDraws, draws: FractionDraws) -> None:
    check_fraction_draws(prior)
    rows = len(draws.table)
    if prior.sources != draws.sources or len(prior.table) not in (1, rows):
        message = (
            f"The prior has the sources {', '.join(prior.sources)} and "
            f"{len(prior.table)} rows; the draws have {', '.join(draws.sources)} and "
            f"{rows}. Give the same sources, and 1 or {rows} rows."
        )
        raise InputError(message)


def _panel_names(table: pd.DataFrame, labels: Sequence[str] | None) -> list[str]:
    if labels is None:
        labels = [
            str(column)
            for column in table.columns
            if str(column) not in _NO_LABEL
            and not pd.api.types.is_numeric_dtype(table[column])
        ]
    missing = [name for name in labels if name not in table.columns]
    if missing:
        found = ", ".join(str(column) for column in table.columns)
        message = f"The draws lack the label column(s) {missing}. They have {found}."
        raise InputError(message)
    names = []
    for order, row in enumerate(table.to_dict("records")):
        parts = [str(row[name]) for name in labels if not pd.isna(row[name])]
        parts = [part.replace("-", DASH) for part in parts if part != "all"]
        words = ", ".join(parts) or ("all" if labels else f"row {order}")
        if "n" in row:
            words += f" (n={int(row['n'])})"
        names.append(fill(words, _TITLE_CHARACTERS))
    return names


def _draw_prior(axes: Axes, prior: FractionDraws, row: int, order: int) -> None:
    values = finite_draws(prior, row)[:, order]
    if not values.any():
        return
    style = water_style(prior.sources[order], order=order)
    x, density = fraction_density(values)
    axes.plot(
        x,
        density,
        color=style.colour,
        linestyle=(0, (3.0, 2.0)),
        linewidth=0.9,
        label=f"prior of {style.label}",
    )


def _mark_zero(axes: Axes, style: WaterStyle, source: str) -> None:
    axes.plot(
        [0.0],
        [0.0],
        linestyle="none",
        marker="x",
        markersize=4.5,
        markeredgewidth=1.3,
        color=style.colour,
        clip_on=False,
        zorder=5,
        gid=f"zero {source}",
    )


def _say_reason(axes: Axes, reason: str) -> Axes:
    axes.text(
        0.5,
        0.5,
        fill(f"no answer: {reason}" if reason else "no answer", _TITLE_CHARACTERS),
        transform=axes.transAxes,
        ha="center",
        va="center",
        fontsize=SMALL,
        color="#666666",
    )
    axes.set_yticks([])
    return axes


def _handles(draws: FractionDraws, *, prior: FractionDraws | None) -> list[Artist]:
    handles: list[Artist] = []
    for order, source in enumerate(draws.sources):
        style = water_style(source, order=order)
        handles.append(Patch(color=style.colour, label=style.label))
    if prior is not None:
        dashes = (0, (3.0, 2.0))
        handles.append(
            Line2D(
                [],
                [],
                color=INK,
                ls=dashes,
                lw=0.9,
                label="prior (colour of the source)",
            )
        )
    answers = [finite_draws(draws, row) for row in range(len(draws.table))]
    if any(len(found) and not found.any(axis=0).all() for found in answers):
        label = "structural zero (colour of the source)"
        handles.append(
            Line2D([], [], ls="none", marker="x", ms=4.5, color=INK, label=label)
        )
    return handles
