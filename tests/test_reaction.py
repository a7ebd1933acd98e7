"""individual.reaction: answers are counted and never added up; who left no form bounds what can be said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.individual.reaction import RANGE, RETURNED
from evalkit.instrument import shipped
from evalkit.result import Result
from evalkit.simulation import reactions
from evalkit.terms import Attribution, Audience, Step, Verdict

ITEMS = [item.key for item in shipped()["reaction"].items]
OPTIONS = ["Strongly disagree", "Disagree", "Neither", "Agree", "Strongly agree"]


def asked(
    tmp_path: Path, forms: dict[str, Sequence[Sequence[int | None]]], came: dict[str, int], *, linked: bool = False
) -> Result:
    """The answer from forms by session (a row a form, an answer an item) and how many came to each."""
    people = [f"A{k}" for k in range(1, 1 + max([*came.values(), *map(len, forms.values())]))]
    names = {session: people if linked else [f"{session}{k}" for k in range(99)] for session in forms}
    tables = {
        "people": ["person_id,kind", *(f"{person},participant" for person in people)],
        "sessions": ["session_id,held_on", *(f"{session},2025-0{k}-01" for k, session in enumerate(forms, 1))],
        "attendance": [
            "session_id,person_id,status",
            *(f"{session},{person},attended" for session, n in came.items() for person in people[:n]),
        ],
        "responses": [
            "respondent_id,subject_kind,subject_id,rater,instrument,item,timing,answer",
            *(
                f"{name},session,{session},self,reaction,{item},post,{'' if answer is None else answer}"
                for session, told in forms.items()
                for name, form in zip(names[session], told, strict=False)
                for item, answer in zip(ITEMS, form, strict=True)
            ),
        ],
    }
    if not linked:
        tables["respondents"] = ["respondent_id", *(n for s, told in forms.items() for n in names[s][: len(told)])]
    if not any(came.values()):
        del tables["attendance"]
    for name, lines in tables.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "programme.toml").write_text(
        'schema = 1\nname = "Testmere"\nstarts_on = 2025-01-01\nfictional = true\n'
    )
    return ek.individual.reaction(ek.load(tmp_path))


SIX = [
    [5, 4, 3, 2, 1, 4],
    [4, 4, 4, 4, 4, 4],
    [3, 3, 3, 3, 3, 3],
    [5, 5, 5, 1, 5, 5],
    [4, 2, 4, 2, 4, 2],
    [1, 5, 4, 3, 4, 5],
]
"""Six forms; agreeing with the six items: 4, 4, 4, 1, 4, 4."""


def test_every_answer_is_counted_and_bounded_by_those_who_left_no_form(tmp_path: Path) -> None:
    table = asked(tmp_path, {"W": SIX}, {"W": 8}).table
    assert table["measure"].tolist() == [RETURNED, *(item.text for item in shipped()["reaction"].items)]
    returned, first = table.iloc[0], table.iloc[1]
    assert (returned["estimate"], returned["answers"], returned["asked"]) == (75.0, 6, 8)
    assert first["estimate"] == pytest.approx(100 * 4 / 6)
    assert (first["low"], first["high"], first["interval"]) == (100 * 4 / 8, 100 * 6 / 8, RANGE)
    assert first[OPTIONS].tolist() == [1, 0, 1, 2, 2]
    assert table.iloc[4][OPTIONS].tolist() == [1, 2, 2, 1, 0]


def test_it_is_a_reaction_and_no_score(tmp_path: Path) -> None:
    found = asked(tmp_path, {"W": SIX}, {"W": 8})
    assert found.kirkpatrick is Step.REACTION
    assert found.verdict is Verdict.DESCRIBED
    assert found.attribution is Attribution.CANNOT_TELL
    assert shipped()["reaction"].overall is None
    said = " ".join([found.headline, found.reading, found.alt])
    assert not any(word in said.lower() for word in ("score", "mean", "average", "satisfaction"))
    assert "says nothing of what people learnt" in found.caveats[0]


def test_the_most_and_the_least_agreed_with_are_named_and_ties_go_to_the_earlier(tmp_path: Path) -> None:
    found = asked(tmp_path, {"W": SIX}, {"W": 8})
    assert found.headline == (
        "Agreed with most: “The session was worth the time I gave it” (4 of 6); "
        "least: “I could say what I really think” (1 of 6)"
    )


def test_where_every_question_was_agreed_with_alike_none_is_named(tmp_path: Path) -> None:
    found = asked(tmp_path, {"W": [[4] * 6] * 5}, {"W": 8})
    assert found.headline == "Every question was agreed with alike (5 of 5)"
    (tmp_path / "alone").mkdir()
    alone = asked(tmp_path / "alone", {"W": [[4, None, None, None, None, None]]}, {})
    assert "1 form was filled in" in alone.reading


def test_a_blank_answer_is_nobody_s_and_widens_the_range(tmp_path: Path) -> None:
    forms = [[None, *form[1:]] if at == 0 else form for at, form in enumerate(SIX)]
    first = asked(tmp_path, {"W": forms}, {"W": 8}).table.iloc[1]
    assert (first["answers"], first["estimate"]) == (5, 60.0)
    assert (first["low"], first["high"]) == (100 * 3 / 8, 100 * 6 / 8)


def test_without_attendance_there_is_no_range(tmp_path: Path) -> None:
    found = asked(tmp_path, {"W": SIX}, {})
    assert set(found.table["interval"]) == {"none given"}
    assert pd.isna(found.table["estimate"].iloc[0])
    assert "how many people came was not recorded" in found.reading
    assert found.about.of is None


def test_more_forms_than_people_give_no_range(tmp_path: Path) -> None:
    found = asked(tmp_path, {"W": SIX}, {"W": 5})
    assert found.table["asked"].isna().all()
    assert set(found.table["interval"]) == {"none given"}


def test_everybody_answering_leaves_no_range(tmp_path: Path) -> None:
    table = asked(tmp_path, {"W": SIX}, {"W": 6}).table.iloc[1:]
    assert (table["low"] == table["estimate"]).all()
    assert (table["high"] == table["estimate"]).all()


def test_unnamed_forms_of_two_sessions_may_be_the_same_people_s(tmp_path: Path) -> None:
    table = asked(tmp_path, {"W": SIX, "X": SIX[:5]}, {"W": 8, "X": 8}).table
    assert table["answers"].iloc[0] == 11
    assert table["n"].iloc[0] == 6, "no more people than the fullest session certainly had"
    assert table.loc[table["group"] != "all", "n"].unique().tolist() == [6, 5]


def test_named_forms_count_each_person_once(tmp_path: Path) -> None:
    table = asked(tmp_path, {"W": SIX, "X": SIX[:5]}, {"W": 8, "X": 8}, linked=True).table
    assert (table["answers"].iloc[0], table["n"].iloc[0]) == (11, 6)


def test_sessions_are_told_apart_by_their_day(tmp_path: Path) -> None:
    found = asked(tmp_path, {"W": SIX, "X": SIX[:5]}, {"W": 8, "X": 8})
    assert found.table["group"].unique().tolist() == ["all", "W: 1 January 2025", "X: 1 February 2025"]
    assert "4 of 6 on 1 January 2025 and 4 of 5 on 1 February 2025" in found.reading


@pytest.mark.parametrize("n", [1, 2, 4])
def test_few_forms_stay_with_the_evaluator(tmp_path: Path, n: int) -> None:
    raw = asked(tmp_path, {"W": SIX[:n]}, {"W": 8})
    assert raw.table["answers"].iloc[0] == n
    copy = protect(raw, Audience.TEAM)
    assert set(copy.table["interval"]) == {"withheld"}
    assert copy.headline == "Withheld: too few people to show"
    assert copy.table[OPTIONS].isna().all().all()
    assert not (copy.marks["mark"] == "share").any()


def test_a_small_session_is_withheld_beside_a_large_one(tmp_path: Path) -> None:
    copy = protect(asked(tmp_path, {"W": [*SIX, *SIX], "X": SIX[:3]}, {"W": 12, "X": 8}), Audience.TEAM)
    held = copy.table.groupby("group")["interval"].agg(lambda told: set(told) == {"withheld"})
    assert held["X: 1 February 2025"]
    assert held["W: 1 January 2025"], "else the small session is all less this one"
    assert not held["all"]
    assert "1 February 2025" not in copy.reading


def test_answers_on_other_forms_are_not_asked_about(tmp_path: Path) -> None:
    asked(tmp_path, {"W": SIX}, {"W": 8})
    programme = ek.load(tmp_path)
    with pytest.raises(ek.NotEnoughEvidence, match="Nobody answered the Systems Leadership Development Framework"):
        ek.individual.reaction(programme, on="system_leadership")
    with pytest.raises(ValueError, match="No instrument is called 'smiles'"):
        ek.individual.reaction(programme, on="smiles")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.one_of(st.none(), st.integers(1, 5)), min_size=len(ITEMS), max_size=len(ITEMS)), min_size=1,
        max_size=8,
    ),
    st.integers(0, 4),
)  # fmt: skip
def test_whatever_is_ticked_is_counted_once_and_lies_in_its_range(
    tmp_path: Path, forms: list[list[int | None]], silent: int
) -> None:
    given_back = sum(any(answer is not None for answer in form) for form in forms)
    if not given_back:
        return
    found = asked(tmp_path, {"W": forms}, {"W": len(forms) + silent})
    items = found.table.iloc[1:]
    assert (items[OPTIONS].sum(axis=1) == items["answers"]).all()
    answered = items[items["answers"] > 0]
    assert (answered["low"] <= answered["estimate"] + 1e-9).all()
    assert (answered["estimate"] <= answered["high"] + 1e-9).all()
    assert found.table["answers"].iloc[0] == given_back
    shares = found.marks[found.marks["mark"] == "share"]
    assert shares.groupby("x")["y"].sum().to_numpy() == pytest.approx(100.0)


def test_what_was_planted_is_found_again() -> None:
    programme = ek.simulate(
        seed=9, leaders=1500, teams=200, dropout=0.0, tables=("responses", "sessions"), asked=("session",)
    )
    table = ek.individual.reaction(programme).table.query("group != 'all'")
    expected = programme.truth["expected"]["reaction"]  # type: ignore[index]
    for item in shipped()["reaction"].items:
        seen = table.loc[table["measure"] == item.text, ["estimate", "answers"]].to_numpy(dtype=float)
        for (estimate, n), truth in zip(seen, expected[item.key]["share_agreeing"], strict=True):
            assert estimate / 100 == pytest.approx(truth, abs=4 * (truth * (1 - truth) / n) ** 0.5)
    returned = table.loc[table["measure"] == RETURNED, "estimate"]
    assert returned.tolist() == pytest.approx([100 * reactions.RETURNED] * 2, abs=6)
