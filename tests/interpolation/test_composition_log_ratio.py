"""Fractions by log-ratios: gstat's cells, exact zeros, honest means and quantiles."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree
from scipy.stats import norm

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation._kernels import close_to_simplex
from geosoil.interpolation.base import Interpolator, Points
from geosoil.interpolation.composition import CompositionInterpolator
from geosoil.interpolation.composition_options import LogRatioOptions
from geosoil.interpolation.domains import (
    SiteFractions,
    map_by_domain,
    noise_filtered_kriging,
)
from geosoil.interpolation.idw import InverseDistance
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.log_ratios import (
    balance_variances,
    closure,
    ilr,
    inverse_ilr,
)
from geosoil.interpolation.variogram import Variogram
from geosoil.interpolation.zero_rules import ZeroRule

SOURCES = ["precipitation", "ground_ice", "snow"]
CODA_GRID = Grid.from_bounds((0, 0, 600, 400), 20, "EPSG:32647")
SNOW_LINE = ZeroRule("snow", ("June",), below=4000.0)
GRID = Grid.from_bounds((0, 0, 20_000, 10_000), 1000, "EPSG:32647")
HEIGHT = GRID.raster(np.tile(np.linspace(3025.0, 4975.0, 20), (10, 1)))
MODEL = Variogram("spherical", 0.02, 0.3, 9_000.0)


class DriftOfHeights(Kriging):
    """Krige with a drift that is known at the very sites, not by a raster alone."""

    def __init__(
        self, variogram: Variogram, sites: pd.DataFrame, raster: xr.DataArray
    ) -> None:
        super().__init__(variogram)
        self.sites = sites
        self.raster = raster

    def fit(
        self, points: Points, values: ArrayLike, *, variance: ArrayLike | None = None
    ) -> Kriging:
        distance, row = cKDTree(self.sites[["x", "y"]]).query(points)
        assert (distance < 1e-9).all()
        height = self.sites["elev"].to_numpy()[row]
        return super().fit(points, values, variance=variance, drift=height)

    def grid(self, grid: Grid) -> xr.Dataset:
        return super().grid(grid, drift=self.raster)


class Coda:
    """The worked study: sites, cells, and the two variograms of the balances."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.points = pd.read_csv(folder / "points.csv")
        cells = pd.read_csv(folder / "grid.csv")
        self.elevation = CODA_GRID.raster(cells["elev"].to_numpy().reshape(20, 30))
        self.kriging: Mapping[str, Interpolator] = {
            "precipitation": DriftOfHeights(
                Variogram("spherical", 0.02, 0.05, 120.0), self.points, self.elevation
            ),
            "ground_ice": DriftOfHeights(
                Variogram("spherical", 0.03, 0.06, 120.0), self.points, self.elevation
            ),
        }

    def maps(self, points: pd.DataFrame, rules: list[ZeroRule]) -> xr.Dataset:
        options = LogRatioOptions(back_transform="centre", sites="own", delta=0.005)
        maps = CompositionInterpolator(
            self.kriging, rules, method="ilr", log_ratios=options
        )
        maps.fit(
            points[["x", "y"]].to_numpy(),
            points[SOURCES],
            elevation=points["elev"],
            period="June",
        )
        return maps.grid(CODA_GRID, elevation=self.elevation)

    def expected(self, file: str) -> np.ndarray:
        return pd.read_csv(self.folder / file)[SOURCES].to_numpy().reshape(20, 30, 3)


@pytest.fixture(scope="module")
def coda(golden: Path) -> Coda:
    return Coda(golden / "geo" / "coda")


def stack(surface: xr.Dataset, sources: list[str] = SOURCES) -> np.ndarray:
    return np.stack([surface[source].to_numpy() for source in sources], axis=-1)


def check_composition(values: np.ndarray) -> None:
    np.testing.assert_allclose(values.sum(axis=-1), 1.0, rtol=0, atol=1e-12)
    assert values.min() >= 0.0
    assert values.max() <= 1.0


def test_kriged_balances_with_drift_equal_gstat(coda: Coda) -> None:
    high = coda.points[coda.points["snow"] > 0]
    surface = coda.maps(high, [])
    expected = coda.expected("ked_ilr_3part_all_cells.csv")
    np.testing.assert_allclose(stack(surface), expected, rtol=0, atol=1e-9)


def test_the_mosaic_of_sub_compositions_equals_gstat(coda: Coda) -> None:
    surface = coda.maps(coda.points, [SNOW_LINE])
    expected = coda.expected("mosaic_structural_zero.csv")
    np.testing.assert_allclose(stack(surface), expected, rtol=0, atol=1e-9)
    low = coda.elevation.to_numpy() < 4000
    assert (surface["snow"].to_numpy()[low] == 0.0).all()
    check_composition(stack(surface))


