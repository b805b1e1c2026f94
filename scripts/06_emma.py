"""Find the end members of simulated waters of six tracers by principal components."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

import geosoil as gs
from geosoil.plotting.emma import figure_emma_space
from geosoil.plotting.style import render
from geosoil.tracers.emma import emma
from geosoil.tracers.emma_rank import rank_by_rule, rank_table
from geosoil.tracers.emma_residuals import prediction_fit
from geosoil.tracers.emma_screening import screen_end_members, screen_sets

TRACERS = ["Ca", "Mg", "Na", "Si", "Cl", "SO4"]
PLANTED = ["precipitation", "ground_ice", "snowmelt"]
WATERS = pd.DataFrame(
    {
        "source": [*PLANTED, "deep_groundwater"],
        "Ca": [20.0, 160.0, 70.0, 240.0],
        "Mg": [8.0, 60.0, 90.0, 35.0],
        "Na": [30.0, 45.0, 190.0, 300.0],
        "Si": [15.0, 280.0, 120.0, 90.0],
        "Cl": [60.0, 25.0, 140.0, 20.0],
        "SO4": [35.0, 210.0, 90.0, 15.0],
    }
)
SPREAD = 0.04


def planted_mixtures(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Mix three of the waters in known shares, with a little noise."""
    shares = rng.dirichlet([1.4, 1.2, 1.0], size=240)
    ends = WATERS.set_index("source").loc[PLANTED, TRACERS].to_numpy()
    pure = shares @ ends
    noisy = pure * (1.0 + SPREAD * rng.standard_normal(pure.shape))
    return pd.DataFrame(noisy, columns=TRACERS), pd.DataFrame(shares, columns=PLANTED)


def tell_isotopes(study: Path) -> None:
    """Print what PCA says of two isotopes alone."""
    samples = gs.read_samples(study / "samples.csv")
    soil = samples[samples["water"] == "soil"]
    print("The study's soil water has two tracers:")
    try:
        emma(soil, tracers=["d18O", "d2H"])
    except gs.MixingError as error:
        print(f"  {error}")


def main() -> None:
    """Print rank, screening and fractions; draw the space of the components."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, nargs="?", default=Path("data/trhr"))
    parser.add_argument("--output", type=Path, default=Path("maps/gallery"))
    options = parser.parse_args()
    if (options.study / "samples.csv").is_file():
        tell_isotopes(options.study)
    rng = np.random.default_rng(2020)
    mixtures, shares = planted_mixtures(rng)
    table = rank_table(mixtures, tracers=TRACERS, rng=rng)
    print("\nComponents of simulated water, and what each rule keeps")
    print(table.drop(columns="structured").round(2).to_string())
    print(rank_by_rule(table).to_string())
    space = emma(mixtures, tracers=TRACERS)
    candidates = gs.EndMembers.from_table(WATERS)
    print("\nCandidates by their misfit to the space [%]")
    print(screen_end_members(space, candidates).round(2).to_string())
    print(screen_sets(space, candidates).round(2).to_string())
    ends = candidates.keep(PLANTED)
    found = space.fractions(ends)
    both = pd.DataFrame({"planted": shares.mean(), "found": found[PLANTED].mean()})
    print("\nMean fractions, planted and found")
    print(both.round(3).to_string())
    print("\nTracers predicted from the fractions")
    print(prediction_fit(mixtures, space.predict(found, ends)).round(3).to_string())
    figure = figure_emma_space(
        space,
        ends,
        candidates=candidates.keep(["deep_groundwater"]),
        title="Waters of six tracers in two components",
        note="SIMULATED data",
    )
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "06_emma.png").write_bytes(render(figure))


if __name__ == "__main__":
    main()
