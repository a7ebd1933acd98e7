"""Menus: those shipped hold what their sources list, and what a file may not say is refused by name."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.catalogues import Misdescribed
from data_schemas.tables import models
from evalkit import menu
from evalkit.menu import Entry, Menu

SHIPPED = menu.shipped()
CHECKLIST = ("absent", "partly", "in_place")

HEAD = 'schema = 1\nname = "Ours"\nsource = "us"\nlicence = "ours"\nverified = false\n'


def written(folder: Path, text: str, name: str = "ours") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def allowed(table: str, column: str) -> set[str]:
    """The words a table's column may hold."""
    checks = models()[table].to_schema().columns[column].checks
    return {word for check in checks for word in (check.statistics or {}).get("allowed_values", ())}


class TestShipped:
    @pytest.mark.parametrize(
        ("name", "sizes", "forms"),
        [
            ("interventions", [6, 7, 4, 4], ()),
            ("theories", [4], ()),
            ("learning_points", [3, 4, 2, 1], CHECKLIST),
            ("lessons", [10], CHECKLIST),
            ("network_forms", [6], ("market", "hierarchy", "network")),
            ("virtuous_triangle", [3], CHECKLIST),
            ("criteria", [5], ()),
            ("evaluation_grid", [5, 3, 3], ()),
        ],
    )
    def test_each_holds_what_its_source_lists(self, name: str, sizes: list[int], forms: tuple[str, ...]) -> None:
        found = SHIPPED[name]
        assert list(Counter(entry.group for entry in found.entries).values()) == sizes
        assert found.forms == forms
        assert found.id == name

    def test_there_are_no_others(self) -> None:
        assert len(SHIPPED) == 8

    def test_the_theories_are_those_a_session_may_name(self) -> None:
        assert len(SHIPPED["theories"].labels) == 4
        said = str(models()["sessions"].to_schema().columns["theory"].description)
        assert all(key in said for key in SHIPPED["theories"].labels)

    def test_the_criteria_are_the_yes_or_no_columns_of_interventions(self) -> None:
        columns = models()["interventions"].to_schema().columns
        assert list(SHIPPED["criteria"].labels) == [name for name in columns if str(columns[name].dtype) == "boolean"]

    def test_the_perspectives_are_kinds_of_people(self) -> None:
        perspectives = {entry.key for entry in SHIPPED["evaluation_grid"].entries if entry.group == "perspective"}
        assert perspectives <= allowed("people", "kind")

    def test_no_feature_stands_on_two_menus(self) -> None:
        found = menu.observed(SHIPPED)
        assert len(found) == 10 + 10 + 6 + 3
        assert found["climate"].id == "network_forms"
        assert not set(found) & set(SHIPPED["interventions"].labels)

    @pytest.mark.parametrize("name", sorted(SHIPPED))
    def test_each_says_where_it_is_from_in_short_words(self, name: str) -> None:
        found = SHIPPED[name]
        assert all(len(text) > 3 for text in (found.name, found.source, found.licence))
        assert all(len(label) <= 80 for label in found.labels.values())
        assert not any(label.endswith(".") for label in found.labels.values())

    def test_only_what_was_seen_in_full_is_verified(self) -> None:
        assert [name for name, found in SHIPPED.items() if not found.verified] == ["evaluation_grid"]


class TestRead:
    def test_the_plainest_menu_is_a_list(self, tmp_path: Path) -> None:
        found = menu.read(written(tmp_path, HEAD + '[entries]\na = "One"\nb = "Two"\n'))
        assert found == Menu("ours", "Ours", "us", "ours", False, (Entry("a", "One"), Entry("b", "Two")))

    def test_groups_and_forms_are_kept_in_order(self, tmp_path: Path) -> None:
        text = 'forms = ["no", "yes"]\n[groups]\nz = "Last"\ny = "First"\n[entries.z]\nb = "B"\n[entries.y]\na = "A"\n'
        found = menu.read(written(tmp_path, HEAD + text))
        assert found.forms == ("no", "yes")
        assert list(found.groups) == ["z", "y"]
        assert found.entries == (Entry("b", "B", "z"), Entry("a", "A", "y"))

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ('[entries]\na = "A"\n[colour]\n', "'colour', which nothing reads"),
            ('form = ["no"]\n[entries]\na = "A"\n', "Did you mean 'forms'"),
            ("", "does not say its 'entries'"),
            ("[entries]\n", "has no entries"),
            ("entries = 3\n", "not a table"),
            ("[entries]\na = 3\n", "'a' is not a text"),
            ('[entries]\na = " "\n', "'a' has no words"),
            ('[entries]\n"A b" = "A"\n', "'A b', which is no key"),
            ('[entries.tools]\na = "A"\n', "in 'tools', which is no group. Name it"),
            ('[groups]\ntool = "T"\n[entries.tools]\na = "A"\n', "Did you mean 'tool'"),
            ('[groups]\nt = "T"\n[entries]\na = "A"\n', "the group 't' is empty"),
            ('[groups]\nt = ""\n[entries.t]\na = "A"\n', "'t' has no words"),
            ('[groups]\nt = "T"\n[entries]\na = "A"\n[entries.t]\na = "B"\n', "Cannot overwrite|twice|not well-formed"),
            (
                '[groups]\nt = "T"\ns = "S"\n[entries.t]\na = "A"\n[entries.s]\na = "B"\n',
                "the key 'a' twice. Keep one",
            ),
            ('forms = ["no", "no"]\n[entries]\na = "A"\n', "the form 'no' twice"),
            ('forms = ["In place"]\n[entries]\na = "A"\n', "'In place', which is no key"),
            ('forms = [1]\n[entries]\na = "A"\n', "a form is not a text"),
            ('forms = "no"\n[entries]\na = "A"\n', "'forms' is not a list"),
        ],
    )
    def test_what_is_amiss_is_named(self, tmp_path: Path, text: str, words: str) -> None:
        with pytest.raises(Misdescribed, match=words):
            menu.read(written(tmp_path, HEAD + text))

    @pytest.mark.parametrize("line", HEAD.splitlines())
    def test_every_line_of_the_head_is_needed(self, tmp_path: Path, line: str) -> None:
        text = HEAD.replace(line + "\n", "") + '[entries]\na = "A"\n'
        with pytest.raises(Misdescribed, match=f"does not say its '{line.split()[0]}'"):
            menu.read(written(tmp_path, text))


