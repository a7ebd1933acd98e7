"""Growth: the domain that decides, families judged together, what could have been seen, groups and arms."""

from __future__ import annotations

import pandas as pd
import pytest

import evalkit as ek
from evalkit import instrument
from evalkit.disclosure import protect
from evalkit.reading.plan import Plan
from evalkit.stats import change, power
from evalkit.terms import Attribution, Audience, Design, Verdict
from tests.individual.rated import alike, programme, rows

FORM = instrument.shipped()["system_leadership"]
ITEMS = {domain.key: [item.key for item in FORM.items if item.domain == domain.key] for domain in FORM.domains}
EVERY = [item.key for item in FORM.items]


def grew(people: int, moved: dict[str, int], *, first: str = "L", spread: int = 3) -> dict:
    """So many leaders, who begin at 2 or 3 on everything; each domain moves by so much in most, not in the same."""
    given = {}
    for at in range(people):
        begins = 2.0 + at % 2
        before = alike(EVERY, begins)
        after = {
            item: begins + (moved.get(domain, 0) if (at + turn) % spread else 0)
            for turn, (domain, own) in enumerate(ITEMS.items())
            for item in own
        }
        given[f"{first}{at:02d}"] = {1: before, 2: after}
    return given


def asked(*answers: pd.DataFrame, **told) -> ek.Programme:
    return programme(*answers, **told)


class TestWhatDecides:
    def test_the_whole_decides_unless_a_domain_was_declared(self) -> None:
        answers = rows("system_leadership", grew(12, {"innovation": 1}))
        whole = ek.individual.growth(asked(answers), on="system_leadership")
        assert whole.table["measure"][0] == "Overall (mean of domains)"
        declared = asked(answers, plan=Plan(primary={"individual": "system_leadership/innovation"}))
        found = ek.individual.growth(declared, on="system_leadership")
        assert found.table["measure"][0] == FORM.domain_labels["innovation"]
        assert len(found.table) == 5

    def test_a_domain_asked_for_stands_alone(self) -> None:
        answers = rows("system_leadership", grew(12, {"innovation": 1}))
        found = ek.individual.growth(asked(answers), on="system_leadership", domain="innovation")
        assert found.table["measure"].tolist() == [FORM.domain_labels["innovation"]]
        by_hand = change.paired(
            [2.0 + at % 2 for at in range(12)], [2.0 + at % 2 + ((at + 2) % 3 > 0) for at in range(12)]
        )
        assert found.table["estimate"][0] == pytest.approx(by_hand.estimate)
        assert found.table["low"][0] == pytest.approx(by_hand.low)
        with pytest.raises(ValueError, match="has no domain 'humour'"):
            ek.individual.growth(asked(answers), on="system_leadership", domain="humour")


class TestFamilies:
    ANSWERS = rows("system_leadership", grew(12, {"innovation": 1, "learning": -1}))

    def test_without_families_all_domains_are_judged_together(self) -> None:
        found = ek.individual.growth(asked(self.ANSWERS), on="system_leadership")
        clear = dict(zip(found.table["measure"], found.table["clear"], strict=True))
        assert clear[FORM.domain_labels["innovation"]] == "higher"
        assert clear[FORM.domain_labels["learning"]] == "lower"
        assert "Of 2 domains judged together" in found.reading

    def test_what_stands_in_no_declared_family_is_shown_and_not_judged(self) -> None:
        plan = Plan(families={"new ways": ("system_leadership/innovation",)})
        found = ek.individual.growth(asked(self.ANSWERS, plan=plan), on="system_leadership")
        clear = dict(zip(found.table["measure"], found.table["clear"], strict=True))
        assert clear[FORM.domain_labels["innovation"]] == "higher"
        assert clear[FORM.domain_labels["learning"]] == ""
        assert "Of 1 domain judged in the families declared beforehand, 1 is clearly higher" in found.reading

    def test_a_domain_in_which_nobody_moved_is_shown_without_an_interval_and_stops_nothing(self) -> None:
        found = ek.individual.growth(asked(self.ANSWERS), on="system_leadership")
        still = found.table.set_index("measure").loc[FORM.domain_labels["relationships"]]
        assert (still["estimate"], still["interval"], still["n"]) == (0.0, "none given", 12)
        assert any("all changed alike" in caution for caution in found.caveats)


class TestWhatCouldHaveBeenSeen:
    def test_it_stands_beside_a_null_and_not_beside_a_clear_change(self) -> None:
        still = ek.individual.growth(
            asked(rows("system_leadership", grew(12, {"innovation": 1, "learning": -1}))), on="system_leadership"
        )
        assert still.verdict in (Verdict.NO_CLEAR_CHANGE, Verdict.UNCLEAR)
        found = still.details[next(iter(still.details))]
        least = power.smallest_seen(found.se, found.df, power=0.8, confidence=0.97)
        assert f"Only a change of {least:.1f}" in still.reading
        moved = ek.individual.growth(
            asked(rows("system_leadership", grew(12, dict.fromkeys(ITEMS, 1)))), on="system_leadership"
        )
        assert moved.verdict is Verdict.ROSE
        assert "Only a change" not in moved.reading

    def test_it_is_what_power_says_of_people_who_answer_twice(self) -> None:
        assert power.smallest_seen(1.7 / 20**0.5, 19) == pytest.approx(power.paired(20, sd=1.7, runs=10).estimate)


