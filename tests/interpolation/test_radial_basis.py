"""Radial basis functions, against scipy's own and systems written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as asked_of_hypothesis
from hypothesis import strategies as st
from scipy.interpolate import RBFInterpolator
from scipy.spatial.distance import cdist

from geosoil.errors import InputError
from geosoil.interpolation import radial_basis
from geosoil.interpolation.radial_basis import RadialBasis

seeds = st.integers(0, 2**32 - 1)
SETTINGS: list[dict[str, Any]] = [
    {},
    {"smoothing": 0.3},
    {"kernel": "linear"},
    {"kernel": "linear", "degree": 1},
    {"kernel": "cubic"},
    {"kernel": "quintic"},
    {"kernel": "multiquadric", "epsilon": 3e-5},
    {"kernel": "inverse_multiquadric", "epsilon": 3e-5},
    {"kernel": "inverse_quadratic", "epsilon": 2e-5, "degree": -1},
    {"kernel": "gaussian", "epsilon": 2e-5, "smoothing": 0.1},
]
ALL = pytest.mark.parametrize("settings", SETTINGS, ids=str)


def random_data(seed: int, count: int = 30) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform([1e5, 3.7e6], [4e5, 4e6], (count, 2)), rng.normal(size=count)


def near(seed: int, count: int = 40) -> np.ndarray:
    rng = np.random.default_rng(seed + 1)
    return rng.uniform([1e5, 3.7e6], [4e5, 4e6], (count, 2))


def unit_of(xy: np.ndarray) -> float:
    return float(np.sqrt(np.square(xy - xy.mean(axis=0)).sum(axis=1).mean()))


@ALL
def test_all_kernels_equal_scipy(settings: dict[str, Any]) -> None:
    xy, _ = random_data(3)
    values = np.sin(xy[:, 0] / 1e5) + np.cos(xy[:, 1] / 7e4)
    unit, centre = unit_of(xy), xy.mean(axis=0)
    options = {"kernel": "thin_plate_spline", **settings}
    if "epsilon" in options:
        options["epsilon"] *= unit
    if options["kernel"] in ("inverse_multiquadric", "gaussian"):
        options["degree"] = 0
    theirs = RBFInterpolator((xy - centre) / unit, values, **options)
    targets = near(3)
    np.testing.assert_allclose(
        RadialBasis(**settings).fit(xy, values).predict(targets)["estimate"],
        theirs((targets - centre) / unit),
        rtol=0,
        atol=1e-10,
    )


def test_the_thin_plate_spline_solves_its_system(
    meuse: pd.DataFrame, sites: np.ndarray
) -> None:
    values, unit = meuse["log_zinc"].to_numpy(), unit_of(sites)
    smoothing, variance = 0.2, np.linspace(0.5, 2.0, len(values))
    places = (sites - sites.mean(axis=0)) / unit
    targets = places[:20] + 0.01

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        r = cdist(a, b)
        return r**2 * np.log(np.where(r > 0, r, 1.0))

    def terms(a: np.ndarray) -> np.ndarray:
        return np.column_stack([np.ones(len(a)), a])

    system = np.zeros((len(values) + 3,) * 2)
    system[:-3, :-3] = kernel(places, places)
    system[:-3, :-3] += smoothing * np.diag(variance / variance.mean())
    system[:-3, -3:] = terms(places)
    system[-3:, :-3] = terms(places).T
    weights = np.linalg.solve(system, np.append(values, np.zeros(3)))
    expected = kernel(targets, places) @ weights[:-3] + terms(targets) @ weights[-3:]
    surface = RadialBasis(smoothing=smoothing).fit(sites, values, variance=variance)
    found = surface.predict(targets * unit + sites.mean(axis=0))["estimate"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("n_neighbors", [8, 20])
def test_neighbours_are_those_of_a_loop_over_the_targets(n_neighbors: int) -> None:
    xy, values = random_data(5, 60)
    unit, centre = unit_of(xy), xy.mean(axis=0)
    targets = near(5, 50)
    expected = []
    for target in targets:
        rows = np.argsort(np.hypot(*(xy - target).T))[:n_neighbors]
        own = RBFInterpolator((xy[rows] - centre) / unit, values[rows], smoothing=0.1)
        expected.append(own([(target - centre) / unit]).item())
    surface = RadialBasis(smoothing=0.1, n_neighbors=n_neighbors).fit(xy, values)
    found = surface.predict(targets)["estimate"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    "settings",
    [*SETTINGS[:5], {"n_neighbors": 12}, {"kernel": "gaussian", "epsilon": 1e-5}],
    ids=str,
)
def test_a_plane_is_reproduced_from_degree_1_on(settings: dict[str, Any]) -> None:
    xy, _ = random_data(8)
    asked = {**settings, "degree": max(1, settings.get("degree", 1))}
    surface = RadialBasis(**asked).fit(xy, 3 + xy @ [2e-5, -1e-5])
    targets = near(8) + 2e5
    found = surface.predict(targets)["estimate"]
    np.testing.assert_allclose(found, 3 + targets @ [2e-5, -1e-5], rtol=0, atol=1e-10)


@ALL
def test_without_smoothing_the_data_are_met(settings: dict[str, Any]) -> None:
    xy, values = random_data(11)
    found = RadialBasis(**settings).fit(xy, values).predict(xy)["estimate"].to_numpy()
    miss = np.abs(found - values).max()
    assert miss > 1e-3 if "smoothing" in settings else miss < 1e-10


@ALL
@asked_of_hypothesis(max_examples=6)
@given(
    seed=seeds, unit=st.sampled_from([1e-3, 0.3048, 1e3]), moved=st.floats(-1e6, 1e6)
)
def test_neither_unit_nor_origin_of_the_places_matters(
    settings: dict[str, Any], seed: int, unit: float, moved: float
) -> None:
    xy, values = random_data(seed, 12)
    other = dict(settings)
    if "epsilon" in other:
        other["epsilon"] /= unit
    plain = RadialBasis(**settings).fit(xy, values).predict(near(seed, 9))["estimate"]
    found = RadialBasis(**other).fit(unit * (xy + moved), values)
    answer = found.predict(unit * (near(seed, 9) + moved))["estimate"]
    scale = 1 + float(np.abs(plain).max())
    np.testing.assert_allclose(answer, plain, rtol=0, atol=1e-6 * scale)


def test_much_smoothing_leaves_the_plane_of_least_squares() -> None:
    xy, values = random_data(2)
    terms = np.column_stack([np.ones(30), xy - xy.mean(axis=0)])
    line = np.linalg.lstsq(terms, values, rcond=None)[0]
    found = RadialBasis(smoothing=1e9).fit(xy, values).predict(xy)["estimate"]
    np.testing.assert_allclose(found, terms @ line, rtol=0, atol=1e-6)


def test_a_datum_of_less_variance_is_met_more_closely() -> None:
    xy, values = random_data(4)
    surface = RadialBasis(smoothing=0.5)
    even = surface.fit(xy, values, variance=np.full(30, 7.0)).predict(xy)["estimate"]
    plain = surface.fit(xy, values).predict(xy)["estimate"]
    np.testing.assert_allclose(even, plain, rtol=0, atol=1e-12)
    variance = np.ones(30)
    variance[0] = 0.0
    found = surface.fit(xy, values, variance=variance).predict(xy)["estimate"]
    assert abs(found[0] - values[0]) < 1e-10
    assert abs(plain[0] - values[0]) > 1e-3
    none = surface.fit(xy, values, variance=np.zeros(30)).predict(xy)["estimate"]
    np.testing.assert_allclose(none, values, rtol=0, atol=1e-10)


def test_settings_that_cannot_be_are_refused_all_at_once() -> None:
    with pytest.raises(InputError, match="Unknown kernel 'spline'"):
        RadialBasis("spline")  # type: ignore[arg-type]
    with pytest.raises(
        InputError,
        match=r"no length of its own.*Invalid degree '0'.*Invalid smoothing '-1\.0'",
    ):
        RadialBasis(epsilon=1.0, degree=0, smoothing=-1)
    with pytest.raises(InputError, match=r"'gaussian' needs epsilon \[1/m\]"):
        RadialBasis("gaussian")
    with pytest.raises(InputError, match="Invalid epsilon '-2'"):
        RadialBasis("gaussian", epsilon=-2)
    with pytest.raises(InputError, match=r"Invalid n_neighbors '2'.*needs 3 or more"):
        RadialBasis(n_neighbors=2)


def test_data_without_a_unique_surface_are_refused() -> None:
    line = np.column_stack([np.arange(9.0), 3 * np.arange(9.0)])
    with pytest.raises(InputError, match="from all 9 data: they lie on one line"):
        RadialBasis().fit(line, np.arange(9))
    turns = np.arange(9.0)
    circle = np.column_stack([np.cos(turns), np.sin(turns)]) * 1e5
    with pytest.raises(InputError, match="polynomial of degree 2 cannot be told"):
        RadialBasis("quintic").fit(circle, turns)
    with pytest.raises(InputError, match="needs 3 different places, found 2"):
        RadialBasis().fit([[0, 0], [1, 0], [1, 0]], [1, 2, 3])
    with pytest.raises(InputError, match="smoothing 0 passes through the data"):
        RadialBasis().fit(circle, turns, variance=np.ones(9))
    one = RadialBasis("linear").fit([[5.0, 5.0]], [3.0])
    assert one.predict([[9.0, 9.0]])["estimate"].item() == 3.0


def test_places_too_close_for_the_kernel_are_refused_and_not_answered() -> None:
    xy, values = random_data(6, 100)
    xy[1] = xy[0] + [1e-4, 0]
    with pytest.raises(InputError, match="all 100 data is singular in the rounding"):
        RadialBasis("gaussian", epsilon=1e-7).fit(xy, values)
    smooth = RadialBasis("gaussian", epsilon=1e-7, smoothing=0.1).fit(xy, values)
    assert np.abs(smooth.predict(xy)["estimate"]).max() < 10


def test_neighbours_on_one_line_are_refused_and_not_answered() -> None:
    x, y = np.meshgrid(np.arange(6.0), 10 * np.arange(6.0))
    xy = np.column_stack([x.ravel(), y.ravel()])
    surface = RadialBasis(n_neighbors=3).fit(xy, np.arange(36))
    with pytest.raises(InputError, match="the 3 data near a target: they lie on one"):
        surface.predict([[2.0, 2.1]])


def test_a_system_too_large_is_refused_with_its_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    xy, values = random_data(1, 6000)
    with pytest.raises(InputError, match=r"6000 data needs 0\.3 GB. Give n_neighbors"):
        RadialBasis().fit(xy, values)
    monkeypatch.setattr(radial_basis, "DENSE_LIMIT", 10)
    surface = RadialBasis(n_neighbors=12).fit(xy[:30], values[:30])
    assert np.isfinite(surface.predict(near(1))["estimate"]).all()


def test_the_answer_says_how_it_was_made() -> None:
    xy, values = random_data(9)
    surface = RadialBasis("gaussian", epsilon=1e-5, smoothing=0.2, n_neighbors=9)
    attributes = surface.fit(xy, values).predict(xy[:2]).attrs
    assert attributes == {
        "method": "radial basis functions (gaussian)",
        "kernel": "gaussian",
        "epsilon": 1e-5,
        "degree": 0,
        "smoothing": 0.2,
        "n_neighbors": 9,
        "n_points": 30,
        "n_dropped": 0,
        "n_merged": 0,
    }
