"""Tiles of one grid become one raster by whole cells, or are refused by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.errors import GridMismatchError, InputError, MissingCRSError
from geosoil.grids.grid import Grid, check_same_grid
from geosoil.grids.mosaic import mosaic

GRID = Grid.from_bounds((95, 33, 97, 34), 0.05, "EPSG:4326")
ROWS, COLUMNS = GRID.shape


def field(seed: int = 0, dates: int = 0) -> xr.DataArray:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(max(dates, 1), ROWS, COLUMNS)).astype("float32")
    values[rng.random(values.shape) < 0.1] = np.nan
    times = pd.date_range("2020-06-09", periods=max(dates, 1), freq="16D")
    raster = xr.DataArray(
        values, dims=("time", "y", "x"), coords={"time": times}, name="ndvi"
    )
    raster = GRID.georeference(raster).assign_attrs(units="1", tile="whole")
    return raster if dates else raster.isel(time=0, drop=True)


def part(raster: xr.DataArray, rows: slice, columns: slice) -> xr.DataArray:
    cut = raster.isel(y=rows, x=columns)
    a, e = GRID.transform.a, GRID.transform.e
    west = GRID.transform.c + a * (columns.start or 0)
    north = GRID.transform.f + e * (rows.start or 0)
    shape = (cut.sizes["y"], cut.sizes["x"])
    return Grid(GRID.crs, Affine(a, 0, west, 0, e, north), shape).georeference(cut)


@settings(max_examples=20)
@given(
    row=st.integers(1, ROWS - 1),
    column=st.integers(1, COLUMNS - 1),
    order=st.permutations(range(4)),
    over=st.integers(0, 3),
)
def test_a_raster_cut_in_four_comes_back(
    row: int, column: int, order: list[int], over: int
) -> None:
    whole = field()
    tiles = [
        part(whole, rows, columns)
        for rows in (slice(0, row + over), slice(row, None))
        for columns in (slice(0, column + over), slice(column, None))
    ]
    joined = mosaic([tiles[i] for i in order])
    np.testing.assert_array_equal(joined, whole)
    check_same_grid(Grid.of(joined), GRID)
    assert joined.dtype == np.float32
    assert joined.name == "ndvi"
    assert joined.attrs == whole.attrs


def test_gaps_between_tiles_are_missing() -> None:
    whole = field()
    tiles = [
        part(whole, slice(0, 5), slice(0, 10)),
        part(whole, slice(8, 12), slice(20, 30)),
    ]
    joined = mosaic(tiles)
    assert joined.shape == (12, 30)
    np.testing.assert_array_equal(joined[:5, :10], tiles[0])
    np.testing.assert_array_equal(joined[8:, 20:], tiles[1])
    assert np.isnan(joined[:8, 10:]).all()
    assert np.isnan(joined[5:, :20]).all()
    codes = [(tile * 0 + 3).fillna(3).astype("uint8") for tile in tiles]
    with pytest.raises(InputError, match="leave 270 cells of the box"):
        mosaic(codes)
    joined = mosaic([tile.assign_attrs(nodata=255) for tile in codes])
    assert joined.dtype == np.uint8
    assert joined.attrs["nodata"] == 255
    assert int((joined == 255).sum()) == 270


def test_each_rule_says_what_shared_cells_hold() -> None:
    first = part(field(1), slice(None), slice(0, 25))
    second = part(field(2), slice(None), slice(15, None))
    a, b = first.to_numpy()[:, 15:], second.to_numpy()[:, :10]
    shared = (slice(None), slice(15, 25))
    expected = {
        "first": np.where(np.isnan(a), b, a),
        "last": np.where(np.isnan(b), a, b),
        "mean": np.where(np.isnan(a), b, np.where(np.isnan(b), a, (a + b) / 2)),
    }
    for rule, values in expected.items():
        joined = mosaic([first, second], overlap=rule)
        np.testing.assert_allclose(joined[shared], values, rtol=1e-6)
        np.testing.assert_array_equal(joined[:, :15], first[:, :15])
        np.testing.assert_array_equal(joined[:, 25:], second[:, 10:])
    both = int((~np.isnan(a) & ~np.isnan(b)).sum())
    with pytest.raises(InputError, match=f"in {both} of the {both} cells"):
        mosaic([first, second])


def test_dates_stay_and_chunks_stay_lazy() -> None:
    whole = field(3, dates=4)
    tiles = [
        part(whole, slice(None), slice(0, 17)).assign_attrs(tile="h25v05"),
        part(whole, slice(None), slice(17, None)).assign_attrs(tile="h26v05"),
    ]
    joined = mosaic(tiles)
    np.testing.assert_array_equal(joined, whole)
    np.testing.assert_array_equal(joined["time"], whole["time"])
    assert joined.attrs == {"units": "1"}
    lazy = mosaic([tiles[0].chunk(time=1, y=5), tiles[1].chunk(time=2)])
    assert lazy.chunks is not None
    xr.testing.assert_identical(lazy.compute(), joined)
    mixed = mosaic([tiles[0].chunk(time=1), tiles[1]])
    assert mixed.chunks is not None
    xr.testing.assert_identical(mixed.compute(), joined)


def test_chunked_tiles_that_contradict_each_other_are_refused_when_read() -> None:
    lazy = mosaic([field(1, dates=2).chunk(time=1), field(2, dates=2).chunk(time=1)])
    with pytest.raises(InputError, match="contradict each other"):
        lazy.compute()


def test_tiles_upside_down_are_turned() -> None:
    whole = field()
    tiles = [
        part(whole, slice(0, 9), slice(None)),
        part(whole, slice(9, None), slice(None)),
    ]
    joined = mosaic([tiles[0].isel(y=slice(None, None, -1)), tiles[1]])
    np.testing.assert_array_equal(joined, whole)


def test_corners_written_to_a_millionth_of_a_metre_fit() -> None:
    side = 1111950.5196666666
    step = side / 1200
    west, north = -20015109.354 + 25 * side, 10007554.677 - 5 * side
    crs = "+proj=sinu +R=6371007.181 +units=m +no_defs"
    tiles = [
        Grid.from_bounds((0, 0, 1, 1), 1, crs).crs,
    ]
    grids = [
        Grid(
            tiles[0],
            Affine(
                round(step, 6), 0, round(west + n * side, 6), 0, -step, round(north, 6)
            ),
            (3, 1200),
        )
        for n in (0, 1)
    ]
    joined = mosaic([grid.raster(np.full(grid.shape, 1.0)) for grid in grids])
    assert joined.shape == (3, 2400)
    assert np.isfinite(joined).all()


def test_rasters_of_other_grids_are_refused_and_both_are_named() -> None:
    one = field()

    def other(**changes: float) -> xr.DataArray:
        new = {"a": 0.05, "c": 97.0, "f": 34.0, **changes}
        grid = Grid(
            GRID.crs, Affine(new["a"], 0, new["c"], 0, -new["a"], new["f"]), (4, 5)
        )
        return grid.raster(np.ones((4, 5), dtype="float32")).assign_attrs(units="1")

    with pytest.raises(
        GridMismatchError, match=r"raster 2 lies 0\.2 of a cell off"
    ) as e:
        mosaic([one, other(c=97.01)])
    assert str(GRID) in str(e.value)
    assert "W 97.01" in str(e.value)
    with pytest.raises(GridMismatchError, match="raster 2 has cells of another size"):
        mosaic([one, other(a=0.1)])
    crs = Grid.from_bounds((0, 0, 1, 1), 1, "EPSG:32647").crs
    moved = Grid(crs, Affine(0.05, 0, 97, 0, -0.05, 34), (4, 5))
    utm = moved.raster(np.ones((4, 5), dtype="float32")).assign_attrs(units="1")
    with pytest.raises(
        GridMismatchError, match=r"raster 3 has another CRS.*EPSG:32647"
    ):
        mosaic([one, other(), utm])
    with pytest.raises(MissingCRSError, match="no coordinate reference system"):
        mosaic([one, other().drop_vars("spatial_ref")])


def test_rasters_that_do_not_go_together_are_refused_all_at_once() -> None:
    one = field(dates=2)
    later = one.assign_coords(time=one["time"] + np.timedelta64(16, "D"))
    flat = one.isel(time=0, drop=True)
    codes = one.fillna(0).astype("int16")
    with pytest.raises(InputError) as caught:
        mosaic([one, later, flat, codes, one.assign_attrs(units="0.0001")])
    message = str(caught.value)
    assert "raster 2 has 2 dates, not the same 2" in message
    assert "2020-06-09, 2020-07-11" in message
    assert "raster 3 has dims ('y', 'x')" in message
    assert "raster 4 holds int16, not float32" in message
    assert "raster 5 is in 0.0001, not 1" in message
    turned = one.isel(time=[1, 0])
    with pytest.raises(InputError, match="in another order"):
        mosaic([one, turned])
    with pytest.raises(InputError, match="nodata 7, not 255"):
        mosaic([codes.assign_attrs(nodata=255), codes.assign_attrs(nodata=7)])
    with pytest.raises(InputError, match="has dims"):
        mosaic([flat.expand_dims("band")])
    with pytest.raises(InputError, match="which have no mean"):
        mosaic([codes], overlap="mean")
    with pytest.raises(InputError, match="Unknown overlap 'median'"):
        mosaic([one], overlap="median")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no rasters"):
        mosaic([])


def test_masks_that_fill_the_box_are_joined() -> None:
    mask = field() > 0
    tiles = [
        part(mask, slice(None), slice(0, 9)),
        part(mask, slice(None), slice(9, None)),
    ]
    joined = mosaic(tiles)
    assert joined.dtype == bool
    np.testing.assert_array_equal(joined, mask)
    with pytest.raises(InputError, match="make integers of masks"):
        mosaic([tiles[0], part(mask, slice(None), slice(10, None))])
