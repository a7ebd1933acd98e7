"""Where do partners see it differently, and what could they ask each other?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.disclosure import TELLS
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.stats import agreement as agreement_stats
from evalkit.team.alike import LEAST_RATERS, SIXTH
from evalkit.team.scored import INSIDERS, NOT_RECORDED, Scored, scored
from evalkit.team.told import Beside, beside, few, wholes
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from evalkit.programme import Programme

QUESTION = "Where do partners see it differently, and what could they ask each other?"
STEP = 1.0
"""Organisations, or levels, see it differently where their means lie at least so many steps apart (a judgement)."""
LEAST_WHEN_OPEN = 2
"""Respondents an organisation or level needs before its view is set beside another's, where partners agreed that scores
are shown; never one alone. Otherwise as many as an agreement needs (a judgement)."""
RULE = (
    "Each place's question is about the domain on which its people differ most. The usual limit: an average distance "
    "from the mean of a sixth of the number of steps. Organisations or levels: means at least one step apart."
)
METHOD = Method(
    name="Average deviation of answers from their mean, place by place; gap between the furthest means of "
    "organisations and of levels, after what was scored is taken out. " + RULE,
    source="Burke, Finkelstein and Dusig 1999, Organizational Research Methods 2(1), 49-68 (average deviation); the "
    "sixth is Burke and Dunlap's (2002) convention, not seen. Fillingham and Weir 2014, section 5: the value of the "
    "tool lies in the debate among partners.",
    assumes="People read the steps of the scale alike; where they do not, that is worth talking about too.",
    design=Design.DESCRIBED,
)
SAME = 1e-9
"""Deviations closer than this are alike: they differ by rounding only."""
People = dict[tuple[str, str], tuple[float, int]]
"""By subject and domain: the average deviation from the mean, and how many people scored."""
SPLITS = {"organisation": "organisations", "level": "levels of staff"}


@dataclass(frozen=True, slots=True)
class _Gap:
    """How far the furthest two groups lie apart, and how many people stand behind both. Which two is not said.

    `tells`: how few people that would tell beside the scores of groups, if it were guessed which two they are.
    """

    apart: float
    n: int
    groups: int
    ends: tuple[str, str]
    tells: int | None = None


def conversation_guide(
    programme: Programme, *, on: str = "icfat", rater: str = INSIDERS, subject: str | None = None,
    wave: int | None = None,
) -> Result:  # fmt: skip
    """Where do partners see it differently, and what could they ask each other?

    Needs: `responses` about places or teams on the instrument `on`, by people whose organisation (`people`, `posts`,
    `respondents`) and level (`respondents`, `participants`, `posts`) are known, at `wave` (the last unless given).
    Disagreement is what the tool is for, not a fault: each point is a question for a meeting, never an instruction, and
    what comes of it belongs in `actions`. An organisation's or level's view needs three respondents (two where
    `agreed_open` says that partners agreed to show scores); which two lie furthest apart is never said. A place with
    fewer than three respondents gets no point. Columns: what (differ most in; between people, organisations, levels),
    beyond (the usual limit), ask, meeting, tells (fewer people than the minimum, whom the row would tell beside other
    answers: it is withheld). Errors: `NotEnoughEvidence` where no place was scored by three people.

    >>> import evalkit as ek
    >>> guide = conversation_guide(ek.load("sample_data/northmere"))
    >>> guide.table["what"].unique().tolist()
    ['differ most in', 'between people', 'between organisations', 'between levels of staff']
    """
    asked = scored(programme, on, rater=rater, subject=subject, question=QUESTION)
    at = asked.wave(wave)
    scores = asked.scores[asked.scores["wave"] == at]
    people = _between_people(asked, scores)
    if not people:
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"No {asked.subject} was scored by {LEAST_RATERS} people in {circumstances.when(programme, at)}.",
            would_answer="answers of three people or more about the same place.",
        )
    table = _table(asked, scores, people)
    headline = _headline(asked, table)
    evidence, decided = grade(Design.DESCRIBED, informants=(words.raters(rater),)), described("Nothing is tested here.")
    settings = f"on={on!r}, rater={rater!r}" + ("" if wave is None else f", wave={wave}")
    return Result.of(
        question=QUESTION,
        level=Level.TEAM,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(asked, scores, table, at),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(asked, table, at, headline.text),
        chart=charts.named("bars"),
        method=METHOD,
        evidence=evidence,
        cautions=[*_cautions(programme, asked), *asked.cautions()],
        about=circumstances.about(
            programme, f"team.conversation_guide({settings})", n=int(scores["respondent_id"].nunique()), of=None,
            counts="respondents",
        ),
    )  # fmt: skip


def _between_people(asked: Scored, scores: pd.DataFrame) -> People:
    """Of each subject and domain with enough people: the average deviation from their mean, and how many they are."""
    found = {}
    for domain in asked.instrument.domains:
        own = scores[scores["domain"] == domain.key]
        if own.empty:
            continue
        apart = agreement_stats.average_deviation(own[["score"]], own["subject_id"])
        for group, n, estimate in apart[["group", "n", "estimate"]].itertuples(index=False):
            if n >= LEAST_RATERS:
                found[str(group), domain.key] = (float(estimate), int(n))
    return found


def _limit(asked: Scored) -> float:
    """The average deviation above which people see it differently, in points of the scale."""
    scale = asked.instrument.scale
    return (scale.high - scale.low + scale.step) / SIXTH


def _gap(asked: Scored, scores: pd.DataFrame, by: str) -> _Gap | None:
    """The furthest two groups of those with enough people, in what they score beside others scoring the same."""
    known = scores[scores[by] != NOT_RECORDED]
    beside = known["score"] - scores.groupby("subject_id")["score"].transform("mean").loc[known.index]
    groups = beside.groupby(known[by]).mean().to_frame("mean")
    groups["n"] = known.groupby(by)["respondent_id"].nunique()
    least = LEAST_WHEN_OPEN if asked.programme.settings.agreed_open else LEAST_RATERS
    groups = groups[groups["n"] >= least]
    if len(groups) < 2:
        return None
    ends = groups.loc[[groups["mean"].idxmin(), groups["mean"].idxmax()]]
    named = (str(ends.index[0]), str(ends.index[1]))
    return _Gap(float(ends["mean"].iloc[1] - ends["mean"].iloc[0]), int(ends["n"].sum()), len(groups), named)


def _gaps(asked: Scored, scores: pd.DataFrame) -> dict[tuple[str, str], _Gap]:
    """By split and domain the gap between its furthest groups, with how few people all of them together would tell."""
    found: dict[tuple[str, str], _Gap] = {}
    sums: dict[Any, Beside] = {}
    for key in asked.instrument.domain_labels:
        own = scores[scores["domain"] == key]
        gaps = {by: gap for by in SPLITS if (gap := _gap(asked, own, by)) is not None}
        if not gaps:
            continue
        means = wholes(asked, key, int(own["wave"].iloc[0]))
        who = frozenset(zip(own["respondent_id"], own["subject_id"], strict=True)), means
        if who not in sums:
            sums[who] = beside(own, asked.subject, asked.programme.minimum_group, means)
        shown: list[NDArray[np.float64]] = []
        for by, gap in gaps.items():
            apart = sums[who].apart(by, gap.ends)
            tells = sums[who].told_by([*shown, apart])
            shown += [] if tells else [apart]
            found[by, key] = replace(gap, tells=tells)
    return found


def _table(asked: Scored, scores: pd.DataFrame, people: People) -> pd.DataFrame:
    """A row a domain (in how many places people differ most on it), a row a place and domain, then gaps over all."""
    labels, widest = asked.instrument.domain_labels, _widest(people)
    most = [max(n for (of, _), (_, n) in people.items() if of == subject) for subject in widest]
    least = few(sum(most), asked.programme.minimum_group)
    rows = [_in_places(asked, key, widest) | {TELLS: least} for key in labels]
    for subject in asked.subjects:
        rows += [
            {**_row(labels[key], asked.name(subject), *people[subject, key], asked, "between people"),
             "beyond": people[subject, key][0] > _limit(asked), **_ask(asked, subject, key, people, widest)}
            for key in labels
            if (subject, key) in people
        ]  # fmt: skip
    gaps = _gaps(asked, scores)
    for by, named in SPLITS.items():
        rows += [_gap_row(asked, label, gaps[by, key], named) for key, label in labels.items() if (by, key) in gaps]
    table = pd.DataFrame(rows)
    whole = dict.fromkeys(("n", "out_of", TELLS), "Int64")
    return table.astype({**whole, "low": float, "high": float, "beyond": "boolean"})


def _widest(people: People) -> dict[str, list[str]]:
    """Of each place the domains on which its people differ most (several when alike); none where all agree fully."""
    found: dict[str, list[str]] = {}
    for subject in dict.fromkeys(subject for subject, _ in people):
        apart = {key: deviation for (of, key), (deviation, _) in people.items() if of == subject}
        most = max(apart.values())
        found[subject] = [key for key, each in apart.items() if most > 0 and each >= most - SAME]
    return found


def _row(measure: str, group: str, estimate: float, n: int, asked: Scored, what: str) -> dict[str, Any]:
    return register.row(
        measure, group, n=n, unit="points of the scale", n_of="respondents", estimate=estimate, out_of=None, what=what,
        beyond=None, ask="", tells=None,
        meeting=asked.programme.plan.meetings.get("team", f"A meeting of the {asked.subject}"),
    )  # fmt: skip


def _in_places(asked: Scored, key: str, widest: dict[str, list[str]]) -> dict[str, Any]:
    """In how many places people differ most on this domain."""
    n = sum(key in domains for domains in widest.values())
    found = _row(asked.instrument.domain_labels[key], ALL, n, n, asked, "differ most in")
    return {**found, "unit": f"{asked.subject}s", "n_of": f"{asked.subject}s", "out_of": len(widest)}


def _ask(asked: Scored, subject: str, key: str, people: People, widest: dict[str, list[str]]) -> dict[str, Any]:
    """The question of a place, at the first of the domains on which its people differ most."""
    if not widest[subject] or key != widest[subject][0]:
        return {}
    labels = words.listed([asked.instrument.domain_labels[domain] for domain in widest[subject]])
    apart = people[subject, key][0]
    limit = ", beyond the usual limit" if apart > _limit(asked) else ""
    ask = f"{asked.name(subject)}, on {labels}: what did each have in mind?"
    far = f"Answers lie {words.number(apart, 1)} points from their mean, on average{limit}."
    return {"ask": words.without_why(f"{ask} {far}")}


def _gap_row(asked: Scored, label: str, gap: _Gap, named: str) -> dict[str, Any]:
    row = _row(label, ALL, gap.apart, gap.n, asked, f"between {named}") | {TELLS: gap.tells}
    if gap.apart < STEP * asked.instrument.scale.step:
        return row
    ask = (
        f"All, on {label}: what does one see that another does not? The furthest two of {gap.groups} {named} lie "
        f"{words.number(gap.apart, 1)} points apart, whatever {asked.subject} they score."
    )
    return {**row, "ask": words.without_why(ask)}


def _headline(asked: Scored, table: pd.DataFrame) -> Sentence:
    rows = table[table["what"] == "differ most in"]
    most = int(rows["n"].max())
    if not most:
        return Sentence(f"People score their {asked.subject} alike in all {rows['out_of'].iloc[0]}", tuple(rows.index))
    named = words.listed([str(measure) for measure in rows.loc[rows["n"] == most, "measure"]])
    each = "each in" if (rows["n"] == most).sum() > 1 else "in"
    where = f"{each} {words.of(most, int(rows['out_of'].iloc[0]))} {asked.subject}s"
    return Sentence(f"People differ most on {named}, {where}", rows=tuple(rows.index))


def _sentences(asked: Scored, scores: pd.DataFrame, table: pd.DataFrame, at: int) -> list[Sentence]:
    rows = table[table["what"] == "differ most in"]
    apart = table[table["what"] == "between people"]
    people = words.counted(int(scores["respondent_id"].nunique()), "person", "people")
    places = words.counted(int(scores["subject_id"].nunique()), asked.subject)
    plural = words.sentence_case(f"{asked.subject}s")
    told = [f"{row['measure']} {row['n']}" for row in rows.to_dict("records") if row["n"]]
    said = [
        Sentence(f"{people} scored {places} in {circumstances.when(asked.programme, at)}. {plural} by what their "
                 f"people differ most on: {words.listed(told) or 'none'}.", rows=tuple(rows.index)),
        Sentence(f"Answers lie {words.between(apart['estimate'].min(), apart['estimate'].max(), 1)} points from their "
                 f"mean, on average; beyond the usual limit of {words.number(_limit(asked), 1)} in "
                 f"{words.of(int(apart['beyond'].sum()), len(apart))} pairs of {asked.subject} and domain.",
                 rows=tuple(apart.index)),
    ]  # fmt: skip
    for named in SPLITS.values():
        gaps = table[table["what"] == f"between {named}"]
        if not gaps.empty:
            at_most = int(gaps["estimate"].to_numpy().argmax())
            widest = gaps.iloc[at_most]
            said.append(
                Sentence(
                    f"Taking out which {asked.subject} they scored, {named} lie furthest apart on {widest['measure']}: "
                    f"{words.number(widest['estimate'])} points.",
                    rows=(int(gaps.index[at_most]),),
                )
            )
    return said


def _marks(asked: Scored, table: pd.DataFrame, at: int, headline: str) -> pd.DataFrame:
    rows = table.index[table["what"] == "differ most in"]
    when = circumstances.when(asked.programme, at)
    subtitle = f"{asked.subject}s whose people differ most on it, {asked.instrument.name}, {when}"
    return register.bars(
        table, rows, headline=headline, subtitle=f"{words.sentence_case(subtitle)}, {asked.programme.title}"
    )


def _cautions(programme: Programme, asked: Scored) -> list[Sentence]:
    said = [
        "That people differ is what the tool is for; it is no fault of theirs and no weakness of the place.",
        "People may differ in how they read the scale, or in what they know, and not in what they see.",
        RULE,
    ]
    agreed = programme.settings.agreed_open
    if agreed:
        said.append(f"Agreed on showing scores: {agreed}")
    least = LEAST_WHEN_OPEN if agreed else LEAST_RATERS
    said.append(
        f"Organisations and levels with fewer than {least} respondents are not set beside others, and which two lie "
        "furthest apart is not said."
    )
    return [Sentence(text) for text in said]
