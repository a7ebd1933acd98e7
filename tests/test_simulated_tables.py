"""Every table of an invented programme: it is there, it keeps the rules, and it is what the truth says it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import evalkit as ek
from data_schemas.tables import models, schema
from evalkit import simulation
from evalkit.programme import Programme
from evalkit.simulation import BY_NAME, EFFECTS, PARTS, Scenario, World, planted
from evalkit.simulation.surveys import SURVEYS
from evalkit.simulation.truth import MEANINGS, of

SMALL: dict[str, Any] = {"leaders": 20, "teams": 4, "places": 3, "programme_places": 2, "waves": 2, "months": 24}
SEEDS = range(40)
SURE = 4.5
"""Standard errors a figure may lie from the truth: by chance one check in 150,000 does not keep to it."""


@pytest.fixture(scope="module")
def full() -> Programme:
    """Northmere's own size, single patients and all."""
    return ek.simulate(seed=3, tables=tuple(PARTS))


@cache
def drawn(part: str) -> dict[str, pd.DataFrame]:
    """A part's tables over all the seeds, with the seed beside each row."""
    piles: dict[str, list[pd.DataFrame]] = {}
    for seed in SEEDS:
        world = World(Scenario(effects=planted(None)), seed)
        for name, frame in world.tables((part,)).items():
            if name in PARTS[part]:
                piles.setdefault(name, []).append(frame.assign(seed=seed))
    return {name: pd.concat(frames, ignore_index=True) for name, frames in piles.items()}


@cache
def truth() -> Mapping[str, Any]:
    """What is expected at the default size."""
    return of(World(Scenario(effects=planted(None)), 0))["expected"]


def share_is(found: pd.Series[bool], expected: float) -> bool:
    """Whether a share of independent cases is what it should be."""
    error = math.sqrt(expected * (1 - expected) / len(found))
    return abs(float(found.mean()) - expected) <= SURE * error


def rate_is(count: int, expected: float) -> bool:
    """Whether a Poisson count is what it should be."""
    return abs(count - expected) <= SURE * math.sqrt(expected)


def mean_is(values: pd.Series[float], expected: float) -> bool:
    """Whether the mean of independent figures is what it should be."""
    return abs(float(values.mean()) - expected) <= SURE * float(values.std(ddof=1)) / math.sqrt(len(values))


class TestEveryTable:
    def test_is_a_part_or_the_spine_and_no_two_parts_share_one(self, full: Programme) -> None:
        of_parts = [table for tables in PARTS.values() for table in tables]
        assert sorted(of_parts) == sorted([*set(of_parts), "outcomes"])  # which two parts write in
        spine = {"people", "participants", "teams", "organisations", "places", "waves", "events"}
        assert {*of_parts, *spine} == set(models())

    @pytest.mark.parametrize("table", list(models()))
    def test_has_rows(self, full: Programme, table: str) -> None:
        assert full.has(table)

    @pytest.mark.parametrize("size", [{}, SMALL], ids=["northmere", "small"])
    def test_reads_back_as_it_was(self, size: dict[str, Any], tmp_path) -> None:
        programme = ek.simulate(seed=8, **size, tables=tuple(PARTS))
        folder = simulation.write(programme, tmp_path / "there")
        assert ek.check(folder).empty
        loaded = ek.load(folder)
        for table in models():
            pd.testing.assert_frame_equal(getattr(loaded, table), getattr(programme, table))
        assert loaded.data_hash == programme.data_hash
        assert loaded.truth == programme.truth
        assert (folder / "README.md").read_text(encoding="utf-8").splitlines()[0].startswith("# Northmere: FICTIONAL")

    def test_the_same_seed_writes_the_same_bytes(self, tmp_path) -> None:
        folders = [simulation.write(ek.simulate(seed=8, **SMALL), tmp_path / name) for name in ("one", "two")]
        one, two = ({file.name: file.read_bytes() for file in folder.iterdir()} for folder in folders)
        assert one == two

    @pytest.mark.parametrize("seed", range(6))
    def test_nothing_happened_after_the_last_day(self, seed: int) -> None:
        for size in ({**SMALL, "months": 12}, {**SMALL, "waves": 5}):
            programme = ek.simulate(seed=seed, **size, tables=tuple(PARTS))
            last = pd.Timestamp(programme.as_of)
            for table in models():
                for name, column in schema(table).columns.items():
                    if (column.metadata or {})["happened"] and programme.has(table):
                        assert not (getattr(programme, table)[name] > last).any(), (table, name)

    def test_parts_made_by_name_only_are_known_parts(self) -> None:
        assert set(BY_NAME) < set(PARTS)
        assert not ek.simulate(seed=1, **SMALL).has("admissions")

    def test_one_place_or_cohort_still_keeps_every_rule(self, full: Programme) -> None:
        for part in (full.only(place="P02"), full.only(cohort="east")):
            assert part.has("meetings")
            assert part.has("posts")
            assert set(part.posts["organisation_id"]) <= set(part.organisations["organisation_id"])


