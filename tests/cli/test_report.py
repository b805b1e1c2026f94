"""The command `geosoil report`: files, words and exit codes."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import pytest

from geosoil.cli.main import main
from tests.report.report_cases import run_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return run_folder(tmp_path / "run")


def run(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(words)
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return code, captured.out, captured.err


def test_the_page_and_its_numbers_are_written_into_the_folder(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(["report", str(folder)], capsys)
    assert code == 0
    assert (folder / "report.html").read_bytes().startswith(b"<!DOCTYPE html>")
    assert (folder / "tables" / "report_numbers.csv").is_file()
    assert "3 figures" in out
    assert "All computations were done with geosoil 1.2" in out


def test_the_page_opens_where_it_was_written(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    target = tmp_path / "my page.html"
    code, _, _ = run(["report", str(folder), "--open", "-o", str(target)], capsys)
    assert code == 0
    assert opened == [target.resolve().as_uri()]
    assert target.is_file()
    assert not (folder / "report.html").exists()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["none"], 3, "does not exist"),
        (["."], 3, "holds no provenance.json"),
        (["run", "-o", "page.txt"], 1, "ends in .html"),
        ([], 2, "Missing argument"),
    ],
)
def test_what_cannot_be_done_is_told_by_words_and_code(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    told: str,
) -> None:
    monkeypatch.chdir(folder.parent)
    found, out, err = run(["report", *words], capsys)
    assert found == code
    assert out == ""
    assert told in err
