"""Did ratings of leaders change between two waves, by whoever gave them?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.individual import ratings
from evalkit.instrument import OVERALL, Instrument
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.stats import multiplicity, panel
from evalkit.terms import Design, Level, Step
from evalkit.verdict import HEADLINE, LEAST_PAIRS, Decision, Other, decide

if TYPE_CHECKING:
    from evalkit.programme import Programme
    from evalkit.stats.panel import PanelChange

CEILING = 0.25
"""Above this share of first answers at the top of the scale, intervals are lopsided (simulated: the methods page)."""

METHOD = Method(
    name="Change between two waves from all answers given, with errors robust to how people and teams vary",
    source="EM: Dempster, Laird and Rubin 1977; CR2 and its degrees of freedom: Pustejovsky and Tipton 2018; "
    "for complete answers it is the paired t.",
    assumes="Whether people stopped answering may depend on what they answered before, not on what they would have "
    "answered; people (or teams, when known) are independent of each other.",
    design=Design.BEFORE_AFTER,
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is compared: whose answers, on what, and between which waves."""

    programme: Programme
    instrument: Instrument
    rater: str
    first: int
    last: int
    scores: pd.DataFrame

    def answers(self, domain: str) -> pd.DataFrame:
        """Leaders × waves, NaN where not rated."""
        return ratings.by_wave(self.scores, domain)

    def closes(self, wave: int) -> pd.Timestamp | None:
        """The day a wave closed, where it is known."""
        return circumstances.closes(self.programme, wave)

    def when(self, wave: int) -> str:
        """The month a wave closed, or its number."""
        return circumstances.when(self.programme, wave)


def growth(
    programme: Programme,
    *,
    on: str,
    rater: str = "self",
    between: tuple[int, int] | None = None,
    confidence: float = 0.95,
) -> Result:
    """Are people leading differently?

    Needs: `responses` about persons on the instrument `on`, at two waves or more. Ratings by oneself often dip as
    understanding grows, and rise when people want to show that time was well spent: read them beside sponsors and
    partners (`rater="sponsor"`). Everybody with any answer is used, not only those who answered twice; teams are kept
    together when at least five are known. Errors: `NotEnoughEvidence` without two waves of linked answers.

    >>> import evalkit as ek
    >>> growth(ek.load("sample_data/northmere"), on="system_leadership").table["measure"].iloc[0]
    'Overall (mean of domains)'
    """
    asked = _asked(programme, on, rater, between)
    labels = asked.instrument.domain_labels
    domains = [OVERALL, *(key for key in labels if key != OVERALL)] if OVERALL in labels else list(labels)
    found = {domain: _change(asked, domain, confidence) for domain in domains}
    primary = found[domains[0]]
    decided = _decided(asked, found)
    table = _table(asked, found, confidence)
    rivals = circumstances.rivals(programme)
    evidence = grade(Design.BEFORE_AFTER, informants=(rater,), rivals=rivals)
    headline = _headline(asked, primary, decided)
    return Result.of(
        question=ratings.QUESTION,
        level=Level.INDIVIDUAL,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(asked, primary, decided),
        decided=decided,
        attribution=attribution(evidence, decided.verdict, outside_agrees=_outside_agrees(asked, primary)),
        table=table,
        marks=_marks(asked, table, headline.text),
        chart=charts.named("dots"),
        method=METHOD,
        evidence=evidence,
        cautions=_cautions(asked, primary, rivals),
        about=circumstances.about(
            programme,
            f"individual.growth(on={on!r}, rater={rater!r}, between=({asked.first}, {asked.last}))",
            n=primary.n_both,
            of=len(circumstances.taking_part(programme)) or None,
            counts="leaders",
        ),
        details=found,
    )


def _asked(programme: Programme, on: str, rater: str, between: tuple[int, int] | None) -> _Asked:
    """The answers asked for, or a refusal that says which are missing."""
    instrument = circumstances.instrument(programme, on)
    if instrument.recorded:
        raise NotEnoughEvidence(
            ratings.QUESTION,
            missing=instrument.never_averaged,
            would_answer="an instrument that says how well or how often people lead, at two waves.",
        )
    scores = ratings.given(programme, instrument, rater)
    waves = sorted(int(wave) for wave in scores.loc[scores["score"].notna(), "wave"].dropna().unique())
    if len(waves) < 2:
        raise NotEnoughEvidence(
            ratings.QUESTION,
            missing=f"{words.sentence_case(words.raters(rater))} answered the {instrument.name} at one wave only."
            if waves
            else f"{words.sentence_case(words.raters(rater))} gave no answers on the {instrument.name}.",
            would_answer=f"the same people answering it {'' if waves else 'at the start and '}again, at least six "
            "months later, in responses.csv.",
        )
    first, last = between or (waves[0], waves[-1])
    if first >= last:
        raise ValueError(
            f"between=({first}, {last}) must give the earlier wave first, such as ({waves[0]}, {waves[-1]})."
        )
    absent = [wave for wave in (first, last) if wave not in waves]
    if absent:
        raise NotEnoughEvidence(
            ratings.QUESTION,
            missing=f"Nobody answered at wave {words.listed([str(wave) for wave in absent])}.",
            would_answer=f"choosing between two of the waves answered: {words.listed([str(wave) for wave in waves])}.",
        )
    _refuse_cross_sections(scores, first, last)
    return _Asked(programme, instrument, rater, first, last, scores)