class TestTruth:
    def test_says_what_everything_means(self) -> None:
        assert set(MEANINGS) <= set(truth())

    def test_stands_in_the_readme(self, tmp_path) -> None:
        readme = (simulation.write(ek.simulate(seed=1, **SMALL), tmp_path) / "README.md").read_text(encoding="utf-8")
        assert all(f"| `{name}` | {words} |" in readme for name, words in MEANINGS.items())

    def test_does_not_depend_on_the_seed(self) -> None:
        scenario = Scenario(effects=planted(None))
        one, other = (of(World(scenario, seed))["expected"] for seed in (1, 2))
        assert {name: one[name] for name in MEANINGS} == {name: other[name] for name in MEANINGS}

    def test_with_nothing_going_on_nothing_is_expected_to_change(self) -> None:
        said = of(World(Scenario(effects=planted({})), 1))["expected"]
        for survey in SURVEYS.values():
            ends = said[survey.instrument]["mean_by_wave"].values()
            assert all(by_wave[0] == pytest.approx(by_wave[-1]) for by_wave in ends), survey.instrument
        assert said["meetings"]["per_place_per_month_before"] == said["meetings"]["per_place_per_month_after"]
        assert len(set(said["observations"]["share_network_by_look"])) == 1

    @pytest.mark.parametrize(
        "measure", ["five_factors", "learning", "role_ambiguity", "working_together", "knowledge_and_skills"]
    )
    def test_each_part_of_a_survey_changes_as_planted(self, measure: str) -> None:
        said = of(World(Scenario(effects=planted({measure: -0.2})), 1))["expected"][measure]["mean_by_wave"]
        assert all(last - first == pytest.approx(-0.2, abs=2e-6) for first, last in said.values())

    def test_a_dip_is_there_at_the_second_wave_and_gone_by_the_last(self) -> None:
        said = of(World(Scenario(effects=planted({"staying_power": -0.4})), 1))["expected"]["staying_power"]
        assert said["asked_at_waves"] == [1, 2, 3, 4]
        for first, second, third, last in said["mean_by_wave"].values():
            assert second - first == pytest.approx(-0.4, abs=2e-6)
            assert second < third < first
            assert last == pytest.approx(first, abs=2e-6)

    def test_one_style_gains_what_another_loses(self) -> None:
        said = of(World(Scenario(effects=planted({"leadership_styles": 0.1})), 1))["expected"]["leadership_styles"]
        moved = {style: last - first for style, (first, last) in said["mean_by_wave"].items()}
        assert moved["coaching"] == pytest.approx(0.1, abs=2e-6)
        assert moved["pacesetting"] == pytest.approx(-0.1, abs=2e-6)
        assert moved["visionary"] == pytest.approx(0.0, abs=2e-6)

    def test_points_change_as_planted(self) -> None:
        said = of(World(Scenario(effects=planted({"sustainability": -4.0})), 1))["expected"]["sustainability"]
        first, last = said["mean_by_wave"]["overall"]
        assert last - first == pytest.approx(-4.0, abs=2e-6)
        domains = [said["mean_by_wave"][name] for name in ("process", "staff", "organisation")]
        assert np.sum(domains, axis=0) == pytest.approx([first, last], abs=5e-6)

    @pytest.mark.parametrize(
        ("measure", "value", "words"),
        [
            ("sustainability", 90.0, "sustainability runs off"),
            ("five_factors", 2.5, "runs off the scale"),
            ("network_form", 0.7, "network_form runs off"),
            ("network_form", -0.3, "network_form runs off"),
            ("meetings", -1.0, "rate ratio of meetings is below 0"),
        ],
    )
    def test_what_cannot_be_planted_is_refused(self, measure: str, value: float, words: str) -> None:
        with pytest.raises(ValueError, match=words):
            ek.simulate(seed=1, effects={measure: value}, tables=())

    def test_every_effect_has_its_words(self) -> None:
        assert all(effect.words for effect in EFFECTS)


