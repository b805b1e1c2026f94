"""The simulated NDVI files are HDF-EOS2 in form and NDVI in content."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.errors import FileFormatError
from geosoil.simulate._hdf4_elements import replace_streams
from geosoil.simulate._zlib_rows import constant_rows, stream_around
from geosoil.simulate.anomalies import make_anomalies, planted_correlation
from geosoil.simulate.landscape import make_landscape
from geosoil.simulate.ndvi import COLUMNS, ROWS, granules_of_study, write_ndvi
from geosoil.simulate.relief import block_mean

READER = """
import json, sys
import numpy as np
from pyhdf.HDF import HDF, HDF4Error
from pyhdf import V
from pyhdf.SD import SD

rows, columns, count_filled, out, *paths = [json.loads(w) for w in sys.argv[1:]]
start, count = (rows[0], columns[0]), (rows[1] - rows[0], columns[1] - columns[0])
arrays = {}
for number, path in enumerate(paths):
    file = SD(path)
    listing = sorted(file.datasets().items(), key=lambda item: item[1][3])
    data = [file.select(name) for name, _ in listing]
    for order, layer in enumerate(data):
        arrays[f"{number:02}{order}"] = layer.get(start=start, count=count)
facts = {
    "attributes": file.attributes(),
    "names": [name for name, _ in listing],
    "layers": [layer.attributes() for layer in data],
    "info": [item[:3] for _, item in listing],
    "groups": {},
}
if count_filled:
    facts["filled"] = [
        int((layer.get() != layer.attributes()["_FillValue"]).sum()) for layer in data
    ]
file.end()
file = HDF(path)
groups = file.vgstart()
reference = -1
while True:
    try:
        reference = groups.getid(reference)
    except HDF4Error:  # there is no further group
        break
    group = groups.attach(reference)
    facts["groups"][group._name] = [group._class, len(group.tagrefs())]
    group.detach()
