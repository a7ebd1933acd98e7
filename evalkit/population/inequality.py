"""How far apart are the most and the least deprived, before the programme and now?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import TELLS
from evalkit.evidence import attribution, grade
from evalkit.population import fifths, in_period
from evalkit.population.fifths import MINE, OTHERS, Gap
from evalkit.population.monthly import refuse
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.stats import slope_index
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.measure import Measure
    from evalkit.programme import Programme

QUESTION = "How far apart are the most and the least deprived, before the programme and now?"
SOURCE = (
    "Low and Low 2004, Journal of Public Health 26, 388-395; Mackenbach and Kunst 1997, Social Science and Medicine "
    "44, 757-771; as PHEindicatormethods 2.1 has them, the level drawn too."
)
BY = "quintile"
SLOPE, RATIO = "Slope index: most less least deprived", "Relative index: most over least deprived"
MOVED, TURNED = "Change in the slope index", "Change in the relative index"
NAMES = {1: "1 (most deprived)", 2: "2", 3: "3", 4: "4", 5: "5 (least deprived)"}
DECIDED = "A gap before and a gap now are described; whatever else changed for these people is in both."
NOT_ADJUSTED = "Nothing is adjusted for age: fifths that hold more older people have more of most things."
EDITION = "Which fifth people live in follows one edition of the index of deprivation; a new edition moves them."
BOTH = "The slope index and the relative index may go different ways, for example where everybody's rate falls."
AGAIN = "Where one person may be counted several times, the intervals are too narrow."
NOBODY = "There is nowhere to compare with: a gap that changed everywhere looks the same."


@dataclass(frozen=True, slots=True)
class _Asked:
    """The gaps of one measure: in the programme's places and in those to compare with, before and now."""

    programme: Programme
    measure: Measure
    gaps: list[Gap]
    places: int
    late: int

    def gap(self, arm: str, when: str) -> Gap | None:
        """The gap in these places at this time, where there is one."""
        return next((gap for gap in self.gaps if (gap.arm, gap.when) == (arm, when)), None)

    @property
    def now(self) -> Gap:
        """The programme's places now."""
        found = self.gap(MINE, fifths.NOW)
        assert found is not None, "fifths.gaps() refuses without it"
        return found


def inequality(programme: Programme, *, measure: str | None = None, by: str = BY, period: str | None = None) -> Result:
    """How far apart are the most and the least deprived, before the programme and now?

    Needs: counts by deprivation fifth (`quintile`, 1 the most deprived) in `outcomes`, with the people of the same
    fifth beside them or in `denominators`. Rates of each fifth in the programme's places together, in the year before
    each place started and in the last year (or `period`); the slope index, how much higher the measure is at the most
    than at the least deprived end, and the relative index, how many times as high, along a line through all five, so
    that the middle counts too; and how both changed. Places to compare with stand beside them where they have fifths.
    A gap that is smaller now is not thereby the programme's doing, and a ratio may rise while a difference falls. Rates
    are not adjusted for age. `measure`: the first with fifths unless given. Table extras: n_of; by (whose places,
    when); people (years lived, or people asked); out_of; tells (the smallest fifth behind an index). Errors:
    `NotEnoughEvidence` without fifths, their people, or one of the five; ValueError for a period without figures.

    >>> import evalkit as ek
    >>> found = inequality(ek.load("sample_data/northmere"), measure="avoidable_admissions").table
    >>> found.loc[found["measure"].str.startswith("Slope"), "interval"].unique().tolist()
    ['95% confidence']
    """
    asked = _asked(programme, measure, by, period)
    table = _table(asked)
    rivals = circumstances.rivals(programme)
    design = Design.BEFORE_AFTER if asked.gap(MINE, fifths.BEFORE) else Design.DESCRIBED
    evidence = grade(design, informants=("routine records",), rivals=rivals)
    decided = described(DECIDED)
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
        chart=charts.named("gradient"),
        method=Method(
            name=_method(asked.now),
            source=SOURCE,
            assumes="From the most to the least deprived person the measure follows one line; events are independent.",
            design=design,
        ),
        evidence=evidence,
        cautions=_cautions(asked, rivals),
        about=circumstances.about(
            programme,
            f"population.inequality(measure={asked.measure.id!r}{f', period={period!r}' if period else ''})",
            n=asked.places,
            of=len(programme.places) - len(circumstances.comparison_places(programme)),
            counts="places",
            beneficiary=asked.measure.beneficiary,
        ),
        details=[gap.index for gap in asked.gaps],
    )


