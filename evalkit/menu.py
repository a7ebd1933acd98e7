"""Menus: catalogues that are lists of words, such as the interventions a programme may hold or the lessons it heeds.

A menu is one TOML file, named for the menu:

    schema = 1
    name = "Lessons"
    source = "where the list stands"
    licence = "what may be done with it"
    verified = true                            # the words were checked against the source
    forms = ["absent", "partly", "in_place"]   # what an observer may write of each entry; leave out where none does

    [groups]                                   # leave out where the list has no parts
    delivery = "Delivery"

    [entries.delivery]                         # [entries] where there are no groups
    learn_together = "Teams learn to lead together"
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from data_schemas.catalogues import Misdescribed, check_keys, check_kinds, is_a, nearest, read_toml
from evalkit.resources import catalogues


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing on a menu. `group` is the key of the part it stands in; blank where the menu has none."""

    key: str
    label: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Menu:
    """A list of words with where it comes from.

    `verified`: its words were checked against the source. `groups`: the labels of its parts, by key, in order.
    `forms`: what an observer may write about each entry; empty where it is not observed.
    """

    id: str
    name: str
    source: str
    licence: str
    verified: bool
    entries: tuple[Entry, ...]
    forms: tuple[str, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, str]:
        """The label of each entry by its key, in order.

        >>> shipped()["interventions"].labels["coaching_and_mentoring"]
        'Coaching and Mentoring'
        """
        return {entry.key: entry.label for entry in self.entries}


def read(path: Path) -> Menu:
    """The menu a TOML file describes, named for the file. Raises Misdescribed, naming the key, where it is amiss."""
    return build(path.stem, read_toml(path))


def shipped() -> dict[str, Menu]:
    """The menus that come with evalkit, by id: each catalogue that has entries.

    >>> list(shipped()["theories"].labels.values())
    ['System leadership', 'Complexity science', 'Improvement science', 'Large-scale change']
    """
    return dict(_shipped())


@cache
def _shipped() -> Mapping[str, Menu]:
    """Read once: they are frozen, and every folder that is read asks for them."""
    described = {path.stem: read_toml(path) for path in sorted(catalogues().glob("*.toml"))}
    return {name: build(name, said) for name, said in described.items() if "entries" in said}


def build(id: str, said: Mapping[str, Any]) -> Menu:
    """A menu from its description, every key checked."""
    where = f"The menu {id!r}"
    check_keys(said, where=where, needed=_NEEDED, also=_ALSO)
    check_kinds(said, _NEEDED | _ALSO, where=where)
    groups, forms = _texts(said.get("groups", {}), where=f"{where}: [groups]"), tuple(said.get("forms", ()))
    for form in forms:
        is_a(form, "text", where=f"{where}: a form")
        _check_key(form, where=f"{where}: forms")
    entries = tuple(_entries(said["entries"], groups, where))
    keys = [entry.key for entry in entries]
    for of, words in (("form", forms), ("key", keys)):
        for word in words:
            if words.count(word) > 1:
                raise Misdescribed(f"{where} has the {of} {word!r} twice.", "Keep one of them.", value=word)
    for group in groups:
        if not any(entry.group == group for entry in entries):
            raise Misdescribed(f"{where}: the group {group!r} is empty.", f"Add [entries.{group}].", value=group)
    if not entries:
        raise Misdescribed(f"{where} has no entries.", 'Write under [entries] a line for each: key = "label".')
    plain = {key: said[key] for key in ("name", "source", "licence", "verified")}
    return Menu(id, **plain, entries=entries, forms=forms, groups=groups)


def merge(shipped: Menu, own: Menu) -> Menu:
    """The shipped menu with a programme's own entries: a new key adds an entry, a known one takes its place.

    The name and, where it has any, the forms are the programme's own. Both sources are named, and the menu counts as
    verified only where both are.
    """
    if shipped.id != own.id:
        raise ValueError(f"The menus {shipped.id!r} and {own.id!r} are two lists; only one list can be merged.")
    groups = {**shipped.groups, **own.groups}
    found = {entry.key: entry for entry in shipped.entries} | {entry.key: entry for entry in own.entries}
    order = [*groups, ""]
    return replace(
        own,
        source=_both(shipped.source, own.source),
        licence=_both(shipped.licence, own.licence),
        verified=shipped.verified and own.verified,
        forms=own.forms or shipped.forms,
        groups={key: label for key, label in groups.items() if any(entry.group == key for entry in found.values())},
        entries=tuple(sorted(found.values(), key=lambda entry: order.index(entry.group))),
    )


