"""Questionnaires as data: what is shipped, what is refused, and scores worked out by hand."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_schemas.catalogues import Misdescribed, read_toml
from evalkit import instrument, measure
from evalkit.instrument import OCCASION, OVERALL, Band, Domain, Instrument, Item, Overall, Scale, differences
from evalkit.reading.settings import settings as reading_settings
from evalkit.resources import catalogues

SHIPPED = instrument.shipped()


def asked(*, at_least: float = 0.5, overall: bool = True, domains: int = 2, scale: Scale | None = None) -> Instrument:
    """A questionnaire of three items in domain a (the third reversed) and one in domain b."""
    keys = ["a", "b"][:domains]
    items = [Item("a1", "a", "."), Item("a2", "a", "."), Item("a3", "a", ".", reversed=True), Item("b1", "b", ".")]
    return Instrument(
        id="small",
        name="Small",
        edition="1",
        source="",
        licence="",
        verified=True,
        validated=False,
        self_assessed=True,
        scale=scale or Scale(1, 5),
        domains=tuple(Domain(key, key.upper()) for key in keys),
        items=tuple(item for item in items if item.domain in keys),
        at_least=at_least,
        missing_source="",
        overall=Overall("mean_of_domains", "evalkit") if overall else None,
    )


def answered(answers: dict[str, float | None], **changed: Any) -> pd.DataFrame:
    """One sitting's answers."""
    sitting = {
        "respondent_id": "P1",
        "subject_kind": "person",
        "subject_id": "P1",
        "rater": "self",
        "instrument": "small",
        "edition": "1",
        "wave": 1,
        "timing": "pre",
        "answered_on": pd.Timestamp(2024, 3, 5),
    } | changed
    frame = pd.DataFrame([{**sitting, "item": item, "answer": answer} for item, answer in answers.items()])
    return frame.astype({"wave": "Int64", "answer": "float64"})


def scores(frame: pd.DataFrame) -> dict[str, float]:
    return dict(zip(frame["domain"], frame["score"], strict=True))


def test_icfat_has_its_eight_domains_in_the_order_of_figure_3() -> None:
    """King's Fund 2014, figure 3, and its note on the scale; aspects from the text below figure 2."""
    icfat = SHIPPED["icfat"]
    assert [domain.label for domain in icfat.domains] == [
        "Leadership",
        "Governance",
        "Culture",
        "Service user and carer engagement",
        "Financial and contractual mechanisms",
        "Information and IT",
        "Workforce",
        "Service redesign",
    ]
    assert Counter(domain.aspect for domain in icfat.domains) == {"physiology": 4, "anatomy": 4}
    assert (icfat.scale.low, icfat.scale.high, icfat.scale.options) == (0, 5, 6)
    assert icfat.overall is None, "the tool defines no overall score"
    assert icfat.anchors == {}, "the definition statements are AQuA's and are never invented"


def test_the_systems_leadership_framework_has_thirty_pairs_in_four_domains() -> None:
    framework = SHIPPED["system_leadership"]
    assert list(Counter(item.domain for item in framework.items).values()) == [7, 10, 7, 6]
    assert all(item.role and item.text for item in framework.items)
    assert framework.scale.evaluator_defined
    assert not framework.validated
    assert framework.overall == Overall("mean_of_domains", "evalkit")
    assert framework.smallest_worthwhile_change is None


@pytest.mark.reference
def test_the_thirty_pairs_are_the_sources_own_words(reference: Path) -> None:
    seed = reference.parent / "seeds" / "3_developing_systems_leadership.txt"
    if not seed.exists():
        pytest.skip("the source document is not beside the reference data")
    lines = seed.read_text(encoding="utf-8").splitlines()
    for item in SHIPPED["system_leadership"].items:
        assert f"{item.role}\t{item.text}" in lines


def test_domain_scores_by_hand() -> None:
    """a: 4, 2 and the reversed 1 -> 6 - 1 = 5: mean 11/3. b: 3. Overall: (11/3 + 3) / 2 = 10/3."""
    found = asked().score(answered({"a1": 4, "a2": 2, "a3": 1, "b1": 3}))
    assert scores(found) == pytest.approx({"a": 11 / 3, "b": 3.0, OVERALL: 10 / 3}, rel=1e-15)
    assert found["answered"].tolist() == [3, 1, 4]
    assert found["items"].tolist() == [3, 1, 4]


