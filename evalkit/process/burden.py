"""How much do we ask of people?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.process.delivery import per_leader, received
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.terms import Design, Sign

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "How much do we ask of people?"
METHOD = Method(
    name="Forms that came back, times the minutes each questionnaire takes, and the hours of sessions people came to",
    source="AQuA, ten learning points: 'Think measurement - what is feasible?'; minutes as `burden` or the asker says.",
    assumes="Whoever fills a form takes the minutes written for it; a form with no answer at all took no time; "
    "looking back is a form of its own.",
    design=Design.DESCRIBED,
)
ASKED_RULE = "time asked of people: always uncertain, since the data hold no limit anybody agreed to"
"""What the time asked looks like (a judgement: it is for those who give it to say)."""
FORM = ["respondent_id", "subject_kind", "subject_id", "rater", "instrument", "edition", "wave", "timing"]
"""What makes a form: one questionnaire filled in once about somebody or something; outside the waves, on one day."""
OUTSIDE = "outside the waves"
LEADERS = "leaders, all their forms"
"""The group that holds every form a leader filled in, as whatever they answered."""
PART, PARTS = "Hours of forms or sessions", "part"
"""Forms of each wave and the sessions add up to everything, so they are one set: where one of them is withheld for few
people, another is too, or the total would tell it."""
FORMS, SESSIONS, TOTAL = "hours of forms", "sessions", "everything"
ENDS = {"median": 0.5, "most": 1.0}
"""What is said of so many people: the quantiles of theirs."""


def burden(programme: Programme, *, minutes: Mapping[str, float] | None = None) -> Result:
    """How much do we ask of people?

    Needs: `responses`, and the minutes of each questionnaire from `burden` or from `minutes` ({"icfat": 6}, which goes
    before the table); `attendance` and `sessions` for the hours of sessions. Forms and minutes a person and wave, of
    leaders and of everybody by what they answered as: a sponsor of several leaders fills in several forms. Table
    extras: n_of, wave, by (what cuts the rows), unknown (forms of no known length; in all, attendances too), sign, ask.
    What would mislead: minutes nobody wrote are not known, never 0; forms without a name count as one person each.
    Errors: `NotEnoughEvidence` when nothing was answered and nobody came to a session; `ValueError` for an unknown
    questionnaire or minutes that are not above 0.

    >>> import evalkit as ek
    >>> burden(ek.load("sample_data/northmere")).table["measure"].iloc[0]
    'Hours asked of everybody'
    """
    asked = _asked(programme, dict(minutes or {}))
    if asked.forms.empty and asked.got.empty:
        raise register.not_recorded(
            QUESTION, "No form came back, and nobody's presence at a session was recorded.",
            "responses.csv and burden.csv (minutes a questionnaire takes); attendance.csv and sessions.csv.",
        )  # fmt: skip
    rows = [*_hours(asked), *_leaders(asked), *_by_rater(asked)]
    table = register.table(rows, extras=("wave", "by", "unknown")).astype({"wave": "Int64", "unknown": "Int64"})
    headline = _headline(table)
    said = {name: float(value) for name, value in (minutes or {}).items()}
    return register.counted(
        programme, f"process.burden({f'minutes={said!r}' if said else ''})", question=QUESTION, headline=headline,
        sentences=_sentences(asked, table), table=table, marks=_marks(programme, table, headline.text), method=METHOD,
        cautions=_cautions(asked, said), n=_people(asked), of=None, counts="people",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """The forms that came back, with minutes where they are known, and the hours of sessions people came to."""

    programme: Programme
    forms: pd.DataFrame
    got: pd.DataFrame
    leaders: frozenset[str]


def _asked(programme: Programme, given: dict[str, float]) -> Asked:
    for name, long in given.items():
        circumstances.instrument(programme, name)
        if not long > 0:
            raise ValueError(f"minutes={{{name!r}: {long}}}: a questionnaire takes some time; write minutes above 0.")
    known = programme.burden.set_index("instrument")["minutes"].to_dict() | given
    leaders = frozenset(circumstances.taking_part(programme)["participant_id"])
    held = programme.sessions[register.by_now(programme, programme.sessions["held_on"])]
    return Asked(programme, _forms(programme, known), received(programme, held), leaders)


def _forms(programme: Programme, known: Mapping[Any, float]) -> pd.DataFrame:
    """A row a form that came back, by whom, as what and when, and its minutes; missing where nobody knows them."""
    answers = register.answered(programme)
    day = answers["answered_on"].where(answers["wave"].isna())
    forms = answers[FORM].assign(day=day).drop_duplicates().reset_index(drop=True)
    alias = programme.respondents.dropna(subset=["alias_of"]).set_index("respondent_id")["alias_of"].to_dict()
    who = forms["respondent_id"].map(lambda one: _first_known_as(one, alias))
    return forms.assign(respondent_id=who, minutes=forms["instrument"].map(known).astype(float))


def _first_known_as(respondent: str, alias: Mapping[Any, str]) -> str:
    """The earliest id of a respondent who is known by several."""
    seen = {respondent}
    while respondent in alias and alias[respondent] not in seen:
        respondent = alias[respondent]
        seen.add(respondent)
    return respondent


def _when(wave: Any) -> str:
    return OUTSIDE if pd.isna(wave) else f"wave {wave}"


def _in_wave(wave: Any) -> str:
    return OUTSIDE if pd.isna(wave) else f"in wave {wave}"


def _waves(forms: pd.DataFrame) -> list[tuple[Any, pd.DataFrame]]:
    """The forms of each wave in turn, those outside the waves last."""
    return [(wave, held) for wave, held in forms.groupby("wave", dropna=False)]


def _people(asked: Asked) -> int:
    return len(set(asked.forms["respondent_id"]) | set(asked.got["person_id"]))


def _known_hours(minutes: pd.Series[float], per: int) -> float:
    """The hours that are known; not known where none is, and 0 only of nothing."""
    return 0.0 if minutes.empty else float(minutes.sum(min_count=1)) / per


def _hours(asked: Asked) -> list[dict[str, Any]]:
    """Hours of everybody: in all, of forms by wave, and of sessions. Known hours only: `unknown` counts the rest."""
    forms, got = asked.forms, asked.got
    known = pd.concat([forms["minutes"] / 60, got["hours"]], ignore_index=True)
    unknown = int(known.isna().sum())
    total = _row("Hours asked of everybody", ALL, _people(asked), _known_hours(known, 1),
                 "people", by=TOTAL, unknown=unknown)  # fmt: skip
    given = _said_hours(total["estimate"], "that we know of")
    ask = f"People have given us {given}: what did we use, and what could go?"
    if pd.isna(total["estimate"]):
        ask = "How many hours have people given us? Nobody wrote how long what we ask of them takes."
    rows = [register.signed(total, Sign.UNCERTAIN, ask)]
    for wave, held in _waves(forms):
        rows.append(_row(PART, f"forms, {_when(wave)}", held["respondent_id"].nunique(),
                         _known_hours(held["minutes"], 60), "respondents", by=PARTS,
                         unknown=int(held["minutes"].isna().sum())))  # fmt: skip
    if len(got):
        rows.append(_row(PART, SESSIONS, got["person_id"].nunique(), _known_hours(got["hours"], 1), "people", by=PARTS))
    return rows + _untimed(asked)


def _untimed(asked: Asked) -> list[dict[str, Any]]:
    """The questionnaires of which nobody wrote how long they take."""
    names = _untimed_names(asked)
    if not names:
        return []
    every = asked.forms["instrument"].nunique()
    row = register.share("Questionnaires with no minutes written", ALL, len(names), every, of="questionnaires used",
                         n_of="questionnaires", wave=None, by=FORMS,
                         unknown=int(asked.forms["minutes"].isna().sum()))  # fmt: skip
    forms = words.listed([f"the {name}" for name in names])
    ask = f"How long does it take to fill in {forms}? Nobody has written it down."
    return [register.signed(row, Sign.NOT_RECORDED, ask)]


def _untimed_names(asked: Asked) -> list[str]:
    keys = sorted(asked.forms.loc[asked.forms["minutes"].isna(), "instrument"].unique())
    return [asked.programme.instruments[key].name for key in keys]


def _leaders(asked: Asked) -> list[dict[str, Any]]:
    """Each wave for leaders, all their forms together; and the hours of sessions a leader in the middle came to."""
    own = asked.forms[asked.forms["respondent_id"].isin(asked.leaders)]
    rows = [row for wave, held in _waves(own) for row in _each(held, LEADERS, wave, "leaders", by="leaders")]
    if not asked.leaders or asked.got.empty:
        return rows
    hours = per_leader(asked.programme, asked.got).dropna()
    for name, part in ENDS.items() if len(hours) else ():
        value = float(hours.quantile(part))
        rows.append(_row(f"Hours of sessions a leader, {name}", LEADERS, len(hours), value, "leaders", by=SESSIONS))
    return rows


def _by_rater(asked: Asked) -> list[dict[str, Any]]:
    """Each wave for whoever answered, by what they answered as."""
    return [
        row
        for wave, held in _waves(asked.forms)
        for rater, of_rater in held.groupby("rater")
        for row in _each(of_rater, f"as {words.plain(str(rater))}", wave, "respondents", by="rater")
    ]


def _each(held: pd.DataFrame, group: str, wave: Any, n_of: str, *, by: str) -> list[dict[str, Any]]:
    """Forms and minutes a person: in the middle and at most. Minutes of those all of whose forms have some written."""
    people = held.groupby("respondent_id")["minutes"]
    forms, minutes = people.size(), people.agg(lambda each: each.sum(skipna=False)).dropna()
    unknown = int(held["minutes"].isna().sum())
    rows = []
    for name, part in ENDS.items():
        number, long = (float(held.quantile(part)) if len(held) else float("nan") for held in (forms, minutes))
        rows.append(_row(f"Forms a person, {name}", group, len(forms), number, n_of, unit="forms", wave=wave, by=by))
        rows.append(_row(f"Minutes a person, {name}", group, len(minutes), long, n_of, unit="minutes", wave=wave, by=by,
                         unknown=unknown))  # fmt: skip
    return rows


def _row(
    measure: str, group: str, n: int, estimate: float, n_of: str, *, by: str, unit: str = "hours", wave: Any = None,
    unknown: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    return register.row(measure, group, n=n, unit=unit, n_of=n_of, estimate=estimate, wave=wave, by=by, unknown=unknown)


def _headline(table: pd.DataFrame) -> Sentence:
    hours, n = table["estimate"].iloc[0], table["n"].iloc[0]
    unknown = table["unknown"].iloc[0]
    if pd.isna(hours):
        return Sentence(f"How many hours were asked of {words.counted(n, 'person', 'people')} is not known", rows=(0,))
    least = "At least " if unknown else ""
    said = f"{least}{words.number(hours, 0)} hours asked of {words.counted(n, 'person', 'people')}"
    return Sentence(said, rows=(0,))


def _marks(programme: Programme, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A bar for the hours of each wave's forms and of the sessions."""
    rows = table[table["measure"] == PART]
    drawn = [
        {"mark": "bar", "x": held["group"],
         "y": held["estimate"], "n": held["n"], "row": at,
         "label": "not known" if pd.isna(held["estimate"]) else _said_hours(held["estimate"])}
        for at, held in zip(rows.index.tolist(), rows.to_dict("records"), strict=True)
    ]  # fmt: skip
    return charts.marks(
        drawn, headline=headline,
        subtitle=f"Hours of everybody, as far as known, {programme.title}, to {words.day(programme.as_of)}",
    )  # fmt: skip


