"""What have people put to use at work, some months on?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.disclosure import KEEPS, TELLS
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.individual.afterwards import CAME, Afterwards, afterwards, apart
from evalkit.individual.small_classes import answers_withheld, behind
from evalkit.individual.talked_about import IN_USE, in_use_by, talked_about
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.stats import rates
from evalkit.stats.student import share
from evalkit.terms import Design, Level, Step
from evalkit.verdict import LEAST_PAIRS, described

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme

QUESTION = "What have people put to use at work, some months on?"
METHOD = Method(
    name="Answers counted by what became of each behaviour; the share in use of those who could say, with Wilson's "
    "interval",
    source="Kirkpatrick's third step, critical behaviours and required drivers (New World Kirkpatrick Model); Wilson "
    "1927, JASP 22, 209-212. Answers by one person, or of one leader, are taken to be all alike and count as fewer: "
    "Kish 1965, Survey Sampling.",
    assumes="Those who answered are like those who did not; an answer says what is done, not what is meant.",
    design=Design.DESCRIBED,
)
BECAME = ("stopped", "not yet", "tried", "used", "embedded")
"""What may have become of a behaviour, as it is drawn: stopped is no step between the others."""
RATERS = ("self", "sponsor", "line_manager", "peer", "partner")
ANSWERED = "Answered in the time asked about"
SIGN_RULE = (
    "Sign: the behaviour in use by fewest, by fewer than half of those who could say: not working; by all: working; "
    "else uncertain; the one stopped most often: uncertain. This is a judgement."
)
NO_BEFORE = "Nothing was asked before the sessions, so there is no change to test."


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What was asked of whom: the form, the answers some months after, and who gave any, those who lead first."""

    programme: Programme
    instrument: Instrument
    told: Afterwards
    raters: list[str]
    confidence: float

    @property
    def options(self) -> dict[str, float]:
        """The answers of the form and their codes, in the order of its scale; those never scored last."""
        return self.instrument.scale.codes

    @property
    def lead(self) -> str:
        """Who is asked first: leaders themselves, where they answered."""
        return self.raters[0]


def behaviour(
    programme: Programme,
    *,
    on: str = "putting_to_use",
    raters: tuple[str, ...] = RATERS,
    months: tuple[int, int] = (3, 6),
    confidence: float = 0.95,
) -> Result:
    """What have people put to use at work, some months on?

    Needs: `responses` about persons on a form (`on`) whose answers are not yet, tried, used, embedded and stopped;
    `attendance` and `sessions` say how long after. Within `months` (both ends included) of the last session the leader
    came to before answering; where none is recorded, of the last one held, else of the start. Sooner or later answers
    are counted and left out; of several by one person about one leader the latest counts. Every behaviour stands by
    itself, by who says so; "cannot say" is counted and left out of the shares. What would mislead: people say so of
    themselves, others see only some of it, and nothing was asked before.
    Columns: n_of (n: leaders of whom somebody could say), by (who says so), raters (people who could say), answers
    (what the share is of), a column an answer, tells and keeps (how few people the row, and which of its columns, would
    tell: they are withheld), out_of, sign, ask. Where people answered on an earlier day too, the rows "who had tried
    it" say what became of it. Errors: `NotEnoughEvidence` without such a form, or with no
    answer within the time (it says when they were given); ValueError for raters or months there cannot be.

    >>> import evalkit as ek
    >>> behaviour(ek.load("sample_data/northmere")).headline[:67]
    'In use by most: “Testing a change on a small scale before spreading'
    """
    share(confidence)
    asked = _asked(programme, on, raters, months, confidence)
    table = _table(asked)
    evidence = grade(Design.DESCRIBED, informants=tuple(asked.raters))
    decided = described(NO_BEFORE)
    headline = _headline(asked, table)
    settings = f"on={on!r}, raters={raters!r}, months={months!r}, confidence={confidence}"
    return Result.of(
        question=QUESTION,
        level=Level.INDIVIDUAL,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(asked, table),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(asked, table, headline.text),
        chart=charts.named("shares"),
        method=METHOD,
        evidence=evidence,
        cautions=_cautions(asked, table),
        about=circumstances.about(
            programme,
            f"individual.behaviour({settings})",
            n=asked.told.answers["subject_id"].nunique(),
            of=len(circumstances.taking_part(programme)) or None,
            counts="leaders",
        ),
        details=asked.told,
    )


