"""Set the paper's Tables 1 and 2 beside geosoil's, and tell where they cannot agree."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

import geosoil as gs
from geosoil.plotting.diagram_page import DiagramPage
from geosoil.plotting.isotope_groups import figure_isotope_groups
from geosoil.plotting.style import render
from geosoil.simulate.inputs import read_paper_table
from geosoil.strata import add_strata
from geosoil.tracers.artefact import slope_artefact
from geosoil.tracers.excess_regression import d_excess_regression
from geosoil.tracers.group_table import LineChoice, group_table, paper_layout
from geosoil.tracers.quality_tables import check_regression_through_means

KINDS = {"altitude": "elevation_band", "depth": "soil_layer"}
PAIR = ("_paper", "")
ROUNDING = 0.05
"""Miss that the rounding of the printed figures explains [permil]."""
CLIMATE = gs.EvaporationClimate(temperature=8.0, humidity=0.55)


def paper_table(name: str) -> pd.DataFrame:
    """Read a table of the paper, its strata named as geosoil names them."""
    table = read_paper_table(name)
    return table.assign(by=table["group_kind"].replace(KINDS), stratum=table["group"])


def beside(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Set a table of the paper beside geosoil's group table, a row a cell."""
    keys = ["period", "by", "stratum"]
    both = paper_table(name).merge(table, on=keys, how="left", suffixes=("_paper", ""))
    return both.rename(columns={"r2": "r_squared_paper"})


def artefacts_of_the_paper(rain: pd.DataFrame) -> pd.DataFrame:
    """Hold each line that Table 2 prints against the slope of evaporation."""
    start = rain["d18O"].mean(), rain["d2H"].mean()
    theory = float(gs.evaporation_slope(*start, climate=CLIMATE))
    rows = []
    for _, row in paper_table("table2_lel").iterrows():
        line = gs.WaterLine.stated(row["slope"], row["intercept"])
        finding = slope_artefact(line, theory)
        rows.append([row["period"], row["stratum"], finding.artefact, finding.words])
    return pd.DataFrame(rows, columns=["period", "stratum", "artefact", "words"])


def pooled_regressions(soil: pd.DataFrame) -> pd.DataFrame:
    """Set the pooled regressions of Table 1 beside those of the samples, with why."""
    means = paper_table("table1_means")
    rows = []
    for _, row in paper_table("table1_d18O_dexcess_regressions").iterrows():
        own = soil if row["by"] == "all" else soil[soil[row["by"]] == row["stratum"]]
        found = d_excess_regression(own["d18O"], own["d2H"])
        parts = means[(means["by"] == row["by"]) & (means["stratum"] == row["stratum"])]
        why = "The paper prints no regression that can be read."
        if pd.notna(row["slope"]):
            check = check_regression_through_means(
                parts["d18O"],
                parts["dexcess_recomputed"],
                slope=row["slope"],
                intercept=row["intercept"],
                tolerance=ROUNDING,
            )
            why = check.reason or "The line can pass through a mixture of the means."
        pairs = [row["slope"], found.slope, row["intercept"], found.intercept]
        rows.append([row["stratum"], *pairs, row["r2"], found.r_squared, why])
    names = ["slope_paper", "slope", "intercept_paper", "intercept", "R2_paper", "R2"]
    return pd.DataFrame(rows, columns=["stratum", *names, "why"])


def tell_pooled(pooled: pd.DataFrame) -> None:
    """Print the pooled regressions and why they are not the paper's."""
    print("\nTable 1, pooled regressions of d-excess on d18O, paper beside geosoil")
    print(pooled.drop(columns="why").round(2).to_string(index=False))
    print(
        "Why they differ: in any samples the slope of d-excess on d18O is that of d2H"
        "\non d18O less 8. Table 2 prints 5.7 to 7.7, so in a month d-excess changes"
        "\nby -2.3 to -0.3 a permil, and months whose means are this close cannot pool"
        "\nto -0.16. Samples that meet Table 2 give what stands beside it. Some printed"
        "\nlines do not even pass through the means that Table 1 prints:"
    )
    for stratum, why in zip(pooled["stratum"], pooled["why"], strict=True):
        print(f"  {stratum}: {why}")


def main() -> None:
    """Print the comparisons and draw the groups as Fig 5 does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, nargs="?", default=Path("data/trhr"))
    parser.add_argument("--output", type=Path, default=Path("maps/gallery"))
    options = parser.parse_args()
    samples = pd.DataFrame(gs.read_samples(options.study / "samples.csv"))
    soil = add_strata(samples[samples["water"] == "soil"])
    rain = samples[samples["water"] == "precipitation"]
    lmwl = gs.fit_water_line(rain["d18O"], rain["d2H"])
    table = group_table(soil, line=LineChoice(lmwl))
    print("Table 2 in the paper's layout\n", paper_layout(table).to_string(), sep="")
    lines = beside("table2_lel", table)
    values = [f"{v}{t}" for v in ("slope", "intercept", "r_squared") for t in PAIR]
    print("\nTable 2, paper beside geosoil")
    print(lines[["period", "stratum", *values]].round(2).to_string(index=False))
    means = beside("table1_means", table)
    values = ["d18O_paper", "d18O", "d2H_paper", "d2H", "dexcess_recomputed"]
    print("\nTable 1, means: paper beside geosoil")
    columns = ["period", "stratum", *values, "d_excess"]
    print(means[columns].round(2).to_string(index=False))
    tell_pooled(pooled_regressions(soil))
    print("\nCan the lines of Table 2 be lines of evaporation?")
    for _, row in artefacts_of_the_paper(rain).iterrows():
        print(f"  {row['period']}, {row['stratum']}: {row['words']}")
    figure = figure_isotope_groups(
        soil,
        table,
        by=["all", "elevation_band", "vegetation"],
        lmwl=lmwl,
        page=DiagramPage("Soil water by elevation and vegetation", "SIMULATED data"),
    )
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "04_lines_of_the_paper.png").write_bytes(render(figure))


if __name__ == "__main__":
    main()
