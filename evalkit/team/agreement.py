"""Do people who score the same place see it alike?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.result import ALL, FIRST, Method, Result, Sentence
from evalkit.stats import agreement as agreement_stats
from evalkit.stats import multiplicity
from evalkit.team import alike as within
from evalkit.team.alike import Alike, alike
from evalkit.team.scored import INSIDERS, Scored, scored
from evalkit.terms import Design, Level, Step
from evalkit.verdict import LEAST_PAIRS, LEVEL, described

if TYPE_CHECKING:
    from evalkit.programme import Programme
    from evalkit.stats.agreement import Consensus

QUESTION = "Do people who score the same place see it alike?"
METHOD = Method(
    name=f"{within.METHOD}; growing agreement as the change of the standard deviation within places, over places",
    source=within.SOURCE,
    assumes="Those who answered at a place stand for those who did not; they answered each by themselves.",
    design=Design.DESCRIBED,
)
DEBATE = "Disagreement is a finding, not a fault: the value of such a tool lies in generating debate among partners."
HOW = {
    within.YES: "alike enough for one score",
    within.WITH_CARE: "with care",
    within.NO: "not",
    within.NOT_KNOWN: "not known",
}
OVER_DOMAINS = "Median over domains"
SPREAD, SPREAD_CHANGE = "spread", "change in spread"
COLUMNS = ("n_of", "wave", *within.EXTRAS)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Agreement at the wave asked about and at the first, and by domain how the spread within places moved."""

    asked: Scored
    now: list[Alike]
    first: list[Alike]
    moved: dict[str, Consensus]

    @property
    def wave(self) -> int:
        return self.now[0].wave

    @property
    def places(self) -> str:
        return f"{self.asked.subject}s"

    @property
    def known(self) -> list[str]:
        """The domains whose agreement could be looked at."""
        return [each.domain.label for each in self.now if each.together != within.NOT_KNOWN]

    def labels(self, together: str) -> list[str]:
        """The domains that may (or may not) be put together to one score."""
        return [each.domain.label for each in self.now if each.together == together]


def agreement(
    programme: Programme,
    *,
    on: str = "icfat",
    rater: str = INSIDERS,
    subject: str | None = None,
    wave: int | None = None,
    confidence: float = 0.95,
) -> Result:
    """Are organisations working better together? Do people who score the same place see it alike?

    Needs: `responses` about places (or teams, organisations: `subject`) on the instrument `on` by one kind of `rater`,
    three people or more of each. Asked before one score a place is made of them: an average of people who see a place
    otherwise is nobody's view. `wave` is the last unless given. Comparison places are left out. Everything is
    described; no place is ranked. Agreement is not accuracy: people can agree and be wrong. It also rises where scores
    crowd at an end of the scale. Columns: n_of; wave; what (the number: r_wg against either null, average deviation,
    ICC(1), ICC(2); spread: the standard deviation within places, and its change); counted (places it is the median of;
    by place: domains); reached (how many of these are at .70 or more, or within the cut-off); together (yes, with
    care, no, by `alike.TOGETHER_RULE`). A range over places is given where each has the programme's minimum of people.
    Errors: `NotEnoughEvidence` when nobody answered, or no place has three people.

    >>> import evalkit as ek
    >>> agreement(ek.load("sample_data/northmere")).table["interval"].iloc[0]
    'range'
    """
    asked = scored(programme, on, rater=rater, subject=subject, question=QUESTION)
    found = _found(asked, wave, confidence)
    table = _table(found, confidence)
    headline = _headline(found, table)
    evidence = grade(Design.DESCRIBED, informants=(words.raters(rater),))
    decided = described("How far people see a place alike is described: nothing is tested.")
    settings = {"on": on, "rater": rater, "subject": subject, "wave": wave}
    told = [f"{name}={value!r}" for name, value in settings.items() if value is not None]
    return Result.of(
        question=QUESTION,
        level=Level.TEAM,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(found, table),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(found, table, headline.text),
        chart=charts.named("dots"),
        method=METHOD,
        evidence=evidence,
        cautions=_cautions(found),
        about=circumstances.about(
            programme,
            f"team.agreement({', '.join(told)})",
            n=asked.people(wave=found.wave),
            of=None,
            counts="respondents",
        ),
        details=found.now,
    )


def _found(asked: Scored, wave: int | None, confidence: float) -> _Found:
    if wave is not None and wave not in asked.waves:
        held = words.listed([str(each) for each in asked.waves])
        raise ValueError(f"wave={wave!r} is none at which somebody answered: {held}.")
    last = asked.waves[-1] if wave is None else wave
    now = alike(asked, last, confidence)
    if all(each.each.empty for each in now):
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"No {asked.subject} was scored by {within.LEAST_RATERS} people or more at wave {last}.",
            would_answer=f"answers of at least {within.LEAST_RATERS} people about each {asked.subject}, given each by "
            "themselves before they talk.",
        )
    if asked.waves[0] == last:
        return _Found(asked, now, [], {})
    first = alike(asked, asked.waves[0], confidence)
    return _Found(asked, now, first, _moved(asked, first, now, confidence))


