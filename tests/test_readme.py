"""Every block of the README runs, and the gallery with it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)
INSTALL = ("make demo", "pip install")
SCRIPTS = sorted((ROOT / "scripts").glob("[0-9][0-9]_*.py"))


def environment() -> dict[str, str]:
    """The environment with geosoil's command on the path."""
    folder = Path(sys.executable).parent
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def user_folder(built_study, tmp_path: Path) -> Path:
    """A user's folder beside the demo: a table, granules and a series of their own."""
    (tmp_path / "trhr-demo").symlink_to(built_study.folder)
    shutil.copy(built_study.folder / "samples.csv", tmp_path / "my_samples.csv")
    granule = next((built_study.folder / "ndvi").glob("MOD13C1.A2020161*.hdf"))
    shutil.copy(granule, tmp_path / granule.name)
    months = sorted((built_study.folder / "ndvi").glob("MOD13C2*.hdf"))
    for file in (built_study.folder / "climate/soil_moisture.nc", *months):
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "dem.tif").symlink_to(built_study.folder / "layers/elevation.tif")
    return tmp_path


def test_the_readme_has_blocks_of_each_kind() -> None:
    kinds = [kind for kind, _ in BLOCKS]
    assert kinds.count("python") >= 1
    assert kinds.count("sh") >= 3
    assert SCRIPTS


@pytest.mark.parametrize(
    "code", [code for kind, code in BLOCKS if kind == "python"], ids=lambda _: "python"
)
def test_every_python_block_runs(user_folder: Path, code: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=user_folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert "LMWL: d2H = 7.90 d18O + 12.43" in answer.stdout
    assert "grassland" in answer.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "code",
    [c for kind, c in BLOCKS if kind == "sh" and not any(i in c for i in INSTALL)],
    ids=lambda _: "sh",
)
def test_every_shell_block_runs(user_folder: Path, code: str) -> None:
    answer = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        cwd=user_folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert "Traceback" not in answer.stderr
    assert (user_folder / "maps" / "fraction_precipitation_June.tif").is_file()
    assert (user_folder / "ndvi_june.tif").is_file()
    assert (user_folder / "soil_temperature/soil_temperature_sd.tif").is_file()


def test_the_table_of_commands_is_whole() -> None:
    from geosoil.cli.main import COMMANDS

    named = re.findall(r"^\| `geosoil (\w+)", README, flags=re.MULTILINE)
    assert named == list(COMMANDS)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if order else [])
        for order, path in enumerate(SCRIPTS)
    ],
)
def test_every_script_of_the_gallery_runs(
    built_study, tmp_path: Path, script: Path
) -> None:
    answer = subprocess.run(
        [sys.executable, str(script), str(built_study.folder), "--output", "pictures"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    pictures = list((tmp_path / "pictures").glob("*.png"))
    assert len(pictures) == 1
    assert pictures[0].read_bytes()[:4] == b"\x89PNG"
