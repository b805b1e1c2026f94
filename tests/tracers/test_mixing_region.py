"""Whether mixtures lie within their sources, against other hulls and plain loops."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import Delaunay

from geosoil.errors import InputError, MixingError
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.mixing import source_fractions
from geosoil.tracers.mixing_region import mixing_region
from geosoil.tracers.mixing_region_groups import mixing_region_groups

BOTH = ["d18O", "d2H"]


def generator(seed=1) -> np.random.Generator:
    return np.random.default_rng(seed)


def triangle(**columns) -> EndMembers:
    table = pd.DataFrame(
        {
            "source": ["precipitation", "ground_ice", "snowmelt"],
            "d18O": [-11.2, -14.9, -17.4],
            "d2H": [-80.1, -120.2, -128.4],
            "d18O_sd": [0.9, 0.7, 1.2],
            "d2H_sd": [7.0, 6.0, 9.5],
            "d18O_d2H_cov": [5.9, 3.9, 10.9],
        }
    )
    return EndMembers.from_table(table.assign(**columns))


def cloud(n=200, seed=3) -> pd.DataFrame:
    rng = generator(seed)
    d18O = rng.normal(-14, 2, n)
    return pd.DataFrame({"d18O": d18O, "d2H": 8 * d18O + rng.normal(4, 6, n)})


def test_inside_is_that_of_a_triangulation_and_of_geometry() -> None:
    soil, ends = cloud(), triangle()
    region = mixing_region(soil, ends, rng=generator())
    corners = ends.means(BOTH)
    expected = Delaunay(corners).find_simplex(soil.to_numpy()) >= 0
    assert 20 < expected.sum() < 180
    assert region["inside"].tolist() == expected.tolist()
    polygon = shapely.Polygon(corners)
    covered = shapely.covers(polygon, shapely.points(soil.to_numpy()))
    assert region["inside"].tolist() == covered.tolist()
    assert set(region["test"]) == {"hull"}
    assert region["inside"].tolist() == (region["outside_words"] == "").tolist()


@pytest.mark.parametrize("n_tracers", [1, 2, 3])
def test_inside_of_as_many_sources_as_tracers_can_tell(n_tracers) -> None:
    rng = generator(n_tracers)
    names = [f"t{place}" for place in range(n_tracers)]
    corners = rng.normal(size=(n_tracers + 1, n_tracers))
    table = pd.DataFrame(corners, columns=names).assign(
        source=[f"s{place}" for place in range(n_tracers + 1)],
        **{f"{name}_sd": 0.3 for name in names},
    )
    points = rng.normal(scale=0.6, size=(300, n_tracers))
    region = mixing_region(
        pd.DataFrame(points, columns=names),
        EndMembers.from_table(table),
        rng=rng,
        tracers=names,
        n_draws=5,
    )
    if n_tracers == 1:
        expected = (points >= corners.min()) & (points <= corners.max())
        expected = expected[:, 0]
    else:
        expected = Delaunay(corners).find_simplex(points) >= 0
    assert 0 < expected.sum() < 300
    assert region["inside"].tolist() == expected.tolist()


def test_more_sources_than_tracers_can_tell_apart_have_a_hull_too() -> None:
    rng = generator(5)
    corners = rng.normal(size=(6, 2)) * [2, 16]
    table = pd.DataFrame(corners, columns=BOTH).assign(
        source=list("abcdef"), d18O_sd=0.3, d2H_sd=2.0
    )
    points = pd.DataFrame(rng.normal(size=(300, 2)) * [2, 16], columns=BOTH)
    region = mixing_region(points, EndMembers.from_table(table), rng=rng, n_draws=200)
    expected = shapely.covers(
        shapely.MultiPoint(corners).convex_hull, shapely.points(points.to_numpy())
    )
    assert region["inside"].tolist() == expected.tolist()
    assert (region["distance"] > 0).tolist() == (~expected).tolist()
    deep = region["inside_probability"][expected].mean()
    assert deep > 0.8 > region["inside_probability"][~expected].mean()


def test_probability_is_the_share_of_drawn_triangles() -> None:
    soil, ends = cloud(40), triangle()
    n_draws = 4000
    region = mixing_region(soil, ends, rng=generator(), n_draws=n_draws)
    rng, means = np.random.default_rng(99), ends.means(BOTH)
    covariances = ends.covariances(BOTH)
    points = shapely.points(soil.to_numpy())
    hits = np.zeros(len(soil))
    for _ in range(n_draws):
        corners = [
            rng.multivariate_normal(mean, spread)
            for mean, spread in zip(means, covariances, strict=True)
        ]
        hits += shapely.covers(shapely.Polygon(corners), points)
    expected = hits / n_draws
    # Two independent counts differ by sqrt(2 p q / n); five of these are allowed.
    allowed = 5 * np.sqrt(2 * np.maximum(expected * (1 - expected), 1e-3) / n_draws)
    assert (np.abs(region["inside_probability"] - expected) < allowed).all()
    assert region["inside_probability"].between(0.1, 0.9).sum() > 8


def test_probability_of_one_tracer_is_that_of_two_normals() -> None:
    ends = EndMembers.from_table(
        pd.DataFrame({"source": ["a", "b"], "Cl": [1.0, 9.0], "Cl_sd": [1.0, 2.0]})
    )
    points = np.array([-1.0, 1.0, 2.0, 6.0, 9.0, 12.0])
    region = mixing_region(
        pd.DataFrame({"Cl": points}),
        ends,
        rng=generator(),
        tracers=["Cl"],
        n_draws=40_000,
    )
    low, high = stats.norm(1, 1).cdf(points), stats.norm(9, 2).cdf(points)
    expected = low * (1 - high) + high * (1 - low)
    np.testing.assert_allclose(region["inside_probability"], expected, atol=0.0125)


def test_the_draws_are_worked_on_in_chunks_alike(monkeypatch) -> None:
    soil, ends = cloud(30), triangle()
    whole = mixing_region(soil, ends, rng=generator(), n_draws=300)
    monkeypatch.setattr("geosoil.tracers._kernels_hull.CHUNK", 500)
    parts = mixing_region(soil, ends, rng=generator(), n_draws=300)
    pd.testing.assert_frame_equal(whole, parts)


def test_distance_and_nearest_point_are_those_of_the_fractions() -> None:
    soil, ends = cloud().assign(d18O_sd=0.1, d2H_sd=0.6), triangle()
    region = mixing_region(soil, ends, rng=generator(), n_draws=10)
    answer = source_fractions(soil, ends)
    np.testing.assert_allclose(region["distance"], answer["distance"], atol=1e-9)
    nearest = answer[list(ends.sources)].to_numpy() @ ends.means(BOTH)
    np.testing.assert_allclose(
        region[["d18O_nearest", "d2H_nearest"]], nearest, atol=1e-8
    )


def test_isotopes_and_d_excess_tell_the_same_region() -> None:
    soil, ends = cloud(), triangle()
    both = mixing_region(soil, ends, rng=generator(), n_draws=2000)
    other = mixing_region(
        soil, ends, rng=generator(2), n_draws=2000, tracers=["d18O", "d_excess"]
    )
    assert both["inside"].tolist() == other["inside"].tolist()
    np.testing.assert_allclose(both["distance"], other["distance"], atol=1e-6)
    np.testing.assert_allclose(
        both["inside_probability"], other["inside_probability"], atol=0.08
    )


def test_the_side_is_named() -> None:
    soil = pd.DataFrame(
        {"d18O": [-14.0, -12.0, -9.0, -17.0], "d2H": [-106.0, -103.0, -55.0, -119.0]}
    )
    words = mixing_region(soil, triangle(), rng=generator())["outside_words"].tolist()
    assert words[0] == ""
    assert words[1].startswith("beyond the precipitation-ground_ice edge, by ")
    assert words[2].startswith("beyond precipitation, by ")
    assert words[3].startswith("beyond the precipitation-snowmelt edge, by ")
    assert all(word.endswith(" SD") for word in words[1:])


def test_two_sources_in_two_tracers_are_tested_by_their_distance() -> None:
    ends = triangle().keep(["precipitation", "ground_ice"])
    means = ends.means(BOTH)
    between = 0.4 * means[0] + 0.6 * means[1]
    beyond = means[0] + 2 * (means[0] - means[1])
    soil = pd.DataFrame([between, between + np.array([0.0, 7.0]), beyond], columns=BOTH)
    region = mixing_region(soil, ends, rng=generator())
    assert set(region["test"]) == {"distance"}
    assert region["inside"].tolist() == [True, False, False]
    assert region["inside_probability"][0] == pytest.approx(1.0)
    answer = source_fractions(soil, ends)
    np.testing.assert_allclose(region["distance"], answer["distance"], atol=1e-9)
    assert region["inside_probability"][1] == pytest.approx(
        stats.chi2.sf(answer["distance"][1] ** 2, 1), rel=1e-9
    )
    # Beyond an end the nearest point is one source: nothing was fitted.
    assert region["inside_probability"][2] == pytest.approx(
        stats.chi2.sf(answer["distance"][2] ** 2, 2), rel=1e-9, abs=0.0
    )
    words = region["outside_words"].tolist()
    assert words[1].startswith("off the precipitation-ground_ice line, by ")
    assert words[2].startswith("beyond precipitation, by ")


def test_mixtures_of_a_segment_are_refused_as_often_as_said() -> None:
    ends = triangle().keep(["precipitation", "ground_ice"])
    rng = generator(8)
    means, spread = ends.means(BOTH), ends.covariances(BOTH)
    n = 4000
    draws = [
        rng.multivariate_normal(mean, cov, n)
        for mean, cov in zip(means, spread, strict=True)
    ]
    soil = pd.DataFrame(0.5 * draws[0] + 0.5 * draws[1], columns=BOTH)
    region = mixing_region(soil, ends, rng=rng)
    assert 0.04 < 1 - region["inside"].astype(float).mean() < 0.065


def test_strata_and_allowed_sources_have_their_own_regions() -> None:
    table = pd.concat(
        [
            triangle().table.assign(period="June"),
            triangle().table.assign(period="August")[:2],
        ]
    )
    ends = EndMembers.from_table(table)
    soil = pd.DataFrame(
        {
            "period": ["June", "June", "August", "September"],
            "d18O": -14.0,
            "d2H": -106.0,
            "snowmelt_allowed": [True, False, True, True],
        }
    )
    region = mixing_region(soil, ends, rng=generator(), by=["period"])
    assert region["test"].tolist() == ["hull", "distance", "distance", ""]
    assert region["period"].tolist() == soil["period"].tolist()
    assert region["distance"][1] == region["distance"][2]
    assert region["reason"][3].startswith("No end members for period September")
    assert region["inside"].isna().tolist() == [False, False, False, True]


def test_mixtures_that_cannot_be_tested_keep_their_reason() -> None:
    soil = pd.DataFrame(
        {
            "d18O": [-14.0, np.nan, -14.0, -14.0],
            "d2H": [-106.0, -106.0, -106.0, -106.0],
            "precipitation_allowed": [True, True, False, False],
            "ground_ice_allowed": [True, True, False, False],
            "snowmelt_allowed": [True, True, True, False],
        },
        index=list("abcd"),
    )
    region = mixing_region(soil, triangle(), rng=generator())
    assert region.index.tolist() == list("abcd")
    assert region["reason"].tolist() == [
        "",
        "missing tracer",
        "fewer than two end members",
        "no source allowed",
    ]
    assert region["inside"].notna().tolist() == [True, False, False, False]
    assert region["inside_probability"].notna().tolist() == [True, False, False, False]
    assert region["distance"].notna().tolist() == [True, False, False, False]


def test_without_spread_there_is_no_probability() -> None:
    table = triangle().table[["source", *BOTH]]
    ends = EndMembers.from_table(table)
    region = mixing_region(cloud(20), ends, rng=generator())
    assert region["inside"].notna().all()
    assert region["inside_probability"].isna().all()
    assert region["distance"].isna().all()
    assert set(region["reason"]) == {"no spread of end members: no probability"}
    outside = region["outside_words"][~region["inside"].astype(bool)]
    assert not outside.str.contains("SD").any()
    line = mixing_region(
        cloud(20), ends.keep(["snowmelt", "ground_ice"]), rng=generator()
    )
    assert line["inside"].isna().all()
    assert set(line["reason"]) == {"no spread of end members: no probability"}


def test_a_source_of_unknown_spread_is_told() -> None:
    ends = triangle(
        d18O_sd=[0.9, 0.7, np.nan],
        d2H_sd=[7.0, 6.0, np.nan],
        d18O_d2H_cov=[5.9, 3.9, np.nan],
    )
    region = mixing_region(cloud(5), ends, rng=generator())
    assert set(region["reason"]) == {"spread of snowmelt unknown: counts as none"}
    assert region["inside_probability"].notna().all()


def test_bad_end_members_are_named_with_all_their_strata() -> None:
    table = pd.concat(
        [
            triangle().table.assign(period="June"),
            triangle(
                d18O=[-10.0, -12.0, -14.0], d2H=[-70.0, -86.0, -102.0]
            ).table.assign(period="August"),
            triangle(
                d18O=[-10.0, -10.0, -14.0], d2H=[-70.0, -70.0, -110.0]
            ).table.assign(period="September"),
        ]
    )
    ends = EndMembers.from_table(table)
    soil = pd.DataFrame(
        {"period": ["June", "August", "September"], "d18O": -12.0, "d2H": -90.0}
    )
    with pytest.raises(MixingError) as error:
        mixing_region(soil, ends, rng=generator())
    words = str(error.value)
    assert "period August: Collinear end members precipitation, ground_ice, s" in words
    assert "period September: Equal end members" in words
    assert "June" not in words
    flat = EndMembers.from_table(
        pd.DataFrame(
            {"source": list("abcd"), "d18O": [-10.0, -12, -14, -16], "d2H": range(4)}
        )
    )
    with pytest.raises(MixingError, match="a, b, c, d span no region in d18O, d2H"):
        mixing_region(soil, flat, rng=generator())
    lone = triangle(d2H_sd=0.0, d18O_d2H_cov=0.0)
    with pytest.raises(MixingError, match="No spread for tracer d2H"):
        mixing_region(soil, lone, rng=generator())


def test_golden_mixtures_on_a_corner_and_an_edge_are_inside(golden) -> None:
    text = (golden / "tracers" / "degenerate_inputs.json").read_text()
    cases = {case["name"]: case for case in json.loads(text)["cases"]}
    for name in ("mixture equals an end member", "mixture on an edge"):
        case = cases[name]
        table = pd.DataFrame(case["sources"], columns=["d18O", "d_excess"]).assign(
            source=list("abc"), d18O_sd=0.5, d_excess_sd=1.0
        )
        soil = pd.DataFrame([case["mix"]], columns=["d18O", "d_excess"])
        region = mixing_region(
            soil,
            EndMembers.from_table(table),
            rng=generator(),
            tracers=["d18O", "d_excess"],
        )
        assert region["inside"].tolist() == [True]
        assert region["distance"].tolist() == [0.0]


numbers = st.floats(-3, 3)


@settings(max_examples=20)
@given(
    corners=st.lists(st.tuples(numbers, numbers), min_size=3, max_size=3),
    turn=st.tuples(st.floats(0.3, 3), st.floats(-2, 2), st.floats(0.3, 3)),
    shift=st.tuples(numbers, numbers),
    order=st.permutations([0, 1, 2]),
    seed=st.integers(0, 1000),
)
def test_inside_knows_neither_units_nor_the_order_of_sources(
    corners, turn, shift, order, seed
) -> None:
    corners = np.array(corners)
    edges = corners[1:] - corners[0]
    assume(abs(np.linalg.det(edges)) > 0.1)
    points = np.random.default_rng(seed).normal(scale=2, size=(20, 2))
    matrix = np.array([[turn[0], turn[1]], [0.0, turn[2]]])
    answers = []
    for rows, change in ((range(3), False), (order, False), (range(3), True)):
        used, seen = corners[list(rows)], points
        if change:
            used, seen = used @ matrix + shift, seen @ matrix + shift
        table = pd.DataFrame(used, columns=["x", "y"]).assign(source=list("abc"))
        region = mixing_region(
            pd.DataFrame(seen, columns=["x", "y"]),
            EndMembers.from_table(table),
            rng=generator(),
            tracers=["x", "y"],
        )
        answers.append(region["inside"].tolist())
    # Points on the border to rounding may fall either way.
    border = shapely.distance(shapely.Polygon(corners).exterior, shapely.points(points))
    clear = border > 1e-6
    for other in answers[1:]:
        assert [a for a, c in zip(answers[0], clear, strict=True) if c] == [
            b for b, c in zip(other, clear, strict=True) if c
        ]


def test_groups_count_their_mixtures_and_test_their_mean() -> None:
    ends = triangle()
    soil = cloud(60).assign(
        period=["June", "August", "September"] * 20,
        site_id=np.repeat(np.arange(20), 3),
    )
    soil.loc[0, "d2H"] = np.nan
    groups = mixing_region_groups(soil, ends, ["period"], rng=generator())
    region = mixing_region(soil, ends, rng=generator())
    assert groups["period"].tolist() == ["June", "August", "September"]
    for _, row in groups.iterrows():
        own = region[(soil["period"] == row["period"]).to_numpy()]
        water = soil[soil["period"] == row["period"]].dropna()[BOTH]
        assert row["n"] == 20
        assert row["n_tested"] == len(water)
        assert row["n_inside"] == own["inside"].sum()
        assert row["n_inside"] + row["n_outside"] == row["n_tested"]
        assert row["share_inside"] == row["n_inside"] / len(water)
        assert row["n_probable"] == (own["inside_probability"] >= 0.05).sum()
        assert row["share_probable"] == row["n_probable"] / len(water)
        mean = shapely.Point(water.mean())
        inside = shapely.Polygon(ends.means(BOTH)).covers(mean)
        assert row["mean_inside"] == inside
        assert (row["mean_distance"] == 0) == inside
        assert (row["mean_outside_words"] == "") == inside
        assert row["mean_inside_probability"] > 0.05
        assert row["reason"] == ""


def test_a_group_of_several_strata_has_no_mean() -> None:
    table = pd.concat(
        [triangle().table.assign(period=name) for name in ("June", "August")]
    )
    soil = cloud(10).assign(period=["June", "August"] * 5)
    groups = mixing_region_groups(
        soil, EndMembers.from_table(table), [], rng=generator(), n_draws=20
    )
    assert groups["n_tested"].tolist() == [10]
    assert groups["mean_inside"].isna().all()
    assert groups["reason"].tolist() == ["group spans several period"]
    with pytest.raises(InputError, match="No mixtures to test"):
        mixing_region_groups(soil[:0], triangle(), [], rng=generator())


def test_a_thousand_mixtures_raise_no_warning_of_numbers() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        region = mixing_region(cloud(1000), triangle(), rng=generator(), n_draws=500)
    assert np.isfinite(region["inside_probability"]).all()
