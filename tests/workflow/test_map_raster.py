"""One figure of one raster: what is guessed, what is drawn, what is refused."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread
from shapely import box

from geosoil.errors import (
    GeosoilWarning,
    InputError,
    MissingCRSError,
    MissingFileError,
)
from geosoil.grids.grid import Grid
from geosoil.io.geotiff import write_geotiff
from geosoil.plotting.pdf import render_pdf
from geosoil.plotting.raster_map import (
    MOST_CLASSES,
    MapClass,
    RasterPage,
    figure_classes,
    figure_quantity,
)
from geosoil.plotting.scales import KINDS, colour_map
from geosoil.workflow.map_raster import MapRequest, map_raster
from geosoil.workflow.map_source import open_source
from geosoil.workflow.map_style import (
    STYLES,
    Described,
    check_style,
    guess_style,
    scale_of,
)

GRID = Grid.from_bounds((95.0, 33.0, 97.0, 34.0), 0.25, "EPSG:4326")
SHARES = xr.DataArray([0.1, 0.4])


def picture_colours(file: Path) -> dict[tuple[int, ...], int]:
    """Colours of a picture and how many of its dots have them."""
    dots = np.rint(255 * imread(file)[..., :3]).astype(np.int64).reshape(-1, 3)
    codes, counts = np.unique(dots @ [65536, 256, 1], return_counts=True)
    colours = [(code >> 16, code >> 8 & 255, code & 255) for code in codes.tolist()]
    return dict(zip(colours, counts.tolist(), strict=True))


def write_plane(file: Path, values: np.ndarray, **tags: object) -> Path:
    names = {"name": tags.pop("name", None)}
    return write_geotiff(GRID.raster(values, **names), file, tags=tags)


@pytest.mark.parametrize(
    ("described", "style"),
    [
        (Described("ground_ice", "fraction of ground ice in soil water"), "fraction"),
        (Described("precipitation", "fraction of precipitation"), "fraction"),
        (Described("x_p95", "95 % quantile of the fraction of snowmelt"), "fraction"),
        (Described("r", "r of ndvi and soil_moisture over time"), "correlation"),
        (Described("r_p_value", "p_value of ndvi and soil_moisture"), "p_value"),
        (Described("q_value", "q_value of ndvi and soil_moisture"), "p_value"),
        (Described("n_effective", "n_effective of ndvi and rain"), "n"),
        (Described("t_sd", ""), "sd"),
        (Described("x", "kriging standard deviation of soil_temperature"), "sd"),
        (Described("ndvi_2020", ""), "ndvi"),
        (Described("band", "NDVI of June"), "ndvi"),
        (Described("srtm", "", standard_name="surface_altitude"), "elevation"),
        (Described("dem", ""), "elevation"),
        (Described("soil_temperature", "estimate by kriging (elevation)"), "plain"),
        (Described("ndvi", "trend of NDVI"), "difference"),
        (Described("demand", ""), "plain"),
        (Described("p_value_single", "two-sided p value, x and y"), "p_value"),
        (Described("r_lower", "lower end of the interval of r"), "correlation"),
        (Described("slope", "least-squares slope of y on x, a and b"), "difference"),
        (Described("slope", "terrain slope"), "plain"),
        (Described("lag", "lag of the smallest p value"), "plain"),
    ],
)
def test_names_and_words_tell_the_style(described: Described, style: str) -> None:
    assert guess_style(described, SHARES) == style


@pytest.mark.parametrize(
    ("described", "label"),
    [
        (Described("x", "fraction of snow", units="1"), "source fraction [1]"),
        (Described("coverage", "share of the days", units="1"), "coverage [1]"),
        (Described("rate", "", units="m3 m-3 d-1"), "rate [m³ m⁻³ d⁻¹]"),
        (Described("slope", "", units="(permil) / (degC)"), "slope [(‰) / (°C)]"),
    ],
)
def test_a_colour_bar_names_quantity_and_unit(described: Described, label: str) -> None:
    style = guess_style(described, SHARES)
    assert scale_of(style, described).label == label


def test_a_guess_that_the_values_leave_is_given_up() -> None:
    assert guess_style(Described("x", "fraction of snow"), 100 * SHARES) == "plain"
    assert guess_style(Described("t2m", "air temperature"), SHARES + 280) == "plain"


def test_a_style_of_another_name_is_refused_with_the_nearest() -> None:
    (fault,) = check_style("corelation")
    assert "nearest: correlation, " in str(fault)
    assert [check_style(style) for style in (None, *STYLES)] == [[]] * (1 + len(STYLES))


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=8))
def test_whatever_a_raster_is_called_it_gets_a_scale(
    name: str, words: str, units: str
) -> None:
    described = Described(name, words, units=units)
    style = guess_style(described, SHARES)
    scale = scale_of(style, described)
    assert style in STYLES
    assert colour_map(scale.palette).N == 256


def test_a_map_has_the_colour_of_its_value(tmp_path: Path) -> None:
    file = write_plane(tmp_path / "r.tif", np.full(GRID.shape, 0.4), name="r")
    target = tmp_path / "r.png"
    assert map_raster(MapRequest(str(file)), target).style == "correlation"
    vik = tuple(round(255 * part) for part in colour_map("vik")(0.7)[:3])
    assert picture_colours(target)[vik] > 100_000
    map_raster(MapRequest(str(file), limits=(0.0, 0.8)), target)
    vik = tuple(round(255 * part) for part in colour_map("vik")(0.5)[:3])
    assert picture_colours(target)[vik] > 100_000


def test_classes_have_the_colours_and_labels_of_the_table_beside(
    tmp_path: Path,
) -> None:
    codes = np.repeat([[1, 1, 1, 1, 1, 1, 7, 7]], 4, axis=0).astype("uint8")
    file = write_plane(tmp_path / "soil.tif", codes, name="soil")
    table = "code,label,colour\n7,meadow,#00ff00\n1,steppe,#ff0000\n2,desert,#0000ff\n"
    (tmp_path / "soil.csv").write_text(table)
    target = tmp_path / "soil.png"
    assert map_raster(MapRequest(str(file)), target).style == "classes"
    found = picture_colours(target)
    assert found[255, 0, 0] / found[0, 255, 0] == pytest.approx(3.0, rel=0.1)
    assert (0, 0, 255) not in found
    with pytest.raises(InputError, match="no colour scale that --limits"):
        map_raster(MapRequest(str(file), limits=(0.0, 1.0)), target)
    source = open_source(str(file), None, None, None)
    assert source.classes is not None
    figure = figure_classes(source.raster, classes=source.classes)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["meadow", "steppe"]


def test_a_table_that_lacks_codes_is_told_and_left(tmp_path: Path) -> None:
    file = write_plane(tmp_path / "soil.tif", np.ones(GRID.shape, dtype="uint8"))
    (tmp_path / "soil.csv").write_text("code,label\n2,meadow\n")
    with pytest.warns(GeosoilWarning, match=r"does not name.*Drawn by codes"):
        source = open_source(str(file), None, None, None)
    assert source.classes == {1: MapClass("1")}


def test_a_colour_table_in_the_file_colours_classes(tmp_path: Path) -> None:
    codes = GRID.raster(np.full(GRID.shape, 3, dtype="uint8"))
    file = write_geotiff(codes, tmp_path / "c.tif", colours={3: "#123456"})
    source = open_source(str(file), None, None, None)
    assert source.classes == {3: MapClass("3", "#123456")}


def test_codes_of_flags_are_named_by_the_flags(tmp_path: Path) -> None:
    codes = np.resize(np.array([0, 1, 5], dtype="uint8"), GRID.shape)
    bits = "1 far_from_data, 4 elevation_beyond_samples"
    file = write_plane(tmp_path / "s.tif", codes, bits=bits)
    classes = open_source(str(file), None, None, None).classes
    assert classes is not None
    assert [one.label for one in classes.values()] == [
        "none of these",
        "far from data",
        "far from data; elevation beyond samples",
    ]


def test_bytes_of_many_values_are_a_quantity(tmp_path: Path) -> None:
    fine = Grid.from_bounds((95.0, 33.0, 97.0, 34.0), 0.1, "EPSG:4326")
    values = np.arange(200, dtype="uint8").reshape(fine.shape)
    file = write_geotiff(fine.raster(values), tmp_path / "light.tif")
    assert open_source(str(file), None, None, None).classes is None
    source = open_source(str(file), None, "classes", None)
    assert source.classes is not None
    figure = figure_classes(source.raster, classes=source.classes)
    texts = figure.legends[0].get_texts()
    assert len(texts) == MOST_CLASSES + 1
    assert texts[-1].get_text() == f"{200 - MOST_CLASSES} more classes"


def test_large_class_rasters_are_thinned_never_averaged() -> None:
    wide = Grid.from_bounds((80.0, 30.0, 105.0, 30.1), 0.01, "EPSG:4326")
    codes = wide.raster(np.resize([1.0, 9.0, 9.0, 1.0, 1.0], wide.shape))
    figure = figure_classes(codes, classes={})
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["1", "9"]


def test_a_netcdf_field_is_drawn_as_the_same_geotiff(tmp_path: Path) -> None:
    values = np.linspace(0.1, 0.9, GRID.shape[0] * GRID.shape[1]).reshape(GRID.shape)
    tiff = write_plane(tmp_path / "a.tif", values.astype("f4"), name="ndvi")
    field = xr.DataArray(
        np.stack([values[::-1], 0 * values]).astype("f4"),
        dims=("time", "lat", "lon"),
        coords={
            "time": pd.to_datetime(["2020-06-01", "2020-07-01"]),
            "lat": ("lat", GRID.y[::-1], {"units": "degrees_north"}),
            "lon": ("lon", GRID.x, {"units": "degrees_east"}),
        },
        attrs={"units": "1"},
    )
    field.to_dataset(name="ndvi").to_netcdf(tmp_path / "a.nc", engine="netcdf4")
    flat = field.isel(time=0, drop=True).to_dataset(name="ndvi")
    flat.to_netcdf(tmp_path / "b.nc", engine="netcdf4")
    want = open_source(str(tiff), None, None, None).raster.to_numpy()
    for name, band in ((f"{tmp_path}/a.nc:ndvi", "2020-06"), ("b.nc:ndvi", None)):
        source = open_source(str(tmp_path / name), band, None, None)
        assert Grid.of(source.raster).transform == GRID.transform
        np.testing.assert_array_equal(source.raster.to_numpy(), want)
        assert guess_style(source.described, source.raster) == "ndvi"
    with pytest.raises(InputError, match=r"no band '2021'.*1 '2020-06-01'"):
        open_source(f"{tmp_path}/a.nc:ndvi", "2021", None, None)
    with pytest.raises(InputError, match=r"a\.nc:VARIABLE"):
        open_source(f"{tmp_path}/a.nc", None, None, None)


def test_bands_are_chosen_by_number_description_or_date(tmp_path: Path) -> None:
    planes = [GRID.raster(np.full(GRID.shape, value)) for value in (0.1, 0.2)]
    named = xr.concat(planes, dim=pd.Index(["ice", "rain"], name="band"))
    file = write_geotiff(
        named.rio.write_crs(4326), tmp_path / "a.tif", description=["ice", "rain"]
    )
    for band, value in (("1", 0.1), ("2", 0.2), ("Rain", 0.2)):
        values = open_source(str(file), band, None, None).raster
        assert float(values.max()) == pytest.approx(value, rel=1e-6)
    for band in ("0", "3", "snow"):
        with pytest.raises(InputError, match=r"2 bands: 1 'ice', 2 'rain'"):
            open_source(str(file), band, None, None)
    with pytest.raises(InputError, match="Choose one with --band"):
        open_source(str(file), None, None, None)


@pytest.mark.parametrize("says", [{"simulated": "yes: no measured data"}, {}])
def test_simulated_data_are_named_so(tmp_path: Path, says: dict[str, str]) -> None:
    file = write_plane(tmp_path / "a.tif", np.full(GRID.shape, 0.1), **says)
    assert open_source(str(file), None, None, None).simulated == bool(says)
    figure = figure_quantity(
        GRID.raster(np.ones(GRID.shape)),
        kind=KINDS["ndvi"],
        page=RasterPage(note="SIMULATED" if says else None),
    )
    assert [text.get_text() for text in figure.texts if text.get_gid() == "note"] == (
        ["SIMULATED"] if says else []
    )


def test_presets_set_the_width_of_the_figure() -> None:
    high = Grid.from_bounds((95.0, 30.0, 96.0, 36.0), 0.5, "EPSG:4326")
    for preset, grid, width in (
        ("screen", GRID, 18.0),
        ("screen", high, 8.3),
        ("hess", GRID, 12.0),
        ("hess", high, 8.3),
    ):
        figure = figure_quantity(
            grid.raster(np.ones(grid.shape)),
            kind=KINDS["ndvi"],
            page=RasterPage(title="NDVI " * 40, preset=preset),
        )
        assert 2.54 * figure.get_size_inches()[0] == pytest.approx(width)
        top = figure.axes[0].get_position().y1
        words = figure._suptitle.get_window_extent().y0 / figure.bbox.height
        assert top < words


def test_the_world_is_drawn_without_a_scale_bar() -> None:
    world = Grid.from_bounds((-180.0, -90.0, 180.0, 90.0), 10.0, "EPSG:4326")
    figure = figure_quantity(world.raster(np.ones(world.shape)), kind=KINDS["ndvi"])
    assert [patch for patch in figure.axes[0].patches if patch.get_gid()] == []


def test_a_document_is_the_same_each_time(tmp_path: Path) -> None:
    file = write_plane(tmp_path / "a.tif", np.full(GRID.shape, 0.1), name="ndvi")
    written = []
    for name in ("a.pdf", "b.pdf"):
        map_raster(MapRequest(str(file)), tmp_path / name)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
    assert written[0].startswith(b"%PDF-")
    with pytest.raises(InputError, match="resolution"):
        render_pdf(figure_classes(GRID.raster(np.ones(GRID.shape)), classes={}), dpi=0)


def test_what_cannot_be_drawn_is_refused_and_nothing_written(tmp_path: Path) -> None:
    empty = write_plane(tmp_path / "empty.tif", np.full(GRID.shape, np.nan))
    full = write_plane(tmp_path / "full.tif", np.full(GRID.shape, 0.5))
    half = np.full(GRID.shape, 0.5)
    half[:, 4:] = np.nan
    west = write_plane(tmp_path / "west.tif", half)
    bare = tmp_path / "bare.tif"
    profile = {"driver": "GTiff", "width": 2, "height": 2, "count": 1}
    transform = rasterio.Affine(1, 0, 90, 0, -1, 35)
    with rasterio.open(
        bare, "w", dtype="float32", transform=transform, **profile
    ) as file:
        file.write(np.ones((1, 2, 2), dtype="f4"))
    far, east = tmp_path / "far.geojson", tmp_path / "east.geojson"
    gpd.GeoDataFrame(geometry=[box(10, 10, 11, 11)], crs=4326).to_file(far)
    gpd.GeoDataFrame(geometry=[box(96.3, 33.2, 96.9, 33.8)], crs=4326).to_file(east)
    target = tmp_path / "out" / "a.png"
    for request, error, words in (
        (MapRequest(str(empty)), InputError, "every cell is missing"),
        (MapRequest(str(bare)), MissingCRSError, "no coordinate reference system"),
        (MapRequest(str(full), region=str(far)), InputError, "outside"),
        (MapRequest(str(west), region=str(east)), InputError, "no"),
        (MapRequest("no.tif", region="no.shp"), MissingFileError, r"no\.tif[^$]*no\.s"),
        (MapRequest(str(full), style="x", limits=(2, 1)), InputError, "2 settings"),
        (MapRequest(str(full), style="classes"), OSError, "whole numbers"),
    ):
        with pytest.raises(error, match=words):
            map_raster(request, target)
    with pytest.raises(InputError, match=r"\.png or \.pdf"):
        map_raster(MapRequest(str(full)), tmp_path / "a.tif")
    assert not target.parent.exists()


def test_a_region_frames_the_map_and_its_values_set_the_scale(tmp_path: Path) -> None:
    values = np.linspace(0.0, 7.0, 8) * np.ones(GRID.shape)
    region = gpd.GeoDataFrame(geometry=[box(95.01, 33.01, 95.24, 33.99)], crs=4326)
    file = write_plane(tmp_path / "a.tif", values)
    source = open_source(str(file), None, None, region)
    assert float(source.raster.max()) < 7.0
    region.to_file(tmp_path / "west.geojson")
    target = tmp_path / "a.png"
    target.write_bytes(b"old")
    request = MapRequest(str(file), region=str(tmp_path / "west.geojson"), title="")
    map_raster(request, target)
    assert imread(BytesIO(target.read_bytes())).shape[0] > 500
