"""The bootstrap of lines against loops, closed forms and known truth."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import GeosoilWarning, InputError
from geosoil.tracers import _kernels
from geosoil.tracers.blocks import block_labels
from geosoil.tracers.lines import fit_water_line
from geosoil.tracers.resampling import Resampling, bootstrap_line
from geosoil.tracers.resampling_table import bootstrap_lines

PLAIN = ["ols", "rma", "ma"]
WEIGHTED = ["pwlsr", "pwrma", "pwma"]


def rain(seed: int = 0, n: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(-13, 3, n)
    return x, 8 * x + 10 + rng.normal(0, 4, n), rng.gamma(2.0, 5.0, n)


@pytest.mark.parametrize("method", PLAIN + WEIGHTED)
@pytest.mark.parametrize("clustered", [False, True])
def test_every_draw_is_the_line_through_the_rows_drawn(method, clustered) -> None:
    x, y, amount = rain()
    sites = np.repeat(np.arange(15), 4) if clustered else None
    weight = amount if method in WEIGHTED else None
    n_units = 15 if clustered else 60
    lines = bootstrap_line(
        x,
        y,
        rng=np.random.default_rng(7),
        method=method,
        amount=weight,
        resampling=Resampling(by=sites, n_draws=100),
    )
    drawn = np.random.default_rng(7).integers(0, n_units, (100, n_units))
    for place, units in enumerate(drawn):
        rows = (
            np.concatenate([np.flatnonzero(sites == u) for u in units])
            if (clustered)
            else units
        )
        own = None if weight is None else weight[rows]
        expected = fit_water_line(x[rows], y[rows], method=method, amount=own)
        assert lines.slopes[place] == pytest.approx(expected.slope, rel=1e-9)
        assert lines.intercepts[place] == pytest.approx(
            expected.intercept, rel=1e-8, abs=1e-8
        )


def test_summaries_are_those_of_the_draws() -> None:
    x, y, _ = rain()
    plan = Resampling(n_draws=500, confidence=0.8)
    lines = bootstrap_line(x, y, rng=np.random.default_rng(1), resampling=plan)
    np.testing.assert_allclose(
        lines.covariance, np.cov(lines.slopes, lines.intercepts), rtol=1e-12
    )
    assert lines.slope_interval == pytest.approx(
        tuple(np.quantile(lines.slopes, [0.1, 0.9]))
    )
    assert lines.intercept_interval == pytest.approx(
        tuple(np.quantile(lines.intercepts, [0.1, 0.9]))
    )
    assert lines.line.slope == fit_water_line(x, y).slope
    assert lines.line.slope_standard_error == pytest.approx(lines.slopes.std(ddof=1))
    assert lines.line.covariance == pytest.approx(lines.covariance[0, 1])
    assert (lines.confidence, lines.n_units, lines.n_failed) == (0.8, 60, 0)


def test_standard_error_of_many_samples_is_the_closed_form() -> None:
    x, y, _ = rain(n=2000)
    closed = fit_water_line(x, y)
    drawn = bootstrap_line(x, y, rng=np.random.default_rng(3)).line
    for name in ("slope_standard_error", "intercept_standard_error"):
        assert getattr(drawn, name) == pytest.approx(getattr(closed, name), rel=0.08)


def test_draws_are_split_where_memory_would_not_hold_them(monkeypatch) -> None:
    x, y, _ = rain()
    whole = bootstrap_line(x, y, rng=np.random.default_rng(5))
    monkeypatch.setattr(_kernels, "CHUNK", 60 * 7)
    parts = bootstrap_line(x, y, rng=np.random.default_rng(5))
    np.testing.assert_allclose(parts.slopes, whole.slopes, rtol=1e-12)


def test_triplicates_are_too_sure_by_root_three_unless_drawn_by_site() -> None:
    x, y, _ = rain(n=300)
    site = np.repeat(np.arange(300), 3)
    rng = np.random.default_rng(2)
    sure = bootstrap_line(np.repeat(x, 3), np.repeat(y, 3), rng=rng).line
    plan = Resampling(by=site)
    honest = bootstrap_line(
        np.repeat(x, 3), np.repeat(y, 3), rng=rng, resampling=plan
    ).line
    ratio = honest.slope_standard_error / sure.slope_standard_error
    assert ratio == pytest.approx(np.sqrt(3), rel=0.1)


@given(st.integers(0, 1000), st.sampled_from(PLAIN), st.floats(-200, 200))
def test_draws_follow_a_shift_of_the_values(seed, method, shift) -> None:
    x, y, _ = rain(seed, 30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GeosoilWarning)
        pair = [
            bootstrap_line(
                x + move,
                y,
                rng=np.random.default_rng(seed),
                method=method,
                resampling=Resampling(n_draws=100),
            )
            for move in (0.0, shift)
        ]
    np.testing.assert_allclose(pair[1].slopes, pair[0].slopes, rtol=1e-6)
    np.testing.assert_allclose(
        pair[1].intercepts, pair[0].intercepts - shift * pair[0].slopes, atol=1e-3
    )


@given(st.integers(0, 1000))
def test_names_of_sites_do_not_matter(seed) -> None:
    x, y, _ = rain(seed, 30)
    site = np.random.default_rng(seed).integers(0, 10, 30)
    names = np.array([f"site {(7 * number) % 31}" for number in site])
    pair = [
        bootstrap_line(
            x,
            y,
            rng=np.random.default_rng(seed),
            resampling=Resampling(by=labels, n_draws=100),
        )
        for labels in (site, names)
    ]
    np.testing.assert_array_equal(pair[0].slopes, pair[1].slopes)


def test_draws_without_a_line_are_counted_and_left_out() -> None:
    x = np.array([-10.0] * 4 + [-14.0])
    y = np.array([-70.0, -71.0, -69.0, -70.5, -101.0])
    lines = bootstrap_line(x, y, rng=np.random.default_rng(0))
    missing = np.isnan(lines.slopes)
    assert lines.n_failed == missing.sum()
    assert lines.n_failed / 2000 == pytest.approx(0.8**5 + 0.2**5, abs=0.04)
    assert np.isfinite(lines.covariance).all()
    assert np.isfinite(lines.slope_interval).all()
    np.testing.assert_array_equal(np.isnan(lines.intercepts), missing)


def test_missing_rows_and_dry_days_are_no_units() -> None:
    x, y, amount = rain(n=20)
    x[3], amount[5] = np.nan, 0.0
    lines = bootstrap_line(
        x, y, rng=np.random.default_rng(1), method="pwlsr", amount=amount
    )
    assert lines.n_units == lines.line.n == 18
    assert (lines.line.n_missing, lines.line.n_unweighted) == (1, 1)


def test_blocks_have_their_side() -> None:
    longitude, latitude = np.meshgrid(
        np.linspace(89.4, 102.3, 400), np.linspace(31.55, 36.3, 200)
    )
    x, y = longitude.ravel(), latitude.ravel()
    labels = block_labels(x, y, side=100.0)
    assert set(labels) == set(range(labels.max() + 1))
    km = pd.DataFrame({"block": labels, "x": x, "y": y})
    spans = km.groupby("block").agg(["min", "max"])
    height = (spans["y"]["max"] - spans["y"]["min"]) * 111.195
    cosine = np.cos(np.deg2rad(spans["y"].mean(axis=1)))
    width = (spans["x"]["max"] - spans["x"]["min"]) * 111.195 * cosine
    assert height.max() <= 100.0
    assert width.max() <= 101.5
    # 1182 x 528 km in blocks of 100 km: 12 to 13 columns, 6 rows
    assert 60 <= labels.max() + 1 <= 85


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"longitude": [95.0, np.nan], "latitude": [33.0, 33.0]}, "1 places .* row 1"),
        ({"longitude": [95.0], "latitude": [95.0]}, r"row 0 \(95, 95\)"),
        ({"longitude": [95.0], "latitude": [33.0, 34.0]}, "Give pairs"),
        ({"longitude": [95.0], "latitude": [33.0], "side": 0.0}, "Invalid side"),
    ],
)
def test_bad_blocks_are_refused(arguments, words) -> None:
    with pytest.raises(InputError, match=words):
        block_labels(**{"side": 50.0, **arguments})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"method": "york"}, "Unknown line method 'york'"),
        ({"resampling": {"by": ["A"] * 20}}, "1 units to draw from, 5 needed"),
        ({"resampling": {"by": ["A", "B"]}}, r"Labels .* shape \(2,\) for 20 samples"),
        (
            {"resampling": {"by": [None, "B", "C", "D", "E"] * 4}},
            "4 samples lack the label .* row 0",
        ),
        ({"resampling": {"n_draws": 10}}, "10 draws asked for"),
        ({"resampling": {"confidence": 95}}, "Invalid confidence 95"),
    ],
)
def test_bad_bootstraps_are_refused(arguments, words) -> None:
    x, y, _ = rain(n=20)
    options = {**arguments}
    plan = options.pop("resampling", {})
    with pytest.raises(InputError, match=words):
        bootstrap_line(
            x,
            y,
            rng=np.random.default_rng(1),
            resampling=Resampling(**plan),
            **options,
        )


def table(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "period": ["September"] * 40 + ["June"] * 40 + ["August"] * 4,
            "site_id": [f"S{number % 14}" for number in range(84)],
            "d18O": rng.normal(-13, 3, 84),
            "precipitation": rng.gamma(2.0, 5.0, 84),
        }
    )
    frame["d2H"] = 7 * frame["d18O"] + rng.normal(0, 3, 84)
    return frame


@pytest.mark.parametrize("method", ["rma", "pwrma"])
def test_a_groups_row_is_its_own_bootstrap(method) -> None:
    frame = table()
    found = bootstrap_lines(
        frame,
        ["period"],
        rng=np.random.default_rng(9),
        method=method,
        resampling=Resampling(by=frame["site_id"], n_draws=300),
    )
    june = frame[frame["period"] == "June"]
    own = bootstrap_line(
        june["d18O"],
        june["d2H"],
        rng=np.random.default_rng(9),
        method=method,
        amount=june["precipitation"] if method == "pwrma" else None,
        resampling=Resampling(by=june["site_id"], n_draws=300),
    )
    assert found.table["period"].tolist() == ["June", "August", "September"]
    np.testing.assert_array_equal(found.slopes[0], own.slopes)
    row = found.table.iloc[0]
    assert (row["n"], row["n_units"]) == (40, 14)
    assert row["slope"] == own.line.slope
    assert (row["slope_lower"], row["slope_upper"]) == own.slope_interval
    assert row["reason"] == ""


def test_no_group_is_dropped() -> None:
    found = bootstrap_lines(table(), ["period"], rng=np.random.default_rng(1))
    august = found.table.iloc[1]
    assert august["n"] == 4
    assert "4 units to draw from, 5 needed" in august["reason"]
    assert np.isnan(august["slope"])
    assert np.isnan(found.slopes[1]).all()
    nothing = bootstrap_lines(table().head(4), ["period"], rng=np.random.default_rng(1))
    assert nothing.table.shape == (1, found.table.shape[1])
    with pytest.raises(InputError, match="missing column aspect"):
        bootstrap_lines(table(), ["aspect"], rng=np.random.default_rng(1))
    with pytest.raises(InputError, match="missing column precipitation"):
        bootstrap_lines(
            table().drop(columns="precipitation"),
            ["period"],
            rng=np.random.default_rng(1),
            method="pwma",
        )


@pytest.mark.slow
def test_site_bootstrap_covers_where_the_sample_bootstrap_does_not() -> None:
    rng = np.random.default_rng(12)
    site = np.repeat(np.arange(40), 6)
    hits = {"site": 0, "sample": 0}
    n = 600
    for _ in range(n):
        base = rng.normal(-13, 3, 40)[site]
        x = base + rng.normal(0, 0.5, 240)
        y = 8 * x + 10 + rng.normal(0, 4, 40)[site] + rng.normal(0, 1, 240)
        for name, by in (("site", site), ("sample", None)):
            plan = Resampling(by=by, n_draws=500, confidence=0.9)
            low, high = bootstrap_line(x, y, rng=rng, resampling=plan).slope_interval
            hits[name] += low <= 8.0 <= high
    assert 0.85 <= hits["site"] / n <= 0.94
    assert hits["sample"] / n < 0.65
