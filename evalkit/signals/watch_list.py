"""What should be watched when the evaluation is over, by whom, and until when?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import grade
from evalkit.measure import Measure
from evalkit.periods import DAYS_A_MONTH
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.terms import Attribution, Design, Level
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Plan, Programme
    from evalkit.reading.plan import Watch

QUESTION = "What should be watched when the evaluation is over?"
MOST_NAMED = 2
"""So many measures are named one by one in the reading; more stand in the table only."""
NOBODY, NOT_AGREED = "nobody named", "not agreed"
FIELDS = {"owner": "an owner", "data": "where its data are", "key_holder": "who holds the key",
          "delete_on": "when data are deleted"}  # fmt: skip
METHOD = Method(
    name="Measures that may be read only after the data end, with what was declared in [plan.watch]",
    source="Major shifts need tracking over the long term: AQuA, ten learning points; lags as declared in [plan].",
    assumes="The measure is counted in the same way until it is read.",
    design=Design.DESCRIBED,
)


@dataclass(frozen=True, slots=True)
class Watched:
    """One measure to be watched: from when it may be read, and what was declared about who looks after it."""

    of: Measure | Instrument
    lag: int | None
    watch: Watch
    begins: date | None

    @property
    def label(self) -> str:
        """What it is called."""
        return self.of.label if isinstance(self.of, Measure) else self.of.name

    @property
    def read_on(self) -> pd.Timestamp | None:
        """From when it may be read; None where nobody agreed it or the start is not known."""
        if self.lag is None or self.begins is None:
            return None
        return pd.Timestamp(self.begins) + pd.DateOffset(months=self.lag)

    @property
    def threshold(self) -> str:
        """The change that would count, in words."""
        worth = self.of.smallest_worthwhile_change
        if worth is None:
            return NOT_AGREED
        if isinstance(self.of, Measure):
            return words.in_every_100(worth)
        return f"{words.significant(worth)} points {self.of.better}"

    @property
    def missing(self) -> list[str]:
        """What nobody declared."""
        return [said for name, said in FIELDS.items() if not getattr(self.watch, name)]


def watch_list(programme: Programme, results: Iterable[Result] | None = None) -> Result:
    """What should be watched when the evaluation is over, by whom, and until when?

    Needs: a lag for a measure (`[plan] lag_months`, or the catalogue's) that ends after the data do, or
    `[plan.watch]`. For each measure: the day it may be read, the change that would count, who looks after it, where its
    data are, who holds the key that joins ids to people, and when the data are deleted; what nobody declared is named.
    `results` keep it to the measures they are about. Errors: `NotEnoughEvidence` where there is nothing to watch.

    >>> import evalkit as ek
    >>> watch_list(ek.load("sample_data/northmere")).table["owner"].tolist()
    ['The public health team of Northmere (fictional)']
    """
    found = _watched(programme, None if results is None else list(results))
    if not found:
        which = "" if results is None else "Of what these answers are about: "
        none = "no measure is declared that may be read only after the data end, and none is to be watched."
        raise NotEnoughEvidence(
            QUESTION,
            missing=words.sentence_case(f"{which}{none}"),
            would_answer="[plan.lag_months] and [plan.watch] in programme.toml.",
        )
    table = _table(found)
    headline = Sentence(f"{words.counted(len(found), 'measure')} to be watched after {words.day(programme.as_of)}")
    return Result.of(
        question=QUESTION,
        level=Level.NEXT,
        kirkpatrick=None,
        headline=headline,
        sentences=_sentences(programme, found),
        decided=described("A list for a hand-over; nothing is tested."),
        attribution=Attribution.CANNOT_TELL,
        table=table,
        marks=_marks(programme, found, headline.text),
        chart=charts.named("timeline"),
        method=METHOD,
        evidence=grade(Design.DESCRIBED),
        cautions=_cautions(programme, found),
        about=circumstances.about(programme, "signals.watch_list()", n=None, of=None, counts="measures"),
    )


def _watched(programme: Programme, results: Iterable[Result] | None) -> list[Watched]:
    """What may be read only after the data end, and whatever else was declared to be watched; by name."""
    from evalkit.reading.plan import Watch

    plan, end = programme.plan, pd.Timestamp(programme.as_of)
    kept = None if results is None else set().union(*map(_about, results))
    found = []
    known: dict[str, Measure | Instrument] = {**programme.measures, **programme.instruments}
    for name, one in known.items():
        lag = one.expected_lag_months if isinstance(one, Measure) else plan.lag_months.get(name)
        watched = Watched(one, lag, plan.watch.get(name, Watch()), programme.starts_on)
        used = name in _used(programme, plan)
        later = used and watched.read_on is not None and watched.read_on > end
        if (name in plan.watch or later) and (kept is None or {name, watched.label} & kept):
            found.append(watched)
    return sorted(found, key=lambda watched: watched.label)


def _about(answer: Result) -> set[str]:
    """What an answer is about: the measures of its rows, and the one or the questionnaire it was asked about."""
    asked = re.findall(r"\b(?:on|measure)='([^']+)'", answer.about.asked)
    return {*map(str, answer.table["measure"]), *asked}


def _used(programme: Programme, plan: Plan) -> set[str]:
    """Measures and questionnaires of this programme: declared in its plan, or with figures or answers."""
    planned = {name.partition("/")[0] for name in plan.primary.values()} | set(plan.lag_months) | set(plan.waves)
    return planned | set(programme.outcomes["measure"]) | set(programme.responses["instrument"])


def _table(found: list[Watched]) -> pd.DataFrame:
    """A row a measure; `estimate` is the change that would count, in the unit. Extras: n_of, read_on, threshold, owner,
    data, key_holder, delete_on."""
    rows: list[dict[str, Any]] = [
        {"measure": one.label, "group": ALL,
         "estimate": float("nan") if one.of.smallest_worthwhile_change is None else one.of.smallest_worthwhile_change,
         "low": float("nan"), "high": float("nan"), "interval": "none given", "n": pd.NA,
         "unit": "ratio, 1 is no change" if isinstance(one.of, Measure) else "points", "n_of": "measures",
         "read_on": one.read_on, "threshold": one.threshold, "owner": one.watch.owner or NOBODY,
         "data": one.watch.data or NOT_AGREED, "key_holder": one.watch.key_holder or NOBODY,
         "delete_on": one.watch.delete_on}
        for one in found
    ]  # fmt: skip
    table = pd.DataFrame(rows).astype({"n": "Int64"})
    return table.assign(read_on=pd.to_datetime(table["read_on"]), delete_on=pd.to_datetime(table["delete_on"]))


def _sentences(programme: Programme, found: list[Watched]) -> list[Sentence]:
    days = [(one.label, one.watch.delete_on) for one in found]
    past = [f"{label} ({words.day(day)})" for label, day in days if day is not None and day < programme.as_of]
    named = 1 if past and len(found) > MOST_NAMED else MOST_NAMED  # never more than four sentences
    said = [
        Sentence(
            f"{one.label}: {_when(one)}; what would count: {one.threshold}; looked after by: "
            f"{one.watch.owner or NOBODY}{_kept(one.watch)}.",
            rows=(at,),
        )
        for at, one in enumerate(found[:named])
    ]
    if len(found) > len(said):
        said.append(
            Sentence(f"{words.sentence_case(words.counted(len(found) - len(said), 'more measure'))} in the table.")
        )
    if past:
        said.append(Sentence(f"Data were to be deleted by now: {words.listed(past)}."))
    if gaps := _gaps(found):
        said.append(Sentence(f"Not declared yet: {gaps}."))
    return said


def _gaps(found: list[Watched]) -> str:
    """What nobody declared: measure by measure where they are few, else for how many of them; the table says which."""
    lacking = [one for one in found if one.missing]
    if len(found) <= MOST_NAMED:
        return "; ".join(f"{one.label} ({words.listed(one.missing)})" for one in lacking)
    counts = {said: sum(said in one.missing for one in lacking) for said in FIELDS.values()}
    return words.listed([f"{said} (of {words.of(n, len(found))} measures)" for said, n in counts.items() if n])


def _kept(watch: Watch) -> str:
    """Where the data are, who holds the key and when they are deleted, as far as it was declared."""
    said = {"data": watch.data.rstrip("."), "key": watch.key_holder.rstrip(".")}
    said["data deleted"] = words.day(watch.delete_on) if watch.delete_on else ""
    return "".join(f"; {what}: {told}" for what, told in said.items() if told)


def _when(one: Watched) -> str:
    if one.read_on is not None:
        return f"to be read from {words.month(one.read_on)}"
    if one.lag is None:
        return "nobody agreed when it may be read"
    return f"to be read {words.counted(one.lag, 'month')} after the start, whose day is not recorded"


def _marks(programme: Programme, found: list[Watched], headline: str) -> pd.DataFrame:
    drawn: list[dict[str, Any]] = [{"mark": "state", "x": state} for state in ("to be read", "data deleted")]
    for at, one in enumerate(found):
        days = {"to be read": one.read_on, "data deleted": one.watch.delete_on}
        drawn += [
            {"mark": "point", "series": one.label, "x": state, "y": _month(programme, day),
             "row": at}
            for state, day in days.items() if day is not None and programme.starts_on is not None
        ]  # fmt: skip
    if programme.starts_on is not None:
        drawn.append({"mark": "event", "y": _month(programme, programme.as_of), "label": "data end"})
    subtitle = f"When each may be read, {programme.title}"
    return charts.marks(drawn, headline=headline, subtitle=subtitle, x_axis="months from the start")


def _month(programme: Programme, day: Any) -> float:
    return float((pd.Timestamp(day) - pd.Timestamp(programme.starts_on or day)).days / DAYS_A_MONTH)


def _cautions(programme: Programme, found: list[Watched]) -> list[Sentence]:
    said = ["Reading a measure before its day, or counting it otherwise, makes it worth little."]
    unverified = [one.label for one in found if isinstance(one.of, Measure) and not one.of.expected_lag_verified]
    if unverified:
        said.append(f"How long a change may take is agreed, not verified: {words.listed(unverified)}.")
    kept = f": {programme.settings.retention}" if programme.settings.retention else ", which is not recorded."
    said.append(f"How long the data as a whole are kept{kept}")
    return [Sentence(text) for text in said]
