"""Cached studies for the tests of the simulated samples."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest

from geosoil.simulate.landscape import Landscape, make_landscape
from geosoil.simulate.samples import simulate_samples
from geosoil.simulate.tables import SimulatedStudy
from geosoil.simulate.water_settings import SourceWater, WaterSettings

SEEDS = (0, 2020, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 7, 31415)))


@cache
def landscape(seed: int = 2020) -> Landscape:
    return make_landscape(seed=seed)


OTHER = WaterSettings(
    ground_ice={
        "June": SourceWater(-15.6, 5.0),
        "August": SourceWater(-15.0, 6.0),
        "September": SourceWater(-13.2, 2.0),
    },
    snowmelt=SourceWater(-19.0, 14.0),
    evaporation_slope={"June": 3.0, "August": 4.0, "September": 3.6},
)


@cache
def study(seed: int, *, other: bool = False) -> SimulatedStudy:
    settings = OTHER if other else None
    return simulate_samples(landscape(), seed=seed, settings=settings)


def soil_with_truth(tables: SimulatedStudy) -> pd.DataFrame:
    soil = tables.samples[tables.samples["water"] == "soil"]
    truth = tables.truth.drop(
        columns=["site_id", "period", "vegetation", "aspect", "simulated"]
    )
    return soil.merge(truth, on="sample_id", validate="one_to_one")
