"""The sample folders: northmere and small_place, which are FICTIONAL, and salford, which was published."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import evalkit as ek
from evalkit import resources, simulation
from evalkit.programme import Programme

NORTHMERE = resources.folder("sample_data") / "northmere"
SALFORD = resources.folder("sample_data") / "salford"
SMALL_PLACE = resources.folder("sample_data") / "small_place"
EVERY = sorted(toml.parent for toml in resources.folder("sample_data").glob("*/programme.toml"))

THREE_MEGABYTES = 3_000_000

REAL_PLACES = (
    "Salford|Manchester|Liverpool|Leeds|Bradford|Bury|Bolton|Oldham|Rochdale|Stockport|Tameside|Trafford|"
    "Wigan|Torbay|Birmingham|Sheffield|Nottingham|Leicester|Derby|Lincoln|Norwich|Ipswich|Bristol|Exeter|"
    "Plymouth|Cornwall|Kent|Sussex|Surrey|London|Newcastle|Sunderland|Durham|York|Hull|Lancaster|Preston|"
    "Blackpool|Cumbria|Carlisle|Devon|Northumberland|Northampton|Northwich|Fleetwood|Aldershot|Brackley|"
    "Brentford|England|Wales|Scotland|Jonkoping"
)
"""Alternatives of a regular expression. Not a gazetteer: places the sources name, and others to catch a slip."""

REAL_BODIES = "Department|NHS England|King's Fund|AQuA|Pennine|Northern Care|Warm Homes"

FIGURE_3 = """
leadership  2.13 2.71 3.15
governance  2.00 2.71 2.79
culture     2.33 2.74 2.83
engagement  1.25 2.00 2.21
finance     2.08 2.21 2.79
information 2.08 2.03 2.27
workforce   1.88 2.03 1.83
redesign    1.54 1.84 1.88
"""
"""Fillingham and Weir, System leadership, The King's Fund, October 2014, figure 3 (page 9): April 2012, October 2012,
May 2013."""


@pytest.fixture(scope="module")
def northmere() -> Programme:
    return ek.load(NORTHMERE)


@pytest.fixture(scope="module")
def salford() -> Programme:
    return ek.load(SALFORD)


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def prose(folder: Path) -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(folder.iterdir()))


class TestEvery:
    @pytest.mark.parametrize("folder", EVERY, ids=lambda folder: folder.name)
    def test_no_problems(self, folder: Path) -> None:
        assert ek.check(folder).empty

    def test_together_they_stay_small(self) -> None:
        assert sum(map(size, EVERY)) < THREE_MEGABYTES

    @pytest.mark.parametrize("folder", EVERY, ids=lambda folder: folder.name)
    def test_files_are_utf_8_with_plain_line_ends(self, folder: Path) -> None:
        for file in folder.iterdir():
            content = file.read_bytes()
            assert b"\r" not in content
            assert content.endswith(b"\n")
            assert not content.startswith(b"\xef\xbb\xbf")


class TestNorthmereIsWrittenFromItsSeed:
    def test_byte_for_byte(self, tmp_path: Path) -> None:
        truth = tomllib.loads((NORTHMERE / "truth.toml").read_text(encoding="utf-8"))
        written = simulation.write(ek.simulate(seed=truth["seed"]), tmp_path / "again")
        fresh = {file.name: file.read_bytes() for file in written.iterdir()}
        kept = {file.name: file.read_bytes() for file in NORTHMERE.iterdir()}
        assert sorted(fresh) == sorted(kept)
        assert [name for name in fresh if fresh[name] != kept[name]] == []

    def test_effects_are_the_documented_defaults(self, northmere: Programme) -> None:
        assert northmere.truth["effects"] == simulation.planted(None)


class TestNorthmereIsFictional:
    def test_says_so_everywhere(self, northmere: Programme) -> None:
        assert northmere.fictional
        assert "FICTIONAL" in northmere.title
        for name in ("README.md", "programme.toml", "truth.toml"):
            assert "FICTIONAL" in (NORTHMERE / name).read_text(encoding="utf-8").splitlines()[0]
        assert all(
            "fictional" in body for body in (northmere.people_notes.paid_by, northmere.people_notes.evaluated_by)
        )

    @pytest.mark.parametrize("folder", [NORTHMERE, SMALL_PLACE], ids=lambda folder: folder.name)
    def test_names_no_real_place_or_body(self, folder: Path) -> None:
        text = prose(folder)
        assert re.findall(rf"\b(?:{REAL_PLACES}|{REAL_BODIES})\b", text, re.IGNORECASE) == []

    def test_the_check_for_real_names_can_fail(self) -> None:
        assert re.search(rf"\b(?:{REAL_PLACES})\b", prose(SALFORD))

    def test_organisations_have_no_official_code_and_people_no_name(self, northmere: Programme) -> None:
        assert northmere.organisations["ods_code"].isna().all()
        assert northmere.people["person_id"].str.fullmatch(r"[A-Z][0-9]{2,4}").all()
        assert northmere.places["code"].isna().all()

    def test_readme_lists_every_planted_effect_with_its_size(self) -> None:
        readme = (NORTHMERE / "README.md").read_text(encoding="utf-8")
        for effect in simulation.EFFECTS:
            shown = f"{abs(effect.default):.2f}"
            assert re.search(rf"\| `{effect.measure}` \| [×+-] ?{shown} \|", readme), effect.measure


class TestNorthmereHoldsWhatItSays:
    def test_places_leaders_teams_waves_and_months(self, northmere: Programme) -> None:
        assert northmere.places["arm"].value_counts().to_dict() == {"programme": 12, "comparison": 7}
        assert northmere.places["name"].is_unique
        assert (len(northmere.participants), len(northmere.teams), len(northmere.waves)) == (150, 24, 4)
        periods = northmere.outcomes["period"].drop_duplicates()
        assert (periods.min(), periods.max(), len(periods)) == (pd.Timestamp(2021, 4, 1), pd.Timestamp(2026, 3, 1), 60)
        assert northmere.as_of == date(2026, 3, 31)

    def test_self_sponsor_and_partner_answers(self, northmere: Programme) -> None:
        answers = northmere.responses
        asked = answers[answers["instrument"] == "system_leadership"].groupby("rater")["wave"].unique().map(sorted)
        assert asked.to_dict() == {"self": [1, 2, 3, 4], "sponsor": [1, 4], "partner": [1, 4]}
        assert set(answers.loc[answers["instrument"] == "icfat", "subject_kind"]) == {"place"}
        assert set(answers.loc[answers["timing"] == "then", "wave"]) == {4}

    def test_partners_are_not_in_the_programme(self, northmere: Programme) -> None:
        home = northmere.people.set_index("person_id")["organisation_id"]
        partners = northmere.responses.query("rater == 'partner'")["respondent_id"].drop_duplicates().map(home)
        leaders = northmere.participants["participant_id"].map(home)
        assert not set(partners) & set(leaders)

    def test_sponsors_work_where_their_leaders_do(self, northmere: Programme) -> None:
        home = northmere.people.set_index("person_id")["organisation_id"]
        rated = northmere.responses.query("rater == 'sponsor'")
        assert (rated["respondent_id"].map(home) == rated["subject_id"].map(home)).all()

    def test_some_leave_and_they_began_lower(self, northmere: Programme) -> None:
        own = northmere.responses.query("instrument == 'system_leadership' and rater == 'self' and timing != 'then'")
        means = own.groupby(["respondent_id", "wave"])["answer"].mean().unstack()
        gone = means[4].isna()
        assert 30 <= gone.sum() <= 65
        assert means.loc[gone, 1].mean() < means.loc[~gone, 1].mean()

    def test_two_waves_of_ties_with_who_was_asked(self, northmere: Programme) -> None:
        assert sorted(northmere.ties["wave"].unique()) == [1, 4]
        replied = northmere.rosters.groupby("wave")["responded"].mean()
        assert (replied > 0.5).all()
        assert (replied < 0.95).all()

    def test_a_shock_and_a_change_of_definition_are_events(self, northmere: Programme) -> None:
        kinds = northmere.events["kind"].value_counts()
        assert kinds["shock"] == 1
        assert kinds["definition_change"] == 1
        assert kinds["concurrent_intervention"] == 4

    def test_some_were_eligible_and_some_invited_who_never_came(self, northmere: Programme) -> None:
        furthest = northmere.attendance["status"].map({"eligible": 0, "invited": 1, "attended": 2})
        by_person = furthest.groupby(northmere.attendance["person_id"]).max()
        eligible, invited, attended = (int((by_person >= reached).sum()) for reached in (0, 1, 2))
        assert eligible > invited > attended > 130
        assert northmere.attendance.query("status != 'attended'")["minutes"].isna().all()
        assert set(northmere.sessions["theory"]) == {
            "system_leadership",
            "complexity_science",
            "improvement_science",
            "large_scale_change",
        }


class TestNorthmereStories:
    def test_forty_with_every_kind_of_consent(self, northmere: Programme) -> None:
        consents = northmere.stories["consent"].value_counts()
        assert consents.sum() == 40
        assert consents.min() >= 3
        assert set(consents.index) == {"use", "anonymise", "none"}

    def test_not_only_successes(self, northmere: Programme) -> None:
        assert (northmere.stories["domain"] == "went_badly").sum() >= 8
        assert northmere.codes.query("code == 'nothing_changed'")["source_id"].nunique() >= 4

    @pytest.mark.parametrize("awkward", ['"', ",", "&", "\n", "é", "<b>", "'", ";", "?"])
    def test_awkward_characters_come_through(self, northmere: Programme, awkward: str) -> None:
        assert northmere.stories["text"].str.contains(awkward, regex=False).any()

    def test_a_title_that_a_spreadsheet_would_take_for_a_sum(self, northmere: Programme) -> None:
        assert northmere.stories["title"].str.startswith("+").any()

    def test_two_to_six_sentences_each_and_all_different(self, northmere: Programme) -> None:
        sentences = northmere.stories["text"].str.count(r"[.?!:]['\"”]?(?:\s|$)")
        assert sentences.between(2, 7).all()
        assert northmere.stories["text"].is_unique
        assert northmere.stories["title"].is_unique

    def test_no_story_claims_what_evalkit_may_not(self, northmere: Programme) -> None:
        """Stories are quoted in reports, where a word of cause about the programme would be read as ours."""
        words = northmere.stories[["title", "text", "why_significant"]].to_numpy().ravel()
        assert [text for text in words if re.search(r"\b(led to|caused|due to|impact|because of)\b", text)] == []

    def test_two_coders_read_every_story_and_one_may_find_nothing(self, northmere: Programme) -> None:
        assert (northmere.coders.groupby("source_id").size() == 2).all()
        found = northmere.codes.groupby(["source_id", "coder"]).size()
        read = pd.MultiIndex.from_frame(northmere.coders[["source_id", "coder"]])
        assert 1 <= (~read.isin(found.index)).sum() <= 6
        assert 6 <= northmere.codes["code"].nunique() <= 9

    def test_coders_agree_neither_always_nor_hardly(self, northmere: Programme) -> None:
        pairs = northmere.codes.groupby(["source_id", "code"]).size()
        assert 0.4 < (pairs == 2).mean() < 0.9


class TestSalford:
    def test_values_are_those_of_figure_3(self, salford: Programme) -> None:
        published = {
            line.split()[0]: [float(cell) for cell in line.split()[1:]] for line in FIGURE_3.strip().splitlines()
        }
        wide = salford.scores.pivot_table(index="domain", columns="wave", values="mean")
        assert {domain: row.tolist() for domain, row in wide.iterrows()} == published

    def test_nothing_is_added_that_was_not_published(self, salford: Programme) -> None:
        assert salford.scores["n"].isna().all()
        assert salford.scores["sd"].isna().all()
        assert set(salford.scores["basis"]) == {"unknown"}
        assert not salford.fictional
        assert salford.truth is None
        assert "figure 3" in salford.source

    def test_waves_are_six_and_then_seven_months_apart(self, salford: Programme) -> None:
        months = salford.scores["measured_on"].drop_duplicates().sort_values()
        assert months.dt.strftime("%Y-%m-%d").tolist() == ["2012-04-01", "2012-10-01", "2013-05-01"]
        assert np.diff(months.dt.year * 12 + months.dt.month).tolist() == [6, 7]

    def test_two_domains_were_lower_at_a_later_wave(self, salford: Programme) -> None:
        wide = salford.scores.pivot_table(index="domain", columns="wave", values="mean")
        lower = wide.index[(wide.diff(axis=1) < 0).any(axis=1)]
        assert sorted(lower) == ["information", "workforce"]

    def test_readme_says_where_it_comes_from_and_what_is_missing(self) -> None:
        readme = (SALFORD / "README.md").read_text(encoding="utf-8")
        for words in ("Fillingham", "figure 3", "page 9", "`n` and `sd` are blank", "first of each month"):
            assert words in readme
