"""Empirical variograms with the model that was fitted to them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from geosoil.errors import InputError
from geosoil.interpolation.variogram import AnyVariogram, NestedVariogram, Variogram
from geosoil.plotting.diagram_page import DiagramPage, open_diagram
from geosoil.plotting.legends import legend_below
from geosoil.plotting.style import INK, SCREEN, SMALL, FigurePreset, house_style
from geosoil.plotting.tables import check_columns

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_MARKERS = ("o", "s", "^", "D", "v", "P")
_SMALLEST, _LARGEST = 12.0, 90.0
_MOST_NUMBERED = 20
_NEAR_AXIS = 0.12
"""Share of the axis in which numbers stand right of their points, not to touch it."""


def figure_variogram(
    empirical: pd.DataFrame,
    variogram: AnyVariogram | None = None,
    *,
    title: str = "",
    note: str | None = None,
    preset: FigurePreset = SCREEN,
    units: str = "",
) -> Figure:
    """Compose an empirical variogram: points by class, and the line of the model.

    Parameters
    ----------
    empirical : DataFrame
        ``n``, ``distance`` [m] and ``gamma`` a class, and ``direction`` [degrees
        clockwise from north] where it was made by direction.
    variogram : Variogram or NestedVariogram, optional
        The model; one line, or one a direction where it has an anisotropy and the
        table has directions.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom.
    preset : FigurePreset
        For whom the figure is drawn.
    units : str
        Units of the semivariance; "" writes none.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Points as large as their number of pairs, which stands beside them where
        there is one direction and room; parameters stand in the legend, a flag of
        the fit below them.

    Raises
    ------
    InputError
        If a column is missing or there is no class.

    Examples
    --------
    >>> table = pd.DataFrame({"n": [9, 12], "distance": [400.0, 900.0],
    ...     "gamma": [0.4, 0.9]})
    >>> figure = figure_variogram(table, Variogram("spherical", 0.1, 0.8, 1000.0))
    >>> len(figure.axes[0].collections), figure.axes[0].get_xlabel()
    (1, 'distance [km]')
    """
    check_columns(list(empirical.columns), ["n", "distance", "gamma"], "variogram")
    if empirical.empty:
        message = "The variogram has no class of distance. Take a larger cutoff."
        raise InputError(message)
    several = "direction" in empirical
    groups = list(empirical.groupby("direction")) if several else [(None, empirical)]
    with house_style():
        page = DiagramPage(title, note, preset)
        width = min(5.2, preset.column)
        figure = open_diagram(page, width=width, height=1.1 + 0.6 * width)
        axes = figure.subplots()
        handles: list[Artist] = []
        for order, (angle, classes) in enumerate(groups):
            _draw_classes(axes, classes, order, most=float(empirical["n"].max()))
            if several:
                handles.append(_direction_handle(order, float(str(angle))))
        most = _MOST_NUMBERED // 2 if page.is_narrow else _MOST_NUMBERED
        if not several and len(empirical) <= most:
            _write_counts(axes, empirical, variogram)
        if variogram is not None:
            longest = float(empirical["distance"].max()) * 1.04
            angles = [
                None if angle is None else float(str(angle)) for angle, _ in groups
            ]
            _draw_model(axes, variogram, angles, longest)
            handles.append(Line2D([], [], color=INK, label=model_words(variogram)))
        axes.set_xlabel("distance [km]")
        axes.set_ylabel(f"semivariance [{units}]" if units else "semivariance")
        axes.set_xlim(left=0.0)
        axes.set_ylim(0.0, 1.12 * _highest(axes, empirical))
        axes.grid(visible=True)
        handles.append(_size_handle(empirical))
        legend_below(figure, handles)
    return figure


def model_words(variogram: AnyVariogram) -> str:
    """Return a variogram in words, as they stand in a legend.

    Parameters
    ----------
    variogram : Variogram or NestedVariogram
        The variogram.

    Returns
    -------
    words : str
        Model, nugget, sill, ranges and what flags it.

    Examples
    --------
    >>> print(model_words(Variogram("spherical", 0.1, 0.8, 1500.0)))
    spherical: nugget 0.1, sill 0.9, range 1.5 km
    """
    parts = (
        variogram.structures if isinstance(variogram, NestedVariogram) else (variogram,)
    )
    heights = f"nugget {variogram.nugget:.3g}"
    if np.isfinite(variogram.sill):
        heights += f", sill {variogram.sill:.3g}"
    ranges = [_range_words(part) for part in parts if part.model != "nugget"]
    words = f"{variogram.model}: {', '.join([heights, *ranges])}".replace("_", " ")
    flags = variogram.flag.split("; ") if variogram.flag else []
    return "\n".join([words, *flags])


def _range_words(part: Variogram) -> str:
    """Range parameter in words, with smoothness and anisotropy where there are."""
    words = f"range {part.range_ / 1000:.3g} km"
    if part.model == "power":
        words = f"exponent {part.range_:.3g}"
    if part.smoothness is not None:
        words += f", smoothness {part.smoothness:.3g}"
    if part.anisotropy is not None:
        angle, ratio = part.anisotropy.angle, part.anisotropy.ratio
        words += f" at {angle:g}° (ratio {ratio:.2g})"
    return words


def _draw_classes(
    axes: Axes, classes: pd.DataFrame, order: int, *, most: float
) -> None:
    """Draw the classes of one direction, as large as their pairs."""
    share = classes["n"].to_numpy(dtype=float) / most
    axes.scatter(
        classes["distance"] / 1000.0,
        classes["gamma"],
        s=_SMALLEST + (_LARGEST - _SMALLEST) * share,
        color=_COLOURS[order % len(_COLOURS)],
        marker=_MARKERS[order % len(_MARKERS)],
        alpha=0.85,
        linewidths=0.0,
        zorder=3,
    )


def _write_counts(
    axes: Axes, classes: pd.DataFrame, variogram: AnyVariogram | None
) -> None:
    """Write the number of pairs beside each point, on its side of a rising model."""
    level = classes["gamma"]
    if variogram is not None:
        level = pd.Series(variogram.gamma(classes["distance"]), index=classes.index)
    halo = [withStroke(linewidth=2.0, foreground="white")]
    columns = [classes[name] for name in ("distance", "gamma", "n")]
    near = _NEAR_AXIS * float(classes["distance"].max())
    for distance, gamma, n, line in zip(*columns, level, strict=True):
        above = gamma >= line
        left = above and distance > near
        axes.annotate(
            f"{n:d}",
            (distance / 1000.0, gamma),
            (-4.0 if left else 4.0, 4.0 if above else -4.0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="bottom" if above else "top",
            fontsize=SMALL,
            color="#555555",
            path_effects=halo,
            zorder=2.5,
        )


def _draw_model(
    axes: Axes, variogram: AnyVariogram, angles: list[float | None], longest: float
) -> None:
    """Draw the model: one line, or one a direction where directions differ."""
    h = np.concatenate([[longest * 1e-6], np.linspace(0.0, longest, 300)[1:]])
    if variogram.is_isotropic or angles == [None]:
        axes.plot(h / 1000.0, variogram.gamma(h), color=INK, linewidth=1.2)
        return
    for order, angle in enumerate(angles):
        turn = np.radians(float(angle or 0.0))
        gamma = variogram.gamma_of(h * np.sin(turn), h * np.cos(turn))
        colour = _COLOURS[order % len(_COLOURS)]
        axes.plot(h / 1000.0, gamma, color=colour, linewidth=1.2)


def _highest(axes: Axes, empirical: pd.DataFrame) -> float:
    """Return the highest semivariance drawn, above 0."""
    lines = [float(np.max(line.get_ydata())) for line in axes.lines]
    return max([float(empirical["gamma"].max()), *lines]) or 1.0


def _direction_handle(order: int, angle: float) -> Line2D:
    return Line2D(
        [],
        [],
        linestyle="none",
        color=_COLOURS[order % len(_COLOURS)],
        marker=_MARKERS[order % len(_MARKERS)],
        label=f"{angle:g}° from north",
    )


def _size_handle(empirical: pd.DataFrame) -> Line2D:
    low, high = int(empirical["n"].min()), int(empirical["n"].max())
    return Line2D(
        [],
        [],
        linestyle="none",
        marker="o",
        markersize=5.0,
        color="#999999",
        label=f"class of distance, size by pairs ({low} to {high})",
    )
