"""individual.seen_by_others: gaps by domain, weighed by importance, and how many leaders see themselves otherwise.

R 4.2.2; g and w: the gaps and the importance of the first two domains (GAPS and WORTH below, a row a leader), the other
seven without a gap and of importance 1:
    x <- rowSums(w * g) / (rowSums(w) + 7); mean(x) 0.2241647242; t.test(x)$conf.int -0.1828509246 0.6311803729
    p <- rowSums(g) / 9;                    mean(p) 0.1111111111; t.test(p)$conf.int -0.05379179053 0.27601401275
    sd(p) / 2                               0.07856742013
    t.test(g[, 1])$conf.int -0.4171858017 1.7505191350;    t.test(g[, 2])$conf.int -0.5235272785 1.1901939452
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.individual.weighed import PLAIN, WEIGHED
from evalkit.instrument import shipped
from evalkit.programme import Programme
from evalkit.result import Result
from evalkit.terms import Audience, Verdict
from tests.individual.rated import programme, rows

MODEL, IMPORTANCE = "healthcare_leadership_model", "healthcare_leadership_importance"
DOMAINS = [domain.key for domain in shipped()[MODEL].domains]
GAPS = [(1, 0), (1, 1), (-1, 0), (0, 1), (2, 1), (1, -1)]
"""Own rating less sponsors', on the first two domains."""
WORTH = [(4, 1), (2, 2), (3, 1), (1, 4), (4, 2), (1, 3)]
"""How much sponsors say these two matter."""
BY = {f"L{one:02}": f"S{one}" for one in range(20)}
Pairs = Sequence[tuple[float | None, float | None]]


def answers(
    instrument: str, first_two: Pairs, rest: float, rater: str = "self", wave: int = 1, by: dict[str, str] | None = None
) -> pd.DataFrame:
    """Leaders' scores on the first two domains, and the same on the other seven."""
    held: dict[str, dict[int, dict[str, float | None]]] = {
        f"L{one:02}": {wave: dict.fromkeys(DOMAINS, rest) | dict(zip(DOMAINS, two, strict=False))}
        for one, two in enumerate(first_two)
    }
    return rows(instrument, held, rater=rater, by=BY if by is None and rater != "self" else by)


def both(gaps: Sequence[tuple[int, int]] = GAPS, wave: int = 1) -> list[pd.DataFrame]:
    """Sponsors give 2 (3 where the leader stands lower), leaders as much more as the gap says."""
    seen = [tuple(3 if gap < 0 else 2 for gap in two) for two in gaps]
    own = [
        tuple(score + gap for score, gap in zip(scores, two, strict=True))
        for scores, two in zip(seen, gaps, strict=True)
    ]
    return [answers(MODEL, own, 2, wave=wave), answers(MODEL, seen, 2, "sponsor", wave)]  # type: ignore[arg-type]


def weighed(worth: Pairs = WORTH, rater: str = "sponsor", **told: Any) -> Result:
    made = programme(*both(), answers(IMPORTANCE, worth, 1, rater), **told)
    return ek.individual.seen_by_others(made, on=MODEL, raters=("sponsor",), importance=IMPORTANCE)


def row(found: Result, measure: str) -> pd.Series:
    return found.table[found.table["measure"] == measure].iloc[0]


@pytest.fixture(scope="module")
def found() -> Result:
    return weighed()


@pytest.fixture(scope="module")
def plain() -> Programme:
    return programme(*both())


def test_each_leader_s_gaps_are_weighed_by_what_the_same_raters_say_matters(found: Result) -> None:
    held = row(found, WEIGHED)
    assert (held["estimate"], held["low"], held["high"]) == pytest.approx((0.2241647242, -0.1828509246, 0.6311803729))
    assert held["weighed_by"] == "sponsors"
    assert held["n"] == 6
    alone = row(found, PLAIN)
    assert (alone["estimate"], alone["low"], alone["high"]) == pytest.approx(
        (0.1111111111, -0.05379179053, 0.27601401275)
    )
    assert (
        "Weighed by importance, the gap is 0.22 (−0.18 to 0.63) beside sponsors, and 0.11 not weighed" in found.reading
    )


