"""Copies of MODIS layers by AppEEARS and OPeNDAP hold what the HDF4 files hold."""

from __future__ import annotations

import warnings

import netCDF4
import numpy as np
import pytest
import rasterio
import xarray as xr
from pyproj import CRS
from rasterio.transform import from_origin

from geosoil.errors import FileFormatError, GridMismatchError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.io.modis import open_modis
from geosoil.io.modis_options import ModisOptions
from geosoil.io.quality_bits import QualityRule
from tests.io.test_modis import CMG, STORED, TRHR, VALUES

SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
NDVI = "MOD13A1.061__500m_16_days_NDVI_doy2020161_aid0001.tif"


def tiff(path, stored, dtype="int16", *, scale=None, nodata=None, origin=(90, 35)):
    stored = np.asarray(stored, dtype=dtype)
    with rasterio.open(
        path, "w", driver="GTiff", count=1, height=stored.shape[0],
        width=stored.shape[1], dtype=dtype, crs="EPSG:4326", nodata=nodata,
        transform=from_origin(*origin, 0.05, 0.05),
    ) as file:  # fmt: skip
        file.write(stored, 1)
        if scale is not None:
            file.scales = (scale,)
    return path


class TestAppeears:
    @pytest.mark.parametrize("scale", [None, 0.0001])
    def test_integers_are_quantities_whether_the_scale_is_told_or_not(
        self, tmp_path, scale
    ):
        file = tiff(tmp_path / NDVI, STORED, scale=scale, nodata=-3000)
        values = open_modis(file)
        np.testing.assert_allclose(
            values.to_numpy()[0], np.array(VALUES, "float32"), rtol=1e-6
        )
        assert values.attrs["product"] == "MOD13A1"
        assert values.attrs["collection"] == "061"
        assert values.attrs["content"] == "quantity"
        assert values.time.to_numpy()[0] == np.datetime64("2020-06-09")

    def test_another_scale_than_the_product_has_is_refused(self, tmp_path):
        file = tiff(tmp_path / NDVI, STORED, scale=0.001)
        with pytest.raises(FileFormatError, match=r"NDVI_doy.*scale_factor is 0\.001"):
            open_modis(file)

    def test_surface_temperature_is_scaled_too(self, tmp_path):
        name = "MOD11A2.061_LST_Day_1km_doy2020153_aid0001.tif"
        file = tiff(tmp_path / name, [[0, 15000, 7499]], "uint16", nodata=0)
        values = open_modis(file, "LST_Day_1km")
        np.testing.assert_allclose(
            values.to_numpy()[0, 0], [np.nan, 300.0, np.nan], rtol=1e-6
        )
        assert values.attrs["units"] == "K"
        with pytest.raises(FileFormatError, match="holds: 'lst_day'"):
            open_modis(file, "ndvi")

    def test_quality_layers_beside_the_file_screen_it(self, tmp_path):
        file = tiff(tmp_path / NDVI, [[1000, 2000, 3000, 4000, 5000]])
        assert open_modis(file).attrs["quality"] == "none"
        ranks = file.with_name(NDVI.replace("NDVI", "pixel_reliability"))
        tiff(ranks, [[0, 1, 2, 3, 4]], "int16", nodata=-1)
        values = open_modis(file, quality="keep_snow")
        assert values.attrs["quality"] == "keep_snow"
        assert np.isfinite(values.to_numpy()[0, 0]).tolist() == [True] * 3 + [False] * 2
        with pytest.raises(FileFormatError, match="needs the layer 'VI Quality'"):
            open_modis(file, quality=QualityRule())
        bits = file.with_name(NDVI.replace("NDVI", "VI_Quality"))
        tiff(bits, [[0, 1 << 14, 0, 0, 0]], "uint16", nodata=65535)
        values = open_modis(file, quality=QualityRule(snow=False)).to_numpy()[0, 0]
        assert np.isfinite(values).tolist() == [True, False, True, True, False]
        with pytest.raises(FileFormatError, match="holds: 'pixel_reliability'"):
            open_modis(ranks)
        codes = open_modis(ranks, "pixel_reliability")
        assert codes.attrs["content"] == "code"
        tiff(ranks, [[0, 1, 2, 3, 4]], "int16", nodata=-1, origin=(91, 35))
        with pytest.raises(GridMismatchError, match="pixel_reliability"):
            open_modis(file)


