"""Build the built-in study of the Three-Rivers Headwater Region under data/trhr."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from geosoil.simulate.study import build_study


def main() -> None:
    """Build the study; a study of the same maker and seed is kept as it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("data/trhr"))
    parser.add_argument("--seed", type=int, default=2020)
    parser.add_argument("--output", default="../../maps", help="folder of the results")
    options = parser.parse_args()
    start = time.perf_counter()
    config = build_study(
        options.folder, seed=options.seed, output=options.output, progress=print
    )
    print(f"{config} ready after {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
