"""How long would people live at the death rates of the programme places, and of those to compare with?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import TELLS
from evalkit.evidence import attribution, grade
from evalkit.population import monthly, spans
from evalkit.population.held_once import EVERYBODY, in_words
from evalkit.population.monthly import refuse
from evalkit.population.spans import MINE, OTHERS
from evalkit.result import Method, Result, Sentence
from evalkit.stats import life_expectancy as life_tables
from evalkit.stats.age_bands import edges
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.measure import Measure
    from evalkit.periods import Period
    from evalkit.programme import Programme
    from evalkit.stats.life_expectancy import LifeExpectancy

QUESTION = "How long would people live at the death rates of the programme places, and of those to compare with?"
LABEL = "Life expectancy at birth"
LIFE, GAP = "life expectancy", "gap"
SEXES = ("female", "male")
SAID = {"female": "women", "male": "men", EVERYBODY: "everybody"}
SURE = 0.95
"""Confidence of the intervals, which is also that of the published rule by which a figure is withheld."""
STANDING = "Life expectancy moves over decades: a few years of it say nothing about a programme of a few years."
OF_ONE_BAND = ("More died", "At the death rate")
"""How refusals begin that would tell how many died at one age; `NOT_A_LIFE` is said instead."""
NOT_A_LIFE = "In one age band as many died as lived there, or nearly: nobody would survive it."
COLUMNS = ["measure", "group", "estimate", "low", "high", "interval", "n", "unit", "n_of", "what", "by", "kind", "sex",
           "period", "when", "method", "person_years", "why", TELLS]  # fmt: skip
METHOD = Method(
    name="Abridged life table of Chiang, variance of Silcocks",
    source="Chiang 1968, Introduction to Stochastic Processes in Biostatistics, 189-214; Silcocks and others 2001, "
    "J Epidemiol Community Health 55, 38-43; Toson and Baker 2003, National Statistics Methodological Series 33 (not "
    "under 5,000 person-years); as in PHEindicatormethods.",
    assumes="Every death and everybody who lived there is counted, at the right age; death rates would stay as they "
    "were for a whole life, which they never do.",
    design=Design.DESCRIBED,
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Deaths by age, the sexes told and the periods."""

    figures: spans.Figures
    periods: list[Period]
    sexes: list[str]

    @property
    def measure(self) -> Measure:
        return self.figures.measure

    @property
    def split(self) -> bool:
        """Whether deaths are given for each sex."""
        return bool(self.figures.groups("sex"))


@dataclass(frozen=True, slots=True)
class _Life:
    """One life expectancy, where it may be told, and its row of the table."""

    row: dict[str, Any]
    found: LifeExpectancy | None


def life_expectancy(
    programme: Programme, *, measure: str = "deaths", sex: str | None = None, period: str | None = None
) -> Result:
    """How long would people live at the death rates of the programme places, and of those to compare with?

    Needs: deaths in `outcomes` by age band from birth to an open end (90+), by sex, and the people of each band, beside
    them or in `denominators`. Programme places together and comparison places together, never a place by itself: in the
    last whole year before the start and in the last whole year, or in `period`. `sex`: female, male or persons (both
    together); left out, female and male. What would mislead: life expectancy moves over decades, and is told here to
    know the places by, not to judge a programme; it is nobody's own, but what a whole life at one year's death rates
    would come to. Not told, with the reason in the row: under 5,000 person-years, a band without people, nobody who
    died in the last band, an interval wider than 20 years. Extras: n_of (n counts deaths), what (life expectancy; gap:
    programme less comparison places), by (rows that make up one whole), kind (of places), sex, period, when (before,
    during or after the start), method, person_years, why (a row is blank), tells (how few it would tell). Errors:
    `NotEnoughEvidence` without deaths by age, and where none may be told.

    >>> import evalkit as ek
    >>> found = life_expectancy(ek.load("sample_data/northmere"))
    >>> found.table.loc[found.table["what"] == "gap", "sex"].tolist()
    ['female', 'male', 'female', 'male']
    """
    asked = _asked(programme, measure, sex, period)
    table = _table(asked)
    rivals = circumstances.rivals(programme)
    evidence = grade(Design.DESCRIBED, informants=("routine records",), rivals=rivals)
    decided = described("Life expectancy is described, and no verdict is taken from it.")
    headline = _headline(asked, table)
    told = [f"{name}={said!r}" for name, said in (("measure", measure), ("sex", sex), ("period", period)) if said]
    return Result.of(
        question=QUESTION,
        level=Level.POPULATION,
        kirkpatrick=Step.RESULTS,
        headline=headline,
        sentences=_sentences(asked, table),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(asked, table, headline.text),
        chart=charts.named("dots"),
        method=METHOD,
        evidence=evidence,
        cautions=[Sentence(text) for text in _cautions(asked, table, rivals)],
        about=circumstances.about(
            programme,
            f"population.life_expectancy({', '.join(told)})",
            n=len(asked.figures.mine),
            of=len(asked.figures.places),
            counts="places",
            beneficiary=asked.measure.beneficiary,
        ),
    )


