"""From files to page: what somebody wrote in a cell stays text, and what was planted is found again."""

from __future__ import annotations

import csv

import pytest

import evalkit as ek
from tests.page_checks import faults

ATTACKS = [
    "<script>document.title='taken'</script>",
    "<img src=x onerror=\"document.title='taken'\">",
    '"><svg onload=alert(1)>',
    "[click](javascript:alert(1)) & <b>bold</b>",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_story_that_attacks_is_read_as_words(attack, tmp_path):
    from evalkit.simulation import write

    folder = write(ek.simulate(seed=11, leaders=30, teams=6, places=4, programme_places=3), tmp_path / "told")
    with (folder / "stories.csv").open(encoding="utf-8", newline="") as page:
        header, *rows = list(csv.reader(page))
    text, title, role, consent = (header.index(name) for name in ("text", "title", "teller_role", "consent"))
    for row in rows:
        row[text], row[title], row[role], row[consent] = attack, attack, attack, "use"
    with (folder / "stories.csv").open("w", encoding="utf-8", newline="") as page:
        csv.writer(page).writerows([header, *rows])
    programme = ek.load(folder)
    themes = ek.stories.themes(programme)
    assert themes.quotes[0].text == attack
    saved = ek.report([themes]).save(tmp_path / "page.html").read_text(encoding="utf-8")
    for page in (saved, themes._repr_mimebundle_()["text/html"]):
        assert attack not in page
        assert "<script" not in page
        assert "<img src=x" not in page
        assert "<svg onload" not in page
    assert faults(saved) == []


def within(row: dict[str, float], truth: float) -> bool:
    """Inside the interval made as wide again on both sides, so that any seed would pass."""
    reach = row["high"] - row["low"]
    return row["low"] - reach / 2 <= truth <= row["high"] + reach / 2


def test_what_is_planted_in_a_large_programme_is_found_again():
    effects = {"system_leadership": 0.3, "system_leadership_by_sponsors": 0.2, "emergency_admissions_65_plus": 0.8}
    effects |= {"icfat_leadership": 0.5, "icfat_workforce": -0.4}
    programme = ek.simulate(
        seed=5, effects=effects, leaders=600, teams=60, places=30, programme_places=22, months=84, events=False
    )
    assert programme.truth is not None
    expected = {name: part["change"] for name, part in programme.truth["expected"].items() if "change" in part}
    grown = ek.individual.growth(programme, on="system_leadership")
    sponsors = ek.individual.growth(programme, on="system_leadership", rater="sponsor")
    fewer = ek.population.change(programme, measure="emergency_admissions_65_plus")
    moved = ek.team.maturity(programme).table.query("what == 'change'").set_index("measure")
    assert within(grown.table.iloc[0].to_dict(), expected["system_leadership"])
    assert within(sponsors.table.iloc[0].to_dict(), expected["system_leadership_by_sponsors"])
    assert within(fewer.table.iloc[0].to_dict(), 0.8)
    assert within(moved.loc["Leadership"].to_dict(), expected["icfat_leadership"])
    assert within(moved.loc["Workforce"].to_dict(), expected["icfat_workforce"])
    assert grown.verdict.value == "rose"


def test_one_bad_cell_is_named_and_nothing_is_loaded(tmp_path):
    from evalkit.simulation import write

    folder = write(ek.simulate(seed=11, leaders=30, teams=6, places=4, programme_places=3), tmp_path / "bad")
    text = (folder / "outcomes.csv").read_text(encoding="utf-8").splitlines()
    count = text[0].split(",").index("count")
    cells = text[4].split(",")
    cells[count] = "12.5"
    text[4] = ",".join(cells)
    (folder / "outcomes.csv").write_text("\n".join(text) + "\n", encoding="utf-8")
    problems = ek.check(folder)
    assert problems[["file", "row", "column", "value"]].to_numpy().tolist() == [["outcomes.csv", 5, "count", "12.5"]]
    with pytest.raises(ek.DataProblems, match=r"outcomes\.csv, row 5, column count, '12\.5'"):
        ek.load(folder)
