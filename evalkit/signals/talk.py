"""From an answer to something to talk about: how it looks, and a question for a meeting. Never an instruction."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import circumstances, words
from evalkit.disclosure import PEOPLE, protect
from evalkit.errors import Refused
from evalkit.html import WITHHELD
from evalkit.individual.reaction import RETURNED
from evalkit.result import ALL, Result
from evalkit.signals import asks
from evalkit.terms import Audience, Level, Sign, Step, Verdict

if TYPE_CHECKING:
    from datetime import date

    from evalkit.instrument import Instrument
    from evalkit.measure import Measure
    from evalkit.programme import Programme

GOOD, BAD = (Verdict.IMPROVED, Verdict.ROSE), (Verdict.WORSENED, Verdict.FELL)
RULE = (
    "Tested answers: clearly better is working, clearly worse is not working (97% interval), also before the agreed "
    "time; anything else is uncertain. Session forms: what was agreed with least, by fewer than half, is not working. "
    "Counts: by the rule printed with each; where no log was kept: not recorded."
)
AGREED = 50.0
"""What fewer than this % of a session's forms agree with is not working (a judgement)."""
ORDER = (Sign.NOT_WORKING, Sign.UNCERTAIN, Sign.NOT_RECORDED, Sign.WORKING)
"""What is not working is talked about first."""
ABOUT = {
    Level.INDIVIDUAL: "leaders",
    Level.TEAM: "organisations together",
    Level.POPULATION: "people's lives",
    Level.PROCESS: "the work itself",
    Level.STORY: "what people tell us",
}
TOPICS = {
    "behaviour": "What people put to use at work",
    "burden": "Hours asked of people",
    "compacts": "Promises",
    "criteria": "What was chosen",
    "delivery": "What sessions were about",
    "drivers": "What organisations do to back it",
    "funding": "Money for the year to come",
    "pdsa": "Small tests of change",
    "risk_tiers": "Who is offered care",
    "spread": "Events for a wider group",
    "support": "Requests for help",
    "talent": "People to lead next",
    "wins": "Small wins",
}
"""What a question of the work is called in a meeting, where its own name says too little."""


@dataclass(frozen=True, slots=True)
class Talk:
    """One thing to talk about. `n`, `n_of` and `out_of` decide, as in the answer it is from, who may see it."""

    level: Level
    measure: str
    sign: Sign
    ask: str
    asked: str
    estimate: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    interval: str = "none given"
    n: int | None = None
    unit: str = ""
    n_of: str = ""
    out_of: int | None = None
    rests_on: tuple[int, ...] = ()
    """Rows of the answer it was made from."""

    @property
    def short(self) -> str:
        """What stands beside its mark: so many of so many."""
        if self.n is None or self.out_of is None:
            return ""
        return words.of(self.n, self.out_of)


def of_answers(programme: Programme, answers: Iterable[Result], begins: date | None) -> tuple[list[Talk], int]:
    """One thing an answer, the most pressing, and how many were left out to keep what their own answer withholds.

    The row of a thing too few people stand behind is withheld from wider copies as it is anywhere. What an answer
    withholds for another reason (it would give away its neighbour, or is about single people) cannot be seen from the
    row alone, so it is left out here.
    """
    found: list[Talk] = []
    left_out = 0
    for answer in {(one.about.asked, one.headline, one.reading): one for one in answers}.values():
        closed = _closed(answer)
        for talk in _of_answer(programme, answer, begins, closed):
            if closed.isdisjoint(talk.rests_on) or _too_few(talk, programme.minimum_group):
                found.append(talk)
            else:
                left_out += 1
    return found, left_out


def _closed(answer: Result) -> set[int]:
    """The rows that stay with the evaluator: all of them where the answer is about single people."""
    try:
        shown = protect(answer, Audience.TEAM).table
    except Refused:
        return set(answer.table.index)
    return set(shown.index[shown["interval"] == WITHHELD])


def _too_few(talk: Talk, minimum: int) -> bool:
    """Whether its own row says that it is to be withheld."""
    return talk.n_of in PEOPLE and talk.n is not None and 0 < talk.n < minimum


def _of_answer(programme: Programme, answer: Result, begins: date | None, closed: set[int]) -> Iterator[Talk]:
    if answer.level not in ABOUT:
        return
    if "sign" in answer.table:
        yield from _counted(answer)
    elif answer.kirkpatrick is Step.REACTION:
        yield from _liked_least(programme, answer, begins, closed)
    elif "stands_out" in answer.table:
        yield from _months(answer)
    elif answer.level is Level.STORY:
        yield from _told(answer)
    elif answer.level is not Level.PROCESS and answer.verdict is not Verdict.DESCRIBED:
        yield _tested(programme, answer)


