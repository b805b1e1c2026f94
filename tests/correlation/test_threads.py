"""Work in parts: each element once, no digit changed, no error lost."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.correlation import threads
from geosoil.correlation.temporal import correlate
from geosoil.correlation.window import window_correlation


@given(st.integers(0, 300), st.integers(1, 5), st.integers(1, 40))
@settings(deadline=None, max_examples=50)
def test_every_element_lies_in_one_part(size: int, count: int, least: int) -> None:
    seen = np.zeros(size, dtype=int)

    def work(start: int, stop: int) -> None:
        seen[start:stop] += 1

    threads.in_parts(work, size, count, least=least)
    assert (seen == 1).all()


def test_an_error_in_one_part_is_raised() -> None:
    def work(start: int, stop: int) -> None:
        if stop == 12:
            message = f"part from {start}"
            raise ValueError(message)

    with pytest.raises(ValueError, match="part from"):
        threads.in_parts(work, 12, 3, least=1)


def test_the_number_of_threads_changes_no_digit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads, "LEAST", 100)
    rng = np.random.default_rng(0)
    x = rng.normal(280, 8, (12, 250, 410))
    x[rng.random(x.shape) < 0.1] = np.nan
    series = xr.DataArray(x, dims=("time", "y", "x"))
    found = []
    for count in (1, 3):
        monkeypatch.setattr("geosoil._compiled.THREADS", count)
        found += [correlate(series, series**2).merge(
            window_correlation(series[0], series[1], size=5).rename(
                r="window_r", n="window_n", reason="window_reason"
            )
        )]  # fmt: skip
    assert np.isfinite(found[0]["r"]).mean() > 0.9
    xr.testing.assert_identical(found[0], found[1])
