"""Kriging beside its peers in interleaved rounds, with the goals.

Run with ``pytest tests/benchmarks --benchmark-only``. A comparison is skipped where its
peer (PyKrige, GSTools, scikit-learn, gstat in R) is not installed. gstat is timed
inside R, without its start and the reading of files.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.linalg import cholesky

from geosoil.grids.grid import Grid
from geosoil.interpolation import _kernels_kriging  # noqa: F401  loaded beforehand
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.variogram import Variogram

Goal = Callable[..., None]
Surface = tuple[np.ndarray, np.ndarray]

ROUNDS = 5
SLOW = 4.0
"""CPU seconds from which a call is made once."""

NUGGET, SILL, RANGE = 0.1, 1.0, 150_000.0
MODEL = Variogram("exponential", NUGGET, SILL, RANGE)
NEIGHBORS = 32
AGREEMENT = 1e-9

SIZES = {"91 x 253": (91, 253, 5000.0), "500 x 1150": (500, 1150, 1000.0)}
NEEDED = {"91 x 253": 0, "500 x 1150": 8}
"""Gigabytes that peers take which hold all data with all cells."""

PROGRAM = """
a <- commandArgs(TRUE); nmax <- as.numeric(a[1]); folder <- a[2]
suppressMessages({library(sp); library(gstat)})
columns <- function(name, k) {
  path <- file.path(folder, name)
  as.data.frame(matrix(readBin(path, "double", file.size(path) / 8), ncol = k))
}
p <- columns("data", 3); g <- columns("targets", 2)
names(p) <- c("x", "y", "z"); names(g) <- c("x", "y")
coordinates(p) <- ~x+y; coordinates(g) <- ~x+y
m <- vgm(psill = NUMBERS[2], model = "Exp", range = NUMBERS[3], nugget = NUMBERS[1])
t <- system.time(r <- krige(z ~ 1, p, g, m, nmax = nmax, debug.level = 0))
cat(t[["user.self"]] + t[["sys.self"]], t[["elapsed"]])
writeBin(c(r$var1.pred, r$var1.var), file.path(folder, "answers"))
""".replace("NUMBERS", f"c({NUGGET}, {SILL}, {RANGE})")

PEAK = """
import sys
import numpy as np
from test_bench_kriging import MODEL, case
from geosoil.interpolation import _kernels_kriging
from geosoil.interpolation.kriging import Kriging

def status(word):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(word))

job = case("500 x 1150", 250)
kriging = Kriging(MODEL, **eval(sys.argv[1])).fit(job.sites, job.values)
kriging.grid(case("91 x 253", 250).grid)
before = status("VmRSS")
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")
found = kriging.grid(job.grid)
print((status("VmHWM") - before) / 1024 - found.nbytes / 2**20)
"""


@dataclass(frozen=True)
class Case:
    """Data and a grid, nowhere on each other."""

    sites: np.ndarray
    values: np.ndarray
    grid: Grid

    @property
    def targets(self) -> np.ndarray:
        """Centres of the cells, row by row, shape (m, 2)."""
        x, y = np.meshgrid(self.grid.x, self.grid.y)
        return np.column_stack([x.ravel(), y.ravel()])

    def ours(self, **options: object) -> Surface:
        kriging = Kriging(MODEL, **options).fit(self.sites, self.values)
        found = kriging.grid(self.grid)
        return tuple(values.to_numpy() for values in found.values())


def case(size: str, count: int) -> Case:
    rows, columns, side = SIZES[size]
    rng = np.random.default_rng(0)
    bounds = (0.0, 0.0, columns * side, rows * side)
    sites = rng.uniform(0, 1, (count, 2)) * bounds[2:]
    values = np.sin(sites[:, 0] / 1e5) + np.cos(sites[:, 1] / 8e4)
    values += rng.normal(0, 0.3, count)
    return Case(sites, values, Grid.from_bounds(bounds, side, "EPSG:32647"))


def limit(job: Case) -> None:
    """One Cholesky factor, and one product n**2 m in blocks."""
    n, m = len(job.values), job.grid.shape[0] * job.grid.shape[1]
    matrix = np.eye(n) * n + 0.5
    cholesky(matrix, lower=True, check_finite=False)
    block = np.ones((n, 4096))
    for start in range(0, m, 4096):
        matrix @ block[:, : min(4096, m - start)]


def pykrige(job: Case, backend: str, n_closest: int | None = None) -> Surface:
    from pykrige.ok import OrdinaryKriging

    kriging = OrdinaryKriging(
        *job.sites.T,
        job.values,
        variogram_model="exponential",
        variogram_parameters={"psill": SILL, "range": 3 * RANGE, "nugget": NUGGET},
        exact_values=False,
    )
    x, y = job.grid.x, job.grid.y
    found = kriging.execute("grid", x, y, backend=backend, n_closest_points=n_closest)
    return tuple(np.asarray(values) for values in found)


def gstools(job: Case) -> Surface:
    import gstools as gs

    model = gs.Exponential(dim=2, var=SILL, len_scale=RANGE, nugget=NUGGET)
    kriging = gs.krige.Ordinary(model, job.sites.T, job.values, exact=False)
    found = kriging((job.grid.x, job.grid.y), mesh_type="structured")
    return tuple(values.T for values in found)


def sklearn(job: Case) -> Surface:
    """Simple kriging of mean 0: another task of the same cost, not compared."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Matern

    kernel = Matern(length_scale=RANGE, nu=0.5)
    process = GaussianProcessRegressor(kernel, alpha=NUGGET, optimizer=None)
    return process.fit(job.sites, job.values).predict(job.targets, return_std=True)


