"""The kernels of kriging against plain numpy, and what must not change an answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import solve_triangular
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from geosoil.interpolation import _kernels_kriging as kernels
from geosoil.interpolation import _kernels_kriging_nearest as nearest
from geosoil.interpolation._kernels_kriging_global import whiten, whitener
from geosoil.interpolation.neighbors import Neighborhood

SHAPES = {
    kernels.SPHERICAL: lambda u: np.where(u < 1, 1 - 1.5 * u + 0.5 * u**3, 0),
    kernels.EXPONENTIAL: lambda u: np.exp(-u),
    kernels.GAUSSIAN: lambda u: np.exp(-(u**2)),
    kernels.MATERN_3_2: lambda u: (1 + u) * np.exp(-u),
    kernels.MATERN_5_2: lambda u: (1 + u + u**2 / 3) * np.exp(-u),
}


def model_of(*structures: tuple[int, float], nugget: float) -> kernels.Model:
    codes, sills = zip(*structures, strict=True)
    return kernels.Model(np.array(codes), np.array(sills), nugget)


def covariance(
    model: kernels.Model, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """Covariances of places (s, 2, n) and (s, 2, m), in plain numpy."""
    total = 0.0
    for code, sill, a, b in zip(model.codes, model.sills, first, second, strict=True):
        distance = cdist(a.T, b.T)
        total = total + sill * SHAPES[int(code)](distance)
    return total + model.nugget * (distance == 0)


@dataclass(frozen=True)
class Case:
    """Data, targets with neighbours, and the covariances between them."""

    model: kernels.Model
    data: kernels.Data
    targets: kernels.Targets

    def answers(self, outputs: str = "estimate and variance", *, reuse: bool = True):
        return kernels.krige_local(
            self.model, self.data, self.targets, outputs=outputs, reuse=reuse
        )

    def textbook(self, t: int) -> tuple[float, float, float]:
        """Solve the bordered system of one target."""
        rows = self.targets.near[t, : self.targets.counts[t]]
        xy = self.data.places[:, :, rows]
        n, p = len(rows), len(self.data.drift)
        system = np.zeros((n + p, n + p))
        system[:n, :n] = covariance(self.model, xy, xy) + np.diag(self.data.noise[rows])
        system[n:, :n] = self.data.drift[:, rows]
        system[:n, n:] = system[n:, :n].T
        near = covariance(self.model, xy, self.targets.places[:, :, [t]])[:, 0]
        right = np.concatenate([near, self.targets.drift[:, t]])
        weights = np.linalg.solve(system, right)
        sill = self.model.sills.sum() + self.model.nugget
        known = np.linalg.solve(system[:n, :n], near)
        simple = sill - near @ known
        variance = sill - weights @ right
        return weights[:n] @ self.data.values[rows], variance, variance - simple


def make_case(
    model: kernels.Model, *, p: int, k: int = 9, n: int = 40, m: int = 60, seed: int = 0
) -> Case:
    """Random data; targets in runs that share their neighbours, two on data."""
    rng = np.random.default_rng(seed)
    s = model.codes.size
    places, away = rng.uniform(0, 3, (s, 2, n)), rng.uniform(0, 3, (s, 2, m))
    away[:, :, :2] = places[:, :, :2]
    near = np.sort(rng.permuted(np.tile(np.arange(n), (m // 5, 1)), axis=1)[:, :k])
    near = np.repeat(near, 5, axis=0)
    near[:5, :2], near[:5, 2:] = [0, 1], np.arange(5, 3 + k)
    drift, there = rng.normal(size=(p, n)), rng.normal(size=(p, m))
    if p:
        drift[0], there[0] = 1.0, 1.0
    counts = np.repeat(rng.integers(k - 2, k + 1, m // 5), 5)
    noise = np.where(rng.random(n) < 0.3, 0.2, 0.0)
    noise[:2] = 0.0
    return Case(
        model,
        kernels.Data(places, 5 + rng.normal(size=n), noise, drift),
        kernels.Targets(away, there, near, counts, 1),
    )


@pytest.mark.parametrize("code", SHAPES)
@pytest.mark.parametrize("nugget", [0.0, 0.3])
def test_covariances_equal_those_of_numpy(code: int, nugget: float) -> None:
    rng = np.random.default_rng(code)
    model = model_of((code, 1.3), (kernels.SPHERICAL, 0.4), nugget=nugget)
    first, second = rng.uniform(-3, 3, (2, 2, 31)), rng.uniform(-3, 3, (2, 2, 17))
    second[:, :, 4] = first[:, :, 9]
    found = np.empty((31, 17))
    kernels.fill_covariances(model, first, second, found)
    np.testing.assert_allclose(
        found, covariance(model, first, second), rtol=1e-12, atol=1e-15
    )
    assert found[9, 4] == pytest.approx(1.7 + nugget, rel=1e-15)


def test_the_exponential_keeps_its_digits_over_all_distances() -> None:
    u = np.concatenate([np.linspace(0, 700, 4001), np.geomspace(1e-9, 1, 400)])
    targets = np.stack([u, np.zeros_like(u)])[None]
    found = np.empty((1, u.size))
    model = model_of((kernels.EXPONENTIAL, 1.0), nugget=0.0)
    kernels.fill_covariances(model, np.zeros((1, 2, 1)), targets, found)
    np.testing.assert_allclose(found[0], np.exp(-u), rtol=5e-16)
    far = np.array([[[800.0, 1e6, 1e200], [0.0, 0.0, 0.0]]])
    found = np.empty((1, 3))
    kernels.fill_covariances(model, np.zeros((1, 2, 1)), far, found)
    np.testing.assert_array_equal(found, 0.0)


@pytest.mark.parametrize("p", [0, 1, 3])
@pytest.mark.parametrize("code", SHAPES)
def test_each_target_solves_its_textbook_system(code: int, p: int) -> None:
    model = model_of((code, 1.3), (kernels.EXPONENTIAL, 0.2), nugget=0.1)
    case = make_case(model, p=p, seed=code)
    found = case.answers()
    assert (found.status == kernels.OK).all()
    expected = np.array([case.textbook(t) for t in range(found.status.size)]).T
    np.testing.assert_allclose(found.estimate, expected[0], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.variance, expected[1:], rtol=1e-11, atol=1e-12)
    alone = case.answers("estimate")
    np.testing.assert_array_equal(alone.estimate, found.estimate)
    assert alone.variance.size == 0


def test_a_datum_without_noise_is_honoured() -> None:
    case = make_case(model_of((kernels.SPHERICAL, 1.0), nugget=0.2), p=1)
    found = case.answers()
    np.testing.assert_allclose(found.estimate[:2], case.data.values[:2], rtol=1e-13)
    np.testing.assert_allclose(found.variance[0, :2], 0.0, atol=1e-14)


@given(seed=st.integers(0, 10**6), p=st.integers(0, 3), code=st.sampled_from([*SHAPES]))
def test_a_factor_kept_gives_the_same_bits_as_one_made_anew(
    seed: int, p: int, code: int
) -> None:
    case = make_case(model_of((code, 1.0), nugget=0.1), p=p, seed=seed)
    for outputs in ("estimate and variance", "estimate"):
        kept, anew = case.answers(outputs), case.answers(outputs, reuse=False)
        for a, b in zip(kept, anew, strict=True):
            np.testing.assert_array_equal(a, b)


@given(seed=st.integers(0, 10**6), p=st.integers(0, 2))
def test_the_order_of_the_data_does_not_matter(seed: int, p: int) -> None:
    case = make_case(model_of((kernels.MATERN_3_2, 1.0), nugget=0.1), p=p, seed=seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(case.data.values.size)
    data = kernels.Data(*(np.ascontiguousarray(a[..., order]) for a in case.data))
    near = np.argsort(order)[case.targets.near]
    # Those beyond the count stay last.
    for row, count in zip(near, case.targets.counts, strict=True):
        row[:count].sort()
    found = case.answers()
    other = Case(case.model, data, case.targets._replace(near=near)).answers()
    np.testing.assert_allclose(other.estimate, found.estimate, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(other.variance, found.variance, rtol=1e-11, atol=1e-12)


@given(seed=st.integers(0, 10**6))
def test_what_the_drift_explains_is_returned_whole(seed: int) -> None:
    case = make_case(model_of((kernels.GAUSSIAN, 1.0), nugget=0.2), p=3, seed=seed)
    slope = np.random.default_rng(seed).normal(0, 100, 3)
    data = case.data._replace(values=slope @ case.data.drift)
    found = Case(case.model, data, case.targets).answers()
    np.testing.assert_allclose(
        found.estimate, slope @ case.targets.drift, rtol=1e-10, atol=1e-8
    )


def test_each_reason_for_no_answer_has_its_status() -> None:
    model = model_of((kernels.GAUSSIAN, 1.0), nugget=0.0)
    x = np.array([0.0, 1e-9, 2.0, 3.0, 4.0])
    data = kernels.Data(
        np.stack([x, 0 * x])[None],
        x,
        np.zeros(5),
        np.stack([np.ones(5), np.array([7.0, 7.0, 7.0, 7.0, 8.0])]),
    )
    near = np.array([[2, 3, 4], [2, 3, 4], [0, 1, 4], [1, 2, 3], [2, 3, 4]])
    targets = kernels.Targets(
        np.ones((1, 2, 5)), np.ones((2, 5)), near, np.array([3, 1, 3, 3, 2]), 2
    )
    found = kernels.krige_local(model, data, targets, outputs="estimate and variance")
    wanted = [kernels.OK, kernels.FEW, kernels.SINGULAR, kernels.DRIFT, kernels.DRIFT]
    assert found.status.tolist() == wanted
    assert np.isnan(found.estimate).tolist() == [status > 0 for status in wanted]
    assert np.isnan(found.variance[0]).tolist() == [status > 0 for status in wanted]


def test_a_covariance_that_is_no_number_is_singular() -> None:
    case = make_case(model_of((kernels.SPHERICAL, 1.0), nugget=0.2), p=1)
    case.data.noise[:] = np.nan
    assert (case.answers().status == kernels.SINGULAR).all()


@pytest.mark.parametrize("noise", [1e-1, 1e-12])
def test_whitening_equals_the_solution_of_the_triangle(noise: float) -> None:
    rng = np.random.default_rng(3)
    xy, targets = rng.uniform(0, 5, (120, 2)), rng.uniform(0, 5, (33, 2))
    system = np.exp(-(cdist(xy, xy) ** 2) / 4) + noise * np.eye(120)
    lower = np.linalg.cholesky(system)
    right = np.exp(-(cdist(xy, targets) ** 2) / 4)
    made = whitener(lower)
    assert made.inverted == (noise > 1e-3)
    given_away = right.copy()
    found = whiten(made, given_away)
    assert np.shares_memory(found, given_away)
    expected = solve_triangular(lower, right, lower=True)
    tolerance = 1e-13 if made.inverted else 1e-8
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def searched(
    tree: cKDTree, targets: np.ndarray, wanted: int, reach: float
) -> tuple[np.ndarray, np.ndarray]:
    """The same neighbours by rising index, from the plain search."""
    limit = None if np.isinf(reach) else reach
    indices, distances = Neighborhood(wanted, limit).search(tree, targets)
    there = np.isfinite(distances)
    return np.sort(np.where(there, indices, tree.n), axis=1), there.sum(axis=1)


ROUTES = {
    "all data": (10**6, (64, 16)),
    "candidates of runs": (0, (64, 16)),
    "short runs": (0, (3,)),
    "each on its own": (0, ()),
}


@pytest.mark.parametrize("route", ROUTES)
@given(
    seed=st.integers(0, 10**6), wanted=st.integers(1, 12), lattice=st.integers(2, 200)
)
@settings(max_examples=25)
def test_neighbours_equal_the_plain_search_with_ties(
    route: str, seed: int, wanted: int, lattice: int
) -> None:
    rng = np.random.default_rng(seed)
    tree = cKDTree(np.unique(rng.integers(0, lattice, (60, 2)), axis=0).astype(float))
    wanted = min(wanted, tree.n)
    rows = np.arange(0, lattice, lattice / 10)
    targets = np.stack(np.meshgrid(rows, rows), axis=-1).reshape(-1, 2)
    reach = rng.choice([np.inf, lattice / 8])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "FEW_DATA", ROUTES[route][0])
        patch.setattr(nearest, "RUNS", ROUTES[route][1])
        near, counts = nearest.nearest(tree, targets, wanted, max_distance=reach)
    expected, how_many = searched(tree, targets, wanted, reach)
    # Where many tie, the plain search looks at a few of them only.
    more = np.asarray(tree.query(targets, k=[min(wanted + 8, tree.n)])[0])[:, 0]
    last = np.asarray(tree.query(targets, k=[wanted])[0])[:, 0]
    sure = (more > last) | (tree.n <= wanted + 8)
    np.testing.assert_array_equal(near[sure], expected[sure])
    np.testing.assert_array_equal(counts, how_many)


def test_runs_of_targets_share_candidates_only_where_that_pays() -> None:
    rng = np.random.default_rng(1)
    tree = cKDTree(rng.uniform(0, 100, (2000, 2)))
    line = np.column_stack([np.linspace(0, 100, 5000), np.full(5000, 40.0)])
    shared = nearest.candidates(tree, line, 32)
    assert shared is not None
    assert np.diff(shared.starts).mean() < 200
    assert nearest.candidates(tree, rng.uniform(0, 100, (500, 2)), 32) is None
