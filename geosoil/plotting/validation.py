"""Cross-validation to look at: predicted beside observed, residuals, scores."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from geosoil.errors import InputError
from geosoil.interpolation.validation import CrossValidation
from geosoil.interpolation.validation_scores import Scores
from geosoil.plotting.diagram_page import DiagramPage, open_diagram
from geosoil.plotting.page import panel_title
from geosoil.plotting.style import (
    DASH,
    INK,
    MINUS,
    NORMAL,
    SCREEN,
    SMALL,
    FigurePreset,
    house_style,
)

FloatArray = npt.NDArray[np.float64]

FOLD_WORDS = {
    "loo": "each place left out",
    "kfold": "random folds",
    "block": "blocks",
    "site": "each site left out",
}
"""How data were left out, in words."""

_DOTS, _BARS, _IDEAL = "#0072b2", "#56b4e9", "#d55e00"
_BINS = 21


def figure_cross_validation(
    validation: CrossValidation,
    *,
    title: str = "",
    note: str | None = None,
    preset: FigurePreset = SCREEN,
    units: str = "",
) -> Figure:
    """Compose three panels: predicted by observed, residuals, and the scores.

    Parameters
    ----------
    validation : CrossValidation
        What :func:`geosoil.interpolation.validation.cross_validate` gave.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom.
    preset : FigurePreset
        For whom the figure is drawn.
    units : str
        Units of the values, for the axes; "" for values without one.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The residuals are divided by their standard deviation, beside the normal curve,
        where the method has a variance; elsewhere they are in the units of the values.

    Raises
    ------
    InputError
        If nothing was predicted.

    Examples
    --------
    >>> from geosoil.interpolation.idw import InverseDistance
    >>> from geosoil.interpolation.validation import cross_validate
    >>> sites = [[0.0, 0.0], [100.0, 0.0], [200.0, 0.0], [250.0, 90.0]]
    >>> found = cross_validate(InverseDistance(), sites, [1.0, 2.0, 4.0, 3.0])
    >>> figure = figure_cross_validation(found, units="permil")
    >>> [axes.get_xlabel() for axes in figure.axes[:2]]
    ['observed [permil]', 'observed \N{MINUS SIGN} predicted [permil]']
    """
    if validation.scores.n == 0:
        reasons = ", ".join(sorted(set(validation.table["reason"])))
        message = f"Nothing was predicted, there is nothing to draw: {reasons}."
        raise InputError(message)
    unit = f" [{units}]" if units else ""
    with house_style():
        page = DiagramPage(title, note, preset)
        height = 4.9 if page.is_narrow else 3.1
        figure = open_diagram(page, width=8.6, height=height)
        panels = _panels(figure, page)
        draw_predicted(panels[0], validation, unit=unit)
        draw_residuals(panels[1], validation, unit=unit)
        _draw_scores(panels[2], validation)
        words = ("predicted by observed", "residuals", "scores")
        for order, (axes, name) in enumerate(zip(panels, words, strict=True)):
            panel_title(axes, name, order=order, panels=len(words))
    return figure


def _panels(figure: Figure, page: DiagramPage) -> list[Axes]:
    """Add the three panels; on a narrow page the scores stand below the others."""
    if not page.is_narrow:
        return list(figure.subplots(1, 3, width_ratios=[1.0, 1.0, 0.9]))
    grid = figure.add_gridspec(2, 2)
    spots = (grid[0, 0], grid[0, 1], grid[1, :])
    return [figure.add_subplot(spot) for spot in spots]


def draw_predicted(axes: Axes, validation: CrossValidation, *, unit: str = "") -> Axes:
    """Draw predicted by observed values, and the line on which they are equal.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    validation : CrossValidation
        A cross-validation.
    unit : str
        What follows "observed" and "predicted" on the axes.

    Returns
    -------
    axes : matplotlib.axes.Axes
        The same panel, both axes of one scale.

    Examples
    --------
    >>> from geosoil.interpolation.idw import InverseDistance
    >>> from geosoil.interpolation.validation import cross_validate
    >>> found = cross_validate(InverseDistance(), [[0.0, 0], [1, 0]], [1.0, 2.0])
    >>> axes = draw_predicted(Figure().subplots(), found)
    >>> axes.collections[0].get_offsets().tolist()
    [[1.0, 2.0], [2.0, 1.0]]
    """
    table = validation.table.dropna(subset=["observed", "predicted"])
    observed, predicted = table["observed"], table["predicted"]
    low = float(min(observed.min(), predicted.min()))
    high = float(max(observed.max(), predicted.max()))
    margin = 0.05 * ((high - low) or 1.0)
    limits = (low - margin, high + margin)
    axes.plot(limits, limits, color=INK, linewidth=0.8, linestyle="--", zorder=1)
    axes.scatter(
        observed, predicted, s=9.0, c=_DOTS, edgecolors="none", alpha=0.6, zorder=3
    )
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.set_xlabel(f"observed{unit}")
    axes.set_ylabel(f"predicted{unit}")
    axes.grid(visible=True)
    return axes


def draw_residuals(axes: Axes, validation: CrossValidation, *, unit: str = "") -> Axes:
    """Draw how often residuals of each size occur.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    validation : CrossValidation
        A cross-validation.
    unit : str
        What follows the label of residuals in units of the values.

    Returns
    -------
    axes : matplotlib.axes.Axes
        The same panel: standardised residuals and the standard normal curve where the
        method has a variance, residuals in units of the values elsewhere.

    Examples
    --------
    >>> from geosoil.interpolation.validation import cross_validate
    >>> from geosoil.interpolation.validation_predictors import SampleMean
    >>> sites = [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]
    >>> found = cross_validate(SampleMean(), sites, [1.0, 2.0, 4.0])
    >>> axes = draw_residuals(Figure().subplots(), found)
    >>> axes.get_xlabel(), len(axes.lines)
    ('standardised residual', 2)
    """
    z = validation.table["z"].dropna().to_numpy(dtype=float)
    if z.size:
        widest = max(3.5, 1.05 * float(np.abs(z).max()))
        _draw_bars(axes, z, widest)
        curve = np.linspace(-widest, widest, 201)
        density = np.exp(-0.5 * curve**2) / np.sqrt(2.0 * np.pi)
        axes.plot(curve, density, color=_IDEAL, linewidth=1.2, label="normal")
        axes.legend(loc="upper right", handlelength=1.2)
        axes.set_xlabel("standardised residual")
    else:
        residual = validation.table["residual"].dropna().to_numpy(dtype=float)
        _draw_bars(axes, residual, 1.05 * float(np.abs(residual).max()) or 1.0)
        axes.set_xlabel(f"observed {MINUS} predicted{unit}")
    axes.axvline(0.0, color=INK, linewidth=0.8, linestyle="--", zorder=1)
    axes.set_ylabel("density")
    return axes


def _draw_bars(axes: Axes, values: FloatArray, widest: float) -> None:
    """Draw a histogram whose middle bar lies around 0."""
    edges = np.linspace(-widest, widest, _BINS + 1)
    axes.hist(
        values, bins=list(edges), density=True, color=_BARS, edgecolor="white", lw=0.4
    )
    axes.set_xlim(-widest, widest)


def _draw_scores(axes: Axes, validation: CrossValidation) -> None:
    """Write the scores, each beside its best value."""
    axes.set_axis_off()
    rows = score_rows(validation.scores)
    how = FOLD_WORDS[validation.folds]
    if validation.block_size is not None:
        how += f" of {validation.block_size / 1000:.3g} km"
    above = f"{validation.method}\n{how}, {validation.n_folds} folds"
    axes.text(0.0, 0.97, above, va="top", fontsize=SMALL, transform=axes.transAxes)
    top, step = 0.78, 0.78 / (len(rows) + 1)
    for order, cells in enumerate([("", "found", "best"), *rows]):
        height = top - order * step
        for place, words in zip((0.0, 0.68, 1.0), cells, strict=True):
            axes.text(
                place,
                height,
                words,
                ha="left" if place == 0.0 else "right",
                va="top",
                fontsize=NORMAL if order else SMALL,
                color=INK,
                transform=axes.transAxes,
            )


def score_rows(scores: Scores) -> list[tuple[str, str, str]]:
    """Return the scores as words: name, what was found, what is best.

    Parameters
    ----------
    scores : Scores
        Scores of a cross-validation.

    Returns
    -------
    rows : list of (str, str, str)
        One row a score; a dash where there is none.

    Examples
    --------
    >>> from geosoil.interpolation.validation_scores import score_predictions
    >>> rows = score_rows(score_predictions([1.0, 2.0, 3.0], [1.0, 2.5, 2.5]))
    >>> rows[2], rows[-1]
    (('RMSE', '0.408', '0'), ('CRPS', '\N{EN DASH}', '0'))
    """
    named = (
        ("ME", scores.mean_error, "0"),
        ("RMSE", scores.rmse, "0"),
        ("MAE", scores.mae, "0"),
        ("NSE", scores.nse, "1"),
        ("MSDR", scores.msdr, "1"),
        ("median z²", scores.median_z2, "0.455"),
        ("PICP 90 %", scores.picp90, "0.90"),
        ("PICP 95 %", scores.picp95, "0.95"),
        ("CRPS", scores.crps, "0"),
    )
    rows = [("n", f"{scores.n:d}", "")]
    for name, value, best in named:
        words = DASH
        if np.isfinite(value):
            words = f"{value:#.3g}".rstrip(".").replace("-", MINUS)
        rows.append((name, words, best))
    return rows