def test_raw_fractions_kriged_with_drift_leave_the_simplex(coda: Coda) -> None:
    kriging = coda.kriging["precipitation"]
    xy = coda.points[["x", "y"]].to_numpy()
    raw = np.stack(
        [
            kriging.fit(xy, coda.points[source]).grid(CODA_GRID)["estimate"]
            for source in SOURCES
        ],
        axis=-1,
    )
    expected = coda.expected("raw_fraction_ked_counterexample.csv")
    np.testing.assert_allclose(raw, expected, rtol=0, atol=1e-9)
    # A check of the sum sees nothing: the three maps sum to 1 all the same.
    np.testing.assert_allclose(raw.sum(axis=-1), 1.0, rtol=0, atol=1e-9)
    assert raw[..., 2].min() < -0.037
    low = coda.elevation.to_numpy() < 4000
    assert (raw[..., 2][low] > 0).any()
    moved = np.abs(close_to_simplex(raw) - raw).max()
    assert moved > 0.01
    by_log_ratio = stack(coda.maps(coda.points, [SNOW_LINE]))
    check_composition(by_log_ratio)
    assert (by_log_ratio[..., 2][low] == 0.0).all()


def sites(seed: int, n: int = 40, sources: int = 3) -> SiteFractions:
    """Sites whose third source is absent below 4000 m and fades in above."""
    rng = np.random.default_rng(seed)
    xy = np.column_stack([rng.uniform(0, 20_000, n), rng.uniform(0, 10_000, n)])
    height = 3000.0 + xy[:, 0] / 10.0
    parts = rng.dirichlet([6.0, 3.0, 2.0, 2.0][:sources], n)
    if sources > 2:
        parts[height < 4000.0, 2] = 0.0
    raw = pd.DataFrame(closure(parts), columns=[*SOURCES, "river"][:sources])
    return SiteFractions(xy, raw, height)


def fitted(
    data: SiteFractions,
    interpolator: Interpolator | Mapping[str, Interpolator],
    rules: tuple[ZeroRule, ...] = (SNOW_LINE,),
    **options: object,
) -> CompositionInterpolator:
    maps = CompositionInterpolator(
        interpolator,
        rules,
        method="ilr",
        log_ratios=LogRatioOptions(**options),  # type: ignore[arg-type]
    )
    return maps.fit(
        data.points,
        data.raw,
        variance=data.variance,
        elevation=data.elevation,
        period="June",
    )


@settings(max_examples=3, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(3, 4),
    back=st.sampled_from(["mean", "simulation", "centre"]),
    blend=st.sampled_from([0.0, 300.0]),
)
@example(seed=1, count=3, back="mean", blend=300.0)
@example(seed=2, count=4, back="mean", blend=0.0)
@example(seed=3, count=4, back="simulation", blend=300.0)
@example(seed=4, count=4, back="centre", blend=0.0)
def test_every_cell_is_a_composition_with_exact_zeros(
    seed: int, count: int, back: str, blend: float
) -> None:
    data = sites(seed, sources=count)
    names = list(data.raw)
    maps = fitted(data, Kriging(MODEL), back_transform=back, blend=blend)
    surface = maps.grid(GRID, elevation=HEIGHT)
    values = stack(surface, names)
    check_composition(values)
    low = HEIGHT.to_numpy() < 4000.0
    assert (values[..., 2][low] == 0.0).all()
    assert (values[..., 2][~low] > 0.0).all()
    assert surface.attrs["back_transform"] == back
    if back == "centre":
        assert "snow_sd" not in surface
    else:
        spread = stack(surface, [f"{name}_sd" for name in names])
        assert (spread[..., 2][low] == 0.0).all()
        assert (spread[~low] > 0.0).all()


def test_the_fractions_are_those_of_the_balances_of_the_speaking_sites() -> None:
    data = sites(4)
    low = HEIGHT.to_numpy() < 4000.0
    for who in ("coherent", "own"):
        maps = fitted(data, Kriging(MODEL), back_transform="centre", sites=who)
        found = stack(maps.grid(GRID, elevation=HEIGHT))
        for cells, names in ((low, SOURCES[:2]), (~low, SOURCES)):
            raw = data.raw[names].to_numpy()
            speak = (raw > 0).all(axis=1)
            if who == "own":
                speak = (np.asarray(data.elevation) < 4000.0) == (len(names) == 2)
            balances = ilr(closure(raw[speak]))
            xy = np.asarray(data.points)[speak]
            kriged = [
                Kriging(MODEL).fit(xy, column).grid(GRID)["estimate"].to_numpy()
                for column in balances.T
            ]
            expected = inverse_ilr(np.stack(kriged, axis=-1))
            np.testing.assert_allclose(
                found[cells][:, : len(names)], expected[cells], rtol=0, atol=1e-12
            )


def test_ratios_keep_across_the_line_where_all_sites_have_one_ratio() -> None:
    data = sites(8)
    snow = data.raw["snow"].to_numpy()
    raw = pd.DataFrame(
        {"precipitation": 0.7 * (1 - snow), "ground_ice": 0.3 * (1 - snow)}
    ).assign(snow=snow)
    for blend in (0.0, 400.0):
        maps = fitted(
            SiteFractions(data.points, raw, data.elevation),
            Kriging(MODEL),
            back_transform="centre",
            blend=blend,
        )
        found = stack(maps.grid(GRID, elevation=HEIGHT))
        np.testing.assert_allclose(found[..., 0] / found[..., 1], 7 / 3, rtol=1e-12)


