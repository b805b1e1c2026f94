"""Fractions at points: those of the cells around them, by every method and setting."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation._kernels import close_to_simplex
from geosoil.interpolation.base import Interpolator
from geosoil.interpolation.composition import CompositionInterpolator
from geosoil.interpolation.composition_options import LogRatioOptions
from geosoil.interpolation.composition_places import PointPlaces
from geosoil.interpolation.idw import InverseDistance
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.log_ratios import closure, ilr, inverse_ilr
from geosoil.interpolation.variogram import Variogram
from geosoil.interpolation.zero_rules import ZeroRule

SOURCES = ["rain", "ice", "snow", "river"]
RULES = (ZeroRule("snow", ("June",), below=4000.0), ZeroRule("river", ("August",)))
GRID = Grid.from_bounds((90.0, 33.0, 92.0, 34.0), 0.1, "EPSG:4326")
HEIGHT = GRID.raster(
    np.tile(np.linspace(3025.0, 4975.0, 20), (10, 1)), name="elevation"
)
MODEL = Variogram("spherical", 0.02, 0.3, 90_000.0)


def data(
    seed: int = 3, count: int = 3, *, n: int = 40
) -> tuple[gpd.GeoSeries, pd.DataFrame, np.ndarray]:
    """Sites in degrees, their fractions without snow below 4000 m, their elevation."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(90.0, 92.0, n), rng.uniform(33.0, 34.0, n)
    height = 3000.0 + 1000.0 * (x - 90.0)
    parts = rng.dirichlet([6.0, 3.0, 2.0, 2.0][:count], n)
    parts[height < 4000.0, 2] = 0.0
    raw = pd.DataFrame(closure(parts), columns=SOURCES[:count])
    return gpd.GeoSeries.from_xy(x, y, crs="EPSG:4326"), raw, height


def by_log_ratios(
    interpolator: Interpolator, count: int = 3, **options: object
) -> CompositionInterpolator:
    points, raw, height = data(count=count)
    rules = () if options.get("presence") == "indicator" else RULES[:1]
    maps = CompositionInterpolator(
        interpolator,
        rules,
        method="ilr",
        log_ratios=LogRatioOptions(**options),  # type: ignore[arg-type]
    )
    return maps.fit(points, raw, elevation=height, period="June")


def by_closure(interpolator: Interpolator, **_: object) -> CompositionInterpolator:
    points, raw, _ = data()
    noise = np.random.default_rng(1).normal(scale=0.1, size=len(raw))
    raw = raw.assign(rain=raw["rain"] + noise, ice=raw["ice"] - noise)
    return CompositionInterpolator(interpolator, RULES[:1]).fit(points, raw)


def centres() -> gpd.GeoDataFrame:
    """Return the centres of the cells, row by row, named so."""
    x, y = np.meshgrid(GRID.x, GRID.y)
    points = gpd.points_from_xy(x.ravel(), y.ravel(), crs=GRID.crs)
    return gpd.GeoDataFrame(
        geometry=points, index=[f"cell {number}" for number in range(x.size)]
    )


def check_same(found: xr.Dataset, surface: xr.Dataset) -> None:
    """Raise unless points say what the cells say, attributes and index too."""
    assert list(found) == list(surface)
    assert found.attrs == surface.attrs
    assert found["point"].to_numpy().tolist() == centres().index.tolist()
    for name in surface:
        assert found[name].dims == ("point",)
        assert found[name].attrs["long_name"] == surface[name].attrs["long_name"]
        np.testing.assert_allclose(
            found[name], surface[name].to_numpy().ravel(), rtol=0, atol=1e-12
        )


def check_composition(found: xr.Dataset, low: np.ndarray, count: int = 3) -> None:
    values = np.stack([found[name].to_numpy() for name in SOURCES[:count]])
    np.testing.assert_allclose(values.sum(axis=0), 1.0, rtol=0, atol=1e-12)
    assert values.min() >= 0.0
    assert (values[2][low] == 0.0).all()
    assert (values[2][~low] > 0.0).any()


@pytest.mark.parametrize(
    "interpolator",
    [InverseDistance(), Kriging(MODEL), Kriging(MODEL, n_neighbors=6)],
    ids=["idw", "kriging", "local"],
)
def test_points_at_the_centres_have_the_closed_fractions_of_the_cells(
    interpolator: Interpolator,
) -> None:
    maps = by_closure(interpolator)
    height = HEIGHT.to_numpy().ravel()
    found = maps.predict(centres(), period="June", elevation=height)
    check_same(found, maps.grid(GRID, period="June", elevation=HEIGHT))
    check_composition(found, height < 4000.0)
    check_same(
        maps.predict(centres(), period="August"), maps.grid(GRID, period="August")
    )


