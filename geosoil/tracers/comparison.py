"""Water lines of groups compared: equal slopes, equal intercepts, site by site."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from geosoil.errors import InputError
from geosoil.tracers import _kernels_permutation as kernels
from geosoil.tracers._kernels_sma import common_axis
from geosoil.tracers.groups import check_columns, sample_groups
from geosoil.tracers.tracer_space import tracer_values

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

FEWEST = 3
"""Fewest samples of a group whose line is compared."""

ALL = "all groups"
"""Name of the comparison of all groups at once."""

FEW_SITES = "too few sites to permute"
"""Reason: the sites can be arranged in too few ways for a p value."""

OPPOSITE = "d18O and d2H do not rise together in every group"
"""Reason: standardised major axes of different sign have no common slope."""


@dataclass(frozen=True, slots=True)
class LineComparison:
    """Lines of groups and the tests of their equality."""

    groups: pd.DataFrame
    """One row a group: its labels, ``group`` (its name), ``n``, ``n_sites``, ``slope``
    and ``intercept`` (least squares), ``sma_slope``, ``sma_intercept``, ``reason``."""
    tests: pd.DataFrame
    """One row a test: ``first``, ``second`` (groups, or "all groups" and ""),
    ``method`` ("ancova", "sma" or "permutation"), ``parameter`` ("slope" or
    "intercept"), ``statistic``, ``df_between``, ``df_within``, ``p_value``, ``p_holm``
    (over the pairs of one method and parameter), ``reason``."""


def compare_lines(
    samples: pd.DataFrame,
    by: str | Sequence[str],
    *,
    rng: np.random.Generator,
    n_permutations: int = 999,
    cluster: str = "site_id",
    block: str | None = None,
) -> LineComparison:
    """Test whether the water lines of groups have equal slopes and intercepts.

    Parameters
    ----------
    samples : DataFrame
        One row a sample, with d18O and d2H [permil], ``by``, ``cluster``, ``block``.
    by : str or sequence of str
        Columns that make the groups.
    rng : Generator
        Source of the permutations.
    n_permutations : int
        Permutations of each test.
    cluster : str
        Column of the profile or site; a sample without a label is a site alone.
    block : str, optional
        Column of a spatial block of sites (`blocks.block_labels`). Blocks are then
        permuted whole in place of sites, for groups whose neighbouring sites are alike.

    Returns
    -------
    comparison : LineComparison
        Lines and tests. A group with fewer than 3 samples or without spread keeps its
        rows, with a reason, and takes no part in the comparison of all groups.

    Raises
    ------
    InputError
        If a column is missing, there is no sample, or there are no permutations.

    Notes
    -----
    ANCOVA: with RSS1 of one line, RSSp of parallel lines and RSSg of a line each, over
    G groups and N samples, slopes F = (RSSp - RSSg) / (G - 1) / (RSSg / (N - 2 G)) and
    intercepts F = (RSS1 - RSSp) / (G - 1) / (RSSp / (N - G - 1)).
    SMA: -sum (n - 2.5) ln(1 - r^2) with r the correlation of y - b x and y + b x in
    each group at the common slope b, chi-squared with G - 1 degrees of freedom; the
    elevation test is Wald's on mean(y) - b mean(x). Both take samples as independent,
    which layers of one profile are not: they reject far too often then.
    Permutation: the same F, referred to permutations that move profiles whole, so that
    each group keeps its number of profiles: p = (1 + #) / (1 + n). A site with
    samples in one group changes places with other such sites; in a site with several
    groups (periods, layers) the groups change places. For slopes d18O and d2H are
    first centred on the group's mean, so that a shift between groups is no evidence.
    It holds where profiles of the groups spread alike; trust it before the others.
    Equality of intercepts is asked given a common slope: look at the slopes first.

    References
    ----------
    Warton et al. (2006), Biol. Rev. 81, 259-291, doi:10.1017/S1464793106007007;
    Anderson and ter Braak (2003), J. Stat. Comput. Simul. 73, 85-113,
    doi:10.1080/00949650215733; Holm (1979), Scand. J. Stat. 6, 65-70.

    Examples
    --------
    >>> rng = np.random.default_rng(5)
    >>> x = rng.normal(-13, 2, 60)
    >>> slope = np.repeat([8.0, 5.0], 30)
    >>> soil = pd.DataFrame({"vegetation": ["forest"] * 30 + ["desert"] * 30,
    ...     "site_id": np.arange(60) // 3, "d18O": x,
    ...     "d2H": slope * (x + 13) - 95 + rng.normal(0, 2, 60)})
    >>> tests = compare_lines(soil, "vegetation", rng=rng).tests
    >>> row = tests[(tests["method"] == "permutation") & (tests["second"] == "")]
    >>> row[["parameter", "p_value"]].values.tolist()[0]
    ['slope', 0.001]
    """
    names = [by] if isinstance(by, str) else list(by)
    unit = cluster if block is None else block
    check_columns(samples, [*names, cluster, unit], what="Samples")
    if samples.empty or n_permutations < 1:
        message = (
            f"{len(samples)} samples to compare with {n_permutations} permutations. "
            "Give at least one of each."
        )
        raise InputError(message)
    lines = _GroupLines.of(samples, names, (cluster, unit))
    settings = _Settings(rng, n_permutations)
    usable = [place for place, reason in enumerate(lines.reasons) if not reason]
    # A pair is all groups where there are two: it is tested once, and told twice.
    overall = lines.tests(usable, settings)
    rows = [{"first": ALL, "second": "", **row} for row in overall]
    for pair in combinations(range(len(lines.names)), 2):
        own = overall if list(pair) == usable else lines.tests(list(pair), settings)
        ends = {"first": lines.names[pair[0]], "second": lines.names[pair[1]]}
        rows.extend({**ends, **row} for row in own)
    return LineComparison(lines.table(), _with_holm(rows))


class _Settings(NamedTuple):
    rng: np.random.Generator
    n: int


class _Pair(NamedTuple):
    """One value for slopes and one for intercepts."""

    slope: float
    intercept: float


class _Covariance(NamedTuple):
    """What the analysis of covariance needs of samples, by chunk."""

    chunks: kernels.Chunks
    moments: FloatArray
    centred: FloatArray
    """Moments of the samples less the mean of their group."""

    @classmethod
    def of(cls, values: FloatArray, labels: IntArray, units: IntArray) -> _Covariance:
        chunks = kernels.chunks_of(units, labels)
        x, y = (values - values.mean(axis=0)).T
        own = [kernels.centred_by_group(part, labels) for part in (x, y)]
        moments = kernels.line_moments(x, y, chunks)
        return cls(chunks, moments, kernels.line_moments(own[0], own[1], chunks))

    def statistics(self, labels: IntArray) -> kernels.LineTests:
        """Return F of slopes and intercepts for each row of ``labels``."""
        size = int(self.chunks.label.max()) + 1
        return kernels.LineTests(
            kernels.line_tests(self.centred, labels, size).slope,
            kernels.line_tests(self.moments, labels, size).intercept,
        )

    def permutation(self, observed: _Pair, settings: _Settings) -> _Pair:
        """Return p values by permutation; missing with too few arrangements."""
        if kernels.has_few_arrangements(self.chunks):
            return _Pair(np.nan, np.nan)
        labels = kernels.permuted_labels(self.chunks, settings.n, settings.rng)
        permuted = zip(observed, self.statistics(labels), strict=True)
        return _Pair(*(kernels.permutation_p(*values) for values in permuted))


class _Line(NamedTuple):
    """Moments of the samples of one group."""

    n: int
    mean: FloatArray
    spread: FloatArray
    """Sums of squares xx, xy, yy about the mean."""

    @classmethod
    def of(cls, x: FloatArray, y: FloatArray) -> _Line:
        if not x.size:
            return cls(0, np.full(2, np.nan), np.full(3, np.nan))
        dx, dy = x - x.mean(), y - y.mean()
        spread = np.array([dx @ dx, dx @ dy, dy @ dy])
        return cls(x.size, np.array([x.mean(), y.mean()]), spread)

    @property
    def reason(self) -> str:
        if self.n < FEWEST:
            return f"{self.n} samples found, {FEWEST} needed for a line"
        tiny = self.n * (1e-12 * np.maximum(1.0, np.abs(self.mean))) ** 2
        for place, name in ((0, "d18O"), (2, "d2H")):
            if self.spread[place] <= tiny[place // 2]:
                return f"all {self.n} samples have the same {name}"
        return ""

    def columns(self) -> dict[str, Hashable]:
        slopes = [np.nan, np.nan]
        if not self.reason:
            xx, xy, yy = self.spread
            slopes = [xy / xx, float(np.sign(xy) * np.sqrt(yy / xx))]
        ends = [self.mean[1] - slope * self.mean[0] for slope in slopes]
        names = ("slope", "intercept", "sma_slope", "sma_intercept")
        values = (slopes[0], ends[0], slopes[1] or np.nan, ends[1])
        return dict(zip(names, map(float, values), strict=True))


@dataclass(frozen=True, slots=True)
class _GroupLines:
    """Samples with both isotopes, and the line of each group."""

    keys: list[dict[str, Hashable]]
    names: list[str]
    lines: list[_Line]
    values: FloatArray
    labels: IntArray
    sites: IntArray
    units: IntArray

    @classmethod
    def of(
        cls, samples: pd.DataFrame, by: Sequence[str], units: tuple[str, str]
    ) -> _GroupLines:
        values = tracer_values(samples, ["d18O", "d2H"], what="Samples")
        found = sample_groups(samples, by)
        labels = np.empty(len(samples), dtype=np.intp)
        for place, group in enumerate(found):
            labels[group.rows] = place
        codes = [kernels.codes_of(pd.factorize(samples[name])[0]) for name in units]
        whole = np.isfinite(values).all(axis=1)
        x, y = values.T
        lines = [
            _Line.of(x[whole & (labels == place)], y[whole & (labels == place)])
            for place in range(len(found))
        ]
        names = [", ".join(map(str, group.key.values())) for group in found]
        kept = (values[whole], labels[whole], codes[0][whole], codes[1][whole])
        return cls([group.key for group in found], names, lines, *kept)

    @property
    def reasons(self) -> list[str]:
        return [line.reason for line in self.lines]

    def table(self) -> pd.DataFrame:
        rows: list[dict[str, Hashable]] = []
        for place, line in enumerate(self.lines):
            sites = np.unique(self.sites[self.labels == place]).size
            cells = {"group": self.names[place], "n": line.n, "n_sites": sites}
            end = {"reason": line.reason}
            rows.append({**self.keys[place], **cells, **line.columns(), **end})
        return pd.DataFrame(rows)

    def tests(self, places: list[int], settings: _Settings) -> list[dict[str, object]]:
        """Test the groups at ``places`` in all ways; empty values with a reason."""
        bad = [place for place in places if self.lines[place].reason]
        reason = "; ".join(
            f"{self.names[place]}: {self.lines[place].reason}" for place in bad
        )
        if len(places) < 2:
            reason = f"{len(places)} groups with a line, 2 needed"
        if reason:
            nothing = _Pair(np.nan, np.nan)
            return [
                row
                for method in ("ancova", "sma", "permutation")
                for row in _rows(method, (nothing, nothing), _Pair(0, 0), reason)
            ]
        return [*self._covariance_rows(places, settings), *self._axis_rows(places)]

    def _covariance_rows(
        self, places: list[int], settings: _Settings
    ) -> list[dict[str, object]]:
        rows = np.flatnonzero(np.isin(self.labels, places))
        labels = np.searchsorted(places, self.labels[rows]).astype(np.intp)
        covariance = _Covariance.of(self.values[rows], labels, self.units[rows])
        observed = covariance.statistics(covariance.chunks.label[None])
        values = _Pair(*(float(part[0]) for part in observed))
        between, size = len(places) - 1, len(places)
        within = _Pair(rows.size - 2 * size, rows.size - size - 1)
        f_values = zip(values, within, strict=True)
        p_values = _Pair(*(float(stats.f.sf(f, between, df)) for f, df in f_values))
        exact = covariance.permutation(values, settings)
        reason = FEW_SITES if np.isnan(exact.slope) else ""
        return [
            *_rows("ancova", (values, p_values), within, "", between),
            *_rows("permutation", (values, exact), within, reason, between),
        ]

    def _axis_rows(self, places: list[int]) -> list[dict[str, object]]:
        lines = [self.lines[place] for place in places]
        spread = np.array([line.spread for line in lines])
        signs = np.sign(spread[:, 1])
        if np.any(signs != signs[0]) or not signs[0]:
            nothing = _Pair(np.nan, np.nan)
            return _rows("sma", (nothing, nothing), _Pair(0, 0), OPPOSITE)
        n = np.array([float(line.n) for line in lines])
        turn = np.array([float(signs[0]), 1.0])
        means = np.array([line.mean for line in lines]) * turn
        found = common_axis(n, means, spread * [1.0, signs[0], 1.0])
        between = len(places) - 1
        observed = _Pair(found.likelihood_ratio, found.elevation)
        p_values = _Pair(*(float(stats.chi2.sf(value, between)) for value in observed))
        return _rows("sma", (observed, p_values), _Pair(0, 0), "", between)


def _rows(
    method: str,
    tests: tuple[_Pair, _Pair],
    within: _Pair,
    reason: str,
    between: int = 0,
) -> list[dict[str, object]]:
    """Rows of the tests' statistics and p values; no degrees of freedom are NaN."""
    return [
        {
            "method": method,
            "parameter": name,
            "statistic": tests[0][place],
            "df_between": float(between) or np.nan,
            "df_within": float(within[place]) or np.nan,
            "p_value": tests[1][place],
            "reason": reason,
        }
        for place, name in enumerate(_Pair._fields)
    ]


def _with_holm(rows: list[dict[str, object]]) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    adjusted = np.full(len(table), np.nan)
    pairs = (table["second"] != "").to_numpy()
    for places in table.groupby(["method", "parameter"]).indices.values():
        chosen = places[pairs[places]]
        p_values = table["p_value"].to_numpy(dtype=float)[chosen]
        adjusted[chosen] = kernels.holm(p_values)
    table["p_holm"] = adjusted
    return table[[*(name for name in table if name != "reason"), "reason"]]
