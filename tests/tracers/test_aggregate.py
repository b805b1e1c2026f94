"""Tests of weights of rows and groups, and of sums of sources."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geosoil.errors import InputError, MixingError
from geosoil.tracers.aggregate import combined_sources, group_weights
from geosoil.tracers.groups import sample_groups


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "period": ["June", "June", "August", "August"],
            "band": ["low", "high", "low", "high"],
            "layer": ["0-20", "0-20", "0-20", "0-20"],
        }
    )


def test_strata_by_two_labels_find_their_rows(table) -> None:
    index = pd.MultiIndex.from_tuples(
        [("August", "low"), ("June", "low"), ("June", "high"), ("June", "top")]
    )
    weights = pd.Series([5.0, 1.0, 2.0, 4.0], index=index)
    groups = sample_groups(table, ["period"])
    found = group_weights(table, groups, weights, on=["period", "band"])
    np.testing.assert_array_equal(found.rows, [1.0, 2.0, 5.0, np.nan])
    np.testing.assert_array_equal(found.total, [7.0, 5.0])
    np.testing.assert_array_equal(found.n_unknown, [0, 1])


def test_strata_of_unknown_weight_are_counted(table) -> None:
    area = pd.Series({"low": 1.0, "high": np.nan, "top": np.nan})
    groups = sample_groups(table, ["period"])
    found = group_weights(table, groups, area, on=["band"])
    np.testing.assert_array_equal(found.n_unknown, [2, 2])
    np.testing.assert_array_equal(found.total, [1.0, 1.0])


def test_categories_find_their_plain_labels(table) -> None:
    table["band"] = pd.Categorical(table["band"], ["low", "high"], ordered=True)
    area = pd.Series({"low": 1.0, "high": 2.0})
    groups = sample_groups(table, ["period"])
    found = group_weights(table, groups, area[::-1], on=["band"])
    np.testing.assert_array_equal(found.rows, [1.0, 2.0, 1.0, 2.0])


def test_a_stratum_that_stands_twice_in_a_group_is_refused(table) -> None:
    area = pd.Series({"low": 1.0, "high": 2.0})
    groups = sample_groups(table, ["layer"])
    with pytest.raises(InputError, match="of band stands twice in 0-20"):
        group_weights(table, groups, area, on=["band"])
    with pytest.raises(InputError, match="stands twice in all rows"):
        group_weights(table, sample_groups(table, []), area, on=["band"])


def test_weights_by_stratum_that_are_no_series_of_strata_are_refused(table) -> None:
    groups = sample_groups(table, ["period"])
    with pytest.raises(InputError, match="Series indexed"):
        group_weights(table, groups, [1.0, 2.0], on=["band"])
    twice = pd.Series([1.0, 2.0], index=["low", "low"])
    with pytest.raises(InputError, match="stands twice"):
        group_weights(table, groups, twice, on=["band"])
    with pytest.raises(InputError, match="missing column zone"):
        group_weights(table, groups, pd.Series({"a": 1.0}), on=["zone"])


def test_sources_swap_places_by_name() -> None:
    parts = {"b": ["a"], "a": ["b"]}
    assert combined_sources(["a", "b"], parts) == {"b": [0], "a": [1]}
    with pytest.raises(MixingError, match="used more than once: a"):
        combined_sources(["a", "b"], {"c": ["a", "a"]})
