"""The team room: nothing an audience sees, nor several answers together, lets one organisation's respondent be told."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.terms import Audience
from tests.team.answered import Row, alike, programme

WIDER = (Audience.TEAM, Audience.COMMISSIONER, Audience.PUBLIC)
CULTURE = "Culture"
DAYS = ("2024-05-31", "2025-05-31")
TOLD = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=date(2026, 3, 31), fictional=True)
ICFAT = ek.load(folder("sample_data") / "salford").instruments["icfat"]
Sitting = tuple[str, str, int]
"""Person, place, wave: one answer, unknown to whoever reads a report."""


def everywhere(result: Result) -> str:
    """All the words and numbers of a copy."""
    return json.dumps(result.to_json(), ensure_ascii=False) + result._repr_mimebundle_()["text/html"] + result.alt


def shown(result: Result, audience: Audience = Audience.PUBLIC) -> pd.DataFrame:
    """The rows an audience sees with their numbers."""
    table = protect(result, audience).table
    return table[(table["interval"] != "withheld") & table["estimate"].notna()]


def mean_of(many: list[Sitting], held: list[Sitting], *, over_places: bool = False) -> list[float]:
    """The weights of a mean of these answers, in the order of all answers that are held."""
    places = {place: sum(each[1] == place for each in many) for _, place, _ in many}
    weight = {each: 1 / (places[each[1]] * len(places)) if over_places else 1 / len(many) for each in many}
    return [weight.get(each, 0.0) for each in held]


def tells_one(sums: list[list[float]], held: list[Sitting]) -> list[Sitting]:
    """The answers that whoever can solve equations works out from these means: exactly, whatever was answered."""
    _, size, across = np.linalg.svd(np.array(sums), full_matrices=False)
    within = (across[size > 1e-9 * size[0]] ** 2).sum(axis=0)
    return [each for each, share in zip(held, within, strict=True) if share > 1 - 1e-9]


def report(answered: Programme, held: list[Sitting], of: dict[str, dict[str, str]]) -> list[list[float]]:
    """The means that one report of maturity shows: over places, by place, by organisation, by level, and the change."""
    sums = []
    waves = sorted({wave for *_, wave in held})
    at = {wave: [each for each in held if each[2] == wave] for wave in waves}
    placed = {wave: {place for _, place, _ in at[wave]} for wave in waves}
    whole = shown(ek.team.maturity(answered))
    whole = whole[whole["measure"] == CULTURE]
    for day, wave in zip(DAYS, waves, strict=False):
        if ((whole["what"] == "mean") & (whole["measured_on"] == day)).any():
            sums.append(mean_of(at[wave], held, over_places=True))
    if (whole["what"] == "change").any():
        both = placed[1] & placed[2]
        ends = [mean_of([each for each in at[wave] if each[1] in both], held, over_places=True) for wave in (1, 2)]
        sums.append((np.array(ends[1]) - ends[0]).tolist())
    for by, groups in of.items():
        for row in shown(ek.team.maturity(answered, by=by)).to_dict("records"):
            many = [each for each in at[row["wave"]] if groups.get(each[0], f"Place {each[1]}") == row["group"]]
            assert len(many) == row["n"]
            sums.append(mean_of(many, held))
    return sums


@st.composite
def partnerships(draw: st.DrawFn) -> tuple[list[Sitting], dict[str, str], dict[str, str]]:
    """Six to eight places of one to seven people, some at one wave only; each person of an organisation and a level."""
    held: list[Sitting] = []
    works, levels = {}, {}
    for place in range(draw(st.integers(6, 8))):
        waves = draw(st.sampled_from([(1, 2), (1, 2), (1, 2), (1,), (2,)]))
        for wave in waves:
            for person in range(draw(st.sampled_from([1, 1, 2, 4, 5, 5, 6, 7]))):
                who = f"P{place}r{person}"
                held.append((who, f"P{place}", wave))
                works[who] = f"O{draw(st.integers(0, 3))}" if who not in works else works[who]
                levels[who] = draw(st.sampled_from(["board", "board", "ward"])) if who not in levels else levels[who]
    return held, works, levels


@given(partnerships())
@settings(max_examples=15)
def test_no_answer_can_be_worked_out_from_all_the_means_of_one_report(of):
    held, works, levels = of
    if len({wave for *_, wave in held}) < 2:
        return
    answered = programme(*((who, place, wave, {"culture": 2.0 + (who[-1] > "2")}) for who, place, wave in held),
                         works=works, levels=levels)  # fmt: skip
    sums = report(answered, held, {"place": {}, "organisation": {who: f"Body {body}" for who, body in works.items()},
                                   "level": levels})  # fmt: skip
    assert not tells_one(sums, held)


def test_the_reader_of_these_tests_can_solve_equations():
    held = [("a", "P1", 1), ("b", "P1", 1), ("c", "P2", 1)]
    assert tells_one([mean_of(held, held), mean_of(held[:2], held)], held) == [held[2]]
    assert tells_one([mean_of(held, held), mean_of(held, held, over_places=True)], held) == [held[2]]
    assert not tells_one([mean_of(held, held)], held)


def test_who_answered_in_an_organisation_beside_those_of_one_place_is_not_told():
    """Body O1 is the five of P1 and one more: six less five, each with enough people, would be that one."""
    rows = [*alike("P1", 1, 3.0, n=5), *alike("P2", 1, 2.0, n=8), *alike("P3", 1, 2.0, n=8)]
    works = {f"P1r{one}": "O1" for one in range(5)} | {"P2r0": "O1"}
    works |= {f"{place}r{one}": f"O{2 + one % 2}" for place in ("P2", "P3") for one in range(8)
              if (place, one) != ("P2", 0)}  # fmt: skip
    answered = programme(*rows, works=works)
    held = [row[:3] for row in rows]
    bodies = {who: f"Body {body}" for who, body in works.items()}
    assert tells_one([mean_of(held[:6], held), mean_of(held[:5], held)], held)
    assert not tells_one(report(answered, held, {"place": {}, "organisation": bodies}), held)
    assert (answered.minimum_group, ek.team.maturity(answered, by="organisation").table["tells"].min()) == (5, 1)


def test_where_each_split_has_enough_people_nothing_is_kept_back():
    rows = [row for place in ("P1", "P2", "P3") for row in alike(place, 1, 3.0, n=12)]
    works = {row[0]: f"O{k % 2}" for k, row in enumerate(rows)}
    answered = programme(*rows, works=works)
    for by in ("place", "organisation"):
        assert ek.team.maturity(answered, by=by).table["tells"].isna().all()
        assert (protect(ek.team.maturity(answered, by=by), Audience.PUBLIC).table["interval"] != "withheld").all()


def test_the_one_person_of_a_place_that_left_is_not_told_by_what_stayed():
    """Mean of six less that of five at both waves, with their change, would be the sixth place's one answer."""
    stayed = [
        row for wave in (1, 2) for k in range(5) for row in alike(f"P{k}", wave, float(k % 3 + wave * (k > 1)), n=5)
    ]
    answered = programme(*stayed, ("gone", "P9", 1, {"culture": 4.0}))
    for audience in WIDER:
        table = shown(ek.team.maturity(answered), audience)
        assert not ((table["what"] == "mean") & (table["measured_on"] == DAYS[0])).any()
        assert {"mean", "change"} <= {*table["what"]}, "the change and the last wave hold nothing of who left"
        assert everywhere(protect(ek.team.maturity(answered), audience)) == everywhere(
            protect(ek.team.maturity(programme(*stayed, ("gone", "P9", 1, {"culture": 0.0}))), audience)
        ).replace(hash_of(stayed, 0.0), hash_of(stayed, 4.0))