def test_the_blend_takes_the_step_out_of_the_line_and_leaves_the_rest() -> None:
    data = sites(8, n=60)
    fine = Grid.from_bounds((0, 4_000, 20_000, 5_000), 100, "EPSG:32647")
    height = fine.raster(np.tile(3000.0 + fine.x / 10.0, (10, 1)))
    hard, soft = (
        fitted(data, Kriging(MODEL), blend=blend).grid(fine, elevation=height)
        for blend in (0.0, 500.0)
    )
    for source in SOURCES:
        outside = (height.to_numpy() < 4000.0) | (height.to_numpy() >= 4500.0)
        np.testing.assert_allclose(
            soft[source].to_numpy()[outside],
            hard[source].to_numpy()[outside],
            atol=1e-12,
        )
        np.testing.assert_allclose(
            soft[f"{source}_sd"].to_numpy()[outside],
            hard[f"{source}_sd"].to_numpy()[outside],
            atol=1e-12,
        )
    step = np.abs(np.diff(hard["snow"].to_numpy(), axis=1)).max()
    blended = np.abs(np.diff(soft["snow"].to_numpy(), axis=1)).max()
    assert step > 0.1
    assert blended < 0.25 * step
    check_composition(stack(soft))


def test_a_blended_cell_is_the_mixture_of_its_two_sub_compositions() -> None:
    data = sites(2)
    blend = 600.0
    soft = fitted(data, Kriging(MODEL), blend=blend)
    surface = soft.grid(GRID, elevation=HEIGHT)
    hard = fitted(data, Kriging(MODEL)).grid(GRID, elevation=HEIGHT)
    two = data.raw[SOURCES[:2]]
    without = fitted(
        SiteFractions(data.points, pd.DataFrame(closure(two), columns=SOURCES[:2])),
        Kriging(MODEL),
        (),
    ).grid(GRID)
    weight = SNOW_LINE.weight(HEIGHT.to_numpy(), blend=blend)
    inside = (weight > 0) & (weight < 1)
    assert inside.sum() > 20
    for source in SOURCES:
        mean, sd = np.zeros(GRID.shape), np.zeros(GRID.shape)
        if source != "snow":
            mean, sd = without[source].to_numpy(), without[f"{source}_sd"].to_numpy()
        full, full_sd = hard[source].to_numpy(), hard[f"{source}_sd"].to_numpy()
        mixed = weight * full + (1 - weight) * mean
        second = weight * (full_sd**2 + full**2) + (1 - weight) * (sd**2 + mean**2)
        np.testing.assert_allclose(
            surface[source].to_numpy()[inside], mixed[inside], atol=1e-12
        )
        np.testing.assert_allclose(
            surface[f"{source}_sd"].to_numpy()[inside] ** 2,
            (second - mixed**2)[inside],
            atol=1e-12,
        )
    drawn = soft.quantiles(GRID, elevation=HEIGHT, q=[0.5], n_draws=4000)
    chance = soft.exceedance(GRID, above=0.0, elevation=HEIGHT, n_draws=4000)
    np.testing.assert_allclose(
        chance["snow"].to_numpy()[inside], weight[inside], atol=1e-3
    )
    mostly_without = inside & (weight < 0.45)
    assert (drawn["snow"].to_numpy()[0][mostly_without] == 0.0).all()


def test_inverse_distances_do_not_depend_on_the_order_of_sources() -> None:
    data = sites(5)
    reference = None
    for order in permutations(SOURCES):
        names = list(order)
        maps = fitted(
            SiteFractions(data.points, data.raw[names], data.elevation),
            InverseDistance(n_neighbors=8),
            back_transform="centre",
        )
        found = stack(maps.grid(GRID, elevation=HEIGHT))
        reference = found if reference is None else reference
        np.testing.assert_allclose(found, reference, rtol=0, atol=1e-12)


def test_kriging_depends_on_the_order_unless_variograms_are_proportional() -> None:
    data = sites(5)
    other = Variogram("spherical", 0.2, 0.1, 3_000.0)
    double = Variogram("spherical", 0.04, 0.6, 9_000.0)
    turned = ["snow", "precipitation", "ground_ice"]

    def centre(names: list[str], second: Variogram) -> np.ndarray:
        kriging = {names[0]: Kriging(MODEL), names[1]: Kriging(second)}
        part = SiteFractions(data.points, data.raw[names], data.elevation)
        # One set of sources alone, so that both orders lead it by other sources.
        high = np.asarray(data.elevation) >= 4000.0
        maps = fitted(part.part(high, names), kriging, (), back_transform="centre")
        return stack(maps.grid(GRID))

    same = np.abs(centre(SOURCES, double) - centre(turned, double)).max()
    differs = np.abs(centre(SOURCES, other) - centre(turned, other)).max()
    assert same < 1e-12
    assert differs > 1e-3


def test_log_ratio_maps_honour_the_sites_and_tell_no_error_there() -> None:
    data = sites(6, n=12, sources=2)
    cell = Grid.from_bounds((0, 0, 100, 100), 100, "EPSG:32647")
    xy = np.asarray(data.points).copy()
    xy[0] = 50.0, 50.0
    maps = fitted(SiteFractions(xy, data.raw), Kriging(MODEL), ())
    surface = maps.grid(cell)
    assert surface["precipitation"].item() == pytest.approx(
        data.raw["precipitation"][0], abs=1e-9
    )
    assert surface["precipitation_sd"].item() == pytest.approx(0.0, abs=1e-9)