class TestTeams:
    def test_with_three_or_four_teams_the_interval_is_theirs_and_nothing_is_decided(self) -> None:
        given = grew(12, dict.fromkeys(ITEMS, 1))
        few = asked(rows("system_leadership", given), teams={who: f"T{at % 3}" for at, who in enumerate(given)})
        found = ek.individual.growth(few, on="system_leadership")
        assert found.verdict is Verdict.DESCRIBED
        assert "3 teams" in found.decided.why
        assert found.details["overall"].clustered_on == "team"

    def test_one_without_a_team_stands_alone(self) -> None:
        given = grew(12, dict.fromkeys(ITEMS, 1))
        teams = {who: f"T{at % 5}" for at, who in enumerate(given) if at < 10}
        found = ek.individual.growth(asked(rows("system_leadership", given), teams=teams), on="system_leadership")
        assert found.details["overall"].clusters == 7
        assert found.verdict is Verdict.ROSE


class TestArms:
    @staticmethod
    def both(met: int, others: int, **told) -> ek.Programme:
        mine = grew(met, dict.fromkeys(ITEMS, 1))
        theirs = grew(others, {}, first="C", spread=4)
        theirs["C00"][2] = alike(EVERY, 3.0)
        return asked(
            rows("system_leadership", mine), rows("system_leadership", theirs),
            arms=dict.fromkeys(theirs, "comparison"), **told,
        )  # fmt: skip

    def test_the_difference_of_two_changes_decides(self) -> None:
        found = ek.individual.growth(self.both(12, 10), on="system_leadership", by="arm")
        table = found.table.set_index("group")
        assert table["estimate"]["all"] == pytest.approx(
            table["estimate"]["in the programme"] - table["estimate"]["followed for comparison"]
        )
        assert found.method.design is Design.COMPARED
        assert found.verdict is Verdict.ROSE
        assert found.attribution is Attribution.DIFFERENCE
        assert found.question == "Are people leading differently?"

    def test_growth_says_that_others_were_followed(self) -> None:
        found = ek.individual.growth(self.both(12, 10), on="system_leadership")
        assert "by=“arm”" in found.caveats[0]
        assert found.about.n == 12

    def test_few_on_one_side_are_described_and_kept_back(self) -> None:
        found = ek.individual.growth(self.both(12, 4), on="system_leadership", by="arm")
        assert found.verdict is Verdict.DESCRIBED
        shown = protect(found, Audience.COMMISSIONER)
        assert shown.table.set_index("group")["estimate"].isna().all(), "one alone would be told by what is left"

    def test_nobody_followed_is_refused(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="Nobody was followed"):
            ek.individual.growth(asked(rows("system_leadership", grew(8, {}))), on="system_leadership", by="arm")


class TestGroups:
    def test_by_seniority_side_by_side_without_a_verdict(self) -> None:
        given = grew(14, dict.fromkeys(ITEMS, 1))
        seniority = {who: "executive" if at < 7 else "other" for at, who in enumerate(given)}
        found = ek.individual.growth(
            asked(rows("system_leadership", given), seniority=seniority), on="system_leadership", by="seniority"
        )
        assert found.verdict is Verdict.DESCRIBED
        assert found.table["group"].tolist() == ["executive", "other"]
        assert found.question != "Are people leading differently?"

    def test_by_how_leaders_began_at_the_middle_of_the_scale(self) -> None:
        given = grew(14, dict.fromkeys(ITEMS, 1))
        form = instrument.shipped()["readiness"]
        ready = {
            who: {1: {item.key: (2.0 if item.reversed else 4.0) if at < 8 else 3.0 for item in form.items}}
            for at, who in enumerate(given)
        }
        found = ek.individual.growth(
            asked(rows("system_leadership", given), rows("readiness", ready)), on="system_leadership", by="readiness"
        )
        assert found.table["n"].tolist()[:2] == [8, 6]
        assert found.table["group"].tolist() == [
            "who began above 3 on Readiness for change", "who began at or below 3 on Readiness for change", "all",
        ]  # fmt: skip

    def test_what_nobody_recorded_is_named(self) -> None:
        with pytest.raises(ValueError, match="Nothing called 'star sign'"):
            ek.individual.growth(asked(rows("system_leadership", grew(8, {}))), on="system_leadership", by="star sign")


def test_a_malformed_between_is_an_error() -> None:
    with pytest.raises(ValueError, match="earlier wave first"):
        ek.individual.growth(asked(rows("system_leadership", grew(8, {}))), on="system_leadership", between=(2, 1))
