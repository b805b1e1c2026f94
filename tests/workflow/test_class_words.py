"""Names of classes from the tags of a file."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from geosoil.workflow.class_words import class_names

NAMES = ("far_from_data", "near_sill", "too_high", "outside_hull")
BITS = {"bits": ", ".join(f"{2**k} {name}" for k, name in enumerate(NAMES))}
MASKS = {"flag_masks": "1 2 4 8", "flag_meanings": " ".join(NAMES)}


@given(st.sets(st.integers(0, 15)))
def test_a_code_is_named_by_all_its_flags_and_no_other(codes: set[int]) -> None:
    names = class_names(BITS, codes)
    assert names == class_names(MASKS, codes)
    assert set(names) == codes
    for code, words in names.items():
        told = {name.replace("_", " ") for k, name in enumerate(NAMES) if code >> k & 1}
        assert set(words.split("; ")) == (told or {"none of these"})


@given(st.integers(16, 255))
def test_a_code_with_an_unknown_flag_has_no_name(code: int) -> None:
    assert class_names(BITS, [code]) == {}


def test_values_are_named_one_by_one() -> None:
    tags = {"flag_values": "[0 1 -3]", "flag_meanings": "ok few all_missing"}
    assert class_names(tags, [-3, 0, 7]) == {-3: "all missing", 0: "ok"}


def test_words_that_do_not_fit_the_numbers_name_nothing() -> None:
    assert class_names({"flag_values": "0 1", "flag_meanings": "ok"}, [0, 1]) == {}
    assert class_names({}, [0, 1]) == {}
