"""All fractions on a grid within a tolerance, against plain enumeration."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from itertools import product
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.errors import InputError, MixingError
from geosoil.tracers import _kernels_isosource
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.isosource import isosource

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}


def ends_of(values: list, tracers: list[str], **columns: object) -> EndMembers:
    table = pd.DataFrame(values, columns=tracers)
    sources = [f"s{k}" for k in range(len(values))]
    return EndMembers.from_table(table.assign(source=sources, **columns))


def combinations(steps: int, n_sources: int) -> np.ndarray:
    heads = product(range(steps + 1), repeat=n_sources - 1)
    return np.array(
        [[*head, steps - sum(head)] for head in heads if sum(head) <= steps]
    )


def feasible(steps: int, sources: list, mixture: list, tolerance: list) -> np.ndarray:
    """Enumerate with exact rational numbers, decimals taken at their word."""

    def exact(value: float) -> Fraction:
        return Fraction(str(value))

    kept = []
    for parts in combinations(steps, len(sources)):
        away = [
            abs(
                sum(
                    int(part) * exact(source[j])
                    for part, source in zip(parts, sources, strict=True)
                )
                - steps * exact(mixture[j])
            )
            <= steps * exact(tolerance[j])
            for j in range(len(mixture))
        ]
        if all(away):
            kept.append(parts)
    return np.array(kept, dtype=int).reshape(-1, len(sources))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_four_sources_of_the_published_method(golden: Path, number) -> None:
    text = (golden / "tracers" / "isosource_four_sources.json").read_text()
    record = json.loads(text)
    run, tracers = record["runs"][number], ["d18O", "d_excess"]
    found = isosource(
        pd.DataFrame([record["mix"]], columns=tracers),
        ends_of(record["sources"], tracers),
        tracers=tracers,
        tolerance=run["tolerance"],
        increment=run["increment_pct"] / 100,
    )
    assert (found["n_feasible"] == run["n_feasible"]).all()
    assert (found["n_combinations"] == run["n_combinations"]).all()
    for name in ("min", "max", "mean"):
        np.testing.assert_allclose(100 * found[name], run[f"{name}_pct"], rtol=1e-12)
    assert (found["reason"] == "").all()


DECIMAL = st.integers(-200, 0).map(lambda value: value / 10)


@settings(max_examples=25)
@given(st.data(), st.integers(1, 5), st.integers(1, 2), st.sampled_from([5, 8, 10]))
def test_counts_and_moments_are_those_of_exact_enumeration(
    data, n_sources, n_tracers, steps
) -> None:
    row = st.lists(DECIMAL, min_size=n_tracers, max_size=n_tracers)
    sources = data.draw(st.lists(row, min_size=n_sources, max_size=n_sources))
    # Tolerances of whole tenths put many combinations exactly on the border.
    tolerance = data.draw(
        st.lists(st.integers(0, 30), min_size=n_tracers, max_size=n_tracers)
    )
    tolerance = [value / 10 for value in tolerance]
    place = data.draw(st.integers(0, comb(steps + n_sources - 1, n_sources - 1) - 1))
    parts = combinations(steps, n_sources)[place]
    mixture = (parts @ np.array(sources) / steps).round(1).tolist()
    arrays = np.array([mixture]), np.array(sources)
    limits = _kernels_isosource.rounded_tolerance(*arrays, np.array(tolerance))
    grid = _kernels_isosource.Grid(*arrays, steps, limits)
    counts = _kernels_isosource.feasible_counts(grid)[0]
    expected = feasible(steps, sources, mixture, tolerance)
    for source in range(n_sources):
        held = np.bincount(expected[:, source], minlength=steps + 1)
        assert counts[source].tolist() == held.tolist()
    if n_sources < 2:
        return
    tracers = [f"t{j}" for j in range(n_tracers)]
    table = isosource(
        pd.DataFrame([mixture], columns=tracers),
        ends_of(sources, tracers),
        tracers=tracers,
        tolerance=tolerance,
        increment=1 / steps,
    )
    assert (table["n_feasible"] == len(expected)).all()
    if len(expected):
        shares = expected / steps
        np.testing.assert_allclose(table["min"], shares.min(axis=0), rtol=1e-12)
        np.testing.assert_allclose(table["max"], shares.max(axis=0), rtol=1e-12)
        np.testing.assert_allclose(table["mean"], shares.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(table["sd"], shares.std(axis=0), atol=1e-12)
        for name, q in QUANTILES.items():
            quantile = np.quantile(shares, q, axis=0, method="inverted_cdf")
            np.testing.assert_allclose(table[name], quantile, rtol=1e-12)
    else:
        assert table[["min", "max", "mean", "sd", *QUANTILES]].isna().all(axis=None)
        assert table["reason"].str.startswith("no fractions within tolerance").all()


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(2, 4), st.booleans())
def test_the_smallest_tolerance_told_is_the_smallest(seed, n_sources, exact) -> None:
    rng = np.random.default_rng(seed)
    sources = rng.normal(size=(n_sources, 2)) * 5
    mixture = rng.normal(size=2) * 5
    limits = np.zeros(2) if exact else np.array([1e-4, 3e-4])
    ends = ends_of(sources.tolist(), ["a", "b"])
    water = pd.DataFrame([mixture], columns=["a", "b"])
    options = {"tracers": ["a", "b"], "increment": 0.1}
    table = isosource(water, ends, tolerance=limits.tolist(), **options)
    needed = [
        float(word) for word in re.findall(r"\b[ab] ([^\s,]+)", table["reason"][0])
    ]
    away = np.abs(combinations(10, n_sources) / 10 @ sources - mixture)
    step = np.ones(2) if exact else limits
    least = ((away - limits) / step).max(axis=1).min()
    np.testing.assert_allclose(needed, limits + least * step, rtol=2e-3)
    assert (needed >= (limits + least * step) * (1 - 1e-9)).all()
    again = isosource(water, ends, tolerance=needed, **options)
    assert (again["n_feasible"] > 0).all()
    narrow = [0.99 * value for value in needed]
    assert (
        isosource(water, ends, tolerance=narrow, **options)["n_feasible"] == 0
    ).all()


def test_blocks_do_not_change_the_counts(monkeypatch) -> None:
    rng = np.random.default_rng(1)
    sources = rng.normal(size=(5, 2))
    mixtures = rng.dirichlet(np.ones(5), 7) @ sources
    grid = _kernels_isosource.Grid(mixtures, sources, 25, np.array([0.1, 0.2]))
    whole = _kernels_isosource.feasible_counts(grid)
    least = _kernels_isosource.least_excess(grid, np.ones(2))
    monkeypatch.setattr(_kernels_isosource, "BLOCK", 50)
    np.testing.assert_array_equal(_kernels_isosource.feasible_counts(grid), whole)
    np.testing.assert_array_equal(
        _kernels_isosource.least_excess(grid, np.ones(2)), least
    )
    assert whole.any()


def test_all_combinations_count_where_anything_goes() -> None:
    ends = ends_of([[1.0], [2.0], [3.0], [4.0], [5.0]], ["Cl"])
    found = isosource(
        pd.DataFrame({"Cl": [3.0]}), ends, tracers=["Cl"], tolerance=9.0, increment=0.05
    )
    assert (found["n_feasible"] == comb(24, 4)).all()
    assert (found["n_combinations"] == comb(24, 4)).all()
    np.testing.assert_allclose(found["mean"], 0.2, rtol=1e-12)


def test_a_tracer_that_all_sources_share_rules_in_or_out() -> None:
    ends = ends_of([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]], ["Cl", "Br"])
    water = pd.DataFrame({"Cl": [2.0, 2.0], "Br": [5.1, 5.2]})
    found = isosource(water, ends, tracers=["Cl", "Br"], tolerance=0.1)
    assert (found["n_feasible"][:3] > 0).all()
    assert (found["n_feasible"][3:] == 0).all()


def test_several_mixtures_are_the_same_as_each_alone() -> None:
    rng = np.random.default_rng(2)
    ends = ends_of(rng.normal(size=(4, 2)).tolist(), ["a", "b"])
    shares = rng.dirichlet(np.ones(4), 5)
    water = pd.DataFrame(
        shares @ ends.means(["a", "b"]), columns=["a", "b"], index=list("vwxyz")
    )
    options = {"tracers": ["a", "b"], "tolerance": 0.05, "increment": 0.05}
    whole = isosource(water, ends, **options)
    assert whole["mixture"].tolist() == [name for name in "vwxyz" for _ in range(4)]
    parts = [isosource(water.loc[[name]], ends, **options) for name in water.index]
    pd.testing.assert_frame_equal(whole, pd.concat(parts, ignore_index=True))


def test_strata_and_rules_choose_the_sources() -> None:
    table = pd.DataFrame(
        {
            "source": ["rain", "rain", "ice", "snow"],
            "period": ["June", "August", None, "June"],
            "Cl": [1.0, 2.0, 9.0, 5.0],
        }
    )
    water = pd.DataFrame(
        {
            "Cl": [5.0, 5.0, 5.0, np.nan, 5.0],
            "period": ["June", "August", "June", "June", "May"],
            "snow_allowed": [True, True, False, True, True],
        }
    )
    found = isosource(
        water,
        EndMembers.from_table(table),
        tracers=["Cl"],
        tolerance=0.05,
        increment=0.01,
    ).set_index(["mixture", "source"])
    assert found.loc[(0, "snow"), "max"] == 1.0
    for mixture in (1, 2):
        snow = found.loc[(mixture, "snow")]
        assert snow[["min", "max", "mean", "sd"]].tolist() == [0.0] * 4
    assert found.loc[(2, "rain"), ["min", "max"]].tolist() == [0.5, 0.5]
    assert found.loc[(0, "rain"), "n_combinations"] == comb(102, 2)
    assert found.loc[(1, "rain"), "n_combinations"] == 101
    assert (found.loc[3, "reason"] == "missing tracer").all()
    assert (found.loc[4, "reason"] == "fewer than two end members").all()
    assert found.loc[[3, 4], "mean"].isna().all()


def test_too_many_combinations_are_refused_before_they_are_begun() -> None:
    ends = ends_of([[float(k)] for k in range(9)], ["Cl"])
    words = r"9 of the sources .* in 100 steps make 352,025,629,371 combinations"
    with pytest.raises(InputError, match=words):
        isosource(pd.DataFrame({"Cl": [3.0]}), ends, tracers=["Cl"], tolerance=0.1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"increment": 0.03}, "Invalid increment 0.03"),
        ({"increment": 0.0}, "Invalid increment 0.0"),
        ({"tolerance": -0.1}, r"Invalid tolerance \[-0.1\]"),
        ({"tolerance": [0.1, 0.1]}, "Give one number for all, or one each"),
        ({"tolerance": np.nan}, "Invalid tolerance"),
        ({"tracers": ["Br"]}, "missing column Br"),
    ],
)
def test_bad_requests_are_refused(options, words) -> None:
    ends = ends_of([[1.0], [9.0]], ["Cl"])
    asked = {"tracers": ["Cl"], "tolerance": 0.1, **options}
    with pytest.raises(InputError, match=words):
        isosource(pd.DataFrame({"Cl": [3.0]}), ends, **asked)


def test_unlike_concentrations_are_refused() -> None:
    ends = ends_of([[1.0], [9.0]], ["Cl"], Cl_concentration=[1.0, 2.0])
    with pytest.raises(MixingError, match=r"unlike concentrations \(Cl_concentration"):
        isosource(pd.DataFrame({"Cl": [3.0]}), ends, tracers=["Cl"], tolerance=0.1)


def test_an_empty_table_has_an_empty_answer() -> None:
    ends = ends_of([[1.0], [9.0]], ["Cl"])
    water = pd.DataFrame({"Cl": np.zeros(0)})
    found = isosource(water, ends, tracers=["Cl"], tolerance=0.1)
    assert found.empty
    assert "q50" in found.columns
