"""Do the questions hang together enough to be added up?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import KEEPS
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.individual import ratings
from evalkit.individual.compared import scored, usual
from evalkit.individual.own_reliability import FEW, LEAST, STRATIFIED, own_reliability, worth
from evalkit.individual.small_classes import fewest
from evalkit.result import FIRST, Method, Result, Sentence
from evalkit.stats.student import share
from evalkit.terms import Design, Level
from evalkit.verdict import LEAST_PAIRS, described

if TYPE_CHECKING:
    from evalkit.individual.own_reliability import OwnReliability
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme

QUESTION = "Do the questions hang together enough to be added up?"
METHOD = Method(
    name="Cronbach's alpha with Feldt's interval, and McDonald's omega, of each domain; stratified alpha with a "
    "jackknife interval of the whole",
    source="Cronbach 1951, Psychometrika 16(3), 297-334; Feldt, Woodruff and Salih 1987, Applied Psychological "
    "Measurement 11(1), 93-103; McDonald 1999, Test Theory, ch. 6; Cronbach, Schönemann and McKie 1965, Educational "
    "and Psychological Measurement 25(2), 291-312.",
    assumes="Errors of different questions are unrelated; leaders are independent of each other; those who answered "
    "every question are like those who left some out.",
    design=Design.DESCRIBED,
)
CROWDED = 0.5
"""Above this share of answers at one end of the scale Feldt's interval is too narrow (`stats.reliability.alpha`)."""
NAMED = 3
"""So many questions are quoted in a sentence; the table has all."""
EXTRAS = ("n_of", "wave", "raters", "items", "n_incomplete", "omega", "against", "alike", "why_not", KEEPS)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One sitting of the form: when, under which wave (None where at none), by how many people, and what they said."""

    when: str
    wave: int | None
    raters: int
    answers: pd.DataFrame
    found: tuple[OwnReliability, ...]


@dataclass(frozen=True, slots=True)
class _Form:
    """A form and every time it was answered."""

    programme: Programme
    instrument: Instrument
    rater: str
    times: tuple[_Asked, ...]

    @property
    def leaders(self) -> int:
        """Leaders of whom anything was answered at any time."""
        return len({leader for time in self.times for leader in time.answers.dropna(how="all").index})


def reliability(
    programme: Programme, *, on: str | None = None, rater: str = "self", confidence: float = 0.95
) -> Result:
    """Do the questions hang together enough to be added up?

    Needs: `responses` about persons on the instrument `on`, at one wave or more. Alpha says how reliable the sum of
    some questions is among these people: the same form among others, who differ more or less, has another. It is no
    proof that the questions measure one thing, and it rises with their number. Only leaders with an answer to every
    question count; several forms about one leader are averaged first, as their scores are. A whole of several domains
    has the stratified alpha. Columns: n_of; wave; raters (people who answered); items (questions); n_incomplete
    (leaders with some questions left out); omega (blank where one factor cannot be told, and of a whole); against
    (questions that run against the others of their domain); alike (those with one answer from everybody); why_not (why
    there is no alpha); keeps (columns of the row that would tell a few people: they are withheld). Errors:
    `NotEnoughEvidence` where nobody answered, or no domain has an alpha; ValueError for an instrument there is not.

    >>> import evalkit as ek
    >>> reliability(ek.load("sample_data/northmere")).table["measure"].iloc[0]
    'Individual Effectiveness'
    """
    share(confidence)
    form = _form(programme, scored(programme, usual(programme, on), QUESTION), rater, confidence)
    table = _table(form, confidence)
    if table["estimate"].isna().all():
        raise _refused(table)
    evidence = grade(Design.DESCRIBED, informants=(rater,))
    decided = described("A property of the form among these people, not a change in them.")
    headline = _headline(table)
    return Result.of(
        question=QUESTION,
        level=Level.INDIVIDUAL,
        kirkpatrick=None,
        headline=headline,
        sentences=_sentences(form, table),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(form, table, headline.text),
        chart=charts.named("dots"),
        method=METHOD,
        evidence=evidence,
        cautions=_cautions(form, table),
        about=circumstances.about(
            programme,
            f"individual.reliability(on={form.instrument.id!r}, rater={rater!r})",
            n=form.leaders,
            of=len(circumstances.taking_part(programme)) or None,
            counts="leaders",
        ),
        details=[time.found for time in form.times],
    )


def _refused(table: pd.DataFrame) -> NotEnoughEvidence:
    """Why there is no alpha at all: each reason once, with the domains it holds for."""
    why = [
        f"{words.listed(list(dict.fromkeys(rows['measure'])))}: {reason}"
        for reason, rows in table.groupby("why_not", sort=False)
    ]
    return NotEnoughEvidence(
        QUESTION,
        missing=" ".join(why),
        would_answer="a form with two questions or more in a domain, answered by some ten leaders or more who do not "
        "all give the same answers.",
    )


def _form(programme: Programme, instrument: Instrument, rater: str, confidence: float) -> _Form:
    """The answers of each wave, in order; those at no wave last."""
    given = ratings.answers(programme, instrument, rater)
    given = given[instrument.scale.scored(given["answer"]).notna()]
    if given.empty:
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"{words.sentence_case(words.raters(rater))} gave no answers on the {instrument.name}.",
            would_answer="their answers at one wave at least, in responses.csv.",
        )
    times = []
    for wave in [*sorted(given["wave"].dropna().unique()), None]:
        own = given[given["wave"].isna() if wave is None else given["wave"] == wave]
        if own.empty:
            continue
        answers = worth(instrument, own)
        found = tuple(own_reliability(instrument, key, answers, confidence=confidence)
                      for key in instrument.domain_labels)  # fmt: skip
        when = "at no wave" if wave is None else circumstances.when(programme, int(wave))
        times.append(_Asked(when, None if wave is None else int(wave), own["respondent_id"].nunique(), answers, found))
    return _Form(programme, instrument, rater, tuple(times))


def _table(form: _Form, confidence: float) -> pd.DataFrame:
    """A row a domain and wave, domain by domain; the overall score last where there is one."""
    rows: list[dict[str, Any]] = []
    for place in range(len(form.instrument.domain_labels)):
        for time in form.times:
            one = time.found[place]
            rows.append(
                {"measure": one.label, "group": time.when, "estimate": one.estimate, "low": one.low, "high": one.high,
                 "interval": "none given" if one.low != one.low else f"{confidence:.0%} confidence",
                 "n": one.n, "unit": f"{one.kind}, at most 1", "n_of": "leaders", "wave": time.wave,
                 "raters": time.raters, "items": one.items, "n_incomplete": one.n_some, "omega": one.omega,
                 "against": "; ".join(one.against), "alike": "; ".join(one.alike), "why_not": one.why_not,
                 KEEPS: "n_incomplete; why_not" if fewest([one.n_some], form.programme.minimum_group) else ""}
            )  # fmt: skip
    whole = dict.fromkeys(("n", "wave", "raters", "items", "n_incomplete"), "Int64")
    return pd.DataFrame(rows, columns=[*FIRST, *EXTRAS]).astype(whole)


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """The domains with an alpha; the whole only where no domain has one."""
    told = table[table["estimate"].notna()]
    domains = told[~told["unit"].str.startswith(STRATIFIED)]
    return told if domains.empty else domains


def _headline(table: pd.DataFrame) -> Sentence:
    shown = _shown(table)
    least, most = (_at(shown, shown["estimate"] == end) for end in (shown["estimate"].min(), shown["estimate"].max()))
    if least == most:
        return Sentence(f"Alpha (at most 1) is {_told(table, least)}", rows=(least,))
    return Sentence(
        f"Alpha (at most 1) lies between {_told(table, least)} and {_told(table, most)}", rows=(least, most)
    )


def _at(table: pd.DataFrame, where: pd.Series[bool]) -> int:
    """The first row of which this is so."""
    return int(table.index[where.to_numpy()][0])


def _told(table: pd.DataFrame, row: int) -> str:
    """A row as a headline says it."""
    held = table.iloc[row].to_dict()
    who = words.counted(held["n"], "leader")
    return f"{words.number(held['estimate'])} ({held['measure']}, {held['group']}, {who})"


def _sentences(form: _Form, table: pd.DataFrame) -> list[Sentence]:
    """How many domains hang together well enough, the widest interval, the whole, and what runs against the rest."""
    shown = _shown(table)
    weak = shown[shown["estimate"] < LEAST]
    when = words.listed([time.when for time in form.times])
    said = [
        Sentence(
            f"{words.sentence_case(words.raters(form.rater))} answered the {form.instrument.name} ({when}). "
            f"{_enough(shown, weak)}",
            rows=tuple(shown.index),
        )
    ]
    wide = shown["high"] - shown["low"]
    if wide.notna().any():
        row = _at(shown, wide == wide.max())
        held = table.iloc[row].to_dict()
        said.append(
            Sentence(
                f"Least sure is {held['measure']} in {held['group']}: {words.number(held['estimate'])} "
                f"({words.between(held['low'], held['high'], 2)}, {held['interval'].split()[0]} interval).",
                rows=(row,),
            )
        )
    return [*said, *_of_the_whole(table, shown), *_against(form, table)]


def _enough(shown: pd.DataFrame, weak: pd.DataFrame) -> str:
    """How many domains, each wave counted, reach the line."""
    many = len(shown)
    if weak.empty:
        each = "In every domain at every wave" if many > 1 else "There"
        return f"{each} alpha is {LEAST:.2f} or more: enough to add the questions up."
    named = words.listed(list(dict.fromkeys(weak["measure"])))
    return (
        f"Alpha is below {LEAST:.2f} for {named}: too low to tell one leader's change."
        if many == len(weak)
        else f"Alpha is below {LEAST:.2f} in {words.of(len(weak), many)} figures, those of {named}."
    )


def _of_the_whole(table: pd.DataFrame, shown: pd.DataFrame) -> list[Sentence]:
    """The overall score, at the last wave it can be told of."""
    whole = table[table["unit"].str.startswith(STRATIFIED) & table["estimate"].notna()].drop(
        shown.index, errors="ignore"
    )
    if whole.empty:
        return []
    row, held = int(whole.index[-1]), whole.iloc[-1]
    sure = "" if held["low"] != held["low"] else f" ({words.between(held['low'], held['high'], 2)})"
    text = f"The reliability of the overall score was {words.number(held['estimate'])}{sure} in {held['group']}."
    return [Sentence(text, rows=(row,))]


def _against(form: _Form, table: pd.DataFrame) -> list[Sentence]:
    """The questions that run against the others, where there are any: perhaps still to be turned round."""
    named = list(dict.fromkeys(text for time in form.times for one in time.found for text in one.against))
    if not named:
        return []
    rest = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
    quoted = "; ".join(f"“{text}”" for text in named[:NAMED])
    rows = tuple(table.index[table["against"] != ""])
    return [Sentence(f"Running against the others, and perhaps to be turned round: {quoted}{rest}.", rows=rows)]


def _marks(form: _Form, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A dot a domain at the first and the last wave; the table has the others too."""
    ends = {form.times[0].when, form.times[-1].when}
    held = table[table["estimate"].notna() & table["group"].isin(ends)]
    rows: list[dict[str, Any]] = [
        {"mark": "point", "series": row["measure"], "y": row["estimate"], "low": row["low"], "high": row["high"],
         "x": row["measure"] if len(ends) == 1 else f"{row['measure']}, {row['group']}", "n": row["n"], "row": place}
        for place, row in held.to_dict("index").items()
    ]  # fmt: skip
    least = float(held[["estimate", "low"]].min().min())
    lowest = 0.5 if least > 0.5 else min(0.0, float(held["estimate"].min()) - 0.1)
    rows.append({"mark": "scale", "low": lowest, "high": 1.0})
    rows.append({"mark": "line", "y": LEAST, "label": f"{LEAST:.2f}, enough to add up"})
    intervals = [interval.split()[0] for interval in held["interval"] if interval != "none given"]
    cut = ", some cut off" if (held["low"] < lowest).any() else ""
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"{form.instrument.name}, {ratings.rated(form.rater)}{f', {form.times[0].when}' * (len(ends) == 1)}, "
        f"{form.programme.title}",
        x_axis=f"alpha, {intervals[0]} intervals{cut}" if intervals else "alpha",
    )