def _asked(programme: Programme, name: str | None, by: str, period: str | None) -> _Asked:
    if by != BY:
        raise ValueError(f"by={by!r}: inequality is told by {BY!r}, the deprivation fifth in outcomes.csv.")
    measure = circumstances.measure(programme, name or _first_with_fifths(programme))
    gaps, places, late = fifths.gaps(programme, measure, period)
    return _Asked(programme, measure, gaps, places, late)


def _first_with_fifths(programme: Programme) -> str:
    """The first measure that is given by deprivation fifth."""
    told = programme.outcomes
    given = set(told.loc[told["quintile"].notna(), "measure"])
    first = next((name for name in programme.measures if name in given), None)
    if first is None:
        raise refuse("No measure is given by deprivation fifth.", fifths.WOULD_ANSWER)
    return first


def _table(asked: _Asked) -> pd.DataFrame:
    """Changes, indices, then each fifth with all five together, for each set of places and time."""
    rows = [row for arm in (MINE, OTHERS) for row in _changes(asked, arm)]
    rows += [row for gap in asked.gaps for row in _indices(asked, gap)]
    rows += [row for gap in asked.gaps for row in _fifths(asked, gap)]
    columns = ["measure", "group", "estimate", "low", "high", "interval", "n", "unit", "n_of", "by", "people", "out_of"]
    table = pd.DataFrame(rows).reindex(columns=[*columns, TELLS])
    return table.astype({"n": "Int64", "out_of": "Int64", TELLS: "Int64", "people": float})


def _row(measure: str, group: str, found: tuple[float, float, float], unit: str, **extras: Any) -> dict[str, Any]:
    estimate, low, high = found
    sure = "none given" if low != low else "95% confidence"
    return {"measure": measure, "group": group, "estimate": estimate, "low": low, "high": high, "interval": sure,
            "unit": unit, "n_of": "events", **extras}  # fmt: skip


def _changes(asked: _Asked, arm: str) -> list[dict[str, Any]]:
    """How far both indices changed, where there are both times."""
    before, now = (asked.gap(arm, when) for when in (fifths.BEFORE, fifths.NOW))
    if before is None or now is None or before.index is None or now.index is None:
        return []
    found = slope_index.change(before.index, now.index)
    row = partial(
        _row, group=ALL, n=int(before.events + now.events), by=f"{arm}, {before.called} and {now.called}",
        tells=min(before.smallest, now.smallest),
    )  # fmt: skip
    rows = [row(MOVED, found=(found.estimate, found.low, found.high), unit=in_period.unit(asked.measure))]
    if found.relative == found.relative:
        rows.append(row(TURNED, found=(found.relative, found.relative_low, found.relative_high),
                        unit="ratio, 1 is no change"))  # fmt: skip
    return rows


def _indices(asked: _Asked, gap: Gap) -> list[dict[str, Any]]:
    index = gap.index
    if index is None:
        return []
    row = partial(_row, group=ALL, n=int(gap.events), by=gap.whose, tells=gap.smallest)  # four fifths tell the fifth
    rows = [row(SLOPE, found=(index.estimate, index.low, index.high), unit=in_period.unit(asked.measure))]
    if index.relative == index.relative:
        rows.append(row(RATIO, found=(index.relative, index.relative_low, index.relative_high),
                        unit="ratio, 1 is no gap"))  # fmt: skip
    return rows


