"""The quality rules against the paper's Table 1 and against planted misprints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.tracers.lines import GMWL, WaterLine
from geosoil.tracers.quality import RULES, check_quality
from geosoil.tracers.quality_printed import PrintedWater, mends, printed_decimals
from geosoil.tracers.quality_rules import QualityLimits

PAPER = Path(__file__).parents[2] / "data" / "paper"
PRINTED = {
    "d18O": "d18O_printed",
    "d2H": "d2H_printed",
    "d_excess": "dexcess_printed",
}
NAMES = ["period", "label", *PRINTED.values()]
KINDS = ("sign", "digit", "transposed", "columns", "decimal", "value copied", "row")


def table_1(**options) -> pd.DataFrame:
    return pd.read_csv(PAPER / "table1_means.csv", usecols=NAMES, **options)


@pytest.mark.parametrize("dtype", [None, str])
def test_every_arithmetic_misprint_of_table_1_is_found_and_nothing_else(dtype) -> None:
    table = table_1(dtype=dtype)
    issues = pd.read_csv(PAPER / "issues.csv")
    listed = issues[issues["issue"].str.contains("printed 1|printed [0-9]|minus sign")]
    listed = listed[listed["where"] == "Table 1"]
    expected = set(zip(listed["period"], listed["group"], strict=True))
    assert len(expected) == 14
    lmwl = WaterLine.stated(7.90, 12.43)
    report = check_quality(table, columns=PRINTED, lmwl=lmwl)
    rows = table.loc[report["row"].astype(int)]
    assert set(zip(rows["period"], rows["label"], strict=True)) == expected
    assert len(report) == 14
    signs = report[report["rule"] == "lost_sign"]
    assert sorted(signs["expected"]) == ["-14.23", "-93.63"]
    others = report[report["rule"] == "identity"]
    assert set(table.loc[others["row"].astype(int), "period"]) == {"August"}
    assert (report["reason"] != "").all()


def realistic(rng: np.random.Generator, n: int, decimals: tuple[int, int]):
    """Return rain scattered about a line, evaporated by chance, and printed."""
    oxygen = rng.choice([-17.0, -14.0, -12.0, -9.5]) + rng.normal(
        0, rng.uniform(0.8, 3.0), n
    )
    hydrogen = 7.9 * oxygen + rng.uniform(6, 14)
    hydrogen += rng.normal(0, rng.uniform(0.8, 3.0), n)
    evaporation = rng.gamma(1.5, 0.6, n)
    oxygen, hydrogen = oxygen + evaporation, hydrogen + 4 * evaporation
    first, second = decimals
    return pd.DataFrame(
        {
            "d18O": oxygen.round(first),
            "d2H": hydrogen.round(second),
            "d_excess": (hydrogen - 8 * oxygen).round(first),
        }
    )


def misprint(rng, frame, row, kind, decimals) -> pd.DataFrame | None:
    """Return the table with one misprint; None where rounding would hide it."""
    frame = frame.copy()
    if kind == "columns":
        frame.loc[row, ["d18O", "d2H"]] = frame.loc[row, ["d2H", "d18O"]].to_numpy()
        return frame
    if kind == "row":
        others = frame.index.drop(row)
        frame.loc[row] = frame.loc[int(rng.choice(others))]
        return frame
    name = str(rng.choice(frame.columns))
    old = float(frame.loc[row, name])
    places = decimals[1] if name == "d2H" else decimals[0]
    text = list(f"{old:.{places}f}")
    digits = [i for i, character in enumerate(text) if character.isdigit()]
    new = -old
    if kind == "digit":
        i = int(rng.choice(digits))
        text[i] = str((int(text[i]) + int(rng.integers(1, 10))) % 10)
        new = float("".join(text))
    elif kind == "transposed":
        k = int(rng.integers(len(digits) - 1))
        i, j = digits[k], digits[k + 1]
        text[i], text[j] = text[j], text[i]
        new = float("".join(text))
    elif kind == "decimal":
        new = round(old * float(rng.choice([0.1, 10.0])), places)
    elif kind == "value copied":
        new = float(frame[name].iloc[int(rng.integers(len(frame)))])
    frame.loc[row, name] = new
    rounding = 0.5 * 10.0 ** -decimals[1] + 4.5 * 10.0 ** -decimals[0]
    effect = abs(new - old) * (8 if name == "d18O" else 1)
    return frame if effect > rounding else None


def campaign(seeds, decimals, columns):
    """Return found and planted by kind, and false alarms and clean rows."""
    counts = pd.DataFrame(0, index=list(KINDS), columns=["found", "planted"])
    false, clean = 0, 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        frame = realistic(rng, int(rng.integers(60, 200)), decimals)[columns]
        chosen = rng.choice(len(frame), len(KINDS), replace=False)
        planted = {}
        for row, kind in zip(chosen.tolist(), KINDS, strict=True):
            tries = (misprint(rng, frame, row, kind, decimals) for _ in range(50))
            changed = next((t for t in tries if t is not None), None)
            if changed is not None:
                frame, planted[row] = changed, kind
        flagged = set(check_quality(frame)["row"].dropna())
        for row, kind in planted.items():
            counts.loc[kind] += [row in flagged, 1]
        false += len(flagged - set(planted))
        clean += len(frame) - len(planted)
    return counts, false / clean


@pytest.mark.parametrize("decimals", [(2, 2), (2, 1), (1, 1)])
def test_planted_misprints_are_found_where_a_d_excess_column_stands(decimals) -> None:
    counts, false = campaign(range(60), decimals, ["d18O", "d2H", "d_excess"])
    recall = counts["found"] / counts["planted"]
    print(decimals, recall.round(3).to_dict(), f"false alarms {false:.4f}")
    assert counts["found"].sum() / counts["planted"].sum() >= 0.95
    assert (recall >= 0.9).all()
    assert (recall[["sign", "columns", "row"]] >= 0.98).all()
    assert false <= 0.02


def test_without_d_excess_signs_columns_and_decimal_points_are_still_found() -> None:
    counts, false = campaign(range(60), (2, 2), ["d18O", "d2H"])
    recall = counts["found"] / counts["planted"]
    print(recall.round(3).to_dict(), f"false alarms {false:.4f}")
    gross = ["sign", "columns", "decimal", "row"]
    assert (recall[gross] >= 0.95).all()
    assert (recall.drop(gross) < 0.8).all()
    assert false <= 0.02


@pytest.mark.parametrize("decimals", [(2, 2), (2, 1), (1, 1), (8, 8)])
def test_clean_tables_raise_few_alarms(decimals) -> None:
    flagged, rows = 0, 0
    for seed in range(1000, 1040):
        rng = np.random.default_rng(seed)
        frame = realistic(rng, 150, decimals)
        flagged += check_quality(frame)["row"].dropna().nunique()
        rows += len(frame)
    assert flagged / rows <= 0.01


@given(
    st.integers(-3000, 1000),
    st.floats(-10, 30),
    st.integers(1, 3),
)
def test_rounding_alone_never_breaks_the_identity(oxygen, excess, digits) -> None:
    x = oxygen / 137.0
    y = 8 * x + excess
    numbers = {"d18O": x, "d2H": y, "d_excess": excess}
    row = {name: [f"{value:.{digits}f}"] for name, value in numbers.items()}
    for frame in (pd.DataFrame(row), pd.DataFrame(row).astype(float)):
        assert check_quality(frame, rules=["identity"]).empty


@given(
    st.floats(-30, -2).map(lambda v: round(v, 2)),
    st.floats(1, 20).map(lambda v: round(v, 2)),
)
def test_a_lost_sign_is_told_by_the_sign_that_mends_it(x, d) -> None:
    row = PrintedWater(
        {"d18O": -x, "d2H": 8 * x + d, "d_excess": d},
        dict.fromkeys(("d18O", "d2H", "d_excess"), 0.005),
    )
    assert [(m.rule, m.column) for m in mends(row)] == [("lost_sign", "d18O")]
    assert float(mends(row)[0].expected) == x


def test_text_keeps_the_zeros_that_numbers_lose() -> None:
    frame = pd.DataFrame({"d18O": ["-12.00"], "d2H": ["-89.78"], "d_excess": ["6.30"]})
    assert check_quality(frame)["rule"].tolist() == ["identity"]
    assert check_quality(frame.astype(float)).empty
    both = dict.fromkeys(frame.columns, 2)
    assert len(check_quality(frame.astype(float), digits=both)) == 1
    assert printed_decimals(pd.Series([1.0, 2.0])).tolist() == [0, 0]
    assert printed_decimals(pd.Series([1, 2])).tolist() == [0, 0]


def clean(n: int = 60, seed: int = 5) -> pd.DataFrame:
    return realistic(np.random.default_rng(seed), n, (2, 2))


def test_fractions_are_told_once_for_the_whole_column() -> None:
    frame = clean()[["d18O", "d2H"]] / 1000
    report = check_quality(frame)
    assert report["row"].isna().all()
    assert report["column"].tolist() == ["d18O", "d2H"]
    assert set(report["rule"]) == {"units"}


def test_a_row_of_fractions_is_told_among_permil() -> None:
    frame = clean()
    frame.loc[7, ["d18O", "d2H"]] /= 1000
    report = check_quality(frame)
    assert report[["row", "rule"]].to_numpy().tolist() == [[7, "units"]]


def test_exchanged_columns_are_told_once() -> None:
    frame = clean().rename(columns={"d18O": "d2H", "d2H": "d18O"})
    report = check_quality(frame[["d18O", "d2H"]])
    assert report[["row", "rule"]].to_numpy().tolist() == [[None, "swapped"]]


def test_gross_misprints_are_told_in_tables_of_a_few_rows() -> None:
    frame = pd.DataFrame({"d18O": [-12.0, 13.26, -98.1], "d2H": [-89.8, -100.0, -13.0]})
    report = check_quality(frame)
    assert report[["row", "rule", "expected"]].to_numpy().tolist() == [
        [1, "lost_sign", "-13.26"],
        [2, "swapped", "-13, -98.1"],
    ]


def test_water_above_the_lmwl_is_flagged_beyond_the_bound() -> None:
    frame = pd.DataFrame({"d18O": [-10.0, -10.0], "d2H": [-60.0, -66.0]})
    report = check_quality(frame, lmwl=GMWL, rules=["above_lmwl"])
    assert report["row"].tolist() == [0]
    assert report["found"].iloc[0] == "lc-excess 10.00"
    wide = QualityLimits(above_lmwl=6.0)
    assert check_quality(frame, lmwl=GMWL, rules=["above_lmwl"], limits=wide).empty
    assert check_quality(frame, rules=["above_lmwl"]).empty


def test_repeated_ids_and_values_are_flagged() -> None:
    frame = clean().assign(sample_id=[f"s{i}" for i in range(60)])
    frame.loc[9, "sample_id"] = "s3"
    frame.loc[20, ["d18O", "d2H", "d_excess"]] = frame.loc[
        40, ["d18O", "d2H", "d_excess"]
    ]
    report = check_quality(frame)
    assert report[["row", "column"]].to_numpy().tolist() == [
        [9, "sample_id"],
        [20, "d18O, d2H"],
        [40, "d18O, d2H"],
    ]


def test_equal_values_are_not_held_for_copies_where_digits_are_few() -> None:
    frame = clean(400)[["d18O", "d2H"]].round(0)
    report = check_quality(frame, rules=["duplicate"])
    assert report["row"].tolist() == [None]
    assert report["severity"].tolist() == ["note"]


def test_the_papers_precision_is_held_for_exchanged() -> None:
    stated = QualityLimits(precision=(0.5, 0.2))
    report = check_quality(clean(), limits=stated)
    assert report[["rule", "expected"]].to_numpy().tolist() == [
        ["precision", "0.2, 0.5"]
    ]
    column = clean().assign(d18O_sd=0.5, d2H_sd=0.2)
    assert check_quality(column)["row"].tolist() == [None]
    fine = clean().assign(d18O_sd=0.2, d2H_sd=0.5)
    assert check_quality(fine).empty
    fine.loc[3, "d18O_sd"] = 0.0
    fine.loc[4, "d2H_sd"] = 9.0
    assert check_quality(fine)["row"].tolist() == [3, 4]


def parallels(spread: float, rng: np.random.Generator) -> pd.DataFrame:
    site = np.repeat(np.arange(40), 3)
    x = rng.normal(-12, 2, 40)[site]
    return pd.DataFrame(
        {
            "d18O": x + rng.normal(0, spread, 120),
            "d2H": 8 * x + 8 + rng.normal(0, 2.5 * spread, 120),
            "site_id": [f"P{i}" for i in site],
            "period": "June",
            "depth_top": 0.0,
        }
    )


def test_parallel_samples_are_held_against_the_precision_and_each_other() -> None:
    frame = parallels(0.2, np.random.default_rng(1))
    assert check_quality(frame, rules=["parallel"]).empty
    frame.loc[30, "d18O"] += 3
    report = check_quality(frame, rules=["parallel"])
    single = report[report["row"].notna()]
    assert single[["row", "column"]].to_numpy().tolist() == [[30, "d18O"]]
    wide = check_quality(parallels(1.0, np.random.default_rng(2)), rules=["parallel"])
    assert wide["row"].isna().all()
    assert wide["severity"].tolist() == ["note", "note"]


def test_rows_keep_their_labels_and_the_table_is_not_changed() -> None:
    frame = clean()
    frame.index = [f"r{i}" for i in range(60)]
    frame.loc["r8", "d18O"] *= -1
    before = frame.copy(deep=True)
    report = check_quality(frame)
    assert report[["row", "rule", "column"]].to_numpy().tolist() == [
        ["r8", "lost_sign", "d18O"]
    ]
    pd.testing.assert_frame_equal(frame, before)


def test_missing_values_and_empty_tables_are_no_fault() -> None:
    frame = clean()
    frame.loc[[1, 5], "d18O"] = np.nan
    frame.loc[6] = np.nan
    assert check_quality(frame).empty
    assert check_quality(frame.iloc[:0]).empty
    assert next(iter(check_quality(frame.iloc[:0]).columns)) == "row"


def test_unknown_rules_columns_and_words_are_refused() -> None:
    with pytest.raises(InputError, match=r"Unknown rule sign\. Rules: units"):
        check_quality(clean(), rules=["sign"])
    with pytest.raises(InputError, match="missing column d2H"):
        check_quality(clean()[["d18O"]])
    bad = clean().astype(object)
    bad.loc[[3, 4], "d2H"] = ["n.d.", "?"]
    with pytest.raises(InputError, match=r"2 value\(s\).*'n.d.' \(row 3\), '\?'"):
        check_quality(bad)
    assert len(RULES) == 8
