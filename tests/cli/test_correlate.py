"""The command `geosoil correlate`: words, JSON, files, exit codes and bad input."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from geosoil.cli.main import main
from geosoil.grids.grid import Grid
from geosoil.io.geotiff import write_geotiff
from geosoil.io.netcdf import write_netcdf

GRID = Grid.from_bounds((90.0, 32.0, 90.8, 32.6), 0.1, "EPSG:4326")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("series")
    rng = np.random.default_rng(5)
    days = pd.date_range("2001-01-01", periods=96, freq="MS").as_unit("ns")
    soil = rng.standard_normal((96, *GRID.shape))
    for name, values in (("soil", soil), ("cover", soil + 0.5)):
        noise = rng.standard_normal(soil.shape)
        cube = GRID.georeference(
            xr.DataArray(
                values + noise,
                dims=("time", "y", "x"),
                coords={"time": days},
                name=name,
                attrs={"units": "1"},
            )
        )
        write_netcdf(cube.to_dataset(), folder / f"{name}.nc")
        for date, layer in zip(days[:24], cube[:24], strict=True):
            write_geotiff(layer.drop_vars("time"), folder / f"{name}_{date:%Y-%m}.tif")
    return folder


def run(words, capsys):
    code = main(["-q", "correlate", *map(str, words)])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return code, captured.out, captured.err


def test_two_netcdf_files_give_maps_a_table_and_a_figure(folder, tmp_path, capsys):
    code, out, err = run(
        [f"{folder}/soil.nc:soil", f"{folder}/cover.nc", "-o", tmp_path], capsys
    )
    assert code == 0, err
    assert "over time, 96 dates" in out
    names = {path.name for path in tmp_path.iterdir()}
    assert {"correlation.nc", "correlation.png", "correlation_summary.csv"} <= names
    assert "correlation_soil_cover_q_value.tif" in names


def test_patterns_of_dated_geotiffs_and_json(folder, tmp_path, capsys):
    code, out, err = run(
        [f"{folder}/soil_*.tif", f"{folder}/cover_*.tif", "--method", "spearman",
         "--months", "1,7", "--min-pairs", "3", "--json", "-o", tmp_path], capsys
    )  # fmt: skip
    assert code == 1, out
    assert "not testable" in err
    code, out, err = run(
        [f"{folder}/soil_*.tif", f"{folder}/cover_*.tif", "--method", "spearman",
         "--json", "-o", tmp_path], capsys
    )  # fmt: skip
    assert code == 0, err
    answer = json.loads(out, parse_constant=pytest.fail)
    assert answer["command"] == "correlate"
    assert answer["results"][0]["method"] == "spearman"
    assert answer["results"][0]["median_n"] == 24


def test_lags_are_numbers_or_a_range(folder, tmp_path, capsys):
    pair = [f"{folder}/soil.nc", f"{folder}/cover.nc"]
    assert run([*pair, "--lag", "0..2", "-o", tmp_path / "a"], capsys)[0] == 0
    assert (tmp_path / "a/correlation_soil_cover_lag.tif").is_file()
    assert run([*pair, "--lag", "-1", "-o", tmp_path / "b"], capsys)[0] == 0
    for words, told in (("2..0", "the smaller one"), ("x", "give whole numbers")):
        code, _, err = run([*pair, "--lag", words, "-o", tmp_path / "c"], capsys)
        assert code == 1
        assert told in err
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["absent.nc", "absent.nc"], 3, "No file matches"),
        (["{0}/soil.nc:soyl", "{0}/cover.nc"], 1, "Nearest: soil"),
        (["{0}/soil.nc", "{0}/cover.nc", "--window", "4"], 1, "odd"),
        (["{0}/soil.nc", "{0}/cover.nc", "--window", "9"], 1, "larger than the map"),
        (["{0}/soil.nc", "{0}/cover.nc", "--method", "best"], 2, "not one of"),
        (["{0}/soil.nc", "{0}/cover.nc", "--min-pairs", "2"], 1, "min_pairs is 2"),
        (["{0}/soil.nc", "{0}/cover.nc", "--scheduler", "here"], 1, "tcp://host:port"),
        (["{0}/soil_2001-01.tif", "{0}/cover_2001-01.tif"], 1, "not testable"),
    ],
)
def test_bad_input_is_told_and_nothing_written(
    folder, tmp_path, capsys, words, code, told
):
    words = [word.format(folder) for word in words]
    found, _, err = run([*words, "-o", tmp_path / "out"], capsys)
    assert (found, told in err) == (code, True), err
    assert not (tmp_path / "out").exists()
