"""Do leaders see their own start otherwise, looking back?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import TELLS
from evalkit.evidence import attribution, grade
from evalkit.individual import ratings
from evalkit.individual.besides import everybody, kept_domain, least, of_waves
from evalkit.individual.compared import scored, usual
from evalkit.individual.looking_back import (
    ALIKE,
    INFLATED,
    POST,
    PRE,
    QUESTION,
    THEN,
    Mean,
    Three,
    known_raters,
    mean,
    said_with_interval,
    three,
)
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.stats.student import share
from evalkit.terms import Design, Level, Step
from evalkit.verdict import LEAST_PAIRS, described

if TYPE_CHECKING:
    from evalkit.programme import Programme

SHIFT, CHANGE, LOOKED = "then less pre", "post less pre", "post less then"
LESS = {SHIFT: (THEN, PRE), CHANGE: (POST, PRE), LOOKED: (POST, THEN)}
"""What is taken from what. Both changes always stand side by side; neither replaces the other."""
NAMES = {
    SHIFT: "The start: looking back less at the time",
    CHANGE: "Change, rated at the time",
    LOOKED: "Change, looking back",
}
MOST_TOLD = 2
"""So many kinds of others have a sentence each; more share one."""

METHOD = Method(
    name="Mean at the start, looking back, and now, and their three differences, over the same leaders; interval by t "
    "over leaders, or by CR2 over teams where three or more are known",
    source="For looking back: Howard 1980, Evaluation Review 4(1), 93-106; Drennan and Hyde 2008, Assessment & "
    "Evaluation in Higher Education 33(6), 699-709. Against: Taylor, Russ-Eft and Taylor 2009, American Journal of "
    "Evaluation 30(1), 31-43. CR2: Pustejovsky and Tipton 2018.",
    assumes="Leaders who answered all three are like those who did not; people (or teams) are independent. Nothing is "
    "assumed about which of the two starts is the true one.",
    design=Design.DESCRIBED,
)


def response_shift(
    programme: Programme,
    *,
    on: str | None = None,
    domain: str | None = None,
    raters: tuple[str, ...] = ("sponsor", "partner"),
    between: tuple[int, int] | None = None,
    confidence: float = 0.95,
) -> Result:
    """Do leaders see their own start otherwise, looking back?

    Needs: `responses` of leaders about themselves on the instrument `on` at a first wave, and at a later wave both as
    they are now and looking back (timing then). Who has learnt what leading asks may see the start with other eyes; who
    wants to have improved puts it too low. So both changes stand side by side, over the same leaders. What `raters` saw
    in between, over all leaders they rated both times, is told to be nearer to one of the two where its interval lies
    wholly on that side of halfway between them. Only questions asked all three times count, by the instrument's own
    rule for gaps. Leaders are taken to look back to the first wave; of several times they did so, that at the last wave
    of `between` counts, else the latest.
    Columns: n_of; what (mean, change); of (pre, then, post, then less pre, post less pre, post less then); told_by;
    mean_pre, mean_then, mean_post, of the leaders of that row; raters (how many others gave ratings);
    tells (how few people the row would tell beside other answers: it is withheld).
    Errors: `NotEnoughEvidence` where nobody answered all three, or looking back stands at the first wave; ValueError
    for a domain, a rater or `between` there is not.

    >>> import evalkit as ek
    >>> found = response_shift(ek.load("sample_data/northmere")).table.set_index("of")["estimate"]
    >>> bool(found["post less then"].iloc[0] > found["post less pre"].iloc[0])
    True
    """
    share(confidence)
    others = known_raters(raters)
    asked = three(programme, scored(programme, usual(programme, on), QUESTION), domain, others, between)
    instrument, pair = asked.pair.instrument, asked.pair
    table = _table(asked, confidence)
    evidence = grade(Design.DESCRIBED, informants=("self", *asked.seen), rivals=circumstances.rivals(programme))
    decided = described("Looking back cannot be tested against what was.")
    headline = _headline(asked, table)
    settings = {"on": instrument.id, "domain": domain, "raters": others, "between": (pair.first, pair.last)}
    told = [f"{name}={value!r}" for name, value in settings.items() if value is not None]
    return Result.of(
        question=QUESTION,
        level=Level.INDIVIDUAL,
        kirkpatrick=Step.LEARNING if instrument.id == "learning" else Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(asked, table, confidence),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(asked, table, headline.text, confidence),
        chart=charts.named("dots"),
        method=METHOD,
        evidence=evidence,
        cautions=[*_of_looking_back(asked), *_of_the_leaders(asked, table), *_of_the_answers(asked, table)],
        about=circumstances.about(
            programme,
            f"individual.response_shift({', '.join(told)}, confidence={confidence})",
            n=len(asked.answers[asked.lead].dropna()),
            of=len(circumstances.taking_part(programme)) or None,
            counts="leaders",
        ),
        details=asked.answers,
    )


def _table(asked: Three, confidence: float) -> pd.DataFrame:
    """By domain: the three means, the three differences, and the change each kind of others saw."""
    programme: Programme = asked.pair.programme
    rows: list[dict[str, Any]] = []

    def row(domain: str, what: str, of: str, found: Mean, rater: str = "self") -> dict[str, Any]:
        sure = "none given" if np.isnan(found.low) else f"{confidence:.0%} confidence"
        return {
            "measure": asked.pair.instrument.domain_labels[domain], "group": ALL, "estimate": found.estimate,
            "low": found.low, "high": found.high, "interval": sure, "n": found.n,
            "unit": ratings.points(asked.pair.instrument), "n_of": "leaders", "what": what, "of": of,
            "told_by": words.raters(rater), "mean_pre": np.nan, "mean_then": np.nan, "mean_post": np.nan,
            "raters": None, TELLS: None,
        }  # fmt: skip

    def tells(rater: str, domain: str, leaders: pd.Index[Any]) -> int | None:
        key, few = kept[rater]
        beside = of_waves(each[rater], domain, [asked.pair.first, asked.pair.last], leaders)
        return least(beside, few if key == domain else None)

    each = {rater: everybody(programme, asked.pair.instrument, rater) for rater in ("self", *asked.seen)}
    kept = {rater: kept_domain(whole) for rater, whole in each.items()}

    for domain, held in asked.answers.items():
        same = held.dropna()
        means = {f"mean_{time}": same[time].mean() for time in (PRE, THEN, POST)}
        own = len(rows)
        rows += [row(domain, "mean", time, mean(programme, same[time], confidence)) for time in (PRE, THEN, POST)]
        rows += [
            row(domain, "change", of, mean(programme, same[later] - same[earlier], confidence)) | means
            for of, (later, earlier) in LESS.items()
        ]
        few = tells("self", domain, same.index)
        rows[own:] = [held_back | {TELLS: few} for held_back in rows[own:]]
        for rater, seen in asked.seen.items():
            if domain in seen.answers:
                both = seen.answers[domain]
                ends = {"mean_pre": both[PRE].mean(), "mean_post": both[POST].mean(), "raters": seen.raters}
                found = mean(programme, both[POST] - both[PRE], confidence)
                told = {TELLS: tells(rater, domain, both.index)}
                rows.append(row(domain, "change", CHANGE, found, rater) | ends | told)
    return pd.DataFrame(rows).astype({"n": "Int64", "raters": "Int64", TELLS: "Int64"})


def _at(asked: Three, table: pd.DataFrame, of: str, rater: str = "self") -> dict[str, Any]:
    """The row of the domain that is told, with its place in the table."""
    label = asked.pair.instrument.domain_labels[asked.lead]
    mine = (table["of"] == of) & (table["told_by"] == words.raters(rater)) & (table["measure"] == label)
    return {str(name): value for name, value in table[mine].iloc[0].items()} | {"row": int(table.index[mine][0])}


def _rated(asked: Three) -> list[str]:
    """The kinds of others who saw a change in the domain that is told."""
    return [rater for rater, seen in asked.seen.items() if asked.lead in seen.answers]


def _headline(asked: Three, table: pd.DataFrame) -> Sentence:
    shift, change, looked = (_at(asked, table, of) for of in LESS)
    return Sentence(
        f"Looking back, leaders put their start {said_with_interval(shift)}; the change is "
        f"{words.number(change['estimate'])} as rated at the time, {words.number(looked['estimate'])} looking back",
        rows=(shift["row"], change["row"], looked["row"]),
    )


def _sentences(asked: Three, table: pd.DataFrame, confidence: float) -> list[Sentence]:
    """Who answered and how they see their start; both changes; what others saw."""
    shift, change, looked = (_at(asked, table, of) for of in LESS)
    pair, counts = asked.pair, asked.answers[asked.lead].notna().sum()
    took_part = len(circumstances.taking_part(pair.programme))
    whole = words.of(shift["n"], took_part) + " leaders" if took_part else words.counted(shift["n"], "leader")
    sure = "" if np.isnan(shift["low"]) else f"; {confidence:.0%} interval in brackets"
    start = Sentence(
        f"{whole} answered all three: at the start ({pair.when(pair.first)}), looking back, and now "
        f"({pair.when(pair.last)}); {counts[PRE]}, {counts[THEN]} and {counts[POST]} answered each. Their mean on "
        f"{_named(asked)} was {words.number(shift['mean_pre'])} at the start; looking back they put it at "
        f"{words.number(shift['mean_then'])}, {said_with_interval(shift)}{sure}.",
        rows=(shift["row"],),
    )
    now = Sentence(
        f"It is now {words.number(shift['mean_post'])}: {said_with_interval(change)} by what they said at the start, "
        f"{said_with_interval(looked)} by what they say looking back.",
        rows=(change["row"], looked["row"]),
    )
    return [start, now, *_of_others(asked, table)]


def _named(asked: Three) -> str:
    """The instrument, where it has one score for the whole and that is told; else the domain too."""
    instrument = asked.pair.instrument
    whole = instrument.overall is not None and asked.lead == ratings.main_domain(instrument)
    return f"the {instrument.name}" if whole else f"{instrument.domain_labels[asked.lead]} ({instrument.name})"


def _of_others(asked: Three, table: pd.DataFrame) -> Iterator[Sentence]:
    """What others saw between the same waves, and which of the two changes it lies nearer to."""
    said = []
    for rater in _rated(asked):
        row = _at(asked, table, CHANGE, rater)
        about = words.counted(row["n"], "leader")
        text = f"{words.raters(rater)} saw {about} {said_with_interval(row)}{_nearer(asked, table, row)}"
        said.append((words.sentence_case(text), row["row"]))
    if len(said) <= MOST_TOLD:
        yield from (Sentence(f"{text}.", rows=(at,)) for text, at in said)
    else:
        yield Sentence(f"{'. '.join(text for text, _ in said)}.", rows=tuple(at for _, at in said))


def _nearer(asked: Three, table: pd.DataFrame, seen: dict[str, Any]) -> str:
    """Which of leaders' own two changes the change seen is nearer to, where its interval tells."""
    change, looked = (_at(asked, table, of)["estimate"] for of in (CHANGE, LOOKED))
    halfway = (change + looked) / 2
    above, below = seen["low"] > halfway, seen["high"] < halfway
    if abs(change - looked) <= ALIKE or np.isnan(seen["low"]):
        return ""
    if not (above or below):
        return ", which does not tell the two changes apart"
    return f", nearer to the change {'looking back' if above == (looked > change) else 'as rated at the time'}"