def _counted(answer: Result) -> Iterator[Talk]:
    """The most pressing row that its own question marked: not working before uncertain, before not recorded."""
    marked = answer.table[answer.table["sign"].isin([sign.value for sign in ORDER])]
    rows = sorted(marked.to_dict("index").items(), key=lambda held: ORDER.index(Sign(held[1]["sign"])))
    for at, row in rows[:1]:
        whole = row.get("out_of", pd.NA)
        yield Talk(
            answer.level, _topic(answer), Sign(row["sign"]), row["ask"], answer.about.asked,
            out_of=None if pd.isna(whole) else int(whole), **_figures(row), rests_on=(int(str(at)),),
        )  # fmt: skip


def _figures(row: dict[Any, Any]) -> dict[str, Any]:
    """The figures of a row as a thing to talk about carries them."""
    kept = {name: row.get(name, "") for name in ("interval", "unit", "n_of")}
    kept |= {name: float(row[name]) for name in ("estimate", "low", "high")}
    return {**kept, "n": None if pd.isna(row["n"]) else int(row["n"])}


def _fewest(answer: Result, rows: tuple[int, ...], row: dict[Any, Any]) -> dict[Any, Any]:
    """The row, with the fewest people of all the rows its words rest on where those are too few to be shown."""
    people = answer.table.loc[list(rows)]
    if "n_of" in people:
        people = people[people["n_of"].isin(PEOPLE)]
    fewest = people.loc[people["n"] > 0, "n"].min()
    few = not pd.isna(fewest) and fewest < answer.about.minimum_group
    return {**row, "n": fewest} if few else row


def _topic(answer: Result) -> str:
    """The name of the question, in words."""
    name = answer.about.asked.partition("(")[0].partition(".")[2]
    return TOPICS.get(name) or words.sentence_case(words.plain(name))


@dataclass(frozen=True, slots=True)
class _Item:
    """What a session form asks, over some sessions: how many agreed, and the rows that say so."""

    text: str
    agreed: int
    answers: int
    n: int
    rows: tuple[int, ...]

    @property
    def share(self) -> float:
        """% of answers that agree."""
        return 100 * self.agreed / self.answers

    @property
    def said(self) -> str:
        """So many of so many."""
        return words.of(self.agreed, self.answers)


def _liked_least(programme: Programme, answer: Result, begins: date | None, closed: set[int]) -> Iterator[Talk]:
    """What was agreed with least on the session forms of this wave, beside all of them; nothing where all agreed."""
    if "answers" not in answer.table:
        return
    asked = answer.table[(answer.table["measure"] != RETURNED) & (answer.table["answers"] > 0)]
    whole = _items(asked[asked["group"] == ALL])
    rows, where = _of_wave(programme, asked[asked["group"] != ALL], begins)
    own = {} if rows.empty or not closed.isdisjoint(rows.index) else _items(rows)
    if not whole:
        return
    least = min((own or whole).values(), key=lambda item: item.share)
    if least.agreed == least.answers:
        return
    every = whole.get(least.text) if own else None
    beside = f" (over all sessions: {every.said})" if every and every.answers > least.answers else ""
    yield Talk(
        answer.level, "What was said after sessions",
        Sign.NOT_WORKING if least.share < AGREED else Sign.UNCERTAIN,
        f"“{least.text}”: {least.said} agreed {where if own else 'over all sessions'}{beside}. "
        "What would let more people say yes?",
        answer.about.asked, estimate=least.share, n=least.n, unit="% of answers that agree", n_of="respondents",
        rests_on=(*least.rows, *(every.rows if every else ())),
    )  # fmt: skip


def _of_wave(programme: Programme, sessions: pd.DataFrame, begins: date | None) -> tuple[pd.DataFrame, str]:
    """The rows of one place's last session, or of several places' sessions in this wave; and when they were.

    Where several places take part, sessions of one place alone are not spoken of: it would stand for itself.
    """
    if sessions.empty:
        return sessions, ""
    held = programme.sessions.set_index("session_id")
    names = sessions["group"].astype(str).str.partition(":")[0]
    days = pd.to_datetime(names.map(held["held_on"]))
    several = len(set(programme.places["place_id"]) - circumstances.comparison_places(programme)) > 1
    since = days.notna() if begins is None else days >= pd.Timestamp(begins)
    if not since.any() or (several and begins is None):
        return sessions.iloc[:0], ""
    own = since if several else names == names[days == days.max()].iloc[-1]
    where = names[own].map(held["place_id"])
    if several and where.notna().all() and where.nunique() == 1:
        return sessions.iloc[:0], ""
    many = names[own].nunique()
    when = f"the session on {words.day(days[own].max())}"
    if many > 1 and begins is not None:
        when = f"{many} sessions since {words.day(begins)}"
    return sessions[own], f"after {when}"


def _items(rows: pd.DataFrame) -> dict[str, _Item]:
    """Each item over these rows. People: those who certainly stand behind it, for forms may be the same people's."""
    found: dict[str, _Item] = {}
    for at, row in rows.to_dict("index").items():
        was = found.get(row["measure"], _Item(row["measure"], 0, 0, 0, ()))
        agreed = round(row["estimate"] * row["answers"] / 100)
        found[row["measure"]] = _Item(
            was.text, was.agreed + agreed, was.answers + int(row["answers"]), max(was.n, int(row["n"])),
            (*was.rows, int(str(at))),
        )  # fmt: skip
    return found


