"""The command line: help, exit codes, no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from geosoil import __version__
from geosoil.cli.main import COMMANDS, main


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    words = capsys.readouterr().out
    for name, (_, line) in COMMANDS.items():
        assert name in words
        assert line.split(".", maxsplit=1)[0] in words


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert "Usage: geosoil " + name in capsys.readouterr().out


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


def test_an_unknown_option_is_a_usage_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["run", "--nonsense"]) == 2
    assert "--nonsense" in capsys.readouterr().err


def test_an_absent_file_exits_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(tmp_path / "none.toml")]) == 3
    assert "none.toml" in capsys.readouterr().err


def test_broken_settings_exit_1_without_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "geosoil.toml"
    path.write_text("[nonsense]\n")
    answer = subprocess.run(
        [sys.executable, "-m", "geosoil", "run", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert "unknown key 'nonsense'" in answer.stderr
    assert answer.stdout == ""


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom geosoil.cli.main import main\nmain(['--help'])\n"
        "heavy = {'numba', 'rasterio', 'xarray', 'matplotlib', 'cartopy', 'pandas',"
        " 'numpy', 'pydantic', 'rich'}\nprint(sorted(heavy & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip().endswith("[]")
