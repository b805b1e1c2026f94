"""Where simulated samples lie."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import percentile_filter, uniform_filter

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.simulate.inputs import read_glaciers, read_stations
from geosoil.simulate.landscape import VEGETATION_CODES
from geosoil.simulate.sites import Ground, place_profiles, place_waters, survey_ground
from geosoil.strata import ELEVATION_EDGES, aspect_sector, classify
from tests.simulate.samples_cases import SEEDS, landscape, study


def cells_of(samples: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    rows, columns, _ = Grid.of(landscape().elevation).cells(
        samples["longitude"].to_numpy(), samples["latitude"].to_numpy()
    )
    return rows, columns


def sites(water: str, seed: int = 2020) -> pd.DataFrame:
    samples = study(seed).samples
    return samples[samples["water"] == water].drop_duplicates("site_id")


@pytest.fixture(scope="module")
def ground() -> Ground:
    return survey_ground(landscape())


@pytest.mark.parametrize("seed", SEEDS)
def test_soil_sites_take_terrain_and_vegetation_of_their_cell(seed: int) -> None:
    soil = sites("soil", seed)
    rows, columns = cells_of(soil)
    land = landscape()
    assert land.region.to_numpy()[rows, columns].all()
    elevation = land.elevation.to_numpy()[rows, columns]
    assert np.abs(elevation - soil["elevation"].to_numpy()).max() <= 0.1
    bands = classify(elevation, ELEVATION_EDGES)
    assert (bands == classify(soil["elevation"].to_numpy(), ELEVATION_EDGES)).all()
    sector = aspect_sector(
        land.aspect.to_numpy()[rows, columns], land.slope.to_numpy()[rows, columns]
    )
    assert (sector == soil["aspect"].to_numpy()).all()
    again = aspect_sector(soil["aspect_degrees"].to_numpy(), soil["slope"].to_numpy())
    assert (again == soil["aspect"].to_numpy()).all()
    codes = land.vegetation.to_numpy()[rows, columns]
    noted = soil["vegetation"].to_numpy()
    mapped = np.array([VEGETATION_CODES[int(code)] for code in codes])
    assert (mapped == noted).mean() > 0.9


def test_truth_names_the_band_of_the_written_elevation() -> None:
    tables = study(2020)
    merged = tables.truth.merge(tables.samples, on="sample_id")
    bands = classify(merged["elevation"].to_numpy(), ELEVATION_EDGES)
    assert (bands == merged["elevation_band"].to_numpy()).all()


def test_no_two_profiles_share_a_cell() -> None:
    soil = sites("soil")
    assert len(set(zip(*cells_of(soil), strict=True))) == len(soil) == 242


@pytest.mark.parametrize("seed", SEEDS)
def test_sites_are_dense_in_the_east_and_sparse_in_the_west(seed: int) -> None:
    inside = landscape().region
    longitude = np.broadcast_to(inside["x"].to_numpy(), inside.shape)
    area_west = (longitude[inside.to_numpy()] < 94.0).mean()
    assert area_west > 0.3
    for water in ("soil", "river", "ground_ice", "supra_permafrost"):
        west = (sites(water, seed)["longitude"] < 94.0).mean()
        assert 0.0 < west < 0.35 * area_west


def test_sites_lie_lower_than_the_land_even_within_a_band() -> None:
    land = landscape()
    inside = land.region.to_numpy()
    elevation = land.elevation.to_numpy()
    soil = sites("soil")
    assert soil["elevation"].mean() < elevation[inside].mean() - 300.0
    position = elevation - uniform_filter(elevation, size=21, mode="nearest")
    slope = land.slope.to_numpy() >= 2.0
    for lower, upper in pairwise(ELEVATION_EDGES):
        band = inside & slope & (elevation >= lower) & (elevation < upper)
        rows, columns = cells_of(soil[soil["elevation"].between(lower, upper - 1e-6)])
        assert np.median(position[rows, columns]) < np.median(position[band])


def test_rivers_lie_lower_in_their_valleys_than_pits() -> None:
    land = landscape().elevation.to_numpy()
    above = land - percentile_filter(land[::3, ::3], 5, size=7).repeat(3, 0).repeat(
        3, 1
    )
    heights = {w: np.median(above[cells_of(sites(w))]) for w in ("river", "ground_ice")}
    assert heights["river"] < 0.6 * heights["ground_ice"]


def test_ground_ice_lies_where_the_paper_finds_it() -> None:
    samples = study(2020).samples
    ice = samples[samples["water"] == "ground_ice"].groupby("period")["elevation"]
    assert ice.min()["August"] >= 3500.0
    assert ice.min()["September"] >= 4000.0
    assert ice.max().max() < 5100.0


def test_rain_and_melt_stand_at_the_corrected_places() -> None:
    for water, places in (
        ("precipitation", read_stations()),
        ("snowmelt", read_glaciers()),
    ):
        found = sites(water).set_index("site_id").sort_index()
        wanted = places.set_index("name").sort_index()
        assert found.index.tolist() == wanted.index.tolist()
        for column in ("longitude", "latitude", "elevation"):
            assert found[column].tolist() == wanted[column].tolist()


def test_label_is_kept_when_the_map_has_too_few_cells(ground: Ground) -> None:
    n = 12
    profiles = pd.DataFrame(
        {"elevation_band": "4500-5100", "aspect": "N", "vegetation": "forest"},
        index=range(n),
    )
    rng = np.random.default_rng(1)
    placed = place_profiles(profiles, ground, taken=frozenset(), rng=rng)
    assert (placed["vegetation"] == "forest").all()
    assert placed["elevation"].between(4500.0, 5099.99).all()
    assert placed["cell"].is_unique


def test_profiles_avoid_cells_that_are_taken(ground: Ground) -> None:
    profiles = pd.DataFrame(
        {"elevation_band": ["3000-3500"], "aspect": "S", "vegetation": "forest"}
    )
    cells = ground.strata["3000-3500", "S"]
    forest = cells[ground.cells["vegetation"].to_numpy()[cells] == "forest"]
    taken = frozenset(forest[1:].tolist())
    placed = place_profiles(profiles, ground, taken=taken, rng=np.random.default_rng(1))
    assert placed["cell"].tolist() == [forest[0]]


def test_more_profiles_than_cells_is_an_error(ground: Ground) -> None:
    few = Ground(ground.cells, {("3000-3500", "N"): np.array([3, 4, 5])}, ground.size)
    profiles = pd.DataFrame(
        {"elevation_band": "3000-3500", "aspect": "N", "vegetation": "meadow"},
        index=range(4),
    )
    with pytest.raises(InputError, match="3 free cells at 3000-3500 m on N slopes"):
        place_profiles(profiles, few, taken=frozenset(), rng=np.random.default_rng(1))
    with pytest.raises(InputError, match="0 cells at 6000-7000 m, but 1 sites"):
        place_waters(
            1,
            few,
            between=(6000.0, 7000.0),
            valley_height=30.0,
            rng=np.random.default_rng(1),
        )
