"""The questionnaires that come with evalkit: each loads, says what it rests on, and scores as its source says."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_schemas.tables.answers import SUBJECTS, Responses
from evalkit import instrument
from evalkit.errors import NotEnoughEvidence
from evalkit.individual import growth, seen_by_others
from evalkit.instrument import OVERALL, Instrument
from evalkit.resources import catalogues
from evalkit.team import maturity

SHIPPED = instrument.shipped()
SCORED = [found.id for found in SHIPPED.values() if not found.recorded]
RECORDED = [found.id for found in SHIPPED.values() if found.recorded]
RATERS = set(Responses.to_schema().columns["rater"].checks[0].statistics["allowed_values"])
SUSTAINABILITY = SHIPPED["sustainability"]
FACTORS = [item.key for item in SUSTAINABILITY.items]
NO_OPINION = SUSTAINABILITY.scale.codes["no opinion"]


def sitting(found: Instrument, answers: dict[str, float | None], **changed: Any) -> pd.DataFrame:
    """One person's answers about one subject, as the responses table holds them."""
    said = {
        "respondent_id": "P1",
        "subject_kind": found.subjects[0],
        "subject_id": "S1",
        "rater": found.raters[0] if found.raters else "team_member",
        "instrument": found.id,
        "edition": found.edition,
        "wave": 1,
        "timing": "post",
        "answered_on": pd.Timestamp(2025, 5, 6),
    } | changed
    frame = pd.DataFrame([{**said, "item": item, "answer": answer} for item, answer in answers.items()])
    return frame.astype({"wave": "Int64", "answer": "float64"})


def scores(found: Instrument, answers: dict[str, float | None]) -> dict[str, float]:
    table = found.score(sitting(found, answers))
    return dict(zip(table["domain"], table["score"], strict=True))


def lettered(letters: str) -> dict[str, float | None]:
    """Ten letters, one a factor in the model's order; capitals or not; ? for no opinion."""
    codes = SUSTAINABILITY.scale.codes | {"?": NO_OPINION}
    return {factor: codes[letter.lower()] for factor, letter in zip(FACTORS, letters, strict=True)}


def total(letters: str) -> float:
    return scores(SUSTAINABILITY, lettered(letters))[OVERALL]


# What holds for every one of them.


def test_these_instruments_are_shipped() -> None:
    assert set(SHIPPED) >= {
        "icfat", "system_leadership", "reaction", "sustainability", "healthcare_leadership_model",
        "healthcare_leadership_importance", "mbti", "firo_b", "leadership_styles", "knowledge_and_skills",
        "five_factors", "devon_climate", "role_ambiguity", "learning", "putting_to_use", "working_together",
        "readiness", "staying_power", "curiosity",
    }  # fmt: skip


@pytest.mark.parametrize("name", SHIPPED)
def test_each_says_what_it_is_and_whom_it_is_for(name: str) -> None:
    found = SHIPPED[name]
    assert all(getattr(found, text).strip() for text in ("name", "edition", "source", "licence", "missing_source"))
    assert found.subjects
    assert set(found.subjects) <= set(SUBJECTS)
    assert set(found.raters) <= RATERS
    assert not found.validated, "no study of how well any of them measures was found"
    assert found.smallest_worthwhile_change is None, "what is worthwhile is agreed by the programme, not by evalkit"
    assert all(item.text == item.text.strip() and len(item.text) < 220 for item in found.items)
    texts = [item.text for item in found.items]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("name", SCORED)
@pytest.mark.parametrize("end", ["low", "high"])
def test_a_sitting_all_at_one_end_scores_as_low_or_as_high_as_can_be(name: str, end: str) -> None:
    found = SHIPPED[name]
    answers: dict[str, float | None] = {}
    for item in found.items:
        if item.points:
            pick = (min if end == "low" else max)(item.points, key=lambda word: item.points[word])
            answers[item.key] = found.scale.codes[pick]
        else:
            answers[item.key] = found.scale.low if (end == "low") != item.reversed else found.scale.high
    at = 0 if end == "low" else 1
    expected = {domain: ends[at] for domain, ends in found.bounds.items()}
    assert scores(found, answers) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", SCORED)
