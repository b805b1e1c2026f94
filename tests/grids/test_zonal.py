"""Zonal statistics against brute force, terra and one field at a time."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
from exactextract import exact_extract
from exactextract.feature import GeoPandasFeatureSource
from exactextract.raster import NumPyRasterSource
from shapely.geometry import box

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids import coverage as coverage_module
from geosoil.grids.coverage import coverage
from geosoil.grids.grid import Grid
from geosoil.grids.zonal import STATISTICS, zonal_statistics
from geosoil.grids.zones import cell_area

GRID = Grid.from_bounds((90, 31, 96, 35), 0.25, "EPSG:4326")
QUANTITIES = tuple(stat for stat in STATISTICS if stat != "majority")


@pytest.fixture(scope="module")
def stack() -> xr.DataArray:
    """Three fields with gaps in other places each."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3, *GRID.shape))
    values[rng.random(values.shape) < 0.2] = np.nan
    times = pd.DatetimeIndex(["2020-06-09", "2020-06-25", "2020-07-11"])
    flat = xr.DataArray(
        values, dims=("time", "y", "x"), coords={"time": times}, name="ndvi"
    )
    return GRID.georeference(flat)


@pytest.fixture(scope="module")
def zones() -> gpd.GeoDataFrame:
    """Circles that overlap, two beyond the edge."""
    rng = np.random.default_rng(1)
    centres = shapely.points(rng.uniform(90, 96, 25), rng.uniform(31, 35, 25))
    shapes = shapely.buffer(centres, rng.uniform(0.1, 1.5, 25))
    return gpd.GeoDataFrame({"name": range(100, 125)}, geometry=shapes, crs="EPSG:4326")


def brute_force(
    values: np.ndarray, weights: np.ndarray, total: float
) -> dict[str, float]:
    """Summarise one polygon in plain words of numpy."""
    used = np.isfinite(values) & (weights > 0)
    w, v = weights[used], values[used]
    if not used.any():
        return {"count": 0.0, "valid_share": 0.0 if total else np.nan}
    mean = np.average(v, weights=w)
    return {
        "mean": mean,
        "sum": float((w * v).sum()),
        "count": w.sum(),
        "valid_share": w.sum() / total,
        "min": v.min(),
        "max": v.max(),
        "std": np.sqrt(np.average((v - mean) ** 2, weights=w)),
    }


@pytest.mark.parametrize("weights", ["coverage", "area"])
def test_statistics_equal_brute_force(
    stack: xr.DataArray, zones: gpd.GeoDataFrame, weights: str
) -> None:
    table = zonal_statistics(stack, zones, stats=QUANTITIES, weights=weights)
    x, y = np.meshgrid(GRID.x, GRID.y)
    cells = shapely.box(x - 0.125, y - 0.125, x + 0.125, y + 0.125)
    size = np.ones(GRID.shape) if weights == "coverage" else cell_area(GRID).to_numpy()
    for row, shape in enumerate(zones.geometry):
        share = shapely.area(shapely.intersection(shape, cells)) / 0.0625 * size
        for step, time in enumerate(["2020-06-09", "2020-06-25", "2020-07-11"]):
            expected = brute_force(stack.to_numpy()[step], share, share.sum())
            for stat, value in expected.items():
                found = table[f"{stat}_{time}"].iloc[row]
                assert found == pytest.approx(value, rel=1e-6, abs=1e-6)


def test_a_stack_equals_exactextract_field_by_field(
    stack: xr.DataArray, zones: gpd.GeoDataFrame
) -> None:
    table = zonal_statistics(stack, zones, stats=("mean", "count", "std"))
    for step, time in enumerate(["2020-06-09", "2020-06-25", "2020-07-11"]):
        values = np.ma.masked_invalid(stack.to_numpy()[step])
        source = NumPyRasterSource(values, *GRID.bounds, srs_wkt=zones.crs.to_wkt())
        found = exact_extract(
            source,
            GeoPandasFeatureSource(zones),
            ["mean", "count", "stdev"],
            output="pandas",
        )
        for stat, theirs in (("mean", "mean"), ("count", "count"), ("std", "stdev")):
            own = table[f"{stat}_{time}"].to_numpy()
            np.testing.assert_allclose(own, found[theirs], rtol=1e-9, atol=1e-12)


def test_the_mean_of_a_polygon_equals_that_of_terra(golden: Path) -> None:
    folder = golden / "geo" / "raster_corr"
    with xr.open_dataset(folder / "input.nc") as dataset:
        rasters = dataset[["sm", "ndvi"]].load().rename(lat="y", lon="x")
    cells = pd.read_csv(folder / "terra_extract_polygon_exact.csv")
    shape = shapely.from_wkt((folder / "polygon.wkt").read_text())
    table = zonal_statistics(
        rasters.isel(time=6, drop=True).rio.write_crs("EPSG:4326"),
        gpd.GeoSeries([shape], crs="EPSG:4326"),
        stats=("mean", "count"),
    )
    for name, layer in (("sm", "layer.1"), ("ndvi", "layer.2")):
        mean = np.average(cells[layer], weights=cells["fraction"])
        assert table[f"{name}_mean"][0] == pytest.approx(mean, abs=5e-8)
        # the area of the polygon in the plane of degrees
        count = shape.area / 0.05**2
        assert table[f"{name}_count"][0] == pytest.approx(count, abs=1e-6)


