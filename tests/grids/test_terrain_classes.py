"""Sectors of aspect and bands of elevation: exact edges, missing cells, meanings."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import GridMismatchError, InputError
from geosoil.grids.terrain_classes import aspect_sectors, elevation_bands
from geosoil.strata import ELEVATION_EDGES, aspect_sector, classify


def meaning(codes):
    """Label of each code; "" for 0."""
    labels = ["", *codes.attrs["flag_meanings"].split()]
    return [labels[code] for code in codes.values.ravel()]


@pytest.mark.parametrize(
    ("sectors", "labels"),
    [
        (4, ["N", "E", "S", "W"]),
        (8, ["N", "NE", "E", "SE", "S", "SW", "W", "NW"]),
    ],
)
def test_a_sector_owns_its_first_edge_to_the_last_digit(sectors, labels):
    half = 180.0 / sectors
    for number, label in enumerate(labels):
        edge = (number * 360.0 / sectors - half) % 360.0
        degrees = [edge, np.nextafter(edge, 0), (edge + half) % 360, edge + half]
        codes = aspect_sectors(
            xr.DataArray([min(d, 360.0) for d in degrees]),
            xr.DataArray([9.0] * 4),
            sectors=sectors,
        )
        before = labels[number - 1]
        assert meaning(codes) == [label, before, label, label]


def test_north_lies_on_both_sides_of_zero():
    aspect = xr.DataArray([0.0, 360.0, 359.9, 22.4])
    assert meaning(aspect_sectors(aspect, xr.full_like(aspect, 9.0))) == ["N"] * 4


def test_flat_is_below_the_stated_slope_and_missing_is_neither():
    aspect = xr.DataArray([90.0, 90.0, np.nan, 90.0, np.nan])
    slope = xr.DataArray([2.0, np.nextafter(2.0, 0), 0.0, np.nan, np.nan])
    codes = aspect_sectors(aspect, slope, flat_below=2.0)
    assert meaning(codes) == ["E", "flat", "flat", "", ""]
    assert codes.attrs["nodata"] == 0


@given(st.lists(st.floats(0, 359.999999), min_size=1, max_size=20))
def test_four_sectors_are_those_of_the_strata(degrees):
    aspect = xr.DataArray(degrees)
    slope = xr.full_like(aspect, 5.0)
    ours = meaning(aspect_sectors(aspect, slope, sectors=4))
    # the strata divide; within a rounding of an edge they may go the other way
    clear = [min(abs((d + 45) % 90), 90 - (d + 45) % 90) > 1e-9 for d in degrees]
    theirs = aspect_sector(aspect.values, slope.values)
    kept = [(a, b) for a, b, ok in zip(ours, theirs, clear, strict=True) if ok]
    assert all(a == b for a, b in kept)


def test_aspects_that_cannot_be_are_refused():
    nine = xr.DataArray([9.0])
    with pytest.raises(InputError, match="found 361 to 361"):
        aspect_sectors(xr.DataArray([361.0]), nine)
    with pytest.raises(InputError, match=r"sectors 6\. Give 4 or 8"):
        aspect_sectors(nine, nine, sectors=6)
    with pytest.raises(GridMismatchError, match="different coordinates"):
        aspect_sectors(nine, xr.DataArray([9.0, 9.0]))


@given(
    st.lists(
        st.one_of(
            st.sampled_from(ELEVATION_EDGES), st.floats(0, 9000), st.just(np.nan)
        ),
        min_size=1,
        max_size=30,
    )
)
def test_bands_are_those_of_the_strata(metres):
    codes = elevation_bands(xr.DataArray(metres))
    theirs = classify(metres, ELEVATION_EDGES)
    assert [m or "outside" for m in meaning(codes)] == theirs.tolist()


def test_the_code_of_missing_cells_is_in_no_band():
    ground = xr.DataArray(
        np.array([3200, 3300], dtype=np.int16), attrs={"nodata": 3300}
    )
    assert elevation_bands(ground).values.tolist() == [1, 0]


def test_edges_must_rise():
    with pytest.raises(InputError, match="rising"):
        elevation_bands(xr.DataArray([1.0]), edges=(4000.0, 3000.0))
    with pytest.raises(InputError, match="at most 255"):
        elevation_bands(xr.DataArray([1.0]), edges=tuple(map(float, range(257))))
