"""What a run would do, beside what it does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from geosoil.cli.main import main
from geosoil.errors import MissingFileError
from geosoil.workflow.plan import RunPlan, plan_run
from geosoil.workflow.run import stage_names

RASTERS = {".tif", ".nc"}


@pytest.fixture(scope="module")
def plan(built_study) -> RunPlan:
    """Plan of the built-in study."""
    return plan_run(built_study.config)


def test_the_plan_names_every_raster_of_the_run(built_study, plan: RunPlan) -> None:
    folder = built_study.result.folder
    written = {
        path.relative_to(folder).as_posix()
        for path in built_study.result.paths
        if path.suffix in RASTERS and path.name != "cube.nc"
    }
    assert set(plan.rasters) == written


def test_sizes_on_disk_are_right_within_a_factor_of_three(
    built_study, plan: RunPlan
) -> None:
    folder = built_study.result.folder
    rasters = sum((folder / name).stat().st_size for name in plan.rasters)
    assert 1 / 3 < sum(plan.rasters.values()) / rasters < 3
    tables = sum(path.stat().st_size for path in (folder / "tables").glob("*.csv"))
    assert 1 / 3 < plan.tables_bytes / tables < 3


def test_the_plan_names_every_input_of_the_record(built_study, plan: RunPlan) -> None:
    record = json.loads((built_study.result.folder / "provenance.json").read_text())
    assert plan.reads == {n: entry["bytes"] for n, entry in record["inputs"].items()}


def test_a_plan_writes_nothing_and_tells_faults(built_study, tmp_path: Path) -> None:
    broken = built_study.folder / "broken_plan.toml"
    text = built_study.config.read_text()
    broken.write_text(text.replace('path = "samples.csv"', 'path = "none.csv"'))
    with pytest.raises(MissingFileError, match=r"none\.csv"):
        plan_run(broken, output=tmp_path / "out")
    broken.unlink()
    plan_run(built_study.config, output=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_dry_run_prints_the_plan(
    built_study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", str(built_study.config), "-o", str(tmp_path / "out"), "--dry-run"]
    assert main(words) == 0
    said = capsys.readouterr().out
    for part in ("Nothing is written", "Memory about", "fraction_snowmelt_June.tif"):
        assert part in said
    assert all(stage in said for stage in stage_names())
    assert main([*words, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)["results"][0]
    assert values["reads"]["samples.csv"] > 0
    assert values["finished_steps"] == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_time_and_memory_are_right_within_a_factor_of_three(
    built_study, plan: RunPlan, tmp_path: Path
) -> None:
    code = "import sys; from geosoil.workflow.run import run; run(sys.argv[1], "
    code += "output=sys.argv[2])"
    words = ["-W", "ignore", "-c", code, str(built_study.config), str(tmp_path / "out")]
    process = subprocess.Popen([sys.executable, *words])
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    # Time of the processor: other work on the machine does not count.
    assert 1 / 3 < plan.total_seconds / (used.ru_utime + used.ru_stime) < 3
    assert 1 / 2 < plan.memory / (used.ru_maxrss * 1024) < 2