def hash_of(stayed: list[Row], answer: float) -> str:
    return ek.team.maturity(programme(*stayed, ("gone", "P9", 1, {"culture": answer}))).about.data_hash


def test_one_partner_who_scored_the_only_place_both_scored_is_not_told():
    """Six partners answered, but five of them about places nobody inside scored."""
    inside = alike("P1", 1, 3.0, n=6)
    outside = (("x", "P1", 1, {"culture": 5.0}), *(row for k in range(2, 7) for row in alike(f"P{k}", 1, 1.0, n=1)))
    answered = programme(*inside, outside=outside)
    raw = ek.team.seen_by_partners(answered)
    assert raw.table["raters"].tolist() == [1]
    for audience in WIDER:
        assert shown(raw, audience).empty


def test_a_place_partners_did_not_score_is_not_told_by_those_they_did():
    inside = [row for k in range(6) for row in alike(f"P{k}", 1, 3.0, n=6)] + [("alone", "P9", 1, {"culture": 5.0})]
    outside = tuple(row for k in range(6) for row in alike(f"P{k}", 1, 2.0, n=2, start=50))
    raw = ek.team.seen_by_partners(programme(*inside, outside=outside))
    assert raw.table["tells"].tolist() == [1]
    assert shown(raw).empty
    held = ek.team.seen_by_partners(programme(*inside[:-1], outside=outside))
    assert shown(held)["inside"].tolist() == [pytest.approx(3.0)]