@pytest.mark.parametrize(
    ("at_least", "given", "expected"),
    [
        (0.5, {"a1": 4, "a2": 2, "a3": None}, 3.0),  # two of three are at least half
        (0.5, {"a1": 4, "a2": None, "a3": None}, np.nan),  # one of three is not
        (1 / 3, {"a1": 4, "a2": None, "a3": None}, 4.0),  # exactly the share asked for
        (1.0, {"a1": 4, "a2": 2, "a3": None}, np.nan),
        (1.0, {"a1": 4, "a2": 2, "a3": 3}, 3.0),
        (0.01, {"a1": None, "a2": None, "a3": None}, np.nan),  # nothing answered is never a score
        (0.5, {"a1": 4, "a2": 2}, 3.0),  # an item with no row counts as left out
    ],
)
def test_the_missing_rule_at_its_edges(at_least: float, given: dict[str, float | None], expected: float) -> None:
    found = asked(at_least=at_least, domains=1, overall=False).score(answered(given))
    assert found["score"].tolist() == pytest.approx([expected], nan_ok=True)


def test_no_overall_score_without_every_domain() -> None:
    found = scores(asked().score(answered({"a1": 4, "a2": 4, "a3": 2, "b1": None})))
    assert found["a"] == 4.0
    assert np.isnan(found["b"])
    assert np.isnan(found[OVERALL])


def test_sittings_are_told_apart_by_respondent_subject_rater_wave_and_timing() -> None:
    one = {"a1": 1.0, "a2": 1.0, "a3": 5.0, "b1": 1.0}
    sittings = [
        answered(one),
        answered(one, respondent_id="P2"),
        answered(one, subject_id="P2"),
        answered(one, rater="peer"),
        answered(one, wave=2),
        answered(one, timing="post"),
        answered(one, wave=pd.NA),
        answered(one, wave=pd.NA, timing="post"),
    ]
    found = asked(overall=False).score(pd.concat(sittings, ignore_index=True))
    assert len(found) == 8 * 2
    assert len(found[OCCASION].drop_duplicates()) == 8
    assert set(found["score"]) == {1.0}


def test_a_sitting_is_dated_by_its_last_answer() -> None:
    late = answered({"b1": 3}, answered_on=pd.Timestamp(2024, 3, 9))
    found = asked().score(pd.concat([answered({"a1": 3}), late]))
    assert found["answered_on"].unique().tolist() == [pd.Timestamp(2024, 3, 9)]


def test_other_instruments_are_left_alone_and_no_answers_give_no_scores() -> None:
    other = answered({"zz": 99}, instrument="other")
    found = asked().score(pd.concat([answered({"a1": 3, "a2": 3, "a3": 3, "b1": 3}), other]))
    assert len(found) == 3
    nothing = asked().score(other)
    assert len(nothing) == 0
    assert list(nothing.columns) == list(found.columns)


def test_unknown_items_and_answers_off_the_scale_are_refused() -> None:
    with pytest.raises(ValueError, match="no item zz"):
        asked().score(answered({"zz": 3}))
    with pytest.raises(ValueError, match="off its scale of 1 to 5"):
        asked().score(answered({"a1": 6}))


def test_answers_side_by_side_turn_reversed_items_round() -> None:
    wide = asked().answers(answered({"a3": 1, "a1": 4}))
    assert wide.columns.tolist() == ["a1", "a2", "a3", "b1"]
    assert wide.iloc[0].tolist() == pytest.approx([4, np.nan, 5, np.nan], nan_ok=True)
    assert wide.index.names == OCCASION


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.none() | st.integers(1, 5)] * 4), min_size=1, max_size=12))
def test_scores_lie_on_the_scale_and_agree_with_a_plain_count(sittings: list[tuple[int | None, ...]]) -> None:
    names = ("a1", "a2", "a3", "b1")
    frames = [
        answered(dict(zip(names, given, strict=True)), respondent_id=str(number))
        for number, given in enumerate(sittings)
    ]
    found = asked(at_least=0.5).score(pd.concat(frames))
    for number, (a1, a2, a3, b1) in enumerate(sittings):
        own = scores(found[found["respondent_id"] == str(number)])
        held = [answer for answer in (a1, a2, None if a3 is None else 6 - a3) if answer is not None]
        expected = sum(held) / len(held) if len(held) >= 2 else np.nan
        assert own["a"] == pytest.approx(expected, nan_ok=True)
        assert own["b"] == pytest.approx(np.nan if b1 is None else b1, nan_ok=True)
        assert own[OVERALL] == pytest.approx((own["a"] + own["b"]) / 2, nan_ok=True)


