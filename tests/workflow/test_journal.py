"""Results kept for a run that goes on: bit by bit, or not at all."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pyproj import CRS

from geosoil.errors import GeosoilWarning
from geosoil.grids.grid import Grid
from geosoil.tracers.lines import WaterLine, fit_water_line
from geosoil.workflow.journal import FOLDER, INDEX, Journal, KeepsNothing, open_journal
from geosoil.workflow.kept_values import NotKeptError, build, pack


def again(value):
    """Return what a run that goes on finds in the place of a value."""
    arrays: list = []
    tree = json.loads(json.dumps(pack(value, arrays)))
    return build(tree, arrays)


def line() -> WaterLine:
    return fit_water_line([-12.0, -8.0, -15.1], [-90.0, -60.2, -110.3])


@given(
    hnp.arrays(
        dtype=st.sampled_from([np.float64, np.float32, np.int16, np.bool_, "M8[ns]"]),
        shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    ),
    st.randoms(),
)
def test_arrays_return_bit_by_bit_and_in_their_order_of_memory(values, chance) -> None:
    axes = list(range(values.ndim))
    chance.shuffle(axes)
    turned = values.transpose(axes)
    found = again(turned)
    assert found.dtype == turned.dtype
    assert found.shape == turned.shape
    assert found.tobytes() == turned.tobytes()
    if turned.size > 1 and min(turned.shape) > 1:
        assert found.flags.c_contiguous == turned.flags.c_contiguous
        assert found.flags.f_contiguous == turned.flags.f_contiguous


@given(st.floats(allow_nan=False) | st.integers() | st.text() | st.none())
def test_plain_values_return_as_they_were(value) -> None:
    found = again({("a", 1): [value, (value,)]})
    assert found == {("a", 1): [value, (value,)]}
    assert str(found) == str({("a", 1): [value, (value,)]})


def test_nan_and_infinity_return() -> None:
    assert np.isnan(again(float("nan")))
    assert again((float("inf"), -0.0)) == (np.inf, 0.0)
    assert np.signbit(again(-0.0))


@pytest.mark.parametrize(
    "column",
    [
        pd.array([1.5, np.nan]),
        pd.array([1, None], dtype="Int64"),
        pd.array([True, None], dtype="boolean"),
        pd.array(["δ18O", None], dtype="str"),
        pd.array(["a", None], dtype="string"),
        np.array(["a", None], dtype=object),
        np.array([1.5, "x"], dtype=object),
        np.array(["2020-06-01", "NaT"], dtype="M8[s]"),
        pd.Categorical(["b", None], categories=["c", "b"], ordered=True),
    ],
    ids=lambda column: str(column.dtype),
)
def test_columns_return_with_their_exact_type(column) -> None:
    table = pd.DataFrame({"own": column}, index=[7, 3])
    table.attrs["issues"] = [{"row": 1}]
    found = again(table)
    pd.testing.assert_frame_equal(found, table, check_exact=True)
    assert found["own"].dtype == table["own"].dtype
    assert found.attrs == table.attrs


def test_points_return_with_their_system_and_missing_places() -> None:
    points = gpd.GeoDataFrame(
        {"site_id": ["001", "NA"]},
        geometry=gpd.GeoSeries.from_wkt(["POINT (95.1 33.2)", None]),
        crs=4326,
    )
    found = again(points)
    assert isinstance(found, gpd.GeoDataFrame)
    assert found.crs == points.crs
    assert found.geometry.iloc[0] == points.geometry.iloc[0]
    assert found.geometry.iloc[1] is None
    assert found["site_id"].tolist() == ["001", "NA"]


def test_rasters_return_with_grid_and_attributes() -> None:
    grid = Grid.from_bounds((0, 0, 2, 1), 0.5, "EPSG:4326")
    raster = grid.raster(np.arange(8.0).reshape(2, 4), name="r")
    raster.attrs = {"flag_masks": np.array([1, 2], dtype="uint8"), "units": "1"}
    rasters = raster.to_dataset().assign(n=grid.raster(np.ones((2, 4), dtype="int16")))
    found = again(rasters.assign_attrs(method="mean"))
    xr.testing.assert_identical(found, rasters.assign_attrs(method="mean"))
    assert Grid.of(found["r"]) == grid
    assert again(grid) == grid
    assert again(CRS("EPSG:32646")) == CRS("EPSG:32646")


def test_records_of_this_package_return_without_their_checks() -> None:
    found = again({"lmwl": line()})["lmwl"]
    assert type(found) is WaterLine
    assert found == line()


@dataclass(frozen=True)
class Foreign:
    value: int


@pytest.mark.parametrize(
    "value",
    [Foreign(1), {1, 2}, lambda: None, pd.MultiIndex.from_tuples([(1, 2)]), object()],
    ids=["record of others", "set", "function", "levels", "object"],
)
def test_other_values_are_refused(value) -> None:
    with pytest.raises(NotKeptError):
        pack(value, [])


@pytest.mark.parametrize(
    "tree",
    [
        {"is": "code"},
        {"is": "record", "of": "subprocess:Popen", "fields": {}},
        {"is": "record", "of": "geosoil.workflow.journal:open_journal", "fields": {}},
        {"is": "record", "of": "geosoil.tracers.lines:WaterLine", "fields": {"a": 1}},
    ],
)
def test_a_tree_builds_nothing_but_known_records(tree) -> None:
    with pytest.raises(NotKeptError):
        build(tree, [])


def journal(folder: Path, key: str = "key") -> tuple[Journal, list[str]]:
    lines: list[str] = []
    return open_journal(folder, key, lines.append), lines


def failing():
    message = "computed again"
    raise AssertionError(message)


def test_what_is_kept_is_not_computed_again(tmp_path: Path) -> None:
    first, said = journal(tmp_path)
    kept = first.value("line", line)
    assert said == []
    second, said = journal(tmp_path)
    assert second.value("line", failing) == kept == line()
    assert said == ["going on with the interrupted run: 1 of its steps are finished"]


def test_another_key_uses_nothing_and_says_so(tmp_path: Path) -> None:
    journal(tmp_path)[0].value("line", line)
    other, said = journal(tmp_path, key="other")
    assert "of other settings, inputs or software" in said[0]
    assert other.value("line", lambda: 1) == 1
    again_first, _ = journal(tmp_path)
    assert again_first.value("line", lambda: 2) == 2


def test_every_flipped_byte_of_a_kept_result_is_found(tmp_path: Path) -> None:
    journal(tmp_path)[0].value("line", line)
    file = next((tmp_path / FOLDER).glob("*.npz"))
    whole = file.read_bytes()
    for place in range(0, len(whole), 97):
        broken = bytearray(whole)
        broken[place] ^= 1
        file.write_bytes(broken)
        own, _ = journal(tmp_path)
        with pytest.warns(GeosoilWarning, match="'line' .* is not used"):
            assert own.value("line", lambda: 5) == 5
        file.write_bytes(whole)
        (tmp_path / FOLDER / INDEX).unlink()
        journal(tmp_path)[0].value("line", line)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"format": 1, "key": "key"}',
        b'{"format": 99, "key": "key", "results": {}}',
        b'{"format": 1, "key": "key", "results": {"line": {"file": "../x.npz"}}}',
        b'{"format": 1, "key": "key", "results": {"r": {"files": {"../x": "0"}}}}',
    ],
)
def test_a_foreign_journal_is_never_used(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / INDEX).write_bytes(content)
    with pytest.warns(GeosoilWarning, match="is damaged"):
        own, _ = journal(tmp_path)
    assert own.value("line", lambda: 3) == 3


def test_a_value_of_no_known_kind_is_computed_each_time(tmp_path: Path) -> None:
    own, _ = journal(tmp_path)
    assert own.value("set", lambda: {1}) == {1}
    assert journal(tmp_path)[0].value("set", lambda: {2}) == {2}


def test_warnings_are_given_again_with_what_is_kept(tmp_path: Path) -> None:
    def careful() -> int:
        warnings.warn("two samples only", GeosoilWarning, stacklevel=1)
        return 1

    with pytest.warns(GeosoilWarning, match="two samples only"):
        journal(tmp_path)[0].value("n", careful)
    with pytest.warns(GeosoilWarning, match="two samples only"):
        assert journal(tmp_path)[0].value("n", failing) == 1


def test_files_are_written_again_unless_each_is_what_it_was(tmp_path: Path) -> None:
    def write(words: str) -> list[Path]:
        paths = [tmp_path / "a.txt", tmp_path / "deep" / "b.txt"]
        for path in paths:
            path.parent.mkdir(exist_ok=True)
            path.write_text(words)
        return paths

    first = journal(tmp_path)[0].files("text", lambda: write("one"))
    assert journal(tmp_path)[0].files("text", failing) == first
    (tmp_path / "deep" / "b.txt").write_text("changed")
    assert journal(tmp_path)[0].files("text", lambda: write("two")) == first
    assert (tmp_path / "a.txt").read_text() == "two"
    (tmp_path / "a.txt").unlink()
    journal(tmp_path)[0].files("text", lambda: write("three"))
    assert (tmp_path / "a.txt").read_text() == "three"


def test_a_closed_journal_leaves_nothing(tmp_path: Path) -> None:
    own, _ = journal(tmp_path)
    own.value("line", line)
    own.files("none", list)
    own.close()
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_name_of_any_signs_gives_a_plain_file(tmp_path: Path) -> None:
    own, _ = journal(tmp_path)
    for name in ("../../etc/cron.d/x", "map of Ü", "map of ?", "a" * 300):
        own.value(name, lambda: 1)
    files = [path.name for path in (tmp_path / FOLDER).iterdir()]
    assert len(files) == 5
    assert not list(tmp_path.parent.glob("*.npz"))


def test_without_a_journal_everything_is_computed() -> None:
    keeper = KeepsNothing()
    assert [keeper.value("n", lambda n=n: n) for n in (1, 2)] == [1, 2]
    assert keeper.files("n", list) == []
