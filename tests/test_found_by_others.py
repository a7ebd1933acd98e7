"""Other people's findings: in their sources' own words, marked as not re-run by us, and deciding nothing of ours."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import hand_built
import page_checks
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.kirkpatrick.found_by_others import DESIGNS, NOT_RERUN
from evalkit.programme import Programme
from evalkit.reading.settings import Settings
from evalkit.reporting import grid
from evalkit.result import FIRST
from evalkit.terms import Audience, Design, Level, Verdict
from evalkit.words import CAUSE, LEFT_OUT, LEFT_OUT_RULE

NAMES = ("finding_id", "statement", "source", "level", "step", "place_id", "design", "measure", "unit", "estimate",
         "low", "high", "n", "checked_by")  # fmt: skip
WIDER = (Audience.TEAM, Audience.COMMISSIONER, Audience.PUBLIC)
PLACES = pd.DataFrame(
    {"place_id": ["P1", "P2"], "name": ["Wharfedene", "Lowmoss"], "arm": "programme", "may_be_named": [True, False]}
)


def found(statement: str = "Nurses of six wards spoke up more often.", **said: Any) -> dict[str, Any]:
    """A finding about leaders, with whatever else is said of it."""
    given = {"source": "A. Reader, Speaking up, 2025, p. 4", "level": "individual", "step": "behaviour",
             "design": "before_after", "measure": "spoke up", "unit": "% of nurses", "estimate": 61.5, "low": 48.0,
             "high": 73.0, "n": 140}  # fmt: skip
    return {**given, "statement": statement, **said}


def programme(*findings: dict[str, Any]) -> Programme:
    rows = [{"finding_id": f"F{at}", **row} for at, row in enumerate(findings, 1)]
    table = pd.DataFrame(rows, columns=list(NAMES)).astype({"n": "Int64"})
    numbers = dict.fromkeys(("estimate", "low", "high"), float)
    text = {name: "str" for name in NAMES if name not in (*numbers, "n")}
    return Programme.build(
        settings=Settings(
            name=hand_built.PROGRAMME, starts_on=date(2024, 4, 1), as_of=date(2026, 3, 31), fictional=True
        ),
        tables={"places": PLACES, "findings": table.astype({**numbers, **text})},
    )


def asked(*findings: dict[str, Any], level: str | None = None) -> ek.Result:
    return ek.kirkpatrick.found_by_others(programme(*findings), level=level)


def page(answers: list[ek.Result], tmp_path: Path) -> str:
    return ek.report(answers).save(tmp_path / "x.html").read_text(encoding="utf-8")


class TestWhatItSays:
    def test_a_row_a_finding_each_marked(self) -> None:
        result = asked(found(), found(level="population", step=None), found(level=None, step=None))
        table = result.table
        assert tuple(table.columns[:8]) == FIRST
        assert table["group"].tolist() == ["Leaders, behaviour", "People's lives", "Level not said"]
        assert set(table["rerun"]) == {NOT_RERUN}
        assert (result.level, result.verdict) == (Level.SYNTHESIS, Verdict.DESCRIBED)
        assert result.headline == "3 findings by others, not re-run by us"
        assert [quote.why_chosen.startswith("Not re-run by us.") for quote in result.quotes] == [True] * 3

    def test_figures_are_as_published(self) -> None:
        result = asked(found(), found(low=None, high=None, n=None), found(high=None), found(estimate=None, low=None))
        figures = [quote.text.splitlines()[1] for quote in result.quotes]
        assert figures == [
            "As published: spoke up, 61.5 % of nurses (48 to 73; rests on 140).",
            "As published: spoke up, 61.5 % of nurses (no interval given; on how many it rests is not said).",
            "As published: spoke up, 61.5 % of nurses (48 to not said; rests on 140).",
            "As published: no figure.",
        ]
        assert result.table["interval"].tolist()[:3] == ["as published", "none given", "one end, as published"]

    @pytest.mark.parametrize(("said", "grade"), [
        ({"design": "described"}, "Maryland 1 of 5, Nesta 1 of 5"),
        ({"design": "before_after"}, "Maryland 1 of 5, Nesta 2 of 5"),
        ({"design": "interrupted"}, "Maryland 1 of 5, Nesta 2 of 5"),
        ({"design": "compared"}, "Maryland 2 of 5, Nesta 2 of 5"),  # nobody here has shown that they were alike
        ({"design": "randomised"}, "Maryland 5 of 5, Nesta 3 of 5"),
        ({"design": None}, "no grade"),
        ({"design": "described", "level": "story"}, "not on these scales: judged by adequacy, coherence, relevance"),
    ])  # fmt: skip
    def test_the_grade_follows_from_the_design(self, said: dict[str, Any], grade: str) -> None:
        result = asked(found(**said))
        assert result.table["grade"].tolist() == [grade]
        assert grade in result.quotes[0].why_chosen

    def test_every_design_has_words(self) -> None:
        assert set(DESIGNS) == set(Design)

    def test_who_checked_it_is_said_by_role_or_nobody(self) -> None:
        result = asked(found(checked_by="evaluator"), found())
        assert result.table["checked_by"].tolist() == ["evaluator", "nobody"]
        assert "Checked against its source: 1 of 2 (by role: evaluator)." in result.reading
        assert result.quotes[1].why_chosen.endswith("Checked against its source by nobody.")
        assert "Nobody checked any of them against its source." in asked(found()).reading

    def test_a_measure_of_ours_is_called_by_its_name(self) -> None:
        held = programme(found(measure="emergency_admissions_65_plus"))
        called = held.measures["emergency_admissions_65_plus"].label
        assert ek.kirkpatrick.found_by_others(held).table["measure"].tolist() == [called]

    def test_a_place_is_named_where_it_may_be(self) -> None:
        titles = [quote.title for quote in asked(found(place_id="P1"), found(place_id="P2"), found()).quotes]
        assert titles == ["Leaders, behaviour: Wharfedene", "Leaders, behaviour: places not to be named",
                          "Leaders, behaviour"]  # fmt: skip

    def test_one_level_alone(self) -> None:
        result = asked(found(), found(level="team"), level="team")
        assert result.table["what"].tolist() == ["finding F2"]
        assert result.about.asked == "kirkpatrick.found_by_others(level='team')"
        assert (result.about.n, result.about.of) == (1, 2)
        with pytest.raises(ValueError, match=r"No level of findings is called 'place'.*individual, team"):
            asked(found(), level="place")

    @pytest.mark.parametrize(("findings", "level"), [((), None), ((found(),), "team")])
    def test_without_findings_it_says_what_would_answer(self, findings: Any, level: str | None) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match=r"No finding by others .*findings\.csv: one row a finding"):
            asked(*findings, level=level)


class TestWordsOfCause:
    WHY = "Falls fell because of home care, which led to fewer admissions."

    def test_stand_only_as_the_sources_own_words(self, tmp_path: Path) -> None:
        typed = {name: f"impact of {name}" for name in ("measure", "unit", "checked_by", "source")}
        result = asked(found(self.WHY, **typed))
        ours = [result.headline, result.reading, result.alt, *result.caveats, result.quotes[0].why_chosen]
        assert not [text for text in ours if CAUSE.search(text)]
        assert LEFT_OUT in result.reading
        assert LEFT_OUT_RULE in result.caveats
        soup = BeautifulSoup(page([result], tmp_path), "html.parser")
        (quote,) = soup.find_all("blockquote")
        assert f"“{self.WHY}”" in quote.get_text()
        for apart in soup.select("blockquote, style, .scroll table"):  # the source's words; the numbers as typed; rules
            apart.decompose()
        assert self.WHY not in soup.get_text()
        assert "impact of" not in soup.get_text()

    def test_are_quoted_whole_in_the_ledger(self) -> None:
        claims = ek.report([asked(found(self.WHY))]).ledger
        said = claims.loc[claims["rerun"] == NOT_RERUN, "sentence"].tolist()
        assert said == [f"“{self.WHY}”"]
        assert not [text for text in claims.loc[claims["rerun"] != NOT_RERUN, "sentence"] if CAUSE.search(text)]

    @settings(max_examples=8, deadline=None)
    @given(st.text("abc …“”<&because of\n\t", min_size=1, max_size=80).filter(str.strip))
    def test_no_statement_is_changed(self, statement: str) -> None:
        result = asked(found(statement))
        whole = f"“{' '.join(statement.split())}”"
        assert result.quotes[0].text.splitlines()[0] == whole
        assert whole in ek.report([result]).ledger["sentence"].tolist()


class TestSmallNumbers:
    FEW = found("Two of the three nurses left.", estimate=66.67, low=None, high=None, n=3, measure="who left")

    def test_what_rests_on_few_is_withheld(self, tmp_path: Path) -> None:
        result = asked(found(), self.FEW)
        assert result.table["finding"].tolist()[1] == self.FEW["statement"]
        assert [quote.text for quote in result.quotes if "nurses left" in quote.text] == []
        assert "Not quoted: 1 of 2, on fewer than 5" in result.reading
        for audience in WIDER:
            copy = protect(result, audience)
            assert copy.table["interval"].tolist() == ["as published", "withheld"]
            assert copy.headline == "2 findings by others, not re-run by us"
        claims = ek.report([result]).ledger
        for told in ("66.67", "nurses left"):
            assert told not in page([result], tmp_path) + claims.to_csv()
        row = claims.set_index("part").loc["finding F2"]
        assert (row["sentence"], row["rerun"]) == ("Withheld: too few people to show", NOT_RERUN)
        assert row[["estimate", "n", "maryland", "source"]].isna().all()

    def test_what_would_tell_it_beside_the_whole_goes_too(self) -> None:
        whole, rest = (found(n=n, measure="who left", estimate=1.5, low=None) for n in (84, 81))
        copy = protect(asked(whole, rest, self.FEW, found()), Audience.COMMISSIONER)
        assert (copy.table["interval"] == "withheld").tolist() == [False, True, True, False]

    def test_a_level_alone_tells_no_more_than_all(self) -> None:
        rest = found(n=81, measure="who left", level="team")
        copy = protect(asked(rest, self.FEW, level="team"), Audience.PUBLIC)
        assert copy.table["interval"].tolist() == ["withheld"]

    @settings(max_examples=12, deadline=None)
    @given(st.lists(st.integers(1, 12), min_size=1, max_size=7))
    def test_no_number_under_the_minimum_is_shown(self, counts: list[int]) -> None:
        result = asked(*(found(n=n) for n in counts))
        copy = protect(result, Audience.PUBLIC)
        assert len(copy.table) == len(counts)
        assert copy.table["n"].dropna().ge(copy.about.minimum_group).all()
        assert len(copy.quotes) == copy.table["n"].notna().sum()


class TestTheFirstScreen:
    def test_they_stand_under_their_level_and_decide_nothing(self, tmp_path: Path) -> None:
        own = hand_built.everything()
        others = asked(found(), found(level="population", step="results"), found(level="population"), found(level=None))
        screen, alone = grid.first_screen([*own, others]), grid.first_screen(own)
        assert [one.by_others for one in screen] == [
            "1 finding by others (not re-run by us)",
            "",
            "2 findings by others (not re-run by us)",
        ]
        assert [one.rows for one in screen] == [one.rows for one in alone]
        assert grid.in_short(screen) == grid.in_short(alone)
        text = page_checks.text(page([*own, hand_built_about(others)], tmp_path))
        assert f"{grid.QUESTIONS[2][1]} 2 findings by others (not re-run by us)" in text

    def test_where_there_are_only_theirs_it_says_so(self) -> None:
        leaders, organisations, lives = grid.first_screen([hand_built.answer(), asked(found(level="team"))])
        assert organisations.by_others == "Nothing of our own; 1 finding by others (not re-run by us)"
        assert (leaders.by_others, lives.by_others) == ("", "")
        assert grid.in_short((organisations,)) == ("None of the three questions could be answered with these data.",)

    def test_one_shown_twice_is_counted_once(self) -> None:
        held = programme(found(level="team"), found())
        every, of_teams = (ek.kirkpatrick.found_by_others(held, level=level) for level in (None, "team"))
        _, organisations, _ = grid.first_screen([every, of_teams])
        assert organisations.others == 1
        claims = ek.report([of_teams, every]).ledger
        assert sorted(claims.loc[claims["rerun"] == NOT_RERUN, "part"]) == ["finding F1", "finding F2"]
        assert claims["claim_id"].is_unique


class TestCoverage:
    def test_they_fill_no_cell_and_one_with_only_theirs_says_so(self) -> None:
        held = programme(found(), found(level="population", step="learning"), found(level="team", step=None))
        covered = ek.kirkpatrick.coverage(held, [hand_built.answer()])
        table = covered.table.set_index(["measure", "group"])
        assert covered.headline == "1 of 12 cells hold an answer"
        assert table.loc[("Leaders", "Behaviour"), "answers"] == "improved; 1 finding by others (not re-run by us)"
        lives = table.loc[("People's lives", "Learning")]
        assert (lives["n"], lives["by_others"]) == (0, 1)
        assert lives["answers"] == "not measured; 1 finding by others (not re-run by us)"
        assert "Found by others alone, and not re-run by us: people's lives, learning." in covered.reading
        assert "“others”: findings by others, not re-run by us" in covered.alt

    def test_a_page_says_what_was_measured_beside_what_others_found(self, tmp_path: Path) -> None:
        text = page_checks.text(page([asked(found())], tmp_path))
        assert "0 of 12 cells hold an answer" in text
        assert "Found by others alone, and not re-run by us: leaders, behaviour. Nobody knows about the rest." in text


class TestTheLedger:
    def test_a_row_a_finding_with_what_it_rests_on(self) -> None:
        claims = ek.report([hand_built_about(asked(found(checked_by="analyst"))), hand_built.answer()]).ledger
        assert claims["claim_id"].is_unique
        theirs = claims[claims["rerun"] == NOT_RERUN]
        row = theirs.iloc[0]
        assert len(theirs) == 1
        assert (row["estimate"], row["low"], row["high"], row["n"]) == (61.5, 48.0, 73.0, 140)
        assert (row["design"], row["maryland"], row["nesta"]) == ("before_after", 1, 2)
        assert (row["source"], row["checked_by"]) == ("A. Reader, Speaking up, 2025, p. 4", "analyst")
        assert row[["verdict", "attribution"]].isna().all()
        assert set(claims["rerun"]) == {NOT_RERUN, "by us"}
        assert claims.loc[claims["rerun"] == "by us", ["source", "checked_by"]].isna().all(axis=None)

    def test_a_claim_keeps_its_name_when_its_number_changes(self) -> None:
        one, other = (ek.report([asked(found(estimate=figure))]).ledger for figure in (61.5, 70.0))
        assert one["claim_id"].tolist() == other["claim_id"].tolist()


def test_what_somebody_typed_stays_text(tmp_path: Path) -> None:
    evil = '<script>alert(1)</script><img src=x onerror=alert(2)>"><b>'
    written = page([asked(found(evil, source=evil, measure=evil, unit=evil, checked_by=evil))], tmp_path)
    assert page_checks.faults(written) == []
    assert "<script" not in written
    assert "<b>" not in written


def hand_built_about(others: ek.Result) -> ek.Result:
    """The findings, of the programme that hand-built answers are about."""
    from dataclasses import replace

    return replace(others, about=hand_built.about(others.about.asked))


class TestComparedFirst:
    ASKED = "population.{}(measure='emergency_admissions_65_plus')"

    def answer(self, name: str, **said: Any) -> ek.Result:
        given = {"question": grid.QUESTIONS[2][1], "level": Level.POPULATION, "beneficiary": "patients"}
        return hand_built.answer(self.ASKED.format(name), **{**given, **said})

    def primary(self, *answers: ek.Result) -> ek.Result:
        *_, lives = grid.first_screen(answers)
        return lives.rows[0].answers[0]

    def test_beside_other_places_before_the_series_alone(self) -> None:
        alone, compared = self.answer("change"), self.answer("against", verdict=Verdict.UNCLEAR)
        for order in ([alone, compared], [compared, alone]):
            lives = grid.first_screen(order)[2].rows[0]
            assert (lives.answers, lives.beside, lives.shown) == ((compared,), (alone,), (compared,))
            assert lives.more == "Further down: 1 more answer."
        assert self.primary(alone) is alone

    @pytest.mark.parametrize("verdict", [Verdict.DESCRIBED, Verdict.NOT_MEASURABLE])
    def test_a_comparison_that_could_test_nothing_stays_where_it_is(self, verdict: Verdict) -> None:
        alone, compared = self.answer("change"), self.answer("against", verdict=verdict)
        assert self.primary(alone, compared) is alone

    def test_another_measure_keeps_its_turn(self) -> None:
        first = hand_built.answer("population.change(measure='falls')", question=grid.QUESTIONS[2][1],
                                  level=Level.POPULATION, beneficiary="patients")  # fmt: skip
        compared = self.answer("against")
        assert self.primary(first, compared) is first
        assert self.primary(self.answer("change"), first, compared) is compared
