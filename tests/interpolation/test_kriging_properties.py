"""What holds for kriging whatever the data: exactness, weights, units, order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from geosoil.interpolation.anisotropy import Anisotropy
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.variogram import NestedVariogram, Variogram

MODELS = (
    Variogram("spherical", 0.2, 1.0, 700.0),
    Variogram("exponential", 0.05, 1.0, 300.0, anisotropy=Anisotropy(40.0, 0.5)),
    Variogram("matern", 0.1, 1.0, 150.0, smoothness=1.5),
    Variogram("circular", 0.1, 2.0, 900.0),
    NestedVariogram(
        (
            Variogram("spherical", 0.1, 0.5, 200.0),
            Variogram("gaussian", 0.1, 1.0, 400.0),
        )
    ),
)
KINDS: tuple[dict[str, Any], ...] = (
    {},
    {"mean": 3.0},
    {"drift": "linear"},
    {"drift": "quadratic"},
    {"n_neighbors": 12, "drift": "linear"},
    {"n_neighbors": 9},
    {"max_distance": 800.0},
    {"block": 30.0},
)
seeds = st.integers(0, 2**32 - 1)
models, kinds = st.sampled_from(MODELS), st.sampled_from(KINDS)
quick = settings(max_examples=12, deadline=None)
few = settings(max_examples=8, deadline=None)


@dataclass(frozen=True)
class Case:
    xy: np.ndarray
    z: np.ndarray
    height: np.ndarray
    targets: np.ndarray
    target_height: np.ndarray


def draw(seed: int, count: int = 24) -> Case:
    """Draw data on a jittered lattice, so that no two places nearly touch."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(5) * 200.0, np.arange(5) * 200.0)
    lattice = np.column_stack([x.ravel(), y.ravel()]) + rng.uniform(-80, 80, (25, 2))
    xy = lattice[rng.permutation(25)[:count]]
    return Case(
        xy,
        rng.normal(3, 1, count),
        rng.uniform(3000, 5000, count),
        rng.uniform(0, 800, (10, 2)),
        rng.uniform(3000, 5000, 10),
    )


def krige(case: Case, model: Any, options: dict[str, Any], **more: Any):
    surface = Kriging(model, **options, **more)
    if "mean" in options or "n_neighbors" in options:
        return surface.fit(case.xy, case.z).predict(case.targets)
    surface.fit(case.xy, case.z, drift=case.height)
    return surface.predict(case.targets, drift=case.target_height)


def check_equal(found, wanted, atol: float = 1e-8) -> None:
    for name in ("estimate", "kriging_variance"):
        np.testing.assert_allclose(found[name], wanted[name], rtol=0, atol=atol)


@quick
@given(seeds, models, kinds)
def test_kriging_is_exact_at_data_without_error(seed, model, options) -> None:
    case = draw(seed)
    at_data = replace(case, targets=case.xy, target_height=case.height)
    if "block" in options:
        return
    found = krige(at_data, model, options)
    np.testing.assert_allclose(found["estimate"], case.z, atol=1e-9)
    np.testing.assert_allclose(found["kriging_variance"], 0, atol=1e-9)


@quick
@given(seeds, models, kinds)
def test_a_value_that_is_its_drift_is_reproduced_everywhere(
    seed, model, options
) -> None:
    case = draw(seed)
    if "mean" in options:
        return
    if "n_neighbors" not in options:
        follows = replace(case, z=2.5 - 0.003 * case.height)
        wanted = 2.5 - 0.003 * case.target_height
        np.testing.assert_allclose(
            krige(follows, model, options)["estimate"], wanted, atol=1e-9
        )
    if "drift" in options:
        slope = np.array([0.02, -0.01])
        plane = replace(case, z=case.xy @ slope + 7)
        found = krige(plane, model, options)["estimate"]
        np.testing.assert_allclose(found, case.targets @ slope + 7, atol=1e-8)


@few
@given(seeds, models, kinds)
def test_the_weights_sum_to_one(seed, model, options) -> None:
    """Each datum's weight is the estimate of data that are 0 but for it."""
    case = draw(seed, 12)
    options = {key: value for key, value in options.items() if key != "mean"}
    total = np.zeros(10)
    for i in range(12):
        one = replace(case, z=(np.arange(12) == i).astype(float))
        total += krige(one, model, options)["estimate"].to_numpy()
    np.testing.assert_allclose(total, 1.0, atol=1e-9)


@quick
@given(seeds, models, kinds)
def test_the_order_of_the_data_does_not_matter(seed, model, options) -> None:
    case = draw(seed)
    order = np.random.default_rng(seed).permutation(len(case.z))
    other = replace(case, xy=case.xy[order], z=case.z[order], height=case.height[order])
    check_equal(krige(other, model, options), krige(case, model, options))