def _asked(
    programme: Programme, on: str, raters: tuple[str, ...], months: tuple[int, int], confidence: float
) -> _Asked:
    instrument = circumstances.instrument(programme, on)
    if not set(BECAME) <= set(instrument.scale.codes):
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"The {instrument.name} does not ask what became of a behaviour; its answers are "
            f"{instrument.scale.choices}.",
            would_answer="evalkit's form putting_to_use, or your own that adapts it, with the answers not yet, tried, "
            "used, embedded and stopped.",
        )
    two = isinstance(months, tuple | list) and len(months) == 2
    if not two or not 0 <= months[0] < months[1] or any(int(number) != number for number in months):
        raise ValueError(f"months={months!r} must give whole months, the fewer months first, such as (3, 6).")
    answered = programme.responses.loc[programme.responses["instrument"] == on, "rater"]
    known = sorted({*RATERS, *instrument.raters, *answered})
    unknown = [rater for rater in raters if rater not in known]
    if unknown or not raters:
        raise ValueError(f"raters={raters!r} must name who says so, among: {words.listed(known)}.")
    told = afterwards(programme, instrument, raters, months)
    if told.answers.empty:
        raise told.nothing_of(instrument, QUESTION)
    there = [rater for rater in dict.fromkeys(raters) if len(told.of(rater))]
    return _Asked(programme, instrument, told, there, confidence)


def _table(asked: _Asked) -> pd.DataFrame:
    """By who says so: how many answered, a row a behaviour, and what became of what they had tried before."""
    rows: list[dict[str, Any]] = []
    for rater in asked.raters:
        rows.append(_answered(asked, rater))
        rows += [_row(asked, rater, item.key) for item in asked.instrument.items]
        rows += [row for item in asked.instrument.items if (row := _tried(asked, rater, item.key))]
    counts = ["raters", "answers", *asked.options, TELLS]
    extras = ("by", *counts, KEEPS)
    table = register.table([_whole(row, extras) for row in talked_about(asked.lead, rows)], extras=extras)
    return table.astype(dict.fromkeys(counts, "Int64"))


def _whole(row: dict[str, Any], extras: tuple[str, ...]) -> dict[str, Any]:
    return {**dict.fromkeys((*extras, "out_of", "sign", "ask")), KEEPS: "", **row}


def _answered(asked: _Asked, rater: str) -> dict[str, Any]:
    """How many leaders somebody of this kind spoke of, of those who take part."""
    own = asked.told.of(rater)
    taking_part = set(circumstances.taking_part(asked.programme)["participant_id"])
    leaders = set(own["subject_id"])
    counted: dict[str, Any] = {"by": rater, "raters": own["respondent_id"].nunique()}
    if not leaders <= taking_part:
        return register.row(ANSWERED, ALL, n=len(leaders), unit="leaders", n_of="leaders", **counted)
    of = "leaders taking part"
    return register.share(ANSWERED, ALL, len(leaders), len(taking_part), of=of, n_of="leaders", **counted)


def _row(asked: _Asked, rater: str, item: str) -> dict[str, Any]:
    """One behaviour as this kind of rater sees it."""
    own = asked.told.of(rater)
    return _counted(asked, rater, item, own[own["item"] == item], words.raters(rater))


def _tried(asked: _Asked, rater: str, item: str) -> dict[str, Any]:
    """What became of a behaviour of which this person said before that it had been tried; nothing where nobody did."""
    own = asked.told.of(rater)
    own = own[own["item"] == item]
    tried = own[own["before"] == asked.options["tried"]]
    if tried.empty:
        return {}
    row = _counted(asked, rater, item, tried, f"{words.raters(rater)}, who had tried it")
    whole = _counted(asked, rater, item, own, "")
    rest = own["subject_id"].nunique() - tried["subject_id"].nunique()  # told by those who had, beside everybody
    others = {word: whole[word] - row[word] for word in (*asked.options, "answers")}
    few = _withheld(asked, others)
    told = min((each for each in (row[TELLS], few[TELLS], rest) if each), default=None)
    kept = "; ".join(filter(None, (row[KEEPS], few[KEEPS])))
    return {**row, "by": f"{rater}, tried before", TELLS: told, KEEPS: kept}


def _counted(asked: _Asked, rater: str, item: str, own: pd.DataFrame, group: str) -> dict[str, Any]:
    """The row of these answers to one item; without interval where they count as fewer than five."""
    text = next(each.text for each in asked.instrument.items if each.key == item)
    became = own["answer"].map({code: word for word, code in asked.options.items()})
    said = own[own["answer"] >= asked.instrument.scale.low]
    in_use, answers = int(became.isin(IN_USE).sum()), len(said)
    each = {word: int((became == word).sum()) for word in asked.options}
    row = register.row(
        text, group, n=said["subject_id"].nunique(), unit="% in use, of those who could say", n_of="leaders", by=rater,
        estimate=100 * in_use / answers if answers else float("nan"), raters=said["respondent_id"].nunique(),
        answers=answers, **each, **_withheld(asked, {**each, "answers": answers}),
    )  # fmt: skip
    alone = apart(said)
    if alone < LEAST_PAIRS:
        return row
    share = rates.wilson(in_use / answers * alone, alone, confidence=asked.confidence)
    return {**row, "low": 100 * share.low, "high": 100 * share.high, "interval": f"{asked.confidence:.0%} confidence"}


