"""population.variation: what is drawn is what the statistic says, limits move only by decision, edges are refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.result import Result
from evalkit.stats import spc
from evalkit.terms import Attribution, Audience, Verdict

ADMISSIONS = "emergency_admissions_65_plus"
STEADY = [42, 44, 41, 45, 43, 42, 44, 41, 45, 43, 42, 44, 41, 45, 43, 42, 44, 41, 45, 43, 42, 44, 41, 45]
WAITS = """
schema = 1
[waits]
label = "People waiting over four hours"
unit = "a month"
better = "lower"
kind = "count"
beneficiary = "patients"
source = "made up"
validated = false
target = {target}
"""


def folder(
    tmp_path: Path,
    counts: Mapping[str, list[Any]],
    *,
    first: str = "2024-01",
    step: int = 1,
    measure: str = ADMISSIONS,
    column: str = "count",
    measures: str = "",
    plan: str = "",
    people: int = 0,
    events: str = "",
) -> Path:
    """A programme's folder with these monthly figures by place; a place whose id begins with C is for comparison."""
    months = pd.period_range(first, periods=step * max(map(len, counts.values())), freq="M")[::step]
    tables: dict[str, list[str]] = {
        "places": ["place_id,name,arm", *(f"{p},{p},{'comparison' if p[0] == 'C' else 'programme'}" for p in counts)],
        "outcomes": [
            f"measure,place_id,period,{column}",
            *(f"{measure},{p},{m},{v}" for p, told in counts.items() for m, v in zip(months, told, strict=False)
              if v is not None),
        ],
    }  # fmt: skip
    if people:
        tables["denominators"] = ["place_id,period,population", *(f"{p},{m},{people}" for p in counts for m in months)]
    if events:
        tables["events"] = ["event_id,place_id,starts_on,kind,name", events]
    for name, lines in tables.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "programme.toml").write_text(
        f'schema = 1\nname = "Testmere"\nstarts_on = 2024-07-01\nas_of = 2030-12-31\nfictional = true\n{plan}\n',
        encoding="utf-8",
    )
    if measures:
        (tmp_path / "measures.toml").write_text(measures, encoding="utf-8")
    return tmp_path


def asked(tmp_path: Path, counts: Mapping[str, list[Any]], how: Mapping[str, Any] | None = None, **of: Any) -> Result:
    programme = ek.load(folder(tmp_path, counts, **of))
    return ek.population.variation(programme, measure=of.get("measure", ADMISSIONS), **(how or {}))


