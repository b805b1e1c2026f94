"""MODIS layers come out scaled, masked and placed as GDAL and the products say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyhdf.SD import SD, SDC
from pyproj import Proj
from rasterio.transform import from_origin

from geosoil.errors import (
    FileFormatError,
    GeosoilError,
    GridMismatchError,
    InputError,
    MissingFileError,
)
from geosoil.grids.grid import Grid
from geosoil.io.geotiff import write_geotiff
from geosoil.io.granule_names import date_of, product_of, short_name
from geosoil.io.modis import open_modis
from geosoil.io.modis_options import ModisOptions
from geosoil.io.products import packing_of

MODIS = Path(__file__).parents[1] / "golden" / "modis"
CMG = MODIS / "MOD13C1.A2020161.061.2020999000000.SYNTHETIC.hdf"
TRHR = (89.7, 31.6, 102.45, 36.25)
GDAL_LAYERS = json.loads((MODIS / "gdal_layers.json").read_text())
TILE = (7783653.637667, 4447802.078667)
KINDS = {
    "int8": SDC.INT8, "uint8": SDC.UINT8, "int16": SDC.INT16, "uint16": SDC.UINT16,
    "int32": SDC.INT32, "uint32": SDC.UINT32, "float32": SDC.FLOAT32,
}  # fmt: skip
NDVI = {"_FillValue": -3000, "valid_range": [-2000, 10000], "scale_factor": 10000.0}


def write_granule(path, layers, *, corners=None, size=None, grid="Grid", **options):
    """Write an HDF-EOS2 file; layers maps a name to (array, attributes)."""
    first = np.asarray(next(iter(layers.values()))[0])
    rows, columns = size or first.shape
    west, north, east, south = corners or (
        90e6,
        35e6,
        90e6 + columns * 1e6,
        35e6 - rows * 1e6,
    )
    order = options.get("order", ("YDim", "XDim"))
    fields = "".join(
        f'OBJECT=DataField_{n}\nDataFieldName="{name}"\n'
        f'DimList=("{order[0]}","{order[1]}")\n'
        f"END_OBJECT=DataField_{n}\n"
        for n, name in enumerate(layers)
    )
    structure = (
        f'GROUP=GridStructure\nGROUP=GRID_1\nGridName="{grid}"\nXDim={columns}\n'
        f"YDim={rows}\nUpperLeftPointMtrs=({west:f},{north:f})\n"
        f"LowerRightMtrs=({east:f},{south:f})\n"
        f"Projection={options.get('projection', 'GCTP_GEO')}\n"
        f"{options.get('extra', '')}\nGROUP=DataField\n{fields}END_GROUP=DataField\n"
        "END_GROUP=GRID_1\nEND_GROUP=GridStructure\nEND\n"
    )
    sd = SD(str(path), SDC.WRITE | SDC.CREATE | SDC.TRUNC)
    half = len(structure) // 2
    sd.attr("StructMetadata.0").set(SDC.CHAR, structure[:half])
    sd.attr("StructMetadata.1").set(SDC.CHAR, structure[half:])
    if "core" in options:
        sd.attr("CoreMetadata.0").set(SDC.CHAR, options["core"])
    for name, (values, attributes) in layers.items():
        array = np.asarray(values)
        sds = sd.create(name, KINDS[array.dtype.name], array.shape)
        if options.get("deflate"):
            sds.setcompress(SDC.COMP_DEFLATE, 6)
        for key, value in attributes.items():
            kind = SDC.CHAR if isinstance(value, str) else SDC.FLOAT64
            sds.attr(key).set(kind, value)
        if options.get("dimensions", True):
            for axis, dimension in enumerate(order):
                sds.dim(axis).setname(f"{dimension}:{grid}")
        sds[:] = array
        sds.endaccess()
    sd.end()
    return path


def ndvi_file(path, stored, name="CMG 1 Deg 16 days NDVI", **options):
    layers = {
        name: (np.asarray(stored, dtype="int16"), options.pop("attributes", NDVI))
    }
    layers |= options.pop("more", {})
    return write_granule(path, layers, **options)


STORED = [[-3000, -2000, 0, 5000], [10000, -2001, 10001, 1234]]
VALUES = [[np.nan, -0.2, 0.0, 0.5], [1.0, np.nan, np.nan, 0.1234]]


class TestRealAndGoldenFiles:
    def test_the_headwater_window_has_the_golden_numbers(self):
        golden = json.loads((MODIS / "trhr_expected.json").read_text())
        keep = ModisOptions(estimated="keep")
        every = open_modis(CMG, bbox=TRHR, quality="all", options=keep)
        good = open_modis(CMG, bbox=TRHR)
        assert list(every.shape[1:]) == golden["shape"]
        assert int(every.count()) == golden["n_valid"]
        assert int(good.count()) == golden["n_rel01_valid"]
        wide = every.to_numpy().astype(float), good.to_numpy().astype(float)
        assert np.nanmean(wide[0]) == pytest.approx(golden["mean_ndvi"], abs=1e-8)
        assert np.nanmean(wide[1]) == pytest.approx(golden["mean_ndvi_rel01"], abs=1e-8)
        west, width = golden["geotransform"][2], golden["geotransform"][0]
        assert tuple(every.rio.transform())[:6] == pytest.approx(
            (width, 0, west, 0, -width, golden["geotransform"][5]), abs=1e-12
        )

    def test_a_stack_is_labelled(self):
        values = open_modis(CMG, bbox=TRHR)
        assert values.dims == ("time", "y", "x")
        assert values.name == "ndvi"
        assert values.dtype == np.float32
        assert values.time.to_numpy()[0] == np.datetime64("2020-06-09")
        assert values.rio.crs.to_epsg() == 4326
        assert values.y[0] > values.y[-1]
        assert values.attrs == {
            "units": "1",
            "long_name": "NDVI",
            "standard_name": "normalized_difference_vegetation_index",
            "layer": "CMG 0.05 Deg 16 days NDVI",
            "grid": "MODIS_Grid_16Day_VI_CMG",
            "content": "quantity",
            "product": "MOD13C1",
            "collection": "061",
            "quality": "good",
            "source_files": [CMG.name],
            "input_verified": "no",
        }

    @pytest.mark.parametrize(
        "expected",
        GDAL_LAYERS,
        ids=lambda e: f"{Path(e['file']).name[:7]}-{e['layer']}",
    )
    def test_layers_of_real_files_equal_what_gdal_reads(self, shared, expected):
        layer = f"{expected['grid']}:{expected['layer']}"
        values = open_modis(shared / "data" / expected["file"], layer)
        numbers = values.to_numpy()[0].astype(float)
        if expected["file"].startswith("hdfeos2"):
            # GDAL ignores GridOrigin=HDFE_GD_UR; these rows are constant.
            numbers = numbers[:, ::-1]
        assert list(numbers.shape) == expected["shape"]
        assert int(np.isfinite(numbers).sum()) == expected["n_valid"]
        valid = numbers[np.isfinite(numbers)]
        assert valid.mean() == pytest.approx(expected["mean"], rel=1e-6)
        assert valid.min() == pytest.approx(expected["min"], rel=1e-6)
        assert valid.max() == pytest.approx(expected["max"], rel=1e-6)
        for row, column, value in expected["probes"]:
            assert numbers[row, column] == pytest.approx(value, rel=1e-6)
        found = values.rio.transform().to_gdal()
        assert found == pytest.approx(expected["geotransform"], rel=1e-9, abs=1e-6)

    def test_the_sinusoidal_crs_is_the_modis_sphere(self, shared):
        golden = json.loads((MODIS / "MOD09GA_real_expected.json").read_text())
        file = next((shared / "data" / "modis").glob("MOD09GA*.hdf"))
        values = open_modis(file, "state_1km_1")
        assert Grid.of(values).crs.equals(golden["proj4"])
        assert values.rio.transform().to_gdal() == pytest.approx(
            golden["geotransform_1km"], rel=1e-12
        )

    def test_the_23_composites_of_2016_are_stacked_in_time(self, shared):
        expected = json.loads((MODIS / "ndvi_2016.json").read_text())
        folder = shared / "data" / "modis" / "ndvi_2016_composites"
        files = sorted(folder.glob("*.tif"), reverse=True)
        values = open_modis(files)
        assert values.shape == (23, 122, 65)
        days = pd.DatetimeIndex(values.time.to_numpy()).day_of_year
        assert days.tolist() == list(range(1, 354, 16))
        for index, composite in enumerate(expected):
            date = values.isel(time=index).to_numpy().astype(float)
            assert np.isfinite(date).sum() == composite["n_valid"]
            assert np.nanmean(date) == pytest.approx(composite["mean"], abs=1e-7)
        assert values.attrs["quality"] == "none"
        assert values.attrs["product"] == "MOD13A1"
        crop = open_modis(files, bbox=(9.4, 45.8, 9.5, 45.9))
        np.testing.assert_array_equal(
            crop, values.sel(x=crop.x, y=crop.y, method="nearest")
        )

    @pytest.mark.parametrize("name", ["3A11.20020301.7.HDF", "avhrr.hdf"])
    def test_hdf4_without_grids_is_refused_and_lists_what_it_holds(self, shared, name):
        with pytest.raises(FileFormatError, match=rf"{name}' is HDF4 but no HDF-EOS"):
            open_modis(shared / "data" / "hdfeos2" / name)

    def test_an_ambiguous_layer_lists_both_grids(self, shared):
        file = shared / "data" / "hdfeos2" / "grid_2_2d_size.hdf"
        with pytest.raises(
            FileFormatError,
            match=r"ambiguous.*'GeoGrid1:temperature', 'GeoGrid2:temperature'",
        ):
            open_modis(file, "temperature")
        assert open_modis(file, "GeoGrid2:temperature").shape == (1, 4, 8)
        assert open_modis(file, "geogrid1:Temperature").shape == (1, 8, 16)


class TestScaling:
    @pytest.mark.parametrize("scale", [10000.0, 0.0001, np.float32(0.0001).item()])
    def test_both_conventions_give_the_same_ndvi(self, tmp_path, scale):
        file = ndvi_file(
            tmp_path / "MOD13X1.A2020161.hdf",
            STORED,
            attributes={**NDVI, "scale_factor": scale},
        )
        values = open_modis(file).to_numpy()[0]
        np.testing.assert_array_equal(values, np.array(VALUES, dtype="float32"))

    def test_missing_attributes_are_those_of_the_product(self, tmp_path):
        file = ndvi_file(tmp_path / "MOD13X1.A2020161.hdf", STORED, attributes={})
        values = open_modis(file).to_numpy()[0]
        np.testing.assert_array_equal(values, np.array(VALUES, dtype="float32"))

    @pytest.mark.parametrize("scale", [1000.0, 1.0, 0.01])
    def test_another_scale_than_the_product_has_is_refused(self, tmp_path, scale):
        file = ndvi_file(
            tmp_path / "MYD13X1.A2020161.hdf",
            STORED,
            attributes={**NDVI, "scale_factor": scale},
        )
        with pytest.raises(FileFormatError, match=r"MYD13X1.*NDVI'.*scale_factor is"):
            open_modis(file)

    def test_ndvi_that_leaves_its_range_is_refused(self, tmp_path):
        attributes = {**NDVI, "valid_range": [-32768, 32767]}
        file = ndvi_file(
            tmp_path / "MOD13X1.A2020161.hdf", [[20000, 1]], attributes=attributes
        )
        with pytest.raises(FileFormatError, match=r"NDVI'.*-0\.2 to 1"):
            open_modis(file)

    def test_offsets_are_subtracted_first_unless_the_file_says_last(self):
        def unpack(**attributes):
            packing = packing_of(
                attributes, layer="x", product=attributes.pop("product", None),
                dtype="uint8",
            )  # fmt: skip
            return packing.unpack(np.array([10, 100], dtype="uint8")).tolist()

        assert unpack(scale_factor=0.5, add_offset=20.0) == [-5, 40]
        assert unpack(scale_factor=10.0, add_offset=20.0) == [-1, 8]
        assert unpack(scale_factor=1.0, add_offset=-65.0) == [75, 165]
        text = "View_angle data * scale_factor + add_offset"
        assert unpack(scale_factor=1.0, add_offset=-65.0, View=text) == [-55, 35]
        assert unpack(scale_factor=1.0, add_offset=-65.0, product="MYD11A2") == [
            -55,
            35,
        ]

    @given(
        stored=st.lists(st.integers(-32768, 32767), min_size=1, max_size=20),
        fill=st.integers(-32768, 32767),
        bounds=st.tuples(st.integers(-32768, 32767), st.integers(-32768, 32767)),
        scale=st.sampled_from([0.01, 0.02, 0.0001, 10.0, 10000.0, 1.0]),
    )
    def test_mask_then_scale_equals_the_loop(self, stored, fill, bounds, scale):
        low, high = sorted(bounds)
        packing = packing_of(
            {"_FillValue": fill, "valid_range": [low, high], "scale_factor": scale},
            layer="lst",
            product="MOD11A1",
            dtype="int16",
        )
        found = packing.unpack(np.array(stored, dtype="int16"))
        factor = 1 / scale if scale > 1 else scale
        expected = [
            n * factor if n != fill and low <= n <= high else np.nan for n in stored
        ]
        np.testing.assert_allclose(found, expected, rtol=2e-7)

    @pytest.mark.parametrize(
        ("given_range", "dtype", "expected"),
        [
            ([0, 100], "uint8", (0, 100)),
            ("0, 100", "uint8", (0, 100)),
            ("\x00d", "uint8", (0, 100)),
            ([0, -2], "uint16", (0, 65534)),
            (["0", "100"], "int16", (0, 100)),
            (None, "uint8", None),
            ([1], "uint8", None),
            ([5, 1], "int16", None),
        ],
    )
    def test_valid_ranges_of_every_kind(self, given_range, dtype, expected):
        attributes = {} if given_range is None else {"valid_range": given_range}
        packing = packing_of(attributes, layer="x", product="MOD10A1", dtype=dtype)
        assert packing.valid_range == expected

    @pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
    def test_impossible_scales_are_refused(self, scale):
        with pytest.raises(FileFormatError, match="must be a positive number"):
            packing_of(
                {"scale_factor": scale}, layer="x", product="MOD11A1", dtype="uint8"
            )

    def test_32_bit_flags_keep_every_bit(self, tmp_path):
        flags = np.array([[2**32 - 2, 1, 2**31 + 1]], dtype="uint32")
        file = write_granule(tmp_path / "MOD09X1.A2020161.hdf", {"qc": (flags, {})})
        values = open_modis(file, "qc")
        assert values.to_numpy()[0].tolist() == flags.tolist()
        assert values.attrs["content"] == "code"


class TestLayersAndQuality:
    @pytest.mark.parametrize(
        "name",
        [
            "CMG 0.05 Deg 16 days NDVI", "CMG 0.05 Deg Monthly NDVI",
            "250m 16 days NDVI", "500m 16 days NDVI", "1 km 16 days NDVI",
            "1 km monthly NDVI", "250M  16 DAYS ndvi", "1km_monthly_NDVI", "NDVI",
        ],
    )  # fmt: skip
    def test_ndvi_is_found_under_the_name_of_every_product(self, tmp_path, name):
        file = ndvi_file(tmp_path / "MOD13X1.A2020161.hdf", STORED, name=name)
        for wanted in ("ndvi", "NDVI", name, name.lower(), f"Grid:{name}", "grid:ndvi"):
            assert open_modis(file, wanted).attrs["layer"] == name

    def test_short_names_of_all_vegetation_layers(self):
        names = {
            "CMG 0.05 Deg 16 days VI Quality": "vi_quality",
            "250m 16 days pixel reliability": "pixel_reliability",
            "1 km monthly pixel reliability summary QA": "pixel_reliability",
            "CMG 0.05 Deg 16 days red reflectance (Band 1)": "red_reflectance",
            "CMG 0.05 Deg 16 days #1km pix used": "1km_pix_used",
            "CMG 0.05 Deg 16 days #1km pix +-30deg VZ": "1km_pix_30deg_vz",
            "CMG 0.05 Deg 16 days NDVI std dev": "ndvi_std_dev",
            "250m 16 days composite day of the year": "composite_day_of_the_year",
            "sur_refl_b01_1": "sur_refl_b01_1",
        }
        assert {name: short_name(name) for name in names} == names

    @pytest.mark.parametrize(
        ("quality", "kept"),
        [("good", [0, 1]), ("keep_snow", [0, 1, 2]), ("all", [-1, 0, 1, 2, 3])],
    )
    def test_reliability_ranks_that_each_preset_keeps(self, tmp_path, quality, kept):
        ranks = np.array([[-1, 0, 1, 2, 3, 4]], dtype="int8")
        file = ndvi_file(
            tmp_path / "MOD13X1.A2020161.hdf",
            [[1000, 2000, 3000, 4000, 5000, 6000]],
            more={"CMG 1 Deg 16 days pixel reliability": (ranks, {"_FillValue": -1})},
        )
        values = open_modis(file, quality=quality)
        assert ranks[0][np.isfinite(values.to_numpy()[0, 0])].tolist() == kept
        assert values.attrs["quality"] == quality
        itself = open_modis(file, "pixel_reliability", quality=quality)
        assert itself.to_numpy()[0, 0, 1:].tolist() == [0, 1, 2, 3, 4]
        assert itself.attrs["quality"] == "none"

    @pytest.mark.parametrize(
        ("quality", "kept"),
        [("good", [0, 1]), ("keep_snow", [0, 1, 4]), ("all", [0, 1, 2, 3, 4])],
    )
    def test_without_reliability_the_quality_bits_decide(self, tmp_path, quality, kept):
        bits = np.array([[0b00, 0b01, 0b10, 0b11, 1 << 14]], dtype="uint16")
        file = ndvi_file(
            tmp_path / "MOD13X1.A2020161.hdf",
            [[1000, 2000, 3000, 4000, 5000]],
            more={"CMG 1 Deg 16 days VI Quality": (bits, {})},
        )
        values = open_modis(file, quality=quality).to_numpy()[0, 0]
        assert np.flatnonzero(np.isfinite(values)).tolist() == kept

    def test_without_any_quality_layer_it_is_said(self, tmp_path):
        values = open_modis(ndvi_file(tmp_path / "MOD13X1.A2020161.hdf", STORED))
        assert values.attrs["quality"] == "none"

    def test_an_absent_layer_lists_those_that_are_there(self):
        with pytest.raises(
            FileFormatError,
            match=r"\(MOD13C1\) has no layer 'evi'.*days NDVI', '.*VI Quality'",
        ):
            open_modis(CMG, "evi")

    def test_an_unknown_preset_is_refused(self):
        with pytest.raises(InputError, match="Unknown quality 'best'"):
            open_modis(CMG, quality="best")


class TestPlace:
    @pytest.mark.parametrize(
        ("origin", "turn"),
        [
            ("UL", lambda a: a),
            ("UR", lambda a: a[:, ::-1]),
            ("LL", lambda a: a[::-1]),
            ("LR", lambda a: a[::-1, ::-1]),
        ],
    )
    def test_every_grid_origin_comes_out_north_up(self, tmp_path, origin, turn):
        north_up = np.arange(20, dtype="int16").reshape(4, 5) * 100
        file = ndvi_file(
            tmp_path / "MOD13X1.A2020161.hdf",
            turn(north_up),
            extra=f"GridOrigin=HDFE_GD_{origin}",
        )
        expected = (north_up / 1e4).astype("float32")
        np.testing.assert_array_equal(open_modis(file).to_numpy()[0], expected)
        part = open_modis(file, bbox=(91.2, 32.5, 93.8, 33.9))
        np.testing.assert_array_equal(part.to_numpy()[0], expected[1:3, 1:4])
        assert part.rio.bounds() == (91, 32, 94, 34)

    def test_arrays_without_named_dimensions_are_found(self, tmp_path):
        file = ndvi_file(tmp_path / "MOD13X1.A2020161.hdf", STORED, dimensions=False)
        assert open_modis(file).shape == (1, 2, 4)

    def test_columns_first_are_turned(self, tmp_path):
        path = tmp_path / "MOD13X1.A2020161.hdf"
        stored = np.arange(6, dtype="int16").reshape(2, 3)
        ndvi_file(path, stored.T, size=(2, 3), order=("XDim", "YDim"))
        values = open_modis(path, bbox=(91, 33, 93, 34)).to_numpy()[0]
        np.testing.assert_allclose(values, stored[1:, 1:] / 1e4, rtol=1e-6)

    def test_deflated_layers_are_read(self, tmp_path):
        file = ndvi_file(tmp_path / "MOD13X1.A2020161.hdf", STORED, deflate=True)
        assert int(open_modis(file).count()) == 5

    def test_size_and_cells_that_contradict_the_structure_are_refused(self, tmp_path):
        file = ndvi_file(tmp_path / "MOD13X1.A2020161.hdf", STORED, size=(4, 2))
        with pytest.raises(FileFormatError, match=r"shape is \(2, 4\).*XDim=2, YDim=4"):
            open_modis(file)
        file = ndvi_file(tmp_path / "MOD13C1.A2020161.hdf", STORED)
        with pytest.raises(FileFormatError, match=r"cells are 1 x 1, but.*0\.05"):
            open_modis(file)

    def test_a_global_grid_without_corners_is_assumed_and_said(self, tmp_path):
        file = ndvi_file(
            tmp_path / "MOD13X1.A2020161.hdf", STORED, corners=(-1, -1, -1, -1)
        )
        values = open_modis(file)
        assert values.rio.bounds() == (-180, -90, 180, 90)
        assert "globe was assumed" in values.attrs["corners"]

    def test_a_box_on_cell_edges_takes_no_cell_beyond(self):
        assert open_modis(CMG, bbox=(95.0, 34.0, 95.1, 34.1)).shape == (1, 2, 2)
        assert open_modis(CMG, bbox=(94.99, 33.99, 95.11, 34.11)).shape == (1, 4, 4)
        assert open_modis(CMG, bbox=(95.0, 34.0, 95.0, 34.0)).shape == (1, 1, 1)

    @settings(
        max_examples=30,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        west=st.floats(80, 104),
        south=st.floats(30.01, 39.9),
        width=st.floats(0, 3),
        height=st.floats(0, 3),
    )
    @example(west=80.0, south=31.0, width=2.0, height=1.0)
    def test_a_box_on_the_sinusoidal_grid_covers_its_points(
        self, tmp_path, west, south, width, height
    ):
        path = tmp_path / "MOD13X1.A2020161.h25v05.hdf"
        if not path.exists():
            side = 1111950.5196666666
            ndvi_file(
                path, np.full((60, 60), 5000), projection="GCTP_SNSOID",
                corners=(TILE[0], TILE[1], TILE[0] + side, TILE[1] - side),
                extra="ProjParams=(6371007.181,0,0,0,0,0,0,0,0,0,0,0,0)",
            )  # fmt: skip
        whole = Grid.of(open_modis(path))
        box = (west, south, west + width, min(south + height, 40.0))
        longitude = np.linspace(box[0], box[2], 9)
        latitude = np.linspace(box[1], box[3], 9)
        x, y = Proj(whole.crs)(*np.meshgrid(longitude, latitude))
        rows, _, on_edge = whole.cells(x.ravel(), y.ravel())
        inside = (rows >= 0) & ~on_edge  # a box up to an edge takes no cell beyond it
        try:
            part = Grid.of(open_modis(path, bbox=box))
        except InputError:
            assert not inside.any()
            return
        assert (part.cells(x.ravel(), y.ravel())[0][inside] >= 0).all()
        offset = (part.transform.c - whole.transform.c) / whole.transform.a
        assert offset == pytest.approx(round(offset), abs=1e-6)

    def test_a_box_outside_names_the_bounds_of_both(self, tmp_path):
        file = ndvi_file(tmp_path / "MOD13X1.A2020161.hdf", STORED)
        with pytest.raises(
            InputError,
            match=r"covers 90 to 94 E, 33 to 35 N; the bbox 10 to 11 E, 50 to 51 N",
        ):
            open_modis(file, bbox=(10, 50, 11, 51))
        with pytest.raises(InputError, match="outside"):
            open_modis(file, bbox=(94, 33, 95, 34))

    @pytest.mark.parametrize(
        "bbox", [(2, 0, 1, 1), (0, 1, 1, 0), (0, -91, 1, 0), (0, 0, 1), ("a", 0, 1, 1)]
    )
    def test_boxes_that_are_none_are_refused(self, bbox):
        with pytest.raises(InputError, match="Invalid bbox"):
            open_modis(CMG, bbox=bbox)


class TestStacks:
    def stack(self, folder, days, **options):
        return [
            ndvi_file(folder / f"MOD13X1.A2020{day:03d}.hdf", STORED, **options)
            for day in days
        ]

    def test_files_are_sorted_by_date(self, tmp_path):
        files = self.stack(tmp_path, [177, 1, 161])
        values = open_modis(files)
        dates = values.time.dt.strftime("%Y-%m-%d").to_numpy().tolist()
        assert dates == ["2020-01-01", "2020-06-09", "2020-06-25"]
        assert values.attrs["source_files"] == [file.name for file in files]

    def test_terra_and_aqua_may_be_mixed_but_not_products(self, tmp_path):
        files = self.stack(tmp_path, [161])
        files.append(ndvi_file(tmp_path / "MYD13X1.A2020169.hdf", STORED))
        assert open_modis(files).attrs["product"] == "MOD13X1, MYD13X1"
        files.append(ndvi_file(tmp_path / "MOD13X2.A2020185.hdf", STORED))
        with pytest.raises(InputError, match=r"different products.*MOD13X2"):
            open_modis(files)

    def test_files_on_other_grids_are_all_listed(self, tmp_path):
        files = self.stack(tmp_path, [161, 177])
        files += self.stack(tmp_path, [193, 209], corners=(91e6, 35e6, 95e6, 33e6))
        with pytest.raises(
            GridMismatchError, match=r"(?s)2 of 4.*A2020193.*x 91.*A2020209.*align"
        ):
            open_modis(files)

    def test_the_same_date_twice_is_refused(self, tmp_path):
        files = self.stack(tmp_path, [161])
        files.append(Path(shutil.copy(files[0], tmp_path / "MYD13X1.A2020161.hdf")))
        with pytest.raises(InputError, match=r"same date: 2020-06-09.*MOD13.*MYD13"):
            open_modis(files)

    def test_the_date_may_stand_in_the_metadata(self, tmp_path):
        core = (
            'OBJECT = SHORTNAME\nNUM_VAL = 1\nVALUE = "MYD13X1"\nEND_OBJECT\n'
            'OBJECT = RANGEBEGINNINGDATE\nNUM_VAL = 1\nVALUE = "2020-06-09"\n'
        )
        values = open_modis(ndvi_file(tmp_path / "renamed.hdf", STORED, core=core))
        assert values.time.to_numpy()[0] == np.datetime64("2020-06-09")
        assert values.attrs["product"] == "MYD13X1"

    def test_one_file_without_date_is_read_and_several_are_refused(self, tmp_path):
        files = [ndvi_file(tmp_path / name, STORED) for name in ("a.hdf", "b.hdf")]
        assert np.isnat(open_modis(files[0]).time.to_numpy()).all()
        with pytest.raises(InputError, match=r"No date is known of 'a\.hdf', 'b\.hdf'"):
            open_modis(files)

    def test_all_bad_files_are_told_at_once(self, tmp_path):
        good = self.stack(tmp_path, [161])
        bad = {
            "MOD13X1.A2020001.hdf": b"",
            "MOD13X1.A2020017.hdf": b"<html>Earthdata Login</html>",
            "MOD13X1.A2020033.hdf": b"\x89HDF\r\n\x1a\n",
            "MOD13X1.A2020049.hdf": good[0].read_bytes()[:200],
        }
        files = good
        for name, content in bad.items():
            (tmp_path / name).write_bytes(content)
            files.append(tmp_path / name)
        with pytest.raises(FileFormatError, match="4 of 5 files") as caught:
            open_modis(files)
        for words in (*bad, "0 bytes", "login page", "HDF5", "dataset 'ndvi'"):
            assert words in str(caught.value)
        with pytest.raises(MissingFileError, match=r"5 of 6.*(?s:.*)none\.hdf"):
            open_modis([*files, tmp_path / "none.hdf"])

    def test_no_files_and_repeated_files(self, tmp_path):
        with pytest.raises(InputError, match="No files were given"):
            open_modis([])
        (file,) = self.stack(tmp_path, [161])
        assert open_modis([file, file]).sizes["time"] == 1
        assert open_modis(str(file)).sizes["time"] == 1

    @pytest.mark.parametrize(
        "path",
        sorted((Path(__file__).parents[1] / "data" / "crashers").glob("*.hdf")),
        ids=lambda path: path.stem,
    )
    def test_crashers_name_file_and_dataset(self, path):
        try:
            open_modis(path)
        except GeosoilError as error:
            assert path.name in str(error)  # noqa: PT017  both answers are right
            assert "ndvi" in str(error).lower()  # noqa: PT017


class TestNames:
    @pytest.mark.parametrize(
        ("name", "product", "date"),
        [
            ("MOD13C1.A2020161.061.2020999000000.hdf", "MOD13C1", "2020-06-09"),
            ("MYD13Q1.A2019366.h25v05.061.2020999.hdf", "MYD13Q1", None),
            ("MOD13A1_NDVI_2016_353.tif", "MOD13A1", "2016-12-18"),
            ("MOD13A1.061__500m_16_days_NDVI_doy2016001_aid0001.tif", "MOD13A1",
             "2016-01-01"),
            ("mod13c2.a2020153.006.hdf", "MOD13C2", "2020-06-01"),
            ("ndvi_2020-06-09.tif", None, "2020-06-09"),
            ("MCD12C1.A2019001.006.tif", "MCD12C1", "2019-01-01"),
            ("random.tif", None, None),
        ],
    )  # fmt: skip
    def test_products_and_dates(self, name, product, date):
        assert product_of(name) == product
        if "366" in name:
            with pytest.raises(FileFormatError, match=r"day 366 of 2019.*1 to 365"):
                date_of(name)
        else:
            assert date_of(name) == (None if date is None else np.datetime64(date))

    @given(st.dates(min_value=pd.Timestamp("2000-01-01").date(),
                    max_value=pd.Timestamp("2099-12-31").date()))  # fmt: skip
    def test_day_of_year_counts_from_one(self, day):
        assert date_of(f"MOD13C1.A{day:%Y%j}.061.hdf") == np.datetime64(day)


class TestGeoTiffs:
    def tiff(self, path, stored, dtype="int16", **options):
        stored = np.atleast_3d(np.asarray(stored, dtype=dtype).T).T
        with rasterio.open(
            path, "w", driver="GTiff", count=stored.shape[0], height=stored.shape[1],
            width=stored.shape[2], dtype=dtype, crs="EPSG:4326",
            transform=from_origin(90, 35, 0.05, 0.05), **options,
        ) as file:  # fmt: skip
            file.write(stored)
        return path

    def test_integers_are_scaled_and_floats_are_not(self, tmp_path):
        integers = self.tiff(tmp_path / "MOD13C1_NDVI_2020_161.tif", STORED)
        floats = self.tiff(
            tmp_path / "MOD13C1_NDVI_2020_177.tif", VALUES, "float32", nodata=32767
        )
        values = open_modis([integers, floats]).to_numpy()
        expected = np.array(VALUES, dtype="float32")
        np.testing.assert_array_equal(values, [expected, expected])

    def test_the_written_stack_can_be_opened_again(self, tmp_path):
        values = open_modis(CMG, bbox=TRHR)
        file = write_geotiff(values, tmp_path / "out.tif")
        np.testing.assert_array_equal(open_modis(file).to_numpy(), values.to_numpy())

    def test_another_index_or_undated_bands_are_refused(self, tmp_path):
        evi = self.tiff(tmp_path / "MOD13C1_EVI_2020_161.tif", STORED)
        with pytest.raises(FileFormatError, match=r"no layer 'ndvi'.*holds: 'evi'"):
            open_modis(evi)
        bands = self.tiff(tmp_path / "two.tif", [STORED, STORED])
        with pytest.raises(FileFormatError, match="2 bands without dates"):
            open_modis(bands)
        wrong = self.tiff(tmp_path / "MOD13C1_NDVI_2020_193.tif", [[7.5]], "float32")
        with pytest.raises(FileFormatError, match=r"-0\.2 to 1"):
            open_modis(wrong)

    def test_a_box_outside_is_refused(self, tmp_path):
        file = self.tiff(tmp_path / "MOD13C1_NDVI_2020_161.tif", STORED)
        with pytest.raises(InputError, match=r"covers 90 to 90\.2 E"):
            open_modis(file, bbox=(10, 10, 11, 11))
