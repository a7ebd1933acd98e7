"""individual.attrition: who stopped being rated is counted, and what hangs on it is shown; nobody is told by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy import stats

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.individual import assumed as changes
from evalkit.individual import leavers as who
from evalkit.individual.attrition import SHORT, TIPS, attrition
from evalkit.instrument import shipped
from evalkit.programme import Programme
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.stats import missing, panel
from evalkit.terms import Attribution, Audience, Verdict
from tests.individual.rated import alike, programme, rows

FRAMEWORK = "system_leadership"
DOMAIN = "innovation"
ITEMS = [item.key for item in shipped()[FRAMEWORK].items if item.domain == DOMAIN]
WIDER = (Audience.TEAM, Audience.COMMISSIONER, Audience.PUBLIC)
Path = Sequence[float | None]
"""One leader's score at each wave; None where not rated."""

STAYED: list[Path] = [(2, 3), (3, 3), (2, 4), (3, 4), (4, 4), (2, 3), (3, 4), (2, 2), (4, 5), (3, 4)]
LEFT: list[Path] = [(2, None), (3, None), (1, None), (2, None), (2, None)]
"""Those who stayed began at 2.8 and rose by 0.8; those who left began at 2.0."""


def held(paths: Sequence[Path], **told: Any) -> Programme:
    """Leaders a, b, … (L00, L01) with these scores, every item of the domain answered alike."""
    given = {
        f"L{at:02d}": {wave: alike(ITEMS, score) for wave, score in enumerate(path, 1) if score is not None}
        for at, path in enumerate(paths)
    }
    return programme(rows(FRAMEWORK, given), **told)


def asked(paths: Sequence[Path], *, setting: Mapping[str, Any] | None = None, **told: Any) -> Result:
    return attrition(held(paths, **told), domain=DOMAIN, **(setting or {}))


def row(found: Result, measure: str, group: str = "all", **where: Any) -> pd.Series:
    table = found.table
    kept = table[(table["measure"] == measure) & (table["group"] == group)]
    for column, value in where.items():
        kept = kept[kept[column] == value]
    assert len(kept) == 1, (measure, group, where)
    return kept.iloc[0]


@pytest.fixture(scope="module")
def found() -> Result:
    return asked([*STAYED, *LEFT])


@pytest.fixture(scope="module")
def northmere() -> Result:
    return attrition(ek.load(folder("sample_data") / "northmere"))


def test_who_stopped_is_counted(found: Result) -> None:
    assert found.headline == "5 of 15 leaders rated at the start were not rated at the end"
    assert "5 of 15 leaders rated at the start (April 2024) were not rated at the end (October 2024)." in found.reading
    assert row(found, who.AGAIN)[["n", "out_of"]].tolist() == [10, 15]
    assert row(found, who.STOPPED)[["n", "out_of"]].tolist() == [5, 15]
    assert (found.verdict, found.attribution) == (Verdict.DESCRIBED, Attribution.CANNOT_TELL)
    assert found.about.n == 10


def test_they_are_set_beside_the_others_as_they_began(found: Result) -> None:
    """Against scipy 1.17.1: ttest_ind(left, stayed, equal_var=False).confidence_interval()."""
    began = row(found, "Innovation and Improvement, at the start")
    left, stayed = [path[0] for path in LEFT], [path[0] for path in STAYED]
    assert began["estimate"] == pytest.approx(-0.8)
    interval = stats.ttest_ind(left, stayed, equal_var=False).confidence_interval()
    assert (began["low"], began["high"]) == pytest.approx((interval.low, interval.high))
    spread = np.sqrt((np.var(left, ddof=1) + np.var(stayed, ddof=1)) / 2)
    assert began["standardised"] == pytest.approx(-0.8 / spread)
    assert "Those who stopped had begun 0.80 lower than the others" in found.reading


def test_the_change_is_growth_s_and_beside_it_that_of_pairs_alone(found: Result) -> None:
    grown = ek.individual.growth(held([*STAYED, *LEFT]), on=FRAMEWORK, domain=DOMAIN).table.iloc[0]
    same = ["estimate", "low", "high", "n"]
    assert row(found, changes.EVERY)[same].tolist() == grown[same].tolist()
    both = row(found, changes.BOTH)
    first, last = zip(*STAYED, strict=True)
    interval = stats.ttest_rel(last, first).confidence_interval()
    assert (both["estimate"], both["low"], both["high"]) == pytest.approx((0.8, interval.low, interval.high))
    assert both["n"] == 10


