"""A whole run of the built-in study: what it writes and what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
from scipy.stats import false_discovery_control

from geosoil.config import config_hash, read_config
from geosoil.errors import GeosoilError, InputError, MissingFileError
from geosoil.io.geotiff import read_geotiff
from geosoil.io.provenance import file_entry, read_record
from geosoil.simulate.study import build_study
from geosoil.workflow.run import run
from geosoil.workflow.verify import verify_folder

SOURCES = {
    "June": ("precipitation", "ground_ice", "snowmelt"),
    "August": ("precipitation", "ground_ice"),
    "September": ("precipitation", "ground_ice"),
}
STUDY_TRANSFORM = (0.05, 0.0, 89.40, 0.0, -0.05, 36.30)


def raster(study, name: str) -> xr.DataArray:
    return read_geotiff(study.result.folder / name)


def test_every_promised_file_is_written(built_study) -> None:
    folder = built_study.result.folder
    names = {path.relative_to(folder).as_posix() for path in built_study.result.paths}
    for period, sources in SOURCES.items():
        for source in sources:
            assert f"fraction_{source}_{period}.tif" in names
            for layer in ("sd", "p05", "p95"):
                assert f"fraction_{source}_{layer}_{period}.tif" in names
        assert f"fraction_support_{period}.tif" in names
        assert f"fractions_{period}.nc" in names
    assert not any("idw" in name for name in names)
    for x in ("air_temperature", "ground_temperature", "precipitation", "ndvi"):
        for month in SOURCES:
            for what in ("r", "p_value", "n"):
                assert f"correlation_{x}_soil_moisture_{month}_{what}.tif" in names
    for figure in (
        "dual_isotope",
        "mixing_diagram",
        "fractions_by_group",
        "sampling_sites",
        "fraction_ground_ice",
        "fraction_validation",
        "fraction_variograms",
        "fraction_variants",
        "correlation_ndvi_soil_moisture",
    ):
        assert f"figures/{figure}.png" in names
    assert {"summary.json", "provenance.json", "tables/joined_samples.csv"} <= names
    assert all((folder / name).stat().st_size > 0 for name in names)
    assert not list(folder.rglob("*.part*"))


def test_every_geotiff_says_where_and_what_it_is(built_study) -> None:
    paths = [path for path in built_study.result.paths if path.suffix == ".tif"]
    assert len(paths) > 60
    for path in paths:
        with rasterio.open(path) as file:
            assert file.crs.to_epsg() == 4326
            if path.name.startswith("correlation_"):
                # Correlations lie on the coarser grid of the pair, the climate's.
                assert file.shape == (48, 129)
                assert file.res == pytest.approx((0.1, 0.1))
            else:
                assert file.shape == (95, 258)
                np.testing.assert_allclose(
                    file.transform[:6], STUDY_TRANSFORM, atol=1e-12
                )
            codes = path.name.startswith("fraction_support")
            assert file.dtypes == (("uint8",) if codes else ("float32",))
            assert file.nodata == (255 if codes else -9999)
            assert file.descriptions[0]
            assert file.units == ("1",)
            tags = file.tags()
            assert tags["software"].startswith("geosoil ")
            assert tags["method"]
            assert tags["simulated"] == "yes: no measured data"


@pytest.mark.parametrize("period", list(SOURCES))
def test_fractions_sum_to_one_where_the_region_is(built_study, period: str) -> None:
    layers = [
        raster(built_study, f"fraction_{source}_{period}.tif")
        for source in SOURCES[period]
    ]
    stack = xr.concat(layers, dim="source").to_numpy().astype(float)
    inside = np.isfinite(stack).all(axis=0)
    np.testing.assert_allclose(stack.sum(axis=0)[inside], 1.0, atol=2e-7)
    assert stack[:, inside].min() >= 0.0
    assert stack[:, inside].max() <= 1.0
    assert 0.5 < inside.mean() < 0.7


@pytest.mark.parametrize(
    ("source", "period", "limit"),
    [
        ("snowmelt", "June", 4000.0),
        ("ground_ice", "August", 3500.0),
        ("ground_ice", "September", 4000.0),
    ],
)
def test_zero_rules_hold_exactly(
    built_study, source: str, period: str, limit: float
) -> None:
    fraction = raster(built_study, f"fraction_{source}_{period}.tif").to_numpy()
    height = read_geotiff(built_study.folder / "layers/elevation.tif").to_numpy()
    below = np.isfinite(fraction) & (height < limit)
    above = np.isfinite(fraction) & (height >= limit)
    assert below.sum() > 50
    assert (fraction[below] == 0.0).all()
    assert (fraction[above] > 0.0).any()


def test_correlation_maps_keep_their_promises(built_study) -> None:
    for month in SOURCES:
        stem = f"correlation_ndvi_soil_moisture_{month}"
        r, p, q, n = (
            raster(built_study, f"{stem}_{what}.tif").to_numpy()
            for what in ("r", "p_value", "q_value", "n")
        )
        known = np.isfinite(r)
        wanted = false_discovery_control(p[known].astype(float))
        np.testing.assert_allclose(q[known], wanted, rtol=1e-4, atol=1e-7)
        assert np.isnan(q[~known]).all()
        assert 3_300 < known.sum() < 3_600
        assert np.abs(r[known]).max() <= 1.0
        assert ((p[known] >= 0.0) & (p[known] <= 1.0)).all()
        assert n[known].min() >= 8
        assert n[known].max() <= 20
        assert np.isnan(r[np.isfinite(n) & (n < 8)]).all()


def test_the_signs_of_section_4_are_found(built_study) -> None:
    table = built_study.result.folder / "tables/correlation_summary.csv"
    shares = pd.read_csv(table)
    raw = shares["share_significant_positive"] + shares["share_significant_negative"]
    # The level over the map is twice 5 % (Wilks 2016), so shares may exceed the raw.
    after = shares["share_fdr_positive"] + shares["share_fdr_negative"]
    assert after.between(0.0, 1.0).all()
    assert (shares["p_star"] <= 0.10).all()
    assert np.corrcoef(raw, after)[0, 1] > 0.9
    r = pd.read_csv(table).set_index(["x", "month"])["median_r"]
    for temperature in ("air_temperature", "ground_temperature"):
        assert r[temperature, "June"] > 0.3
        assert r[temperature, "August"] < -0.3
        assert r[temperature, "September"] > 0.1
    assert r["precipitation", "June"] < -0.2
    assert r["precipitation", "September"] > 0.2
    assert all(r["evapotranspiration", month] < -0.3 for month in SOURCES)
    assert r["ndvi", "June"] > 0.3
    assert r["ndvi", "August"] < -0.3


def test_the_account_sets_three_answers_beside_paper_and_truth(built_study) -> None:
    text = built_study.result.text
    for words in (
        "SIMULATED",
        "paper",
        "truth",
        "rain as fallen",
        "rain as evaporated",
        "evaporation corrected",
        "not identifiable",
        "weighted by area",
        "31 % of the region lies above the 5,100 m",
        "an artefact",
    ):
        assert words in text
    assert " nan" not in text


def test_rain_as_fallen_takes_evaporation_for_ice(built_study) -> None:
    rows = pd.DataFrame(built_study.result.summary["regional_fractions"])
    rows = rows.set_index(["answer", "period", "source"])["fraction"].astype(float)
    for period in SOURCES:
        assert rows["rain as fallen", period, "ground_ice"] > 0.5
        assert rows["rain as evaporated", period, "ground_ice"] < 0.25


def test_samples_are_joined_to_their_cells(built_study) -> None:
    joined = pd.read_csv(built_study.result.folder / "tables/joined_samples.csv")
    soil = joined[joined["water"] == "soil"]
    assert len(soil) == 741
    assert soil["ndvi"].notna().mean() > 0.8
    assert soil["ndvi"].dropna().between(-0.2, 1.0).all()
    for column in ("permafrost_class", "soil_class", "vegetation_class"):
        assert soil[column].notna().mean() > 0.95
    assert soil["air_temperature_month"].notna().mean() > 0.9
    assert (soil["elevation"] - soil["elevation_grid"]).abs().median() < 400
    one = soil.iloc[0]
    assert one["column"] == np.floor((one["longitude"] - 89.40) / 0.05 + 1e-9)
    assert one["row"] == np.floor((36.30 - one["latitude"]) / 0.05 + 1e-9)


def test_provenance_names_every_file_with_its_digest(built_study) -> None:
    folder = built_study.result.folder
    record, sealed = read_record(folder / "provenance.json")
    assert sealed
    assert record["settings"]["study"]["simulated"] is True
    assert record["command"] == "geosoil run geosoil.toml"
    assert record["seeds"] == {"study": 2020}
    assert {"samples.csv", "truth/true_ground_ice_June.tif"} <= set(record["inputs"])
    assert "truth.csv" not in record["inputs"]
    for name, entry in record["inputs"].items():
        assert entry == file_entry(built_study.folder / name)
    for name in ("fraction_precipitation_June.tif", "figures/dual_isotope.png"):
        assert record["outputs"][name] == file_entry(folder / name)
    assert verify_folder(folder).unlisted == ()


def test_no_folder_of_the_machine_stands_in_the_record(built_study) -> None:
    text = (built_study.result.folder / "provenance.json").read_text()
    for folder in (built_study.folder, Path(sys.prefix), Path.home()):
        assert str(folder) not in text


def test_every_raster_carries_the_hash_of_the_settings(built_study) -> None:
    wanted = config_hash(read_config(built_study.config))
    record, _ = read_record(built_study.result.folder / "provenance.json")
    assert record["config_hash"] == wanted
    for path in built_study.result.paths:
        if path.suffix == ".tif":
            assert read_geotiff(path).attrs["tags"]["config_hash"] == wanted
        elif path.name.startswith("fractions_") and path.suffix == ".nc":
            with xr.open_dataset(path, engine="netcdf4") as stored:
                assert stored.attrs["config_hash"] == wanted


def test_every_raster_says_how_it_was_made(built_study) -> None:
    wanted = {"method", "period", "source", "software", "config_hash", "simulated"}
    for path in built_study.result.paths:
        if path.suffix == ".tif":
            tags = read_geotiff(path).attrs["tags"]
            assert {key for key in wanted if tags.get(key)} == wanted, path.name
    ndvi = "correlation_ndvi_soil_moisture_June_r.tif"
    tags = read_geotiff(built_study.result.folder / ndvi).attrs["tags"]
    assert tags["source"] == "ndvi: MOD13C2*.hdf; soil_moisture: soil_moisture.nc"


def test_summary_is_json_without_nan(built_study) -> None:
    text = (built_study.result.folder / "summary.json").read_text()
    summary = json.loads(text)
    assert "NaN" not in text
    assert summary["simulated"] is True
    june = summary["fraction_maps"]["June"]
    assert june["method"] in ("mean", "idw", "kriging", "kriging_drift")
    assert {row["method"] for row in june["cross_validation"]} >= {"mean", "idw"}
    assert {row["mean_of"] for row in summary["fraction_means"]} >= {
        "mean of the sites",
        "map, supported cells",
        "map, whole region",
    }
    assert summary["share_of_area_above_sampled"] == pytest.approx(0.31, abs=0.01)


def test_the_run_reads_no_truth_of_samples(built_study) -> None:
    code = (
        "import sys\nopened = set()\n"
        "sys.addaudithook(lambda e, a: opened.add(str(a[0])) if e == 'open' else None)"
        "\nfrom geosoil.workflow.fractions import solve_study\n"
        "from geosoil.workflow.inputs import open_inputs\n"
        "from geosoil.config import read_config\n"
        "solve_study(open_inputs(read_config(sys.argv[1])), lambda _: None)\n"
        "assert any('samples.csv' in name for name in opened)\n"
        "print([n for n in opened if 'truth.csv' in n or 'reference.csv' in n])\n"
    )
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(built_study.config)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "[]"


def test_a_study_is_kept_while_its_maker_is_the_same(built_study) -> None:
    before = (built_study.folder / "samples.csv").stat().st_mtime_ns
    build_study(built_study.folder, seed=2020)
    assert (built_study.folder / "samples.csv").stat().st_mtime_ns == before


def test_a_folder_of_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("mine")
    with pytest.raises(InputError, match="not empty and holds no built-in study"):
        build_study(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def test_all_faults_of_the_inputs_are_told_at_once(built_study, tmp_path: Path) -> None:
    text = built_study.config.read_text()
    broken = built_study.folder / "broken.toml"
    broken.write_text(
        text.replace('path = "samples.csv"', 'path = "none.csv"')
        .replace("climate/precipitation.nc", "climate/rain.nc")
        .replace("ndvi/MOD13C2*.hdf", "ndvi/MOD99*.hdf")
    )
    with pytest.raises(MissingFileError) as caught:
        run(broken, output=tmp_path / "out")
    for words in ("none.csv", "rain.nc", "MOD99"):
        assert words in str(caught.value)
    assert not (tmp_path / "out").exists()
    broken.unlink()


def test_an_unknown_class_code_is_refused(built_study, tmp_path: Path) -> None:
    table = built_study.folder / "layers/few.csv"
    table.write_text("code,label\n1,one\n")
    broken = built_study.folder / "broken.toml"
    broken.write_text(
        built_study.config.read_text().replace(
            'table = "layers/soil.csv"', 'table = "layers/few.csv"'
        )
    )
    with pytest.raises(GeosoilError, match="does not name"):
        run(broken, output=tmp_path / "out")
    broken.unlink()
    table.unlink()
