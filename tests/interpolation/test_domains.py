"""Fractions mapped domain by domain keep their zeros, their sum and their sites."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation.composition import ZeroRule
from geosoil.interpolation.domains import (
    SiteFractions,
    map_by_domain,
    noise_filtered_kriging,
)
from geosoil.interpolation.idw import InverseDistance
from geosoil.interpolation.kriging import Kriging

GRID = Grid.from_bounds((0, 0, 20_000, 10_000), 1000, "EPSG:32647")
HEIGHT = GRID.raster(np.tile(np.linspace(3000.0, 5000.0, 20), (10, 1)))
RULES = [ZeroRule("snow", ("June",), below=4000.0)]


def sites(seed: int, n: int = 40, noise: float = 0.3) -> SiteFractions:
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 20_000, n), rng.uniform(0, 10_000, n)
    height = 3000.0 + x / 10.0
    ice = 0.2 + noise * rng.standard_normal(n)
    snow = np.where(height < 4000, 0.0, 0.1 + noise * rng.standard_normal(n))
    raw = pd.DataFrame({"rain": 1.0 - ice - snow, "ice": ice, "snow": snow})
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs=32647)
    return SiteFractions(points, raw, height, raw * 0.0 + noise**2)


def inverse(part: SiteFractions):
    return dict.fromkeys(part.raw.columns, InverseDistance()), None


def kriged(part: SiteFractions):
    return noise_filtered_kriging(part, model="exponential")


@pytest.mark.parametrize("make", [inverse, kriged])
@settings(max_examples=8)
@given(seed=st.integers(0, 10_000))
def test_every_cell_is_a_composition_and_zeros_are_exact(make, seed: int) -> None:
    answer = map_by_domain(
        sites(seed), make, zero_rules=RULES, grid=GRID, period="June", elevation=HEIGHT
    )
    stack = np.stack([answer.surfaces[s].to_numpy() for s in ("rain", "ice", "snow")])
    np.testing.assert_allclose(stack.sum(axis=0), 1.0, atol=1e-12)
    assert stack.min() >= 0.0
    low = HEIGHT.to_numpy() < 4000.0
    assert (stack[2][low] == 0.0).all()


def test_a_domain_is_told_by_its_own_sites_alone() -> None:
    low_sites = sites(3)
    moved = low_sites.raw.copy()
    high = np.asarray(low_sites.elevation) >= 4000.0
    moved.loc[high, ["rain", "ice", "snow"]] = [0.1, 0.1, 0.8]
    other = SiteFractions(low_sites.points, moved, low_sites.elevation)
    low = HEIGHT.to_numpy() < 4000.0
    first, second = (
        map_by_domain(
            given_sites,
            inverse,
            zero_rules=RULES,
            grid=GRID,
            period="June",
            elevation=HEIGHT,
        ).surfaces
        for given_sites in (low_sites, other)
    )
    np.testing.assert_array_equal(
        first["ice"].to_numpy()[low], second["ice"].to_numpy()[low]
    )
    assert (first["ice"].to_numpy()[~low] != second["ice"].to_numpy()[~low]).any()


def test_one_source_left_is_certain() -> None:
    rules = [*RULES, ZeroRule("ice", ("June",), below=4000.0)]
    chosen = sites(1)
    raw = chosen.raw.copy()
    low = np.asarray(chosen.elevation) < 4000.0
    raw.loc[low, ["rain", "ice", "snow"]] = [1.0, 0.0, 0.0]
    answer = map_by_domain(
        SiteFractions(chosen.points, raw, chosen.elevation, raw * 0 + 0.09),
        kriged,
        zero_rules=rules,
        grid=GRID,
        period="June",
        elevation=HEIGHT,
    )
    cells = HEIGHT.to_numpy() < 4000.0
    assert (answer.surfaces["rain"].to_numpy()[cells] == 1.0).all()
    assert (answer.surfaces["rain_sd"].to_numpy()[cells] == 0.0).all()
    assert (answer.surfaces["rain_sd"].to_numpy()[~cells] > 0.0).all()


def test_pure_noise_gives_the_mean_and_its_standard_error() -> None:
    chosen = sites(7, n=200, noise=0.5)
    chosen = SiteFractions(
        chosen.points,
        pd.DataFrame(
            {"rain": 1.0 - chosen.raw["ice"], "ice": chosen.raw["ice"]},
        ),
        chosen.elevation,
        pd.DataFrame({"rain": [4.0] * 200, "ice": [4.0] * 200}),
    )
    answer = map_by_domain(chosen, kriged, zero_rules=[], grid=GRID, period="June")
    ice = chosen.raw["ice"].to_numpy()
    nugget = answer.interpolators["rain, ice", "ice"].variogram_
    assert nugget.model == "nugget"
    np.testing.assert_allclose(answer.surfaces["ice"], ice.mean(), rtol=1e-9)
    expected = np.sqrt(answer.interpolators["rain, ice", "ice"].points_.variance[0])
    np.testing.assert_allclose(
        answer.surfaces["ice_sd"], expected / np.sqrt(200), rtol=1e-9
    )
    assert expected == pytest.approx(ice.std(ddof=1), rel=0.1)


def test_noise_is_taken_out_of_the_nugget_and_never_more() -> None:
    chosen = sites(5)
    interpolators, noise = noise_filtered_kriging(chosen, model="spherical")
    for source, interpolator in interpolators.items():
        assert isinstance(interpolator, Kriging)
        assert interpolator.variogram.nugget >= 0.0
        assert noise[source].iloc[0] <= 0.09 + 1e-12
    quiet = SiteFractions(chosen.points, chosen.raw, chosen.elevation)
    assert (noise_filtered_kriging(quiet, model="spherical")[1] == 0.0).all().all()


def test_a_domain_with_too_few_sites_has_no_answer_but_a_reason() -> None:
    chosen = sites(2)
    low = np.flatnonzero(np.asarray(chosen.elevation) < 4000.0)
    keep = np.zeros(len(chosen.raw), dtype=bool)
    keep[low] = True
    keep[np.flatnonzero(np.asarray(chosen.elevation) >= 4000.0)[:2]] = True
    answer = map_by_domain(
        chosen.part(keep, ["rain", "ice", "snow"]),
        inverse,
        zero_rules=RULES,
        grid=GRID,
        period="June",
        elevation=HEIGHT,
    )
    high = HEIGHT.to_numpy() >= 4000.0
    assert np.isnan(answer.surfaces["snow"].to_numpy()[high]).all()
    assert np.isfinite(answer.surfaces["rain"].to_numpy()[~high]).all()
    reasons = answer.domains.set_index("sources")["reason"]
    assert "2 sites with these sources, 3 are needed" in reasons["rain, ice, snow"]


def test_rules_without_elevation_name_what_is_missing() -> None:
    bare = SiteFractions(sites(1).points, sites(1).raw)
    with pytest.raises(InputError, match="elevation of sites and cells"):
        map_by_domain(bare, inverse, zero_rules=RULES, grid=GRID, period="June")


def test_rules_that_leave_nothing_are_refused() -> None:
    rules = [ZeroRule(source, ("June",)) for source in ("rain", "ice", "snow")]
    with pytest.raises(InputError, match="leave no source"):
        map_by_domain(sites(1), inverse, zero_rules=rules, grid=GRID, period="June")
