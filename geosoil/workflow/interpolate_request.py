"""What the command on interpolation is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dask.utils import parse_bytes

from geosoil.errors import InputError
from geosoil.workflow.interpolate_words import (
    NamedColumn,
    metres,
    named_column,
    named_path,
)

Method = Literal[
    "auto", "idw", "ok", "ked", "sk", "uk", "nearest", "linear", "tps", "ilr", "mean"
]
Leave = Literal["none", "loo", "block", "site", "kfold"]

KRIGING = ("ok", "ked", "sk", "uk")
"""Methods that have a variance."""

AUTO = "auto"
"""Word for a choice that the run makes."""


@dataclass(frozen=True, slots=True)
class InterpolateRequest:
    """Points, and how they are made into a map.

    Examples
    --------
    >>> InterpolateRequest("soil.csv", ("ice=fraction_ice",)).quantities[0].name
    'ice'
    """

    points: str
    """Table or layer of points."""
    columns: tuple[str, ...]
    """Columns of values, as COLUMN or NAME=COLUMN; of a composition one a source."""
    layer: str | None = None
    """Layer of a file with several."""
    where: tuple[str, ...] = ()
    """Which rows are used, as COLUMN=VALUE; all of these must hold."""
    period: str | None = None
    """Rows of this period alone; chooses the zero rules too."""
    crs: str | None = None
    """Coordinate reference system of x and y, or of a layer that states none."""
    method: Method = "auto"
    """How it is interpolated; auto compares and takes the best."""
    composition: bool = False
    """Whether the columns are parts of a whole."""
    zero_rules: str | None = None
    """File of rules on where a source is zero."""
    delta: float | None = None
    """What stands for a zero of rounding in log-ratios; from the variances without."""
    elevation: str | None = None
    """Raster of elevation, for the zero rules and for what the samples support."""
    drifts: tuple[str, ...] = ()
    """Rasters that the values follow, as PATH or NAME=PATH."""
    power: float = 2.0
    """Exponent of inverse-distance weighting."""
    mean: float | None = None
    """Known mean of simple kriging; that of the places without."""
    variogram: str = "spherical"
    """Model that is fitted, "auto" for the best of several, or a variogram that is
    given: MODEL:NUGGET,PARTIAL_SILL,RANGE."""
    n_neighbors: int | None = None
    """Nearest data that a cell uses; all without."""
    max_distance: str | None = None
    """Farthest data that a cell uses."""
    block: str | None = None
    """Side of the block whose mean is kriged, or "cell"."""
    variance_columns: tuple[str, ...] = ()
    """Column of the variance of each value's measurement, one a column."""
    sd_columns: tuple[str, ...] = ()
    """Column of its standard deviation instead."""
    grid: str | None = None
    """Side of a cell in degrees or with a unit, or a raster."""
    bbox: tuple[float, float, float, float] | None = None
    """Box (W, S, E, N) in degrees."""
    region: str | None = None
    """Polygons outside of which the map is empty."""
    cv: Leave = "block"
    """What cross-validation leaves out together."""
    site_column: str | None = None
    """Column of the labels of sites."""
    quantiles: bool = False
    """Whether the 5, 50 and 95 % quantiles are mapped."""
    simulations: int = 0
    """Realisations of conditional simulation."""
    threshold: float | None = None
    """Value whose chance of being passed the simulations map."""
    seed: int = 2020
    """Seed of random folds and of simulations."""
    mask: bool = False
    """Whether cells that the samples do not support are left empty, not hatched."""
    support_distance: str | None = None
    """Distance to data beyond which a cell is not supported."""
    memory_limit: str = "4GiB"
    """Most memory that the work may take."""
    scheduler: str | None = None
    """Address of a dask cluster; this machine without."""

    @property
    def quantities(self) -> tuple[NamedColumn, ...]:
        """Names of the results with their columns."""
        return tuple(
            named_column(words, composition=self.composition) for words in self.columns
        )

    @property
    def noise_columns(self) -> tuple[str, ...]:
        """Columns of variances or standard deviations."""
        return self.variance_columns or self.sd_columns

    @property
    def drift_paths(self) -> dict[str, Path]:
        """Rasters of the drift by name."""
        return dict(named_path(words) for words in self.drifts)

    @property
    def filters(self) -> tuple[tuple[str, str], ...]:
        """Columns and the value that they must have."""
        split = [words.partition("=") for words in self.where]
        return tuple((column.strip(), value.strip()) for column, _, value in split)

    @property
    def reach(self) -> float | None:
        """Farthest data that a cell uses [m]."""
        words = self.max_distance
        return None if words is None else metres(words, "--max-distance")

    @property
    def support_reach(self) -> float | None:
        """Distance beyond which a cell is not supported [m]."""
        words = self.support_distance
        return self.reach if words is None else metres(words, "--support-distance")

    @property
    def block_side(self) -> float | Literal["cell"] | None:
        """Side of the block that is kriged [m]."""
        if self.block is None or self.block == "cell":
            return self.block  # type: ignore[return-value]  # None or "cell"
        return metres(self.block, "--block")

    @property
    def memory(self) -> int:
        """Most memory [bytes]."""
        try:
            return int(parse_bytes(self.memory_limit))
        except ValueError:
            message = f"--memory-limit is '{self.memory_limit}': give 2GB or 500MiB"
            raise InputError(message) from None
