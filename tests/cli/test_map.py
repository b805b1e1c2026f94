"""The command `geosoil map`: files, words and exit codes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geosoil.cli.main import main
from geosoil.grids.grid import Grid
from geosoil.io.geotiff import write_geotiff

GRID = Grid.from_bounds((95.0, 33.0, 97.0, 34.0), 0.25, "EPSG:4326")


@pytest.fixture
def ndvi(tmp_path: Path) -> Path:
    raster = GRID.raster(np.full(GRID.shape, 0.5), name="ndvi")
    return write_geotiff(
        raster,
        tmp_path / "ndvi.tif",
        description="NDVI of June",
        tags={"simulated": "yes: no measured data"},
    )


def run(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(words)
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return code, captured.out, captured.err


@pytest.mark.parametrize(
    ("name", "magic"), [("a.png", b"\x89PNG"), ("new/A.PDF", b"%PDF")]
)
def test_a_figure_is_written_in_the_kind_of_its_ending(
    ndvi: Path, name: str, magic: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    target = ndvi.parent / name
    code, out, err = run(["map", str(ndvi), "-o", str(target)], capsys)
    assert code == 0
    assert "NDVI of June" in out
    assert "style ndvi (guessed" in out
    assert "SIMULATED" in out
    assert err.splitlines() == [f"reading {ndvi}", f"drawing {target.name}"]
    assert target.read_bytes().startswith(magic)
    assert [file.name for file in target.parent.iterdir() if file.name[0] == "."] == []


def test_options_reach_the_map_and_an_old_figure_is_replaced(
    ndvi: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = ndvi.parent / "a.png"
    target.write_bytes(b"old")
    words = ["--style", "plain", "--limits", "0", "2", "--title", "Mine"]
    words += ["--preset", "hess", "--band", "1", "-o", str(target)]
    code, out, err = run(["-q", "map", str(ndvi), *words], capsys)
    assert (code, err) == (0, "")
    assert "style plain (as asked)" in out
    assert b"Mine" in target.read_bytes()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["{}/no.tif"], 3, "There is no file"),
        (["{}/ndvi.tif", "--region", "{}/no.gpkg"], 3, "no.gpkg"),
        (["{}/ndvi.tif", "--style", "nvdi"], 1, "nearest: ndvi"),
        (["{}/ndvi.tif", "--limits", "1", "1"], 1, "the smaller first"),
        (["{}/ndvi.tif", "--band", "2"], 1, "has no band '2'"),
        (["{}/ndvi.tif", "--preset", "poster"], 2, "poster"),
        (["{}/ndvi.nc:ndvi"], 3, "There is no file"),
    ],
)
def test_bad_input_is_named_and_the_old_figure_kept(
    ndvi: Path,
    words: list[str],
    code: int,
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = ndvi.parent / "a.png"
    target.write_bytes(b"old")
    filled = [word.format(ndvi.parent) for word in words]
    found, out, err = run(["-q", "map", *filled, "-o", str(target)], capsys)
    assert found == code
    assert out == ""
    assert says in err
    assert target.read_bytes() == b"old"


def test_a_figure_needs_a_name(ndvi: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["map", str(ndvi)], capsys)[0] == 2
