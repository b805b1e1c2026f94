"""The files of a figure: formats of each preset, words, fonts, equal bytes."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from geosoil.grids.grid import Grid
from geosoil.plotting.month_maps import figure_month_maps
from geosoil.plotting.page import make_figure, write_title
from geosoil.plotting.picture import figure_files, figure_words, name_figure
from geosoil.plotting.region_maps import MapSheet
from geosoil.plotting.style import HESS, PRESETS, SCREEN, FigurePreset

NOTE = "SIMULATED data: no value on this figure was measured"
GRID = Grid.from_bounds((90, 31, 102, 36), 1, "EPSG:4326")


def map_for(preset: FigurePreset) -> Figure:
    field = GRID.raster(np.linspace(0, 1, 60).reshape(GRID.shape))
    return figure_month_maps(
        {("ndvi", "June"): field},
        sheet=MapSheet(note=NOTE, preset=preset),
        title="NDVI by month",
        caption="Cells of δ¹⁸O.",
    )


@pytest.fixture(scope="module")
def files() -> dict[str, dict[str, bytes]]:
    return {
        preset.name: figure_files(map_for(preset), preset=preset)
        for preset in (SCREEN, HESS)
    }


def test_presets_are_known_by_their_names() -> None:
    assert {name: preset.name for name, preset in PRESETS.items()} == {
        "screen": "screen",
        "hess": "hess",
    }


def test_a_screen_gets_a_png_and_a_journal_a_pdf_beside_it(files) -> None:
    assert list(files["screen"]) == ["png"]
    assert list(files["hess"]) == ["pdf", "png"]


@pytest.mark.parametrize("preset", [SCREEN, HESS])
def test_the_same_figure_gives_the_same_bytes(files, preset: FigurePreset) -> None:
    assert figure_files(map_for(preset), preset=preset) == files[preset.name]


def test_a_journals_files_are_8_3_cm_wide(files) -> None:
    pdf, png = files["hess"]["pdf"], files["hess"]["png"]
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf)
    assert box is not None
    assert float(box[1]) / 72 * 2.54 == pytest.approx(8.3, abs=0.005)
    with Image.open(BytesIO(png)) as picture:
        assert picture.width / 300 * 2.54 == pytest.approx(8.3, abs=0.01)
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_fonts_of_a_pdf_are_embedded_truetype_and_no_date_is_written(files) -> None:
    pdf = files["hess"]["pdf"]
    assert b"/CIDFontType2" in pdf
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    assert b"CreationDate" not in pdf
    assert b"/Subtype /Image" in pdf, "the raster is an image, not a path a cell"


def test_files_carry_title_caption_note_and_version(files) -> None:
    with Image.open(BytesIO(files["hess"]["png"])) as picture:
        text = picture.text
    assert text["Title"] == "NDVI by month"
    assert text["Description"] == "Cells of δ¹⁸O."
    assert text["Comment"] == NOTE
    assert text["Software"].startswith("geosoil ")
    assert b"/Title (NDVI by month)" in files["hess"]["pdf"]
    assert b"geosoil" in files["hess"]["pdf"]


def chunks(png: bytes) -> list[bytes]:
    found, place = [], 8
    while place < len(png):
        (size,) = struct.unpack(">I", png[place : place + 4])
        found.append(png[place + 4 : place + 8])
        place += 12 + size
    return found


def test_a_png_has_no_time(files) -> None:
    assert b"tIME" not in chunks(files["screen"]["png"])


@pytest.mark.parametrize(
    "named",
    [
        lambda figure: name_figure(figure, "A long title", "One.\nTwo."),
        lambda figure: write_title(figure, "A long title"),
    ],
)
def test_words_are_found_whether_they_are_drawn_or_not(
    named: Callable[[Figure], Figure],
) -> None:
    words = figure_words(named(make_figure(1.2, 2.0, note=NOTE)))
    assert words.title == "A long title"
    assert words.note == NOTE
    assert words.caption in ("", "One.\nTwo.")


def test_a_title_is_drawn_on_a_screen_and_kept_out_of_a_journals_figure() -> None:
    assert map_for(SCREEN).get_suptitle() == "NDVI by month"
    assert map_for(HESS).get_suptitle() == ""
    for preset in (SCREEN, HESS):
        captions = [t for t in map_for(preset).texts if t.get_gid() == "caption"]
        assert bool(captions) is preset.titled