def _refuse_cross_sections(scores: pd.DataFrame, first: int, last: int) -> None:
    """Two groups of people asked once each are not one group asked twice."""
    rated = scores[scores["score"].notna()]
    ids = [set(rated.loc[rated["wave"] == wave, "subject_id"]) for wave in (first, last)]
    if not ids[0] & ids[1]:
        raise NotEnoughEvidence(
            ratings.QUESTION,
            missing=f"No id stands at both waves {first} and {last}: these are two groups of people, or the same "
            "people under ids that cannot be joined.",
            would_answer="the same id for a person at every wave; where an id changed, respondents.csv joins it to the "
            "earlier one with alias_of.",
        )


def _change(asked: _Asked, domain: str, confidence: float) -> PanelChange:
    answers = asked.answers(domain).reindex(columns=sorted({*asked.scores["wave"], asked.first, asked.last}))
    try:
        return panel.available(
            answers,
            first=asked.first,
            last=asked.last,
            teams=ratings.teams(asked.programme, answers.index),
            confidence=confidence,
        )
    except ValueError as refusal:
        raise NotEnoughEvidence(
            ratings.QUESTION,
            missing=f"{asked.instrument.domain_labels[domain]}: {refusal}",
            would_answer="at least five people who answered at both waves, under the same id each time.",
        ) from refusal


def _decided(asked: _Asked, found: dict[str, PanelChange]) -> Decision:
    """The verdict on the first measure; the domains are its other declared measures, Holm within the question."""
    first, *rest = found
    adjusted = multiplicity.adjust([found[domain].p for domain in rest], "holm").tolist() if rest else []
    higher = asked.instrument.better == "higher"
    others = [
        Other(asked.instrument.domain_labels[domain], (found[domain].estimate > 0) == higher, float(p))
        for domain, p in zip(rest, adjusted, strict=True)
    ]
    pairs = found[first].n_both
    return decide(
        found[first],
        better=asked.instrument.better,
        worthwhile=asked.instrument.smallest_worthwhile_change,
        value_words=asked.instrument.validated,
        described_as="" if pairs >= LEAST_PAIRS else f"Only {words.counted(pairs, 'person', 'people')} answered twice.",
        too_early=circumstances.too_early(
            asked.programme, asked.programme.plan.lag_months.get(asked.instrument.id), asked.closes(asked.last)
        ),
        others=others,
        informant=_informant(asked),
    )


def _informant(asked: _Asked) -> PanelChange | None:
    """The same change as the declared informant saw it, where one is declared and answered."""
    informant = asked.programme.plan.informant
    if not informant or informant == asked.rater:
        return None
    return _seen_by(asked, informant)


def _seen_by(asked: _Asked, rater: str) -> PanelChange | None:
    try:
        others = _asked(asked.programme, asked.instrument.id, rater, (asked.first, asked.last))
        return _change(others, ratings.main_domain(asked.instrument), HEADLINE)
    except NotEnoughEvidence:
        return None


def _outside_agrees(asked: _Asked, primary: PanelChange) -> bool:
    """Whether people outside the programme saw a clear change in the same direction."""
    seen = None if asked.rater == ratings.OUTSIDE else _seen_by(asked, ratings.OUTSIDE)
    if seen is None:
        return False
    low, high = seen.interval(HEADLINE)
    return low > 0 if primary.estimate > 0 else high < 0


def _table(asked: _Asked, found: dict[str, PanelChange], confidence: float) -> pd.DataFrame:
    """A row a measure. Extras: n_of, mean_first, mean_last, answered_first, answered_last, answered_both."""
    scale = asked.instrument.scale
    rows = []
    for domain, change in found.items():
        means = change.wave_means.set_index("wave")["mean"]
        rows.append(
            {
                "measure": asked.instrument.domain_labels[domain],
                "group": ALL,
                "estimate": change.estimate,
                "low": change.low,
                "high": change.high,
                "interval": f"{confidence:.0%} confidence",
                "n": change.n,
                "unit": f"points on a scale of {scale.low:g} to {scale.high:g}",
                "n_of": "leaders",
                "mean_first": means[asked.first],
                "mean_last": means[asked.last],
                "answered_first": change.n_first,
                "answered_last": change.n_last,
                "answered_both": change.n_both,
            }
        )
    return pd.DataFrame(rows).astype({"n": "Int64"})


