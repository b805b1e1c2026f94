"""Reading of words: kinds of water, periods, aspects, vegetation, soil layers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from geosoil.io.table_values import clean_text
from geosoil.io.vocabulary import words
from geosoil.strata import ASPECTS, PHASES, VEGETATION, WATERS

MONTH_NAMES: tuple[str, ...] = words(
    "January February March April May June July August September "
    "October November December"
)
"""English names of the months, January first."""

_WATER_WORDS: Mapping[str, tuple[str, ...]] = {
    "soil": ("soilwater", "soilwaters", "soilmoisture", "sw", "土壤水", "土壤"),
    "precipitation": words(
        "rain rainwater rainfall precip prec snowfall rainprecipitation 降水 "
        "大气降水 雨水 降雨"
    ),
    "ground_ice": ("groundice", "ice", "permafrostice", "undergroundice", "地下冰"),
    "snowmelt": words(
        "snow snowmeltwater meltwater snowpack meltingsnow 积雪融水 融雪水 积雪 雪融水"
    ),
    "river": ("riverwater", "stream", "streamwater", "streamflow", "河水", "河流水"),
    "supra_permafrost": words(
        "suprapermafrost suprapermafrostwater 冻结层上水 suprapermafrostgroundwater spw"
    ),
}
_CHINESE_MONTHS = words(
    "一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月"
)
_ASPECT_WORDS: Mapping[str, tuple[str, ...]] = {
    "N": ("north", "northern", "阴坡", "北坡", "北"),
    "E": ("east", "eastern", "东坡", "东"),
    "S": ("south", "southern", "阳坡", "南坡", "南"),
    "W": ("west", "western", "西坡", "西"),
    "flat": ("plain", "level", "平地"),
}
_VEGETATION_WORDS: Mapping[str, tuple[str, ...]] = {
    "grassland": ("grass", "steppe", "alpinesteppe", "alpinegrassland", "草原", "草地"),
    "meadow": ("alpinemeadow", "高寒草甸", "草甸"),
    "forest": ("woodland", "trees", "森林", "林地"),
    "scrub": ("shrub", "shrubs", "shrubland", "scrubland", "灌丛"),
    "desert": ("alpinedesert", "barren", "bare", "荒漠"),
}
_RANGE = re.compile(
    r"([0-9]+(?:\.[0-9]+)?)\s*(?:cm|m)?\s*(?:-|~|to|至|—)\s*([0-9]+(?:\.[0-9]+)?)"
    r"\s*(cm|m|mm|厘米)?",
    re.I,
)
_SINGLE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(cm|m|mm|厘米)?", re.I)
_FACTORS = {"": 1.0, "cm": 1.0, "厘米": 1.0, "m": 100.0, "mm": 0.1}


def plain_word(text: str) -> str:
    """Reduce a label to lower-case letters and digits.

    Parameters
    ----------
    text : str
        Label as written.

    Returns
    -------
    plain : str
        For instance ``"soilwater"`` for ``"Soil Water"``.

    Examples
    --------
    >>> plain_word(" Soil-Water ")
    'soilwater'
    """
    normal = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\W_]+", "", normal)


def _table(
    names: tuple[str, ...], words: Mapping[str, tuple[str, ...]]
) -> dict[str, str]:
    table = {plain_word(name): name for name in names}
    for name, synonyms in words.items():
        table.update(dict.fromkeys(synonyms, name))
    return table


_WATERS = _table(WATERS, _WATER_WORDS)
_ASPECTS = _table(ASPECTS, _ASPECT_WORDS)
_VEGETATION = _table(VEGETATION, _VEGETATION_WORDS)
_PERIODS = {name.casefold(): name for name in MONTH_NAMES}
_PERIODS |= {name[:3].casefold(): name for name in MONTH_NAMES}
_PERIODS |= {"sept": "September"}
for _number, _name in enumerate(MONTH_NAMES, 1):
    _PERIODS |= {str(_number): _name, f"{_number:02d}": _name, f"{_number}月": _name}
    _PERIODS |= {f"{_number:02d}月": _name, _CHINESE_MONTHS[_number - 1]: _name}
for _period, _phase in PHASES.items():
    for _ending in ("", "ablation", "ablationperiod", "period"):
        _PERIODS[f"{_phase}{_ending}"] = _period


def read_water(text: str) -> str | None:
    """Return geosoil's name of a kind of water.

    Parameters
    ----------
    text : str
        Word of the table.

    Returns
    -------
    water : str or None
        One of ``geosoil.strata.WATERS``; None where the word is not known.

    Examples
    --------
    >>> read_water("Rain"), read_water("soil water"), read_water("stem")
    ('precipitation', 'soil', None)
    """
    return _WATERS.get(plain_word(text))


def read_period(text: str) -> str | None:
    """Return the English name of a month, or None.

    Parameters
    ----------
    text : str
        Name, abbreviation, number, Chinese name, or early, heavy, end ablation.

    Returns
    -------
    period : str or None
        Name of the month.

    Examples
    --------
    >>> read_period("Jun"), read_period("08"), read_period("九月"), read_period("x")
    ('June', 'August', 'September', None)
    """
    return _PERIODS.get(plain_word(text))


def read_aspect(text: str) -> str | None:
    """Return N, E, S, W or flat, or None.

    Parameters
    ----------
    text : str
        Word of the table.

    Returns
    -------
    aspect : str or None
        Label of the aspect.

    Examples
    --------
    >>> read_aspect("Northern slope"), read_aspect("NW")
    ('N', None)
    """
    return _ASPECTS.get(plain_word(text).removesuffix("slope").removesuffix("facing"))


def read_vegetation(text: str) -> str | None:
    """Return geosoil's name of a vegetation class, or None.

    Parameters
    ----------
    text : str
        Word of the table.

    Returns
    -------
    vegetation : str or None
        One of ``geosoil.strata.VEGETATION``.

    Examples
    --------
    >>> read_vegetation("Alpine meadow")
    'meadow'
    """
    return _VEGETATION.get(plain_word(text))


def read_depth(text: str, factor: float = 1.0) -> tuple[float, float] | None:
    """Read a soil layer as its top and bottom.

    Parameters
    ----------
    text : str
        ``"0-20"``, ``"0-20 cm"``, ``"20"``; one number is both top and bottom.
    factor : float
        Centimetres in the unit of the column, for cells without a unit.

    Returns
    -------
    layer : tuple = (top, bottom) or None
        Depth below the surface [cm]; None where the text is no depth.

    Examples
    --------
    >>> read_depth("0-20 cm"), read_depth("15"), read_depth("topsoil")
    ((0.0, 20.0), (15.0, 15.0), None)
    """
    plain = clean_text(text)[0]
    if match := _RANGE.fullmatch(plain):
        scale = _FACTORS[match[3].casefold()] if match[3] else factor
        top, bottom = float(match[1]) * scale, float(match[2]) * scale
        return (top, bottom) if top <= bottom else None
    if match := _SINGLE.fullmatch(plain):
        scale = _FACTORS[match[2].casefold()] if match[2] else factor
        return float(match[1]) * scale, float(match[1]) * scale
    return None
