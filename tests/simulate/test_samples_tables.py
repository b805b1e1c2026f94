"""The tables of the simulated samples, in memory and as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geosoil.errors import InputError
from geosoil.simulate.inputs import read_paper_table
from geosoil.simulate.samples import simulate_samples
from geosoil.simulate.tables import SAMPLE_COLUMNS, write_samples_tables
from geosoil.strata import PERIODS, WATERS
from tests.simulate.samples_cases import SEEDS, landscape, soil_with_truth, study

CONTRACT = list(SAMPLE_COLUMNS[: SAMPLE_COLUMNS.index("soil_moisture") + 1])
PAPER_NAMES = {
    "ground ice": "ground_ice",
    "river water": "river",
    "supra-permafrost water": "supra_permafrost",
    "glacier snow meltwater": "snowmelt",
}
TRUE = ["true_precipitation", "true_ground_ice", "true_snowmelt"]


def test_counts_are_those_of_the_paper() -> None:
    samples = study(2020).samples
    assert len(samples) == 2451
    assert set(samples["water"]) == set(WATERS)
    counts = samples.groupby(["water", "period"]).size()
    for row in read_paper_table("sample_counts").itertuples():
        if row.water in PAPER_NAMES:
            assert counts[PAPER_NAMES[row.water], row.period] == row.n
    soil = samples[samples["water"] == "soil"]
    profiles = soil.groupby("period")["site_id"].nunique()
    assert profiles.to_dict() == {"June": 79, "August": 70, "September": 93}
    assert len(soil) == 741
    assert (samples["water"] == "precipitation").sum() == 375


def test_samples_have_the_agreed_columns_and_unique_names() -> None:
    samples = study(2020).samples
    assert samples.columns[: len(CONTRACT)].tolist() == CONTRACT
    assert samples["sample_id"].is_unique
    assert samples["simulated"].all()
    needed = [*CONTRACT[:2], *CONTRACT[3:8], "d18O", "d2H", "d18O_sd", "d2H_sd"]
    assert samples[needed].notna().all(axis=None)
    days = pd.to_datetime(samples["date"], format="%Y-%m-%d")
    taken = samples["period"].notna() & (samples["water"] != "precipitation")
    months = samples["period"].map({"June": 6, "August": 8, "September": 9})
    assert (days.dt.month[taken] == months[taken]).all()
    assert (days.dt.year[taken] == 2020).all()
    assert samples["longitude"].between(89.4, 102.3).all()
    assert samples["latitude"].between(31.55, 36.3).all()
    for column in ("longitude", "latitude"):
        numbers = samples[column].to_numpy()
        assert np.round(numbers, 4) == pytest.approx(numbers, abs=1e-12)


def test_soil_layers_are_20_cm_thick_from_the_surface_down() -> None:
    soil = study(2020).samples.query("water == 'soil'")
    assert (soil["depth_bottom"] - soil["depth_top"] == 20.0).all()
    assert soil.groupby("site_id")["depth_top"].min().eq(0.0).all()
    assert soil["depth_bottom"].max() == 80.0
    assert not soil.duplicated(["site_id", "depth_top"]).any()
    field = soil[["soil_temperature", "soil_moisture"]]
    assert field.notna().all(axis=None)
    assert soil["soil_moisture"].between(0.0, 1.0).all()
    assert soil["soil_temperature"].between(-5.0, 25.0).all()
    assert set(soil["aspect"]) == {"N", "E", "S", "W"}


@pytest.mark.parametrize("seed", SEEDS)
def test_three_parallels_average_to_the_sample(seed: int) -> None:
    tables = study(seed)
    parallels = tables.parallels.set_index(["sample_id", "parallel"])[["d18O", "d2H"]]
    assert parallels.index.is_unique
    grouped = parallels.groupby(level="sample_id")
    assert (grouped.size() == 3).all()
    soil = tables.samples.query("water == 'soil'").set_index("sample_id")
    mean = grouped.mean().loc[soil.index]
    assert mean.to_numpy() == pytest.approx(soil[["d18O", "d2H"]].to_numpy(), abs=1e-9)
    within = (grouped.var().mean() ** 0.5).to_numpy()
    assert within == pytest.approx([0.2, 0.5], rel=0.08)


def solved(mixture: np.ndarray, waters: list[np.ndarray]) -> np.ndarray:
    """Shares by least squares with sum 1 (exact for three waters)."""
    rows = np.vstack([np.stack(waters).T, np.full(len(waters), 1e4)])
    shares, *_ = np.linalg.lstsq(rows, np.append(mixture, 1e4), rcond=None)
    return shares


@pytest.mark.parametrize(("seed", "other"), [(2020, False), (1, False), (3, True)])
def test_evaporated_rain_of_a_stratum_recovers_its_truth(
    seed: int, other: bool
) -> None:
    tables = study(seed, other=True) if other else study(seed)
    soil, members = soil_with_truth(tables), tables.end_members
    soil["all"] = "all"
    soil["exposure"] = soil["aspect"].map(
        {"N": "shaded", "E": "shaded", "S": "sunny", "W": "sunny"}
    )
    deltas = ["d18O", "d2H"]
    checked = 0
    for row in members[members["state"] == "evaporated"].itertuples():
        period = members[members["period"] == row.period].set_index("source")
        rows = soil[(soil["period"] == row.period) & (soil[row.by] == row.stratum)]
        waters = [np.array([row.d18O, row.d2H])]
        waters += [
            period.loc[source, deltas].to_numpy(dtype=float)
            for source in ("ground_ice", "snowmelt")
            if source in period.index
        ]
        found = solved(rows[deltas].mean().to_numpy(), waters)
        truth = rows[TRUE].mean().to_numpy()[: len(waters)]
        assert found == pytest.approx(truth, abs=0.003)
        checked += 1
    assert checked == 3 * (1 + 4 + 3 + 4 + 4 + 2)


def test_rain_as_fallen_makes_ice_far_too_much() -> None:
    tables = study(2020)
    members = tables.end_members.query("by == 'all' and period == 'June'")
    members = members.set_index(["source", "state"])[["d18O", "d2H"]]
    soil = tables.samples.query("water == 'soil' and period == 'June'")
    found = solved(
        soil[["d18O", "d2H"]].mean().to_numpy(),
        [
            members.loc[("precipitation", "fallen")].to_numpy(),
            members.loc[("ground_ice", "sampled")].to_numpy(),
            members.loc[("snowmelt", "sampled")].to_numpy(),
        ],
    )
    assert found[1] > 0.5


def test_end_members_are_invented_and_have_honest_spreads() -> None:
    tables = study(2020)
    members = tables.end_members
    assert members["note"].str.startswith("invented").all()
    assert members["simulated"].all()
    assert set(members["source"]) == {"precipitation", "ground_ice", "snowmelt"}
    snow = members[members["source"] == "snowmelt"]
    assert snow["period"].tolist() == ["June"]
    assert (members["n"] > 1).all()
    correlation = members["d18O_d2H_cov"] / (members["d18O_sd"] * members["d2H_sd"])
    assert correlation.between(0.5, 1.0).all()
    for row in members[members["state"] == "sampled"].itertuples():
        rows = tables.samples.query(
            f"water == '{row.source}' and period == '{row.period}'"
        )
        assert row.n == len(rows)
        assert row.d18O_sd == pytest.approx(rows["d18O"].std(), abs=1e-3)
        assert row.d2H_sd == pytest.approx(rows["d2H"].std(), abs=1e-3)
        covariance = np.cov(rows["d18O"], rows["d2H"])[0, 1]
        assert row.d18O_d2H_cov == pytest.approx(covariance, abs=1e-3)


def test_reference_sets_the_paper_beside_the_truth() -> None:
    tables = study(2020)
    reference = tables.reference
    regional = reference[reference["by"] == "all"]
    assert len(regional) == 9
    assert regional["truth"].to_numpy() == pytest.approx(
        regional["paper"].to_numpy(), abs=0.001
    )
    strata = reference[reference["by"] != "all"]
    assert strata["paper"].isna().all()
    meadow = reference.query(
        "period == 'June' and stratum == 'meadow' and source == 'ground_ice'"
    ).iloc[0]
    rows = tables.truth.query("period == 'June' and vegetation == 'meadow'")
    assert meadow["truth"] == pytest.approx(rows["true_ground_ice"].mean(), abs=1e-6)
    assert meadow["n"] == len(rows)
    sums = reference.groupby(["period", "by", "stratum"])["truth"].sum()
    assert sums.to_numpy() == pytest.approx(1.0, abs=1e-5)


def test_truth_names_every_soil_sample_once() -> None:
    tables = study(2020)
    soil = tables.samples.query("water == 'soil'")
    assert tables.truth["sample_id"].tolist() == soil["sample_id"].tolist()
    assert set(tables.truth["period"]) == set(PERIODS)


@pytest.mark.slow
def test_same_seed_gives_the_same_study_and_another_seed_another() -> None:
    again = simulate_samples(landscape(), seed=2020)
    for name in ("samples", "parallels", "end_members", "truth", "reference"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(study(2020), name))
    other = study(1).samples
    assert not np.allclose(other["d18O"], again.samples["d18O"])


def test_negative_seed_is_refused() -> None:
    with pytest.raises(InputError, match="Invalid seed -1"):
        simulate_samples(landscape(), seed=-1)


def test_written_files_read_back_as_the_tables(tmp_path: Path) -> None:
    tables = study(2020)
    paths = write_samples_tables(tables, tmp_path / "new")
    names = ["samples", "parallels", "end_members", "truth", "reference"]
    assert [path.name for path in paths] == [f"{name}.csv" for name in names]
    for name, path in zip(names, paths, strict=True):
        found, wanted = pd.read_csv(path), getattr(tables, name)
        assert found.columns.tolist() == wanted.columns.tolist()
        numbers = wanted.select_dtypes("number").columns
        assert found[numbers].to_numpy() == pytest.approx(
            wanted[numbers].to_numpy(), nan_ok=True, abs=1e-12
        )
        words = [c for c in wanted.columns if c not in numbers and c != "simulated"]
        left, right = found[words].fillna(""), wanted[words].fillna("")
        assert left.astype(str).to_numpy().tolist() == right.to_numpy().tolist()
        assert found["simulated"].all()