groups.end()
file.close()
np.savez(out, **arrays)
print(json.dumps(facts))
"""


def read_hdf(paths, folder, *, count_filled=False):
    """Read the study grid of files in a process of its own; facts of the last."""
    out = folder / "layers.npz"
    words = [
        [ROWS.start, ROWS.stop],
        [COLUMNS.start, COLUMNS.stop],
        count_filled,
        *map(str, [out, *paths]),
    ]
    done = subprocess.run(
        [sys.executable, "-c", READER, *map(json.dumps, words)],
        capture_output=True,
        check=True,
        timeout=120,
    )
    with np.load(out) as arrays:
        layers = [arrays[name] for name in sorted(arrays.files)]
    return json.loads(done.stdout), [
        layers[i : i + 3] for i in range(0, len(layers), 3)
    ]


@pytest.fixture(scope="module")
def land():
    return make_landscape(seed=2020)


@pytest.fixture(scope="module")
def files(land, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ndvi")
    lines = []
    paths = write_ndvi(land, folder, seed=2020, progress=lines.append)
    assert len(lines) == 2
    return paths


@pytest.fixture(scope="module")
def june(files, tmp_path_factory):
    path = next(path for path in files if "MOD13C1.A2020161" in path.name)
    folder = tmp_path_factory.mktemp("read")
    facts, layers = read_hdf([path], folder, count_filled=True)
    return facts, layers[0]


def by_prefix(files, product):
    return [path for path in files if path.name.startswith(product)]


def test_names_and_dates_are_those_of_the_archive(files):
    pattern = r"(MOD13C[12])\.A(\d{4})(\d{3})\.061\.\d{13}\.hdf"
    parts = [re.fullmatch(pattern, path.name).groups() for path in files]
    days = [int(day) for product, _, day in parts if product == "MOD13C1"]
    assert days == list(range(145, 274, 16))
    months = [
        dt.date(int(year), 1, 1) + dt.timedelta(int(day) - 1)
        for product, year, day in parts
        if product == "MOD13C2"
    ]
    assert months == [dt.date(y, m, 1) for y in range(2001, 2021) for m in (6, 8, 9)]


def test_files_are_small(files):
    assert max(path.stat().st_size for path in files) < 250_000
    assert not [path for path in files[0].parent.iterdir() if path not in files]


def test_structure_is_that_of_a_modis_grid(june):
    facts, _ = june
    structure = facts["attributes"]["StructMetadata.0"]
    assert 'GridName="MODIS_Grid_16Day_VI_CMG"' in structure
    assert "UpperLeftPointMtrs=(-180000000.000000,90000000.000000)" in structure
    assert "Projection=GCTP_GEO" in structure
    assert "imulated" in facts["attributes"]["comment"]
    assert facts["names"] == [
        "CMG 0.05 Deg 16 days NDVI",
        "CMG 0.05 Deg 16 days VI Quality",
        "CMG 0.05 Deg 16 days pixel reliability",
    ]
    dims = ["YDim:MODIS_Grid_16Day_VI_CMG", "XDim:MODIS_Grid_16Day_VI_CMG"]
    # 22, 23 and 20 are HDF4's int16, uint16 and int8
    assert facts["info"] == [[dims, [3600, 7200], kind] for kind in (22, 23, 20)]
    ndvi = facts["layers"][0]
    assert ndvi["scale_factor"] == 10000.0
    assert ndvi["add_offset"] == 0.0
    assert ndvi["_FillValue"] == -3000
    assert ndvi["valid_range"] == [-2000, 10000]
    groups = facts["groups"]
    assert groups["MODIS_Grid_16Day_VI_CMG"] == ["GRID", 2]
    assert groups["Data Fields"] == ["GRID Vgroup", 3]
    assert groups["Grid Attributes"] == ["GRID Vgroup", 0]
    assert groups["MOD13C1.hdf"][0] == "CDF0.0"


def test_the_monthly_product_names_its_own_grid(files, tmp_path):
    facts, layers = read_hdf(files[-1:], tmp_path)
    assert facts["names"][0] == "CMG 0.05 Deg Monthly NDVI"
    structure = facts["attributes"]["StructMetadata.0"]
    assert 'GridName="MOD_Grid_monthly_CMG_VI"' in structure
    assert layers[0][0].dtype == np.int16


def test_only_the_region_holds_data(june, land):
    facts, (ndvi, quality, reliability) = june
    inside = block_mean(land.region.values.astype(float), factor=6) > 0.5
    assert np.array_equal(reliability >= 0, inside)
    assert np.array_equal(ndvi != -3000, inside)
    assert np.array_equal(quality != 65535, inside)
    assert facts["filled"] == [inside.sum()] * 3


def test_values_lie_in_the_valid_range(june):
    _, (ndvi, _, reliability) = june
    seen = ndvi[reliability >= 0]
    assert -2000 <= seen.min() <= seen.max() <= 10000
    assert set(np.unique(reliability)) == {-1, 0, 1, 2, 3, 4}


def test_clouds_and_snow_lower_ndvi(june):
    _, (ndvi, _, reliability) = june
    clear = ndvi[reliability == 0].mean()
    assert ndvi[reliability == 3].mean() < 0.85 * clear
    assert ndvi[reliability == 2].mean() < 0.6 * clear
    assert 0.02 < (reliability == 3).sum() / (reliability >= 0).sum() < 0.15


def test_quality_bits_agree_with_reliability(june):
    _, (_, quality, reliability) = june
    seen = reliability >= 0
    bits, rank = quality[seen].astype(int), reliability[seen]
    modland, usefulness = bits & 3, bits >> 2 & 15
    assert (modland[rank == 0] == 0).all()
    assert (modland[rank == 3] == 2).all()
    assert (modland[(rank == 1) | (rank == 2)] == 1).all()
    assert usefulness.max() <= 12
    assert usefulness[rank == 0].max() < usefulness[rank == 3].min()
    assert np.array_equal(bits >> 10 & 1, (rank == 3).astype(int))
    assert np.array_equal(bits >> 14 & 1, (rank == 2).astype(int))
    assert set(np.unique(bits >> 11 & 7)) == {1, 3}
    assert not (bits >> 9 & 1).any()


def test_forest_is_greener_than_meadow_than_grassland_than_desert(june, land):
    _, (ndvi, _, reliability) = june
    codes = land.vegetation.values[::6, ::6]
    means = [ndvi[(codes == k) & (reliability == 0)].mean() for k in (3, 2, 1, 5)]
    assert means == sorted(means, reverse=True)


def test_the_season_rises_to_august_and_falls(files, tmp_path):
    means = []
    _, layers = read_hdf(by_prefix(files, "MOD13C1"), tmp_path)
    for ndvi, _, reliability in layers:
        means.append(ndvi[(reliability == 0) | (reliability == 1)].mean())
    assert 3 <= int(np.argmax(means)) <= 5
    assert np.all(np.diff(means[:4]) > 0)
    assert np.all(np.diff(means[5:]) < 0)


@pytest.mark.parametrize(
    ("month", "weights"),
    [
        ("A2020153", {145: 8, 161: 16, 177: 6}),
        ("A2020214", {209: 11, 225: 16, 241: 4}),
        ("A2020245", {241: 12, 257: 16, 273: 2}),
    ],
)
def test_the_month_is_the_weighted_mean_of_its_composites(
    files, tmp_path, month, weights
):
    # weights are days of overlap with the month
    paths = [path for path in files if month in path.name]
    paths += [files[(day - 145) // 16] for day in weights]
    _, layers = read_hdf(paths, tmp_path)
    clear = np.all([layer[2] == 0 for layer in layers], axis=0)
    whole, *parts = (layer[0][clear] / 1e4 for layer in layers)
    mean = np.average(parts, axis=0, weights=list(weights.values()))
    assert clear.sum() > 1000
    assert abs(np.mean(whole - mean)) < 0.015
    assert np.corrcoef(whole, mean)[0, 1] > 0.97


def test_monthly_ndvi_follows_soil_moisture_as_planted(files, land, tmp_path):
    anomalies = make_anomalies(land, seed=2020)
    elevation = block_mean(land.elevation.values, factor=6)
    for order, month in enumerate((6, 8, 9)):
        values = []
        _, layers = read_hdf(by_prefix(files, "MOD13C2")[order::3], tmp_path)
        for ndvi, _, reliability in layers:
            clear = (reliability == 0) | (reliability == 1)
            values.append(np.where(clear, ndvi / 1e4, np.nan))
        moisture = anomalies.of_month("soil_moisture", month)
        moisture = moisture.repeat(2, axis=1).repeat(2, axis=2)[:, :95]
        pairs = np.ma.masked_invalid(np.array(values))
        x = np.ma.masked_array(moisture, pairs.mask)
        x, y = x - x.mean(axis=0), pairs - pairs.mean(axis=0)
        r = (x * y).mean(axis=0) / np.ma.sqrt((x**2).mean(0) * (y**2).mean(0))
        r[pairs.count(axis=0) < 8] = np.ma.masked
        for low, high in ((3000, 3800), (4000, 4400), (4800, 6000)):
            there = (elevation >= low) & (elevation < high)
            planted = planted_correlation("ndvi", month, elevation[there]).mean()
            assert r[there].mean() == pytest.approx(planted, abs=0.25)
            if abs(planted) > 0.3:
                assert np.sign(r[there].mean()) == np.sign(planted)


def test_the_seed_decides_the_files(files, built_study):
    again = [built_study.folder / "ndvi" / path.name for path in files]
    assert [p.read_bytes() for p in again] == [p.read_bytes() for p in files]


def test_noise_is_drawn_anew_for_every_file():
    streams = [granule.stream for granule in granules_of_study()]
    assert len(set(streams)) == 69


@pytest.mark.skipif(shutil.which("gdalinfo") is None, reason="gdalinfo is absent")
def test_gdal_opens_the_files_as_georeferenced_grids(files):
    formats = subprocess.run(
        ["gdalinfo", "--formats"], capture_output=True, text=True, check=True
    ).stdout
    if "HDF4Image" not in formats:
        pytest.skip("this gdalinfo has no HDF4 driver")
    for path, grid, layer in (
        (files[0], "MODIS_Grid_16Day_VI_CMG", "CMG 0.05 Deg 16 days NDVI"),
        (
            files[-1],
            "MOD_Grid_monthly_CMG_VI",
            "CMG 0.05 Deg Monthly pixel reliability",
        ),
    ):
        name = f'HDF4_EOS:EOS_GRID:"{path}":{grid}:{layer}'
        done = subprocess.run(
            ["gdalinfo", "-json", name], capture_output=True, check=True, timeout=60
        )
        found = json.loads(done.stdout)
        assert found["size"] == [7200, 3600]
        np.testing.assert_allclose(
            found["geoTransform"], [-180, 0.05, 0, 90, 0, -0.05], atol=1e-12
        )


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(0, 8),
    st.integers(1, 90),
    st.sampled_from([">i2", ">u2", "i1"]),
    st.integers(0, 2**32 - 1),
)
def test_composed_streams_are_plain_zlib(before, after, rows, columns, dtype, seed):
    rng = np.random.default_rng(seed)
    row = rng.integers(0, 100, columns).astype(dtype)
    values = rng.integers(0, 100, (rows, columns)).astype(dtype)
    stream = stream_around(constant_rows(row, before=before, after=after), values)
    expected = row.tobytes() * before + values.tobytes() + row.tobytes() * after
    # decompress checks the Adler-32 sum
    assert zlib.decompress(stream) == expected


def test_composed_streams_of_many_megabytes_have_the_right_checksum():
    row = np.full(7200, 65535, ">u2")
    rows = constant_rows(row, before=1074, after=2431)
    whole = zlib.decompress(stream_around(rows, np.full((95, 7200), 2112, ">u2")))
    assert len(whole) == 3600 * 7200 * 2


def test_a_template_that_is_no_hdf4_is_refused():
    with pytest.raises(FileFormatError, match="no HDF4 file"):
        replace_streams(b"<html>", [])


def test_a_template_with_other_streams_is_refused(files):
    with pytest.raises(FileFormatError, match="3 compressed streams where 1"):
        replace_streams(files[0].read_bytes(), [b""])
