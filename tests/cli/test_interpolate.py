"""The command `geosoil interpolate`: words, JSON, files, exit codes and bad input."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from geosoil.cli.main import main
from geosoil.grids.grid import Grid
from geosoil.io.geotiff import read_geotiff, write_geotiff


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("points")
    rng = np.random.default_rng(5)
    x, y = rng.uniform(0, 3000, 40), rng.uniform(0, 2000, 40)
    zinc = 300 + 100 * np.sin(x / 400) + 60 * np.cos(y / 300) + rng.normal(0, 5, 40)
    table = pd.DataFrame({"x": x + 5e5, "y": y + 3.7e6, "zinc": zinc, "id": range(40)})
    table.to_csv(folder / "meuse.csv", index=False)
    points = gpd.GeoDataFrame(
        table[["zinc"]], geometry=gpd.points_from_xy(table["x"], table["y"], crs=32647)
    )
    points.to_file(folder / "meuse.gpkg")
    grid = Grid.from_bounds((5e5, 3.7e6, 5.03e5, 3.702e6), 100, "EPSG:32647")
    dem = grid.raster(np.linspace(4000, 4500, 600).reshape(grid.shape))
    write_geotiff(dem.astype(float), folder / "dem.tif")
    (folder / "unknown.toml").write_text("[[rules]]\nsource = 'snow'\n")
    return folder


def run(words, capsys):
    code = main(["-q", "interpolate", *map(str, words)])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return code, captured.out, captured.err


def test_a_table_gives_rasters_tables_and_figures(folder, tmp_path, capsys):
    code, out, err = run(
        [folder / "meuse.csv", "--column", "zinc", "--crs", "EPSG:32647",
         "--method", "ok", "--grid", "100m", "-o", tmp_path], capsys
    )  # fmt: skip
    assert code == 0, err
    assert "zinc: ordinary kriging; 40 places" in out
    assert "variogram: spherical, nugget" in out
    assert "cross-validation (blocks of" in out
    assert "means: of the samples" in out
    assert "not supported by the samples" in out
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "zinc_estimate.tif", "zinc_sd.tif", "zinc_support.tif", "interpolation.nc",
        "zinc_estimate.qml", "zinc_sd.qml", "zinc_support.qml",
        "zinc_support.tif.aux.xml",
        "interpolation_summary.csv", "summary.json", "variogram.csv", "variogram.png",
        "cross_validation.csv", "cross_validation_scores.csv", "cross_validation.png",
        "means.csv", "support.csv", "map.png", "provenance.json",
    }  # fmt: skip
    assert Grid.of(read_geotiff(tmp_path / "zinc_estimate.tif")).resolution == (
        100,
        100,
    )


def test_json_is_strict_and_holds_the_summary(folder, tmp_path, capsys):
    code, out, err = run(
        [folder / "meuse.gpkg", "--column", "zinc", "--method", "idw", "--grid",
         "0.002", "--json", "-o", tmp_path], capsys
    )  # fmt: skip
    assert code == 0, err
    answer = json.loads(out, parse_constant=pytest.fail)
    assert answer["command"] == "interpolate"
    (row,) = answer["results"]
    assert (row["quantity"], row["method"], row["rows_used"]) == ("zinc", "idw", 40)
    assert row["cv_picp90"] is None
    saved = json.loads((tmp_path / "summary.json").read_text())
    assert saved[0]["cv_rmse"] == row["cv_rmse"]


def test_stages_go_to_stderr_with_the_memory_before_the_work(folder, tmp_path, capsys):
    words = ["interpolate", str(folder / "meuse.gpkg"), "--column", "zinc"]
    words += ["--method", "nearest", "--cv", "none", "--grid", "200m"]
    words += ["-o", str(tmp_path)]
    assert main(words) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("reading ")
    (memory,) = [i for i, line in enumerate(lines) if line.startswith("memory: ")]
    assert lines[memory + 1].startswith("interpolating zinc on 10 x 15 cells")
    assert lines[-1] == "writing"


def test_help_lists_the_command_and_its_options(capsys):
    assert main(["--help"]) == 0
    assert "interpolate" in capsys.readouterr().out
    assert main(["interpolate", "--help"]) == 0
    out = capsys.readouterr().out
    for option in ("--column", "--method", "--drift", "--composition", "--zero-rules",
                   "--grid", "--cv", "--mask / --hatch", "--scheduler"):  # fmt: skip
        assert option in out


CSV = ["{0}/meuse.csv", "--column", "zinc", "--crs", "EPSG:32647"]
GPKG = ["{0}/meuse.gpkg", "--column", "zinc"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["absent.csv", "--column", "zinc"], 3, "absent.csv"),
        ([*GPKG, "--region", "absent.gpkg"], 3, "absent.gpkg"),
        ([*GPKG, "--drift", "absent.tif"], 3, "absent.tif"),
        ([*GPKG, "--drift", "absent.tif", "--elevation", "no.tif"], 3, "2 rasters"),
        (["{0}/meuse.csv", "--column", "zinc"], 1, "--crs EPSG"),
        (["{0}/meuse.csv", "--column", "zink"], 1, "Nearest: zinc"),
        (["{0}/meuse.gpkg", "--column", "zink"], 1, "Nearest: zinc"),
        ([*CSV[:3], "--crs", "EPSG:1"], 1, "Unknown coordinate reference system"),
        ([*CSV, "--crs", "EPSG:4326"], 1, "has no place for"),
        ([*GPKG, "--crs", "EPSG:4326"], 1, "states the coordinate reference system"),
        ([*GPKG, "--method", "best"], 2, "not one of"),
        (["{0}/meuse.gpkg"], 2, "--column"),
        ([*GPKG, "--method", "ked"], 1, "--drift"),
        ([*GPKG, "--grid", "1mm"], 1, "--grid is '1mm'"),
        ([*GPKG, "--grid", "0.0000001"], 1, "cells"),
        ([*GPKG, "--grid", "0.00001", "--memory-limit", "1MB"], 1, "limit of"),
        ([*GPKG, "--bbox", "0", "0", "1", "1", "--grid", "{0}/dem.tif"], 1, "outside"),
        ([*GPKG, "--variogram", "spherical:0,-2,500"], 1, "partial_sill is -2"),
        ([*GPKG, "--variogram", "spherical:0,2"], 1, "MODEL:NUGGET"),
        ([*GPKG, "--max-distance", "1m", "--method", "idw", "--bbox", "99.2", "33.2",
          "99.3", "33.3"], 1, "No cell of the grid"),
        ([*GPKG, "--composition"], 1, "two columns"),
        ([*GPKG, "--zero-rules", "{0}/unknown.toml"], 1, "--composition"),
        ([*GPKG, "--cv", "site"], 1, "--site-column"),
        ([*GPKG, "--where", "id"], 1, "COLUMN=VALUE"),
        ([*GPKG, "--scheduler", "here"], 1, "tcp://host:port"),
        ([*GPKG, "--drift", "{0}/meuse.csv"], 1, "GeoTIFF"),
    ],
)  # fmt: skip
def test_bad_input_is_told_and_nothing_written(
    folder, tmp_path, capsys, words, code, told
):
    words = [word.format(folder) for word in words]
    found, _, err = run([*words, "-o", tmp_path / "out"], capsys)
    assert (found, told in err) == (code, True), err
    assert not (tmp_path / "out").exists()
