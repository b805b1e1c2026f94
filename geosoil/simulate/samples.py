"""The 2451 simulated water samples of the built-in study, from land to tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from geosoil.errors import InputError
from geosoil.simulate.inputs import read_paper_table
from geosoil.simulate.landscape import Landscape
from geosoil.simulate.rain_events import simulate_events
from geosoil.simulate.sites import Ground, place_waters, survey_ground
from geosoil.simulate.soil_samples import (
    SoilPeriod,
    parallel_measurements,
    simulate_soil,
)
from geosoil.simulate.soil_water import MEASUREMENT_SD
from geosoil.simulate.source_table import (
    end_member_table,
    rain_as_fallen,
    reference_table,
)
from geosoil.simulate.tables import SimulatedStudy, sample_table, truth_table
from geosoil.simulate.targets import (
    PeriodTargets,
    count_of,
    read_meteoric_line,
    read_targets,
)
from geosoil.simulate.water_settings import WaterSettings
from geosoil.simulate.waters import (
    RIVER,
    SUPRA_PERMAFROST,
    ground_ice_samples,
    mixed_samples,
    snowmelt_samples,
)
from geosoil.strata import MONTHS, PERIODS

_RAIN_STREAM, _PARALLEL_STREAM, _SITE_STREAM, _WATER_STREAM = 202, 203, 204, 205

_RIVER_RANGE = (3000.0, 4900.0)
_SUPRA_PERMAFROST_RANGE = (3800.0, 5100.0)


def simulate_samples(
    landscape: Landscape, *, seed: int = 2020, settings: WaterSettings | None = None
) -> SimulatedStudy:
    """Simulate all water samples of the study, with their truth.

    Parameters
    ----------
    landscape : Landscape
        Where the sites lie.
    seed : int
        Seed, 0 or more; the same seed and landscape give the same study.
    settings : WaterSettings, optional
        Other end members, evaporation slopes or shares.

    Returns
    -------
    study : SimulatedStudy
        Samples, parallels, end members, truth and reference.

    Raises
    ------
    InputError
        If the seed is negative, the end members cannot give the published means, or
        the landscape lacks a kind of site.

    Notes
    -----
    For any seed the written soil samples meet the group means of Table 1 within 0.05
    permil d18O and 0.15 permil d2H, the slopes of Table 2 within 0.05 and its R2
    within 0.01; the mean true fractions are the published shares within 0.001; the
    statements of section 3.3 hold. Left out with reason: see
    :func:`geosoil.simulate.targets.read_targets`. All end members are invented.

    References
    ----------
    Li, Z. et al., 2024. Soil water sources and their implications on vegetation
    restoration in the Three-Rivers Headwater Region during different ablation periods.
    Hydrol. Earth Syst. Sci. 28, 719-734. doi:10.5194/hess-28-719-2024

    Examples
    --------
    >>> from geosoil.simulate.landscape import make_landscape
    >>> study = simulate_samples(make_landscape(seed=2020), seed=2020)
    >>> len(study.samples)
    2451
    """
    if seed < 0:
        message = f"Invalid seed {seed}. Give a whole number of 0 or more."
        raise InputError(message)
    chosen = settings or WaterSettings()
    targets = read_targets(chosen)
    ground = survey_ground(landscape)
    soil = _simulate_soils(targets, chosen, ground, seed=seed)
    fallen = {period: rain_as_fallen(samples) for period, samples in soil.items()}
    rain_rng, parallel_rng = (
        np.random.default_rng([seed, stream])
        for stream in (_RAIN_STREAM, _PARALLEL_STREAM)
    )
    events = simulate_events(fallen, read_meteoric_line(), rng=rain_rng)
    soils = [samples.layers.assign(water="soil") for samples in soil.values()]
    waters = [
        _named(events.assign(water="precipitation"), "precipitation"),
        *_other_waters(soil, ground, seed=seed),
    ]
    samples = sample_table([*soils, *waters])
    parallels = parallel_measurements(
        pd.concat(soils, ignore_index=True), sd=MEASUREMENT_SD, rng=parallel_rng
    )
    return SimulatedStudy(
        samples=samples,
        parallels=parallels.assign(simulated=True),
        end_members=end_member_table(soil, samples),
        truth=truth_table(soils),
        reference=reference_table(soil, targets),
    )


def _simulate_soils(
    targets: Mapping[str, PeriodTargets],
    settings: WaterSettings,
    ground: Ground,
    *,
    seed: int,
) -> dict[str, SoilPeriod]:
    """Soil samples of every period, no two profiles in one cell."""
    soil: dict[str, SoilPeriod] = {}
    taken: frozenset[int] = frozenset()
    for period in PERIODS:
        soil[period] = simulate_soil(
            targets[period], settings, ground, taken=taken, seed=seed
        )
        taken = taken.union(soil[period].layers["cell"].tolist())
    return soil


def _other_waters(
    soil: Mapping[str, SoilPeriod], ground: Ground, *, seed: int
) -> Iterator[pd.DataFrame]:
    """Ground ice, snowmelt, river and supra-permafrost water of every period."""
    counts = read_paper_table("sample_counts")
    site_rng = np.random.default_rng([seed, _SITE_STREAM])
    n_rivers = max(count_of(counts, "river water", period) for period in PERIODS)
    rivers = place_waters(
        n_rivers, ground, between=_RIVER_RANGE, valley_height=25.0, rng=site_rng
    )
    rivers["vegetation"], rivers["aspect"] = None, None
    rivers["site_id"] = [f"river-{number:03d}" for number in range(1, n_rivers + 1)]
    for index, period in enumerate(PERIODS):
        rng = np.random.default_rng([seed, _WATER_STREAM, index])
        sources = soil[period].sources

        def n_of(water: str, period: str = period) -> int:
            return count_of(counts, water, period)

        n_ice = n_of("ground ice")
        ice = ground_ice_samples(n_ice, period, sources, ground, rng=rng)
        yield _dated(ice, "ground_ice", period, rng=rng)
        melt = snowmelt_samples(n_of("glacier snow meltwater"), sources, rng=rng)
        yield _dated(melt, "snowmelt", period, rng=rng)
        visited = np.sort(rng.choice(n_rivers, n_of("river water"), replace=False))
        places = rivers.iloc[visited].reset_index(drop=True)
        river = mixed_samples(places, period, RIVER, sources, rng=rng)
        yield _dated(river, "river", period, rng=rng)
        pits = place_waters(
            n_of("supra-permafrost water"),
            ground,
            between=_SUPRA_PERMAFROST_RANGE,
            valley_height=200.0,
            rng=rng,
        ).assign(depth_top=90.0, depth_bottom=100.0)
        thawed = mixed_samples(pits, period, SUPRA_PERMAFROST, sources, rng=rng)
        yield _dated(thawed, "supra_permafrost", period, rng=rng)


def _dated(
    samples: pd.DataFrame, water: str, period: str, *, rng: np.random.Generator
) -> pd.DataFrame:
    """Give samples their water, period, date and names."""
    month = MONTHS[period]
    days = np.sort(rng.integers(3, 27, len(samples)))
    dates = [dt.date(2020, month, int(day)) for day in days]
    dated = samples.assign(water=water, period=period, date=dates)
    return _named(dated, f"{water}-{month:02d}")


def _named(samples: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """Give samples their names, and sites where the sample is alone."""
    numbers = range(1, len(samples) + 1)
    names = [f"{prefix}-{number:03d}" for number in numbers]
    named = samples.assign(sample_id=names)
    if "site_id" not in named:
        named["site_id"] = names
    return named
