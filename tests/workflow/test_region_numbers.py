"""The region's numbers equal those counted and measured another way."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS
from shapely.geometry import MultiPolygon, Polygon, box

from geosoil.config import StudyConfig
from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.grids.zones import cell_area, polygon_mask
from geosoil.io.geotiff import write_geotiff
from geosoil.io.samples import read_numbered_samples
from geosoil.simulate.inputs import read_basins
from geosoil.workflow.class_inputs import ClassLayer
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.published import (
    is_paper_region,
    published_counts,
    published_lines,
    published_means,
)
from geosoil.workflow.region_numbers import geodesic_area, region_numbers

GRID = Grid.from_bounds((90.0, 32.0, 94.0, 36.0), 0.5, "EPSG:4326")
BASINS = gpd.GeoDataFrame(
    {"name": ["west", "east", "west"]},
    geometry=[
        box(90.0, 32.0, 92.0, 36.0),
        box(92.0, 32.0, 93.0, 36.0),
        box(93.0, 32.0, 93.5, 34.0),
    ],
    crs=4326,
)
TABLE = """title row,,,,,,,
sample_id,water,period,site_id,longitude,latitude,elevation,d18O,d2H
a1,soil,June,s1,90.25,33.25,4100,-12,-90
a2,soil,June,s1,90.25,33.25,4100,-13,-97
a3,soil,August,s2,92.75,35.25,3900,-14,-101
,,,,,,,,
a4,precipitation,June,Maduo,91.25,34.25,4272.3,-10,-70
a5,precipitation,May,Maduo,91.25,34.25,4272.3,-11,-76
a6,precipitation,June,Dari,99.65,33.75,3967,-9,-62
"""


@pytest.fixture
def inputs(tmp_path: Path) -> StudyInputs:
    """A study of three polygons, two basins."""
    heights = np.arange(GRID.shape[0] * GRID.shape[1], dtype=float).reshape(GRID.shape)
    elevation = GRID.raster(3500.0 + 10.0 * heights, name="elevation")
    path = tmp_path / "samples.csv"
    path.write_text(TABLE, encoding="utf-8")
    codes = GRID.raster(np.where(heights % 3 == 2, np.nan, heights % 3), name="soil")
    config = StudyConfig.model_validate(
        {
            "samples": {"path": path},
            "tracers": {"sources": {"June": ("a", "b"), "August": ("a", "b")}},
            "elevation": write_geotiff(elevation, tmp_path / "dem.tif"),
        }
    )
    samples, rows = read_numbered_samples(path)
    return StudyInputs(
        config=config,
        samples=samples,
        end_members=None,
        grid=GRID,
        region=BASINS,
        mask=polygon_mask(BASINS, GRID),
        elevation=elevation,
        layers={"soil": ClassLayer(codes, {0: "thin", 1: "deep", 2: "never"})},
        rows=rows,
    )


@given(
    west=st.floats(-179.0, 170.0),
    south=st.floats(-85.0, 80.0),
    width=st.floats(0.01, 5.0),
    height=st.floats(0.01, 4.0),
)
def test_areas_agree_with_an_equal_area_projection(
    west: float, south: float, width: float, height: float
) -> None:
    # Edges along parallels are no geodesics; close vertices make the two alike.
    shape = box(west, south, west + width, south + height).segmentize(0.01)
    cell = gpd.GeoSeries([shape], crs=4326)
    equal = float(cell.to_crs("EPSG:6933").area.iloc[0]) / 1e6
    assert geodesic_area(cell).iloc[0] == pytest.approx(equal, rel=2e-6)


def test_areas_of_the_carried_basins_are_those_they_were_cut_with() -> None:
    basins = read_basins()
    found = geodesic_area(basins.geometry).to_numpy()
    assert np.abs(found - basins["area_km2"].to_numpy()).max() <= 1.0


def test_polygons_without_a_crs_are_refused() -> None:
    with pytest.raises(InputError, match="no CRS"):
        geodesic_area(gpd.GeoSeries([box(0, 0, 1, 1)]))


def test_polygons_of_one_name_are_one_basin(inputs: StudyInputs) -> None:
    table = region_numbers(inputs)["region_basins"].set_index("basin")
    assert table.index.tolist() == ["west", "east", "all"]
    parts = geodesic_area(BASINS.geometry)
    expected = {"west": parts[0] + parts[2], "east": parts[1], "all": parts.sum()}
    for name, area in expected.items():
        assert table.loc[name, "area_km2"] == pytest.approx(area, rel=1e-6)
    assert table["share"].drop("all").sum() == pytest.approx(1.0, rel=1e-6)
    assert table.loc["all", ["west", "south", "east", "north"]].tolist() == [
        *(90.0, 32.0, 93.5, 36.0)
    ]


def test_elevations_are_those_of_the_cells_weighted_by_area(
    inputs: StudyInputs,
) -> None:
    table = region_numbers(inputs)["region_basins"].set_index("basin")
    assert inputs.elevation is not None
    area = cell_area(GRID)
    inside = polygon_mask(BASINS[BASINS["name"] == "east"], GRID)
    cells = inputs.elevation.where(inside)
    mean = float((cells * area).sum() / area.where(inside).sum())
    assert table.loc["east", "elevation_mean"] == pytest.approx(mean, rel=1e-6)
    assert table.loc["east", "elevation_lowest"] == float(cells.min())
    assert table.loc["east", "elevation_highest"] == float(cells.max())


def test_classes_share_the_region_and_what_has_none_is_told(
    inputs: StudyInputs,
) -> None:
    table = region_numbers(inputs)["region_classes"]
    assert table["label"].tolist() == ["thin", "deep", "no class"]
    assert table["share"].sum() == pytest.approx(1.0, abs=1e-12)
    area, codes = cell_area(GRID), inputs.layers["soil"].codes
    total = 0.0
    for row in range(GRID.shape[0]):
        for column in range(GRID.shape[1]):
            if bool(inputs.mask[row, column]) and float(codes[row, column]) == 1.0:
                total += float(area[row, column])
    deep = table.set_index("label").loc["deep", "area_km2"]
    assert deep == pytest.approx(total, rel=1e-12)


def test_samples_are_counted_by_water_and_period(inputs: StudyInputs) -> None:
    table = region_numbers(inputs)["region_samples"]
    found = table.set_index(["water", "period"])[["n", "n_sites"]]
    assert found.loc[("soil", "June")].tolist() == [2, 1]
    assert found.loc[("soil", "all")].tolist() == [3, 2]
    assert found.loc[("precipitation", "other")].tolist() == [1, 1]
    assert found.loc[("precipitation", "all")].tolist() == [3, 2]
    assert table["paper_n"].isna().all()


def test_rows_are_those_of_the_user_s_file(inputs: StudyInputs) -> None:
    rows = region_numbers(inputs)["sample_rows"]
    lines = TABLE.splitlines()
    for _, row in rows.iterrows():
        assert lines[row["row"] - 1].startswith(f"{row['sample_id']},")


def test_places_have_the_model_s_elevation_where_it_reaches(
    inputs: StudyInputs,
) -> None:
    table = region_numbers(inputs)["region_places"].set_index("site_id")
    assert inputs.elevation is not None
    model = inputs.elevation.sel(x=91.25, y=34.25, method="nearest")
    assert table.loc["Maduo", "elevation_model"] == float(model)
    assert np.isnan(table.loc["Dari", "elevation_model"])
    assert table.loc["Maduo", "n"] == 2


def test_a_study_without_region_layers_or_places_has_its_samples_alone(
    inputs: StudyInputs,
) -> None:
    from dataclasses import replace

    whole = xr.ones_like(inputs.mask)
    is_soil = inputs.samples["water"] == "soil"
    rows = tuple(np.array(inputs.rows)[is_soil].tolist())
    soil = inputs.samples[is_soil]
    bare = replace(inputs, region=None, mask=whole, layers={}, samples=soil, rows=rows)
    assert set(region_numbers(bare)) == {"region_samples", "sample_rows"}


def test_a_region_in_another_crs_gives_the_same_numbers(inputs: StudyInputs) -> None:
    from dataclasses import replace

    dense = BASINS.assign(geometry=BASINS.segmentize(0.02))
    albers = CRS.from_proj4("+proj=aea +lat_1=25 +lat_2=47 +lon_0=100 +datum=WGS84")
    first = region_numbers(replace(inputs, region=dense))["region_basins"]
    second = region_numbers(replace(inputs, region=dense.to_crs(albers)))
    pd.testing.assert_frame_equal(first, second["region_basins"], rtol=1e-5)


def test_the_paper_stands_beside_its_own_region_alone(inputs: StudyInputs) -> None:
    from dataclasses import replace

    assert not is_paper_region(BASINS)
    assert "published_means" not in region_numbers(inputs)
    own = region_numbers(replace(inputs, region=read_basins()))
    basins = own["region_basins"].set_index("basin")
    assert basins.loc["Yellow headwaters", "paper_area_km2"] == 167_000.0
    assert basins.loc["all", "paper_highest"] == 6920.0
    assert np.isnan(basins.loc["interior drainage", "paper_area_km2"])
    samples = own["region_samples"].set_index(["water", "period"])
    assert samples.loc[("soil", "June"), "paper_sites"] == 79
    assert samples.loc[("soil", "all"), "paper_n"] == 741
    assert {"published_means", "published_lines"} <= set(own)


def test_the_paper_s_samples_add_up_to_its_total() -> None:
    assert published_counts()["paper_n"].sum() == 2451


def test_the_paper_s_means_keep_the_identity_of_d_excess() -> None:
    means = published_means()
    gap = means["d2H"] - 8 * means["d18O"] - means["d_excess"]
    assert gap.abs().max() < 1e-9
    assert (means["d18O"] < 0).all()
    assert (means["d2H"] < 0).all()


def test_the_paper_s_lines_name_every_stratum() -> None:
    lines = published_lines()
    assert lines[["by", "stratum", "slope", "intercept"]].notna().all(axis=None)
    assert len(lines[lines["kind"] == "evaporation line"]) == 33


def test_the_way_that_rings_run_does_not_count() -> None:
    ring, hole = box(90, 30, 94, 34), box(91, 31, 92, 32)
    outer = list(ring.exterior.coords)
    inner = list(hole.exterior.coords)
    whole = geodesic_area(gpd.GeoSeries([ring, hole], crs=4326))
    shapes = [
        MultiPolygon([Polygon(outer[::a], [inner[::b]]), box(0, 0, 1, 1)])
        for a in (1, -1)
        for b in (1, -1)
    ]
    found = geodesic_area(gpd.GeoSeries(shapes, crs=4326, index=[7, 7, 8, 9]))
    other = geodesic_area(gpd.GeoSeries([box(0, 0, 1, 1)], crs=4326)).iloc[0]
    assert found.index.tolist() == [7, 7, 8, 9]
    np.testing.assert_allclose(found, whole[0] - whole[1] + other, rtol=1e-12)
