"""What do patients, citizens and staff say of care and of work?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import TELLS
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.population import experience_rows
from evalkit.population.experience_rows import COLUMNS, MEAN, ONE, SHARE, Said
from evalkit.population.monthly import refuse, sure
from evalkit.population.spans import MINE, OTHERS
from evalkit.result import Method, Result, Sentence
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "What do patients, citizens and staff say of care and of work?"
WHO = ("patients", "citizens", "staff")
SURE = 0.95
"""The usual confidence."""
STAFF_LEAST = 11
"""Fewer answers than this are not reported of staff: the threshold of the NHS Staff Survey, known from memory and not
checked against it."""
TOLD = 3
"""So many measures are told in a sentence each; more stand in the table only."""
ROWS = 12
"""So many rows are drawn with their intervals; more would be a picture nobody reads."""
METHOD = Method(
    name="Shares of those who answered, with Wilson's interval; means of scores with Student's t",
    source="Wilson 1927, JASA 22, 209-212, as in PHEindicatormethods; Student 1908, Biometrika 6(1), 1-25.",
    assumes="Those who answered are like those who did not, and each answered without regard to the others.",
    design=Design.DESCRIBED,
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was said, measure by measure, and the measures that could not be read, with the reason."""

    programme: Programme
    said: list[Said]
    left_out: dict[str, str]

    @property
    def least(self) -> int:
        """The smallest group that may be shown of these."""
        staff = any(each.measure.beneficiary == "staff" for each in self.said)
        return max(self.programme.minimum_group, STAFF_LEAST if staff else 1)


def experience(
    programme: Programme, *, measure: str | None = None, period: str | None = None, confidence: float = SURE
) -> Result:
    """What do patients, citizens and staff say of care and of work?

    Needs: in `outcomes`, how many said so and out of how many who answered, by place and month, quarter or year, for a
    measure of kind proportion; or, for one of kind score, a value. Staff scores by organisation come from `scores` with
    their n and sd, for a measure that bears the instrument's name (or `instrument/domain`). `measure` left out takes
    every proportion about patients, citizens or staff. Programme places together and comparison places together, in the
    last whole year before the start and in the last whole year, or in `period`; quarter by quarter it is
    `population.variation`. What would mislead: those who did not answer; a proportion that counts something else
    than answers (name the measure you mean). Fewer than the programme's minimum are withheld, and fewer than 11
    wherever staff are asked about. Extras: n_of, what (share, mean, organisation), by (rows that make up one whole,
    withheld together), beneficiary, kind (of places, or the organisation), period, when (before, during or after the
    start), method, count (how many said so), why (a row is blank or has no interval), tells (how few said so, or did
    not). Errors: `NotEnoughEvidence` where nothing was said.

    >>> import evalkit as ek
    >>> found = experience(ek.load("sample_data/northmere"))
    >>> found.table["beneficiary"].unique().tolist(), found.table["method"].unique().tolist()
    (['patients', 'staff'], ['Wilson'])
    """
    asked = _asked(programme, measure, period, confidence)
    table = _table(asked)
    rivals = circumstances.rivals(programme)
    who = tuple(dict.fromkeys(each.measure.beneficiary for each in asked.said))
    evidence = grade(Design.DESCRIBED, informants=who, rivals=rivals)
    decided = described("What people say is described; nothing is tested.")
    headline = _headline(asked, table)
    sure = None if confidence == SURE else confidence
    given = {"measure": measure, "period": period, "confidence": sure}
    told = [f"{name}={said!r}" for name, said in given.items() if said is not None]
    about = circumstances.about(
        programme,
        f"population.experience({', '.join(told)})",
        n=max(each.places[MINE] for each in asked.said),
        of=max(each.places[MINE] + each.places[OTHERS] for each in asked.said),
        counts="places",
        beneficiary=who[0] if len(who) == 1 else "",
    )
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
        chart=charts.named("dots" if len(_drawn(table)) <= ROWS else "profile"),
        method=METHOD,
        evidence=evidence,
        cautions=[Sentence(text) for text in _cautions(asked, rivals)],
        about=replace(about, minimum_group=asked.least),
    )


def _asked(programme: Programme, name: str | None, period: str | None, confidence: float) -> _Asked:
    sure(confidence)
    if name is not None:
        measure = circumstances.measure(programme, name)
        if measure.kind == "score":
            return _Asked(programme, [experience_rows.scores(programme, measure, period, confidence)], {})
        if measure.kind != "proportion":
            raise refuse(f"{measure.label} are counted, not said.", "population.rates, which reads counts.")
        return _Asked(programme, [experience_rows.shares(programme, measure, period, confidence)], {})
    given = set(programme.outcomes["measure"])
    found, left_out = [], {}
    for one in programme.measures.values():
        if one.kind == "proportion" and one.beneficiary in WHO and one.id in given:
            try:
                found.append(experience_rows.shares(programme, one, period, confidence))
            except NotEnoughEvidence as refusal:
                left_out[one.label] = refusal.missing
    if not found:
        why = next(iter(left_out.values()), "Nobody was asked: no measure of what people say has figures.")
        raise refuse(why, "in outcomes.csv, how many said so and out of how many who answered, place by place.")
    return _Asked(programme, sorted(found, key=lambda each: WHO.index(each.measure.beneficiary)), left_out)


def _table(asked: _Asked) -> pd.DataFrame:
    table = pd.DataFrame([row for each in asked.said for row in each.rows]).reindex(columns=COLUMNS)
    return table.astype({"n": "Int64", "count": "Int64", TELLS: "Int64"})


