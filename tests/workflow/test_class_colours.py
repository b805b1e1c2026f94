"""Codes of reasons have colours, the same in every file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geosoil.grids.grid import Grid
from geosoil.io.geotiff import write_geotiff
from geosoil.workflow.class_colours import NOTHING, flag_colours, free_colours


def reasons(codes: list[int]) -> xr.DataArray:
    grid = Grid.from_bounds((0, 0, len(codes), 1), 1.0, "EPSG:4326")
    raster = grid.raster(np.array([codes], dtype=np.uint8), name="reason")
    words = "far_from_data too_few_sites outside_hull"
    return raster.assign_attrs(flag_masks=[1, 2, 4], flag_meanings=words, nodata=255)


@given(st.lists(st.integers(0, 7), min_size=1, max_size=6))
def test_a_code_has_one_colour_whatever_stands_beside_it(codes: list[int]) -> None:
    every = flag_colours(reasons(list(range(8))))
    found = flag_colours(reasons([*codes, 255]))
    assert found == {code: every[code] for code in codes}


def test_codes_are_told_apart_and_no_reason_is_pale() -> None:
    found = flag_colours(reasons(list(range(8))))
    assert len(set(found.values())) == 8
    assert found[0] == NOTHING
    assert len(set(free_colours(100))) == 100


def test_quantities_have_no_colour_table() -> None:
    raster = reasons([0, 1])
    assert flag_colours(raster.astype("float32")) is None
    bare = raster.copy()
    bare.attrs = {}
    assert flag_colours(bare) is None


def test_the_file_holds_the_colours(tmp_path: Path) -> None:
    raster = reasons([0, 2, 3])
    colours = flag_colours(raster)
    path = write_geotiff(raster, tmp_path / "reason.tif", colours=colours)
    with rasterio.open(path) as file:
        table = file.colormap(1)
    for code, colour in colours.items():
        stored = "#" + "".join(f"{part:02x}" for part in table[code][:3])
        assert stored == colour
    assert table[255][3] == pytest.approx(0)