class Gstat:
    """gstat in a process of its own, which tells the time that kriging took."""

    def __init__(self, job: Case, folder: Path, nmax: float) -> None:
        self.shape = job.grid.shape
        self.folder, self.nmax = folder, nmax
        np.vstack([job.sites.T, job.values]).tofile(folder / "data")
        job.targets.T.tofile(folder / "targets")
        (folder / "krige.R").write_text(PROGRAM, encoding="utf-8")
        self.seconds = (0.0, 0.0)

    def __call__(self) -> Surface:
        command = ["Rscript", "krige.R", str(self.nmax), "."]
        done = subprocess.run(
            command, cwd=self.folder, check=True, capture_output=True, text=True
        )
        self.seconds = tuple(float(word) for word in done.stdout.split())
        return tuple(np.fromfile(self.folder / "answers").reshape(2, *self.shape))


@cache
def has_gstat() -> bool:
    if shutil.which("Rscript") is None:
        return False
    command = ["Rscript", "-e", "library(gstat)"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def need(peer: str, gigabytes: float = 0.0) -> None:
    """Skip where a peer is absent, or would not fit the memory."""
    if peer == "gstat" and not has_gstat():
        pytest.skip("gstat is not installed")
    if peer != "gstat":
        pytest.importorskip(peer, exc_type=ImportError)
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    if free < gigabytes:
        pytest.skip(f"{peer} needs {gigabytes:g} GB, {free:.0f} GB are free")


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def medians(
    benchmark: BenchmarkFixture, calls: dict[str, Callable[[], object]]
) -> dict[str, float]:
    """CPU seconds of each call, and those by the clock under "<name>, wall".

    The median of interleaved rounds, all warm; of a slow call its first time.
    """
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}

    def one_round() -> None:
        for name, call in calls.items():
            if spent[name] and spent[name][0][0] > SLOW:
                continue
            start, begun = cpu_seconds(), time.perf_counter()
            call()
            took = cpu_seconds() - start, time.perf_counter() - begun
            spent[name].append(call.seconds if isinstance(call, Gstat) else took)

    benchmark.pedantic(one_round, rounds=ROUNDS, warmup_rounds=1)
    found = {}
    for name, rounds in spent.items():
        cpu, wall = zip(*(rounds[1:] or rounds), strict=True)
        found[name] = statistics.median(cpu)
        found[f"{name}, wall"] = statistics.median(wall)
    benchmark.extra_info.update(found)
    return found


def compare(goal: Goal, what: str, ours: Surface, theirs: Surface) -> None:
    """Show that the answers agree before their cost is compared."""
    for name, a, b in zip(("estimate", "variance"), ours, theirs, strict=True):
        apart = np.abs(a - b).max()
        goal(f"{what}: difference in {name}", apart, at_most=AGREEMENT)
        assert apart < AGREEMENT


def peer_call(peer: str, job: Case, folder: Path) -> Callable[[], Surface]:
    if peer == "gstat":
        return Gstat(job, folder, np.inf)
    calls = {
        "PyKrige C": lambda: pykrige(job, "C"),
        "PyKrige vectorized": lambda: pykrige(job, "vectorized"),
        "GSTools": lambda: gstools(job),
        "scikit-learn": lambda: sklearn(job),
    }
    return calls[peer]


MODULES = {
    "PyKrige C": "pykrige",
    "PyKrige vectorized": "pykrige",
    "GSTools": "gstools",
    "scikit-learn": "sklearn",
    "gstat": "gstat",
}


