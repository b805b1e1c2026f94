"""Kriging by compiled kernels is kriging without them, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.interpolation import kriging_fast, kriging_scaled
from geosoil.interpolation.anisotropy import Anisotropy
from geosoil.interpolation.kriging import Kriging, SingularKrigingError
from geosoil.interpolation.variogram import NestedVariogram, Variogram

TURNED = Anisotropy(30.0, 0.4)
VARIOGRAMS = [
    Variogram("spherical", 0.1, 1.0, 400.0),
    Variogram("exponential", 0.0, 1.0, 300.0, error=0.2),
    Variogram("gaussian", 0.05, 1.0, 150.0),
    Variogram("nugget", 0.7, 0.0, 1.0),
    Variogram("matern", 0.1, 1.0, 200.0, smoothness=1.5),
    Variogram("matern_stein", 0.1, 1.0, 200.0, smoothness=2.5),
    Variogram("matern_gstools", 0.1, 1.0, 200.0, smoothness=0.5),
    Variogram("spherical", 0.1, 1.0, 400.0, anisotropy=TURNED),
    NestedVariogram(
        (
            Variogram("spherical", 0.1, 0.5, 150.0, anisotropy=TURNED),
            Variogram("matern", 0.0, 0.8, 500.0, smoothness=1.5),
            Variogram("nugget", 0.2, 0.0, 9.0),
        )
    ),
]
SETTINGS = [
    {},
    {"drift": "linear"},
    {"mean": 0.3},
    {"outputs": "estimate"},
    {"outputs": "estimate, variance and drift variance", "drift": "quadratic"},
]
NEIGHBORS = [
    {"n_neighbors": 12},
    {"n_neighbors": 12, "max_distance": 200.0, "min_neighbors": 5},
    {"max_distance": 150.0},
    {},
]


@pytest.fixture
def kernels_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the kernels for the smallest work, in parts of a few targets."""
    monkeypatch.setattr(kriging_fast, "use_kernels", lambda *_: True)
    monkeypatch.setattr(kriging_scaled, "use_kernels", lambda *_: True)
    monkeypatch.setattr(kriging_fast, "PART", 60)


