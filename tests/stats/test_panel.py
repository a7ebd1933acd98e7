"""`stats.panel`: the paired t when complete, maximum likelihood when not, and honest intervals when leavers differ."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evalkit.stats import change, clusters, panel


def drawn(seed: int, people: int, waves: int, gaps: float = 0.0) -> pd.DataFrame:
    """Answers with a person's own level and own slope; no change in the population mean."""
    rng = np.random.default_rng(seed)
    person, slope = rng.normal(size=(2, people, 1)) * [[[0.8]], [[0.3]]]
    answers = 3 + person + slope * np.arange(waves) / (waves - 1) + 0.6 * rng.normal(size=(people, waves))
    answers[rng.random(answers.shape) < gaps] = np.nan
    return pd.DataFrame(answers, columns=[f"wave {wave + 1}" for wave in range(waves)])


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 60), st.integers(2, 5))
def test_complete_answers_give_the_paired_t(seed: int, people: int, waves: int) -> None:
    answers = drawn(seed, people, waves)
    first, last = answers.columns[0], answers.columns[-1]
    ours = panel.available(answers, first=first, last=last)
    theirs = change.paired(answers[first], answers[last])
    assert (ours.estimate, ours.se, ours.df) == pytest.approx((theirs.estimate, theirs.se, theirs.df), rel=1e-7)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-6, abs=1e-9)
    assert (ours.n, ours.n_first, ours.n_last, ours.n_both) == (people,) * 4
    wave = stats.ttest_1samp(answers[last], 0).confidence_interval()
    row = ours.wave_means.set_index("wave").loc[last]
    assert (row["low"], row["high"]) == pytest.approx((wave.low, wave.high), rel=1e-6)


def test_complete_answers_in_teams_give_cr2_on_the_changes() -> None:
    answers = drawn(3, 40, 3)
    teams = pd.Series(np.random.default_rng(1).integers(6, size=40), index=answers.index)
    ours = panel.available(answers, first="wave 1", last="wave 3", teams=teams)
    theirs = clusters.cr2(answers["wave 3"] - answers["wave 1"], np.ones((40, 1)), teams)
    assert (ours.estimate, ours.se, ours.df) == pytest.approx(
        (theirs.estimate[0], theirs.se[0], theirs.df[0]), rel=1e-7
    )
    assert (ours.clustered_on, ours.clusters) == ("team", 6)


def test_two_waves_with_leavers_are_andersons_closed_form() -> None:
    # Anderson (1957), JASP 52, 200-203: when only the second wave has gaps, the ML mean of the second wave is
    # mean2 + b (mean of all at wave 1 - mean1), where mean1, mean2 and b are those of people who answered both;
    # the ML variances and covariance follow from the same regression.
    answers = drawn(5, 25, 2)
    answers.iloc[17:, 1] = np.nan
    stayed = answers.iloc[:17].to_numpy()
    everybody = answers["wave 1"].to_numpy()
    slope = np.cov(stayed.T, ddof=0)[0, 1] / stayed[:, 0].var()
    mean = stayed[:, 1].mean() + slope * (everybody.mean() - stayed[:, 0].mean())
    left = stayed[:, 1].var() - slope**2 * stayed[:, 0].var()
    fit = panel.maximum_likelihood(answers)
    assert fit.mean == pytest.approx([everybody.mean(), mean], rel=1e-7)
    assert fit.covariance[0] == pytest.approx([everybody.var(), slope * everybody.var()], rel=1e-6)
    assert fit.covariance[1, 1] == pytest.approx(left + slope**2 * everybody.var(), rel=1e-6)
    found = panel.available(answers, first="wave 1", last="wave 2")
    assert found.estimate == pytest.approx(mean - everybody.mean(), rel=1e-6)
    assert (found.n, found.n_first, found.n_last, found.n_both, found.basis) == (25, 25, 17, 17, "all waves")


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(40, 120), st.integers(2, 4), st.floats(0, 0.3))
def test_em_only_climbs_and_ends_on_top(seed: int, people: int, waves: int, gaps: float) -> None:
    answers = drawn(seed, people, waves, gaps)
    if answers.notna().all(axis=1).sum() < waves + 5:
        return
    fit = panel.maximum_likelihood(answers)
    assert (np.diff(fit.path) > -1e-8).all()

    def likelihood(mean: np.ndarray, covariance: np.ndarray) -> float:
        total = 0.0
        for row in answers.to_numpy():
            seen = ~np.isnan(row)
            if seen.any():
                total += stats.multivariate_normal.logpdf(row[seen], mean[seen], covariance[np.ix_(seen, seen)])
        return total

    top = likelihood(fit.mean, fit.covariance)
    assert fit.path[-1] == pytest.approx(top, abs=1e-6)
    for wave in range(waves):
        nudge = np.eye(waves)[wave] * 0.02
        assert likelihood(fit.mean + nudge, fit.covariance) < top
        assert likelihood(fit.mean - nudge, fit.covariance) < top
        assert likelihood(fit.mean, fit.covariance + np.outer(nudge, nudge) * 10) < top


