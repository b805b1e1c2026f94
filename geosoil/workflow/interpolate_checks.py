"""Check what the command on interpolation is asked for, as a whole."""

from __future__ import annotations

import difflib
from collections import Counter
from typing import get_args

from geosoil.config.compute import is_scheduler_address
from geosoil.errors import InputError
from geosoil.interpolation.variogram_models import MODELS
from geosoil.workflow.interpolate_request import (
    AUTO,
    KRIGING,
    InterpolateRequest,
    Leave,
    Method,
)
from geosoil.workflow.interpolate_words import cell_words


def check_request(request: InterpolateRequest) -> None:
    """Raise on options that cannot be or do not go together, all at once.

    Parameters
    ----------
    request : InterpolateRequest
        What is asked.

    Raises
    ------
    InputError
        With every fault found.

    Examples
    --------
    >>> check_request(InterpolateRequest("soil.csv", ("d18O",)))
    """
    faults = [
        *_in_range(request),
        *_readable(request),
        *_composed(request),
        *_measured(request),
        *_fitting(request),
        *_judged(request),
    ]
    if faults:
        message = f"Cannot interpolate: {'; '.join(faults)}."
        raise InputError(message)


def _known(word: str, known: tuple[str, ...], option: str) -> list[str]:
    """Say that a word is not known, with the nearest ones."""
    if word in known:
        return []
    near = difflib.get_close_matches(word, known, 3, 0.4)
    hint = f"nearest: {', '.join(near)}; " if near else ""
    return [f"unknown {option} '{word}' ({hint}known: {', '.join(known)})"]


def _in_range(request: InterpolateRequest) -> list[str]:
    """Name settings outside their range."""
    faults = _known(request.method, get_args(Method), "--method")
    faults += _known(request.cv, get_args(Leave), "--cv")
    model, mark, numbers = request.variogram.partition(":")
    if mark or model != AUTO:
        faults += _known(model, tuple(MODELS), "--variogram")
    if mark and len(numbers.split(",")) != 3:
        faults.append(
            f"--variogram is '{request.variogram}', give MODEL:NUGGET,PARTIAL_SILL,"
            "RANGE with the range in metres, as spherical:0.05,0.6,900"
        )
    names = [one.name for one in request.quantities]
    twice = [name for name, count in Counter(names).items() if count > 1]
    west, south, east, north = request.bbox or (0.0, 0.0, 1.0, 1.0)
    checks = [
        (bool(names), "--column names no column of values"),
        (not twice, f"--column names {', '.join(twice)} more than once"),
        (request.power > 0, f"--power is {request.power}, it must be above 0"),
        (
            request.n_neighbors is None or request.n_neighbors >= 1,
            f"--n-neighbors is {request.n_neighbors}, give 1 or more",
        ),
        (
            west < east and south < north,
            f"--bbox is {request.bbox}, give W S E N in degrees with W < E and S < N",
        ),
        (
            request.simulations == 0 or request.simulations >= 20,
            f"--simulations is {request.simulations}, give 20 or more",
        ),
        (
            request.scheduler is None or is_scheduler_address(request.scheduler),
            f"--scheduler is '{request.scheduler}', give tcp://host:port",
        ),
    ]
    return faults + [words for holds, words in checks if not holds]


def _readable(request: InterpolateRequest) -> list[str]:
    """Name words that cannot be read as what they should be."""
    faults = [
        f"--where is '{words}', give COLUMN=VALUE"
        for words in request.where
        if not words.partition("=")[1]
    ]
    for read in (
        lambda: request.reach,
        lambda: request.support_reach if request.support_distance else None,
        lambda: request.block_side,
        lambda: request.memory,
        lambda: cell_words(request.grid) if request.grid is not None else None,
    ):
        try:
            read()
        except InputError as error:
            faults.append(str(error))
    return faults


def _composed(request: InterpolateRequest) -> list[str]:
    """Name what a composition lacks, or what only a composition takes."""
    count = len(request.columns)
    checks = [
        (
            request.composition or count < 2,
            f"{count} columns: give --composition if they are parts of a whole, else "
            "one column a run",
        ),
        (
            not request.composition or count != 1,
            "--composition needs two columns or more",
        ),
        (
            request.composition or request.zero_rules is None,
            "--zero-rules are for a --composition",
        ),
        (
            request.zero_rules is None or request.period is not None,
            "--zero-rules hold by period: give --period",
        ),
        (
            not (request.composition and request.method == "sk"),
            "--method sk is not for a --composition",
        ),
        (
            request.composition or request.method != "ilr",
            "--method ilr is for a --composition",
        ),
        (
            not (request.composition and request.scheduler),
            "a --composition is made on this machine, without --scheduler",
        ),
        (
            not (request.composition and request.simulations),
            "--simulations are of one column",
        ),
        (
            not request.composition or not request.quantiles or request.method == "ilr",
            "--quantiles of a --composition need --method ilr",
        ),
    ]
    return [words for holds, words in checks if not holds]


def _measured(request: InterpolateRequest) -> list[str]:
    """Name what is wrong with variances of measurements and zeros of rounding."""
    count, noise = len(request.columns), len(request.noise_columns)
    both = bool(request.variance_columns and request.sd_columns)
    krige = request.method in (*KRIGING, "ilr", AUTO)
    checks = [
        (not both, "--variance-column and --sd-column exclude each other"),
        (
            both or noise in (0, count),
            f"{noise} columns of variances for {count} of values: give one for each, "
            "in their order",
        ),
        (
            not request.noise_columns or krige,
            f"the variance of measurements is for kriging, not for {request.method}",
        ),
        (
            request.delta is None or request.method in ("ilr", AUTO),
            f"--delta is for --method ilr, not for {request.method}",
        ),
        (
            request.delta is None or 0 < request.delta < 0.5,
            f"--delta is {request.delta}, give a small share such as 0.01",
        ),
    ]
    return [words for holds, words in checks if not holds]


def _fitting(request: InterpolateRequest) -> list[str]:
    """Name settings that the method does not take, or lacks."""
    method = request.method
    checks = [
        (
            method != "ked" or bool(request.drifts),
            "--method ked needs a raster that the values follow: --drift",
        ),
        (
            not request.drifts or method in ("ked", "ilr", AUTO),
            f"--drift is for --method ked, ilr and auto, not for {method}",
        ),
        (
            request.mean is None or method == "sk",
            f"--mean is for --method sk, not for {method}",
        ),
        (
            request.block is None or method in KRIGING,
            f"--block is for kriging, not for {method}",
        ),
        (
            not request.quantiles or method in (*KRIGING, "ilr", AUTO),
            f"--quantiles are for kriging, {method} has no variance",
        ),
        (
            not request.simulations or method in KRIGING,
            f"--simulations are for kriging by name (ok, ked), not for {method}",
        ),
        (
            not (request.simulations and request.block),
            "--simulations are of points, --block is of means",
        ),
    ]
    return [words for holds, words in checks if not holds]


def _judged(request: InterpolateRequest) -> list[str]:
    """Name what is wrong with validation and simulation."""
    checks = [
        (
            request.threshold is None or request.simulations > 0,
            "--threshold needs --simulations",
        ),
        (
            (request.cv == "site") == (request.site_column is not None),
            "--cv site and --site-column go together",
        ),
        (
            request.method != AUTO or request.cv != "none",
            "--method auto needs a cross-validation, and --cv is none",
        ),
    ]
    return [words for holds, words in checks if not holds]
