"""Predictive checks: honest where the model is right, loud where it is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from geosoil.errors import InputError
from geosoil.tracers.posterior_check import (
    NO_SAMPLE,
    NOT_FINITE,
    ONE_SAMPLE,
    predictive_check,
)

STATISTICS = ["mean", "sd", "minimum", "maximum", "coverage_50", "coverage_90"]


def by_statistic(check):
    return check.set_index("statistic")


def test_numbers_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(1)
    samples, drawn = rng.normal(size=(9, 1)), rng.normal(size=(200, 9, 1))
    check = by_statistic(predictive_check(samples, drawn, ["d18O"]))
    functions = {
        "mean": np.mean,
        "sd": lambda x: np.std(x, ddof=1),
        "minimum": np.min,
        "maximum": np.max,
    }
    for name, function in functions.items():
        values = np.array([function(draw[:, 0]) for draw in drawn])
        row, value = check.loc[name], function(samples[:, 0])
        assert row["observed"] == pytest.approx(value)
        assert row["replicated"] == pytest.approx(values.mean())
        wanted = pytest.approx(np.quantile(values, [0.05, 0.95]).tolist())
        assert [row["lower"], row["upper"]] == wanted
        tail = min((values >= value).sum(), (values <= value).sum())
        assert row["p_value"] == pytest.approx(min(2.0 * (tail + 1) / 201.0, 1.0))
    inside = 0
    for site in range(9):
        lower, upper = np.quantile(drawn[:, site, 0], [0.05, 0.95])
        inside += lower <= samples[site, 0] <= upper
    assert check.loc["coverage_90", "observed"] == pytest.approx(inside / 9)


def test_true_model_fails_no_more_often_than_the_level() -> None:
    rng = np.random.default_rng(2)
    fails = []
    for _ in range(200):
        samples = rng.normal(-12.0, 2.0, size=(20, 1))
        drawn = rng.normal(-12.0, 2.0, size=(300, 20, 1))
        fails.append(predictive_check(samples, drawn, ["d18O"])["fails"].to_numpy())
    rate = np.mean(fails, axis=0)
    # Binomial: 0.05 with a standard error of 0.015; coverage is discrete and lower.
    assert (rate <= 0.05 + 4 * 0.0154).all()
    assert (rate[:4] >= 0.01).all()


def test_coverage_of_the_true_model_is_its_name() -> None:
    rng = np.random.default_rng(3)
    samples = rng.normal(size=(4000, 1))
    drawn = rng.normal(size=(400, 4000, 1))
    check = by_statistic(predictive_check(samples, drawn, ["d18O"]))
    assert check.loc["coverage_50", "observed"] == pytest.approx(0.5, abs=0.03)
    assert check.loc["coverage_90", "observed"] == pytest.approx(0.9, abs=0.02)
    assert check.loc["coverage_50", "replicated"] == pytest.approx(0.5, abs=1e-2)


@pytest.mark.parametrize(
    ("shift", "scale", "statistic", "words"),
    [
        (3.0, 1.0, "mean", "samples lie above the model"),
        (-3.0, 1.0, "mean", "samples lie below the model"),
        (0.0, 3.0, "sd", "samples scatter more than the model"),
        (0.0, 0.3, "sd", "samples scatter less"),
        (0.0, 3.0, "minimum", "lowest sample is too low"),
        (0.0, 0.2, "minimum", "lowest sample is not as low"),
        (0.0, 3.0, "maximum", "highest sample is too high"),
        (0.0, 0.2, "maximum", "highest sample is not as high"),
        (0.0, 3.0, "coverage_90", "90 % intervals are too narrow"),
        (0.0, 0.2, "coverage_50", "50 % intervals are too wide"),
    ],
)
def test_each_misfit_is_said_in_words(shift, scale, statistic, words) -> None:
    rng = np.random.default_rng(4)
    samples = rng.normal(shift, scale, size=(60, 1))
    drawn = rng.normal(size=(500, 60, 1))
    row = by_statistic(predictive_check(samples, drawn, ["d2H"])).loc[statistic]
    assert row["fails"]
    assert row["reason"] == words
    assert row["p_value"] == pytest.approx(2.0 / 501.0)


def test_a_misfit_in_one_group_and_tracer_is_found_there() -> None:
    rng = np.random.default_rng(5)
    groups = np.repeat(["forest", "meadow"], 40)
    samples = rng.normal(size=(80, 2))
    samples[40:, 1] += 2.0
    drawn = rng.normal(size=(500, 80, 2))
    check = predictive_check(samples, drawn, ["d18O", "d2H"], groups=groups)
    assert len(check) == 2 * 3 * 6
    means = check[check["statistic"] == "mean"].set_index(["tracer", "group"])
    assert means.loc[("d2H", "meadow"), "fails"]
    assert not means.loc[("d2H", "forest"), "fails"]
    assert not means.loc["d18O", "fails"].any()
    assert means["n"].tolist() == [80, 40, 40] * 2


def test_missing_samples_are_left_out_with_their_replicates() -> None:
    rng = np.random.default_rng(6)
    samples, drawn = rng.normal(size=(10, 1)), rng.normal(size=(100, 10, 1))
    short = predictive_check(samples[:7], drawn[:, :7], ["d18O"])
    samples[7:], drawn[:, 7:] = np.nan, np.nan
    check = predictive_check(samples, drawn, ["d18O"])
    assert check["n"].tolist() == [7] * 6
    for column in ("observed", "replicated", "lower", "upper", "p_value"):
        np.testing.assert_allclose(check[column], short[column])


def test_rows_without_an_answer_stay_with_a_reason() -> None:
    rng = np.random.default_rng(7)
    samples, drawn = rng.normal(size=(4, 2)), rng.normal(size=(100, 4, 2))
    samples[:, 1] = np.nan
    drawn[3, 2, 0] = np.nan
    groups = ["one", "two", "two", None]
    check = predictive_check(samples, drawn, ["d18O", "d2H"], groups=groups)
    assert check["statistic"].tolist() == STATISTICS * 6
    table = check.set_index(["tracer", "group", "statistic"])["reason"]
    assert set(table["d2H"]) == {NO_SAMPLE}
    assert set(table["d18O"]["two"]) == {NOT_FINITE}
    assert table["d18O"]["one"]["sd"] == ONE_SAMPLE
    assert table["d18O"]["one"]["mean"] == ""
    unanswered = check[check["p_value"].isna()]
    assert unanswered["observed"].isna().all()
    assert not unanswered["fails"].any()


def test_equal_replicates_give_no_false_alarm() -> None:
    samples, drawn = np.full((5, 1), 0.1), np.full((100, 5, 1), 0.1)
    check = predictive_check(samples, drawn, ["d18O"])
    assert check["p_value"].tolist() == [1.0] * 6


def test_wrong_input_is_refused_with_all_faults_at_once() -> None:
    with pytest.raises(InputError, match=r"Observed .* Replicated .* Invalid level"):
        predictive_check(np.zeros(3), np.zeros((50, 3)), ["d18O"], level=2.0)
    with pytest.raises(InputError, match="39 draws"):
        predictive_check(np.zeros((3, 1)), np.zeros((39, 3, 1)), ["d18O"])
    with pytest.raises(InputError, match="labels of groups"):
        predictive_check(np.zeros((3, 1)), np.zeros((40, 3, 1)), ["d18O"], groups=["a"])


def test_infinite_replicates_give_no_answer_and_no_numpy_warning() -> None:
    rng = np.random.default_rng(8)
    drawn = rng.normal(size=(100, 4, 1))
    drawn[::2, 1, 0] = np.inf
    check = predictive_check(rng.normal(size=(4, 1)), drawn, ["d18O"])
    assert set(check["reason"]) == {NOT_FINITE}
