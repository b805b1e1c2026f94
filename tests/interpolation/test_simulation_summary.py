"""Summaries of realisations against numpy, kept whole or counted in passing."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.simulation import conditional_simulation
from geosoil.interpolation.simulation_settings import SimulationSettings
from geosoil.interpolation.simulation_streaming import (
    RunningSummary,
    simulate_summary,
)
from geosoil.interpolation.simulation_summary import (
    RealizationSummary,
    quantile_name,
    summarise_realizations,
)
from geosoil.interpolation.variogram import Variogram

LEVELS = st.lists(
    st.sampled_from([0.0, 0.025, 0.05, 0.1, 0.3, 0.5, 0.7, 0.95, 0.99, 1.0]),
    max_size=4,
    unique=True,
)


def fields() -> xr.DataArray:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(40, 3, 4))
    values[:, 1, 1] = np.nan
    values[7, 2, 2] = np.nan
    dims = ("realization", "y", "x")
    return xr.DataArray(values, dims=dims, attrs={"units": "permil", "seed": 3})


def test_a_summary_has_the_numbers_of_numpy() -> None:
    cube = fields()
    found = summarise_realizations(
        cube, quantiles=(0.05, 0.5, 0.975), thresholds=(0.3, -1.0)
    )
    assert list(found) == [
        "mean",
        "sd",
        "p05",
        "p50",
        "p97.5",
        "probability_above_0.3",
        "probability_above_-1",
        "n",
    ]
    values = cube.to_numpy()[:, 0, 0]
    expected = {
        "mean": values.mean(),
        "sd": values.std(ddof=1),
        "p05": np.quantile(values, 0.05),
        "p97.5": np.quantile(values, 0.975),
        "probability_above_0.3": (values > 0.3).mean(),
        "n": 40,
    }
    for name, number in expected.items():
        assert float(found[name][0, 0]) == pytest.approx(number, abs=1e-14)
    assert found["n"].to_numpy().tolist() == [
        [40, 40, 40, 40],
        [40, 0, 40, 40],
        [40, 40, 39, 40],
    ]
    for name in set(found) - {"n"}:
        assert np.argwhere(np.isnan(found[name].to_numpy())).tolist() == [
            [1, 1],
            [2, 2],
        ]
    assert found.attrs == {"seed": 3}
    assert found["p05"].attrs == {
        "units": "permil",
        "long_name": "05 % quantile of the realisations",
    }
    assert found["probability_above_0.3"].attrs["units"] == "1"


def test_the_place_of_the_dimension_does_not_matter() -> None:
    turned = fields().transpose("y", "x", "realization")
    xr.testing.assert_identical(
        summarise_realizations(turned), summarise_realizations(fields())
    )


def test_one_field_has_no_spread() -> None:
    found = summarise_realizations(fields()[:1])
    assert np.isnan(found["sd"]).all()
    assert float(found["mean"][0, 0]) == float(fields()[0, 0, 0])


@given(
    values=hnp.arrays(
        float,
        st.tuples(st.integers(1, 25), st.integers(1, 3)),
        elements=st.floats(-100, 100) | st.just(np.nan),
    ),
    cut=st.integers(0, 25),
    quantiles=LEVELS,
)
def test_a_running_summary_is_that_of_all_together(
    values: np.ndarray, cut: int, quantiles: list[float]
) -> None:
    wanted = RealizationSummary(tuple(quantiles), (0.0, 50.0))
    running = RunningSummary(wanted, len(values), values.shape[1])
    for part in (values[:cut], values[cut:]):
        if len(part):
            running.add(part)
    found = running.answers()
    whole = summarise_realizations(
        xr.DataArray(values, dims=("realization", "point")),
        quantiles=tuple(quantiles),
        thresholds=(0.0, 50.0),
    )
    assert set(found) == set(wanted.names) == set(whole)
    for name in wanted.names:
        np.testing.assert_allclose(found[name], whole[name], rtol=0, atol=1e-10)


def test_a_summary_without_its_fields_is_that_of_the_fields(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(2)
    grid = Grid.from_bounds((0, 0, 600, 400), 100, "EPSG:32647")
    points = gpd.GeoSeries.from_xy(*rng.uniform(0, 600, (2, 20)), crs="EPSG:32647")
    kriging = Kriging(Variogram("spherical", 0.1, 0.9, 300.0))
    kriging.fit(points, rng.normal(size=20))
    monkeypatch.setattr("geosoil.interpolation.simulation_draws.BATCH", 500)
    whole = summarise_realizations(
        conditional_simulation(kriging, grid, n_realizations=50, seed=4),
        thresholds=(0.5,),
    )
    found = simulate_summary(
        kriging,
        grid,
        n_realizations=50,
        settings=SimulationSettings(4),
        summary=RealizationSummary(thresholds=(0.5,)),
    )
    xr.testing.assert_allclose(found, whole, rtol=0, atol=1e-12)
    assert found.attrs == whole.attrs
    assert found["p05"].rio.crs == grid.crs
    with pytest.raises(InputError, match="summaries need"):
        simulate_summary(
            kriging,
            grid,
            n_realizations=50,
            settings=SimulationSettings(4),
            memory_limit="1 kiB",
        )


def test_settings_that_cannot_be_are_named_all_at_once() -> None:
    with pytest.raises(InputError, match=r"quantile 1\.5.*threshold nan"):
        summarise_realizations(fields(), quantiles=(1.5,), thresholds=(np.nan,))
    with pytest.raises(InputError, match="p05 is asked for twice"):
        summarise_realizations(fields(), quantiles=(0.05, 0.05))
    with pytest.raises(InputError, match="have no realization"):
        summarise_realizations(fields().rename(realization="draw"))
    with pytest.raises(InputError, match="have no realization"):
        summarise_realizations(fields()[:0])


@pytest.mark.parametrize(
    ("quantile", "name"),
    [(0.0, "p00"), (0.05, "p05"), (0.025, "p02.5"), (0.5, "p50"), (1.0, "p100")],
)
def test_quantiles_have_names_of_two_digits(quantile: float, name: str) -> None:
    assert quantile_name(quantile) == name