def test_the_only_partner_of_one_wave_is_not_told_by_the_change():
    inside = [row for wave in (1, 2) for k in range(5) for row in alike(f"P{k}", wave, 2.0 + k % 2, n=5)]
    one = tuple(("x", f"P{k}", 1, {"culture": 1.0 + k % 3}) for k in range(5))
    many = tuple(row for k in range(5) for row in alike(f"P{k}", 2, 2.0, n=2, start=50))
    answered = programme(*inside, outside=(*one, *many))
    for raw in (ek.team.seen_by_partners(answered), ek.team.maturity(answered, rater="partner")):
        copy = shown(raw)
        assert not copy["what"].str.startswith("change").any()


def test_an_aspect_of_places_with_all_its_domains_does_not_tell_who_left_one_out():
    keys = [domain.key for domain in ICFAT.domains if domain.aspect == "anatomy"]
    rows: list[Row] = [(f"P{k}r{n}", f"P{k}", 1, dict.fromkeys(keys, 3.0)) for k in range(5) for n in range(5)]
    alone: Row = ("alone", "P9", 1, dict.fromkeys(keys[1:], 5.0))
    raw = ek.team.maturity(programme(*rows, alone)).table
    over = raw[~raw["measure"].isin(ICFAT.domain_labels.values()) & (raw["places"] == 5)]
    assert over["tells"].tolist() == [1]
    only = ek.team.maturity(programme(*alike("P1", 1, 3.0, n=9), ("all", "P2", 1, dict.fromkeys(keys, 4.0)))).table
    assert only.loc[only["measure"].str.startswith("Anatomy"), "n"].tolist() == [1], "nine others are not behind it"


def test_a_range_over_places_does_not_end_at_a_place_of_three():
    small = [("a", "P1", 1, {"culture": 0.0}), ("b", "P1", 1, {"culture": 0.0}), ("c", "P1", 1, {"culture": 5.0})]
    raw = ek.team.conversation_guide(programme(*small, *alike("P2", 1, 3.0, n=6), *alike("P3", 1, 3.0, n=7)))
    assert "2.2 points from their mean" in raw.reading
    for audience in WIDER:
        assert "points from their mean, on average" not in protect(raw, audience).reading


def test_what_three_people_differ_most_on_is_not_said():
    small = [("a", "P1", 1, {"culture": 0.0, "finance": 1.0}), ("b", "P1", 1, {"culture": 0.0, "finance": 1.0}),
             ("c", "P1", 1, {"culture": 5.0, "finance": 1.0})]  # fmt: skip
    copy = protect(ek.team.conversation_guide(programme(*small)), Audience.PUBLIC)
    assert copy.headline == "Withheld: too few people to show"


