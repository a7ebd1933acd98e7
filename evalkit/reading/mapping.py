"""`[mapping]` in programme.toml: how the columns of a form's export become answers, and who is made a pseudonym."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from data_schemas.catalogues import Misdescribed, check_keys, check_kinds, is_a

DATES = ("day first", "month first")


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One file a form's website exported: a row a respondent, a column a question.

    `items`: each question's heading, and the item it asks. `answers`: what people could choose, and the answer it is.
    `choices`: questions with several answers to tick, each option and its item (ticked is yes, not ticked no).
    `respondent` heads the column that tells who answered; where `respondent_is` "address" it becomes a pseudonym.
    Without one each row is an unnamed form. `subject` heads the column that says whom it is about: `subjects` turns its
    words into ids, `subject_is` "address" makes pseudonyms of them. `subject_id` says it once for all; neither: each
    respondent answers about themselves.
    """

    name: str
    file: str
    instrument: str
    timing: str
    rater: str
    subject_kind: str
    sheet: str = ""
    respondent: str = ""
    respondent_is: str = "address"
    subject: str = ""
    subject_is: str = "id"
    subject_id: str = ""
    subjects: Mapping[str, str] = field(default_factory=dict)
    wave: int | None = None
    answered_on: str = ""
    dates: str = ""
    organisation: str = ""
    organisations: Mapping[str, str] = field(default_factory=dict)
    level: str = ""
    place: str = ""
    places: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    drop: tuple[str, ...] = ()

    @property
    def needs_key(self) -> bool:
        """Whether addresses are made pseudonyms."""
        return (bool(self.respondent) and self.respondent_is == "address") or self.subject_is == "address"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pseudonyms:
    """Where the key lies that turns addresses into pseudonyms (outside the folder), and a sign that it is the same."""

    key: str = ""
    check: str = ""


_TEXTS = (
    "file", "instrument", "timing", "rater", "subject_kind", "sheet", "respondent", "respondent_is", "subject",
    "subject_is", "subject_id", "answered_on", "dates", "organisation", "level", "place",
)  # fmt: skip
_TABLES = ("subjects", "organisations", "places", "items", "answers", "choices")
_NEEDED = ("file", "instrument", "timing", "rater", "subject_kind")


def exports(said: Mapping[str, Any]) -> tuple[Export, ...]:
    """Each export described under [mapping], every key checked."""
    is_a(said, "table", where="[mapping]")
    return tuple(_export(name, part) for name, part in said.items())


def pseudonyms(said: Mapping[str, Any]) -> Pseudonyms:
    """What [pseudonyms] says."""
    check_keys(said, where="[pseudonyms]", needed=(), also=("key", "check"))
    check_kinds(said, dict.fromkeys(said, "text"), where="[pseudonyms]")
    return Pseudonyms(**said)


def _export(name: str, said: Any) -> Export:
    where = f"[mapping.{name}]"
    check_keys(said, where=where, needed=_NEEDED, also=(*_TEXTS, *_TABLES, "wave", "drop"))
    kinds = dict.fromkeys(_TEXTS, "text") | dict.fromkeys(_TABLES, "table") | {"wave": "whole number", "drop": "list"}
    check_kinds(said, kinds, where=where)
    for table in _TABLES:
        for heading, meant in said.get(table, {}).items():
            is_a(meant, "table" if table == "choices" else "text", where=f"{where} {table}: {heading!r}")
    for heading in said.get("drop", ()):
        is_a(heading, "text", where=f"{where} drop")
    _one_of(said, "respondent_is", ("address", "id"), where)
    _one_of(said, "subject_is", ("address", "id"), where)
    _one_of(said, "dates", DATES, where)
    _refuse_twice(said, where)
    if said.get("subject") and said.get("subject_id"):
        raise Misdescribed(f"{where} says the subject twice.", "Keep subject (a column) or subject_id (one for all).")
    if not said.get("items") and not said.get("choices"):
        raise Misdescribed(f"{where} maps no question.", f'Write under [mapping.{name}.items]: "question" = "item".')
    return Export(name=name, **{**said, "drop": tuple(said.get("drop", ()))})


def _refuse_twice(said: Mapping[str, Any], where: str) -> None:
    """One item asked by two questions would give each respondent two answers to it."""
    items = [
        *said.get("items", {}).values(),
        *(i for known in said.get("choices", {}).values() for i in known.values()),
    ]
    for item in items:
        if items.count(item) > 1:
            raise Misdescribed(
                f"{where} maps two questions to the item {item!r}.", "Keep one of them.", value=str(item)
            )


def _one_of(said: Mapping[str, Any], key: str, words: tuple[str, ...], where: str) -> None:
    if key in said and said[key] not in words:
        raise Misdescribed(
            f"{where}: {key!r} is not one of its words.", f"Write {' or '.join(words)}.", value=said[key]
        )
