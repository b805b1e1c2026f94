"""The command ndvi writes one band a date, whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio

from geosoil import __version__
from geosoil.errors import (
    FileFormatError,
    GeosoilError,
    GeosoilWarning,
    InputError,
    MissingFileError,
)
from geosoil.io.geotiff import read_geotiff
from geosoil.io.modis import open_modis
from geosoil.io.quality_bits import QualityRule
from geosoil.workflow.ndvi import NdviRequest, ndvi_to_geotiff

GOLDEN = Path(__file__).parents[1] / "golden" / "modis"
CMG = GOLDEN / "MOD13C1.A2020161.061.2020999000000.SYNTHETIC.hdf"
BOX = (95.0, 33.0, 96.0, 34.0)


def to_geotiff(paths, output, *, progress=None, **options) -> Path:
    request = NdviRequest(**options)
    return ndvi_to_geotiff(paths, output, request=request, progress=progress)[0]


@pytest.fixture
def files(tmp_path):
    names = ("MOD13C1.A2020177.061.hdf", "MOD13C1.A2020161.061.hdf")
    return [Path(shutil.copy(CMG, tmp_path / name)) for name in names]


def test_one_band_a_date_with_its_description_and_tags(files, tmp_path):
    lines = []
    output = tmp_path / "maps" / "ndvi.tif"
    written = to_geotiff(files, output, bbox=BOX, progress=lines.append)
    assert written == output
    with rasterio.open(written) as file:
        assert file.descriptions == ("2020-06-09", "2020-06-25")
        assert file.crs.to_epsg() == 4326
        assert file.units == ("1", "1")
        assert file.nodata == -9999
        assert tuple(file.bounds) == pytest.approx(BOX)
        tags = file.tags()
    assert tags["layer"] == "CMG 0.05 Deg 16 days NDVI"
    assert tags["product"] == "MOD13C1"
    assert tags["quality"] == "good"
    assert tags["source_files"] == f"{files[0].name}, {files[1].name}"
    assert tags["software"] == f"geosoil {__version__}"
    assert lines[0] == "reading 2 files"
    np.testing.assert_array_equal(
        read_geotiff(written).to_numpy(), open_modis(files, bbox=BOX).to_numpy()
    )


def test_coarser_cells_hold_the_mean_of_the_finer(files, tmp_path):
    output = to_geotiff(
        files[:1], tmp_path / "c.tif", bbox=BOX, quality="all", resolution=0.25
    )
    coarse = read_geotiff(output)
    assert coarse.shape == (1, 4, 4)
    fine = open_modis(files[0], bbox=BOX, quality="all").to_numpy()[0].astype(float)
    # The true area of a cell falls with the cosine of its latitude.
    rows = np.cos(np.radians(34.0 - 0.05 * (np.arange(20) + 0.5)))
    weights = np.where(np.isfinite(fine), rows[:, None], 0.0)
    sums = [
        values.reshape(4, 5, 4, 5).sum(axis=(1, 3))
        for values in (weights * np.nan_to_num(fine), weights)
    ]
    np.testing.assert_allclose(coarse[0], sums[0] / sums[1], atol=1e-6)
    assert coarse.attrs["tags"]["method"] == "area_average"


def test_finer_cells_and_ranks_take_the_containing_cell(files, tmp_path):
    finer = to_geotiff(files[:1], tmp_path / "f.tif", bbox=BOX, resolution=0.025)
    expected = open_modis(files[0], bbox=BOX).to_numpy().repeat(2, 1).repeat(2, 2)
    np.testing.assert_array_equal(read_geotiff(finer).to_numpy(), expected)
    coarse = to_geotiff(
        files[:1],
        tmp_path / "r.tif",
        layer="pixel_reliability",
        bbox=BOX,
        resolution=0.25,
    )
    ranks = read_geotiff(coarse).to_numpy()
    assert set(np.unique(ranks[np.isfinite(ranks)])) <= {0, 1, 2, 3, 4}


@pytest.mark.parametrize("resolution", [0.0, -1.0, 2.0, float("nan")])
def test_impossible_resolutions_are_refused(files, tmp_path, resolution):
    with pytest.raises(InputError, match="Invalid resolution"):
        to_geotiff(files, tmp_path / "o.tif", bbox=BOX, resolution=resolution)
    assert not (tmp_path / "o.tif").exists()


def test_bad_input_leaves_the_earlier_output_as_it_was(files, tmp_path):
    output = to_geotiff(files, tmp_path / "out" / "o.tif", bbox=BOX)
    before = output.read_bytes()
    html = tmp_path / "MOD13C1.A2020193.061.hdf"
    html.write_text("<!DOCTYPE html><html>Earthdata Login</html>")
    cut = tmp_path / "MOD13C1.A2020209.061.hdf"
    cut.write_bytes(CMG.read_bytes()[:9000])
    cases = [
        (FileFormatError, [*files, html, cut], {}),
        (MissingFileError, [*files, tmp_path / "none.hdf"], {}),
        (FileFormatError, files, {"layer": "lst_day_1km"}),
        (InputError, files, {"bbox": (300, 95, 301, 96)}),
        (InputError, files, {"quality": "best"}),
        (InputError, [], {}),
    ]
    for kind, paths, options in cases:
        with pytest.raises(kind) as caught:
            to_geotiff(paths, output, **options)
        assert isinstance(caught.value, GeosoilError)
    assert output.read_bytes() == before
    assert {file.name for file in output.parent.iterdir()} == {"o.tif", "o.qml"}


def test_a_file_without_a_date_is_described_by_its_layer(shared, tmp_path):
    source = shared / "data" / "hdfeos2" / "grid_1_2d.hdf"
    output = to_geotiff([source], tmp_path / "t.tif", layer="temperature")
    with rasterio.open(output) as file:
        assert file.descriptions == ("temperature",)
        assert file.transform.to_gdal() == (0, 1, 0, 4, 0, -1)


def test_surface_temperature_keeps_its_unit_and_sinusoidal_grid(shared, tmp_path):
    source = next((shared / "data" / "modis").glob("MOD11A1*.hdf"))
    output = to_geotiff([source], tmp_path / "t.tif", layer="LST_Day_1km")
    with rasterio.open(output) as file:
        assert file.units == ("K",)
        assert file.descriptions == ("2019-11-01",)
        assert file.transform.a == pytest.approx(926.6254331383334, rel=1e-12)
        assert "Sinusoidal" in file.crs.to_wkt()


def test_a_window_without_a_value_is_said(tmp_path):
    with pytest.warns(GeosoilWarning, match=r"No cell of layer .* has a valid value"):
        to_geotiff([CMG], tmp_path / "sea.tif", bbox=(0.0, 0.0, 1.0, 1.0))


def test_months_are_means_by_days_with_their_coverage(files, tmp_path) -> None:
    may = Path(shutil.copy(CMG, tmp_path / "MOD13C1.A2020145.061.hdf"))
    request = NdviRequest(bbox=BOX, months=("2020-06",))
    values, coverage = ndvi_to_geotiff(
        [*files, may], tmp_path / "june.tif", request=request
    )
    assert coverage.name == "june_coverage.tif"
    with rasterio.open(values) as file, rasterio.open(coverage) as other:
        assert file.descriptions == ("2020-06-01",)
        assert "days of overlap" in file.tags()["method"]
        mean, share = file.read(1, masked=True), other.read(1, masked=True)
    assert share.max() == pytest.approx(1.0)
    # Three copies of one file: each month's mean is the composite itself.
    alone = open_modis(files[:1], bbox=BOX)[0].to_numpy()
    np.testing.assert_allclose(mean.filled(np.nan), alone, atol=1e-6)


def test_a_month_without_composites_is_refused(files, tmp_path) -> None:
    with pytest.raises(InputError, match=r"2020-08 \(0%\)"):
        to_geotiff(files, tmp_path / "a.tif", bbox=BOX, months=("2020-08",))
    with pytest.raises(InputError, match="holds codes"):
        to_geotiff(files, tmp_path / "a.tif", layer="vi_quality", months=("2020-06",))
    assert not (tmp_path / "a.tif").exists()


def test_a_rule_keeps_fewer_cells(files, tmp_path) -> None:
    strict = QualityRule(max_usefulness=0, mixed_clouds=False, snow=False)
    kept = []
    for place, quality in enumerate(("all", strict)):
        path = to_geotiff(
            files[:1], tmp_path / f"{place}.tif", bbox=BOX, quality=quality
        )
        kept.append(int(read_geotiff(path).notnull().sum()))
    assert kept[1] <= kept[0]
    assert kept[0] > 0


def test_tiles_are_brought_to_another_system(shared, tmp_path) -> None:
    file = next((shared / "data" / "modis").glob("MOD09A1.A2017193.h18v04*.hdf"))
    path = to_geotiff(
        [file],
        tmp_path / "red.tif",
        layer="sur_refl_b01",
        resolution=0.02,
        crs="EPSG:4326",
    )
    with rasterio.open(path) as result:
        assert result.crs.to_epsg() == 4326
        assert result.res == pytest.approx((0.02, 0.02))
        assert result.tags()["method"] == "area_average"
        found = result.read(1, masked=True)
    native = open_modis([file], "sur_refl_b01")
    # Cells at the rim hold few of the 73 x 66 cells, but count as one each.
    assert float(found.mean()) == pytest.approx(float(native.mean()), rel=0.05)
    assert float(native.min()) <= found.min() <= found.max() <= float(native.max())


def test_a_side_in_the_wrong_unit_is_refused(shared, tmp_path) -> None:
    file = next((shared / "data" / "modis").glob("MOD11A1*.hdf"))
    options = {"layer": "LST_Day_1km", "resolution": 0.05}
    with pytest.raises(InputError, match="--to-crs EPSG:4326"):
        to_geotiff([file], tmp_path / "t.tif", **options)
    with pytest.raises(InputError, match="Unknown system 'EPSG:xyz'"):
        to_geotiff([file], tmp_path / "t.tif", crs="EPSG:xyz", **options)
    with pytest.raises(InputError, match="give --grid"):
        to_geotiff([file], tmp_path / "t.tif", layer="LST_Day_1km", crs="EPSG:4326")
    assert not (tmp_path / "t.tif").exists()
