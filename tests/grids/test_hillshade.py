"""Hillshade: planes, gdaldem, and light that cannot be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.grids.hillshade import hillshade

GRID = Grid.from_bounds((400_000, 3_650_000, 560_000, 3_790_000), 5000, "EPSG:32647")
SMALL = Grid.from_bounds((0, 0, 300, 300), 100, "EPSG:32647")


@pytest.mark.parametrize(
    ("name", "light"),
    [
        ("hillshade", {}),
        ("hillshade_200_25_8", {"azimuth": 200.0, "altitude": 25.0, "z_factor": 8.0}),
    ],
)
def test_light_on_a_real_model_is_that_of_gdaldem(golden, name, light):
    expected = np.load(golden / "geo" / "terrain" / "etopo5_utm47.npz")
    ours = hillshade(GRID.raster(expected["elevation"]), **light).values
    theirs = expected[name].astype(float)
    assert np.array_equal(np.isnan(ours), theirs == 0)
    inner = np.isfinite(ours)
    # gdaldem stores 1 + 254 times the light as whole numbers
    assert np.abs(1.0 + 254.0 * ours - theirs)[inner].max() <= 0.501


@given(
    st.floats(0, 360),
    st.floats(5, 90),
    st.floats(-2, 2),
    st.floats(-2, 2),
)
def test_light_on_a_plane_is_the_cosine_between_sun_and_normal(azimuth, high, p, q):
    x, y = np.meshgrid(SMALL.x, SMALL.y)
    light = hillshade(
        SMALL.raster(p * x + q * y), azimuth=azimuth, altitude=high
    ).values[1, 1]
    normal = np.array([-p, -q, 1.0]) / np.linalg.norm([p, q, 1.0])
    turn, rise = np.radians(azimuth), np.radians(high)
    sun = (
        np.cos(rise) * np.sin(turn),
        np.cos(rise) * np.cos(turn),
        np.sin(rise),
    )
    assert light == pytest.approx(max(float(normal @ sun), 0.0), abs=1e-9)


def test_a_slope_that_turns_away_lies_in_the_shade():
    x, _ = np.meshgrid(SMALL.x, SMALL.y)
    towards = hillshade(SMALL.raster(3.0 * x), azimuth=270, altitude=20)
    away = hillshade(SMALL.raster(-3.0 * x), azimuth=270, altitude=20)
    assert away.values[1, 1] == 0.0
    assert towards.values[1, 1] > 0.9


def test_faults_of_the_light_stand_in_one_message():
    flat = SMALL.raster(np.zeros((3, 3)))
    with pytest.raises(InputError, match=r"azimuth nan.*altitude 0.*z_factor -1"):
        hillshade(flat, azimuth=np.nan, altitude=0.0, z_factor=-1.0)
