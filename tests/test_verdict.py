"""The eight steps, each by hand, in their order; and that turning a measure round turns the verdict round."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.terms import Verdict
from evalkit.verdict import EQUIVALENCE, HEADLINE, RULES, Other, decide, described


@dataclass(frozen=True)
class Seen:
    """An estimate with normal limits."""

    estimate: float
    se: float

    def interval(self, confidence: float) -> tuple[float, float]:
        from scipy.stats import norm

        reach = norm.ppf(0.5 + confidence / 2) * self.se
        return self.estimate - reach, self.estimate + reach


@dataclass(frozen=True)
class Ratio(Seen):
    """The same on the log, given as a ratio."""

    def interval(self, confidence: float) -> tuple[float, float]:
        low, high = Seen(math.log(self.estimate), self.se).interval(confidence)
        return math.exp(low), math.exp(high)


def higher(seen: Seen, worthwhile: float | None = 0.5, **said: object) -> Verdict:
    return decide(seen, better="higher", worthwhile=worthwhile, **said).verdict  # type: ignore[arg-type]


# z(.985) = 2.170090, z(.95) = 1.644854 (any normal table): the limits below are worked by hand from these.
@pytest.mark.parametrize(
    ("seen", "verdict", "step"),
    [
        (Seen(0.40, 0.05), Verdict.NO_CLEAR_CHANGE, 4),  # 90 %: .318 to .482, inside ±.5: wins over step 5
        (Seen(0.80, 0.20), Verdict.IMPROVED, 5),  # 97 %: .366 to 1.234
        (Seen(-0.80, 0.20), Verdict.WORSENED, 6),
        (Seen(0.10, 0.50), Verdict.UNCLEAR, 7),  # 97 %: −.985 to 1.185 holds −.5 and .5
        (Seen(0.40, 0.30), Verdict.NO_CLEAR_CHANGE, 8),  # 97 %: −.251 to 1.051: a gain is not ruled out
        (Seen(-0.40, 0.30), Verdict.NO_CLEAR_CHANGE, 8),
        (Seen(0.42, 0.20), Verdict.NO_CLEAR_CHANGE, 8),  # 95 % would leave out zero (.028); 97 % does not (−.014)
    ],
)
def test_steps_four_to_eight(seen, verdict, step):
    decided = decide(seen, better="higher", worthwhile=0.5)
    assert (decided.verdict, decided.step) == (verdict, step)
    assert (decided.low, decided.high) == pytest.approx(seen.interval(HEADLINE))


def test_step_eight_says_which_is_not_ruled_out():
    assert "gain is not ruled out" in decide(Seen(0.40, 0.30), better="higher", worthwhile=0.5).why
    assert "loss is not ruled out" in decide(Seen(-0.40, 0.30), better="higher", worthwhile=0.5).why


def test_the_first_three_steps_win_over_the_rest_and_keep_the_interval():
    clear = Seen(2.0, 0.1)
    assert higher(clear, described_as="One wave.") is Verdict.DESCRIBED
    assert higher(clear, unanswerable="Chosen for worsening.") is Verdict.NOT_MEASURABLE
    assert higher(clear, smallest_p=0.05) is Verdict.NOT_MEASURABLE
    assert higher(clear, smallest_p=0.03) is Verdict.IMPROVED
    early = decide(clear, better="higher", worthwhile=0.5, too_early="Agreed for 2029.")
    assert early.verdict is Verdict.TOO_EARLY
    assert early.low == pytest.approx(clear.interval(HEADLINE)[0])
    both = decide(clear, better="higher", worthwhile=0.5, described_as="x", too_early="y", unanswerable="z")
    assert both.step == 1


def test_without_a_worthwhile_change_steps_four_and_seven_are_skipped_and_it_says_so():
    assert higher(Seen(0.40, 0.05), None) is Verdict.IMPROVED
    unclear = decide(Seen(0.1, 0.5), better="higher", worthwhile=None)
    assert unclear.step == 8
    assert "No smallest worthwhile change was agreed" in unclear.why


def test_scales_not_validated_rise_and_fall():
    assert higher(Seen(0.8, 0.2), value_words=False) is Verdict.ROSE
    assert higher(Seen(-0.8, 0.2), value_words=False) is Verdict.FELL
    lower_is_better = decide(Seen(-0.8, 0.2), better="lower", worthwhile=0.5, value_words=False)
    assert lower_is_better.verdict is Verdict.FELL


def test_mixed_by_another_measure_or_the_informant():
    clear = Seen(0.8, 0.2)
    assert higher(clear, others=[Other("trust", better=False, adjusted_p=0.029)]) is Verdict.MIXED
    assert higher(clear, others=[Other("trust", better=False, adjusted_p=0.031)]) is Verdict.IMPROVED
    assert higher(clear, others=[Other("trust", better=True, adjusted_p=0.001)]) is Verdict.IMPROVED
    assert higher(clear, informant=Seen(-0.8, 0.2)) is Verdict.MIXED
    assert higher(clear, informant=Seen(-0.1, 0.2)) is Verdict.IMPROVED


def test_ratios_are_judged_on_the_log():
    # log .90 = −.10536; 97 % with se .02: −.14876 to −.06196, wholly below 0: better when lower is
    down = decide(Ratio(0.90, 0.02), better="lower", worthwhile=0.95, scale="ratio")
    assert down.verdict is Verdict.IMPROVED
    assert (down.low, down.high) == pytest.approx((math.exp(-0.14876), math.exp(-0.06196)), abs=1e-5)
    # 90 % of .99 with se .01: −.0265 to .0064, inside ±.0513
    assert decide(Ratio(0.99, 0.01), better="lower", worthwhile=0.95, scale="ratio").step == 4


@given(st.floats(-3, 3), st.floats(0.01, 2), st.floats(0.05, 2))
def test_turning_the_measure_round_turns_the_verdict_round(estimate, se, worth):
    turned = {Verdict.IMPROVED: Verdict.WORSENED, Verdict.WORSENED: Verdict.IMPROVED}
    up = decide(Seen(estimate, se), better="higher", worthwhile=worth)
    down = decide(Seen(-estimate, se), better="higher", worthwhile=worth)
    lower = decide(Seen(estimate, se), better="lower", worthwhile=worth)
    assert down.verdict is turned.get(up.verdict, up.verdict)
    assert lower.verdict is down.verdict


@given(st.floats(-3, 3), st.floats(0.01, 2), st.floats(0.05, 2))
def test_every_estimate_gets_the_step_its_intervals_say(estimate, se, worth):
    seen = Seen(estimate, se)
    decided = decide(seen, better="higher", worthwhile=worth)
    low, high = seen.interval(HEADLINE)
    inner_low, inner_high = seen.interval(EQUIVALENCE)
    if -worth < inner_low and inner_high < worth:
        assert decided.step == 4
    elif low > 0 or high < 0:
        assert decided.step in (5, 6)
    else:
        assert decided.step == (7 if low <= -worth and high >= worth else 8)


def test_the_printed_rule_has_the_eight_steps():
    assert [rule.step for rule in RULES] == list(range(1, 9))
    assert described("One wave.").step == 1
