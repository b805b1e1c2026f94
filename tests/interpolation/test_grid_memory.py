"""The memory that a surface takes is told before, and is about that."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation.estimators import ScikitLearn
from geosoil.interpolation.grid_memory import (
    MemoryNeed,
    check_memory,
    predicted_memory,
)
from geosoil.interpolation.idw import InverseDistance
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.variogram import Variogram
from geosoil.interpolation.working_memory import working_bytes

SITES = np.random.default_rng(0).uniform(0, 1e5, (40, 2))
VALUES = np.random.default_rng(1).normal(size=40)
GRID = Grid.from_bounds((0, 0, 1e5, 1e5), 100, "EPSG:32647")
FITTED = InverseDistance().fit(SITES, VALUES)
NEED = MemoryNeed((1000, 3000), 2, (100, 700), 2, 50, 70)


def test_the_parts_add_up() -> None:
    assert (NEED.cells, NEED.n_blocks) == (3_000_000, 50)
    assert NEED.outputs == 8 * 2 * 3_000_000
    assert NEED.total == 2 * NEED.outputs + 2 * 70 + 50
    streamed = MemoryNeed((1000, 3000), 1, (100, 700), 2, 50, 70, "by block")
    assert streamed.total == 2 * 70 + 50
    one = MemoryNeed((10, 10), 1, (10, 10), 8, 50, 70)
    assert one.total == 8 * 100 + 70 + 50


def test_the_words_name_cells_blocks_and_sizes() -> None:
    assert str(NEED) == (
        "3,000,000 cells in 50 blocks of 100 x 700: 91.55 MiB of memory (surface 45.78 "
        "MiB, held twice while its blocks are joined; 2 workers with 70 B each; data "
        "50 B)"
    )
    words = str(predicted_memory(FITTED, GRID, result="by block"))
    assert "surface 7.63 MiB written by block" in words


def test_the_prediction_knows_data_outputs_and_blocks() -> None:
    small = predicted_memory(FITTED, GRID, chunks=(10, 10), workers=1)
    large = predicted_memory(FITTED, GRID, chunks=(500, 500), workers=1)
    assert small.n_blocks == 10_000
    assert large.per_worker > small.per_worker > working_bytes(FITTED, 100)
    assert small.interpolator > SITES.nbytes + VALUES.nbytes
    kriging = Kriging(Variogram("spherical", 0.1, 1.0, 30_000.0)).fit(SITES, VALUES)
    need = predicted_memory(kriging, GRID)
    assert need.planes == 2
    assert need.interpolator > 8 * 40 * 40
    assert need.chunks == (256, 256)
    assert predicted_memory(FITTED, GRID.part(0, 0, (5, 9))).chunks == (5, 9)


@pytest.mark.parametrize(
    ("need", "limit", "mend"),
    [
        (NEED, "50 MiB", r"Give a grid of cells of 135 or wider or write it block"),
        (
            MemoryNeed((1000, 1000), 1, (500, 500), 4, 50, 2**30),
            2**31,
            r"Give smaller chunks or fewer workers or raise memory_limit\.",
        ),
        (
            MemoryNeed((10, 10), 1, (10, 10), 1, 2**30, 10),
            2**28,
            r"Give n_neighbors, so that no system of all data is held or raise",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(
    need: MemoryNeed, limit: int | str, mend: str
) -> None:
    with pytest.raises(InputError, match=rf"more than the limit of .*\. {mend}"):
        check_memory(need, GRID, limit=limit)
    check_memory(need, GRID, limit=need.total)


def test_the_coarser_grid_that_is_proposed_fits() -> None:
    with pytest.raises(InputError, match="cells of 135 or wider"):
        check_memory(NEED, GRID, limit="50 MiB")
    shape = (int(1000 / 1.36), int(3000 / 1.36))
    coarser = MemoryNeed(shape, NEED.planes, NEED.chunks, 2, 50, 70)
    check_memory(coarser, GRID, limit="50 MiB")


def test_settings_that_cannot_be_are_refused_all_at_once() -> None:
    with pytest.raises(
        InputError, match=r"Invalid chunks '\(0, 4\)'.*Invalid workers '-1'.*'disk'"
    ):
        predicted_memory(FITTED, GRID, chunks=(0, 4), workers=-1, result="disk")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Invalid memory_limit 'much'"):
        check_memory(NEED, GRID, limit="much")


class Big:
    """Holds arrays in slots, lists and a dictionary, one of them twice."""

    __slots__ = ("named", "parts", "whole")

    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        self.whole = np.zeros(10**6)
        self.parts = [self.whole, np.zeros((10**5, 2)), np.mean, "text", None]
        self.named = {"X": X, "y": y, "mean": float}

    def predict(self, X: np.ndarray) -> np.ndarray:
        return np.zeros(len(X))


def test_arrays_within_what_was_fitted_are_counted_once() -> None:
    fitted = ScikitLearn(Big()).fit(SITES, VALUES)
    need = predicted_memory(fitted, GRID)
    arrays = 8 * (10**6 + 2 * 10**5)
    assert arrays < need.interpolator < arrays + 8 * 40 * 20


def test_the_trees_of_a_forest_are_counted() -> None:
    ensemble = pytest.importorskip("sklearn.ensemble")
    forest = ScikitLearn(ensemble.RandomForestRegressor(50)).fit(SITES, VALUES)
    trees = [tree.tree_ for tree in forest.estimator_.estimators_]
    nodes = sum(tree.node_count for tree in trees)
    assert predicted_memory(forest, GRID).interpolator > 64 * nodes


MEASURE = """
import sys

