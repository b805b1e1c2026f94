"""What a run would read, write and need, told before it starts."""

from __future__ import annotations

import calendar
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from geosoil.config import StudyConfig, read_config
from geosoil.grids.grid import Grid
from geosoil.grids.zones import polygon_mask
from geosoil.workflow.correlation import correlated_names, open_series
from geosoil.workflow.correlation_output import IN_WINDOWS, OVER_TIME
from geosoil.workflow.inputs import StudyInputs, open_inputs
from geosoil.workflow.journal import FOLDER, INDEX
from geosoil.workflow.mapping_output import LAYERS, WRITTEN
from geosoil.workflow.mapping_sites import FEWEST_SITES
from geosoil.workflow.plan_costs import (
    CATALOGUE_BYTES,
    FIGURE_BYTES,
    FRACTION_CELL,
    PACKAGE_SAMPLE,
    PAGE_BYTES,
    PAIR_BYTE,
    RASTER_BASE,
    STORED_CELL,
    TABLE_SAMPLE,
    StudySize,
    run_memory,
    run_seconds,
)
from geosoil.workflow.records import input_files
from geosoil.workflow.run import stage_names
from geosoil.workflow.summary import read_reference

MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run would do."""

    study: str
    """Name of the study."""
    folder: Path
    """Folder of the results."""
    stages: tuple[str, ...]
    """Stages, in their order."""
    reads: dict[str, int]
    """Bytes of each input, by its name."""
    rasters: dict[str, int]
    """About how many bytes each raster would have, by its name."""
    tables_bytes: int
    """About how many bytes all tables would have."""
    size: StudySize
    """Numbers that the costs hang on."""
    seconds: dict[str, float]
    """About how long each part takes on one processor."""
    memory: float
    """About how many bytes of memory it takes at most."""
    kept: int
    """Steps that an interrupted run had finished there."""

    @property
    def total_seconds(self) -> float:
        """About how long the run takes on one processor."""
        return sum(self.seconds.values())

    @property
    def written_bytes(self) -> int:
        """About how many bytes the run writes."""
        figures = self.size.figures * (FIGURE_BYTES + PAGE_BYTES)
        packages = self.size.samples * PACKAGE_SAMPLE
        catalogue = len(self.rasters) * CATALOGUE_BYTES
        rasters = sum(self.rasters.values())
        return round(rasters + self.tables_bytes + figures + packages + catalogue)

    @property
    def text(self) -> str:
        """Account for people."""
        return "\n\n".join(
            (self._needs(), self._stages(), self._reads(), self._writes())
        )

    def _needs(self) -> str:
        """Tell time, memory and disk."""
        slowest = max(self.seconds, key=lambda part: self.seconds[part])
        lines = [
            f"{self.study}: plan of a run to {self.folder}. Nothing is written.",
            f"Time about {_duration(self.total_seconds)} on one processor, most of it "
            f"for {slowest} ({_duration(self.seconds[slowest])}); half to three times "
            "as much by the machine.",
            f"Memory about {self.memory / 1e9:.1f} GB, disk about "
            f"{_megabytes(self.written_bytes)}.",
            f"{self.size.samples} samples, {self.size.cells} cells of the region, "
            f"{self.size.draws} draws a map.",
        ]
        if self.kept:
            lines.append(
                f"An interrupted run lies there with {self.kept} finished steps; if "
                "settings, inputs and software are the same, the run goes on from them."
            )
        return "\n".join(lines)

    def _stages(self) -> str:
        """List the stages."""
        lines = [f"{n:>4} {words}" for n, words in enumerate(self.stages, start=1)]
        return "\n".join(["Stages", *lines])

    def _reads(self) -> str:
        """List the inputs."""
        total = sum(self.reads.values())
        lines = [f"{_megabytes(size):>10}  {name}" for name, size in self.reads.items()]
        head = f"Reads {len(self.reads)} files, {_megabytes(total)}"
        return "\n".join([head, *lines])

    def _writes(self) -> str:
        """List the outputs."""
        total = sum(self.rasters.values())
        lines = [
            f"{_megabytes(size):>10}  {name}" for name, size in self.rasters.items()
        ]
        return "\n".join(
            [
                f"Writes {len(self.rasters)} rasters, about {_megabytes(total)}",
                *lines,
                f"Writes tables, about {_megabytes(self.tables_bytes)}; about "
                f"{self.size.figures} figures; report.html, results.gpkg, cube.nc, "
                "a style a raster, geosoil.qgz, stac/, summary.json, provenance.json",
            ]
        )

    def plain(self) -> dict[str, object]:
        """Return the plan as plain values.

        Returns
        -------
        values : dict
            For ``--json``; sizes in bytes, times in seconds.
        """
        return {
            "study": self.study,
            "folder": str(self.folder),
            "stages": list(self.stages),
            "reads": self.reads,
            "rasters": self.rasters,
            "tables_bytes": self.tables_bytes,
            "figures": self.size.figures,
            "written_bytes": self.written_bytes,
            "seconds": {name: round(s, 1) for name, s in self.seconds.items()},
            "total_seconds": round(self.total_seconds, 1),
            "memory_bytes": round(self.memory),
            "cells": self.size.cells,
            "samples": self.size.samples,
            "finished_steps": self.kept,
        }


def plan_run(
    config: str | Path | StudyConfig, *, output: str | Path | None = None
) -> RunPlan:
    """Check the inputs of a study and tell what a run would do.

    Parameters
    ----------
    config : str, Path or StudyConfig
        Settings file or settings.
    output : str or Path, optional
        Folder of the results; that of the settings without it.

    Returns
    -------
    plan : RunPlan
        Stages, files and what they need. Nothing is written.

    Raises
    ------
    GeosoilError
        If settings or inputs cannot be used, as the run itself would say.
    """
    settings = config if isinstance(config, StudyConfig) else read_config(config)
    folder = Path(output) if output is not None else settings.output.folder
    read_reference(settings.output.reference)
    inputs = open_inputs(settings)
    reads = {name: path.stat().st_size for name, path in input_files(settings).items()}
    size = study_size(inputs, sum(reads.values()))
    rasters = dict(_rasters(inputs, size))
    return RunPlan(
        study=settings.study.name,
        folder=folder,
        stages=stage_names(),
        reads=reads,
        rasters=rasters,
        tables_bytes=round(size.samples * TABLE_SAMPLE),
        size=size,
        seconds=run_seconds(size, len(rasters)),
        memory=run_memory(size),
        kept=_kept(folder),
    )


def study_size(inputs: StudyInputs, input_bytes: int) -> StudySize:
    """Count what the costs of a study hang on.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    input_bytes : int
        Bytes of all inputs.

    Returns
    -------
    size : StudySize
        Its numbers.
    """
    config = inputs.config
    soil = inputs.samples[inputs.samples["water"] == "soil"]
    counted: dict[str, int] = {}
    if "site_id" in soil:
        unique = soil.groupby("period")["site_id"].nunique()
        counted = {str(period): int(n) for period, n in unique.items()}
    drivers = correlated_names(config)
    names = input_files(config)
    return StudySize(
        samples=len(inputs.samples),
        soil_samples=len(soil),
        sites={
            period: counted[period]
            for period in config.tracers.sources
            if counted.get(period, 0) >= FEWEST_SITES
        },
        sources={period: len(own) for period, own in config.tracers.sources.items()},
        cells=int(inputs.mask.sum()),
        grid_cells=int(inputs.mask.size),
        draws=config.interpolation.n_draws,
        drivers=len(drivers),
        months=len(config.correlation.months),
        pair_cells=_pair_cells(inputs) if drivers else 0,
        ndvi_files=sum(path.suffix.lower() == ".hdf" for path in names.values()),
        input_bytes=input_bytes,
    )


def _pair_cells(inputs: StudyInputs) -> int:
    """Count the cells of the region on the grid of the explained variable."""
    grid = Grid.of(open_series(inputs, inputs.config.correlation.y))
    if inputs.region is None:
        return grid.shape[0] * grid.shape[1]
    return int(polygon_mask(inputs.region, grid).sum())


def _rasters(inputs: StudyInputs, size: StudySize) -> Iterator[tuple[str, int]]:
    """Name and about the bytes of every raster."""
    fraction = round(RASTER_BASE + FRACTION_CELL * size.cells)
    for period in size.sites:
        sources = inputs.config.tracers.sources[period]
        for source in sources:
            for layer in ("", *(f"{name}_" for name in WRITTEN)):
                yield f"fraction_{source}_{layer}{period}.tif", fraction
        yield f"fraction_support_{period}.tif", round(RASTER_BASE + size.cells / 20)
        layers = len(sources) * (1 + len(LAYERS))
        yield f"fractions_{period}.nc", round(STORED_CELL * size.cells * layers)
    settings = inputs.config.correlation
    pair = round(RASTER_BASE + PAIR_BYTE * size.pair_cells)
    ends = [*OVER_TIME, *(f"window_{n}" for n in IN_WINDOWS if settings.window)]
    for x in correlated_names(inputs.config):
        for month in (calendar.month_name[number] for number in settings.months):
            for end in ends:
                yield f"correlation_{x}_{settings.y}_{month}_{end}.tif", pair


def _kept(folder: Path) -> int:
    """Count the finished steps of an interrupted run."""
    try:
        content = json.loads((folder / FOLDER / INDEX).read_bytes())
        return len(content["results"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _megabytes(size: float) -> str:
    """Write a size in the unit that suits it."""
    value = size / MEGABYTE
    if value < 1e-3:
        return f"{size:.0f} bytes"
    if value < 1:
        return f"{size / 1e3:.0f} kB"
    return f"{value:.1f} MB" if value < 10 else f"{value:.0f} MB"


def _duration(seconds: float) -> str:
    """Write a time in the unit that suits it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
