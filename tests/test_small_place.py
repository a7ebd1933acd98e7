"""The fictional Ellersyke: what one small place can say is shown, the rest is a named blank, nobody is told by it."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.programme import Programme
from evalkit.reporting import bundle
from evalkit.resources import folder
from evalkit.terms import Audience, Verdict
from tests import page_checks

PLACE = folder("sample_data") / "small_place"
READERS = ("team", "commissioner", "public")


@pytest.fixture(scope="module")
def place() -> ek.Programme:
    return ek.load(PLACE)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (index,) = bundle.publish([PLACE], tmp_path_factory.mktemp("small"), audience="team")
    return index.parent


class TestWhatItHolds:
    def test_it_is_what_one_place_has(self, place: ek.Programme) -> None:
        assert len(place.places) == 1
        assert len(place.participants) == 8
        assert place.organisations["organisation_id"].nunique() == 7
        assert len(place.excerpts) == 10
        assert len(place.outcomes) == 24
        assert place.scores["basis"].unique().tolist() == ["consensus"]

    def test_the_two_forms_cannot_be_linked(self, place: ek.Programme) -> None:
        by_session = place.responses.groupby("subject_id")["respondent_id"].agg(set)
        first, last = by_session
        assert not first & last
        assert not (first | last) & set(place.people["person_id"])

    def test_says_fictional_first(self) -> None:
        for name in ("README.md", "programme.toml"):
            assert "FICTIONAL" in (PLACE / name).read_text(encoding="utf-8").splitlines()[0]


class TestWhatItBears:
    def test_reaction_is_counted(self, place: ek.Programme) -> None:
        found = ek.individual.reaction(place)
        assert "forms were filled in by 13 of 15 who came" in found.reading
        row = found.table.loc[found.table["measure"] == "I could say what I really think"].iloc[0]
        assert (row["estimate"], row["answers"]) == (pytest.approx(100 * 6 / 13), 13)

    def test_one_agreed_score_is_shown_and_not_tested(self, place: ek.Programme) -> None:
        found = ek.team.maturity(place)
        assert found.verdict is Verdict.DESCRIBED
        assert found.headline == "Domain scores from 0 to 3 in November 2025"
        assert "were agreed for November 2025" in found.reading
        assert "hides where people differ" in found.caveats[0]
        assert "published" not in " ".join([found.reading, *found.caveats])

    def test_an_agreed_score_without_a_day_takes_that_of_its_wave_or_is_refused(self, place: ek.Programme) -> None:
        tables = {name: getattr(place, name) for name in ("places", "organisations", "waves", "scores")}
        tables["scores"] = place.scores.assign(measured_on=pd.NaT)
        dated = ek.team.maturity(Programme.build(settings=place.settings, tables=tables))
        assert dated.table["measured_on"].unique().tolist() == [pd.Timestamp(2025, 11, 18)]
        tables["scores"] = tables["scores"].assign(wave=pd.array([pd.NA] * 8, dtype="Int64"))
        with pytest.raises(ek.NotEnoughEvidence, match=r"8 scores on the Integrated Care .* have no date"):
            ek.team.maturity(Programme.build(settings=place.settings, tables=tables))

    def test_where_everybody_came_nobody_is_said_to_be_missing(self, place: ek.Programme) -> None:
        found = ek.process.reach(place)
        assert found.headline == "8 of 8 eligible came"
        assert not any("who is missing is unknown" in caveat for caveat in found.caveats)

    def test_months_are_shown_with_what_stands_out(self, place: ek.Programme) -> None:
        found = ek.population.variation(place, measure="emergency_admissions_65_plus")
        assert found.table["estimate"].iloc[0] == pytest.approx(place.outcomes["count"].mean())
        assert "1 month of 24 stands out" in found.headline

    def test_themes_are_of_excerpts_and_one_reader_is_said(self, place: ek.Programme) -> None:
        found = ek.stories.themes(place)
        assert found.headline == "Told most often: Easier contact, in 5 of 9 excerpts"
        assert "1 excerpt came without consent" in found.reading
        assert found.about.counts == "excerpts"
        assert any("One person read them" in caveat for caveat in found.caveats)
        quoted = {quote.text for quote in found.quotes}
        assert quoted <= set(place.excerpts.loc[place.excerpts["consent"] == "use", "text"])

    @pytest.mark.parametrize(("ask", "missing"), [
        (lambda p: ek.individual.growth(p, on="system_leadership"), "gave no answers"),
        (lambda p: ek.individual.seen_by_others(p, on="system_leadership"), "Nobody was rated"),
        (lambda p: ek.team.bridging(p), "No trust ties"),
        (lambda p: ek.population.change(p, measure="emergency_admissions_65_plus"), "how many people"),
    ])  # fmt: skip
    def test_the_rest_is_refused_by_name(self, place: ek.Programme, ask: object, missing: str) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match=missing):
            ask(place)  # type: ignore[operator]


class TestItsPages:
    def test_every_blank_is_named_and_every_part_answered(self, pages: Path) -> None:
        words = page_checks.text((pages / "index.html").read_text(encoding="utf-8"))
        for blank in ("Leaders gave no answers on the Systems Leadership", "No trust ties were recorded",
                      "Nobody says how many people the counts are out of"):  # fmt: skip
            assert blank in words
        assert "These data cannot say whether people lead differently." in words
        assert "Nothing was measured for citizens, staff and taxpayers." in words

    def test_two_sides_of_paper_hold_the_pictures_and_the_blanks(self, pages: Path) -> None:
        page = (pages / "handout.html").read_text(encoding="utf-8")
        assert page_checks.faults(page) == []
        soup = BeautifulSoup(page, "html.parser")
        assert len(soup.find_all("img")) == 5
        assert len(soup.select(".unanswered li")) == 4
        assert 'href="handout.html"' in (pages / "index.html").read_text(encoding="utf-8")

    def test_nobody_is_told_by_any_page(self, pages: Path, place: ek.Programme) -> None:
        people = {*place.people["person_id"], *place.respondents["respondent_id"], *place.excerpts["excerpt_id"]}
        unquoted = place.excerpts.loc[place.excerpts["consent"] != "use", "text"]
        for path in [*pages.glob("*.html"), pages / "claims.csv"]:
            text = path.read_text(encoding="utf-8")
            words = page_checks.text(text) if path.suffix == ".html" else text
            assert not [one for one in people if re.search(rf"\b{one}\b", words)], path.name
            assert not [said for said in unquoted if said in words], path.name

    @pytest.mark.parametrize("readers", READERS)
    def test_a_theme_few_told_is_withheld(self, place: ek.Programme, readers: str) -> None:
        raw = ek.stories.themes(place)
        copy = protect(raw, Audience(readers))
        few = raw.table.loc[raw.table["n"] < 5, "measure"]
        assert len(few) == 4
        for theme in few:
            assert f"{theme.lower()} (" not in copy.reading.lower()
            assert copy.table.set_index("measure").loc[theme, "interval"] == "withheld"