class TestWhatIsDrawn:
    def test_one_place_without_people_is_drawn_in_counts(self, tmp_path: Path) -> None:
        found, chart = asked(tmp_path, {"P1": [*STEADY, 70]}), spc.xmr([*STEADY, 70], direction="lower")
        limits = found.table.iloc[0]
        assert (limits["estimate"], limits["low"], limits["high"]) == (chart.estimate, chart.low, chart.high)
        assert (limits["interval"], limits["n"], limits["n_of"]) == ("process limits", 25, "months")
        months = found.table[found.table["what"] == "month"]
        assert months["estimate"].tolist() == [*STEADY, 70]
        assert months["stands_out"].iloc[-1] == "above the upper limit"
        points = found.marks[found.marks["mark"] == "point"]
        assert points["series"].tolist() == chart.points["point_type"].tolist()
        assert "1 month of 25 stands out; the last, January 2026, is worse than usual" in found.headline
        assert "January 2026 (above the upper limit)" in found.reading

    def test_places_are_added_up_and_comparison_places_left_out(self, tmp_path: Path) -> None:
        found = asked(tmp_path, {"P1": STEADY, "P2": STEADY, "C1": [1000] * 24}, people=1000)
        months = found.table[found.table["what"] == "month"]
        assert months["estimate"].tolist() == pytest.approx([100_000 * 2 * n / 2000 for n in STEADY])
        assert months["n"].tolist() == [2 * n for n in STEADY]
        assert "per 100,000 people a month" in found.reading
        assert "2 programme places" in found.reading

    def test_it_is_described_and_says_nothing_of_the_programme(self, tmp_path: Path) -> None:
        found = asked(tmp_path, {"P1": [*STEADY, 70]})
        assert found.verdict is Verdict.DESCRIBED
        assert found.attribution is Attribution.CANNOT_TELL
        assert any("does not say whether the programme had a part in it" in caveat for caveat in found.caveats)

    def test_the_workbook_of_making_data_count_is_one_setting_away(self, tmp_path: Path) -> None:
        vignette = [1, 2, 1, 2, 10, *([1, 2] * 6), 1]
        plain = asked(tmp_path, {"P1": vignette}, {"chart": "xmr", "screen": False}).table.iloc[0]
        assert (plain["estimate"], plain["low"], plain["high"]) == pytest.approx(
            (1.944444, -3.062614, 6.951503), abs=5e-7
        )
        screened = asked(tmp_path, {"P1": vignette}, {"chart": "xmr"})
        assert screened.table["low"].iloc[0] == pytest.approx(-0.715556, abs=5e-7)
        assert any("2 unusually large steps" in caveat for caveat in screened.caveats)
        assert any("it is drawn at nought" in caveat for caveat in screened.caveats)
        drawn = screened.marks[screened.marks["series"] == "lower limit"]
        assert (drawn["y"] == 0).all()

    @pytest.mark.reference
    def test_accident_and_emergency_as_the_reference_draws_it(self, tmp_path: Path, reference: Path) -> None:
        told = pd.read_csv(reference / "population" / "nhsrdatasets" / "expected_ptd_RRK_rebased.csv")
        plan = '[plan.rebase.waits]\n2018-07 = "every department is counted from here"\n'
        waits = {"measure": "waits", "measures": WAITS.format(target=1000.0), "plan": plan}
        found = asked(tmp_path, {"P1": told["y"].tolist()}, first="2016-04", **waits)
        limits = found.table[found.table["what"] == "limits"]
        assert limits["estimate"].tolist() == pytest.approx([1702.555556, 8646.555556], abs=5e-7)
        assert limits["low"].tolist() == pytest.approx([873.061156, 5698.278056], abs=5e-7)
        assert limits["high"].tolist() == pytest.approx([2532.049956, 11594.833056], abs=5e-7)
        points = found.marks[found.marks["mark"] == "point"]
        assert points["series"].tolist() == told["point_type"].tolist()

    def test_how_often_chance_stands_out_is_said_only_where_it_was_measured(self, tmp_path: Path) -> None:
        def said(**how: Any) -> list[str]:
            found = asked(tmp_path, {"P1": STEADY}, how)
            return [caveat for caveat in found.caveats if "Where nothing happens" in caveat]

        assert "about 19 of every 100" in said()[0]
        assert said(screen=False) == []  # wider limits: 16, not 19
        assert said(rebase={"2025-01": "moved"}) == []


