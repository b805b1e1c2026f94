"""Quality bits mean what the guide of the product says, bit for bit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.io.quality_bits import (
    FIELDS,
    MEANINGS,
    QualityRule,
    bits_kept,
    decode_vi_quality,
    reliability_kept,
)

COLUMNS = {
    "modland": "modland",
    "usefulness": "usefulness",
    "aerosol": "aerosol",
    "adjacent_cloud": "adjacent_cloud",
    "brdf": "brdf_corrected",
    "mixed_cloud": "mixed_cloud",
    "land_water": "land_water",
    "snow_ice": "snow_ice",
    "shadow": "shadow",
}
EVERY = np.arange(2**16, dtype="uint16")


def test_the_golden_values_are_decoded(golden):
    folder = golden / "geo" / "modis"
    table = pd.read_csv(folder / "qa_bits_decoded_c6_c61.csv")
    flags = decode_vi_quality(table["value"].to_numpy())
    for column, name in COLUMNS.items():
        assert flags[name].astype(int).tolist() == table[column].tolist()


def test_the_fields_hold_all_16_bits_once():
    positions = [first + n for first, size in FIELDS.values() for n in range(size)]
    assert sorted(positions) == list(range(16))
    for name, words in MEANINGS.items():
        assert len(words) == 2 ** FIELDS[name][1]


def test_every_bit_field_can_be_put_together_again():
    flags = decode_vi_quality(EVERY)
    again = sum(flags[name].astype(int) << first for name, (first, _) in FIELDS.items())
    np.testing.assert_array_equal(again, EVERY)


def test_decoding_equals_the_text_of_the_bits():
    flags = decode_vi_quality(EVERY)
    for value in range(0, 2**16, 977):
        text = f"{value:016b}"
        for name, (first, size) in FIELDS.items():
            part = text[16 - first - size : 16 - first]
            assert int(flags[name][value]) == int(part, 2)


def test_bits_read_as_signed_numbers_keep_snow_and_shadow():
    signed = EVERY.view("int16")
    for name, values in decode_vi_quality(EVERY).items():
        np.testing.assert_array_equal(decode_vi_quality(signed)[name], values)


@pytest.mark.parametrize("wrong", [[0.5], [70000], [-40000], ["a"]])
def test_what_is_no_bit_field_is_refused(wrong):
    with pytest.raises(InputError, match="bit field of 16 bits"):
        decode_vi_quality(wrong)


@given(
    rule=st.builds(
        QualityRule,
        max_usefulness=st.integers(0, 15),
        modland=st.sets(st.integers(0, 2), min_size=1),
        aerosols=st.sets(st.integers(0, 3), min_size=1),
        adjacent_clouds=st.booleans(),
        mixed_clouds=st.booleans(),
        snow=st.booleans(),
        shadow=st.booleans(),
    ),
    bits=st.lists(st.integers(0, 2**16 - 1), min_size=1, max_size=50),
)
def test_a_rule_keeps_what_a_loop_keeps(rule, bits):
    expected = [
        (b & 3) in rule.modland
        and (b >> 2 & 15) <= rule.max_usefulness
        and (b >> 6 & 3) in rule.aerosols
        and (rule.adjacent_clouds or not b >> 8 & 1)
        and (rule.mixed_clouds or not b >> 10 & 1)
        and (rule.snow or not b >> 14 & 1)
        and (rule.shadow or not b >> 15 & 1)
        for b in bits
    ]
    assert rule.keeps(np.array(bits, dtype="uint16")).tolist() == expected


def test_the_widest_rule_drops_only_what_was_not_produced():
    kept = QualityRule().keeps(EVERY)
    np.testing.assert_array_equal(kept, (EVERY & 3) != 3)


def test_rules_that_make_no_sense_are_refused_with_all_faults():
    with pytest.raises(
        InputError, match=r"max_usefulness 16.*modland \[3\].*aerosols \[\]"
    ):
        QualityRule(max_usefulness=16, modland=[3], aerosols=[])


def test_a_rule_tells_itself():
    text = str(QualityRule(max_usefulness=3, snow=False, mixed_clouds=False))
    assert text == (
        "custom (usefulness <= 3, MODLAND in [0, 1, 2], aerosol in [0, 1, 2, 3], "
        "without mixed clouds, snow)"
    )


def test_estimated_cells_pass_no_preset_unless_asked_for():
    ranks = np.arange(-1, 5)
    for quality in ("good", "keep_snow", "all"):
        assert not reliability_kept(ranks, quality, estimated="drop")[-1]
        kept = reliability_kept(ranks, quality, estimated="keep")[-1]
        assert kept == (quality == "all")


def test_presets_by_bits_nest():
    good, snow, everything = (
        bits_kept(EVERY, quality) for quality in ("good", "keep_snow", "all")
    )
    assert (good <= snow).all()
    assert (snow <= everything).all()
    assert everything.all()