def _moved(asked: Scored, first: list[Alike], now: list[Alike], confidence: float) -> dict[str, Consensus]:
    """Each domain's change of spread over the places with enough people at both waves."""
    found = {}
    for before, after in zip(first, now, strict=True):
        both = before.each.index.intersection(after.each.index)
        if both.empty:
            continue
        scores = asked.scores[asked.scores["domain"] == after.domain.key]
        held = scores[scores["wave"].isin((before.wave, after.wave)) & scores["subject_id"].isin(both)]
        one = held.groupby(["respondent_id", "subject_id", "wave"], as_index=False)["score"].mean()
        clock = one.assign(time=(one["wave"] == after.wave).astype(float))
        found[after.domain.key] = agreement_stats.consensus(
            clock, score="score", group="subject_id", time="time", confidence=confidence
        )
    return found


def _table(found: _Found, confidence: float) -> pd.DataFrame:
    """Rows for each domain, then each place over its domains, then how the spread within places moved."""
    rows = [row for each in found.now for row in each.rows()]
    for held in (found.first, found.now):
        for column, null in (("uniform", within.RANDOM), ("skew", within.LEANING)):
            rows += _places(found.asked, held, column, null)
    for each in found.now:
        if each.domain.key in found.moved:
            rows += _spread(found, each, found.moved[each.domain.key], confidence)
    table = pd.DataFrame(rows).reindex(columns=[*FIRST, *COLUMNS])
    whole = {"n": "Int64", "wave": "Int64", "counted": "Int64", "reached": "Int64"}
    return table.astype({**whole, "estimate": float, "low": float, "high": float}).fillna({"together": ""})


def _places(asked: Scored, held: list[Alike], column: str, null: str) -> list[dict[str, Any]]:
    """Each place's median over its domains, by its name in the order of the alphabet; too few people have no number."""
    if not held:
        return []
    wave = held[0].wave
    by_place = pd.DataFrame({each.domain.key: each.each[column] for each in held}).reindex(asked.subjects)
    fewest = pd.DataFrame({each.domain.key: each.each["n"] for each in held}).reindex(asked.subjects).min(axis=1)
    rows = []
    for place, agreed in zip(asked.subjects, by_place.to_numpy(dtype=float), strict=True):
        people, values = asked.people(wave=wave, subject_id=place), pd.Series(agreed).dropna()
        if pd.notna(fewest[place]):  # so many people, or more, stand behind each end of its range
            people = int(fewest[place])
        rows.append(
            {"measure": f"{OVER_DOMAINS}, {null}", "group": asked.name(place), "estimate": values.median(),
             "low": values.min() if len(values) > 1 else float("nan"),
             "high": values.max() if len(values) > 1 else float("nan"),
             "interval": "range" if len(values) > 1 else "none given", "n": people, "unit": within.FROM_TO,
             "n_of": "respondents", "wave": wave, "what": f"{within.r_wg(held)}, {null}", "counted": len(values),
             "reached": int((values >= within.STRONG).sum()) if len(values) else None}
        )  # fmt: skip
    return rows


def _spread(found: _Found, each: Alike, moved: Consensus, confidence: float) -> list[dict[str, Any]]:
    """The spread within places at both waves, and its change over places with an interval where these are enough."""
    times, first = moved.times, found.first[0].wave
    common = {
        "measure": each.domain.label, "group": ALL, "interval": "none given", "n_of": "respondents",
        "unit": f"{found.asked.unit}, standard deviation within {found.places}", "counted": moved.n,
    }  # fmt: skip
    rows: list[dict[str, Any]] = [
        common | {"estimate": sd, "n": n, "wave": wave, "what": SPREAD}
        for wave, sd, n in zip((first, found.wave), times["sd"], times["n"], strict=True)
    ]
    change = common | {"estimate": moved.estimate, "n": int(times["n"].min()), "what": SPREAD_CHANGE}
    if moved.n >= LEAST_PAIRS and moved.low == moved.low:
        change |= {"low": moved.low, "high": moved.high, "interval": f"{confidence:.0%} confidence"}
    return [*rows, change]


def _headline(found: _Found, table: pd.DataFrame) -> Sentence:
    yes, care = len(found.labels(within.YES)), len(found.labels(within.WITH_CARE))
    with_care = f", {care} more with care" if care else ""
    of = f"{words.of(yes, len(found.known))} domains{with_care}"
    rows = _rows(table, "r_wg", found.known)
    return Sentence(f"Seen alike enough for one score a {found.asked.subject}: {of}", rows=rows)


def _rows(table: pd.DataFrame, what: str, measures: list[str] | None = None) -> tuple[int, ...]:
    """Rows over all places that hold this number, of these domains where they are named."""
    held = table[(table["group"] == ALL) & table["what"].str.startswith(what)]
    held = held if measures is None else held[held["measure"].isin(measures)]
    return tuple(int(row) for row in held.index)