def test_a_sitting_with_nothing_answered_has_no_score(name: str) -> None:
    found = SHIPPED[name]
    blank: list[float | None] = [None, *(found.scale.codes[word.lower()] for word in found.scale.unscored)]
    for answer in blank:
        table = found.score(sitting(found, dict.fromkeys([item.key for item in found.items], answer)))
        assert table["score"].isna().all()
        assert table["answered"].tolist() == [0] * len(table)


@pytest.mark.parametrize("name", SCORED)
def test_the_missing_rule_at_its_edge(name: str) -> None:
    """The fewest answers that give a score do; one fewer does not."""
    found = SHIPPED[name]
    for domain in found.domains:
        keys = [item.key for item in found.items if item.domain == domain.key]
        fewest = int(np.ceil(found.at_least * len(keys)))
        enough, short = (
            dict.fromkeys(keys[:fewest], found.scale.low),
            dict.fromkeys(keys[: fewest - 1], found.scale.low),
        )
        assert not np.isnan(scores(found, enough)[domain.key])
        if short:
            assert np.isnan(scores(found, short)[domain.key])


@pytest.mark.parametrize("name", SHIPPED)
def test_numbers_from_memory_stand_in_files_that_say_so(name: str) -> None:
    found = SHIPPED[name]
    from_memory = [item.key for item in found.items if set(item.points) - set(item.points_verified)]
    assert not (found.verified and from_memory)
    if "from memory" in found.source:
        assert not found.verified


# The NHS Sustainability Model.


def test_the_sustainability_models_ten_factors_and_what_they_can_give() -> None:
    assert [domain.label for domain in SUSTAINABILITY.domains] == ["Process", "Staff", "Organisation"]
    assert [item.domain for item in SUSTAINABILITY.items] == ["process"] * 4 + ["staff"] * 4 + ["organisation"] * 2
    assert SUSTAINABILITY.bounds == {
        "process": (0, 31.1), "staff": (0, 52.4), "organisation": (0, 16.5), OVERALL: (0, 100.0),
    }  # fmt: skip
    assert SUSTAINABILITY.items[1].text == "Credibility of the benefits", "as in 2010; 2007 speaks of the evidence"
    assert SUSTAINABILITY.overall is not None
    assert SUSTAINABILITY.overall.defined_by.startswith("the model")
    assert SUSTAINABILITY.scale.codes == {"a": 0, "b": 1, "c": 2, "d": 3, "no opinion": -1}


@pytest.mark.parametrize(("letter", "expected"), [("a", 100.0), ("b", 49.9), ("c", 39.7), ("d", 0.0), ("B", 49.9)])
def test_all_of_one_letter(letter: str, expected: float) -> None:
    assert total(letter * 10) == pytest.approx(expected, abs=1e-9)


def test_a_mixed_sitting_by_hand() -> None:
    """Process 8.5 + 6.3 + 2.4 + 0 = 17.2; staff 6.3 + 5.1 + 15 + 5.5 = 31.9; organisation 3.5 + 3.3 = 6.8: 55.9."""
    found = scores(SUSTAINABILITY, lettered("ABcDBcAcBC"))
    expected = {"process": 17.2, "staff": 31.9, "organisation": 6.8, OVERALL: 55.9}
    assert found == pytest.approx(expected, abs=1e-9)


def test_no_opinion_leaves_its_domain_and_the_total_without_a_score() -> None:
    table = SUSTAINABILITY.score(sitting(SUSTAINABILITY, lettered("a?aaaaaaaa")))
    assert table["score"].tolist() == pytest.approx([np.nan, 52.4, 16.5, np.nan], nan_ok=True)
    assert table["answered"].tolist() == [3, 4, 2, 9]
    points = SUSTAINABILITY.points(sitting(SUSTAINABILITY, lettered("a?baaaaaaa"))).set_index("item")
    assert points.loc["credibility", "word"] == "no opinion"
    assert points.loc["credibility", ["points", "available"]].isna().all()
    assert points.loc["credibility", "maximum"] == 9.1
    assert points.loc["adaptability", "available"] == pytest.approx(3.6)


