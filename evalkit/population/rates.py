"""How often does it happen in the places of the programme, and in those to compare with?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.evidence import attribution, grade
from evalkit.population import monthly, rate_rows, spans
from evalkit.population.held_once import SPLITS, in_words
from evalkit.population.monthly import refuse
from evalkit.population.rate_rows import CRUDE, RATIO, STANDARDISED, Asked
from evalkit.population.spans import MINE, OTHERS
from evalkit.result import Method, Result, Sentence
from evalkit.stats import standard_population
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.periods import Period
    from evalkit.programme import Programme

QUESTION = "How often does it happen in the places of the programme, and in those to compare with?"
USUAL, SURE = "ESP2013", 0.95
"""The usual standard population and confidence."""
GROUPS = 5
"""So many groups are drawn with their intervals, a row for each kind of place; more in one row each, without."""
DEATHS = "deaths"
"""The measure that befalls nobody twice."""
ELSEWHERE = "Whether a rate changed otherwise than elsewhere is another question, which population.against asks."
SOURCE = (
    "Wilson 1927, JASA 22, 209-212; Byar in Breslow and Day 1987, Statistical Methods in Cancer Research II, p. 69; "
    "Dobson and others 1991, Statistics in Medicine 10, 457-462; as in PHEindicatormethods. Ratios: normal limits of "
    "the logarithm, for proportions those of Katz and others 1978, Biometrics 34, 469-474."
)


def rates(
    programme: Programme,
    *,
    measure: str,
    period: str | None = None,
    by: str | None = None,
    standard: str = USUAL,
    confidence: float = SURE,
) -> Result:
    """How often does it happen in the places of the programme, and in those to compare with?

    Needs: counts in `outcomes`, by month, quarter or year, and the people they are out of, beside them or in
    `denominators`. Programme places together and comparison places together, in the last whole year before the start
    and in the last whole year (`period="2024/25"`, `"2024/25 Q1"` or `"2024-04"` names one). Crude; where age bands are
    given also as if everybody had the ages of `standard`, not under 10 events. `by`: sex, quintile (of deprivation) or
    age_band. What would mislead: crude rates of places whose ages differ; and intervals of what befalls the same people
    again and again (admissions), which are too narrow: where it is known how often each came,
    `evalkit.stats.rates.direct(…, frequencies=…)` widens them. Places differ in many ways, so a ratio to comparison
    places is no finding about the programme; `population.against` sets changes side by side.
    Extras: n_of, what (crude, standardised, ratio), by (rows that make up one whole, withheld together), kind (of
    places), period, when (before, during or after the start), method, people, out_of (of proportions), why (a row is
    blank), tells (how few it would tell). Errors: `NotEnoughEvidence` without counts or people, for gaps, and where
    somebody would be counted twice.

    >>> import evalkit as ek
    >>> found = rates(ek.load("sample_data/northmere"), measure="deaths")
    >>> found.table.loc[found.table["what"] == "standardised", "method"].unique().tolist()
    ["Dobson with Byar's"]
    """
    asked = _asked(programme, measure, period, by, standard, confidence)
    table = rate_rows.table(asked)
    rivals = circumstances.rivals(programme)
    evidence = grade(Design.DESCRIBED, informants=("routine records",), rivals=rivals)
    decided = described("Rates are shown beside each other; nothing is tested.")
    headline = _headline(asked, table)
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
        chart=charts.named("dots" if _apart(asked) else "profile"),
        method=_method(asked),
        evidence=evidence,
        cautions=_cautions(asked, table, rivals),
        about=circumstances.about(
            programme,
            _settings(
                measure=measure,
                period=period,
                by=by,
                standard=None if standard == USUAL else standard,
                confidence=None if confidence == SURE else confidence,
            ),
            n=len(asked.figures.mine),
            of=len(asked.figures.places),
            counts="places",
            beneficiary=asked.measure.beneficiary,
        ),
    )


def _asked(
    programme: Programme, name: str, period: str | None, by: str | None, standard: str, confidence: float
) -> Asked:
    measure = circumstances.measure(programme, name)
    monthly.sure(confidence)
    standard_population.described(standard)  # an unknown one is refused before anything is counted
    if by is not None and by not in SPLITS:
        raise ValueError(f"by={by!r} is none of {words.listed([*SPLITS])}.")
    if measure.kind == "score":
        raise refuse(f"{measure.label} are scores, which have no rate.", "population.experience, which reads scores.")
    found = spans.counted(spans.figures(programme, measure))
    if by is not None and not found.groups(by):
        raise refuse(f"{measure.label} are not given by {words.plain(by)}.", f"{by} beside each count in outcomes.csv.")
    return Asked(found, spans.asked(found, period), standard, by, confidence)


def _settings(**told: str | float | None) -> str:
    return f"population.rates({', '.join(f'{name}={said!r}' for name, said in told.items() if said is not None)})"


def _method(asked: Asked) -> Method:
    if asked.share:
        name = "Proportions with Wilson's interval"
    else:
        name = "Crude rates (exact Poisson limits under 10 events, Byar's from there on)"
    if asked.standardised:
        label = standard_population.described(asked.standard).label
        name += f"; directly standardised to the {label} (Dobson with Byar's)"
    assumes = "Each event is another's by chance alone" if not asked.share else "People answer for themselves"
    return Method(name, SOURCE, f"{assumes}; those who are counted are among those they are counted out of.",
                  Design.DESCRIBED)  # fmt: skip


# --- what is said -----------------------------------------------------------------------------------------------------


def _best(asked: Asked, table: pd.DataFrame, period: Period) -> pd.DataFrame:
    """The rates of a period that are told: standardised where all of them stand, else crude."""
    own = table[table["period"] == spans.named(period)]
    alike = own[own["what"] == STANDARDISED]
    stand = asked.standardised and bool((alike["why"] == "").all())
    found = alike if stand else own[own["what"] == CRUDE]
    return found[found["estimate"].notna()]


def _alike(found: pd.DataFrame) -> bool:
    """Whether the rates told are standardised."""
    return STANDARDISED in set(found["what"])


def _ratio(table: pd.DataFrame, period: Period) -> pd.DataFrame:
    """The row that sets programme beside comparison places, where there is one with a number."""
    own = (table["period"] == spans.named(period)) & (table["what"] == RATIO)
    return table[own & table["estimate"].notna()]


def _told(row: Any) -> str:
    """A rate with its interval, and on how many events it rests."""
    places, n = words.decimals(row["low"], row["high"]), int(row["n"])
    events = words.counted(n, "event") if pd.isna(row["out_of"]) else words.of(n, int(row["out_of"]))
    return f"{words.number(row['estimate'], places)} ({words.span(row['low'], row['high'], places)}; {events})"


def _headline(asked: Asked, table: pd.DataFrame) -> Sentence:
    last = asked.periods[-1]
    found = _best(asked, table, last)
    own = found[found["kind"] == MINE]
    if own.empty:
        why = next((why for why in table["why"] if why), "No group has a figure.")
        raise refuse(f"There is no rate of {asked.measure.label.lower()}. {why}", "figures that hold together.")
    shown = found if asked.by is None else own.iloc[[0, -1]] if len(own) > 1 else own
    told = [f"{_number(row)} in {row['kind']}" if asked.by is None else f"{_who(row)} {_number(row)}"
            for row in shown.to_dict("records")]  # fmt: skip
    where = "" if asked.by is None else " in programme places"
    return Sentence(
        f"{_label(asked)}{where} in {in_words(last)}, {asked.unit(last)}: {', '.join(told)}", tuple(shown.index)
    )


def _label(asked: Asked) -> str:
    return words.sentence_case(asked.measure.label)


def _number(row: Any) -> str:
    return words.number(row["estimate"], words.decimals(row["low"], row["high"]))


def _who(row: Any) -> str:
    """The group of a row; blank where all are told together."""
    return str(row["group"]).removesuffix(f"{row['kind']}, {row['period']}").removesuffix(", ")


def _sentences(asked: Asked, table: pd.DataFrame) -> list[Sentence]:
    *before, last = asked.periods
    sure = f"with {asked.confidence:.0%} intervals"
    said = [_level(asked, table, last, f"{_label(asked)} in {_when(asked, last)}, {asked.unit(last)}, {sure}")]
    for at, row in _ratio(table, last).iterrows():
        said.append(Sentence(f"{_against(asked, row)}.", rows=(int(str(at)),)))
    said += [_level(asked, table, period, f"Before the start, in {in_words(period)}") for period in before]
    return [*[each for each in said if each.rows], Sentence(ELSEWHERE)]


def _against(asked: Asked, row: Any) -> str:
    """A ratio in words."""
    if asked.share:  # so many in every 100 of so many in every 100 is read wrongly
        places = words.decimals(row["low"], row["high"])
        limits = words.span(row["low"], row["high"], places)
        ratio = words.number(row["estimate"], places)
        return f"Set over that of comparison places: {ratio} ({limits}), 1 would be the same"
    said = words.in_every_100(row["estimate"])
    than = "as in" if said == "the same" else "than in"
    return f"That is {said} {than} comparison places ({words.ratio_interval(row['low'], row['high'])})"


def _level(asked: Asked, table: pd.DataFrame, period: Period, opening: str) -> Sentence:
    """The rates of one period: of each kind of place, or of the first and the last group in each."""
    found = _best(asked, table, period)
    places = {MINE: len(asked.figures.mine), OTHERS: len(asked.figures.others)}
    parts, rows = [], []
    for kind in asked.figures.kinds:
        own = found[found["kind"] == kind]
        ends = own.iloc[[0, -1]] if len(own) > 1 else own
        told = words.listed([f"{_who(row)} {_told(row)}".strip() for row in ends.to_dict("records")])
        if told:
            parts.append(f"{told} in {words.counted(places[kind], kind.removesuffix('s'))}")
            rows += list(ends.index)
    alike = ", ages made alike" if _alike(found) else ""
    return Sentence(f"{opening}{alike}: {'; '.join(parts)}.", tuple(rows))


def _when(asked: Asked, period: Period) -> str:
    """A period, and where it stands to the start."""
    beside = {"before": " (before the start)", "during": " (in which the programme started)"}
    return f"{in_words(period)}{beside.get(asked.figures.when(period), '')}"


def _apart(asked: Asked) -> bool:
    """Whether there is room for each rate with its interval in a row of its own."""
    return len(asked.groups) <= GROUPS


def _marks(asked: Asked, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A dot a rate with its interval; of many groups a row each, in the last period, and a shape a kind of place."""
    *_, last = asked.periods
    shown = asked.periods if asked.by is None else [last]
    rows: list[dict[str, Any]] = []
    told = {period: _best(asked, table, period) for period in shown}
    for best in told.values():
        for at, row in best.to_dict("index").items():
            drawn = {"mark": "point", "y": row["estimate"], "n": row["n"], "row": at}
            if _apart(asked):
                name = row["group"] if asked.by is None else f"{_who(row)}, {row['kind']}"
                rows.append(drawn | {"x": name, "low": row["low"], "high": row["high"]})
            else:
                rows.append(drawn | {"x": _who(row), "series": row["kind"]})
    alike = f", ages as in {asked.standard}" if _alike(told[last]) else ""
    when = " and ".join(in_words(period) for period in shown)
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"{asked.measure.label}, {when}, {asked.figures.programme.title}",
        x_axis=f"{asked.unit(last)}{alike}",
    )


