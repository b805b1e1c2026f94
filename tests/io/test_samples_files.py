"""Workbooks, GeoPackages and Parquet files as sample tables."""

from __future__ import annotations

import sqlite3
import warnings
import zipfile
from contextlib import closing
from pathlib import Path
from xml.sax.saxutils import escape

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from geosoil.errors import SampleTableError
from geosoil.io.samples import read_samples, sample_issues

SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TABLE = pd.DataFrame(
    {
        "sample_id": ["001", "NA"],
        "d18O": [-12.5, -13.25],
        "d2H": [-90.0, -97.5],
        "when": pd.to_datetime(["2020-06-15", "2020-08-02"]),
    }
)


def write_xlsx(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    """A workbook of plain cells; text that starts with # is a cell in error."""

    def cell(value: object, place: str) -> str:
        if isinstance(value, str) and value.startswith("#"):
            return f'<c r="{place}" t="e"><f>1/0</f><v>{value}</v></c>'
        if isinstance(value, str):
            text = escape(value)
            return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'
        return f'<c r="{place}"><v>{value}</v></c>'

    names = "".join(
        f'<sheet name="{name}" sheetId="{i}" r:id="rId{i}"/>'
        for i, name in enumerate(sheets, 1)
    )
    links = "".join(
        f'<Relationship Id="rId{i}" Type="{OFFICE}/worksheet" '
        f'Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="{kinds}.worksheet+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>'
        "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{SHEETS}" xmlns:r="{OFFICE}"><sheets>'
        f"{names}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f"{links}</Relationships>",
    }
    for i, rows in enumerate(sheets.values(), 1):
        body = "".join(
            f'<row r="{r}">'
            + "".join(cell(v, f"{'ABCDEFGH'[c]}{r}") for c, v in enumerate(row))
            + "</row>"
            for r, row in enumerate(rows, 1)
        )
        parts[f"xl/worksheets/sheet{i}.xml"] = (
            f'<worksheet xmlns="{SHEETS}"><sheetData>{body}</sheetData></worksheet>'
        )
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0"?>{text}')
    return path


def points(crs: str | None) -> gpd.GeoDataFrame:
    places = gpd.points_from_xy([92.26, 99.39], [34.14, 33.45], crs="EPSG:4326")
    frame = gpd.GeoDataFrame(TABLE.copy(), geometry=places)
    if crs is None:
        return frame.set_crs(None, allow_override=True)
    return frame.to_crs(crs)


def write_layer(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="'crs' was not provided")
        frame.to_file(path, layer=layer, driver="GPKG", engine="pyogrio")


def rules(samples: gpd.GeoDataFrame) -> str:
    return " | ".join(sample_issues(samples)["rule"])


def test_cells_in_error_of_a_workbook_are_missing_and_listed(tmp_path):
    rows = [["id", "d18O", "d2H"], ["1", -12, "#DIV/0!"], ["2", "#NAME?", -90.5]]
    samples = read_samples(write_xlsx(tmp_path / "e.xlsx", {"A": rows}))
    assert samples["d2H"].isna().tolist() == [True, False]
    found = sample_issues(samples)
    found = found[found.rule == "missing marker"]
    places = found[["row", "column", "found"]].to_numpy().tolist()
    assert places == [[3, "d18O", "#NAME?"], [2, "d2H", "#DIV/0!"]]


def test_one_sheet_is_chosen_by_its_columns_and_that_is_listed(tmp_path):
    notes = [["remarks"], ["done in June"]]
    rows = [["id", "d18O", "d2H"], ["1", -12, -90]]
    path = write_xlsx(tmp_path / "s.xlsx", {"Notes": notes, "Data": rows})
    samples = read_samples(path)
    assert samples["d18O"].tolist() == [-12.0]
    issues = sample_issues(samples)
    chosen = issues[issues.rule.str.startswith("one sheet is read")]
    assert chosen.read_as.tolist() == ["sheet Data"]
    assert chosen.severity.tolist() == ["warn"]


def test_sheets_of_one_isotope_each_are_joined_by_their_shared_columns(tmp_path):
    oxygen = [["id", "day", "Value"], ["A", "2020-06-01", -12], ["B", "", -13]]
    hydrogen = [["id", "day", "Value"], ["B", "", -97], ["A", "2020-06-01", -90]]
    path = write_xlsx(tmp_path / "two.xlsx", {"O18": oxygen, "H2": hydrogen})
    own = {"O18!Value": "d18O", "H2!Value": "d2H", "day": "date"}
    samples = read_samples(path, columns=own)
    assert samples[["sample_id", "d18O", "d2H"]].to_numpy().tolist() == [
        ["A", -12.0, -90.0],
        ["B", -13.0, -97.0],
    ]
    assert "agree in id, day stand side by side" in rules(samples)


def test_a_row_without_partner_in_the_other_sheet_is_listed(tmp_path):
    oxygen = [["id", "Value"], ["A", -12], ["B", -13]]
    hydrogen = [["id", "Value"], ["A", -90], ["C", -99]]
    path = write_xlsx(tmp_path / "two.xlsx", {"O18": oxygen, "H2": hydrogen})
    samples = read_samples(path, columns={"O18!Value": "d18O", "H2!Value": "d2H"})
    assert samples["sample_id"].tolist() == ["A", "B"]
    assert np.isnan(samples["d2H"].iloc[1])
    assert "sheet 'H2' has no such row" in rules(samples)
    assert "row of sheet 'H2' without partner in 'O18'" in rules(samples)


def test_sheets_that_cannot_be_joined_are_refused(tmp_path):
    oxygen = [["id", "Value"], ["A", -12], ["A", -13]]
    hydrogen = [["id", "Value"], ["A", -90]]
    path = write_xlsx(tmp_path / "two.xlsx", {"O18": oxygen, "H2": hydrogen})
    own = {"O18!Value": "d18O", "H2!Value": "d2H"}
    with pytest.raises(SampleTableError, match=r"several rows agree .*\(row 2\)"):
        read_samples(path, columns=own)
    with pytest.raises(SampleTableError, match="sheet 'H2' has no column 'Wert'"):
        read_samples(path, columns={"O18!Value": "d18O", "H2!Wert": "d2H"})
    with pytest.raises(SampleTableError, match=r"sheet 'H3' that .* Sheets: O18, H2"):
        read_samples(path, columns={"O18!Value": "d18O", "H3!Value": "d2H"})


def test_titles_above_the_header_of_a_named_sheet_are_listed(tmp_path):
    rows = [["Table S1"], ["id", "d18O", "dD"], ["A", -12, -90]]
    path = write_xlsx(tmp_path / "t.xlsx", {"First": [["x"]], "S1": rows})
    samples = read_samples(path, columns={"S1!dD": "d2H"})
    assert samples["d2H"].tolist() == [-90.0]
    dropped = sample_issues(samples)
    dropped = dropped[dropped.read_as == "dropped"]
    assert dropped[["row", "found"]].to_numpy().tolist() == [[1, "Table S1"]]


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32646"])
def test_a_geopackage_gives_its_points_in_degrees(tmp_path, crs):
    path = tmp_path / "p.gpkg"
    write_layer(points(crs), path, "samples")
    samples = read_samples(path, columns={"when": "date"})
    assert samples.crs == "EPSG:4326"
    assert samples["sample_id"].tolist() == ["001", "NA"]
    np.testing.assert_allclose(samples["longitude"], [92.26, 99.39], atol=1e-9)
    np.testing.assert_allclose(samples["latitude"], [34.14, 33.45], atol=1e-9)
    assert samples["date"].dt.month.tolist() == [6, 8]
    assert ("transformed" in rules(samples)) == (crs != "EPSG:4326")


def test_a_geopackage_without_crs_needs_one_and_a_false_one_is_refused(tmp_path):
    path = tmp_path / "p.gpkg"
    write_layer(points(None), path, "samples")
    with pytest.raises(SampleTableError, match="no coordinate reference system"):
        read_samples(path)
    samples = read_samples(path, crs="EPSG:4326")
    np.testing.assert_allclose(samples["longitude"], [92.26, 99.39], atol=1e-9)
    known = tmp_path / "known.gpkg"
    write_layer(points("EPSG:32646"), known, "samples")
    with pytest.raises(SampleTableError, match=r"in EPSG:32646, and crs= says"):
        read_samples(known, crs="EPSG:4326")


def test_the_layer_with_the_columns_is_chosen_and_listed(tmp_path):
    path = tmp_path / "p.gpkg"
    sites = points("EPSG:4326")[["geometry"]].assign(name=["a", "b"])
    write_layer(sites, path, "places")
    write_layer(points("EPSG:4326"), path, "bottles")
    samples = read_samples(path)
    assert samples["d18O"].tolist() == [-12.5, -13.25]
    assert "layer bottles" in sample_issues(samples).read_as.tolist()


def test_columns_of_degrees_that_differ_from_the_points_are_suspected(tmp_path):
    path = tmp_path / "p.gpkg"
    frame = points("EPSG:4326").assign(longitude=[92.26, 98.0], latitude=[34.14, 33.45])
    write_layer(frame, path, "samples")
    samples = read_samples(path)
    assert samples["longitude"].tolist() == [92.26, 98.0]
    issues = sample_issues(samples)
    suspects = issues[issues.severity == "suspect"]
    assert suspects[["row", "column"]].to_numpy().tolist() == [[2, "longitude"]]


def test_polygons_and_other_databases_are_no_samples(tmp_path):
    path = tmp_path / "p.gpkg"
    frame = points("EPSG:32646")
    write_layer(frame.set_geometry(frame.buffer(10.0)), path, "areas")
    with pytest.raises(SampleTableError, match="layer holds Polygon"):
        read_samples(path)
    other = tmp_path / "other.gpkg"
    with closing(sqlite3.connect(other)) as database:
        database.execute("create table t (d18O real, d2H real)")
        database.commit()
    with pytest.raises(SampleTableError, match="required GeoPackage tables"):
        read_samples(other)


@pytest.mark.parametrize("spatial", [False, True])
def test_parquet_is_read_with_and_without_points(tmp_path, spatial):
    path = tmp_path / "t.parquet"
    if spatial:
        points("EPSG:32646").to_parquet(path)
    else:
        TABLE.to_parquet(path)
    samples = read_samples(path, columns={"when": "date"})
    assert samples["sample_id"].tolist() == ["001", "NA"]
    assert samples["d2H"].tolist() == [-90.0, -97.5]
    assert samples["date"].dt.day.tolist() == [15, 2]
    assert samples.geometry.notna().all() == spatial
    if spatial:
        np.testing.assert_allclose(samples["longitude"], [92.26, 99.39], atol=1e-9)