class TestSurveys:
    @staticmethod
    def means(name: str, instrument: str) -> pd.DataFrame:
        """Seeds × domains and wave: the mean score over those who answered."""
        known = ek.simulate(seed=1, **SMALL, tables=()).instruments[instrument]
        found = []
        for seed in SEEDS:
            answers = World(Scenario(effects=planted(None)), seed).responses((name,))["responses"]
            scores = known.score(answers).dropna(subset="score")
            found.append(scores.groupby(["domain", "wave"])["score"].mean())
        return pd.DataFrame(found)

    @pytest.mark.parametrize(
        ("name", "instrument"),
        [
            ("project", "sustainability"),
            ("team", "five_factors"),
            ("learning", "learning"),
            ("demands", "role_ambiguity"),
            ("together", "working_together"),
            ("knowing", "knowledge_and_skills"),
            ("styles", "leadership_styles"),
            ("keeping_going", "staying_power"),
            ("ready", "readiness"),
        ],
    )
    def test_mean_scores_are_what_is_expected(self, name: str, instrument: str) -> None:
        means, said = self.means(name, instrument), truth()[instrument]
        for domain, ends in said["mean_by_wave"].items():
            for wave, expected in zip(said["asked_at_waves"], ends, strict=True):
                assert mean_is(means[(domain, wave)], expected), (domain, wave)

    def test_words_and_no_opinion_are_written(self) -> None:
        programme = ek.simulate(seed=2, tables=("responses",), asked=("project",))
        assert set(programme.responses["answer"]) == {-1.0, 0.0, 1.0, 2.0, 3.0}
        share = (programme.responses["answer"] == -1.0).mean()
        assert share == pytest.approx(0.03, abs=0.03)
        assert programme.responses["subject_id"].nunique() == 8

    def test_seven_teams_say_how_it_is_to_work_together(self) -> None:
        answers = ek.simulate(seed=2, tables=("responses",), asked=("together",)).responses
        first = answers[answers["wave"] == 1].drop_duplicates(["respondent_id", "subject_id"])
        said = first.groupby("subject_id").size()
        assert sorted(said.index) == [f"T0{team}" for team in range(1, 8)]
        assert said.max() == 4
        assert set(answers["subject_kind"]) == {"team"}
        assert set(answers["rater"]) == {"team_member"}
        few = ek.simulate(seed=2, leaders=6, teams=2, tables=("responses",), asked=("together",)).responses
        assert few["subject_id"].nunique() == 2

    def test_what_came_into_use_is_answered_in_the_shares_planted(self) -> None:
        codes = [0.0, 1.0, 2.0, 3.0, 4.0, -1.0]
        found = []
        for seed in SEEDS:
            answers = World(Scenario(effects=planted(None)), seed).responses(("use",))["responses"]
            own = answers[answers["rater"] == "self"]
            found.append(own["answer"].value_counts(normalize=True).reindex(codes, fill_value=0.0))
            assert set(answers["timing"]) == {"followup"}
            assert answers["wave"].isna().all() if "wave" in answers else True
        shares = pd.DataFrame(found)
        for code, expected in zip(codes, truth()["putting_to_use"]["shares_by_self"], strict=True):
            assert mean_is(shares[code], expected), code

    def test_those_without_a_name_are_listed_and_answer(self) -> None:
        programme = ek.simulate(seed=2, tables=("responses",), asked=("project",))
        unnamed = set(programme.responses["respondent_id"]) - set(programme.people["person_id"])
        assert unnamed == set(programme.respondents["respondent_id"])
        assert not ek.simulate(seed=2, tables=("responses",), asked=("self",)).has("respondents")

    def test_nobody_answers_after_leaving(self, full: Programme) -> None:
        left = full.participants.set_index("participant_id")["left"]
        answers = full.responses[full.responses["instrument"].isin(["five_factors", "learning", "sustainability"])]
        assert len(answers)
        assert not (answers["answered_on"] > answers["respondent_id"].map(left)).any()


