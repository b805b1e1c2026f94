"""Cost of correlation against pixels and against steps of time, measured and drawn.

Run with ``pytest tests/benchmarks --benchmark-only``; the picture is written to
``build/linear_cost.png``. Peers that are not installed are left out.
"""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from pytest_benchmark.fixture import BenchmarkFixture

from geosoil.correlation.temporal import correlate

Pair = tuple[xr.DataArray, xr.DataArray]
Curves = dict[str, list[float]]

PICTURE = Path(__file__).parents[2] / "build" / "linear_cost.png"

PIXELS = (10_000, 30_000, 100_000, 300_000, 1_000_000)
STEPS = (12, 23, 46, 92, 184, 368)
FIXED_STEPS, FIXED_PIXELS = 23, 50_000
ROUNDS = 5
MOST = 40_000_000
"""Values of a series above which a peer is not asked: its copies would not fit."""

LOOKS = {
    "geosoil Pearson: r, p, n": ("#0b5394", "o", "-"),
    "geosoil Spearman: r, p, n": ("#6aa5d8", "s", "-"),
    "xarray.corr: r": ("#b45f06", "^", "--"),
    "xskillscore Pearson: r, p": ("#777777", "D", "--"),
}
"""Colour, marker and line of each curve."""

_RC = {
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.linewidth": 0.6,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "legend.frameon": False,
}


def cubes(steps: int, pixels: int) -> Pair:
    """Two float32 cubes with few ties, a tenth missing in each."""
    rng = np.random.default_rng(0)
    shape = (steps, pixels // 100, 100)
    x = rng.standard_normal(shape, dtype=np.float32)
    y = 0.5 * x + rng.standard_normal(shape, dtype=np.float32)
    for values in (x, y):
        values[rng.random(shape, dtype=np.float32) < 0.1] = np.nan
    dims = ("time", "y", "x")
    return xr.DataArray(x, dims=dims), xr.DataArray(y, dims=dims)


def calls() -> dict[str, Callable[[Pair], object]]:
    """Return the functions that are compared, one a curve."""
    found: dict[str, Callable[[Pair], object]] = dict(
        zip(
            LOOKS,
            (
                lambda pair: correlate(*pair, statistics=()),
                lambda pair: correlate(*pair, method="spearman", statistics=()),
                lambda pair: xr.corr(*pair, "time"),
            ),
            strict=False,
        )
    )
    if importlib.util.find_spec("xskillscore") is not None:
        import xskillscore as xs

        found["xskillscore Pearson: r, p"] = lambda pair: (
            xs.pearson_r(*pair, "time", skipna=True),
            xs.pearson_r_p_value(*pair, "time", skipna=True),
        )
    return found


def measure(shapes: list[tuple[int, int]]) -> Curves:
    """Return median CPU seconds of each call, NaN where it was not asked."""
    spent: Curves = {}
    warm = cubes(max(STEPS), 10_000)
    for call in calls().values():
        call(warm)
    for steps, pixels in shapes:
        pair = cubes(steps, pixels)
        for name, call in calls().items():
            own = name.startswith("geosoil")
            if not own and steps * pixels > MOST:
                spent.setdefault(name, []).append(float("nan"))
                continue
            rounds = []
            for _ in range(ROUNDS + 1 if own else 2):
                begun = time.process_time()
                call(pair)
                rounds.append(time.process_time() - begun)
            spent.setdefault(name, []).append(statistics.median(rounds[1:]))
    return spent


def slope(sizes: tuple[int, ...], seconds: list[float]) -> float:
    """Return the exponent of the cost over the upper half of the sizes."""
    half = len(sizes) // 2
    kept = np.isfinite(seconds)
    kept[:half] = False
    x, y = np.log(np.asarray(sizes)[kept]), np.log(np.asarray(seconds)[kept])
    return float(np.polyfit(x, y, 1)[0])


def panel(ax: Axes, sizes: tuple[int, ...], curves: Curves, title: str) -> None:
    """Draw the curves of one panel, with a line of slope 1 to compare."""
    for name, seconds in curves.items():
        colour, marker, line = LOOKS[name]
        label = f"{name} (slope {slope(sizes, seconds):.2f})"
        ax.plot(sizes, seconds, line, color=colour, marker=marker, ms=4, label=label)
    own = curves[next(iter(LOOKS))]
    guide = np.asarray(sizes) / sizes[-1] * own[-1] * 0.45
    ax.plot(sizes, guide, ":", color="#222222", lw=0.8)
    ax.annotate("linear", (sizes[-2], guide[-2]), (4, -9), textcoords="offset points")
    ax.set(xscale="log", yscale="log", title=title, ylabel="CPU seconds")
    ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.grid(which="major")
    ax.legend(fontsize=6.5, loc="upper left")
    low, high = ax.get_ylim()
    ax.set_ylim(low, high * 12)  # room for the legend


def draw(by_pixels: Curves, by_steps: Curves, path: Path) -> None:
    """Write the picture of both panels."""
    with mpl.rc_context(_RC):
        figure = Figure(figsize=(7.5, 3.6), layout="constrained")
        FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2)
        panel(left, PIXELS, by_pixels, f"Pixels, {FIXED_STEPS} steps of time")
        left.set_xlabel("pixels")
        panel(right, STEPS, by_steps, f"Steps of time, {FIXED_PIXELS:,} pixels")
        right.set_xlabel("steps of time")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=200)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.benchmark(group="cost against pixels and steps of time")
def test_bench_linear_cost(
    benchmark: BenchmarkFixture, goal: Callable[..., None]
) -> None:
    by_pixels = measure([(FIXED_STEPS, pixels) for pixels in PIXELS])
    by_steps = benchmark.pedantic(
        measure, ([(steps, FIXED_PIXELS) for steps in STEPS],)
    )
    benchmark.extra_info.update(pixels=by_pixels, steps=by_steps)
    draw(by_pixels, by_steps, PICTURE)
    first = next(iter(LOOKS))
    goal("cost of r + p + n against pixels: slope", slope(PIXELS, by_pixels[first]),
         at_most=1.1)  # fmt: skip
    goal("cost of r + p + n against time: slope", slope(STEPS, by_steps[first]),
         at_most=1.1)  # fmt: skip
    assert PICTURE.stat().st_size > 0
