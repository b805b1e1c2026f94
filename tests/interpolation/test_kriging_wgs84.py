"""Distances along the ellipsoid against gstat, and models that break on it."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from pyproj import Geod

from geosoil.errors import InputError, MissingCRSError
from geosoil.interpolation import idw, kriging_covariance
from geosoil.interpolation.anisotropy import Anisotropy
from geosoil.interpolation.empirical import default_cutoff, empirical_variogram
from geosoil.interpolation.geodesic import (
    GlobeTree,
    geodesic_distances,
    offset_places,
)
from geosoil.interpolation.idw import InverseDistance
from geosoil.interpolation.kriging import Kriging, SingularKrigingError
from geosoil.interpolation.neighbors import Neighborhood
from geosoil.interpolation.variogram import Variogram

# The golden files do not say their models: these round numbers reproduce all cells.
EXPONENTIAL = Variogram("exponential", 0.3, 4.0, 150e3)
SPHERICAL = Variogram("spherical", 0.3, 0.8, 300e3)


@pytest.fixture(scope="module")
def folder(golden: Path) -> Path:
    return golden / "geo" / "gstat_lonlat"


@pytest.fixture(scope="module")
def stations(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "stations.csv")


@pytest.fixture(scope="module")
def cells(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "grid.csv")


def meeus(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the approximate distances of gstat and sp (Meeus 1991, chapter 11)."""
    one, other = np.broadcast_arrays(np.asarray(first), np.asarray(second))
    (lon1, lat1), (lon2, lat2) = (
        np.radians(np.moveaxis(part, -1, 0)) for part in (one, other)
    )
    f, g, span = (lat1 + lat2) / 2, (lat1 - lat2) / 2, (lon1 - lon2) / 2
    s = (np.sin(g) * np.cos(span)) ** 2 + (np.cos(f) * np.sin(span)) ** 2
    c = (np.cos(g) * np.cos(span)) ** 2 + (np.sin(f) * np.sin(span)) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        w = np.arctan(np.sqrt(s / c))
        r = np.sqrt(s * c) / w
        flat = 1 / 298.257223563
        north = (3 * r - 1) / (2 * c) * (np.sin(f) * np.cos(g)) ** 2
        south = (3 * r + 1) / (2 * s) * (np.cos(f) * np.sin(g)) ** 2
        distance = 2 * w * 6378137.0 * (1 + flat * (north - south))
    return np.where(s == 0, 0.0, distance)


def compare(found, table: pd.DataFrame, atol: float) -> None:
    for ours, theirs in (("estimate", "var1.pred"), ("kriging_variance", "var1.var")):
        if theirs in table:
            np.testing.assert_allclose(found[ours], table[theirs], rtol=0, atol=atol)


def test_distances_are_those_of_gstat_to_seven_millionths(
    folder: Path, stations: pd.DataFrame
) -> None:
    table = pd.read_csv(folder / "gcdist_from_point0_km.csv")
    places = stations[["lon", "lat"]].to_numpy()
    found = geodesic_distances(places[0], places) / 1000
    np.testing.assert_allclose(found, table["d"], rtol=7e-6)
    np.testing.assert_allclose(meeus(places[0], places) / 1000, table["d"], atol=1e-9)
    _, _, expected = Geod(ellps="WGS84").inv(*places[:1].T, *places[7:8].T)
    assert found[7] * 1000 == expected[0]