# --- what would mislead -----------------------------------------------------------------------------------------------


def _cautions(asked: Asked, table: pd.DataFrame, rivals: tuple[str, ...]) -> list[Sentence]:
    said = [*_of_rates(asked, table), *_of_times(asked)]
    if rivals:
        said.append(f"Also going on in the same time: {words.listed(list(rivals))}.")
    return [Sentence(text) for text in said]


def _of_rates(asked: Asked, table: pd.DataFrame) -> list[str]:
    said = []
    if asked.figures.others:
        said.append(
            "Places differ in many ways, and by more than the chance that the intervals hold: a higher or lower rate "
            "than elsewhere says nothing about the programme."
        )
    else:
        said.append("There is nowhere to compare with.")
    if not asked.share and asked.measure.id != DEATHS:
        said.append(
            "Who is counted once is often counted again, and nothing says how often each person was: the intervals are "
            "too narrow for that."
        )
    blank = sorted({why for why in table.loc[table["what"] == STANDARDISED, "why"] if why})
    if blank:
        said.append(f"Some rates could not be made comparable for age: {words.listed(blank)}")
    elif asked.by != "age_band" and not asked.standardised:
        said.append("Ages may differ between places, and these rates are not made comparable for age.")
    if asked.standardised and not standard_population.described(asked.standard).verified:
        said.append(f"The ages of {asked.standard} are not verified against their source.")
    return said


def _of_times(asked: Asked) -> list[str]:
    figures, said = asked.figures, []
    if not figures.when(asked.periods[-1]):
        said.append("Nobody says when the programme started everywhere, so nothing is told of before.")
    if figures.when(asked.periods[-1]) == "during":
        said.append("The programme started within the time shown, which is neither before nor after.")
    if asked.measure.seasonal and len(asked.periods) == 1 and asked.periods[0].months < spans.YEAR:
        said.append("This measure follows the time of year: a part of a year is no year.")
    shown = pd.Series([pd.Timestamp(end) for one in asked.periods for end in (one.first, one.last)])
    happened = monthly.events(figures.programme, asked.measure, shown)
    broken = list(happened.loc[happened["kind"].isin(("definition_change", "boundary_change")), "name"])
    if broken:
        said.append(f"What is counted changed in this time: {words.listed(broken)}.")
    return said
