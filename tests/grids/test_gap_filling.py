"""Gaps are filled by lines in time, never beyond the stated length, and flagged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.grids._kernels_series import gap_lengths
from geosoil.grids.gap_filling import days_of, fill_gaps


def series(values, days=None, **options) -> xr.DataArray:
    times = pd.Timestamp("2020-01-01") + pd.to_timedelta(
        np.arange(len(values)) * 16 if days is None else days, unit="D"
    )
    return xr.DataArray(
        np.asarray(values, dtype=options.pop("dtype", float)),
        dims=("time", *options.pop("dims", ())),
        coords={"time": times},
        name="ndvi",
        attrs={"units": "1"},
    )


sometimes_missing = st.one_of(st.just(np.nan), st.floats(-0.2, 1))


@given(
    values=st.lists(sometimes_missing, min_size=2, max_size=12),
    steps=st.lists(st.integers(1, 40), min_size=11, max_size=11),
    max_gap=st.integers(1, 120),
)
def test_filling_equals_numpy_within_gaps_that_are_short(
    values, steps, max_gap
) -> None:
    days = np.concatenate([[0], np.cumsum(steps)])[: len(values)]
    raster = series(values, days)
    found = fill_gaps(raster, max_gap=max_gap, time_is="middle")
    seen = np.flatnonzero(np.isfinite(values))
    for i, value in enumerate(values):
        flag = int(found["flag"][i])
        if np.isfinite(value):
            assert (float(found["ndvi"][i]), flag) == (value, 0)
            continue
        before, after = seen[seen < i], seen[seen > i]
        if before.size and after.size and days[after[0]] - days[before[-1]] <= max_gap:
            line = np.interp(days[i], days[seen], np.asarray(values)[seen])
            assert float(found["ndvi"][i]) == pytest.approx(line, abs=1e-14)
            assert flag == 1
        else:
            assert np.isnan(found["ndvi"][i])
            assert flag == 3


def test_one_missing_composite_is_a_gap_of_32_days() -> None:
    raster = series([0.2, np.nan, 0.4])
    assert fill_gaps(raster, max_gap=32)["flag"].to_numpy().tolist() == [0, 1, 0]
    assert fill_gaps(raster, max_gap=31)["flag"].to_numpy().tolist() == [0, 3, 0]


def test_first_days_stand_for_the_middle_of_composites_of_unequal_length() -> None:
    times = pd.to_datetime(["2019-12-03", "2019-12-19", "2020-01-01", "2020-01-17"])
    raster = xr.DataArray(np.arange(4.0), dims="time", coords={"time": times})
    # 19 to 31 December are 13 days: their middle is 6.5 days on, not 8.
    assert days_of(raster, time_is="start", length=16).tolist() == [0, 14.5, 29, 45]
    assert days_of(raster, time_is="middle", length=16).tolist() == [0, 16, 29, 45]
    raster[1] = np.nan
    by_middle = fill_gaps(raster, max_gap=40)["composite"]
    assert float(by_middle[1]) == pytest.approx(2 * 14.5 / 29, abs=1e-15)
    aqua = pd.to_datetime(["2019-12-27", "2020-01-09"])  # restarts on 9 January
    pair = xr.DataArray([0.0, 1.0], dims="time", coords={"time": aqua})
    assert days_of(pair, time_is="start", length=16).tolist() == [0, 14.5]


def test_rasters_of_any_order_of_dims_and_chunks_are_filled_alike() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(9, 4, 5)).astype("float32")
    values[rng.random(values.shape) < 0.4] = np.nan
    raster = series(values, dims=("y", "x"), dtype="float32")
    expected = fill_gaps(raster, max_gap=48)
    assert expected["ndvi"].dtype == np.float32
    assert expected["ndvi"].dims == ("time", "y", "x")
    assert expected["ndvi"].attrs["units"] == "1"
    assert "48 days" in expected["ndvi"].attrs["processing"]
    turned = fill_gaps(raster.transpose("y", "time", "x"), max_gap=48)
    xr.testing.assert_identical(turned.transpose("time", "y", "x"), expected)
    lazy = fill_gaps(raster.chunk({"time": 2, "y": 2}), max_gap=48)
    xr.testing.assert_identical(lazy.compute(), expected)
    one = fill_gaps(raster[:, 2, 3], max_gap=48)
    np.testing.assert_array_equal(one["ndvi"], expected["ndvi"][:, 2, 3])


def test_gap_lengths_are_those_between_observations() -> None:
    valid = np.array([[0], [1], [0], [0], [1], [0]], dtype=bool)
    days = np.array([0.0, 10, 20, 40, 70, 90])
    lengths = gap_lengths(valid, days)[:, 0].tolist()
    assert lengths == [np.inf, 0, 60, 60, 0, np.inf]


def test_what_cannot_be_filled_is_refused() -> None:
    raster = series([0.2, np.nan, 0.4])
    for wrong in (0, -1, np.inf, np.nan):
        with pytest.raises(InputError, match="State the longest gap"):
            fill_gaps(raster, max_gap=wrong)
    with pytest.raises(InputError, match="rising dates"):
        fill_gaps(raster[::-1], max_gap=32)
    with pytest.raises(InputError, match="rising dates"):
        fill_gaps(raster.drop_vars("time"), max_gap=32)
    with pytest.raises(InputError, match="dates twice: 2020-01-17"):
        fill_gaps(series([1, 2, 3], [0, 16, 16]), max_gap=32)
    with pytest.raises(InputError, match="time_is 'end'"):
        fill_gaps(raster, max_gap=32, time_is="end")  # type: ignore[arg-type]
