"""What the rasters and layers of a study are: grids, dates, gaps and checksums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from pyproj import Transformer

from geosoil.config import ClimateFile, LayerSettings, StudyConfig, read_config
from geosoil.errors import GeosoilError
from geosoil.grids.grid import Grid
from geosoil.io.checksums import verify_inputs
from geosoil.io.class_layers import read_class_polygons
from geosoil.io.class_tables import read_classes
from geosoil.io.geotiff import read_geotiff
from geosoil.io.layers import read_polygons
from geosoil.workflow.class_inputs import VECTOR, layer_files
from geosoil.workflow.inputs import climate_files, matching_files
from geosoil.workflow.series import open_climate_file, open_ndvi_files

COLUMNS = ["layer", "crs", "grid", "dates", "nodata_percent", "verified", "fault"]
DEGREES = 4326


@dataclass(frozen=True, slots=True, eq=False)
class LayerReport:
    """Layers of a study."""

    table: pd.DataFrame
    """Layer, crs, grid, dates, nodata_percent, verified, fault ("" where fine)."""
    text: str
    """What the command prints."""

    @property
    def results(self) -> list[object]:
        """One plain record a layer."""
        return list(self.table.to_dict(orient="records"))

    @property
    def faults(self) -> list[str]:
        """Faults of the layers that cannot be used."""
        return [fault for fault in self.table["fault"] if fault]


def layer_table(
    config: str | Path, *, progress: Callable[[str], None] | None = None
) -> LayerReport:
    """Open every raster and layer that settings name, and describe it.

    Parameters
    ----------
    config : str or Path
        Settings file.
    progress : callable, optional
        Called with a line of text at each step.

    Returns
    -------
    report : LayerReport
        One row a layer; one that cannot be opened stays, with its fault.

    Raises
    ------
    GeosoilError
        If the settings cannot be read.
    """
    settings = read_config(config)
    report = progress or (lambda _: None)
    rows = []
    for name, paths, opened in _layers(settings):
        report(f"opening {name}")
        rows.append({"layer": name, **_described(paths, opened)})
    table = pd.DataFrame(rows, columns=COLUMNS)
    return LayerReport(table, _text(table))


Opened = Callable[[], xr.DataArray | None]


def _layers(
    config: StudyConfig,
) -> list[tuple[str, Callable[[], list[Path]], Opened]]:
    """Name, files and opener of each layer of the settings."""
    found: list[tuple[str, Callable[[], list[Path]], Opened]] = []
    box = _box(config)

    def geotiff(path: Path, *, classes: bool | None) -> Opened:
        return lambda: read_geotiff(path, classes=classes)

    def climate(file: ClimateFile, name: str) -> Opened:
        return lambda: open_climate_file(file, name, box)

    def modis(pattern: Path, key: str) -> Opened:
        return lambda: open_ndvi_files(matching_files(pattern, key), config.ndvi, box)

    if config.study.region is not None:
        region = config.study.region
        found.append(("region", lambda: [region], lambda: _outline(region)))
    if config.elevation is not None:
        dem = config.elevation
        found.append(("elevation", lambda: [dem], geotiff(dem, classes=False)))
    for name, layer in config.layers.items():
        files = partial(layer_files, layer)
        if layer.path.suffix.lower() in VECTOR:
            found.append((name, files, partial(_classes, layer)))
        else:
            found.append((name, files, geotiff(layer.path, classes=True)))
    for name, file in config.climate.items():
        found.append((name, partial(climate_files, file), climate(file, name)))
    for key, pattern in (
        ("ndvi.monthly", config.ndvi.monthly),
        ("ndvi.composites", config.ndvi.composites),
    ):
        if pattern is not None:
            found.append(
                (
                    key,
                    partial(matching_files, pattern, key),
                    modis(pattern, key),
                )
            )
    return found


def _box(config: StudyConfig) -> tuple[float, float, float, float]:
    """Bounds of the study grid in degrees."""
    grid = Grid.from_bounds(config.grid.bounds, config.grid.resolution, config.grid.crs)
    transformer = Transformer.from_crs(grid.crs, DEGREES, always_xy=True)
    west, south, east, north = transformer.transform_bounds(*grid.bounds)
    return west, south, east, north


def _outline(path: Path) -> None:
    """Read the polygons of the region; they have no cells to describe."""
    read_polygons(path)


def _classes(layer: LayerSettings) -> None:
    """Read the polygons of a class layer; they have no cells to describe."""
    classes = read_classes(layer.table) if layer.table is not None else None
    read_class_polygons(
        layer.path,
        layer.column or "",
        classes=classes,
        layer=layer.layer,
        encoding=layer.encoding,
        assume_crs=layer.crs,
    )


def _described(paths: Callable[[], list[Path]], opened: Opened) -> dict[str, object]:
    """Describe one layer, or tell its fault."""
    row: dict[str, object] = dict.fromkeys(COLUMNS[1:], "")
    row["nodata_percent"] = np.nan
    try:
        values = opened()
        checked = verify_inputs(paths())
    except GeosoilError as error:
        return {**row, "fault": str(error)}
    known = checked["verified"].map(lambda value: value is not None)
    if (checked["verified"] == False).any():  # noqa: E712  a column of three states
        row["verified"] = "NO"
    else:
        row["verified"] = f"{int(known.sum())} of {len(checked)}"
    if values is None:
        return {**row, "crs": "polygons"}
    grid = Grid.of(values)
    row["crs"] = grid.crs.to_string() if grid.crs.to_epsg() else grid.crs.name
    row["grid"] = str(grid)
    row["nodata_percent"] = 100.0 * _missing(values)
    if "time" in values.dims:
        days = pd.DatetimeIndex(values["time"].to_numpy())
        row["dates"] = f"{len(days)}: {days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}"
    return row


def _missing(values: xr.DataArray) -> float:
    """Share of cells without a value."""
    if values.dtype.kind in "biu":
        codes = values.to_numpy()
        nodata = values.attrs.get("nodata")
        return 0.0 if nodata is None else float((codes == nodata).mean())
    return float(np.isnan(values.to_numpy()).mean())


def _text(table: pd.DataFrame) -> str:
    """Tell the layers in lines of columns."""
    rows = [["layer", "nodata", "verified", "dates", "grid"]]
    for _, row in table.iterrows():
        share = row["nodata_percent"]
        nodata = f"{share:.1f} %" if np.isfinite(share) else ""
        last = f"FAULT: {row['fault']}" if row["fault"] else row["grid"] or row["crs"]
        words = (row["layer"], nodata, row["verified"], row["dates"], last)
        rows.append([str(word) for word in words])
    widths = [max(len(cells[place]) for cells in rows) for place in range(4)]
    lines = []
    for cells in rows:
        padded = zip(cells, [*widths, 0], strict=True)
        lines.append("  ".join(cell.ljust(width) for cell, width in padded).rstrip())
    return "\n".join(lines)