def test_a_step_down_costs_most_where_leaders_are_asked_about() -> None:
    """Domain facts: from a to b the two leadership factors lose 59% and 55% of what they can give."""
    points = SUSTAINABILITY.points(sitting(SUSTAINABILITY, lettered("b" * 10))).set_index("item")
    lost = (points["available"] / points["maximum"]).round(2)
    assert lost[["senior_leadership", "clinical_leadership"]].tolist() == [0.59, 0.55]
    assert points["available"].sum() == pytest.approx(100 - 49.9)


def test_which_points_were_seen() -> None:
    seen = {item.key: "".join(item.points_verified) for item in SUSTAINABILITY.items}
    assert seen == {
        "benefits": "a", "credibility": "ab", "adaptability": "ab", "monitoring": "ac", "involvement": "a",
        "behaviours": "a", "senior_leadership": "ac", "clinical_leadership": "", "fit": "", "infrastructure": "a",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("letters", "label"),
    [("a" * 10, "reason for optimism"), ("b" * 10, "in between"), ("c" * 10, "in between"), ("d" * 10, "take action")],
)
def test_the_bands_are_unverified_configuration(letters: str, label: str) -> None:
    band = SUSTAINABILITY.band(total(letters))
    assert band is not None
    assert band.label == label
    assert [band.from_score for band in SUSTAINABILITY.bands] == [0, 35, 55]
    assert not any(band.verified for band in SUSTAINABILITY.bands)


def test_the_model_says_that_it_was_not_made_for_a_whole_place() -> None:
    assert "not for a whole place" in SUSTAINABILITY.cautions["place"]
    assert "team" not in SUSTAINABILITY.cautions


@settings(max_examples=80, deadline=None)
@given(letters=st.text("abcd", min_size=10, max_size=10), place=st.integers(0, 9))
def test_totals_stay_between_0_and_100_and_a_better_letter_never_lowers_them(letters: str, place: int) -> None:
    found = total(letters)
    by_hand = sum(item.points[letter] for item, letter in zip(SUSTAINABILITY.items, letters, strict=True))
    assert found == pytest.approx(by_hand, abs=1e-9)
    assert -1e-9 <= found <= 100 + 1e-9
    at_b, at_a = (letters[:place] + letter + letters[place + 1 :] for letter in "ba")
    assert total(at_a) >= total(at_b)


def test_the_edition_of_2007_is_an_adaptation_that_says_what_differs(tmp_path: Path) -> None:
    shipped = (catalogues() / "instruments" / "sustainability.toml").read_text(encoding="utf-8")
    items = "".join(f"[[items]]{part}" for part in shipped.split("[[items]]")[1:])
    items = items.replace("Credibility of the benefits", "Credibility of the evidence")
    (tmp_path / "own.toml").write_text(f'adapts = "sustainability"\nedition = "2007"\n{items}', encoding="utf-8")
    own = instrument.build(instrument.adapt(tmp_path / "own.toml"))
    assert instrument.differences(own, SUSTAINABILITY) == (
        "The edition is 2007, not 2010.",
        "Reworded: ‘Credibility of the benefits’ is now ‘Credibility of the evidence’.",
    )
    with pytest.raises(NotEnoughEvidence, match=r"adds up points.*icfat"):
        maturity(_programme(own), on="sustainability")


# Kinds: recorded, never averaged.


def _programme(*instruments: Instrument) -> Any:
    """All a question looks at before it refuses an instrument."""

    class Known:
        pass

    known: Any = Known()
    known.instruments = {found.id: found for found in instruments}
    return known


@pytest.mark.parametrize("name", RECORDED)
def test_what_is_recorded_is_refused_wherever_scores_are_taken(name: str) -> None:
    found = SHIPPED[name]
    with pytest.raises(ValueError, match=r"is recorded, never averaged"):
        found.score(sitting(found, {found.items[0].key: found.scale.high}))
    for question in (growth, seen_by_others, maturity):
        with pytest.raises(NotEnoughEvidence, match=rf"{found.name} is recorded, never averaged.*What would answer it"):
            question(_programme(found), on=name)


