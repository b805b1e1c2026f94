"""One table of samples: rasters, fields by date, classes, reasons and provenance."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
from shapely.geometry import box

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.grids.points import values_at_points
from geosoil.grids.sample_join import (
    JoinedLayer,
    JoinedRaster,
    JoinResult,
    join_samples_to,
)

STUDY = Grid.from_bounds((89.40, 31.55, 102.30, 36.30), 0.05, "EPSG:4326")
COARSE = Grid.from_bounds((89.0, 31.0, 103.0, 37.0), 0.1, "EPSG:4326")


@pytest.fixture(scope="module")
def samples() -> gpd.GeoDataFrame:
    """Six samples: two in one cell, one on an edge, one outside, one without place."""
    x = [95.01, 95.02, 95.05, 80.0, np.nan, 96.33]
    y = [33.01, 33.02, 34.01, 33.0, np.nan, 35.02]
    places = [
        None if np.isnan(a) else shapely.Point(a, b) for a, b in zip(x, y, strict=True)
    ]
    days = ["2020-06-12", "2020-08-20", None, "2020-06-12", "2020-06-12", "2021-01-01"]
    table = {"sample_id": list("pqrstu"), "date": pd.to_datetime(pd.Series(days))}
    frame = gpd.GeoDataFrame(table, geometry=places, crs="EPSG:4326")
    frame.attrs["issues"] = []
    return frame.set_axis([10, 11, 12, 13, 14, 15])


@pytest.fixture(scope="module")
def ndvi() -> xr.DataArray:
    """Two composites, each with its own numbers."""
    times = pd.DatetimeIndex(["2020-06-09", "2020-08-12"])
    numbers = np.arange(STUDY.shape[0] * STUDY.shape[1]).reshape(STUDY.shape) / 1e5
    stack = xr.DataArray(
        np.stack([numbers, numbers + 0.5]),
        dims=("time", "y", "x"),
        coords={"time": times},
        attrs={"units": "1", "source": "MOD13C1"},
    )
    return STUDY.georeference(stack)


@pytest.fixture(scope="module")
def joined(samples: gpd.GeoDataFrame, ndvi: xr.DataArray) -> JoinResult:
    x, y = np.meshgrid(COARSE.x, COARSE.y)
    rain = COARSE.raster(x + y).assign_attrs(units="mm")
    frozen = STUDY.raster(np.where(STUDY.y[:, None] > 34, 1.0, 2.0) + 0 * STUDY.x)
    soils = gpd.GeoDataFrame(
        {"soil": ["felty", "frozen"]},
        geometry=[box(95, 33, 95.05, 35), box(95.05, 33, 96, 35)],
        crs="EPSG:4326",
    )
    return join_samples_to(
        samples,
        {
            "ndvi": ndvi,
            "rain": JoinedRaster(rain, method="bilinear", source="TPDC"),
            "permafrost": JoinedRaster(frozen, labels={1: "yes", 2: "no"}),
        },
        {"soil": (soils, "soil")},
        grid=STUDY,
    )


def test_every_sample_keeps_its_row(
    joined: JoinResult, samples: gpd.GeoDataFrame
) -> None:
    table = joined.table
    pd.testing.assert_frame_equal(table[samples.columns], samples)
    assert table.crs == samples.crs
    assert table.attrs == samples.attrs
    assert table.index.tolist() == [10, 11, 12, 13, 14, 15]


def test_fields_are_those_of_the_date(joined: JoinResult, ndvi: xr.DataArray) -> None:
    table = joined.table
    rows, columns, _ = STUDY.cells([95.01, 95.02], [33.01, 33.02])
    number = (rows * 258 + columns) / 1e5
    expected = [number[0], number[1] + 0.5, *[np.nan] * 4]
    np.testing.assert_array_equal(table["ndvi"], expected)
    starts = ["2020-06-09", "2020-08-12", None, "2020-06-09", "2020-06-09", None]
    assert table["ndvi_time"].tolist() == pd.to_datetime(pd.Series(starts)).tolist()
    reasons = ["", "", "no date", "outside", "no position", "no composite"]
    assert table["ndvi_reason"].tolist() == reasons


def test_each_raster_is_read_on_its_own_grid(
    joined: JoinResult, samples: gpd.GeoDataFrame
) -> None:
    table = joined.table
    known = samples.geometry.iloc[[0, 1, 2, 5]]
    np.testing.assert_allclose(
        table["rain"].iloc[[0, 1, 2, 5]], known.x + known.y, rtol=1e-12
    )
    assert table["ndvi_on_edge"].tolist() == [False, False, True, False, False, False]
    assert not table["rain_on_edge"].any()
    assert table["permafrost"].tolist()[:3] == ["no", "no", "yes"]
    assert table["soil"].tolist()[:3] == ["felty", "felty", "frozen"]
    assert table["soil_on_edge"].tolist()[:3] == [False, False, True]
    assert table["row"].tolist()[3:5] == [-1, -1]


def test_the_range_at_edges_is_that_of_the_touching_cells(
    samples: gpd.GeoDataFrame, ndvi: xr.DataArray
) -> None:
    field = ndvi.isel(time=0, drop=True)
    table = join_samples_to(samples, {"ndvi": field}).table
    np.testing.assert_allclose(
        table["ndvi_edge_range"], [0, 0, 1e-5, np.nan, np.nan, 0], atol=1e-12
    )
    same = values_at_points(field.rename("ndvi"), samples)
    np.testing.assert_array_equal(table["ndvi"], same["ndvi"])


def test_the_provenance_tells_where_each_column_comes_from(joined: JoinResult) -> None:
    record = joined.provenance.set_index("column")
    assert record.index.tolist() == ["ndvi", "rain", "permafrost", "soil"]
    assert record["source"].tolist() == ["MOD13C1", "TPDC", "", ""]
    assert record["unit"].tolist() == ["1", "mm", "", ""]
    assert record.loc["ndvi", "method"] == (
        "nearest, of the field that contains the date (16D)"
    )
    assert (
        record.loc["soil", "method"] == "'soil' of the polygon that contains the point"
    )
    assert record.loc["rain", "grid"].startswith(
        "60 x 140 cells of 0.1 x 0.1, W 89 S 31"
    )
    assert record["n"].tolist() == [2, 4, 4, 3]
    assert record["n_missing"].tolist() == [4, 2, 2, 3]
    assert record["n_distinct_cells"].tolist()[:3] == [1, 3, 3]
    assert set(record.loc["ndvi", "reasons"].split("; ")) == {
        "no date: 1",
        "outside: 1",
        "no position: 1",
        "no composite: 1",
    }


def test_a_value_lacks_exactly_where_a_reason_stands(joined: JoinResult) -> None:
    for name in ("ndvi", "rain", "permafrost", "soil"):
        missing = joined.table[name].isna()
        assert (joined.table[f"{name}_reason"] != "").tolist() == missing.tolist()


def test_months_and_classes_over_time(samples: gpd.GeoDataFrame) -> None:
    times = pd.DatetimeIndex(["2020-06-01", "2020-08-01"])
    codes = xr.DataArray(
        np.stack([np.full(STUDY.shape, 3), np.full(STUDY.shape, 4)]).astype(np.uint8),
        dims=("time", "y", "x"),
        coords={"time": times},
    )
    request = JoinedRaster(
        STUDY.georeference(codes),
        method="mode",
        footprint=5,
        span="month",
        labels={3: "snow", 4: "grass"},
    )
    found = join_samples_to(samples, {"cover": request})
    assert found.table["cover"].tolist()[:2] == ["snow", "grass"]
    assert found.table["cover"].isna().sum() == 4
    assert found.provenance["method"].tolist() == [
        "mode of 5 x 5 cells, of the field that contains the date (month)"
    ]


def test_without_dates_no_sample_has_a_field(
    samples: gpd.GeoDataFrame, ndvi: xr.DataArray
) -> None:
    table = join_samples_to(samples.drop(columns="date"), {"ndvi": ndvi}).table
    assert (table["ndvi_reason"] == "no date").all()
    assert table["ndvi"].isna().all()


def test_crops_and_dask_give_the_same_table(
    samples: gpd.GeoDataFrame, ndvi: xr.DataArray
) -> None:
    expected = join_samples_to(samples, {"ndvi": ndvi}).table
    for other in (
        ndvi.chunk({"time": 1, "y": 40}),
        ndvi.isel(y=slice(5, 90), x=slice(20, 200)),
        ndvi.isel(time=slice(None, None, -1)),
        ndvi.isel(y=slice(None, None, -1)),
    ):
        table = join_samples_to(samples, {"ndvi": other}).table
        pd.testing.assert_frame_equal(table, expected)


def test_samples_are_brought_to_the_crs_of_each_raster(
    samples: gpd.GeoDataFrame, ndvi: xr.DataArray
) -> None:
    here = samples.iloc[[0, 1, 5]]
    expected = join_samples_to(here, {"ndvi": ndvi}).table
    found = join_samples_to(here.to_crs("EPSG:32647"), {"ndvi": ndvi}).table
    np.testing.assert_array_equal(found["ndvi"], expected["ndvi"])


def test_what_cannot_be_joined_is_refused(
    samples: gpd.GeoDataFrame, ndvi: xr.DataArray
) -> None:
    field = ndvi.isel(time=0, drop=True)
    with pytest.raises(InputError, match="there already: date, on_edge"):
        join_samples_to(samples, {"date": field, "on_edge": field}, grid=STUDY)
    soils = gpd.GeoDataFrame({"k": [1]}, geometry=[box(95, 33, 96, 34)], crs=4326)
    with pytest.raises(InputError, match="there already: soil"):
        join_samples_to(samples, {"soil": field}, {"soil": JoinedLayer(soils, "k")})
    with pytest.raises(MissingCRSError, match="points have no coordinate"):
        join_samples_to(samples.set_crs(None, allow_override=True), {"ndvi": field})
    codes = STUDY.raster(np.ones(STUDY.shape, dtype=np.uint8))
    with pytest.raises(InputError, match="cannot be read by 'bilinear'"):
        join_samples_to(samples, {"k": JoinedRaster(codes, method="bilinear")})
    with pytest.raises(InputError, match="Unknown method 'cubic'"):
        join_samples_to(samples, {"ndvi": field}, method="cubic")  # type: ignore[arg-type]
