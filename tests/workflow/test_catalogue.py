"""What the catalogue says of each kind of raster."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geosoil.errors import FileFormatError, MissingFileError
from geosoil.io.geotiff import write_geotiff
from geosoil.workflow.catalogue import catalogue, listed
from geosoil.workflow.map_style import STYLES
from tests.workflow.gis_cases import (
    CASES,
    GRID,
    SERIES,
    YEARS,
    Case,
    write_all,
    write_case,
    write_ndvi,
    write_reason,
    write_support,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_each_kind_of_raster_is_told_from_its_own_words(
    case: Case, tmp_path: Path
) -> None:
    (entry,) = catalogue([write_case(case, tmp_path)])
    assert (entry.title, entry.group, entry.style) == (
        case.title,
        case.group,
        case.style,
    )
    assert entry.units == case.units
    assert entry.method == case.tags.get("method", "")
    assert entry.style in STYLES


def test_classes_and_series_are_told_from_their_own_words(tmp_path: Path) -> None:
    paths = [write_support(tmp_path), write_reason(tmp_path), write_ndvi(tmp_path)]
    support, reason, ndvi = catalogue(paths)
    assert support.title == "Why the sites support no fraction, June"
    assert (support.group, support.style) == (("Source fractions", "June"), "classes")
    assert reason.title == (
        f"Why there is no r of precipitation and soil moisture, June {YEARS}"
    )
    assert (reason.group, reason.style) == (SERIES, "classes")
    assert ndvi.title == "NDVI, 2020-06-09 to 2020-06-25"
    assert (ndvi.group, ndvi.style) == (("MODIS MOD13C2",), "ndvi")
    assert ndvi.period == "2020-06-09 to 2020-06-25"


def test_only_rasters_are_in_the_catalogue_in_the_order_of_the_paths(
    tmp_path: Path,
) -> None:
    other = tmp_path / "summary.json"
    other.write_text("{}")
    paths = write_all(tmp_path)[::-1]
    found = catalogue([other, *paths, tmp_path / "figure.png"])
    assert [entry.path for entry in found] == paths


def test_a_raster_without_words_has_a_title(tmp_path: Path) -> None:
    raster = GRID.raster(np.zeros(GRID.shape, dtype=np.float32))
    (entry,) = catalogue([write_geotiff(raster, tmp_path / "soil_depth.tif")])
    assert (entry.title, entry.group) == ("Soil depth", ("Other rasters",))


def test_a_raster_without_a_value_is_in_the_catalogue(tmp_path: Path) -> None:
    raster = GRID.raster(np.full(GRID.shape, np.nan), name="r")
    (entry,) = catalogue([write_geotiff(raster, tmp_path / "r.tif")])
    assert entry.style == "plain"


def test_a_fraction_in_percent_is_no_fraction(tmp_path: Path) -> None:
    percent = replace(CASES[0], ends=(30.0, 80.0), units="%")
    (entry,) = catalogue([write_case(percent, tmp_path)])
    assert entry.style == "plain"


def test_an_absent_or_damaged_raster_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="absent"):
        catalogue([tmp_path / "absent.tif"])
    damaged = tmp_path / "damaged.tif"
    damaged.write_bytes(write_support(tmp_path).read_bytes()[:200])
    with pytest.raises(FileFormatError, match="damaged"):
        catalogue([damaged])


def test_a_reader_finds_fractions_first_and_june_before_august(tmp_path: Path) -> None:
    august = replace(
        CASES[0],
        stem="august",
        words=CASES[0].words.replace("June", "August"),
        tags={**CASES[0].tags, "period": "August"},
    )
    paths = [write_case(august, tmp_path), *write_all(tmp_path)[::-1]]
    titles = [entry.title for entry in listed(catalogue(paths))]
    assert titles.index("Source fraction of ground ice, June") < titles.index(
        "Source fraction of ground ice, August"
    )
    r, p, n = (
        titles.index(f"{words} of NDVI and soil moisture, June {YEARS}")
        for words in ("Correlation r", "p value of r", "Number of pairs")
    )
    assert titles.index("Source fraction of ground ice, August") < r < p < n
    assert sorted(titles) == sorted(entry.title for entry in catalogue(paths))
