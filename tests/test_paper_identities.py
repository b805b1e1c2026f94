"""What must hold between the paper's own tables, and what does not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geosoil.simulate.inputs import read_paper_table
from geosoil.tracers.delta import d_excess


@pytest.fixture(scope="module")
def identities(golden: Path) -> dict[str, dict]:
    text = (golden / "tracers" / "paper_identities.json").read_text()
    return {entry["name"]: entry for entry in json.loads(text)["identities"]}


def test_the_waters_add_up_to_the_total(identities, built_study) -> None:
    total = identities["sample total"]["value"]
    counts = read_paper_table("sample_counts")
    parts = counts[~counts["water"].isin(["total", "soil sites"])]
    assert int(parts["n"].sum()) == total
    assert len(pd.read_csv(built_study.folder / "samples.csv")) == total


def test_lines_of_table_2_pass_through_means_of_table_1(identities) -> None:
    name = next(key for key in identities if key.startswith("Table 2 lines"))
    expected = identities[name]
    lines = read_paper_table("table2_lel")
    means = read_paper_table("table1_means")
    both = lines.merge(means, on=["period", "group"])
    both = both[both["group_kind_x"].isin(["vegetation", "aspect"])]
    assert len(both) == 21
    off = both["d2H"] - both["slope"] * both["d18O"] - both["intercept"]
    is_june_s = (both["period"] == "June") & (both["group"] == "S")
    limit = expected["max_abs_residual_except_S_June"]
    assert off[~is_june_s].abs().max() <= limit
    assert off[is_june_s].item() == pytest.approx(expected["S_June_residual"], abs=0.01)


def test_printed_d_excess_holds_but_in_august(identities) -> None:
    expected = identities["d-excess = d2H - 8 d18O"]
    means = read_paper_table("table1_means")
    off = np.abs(means["dexcess_printed"] - d_excess(means["d18O"], means["d2H"]))
    august = (means["period"] == "August").to_numpy()
    limit = expected["june_and_september_max_abs_diff"]
    assert off[~august].max() <= limit
    assert int((off[august] > limit).sum()) == expected["august_rows_inconsistent"]
    assert int(august.sum()) == expected["of"]


@pytest.mark.parametrize("period", ["June", "August", "September"])
def test_stated_sources_imply_lines_far_from_evaporation(identities, period) -> None:
    name = next(key for key in identities if key.startswith("implied all-sample LEL"))
    slope, intercept = identities[name][period]
    means = read_paper_table("table1_means")
    mean = means[(means["period"] == period) & (means["group"] == "all")].iloc[0]
    source = read_paper_table("stated_sources").set_index("period").loc[period]
    found = (mean["d2H"] - source["d2H"]) / (mean["d18O"] - source["d18O"])
    assert found == pytest.approx(slope, abs=5e-5)
    assert mean["d2H"] - found * mean["d18O"] == pytest.approx(intercept, abs=5e-4)
    assert found > 4.0
