"""Water lines of groups: closed forms, level of the permutation, reasons."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from geosoil.errors import InputError
from geosoil.tracers import _kernels_permutation as kernels
from geosoil.tracers.comparison import LineComparison, compare_lines


def profiles(
    seed: int, sites: int = 24, layers: int = 3, groups: int = 3
) -> pd.DataFrame:
    """Profiles with shared deviations; each site belongs to one group."""
    rng = np.random.default_rng(seed)
    site = np.repeat(np.arange(sites), layers)
    x = rng.normal(-13, 1.5, sites)[site] + rng.normal(0, 1, site.size)
    own = rng.normal(0, 4, sites)[site]
    return pd.DataFrame(
        {
            "site_id": site,
            "block": site // 2,
            "vegetation": np.array(["forest", "meadow", "desert"])[site % groups],
            "d18O": x,
            "d2H": 7 * x + own + rng.normal(0, 1, site.size),
        }
    )


def row_of(
    comparison: LineComparison, method: str, parameter: str, second: str = ""
) -> pd.Series:
    tests = comparison.tests
    chosen = tests[
        (tests["method"] == method)
        & (tests["parameter"] == parameter)
        & (tests["second"] == second)
    ]
    assert len(chosen) == 1
    return chosen.iloc[0]


def compare(samples: pd.DataFrame, n: int = 99, **options) -> LineComparison:
    rng = np.random.default_rng(0)
    return compare_lines(samples, "vegetation", rng=rng, n_permutations=n, **options)


def design_rss(columns: list[np.ndarray], y: np.ndarray) -> float:
    design = np.column_stack(columns)
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return float(residual @ residual)


def nested_f_tests(samples: pd.DataFrame) -> list[tuple[float, float]]:
    """F and p of slopes and intercepts from three least-squares fits."""
    x, y = samples["d18O"].to_numpy(), samples["d2H"].to_numpy()
    dummies = pd.get_dummies(samples["vegetation"]).to_numpy(dtype=float)
    n, size = dummies.shape
    one = design_rss([np.ones(n), x], y)
    parallel = design_rss([dummies, x], y)
    full = design_rss([dummies, dummies * x[:, None]], y)
    answers = []
    for small, large, free in (
        (parallel, full, n - 2 * size),
        (one, parallel, n - size - 1),
    ):
        ratio = (small - large) / (size - 1) / (large / free)
        answers.append((ratio, float(stats.f.sf(ratio, size - 1, free))))
    return answers


@given(seed=st.integers(0, 10**6))
@settings(max_examples=20)
def test_ancova_equals_nested_least_squares(seed) -> None:
    samples = profiles(seed)
    found = compare(samples, n=1)
    for name, expected in zip(
        ("slope", "intercept"), nested_f_tests(samples), strict=True
    ):
        row = row_of(found, "ancova", name)
        assert row["statistic"] == pytest.approx(expected[0], rel=1e-8, abs=1e-10)
        assert row["p_value"] == pytest.approx(expected[1], rel=1e-7, abs=1e-12)
        assert row_of(found, "permutation", name)["statistic"] == row["statistic"]


def test_group_lines_equal_linregress() -> None:
    samples = profiles(3)
    table = compare(samples).groups.set_index("vegetation")
    for name, part in samples.groupby("vegetation"):
        line = stats.linregress(part["d18O"], part["d2H"])
        row = table.loc[name]
        assert row["slope"] == pytest.approx(line.slope, rel=1e-10)
        assert row["intercept"] == pytest.approx(line.intercept, rel=1e-10)
        sma = part["d2H"].std() / part["d18O"].std()
        assert row["sma_slope"] == pytest.approx(sma, rel=1e-10)
        assert (row["n"], row["n_sites"]) == (24, 8)


def test_sma_test_equals_the_correlations_of_residual_and_axis_scores() -> None:
    samples = profiles(4)
    parts = [part for _, part in samples.groupby("vegetation")]

    def log_terms(slope: float) -> np.ndarray:
        pairs = [(p["d2H"] - slope * p["d18O"], p["d2H"] + slope * p["d18O"])
                 for p in parts]  # fmt: skip
        return np.array([np.log(1 - np.corrcoef(*pair)[0, 1] ** 2) for pair in pairs])

    n = np.array([len(part) for part in parts])
    best = optimize.minimize_scalar(
        lambda slope: -n @ log_terms(slope), bounds=(2, 20), method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    ratio = -(n - 2.5) @ log_terms(best.x)
    row = row_of(compare(samples), "sma", "slope")
    assert row["statistic"] == pytest.approx(ratio, rel=1e-7)
    assert row["p_value"] == pytest.approx(stats.chi2.sf(ratio, 2), rel=1e-7)


def test_sma_elevation_of_two_groups_equals_its_closed_form() -> None:
    samples = profiles(5, groups=2)
    parts = [part for _, part in samples.groupby("vegetation")]
    base = parts[0]
    # A mirror of the first group's scatter: both slopes are equal by construction.
    twin = base.assign(vegetation="meadow", site_id=base["site_id"] + 100)
    twin["d2H"] += 5.0
    twin["d18O"] += 1.0
    base = base.assign(vegetation="forest")
    row = row_of(compare(pd.concat([base, twin])), "sma", "intercept")
    b = base["d2H"].std() / base["d18O"].std()
    r, n = np.corrcoef(base["d18O"], base["d2H"])[0, 1], len(base)
    residual = (base["d2H"] - b * base["d18O"]).var() * (n - 1) / (n - 2)
    variance = 2 * residual / n + b**2 * (1 - r**2) / (2 * (n - 2))
    assert row["statistic"] == pytest.approx((5 - b) ** 2 / variance, rel=1e-7)


@given(seed=st.integers(0, 10**6), order=st.randoms(use_true_random=False))
@settings(max_examples=15)
def test_order_units_and_names_do_not_matter(seed, order) -> None:
    samples = profiles(seed)
    first = compare(samples).tests
    rows = list(range(len(samples)))
    order.shuffle(rows)
    moved = samples.iloc[rows].assign(
        d18O=lambda t: 3 * t["d18O"] + 40, d2H=lambda t: 0.5 * t["d2H"] - 7
    )
    second = compare(moved).tests
    plain = first["method"] != "permutation"
    for name in ("statistic", "p_value"):
        np.testing.assert_allclose(
            second.loc[plain, name], first.loc[plain, name], rtol=1e-5, atol=1e-8
        )
    names = {"forest": "desert", "meadow": "forest", "desert": "meadow"}
    renamed = compare(samples.replace({"vegetation": names})).tests
    overall = (first["second"] == "") & plain
    np.testing.assert_allclose(
        renamed.loc[overall, "statistic"],
        first.loc[overall, "statistic"],
        rtol=1e-7,
        atol=1e-9,
    )


def test_row_order_leaves_the_permutation_alone_where_sites_are_numbered_alike() -> (
    None
):
    samples = profiles(6)
    within = samples.groupby("site_id", group_keys=False)
    turned = samples.loc[np.concatenate([g.index[::-1] for _, g in within])]
    pd.testing.assert_frame_equal(compare(turned).tests, compare(samples).tests)


def test_the_same_generator_gives_the_same_answer() -> None:
    samples = profiles(7)
    pd.testing.assert_frame_equal(compare(samples).tests, compare(samples).tests)


def test_permutation_equals_a_loop_over_relabelled_tables() -> None:
    samples = profiles(8, sites=8, groups=2)
    site = samples["site_id"].to_numpy()
    codes = pd.factorize(samples["vegetation"])[0].astype(np.intp)
    chunks = kernels.chunks_of(site, codes)
    labels = kernels.permuted_labels(chunks, 30, np.random.default_rng(2))
    x, y = samples[["d18O", "d2H"]].to_numpy().T
    moments = kernels.line_moments(x + 13, y + 91, chunks)
    found = kernels.line_tests(moments, labels, 2)
    for place, row in enumerate(labels):
        relabelled = samples.assign(vegetation=row[chunks.of_sample])
        expected = nested_f_tests(relabelled)
        assert found.slope[place] == pytest.approx(expected[0][0], rel=1e-6, abs=1e-9)
        assert found.intercept[place] == pytest.approx(
            expected[1][0], rel=1e-6, abs=1e-9
        )


@given(seed=st.integers(0, 10**6))
def test_permutation_keeps_profiles_whole_and_group_sizes(seed) -> None:
    rng = np.random.default_rng(seed)
    units = rng.integers(0, 12, 40)
    labels = rng.integers(0, 3, 40)
    chunks = kernels.chunks_of(units, labels)
    moved = kernels.permuted_labels(chunks, 20, rng)
    for row in moved:
        assert sorted(row) == sorted(chunks.label)
        for unit in np.unique(chunks.unit):
            own = chunks.unit == unit
            if own.sum() > 1:
                assert sorted(row[own]) == sorted(chunks.label[own])
    together = chunks.unit[chunks.of_sample] == units
    assert together.all()


def test_every_arrangement_is_counted_and_drawn() -> None:
    chunks = kernels.chunks_of(np.array([0, 1, 2, 3, 3]), np.array([0, 0, 1, 0, 1]))
    moved = kernels.permuted_labels(chunks, 500, np.random.default_rng(0))
    assert len(np.unique(moved, axis=0)) == 6
    assert np.exp(kernels.log_arrangements(chunks)) == pytest.approx(6)


def test_different_slopes_and_intercepts_are_found() -> None:
    samples = profiles(9, sites=60)
    forest = samples["vegetation"] == "forest"
    tilted = samples.assign(
        d2H=np.where(
            forest, samples["d2H"] - 4 * (samples["d18O"] + 13), samples["d2H"]
        )
    )
    assert row_of(compare(tilted), "permutation", "slope")["p_value"] == 0.01
    lifted = samples.assign(d2H=samples["d2H"] + 15 * forest)
    found = compare(lifted)
    assert row_of(found, "permutation", "intercept")["p_value"] == 0.01
    assert row_of(found, "permutation", "slope")["p_value"] > 0.05
    pair = found.tests.query("parameter == 'intercept' and second != ''")
    told = pair[(pair["method"] == "permutation") & (pair["p_holm"] < 0.05)]
    assert all("forest" in names for names in told[["first", "second"]].to_numpy())
    assert len(told) == 2


def test_holm_adjusts_the_pairs_of_each_method_and_parameter() -> None:
    tests = compare(profiles(10)).tests
    assert tests.loc[tests["second"] == "", "p_holm"].isna().all()
    for _, part in tests[tests["second"] != ""].groupby(["method", "parameter"]):
        p = np.sort(part["p_value"].to_numpy())
        expected = np.minimum(np.maximum.accumulate(p * [3, 2, 1]), 1)
        np.testing.assert_allclose(np.sort(part["p_holm"]), expected)


def test_holm_leaves_missing_values_out() -> None:
    adjusted = kernels.holm(np.array([0.04, np.nan, 0.01]))
    np.testing.assert_allclose(adjusted, [0.04, np.nan, 0.02])


def test_blocks_move_whole() -> None:
    samples = profiles(11, sites=36, groups=2)
    samples["vegetation"] = np.where(samples["block"] % 2, "forest", "meadow")
    by_site = row_of(compare(samples, n=999), "permutation", "intercept")
    by_block = row_of(
        compare(samples, n=999, block="block"), "permutation", "intercept"
    )
    assert by_block["statistic"] == pytest.approx(by_site["statistic"], rel=1e-9)
    chunk = kernels.chunks_of(
        samples["block"].to_numpy(),
        pd.factorize(samples["vegetation"])[0].astype(np.intp),
    )
    assert chunk.unit.size == 18
    same = compare(samples.assign(site_id=samples["block"]), n=999)
    assert row_of(same, "permutation", "intercept")["p_value"] == by_block["p_value"]


def test_groups_that_cannot_be_compared_keep_their_rows() -> None:
    samples = profiles(12)
    extra = pd.DataFrame(
        {
            "site_id": [90, 91, 92, 92, 93],
            "block": 0,
            "vegetation": ["scrub", "scrub", "grassland", "grassland", "grassland"],
            "d18O": [-12.0, -13.0, -11.0, -11.0, -11.0],
            "d2H": [-90.0, -95.0, -80.0, -81.0, -82.0],
        }
    )
    missing = pd.DataFrame({"site_id": [94], "vegetation": ["bare"], "d18O": [np.nan],
                            "d2H": [-80.0]})  # fmt: skip
    found = compare(pd.concat([samples, extra, missing], ignore_index=True))
    table = found.groups.set_index("vegetation")
    assert len(table) == 6
    assert table.loc["scrub", "reason"] == "2 samples found, 3 needed for a line"
    assert table.loc["bare", "reason"] == "0 samples found, 3 needed for a line"
    assert table.loc["grassland", "reason"] == "all 3 samples have the same d18O"
    pairs = found.tests[found.tests["second"] != ""]
    assert len(pairs) == 15 * 6
    told = pairs["reason"] != ""
    assert pairs["p_value"].isna().equals(told)
    assert told.sum() == 12 * 6
    alone = compare(samples).tests
    whole = found.tests["second"] == ""
    pd.testing.assert_frame_equal(
        found.tests[whole].iloc[:2], alone[alone["second"] == ""].iloc[:2]
    )


def test_too_few_sites_and_opposite_slopes_are_said() -> None:
    samples = profiles(13, sites=4, groups=2, layers=6)
    row = row_of(compare(samples), "permutation", "slope")
    assert np.isnan(row["p_value"])
    assert row["reason"] == "too few sites to permute"
    turned = samples.assign(
        d2H=np.where(samples["vegetation"] == "forest", -1, 1) * samples["d18O"]
    )
    row = row_of(compare(turned), "sma", "slope")
    assert "do not rise together" in row["reason"]
    assert np.isnan(row["p_value"])


def test_periods_of_one_site_change_places() -> None:
    samples = profiles(14, sites=20, layers=6)
    samples["period"] = np.tile(["June"] * 3 + ["August"] * 3, 20)
    samples["d2H"] += 3.0 * (samples["period"] == "August")
    rng = np.random.default_rng(0)
    found = compare_lines(samples, "period", rng=rng)
    # Sites are their own controls: a shift below the spread of sites is found.
    assert row_of(found, "permutation", "intercept")["p_value"] == 0.001
    assert found.groups["period"].tolist() == ["June", "August"]


def test_faulty_input_is_refused() -> None:
    samples = profiles(15)
    with pytest.raises(InputError, match="missing column region"):
        compare(samples, block="region")
    with pytest.raises(InputError, match="0 samples to compare"):
        compare(samples.iloc[:0])
    with pytest.raises(InputError, match="with 0 permutations"):
        compare(samples, n=0)


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.0, 4.0])
def test_cluster_permutation_holds_its_level_where_ancova_does_not(shift) -> None:
    rng = np.random.default_rng(2020)
    trials, sites, layers = 1000, 30, 4
    site = np.repeat(np.arange(sites), layers)
    label = np.where(np.arange(sites) < 15, "forest", "meadow")
    rejected = dict.fromkeys(
        [(m, p) for m in ("ancova", "permutation") for p in ("slope", "intercept")], 0
    )
    for _ in range(trials):
        # Layers share the deviation of their profile; groups may differ in d18O.
        x = (
            shift * (site >= 15)
            + rng.normal(-13, 2, sites)[site]
            + rng.normal(0, 0.5, site.size)
        )
        error = rng.normal(0, 5, sites)[site] + rng.normal(0, 1, site.size)
        samples = pd.DataFrame(
            {"site_id": site, "vegetation": label[site], "d18O": x,
             "d2H": 7 * x + error}
        )  # fmt: skip
        found = compare_lines(samples, "vegetation", rng=rng, n_permutations=199)
        for method, parameter in rejected:
            p_value = row_of(found, method, parameter)["p_value"]
            rejected[method, parameter] += p_value <= 0.05
    share = {key: count / trials for key, count in rejected.items()}
    assert share["ancova", "slope"] > 0.2, share
    assert share["ancova", "intercept"] > 0.2, share
    assert 0.02 <= share["permutation", "slope"] <= 0.07, share
    assert 0.02 <= share["permutation", "intercept"] <= 0.07, share
