"""The fast density against scipy's on whole matrices, and the sampler on known ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from geosoil.tracers import _bayes_density as posterior
from geosoil.tracers import _kernels_bayes as kernels
from geosoil.tracers import _kernels_ensemble as ensemble
from geosoil.tracers._kernels_bayes_mode import find_mode
from geosoil.tracers.bayes_data import GroupTask, batch_of, group_tasks
from geosoil.tracers.bayes_model import MixingModel, typical_scale
from geosoil.tracers.bayes_prior import FractionPrior
from geosoil.tracers.bayes_scores import PriorScores
from geosoil.tracers.bayes_start import share_views
from geosoil.tracers.bayes_weights import systematic
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.evaporation_prior import EvaporationPrior

ENDS = EndMembers.from_table(
    pd.DataFrame(
        {
            "source": ["rain", "ice", "snow"],
            "d18O": [-11.2, -14.9, -16.4],
            "d2H": [-80.1, -120.2, -118.4],
            "d18O_sd": [0.9, 0.7, 1.2],
            "d2H_sd": [7.0, 5.5, 9.0],
            "d18O_d2H_cov": [5.9, 3.6, 10.0],
            "n": [12, 8, 6],
            "d18O_concentration": [1.0, 2.0, 0.5],
            "d2H_concentration": [1.0, 1.5, 0.8],
        }
    )
)


def mixtures(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        rng.multivariate_normal([-12.6, -94.0], [[0.5, 3.5], [3.5, 30.0]], size=7),
        columns=["d18O", "d2H"],
    )
    table["d18O_sd"] = [0.1] * 4 + [0.3] * 3
    table["d2H_sd"] = [0.5] * 4 + [1.5] * 3
    return table


def plain_density(
    state: np.ndarray, task: GroupTask, model: MixingModel, layout: kernels.Layout
) -> float:
    """All mixtures as one normal vector, element by element."""
    parts = layout.parts
    ratios = state[parts["ratios"]]
    shares = np.exp(kernels.contrasts(3) @ ratios)
    shares /= shares.sum()
    load = shares[:, None] * task.concentration
    weight = load / load.sum(axis=0)
    sd = np.exp(state[parts["residual"]])
    rho = np.tanh(state[parts["correlation"]][0])
    v = np.array([[sd[0] ** 2, rho * sd.prod()], [rho * sd.prod(), sd[1] ** 2]])
    mean = (weight * task.means).sum(axis=0)
    common = np.zeros((2, 2))
    scale = np.exp(state[parts["scale"]]) * typical_scale(task.freedom)
    for k in range(3):
        both = np.outer(weight[k], weight[k])
        v = v + layout.process * scale[k] * both * task.spread[k]
        common = common + scale[k] * both * task.mean_spread[k]
    known = model.evaporation
    score = state[parts["evaporation"]][0]
    cut = stats.truncnorm(-known.shift / known.shift_sd, np.inf)
    amount = known.shift + known.shift_sd * cut.ppf(stats.norm.cdf(score))
    mean = mean + amount * np.array([1.0, known.slope])
    common[1, 1] += (amount * known.slope_sd) ** 2
    n = len(task.values)
    whole = np.kron(np.ones((n, n)), common)
    for i in range(n):
        whole[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] += v + task.own[i]
    points = task.values.ravel()  # noqa: PD011
    return float(stats.multivariate_normal.logpdf(points, np.tile(mean, n), whole))


@pytest.mark.parametrize("process", ["none", "sum_of_squares"])
def test_likelihood_is_that_of_one_large_normal_vector(process: str) -> None:
    model = MixingModel(
        process=process, evaporation=EvaporationPrior(3.5, 0.4, 0.8, 0.5)
    )
    found = group_tasks(mixtures(1), ENDS, [], model)
    layout = model.layout(3, scaled=True)
    batch = batch_of(found.tasks, model, found.residual_scale)
    states = np.random.default_rng(2).normal(0, 0.8, (layout.size, 1, 6))
    got = kernels.mixture_terms(states, layout, batch).log_likelihood[0]
    wanted = [
        plain_density(states[:, 0, i], found.tasks[0], model, layout) for i in range(6)
    ]
    np.testing.assert_allclose(got, wanted, rtol=1e-9)


def test_order_of_mixtures_does_not_matter() -> None:
    model = MixingModel()
    layout = model.layout(3)
    states = np.random.default_rng(2).normal(0, 0.8, (layout.size, 1, 6))
    table = mixtures(1)
    values = []
    for own in (table, table.iloc[::-1]):
        found = group_tasks(own, ENDS, [], model)
        batch = batch_of(found.tasks, model, found.residual_scale)
        values.append(posterior.log_density(states, layout, batch))
    np.testing.assert_allclose(values[0], values[1], rtol=1e-10)


def test_inverse_wishart_prior_is_that_of_scipy() -> None:
    # (ln s1, ln s2, atanh r) to the covariance: Jacobian 4 s1^3 s2^3 (1 - r^2).
    model = MixingModel(residual="inverse_wishart", sources="fixed")
    layout = model.layout(2)
    found = group_tasks(mixtures(1), ENDS.keep(["rain", "ice"]), [], model)
    batch = batch_of(found.tasks, model, found.residual_scale)
    states = np.random.default_rng(4).normal(0, 0.8, (layout.size, 1, 12))
    states[layout.parts["ratios"]] = 0.0
    got = posterior.log_prior(states, layout, batch)[0]
    wanted = []
    for log_first, log_second, atanh in states[1:, 0].T:
        first, second, r = np.exp(log_first), np.exp(log_second), np.tanh(atanh)
        matrix = [[first**2, r * first * second], [r * first * second, second**2]]
        jacobian = 4.0 * (first * second) ** 3 * (1.0 - r**2)
        wanted.append(stats.invwishart.logpdf(matrix, 3, np.eye(2)) + np.log(jacobian))
    np.testing.assert_allclose(np.ptp(got - wanted), 0.0, atol=1e-9)


def test_prior_of_fractions_has_the_jacobian_of_log_ratios() -> None:
    model = MixingModel(prior=FractionPrior(concentration={"rain": 2.0}))
    found = group_tasks(mixtures(1), ENDS.keep(["rain", "ice"]), [], model)
    batch = batch_of(found.tasks, model, found.residual_scale)

    def density(z: float) -> float:
        return float(np.exp(posterior.ratio_prior(np.full((1, 1, 1), z), batch)[0, 0]))

    def share(z: float) -> float:
        return float(np.exp(kernels.log_shares(np.array([[z]])))[0, 0])

    total = integrate.quad(density, -30, 30)[0]
    mean = integrate.quad(lambda z: share(z) * density(z), -30, 30)[0] / total
    square = integrate.quad(lambda z: share(z) ** 2 * density(z), -30, 30)[0] / total
    assert mean == pytest.approx(2.0 / 3.0, abs=1e-8)
    assert square - mean**2 == pytest.approx(stats.beta(2, 1).var(), abs=1e-8)


def test_prior_of_correlations_is_flat_over_matrices() -> None:
    # With three tracers the margin of each correlation is Beta(3/2, 3/2) on -1 to 1.
    rng = np.random.default_rng(1)
    count = 40_000
    v = rng.uniform(-6, 6, (3, count))
    weight = np.exp(posterior._correlation_prior(v, 3))
    factor = kernels.correlation_factor(np.tanh(v), 3)
    matrix = kernels.product(factor, factor.swapaxes(0, 1))
    np.testing.assert_allclose(matrix[[0, 1, 2], [0, 1, 2]], 1.0, atol=1e-12)
    wanted = stats.beta(1.5, 1.5, loc=-1, scale=2).var()
    for i, j in ((1, 0), (2, 0), (2, 1)):
        variance = np.average(matrix[i, j] ** 2, weights=weight)
        assert variance == pytest.approx(wanted, rel=0.06)


def test_coordinates_linear_in_shares_come_back() -> None:
    into, back = share_views(MixingModel().layout(4))[1]
    states = np.random.default_rng(1).normal(0, 2, (6, 2, 5))
    place, log_volume = into(states)
    again, log_again = back(place)
    np.testing.assert_allclose(again, states, atol=1e-9)
    np.testing.assert_allclose(log_volume, log_again, atol=1e-9)
    outside = place.copy()
    outside[0] += 2.0
    assert (back(outside)[1] == -np.inf).all()


def test_volume_of_the_share_coordinates_is_the_jacobian() -> None:
    into, _ = share_views(MixingModel().layout(3))[1]
    state = np.array([0.4, -0.7, 0.0, 0.0, 0.0])[:, None, None]
    step = 1e-6
    columns = []
    for k in range(2):
        moved = state.copy()
        moved[k] += step
        columns.append((into(moved)[0] - into(state)[0])[:2, 0, 0] / step)
    # Up to a constant: compare with another place.
    other = np.array([-1.0, 0.3, 0.0, 0.0, 0.0])[:, None, None]
    far = []
    for k in range(2):
        moved = other.copy()
        moved[k] += step
        far.append((into(moved)[0] - into(other)[0])[:2, 0, 0] / step)
    wanted = np.log(abs(np.linalg.det(far))) - np.log(abs(np.linalg.det(columns)))
    got = into(state)[1] - into(other)[1]
    assert got[0, 0] == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("alpha", [0.3, 1.0, 5.0])
def test_prior_scores_are_normal_and_come_back(alpha: float) -> None:
    model = MixingModel(prior=FractionPrior(concentration={"rain": alpha, "ice": 2.0}))
    found = group_tasks(mixtures(1), ENDS, [], model)
    batch = batch_of(found.tasks, model, found.residual_scale)
    scores = PriorScores.of(model.layout(3), batch)
    rng = np.random.default_rng(1)
    shares = model.prior.prior_draws(["rain", "ice", "snow"], rng)
    states = np.concatenate(
        [kernels.contrasts(3).T @ np.log(shares.T), np.zeros((3, len(shares)))]
    )
    place = scores.place(states)
    for k in range(2):
        assert stats.kstest(place[k], "norm").pvalue > 0.01
    again = np.exp(kernels.log_shares(scores.states(place)[:2]))
    np.testing.assert_allclose(again, shares.T, atol=1e-5)


@pytest.mark.parametrize("fitted", [False, True])
def test_ensemble_keeps_a_bent_distribution(fitted: bool) -> None:
    # Banana: x ~ N(0, 1), y ~ N(x^2, 0.5^2): means 0 and 1, variances 1 and 2.25.
    def density(state: np.ndarray) -> np.ndarray:
        x, y = state
        return -0.5 * x**2 - 2.0 * (y - x**2) ** 2

    rng = np.random.default_rng(3)
    start = rng.normal(0, 0.5, (2, 3, 40))
    plain = ensemble.View(ensemble.plain, ensemble.plain)
    warm = ensemble.walk(density, start, (500, 1), rng)
    students = ensemble.fit_views(warm.states, [plain]) if fitted else ()
    found = ensemble.walk(density, warm.last, (2500, 5), rng, ([plain], students))
    x, y = np.moveaxis(found.states, 1, 0).reshape(2, -1)
    assert x.mean() == pytest.approx(0.0, abs=0.05)
    assert x.var() == pytest.approx(1.0, abs=0.06)
    assert y.mean() == pytest.approx(1.0, abs=0.06)
    assert y.var() == pytest.approx(2.25, rel=0.12)
    assert np.quantile(x, 0.95) == pytest.approx(stats.norm.ppf(0.95), abs=0.08)


def test_student_density_is_that_of_scipy() -> None:
    rng = np.random.default_rng(1)
    factor = np.array([[[1.0, 0.0], [0.5, 0.3]]])
    student = ensemble.Student(np.array([[1.0], [2.0]]), factor)
    states = rng.normal(size=(2, 1, 5))
    wanted = stats.multivariate_t(
        [1.0, 2.0], factor[0] @ factor[0].T, df=ensemble.FREEDOM
    ).logpdf(states[:, 0].T)
    got = ensemble.student_density(student, states)[0]
    np.testing.assert_allclose(got - got[0], wanted - wanted[0], atol=1e-10)


def test_mode_and_curvature_of_a_normal_are_exact() -> None:
    covariance = np.array([[1.0, 0.6], [0.6, 2.0]])
    inverse = np.linalg.inv(covariance)
    centre = np.array([[1.0, -2.0], [0.5, 3.0]])

    def density(state: np.ndarray) -> np.ndarray:
        away = state - centre[:, :, None]
        return -0.5 * np.einsum("igw,ij,jgw->gw", away, inverse, away)

    mode, found = find_mode(density, np.full((2, 2), 9.0))
    np.testing.assert_allclose(mode, centre, atol=1e-4)
    np.testing.assert_allclose(found, np.stack([covariance] * 2), rtol=1e-4)


def test_systematic_choice_keeps_counts_within_one() -> None:
    mass = np.array([0.1, 0.0, 0.65, 0.25])
    places = systematic(mass, 1000, np.random.default_rng(1))
    counts = np.bincount(places, minlength=4)
    assert (np.abs(counts - 1000 * mass) <= 1).all()
    assert counts[1] == 0
