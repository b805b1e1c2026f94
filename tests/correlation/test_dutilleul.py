"""Dutilleul's test against SpatialPack, GRASS, whole matrices and simulation."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, stats

from geosoil.correlation.dutilleul import MOST_POINTS, dutilleul_test
from geosoil.correlation.significance import p_value
from geosoil.errors import InputError, MissingCRSError

Points = np.ndarray


@pytest.fixture(scope="module")
def meuse(golden: Path) -> pd.DataFrame:
    table = pd.read_csv(golden / "geo" / "gstat_meuse" / "meuse.csv")
    return table.assign(logzinc=np.log(table["zinc"]))


@pytest.mark.parametrize(
    ("case", "pair", "n_classes"),
    [
        ("meuse_logzinc_dist", ("logzinc", "dist"), 13),
        ("meuse_logzinc_elev", ("logzinc", "elev"), 13),
        ("meuse_logzinc_elev_nclassNULL", ("logzinc", "elev"), "sturges"),
        ("meuse_zinc_copper_c20", ("zinc", "copper"), 20),
    ],
)
def test_meuse_equals_spatialpack(
    meuse: pd.DataFrame,
    golden: Path,
    case: str,
    pair: tuple[str, str],
    n_classes: int | str,
) -> None:
    table = pd.read_csv(golden / "geo" / "dutilleul" / "dutilleul_spatialpack.csv")
    row = table.set_index("case").loc[case]
    found = dutilleul_test(
        *(meuse[name] for name in pair), meuse[["x", "y"]], n_classes=n_classes
    )
    assert (found.n, len(found.class_upper)) == (row["n"], row["nclass"])
    assert found.r == pytest.approx(row["corr"], abs=1e-12)
    assert found.n_effective == pytest.approx(row["ESS"], rel=1e-12)
    assert found.degrees_of_freedom == pytest.approx(row["dof"], rel=1e-12)
    scaled = found.f_statistic / found.degrees_of_freedom
    assert scaled == pytest.approx(row["Fstat_scaled"], rel=1e-12)
    assert found.p_value == pytest.approx(row["p"], rel=1e-10, abs=1e-12)
    assert found.reason == ""


def test_meuse_correlograms_equal_spatialpack(
    meuse: pd.DataFrame, golden: Path
) -> None:
    expected = pd.read_csv(
        golden / "geo" / "dutilleul" / "dutilleul_moran_meuse_logzinc_dist.csv"
    )
    found = dutilleul_test(meuse["logzinc"], meuse["dist"], meuse[["x", "y"]])
    np.testing.assert_allclose(found.class_upper, expected["upper"], rtol=1e-13)
    np.testing.assert_array_equal(found.class_pairs, expected["card"])
    np.testing.assert_allclose(found.moran_x, expected["moran_x"], rtol=0, atol=1e-13)
    np.testing.assert_allclose(found.moran_y, expected["moran_y"], rtol=0, atol=1e-13)


def test_r_of_two_layers_with_gaps_equals_grass(golden: Path) -> None:
    lines = (golden / "geo" / "grass" / "r_covar_regression.txt").read_text()
    with rasterio.open(
        golden / "geo" / "raster_corr" / "layers_t7_sm_ndvi.tif"
    ) as source:
        x, y = source.read(masked=True).filled(np.nan)
    at = np.argwhere(np.ones(x.shape, bool))
    found = dutilleul_test(x.ravel(), y.ravel(), at)
    assert "N = 116" in lines
    assert found.n == 116
    assert "R=-0.147809" in lines
    assert found.r == pytest.approx(-0.147809, abs=5e-7)


def by_matrices(x: np.ndarray, y: np.ndarray, at: Points, number: int) -> float:
    """Effective number of points with all matrices spelled out."""
    n = len(x)
    distance = np.linalg.norm(at[:, None] - at, axis=2)
    edges = distance.max() * np.arange(1, number + 1) / number
    edges[-1] = distance.max()
    which = np.searchsorted(edges * (1 + 1e-12), distance)
    np.fill_diagonal(which, -1)
    centring = np.eye(n) - 1 / n
    products = []
    for values in (x, y):
        z = values - values.mean()
        matrix = np.eye(n)
        for k in range(number):
            if (which == k).any():
                i, j = np.nonzero(which == k)
                matrix[i, j] = np.mean(z[i] * z[j]) / values.var()
        products.append(centring @ matrix)
    first, second = products
    return 1 + np.trace(first) * np.trace(second) / np.trace(first @ second)


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(5, 40), st.integers(1, 20))
def test_sums_over_pairs_equal_the_matrices(seed: int, n: int, number: int) -> None:
    rng = np.random.default_rng(seed)
    at = rng.integers(0, 12, size=(n, 2)).astype(float)
    at[0], at[1] = (0, 0), (12, 12)
    x, y = rng.normal(280, 1, size=(2, n))
    found = dutilleul_test(x, y, at, n_classes=number)
    assert found.n_effective == pytest.approx(by_matrices(x, y, at, number), rel=1e-8)
    assert found.class_pairs.sum() == n * (n - 1) / 2


def test_p_is_that_of_student_with_the_effective_number(meuse: pd.DataFrame) -> None:
    found = dutilleul_test(meuse["logzinc"], meuse["elev"], meuse[["x", "y"]])
    assert found.p_value == pytest.approx(float(p_value(found.r, found.n_effective)))
    tail = stats.f.sf(found.f_statistic, 1, found.degrees_of_freedom)
    assert found.p_value == pytest.approx(tail, rel=1e-9)
    assert found.p_value > float(p_value(found.r, found.n))


@given(st.integers(0, 10**6))
@settings(max_examples=10)
def test_order_units_and_missing_pairs_change_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    at, (x, y) = rng.normal(size=(30, 2)), rng.normal(size=(2, 30))
    base = dutilleul_test(x, y, at)
    order = rng.permutation(30)
    other = dutilleul_test(
        np.append(273.15 + 2 * x[order], [np.nan, 1.0]),
        np.append(-y[order], [1.0, np.inf]),
        np.vstack([100 * at[order], [[0, 0], [np.nan, 5]]]),
    )
    assert other.n == base.n == 30
    assert other.r == pytest.approx(-base.r, abs=1e-12)
    assert other.n_effective == pytest.approx(base.n_effective, rel=1e-6)


def test_degrees_are_measured_on_the_sphere() -> None:
    rng = np.random.default_rng(3)
    east, north = rng.uniform(90, 102, 50), rng.uniform(31, 36, 50)
    x, y = rng.normal(size=(2, 50))
    degrees = gpd.GeoSeries(gpd.points_from_xy(east, north), crs="EPSG:4326")
    metres = degrees.to_crs("+proj=aeqd +lat_0=33.5 +lon_0=96 +R=6371007.181")
    first = dutilleul_test(x, y, degrees)
    second = dutilleul_test(x, y, gpd.GeoDataFrame(geometry=metres))
    assert first.class_upper[-1] == pytest.approx(second.class_upper[-1], rel=0.01)
    assert first.n_effective == pytest.approx(second.n_effective, rel=0.05)
    with pytest.raises(MissingCRSError, match="set_crs"):
        dutilleul_test(x, y, gpd.GeoSeries(gpd.points_from_xy(east, north)))


def test_a_constant_has_no_r_and_says_so() -> None:
    at = np.argwhere(np.ones((4, 4)))
    found = dutilleul_test(np.arange(16.0), np.full(16, 0.1), at)
    assert found.reason == "constant_y"
    assert np.isnan([found.r, found.p_value, found.n_effective]).all()
    assert dutilleul_test(np.full(16, 1.0), at[:, 0], at).reason == "constant_x"


def test_a_variable_with_itself_is_certain() -> None:
    at = np.argwhere(np.ones((5, 5)))
    x = np.random.default_rng(4).normal(size=25)
    found = dutilleul_test(x, x, at)
    assert (found.r, found.p_value) == (1.0, 0.0)


def test_inputs_that_cannot_be_are_refused() -> None:
    at = np.random.default_rng(5).normal(size=(6, 2))
    x = at[:, 0]
    with pytest.raises(InputError, match=r"shapes \(6,\), \(5,\) and \(6,\)"):
        dutilleul_test(x, x[:5], at)
    with pytest.raises(InputError, match=r"shape \(6,\)\. Give x and y"):
        dutilleul_test(x, x, x)
    with pytest.raises(InputError, match="2 valid pairs, at least 4"):
        dutilleul_test(np.where(np.arange(6) < 2, x, np.nan), x, at)
    with pytest.raises(InputError, match="n_classes '0'"):
        dutilleul_test(x, x, at, n_classes=0)
    with pytest.raises(InputError, match="6 points lie on one place"):
        dutilleul_test(x, x, np.ones((6, 2)))
    with pytest.raises(InputError, match="1 of the valid pairs have no place"):
        dutilleul_test(x, x, np.where(at == at[3], np.nan, at))
    many = np.arange(2.0 * (MOST_POINTS + 1)).reshape(-1, 2)
    with pytest.raises(InputError, match=r"Grid\.of\(raster\).* one in 2"):
        dutilleul_test(many[:, 0], many[:, 1], many)


@pytest.mark.slow
def test_p_values_hold_their_level_on_smooth_fields_without_relation() -> None:
    rng = np.random.default_rng(6)
    at = np.argwhere(np.ones((16, 16)))
    plain, modified = [], []
    for _ in range(300):
        x, y = (
            ndimage.gaussian_filter(noise, 2.0, mode="wrap").ravel()
            for noise in rng.normal(size=(2, 16, 16))
        )
        found = dutilleul_test(x, y, at)
        plain.append(float(p_value(found.r, found.n)) < 0.05)
        modified.append(found.p_value < 0.05)
    # The plain test finds a relation in most pairs; the modified one in about 5 %.
    assert np.mean(plain) > 0.4
    assert np.mean(modified) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)