def differences(own: Menu, base: Menu | None) -> tuple[str, ...]:
    """How a programme's own menu departs from the shipped one of its name, in sentences; None: there is none.

    `own` is the file as it was written, or the merged menu: both say the same.

    >>> menu = shipped()["theories"]
    >>> differences(replace(menu, entries=(Entry("coaching", "Coaching theory"),)), menu)
    ("AQuA's system change model: 'Coaching theory' (coaching) was added.",)
    """
    if base is None:
        one = len(own.entries) == 1
        return (
            f"{own.name} is a menu of this programme's own, with {len(own.entries)} {'entry' if one else 'entries'}.",
        )
    said = [f"The menu {base.name!r} is called {own.name!r} here."] if own.name != base.name else []
    if own.forms and own.forms != base.forms:
        instead = f" instead of {_listed(base.forms)}" if base.forms else ", where nothing was asked of an observer"
        said.append(f"{base.name}: an observer writes {_listed(own.forms)}{instead}.")
    for key, label in own.groups.items():
        if base.groups.get(key, label) != label:
            said.append(f"{base.name}: the group {base.groups[key]!r} ({key}) reads {label!r}.")
    known = {entry.key: entry for entry in base.entries}
    for entry in own.entries:
        if entry.key not in known:
            said.append(f"{base.name}: {entry.label!r} ({entry.key}) was added.")
        elif known[entry.key].label != entry.label:
            said.append(f"{base.name}: {known[entry.key].label!r} ({entry.key}) reads {entry.label!r}.")
        if entry.key in known and known[entry.key].group != entry.group:
            to = f"to {own.groups[entry.group]!r}" if entry.group else "out of its group"
            said.append(f"{base.name}: {entry.label!r} ({entry.key}) was moved {to}.")
    return tuple(said)


def observed(menus: Mapping[str, Menu]) -> dict[str, Menu]:
    """Each feature an observer may write about, by its key, with the menu it stands on.

    Raises Misdescribed where two menus use one key: an observation names the feature alone.

    >>> observed(shipped())["effective_governance"].forms
    ('absent', 'partly', 'in_place')
    """
    found: dict[str, Menu] = {}
    for menu in menus.values():
        for entry in menu.entries if menu.forms else ():
            if entry.key in found:
                raise Misdescribed(
                    f"{entry.key!r} stands on two menus, {found[entry.key].id!r} and {menu.id!r}.",
                    "Give it another key on one of them.",
                    value=entry.key,
                )
            found[entry.key] = menu
    return found


_NEEDED = {
    "schema": "whole number",
    "name": "text",
    "source": "text",
    "licence": "text",
    "verified": "yes or no",
    "entries": "table",
}
_ALSO = {"forms": "list", "groups": "table"}


def _entries(said: Mapping[str, Any], groups: Mapping[str, str], where: str) -> list[Entry]:
    """A line is an entry; a table holds the entries of the group it is named for."""
    entries: list[Entry] = []
    for key, what in said.items():
        if isinstance(what, dict):
            if key not in groups:
                hint = f"{nearest(key, groups)} " if groups else ""
                raise Misdescribed(
                    f"{where} has entries in {key!r}, which is no group.", f"{hint}Name it under [groups].", value=key
                )
            texts = _texts(what, where=f"{where}: [entries.{key}]")
            entries += [Entry(inner, label, key) for inner, label in texts.items()]
        else:
            entries += [Entry(key, label) for label in _texts({key: what}, where=f"{where}: [entries]").values()]
    return entries


def _texts(said: Mapping[str, Any], *, where: str) -> dict[str, str]:
    for key, label in said.items():
        _check_key(key, where=where)
        is_a(label, "text", where=f"{where}: {key!r}")
        if not label.strip():
            raise Misdescribed(f"{where}: {key!r} has no words.", 'Write its label: key = "label".', value=key)
    return dict(said)


def _check_key(key: str, *, where: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", key):
        raise Misdescribed(
            f"{where} holds {key!r}, which is no key.", "Write small letters, figures and _ only.", value=key
        )


def _both(shipped: str, own: str) -> str:
    return shipped if shipped == own else f"{shipped}; the programme's own: {own}"


def _listed(words: tuple[str, ...]) -> str:
    return " or ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} or {words[-1]}"