@pytest.mark.parametrize("exact", [True, False])
def test_kriging_equals_gstat(
    folder: Path,
    stations: pd.DataFrame,
    cells: pd.DataFrame,
    exact: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To 1e-11 by the distances of gstat; exact ones move estimates by 2e-5."""
    if not exact:
        monkeypatch.setattr(kriging_covariance, "geodesic_distances", meeus)
    atol = 2e-5 if exact else 1e-11
    places, targets = stations[["lon", "lat"]], cells[["lon", "lat"]]
    ordinary = Kriging(EXPONENTIAL, distance="wgs84").fit(places, stations["t"])
    found = ordinary.predict(targets)
    compare(found, pd.read_csv(folder / "ok_exp_t.csv"), atol)
    assert found.attrs["distance"] == "wgs84"
    drifting = Kriging(SPHERICAL, distance="wgs84")
    drifting.fit(places, stations["t"], drift=stations["elev"])
    found = drifting.predict(targets, drift=cells["elev"])
    compare(found, pd.read_csv(folder / "ked_elev_t.csv"), atol)


@pytest.mark.parametrize("exact", [True, False])
def test_inverse_distance_equals_gstat(
    folder: Path,
    stations: pd.DataFrame,
    cells: pd.DataFrame,
    exact: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not exact:
        monkeypatch.setattr(idw, "geodesic_distances", meeus)
    surface = InverseDistance(distance="wgs84")
    found = surface.fit(stations[["lon", "lat"]], stations["t"])
    table = pd.read_csv(folder / "idw_p2_t.csv")
    compare(found.predict(cells[["lon", "lat"]]), table, 2e-5 if exact else 1e-10)


def test_the_empirical_variogram_equals_gstat(
    folder: Path, stations: pd.DataFrame
) -> None:
    table = pd.read_csv(folder / "ev_t_km.csv")
    options = {"cutoff": 500e3, "width": 50e3, "distance": "wgs84"}
    places = gpd.GeoSeries.from_xy(stations["lon"], stations["lat"], crs="EPSG:4326")
    for points in (places, stations[["lon", "lat"]], places.to_crs("EPSG:32647")):
        found = empirical_variogram(points, stations["t"], **options)
        np.testing.assert_array_equal(found["n"], table["np"])
        np.testing.assert_allclose(found["distance"] / 1000, table["dist"], rtol=1e-5)
        np.testing.assert_allclose(found["gamma"], table["gamma"], rtol=1e-12)
    box = stations[["lon", "lat"]].to_numpy()
    reach = default_cutoff(box, "wgs84")
    corners = geodesic_distances(box.min(axis=0), box.max(axis=0))
    assert reach == pytest.approx(float(corners) / 3)
    with pytest.raises(InputError, match=r"direction \(needs a plane"):
        empirical_variogram(
            places, stations["t"], direction=(0.0, 20.0), distance="wgs84"
        )
    with pytest.raises(InputError, match="distance 'miles'"):
        empirical_variogram(places, stations["t"], distance="miles")  # type: ignore[arg-type]


def test_neighbours_are_the_nearest_along_the_ellipsoid(
    stations: pd.DataFrame, cells: pd.DataFrame
) -> None:
    places = stations[["lon", "lat"]].to_numpy()
    targets = cells[["lon", "lat"]].to_numpy()[::37]
    distances = geodesic_distances(targets[:, None], places)
    ranked = np.argsort(distances, axis=1, kind="stable")[:, :8]
    indices, found = Neighborhood(8).search(GlobeTree(places), targets)
    np.testing.assert_array_equal(indices, ranked)
    np.testing.assert_array_equal(found, np.take_along_axis(distances, ranked, axis=1))
    _, within = Neighborhood(None, 2e5).search(GlobeTree(places), targets)
    counts = (distances <= 2e5).sum(axis=1)
    np.testing.assert_array_equal(np.isfinite(within).sum(axis=1), counts)


@pytest.mark.parametrize("options", [{"n_neighbors": 12}, {"max_distance": 3e5}])
def test_local_kriging_is_that_of_the_neighbours(
    stations: pd.DataFrame, cells: pd.DataFrame, options: dict[str, float]
) -> None:
    places, z = stations[["lon", "lat"]].to_numpy(), stations["t"].to_numpy()
    targets = cells[["lon", "lat"]].to_numpy()[::170]
    surface = Kriging(EXPONENTIAL, distance="wgs84", **options).fit(places, z)  # type: ignore[arg-type]
    found = surface.predict(targets)
    for i, target in enumerate(targets):
        distance = geodesic_distances(target, places)
        near = np.argsort(distance)[: int(options.get("n_neighbors", 99))]
        near = near[distance[near] <= options.get("max_distance", np.inf)]
        alone = Kriging(EXPONENTIAL, distance="wgs84").fit(places[near], z[near])
        expected = alone.predict(target[None])
        for name in ("estimate", "kriging_variance"):
            assert float(found[name][i]) == pytest.approx(
                float(expected[name][0]), abs=1e-10
            )


def test_degrees_and_points_with_a_crs_give_the_same(
    stations: pd.DataFrame, cells: pd.DataFrame
) -> None:
    places = gpd.GeoSeries.from_xy(stations["lon"], stations["lat"], crs="EPSG:4326")
    targets = cells[["lon", "lat"]].to_numpy()[:40]
    found = [
        Kriging(EXPONENTIAL, distance="wgs84").fit(points, stations["t"])
        for points in (places, stations[["lon", "lat"]], places.to_crs("EPSG:32647"))
    ]
    first = found[0].predict(targets)["estimate"]
    for other in found[1:]:
        assert other.crs_ == "EPSG:4326"
        np.testing.assert_allclose(other.predict(targets)["estimate"], first, atol=1e-9)


def test_a_named_model_is_fitted_to_distances_in_the_projection(
    stations: pd.DataFrame,
) -> None:
    places = gpd.GeoSeries.from_xy(stations["lon"], stations["lat"], crs="EPSG:4326")
    globe = Kriging("exponential", distance="wgs84").fit(places, stations["t"])
    plane = Kriging("exponential").fit(places, stations["t"])
    assert globe.variogram_.range_ == pytest.approx(plane.variogram_.range_, rel=1e-9)
    assert globe.variogram_.sill == pytest.approx(plane.variogram_.sill, rel=1e-9)


@pytest.mark.parametrize("n_neighbors", [None, 60])
def test_a_model_that_is_no_covariance_on_the_globe_is_named(
    n_neighbors: int | None,
) -> None:
    lon, lat = np.meshgrid(np.arange(-180, 180, 30.0), np.arange(-75, 80, 25.0))
    places = np.column_stack([lon.ravel(), lat.ravel()])
    z = np.random.default_rng(1).normal(size=len(places))
    smooth = Variogram("gaussian", 0.0, 1.0, 8e6)
    covariance = smooth.covariance(geodesic_distances(places[:, None], places))
    assert np.linalg.eigvalsh(covariance)[0] < -0.001
    kriging = Kriging(smooth, distance="wgs84", n_neighbors=n_neighbors)
    with pytest.raises(
        SingularKrigingError, match="gaussian variogram of range 8e"
    ) as e:
        kriging.fit(places, z).predict(places[:3] + 1)
    assert "Use distance 'projected'" in str(e.value)
    safe = Kriging(Variogram("exponential", 0.0, 1.0, 8e6), distance="wgs84")
    np.testing.assert_allclose(
        safe.fit(places, z).predict(places)["estimate"], z, atol=1e-9
    )


def test_input_that_has_no_place_on_the_globe_is_refused() -> None:
    metres = [[5e5, 3.8e6], [6e5, 3.9e6], [6e5, 3.8e6]]
    for kind in (
        Kriging(EXPONENTIAL, distance="wgs84"),
        InverseDistance(distance="wgs84"),
    ):
        with pytest.raises(InputError, match="longitude and latitude in degrees; 3"):
            kind.fit(metres, [1, 2, 3])
        places = gpd.GeoSeries.from_xy([90.0, 91.0], [33.0, 34.0])
        with pytest.raises(MissingCRSError):
            kind.fit(places, [1, 2])
    turned = Variogram("exponential", 0.1, 1.0, 1e5, anisotropy=Anisotropy(30.0, 0.4))
    with pytest.raises(InputError, match="direction needs a plane"):
        Kriging(turned, distance="wgs84")


def test_offsets_are_metres_on_the_ground() -> None:
    places = np.array([[95.0, 35.0], [120.0, -60.0]])
    offsets = np.array([[3000.0, 4000.0], [0.0, -250.0]])
    moved = offset_places(places, offsets)
    np.testing.assert_allclose(
        geodesic_distances(places[:, None], moved), [[5000, 250]] * 2, rtol=1e-9
    )
    assert (moved[:, 0] > places).all()