def test_half_points_are_answers_only_where_the_scale_has_them() -> None:
    halves = pd.Series([0.0, 0.5, 2.25, 5.0])
    assert Scale(0, 5, step=0.5).holds(halves).tolist() == [True, True, False, True]
    assert Scale(0, 5).holds(halves).tolist() == [True, False, False, True]
    assert Scale(0, 5, step=0.5).options == 11


BARE = """
schema = 1
id = "own"
name = "Our own"
edition = "1"
source = "us"
licence = "ours"
verified = true
validated = false
self_assessed = true
scale = { low = 0, high = 4, step = 1, kind = "ordinal" }
missing = { at_least = 0.5, source = "us" }
domains = [{ key = "d", label = "D" }]
items = [{ key = "i", domain = "d", text = "?" }]
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("validated = false", "validatd = false", "'validatd'.*Did you mean 'validated'"),
        ('edition = "1"\n', "", "does not say its 'edition'"),
        ('edition = "1"', "edition = 1", "'edition' is not a text"),
        ("verified = true", 'verified = "yes"', "not a yes or no"),
        ("step = 1", "stp = 1", "Did you mean 'step'"),
        ("high = 4", "high = 0", "whole steps"),
        ("step = 1", "step = 3", "whole steps"),
        ("step = 1", "step = 0", "whole steps"),
        ('"ordinal"', '"ordnal"', "ordinal nor interval"),
        ("at_least = 0.5", "at_least = 0", "share"),
        ("at_least = 0.5", 'at_least = "half"', "not a number"),
        ('domain = "d"', 'domain = "e"', "no known domain"),
        ('text = "?"', 'txt = "?"', "Did you mean 'text'"),
        ('[{ key = "i", domain = "d", text = "?" }]', "[]", "'d' has no item"),
        (
            '[{ key = "d", label = "D" }]',
            '[{ key = "d", label = "D" }, { key = "d", label = "E" }]',
            "share the domain",
        ),
        ('source = "us" }\n', 'source = "us" }\nbetter = "bigger"\n', "higher nor lower"),
        ('source = "us" }\n', 'source = "us" }\nanchors = { e = {} }\n', "which is no domain"),
        (
            'source = "us" }\n',
            'source = "us" }\noverall = { kind = "sum", defined_by = "us" }\n',
            "not one evalkit computes",
        ),
        (
            'source = "us" }\n',
            'source = "us" }\nsmallest_worthwhile_change = { value = 1 }\n',
            "does not say its 'source'",
        ),
        ("schema = 1", "schema = ", "not well-formed TOML.*line 2"),
    ],
)
def test_a_slip_in_a_description_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert BARE.count(old) == 1
    (tmp_path / "own.toml").write_text(BARE.replace(old, new))
    with pytest.raises(Misdescribed, match=f"(?s){words}"):
        instrument.read(tmp_path / "own.toml")


WRONG_KINDS: list[Any] = [1, -1, 2.5, 1e300, "x", "", True, [], [1], ["x"], {}, {"x": 1}, {"1": 1}, date(2024, 4, 1)]


def places_in(said: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a nested description, the first of each list standing for the rest."""
    if path:
        yield path
    inside = said.items() if isinstance(said, dict) else enumerate(said[:1]) if isinstance(said, list) else ()
    for key, value in inside:
        yield from places_in(value, (*path, key))


def changed(said: Any, path: tuple[Any, ...], value: Any) -> Any:
    new = deepcopy(said)
    inner = new
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return new


INSTRUMENTS = {name: read_toml(catalogues() / "instruments" / f"{name}.toml") for name in SHIPPED}
MEASURES = {key: value for key, value in read_toml(catalogues() / "measures.toml").items() if key != "schema"}
SETTINGS = read_toml(Path(__file__).parent / "broken" / "clean" / "programme.toml") | {
    "people": {"paid_by": "us"},
    "audience": "team",
    "minimum_group": 8,
}


@pytest.mark.parametrize(
    ("said", "build"),
    [
        *((said, instrument.build) for said in INSTRUMENTS.values()),
        *((said, lambda said: measure.build("m", said)) for said in MEASURES.values()),
        (SETTINGS, reading_settings),
    ],
)
def test_a_value_of_any_other_kind_is_refused_by_name_or_read(said: Any, build: Callable[[Any], Any]) -> None:
    for path in places_in(said):
        for value in WRONG_KINDS:
            with suppress(Misdescribed):
                build(changed(said, path, value))


