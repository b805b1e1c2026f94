"""Rules of rank against closed forms, plain simulation and planted mixtures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geosoil.errors import InputError, MixingError
from geosoil.tracers._kernels_emma import broken_stick, random_eigenvalues
from geosoil.tracers.emma import emma
from geosoil.tracers.emma_rank import RULES, rank_by_rule, rank_table
from geosoil.tracers.emma_residuals import residual_diagnostics

TRACERS = ["Ca", "Mg", "Na", "Cl", "SO4", "Si"]


def planted(rank: int, noise: float, n: int = 150, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.standard_normal((6, 6)))[0][:, :rank]
    values = rng.standard_normal((n, rank)) @ basis.T
    values += noise * rng.standard_normal((n, 6))
    return pd.DataFrame(values, columns=TRACERS)


def test_golden_broken_stick_and_rules_that_disagree(golden: Path) -> None:
    folder = golden / "tracers"
    case = json.loads((folder / "emma_grafton_nh.json").read_text())
    table = pd.read_csv(folder / case["input"])
    found = rank_table(table, tracers=case["species"], rng=np.random.default_rng(1))
    wanted = case["rank_rules"]["broken_stick"]
    np.testing.assert_allclose(found["broken_stick"], wanted, rtol=1e-12)
    ranks = rank_by_rule(found)
    assert ranks["eigenvalue"] == case["rank_rules"]["rule_of_one"]
    assert ranks["broken_stick"] == 1
    assert not found.loc[2, "agree"]
    assert found.loc[1, "agree"]
    np.testing.assert_allclose(found["cumulative"].iloc[-1], 1.0)


def test_broken_stick_is_the_mean_of_sticks_broken_at_random() -> None:
    rng = np.random.default_rng(2)
    cuts = np.sort(rng.random((40000, 4)), axis=1)
    pieces = np.diff(np.c_[np.zeros(40000), cuts, np.ones(40000)], axis=1)
    mean = 5 * np.sort(pieces, axis=1)[:, ::-1].mean(axis=0)
    np.testing.assert_allclose(broken_stick(5), mean, rtol=0.01)
    assert broken_stick(5).sum() == pytest.approx(5.0)


def test_chance_eigenvalues_are_those_of_tables_of_normals() -> None:
    rng = np.random.default_rng(3)
    plain = []
    for _ in range(4000):
        table = rng.standard_normal((25, 4))
        plain.append(np.linalg.eigvalsh(np.corrcoef(table.T))[::-1])
    found = random_eigenvalues(25, 4, 4000, np.random.default_rng(4))
    for share in (0.05, 0.5, 0.95):
        np.testing.assert_allclose(
            np.quantile(found, share, axis=0),
            np.quantile(plain, share, axis=0),
            rtol=0.03,
        )
    np.testing.assert_allclose(found.sum(axis=1), 4.0, rtol=1e-12)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_residuals_show_a_planted_rank_that_other_rules_never_exceed(rank) -> None:
    table = rank_table(
        planted(rank, 0.002), tracers=TRACERS, rng=np.random.default_rng(5)
    )
    ranks = rank_by_rule(table)
    assert ranks["residuals"] == rank
    assert (ranks <= rank).all()
    assert (ranks >= 1).all()


@pytest.mark.parametrize("rule", RULES)
def test_emma_keeps_what_the_table_says(rule: str) -> None:
    mixtures = planted(2, 0.02)
    table = rank_table(mixtures, tracers=TRACERS, rng=np.random.default_rng(6))
    space = emma(mixtures, tracers=TRACERS, rule=rule, rng=np.random.default_rng(6))
    assert space.n_components == rank_by_rule(table)[rule]
    assert space.rule == rule


def test_rules_keep_leading_components_only() -> None:
    found = rank_table(planted(3, 0.4), tracers=TRACERS, rng=np.random.default_rng(7))
    for rule in RULES:
        kept = found[f"{rule}_keeps"].to_numpy(dtype=bool)
        assert (np.diff(kept.astype(int)) <= 0).all()


def test_tracers_with_structure_are_those_of_the_diagnostics() -> None:
    mixtures = planted(2, 0.1)
    found = rank_table(mixtures, tracers=TRACERS)
    space = emma(mixtures, tracers=TRACERS, n_components=2)
    rows = residual_diagnostics(space.residuals())
    for rank in range(1, 6):
        bad = rows[(rows["rank"] == rank) & (rows["p_value"] < 0.05)]["tracer"]
        assert found.loc[rank, "structured"] == ", ".join(bad)
    assert found.loc[6, "structured"] == ""


def test_without_rng_parallel_analysis_is_missing_and_not_counted() -> None:
    found = rank_table(planted(2, 0.02), tracers=TRACERS)
    assert found["parallel_analysis"].isna().all()
    assert found["parallel_analysis_keeps"].isna().all()
    assert rank_by_rule(found).isna().to_dict() == {
        "eigenvalue": False,
        "broken_stick": False,
        "parallel_analysis": True,
        "residuals": False,
    }
    assert found["agree"].any()


def test_the_same_rng_gives_the_same_table() -> None:
    first, second = (
        rank_table(planted(2, 0.3), tracers=TRACERS, rng=np.random.default_rng(8))
        for _ in range(2)
    )
    pd.testing.assert_frame_equal(first, second)


def test_noise_has_no_component_by_parallel_analysis() -> None:
    rng = np.random.default_rng(12)
    noise = pd.DataFrame(rng.standard_normal((200, 6)), columns=TRACERS)
    with pytest.raises(MixingError, match="rule 'parallel_analysis' keeps 0 of 6"):
        emma(noise, tracers=TRACERS, rule="parallel_analysis", rng=rng)


def test_the_residual_rule_says_so_where_no_rank_passes() -> None:
    noisy = planted(2, 0.5)
    assert rank_by_rule(rank_table(noisy, tracers=TRACERS))["residuals"] == 6
    with pytest.raises(MixingError, match="rule 'residuals' keeps 6 of 6"):
        emma(noisy, tracers=TRACERS, rule="residuals")


def test_too_few_draws_are_refused() -> None:
    with pytest.raises(InputError, match="n_draws is 20"):
        rank_table(planted(2, 0.1), tracers=TRACERS, n_draws=20)


def test_panola_rules_disagree_with_the_two_components_in_use(shared: Path) -> None:
    mixtures = pd.read_csv(shared / "data" / "mixing" / "panola_data.csv")
    tracers = list(mixtures.columns)
    found = rank_table(mixtures, tracers=tracers, rng=np.random.default_rng(9))
    assert rank_by_rule(found).to_dict() == {
        "eigenvalue": 1,
        "broken_stick": 1,
        "parallel_analysis": 1,
        "residuals": 6,
    }
    wanted = np.linalg.eigvalsh(np.corrcoef(mixtures.to_numpy().T))[::-1]
    np.testing.assert_allclose(found["eigenvalue"], wanted, rtol=1e-10)
