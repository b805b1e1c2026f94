"""The written samples hold the published numbers, for any seed and end members."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geosoil.simulate.inputs import read_paper_table
from geosoil.simulate.landscape import make_landscape
from geosoil.simulate.samples import simulate_samples
from geosoil.simulate.tables import SimulatedStudy
from tests.simulate.samples_cases import SEEDS, landscape, soil_with_truth, study

COLUMN = {
    "altitude": "elevation_band",
    "depth": "soil_layer",
    "vegetation": "vegetation",
    "aspect": "aspect",
}
SHARES = {
    "June": (0.72, 0.20, 0.08),
    "August": (0.90, 0.10, 0.0),
    "September": (0.94, 0.06, 0.0),
}
BANDS = ["3000-3500", "3500-4000", "4000-4500", "4500-5100"]
TRUE = ["true_precipitation", "true_ground_ice", "true_snowmelt"]


def group(soil: pd.DataFrame, period: str, kind: str, label: str) -> pd.DataFrame:
    rows = soil["period"] == period
    return soil[rows if kind == "all" else rows & (soil[COLUMN[kind]] == label)]


def table_1_gaps(soil: pd.DataFrame) -> tuple[float, float]:
    gaps = []
    for row in read_paper_table("table1_means").itertuples():
        rows = group(soil, row.period, row.group_kind, row.group)
        gaps.append((rows["d18O"].mean() - row.d18O, rows["d2H"].mean() - row.d2H))
    assert len(gaps) == 36
    worst = np.abs(gaps).max(axis=0)
    return float(worst[0]), float(worst[1])


def table_2_gaps(soil: pd.DataFrame) -> tuple[float, float]:
    gaps = []
    for row in read_paper_table("table2_lel").itertuples():
        rows = group(soil, row.period, row.group_kind, row.group)
        slope, _ = np.polyfit(rows["d18O"], rows["d2H"], 1)
        r = np.corrcoef(rows["d18O"], rows["d2H"])[0, 1]
        gaps.append((slope - row.slope, r**2 - row.r2))
    assert len(gaps) == 33
    worst = np.abs(gaps).max(axis=0)
    return float(worst[0]), float(worst[1])


def check_published(tables: SimulatedStudy) -> None:
    soil = soil_with_truth(tables)
    d18O, d2H = table_1_gaps(soil)
    slope, r_squared = table_2_gaps(soil)
    assert d18O <= 0.05
    assert d2H <= 0.15
    assert slope <= 0.05
    assert r_squared <= 0.01
    check_section_3_3(soil)


def check_section_3_3(soil: pd.DataFrame) -> None:
    for period, shares in SHARES.items():
        rows = soil[soil["period"] == period]
        assert rows[TRUE].mean().to_numpy() == pytest.approx(shares, abs=0.001)
    means = {
        (period, column): soil[soil["period"] == period].groupby(column)[TRUE].mean()
        for period in SHARES
        for column in ("elevation_band", "vegetation", "aspect")
    }
    check_june(means)
    check_august(means)
    check_september(means)


def check_june(means: dict[tuple[str, str], pd.DataFrame]) -> None:
    bands = means["June", "elevation_band"].loc[BANDS]
    snow, ice = bands["true_snowmelt"], bands["true_ground_ice"]
    assert (snow.iloc[:2] == 0.0).all()
    assert 0.0 < snow.iloc[2] < snow.iloc[3]
    assert ice.idxmax() == "3500-4000"
    assert ice.iloc[1] > ice.iloc[2] > ice.iloc[3]
    vegetation = means["June", "vegetation"]
    assert vegetation["true_ground_ice"].idxmax() == "meadow"
    assert vegetation["true_snowmelt"].idxmax() == "grassland"
    assert vegetation["true_precipitation"].idxmax() == "forest"
    aspect = means["June", "aspect"]
    for source in ("true_ground_ice", "true_snowmelt"):
        assert (
            aspect.loc[["N", "E"], source].min() > aspect.loc[["S", "W"], source].max()
        )


def check_august(means: dict[tuple[str, str], pd.DataFrame]) -> None:
    bands = means["August", "elevation_band"].loc[BANDS]
    assert bands["true_precipitation"].iloc[0] == 1.0
    assert bands["true_ground_ice"].is_monotonic_increasing
    assert bands["true_precipitation"].is_monotonic_decreasing
    assert bands["true_ground_ice"].is_unique
    vegetation = means["August", "vegetation"]
    assert vegetation.loc["forest", "true_precipitation"] == 1.0
    ice = vegetation["true_ground_ice"]
    assert ice["meadow"] > ice["grassland"]
    aspect = means["August", "aspect"]["true_ground_ice"]
    assert aspect[["N", "E"]].min() > aspect[["S", "W"]].max()


def check_september(means: dict[tuple[str, str], pd.DataFrame]) -> None:
    bands = means["September", "elevation_band"].loc[BANDS]
    assert (bands["true_precipitation"].iloc[:2] == 1.0).all()
    assert (bands["true_ground_ice"].iloc[2:] > 0.0).all()
    ice = means["September", "vegetation"]["true_ground_ice"]
    assert ice["meadow"] > ice["grassland"]
    aspect = means["September", "aspect"]["true_ground_ice"]
    assert aspect[["N", "E"]].min() > 0.0
    assert (aspect[["S", "W"]] == 0.0).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_written_soil_waters_meet_the_published_numbers(seed: int) -> None:
    check_published(study(seed))


@pytest.mark.slow
def test_other_end_members_meet_the_published_numbers_as_well() -> None:
    check_published(study(3, other=True))


def test_structural_zeros_are_exact_in_every_sample() -> None:
    truth = study(2020).truth
    low = truth["elevation_band"].isin(BANDS[:2])
    by_period = truth["period"]
    snow = truth["true_snowmelt"]
    assert (snow[low | (by_period != "June")] == 0.0).all()
    ice = truth["true_ground_ice"]
    august = by_period == "August"
    no_ice = (truth["elevation_band"] == BANDS[0]) | (truth["vegetation"] == "forest")
    assert (ice[august & no_ice] == 0.0).all()
    sunny = truth["aspect"].isin(["S", "W"])
    assert (ice[(by_period == "September") & (low | sunny)] == 0.0).all()
    assert truth[TRUE].sum(axis=1).to_numpy() == pytest.approx(1.0, abs=1e-9)
    assert (truth[TRUE] >= 0.0).all(axis=None)


def test_sunny_slopes_hold_snowmelt_in_june_and_ice_in_august() -> None:
    truth = study(2020).truth
    sunny = truth[truth["aspect"].isin(["S", "W"])].groupby("period")[TRUE].mean()
    assert sunny.loc["June", "true_snowmelt"] > 0.0
    assert sunny.loc["August", "true_ground_ice"] > 0.0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 120))
def test_twenty_more_seeds_of_land_and_water_hold(seed: int) -> None:
    check_published(simulate_samples(make_landscape(seed=seed), seed=seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 220))
def test_twenty_more_seeds_on_the_same_land_hold(seed: int) -> None:
    check_published(simulate_samples(landscape(), seed=seed))
