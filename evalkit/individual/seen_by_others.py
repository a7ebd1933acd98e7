"""Do others see leaders as leaders see themselves?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.individual import ratings
from evalkit.result import Method, Result, Sentence
from evalkit.stats import change, clusters
from evalkit.terms import Design, Level, Step
from evalkit.verdict import LEAST_PAIRS, described

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme

METHOD = Method(
    name="Mean of leaders' own rating less the mean of others' ratings of the same leader, with limits of agreement",
    source="Bland and Altman 1986, Lancet i, 307-310; interval by CR2 over teams (over people when fewer than five "
    "teams are known): Pustejovsky and Tipton 2018.",
    assumes="Leaders whom others rated are like those whom nobody rated; people (or teams) are independent.",
    design=Design.DESCRIBED,
)


@dataclass(frozen=True, slots=True)
class _Gap:
    """Own rating less others', for the leaders with both at one wave. Intervals are missing below five leaders."""

    rater: str
    wave: int
    n: int
    raters: int
    own: float
    others: float
    estimate: float
    low: float
    high: float
    lower: float
    upper: float


def seen_by_others(
    programme: Programme, *, on: str, raters: tuple[str, ...] = ("sponsor", "partner"), confidence: float = 0.95
) -> Result:
    """Do others see leaders as leaders see themselves?

    Needs: `responses` about persons on the instrument `on`, by leaders and by at least one other kind of rater at the
    same wave. A gap is not an error of either: others see less, and leaders are kinder or harsher to themselves. The
    gap is read at the first and the last wave both rated; a gap that closes can close from either side. Kinds of rater
    with fewer people than the programme's minimum stay with the evaluator. Errors: `NotEnoughEvidence` when no other
    rated the same leaders at the same wave.

    >>> import evalkit as ek
    >>> seen_by_others(ek.load("sample_data/northmere"), on="system_leadership").verdict
    <Verdict.DESCRIBED: 'described'>
    """
    instrument = circumstances.instrument(programme, on)
    if instrument.recorded:
        raise NotEnoughEvidence(
            "Do others see leaders as leaders see themselves?",
            missing=instrument.never_averaged,
            would_answer="an instrument that says how well or how often people lead, answered by them and by others.",
        )
    own = ratings.by_wave(ratings.given(programme, instrument, "self"), ratings.main_domain(instrument))
    gaps = [gap for rater in raters for gap in _gaps(programme, instrument, own, rater, confidence)]
    if not gaps:
        raise NotEnoughEvidence(
            "Do others see leaders as leaders see themselves?",
            missing=f"Nobody was rated on the {instrument.name} by themselves and by {_either(raters)} at one wave.",
            would_answer="ratings of the same leaders by others, at the waves in which leaders rate themselves.",
        )
    table = _table(instrument, gaps, confidence)
    evidence = grade(Design.DESCRIBED, informants=("self", *dict.fromkeys(gap.rater for gap in gaps)))
    decided = described("A difference between raters is not a change.")
    headline = Sentence(_headline(gaps), rows=tuple(_last_rows(gaps)))
    return Result.of(
        question="Do others see leaders as leaders see themselves?",
        level=Level.INDIVIDUAL,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(programme, gaps, confidence),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(programme, instrument, table, gaps, headline.text),
        chart=charts.named("dots"),
        method=METHOD,
        evidence=evidence,
        cautions=_cautions(instrument, gaps),
        about=circumstances.about(
            programme,
            f"individual.seen_by_others(on={on!r}, raters={raters!r})",
            n=max(gap.n for gap in gaps),
            of=len(circumstances.taking_part(programme)) or None,
            counts="leaders",
        ),
        details=gaps,
    )


def _either(raters: tuple[str, ...]) -> str:
    return " or ".join(words.raters(rater) for rater in raters)


def _gaps(programme: Programme, instrument: Instrument, own: pd.DataFrame, rater: str, confidence: float) -> list[_Gap]:
    """The gap at the first and the last wave in which leaders and these others rated the same people."""
    domain = ratings.main_domain(instrument)
    scores = ratings.given(programme, instrument, rater)
    others = ratings.by_wave(scores, domain)
    shared: list[int] = own.columns.intersection(others.columns).astype(int).tolist()
    both = {wave: pd.DataFrame({"own": own[wave], "others": others[wave]}).dropna() for wave in shared}
    waves = sorted(wave for wave, pairs in both.items() if not pairs.empty)
    answered = scores[(scores["domain"] == domain) & scores["score"].notna()]
    raters = answered.groupby("wave")["respondent_id"].nunique()
    return [
        _gap(programme, rater, wave, both[wave], int(raters[wave]), confidence)
        for wave in dict.fromkeys([*waves[:1], *waves[-1:]])
    ]


