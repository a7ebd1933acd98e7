"""What did people make of the sessions?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.disclosure import KEEPS, TELLS
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.individual.small_classes import answers_withheld, behind
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme

QUESTION = "What did people make of the sessions?"
METHOD = Method(
    name="Answers to each question counted; the range is what those who left no form could have made of it",
    source="Kirkpatrick's first step: satisfaction, engagement, relevance. The range: Manski 1989, Journal of Human "
    "Resources 24(3), 343-360, bounds without assumption.",
    assumes="Nothing about those who left no form; those who did said what they thought.",
    design=Design.DESCRIBED,
)
RANGE = "range over those who did not answer"
RETURNED = "Filled in the form"
FEW_SESSIONS = 6
"""So many sessions are named one by one in a sentence; more stand in the table only."""


@dataclass(frozen=True, slots=True)
class _Forms:
    """Answers about sessions, a row a form and item; who came to each session, where it was recorded."""

    programme: Programme
    instrument: Instrument
    answers: pd.DataFrame
    came: pd.Series[int]

    @property
    def sessions(self) -> list[str]:
        """The sessions somebody answered about, by date."""
        held = self.programme.sessions.set_index("session_id")["held_on"]
        return sorted(self.answers["subject_id"].unique(), key=lambda session: (held.get(session, pd.NaT), session))

    def asked(self, sessions: list[str]) -> int | None:
        """How many came to these sessions; None where it was not recorded, or fewer came than answered."""
        forms = self.answers.groupby("subject_id")["respondent_id"].nunique()
        known = all(self.came.get(session, 0) >= forms[session] for session in sessions)
        return int(self.came[sessions].sum()) if known else None

    def held_on(self, session: str) -> str:
        """The day of a session; its id where nobody wrote the day down."""
        days = self.programme.sessions.set_index("session_id")["held_on"]
        return words.day(days.loc[session]) if session in days.index else session

    def named(self, session: str) -> str:
        """A session's id, its day and what it was."""
        kinds = self.programme.sessions.set_index("session_id")["intervention"].dropna()
        what = [self.held_on(session)] if self.held_on(session) != session else []
        what += [words.plain(kinds.loc[session])] if session in kinds.index else []
        return f"{session}: {', '.join(what)}" if what else session


def reaction(programme: Programme, *, on: str = "reaction") -> Result:
    """What did people make of the sessions?

    Needs: `responses` about sessions, given at their end (timing post), on the form `on` (evalkit's own asks whether
    the session was worth it, whether people took part, and whether it is of use); `attendance` tells how many could
    have answered. Every question is counted by itself: there is no score, because liking adds up to nothing. Liking a
    session says nothing of what was learnt or done since, and those who leave early leave no form.
    Columns: n_of, answers, asked (who came), a column an answer of the scale; tells (how few people the row would tell)
    and keeps (columns of the row that would): they are withheld. Errors: `NotEnoughEvidence` without a form.

    >>> import evalkit as ek
    >>> reaction(ek.load("sample_data/northmere")).table["measure"].iloc[0]
    'Filled in the form'
    """
    forms = _forms(programme, circumstances.instrument(programme, on))
    table = _table(forms)
    evidence = grade(Design.DESCRIBED, informants=("those who came",))
    decided = described("People were asked once, at the end of a session: there is nothing to compare with.")
    most, least = _ends(forms, table)
    headline = Sentence(_agreed(table, most, least), rows=(most, least))
    returned = table.iloc[0]
    return Result.of(
        question=QUESTION,
        level=Level.INDIVIDUAL,
        kirkpatrick=Step.REACTION,
        headline=headline,
        sentences=_sentences(forms, table, headline),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(forms, table, headline.text),
        chart=charts.named("shares"),
        method=METHOD,
        evidence=evidence,
        cautions=_cautions(forms, table),
        about=circumstances.about(
            programme,
            f"individual.reaction(on={on!r})",
            n=int(returned["answers"]),
            of=None if pd.isna(returned["asked"]) else int(returned["asked"]),
            counts="forms",
        ),
    )


