"""The maps of the built-in study keep their promises, and say what they rest on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr

from geosoil.config import read_config
from geosoil.errors import MissingFileError
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.support import map_support
from geosoil.interpolation.variogram import Variogram
from geosoil.io.geotiff import read_geotiff
from geosoil.workflow.inputs import StudyInputs, open_inputs
from geosoil.workflow.mapping import FractionMaps, map_fractions, study_target
from geosoil.workflow.mapping_methods import SourceModel
from geosoil.workflow.mapping_sites import PeriodSites, domains_of, period_sites
from geosoil.workflow.mapping_support import period_support, support_table
from geosoil.workflow.mapping_surfaces import patches_of
from geosoil.workflow.mapping_words import map_words

SOURCES = {
    "June": ("precipitation", "ground_ice", "snowmelt"),
    "August": ("precipitation", "ground_ice"),
    "September": ("precipitation", "ground_ice"),
}
LIMITS = {"June": ("snowmelt", 4000.0), "August": ("ground_ice", 3500.0)}


@pytest.fixture(scope="module")
def inputs(built_study) -> StudyInputs:
    return open_inputs(read_config(built_study.config))


def layers(built_study, period: str) -> xr.Dataset:
    with xr.open_dataset(built_study.result.folder / f"fractions_{period}.nc") as found:
        return found.load()


def table(built_study, name: str) -> pd.DataFrame:
    return pd.read_csv(built_study.result.folder / "tables" / f"{name}.csv")


@pytest.mark.parametrize("period", list(SOURCES))
def test_surfaces_in_double_precision_are_compositions(built_study, period) -> None:
    maps = layers(built_study, period)
    stack = np.stack([maps[source].to_numpy() for source in SOURCES[period]])
    assert stack.dtype == np.float64
    inside = np.isfinite(stack).all(axis=0)
    assert inside.sum() == 13_982
    np.testing.assert_allclose(stack[:, inside].sum(axis=0), 1.0, atol=1e-12)
    assert stack[:, inside].min() >= 0.0


def test_snow_is_zero_below_the_line_in_june_and_everywhere_later(built_study) -> None:
    height = read_geotiff(built_study.folder / "layers/elevation.tif").to_numpy()
    june = layers(built_study, "June")
    snow = june["snowmelt"].to_numpy()
    below = np.isfinite(snow) & (height < 4000.0)
    assert below.sum() > 1000
    for name in ("", "_sd", "_p05", "_p95", "_mean"):
        assert (june[f"snowmelt{name}"].to_numpy()[below] == 0.0).all()
    assert (snow[np.isfinite(snow) & (height >= 4000.0)] > 0.0).all()
    for period in ("August", "September"):
        maps = layers(built_study, period)
        assert "snowmelt" not in maps
        rest = maps["precipitation"] + maps["ground_ice"]
        known = np.isfinite(rest.to_numpy())
        np.testing.assert_allclose(rest.to_numpy()[known], 1.0, atol=1e-12)


def test_the_method_is_no_worse_in_blocks_than_the_mean_and_idw(built_study) -> None:
    scores = table(built_study, "interpolation_comparison")
    whole = scores[scores["source"] == "all"]
    for period in SOURCES:
        own = whole[whole["period"] == period].set_index("method")["rmse"]
        chosen = whole[(whole["period"] == period) & whole["chosen"]]["method"].item()
        assert {"mean", "idw", "kriging", "kriging_drift", "ilr"} == set(own.index)
        assert own[chosen] <= min(own["mean"], own["idw"]) * (1 + 1e-9)
        if chosen == "mean":
            assert f"{period}: the mean of the sites" in built_study.result.text
    assert "no method predicts blocks left out better" in built_study.result.text


def test_raw_fractions_kriged_one_by_one_leave_the_simplex(built_study) -> None:
    """Why the surfaces are moved onto the simplex at all."""
    sites = table(built_study, "fractions_sites")
    june = sites[(sites["period"] == "June") & (sites["elevation"] >= 4000.0)]
    points = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(june["longitude"], june["latitude"], crs=4326)
    )
    config = read_config(built_study.config)
    grid = open_inputs(config).grid
    kriged = {}
    for source in SOURCES["June"]:
        raw = june[f"fraction_{source}_raw"].to_numpy()
        usual = Variogram("spherical", 0.0, float(np.var(raw)), 200_000.0)
        answer = Kriging(usual).fit(points, raw).grid(grid)
        kriged[source] = answer["estimate"].to_numpy()
    np.testing.assert_allclose(sum(kriged.values()), 1.0, atol=1e-9)
    outside = [((k < 0.0) | (k > 1.0)).mean() for k in kriged.values()]
    assert max(outside) > 0.05


@pytest.mark.parametrize("period", list(SOURCES))
def test_parts_of_the_uncertainty_are_told_apart(built_study, period: str) -> None:
    maps = layers(built_study, period)
    for source in SOURCES[period]:
        parts = (
            maps[f"{source}_sd_mixing"] ** 2 + maps[f"{source}_sd_interpolation"] ** 2
        )
        total = maps[f"{source}_sd"] ** 2
        known = np.isfinite(total.to_numpy())
        np.testing.assert_allclose(
            parts.to_numpy()[known], total.to_numpy()[known], atol=1e-12
        )
        low, high = maps[f"{source}_p05"].to_numpy(), maps[f"{source}_p95"].to_numpy()
        assert ((low >= 0.0) & (high <= 1.0) & (low <= high))[known].all()
        written = read_geotiff(
            built_study.result.folder / f"fraction_{source}_sd_{period}.tif"
        )
        np.testing.assert_allclose(
            written.to_numpy()[known], maps[f"{source}_sd"].to_numpy()[known], rtol=1e-6
        )


def test_the_error_common_to_the_sites_widens_the_mean_of_the_region(
    built_study,
) -> None:
    means = table(built_study, "fraction_means")
    maps = means[means["mean_of"].isin(["map, supported cells", "map, whole region"])]
    assert len(maps) == 14
    assert (maps["sd"] > maps["sd_own_errors"]).all()
    assert ((maps["p05"] <= maps["fraction"]) & (maps["fraction"] <= maps["p95"])).all()
    sums = maps.groupby(["period", "mean_of"])["fraction"].sum()
    np.testing.assert_allclose(sums, 1.0, atol=1e-12)
    sample = means[means["mean_of"] == "mean of the sites"]
    assert sample["n"].tolist() == [79] * 3 + [70] * 2 + [93] * 2
    assert means["mean_of"].nunique() == 6


def test_what_is_not_supported_is_told_by_reason(built_study) -> None:
    support = table(built_study, "fraction_support").set_index(["period", "reason"])
    for period in SOURCES:
        shares = support["share"][period]
        assert shares["supported"] + shares["unsupported"] == pytest.approx(1.0)
        assert 0.3 < shares["elevation_beyond_samples"] < 0.4
        assert 0.0 < shares["far_from_data"] < 0.2
        path = built_study.result.folder / f"fraction_support_{period}.tif"
        with rasterio.open(path) as file:
            codes = file.read(1)
            assert "4 elevation_beyond_samples" in file.tags()["bits"]
            # No draw tells anything of the support.
            assert "uncertainty" not in file.tags()
        inside = codes != 255
        assert inside.sum() == 13_982
        # Hatched, so still there.
        fraction = layers(built_study, period)["precipitation"].to_numpy()
        assert np.isfinite(fraction[inside]).all()
    assert "lower or higher than the ground that was sampled" in built_study.result.text


def test_the_map_stands_beside_that_without_rules_and_drift(built_study) -> None:
    variants = table(built_study, "fraction_variants")
    keys = ["period", "variant", "elevation_band", "source"]
    found = variants.set_index(keys)["fraction"].sort_index()
    for period, (source, limit) in LIMITS.items():
        low = "3000-3500" if limit == 3500.0 else "3500-4000"
        assert found[period, "as mapped", low, source] < 0.02
        assert found[period, "without zero rules", low, source] > 0.02
        kinds = set(variants.loc[variants["period"] == period, "variant"])
        assert {"as mapped", "without zero rules", "with drift of elevation"} <= kinds
    sums = found.groupby(keys[:3]).sum()
    np.testing.assert_allclose(sums, 1.0, atol=1e-9)


@pytest.fixture(scope="module")
def masked(built_study, inputs, tmp_path_factory) -> tuple[FractionMaps, Path]:
    sites = table(built_study, "fractions_sites")
    changed = {"unsupported": "mask", "method": "kriging_drift", "n_draws": 100}
    given = inputs.config.interpolation.model_copy(update=changed)
    config = inputs.config.model_copy(update={"interpolation": given})
    folder = tmp_path_factory.mktemp("masked")
    own = replace(inputs, config=config)
    june = sites[sites["period"] == "June"]
    return map_fractions(own, june, folder, lambda _: None), folder


def test_cells_without_support_are_left_empty_where_asked(masked) -> None:
    maps, folder = masked
    support = maps.periods["June"].maps["support"].to_numpy()
    for name in ("fraction_ground_ice_June", "fraction_ground_ice_sd_June"):
        values = read_geotiff(folder / f"{name}.tif").to_numpy()
        assert np.isnan(values[support > 0]).all()
        assert np.isfinite(values[support == 0]).all()


def test_a_method_that_was_asked_for_is_used_and_a_better_one_named(
    masked, inputs
) -> None:
    one = masked[0].periods["June"]
    assert one.choice.method == "kriging_drift"
    words = map_words(inputs, masked[0])
    assert "kriging_drift as the settings ask" in words
    assert "predicts better in cross-validation" in words
    # The drift is there: fractions differ within a domain.
    ice = one.maps["ground_ice"].to_numpy()
    assert np.unique(ice[np.isfinite(ice)].round(9)).size > 100


def test_too_few_sites_have_no_map_but_a_reason(inputs, tmp_path: Path) -> None:
    sites = pd.DataFrame({"period": ["June"] * 4, "longitude": 98.0, "latitude": 34.0})
    for source in SOURCES["June"]:
        sites[f"fraction_{source}_raw"] = 1 / 3
        sites[f"fraction_{source}_sd"] = 0.1
    maps = map_fractions(inputs, sites, tmp_path, lambda _: None)
    assert not maps.paths
    assert "4 sites with coordinates" in maps.skipped["June"]
    assert map_words(inputs, maps).startswith("No source-fraction map. June: 4 sites")
    assert maps.table("means").empty


def june_sites(built_study, inputs: StudyInputs) -> PeriodSites:
    sites = table(built_study, "fractions_sites")
    found = period_sites(inputs, "June", sites[sites["period"] == "June"])
    assert isinstance(found, PeriodSites)
    return found


def test_cells_outside_of_the_covariates_at_the_sites_are_told(
    built_study, inputs
) -> None:
    june = june_sites(built_study, inputs)
    x = np.broadcast_to(inputs.grid.x, inputs.grid.shape).copy()
    east = xr.Dataset({"longitude": inputs.grid.raster(x)})
    own = replace(inputs, covariates=east)
    codes = period_support(own, june, [], "mean").to_numpy()
    inside = inputs.mask.to_numpy()
    held = (codes & 8) > 0
    west = june.points.geometry.x.min()
    assert held[inside & (x < west - 0.05)].all()
    assert not held[inside & (x > west + 0.05) & (x < 101.0)].any()
    # No domain was given: every cell lacks sites.
    assert ((codes[inside] & 32) > 0).all()
    assert (codes[~inside] == 255).all()


def test_a_variance_near_the_sill_is_no_support(built_study, inputs) -> None:
    june = june_sites(built_study, inputs)
    domains = domains_of(june, inputs.grid, inputs.elevation)
    short = SourceModel(Variogram("exponential", 0.0, 1.0, 20_000.0), 0.01)
    models = {d.label: dict.fromkeys(d.sources, short) for d in domains}
    given = inputs.config.interpolation
    target = study_target(inputs)
    patches = patches_of(june, domains, models, ("kriging", given), target)
    reason = period_support(inputs, june, patches, "kriging")
    held = (reason.to_numpy() & 2 > 0).ravel()
    for patch in patches:
        near = map_support(june.points[patch.domain.sites], inputs.grid)["distance"]
        distance = near.to_numpy().ravel()[patch.cells]
        assert held[patch.cells][distance > 150.0].all()
        assert not held[patch.cells][distance < 5.0].any()
    assert "variance_near_sill" in reason.attrs["rules_applied"]
    rows = support_table(reason, inputs).set_index("reason")
    assert 0.2 < rows["share"]["variance_near_sill"] < 1.0


def test_covariates_are_opened_and_their_absence_told(built_study) -> None:
    text = built_study.config.read_text()
    added = '[interpolation.covariates]\nheight = "layers/elevation.tif"\n\n'
    text = text.replace("[output]", f"{added}[output]")
    config = built_study.folder / "covariates.toml"
    config.write_text(text)
    found = open_inputs(read_config(config)).covariates
    assert list(found) == ["height"]
    assert found["height"].shape == (95, 258)
    config.write_text(text.replace('height = "layers/elevation', 'height = "no'))
    with pytest.raises(MissingFileError, match=r"no\.tif"):
        open_inputs(read_config(config))
    config.unlink()