class TestLimitsAreDrawnAnewOnlyByDecision:
    def test_by_the_argument_with_its_reason(self, tmp_path: Path) -> None:
        raised = [*STEADY, *(n + 30 for n in STEADY[:12])]
        found = asked(tmp_path, {"P1": raised}, {"rebase": {date(2026, 1, 1): "the ward moved"}})
        limits = found.table[found.table["what"] == "limits"]
        assert limits["group"].tolist() == ["from January 2024", "from January 2026"]
        assert "since limits were drawn anew (the ward moved)" in found.reading
        events = found.marks.loc[found.marks["mark"] == "event", ["x", "label"]].to_numpy().tolist()
        assert ["2026-01-01", "limits drawn anew: the ward moved"] in events
        assert "rebase={datetime.date(2026, 1, 1): 'the ward moved'}" in found.about.asked

    def test_by_the_plan(self, tmp_path: Path) -> None:
        plan = f'[plan.rebase.{ADMISSIONS}]\n2025-01 = "counted otherwise"\n'
        found = asked(tmp_path, {"P1": STEADY}, plan=plan)
        assert found.table["group"].iloc[1] == "from January 2025"

    def test_never_by_an_event_but_the_break_is_named(self, tmp_path: Path) -> None:
        found = asked(tmp_path, {"P1": STEADY}, events="V1,,2025-01-01,definition_change,Counted otherwise")
        assert (found.table["what"] == "limits").sum() == 1
        assert any("not drawn anew there: Counted otherwise" in caveat for caveat in found.caveats)

    @pytest.mark.parametrize(("said", "problem"), [
        ('"spring" = "moved"', "no month"), ('2025-13 = "moved"', "no month"), ('2025-01 = " "', "gives no reason"),
        ("2025-01 = 3", "not a text"),
    ])  # fmt: skip
    def test_a_slip_in_the_plan_is_named(self, tmp_path: Path, said: str, problem: str) -> None:
        problems = ek.check(folder(tmp_path, {"P1": STEADY}, plan=f"[plan.rebase.{ADMISSIONS}]\n{said}\n"))
        assert problems["file"].tolist() == ["programme.toml"]
        assert problem in problems["problem"][0]

    def test_an_unknown_measure_in_the_plan_is_named(self, tmp_path: Path) -> None:
        problems = ek.check(folder(tmp_path, {"P1": STEADY}, plan='[plan.rebase.admissions]\n2025-01 = "moved"\n'))
        assert problems["value"].tolist() == ["admissions"]


class TestTarget:
    @pytest.mark.parametrize(("target", "letter", "said"), [
        (10.0, "F", "missed every month"), (90.0, "P", "met every month"), (43.0, "?", "met in some months"),
    ])  # fmt: skip
    def test_whether_it_can_be_met_is_an_icon_and_a_sentence(
        self, tmp_path: Path, target: float, letter: str, said: str
    ) -> None:
        found = asked(tmp_path, {"P1": STEADY}, measure="waits", measures=WAITS.format(target=target))
        icons = found.marks[found.marks["mark"] == "icon"]
        assert icons["x"].tolist() == ["~", letter]
        assert said in found.reading
        assert said in found.alt
        assert (found.marks["series"] == "target").sum() == 2

    def test_without_a_target_nothing_is_said_of_one(self, tmp_path: Path) -> None:
        found = asked(tmp_path, {"P1": STEADY})
        assert "arget" not in found.reading + found.alt


