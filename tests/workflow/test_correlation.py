"""The study's correlations are those that were planted, and chance finds little."""

import calendar
import dataclasses

import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr

from geosoil.config import read_config
from geosoil.correlation.field_significance import field_significance
from geosoil.correlation.temporal import correlate
from geosoil.grids.align import align
from geosoil.grids.common_grid import common_grid
from geosoil.grids.grid import Grid
from geosoil.io.geotiff import read_geotiff
from geosoil.simulate.anomalies import LINKED, planted_correlation
from geosoil.workflow import correlation
from geosoil.workflow.correlation import open_series, same_years
from geosoil.workflow.correlation_zones import study_zones
from geosoil.workflow.inputs import open_inputs

MONTHS = {6: "June", 8: "August", 9: "September"}
FEWEST = 300
"""Cells of a band below which its median says little: about eight of them are one
independent place (departures are alike over 60 km)."""


@pytest.fixture(scope="module")
def inputs(built_study):
    return open_inputs(read_config(built_study.config))


@pytest.fixture(scope="module")
def pairs(inputs):
    """Each driver and soil moisture on their common grid, and the zones there."""
    soil = open_series(inputs, "soil_moisture")
    found = {name: common_grid(open_series(inputs, name), soil) for name in LINKED}
    return found, study_zones(inputs, found["precipitation"].grid)


def bands(inputs, zones):
    """Cells of each elevation band with enough of them, and their heights."""
    height = align(inputs.elevation, Grid.of(zones.mask), method="area_average")
    codes = zones.codes["elevation_band"].to_numpy()
    for code, label in zones.labels["elevation_band"].items():
        inside = codes == code
        if inside.sum() >= FEWEST:
            yield label, inside, height.to_numpy()


@pytest.mark.parametrize("detrend", [False, True])
def test_medians_come_within_a_tenth_of_the_planted_ones(inputs, pairs, detrend):
    series, zones = pairs
    missed = {}
    for name, pair in series.items():
        for month, label in MONTHS.items():
            x, y = same_years(pair, month)
            r = correlate(x, y, detrend=detrend, statistics=())["r"].to_numpy()
            for band, inside, height in bands(inputs, zones):
                planted = np.nanmedian(planted_correlation(name, month, height[inside]))
                found = np.nanmedian(r[inside])
                missed[name, label, band] = found - planted
    assert len(missed) >= 5 * 3 * 4
    beyond = {key: round(miss, 3) for key, miss in missed.items() if abs(miss) > 0.1}
    assert not beyond


def shuffled(y: xr.DataArray, rng: np.random.Generator) -> xr.DataArray:
    """Yearly series of the same spectrum and pattern in space, their phases drawn."""
    filled = y.fillna(y.mean("time")).fillna(0.0)
    spectrum = np.fft.rfft(filled.to_numpy(), axis=0)
    turn = np.exp(2j * np.pi * rng.random(len(spectrum)))
    turn[0] = 1.0
    if y.sizes["time"] % 2 == 0:
        turn[-1] = rng.choice([-1.0, 1.0])
    turned = np.fft.irfft(spectrum * turn[:, None, None], y.sizes["time"], axis=0)
    return y.copy(data=turned).where(np.isfinite(y))


def permuted(series: xr.DataArray, rng: np.random.Generator) -> xr.DataArray:
    """Fields of the same patterns, their years drawn in another order."""
    order = rng.permutation(series.sizes["time"])
    return series.copy(data=series.to_numpy()[order])


@pytest.mark.slow
@pytest.mark.parametrize("surrogate", ["phases", "years"])
def test_surrogates_are_discovered_no_more_often_than_the_rate(pairs, surrogate):
    """Of every driver and month, all cells null.

    The driver's years are permuted before soil moisture's phases are shuffled. Of 20
    years, linked variables share the chance peaks of their spectra, and phases alone
    keep these: such fields are no null. They are significant in 8 % of the cells at
    5 % and discovered in 18 % of the fields at a rate of 10 %, the more often the
    stronger the planted link.
    """
    series, zones = pairs
    rng = np.random.default_rng(7)
    draws = 20
    discovered, single = [], []
    for pair in series.values():
        for month in MONTHS:
            x, y = same_years(pair, month)
            x = x.where(zones.mask)
            for _ in range(draws):
                null = shuffled(y, rng) if surrogate == "phases" else y
                p = correlate(permuted(x, rng), null, statistics=())["p_value"]
                found = field_significance(p, alpha=0.05)
                discovered.append(found.attrs["n_significant"] > 0)
                single.append(float((p < 0.05).sum()) / found.attrs["n_valid"])
    # Three standard errors of the fields; a cell by itself is tested at its level.
    n = len(discovered)
    assert n == 15 * draws
    assert np.mean(discovered) <= 0.10 + 3 * np.sqrt(0.1 * 0.9 / n)
    assert np.mean(single) == pytest.approx(0.05, abs=0.01)


