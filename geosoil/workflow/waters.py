"""Samples of one water, as commands ask for them."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from geosoil.errors import GeosoilWarning, InputError


def samples_of_water(samples: pd.DataFrame, water: str, *, option: str) -> pd.DataFrame:
    """Take the samples of a water, each with a site.

    Parameters
    ----------
    samples : DataFrame
        Samples of all waters.
    water : str
        Water to take.
    option : str
        Option of the command that names it, for the message.

    Returns
    -------
    chosen : DataFrame
        A copy; without a column ``site_id`` each sample counts as a site of its own,
        with a warning.

    Raises
    ------
    InputError
        If there is no such sample.
    """
    chosen = samples[samples["water"] == water].copy()
    if chosen.empty:
        found = ", ".join(map(str, samples["water"].dropna().unique())) or "none"
        message = (
            f"No sample is of the water '{water}'. Waters found: {found}. "
            f"Name one of them with {option}."
        )
        raise InputError(message)
    if "site_id" not in chosen:
        words = (
            "The samples have no column site_id: each counts as a site of its own. "
            "Layers of one profile are not independent, so errors come out too small."
        )
        warnings.warn(words, GeosoilWarning, stacklevel=4)
        chosen["site_id"] = np.arange(len(chosen))
    return chosen
