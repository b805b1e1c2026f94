"""Which figures of its region a study has, and what they show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

from geosoil.plotting.style import HESS, SCREEN, FigurePreset
from geosoil.workflow.region_figures import (
    MOST_PLACES,
    class_map,
    open_sheet,
    region_figures,
    sampled_places,
)
from tests.workflow.figure_cases import inputs, samples


def names(study) -> list[str]:
    return [name for name, _ in region_figures(study, open_sheet(study))]


def test_a_study_without_layers_or_elevation_leaves_its_figures_out() -> None:
    assert names(inputs()) == []
    assert names(inputs(layers=("soil",))) == ["region_soil"]
    assert names(inputs(elevation=True)) == ["terrain", "sampling_sites"]
    bare = inputs(elevation=True)
    nowhere = bare.samples.set_geometry([None] * len(bare.samples), crs=4326)
    assert names(replace(bare, samples=nowhere)) == ["terrain"]


def test_well_known_layers_come_first_in_the_order_of_the_paper() -> None:
    study = inputs(layers=("vegetation", "wetland", "soil", "permafrost"))
    assert names(study) == ["region_permafrost_soil_vegetation_wetland"]
    draw = dict(region_figures(study, open_sheet(study)))[names(study)[0]]
    titles = [axes.get_title(loc="left") for axes in draw(SCREEN).axes]
    assert [title for title in titles if title] == [
        "(a) Frozen ground",
        "(b) Soil types",
        "(c) Vegetation types",
        "(d) Wetland",
    ]


@pytest.mark.parametrize("preset", [SCREEN, HESS])
def test_every_figure_is_drawn_for_each_preset(preset: FigurePreset) -> None:
    study = inputs(layers=("soil",), elevation=True, study={"simulated": True})
    for _, draw in region_figures(study, open_sheet(study)):
        figure = draw(preset)
        assert figure.get_size_inches()[0] in (preset.column, preset.page)
        notes = [t.get_text() for t in figure.texts if t.get_gid() == "note"]
        assert len(notes) == 1
        assert notes[0].startswith("SIMULATED")


def test_classes_are_shown_within_the_region_only() -> None:
    study = inputs(layers=("soil",))
    shown = class_map(study, "soil").codes
    np.testing.assert_array_equal(np.isfinite(shown), study.mask)


def test_colours_of_classes_are_those_of_their_table(tmp_path: Path) -> None:
    table = tmp_path / "soil.csv"
    table.write_text("code,label,colour\n1,meadow,#112233\n2,forest,\n")
    study = inputs(layers=("soil",))
    layer = study.config.layers["soil"].model_copy(update={"table": table})
    config = study.config.model_copy(update={"layers": {"soil": layer}})
    found = class_map(replace(study, config=config), "soil").classes
    assert found[1].colour == "#112233"
    assert found[2].colour is None
    assert found[2].label == "forest"


def test_the_few_places_of_rain_and_meltwater_are_stations() -> None:
    found = {one.label: one.points for one in sampled_places(samples())}
    assert {label: list(points["name"]) for label, points in found.items()} == {
        "precipitation stations": ["Maduo"],
        "snowmelt sites": ["Halong"],
    }
    many = gpd.GeoDataFrame(
        {
            "water": "precipitation",
            "site_id": [f"s{i}" for i in range(MOST_PLACES + 1)],
        },
        geometry=gpd.points_from_xy(np.full(MOST_PLACES + 1, 97.0), [34.0] * 13),
        crs="EPSG:4326",
    )
    assert sampled_places(many) == ()
    assert sampled_places(samples().drop(columns="site_id")) == ()


def test_samples_of_other_months_are_not_on_the_map_of_sites() -> None:
    study = inputs(elevation=True)
    draw = dict(region_figures(study, open_sheet(study)))["sampling_sites"]
    titles = [axes.get_title(loc="left") for axes in draw(SCREEN).axes]
    assert titles == [
        "(a) June: 3 samples at 3 sites",
        "(b) August: 1 sample at 1 site",
    ]
