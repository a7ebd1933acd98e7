"""team.five_factors: the weakest named, nothing summed up, and logs beside what people say."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.terms import Audience

ITEMS = {"purpose": "purpose_shared", "contact": "contact_often", "conflict": "conflict_open",
         "altruism": "altruism_help", "long_term": "long_term_stay"}  # fmt: skip


def asked(*teams: dict[str, float], tables: dict[str, pd.DataFrame] | None = None, wave: int = 1) -> Result:
    """Three people a team who all score its factors the same."""
    rows = [
        {"respondent_id": f"T{t}r{k}", "subject_kind": "team", "subject_id": f"T{t}", "rater": "team_member",
         "instrument": "five_factors", "item": ITEMS[factor], "wave": wave, "timing": "pre",
         "answered_on": pd.Timestamp("2024-05-01"), "answer": score}
        for t, scores in enumerate(teams)
        for factor, score in scores.items()
        for k in range(3)
    ]  # fmt: skip
    names = [f"T{t}" for t in range(len(teams))]
    built = {
        "responses": pd.DataFrame(rows).astype({"wave": "Int64"}),
        "respondents": pd.DataFrame({"respondent_id": sorted({row["respondent_id"] for row in rows})}),
        "teams": pd.DataFrame({"team_id": names, "name": names}),
        "waves": pd.DataFrame({"wave": [1, 2], "closes_on": pd.to_datetime(["2024-05-31", "2025-05-31"])}),
    }
    told = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=date(2026, 3, 31), fictional=True)
    return ek.team.five_factors(Programme.build(settings=told, tables=built | (tables or {})))


EVEN = dict.fromkeys(ITEMS, 4.0)


def test_the_weakest_factor_is_named_and_how_many_teams_have_it_lowest():
    found = asked(EVEN | {"conflict": 2.0}, EVEN | {"conflict": 1.0}, EVEN | {"contact": 3.0})
    row = found.table.set_index("measure").loc["Surfacing and resolving conflicts"]
    assert (row["estimate"], row["lowest_in"], row["subjects"]) == (pytest.approx(7 / 3), 2, 3)
    assert found.headline.startswith("Weakest of 5 factors: Surfacing and resolving conflicts, 2.33")
    assert "the lowest in 2 of 3 teams" in found.headline


def test_factors_equally_low_are_all_named_and_counted_in_each():
    found = asked(EVEN | {"conflict": 2.0, "contact": 2.0})
    assert "Frequent personal contact and Surfacing and resolving conflicts" in found.headline
    assert found.table["lowest_in"].sum() == 2


def test_there_is_no_overall_score():
    assert not found_measures(asked(EVEN)) - set(
        ek.load(folder("sample_data") / "northmere").instruments["five_factors"].domain_labels.values()
    )


def found_measures(found: Result) -> set[str]:
    return set(found.table["measure"])


def test_no_log_is_said_to_be_none_kept_and_is_never_read_as_nothing_happened():
    found = asked(EVEN)
    assert "No log was kept of meetings, disagreements and posts: there only opinions are shown." in found.caveats
    assert "Written down" not in found.reading


def test_what_the_log_of_meetings_holds_stands_beside_what_people_say():
    meetings = pd.DataFrame(
        {"meeting_id": [f"M{k}" for k in range(7)], "held_on": pd.to_datetime(["2024-06-01"] * 7), "team_id": "T0",
         "purpose": "business"}
    )  # fmt: skip
    found = asked(EVEN, tables={"meetings": meetings})
    logged = found.table[found.table["what"] == "log"]
    assert 7 in logged["n"].tolist()
    assert "Written down beside it: 7 meetings" in found.reading
    assert "No log was kept of disagreements and posts" in " ".join(found.caveats)


def test_what_a_log_withholds_is_withheld_here_too():
    northmere = ek.load(folder("sample_data") / "northmere")
    found = ek.team.five_factors(northmere)
    shown = protect(found, Audience.PUBLIC).table
    logged = shown[shown["what"] == "log"]
    assert len(logged)
    people = logged[logged["n_of"].isin(["people", "leaders", "respondents"])]
    assert (people["n"].dropna() >= northmere.minimum_group).all()


def test_a_change_is_the_paired_t_over_teams():
    northmere = ek.load(folder("sample_data") / "northmere")
    found = ek.team.five_factors(northmere).table
    row = found[(found["what"] == "change") & (found["measure"] == "Commitment to the longer term")].iloc[0]
    answers = northmere.responses[northmere.responses["instrument"] == "five_factors"]
    own = answers[answers["item"].str.startswith("long_term")]
    person = own.groupby(["subject_id", "wave", "respondent_id"])["answer"].mean()
    means = person.groupby(level=["subject_id", "wave"]).mean().unstack("wave")
    change = (means[4] - means[1]).to_numpy()
    assert row["estimate"] == pytest.approx(change.mean())
    assert row["high"] - row["estimate"] == pytest.approx(
        2.364624251592785 * change.std(ddof=1) / np.sqrt(8), rel=1e-12  # t(.975, 7)
    )  # fmt: skip