def _asked(programme: Programme, name: str, sex: str | None, period: str | None) -> _Asked:
    if sex is not None and sex not in (*SEXES, EVERYBODY):
        raise ValueError(f"sex={sex!r} is none of {words.listed([*SEXES, EVERYBODY])}.")
    measure = circumstances.measure(programme, name)
    found = spans.figures(programme, measure)
    if found.rows["age_band"].isna().any():
        raise refuse(
            f"{measure.label} are not given by age.", "an age band beside each count, from 0-4 to 90+, in outcomes.csv."
        )
    found = spans.counted(found)
    given = found.groups("sex")
    if sex in SEXES and sex not in given:
        raise refuse(f"{measure.label} are not given for the {sex} sex.", "the sex beside each count in outcomes.csv.")
    sexes = [sex] if sex else [one for one in SEXES if one in given] or [EVERYBODY]
    return _Asked(found, spans.asked(found, period), sexes)


# --- the rows ---------------------------------------------------------------------------------------------------------


def _table(asked: _Asked) -> pd.DataFrame:
    """For each period and sex the life expectancy of each kind of place, and then the gaps between them."""
    rows: list[dict[str, Any]] = []
    for period in asked.periods:
        lives = {(sex, kind): _life(asked, period, sex, kind) for sex in asked.sexes for kind in asked.figures.kinds}
        rows += [life.row for life in lives.values()]
        if OTHERS in asked.figures.kinds:
            rows += [_gap(lives[sex, MINE], lives[sex, OTHERS]) for sex in asked.sexes]
    table = pd.DataFrame(rows).reindex(columns=COLUMNS).assign(measure=LABEL, unit="years", n_of="events")
    table["interval"] = table["low"].isna().map({True: "none given", False: f"{SURE:.0%} confidence"})
    return table.astype(dict.fromkeys(("n", TELLS), "Int64"))


def _life(asked: _Asked, period: Period, sex: str, kind: str) -> _Life:
    """One life table; blank, and saying why, where it may not be told."""
    held = asked.figures.summed(period, ["age_band", "sex"]).loc[kind].reset_index()
    own = held if sex == EVERYBODY else held[held["sex"] == sex]
    bands = own.groupby("age_band", sort=False)[["count", "person_years"]].sum()
    printed = spans.named(period)
    row = {
        "group": f"{sex}, {kind}, {printed}", "n": round(bands["count"].sum()), "what": LIFE,
        "by": f"{kind}, {printed}", "kind": kind, "sex": sex, "period": printed, "when": asked.figures.when(period),
        "person_years": bands["person_years"].sum(), "why": "",
    }  # fmt: skip
    try:
        found = life_tables.life_expectancy(
            bands["count"].to_numpy(), bands["person_years"].to_numpy(), list(bands.index), confidence=SURE
        )
    except ValueError as refusal:
        why = str(refusal)
        return _Life(row | _BLANK | {"why": NOT_A_LIFE if why.startswith(OF_ONE_BAND) else why}, None)
    told = {"estimate": found.estimate, "low": found.low, "high": found.high, "method": found.method}
    return _Life(row | told, found)


_BLANK = {"estimate": math.nan, "low": math.nan, "high": math.nan, "method": ""}


def _gap(mine: _Life, others: _Life) -> dict[str, Any]:
    """How many years longer in the programme places; fewer are below nought."""
    kind = f"{MINE} less {OTHERS}"
    row = mine.row | _BLANK | {
        "group": f"{mine.row['sex']}, {kind}, {mine.row['period']}", "what": GAP, "kind": kind,
        "by": f"{kind}, {mine.row['period']}", "n": mine.row["n"] + others.row["n"],
        "person_years": mine.row["person_years"] + others.row["person_years"],
        TELLS: min((life.row["n"] for life in (mine, others) if life.row["n"]), default=pd.NA),
    }  # fmt: skip
    if mine.found is None or others.found is None:
        return row | {"why": "One of the two may not be told."}
    apart = life_tables.difference(mine.found, others.found, confidence=SURE)
    return row | {"estimate": apart.estimate, "low": apart.low, "high": apart.high, "method": apart.method, "why": ""}


# --- what is said -----------------------------------------------------------------------------------------------------


