"""Published tables, read as their authors wrote them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geosoil.errors import SampleTableError
from geosoil.io.samples import read_samples, sample_issues
from geosoil.tracers.lines import fit_water_line

ATACAMA = {
    "ISOT18O!Value": "d18O",
    "ISOT2H!Value": "d2H",
    "ID": "site_id",
    "IdChemSamp": "sample_id",
    "IdTypeP": "water",
    "CooZ": "elevation",
}


@pytest.fixture
def isotopes(shared: Path) -> Path:
    return shared / "data" / "isotopes"


def test_atacama_rain_in_utm_and_two_sheets_gives_its_line(isotopes):
    path = isotopes / "atacama" / "Isotopes.xls"
    samples = read_samples(path, columns=ATACAMA, crs="EPSG:32719")
    assert len(samples) == 95
    assert set(samples["water"]) == {"precipitation"}
    first = samples.iloc[0]
    assert (first["sample_id"], first["d18O"], first["d2H"]) == ("n_16", -8.77, -57.6)
    assert str(first["date"].date()) == "2002-03-29"
    assert first["d2H"] - 8 * first["d18O"] == pytest.approx(12.56, abs=1e-9)
    west, south, east, north = samples.total_bounds
    assert -69 < west < east < -67
    assert -24.5 < south < north < -22
    line = fit_water_line(samples["d18O"], samples["d2H"])
    assert line.n == 95
    slope, intercept = np.polyfit(samples["d18O"], samples["d2H"], 1)
    assert line.slope == pytest.approx(slope, rel=1e-9)
    assert line.intercept == pytest.approx(intercept, rel=1e-9)
    assert line.slope == pytest.approx(7.35, abs=0.01)


def test_atacama_without_a_mapping_says_what_is_missing(isotopes):
    path = isotopes / "atacama" / "Isotopes.xls"
    with pytest.raises(SampleTableError, match=r"(?s)2 faults.*CooX, CooY.*Value"):
        read_samples(path)


def test_german_rain_has_deuterium_alone(isotopes):
    path = isotopes / "IsoriX_GNIPDataDE.csv"
    own = {"source_value": "d2H", "source_ID": "site_id"}
    with pytest.raises(SampleTableError, match="no column 'd18O'"):
        read_samples(path, columns=own)
    samples = read_samples(path, columns=own, require=("d2H",))
    assert len(samples) == 8591
    assert samples["d2H"].notna().all()
    assert samples["period"].iloc[0] == "June"
    assert samples.geometry.notna().all()


def test_station_means_of_the_world_are_read(isotopes):
    path = isotopes / "IsoriX_GNIPDataALLagg.csv"
    own = {"mean_source_value": "d2H", "source_ID": "site_id"}
    samples = read_samples(path, columns=own, require=("d2H",))
    assert len(samples) == 921
    assert "LHASA" in " ".join(samples["site_id"].dropna()).upper()


def test_daily_streams_of_one_isotope_are_read(isotopes):
    path = isotopes / "Fyw_isotopeData_AlpErlenbach.csv"
    own = {"variable": "water", "catchment": "site_id"}
    samples = read_samples(path, columns=own, require=("d18O",))
    assert len(samples) == 3658
    assert set(samples["water"]) == {"river", "precipitation"}


def test_desert_soils_are_read_without_any_mapping(isotopes):
    samples = read_samples(isotopes / "NMEGIsotopeData.csv")
    assert len(samples) == 197
    assert (samples["water"] == "soil").sum() == 152
    assert samples["date"].dt.year.isin([2019, 2021]).all()
    assert samples[["d18O", "d2H"]].notna().all(axis=1).sum() == 190
    assert "name of the month, year 19 taken for 2019" in set(
        sample_issues(samples).rule
    )


def test_means_of_six_waters_are_read_by_their_names(isotopes):
    own = {"d2H_mean": "d2H", "d18O_mean": "d18O"}
    samples = read_samples(isotopes / "xiangride_river_waters.csv", columns=own)
    assert samples["d18O"].tolist() == [-18.19, -17.84, -15.89, -16.34, -13.9, -7.8]
    assert samples["d2H_sd"].iloc[0] == 21.10
