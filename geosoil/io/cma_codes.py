"""What the numbers in the daily station text of the CMA mean: values and codes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
TextArray = npt.NDArray[np.object_]

Kind = Literal[
    "temperature", "rain", "humidity", "speed", "direction", "sun", "pan", "pressure"
]

MISSING, BLANK, SPECIAL = 32766, 32744, 32700
UNKNOWN = "unknown_code"
"""Flag of a number that no rule of the format explains."""

PHASES = {
    "": "rain",
    "trace": "trace",
    "snow": "snow",
    "rain_and_snow": "mixed",
    "fog_dew_frost": "dew_frost",
}
"""Phase of precipitation by its flag; "" is rain where there is any."""

QUALITY = {
    0: "right",
    1: "suspect",
    2: "wrong",
    4: "custom",
    7: "no task",
    8: "missing",
    9: "unchecked",
}
"""Meaning of the quality codes."""


@dataclass(frozen=True, slots=True)
class Column:
    """One value column of an element."""

    variable: str
    """Name in the station table."""
    units: str
    """Unit in the station table."""
    kind: Kind
    """Which rule decodes it."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Values of a column in their unit, with what the codes say of them."""

    values: FloatArray
    """Shape (n,); NaN where there is no value."""
    flags: TextArray
    """Shape (n,); "" where the number is a plain value."""


def _columns(kind: Kind, units: str, *variables: str) -> tuple[Column, ...]:
    return tuple(Column(name, units, kind) for name in variables)


ELEMENTS: dict[str, tuple[Column, ...]] = {
    "TEM": _columns(
        "temperature",
        "degC",
        "air_temperature",
        "air_temperature_max",
        "air_temperature_min",
    ),
    "GST": _columns(
        "temperature",
        "degC",
        "ground_temperature",
        "ground_temperature_max",
        "ground_temperature_min",
    ),
    "PRE": _columns(
        "rain", "mm", "precipitation_20_08", "precipitation_08_20", "precipitation"
    ),
    "RHU": _columns("humidity", "%", "relative_humidity", "relative_humidity_min"),
    "WIN": (
        Column("wind_speed", "m s-1", "speed"),
        Column("wind_speed_max", "m s-1", "speed"),
        Column("wind_direction_max", "1", "direction"),
        Column("wind_gust", "m s-1", "speed"),
        Column("wind_direction_gust", "1", "direction"),
    ),
    "SSD": _columns("sun", "h", "sunshine_duration"),
    "EVP": _columns("pan", "mm", "pan_evaporation_small", "pan_evaporation_large"),
    "PRS": _columns(
        "pressure", "hPa", "air_pressure", "air_pressure_max", "air_pressure_min"
    ),
}
"""Value columns of each element, in the order of the file."""


def decode(numbers: IntArray, kind: Kind) -> Decoded:
    """Turn the numbers of a column into values and flags.

    Parameters
    ----------
    numbers : array of int, shape (n,)
        As they stand in the file.
    kind : str
        Which rule decodes them, see :data:`ELEMENTS`.

    Returns
    -------
    decoded : Decoded
        Values in degC, mm, %, m s-1, h or hPa, and flags.

    Notes
    -----
    Of all: 32766 missing (no task), 32744 blank. Precipitation: 32700 trace (0 mm),
    32XXX fog, dew or frost, 31XXX rain and snow, 30XXX snow, with XXX in 0.1 mm.
    Temperature: 10000 more or less than the limit of the instrument that was passed.
    Pan: 32700 frozen, 1000 more when all water evaporated (the value is a lower
    bound). Pressure 20000 more, humidity 300 more: from readings at fixed hours. Wind
    1000 more: above the limit of the instrument. Direction stays the code of the
    file, 1 to 16 round the compass and 17 calm; 90X and 95X are several directions.

    Examples
    --------
    >>> rain = decode(np.array([42, 31015, 32700, 32766]), "rain")
    >>> rain.values.tolist(), rain.flags.tolist()
    ([4.2, 1.5, 0.0, nan], ['', 'rain_and_snow', 'trace', 'missing'])
    """
    numbers = np.asarray(numbers, dtype=np.int64)
    tenths, flags = _DECODERS[kind](numbers)
    for code, flag in ((MISSING, "missing"), (BLANK, "blank")):
        flags[numbers == code] = flag
        tenths[numbers == code] = np.nan
    tenths[flags == UNKNOWN] = np.nan
    whole = kind in ("humidity", "direction")
    return Decoded(tenths if whole else tenths / 10.0, flags)


