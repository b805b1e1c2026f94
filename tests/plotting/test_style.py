"""Tests of what every figure has in common."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import geosoil.plotting
from geosoil.errors import InputError
from geosoil.plotting.page import (
    legend_columns,
    make_figure,
    panel_title,
    title_lines,
    write_note,
)
from geosoil.plotting.style import WATER_STYLES, house_style, render, water_style
from geosoil.strata import WATERS

MODULES = sorted(
    f"geosoil.plotting.{file.stem}"
    for file in Path(geosoil.plotting.__file__).parent.glob("[a-z]*.py")
)


def test_render_gives_a_png_of_the_size_asked_for():
    picture = render(make_figure(4.0, 3.0), dpi=150)
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", picture[16:24]) == (600, 450)


def test_a_picture_carries_its_texts_and_its_software():
    picture = render(make_figure(2.0, 1.0), text={"Source": "a sample table"})
    assert b"Software\x00geosoil" in picture
    assert b"Source\x00a sample table" in picture


def test_the_same_figure_gives_the_same_bytes():
    assert render(make_figure(2.0, 1.0)) == render(make_figure(2.0, 1.0))


@pytest.mark.parametrize("dpi", [0.0, -100.0, float("nan")])
def test_a_resolution_that_is_not_positive_is_refused(dpi: float):
    with pytest.raises(InputError, match="Invalid resolution"):
        render(make_figure(2.0, 1.0), dpi=dpi)


def test_settings_of_matplotlib_are_as_before_after_rendering():
    before = dict(mpl.rcParams)
    render(write_note(make_figure(2.0, 1.0, note="simulated"), None))
    assert dict(mpl.rcParams) == before
    with house_style():
        assert mpl.rcParams["font.size"] == 8.0
    assert dict(mpl.rcParams) == before


def test_no_module_of_the_room_imports_pyplot_or_reads_files():
    code = (
        f"import sys, {', '.join(MODULES)}; from geosoil.plotting.scales import "
        "colour_map; colour_map('batlow'); "
        "print([m for m in ('matplotlib.pyplot', 'geosoil.io', 'geosoil.config') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_every_water_has_its_own_colour_and_marker():
    assert set(WATERS) == set(WATER_STYLES)
    assert len({style.colour for style in WATER_STYLES.values()}) == len(WATERS)
    assert len({style.marker for style in WATER_STYLES.values()}) == len(WATERS)


def test_unknown_sources_get_different_colours():
    assert water_style("fog", order=0).colour != water_style("fog", order=1).colour


def test_one_panel_gets_no_letter():
    axes = panel_title(Figure().subplots(), "June", order=0, panels=1)
    assert axes.get_title(loc="left") == "June"


def test_long_titles_are_broken_into_even_lines_that_fit():
    words = "Kriging standard deviation of the share of precipitation in soil water"
    lines = title_lines(words, width=5.5).splitlines()
    assert " ".join(lines) == words
    assert len(lines) == 2
    assert max(map(len, lines)) <= 40
    assert title_lines("", width=5.5) == ""


def test_a_note_lies_at_the_bottom_and_is_left_out_when_empty():
    figure = make_figure(4.0, 3.0, note="simulated data")
    assert [text.get_text() for text in figure.texts] == ["simulated data"]
    assert figure.texts[0].get_position()[1] < 0.1
    assert make_figure(4.0, 3.0, note="").texts == []


def test_groups_of_a_legend_start_their_own_columns():
    groups = [[Line2D([], [], label=f"{g}{i}") for i in range(g)] for g in (5, 2, 3)]
    labels = [artist.get_label() for artist in legend_columns(groups, rows=3)]
    assert labels[::3] == ["50", "53", "20", "30"]
    assert len(labels) == 12