def test_a_description_that_holds_together_is_read(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(BARE)
    found = instrument.read(tmp_path / "own.toml")
    assert found.scale.options == 5
    assert found.domain_labels == {"d": "D"}


def test_a_local_file_may_adapt_a_shipped_instrument(tmp_path: Path) -> None:
    (tmp_path / "icfat.toml").write_text('adapts = "icfat"\n[anchors.leadership]\n0 = "None yet"\n')
    found = instrument.build(instrument.adapt(tmp_path / "icfat.toml"))
    assert found == replace(SHIPPED["icfat"], anchors={"leadership": {"0": "None yet"}})
    (tmp_path / "icfat.toml").write_text('adapts = "icfatt"\n')
    with pytest.raises(Misdescribed, match="Did you mean 'icfat'"):
        instrument.adapt(tmp_path / "icfat.toml")


def test_every_shipped_instrument_is_named_as_its_file() -> None:
    assert sorted(SHIPPED) == sorted(path.stem for path in (catalogues() / "instruments").glob("*.toml"))


# Measures.


def test_emergency_admissions_are_better_lower_and_their_lag_is_unverified() -> None:
    found = measure.shipped()["emergency_admissions_65_plus"]
    assert (found.better, found.kind, found.per, found.seasonal) == ("lower", "count", 100_000, True)
    assert (found.beneficiary, found.leading) == ("patients", False)
    assert found.expected_lag_months == 60
    assert not found.expected_lag_verified
    assert "does not time leadership programmes" in found.expected_lag_source
    assert found.smallest_worthwhile_change is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('bettr = "lower"', "Did you mean 'better'"),
        ('kind = "total"', "not one of its words.*count, rate, proportion, score"),
        ('per = "many"', "not a number"),
        ("expected_lag_months = 12", "not a table"),
        ("expected_lag_months = { value = 12, source = 'us' }", "does not say its 'verified'"),
    ],
)
def test_a_slip_in_a_measure_is_named(tmp_path: Path, line: str, words: str) -> None:
    said = {
        "label": '"Ours"',
        "unit": '"days"',
        "better": '"lower"',
        "kind": '"count"',
        "beneficiary": '"staff"',
        "source": '"us"',
        "validated": "false",
    }
    name, value = line.split(" = ", maxsplit=1)
    text = "[own]\n" + "".join(f"{key} = {given}\n" for key, given in (said | {name: value}).items())
    (tmp_path / "measures.toml").write_text(text)
    with pytest.raises(Misdescribed, match=f"(?s){words}"):
        measure.read(tmp_path / "measures.toml")


# Words, points and sums.

LETTERS = Scale(0, 3, words=("a", "b", "c", "d"), unscored=("no opinion", "not asked"))
NO_OPINION, NOT_ASKED = -1.0, -2.0


def lettered() -> Instrument:
    """Two items in domain a and one in b, each letter with its points, added up."""
    return replace(
        asked(),
        scale=LETTERS,
        items=(
            Item("a1", "a", ".", points={"a": 10.0, "b": 4.0, "c": 3.0, "d": 0.0}, points_verified=("a",)),
            Item("a2", "a", ".", points={"a": 6.0, "b": 5.0, "c": 5.0, "d": 0.0}),
            Item("b1", "b", ".", points={"a": 9.0, "b": 2.0, "c": 1.0, "d": 0.0}),
        ),
        at_least=1.0,
        combine="sum",
        overall=Overall("sum_of_domains", "us"),
        bands=(Band(0, "low", "us", True), Band(12.5, "high", "us", False)),
    )


def test_words_have_codes_and_codes_have_words() -> None:
    assert LETTERS.codes == {"a": 0, "b": 1, "c": 2, "d": 3, "no opinion": NO_OPINION, "not asked": NOT_ASKED}
    assert LETTERS.options == 4, "answers that are not scored are no options"
    assert [LETTERS.word(code) for code in (0, 3, NO_OPINION, NOT_ASKED, float("nan"))] == [
        "a", "d", "no opinion", "not asked", "",
    ]  # fmt: skip
    assert Scale(1, 5).codes == {}
    with pytest.raises(ValueError, match="4 is no answer on a scale of a, b, c, d; not scored: no opinion, not asked"):
        LETTERS.word(4)


