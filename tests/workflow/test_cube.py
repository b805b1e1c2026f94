"""One file of all gridded results, which every reader of CF understands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
import xarray as xr

from geosoil.grids.grid import Grid
from geosoil.workflow.cube import write_cube
from tests.workflow.outputs_cases import (
    COARSE,
    GRID,
    METRES,
    SOURCES,
    small_correlation,
    small_inputs,
    small_maps,
    small_results,
    small_samples,
)


def cube(folder: Path, *, years=(2020,), grid=GRID, coarse=COARSE) -> Path:
    samples = small_samples(years or (2020,))
    if not years:
        samples = samples.drop(columns="date")
    results = small_results(
        maps=small_maps(grid), correlation=small_correlation(coarse)
    )
    return write_cube(small_inputs(samples, grid=grid), results, folder)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    return cube(tmp_path_factory.mktemp("cube"))


@pytest.fixture(scope="module")
def opened(written):
    with xr.open_dataset(written, engine="netcdf4", decode_coords="all") as found:
        yield found


def test_fractions_stand_with_their_spread_by_month(opened) -> None:
    maps = small_maps()
    assert opened["time"].dt.strftime("%Y-%m-%d").values.tolist() == [
        "2020-06-16",
        "2020-08-16",
    ]
    for number, (period, sources) in enumerate(SOURCES.items()):
        for source in ("precipitation", "snowmelt"):
            for end in ("", "_sd", "_p05", "_p95"):
                found = opened[f"fraction_{source}{end}"][number]
                if source in sources:
                    layer = maps.periods[period].maps[f"{source}{end}"]
                    np.testing.assert_array_equal(found, layer.astype("float32"))
                else:
                    assert np.isnan(found).all()
    first = opened["fraction_snowmelt"]
    assert first.attrs["ancillary_variables"].split() == [
        "fraction_snowmelt_sd",
        "fraction_snowmelt_p05",
        "fraction_snowmelt_p95",
        "fraction_support",
    ]
    assert first.encoding["_FillValue"] == -9999.0


def test_bounds_hold_the_whole_months_and_cells(opened) -> None:
    ends = opened["time_bnds"].values.astype("datetime64[D]").astype(str).tolist()
    assert ends == [["2020-06-01", "2020-07-01"], ["2020-08-01", "2020-09-01"]]
    for axis, low, high in (("y", 33.5, 33.0), ("x", 95.0, 96.0)):
        bounds = opened[f"{axis}_bnds"].values
        assert bounds[0, 0] == pytest.approx(low, abs=1e-12)
        assert bounds[-1, 1] == pytest.approx(high, abs=1e-12)
        np.testing.assert_array_equal(bounds[1:, 0], bounds[:-1, 1])
        middles = bounds.mean(axis=1)
        np.testing.assert_allclose(middles, opened[axis], rtol=0, atol=1e-12)


def test_correlations_stand_by_calendar_month_on_their_own_grid(opened) -> None:
    given = small_correlation()
    assert opened["month"].values.tolist() == [6, 8]
    assert opened["month"].attrs["long_name"] == "calendar month: 6 June, 8 August"
    for kind, maps in (("", given.maps), ("window_", given.windows)):
        stem = f"correlation_ndvi_soil_moisture_{kind}"
        for number, month in enumerate(SOURCES):
            layers = maps["ndvi", month]
            for name in ("r", "n"):
                found = opened[f"{stem}{name}"][number]
                assert found.dims == ("y_correlation", "x_correlation")
                np.testing.assert_array_equal(found, layers[name].astype("float32"))
    r = opened["correlation_ndvi_soil_moisture_r"]
    assert r.attrs["years"] == "2001-2020"
    assert r.attrs["long_name"].startswith("correlation coefficient of NDVI")
    for name in r.attrs["ancillary_variables"].split():
        assert opened[name].dims == r.dims


def test_flags_say_what_they_mean(written) -> None:
    with netCDF4.Dataset(written) as found:
        support = found["fraction_support"]
        assert support.dtype == np.uint8
        assert support.flag_masks.tolist() == [1, 8]
        assert support.flag_meanings.split() == ["far_from_data", "variance_near_sill"]
        assert support[0, 1, 1] == 9
        assert support[0].mask[0, 0]
        soil = found["soil_class"]
        assert soil.flag_values.tolist() == [1, 2]
        assert soil.flag_meanings == "alpine_meadow steppe_dry"
        reason = found["correlation_ndvi_soil_moisture_reason"]
        assert reason.flag_meanings.split()[1] == "few"
        assert reason[0, 0, 0] == 1


def test_every_stored_block_has_a_checksum_and_no_clock_is_told(written) -> None:
    with netCDF4.Dataset(written) as found:
        for name, variable in found.variables.items():
            if variable.ndim:
                assert variable.filters()["fletcher32"], name
        assert found.Conventions == "CF-1.11"
        assert found.comment.startswith("SIMULATED")
        assert found.simulated == "yes: no measured data"
        assert "20" not in found.history.replace("geosoil 0.", "")
        assert not hasattr(found["time_bnds"], "coordinates")
        assert not hasattr(found["fraction_snowmelt"], "coordinates")


def test_the_same_results_give_the_same_bytes(written, tmp_path: Path) -> None:
    assert cube(tmp_path).read_bytes() == written.read_bytes()


def test_both_grids_are_found_again(written) -> None:
    with xr.open_dataset(written, engine="netcdf4") as found:
        for name, end, grid in (
            ("fraction_snowmelt", "", GRID),
            ("correlation_ndvi_soil_moisture_r", "_correlation", COARSE),
        ):
            mapping = found[found[name].attrs["grid_mapping"]]
            layer = found[name].drop_attrs().drop_vars(["spatial_ref"], errors="ignore")
            layer = layer.rename({f"y{end}": "y", f"x{end}": "x"} if end else {})
            layer = layer.rio.write_crs(mapping.attrs["crs_wkt"])
            np.testing.assert_allclose(
                layer.rio.transform(recalc=True), grid.transform, atol=1e-12
            )
            assert Grid.of(layer).crs == grid.crs


def test_a_pair_on_the_study_grid_needs_no_other_axes(tmp_path: Path) -> None:
    # A grid a rounding error away is the same.
    shifted = Grid.from_bounds((95.0 + 1e-9, 33.0, 96.0 + 1e-9, 33.5), 0.1, "EPSG:4326")
    with xr.open_dataset(cube(tmp_path, coarse=shifted), engine="netcdf4") as found:
        assert found["correlation_ndvi_soil_moisture_r"].dims == ("month", "y", "x")
        assert set(found.sizes) == {"time", "month", "y", "x", "bnds"}


def test_samples_of_several_years_make_a_climatology(tmp_path: Path) -> None:
    file = cube(tmp_path, years=(2019, 2021))
    with netCDF4.Dataset(file) as found:
        assert found["time"].climatology == "climatology_bnds"
        stored = found["climatology_bnds"]
        days = netCDF4.num2date(stored[:], "days since 1970-01-01")
        assert [(d.year, d.month) for d in days[0]] == [(2019, 6), (2021, 7)]
        methods = found["fraction_snowmelt"].cell_methods
        assert methods.startswith("time: mean within years time: mean over years")


def test_samples_without_dates_have_periods_and_no_time(tmp_path: Path) -> None:
    with xr.open_dataset(cube(tmp_path, years=()), engine="netcdf4") as found:
        assert found["fraction_snowmelt"].dims == ("period", "y", "x")
        assert found["period"].values.tolist() == ["June", "August"]
        assert "time" not in found


def test_a_study_without_maps_or_correlations_keeps_its_layers(tmp_path: Path) -> None:
    inputs = small_inputs(small_samples(), simulated=False)
    file = write_cube(inputs, small_results(), tmp_path)
    with xr.open_dataset(file, engine="netcdf4") as found:
        assert {"elevation", "soil_class"} <= set(found.data_vars)
        assert "SIMULATED" not in found.attrs["comment"]
        assert found.attrs["simulated"] == "no"


def checked(files: list[Path], folder: Path) -> list[dict[str, Any]]:
    """What the compliance checker says of files, in their order."""
    command = Path(sys.executable).with_name("compliance-checker")
    if not command.is_file():
        pytest.skip("compliance-checker is not installed")
    report = folder / "report.json"
    # Its exit code tells of faults, too, which the report has to name.
    subprocess.run(
        [command, "--test=cf:1.11", "--format=json_new", "-o", report, *files],
        check=False,
        capture_output=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    told = json.loads(report.read_text())
    return [told[str(file)]["cf:1.11"] for file in files]


def faults(told: dict[str, Any]) -> list[object]:
    """Everything that the checker does not like, down to the smallest."""
    found = [
        (one["name"], one["msgs"])
        for kind in ("high", "medium", "low")
        for one in told[f"{kind}_priorities"]
        if one["msgs"]
    ]
    counts = [told[f"{kind}_count"] for kind in ("high", "medium", "low")]
    return found if found or not any(counts) else [counts]


def test_the_compliance_checker_has_nothing_to_say(tmp_path: Path) -> None:
    cases: dict[str, dict[str, Any]] = {
        "one_year": {},
        "several_years": {"years": (2019, 2021)},
        "metres_no_dates": {"years": (), "grid": METRES, "coarse": METRES},
    }
    files = []
    for name, case in cases.items():
        made = cube(tmp_path, **case)
        files.append(made.rename(tmp_path / f"{name}.nc"))
    for told in checked(files, tmp_path):
        assert faults(told) == []
        assert told["scored_points"] == told["possible_points"] > 100


def test_the_compliance_checker_would_say_it(written, tmp_path: Path) -> None:
    broken = tmp_path / "broken.nc"
    broken.write_bytes(written.read_bytes())
    with netCDF4.Dataset(broken, "a") as file:
        file["fraction_snowmelt"].units = "furlongs per fortnite"
    assert faults(checked([broken], tmp_path)[0])
