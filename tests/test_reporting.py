"""The page, its first screen, its claims, and what never reaches them."""

from __future__ import annotations

import html as escaping
from pathlib import Path
from types import SimpleNamespace

import hand_built
import page_checks
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evalkit as ek
from evalkit.errors import NotEnoughEvidence, Refused
from evalkit.kirkpatrick.coverage import Held
from evalkit.reporting import grid, kernel, ledger, page
from evalkit.reporting.blanks import MIME, Blank
from evalkit.reporting.facts import Facts
from evalkit.reporting.notebooks import without_paths
from evalkit.reporting.prose import title_and_html
from evalkit.result import ALL, Quote
from evalkit.terms import Attribution, Audience, Design, Level, Step, Verdict

EVIL = '<script>alert(1)</script><img src=x onerror=alert(2)>"><b>'


def saved(answers: list[ek.Result], tmp_path: Path, **how: str) -> str:
    return ek.report(answers, **how).save(tmp_path / "x.html").read_text(encoding="utf-8")


def test_the_page_has_no_faults(tmp_path: Path) -> None:
    assert page_checks.faults(saved(hand_built.everything(), tmp_path)) == []


def test_the_checks_find_faults() -> None:
    bad = '<html><h1>a</h1><h3>b</h3><img src="https://x.org/y.png" alt="x"><table><th>c</th></table><script></script>'
    found = " ".join(page_checks.faults(bad))
    for fault in ("en-GB", "no title", "jumps from 1 to 3", "without words", "without a caption", "<script>", "leaves"):
        assert fault in found


def test_a_front_door_function_stays_a_function() -> None:
    import evalkit.reporting  # noqa: F401

    assert callable(ek.report)


def test_all_three_questions_stand_on_the_first_screen_even_unanswered(tmp_path: Path) -> None:
    words = page_checks.text(saved([hand_built.answer()], tmp_path))
    for _, question, _ in grid.QUESTIONS:
        assert question in words
    asked = grid.first_screen([hand_built.answer()])
    assert [row.who for one in asked for row in one.rows if not row.answers] == [
        "organisations", "patients", "citizens", "staff", "taxpayers",
    ]  # fmt: skip


def test_the_primary_answer_is_the_first_given() -> None:
    sponsors = hand_built.answer("sponsor", verdict=Verdict.WORSENED)
    leaders, *_ = grid.first_screen([hand_built.answer(), sponsors])
    assert leaders.rows[0].answers[0].verdict is Verdict.IMPROVED
    assert "improved" in grid.in_short((leaders,))[0]
    leaders, *_ = grid.first_screen([sponsors, hand_built.answer()])
    assert "got worse" in grid.in_short((leaders,))[0]


def test_what_stands_beside_a_question_does_not_answer_it() -> None:
    liked = hand_built.answer("individual.reaction()", question="What did people make of the sessions?",
                              verdict=Verdict.DESCRIBED, step=Step.REACTION)  # fmt: skip
    blank = Blank("Are people leading differently?", "One wave.", "A second wave.", Level.INDIVIDUAL)
    leaders, *_ = grid.first_screen([liked, hand_built.answer()])
    assert leaders.rows[0].answers[0].question == "Are people leading differently?"
    assert liked not in leaders.rows[0].shown
    alone = grid.first_screen([liked])
    assert alone[0].rows[0].answers == ()
    assert alone[0].rows[0].shown == (liked,)
    assert grid.in_short(alone)[0] == "Whether people lead differently was not tested; figures stand further down."
    unanswered = grid.first_screen([liked], [blank])
    assert grid.in_short(unanswered)[0] == "These data cannot say whether people lead differently."
    assert unanswered[0].rows[0].missing == (blank,)


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("because", list(Attribution))
def test_in_short_has_words_for_every_verdict_and_none_of_cause(verdict: Verdict, because: Attribution) -> None:
    answers = [
        build(verdict=verdict, because=because)
        for build in (hand_built.answer, hand_built.working_together, hand_built.admissions)
    ]
    said = grid.in_short(grid.first_screen(answers))  # raises when a sentence says why
    assert len(said) == 5
    assert said[-1] == "Nothing was measured for citizens, staff and taxpayers."


