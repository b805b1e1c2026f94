"""Settings: defaults, paths, and every fault told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from geosoil.config import read_config, read_zero_rules
from geosoil.errors import ConfigError, MissingFileError


def written(folder: Path, text: str) -> Path:
    path = folder / "geosoil.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_paths_start_at_the_folder_of_the_file(tmp_path: Path) -> None:
    config = read_config(
        written(
            tmp_path,
            '[samples]\npath = "../a.csv"\n[ndvi]\nmonthly = "n/*.hdf"\n'
            '[layers]\nelevation = "dem.tif"\nsoil = { path = "soil.tif" }\n'
            '[climate]\nprecipitation = "pr.nc"\n',
        )
    )
    assert config.samples.path == tmp_path.parent / "a.csv"
    assert config.ndvi.monthly == tmp_path / "n" / "*.hdf"
    assert config.elevation == tmp_path / "dem.tif"
    assert config.layers["soil"].path == tmp_path / "soil.tif"
    assert config.climate["precipitation"].path == tmp_path / "pr.nc"
    assert config.output.folder == tmp_path / "maps"


def test_an_absolute_path_stays(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.csv"
    config = read_config(written(tmp_path, f'[samples]\npath = "{path.as_posix()}"\n'))
    assert config.samples.path == path


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, '[samples]\npath = "a.csv"\n'))
    with pytest.raises(ValueError, match="frozen"):
        config.grid.resolution = 1.0


def test_every_fault_is_told_with_the_nearest_known_key(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '[sample]\npath = "a.csv"\n[grid]\nresolutoin = 0.1\n'
        '[correlation]\nmin_pairs = 2\n[[rule]]\nsource = "snowmelt"\n'
        'period = ["June"]\nbelow = "x"\n',
    )
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    words = str(caught.value)
    assert "Did you mean 'samples'?" in words
    assert "Did you mean 'resolution'?" in words
    assert "'samples' is missing" in words
    assert "correlation.min_pairs" in words
    assert "rule.0.below" in words
    assert "5 fault(s)" in words


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"geosoil\.toml' is no valid TOML"):
        read_config(written(tmp_path, "[samples\n"))


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="geosoil init"):
        read_config(tmp_path / "none.toml")


def test_samples_take_a_crs_and_an_order_of_dates(tmp_path: Path) -> None:
    text = '[samples]\npath = "a.csv"\ncrs = "EPSG:32719"\ndates = "dayfirst"\n'
    samples = read_config(written(tmp_path, text)).samples
    assert (samples.crs, samples.dates) == ("EPSG:32719", "dayfirst")
    with pytest.raises(ConfigError, match=r"samples\.dates"):
        read_config(written(tmp_path, text.replace("dayfirst", "american")))


def test_strata_take_own_edges_and_labels(tmp_path: Path) -> None:
    text = (
        '[samples]\npath = "a.csv"\n[strata]\nelevation_edges = [0, 4000, 6000]\n'
        'labels = { "0-4000" = "low" }\n'
    )
    edges = read_config(written(tmp_path, text)).strata.edges()
    assert edges.names(edges.elevation) == ["low", "4000-6000"]
    with pytest.raises(ConfigError, match="no class is called"):
        read_config(written(tmp_path, text.replace('"0-4000"', '"0-4"')))


def test_a_file_of_zero_rules_is_read_and_its_faults_told(tmp_path: Path) -> None:
    path = tmp_path / "zero.toml"
    path.write_text(
        '[[rule]]\nsource = "snowmelt"\nperiod = ["August"]\n'
        '[[rule]]\nsource = "ground_ice"\nperiod = ["August"]\nbelow = 3500\n'
    )
    everywhere, low = read_zero_rules(path)
    assert (everywhere.below, everywhere.above, low.below) == (None, None, 3500.0)
    path.write_text('[[rule]]\nsource = "snowmelt"\nperiods = ["August"]\n')
    with pytest.raises(ConfigError, match="Did you mean 'period'"):
        read_zero_rules(path)
    path.write_text("")
    with pytest.raises(ConfigError, match="'rule' is missing"):
        read_zero_rules(path)
    with pytest.raises(MissingFileError, match=r"tables \[\[rule\]\]"):
        read_zero_rules(tmp_path / "none.toml")


def test_remaining_water_is_two_rising_shares(tmp_path: Path) -> None:
    text = '[samples]\npath = "a.csv"\n[tracers.climate.June]\ntemperature = 8.0\n'
    text += "humidity = 0.5\nremaining = [0.9, 0.8]\n"
    with pytest.raises(ConfigError, match="two rising shares"):
        read_config(written(tmp_path, text))


def test_a_climate_file_may_say_what_it_lacks(tmp_path: Path) -> None:
    text = '[samples]\npath = "a.csv"\n[climate]\nprecipitation = "pr.nc"\n'
    text += (
        'air_temperature = { path = "t.nc", crs = "EPSG:4326", start = "1979-01" }\n'
    )
    climate = read_config(written(tmp_path, text)).climate
    assert climate["precipitation"].crs is None
    warm = climate["air_temperature"]
    assert (warm.path, warm.crs, warm.start) == (
        tmp_path / "t.nc",
        "EPSG:4326",
        "1979-01",
    )
    text = '[samples]\npath = "a.csv"\n[climate]\nprecipitation = { file = "x" }\n'
    with pytest.raises(ConfigError, match=r"climate\.precipitation"):
        read_config(written(tmp_path, text))


def test_a_rule_of_quality_and_custom_go_together(tmp_path: Path) -> None:
    text = '[samples]\npath = "a.csv"\n[ndvi]\nquality = "custom"\n'
    with pytest.raises(ConfigError, match="go together"):
        read_config(written(tmp_path, text))
    text += "[ndvi.rule]\nmax_usefulness = 4\nsnow = false\n"
    rule = read_config(written(tmp_path, text)).ndvi.rule
    assert (rule.max_usefulness, rule.snow, rule.shadow) == (4, False, True)


def test_a_scheduler_is_an_address_or_nothing(tmp_path: Path) -> None:
    text = '[samples]\npath = "a.csv"\n'
    assert read_config(written(tmp_path, text)).compute.scheduler == ""
    given = text + '[compute]\nscheduler = "tcp://10.0.0.5:8786"\n'
    found = read_config(written(tmp_path, given)).compute.scheduler
    assert found == "tcp://10.0.0.5:8786"
    with pytest.raises(ConfigError, match=r"compute\.scheduler.*as tcp://host:port"):
        read_config(written(tmp_path, text + '[compute]\nscheduler = "10.0.0.5"\n'))


def test_the_old_list_of_methods_is_told_its_new_name(tmp_path: Path) -> None:
    text = '[samples]\npath = "a.csv"\n[interpolation]\n'
    path = written(tmp_path, text + 'methods = ["idw", "kriging"]\n')
    with pytest.raises(ConfigError, match="'methods' is now 'method'"):
        read_config(path)
    settings = read_config(written(tmp_path, text + 'method = "ilr"\n')).interpolation
    assert (settings.method, settings.unsupported) == ("ilr", "hatch")
    with pytest.raises(ConfigError, match=r"interpolation\.method"):
        read_config(written(tmp_path, text + 'method = "spline"\n'))
    faults = "n_draws = 9\nmax_variance_share = 1.2\nmax_distance_km = 0\n"
    with pytest.raises(ConfigError, match="3 fault"):
        read_config(written(tmp_path, text + faults))


def test_covariates_of_maps_start_at_the_folder_of_the_file(tmp_path: Path) -> None:
    text = '[samples]\npath = "a.csv"\n[interpolation.covariates]\nndvi = "n.tif"\n'
    covariates = read_config(written(tmp_path, text)).interpolation.covariates
    assert covariates == {"ndvi": tmp_path / "n.tif"}