def _marks(asked: Three, table: pd.DataFrame, headline: str, confidence: float) -> pd.DataFrame:
    drawn = [(NAMES[of], _at(asked, table, of)) for of in LESS]
    drawn += [(f"Change {words.raters(one)} saw", _at(asked, table, CHANGE, one)) for one in _rated(asked)]
    rows: list[dict[str, Any]] = [
        {"mark": "point", "series": name, "x": name, "y": row["estimate"], "low": row["low"], "high": row["high"],
         "n": row["n"], "row": row["row"]}
        for name, row in drawn
    ]  # fmt: skip
    rows.append({"mark": "line", "y": 0.0, "label": "no difference"})
    pair = asked.pair
    some = "" if all(np.isnan(row["low"]) for _, row in drawn) else f", with {confidence:.0%} intervals"
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"{_named(asked).removeprefix('the ')}, {pair.when(pair.first)} to {pair.when(pair.last)}, "
        f"{pair.programme.title}",
        x_axis=f"points{some}",
    )


def _of_looking_back(asked: Three) -> Iterator[Sentence]:
    """What is known of looking back, for and against, and who else could tell."""
    yield Sentence(INFLATED)
    yield Sentence(
        "Others hold looking back to be fairer, for by then people know what was asked (Howard 1980; Drennan and Hyde "
        "2008). Neither start is known to be the true one."
    )
    if asked.same_day:
        yield Sentence(
            "Most looked back on the day they said how they are now. Asked side by side, each bends the other (Nimon "
            "and others 2011); in a trial, looking back raised what people said of now (Nolte and others 2012)."
        )
    if _rated(asked):
        yield Sentence(
            "Others see only part of what a leader does, and speak of all leaders they rated both times: they alone do "
            "not settle which change is right."
        )
    else:
        yield Sentence("No others rated these leaders at both waves, who could help to tell the two changes apart.")


