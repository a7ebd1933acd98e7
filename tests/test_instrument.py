"""Questionnaires as data: what is shipped, what is refused, and scores worked out by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
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
from evalkit.instrument import OCCASION, OVERALL, Domain, Instrument, Item, Overall, Scale
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


def test_the_menu_has_its_twenty_one_interventions() -> None:
    """Developing Systems Leadership, Menu of Interventions: 6, 7, 4 and 4."""
    menu = read_toml(catalogues() / "interventions.toml")
    assert [len(column) for name, column in menu.items() if name != "schema"] == [6, 7, 4, 4]