def test_gaps_by_domain_agree_with_t_and_the_widest_is_named(found: Result) -> None:
    first, second = row(found, "Inspiring shared purpose"), row(found, "Leading with care")
    assert (first["estimate"], first["low"], first["high"]) == pytest.approx((2 / 3, -0.4171858017, 1.750519135))
    assert (second["estimate"], second["low"], second["high"]) == pytest.approx((1 / 3, -0.5235272785, 1.1901939452))
    nothing = row(found, "Holding to account")
    assert (nothing["estimate"], nothing["interval"]) == (0, "none given")
    assert found.headline == (
        "Leaders' own ratings differ most from those of sponsors on Inspiring shared purpose (0.67 higher)"
    )
    assert "higher than sponsors did on 2 of 9 domains" in found.reading


def test_leaders_half_a_standard_deviation_apart_are_counted(found: Result, plain: Programme) -> None:
    """p is .11, .22, −.11, .11, .33, 0 and half its SD .079."""
    for told in (found, ek.individual.seen_by_others(plain, on=MODEL, raters=("sponsor",))):
        counted = told.table[told.table["out_of"].notna()].set_index("group")["n"]
        assert counted.to_dict() == {"higher": 4, "alike": 1, "lower": 1}
    assert "of 6 leaders rated by sponsors, 4 rate themselves higher, 1 lower and 1 alike" in found.reading
    assert "from memory" in found.method.source


def test_without_by_the_answer_is_as_it_was(plain: Programme) -> None:
    told = ek.individual.seen_by_others(plain, on=MODEL, raters=("sponsor",))
    assert told.headline == "Leaders rate themselves 0.11 higher than sponsors do"
    assert told.about.asked == "individual.seen_by_others(on='healthcare_leadership_model', raters=('sponsor',))"
    assert told.table["measure"].iloc[0] == "Overall (mean of domains)"
    assert len(told.parts[1]) == 1


def test_by_domain_without_importance_weighs_nothing(plain: Programme) -> None:
    told = ek.individual.seen_by_others(plain, on=MODEL, raters=("sponsor", "partner"), by="domain")
    assert not told.table["measure"].isin([WEIGHED, PLAIN]).any()
    assert told.verdict is Verdict.DESCRIBED
    assert told.table["measure"].tolist()[:3] == [
        "Overall (mean of domains)", "Inspiring shared purpose", "Leading with care"
    ]  # fmt: skip
    told.svg()


def test_leaders_weigh_for_those_who_did_not_say_what_matters() -> None:
    told = weighed(rater="self")
    assert row(told, WEIGHED)["weighed_by"] == "leaders"
    assert row(told, WEIGHED)["estimate"] == pytest.approx(0.2241647242)
    assert any("Sponsors did not say what matters" in caution for caution in told.caveats)


def test_leaders_without_importance_are_left_out_and_counted() -> None:
    told = weighed([*WORTH[:4], (None, 2), (None, None)])
    assert row(told, WEIGHED)["n"] == 4
    assert row(told, WEIGHED)["estimate"] == pytest.approx(
        (0.3333333333 + 0.3636363636 - 0.2727272727 + 0.3333333333) / 4
    )
    assert row(told, PLAIN)["tells"] == 2
    assert any("2 of 6 leaders are not weighed, for 3 ratings of importance are missing" in c for c in told.caveats)
    assert row(told, WEIGHED)["interval"] == "none given"


def test_importance_said_earlier_holds_and_later_does_not() -> None:
    made = programme(
        *both(wave=2), answers(IMPORTANCE, WORTH, 1, "sponsor"), answers(IMPORTANCE, [(1, 1)] * 6, 1, "sponsor", 3)
    )
    told = ek.individual.seen_by_others(made, on=MODEL, raters=("sponsor",), importance=IMPORTANCE)
    assert row(told, WEIGHED)["estimate"] == pytest.approx(0.2241647242)