def test_because_never_claims_more_than_the_attribution() -> None:
    compared = hand_built.answer(verdict=Verdict.IMPROVED, rivals=("a new ward", "a hard winter"))
    assert grid.because(compared) == "Cannot tell: no comparison; 2 other explanations not ruled out"
    assert grid.because(hand_built.admissions()) == "Cannot tell: too early to ask"
    assert grid.because(hand_built.working_together()) == "Cannot tell: no clear change to explain"
    for design in [*Design, "comparability not shown", "said"]:
        assert grid.REASONS[design]


def test_a_blank_fills_its_question(tmp_path: Path) -> None:
    blank = Blank("Are organisations working better together?", "No trust ties.", "ties.csv.", Level.TEAM)
    answers = [hand_built.answer()]
    written = page.report(Facts.from_results(answers), answers, Audience.COMMISSIONER, blanks=[blank])
    assert page_checks.faults(written) == []
    assert page_checks.text(written).count("No trust ties.") == 2  # first screen and section
    _, organisations, _ = grid.first_screen(answers, [blank])
    assert organisations.rows[0].blanks == (blank,)


def test_a_blank_knows_the_room_it_was_asked_in() -> None:
    shown: list[dict[str, object]] = []
    shell = SimpleNamespace(display_pub=SimpleNamespace(publish=shown.append))
    try:
        ek.individual.growth(ek.load("sample_data/salford"), on="system_leadership")
    except NotEnoughEvidence as error:
        kernel.publish(shell, type(error), error, error.__traceback__)
    blank = Blank.from_json(shown[0][MIME])  # type: ignore[arg-type]
    assert blank.level is Level.INDIVIDUAL
    assert blank.missing
    assert kernel.asked_in(None) is None


def test_words_from_data_stay_words(tmp_path: Path) -> None:
    answers = [
        hand_built.answer(
            question=EVIL, headline=EVIL, reading=EVIL, caveats=(EVIL,), why=EVIL, programme=EVIL,
            quotes=(Quote(EVIL, EVIL, EVIL, EVIL),),
            groups=((ALL, 0.41, 104), (EVIL, 0.3, 60)),
        )
    ]  # fmt: skip
    blank = Blank(EVIL, EVIL, EVIL, Level.TEAM)
    facts = Facts.from_results(answers)
    written = page.report(
        facts, answers, Audience.PUBLIC, blanks=[blank], notebooks=[("01.html", EVIL)], folder="northmere"
    )
    assert page_checks.faults(written) == []
    assert escaping.escape(EVIL, quote=True) in written or "&lt;script&gt;" in written
    assert "<script" not in written
    assert "<b>" not in written
    assert page_checks.faults(page.first_screen(facts, answers)) != [], "a fragment is no page"
    assert "<script" not in page.first_screen(facts, answers)


def test_invented_data_say_so_in_banner_title_and_heading(tmp_path: Path) -> None:
    written = saved(hand_built.everything(), tmp_path)
    title, heading = (written.split(f"<{tag}>")[1].split(f"</{tag}>")[0] for tag in ("title", "h1"))
    assert "FICTIONAL" in title
    assert "FICTIONAL" in heading
    assert "<strong>FICTIONAL.</strong>" in written
    real = saved([hand_built.answer(fictional=False)], tmp_path)
    assert "FICTIONAL" not in real
    named = Facts.from_results([hand_built.answer(programme="Northmere (FICTIONAL)")])
    assert named.name == "Northmere (FICTIONAL)"


def test_a_small_group_is_nowhere(tmp_path: Path) -> None:
    groups = ((ALL, 0.41, 104), ("police", 7.77, 3), ("housing", 6.66, 41), ("health", 0.5, 60))
    report = ek.report([hand_built.answer(groups=groups)])
    written = report.save(tmp_path / "x.html").read_text(encoding="utf-8")
    claims = report.ledger.to_csv()
    for number in (
        "7.77",
        "7.57",
        "7.97",
        "6.66",
        "6.46",
        "6.86",
    ):  # the small one, and the one it could be worked out from
        assert number not in written
        assert number not in claims
    assert set(report.results[0].marks["series"].dropna()) == {ALL, "health"}
    assert "withheld" in written
    assert "0.5 higher, 60 leaders" in written


def test_an_answer_about_single_people_is_refused() -> None:
    alone = hand_built.answer()
    alone._table.insert(8, "person_id", "P001")
    with pytest.raises(Refused, match="single people"):
        ek.report([alone])


