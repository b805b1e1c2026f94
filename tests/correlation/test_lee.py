"""Lee's L against spdep, a dense weights matrix, and permutations spelled out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, stats

from geosoil.correlation.lee import REASONS, lee_l
from geosoil.errors import InputError

Pair = tuple[xr.DataArray, xr.DataArray]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def chart(values: np.ndarray, name: str | None = None) -> xr.DataArray:
    return xr.DataArray(values, dims=("y", "x"), name=name)


def smooth(seed: int, shape: tuple[int, int] = (12, 14)) -> np.ndarray:
    return ndimage.gaussian_filter(rng(seed).normal(size=shape), 1.5) * 5


def dense_weights(valid: np.ndarray, neighbours: str) -> np.ndarray:
    """Row-standardised contiguity of the valid cells, as a matrix."""
    at = np.argwhere(valid)
    far = np.abs(at[:, None] - at)
    near = far.max(axis=2) if neighbours == "queen" else far.sum(axis=2)
    weights = (near == 1).astype(float)
    return weights / np.maximum(weights.sum(axis=1, keepdims=True), 1)


def direct(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """L of Lee (2001), and its local values, from a matrix."""
    zx, zy = x - x.mean(), y - y.mean()
    scale = np.sqrt((zx @ zx) * (zy @ zy))
    n, sums = len(x), weights.sum(axis=1)
    products = (weights @ zx) * (weights @ zy) / scale
    return n / (sums @ sums) * products.sum(), n * products


@pytest.fixture(scope="module")
def meuse(golden: Path) -> Pair:
    table = pd.read_csv(golden / "geo" / "gstat_meuse" / "meuse.csv")
    at = {name: ("point", table[name].to_numpy(float)) for name in ("x", "y")}
    values = np.log(table["zinc"]), table["dist"]
    first, second = (xr.DataArray(v, dims="point", coords=at) for v in values)
    return first, second


def test_meuse_equals_spdep(meuse: Pair, golden: Path) -> None:
    folder = golden / "geo" / "dutilleul"
    expected = pd.read_csv(folder / "spdep_global.csv")["lee_L"][0]
    assert expected == pytest.approx(-0.484465, abs=1e-6)
    found = lee_l(*meuse, rng=rng(), n_permutations=0, neighbours=6)
    assert float(found.global_l) == pytest.approx(expected, abs=1e-13)
    local = pd.read_csv(folder / "spdep_local.csv")["local_lee"]
    np.testing.assert_allclose(found.local_l, local, rtol=0, atol=1e-13)


def test_l_of_a_variable_with_itself_is_the_smoothness_of_its_pattern(
    meuse: Pair, golden: Path
) -> None:
    # spdep's Moran scatter: mean of (W z)**2 from the same six neighbours.
    knn = pd.read_csv(golden / "geo" / "dutilleul" / "knn6.csv").to_numpy()[:, 1:]
    x = meuse[0].to_numpy()
    z = (x - x.mean()) / x.std()
    found = lee_l(meuse[0], meuse[0], rng=rng(), n_permutations=0, neighbours=6)
    expected = np.mean(z[knn].mean(axis=1) ** 2)
    assert float(found.global_l) == pytest.approx(expected, rel=1e-12)


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from(["queen", "rook"]), st.booleans())
def test_maps_equal_the_matrix(seed: int, neighbours: str, turned: bool) -> None:
    draw = rng(seed)
    x, y = draw.normal(285, 0.2, size=(2, 7, 9))
    x[draw.random(x.shape) < 0.5] = np.nan
    y[draw.random(x.shape) < 0.1] = np.nan
    valid = np.isfinite(x) & np.isfinite(y)
    weights = dense_weights(valid, neighbours)
    first = chart(x).transpose("x", "y") if turned else chart(x)
    found = lee_l(
        first, chart(y), rng=rng(), n_permutations=0, neighbours=neighbours
    ).transpose("y", "x")
    expected, local = direct(x[valid], y[valid], weights)
    lonely = weights.sum(axis=1) == 0
    assert float(found.global_l) == pytest.approx(expected, abs=1e-9)
    own = found.local_l.to_numpy()
    np.testing.assert_allclose(own[valid][~lonely], local[~lonely], atol=1e-9)
    assert np.isnan(own[~valid]).all()
    assert np.isnan(own[valid][lonely]).all()
    codes = found.reason.to_numpy()
    assert (codes[~valid] == REASONS.index("missing")).all()
    assert (codes[valid][lonely] == REASONS.index("no_neighbours")).all()
    assert found.attrs["r"] == pytest.approx(np.corrcoef(x[valid], y[valid])[0, 1])


def test_local_values_average_to_the_global_one() -> None:
    found = lee_l(chart(smooth(1)), chart(smooth(2)), rng=rng(), n_permutations=0)
    assert float(found.local_l.mean()) == pytest.approx(float(found.global_l))
    assert not found.significant.any()
    assert np.isnan(found.q_value).all()


def test_coinciding_places_are_not_their_own_neighbours() -> None:
    at = {"x": ("point", [0.0, 0, 0, 5, 5, 5]), "y": ("point", np.zeros(6))}
    x = xr.DataArray([1.0, 2, 3, 7, 8, 10], dims="point", coords=at)
    found = lee_l(x, x, rng=rng(), n_permutations=0, neighbours=2)
    z = ((x - x.mean()) / x.std()).to_numpy()
    others = [[1, 2], [0, 2], [0, 1], [4, 5], [3, 5], [3, 4]]
    np.testing.assert_allclose(found.local_l, z[others].mean(axis=1) ** 2)


@pytest.mark.slow
def test_p_values_tell_patterns_from_noise() -> None:
    shared = smooth(3, (20, 20))
    found = lee_l(chart(shared), chart(shared + 0.3 * smooth(4, (20, 20))), rng=rng(1))
    assert float(found.global_p_value) == pytest.approx(2 / 1000)
    noise = rng(5).normal(size=(2, 20, 20))
    found = lee_l(chart(noise[0]), chart(noise[1]), rng=rng(1))
    assert float(found.global_p_value) > 0.02


def test_local_p_values_equal_all_possible_draws() -> None:
    # Six places with two neighbours each: every draw of two from five can be listed.
    values = np.array([1.0, 2.5, 2.0, 7.0, 4.0, 9.0])
    other = np.array([2.0, 1.0, 4.0, 6.5, 3.0, 5.0])
    at = {"x": ("point", np.arange(6.0)), "y": ("point", np.zeros(6))}
    x, y = (xr.DataArray(v, dims="point", coords=at) for v in (values, other))
    draws = 20_000
    found = lee_l(x, y, rng=rng(6), n_permutations=draws, neighbours=2)
    zx, zy = stats.zscore(values), stats.zscore(other)
    for i in range(6):
        rest = [j for j in range(6) if j != i]
        products = np.array(
            [
                (zx[a] + zx[b]) / 2 * (zy[a] + zy[b]) / 2
                for a in rest
                for b in rest
                if a < b
            ]
        )
        own = float(found.local_l[i])
        exact = 2 * min(
            np.mean(products >= own - 1e-9), np.mean(products <= own + 1e-9)
        )
        assert float(found.p_value[i]) == pytest.approx(min(exact, 1), abs=0.02)


@pytest.mark.slow
def test_p_values_are_even_on_maps_without_pattern() -> None:
    draw = rng(7)
    p_global, p_local = [], []
    for _ in range(150):
        pair = (chart(values) for values in draw.normal(size=(2, 9, 9)))
        found = lee_l(*pair, rng=draw, n_permutations=199)
        p_global.append(float(found.global_p_value))
        p_local.append(float(found.p_value[4, 4]))
    for p in (p_global, p_local):
        assert stats.kstest(p, "uniform").pvalue > 0.001


def test_the_same_seed_gives_the_same_answer() -> None:
    pair = chart(smooth(8), "soil_moisture"), chart(smooth(9), "ndvi")
    first, second = (lee_l(*pair, rng=rng(3), n_permutations=99) for _ in range(2))
    xr.testing.assert_identical(first, second)
    assert "soil_moisture and ndvi" in first.local_l.attrs["long_name"]


def test_settings_and_maps_that_cannot_be_are_named_together() -> None:
    flat, other = chart(np.full((5, 5), 7.0)), chart(smooth(1, (5, 5)))
    with pytest.raises(InputError, match=r"'bishop'.*negative.*x is 7 everywhere"):
        lee_l(flat, other, rng=rng(), n_permutations=-1, neighbours="bishop")
    with pytest.raises(InputError, match="neighbours is 25, it must be 1 to 24"):
        lee_l(other, other, rng=rng(), neighbours=25)
    at = {"x": ("point", np.arange(5.0)), "y": ("point", np.zeros(5))}
    line = xr.DataArray(np.arange(5.0), dims="point", coords=at)
    with pytest.raises(InputError, match="give the number of nearest places"):
        lee_l(line, line, rng=rng())
    with pytest.raises(InputError, match="3 valid pairs, at least 4"):
        lee_l(line[:3], line[:3], rng=rng(), neighbours=1)