def test_what_cannot_weigh_is_refused(plain: Programme) -> None:
    ask = ek.individual.seen_by_others
    with pytest.raises(ek.NotEnoughEvidence, match="for every domain"):
        ask(plain, on=MODEL, raters=("sponsor",), importance=IMPORTANCE)
    with pytest.raises(ValueError, match=r"importance='reaction' cannot weigh.*has no Inspiring shared purpose"):
        ask(plain, on=MODEL, importance="reaction")
    with pytest.raises(ValueError, match="No instrument is called 'weight'"):
        ask(plain, on=MODEL, importance="weight")
    with pytest.raises(ValueError, match="by='sex' is none of what gaps can be split by: 'domain'"):
        ask(plain, on=MODEL, by="sex")
    with pytest.raises(ek.NotEnoughEvidence, match="Nobody was rated"):
        ask(plain, on=MODEL, raters=("partner",), by="domain")


def test_the_last_wave_both_rated_is_read() -> None:
    again = [(2, 0)] * 6
    made = programme(*both(), *both(again, wave=2), answers(MODEL, [(4, 4)] * 6, 4, wave=3))
    told = ek.individual.seen_by_others(made, on=MODEL, raters=("sponsor",), by="domain")
    assert set(told.table["wave"]) == {2}
    assert row(told, "Inspiring shared purpose")["estimate"] == 2


@pytest.mark.parametrize("n", [1, 4])
def test_few_leaders_stay_with_the_evaluator(n: int) -> None:
    made = programme(*both(GAPS[:n]), answers(IMPORTANCE, WORTH[:n], 1, "sponsor"))
    told = ek.individual.seen_by_others(made, on=MODEL, raters=("sponsor",), importance=IMPORTANCE)
    assert set(told.table["interval"]) == {"none given"}
    assert not told.table["out_of"].notna().any()
    copy = protect(told, Audience.COMMISSIONER)
    assert set(copy.table["interval"]) == {"withheld"}
    assert not (copy.marks["mark"] == "point").any()


def test_few_raters_stay_with_the_evaluator_though_the_leaders_are_many() -> None:
    few = {leader: f"S{at % 3}" for at, leader in enumerate(BY)}
    own, _ = both()
    made = programme(
        own, answers(MODEL, [(2, 2)] * 6, 2, "sponsor", by=few), answers(IMPORTANCE, WORTH, 1, "sponsor", by=few)
    )
    told = ek.individual.seen_by_others(made, on=MODEL, raters=("sponsor",), importance=IMPORTANCE)
    assert set(told.table["raters"]) == {3}
    assert set(protect(told, Audience.TEAM).table["interval"]) == {"withheld"}


def test_an_instrument_without_a_whole_is_asked_by_domain() -> None:
    items = ("service_design", "governance", "systems_thinking", "improvement_science", "interpersonal", "coaching")
    held = {f"L{k:02}": {1: dict.fromkeys(items, float(2 + k % 3))} for k in range(6)}
    lower = {leader: {1: dict.fromkeys(items, 2.0)} for leader in held}
    made = programme(rows("knowledge_and_skills", held), rows("knowledge_and_skills", lower, rater="sponsor", by=BY))
    told = ek.individual.seen_by_others(made, on="knowledge_and_skills", raters=("sponsor",), by="domain")
    assert told.table["measure"].tolist() == ["Technical know-how", "Improvement know-how", "Personal effectiveness"]
    assert not told.table["out_of"].notna().any()


@settings(max_examples=8)
@given(
    st.lists(
        st.tuples(st.integers(-1, 2), st.integers(-1, 2), st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=8
    )
)
def test_the_weighed_gap_lies_between_the_least_and_the_widest(held: list[tuple[int, int, int, int]]) -> None:
    gaps, worth = [(a, b) for a, b, _, _ in held], [(float(c), float(d)) for _, _, c, d in held]
    made = programme(*both(gaps), answers(IMPORTANCE, worth, 1, "sponsor"))
    told = ek.individual.seen_by_others(made, on=MODEL, raters=("sponsor",), importance=IMPORTANCE)
    estimate = row(told, WEIGHED)["estimate"]
    assert min(0, *(min(two) for two in gaps)) - 1e-9 <= estimate <= max(0, *(max(two) for two in gaps)) + 1e-9
    expected = [(a * c + b * d) / (c + d + 7) for a, b, c, d in held]
    assert estimate == pytest.approx(sum(expected) / len(expected))
