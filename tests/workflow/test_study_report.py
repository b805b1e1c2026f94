"""A run's folder gives the same page whenever it is asked for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geosoil.errors import FileFormatError, InputError, MissingFileError
from geosoil.grids.grid import Grid
from geosoil.io.geotiff import write_geotiff
from geosoil.workflow.report_figures import ORDER, report_pictures
from geosoil.workflow.report_tables import read_tables
from geosoil.workflow.study_report import report_folder, run_record, write_report
from tests.report.report_cases import png, provenance, run_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return run_folder(tmp_path / "run")


def test_a_report_made_anew_has_the_same_bytes(folder: Path) -> None:
    written = write_report(folder, provenance())
    assert [path.name for path in written] == ["report.html", "report_numbers.csv"]
    first = [path.read_bytes() for path in written]
    again = report_folder(folder)
    assert list(again.paths) == written
    assert [path.read_bytes() for path in written] == first


def test_the_bytes_do_not_hang_on_where_the_folder_lies(
    folder: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere" / "deep"
    shutil.copytree(folder, moved)
    first, second = (write_report(place, provenance()) for place in (folder, moved))
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert str(tmp_path) not in one.read_text("utf-8")


def test_values_of_the_run_that_are_no_json_give_the_same_page(folder: Path) -> None:
    record = provenance()
    first = [path.read_bytes() for path in write_report(folder, record)]
    settings = dict(record["settings"], study=dict(record["settings"]["study"]))  # type: ignore[index, call-overload]
    settings["study"]["seed"] = np.int64(7)
    settings["tracers"] = dict(settings["tracers"], names=("d18O", "d_excess"))
    second = write_report(folder, {**record, "settings": settings, "outputs": {"a": 1}})
    assert [path.read_bytes() for path in second] == first


def test_a_page_can_go_elsewhere_with_its_numbers_beside_it(
    folder: Path, tmp_path: Path
) -> None:
    before = sorted(path.name for path in folder.rglob("*"))
    found = report_folder(folder, output=tmp_path / "new" / "mine.html")
    names = [path.name for path in found.paths]
    assert names == ["mine.html", "mine_numbers.csv"]
    assert all(path.is_file() for path in found.paths)
    assert sorted(path.name for path in folder.rglob("*")) == before
    assert "Methods, ready to paste" in found.text
    assert "SIMULATED" in found.text


def test_what_is_no_folder_of_a_run_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="does not exist"):
        report_folder(tmp_path / "none")
    with pytest.raises(MissingFileError, match=r"holds no provenance\.json"):
        report_folder(tmp_path)
    with pytest.raises(InputError, match=r"ends in \.html"):
        report_folder(folder, output=tmp_path / "page.pdf")
    shutil.rmtree(folder / "tables")
    (folder / "summary.json").unlink()
    with pytest.raises(InputError, match="holds no tables of a run"):
        report_folder(folder)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("summary.json", b"{"),
        ("tables/water_lines.csv", b'"open'),
        ("tables/water_lines.csv", b""),
        ("tables/water_lines.csv", b"\xff\xfe\x00"),
        ("figures/other.png", b"\x89PNG"),
        ("provenance.json", b"[]"),
    ],
)
def test_a_damaged_file_is_named(folder: Path, name: str, data: bytes) -> None:
    (folder / name).write_bytes(data)
    with pytest.raises(FileFormatError, match=Path(name).stem):
        report_folder(folder)
    assert not (folder / "report.html").exists()


def test_names_that_look_like_numbers_stay_text(folder: Path) -> None:
    samples = read_tables(folder / "tables")["fractions_samples"]
    assert samples["sample_id"].tolist()[:2] == ["001", "NA"]
    assert samples["d18O"].tolist() == [-12.0, -10.0, -14.0, -13.0]


def test_numbers_are_read_with_all_their_digits(folder: Path) -> None:
    path = folder / "tables" / "fractions_support.csv"
    values = np.random.default_rng(3).normal(size=200) * 10.0 ** np.arange(-100, 100)
    text = "period,reason,area_km2,share\n"
    text += "".join(f"June,a,{value!r},0.1\n" for value in values.tolist())
    path.with_name("fraction_support.csv").write_text(text)
    table = read_tables(folder / "tables")["fraction_support"]
    assert table["area_km2"].tolist() == values.tolist()


def test_figures_come_in_the_order_of_the_paper(tmp_path: Path) -> None:
    names = [
        "region_permafrost_soil_vegetation",
        "sampling_sites",
        "lines_by_layer",
        "water_connections",
        "end_elements",
        "source_concept",
        "correlation_temperature_soil_moisture",
        "correlation_precipitation_soil_moisture",
        "correlation_evapotranspiration_soil_moisture",
        "correlation_ndvi_soil_moisture",
        "fraction_validation",
        "a_figure_of_tomorrow",
    ]
    for name in names:
        (tmp_path / f"{name}.png").write_bytes(png())
    found = report_pictures(tmp_path, paper=True)
    assert [picture.name.removesuffix(".png") for picture in found] == names
    papers = [picture.paper for picture in found]
    assert papers[:6] == [f"Fig. {n}" for n in (1, 3, 4, 5, 6, 7)]
    assert papers[6:10] == [f"Fig. S{n}" for n in (1, 2, 3, 4)]
    assert found[-1].title == "A figure of tomorrow"
    assert all(not p.paper for p in report_pictures(tmp_path, paper=False))


def test_no_pattern_of_figures_hides_another() -> None:
    assert len({pattern for pattern, *_ in ORDER}) == len(ORDER)


def test_the_rasters_of_the_run_are_listed_in_their_own_words(folder: Path) -> None:
    grid = Grid.from_bounds((90.0, 33.0, 91.0, 34.0), 0.5, "EPSG:4326")
    raster = grid.raster(np.full(grid.shape, 0.4), name="ice")
    words = "fraction of ground ice in soil water, June"
    write_geotiff(raster, folder / "fraction_ice_June.tif", description=words)
    (found,) = run_record(folder, provenance()).maps
    assert found.file == "fraction_ice_June.tif"
    assert found.title == "Source fraction of ground ice, June"
    write_report(folder, provenance())
    assert found.title in (folder / "report.html").read_text("utf-8")


def test_digests_are_read_from_either_form_of_a_record(folder: Path) -> None:
    plain = {**provenance(), "inputs": {"samples.csv": "ab" * 32}}
    both = [run_record(folder, record).inputs for record in (plain, provenance())]
    assert both[0] == both[1] == {"samples.csv": "ab" * 32}


def test_the_page_follows_the_tables_not_a_memory(folder: Path) -> None:
    write_report(folder, provenance())
    before = (folder / "report.html").read_bytes()
    path = folder / "tables" / "fractions_regional.csv"
    table = pd.read_csv(path)
    table.loc[0, "fraction"] = 0.5
    table.to_csv(path, index=False)
    write_report(folder, provenance())
    assert (folder / "report.html").read_bytes() != before
    record = json.loads((folder / "provenance.json").read_text())
    assert record == json.loads(json.dumps(provenance()))


def test_what_an_earlier_run_left_is_not_reported(folder: Path) -> None:
    own = [path for path in folder.rglob("*") if path.is_file()]
    before = [path.read_bytes() for path in write_report(folder, provenance())]
    (folder / "fraction_snow_June.tif").write_bytes(b"no raster")
    (folder / "figures").mkdir(exist_ok=True)
    (folder / "figures" / "old.png").write_bytes(b"no picture")
    after = write_report(folder, provenance(), written=own)
    assert [path.read_bytes() for path in after] == before
    with pytest.raises(FileFormatError, match=r"old\.png|fraction_snow"):
        write_report(folder, provenance())