def _withheld(asked: _Asked, counts: Mapping[str, int]) -> dict[str, Any]:
    """How few people the share in use would tell; else the answers that few gave, beside those that hide them."""
    unscored = {word.lower() for word in asked.instrument.scale.unscored}
    aside = {word: counts[word] for word in asked.options if word.lower() in unscored}
    sides = [{word: counts[word] for word in asked.options if word not in aside and (word in IN_USE) == used}
             for used in (True, False)]  # fmt: skip
    return answers_withheld(sides, counts["answers"], asked.programme.minimum_group, aside=aside)


def _rows(table: pd.DataFrame, by: str) -> dict[int, dict[Any, Any]]:
    """The rows of behaviours by who says so, of which anybody could say anything."""
    own = table[(table["by"] == by) & (table["measure"] != ANSWERED) & (table["answers"] > 0)]
    return {int(str(at)): row for at, row in own.to_dict("index").items()}


def _ends(own: Mapping[int, Mapping[Any, Any]], *became: str) -> tuple[int, int]:
    """The rows with the largest and the smallest share of these answers; of equals, the earlier in the form."""
    share = {at: sum(row[word] for word in became) / row["answers"] for at, row in own.items()}
    return max(own, key=lambda at: share[at]), min(own, key=lambda at: share[at])


def _headline(asked: _Asked, table: pd.DataFrame) -> Sentence:
    own = _rows(table, asked.lead)
    who = f"{words.raters(asked.lead)} who could say"
    if not own:
        return Sentence(
            f"None of the {words.raters(asked.lead)} could say what became of it",
            rows=tuple(table.index[table["by"] == asked.lead]),
        )
    most, least = _ends(own, *IN_USE)
    if own[most]["estimate"] == own[least]["estimate"]:
        text = f"Every behaviour is in use alike: {_of(own[most])} {who}"
    else:
        text = f"In use by most: {_told(own[most])} {who}); by fewest: {_told(own[least])})"
    return Sentence(text, rows=tuple(own) if most == least else (most, least))


def _of(row: Mapping[Any, Any]) -> str:
    return words.of(in_use_by(row), row["answers"])


def _told(row: Mapping[Any, Any]) -> str:
    return f"“{row['measure']}” ({_of(row)}"


def _sentences(asked: _Asked, table: pd.DataFrame) -> list[Sentence]:
    """Who said it; what is in use most and least; what was stopped and not begun; what became of what was tried."""
    own = _rows(table, asked.lead)
    if not own:
        return [_who(asked, table)]
    return [_who(asked, table), _used(asked, table, own), _not_used(own), *_moved_on(asked, table)]


def _who(asked: _Asked, table: pd.DataFrame) -> Sentence:
    """How many leaders spoke of themselves, and how many others of how many leaders."""
    rows = table[table["measure"] == ANSWERED]
    said = []
    for row in rows.to_dict("records"):
        whole = row["out_of"]
        leaders = words.counted(row["n"], "leader") if pd.isna(whole) else f"{words.of(row['n'], whole)} leaders"
        others = words.counted(row["raters"], words.plain(row["by"]), words.raters(row["by"]))
        said.append(leaders if row["by"] == "self" else f"{others}, of {words.counted(row['n'], 'leader')}")
    items = words.counted(len(asked.instrument.items), "behaviour")
    text = f"What became of {items}, {asked.told.span} after the last session, was said by {'; and by '.join(said)}."
    return Sentence(text, rows=tuple(rows.index))


def _used(asked: _Asked, table: pd.DataFrame, own: Mapping[int, Mapping[Any, Any]]) -> Sentence:
    """What is in use by most and by fewest, with how others see the same."""
    most, least = _ends(own, *IN_USE)
    said, rows = [], []
    for at, how in ((most, "In use (used or embedded) by most"), (least, "By fewest")):
        row = own[at]
        sure = (
            []
            if pd.isna(row["low"])
            else [f"{asked.confidence:.0%} interval {words.span(row['low'], row['high'], 0)}%"]
        )
        others = {there: seen for rater in asked.raters[1:] for there, seen in _rows(table, rater).items()
                  if seen["measure"] == row["measure"] and pd.isna(seen[TELLS])}  # fmt: skip
        sure += [f"{seen['group']}: {_of(seen)}" for seen in others.values()]
        aside = f" ({'; '.join(sure)})" if sure else ""
        said.append(f"{how}: “{row['measure']}”, {_of(row)} {words.raters(asked.lead)} who could say{aside}.")
        rows += [at, *others]
    return Sentence(" ".join(dict.fromkeys(said)), rows=tuple(dict.fromkeys(rows)))


