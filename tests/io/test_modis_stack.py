"""Tiles become one mosaic, Terra and Aqua one stack, within a stated memory."""

from __future__ import annotations

import hashlib
import itertools
import tracemalloc

import numpy as np
import pytest
from xarray.core.indexing import LazilyIndexedArray

from geosoil.errors import (
    FileFormatError,
    GridMismatchError,
    InputError,
)
from geosoil.grids.composites import monthly_composite
from geosoil.grids.grid import Grid
from geosoil.io import _modis_reading
from geosoil.io._hdf4 import describe
from geosoil.io.modis import open_modis
from geosoil.io.modis_options import ModisOptions
from geosoil.io.quality_bits import QualityRule
from tests.io.test_modis import CMG, STORED, ndvi_file, write_granule

SIDE = 1111950.5196666666
WEST, NORTH = -20015109.354, 10007554.677
SPHERE = "ProjParams=(6371007.181,0,0,0,0,0,0,0,0,0,0,0,0)"
CELLS = 12
RNG = np.random.default_rng(5)


def tile(folder, h, v, stored, *, day=153, product="MOD13X3", **options):
    """Write a tile with corners rounded to a millionth of a metre, as NASA does."""
    left, top = round(WEST + h * SIDE, 6), round(NORTH - v * SIDE, 6)
    right, bottom = round(left + SIDE, 6), round(top - SIDE, 6)
    name = f"{product}.A2020{day:03d}.h{h:02d}v{v:02d}.061.2020999000000.hdf"
    return ndvi_file(
        folder / name, stored, name="1 km monthly NDVI", projection="GCTP_SNSOID",
        corners=(left, top, right, bottom), extra=SPHERE, **options,
    )  # fmt: skip


def numbers():
    return RNG.integers(-2000, 10001, (CELLS, CELLS)).astype("int16")


