"""Realisations of fractions: possible ones in every field and cell."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.log_ratios import ilr, inverse_ilr
from geosoil.interpolation.simulation_composition import simulate_composition
from geosoil.interpolation.simulation_draws import ConditionalDraws
from geosoil.interpolation.simulation_settings import SimulationSettings
from geosoil.interpolation.variogram import Variogram

SETTINGS = SimulationSettings(5)
MODEL = Variogram("exponential", 0.05, 0.6, 300.0)
GRID = Grid.from_bounds((0, 0, 1000, 800), 100, "EPSG:32647")


def fractions() -> tuple[gpd.GeoSeries, np.ndarray]:
    rng = np.random.default_rng(8)
    points = gpd.GeoSeries.from_xy(*rng.uniform(0, 1000, (2, 30)), crs="EPSG:32647")
    return points, rng.dirichlet([4.0, 2.0, 1.0, 1.0], 30)


def fitted() -> dict[str, Kriging]:
    points, parts = fractions()
    balances = ilr(parts)
    names = ("rain", "ice", "snow")
    return {
        name: Kriging(MODEL).fit(points, balances[:, row])
        for row, name in enumerate(names)
    }


def test_fields_of_fractions_are_possible_everywhere() -> None:
    found = simulate_composition(
        fitted(), GRID, last="river", n_realizations=40, settings=SETTINGS
    )
    assert found.dims == ("realization", "source", "y", "x")
    assert found["source"].to_numpy().tolist() == ["rain", "ice", "snow", "river"]
    assert float(abs(found.sum("source") - 1).max()) < 1e-12
    assert float(found.min()) > 0
    assert found.rio.crs == GRID.crs
    assert found.attrs["seed"] == 5
    assert found.attrs["units"] == "1"


def test_fields_of_fractions_have_the_data() -> None:
    points, parts = fractions()
    found = simulate_composition(
        fitted(), points, last="river", n_realizations=3, settings=SETTINGS
    )
    np.testing.assert_allclose(found, np.tile(parts.T, (3, 1, 1)), rtol=0, atol=1e-12)


def test_each_balance_has_random_numbers_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("geosoil.interpolation.simulation_draws.BATCH", 500)
    found = simulate_composition(
        fitted(), GRID, last="river", n_realizations=12, settings=SETTINGS
    )
    balances = [
        ConditionalDraws(kriging, GRID, replace(SETTINGS, stream=stream)).realizations(
            0, 12
        )
        for stream, kriging in enumerate(fitted().values())
    ]
    expected = inverse_ilr(np.stack(balances, axis=-1))
    cells = found.to_numpy().reshape(12, 4, -1)
    np.testing.assert_allclose(cells.transpose(0, 2, 1), expected, rtol=0, atol=1e-12)
    alike = np.corrcoef(balances[0].ravel(), balances[1].ravel())[0, 1]
    assert abs(alike) < 0.9


def test_what_makes_no_composition_is_named() -> None:
    with pytest.raises(InputError, match="a last source"):
        simulate_composition(
            fitted(), GRID, last="rain", n_realizations=3, settings=SETTINGS
        )
    with pytest.raises(InputError, match="a last source"):
        simulate_composition({}, GRID, last="r", n_realizations=3, settings=SETTINGS)
    with pytest.raises(InputError, match="memory"):
        simulate_composition(
            fitted(),
            GRID,
            last="river",
            n_realizations=3,
            settings=SETTINGS,
            memory_limit=1000,
        )