class TestPosts:
    def test_shares_are_what_is_expected(self) -> None:
        posts, said = drawn("posts")["posts"], truth()["posts"]
        held = posts.groupby(["seed", "person_id"])
        ended = held["end"].apply(lambda end: end.notna().all())
        programme = posts[~(posts["end"] < pd.Timestamp(2024, 4, 1))]
        later = programme.groupby(["seed", "person_id"])["organisation_id"]
        moved, many = later.nunique() > 1, later.size()
        assert share_is(moved, said["share_who_moved_to_another_organisation"])
        assert share_is(ended, said["share_who_left_northmere"])
        assert share_is((many > 1) & ~moved, said["share_who_stepped_up"])
        assert share_is((many == 1) & ~ended, said["share_in_the_post_they_began_in"])
        assert sum(said.values()) == pytest.approx(1.0)

    def test_posts_of_one_person_follow_each_other(self, full: Programme) -> None:
        posts = full.posts
        before = posts.groupby("person_id")["end"].shift()
        second = posts[before.notna()]
        assert len(second) > 10
        assert (second["start"] == before[before.notna()] + pd.Timedelta(days=1)).all()

    def test_at_the_start_everybody_works_where_people_says(self, full: Programme) -> None:
        home = full.people.set_index("person_id")["organisation_id"]
        assert full.organisations_on(pd.Timestamp(2024, 4, 1).date()).equals(home)

    def test_nobody_moves_while_on_a_roster(self, full: Programme) -> None:
        """So the bridges of the last wave are those between the organisations of the first."""
        home = full.people.set_index("person_id")["organisation_id"]
        opened = full.waves.set_index("wave")["opens_on"]
        for wave, asked in full.rosters.groupby("wave"):
            then = full.organisations_on(opened[wave].date())
            assert (then[asked["person_id"]] == home[asked["person_id"]]).all()

    def test_a_body_was_merged_and_its_people_went_with_it(self, full: Programme) -> None:
        bodies = full.organisations.set_index("organisation_id")
        former = bodies[bodies["successor_id"].notna()]
        assert len(former) == 1
        gone, into = former.index[0], former["successor_id"].iloc[0]
        assert full.successor(gone) == into
        held = full.posts[full.posts["organisation_id"] == gone]
        assert len(held) >= 2
        assert (held["end"] == former["valid_to"].iloc[0]).all()
        assert (full.people.set_index("person_id")["organisation_id"][held["person_id"]] == into).all()
        assert gone not in set(full.people["organisation_id"])

    def test_who_leaves_the_programme_leaves_team_and_post_on_that_day(self, full: Programme) -> None:
        left = full.participants.dropna(subset="left").set_index("participant_id")["left"]
        seats = full.memberships.dropna(subset="end").set_index("person_id")["end"]
        assert seats.sort_index().equals(left.sort_index().rename("end").rename_axis("person_id"))
        ended = full.posts[full.posts["start"].isna() | (full.posts["start"] < pd.Timestamp(2024, 4, 1))]
        ended = ended.groupby("person_id")["end"].last()
        assert (ended[left.index] == left).all()

    def test_seats_are_filled_and_characteristics_said_as_often_as_expected(self) -> None:
        tables = drawn("posts")
        members, said = tables["memberships"], tables["characteristics"]
        leaving = int(members["end"].notna().sum())
        joined = int((members["start"] > pd.Timestamp(2024, 4, 1)).sum())
        filled = pd.Series([True] * joined + [False] * (leaving - joined))
        assert share_is(filled, truth()["memberships"]["share_of_leavers_replaced"])
        for characteristic, shares in truth()["characteristics"].items():
            answers = said.loc[said["characteristic"] == characteristic, "value"]
            assert set(answers) == set(shares)
            assert all(share_is(answers == value, share) for value, share in shares.items())

    def test_what_became_of_people_with_promise_is_what_their_posts_say(self, full: Programme) -> None:
        talent, posts = full.talent.set_index("person_id"), full.posts
        still = posts[posts["end"].isna()].drop_duplicates("person_id", keep="last").set_index("person_id")
        away = talent.index[talent["outcome"] == "left_system"]
        assert not set(away) & set(still.index)
        higher = talent.index[talent["outcome"] == "higher_post"]
        assert (posts["person_id"].value_counts()[higher] >= 2).all()