def test_the_worst_and_the_best_are_those_of_the_scale(found: Result) -> None:
    """(32 + 5 x 1)/15 and (32 + 5 x 5)/15 less (28 + 10)/15: the last answers had all who left been at an end."""
    last = [path[1] for path in STAYED]
    lowest, highest = row(found, changes.LOWEST), row(found, changes.HIGHEST)
    assert sum(last) == 36
    assert (lowest["estimate"], highest["estimate"]) == pytest.approx(((36 + 5 - 38) / 15, (36 + 25 - 38) / 15))
    bounds = missing.mean_bounds([*last, *[np.nan] * 5], low=1, high=5)
    assert (lowest["estimate"], highest["estimate"]) == pytest.approx((bounds.worst - 38 / 15, bounds.best - 38 / 15))
    assert "Had all 5 ended at the lowest score the change would be 0.20; at the highest, 1.53." in found.caveats


def test_every_rating_alike_takes_the_means_as_they_are(found: Result) -> None:
    assert row(found, changes.ALIKE)["estimate"] == pytest.approx(3.6 - 38 / 15)


def test_what_would_undo_the_change_is_the_tipping_point_at_the_confidence_of_verdicts(found: Result) -> None:
    answers = pd.DataFrame([*STAYED, *LEFT], columns=[1, 2], dtype=float)
    tipping = missing.tipping_point(answers, first=1, last=2, scale=(1, 5), confidence=0.97)
    told = row(found, TIPS)
    assert tipping.estimate is not None
    assert (told["estimate"], told["standardised"]) == pytest.approx((tipping.estimate, tipping.in_sd))
    assert (told["mean_stayed"], told["mean_stopped"]) == pytest.approx(
        (tipping.stayers_change, tipping.leavers_change_there)
    )
    assert "The rise would no longer be clear (97% interval) if the 5 not rated at the end had ended " in found.reading


def test_a_fall_is_undone_by_ending_higher() -> None:
    turned: list[Path] = [tuple(None if score is None else 6 - score for score in path) for path in [*STAYED, *LEFT]]
    said = asked(turned).reading
    assert "The fall would no longer be clear" in said
    assert "points higher than ratings given suggest" in said


def test_a_change_that_is_not_clear_has_nothing_to_undo() -> None:
    still: list[Path] = [(2, 3), (3, 2), (2, 2), (3, 4), (4, 3), (2, 3), (3, 2), (4, 4), *LEFT]
    found = asked(still)
    assert TIPS not in set(found.table["measure"])
    assert "nothing for missing ratings to undo" in found.reading


def test_it_says_that_nobody_can_know(found: Result, northmere: Result) -> None:
    for each in (found, northmere):
        assert each.caveats[0] == "No method can know what those who stopped would have answered."


def test_nobody_left_is_said_plainly_and_short() -> None:
    found = asked(STAYED)
    assert found.headline == "All 10 leaders rated at the start were rated at the end"
    assert len(found.reading.split()) < 45
    assert set(found.table["measure"]).isdisjoint({who.STOPPED, changes.BOTH, changes.LOWEST, TIPS})
    assert row(found, changes.EVERY)["estimate"] == pytest.approx(0.8)


def test_the_flow_counts_who_came_back_and_who_came_new() -> None:
    """Worked by hand: six leaders, one with a gap, one who came at the second wave, one who left."""
    paths: list[Path] = [(2, 3, 3), (3, None, 4), (2, 2, 3), (3, 3, None), (None, 2, 3), (4, 4, 4)]
    found = asked(paths, setting={"between": (1, 3)}, minimum_group=2)
    wave = {at: found.table[found.table["wave"] == at].set_index("measure") for at in (1, 2, 3)}
    counted = {name: wave[2].loc[name, ["n", "out_of"]].tolist() for name in wave[2].index}
    assert counted == {
        "Rated": [5, 6], "Rated before, and again": [4, 5], "Rated before, not then, but later": [1, 5],
        "Rated for the first time": [1, 5],
    }  # fmt: skip
    assert wave[1].loc["Rated", ["n", "out_of"]].tolist() == [5, 6]
    assert wave[3].loc["Rated before, neither then nor later", ["n", "out_of"]].tolist() == [1, 6]
    assert row(found, who.NEW)[["n", "out_of"]].tolist() == [1, 5]


def test_who_had_not_joined_was_not_asked_and_who_left_the_programme_is_counted() -> None:
    there = held([*STAYED, *LEFT, (None, 3)])
    people = there.participants
    people["joined"] = pd.Timestamp("2024-04-01")
    people.loc[people["participant_id"] == "L15", "joined"] = pd.Timestamp("2024-06-01")
    people["left"] = pd.to_datetime(people["participant_id"].map({"L10": "2024-08-01", "L11": "2025-08-01"}))
    tables = {name: getattr(there, name) for name in ("responses", "people", "waves")}
    found = attrition(Programme.build(settings=there.settings, tables=tables | {"participants": people}), domain=DOMAIN)
    assert row(found, "Rated", wave=1)[["n", "out_of"]].tolist() == [15, 15]
    assert row(found, "Rated", wave=2)[["n", "out_of"]].tolist() == [11, 16]
    assert row(found, who.LEFT_PROGRAMME)[["n", "out_of"]].tolist() == [1, 5], "the other left after the last wave"