def _headline(asked: _Asked, primary: PanelChange, decided: Decision) -> Sentence:
    places = words.decimals(decided.low, decided.high)
    told = "self-report" if asked.rater == "self" else f"told by {words.raters(asked.rater)}"
    scale = asked.instrument.scale
    return Sentence(
        f"{words.higher(primary.estimate, places)} on a scale of {scale.low:g} to {scale.high:g} "
        f"({words.span(decided.low, decided.high, places)}), {told}",
        rows=(0,),
    )


def _sentences(asked: _Asked, primary: PanelChange, decided: Decision) -> list[Sentence]:
    means = primary.wave_means.set_index("wave")["mean"]
    places = words.decimals(decided.low, decided.high)
    took_part = len(circumstances.taking_part(asked.programme))
    both = words.of(primary.n_both, took_part) if took_part else f"{primary.n_both}"
    return [
        Sentence(
            f"{words.sentence_case(ratings.rated(asked.rater))}: the mean on the {asked.instrument.name} was "
            f"{words.number(means[asked.first], places)} in {asked.when(asked.first)} and is now "
            f"{words.number(means[asked.last], places)} in {asked.when(asked.last)}, "
            f"{words.higher(primary.estimate, places)} ({words.between(decided.low, decided.high, places)}, "
            f"{HEADLINE:.0%} interval).",
            rows=(0,),
        ),
        Sentence(
            f"{both} leaders were rated at both times, {primary.n} at least once; all answers count.",
            rows=(0,),
        ),
    ]


def _marks(asked: _Asked, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    rows = [
        {"mark": "point", "series": row["measure"], "x": row["measure"], "y": row["estimate"], "low": row["low"],
         "high": row["high"], "n": row["n"], "row": place}
        for place, row in enumerate(table.to_dict("records"))
    ]  # fmt: skip
    worth = asked.instrument.smallest_worthwhile_change
    rows.append({"mark": "line", "y": 0.0, "label": "no change"})
    if worth is not None:
        rows.append({"mark": "band", "low": -worth, "high": worth, "label": "smaller than worthwhile"})
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"Change in {asked.instrument.name}, {ratings.rated(asked.rater)}, "
        f"{asked.when(asked.first)} to {asked.when(asked.last)}",
        x_axis=f"points, later minus earlier, with {table['interval'].iloc[0]} intervals",
    )


def _cautions(asked: _Asked, primary: PanelChange, rivals: tuple[str, ...]) -> list[Sentence]:
    said = ["These leaders are not compared with others: leaders elsewhere may have changed as much."]
    left = _leavers(asked)
    said += [left] if left else []
    if asked.rater == "self":
        said.append("People rated themselves; ratings often dip as understanding grows, whatever they do.")
    if asked.instrument.scale.evaluator_defined:
        said.append(f"{asked.instrument.name} has no scale of its own: this one is the evaluator's, and not validated.")
    if asked.instrument.smallest_worthwhile_change is None:
        said.append("Nobody agreed beforehand how large a change would be worthwhile.")
    if rivals:
        said.append(f"Also going on in the same time: {words.listed(list(rivals))}.")
    if _at_ceiling(asked):
        said.append("Over a quarter of first answers were at the top of the scale, where a rise cannot show.")
    if primary.basis != "all waves":
        said.append(f"Too few answered every wave to use them all: {primary.basis} were used.")
    return [Sentence(text, rows=(0,)) for text in said]


def _leavers(asked: _Asked) -> str:
    """How those no longer rated began, where neither group is small enough to tell people by."""
    answers = asked.answers(ratings.main_domain(asked.instrument))
    began = answers[asked.first].dropna()
    stayed = answers[asked.last].reindex(began.index).notna()
    if min(stayed.sum(), (~stayed).sum()) < asked.programme.minimum_group:
        return ""
    gap = began[~stayed].mean() - began[stayed].mean()
    return (
        f"{(~stayed).sum()} of {len(began)} leaders rated the first time were not rated the last; they had begun "
        f"{words.higher(gap, 2)} than the others."
    )


def _at_ceiling(asked: _Asked) -> bool:
    answers = asked.answers(ratings.main_domain(asked.instrument))
    top = asked.instrument.scale.high if asked.instrument.better == "higher" else asked.instrument.scale.low
    return bool((answers[asked.first].dropna() == top).mean() > CEILING)