def hyrax(path, name="_250m_16_days_NDVI", stored=STORED, **options):
    """Write a NetCDF file as a server makes it from an HDF4 file."""
    stored = np.asarray(stored, dtype=options.get("dtype", "int16"))
    stored = stored.reshape(-1, *stored.shape[-2:])
    lat = options.get("lat", 34.975 - 0.05 * np.arange(stored.shape[1]))
    lon = options.get("lon", 90.025 + 0.05 * np.arange(stored.shape[2]))
    dims, shape = options.get("dims", ("lat", "lon")), stored.shape[1:]
    with netCDF4.Dataset(path, "w", format=options.get("format", "NETCDF4")) as file:
        for dim, size in zip(dims, shape, strict=True):
            file.createDimension(dim, size)
        leading = ()
        if "days" in options:
            file.createDimension("time", len(stored))
            time = file.createVariable("time", "i4", ("time",))
            time.units, time.calendar = "days since 2000-01-01", "julian"
            time[:] = options["days"]
            leading = ("time",)
        for dim, centres, units in zip(
            dims, (lat, lon), options.get("units", ("degrees_north", "degrees_east")),
            strict=True,
        ):  # fmt: skip
            if centres is None:
                continue
            axis = file.createVariable(dim, "f8", (dim,))
            axis.units = units
            axis[:] = centres
        layers = {name: (stored, options.get("attributes", {}))}
        layers |= options.get("more", {})
        for label, (fields, attributes) in layers.items():
            values = np.asarray(fields).reshape(-1, *shape)
            variable = file.createVariable(
                label, values.dtype, (*leading, *dims),
                fill_value=attributes.get("_FillValue"),
            )  # fmt: skip
            variable.set_auto_maskandscale(False)
            for key, value in attributes.items():
                if key != "_FillValue":
                    variable.setncattr(key, value)
            if "mapping" in options:
                variable.grid_mapping = "crs"
            variable[:] = values if leading else values[0]
        if "mapping" in options:
            crs = file.createVariable("crs", "i1")
            crs.setncatts(options["mapping"])
        for key, value in options.get("globals", {}).items():
            file.setncattr(key, value)
    return path


TOLD = {
    "_FillValue": np.int16(-3000), "scale_factor": 0.0001, "add_offset": 0.0,
    "valid_range": np.array([-2000, 10000], "int16"), "units": "NDVI",
}  # fmt: skip