def test_sixteen_types_by_their_letters() -> None:
    found = SHIPPED["mbti"]
    assert found.scale.kind == "nominal"
    assert sorted(found.scale.words) == sorted(a + b + c + d for a in "EI" for b in "NS" for c in "FT" for d in "JP")
    assert [item.key for item in found.items] == ["type"]
    assert found.scale.word(found.scale.codes["enfp"]) == "ENFP"
    kept = found.answers(sitting(found, {"type": found.scale.codes["intj"]}))
    assert [found.scale.word(code) for code in kept["type"]] == ["INTJ"]


def test_firo_b_keeps_six_scores_from_0_to_9() -> None:
    found = SHIPPED["firo_b"]
    assert {item.key for item in found.items} == {
        f"{how}_{need}" for how in ("expressed", "wanted") for need in ("inclusion", "control", "affection")
    }
    assert (found.scale.low, found.scale.high, found.scale.options) == (0, 9, 10)


def test_putting_to_use_counts_what_became_of_each_behaviour() -> None:
    found = SHIPPED["putting_to_use"]
    assert found.scale.words == ("not yet", "tried", "used", "embedded", "stopped")
    assert set(found.raters) == {"self", "sponsor", "line_manager", "peer", "partner"}
    codes = found.scale.codes
    kept = found.answers(sitting(found, {"asking": codes["stopped"], "testing": codes["cannot say"]}))
    assert found.scale.word(kept["asking"].iloc[0]) == "stopped"
    assert kept["testing"].isna().all()


# The others.


HLM = [
    "Inspiring shared purpose",
    "Leading with care",
    "Evaluating information",
    "Connecting our service",
    "Sharing the vision",
    "Engaging the team",
    "Holding to account",
    "Developing capability",
    "Influencing for results",
]


@pytest.mark.parametrize("name", ["healthcare_leadership_model", "healthcare_leadership_importance"])
def test_the_healthcare_leadership_models_nine_dimensions_and_no_wording(name: str) -> None:
    found = SHIPPED[name]
    assert [domain.label for domain in found.domains] == [item.text for item in found.items] == HLM
    assert found.scale.evaluator_defined
    assert not found.verified
    assert {"self", "line_manager", "peer", "direct_report"} <= set(found.raters)


def test_exemplary_everywhere_is_not_the_target() -> None:
    found = SHIPPED["healthcare_leadership_model"]
    assert list(found.scale.labels.values()) == ["Essential", "Proficient", "Strong", "Exemplary"]
    assert "not the target" in found.cautions["person"]
    assert SHIPPED["healthcare_leadership_importance"].overall is None


def test_a_programme_supplies_the_models_wording_itself(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        'adapts = "healthcare_leadership_model"\n'
        'domains = [{ key = "care", label = "Leading with care" }]\n'
        '[[items]]\nkey = "care_1"\ndomain = "care"\ntext = "Ours, with permission"\n'
        '[[items]]\nkey = "care_2"\ndomain = "care"\ntext = "Ours too"\n'
    )
    own = instrument.build(instrument.adapt(tmp_path / "own.toml"))
    assert scores(own, {"care_1": 4, "care_2": 2}) == {"care": 3.0, OVERALL: 3.0}
    said = instrument.differences(own, SHIPPED["healthcare_leadership_model"])
    assert any(sentence == "Added items: ‘Ours, with permission’ and ‘Ours too’." for sentence in said)


def test_six_styles_are_yes_or_no_and_none_is_a_target() -> None:
    found = SHIPPED["leadership_styles"]
    assert len(found.items) == len(found.domains) == 6
    assert found.scale.codes == {"no": 0, "yes": 1, "cannot say": -1}
    assert not found.verified
    assert found.overall is None
    assert "No share of any style is a target" in found.cautions["person"]
    told = scores(found, {"pacesetting": 1, "coaching": 0, "visionary": -1})
    assert (told["pacesetting"], told["coaching"]) == (1.0, 0.0)
    assert np.isnan(told["visionary"])


