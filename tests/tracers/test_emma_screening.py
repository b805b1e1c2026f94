"""Screening: true end members come first, planted impostors last."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geosoil.errors import InputError, MixingError
from geosoil.tracers.emma import emma
from geosoil.tracers.emma_screening import screen_end_members, screen_sets
from geosoil.tracers.endmembers import EndMembers

TRACERS = ["Ca", "Mg", "Na", "Cl", "SO4"]
TRUE = np.array([[9.0, 1, 2, 5, 3], [1, 8, 2, 4, 6], [2, 2, 7, 9, 1]])
NAMES = ["rain", "ice", "bog"]


def candidates(more: dict[str, list[float]]) -> EndMembers:
    table = pd.DataFrame(np.r_[TRUE, np.array([*more.values()]).reshape(-1, 5)])
    table.columns = pd.Index(TRACERS)
    return EndMembers.from_table(table.assign(source=[*NAMES, *more]))


@pytest.fixture
def space():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(3) * 3, 60)
    values = shares @ TRUE + 0.02 * rng.standard_normal((60, 5))
    return emma(pd.DataFrame(values, columns=TRACERS), tracers=TRACERS)


@pytest.mark.parametrize("order", ["mean_misfit", "distance", "relative_distance"])
def test_an_impostor_comes_last(space, order) -> None:
    waters = candidates({"river": [5.0, 5, 5, 1, 9]})
    ranked = screen_end_members(space, waters, order=order)
    assert ranked.index[-1] == "river"
    assert ranked[order].is_monotonic_increasing
    assert ranked.loc["river", "mixtures_as_far"] == 0.0
    projected = space.project(waters)
    misfit = projected[[f"{tracer}_misfit" for tracer in TRACERS]].abs()
    for source, row in ranked.iterrows():
        assert row["mean_misfit"] == pytest.approx(misfit.loc[source].mean())
        worst = misfit.loc[source].idxmax()
        assert row["worst_tracer"] == worst.removesuffix("_misfit")


def test_mixtures_as_far_counts_the_mixtures_themselves(space) -> None:
    rows = space.residuals(2)
    wide = rows.assign(at=rows.index).pivot_table(
        index="at", columns="tracer", values="residual"
    )
    own = np.linalg.norm(wide[TRACERS] / space.sd, axis=1)
    one = space.observed.iloc[[7]].assign(source="seven")
    found = screen_end_members(space, EndMembers.from_table(one))
    assert found.loc["seven", "distance"] == pytest.approx(own[7], rel=1e-9)
    assert found.loc["seven", "mixtures_as_far"] == pytest.approx(
        np.mean(own >= own[7]), abs=1.01 / 60
    )


def test_the_true_set_encloses_most_mixtures(space) -> None:
    within = (TRUE.mean(axis=0) + 0.1).tolist()
    sets = screen_sets(space, candidates({"middle": within}))
    assert len(sets) == 4
    best = sets.iloc[0]
    assert best["sources"] == ("rain", "ice", "bog")
    assert best["share_inside"] == best["n_inside"] / 60
    assert best["n_inside"] >= 59
    for row in sets.to_dict("records"):
        answer = space.fractions(candidates({"middle": within}).keep(row["sources"]))
        assert row["n_inside"] == (answer["reason"] == "").sum()


def test_collinear_sets_stay_with_their_reason(space) -> None:
    half = ((TRUE[0] + TRUE[1]) / 2).tolist()
    sets = screen_sets(space, candidates({"half": half}))
    bad = sets[sets["reason"] != ""]
    assert bad["sources"].tolist() == [("rain", "ice", "half")]
    assert bad["reason"].iloc[0].startswith("Collinear end members rain, ice, half")
    assert bad["n_inside"].isna().all()
    assert bad.index[0] == len(sets) - 1


def test_a_candidate_without_any_tracer_has_no_worst(space) -> None:
    ranked = screen_end_members(space, candidates({"pure": [0.0] * 5}))
    assert ranked.loc["pure", "worst_tracer"] == ""
    assert np.isnan(ranked.loc["pure", "mean_misfit"])
    assert ranked.loc["pure", "distance"] > 0
    assert ranked.index[-1] == "pure"


def test_wrong_questions_are_refused(space) -> None:
    waters = candidates({})
    with pytest.raises(InputError, match="order 'best'"):
        screen_end_members(space, waters, order="best")
    with pytest.raises(MixingError, match=r"2 candidates .* ask for sets of 3"):
        screen_sets(space, waters.keep(["rain", "ice"]))
    many = {f"w{k}": [float(k + 1)] * 5 for k in range(25)}
    with pytest.raises(InputError, match="3276 sets of 3 among 28"):
        screen_sets(space, candidates(many))


def test_dropped_mixtures_do_not_count_as_inside() -> None:
    rng = np.random.default_rng(1)
    values = rng.dirichlet(np.ones(3) * 3, 30) @ TRUE
    values[0, 0] = np.nan
    space = emma(pd.DataFrame(values, columns=TRACERS), tracers=TRACERS)
    row = screen_sets(space, candidates({})).iloc[0]
    assert (row["n"], row["n_inside"], row["share_inside"]) == (29, 29, 1.0)
