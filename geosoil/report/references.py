"""The works that a report can cite."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

from geosoil.errors import InputError
from geosoil.report.record import BETWEEN, DASH


@dataclass(frozen=True, slots=True)
class Reference:
    """One work."""

    key: str
    """Key in the report."""
    short: str
    """Author and year, as in the text."""
    full: str
    """Authors, title, where it stands, year."""
    doi: str = ""
    """Digital object identifier; "" where there is none."""

    @property
    def citation(self) -> str:
        """The work as a list of references has it, with true dashes in page ranges."""
        return BETWEEN.sub(DASH, self.full)


_WORKS = (
    Reference(
        "benettin2018",
        "Benettin et al., 2018",
        "Benettin, P., Volkmann, T. H. M., von Freyberg, J., Frentress, J., Penna, D., "
        "Dawson, T. E., and Kirchner, J. W.: Effects of climatic seasonality on the "
        "isotopic composition of evaporating soil waters, Hydrol. Earth Syst. Sci., "
        "22, 2881-2890, 2018.",
        "10.5194/hess-22-2881-2018",
    ),
    Reference(
        "benjamini1995",
        "Benjamini and Hochberg, 1995",
        "Benjamini, Y. and Hochberg, Y.: Controlling the false discovery rate: a "
        "practical and powerful approach to multiple testing, J. R. Stat. Soc. B, 57, "
        "289-300, 1995.",
        "10.1111/j.2517-6161.1995.tb02031.x",
    ),
    Reference(
        "bretherton1999",
        "Bretherton et al., 1999",
        "Bretherton, C. S., Widmann, M., Dymnikov, V. P., Wallace, J. M., and Bladé, "
        "I.: The effective number of spatial degrees of freedom of a time-varying "
        "field, J. Climate, 12, 1990-2009, 1999.",
        "10.1175/1520-0442(1999)012<1990:TENOSD>2.0.CO;2",
    ),
    Reference(
        "craig1961",
        "Craig, 1961",
        "Craig, H.: Isotopic variations in meteoric waters, Science, 133, 1702-1703, "
        "1961.",
        "10.1126/science.133.3465.1702",
    ),
    Reference(
        "craiggordon1965",
        "Craig and Gordon, 1965",
        "Craig, H. and Gordon, L. I.: Deuterium and oxygen 18 variations in the ocean "
        "and the marine atmosphere, in: Stable Isotopes in Oceanographic Studies and "
        "Paleotemperatures, edited by: Tongiorgi, E., Laboratorio di Geologia "
        "Nucleare, Pisa, 9-130, 1965.",
    ),
    Reference(
        "cressie1993",
        "Cressie, 1993",
        "Cressie, N. A. C.: Statistics for Spatial Data, revised edition, Wiley, New "
        "York, 1993.",
        "10.1002/9781119115151",
    ),
    Reference(
        "dansgaard1964",
        "Dansgaard, 1964",
        "Dansgaard, W.: Stable isotopes in precipitation, Tellus, 16, 436-468, 1964.",
        "10.1111/j.2153-3490.1964.tb00181.x",
    ),
    Reference(
        "didan2015",
        "Didan et al., 2015",
        "Didan, K., Barreto Muñoz, A., Solano, R., and Huete, A.: MODIS Vegetation "
        "Index User's Guide (MOD13 Series), version 3.00, University of Arizona, 2015.",
    ),
    Reference(
        "dutilleul1993",
        "Dutilleul, 1993",
        "Dutilleul, P.: Modifying the t test for assessing the correlation between two "
        "spatial processes, Biometrics, 49, 305-314, 1993.",
        "10.2307/2532625",
    ),
    Reference(
        "egozcue2003",
        "Egozcue et al., 2003",
        "Egozcue, J. J., Pawlowsky-Glahn, V., Mateu-Figueras, G., and Barceló-Vidal, "
        "C.: Isometric logratio transformations for compositional data analysis, Math. "
        "Geol., 35, 279-300, 2003.",
        "10.1023/A:1023818214614",
    ),
    Reference(
        "fieller1954",
        "Fieller, 1954",
        "Fieller, E. C.: Some problems in interval estimation, J. R. Stat. Soc. B, 16, "
        "175-185, 1954.",
        "10.1111/j.2517-6161.1954.tb00159.x",
    ),
    Reference(
        "genereux1998",
        "Genereux, 1998",
        "Genereux, D.: Quantifying uncertainty in tracer-based hydrograph separations, "
        "Water Resour. Res., 34, 915-919, 1998.",
        "10.1029/98WR00010",
    ),
    Reference(
        "hughes2012",
        "Hughes and Crawford, 2012",
        "Hughes, C. E. and Crawford, J.: A new precipitation weighted method for "
        "determining the meteoric water line for hydrological applications "
        "demonstrated using Australian and global GNIP data, J. Hydrol., 464-465, "
        "344-351, 2012.",
        "10.1016/j.jhydrol.2012.07.029",
    ),
    Reference(
        "karney2013",
        "Karney, 2013",
        "Karney, C. F. F.: Algorithms for geodesics, J. Geodesy, 87, 43-55, 2013.",
        "10.1007/s00190-012-0578-z",
    ),
    Reference(
        "kendall1938",
        "Kendall, 1938",
        "Kendall, M. G.: A new measure of rank correlation, Biometrika, 30, 81-93, "
        "1938.",
        "10.1093/biomet/30.1-2.81",
    ),
    Reference(
        "landwehr2006",
        "Landwehr and Coplen, 2006",
        "Landwehr, J. M. and Coplen, T. B.: Line-conditioned excess: a new method for "
        "characterizing stable hydrogen and oxygen isotope ratios in hydrologic "
        "systems, in: Isotopes in Environmental Studies, IAEA-CSP-26, IAEA, Vienna, "
        "132-135, 2006.",
    ),
    Reference(
        "li2024",
        "Li et al., 2024",
        "Li, Z., Gui, J., Cui, Q., Xue, J., Du, F., and Si, L.: Soil water sources and "
        "their implications for vegetation restoration in the Three-Rivers Headwater "
        "Region during different ablation periods, Hydrol. Earth Syst. Sci., 28, "
        "719-734, 2024.",
        "10.5194/hess-28-719-2024",
    ),
    Reference(
        "liangzeger1986",
        "Liang and Zeger, 1986",
        "Liang, K.-Y. and Zeger, S. L.: Longitudinal data analysis using generalized "
        "linear models, Biometrika, 73, 13-22, 1986.",
        "10.1093/biomet/73.1.13",
    ),
    Reference(
        "matheron1963",
        "Matheron, 1963",
        "Matheron, G.: Principles of geostatistics, Econ. Geol., 58, 1246-1266, 1963.",
        "10.2113/gsecongeo.58.8.1246",
    ),
    Reference(
        "phillips2001",
        "Phillips and Gregg, 2001",
        "Phillips, D. L. and Gregg, J. W.: Uncertainty in source partitioning using "
        "stable isotopes, Oecologia, 127, 171-179, 2001.",
        "10.1007/s004420000578",
    ),
    Reference(
        "roberts2017",
        "Roberts et al., 2017",
        "Roberts, D. R., Bahn, V., Ciuti, S., Boyce, M. S., Elith, J., "
        "Guillera-Arroita, G., Hauenstein, S., Lahoz-Monfort, J. J., Schröder, B., "
        "Thuiller, W., Warton, D. I., Wintle, B. A., Hartig, F., and Dormann, C. F.: "
        "Cross-validation strategies for data with temporal, spatial, hierarchical, or "
        "phylogenetic structure, Ecography, 40, 913-929, 2017.",
        "10.1111/ecog.02881",
    ),
    Reference(
        "shepard1968",
        "Shepard, 1968",
        "Shepard, D.: A two-dimensional interpolation function for irregularly-spaced "
        "data, in: Proceedings of the 23rd ACM National Conference, 517-524, 1968.",
        "10.1145/800186.810616",
    ),
    Reference(
        "warton2006",
        "Warton et al., 2006",
        "Warton, D. I., Wright, I. J., Falster, D. S., and Westoby, M.: Bivariate "
        "line-fitting methods for allometry, Biol. Rev., 81, 259-291, 2006.",
        "10.1017/S1464793106007007",
    ),
    Reference(
        "wilks2016",
        "Wilks, 2016",
        "Wilks, D. S.: “The stippling shows statistically significant grid points”: "
        "how research results are routinely overstated and overinterpreted, and what "
        "to do about it, B. Am. Meteorol. Soc., 97, 2263-2273, 2016.",
        "10.1175/BAMS-D-15-00267.1",
    ),
)

REFERENCES = MappingProxyType({work.key: work for work in _WORKS})
"""The works by key."""


def reference(key: str) -> Reference:
    """Return a work.

    Parameters
    ----------
    key : str
        Key in :data:`REFERENCES`.

    Returns
    -------
    work : Reference
        The work.

    Raises
    ------
    InputError
        If there is none of that key.

    Examples
    --------
    >>> reference("craig1961").doi
    '10.1126/science.133.3465.1702'
    """
    if key not in REFERENCES:
        message = (
            f"Unknown reference '{key}'. Choose one of {', '.join(sorted(REFERENCES))}."
        )
        raise InputError(message)
    return REFERENCES[key]


def reference_list(keys: Iterable[str]) -> tuple[Reference, ...]:
    """Return works as a list of references has them.

    Parameters
    ----------
    keys : iterable of str
        Keys, in any order, more than once.

    Returns
    -------
    works : tuple of Reference
        Each once, by author and year.

    Examples
    --------
    >>> [work.short for work in reference_list(["li2024", "craig1961", "li2024"])]
    ['Craig, 1961', 'Li et al., 2024']
    """
    works = {key: reference(key) for key in keys}
    return tuple(sorted(works.values(), key=lambda work: work.full.casefold()))
