"""Folds: what is left out together, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.interpolation._kernels_validation import leave_out
from geosoil.interpolation.validation_folds import (
    Folds,
    default_block_size,
    fold_labels,
    place_numbers,
)


@given(st.integers(2, 40), st.integers(2, 9), st.integers(0, 2**32 - 1))
def test_drawn_folds_are_of_nearly_equal_size(n: int, k: int, seed: int) -> None:
    xy = np.random.default_rng(0).uniform(size=(n, 2))
    folds = Folds("kfold", n_folds=min(k, n), rng=np.random.default_rng(seed))
    counts = np.bincount(fold_labels(folds, xy))
    assert len(counts) == min(k, n)
    assert np.ptp(counts) <= 1


def test_the_same_seed_draws_the_same_folds() -> None:
    xy = np.random.default_rng(0).uniform(size=(30, 2))
    first, second = (
        fold_labels(Folds("kfold", rng=np.random.default_rng(8)), xy) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


@given(st.integers(0, 2**32 - 1), st.floats(50, 900))
def test_points_of_a_block_lie_in_one_square(seed: int, size: float) -> None:
    xy = np.random.default_rng(seed).uniform(0, 1000, (40, 2))
    assume(np.ptp(xy, axis=0).max() > size)
    labels = fold_labels(Folds("block"), xy, block_size=size)
    for fold in np.unique(labels):
        assert (np.ptp(xy[labels == fold], axis=0) <= size * (1 + 1e-9)).all()
    assert set(labels) == set(range(labels.max() + 1))


def test_the_far_edge_makes_no_square_of_its_own() -> None:
    xy = np.array([[0.0, 0.0], [99.0, 0.0], [101.0, 0.0], [200.0, 0.0]])
    labels = fold_labels(Folds("block"), xy, block_size=100.0)
    assert labels.tolist() == [0, 0, 1, 1]


def test_rows_of_one_place_stay_together_in_any_draw() -> None:
    xy = np.repeat(np.random.default_rng(1).uniform(size=(9, 2)), 3, axis=0)
    for seed in range(5):
        folds = Folds("kfold", n_folds=4, rng=np.random.default_rng(seed))
        labels = fold_labels(folds, xy).reshape(9, 3)
        assert (np.ptp(labels, axis=1) == 0).all()
    assert place_numbers(xy).tolist() == np.repeat(np.arange(9), 3).tolist()


def test_a_block_is_as_wide_as_the_range_and_never_the_whole_box() -> None:
    rng = np.random.default_rng(4)
    xy = rng.uniform(0, 3000, (60, 2))
    assert default_block_size(xy, rng.normal(size=60)) <= 1000.0
    slope = default_block_size(xy, xy[:, 0])
    assert slope == pytest.approx(np.ptp(xy, axis=0).max() / 3)


def test_points_of_one_place_in_two_groups_are_refused() -> None:
    xy = np.array([[0.0, 0.0], [0.0, 0.0], [5.0, 0.0]])
    with pytest.raises(InputError, match=r"Points \[0, 1\] share their place"):
        fold_labels(Folds("site", groups=["a", "b", "c"]), xy)


def test_one_fold_of_all_is_refused() -> None:
    xy = np.array([[0.0, 0.0], [5.0, 0.0]])
    with pytest.raises(InputError, match="fall in one fold of 'block'"):
        fold_labels(Folds("block"), xy, block_size=100.0)
    with pytest.raises(InputError, match="Blocks need a size"):
        fold_labels(Folds("block"), xy)


def test_more_folds_than_places_are_refused() -> None:
    folds = Folds("kfold", n_folds=3, rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="3 folds of 2 places"):
        fold_labels(folds, np.array([[0.0, 0.0], [5.0, 0.0]]))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kind": "half"}, "kind 'half' is none of"),
        ({"kind": "kfold"}, "'kfold' needs rng"),
        ({"kind": "site"}, "'site' needs groups"),
        ({"n_folds": 1, "block_size": -3.0}, "n_folds is 1.*block_size is -3"),
    ],
)
def test_settings_that_make_no_folds_are_refused(settings, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Folds(**settings)


def test_missing_groups_are_named_unless_their_rows_are_not_used() -> None:
    folds = Folds("site", groups=["a", None, "b", np.nan])
    kept = folds.part(np.array([True, False, True, False]))
    assert kept.groups.tolist() == ["a", "b"]
    with pytest.raises(InputError, match=r"Points \[1, 3\] have no group"):
        folds.part(np.ones(4, dtype=bool))
    with pytest.raises(InputError, match=r"5 points, but groups of shape \(4,\)"):
        folds.part(np.ones(5, dtype=bool))


def test_a_drift_that_only_the_fold_can_tell_has_no_answer() -> None:
    drift = np.column_stack([np.ones(5), [0.0, 0.0, 0.0, 1.0, 1.0]])
    values = np.array([1.0, 2.0, 3.0, 8.0, 9.0])
    one = leave_out(np.eye(5), drift, values, np.array([0, 1, 2, 3, 3]))
    assert np.isnan(one[0][3:]).all()
    assert np.isnan(one[1][3:]).all()
    np.testing.assert_allclose(one[0][:3], values[:3] - [2.5, 2.0, 1.5])
    lone = np.column_stack([np.ones(4), [0.0, 0.0, 0.0, 1.0]])
    residual, _ = leave_out(np.eye(4), lone, values[:4], np.arange(4))
    assert np.isnan(residual).tolist() == [False, False, False, True]
