"""individual.trajectories: the mean at every wave, and a dip only where a wave between clearly stands below the first.

R 4.2.2, on ONE … FOUR below; day <- as.numeric(as.Date(c("2024-04-30", "2024-10-31", "2025-04-30", "2025-10-31"))),
g <- (day - day[1]) / (day[4] - day[1]), line <- function(y, k) y - ((1 - g[k]) * one + g[k] * four):
    mean, t.test(x)$conf.int   4, 3.368027586 4.631972414;          3.0625, 2.541481957 3.583518043
                               3.625, 3.192318066 4.057681934;      4.1875, 3.598988944 4.776011056
    t.test(two - one)          -0.9375, -1.205390341 -0.6696096592        p.adjust(p, "holm")  0.0002202050845
    t.test(line(two, 2))       -1.000341530, -1.258343489 -0.7423395714                        0.0001512366567
    t.test(three - one)        -0.375, -0.67057803145 -0.07942196855                           0.0199421261320
    t.test(line(three, 3))     -0.499658469945, -0.757660428577 -0.241656511314                0.0050908926059
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.individual.courses import ALL_WAVES, LINE, OWN_WAVE, START
from evalkit.individual.pace import A_YEAR
from evalkit.programme import Programme
from evalkit.reading.plan import Plan
from evalkit.result import Result
from evalkit.stats import growth
from evalkit.terms import Attribution, Audience, Verdict
from tests.individual.rated import programme, rows

ONE = (4, 4, 5, 3, 4, 5, 4, 3)
TWO = (3, 3, 4, 2.5, 3, 3.5, 3.5, 2)
THREE = (3.5, 4, 4, 3, 3.5, 4.5, 3.5, 3)
FOUR = (4, 4.5, 5, 3, 4, 5, 4.5, 3.5)
Waves = Mapping[int, Sequence[float | None]]


def energy(waves: Waves) -> pd.DataFrame:
    """Answers of leaders on the two items of energy, in halves; None for a leader who did not answer the wave."""
    people = len(next(iter(waves.values())))
    given_by = {
        f"L{one:02}": {wave: _items(scores[one]) for wave, scores in waves.items() if scores[one] is not None}
        for one in range(people)
    }
    return rows("staying_power", {leader: held for leader, held in given_by.items() if held})


def _items(score: float | None) -> dict[str, float | None]:
    assert score is not None
    return {"lively": math.ceil(score), "drained": 6 - math.floor(score)}


def authority(
    leaders: Sequence[str], wave: int, scores: Sequence[float], rater: str, by: Sequence[str]
) -> pd.DataFrame:
    """One rating each of know-how, every item alike."""
    items = ("service_design", "governance", "contracting", "technology")
    held = {leader: {wave: dict.fromkeys(items, score)} for leader, score in zip(leaders, scores, strict=True)}
    return rows("knowledge_and_skills", held, rater=rater, by=dict(zip(leaders, by, strict=True)))


def asked(waves: Waves, **told: Any) -> Result:
    return ek.individual.trajectories(programme(energy(waves), **told), on="staying_power", domain="energy")


def of(found: Result, what: str) -> pd.DataFrame:
    return found.table[found.table["what"] == what].set_index("wave")


@pytest.fixture(scope="module")
def dipped() -> Result:
    return asked({1: ONE, 2: TWO, 3: THREE, 4: FOUR})


def test_means_and_the_waves_between_agree_with_t(dipped: Result) -> None:
    means = of(dipped, "mean")
    assert means["estimate"].tolist() == pytest.approx([4, 3.0625, 3.625, 4.1875])
    assert means["low"].tolist() == pytest.approx([3.368027586, 2.541481957, 3.192318066, 3.598988944])
    assert means["high"].tolist() == pytest.approx([4.631972414, 3.583518043, 4.057681934, 4.776011056])
    start, line = of(dipped, START), of(dipped, LINE)
    assert start.loc[2, ["estimate", "low", "high"]].tolist() == pytest.approx([-0.9375, -1.205390341, -0.6696096592])
    assert start.loc[3, ["estimate", "low", "high"]].tolist() == pytest.approx([-0.375, -0.67057803145, -0.07942196855])
    assert line.loc[2, ["estimate", "low", "high"]].tolist() == pytest.approx(
        [-1.000341530, -1.258343489, -0.7423395714]
    )
    assert line.loc[3, ["estimate", "low", "high"]].tolist() == pytest.approx(
        [-0.499658469945, -0.757660428577, -0.241656511314]
    )
    assert set(dipped.table["clear"]) == {"", "lower"}


def test_what_is_clear_is_judged_together_by_holm(dipped: Result) -> None:
    """The adjusted p of the third wave against the first is .0199: clear at .03; beside a fifth comparison it is."""
    assert of(dipped, START)["clear"].tolist() == ["lower", "lower"]
    weaker = (3.5, 4, 4.5, 3, 3.5, 5, 3.5, 3)
    found = asked({1: ONE, 2: TWO, 3: weaker, 4: FOUR})
    third = of(found, START).loc[3]
    assert third["high"] < 0, "by itself it would be clear"
    assert third["clear"] == ""


def test_a_dip_is_named_with_where_it_came_from_and_went(dipped: Result) -> None:
    assert dipped.headline == (
        "Leaders' own ratings of Energy dipped on the way: 4.00, then 3.06 in October 2024, then 4.19"
    )
    assert "ratings stood 0.94 lower in October 2024 (−1.21 to −0.67, 95% interval)" in dipped.reading
    assert "no failure" in " ".join(dipped.caveats)
    assert dipped.verdict is Verdict.DESCRIBED
    assert "individual.growth" in dipped.decided.why
    assert dipped.attribution is Attribution.CANNOT_TELL
    points = dipped.marks[dipped.marks["mark"] == "point"]
    assert points["label"].fillna("").tolist() == ["", "dip", "dip", ""]
    assert "October 2024 3.06 (2.54 to 3.58), dip" in dipped.alt


def test_waves_are_drawn_as_far_apart_as_they_were(dipped: Result) -> None:
    ticks = dipped.marks[dipped.marks["mark"] == "tick"]
    assert ticks["x"].tolist() == ["April 2024", "October 2024", "April 2025", "October 2025"]
    assert ticks["y"].tolist() == [0, 184, 365, 549]


def test_without_days_waves_stand_by_their_numbers() -> None:
    made = energy({1: ONE, 2: TWO, 4: FOUR}).assign(answered_on=pd.NaT)
    waves = pd.DataFrame({"wave": [1, 2, 4], "closes_on": pd.to_datetime([None, None, None])})
    found = ek.individual.trajectories(programme(made, tables={"waves": waves}), on="staying_power", domain="energy")
    ticks = found.marks[found.marks["mark"] == "tick"]
    assert dict(zip(ticks["x"], ticks["y"], strict=True)) == {"wave 1": 0, "wave 2": 1, "wave 4": 3}
    line = np.mean(np.array(TWO) - (2 / 3 * np.array(ONE) + 1 / 3 * np.array(FOUR)))
    assert of(found, LINE).loc[2, "estimate"] == pytest.approx(line)
    assert "not known" in " ".join(found.caveats)


def test_a_straight_rise_is_no_dip_and_says_what_could_have_been_seen() -> None:
    up = (0.5, 0, 0.5, 0, 0.5, 0, 0, 0.5)
    low = (2, 3, 2.5, 3, 2, 2.5, 3, 2)
    waves = {1: low, 2: [a + b for a, b in zip(low, up, strict=True)], 3: [a + 0.5 for a in low],
             4: [a + 0.5 + b for a, b in zip(low, up, strict=True)]}  # fmt: skip
    found = asked(waves)
    assert found.headline.endswith("with no clear dip on the way")
    assert "No wave between stands below the first" in found.reading
    assert any(told.startswith("Only a dip of") for told in found.caveats)


def test_everybody_alike_has_no_interval_and_nothing_to_judge() -> None:
    found = asked({1: (4,) * 6, 2: (3,) * 6, 3: (4,) * 6})
    assert set(found.table["interval"]) == {"none given"}
    assert of(found, START).loc[2, "estimate"] == -1
    assert set(found.table["clear"]) == {""}
    assert "too few answered to tell a shape" in found.headline or "cannot be told" in found.reading


@pytest.mark.parametrize("n", [1, 2, 4])
def test_few_leaders_are_described_and_stay_with_the_evaluator(n: int) -> None:
    found = asked({1: ONE[:n], 2: TWO[:n], 3: FOUR[:n]})
    assert set(found.table["interval"]) == {"none given"}
    assert of(found, "mean")["n"].tolist() == [n, n, n]
    copy = protect(found, Audience.COMMISSIONER)
    assert set(copy.table["interval"]) == {"withheld"}
    assert copy.headline == "Withheld: too few people to show"
    assert not (copy.marks["mark"].isin(["point", "line"])).any()
    copy.svg()


def test_two_waves_make_a_line_and_no_shape() -> None:
    found = asked({1: ONE, 3: THREE})
    assert found.headline.endswith("two waves show no shape")
    assert "two points make a line" in found.reading
    assert found.table["what"].tolist() == ["mean", "mean"]


def test_one_wave_and_ids_that_cannot_be_joined_are_refused() -> None:
    with pytest.raises(ek.NotEnoughEvidence, match="at one wave only"):
        asked({1: ONE})
    gone: list[float | None] = [None] * 8
    with pytest.raises(ek.NotEnoughEvidence, match="cannot be joined"):
        asked({1: [*ONE, *gone], 2: [*gone, *TWO]})


def test_settings_that_are_not_there_are_named(dipped: Result) -> None:
    made = programme(energy({1: ONE, 2: TWO}))
    with pytest.raises(ValueError, match=r"no domain 'enery'.*energy"):
        ek.individual.trajectories(made, on="staying_power", domain="enery")
    for raters in (("sponser",), "self", ()):
        with pytest.raises(ValueError, match=r"must name kinds of rater.*sponsor"):
            ek.individual.trajectories(made, on="staying_power", raters=raters)
    with pytest.raises(ValueError, match="No instrument is called 'stamina'"):
        ek.individual.trajectories(made, on="stamina")
    assert dipped.about.asked == (
        "individual.trajectories(on='staying_power', domain='energy', raters=('self', 'sponsor', 'partner'))"
    )


def test_all_answers_are_used_where_enough_answered_every_wave() -> None:
    rng = np.random.default_rng(7)
    base = rng.integers(2, 9, 20) / 2
    waves: dict[int, list[float | None]] = {
        wave: [
            float(np.clip(score + shift, 1, 5)) for score, shift in zip(base, rng.integers(-1, 2, 20) / 2, strict=True)
        ]
        for wave in (1, 2, 3)
    }
    waves[3][0] = waves[3][1] = waves[3][2] = None
    found = asked(waves)
    assert set(found.table["basis"]) == {ALL_WAVES}
    means = of(found, "mean")
    assert means["n"].tolist() == [20, 20, 17]
    assert of(found, START).loc[2, "estimate"] == pytest.approx(means.loc[2, "estimate"] - means.loc[1, "estimate"])
    assert of(found, START).loc[2, "n"] == 20
    assert of(found, LINE).loc[2, "n"] == 17


def test_where_few_answered_every_wave_each_mean_is_its_own_and_what_would_tell_is_withheld() -> None:
    third: list[float | None] = [*THREE[:6], None, None]
    second: list[float | None] = [*TWO[:6], 3, None]
    found = asked({1: ONE, 2: second, 3: third})
    assert set(found.table["basis"]) == {OWN_WAVE}
    assert of(found, "mean").loc[3, "estimate"] == pytest.approx(np.mean(THREE[:6]))
    assert of(found, LINE).loc[2, "tells"] == 1
    copy = protect(found, Audience.COMMISSIONER)
    assert copy.table.loc[found.table["what"] == LINE, "interval"].tolist() == ["withheld"]
    means = copy.table.loc[found.table["what"] == "mean", "interval"].tolist()
    assert means == ["withheld", "withheld", "95% confidence"], (
        "growth is of the six at both ends, and tells the others"
    )
    assert any("not quite those" in told for told in found.caveats)


def test_others_stand_beside_and_small_groups_of_raters_are_withheld() -> None:
    leaders = [f"L{one:02}" for one in range(8)]
    made = [
        authority(leaders, wave, scores, rater, by)
        for wave, scores in (
            (1, (4, 4, 5, 3, 4, 5, 4, 3)),
            (2, (3, 3, 4, 2, 3, 4, 4, 2)),
            (3, (4, 4, 5, 3, 4, 5, 5, 4)),
        )
        for rater, by in (("self", leaders), ("sponsor", ["S1", "S2", "S3", "S4"] * 2))
        if rater == "self" or wave != 2
    ]
    found = ek.individual.trajectories(programme(*made), on="knowledge_and_skills", raters=("sponsor", "self"))
    assert found.headline.startswith("Leaders' own ratings of Technical know-how dipped")
    assert "Beside them sponsors: 4.00" in found.reading
    sponsors = found.table[found.table["group"] == "sponsors"]
    assert sponsors["raters"].tolist() == [4, 4]
    copy = protect(found, Audience.COMMISSIONER)
    assert "sponsors: 4.00" not in copy.reading
    assert not (copy.marks["series"] == "sponsors").any()


def test_a_rater_who_rated_once_is_named_and_not_drawn() -> None:
    leaders = [f"L{one:02}" for one in range(8)]
    made = [authority(leaders, wave, ONE, "self", leaders) for wave in (1, 2)]
    made.append(authority(leaders, 1, ONE, "partner", [f"P{one}" for one in range(8)]))
    found = ek.individual.trajectories(programme(*made), on="knowledge_and_skills")
    assert found.table["group"].unique().tolist() == ["leaders"]
    assert "Partner agencies rated no leader at two waves, so no course of theirs is shown." in found.caveats


def test_where_lower_is_better_a_rise_is_the_wrong_way() -> None:
    items = ("pull", "unclear", "first", "switch", "authority")
    turned = {"first", "authority"}

    def answers(score: float) -> dict[str, float | None]:
        return {item: 6 - score if item in turned else score for item in items}

    held = {
        f"L{k}": {1: answers(2 + k % 2), 2: answers(4 + (k % 3 == 0)), 3: answers(2 + (k % 4 == 0))} for k in range(9)
    }
    found = ek.individual.trajectories(programme(rows("role_ambiguity", held)), on="role_ambiguity")
    assert of(found, START).loc[2, "clear"] == "higher"
    assert "rose, for the worse, on the way" in found.headline
    assert not (found.marks["label"] == "dip").any()


def test_teams_are_kept_together_where_there_are_enough() -> None:
    waves = {1: ONE * 2, 2: TWO * 2, 3: FOUR * 2}
    alone = asked(waves)
    leaders = [f"L{one:02}" for one in range(16)]
    teamed = asked(waves, teams={leader: f"T{at % 8}" for at, leader in enumerate(leaders)})
    one = asked(waves, teams=dict.fromkeys(leaders, "T1"))
    pd.testing.assert_frame_equal(one.table, alone.table)
    assert of(teamed, START).loc[2, "estimate"] == pytest.approx(of(alone, START).loc[2, "estimate"])
    assert of(teamed, START).loc[2, "low"] < of(alone, START).loc[2, "low"]


def test_the_declared_domain_is_the_usual_one() -> None:
    made = programme(energy({1: ONE, 2: TWO}), plan=Plan(primary={"individual": "staying_power/energy"}))
    assert ek.individual.trajectories(made).table["measure"].unique().tolist() == ["Energy"]


half_points = st.integers(2, 10).map(lambda steps: steps / 2)


@settings(max_examples=6)
@given(
    st.lists(st.tuples(*[st.one_of(st.none(), half_points)] * 3), min_size=5, max_size=9).filter(
        lambda held: (
            sum(first is not None and last is not None for first, _, last in held) >= 1
            and any(between is not None for _, between, _ in held)
        )
    )
)
def test_whoever_answers_the_means_stay_on_the_scale_and_what_is_clear_lies_off_nought(
    held: list[tuple[float | None, float | None, float | None]],
) -> None:
    found = asked({wave + 1: [leader[wave] for leader in held] for wave in range(3)})
    means, bends = of(found, "mean"), found.table[found.table["what"] != "mean"]
    assert means["estimate"].between(1 - 1e-9, 5 + 1e-9).all() or set(means["basis"]) == {ALL_WAVES}
    clear = bends[bends["clear"] != ""]
    assert ((clear["low"] > 0) | (clear["high"] < 0)).all()
    none = found.table["low"].isna()
    assert (found.table["interval"] == none.map({True: "none given", False: "95% confidence"})).all()


@pytest.mark.parametrize(("planted", "shape"), [(-1.0, "dipped on the way"), (0.0, "no clear dip on the way")])
def test_what_was_planted_is_found_again(planted: float, shape: str) -> None:
    """A dip at the second wave, half made good by the third: of the few who are asked, one of a whole point shows."""
    made: Programme = ek.simulate(
        seed=11, effects={"staying_power": planted}, dropout=0.0, nonresponse=0.0, tables=("responses",),
        asked=("keeping_going",),
    )  # fmt: skip
    found = ek.individual.trajectories(made, on="staying_power", domain="motivation")
    expected = made.truth["expected"]["staying_power"]["mean_by_wave"]["motivation"]  # type: ignore[index]
    assert of(found, "mean")["estimate"].tolist() == pytest.approx(list(expected), abs=0.4)
    assert shape in found.headline


def test_a_line_through_all_waves_says_how_fast() -> None:
    """Everybody gains a point a year, whatever the wave and wherever they began; days are those of the waves."""
    days = pd.to_datetime(["2024-04-30", "2024-10-31", "2025-04-30", "2025-10-31"])
    years = (days - days[0]).days / 365.25
    rng = np.random.default_rng(3)
    scores = {
        wave: [float(np.round(2 * (2 + year + start)) / 2) for start in rng.uniform(0, 1, 30)]
        for wave, year in zip((1, 2, 3, 4), years, strict=True)
    }
    found = asked(scores)
    line = found.table[found.table["what"] == A_YEAR].iloc[0]
    assert line["unit"] == "points a year"
    assert line["low"] < 1 < line["high"]
    frame = pd.DataFrame(scores).melt(var_name="wave", value_name="score", ignore_index=False).rename_axis("who")
    frame = frame.reset_index().assign(years=lambda held: held["wave"].map(dict(zip((1, 2, 3, 4), years, strict=True))))
    by_hand = growth.model(frame, outcome="score", time="years", person="who")
    assert [line["estimate"], line["low"], line["high"]] == pytest.approx([by_hand.estimate, by_hand.low, by_hand.high])
    assert "By a straight line through all waves" in found.reading


def test_without_days_or_with_two_waves_there_is_no_pace() -> None:
    two = asked({1: ONE, 2: FOUR})
    assert A_YEAR not in set(two.table["what"])
