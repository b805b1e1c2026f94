"""GeoTIFFs are cloud-optimised, tell their statistics and come whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from rasterio.enums import ColorInterp
from rasterio.transform import from_origin
from rio_cogeo.cogeo import cog_validate

from geosoil import __version__
from geosoil.errors import GeosoilError, InputError
from geosoil.grids.grid import Grid
from geosoil.io import geotiff
from geosoil.io._statistics import Statistics
from geosoil.io.geotiff import read_geotiff, write_geotiff

GRID = Grid.from_bounds((89.4, 31.55, 102.3, 36.3), 0.05, "EPSG:4326")
STATISTICS = ("MINIMUM", "MAXIMUM", "MEAN", "STDDEV")


def grid_of(shape: tuple[int, ...]) -> Grid:
    return Grid(GRID.crs, from_origin(89.4, 36.3, 0.002, 0.002), shape[-2:])


def raster_of(values: np.ndarray, **attrs: object) -> xr.DataArray:
    dims = ("time", "y", "x")[-values.ndim :]
    raster = xr.DataArray(values, dims=dims, name="ndvi", attrs=attrs)
    if values.ndim == 3:
        days = np.datetime64("2020-06-09") + 16 * np.arange(len(values))
        raster = raster.assign_coords(time=days.astype("datetime64[ns]"))
    return grid_of(values.shape).georeference(raster)


def numbers(shape: tuple[int, ...], dtype: str = "float32") -> np.ndarray:
    rng = np.random.default_rng(7)
    if dtype.startswith("float"):
        values = rng.normal(3000.0, 0.5, shape).astype(dtype)
        values[..., :3, 4:5] = np.nan
        return values
    return rng.integers(0, 200, shape).astype(dtype)


CASES = {
    "smaller than a block": numbers((20, 30)),
    "one cell": numbers((1, 1), "int16"),
    "three columns": numbers((700, 3)),
    "the study": numbers(GRID.shape),
    "large": numbers((2000, 3000)),
    "dates": numbers((5, 300, 700)),
    "bytes": numbers((600, 700), "uint8"),
    "int16": numbers((600, 700), "int16"),
    "int32": numbers((300, 300), "uint16"),
    "float64": numbers((513, 513)).astype("float64") * 2**30 // 1,
}


@pytest.mark.parametrize("case", CASES)
def test_every_file_passes_the_strict_check_for_cloud_optimised_files(tmp_path, case):
    values = CASES[case]
    file = write_geotiff(raster_of(values, units="m"), tmp_path / "a.tif")
    valid, errors, warnings = cog_validate(file, strict=True)
    assert (valid, errors, warnings) == (True, [], [])
    with rasterio.open(file) as opened:
        assert opened.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert opened.compression.name == "deflate"
        assert set(opened.block_shapes) == {(256, 256)}
        largest = max(opened.shape)
        assert bool(opened.overviews(1)) == (largest > 256)
    found = read_geotiff(file, classes=values.dtype.kind != "f")
    np.testing.assert_array_equal(found, values)
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]


@pytest.mark.parametrize("case", CASES)
def test_statistics_in_the_file_are_those_of_the_stored_numbers(tmp_path, case):
    file = write_geotiff(raster_of(CASES[case], units="m"), tmp_path / "a.tif")
    with rasterio.open(file) as opened:
        for band in opened.indexes:
            stored = opened.read(band)
            known = stored[stored != opened.nodata].astype(np.float64)
            if known.size == 0:
                assert opened.tags(band) == {}
                continue
            expected = [known.min(), known.max(), known.mean(), known.std()]
            tags = opened.tags(band)
            told = [float(tags[f"STATISTICS_{name}"]) for name in STATISTICS]
            assert told[:2] == expected[:2]
            np.testing.assert_allclose(told, expected, rtol=1e-12, atol=1e-12)
            percent = 100 * known.size / stored.size
            assert float(tags["STATISTICS_VALID_PERCENT"]) == percent
            assert not any("APPROXIMATE" in key for key in tags)


def test_a_band_without_data_has_no_statistics(tmp_path):
    values = np.full((2, 30, 40), np.nan, dtype="float32")
    values[1, 3, 3] = 5
    file = write_geotiff(raster_of(values), tmp_path / "a.tif")
    with rasterio.open(file) as opened:
        assert opened.tags(1) == {}
        assert opened.tags(2)["STATISTICS_STDDEV"] == "0.0"
    codes = raster_of(np.zeros((30, 40), dtype="uint8"), nodata=0)
    with rasterio.open(write_geotiff(codes, file)) as opened:
        assert opened.tags(1) == {}


@given(
    values=hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=30),
        elements=st.one_of(
            st.just(-9999.0),
            st.floats(9e5, 1e6, width=32),
            st.sampled_from([np.inf, -np.inf, np.nan]),
        ),
    ),
    cuts=st.lists(st.integers(0, 30), max_size=4),
)
def test_statistics_do_not_depend_on_the_strips(values, cuts):
    parts = np.split(values, sorted(min(cut, len(values)) for cut in cuts))
    whole, joined = Statistics(), Statistics()
    whole.add(values, nodata=-9999)
    for part in parts:
        joined.add(part, nodata=-9999)
    known = values[np.isfinite(values) & (values != -9999)].astype(np.float64)
    found = whole.metadata()
    assert found.keys() == joined.metadata().keys()
    if known.size:
        expected = [known.min(), known.max(), known.mean(), known.std()]
        for tags in (found, joined.metadata()):
            told = [float(tags[f"STATISTICS_{name}"]) for name in STATISTICS]
            # The deviations are of numbers near 1e6 with 53 bits.
            np.testing.assert_allclose(told, expected, rtol=1e-12, atol=1e-8)


def gdalinfo(file: Path) -> dict:
    command = ["gdalinfo", "-stats", "-json", str(file)]
    found = subprocess.run(command, capture_output=True, check=True, timeout=60)
    return json.loads(found.stdout)


@pytest.mark.skipif(shutil.which("gdalinfo") is None, reason="gdalinfo is not there")
@pytest.mark.parametrize("case", ["the study", "dates", "bytes", "int16", "float64"])
def test_gdalinfo_agrees_with_numpy(tmp_path, case):
    values = CASES[case].astype("float64")
    file = write_geotiff(
        raster_of(CASES[case], units="m"), tmp_path / "a.tif", description="words"
    )
    bare = tmp_path / "bare.tif"
    # The same numbers without statistics: GDAL has to find its own.
    with (
        rasterio.open(file) as opened,
        rasterio.open(bare, "w", **opened.profile) as copy,
    ):
        copy.write(opened.read())
    for told in (gdalinfo(file), gdalinfo(bare)):
        bands = values if values.ndim == 3 else values[None]
        assert told["size"] == [bands.shape[2], bands.shape[1]]
        for band, expected in zip(told["bands"], bands, strict=True):
            known = expected[np.isfinite(expected)]
            stored = known.astype({"Float32": "f4"}.get(band["type"], "f8"))
            stored = stored.astype("f8")
            wanted = [stored.min(), stored.max(), stored.mean(), stored.std()]
            found = [
                float(band["metadata"][""][f"STATISTICS_{name}"]) for name in STATISTICS
            ]
            np.testing.assert_allclose(found, wanted, rtol=1e-6)
    assert gdalinfo(file)["bands"][0]["unit"] == "m"
    assert not (tmp_path / "a.tif.aux.xml").exists()


def test_overviews_are_the_average_of_quantities_without_their_gaps(tmp_path):
    values = numbers((400, 300))
    values[:2, :2] = [[1, 2], [3, np.nan]]
    values[2:4, :2] = np.nan
    file = write_geotiff(raster_of(values), tmp_path / "a.tif")
    with rasterio.open(file, overview_level=0) as overview:
        found = overview.read(1)
        assert overview.shape == (200, 150)
    assert found[0, 0] == 2
    assert found[1, 0] == -9999
    four = values.astype("f8").reshape(200, 2, 150, 2).mean(axis=(1, 3))
    whole = np.isfinite(four)
    np.testing.assert_allclose(found[whole], four[whole], rtol=1e-6)


def overview_of(file: Path) -> np.ndarray:
    with rasterio.open(file, overview_level=0) as overview:
        return overview.read(1)


def test_overviews_of_classes_hold_the_commonest_class(tmp_path):
    codes = np.random.default_rng(1).choice([3, 7, 200], (400, 300)).astype("uint8")
    codes[::2, ::2] = codes[1::2, ::2] = codes[::2, 1::2]
    found = overview_of(write_geotiff(raster_of(codes), tmp_path / "a.tif"))
    np.testing.assert_array_equal(found, codes[::2, ::2])


@pytest.mark.parametrize("name", ["p_value", "q_value", "lag_p_value"])
def test_overviews_of_p_values_hold_values_that_occur(tmp_path, name):
    values = numbers((400, 300))
    file = write_geotiff(raster_of(values).rename(name), tmp_path / "a.tif")
    found = overview_of(file)
    assert np.isin(found, np.where(np.isnan(values), -9999, values)).all()


@pytest.mark.parametrize(
    ("dtype", "attrs", "average"),
    [
        ("int16", {"units": "m"}, True),
        ("int16", {"units": "1"}, False),
        ("int16", {}, False),
        ("uint8", {"flag_masks": [1, 2], "flag_meanings": "a b"}, False),
        ("float32", {"flag_values": [0, 100], "flag_meanings": "a b"}, False),
        ("float32", {}, True),
    ],
)
def test_the_kind_of_overview_is_told_by_the_raster_or_the_caller(
    tmp_path, dtype, attrs, average
):
    values = np.where(np.arange(300) % 2, 100, 0) * np.ones((400, 1))
    raster = raster_of(values.astype(dtype), **attrs)
    for kind, averaged in ((None, average), ("average", True), ("nearest", False)):
        file = write_geotiff(raster, tmp_path / "a.tif", overviews=kind)
        assert set(np.unique(overview_of(file))) == ({50} if averaged else {0}), kind


def test_colours_are_in_the_file_and_missing_cells_are_clear(tmp_path):
    codes = numbers((300, 300), "uint8") % 3
    raster = raster_of(codes, nodata=0)
    colours = {1: "#6a9fc4", 2: "#E3C77B"}
    file = write_geotiff(raster, tmp_path / "a.tif", colours=colours)
    with rasterio.open(file) as opened:
        assert opened.colorinterp == (ColorInterp.palette,)
        table = opened.colormap(1)
    assert table[1] == (0x6A, 0x9F, 0xC4, 255)
    assert table[2] == (0xE3, 0xC7, 0x7B, 255)
    assert table[0][3] == 0
    assert cog_validate(file, strict=True)[0]
    np.testing.assert_array_equal(read_geotiff(file), codes)


def test_the_file_names_its_software_and_what_the_caller_says(tmp_path):
    tags = {"method": "kriging", "config_hash": "1f2e", "source": "д < β & 西\n\x07 x"}
    file = write_geotiff(raster_of(numbers((9, 9))), tmp_path / "a.tif", tags=tags)
    found = read_geotiff(file).attrs["tags"]
    assert found["software"] == f"geosoil {__version__}"
    assert (found["method"], found["config_hash"]) == ("kriging", "1f2e")
    assert found["source"].split() == ["д", "<", "β", "&", "西", "x"]
    tags = {"software": "another 1.0"}
    file = write_geotiff(raster_of(numbers((9, 9))), tmp_path / "a.tif", tags=tags)
    assert read_geotiff(file).attrs["tags"]["software"] == "another 1.0"


@pytest.mark.parametrize("shape", [(600, 700), (3, 300, 700)])
def test_the_same_raster_gives_the_same_bytes_at_any_number_of_threads(
    tmp_path, monkeypatch, shape
):
    raster = raster_of(numbers(shape), units="permil")
    contents = set()
    for threads in (1, 2, 4, 1):
        monkeypatch.setitem(geotiff_options(), "num_threads", threads)
        contents.add(write_geotiff(raster, tmp_path / "a.tif").read_bytes())
    assert len(contents) == 1


def geotiff_options() -> dict[str, object]:
    from geosoil.io import _cog

    return _cog._OPTIONS


def test_projected_systems_come_back_at_their_places(tmp_path):
    for crs in (
        "EPSG:32647",
        "+proj=aea +lat_1=25 +lat_2=47 +lat_0=0 +lon_0=105 +datum=WGS84 +units=m",
        "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs",
    ):
        grid = Grid.from_bounds((-4000, 0, 4000, 6000), 500, crs)
        file = write_geotiff(grid.raster(np.eye(12, 16)), tmp_path / "a.tif")
        assert cog_validate(file, strict=True)[0]


# What can go wrong


def spoiled(change):
    """Return GDAL's copy that spoils the file after it."""
    real = rasterio.shutil.copy

    def copy(source, target, **options):
        real(source, target, **options)
        change(target)

    return copy


