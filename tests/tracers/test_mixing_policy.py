"""Mixtures outside their sources: kept, excluded or moved, and none lost."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geosoil.errors import InputError
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.mixing import source_fractions
from geosoil.tracers.mixing_policy import apply_mixing_policy
from geosoil.tracers.mixing_region import mixing_region

BOTH = ["d18O", "d2H"]


def ends() -> EndMembers:
    table = pd.DataFrame(
        {
            "source": ["precipitation", "ground_ice", "snowmelt"],
            "d18O": [-11.2, -14.9, -17.4],
            "d2H": [-80.1, -120.2, -128.4],
            "d18O_sd": 0.3,
            "d2H_sd": 2.5,
        }
    )
    return EndMembers.from_table(table)


def soil() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    d18O = rng.normal(-14, 2, 60)
    table = pd.DataFrame({"d18O": d18O, "d2H": 8 * d18O + rng.normal(4, 8, 60)})
    table["period"] = ["June", "August", "September"] * 20
    table.loc[7, "d18O"] = np.nan
    table.index = [f"s{place}" for place in range(60)]
    return table


def region(table, tracers=BOTH) -> pd.DataFrame:
    return mixing_region(
        table, ends(), rng=np.random.default_rng(1), tracers=tracers, n_draws=400
    )


def outside_rows(found) -> pd.Series:
    return found["inside_probability"] < 0.05


@pytest.mark.parametrize("policy", ["keep", "exclude", "reassign"])
def test_no_mixture_is_lost_and_all_are_counted(policy) -> None:
    table, found = soil(), region(soil())
    result = apply_mixing_policy(table, found, policy=policy, by=["period"])
    both = pd.concat([result.mixtures, result.excluded])
    assert sorted(both.index) == sorted(table.index)
    counts = result.counts
    assert counts["period"].tolist() == ["June", "August", "September"]
    assert counts["n"].tolist() == [20, 20, 20]
    done = counts[["n_kept", "n_excluded", "n_reassigned"]]
    assert done.sum(axis=1).tolist() == [20, 20, 20]
    states = counts[["n_inside", "n_outside", "n_untested"]]
    assert states.sum(axis=1).tolist() == [20, 20, 20]
    assert states["n_untested"].tolist() == [0, 1, 0]
    assert states["n_outside"].sum() == outside_rows(found).sum() > 10
    assert result.policy == policy


def test_keep_marks_and_changes_nothing() -> None:
    table, found = soil(), region(soil())
    result = apply_mixing_policy(table, found)
    pd.testing.assert_frame_equal(result.mixtures[table.columns], table)
    assert result.excluded.empty
    marks = result.mixtures["mixing_region"]
    assert (marks == "outside").tolist() == outside_rows(found).tolist()
    assert marks["s7"] == "untested"
    assert result.mixtures.loc["s7", "region_reason"] == "missing tracer"
    assert "missing tracer (1)" in result.counts["why"].item()


def test_exclude_takes_out_those_outside_and_no_others() -> None:
    table, found = soil(), region(soil())
    result = apply_mixing_policy(table, found, policy="exclude")
    assert result.excluded.index.tolist() == table.index[outside_rows(found)].tolist()
    assert "s7" in result.mixtures.index
    assert (result.excluded["outside_words"] != "").all()
    row = result.counts.iloc[0]
    assert row["n_excluded"] == row["n_outside"] == len(result.excluded)
    sides = [words.partition(",")[0] for words in result.excluded["outside_words"]]
    for side in set(sides):
        assert f"{side} ({sides.count(side)})" in row["why"]


@pytest.mark.parametrize("tracers", [BOTH, ["d18O", "d_excess"]])
def test_reassign_moves_to_the_region_and_records_the_way(tracers) -> None:
    table = soil().assign(d_excess=lambda t: t["d2H"] - 8 * t["d18O"])
    found = region(table, tracers)
    result = apply_mixing_policy(table, found, policy="reassign")
    moved = result.mixtures
    for name in BOTH:
        np.testing.assert_allclose(
            moved[name] - moved[f"{name}_shift"], table[name], rtol=1e-12
        )
    np.testing.assert_allclose(
        moved["d_excess"], moved["d2H"] - 8 * moved["d18O"], atol=1e-9
    )
    outside = outside_rows(found)
    assert (moved.loc[~outside, "d18O_shift"] == 0).all()
    assert (moved.loc[outside, "d2H_shift"] != 0).any()
    answer = source_fractions(moved[outside], ends(), tracers=tracers)
    raw = answer[[f"{name}_raw" for name in ends().sources]].to_numpy()
    assert raw.min() > -1e-8
    before = source_fractions(table[outside], ends(), tracers=tracers)
    names = list(ends().sources)
    np.testing.assert_allclose(answer[names], before[names], atol=1e-6)
    n_moved = int((moved[["d18O_shift", "d2H_shift"]] != 0).any(axis=1).sum())
    assert result.counts["n_reassigned"].item() == n_moved


def test_a_mixture_inside_but_improbable_is_not_moved() -> None:
    table = pd.DataFrame({"Cl": [2.0]})
    found = pd.DataFrame(
        {
            "inside": [True],
            "inside_probability": [0.01],
            "Cl_nearest": [2.0],
            "outside_words": [""],
            "reason": [""],
        }
    )
    result = apply_mixing_policy(table, found, policy="reassign")
    assert result.mixtures["Cl_shift"].tolist() == [0.0]
    row = result.counts.iloc[0]
    assert (row["n_outside"], row["n_kept"], row["n_reassigned"]) == (1, 1, 0)
    assert row["why"] == "inside, but improbable (1)"


def test_without_probability_the_exact_test_decides() -> None:
    table = soil()
    plain = EndMembers.from_table(ends().table[["source", *BOTH]])
    found = mixing_region(table, plain, rng=np.random.default_rng(1))
    result = apply_mixing_policy(table, found, policy="exclude")
    expected = found["inside"].eq(False).fillna(False)
    assert result.excluded.index.tolist() == table.index[expected].tolist()


def test_the_threshold_decides() -> None:
    table, found = soil(), region(soil())
    for threshold in (0.0, 0.2, 0.9):
        result = apply_mixing_policy(
            table, found, policy="exclude", threshold=threshold
        )
        expected = (found["inside_probability"] < threshold).sum()
        assert len(result.excluded) == expected


def test_bad_arguments_are_refused() -> None:
    table, found = soil(), region(soil())
    with pytest.raises(InputError, match=r"Unknown policy 'drop'\. Choose keep, e"):
        apply_mixing_policy(table, found, policy="drop")
    with pytest.raises(InputError, match="Invalid threshold 5"):
        apply_mixing_policy(table, found, threshold=5)
    with pytest.raises(InputError, match="indices differ"):
        apply_mixing_policy(table[1:], found)
    with pytest.raises(InputError, match="Mixing region: missing column reason"):
        apply_mixing_policy(table, found.drop(columns="reason"))
    with pytest.raises(InputError, match="Mixtures: missing column aspect"):
        apply_mixing_policy(table, found, by=["aspect"])
    alone = EndMembers.from_table(
        pd.DataFrame(
            {"source": ["a", "b"], "d_excess": [0.0, 9.0], "d_excess_sd": [1.0, 1.0]}
        )
    )
    one = mixing_region(
        table, alone, rng=np.random.default_rng(1), tracers=["d_excess"]
    )
    with pytest.raises(InputError, match="does not tell how d18O, d2H move"):
        apply_mixing_policy(table, one, policy="reassign")
