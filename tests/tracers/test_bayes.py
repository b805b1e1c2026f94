"""The Bayesian mixing model against other programs, closed forms and brute force."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from geosoil.errors import InputError, MixingError
from geosoil.tracers.bayes import bayes_fractions
from geosoil.tracers.bayes_model import MixingModel, SamplerSettings
from geosoil.tracers.bayes_posterior import FractionPosterior
from geosoil.tracers.bayes_prior import FractionPrior
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.evaporation_prior import EvaporationPrior

WATERS = pd.DataFrame(
    {
        "source": ["rain", "ice", "snow"],
        "d18O": [-11.2, -14.9, -16.4],
        "d2H": [-80.1, -120.2, -118.4],
        "d18O_sd": [0.9, 0.7, 1.2],
        "d2H_sd": [7.0, 5.5, 9.0],
        "d18O_d2H_cov": [5.9, 3.6, 10.0],
        "n": [32, 28, 26],
    }
)
ENDS = EndMembers.from_table(WATERS)
# For what holds in every draw, converged or not.
QUICK = SamplerSettings(
    method="ensemble", n_draws=500, warm_up=100, block=400, r_hat=1.2, ess=50.0
)


def soil_water(n: int = 15, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = rng.multivariate_normal([-12.6, -94.0], [[0.5, 3.5], [3.5, 30.0]], size=n)
    return pd.DataFrame(values, columns=["d18O", "d2H"])


def answer(mixtures: pd.DataFrame, ends: EndMembers = ENDS, **options):
    rng = np.random.default_rng(options.pop("seed", 1))
    return bayes_fractions(mixtures, ends, rng=rng, **options)


def shares_of(posterior: FractionPosterior) -> np.ndarray:
    return posterior.draws.values  # noqa: PD011


def simmr_case(case: dict) -> tuple[pd.DataFrame, EndMembers, tuple[str, ...]]:
    data = case["data"]
    tracers = tuple(f"t{j}" for j in range(data["J"]))
    table = pd.DataFrame({"source": case["sources"]})
    endings = {
        "": "s_mean",
        "_sd": "s_sd",
        "_correction": "c_mean",
        "_correction_sd": "c_sd",
        "_concentration": "q",
    }
    for place, tracer in enumerate(tracers):
        for ending, key in endings.items():
            table[tracer + ending] = np.array(data[key], dtype=float)[:, place]
    mixtures = pd.DataFrame(data["y"], columns=list(tracers))
    return mixtures, EndMembers.from_table(table), tracers


@pytest.mark.parametrize(
    "name",
    [
        "simmr_data1",
        pytest.param("simmr_data2", marks=pytest.mark.slow),
        pytest.param("simmr_square", marks=pytest.mark.slow),
    ],
)
def test_ensemble_gives_the_exact_posterior_of_simmr(shared: Path, name: str) -> None:
    case = json.loads((shared / f"golden/tracers/{name}.json").read_text())
    mixtures, ends, tracers = simmr_case(case)
    model = MixingModel(
        tracers=tracers,
        prior=FractionPrior("softmax"),
        residual="gamma_simmr",
        process="sum_of_squares",
        sources="fixed",
        covariance="diagonal",
    )
    sampler = SamplerSettings(n_draws=10_000, ess=9000.0)
    found = answer(mixtures, ends, model=model, sampler=sampler)
    shares = shares_of(found)[:, 0]
    within = case["tolerance"]
    for place, source in enumerate(case["sources"]):
        wanted = case["expected_exact"][source]
        own = shares[:, place]
        assert own.mean() == pytest.approx(wanted["mean"], abs=within["mean"])
        assert own.std() == pytest.approx(wanted["sd"], abs=within["sd"])
        levels = {"q025": 0.025, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q975": 0.975}
        for key, level in levels.items():
            quantile = np.quantile(own, level)
            assert quantile == pytest.approx(wanted[key], abs=within["quantile"])
    for place, tracer in enumerate(tracers):
        residual = found.parameters[f"residual_sd_{tracer}"][:, 0]
        assert np.median(residual) == pytest.approx(
            case["sigma"][place]["q50"], abs=0.04
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "process", "residual"),
    [
        ("resid_TRUE_process_TRUE", "product", "none"),
        ("resid_FALSE_process_TRUE", "sum_of_squares", "none"),
        ("resid_TRUE_process_FALSE", "none", "inverse_wishart"),
    ],
)
def test_uncertain_source_means_agree_with_mixsiar(
    shared: Path, key: str, process: str, residual: str
) -> None:
    path = shared / "golden/tracers/mixsiar_killerwhale.json"
    case = json.loads(path.read_text())
    tracers, names = tuple(case["tracers"]), case["sources"]
    table = pd.DataFrame(
        {"source": names, "n": [case["source_n"][name] for name in names]}
    )
    for place, tracer in enumerate(tracers):
        table[tracer] = [case["source_mean"][name][place] for name in names]
        table[f"{tracer}_sd"] = [case["source_sd"][name][place] for name in names]
        table[f"{tracer}_correction"] = case["discrimination_mean"][place]
        table[f"{tracer}_correction_sd"] = case["discrimination_sd"][place]
    model = MixingModel(
        tracers=tracers, residual=residual, process=process, covariance="diagonal"
    )
    mixtures = pd.DataFrame(case["mix"], columns=list(tracers))
    found = answer(mixtures, EndMembers.from_table(table), model=model)
    shares = shares_of(found)[:, 0]
    rows = [row for row in case["posterior"][key] if "p.global" in row["_row"]]
    wanted = np.array([[row["mean"], row["sd"]] for row in rows])
    np.testing.assert_allclose(
        shares.mean(axis=0), wanted[:, 0], atol=case["tolerance"]["mean"]
    )
    np.testing.assert_allclose(
        shares.std(axis=0), wanted[:, 1], atol=case["tolerance"]["sd"]
    )


@pytest.mark.parametrize("method", ["quadrature", "ensemble"])
def test_two_known_sources_and_a_known_error_give_a_cut_normal(method: str) -> None:
    # mean of 4 mixtures 3.0 with sd 2 / sqrt(4); f = (9 - y) / 8 has sd 1 / 8.
    ends = EndMembers.from_table(
        pd.DataFrame({"source": ["rain", "ice"], "Cl": [1.0, 9.0]})
    )
    mixtures = pd.DataFrame({"Cl": [2.0, 1.0, 3.0, 2.0], "Cl_sd": [2.0] * 4})
    model = MixingModel(tracers=("Cl",), residual="none", sources="fixed")
    sampler = SamplerSettings(n_draws=8000, method=method, ess=6000.0)
    found = answer(mixtures, ends, model=model, sampler=sampler)
    rain = shares_of(found)[:, 0, 0]
    centre, sd = 7.0 / 8.0, 1.0 / 8.0
    wanted = stats.truncnorm((0 - centre) / sd, (1 - centre) / sd, centre, sd)
    assert rain.mean() == pytest.approx(wanted.mean(), abs=0.004)
    assert rain.std() == pytest.approx(wanted.std(), abs=0.003)
    for level in (0.05, 0.5, 0.95):
        assert np.quantile(rain, level) == pytest.approx(wanted.ppf(level), abs=0.008)


@pytest.mark.parametrize(
    "prior",
    [
        FractionPrior(),
        FractionPrior("softmax", mean={"ice": 1.0}, sd={"snow": 0.5}),
        pytest.param(
            FractionPrior(concentration={"rain": 3.0, "snow": 0.7}, caps={"snow": 0.2}),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["dirichlet", "softmax", "caps"],
)
def test_ensemble_and_quadrature_agree(prior: FractionPrior) -> None:
    model = MixingModel(prior=prior)
    shares, residual = [], []
    for method in ("quadrature", "ensemble"):
        sampler = SamplerSettings(n_draws=8000, method=method, ess=6000.0)
        found = answer(soil_water(), model=model, sampler=sampler)
        shares.append(shares_of(found)[:, 0])
        residual.append(found.parameters["residual_sd_d2H"][:, 0])
        assert set(found.diagnostics["method"]) == {method}
    np.testing.assert_allclose(
        shares[0].mean(axis=0), shares[1].mean(axis=0), atol=0.005
    )
    np.testing.assert_allclose(shares[0].std(axis=0), shares[1].std(axis=0), atol=0.005)
    assert residual[0].mean() == pytest.approx(residual[1].mean(), rel=0.02)
    assert residual[0].std() == pytest.approx(residual[1].std(), rel=0.06)


def test_error_of_a_source_does_not_fall_with_the_number_of_mixtures() -> None:
    few = shares_of(answer(soil_water(20)))[:, 0, 0].std()
    many = shares_of(answer(soil_water(2000)))[:, 0, 0].std()
    known = answer(soil_water(2000), model=MixingModel(sources="fixed"))
    assert many > 0.4 * few
    assert shares_of(known)[:, 0, 0].std() < 0.3 * many


def test_a_forbidden_source_is_exactly_zero_in_its_group() -> None:
    soil = pd.concat([soil_water(), soil_water(seed=4)], ignore_index=True)
    soil["band"] = ["low"] * 15 + ["high"] * 15
    soil["snow_allowed"] = soil["band"] == "high"
    found = answer(soil, by=["band"])
    low = found.draws.table.index[found.draws.table["band"] == "low"][0]
    values = shares_of(found)
    assert (values[:, low, 2] == 0.0).all()
    assert (values[:, 1 - low, 2] > 0.0).all()
    np.testing.assert_allclose(values.sum(axis=2), 1.0, atol=1e-12)
    shown = found.prior[found.prior["band"] == "low"]
    assert shown["source"].tolist() == ["rain", "ice"]


def test_a_source_absent_in_a_stratum_is_zero_there() -> None:
    table = pd.concat(
        [
            WATERS.assign(period="June"),
            WATERS[WATERS["source"] != "snow"].assign(period="August"),
        ]
    )
    soil = pd.concat([soil_water(), soil_water(seed=4)], ignore_index=True)
    soil["period"] = ["June"] * 15 + ["August"] * 15
    found = answer(soil, EndMembers.from_table(table), by=["period"])
    assert (shares_of(found)[:, 1, 2] == 0.0).all()
    assert shares_of(found)[:, 0, 2].mean() > 0.01


def test_caps_hold_in_every_draw() -> None:
    model = MixingModel(prior=FractionPrior(caps={"rain": 0.5}))
    for method in ("quadrature", "ensemble"):
        sampler = replace(QUICK, method=method)
        found = answer(soil_water(), model=model, sampler=sampler)
        rain = shares_of(found)[:, 0, 0]
        assert rain.max() <= 0.5
        assert rain.mean() > 0.4


def test_an_unconverged_answer_is_refused_with_numbers() -> None:
    sampler = SamplerSettings(
        method="ensemble", warm_up=10, block=40, limit=40, thin=1, walkers=16
    )
    with pytest.raises(MixingError, match=r"not converged.*ESS \d+ below 400"):
        answer(soil_water(), sampler=sampler)


def test_unknown_evaporation_with_many_sources_is_not_identifiable() -> None:
    model = MixingModel(evaporation=EvaporationPrior(3.5))
    with pytest.raises(MixingError, match="not identifiable"):
        answer(soil_water(), model=model)


def test_unknown_evaporation_is_found_with_two_sources() -> None:
    rng = np.random.default_rng(5)
    mixed = 0.7 * WATERS.loc[0, ["d18O", "d2H"]] + 0.3 * WATERS.loc[1, ["d18O", "d2H"]]
    centre = mixed.to_numpy(dtype=float) + 1.5 * np.array([1.0, 3.5])
    values = rng.multivariate_normal(centre, [[0.1, 0.6], [0.6, 6.0]], size=40)
    soil = pd.DataFrame(values, columns=["d18O", "d2H"])
    model = MixingModel(evaporation=EvaporationPrior(3.5), sources="fixed")
    found = answer(soil, ENDS.keep(["rain", "ice"]), model=model)
    amount = found.parameters["evaporation"][:, 0]
    assert abs(amount.mean() - 1.5) < 3 * amount.std()
    assert amount.std() < 0.3
    assert shares_of(found)[:, 0, 0].mean() == pytest.approx(0.7, abs=0.08)


@pytest.mark.slow
def test_evaporation_prior_moves_the_fractions() -> None:
    known = MixingModel(evaporation=EvaporationPrior(3.5, 0.3, 1.5, 0.2))
    corrected = shares_of(answer(soil_water(), model=known))[:, 0].mean(axis=0)
    plain = shares_of(answer(soil_water()))[:, 0].mean(axis=0)
    assert corrected[0] < plain[0] - 0.05


def test_more_layers_of_the_same_site_are_no_more_evidence() -> None:
    soil = soil_water().assign(site_id=range(15))
    layers = pd.concat([soil] * 4, ignore_index=True)
    once = answer(soil)
    often = answer(layers)
    first, second = shares_of(once)[:, 0], shares_of(often)[:, 0]
    np.testing.assert_allclose(first.mean(axis=0), second.mean(axis=0), atol=0.012)
    np.testing.assert_allclose(first.std(axis=0), second.std(axis=0), rtol=0.08)
    assert often.draws.table[["n", "n_sites"]].to_numpy().tolist() == [[60, 15]]
    naive = answer(layers, model=MixingModel(cluster=None, sources="fixed"))
    honest = answer(layers, model=MixingModel(sources="fixed"))
    assert shares_of(naive)[:, 0, 0].std() < 0.7 * shares_of(honest)[:, 0, 0].std()


def test_rows_without_an_answer_stay_with_a_reason() -> None:
    soil = soil_water(6)
    soil["period"] = ["June"] * 3 + ["August"] * 3
    soil.loc[3:, "d2H"] = np.nan
    found = answer(soil, by=["period"])
    assert found.draws.reason == ("", "missing tracer")
    assert np.isnan(shares_of(found)[:, 1]).all()
    assert np.isfinite(shares_of(found)[:, 0]).all()


def test_nothing_is_drawn_where_no_group_has_an_answer() -> None:
    soil = soil_water(3).assign(d18O=np.nan)
    found = answer(soil)
    assert found.draws.reason == ("missing tracer",)
    assert found.diagnostics.empty


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="empty"):
        answer(soil_water().iloc[:0])
    with pytest.raises(MixingError, match="unknown sources fog"):
        answer(soil_water(), model=MixingModel(prior=FractionPrior(caps={"fog": 0.1})))
    caps = {"rain": 0.3, "ice": 0.3, "snow": 0.3}
    tight = MixingModel(prior=FractionPrior(caps=caps))
    with pytest.raises(MixingError, match=r"rain 0.3.*sum to 0.9"):
        answer(soil_water(), model=tight)
    with pytest.raises(MixingError, match="No error is left in d18O, d2H"):
        answer(soil_water(), model=MixingModel(residual="none"))
    with pytest.raises(MixingError, match="takes the place of a residual"):
        MixingModel(process="product")
    with pytest.raises(MixingError, match="n_draws 3 is below 100"):
        SamplerSettings(n_draws=3)
    with pytest.raises(MixingError, match="Quadrature over 6 parameters"):
        answer(
            soil_water(),
            model=MixingModel(evaporation=EvaporationPrior(3.5, 0.3, 1.0, 0.5)),
            sampler=SamplerSettings(method="quadrature"),
        )


def test_the_same_seed_gives_the_same_draws() -> None:
    first = answer(soil_water(), sampler=QUICK, seed=8)
    second = answer(soil_water(), sampler=QUICK, seed=8)
    np.testing.assert_array_equal(shares_of(first), shares_of(second))


def test_a_right_model_makes_data_like_those_seen_and_a_wrong_one_does_not() -> None:
    found = answer(soil_water(30))
    check = found.posterior_predictive(np.random.default_rng(2))
    assert check[["mean_p", "sd_p"]].to_numpy().min() > 0.05
    assert check[["mean_p", "sd_p"]].to_numpy().max() < 0.95
    off = soil_water(30).assign(d2H=lambda table: table["d2H"] + 30.0)
    wrong = answer(off, model=MixingModel(sources="fixed"))
    p = wrong.posterior_predictive(np.random.default_rng(2)).set_index("tracer")
    assert p.loc["d2H", "sd_p"] > 0.8


def test_leave_one_out_prefers_the_right_sources() -> None:
    soil = soil_water(30)
    right = answer(soil, model=MixingModel(sources="fixed")).loo()
    ends = ENDS.keep(["ice", "snow"])
    wrong = answer(soil, ends, model=MixingModel(sources="fixed")).loo()
    assert right.elpd > wrong.elpd + 3 * right.se / np.sqrt(30)
    assert right.pointwise.shape == (30,)


def test_log_likelihood_is_that_of_scipy() -> None:
    found = answer(soil_water(5), sampler=SamplerSettings(n_draws=100, ess=50.0))
    fit = found.fit
    points = fit.values  # noqa: PD011
    wanted = [
        [
            stats.multivariate_normal.logpdf(
                value, fit.expected[draw, 0], fit.covariance[draw, 0]
            )
            for value in points
        ]
        for draw in range(100)
    ]
    np.testing.assert_allclose(found.log_likelihood, wanted, rtol=1e-8)


def test_sources_joined_afterwards_are_sums_in_every_draw() -> None:
    found = answer(soil_water())
    joined = found.combine_sources({"frozen": ["ice", "snow"]})
    assert joined.draws.sources == ("rain", "frozen")
    np.testing.assert_allclose(
        shares_of(joined)[:, 0, 1], shares_of(found)[:, 0, 1:].sum(axis=1)
    )
    assert joined.loo().elpd == found.loo().elpd
    assert not joined.posterior_predictive(np.random.default_rng(1)).empty


def test_parameters_are_summarised_by_group() -> None:
    soil = pd.concat([soil_water(), soil_water(seed=9)], ignore_index=True)
    soil["period"] = ["June"] * 15 + ["August"] * 15
    table = answer(soil, by=["period"]).parameter_summary()
    assert table["period"].tolist() == ["June"] * 3 + ["August"] * 3
    assert (table["q05"] < table["q95"]).all()


def test_sizes_of_measurement_error_are_told_apart() -> None:
    # One exact mixture among many vague ones decides.
    ends = EndMembers.from_table(
        pd.DataFrame({"source": ["rain", "ice"], "Cl": [0.0, 10.0]})
    )
    soil = pd.DataFrame({"Cl": [2.0, 8.0, 8.0, 8.0], "Cl_sd": [0.1, 20.0, 20.0, 20.0]})
    model = MixingModel(tracers=("Cl",), residual="none", sources="fixed")
    ice = shares_of(answer(soil, ends, model=model))[:, 0, 1]
    assert ice.mean() == pytest.approx(0.2, abs=0.002)
    assert ice.std() == pytest.approx(0.01, rel=0.1)
