"""Field significance against scipy, statsmodels and fields without relation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, stats

from geosoil.correlation.field_significance import field_significance, q_values
from geosoil.correlation.significance import p_value
from geosoil.errors import InputError

LEVELS = st.lists(st.floats(0, 1), min_size=1, max_size=60)


def line(values: object) -> xr.DataArray:
    return xr.DataArray(np.asarray(values, dtype=float), dims="cell", name="p")


@given(LEVELS, st.sampled_from(["bh", "by"]))
def test_q_values_are_those_of_scipy(levels: list[float], method: str) -> None:
    expected = stats.false_discovery_control(levels, method=method)
    np.testing.assert_allclose(q_values(levels, method=method), expected, rtol=1e-12)


@given(LEVELS, st.integers(0, 9), st.sampled_from(["bh", "by"]))
def test_missing_cells_change_no_other_cell(
    levels: list[float], holes: int, method: str
) -> None:
    alone = field_significance(line(levels), method=method)
    mixed = np.insert(np.asarray(levels), [0] * holes, np.nan)
    found = field_significance(line(mixed), method=method)
    np.testing.assert_array_equal(found.q_value[holes:], alone.q_value)
    assert np.isnan(found.q_value[:holes]).all()
    assert not found.significant[:holes].any()
    assert found.attrs["n_valid"] == len(levels)


@given(LEVELS, st.sampled_from(["bh", "by"]))
def test_cells_are_significant_up_to_p_star(levels: list[float], method: str) -> None:
    found = field_significance(line(levels), alpha=0.2, method=method)
    p_star = found.attrs["p_star"]
    np.testing.assert_array_equal(found.significant, np.asarray(levels) <= p_star)
    assert found.attrs["n_significant"] == int(found.significant.sum())


def test_golden_map_has_its_p_star_and_81_cells(folder: Path) -> None:
    table = pd.read_csv(folder / "scipy_pixelwise.csv")
    meta = json.loads((folder / "scipy_meta.json").read_text())
    p = xr.DataArray(table["p_pearson"].to_numpy().reshape(10, 12), dims=("y", "x"))
    found = field_significance(p, alpha=0.05, method="bh")
    assert found.attrs["alpha_fdr"] == meta["wilks_alpha_fdr"]
    assert found.attrs["p_star"] == pytest.approx(meta["p_threshold"], rel=1e-13)
    assert found.attrs["n_valid"] == meta["n_tests"] == 117
    assert found.attrs["n_significant"] == meta["n_rejected"] == 81
    for method, column in (("bh", "padj_fdr_bh"), ("by", "padj_fdr_by")):
        q = field_significance(p, method=method).q_value
        np.testing.assert_allclose(q.to_numpy().ravel(), table[column], rtol=1e-12)


def test_p_star_is_missing_where_nothing_is_significant() -> None:
    found = field_significance(line([0.9, 0.8, np.nan]))
    assert np.isnan(found.attrs["p_star"])
    assert found.attrs["n_significant"] == 0
    assert "Wilks" in found.attrs["rule"]


def test_the_map_keeps_its_coordinates() -> None:
    p = xr.DataArray([[0.01, 0.5]], dims=("y", "x"), coords={"x": [1.0, 2.0]})
    assert field_significance(p).significant.sel(x=1.0).all()


def test_every_fault_of_a_field_is_named() -> None:
    with pytest.raises(InputError, match=r"'holm'.*alpha is 0\.7.*2 p values lie out"):
        field_significance(line([-1.0, 1.5, 0.1]), alpha=0.7, method="holm")
    with pytest.raises(InputError, match=r"'p'.*nothing to test"):
        field_significance(line([np.nan]))


@pytest.mark.slow
def test_smooth_fields_without_relation_are_found_significant_at_most_at_alpha() -> (
    None
):
    rng = np.random.default_rng(6)
    fields, cells, years = 400, (30, 30), 20
    hits = 0
    for _ in range(fields):
        noise = rng.normal(size=(2, years, *cells))
        x, y = ndimage.gaussian_filter(noise, (0, 0, 2, 2), mode="wrap")
        x, y = (a - a.mean(axis=0) for a in (x, y))
        r = (x * y).sum(axis=0) / np.sqrt((x**2).sum(axis=0) * (y**2).sum(axis=0))
        p = xr.DataArray(p_value(r, years), dims=("y", "x"))
        hits += field_significance(p, alpha=0.05).attrs["n_significant"] > 0
    # Wilks: twice alpha as false discovery rate gives a field about alpha, not more
    # than the rate itself; a binomial error of 2.6 standard deviations is allowed.
    assert 0.01 <= hits / fields <= 0.1 + 2.6 * np.sqrt(0.1 * 0.9 / fields)
