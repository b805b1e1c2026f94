"""The simulated land keeps what is known and is likely in what it invents."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.grids.grid import Grid
from geosoil.grids.zones import cell_area
from geosoil.simulate.inputs import read_elevation
from geosoil.simulate.landscape import (
    BARREN,
    FINE_GRID,
    STUDY_GRID,
    VEGETATION_CODES,
    make_landscape,
    study_land_cover,
)
from geosoil.simulate.relief import block_mean, simulate_relief
from geosoil.strata import ELEVATION_EDGES, VEGETATION


@pytest.fixture(scope="module")
def land():
    return make_landscape(seed=2020)


def test_the_fine_grid_nests_in_the_study_grid():
    assert FINE_GRID.shape == (570, 1548)
    assert STUDY_GRID.shape == (95, 258)
    np.testing.assert_allclose(FINE_GRID.bounds, STUDY_GRID.bounds, atol=1e-9)


def test_means_over_five_minutes_are_those_of_etopo5(land):
    coarse = read_elevation()
    # five minute cells inside the study area begin 7 fine cells from its western
    # and 1 from its northern edge
    fine = land.elevation.values[1:561, 7:1547]
    means = block_mean(fine, factor=10)
    x = land.elevation.x.values[7:1547].reshape(-1, 10).mean(axis=1)
    y = land.elevation.y.values[1:561].reshape(-1, 10).mean(axis=1)
    expected = coarse.sel(x=x, y=y, method="nearest", tolerance=1e-6)
    assert means.shape == (56, 154)
    np.testing.assert_allclose(means, expected.values, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 9), st.integers(3, 9), st.integers(2, 8))
def test_block_means_are_kept_on_any_terrain(seed, rows, columns, factor):
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(2500, 6500, (rows, columns))
    fine = simulate_relief(coarse, factor=factor, rng=rng)
    np.testing.assert_allclose(block_mean(fine, factor=factor), coarse, atol=1e-6)


def test_relief_is_stronger_where_the_land_is_rough(land):
    fine = land.elevation.values[1:561, 7:1547].reshape(56, 10, 154, 10)
    inner = fine.std(axis=(1, 3))
    outer = np.hypot(*np.gradient(fine.mean(axis=(1, 3))))
    rough = outer > np.quantile(outer, 0.8)
    smooth = outer < np.quantile(outer, 0.2)
    assert inner[rough].mean() > 1.5 * inner[smooth].mean()


def test_about_31_percent_lies_above_the_sampled_5100_m(land):
    area = cell_area(FINE_GRID).values
    inside = land.region.values
    above = area[inside & (land.elevation.values >= ELEVATION_EDGES[-1])].sum()
    assert above / area[inside].sum() == pytest.approx(0.31, abs=0.01)
    assert area[inside].sum() == pytest.approx(357_292, rel=0.005)


def test_elevation_stays_in_the_published_range(land):
    inside = land.elevation.values[land.region.values]
    assert 2300 < inside.min() < 3000
    assert 6000 < inside.max() < 7000


def test_slopes_are_those_of_mountains_and_plains(land):
    slope = land.slope.values[land.region.values]
    assert np.isfinite(slope).all()
    assert 0.1 < np.mean(slope < 2.0) < 0.5
    assert 8 < np.quantile(slope, 0.95) < 20


def test_aspects_are_spread_evenly(land):
    aspect = land.aspect.values[land.region.values & (land.slope.values >= 2.0)]
    sector = np.bincount(np.floor((aspect + 45) % 360 / 90).astype(int), minlength=4)
    assert sector.min() > 0.2 * sector.sum()
    assert 0 <= aspect.min() <= aspect.max() < 360


def test_codes_are_the_vegetation_of_the_strata(land):
    assert tuple(VEGETATION_CODES.values())[1:] == VEGETATION
    assert land.vegetation.dtype == np.uint8
    assert set(np.unique(land.vegetation)) == set(range(6))
    assert (land.vegetation.values[~land.region.values] == 0).all()


def test_forest_grows_low_and_mostly_on_shaded_slopes(land):
    forest = land.vegetation.values == 3
    assert np.quantile(land.elevation.values[forest], 0.95) < 4050
    steep = forest & (land.slope.values >= 2)
    northeast = (land.aspect.values[steep] + 45) % 360 < 180
    assert northeast.mean() > 0.55
    longitude = np.broadcast_to(FINE_GRID.x, FINE_GRID.shape)
    assert np.median(longitude[forest]) > 99


def test_meadow_is_wetter_than_steppe_and_desert_follows_barren_ground(land):
    codes = land.vegetation.values
    longitude = np.broadcast_to(FINE_GRID.x, FINE_GRID.shape)
    assert longitude[codes == 2].mean() > longitude[codes == 1].mean() + 1.5
    barren = (study_land_cover() == BARREN).repeat(6, 0).repeat(6, 1)
    inside = land.region.values & barren
    assert np.mean(codes[inside] == 5) > 0.7


@pytest.mark.parametrize("vegetation", ["grassland", "meadow", "forest"])
def test_every_sampled_stratum_exists(land, vegetation):
    code = VEGETATION.index(vegetation) + 1
    bands = ELEVATION_EDGES[:-1] if vegetation != "forest" else ELEVATION_EDGES[:3]
    sector = np.floor((np.nan_to_num(land.aspect.values) + 45) % 360 / 90)
    for lower, upper in zip(bands, ELEVATION_EDGES[1:], strict=False):
        for quarter in range(4):
            cells = (
                (land.vegetation.values == code)
                & (land.elevation.values >= lower)
                & (land.elevation.values < upper)
                & (land.slope.values >= 2.0)
                & (sector == quarter)
            )
            assert cells.sum() >= 20, (vegetation, lower, quarter)


def test_the_seed_decides_the_land(land):
    again, other = make_landscape(seed=2020), make_landscape(seed=7)
    for name in ("elevation", "slope", "aspect", "vegetation", "region"):
        assert getattr(again, name).equals(getattr(land, name))
    assert not other.elevation.equals(land.elevation)
    assert np.array_equal(other.region, land.region)


def test_every_raster_carries_its_grid(land):
    for name in ("elevation", "slope", "aspect", "vegetation", "region"):
        assert Grid.of(getattr(land, name)) == FINE_GRID
