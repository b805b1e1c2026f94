"""Cokriging against gstat, the full system, closed forms and kriging."""

from __future__ import annotations

import pickle
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.interpolation import cokriging_system, kriging_system
from geosoil.interpolation.anisotropy import Anisotropy
from geosoil.interpolation.cokriging import Cokriging
from geosoil.interpolation.cokriging_collocated import CollocatedCokriging
from geosoil.interpolation.coregionalization import (
    Coregionalization,
    fit_coregionalization,
)
from geosoil.interpolation.coregionalization_parts import CoregionalStructure
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.kriging_system import SingularKrigingError
from geosoil.interpolation.variogram import NestedVariogram, Variogram

METALS = Coregionalization(
    ("log_zinc", "log_lead"),
    [[0.05, 0.04], [0.04, 0.06]],
    (CoregionalStructure([[0.59, 0.50], [0.50, 0.46]], "spherical", 900.0),),
)
THREE = Coregionalization(
    ("log_zinc", "om", "sqrt_dist"),
    [[0.05, 0.1, -0.002], [0.1, 1.2, 0.0], [-0.002, 0.0, 0.002]],
    (
        CoregionalStructure(
            [[0.3, 0.9, -0.05], [0.9, 5.0, -0.2], [-0.05, -0.2, 0.02]],
            "spherical",
            500.0,
        ),
        CoregionalStructure(
            [[0.4, 1.2, -0.09], [1.2, 7.0, -0.3], [-0.09, -0.3, 0.04]],
            "exponential",
            400.0,
        ),
    ),
)
BOTH = ("estimate", "kriging_variance")


@pytest.fixture(scope="module")
def answers(golden: Path) -> Path:
    return golden / "geo" / "cokriging"


@pytest.fixture(scope="module")
def variables(meuse: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "log_zinc": np.log(meuse["zinc"]),
            "log_lead": np.log(meuse["lead"]),
            "om": meuse["om"],
            "sqrt_dist": np.sqrt(meuse["dist"]),
        }
    )


def every_third(table: pd.DataFrame) -> pd.DataFrame:
    """Log zinc at every third sample alone."""
    kept = np.arange(len(table)) % 3 == 0
    return table.assign(log_zinc=table["log_zinc"].where(kept))


@pytest.mark.parametrize(
    ("file", "thinned", "options"),
    [
        ("isotopic", False, {}),
        ("heterotopic", True, {}),
        ("heterotopic_nmax12", True, {"n_neighbors": 12}),
        (
            "heterotopic_simple",
            True,
            {"mean": {"log_zinc": 5.9, "log_lead": 4.8}},
        ),
    ],
)
def test_two_metals_equal_gstat(
    sites: np.ndarray,
    variables: pd.DataFrame,
    answers: Path,
    file: str,
    thinned: bool,
    options: dict,
) -> None:
    wanted = pd.read_csv(answers / f"{file}.csv", skipinitialspace=True)
    table = every_third(variables) if thinned else variables
    for target in METALS.names:
        surface = Cokriging(METALS, target=target, **options)
        surface.fit(sites, table[list(METALS.names)])
        found = surface.predict(wanted[["x", "y"]].to_numpy(dtype=float))
        for name, column in zip(BOTH, ("pred", "var"), strict=True):
            theirs = wanted[f"{target}.{column}"]
            np.testing.assert_allclose(found[name], theirs, rtol=0, atol=1e-12)


def test_three_variables_of_two_structures_with_gaps_equal_gstat(
    sites: np.ndarray, variables: pd.DataFrame, answers: Path
) -> None:
    wanted = pd.read_csv(answers / "three.csv", skipinitialspace=True)
    table = every_third(variables)[list(THREE.names)]
    for target in ("log_zinc", "om"):
        found = Cokriging(THREE, target=target).fit(sites, table)
        found = found.predict(wanted[["x", "y"]].to_numpy(dtype=float))
        for name, column in zip(BOTH, ("pred", "var"), strict=True):
            theirs = wanted[f"{target}.{column}"]
            np.testing.assert_allclose(found[name], theirs, rtol=0, atol=1e-9)


