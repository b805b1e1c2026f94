"""Tests of the diagrams of a study: which are drawn, and from which numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from geosoil.config import StudyConfig
from geosoil.grids.grid import Grid
from geosoil.plotting.picture import figure_words
from geosoil.plotting.style import HESS, PRESETS, SCREEN
from geosoil.tracers.lines import GMWL
from geosoil.workflow.diagram_figures import (
    diagram_figures,
    group_shares,
    water_means,
)
from geosoil.workflow.fractions import FractionResult, solve_study
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.simulated import SIMULATED

GRID = Grid.from_bounds((95.0, 33.0, 96.0, 33.5), 0.1, "EPSG:4326")
SOURCES = {
    "June": ["precipitation", "ground_ice", "snowmelt"],
    "September": ["precipitation", "ground_ice"],
}
MEANS = {
    "precipitation": (-10.0, 12.0),
    "ground_ice": (-14.0, 2.0),
    "snowmelt": (-19.0, 16.0),
    "river": (-12.5, 9.0),
}
PAPER = ["dual_isotope", "lines_by_layer", "water_connections", "end_elements"]
PAPER += ["source_concept", "mixing_diagram", "fractions_by_group"]


def waters() -> Iterator[dict[str, object]]:
    """Samples of each water; soil in three layers, forest in June alone."""
    rng = np.random.default_rng(11)
    for period in SOURCES:
        for water, (d18O, excess) in MEANS.items():
            for place in range(8):
                x = d18O + rng.normal(0.0, 0.8)
                y = 8.0 * x + excess + rng.normal(0.0, 1.5)
                yield {
                    "water": water,
                    "period": period,
                    "d18O": x,
                    "d2H": y,
                    "site_id": f"{water}-{place}",
                }
        for site in range(12):
            for depth in (0.0, 20.0, 40.0):
                shares = rng.dirichlet([6.0, 2.0, 1.5 if period == "June" else 0.01])
                x, d = shares @ np.array([MEANS[s] for s in SOURCES["June"]])
                yield {
                    "water": "soil",
                    "period": period,
                    "site_id": f"soil-{site}",
                    "elevation": 3300.0 + 120.0 * site,
                    "depth_top": depth,
                    "depth_bottom": depth + 20.0,
                    "vegetation": "forest"
                    if site < 3 and period == "June"
                    else "meadow",
                    "d18O": x,
                    "d2H": 8.0 * x + d + rng.normal(0.0, 1.0),
                }


@pytest.fixture(scope="module")
def inputs() -> StudyInputs:
    table = pd.DataFrame(list(waters()))
    table["sample_id"] = [f"s{row}" for row in range(len(table))]
    places = gpd.points_from_xy(np.full(len(table), 95.5), np.full(len(table), 33.2))
    samples = gpd.GeoDataFrame(table, geometry=places, crs=4326)
    config = StudyConfig(
        study=cast("Any", {"name": "Small study", "simulated": True}),
        samples=cast("Any", {"path": "samples.csv"}),
        tracers=cast("Any", {"sources": SOURCES, "names": ["d18O", "d_excess"]}),
        rule=cast("Any", [{"source": "snowmelt", "period": ["June"], "below": 4000}]),
    )
    inside = GRID.raster(np.ones(GRID.shape, dtype=bool))
    return StudyInputs(config, samples, None, GRID, None, inside, None, {})


@pytest.fixture(scope="module")
def result(inputs: StudyInputs) -> FractionResult:
    return solve_study(inputs, lambda _: None)


@pytest.fixture(scope="module", params=PRESETS.values(), ids=list(PRESETS))
def figures(inputs, result, request):
    drawn = diagram_figures(inputs, result, SIMULATED)
    return request.param, {name: draw(request.param) for name, draw in drawn}


def test_every_diagram_of_the_paper_is_drawn_for_both_presets(figures):
    preset, drawn = figures
    assert list(drawn) == PAPER
    for name, figure in drawn.items():
        words = figure_words(figure)
        assert words.note == SIMULATED, name
        assert words.title, name
        assert words.caption, name
        width = float(figure.get_size_inches()[0])
        assert width <= preset.page + 1e-9
        assert bool(figure.get_suptitle()) is preset.titled
        assert len(figure.axes) > 1


def test_a_stratum_of_one_month_is_told_in_the_other(figures):
    september = figures[1]["source_concept"].axes[1]
    absent = [text.get_text() for text in september.texts if text.get_gid()]
    assert "no samples" in absent


def test_shares_of_absent_sources_are_zero_with_no_upper_bound(result):
    shares = group_shares(result).set_index(["period", "group"])
    for group in ("3000-3500", "3500-4000"):
        row = shares.loc[("June", group)]
        assert row["snowmelt"] == row["snowmelt_upper"] == 0.0
        assert row["precipitation"] + row["ground_ice"] == pytest.approx(1.0)
    assert (shares.xs("September")["snowmelt_upper"] == 0.0).all()
    assert shares.loc[("June", "4000-4500"), "snowmelt_upper"] > 0.0


def test_means_of_waters_are_those_of_their_samples(inputs):
    samples = pd.DataFrame(inputs.samples.drop(columns="geometry"))
    means = water_means(samples, GMWL)
    assert "soil" not in set(means["stratum"])
    assert list(means.loc[means["period"] == "June", "stratum"]) == [
        "river",
        "precipitation",
        "ground_ice",
        "snowmelt",
    ]
    own = samples[(samples["water"] == "river") & (samples["period"] == "June")]
    row = means[(means["stratum"] == "river") & (means["period"] == "June")].iloc[0]
    assert row["d18O"] == pytest.approx(own["d18O"].mean())
    assert row["d18O_se"] == pytest.approx(own["d18O"].sem())


def test_waters_without_a_site_count_one_by_one():
    table = pd.DataFrame(
        {
            "water": ["river", "river", "fog"],
            "period": "June",
            "site_id": [None, None, "hut"],
            "d18O": [-12.0, -10.0, -6.0],
            "d2H": [-86.0, -70.0, -38.0],
        }
    )
    means = water_means(table, GMWL)
    assert list(means["stratum"]) == ["river", "fog"]
    assert means["d18O_se"].iloc[0] == pytest.approx(1.0)
    assert np.isnan(means["d18O_se"].iloc[1])
    assert water_means(table.iloc[:0], GMWL).empty


def test_end_elements_show_the_sources_of_the_answer(figures, result):
    axes = figures[1]["end_elements"].axes[0]
    drawn = {c.lines[0].get_gid(): c.lines[0].get_xydata()[0] for c in axes.containers}
    ends = result.end_members
    june = ends[ends["period"] == "June"].set_index("source")
    for source in SOURCES["June"]:
        row = june.loc[source]
        place = (row["d18O"], row["d2H"] - 8.0 * row["d18O"])
        np.testing.assert_allclose(drawn[f"source {source}"], place)


def test_presets_differ_in_width_alone_not_in_numbers(inputs, result):
    draw = dict(diagram_figures(inputs, result, None))["source_concept"]
    widths = [
        [patch.get_width() for axes in draw(preset).axes for patch in axes.patches]
        for preset in (SCREEN, HESS)
    ]
    assert widths[0] == widths[1]
