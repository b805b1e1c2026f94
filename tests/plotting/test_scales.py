"""Tests of the colour scales of maps."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgba

from geosoil.errors import InputError
from geosoil.plotting.scales import (
    KINDS,
    MapKind,
    colour_limits,
    colour_map,
    colour_stops,
    map_kind,
    round_step,
)
from geosoil.plotting.style import MISSING


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_has_a_palette_and_a_unit(kind: str):
    assert colour_map(map_kind(kind).palette).N == 256
    assert "[" in map_kind(kind).label


def test_kinds_have_the_palettes_of_the_specification():
    wanted = {"fraction": "batlow", "correlation": "vik", "sd": "lajolla_r"}
    assert {kind: KINDS[kind].palette for kind in wanted} == wanted


def test_colours_are_those_of_cmcrameri():
    code = (
        "import cmcrameri.cm as cm; "
        "print([cm.cmaps[n](i) for n in ('batlow', 'vik', 'lajolla_r') "
        "for i in (0, 100, 255)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    ours = [
        colour_map(name)(step)
        for name in ("batlow", "vik", "lajolla_r")
        for step in (0, 100, 255)
    ]
    numbers = done.stdout.replace("np.float64", "").translate(
        str.maketrans("()[],", "     ")
    )
    theirs = np.array(numbers.split(), dtype=float).reshape(-1, 4)
    np.testing.assert_allclose(np.array(ours), theirs, atol=1e-12)


def test_missing_cells_are_light_grey():
    assert colour_map("batlow")(np.nan) == to_rgba(MISSING)


def test_an_unknown_palette_or_kind_is_refused():
    with pytest.raises(InputError, match="Unknown colour map 'jet'"):
        colour_map("jet")
    with pytest.raises(InputError, match="Unknown kind of map 'rain'"):
        map_kind("rain")


def test_correlations_have_fixed_limits():
    assert colour_limits([[0.4, 0.5]], "correlation") == (-1.0, 1.0)


def test_fractions_show_their_range_but_never_leave_zero_to_one():
    assert colour_limits([[0.0, 0.3]], "fraction") == pytest.approx(
        (0.0, 0.3), abs=0.02
    )
    assert colour_limits([[0.72, 0.73]], "fraction") == pytest.approx((0.62, 0.84))
    assert colour_limits([[0.0, 1.0]], "fraction") == (0.0, 1.0)
    assert colour_limits([[0.99, 1.0]], "fraction")[1] == 1.0


def test_limits_of_rasters_without_values_are_zero_and_one():
    assert colour_limits([[np.nan]], "elevation") == (0.0, 1.0)


@given(
    st.lists(st.floats(-5000.0, 5000.0), min_size=1, max_size=40),
    st.sampled_from(["elevation", "sd", "air_temperature"]),
)
def test_limits_rise_and_hold_the_core_of_the_data(values: list[float], kind: str):
    low, high = colour_limits([values, [np.nan]], kind)
    core = np.percentile(values, [1.0, 99.0])
    slack = 1e-6 * (high - low)
    assert low < high
    assert low - slack <= core[0]
    assert core[1] <= high + slack


@given(st.lists(st.floats(-40.0, 40.0), min_size=1, max_size=40))
def test_limits_about_a_centre_are_symmetric(values: list[float]):
    low, high = colour_limits([values], "ground_temperature")
    assert low + high == pytest.approx(0.0, abs=1e-9)


@given(st.floats(1e-6, 1e9))
def test_a_round_step_is_below_its_size_by_less_than_two_and_a_half(size: float):
    step = round_step(size)
    assert step <= size * (1 + 1e-6) < 2.5 * step * (1 + 1e-5)
    assert round(step / 10.0 ** np.floor(np.log10(step) + 1e-9)) in (1, 2, 5)


def test_stops_run_from_end_to_end_with_the_colours_of_the_map():
    stops = colour_stops(MapKind("vik", "r", (-1.0, 1.0)), (-1.0, 1.0), n_stops=5)
    assert [value for value, _ in stops] == [-1.0, -0.5, 0.0, 0.5, 1.0]
    for value, colour in stops:
        drawn = colour_map("vik")((value + 1.0) / 2.0)
        np.testing.assert_allclose(to_rgba(colour), drawn, atol=1 / 255)
    with pytest.raises(InputError, match="2 or more"):
        colour_stops("sd", (0.0, 1.0), n_stops=1)
