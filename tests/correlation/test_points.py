"""Points against cells: one pair a cell, whatever was measured in it."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from geosoil.correlation.dutilleul import dutilleul_test
from geosoil.correlation.points import point_correlation
from geosoil.errors import InputError, MissingCRSError


def frame(table: dict[str, object], x: object, y: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(x, y), crs="EPSG:4326")


@pytest.fixture
def profiles() -> gpd.GeoDataFrame:
    """Sixty profiles of 1 to 3 depths in 40 cells of a tenth of a degree."""
    rng = np.random.default_rng(1)
    cells = rng.permutation(120)[:40]
    of_profile = np.append(cells, rng.choice(cells, 20))
    profile = np.repeat(np.arange(60), rng.integers(1, 4, 60))
    cell = of_profile[profile]
    within = rng.uniform(0.01, 0.09, (2, 60))[:, profile]
    rain = np.random.default_rng(2).normal(80, 10, 120)[cell]
    table = {
        "site_id": [f"p{k}" for k in profile],
        "row": cell // 12,
        "column": cell % 12,
        "rain": rain,
        "moisture": 0.2 + rain / 1000 + rng.normal(0, 0.01, len(profile)),
    }
    return frame(table, 95 + cell % 12 / 10 + within[0], 35 - cell // 12 / 10)


def by_hand(table: gpd.GeoDataFrame) -> pd.DataFrame:
    """Mean of the profile means of each cell, in loops."""
    rows = []
    placed = pd.DataFrame(table).assign(east=table.geometry.x, north=table.geometry.y)
    for _, part in placed.groupby(["row", "column"]):
        means = [
            [
                p["moisture"].mean(),
                p["rain"].mean(),
                p["east"].mean(),
                p["north"].mean(),
            ]
            for _, p in part.groupby("site_id")
        ]
        rows.append(np.mean(means, axis=0))
    return pd.DataFrame(rows, columns=["moisture", "rain", "east", "north"])


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_r_and_p_are_those_of_the_means_of_the_cells(
    profiles: gpd.GeoDataFrame, method: str
) -> None:
    found = point_correlation(
        profiles, "moisture", "rain", group="site_id", method=method
    )
    cells = by_hand(profiles)
    assert (found.n_cells, found.n_groups, found.n_points) == (40, 60, len(profiles))
    reference = {"pearson": stats.pearsonr, "spearman": stats.spearmanr}[method]
    expected = reference(cells["moisture"], cells["rain"]).statistic
    assert found.r == pytest.approx(expected, abs=1e-12)
    first, second = (
        stats.rankdata(cells[name]) if method == "spearman" else cells[name]
        for name in ("moisture", "rain")
    )
    at = gpd.GeoSeries.from_xy(cells["east"], cells["north"], crs="EPSG:4326")
    test = dutilleul_test(first, second, at)
    assert found.p_value == pytest.approx(test.p_value, rel=1e-8)
    assert found.n_effective == pytest.approx(test.n_effective, rel=1e-8)
    assert found.reason == ""


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_the_naive_p_is_that_of_the_rows(
    profiles: gpd.GeoDataFrame, method: str
) -> None:
    found = point_correlation(profiles, "moisture", "rain", method=method)
    reference = {"pearson": stats.pearsonr, "spearman": stats.spearmanr}[method]
    expected = reference(profiles["moisture"], profiles["rain"])
    assert found.r_naive == pytest.approx(expected.statistic, abs=1e-12)
    assert found.p_naive == pytest.approx(expected.pvalue, rel=1e-6)
    assert found.n_groups == found.n_points


@settings(max_examples=8)
@given(st.integers(1, 6), st.integers(0, 10**6))
def test_measuring_a_profile_again_changes_the_naive_p_alone(
    times: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    cell = np.arange(25)
    x, y = rng.normal(size=(2, 25))
    table = {"row": cell // 5, "column": cell % 5, "x": x, "y": y, "site_id": cell}
    once = frame(table, 95 + cell % 5 / 10, 35 - cell // 5 / 10)
    again = once[once["site_id"] == 7]
    more = pd.concat([once, *[again] * times]).sample(frac=1, random_state=seed)
    first = point_correlation(once, "x", "y", group="site_id")
    second = point_correlation(more, "x", "y", group="site_id")
    for name in ("r", "p_value", "n_effective"):
        assert getattr(second, name) == pytest.approx(getattr(first, name), rel=1e-6)
    assert (second.n_cells, second.n_groups) == (25, 25)
    assert second.n_points == 25 + times
    assert second.r_naive != first.r_naive


def test_a_profile_weighs_once_and_its_depths_do_not() -> None:
    table = {
        "row": [0, 0, 0, 1, 2, 3],
        "column": 0,
        "site_id": ["a", "a", "b", "c", "d", None],
        "x": [1.0, 3.0, 8.0, 1.0, 2.0, 7.0],
        "y": [5.0, 5.0, 5.0, 1.0, 2.0, 4.0],
    }
    sites = frame(table, [95, 95, 95.05, 95.02, 95.03, 95.01], [35, 35, 35, 34, 33, 32])
    # cell 0: profile a has mean 2, b has 8, so that the cell has 5 and not 4
    expected = stats.pearsonr([5, 1, 2, 7], [5, 1, 2, 4]).statistic
    found = point_correlation(sites, "x", "y", group="site_id")
    assert found.r == pytest.approx(expected, abs=1e-12)
    assert (found.n_points, found.n_groups, found.n_cells) == (6, 5, 4)
    ungrouped = stats.pearsonr([4, 1, 2, 7], [5, 1, 2, 4]).statistic
    assert point_correlation(sites, "x", "y").r == pytest.approx(ungrouped, abs=1e-12)


def test_rows_without_value_cell_or_place_are_left_out(
    profiles: gpd.GeoDataFrame,
) -> None:
    base = point_correlation(profiles, "moisture", "rain", group="site_id")
    bad = profiles.iloc[:4].copy().astype({"row": float})
    bad.iloc[0, bad.columns.get_loc("moisture")] = np.nan
    bad.iloc[1, bad.columns.get_loc("rain")] = np.inf
    bad.iloc[2, bad.columns.get_loc("row")] = -1
    bad.iloc[3, bad.columns.get_loc("row")] = np.nan
    lost = profiles.iloc[[4]].set_geometry(gpd.GeoSeries([None], crs="EPSG:4326"))
    more = pd.concat([profiles, bad, lost], ignore_index=True)
    assert point_correlation(more, "moisture", "rain", group="site_id") == base


def test_three_cells_are_too_few_however_many_the_points() -> None:
    cell = np.repeat([0, 1, 2], 20)
    rng = np.random.default_rng(3)
    table = {"cell": cell, "x": cell + rng.normal(size=60), "y": 1.0 * cell}
    sites = frame(table, 95.0 + cell, 35.0 + 0 * cell)
    found = point_correlation(sites, "x", "y", cell=["cell"])
    assert (found.reason, found.n_cells, found.n_points) == ("few", 3, 60)
    assert np.isnan([found.r, found.p_value, found.n_effective]).all()
    assert found.p_naive < 1e-6


@pytest.mark.parametrize(("constant", "other"), [("x", "y"), ("y", "x")])
def test_a_constant_stays_one_through_the_means(constant: str, other: str) -> None:
    cell = np.repeat(np.arange(6), [1, 2, 3, 4, 5, 6])
    table = {"row": cell, "column": 0, constant: np.full(21, 0.1), other: np.arange(21)}
    found = point_correlation(frame(table, 95.0 + cell, 0 * cell), "x", "y")
    assert found.reason == f"constant_{constant}"
    assert np.isnan([found.r, found.p_value, found.r_naive, found.p_naive]).all()


def test_cells_of_the_same_value_stay_tied_in_ranks() -> None:
    cell = np.repeat(np.arange(6), [3, 1, 7, 2, 6, 1])
    rain = np.array([0.1, 0.1, 0.1, 0.3, 0.3, 0.7])
    table = {"row": cell, "column": 0, "rain": rain[cell], "x": 1.0 * cell}
    found = point_correlation(
        frame(table, 95.0 + cell, 0 * cell), "x", "rain", method="spearman"
    )
    expected = stats.spearmanr(np.arange(6), rain).statistic
    assert found.r == pytest.approx(expected, abs=1e-12)


def test_inputs_that_cannot_be_are_refused(profiles: gpd.GeoDataFrame) -> None:
    with pytest.raises(InputError, match="no column snow, depth"):
        point_correlation(profiles, "moisture", "snow", group="depth")
    with pytest.raises(InputError, match="'site_id' holds no numbers; unknown method"):
        point_correlation(profiles, "site_id", "rain", method="kendall")
    with pytest.raises(InputError, match="no column names the cell"):
        point_correlation(profiles, "moisture", "rain", cell=())
    bare = profiles.set_crs(None, allow_override=True)
    with pytest.raises(MissingCRSError, match="set_crs"):
        point_correlation(bare, "moisture", "rain")