def test_the_geometry_is_worked_out_once_for_all_times(
    stack: xr.DataArray, zones: gpd.GeoDataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = []
    exact = coverage_module._exact

    def counted(shapes: object, grid: Grid) -> object:
        passes.append(len(shapes))
        return exact(shapes, grid)

    monkeypatch.setattr(coverage_module, "_exact", counted)
    long = xr.concat([stack] * 20, dim="time").assign_coords(
        time=pd.date_range("2020-01-01", periods=60)
    )
    zonal_statistics(long, zones)
    assert passes == [len(zones)]


def test_batches_and_dask_give_the_same_table(
    stack: xr.DataArray, zones: gpd.GeoDataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = zonal_statistics(stack, zones, stats=QUANTITIES)
    lazy = stack.chunk({"time": 1, "y": 5})
    pd.testing.assert_frame_equal(
        zonal_statistics(lazy, zones, stats=QUANTITIES), whole
    )
    monkeypatch.setattr(coverage_module, "BATCH", 300)
    pd.testing.assert_frame_equal(
        zonal_statistics(stack, zones, stats=QUANTITIES), whole
    )


def test_overlapping_polygons_are_summarised_each_by_itself(
    stack: xr.DataArray, zones: gpd.GeoDataFrame
) -> None:
    together = zonal_statistics(stack, zones)
    for row in range(0, len(zones), 6):
        alone = zonal_statistics(stack, zones.iloc[[row]])
        pd.testing.assert_frame_equal(alone, together.iloc[[row]])


def test_rows_that_have_no_answer_keep_their_reason() -> None:
    grid = Grid.from_bounds((0, 0, 4, 1), 1, "EPSG:4326")
    raster = grid.raster([[1.0, 2.0, np.nan, np.nan]], name="z")
    shapes = [
        box(0, 0, 2, 1),
        box(1, 0, 3, 1),
        box(-1, 0, 1, 1),
        box(2, 0, 4, 1),
        box(9, 9, 10, 10),
        None,
    ]
    frame = gpd.GeoDataFrame(geometry=shapes, crs="EPSG:4326").set_axis(list("abcdef"))
    table = zonal_statistics(raster, frame, stats=("mean", "count", "valid_share"))
    reasons = ["", "partial", "partial", "no data", "outside", "empty"]
    assert table["reason"].tolist() == reasons
    assert table.index.tolist() == list("abcdef")
    np.testing.assert_array_equal(table["mean"], [1.5, 2.0, 1.0, *[np.nan] * 3])
    assert table["count"].tolist() == [2.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    shares = [1.0, 0.5, 1.0, 0.0, np.nan, np.nan]
    np.testing.assert_array_equal(table["valid_share"], shares)
    counted = zonal_statistics(raster, frame, stats=["count"])
    assert counted["reason"].tolist() == reasons


def test_a_time_without_value_is_a_gap() -> None:
    grid = Grid.from_bounds((0, 0, 1, 1), 1, "EPSG:4326")
    times = pd.date_range("2020-06-01", periods=2)
    stack = grid.georeference(
        xr.DataArray([[[1.0]], [[np.nan]]], dims=("time", "y", "x")).assign_coords(
            time=times
        )
    )
    square = gpd.GeoSeries([box(0, 0, 1, 1)], crs="EPSG:4326")
    assert zonal_statistics(stack, square)["reason"].tolist() == ["gaps"]


def test_the_majority_is_the_class_with_the_most_area() -> None:
    grid = Grid.from_bounds((0, 0, 4, 1), 1, "EPSG:4326")
    codes = grid.raster(np.array([[3, 7, 7, 0]], dtype=np.uint8), name="kind")
    codes = codes.assign_attrs(nodata=0)
    shapes = [box(0, 0, 1.9, 1), box(0, 0, 2.2, 1), box(0, 0, 2, 1), box(3, 0, 4, 1)]
    squares = gpd.GeoSeries(shapes, crs="EPSG:4326")
    table = zonal_statistics(codes, squares, stats=("majority", "valid_share"))
    np.testing.assert_array_equal(table["majority"], [3, 7, 3, np.nan])
    assert table["valid_share"].tolist() == [1.0, 1.0, 1.0, 0.0]


def test_what_cannot_be_summarised_is_refused(
    stack: xr.DataArray, zones: gpd.GeoDataFrame
) -> None:
    with pytest.raises(InputError, match=r"Unknown statistics \['median'\]"):
        zonal_statistics(stack, zones, stats=["median"])  # type: ignore[list-item]
    with pytest.raises(InputError, match="Unknown statistics 'mean'"):
        zonal_statistics(stack, zones, stats="mean")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Unknown method 'centre'"):
        zonal_statistics(stack, zones, weights="centre")  # type: ignore[arg-type]
    codes = GRID.raster(np.ones(GRID.shape, dtype=np.uint8), name="kind")
    with pytest.raises(InputError, match=r"'kind' \(uint8\) holds classes.* no mean"):
        zonal_statistics(codes, zones, stats=["mean", "majority"])
    with pytest.raises(MissingCRSError, match="polygons have no coordinate"):
        zonal_statistics(stack, zones.set_crs(None, allow_override=True))


def test_coverage_sums_to_the_area_of_the_polygons(zones: gpd.GeoDataFrame) -> None:
    found = coverage(zones, GRID)
    within = found.matrix.sum(axis=1) * 0.0625 / (1 - found.outside)
    np.testing.assert_allclose(within, shapely.area(zones.geometry), rtol=1e-6)
