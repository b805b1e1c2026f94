"""Log-ratios against worked tables, numerical derivatives and Aitchison's geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geosoil.errors import InputError
from geosoil.interpolation.log_ratios import (
    balance_variances,
    closure,
    ilr,
    inverse_ilr,
    multiplicative_replacement,
    pivot_basis,
)

amounts = arrays(np.float64, (6, 4), elements=st.floats(1e-3, 1e3))


def clr(parts: np.ndarray) -> np.ndarray:
    """Logarithms less their mean: the geometry without a basis."""
    logs = np.log(parts)
    return logs - logs.mean(axis=-1, keepdims=True)


def test_transforms_equal_the_worked_table(golden: Path) -> None:
    table = pd.read_csv(golden / "geo" / "coda" / "transforms_4part.csv")
    parts = table[["X1", "X2", "X3", "X4"]].to_numpy()
    balances = ilr(parts)
    expected = table[["ilr.1", "ilr.2", "ilr.3"]].to_numpy()
    np.testing.assert_allclose(balances, expected, rtol=0, atol=1e-12)
    norm = np.linalg.norm(balances, axis=1)
    np.testing.assert_allclose(norm, table["ait_norm"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(inverse_ilr(expected), parts, rtol=0, atol=1e-12)
    clrs = table[["clr.1", "clr.2", "clr.3", "clr.4"]].to_numpy()
    np.testing.assert_allclose(balances @ pivot_basis(4).T, clrs, rtol=0, atol=1e-12)


def test_the_basis_equals_the_worked_one(golden: Path) -> None:
    table = pd.read_csv(golden / "geo" / "coda" / "V_pivot_4.csv")
    np.testing.assert_allclose(pivot_basis(4), table.to_numpy(), rtol=0, atol=1e-14)


@pytest.mark.parametrize("n_parts", [2, 3, 4, 7])
def test_the_basis_is_orthonormal_and_each_column_a_log_contrast(n_parts: int) -> None:
    basis = pivot_basis(n_parts)
    np.testing.assert_allclose(basis.T @ basis, np.eye(n_parts - 1), atol=1e-14)
    np.testing.assert_allclose(basis.sum(axis=0), 0.0, atol=1e-14)


@given(amounts)
@settings(deadline=None)
def test_balances_follow_their_formula(given_amounts: np.ndarray) -> None:
    parts = closure(given_amounts)
    count = parts.shape[1]
    for row, balances in zip(parts, ilr(parts), strict=True):
        for i in range(1, count):
            mean = np.exp(np.log(row[i:]).mean())
            expected = np.sqrt((count - i) / (count - i + 1)) * np.log(
                row[i - 1] / mean
            )
            assert balances[i - 1] == pytest.approx(expected, abs=1e-12)


@given(amounts)
@settings(deadline=None)
def test_the_inverse_returns_the_composition(given_amounts: np.ndarray) -> None:
    parts = closure(given_amounts)
    np.testing.assert_allclose(inverse_ilr(ilr(parts)), parts, rtol=0, atol=1e-12)


@given(arrays(np.float64, (5, 3), elements=st.floats(-300, 300)))
@settings(deadline=None)
def test_any_balances_give_a_composition(balances: np.ndarray) -> None:
    parts = inverse_ilr(balances)
    np.testing.assert_allclose(parts.sum(axis=1), 1.0, rtol=0, atol=1e-12)
    assert ((parts >= 0) & (parts <= 1)).all()


@given(amounts)
@settings(deadline=None)
def test_distances_between_balances_are_aitchison_distances(
    given_amounts: np.ndarray,
) -> None:
    parts = closure(given_amounts)
    own = np.linalg.norm(np.diff(ilr(parts), axis=0), axis=1)
    expected = np.linalg.norm(np.diff(clr(parts), axis=0), axis=1)
    np.testing.assert_allclose(own, expected, rtol=1e-12, atol=1e-12)


@given(amounts, st.floats(-3, 3))
@settings(deadline=None)
def test_perturbation_and_powering_are_sums_and_multiples(
    given_amounts: np.ndarray, power: float
) -> None:
    parts = closure(given_amounts)
    moved = closure(parts[0] * parts[1] ** power)
    first, second = ilr(parts[:2])
    np.testing.assert_allclose(ilr(moved), first + power * second, atol=1e-10)


@given(amounts)
@settings(deadline=None)
def test_a_sub_composition_keeps_its_last_balances(given_amounts: np.ndarray) -> None:
    parts = closure(given_amounts)
    np.testing.assert_allclose(
        ilr(closure(parts[:, 1:])), ilr(parts)[:, 1:], rtol=0, atol=1e-11
    )


def test_a_missing_part_makes_the_row_missing() -> None:
    balances = ilr([[0.5, np.nan, 0.5], [0.2, 0.3, 0.5]])
    assert np.isnan(balances[0]).all()
    assert np.isfinite(balances[1]).all()
    assert np.isnan(inverse_ilr([np.nan, 0.0])).all()


@given(amounts, st.integers(0, 5), st.integers(0, 3), st.floats(1e-6, 0.2))
@settings(deadline=None)
def test_replacement_keeps_sum_and_ratios(
    given_amounts: np.ndarray, row: int, column: int, delta: float
) -> None:
    given_amounts = given_amounts.copy()
    given_amounts[row, column] = 0.0
    parts = closure(given_amounts)
    replaced = multiplicative_replacement(parts, delta)
    np.testing.assert_allclose(replaced.sum(axis=1), 1.0, rtol=0, atol=1e-12)
    assert replaced[row, column] == delta
    others = np.delete(replaced[row], column) / np.delete(parts[row], column)
    np.testing.assert_allclose(others, 1.0 - delta, rtol=1e-12)
    rest = np.delete(np.arange(6), row)
    np.testing.assert_array_equal(replaced[rest], parts[rest])


def test_adding_a_constant_would_change_ratios_and_replacement_does_not() -> None:
    parts = np.array([0.6, 0.4, 0.0])
    added = closure(parts + 0.01)
    replaced = multiplicative_replacement(parts, 0.01)
    assert replaced[0] / replaced[1] == pytest.approx(1.5, abs=1e-14)
    assert abs(added[0] / added[1] - 1.5) > 0.01


def test_replacements_are_one_one_a_part_or_one_a_row() -> None:
    parts = np.array([[0.5, 0.5, 0.0], [0.0, 0.4, 0.6]])
    one = multiplicative_replacement(parts, 0.1)
    by_part = multiplicative_replacement(parts, [0.2, 0.9, 0.1])
    by_row = multiplicative_replacement(parts, [[0.1], [0.2]])
    np.testing.assert_allclose(one, [[0.45, 0.45, 0.1], [0.1, 0.36, 0.54]])
    np.testing.assert_allclose(by_part, [[0.45, 0.45, 0.1], [0.2, 0.32, 0.48]])
    np.testing.assert_allclose(by_row, by_part)


def test_faults_come_all_at_once_with_their_rows() -> None:
    parts = [[0.5, 0.5, 0.0], [0.7, 0.6, -0.3], [0.2, 0.2, 0.2]]
    with pytest.raises(
        InputError,
        match=r"1 rows do not sum to 1 \(rows 2\); 1 rows have parts below 0 \(rows 1\)"
        r"; 1 rows have parts of 0 \(rows 0\)\..*multiplicative_replacement",
    ):
        ilr(parts)
    with pytest.raises(InputError, match=r"below 0 \(rows 1\)"):
        closure(parts)
    with pytest.raises(InputError, match=r"no part above 0 \(rows 0\)"):
        closure([[0.0, 0.0]])
    with pytest.raises(InputError, match="two parts or more"):
        ilr([[1.0]])
    with pytest.raises(InputError, match=r"infinite parts \(rows 0\)"):
        ilr([[np.inf, 0.5]])
    with pytest.raises(InputError, match="2 of them infinite"):
        inverse_ilr([np.inf, -np.inf])
    with pytest.raises(InputError, match="has no balance"):
        pivot_basis(1)


@pytest.mark.parametrize(
    ("delta", "words"),
    [
        (0.0, "not above 0"),
        (np.nan, "not above 0"),
        (1.0, "of 1 or more"),
        ([0.1, 0.1], r"Replacements of shape \(2,\)"),
    ],
)
def test_replacements_that_cannot_be_are_refused(delta: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        multiplicative_replacement([[0.5, 0.5, 0.0]], delta)  # type: ignore[arg-type]


def test_more_than_ten_rows_are_named_by_the_first_ten() -> None:
    with pytest.raises(InputError, match=r"12 rows.*rows 0, .*, 9, \.\.\.\)"):
        ilr(np.full((12, 2), 0.4))


def numerical_variance(parts: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Carry a covariance through central differences of the balances."""
    basis = pivot_basis(len(parts))
    step = 1e-6

    def balances(values: np.ndarray) -> np.ndarray:
        return np.log(values) @ basis

    rows = []
    for place in np.eye(len(parts)) * step:
        rows.append((balances(parts + place) - balances(parts - place)) / (2 * step))
    jacobian = np.array(rows)
    return np.diag(jacobian.T @ covariance @ jacobian)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_variances_of_balances_equal_numerical_propagation(count: int) -> None:
    rng = np.random.default_rng(count)
    for _ in range(10):
        parts = rng.dirichlet(np.full(count, 5.0))
        root = rng.normal(scale=0.02, size=(count, count))
        root -= root.mean(axis=0)  # the sum of the parts has no variance
        covariance = root.T @ root
        covariance -= covariance.mean(axis=1, keepdims=True)
        covariance -= covariance.mean(axis=0, keepdims=True)
        expected = numerical_variance(parts, covariance)
        found = balance_variances([parts], [covariance])[0]
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        if count <= 3:
            alone = balance_variances([parts], [np.diag(covariance)])[0]
            np.testing.assert_allclose(alone, expected, rtol=1e-6)


def test_variances_of_balances_are_those_of_small_draws() -> None:
    rng = np.random.default_rng(3)
    parts = np.array([0.5, 0.3, 0.2])
    root = rng.normal(scale=0.003, size=(3, 3))
    root -= root.mean(axis=1, keepdims=True)
    draws = parts + rng.normal(size=(200_000, 3)) @ root
    found = balance_variances([parts], [root.T @ root])[0]
    np.testing.assert_allclose(found, ilr(draws).var(axis=0), rtol=0.02)


def test_variances_of_another_shape_are_refused() -> None:
    with pytest.raises(InputError, match=r"shape \(1, 2\) with variances of shape"):
        balance_variances([[0.5, 0.5]], [[0.1]])
    with pytest.raises(InputError, match="above 0"):
        balance_variances([[1.0, 0.0]], [[0.1, 0.1]])
