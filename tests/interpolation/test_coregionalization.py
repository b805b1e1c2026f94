"""Fits of coregionalisations against gstat, planted models and the plain algorithm."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.interpolation.base import ALBERS
from geosoil.interpolation.coregionalization import (
    Coregionalization,
    fit_coregionalization,
)
from geosoil.interpolation.coregionalization_model import single_coregionalization
from geosoil.interpolation.coregionalization_pairs import (
    PairArrays,
    VariablePlaces,
    pair_classes,
)
from geosoil.interpolation.coregionalization_parts import CoregionalStructure
from geosoil.interpolation.coregionalization_sills import fit_sills
from geosoil.interpolation.empirical import DistanceClasses
from geosoil.interpolation.variogram import NestedVariogram, Variogram
from geosoil.interpolation.variogram_models import VariogramError, rise


@pytest.fixture(scope="module")
def cokriging(golden: Path) -> Path:
    return golden / "geo" / "cokriging"


@pytest.fixture(scope="module")
def metals(meuse: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {"log_zinc": np.log(meuse["zinc"]), "log_lead": np.log(meuse["lead"])}
    )


def test_the_empirical_cross_variogram_equals_gstats(
    sites: np.ndarray, metals: pd.DataFrame, cokriging: Path
) -> None:
    wanted = pd.read_csv(cokriging / "variograms.csv", skipinitialspace=True)
    found = fit_coregionalization(sites, metals, ranges=[900.0]).fit.classes
    for first, second in [
        ("log_zinc", "log_zinc"),
        ("log_zinc", "log_lead"),
        ("log_lead", "log_lead"),
    ]:
        name = first if first == second else f"{first}.{second}"
        theirs = wanted[wanted["id"] == name]
        own = found[(found["first"] == first) & (found["second"] == second)]
        # gstat counts the pairs of a cross variogram both ways.
        ways = 1 if first == second else 2
        assert (own["n"] * ways).tolist() == theirs["np"].tolist()
        for ours, other in (("distance", "dist"), ("gamma", "gamma")):
            np.testing.assert_allclose(own[ours], theirs[other], rtol=1e-12)


def test_sills_equal_those_of_fit_lmc_where_no_matrix_is_corrected(
    sites: np.ndarray, metals: pd.DataFrame, cokriging: Path
) -> None:
    wanted = pd.read_csv(cokriging / "fit_lmc_900.csv").set_index("id")
    found = fit_coregionalization(sites, metals, ranges=[900.0])
    assert found.fit.rounds == 0
    for i, j, name in [
        (0, 0, "log_zinc"),
        (0, 1, "log_zinc.log_lead"),
        (1, 0, "log_zinc.log_lead"),
        (1, 1, "log_lead"),
    ]:
        assert found.nugget[i, j] == pytest.approx(wanted["nugget"][name], rel=1e-9)
        sill = found.structures[0].sills[i, j]
        assert sill == pytest.approx(wanted["sill"][name], rel=1e-9)


def random_matrix(rng: np.random.Generator, size: int, rank: int) -> np.ndarray:
    """A positive semi-definite matrix of a rank."""
    root = rng.normal(size=(size, rank))
    return root @ root.T


def exact_arrays(
    matrices: np.ndarray, ranges: list[float], h: np.ndarray, weights: np.ndarray
) -> tuple[PairArrays, np.ndarray]:
    """Classes that a planted model fits without residuals, and their rises."""
    shape = (*matrices.shape[1:], len(h))
    parts = [np.ones_like(h), *(rise("spherical", h, a) for a in ranges)]
    rises = np.stack([np.broadcast_to(part, shape) for part in parts])
    gamma = np.einsum("aij,aijm->ijm", matrices, rises)
    distance = np.broadcast_to(h, shape)
    return PairArrays(distance, gamma, np.broadcast_to(weights, shape)), rises


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("ranges", [[400.0], [200.0, 900.0]])
def test_planted_matrices_are_found_from_exact_variograms(
    ranges: list[float], rank: int
) -> None:
    rng = np.random.default_rng(rank)
    planted = np.stack([random_matrix(rng, 3, rank) for _ in range(len(ranges) + 1)])
    h = np.linspace(50.0, 1200.0, 15)
    arrays, rises = exact_arrays(planted, ranges, h, 1.0 / h**2)
    found = fit_sills(arrays, rises)
    np.testing.assert_allclose(found.matrices, planted, atol=1e-6)
    assert found.squares < 1e-12


def test_a_planted_range_is_found_with_the_matrices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    planted = Coregionalization(
        ("a", "b"),
        [[0.2, 0.1], [0.1, 0.4]],
        (CoregionalStructure([[1.0, -0.5], [-0.5, 2.0]], "exponential", 260.0),),
    )
    h = np.linspace(50.0, 1200.0, 15)

    def classes(places: VariablePlaces, _: DistanceClasses) -> pd.DataFrame:
        pairs = [("a", "a"), ("a", "b"), ("b", "b")]
        tables = [
            pd.DataFrame({"first": i, "second": j, "n": 9, "distance": h}).assign(
                gamma=planted.gamma(i, j, h)
            )
            for i, j in pairs
        ]
        return pd.concat(tables, ignore_index=True)

    module = "geosoil.interpolation.coregionalization.pair_classes"
    monkeypatch.setattr(module, classes)
    rng = np.random.default_rng(1)
    xy = rng.uniform(0, 2500, (40, 2))
    table = pd.DataFrame(rng.normal(size=(40, 2)) * [1.0, 50.0], columns=["a", "b"])
    found = fit_coregionalization(xy, table, model="exponential", cutoff=1200.0)
    assert found.structures[0].range_ == pytest.approx(260.0, rel=1e-6)
    np.testing.assert_allclose(found.nugget, planted.nugget, atol=1e-6)
    sills = found.structures[0].sills
    np.testing.assert_allclose(sills, planted.structures[0].sills, atol=1e-6)


def plain_goulard_voltz(
    gamma: np.ndarray, rises: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """The algorithm of 1992 as written: one matrix after the other, common weights."""
    matrices = np.zeros((len(rises), *gamma.shape[:2]))
    for _ in range(40000):
        before = matrices.copy()
        for k, growth in enumerate(rises):
            others = sum(
                matrices[m][..., None] * rises[m] for m in range(len(rises)) if m != k
            )
            best = ((gamma - others) * growth * weights).sum(axis=-1)
            best = best / (weights * growth**2).sum()
            values, vectors = np.linalg.eigh(best)
            matrices[k] = vectors @ np.diag(np.maximum(values, 0)) @ vectors.T
        if np.abs(matrices - before).max() < 1e-13:
            break
    return matrices


@pytest.mark.parametrize("seed", range(4))
def test_the_answer_is_that_of_goulard_and_voltz(seed: int) -> None:
    rng = np.random.default_rng(seed)
    h = np.linspace(50.0, 1200.0, 12)
    weights = rng.integers(5, 90, 12) / h**2
    gamma = rng.normal(size=(3, 3, 12))
    gamma = gamma + gamma.swapaxes(0, 1) + 0.5 * np.eye(3)[..., None]
    lines = np.stack([np.ones_like(h), rise("spherical", h, 700.0)])
    rises = np.broadcast_to(lines[:, None, None, :], (2, 3, 3, 12))
    shape = gamma.shape
    arrays = PairArrays(
        np.broadcast_to(h, shape), gamma, np.broadcast_to(weights, shape)
    )
    found = fit_sills(arrays, rises)
    assert found.rounds > 0
    assert found.converged
    wanted = plain_goulard_voltz(gamma, lines, weights)
    np.testing.assert_allclose(found.matrices, wanted, atol=1e-8)


@given(seed=st.integers(0, 10**6), p=st.integers(2, 4), structures=st.integers(1, 2))
def test_no_eigenvalue_is_negative_and_no_projection_fits_better(
    seed: int, p: int, structures: int
) -> None:
    rng = np.random.default_rng(seed)
    gamma = rng.normal(size=(p, p, 10))
    gamma = gamma + gamma.swapaxes(0, 1)
    weights = rng.uniform(0.1, 1.0, (p, p, 10))
    weights = weights + weights.swapaxes(0, 1)
    h = np.broadcast_to(np.linspace(0.1, 1.0, 10), gamma.shape)
    ranges = [0.35, 0.9][:structures]
    rises = np.stack([np.ones_like(h), *(rise("spherical", h, a) for a in ranges)])
    found = fit_sills(PairArrays(h, gamma, weights), rises)
    assert found.converged
    scale = np.abs(found.matrices).max()
    assert np.linalg.eigvalsh(found.matrices).min() >= -1e-12 * scale

    def squares(matrices: np.ndarray) -> float:
        model = np.einsum("aij,aijm->ijm", matrices, rises)
        return float((weights * (gamma - model) ** 2).sum())

    assert found.squares == pytest.approx(squares(found.matrices))
    free = np.empty_like(found.matrices)
    for i in range(p):
        for j in range(p):
            root = np.sqrt(weights[i, j])
            columns = (rises[:, i, j] * root).T
            free[:, i, j] = np.linalg.lstsq(columns, gamma[i, j] * root)[0]
    values, vectors = np.linalg.eigh(free)
    cut = (vectors * np.maximum(values, 0)[:, None]) @ vectors.swapaxes(1, 2)
    assert found.squares <= squares(cut) * (1 + 1e-9)
    for _ in range(3):
        aside = found.matrices + 1e-3 * np.stack(
            [random_matrix(rng, p, p) - found.matrices[k] for k in range(len(cut))]
        )
        assert found.squares <= squares(aside) * (1 + 1e-9)


@settings(max_examples=15)
@given(
    seed=st.integers(0, 10**6),
    gaps=st.floats(0.0, 0.4),
    factor=st.floats(1e-4, 1e4),
)
def test_a_fit_can_always_be_and_follows_the_units(
    seed: int, gaps: float, factor: float
) -> None:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 1000, (40, 2))
    table = pd.DataFrame(rng.normal(size=(40, 3)), columns=list("abc"))
    table = table.mask(rng.random(table.shape) < gaps)
    found = fit_coregionalization(xy, table, ranges=[300.0])
    for matrix in (found.nugget, found.structures[0].sills):
        assert np.linalg.eigvalsh(matrix).min() > -1e-9
    factors = np.array([factor, 1.0, 1.0 / factor])
    other = fit_coregionalization(xy, table * factors, ranges=[300.0])
    wanted = found.scaled(factors)
    scale = np.outer(factors, factors)
    np.testing.assert_allclose(other.sills / scale, wanted.sills / scale, atol=1e-6)


def test_a_cross_variogram_takes_the_places_with_both_variables() -> None:
    rng = np.random.default_rng(3)
    xy, z = rng.uniform(0, 1000, (30, 2)), rng.normal(size=(30, 2))
    z[:8, 0] = np.nan
    z[20:, 1] = np.nan
    places = VariablePlaces(("a", "b"), xy, z)
    found = pair_classes(places, DistanceClasses(600.0, 4))
    own = found[(found["first"] == "a") & (found["second"] == "b")]
    sums, counts = np.zeros(4), np.zeros(4, dtype=int)
    for i in range(8, 20):
        for j in range(i + 1, 20):
            distance = float(np.hypot(*(xy[i] - xy[j])))
            if distance <= 600.0:
                k = int(np.ceil(distance / 150.0)) - 1
                sums[k] += (z[i, 0] - z[j, 0]) * (z[i, 1] - z[j, 1]) / 2
                counts[k] += 1
    assert own["n"].tolist() == counts[counts > 0].tolist()
    wanted = sums[counts > 0] / counts[counts > 0]
    np.testing.assert_allclose(own["gamma"], wanted, atol=1e-12)


def test_variables_never_measured_together_have_no_cross_sill_and_a_note() -> None:
    rng = np.random.default_rng(4)
    xy = rng.uniform(0, 1000, (60, 2))
    table = pd.DataFrame({"a": rng.normal(size=60), "b": rng.normal(size=60)})
    table.loc[:29, "a"] = np.nan
    table.loc[30:, "b"] = np.nan
    found = fit_coregionalization(xy, table, ranges=[300.0])
    assert found.sills[0, 1] == 0
    assert "'a' and 'b' were never measured at the same places" in found.flag


def test_a_matrix_that_least_squares_cannot_make_is_named(
    sites: np.ndarray, meuse: pd.DataFrame
) -> None:
    table = pd.DataFrame(
        {"log_zinc": meuse["log_zinc"], "sqrt_dist": np.sqrt(meuse["dist"])}
    ).assign(om=meuse["om"])
    found = fit_coregionalization(sites, table, ranges=[900.0])
    assert found.fit.lowest_eigenvalues[0] < 0 < found.fit.rounds
    assert "the nugget was kept positive semi-definite" in found.flag
    assert found.fit.n_points == {"log_zinc": 155, "sqrt_dist": 155, "om": 153}


def test_places_in_degrees_are_projected_and_repeats_averaged() -> None:
    rng = np.random.default_rng(6)
    lonlat = rng.uniform([95.0, 33.0], [96.0, 34.0], (30, 2))
    points = gpd.GeoSeries.from_xy(*lonlat[[*range(30), 0]].T, crs="EPSG:4326")
    table = pd.DataFrame(rng.normal(size=(31, 2)), columns=["a", "b"])
    found = fit_coregionalization(points, table, ranges=[3e4])
    plane = points[:30].to_crs(ALBERS)
    merged = table[:30].copy()
    merged.loc[0] = (table.loc[0] + table.loc[30]) / 2
    xy = np.column_stack([plane.x, plane.y])
    wanted = fit_coregionalization(xy, merged, ranges=[3e4])
    np.testing.assert_allclose(found.sills, wanted.sills, rtol=1e-7)
    assert found.fit.cutoff == pytest.approx(wanted.fit.cutoff, rel=1e-9)


@pytest.mark.slow
def test_two_structures_fit_better_than_one(
    sites: np.ndarray, metals: pd.DataFrame
) -> None:
    one = fit_coregionalization(sites, metals)
    two = fit_coregionalization(sites, metals, n_structures=2)
    assert two.fit.sse < one.fit.sse
    near, far = two.structures
    assert near.range_ < far.range_
    near_range = fit_coregionalization(
        sites, metals, ranges=[one.structures[0].range_ * 1.02]
    )
    assert one.fit.sse < near_range.fit.sse


def test_variograms_of_the_parts_are_those_of_each_variable() -> None:
    model = Coregionalization(
        ("a", "b"),
        [[0.1, 0.0], [0.0, 0.2]],
        (
            CoregionalStructure([[1.0, 0.5], [0.5, 0.8]], "spherical", 900.0),
            CoregionalStructure([[0.3, 0.0], [0.0, 0.0]], "matern", 400.0, 1.5),
        ),
    )
    h = np.array([0.0, 1.0, 300.0, 900.0, 5000.0])
    for name in model.names:
        np.testing.assert_allclose(
            model.variogram(name).gamma(h), model.gamma(name, name, h), atol=1e-15
        )
    xy = np.column_stack([h, np.zeros(5)])
    kinds = np.array([0, 1, 0, 1, 1])
    whole = model.covariance_between(xy, kinds, xy, kinds)
    for i in range(5):
        for j in range(5):
            names = model.names[kinds[i]], model.names[kinds[j]]
            top = model.sills[kinds[i], kinds[j]]
            gamma = model.gamma(*names, [abs(h[i] - h[j])])[0]
            assert whole[i, j] == pytest.approx(top - gamma, abs=1e-14)
    offsets = xy[:, None, :] - xy[None, :, :]
    again = model.covariance_of(
        offsets[..., 0], offsets[..., 1], (kinds[:, None], kinds[None, :])
    )
    np.testing.assert_allclose(again, whole, atol=1e-14)


def test_a_single_variogram_is_a_model_of_one_variable() -> None:
    parts = (
        Variogram("nugget", 0.3, 0.0, 1.0),
        Variogram("spherical", 0.1, 0.5, 2e3),
        Variogram("exponential", 0.0, 0.8, 8e3),
    )
    nested = NestedVariogram(parts)
    h = np.array([0.0, 10.0, 3e3])
    found = single_coregionalization(nested, "z")
    np.testing.assert_allclose(found.gamma("z", "z", h), nested.gamma(h))
    with pytest.raises(VariogramError, match="no sill"):
        single_coregionalization(Variogram("power", 0.0, 1.0, 1.0), "z")


def test_matrices_that_cannot_be_are_refused_all_at_once() -> None:
    good = CoregionalStructure(np.eye(2), "spherical", 900.0)
    with pytest.raises(VariogramError, match="none twice") as caught:
        Coregionalization(
            ("a", "a"),
            [[1.0, 2.0], [2.0, 1.0]],
            (
                CoregionalStructure([[1.0, 0.5], [0.4, 1.0]], "spherical", 900.0),
                CoregionalStructure(np.eye(3), "spherical", 900.0),
                CoregionalStructure([[1.0, np.nan], [np.nan, 1.0]], "hole", 900.0),
                good,
            ),
        )
    words = str(caught.value)
    assert "nugget is not positive semi-definite" in words
    assert "eigenvalues are -1, 3" in words
    assert "structure 1 (spherical) is not symmetric" in words
    assert "structure 2 (spherical) has shape (3, 3) for 2 variables" in words
    assert "structure 3 (hole) has numbers missing" in words
    with pytest.raises(VariogramError, match="range_ is 0"):
        CoregionalStructure(np.eye(2), "spherical", 0.0)
    with pytest.raises(VariogramError, match="power model has no sill"):
        CoregionalStructure(np.eye(2), "power", 1.0)
    with pytest.raises(VariogramError, match="'c' is no variable"):
        Coregionalization(("a",), [[1.0]]).index("c")


def test_small_units_do_not_hide_a_matrix_that_cannot_be() -> None:
    with pytest.raises(VariogramError, match="positive semi-definite"):
        Coregionalization(("a", "b"), [[1e-12, 2e-6], [2e-6, 1.0]])
    with pytest.raises(VariogramError, match="positive semi-definite"):
        Coregionalization(("a", "b"), [[-1e-20, 0.0], [0.0, 1.0]])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "power"}, "no structure with a sill"),
        ({"model": "nugget"}, "no structure with a sill"),
        ({"ranges": [1.0, 2.0]}, "give one above 0 each"),
        ({"ranges": [-1.0]}, "give one above 0 each"),
        ({"model": "matern"}, "needs a smoothness"),
        ({"n_structures": 3}, "structures is 3"),
        ({"cutoff": 1.0}, "No two places lie within the cutoff"),
    ],
)
def test_settings_that_cannot_be_are_named(
    sites: np.ndarray, metals: pd.DataFrame, options: dict, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        fit_coregionalization(sites, metals, **options)


def test_variables_that_have_no_variogram_are_named_all_at_once() -> None:
    xy = np.random.default_rng(5).uniform(0, 100, (9, 2))
    table = pd.DataFrame({"a": np.full(9, 3.0), "b": np.full(9, np.nan)})
    table.loc[:1, "b"] = 1.0
    with pytest.raises(InputError, match="'a' has the same value everywhere") as caught:
        fit_coregionalization(xy, table.assign(c=xy[:, 0]))
    assert "'b' has values at 2 places, 3 are needed" in str(caught.value)
    with pytest.raises(InputError, match="9 points, and values of 8 rows"):
        fit_coregionalization(xy, table.iloc[:8])
