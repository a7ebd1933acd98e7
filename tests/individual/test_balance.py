"""individual.balance: which dimensions stand beside a leader's own highest, and what help was asked for.

R 4.2.2, on BEFORE and AFTER below; s1, s2 <- pmax(tech, imp, per) - pmin(tech, imp, per) of each wave:
    mean(s1) 1.25; t.test(s1)$conf.int 0.4542260256 2.0457739744; mean(s2) 0.75
    t.test(s2 - s1)   -0.5, -1.07479957262 0.07479957262
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.individual.balance import BESIDE, CHANGE, LOWEST, MEAN, REQUESTS, SPREAD
from evalkit.result import Result
from evalkit.terms import Attribution, Audience, Verdict
from tests.individual.rated import programme, rows

ITEMS = {
    "technical": ("service_design", "governance"),
    "improvement": ("systems_thinking", "improvement_science"),
    "personal": ("interpersonal", "coaching"),
}
"""Two entries of each dimension: as many as must be answered for a score, which is then in halves."""
Scores = tuple[float | None, float | None, float | None]
BEFORE: list[Scores] = [(4, 3, 3.5), (3, 3, 3), (3.5, 3, 2.5), (2, 3.5, 3.5), (4, 2, 2), (3, 3, 5)]
"""Technical, improvement, personal. Drawn to: one, all, one (each half a point apart), two, one, one."""
AFTER: list[Scores] = [(4, 3.5, 3.5), (3.5, 3, 3), (3.5, 3.5, 3), (3, 3.5, 3.5), (4, 3, 2.5), (3, 3, 4)]
"""Drawn to: one, one, two, two, one, one."""


def answers(held: dict[int, Sequence[Scores]], rater: str = "self", by: dict[str, str] | None = None) -> pd.DataFrame:
    """Leaders by wave, each with three scores in halves; None for a dimension left blank."""
    found: dict[str, dict[int, dict[str, float | None]]] = {}
    for wave, leaders in held.items():
        for one, scores in enumerate(leaders):
            told: dict[str, float | None] = {}
            for items, score in zip(ITEMS.values(), scores, strict=True):
                ends = (None, None) if score is None else (math.floor(score), math.ceil(score))
                told |= dict(zip(items, ends, strict=True))
            found.setdefault(f"L{one:02}", {})[wave] = told
    return rows("knowledge_and_skills", found, rater=rater, by=by)


def requests(*themes: str) -> dict[str, pd.DataFrame]:
    """Requests for help with these themes, of one place."""
    log = pd.DataFrame(
        {"request_id": [f"R{one}" for one in range(len(themes))], "place_id": "P1", "theme": themes,
         "asked_on": pd.to_datetime(["2025-01-15"] * len(themes))}
    )  # fmt: skip
    return {"support_requests": log, "places": pd.DataFrame({"place_id": ["P1"], "name": ["Testmere"]})}


def asked(held: dict[int, Sequence[Scores]], *themes: str, **told: Any) -> Result:
    tables = requests(*themes) if themes else {}
    return ek.individual.balance(programme(answers(held), tables=tables), **told)


def of(found: Result, measure: str, wave: int | None = None) -> pd.DataFrame:
    table = found.table[found.table["measure"] == measure]
    return table if wave is None else table[(table["wave"] == wave).fillna(False)]


@pytest.fixture(scope="module")
def both() -> Result:
    return asked({1: BEFORE, 4: AFTER}, "technical", "Governance", "coaching", "data")


def test_the_spread_within_leaders_and_its_change_agree_with_t(both: Result) -> None:
    first, last, moved = (row for _, row in of(both, SPREAD).iterrows())
    assert (first["estimate"], last["estimate"]) == (1.25, 0.75)
    assert (first["low"], first["high"]) == pytest.approx((0.4542260256, 2.0457739744))
    assert moved["what"] == CHANGE
    assert (moved["estimate"], moved["low"], moved["high"]) == pytest.approx((-0.5, -1.07479957262, 0.07479957262))
    assert "was 1.25 points above the lowest and is now 0.75" in both.reading


def test_leaders_are_counted_by_what_stands_beside_their_highest(both: Result) -> None:
    counted = of(both, BESIDE, 1).set_index("group")["n"]
    assert counted.to_dict() == {"one": 4, "two": 1, "all three": 1}
    assert of(both, BESIDE, 4).set_index("group")["n"].to_dict() == {"one": 4, "two": 2, "all three": 0}
    assert of(both, BESIDE, 1)["out_of"].tolist() == [6, 6, 6]
    assert "one for 4, two for 2 and all three for 0 of 6 leaders (April 2024: one for 4" in both.reading


def test_of_equally_weak_dimensions_each_counts(both: Result) -> None:
    """At the first wave (4, 3, 3.5): improvement; (3, 3, 3): all; personal; technical; two; two."""
    assert of(both, LOWEST, 1).set_index("group")["n"].to_dict() == {
        "Technical know-how": 3, "Improvement know-how": 4, "Personal effectiveness": 3
    }  # fmt: skip


def test_means_are_of_those_with_every_dimension() -> None:
    found = asked({1: [*BEFORE, (5, 5, None)]})
    assert found.table.loc[found.table["what"] == MEAN, "n"].tolist() == [6, 6, 6, 6]
    assert of(found, "Technical know-how")["estimate"].tolist() == pytest.approx([19.5 / 6])
    assert "Ratings that leave a dimension without a score are not counted." in found.caveats
    assert found.about.n == 6


def test_requests_are_sorted_by_a_dimension_or_one_of_its_entries(both: Result) -> None:
    found = of(both, REQUESTS).set_index("group")["n"].to_dict()
    assert found == {
        "Technical know-how": 2, "Improvement know-how": 0, "Personal effectiveness": 1, "none of these": 1
    }  # fmt: skip
    assert "Of 4 requests for help, 2 named Technical know-how, none named Improvement know-how" in both.reading
    assert "ratings are lowest on Improvement know-how" in both.reading
    assert "process.support" in " ".join(both.caveats)


def test_without_requests_nobody_says_what_was_asked_for() -> None:
    found = asked({1: BEFORE})
    assert of(found, REQUESTS).empty
    assert "No request for help was recorded" in " ".join(found.caveats)


def test_one_wave_is_enough_and_has_no_change() -> None:
    found = asked({1: BEFORE})
    assert CHANGE not in set(found.table["what"])
    assert "A leader's highest stands 1.25 (0.45 to 2.05) points above the lowest." in found.reading
    assert found.headline.startswith("A leader's strongest stands 1.25 points above their weakest;")
    assert found.headline.endswith("weakest on the whole is Improvement know-how (2.92)")


def test_it_is_described_and_no_better_or_worse(both: Result) -> None:
    assert both.verdict is Verdict.DESCRIBED
    assert both.attribution is Attribution.CANNOT_TELL
    assert both.about.asked == "individual.balance(on='knowledge_and_skills', rater='self')"
    assert both.question == "Are leaders strong in one kind of know-how, or in all three?"


def test_everybody_alike_has_no_interval() -> None:
    found = asked({1: [(3, 3, 3)] * 6})
    assert set(found.table["interval"]) == {"none given"}
    assert of(found, SPREAD)["estimate"].tolist() == [0]
    assert of(found, BESIDE).set_index("group").loc["all three", "n"] == 6


@pytest.mark.parametrize("n", [1, 2, 4])
def test_few_leaders_are_described_and_stay_with_the_evaluator(n: int) -> None:
    found = asked({1: BEFORE[:n], 4: AFTER[:n]})
    assert set(found.table["interval"]) == {"none given"}
    assert "has no interval" in " ".join(found.caveats)
    copy = protect(found, Audience.COMMISSIONER)
    assert copy.headline == "Withheld: too few people to show"
    people = copy.table[copy.table["n_of"] == "leaders"]
    assert not (people["n"] > 0).any()
    assert not (copy.marks["mark"] == "point").any()


def test_small_counts_are_withheld_and_the_means_are_not(both: Result) -> None:
    copy = protect(both, Audience.COMMISSIONER)
    assert not (copy.table.loc[copy.table["measure"].isin([BESIDE, LOWEST]), "n"] > 0).any()
    assert copy.headline == both.headline
    assert "to all three" not in copy.reading


def test_others_may_be_asked_and_few_raters_are_withheld() -> None:
    by = {f"L{one:02}": f"S{one % 3}" for one in range(6)}
    made = programme(answers({1: BEFORE}, "sponsor", by))
    found = ek.individual.balance(made, rater="sponsor")
    assert found.reading.startswith("Sponsors rated leaders 3.25")
    assert set(found.table["raters"].dropna()) == {3}
    copy = protect(found, Audience.TEAM)
    assert copy.headline == "Withheld: too few people to show"
    assert set(copy.table["interval"]) == {"withheld"}
    with pytest.raises(ek.NotEnoughEvidence, match="gave no answers"):
        ek.individual.balance(made)


def test_what_cannot_be_balanced_is_refused() -> None:
    made = programme(answers({1: [(3, None, 3)] * 6}))
    with pytest.raises(ek.NotEnoughEvidence, match="every dimension"):
        ek.individual.balance(made)
    with pytest.raises(ValueError, match="nothing to balance"):
        ek.individual.balance(made, on="role_ambiguity")
    with pytest.raises(ek.NotEnoughEvidence, match="recorded, never averaged"):
        ek.individual.balance(made, on="mbti")
    with pytest.raises(ValueError, match="No instrument is called 'skills'"):
        ek.individual.balance(made, on="skills")
    with pytest.raises(ek.NotEnoughEvidence, match="at one wave only"):
        ek.individual.balance(made, between=(1, 2))


def test_another_instrument_of_several_dimensions_can_be_asked_about() -> None:
    held = {f"L{k}": {1: {"lively": 5, "drained": 1 + k % 2, "matters": 4, "choose": 4, "setback": 2, "steady": 3,
                          "let_go": 1, "habit": 5}} for k in range(7)}  # fmt: skip
    found = ek.individual.balance(programme(rows("staying_power", held)), on="staying_power")
    assert found.question == "Are leaders strong in one part of Keeping going, or in all?"
    assert of(found, BESIDE)["group"].tolist() == ["one", "some, not all", "all 4"]
    assert of(found, BESIDE)["n"].tolist() == [7, 0, 0]


def test_dimensions_come_with_their_dates_in_the_picture(both: Result) -> None:
    assert "Technical know-how: April 2024 3.25, October 2025 3.50" in both.alt
    both.svg()


halves = st.integers(2, 10).map(lambda steps: steps / 2)


@settings(max_examples=10)
@given(st.lists(st.tuples(halves, halves, halves), min_size=1, max_size=9))
def test_every_leader_is_counted_once_and_the_spread_is_never_below_nought(held: list[Scores]) -> None:
    found = asked({1: held})
    assert of(found, BESIDE)["n"].sum() == len(held)
    assert of(found, LOWEST)["n"].sum() >= len(held)
    assert of(found, SPREAD)["estimate"].iloc[0] >= 0
    one = sum(sorted(scores)[-1] - sorted(scores)[-2] >= 0.5 for scores in held)  # type: ignore[type-var,operator]
    assert of(found, BESIDE).set_index("group").loc["one", "n"] == one
