"""Surfaces are compositions, and their spread holds what is common to all sites."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.config import InterpolationSettings
from geosoil.interpolation.domains import (
    SiteFractions,
    map_by_domain,
    noise_filtered_kriging,
)
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.variogram import Variogram
from geosoil.workflow.mapping_draws import Spread, draw_surfaces
from geosoil.workflow.mapping_methods import METHODS, SourceModel, fit_models
from geosoil.workflow.mapping_sites import PeriodSites, domains_of
from geosoil.workflow.mapping_surfaces import Patch, estimate, patches_of
from tests.workflow.mapping_cases import (
    GRID,
    RULE,
    heights,
    random_places,
    sites_of,
    smooth_fraction,
    target,
)

SETTINGS = InterpolationSettings()
ELEVATION = GRID.raster(target().ground)


def three_sources(seed: int, noise: float = 0.3) -> PeriodSites:
    places = random_places(seed, 80)
    rng = np.random.default_rng(seed)
    ice = smooth_fraction(*places) + noise * rng.normal(size=80)
    snow = np.where(heights(places[0]) < 3600.0, 0.0, 0.2 + noise * rng.normal(size=80))
    return sites_of(ice, places, snow=snow, rules=(RULE,), error=noise**2)


def made(sites: PeriodSites, method: str) -> tuple[list[Patch], dict[str, np.ndarray]]:
    domains = domains_of(sites, GRID, ELEVATION)
    kind = "kriging" if method == "idw" else method
    models = {d.label: fit_models(sites, d, kind, SETTINGS) for d in domains}
    patches = patches_of(sites, domains, models, (method, SETTINGS), target())
    return patches, estimate(sites, domains, patches, target())


def drawn(sites: PeriodSites, patches: list[Patch], common: np.ndarray) -> Spread:
    areas = np.full((1, *GRID.shape), 1.0 / np.prod(GRID.shape))
    rng = np.random.default_rng(7)
    return draw_surfaces(sites, patches, common, target(), areas=areas, rng=rng)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=3)
@given(seed=st.integers(0, 10_000))
def test_every_cell_is_a_composition_with_exact_zeros(method: str, seed: int) -> None:
    _, values = made(three_sources(seed), method)
    stack = np.stack(list(values.values()))
    np.testing.assert_allclose(stack.sum(axis=0), 1.0, atol=1e-12)
    assert stack.min() >= 0.0
    low = target().ground < 3600.0
    assert (values["snow"][low] == 0.0).all()
    assert (values["snow"][~low] > 0.0).any()


def test_weighted_kriging_is_that_of_the_domains() -> None:
    sites = three_sources(11)
    _, values = made(sites, "kriging")
    raw = pd.DataFrame(sites.raw, columns=list(sites.sources))
    given_sites = SiteFractions(
        sites.points, raw, sites.height, raw * 0.0 + sites.error_variance[0, 0]
    )
    answer = map_by_domain(
        given_sites,
        lambda part: noise_filtered_kriging(part, model=SETTINGS.variogram),
        zero_rules=[RULE],
        grid=GRID,
        period="June",
        elevation=ELEVATION,
    )
    for source in sites.sources:
        np.testing.assert_allclose(
            values[source], answer.surfaces[source], atol=1e-9, err_msg=source
        )


def test_without_errors_the_draws_are_the_map() -> None:
    sites = sites_of(np.linspace(0.2, 0.4, 60), random_places(3, 60))
    patches, values = made(sites, "idw")
    quiet = Variogram("nugget", 0.0, 0.0, 1.0)
    patches = [
        Patch(
            p.domain,
            p.cells,
            p.places,
            p.weights,
            dict.fromkeys(p.models, SourceModel(quiet, 0.0)),
            p.method,
        )
        for p in patches
    ]
    spread = drawn(sites, patches, np.repeat(sites.raw[None], 100, axis=0))
    for source in sites.sources:
        for name in ("mean", "p05", "p95"):
            np.testing.assert_allclose(
                spread.layers[source][name], values[source], atol=1e-12
            )
        assert spread.layers[source]["sd"].max() < 1e-12
        np.testing.assert_allclose(
            spread.totals["all"][0, :, sites.sources.index(source)],
            values[source].mean(),
            atol=1e-12,
        )


def test_what_is_common_does_not_average_out_and_what_is_not_does() -> None:
    sites = sites_of(np.full(60, 0.5) + 1e-3 * np.arange(60), random_places(4, 60))
    patches, _ = made(sites, "mean")
    rng = np.random.default_rng(5)
    away = 0.05 * rng.normal(size=(4000, 1))
    common = np.repeat(sites.raw[None], 4000, axis=0)
    common[:, :, 0] -= away
    common[:, :, 1] += away
    spread = drawn(sites, patches, common)
    every, own = (spread.totals[name][0, :, 1].std() for name in ("all", "own"))
    assert every == pytest.approx(0.05, rel=0.06)
    assert own < 0.2 * every
    # The sites' scatter is their field here: it stays open in each cell.
    layers = spread.layers["ice"]
    assert layers["sd_mixing"].mean() == pytest.approx(0.05, rel=0.06)
    field = np.sqrt(np.var(sites.raw[:, 1], ddof=1) * (1 + 1 / 60))
    assert layers["sd_interpolation"].mean() == pytest.approx(field, rel=0.06)


@pytest.mark.parametrize("method", ["mean", "idw", "kriging", "kriging_drift", "ilr"])
def test_parts_of_the_variance_add_up_and_quantiles_are_fractions(method: str) -> None:
    sites = three_sources(21, noise=0.15)
    patches, _ = made(sites, method)
    away = 0.1 * np.random.default_rng(1).normal(size=(200, 1))
    common = np.repeat(sites.raw[None], 200, axis=0)
    common[:, :, 0] -= away
    common[:, :, 1] += away
    for layers in drawn(sites, patches, common).layers.values():
        known = np.isfinite(layers["sd"])
        total = layers["sd_mixing"] ** 2 + layers["sd_interpolation"] ** 2
        np.testing.assert_allclose(
            total[known], layers["sd"][known] ** 2, rtol=1e-9, atol=1e-15
        )
        assert (layers["sd"][known] <= 0.5).all()
        assert (layers["p05"][known] >= 0.0).all()
        assert (layers["p05"][known] < layers["p95"][known]).all()
        assert (layers["p95"][known] <= 1.0).all()


def test_the_spread_of_kriging_is_its_variance_where_nothing_is_common() -> None:
    places = random_places(6, 80)
    sites = sites_of(smooth_fraction(*places), places)
    domains = domains_of(sites, GRID, ELEVATION)
    # Small variances, so that no draw leaves 0 to 1.
    model = SourceModel(Variogram("exponential", 1e-5, 1e-4, 40_000.0), 2e-5)
    models = {"rain, ice": {"rain": model, "ice": model}}
    patches = patches_of(sites, domains, models, ("kriging", SETTINGS), target())
    spread = drawn(sites, patches, np.repeat(sites.raw[None], 800, axis=0))
    kriging = Kriging(model.variogram).fit(
        sites.points, sites.raw[:, 1], variance=np.full(80, model.noise)
    )
    wanted = kriging.grid(GRID)["kriging_variance"].to_numpy()
    found = spread.layers["ice"]["sd"] ** 2
    np.testing.assert_allclose(found, wanted, rtol=0.4)
    assert found.mean() == pytest.approx(wanted.mean(), rel=0.04)
