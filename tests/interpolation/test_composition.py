"""Fraction surfaces: sums of one, zero rules, the projection onto the simplex."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import optimize

from geosoil.errors import GridMismatchError, InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation._kernels import close_to_simplex
from geosoil.interpolation.composition import CompositionInterpolator, ZeroRule
from geosoil.interpolation.idw import InverseDistance
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.variogram import Variogram

SOURCES = ("precipitation", "ground_ice", "snowmelt")
GRID = Grid.from_bounds((90, 32, 101, 36), 0.25, "EPSG:4326")
SNOW_LINE = ZeroRule("snowmelt", ("June",), below=4000.0)
NO_SNOW = ZeroRule("snowmelt", ("August", "September"))
SMOOTH = Variogram("exponential", 0.01, 0.05, 150_000.0)


@pytest.fixture(scope="module")
def samples() -> tuple[gpd.GeoSeries, pd.DataFrame]:
    """Raw fractions, many of them outside 0 to 1, that sum to 1."""
    rng = np.random.default_rng(11)
    lon, lat = rng.uniform(90, 101, 60), rng.uniform(32, 36, 60)
    raw = rng.dirichlet([4, 2, 0.4], 60) + rng.normal(scale=0.15, size=(60, 3))
    raw[:, 0] = 1 - raw[:, 1:].sum(axis=1)
    points = gpd.GeoSeries.from_xy(lon, lat, crs="EPSG:4326")
    return points, pd.DataFrame(raw, columns=list(SOURCES))


@pytest.fixture(scope="module")
def elevation() -> xr.DataArray:
    x, y = np.meshgrid(GRID.x, GRID.y)
    return GRID.raster(4000 + 800 * np.sin(x) * np.cos(2 * y), name="elevation")


def check_possible(surface: xr.Dataset, sources: tuple[str, ...] = SOURCES) -> None:
    stack = np.stack([surface[source].to_numpy() for source in sources])
    np.testing.assert_allclose(stack.sum(axis=0), 1.0, rtol=0, atol=1e-12)
    assert stack.min() >= 0
    assert stack.max() <= 1


@pytest.mark.parametrize(
    "interpolator",
    [
        InverseDistance(),
        Kriging(SMOOTH),
        Kriging("spherical"),
        Kriging(SMOOTH, n_neighbors=8),
        {source: InverseDistance(k) for k, source in enumerate(SOURCES, 1)},
    ],
    ids=["idw", "kriging", "fitted", "local", "own"],
)
def test_every_cell_sums_to_one_and_keeps_its_zeros(
    samples: tuple[gpd.GeoSeries, pd.DataFrame],
    elevation: xr.DataArray,
    interpolator: InverseDistance,
) -> None:
    maps = CompositionInterpolator(interpolator, (SNOW_LINE, NO_SNOW)).fit(*samples)
    june = maps.grid(GRID, period="June", elevation=elevation)
    check_possible(june)
    below = elevation.to_numpy() < 4000
    assert below.any()
    assert (june["snowmelt"].to_numpy()[below] == 0).all()
    assert (june["snowmelt"].to_numpy()[~below] > 0).any()
    for period in ("August", "September"):
        later = maps.grid(GRID, period=period)
        check_possible(later)
        assert (later["snowmelt"] == 0).all()
    assert Grid.of(june) == GRID


def test_raw_kriging_leaves_the_simplex_and_the_closure_returns_to_it(
    golden: Path,
) -> None:
    table = pd.read_csv(golden / "geo" / "coda" / "raw_fraction_ked_counterexample.csv")
    raw = table[["precipitation", "ground_ice", "snow"]].to_numpy()
    np.testing.assert_allclose(raw.sum(axis=1), 1.0, atol=1e-9)
    assert raw.min() < -0.03
    closed = close_to_simplex(raw)
    assert closed.min() == 0
    np.testing.assert_allclose(closed.sum(axis=1), 1.0, rtol=0, atol=1e-12)
    possible = (raw >= 0).all(axis=1)
    np.testing.assert_allclose(closed[possible], raw[possible], atol=1e-9)


def test_raw_fractions_of_the_samples_are_not_clipped(
    samples: tuple[gpd.GeoSeries, pd.DataFrame],
) -> None:
    points, raw = samples
    assert (raw.to_numpy() < 0).any()
    maps = CompositionInterpolator(Kriging(SMOOTH)).fit(points, raw)
    expected = Kriging(SMOOTH).fit(points, raw["snowmelt"]).grid(GRID)
    own = maps.interpolators_["snowmelt"].grid(GRID)
    xr.testing.assert_identical(own, expected)
    surface = maps.grid(GRID, period="June")
    np.testing.assert_allclose(
        surface["snowmelt_sd"] ** 2, expected["kriging_variance"], atol=1e-12
    )


def test_the_standard_deviation_is_zero_where_a_rule_holds(
    samples: tuple[gpd.GeoSeries, pd.DataFrame], elevation: xr.DataArray
) -> None:
    maps = CompositionInterpolator(Kriging(SMOOTH), [SNOW_LINE]).fit(*samples)
    june = maps.grid(GRID, period="June", elevation=elevation)
    below = elevation.to_numpy() < 4000
    assert (june["snowmelt_sd"].to_numpy()[below] == 0).all()
    assert (june["snowmelt_sd"].to_numpy()[~below] > 0).all()
    assert "snowmelt_sd" not in CompositionInterpolator(InverseDistance()).fit(
        *samples
    ).grid(GRID, period="June")


def test_attributes_name_the_method_and_the_rules(
    samples: tuple[gpd.GeoSeries, pd.DataFrame], elevation: xr.DataArray
) -> None:
    points, raw = samples
    raw = raw.copy()
    raw.iloc[4, 1] = np.nan
    maps = CompositionInterpolator(InverseDistance(), (SNOW_LINE, NO_SNOW))
    surface = maps.fit(points, raw).grid(GRID, period="June", elevation=elevation)
    assert surface.attrs["method"] == "closure"
    assert surface.attrs["interpolation"] == "inverse distance weighting"
    assert surface.attrs["zero_rules"] == "snowmelt below 4000 m in June"
    assert surface.attrs["n_points"] == 59
    assert maps.n_dropped_ == 1
    later = maps.grid(GRID, period="August")
    assert later.attrs["zero_rules"] == "snowmelt everywhere in August, September"
    assert surface["snowmelt"].attrs["units"] == "1"


def test_unknown_elevation_gives_no_answer_only_where_a_rule_needs_it(
    samples: tuple[gpd.GeoSeries, pd.DataFrame], elevation: xr.DataArray
) -> None:
    holes = elevation.where(elevation["x"] > 91)
    maps = CompositionInterpolator(InverseDistance(), (SNOW_LINE,)).fit(*samples)
    june = maps.grid(GRID, period="June", elevation=holes)
    unknown = np.isnan(holes.to_numpy())
    for source in SOURCES:
        np.testing.assert_array_equal(np.isnan(june[source]), unknown)
    assert np.isfinite(
        maps.grid(GRID, period="August", elevation=holes)["snowmelt"]
    ).all()


def test_cells_far_from_all_data_have_no_answer(
    samples: tuple[gpd.GeoSeries, pd.DataFrame],
) -> None:
    local = InverseDistance(max_distance=30_000.0)
    surface = CompositionInterpolator(local).fit(*samples).grid(GRID, period="June")
    empty = np.isnan(surface["snowmelt"].to_numpy())
    assert empty.any()
    for source in SOURCES:
        np.testing.assert_array_equal(np.isnan(surface[source]), empty)


def test_zero_rules_are_half_open_and_take_one_period_as_a_name() -> None:
    heights = np.array([3999.9, 4000.0, 4999.9, 5000.0])
    rule = ZeroRule("snowmelt", "June", below=4000.0, above=5000.0)  # type: ignore[arg-type]
    assert rule.period == ("June",)
    assert rule.zero(heights).tolist() == [True, False, False, True]
    assert str(rule) == "snowmelt below 4000 m or above 5000 m in June"
    assert ZeroRule("snowmelt", ("June",)).zero(heights).all()


def test_compositions_that_cannot_be_are_refused(
    samples: tuple[gpd.GeoSeries, pd.DataFrame], elevation: xr.DataArray
) -> None:
    points, raw = samples
    maps = CompositionInterpolator(InverseDistance(), [SNOW_LINE])
    with pytest.raises(InputError, match="is not fitted"):
        maps.grid(GRID, period="June")
    with pytest.raises(InputError, match=r"60 rows do not sum to 1.*unknown.*snowmelt"):
        maps.fit(points, raw[["precipitation", "ground_ice"]])
    with pytest.raises(InputError, match=r"no interpolator for \['ground_ice', 'snow"):
        CompositionInterpolator({"precipitation": InverseDistance()}).fit(points, raw)
    with pytest.raises(InputError, match="rules need elevation: snowmelt below 4000"):
        maps.fit(points, raw).grid(GRID, period="June")
    with pytest.raises(GridMismatchError, match="elevation and fractions"):
        maps.grid(GRID, period="June", elevation=elevation[1:])
    nothing = [ZeroRule(source, ("June",)) for source in SOURCES]
    with pytest.raises(InputError, match="leave no source in 704 cells"):
        CompositionInterpolator(InverseDistance(), nothing).fit(points, raw).grid(
            GRID, period="June"
        )
    with pytest.raises(InputError, match="Invalid zero rule for 'snowmelt'"):
        ZeroRule("snowmelt", ())
    with pytest.raises(InputError, match="below nan"):
        ZeroRule("snowmelt", ("June",), below=np.nan)


numbers = st.floats(-3, 3, allow_subnormal=False)


@given(arrays(np.float64, (5, 3), elements=numbers))
@settings(max_examples=60, deadline=None)
def test_the_projection_is_possible_idempotent_and_nearest(values: np.ndarray) -> None:
    closed = close_to_simplex(values)
    np.testing.assert_allclose(closed.sum(axis=1), 1.0, rtol=0, atol=1e-12)
    assert ((closed >= 0) & (closed <= 1)).all()
    np.testing.assert_allclose(close_to_simplex(closed), closed, atol=1e-15)
    rivals = np.random.default_rng(0).dirichlet([0.5] * 3, 300)
    own = ((closed - values) ** 2).sum(axis=1)
    others = ((rivals[:, None] - values[None]) ** 2).sum(axis=2)
    assert (own[None] <= others + 1e-12).all()


def test_the_projection_equals_constrained_least_squares() -> None:
    rng = np.random.default_rng(4)
    for values in rng.normal(scale=1.5, size=(20, 4)):
        solved = optimize.minimize(
            lambda x, v=values: ((x - v) ** 2).sum(),
            np.full(4, 0.25),
            bounds=[(0, 1)] * 4,
            constraints={"type": "eq", "fun": lambda x: x.sum() - 1},
            method="SLSQP",
            options={"ftol": 1e-14},
        )
        np.testing.assert_allclose(close_to_simplex(values), solved.x, atol=1e-6)


@given(
    arrays(np.float64, (6, 4), elements=numbers),
    arrays(np.bool_, (6, 4), elements=st.booleans()),
)
@settings(max_examples=60, deadline=None)
def test_parts_not_allowed_are_zero_and_the_rest_is_projected_alone(
    values: np.ndarray, allowed: np.ndarray
) -> None:
    closed = close_to_simplex(values, allowed=allowed)
    for row, vector, free in zip(closed, values, allowed, strict=True):
        if not free.any():
            assert np.isnan(row).all()
            continue
        assert (row[~free] == 0).all()
        np.testing.assert_allclose(
            row[free], close_to_simplex(vector[free]), atol=1e-14
        )


def test_a_missing_part_makes_the_whole_missing() -> None:
    closed = close_to_simplex([[0.2, np.nan, 0.8], [0.2, 0.0, 0.8]])
    assert np.isnan(closed[0]).all()
    np.testing.assert_allclose(closed[1], [0.2, 0.0, 0.8], atol=1e-15)
