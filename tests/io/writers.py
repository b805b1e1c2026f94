"""Write two contents of each kind of file in turn, amid kills and full disks."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from geosoil.grids.grid import Grid
from geosoil.io import _cog
from geosoil.io._atomic import write_bytes, write_csv, write_text
from geosoil.io.geopackage import write_geopackage
from geosoil.io.geotiff import write_geotiff
from geosoil.io.netcdf import write_netcdf

LONGEST = 2.0
"""Seconds that a writer is left to itself at most."""

GRID = Grid.from_bounds((90, 31, 93, 33.5), 0.025, "EPSG:4326")
NUMBERS = np.random.default_rng(5).normal(size=(2, *GRID.shape)).astype("float32")


def tiff(which: int, folder: Path) -> Path:
    return write_geotiff(GRID.raster(NUMBERS[which], name="r"), folder / "r.tif")


def classes(which: int, folder: Path) -> Path:
    codes = GRID.raster((NUMBERS[which] > 0).astype("uint8") + 1, name="c")
    codes.attrs = {"flag_values": [1, 2], "flag_meanings": f"dry wet_{which}"}
    colours = {1: "#6a9fc4", 2: "#e3c77b"}
    return write_geotiff(codes, folder / "c.tif", colours=colours)


def netcdf(which: int, folder: Path) -> Path:
    layer = GRID.raster(NUMBERS[which], name="r")
    return write_netcdf(xr.Dataset({"r": layer}), folder / "r.nc")


def geopackage(which: int, folder: Path) -> Path:
    values = NUMBERS[which, 0]
    points = gpd.GeoDataFrame(
        {"r": values},
        geometry=gpd.points_from_xy(90 + abs(values), 31 + abs(values)),
        crs=4326,
    )
    return write_geopackage({"points": points}, folder / "r.gpkg")


def table(which: int, folder: Path) -> Path:
    return write_csv(pd.DataFrame(NUMBERS[which, :40]), folder / "r.csv")


def page(which: int, folder: Path) -> Path:
    text = f"<!doctype html><p>{which}</p>" + "<p>δ18O</p>" * 10_000
    return write_text(text, folder / "r.html")


def picture(which: int, folder: Path) -> Path:
    return write_bytes(_pictures()[which], folder / "r.png")


KINDS: dict[str, Callable[[int, Path], Path]] = {
    "GeoTIFF": tiff,
    "GeoTIFF of classes": classes,
    "NetCDF": netcdf,
    "GeoPackage": geopackage,
    "CSV": table,
    "HTML": page,
    "PNG": picture,
}


@functools.cache
def _pictures() -> list[bytes]:
    from matplotlib.figure import Figure

    from geosoil.plotting.style import render

    made = []
    for which in range(2):
        figure = Figure((4.0, 3.0))
        figure.add_subplot().imshow(NUMBERS[which])
        made.append(render(figure, dpi=100))
    return made


def write(kind: str, which: int, folder: Path) -> Path:
    """Write one of the two contents of a kind."""
    return KINDS[kind](which, folder)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _forked(work: Callable[[int], None]) -> tuple[int, int]:
    """Do work in a process of its own; return it and the end of a pipe it writes to."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        try:
            os.close(reading)
            work(writing)
        finally:
            os._exit(1)
    os.close(writing)
    return process, reading


def _reference(kind: str, folder: Path) -> dict[str, object]:
    """Tell the digests of both contents and how long a pair of writes takes."""
    whole = [_digest(write(kind, which, folder / "whole")) for which in (0, 1)]
    name = write(kind, 0, folder / "out").name
    start = time.perf_counter()
    for which in (1, 0, 1, 0):
        write(kind, which, folder / "whole")
    return {"whole": whole, "name": name, "pair": (time.perf_counter() - start) / 2}


def _endless(kind: str, folder: Path, pipe: int) -> None:
    """Write one content after the other until killed."""
    os.write(pipe, b"!")
    while True:
        for which in (1, 0):
            write(kind, which, folder / "out")


def kill(kind: str, folder: Path, moments: int) -> dict[str, object]:
    """Kill writers at random moments and say what each left under the final name."""
    told = _reference(kind, folder)
    rng = random.Random(20201)
    seen, leftovers, span = [], 0, float(told["pair"])
    target = folder / "out" / str(told["name"])
    for _ in range(moments):
        process, pipe = _forked(lambda end: _endless(kind, folder, end))
        os.read(pipe, 1)
        time.sleep(rng.uniform(0, span))
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(pipe)
        seen.append(_digest(target) if target.exists() else "absent")
        leftovers += any(target.parent.glob(".*.part"))
        if len(set(seen)) < 2:
            # A busy machine takes longer than it took for the reference.
            span = min(1.1 * span, LONGEST)
    return {**told, "seen": seen, "leftovers": leftovers}


def _attempt(kind: str, which: int, room: Path, pipe: int) -> None:
    """Write once and tell the error, if there was one."""
    try:
        write(kind, which, room)
    except Exception as error:
        os.write(pipe, type(error).__name__.encode())


def fill(kind: str, folder: Path, disk: Path, steps: int) -> dict[str, object]:
    """Write with more and more space left on a disk and say what came of it."""
    told = _reference(kind, folder)
    target, filler = disk / "out" / str(told["name"]), disk / "filler"
    most = 3 * (folder / "whole" / target.name).stat().st_size + 40_000
    answers = []
    for step in range(steps):
        write(kind, 0, target.parent)
        usage = os.statvfs(disk)
        left = step * most // steps
        filler.write_bytes(bytes(max(0, usage.f_bavail * usage.f_frsize - left)))
        # A process of its own: what a library keeps open would go on to take space.
        process, pipe = _forked(lambda end: _attempt(kind, 1, target.parent, end))
        error = os.read(pipe, 1000).decode()
        os.waitpid(process, 0)
        os.close(pipe)
        left_over = any(target.parent.glob(".*"))
        answers.append([error, _digest(target), left_over])
        filler.unlink()
    return {**told, "answers": answers}


if __name__ == "__main__":
    # Threads do not live on in a forked process, where they would be waited for.
    _cog._OPTIONS["num_threads"] = 1
    kind, folder, *disk, number = sys.argv[1:]
    if disk:
        answer = fill(kind, Path(folder), Path(disk[0]), int(number))
    else:
        answer = kill(kind, Path(folder), int(number))
    sys.stdout.write(json.dumps(answer))
