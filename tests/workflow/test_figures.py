"""Files of a study's figures: formats of the preset, and the words beside them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from geosoil.config import OutputSettings
from geosoil.plotting.page import make_figure
from geosoil.plotting.picture import name_figure
from geosoil.plotting.style import HESS, SCREEN
from geosoil.workflow import figures as room
from tests.workflow.figure_cases import inputs


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list:
    """Presets that two small figures were drawn for."""
    presets: list = []

    def draw(preset):
        presets.append(preset)
        figure = make_figure(1.0, 1.0, note="SIMULATED")
        return name_figure(figure, "A map", "It shows little.")

    monkeypatch.setattr(
        room, "study_figures", lambda *_: iter([("one", draw), ("two", draw)])
    )
    return presets


def write(folder: Path, **output: str) -> list[str]:
    study = inputs(output=output)
    lines: list[str] = []
    paths = room.write_figures(study, SimpleNamespace(), folder, lines.append)
    assert lines == ["drawing one", "drawing two"]
    assert sorted(paths) == sorted(folder.iterdir())
    return [path.name for path in paths]


def test_a_screen_gets_pictures(asked, tmp_path: Path) -> None:
    assert write(tmp_path) == ["one.png", "two.png"]
    assert asked == [SCREEN, SCREEN]


def test_a_journal_gets_pdfs_pictures_and_captions(asked, tmp_path: Path) -> None:
    assert write(tmp_path, figures="hess") == [
        "one.pdf",
        "one.png",
        "two.pdf",
        "two.png",
        "captions.txt",
    ]
    assert asked == [HESS, HESS]
    assert (tmp_path / "captions.txt").read_text() == (
        "one\nA map\nIt shows little.\nSIMULATED\n\n"
        "two\nA map\nIt shows little.\nSIMULATED\n"
    )


def test_two_runs_write_the_same_bytes(asked, tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, figures="hess")
    for file in (tmp_path / "first").iterdir():
        assert file.read_bytes() == (tmp_path / "second" / file.name).read_bytes()


def test_an_unknown_preset_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ValidationError, match="'screen' or 'hess'"):
        OutputSettings(figures="poster")  # type: ignore[arg-type]