class TestWorkingTogether:
    def test_meetings_are_as_many_and_as_relational_as_expected(self) -> None:
        meetings, said = drawn("meetings")["meetings"], truth()["meetings"]
        before = int((meetings["held_on"] < pd.Timestamp(2024, 4, 1)).sum())
        assert rate_is(before, said["per_place_per_month_before"] * 12 * 6 * len(SEEDS))
        assert rate_is(len(meetings) - before, said["per_place_per_month_after"] * 12 * 24 * len(SEEDS))
        assert share_is(meetings["purpose"] == "relational", said["share_relational"])
        assert share_is(meetings["mode"] == "face_to_face", said["share_face_to_face"])
        assert share_is(drawn("meetings")["meeting_attendance"]["present"], said["share_of_leaders_present"])

    def test_only_its_own_members_come_to_a_teams_meeting(self, full: Programme) -> None:
        came = full.meeting_attendance.merge(full.meetings, on="meeting_id")
        leaders = full.participants.set_index("participant_id")
        assert (came["person_id"].map(leaders["team_id"]) == came["team_id"]).all()
        assert not (came["person_id"].map(leaders["left"]) < came["held_on"]).any()
        places = full.teams.set_index("team_id")["place_id"]
        assert (came["team_id"].map(places) == came["place_id"]).all()

    def test_conflicts_are_raised_and_resolved_as_expected(self) -> None:
        conflicts, said = drawn("conflicts")["conflicts"], truth()["conflicts"]
        assert rate_is(len(conflicts), said["raised_per_place_per_month"] * 12 * 24 * len(SEEDS))
        assert share_is(conflicts["resolved_on"].notna(), said["share_resolved"])
        outcomes = conflicts["outcome"].dropna()
        assert share_is(outcomes == "all_gained", said["share_of_resolved_in_which_all_gained"])

    def test_places_look_like_networks_as_often_as_expected_and_observers_agree(self) -> None:
        seen, said = drawn("observations")["observations"], truth()["observations"]
        forms = seen[seen["form"].isin(["market", "hierarchy", "network"])]
        first = forms[forms["coder"] == "C1"]
        looks = first.groupby(first["observed_on"] > pd.Timestamp(2025, 1, 1))
        for (_, look), share in zip(looks, said["share_written_down_as_network_by_look"], strict=True):
            assert share_is(look["form"] == "network", share)
        keys = ["seed", "place_id", "feature", "observed_on"]
        both = forms.set_index([*keys, "coder"])["form"].unstack("coder").dropna()
        assert share_is(both["C1"] == both["C2"], said["share_of_features_two_observers_agree_on"])
        lessons = seen[seen["form"].isin(["absent", "partly", "in_place"])]
        assert share_is(lessons["form"] == "in_place", said["share_of_lessons_in_place"])


