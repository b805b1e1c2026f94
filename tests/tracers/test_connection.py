"""Hydraulic connection: energy distance, its permutation, overlap of ellipses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from shapely.affinity import affine_transform
from shapely.geometry import Point

from geosoil.errors import InputError
from geosoil.tracers import _kernels_permutation as kernels
from geosoil.tracers.connection import ellipse_overlap, hydraulic_connection

PAIR = ("soil", "river")


def waters(
    seed: int, shift: float = 0.0, sites: int = 12, layers: int = 3
) -> pd.DataFrame:
    """Two waters of as many sites each, with deviations that a site shares."""
    rng = np.random.default_rng(seed)
    site = np.repeat(np.arange(2 * sites), layers)
    x = -13 + rng.normal(0, 1.5, 2 * sites)[site] + rng.normal(0, 0.5, site.size)
    x += np.where(site < sites, shift, 0.0)
    return pd.DataFrame(
        {
            "period": "June",
            "water": np.where(site < sites, "soil", "river"),
            "site_id": site,
            "d18O": x,
            "d2H": 7.5 * x + 8 + rng.normal(0, 3, site.size),
        }
    )


def connect(samples: pd.DataFrame, pair=PAIR, n: int = 99, **options) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return hydraulic_connection(samples, pair, rng=rng, n_permutations=n, **options)


def energy_loop(first: np.ndarray, second: np.ndarray) -> float:
    def mean(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.mean([[np.linalg.norm(p - q) for q in b] for p in a]))

    return 2 * mean(first, second) - mean(first, first) - mean(second, second)


def test_energy_distance_equals_a_direct_loop() -> None:
    samples = waters(1, 1.0, sites=6)
    values = samples[["d18O", "d2H"]].to_numpy()
    root = np.linalg.inv(np.linalg.cholesky(np.cov(values.T)))
    white = values @ root.T
    own = (samples["water"] == "soil").to_numpy()
    expected = np.sqrt(energy_loop(white[own], white[~own]))
    row = connect(samples).iloc[0]
    assert row["energy_distance"] == pytest.approx(expected, rel=1e-10)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=25)
def test_energy_distance_on_a_line_equals_scipy(seed) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=40)
    unit, label = rng.integers(0, 15, 40), rng.integers(0, 2, 40)
    label[:2] = 0, 1
    chunks = kernels.chunks_of(unit, label)
    distances = kernels.chunk_distances(np.column_stack([x, np.zeros(40)]), chunks)
    sizes = np.bincount(chunks.of_sample).astype(float)
    labels = np.vstack([chunks.label, kernels.permuted_labels(chunks, 5, rng)])
    found = kernels.energy_distances(distances, sizes, labels)
    for row, value in zip(labels, found, strict=True):
        first = row[chunks.of_sample] == 0
        expected = stats.energy_distance(x[first], x[~first])
        assert np.sqrt(max(value, 0)) == pytest.approx(expected, rel=1e-7, abs=1e-7)


def polygon(mean: np.ndarray, cov: np.ndarray, confidence: float = 0.95):
    root = np.linalg.cholesky(cov) * np.sqrt(stats.chi2.ppf(confidence, 2))
    circle = Point(0, 0).buffer(1.0, quad_segs=4000)
    return affine_transform(circle, [*root.ravel(), *mean])


def normal(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    root = rng.normal(size=(2, 2)) + np.eye(2)
    return rng.normal(0, 2, 2), root @ root.T + 0.05 * np.eye(2)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=40)
def test_overlap_equals_that_of_polygons(seed) -> None:
    rng = np.random.default_rng(seed)
    first, second = normal(rng), normal(rng)
    shapes = polygon(*first), polygon(*second)
    expected = shapes[0].intersection(shapes[1]).area / shapes[0].union(shapes[1]).area
    assert ellipse_overlap(first, second) == pytest.approx(expected, abs=2e-5)
    assert ellipse_overlap(second, first) == pytest.approx(
        ellipse_overlap(first, second), abs=1e-12
    )


def test_ellipses_far_apart_do_not_overlap() -> None:
    first = np.zeros(2), np.eye(2)
    assert ellipse_overlap(first, (np.array([0.0, 99.0]), np.eye(2))) == 0.0
    assert ellipse_overlap(first, (np.array([99.0, 0.0]), np.eye(2))) == 0.0


def test_bhattacharyya_coefficient_equals_its_integral() -> None:
    samples = waters(2, 1.0)
    parts = [samples.loc[samples["water"] == name, ["d18O", "d2H"]] for name in PAIR]
    laws = [stats.multivariate_normal(p.mean(), p.cov()) for p in parts]

    # Along d2H = 7.5 d18O + 8 + e both are compact: integrate over d18O and e.
    x, e = np.linspace(-25, 0, 401), np.linspace(-25, 25, 401)
    grid = np.array([[x0, 7.5 * x0 + 8 + e0] for x0 in x for e0 in e])
    heights = np.sqrt(laws[0].pdf(grid) * laws[1].pdf(grid)).reshape(401, 401)
    expected = integrate.simpson(integrate.simpson(heights, x=e), x=x)
    assert connect(samples).iloc[0]["bhattacharyya"] == pytest.approx(
        expected, abs=1e-6
    )


@given(seed=st.integers(0, 10**6), order=st.randoms(use_true_random=False))
@settings(max_examples=15)
def test_affine_changes_and_order_do_not_matter(seed, order) -> None:
    samples = waters(seed, 0.7)
    names = ["energy_distance", "overlap", "bhattacharyya"]
    first = connect(samples, n=1)
    rows = list(range(len(samples)))
    order.shuffle(rows)
    moved = samples.iloc[rows].assign(
        d18O=2 * samples["d18O"] - 0.1 * samples["d2H"] + 9,
        d2H=0.3 * samples["d2H"] + 4 * samples["d18O"],
    )
    second = connect(moved, n=1)
    np.testing.assert_allclose(second[names], first[names], rtol=1e-6, atol=2e-5)
    swapped = connect(samples, ("river", "soil"), n=1)
    np.testing.assert_allclose(swapped[names], first[names], rtol=1e-8, atol=1e-9)


def test_affine_change_keeps_the_p_value() -> None:
    samples = waters(3, 0.7)
    moved = samples.assign(d18O=0.1 * samples["d18O"] + 3, d2H=5 * samples["d2H"])
    assert connect(moved)["p_value"][0] == connect(samples)["p_value"][0]


def test_different_waters_are_told_apart_and_like_ones_are_not() -> None:
    far, near = connect(waters(4, 5.0)).iloc[0], connect(waters(5)).iloc[0]
    assert far["p_value"] == 0.01
    assert near["p_value"] > 0.05
    assert far["energy_distance"] > near["energy_distance"]
    assert far["overlap"] < 0.3 < near["overlap"]
    assert far["bhattacharyya"] < near["bhattacharyya"]


@pytest.mark.slow
def test_level_holds_where_layers_of_a_profile_are_alike() -> None:
    sites, layers, by_site, by_sample = 8, 5, 0, 0
    for seed in range(400):
        samples = waters(seed, sites=sites, layers=layers)
        by_site += connect(samples).iloc[0]["p_value"] <= 0.05
        alone = samples.assign(site_id=np.arange(len(samples)))
        by_sample += connect(alone).iloc[0]["p_value"] <= 0.05
    assert by_site / 400 <= 0.07
    assert by_sample / 400 > 0.2


def test_a_site_with_both_waters_swaps_them() -> None:
    samples = waters(6)
    shared = samples.assign(site_id=samples["site_id"] % 12)
    rng = np.random.default_rng(1)
    own = rng.normal(0, 1.5, 12)[shared["site_id"]]
    shared["d18O"] = -13 + own + np.where(shared["water"] == "soil", 0.6, 0.0)
    shared["d18O"] += rng.normal(0, 0.1, len(shared))
    shared["d2H"] = 8 * shared["d18O"] + rng.normal(0, 1, len(shared))
    apart = shared.assign(site_id=np.arange(len(shared)) // 3)
    assert connect(shared, n=999).iloc[0]["p_value"] <= 0.01
    assert connect(apart, n=999).iloc[0]["p_value"] > 0.05


def test_every_pair_of_every_period_has_a_row() -> None:
    august = waters(8, 2.0).assign(period="August")
    april = waters(7).assign(period="April", water="rain")
    found = connect(
        pd.concat([august, waters(7), april]), ("soil", "supra_permafrost", "river")
    )
    assert found["period"].tolist() == ["June"] * 3 + ["August"] * 3
    assert found["first"].tolist() == ["soil", "soil", "supra_permafrost"] * 2
    empty = found[found["reason"] != ""]
    assert len(empty) == 4
    assert empty["reason"].unique().tolist() == [
        "supra_permafrost: 0 samples, 3 needed"
    ]
    assert empty[["energy_distance", "p_value", "overlap"]].isna().all(axis=None)
    whole = found[found["reason"] == ""]
    assert whole["n_first"].tolist() == [36, 36]
    assert whole["n_sites_second"].tolist() == [12, 12]
    np.testing.assert_allclose(whole["p_holm"], whole["p_value"])


def test_waters_without_spread_or_with_few_sites_have_a_reason() -> None:
    samples = waters(9)
    river = samples["water"] == "river"
    flat = samples.assign(d2H=np.where(river, 8 * samples["d18O"], samples["d2H"]))
    assert connect(flat)["reason"][0] == "river: samples lie on one point or line"
    few = connect(waters(10, sites=2)).iloc[0]
    assert few["reason"] == "too few sites to permute"
    assert np.isnan(few["p_value"])
    assert few["energy_distance"] > 0


def test_faulty_input_is_refused() -> None:
    samples = waters(11)
    with pytest.raises(InputError, match="Name two or more, each once"):
        connect(samples, ("soil", "soil"))
    with pytest.raises(InputError, match="Name two or more"):
        connect(samples, "soil")
    with pytest.raises(InputError, match="No sample of ice, rain"):
        connect(samples, ("ice", "rain"))
    with pytest.raises(InputError, match="Invalid n_permutations '0'"):
        connect(samples, n=0)
    with pytest.raises(InputError, match="missing column site_id"):
        connect(samples.drop(columns="site_id"))