# --- what is said -----------------------------------------------------------------------------------------------------


def _of(table: pd.DataFrame, each: Said, time: str) -> pd.DataFrame:
    """The rows of one measure at one time that tell each kind of place."""
    own = (table["measure"] == each.measure.label) & (table["period"] == time) & table["estimate"].notna()
    return table[own & table["what"].isin([SHARE, MEAN])]


def _number(row: Any) -> str:
    known = not pd.isna(row["low"])
    return words.number(row["estimate"], words.decimals(row["low"], row["high"]) if known else 2)


def _told(row: Any) -> str:
    """A figure with its interval and how many answered."""
    limits = "no interval" if pd.isna(row["low"]) else words.span(row["low"], row["high"])
    answered = "" if pd.isna(row["n"]) else f"; {int(row['n']):,} answered"
    return f"{_number(row)} ({limits}{answered})"


def _headline(asked: _Asked, table: pd.DataFrame) -> Sentence:
    told: list[str] = []
    rows: list[Any] = []
    for each in asked.said[:TOLD]:
        found = _of(table, each, each.times[-1])
        for at, row in found[found["kind"] == MINE].to_dict("index").items():
            told.append(f"{each.measure.label}: {_number(row)} {each.measure.unit} ({each.times[-1]})")
            rows.append(at)
    if not told:
        why = next((why for why in table["why"] if why), "Nothing was said in programme places.")
        raise refuse(why, "answers in programme places, with how many answered.")
    return Sentence(words.sentence_case("; ".join(told)), tuple(map(int, rows)))


def _sentences(asked: _Asked, table: pd.DataFrame) -> list[Sentence]:
    said = [_measure(table, each) for each in asked.said[:TOLD]]
    more = len(asked.said) - TOLD
    if more > 0:
        said.append(Sentence(f"The table has {words.counted(more, 'measure')} more."))
    return said


def _measure(table: pd.DataFrame, each: Said) -> Sentence:
    """One measure: now, and before the start, in each kind of place."""
    *before, last = each.times
    label, unit = words.sentence_case(each.measure.label), each.measure.unit
    text, rows = f"{label} in {last}, {unit}: ", []
    for time in (last, *before):
        found = _of(table, each, time)
        earlier = "before the start, in" if (found["when"] == "before").all() else "in"
        opening = "" if time == last else f"; {earlier} {time}, "
        parts = [f"{_told(row)} in {words.counted(each.places[row['kind']], row['kind'].removesuffix('s'))}"
                 if not opening else f"{_told(row)} in {row['kind']}" for row in found.to_dict("records")]  # fmt: skip
        text += f"{opening if parts else ''}{words.listed(parts)}"
        rows += list(found.index)
    return Sentence(f"{text}.", tuple(rows))


# --- what is drawn ----------------------------------------------------------------------------------------------------


def _drawn(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that are a dot each."""
    return table[table["estimate"].notna() & table["what"].isin([SHARE, MEAN, ONE])]


def _marks(asked: _Asked, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A dot a figure with its interval, the earlier time first; where there are many, a row for both times, without."""
    told, one = _drawn(table), len(asked.said) == 1
    rows = []
    for at, row in told.to_dict("index").items():
        mark = {"mark": "point", "y": row["estimate"], "n": row["n"], "row": at}
        name = row["group"] if one else f"{row['measure']}; {row['group']}"
        if len(told) <= ROWS:
            rows.append(mark | {"x": name, "low": row["low"], "high": row["high"]})
        else:
            rows.append(mark | {"x": name.rpartition(", ")[0], "series": row["period"]})
    what = asked.said[0].measure.label if one else "What people say"
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"{what}, {asked.programme.title}",
        x_axis=words.listed(list(dict.fromkeys(each.measure.unit for each in asked.said))),
    )


# --- what would mislead -----------------------------------------------------------------------------------------------


def _cautions(asked: _Asked, rivals: tuple[str, ...]) -> list[str]:
    said = ["How many were asked and did not answer is not known here; they may think otherwise."]
    said.append("Answers of one place are often alike: the intervals take each for itself and are too narrow for that.")
    if any(each.several for each in asked.said):
        said.append("Whoever answered at several times counts each time.")
    if any(each.places[OTHERS] for each in asked.said):
        said.append(
            "Places differ in many ways: more or fewer than elsewhere says nothing about the programme. Whether it "
            "changed otherwise than elsewhere is another question, which population.against asks."
        )
    else:
        said.append("There is nowhere to compare with.")
    for each in asked.said:
        if each.short:
            short = words.of(len(each.short), each.places[MINE] + each.places[OTHERS])
            said.append(f"{each.measure.label}: {short} places lack answers for some of the time told.")
        if not each.measure.validated:
            said.append(f"{each.measure.label}: {each.measure.source}.")
    said += [f"Left out: {label}. {why}" for label, why in asked.left_out.items()]
    unknown = sum(row["what"] == ONE and pd.isna(row["n"]) for each in asked.said for row in each.rows)
    if unknown:
        said.append(f"Of {words.counted(unknown, 'score')} nobody knows how many answered; they may be few.")
    if asked.least > asked.programme.minimum_group:
        said.append(
            f"Fewer than {asked.least} answers are withheld, as surveys of staff do; that number is known from memory "
            "and was not checked."
        )
    if rivals:
        said.append(f"Also going on in the same time: {words.listed(list(rivals))}.")
    return said
