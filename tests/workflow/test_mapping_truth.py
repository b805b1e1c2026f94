"""The maps of the built-in study beside its truth, which no map has seen."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from geosoil.config import read_config
from geosoil.io.geotiff import read_geotiff
from geosoil.simulate.landscape import make_landscape
from geosoil.simulate.samples import simulate_samples
from geosoil.simulate.settings import study_settings
from geosoil.simulate.study import build_study
from geosoil.simulate.tables import write_samples_tables
from geosoil.simulate.true_surfaces import write_true_surfaces
from geosoil.workflow.fractions import solve_study
from geosoil.workflow.inputs import open_inputs
from geosoil.workflow.mapping import map_fractions
from geosoil.workflow.mapping_truth import check_truth, truth_files


@pytest.fixture(scope="module")
def scores(built_study) -> pd.DataFrame:
    path = built_study.result.folder / "tables/maps_against_truth.csv"
    return pd.read_csv(path)


def test_the_map_is_nearer_to_the_truth_than_inverse_distances(scores) -> None:
    whole = scores[scores["elevation_band"] == "all"]
    for _, rows in whole.groupby(["period", "source"]):
        rmse = rows.set_index("method")["rmse"]
        mapped = rows.loc[rows["mapped"], "rmse"].item()
        assert mapped < 0.8 * rmse["idw"]
        assert mapped < 0.12


def test_the_bias_by_band_is_that_of_the_written_maps(built_study, scores) -> None:
    height = read_geotiff(built_study.folder / "layers/elevation.tif").to_numpy()
    for period in ("June", "August", "September"):
        name = f"ground_ice_{period}"
        found = read_geotiff(built_study.result.folder / f"fraction_{name}.tif")
        truth = read_geotiff(built_study.folder / f"truth/true_{name}.tif")
        error = (found - truth).to_numpy()
        weight = np.cos(np.radians(found["y"].to_numpy()))[:, None] * np.ones_like(
            error
        )
        for low, high in ((3500, 4000), (4500, 5100)):
            held = np.isfinite(error) & (height >= low) & (height < high)
            wanted = np.average(error[held], weights=weight[held])
            row = scores[
                scores["mapped"]
                & (scores["period"] == period)
                & (scores["source"] == "ground_ice")
                & (scores["elevation_band"] == f"{low}-{high}")
            ]
            assert row["bias"].item() == pytest.approx(wanted, abs=2e-4)
            assert abs(wanted) < 0.15


def test_intervals_hold_the_truth_near_and_far(built_study) -> None:
    table = pd.read_csv(built_study.result.folder / "tables/maps_coverage.csv")
    assert (table.groupby(["period", "source"]).size() == 4).all()
    by_class = table.groupby(["period", "source"])["from_km"]
    assert by_class.apply(lambda x: x.is_monotonic_increasing).all()
    assert np.average(table["picp90"], weights=table["cells"]) > 0.87
    assert table["picp90"].min() > 0.6


@pytest.mark.slow
def test_the_maps_are_made_without_opening_the_truth(built_study, tmp_path) -> None:
    code = (
        "import sys\nopened = set()\n"
        "sys.addaudithook(lambda e, a: opened.add(str(a[0])) if e == 'open' else None)"
        "\nimport pandas as pd\nfrom pathlib import Path\n"
        "import rasterio\nreal = rasterio.open\n"
        "def told(path, *a, **k):\n"
        "    opened.add(str(path))\n    return real(path, *a, **k)\n"
        "rasterio.open = told\n"
        "from geosoil.workflow.mapping import map_fractions\n"
        "from geosoil.workflow.inputs import open_inputs\n"
        "from geosoil.config import read_config\n"
        "inputs = open_inputs(read_config(sys.argv[1]))\n"
        "sites = pd.read_csv(sys.argv[2])\n"
        "june = sites[sites['period'] == 'June']\n"
        "map_fractions(inputs, june, Path(sys.argv[3]), lambda _: None)\n"
        "assert any('elevation.tif' in name for name in opened)\n"
        "print([n for n in opened if 'true_' in n or 'truth' in Path(n).parts])\n"
    )
    sites = built_study.result.folder / "tables/fractions_sites.csv"
    given = [str(built_study.config), str(sites), str(tmp_path)]
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *given],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "[]"


def test_measured_studies_and_those_without_the_files_have_no_truth(
    built_study,
) -> None:
    config = read_config(built_study.config)
    assert len(truth_files(config)) == 7
    study = config.study.model_copy(update={"simulated": False})
    assert truth_files(config.model_copy(update={"study": study})) == []
    output = config.output.model_copy(update={"truth": None})
    assert truth_files(config.model_copy(update={"output": output})) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", [7, 11])
def test_other_seeds_are_mapped_as_well(seed: int, tmp_path) -> None:
    landscape = make_landscape(seed=2020)
    study = simulate_samples(landscape, seed=seed)
    write_samples_tables(study, tmp_path)
    write_true_surfaces(landscape, study.truth, tmp_path / "truth", seed=seed)
    built = build_study(tmp_path / "layers-only", seed=2020).parent
    text = study_settings(seed, "maps")
    head, tail = text[: text.index("[ndvi]")], text[text.index("[interpolation]") :]
    head = head.replace('"region/', f'"{(built / "region").as_posix()}/')
    layers = (
        f'[layers]\nelevation = "{(built / "layers/elevation.tif").as_posix()}"\n\n'
    )
    (tmp_path / "geosoil.toml").write_text(head + layers + tail)
    inputs = open_inputs(read_config(tmp_path / "geosoil.toml"))
    sites = solve_study(inputs, lambda _: None).sites
    maps = map_fractions(inputs, sites, tmp_path / "maps", lambda _: None)
    check = check_truth(inputs, maps)
    whole = check.scores[check.scores["elevation_band"] == "all"]
    for period, rows in whole.groupby("period"):
        mapped = rows[rows["mapped"]]["rmse"].mean()
        assert mapped <= rows[rows["method"] == "idw"]["rmse"].mean(), period
    covered = check.coverage
    assert np.average(covered["picp90"], weights=covered["cells"]) > 0.8