def _gap(programme: Programme, rater: str, wave: int, pairs: pd.DataFrame, raters: int, confidence: float) -> _Gap:
    difference = pairs["own"] - pairs["others"]
    low = high = lower = upper = float("nan")
    if len(pairs) >= LEAST_PAIRS and difference.nunique() > 1:
        teams = ratings.teams(programme, pairs.index)
        groups = np.arange(len(pairs)) if teams is None else teams.to_numpy(dtype=object)
        mean = clusters.cr2(difference, np.ones((len(pairs), 1)), groups, confidence=confidence).contrast([1.0])
        apart = change.limits_of_agreement(pairs["others"], pairs["own"])
        low, high, lower, upper = mean.low, mean.high, apart.lower, apart.upper
    means = pairs.mean()
    return _Gap(
        rater,
        wave,
        len(pairs),
        raters,
        means["own"],
        means["others"],
        float(difference.mean()),
        low,
        high,
        lower,
        upper,
    )


def _table(instrument: Instrument, gaps: list[_Gap], confidence: float) -> pd.DataFrame:
    """A row a kind of rater and wave. Extras: n_of, wave, raters (how many gave ratings), mean_own, mean_others, and
    differs_from, differs_to: the limits between which 95 % of leaders' own gaps lie."""
    return pd.DataFrame(
        [
            {"measure": instrument.domain_labels[ratings.main_domain(instrument)], "group": words.raters(gap.rater),
             "estimate": gap.estimate, "low": gap.low, "high": gap.high,
             "interval": "none given" if np.isnan(gap.low) else f"{confidence:.0%} confidence", "n": gap.n,
             "unit": f"points on a scale of {instrument.scale.low:g} to {instrument.scale.high:g}, own less others'",
             "n_of": "leaders", "wave": gap.wave, "raters": gap.raters, "mean_own": gap.own, "mean_others": gap.others,
             "differs_from": gap.lower, "differs_to": gap.upper}
            for gap in gaps
        ]
    ).astype({"n": "Int64", "raters": "Int64"})  # fmt: skip


def _last_rows(gaps: list[_Gap]) -> list[int]:
    """The rows of each kind of rater's last wave."""
    return list({gap.rater: place for place, gap in enumerate(gaps)}.values())


def _headline(gaps: list[_Gap]) -> str:
    said = [f"{words.higher(gaps[row].estimate)} than {words.raters(gaps[row].rater)} do" for row in _last_rows(gaps)]
    return f"Leaders rate themselves {words.listed(said)}"


def _sentences(programme: Programme, gaps: list[_Gap], confidence: float) -> list[Sentence]:
    """One sentence a kind of rater: the gap at the last wave, beside the first."""
    said = []
    for last in _last_rows(gaps):
        gap, first = gaps[last], next(place for place, other in enumerate(gaps) if other.rater == gaps[last].rater)
        sure = "" if np.isnan(gap.low) else f" ({words.between(gap.low, gap.high, 2)}, {confidence:.0%} interval)"
        before = (
            ""
            if first == last
            else f"; in {circumstances.when(programme, gaps[first].wave)} it was {words.number(gaps[first].estimate)}"
        )
        said.append(
            Sentence(
                f"In {circumstances.when(programme, gap.wave)} leaders rated themselves {words.number(gap.own)} and "
                f"{words.raters(gap.rater)} rated the same {gap.n} leaders {words.number(gap.others)}: "
                f"a gap of {words.number(gap.estimate)}{sure}{before}.",
                rows=tuple(dict.fromkeys((last, first))),
            )
        )
    return said


def _marks(
    programme: Programme, instrument: Instrument, table: pd.DataFrame, gaps: list[_Gap], headline: str
) -> pd.DataFrame:
    rows: list[dict[str, Any]] = [
        {"mark": "point", "series": gap.rater, "y": gap.estimate, "low": gap.low, "high": gap.high, "n": gap.n,
         "row": row, "x": f"{words.sentence_case(words.raters(gap.rater))}, {circumstances.when(programme, gap.wave)}"}
        for row, gap in enumerate(gaps)
    ]  # fmt: skip
    rows.append({"mark": "line", "y": 0.0, "label": "rated alike"})
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"Leaders' own rating less others' on the {instrument.name}, {programme.title}",
        x_axis=f"points, own less others', with {table['interval'].iloc[0]} intervals",
    )


def _cautions(instrument: Instrument, gaps: list[_Gap]) -> list[Sentence]:
    said = [Sentence("Others see only part of what a leader does; neither rating is the true one.")]
    said.append(Sentence("The leaders rated by others are those for whom somebody answered, not all of them."))
    for row in _last_rows(gaps):
        gap = gaps[row]
        if not np.isnan(gap.lower):
            said.append(
                Sentence(
                    f"Single leaders differ widely from {words.raters(gap.rater)}: 95 of 100 gaps lie between "
                    f"{words.number(gap.lower)} and {words.number(gap.upper)}.",
                    rows=(row,),
                )
            )
    if instrument.scale.evaluator_defined:
        said.append(
            Sentence(f"The {instrument.name} has no scale of its own: this one is the evaluator's, and not validated.")
        )
    return said