SENIOR = {f"L{at:02d}": ("executive" if at % 2 else "other") for at in range(30)}
MANY: list[Path] = [(2 + at % 3, 3 + at % 2 if at % 5 else None) for at in range(30)] + [(3, None)] * 8


def test_groups_are_compared_by_how_many_of_each_stopped() -> None:
    senior = SENIOR | {f"L{at}": ("executive" if at < 35 else "other") for at in range(30, 38)}
    found = asked(MANY, seniority=senior)
    stopped = [path[1] is None for path in MANY]
    for group in ("executive", "other"):
        own = [gone for at, gone in enumerate(stopped) if senior[f"L{at:02d}"] == group]
        assert row(found, who.STOPPED, group)[["n", "out_of"]].tolist() == [sum(own), len(own)]
    assert "(score and seniority)" in found.reading


def test_groups_with_few_are_put_together_or_left_out() -> None:
    of = pd.Series(["a"] * 10 + ["b"] * 10 + ["c"] * 3 + ["d"] * 2)
    gone = pd.Series([True, False] * 12 + [True])
    together = who.pooled(of, gone, 5)
    assert together is not None
    assert together.value_counts().to_dict() == {who.POOLED: 15, "b": 10}
    assert who.pooled(of[of != "a"], gone[of != "a"], 5) is None
    seniority = {f"L{at:02d}": ("executive" if at in (0, 12) else "other") for at in range(15)}
    found = asked([*STAYED, *LEFT], seniority=seniority)
    assert set(found.table["by"]) == {""}
    assert any("Too few stopped, or stayed, in each group by seniority" in said for said in found.caveats)


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.booleans()), min_size=1, max_size=60), st.integers(2, 6))
@settings(max_examples=25)
def test_whatever_groups_there_are_none_shown_is_small_on_either_side(many: list[tuple[str, bool]], least: int) -> None:
    of, gone = pd.Series([each for each, _ in many]), pd.Series([each for _, each in many])
    together = who.pooled(of, gone, least)
    if together is not None:
        counted = pd.crosstab(together, gone).reindex(columns=[False, True], fill_value=0)
        assert len(counted) > 1
        assert counted.to_numpy().min() >= least


@pytest.mark.parametrize("gone", [1, 2, 4])
def test_few_leavers_stay_with_the_evaluator(gone: int) -> None:
    raw = asked([*STAYED, *LEFT[:gone]])
    for audience in WIDER:
        copy = protect(raw, audience)
        shown = copy.table[copy.table["interval"] != "withheld"]
        assert set(shown["measure"]) == {"Rated", "Rated before, and again", who.AGAIN, changes.EVERY}
        assert copy.headline == f"10 of {10 + gone} leaders rated at the start were rated at the end"
        assert "had begun" not in copy.reading
        assert "alone" not in copy.reading
        assert copy.verdict is Verdict.DESCRIBED
        assert copy.details is None


def test_one_who_came_new_is_not_told_by_the_pairs() -> None:
    copy = protect(asked([*STAYED, *LEFT, (None, 5)]), Audience.COMMISSIONER)
    hidden = set(copy.table.loc[copy.table["interval"] == "withheld", "measure"])
    assert {changes.BOTH, changes.ALIKE, changes.LOWEST, changes.HIGHEST, who.NEW} <= hidden
    assert changes.EVERY not in hidden
    assert "From all ratings the later mean is" in copy.reading


def test_few_pairs_are_described_without_an_interval() -> None:
    found = asked([*STAYED[:4], *LEFT])
    moved = found.table[found.table["what"] == "change"]
    assert set(moved["interval"]) == {"none given"}
    assert row(found, changes.BOTH)["estimate"] == pytest.approx(1.0)
    assert any("Fewer than 5 leaders were rated twice" in said for said in found.caveats)


def test_of_one_pair_no_change_is_given() -> None:
    found = asked([STAYED[0], *LEFT])
    assert "change" not in set(found.table["what"])
    assert found.headline == "5 of 6 leaders rated at the start were not rated at the end"
    found.svg()


def test_where_all_changed_alike_there_is_no_interval() -> None:
    found = asked([(2, 3), (3, 4), (2, 3), (3, 4), (1, 2), (4, 5), *LEFT])
    assert row(found, changes.EVERY)["interval"] == "none given"
    assert row(found, changes.EVERY)["estimate"] == pytest.approx(1.0)
    assert "All changed alike: no interval is given." in found.caveats