def test_sources_with_one_line_come_and_go_together() -> None:
    data = sites(4, sources=4)
    raw = data.raw.copy()
    raw.loc[np.asarray(data.elevation) < 4000.0, "river"] = 0.0
    raw = pd.DataFrame(closure(raw), columns=raw.columns)
    rules = (SNOW_LINE, ZeroRule("river", ("June",), below=4000.0))
    maps = fitted(
        SiteFractions(data.points, raw, data.elevation),
        Kriging(MODEL),
        rules,
        blend=500.0,
    )
    surface = maps.grid(GRID, elevation=HEIGHT)
    check_composition(stack(surface, list(raw)))
    assert set(maps.domains_["sources"]) == {
        "precipitation, ground_ice",
        "precipitation, ground_ice, snow, river",
    }
    assert len(maps.interpolators_) == 4


def test_an_absent_source_has_no_variance_whatever_is_given() -> None:
    data = sites(9)
    low = np.asarray(data.elevation) < 4000.0
    variance = data.raw * 0 + 0.04**2
    told = variance.copy()
    told.loc[low, "snow"] = np.nan
    one, other = (
        fitted(
            SiteFractions(data.points, data.raw, data.elevation, table),
            Kriging(MODEL),
            sites="own",
        )
        for table in (variance, told)
    )
    xr.testing.assert_identical(
        one.grid(GRID, elevation=HEIGHT), other.grid(GRID, elevation=HEIGHT)
    )
    own = one.interpolators_["precipitation, ground_ice: precipitation"]
    two = SOURCES[:2]
    expected = balance_variances(
        data.raw.loc[low, two].to_numpy(), variance.loc[low, two].to_numpy()
    )[:, 0]
    np.testing.assert_allclose(own.points_.variance, expected, rtol=1e-12)


def test_part_of_the_sites_keeps_what_belongs_to_them() -> None:
    data = sites(9)
    covariance = np.arange(40 * 9, dtype=float).reshape(40, 3, 3)
    whole = SiteFractions(
        data.points, data.raw, data.elevation, data.raw * 2, covariance
    )
    chosen = np.arange(40) >= 38
    part = whole.part(chosen, ["snow", "precipitation"])
    np.testing.assert_array_equal(part.points, np.asarray(data.points)[38:])
    np.testing.assert_array_equal(
        part.raw, data.raw.loc[38:, ["snow", "precipitation"]]
    )
    np.testing.assert_array_equal(part.variance, 2 * part.raw)
    np.testing.assert_array_equal(
        part.covariance, covariance[38:][:, [2, 0]][:, :, [2, 0]]
    )


def test_blocks_of_cells_are_mapped_and_a_missing_variance_is_found_on_the_grid() -> (
    None
):
    data = sites(4, sources=2)
    blocks = fitted(data, Kriging(MODEL, block="cell"), ()).grid(GRID)
    points = fitted(data, Kriging(MODEL), ()).grid(GRID)
    check_composition(stack(blocks, SOURCES[:2]))
    assert (blocks["precipitation_sd"] < points["precipitation_sd"]).all()
    bare = Kriging(MODEL, block="cell", outputs="estimate")
    with pytest.raises(InputError, match="no variance, so there is no mean fraction"):
        fitted(data, bare, ()).grid(GRID)


def test_zeros_of_rounding_are_replaced_and_counted() -> None:
    data = sites(3)
    raw = data.raw.copy()
    raw.index = [f"site {row}" for row in range(len(raw))]
    high = int(np.flatnonzero(np.asarray(data.elevation) >= 4000.0)[0])
    raw.iloc[high] = [1.0, 0.0, 0.0]
    part = SiteFractions(data.points, raw, data.elevation)
    delta = {"ground_ice": 0.01, "snow": 0.02}
    maps = fitted(part, Kriging(MODEL), delta=delta)
    assert maps.grid(GRID, elevation=HEIGHT).attrs["n_replaced"] == 2
    assert maps.replaced_.to_dict("list") == {
        "row": [f"site {high}"] * 2,
        "source": ["ground_ice", "snow"],
        "delta": [0.01, 0.02],
    }
    whole = raw.copy()
    whole.iloc[high] = [0.97, 0.01, 0.02]
    same = fitted(SiteFractions(data.points, whole, data.elevation), Kriging(MODEL))
    np.testing.assert_allclose(
        stack(maps.grid(GRID, elevation=HEIGHT)),
        stack(same.grid(GRID, elevation=HEIGHT)),
        atol=1e-12,
    )


def test_the_posterior_says_what_stands_for_a_zero() -> None:
    data = sites(3)
    raw = data.raw.copy()
    high = int(np.flatnonzero(np.asarray(data.elevation) >= 4000.0)[0])
    raw.iloc[high] = [0.6, 0.4, 0.0]
    part = SiteFractions(data.points, raw, data.elevation, raw * 0 + 0.02**2)
    maps = fitted(part, Kriging(MODEL))
    # The mean of a normal of this standard deviation, cut at 0.
    draws = np.abs(np.random.default_rng(0).normal(scale=0.02, size=400_000))
    assert maps.replaced_["delta"].tolist() == [pytest.approx(draws.mean(), rel=5e-3)]