def _of(table: pd.DataFrame, period: Period, what: str) -> pd.DataFrame:
    own = table[(table["period"] == spans.named(period)) & (table["what"] == what)]
    return own[own["estimate"].notna()]


def _headline(asked: _Asked, table: pd.DataFrame) -> Sentence:
    last = asked.periods[-1]
    own = _of(table, last, LIFE)
    own = own[own["kind"] == MINE]
    if own.empty:
        why = next((why for why in table["why"] if why), "")
        raise refuse(f"No life expectancy may be told. {why}", "more years or places put together.")
    told = [f"{SAID[row['sex']]} {words.number(row['estimate'], 1)} years" for row in own.to_dict("records")]
    return Sentence(f"{LABEL} in programme places, {in_words(last)}: {', '.join(told)}", tuple(own.index))


def _sentences(asked: _Asked, table: pd.DataFrame) -> list[Sentence]:
    *before, last = asked.periods
    said = [*_lives(asked, table, last, f"In {in_words(last)}, {LABEL.lower()} with {SURE:.0%} intervals was")]
    gaps = _of(table, last, GAP)
    if not gaps.empty:
        apart = [f"{words.higher(row['estimate'], 1, ' years')} for {SAID[row['sex']]} "
                 f"({words.span(row['low'], row['high'], 1)})" for row in gaps.to_dict("records")]  # fmt: skip
        said.append(Sentence(f"Beside comparison places that is {words.listed(apart)}.", tuple(gaps.index)))
    for period in before:
        said += _lives(asked, table, period, f"Before the start, in {in_words(period)}, it was")
    return said


def _lives(asked: _Asked, table: pd.DataFrame, period: Period, opening: str) -> Iterator[Sentence]:
    """The life expectancies of one period, in a sentence."""
    found = _of(table, period, LIFE)
    places = {MINE: len(asked.figures.mine), OTHERS: len(asked.figures.others)}
    parts = []
    for kind, own in found.groupby("kind", sort=False):
        told = words.listed([_told(row) for row in own.to_dict("records")])
        parts.append(f"{told} in {words.counted(places[str(kind)], str(kind).removesuffix('s'))}")
    if parts:
        yield Sentence(f"{opening} {'; '.join(parts)}.", tuple(found.index))


def _told(row: Any) -> str:
    deaths = words.counted(int(row["n"]), "death")
    limits = words.span(row["low"], row["high"], 1)
    return f"{words.number(row['estimate'], 1)} years for {SAID[row['sex']]} ({limits}; {deaths})"


def _marks(asked: _Asked, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A dot a life expectancy with its interval: sex by sex, earlier years first."""
    lives = table[(table["what"] == LIFE) & table["estimate"].notna()]
    rows = [
        {"mark": "point", "x": row["group"], "y": row["estimate"], "low": row["low"], "high": row["high"],
         "n": row["n"], "row": at}
        for sex in asked.sexes
        for at, row in lives[lives["sex"] == sex].to_dict("index").items()
    ]  # fmt: skip
    when = " and ".join(in_words(period) for period in asked.periods)
    return charts.marks(
        rows, headline=headline, subtitle=f"{LABEL}, {when}, {asked.figures.programme.title}", x_axis="years"
    )


def _cautions(asked: _Asked, table: pd.DataFrame, rivals: tuple[str, ...]) -> list[str]:
    said = [STANDING, "It is nobody's own: it is what a whole life at the death rates of one time would come to."]
    if not asked.figures.others:
        said.append("There is nowhere to compare with.")
    for why in dict.fromkeys(why for why in table.loc[table["what"] == LIFE, "why"] if why):
        named = words.listed(list(table.loc[(table["what"] == LIFE) & (table["why"] == why), "group"]))
        said.append(f"Not told for {named}: {why}")
    if any(period.months < spans.YEAR for period in asked.periods):
        said.append("A part of a year is told: more die in winter, and a season is no year.")
    if asked.split is False:
        said.append("Deaths are not given by sex: women and men, who live to different ages, are told together.")
    if edges(asked.figures.groups("age_band")[:1])[0].end > 1:
        said.append("The first year of life is not given apart, which adds a few hundredths of a year everywhere.")
    if not asked.figures.when(asked.periods[-1]):
        said.append("Nobody says when the programme started everywhere, so nothing is told of before.")
    broken = pd.Series([pd.Timestamp(end) for one in asked.periods for end in (one.first, one.last)])
    changed = monthly.breaks(monthly.events(asked.figures.programme, asked.measure, broken))
    if changed:
        said.append(f"In this time there was also: {words.listed(changed)}.")
    elif rivals:
        said.append(f"Also going on in the same time: {words.listed(list(rivals))}.")
    return said