class TestEdges:
    def test_three_six_monthly_points_have_no_limits(self, tmp_path: Path) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="at least 6 points in a row; there are 3"):
            asked(tmp_path, {"P1": [2, 3, 3]}, step=6)

    @pytest.mark.parametrize("n", [1, 2, 5])
    def test_too_few_months_are_refused(self, tmp_path: Path, n: int) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match=f"there are {n}"):
            asked(tmp_path, {"P1": STEADY[:n]})

    def test_fewer_than_twelve_are_said_to_be_few(self, tmp_path: Path) -> None:
        assert any("Only 11 months: trial limits" in caveat for caveat in asked(tmp_path, {"P1": STEADY[:11]}).caveats)
        assert not any("trial" in caveat for caveat in asked(tmp_path, {"P1": STEADY[:12]}).caveats)

    def test_a_gap_is_refused_by_its_month(self, tmp_path: Path) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="nothing between 2024-05-01 and 2024-07-01"):
            asked(tmp_path, {"P1": [*STEADY[:5], None, *STEADY[6:]]})

    def test_places_that_did_not_all_report_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="first gap in March 2024"):
            asked(tmp_path, {"P1": STEADY, "P2": [1, 2, None, *STEADY[3:]]})

    @pytest.mark.parametrize("value", [0, 70])
    def test_all_equal_stands_still(self, tmp_path: Path, value: int) -> None:
        found = asked(tmp_path, {"P1": [value] * 14})
        assert "no months of 14 stand out" in found.headline
        assert "No month stands out." in found.reading
        assert found.table["low"].iloc[0] == found.table["high"].iloc[0] == value

    def test_a_season_is_the_first_doubt_where_there_is_one(self, tmp_path: Path) -> None:
        assert "time of year" in asked(tmp_path, {"P1": STEADY}).caveats[0]

    def test_small_counts_are_rough_and_single_ones_withheld(self, tmp_path: Path) -> None:
        raw = asked(tmp_path, {"P1": [9, 8, 3, 9, 8, 9, 7, 9, 8, 9, 7, 2]}, {"chart": "xmr"})
        assert any("fewer than 10 a month" in caveat for caveat in raw.caveats)
        copy = protect(raw, Audience.COMMISSIONER)
        held = copy.table.set_index("group")["interval"]
        assert held["March 2024"] == held["December 2024"] == "withheld"
        drawn = copy.marks[copy.marks["mark"] == "point"]
        assert not drawn["x"].isin(["2024-03-01", "2024-12-01"]).any()
        assert "was 2," not in copy.reading  # the last month's sentence goes with it
        assert not (copy.marks["mark"] == "icon").any()
        copy.svg()

    def test_scores_of_one_place_are_drawn_and_of_several_refused(self, tmp_path: Path) -> None:
        scores = WAITS.replace('kind = "count"', 'kind = "score"').format(target=50.0)
        values = [50.5, 49.25, 51.0, 50.0, 49.5, 50.75, 49.0, 50.25, 51.5, 50.0, 49.75, 50.5]
        how = {"measure": "waits", "measures": scores, "column": "value"}
        found = asked(tmp_path, {"P1": values}, **how)
        assert found.table["estimate"].iloc[0] == pytest.approx(sum(values) / 12)
        with pytest.raises(ek.NotEnoughEvidence, match="have no sum"):
            asked(tmp_path, {"P1": values, "P2": values}, **how)
        with pytest.raises(ek.NotEnoughEvidence, match="have no sum"):
            ek.population.variation(ek.load(tmp_path), measure="waits")

    def test_a_share_without_its_whole_is_refused(self, tmp_path: Path) -> None:
        shares = WAITS.replace('kind = "count"', 'kind = "proportion"').format(target=50.0)
        with pytest.raises(ek.NotEnoughEvidence, match="nobody says out of how many"):
            asked(tmp_path, {"P1": STEADY}, measure="waits", measures=shares)
        found = asked(tmp_path, {"P1": STEADY}, measure="waits", measures=shares, people=200)
        assert found.table["estimate"].iloc[1] == pytest.approx(100 * STEADY[0] / 200)
        assert "in every 100" in found.reading

    def test_denominators_for_some_months_only_are_refused(self, tmp_path: Path) -> None:
        place = folder(tmp_path, {"P1": STEADY})
        rows = (place / "outcomes.csv").read_text().splitlines()
        told = [f"{row},{'denominator' if at == 0 else 900 if at < 5 else ''}" for at, row in enumerate(rows)]
        (place / "outcomes.csv").write_text("\n".join(told) + "\n")
        with pytest.raises(ek.NotEnoughEvidence, match="20 of 24 rows have no denominator"):
            ek.population.variation(ek.load(place), measure=ADMISSIONS)

    def test_a_rebase_from_a_month_without_a_figure_is_an_error_not_a_want_of_evidence(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="2031-01 is no month of emergency admissions") as refused:
            asked(tmp_path, {"P1": STEADY}, {"rebase": {"2031-01": "moved"}})
        assert not isinstance(refused.value, ek.NotEnoughEvidence)
        for month in ("2031-01", "2024-01"):
            place = folder(tmp_path, {"P1": STEADY}, plan=f'[plan.rebase.{ADMISSIONS}]\n{month} = "moved"\n')
            assert ek.check(place)["value"].tolist() == [month]
