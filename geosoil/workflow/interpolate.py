"""Interpolate the points of a file to a map, with its uncertainty and its limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from geosoil.workflow.interpolate_checks import check_request
from geosoil.workflow.interpolate_choice import choose
from geosoil.workflow.interpolate_inputs import open_inputs
from geosoil.workflow.interpolate_methods import makers
from geosoil.workflow.interpolate_output import write_interpolation
from geosoil.workflow.interpolate_request import InterpolateRequest
from geosoil.workflow.interpolate_summary import Results, summary_table, summary_text
from geosoil.workflow.interpolate_support import judge, masked
from geosoil.workflow.interpolate_surfaces import check_answered, make_surfaces

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class InterpolateReport:
    """What an interpolation gave and wrote."""

    found: Results
    """Inputs, method, maps, and what the samples support."""
    summary: pd.DataFrame
    """One row a quantity."""
    text: str
    """What the command prints."""
    results: list[object]
    """One plain record a quantity."""
    paths: tuple[Path, ...]
    """Files written."""


def interpolate_points(
    request: InterpolateRequest,
    folder: str | Path,
    *,
    progress: Report | None = None,
) -> InterpolateReport:
    """Interpolate points and write maps, tables and figures.

    Parameters
    ----------
    request : InterpolateRequest
        The points, and how they are interpolated.
    folder : path
        Folder to write to.
    progress : callable, optional
        Called with a line of words a stage.

    Returns
    -------
    report : InterpolateReport
        Maps, summary and the files written: ``<name>_estimate.tif``,
        ``<name>_sd.tif`` where the method has a variance, ``<name>_support.tif`` with
        the reasons for which cells are not supported, ``interpolation.nc`` with all
        of them, ``interpolation_summary.csv``, ``summary.json``, ``variogram.csv``,
        ``cross_validation.csv``, ``cross_validation_scores.csv``, ``means.csv``,
        ``support.csv``, the figures ``map.png``, ``variogram.png`` and
        ``cross_validation.png``, and ``provenance.json``.

    Raises
    ------
    GeosoilError
        If an input or an option cannot be used, the memory is not enough, or no cell
        has an answer; nothing is written then.
    """
    report = progress or (lambda _: None)
    check_request(request)
    inputs = open_inputs(request, report)
    each = makers(inputs, request)
    choice = choose(each, request, report)
    surfaces = make_surfaces(each, choice.method, request, report)
    check_answered(surfaces, inputs)
    judgement = judge(surfaces, inputs, request)
    results = Results(inputs, choice, surfaces, judgement)
    if request.mask:
        results = replace(results, surfaces=masked(surfaces, judgement))
    summary = summary_table(results, request)
    report("writing")
    paths = write_interpolation(results, summary, request, Path(folder))
    text = summary_text(summary, results, request, Path(folder))
    records: list[object] = list(summary.to_dict("records"))
    return InterpolateReport(results, summary, text, records, paths)