import dask
import numpy as np

from geosoil.grids.grid import Grid
from geosoil.interpolation import _kernels_kriging  # compiled code is no work
from geosoil.interpolation.grid_memory import predicted_memory
from geosoil.interpolation.idw import InverseDistance
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.large_grids import interpolate_blocks
from geosoil.interpolation.nearest import NearestNeighbor
from geosoil.interpolation.radial_basis import RadialBasis
from geosoil.interpolation.triangulation import Triangulation
from geosoil.interpolation.variogram import Variogram


def status(word):
    with open("/proc/self/status") as lines:
        return next(int(l.split()[1]) * 1024 for l in lines if l.startswith(word))


model = Variogram("exponential", 0.1, 1.0, 60_000.0)
make = eval(sys.argv[1])
count, side = int(sys.argv[2]), int(sys.argv[3])
rng = np.random.default_rng(0)
sites = rng.uniform(0, 5e5, (count, 2))
values = np.sin(sites[:, 0] / 5e4) + rng.normal(0, 0.2, count)
step = 5e5 / side
grid = Grid.from_bounds((0, 0, 5e5, 5e5), step, "EPSG:32647")
with dask.config.set(scheduler="threads", num_workers=2):
    # What is loaded and compiled once belongs to the libraries.
    warm = make().fit(sites[:50], values[:50])
    interpolate_blocks(warm, grid.part(0, 0, (8, 8)), chunks=(4, 4)).compute()
    del warm
    before = status("VmRSS")
    fitted = make().fit(sites, values)
    with open("/proc/self/clear_refs", "w") as reset:
        reset.write("5")
    need = predicted_memory(fitted, grid, workers=2)
    found = interpolate_blocks(fitted, grid, workers=2).compute()
    print(need.total, status("VmHWM") - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("make", "count", "side"),
    [
        ("InverseDistance", 250, 1000),
        ("NearestNeighbor", 250, 4000),
        ("Triangulation", 250, 4000),
        ("RadialBasis", 250, 1000),
        ("lambda: Kriging(model)", 250, 1600),
        ("lambda: Kriging(model)", 2000, 400),
        ("lambda: Kriging(model, n_neighbors=16)", 2500, 1600),
    ],
)
def test_the_prediction_is_at_most_twice_what_is_measured(
    make: str, count: int, side: int
) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", MEASURE, make, str(count), str(side)],
        capture_output=True,
        text=True,
        check=True,
    )
    predicted, measured = map(int, answer.stdout.split())
    assert 0.95 * measured < predicted < 2 * measured