def _fifths(asked: _Asked, gap: Gap) -> list[dict[str, Any]]:
    """A row a fifth, then all five together."""
    share = asked.measure.kind == "proportion"
    unit = in_period.unit(asked.measure)
    rows: list[tuple[int, dict[Any, Any]]] = [*zip(fifths.FIFTHS, gap.fifths.to_dict("records"), strict=True)]
    return [
        _row(
            asked.measure.label, NAMES.get(fifth, ALL), (told["value"], told["low"], told["high"]), unit,
            n=int(told["count"]), by=gap.whose, people=told["people"], out_of=int(told["people"]) if share else pd.NA,
        )
        for fifth, told in [*rows, (0, gap.together.to_dict())]
    ]  # fmt: skip


def _find(table: pd.DataFrame, measure: str, gap: Gap | None, group: str = ALL) -> int | None:
    """The row of this measure, or None."""
    if gap is None:
        return None
    found = table.index[(table["measure"] == measure) & (table["by"] == gap.whose) & (table["group"] == group)]
    return int(found[0]) if len(found) else None


def _cell(table: pd.DataFrame, row: int, column: str = "estimate") -> float:
    return float(table[column].iloc[row])


def _headline(asked: _Asked, table: pd.DataFrame) -> Sentence:
    label, unit = asked.measure.label, in_period.unit(asked.measure)
    now, before = (_find(table, SLOPE, asked.gap(MINE, when)) for when in (fifths.NOW, fifths.BEFORE))
    if now is None:
        rows = tuple(row for name in NAMES.values() if (row := _find(table, label, asked.now, name)) is not None)
        return Sentence(f"{label} by deprivation fifth: no slope can be drawn", rows=rows)
    value = _value(asked, _cell(table, now))
    if before is None:
        return Sentence(f"{label}: the gap from most to least deprived is {value} {unit}", rows=(now,))
    was = _value(asked, _cell(table, before))
    return Sentence(f"{label}: the gap from most to least deprived was {was} and is now {value} {unit}", (before, now))


def _sentences(asked: _Asked, table: pd.DataFrame) -> list[Sentence]:
    said = [_ends(asked, table)]
    if asked.now.index is None:
        return [*said, Sentence(f"There is no slope index: {asked.now.why}")]
    said.append(_gaps(asked, table))
    return said + [sentence for arm in (MINE, OTHERS) for sentence in _moved(asked, table, arm)]


def _ends(asked: _Asked, table: pd.DataFrame) -> Sentence:
    """The two outer fifths now."""
    found = [_find(table, asked.measure.label, asked.now, NAMES[fifth]) for fifth in (1, 5)]
    rows = tuple(row for row in found if row is not None)
    most, least = (_value(asked, _cell(table, row)) for row in rows)
    return Sentence(
        f"{words.sentence_case(asked.now.stretch.spoken)}, in {words.counted(asked.places, 'programme place')}, "
        f"{asked.measure.label.lower()} were {most} {in_period.unit(asked.measure)} in the most deprived fifth and "
        f"{least} in the least deprived.",
        rows=rows,
    )


def _gaps(asked: _Asked, table: pd.DataFrame) -> Sentence:
    """The slope index, before and now, with its ratio."""
    told, rows = [], []
    for gap in (asked.gap(MINE, fifths.BEFORE), asked.now):
        row, ratio = _find(table, SLOPE, gap), _find(table, RATIO, gap)
        if gap is None or row is None:
            continue
        rows += [at for at in (row, ratio) if at is not None]
        times = "" if ratio is None else f"; {words.number(_cell(table, ratio), 1)} times as high"
        span = " to ".join(_value(asked, _cell(table, row, end)) for end in ("low", "high"))
        told.append(f"{_value(asked, _cell(table, row))} ({span}{times}) in the {gap.called}")
    verb = "was" if len(told) > 1 else "is"
    return Sentence(f"Along the whole range the gap {verb} {' and is '.join(told)}.", rows=tuple(rows))


