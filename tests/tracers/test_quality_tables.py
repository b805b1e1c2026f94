"""Printed regressions against the means they were pooled from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.tracers.quality_tables import (
    check_group_regressions,
    check_regression_through_means,
)

PAPER = Path(__file__).parents[2] / "data" / "paper"


def paper_check(y: str | None) -> pd.Series:
    means = pd.read_csv(PAPER / "table1_means.csv")
    lines = pd.read_csv(PAPER / "table1_d18O_dexcess_regressions.csv")
    options = {} if y is None else {"y": y}
    return check_group_regressions(means, lines, **options).set_index("group")


def test_meadow_and_grassland_fit_only_with_the_intercept_turned() -> None:
    recomputed, printed = paper_check(None), paper_check("dexcess_printed")
    turned = [
        set(t.index[t["verdict"] == "intercept sign turned"])
        for t in (recomputed, printed)
    ]
    # the 0-20 cm line fits as printed only if the wrong August d_excess is believed
    assert turned == [{"meadow", "grassland", "0-20"}, {"meadow", "grassland"}]
    assert recomputed.loc["meadow", "misfit"] == pytest.approx(-1.3447, abs=1e-4)
    assert recomputed.loc["grassland", "misfit"] == pytest.approx(0.9193, abs=1e-4)
    assert recomputed.loc["0-20", "misfit"] == pytest.approx(-0.8913, abs=1e-4)
    assert recomputed.loc["E", "verdict"] == "missing"
    fitting = set(recomputed.index[recomputed["verdict"] == "fits"])
    assert fitting == {"all", "20-40", "60-80", "N", "S", "W"}
    assert set(recomputed.index[recomputed["verdict"] == "misses"]) == {
        "40-60",
        "forest",
    }
    assert "with the sign of the intercept turned" in recomputed["reason"]["meadow"]


@given(st.integers(0, 10_000))
def test_a_true_pooled_regression_always_fits(seed) -> None:
    rng = np.random.default_rng(seed)
    part = rng.integers(0, 3, 90)
    x = rng.normal(-12, 2, 90) + part
    y = 6 - 0.5 * x + rng.normal(0, 3, 90) + rng.normal(0, 2, 3)[part]
    slope, intercept = np.polyfit(x, y, 1)
    count = np.bincount(part, minlength=3)
    means = [np.bincount(part, v, 3) / count for v in (x, y)]
    loose = check_regression_through_means(*means, slope=slope, intercept=intercept)
    exact = check_regression_through_means(
        *means, slope=slope, intercept=intercept, weights=count, tolerance=1e-8
    )
    assert loose.verdict == exact.verdict == "fits"
    assert loose.misfit == 0
    assert exact.misfit == pytest.approx(0, abs=1e-8)


def test_a_turned_slope_is_told() -> None:
    check = check_regression_through_means(
        [-10.0, -12.0], [5.0, 7.0], slope=1.0, intercept=-5.0
    )
    assert check.verdict == "slope sign turned"
    assert check.misfit_slope_turned == 0


def test_rounding_of_the_printed_line_is_allowed_for() -> None:
    means = pd.DataFrame({"group": "a", "d18O": [-12.0, -13.0], "d_excess": [5.0, 6.0]})
    line = pd.DataFrame({"group": ["a"], "slope": [-0.2], "intercept": [2.3]})
    assert check_group_regressions(means, line)["verdict"].tolist() == ["fits"]
    exact = check_regression_through_means(
        [-12.0, -13.0], [5.0, 6.0], slope=-0.2, intercept=2.3
    )
    assert exact.misfit == pytest.approx(0.3)
    assert exact.verdict == "misses"


def test_groups_without_means_stay_with_a_reason() -> None:
    means = pd.DataFrame({"group": ["a"], "d18O": [-12.1], "d_excess": [5.2]})
    line = pd.DataFrame({"group": ["b", "a"], "slope": [0.1, 0.1], "intercept": 2.5})
    table = check_group_regressions(means, line)
    assert table["verdict"].tolist() == ["missing", "missing"]
    assert table["n"].tolist() == [0, 1]
    assert table["reason"].str.contains("fewer than two means").all()


def test_bad_means_are_refused() -> None:
    with pytest.raises(InputError, match="one x, one y"):
        check_regression_through_means([1.0, 2.0], [1.0], slope=1, intercept=0)
    with pytest.raises(InputError, match="Negative weight -3"):
        check_regression_through_means(
            [1.0, 2.0], [1.0, 2.0], slope=1, intercept=0, weights=[1, -3]
        )
    with pytest.raises(InputError, match="missing column d2H"):
        check_group_regressions(
            pd.DataFrame({"group": [], "d18O": []}), pd.DataFrame({"group": []})
        )