def _forms(programme: Programme, instrument: Instrument) -> _Forms:
    responses = programme.responses
    own = responses[
        (responses["instrument"] == instrument.id)
        & (responses["subject_kind"] == "session")
        & (responses["timing"] == "post")
        & responses["answer"].notna()
        & (responses["answered_on"].isna() | register.by_now(programme, responses["answered_on"]))
    ]
    if own.empty:
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"Nobody answered the {instrument.name} about a session.",
            would_answer="responses.csv: one row an answer, about the session it was given at the end of.",
        )
    attendance = programme.attendance[programme.attendance["status"] == "attended"]
    return _Forms(programme, instrument, own, attendance.groupby("session_id")["person_id"].nunique())


def _table(forms: _Forms) -> pd.DataFrame:
    """A row a question (the first: how many filled in the form) over all sessions, then a row a question and session.

    `estimate` is the % of answers above the middle of the scale; `low` and `high` are what it could be had everybody
    who came answered. Extras: n_of, answers, asked (who came), a column an answer of the scale, counted; tells, keeps.
    An answer too few gave at one session is kept back over all sessions too, which would tell it beside the others.
    """
    groups = {ALL: forms.sessions}
    if len(forms.sessions) > 1:
        groups |= {forms.named(session): [session] for session in forms.sessions}
    rows = [row for group, sessions in groups.items() for row in _group(forms, group, sessions)]
    whole = dict.fromkeys(["n", "answers", "asked", *_options(forms.instrument).values(), TELLS], "Int64")
    table = pd.DataFrame(rows)
    every = table.groupby("measure")[KEEPS].agg(
        lambda kept: "; ".join(dict.fromkeys("; ".join(filter(None, kept)).split("; ")))
    )
    return table.assign(**{KEEPS: table[KEEPS].where(table["group"] != ALL, table["measure"].map(every))}).astype(whole)


def _group(forms: _Forms, group: str, sessions: list[str]) -> list[dict[str, Any]]:
    """The rows of one group of sessions."""
    own = forms.answers[forms.answers["subject_id"].isin(sessions)]
    asked = forms.asked(sessions)
    filled = len(own[["subject_id", "respondent_id"]].drop_duplicates())
    shared = {"group": group, "n": _people(forms, own), "n_of": "respondents", "asked": asked}
    nothing = {"low": float("nan"), "high": float("nan"), "interval": "none given"}
    rows = [
        {"measure": RETURNED, "estimate": float("nan") if asked is None else 100 * filled / asked, **nothing,
         "unit": "% of those who came", "answers": filled, KEEPS: "", **shared}
    ]  # fmt: skip
    for item in forms.instrument.items:
        answers = own.loc[own["item"] == item.key, "answer"]
        counted = {name: int((answers == option).sum()) for option, name in _options(forms.instrument).items()}
        agreed, n = int((answers > _middle(forms.instrument)).sum()), len(answers)
        bounds = nothing
        if asked is not None:
            bounds = {"low": 100 * agreed / asked, "high": 100 * (agreed + asked - n) / asked, "interval": RANGE}
        rows.append(
            {"measure": item.text, "estimate": 100 * agreed / n if n else float("nan"), **bounds,
             "unit": "% of answers that agree", "answers": n, **shared, **counted, **_withheld(forms, counted)}
        )  # fmt: skip
    first = ["measure", "group", "estimate", "low", "high", "interval", "n", "unit", "n_of", "answers", "asked"]
    columns = (*first, *_options(forms.instrument).values(), TELLS, KEEPS)
    return [{name: row.get(name, pd.NA) for name in columns} for row in rows]


def _withheld(forms: _Forms, counted: dict[str, int]) -> dict[str, Any]:
    """How few people the share that agrees would tell; else the answers that few gave, beside those that hide them."""
    options = _options(forms.instrument)
    agreeing = {options[step] for step in options if step > _middle(forms.instrument)}
    sides = [{name: n for name, n in counted.items() if (name in agreeing) == agree} for agree in (True, False)]
    return answers_withheld(sides, sum(counted.values()), forms.programme.minimum_group)


def _people(forms: _Forms, own: pd.DataFrame) -> int:
    """People who certainly stand behind these forms: unlinked forms of several sessions may be the same people's."""
    linked = own.loc[own["respondent_id"].isin(forms.programme.people["person_id"]), "respondent_id"].nunique()
    return max(linked, int(own.groupby("subject_id")["respondent_id"].nunique().max()))


