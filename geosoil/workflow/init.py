"""Write a commented geosoil.toml for a user's own sample table."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from geosoil.errors import ConfigError
from geosoil.io._atomic import write_text
from geosoil.strata import DEPTH_EDGES, ELEVATION_EDGES
from geosoil.workflow.guess import RESOLUTION, SOURCES, StudyGuess, guess_study

__all__ = ["StudyGuess", "describe", "guess_study", "study_toml", "write_study"]


def describe(guess: StudyGuess) -> str:
    """Say in a few lines what was guessed.

    Parameters
    ----------
    guess : StudyGuess
        As :func:`guess_study` gives it.

    Returns
    -------
    summary : str
        Lines of text for people.

    Examples
    --------
    >>> guess = StudyGuess(Path("s.csv"), {}, 2, {"soil": 2}, (), {}, (), None, {})
    >>> print(describe(guess))
    s.csv: 2 samples
    waters: soil 2
    periods: none found (give a column date or period)
    sources: none found (give samples of precipitation, ground_ice or snowmelt, \
or a table of end members)
    groups: none
    grid: none (the table has no coordinates)
    """
    lines = [f"{guess.samples.name}: {guess.n_samples} samples"]
    lines += [f"column '{own}' is {name}" for own, name in guess.columns.items()]
    waters = ", ".join(f"{name} {count}" for name, count in guess.waters.items())
    lines.append(f"waters: {waters or 'not said (give a column water)'}")
    missing = "none found (give a column date or period)"
    lines.append(f"periods: {', '.join(guess.periods) or missing}")
    found = {p: s for p, s in guess.sources.items() if s}
    for period in guess.periods:
        names = ", ".join(guess.sources[period])
        if found:
            lines.append(f"sources in {period}: {names or 'none sampled'}")
    if not found:
        lines.append(
            "sources: none found (give samples of precipitation, ground_ice or "
            "snowmelt, or a table of end members)"
        )
    lines.append(f"groups: {', '.join(guess.groups) or 'none'}")
    if guess.bounds is None:
        lines.append("grid: none (the table has no coordinates)")
    else:
        west, south, east, north = guess.bounds
        lines.append(
            f"grid: {west:g} to {east:g} E, {south:g} to {north:g} N, {RESOLUTION} deg"
        )
    return "\n".join([*lines, *_remarks(guess)])


def study_toml(guess: StudyGuess, *, folder: Path | None = None) -> str:
    """Write the settings of a guessed study as commented TOML.

    Parameters
    ----------
    guess : StudyGuess
        As :func:`guess_study` gives it.
    folder : Path, optional
        Folder in which the file will lie; the path of the samples is written relative
        to it.

    Returns
    -------
    text : str
        Text of a geosoil.toml: guesses as settings, all else as comments to uncomment.

    Examples
    --------
    >>> guess = StudyGuess(Path("s.csv"), {}, 2, {"soil": 2}, (), {}, (), None, {})
    >>> study_toml(guess).splitlines()[3:5]
    ['[study]', 'name = "s"']
    """
    parts = [
        "# Settings of a geosoil study, guessed from the sample table.\n"
        "# Check each line; lines that start with # are off. Paths are relative to "
        "this file.\n",
        f"[study]\nname = {_text(guess.samples.stem)}\n"
        f"simulated = {str(guess.simulated).lower()}\n"
        '# region = "region.gpkg"      # polygons; maps are masked to them\n'
        "seed = 2020                   # of everything random\n",
        _samples_part(guess, folder),
        _strata_part(),
        _tracers_part(guess),
        _rule_part(guess),
        _grid_part(guess),
        _inputs_part(),
        _correlation_part(guess),
        _interpolation_part(),
        '[output]\nfolder = "maps"\n'
        '# figures = "hess"            # PDF and PNG, 8.3 or 12 cm wide\n',
    ]
    return "\n".join(parts)


def write_study(
    samples_path: str | os.PathLike[str],
    output_path: str | os.PathLike[str],
    *,
    columns: Mapping[str, str] | None = None,
) -> StudyGuess:
    """Guess a study from a sample table and write its geosoil.toml.

    Parameters
    ----------
    samples_path : path
        The user's table.
    output_path : path
        File to write; it must not exist.
    columns : mapping, optional
        Own column name to geosoil name.

    Returns
    -------
    guess : StudyGuess
        What was guessed, for :func:`describe`.

    Raises
    ------
    ConfigError
        If the output exists already.
    MissingFileError, SampleTableError
        If the table cannot be read.
    """
    output = Path(output_path)
    if output.exists() or output.is_symlink():
        message = (
            f"'{output}' exists already and is not overwritten. Name another file, or "
            "move it away first."
        )
        raise ConfigError(message)
    guess = guess_study(samples_path, columns=columns)
    write_text(study_toml(guess, folder=output.parent), output)
    return guess


def _remarks(guess: StudyGuess) -> list[str]:
    said = {
        "change": "values were read otherwise than written",
        "warn": "remarks to look at",
        "suspect": "suspicions of a mistake",
    }
    return [
        f"{guess.remarks[name]} {words}; the run lists each"
        for name, words in said.items()
        if guess.remarks.get(name)
    ]


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(values: tuple[str, ...]) -> str:
    return f"[{', '.join(_text(value) for value in values)}]"


def _relative(path: Path, folder: Path | None) -> str:
    if folder is None:
        return path.as_posix()
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:
        return path.resolve().as_posix()


def _samples_part(guess: StudyGuess, folder: Path | None) -> str:
    waters = ", ".join(f"{name} {count}" for name, count in guess.waters.items())
    lines = [
        "[samples]",
        f"path = {_text(_relative(guess.samples, folder))}",
        f"# {guess.n_samples} samples; waters: {waters or 'not said'}",
        "",
        "[samples.columns]             # your column = geosoil's name",
    ]
    lines += [f"{_text(own)} = {_text(name)}" for own, name in guess.columns.items()]
    return "\n".join(lines) + "\n"


def _strata_part() -> str:
    bands, layers = (
        ", ".join(f"{edge:g}" for edge in edges)
        for edges in (ELEVATION_EDGES, DEPTH_EDGES)
    )
    return (
        "# Classes of elevation [m] and depth [cm], and names of your own:\n"
        f"# [strata]\n# elevation_edges = [{bands}]\n# depth_edges = [{layers}]\n"
        '# labels = { "0-20" = "topsoil" }\n'
    )


def _tracers_part(guess: StudyGuess) -> str:
    lines = [
        "[tracers]",
        'names = ["d18O", "d_excess"]  # tracers that mix',
        'method = "ols"                # fit of the water lines: ols, rma, pwlsr',
        '# end_members = "end_members.csv"  # source, d18O, d2H; else the sample means',
        "",
        "[tracers.sources]             # sources of the soil water in each period",
    ]
    for period in guess.periods:
        found = guess.sources[period]
        line = f"{_text(period)} = {_list(found or SOURCES)}"
        lines.append(line if found else f"# {line}  # none was sampled in this period")
    if not guess.periods:
        lines.append(f'# "June" = {_list(SOURCES)}  # the table has no period or date')
    lines += ["", "# Weather of each period, for evaporation (degC; humidity 0-1):"]
    lines += [
        f"# [tracers.climate.{_text(period)}]\n# temperature = 10.0\n# humidity = 0.6"
        for period in guess.periods or ("June",)
    ]
    return "\n".join(lines) + "\n"


def _rule_part(guess: StudyGuess) -> str:
    period = guess.periods[0] if guess.periods else "June"
    return (
        "# Where a source cannot be (elevation in metres; below or above):\n"
        f'# [[rule]]\n# source = "snowmelt"\n# period = [{_text(period)}]\n'
        "# below = 4000\n"
    )


def _grid_part(guess: StudyGuess) -> str:
    if guess.bounds is None:
        return (
            "# The samples have no coordinates, so no maps can be made of them.\n"
            "# [grid]\n# bounds = [89.40, 31.55, 102.30, 36.30]  # W, S, E, N\n"
            f'# resolution = {RESOLUTION}\n# crs = "EPSG:4326"\n'
        )
    west, south, east, north = guess.bounds
    return (
        "[grid]                        # around the samples; W, S, E, N\n"
        f"bounds = [{west:.2f}, {south:.2f}, {east:.2f}, {north:.2f}]\n"
        f'resolution = {RESOLUTION}\ncrs = "EPSG:4326"\n'
    )


def _inputs_part() -> str:
    return (
        "# Vegetation index, climate and layers, where you have them:\n"
        '# [ndvi]\n# monthly = "ndvi/MOD13C2.*.hdf"\n'
        '# composites = "ndvi/MOD13C1.*.hdf"\n\n'
        '# [climate]\n# soil_moisture = "climate/soil_moisture.nc"\n'
        '# air_temperature = "climate/air_temperature.nc"\n'
        '# precipitation = "climate/rain_*.nc"  # one file or several\n\n'
        '# [layers]\n# elevation = "elevation.tif"\n'
        '# permafrost = { path = "permafrost.tif", table = "permafrost.csv" }\n'
    )


def _interpolation_part() -> str:
    return (
        "[interpolation]               # maps of the source fractions\n"
        'method = "auto"               # or mean, idw, kriging, kriging_drift, ilr\n'
        'variogram = "spherical"\n'
        'unsupported = "hatch"         # or "mask": leave such cells empty\n'
        "# max_distance_km = 150  # from a site, beyond which a map says nothing\n"
        "# block_km = 100  # side of the blocks that cross-validation leaves out\n"
        "# n_draws = 200  # of the end members, carried through each map\n"
        "# Maps speak only within the range of these at the sites:\n"
        '# covariates = { ndvi = "ndvi.tif" }\n'
    )


def _correlation_part(guess: StudyGuess) -> str:
    months = ", ".join(str(month) for month in guess.months) or "6, 8, 9"
    return (
        "# Correlation over the years and over space, needs [climate]:\n"
        '# [correlation]\n# y = "soil_moisture"\n'
        '# x = ["air_temperature", "precipitation"]\n'
        f'# months = [{months}]\n# method = "pearson"  # or spearman, kendall\n'
        "# detrend = false\n# min_pairs = 4\n# fdr = 0.1  # of each map\n"
        "# window = 9  # cells, over space; 0 for none\n"
        "# year = 2020  # of the maps over space\n"
        '# [compute]\n# scheduler = "tcp://host:8786"  # of a dask cluster\n'
    )