class TestImproving:
    def test_cycles_are_as_many_and_end_as_expected(self) -> None:
        cycles, said = drawn("improvement")["pdsa"], truth()["pdsa"]
        assert rate_is(len(cycles), said["cycles_per_team_per_month"] * 24 * 24 * len(SEEDS))
        decided = cycles["decision"].dropna()
        assert 0 < cycles["decision"].isna().mean() < 0.2
        assert all(share_is(decided == what, said[f"share_{what}"]) for what in ("adopt", "adapt", "abandon"))

    def test_cycles_of_a_team_are_numbered_in_the_order_of_their_days(self, full: Programme) -> None:
        for _, series in full.pdsa.groupby("team_id"):
            ordered = series.sort_values("number")
            assert ordered["number"].tolist() == list(range(1, len(series) + 1))
            assert ordered["started_on"].is_monotonic_increasing

    def test_milestones_are_met_and_late_as_expected(self) -> None:
        milestones, said = drawn("improvement")["milestones"], truth()["milestones"]
        due = milestones[milestones["planned_on"] <= pd.Timestamp(2026, 3, 31)]
        assert 0 < len(due) < len(milestones)
        met = due.dropna(subset="achieved_on")
        assert share_is(due["achieved_on"].notna(), said["share_of_due_met"])
        assert mean_is((met["achieved_on"] - met["planned_on"]).dt.days, said["mean_slip_in_days"])
        assert (met["value"].dropna() == met["target"].dropna()).all()

    def test_wins_and_adaptations(self, full: Programme) -> None:
        wins = drawn("improvement")["wins"]
        assert rate_is(len(wins), truth()["wins"]["per_place_per_month"] * 12 * 24 * len(SEEDS))
        assert full.adaptations["core_kept"].mean() == truth()["adaptations"]["share_core_kept"]


class TestAgreements:
    def test_promises_are_kept_as_often_as_expected(self) -> None:
        compacts, said = drawn("agreements")["compacts"], truth()["compacts"]
        assert share_is(compacts["met"].isna(), said["share_of_which_nobody_can_tell"])
        known = compacts.dropna(subset="met")
        for kind, kept in known.groupby("kind")["met"]:
            assert share_is(kept.astype(bool), said["share_kept"][kind])

    def test_the_rest_is_as_often_as_expected(self) -> None:
        tables, said = drawn("agreements"), truth()
        for kind, present in tables["drivers"].groupby("kind")["present"]:
            assert share_is(present, said["drivers"]["share_present"][kind])
        actions, requests = tables["actions"], tables["support_requests"]
        decided = actions.dropna(subset="decision")
        assert share_is(actions["decision"].notna(), said["actions"]["share_decided"])
        assert share_is(decided["done_on"].notna(), said["actions"]["share_of_decided_done"])
        assert rate_is(len(requests), said["support_requests"]["per_team_per_month"] * 24 * 24 * len(SEEDS))
        assert share_is(requests["answered_on"].notna(), said["support_requests"]["share_answered"])
        guests = tables["spread_events"].groupby(["seed", "spread_id"])[["invited", "came"]].sum()
        assert mean_is(guests["came"], said["spread_events"]["guests_per_event"])
        assert guests["came"].sum() / guests["invited"].sum() == pytest.approx(0.6, abs=0.02)

    def test_success_was_agreed_before_the_start_where_it_was_agreed(self, full: Programme) -> None:
        agreed = full.interventions["agreed_on"].dropna()
        assert 0 < len(agreed) < len(full.interventions)
        assert (agreed < pd.Timestamp(2024, 4, 1)).all()


class TestWhatOthersFoundAndPaid:
    def test_scores_and_people_reached(self) -> None:
        tables, said = drawn("findings"), truth()
        assert mean_is(tables["scores"]["mean"], said["scores"]["mean_of_places"])
        for tier, own in tables["risk_tiers"].groupby("tier"):
            expected = said["risk_tiers"]["share_reached"][tier]
            error = math.sqrt(expected * (1 - expected) / own["people"].sum())
            assert abs(own["reached"].sum() / own["people"].sum() - expected) < SURE * error

    def test_costs_add_up_to_what_is_expected(self) -> None:
        costs, said = drawn("money")["costs"], truth()["costs"]
        assert mean_is(costs.groupby("seed")["amount"].sum().astype(float), said["total"])
        cash = costs[costs["cashable"]].groupby("seed")["amount"].sum()
        assert mean_is(cash.astype(float), said["paid_in_cash"])
        by_kind = costs.groupby(["seed", "kind"])["amount"].sum().unstack()
        assert all(mean_is(by_kind[kind], amount) for kind, amount in said["by_kind"].items())

    def test_one_benefit_is_a_loss(self, full: Programme) -> None:
        assert (full.benefits["amount"] < 0).sum() == 1

    def test_every_source_says_it_is_invented(self, full: Programme) -> None:
        assert full.findings["source"].str.contains("(fictional)", regex=False).all()
        assert full.benefits["source"].dropna().str.contains("(fictional)", regex=False).all()
        assert full.theory["evidence"].dropna().str.contains("(fictional)", regex=False).all()


