"""Fit the meteoric and evaporation lines of the built-in study and draw them."""

from __future__ import annotations

import argparse
from pathlib import Path

import geosoil as gs
from geosoil.plotting.isotopes import figure_dual_isotope
from geosoil.plotting.style import render


def main() -> None:
    """Print each period's line beside the slope of evaporation; draw all waters."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, nargs="?", default=Path("data/trhr"))
    parser.add_argument("--output", type=Path, default=Path("maps/gallery"))
    options = parser.parse_args()
    samples = gs.read_samples(options.study / "samples.csv")
    rain = samples[samples["water"] == "precipitation"]
    lmwl = gs.fit_water_line(rain["d18O"], rain["d2H"])
    print(f"LMWL: d2H = {lmwl.slope:.2f} d18O + {lmwl.intercept:.2f}, n {lmwl.n}")
    climate = gs.EvaporationClimate(temperature=8.0, humidity=0.55)
    lines = {}
    for period in ("June", "August", "September"):
        soil = samples[(samples["water"] == "soil") & (samples["period"] == period)]
        lines[period] = gs.fit_water_line(soil["d18O"], soil["d2H"])
        source = gs.intersect(lmwl, lines[period])
        theory = float(gs.evaporation_slope(source.d18O, source.d2H, climate=climate))
        print(
            f"{period}: slope {lines[period].slope:.2f} (evaporation {theory:.2f}), "
            f"meets the LMWL at {source.d18O:.1f} permil"
        )
    figure = figure_dual_isotope(
        samples.drop(columns="geometry"),
        lmwl=lmwl,
        lines_by_period=lines,
        title="Waters and their lines",
        note="SIMULATED data",
    )
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "01_water_lines.png").write_bytes(render(figure))


if __name__ == "__main__":
    main()