def full_system(
    data: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]],
    model: Coregionalization,
    target: str,
    place: np.ndarray,
) -> tuple[float, float]:
    """Solve the bordered matrix of all variables, entry by entry."""
    rows = [
        (name, xy, z, noise)
        for name, parts in data.items()
        for xy, z, noise in zip(*parts, strict=True)
    ]
    names = list(data)
    n, p = len(rows), len(names)
    system, right = np.zeros((n + p, n + p)), np.zeros(n + p)

    def covariance(a: str, b: str, h: float) -> float:
        i, j = model.names.index(a), model.names.index(b)
        return model.sills[i, j] - float(model.gamma(a, b, [h])[0])

    for i, (a, xa, _, noise) in enumerate(rows):
        for j, (b, xb, _, _) in enumerate(rows):
            system[i, j] = covariance(a, b, float(np.hypot(*(xa - xb))))
        system[i, i] += noise
        system[i, n + names.index(a)] = system[n + names.index(a), i] = 1.0
        right[i] = covariance(a, target, float(np.hypot(*(xa - place))))
    right[n + names.index(target)] = 1.0
    weights = np.linalg.solve(system, right)
    estimate = sum(w * row[2] for w, row in zip(weights, rows, strict=False))
    k = model.names.index(target)
    return float(estimate), float(model.sills[k, k] - weights @ right)


def random_model(rng: np.random.Generator, names: tuple[str, ...]) -> Coregionalization:
    """Matrices of full rank and two structures."""
    size = len(names)

    def matrix() -> np.ndarray:
        root = rng.normal(size=(size, size))
        return root @ root.T + 0.05 * np.eye(size)

    return Coregionalization(
        names,
        0.2 * matrix(),
        (
            CoregionalStructure(matrix(), "spherical", 300.0),
            CoregionalStructure(matrix(), "exponential", 500.0),
        ),
    )


@pytest.mark.parametrize("reach", [{}, {"n_neighbors": 4}, {"max_distance": 450.0}])
@settings(max_examples=8)
@given(seed=st.integers(0, 10**6))
def test_each_target_solves_the_full_system(reach: dict, seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = ("a", "b", "c")
    model = random_model(rng, names)
    counts = {"a": 7, "b": 12, "c": 5}
    data = {
        name: (rng.uniform(0, 1000, (n, 2)), rng.normal(size=n) * 3, rng.random(n))
        for name, n in counts.items()
    }
    data["b"][0][:3] = data["a"][0][:3]
    surface = Cokriging(model, target="b", **reach).fit(
        {name: parts[0] for name, parts in data.items()},
        {name: parts[1] for name, parts in data.items()},
        variance={name: parts[2] for name, parts in data.items()},
    )
    places = rng.uniform(0, 1000, (4, 2))
    found = surface.predict(places)
    for row, place in enumerate(places):
        near = {}
        for name, parts in data.items():
            distance = cdist(parts[0], place[None])[:, 0]
            kept = np.argsort(distance)[: int(reach.get("n_neighbors", 99))]
            kept = kept[distance[kept] <= reach.get("max_distance", np.inf)]
            if len(kept):
                near[name] = tuple(part[kept] for part in parts)
        if "b" not in near:
            assert np.isnan(found["estimate"][row])
            continue
        estimate, variance = full_system(near, model, "b", place)
        assert float(found["estimate"][row]) == pytest.approx(estimate, abs=1e-9)
        own = float(found["kriging_variance"][row])
        assert own == pytest.approx(variance, abs=1e-9)


@given(seed=st.integers(0, 10**6), local=st.booleans())
@settings(max_examples=8)
def test_multiples_of_one_variogram_at_common_places_are_kriging(
    seed: int, local: bool
) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(3, 3))
    mixing = root @ root.T + 0.1 * np.eye(3)
    model = Coregionalization(
        ("a", "b", "c"),
        0.2 * mixing,
        (CoregionalStructure(0.8 * mixing, "spherical", 600.0),),
    )
    xy, places = rng.uniform(0, 1000, (25, 2)), rng.uniform(0, 1000, (6, 2))
    table = pd.DataFrame(rng.normal(size=(25, 3)), columns=list("abc"))
    reach = {"n_neighbors": 8} if local else {}
    for name in model.names:
        found = Cokriging(model, target=name, **reach).fit(xy, table).predict(places)
        alone = Kriging(model.variogram(name), **reach).fit(xy, table[name])
        wanted = alone.predict(places)
        for answer in BOTH:
            np.testing.assert_allclose(found[answer], wanted[answer], atol=1e-10)


