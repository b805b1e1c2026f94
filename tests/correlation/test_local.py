"""Geographically weighted correlation against direct sums, mgwr and limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geosoil.correlation.local import weighted_correlation
from geosoil.correlation.map_pair import REASONS
from geosoil.errors import GridMismatchError, InputError
from geosoil.grids.grid import Grid

Pair = tuple[xr.DataArray, xr.DataArray]


def points(
    x: np.ndarray, y: np.ndarray, values: np.ndarray, name: str = "v"
) -> xr.DataArray:
    at = {"x": ("point", np.asarray(x, float)), "y": ("point", np.asarray(y, float))}
    return xr.DataArray(np.asarray(values, float), dims="point", coords=at, name=name)


@pytest.fixture(scope="module")
def meuse(golden: Path) -> pd.DataFrame:
    return pd.read_csv(golden / "geo" / "gstat_meuse" / "meuse.csv")


@pytest.fixture(scope="module")
def zinc_and_distance(meuse: pd.DataFrame) -> Pair:
    return (
        points(meuse["x"], meuse["y"], np.log(meuse["zinc"])),
        points(meuse["x"], meuse["y"], meuse["dist"]),
    )


@pytest.mark.parametrize(
    ("column", "options"),
    [
        ("gwr_pearson_bisq_k40", {"bandwidth": 40}),
        (
            "gwr_pearson_gauss500",
            {"bandwidth": 500.0, "adaptive": False, "kernel": "gaussian"},
        ),
        (
            "gwr_spearman_gauss500",
            {
                "bandwidth": 500.0,
                "adaptive": False,
                "kernel": "gaussian",
                "method": "spearman",
            },
        ),
    ],
)
def test_meuse_equals_the_direct_formula(
    zinc_and_distance: Pair, golden: Path, column: str, options: dict[str, object]
) -> None:
    table = pd.read_csv(golden / "geo" / "mgwr_meuse" / "gw_correlation_direct.csv")
    found = weighted_correlation(*zinc_and_distance, **options)
    np.testing.assert_allclose(found.r, table[column], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("file", "options", "tolerance"),
    [
        (
            "gwr_gaussian_fixed500.csv",
            {"bandwidth": 500.0, "adaptive": False, "kernel": "gaussian"},
            1e-10,
        ),
        # mgwr widens an adaptive bandwidth by a ten-millionth.
        ("gwr_bisquare_adaptive60.csv", {"bandwidth": 60}, 1e-6),
    ],
)
def test_r_times_the_ratio_of_spreads_is_the_slope_of_mgwr(
    meuse: pd.DataFrame,
    golden: Path,
    file: str,
    options: dict[str, object],
    tolerance: float,
) -> None:
    slope = pd.read_csv(golden / "geo" / "mgwr_meuse" / file)["b1"]
    x, y = np.sqrt(meuse["dist"].to_numpy()), np.log(meuse["zinc"].to_numpy())
    found = weighted_correlation(
        points(meuse["x"], meuse["y"], x), points(meuse["x"], meuse["y"], y), **options
    )
    at = meuse[["x", "y"]].to_numpy(float)
    distance = np.linalg.norm(at[:, None] - at, axis=2)
    share = distance / found.bandwidth.to_numpy()[:, None]
    if options.get("kernel") == "gaussian":
        weights = np.exp(-0.5 * share**2)
    else:
        weights = np.where(share < 1, (1 - share**2) ** 2, 0)
    spread_x, spread_y = (
        np.array([np.sqrt(np.cov(v, aweights=w, ddof=0)) for w in weights])
        for v in (x, y)
    )
    np.testing.assert_allclose(
        found.r * spread_y / spread_x, slope, rtol=tolerance, atol=0
    )


def test_a_very_wide_bandwidth_gives_the_plain_r(zinc_and_distance: Pair) -> None:
    found = weighted_correlation(
        *zinc_and_distance, bandwidth=1e9, adaptive=False, kernel="gaussian"
    )
    expected = np.corrcoef(*zinc_and_distance)[0, 1]
    np.testing.assert_allclose(found.r, expected, rtol=1e-10)
    np.testing.assert_allclose(found.n_effective, 155, rtol=1e-10)
    assert (found.n == 155).all()


@settings(max_examples=20)
@given(
    st.integers(0, 10**6),
    st.sampled_from(["bisquare", "gaussian"]),
    st.booleans(),
    st.booleans(),
)
def test_maps_equal_a_numpy_loop(
    seed: int, kernel: str, adaptive: bool, turned: bool
) -> None:
    rng = np.random.default_rng(seed)
    u, v = rng.normal(280, 0.1, size=(2, 6, 7))
    u[rng.random(u.shape) < 0.2] = np.nan
    coords = {"y": 500.0 - 100 * np.arange(6), "x": 80.0 * np.arange(7)}
    x, y = (xr.DataArray(a, dims=("y", "x"), coords=coords) for a in (u, v))
    if turned:
        x = x.transpose("x", "y")
    width = 12 if adaptive else 210.0
    found = weighted_correlation(
        x, y, bandwidth=width, kernel=kernel, adaptive=adaptive
    ).transpose("y", "x")
    valid = np.isfinite(u)
    at = np.argwhere(valid) * [100.0, 80.0]
    a, b = u[valid], v[valid]
    assert (found.reason.to_numpy()[~valid] == REASONS.index("all_missing")).all()
    assert np.isnan(found.r.to_numpy()[~valid]).all()
    for k, r in enumerate(found.r.to_numpy()[valid]):
        d = np.linalg.norm(at - at[k], axis=1)
        h = np.sort(d)[width - 1] if adaptive else width
        weights = np.exp(-0.5 * (d / h) ** 2)
        if kernel == "bisquare":
            weights = np.where(d < h, (1 - (d / h) ** 2) ** 2, 0)
        if np.count_nonzero(weights) < 4:
            assert np.isnan(r)
            continue
        c = np.cov(a, b, aweights=weights, ddof=0)
        assert r == pytest.approx(c[0, 1] / np.sqrt(c[0, 0] * c[1, 1]), abs=1e-9)


def test_degrees_become_metres_that_differ_east_and_north() -> None:
    grid = Grid.from_bounds((95, 34.5, 96, 35.5), 0.05, "EPSG:4326")
    rng = np.random.default_rng(1)
    x, y = (grid.raster(values) for values in rng.normal(size=(2, 20, 20)))
    found = weighted_correlation(x, y, bandwidth=5)
    east, north = (
        Geod(ellps="sphere").inv(95.025, 35.025, *there)[2]
        for there in ((95.075, 35.025), (95.025, 35.075))
    )
    assert east < 0.85 * north
    # Inside, the fifth nearest pair, itself counted, is the second one to the north.
    width = float(found.bandwidth.sel(x=95.525, y=35.025, method="nearest"))
    assert width == pytest.approx(north, rel=1e-3)


def test_every_empty_answer_has_its_reason() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 40))
    x[0:8], y[20:28] = 285.15, 0.1
    x[12] = np.nan
    line = np.arange(40.0)
    line[36:] += 1000 * np.arange(1, 5)
    zero = np.zeros(40)
    found = weighted_correlation(
        points(line, zero, x), points(line, zero, y), bandwidth=3.5, adaptive=False
    )
    names = np.array(REASONS)[found.reason.to_numpy()]
    assert list(names[[2, 24, 12, 39, 15]]) == [
        "constant_x",
        "constant_y",
        "all_missing",
        "few",
        "ok",
    ]
    np.testing.assert_array_equal(np.isfinite(found.r), names == "ok")


def test_settings_that_cannot_be_are_named_together(zinc_and_distance: Pair) -> None:
    with pytest.raises(InputError, match=r"'box'.*'kendall'.*bandwidth is 2\.5"):
        weighted_correlation(
            *zinc_and_distance, bandwidth=2.5, kernel="box", method="kendall"
        )
    with pytest.raises(InputError, match=r"5 to the 155 valid"):
        weighted_correlation(*zinc_and_distance, bandwidth=156)
    with pytest.raises(InputError, match="must be above 0"):
        weighted_correlation(*zinc_and_distance, bandwidth=0.0, adaptive=False)


def test_places_must_be_known_and_the_same(zinc_and_distance: Pair) -> None:
    x, y = zinc_and_distance
    bare = x.drop_vars(["x", "y"])
    with pytest.raises(InputError, match="no coordinates x and"):
        weighted_correlation(bare, bare, bandwidth=40)
    with pytest.raises(GridMismatchError):
        weighted_correlation(x, y[:100], bandwidth=40)
    with pytest.raises(GridMismatchError, match="'x'"):
        weighted_correlation(x, y.assign_coords(x=y["x"] + 500), bandwidth=40)