@pytest.mark.benchmark(group="kriging of all data, n = 250, and its limit")
@pytest.mark.parametrize("size", SIZES)
def test_bench_the_limit(benchmark: BenchmarkFixture, goal: Goal, size: str) -> None:
    job = case(size, 250)
    calls = {
        "limit": lambda: limit(job),
        "ours": job.ours,
        "estimate alone": lambda: job.ours(outputs="estimate"),
    }
    np.testing.assert_array_equal(calls["estimate alone"]()[0], job.ours()[0])
    found = medians(benchmark, calls)
    for clock in ("", ", wall"):
        ours = found[f"ours{clock}"]
        what = f"all of 250 data, {size}{clock or ', CPU'}"
        share = ours / found[f"limit{clock}"]
        goal(f"{what}: over Cholesky + n^2 m", share, at_most=1.1)
        share = found[f"estimate alone{clock}"] / ours
        goal(f"{what}: estimate alone over both", share, at_most=0.3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.benchmark(group="kriging of all data, n = 250, and its peers")
@pytest.mark.parametrize("peer", MODULES)
@pytest.mark.parametrize("size", SIZES)
def test_bench_all_data_beside_peers(
    benchmark: BenchmarkFixture, goal: Goal, tmp_path: Path, size: str, peer: str
) -> None:
    whole = peer in ("PyKrige vectorized", "GSTools", "scikit-learn")
    need(MODULES[peer], NEEDED[size] if whole else 0.0)
    job = case(size, 250)
    call = peer_call(peer, job, tmp_path)
    what = f"all of 250 data, {size}, {peer}"
    if peer != "scikit-learn":
        compare(goal, what, job.ours(), call())
    found = medians(benchmark, {"ours": job.ours, "peer": call})
    wanted = 3.5 if peer == "PyKrige C" else 10.0
    if (size == "91 x 253" and peer != "PyKrige C") or peer == "scikit-learn":
        wanted = 1.0
    for clock in ("", ", wall"):
        share = found[f"peer{clock}"] / found[f"ours{clock}"]
        goal(f"{what} over ours{clock or ', CPU'}", share, at_least=wanted)


@pytest.mark.slow
@pytest.mark.benchmark(group="kriging of 32 neighbours and gstat")
@pytest.mark.parametrize(
    ("size", "count", "wanted"),
    [
        ("91 x 253", 250, 0.5),
        ("91 x 253", 2500, 0.5),
        ("91 x 253", 25_000, 0.5),
        ("500 x 1150", 250, 0.15),
    ],
)
def test_bench_neighbors_beside_gstat(
    benchmark: BenchmarkFixture,
    goal: Goal,
    tmp_path: Path,
    size: str,
    count: int,
    wanted: float,
) -> None:
    need("gstat")
    job = case(size, count)
    gstat = Gstat(job, tmp_path, NEIGHBORS)
    what = f"{NEIGHBORS} of {count} data, {size}"
    calls = {
        "ours": lambda: job.ours(n_neighbors=NEIGHBORS),
        "estimate alone": lambda: job.ours(n_neighbors=NEIGHBORS, outputs="estimate"),
        "gstat": gstat,
    }
    compare(goal, f"{what}, gstat", calls["ours"](), gstat())
    found = medians(benchmark, calls)
    for clock in ("", ", wall"):
        share = found[f"ours{clock}"] / found[f"gstat{clock}"]
        goal(f"{what}{clock or ', CPU'}: ours over gstat", share, at_most=wanted)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.benchmark(group="kriging of 32 neighbours and PyKrige")
def test_bench_neighbors_beside_pykrige(
    benchmark: BenchmarkFixture, goal: Goal
) -> None:
    need("pykrige")
    job = case("91 x 253", 250)
    calls = {
        "ours": lambda: job.ours(n_neighbors=NEIGHBORS),
        "PyKrige C": lambda: pykrige(job, "C", NEIGHBORS),
    }
    what = f"{NEIGHBORS} of 250 data, 91 x 253, PyKrige C"
    compare(goal, what, calls["ours"](), calls["PyKrige C"]())
    found = medians(benchmark, calls)
    goal(f"{what} over ours, CPU", found["PyKrige C"] / found["ours"], at_least=2)


@pytest.mark.benchmark(group="peak memory of kriging, 500 x 1150")
@pytest.mark.parametrize(
    "options", [{}, {"outputs": "estimate"}, {"n_neighbors": NEIGHBORS}], ids=str
)
def test_bench_peak_memory(
    benchmark: BenchmarkFixture, goal: Goal, options: dict[str, object]
) -> None:
    """What is held beside the outputs, in a process of its own."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("the peak of a process cannot be reset here")
    folder = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", PEAK, repr(options)],
        env={**os.environ, "PYTHONPATH": folder, "OPENBLAS_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    benchmark.pedantic(lambda: None)
    what = ", ".join(f"{key} {value}" for key, value in options.items()) or "all data"
    goal(f"{what}, 500 x 1150: peak [MiB]", float(done.stdout), at_most=16)