class TestMosaics:
    @pytest.mark.parametrize(
        "places",
        [[(25, 5), (26, 5)], [(26, 5), (25, 5)], [(25, 5), (25, 6)],
         [(25, 5), (26, 6)], [(25, 5), (26, 5), (25, 6), (26, 6)]],
    )  # fmt: skip
    def test_tiles_of_one_date_lie_side_by_side_to_the_cell(self, tmp_path, places):
        stored = {place: numbers() for place in places}
        files = [tile(tmp_path, *place, stored[place]) for place in places]
        mosaic = open_modis(files)
        first_h = min(h for h, _ in places)
        first_v = min(v for _, v in places)
        rows = (max(v for _, v in places) - first_v + 1) * CELLS
        columns = (max(h for h, _ in places) - first_h + 1) * CELLS
        expected = np.full((rows, columns), np.nan, dtype="float32")
        for (h, v), values in stored.items():
            row, column = (v - first_v) * CELLS, (h - first_h) * CELLS
            expected[row : row + CELLS, column : column + CELLS] = values.astype(
                "float32"
            ) / np.float32(1e4)
        np.testing.assert_array_equal(mosaic.to_numpy()[0], expected)
        for place, file in zip(places, files, strict=True):
            alone = open_modis(file)
            part = mosaic.sel(x=alone.x, y=alone.y, method="nearest", tolerance=1e-4)
            np.testing.assert_array_equal(part, alone)
            assert mosaic.attrs["source_files"] == [f.name for f in files], place

    def test_a_box_takes_its_cells_from_both_tiles_and_leaves_others_out(
        self, tmp_path
    ):
        files = [tile(tmp_path, h, 5, numbers()) for h in (24, 25, 26)]
        both = open_modis(files[1:])
        box = (93.0, 33.0, 97.0, 35.0)
        part = open_modis(files, bbox=box)
        column = (part.rio.transform().c - both.rio.transform().c) / (SIDE / CELLS)
        row = (both.rio.transform().f - part.rio.transform().f) / (SIDE / CELLS)
        assert column == pytest.approx(round(column), abs=1e-6)
        rows, columns = part.shape[1:]
        row, column = round(row), round(column)
        np.testing.assert_array_equal(
            part, both[:, row : row + rows, column : column + columns]
        )
        assert files[0].name not in part.attrs["source_files"]
        with pytest.raises(InputError, match=r"(?s)None of 3 files covers.*outside"):
            open_modis(files, bbox=(10, 33, 11, 34))

    def test_several_dates_of_several_tiles_are_one_stack(self, tmp_path):
        stored = {
            (day, h): numbers() for day, h in itertools.product((153, 185), (25, 26))
        }
        files = [
            tile(tmp_path, h, 5, values, day=day) for (day, h), values in stored.items()
        ]
        stack = open_modis(files[::-1])
        assert stack.shape == (2, CELLS, 2 * CELLS)
        for (day, h), values in stored.items():
            there = stack[(day - 153) // 32, :, (h - 25) * CELLS :][:, :CELLS]
            np.testing.assert_allclose(there, values / 1e4, rtol=1e-6)

    def test_a_date_that_lacks_a_tile_is_told(self, tmp_path):
        files = [tile(tmp_path, h, 5, numbers()) for h in (25, 26)]
        files.append(tile(tmp_path, 25, 5, numbers(), day=185))
        with pytest.raises(
            GridMismatchError, match=r"2020-07-03 has none beside '.*h26v05"
        ):
            open_modis(files)

    def test_the_same_tile_twice_is_refused(self, tmp_path):
        files = [tile(tmp_path, h, 5, numbers()) for h in (25, 26)]
        files.append(tile(tmp_path, 25, 5, numbers(), product="MYD13X3"))
        with pytest.raises(InputError, match=r"same date.*h25v05.*h25v05"):
            open_modis(files)

    def test_tiles_off_the_grid_by_part_of_a_cell_are_refused(self, tmp_path):
        files = [tile(tmp_path, h, 5, numbers()) for h in (25, 26)]
        text = files[1].read_bytes()
        corner = f"UpperLeftPointMtrs=({round(WEST + 26 * SIDE, 6):f}".encode()
        moved = f"UpperLeftPointMtrs=({round(WEST + 26 * SIDE, 6) + 3e4:f}".encode()
        assert text.count(corner) == 1
        files[1].write_bytes(text.replace(corner, moved))
        with pytest.raises((GridMismatchError, InputError), match="h26v05"):
            open_modis(files)

    def test_subsets_that_overlap_must_agree(self, tmp_path):
        stored = numbers()
        corners = (WEST + 25 * SIDE, NORTH - 5 * SIDE)
        cell = SIDE / CELLS

        def subset(name, values, first):
            left = corners[0] + first * cell
            top = corners[1]
            right, bottom = left + values.shape[1] * cell, top - values.shape[0] * cell
            return ndvi_file(
                tmp_path / f"MOD13X3.A2020153.{name}.hdf", values,
                projection="GCTP_SNSOID", corners=(left, top, right, bottom),
                extra=SPHERE,
            )  # fmt: skip

        west, east = subset("a", stored[:, :8], 0), subset("b", stored[:, 5:], 5)
        whole = open_modis([west, east])
        np.testing.assert_allclose(whole[0], stored / 1e4, rtol=1e-6)
        other = stored[:, 5:].copy()
        other[3, 1] = 4321 if stored[3, 6] != 4321 else 1234
        east = subset("b", other, 5)
        with pytest.raises(InputError, match="1 cells differ from another file"):
            open_modis([west, east])

    def test_a_subset_that_kept_the_name_of_its_tile_lies_where_its_corners_say(
        self, tmp_path
    ):
        cell = SIDE / 1200
        left, top = WEST + 25 * SIDE + 300 * cell, NORTH - 5 * SIDE - 200 * cell
        path = ndvi_file(
            tmp_path / "MOD13A3.A2020153.h25v05.061.2020999000000.hdf", STORED,
            name="1 km monthly NDVI", projection="GCTP_SNSOID", extra=SPHERE,
            corners=(left, top, left + 4 * cell, top - 2 * cell),
        )  # fmt: skip
        values = open_modis(path)
        assert values.rio.transform().c == pytest.approx(left, abs=1e-6)
        assert values.rio.transform().f == pytest.approx(top, abs=1e-6)


class TestTerraAndAqua:
    def test_both_stack_by_date_and_average_to_one_month(self, tmp_path):
        files = [
            ndvi_file(tmp_path / f"{name}13X1.A2020{day:03d}.hdf", [[value, value]])
            for name, day, value in [
                ("MOD", 145, 1000), ("MYD", 153, 2000), ("MOD", 161, 3000),
                ("MYD", 169, 4000), ("MOD", 177, 5000),
            ]
        ]  # fmt: skip
        stack = open_modis(files)
        assert stack["platform"].to_numpy().tolist() == [
            "Terra", "Aqua", "Terra", "Aqua", "Terra",
        ]  # fmt: skip
        june = monthly_composite(stack).sel(time="2020-06").isel(time=0)
        days = np.array([8, 16, 16, 14, 6])  # of June under each composite
        mean = (days * [0.1, 0.2, 0.3, 0.4, 0.5]).sum() / days.sum()
        assert float(june["ndvi"][0, 0]) == pytest.approx(mean, abs=1e-7)
        assert float(june["coverage"][0, 0]) == pytest.approx(1.0, abs=1e-12)

    def test_one_satellite_needs_no_coordinate(self):
        assert "platform" not in open_modis(CMG, bbox=(95, 34, 95.1, 34.1)).coords


class TestMemoryAndLaziness:
    def files(self, folder, count=3):
        return [
            ndvi_file(
                folder / f"MOD13X1.A2020{1 + 16 * n:03d}.hdf",
                RNG.integers(-2000, 10001, (60, 80)).astype("int16"),
                deflate=True,
            )
            for n in range(count)
        ]

    def test_lazy_values_are_those_read_at_once(self, tmp_path):
        files = self.files(tmp_path)
        now = open_modis(files)
        lazy = open_modis(files, options=ModisOptions(reading="lazy"))
        assert isinstance(lazy.variable._data, LazilyIndexedArray)
        assert lazy.attrs == now.attrs
        np.testing.assert_array_equal(lazy.compute(), now)
        np.testing.assert_array_equal(lazy[1, 7:30, 5], now[1, 7:30, 5])
        np.testing.assert_array_equal(lazy[::2, ::3], now[::2, ::3])
        np.testing.assert_array_equal(lazy[[2, 0], :, [1, 5]], now[[2, 0], :, [1, 5]])
        np.testing.assert_array_equal(lazy[3:], now[3:])
        np.testing.assert_array_equal(lazy.mean("time"), now.mean("time"))
        chunked = lazy.chunk({"time": 1})
        assert chunked.chunks is not None
        np.testing.assert_array_equal(chunked.max("time").compute(), now.max("time"))

    def test_a_date_is_read_once_however_it_is_tiled(self, tmp_path, monkeypatch):
        files = self.files(tmp_path, 2)
        lazy = open_modis(files, options=ModisOptions(reading="lazy"))
        read = []
        original = _modis_reading._fill

        def counted(stack, blocks, places):
            read.extend(places)
            original(stack, blocks, places)

        monkeypatch.setattr(_modis_reading, "_fill", counted)
        for time in range(2):
            for row, column in itertools.product(range(0, 60, 20), range(0, 80, 20)):
                lazy[time, row : row + 20, column : column + 20].compute()
        assert read == [0, 1]

    def test_the_budget_is_checked_before_anything_is_read(self, tmp_path, monkeypatch):
        files = self.files(tmp_path)
        monkeypatch.setattr(
            "geosoil.io.modis.read_stack", lambda *_: pytest.fail("allocated")
        )
        with pytest.raises(
            InputError, match=r"3 dates of 60 x 80 cells need 0 MiB, the budget is 0"
        ):
            open_modis(files, options=ModisOptions(memory_budget=100_000))

    @pytest.mark.parametrize("reading", ["now", "lazy"])
    def test_the_memory_taken_is_at_most_the_budget_that_was_enough(
        self, tmp_path, reading
    ):
        file = ndvi_file(
            tmp_path / "MOD13X1.A2020161.hdf",
            RNG.integers(-2000, 10001, (1200, 1600)).astype("int16"),
            corners=(90e6, 35e6, 106e6, 23e6),
            more={
                "CMG 1 Deg 16 days pixel reliability": (
                    np.zeros((1200, 1600), "int8"), {"_FillValue": -1},
                )
            },
        )  # fmt: skip
        budget = 1200 * 1600 * (4 + 16)
        options = ModisOptions(memory_budget=budget, reading=reading)
        open_modis(file, bbox=(90, 34, 91, 35))  # starts the worker
        tracemalloc.start()
        values = open_modis(file, options=options).compute()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert values.size == 1200 * 1600
        assert peak <= budget
        with pytest.raises(InputError, match="the budget is"):
            open_modis(file, options=ModisOptions(memory_budget=budget - 1))

    def test_a_lazy_stack_needs_room_for_one_date_only(self, tmp_path):
        files = self.files(tmp_path, 12)
        tight = ModisOptions(memory_budget=200_000)
        with pytest.raises(InputError, match="Give a bbox or fewer files"):
            open_modis(files, options=tight)
        lazy = open_modis(
            files, options=ModisOptions(memory_budget=200_000, reading="lazy")
        )
        np.testing.assert_array_equal(lazy.compute(), open_modis(files))


class TestOrigin:
    def test_a_name_that_contradicts_the_metadata_is_refused(self, tmp_path):
        core = 'OBJECT = SHORTNAME\nVALUE = "MYD13X1"\nEND_OBJECT\n'
        file = ndvi_file(tmp_path / "MOD13X1.A2020161.061.hdf", STORED, core=core)
        with pytest.raises(
            FileFormatError, match="name says product MOD13X1, its metadata say MYD13X1"
        ):
            open_modis(file)
        core = "OBJECT = VERSIONID\nVALUE = 6\nEND_OBJECT\n"
        file = ndvi_file(tmp_path / "MOD13X1.A2020161.061.hdf", STORED, core=core)
        with pytest.raises(FileFormatError, match=r"collection 061.*metadata say 006"):
            open_modis(file)

    def test_collections_are_known_and_not_mixed(self, tmp_path):
        files = [
            ndvi_file(tmp_path / f"MOD13X1.A2020{day}.{collection}.hdf", STORED)
            for day, collection in ((145, "006"), (161, "061"))
        ]
        assert open_modis(files[0]).attrs["collection"] == "006"
        with pytest.raises(InputError, match=r"different collections.*006.*061"):
            open_modis(files)
        old = ndvi_file(tmp_path / "MOD13X1.A2020161.003.hdf", STORED)
        with pytest.raises(FileFormatError, match=r"collection 003; known are 005"):
            open_modis(old)


class TestChecksums:
    def test_a_file_that_differs_from_its_checksum_is_refused(self, tmp_path):
        file = ndvi_file(tmp_path / "MOD13X1.A2020161.hdf", STORED)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        sidecar = tmp_path / f"{file.name}.sha256"
        sidecar.write_text(f"{digest}  {file.name}\n")
        assert open_modis(file).attrs["input_verified"] == "yes"
        sidecar.write_text(f"{'0' * 64}  {file.name}\n")
        with pytest.raises(FileFormatError, match=r"(?s)Checksum mismatch.*A2020161"):
            open_modis(file)
        ignored = open_modis(file, options=ModisOptions(checksums="ignore"))
        assert ignored.attrs["input_verified"] == "no"

    def test_a_checksum_may_be_required(self, tmp_path):
        file = ndvi_file(tmp_path / "MOD13X1.A2020161.hdf", STORED)
        assert open_modis(file).attrs["input_verified"] == "no"
        with pytest.raises(FileFormatError, match=r"A2020161\.hdf' has no checksum"):
            open_modis(file, options=ModisOptions(checksums="require"))


class TestCustomRules:
    def test_a_rule_over_the_bits_decides_and_estimates_never_pass(self, tmp_path):
        bits = np.array([[0, 1 << 10, 3 << 2, 1 << 14, 0]], dtype="uint16")
        ranks = np.array([[0, 0, 0, 2, 4]], dtype="int8")
        file = ndvi_file(
            tmp_path / "MOD13X1.A2020161.hdf", [[1000, 2000, 3000, 4000, 5000]],
            more={
                "CMG 1 Deg 16 days VI Quality": (bits, {}),
                "CMG 1 Deg 16 days pixel reliability": (ranks, {}),
            },
        )  # fmt: skip
        rule = QualityRule(max_usefulness=2, mixed_clouds=False)
        values = open_modis(file, quality=rule)
        kept = np.flatnonzero(np.isfinite(values.to_numpy()[0, 0])).tolist()
        assert kept == [0, 3]
        assert values.attrs["quality"] == str(rule)
        keep = ModisOptions(estimated="keep")
        values = open_modis(file, quality=rule, options=keep).to_numpy()[0, 0]
        assert np.flatnonzero(np.isfinite(values)).tolist() == [0, 3, 4]

    def test_a_rule_without_bits_is_refused(self, tmp_path):
        file = ndvi_file(tmp_path / "MOD13X1.A2020161.hdf", STORED)
        with pytest.raises(FileFormatError, match=r"NDVI'.*needs the layer 'VI Qual"):
            open_modis(file, quality=QualityRule())


def test_the_golden_tile_and_its_neighbour_are_one_mosaic(shared, tmp_path):
    folder = shared / "golden" / "geo" / "modis"
    first = next(folder.glob("MOD13A3*h25v05*.hdf"))
    alone = open_modis(first)
    rows, columns = alone.shape[1:]
    left, top = round(WEST + 26 * SIDE, 6), round(NORTH - 5 * SIDE, 6)
    neighbour = write_granule(
        tmp_path / first.name.replace("h25v05", "h26v05"),
        {"1 km monthly NDVI": (np.full((rows, columns), 1234, "int16"), {
            "_FillValue": -3000, "valid_range": [-2000, 10000],
            "scale_factor": 10000.0})},
        projection="GCTP_SNSOID", extra=SPHERE,
        corners=(left, top, round(left + SIDE, 6), round(top - SIDE, 6)),
    )  # fmt: skip
    both = open_modis([first, neighbour])
    assert both.shape == (1, rows, 2 * columns)
    np.testing.assert_array_equal(both[:, :, :columns], alone)
    assert float(both[0, 0, -1]) == pytest.approx(0.1234, abs=1e-7)
    assert Grid.of(both).crs.equals(Grid.of(alone).crs)
    assert describe(first).datasets
