"""The commands `geosoil join` and `geosoil layers`: words, files and bad input."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import xarray as xr
from shapely import box

from geosoil.cli.main import main
from geosoil.grids.grid import Grid
from geosoil.io.geotiff import write_geotiff

GRID = Grid.from_bounds((95.0, 33.0, 97.0, 35.0), 0.5, "EPSG:4326")
SAMPLES = (
    "sample_id,site_id,date,longitude,latitude,d18O,d2H\n"
    "a,a,2020-06-10,95.20,34.90,-12.0,-90.0\n"
    "b,b,2020-06-25,95.50,34.50,-11.0,-83.0\n"
    "c,c,,96.70,33.10,-13.0,-97.0\n"
    "d,d,2020-06-10,80.00,33.10,-13.0,-97.0\n"
    "e,e,2020-06-10,,,-13.0,-97.0\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "samples.csv").write_text(SAMPLES)
    cells = np.arange(16.0).reshape(4, 4)
    write_geotiff(GRID.raster(cells, name="dem"), tmp_path / "dem.tif")
    times = pd.to_datetime(["2020-06-09", "2020-06-25"])
    stack = xr.concat(
        [GRID.raster(cells / 100), GRID.raster(cells / 50)],
        dim=pd.Index(times, name="time"),
    )
    write_geotiff(stack.rio.write_crs(4326), tmp_path / "ndvi.tif")
    codes = GRID.raster(np.array([1, 1, 2, 2] * 4, dtype="uint8").reshape(4, 4))
    write_geotiff(codes, tmp_path / "soil.tif")
    (tmp_path / "soil.csv").write_text("code,label\n1,felty\n2,frigid\n")
    halves = gpd.GeoDataFrame(
        {"basin": ["west", "east"]},
        geometry=[box(95, 33, 96, 35), box(96, 33, 97, 35)],
        crs=4326,
    )
    halves.to_file(tmp_path / "basins.gpkg")
    return tmp_path


def run(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(["-q", *words])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return code, captured.out, captured.err


def joins(folder: Path) -> list[str]:
    return [
        *("join", str(folder / "samples.csv")),
        *("--raster", f"dem={folder / 'dem.tif'}"),
        *("--raster", f"ndvi={folder / 'ndvi.tif'}"),
        *("--raster", f"soil={folder / 'soil.tif'}"),
        *("--classes", f"soil={folder / 'soil.csv'}"),
        *("--layer", f"basin={folder / 'basins.gpkg'}:basin"),
    ]


def test_every_sample_has_its_values_or_the_reason(folder: Path, capsys) -> None:
    target = folder / "joined.gpkg"
    code, out, err = run([*joins(folder), "-o", str(target)], capsys)
    assert code == 0, err
    assert "Samples on the edge between cells: dem 1" in out
    table = pyogrio.read_dataframe(target, layer="samples").set_index("sample_id")
    assert len(table) == 5
    # b lies on the corner of four cells and belongs to the south-eastern one.
    assert table["dem"].tolist()[:3] == [0.0, 5.0, 15.0]
    assert table.loc["d", "dem_reason"] == "outside"
    assert table.loc["e", "dem_reason"] == "no position"
    assert table.loc["a", "ndvi"] == pytest.approx(0.0)
    assert table.loc["b", "ndvi"] == pytest.approx(5 / 50)
    assert table.loc["c", "ndvi_reason"] == "no date"
    assert table.loc["b", "ndvi_time"] == pd.Timestamp("2020-06-25")
    assert table["soil"].tolist()[:3] == ["felty", "felty", "frigid"]
    assert table["basin"].tolist()[:3] == ["west", "west", "east"]
    origin = pyogrio.read_dataframe(target, layer="provenance").set_index("column")
    assert origin.loc["ndvi", "method"].startswith("nearest, of the field")
    assert origin.loc["dem", "n_missing"] == 2
    assert "dem.tif" in origin.loc["dem", "source"]


def test_csv_and_json_say_the_same(folder: Path, capsys) -> None:
    target = folder / "joined.csv"
    code, out, _ = run([*joins(folder), "-o", str(target), "--json"], capsys)
    assert code == 0
    answer = json.loads(out, parse_constant=pytest.fail)
    assert answer["command"] == "join"
    assert [r["column"] for r in answer["results"]] == ["dem", "ndvi", "soil", "basin"]
    table = pd.read_csv(target)
    assert table["dem"].tolist()[:3] == [0.0, 5.0, 15.0]
    assert (folder / "joined_provenance.csv").is_file()


def test_means_of_cells_can_be_asked_for(folder: Path, capsys) -> None:
    words = ["join", str(folder / "samples.csv")]
    words += ["--raster", f"dem={folder / 'dem.tif'}", "--method", "mean_touching"]
    code, _, _ = run([*words, "-o", str(folder / "m.csv")], capsys)
    assert code == 0
    assert pd.read_csv(folder / "m.csv")["dem"][1] == pytest.approx((0 + 1 + 4 + 5) / 4)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ([], 1, "nothing to join"),
        (["--raster", "dem"], 2, "no NAME=VALUE"),
        (["--raster", "dem=a.tif", "--raster", "dem=b.tif"], 2, "given twice"),
        (["--layer", "basin=basins.gpkg"], 1, "lacks the column"),
        (["--classes", "soil=soil.csv"], 1, "which is no --raster"),
        (["--raster", "dem=none.tif"], 3, "none.tif"),
        (["--raster", "d18O=dem.tif"], 1, "columns that are there already"),
        (["--layer", "basin=basins.gpkg:name"], 1, "has no column 'name'"),
        (["--raster", "soil=soil.tif", "--classes", "soil=few.csv"], 1, "2"),
        (["--raster", "ndvi=MOD13C1*.hdf"], 3, "No file matches"),
    ],
)
def test_bad_words_are_told(folder, capsys, monkeypatch, words, code, told) -> None:
    (folder / "few.csv").write_text("code,label\n1,felty\n")
    monkeypatch.chdir(folder)
    found, out, err = run(["join", "samples.csv", *words, "-o", "j.gpkg"], capsys)
    assert found == code
    assert told in err
    assert not out
    assert not (folder / "j.gpkg").exists()


def test_all_faults_of_the_inputs_are_told_at_once(folder, capsys, monkeypatch) -> None:
    monkeypatch.chdir(folder)
    words = ["--raster", "a=none.tif", "--layer", "b=basins.gpkg:name"]
    code, _, err = run(["join", "samples.csv", *words, "-o", "j.gpkg"], capsys)
    assert code == 1
    assert "none.tif" in err
    assert "has no column 'name'" in err


def test_an_output_of_another_kind_is_refused_before_reading(folder, capsys) -> None:
    code, _, err = run([*joins(folder), "-o", str(folder / "j.shp")], capsys)
    assert code == 1
    assert r"ends neither in .gpkg nor in .csv" in err


def test_the_layers_of_the_study_are_described(built_study, capsys) -> None:
    code, out, err = run(["layers", str(built_study.config)], capsys)
    assert code == 0, err
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert {"elevation", "permafrost", "soil_moisture", "ndvi.composites"} <= set(lines)
    assert "9: 2020-05-24 to 2020-09-29" in lines["ndvi.composites"]
    assert "95 x 258 cells of 0.05 x 0.05" in lines["ndvi.composites"]
    assert "0 of 9" in lines["ndvi.composites"]
    code, out, _ = run(["layers", str(built_study.config), "--json"], capsys)
    records = json.loads(out, parse_constant=pytest.fail)["results"]
    assert all(record["fault"] == "" for record in records)
    shares = {r["layer"]: r["nodata_percent"] for r in records}
    assert 30 < shares["permafrost"] < 60


def test_a_layer_that_cannot_be_used_is_told_beside_the_others(
    built_study, capsys
) -> None:
    broken = built_study.folder / "broken_layers.toml"
    text = built_study.config.read_text()
    broken.write_text(text.replace("climate/precipitation.nc", "climate/rain.nc"))
    code, out, err = run(["layers", str(broken)], capsys)
    broken.unlink()
    assert code == 1
    assert "FAULT" in out
    assert "rain.nc" in out
    assert "soil_moisture" in out
    assert "1 layers cannot be used" in err
