"""Join each water sample to the rasters of its place and month."""

from __future__ import annotations

from collections.abc import Callable

from geosoil.errors import InputError
from geosoil.grids.composites import monthly_composite
from geosoil.grids.sample_join import JoinedRaster, JoinResult, join_samples_to
from geosoil.workflow.inputs import StudyInputs, matching_files
from geosoil.workflow.journal import Keeper, KeepsNothing
from geosoil.workflow.series import open_study_climate, open_study_ndvi


def join_samples(
    inputs: StudyInputs,
    report: Callable[[str], None],
    keeper: Keeper | None = None,
) -> JoinResult:
    """Give every sample the value of each raster in its cell.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    report : callable
        Called with a line a stage.
    keeper : Keeper, optional
        Keeps what was found for a run that goes on.

    Returns
    -------
    joined : JoinResult
        One row a sample, none is left out: its columns, ``row``, ``column`` and
        ``on_edge`` of the study grid, the class labels, ``elevation_grid``, and for
        samples with a date the NDVI (month by composite overlap, with its coverage)
        and the climate of their own month, each with the reason where it is missing;
        and where each column comes from.

    Raises
    ------
    InputError
        If a climate file does not hold months.
    """
    keeper = keeper or KeepsNothing()
    return keeper.value("joined samples", lambda: _join(inputs, report, keeper))


def _join(
    inputs: StudyInputs, report: Callable[[str], None], keeper: Keeper
) -> JoinResult:
    """Join the samples to layers, elevation and series."""
    rasters = {
        f"{name}_class": JoinedRaster(layer.codes, labels=layer.labels, source=name)
        for name, layer in inputs.layers.items()
    }
    if inputs.elevation is not None:
        rasters["elevation_grid"] = JoinedRaster(inputs.elevation, source="elevation")
    if "date" in inputs.samples:
        rasters |= _series(inputs, report, keeper)
    report("looking up the samples' cells")
    return join_samples_to(inputs.samples, rasters, grid=inputs.grid)


def _series(
    inputs: StudyInputs, report: Callable[[str], None], keeper: Keeper
) -> dict[str, JoinedRaster]:
    """Monthly rasters of the study, each with the name of its column."""
    config = inputs.config
    found = {}
    if config.ndvi.composites:
        report("averaging 16-day NDVI composites to months")
        files = matching_files(config.ndvi.composites, "ndvi.composites")
        months = keeper.value(
            "monthly NDVI", lambda: monthly_composite(open_study_ndvi(inputs, files))
        )
        source = str(config.ndvi.composites.name)
        for name, column in (("ndvi", "ndvi"), ("coverage", "ndvi_coverage")):
            found[column] = JoinedRaster(months[name], span="month", source=source)
    for name, climate in config.climate.items():
        series = open_study_climate(inputs, name)
        if series.attrs.get("step") != "month":
            message = (
                f"Climate file '{climate.path}' of {name} holds time steps other than "
                "months. Average it to months first; a study works on months."
            )
            raise InputError(message)
        found[f"{name}_month"] = JoinedRaster(
            series, span="month", source=climate.path.name
        )
    return found
