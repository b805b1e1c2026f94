"""Empirical variograms: gstat's numbers, and a loop over all pairs."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from pyproj import CRS

from geosoil.errors import InputError
from geosoil.interpolation.base import ALBERS, positions
from geosoil.interpolation.empirical import (
    DistanceClasses,
    directional_variogram,
    empirical_variogram,
)

COLUMNS = {"np": "n", "dist": "distance", "gamma": "gamma"}


def assert_equal(found: pd.DataFrame, table: pd.DataFrame) -> None:
    """Check counts exactly, the rest to 1e-12."""
    np.testing.assert_array_equal(found["n"], table["np"])
    np.testing.assert_allclose(found["distance"], table["dist"], rtol=1e-12)
    np.testing.assert_allclose(found["gamma"], table["gamma"], rtol=1e-12)


def test_cressies_estimator_equals_gstat(
    meuse: pd.DataFrame, sites: np.ndarray, gstat: Path
) -> None:
    found = empirical_variogram(sites, meuse["log_zinc"], estimator="cressie")
    assert_equal(found, pd.read_csv(gstat / "ev_logzinc_cressie.csv"))


def test_the_variogram_of_residuals_equals_gstat(
    meuse: pd.DataFrame, sites: np.ndarray, gstat: Path
) -> None:
    found = empirical_variogram(
        sites, meuse["log_zinc"], drift=np.sqrt(meuse["dist"].to_numpy())
    )
    assert_equal(found, pd.read_csv(gstat / "ev_logzinc_sqrtdist_resid.csv"))


def test_variograms_by_direction_equal_gstat(
    meuse: pd.DataFrame, sites: np.ndarray, gstat: Path
) -> None:
    table = pd.read_csv(gstat / "ev_logzinc_dir.csv")
    found = directional_variogram(sites, meuse["log_zinc"])
    np.testing.assert_array_equal(found["direction"], table["dir.hor"])
    assert_equal(found, table)
    east = empirical_variogram(sites, meuse["log_zinc"], direction=(90.0, 22.5))
    assert_equal(east, table[table["dir.hor"] == 90])


def test_stations_in_degrees_equal_gstats_great_circles_in_a_local_projection(
    golden: Path,
) -> None:
    folder = golden / "geo" / "gstat_lonlat"
    stations = pd.read_csv(folder / "stations.csv")
    table = pd.read_csv(folder / "ev_t_km.csv")
    places = gpd.GeoSeries.from_xy(stations["lon"], stations["lat"], crs=4326)
    local = "+proj=aeqd +lat_0=34 +lon_0=94 +datum=WGS84 +units=m"
    found = empirical_variogram(
        places, stations["t"], cutoff=500e3, width=50e3, projection=local
    )
    np.testing.assert_array_equal(found["n"], table["np"])
    np.testing.assert_allclose(found["gamma"], table["gamma"], rtol=1e-12)
    np.testing.assert_allclose(found["distance"], 1000 * table["dist"], rtol=1e-3)


def test_the_default_projection_stretches_distances_by_less_than_two_percent(
    golden: Path,
) -> None:
    folder = golden / "geo" / "gstat_lonlat"
    stations = pd.read_csv(folder / "stations.csv")
    circles = pd.read_csv(folder / "gcdist_from_point0_km.csv")["d"].to_numpy()
    places = gpd.GeoSeries.from_xy(stations["lon"], stations["lat"], crs=4326)
    xy = positions(places, CRS.from_user_input(ALBERS)) / 1000
    found = np.hypot(*(xy - xy[0]).T)
    np.testing.assert_allclose(found[1:], circles[1:], rtol=0.02)


def test_a_loop_over_all_pairs_gives_the_same() -> None:
    rng = np.random.default_rng(5)
    xy, z = rng.uniform(0, 100, (40, 2)), rng.normal(size=40)
    sums: dict[int, list[tuple[float, float]]] = {}
    for i in range(40):
        for j in range(i):
            dx, dy = xy[i] - xy[j]
            h = np.hypot(dx, dy)
            off = abs((np.degrees(np.arctan2(dx, dy)) - 20 + 90) % 180 - 90)
            if h <= 70 and off <= 30:
                sums.setdefault(int(np.ceil(h / 20)), []).append((h, z[i] - z[j]))
    found = empirical_variogram(xy, z, cutoff=70, width=20, direction=(20.0, 30.0))
    expected = [
        (len(p), np.mean([h for h, _ in p]), np.mean([d * d for _, d in p]) / 2)
        for _, p in sorted(sums.items())
    ]
    np.testing.assert_allclose(found.to_numpy(), expected, rtol=1e-12)
    assert len(found) == 4


def test_a_tolerance_of_90_degrees_takes_every_pair() -> None:
    rng = np.random.default_rng(6)
    xy, z = rng.uniform(0, 1e6, (60, 2)), rng.normal(size=60)
    every, all_round = (
        empirical_variogram(xy, z, direction=direction)
        for direction in (None, (33.0, 90.0))
    )
    pd.testing.assert_frame_equal(every, all_round)


def test_a_pair_on_the_edge_of_the_tolerance_counts() -> None:
    xy = np.array([[5e6, 4e6], [5e6 + 1000, 4e6 + 1000], [5e6, 4e6 + 1e5]])
    found = empirical_variogram(
        xy, [1.0, 3.0, 0.0], cutoff=2000.0, n_bins=1, direction=(0.0, 45.0)
    )
    assert found["n"].tolist() == [1]


def test_one_outlier_moves_cressies_estimator_less() -> None:
    rng = np.random.default_rng(7)
    xy, z = rng.uniform(0, 100, (80, 2)), rng.normal(size=80)
    spoilt = z.copy()
    spoilt[0] += 15
    growth = {}
    for estimator in ("matheron", "cressie"):
        clean, dirty = (
            empirical_variogram(xy, v, n_bins=1, estimator=estimator)["gamma"][0]  # type: ignore[arg-type]
            for v in (z, spoilt)
        )
        growth[estimator] = dirty / clean
    assert growth["matheron"] > 2.5
    assert growth["cressie"] < 1.5


def test_a_drift_takes_a_plane_away_whatever_its_units() -> None:
    rng = np.random.default_rng(8)
    xy, noise = rng.uniform(0, 1e5, (50, 2)), rng.normal(size=50)
    plane = 4000 + 0.003 * xy[:, 0] - 0.001 * xy[:, 1]
    with_plane = empirical_variogram(xy, noise + plane, drift=xy)
    without = empirical_variogram(xy, noise, drift=1e-7 * xy + 9)
    np.testing.assert_allclose(with_plane, without, rtol=1e-8)


def test_gaps_of_values_and_of_the_drift_are_left_out_and_repeats_averaged() -> None:
    rng = np.random.default_rng(9)
    xy, z, height = rng.uniform(0, 9, (20, 2)), rng.normal(size=20), rng.normal(size=20)
    z[3], height[5] = np.nan, np.nan
    keep = np.isfinite(z) & np.isfinite(height)
    whole = empirical_variogram(xy[keep], z[keep], drift=height[keep])
    pd.testing.assert_frame_equal(empirical_variogram(xy, z, drift=height), whole)
    twice = np.concatenate([np.arange(20), [7]])
    again = empirical_variogram(xy[twice], z[twice], drift=height[twice])
    pd.testing.assert_frame_equal(again, whole)


def test_settings_that_cannot_be_are_named_at_once() -> None:
    with pytest.raises(
        InputError,
        match=r"cutoff -1.*n_bins 0.*width -2.*estimator 'mad'.*tolerance 100",
    ):
        DistanceClasses(-1, 0, -2, "mad", (0.0, 100.0))  # type: ignore[arg-type]
    sites = np.random.default_rng(1).uniform(0, 1, (6, 2))
    with pytest.raises(InputError, match="No angles"):
        directional_variogram(sites, np.arange(6), angles=[])
    with pytest.raises(InputError, match=r"6 points.*drift of shape \(5,\)"):
        empirical_variogram(sites, np.arange(6), drift=np.arange(5))
    twin = np.column_stack([np.arange(6), np.arange(6)])
    with pytest.raises(InputError, match="leave no residuals: 2 of the 3"):
        empirical_variogram(sites, np.arange(6), drift=twin)
    with pytest.raises(InputError, match="leave no residuals: 5 of the 5"):
        empirical_variogram(sites, np.arange(6), drift=np.eye(6)[:, :4])
