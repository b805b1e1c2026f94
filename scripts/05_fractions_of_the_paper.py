"""Set the source fractions of every stratum beside the truth and beside the paper."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from geosoil.config import read_config
from geosoil.plotting.fractions import figure_fractions_by_group
from geosoil.plotting.style import render
from geosoil.tracers.aggregate import fraction_sources
from geosoil.workflow.inputs import StudyInputs, open_inputs
from geosoil.workflow.mixtures import end_members_as_fallen, soil_mixtures
from geosoil.workflow.study_answers import group_answers

KEYS = ["period", "by", "stratum", "source"]


def opened(study: Path) -> StudyInputs:
    """Open the samples and end members of the study, without its rasters."""
    config = read_config(study / "geosoil.toml")
    rasters = {"climate": {}, "layers": {}, "ndvi": type(config.ndvi)()}
    return open_inputs(config.model_copy(update=rasters))


def shares(inputs: StudyInputs) -> pd.DataFrame:
    """Solve the fractions of every stratum of every period, a row a source."""
    soil = soil_mixtures(inputs)
    rows = []
    for period in inputs.config.tracers.sources:
        fallen = end_members_as_fallen(inputs, period)
        chosen = soil[soil["period"] == period]
        for table in group_answers(inputs, chosen, fallen):
            for source in fraction_sources(table):
                names = ["", "_sd", "_lower", "_upper"]
                cells = table[[f"{source}{name}" for name in names]]
                cells = cells.set_axis(["fraction", "sd", "lower", "upper"], axis=1)
                labels = table[["period", "by", "stratum", "n", "n_sites", "answer"]]
                rows.append(pd.concat([labels, cells], axis=1).assign(source=source))
    return pd.concat(rows, ignore_index=True)


def beside(found: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Set the truth of the simulation and the paper's figures beside the answers."""
    known = reference[[*KEYS, "paper", "truth"]]
    both = found.merge(known, on=KEYS, how="left", validate="one_to_one")
    held = (both["truth"] >= both["lower"] - 1e-9) & (
        both["truth"] <= both["upper"] + 1e-9
    )
    return both.assign(off=both["fraction"] - both["truth"], held=held)


def bars(found: pd.DataFrame) -> pd.DataFrame:
    """Lay the shares out as the figure takes them, a column a source."""
    keys = ["period", "by", "stratum", "n"]
    wide = found.pivot_table(
        index=keys, columns="source", values=["fraction", "lower", "upper"], sort=False
    )
    tails = {"fraction": "", "lower": "_lower", "upper": "_upper"}
    wide.columns = [f"{source}{tails[value]}" for value, source in wide.columns]
    table = wide.reset_index().fillna(0.0)
    names = {"by": "kind", "stratum": "group"}
    return table.rename(columns=names).replace(
        {"kind": {"elevation_band": "elevation"}}
    )


def main() -> None:
    """Print the comparison and draw the shares as Fig 7 does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, nargs="?", default=Path("data/trhr"))
    parser.add_argument("--output", type=Path, default=Path("maps/gallery"))
    options = parser.parse_args()
    found = shares(opened(options.study))
    table = beside(found, pd.read_csv(options.study / "reference.csv"))
    told = [*KEYS, "n", "n_sites", "paper", "truth", "fraction", "lower", "upper"]
    print(table[told].round(2).to_string(index=False))
    told_by_paper = table[table["paper"].notna()]
    print(
        f"\n{int(table['held'].sum())} of {len(table)} true shares lie within their "
        f"95 % interval; the largest error is {table['off'].abs().max():.3f}. The "
        f"paper tells {len(told_by_paper)} of these shares in figures; the rest of "
        "its section 3.3 is told in words."
    )
    figure = figure_fractions_by_group(
        bars(found), title="Sources of soil water by stratum", note="SIMULATED data"
    )
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "05_fractions_of_the_paper.png"
    path.write_bytes(render(figure))


if __name__ == "__main__":
    main()
