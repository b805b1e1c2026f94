"""Solve the source fractions of each vegetation type and draw them."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

import geosoil as gs
from geosoil.plotting.fractions import figure_fractions_by_group
from geosoil.plotting.style import render

COLUMNS = ["source", "d18O", "d2H", "d18O_sd", "d2H_sd", "d18O_d2H_cov", "n"]


def end_members(table: pd.DataFrame, period: str) -> gs.EndMembers:
    """Take a period's rain as evaporated by vegetation, ice and snow."""
    rows = table[(table["period"] == period) & (table["state"] != "fallen")]
    rain = rows[rows["by"] == "vegetation"].rename(columns={"stratum": "vegetation"})
    others = rows[(rows["by"] == "all") & (rows["source"] != "precipitation")]
    both = pd.concat([rain[[*COLUMNS, "vegetation"]], others[COLUMNS]])
    return gs.EndMembers.from_table(both, by=["vegetation"])


def main() -> None:
    """Print the fractions by period and vegetation; draw them as bars."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, nargs="?", default=Path("data/trhr"))
    parser.add_argument("--output", type=Path, default=Path("maps/gallery"))
    options = parser.parse_args()
    samples = gs.read_samples(options.study / "samples.csv")
    table = gs.read_end_members(options.study / "end_members.csv")
    parts = []
    for period in ("June", "August", "September"):
        soil = samples[(samples["water"] == "soil") & (samples["period"] == period)]
        ends = end_members(table, period)
        parts.append(gs.fractions_of_means(soil, ends, ["period", "vegetation"]))
    shares = pd.concat(parts, ignore_index=True)
    sources = [s for s in ("precipitation", "ground_ice", "snowmelt") if s in shares]
    print(shares[["period", "vegetation", "n", *sources]].round(2).to_string())
    bars = shares.rename(columns={"vegetation": "group"}).assign(kind="vegetation")
    bounds = [f"{s}{tail}" for s in sources for tail in ("", "_lower", "_upper")]
    bars = bars[["period", "kind", "group", "n", *bounds]].fillna(0.0)
    figure = figure_fractions_by_group(
        bars, title="Sources of soil water by vegetation", note="SIMULATED data"
    )
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "02_source_fractions.png").write_bytes(render(figure))


if __name__ == "__main__":
    main()
