"""The command `geosoil fractions`: words, JSON, files and bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geosoil.cli.main import main
from geosoil.workflow.fraction_table import OVER

ENDS = {"precipitation": (-11.0, -78.0), "ground_ice": (-16.0, -125.0)}


def table(shares: dict[str, float], *, seed: int = 3) -> pd.DataFrame:
    """Samples of two sources and of mixtures with known shares of precipitation."""
    rng = np.random.default_rng(seed)
    rows = []
    for source, mean in ENDS.items():
        x = rng.normal(0.0, 0.6, 12)
        noise = np.column_stack([x, 8.0 * x + rng.normal(0.0, 1.0, 12)])
        rows += [
            (source, "June", f"{source}{i}", "", *(mean + part))
            for i, part in enumerate(noise)
        ]
    for vegetation, share in shares.items():
        mean = share * np.array(ENDS["precipitation"])
        mean = mean + (1 - share) * np.array(ENDS["ground_ice"])
        noise = rng.normal(0.0, [0.1, 0.8], (16, 2))
        rows += [
            ("soil", "June", f"{vegetation}{i // 2}", vegetation, *(mean + z))
            for i, z in enumerate(noise)
        ]
    names = ["water", "period", "site_id", "vegetation", "d18O", "d2H"]
    return pd.DataFrame(rows, columns=names).rename_axis("sample_id").reset_index()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    table({"meadow": 0.8, "forest": 0.4}).to_csv(tmp_path / "samples.csv", index=False)
    return tmp_path / "samples.csv"


SOURCES = ["--sources", "precipitation,ground_ice"]


def run(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(["-q", "fractions", *words])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return code, captured.out, captured.err


def answers(words: list[str], capsys) -> dict[tuple[str, str], dict]:
    code, out, err = run([*words, "--json"], capsys)
    assert code == 0, err
    answer = json.loads(out, parse_constant=pytest.fail)
    assert answer["command"] == "fractions"
    return {(r.get("vegetation"), r["source"]): r for r in answer["results"]}


@pytest.mark.parametrize("method", ["gls", "bayes"])
def test_known_shares_come_back(path: Path, capsys, method: str) -> None:
    words = [str(path), *SOURCES, "--by", "period,vegetation", "--method", method]
    found = answers(words, capsys)
    for vegetation, truth in (("meadow", 0.8), ("forest", 0.4)):
        row = found[vegetation, "precipitation"]
        assert row["fraction"] == pytest.approx(truth, abs=0.06)
        assert row["fraction_lower"] < truth < row["fraction_upper"]
        other = found[vegetation, "ground_ice"]["fraction"]
        assert row["fraction"] + other == pytest.approx(1.0)
        assert row["n"] == 16
        assert row["n_sites"] == 8


def test_the_account_tells_groups_space_and_counts(path: Path, capsys) -> None:
    code, out, _ = run([str(path), *SOURCES, "--by", "period,vegetation"], capsys)
    assert code == 0
    assert "Sources of soil water by gls, tracers d18O, d2H, evaporation none" in out
    assert "June, meadow" in out
    assert "of 32 mixtures lie outside the mixing space" in out


def test_one_tracer_and_two_sources_are_exact(path: Path, capsys) -> None:
    words = [str(path), *SOURCES, "--by", "vegetation", "--method", "exact"]
    found = answers([*words, "--tracers", "d18O"], capsys)
    samples = pd.read_csv(path)
    means = samples.groupby("water")["d18O"].mean()
    soil = samples[samples["vegetation"] == "meadow"]["d18O"].mean()
    share = (soil - means["ground_ice"]) / (
        means["precipitation"] - means["ground_ice"]
    )
    row = found["meadow", "precipitation"]
    assert row["fraction_raw"] == pytest.approx(share, abs=1e-9)
    code, _, err = run([*words, "--tracers", "d18O,d2H"], capsys)
    assert code == 1
    assert "2 sources are over-determined by 2 tracers" in err


def test_a_stratum_with_fewer_sources_has_no_exact_answer(tmp_path, capsys) -> None:
    samples = table({"meadow": 0.8})
    snow = samples[samples["water"] == "ground_ice"].assign(
        water="snowmelt", d18O=lambda t: t["d18O"] - 4, d2H=lambda t: t["d2H"] - 10
    )
    both = pd.concat([samples, snow])
    august = both[both["water"] == "soil"].assign(period="August")
    pd.concat([both, august]).assign(sample_id=range(len(both) + len(august))).to_csv(
        tmp_path / "s.csv", index=False
    )
    (tmp_path / "zero.toml").write_text(
        '[[rule]]\nsource = "snowmelt"\nperiod = ["August"]\n'
    )
    words = [str(tmp_path / "s.csv"), "--method", "exact", "--json"]
    code, out, err = run([*words, "--zero-rules", str(tmp_path / "zero.toml")], capsys)
    assert code == 0, err
    rows = {(r["period"], r["source"]): r for r in json.loads(out)["results"]}
    assert rows["June", "snowmelt"]["fraction"] is not None
    assert rows["August", "precipitation"]["fraction"] is None
    assert rows["August", "precipitation"]["reason"] == OVER


def test_end_members_may_be_a_table_of_means(path: Path, tmp_path, capsys) -> None:
    means = pd.DataFrame(
        [(name, *mean, 0.3, 2.0, 12) for name, mean in ENDS.items()],
        columns=["source", "d18O", "d2H", "d18O_sd", "d2H_sd", "n"],
    )
    means.to_csv(tmp_path / "ends.csv", index=False)
    words = [str(path), *SOURCES, "--by", "vegetation"]
    found = answers([*words, "--end-members", str(tmp_path / "ends.csv")], capsys)
    row = found["forest", "precipitation"]
    assert row["fraction"] == pytest.approx(0.4, abs=0.03)


def test_any_water_and_any_tracer_mix(tmp_path: Path, capsys) -> None:
    rng = np.random.default_rng(2)
    rows = [("river", f"r{i}", 4.0 + rng.normal(0, 0.1)) for i in range(6)]
    rows += [("spring", f"s{i}", 9.0 + rng.normal(0, 0.2)) for i in range(6)]
    rows += [("rain", f"p{i}", 1.0 + rng.normal(0, 0.2)) for i in range(6)]
    samples = pd.DataFrame(rows, columns=["water", "site_id", "Cl"])
    samples.assign(d18O=-10.0, d2H=-70.0).to_csv(tmp_path / "s.csv", index=False)
    words = [str(tmp_path / "s.csv"), "--mixture", "river", "--by", ""]
    words += ["--sources", "precipitation,spring", "--tracers", "Cl"]
    row = answers(words, capsys)[None, "spring"]
    assert row["fraction"] == pytest.approx(3 / 8, abs=0.04)


def test_evaporation_is_solved_with_the_shares(path: Path, capsys) -> None:
    samples = pd.read_csv(path)
    soil = samples["water"] == "soil"
    samples.loc[soil, ["d18O", "d2H"]] += [1.5, 1.5 * 3.4]
    samples.to_csv(path, index=False)
    words = [str(path), *SOURCES, "--by", "period,vegetation"]
    plain = answers(words, capsys)["meadow", "ground_ice"]
    climate = [
        "--temperature",
        "8",
        "--humidity",
        "0.55",
        "--remaining",
        "0.88",
        "0.99",
    ]
    row = answers([*words, "--evaporation", "model", *climate], capsys)[
        "meadow", "ground_ice"
    ]
    assert abs(row["fraction"] - 0.2) < abs(plain["fraction"] - 0.2)
    assert row["evaporation"] == pytest.approx(1.5, abs=3 * row["evaporation_sd"])
    assert abs(row["fraction_per_permil"]) > 0.01
    assert row["fraction_possible_lower"] <= row["fraction"]
    _, out, _ = run([*words, "--evaporation", "model", *climate], capsys)
    assert "change of each share per permil" in out
    assert "an assumption to be stated by you" in out


def test_mixtures_are_led_back_first(path: Path, capsys) -> None:
    words = [str(path), *SOURCES, "--evaporation", "project"]
    code, out, err = run(words, capsys)
    assert code == 0, err
    assert "was led back to the meteoric line" in out
    assert "climate not stated" in out


@pytest.mark.parametrize("policy", ["keep", "exclude", "reassign"])
def test_nothing_is_lost_whatever_the_policy(path, tmp_path, capsys, policy) -> None:
    samples = pd.read_csv(path)
    samples.loc[samples.index[-1], ["d18O", "d2H"]] = [-2.0, -5.0]
    samples.to_csv(path, index=False)
    folder = tmp_path / policy
    words = [str(path), *SOURCES, "--policy", policy, "-o", str(folder)]
    code, _, err = run(words, capsys)
    assert code == 0, err
    kept = pd.read_csv(folder / "fractions_samples.csv")
    counts = pd.read_csv(folder / "mixing_policy.csv")
    assert counts["n"].sum() == 32
    excluded = folder / "samples_excluded.csv"
    assert excluded.exists() == (policy == "exclude")
    lost = len(pd.read_csv(excluded)) if excluded.exists() else 0
    assert len(kept) + lost == 32
    assert counts["n_outside"].sum() >= 1


def test_files_are_written_where_asked(path: Path, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "out"
    words = [str(path), *SOURCES, "--by", "period,vegetation", "-o", str(folder)]
    code, _, _ = run([*words, "--method", "bayes", "--draws", "500"], capsys)
    assert code == 0
    names = {file.name for file in folder.iterdir()}
    assert {
        *("fractions_groups.csv", "fractions_samples.csv", "fractions_draws.csv"),
        *("fractions_weighted.csv", "end_members_used.csv", "mixing_region.csv"),
        *("posterior_diagnostics.csv", "posterior_prior.csv", "posterior_check.csv"),
        *("posterior_loo.csv", "request.json"),
        *("mixing_diagram.png", "fractions_by_group.png", "fraction_densities.png"),
        *("fraction_matrix_1.png", "fraction_matrix_2.png"),
    } <= names
    summary = pd.read_csv(folder / "fractions_draws.csv")
    assert {"mean", "sd", "q05", "q25", "q50", "q75", "q95"} <= set(summary)
    assert json.loads((folder / "request.json").read_text())["seed"] == 2020


def test_a_seed_tells_the_same_twice(path: Path, tmp_path: Path, capsys) -> None:
    texts = []
    for name in ("a", "b"):
        words = [str(path), *SOURCES, "--seed", "7", "-o", str(tmp_path / name)]
        assert run(words, capsys)[0] == 0
        texts.append((tmp_path / name / "fractions_draws.csv").read_text())
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--mixture", "lake"], 1, "Waters found: precipitation, ground_ice, soil"),
        (["--by", "geology"], 1, "no column geology"),
        (["--sources", "precipitation"], 1, "fewer than two different"),
        (["--sources", "precipitation,soil"], 1, "also one of the --sources"),
        (["--sources", "precipitation,snowmelt"], 1, "snowmelt"),
        ([*SOURCES, "--tracers", "Cl"], 1, "column Cl is missing"),
        (["--tracers", "d18O"], 1, "3 sources need 2 tracers"),
        (["--method", "exact", "--evaporation", "model"], 1, "weighs evaporation"),
        (["--temperature", "8"], 1, "both --temperature and --humidity"),
        (["--remaining", "0.9", "0.8"], 1, "two rising shares"),
        (["--draws", "10"], 1, "100 or more"),
        (["--end-members", "none.csv"], 3, "none.csv"),
        (["--zero-rules", "none.toml"], 3, "none.toml"),
        (["--method", "magic"], 2, "magic"),
    ],
)
def test_bad_words_are_told(path: Path, capsys, words, code, told) -> None:
    found, out, err = run([str(path), *words], capsys)
    assert found == code
    assert told in err
    assert not out


def test_text_in_a_tracer_is_named(path: Path, tmp_path: Path, capsys) -> None:
    samples = pd.read_csv(path).assign(Cl="3.2")
    samples.loc[4, "Cl"] = "high"
    samples.to_csv(path, index=False)
    words = [str(path), *SOURCES, "--tracers", "Cl"]
    code, _, err = run(words, capsys)
    assert code == 1
    assert "column 'Cl' has 1 cells that are no numbers, the first 'high'" in err


def test_all_faults_of_a_request_are_told_at_once(path: Path, capsys) -> None:
    words = ["--sources", "soil", "--draws", "5", "--remaining", "1", "0"]
    code, _, err = run([str(path), *words], capsys)
    assert code == 1
    for told in ("fewer than two", "also one of", "--draws 5", "--remaining 1 0"):
        assert told in err


@pytest.mark.filterwarnings("default")
def test_end_members_that_fall_back_say_so(path: Path, capsys) -> None:
    samples = pd.read_csv(path)
    samples.loc[samples["water"] == "soil", "period"] = "August"
    samples.to_csv(path, index=False)
    code, out, _ = run([str(path), *SOURCES], capsys)
    assert code == 0
    assert "fell back from period (0 samples) to all samples (12)" in out


def test_waters_below_the_meteoric_line_are_doubted(path: Path, capsys) -> None:
    samples = pd.read_csv(path)
    soil = samples["water"] == "soil"
    samples.loc[soil, ["d18O", "d2H"]] += [3.0, 3.0 * 3.4]
    samples.to_csv(path, index=False)
    code, out, _ = run([str(path), *SOURCES], capsys)
    assert code == 0
    assert "below the meteoric line. If they have evaporated" in out
    assert "try --evaporation model" in out
    words = [str(path), *SOURCES, "--evaporation", "model"]
    code, out, _ = run(words, capsys)
    assert code == 0
    assert "If they have evaporated" not in out
