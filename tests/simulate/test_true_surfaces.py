"""The truth of cells is what the maker of the samples expects on their ground."""

from __future__ import annotations

import numpy as np
import pytest

from geosoil.io.geotiff import read_geotiff
from geosoil.simulate.true_fractions import TRUE_COLUMNS, expected_fractions
from geosoil.simulate.true_surfaces import write_true_surfaces
from tests.simulate.samples_cases import landscape, study


def test_expected_fractions_give_the_means_of_the_samples() -> None:
    truth = study(2020).truth
    for period, own in truth.groupby("period"):
        found = expected_fractions(own, truth, str(period))
        known = np.isfinite(found).all(axis=1)
        assert known.all()
        np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-12)
        np.testing.assert_allclose(
            found.mean(axis=0), own[list(TRUE_COLUMNS)].mean(), atol=0.01
        )
        # A sample differs by its depth and its profile alone.
        ice = own["true_ground_ice"].to_numpy()
        assert ((found[:, 1] == 0) == (ice == 0)).all()
        assert np.corrcoef(found[:, 1], ice)[0, 1] > 0.9


@pytest.mark.slow
def test_true_surfaces_are_compositions_with_the_zeros_of_the_text(tmp_path) -> None:
    paths = write_true_surfaces(landscape(), study(2020).truth, tmp_path, seed=2020)
    assert len(paths) == 7
    june = [
        read_geotiff(tmp_path / f"true_{source}_June.tif").to_numpy()
        for source in ("precipitation", "ground_ice", "snowmelt")
    ]
    known = np.isfinite(june[0])
    assert 7_000 < known.sum() < 9_000
    np.testing.assert_allclose(sum(june)[known], 1.0, atol=1e-6)
    height = landscape().elevation.to_numpy().reshape(95, 6, 258, 6)
    low = known & (height.max(axis=(1, 3)) < 4000.0)
    assert (june[2][low] == 0.0).all()
    assert june[1][known].max() == pytest.approx(0.8, abs=0.2)
    assert not (tmp_path / "true_snowmelt_August.tif").exists()