@pytest.mark.parametrize(("results", "how", "said"), [
    ([], {}, "at least one Result"),
    ([hand_built.answer(), hand_built.answer("other", programme="Elsewhere")], {}, "one programme"),
    ([hand_built.answer()], {"audience": "evaluator"}, "commissioner, team, public"),
    ([hand_built.answer()], {"audience": "press"}, "commissioner, team, public"),
])  # fmt: skip
def test_reports_refuse_in_words(results: list[ek.Result], how: dict[str, str], said: str) -> None:
    with pytest.raises(Refused, match=said):
        ek.report(results, **how)


def test_a_report_is_saved_as_html_only(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"saved as \.html"):
        ek.report(hand_built.everything()).save(tmp_path / "x.pdf")


def test_the_same_answers_give_the_same_bytes(tmp_path: Path) -> None:
    first = ek.report(hand_built.everything()).save(tmp_path / "a.html").read_bytes()
    assert first == ek.report(hand_built.everything()).save(tmp_path / "b.html").read_bytes()
    assert b"\r" not in first


def test_every_claim_has_its_number_and_what_it_rests_on() -> None:
    answers = hand_built.everything()
    claims = ek.report(answers).ledger
    assert tuple(claims.columns) == ledger.COLUMNS
    assert claims["claim_id"].is_unique
    first = claims.iloc[0]
    assert (first["part"], first["estimate"], first["n"]) == ("headline", 0.41, 104)
    assert first["sentence"] == answers[0].headline
    assert (first["design"], first["maryland"], first["nesta"]) == ("before_after", 1, 2)
    assert set(claims["result"]) == {answer.about.asked for answer in answers}


def test_a_claim_keeps_its_name_when_its_number_changes() -> None:
    before = ek.report([hand_built.answer()]).ledger
    after = ek.report([hand_built.answer(groups=((ALL, 0.5, 99),), headline="0.5 higher")]).ledger
    assert list(before["claim_id"]) == list(after["claim_id"])
    assert list(before["estimate"]) != list(after["estimate"])


def test_a_page_without_coverage_says_itself_what_was_asked_and_what_was_not(tmp_path: Path) -> None:
    cells = Held(hand_built.everything()).cells
    assert [len(cells[Level.INDIVIDUAL, step]) for step in Step] == [0, 0, 1, 0]
    words = page_checks.text(saved(hand_built.everything(), tmp_path))
    assert "3 of 12 cells hold an answer" in words
    assert "Measured: leaders, behaviour; organisations together, behaviour; people's lives, results." in words
    assert "Which levels and steps" not in words


@pytest.mark.parametrize(
    "cells", [["No heading."], ["# One?", "# Two?"], ["## Early", "# Late?"], ["# One?", "### Jump"]]
)
def test_headings_out_of_order_are_refused(cells: list[str]) -> None:
    with pytest.raises(Refused, match=r"01\.ipynb"):
        title_and_html(cells, "01.ipynb")


def test_prose_is_words_only() -> None:
    title, (first, second) = title_and_html(
        [f"# Who? {EVIL}\n\n## Why", "![words](https://x.org/a.png) [site](https://x.org) [bad](javascript:x)\n\n*so*"],
        "01.ipynb",
    )
    assert title == f"Who? {EVIL}"
    assert first == "<h2>Why</h2>"
    assert second == "<p>words site (https://x.org) bad (javascript:x)</p>\n<p><em>so</em></p>"


@given(st.text(max_size=200))
def test_no_prose_can_open_a_tag_of_its_own(anything: str) -> None:
    try:
        _, pages = title_and_html(["# Q?", anything], "x.ipynb")
    except Refused:
        return
    allowed = r"</?(h[2-4]|p|ul|ol|li|strong|em|code|pre|blockquote|br|hr)>"
    import re

    assert re.sub(allowed, "", "".join(pages)).count("<") == 0


@pytest.mark.parametrize(("said", "left"), [
    ("'/home/an/x/responses.csv' is gone", "'responses.csv' is gone"),
    (r"C:\Users\an\x.csv is gone", "x.csv is gone"),
    ("2 and/or 3 of https://x.org/a/b", "2 and/or 3 of https://x.org/a/b"),
])  # fmt: skip
def test_messages_name_files_never_machines(said: str, left: str) -> None:
    assert without_paths(said) == left