def test_measurement_variance_goes_to_the_diagonal_of_each_balance() -> None:
    data = sites(9, sources=2)
    variance = data.raw * 0 + 0.05**2
    part = SiteFractions(data.points, data.raw, None, variance)
    maps = fitted(part, Kriging(MODEL), ())
    surface = maps.grid(GRID)
    parts = data.raw.to_numpy()
    own = maps.interpolators_["precipitation, ground_ice: precipitation"]
    expected = balance_variances(parts, variance.to_numpy())[:, 0]
    np.testing.assert_allclose(own.points_.variance, expected, rtol=1e-12)
    quiet = fitted(SiteFractions(data.points, data.raw), Kriging(MODEL), ()).grid(GRID)
    assert (surface["precipitation_sd"] > quiet["precipitation_sd"]).all()
    assert "covariances between balances left out" in str(
        surface.attrs["measurement_variance"]
    )
    covariance = np.array([[1.0, -1.0], [-1.0, 1.0]]) * 0.05**2
    given_whole = CompositionInterpolator(Kriging(MODEL), method="ilr").fit(
        data.points, data.raw, variance=np.tile(covariance, (len(parts), 1, 1))
    )
    xr.testing.assert_allclose(given_whole.grid(GRID), surface, rtol=1e-12)


def test_sub_compositions_carry_the_variance_of_their_ratio() -> None:
    data = sites(9)
    variance = data.raw * 0 + 0.04**2
    maps = fitted(
        SiteFractions(data.points, data.raw, data.elevation, variance),
        Kriging(MODEL),
        sites="own",
    )
    maps.grid(GRID, elevation=HEIGHT)
    own = maps.interpolators_["precipitation, ground_ice, snow: precipitation"]
    high = np.asarray(data.elevation) >= 4000.0
    expected = balance_variances(data.raw[high].to_numpy(), variance[high].to_numpy())[
        :, 0
    ]
    np.testing.assert_allclose(own.points_.variance, expected, rtol=1e-12)


def test_quantiles_rise_and_the_middle_one_is_the_centre_of_two_sources() -> None:
    data = sites(1, sources=2)
    maps = fitted(data, Kriging(MODEL), ())
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    found = maps.quantiles(GRID, q=levels, n_draws=2001)
    assert found["precipitation"].dims == ("quantile", "y", "x")
    assert found["quantile"].to_numpy().tolist() == levels
    assert (found["precipitation"].diff("quantile") >= 0).all()
    own = maps.interpolators_["precipitation, ground_ice: precipitation"].grid(GRID)
    normal = [-1.6448536269514722, -0.6744897501960817, 0.0]
    for level, z in zip(levels, normal, strict=False):
        balance = own["estimate"] + z * np.sqrt(own["kriging_variance"])
        expected = 1 / (1 + np.exp(-np.sqrt(2) * balance))
        np.testing.assert_allclose(
            found["precipitation"].sel(quantile=level), expected, atol=2e-3
        )
    mirrored = found["ground_ice"].sel(quantile=0.95)
    np.testing.assert_allclose(
        found["precipitation"].sel(quantile=0.05), 1 - mirrored, atol=2e-3
    )


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 1000))
def test_quantiles_are_monotone_and_possible(seed: int) -> None:
    maps = fitted(sites(seed, sources=4), Kriging(MODEL), blend=200.0)
    found = maps.quantiles(GRID, elevation=HEIGHT, n_draws=60, seed=seed)
    for name in maps.sources_:
        values = found[name].to_numpy()
        assert (np.diff(values, axis=0) >= 0).all()
        assert values.min() >= 0.0
        assert values.max() <= 1.0
    low = HEIGHT.to_numpy() < 4000.0
    assert (found["snow"].to_numpy()[:, low] == 0.0).all()


def test_draws_repeat_with_their_seed_and_no_chunk_shows() -> None:
    maps = fitted(sites(1), Kriging(MODEL))
    first = maps.quantiles(GRID, elevation=HEIGHT, seed=3, n_draws=2000)
    xr.testing.assert_identical(
        first, maps.quantiles(GRID, elevation=HEIGHT, seed=3, n_draws=2000)
    )
    other = maps.quantiles(GRID, elevation=HEIGHT, seed=4, n_draws=2000)
    assert (first["snow"] != other["snow"]).any()
    top = Grid.from_bounds((0, 9_000, 20_000, 10_000), 1000, "EPSG:32647")
    alone = maps.quantiles(top, elevation=HEIGHT[:1], seed=3, n_draws=2000)
    np.testing.assert_allclose(alone["snow"], first["snow"][:, :1], atol=1e-12)


def test_chances_are_those_of_normal_balances() -> None:
    maps = fitted(sites(1, sources=2), Kriging(MODEL), ())
    limits = {"precipitation": 0.6, "ground_ice": 0.4}
    chance = maps.exceedance(GRID, above=limits, n_draws=4000)
    total = chance["precipitation"] + chance["ground_ice"]
    np.testing.assert_allclose(total, 1.0, atol=1e-12)
    assert "above 0.6" in chance["precipitation"].attrs["long_name"]
    own = maps.interpolators_["precipitation, ground_ice: precipitation"].grid(GRID)
    z = (own["estimate"] - ilr([0.6, 0.4])[0]) / np.sqrt(own["kriging_variance"])
    np.testing.assert_allclose(chance["precipitation"], norm.cdf(z), atol=1e-3)
    with pytest.raises(InputError, match="one for each of"):
        maps.exceedance(GRID, above={"ice": 0.5})
    with pytest.raises(InputError, match="from 0 to 1"):
        maps.exceedance(GRID, above=1.5)