@pytest.mark.parametrize("reach", [{}, {"n_neighbors": 8}])
def test_uncorrelated_variables_leave_kriging_as_it_is(reach: dict) -> None:
    rng = np.random.default_rng(8)
    own = Variogram("spherical", 0.1, 1.0, 600.0)
    model = Coregionalization(
        ("a", "b"),
        np.diag([0.1, 3.0]),
        (CoregionalStructure(np.diag([1.0, 40.0]), "spherical", 600.0),),
    )
    xy, other = rng.uniform(0, 1000, (25, 2)), rng.uniform(0, 1000, (60, 2))
    values = {"a": rng.normal(size=25), "b": rng.normal(size=60)}
    noise = rng.random(25)
    places = rng.uniform(0, 1000, (9, 2))
    surface = Cokriging(model, target="a", **reach)
    surface.fit({"a": xy, "b": other}, values, variance={"a": noise})
    alone = Kriging(own, **reach).fit(xy, values["a"], variance=noise)
    for answer in BOTH:
        np.testing.assert_allclose(
            surface.predict(places)[answer], alone.predict(places)[answer], atol=1e-10
        )


@given(seed=st.integers(0, 10**6))
@settings(max_examples=8)
def test_more_variables_never_widen_the_uncertainty_and_levels_do_not_matter(
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    model = random_model(rng, ("a", "b"))
    xy, places = rng.uniform(0, 1000, (20, 2)), rng.uniform(0, 1000, (6, 2))
    table = pd.DataFrame(rng.normal(size=(20, 2)), columns=["a", "b"])
    table.loc[:9, "a"] = np.nan
    found = Cokriging(model, target="a").fit(xy, table).predict(places)
    alone = Kriging(model.variogram("a")).fit(xy, table["a"]).predict(places)
    wider = found["kriging_variance"] - alone["kriging_variance"]
    assert float(wider.max()) <= 1e-10
    shifted = Cokriging(model, target="a").fit(xy, table.add([5.0, -700.0]))
    moved = shifted.predict(places)["estimate"] - found["estimate"]
    np.testing.assert_allclose(moved, 5.0, atol=1e-9)
    scaled = Cokriging(model.scaled([1e-3, 1e3]), target="a")
    small = scaled.fit(xy, table * [1e-3, 1e3]).predict(places)
    np.testing.assert_allclose(small["estimate"] * 1e3, found["estimate"], atol=1e-9)
    np.testing.assert_allclose(
        small["kriging_variance"] * 1e6, found["kriging_variance"], atol=1e-9
    )


def test_the_data_of_the_target_are_kept_and_noise_is_filtered(
    sites: np.ndarray, variables: pd.DataFrame
) -> None:
    table = variables[list(METALS.names)]
    found = Cokriging(METALS, target="log_lead").fit(sites, table).predict(sites)
    np.testing.assert_allclose(found["estimate"], table["log_lead"], atol=1e-10)
    np.testing.assert_allclose(found["kriging_variance"], 0.0, atol=1e-12)
    noise = pd.DataFrame({"log_lead": np.full(len(table), 0.1)})
    noisy = Cokriging(METALS, target="log_lead").fit(sites, table, variance=noise)
    smooth = noisy.predict(sites)
    assert float(np.abs(smooth["estimate"] - table["log_lead"]).max()) > 1e-3
    assert float(smooth["kriging_variance"].min()) > 1e-3


def test_a_direction_is_cokriging_on_stretched_ground() -> None:
    rng = np.random.default_rng(5)
    xy, places = rng.uniform(0, 1e4, (30, 2)), rng.uniform(0, 1e4, (8, 2))
    table = pd.DataFrame(rng.normal(size=(30, 2)), columns=["a", "b"])
    sills, turn = [[1.0, 0.5], [0.5, 1.0]], Anisotropy(30.0, 0.4)
    turned = Coregionalization(
        ("a", "b"),
        0.1 * np.eye(2),
        (CoregionalStructure(sills, "exponential", 4e3, anisotropy=turn),),
    )
    plain = Coregionalization(
        ("a", "b"), 0.1 * np.eye(2), (CoregionalStructure(sills, "exponential", 4e3),)
    )
    for reach in ({}, {"n_neighbors": 29, "max_distance": 1e9}):
        found = Cokriging(turned, target="a", **reach).fit(xy, table).predict(places)
        if not reach:
            stretched = Cokriging(plain, target="a").fit(turn.reduce(xy), table)
            wanted = stretched.predict(turn.reduce(places))
            for answer in BOTH:
                np.testing.assert_allclose(found[answer], wanted[answer], atol=1e-10)
        assert np.isfinite(found["estimate"]).all()


@pytest.mark.slow
def test_a_model_name_is_fitted_to_the_data(
    sites: np.ndarray, variables: pd.DataFrame
) -> None:
    table = every_third(variables)[list(METALS.names)]
    surface = Cokriging("spherical", target="log_zinc").fit(sites, table)
    fitted = fit_coregionalization(sites, table)
    np.testing.assert_allclose(surface.coregionalization_.sills, fitted.sills)
    found = surface.predict(sites[:5] + 20.0)
    given_model = Cokriging(fitted, target="log_zinc").fit(sites, table)
    wanted = given_model.predict(sites[:5] + 20.0)
    np.testing.assert_allclose(found["estimate"], wanted["estimate"], atol=1e-9)
    assert found.attrs["variables"] == "log_zinc 52, log_lead 155"
    assert found.attrs["method"] == "ordinary cokriging"
    assert found.attrs["n_points"] == 52


def test_repeats_are_averaged_by_variable() -> None:
    xy = np.array([[0.0, 0.0], [0.0, 0.0], [300.0, 0.0], [500.0, 90.0]])
    table = pd.DataFrame(
        {"log_zinc": [1.0, 3.0, 5.0, 2.0], "log_lead": [np.nan, 4.0, 2.0, 1.0]}
    )
    noise = {"log_zinc": [0.2, 0.4, 0.1, 0.1]}
    twice = Cokriging(METALS, target="log_zinc").fit(xy, table, variance=noise)
    assert twice.n_merged_ == 1
    once = Cokriging(METALS, target="log_zinc").fit(
        xy[1:],
        {"log_zinc": [2.0, 5.0, 2.0], "log_lead": [4.0, 2.0, 1.0]},
        variance={"log_zinc": [0.15, 0.1, 0.1]},
    )
    place = [[100.0, 50.0]]
    for answer in BOTH:
        np.testing.assert_allclose(
            twice.predict(place)[answer], once.predict(place)[answer], atol=1e-12
        )


def test_a_grid_in_degrees_equals_its_centres_as_points() -> None:
    rng = np.random.default_rng(6)
    lonlat = rng.uniform([95.0, 33.0], [96.0, 34.0], (30, 2))
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*lonlat.T), crs="EPSG:4326")
    model = Coregionalization(
        ("a", "b"),
        0.1 * np.eye(2),
        (CoregionalStructure([[1.0, 0.7], [0.7, 1.0]], "spherical", 9e4),),
    )
    table = pd.DataFrame(rng.normal(size=(30, 2)), columns=["a", "b"])
    surface = Cokriging(model, target="a")
    surface.fit({"a": points[:12], "b": points}, {"a": table.a[:12], "b": table.b})
    grid = Grid.from_bounds((95.0, 33.0, 96.0, 34.0), 0.25, "EPSG:4326")
    x, y = np.meshgrid(grid.x, grid.y)
    centres = gpd.GeoSeries.from_xy(x.ravel(), y.ravel(), crs="EPSG:4326")
    for answer in BOTH:
        np.testing.assert_allclose(
            surface.grid(grid)[answer].to_numpy().ravel(),
            surface.predict(centres)[answer],
            atol=1e-12,
        )
    again = pickle.loads(pickle.dumps(surface)).predict(centres)
    np.testing.assert_array_equal(
        again["estimate"], surface.predict(centres)["estimate"]
    )