def _options(instrument: Instrument) -> dict[float, str]:
    """The answers of the scale, from low to high, each with its words."""
    scale = instrument.scale
    steps = [scale.low + step * scale.step for step in range(scale.options)]
    return {step: scale.labels.get(step, f"{step:g}") for step in steps}


def _middle(instrument: Instrument) -> float:
    return (instrument.scale.low + instrument.scale.high) / 2


def _ends(forms: _Forms, table: pd.DataFrame) -> tuple[int, int]:
    """The rows most and least agreed with over all sessions; of equals, the earlier in the form."""
    answered = [row for row in range(1, len(forms.instrument.items) + 1) if table["answers"][row] > 0]
    share = table["estimate"].astype(float).to_dict()
    return max(answered, key=lambda row: share[row]), min(answered, key=lambda row: share[row])


def _agreed(table: pd.DataFrame, most: int, least: int) -> str:
    if most == least:
        return f"Every question was agreed with alike ({_of(table, most)})"
    return f"Agreed with most: {_told(table, most)}; least: {_told(table, least)}"


def _told(table: pd.DataFrame, row: int) -> str:
    return f"“{table['measure'][row]}” ({_of(table, row)})"


def _of(table: pd.DataFrame, row: int) -> str:
    """How many agreed, of how many who answered."""
    n = int(table["answers"][row])
    return words.of(round(float(table["estimate"][row]) * n / 100), n)


def _sentences(forms: _Forms, table: pd.DataFrame, headline: Sentence) -> list[Sentence]:
    returned, sessions = table.iloc[0], forms.sessions
    where = words.counted(len(sessions), "session")
    said = [
        Sentence(
            f"At {where}, {words.counted(int(returned['answers']), 'form')} "
            f"{'was' if returned['answers'] == 1 else 'were'} filled in; how many people came was not recorded."
            if pd.isna(returned["asked"])
            else f"At {where}, forms were filled in by {words.of(int(returned['answers']), int(returned['asked']))} "
            "who came.",
            rows=(0,),
        ),
        Sentence(f"{headline.text}.", rows=headline.rows),
    ]
    if 1 < len(sessions) <= FEW_SESSIONS:
        first = forms.instrument.items[0].text
        each = table.index[(table["measure"] == first) & (table["group"] != ALL)]
        rows = {row: one for row, one in zip(each, sessions, strict=True) if table["answers"][row] > 0}
        shares = [f"{_of(table, row)} on {forms.held_on(one)}" for row, one in rows.items()]
        if rows:  # a session's form may leave a question out
            said.append(Sentence(f"By session, “{first}” was agreed with by {words.listed(shares)}.", rows=tuple(rows)))
    return said


def _marks(forms: _Forms, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    options, minimum = list(_options(forms.instrument).values()), forms.programme.minimum_group
    rows = [
        {"mark": "share", "series": option, "x": table["measure"][row], "row": row,
         "n": behind(option, table[KEEPS][row], int(table["n"][row]), minimum),
         "y": 100 * int(table[option][row]) / int(table["answers"][row]), "label": str(int(table[option][row]))}
        for option in options
        for row in range(1, len(forms.instrument.items) + 1)
        if table["answers"][row] > 0
    ]  # fmt: skip
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"{forms.instrument.name}, {words.counted(len(forms.sessions), 'session')}, "
        f"{forms.programme.title}; numbers of answers",
        x_axis="% of answers",
    )


def _cautions(forms: _Forms, table: pd.DataFrame) -> list[Sentence]:
    returned = table.iloc[0]
    said = [Sentence("Liking a session says nothing of what people learnt from it, or have done since.")]
    if pd.isna(returned["asked"]):
        said.append(Sentence("How many left no form is not known; they may have thought otherwise."))
    else:
        silent = int(returned["asked"] - returned["answers"])
        said.append(
            Sentence(
                f"Of those who came, {silent} left no form: the ranges show what they could have made of it.", (0,)
            )
        )
    if len(forms.sessions) > 1:
        said.append(Sentence("Whoever came to several sessions counts each time."))
    if not forms.instrument.validated:
        said.append(Sentence("No study shows how well this form measures what people thought."))
    return said
