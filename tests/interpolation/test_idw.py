"""Inverse distance weighting against gstat and closed forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from geosoil.errors import InputError
from geosoil.interpolation.idw import InverseDistance


def test_idw_equals_gstat(meuse: pd.DataFrame, sites: np.ndarray, gstat: Path) -> None:
    table = pd.read_csv(gstat / "idw_p2_zinc.csv")
    surface = InverseDistance().fit(sites, meuse["zinc"])
    found = surface.predict(table[["x", "y"]].to_numpy())["estimate"]
    np.testing.assert_allclose(found, table["var1.pred"], rtol=1e-13)


def test_idw_of_12_neighbours_equals_gstat_except_at_ties(
    meuse: pd.DataFrame, sites: np.ndarray, gstat: Path
) -> None:
    table = pd.read_csv(gstat / "idw_p2.5_nmax12_zinc.csv")
    targets = table[["x", "y"]].to_numpy(dtype=float)
    surface = InverseDistance(2.5, n_neighbors=12).fit(sites, meuse["zinc"])
    found = surface.predict(targets)["estimate"].to_numpy()
    ranked = np.sort(cdist(targets, sites), axis=1)
    tied = ranked[:, 12] - ranked[:, 11] < 1e-9
    assert tied.sum() <= 3
    np.testing.assert_allclose(found[~tied], table["var1.pred"][~tied], rtol=1e-13)


def test_ties_go_by_the_order_of_the_data() -> None:
    cross = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
    surface = InverseDistance(n_neighbors=2).fit(cross, [1.0, 2.0, 30.0, 40.0])
    assert float(surface.predict([[0.0, 0.0]])["estimate"][0]) == pytest.approx(1.5)


def test_there_is_no_answer_far_from_all_data() -> None:
    surface = InverseDistance(max_distance=10.0).fit([[0.0, 0.0], [8.0, 0.0]], [1, 3])
    found = surface.predict([[4.0, 0.0], [11.0, 0.0], [50.0, 0.0]])["estimate"]
    np.testing.assert_array_equal(found, [2.0, 3.0, np.nan])


def test_a_high_power_gives_the_nearest_value() -> None:
    surface = InverseDistance(500.0).fit([[0.0, 0.0], [3.0, 0.0]], [1.0, 5.0])
    found = surface.predict([[1.0, 0.0], [2.9, 0.0]])["estimate"]
    np.testing.assert_allclose(found, [1.0, 5.0], rtol=1e-12)


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match="Invalid power '0'"):
        InverseDistance(0)
    with pytest.raises(InputError, match="Invalid n_neighbors '0'"):
        InverseDistance(n_neighbors=0)
    with pytest.raises(InputError, match=r"Invalid max_distance '-1\.0'"):
        InverseDistance(max_distance=-1.0)
    with pytest.raises(InputError, match="cannot use the variance"):
        InverseDistance().fit([[0, 0], [1, 1]], [1, 2], variance=[1, 1])
