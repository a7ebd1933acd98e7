"""From an answer to something to talk about: how it looks, and a question for a meeting. Never an instruction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import words
from evalkit.result import ALL, Result
from evalkit.terms import Level, Sign, Step, Verdict

if TYPE_CHECKING:
    from evalkit.programme import Programme

GOOD, BAD = (Verdict.IMPROVED, Verdict.ROSE), (Verdict.WORSENED, Verdict.FELL)
RULE = (
    "Tested answers: clearly better is working, clearly worse is not working (97% interval), also before the agreed "
    "time; anything else is uncertain. Counts: by the rule printed with each; where no log was kept: not recorded."
)
AGREED = 0.5
"""An item of a session form that fewer than this share agree with is not working (a judgement)."""
QUIET = 2
"""Fewer disagreements brought into the open than this in a wave are asked about (a judgement: none is no good sign)."""
ASKS: dict[tuple[Level, Sign], str] = {
    (Level.INDIVIDUAL, Sign.WORKING): "What do people do otherwise now, and who else sees it?",
    (
        Level.INDIVIDUAL,
        Sign.NOT_WORKING,
    ): "Do people see themselves more clearly, or do they do less, and what is in the way?",
    (Level.INDIVIDUAL, Sign.UNCERTAIN): "Is it too early, or is something in the way?",
    (Level.TEAM, Sign.WORKING): "What is done together now that was not before?",
    (Level.TEAM, Sign.NOT_WORKING): "Do we see it more clearly, or has something come apart?",
    (Level.TEAM, Sign.UNCERTAIN): "Where do we see this differently from each other?",
    (Level.POPULATION, Sign.WORKING): "What else changed at the same time?",
    (Level.POPULATION, Sign.NOT_WORKING): "What else changed at the same time, and who looks into it before we meet?",
    (Level.POPULATION, Sign.UNCERTAIN): "What would we expect to move first, and do we count that?",
}
"""What is asked of a tested answer, by level and by how it looks."""
ABOUT = {
    Level.INDIVIDUAL: "leaders",
    Level.TEAM: "organisations together",
    Level.POPULATION: "people's lives",
    Level.PROCESS: "the work itself",
}
LOGS = {
    "actions": "what was decided and done",
    "compacts": "promises",
    "milestones": "milestones",
    "pdsa": "small tests of change",
    "wins": "small wins",
    "support_requests": "requests for help",
    "drivers": "what leaders' own organisations do to back it",
    "spread_events": "events for a wider group",
}
"""Logs worth an hour a month to a team, by table."""
TOPICS = {"pdsa": "Tests of change", "compacts": "Promises", "wins": "Small wins", "support": "Requests for help",
          "spread": "Events for a wider group", "drivers": "What organisations do to back it"}  # fmt: skip
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

    @property
    def short(self) -> str:
        """What stands beside its mark: so many of so many."""
        if self.n is None or self.out_of is None:
            return ""
        return words.of(self.n, self.out_of)


def of_answers(programme: Programme, answers: Iterable[Result], begins: date | None) -> list[Talk]:
    """One thing an answer, the most pressing; and what logs that are empty, or were never kept, give to ask."""
    found: list[Talk] = []
    for answer in answers:
        if "sign" in answer.table:
            found += _counted(answer)
        elif answer.kirkpatrick is Step.REACTION:
            found += _liked_least(answer)
        elif answer.level in ABOUT and answer.level is not Level.PROCESS:
            found += _tested(programme, answer)
    return [*found, *_silence(programme, begins), *_never_kept(programme)]


def _liked_least(answer: Result) -> Iterator[Talk]:
    """What was agreed with least of a session form, where fewer than `AGREED` did."""
    least = answer.table.loc[[*answer.parts[0].rows[-1:]]].to_dict("records")
    for row in least:
        if row["estimate"] < 100 * AGREED:
            agreed = round(row["estimate"] * row["answers"] / 100)
            ask = f"{words.of(agreed, row['answers'])} agreed: “{row['measure']}”. What would have to be otherwise?"
            yield Talk(
                answer.level, "Leaders: what was said after sessions", Sign.NOT_WORKING, ask, answer.about.asked,
                estimate=row["estimate"], n=row["n"], unit=row["unit"], n_of=row["n_of"],
            )  # fmt: skip


def _never_kept(programme: Programme) -> Iterator[Talk]:
    """Logs nobody keeps, in one: which of them is worth it is the question."""
    none = [name for table, name in LOGS.items() if not programme.has(table)]
    if none:
        ask = f"Never written down here: {words.listed(none)}. Which of these is worth an hour a month?"
        yield Talk(Level.PROCESS, "Logs nobody keeps", Sign.NOT_RECORDED, ask, "")


def _counted(answer: Result) -> Iterator[Talk]:
    """The most pressing row that its own question marked: not working before uncertain, before not recorded."""
    order = [Sign.NOT_WORKING, Sign.UNCERTAIN, Sign.NOT_RECORDED, Sign.WORKING]
    marked = answer.table[answer.table["sign"].isin([sign.value for sign in order])]
    rows = sorted(marked.to_dict("records"), key=lambda row: order.index(Sign(row["sign"])))
    for row in rows[:1]:
        kept = {name: row[name] for name in ("estimate", "low", "high", "interval", "unit", "n_of")}
        n, whole = row["n"], row.get("out_of", pd.NA)
        yield Talk(
            answer.level, f"{_topic(answer)}: {row['measure'][:1].lower()}{row['measure'][1:]}", Sign(row["sign"]),
            row["ask"], answer.about.asked, n=None if pd.isna(n) else int(n),
            out_of=None if pd.isna(whole) else int(whole), **kept,
        )  # fmt: skip


def _topic(answer: Result) -> str:
    """The name of the question, in words."""
    name = answer.about.asked.partition("(")[0].partition(".")[2]
    return TOPICS.get(name) or words.sentence_case(words.plain(name))


def _tested(programme: Programme, answer: Result) -> Iterator[Talk]:
    """What an answer with a verdict, or one that shows months standing out, gives to talk about."""
    if "stands_out" in answer.table:
        yield from _months(answer)
        return
    if answer.verdict is Verdict.DESCRIBED and answer.decided.low != answer.decided.low:
        return  # shown and not tested: nothing in it looks one way or the other
    sign = _sign(programme, answer)
    row = answer.table.iloc[0]
    out_of = {"out_of": int(row["out_of"])} if "out_of" in row and not pd.isna(row["out_of"]) else {}
    why = f" {answer.decided.why}" if sign is Sign.UNCERTAIN else ""
    yield Talk(
        answer.level, _named(answer, str(row["measure"])), sign, f"{answer.headline}.{why} {ASKS[answer.level, sign]}",
        answer.about.asked, estimate=float(row["estimate"]), low=float(row["low"]), high=float(row["high"]),
        interval=row["interval"], n=None if pd.isna(row["n"]) else int(row["n"]), unit=row["unit"], n_of=row["n_of"],
        **out_of,
    )  # fmt: skip


def _named(answer: Result, measure: str) -> str:
    """What an answer is about and, of leaders, who told it."""
    about = f"{words.sentence_case(ABOUT[answer.level])}: {measure[:1].lower()}{measure[1:]}"
    told = ", ".join(map(words.raters, answer.evidence.informants))
    return f"{about}, told by {told}" if answer.level is Level.INDIVIDUAL and told else about


def _sign(programme: Programme, answer: Result) -> Sign:
    """By `RULE`. An adverse change is said at any month, also where it is too early for a verdict."""
    if answer.verdict in GOOD:
        return Sign.WORKING
    if answer.verdict in BAD:
        return Sign.NOT_WORKING
    if answer.verdict is Verdict.TOO_EARLY and _adverse(programme, answer):
        return Sign.NOT_WORKING
    return Sign.UNCERTAIN


def _adverse(programme: Programme, answer: Result) -> bool:
    """Whether the whole interval lies on the worse side, for a measure whose better side is known."""
    row = answer.table.iloc[0]
    better = {one.label: one.better for one in programme.measures.values()}
    for one in programme.instruments.values():
        better |= dict.fromkeys(one.domain_labels.values(), one.better)
    none = 1.0 if str(row["unit"]).startswith("ratio") else 0.0
    if row["measure"] not in better:
        return False
    return answer.decided.high < none if better[row["measure"]] == "higher" else answer.decided.low > none


def _months(answer: Result) -> Iterator[Talk]:
    """Whether the last month is within what is usual."""
    months = answer.table[answer.table["what"] == "month"]
    last = months.iloc[-1]
    stands = str(last["stands_out"])
    ask = f"{answer.headline}. " + (
        "What happened then, and is it worth a closer look?" if stands else "Do the months before tell us anything?"
    )
    name = f"{_named(answer, str(last['measure']))}, month by month"
    yield Talk(
        answer.level, name, Sign.UNCERTAIN, ask, answer.about.asked, estimate=float(last["estimate"]),
        low=float(last["low"]), high=float(last["high"]), interval=last["interval"], n=int(last["n"]),
        unit=last["unit"], n_of="events",
    )  # fmt: skip


def _silence(programme: Programme, begins: date | None) -> Iterator[Talk]:
    """What a log that is kept, or not kept, of disagreements and of meetings gives to ask."""
    after = pd.Timestamp(begins or programme.starts_on or programme.as_of)
    month = "the start" if begins is None else words.day(begins)
    if not programme.has("conflicts"):
        yield Talk(
            Level.TEAM, "Disagreements brought into the open", Sign.NOT_RECORDED,
            "Nobody writes down where partners disagree. Do we disagree, and where is it heard?", "",
        )  # fmt: skip
    else:
        raised = int((programme.conflicts["raised_on"] > after).sum())
        ask = f"Since {month}, {words.counted(raised, 'disagreement')} came into the open. "
        if raised < QUIET:
            yield Talk(
                Level.TEAM, "Disagreements brought into the open", Sign.UNCERTAIN,
                f"{ask}Do we agree, or is something not said?", "", estimate=float(raised), n=raised,
                unit="disagreements", n_of="disagreements",
            )  # fmt: skip
    if not programme.has("meetings"):
        yield Talk(
            Level.TEAM, "Meetings across organisations", Sign.NOT_RECORDED,
            "Nobody writes down when partners meet. Do we meet often enough, and only when there is business?", "",
        )  # fmt: skip
    elif not (programme.meetings["held_on"] > after).any():
        yield Talk(
            Level.TEAM, "Meetings across organisations", Sign.UNCERTAIN,
            f"No meeting is on record since {month}. Did partners meet?", "", estimate=0.0, n=0, unit="meetings",
            n_of="meetings",
        )  # fmt: skip


def row_of(talk: Talk, meeting: str) -> dict[str, Any]:
    """A row of the table. Extras: n_of, out_of, level, sign, ask, meeting, asked."""
    return {
        "measure": talk.measure, "group": ALL, "estimate": talk.estimate, "low": talk.low, "high": talk.high,
        "interval": talk.interval, "n": talk.n, "unit": talk.unit, "n_of": talk.n_of, "out_of": talk.out_of,
        "about": ABOUT[talk.level], "sign": talk.sign.value, "ask": talk.ask, "meeting": meeting, "asked": talk.asked,
    }  # fmt: skip
