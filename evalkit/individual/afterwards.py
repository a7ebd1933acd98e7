"""What was said some months after the last session: which answers lie within the time asked about, and which count."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import register, words
from evalkit.errors import NotEnoughEvidence
from evalkit.individual import ratings

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme

DAYS = 30.4375
"""Days of a month, for saying how long after; whether an answer lies within the time goes by the calendar."""
FORM = ["respondent_id", "subject_id", "rater"]
"""Who said it, of whom, and as what: one form, however often it was filled in."""
CAME, HELD, BEGAN = "the last session they came to", "the last session held", "the start of the programme"
"""What months are counted from."""


@dataclass(frozen=True, slots=True, eq=False)
class Afterwards:
    """Answers some months after the last session.

    `answers`: those that count, a row a form and item, the latest within the time; `before` is the answer to the same
    item on an earlier day, missing where there is none. `forms`: every form filled in, with `day`, `months` (how many
    after), `since` (what they are counted from) and `within`.
    """

    months: tuple[int, int]
    answers: pd.DataFrame
    forms: pd.DataFrame
    minimum: int

    @property
    def span(self) -> str:
        """The time asked about, in words."""
        return f"{self.months[0]} to {self.months[1]} months"

    @property
    def left_out(self) -> str:
        """How many forms were given sooner or later, or on a day nobody knows; nothing where there are none."""
        outside = self.forms[~self.forms["within"]]
        dated = outside["months"].dropna()
        early = dated[outside["early"]]
        late = dated.drop(early.index)
        said = []
        if len(early):
            said.append(f"{self.forms_of(len(early), f' (from {words.number(early.min(), 1)} months)')} given sooner")
        if len(late):
            said.append(f"{self.forms_of(len(late), f' (up to {words.number(late.max(), 1)} months)')} given later")
        if len(outside) > len(dated):
            said.append(f"{words.counted(len(outside) - len(dated), 'form')} without a known day")
        return words.listed(said)

    def forms_of(self, n: int, aside: str = "") -> str:
        """So many forms; where they are few, neither how many nor what is said aside, which would tell who."""
        return "some forms" if n < self.minimum else f"{words.counted(n, 'form')}{aside}"

    @property
    def alike(self) -> bool:
        """Whether one person spoke of several leaders, or several of one kind spoke of one."""
        forms = self.answers.drop_duplicates(FORM)
        return any(bool(forms.duplicated(["rater", who]).any()) for who in FORM[:2])

    def of(self, rater: str) -> pd.DataFrame:
        """The answers that count, of one kind of rater."""
        return self.answers[self.answers["rater"] == rater]

    def nothing_of(self, instrument: Instrument, question: str) -> NotEnoughEvidence:
        """The refusal where nothing was answered within the time: when it was, if it was."""
        known = self.forms["months"].dropna()
        if known.empty:
            what = f"Nobody answered the {instrument.name} about a leader on a known day"
            if len(self.forms):
                what += ", or nothing says when sessions were held or the programme started"
            how = "the form given out some months after the last session; responses.csv with answered_on."
            return NotEnoughEvidence(question, missing=f"{what}.", would_answer=how)
        low, high = (words.number(end, 1) for end in (known.min(), known.max()))
        forms = words.counted(len(known), "form")
        return NotEnoughEvidence(
            question,
            missing=f"No answer lies {self.span} after the last session: {forms} came after "
            f"{low if low == high else f'{low} to {high}'} months.",
            would_answer=f"months={(int(known.min()), int(known.max()) + 1)}, if that is the time you mean; else the "
            "form given out again.",
        )


def afterwards(
    programme: Programme, instrument: Instrument, raters: tuple[str, ...], months: tuple[int, int]
) -> Afterwards:
    """The answers of these raters about leaders, with those that count set apart.

    Months run from the last session the leader came to on or before the day of answering; where none is recorded, from
    the last session held by then, else from the start of the programme. An answer without a day counts from the day its
    wave opened. Of several answers by one person about one leader within the time the latest counts.
    """
    told = pd.concat([ratings.answers(programme, instrument, rater) for rater in raters], ignore_index=True)
    told = told[told["answer"].notna()].reset_index(drop=True)
    opened = dict(zip(programme.waves["wave"], programme.waves["opens_on"], strict=True))
    fallback = pd.to_datetime(pd.Series([opened.get(wave) for wave in told["wave"]], index=told.index, dtype=object))
    told["day"] = pd.to_datetime(told["answered_on"]).fillna(fallback)
    told = told[register.by_now(programme, told["day"])]
    since = _since(programme, told)
    told = told.join(since)
    first, last = (told["from_day"] + pd.DateOffset(months=number) for number in months)
    told["months"] = (told["day"] - told["from_day"]).dt.days / DAYS
    told["early"] = told["day"] < first
    told["within"] = (told["day"] >= first) & (told["day"] <= last)
    told = told.sort_values("day", kind="stable", na_position="first")
    forms = told.drop_duplicates([*FORM, "day"])[[*FORM, "day", "months", "since", "early", "within"]]
    return Afterwards(months, _counting(told), forms.reset_index(drop=True), programme.minimum_group)


def _since(programme: Programme, told: pd.DataFrame) -> pd.DataFrame:
    """The day months are counted from, and what it is, for each answer."""
    held = register.of_programme(programme, programme.sessions)[["session_id", "held_on"]].dropna()
    came = programme.attendance[programme.attendance["status"] == "attended"].merge(held, on="session_id")
    by_leader = {str(one): sorted(days) for one, days in came.groupby("person_id")["held_on"]}
    every = sorted(held["held_on"])
    began = [] if programme.starts_on is None else [pd.Timestamp(programme.starts_on)]
    found = []
    for leader, day in zip(told["subject_id"], told["day"], strict=True):
        ways = ((CAME, by_leader.get(leader, [])), (HELD, every), (BEGAN, began))
        by_then = ((what, days[bisect_right(days, day) - 1]) for what, days in ways if days and days[0] <= day)
        found.append(next(by_then, ("", pd.NaT)))
    days = pd.Series([on for _, on in found], index=told.index, dtype="datetime64[us]")
    return pd.DataFrame({"since": [what for what, _ in found], "from_day": days}, index=told.index)


def _counting(told: pd.DataFrame) -> pd.DataFrame:
    """The latest answer within the time of each form and item, with the one before it."""
    key = [*FORM, "item"]
    told = told.drop_duplicates([*key, "day"], keep="last")
    told = told.assign(before=told.groupby(key)["answer"].shift())
    return told[told["within"]].drop_duplicates(key, keep="last").reset_index(drop=True)


def apart(answers: pd.DataFrame) -> float:
    """How many answers these count as, were all by one person, or of one leader, alike: (Σm)² / Σm², the smaller.

    Kish 1965: the effective number of a sample whose groups, of m each, hold nothing new within. Without groups it is
    the number of answers itself.
    """
    if answers.empty:
        return 0.0
    sizes = (answers[who].value_counts() for who in FORM[:2])
    return min(float(each.sum() ** 2 / (each**2).sum()) for each in sizes)
