"""How outputs say that their data are simulated."""

from __future__ import annotations

import pandas as pd

SIMULATED = "SIMULATED data: no value on this figure was measured"

COLUMN = "simulated"
"""Column by which the built-in study marks its samples."""

TRUE = ("true", "yes", "1", "1.0")


def simulated_rows(samples: pd.DataFrame) -> pd.Series[bool]:
    """Return which samples say that they are simulated.

    Parameters
    ----------
    samples : DataFrame
        Samples; those of the built-in study have a column ``simulated``.

    Returns
    -------
    simulated : Series of bool
        One a row; False without the column.

    Examples
    --------
    >>> simulated_rows(pd.DataFrame({"simulated": ["True", None, "no"]})).tolist()
    [True, False, False]
    """
    if COLUMN not in samples:
        return pd.Series(data=False, index=samples.index)
    return samples[COLUMN].astype(str).str.strip().str.lower().isin(TRUE)


def simulated_note(samples: pd.DataFrame) -> str | None:
    """Return words for figures where any sample is simulated.

    Parameters
    ----------
    samples : DataFrame
        Samples.

    Returns
    -------
    note : str or None
        None where nothing says so.

    Examples
    --------
    >>> simulated_note(pd.DataFrame({"simulated": [True]}))
    'SIMULATED data: no value on this figure was measured'
    """
    return SIMULATED if bool(simulated_rows(samples).any()) else None


def simulated_tag(simulated: bool) -> str:
    """Return what files say of their data.

    Parameters
    ----------
    simulated : bool
        Whether the data are simulated.

    Returns
    -------
    tag : str
        Words.

    Examples
    --------
    >>> simulated_tag(True)
    'yes: no measured data'
    """
    return "yes: no measured data" if simulated else "no"
