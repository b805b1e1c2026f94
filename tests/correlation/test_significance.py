"""p values and critical r against scipy's t distribution."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from geosoil.correlation.significance import critical_r, p_value
from geosoil.correlation.temporal import correlate
from geosoil.errors import InputError


@given(st.floats(-0.999, 0.999), st.integers(3, 500))
@example(5.0661205197606434e-09, 3)
def test_p_value_is_the_two_tails_of_student_t(r: float, n: int) -> None:
    t = r * np.sqrt((n - 2) / ((1 - r) * (1 + r)))
    expected = 2 * stats.t.sf(abs(t), n - 2)
    # Below t of about 1e-8 scipy's tail is 0.5 to the digit: 1 - p is then lost.
    near_one = expected > 1.0 - 1e-8
    tolerance = {"abs": 1e-8} if near_one else {"rel": 1e-9, "abs": 1e-300}
    assert float(p_value(r, n)) == pytest.approx(expected, **tolerance)


def test_p_value_knows_its_limits() -> None:
    np.testing.assert_array_equal(p_value([1.0, -1.0, 0.0], 10), [0.0, 0.0, 1.0])
    assert np.isnan(p_value([0.5, np.nan], [2, 10])).all()


def test_p_value_refuses_what_is_no_r() -> None:
    with pytest.raises(InputError, match=r"2 correlation coefficients.*2\.5"):
        p_value([0.5, 1.2, -2.5], 10)


@given(st.integers(3, 400), st.floats(1e-3, 0.5))
def test_critical_r_has_exactly_the_level(n: int, alpha: float) -> None:
    assert float(p_value(critical_r(n, alpha=alpha), n)) == pytest.approx(
        alpha, rel=1e-6
    )


def test_critical_r_refuses_a_level_that_cannot_be() -> None:
    with pytest.raises(InputError, match=r"alpha '1\.5'"):
        critical_r(10, alpha=1.5)


@pytest.mark.parametrize("n", [3, 4, 5, 8, 23, 24, 120, 121])
def test_the_series_of_the_kernel_equals_the_beta_function(n: int) -> None:
    import xarray as xr

    rng = np.random.default_rng(n)
    x = rng.normal(size=(n, 200))
    y = np.linspace(0, 3, 200) * x + rng.normal(size=(n, 200))
    found = correlate(
        xr.DataArray(x, dims=("time", "pixel")),
        xr.DataArray(y, dims=("time", "pixel")),
        min_pairs=3,
    )
    np.testing.assert_allclose(found.p_value, p_value(found.r, n), rtol=1e-6)