def test_the_estimate_is_the_maximum_likelihood_change() -> None:
    answers = drawn(11, 80, 4, 0.25)
    found = panel.available(answers, first="wave 1", last="wave 4")
    fit = panel.maximum_likelihood(answers)
    assert found.estimate == pytest.approx(fit.mean[3] - fit.mean[0], abs=1e-7)
    assert found.wave_means["mean"].to_numpy() == pytest.approx(fit.mean, abs=1e-7)
    assert found.wave_means["n"].tolist() == answers.notna().sum().tolist()
    assert found.n_asked == 80
    assert found.n == answers.notna().any(axis=1).sum()
    assert found.interval(0.95) == (found.low, found.high)


def test_waves_may_run_backwards_and_units_do_not_matter() -> None:
    answers = drawn(12, 60, 3, 0.2)
    there = panel.available(answers, first="wave 1", last="wave 3")
    back = panel.available(1000 * answers + 7, first="wave 3", last="wave 1")
    assert (back.low, back.high) == pytest.approx((-1000 * there.high, -1000 * there.low), rel=1e-6)


def test_the_basis_narrows_when_people_are_few() -> None:
    answers = drawn(7, 20, 3)
    answers.iloc[4:, 1] = np.nan
    found = panel.available(answers, first="wave 1", last="wave 3")
    assert (found.basis, found.wave_means["wave"].tolist()) == ("two waves", ["wave 1", "wave 3"])
    answers.iloc[6:, 2] = np.nan
    found = panel.available(answers, first="wave 1", last="wave 3")
    pairs = change.paired(answers["wave 1"], answers["wave 3"])
    assert (found.basis, found.n, found.n_first, found.n_asked) == ("complete pairs", 6, 20, 20)
    assert (found.estimate, found.low, found.high) == pytest.approx((pairs.estimate, pairs.low, pairs.high), rel=1e-9)


def test_a_wave_nobody_answered_or_that_copies_another_is_not_used() -> None:
    for middle in (np.nan, "wave 1", 4.0):
        answers = drawn(9, 30, 3)
        answers["wave 2"] = answers[middle] if isinstance(middle, str) else middle
        found = panel.available(answers, first="wave 1", last="wave 3")
        pairs = change.paired(answers["wave 1"], answers["wave 3"])
        assert found.basis == "two waves"
        assert (found.low, found.high) == pytest.approx((pairs.low, pairs.high), rel=1e-7)