@quick
@given(seeds, kinds, st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_units_of_the_values_are_followed(
    seed, options, scale: float, shift: float
) -> None:
    case = draw(seed)
    plain = krige(case, Variogram("spherical", 0.2, 1.0, 700.0), options)
    model = Variogram("spherical", 0.2 * scale**2, scale**2, 700.0)
    if "mean" in options:
        options = {"mean": shift + scale * options["mean"]}
    found = krige(replace(case, z=shift + scale * case.z), model, options)
    np.testing.assert_allclose(
        found["estimate"],
        shift + scale * plain["estimate"],
        atol=1e-9 * max(scale, 1e3),
    )
    np.testing.assert_allclose(
        found["kriging_variance"], scale**2 * plain["kriging_variance"], rtol=1e-7
    )


@quick
@given(seeds, models, st.floats(1e-6, 1e6), st.floats(-1e6, 1e6))
def test_units_of_the_drift_do_not_matter(
    seed, model, scale: float, shift: float
) -> None:
    case = draw(seed)
    # The shift keeps the digits of what is told by them.
    shift *= min(1.0, 1e3 * scale)
    other = replace(
        case,
        height=shift + scale * case.height,
        target_height=shift + scale * case.target_height,
    )
    check_equal(krige(other, model, {}), krige(case, model, {}), 1e-7)


@few
@given(seeds, st.floats(0, 360), kinds)
def test_turning_the_map_does_not_matter(seed, angle: float, options) -> None:
    case = draw(seed)
    if "block" in options or options.get("max_distance"):
        return
    turn = np.radians(angle)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    turned = replace(
        case, xy=case.xy @ matrix.T + 5e5, targets=case.targets @ matrix.T + 5e5
    )
    for model in (MODELS[0], MODELS[2]):
        check_equal(krige(turned, model, options), krige(case, model, options), 1e-7)
    # The direction of a model turns against the clock as the map does.
    along = replace(MODELS[1], anisotropy=Anisotropy(40.0 - angle, 0.5))
    check_equal(krige(turned, along, options), krige(case, MODELS[1], options), 1e-7)


@quick
@given(seeds, models, st.sampled_from(KINDS[:4]), st.booleans())
def test_neighbourhoods_of_all_data_are_kriging_from_all(
    seed, model, options, noisy: bool
) -> None:
    case = draw(seed)
    noise = np.random.default_rng(seed).random(24) if noisy else None
    everything = {"n_neighbors": 24, "max_distance": 1e6}
    answers = []
    for more in ({}, everything):
        surface = Kriging(model, **options, **more)
        drift = {} if "mean" in options else {"drift": case.height}
        surface.fit(case.xy, case.z, variance=noise, **drift)
        at = {} if "mean" in options else {"drift": case.target_height}
        answers.append(surface.predict(case.targets, **at))
    check_equal(*answers)
    alone = Kriging(model, **options, n_neighbors=30).fit(case.xy, case.z)
    assert alone.system_ is not None


@quick
@given(seeds, models, st.booleans())
def test_external_drift_is_regression_kriging_by_hand(seed, model, noisy: bool) -> None:
    """Generalised least squares, then simple kriging of the residuals around 0."""
    case = draw(seed)
    noise = np.random.default_rng(seed).random(24) if noisy else np.zeros(24)
    columns = np.column_stack([np.ones(24), case.height / 1000])
    at = np.column_stack([np.ones(10), case.target_height / 1000])
    covariance = model.covariance_between(case.xy, case.xy) + np.diag(noise)
    near = model.covariance_between(case.xy, case.targets)
    inverse = np.linalg.inv(covariance)
    spread = np.linalg.inv(columns.T @ inverse @ columns)
    b = spread @ columns.T @ inverse @ case.z
    residuals = Kriging(model, mean=0.0).fit(
        case.xy, case.z - columns @ b, variance=noise
    )
    rest = residuals.predict(case.targets)
    gap = at - near.T @ inverse @ columns
    surface = Kriging(model).fit(case.xy, case.z, variance=noise, drift=case.height)
    found = surface.predict(case.targets, drift=case.target_height)
    np.testing.assert_allclose(found["estimate"], at @ b + rest["estimate"], atol=1e-9)
    np.testing.assert_allclose(
        found["kriging_variance"],
        rest["kriging_variance"] + np.einsum("mp,pq,mq->m", gap, spread, gap),
        atol=1e-9,
    )


@quick
@given(seeds, models)
def test_more_data_and_more_knowledge_never_cost_variance(seed, model) -> None:
    case = draw(seed)
    simple = Kriging(model, mean=3.0).fit(case.xy, case.z).predict(case.targets)
    ordinary = Kriging(model).fit(case.xy, case.z).predict(case.targets)
    drift = krige(case, model, {})
    fewer = Kriging(model).fit(case.xy[:15], case.z[:15]).predict(case.targets)
    known, one = simple["kriging_variance"], ordinary["kriging_variance"]
    assert (known <= one + 1e-12).all()
    assert (one <= drift["kriging_variance"] + 1e-12).all()
    assert (one <= fewer["kriging_variance"] + 1e-12).all()


@pytest.mark.slow
def test_errors_are_as_large_as_the_variance_says() -> None:
    """Of 4000 simulated fields, 90 % of the truths lie in the 90 % intervals."""
    model = Variogram("exponential", 0.05, 1.0, 300.0)
    inside = []
    for seed in range(400):
        case = draw(seed)
        rng = np.random.default_rng(seed)
        places = np.vstack([case.xy, case.targets])
        lower = np.linalg.cholesky(model.covariance(cdist(places, places)))
        heights = np.append(case.height, case.target_height)
        field = lower @ rng.normal(size=34) + 0.002 * heights
        found = krige(replace(case, z=field[:24]), model, {})
        z = (field[24:] - found["estimate"]) / np.sqrt(found["kriging_variance"])
        inside.append((np.abs(z) < 1.6449).mean().item())
    assert 0.88 < np.mean(inside) < 0.92