def test_the_simulated_mean_comes_close_to_the_integrated_one() -> None:
    data = sites(1, sources=4)
    exact = fitted(data, Kriging(MODEL)).grid(GRID, elevation=HEIGHT)
    drawn = fitted(
        data, Kriging(MODEL), back_transform="simulation", n_draws=5000
    ).grid(GRID, elevation=HEIGHT)
    centre = fitted(data, Kriging(MODEL), back_transform="centre").grid(
        GRID, elevation=HEIGHT
    )
    for name in data.raw:
        np.testing.assert_allclose(drawn[name], exact[name], atol=2e-3)
        np.testing.assert_allclose(drawn[f"{name}_sd"], exact[f"{name}_sd"], atol=3e-3)
    assert np.abs(centre["snow"] - exact["snow"]).max() > 0.005
    assert "quadrature" in str(exact.attrs["fractions"])
    assert "5000 draws" in str(drawn.attrs["fractions"])
    assert "geometric centre" in str(centre.attrs["fractions"])


def test_five_sources_are_averaged_over_draws_and_say_so() -> None:
    rng = np.random.default_rng(0)
    raw = pd.DataFrame(rng.dirichlet(np.full(5, 3.0), 30), columns=list("abcde"))
    data = SiteFractions(rng.uniform(0, 10_000, (30, 2)), raw)
    maps = fitted(data, Kriging(MODEL), (), n_draws=300, seed=5)
    surface = maps.grid(GRID)
    check_composition(stack(surface, list("abcde")))
    assert "300 draws, seed 5" in str(surface.attrs["fractions"])
    xr.testing.assert_identical(surface, maps.grid(GRID))


def test_presence_is_kriged_where_no_rule_is_known() -> None:
    data = sites(7, n=80)
    maps = fitted(data, Kriging(MODEL), (), presence="indicator")
    surface = maps.grid(GRID)
    check_composition(stack(surface))
    indicator = (data.raw["snow"] > 0).astype(float)
    expected = Kriging(MODEL).fit(data.points, indicator).grid(GRID)["estimate"]
    chance = surface["snow_presence"]
    np.testing.assert_allclose(chance, np.clip(expected, 0, 1), atol=1e-12)
    there = chance.to_numpy() >= 0.5
    assert there.any()
    assert not there.all()
    np.testing.assert_array_equal(surface["snow"].to_numpy() > 0, there)
    assert "precipitation_presence" not in surface
    cautious = fitted(data, Kriging(MODEL), (), presence="indicator", threshold=0.9)
    fewer = cautious.grid(GRID)["snow"].to_numpy() > 0
    assert fewer.sum() < there.sum()
    own = fitted(
        data,
        Kriging(MODEL),
        (),
        presence="indicator",
        presence_interpolator=InverseDistance(),
    ).grid(GRID)["snow_presence"]
    near = InverseDistance().fit(data.points, indicator).grid(GRID)["estimate"]
    np.testing.assert_allclose(own, near, atol=1e-12)


def test_rule_and_indicator_both_exclude() -> None:
    data = sites(7, n=80)
    raw = data.raw.copy()
    north = np.asarray(data.points)[:, 1] > 7_000
    raw.loc[north, "ground_ice"] = 0.0
    raw = pd.DataFrame(closure(raw), columns=SOURCES)
    maps = fitted(
        SiteFractions(data.points, raw, data.elevation),
        Kriging(MODEL),
        presence="indicator",
    )
    surface = maps.grid(GRID, elevation=HEIGHT)
    check_composition(stack(surface))
    low = HEIGHT.to_numpy() < 4000.0
    assert (surface["snow"].to_numpy()[low] == 0).all()
    assert "snow_presence" not in surface
    assert (surface["ground_ice"].to_numpy()[0] == 0).any()
    # Where rain alone is left it is certain.
    alone = low & (surface["ground_ice"].to_numpy() == 0)
    assert alone.any()
    assert (surface["precipitation"].to_numpy()[alone] == 1.0).all()
    assert (surface["precipitation_sd"].to_numpy()[alone] == 0.0).all()


def test_a_domain_with_two_places_has_no_map_but_a_reason() -> None:
    data = sites(2)
    high = np.flatnonzero(np.asarray(data.elevation) >= 4000.0)
    keep = np.asarray(data.elevation) < 4000.0
    keep[high[:3]] = True
    part = data.part(keep, SOURCES)
    xy = np.asarray(part.points)
    last = np.flatnonzero(part.raw["snow"] > 0)
    xy[last[1]] = xy[last[0]]  # three samples, two places
    maps = fitted(part, Kriging(MODEL))
    surface = maps.grid(GRID, elevation=HEIGHT)
    cells = HEIGHT.to_numpy() >= 4000.0
    assert np.isnan(stack(surface)[cells]).all()
    check_composition(stack(surface)[~cells])
    table = maps.domains_.set_index("sources")
    three = "precipitation, ground_ice, snow"
    assert table.loc[three, "reason"] == "2 sites with these sources, 3 are needed"
    assert table.loc[three, "n_cells"] == cells.sum()
    assert table.loc[three, "n_sites"] == 3
    assert table.loc["precipitation, ground_ice", "reason"] == ""
    assert np.isnan(
        maps.quantiles(GRID, elevation=HEIGHT)["snow"].to_numpy()[:, cells]
    ).all()