def _sentences(asked: Asked, table: pd.DataFrame) -> list[Sentence]:
    """Everybody; a leader; whoever fills in most; what is not known."""
    hours = {"forms": _known_hours(asked.forms["minutes"], 60), "sessions": _known_hours(asked.got["hours"], 1)}
    came = {"forms": len(asked.forms), "sessions": len(asked.got)}
    parts = [_said_hours(held, f"of {of}") for of, held in hours.items() if came[of] and not math.isnan(held)]
    parts = parts or ["hours whose number nobody wrote down"]
    untold = [of for of, held in hours.items() if came[of] and math.isnan(held)]
    rest = f"; how long {words.listed(untold)} took is not known" if untold else ""
    rows = table.index[table["measure"].str.startswith("Hours") & (table["group"] != LEADERS)]
    people = words.counted(_people(asked), "person", "people")
    said = [Sentence(f"As far as is known, {people} gave {words.listed(parts)}{rest}.", rows=tuple(rows))]
    for found in (_said_of_leaders(table), _said_of_forms(table)):
        said += [found] if found else []
    names = _untimed_names(asked)
    if names:
        unknown = words.counted(int(asked.forms["minutes"].isna().sum()), "form")
        takes = "questionnaire has" if len(names) == 1 else "questionnaires have"
        said.append(Sentence(f"{len(names)} {takes} no minutes written ({words.listed(names)}): {unknown} of unknown "
                             "length.", rows=(0,)))  # fmt: skip
    return said