class TestSaid:
    def test_excerpts_come_after_the_stories_and_are_read_twice(self, full: Programme) -> None:
        assert set(full.excerpts["kind"]) == {"interview", "focus_group", "observation", "document"}
        read = full.coders[full.coders["source_id"].isin(full.excerpts["excerpt_id"])]
        assert (read.groupby("source_id").size() == 2).all()
        of_stories = full.codes["source_id"].isin(full.stories["story_id"])
        assert of_stories.is_monotonic_decreasing

    def test_panels_choose_one_a_place_and_never_without_consent(self, full: Programme) -> None:
        looked = full.selections.merge(full.stories, on="story_id")
        assert "none" not in set(looked["consent"])
        of_place = looked[looked["level"] == "place"]
        assert (of_place.groupby("place_id")["selected"].sum() == 1).all()
        region = looked[looked["level"] == "region"]
        assert set(region["story_id"]) == set(of_place.loc[of_place["selected"], "story_id"])
        assert (region["decided_on"].min() > of_place["decided_on"]).all()
        assert not looked.loc[looked["selected"], "reason"].isna().any()


class TestCorrections:
    def test_they_name_cells_that_hold_what_is_right(self, full: Programme) -> None:
        assert 2 <= len(full.corrections) <= 3
        for row in full.corrections.to_dict("records"):
            table = getattr(full, row["file"].removesuffix(".csv"))
            cell = table.loc[table.iloc[:, 0].astype(str) == row["row_id"], row["column"]]
            held = cell.iloc[0]
            assert (held.date().isoformat() if isinstance(held, pd.Timestamp) else str(held)) == row["new"]

    def test_they_are_accepted_as_made(self, tmp_path) -> None:
        loaded = ek.load(simulation.write(ek.simulate(seed=5, tables=("care",)), tmp_path / "there"))
        assert any("Corrections made" in line for line in loaded.log)


class TestAdmissions:
    def test_they_add_up_to_the_counts_cell_by_cell(self, full: Programme) -> None:
        listed = full.admissions
        age = listed["age"].astype(int)
        low = (age // 5 * 5).clip(upper=90)
        band = low.astype(str).where(low == 90, low.astype(str) + "-" + (low + 4).astype(str)).replace("90", "90+")
        month = listed["admitted_on"].dt.to_period("M").dt.to_timestamp()
        counted = listed.groupby([listed["place_id"], month, band]).size()
        ours = full.outcomes[full.outcomes["measure"] == "emergency_admissions_65_plus"]
        told = ours.set_index(["place_id", "period", "age_band"])["count"].astype(int)
        assert len(listed) == told.sum() > 20_000
        assert counted.reindex(told.index, fill_value=0).tolist() == told.tolist()

    def test_shares_are_what_is_expected(self, full: Programme) -> None:
        listed, said = full.admissions, truth()["admissions"]
        patients = listed.drop_duplicates("person_id")
        assert share_is(patients["sex"] == "female", said["share_female"])
        for quintile, share in enumerate(said["share_by_quintile"], start=1):
            assert share_is(patients["quintile"] == quintile, share)
        again = 1 - len(patients) / len(listed)
        assert said["share_again_at_most"] - 0.02 < again < said["share_again_at_most"] + 0.01

    def test_a_patient_is_one_person(self, full: Programme) -> None:
        of_patient = full.admissions.groupby("person_id")[["place_id", "sex", "quintile", "age"]].nunique()
        assert (of_patient == 1).all(axis=None)
        assert not set(full.admissions["person_id"]) & set(full.people["person_id"])