def test_maps_lie_on_the_coarser_grid_and_say_so(built_study):
    folder = built_study.result.folder
    for name in ("ndvi", "precipitation"):
        path = folder / f"correlation_{name}_soil_moisture_August_r.tif"
        with rasterio.open(path) as file:
            assert file.res == pytest.approx((0.1, 0.1))
            tags = file.tags()
        assert tags["method"].startswith(
            "pearson r over time, the Augusts of 2001-2020"
        )
        assert "false discovery rate" in tags["fdr"]
        averaged = "cells of 0.05 degree averaged to 0.1 degree"
        wanted = averaged if name == "ndvi" else "cell of 0.1 degree"
        assert tags["support_x"] == wanted
        assert tags["support_y"] == "cell of 0.1 degree"


def test_windows_are_of_one_month_of_one_year_over_space(built_study):
    folder = built_study.result.folder
    with rasterio.open(
        folder / "correlation_ndvi_soil_moisture_June_window_r.tif"
    ) as file:
        tags = file.tags()
        r = file.read(1, masked=True)
    assert "over space, in a moving window of 9 x 9 cells, June 2020" in tags["method"]
    assert "Dutilleul" in tags["region"]
    assert 2500 < r.count() < 4000
    assert np.abs(r).max() <= 1


def test_the_table_over_space_knows_that_neighbours_are_alike(built_study):
    space = pd.read_csv(built_study.result.folder / "tables/correlation_space.csv")
    assert len(space) == 15
    assert (space["n_effective"] < 0.05 * space["n_cells"]).all()
    assert (space["q_value"] >= space["p_value"] - 1e-12).all()
    assert set(space["kind"]) == {"over space"}


def test_zones_put_the_papers_sentences_into_numbers(built_study):
    zones = pd.read_csv(built_study.result.folder / "tables/correlation_zones.csv")
    assert set(zones["by"]) >= {"all", "elevation_band", "vegetation", "permafrost",
                                "basin"}  # fmt: skip
    rain = zones[(zones["x"] == "precipitation") & (zones["month"] == "June")]
    rain = rain.set_index(["by", "zone"])
    # "most regions ... negative, only a few low-altitude regions positive"
    assert rain.loc[("all", "all"), "share_negative"] > 0.8
    assert rain.loc[("elevation_band", "3000-3500"), "share_positive"] > 0.9
    assert rain.loc[("elevation_band", "4500-5100"), "share_negative"] > 0.9
    areas = rain.loc["elevation_band"]["area_km2"].sum()
    assert areas == pytest.approx(rain.loc[("all", "all"), "area_km2"], rel=1e-9)


def test_the_account_tells_both_kinds(built_study):
    text = built_study.result.text
    assert "correlation of soil moisture over time, cell by cell, 2001-2020" in text
    assert "Over space in 2020" in text
    assert "precipitation, June: positive on" in text
    assert "% at 3000-3500 (" in text


def test_rasters_agree_with_a_correlation_of_block_means(built_study, inputs):
    """The maps again, from the files alone and by numpy."""
    ndvi = open_series(inputs, "ndvi")
    soil = open_series(inputs, "soil_moisture")
    month = 6
    label = calendar.month_name[month]
    path = built_study.result.folder / f"correlation_ndvi_soil_moisture_{label}_r.tif"
    r = read_geotiff(path)
    ndvi, soil = (one.sel(time=one["time"].dt.month == month) for one in (ndvi, soil))
    for x, y in ((95.05, 33.95), (98.55, 34.45)):
        four = ndvi.sel(x=slice(x - 0.05, x + 0.05), y=slice(y + 0.05, y - 0.05))
        assert four.shape[1:] == (2, 2)
        enough = np.isfinite(four).sum(("y", "x")) >= 2
        a = four.mean(("y", "x")).where(enough).to_numpy()
        b = soil.sel(x=x, y=y, method="nearest").to_numpy()
        both = np.isfinite(a) & np.isfinite(b)
        found = float(r.sel(x=x, y=y, method="nearest"))
        assert found == pytest.approx(np.corrcoef(a[both], b[both])[0, 1], abs=2e-3)


@pytest.mark.slow
def test_a_variable_without_values_is_told_and_stops_nothing(
    inputs, tmp_path, monkeypatch
):
    def emptied(study, name):
        series = open_series(study, name)
        return series.where(False) if name == "precipitation" else series

    monkeypatch.setattr(correlation, "open_series", emptied)
    few = inputs.config.correlation.model_copy(
        update={"x": ("precipitation", "air_temperature"), "months": (8,)}
    )
    config = inputs.config.model_copy(update={"correlation": few})
    study = dataclasses.replace(inputs, config=config)
    found = correlation.correlate_study(study, tmp_path, lambda _: None)
    assert found.summary["cells"].tolist()[0] == 0
    assert found.summary["cells"].tolist()[1] > 3000
    assert found.space["reason"].tolist() == ["few", ""]
    assert not found.maps["precipitation", "August"]["significant"].any()
