"""Shares of area by sign and significance, worked out by hand."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geosoil.correlation.zone_shares import zone_shares
from geosoil.errors import GridMismatchError, InputError
from geosoil.grids.grid import Grid
from geosoil.grids.zones import cell_area

GRID = Grid.from_bounds((0, 0, 4, 2), 1, "EPSG:3857")
R = [[0.9, 0.2, -0.8, np.nan], [-0.1, 0.0, 0.5, -0.6]]
P = [[0.01, 0.5, 0.04, np.nan], [0.8, 1.0, 0.03, 0.2]]
ZONES = [[1, 1, 2, 2], [1, 3, 2, 9]]


def result(grid=GRID, r=R, p=P):
    return xr.Dataset(
        {
            "r": grid.raster(r),
            "p_value": grid.raster(p),
            "significant": grid.raster(np.array(p) < 0.035),
        }
    )


def test_shares_are_those_counted_by_hand():
    labels = {1: "low", 2: "high", 3: "flat", 4: "nowhere"}
    table = zone_shares(result(), GRID.raster(np.array(ZONES)), labels=labels)
    table = table.set_index("zone")
    assert table["cells"].tolist() == [3, 3, 1, 0]
    low, high, flat, nowhere = (table.loc[name] for name in labels.values())
    assert low["share_positive"] == pytest.approx(2 / 3)
    assert low["share_negative"] == pytest.approx(1 / 3)
    assert low["share_significant_positive"] == pytest.approx(1 / 3)
    assert low["share_significant_negative"] == 0
    assert low["median_r"] == 0.2
    assert high["share_positive"] == 0.5
    assert high["share_significant_negative"] == 0.5
    assert high["share_fdr_positive"] == 0.5
    assert high["share_fdr_negative"] == 0
    assert high["answered_km2"] == pytest.approx(2e-6)
    assert high["area_km2"] == pytest.approx(3e-6)
    assert flat["share_positive"] == flat["share_negative"] == 0
    assert np.isnan(nowhere["share_positive"])
    assert np.isnan(nowhere["median_r"])


def test_the_order_of_the_dims_does_not_matter():
    zones = GRID.raster(np.array(ZONES))
    labels = {1: "low", 2: "high"}
    turned = zone_shares(result().transpose("x", "y"), zones.T, labels=labels)
    straight = zone_shares(result(), zones, labels=labels)
    pd.testing.assert_frame_equal(turned, straight)


def test_cells_count_by_their_area_on_longitude_and_latitude():
    grid = Grid.from_bounds((0, 0, 30, 60), 30, "EPSG:4326")
    r = grid.raster([[1.0], [-1.0]]).to_dataset(name="r")
    area = cell_area(grid).to_numpy().ravel()
    table = zone_shares(r, grid.raster(np.ones((2, 1), int)), labels={1: "all"})
    assert table["share_positive"][0] == pytest.approx(area[0] / area.sum())
    assert np.isnan(table["share_significant_positive"][0])
    assert np.isnan(table["share_fdr_positive"][0])


@given(st.integers(0, 1000))
def test_shares_of_zones_make_those_of_the_whole(seed):
    rng = np.random.default_rng(seed)
    r = rng.uniform(-1, 1, GRID.shape)
    r[rng.random(GRID.shape) < 0.2] = np.nan
    found = result(r=r, p=rng.random(GRID.shape))
    zones = GRID.raster(rng.integers(1, 4, GRID.shape))
    parts = zone_shares(found, zones, labels={1: "a", 2: "b", 3: "c"})
    whole = zone_shares(found, xr.ones_like(zones), labels={1: "all"})
    for name in (column for column in parts if column.startswith("share_")):
        total = (parts[name].fillna(0) * parts["answered_km2"]).sum()
        if whole["answered_km2"][0] > 0:
            share = total / whole["answered_km2"][0]
            assert share == pytest.approx(whole[name][0], abs=1e-12)


def test_what_is_no_correlation_or_no_zone_is_refused():
    zones = GRID.raster(np.array(ZONES))
    with pytest.raises(InputError, match="No variable 'r' among p_value"):
        zone_shares(result()[["p_value"]], zones, labels={1: "a"})
    with pytest.raises(InputError, match="no whole numbers"):
        zone_shares(result(), zones.astype(float), labels={1: "a"})
    with pytest.raises(InputError, match="Invalid alpha '5'"):
        zone_shares(result(), zones, labels={1: "a"}, alpha=5)
    other = Grid.from_bounds((1, 0, 5, 2), 1, "EPSG:3857")
    with pytest.raises(GridMismatchError, match="different grids"):
        zone_shares(result(), other.raster(np.array(ZONES)), labels={1: "a"})
