"""Correlation over space of one year answers on small maps too, or says why not."""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import pearsonr, spearmanr

from geosoil.config.study import CorrelationSettings
from geosoil.errors import ConfigError
from geosoil.grids.grid import Grid
from geosoil.workflow.correlation_space import correlate_in_space, space_table


def series(seed, shape=(12, 15)):
    rows, columns = shape
    bounds = (90.0, 32.0, 90.0 + columns / 10, 32.0 + rows / 10)
    grid = Grid.from_bounds(bounds, 0.1, "EPSG:4326")
    values = np.random.default_rng(seed).standard_normal((3, *shape))
    raster = xr.DataArray(values, dims=("time", "y", "x"), name=f"v{seed}")
    placed = grid.georeference(raster).assign_coords(time=[2001, 2002, 2003])
    mask = grid.raster(np.arange(rows * columns).reshape(shape) > columns)
    return placed.assign_attrs(support="cell of 0.1 degree"), mask


@pytest.mark.parametrize(
    ("method", "reference"),
    [("pearson", pearsonr), ("spearman", spearmanr), ("kendall", spearmanr)],
)
def test_r_of_the_region_is_that_of_its_cells(method, reference):
    (x, mask), (y, _) = series(1), series(2)
    settings = CorrelationSettings(method=method, year=2002)
    found = correlate_in_space(x, y, settings, mask)
    a, b = (one.sel(time=2002).to_numpy()[mask.to_numpy()] for one in (x, y))
    assert found.n_cells == a.size
    assert found.r == pytest.approx(reference(a, b).statistic, abs=1e-12)
    assert found.window.attrs["year"] == 2002
    assert np.isnan(found.window["r"].to_numpy()[~mask.to_numpy()]).all()


def test_the_last_common_year_is_taken_and_an_absent_one_refused():
    (x, mask), (y, _) = series(1), series(2)
    assert correlate_in_space(x, y, CorrelationSettings(), mask).year == 2003
    with pytest.raises(ConfigError, match=r"year is 1999.*share 2001 to 2003"):
        correlate_in_space(x, y, CorrelationSettings(year=1999), mask)


def test_a_map_smaller_than_the_window_has_none_and_says_why():
    (x, mask), (y, _) = series(1, (5, 6)), series(2, (5, 6))
    small = correlate_in_space(x, y, CorrelationSettings(), mask)
    none = correlate_in_space(x, y, CorrelationSettings(window=0), mask)
    whole = correlate_in_space(x, y, CorrelationSettings(window=5), mask)
    assert small.window is None
    assert small.r == whole.r
    table = space_table({("a", "1"): small, ("b", "2"): none, ("c", "3"): whole}, "y")
    assert table["window_reason"].tolist() == [
        "the map of 5 x 6 cells is smaller than 9 cells",
        "not asked for",
        "",
    ]
    assert table["window"].isna().tolist() == [True, True, False]


def test_three_cells_are_too_few_to_test():
    (x, mask), (y, _) = series(1), series(2)
    few = xr.zeros_like(mask)
    few[5, 5:8] = True
    found = correlate_in_space(x, y, CorrelationSettings(), few)
    assert found.n_cells == 3
    assert found.row()["reason"] == "few"
    table = space_table({("a", "June"): found}, "y")
    assert table[["r", "p_value", "q_value", "n_effective"]].isna().all(axis=None)
