"""Names of files and hashes of settings are the same on every machine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.config import (
    PathNames,
    StudyConfig,
    canonical_digest,
    config_hash,
    names_of,
    path_names,
    portable_settings,
    read_config,
    read_record,
)
from geosoil.errors import ConfigError, InputError

SETTINGS = """
elevation = "../dem/{dem}"
[study]
seed = {seed}
[samples]
path = "samples.csv"
[ndvi]
monthly = "/store/modis/*/MOD13C2*.hdf"
composites = "/store/modis/2020/MOD13C1*.hdf"
[climate]
rain = {{ path = "/archive/rain_*.nc", crs = "EPSG:4326" }}
[output]
folder = "{folder}"
"""

PARTS = st.lists(st.sampled_from(["a", "b", "c d", "ü"]), min_size=1, max_size=4)


def written(folder: Path, *, folder_out: str = "maps", seed: int = 1) -> StudyConfig:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "geosoil.toml"
    file.write_text(SETTINGS.format(dem="e.tif", seed=seed, folder=folder_out))
    return read_config(file)


@given(PARTS, PARTS)
def test_a_name_leads_back_to_its_file(base: list[str], path: list[str]) -> None:
    names = PathNames(Path("/", *base))
    file = Path("/", *path)
    assert names.place(names.name(file)) == file
    assert not Path(names.name(file)).is_absolute()


def test_files_apart_are_named_by_the_number_of_their_folder() -> None:
    paths = [Path("/store/x.hdf"), Path("/archive/*/r.nc"), Path("/home/a/study/s.csv")]
    names = names_of([*paths, Path("/store/deep/y.hdf")], Path("/home/a/study"))
    assert names.outside == (Path("/store"), Path("/archive"))
    assert names.name(Path("/archive/2020/r.nc")) == "<outside-2>/2020/r.nc"
    assert names.name(Path("/store/deep/y.hdf")) == "<outside-1>/deep/y.hdf"
    assert names.place("<outside-1>/deep/y.hdf") == Path("/store/deep/y.hdf")
    assert names.name(Path("/home/b/t.csv")) == "../../b/t.csv"
    with pytest.raises(InputError, match="--outside DIR"):
        names.place("<outside-3>/z")


def test_files_at_the_root_are_apart_and_found_again() -> None:
    files = [Path("/alone.csv"), Path("/out")]
    names = names_of(files, Path("/home/a/study"))
    assert names.name(Path("/home/a/study/s.csv")) == "s.csv"
    assert [names.name(file) for file in files] == ["<outside-1>/.", "<outside-2>/."]
    assert [names.place(names.name(file)) for file in files] == files


def test_the_same_study_elsewhere_has_the_same_settings(tmp_path: Path) -> None:
    here = written(tmp_path / "here" / "study")
    there = written(tmp_path / "far" / "away" / "study")
    assert here.samples.path != there.samples.path
    assert portable_settings(here) == portable_settings(there)
    text = json.dumps(portable_settings(here))
    assert str(tmp_path) not in text
    assert "/store" not in text
    shutil.rmtree(tmp_path)


def test_the_hash_counts_all_but_the_folder_of_the_results(tmp_path: Path) -> None:
    plain = config_hash(written(tmp_path / "study"))
    assert config_hash(written(tmp_path / "study", folder_out="/elsewhere")) == plain
    assert config_hash(written(tmp_path / "study", seed=2)) != plain
    assert len(plain) == 12


def test_settings_return_from_their_record(tmp_path: Path) -> None:
    config = written(tmp_path / "study")
    names = path_names(config)
    stored = json.loads(json.dumps(portable_settings(config)))
    found = read_record(stored, "provenance.json", names.place)
    assert found.model_dump() == config.model_dump()
    assert config_hash(found) == config_hash(config)
    assert config.file == tmp_path / "study" / "geosoil.toml"


def test_a_record_with_unknown_settings_tells_all_faults(tmp_path: Path) -> None:
    config = written(tmp_path / "study")
    stored = {**portable_settings(config), "nonsense": 1, "grid": {"resolution": -1}}
    with pytest.raises(ConfigError, match=r"record 'r\.json' has 2 fault") as caught:
        read_record(stored, "r.json", path_names(config).place)
    assert "unknown key 'nonsense'" in str(caught.value)


def test_settings_of_a_script_are_named_from_their_samples() -> None:
    config = StudyConfig(samples={"path": Path("/home/a/waters.csv")})
    assert config.file is None
    assert portable_settings(config)["samples"]["path"] == "waters.csv"


def test_the_digest_of_values_knows_no_order_of_keys() -> None:
    assert canonical_digest({"a": [1, 2], "b": None}) == canonical_digest(
        {"b": None, "a": [1, 2]}
    )
    assert canonical_digest([1, 2]) != canonical_digest([2, 1])