@pytest.mark.parametrize("sites", ["coherent", "own"])
@pytest.mark.parametrize("blend", [0.0, 300.0])
@pytest.mark.parametrize(
    ("back", "interpolator"),
    [
        ("mean", Kriging(MODEL)),
        ("mean", Kriging(MODEL, n_neighbors=6)),
        ("simulation", Kriging(MODEL)),
        ("centre", InverseDistance()),
    ],
    ids=["mean", "local", "simulation", "centre"],
)
def test_points_at_the_centres_have_the_fractions_by_log_ratios_of_the_cells(
    back: str, interpolator: Interpolator, blend: float, sites: str
) -> None:
    maps = by_log_ratios(
        interpolator, back_transform=back, blend=blend, sites=sites, n_draws=60
    )
    height = HEIGHT.to_numpy().ravel()
    found = maps.predict(centres(), elevation=height)
    told = maps.domains_
    check_same(found, maps.grid(GRID, elevation=HEIGHT))
    check_composition(found, height < 4000.0)
    assert ("snow_sd" in found) == (back != "centre")
    renamed = maps.domains_.rename(columns={"n_cells": "n_points"})
    pd.testing.assert_frame_equal(told, renamed)
    assert told["n_points"].sum() == len(height)


def test_points_at_the_centres_have_the_presence_of_the_cells() -> None:
    maps = by_log_ratios(Kriging(MODEL), presence="indicator", count=4)
    found = maps.predict(centres())
    check_same(found, maps.grid(GRID))
    assert "snow_presence" in found
    absent = found["snow_presence"].to_numpy() < 0.5
    assert absent.any()
    check_composition(found, absent, 4)


