"""EMMA against the golden Grafton case, the Panola catchment and plain numpy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.errors import GeosoilWarning, InputError, MixingError
from geosoil.tracers.emma import emma
from geosoil.tracers.emma_residuals import prediction_fit, residual_diagnostics
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.mixing import source_fractions

TRACERS = ["Ca", "Mg", "Na", "Cl", "SO4"]
SOURCES = ["rain", "ice", "bog"]
ENDS = np.array([[9.0, 1, 2, 5, 3], [1, 8, 2, 4, 6], [2, 2, 7, 9, 1]])


def ends_of(means=ENDS, **more) -> EndMembers:
    table = pd.DataFrame(np.asarray(means), columns=TRACERS)
    names = SOURCES if len(table) == 3 else [f"water_{k}" for k in range(len(table))]
    return EndMembers.from_table(table.assign(source=names, **more))


def planted(n=40, noise=0.0, seed=0) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(3), n)
    values = shares @ ENDS + noise * rng.standard_normal((n, 5))
    return pd.DataFrame(values, columns=TRACERS), shares


@pytest.fixture(scope="session")
def grafton(golden: Path) -> tuple[dict, pd.DataFrame]:
    folder = golden / "tracers"
    case = json.loads((folder / "emma_grafton_nh.json").read_text())
    return case, pd.read_csv(folder / case["input"])


@pytest.fixture(scope="session")
def panola(shared: Path) -> tuple[pd.DataFrame, EndMembers]:
    folder = shared / "data" / "mixing"
    ends = pd.read_csv(folder / "panola_end_members.csv")
    ends = ends.rename(columns={"End member": "source"})
    return pd.read_csv(folder / "panola_data.csv"), EndMembers.from_table(ends)


def test_golden_eigenvalues_and_loadings(grafton) -> None:
    case, table = grafton
    space = emma(table, tracers=case["species"])
    tight = {"rtol": 0.0, "atol": case["tolerance"]}
    assert space.n == case["n"]
    np.testing.assert_allclose(space.eigenvalues, case["eigenvalues"], **tight)
    np.testing.assert_allclose(space.explained, case["explained"], **tight)
    np.testing.assert_allclose(space.loadings, case["eigenvectors_columns"], **tight)
    assert space.n_components == case["rank_rules"]["rule_of_one"] == case["mescla_k"]
    np.testing.assert_allclose(space.mean, table.mean(), rtol=1e-12)
    np.testing.assert_allclose(space.sd, table.std(ddof=1), rtol=1e-12)


def test_golden_residual_diagnostics_at_every_rank(grafton) -> None:
    case, table = grafton
    found = residual_diagnostics(emma(table, tracers=case["species"]).residuals())
    for rank, wanted in case["diagnostics_by_rank"].items():
        rows = found[found["rank"] == int(rank)]
        assert rows["tracer"].tolist() == case["species"]
        pairs = {
            "relative_bias": rows["relative_bias"],
            "rrmse_hooper": rows["rrmse_hooper"],
            "rmse_over_mean": rows["rrmse_standard"],
            "residual_vs_observed_r2": rows["r"] ** 2,
        }
        assert set(pairs) == set(wanted)
        for name, values in pairs.items():
            np.testing.assert_allclose(
                values, wanted[name], rtol=0.0, atol=case["tolerance"], err_msg=name
            )


def panola_by_numpy(mixtures: np.ndarray, ends: np.ndarray):
    """Project by the singular value decomposition and solve by determinants."""
    mean, sd = mixtures.mean(axis=0), mixtures.std(axis=0, ddof=1)
    z, b = (mixtures - mean) / sd, (ends - mean) / sd
    _, singular, rows = np.linalg.svd(z, full_matrices=False)
    u, corners = z @ rows[:2].T, b @ rows[:2].T
    (x1, y1), (x2, y2), (x3, y3) = corners
    whole = (y2 - y3) * (x1 - x3) + (x3 - x2) * (y1 - y3)
    first = ((y2 - y3) * (u[:, 0] - x3) + (x3 - x2) * (u[:, 1] - y3)) / whole
    second = ((y3 - y1) * (u[:, 0] - x3) + (x1 - x3) * (u[:, 1] - y3)) / whole
    back = b @ rows[:2].T @ rows[:2] * sd + mean
    explained = singular**2 / (singular**2).sum()
    return np.c_[first, second, 1 - first - second], back, explained


def test_panola_between_its_three_published_end_members(panola) -> None:
    mixtures, ends = panola
    tracers = list(mixtures.columns)
    means = ends.means(tracers)
    wanted, back, explained = panola_by_numpy(mixtures.to_numpy(), means)
    space = emma(mixtures, tracers=tracers, n_components=2)
    np.testing.assert_allclose(space.explained, explained, atol=1e-12)
    assert space.explained[:2].sum() == pytest.approx(0.9400, abs=5e-5)
    answer = space.fractions(ends)
    sources = ["Organic", "Hillslope", "Groundwater"]
    raw = answer[[f"{name}_raw" for name in sources]].to_numpy()
    np.testing.assert_allclose(raw, wanted, atol=1e-10)
    held = answer[sources].to_numpy()
    np.testing.assert_allclose(held.sum(axis=1), 1.0, atol=1e-12)
    inside = (wanted >= 0).all(axis=1)
    np.testing.assert_array_equal(answer["reason"] == "", inside)
    np.testing.assert_allclose(held[inside], wanted[inside], atol=1e-10)
    assert (inside.sum(), len(inside)) == (557, 905)
    projected = space.project(ends)
    np.testing.assert_allclose(projected[tracers], back, atol=1e-9)
    np.testing.assert_allclose(
        projected[[f"{name}_misfit" for name in tracers]],
        100 * (back - means) / means,
        atol=1e-9,
    )
    for form, corners in (("measured", means), ("projected", back)):
        predicted = space.predict(answer, ends, form=form)
        np.testing.assert_allclose(predicted, held @ corners, atol=1e-9)
        fit = prediction_fit(mixtures, predicted)
        for tracer in tracers:
            r = np.corrcoef(mixtures[tracer], predicted[tracer])[0, 1]
            assert fit.loc[tracer, "r_squared"] == pytest.approx(r**2, abs=1e-10)
        assert fit["r_squared"].between(0.87, 0.98).all()


def test_panola_needs_one_component_by_the_rule_of_one(panola) -> None:
    mixtures, ends = panola
    space = emma(mixtures, tracers=list(mixtures.columns))
    assert space.n_components == 1
    with pytest.raises(MixingError, match=r"3 end members .* ask for 2"):
        space.fractions(ends)


def test_planted_fractions_come_back_from_the_space() -> None:
    mixtures, shares = planted()
    space = emma(mixtures, tracers=TRACERS)
    assert space.n_components == 2
    answer = space.fractions(ends_of())
    np.testing.assert_allclose(answer[SOURCES], shares, atol=1e-10)
    assert (answer["distance"] < 1e-10).all()
    assert (answer["reason"] == "").all()
    np.testing.assert_allclose(space.predict(answer, ends_of()), mixtures, atol=1e-9)
    assert (space.project(ends_of())["distance"] < 1e-9).all()


def test_unconstrained_projection_predicts_what_the_components_give_back() -> None:
    mixtures, _ = planted(noise=0.4)
    space = emma(mixtures, tracers=TRACERS, n_components=2)
    answer = space.fractions(ends_of(), constraint="none")
    predicted = space.predict(answer, ends_of(), form="projected")
    rows = space.residuals(2)
    wanted = rows.pivot_table(index=rows.index, columns="tracer", values="projected")
    np.testing.assert_allclose(predicted, wanted[TRACERS], atol=1e-9)


def test_a_mixture_outside_goes_to_the_nearest_point_of_the_triangle() -> None:
    mixtures, _ = planted(noise=0.5, seed=3)
    space = emma(mixtures, tracers=TRACERS, n_components=2)
    answer = space.fractions(ends_of())
    corners = space.project(ends_of())[["U1", "U2"]].to_numpy()
    outside = (answer["reason"] == "outside mixing space").to_numpy()
    assert 0 < outside.sum() < len(outside)
    held = answer[SOURCES].to_numpy()
    gap = np.linalg.norm(space.scores - held @ corners, axis=1)
    np.testing.assert_allclose(answer["distance"], gap, atol=1e-10)
    edges = [(0, 1), (1, 2), (2, 0)]
    for place in np.flatnonzero(outside):
        point = space.scores.to_numpy()[place]
        best = min(_to_segment(point, corners[i], corners[j]) for i, j in edges)
        assert gap[place] == pytest.approx(best, abs=1e-9)


def _to_segment(point, start, end) -> float:
    along = np.clip((point - start) @ (end - start) / ((end - start) ** 2).sum(), 0, 1)
    return float(np.linalg.norm(point - start - along * (end - start)))


def test_sd_of_fractions_is_that_of_random_end_members_and_mixtures() -> None:
    mixtures, _ = planted(n=12)
    sd = {f"{tracer}_sd": 0.02 * (k + 1) for k, tracer in enumerate(TRACERS)}
    ends = ends_of(**sd)
    space = emma(mixtures.assign(**sd), tracers=TRACERS, n_components=2)
    answer = space.fractions(ends)
    rng = np.random.default_rng(5)
    size = np.array(list(sd.values()))
    turn = space.loadings.to_numpy()[:, :2] / space.sd.to_numpy()[:, None]
    draws = []
    for _ in range(3000):
        corners = (ENDS + size * rng.standard_normal(ENDS.shape)) @ turn
        point = (mixtures.to_numpy()[0] + size * rng.standard_normal(5)) @ turn
        matrix = np.c_[corners, np.ones(3)].T
        draws.append(np.linalg.solve(matrix, np.r_[point, 1.0]))
    found = answer[[f"{name}_sd" for name in SOURCES]].to_numpy()[0]
    np.testing.assert_allclose(found, np.std(draws, axis=0), rtol=0.06)


def test_no_spread_gives_no_sd() -> None:
    mixtures, _ = planted()
    answer = emma(mixtures, tracers=TRACERS).fractions(ends_of())
    assert answer[[f"{name}_sd" for name in SOURCES]].isna().all(axis=None)


def test_rows_with_a_gap_keep_their_place_and_do_not_count() -> None:
    mixtures, shares = planted()
    holed = mixtures.copy()
    holed.index = pd.Index([f"s{k}" for k in range(40)], name="sample_id")
    holed.iloc[3, 1] = np.nan
    holed.iloc[7, 4] = np.inf
    space = emma(holed, tracers=TRACERS)
    assert space.dropped.to_dict() == {"s3": "missing tracer", "s7": "missing tracer"}
    assert space.n == 38
    whole = emma(mixtures.drop(index=[3, 7]), tracers=TRACERS)
    np.testing.assert_allclose(space.eigenvalues, whole.eigenvalues, atol=1e-12)
    answer = space.fractions(ends_of())
    assert answer.index.equals(holed.index)
    assert answer.loc[["s3", "s7"], SOURCES].isna().all(axis=None)
    kept = answer[answer["reason"] == ""]
    assert len(kept) == 38
    np.testing.assert_allclose(kept[SOURCES], np.delete(shares, [3, 7], 0), atol=1e-9)
    assert space.scores.loc["s3"].isna().all()


@settings(max_examples=25)
@given(
    st.lists(st.floats(0.01, 100.0), min_size=5, max_size=5),
    st.lists(st.floats(-50.0, 50.0), min_size=5, max_size=5),
    st.integers(0, 1000),
)
def test_units_zeros_and_order_change_no_fraction(scale, shift, seed) -> None:
    mixtures, _ = planted(n=15, noise=0.3)
    space = emma(mixtures, tracers=TRACERS, n_components=2)
    order = np.random.default_rng(seed).permutation(15)
    other = (mixtures * scale + shift).iloc[order]
    turned = emma(other, tracers=TRACERS[::-1], n_components=2)
    plain = space.fractions(ends_of())
    moved = turned.fractions(ends_of(ENDS * scale + shift)).sort_index()
    np.testing.assert_allclose(moved[SOURCES], plain[SOURCES], atol=1e-7)
    np.testing.assert_allclose(turned.eigenvalues, space.eigenvalues, atol=1e-8)


def test_the_largest_loading_of_each_component_is_positive() -> None:
    loadings = emma(planted(noise=0.4)[0], tracers=TRACERS, n_components=2).loadings
    largest = loadings.abs().idxmax()
    assert all(loadings.loc[largest[name], name] > 0 for name in loadings.columns)
    np.testing.assert_allclose(loadings.T @ loadings, np.eye(5), atol=1e-12)


def test_all_components_but_one_still_agree_with_source_fractions() -> None:
    """Four exact sources of four tracers: the space holds all that tracers hold."""
    rng = np.random.default_rng(4)
    ends = rng.uniform(1, 9, (4, 4))
    values = rng.dirichlet(np.ones(4), 30) @ ends
    tracers = TRACERS[:4]
    mixtures = pd.DataFrame(values, columns=tracers)
    table = pd.DataFrame(ends, columns=tracers).assign(source=list("abcd"))
    sources = EndMembers.from_table(table)
    with pytest.warns(GeosoilWarning, match="No spread"):
        wanted = source_fractions(mixtures, sources, tracers=tracers)
    found = emma(mixtures, tracers=tracers, n_components=3).fractions(sources)
    np.testing.assert_allclose(found[list("abcd")], wanted[list("abcd")], atol=1e-8)


def test_two_tracers_are_sent_to_source_fractions() -> None:
    mixtures, _ = planted()
    with pytest.raises(MixingError, match=r"PCA adds nothing with 2 tracers .*Ca, Mg"):
        emma(mixtures, tracers=["Ca", "Mg"])
    soil = pd.DataFrame({"d18O": [-12.0, -11.0], "d2H": [-90.0, -85.0]})
    with pytest.raises(MixingError, match="not independent"):
        emma(soil, tracers=["d18O", "d2H", "d_excess"])


@pytest.mark.parametrize("n_components", [0, 5, 6, 1.5])
def test_a_number_of_components_that_adds_nothing_is_refused(n_components) -> None:
    with pytest.raises(MixingError, match=f"{n_components} given of 5"):
        emma(planted()[0], tracers=TRACERS, n_components=n_components)


def test_every_fault_of_the_mixtures_is_named_at_once() -> None:
    mixtures = planted(n=5)[0].assign(Na=3.0, Cl=-1e6)
    with pytest.raises(MixingError) as error:
        emma(mixtures, tracers=TRACERS)
    words = str(error.value)
    assert "5 of 5 mixtures" in words
    assert "at least 6" in words
    assert "Constant tracer Na, Cl" in words
    with pytest.raises(MixingError, match="0 of 0 mixtures"):
        emma(mixtures.iloc[:0], tracers=TRACERS)


def test_wrong_end_members_are_named() -> None:
    space = emma(planted()[0], tracers=TRACERS, n_components=2)
    with pytest.raises(MixingError, match=r"2 end members .*rain, ice.* ask for 3"):
        space.fractions(ends_of().keep(["rain", "ice"]))
    line = np.array([ENDS[0], ENDS[1], (ENDS[0] + ENDS[1]) / 2])
    with pytest.raises(MixingError, match="Collinear end members rain, ice, bog in U1"):
        space.fractions(ends_of(line))
    with pytest.raises(MixingError, match="Equal end members in U1, U2: rain and ice"):
        space.fractions(ends_of(ENDS[[0, 0, 2]]))
    lacking = ENDS.copy()
    lacking[1, 2] = np.nan
    with pytest.raises(MixingError, match="for ice"):
        space.project(ends_of(lacking))
    strata = EndMembers.from_table(ends_of().table.assign(period="June"))
    with pytest.raises(MixingError, match=r"given by period.*select"):
        space.project(strata)
    with pytest.raises(MixingError, match=r"given by period.*select"):
        space.fractions(strata)


def test_nearly_collinear_end_members_call_for_caution() -> None:
    space = emma(planted()[0], tracers=TRACERS, n_components=2)
    near = ENDS.copy()
    near[2] = (ENDS[0] + ENDS[1]) / 2 + 0.005 * (ENDS[2] - ENDS[0])
    with pytest.warns(GeosoilWarning, match=r"nearly collinear in U1, U2"):
        space.fractions(ends_of(near))


def test_unknown_words_are_refused() -> None:
    mixtures, _ = planted()
    space = emma(mixtures, tracers=TRACERS, n_components=2)
    answer = space.fractions(ends_of())
    with pytest.raises(InputError, match="constraint 'box'"):
        space.fractions(ends_of(), constraint="box")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="form 'raw'"):
        space.predict(answer, ends_of(), form="raw")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="missing column bog"):
        space.predict(answer.drop(columns="bog"), ends_of())
    with pytest.raises(InputError, match="rule 'scree'"):
        emma(mixtures, tracers=TRACERS, rule="scree")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="give rng"):
        emma(mixtures, tracers=TRACERS, rule="parallel_analysis")
    with pytest.raises(InputError, match="n_components is 6; give 1 to 5"):
        space.residuals(6)
    with pytest.raises(InputError, match="missing column Li"):
        emma(mixtures, tracers=[*TRACERS, "Li"])


def test_misfit_of_an_end_member_measured_as_zero_is_missing() -> None:
    space = emma(planted()[0], tracers=TRACERS, n_components=2)
    zero = ENDS.copy()
    zero[0, 0] = 0.0
    found = space.project(ends_of(zero))
    assert np.isnan(found.loc["rain", "Ca_misfit"])
    assert np.isfinite(found.loc["ice", "Ca_misfit"])
    assert found["distance"].notna().all()


def test_relative_distance_is_the_sine_of_the_angle_to_the_space() -> None:
    mixtures, _ = planted(noise=0.3)
    space = emma(mixtures, tracers=TRACERS, n_components=2)
    parts = space.components.parts
    beyond = parts.mean + parts.sd * parts.loadings[:, 4]
    within = parts.mean + parts.sd * parts.loadings[:, 0]
    found = space.project(ends_of([beyond, within, parts.mean]))
    np.testing.assert_allclose(found["relative_distance"], [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(found["distance"], [1, 0, 0], atol=1e-12)


def test_the_answer_cannot_be_changed() -> None:
    space = emma(planted()[0], tracers=TRACERS)
    with pytest.raises(AttributeError):
        space.n_components = 3  # type: ignore[misc]
