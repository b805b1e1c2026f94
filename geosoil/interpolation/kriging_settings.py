"""Settings of kriging: what may be asked for, and what a surface says of it."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np

from geosoil.errors import InputError
from geosoil.interpolation.geodesic import Distance
from geosoil.interpolation.variogram_models import MODELS
from geosoil.interpolation.variogram_nested import AnyVariogram
from geosoil.interpolation.variogram_structures import Variogram

Outputs = Literal[
    "estimate and variance", "estimate", "estimate, variance and drift variance"
]
"""What is computed; an estimate alone costs far less than one with its variance."""

NAMES: dict[str, tuple[str, ...]] = {
    "estimate": ("estimate",),
    "estimate and variance": ("estimate", "kriging_variance"),
    "estimate, variance and drift variance": (
        "estimate",
        "kriging_variance",
        "drift_variance",
    ),
}
"""Variables of each kind of output."""

BY_NAME = tuple(
    name
    for name, shape in MODELS.items()
    if shape.bounded and shape.in_plane and shape.smoothness is None
)
"""Models that are fitted by their name alone."""


def check_settings(
    variogram: AnyVariogram | str,
    *,
    mean: float | None,
    has_drift: bool,
    outputs: str,
    distance: Distance,
) -> None:
    """Raise on settings that cannot be, all at once.

    Parameters
    ----------
    variogram : Variogram, NestedVariogram or str
        The variogram, or the name of a model.
    mean : float or None
        Known mean.
    has_drift : bool
        Whether there is a drift.
    outputs : str
        What is computed.
    distance : {"projected", "wgs84"}
        How distances are taken.

    Raises
    ------
    InputError
        If one of them is invalid or does not go with the others.

    Examples
    --------
    >>> check_settings("spherical", mean=None, has_drift=True, outputs="estimate",
    ...                distance="projected")
    """
    faults = []
    if isinstance(variogram, str):
        if variogram not in BY_NAME:
            faults.append(f"Unknown model '{variogram}'. Give one of {BY_NAME}.")
    elif not hasattr(variogram, "covariance_between"):
        kind = type(variogram).__name__
        faults.append(f"The variogram is {kind}. Give a Variogram or a model's name.")
    elif distance == "wgs84" and not variogram.is_isotropic:
        faults.append(
            "A variogram with a direction needs a plane. Give one that is the same in "
            "all directions, or distance 'projected'."
        )
    if mean is not None and not np.isfinite(mean):
        faults.append(f"Invalid mean '{mean}'. Give a number, or None if unknown.")
    if mean is not None and has_drift:
        faults.append("A known mean leaves no drift to be told. Give one of the two.")
    if outputs not in get_args(Outputs):
        faults.append(f"Unknown outputs '{outputs}'. Give one of {get_args(Outputs)}.")
    if faults:
        message = " ".join(faults)
        raise InputError(message)


def variogram_settings(variogram: AnyVariogram) -> dict[str, Any]:
    """Return what a surface should say of its variogram.

    Parameters
    ----------
    variogram : Variogram or NestedVariogram
        The variogram.

    Returns
    -------
    settings : dict
        Model and numbers; the flag, error and direction where there are any.

    Examples
    --------
    >>> variogram_settings(Variogram("nugget", 1.0, 0.0, 5.0))["nugget"]
    1.0
    """
    settings = {
        "variogram": variogram.model,
        "nugget": variogram.nugget,
        "partial_sill": variogram.partial_sill,
        "range": variogram.range_,
        "variogram_flag": variogram.flag or None,
        "variogram_error": variogram.error or None,
    }
    if isinstance(variogram, Variogram) and variogram.anisotropy is not None:
        settings["anisotropy_angle"] = variogram.anisotropy.angle
        settings["anisotropy_ratio"] = variogram.anisotropy.ratio
    return {name: value for name, value in settings.items() if value is not None}
