"""The simulated samples as tables with the columns of every study."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from geosoil.io._atomic import write_csv
from geosoil.simulate.soil_water import MEASUREMENT_SD, N_PARALLEL
from geosoil.simulate.true_fractions import TRUE_COLUMNS

SAMPLE_COLUMNS: tuple[str, ...] = (
    "sample_id",
    "water",
    "period",
    "date",
    "site_id",
    "longitude",
    "latitude",
    "elevation",
    "depth_top",
    "depth_bottom",
    "aspect",
    "vegetation",
    "d18O",
    "d2H",
    "d18O_sd",
    "d2H_sd",
    "precipitation",
    "soil_temperature",
    "soil_moisture",
    "slope",
    "aspect_degrees",
    "air_temperature",
    "simulated",
)
"""Columns of the sample table; those after soil_moisture are this study's own."""

_TRUTH_COLUMNS = (
    "sample_id",
    "site_id",
    "period",
    "elevation_band",
    "vegetation",
    "aspect",
    "soil_layer",
    *TRUE_COLUMNS,
    "evaporation",
    "evaporation_slope",
    "rain_d18O",
    "rain_d2H",
)


@dataclass(frozen=True, slots=True)
class SimulatedStudy:
    """The water side of the built-in study; each table becomes a file of its name."""

    samples: pd.DataFrame
    """2451 samples of six waters."""
    parallels: pd.DataFrame
    """Three parallel measurements of each soil sample."""
    end_members: pd.DataFrame
    """End members by period and stratum, invented."""
    truth: pd.DataFrame
    """True fractions, evaporation and rain of each soil sample; no run reads it."""
    reference: pd.DataFrame
    """Published shares beside the simulated truth."""


def sample_table(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Stack the waters in the columns of a sample table.

    Parameters
    ----------
    parts : iterable of DataFrame
        One table a water and period, each with the column water.

    Returns
    -------
    samples : DataFrame
        All rows with SAMPLE_COLUMNS; what a water lacks is missing.

    Notes
    -----
    d18O_sd and d2H_sd are the standard errors of measurement: 0.2 and 0.5 permil of a
    bottle, divided by the square root of three for the mean of three parallels.

    Examples
    --------
    >>> part = pd.DataFrame({"sample_id": ["a"], "water": ["soil"], "d18O": [-12.0]})
    >>> sample_table([part])["d18O_sd"].tolist()
    [0.1155]
    """
    samples = pd.concat(
        [part.reindex(columns=SAMPLE_COLUMNS).astype(object) for part in parts],
        ignore_index=True,
    )
    parallels = samples["water"].map(lambda water: N_PARALLEL if water == "soil" else 1)
    for name, sd in zip(("d18O_sd", "d2H_sd"), MEASUREMENT_SD, strict=True):
        samples[name] = (sd / parallels.astype(float) ** 0.5).round(4)
    samples["simulated"] = True
    samples["date"] = samples["date"].map(str, na_action="ignore")
    return samples.infer_objects()


def truth_table(layers: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Stack the truth of the soil samples.

    Parameters
    ----------
    layers : iterable of DataFrame
        Soil samples of each period with their truth.

    Returns
    -------
    truth : DataFrame
        Strata, true fractions, evaporation [permil d18O], its slope, own rain.

    Examples
    --------
    >>> row = dict.fromkeys(_TRUTH_COLUMNS, 0.12346)
    >>> truth_table([pd.DataFrame([row])])["evaporation"].tolist()
    [0.1235]
    """
    truth = pd.concat(layers, ignore_index=True)[list(_TRUTH_COLUMNS)]
    decimals = {"evaporation": 4, "rain_d18O": 4, "rain_d2H": 4}
    return truth.round(decimals).assign(simulated=True)


def write_samples_tables(study: SimulatedStudy, folder: str | Path) -> list[Path]:
    """Write the tables of a study as CSV, each whole or not at all.

    Parameters
    ----------
    study : SimulatedStudy
        The tables.
    folder : path
        Where to write samples.csv, parallels.csv, end_members.csv, truth.csv and
        reference.csv; made when absent.

    Returns
    -------
    paths : list of Path
        The files written.

    Examples
    --------
    >>> import tempfile
    >>> table = pd.DataFrame({"simulated": [True]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = write_samples_tables(SimulatedStudy(*[table] * 5), folder)
    >>> [path.name for path in paths]
    ['samples.csv', 'parallels.csv', 'end_members.csv', 'truth.csv', 'reference.csv']
    """
    return [
        write_csv(getattr(study, table.name), Path(folder) / f"{table.name}.csv")
        for table in fields(study)
    ]
