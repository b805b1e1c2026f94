"""Tests of the colours of strata, waters and sources, as colour-blind readers see."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from geosoil.plotting.mixing_groups import kind_handles
from geosoil.plotting.strata_looks import (
    dark,
    group_colours,
    kind_words,
    stratum_looks,
    stratum_words,
)
from geosoil.plotting.style import DASH, WATER_STYLES
from geosoil.strata import ASPECTS, DEPTH_EDGES, ELEVATION_EDGES, VEGETATION
from geosoil.strata import class_labels as labels

# Machado, Oliveira and Fernandes (2009), severity 1, for linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
}
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def seen(colour: str, matrix: np.ndarray) -> np.ndarray:
    """CIELAB of a colour through an eye."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(matrix @ linear, 0.0, 1.0) / [0.95047, 1.0, 1.08883]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


PALETTES = {
    "waters": [style.colour for style in WATER_STYLES.values()],
    "vegetation": group_colours(VEGETATION),
    "aspect": group_colours(ASPECTS),
    "elevation": group_colours(labels(ELEVATION_EDGES)),
    "depth": group_colours(labels(DEPTH_EDGES)),
    "groups of the mixing diagram": [
        str(handle.get_color())
        for handle in kind_handles(pd.DataFrame({"group": list("abcdef")}))
    ],
}


@pytest.mark.parametrize("eye", BLINDNESS)
@pytest.mark.parametrize("name", PALETTES)
def test_colours_differ_for_every_eye(name, eye):
    places = [seen(colour, BLINDNESS[eye]) for colour in PALETTES[name]]
    closest = min(np.linalg.norm(one - two) for one, two in combinations(places, 2))
    assert closest > 12.0


def test_no_two_of_many_strata_look_alike():
    strata = [f"class {order}" for order in range(20)]
    assert len(set(stratum_looks(strata).values())) == 20
    handles = kind_handles(pd.DataFrame({"group": strata}))
    assert len({(h.get_marker(), h.get_color()) for h in handles}) == 20


def test_colours_of_strata_are_none_of_a_water():
    waters = {style.colour for style in WATER_STYLES.values()}
    assert waters.isdisjoint(group_colours([*VEGETATION]))
    assert waters.isdisjoint(group_colours([*ASPECTS]))


def test_what_lies_outside_of_every_class_is_grey():
    looks = stratum_looks(["3000-3500", "outside"])
    assert looks["outside"].colour == "#999999"


def test_words_have_dashes_and_units():
    assert stratum_words("elevation_band", "3000-3500") == f"3000{DASH}3500 m"
    assert stratum_words("vegetation", "alpine_meadow") == "alpine meadow"
    assert kind_words("all") == "all samples"


@pytest.mark.parametrize("style", WATER_STYLES.values())
def test_dark_letters_can_be_read_on_white(style):
    rgb = np.array(to_rgb(dark(style.colour)))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    assert 1.05 / (TO_XYZ[1] @ linear + 0.05) > 4.5