def _sentences(found: _Found, table: pd.DataFrame) -> list[Sentence]:
    asked = found.asked
    people = words.counted(asked.people(wave=found.wave), "person", "people")
    places = asked.scores.loc[asked.scores["wave"] == found.wave, "subject_id"].nunique()
    when = circumstances.when(asked.programme, found.wave)
    said = [f"{how} on {words.listed(labels)}" for key, how in HOW.items() if (labels := found.labels(key))]
    first = Sentence(
        f"In {when} {people} scored {words.counted(places, asked.subject)} ({asked.instrument.name}): "
        f"{'; '.join(said)}.",
        rows=_rows(table, "r_wg", found.known),
    )
    return [first, *_least_alike(found, table), *_apart(found, table), *_growing(found, table)]


def _least_alike(found: _Found, table: pd.DataFrame) -> list[Sentence]:
    """Which domains are seen least and most alike: where to begin talking."""
    held = table.loc[list(_rows(table, "r_wg", found.known))]
    order = held[held["together"] != ""].sort_values("estimate", kind="stable")
    if len(order) < 2:
        return []
    said = [
        f"{row['measure']} (median agreement {within.r_wg(found.now)} {words.number(row['estimate'])}, "
        f"{words.of(row['reached'], row['counted'])} {found.places} at {within.STRONG:.2f} or more)"
        for row in order.iloc[[0, -1]].to_dict("records")
    ]
    ends = tuple(int(row) for row in (order.index[0], order.index[-1]))
    return [Sentence(f"Least alike is {said[0]}, where talking may begin; most alike is {said[1]}.", rows=ends)]


def _apart(found: _Found, table: pd.DataFrame) -> list[Sentence]:
    """On how many domains places differ, and means tell them apart."""
    known = [each for each in found.now if each.icc is not None]
    if not known:
        return []
    differ, reliable = (sum(of) for of in zip(*((e.differ, e.reliable) for e in known), strict=True))
    places, above = words.sentence_case(found.places), "ICC(1) with its interval above 0"
    reliably = f"; on {reliable} their means tell them apart reliably (ICC(2) {within.TELLS_APART:.2f} or more)"
    clearly = f"{places} clearly differ from each other on {words.of(differ, len(known))} domains ({above}){reliably}."
    none = f"{places} clearly differ from each other on none of {len(known)} domains (no {above})."
    return [Sentence(clearly if differ else none, rows=_rows(table, "ICC"))]


def _growing(found: _Found, table: pd.DataFrame) -> list[Sentence]:
    """On which domains people of one place came to score more alike, or less: Holm over the domains."""
    tested = {key: moved for key, moved in found.moved.items() if moved.n >= LEAST_PAIRS and moved.p == moved.p}
    if not tested:
        return []
    adjusted = multiplicity.adjust([moved.p for moved in tested.values()], "holm").tolist()
    clear = {key: tested[key].estimate for key, p in zip(tested, adjusted, strict=True) if p < LEVEL}
    labels = found.asked.instrument.domain_labels
    more = words.listed([labels[key] for key, by in clear.items() if by < 0]) or "no domain"
    less = words.listed([labels[key] for key, by in clear.items() if by > 0]) or "none"
    since = circumstances.when(found.asked.programme, found.first[0].wave)
    return [
        Sentence(
            f"Since {since} the people of one {found.asked.subject} came to score clearly more alike on {more}, "
            f"clearly less alike on {less} ({words.counted(len(tested), 'domain')} looked at together).",
            rows=_rows(table, SPREAD_CHANGE),
        )
    ]


def _marks(found: _Found, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A dot a domain against answers at random, with the range over places, and the cut-off."""
    held = table.loc[list(_rows(table, "r_wg"))].to_dict("index")
    rows: list[dict[str, Any]] = [
        {"mark": "point", "series": row["what"], "y": row["estimate"], "low": row["low"], "high": row["high"],
         "n": row["n"], "row": at, "x": row["measure"]}
        for at, row in held.items() if row["estimate"] == row["estimate"] and row["what"].endswith(within.RANDOM)
    ]  # fmt: skip
    rows.append({"mark": "line", "y": within.STRONG, "label": "strong, by convention"})
    rows.append({"mark": "scale", "low": -0.02, "high": 1.02})
    asked, ranged = found.asked, any(row["low"] == row["low"] for row in held.values())
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"Agreement within {found.places}, {asked.instrument.name}, "
        f"{circumstances.when(asked.programme, found.wave)}, {asked.programme.title}",
        x_axis=f"agreement ({within.r_wg(found.now)}): 0 none, 1 all alike; median of {found.places}"
        f"{' and their range' if ranged else ''}",
    )


def _cautions(found: _Found) -> list[Sentence]:
    said = [
        DEBATE,
        "Agreement is not accuracy: people can agree and be wrong.",
        "People also score alike where scores crowd at an end of the scale.",
    ]
    if not found.first:
        said.append("No earlier wave: whether people come to see it more alike is not known.")
    return [*(Sentence(text) for text in said), *within.cautions(found.now), *found.asked.cautions()]