def _cautions(form: _Form, table: pd.DataFrame) -> list[Sentence]:
    instrument = form.instrument
    said = [
        Sentence("Alpha is no proof that questions measure one thing; a longer list has a higher alpha."),
        Sentence("The same form among other people may have another alpha."),
        *_weak_or_few(table),
        *_without(table),
    ]
    if (table["n_incomplete"] > 0).any():
        said.append(Sentence("Leaders with a question of a domain left out are not in its figures."))
    answers = pd.concat([time.answers for time in form.times]).stack()
    if max((answers == end).mean() for end in (instrument.scale.low, instrument.scale.high)) > CROWDED:
        said.append(Sentence("Over half of the answers are at one end of the scale; the intervals are too narrow."))
    if form.rater != "self":
        said.append(Sentence("This is of the questions: another person may rate the same leader otherwise."))
    if instrument.scale.evaluator_defined:
        said.append(
            Sentence(f"The {instrument.name} has no scale of its own: this one is the evaluator's, and not validated.")
        )
    return said


def _weak_or_few(table: pd.DataFrame) -> list[Sentence]:
    """Where alpha is too low for single leaders, or rests on few."""
    told = table[table["estimate"].notna()]
    weak, few = told[told["estimate"] < LEAST], told[told["n"] < FEW]
    said = []
    if not weak.empty:
        text = f"Where alpha is below {LEAST:.2f}, changes of single leaders cannot be told from error of measurement."
        said.append(Sentence(text, rows=tuple(weak.index)))
    if not few.empty:
        text = f"Where fewer than {FEW} leaders answered everything, alpha is unsteady: read its interval."
        said.append(Sentence(text))
    if (told["n"] < LEAST_PAIRS).any():
        said.append(Sentence(f"Fewer than {LEAST_PAIRS} leaders have no interval."))
    return said


def _without(table: pd.DataFrame) -> list[Sentence]:
    """The rows without an alpha, each domain once, and why."""
    refused = table[table["estimate"].isna()]
    single = list(dict.fromkeys(refused.loc[refused["items"] == 1, "measure"]))
    said = []
    if single:
        has = "is one question and has" if len(single) == 1 else "are one question each and have"
        said.append(Sentence(f"{words.listed(single)} {has} no alpha: one question has nothing to hang together with."))
    other = refused[refused["items"] > 1]
    named = [f"{row['measure']} ({row['group']})" for row in other.to_dict("records")]
    if named:
        text = f"No alpha could be made for {words.listed(named)}: the table says why."
        said.append(Sentence(text, rows=tuple(other.index)))
    return said