def test_a_blend_falls_back_on_the_domain_that_has_an_answer() -> None:
    data = sites(2)
    low = np.flatnonzero(np.asarray(data.elevation) < 4000.0)
    keep = np.asarray(data.elevation) >= 4000.0
    keep[low[:2]] = True
    part = data.part(keep, SOURCES)
    options = {"sites": "own", "back_transform": "centre"}
    soft = fitted(part, Kriging(MODEL), blend=500.0, **options)
    hard = fitted(part, Kriging(MODEL), **options)
    surface = soft.grid(GRID, elevation=HEIGHT)
    xr.testing.assert_allclose(surface, hard.grid(GRID, elevation=HEIGHT), atol=1e-12)
    assert np.isnan(stack(surface)[HEIGHT.to_numpy() < 4000.0]).all()


def test_missing_heights_and_far_cells_have_no_answer() -> None:
    data = sites(2)
    holes = HEIGHT.where(HEIGHT["x"] > 3_000)
    near = Kriging(MODEL, max_distance=2_500.0)
    surface = fitted(data, near).grid(GRID, elevation=holes)
    values = stack(surface)
    empty = np.isnan(values).any(axis=-1)
    np.testing.assert_array_equal(empty, np.isnan(values).all(axis=-1))
    assert empty[:, :3].all()
    assert empty[:, 3:].any()
    check_composition(values[~empty])


def test_sites_without_a_fraction_or_a_needed_height_are_dropped() -> None:
    data = sites(2)
    raw, height = data.raw.copy(), np.asarray(data.elevation).copy()
    raw.iloc[0, 0] = np.nan
    height[1] = np.nan
    maps = fitted(SiteFractions(data.points, raw, height), Kriging(MODEL))
    assert maps.n_dropped_ == 2
    assert maps.grid(GRID, elevation=HEIGHT).attrs["n_points"] == len(raw) - 2


def test_map_by_domain_makes_the_same_maps_by_log_ratios() -> None:
    data = sites(5)
    points = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(*np.asarray(data.points).T), crs=32647
    )
    part = SiteFractions(points, data.raw, data.elevation, data.raw * 0 + 0.01)
    options = LogRatioOptions()
    answer = map_by_domain(
        part,
        lambda chosen: (dict.fromkeys(chosen.raw, Kriging(MODEL)), chosen.variance),
        zero_rules=[SNOW_LINE, ZeroRule("river", ("June",))],
        grid=GRID,
        period="June",
        elevation=HEIGHT,
        log_ratios=options,
    )
    expected = fitted(part, Kriging(MODEL)).grid(GRID, elevation=HEIGHT)
    for name in expected:
        np.testing.assert_array_equal(answer.surfaces[name], expected[name])
    two, three = "precipitation, ground_ice", "precipitation, ground_ice, snow"
    assert set(answer.interpolators) == {
        (two, "precipitation"),
        (three, "precipitation"),
        (three, "ground_ice"),
    }
    assert answer.domains["n_cells"].sum() == GRID.shape[0] * GRID.shape[1]


def test_noise_is_filtered_out_of_the_balances() -> None:
    data = sites(5, n=60, sources=2)
    points = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(*np.asarray(data.points).T), crs=32647
    )
    part = SiteFractions(points, data.raw, None, data.raw * 0 + 0.02)
    answer = map_by_domain(
        part,
        lambda chosen: noise_filtered_kriging(chosen, model="exponential"),
        zero_rules=[],
        grid=GRID,
        period="June",
        log_ratios=LogRatioOptions(),
    )
    check_composition(stack(answer.surfaces, SOURCES[:2]))
    own = answer.interpolators["precipitation, ground_ice", "precipitation"]
    assert isinstance(own, Kriging)
    assert own.points_.variance is not None
    assert len(set(own.points_.variance.tolist())) == 1


def test_all_faults_of_the_fractions_are_named_at_once() -> None:
    data = sites(2)
    raw = data.raw.copy()
    low = int(np.flatnonzero(np.asarray(data.elevation) < 4000.0)[0])
    high = np.flatnonzero(np.asarray(data.elevation) >= 4000.0)[:3].tolist()
    raw.iloc[low] = [0.5, 0.3, 0.2]
    raw.iloc[high[0]] = [0.5, 0.5, 0.5]
    raw.iloc[high[1]] = [1.1, 0.1, -0.2]
    raw.iloc[high[2]] = [0.5, 0.5, 0.0]
    with pytest.raises(
        InputError,
        match=rf"1 rows do not sum to 1 \(rows {high[0]}\).*"
        rf"1 rows have parts below 0 \(rows {high[1]}\).*"
        rf"1 rows have a source that a rule excludes \(rows {low}\).*"
        rf"1 rows have zeros that no rule explains .*\(rows {high[2]}\)",
    ):
        fitted(SiteFractions(data.points, raw, data.elevation), Kriging(MODEL))


