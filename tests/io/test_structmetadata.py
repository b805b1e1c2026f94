"""Grids of HDF-EOS2 files lie where their StructMetadata says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import FileFormatError
from geosoil.io.structmetadata import parse_structmetadata

CMG = ("(-180000000.000000,90000000.000000)", "(180000000.000000,-90000000.000000)")
TILE = ("(7783653.637667,4447802.078667)", "(8895604.157333,3335851.559000)")


def grid_text(
    corners=CMG, size=(3600, 7200), projection="GCTP_GEO", extra="", name="GridOne"
):
    upper_left, lower_right = corners
    return f"""
    GROUP=GRID_{name}
        GridName="{name}"
        XDim={size[1]}
        YDim={size[0]}
        {f"UpperLeftPointMtrs={upper_left}" if upper_left else ""}
        {f"LowerRightMtrs={lower_right}" if lower_right else ""}
        Projection={projection}
        {extra}
        GROUP=DataField
            OBJECT=DataField_1
                DataFieldName="NDVI of {name}"
                DataType=DFNT_INT16
                DimList=("YDim","XDim")
            END_OBJECT=DataField_1
        END_GROUP=DataField
    END_GROUP=GRID_{name}
"""


def text(*grids):
    return (
        "GROUP=SwathStructure\nEND_GROUP=SwathStructure\nGROUP=GridStructure\n"
        + "".join(grids)
        + "END_GROUP=GridStructure\nGROUP=PointStructure\n"
        + "END_GROUP=PointStructure\nEND\n"
        + "\x00" * 40
    )


def only(*args, **kwargs):
    (grid,) = parse_structmetadata(text(grid_text(*args, **kwargs)))
    return grid


def test_packed_degrees_of_the_climate_modelling_grid():
    grid = only()
    assert grid.name == "GridOne"
    assert grid.grid.shape == (3600, 7200)
    assert grid.grid.transform.to_gdal() == (-180.0, 0.05, 0.0, 90.0, 0.0, -0.05)
    assert grid.grid.crs.to_epsg() == 4326
    assert grid.fields == {"NDVI of GridOne": ("YDim", "XDim")}
    assert not grid.rows_reversed
    assert not grid.columns_reversed
    assert not grid.corners_assumed


def test_packed_minutes_and_seconds_are_no_decimals():
    grid = only(("(89045000.00,36015036.00)", "(102030000.00,31000000.00)"), (10, 10))
    assert grid.grid.bounds == pytest.approx((89.75, 31.0, 102.5, 36.26))


@given(
    degrees=st.integers(0, 179),
    minutes=st.integers(0, 59),
    seconds=st.integers(0, 5999),
    sign=st.sampled_from([-1, 1]),
)
def test_any_packed_angle_is_unpacked(degrees, minutes, seconds, sign):
    west = sign * (degrees * 1e6 + minutes * 1e3 + seconds / 100)
    grid = only((f"({west:.6f},10000000.0)", "(180000000.0,-10000000.0)"), (2, 2))
    expected = sign * (degrees + minutes / 60 + seconds / 100 / 3600)
    assert grid.grid.bounds[0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    "corners",
    [
        ("(89.7,36.25)", "(102.45,31.6)"),
        ("( 89.7 , 36.25 )", "(\n   102.45,\n   31.6)"),
        ("(89700000.0,36250000.0)", "(102450000.0,31600000.0)"),
    ],
    ids=["plain", "over several lines", "micro-degrees"],
)
def test_plain_and_micro_degrees(corners):
    grid = only(corners, (93, 255))
    assert grid.grid.bounds == pytest.approx((89.7, 31.6, 102.45, 36.25))
    assert grid.grid.resolution == pytest.approx((0.05, 0.05))


@pytest.mark.parametrize(
    "corners", [("", ""), ("(-1,-1)", "(-1,-1)"), ("DEFAULT", "DEFAULT")]
)
def test_absent_corners_mean_the_globe_where_it_fits(corners):
    grid = only(corners)
    assert grid.grid.bounds == (-180.0, -90.0, 180.0, 90.0)
    assert grid.corners_assumed
    with pytest.raises(FileFormatError, match=r"GridOne.*no corners.*93 x 255"):
        only(corners, (93, 255))
    with pytest.raises(FileFormatError, match="gives no corners"):
        only(corners, projection="GCTP_SNSOID")


def test_a_sinusoidal_tile():
    parameters = "ProjParams=(6371007.181000,0,0,0,0,0,0,0,86400,0,0,0,0)"
    grid = only(TILE, (1200, 1200), "GCTP_SNSOID", parameters)
    assert grid.grid.transform.to_gdal() == pytest.approx(
        (7783653.637667, 926.6254330549995, 0, 4447802.078667, 0, -926.6254330558334),
        rel=1e-15,
    )
    expected = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
    assert grid.grid.crs.equals(expected)


def test_sinusoidal_parameters_are_heeded():
    parameters = "ProjParams=(6370997.0,0,0,0,105030000.0,0,500000,100,0,0,0,0,0)"
    crs = only(TILE, (9, 9), "GCTP_SNSOID", parameters).grid.crs
    expected = "+proj=sinu +lon_0=105.5 +x_0=500000 +y_0=100 +R=6370997 +units=m"
    assert crs.equals(expected)


@pytest.mark.parametrize(
    ("origin", "rows_reversed", "columns_reversed"),
    [
        ("", False, False),
        ("GridOrigin=HDFE_GD_UL", False, False),
        ("GridOrigin=HDFE_GD_UR", False, True),
        ("GridOrigin=HDFE_GD_LL", True, False),
        ("GridOrigin=HDFE_GD_LR", True, True),
    ],
)
def test_every_grid_origin(origin, rows_reversed, columns_reversed):
    grid = only(extra=f"{origin}\n PixelRegistration=HDFE_CENTER")
    assert grid.rows_reversed is rows_reversed
    assert grid.columns_reversed is columns_reversed
    assert grid.grid.bounds == (-180.0, -90.0, 180.0, 90.0)


def test_several_grids_in_one_file():
    first, second = parse_structmetadata(
        text(grid_text(name="A"), grid_text(size=(1800, 3600), name="B"))
    )
    assert (first.name, first.grid.shape) == ("A", (3600, 7200))
    assert (second.name, second.grid.shape) == ("B", (1800, 3600))
    assert list(second.fields) == ["NDVI of B"]


def test_texts_without_grids_give_none():
    assert parse_structmetadata("") == ()
    assert parse_structmetadata(text()) == ()
    assert parse_structmetadata("GROUP=GridStructure\nnonsense\n\x00") == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"projection": "GCTP_UTM"}, "projection 'GCTP_UTM'"),
        ({"size": (0, 7200)}, r"no usable YDim \(found '0'\)"),
        ({"size": ("x", "7")}, "no usable YDim"),
        ({"extra": "GridOrigin=HDFE_GD_XX"}, "GridOrigin 'HDFE_GD_XX'"),
        (
            {
                "projection": "GCTP_SNSOID",
                "corners": TILE,
                "extra": "ProjParams=(1e300,0,0,0,1e300,0,0,0)",
            },
            "parameters that mean nothing",
        ),
        ({"corners": ("(10.0,20.0)", "(5.0,10.0)")}, "enclose nothing"),
        ({"corners": ("(0.0,200.0)", "(300.0,-90.0)")}, "no degrees on Earth"),
    ],
)
def test_grids_that_make_no_sense_are_refused(change, words):
    with pytest.raises(FileFormatError, match=f"'GridOne'.*{words}"):
        only(**change)


@given(st.text(max_size=300))
def test_no_text_breaks_the_parser(damage):
    whole = text(grid_text())
    place = len(damage) * 7 % len(whole)
    try:
        parse_structmetadata(whole[:place] + damage + whole[place:])
    except FileFormatError as error:
        assert "GridOne" in str(error) or "Grid '" in str(error)  # noqa: PT017