def test_fractions_at_points_are_those_of_their_interpolators() -> None:
    rng = np.random.default_rng(9)
    x, y = rng.uniform(90.0, 92.0, 30), rng.uniform(33.0, 34.0, 30)
    targets = gpd.GeoSeries.from_xy(x, y, crs="EPSG:4326")
    height = 3000.0 + 1000.0 * (x - 90.0)
    low = height < 4000.0
    points, raw, heights = data()
    maps = by_log_ratios(Kriging(MODEL), back_transform="centre")
    found = maps.predict(targets, elevation=height)
    for where, names in ((low, SOURCES[:2]), (~low, SOURCES[:3])):
        speak = heights >= 4000.0 if len(names) == 3 else heights > 0
        balances = ilr(closure(raw.loc[speak, names].to_numpy()))
        kriged = [
            Kriging(MODEL).fit(points[speak], own).predict(targets[where])["estimate"]
            for own in balances.T
        ]
        expected = inverse_ilr(np.stack(kriged, axis=-1))
        for column, name in enumerate(names):
            np.testing.assert_allclose(
                found[name].to_numpy()[where], expected[:, column], rtol=0, atol=1e-12
            )
    closed = by_closure(Kriging(MODEL))
    found = closed.predict(targets, period="June", elevation=height)
    own = [closed.interpolators_[name].predict(targets) for name in SOURCES[:3]]
    surfaces = np.stack([each["estimate"] for each in own], axis=-1)
    allowed = np.stack([np.ones(30, bool), np.ones(30, bool), ~low], axis=-1)
    for column, name in enumerate(SOURCES[:3]):
        expected = close_to_simplex(surfaces, allowed=allowed)[:, column]
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=1e-12)
        spread = np.where(allowed[:, column], own[column]["kriging_variance"], 0.0)
        np.testing.assert_allclose(found[f"{name}_sd"] ** 2, spread, rtol=0, atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(
    order=st.lists(st.integers(0, 199), min_size=1, max_size=12),
    method=st.sampled_from([by_closure, by_log_ratios]),
)
def test_a_point_is_told_the_same_alone_and_among_others(
    order: list[int], method: Callable[..., CompositionInterpolator]
) -> None:
    maps = method(InverseDistance(), back_transform="centre")
    points, height = centres(), HEIGHT.to_numpy().ravel()
    every = maps.predict(points, period="June", elevation=height)
    some = maps.predict(points.iloc[order], period="June", elevation=height[order])
    for name in SOURCES[:3]:
        np.testing.assert_allclose(
            some[name], every[name].to_numpy()[order], rtol=0, atol=1e-12
        )


@pytest.mark.parametrize("method", [by_closure, by_log_ratios])
def test_points_without_a_needed_elevation_or_a_place_have_no_answer(
    method: Callable[..., CompositionInterpolator],
) -> None:
    maps = method(Kriging(MODEL))
    points, height = centres().iloc[:40], HEIGHT.to_numpy().ravel()[:40].copy()
    height[[2, 25]] = np.nan
    found = maps.predict(points, period="June", elevation=height)
    for name in [*SOURCES[:3], *(f"{name}_sd" for name in SOURCES[:3])]:
        assert np.flatnonzero(np.isnan(found[name])).tolist() == [2, 25]
    rest = np.isfinite(found["rain"].to_numpy())
    check_composition(found.isel(point=rest), height[rest] < 4000.0)
    lost = gpd.GeoSeries(gpd.points_from_xy([np.nan, 91.55], [33.5, 33.5]), crs=4326)
    found = maps.predict(lost, period="June", elevation=[4500.0, 4500.0])
    assert np.isnan(found["snow"]).to_numpy().tolist() == [True, False]
    none = maps.predict(lost[:0], period="June", elevation=[])
    assert dict(none.sizes) == {"point": 0}


def test_no_elevation_is_needed_where_no_rule_has_a_limit() -> None:
    points, raw, _ = data(count=4)
    maps = CompositionInterpolator(InverseDistance(), RULES).fit(points, raw)
    unknown = np.full(len(centres()), np.nan)
    found = maps.predict(centres(), period="August", elevation=unknown)
    xr.testing.assert_identical(found, maps.predict(centres(), period="August"))
    assert (found["river"] == 0.0).all()
    assert np.isfinite(found["snow"]).all()


def test_bare_metres_are_numbered_and_honour_the_sites() -> None:
    rng = np.random.default_rng(5)
    xy, parts = rng.uniform(0, 9e4, (12, 2)), rng.dirichlet([4.0, 2.0, 3.0], 12)
    raw = pd.DataFrame(parts, columns=SOURCES[:3])
    for method in ("closure", "ilr"):
        maps = CompositionInterpolator(Kriging(MODEL), method=method).fit(xy, raw)
        found = maps.predict(xy[3:5])
        assert found["point"].to_numpy().tolist() == [0, 1]
        for name in SOURCES[:3]:
            np.testing.assert_allclose(found[name], raw[name][3:5], atol=1e-9)
            np.testing.assert_allclose(found[f"{name}_sd"], 0.0, atol=1e-6)


def test_what_cannot_be_told_at_points_is_refused() -> None:
    points, raw, height = data()
    maps = CompositionInterpolator(InverseDistance(), RULES[:1])
    with pytest.raises(InputError, match="is not fitted"):
        maps.predict(points, period="June")
    maps.fit(points, raw)
    with pytest.raises(InputError, match="Name the period"):
        maps.predict(points)
    with pytest.raises(InputError, match="rules need elevation: snow below 4000"):
        maps.predict(points, period="June")
    with pytest.raises(InputError, match=r"40 points, but elevations of shape \(39,\)"):
        maps.predict(points, period="June", elevation=height[1:])
    with pytest.raises(InputError, match=r"shape \(3,\)"):
        PointPlaces.of([1.0, 2.0, 3.0], None)
    ratios = by_log_ratios(Kriging(MODEL))
    with pytest.raises(InputError, match="need the elevation of points: snow below"):
        ratios.predict(points)
    with pytest.raises(InputError, match="are of June, the map is of August"):
        ratios.predict(points, period="August", elevation=height)
    bare = CompositionInterpolator(Kriging(MODEL), method="ilr")
    bare.fit(height[:, None] * [1.0, 2.0], raw[SOURCES[:2]].pipe(closure_of))
    with pytest.raises(InputError, match="metres, these points have a CRS"):
        bare.predict(points)
    nothing = [ZeroRule(source, ("June",)) for source in SOURCES[:3]]
    with pytest.raises(InputError, match="leave no source in 40 points"):
        CompositionInterpolator(InverseDistance(), nothing).fit(points, raw).predict(
            points, period="June"
        )


def closure_of(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(closure(table.to_numpy()), columns=table.columns)


def test_a_missing_variance_and_blocks_of_cells_are_named() -> None:
    with pytest.raises(InputError, match=r"balance of 'rain' .* has no variance"):
        by_log_ratios(InverseDistance())
    blocks = by_log_ratios(Kriging(MODEL, block="cell"))
    points, _, height = data()
    with pytest.raises(InputError, match="Block 'cell' is that of a grid"):
        blocks.predict(points, elevation=height)
    with pytest.raises(InputError, match="Block 'cell' is that of a grid"):
        by_closure(Kriging(MODEL, block="cell")).predict(
            points, period="June", elevation=height
        )


def test_a_variance_that_is_missing_at_points_alone_is_named() -> None:
    maps = by_log_ratios(SilentOnce(MODEL))
    with pytest.raises(InputError, match=r"balance of 'rain' .* has no variance"):
        maps.predict(centres(), elevation=HEIGHT.to_numpy().ravel())


class SilentOnce(Kriging):
    """Krige without a variance, and refuse the lone place that a fit asks of."""

    def __init__(self, variogram: Variogram) -> None:
        super().__init__(variogram, outputs="estimate")

    def predict(self, points: gpd.GeoDataFrame) -> xr.Dataset:  # type: ignore[override]
        if len(points) == 1:
            message = "Tells many places alone."
            raise InputError(message)
        return super().predict(points)
