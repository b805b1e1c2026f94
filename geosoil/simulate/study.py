"""Build the simulated study in a folder; keep it while its maker is unchanged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from geosoil import __version__
from geosoil.errors import InputError
from geosoil.io._atomic import write_bytes, write_text
from geosoil.simulate.climate import write_climate
from geosoil.simulate.inputs import data_folder
from geosoil.simulate.landscape import make_landscape
from geosoil.simulate.layers import write_layers
from geosoil.simulate.ndvi import write_ndvi
from geosoil.simulate.samples import simulate_samples
from geosoil.simulate.settings import study_settings
from geosoil.simulate.tables import write_samples_tables
from geosoil.simulate.true_surfaces import FOLDER, write_true_surfaces

STAMP = ".geosoil-study.json"
"""File that marks a folder as a built-in study and says which maker wrote it."""

REGION_FILES = (
    "trhr_basins.geojson",
    "rivers.geojson",
    "lakes.geojson",
    "LICENSE-rivers.txt",
)


def build_study(
    folder: str | Path,
    *,
    seed: int = 2020,
    output: str = "maps",
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Write the inputs and the settings of the simulated study.

    Parameters
    ----------
    folder : str or Path
        Where to write; a folder that holds anything but such a study is refused.
    seed : int
        Seed of everything random.
    output : str
        Folder of the results, relative to ``folder``.
    progress : callable, optional
        Called with one line of words a stage.

    Returns
    -------
    config : Path
        The written geosoil.toml.

    Raises
    ------
    InputError
        If the folder holds other files.

    Notes
    -----
    A study whose maker (this room's source, the real inputs, the seed) is unchanged
    is kept; any change builds it anew.
    """
    target = Path(folder)
    check_own_folder(target)
    config = target / "geosoil.toml"
    fingerprint = _fingerprint(seed)
    if _is_complete(target, fingerprint):
        write_text(study_settings(seed, output), config)
        return config
    report = progress or (lambda _: None)
    target.mkdir(parents=True, exist_ok=True)
    write_text(json.dumps({"fingerprint": None}), target / STAMP)
    _write_inputs(target, seed, report)
    write_text(study_settings(seed, output), config)
    stamp = {"fingerprint": fingerprint, "files": _inventory(target)}
    write_text(json.dumps(stamp, indent=1), target / STAMP)
    return config


def check_own_folder(folder: Path) -> None:
    """Raise unless a folder is new, empty or a study that geosoil built.

    Parameters
    ----------
    folder : Path
        Folder to write to.

    Raises
    ------
    InputError
        If it holds anything else.
    """
    if folder.exists() and not folder.is_dir():
        message = f"'{folder}' is a file. Name a folder that is new or empty."
        raise InputError(message)
    if folder.is_dir() and any(folder.iterdir()) and not (folder / STAMP).is_file():
        message = (
            f"Folder '{folder}' is not empty and holds no built-in study, so nothing "
            "was written. Name a folder that is new or empty."
        )
        raise InputError(message)


def _write_inputs(target: Path, seed: int, report: Callable[[str], None]) -> None:
    """Write samples, rasters and layers."""
    report("simulating the landscape on ETOPO5 elevations")
    landscape = make_landscape(seed=seed)
    report("simulating 2451 water samples with known sources")
    study = simulate_samples(landscape, seed=seed)
    write_samples_tables(study, target)
    write_true_surfaces(landscape, study.truth, target / FOLDER, seed=seed)
    report("writing permafrost, soil, vegetation and elevation layers")
    write_layers(landscape, target / "layers", seed=seed)
    report("writing monthly climate 2001-2020 as NetCDF")
    write_climate(landscape, target / "climate", seed=seed)
    report("writing 69 MODIS NDVI files as HDF-EOS2")
    write_ndvi(landscape, target / "ndvi", seed=seed, progress=report)
    for name in REGION_FILES:
        content = (data_folder() / "region" / name).read_bytes()
        write_bytes(content, target / "region" / name)


def _fingerprint(seed: int) -> str:
    """Digest of the maker: this room's source, the real inputs, version and seed."""
    digest = hashlib.sha256(f"{__version__} {seed}".encode())
    for path in _maker_files():
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _maker_files() -> Iterator[Path]:
    """Every file whose change must rebuild the study."""
    yield from sorted(Path(__file__).parent.glob("*.py"))
    for room in ("elevation", "landcover", "region", "paper"):
        yield from sorted(p for p in (data_folder() / room).iterdir() if p.is_file())


def _inventory(target: Path) -> dict[str, int]:
    """Size of each input file of a study, by its name relative to the folder."""
    rooms = ("layers", "climate", "ndvi", "region", FOLDER)
    files = list(target.glob("*.csv"))
    files += [path for room in rooms for path in (target / room).rglob("*")]
    return {
        path.relative_to(target).as_posix(): path.stat().st_size
        for path in sorted(files)
        if path.is_file()
    }


def _is_complete(target: Path, fingerprint: str) -> bool:
    """Say whether the folder holds this very study, whole."""
    try:
        stamp = json.loads((target / STAMP).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return False
    same_maker = bool(stamp.get("fingerprint") == fingerprint)
    return same_maker and bool(stamp.get("files") == _inventory(target))