class TestOpendap:
    @pytest.mark.parametrize("scale", [0.0001, 10000.0])
    @pytest.mark.parametrize("format", ["NETCDF4", "NETCDF3_CLASSIC"])
    def test_a_copy_gives_the_numbers_of_the_file(self, tmp_path, scale, format):
        file = hyrax(
            tmp_path / "MOD13Q1.A2020161.h25v05.061.nc", format=format,
            attributes={**TOLD, "scale_factor": scale},
        )  # fmt: skip
        values = open_modis(file)
        np.testing.assert_array_equal(values[0], np.array(VALUES, "float32"))
        assert values.rio.bounds() == pytest.approx((90, 34.9, 90.2, 35.0), abs=1e-9)
        assert values.rio.crs.to_epsg() == 4326
        assert values.attrs["product"] == "MOD13Q1"
        assert values.time.to_numpy()[0] == np.datetime64("2020-06-09")

    def test_axes_in_any_direction_come_out_north_up(self, tmp_path):
        lat, lon = 34.975 - 0.05 * np.arange(2), 90.025 + 0.05 * np.arange(4)
        for rows, columns in ((1, -1), (-1, 1), (-1, -1)):
            file = hyrax(
                tmp_path / "MOD13Q1.A2020161.061.nc", attributes=TOLD,
                stored=np.array(STORED)[::rows, ::columns],
                lat=lat[::rows], lon=lon[::columns],
            )  # fmt: skip
            np.testing.assert_array_equal(
                open_modis(file)[0], np.array(VALUES, "float32")
            )
            part = open_modis(file, bbox=(90.05, 34.9, 90.15, 34.95))
            np.testing.assert_array_equal(part[0], np.array(VALUES, "float32")[1:, 1:3])

    def test_a_series_has_the_dates_of_its_axis(self, tmp_path):
        file = hyrax(
            tmp_path / "MOD13Q1.061_250m_aid0001.nc", attributes=TOLD,
            stored=[STORED, STORED], days=[7465, 7481],
        )  # fmt: skip
        # AppEEARS counts in the Julian calendar; the days are those of the axis.
        values = open_modis(file)
        assert values.shape == (2, 2, 4)
        assert (np.diff(values.time) == np.timedelta64(16, "D")).all()

    def test_quality_layers_screen_it(self, tmp_path):
        ranks = np.array([[0, 1, 2, 3], [4, 0, 0, 0]], "int8")
        file = hyrax(
            tmp_path / "MOD13Q1.A2020161.061.nc", attributes=TOLD,
            stored=np.full((2, 4), 5000),
            more={"_250m_16_days_pixel_reliability": (ranks, {})},
        )  # fmt: skip
        values = open_modis(file)
        assert int(values.count()) == 5
        everything = ModisOptions(estimated="keep")
        assert int(open_modis(file, quality="all", options=everything).count()) == 8

    def test_metres_need_a_grid_mapping(self, tmp_path):
        cell = 231.656358263
        options = {
            "attributes": TOLD,
            "dims": ("YDim", "XDim"),
            "lat": 4447802.078667 - cell * (np.arange(2) + 0.5),
            "lon": 7783653.637667 + cell * (np.arange(4) + 0.5),
            "units": ("m", "m"),
        }
        path = tmp_path / "MOD13Q1.A2020161.061.nc"
        with pytest.raises(MissingCRSError, match=r"no coordinate reference.*'m'"):
            open_modis(hyrax(path, **options))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mapping = CRS.from_user_input(SINUSOIDAL).to_cf()
        values = open_modis(hyrax(path, mapping=mapping, **options))
        assert Grid.of(values).crs.equals(CRS.from_user_input(SINUSOIDAL))
        assert values.rio.transform().c == pytest.approx(7783653.637667, abs=1e-6)

    def test_without_axes_the_structure_places_it(self, tmp_path):
        structure = (
            'GROUP=GridStructure\nGROUP=GRID_1\nGridName="G"\nXDim=4\nYDim=2\n'
            "UpperLeftPointMtrs=(90000000.0,35000000.0)\n"
            "LowerRightMtrs=(90012000.0,34054000.0)\nProjection=GCTP_GEO\n"
            "END_GROUP=GRID_1\nEND_GROUP=GridStructure\nEND\n"
        )
        options = {"attributes": TOLD, "lat": None, "lon": None, "dims": ("r", "c")}
        path = tmp_path / "MOD13X1.A2020161.061.nc"
        with pytest.raises(MissingCRSError, match="neither axes nor a StructMetadata"):
            open_modis(hyrax(path, **options))
        told = {"globals": {"StructMetadata_0": structure}}
        values = open_modis(hyrax(path, **options, **told))
        assert values.rio.bounds() == pytest.approx((90, 34.9, 90.2, 35))
        np.testing.assert_array_equal(values[0], np.array(VALUES, "float32"))

    def test_what_is_wrong_is_named(self, tmp_path):
        path = tmp_path / "MOD13Q1.A2020161.061.nc"
        hyrax(path, attributes={**TOLD, "scale_factor": 0.001})
        with pytest.raises(
            FileFormatError, match=r"_NDVI': its scale_factor is 0\.001"
        ):
            open_modis(path)
        hyrax(path, attributes=TOLD)
        with pytest.raises(FileFormatError, match=r"no layer 'evi'.*'_250m_16"):
            open_modis(path, "evi")
        hyrax(path, attributes=TOLD, lon=[90, 90.05, 90.2, 90.25])
        with pytest.raises(FileFormatError, match="not evenly spaced"):
            open_modis(path)
        path.write_bytes(path.read_bytes()[:600])
        with pytest.raises(FileFormatError, match=r"A2020161\.061\.nc' cannot be read"):
            open_modis(path)

    def test_a_copy_of_the_golden_file_equals_it(self, tmp_path):
        truth = open_modis(CMG, bbox=TRHR, quality="all")
        stored = np.where(truth.isnull(), -3000, np.rint(truth * 1e4))
        file = hyrax(
            tmp_path / "MOD13C1.A2020161.061.nc", "CMG_0_05_Deg_16_days_NDVI",
            stored=stored.astype("int16"), attributes=TOLD,
            lat=truth.y.to_numpy(), lon=truth.x.to_numpy(),
        )  # fmt: skip
        copy = open_modis(file)
        xr.testing.assert_allclose(copy.x, truth.x, atol=1e-9)
        np.testing.assert_array_equal(copy, truth)
