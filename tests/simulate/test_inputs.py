"""The real inputs: where they lie, what they hold, what they cost."""

from __future__ import annotations

import numpy as np
import pytest

from geosoil.errors import MissingFileError
from geosoil.grids.grid import Grid
from geosoil.simulate import inputs
from geosoil.simulate.landscape import BOUNDS


def test_every_input_is_small_enough_to_be_tracked():
    files = [
        path
        for room in ("elevation", "landcover", "region", "paper")
        for path in (inputs.data_folder() / room).iterdir()
    ]
    assert len(files) > 15
    assert max(path.stat().st_size for path in files) < 200_000


@pytest.mark.parametrize("read", [inputs.read_elevation, inputs.read_land_cover])
def test_rasters_reach_beyond_the_study_area(read):
    west, south, east, north = Grid.of(read()).bounds
    assert west < BOUNDS[0] - 0.9
    assert south < BOUNDS[1] - 0.9
    assert east > BOUNDS[2] + 0.9
    assert north > BOUNDS[3] + 0.9


def test_elevation_cells_are_centred_on_five_minute_nodes():
    elevation = inputs.read_elevation()
    for axis in ("x", "y"):
        nodes = elevation[axis].values * 12
        np.testing.assert_allclose(nodes, np.round(nodes), atol=1e-9)


def test_land_cover_lies_on_the_climate_modelling_grid():
    grid = Grid.of(inputs.read_land_cover())
    edges = np.array(grid.bounds) * 20
    np.testing.assert_allclose(edges, np.round(edges), atol=1e-9)
    assert grid.crs.to_epsg() == 4326


def test_rivers_and_lakes_cross_the_region():
    region = inputs.read_basins().union_all()
    rivers, lakes = inputs.read_rivers(), inputs.read_lakes()
    assert rivers.intersects(region).sum() > 20
    assert {"Ngoring Hu", "Gyaring Hu"} <= set(lakes[lakes.intersects(region)].name)
    assert rivers.length_km.is_monotonic_decreasing
    assert rivers.crs.to_epsg() == lakes.crs.to_epsg() == 4326


def test_stations_and_glaciers_lie_near_their_elevation():
    # ETOPO5 misses gorges (around Zhimenda its lowest cell is 730 m too high) and has
    # the mountains of the Halong glacier 50 km too far west
    elevation = inputs.read_elevation()
    for places in (inputs.read_stations(), inputs.read_glaciers()):
        for row in places.itertuples(name="Place"):
            reach = 0.6 if row.name == "Halong" else 0.2
            around = elevation.sel(
                x=slice(row.longitude - reach, row.longitude + reach),
                y=slice(row.latitude + reach, row.latitude - reach),
            )
            assert float(around.min()) - 800 < row.elevation < float(around.max()) + 450


def test_zhimenda_as_printed_is_another_place_1000_m_higher():
    row = inputs.read_stations().set_index("name").loc["Zhimenda"]
    there = inputs.read_elevation().sel(
        x=row.longitude_printed, y=row.latitude_printed, method="nearest"
    )
    assert float(there) > row.elevation + 900


def test_paper_tables_are_read_by_name():
    assert len(inputs.read_paper_table("table1_means")) == 36
    with pytest.raises(MissingFileError, match=r"no paper table 'table9'.*table2_lel"):
        inputs.read_paper_table("table9")