def test_knowledge_and_skills_in_the_words_of_table_2() -> None:
    found = SHIPPED["knowledge_and_skills"]
    by_domain = {
        domain.label: [item.text for item in found.items if item.domain == domain.key] for domain in found.domains
    }
    assert by_domain == {
        "Technical know-how": [
            "Service design",
            "Governance arrangements",
            "Innovative contracting and financial mechanisms",
            "Technological ‘savvy’",
        ],
        "Improvement know-how": ["Systems thinking", "Improvement science", "Large-scale change"],
        "Personal effectiveness": [
            "Interpersonal skills and behaviours",
            "Coaching ability",
            "A visionary and participative style",
        ],
    }
    assert found.overall is None
    assert scores(found, {"service_design": 5, "governance": 2, "coaching": 3, "style": 4}) == pytest.approx(
        {"technical": 3.5, "improvement": np.nan, "personal": 3.5}, nan_ok=True
    )


def test_the_five_factors_stand_side_by_side() -> None:
    found = SHIPPED["five_factors"]
    assert [domain.key for domain in found.domains] == ["purpose", "contact", "conflict", "altruism", "long_term"]
    assert found.overall is None, "all five together: a mean would hide the weakest"
    assert found.scale.evaluator_defined
    assert {"team", "place"} <= set(found.subjects)


def test_devons_six_principles_are_one_climate() -> None:
    found = SHIPPED["devon_climate"]
    assert len(found.items) == 6
    assert scores(found, dict(zip([item.key for item in found.items], (5, 4, 3, 2, 1, 3), strict=True))) == {
        "climate": 3.0
    }


def test_working_together_asks_three_things_and_turns_one_of_each_round() -> None:
    """Cohesion 4, 2 and 6 - 5 = 1: 7/3. Safety two of three, 5 and 6 - 1 = 5: 5. Place first one of three: no score."""
    found = SHIPPED["working_together"]
    assert [domain.key for domain in found.domains] == ["cohesion", "safety", "place_first"]
    assert [item.domain for item in found.items] == [domain.key for domain in found.domains for _ in range(3)]
    assert found.overall is None, "being close, daring to speak and putting the place first are different things"
    assert {item.domain for item in found.items if item.reversed} == {"cohesion", "safety", "place_first"}
    assert {"team", "place", "organisation"} == set(found.subjects)
    answers = {"cohesion_pressure": 4, "cohesion_missed": 2, "cohesion_apart": 5, "safety_senior": 5, "safety_money": 1}
    assert scores(found, {**answers, "place_first_voice": 3}) == pytest.approx(
        {"cohesion": 7 / 3, "safety": 5.0, "place_first": np.nan}, nan_ok=True
    )


@pytest.mark.reference
@pytest.mark.parametrize("name", ["devon_climate", "five_factors", "working_together"])
def test_the_sources_own_sentences_are_not_copied(name: str, reference: Path) -> None:
    seeds = sorted((reference.parent / "seeds").glob("[0-9]_*.txt"))
    if not seeds:
        pytest.skip("the source documents are not beside the reference data")
    text = " ".join(" ".join(seed.read_text(encoding="utf-8").split()) for seed in seeds).lower()
    assert not [item.text for item in SHIPPED[name].items if item.text.lower() in text]


def test_less_ambiguity_is_better_and_hours_are_not_asked_here() -> None:
    """pull 5, unclear 3, first (turned round) 6 - 2 = 4, switch 4, authority (turned round) 6 - 5 = 1: mean 17/5."""
    found = SHIPPED["role_ambiguity"]
    assert found.better == "lower"
    assert scores(found, {"pull": 5, "unclear": 3, "first": 2, "switch": 4, "authority": 5}) == {"ambiguity": 3.4}
    assert not any("hour" in item.text.lower() for item in found.items)


def test_learning_asks_two_things_of_each_of_the_five_parts() -> None:
    found = SHIPPED["learning"]
    assert [domain.key for domain in found.domains] == ["knowledge", "skill", "attitude", "confidence", "commitment"]
    assert [item.domain for item in found.items] == [domain.key for domain in found.domains for _ in range(2)]
    assert found.overall is None
    assert scores(found, {"knows_system": 2, "knows_ways": 5, "worth_it": 4})["knowledge"] == 3.5


def test_every_file_is_utf_8_without_a_key_said_twice() -> None:
    for path in (catalogues() / "instruments").glob("*.toml"):
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        assert said["schema"] == 1
        assert said["id"] == path.stem