def refuse(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(kriging_fast, "use_kernels", lambda *_: False)
    patch.setattr(kriging_scaled, "use_kernels", lambda *_: False)


def both(kriging: Kriging, targets: np.ndarray) -> tuple[xr.Dataset, xr.Dataset]:
    """Answers with kernels and without."""
    fast = kriging.predict(targets)
    with pytest.MonkeyPatch.context() as patch:
        refuse(patch)
        return fast, kriging.predict(targets)


def rows_of_a_map(step: float) -> np.ndarray:
    x, y = np.meshgrid(np.arange(0, 1000, step), np.arange(0, 1000, step))
    return np.column_stack([x.ravel(), y.ravel()])


@pytest.mark.usefixtures("kernels_for_all")
@pytest.mark.parametrize("near", NEIGHBORS, ids=str)
@pytest.mark.parametrize("options", SETTINGS, ids=str)
@pytest.mark.parametrize("variogram", VARIOGRAMS, ids=lambda v: v.model)
def test_kriging_with_kernels_is_kriging_without(
    variogram: Variogram, options: dict[str, object], near: dict[str, object]
) -> None:
    rng = np.random.default_rng(4)
    sites, values = rng.uniform(0, 1000, (60, 2)), 1000.0 + rng.normal(size=60)
    noise = np.where(rng.random(60) < 0.5, 0.3, 0.0)
    targets = np.vstack([rows_of_a_map(90.0), sites[:9], [[np.nan, 0.0], [9e9, 9e9]]])
    kriging = Kriging(variogram, **options, **near)
    fast, plain = both(kriging.fit(sites, values, variance=noise), targets)
    assert fast.attrs == plain.attrs
    assert list(fast) == list(plain)
    for name in plain:
        size = np.nanmax(np.abs(plain[name].to_numpy()[:-1]))
        np.testing.assert_allclose(
            fast[name][:-1], plain[name][:-1], rtol=1e-10, atol=1e-12 * size
        )
    assert np.isnan(fast["estimate"][-2])


@pytest.mark.usefixtures("kernels_for_all")
def test_twenty_neighbours_of_the_meuse_equal_gstat(
    meuse: pd.DataFrame, sites: np.ndarray, gstat: Path
) -> None:
    table = pd.read_csv(gstat / "ok_sph_nmax20_logzinc.csv")
    tied = np.loadtxt(gstat / "ok_sph_nmax20_tie_rows.csv", dtype=int)
    table = table.drop(index=tied)
    kriging = Kriging(Variogram("spherical", 0.05, 0.59, 897.0), n_neighbors=20)
    found = kriging.fit(sites, meuse["log_zinc"]).predict(table[["x", "y"]].to_numpy())
    for name, column in (
        ("estimate", "var1.pred"),
        ("kriging_variance", "var1.var"),
    ):
        np.testing.assert_allclose(found[name], table[column], rtol=0, atol=1e-10)


@pytest.mark.usefixtures("kernels_for_all")
@given(seed=st.integers(0, 10**6), near=st.sampled_from(NEIGHBORS))
@settings(max_examples=15)
def test_where_targets_stand_in_the_list_changes_nothing(
    seed: int, near: dict[str, object]
) -> None:
    rng = np.random.default_rng(seed)
    sites, values = rng.uniform(0, 1000, (50, 2)), rng.normal(size=50)
    kriging = Kriging(VARIOGRAMS[0], **near).fit(sites, values)
    targets = rows_of_a_map(110.0)
    order = rng.permutation(len(targets))
    found, mixed = kriging.predict(targets), kriging.predict(targets[order])
    for name in found:
        a, b = found[name].to_numpy()[order], mixed[name].to_numpy()
        if near:
            np.testing.assert_array_equal(a, b)
        else:
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


@pytest.mark.usefixtures("kernels_for_all")
def test_a_singular_neighbourhood_is_named() -> None:
    xy = np.column_stack([np.arange(30) * 0.01, np.zeros(30)])
    kriging = Kriging(Variogram("gaussian", 0.0, 1.0, 5000.0), n_neighbors=10)
    with pytest.raises(SingularKrigingError, match="gaussian variogram with nugget 0"):
        kriging.fit(xy, np.arange(30)).predict(xy + 1)


@pytest.mark.usefixtures("kernels_for_all")
def test_neighbours_that_cannot_tell_the_drift_are_counted_alike() -> None:
    rng = np.random.default_rng(8)
    line = np.column_stack([np.arange(20) * 50.0, np.zeros(20)])
    sites = np.vstack([line, rng.uniform(0, 1000, (20, 2)) + np.array([0.0, 800.0])])
    kriging = Kriging(VARIOGRAMS[0], n_neighbors=5, drift="linear")
    targets = np.array([[500.0, -300.0], [500.0, 1300.0]])
    fast, plain = both(kriging.fit(sites, rng.normal(size=40)), targets)
    assert fast.attrs["n_singular_drift"] == plain.attrs["n_singular_drift"] == 1
    assert np.isnan(fast["estimate"]).to_numpy().tolist() == [True, False]


def test_models_without_a_kernel_are_left_to_numpy() -> None:
    origin = np.zeros(2)
    for variogram in (
        Variogram("hole", 0.1, 1.0, 300.0),
        Variogram("matern", 0.1, 1.0, 300.0, smoothness=1.1),
        NestedVariogram((VARIOGRAMS[0], Variogram("circular", 0.0, 1.0, 300.0))),
    ):
        assert kriging_scaled.scaled_variogram(variogram, origin) is None


@pytest.mark.usefixtures("kernels_for_all")
@pytest.mark.parametrize("options", [{"block": 50.0}, {"distance": "wgs84"}], ids=str)
def test_blocks_and_the_ellipsoid_are_left_to_numpy(options: dict[str, object]) -> None:
    rng = np.random.default_rng(8)
    sites, values = rng.uniform(30, 31, (40, 2)), rng.normal(size=40)
    variogram = Variogram("exponential", 0.1, 1.0, 50_000.0)
    kriging = Kriging(variogram, n_neighbors=8, **options).fit(sites, values)
    fast, plain = both(kriging, sites + 0.01)
    xr.testing.assert_identical(fast, plain)


def test_small_work_loads_no_compiler() -> None:
    program = """
import sys
import numpy as np
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.variogram import Variogram
xy = np.random.default_rng(0).uniform(0, 1000, (50, 2))
model = Variogram("spherical", 0.1, 1.0, 400.0)
for options in ({}, {"n_neighbors": 8}):
    Kriging(model, **options).fit(xy, xy[:, 0]).predict(xy)
print("numba" in sys.modules)
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
