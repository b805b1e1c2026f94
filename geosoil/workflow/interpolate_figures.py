"""Figures of an interpolation: variogram, cross-validation and map."""

from __future__ import annotations

import re

from geosoil.interpolation.empirical import empirical_variogram
from geosoil.interpolation.kriging import Kriging
from geosoil.plotting.correlation_captions import in_words
from geosoil.plotting.interpolation import (
    InterpolatedMap,
    MapWords,
    figure_interpolation,
)
from geosoil.plotting.layers import Overlays
from geosoil.plotting.scales import KINDS
from geosoil.plotting.style import PERMIL, render
from geosoil.plotting.validation import figure_cross_validation
from geosoil.plotting.variogram import figure_variogram
from geosoil.workflow.interpolate_methods import IN_WORDS
from geosoil.workflow.interpolate_request import InterpolateRequest
from geosoil.workflow.interpolate_summary import Results
from geosoil.workflow.interpolate_support import IN_WORDS as REASONS_IN_WORDS
from geosoil.workflow.interpolate_support import area_words
from geosoil.workflow.simulated import SIMULATED


def draw_figures(
    results: Results, request: InterpolateRequest
) -> list[tuple[str, bytes]]:
    """Draw every figure of an interpolation.

    Parameters
    ----------
    results : Results
        What was found.
    request : InterpolateRequest
        What was asked.

    Returns
    -------
    figures : list of (str, bytes)
        Stem of the file and PNG; one variogram and one cross-validation a quantity.
    """
    names = results.inputs.names
    figures = [("map", _map(results, request))]
    figures += _variograms(results)
    for name in names:
        suffix = "" if len(names) == 1 else f"_{name}"
        found = results.choice.validations.get(name)
        if found is not None and found.scores.n > 0:
            figure = figure_cross_validation(
                found,
                title=f"Cross-validation of {in_words(name)}{_marked(results)}",
                note=found.note or None,
                units="" if request.composition else figure_units(request),
            )
            figures.append((f"cross_validation{suffix}", render(figure)))
    return figures


def _variograms(results: Results) -> list[tuple[str, bytes]]:
    """Draw the variogram of each kriging."""
    inputs, drawn = results.inputs, []
    fitted = results.surfaces.interpolators
    kriged = {name: one for name, one in fitted.items() if isinstance(one, Kriging)}
    for label, kriging in kriged.items():
        variogram = kriging.variogram_
        if variogram.fit is not None:
            classes = variogram.fit.classes
        elif label in inputs.names:
            classes = empirical_variogram(inputs.points, inputs.values(label))
        else:
            continue
        if classes.empty:
            continue
        words = label
        if results.choice.method == "ilr":
            words = f"the log-ratio {label}"
        figure = figure_variogram(
            classes,
            variogram,
            title=f"Variogram of {in_words(words)}{_marked(results)}",
        )
        stem = re.sub(r"\W+", "_", label)
        suffix = "" if len(kriged) == 1 else f"_{stem}"
        drawn.append((f"variogram{suffix}", render(figure)))
    return drawn


def _marked(results: Results) -> str:
    """Return what a title says of simulated data."""
    return " (SIMULATED data)" if results.inputs.simulated else ""


def _map(results: Results, request: InterpolateRequest) -> bytes:
    """Draw estimate and standard deviation of every quantity."""
    surfaces, names = results.surfaces, results.inputs.names
    maps = {
        in_words(name): InterpolatedMap(
            surfaces.estimates[name], surfaces.sds.get(name)
        )
        for name in names
    }
    method = IN_WORDS.get(results.choice.method, results.choice.method)
    what = "Fractions" if request.composition else in_words(names[0])
    when = f", {request.period}" if request.period else ""
    region = results.inputs.region
    words = MapWords(
        title=f"{what}{when}: {method}",
        caption=_caption(results, request),
        kind=KINDS["fraction"] if request.composition else None,
        sites=f"{results.inputs.points.geometry.to_wkb().nunique()} places",
        units="" if request.composition else figure_units(request),
        overlays=Overlays(region=region),
        note=SIMULATED if results.inputs.simulated else None,
    )
    unsupported = None if request.mask else results.judgement.unsupported
    figure = figure_interpolation(
        maps, sites=results.inputs.points, unsupported=unsupported, words=words
    )
    return render(figure)


def figure_units(request: InterpolateRequest) -> str:
    """Return the unit of the values as figures write it.

    Parameters
    ----------
    request : InterpolateRequest
        What was asked.

    Returns
    -------
    units : str
        "" where it is not known.
    """
    units = request.quantities[0].units
    return PERMIL if units == "permil" else units


def _caption(results: Results, request: InterpolateRequest) -> str:
    """Say below the map what is not supported, and how good it was found to be."""
    judged = results.judgement
    parts = []
    if judged.reasons():
        why = ", ".join(
            f"{REASONS_IN_WORDS[name]} {100 * share:.0f} %"
            for name, share in judged.reasons().items()
        )
        state = "Left empty" if request.mask else "Hatched"
        parts.append(
            f"{state}: {100 * judged.share('any'):.0f} % of the area "
            f"({area_words(judged.km2('any'))} km²), which the samples do not "
            f"support ({why})."
        )
    scores = {
        in_words(name): found.scores.rmse
        for name, found in results.choice.validations.items()
    }
    if scores:
        each = [
            f"{name} {rmse:.3g}" if len(scores) > 1 else f"{rmse:.3g}"
            for name, rmse in scores.items()
        ]
        parts.append(f"RMSE in cross-validation: {', '.join(each)}.")
    return "\n".join(parts)