def _moved(asked: _Asked, table: pd.DataFrame, arm: str) -> list[Sentence]:
    """How far the gap changed, in these places."""
    found = [int(at) for at in table.index[(table["measure"] == MOVED) & table["by"].str.startswith(arm)]]
    if not found:
        return []
    changed, low, high = (_cell(table, found[0], column) for column in ("estimate", "low", "high"))
    places = 1 if asked.measure.kind == "proportion" else 0
    who = "The gap is now" if arm == MINE else "In comparison places it is"
    either = "; it may be either" if low < 0 < high else ""
    said = f"{who} {words.higher(changed, places)} ({_way(low, high, places)}{either})."
    return [Sentence(said.replace("higher", "wider").replace("lower", "narrower"), rows=(found[0],))]


def _way(low: float, high: float, places: int) -> str:
    """An interval of a change, each end with its direction."""
    if low < 0 < high:
        return f"between {words.number(-low, places)} lower and {words.number(high, places)} higher"
    near, far = sorted((abs(low), abs(high)))
    return f"between {words.number(near, places)} and {words.number(far, places)} {'lower' if high <= 0 else 'higher'}"


def _value(asked: _Asked, value: float) -> str:
    return words.number(value, 1 if asked.measure.kind == "proportion" or abs(value) < 100 else 0)


def _marks(asked: _Asked, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """The fifths of the programme's places before and now, as far apart as the people in them are many."""
    people = asked.now.fifths["people"]
    if asked.measure.kind == "proportion" and people.min() < asked.programme.minimum_group:
        people = people * 0 + 1  # how far apart they stand would tell how few were asked
    share = people / people.sum()
    ranks = share.cumsum() - share / 2
    named = zip(NAMES.values(), ranks, strict=True)
    drawn: list[dict[str, Any]] = [{"mark": "tick", "x": name, "y": float(rank)} for name, rank in named]
    for when in (fifths.BEFORE, fifths.NOW):
        gap = asked.gap(MINE, when)
        if gap is None:
            continue
        own = table[(table["measure"] == asked.measure.label) & (table["by"] == gap.whose) & (table["group"] != ALL)]
        drawn += [
            {"mark": "point", "series": gap.called, "x": told["group"], "y": told["estimate"], "low": told["low"],
             "high": told["high"], "n": told["n"], "row": row}
            for row, told in own.to_dict("index").items()
        ]  # fmt: skip
    return charts.marks(
        drawn,
        headline=headline,
        subtitle=f"{asked.measure.label} {in_period.unit(asked.measure)} by deprivation fifth, "
        f"{words.counted(asked.places, 'programme place')}",
    )


def _method(now: Gap) -> str:
    scale = f" fitted on the {now.index.scale} scale" if now.index else ""
    return f"Slope and relative index of inequality over fifths, a weighted line{scale}, intervals by 100,000 draws"


def _cautions(asked: _Asked, rivals: tuple[str, ...]) -> list[Sentence]:
    said = [NOT_ADJUSTED, BOTH, EDITION]
    if asked.gap(OTHERS, fifths.NOW) is None:
        said.insert(0, NOBODY)
    if asked.measure.kind != "proportion":
        said.append(AGAIN)
    for gap in asked.gaps:
        if gap.index is not None and gap.index.bend_p < slope_index.BENT:
            said.append(f"In {gap.whose}, the fifths do not lie along one line: a single slope does not say it all.")
        if gap.index is None and gap is not asked.now:
            said.append(f"No slope for {gap.whose}: {gap.why}")
    if asked.gap(MINE, fifths.BEFORE) is None:
        said.append("There are no figures from before the start: this is the gap as it is, not how it changed.")
    if asked.late:
        said.append(
            f"In {words.counted(asked.late, 'place')} the programme started after this time began: it is no time after."
        )
    if rivals:
        said.append(f"Also going on in the same time: {words.listed(list(rivals))}.")
    return [Sentence(text) for text in said]