def test_where_all_began_alike_there_is_nothing_to_compare() -> None:
    found = asked([(3, 2), (3, 3), (3, 4), (3, 4), (3, 5), (3, 4), *[(3, None)] * 5])
    assert "how they began" not in set(found.table["what"])
    assert found.details["leavers"] is None  # type: ignore[index]
    assert "clearly" not in found.reading.split("From all ratings")[0]


def test_one_team_or_a_missing_team_is_counted_by_person() -> None:
    teams = {f"L{at:02d}": f"T{at % 6}" for at in range(15)}
    one = dict.fromkeys(teams, "T0")
    by_team, by_person = (asked([*STAYED, *LEFT], teams=each) for each in (teams, one))
    found = {name: each.details["changes"].whole for name, each in (("team", by_team), ("person", by_person))}  # type: ignore[index]
    assert {name: each.clustered_on for name, each in found.items()} == {"team": "team", "person": "person"}
    answers = pd.DataFrame([*STAYED, *LEFT], columns=[1, 2], dtype=float)
    assert found["person"].se == pytest.approx(panel.available(answers, first=1, last=2).se)


def test_joint_p_is_held_in_details_and_never_written(northmere: Result) -> None:
    joint = northmere.details["leavers"]  # type: ignore[index]
    assert 0 < joint.p <= 1
    assert joint.permutations == 2_000
    written = " ".join([northmere.reading, northmere.headline, northmere.alt, *northmere.caveats])
    assert "p =" not in written
    assert "does not clearly set them apart" in northmere.reading
    assert not [name for name in northmere.table.columns if name == "p"]


def test_leavers_who_clearly_differ_are_said_to() -> None:
    paths: list[Path] = [(4 + at % 2, 5 - at % 3) for at in range(12)] + [(1 + at % 2, None) for at in range(8)]
    assert "clearly sets them apart" in asked(paths).reading


def test_too_few_to_see_any_difference_is_said() -> None:
    found = asked([*STAYED[:4], (3, None)], minimum_group=1)
    assert "too few to say" in found.reading


def test_one_wave_and_ids_that_do_not_join_are_refused() -> None:
    with pytest.raises(ek.NotEnoughEvidence, match="one wave only"):
        asked([(2,), (3,)])
    apart: list[Path] = [(2, None), (3, None), (None, 3), (None, 4)]
    with pytest.raises(ek.NotEnoughEvidence, match="cannot be joined"):
        asked(apart)


def test_a_domain_nobody_answered_twice_is_refused_and_an_unknown_one_named() -> None:
    with pytest.raises(ek.NotEnoughEvidence, match="Learning and Capacity Building at both waves"):
        attrition(held(STAYED), domain="learning")
    with pytest.raises(ValueError, match="has no domain 'courage'"):
        attrition(held(STAYED), domain="courage")


def test_northmere_reads_as_it_should(northmere: Result) -> None:
    grown = ek.individual.growth(ek.load(folder("sample_data") / "northmere"), on=FRAMEWORK).table.iloc[0]
    assert (
        row(northmere, changes.EVERY)[["estimate", "low", "high"]].tolist()
        == grown[["estimate", "low", "high"]].tolist()
    )
    assert "Those who stopped had begun 0.11 lower than the others" in northmere.reading
    assert "the 40 not rated at the end" in northmere.reading
    drawn = northmere.marks[northmere.marks["mark"] == "point"]
    assert drawn["x"].tolist() == list(SHORT.values())
    shown = protect(northmere, Audience.COMMISSIONER).table
    divided = shown[shown["by"] != ""]
    assert (divided["n"].dropna() >= 5).all()
    assert ((divided["out_of"] - divided["n"]).dropna() >= 5).all()


@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.integers(1, 5)), st.one_of(st.none(), st.integers(1, 5))),
        min_size=6,
        max_size=14,
    )
)
@settings(max_examples=8, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
def test_whatever_is_answered_the_worst_and_the_best_hold_every_change(paths: list[Path]) -> None:
    if sum(None not in path for path in paths) < 2:
        return
    found = asked(paths).table.set_index("measure")
    first = [path for path in paths if path[0] is not None]
    if changes.LOWEST not in found.index:
        assert all(None not in path for path in first)
        return
    for end in (1.0, 3.0, 5.0):
        changed = np.mean([(end if path[1] is None else path[1]) - path[0] for path in first])  # type: ignore[operator]
        assert found.loc[changes.LOWEST, "estimate"] - 1e-9 <= changed <= found.loc[changes.HIGHEST, "estimate"] + 1e-9