def other_values(target: Path) -> None:
    with rasterio.open(target, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as file:
        values = file.read(1)
        values[-1, -1] += 1
        file.write(values, 1)


def other_unit(target: Path) -> None:
    with rasterio.open(target, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as file:
        file.set_band_unit(1, "K")


def other_tag(target: Path) -> None:
    with rasterio.open(target, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as file:
        file.update_tags(method="guess")


def other_statistics(target: Path) -> None:
    with rasterio.open(target, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as file:
        file.update_tags(1, STATISTICS_MEAN="0")


def other_place(target: Path) -> None:
    with rasterio.open(target, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as file:
        file.crs = "EPSG:32647"


def damaged_overview(target: Path) -> None:
    with rasterio.open(target) as file:
        offset = int(file.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=1, ovr=0))
    with target.open("r+b") as stream:
        stream.seek(offset)
        stream.write(b"\xff" * 40)


def cut_short(target: Path) -> None:
    os.truncate(target, target.stat().st_size * 2 // 3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (other_values, "differs in .*values"),
        (other_unit, "differs in .*units"),
        (other_tag, "differs in .*tags"),
        (other_statistics, "differs in .*statistics"),
        (other_place, "differs in .*CRS"),
        (damaged_overview, ""),
        (cut_short, ""),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_whatever_differs_when_read_again_is_found_out(
    tmp_path, monkeypatch, change, words
):
    file = write_geotiff(raster_of(numbers((50, 60))), tmp_path / "a.tif")
    before = file.read_bytes()
    monkeypatch.setattr(rasterio.shutil, "copy", spoiled(change))
    with pytest.raises(GeosoilError, match=rf"Cannot write.*{words}.*unchanged"):
        write_geotiff(
            raster_of(numbers((300, 400)), units="m"), file, tags={"method": "ols"}
        )
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]


def test_a_limit_of_any_size_leaves_the_old_file_or_the_new(tmp_path):
    old = write_geotiff(raster_of(numbers((9, 9))), tmp_path / "a.tif").read_bytes()
    raster = raster_of(numbers((90, 300)), units="permil")
    new = write_geotiff(raster, tmp_path / "b.tif").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    failed = 0
    for limit in [*range(0, len(new) + 4_000, len(new) // 23), len(new) - 1]:
        (tmp_path / "a.tif").write_bytes(old)
        error = None
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            write_geotiff(raster, tmp_path / "a.tif")
        except GeosoilError as found:
            error = found
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        failed += error is not None
        content = (tmp_path / "a.tif").read_bytes()
        assert content == (new if error is None else old)
        assert len(list(tmp_path.iterdir())) == 2
    assert failed == 25


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_failure_of_any_call_leaves_raster_and_names_old_or_new(tmp_path, code):
    wet = {"flag_values": [0, 1, 2], "flag_meanings": "dry wet ice", "nodata": 255}
    old = raster_of(np.zeros((9, 9), dtype="uint8"), **wet)
    new = raster_of(np.ones((9, 9), dtype="uint8"), **wet | {"flag_meanings": "a b c"})
    file, sidecar = tmp_path / "a.tif", tmp_path / "a.tif.aux.xml"
    pairs = []
    for raster in (new, old):
        write_geotiff(raster, file)
        pairs.append((file.read_bytes(), sidecar.read_bytes()))
    after, before = pairs
    names = ["open", "write", "read", "close", "fsync", "mkdir", "replace", "unlink"]
    real = {name: getattr(os, name) for name in names}
    for number in range(1, 200):
        for path, content in zip((file, sidecar), before, strict=True):
            path.write_bytes(content)
        seen = 0

        def call(name, *args, number=number, **kwargs):
            nonlocal seen
            seen += 1
            if seen != number:
                return real[name](*args, **kwargs)
            if name == "close":
                real[name](*args, **kwargs)
            raise OSError(code, os.strerror(code))

        error = None
        with pytest.MonkeyPatch.context() as patch:
            for name in names:
                patch.setattr(os, name, lambda *a, _n=name, **k: call(_n, *a, **k))
            try:
                write_geotiff(new, file)
            except GeosoilError as found:
                error = found
        there = [p.read_bytes() if p.exists() else None for p in (file, sidecar)]
        if error is None:
            assert tuple(there) == after
        else:
            assert there[0] in (before[0], after[0])
            # Wrong names of classes would be worse than none.
            own = {before[0]: before[1], after[0]: after[1]}[there[0]]
            assert there[1] in (None, own)
        write_geotiff(old, tmp_path / "b.tif")
        assert not list(tmp_path.glob(".*"))
        if seen < number:
            break
    assert 20 < number < 199


def test_a_link_is_replaced_and_what_it_points_to_kept(tmp_path):
    treasure = tmp_path / "treasure.tif"
    treasure.write_bytes(b"precious")
    for name in ("a.tif", "a.tif.aux.xml"):
        (tmp_path / name).symlink_to(treasure)
    attrs = {"flag_values": [0, 1], "flag_meanings": "dry wet"}
    write_geotiff(raster_of(np.eye(9, dtype="uint8"), **attrs), tmp_path / "a.tif")
    assert treasure.read_bytes() == b"precious"
    assert not (tmp_path / "a.tif").is_symlink()
    assert not (tmp_path / "a.tif.aux.xml").is_symlink()


def test_files_that_tell_of_the_old_content_go(tmp_path):
    file = tmp_path / "a.tif"
    stale = [tmp_path / f"a.tif{ending}" for ending in (".aux.xml", ".ovr", ".msk")]
    for path in [*stale, tmp_path / "b.tif.aux.xml", tmp_path / "a.tfw"]:
        path.write_text("old")
    write_geotiff(raster_of(numbers((9, 9))), file)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["a.tfw", "a.tif", "b.tif.aux.xml"]
    assert geotiff.STALE == (".aux.xml", ".ovr", ".msk")


def test_wrong_colours_are_refused_before_anything_is_written(tmp_path):
    codes = raster_of(np.eye(9, dtype="uint8"))
    with pytest.raises(InputError, match=r"'#rrggbb'; found 1: 'red', 2: '#12'"):
        write_geotiff(codes, tmp_path / "a.tif", colours={1: "red", 2: "#12"})
    with pytest.raises(InputError, match="integer codes, not float64"):
        write_geotiff(codes * 1.5, tmp_path / "a.tif", colours={1: "#ffffff"})
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=hnp.arrays(
        st.sampled_from(["uint8", "int16", "uint16", "int32", "bool", "int8"]),
        hnp.array_shapes(min_dims=2, max_dims=3, max_side=20),
    )
)
def test_any_classes_come_back(tmp_path, values):
    file = write_geotiff(raster_of(values), tmp_path / "a.tif")
    np.testing.assert_array_equal(read_geotiff(file, classes=True), values)
