"""Styles of the rasters of a run, and a QGIS project of all that it wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from geosoil.io.qgis_project import Project, RasterLayer, write_project
from geosoil.io.qgis_vectors import VectorLayer, read_vector_layers
from geosoil.io.styles import write_style
from geosoil.workflow.catalogue import FRACTIONS, CatalogueEntry, listed
from geosoil.workflow.gis_styles import Styled, styled_rasters
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.map_style import unit_words
from geosoil.workflow.simulated import SIMULATED_DATA, is_simulated

PROJECT = "geosoil.qgz"
"""Name of the project in the folder of a run."""

PACKAGE = "results.gpkg"
"""Name of the GeoPackage whose layers the project shows."""

OUTLINES = ("basins", "region")
"""Layers that are drawn when the project opens."""


def write_gis_files(
    inputs: StudyInputs, paths: Sequence[Path], folder: Path
) -> list[Path]:
    """Write the styles of a run's rasters and a project that shows them all.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    paths : sequence of Path
        Files that the run wrote.
    folder : Path
        Folder of the results; the layers of its ``results.gpkg`` are in the project.

    Returns
    -------
    paths : list of Path
        A ``.qml`` file a raster, and ``geosoil.qgz``.

    Raises
    ------
    GeosoilError
        If a file cannot be read or written.
    """
    styled = styled_rasters(paths)
    written = [write_style(one.style, one.entry.path) for one in styled]
    study = inputs.config.study
    package = folder / PACKAGE
    project = Project(
        title=f"{study.name} ({SIMULATED_DATA})" if study.simulated else study.name,
        grid=inputs.grid,
        rasters=_raster_layers(styled),
        vectors=_vector_layers(package) if package.is_file() else (),
        abstract=SIMULATED_DATA if study.simulated else "",
    )
    return [*written, write_project(project, folder / PROJECT)]


def _raster_layers(styled: Sequence[Styled]) -> tuple[RasterLayer, ...]:
    """Return the rasters as layers; the first map of a fraction is drawn."""
    found = {one.entry.path: one for one in styled}
    entries = listed(one.entry for one in styled)
    maps = [entry for entry in entries if _is_fraction_map(entry)]
    shown = next(iter([*maps, *entries]), None)
    return tuple(
        RasterLayer(
            path=entry.path,
            title=entry.title,
            group=entry.group,
            style=found[entry.path].style,
            grid=found[entry.path].header.grid,
            abstract=_abstract(entry),
            visible=entry is shown,
        )
        for entry in entries
    )


def _is_fraction_map(entry: CatalogueEntry) -> bool:
    """Whether a raster is a fraction itself, not its spread."""
    return (
        entry.style == "fraction"
        and entry.group[0] == FRACTIONS
        and ("Uncertainty" not in entry.group)
    )


def _abstract(entry: CatalogueEntry) -> str:
    """Tell method, period, unit and origin of a raster."""
    tags = entry.tags
    told = (
        ("", SIMULATED_DATA if is_simulated(tags) else ""),
        ("Method: ", entry.method),
        ("Period: ", entry.period),
        ("Unit: ", unit_words(entry.units)),
        ("Source: ", tags.get("source", tags.get("inputs", ""))),
        ("Uncertainty: ", tags.get("uncertainty", "")),
        ("Significance: ", tags.get("fdr", "")),
        ("Made by ", tags.get("software", "")),
    )
    return "\n".join(f"{head}{words}." for head, words in told if words)


def _vector_layers(package: Path) -> tuple[VectorLayer, ...]:
    """Return the layers of a run's GeoPackage, points above outlines."""
    order = {"Point": 0, "Line": 1, "Polygon": 2, None: 3}
    layers = sorted(
        read_vector_layers(package), key=lambda layer: order[layer.geometry]
    )
    return tuple(replace(one, visible=one.name in OUTLINES) for one in layers)