def _of_the_leaders(asked: Three, table: pd.DataFrame) -> Iterator[Sentence]:
    """Who is left out, and where there is no interval."""
    shift, held = _at(asked, table, SHIFT), asked.answers[asked.lead]
    whole = held.notna().all(axis=1)
    if not whole.all():
        left = int((~whole).sum())
        some = "some leaders" if left < asked.pair.programme.minimum_group else words.counted(left, "leader")
        text = f"Left out: {some} with only one or two of the three"
        began = held.loc[~whole, PRE].dropna()
        if min(len(began), shift["n"]) >= asked.pair.programme.minimum_group:
            gap = began.mean() - shift["mean_pre"]
            text += f"; the {len(began)} of them who answered at the start had begun {words.higher(gap)}"
        yield Sentence(f"{text}. Growth counts every answer, and may differ.", rows=(shift["row"],))
    if any(np.isnan(_at(asked, table, of)["low"]) for of in LESS):
        few = shift["n"] < LEAST_PAIRS
        why = f"Fewer than {LEAST_PAIRS} leaders have all three" if few else "Where all leaders differ alike"
        yield Sentence(f"{why}{':' if few else ','} no interval is given.", rows=(shift["row"],))


def _of_the_answers(asked: Three, table: pd.DataFrame) -> Iterator[Sentence]:
    """Which answers are used where there were others, and what their scale is."""
    pair, rows = asked.pair, (_at(asked, table, SHIFT)["row"],)
    if asked.items < asked.most:
        yield Sentence(f"Only the {asked.items} questions asked all three times count, of {asked.most}.", rows)
    if asked.left_out:
        yield Sentence(f"Not scored all three times, so not compared: {words.listed(asked.left_out)}.")
    if len(asked.backs) > 1:
        yield Sentence(f"Leaders looked back more than once; what they said in {pair.when(asked.back)} is used.")
    if asked.back != pair.last:
        yield Sentence(
            f"Leaders looked back in {pair.when(asked.back)}, and not in {pair.when(pair.last)}, of which “now” speaks."
        )
    if asked.start != pair.first:
        yield Sentence(
            f"Looking back may mean {pair.when(asked.start)}, when leaders first answered, not {pair.when(pair.first)}."
        )
    if pair.instrument.scale.evaluator_defined:
        name = pair.instrument.name
        yield Sentence(f"{name} has no scale of its own: this one is the evaluator's, and not validated.")