def _told(answer: Result) -> Iterator[Talk]:
    """The theme told most often: whether it fits, and who was not heard, is the question."""
    for at in answer.parts[0].rows[:1]:
        row = answer.table.loc[at].to_dict()
        yield Talk(
            answer.level, "What people told us", Sign.UNCERTAIN,
            f"{answer.headline}. Does that fit what we see, and whom did we not ask?", answer.about.asked,
            **_figures(row), rests_on=(at,),
        )  # fmt: skip


def _months(answer: Result) -> Iterator[Talk]:
    """Whether the last month (quarter, year) is within what is usual."""
    months = answer.table[~answer.table["what"].isin(("limits", "median"))]
    stands_out = months["stands_out"].fillna("").astype(str)
    rests_on = answer.parts[0].rows or (int(months.index[-1]),)
    last = months.iloc[-1].to_dict()
    yield Talk(
        answer.level, f"{last['measure']}, by {last['what']}", Sign.UNCERTAIN,
        asks.of_months(answer, stands_out.iloc[-1], bool((stands_out != "").any())), answer.about.asked,
        **_figures(_fewest(answer, rests_on, {**last, "n_of": "events"})), rests_on=rests_on,
    )  # fmt: skip


def _tested(programme: Programme, answer: Result) -> Talk:
    """What an answer with a verdict gives to talk about: the rows its headline rests on."""
    rests_on = answer.parts[0].rows[:] or (0,)
    row = answer.table.loc[rests_on[0]].to_dict()
    whole = row.get("out_of", pd.NA)
    sign = _sign(programme, answer, row)
    measure, lead = _named(programme, answer, str(row["measure"]))
    return Talk(
        answer.level, measure, sign, asks.of_tested(answer, sign, lead), answer.about.asked,
        out_of=None if pd.isna(whole) else int(whole),
        **_figures(_fewest(answer, rests_on, row)), rests_on=rests_on,
    )  # fmt: skip


def _named(programme: Programme, answer: Result, measure: str) -> tuple[str, str]:
    """What an answer is called in a meeting, and what its sentence begins with where the headline does not say it."""
    if answer.level is Level.TEAM:
        return f"{measure} (organisations together)", ""
    if answer.level is not Level.INDIVIDUAL:
        return measure, ""
    on, of = _on(answer), _asked_of(programme, answer)
    usual = circumstances.primary(programme, "individual", "system_leadership")
    name = of.name if of is not None and on != usual else "How people lead"  # type: ignore[union-attr]
    if not measure.lower().startswith("overall"):
        name = f"{name}, {measure[:1].lower()}{measure[1:]}"
    told = words.listed([words.raters(informant) for informant in answer.evidence.informants])
    return f"{name}, told by {told}" if told else name, f"{name}: "


def _on(answer: Result) -> str:
    """The questionnaire or measure an answer says it was asked about."""
    found = re.search(r"\b(?:on|measure)='([^']+)'", answer.about.asked)
    return found.group(1) if found else ""


def _asked_of(programme: Programme, answer: Result) -> Instrument | Measure | None:
    known: dict[str, Instrument | Measure] = {**programme.measures, **programme.instruments}
    return known.get(_on(answer))


def _sign(programme: Programme, answer: Result, row: dict[Any, Any]) -> Sign:
    """By `RULE`. An adverse change is said at any month, also where it is too early for a verdict."""
    if answer.verdict in GOOD:
        return Sign.WORKING
    if answer.verdict in BAD:
        return Sign.NOT_WORKING
    if answer.verdict is Verdict.TOO_EARLY and _adverse(programme, answer, row):
        return Sign.NOT_WORKING
    return Sign.UNCERTAIN


def _adverse(programme: Programme, answer: Result, row: dict[Any, Any]) -> bool:
    """Whether the whole 97% interval lies on the worse side, where it is known which side that is."""
    asked_of, none = _asked_of(programme, answer), 1.0 if str(row["unit"]).startswith("ratio") else 0.0
    if asked_of is None:
        return False
    return answer.decided.high < none if asked_of.better == "higher" else answer.decided.low > none


def row_of(talk: Talk, meeting: str) -> dict[str, Any]:
    """A row of the table. Extras: n_of, out_of, about, sign, ask, meeting, asked."""
    return {
        "measure": talk.measure, "group": ALL, "estimate": talk.estimate, "low": talk.low, "high": talk.high,
        "interval": talk.interval, "n": talk.n, "unit": talk.unit, "n_of": talk.n_of, "out_of": talk.out_of,
        "about": ABOUT[talk.level], "sign": talk.sign.value, "ask": words.without_why(talk.ask), "meeting": meeting,
        "asked": talk.asked,
    }  # fmt: skip