def _said_hours(hours: float, of: str = "") -> str:
    """Hours in words: whole ones, and one decimal of fewer than ten."""
    if math.isnan(hours):
        return f"an unknown number of hours {of}"
    return f"{words.number(hours, 0 if hours >= 10 else 1)} hours {of}".rstrip()


def _said_of_leaders(table: pd.DataFrame) -> Sentence | None:
    """Minutes of a leader in the middle, wave by wave."""
    rows = table[(table["group"] == LEADERS) & (table["measure"] == "Minutes a person, median")]
    rows = rows[rows["estimate"].notna()]
    if rows.empty:
        return None
    named = [f"{words.number(held['estimate'], 0)} {_in_wave(held['wave'])}" for held in rows.to_dict("records")]
    return Sentence(f"Minutes of forms of a leader in the middle: {words.listed(named)}.", rows=tuple(rows.index))


def _said_of_forms(table: pd.DataFrame) -> Sentence | None:
    """As what somebody filled in most forms in one round: where the burden hides."""
    rows = table[(table["by"] == "rater") & (table["measure"] == "Forms a person, most")]
    if rows.empty:
        return None
    most = rows[rows["estimate"] == rows["estimate"].max()].iloc[:1]
    held = most.to_dict("records")[0]
    when = _in_wave(held["wave"])
    number = words.counted(int(held["estimate"]), "form")
    role = "about themselves" if held["group"] == "as self" else held["group"]
    return Sentence(f"The most that one person filled in was {number}, {role}, {when}.", rows=tuple(most.index))


def _cautions(asked: Asked, said: Mapping[str, float]) -> list[Sentence]:
    """What is not counted, whose minutes these are, and what the signs rest on."""
    told = ["Time to travel, to be interviewed, to tell a story and to answer about ties is not counted."]
    unnamed = asked.programme.respondents
    loose = unnamed.loc[unnamed["alias_of"].isna(), "respondent_id"]
    alone = int(asked.forms["respondent_id"].isin(set(loose)).sum())
    if alone:
        told.append(f"{words.counted(alone, 'form')} came without a name: each counts as a person, so "
                    "whoever filled in several, or came to sessions too, is counted more than once.")  # fmt: skip
    if said:
        names = [asked.programme.instruments[name].name for name in said]
        told.append(f"The minutes of {words.listed(names)} were given by whoever asked.")
    lost = int(asked.got["hours"].isna().sum())
    if lost:
        told.append(f"How long {words.of(lost, len(asked.got))} attendances lasted is not known.")
    if asked.got.empty:
        told.append("Who came to sessions was not recorded, so their hours are not in it.")
    told.append(f"The sign rests on a judgement: {ASKED_RULE}.")
    return [Sentence(text) for text in told]