def test_what_does_not_fit_is_refused() -> None:
    data = sites(2)
    points, raw = np.asarray(data.points), data.raw
    with pytest.raises(InputError, match=r"unknown sources \['ice'\]"):
        fitted(data, Kriging(MODEL), (ZeroRule("ice", ("May",)),))
    with pytest.raises(InputError, match="elevation of sites: snow below 4000"):
        fitted(SiteFractions(points, raw), Kriging(MODEL))
    with pytest.raises(InputError, match="elevation of cells: snow below 4000"):
        fitted(data, Kriging(MODEL)).grid(GRID)
    with pytest.raises(InputError, match=r"balances led by \['ground_ice'\]"):
        fitted(data, {"precipitation": Kriging(MODEL)})
    with pytest.raises(InputError, match="no variance, so there is no mean fraction"):
        fitted(data, InverseDistance())
    with pytest.raises(InputError, match="nothing to draw from"):
        fitted(data, InverseDistance(), back_transform="centre").quantiles(
            GRID, elevation=HEIGHT
        )
    with pytest.raises(InputError, match=r"covariances of shape \(2, 2\)"):
        CompositionInterpolator(Kriging(MODEL), method="ilr").fit(
            points, raw, variance=np.eye(2)
        )
    with pytest.raises(InputError, match=r"no variance of \['snow'\]"):
        CompositionInterpolator(Kriging(MODEL), method="ilr").fit(
            points, raw, variance=raw[SOURCES[:2]]
        )
    with pytest.raises(InputError, match="variances below 0 or missing"):
        fitted(
            SiteFractions(points, raw, data.elevation, raw * 0 - 1.0), Kriging(MODEL)
        )
    with pytest.raises(InputError, match="two columns or more"):
        fitted(
            SiteFractions(points, pd.DataFrame({"rain": [1.0] * 40})),
            Kriging(MODEL),
            (),
        )
    with pytest.raises(InputError, match="replacements of zeros of 1 or more"):
        fitted(
            SiteFractions(
                points, raw.assign(snow=0.0, ground_ice=0.0, precipitation=1.0)
            ),
            Kriging(MODEL),
            (),
            delta=0.6,
        )


def test_the_period_of_the_fit_chooses_the_rules() -> None:
    data = sites(2)
    maps = fitted(data, Kriging(MODEL))
    with pytest.raises(
        InputError, match="The fractions are of June, the map is of May"
    ):
        maps.grid(GRID, period="May", elevation=HEIGHT)
    with pytest.raises(InputError, match="no period is given"):
        CompositionInterpolator(Kriging(MODEL), [SNOW_LINE], method="ilr").fit(
            data.points, data.raw, elevation=data.elevation
        )
    closed = CompositionInterpolator(Kriging(MODEL), [SNOW_LINE])
    closed.fit(data.points, data.raw)
    with pytest.raises(InputError, match="Name the period"):
        closed.grid(GRID, elevation=HEIGHT)
    named = CompositionInterpolator(Kriging(MODEL), [SNOW_LINE])
    named.fit(data.points, data.raw, period="June")
    xr.testing.assert_identical(
        named.grid(GRID, elevation=HEIGHT),
        closed.grid(GRID, period="June", elevation=HEIGHT),
    )


def test_settings_that_cannot_be_are_refused_at_once() -> None:
    with pytest.raises(
        InputError,
        match=r"back_transform 'median', sites 'all', presence 'map', threshold 0, "
        r"blend -1, n_draws 1, delta 2 of all sources",
    ):
        LogRatioOptions(
            back_transform="median",  # type: ignore[arg-type]
            sites="all",  # type: ignore[arg-type]
            presence="map",  # type: ignore[arg-type]
            threshold=0,
            blend=-1,
            n_draws=1,
            delta=2,
        )
    with pytest.raises(InputError, match=r"delta 0\.0 of snow"):
        LogRatioOptions(delta={"snow": 0.0})
    with pytest.raises(InputError, match="Unknown method 'alr'"):
        CompositionInterpolator(Kriging(MODEL), method="alr")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="are for method='ilr'"):
        CompositionInterpolator(Kriging(MODEL), log_ratios=LogRatioOptions())
    data = sites(2)
    closed = CompositionInterpolator(Kriging(MODEL)).fit(data.points, data.raw)
    for call in (
        lambda: closed.quantiles(GRID),
        lambda: closed.exceedance(GRID, above=0.5),
    ):
        with pytest.raises(InputError, match="Use method='ilr'"):
            call()
    with pytest.raises(InputError, match="Covariances are for method='ilr'"):
        CompositionInterpolator(Kriging(MODEL)).fit(
            data.points, data.raw, variance=np.zeros((40, 3, 3))
        )
    maps = fitted(data, Kriging(MODEL))
    with pytest.raises(InputError, match="Invalid quantiles"):
        maps.quantiles(GRID, elevation=HEIGHT, q=[1.5])
    with pytest.raises(InputError, match="1 draws have no quantiles"):
        maps.quantiles(GRID, elevation=HEIGHT, n_draws=1)