def test_words_keep_their_case_and_codes_drop_it() -> None:
    kinds = Scale(10, 20, step=5, kind="nominal", words=("ISTJ", "enfp", "Other"))
    assert kinds.codes == {"istj": 10, "enfp": 15, "other": 20}
    assert kinds.word(15.0) == "enfp"


@given(
    low=st.integers(-3, 3),
    step=st.sampled_from([0.1, 0.25, 1.0, 2.0]),
    scored=st.integers(2, 12),
    unscored=st.integers(0, 3),
)
def test_every_code_is_held_and_leads_back_to_its_word(low: int, step: float, scored: int, unscored: int) -> None:
    words, aside = tuple(f"W{at}" for at in range(scored)), tuple(f"U{at}" for at in range(unscored))
    scale = Scale(low, low + (scored - 1) * step, step=step, words=words, unscored=aside)
    codes = pd.Series(scale.codes)
    assert scale.holds(codes).all()
    assert [scale.word(code) for code in codes] == [*words, *aside]
    assert scale.scored(codes).notna().tolist() == [True] * scored + [False] * unscored
    assert codes.is_unique


def test_an_unscored_answer_is_held_only_where_it_is_declared() -> None:
    codes = pd.Series([NO_OPINION, NOT_ASKED, -3.0, 0.0, None])
    assert LETTERS.holds(codes).tolist() == [True, True, False, True, True]
    assert Scale(0, 3).holds(codes).tolist() == [False, False, False, True, True]


def test_sums_of_points_by_hand() -> None:
    """a: 4 + 5 = 9. b: 9. Overall 18."""
    found = lettered().score(answered({"a1": 1, "a2": 2, "b1": 0}))
    assert scores(found) == {"a": 9.0, "b": 9.0, OVERALL: 18.0}
    assert found["answered"].tolist() == [2, 1, 3]
    assert lettered().bounds == {"a": (0, 16), "b": (0, 9), OVERALL: (0, 25)}
    assert lettered().domain_labels[OVERALL] == "Overall (sum of domains)"
    assert not lettered().on_scale


@pytest.mark.parametrize("left_out", [NO_OPINION, NOT_ASKED, None])
def test_no_opinion_is_neither_the_lowest_answer_nor_an_answer_that_counts(left_out: float | None) -> None:
    found = lettered().score(answered({"a1": 1, "a2": left_out, "b1": 0}))
    assert scores(found) == pytest.approx({"a": np.nan, "b": 9.0, OVERALL: np.nan}, nan_ok=True)
    assert found["answered"].tolist() == [1, 1, 2]
    wide = lettered().answers(answered({"a1": 1, "a2": left_out, "b1": 0}))
    assert wide.iloc[0].tolist() == pytest.approx([1.0, np.nan, 0.0], nan_ok=True)


def test_a_mean_over_words_leaves_no_opinion_out_and_turns_items_round() -> None:
    """a: 3 and, turned round, 0 + 3 - 1 = 2, out of three: mean 2.5. The third was answered with no opinion."""
    found = asked(scale=LETTERS, overall=False).score(answered({"a1": 3, "a2": NO_OPINION, "a3": 1, "b1": 0}))
    assert scores(found) == {"a": 2.5, "b": 0.0}
    assert found["answered"].tolist() == [2, 1]
    with pytest.raises(ValueError, match="off its scale of a, b, c, d; not scored: no opinion, not asked"):
        asked(scale=LETTERS).score(answered({"a1": -3}))


def test_points_say_what_is_still_to_be_had() -> None:
    first = answered({"a1": 1, "a2": NO_OPINION})  # b1 has no row at all
    later = answered({"a1": 0, "a2": None, "b1": 3}, wave=2, answered_on=pd.Timestamp(2024, 9, 1))
    found = lettered().points(pd.concat([first, later]))
    first_columns = [*OCCASION, "answered_on", "domain", "item", "word", "points", "maximum", "available"]
    assert found.columns.tolist() == first_columns
    assert found["item"].tolist() == ["a1", "a2", "b1"] * 2
    assert found["domain"].tolist() == ["a", "a", "b"] * 2
    assert found["word"].tolist() == ["b", "no opinion", np.nan, "a", np.nan, "d"]
    assert found["points"].tolist() == pytest.approx([4, np.nan, np.nan, 10, np.nan, 0], nan_ok=True)
    assert found["maximum"].tolist() == [10, 6, 9, 10, 6, 9]
    assert found["available"].tolist() == pytest.approx([6, np.nan, np.nan, 0, np.nan, 9], nan_ok=True)
    assert found["wave"].tolist() == [1, 1, 1, 2, 2, 2]
    assert found["answered_on"].iloc[-1] == pd.Timestamp(2024, 9, 1)
    nothing = lettered().points(answered({"x": 1}, instrument="other"))
    assert len(nothing) == 0
    assert nothing.columns.tolist() == first_columns
    with pytest.raises(ValueError, match="score no points of their own: use score"):
        asked().points(first)