def test_a_gap_between_two_organisations_does_not_tell_who_sits_beside_one_of_them():
    """Four of O1 and one of O2 in P1, O3 alone in P2: the gap is O1 less P1's mean, which is shown."""
    rows = [*alike("P1", 1, 3.0, n=4), ("alone", "P1", 1, {"culture": 5.0}), *alike("P2", 1, 2.0, n=6)]
    works = {f"P1r{k}": "O1" for k in range(4)} | {"alone": "O2"} | {f"P2r{k}": "O3" for k in range(6)}
    raw = ek.team.conversation_guide(programme(*rows, works=works))
    gap = raw.table["what"] == "between organisations"
    assert raw.table.loc[gap, "tells"].tolist() == [1]
    assert not (shown(raw)["what"] == "between organisations").any()
    assert "lie furthest apart on" in raw.reading
    assert "lie furthest apart on" not in protect(raw, Audience.PUBLIC).reading


def test_agreement_counts_those_behind_each_of_its_numbers():
    full = [(f"r{k}", "P1", 1, {"culture": 3.0, "finance": 3.0} if k < 3 else {"culture": 3.0}) for k in range(6)]
    table = ek.team.agreement(programme(*full)).table
    assert table.loc[table["group"] == "Place P1", "n"].unique().tolist() == [3]


ITEMS = {"purpose": "purpose_shared", "contact": "contact_often", "conflict": "conflict_open"}


def teams(*said: tuple[str, str, int, dict[str, float]]) -> Programme:
    """Team, its place, how many people answered, what each of them scored."""
    rows = [
        {"respondent_id": f"{team}r{k}", "subject_kind": "team", "subject_id": team, "rater": "team_member",
         "instrument": "five_factors", "item": ITEMS[factor], "wave": 1, "timing": "pre",
         "answered_on": pd.Timestamp("2024-05-01"), "answer": score}
        for team, _, people, scores in said for factor, score in scores.items() for k in range(people)
    ]  # fmt: skip
    names, places = [team for team, *_ in said], [place for _, place, *_ in said]
    built = {
        "responses": pd.DataFrame(rows).astype({"wave": "Int64"}),
        "respondents": pd.DataFrame({"respondent_id": sorted({row["respondent_id"] for row in rows})}),
        "teams": pd.DataFrame({"team_id": names, "name": names, "place_id": places}),
        "places": pd.DataFrame({"place_id": sorted({*places}), "name": sorted({*places})}),
        "waves": pd.DataFrame({"wave": [1], "closes_on": pd.to_datetime(["2024-05-31"])}),
    }
    return Programme.build(settings=TOLD, tables=built)


@pytest.mark.parametrize("people", [1, 2, 4])
def test_a_small_team_is_not_told_by_its_place_less_its_other_team(people):
    score = {"purpose": 3.0}
    answered = teams(*(("A1", "A", 6, score), ("A2", "A", 6, score), ("B1", "B", 7, score), ("B2", "B", people, score)))
    by_team = shown(ek.team.maturity(answered, on="five_factors", by="team"))
    by_place = shown(ek.team.maturity(answered, on="five_factors", by="place"))
    assert "B" not in set(by_place["group"]) or not {"B1", "B2"} & set(by_team["group"])
    assert not by_place.empty or not by_team.empty


def test_one_persons_lowest_factor_is_not_counted():
    def counted(purpose: float) -> tuple[list[int], list[int]]:
        one = ("T0", "P", 1, {"purpose": purpose, "contact": 3.0, "conflict": 3.0})
        found = ek.team.five_factors(teams(one, *((f"T{k}", "P", 3, {"purpose": 4.0, "contact": 3.0, "conflict": 4.0})
                                                  for k in range(1, 4)))).table  # fmt: skip
        return found["lowest_in"].tolist(), found["lowest_of"].tolist()

    assert counted(1.0) == counted(5.0) == ([0, 3, 0], [3, 3, 3])