def _not_used(own: Mapping[int, Mapping[Any, Any]]) -> Sentence:
    """What was stopped, and what was not begun, most often."""
    said, rows = [], []
    for word, how in (("stopped", "Stopped"), ("not yet", "Not yet begun")):
        most, _ = _ends(own, word)
        row = own[most]
        often = f"{how} most often: “{row['measure']}” ({words.of(row[word], row['answers'])})."
        said.append(often if row[word] else f"{how}: nothing.")
        rows += [most] if row[word] else [*own]
    return Sentence(" ".join(said), rows=tuple(dict.fromkeys(rows)), cells=("stopped", "not yet"))


def _moved_on(asked: _Asked, table: pd.DataFrame) -> list[Sentence]:
    """What became of the behaviour that most had said before that they had tried."""
    tried = _rows(table, f"{asked.lead}, tried before")
    if not tried:
        return []
    at = max(tried, key=lambda row: tried[row]["answers"])
    row = tried[at]
    became = words.listed([f"{word} {row[word]}" for word in reversed(BECAME) if row[word]])
    who = f"{row['answers']} {words.raters(asked.lead)} had tried “{row['measure']}” when asked before"
    return [Sentence(f"{who}; now: {became}.", rows=(at,), cells=BECAME)]


def _marks(asked: _Asked, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A bar a behaviour as those who lead say it, a piece an answer; who cannot say is left out."""
    aside = {word.lower() for word in asked.instrument.scale.unscored}
    order = [*(word for word in asked.options if word not in {*BECAME, *aside}), *BECAME]
    own = _rows(table, asked.lead)
    rows = [
        {"mark": "share", "series": words.sentence_case(word), "x": row["measure"], "row": at,
         "n": behind(word, row[KEEPS], int(row["n"]), asked.programme.minimum_group),
         "y": 100 * row[word] / row["answers"], "label": str(row[word])}
        for word in order
        for at, row in own.items()
    ]  # fmt: skip
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"{asked.instrument.name} after {asked.told.span}, by {words.raters(asked.lead)}, "
        f"{asked.programme.title}",
        x_axis="%, and numbers, of those who could say",
    )


def _cautions(asked: _Asked, table: pd.DataFrame) -> list[Sentence]:
    said = [Sentence("Nothing was asked before the sessions: what is in use need not be new.")]
    if asked.lead == "self":
        said.append(Sentence("Leaders speak of themselves, and those who put little to use may not have answered."))
    if asked.told.left_out:
        said.append(Sentence(f"Left out, for months={asked.told.months}: {asked.told.left_out}."))
    said += _could_not_say(asked, table)
    since = asked.told.forms[asked.told.forms["within"] & (asked.told.forms["since"] != CAME)]
    if len(since):
        what = words.listed(sorted(since["since"].unique()))
        forms = asked.told.forms_of(len(since))
        said.append(Sentence(f"No session is recorded for some leaders: for {forms} months run from {what}."))
    if asked.told.alike:
        said.append(Sentence("Answers by one person, or of one leader, count as one in the intervals, or little more."))
    said.append(Sentence("Whether their own organisations back it is a question of its own: process.drivers."))
    if not asked.instrument.validated:
        said.append(Sentence("No study shows how well this form measures what people do."))
    return [*said, Sentence(SIGN_RULE)]


def _could_not_say(asked: _Asked, table: pd.DataFrame) -> list[Sentence]:
    """How many answers were of those that are never scored, by who gave them."""
    aside = [word.lower() for word in asked.instrument.scale.unscored]
    parts, rows = [], []
    for rater in asked.raters:
        own = table[(table["by"] == rater) & (table["measure"] != ANSWERED)]
        could_not = int(own[aside].sum().sum())
        if could_not:
            whole = could_not + int(own["answers"].sum())
            parts.append(f"{words.of(could_not, whole)} answers by {words.raters(rater)}")
            rows += [int(at) for at in own.index]
    what = words.listed([f"“{word}”" for word in asked.instrument.scale.unscored])
    text = f"Left out of the shares as {what}: {words.listed(parts)}."
    return [Sentence(text, rows=tuple(rows), cells=tuple(aside))] if parts else []
