"""A thousand damaged files: the caller lives, every error names file and dataset."""

from __future__ import annotations

import hashlib
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from geosoil.errors import FileFormatError, GeosoilError
from geosoil.io._hdf4 import describe
from geosoil.io._worker_pool import POOL, close_workers, most_workers
from geosoil.io.modis import open_modis
from geosoil.io.modis_options import ModisOptions
from tests.io.test_modis import write_granule

KINDS = ("flip", "byte", "zero", "head", "cut", "swap")
NDVI = {
    "_FillValue": -3000, "valid_range": [-2000, 10000], "scale_factor": 10000.0,
    "units": "NDVI", "long_name": "CMG 0.05 Deg 16 days NDVI",
}  # fmt: skip
NAMED = re.compile(
    r"(mutant_\d+[^']*\.hdf').*(dataset '|StructMetadata|layer '|HDF)", re.S
)


def small_granule(folder):
    """Write a file of the form of MOD13C1 over the study's region, compressed."""
    rng = np.random.default_rng(0)
    ndvi = rng.integers(-2000, 10001, (95, 260)).astype("int16")
    ndvi[rng.random(ndvi.shape) < 0.1] = -3000
    prefix = "CMG 0.05 Deg 16 days"
    layers = {
        f"{prefix} NDVI": (ndvi, NDVI),
        f"{prefix} VI Quality": (rng.integers(0, 2**16, ndvi.shape, "uint16"), {}),
        f"{prefix} pixel reliability": (
            rng.integers(0, 4, ndvi.shape).astype("int8"), {"_FillValue": -1},
        ),
    }  # fmt: skip
    west, north = 89_024_000.0, 36_018_000.0  # 89 degrees 24', 36 degrees 18'
    east, south = 102_024_000.0, 31_033_000.0
    return write_granule(
        folder / "MOD13X1.A2020161.061.hdf", layers,
        corners=(west, north, east, south), deflate=True,
    )  # fmt: skip


def mutant(content, kind, rng):
    """Damage a file in one of six ways."""
    data = bytearray(content)
    if kind == "cut":
        return bytes(data[: rng.integers(1, len(data))])
    if kind == "swap":
        a, b = sorted(rng.integers(0, len(data) - 64, 2))
        data[a : a + 64], data[b : b + 64] = data[b : b + 64], data[a : a + 64]
        return bytes(data)
    end = 2000 if kind == "head" else len(data)
    for _ in range({"flip": 1, "byte": 4, "zero": 1, "head": 8}[kind]):
        place = int(rng.integers(4, end))
        if kind == "flip":
            data[place] ^= 1 << int(rng.integers(0, 8))
        elif kind == "zero":
            data[place : place + 32] = bytes(len(data[place : place + 32]))
        else:
            data[place] = int(rng.integers(0, 256))
    return bytes(data)


@pytest.fixture(scope="module")
def granule(tmp_path_factory):
    return small_granule(tmp_path_factory.mktemp("granule"))


@pytest.mark.slow
@pytest.mark.parametrize("published", [False, True])
def test_a_thousand_damaged_files_harm_nobody(granule, tmp_path, published):
    content, truth = granule.read_bytes(), open_modis(granule)
    rng = np.random.default_rng(20)
    digest = hashlib.sha256(content).hexdigest()
    names = [f"mutant_{n}.MOD13X1.A2020161.061.hdf" for n in range(1000)]
    for n, name in enumerate(names):
        (tmp_path / name).write_bytes(mutant(content, KINDS[n % len(KINDS)], rng))
    if published:
        (tmp_path / "SHA256SUMS").write_text(
            "".join(f"{digest}  {name}\n" for name in names)
        )
    parent, slowest = os.getpid(), []

    def read(name):
        began = time.monotonic()
        options = ModisOptions(checksums="check" if published else "ignore")
        try:
            values = open_modis(tmp_path / name, options=options)
            same = values.shape == truth.shape and values.equals(truth)
            answer = "right" if same else "wrong"
        except GeosoilError as error:
            answer = str(error)
        slowest.append(time.monotonic() - began)
        return answer

    began = time.monotonic()
    with ThreadPoolExecutor(most_workers()) as threads:
        answers = list(threads.map(read, names))
    assert time.monotonic() - began < 90
    assert os.getpid() == parent
    assert max(slowest) < 10
    refused = [answer for answer in answers if answer not in ("right", "wrong")]
    assert len(refused) > 200
    if published:
        assert answers.count("wrong") == 0
        assert all(
            re.search(r"Checksum mismatch|empty|HTML|by its", a) for a in refused
        )
    else:
        unnamed = [answer for answer in refused if not NAMED.search(answer)]
        assert unnamed == []
        assert answers.count("wrong") < 250
    assert len(POOL.busy) == 0
    assert describe(granule).datasets
    assert open_modis(granule).equals(truth)
    close_workers()


def test_a_damaged_file_among_good_ones_is_the_one_that_is_named(granule, tmp_path):
    good = tmp_path / "MOD13X1.A2020161.061.hdf"
    good.write_bytes(granule.read_bytes())
    bad = tmp_path / "MOD13X1.A2020177.061.hdf"
    bad.write_bytes(granule.read_bytes()[:900])
    with pytest.raises(FileFormatError, match=r"1 of 2 files.*\n- '.*A2020177") as told:
        open_modis([good, bad])
    assert "A2020161" not in str(told.value)