def published(*rows: tuple[str, str | None, str, float, int]) -> Programme:
    """Means that came with numbers and spread: place, organisation whose view it is, day, mean, n."""
    scores = pd.DataFrame(
        [{"subject_kind": "place", "subject_id": place, "instrument": "icfat", "domain": "culture", "mean": mean,
          "n": n, "sd": 0.5, "basis": "individuals", "wave": DAYS.index(day) + 1, "organisation_id": view}
         for place, view, day, mean, n in rows]
    ).astype({"n": "Int64", "wave": "Int64"})  # fmt: skip
    names = sorted({place for place, *_ in rows})
    held = {
        "scores": scores,
        "places": pd.DataFrame({"place_id": names, "name": [f"Place {name}" for name in names], "arm": "programme"}),
        "organisations": pd.DataFrame({"organisation_id": ["O1", "O2"], "name": ["Body O1", "Body O2"]}),
        "waves": pd.DataFrame({"wave": [1, 2], "closes_on": pd.to_datetime([*DAYS])}),
    }
    return Programme.build(settings=TOLD, tables=held)


def test_a_small_place_is_not_told_by_the_mean_of_places_at_each_date():
    many = [(f"P{k}", None, day, 2.0 + k / 10 + at * k % 3, 10 + k) for k in range(6) for at, day in enumerate(DAYS)]
    copy = protect(ek.team.maturity(published(*many, *(("P9", None, day, 4.0, 3) for day in DAYS))), Audience.PUBLIC)
    means = copy.table[copy.table["group"] != "all"]
    assert (means["interval"] == "withheld").sum() == 4, "at each date the small one, and the next with it"
    assert set(means.loc[means["interval"] == "withheld", "group"]) == {"Place P0", "Place P9"}


def test_one_persons_view_is_not_told_by_the_place_and_the_other_views():
    day = DAYS[0]
    rows = [("P1", None, day, 3.0, 8), ("P1", "O1", day, 2.8, 7), ("P1", "O2", day, 4.4, 1),
            ("P2", None, day, 3.0, 5), ("P2", "O1", day, 3.0, 5)]  # fmt: skip
    raw = ek.team.maturity(published(*rows))
    assert raw.table.set_index("group")["tells"].dropna().to_dict() == {"Place P1, Body O1": 1}
    assert not {"Place P1, Body O1", "Place P1, Body O2"} & set(shown(raw)["group"])


def test_how_many_have_no_known_level_is_withheld_with_their_score():
    rows = [*alike("P1", 1, 3.0, n=9)]
    raw = ek.team.maturity(programme(*rows, levels={f"P1r{k}": "board" for k in range(8)}), by="level")
    assert "Of 1 person the level was not recorded." in raw.reading
    assert "was not recorded" not in protect(raw, Audience.PUBLIC).reading


def test_what_decides_beforehand_is_still_decided_when_nobody_is_told():
    rows = [row for wave in (1, 2) for k in range(6) for row in alike(f"P{k}", wave, float(wave + (k + wave > 4)), n=5)]
    raw = ek.team.maturity(programme(*rows))
    assert protect(raw, Audience.PUBLIC).verdict is raw.verdict
    assert protect(raw, Audience.PUBLIC).table["interval"].ne("withheld").all()


def test_scores_that_say_their_own_day_need_no_waves():
    held = published(("P1", None, DAYS[0], 3.0, 8))
    own = held.scores.assign(wave=pd.array([None], dtype="Int64"), measured_on=pd.Timestamp(DAYS[1]))
    alone = Programme.build(settings=TOLD, tables={"scores": own, "places": held.places})
    assert ek.team.maturity(alone).table["measured_on"].tolist() == [pd.Timestamp(DAYS[1])]