class TestMerge:
    BASE = Menu(
        "tools",
        "Tools",
        "a book",
        "free",
        True,
        (Entry("saw", "Saw", "wood"), Entry("plane", "Plane", "wood"), Entry("file", "File", "metal")),
        forms=("no", "yes"),
        groups={"wood": "For wood", "metal": "For metal"},
    )
    OWN = Menu("tools", "Tools", "us", "ours", True, (Entry("axe", "Axe", "wood"),), groups={"wood": "For wood"})

    def test_a_new_entry_joins_its_group(self) -> None:
        merged = menu.merge(self.BASE, self.OWN)
        assert list(merged.labels) == ["saw", "plane", "axe", "file"]
        assert merged.forms == self.BASE.forms
        assert merged.groups == self.BASE.groups
        assert merged.source == "a book; the programme's own: us"
        assert merged.verified

    def test_a_known_key_takes_its_place(self) -> None:
        own = replace(self.OWN, entries=(Entry("saw", "Handsaw", "wood"),), forms=("none", "some"), verified=False)
        merged = menu.merge(self.BASE, own)
        assert list(merged.labels.items()) == [("saw", "Handsaw"), ("plane", "Plane"), ("file", "File")]
        assert merged.forms == ("none", "some")
        assert not merged.verified

    def test_an_emptied_group_goes(self) -> None:
        merged = menu.merge(self.BASE, replace(self.OWN, entries=(Entry("file", "File", "wood"),)))
        assert list(merged.groups) == ["wood"]

    def test_what_has_no_group_comes_last(self) -> None:
        merged = menu.merge(self.BASE, replace(self.OWN, entries=(Entry("glue", "Glue"),), groups={}))
        assert merged.entries[-1] == Entry("glue", "Glue")

    def test_two_lists_are_not_one(self) -> None:
        with pytest.raises(ValueError, match="'tools' and 'words' are two lists"):
            menu.merge(self.BASE, replace(self.OWN, id="words"))

    @given(
        st.lists(st.sampled_from("abcdef"), unique=True, min_size=1), st.lists(st.sampled_from("abcdef"), unique=True)
    )
    def test_every_key_is_there_once_and_the_programmes_word_holds(self, shipped: list[str], own: list[str]) -> None:
        base = replace(self.BASE, entries=tuple(Entry(key, "theirs") for key in shipped), groups={})
        ours = replace(self.OWN, entries=tuple(Entry(key, "ours") for key in own), groups={})
        merged = menu.merge(base, ours)
        assert sorted(entry.key for entry in merged.entries) == sorted({*shipped, *own})
        assert {key for key, label in merged.labels.items() if label == "ours"} == set(own)
        assert sorted(menu.differences(merged, base)) == sorted(menu.differences(ours, base))


class TestDifferences:
    BASE, OWN = TestMerge.BASE, TestMerge.OWN

    def test_each_departure_is_a_sentence(self) -> None:
        own = replace(
            self.OWN,
            name="Our tools",
            forms=("none", "some", "all"),
            groups={"wood": "Woodwork", "metal": "For metal"},
            entries=(Entry("axe", "Axe", "wood"), Entry("saw", "Handsaw", "wood"), Entry("plane", "Plane", "metal")),
        )
        expected = (
            "The menu 'Tools' is called 'Our tools' here.",
            "Tools: an observer writes none, some or all instead of no or yes.",
            "Tools: the group 'For wood' (wood) reads 'Woodwork'.",
            "Tools: 'Axe' (axe) was added.",
            "Tools: 'Saw' (saw) reads 'Handsaw'.",
            "Tools: 'Plane' (plane) was moved to 'For metal'.",
        )
        assert menu.differences(own, self.BASE) == expected
        merged = menu.differences(menu.merge(self.BASE, own), self.BASE)
        assert sorted(merged) == sorted(expected)

    def test_the_same_menu_does_not_differ(self) -> None:
        assert menu.differences(self.BASE, self.BASE) == ()

    def test_an_entry_without_its_group_and_forms_where_none_were(self) -> None:
        own = replace(self.OWN, entries=(Entry("saw", "Saw"),), forms=("no", "yes"))
        said = menu.differences(own, replace(self.BASE, forms=()))
        assert said == (
            "Tools: an observer writes no or yes, where nothing was asked of an observer.",
            "Tools: 'Saw' (saw) was moved out of its group.",
        )

    def test_a_menu_of_ones_own_is_named(self) -> None:
        assert menu.differences(self.OWN, None) == ("Tools is a menu of this programme's own, with 1 entry.",)


def test_one_feature_on_two_observed_menus_is_refused() -> None:
    other = replace(TestMerge.BASE, id="more_tools")
    with pytest.raises(Misdescribed, match="'saw' stands on two menus, 'tools' and 'more_tools'"):
        menu.observed({"tools": TestMerge.BASE, "more_tools": other})
    assert menu.observed({"tools": TestMerge.BASE, "more_tools": replace(other, forms=())}).keys() == {
        "saw",
        "plane",
        "file",
    }