def test_a_band_begins_at_its_score_and_a_hair_of_rounding_does_not_move_it() -> None:
    found = lettered()
    labels = [band.label if (band := found.band(score)) else None for score in (0, 12.4, 12.5, 12.5 - 1e-12, 25)]
    assert labels == ["low", "low", "high", "high", "high"]
    assert found.band(float("nan")) is None
    assert asked().band(3) is None


def test_what_is_recorded_is_never_scored() -> None:
    kept = replace(asked(overall=False), recorded=True)
    with pytest.raises(ValueError, match=r"The Small is recorded, never averaged.*Count its answers"):
        kept.score(answered({"a1": 3}))
    assert kept.answers(answered({"a1": 3})).loc[:, "a1"].tolist() == [3.0]


LETTERED = """
schema = 1
id = "own"
name = "Our own"
edition = "1"
source = "us"
licence = "ours"
verified = true
validated = false
self_assessed = true
combine = "sum"
subjects = ["team"]
scale = { low = 0, high = 2, step = 1, kind = "ordinal", words = ["a", "b", "c"], unscored = ["none"] }
missing = { at_least = 1.0, source = "us" }
overall = { kind = "sum_of_domains", defined_by = "us" }
cautions = { team = "Mind." }
bands = [{ from_score = 0, label = "low", source = "us", verified = true }]
domains = [{ key = "d", label = "D" }]
items = [{ key = "i", domain = "d", text = "?", points = { a = 4, b = 1.5, c = 0 }, points_verified = ["a"] }]
"""
KEPT = """
schema = 1
id = "own"
name = "Our own"
edition = "1"
source = "us"
licence = "ours"
verified = true
validated = false
self_assessed = true
recorded = true
scale = { low = 0, high = 1, step = 1, kind = "nominal", words = ["x", "y"] }
missing = { at_least = 1.0, source = "us" }
domains = [{ key = "d", label = "D" }]
items = [{ key = "i", domain = "d", text = "?" }]
"""


