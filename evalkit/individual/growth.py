"""Did ratings of leaders change between two waves, by whoever gave them?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import TELLS
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.individual import ratings
from evalkit.individual.besides import kept_domain
from evalkit.individual.by_group import beside
from evalkit.individual.compared import Compared, compared, known_domain
from evalkit.individual.families import apart, judged
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.stats import panel, power
from evalkit.stats.student import share
from evalkit.terms import Design, Level, Step, Verdict
from evalkit.verdict import HEADLINE, LEAST_PAIRS, Decision, Other, decide

if TYPE_CHECKING:
    from evalkit.individual.families import Judged
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme
    from evalkit.stats.panel import PanelChange

CEILING = 0.25
"""Above this share of first answers at the top of the scale, intervals are lopsided (simulated: the methods page)."""
NULLS = (Verdict.NO_CLEAR_CHANGE, Verdict.UNCLEAR, Verdict.TOO_EARLY)
"""Beside these the smallest change that could have been seen is said: nothing seen is not nothing there."""
SEEN = 0.80
"""A change that could be seen is one that this share of such evaluations would have found clear."""

METHOD = Method(
    name="Change between two waves from all answers given, with errors robust to how people and teams vary",
    source="EM: Dempster, Laird and Rubin 1977; CR2 and its degrees of freedom: Pustejovsky and Tipton 2018; "
    "for complete answers it is the paired t.",
    assumes="Whether people stopped answering may depend on what they answered before, not on what they would have "
    "answered; people (or teams, when known) are independent of each other.",
    design=Design.BEFORE_AFTER,
)


@dataclass(frozen=True, slots=True)
class _Grown:
    """The change in each domain, the one that decides first; which of the others moved clearly, judged together.

    `unsure` are domains whose change has no interval, for all changed alike or next to nobody answered them twice.
    """

    asked: Compared
    found: dict[str, PanelChange]
    others: Judged
    unsure: list[str]

    @property
    def primary(self) -> PanelChange:
        """The change that decides."""
        return next(iter(self.found.values()))


def growth(
    programme: Programme,
    *,
    on: str,
    rater: str = "self",
    domain: str | None = None,
    between: tuple[int, int] | None = None,
    by: str | None = None,
    confidence: float = 0.95,
) -> Result:
    """Are people leading differently?

    Needs: `responses` about persons on the instrument `on`, at two waves or more. Ratings by oneself often dip as
    understanding grows, and rise when people want to show that time was well spent: read them beside sponsors and
    partners (`rater="sponsor"`). Everybody with any answer is used, not only those who answered twice; teams are kept
    together when at least three are known (fewer than five decide nothing). `domain` decides (as declared in
    `[plan.primary]`, else the whole); the others are judged together by Holm, in the families that `[plan.families]`
    declares. `by` sets groups side by side: arm (leaders followed for comparison), seniority, profession, cohort, a
    characteristic, or an instrument answered at the first wave (readiness, role_ambiguity), cut at the middle of its
    scale.
    Columns: n_of, mean_first, mean_last, answered_first, answered_last, answered_both; clear (higher or lower when
    judged together); tells (how few people the row would tell: it is withheld); by group: of (change, difference).
    Errors: `NotEnoughEvidence` without two waves of linked answers; ValueError for a domain, `by` or `between` there
    is not.

    >>> import evalkit as ek
    >>> growth(ek.load("sample_data/northmere"), on="system_leadership").table["measure"].iloc[0]
    'Overall (mean of domains)'
    """
    share(confidence)
    asked = compared(programme, on, rater, between)
    first = known_domain(programme, asked.instrument, domain)
    told = {"on": on, "rater": rater, "domain": domain, "between": (asked.first, asked.last), "by": by}
    said = ", ".join(f"{name}={value!r}" for name, value in told.items() if value is not None)
    if by is not None:
        return beside(asked, first, by, confidence, f"individual.growth({said})")
    labels = asked.instrument.domain_labels
    domains = [first] if domain is not None else [first, *(key for key in labels if key != first)]
    grown = _grown(asked, domains, confidence)
    decided = _decided(grown)
    table = _table(grown, confidence)
    rivals = circumstances.rivals(programme)
    evidence = grade(Design.BEFORE_AFTER, informants=(rater,), rivals=rivals)
    headline = _headline(grown, decided)
    return Result.of(
        question=ratings.QUESTION,
        level=Level.INDIVIDUAL,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(grown, decided),
        decided=decided,
        attribution=attribution(evidence, decided.verdict, outside_agrees=_outside_agrees(grown)),
        table=table,
        marks=_marks(asked, table, headline.text),
        chart=charts.named("dots"),
        method=METHOD,
        evidence=evidence,
        cautions=_cautions(grown, rivals),
        about=circumstances.about(
            programme,
            f"individual.growth({said})",
            n=grown.primary.n_both,
            of=len(circumstances.taking_part(programme)) or None,
            counts="leaders",
        ),
        details=grown.found,
    )


def _grown(asked: Compared, domains: list[str], confidence: float) -> _Grown:
    """The change in each domain. One without an interval is shown; only the one that decides is refused for it."""
    found, unsure = {domains[0]: _change(asked, domains[0], confidence)}, []
    for key in domains[1:]:
        try:
            found[key] = _change(asked, key, confidence)
        except NotEnoughEvidence:
            unsure.append(key)
    return _Grown(asked, found, judged(asked.programme, asked.instrument, found), unsure)


def _change(asked: Compared, domain: str, confidence: float) -> PanelChange:
    answers = asked.answers(domain)
    try:
        return panel.available(
            answers, first=asked.first, last=asked.last, teams=asked.teams(domain), confidence=confidence
        )
    except ValueError as refusal:
        both = int(answers[[asked.first, asked.last]].notna().all(axis=1).sum())
        waves = f"{asked.when(asked.first)} and {asked.when(asked.last)}"
        few = f", rated in both {waves}: {words.counted(both, 'leader')}."
        raise NotEnoughEvidence(
            ratings.QUESTION,
            missing=f"{asked.instrument.domain_labels[domain]}{few if both < 2 else f': {refusal}'}",
            would_answer="at least five people who answered at both waves, under the same id each time."
            if both < LEAST_PAIRS
            else "a form on which people can differ; where all change alike nothing is unsure.",
        ) from refusal


def _decided(grown: _Grown) -> Decision:
    """The verdict on the first measure; the domains are its other declared measures, Holm within the family."""
    asked, pairs = grown.asked, grown.primary.n_both
    higher = asked.instrument.better == "higher"
    return decide(
        grown.primary,
        better=asked.instrument.better,
        worthwhile=asked.instrument.smallest_worthwhile_change,
        value_words=asked.instrument.validated,
        described_as=f"Only {words.counted(pairs, 'person', 'people')} answered twice."
        if pairs < LEAST_PAIRS
        else ratings.few_teams(asked.programme, asked.answers(next(iter(grown.found))).index),
        too_early=circumstances.too_early(
            asked.programme, asked.programme.plan.lag_months.get(asked.instrument.id), asked.closes(asked.last)
        ),
        others=[
            Other(asked.instrument.domain_labels[key], (grown.found[key].estimate > 0) == higher, p)
            for key, p in grown.others.adjusted.items()
        ],
        informant=_informant(grown),
    )


def _informant(grown: _Grown) -> PanelChange | None:
    """The same change as the declared informant saw it, where one is declared and answered."""
    informant = grown.asked.programme.plan.informant
    if not informant or informant == grown.asked.rater:
        return None
    return _seen_by(grown, informant)


def _seen_by(grown: _Grown, rater: str) -> PanelChange | None:
    asked = grown.asked
    try:
        others = compared(asked.programme, asked.instrument.id, rater, (asked.first, asked.last))
        return _change(others, next(iter(grown.found)), HEADLINE)
    except NotEnoughEvidence:
        return None


def _outside_agrees(grown: _Grown) -> bool:
    """Whether people outside the programme saw a clear change in the same direction."""
    seen = None if grown.asked.rater == ratings.OUTSIDE else _seen_by(grown, ratings.OUTSIDE)
    if seen is None:
        return False
    low, high = seen.interval(HEADLINE)
    return low > 0 if grown.primary.estimate > 0 else high < 0


def _table(grown: _Grown, confidence: float) -> pd.DataFrame:
    """A row a measure, the one that decides first."""
    asked, clear = grown.asked, grown.others.clear
    rows = []
    for domain, change in grown.found.items():
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
                "unit": ratings.points(asked.instrument),
                "n_of": "leaders",
                "mean_first": means[asked.first],
                "mean_last": means[asked.last],
                "answered_first": change.n_first,
                "answered_last": change.n_last,
                "answered_both": change.n_both,
                "clear": clear.get(domain, ""),
            }
        )
    whole = dict.fromkeys(("n", "answered_first", "answered_last", "answered_both", TELLS), "Int64")
    key, few = kept_domain(asked)
    found = pd.DataFrame(rows + [_unsure(asked, domain) for domain in grown.unsure])
    found[TELLS] = [few if domain == key else None for domain in (*grown.found, *grown.unsure)]
    return found.astype(whole)


def _unsure(asked: Compared, domain: str) -> dict[str, Any]:
    """The row of a domain whose change has no interval: the mean change of those who answered it twice."""
    ends = asked.answers(domain)[[asked.first, asked.last]]
    both = ends.dropna()
    first, last = both.mean()
    given = ends.notna().sum()
    return {
        "measure": asked.instrument.domain_labels[domain],
        "group": ALL,
        "estimate": last - first,
        "low": float("nan"),
        "high": float("nan"),
        "interval": "none given",
        "n": len(both),
        "unit": ratings.points(asked.instrument),
        "n_of": "leaders",
        "mean_first": first,
        "mean_last": last,
        "answered_first": given[asked.first],
        "answered_last": given[asked.last],
        "answered_both": len(both),
        "clear": "",
    }


def _headline(grown: _Grown, decided: Decision) -> Sentence:
    places = words.decimals(decided.low, decided.high)
    asked = grown.asked
    told = "self-report" if asked.rater == "self" else f"told by {words.raters(asked.rater)}"
    scale = asked.instrument.scale
    return Sentence(
        f"{words.higher(grown.primary.estimate, places)} on a scale of {scale.low:g} to {scale.high:g} "
        f"({words.span(decided.low, decided.high, places)}), {told}",
        rows=(0,),
    )


def _sentences(grown: _Grown, decided: Decision) -> list[Sentence]:
    asked, primary = grown.asked, grown.primary
    means = primary.wave_means.set_index("wave")["mean"]
    places = words.decimals(decided.low, decided.high)
    took_part = len(circumstances.taking_part(asked.programme))
    both = words.of(primary.n_both, took_part) if took_part else f"{primary.n_both}"
    said = [
        Sentence(
            f"{words.sentence_case(ratings.rated(asked.rater))}: the mean on {_named(grown)} was "
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
    seen = power.smallest_seen(primary.se, primary.df, power=SEEN, confidence=HEADLINE)
    if decided.verdict in NULLS:
        said.append(
            Sentence(
                f"Only a change of {words.number(seen, places)} points or more would have shown in "
                f"{100 * SEEN:.0f} of 100 such evaluations.",
                rows=(0,),
            )
        )
    return said + [Sentence(text, rows) for text, rows in apart(grown.others, asked.instrument, [*grown.found])]


def _named(grown: _Grown) -> str:
    """The instrument; its domain too, where that is not the whole."""
    key, instrument = next(iter(grown.found)), grown.asked.instrument
    whole = key == ratings.main_domain(instrument)
    return f"the {instrument.name}" if whole else f"{instrument.domain_labels[key]} ({instrument.name})"


def _marks(asked: Compared, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    rows = [
        {"mark": "point", "series": row["measure"], "x": row["measure"], "y": row["estimate"], "low": row["low"],
         "high": row["high"], "n": row["n"], "row": place}
        for place, row in enumerate(table.to_dict("records")) if row["estimate"] == row["estimate"]
    ]  # fmt: skip
    rows.append({"mark": "line", "y": 0.0, "label": "no change"})
    worth = asked.instrument.smallest_worthwhile_change
    if worth is not None:
        rows.append({"mark": "band", "low": -worth, "high": worth, "label": "smaller than worthwhile"})
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"Change in {asked.instrument.name}, {ratings.rated(asked.rater)}, "
        f"{asked.when(asked.first)} to {asked.when(asked.last)}",
        x_axis=f"points, later minus earlier, with {table['interval'].iloc[0]} intervals",
    )


def _cautions(grown: _Grown, rivals: tuple[str, ...]) -> list[Sentence]:
    asked, instrument = grown.asked, grown.asked.instrument
    said = [_compared_with(asked)]
    left = _leavers(grown)
    said += [left] if left else []
    if asked.rater == "self":
        said.append("People rated themselves; ratings often dip as understanding grows, whatever they do.")
    if instrument.scale.evaluator_defined:
        said.append(f"{instrument.name} has no scale of its own: this one is the evaluator's, and not validated.")
    if instrument.smallest_worthwhile_change is None:
        said.append("Nobody agreed beforehand how large a change would be worthwhile.")
    if rivals:
        said.append(f"Also going on in the same time: {words.listed(list(rivals))}.")
    if _at_ceiling(grown):
        said.append("Over a quarter of first answers were at the top of the scale, where a rise cannot show.")
    if grown.unsure:
        named = words.listed([instrument.domain_labels[key] for key in grown.unsure])
        said.append(f"{named}: all changed alike, or too few answered twice, so no interval is given.")
    if grown.primary.basis != "all waves":
        said.append(f"Too few answered every wave to use them all: {grown.primary.basis} were used.")
    return [Sentence(text, rows=(0,)) for text in said]


def _compared_with(asked: Compared) -> str:
    """Whether leaders followed for comparison were asked the same."""
    followed = circumstances.comparison_leaders(asked.programme)
    others = ratings.given(asked.programme, asked.instrument, asked.rater, leaders=followed)
    if others.empty:
        return "These leaders are not compared with others: leaders elsewhere may have changed as much."
    return "Leaders followed for comparison are not in these figures; by=“arm” sets them beside."


def _leavers(grown: _Grown) -> str:
    """How those no longer rated began, where neither group is small enough to tell people by."""
    asked = grown.asked
    answers = asked.answers(next(iter(grown.found)))
    began = answers[asked.first].dropna()
    stayed = answers[asked.last].reindex(began.index).notna()
    if min(stayed.sum(), (~stayed).sum()) < asked.programme.minimum_group:
        return ""
    gap = began[~stayed].mean() - began[stayed].mean()
    return (
        f"{(~stayed).sum()} of {len(began)} leaders rated the first time were not rated the last; they had begun "
        f"{words.higher(gap, 2)} than the others."
    )


def _at_ceiling(grown: _Grown) -> bool:
    asked = grown.asked
    answers = asked.answers(next(iter(grown.found)))
    return bool((answers[asked.first].dropna() == _top(asked.instrument)).mean() > CEILING)


def _top(instrument: Instrument) -> float:
    return instrument.scale.high if instrument.better == "higher" else instrument.scale.low
