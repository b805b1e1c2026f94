"""The mixing recovers the simulated truth within the uncertainty it states."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geosoil.config import read_config
from geosoil.simulate.landscape import Landscape, make_landscape
from geosoil.simulate.samples import simulate_samples
from geosoil.simulate.settings import study_settings
from geosoil.simulate.tables import write_samples_tables
from geosoil.simulate.water_settings import SourceWater, WaterSettings
from geosoil.workflow.fractions import CORRECTED, GIVEN, FractionResult, solve_study
from geosoil.workflow.inputs import open_inputs

OTHER = WaterSettings(
    ground_ice={
        "June": SourceWater(-15.6, 5.0),
        "August": SourceWater(-15.0, 6.0),
        "September": SourceWater(-13.2, 2.0),
    },
    snowmelt=SourceWater(-19.0, 14.0),
    evaporation_slope={"June": 3.0, "August": 4.0, "September": 3.6},
)
CASES = {
    "seed 2020": (2020, None),
    "seed 7": (7, None),
    "other end members": (11, OTHER),
}


@pytest.fixture(scope="module")
def landscape() -> Landscape:
    """The land that all studies lie on."""
    return make_landscape(seed=2020)


@pytest.fixture(
    scope="module",
    params=[
        "seed 2020",
        pytest.param("seed 7", marks=pytest.mark.slow),
        pytest.param("other end members", marks=pytest.mark.slow),
    ],
)
def case(
    request: pytest.FixtureRequest,
    landscape: Landscape,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[FractionResult, pd.DataFrame]:
    """Solve a simulated study of samples alone; its truth is handed on apart."""
    seed, settings = CASES[request.param]
    folder = tmp_path_factory.mktemp("truth")
    study = simulate_samples(landscape, seed=seed, settings=settings)
    write_samples_tables(study, folder)
    text = study_settings(seed, "maps")
    kept = text[: text.index("[ndvi]")].replace('region = "', '# region = "')
    kept = kept.replace('rivers = "', '# rivers = "').replace(
        'lakes = "', '# lakes = "'
    )
    (folder / "geosoil.toml").write_text(kept)
    inputs = open_inputs(read_config(Path(folder) / "geosoil.toml"))
    return solve_study(inputs, lambda _: None), study.reference


def test_regional_shares_lie_within_their_interval(case) -> None:
    result, reference = case
    regional = result.regional[result.regional["answer"] == GIVEN]
    truth = reference[reference["by"] == "all"].set_index(["period", "source"])["truth"]
    assert len(regional) == 7
    for _, row in regional.iterrows():
        true = truth[row["period"], row["source"]]
        assert row["sd"] > 0
        assert row["lower"] - 1e-9 <= true <= row["upper"] + 1e-9
        assert row["fraction"] == pytest.approx(true, abs=0.01)


def test_shares_of_strata_recover_the_truth(case) -> None:
    result, reference = case
    truth = reference.set_index(["period", "by", "stratum", "source"])["truth"]
    checked = 0
    for _, row in result.groups.iterrows():
        for source in ("precipitation", "ground_ice", "snowmelt"):
            key = (row["period"], row["by"], row["stratum"], source)
            if key not in truth.index or not np.isfinite(row.get(source, np.nan)):
                continue
            assert row[source] == pytest.approx(truth[key], abs=0.02), key
            assert row[f"{source}_lower"] - 1e-6 <= truth[key] + 0.005
            assert row[f"{source}_upper"] + 0.005 >= truth[key]
            checked += 1
    assert checked >= 70


def test_evaporation_hangs_on_two_sources_and_is_open_with_three(case) -> None:
    result, reference = case
    june = result.sensitivities["June"]
    assert not june.identifiable
    assert "not identifiable" in june.words
    ice = june.sources.index("ground_ice")
    assert -0.65 < june.derivative[ice] < -0.3
    assert sum(june.derivative) == pytest.approx(0.0, abs=1e-9)
    for period in ("August", "September"):
        assert result.sensitivities[period].identifiable
    truth = reference[reference["by"] == "all"].set_index(["period", "source"])["truth"]
    rows = result.regional[result.regional["answer"] == CORRECTED]
    for _, row in rows.iterrows():
        true = truth[row["period"], row["source"]]
        assert row["lower"] - 0.02 <= true <= row["upper"] + 0.02


def test_single_samples_are_flagged_and_keep_their_raw_answer(case) -> None:
    result, _ = case
    samples = result.samples
    outside = samples["reason"].str.contains("outside")
    assert 0.2 < outside.mean() < 0.9
    raw = samples[[f"fraction_{s}_raw" for s in ("precipitation", "ground_ice")]]
    assert (raw[outside].min(axis=1) < 0).mean() > 0.5
    shares = samples[
        [f"fraction_{s}" for s in ("precipitation", "ground_ice", "snowmelt")]
    ].fillna(0.0)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-9)


def test_structural_zeros_of_samples_are_exact(case) -> None:
    result, _ = case
    low = result.samples[result.samples["elevation"] < 4000]
    june = low[low["period"] == "June"]
    september = low[low["period"] == "September"]
    assert (june["fraction_snowmelt"] == 0.0).all()
    assert (september["fraction_ground_ice"] == 0.0).all()
    assert (september["fraction_precipitation"] == 1.0).all()