@pytest.mark.parametrize(
    ("text", "old", "new", "words"),
    [
        (LETTERED, '"c"]', '"C", "c"]', "'c' twice; capitals do not count"),
        (LETTERED, '["none"]', '["A"]', "'a' twice"),
        (LETTERED, '["none"]', '[" none"]', "spaces around it"),
        (LETTERED, '["none"]', '[""]', "blank or has spaces"),
        (LETTERED, '["none"]', "[1]", "'unscored' is not a text"),
        (LETTERED, "high = 2", "high = 3", "3 words for 4 steps.*high = 2"),
        (LETTERED, 'words = ["a", "b", "c"], ', "", "unscored words on a scale of numbers"),
        (
            LETTERED,
            ', words = ["a", "b", "c"], unscored = ["none"]',
            "",
            r"points for words, and \[scale\] has no words",
        ),
        (LETTERED, "c = 0 }", "e = 0 }", "points for 'e', which the scale does not score"),
        (LETTERED, "c = 0 }", "c = 0, none = 1 }", "points for 'none', which the scale does not score"),
        (LETTERED, ", c = 0 }", " }", "no points for 'c'"),
        (LETTERED, "b = 1.5", 'b = "1.5"', "points of 'b' is not a number"),
        (LETTERED, "b = 1.5", "b = inf", "no finite points"),
        (LETTERED, 'points_verified = ["a"]', 'points_verified = ["z"]', "points_verified for 'z'"),
        (LETTERED, "points = { a = 4, b = 1.5, c = 0 }, ", "", "no points for 'a'"),
        (LETTERED, 'text = "?", points', 'text = "?", reversed = true, points', "its points say which way is up"),
        (LETTERED, "at_least = 1.0", "at_least = 0.9", "sum.*needs every item answered"),
        (LETTERED, '"sum"', '"total"', "neither mean nor sum"),
        (LETTERED, '"sum"', '"mean"', 'does not go with combine = "mean".*mean_of_domains'),
        (LETTERED, '"sum_of_domains"', '"mean_of_domains"', 'does not go with combine = "sum".*sum_of_domains'),
        (LETTERED, 'overall = { kind = "sum_of_domains", defined_by = "us" }\n', "", "speak of an overall score"),
        (LETTERED, "from_score = 0", "from_score = 4.1", "no score can be: scores go from 0 to 4"),
        (LETTERED, "from_score = 0", "from_score = nan", "no score can be"),
        (LETTERED, "from_score", "from_scores", "Did you mean 'from_score'"),
        (
            LETTERED,
            "bands = [",
            'bands = [{ from_score = 0, label = "", source = "", verified = true }, ',
            "do not rise",
        ),
        (LETTERED, "{ team =", "{ place =", "speaks of 'place', which the instrument is not about"),
        (LETTERED, '"Mind."', "1", "'team' is not a text"),
        (KEPT, "recorded = true\n", "", "kinds, which have no average.*recorded = true"),
        (KEPT, ', words = ["x", "y"]', "", "names kinds without words"),
        (KEPT, 'text = "?"', 'text = "?", reversed = true', "kinds have no order to turn round"),
        (KEPT, 'kind = "nominal"', 'kind = "named"', "ordinal nor interval nor nominal"),
        (KEPT, "recorded = true", 'recorded = "yes"', "not a yes or no"),
        (KEPT, "recorded = true", 'recorded = true\ncombine = "sum"', "never scored, yet it has combine"),
        (
            KEPT,
            "recorded = true",
            'recorded = true\noverall = { kind = "mean_of_domains", defined_by = "us" }',
            "never scored, yet it has overall",
        ),
        (KEPT, 'text = "?"', 'text = "?", points = { x = 1, y = 0 }', "never scored, yet its items have points"),
        (
            KEPT.replace('"nominal"', '"ordinal"'),
            'text = "?"',
            'text = "?", reversed = true',
            "recorded answers are never scored",
        ),
    ],
)
def test_a_slip_in_words_points_or_sums_is_named(tmp_path: Path, text: str, old: str, new: str, words: str) -> None:
    assert text.count(old) == 1
    instrument.build(tomllib.loads(text))
    (tmp_path / "own.toml").write_text(text.replace(old, new))
    with pytest.raises(Misdescribed, match=f"(?s){words}"):
        instrument.read(tmp_path / "own.toml")


def test_an_item_in_words_may_be_turned_round_where_words_are_steps() -> None:
    said = tomllib.loads(KEPT.replace('"nominal"', '"ordinal"').replace("recorded = true\n", ""))
    said["items"][0]["reversed"] = True
    found = instrument.build(said)
    assert scores(found.score(answered({"i": 0}, instrument="own"))) == {"d": 1.0}


# What a local adaptation changed.


def test_nothing_changed_gives_no_sentence() -> None:
    for found in SHIPPED.values():
        assert differences(found, found) == ()
    assert differences(replace(SHIPPED["icfat"], id="ours"), SHIPPED["icfat"]) == ()


OTHERWISE: dict[str, Any] = {
    "name": "Ours",
    "edition": "2",
    "source": "us",
    "licence": "ours",
    "verified": False,
    "validated": True,
    "self_assessed": False,
    "scale": Scale(1, 7),
    "domains": (Domain("a", "A"), Domain("b", "Other")),
    "items": (Item("a1", "a", "New"), Item("a2", "a", "."), Item("a3", "a", ".", reversed=True), Item("b1", "b", ".")),
    "at_least": 0.75,
    "missing_source": "us",
    "better": "lower",
    "subjects": ("team",),
    "raters": ("peer",),
    "overall": None,
    "anchors": {"a": {"1": "Low"}},
    "smallest_worthwhile_change": 0.3,
    "smallest_worthwhile_change_source": "us",
    "smallest_worthwhile_change_verified": True,
    "combine": "sum",
    "recorded": True,
    "cautions": {"place": "Mind."},
    "bands": (Band(0, "low", "us", True),),
}


def test_every_part_of_an_instrument_has_its_sentence() -> None:
    assert set(OTHERWISE) == {part.name for part in fields(Instrument)} - {"id"}
    assert set(ITEM_OTHERWISE) == {part.name for part in fields(Item)} - {"key"}