def _flags(numbers: IntArray) -> TextArray:
    return np.full(numbers.shape, "", dtype=object)


def _shifted(
    numbers: IntArray, shift: int, flag: str, *, limits: tuple[int, int]
) -> tuple[FloatArray, TextArray]:
    """Take off the shift that marks a value, where it is there."""
    values, flags = numbers.astype(float), _flags(numbers)
    marked = numbers >= shift + min(limits[0], 0)
    values[marked] -= shift
    flags[marked] = flag
    flags[(values < limits[0]) | (values > limits[1])] = UNKNOWN
    return values, flags


def _temperature(numbers: IntArray) -> tuple[FloatArray, TextArray]:
    values, flags = numbers.astype(float), _flags(numbers)
    for beyond, shift, flag in (
        (numbers > 9000, 10000, "above_limit"),
        (numbers < -9000, -10000, "below_limit"),
    ):
        values[beyond] -= shift
        flags[beyond] = flag
    flags[np.abs(values) > 1000] = UNKNOWN
    return values, flags


def _rain(numbers: IntArray) -> tuple[FloatArray, TextArray]:
    values, flags = numbers.astype(float), _flags(numbers)
    flags[(numbers < 0) | (numbers > 20000)] = UNKNOWN
    for start, flag in (
        (30000, "snow"),
        (31000, "rain_and_snow"),
        (32000, "fog_dew_frost"),
    ):
        marked = (numbers >= start) & (
            numbers < start + (1000 if start < 32000 else 700)
        )
        values[marked] -= start
        flags[marked] = flag
    trace = numbers == SPECIAL
    values[trace] = 0.0
    flags[trace] = "trace"
    return values, flags


def _humidity(numbers: IntArray) -> tuple[FloatArray, TextArray]:
    return _shifted(numbers, 300, "from_fixed_hours", limits=(0, 100))


def _pressure(numbers: IntArray) -> tuple[FloatArray, TextArray]:
    return _shifted(numbers, 20000, "from_fixed_hours", limits=(3000, 11000))


def _speed(numbers: IntArray) -> tuple[FloatArray, TextArray]:
    return _shifted(numbers, 1000, "above_limit", limits=(0, 999))


def _direction(numbers: IntArray) -> tuple[FloatArray, TextArray]:
    values, flags = numbers.astype(float), _flags(numbers)
    several = (numbers >= 900) & (numbers < 960)
    flags[(numbers < 1) | (numbers > 17)] = UNKNOWN
    flags[numbers == 17] = "calm"
    flags[several] = "several"
    values[several] = np.nan
    return values, flags


def _sun(numbers: IntArray) -> tuple[FloatArray, TextArray]:
    values, flags = numbers.astype(float), _flags(numbers)
    flags[(numbers < 0) | (numbers > 240)] = UNKNOWN
    return values, flags


def _pan(numbers: IntArray) -> tuple[FloatArray, TextArray]:
    values, flags = _shifted(numbers, 1000, "all_evaporated", limits=(0, 999))
    frozen = numbers == SPECIAL
    values[frozen] = np.nan
    flags[frozen] = "frozen"
    return values, flags


_DECODERS: dict[Kind, Callable[[IntArray], tuple[FloatArray, TextArray]]] = {
    "temperature": _temperature,
    "rain": _rain,
    "humidity": _humidity,
    "speed": _speed,
    "direction": _direction,
    "sun": _sun,
    "pan": _pan,
    "pressure": _pressure,
}