def test_block_size_does_not_change_the_answer(
    sites: np.ndarray, variables: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = every_third(variables)[list(METALS.names)]
    for reach in ({}, {"n_neighbors": 6}):
        surface = Cokriging(METALS, target="log_zinc", **reach).fit(sites, table)
        whole = surface.predict(sites + 11.0)
        with monkeypatch.context() as patch:
            patch.setattr(cokriging_system, "BLOCK", 7)
            patch.setattr(cokriging_system, "LOCAL_NUMBERS", 500)
            parts = surface.predict(sites + 11.0)
        for answer in BOTH:
            np.testing.assert_allclose(parts[answer], whole[answer], rtol=1e-12)


def test_one_variable_under_two_names_is_a_singular_system_that_is_named() -> None:
    rng = np.random.default_rng(7)
    model = Coregionalization(
        ("a", "b"),
        np.zeros((2, 2)),
        (CoregionalStructure([[1.0, 2.0], [2.0, 4.0]], "spherical", 600.0),),
    )
    xy = rng.uniform(0, 1000, (12, 2))
    table = pd.DataFrame({"a": rng.normal(size=12), "b": rng.normal(size=12)})
    for reach in ({}, {"n_neighbors": 5}):
        with pytest.raises(SingularKrigingError, match="'a' and 'b' are one variable"):
            Cokriging(model, target="a", **reach).fit(xy, table).predict(xy + 3.0)
    noise = {"b": np.full(12, 0.1)}
    saved = Cokriging(model, target="a").fit(xy, table, variance=noise)
    assert np.isfinite(saved.predict(xy + 3.0)["estimate"]).all()
    close = np.column_stack([np.arange(12) * 0.01, np.zeros(12)])
    smooth = Coregionalization(
        ("a", "b"), np.zeros((2, 2)), (CoregionalStructure(np.eye(2), "gaussian", 5e3),)
    )
    with pytest.raises(SingularKrigingError, match="merge the closest places"):
        Cokriging(smooth, target="a").fit(close, table)


def test_a_dense_system_too_large_is_refused(
    sites: np.ndarray, variables: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kriging_system, "DENSE_LIMIT", 200)
    table = variables[list(METALS.names)]
    with pytest.raises(InputError, match="One system of 310 data needs"):
        Cokriging(METALS, target="log_zinc").fit(sites, table)
    local = Cokriging(METALS, target="log_zinc", n_neighbors=8).fit(sites, table)
    assert np.isfinite(local.predict(sites[:3] + 1.0)["estimate"]).all()


def test_there_is_no_answer_far_from_the_target_variable() -> None:
    xy = np.array([[0.0, 0.0], [50.0, 0.0], [900.0, 0.0], [950.0, 0.0]])
    table = pd.DataFrame({"log_zinc": [1, 2, np.nan, np.nan], "log_lead": [1, 2, 3, 4]})
    places = [[25.0, 0.0], [925.0, 0.0], [500.0, 0.0]]
    ordinary = Cokriging(METALS, target="log_zinc", max_distance=100.0).fit(xy, table)
    empty = np.isnan(ordinary.predict(places)["estimate"]).to_numpy()
    assert empty.tolist() == [False, True, True]
    means = {"log_zinc": 2.0, "log_lead": 2.0}
    simple = Cokriging(METALS, target="log_zinc", mean=means, max_distance=100.0)
    found = simple.fit(xy, table).predict(places)
    empty = np.isnan(found["kriging_variance"]).to_numpy()
    assert empty.tolist() == [False, False, True]


def test_bad_input_is_named() -> None:
    xy = np.random.default_rng(9).uniform(0, 100, (6, 2))
    table = pd.DataFrame({"log_zinc": xy[:, 0], "log_lead": xy[:, 1]})
    surface = Cokriging(METALS, target="log_zinc")
    with pytest.raises(InputError, match="give a DataFrame with a column for each"):
        surface.fit(xy, xy[:, 0])
    with pytest.raises(InputError, match="no values of log_lead") as caught:
        surface.fit(xy, table.rename(columns={"log_lead": "copper"}))
    assert "there are values of copper" in str(caught.value)
    with pytest.raises(InputError, match="there are variances of copper"):
        surface.fit(xy, table, variance={"copper": xy[:, 0]})
    with pytest.raises(InputError, match="'log_lead': None of 6 points has a finite"):
        surface.fit(xy, table.assign(log_lead=np.nan))
    with pytest.raises(InputError, match="'log_lead': Variances below 0"):
        surface.fit(xy, table, variance={"log_lead": np.full(6, -1.0)})
    with pytest.raises(InputError, match="No points for 'log_lead'"):
        surface.fit({"log_zinc": xy}, table)
    with pytest.raises(InputError, match="there are points of copper"):
        surface.fit({"log_zinc": xy, "log_lead": xy, "copper": xy}, table)
    degrees = gpd.GeoSeries.from_xy(*(90 + xy.T / 100), crs="EPSG:4326")
    with pytest.raises(InputError, match=r"\['log_lead'\] are bare metres"):
        surface.fit({"log_zinc": degrees, "log_lead": xy}, table)
    with pytest.raises(MissingCRSError):
        surface.fit(gpd.GeoSeries.from_xy(*xy.T), table)
    with pytest.raises(InputError, match="not fitted"):
        Cokriging(METALS, target="log_zinc").predict(xy)
    with pytest.raises(InputError, match="'copper' is no variable"):
        Cokriging(METALS, target="copper")
    with pytest.raises(InputError, match="Unknown model 'sphere'"):
        Cokriging("sphere", target="log_zinc")
    with pytest.raises(InputError, match="the target 'copper' is none of them"):
        Cokriging("spherical", target="copper").fit(xy, table)
    with pytest.raises(InputError, match="No mean of log_lead"):
        Cokriging(METALS, target="log_zinc", mean={"log_zinc": 5.0}).fit(xy, table)
    flat = Coregionalization(("log_zinc", "log_lead"), [[1.0, 0.0], [0.0, 0.0]])
    with pytest.raises(InputError, match="log_lead have a sill of 0"):
        Cokriging(flat, target="log_zinc").fit(xy, table)


FIELD = Variogram("spherical", 0.2, 1.5, 600.0)


def collocated_system(
    xy: np.ndarray,
    z: np.ndarray,
    noise: np.ndarray,
    place: np.ndarray,
    secondary: tuple[float, float],
    mean: float | None,
) -> tuple[float, float]:
    """Solve the matrix of the data and the one secondary value."""
    y, r = secondary
    spread = np.sqrt(FIELD.sill)
    n = len(z)
    c = FIELD.covariance(cdist(xy, place[None])[:, 0])
    system = np.zeros((n + 2, n + 2))
    system[:n, :n] = FIELD.covariance(cdist(xy, xy)) + np.diag(noise)
    system[n, :n] = system[:n, n] = r / spread * c
    system[n, n] = 1.0
    system[n + 1, :n] = system[:n, n + 1] = 1.0
    right = np.array([*c, r * spread, 1.0])
    if mean is not None:
        weights = np.linalg.solve(system[:-1, :-1], right[:-1])
        estimate = mean + weights[:n] @ (z - mean) + weights[n] * y
        return estimate, FIELD.sill - weights @ right[:-1]
    weights = np.linalg.solve(system, right)
    return weights[:n] @ z + weights[n] * y, FIELD.sill - weights @ right


@pytest.mark.parametrize("reach", [{}, {"n_neighbors": 6}])
@pytest.mark.parametrize("mean", [None, 3.0])
@settings(max_examples=10)
@given(seed=st.integers(0, 10**6), r=st.floats(-0.99, 0.99))
def test_collocated_cokriging_solves_its_own_full_system(
    reach: dict, mean: float | None, seed: int, r: float
) -> None:
    rng = np.random.default_rng(seed)
    xy, z, noise = rng.uniform(0, 1000, (15, 2)), rng.normal(3, 1, 15), rng.random(15)
    y = rng.normal(50, 9, 15)
    places, at_places = rng.uniform(0, 1000, (4, 2)), rng.normal(50, 9, 4)
    surface = CollocatedCokriging(FIELD, correlation=r, mean=mean, **reach)
    surface.fit(xy, z, variance=noise, secondary=y)
    found = surface.predict(places, secondary=at_places)
    for row, place in enumerate(places):
        near = np.argsort(cdist(xy, place[None])[:, 0])[: reach.get("n_neighbors", 99)]
        standard = (at_places[row] - y.mean()) / y.std(ddof=1)
        estimate, variance = collocated_system(
            xy[near], z[near], noise[near], place, (standard, r), mean
        )
        assert float(found["estimate"][row]) == pytest.approx(estimate, abs=1e-9)
        own = float(found["kriging_variance"][row])
        assert own == pytest.approx(variance, abs=1e-9)


@pytest.mark.parametrize("reach", [{}, {"n_neighbors": 6}])
def test_without_correlation_collocated_cokriging_is_kriging(reach: dict) -> None:
    rng = np.random.default_rng(10)
    xy, z, noise = rng.uniform(0, 1000, (20, 2)), rng.normal(3, 1, 20), rng.random(20)
    places = rng.uniform(0, 1000, (9, 2))
    nested = NestedVariogram((FIELD, Variogram("exponential", 0.1, 0.4, 200.0)))
    noisy = Variogram("spherical", 0.2, 1.5, 600.0, error=0.3)
    for model in (FIELD, nested, noisy):
        surface = CollocatedCokriging(model, correlation=0.0, **reach)
        surface.fit(xy, z, variance=noise, secondary=rng.normal(size=20))
        found = surface.predict(places, secondary=rng.normal(size=9))
        wanted = Kriging(model, **reach).fit(xy, z, variance=noise).predict(places)
        for answer in BOTH:
            np.testing.assert_allclose(found[answer], wanted[answer], atol=1e-10)


def test_a_perfect_correlation_leaves_nothing_uncertain() -> None:
    rng = np.random.default_rng(11)
    xy, z, y = rng.uniform(0, 1000, (20, 2)), rng.normal(3, 1, 20), rng.normal(size=20)
    places, at_places = rng.uniform(0, 1000, (9, 2)), rng.normal(size=9)
    last = np.inf
    for r in (0.9, 0.99, 0.999, 1.0):
        surface = CollocatedCokriging(FIELD, correlation=r, mean=3.0)
        surface.fit(xy, z, secondary=y)
        found = surface.predict(places, secondary=at_places)
        largest = float(found["kriging_variance"].max())
        assert largest < last
        last = largest
    assert last < 1e-12
    standard = (at_places - y.mean()) / y.std(ddof=1)
    np.testing.assert_allclose(
        found["estimate"], 3.0 + np.sqrt(FIELD.sill) * standard, atol=1e-9
    )
    ordinary = CollocatedCokriging(FIELD, correlation=-1.0).fit(xy, z, secondary=y)
    at_data = ordinary.predict(xy, secondary=rng.normal(size=20))
    np.testing.assert_allclose(at_data["estimate"], z, atol=1e-9)
    np.testing.assert_allclose(at_data["kriging_variance"], 0.0, atol=1e-9)


def test_a_raster_is_read_at_data_and_cells_and_its_gaps_are_counted() -> None:
    rng = np.random.default_rng(12)
    grid = Grid.from_bounds((0, 0, 1000, 800), 100, "EPSG:32647")
    heights = rng.normal(4000, 200, grid.shape)
    heights[2, 3] = np.nan
    raster = grid.raster(heights, name="elevation")
    rows, columns = rng.integers(3, 8, 20), rng.integers(0, 10, 20)
    xy = np.column_stack([grid.x[columns], grid.y[rows]]) + rng.normal(size=(20, 2))
    z = rng.normal(size=20)
    surface = CollocatedCokriging(FIELD, secondary=raster).fit(xy, z)
    moments = surface.secondary_
    assert moments.mean == pytest.approx(np.nanmean(heights))
    assert moments.standard_deviation == pytest.approx(np.nanstd(heights, ddof=1))
    found = surface.grid(grid)
    assert found.attrs["n_without_secondary"] == 1
    assert np.isnan(found["estimate"]).to_numpy().sum() == 1
    np.testing.assert_array_equal(found["secondary"], heights)
    x, y = np.meshgrid(grid.x, grid.y)
    centres = np.column_stack([x.ravel(), y.ravel()])
    by_raster = surface.predict(centres)
    by_values = surface.predict(centres, secondary=heights.ravel())
    for answer in BOTH:
        flat = found[answer].to_numpy().ravel()
        np.testing.assert_allclose(by_raster[answer], flat, atol=1e-9)
        np.testing.assert_allclose(by_values[answer], flat, atol=1e-9)
    given_late = surface.grid(grid, secondary=raster)
    np.testing.assert_array_equal(given_late["estimate"], found["estimate"])


def test_the_correlation_is_that_of_the_data_or_the_given_one() -> None:
    rng = np.random.default_rng(13)
    xy = rng.uniform(0, 1000, (30, 2))
    y = rng.normal(size=30)
    z = 0.6 * y + rng.normal(size=30)
    y[4] = np.nan
    z[7] = np.nan
    surface = CollocatedCokriging("spherical").fit(xy, z, secondary=y)
    both = np.isfinite(y) & np.isfinite(z)
    wanted = np.corrcoef(y[both], z[both])[0, 1]
    assert surface.secondary_.correlation == pytest.approx(wanted, abs=1e-12)
    assert surface.n_dropped_ == 1
    told = CollocatedCokriging("spherical", correlation=0.3).fit(xy, z, secondary=y)
    assert told.secondary_.correlation == 0.3
    assert told.predict(xy[:2], secondary=y[:2]).attrs["correlation"] == 0.3


def test_a_raster_beside_the_data_cannot_help() -> None:
    xy = np.random.default_rng(15).uniform(0, 1000, (9, 2))
    grid = Grid.from_bounds((5000, 0, 6000, 800), 100, "EPSG:32647")
    raster = grid.raster(np.random.default_rng(15).normal(size=grid.shape))
    surface = CollocatedCokriging(FIELD, secondary=raster)
    with pytest.raises(InputError, match="'primary' has values at 0 places"):
        surface.fit(xy, xy[:, 0])


def test_a_secondary_variable_that_cannot_help_is_named() -> None:
    xy = np.random.default_rng(14).uniform(0, 1000, (9, 2))
    z, y = xy[:, 0] ** 2, xy[:, 1]
    with pytest.raises(InputError, match="The secondary variable is not known"):
        CollocatedCokriging(FIELD).fit(xy, z)
    fitted = CollocatedCokriging(FIELD).fit(xy, z, secondary=y)
    grid = Grid.from_bounds((0, 0, 1000, 800), 100, "EPSG:32647")
    for call in (lambda: fitted.predict(xy), lambda: fitted.grid(grid)):
        with pytest.raises(InputError, match="The secondary variable is not known"):
            call()
    with pytest.raises(InputError, match="9 points, but a secondary of shape"):
        fitted.predict(xy, secondary=y[:4])
    with pytest.raises(InputError, match="'secondary' has the same value everywhere"):
        CollocatedCokriging(FIELD).fit(xy, z, secondary=np.ones(9))
    with pytest.raises(InputError, match="the same everywhere does not help"):
        CollocatedCokriging(FIELD, correlation=0.2).fit(xy, z, secondary=np.ones(9))
    with pytest.raises(InputError, match="has 0 values"):
        CollocatedCokriging(FIELD, correlation=0.2).fit(xy, z, secondary=y * np.nan)
    with pytest.raises(InputError, match="within -1 and 1"):
        CollocatedCokriging(FIELD, correlation=1.2)
    with pytest.raises(InputError, match="no sill"):
        CollocatedCokriging(Variogram("power", 0.0, 1.0, 1.0))
    with pytest.raises(InputError, match="Unknown model"):
        CollocatedCokriging("sphere")
    flat = CollocatedCokriging("spherical", correlation=0.5)
    with pytest.raises(InputError, match="The values have no variance"):
        flat.fit(xy, np.ones(9), secondary=y)