@pytest.mark.parametrize("part", OTHERWISE)
def test_a_change_to_one_part_is_one_sentence_either_way(part: str) -> None:
    changed = replace(asked(), **{part: OTHERWISE[part]})
    for sentences in (differences(changed, asked()), differences(asked(), changed)):
        assert len(sentences) == 1
        assert sentences[0][0].isupper()
        assert "None" not in sentences[0]


ITEM_OTHERWISE: dict[str, Any] = {
    "domain": "b",
    "text": "New",
    "role": "Leader",
    "reversed": True,
    "points": {"a": 1.0},
    "points_verified": ("a",),
}


@pytest.mark.parametrize("part", ITEM_OTHERWISE)
def test_a_change_to_one_part_of_an_item_is_one_sentence(part: str) -> None:
    base = asked()
    changed = replace(base, items=(replace(base.items[0], **{part: ITEM_OTHERWISE[part]}), *base.items[1:]))
    assert len(differences(changed, base)) == len(differences(base, changed)) == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"scale": Scale(0, 2, words=("no", "partly", "yes"))}, ("The scale is no, partly, yes, not 1 to 5.",)),
        ({"scale": Scale(1, 5, step=0.5)}, ("The scale is 1 to 5 in steps of 0.5, not 1 to 5.",)),
        ({"scale": Scale(1, 5, kind="interval")}, ("The scale is taken as interval, not ordinal.",)),
        ({"scale": Scale(1, 5, labels={1: "Low"})}, ("The answers have other labels.",)),
        ({"scale": Scale(1, 5, evaluator_defined=True)}, ("The scale is now said to be the evaluator's.",)),
        ({"overall": None}, ("Overall score: none (before: mean of domains, defined by evalkit).",)),
        ({"at_least": 1.0}, ("A domain is scored when 100% of its items are answered, not 50%.",)),
        ({"subjects": ("place", "team")}, ("It may be about: place, team (before: anyone).",)),
        ({"raters": ("line_manager",)}, ("It may be answered by: line manager (before: anyone).",)),
        ({"anchors": {"a": {"1": "Low"}}}, ("What each level means is written out for 1 of 2 domains.",)),
        ({"domains": (Domain("b", "B"), Domain("a", "A"))}, ("The domains stand in another order.",)),
        ({"domains": (Domain("a", "A", "anatomy"), Domain("b", "B"))}, ("The domain ‘A’ now belongs to anatomy.",)),
        ({"smallest_worthwhile_change": 0.3}, ("The smallest change that is worthwhile: 0.3 (before: not agreed).",)),
        (
            {"scale": LETTERS},
            (
                "The scale is a, b, c, d, not 1 to 5.",
                "Answers that are not scored: no opinion, not asked (before: none).",
            ),
        ),
    ],
)
def test_the_sentences_say_what_is_new_and_what_was(changed: dict[str, Any], said: tuple[str, ...]) -> None:
    assert differences(replace(asked(), **changed), asked()) == said


def test_an_adaptation_of_domains_and_items_is_told_in_words() -> None:
    base = replace(
        asked(),
        items=(Item("a1", "a", "One"), Item("a2", "a", "Two"), Item("a3", "a", "Three"), Item("b1", "b", "Four")),
    )
    own = replace(
        base,
        domains=(Domain("a", "Trust"), Domain("c", "New")),
        items=(Item("a1", "c", "One"), Item("a2", "a", "Zwei"), Item("c1", "c", "Five"), Item("c2", "c", "Six")),
    )
    assert differences(own, base) == (
        "Added domain: ‘New’.",
        "Taken out, domain: ‘B’.",
        "The domain ‘A’ is now called ‘Trust’.",
        "Added items: ‘Five’ and ‘Six’.",
        "Taken out, items: ‘Three’ and ‘Four’.",
        "Moved: ‘One’ from ‘Trust’ to ‘New’.",
        "Reworded: ‘Two’ is now ‘Zwei’.",
    )


def test_what_a_folder_adapts_is_told(tmp_path: Path) -> None:
    (tmp_path / "icfat.toml").write_text('adapts = "icfat"\nedition = "2013"\n[anchors.leadership]\n0 = "None yet"\n')
    found = instrument.build(instrument.adapt(tmp_path / "icfat.toml"))
    assert differences(found, SHIPPED["icfat"]) == (
        "The edition is 2013, not 2012.",
        "What each level means is written out for 1 of 8 domains.",
    )