def test_everybody_at_the_top_at_the_end_is_still_a_change() -> None:
    answers = drawn(10, 12, 2)
    answers["wave 2"] = 5.0
    found = panel.available(answers, first="wave 1", last="wave 2")
    pairs = change.paired(answers["wave 1"], answers["wave 2"])
    assert found.basis == "complete pairs"
    assert (found.low, found.high) == pytest.approx((pairs.low, pairs.high), rel=1e-9)
    last = found.wave_means.set_index("wave").loc["wave 2"]
    assert last["mean"] == pytest.approx(5)
    assert np.isnan([last["low"], last["high"]]).all()


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"a": [3.0] * 20, "b": [3.0] * 20}, "does not vary"),
        ({"a": [1.0, 2.0, 3.0], "b": [2.0, 3.0, 4.0]}, "does not vary"),
        ({"a": [1.0, 2.0, np.nan], "b": [np.nan, 3.0, 4.0]}, "1 of 3 people answered at both"),
        ({"a": [np.nan] * 3, "b": [1.0, 2.0, 3.0]}, "0 of 3 people"),
        ({"a": [1.0, np.inf], "b": [1.0, 2.0]}, "1 answers are infinite"),
        ({"a": [], "b": []}, "0 of 0 people"),
        ({"a": [1.0, 2.0], "c": [1.0, 2.0]}, "b not among a, c"),
    ],
)
def test_available_refuses(answers: dict[str, list[float]], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        panel.available(pd.DataFrame(answers, dtype=float), first="a", last="b")


def test_available_refuses_what_is_not_two_waves_or_has_no_team() -> None:
    answers = drawn(1, 30, 2)
    with pytest.raises(ValueError, match="needs two waves"):
        panel.available(answers, first="wave 1", last="wave 1")
    with pytest.raises(ValueError, match="each once; some are twice"):
        panel.available(pd.concat([answers, answers]), first="wave 1", last="wave 2")
    with pytest.raises(ValueError, match="2 people who answered have no team: 28, 29"):
        panel.available(answers, first="wave 1", last="wave 2", teams=pd.Series(range(28)))
    with pytest.raises(ValueError, match="there is 1"):
        panel.available(answers, first="wave 1", last="wave 2", teams=pd.Series(["only"] * 30))


def test_a_covariance_that_people_do_not_share_is_refused() -> None:
    with pytest.raises(ValueError, match="0 people answered all of 2 waves"):
        panel.maximum_likelihood(np.array([[1.0, np.nan], [np.nan, 2.0], [3.0, np.nan]]))


def test_leavers_with_low_baselines_are_weighed() -> None:
    # 400 data sets of 100, no change, a quarter gone by the last wave, mostly low scorers. Complete pairs cover 80 %.
    # At a true coverage of 94.5 % the band 91-98 % fails for one seed in several hundred.
    held, held_by_pairs = 0, 0
    for seed in range(400):
        answers = low_scorers_leave(seed, 100)
        found = panel.available(answers, first="wave 1", last="wave 4")
        pairs = change.paired(answers["wave 1"], answers["wave 4"])
        held += found.low <= 0 <= found.high
        held_by_pairs += pairs.low <= 0 <= pairs.high
    assert 0.91 <= held / 400 <= 0.98
    assert held_by_pairs / 400 < 0.88


def low_scorers_leave(seed: int, people: int) -> pd.DataFrame:
    """Four waves; about a quarter gone by the last, mostly those who began low."""
    answers = drawn(seed, people, 4)
    leaves = 1 / (1 + np.exp(3 + 1.8 * (answers["wave 1"].to_numpy() - 3)))
    gone = (np.random.default_rng(seed + 1).random((people, 3)) < leaves[:, None]).cumsum(axis=1) > 0
    answers.iloc[:, 1:] = answers.iloc[:, 1:].mask(gone)
    return answers


def test_the_inflation_is_what_leaving_each_person_out_shows() -> None:
    # The jackknife estimates the covariance anew without each person, so it holds what CR2 alone leaves out.
    ours, without_inflation, jackknife = [], [], []
    for seed in range(8):
        answers = low_scorers_leave(seed, 60)
        found = panel.available(answers, first="wave 1", last="wave 4")
        left_out = [panel.maximum_likelihood(answers.drop(index=person)).mean for person in answers.index]
        changes = np.array([mean[3] - mean[0] for mean in left_out])
        jackknife.append(np.sqrt(59 / 60 * ((changes - changes.mean()) ** 2).sum()))
        ours.append(found.se)
        without_inflation.append(found.se / found.inflation)
    assert np.mean(ours) == pytest.approx(np.mean(jackknife), rel=0.03)
    assert np.mean(without_inflation) < min(np.mean(ours), np.mean(jackknife))
    assert panel.available(drawn(1, 60, 4), first="wave 1", last="wave 4").inflation == 1


def test_it_is_quick_enough_to_be_called_thousands_of_times() -> None:
    answers = drawn(2, 150, 4, 0.25)
    times = []
    for _ in range(5):
        start = time.process_time()
        panel.available(answers, first="wave 1", last="wave 4")
        times.append(time.process_time() - start)
    assert min(times) < 0.05  # measured 0.005 s; the goal is 0.02 s, the rest is for a busy machine
