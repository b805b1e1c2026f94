"""The table of products agrees with real files, fills what they lack, and refuses."""

from __future__ import annotations

import numpy as np
import pytest

from geosoil.errors import FileFormatError
from geosoil.io._hdf4 import describe
from geosoil.io.granule_names import product_of
from geosoil.io.modis import open_modis
from geosoil.io.products import layer_of, packing_of
from tests.io.test_modis import write_granule


def test_the_table_says_what_real_files_say(shared):
    compared = 0
    for path in sorted((shared / "data" / "modis").glob("*.hdf")):
        product = product_of(path.name)
        for dataset in describe(path).datasets:
            known = layer_of(product, dataset.name, dtype=dataset.dtype)
            if known is None:
                continue
            told = dataset.attributes
            assert dataset.dtype == known.dtype, dataset.name
            assert told["_FillValue"] == known.fill, dataset.name
            assert tuple(told["valid_range"]) == known.valid_range, dataset.name
            scale = told["scale_factor"]
            factor = scale if scale > 1 else 1 / scale
            assert factor == pytest.approx(known.divisor, rel=1e-6), dataset.name
            assert told.get("add_offset", 0.0) == known.offset, dataset.name
            compared += 1
    assert compared >= 30


@pytest.mark.parametrize(
    ("product", "layer", "stored", "expected"),
    [
        ("MOD11A2", "LST_Day_1km", [0, 7499, 7500, 15000], [None, None, 150.0, 300.0]),
        ("MYD11C3", "LST_Night_CMG", [0, 14000], [None, 280.0]),
        ("MOD11A1", "Emis_31", [0, 1, 240], [None, 0.492, 0.97]),
        ("MOD16A2", "ET_500m", [32761, 32767, 250], [None, None, 25.0]),
        ("MYD16A2GF", "PET_500m", [32766, 32700], [None, 3270.0]),
        ("MOD16A2", "LE_500m", [32765, 490], [None, 4.9e6]),
        ("MOD09A1", "sur_refl_b01", [-28672, -101, -100, 5000], [None, None, -0.01,
                                                                0.5]),
        ("MCD12Q1", "LC_Type1", [255, 0, 1, 17], [None, None, 1, 17]),
        ("MCD12C1", "Majority_Land_Cover_Type_1", [255, 0, 16], [None, 0, 16]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("told", [False, True])
def test_layers_are_unpacked_with_and_without_their_attributes(
    tmp_path, product, layer, stored, expected, told
):
    known = layer_of(product, layer, dtype="int16")
    attributes = {}
    if told and known.divisor != 1:
        scale = 10000.0 if "LE_" in layer else 1 / known.divisor
        attributes = {"scale_factor": scale, "_FillValue": known.fill}
    if told and known.offset:
        attributes["add_offset"] = known.offset
    values = np.array([stored], dtype=known.dtype)
    file = write_granule(
        tmp_path / f"{product}.A2020153.061.hdf", {layer: (values, attributes)}
    )
    found = open_modis(file, layer.lower())
    wanted = [np.nan if value is None else value for value in expected]
    np.testing.assert_allclose(found.to_numpy()[0, 0], wanted, rtol=1e-5)
    code = known.divisor == 1
    assert found.attrs["content"] == ("code" if code else "quantity")


@pytest.mark.parametrize(
    ("product", "layer", "scale"),
    [
        ("MOD11A2", "LST_Day_1km", 0.01),
        ("MOD16A2", "ET_500m", 1.0),
        ("MOD09A1", "sur_refl_b01", 0.001),
        ("MOD13A1", "500m 16 days NDVI", 1000.0),
    ],
)
def test_another_scale_than_the_product_has_is_refused(product, layer, scale):
    known = layer_of(product, layer, dtype="int16")
    with pytest.raises(FileFormatError, match=f"scale_factor is .*but {product}"):
        packing_of(
            {"scale_factor": scale}, layer=layer, product=product, dtype=known.dtype
        )


def test_numbers_of_another_type_than_the_product_has_are_refused():
    with pytest.raises(FileFormatError, match=r"are int32, but MOD13A1 stores.*int16"):
        packing_of({}, layer="500m 16 days NDVI", product="MOD13A1", dtype="int32")


def test_integers_of_a_quantity_without_any_scale_are_refused(tmp_path):
    layers = {"Surface_Heat": (np.array([[1, 2]], "int16"), {"units": "Kelvin"})}
    file = write_granule(tmp_path / "MOD21A1D.A2020153.061.hdf", layers)
    with pytest.raises(
        FileFormatError, match=r"Surface_Heat': its scale is unknown.*'kelvin'"
    ):
        open_modis(file, "surface_heat")


def test_floating_point_and_counts_need_no_scale(tmp_path):
    layers = {
        "heat": (np.array([[271.5]], "float32"), {"units": "K"}),
        "count": (np.array([[3]], "int16"), {"units": "none"}),
    }
    file = write_granule(tmp_path / "MOD21A1D.A2020153.061.hdf", layers)
    assert float(open_modis(file, "heat").squeeze()) == 271.5
    assert float(open_modis(file, "count").squeeze()) == 3
